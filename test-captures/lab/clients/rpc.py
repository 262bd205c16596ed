# A small sealed DCE/RPC client for the things no ordinary client does.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Several security contexts on one association, calls in flight together, SPNEGO around NTLM with odd
flags, Kerberos without the mutual-required bit.

The framing is written here, from [C706] and MS-RPCE; the cryptography (NTLM, Kerberos, RC4, AES) is
impacket's. Every reply's signature is checked where impacket can, so what a scenario prints as received
was really received.
"""
import datetime
import socket
import struct
import uuid
from unittest import mock

from Cryptodome.Cipher import ARC4
from impacket import ntlm
from impacket.krb5 import constants, crypto, gssapi
from impacket.krb5.asn1 import (AP_REP, AP_REQ, TGS_REP, Authenticator, EncAPRepPart, seq_set)
from impacket.krb5.ccache import CCache
from impacket.krb5.types import KerberosTime, Principal, Ticket
from impacket.smb import SMB_DIALECT
from impacket.smb3structs import SMB2_DIALECT_21, SMB2_DIALECT_30
from impacket.smbconnection import SMBConnection
from impacket.spnego import SPNEGO_NegTokenResp
from pyasn1.codec.der import decoder, encoder
from pyasn1.type.univ import noValue

REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP, AUTH3 = 0, 2, 3, 11, 12, 13, 14, 15, 16
NONE, CONNECT, PKT, INTEGRITY, PRIVACY = 1, 2, 4, 5, 6
NDR = ('8a885d04-1ceb-11c9-9fe8-08002b104860', 2)
NDR64 = ('71710533-beba-4937-8319-b5dbef9ccc36', 1)
BKRP = ('3dde7c30-165d-11d1-ab8f-00805f14db40', 1, 0)
LSARPC = ('12345778-1234-abcd-ef00-0123456789ab', 0, 0)

BACKUP = '7f752b10-178e-11d1-ab8f-00805f14db40'
RESTORE_WIN2K = '7fe94d50-178e-11d1-ab8f-00805f14db40'
RETRIEVE = '018ff48a-eaba-40c6-8f6d-72370240e967'
RESTORE = '47270c64-2fc7-499b-ac5b-0e37cdce899a'


class RpcError(Exception):
    pass


# --- transports --------------------------------------------------------------------------------------

class Tcp:
    """RPC directly over TCP; the port comes from the endpoint mapper."""

    def __init__(self, host, interface):
        from impacket.dcerpc.v5 import epm
        from impacket.uuid import uuidtup_to_bin
        binding = epm.hept_map(host, uuidtup_to_bin((interface[0], f'{interface[1]}.{interface[2]}')),
                               protocol='ncacn_ip_tcp')
        port = int(binding.split('[')[1].rstrip(']'))
        self.socket = socket.create_connection((socket.gethostbyname(host), port))

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        head = self._exactly(16)
        return head + self._exactly(struct.unpack_from('<H', head, 8)[0] - 16)

    def _exactly(self, n):
        data = b''
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise RpcError('the server closed the connection')
            data += more
        return data

    def close(self):
        self.socket.close()


class Pipe:
    """RPC over a named pipe, with WRITE and READ (Samba's own clients use FSCTL_PIPE_TRANSCEIVE)."""

    def __init__(self, smb, name):
        self.smb = smb
        self.tree = smb.connectTree('IPC$')
        self.file = smb.openFile(self.tree, '\\' + name)
        self.waiting = b''

    def send(self, data):
        self.smb.writeNamedPipe(self.tree, self.file, data, waitAnswer=True)

    def receive(self):
        while len(self.waiting) < 16 or len(self.waiting) < struct.unpack_from('<H', self.waiting, 8)[0]:
            self.waiting += self.smb.readNamedPipe(self.tree, self.file, 8192)
        size = struct.unpack_from('<H', self.waiting, 8)[0]
        pdu, self.waiting = self.waiting[:size], self.waiting[size:]
        return pdu

    def close(self):
        try:
            self.smb.closeFile(self.tree, self.file)
        except KeyError:
            pass                # sent; impacket then forgets a name it had open twice only once


DIALECTS = {'1': SMB_DIALECT, '2': SMB2_DIALECT_21, '3': SMB2_DIALECT_30}


def smb_session(host, user, password, domain, dialect=SMB2_DIALECT_21, encrypt=False):
    smb = SMBConnection(host, host, myName='CLIENT', preferredDialect=dialect)
    if dialect not in (SMB_DIALECT, SMB2_DIALECT_21) and not encrypt:
        # impacket encrypts every SMB 3 session as soon as the server can, and then nobody sees the pipe
        smb.getSMBServer()._Connection['SupportsEncryption'] = False
    if encrypt:
        smb.getSMBServer()._Connection['RequireSigning'] = True     # else its NTLM exchanges no key
    smb.login(user, password, domain)
    return smb


# --- security contexts -------------------------------------------------------------------------------

def der(tag, *parts):
    body = b''.join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else b'\x81' + bytes([n]) if n < 256 else b'\x82' + struct.pack('>H', n)
    return bytes([tag]) + length + body


SPNEGO_OID = bytes.fromhex('06062b0601050502')
KRB5_OID = bytes.fromhex('06092a864886f712010202')
NTLM_OID = bytes.fromhex('060a2b06010401823702020a')


def neg_token_init(mech, token):
    return der(0x60, SPNEGO_OID, der(0xa0, der(0x30, der(0xa0, der(0x30, mech)), der(0xa2, der(4, token)))))


def neg_token_resp(token, mic=None):
    return der(0xa1, der(0x30, der(0xa2, der(4, token)) if token else b'',
                         der(0xa3, der(4, mic)) if mic else b''))


def pairs_naming(target):
    """impacket's AV_PAIRS, which take `target` for the MsvAvTargetName that impacket puts there; '': none."""
    class Pairs(ntlm.AV_PAIRS):
        def __setitem__(self, kind, value):
            if kind == ntlm.NTLMSSP_AV_TARGET_NAME:
                value = target.encode('utf-16le')
            if value:
                super().__setitem__(kind, value)
    return Pairs


class Ntlm:
    """NTLM, bare (auth_type 10) or inside SPNEGO (9). `target`: the service principal it names; None: as impacket does, cifs/ and
    the server's NetBIOS name."""

    def __init__(self, user, password, domain, level=PRIVACY, context_id=0, spnego=True, add_flags=0, target=None):
        self.user, self.password, self.domain, self.target = user, password, domain, target
        self.level, self.context_id, self.spnego, self.add_flags = level, context_id, spnego, add_flags
        self.auth_type = 9 if spnego else 10
        self.auth3 = not spnego
        self.token_length = 16

    def first(self):
        self.negotiate = ntlm.getNTLMSSPType1('CLIENT', self.domain, signingRequired=True)
        self.negotiate['flags'] |= self.add_flags
        token = self.negotiate.getData()
        return neg_token_init(NTLM_OID, token) if self.spnego else token

    def second(self, challenge):
        if self.spnego:
            challenge = SPNEGO_NegTokenResp(challenge)['ResponseToken']
        pairs = ntlm.AV_PAIRS if self.target is None else pairs_naming(self.target)
        with mock.patch.object(ntlm, 'AV_PAIRS', pairs):
            answer, key = ntlm.getNTLMSSPType3(self.negotiate, challenge, self.user, self.password, self.domain)
        self.flags = answer['flags']
        self.sign = [ntlm.SIGNKEY(self.flags, key, who) for who in ('Client', 'Server')]
        seal = [ntlm.SEALKEY(self.flags, key, who) for who in ('Client', 'Server')]
        self.rc4 = [ARC4.new(k).encrypt for k in seal]
        self.sequence = [0, 0]
        token = answer.getData()
        return neg_token_resp(token) if self.spnego else token

    def protect(self, head, stub, trailer):
        sealed = self.rc4[0](stub) if self.level == PRIVACY else stub
        return sealed, self._signature(0, head + stub + trailer)

    def unprotect(self, head, stub, trailer, token):
        plain = self.rc4[1](stub) if self.level == PRIVACY else stub
        if self._signature(1, head + plain + trailer) != token:
            raise RpcError('the server\'s signature is wrong')
        return plain

    def _signature(self, way, message):
        signature = ntlm.MAC(self.flags, self.rc4[way], self.sign[way], self.sequence[way], message)
        self.sequence[way] += 1
        return signature.getData()


class Kerberos:
    """Kerberos, bare (auth_type 16) or inside SPNEGO (9); DCE style, three legs.

    The tickets come from `kinit` and `kvno` through $KRB5CCNAME: impacket's own TGS-REQ has no checksum
    over its body, and current KDCs refuse that (KRB_AP_ERR_INAPP_CKSUM).
    """

    CONF, INTEG, SEQUENCE, REPLAY, MUTUAL, DCE, IDENTIFY = 0x10, 0x20, 0x08, 0x04, 0x02, 0x1000, 0x2000

    def __init__(self, user, realm, spn, level=PRIVACY, context_id=0, spnego=True,
                 mutual=True, add_flags=0):
        self.user, self.realm, self.spn = user, realm, spn
        self.level, self.context_id, self.spnego, self.mutual = level, context_id, spnego, mutual
        self.auth_type = 9 if spnego else 16
        self.auth3 = not spnego
        # `mutual` is about the bit in the AP-REQ alone; the checksum asks for it anyway, because the DCE
        # style of Samba's server needs its AP-REP.
        self.gss_flags = (self.CONF | self.INTEG | self.SEQUENCE | self.REPLAY | self.MUTUAL | self.DCE
                          | add_flags)
        self.sequence = 0

    def first(self):
        me = Principal(self.user, type=constants.PrincipalNameType.NT_PRINCIPAL.value)
        _, _, _, tgs = CCache.parseFile(self.realm, self.user, self.spn)
        if tgs is None:
            raise RpcError(f'no ticket for {self.spn} in $KRB5CCNAME')
        cipher, key, tgs = tgs['cipher'], tgs['sessionKey'], tgs['KDC_REP']
        self.cipher, self.key = cipher, key
        ticket = Ticket()
        ticket.from_asn1(decoder.decode(tgs, asn1Spec=TGS_REP())[0]['ticket'])

        request = AP_REQ()
        request['pvno'] = 5
        request['msg-type'] = int(constants.ApplicationTagNumbers.AP_REQ.value)
        request['ap-options'] = constants.encodeFlags(
            [constants.APOptions.mutual_required.value] if self.mutual else [])
        seq_set(request, 'ticket', ticket.to_asn1)

        sender = Authenticator()
        sender['authenticator-vno'] = 5
        sender['crealm'] = self.realm
        seq_set(sender, 'cname', me.components_to_asn1)
        now = datetime.datetime.utcnow()
        sender['cusec'] = now.microsecond
        sender['ctime'] = KerberosTime.to_asn1(now)
        sender['cksum'] = noValue
        sender['cksum']['cksumtype'] = 0x8003
        sender['cksum']['checksum'] = struct.pack('<L16sL', 16, b'', self.gss_flags)
        sender['seq-number'] = 0
        request['authenticator'] = noValue
        request['authenticator']['etype'] = cipher.enctype
        request['authenticator']['cipher'] = cipher.encrypt(key, 11, encoder.encode(sender), None)

        token = encoder.encode(request)
        if not self.spnego:
            return token
        return neg_token_init(KRB5_OID, der(0x60, KRB5_OID, b'\x01\x00', token))

    def second(self, answer):
        """The AP-REP gives the acceptor's subkey; DCE style answers it with another AP-REP."""
        if self.spnego:
            answer = SPNEGO_NegTokenResp(answer)['ResponseToken']
        reply = decoder.decode(answer, asn1Spec=AP_REP())[0]
        inner = decoder.decode(self.cipher.decrypt(self.key, 12, reply['enc-part']['cipher']),
                               asn1Spec=EncAPRepPart())[0]
        subkey = crypto.Key(int(inner['subkey']['keytype']), inner['subkey']['keyvalue'].asOctets())

        mine = EncAPRepPart()
        now = datetime.datetime.utcnow()
        mine['cusec'] = now.microsecond
        mine['ctime'] = KerberosTime.to_asn1(now)
        mine['seq-number'] = int(inner['seq-number'])
        third = AP_REP()
        third['pvno'] = 5
        third['msg-type'] = int(constants.ApplicationTagNumbers.AP_REP.value)
        third['enc-part'] = noValue
        third['enc-part']['etype'] = self.cipher.enctype
        third['enc-part']['cipher'] = self.cipher.encrypt(self.key, 12, encoder.encode(mine), None)
        self.key = subkey
        self.gss = gssapi.GSSAPI(subkey)
        token = encoder.encode(third)
        # With AES keys Samba's SPNEGO insists on a mechListMIC; it uses up the first sequence number.
        return neg_token_resp(token, self._mic(der(0x30, KRB5_OID))) if self.spnego else token

    def _mic(self, message):
        head = bytes.fromhex('0404' '04' 'ffffffffff') + struct.pack('>Q', self.sequence)
        self.sequence += 1
        return head + self.gss.checkSumProfile.checksum(self.key, gssapi.KG_USAGE_INITIATOR_SIGN, message + head)

    @property
    def token_length(self):
        # impacket pads the stub itself and writes the count as EC; stubs here are multiples of 16.
        return 60 if self.level == PRIVACY else 28

    def protect(self, head, stub, trailer):
        if self.level == PRIVACY:
            sealed, token = self.gss.GSS_Wrap(self.key, stub, self.sequence)
        else:
            sealed, token = stub, self._mic(stub)
            return sealed, token
        self.sequence += 1
        return sealed, token

    def unprotect(self, head, stub, trailer, token):
        if self.level == PRIVACY:
            return self.gss.GSS_Unwrap(self.key, stub, 0, authData=trailer + token)[0]
        return stub


# --- associations ------------------------------------------------------------------------------------

class Association:
    def __init__(self, transport, max_fragment=4280):
        self.transport, self.max_fragment = transport, max_fragment
        self.call_id = 0
        self.contexts = []                      # (presentation context id, interface, syntax)
        self.security = {}                      # auth_context_id -> security context

    def bind(self, presentation, security=None):
        """presentation: list of (context id, interface, syntax). Returns the result codes."""
        return self._negotiate(BIND, BIND_ACK, presentation, security)

    def alter(self, presentation, security=None):
        return self._negotiate(ALTER, ALTER_RESP, presentation, security)

    def _negotiate(self, kind, answer_kind, presentation, security):
        self.call_id += 1
        token = security.first() if security else b''
        body = self._contexts(presentation)
        self._send(kind, body, security, token)
        results, token = self._answer(answer_kind)
        if security:
            token = security.second(token)
            if security.auth3:
                self._send(AUTH3, b'    ', security, token)
            else:
                self._send(ALTER, body, security, token)
                self._answer(ALTER_RESP)
            self.security[security.context_id] = security
        return results

    def _contexts(self, presentation):
        body = struct.pack('<HHLBxxx', self.max_fragment, self.max_fragment, 0, len(presentation))
        for number, (name, major, minor), (syntax, version) in presentation:
            body += struct.pack('<HBx', number, 1) + uuid.UUID(name).bytes_le + struct.pack('<HH', major, minor)
            body += uuid.UUID(syntax).bytes_le + struct.pack('<L', version)
        return body

    def _send(self, kind, body, security=None, token=b''):
        trailer = b''
        if token:
            pad = -(16 + len(body)) % 4
            trailer = b'\0' * pad + struct.pack('<BBBxL', security.auth_type, security.level, pad,
                                                security.context_id) + token
        size = 16 + len(body) + len(trailer)
        self.transport.send(struct.pack('<BBBB4sHHL', 5, 0, kind, 3, b'\x10\0\0\0', size, len(token),
                                        self.call_id) + body + trailer)

    def _answer(self, wanted):
        pdu = self.transport.receive()
        size, auth = struct.unpack_from('<HH', pdu, 8)
        if pdu[2] == FAULT:
            raise RpcError('fault 0x%08x' % struct.unpack_from('<L', pdu, 24)[0])
        if pdu[2] == BIND_NAK:
            raise RpcError('bind_nak, reason %d' % struct.unpack_from('<H', pdu, 16)[0])
        if pdu[2] != wanted:
            raise RpcError(f'PDU type {pdu[2]} instead of {wanted}')
        at = 24
        length, = struct.unpack_from('<H', pdu, at)
        at += 2 + length
        at += -at % 4
        results = [struct.unpack_from('<HH', pdu, at + 4 + 24 * n) for n in range(pdu[at])]
        return results, pdu[size - auth:size] if auth else b''

    def send_call(self, opnum, stub, context=0, auth_context=None):
        """Sends one call in as many fragments as needed; returns its call id."""
        self.call_id += 1
        security = self.security[auth_context] if auth_context is not None else None
        # At level CONNECT the calls carry no trailer: there is nothing to put into it.
        protected = security and security.level in (PKT, INTEGRITY, PRIVACY)
        room = self.max_fragment - 24 - (8 + security.token_length if protected else 0)
        room -= room % 16
        pieces = [stub[n:n + room] for n in range(0, len(stub), room)] or [b'']
        left = len(stub)
        for n, piece in enumerate(pieces):
            flags = (1 if n == 0 else 0) | (2 if n == len(pieces) - 1 else 0)
            pad = -len(piece) % 16 if protected else 0
            size = 24 + len(piece) + pad + (8 + security.token_length if protected else 0)
            head = struct.pack('<BBBB4sHHLLHH', 5, 0, REQUEST, flags, b'\x10\0\0\0', size,
                               security.token_length if protected else 0, self.call_id, left, context, opnum)
            if protected:
                trailer = struct.pack('<BBBxL', security.auth_type, security.level, pad, security.context_id)
                sealed, token = security.protect(head, piece + b'\0' * pad, trailer)
                pdu = head + sealed + trailer + token
            else:
                pdu = head + piece
            self.transport.send(pdu)
            left -= len(piece)
        return self.call_id

    def receive_reply(self):
        """The whole stub of the next reply; a fault raises."""
        stub = b''
        while True:
            pdu = self.transport.receive()
            flags, size, auth = pdu[3], *struct.unpack_from('<HH', pdu, 8)
            if pdu[2] == FAULT:
                raise RpcError('fault 0x%08x' % struct.unpack_from('<L', pdu, 24)[0])
            if pdu[2] != RESPONSE:
                raise RpcError(f'PDU type {pdu[2]}')
            if auth:
                at = size - auth - 8
                trailer, token = pdu[at:at + 8], pdu[at + 8:size]
                _, _, pad, context = struct.unpack('<BBBxL', trailer)
                plain = self.security[context].unprotect(pdu[:24], pdu[24:at], trailer, token)
                stub += plain[:len(plain) - pad]
            else:
                stub += pdu[24:size]
            if flags & 2:
                return stub

    def call(self, opnum, stub, context=0, auth_context=None):
        self.send_call(opnum, stub, context, auth_context)
        return self.receive_reply()


# --- BackuprKey --------------------------------------------------------------------------------------

def pack_request(action, data, parameter=0):
    return (uuid.UUID(action).bytes_le + struct.pack('<L', len(data)) + data + b'\0' * (-len(data) % 4)
            + struct.pack('<LL', len(data), parameter))


def unpack_reply(stub):
    """(data or None, return code)"""
    referent, = struct.unpack_from('<L', stub)
    if referent == 0:
        return None, struct.unpack_from('<L', stub, 8)[0]
    count, = struct.unpack_from('<L', stub, 4)
    after = 8 + count + -count % 4
    length, status = struct.unpack_from('<LL', stub, after)
    if length != count:
        raise RpcError(f'pcbDataOut {length}, array of {count}')
    return stub[8:8 + count], status
