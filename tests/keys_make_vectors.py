#!/usr/bin/python3
"""Makes tests/keys_vectors.h: sealed conversations for keys_context_test.c.

Written from [MS-NLMP], [RFC 4120], [RFC 4121], [RFC 4757], with the ciphers and checksums of pycryptodome and of
impacket.krb5.crypto, so that it shares no code with what it tests. Fixed keys and nonces: the same output every time.
All of it is crafted, but for the vectors real_*: those are tokens and PDUs of captures in test-captures/, opened here with
lab.keytab, and with their subkeys beside them.
Run with Debian's python3, python3-impacket and python3-pycryptodome: tests/keys_make_vectors.py > tests/keys_vectors.h

One conversation is a list of lines, NULL at its end:
    N auth_type
    H header_signing
    T from_client token
    P from_client level header_length body_length token_length pdu plaintext

SPDX-License-Identifier: GPL-2.0-or-later
"""
import binascii
import hashlib
import hmac
import os
import struct
import sys

from Cryptodome.Cipher import AES, ARC4, DES
from Cryptodome.Hash import MD4
from impacket.krb5 import crypto as krb
from impacket.krb5.asn1 import AP_REP, AP_REQ, EncAPRepPart, EncTicketPart
from impacket.krb5.keytab import Keytab
from pyasn1.codec.der import decoder

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'test-captures')
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lens import read_pcap  # noqa: E402

UNICODE, OEM, SIGN, SEAL, NTLM, ANONYMOUS = 1, 2, 0x10, 0x20, 0x200, 0x800
ESS, B128, KEY_EXCH, B56 = 0x80000, 0x20000000, 0x40000000, 0x80000000
CHALLENGE = bytes.fromhex('0123456789abcdef')
CONNECT, PKT, INTEGRITY, PRIVACY = 2, 4, 5, 6


def md5(data):
    return hashlib.md5(data).digest()


def hmac_md5(key, data):
    return hmac.new(key, data, hashlib.md5).digest()


def md4(data):
    return MD4.new(data).digest()


def header(from_client, body, token):
    """A request's or a response's header, 24 octets."""
    kind = 0 if from_client else 2
    return struct.pack('<BBBBIHHIIHH', 5, 0, kind, 3, 0x10, 24 + body + 8 + token, token, 1, body, 0, 0)


def text(number, length):
    """A plaintext that differs with its number."""
    return bytes((number * 7 + i) & 0xff for i in range(length))


class Script:
    def __init__(self, name, auth_type, signing=True):
        self.name, self.auth_type = name, auth_type
        self.lines = ['N %d' % auth_type, 'H %d' % signing]

    def token(self, from_client, data):
        self.lines.append('T %d %s' % (from_client, data.hex()))

    def pdu(self, from_client, level, number, length, protect, token_length):
        """protect(header, body, trailer) -> (body as sent, token)"""
        body = text(number, length)
        head = header(from_client, length, token_length)
        trailer = struct.pack('<BBBBI', self.auth_type, level, 0, 0, 0)
        sent, token = protect(head, body, trailer)
        assert len(token) == token_length and len(sent) == length, (self.name, len(token))
        self.lines.append('P %d %d 24 %d %d %s %s' % (from_client, level, length, token_length,
                                                     (head + sent + trailer + token).hex(), body.hex()))

    def print(self):
        print('static const char *const vector_%s[] = {' % self.name)
        for line in self.lines:
            pieces = [line[i:i + 110] for i in range(0, len(line), 110)]
            quoted = '\n     '.join('"%s"' % piece for piece in pieces)
            print('    (%s),' % quoted if pieces[1:] else '    %s,' % quoted)
        print('    NULL\n};\n')


# ---- NTLM ----

def desl(key, data):
    out = b''
    for part in (key[:7], key[7:14], (key[14:] + bytes(5))[:7]):
        bits = int.from_bytes(part, 'big')
        spread = bytes(((bits >> (49 - 7 * i)) & 0x7f) << 1 for i in range(8))
        out += DES.new(spread, DES.MODE_ECB).encrypt(data)
    return out


class Ntlm:
    def __init__(self, name, flags, user='alice', domain='CORP', password='Sesam!', version=2, spnego=None, shared=True,
                 body_only=False, with_mic=True, target='host/dc', constant=False):
        self.target, self.constant = target, constant
        self.flags, self.version, self.shared, self.body_only = flags, version, shared, body_only
        self.spnego = spnego
        self.script = Script(name, 9 if spnego else 10)
        encoding = 'utf-16le' if flags & UNICODE else 'latin-1'
        nt = md4(password.encode('utf-16le'))
        negotiate = b'NTLMSSP\0' + struct.pack('<II', 1, flags) + bytes(16)
        challenge = (b'NTLMSSP\0' + struct.pack('<IHHII', 2, 0, 0, 56, flags) + CHALLENGE + bytes(8)
                     + struct.pack('<HHI', 0, 0, 56) + bytes(8))
        mic = version == 2 and with_mic
        lm, response, key = self.respond(nt, user, domain, mic)
        exported = bytes(range(0x40, 0x50)) if flags & KEY_EXCH else key
        sent_key = ARC4.new(key).encrypt(exported) if flags & KEY_EXCH else b''
        fields, payload = b'', b''
        for value in (lm, response, domain.encode(encoding), user.encode(encoding), b'', sent_key):
            fields += struct.pack('<HHI', len(value), len(value), 88 + len(payload))
            payload += value
        parts = [b'NTLMSSP\0' + struct.pack('<I', 3) + fields + struct.pack('<I', flags) + bytes(8), bytes(16), payload]
        if mic:
            parts[1] = hmac_md5(exported, negotiate + challenge + b''.join(parts))
        self.send_legs(negotiate, challenge, b''.join(parts))
        self.start(exported)

    def respond(self, nt, user, domain, mic):
        nonce = b'\xaa' * 8
        if self.version == 0:
            return b'\0', b'', bytes(16)
        if self.version == 1:
            base = md4(nt)
            if self.flags & ESS:
                return (nonce + bytes(16), desl(nt, md5(CHALLENGE + nonce)[:8]), hmac_md5(base, CHALLENGE + nonce))
            return bytes(24), desl(nt, CHALLENGE), base
        pairs = struct.pack('<HHI', 6, 4, 2) if mic else b''
        target = self.target.encode('utf-16le')
        pairs += struct.pack('<HH', 9, len(target)) + target + bytes(4)
        temp = b'\1\1' + bytes(6) + bytes(8) + nonce + bytes(4) + pairs + bytes(4)
        capitals = ''.join(c.upper() if len(c.upper()) == 1 else c for c in user)  # octet for octet, as Windows does it
        owf = hmac_md5(nt, (capitals + domain).encode('utf-16le'))
        proof = hmac_md5(owf, CHALLENGE + temp)
        return bytes(24), proof + temp, hmac_md5(owf, proof)

    def send_legs(self, negotiate, challenge, authenticate):
        if not self.spnego:
            for from_client, leg in ((1, negotiate), (0, challenge), (1, authenticate)):
                self.script.token(from_client, leg)
            return
        oid = bytes.fromhex('060a2b06010401823702020a')
        mic = der(4, bytes(16))
        self.script.token(1, neg_init(oid, negotiate))
        self.script.token(0, neg_resp((0, der(0x0a, b'\1')), (1, oid), (2, der(4, challenge))))
        self.script.token(1, neg_resp((2, der(4, authenticate)), (3, mic)))
        self.script.token(0, neg_resp((0, der(0x0a, b'\0')), (3, mic)))

    def start(self, exported):
        strength = 16 if self.flags & B128 else 7 if self.flags & B56 else 5
        self.sign, self.seal, self.number = {}, {}, {0: 0, 1: 0}
        for way, words in ((1, b'client-to-server'), (0, b'server-to-client')):
            ends = b' key magic constant\0'
            self.sign[way] = md5(exported + b'session key to ' + words + b' signing' + ends)
            key = md5(exported[:strength] + b'session key to ' + words + b' sealing' + ends)
            self.seal[way] = ARC4.new(key if self.flags & ESS else exported)
            if self.spnego:
                self.number[way] = 1
                if self.spnego == 'goes on':
                    self.seal[way].encrypt(bytes(8))
        if not self.flags & ESS and self.shared:
            self.seal[0] = self.seal[1]

    def protect(self, from_client, level):
        def work(head, body, trailer):
            if self.constant:
                return body, struct.pack('<I', 1) + bytes(12)
            way = from_client if self.flags & ESS or not self.shared else 1
            number = struct.pack('<I', self.number[way])
            self.number[way] += 1
            rc4 = self.seal[way]
            sent = rc4.encrypt(body) if level == PRIVACY else body
            signed = body if self.body_only else head + body + trailer
            if self.flags & ESS:
                check = hmac_md5(self.sign[way], number + signed)[:8]
                return sent, struct.pack('<I', 1) + (rc4.encrypt(check) if self.flags & KEY_EXCH else check) + number
            check = struct.pack('<I', binascii.crc32(signed))
            return sent, struct.pack('<I', 1) + rc4.encrypt(bytes(4) + check + number)
        return work

    def talk(self, level=PRIVACY):
        for number, (from_client, length) in enumerate(((1, 48), (0, 16), (1, 0), (1, 600), (0, 96), (1, 32), (0, 64))):
            self.script.pdu(from_client, level, number, length, self.protect(from_client, level), 16)
        self.script.print()


# ---- DER ----

def der(tag_octet, value):
    n = len(value)
    size = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82, n >> 8, n & 255])
    return bytes([tag_octet]) + size + value


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, 'big'))


def sequence(*elements):
    """elements: (context tag, value)"""
    return der(0x30, b''.join(der(0xa0 + number, value) for number, value in elements))


def neg_init(oid, token):
    value = der(0xa0, sequence((0, der(0x30, oid)), (2, der(4, token))))
    return der(0x60, bytes.fromhex('06062b0601050502') + value)


def neg_resp(*elements):
    return der(0xa1, sequence(*elements))


def general(value):
    return der(0x1b, value.encode())


def principal(kind, *names):
    return sequence((0, integer(kind)), (1, der(0x30, b''.join(general(name) for name in names))))


def enc_key(etype, key):
    return sequence((0, integer(etype)), (1, der(4, key)))


TIME = der(0x18, b'20260101000000Z')
REALM = 'CORP.EXAMPLE'
KRB_OID = bytes.fromhex('06092a864886f712010202')

# ---- Kerberos ----


class Sha2:
    """[RFC 8009], for the two types that impacket does not have."""

    def __init__(self, etype):
        self.hash, self.mac, self.size = ((hashlib.sha256, 16, 16), (hashlib.sha384, 24, 32))[etype - 19]

    def derive(self, key, usage, kind):
        bits = 8 * (self.size if kind == 0xaa else self.mac)
        block = struct.pack('>IIBBI', 1, usage, kind, 0, bits)
        return hmac.new(key, block, self.hash).digest()[:bits // 8]

    def cts(self, key, usage, plain):
        """CBC-CS3 with a zero vector; by AES alone, for at least one block and a bit."""
        padded = plain + bytes(-len(plain) % 16)
        cipher = AES.new(self.derive(key, usage, 0xaa), AES.MODE_CBC, bytes(16)).encrypt(padded)
        if len(padded) == 16:
            return cipher
        return cipher[:-32] + cipher[-16:] + cipher[-32:-16][:len(plain) - len(padded) + 16]

    def sign(self, key, usage, kind, data):
        return hmac.new(self.derive(key, usage, kind), data, self.hash).digest()[:self.mac]

    def encrypt(self, key, usage, plain, confounder):
        cipher = self.cts(key, usage, confounder + plain)
        return cipher + self.sign(key, usage, 0x55, bytes(16) + cipher)


class Krb:
    def __init__(self, name, etype, signing=True, framing='spnego', ap_rep=True, acceptor=True, signed_header=None,
                 user_to_user=False, constant=False):
        self.constant = constant
        size = {17: 16, 18: 32, 19: 16, 20: 32, 23: 16}[etype]
        self.etype, self.signing = etype, signing if signed_header is None else signed_header
        self.script = Script(name, 9 if framing == 'spnego' else 16, signing)
        service, session, initiator, self.acceptor = (bytes((base + i) & 0xff for i in range(size))
                                                      for base in (0x10, 0x50, 0x90, 0xd0))
        self.key = self.acceptor if acceptor else initiator
        self.with_acceptor, self.number = acceptor, {0: 1000, 1: 2000}
        ticket_part = der(0x63, sequence(
            (0, der(3, bytes(5))), (1, enc_key(etype, session)), (2, general(REALM)), (3, principal(1, 'alice')),
            (4, sequence((0, integer(1)), (1, der(4, b'')))), (5, TIME), (7, TIME)))
        checksum = struct.pack('<I', 16) + bytes(16) + struct.pack('<I', 0x1000 | 0x3e)
        authenticator = der(0x62, sequence(
            (0, integer(5)), (1, general(REALM)), (2, principal(1, 'alice')),
            (3, sequence((0, integer(0x8003)), (1, der(4, checksum)))), (4, integer(1)), (5, TIME),
            (6, enc_key(etype, initiator)), (7, integer(2000))))
        ticket = der(0x61, sequence(
            (0, integer(5)), (1, general(REALM)), (2, principal(2, 'cifs', 'dc.corp.example')),
            (3, self.encrypted(service, 2, ticket_part, kvno=3))))
        ap_req = der(0x6e, sequence(
            (0, integer(5)), (1, integer(14)), (2, der(3, bytes([0, 0x60 if user_to_user else 0x20, 0, 0, 0]))), (3, ticket),
            (4, self.encrypted(session, 11, authenticator))))
        subkey = [(2, enc_key(etype, self.acceptor))] if acceptor else []
        part = der(0x7b, sequence((0, TIME), (1, integer(1)), *subkey, (3, integer(1000))))
        answer = der(0x6f, sequence((0, integer(5)), (1, integer(15)), (2, self.encrypted(session, 12, part))))
        self.send_legs(ap_req, answer, framing, ap_rep)

    def encrypted(self, key, usage, plain, kvno=None):
        confounder = bytes(range(0x30, 0x40 if self.etype != 23 else 0x38))
        if self.etype in (19, 20):
            cipher = Sha2(self.etype).encrypt(key, usage, plain, confounder)
        else:
            cipher = krb.encrypt(krb.Key(self.etype, key), usage, plain, confounder)
        return sequence((0, integer(self.etype)), *([(1, integer(kvno))] if kvno else []), (2, der(4, cipher)))

    def send_legs(self, ap_req, answer, framing, ap_rep):
        if framing == 'spnego':
            framed = der(0x60, KRB_OID + b'\1\0' + ap_req)
            self.script.token(1, neg_init(KRB_OID, framed))
            answer = neg_resp((0, der(0x0a, b'\1')), (1, KRB_OID), (2, der(4, answer)))
        else:
            self.script.token(1, ap_req)
        if ap_rep:
            self.script.token(0, answer)

    def derived(self, usage, kind):
        profile = krb._AES128CTS if self.etype == 17 else krb._AES256CTS
        return profile, profile.derive(krb.Key(self.etype, self.key), struct.pack('>IB', usage, kind))

    def signed(self, head, body, trailer):
        return head + body + trailer if self.signing else body

    def aes_seal(self, from_client, head, body, trailer):
        usage, flags = (24, 2) if from_client else (22, 3)
        flags |= 4 if self.with_acceptor else 0
        number = struct.pack('>Q', self.number[from_client])
        mac = {17: 12, 18: 12, 19: 16, 20: 24}[self.etype]
        clear = bytes([5, 4, flags, 0xff, 0, 16, 0, 16 + mac]) + number
        copy = bytes([5, 4, flags, 0xff, 0, 16, 0, 0]) + number
        confounder, filler = bytes(range(0x60, 0x70)), bytes(16)
        if self.etype in (19, 20):
            sha2 = Sha2(self.etype)
            cipher = sha2.cts(self.key, usage, confounder + body + filler + copy)
            inside, behind = cipher[16:16 + len(body)], cipher[16 + len(body):]
            signed = bytes(16) + cipher[:16] + self.signed(head, inside, trailer) + behind
            whole = cipher + sha2.sign(self.key, usage, 0x55, signed)
            turned = whole[-32 - mac:] + whole[:-32 - mac]
            return turned[48 + mac:], clear + turned[:48 + mac]
        profile, ke = self.derived(usage, 0xaa)
        cipher = profile.basic_encrypt(ke, confounder + body + filler + copy)
        _, ki = self.derived(usage, 0x55)
        signed = confounder + self.signed(head, body, trailer) + filler + copy
        whole = cipher + hmac.new(ki.contents, signed, hashlib.sha1).digest()[:12]
        turned = whole[-44:] + whole[:-44]
        return turned[60:], clear + turned[:60]

    def aes_sign(self, from_client, head, body, trailer):
        flags = (0 if from_client else 1) | (4 if self.with_acceptor else 0)
        clear = bytes([4, 4, flags, 0xff, 0xff, 0xff, 0xff, 0xff]) + struct.pack('>Q', self.number[from_client])
        usage = 25 if from_client else 23
        if self.constant:
            return body, clear + bytes(12)
        if self.etype in (19, 20):
            return body, clear + Sha2(self.etype).sign(self.key, usage, 0x99, self.signed(head, body, trailer) + clear)
        _, kc = self.derived(usage, 0x99)
        return body, clear + hmac.new(kc.contents, self.signed(head, body, trailer) + clear, hashlib.sha1).digest()[:12]

    def rc4(self, from_client, level, head, body, trailer):
        sealed = level == PRIVACY
        first = bytes.fromhex('020111001000ffff' if sealed else '01011100ffffffff')
        confounder = bytes(range(8)) if sealed else b''
        usage = struct.pack('<I', 13 if sealed else 15)
        sign = hmac_md5(self.key, b'signaturekey\0')
        check = hmac_md5(sign, md5(usage + first + confounder + self.signed(head, body, trailer)))[:8]
        number = struct.pack('>I', self.number[from_client])
        local = bytes(octet ^ 0xf0 for octet in self.key)
        stream = ARC4.new(hmac_md5(hmac_md5(local, bytes(4)), number))
        sent = stream.encrypt(confounder + body) if sealed else body
        sequence_key = hmac_md5(hmac_md5(self.key, bytes(4)), check)
        hidden = ARC4.new(sequence_key).encrypt(number + (bytes(4) if from_client else b'\xff' * 4))
        inner = KRB_OID + first + hidden + check + sent[:len(confounder)]
        return sent[len(confounder):], der(0x60, inner)

    def protect(self, from_client, level):
        def work(*pieces):
            self.number[from_client] += 1
            if self.etype == 23:
                return self.rc4(from_client, level, *pieces)
            return self.aes_seal(from_client, *pieces) if level == PRIVACY else self.aes_sign(from_client, *pieces)
        return work

    def talk(self, level=PRIVACY):
        mac = {19: 16, 20: 24}.get(self.etype, 12)
        size = (45 if level == PRIVACY else 37) if self.etype == 23 else (64 if level == PRIVACY else 16) + mac
        for number, (from_client, length) in enumerate(((1, 48), (0, 16), (1, 16), (1, 600), (0, 96))):
            self.script.pdu(from_client, level, number, length, self.protect(from_client, level), size)
        self.script.print()


# ---- real ones ----

class Real:
    """The longest TCP association of a committed capture, auth type 16: its tokens, its sealed PDUs, and its subkey."""

    def __init__(self, name, capture):
        self.name, self.pieces, self.found = name, {}, []
        for _, _, packet, _ in read_pcap(os.path.join(CAPTURES, capture + '.pcap')):
            self.segment(packet)
        self.script, self.key = max(self.found, key=lambda found: len(found[0].lines))
        octets = self.key.contents
        print('static const uint8_t subkey_%s[%d] = {%s};' % (name, len(octets), ', '.join(map(str, octets))))
        self.script.print()

    def segment(self, packet):
        tcp = packet[34:]
        data = tcp[4 * (tcp[12] >> 4):struct.unpack_from('>H', packet, 16)[0] - 20]
        flow = packet[26:34] + tcp[:4]
        if data[:2] == b'\5\0' or self.pieces.get(flow):
            whole = self.pieces.get(flow, b'') + data
            while len(whole) >= 16 and len(whole) >= struct.unpack_from('<H', whole, 8)[0]:
                size = struct.unpack_from('<H', whole, 8)[0]
                self.pdu(flow, whole[:size])
                whole = whole[size:]
            self.pieces[flow] = whole

    def pdu(self, flow, pdu):
        size, length = struct.unpack_from('<HH', pdu, 8)
        if not length or pdu[size - length - 8] != 16:
            return
        token, from_client = pdu[size - length:], pdu[2] in (0, 11, 14, 16)
        if pdu[2] in (0, 2):
            self.sealed(pdu, from_client, token)
            return
        if token[0] == 0x6e:
            self.script = Script(self.name, 16)
            self.open_request(token)
        elif token[0] == 0x6f and not from_client:
            reply = decoder.decode(token, asn1Spec=AP_REP())[0]
            part = decoder.decode(self.decrypt(self.session, 12, reply['enc-part']), asn1Spec=EncAPRepPart())[0]
            self.key = krb.Key(int(part['subkey']['keytype']), part['subkey']['keyvalue'].asOctets())
            self.found.append((self.script, self.key))
        self.script.token(from_client, token)

    @staticmethod
    def decrypt(key, usage, sealed):
        return krb.decrypt(key, usage, sealed['cipher'].asOctets())

    def open_request(self, token):
        sealed = decoder.decode(token, asn1Spec=AP_REQ())[0]['ticket']['enc-part']
        for entry in Keytab.loadFile(os.path.join(CAPTURES, 'lab.keytab')).entries:
            block = entry.main_part['keyblock']
            if b'DC$' in entry.main_part['principal'].prettyPrint() and block['keytype'] == int(sealed['etype']):
                service = krb.Key(block['keytype'], block['keyvalue']['data'])
        ticket = decoder.decode(self.decrypt(service, 2, sealed), asn1Spec=EncTicketPart())[0]
        self.session = krb.Key(int(ticket['key']['keytype']), ticket['key']['keyvalue'].asOctets())

    def sealed(self, pdu, from_client, token):
        at = len(pdu) - len(token) - 8
        body = self.plain(pdu[24:at], from_client, token)
        self.script.lines.append('P %d 6 24 %d %d %s %s' % (from_client, at - 24, len(token), pdu.hex(), body.hex()))

    def plain(self, body, from_client, token):
        if self.key.enctype == 23:
            check, confounder = token[29:37], token[37:45]
            number = ARC4.new(hmac_md5(hmac_md5(self.key.contents, bytes(4)), check)).decrypt(token[21:29])[:4]
            local = bytes(octet ^ 0xf0 for octet in self.key.contents)
            return ARC4.new(hmac_md5(hmac_md5(local, bytes(4)), number)).decrypt(confounder + body)[8:]
        profile = krb._AES128CTS if self.key.enctype == 17 else krb._AES256CTS
        ke = profile.derive(self.key, struct.pack('>IB', 24 if from_client else 22, 0xaa))
        rest = token[16:] + body
        turn = sum(struct.unpack_from('>HH', token, 4)) % len(rest)
        rest = rest[turn:] + rest[:turn]
        return profile.basic_decrypt(ke, rest[:-12])[16:16 + len(body)]


print('/* keys_vectors.h - sealed conversations, made by keys_make_vectors.py, which says how; not for editing.\n'
      ' * SPDX-License-Identifier: GPL-2.0-or-later */\n#include <stdint.h>\n')
USUAL = UNICODE | SIGN | SEAL | NTLM
FULL = USUAL | ESS | B128 | KEY_EXCH
Ntlm('ntlm_v2', FULL).talk()
Ntlm('ntlm_v2_joerg', FULL, user='jörg', domain='Größe', password='Zauberwort ß').talk()
Ntlm('ntlm_v2_oem', FULL & ~UNICODE | OEM, user='jörg').talk()
Ntlm('ntlm_v2_no_mic', FULL, with_mic=False).talk()
Ntlm('ntlm_v2_no_key_exch', FULL & ~KEY_EXCH).talk()
Ntlm('ntlm_v2_sign_no_key_exch', FULL & ~KEY_EXCH).talk(INTEGRITY)
Ntlm('ntlm_machine', FULL, user='DC1$').talk()
Ntlm('ntlm_v2_56', FULL & ~B128 | B56).talk()
Ntlm('ntlm_v2_40', FULL & ~B128).talk()
Ntlm('ntlm_v2_sign', FULL).talk(INTEGRITY)
Ntlm('ntlm_v2_pkt', FULL).talk(PKT)
Ntlm('ntlm_v2_body_only', FULL, body_only=True).talk()
Ntlm('ntlm_v2_spnego_restart', FULL, spnego='restarts').talk()
Ntlm('ntlm_v2_spnego_goes_on', FULL, spnego='goes on').talk()
Ntlm('ntlm_v1_ess', FULL, version=1).talk()
Ntlm('ntlm_v1_shared', FULL & ~ESS, version=1).talk()
Ntlm('ntlm_v1_separate', FULL & ~ESS, version=1, shared=False).talk()
Ntlm('ntlm_v1_no_key_exch', USUAL, version=1).talk()
Ntlm('ntlm_anonymous', FULL | ANONYMOUS, user='', domain='', version=0).talk()
Ntlm('ntlm_connect', FULL).talk(CONNECT)
Ntlm('ntlm_connect_constant', FULL, constant=True).talk(CONNECT)
Ntlm('ntlm_long_response', FULL, target='host/' + 'long' * 100 + '.corp.example').talk()
Ntlm('ntlm_cyrillic', FULL, user='жора', domain='Край', password='Пароль').talk()
Ntlm('ntlm_polish', FULL, user='żółć', domain='ŁĄKA', password='gęś').talk()
Ntlm('ntlm_one_to_one', FULL, user='straßenŋÿ', domain='corp').talk()
Krb('krb_aes256', 18).talk()
Krb('krb_aes256_body_only', 18, signing=False).talk()
Krb('krb_aes256_unlike_negotiated', 18, signing=True, signed_header=False).talk()
Krb('krb_aes128_bare', 17, framing='bare').talk()
Krb('krb_aes256_initiator', 18, acceptor=False).talk()
Krb('krb_aes256_no_ap_rep', 18, ap_rep=False).talk()
Krb('krb_aes256_two_legs', 18, acceptor=False, ap_rep=False).talk()
Krb('krb_aes256_sign', 18).talk(INTEGRITY)
Krb('krb_aes256_pkt', 18).talk(PKT)
Krb('krb_aes128_sign_body', 17, signing=False).talk(INTEGRITY)
Krb('krb_rc4', 23).talk()
Krb('krb_rc4_sign', 23).talk(INTEGRITY)
Krb('krb_aes128_sha2', 19).talk()
Krb('krb_aes256_sha2', 20).talk()
Krb('krb_aes256_sha2_body_only', 20, signing=False).talk()
Krb('krb_aes128_sha2_sign', 19).talk(INTEGRITY)
Krb('krb_aes256_sha2_sign', 20).talk(INTEGRITY)
Krb('krb_connect', 18).talk(CONNECT)
Krb('krb_connect_constant', 18, constant=True).talk(CONNECT)
Krb('krb_user_to_user', 18, user_to_user=True).talk()
Real('real_aes128', 'bkrp-krb5-aes128')
Real('real_rc4', 'bkrp-krb5-rc4')
