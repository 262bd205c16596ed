# The server's side of sealed DCE/RPC, for the services that no real server at hand has.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both transfer syntaxes, NTLM (auth_type 10) with Samba's own server-side handshake, Kerberos (16) with the DC's key from the
keytab, sealed the way Windows does it: header signing, EC 16, RRC 28. Level privacy, or none at all.
"""
import os
import signal
import socket
import struct
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


class Connection(rpc.Tcp):
    def __init__(self, accepted):
        self.socket = accepted


class PipeConnection(Connection):
    """From smbd: every message of a pipe comes and goes behind its length, 16 bits."""

    def __init__(self, accepted):
        """smbd tells first who the user is (not looked at), and wants to hear that this is a message pipe, and STATUS_SUCCESS."""
        super().__init__(accepted)
        asked = self._exactly(struct.unpack('>L', self._exactly(4))[0])
        level = asked[4:8]
        answer = b'NPAM' + level * 2 + struct.pack('<HHxxxxQL', 2, 0x05ff, 4096, 0)
        accepted.sendall(struct.pack('>L', len(answer)) + answer)

    def send(self, data):
        super().send(struct.pack('<H', len(data)) + data)

    def receive(self):
        return self._exactly(struct.unpack('<H', self._exactly(2))[0])


class Fault(Exception):
    """What a service raises instead of an answer: the status of the fault PDU."""

    def __init__(self, status):
        super().__init__(f'fault 0x{status:08x}')
        self.status = status


RANGE_ERROR = 0x1c010002
FRAGMENT = 4096         # of a response's stub, at most


class Association:
    """One connection. `service`: `address`, `syntaxes` in order of preference, and answer(opnum, stub, ndr64) -> stub."""

    def __init__(self, connection, service, conf, keytab):
        # pylint: disable=too-many-arguments
        self.connection, self.service, self.conf, self.keytab = connection, service, conf, keytab
        self.security, self.ndr64 = None, {}

    def bind(self, pdu, call_id, trailer, token):
        address = self.service.address.encode() + b'\0'
        body = struct.pack('<HHLH', 4280, 4280, 4711, len(address)) + address
        body += b'\0' * (-(16 + len(body)) % 4) + struct.pack('<Bxxx', pdu[24])
        at = 28
        for _ in range(pdu[24]):
            number, offered = struct.unpack_from('<HB', pdu, at)
            names = [uuid.UUID(bytes_le=pdu[at + 24 + 20 * n:at + 40 + 20 * n]) for n in range(offered)]
            at += 24 + 20 * offered
            taken = next((s for s in self.service.syntaxes if s[0] in map(str, names)), None)
            if taken:
                self.ndr64[number] = taken is rpc.NDR64
                body += struct.pack('<HH', 0, 0) + uuid.UUID(taken[0]).bytes_le + struct.pack('<L', taken[1])
            elif names[0].bytes_le.startswith(bytes.fromhex('2c1cb76c12984045')):
                body += struct.pack('<HH20x', 3, 0)         # negotiate_ack, none of the features
            else:
                body += struct.pack('<HH20x', 2, 2)         # transfer syntax not supported
        reply = b''
        if token:
            self.security = NtlmServer(self.conf, trailer[1]) if trailer[0] == 10 else KerberosServer(self.keytab)
            reply = self.security.accept(token)
            body += trailer[:2] + b'\0\0' + trailer[4:] + reply
        self.connection.send(struct.pack('<BBBB4sHHL', 5, 0, rpc.BIND_ACK, 3 | (pdu[3] & HEADER_SIGN if reply else 0),
                                         b'\x10\0\0\0', 16 + len(body), len(reply), call_id) + body)

    def send(self, kind, flags, call_id, context, body, left, trailer):
        """One response or fault; sealed if there is a trailer to seal it under."""
        # pylint: disable=too-many-arguments
        last = struct.pack('<LHBx', left, context, 0)
        if not trailer:
            self.connection.send(struct.pack('<BBBB4sHHL', 5, 0, kind, flags, b'\x10\0\0\0', 24 + len(body), 0, call_id)
                                 + last + body)
            return
        pad = -len(body) % 16
        size = 24 + len(body) + pad + 8 + self.security.token_length
        head = struct.pack('<BBBB4sHHL', 5, 0, kind, flags, b'\x10\0\0\0', size, self.security.token_length, call_id) + last
        tail = trailer[:2] + bytes([pad, 0]) + trailer[4:]
        sealed, signature = self.security.protect(head, body + b'\0' * pad, tail)
        self.connection.send(head + sealed + tail + signature)

    def serve(self):
        stub = b''
        while True:
            pdu = self.connection.receive()
            size, auth, call_id = struct.unpack_from('<HHL', pdu, 8)
            at = size - auth - 8 if auth else size
            trailer, token = pdu[at:at + 8], pdu[at + 8:size]
            if pdu[2] == rpc.BIND:
                self.bind(pdu, call_id, trailer, token)
            elif pdu[2] == rpc.AUTH3:
                self.security.finish(token)
            elif pdu[2] == rpc.REQUEST:
                if auth:
                    plain = self.security.unprotect(pdu[:24], pdu[24:at], trailer, token)
                    stub += plain[:len(plain) - trailer[2]]
                else:
                    stub += pdu[24:at]
                if pdu[3] & 2:
                    self.answer(call_id, *struct.unpack_from('<HH', pdu, 20), stub, trailer)
                    stub = b''
            else:
                raise rpc.RpcError(f'PDU type {pdu[2]}')

    def answer(self, call_id, context, opnum, stub, trailer):
        # pylint: disable=too-many-arguments
        try:
            out = self.service.answer(opnum, stub, self.ndr64[context])
        except Fault as why:
            self.send(rpc.FAULT, 3, call_id, context, struct.pack('<Lxxxx', why.status), 32, b'')
            return
        for begin in range(0, len(out), FRAGMENT):
            flags = (begin == 0) | (begin + FRAGMENT >= len(out)) << 1
            self.send(rpc.RESPONSE, flags, call_id, context, out[begin:begin + FRAGMENT], len(out) - begin, trailer)


def forever(listening, service, conf=None, keytab=None, kind=Connection):
    """A process for each connection: clients keep several open side by side."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print('listening', flush=True)
    while True:
        accepted = listening.accept()[0]
        if os.fork() == 0:
            listening.close()
            try:
                Association(kind(accepted), service, conf, keytab).serve()
            except rpc.RpcError as why:
                print(why, flush=True)
            os._exit(0)
        accepted.close()


def on_port(port):
    return socket.create_server(('', int(port)))
