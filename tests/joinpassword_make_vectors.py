#!/usr/bin/python3
"""Makes tests/joinpassword_vectors.h: sealed passwords for joinpassword_test.c.

Written from [MS-WKST] v32.0, 2.2.5.17 to 2.2.5.19, with hashlib's and pycryptodome's primitives, so that it shares no code with
what it tests. Fixed keys and salts: the same output every time. All of it is crafted.
Run with Debian's python3 and python3-pycryptodome: tests/joinpassword_make_vectors.py > tests/joinpassword_vectors.h

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import hmac
import struct

from Cryptodome.Cipher import AES, ARC4

KEY = bytes(range(0x30, 0x40))
OBFUSCATOR = bytes.fromhex('0123456789abcdef')
SALT = bytes(range(0xa0, 0xb0))
SNOWMAN = 'gr\u00fc\u00dfe \u2603 \U0001f511'


def encode(password, seed):
    """2.2.5.18.1, forwards: each octet is chained to the one before it."""
    octets = bytearray(struct.pack('<H', seed) + password.encode('utf-16-le') + b'\0\0')
    last = len(octets) - 3
    if last >= 2:
        octets[2] ^= seed | 0x43
        for i in range(3, last + 1):
            octets[i] ^= octets[i - 1] ^ seed
    return bytes(octets)


def filler(length):
    return bytes((7 * i + 1) & 0xff for i in range(length))


def rc4(text, length=None):
    """2.2.5.18.2 and 2.2.5.18.3; `length`: what is claimed."""
    plain = filler(512 - len(text)) + text + struct.pack('<I', len(text) if length is None else length)
    return OBFUSCATOR + ARC4.new(hashlib.md5(KEY + OBFUSCATOR).digest()).encrypt(plain)


def aes(text, order='cipher first', width=1, length=None):
    """2.2.5.19: AuthData, Salt, Cipher."""
    def derive(name):
        return hmac.new(KEY, b'Microsoft WKST %s key AEAD-AES-256-CBC-HMAC-SHA512 16\0' % name, hashlib.sha512).digest()
    plain = struct.pack('<I', len(text) if length is None else length) + text
    pad = 16 - len(plain) % 16
    cipher = AES.new(derive(b'encryption')[:32], AES.MODE_CBC, SALT).encrypt(plain + bytes([pad]) * pad)
    size = (1).to_bytes(width, 'little')
    data = cipher + SALT + b'\1' + size if order == 'cipher first' else b'\1' + SALT + cipher + size
    return hmac.new(derive(b'MAC'), data, hashlib.sha512).digest() + SALT + cipher


def utf16(text):
    return text.encode('utf-16-le')


assert encode('PASSWORD', 0xab).hex() == 'ab00bb10fa51a902fa51ad06e249b01bf45f0000'

OPENED = [  # name, octets, password, encoded
    ('the specification', rc4(encode('PASSWORD', 0xab)), 'PASSWORD', True),
    ('seed 1', rc4(encode('Lab-Join-2026!', 1)), 'Lab-Join-2026!', True),
    ('empty', rc4(encode('', 0xff)), '', True),
    ('one character', rc4(encode('x', 0x43)), 'x', True),
    ('beyond ASCII', rc4(encode(SNOWMAN, 0x80)), SNOWMAN, True),
    ('longest', rc4(encode('p' * 254, 0x5a)), 'p' * 254, True),
    ('bare', rc4(utf16('Lab-Join-2026!')), 'Lab-Join-2026!', False),
    ('bare, empty', rc4(b''), '', False),
    ('bare, beyond ASCII', rc4(utf16(SNOWMAN)), SNOWMAN, False),
    ('bare, longest', rc4(utf16('q' * 256)), 'q' * 256, False),
]
ILLEGIBLE = [  # a password only for a key that is sure
    ('a control character', rc4(utf16('tab\there')), 'tab\there', False),
    ('no character yet', rc4(utf16('a\u0378b')), 'a\u0378b', False),
]
REFUSED = [
    ('too long', rc4(utf16('a' * 256), 514)),
    ('far too long', rc4(utf16('a' * 256), 0xffffffff)),
    ('half a character', rc4(utf16('abc'), 5)),
    ('no seed', rc4(b'\0\0' + encode('PASSWORD', 0xab)[2:])),
    ('a wide seed', rc4(b'\xab\1' + encode('PASSWORD', 0xab)[2:])),
    ('a zero inside', rc4(encode('a\0b', 0xab))),
    ('a zero inside, bare', rc4(utf16('a\0b'))),
    ('half a pair', rc4(encode('ab', 0xab)[:2] + encode('\U0001f511', 0xab)[2:4] + b'\0\0')),
    ('half a pair, bare', rc4(utf16('\U0001f511')[:2])),
    ('a pair the wrong way', rc4(utf16('\U0001f511')[2:] + utf16('\U0001f511')[:2])),
    ('a pair broken', rc4(utf16('\U0001f511')[:2] + utf16('a'))),
]
AES_OPENED = [
    ('the specification', aes(encode('PASSWORD', 0xab)), 'PASSWORD', True),
    ('length of four octets', aes(encode('PASSWORD', 0xab), width=4), 'PASSWORD', True),
    ('version first', aes(encode('PASSWORD', 0xab), 'version first'), 'PASSWORD', True),
    ('version first, four octets', aes(encode('PASSWORD', 0xab), 'version first', 4), 'PASSWORD', True),
    ('beyond ASCII', aes(encode(SNOWMAN, 0x80)), SNOWMAN, True),
    ('longest', aes(encode('p' * 252, 0x5a)), 'p' * 252, True),
    ('bare', aes(utf16('Lab-Join-2026!')), 'Lab-Join-2026!', False),
]
AES_REFUSED = [
    ('inner length', aes(utf16('abcdef'), length=13)),
    ('inner length, far', aes(utf16('abcdef'), length=0xffffffff)),
    ('half a character', aes(utf16('abcdef'), length=5)),
    ('a zero inside', aes(encode('a\0b', 0xab))),
]


def c_text(text):
    return '"' + ''.join(chr(c) if 32 <= c < 127 and chr(c) not in '"\\' else '\\%03o' % c for c in text.encode()) + '"'


def table(name, rows):
    print('\nstatic const join_vector %s[] = {' % name)
    for row in rows:
        texts = [c_text(row[2][i:i + 100]) for i in range(0, len(row[2]) or 1, 100)] if len(row) > 2 else ['NULL']
        wanted = ',\n     %s, %s' % ('\n     '.join(texts), 'true' if len(row) > 2 and row[3] else 'false')
        digits = row[1].hex()
        lines = ['"%s"' % digits[i:i + 96] for i in range(0, len(digits), 96)]
        print('    {"%s",\n     %s%s},' % (row[0], '\n     '.join(lines), wanted))
    print('};')


print("""/* joinpassword_vectors.h - made by joinpassword_make_vectors.py; crafted.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef JOINPASSWORD_VECTORS_H
#define JOINPASSWORD_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name, *octets;
    const char *password; /* NULL: it must stay sealed */
    bool        encoded;
} join_vector;

static const char join_vector_key[] = "%s";""" % KEY.hex())
table('join_rc4_opened', OPENED)
table('join_rc4_illegible', ILLEGIBLE)
table('join_rc4_refused', REFUSED)
table('join_aes_opened', AES_OPENED)
table('join_aes_refused', AES_REFUSED)
print('\n#endif')
