# A BackupKey server that speaks NDR64, which Samba's servers do not; the real DC answers behind it.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: ndr64_gateway.py SMB.CONF KEYTAB PORT   (environment: HOST, DOMAIN, ADMIN_PW)

Windows clients use NDR64 whenever the server takes it, so captures of it are wanted, but no Samba server
takes it. This one does: it opens the sealed NDR64 request of a real client (smbtorture [ndr64]), asks the
DC the same thing over NDR32 from inside the DC's own namespace, and seals the answer in NDR64.
NTLM (auth_type 10) with Samba's own server-side handshake; Kerberos (16) with the DC's key from the keytab,
sealed the way Windows does it: header signing, EC 16, RRC 28.
"""
import os
import signal
import socket
import struct
import sys
import uuid

from Cryptodome.Cipher import ARC4
from Cryptodome.Hash import HMAC, SHA1
from impacket import ntlm
from impacket.krb5 import constants, crypto
from impacket.krb5.asn1 import AP_REP, AP_REQ, Authenticator, EncAPRepPart, EncTicketPart
from impacket.krb5.keytab import Keytab
from pyasn1.codec.der import decoder, encoder
from pyasn1.type.univ import noValue

import rpc

HEADER_SIGN = 4


class NtlmServer:
    """Samba's gensec does the handshake and knows the users; sealing is done here."""

    def __init__(self, conf, level):
        from samba import auth, gensec
        from samba.credentials import Credentials
        from samba.param import LoadParm
        from samba.samdb import SamDB
        lp = LoadParm()
        lp.load(conf)
        creds = Credentials()
        creds.guess(lp)
        creds.set_machine_account(lp)
        sam = SamDB(lp.get('private dir') + '/sam.ldb', session_info=auth.system_session(lp), lp=lp)
        users = auth.AuthContext(lp_ctx=lp, ldb=sam, methods=['sam'])
        self.keep = lp, creds, sam, users       # gensec does not hold on to them, and crashes
        self.gensec = gensec.Security.start_server(
            settings={'lp_ctx': lp, 'target_hostname': lp.get('netbios name')}, auth_context=users)
        self.gensec.set_credentials(creds)
        self.gensec.want_feature(gensec.FEATURE_SEAL)
        self.gensec.start_mech_by_authtype(10, level)
        self.token_length = 16

    def accept(self, token):
        return self.gensec.update(token)[1]

    def finish(self, token):
        flags, = struct.unpack_from('<L', token, 60)
        self.gensec.update(token)
        key = self.gensec.session_key()
        self.flags = flags
        self.sign = [ntlm.SIGNKEY(flags, key, who) for who in ('Client', 'Server')]
        self.rc4 = [ARC4.new(ntlm.SEALKEY(flags, key, who)).encrypt for who in ('Client', 'Server')]
        self.sequence = [0, 0]

    def _signature(self, way, message):
        signature = ntlm.MAC(self.flags, self.rc4[way], self.sign[way], self.sequence[way], message)
        self.sequence[way] += 1
        return signature.getData()

    def unprotect(self, head, stub, trailer, token):
        plain = self.rc4[0](stub)
        if self._signature(0, head + plain + trailer) != token:
            raise rpc.RpcError('the client\'s signature is wrong')
        return plain

    def protect(self, head, stub, trailer):
        sealed = self.rc4[1](stub)
        return sealed, self._signature(1, head + stub + trailer)


class KerberosServer:
    """AES only; RFC 4121 with the additions of MS-KILE for DCE/RPC."""

    EC, RRC = 16, 28
    token_length = 16 + EC + RRC + 16

    def __init__(self, keytab):
        self.keys = {}
        for entry in Keytab.loadFile(keytab).entries:
            if b'DC$' in entry.main_part['principal'].prettyPrint():
                block = entry.main_part['keyblock']
                self.keys[block['keytype']] = crypto.Key(block['keytype'], block['keyvalue']['data'])

    def accept(self, token):
        request = decoder.decode(token, asn1Spec=AP_REQ())[0]
        sealed = request['ticket']['enc-part']
        key = self.keys[int(sealed['etype'])]
        cipher = crypto._enctype_table[key.enctype]
        ticket = decoder.decode(cipher.decrypt(key, 2, sealed['cipher'].asOctets()), asn1Spec=EncTicketPart())[0]
        session = crypto.Key(int(ticket['key']['keytype']), ticket['key']['keyvalue'].asOctets())
        cipher = crypto._enctype_table[session.enctype]
        sender = decoder.decode(cipher.decrypt(session, 11, request['authenticator']['cipher'].asOctets()),
                                asn1Spec=Authenticator())[0]
        self.key = crypto.Key(18, os.urandom(32))       # the acceptor's subkey
        self.cipher = crypto._enctype_table[18]
        self.sequence = 0

        inner = EncAPRepPart()
        inner['ctime'] = str(sender['ctime'])
        inner['cusec'] = int(sender['cusec'])
        inner['subkey'] = noValue
        inner['subkey']['keytype'] = self.key.enctype
        inner['subkey']['keyvalue'] = self.key.contents
        inner['seq-number'] = self.sequence
        reply = AP_REP()
        reply['pvno'] = 5
        reply['msg-type'] = int(constants.ApplicationTagNumbers.AP_REP.value)
        reply['enc-part'] = noValue
        reply['enc-part']['etype'] = session.enctype
        reply['enc-part']['cipher'] = cipher.encrypt(session, 12, encoder.encode(inner), None)
        return encoder.encode(reply)

    def finish(self, token):
        """The third leg proves nothing this server needs: the sealed request will."""

    def _keys(self, usage):
        derive = self.cipher.derive
        return (derive(self.key, struct.pack('>iB', usage, 0xAA)), derive(self.key, struct.pack('>iB', usage, 0x55)))

    def protect(self, head, stub, trailer):
        encryption, integrity = self._keys(22)
        token = struct.pack('>HBBHHQ', 0x0504, 7, 0xff, self.EC, 0, self.sequence)
        self.sequence += 1
        confounder, filler = os.urandom(16), b'\xff' * self.EC
        checksum = HMAC.new(integrity.contents, confounder + head + stub + trailer + filler + token, SHA1).digest()
        sealed = self.cipher.basic_encrypt(encryption, confounder + stub + filler + token) + checksum[:12]
        turn = self.EC + self.RRC
        sealed = sealed[-turn:] + sealed[:-turn]
        token = token[:6] + struct.pack('>H', self.RRC) + token[8:]
        return sealed[turn + 16:], token + sealed[:turn + 16]

    def unprotect(self, head, stub, trailer, token):
        encryption, integrity = self._keys(24)
        ec, rrc = struct.unpack_from('>HH', token, 4)
        sealed = token[16:] + stub
        sealed = sealed[ec + rrc:] + sealed[:ec + rrc]
        plain = self.cipher.basic_decrypt(encryption, sealed[:-12])
        confounder, data, rest = plain[:16], plain[16:16 + len(stub)], plain[16 + len(stub):]
        checksum = HMAC.new(integrity.contents, confounder + head + data + trailer + rest, SHA1).digest()
        if checksum[:12] != sealed[-12:]:
            raise rpc.RpcError('the client\'s checksum is wrong')
        return data


def ask_the_dc(action, data, parameter):
    association = rpc.Association(rpc.Tcp(os.environ['HOST'], rpc.BKRP))
    association.bind([(0, rpc.BKRP, rpc.NDR)],
                     rpc.Ntlm('Administrator', os.environ['ADMIN_PW'], os.environ['DOMAIN']))
    try:
        return rpc.unpack_reply(association.call(0, rpc.pack_request(action, data, parameter), 0, 0))
    finally:
        association.transport.close()


def answer(stub):
    """NDR64 in, NDR64 out. A verification trailer may follow the request and is not looked at."""
    action = str(uuid.UUID(bytes_le=stub[:16]))
    count, = struct.unpack_from('<Q', stub, 16)
    data = stub[24:24 + count]
    at = 24 + count + -count % 4
    length, parameter = struct.unpack_from('<LL', stub, at)
    if length != count:
        raise rpc.RpcError('counts differ')
    out, status = ask_the_dc(action, data, parameter)
    if out is None:
        return struct.pack('<QLL', 0, 0, status)
    return (struct.pack('<QQ', 0x0000000000020000, len(out)) + out + b'\0' * (-len(out) % 4)
            + struct.pack('<LL', len(out), status))


class Connection(rpc.Tcp):
    def __init__(self, accepted):
        self.socket = accepted


def serve(connection, conf, keytab):
    security = None
    while True:
        pdu = connection.receive()
        kind, flags = pdu[2], pdu[3]
        size, auth, call_id = struct.unpack_from('<HHL', pdu, 8)
        at = size - auth - 8
        trailer, token = pdu[at:at + 8], pdu[at + 8:size]
        if kind == rpc.BIND:
            body = struct.pack('<HHL', 4280, 4280, 4711) + struct.pack('<H', 6) + b'49190\0'
            body += struct.pack('<Bxxx', pdu[24])
            where = 28
            for _ in range(pdu[24]):
                offered = uuid.UUID(bytes_le=pdu[where + 24:where + 40])
                where += 24 + 20 * pdu[where + 2]
                if str(offered) == rpc.NDR64[0]:
                    body += struct.pack('<HH', 0, 0) + offered.bytes_le + struct.pack('<L', 1)
                elif offered.bytes_le.startswith(bytes.fromhex('2c1cb76c12984045')):
                    body += struct.pack('<HH20x', 3, 0)         # negotiate_ack, none of the features
                else:
                    body += struct.pack('<HH20x', 2, 2)         # transfer syntax not supported
            security = NtlmServer(conf, trailer[1]) if trailer[0] == 10 else KerberosServer(keytab)
            reply = security.accept(token)
            connection.send(struct.pack('<BBBB4sHHL', 5, 0, rpc.BIND_ACK, 3 | flags & HEADER_SIGN,
                                        b'\x10\0\0\0', 16 + len(body) + 8 + len(reply), len(reply), call_id)
                            + body + trailer[:2] + b'\0\0' + trailer[4:] + reply)
        elif kind == rpc.AUTH3:
            security.finish(token)
        elif kind == rpc.REQUEST:
            plain = security.unprotect(pdu[:24], pdu[24:at], trailer, token)
            stub = answer(plain[:len(plain) - trailer[2]])
            pad = -len(stub) % 16
            size = 24 + len(stub) + pad + 8 + security.token_length
            head = struct.pack('<BBBB4sHHLLHBx', 5, 0, rpc.RESPONSE, 3, b'\x10\0\0\0', size,
                               security.token_length, call_id, len(stub), struct.unpack_from('<H', pdu, 20)[0], 0)
            tail = trailer[:2] + bytes([pad, 0]) + trailer[4:]
            sealed, signature = security.protect(head, stub + b'\0' * pad, tail)
            connection.send(head + sealed + tail + signature)
        else:
            raise rpc.RpcError(f'PDU type {kind}')


def main():
    conf, keytab, port = sys.argv[1:]
    listening = socket.create_server(('', int(port)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print('listening', flush=True)
    while True:
        accepted = listening.accept()[0]
        if os.fork() == 0:                      # smbtorture keeps connections open side by side
            listening.close()
            try:
                serve(Connection(accepted), conf, keytab)
            except rpc.RpcError as why:
                print(why, flush=True)
            os._exit(0)
        accepted.close()


main()
