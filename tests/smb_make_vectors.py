#!/usr/bin/python3
"""Makes tests/smb_vectors.h: how SMB sessions of captures in test-captures/ are set up, and their keys, for smb_session_test.c.

The messages are real. The keys are computed here from lab.passwords.txt and lab.keytab, as [MS-NLMP] 3.3.2, [RFC 4120], [MS-SMB2]
3.1.4.2 and 3.3.5.5 have it, with hashlib, pycryptodome and impacket.krb5, so that nothing is shared with what is tested.
Run with Debian's python3, python3-impacket and python3-pycryptodome: tests/smb_make_vectors.py > tests/smb_vectors.h

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import hmac
import os
import struct
import sys

from Cryptodome.Cipher import ARC4
from Cryptodome.Hash import MD4
from impacket.krb5 import crypto as krb
from impacket.krb5.asn1 import AP_REP, AP_REQ, EncAPRepPart, EncTicketPart
from impacket.krb5.keytab import Keytab
from pyasn1.codec.der import decoder

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURES = os.path.join(HERE, os.pardir, 'test-captures')
sys.path.insert(0, HERE)
from lens import smb_messages  # noqa: E402

USER, DOMAIN, PASSWORD = 'Administrator', 'CORP', 'Lab-Admin-2026!'
NEGOTIATE, SESSION_SETUP = 0, 1
SMB1_RESPONSE, SMB1_TREE_CONNECT_ANDX = 0x80, 0x75
# SSKeyHash, [MS-SMB] 2.2.2.5
SS_KEY_HASH = b'Security Signature Key Upgrade' + bytes.fromhex(
    '79076e282e698810b3db015572fb7414fbc4c5af3b41653217baa32908c1de16617e6698a40bfe0683534d05df6da7511073c550dc5ef821'
    '46aa961433d752ebaf1fbf366cfcb71d211981d06bfa77adbe1878cf10bdd878f7d3c6df433219d39ba84d9eaa41afcbc6b934e74825d488'
    'c4516038d962e88d5b83927fb50e1c2d0691c375b3ccf8f792910b3da1105bd50fa83f5d13830a6b72931459d5abde26156d606771066e3d'
    '0da7cb70e9085c99fa0a5f3d44a38bc08ddae268d00dcd7f3df8737e357f07020ab5e9b787fba1bfcb323166094888cc18a3b21f1f1b904e'
    'd7e1')
CAPTURE_NAMES = [('np_sign', 'bkrp-np-sign'), ('np_krb5', 'bkrp-np-krb5'), ('smb202', 'bkrp-smb202'),
                 ('smb300_ntlm', 'bkrp-smb300-encrypted-ntlm'), ('smb300_krb5', 'bkrp-smb300-encrypted-krb5')]


def command(message):
    return struct.unpack_from('<H', message, 12)[0]


def status(message):
    return struct.unpack_from('<I', message, 8)[0]


def set_up(path):
    """The first session's set-up, and the next message that is signed, if there is one."""
    taken, done = [], False
    for from_client, message in smb_messages(path, b'\xfeSMB'):
        if command(message) in (NEGOTIATE, SESSION_SETUP) and not done:
            taken.append((from_client, message))
            done = command(message) == SESSION_SETUP and not from_client and status(message) == 0
        elif done:
            return taken, message if message[16] & 8 else b''
    return taken, b''


def set_up_smb1(path):
    """The first session's set-up, and the answer to its share connection."""
    taken = []
    for from_client, message in smb_messages(path, b'\xffSMB'):
        taken.append((from_client, message))
        if message[4] == SMB1_TREE_CONNECT_ANDX and message[9] & SMB1_RESPONSE:
            return taken
    raise AssertionError('no share connection')


def ntlm_key(messages):
    """ExportedSessionKey with NTLMv2 and key exchange."""
    authenticate = next(m[m.index(b'NTLMSSP\0\3'):] for c, m in messages if c and b'NTLMSSP\0\3' in m)
    challenge = next(m[m.index(b'NTLMSSP\0\2'):] for c, m in messages if not c and b'NTLMSSP\0\2' in m)
    length, _, at = struct.unpack_from('<HHI', authenticate, 20)
    response = authenticate[at:at + length]
    _, _, at = struct.unpack_from('<HHI', authenticate, 52)
    owner = hmac.new(MD4.new(PASSWORD.encode('utf-16-le')).digest(), (USER.upper() + DOMAIN).encode('utf-16-le'), hashlib.md5)
    assert hmac.new(owner.digest(), challenge[24:32] + response[16:], hashlib.md5).digest() == response[:16]
    base = hmac.new(owner.digest(), response[:16], hashlib.md5).digest()
    return ARC4.new(base).decrypt(authenticate[at:at + 16])


def asn1(octets, tag, spec):
    """The first DER value of that tag within the octets that is a Kerberos message of version 5."""
    at = -1
    while True:
        at = octets.index(bytes([tag, 0x82 if tag == 0x6e else 0x81]), at + 1)
        try:
            return decoder.decode(octets[at:], asn1Spec=spec)[0]
        except Exception:  # another place
            continue


def decrypt(key, usage, data):
    return krb._enctype_table[key.enctype].decrypt(key, usage, data.asOctets())


def krb_key(messages):
    """The acceptor's subkey, its first 16 octets."""
    request = asn1(next(m for c, m in messages if c and command(m) == SESSION_SETUP), 0x6e, AP_REQ())
    ticket = request['ticket']['enc-part']
    for entry in Keytab.loadFile(os.path.join(CAPTURES, 'lab.keytab')).entries:
        key = entry.main_part['keyblock']
        if key['keytype'] != int(ticket['etype']):
            continue
        try:
            plain = decrypt(krb.Key(key['keytype'], key['keyvalue']['data']), 2, ticket['cipher'])
        except Exception:  # another account's
            continue
        session = decoder.decode(plain, asn1Spec=EncTicketPart())[0]['key']
        reply = asn1(next(m for c, m in messages if not c and command(m) == SESSION_SETUP), 0x6f, AP_REP())
        plain = decrypt(krb.Key(int(session['keytype']), session['keyvalue'].asOctets()), 12, reply['enc-part']['cipher'])
        subkey = decoder.decode(plain, asn1Spec=EncAPRepPart())[0]['subkey']['keyvalue'].asOctets()
        return subkey[:16], b'%s:%s' % (b'*', key_text(key))
    raise AssertionError('no key')


def key_text(key):
    names = {17: b'aes128-cts-hmac-sha1-96', 18: b'aes256-cts-hmac-sha1-96', 23: b'rc4-hmac'}
    return names[key['keytype']] + b':' + key['keyvalue']['data'].hex().encode()


def kdf(key, label, context):
    return hmac.new(key, b'\0\0\0\1' + label + b'\0' + context + b'\0\0\0\x80', hashlib.sha256).digest()[:16]


def application_key(messages, key):
    dialect = struct.unpack_from('<H', next(m for c, m in messages if not c and command(m) == NEGOTIATE), 68)[0]
    if dialect < 0x300:
        return None
    if dialect < 0x311:
        return kdf(key, b'SMB2APP\0', b'SmbRpc\0')
    value = bytes(64)
    for _, message in messages[:-1]:
        value = hashlib.sha512(value + message).digest()
    return kdf(key, b'SMBAppKey\0', value)


def c_hex(octets):
    digits = octets.hex()
    return '\n     '.join('"%s"' % digits[i:i + 120] for i in range(0, len(digits), 120)) or '""'


def show(capture, keys, session_key, application, following, found):
    print('    {"%s", "%s",\n     "%s", %s,\n     %s,' % (capture, keys, session_key.hex(),
                                                        '"%s"' % application.hex() if application else 'NULL', c_hex(following)))
    print('     {%s, NULL}}' % ',\n      '.join('"%s"\n     %s' % ('C' if c else 'S', c_hex(m)) for c, m in found), end='')


print("""/* smb_vectors.h - made by smb_make_vectors.py of captures in test-captures/: SMB sessions being set up, and their keys.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SMB_VECTORS_H
#define SMB_VECTORS_H

/* Messages, each with its sender ('C' or 'S') in front; NULL at their end. */
typedef struct {
    const char *name;
    const char *keys;        /* as in a key file */
    const char *session_key; /* Session.SessionKey */
    const char *application; /* Session.ApplicationKey; NULL below dialect 3.0. SMB1: the protected Session.SessionKey */
    const char *next;        /* a message after the set-up that is signed; "": none is */
    const char *messages[10];
} smb_vector;

static const smb_vector smb_vectors[] = {""")
for name, capture in CAPTURE_NAMES:
    found, following = set_up(os.path.join(CAPTURES, capture + '.pcap'))
    if b'NTLMSSP' in b''.join(m for _, m in found[2:]):
        exported, keys = ntlm_key(found), b'%s\\\\%s:%s' % (DOMAIN.encode(), USER.encode(), PASSWORD.encode())
    else:
        exported, keys = krb_key(found)
    application = application_key(found, exported)
    show(capture, keys.decode(), exported, application, following, found)
    print(',')
print('};\n\nstatic const smb_vector smb1_vector =')
found = set_up_smb1(os.path.join(CAPTURES, 'bkrp-smb1.pcap'))
exported = ntlm_key(found)
keys = '%s\\\\%s:%s' % (DOMAIN, USER, PASSWORD)
show('bkrp-smb1', keys, exported, hmac.new(exported, SS_KEY_HASH, hashlib.md5).digest(), b'', found)
print(';\n\n#endif')
