# wkssvc stubs, the passwords in them, and the record of what was said; for wkst.py and wkst_server.py.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Samba's bindings pack and unpack what Samba knows. The methods with the newer passwords, opnums 31 to 37, are in no IDL but
MS-WKST's, so they are packed here.
"""
import hashlib
import hmac
import json
import os
import struct

from Cryptodome.Cipher import AES, ARC4
from samba.dcerpc import wkssvc
from samba.ndr import ndr_pack_in, ndr_unpack_in, ndr_unpack_out

import ndr_print

BY_OPNUM = {}
for _name in dir(wkssvc):
    if hasattr(getattr(wkssvc, _name), 'opnum'):
        BY_OPNUM[getattr(wkssvc, _name).opnum()] = getattr(wkssvc, _name)


# --- passwords: MS-WKST 2.2.5.17 to 2.2.5.19 ----------------------------------------------------------

def encoded(password, seed=None):
    """2.2.5.18.1: the seed in front, two zero octets behind, every octet of the text chained to the one before."""
    seed = seed or 1 + os.urandom(1)[0] % 255
    octets = bytearray([seed, 0]) + password.encode('utf-16-le') + b'\0\0'
    if len(password):
        octets[2] ^= seed | 0x43
    for n in range(3, len(octets) - 2):
        octets[n] ^= octets[n - 1] ^ seed
    return bytes(octets)


assert encoded('PASSWORD', 0xab).hex() == 'ab00bb10fa51a902fa51ad06e249b01bf45f0000'     # the example there


def encrypted(key, password, as_samba=False, length=None):
    """The 524 octets of JOINPR_ENCRYPTED_USER_PASSWORD under an SMB session key. Samba's own client and server do not encode.
    `length`: what is said instead of the password's length."""
    text = password.encode('utf-16-le') if as_samba else encoded(password)
    salt = os.urandom(8)
    clear = os.urandom(512 - len(text)) + text + struct.pack('<L', len(text) if length is None else length)
    return salt + ARC4.new(hashlib.md5(key[:16] + salt).digest()).encrypt(clear)


ALGORITHM = b'AEAD-AES-256-CBC-HMAC-SHA512 16\0'


def encrypted_aes(key, password):
    """(AuthData, Salt, Cipher) of JOINPR_ENCRYPTED_USER_PASSWORD_AES."""
    key = key[:16].ljust(16, b'\0')
    encryption = hmac.digest(key, b'Microsoft WKST encryption key ' + ALGORITHM, 'sha512')[:32]
    authentication = hmac.digest(key, b'Microsoft WKST MAC key ' + ALGORITHM, 'sha512')
    text = encoded(password)
    clear = struct.pack('<L', len(text)) + text
    fill = 16 - len(clear) % 16
    salt = os.urandom(16)
    cipher = AES.new(encryption, AES.MODE_CBC, iv=salt).encrypt(clear + bytes([fill]) * fill)
    return hmac.digest(authentication, cipher + salt + b'\1\1', 'sha512'), salt, cipher


# --- NDR by hand -----------------------------------------------------------------------------------------

class Stub:
    """NDR or NDR64, little-endian, of top-level parameters: a unique pointer's referent follows it at once."""

    def __init__(self, ndr64=False):
        self.data, self.wide, self.referent = b'', ndr64, 0x20000

    def align(self, size):
        self.data += b'\0' * (-len(self.data) % size)

    def ulong(self, value):
        self.align(4)
        self.data += struct.pack('<L', value)

    def enum(self, value):
        """16 bits, in NDR64 32"""
        self.align(4 if self.wide else 2)
        self.data += struct.pack('<L' if self.wide else '<H', value)

    def size(self, value):
        """A pointer or a count: 8 octets in NDR64."""
        self.align(8 if self.wide else 4)
        self.data += struct.pack('<Q' if self.wide else '<L', value)

    def pointer(self, there):
        self.size(self.referent if there else 0)
        self.referent += 4

    def text(self, value):
        """[in, unique, string] wchar_t *"""
        self.pointer(value is not None)
        if value is not None:
            self.string(value)

    def string(self, value):
        """[string] wchar_t of a pointer that stood before, or of a reference pointer, which has no referent id"""
        octets = value.encode('utf-16-le') + b'\0\0'
        self.size(len(octets) // 2)
        self.size(0)
        self.size(len(octets) // 2)
        self.data += octets

    def octets(self, value):
        """[in, unique] pointer to a fixed array"""
        self.pointer(value is not None)
        self.data += value or b''

    def aes(self, password):
        """[in, unique] PJOINPR_ENCRYPTED_USER_PASSWORD_AES"""
        self.pointer(password is not None)
        if password is None:
            return
        authentication, salt, cipher = password
        self.align(8 if self.wide else 4)
        self.data += authentication + salt
        self.ulong(len(cipher))
        self.pointer(True)
        self.size(len(cipher))
        self.data += cipher


# opnum -> the parameters behind ServerName
NEWER = {
    31: [('DomainNameParam', 'text'), ('MachineAccountOU', 'text'), ('AccountName', 'text'), ('Password', 'aes'),
         ('Options', 'ulong')],
    32: [('AccountName', 'text'), ('Password', 'aes'), ('Options', 'ulong')],
    33: [('MachineName', 'text'), ('AccountName', 'text'), ('Password', 'old'), ('Options', 'ulong')],
    34: [('NameToValidate', 'text'), ('AccountName', 'text'), ('Password', 'aes'), ('NameType', 'enum')],
    35: [('AlternateName', 'text'), ('DomainAccount', 'text'), ('EncryptedPassword', 'aes'), ('Reserved', 'ulong')],
    36: [('AlternateName', 'text'), ('DomainAccount', 'text'), ('EncryptedPassword', 'aes'), ('Reserved', 'ulong')],
    37: [('PrimaryName', 'text'), ('DomainAccount', 'text'), ('EncryptedPassword', 'old'), ('Reserved', 'ulong')],
}
REFERENCE = {'NameToValidate', 'DomainNameParam'}       # [in, string] without unique: reference pointers


def newer(opnum, values, ndr64=False):
    """(stub, tree) of one of the opnums from 31 on."""
    stub, tree = Stub(ndr64), {}
    for name, kind in [('ServerName', 'text')] + NEWER[opnum]:
        value = values.get(name)
        tree[name] = value
        if kind == 'text' and name in REFERENCE:
            stub.string(value)
        elif kind == 'text':
            stub.text(value)
        elif kind in ('ulong', 'enum'):
            getattr(stub, kind)(value or 0)
            tree[name] = value or 0
        elif kind == 'old':
            stub.octets(value)
            tree[name] = value.hex() if value else None
        else:
            stub.aes(value)
            tree[name] = {'AuthData': value[0].hex(), 'Salt': value[1].hex(), 'Cipher': value[2].hex()} if value else None
    return stub.data, tree


def packed(samba_name, ndr64=False, bigendian=False, **parameters):
    """(opnum, stub) of a call as Samba packs it; parameters without their `in_`."""
    call = getattr(wkssvc, samba_name)()
    for name, value in parameters.items():
        setattr(call, 'in_' + name, value)
    return call.opnum(), ndr_pack_in(call, bigendian=bigendian, ndr64=ndr64)


# --- the record --------------------------------------------------------------------------------------------

class Expect:
    """Writes NAME.expect, in the form of ndr_print.py."""

    def __init__(self):
        self.file = open(os.environ['EXPECT'], 'w', encoding='utf-8')

    def call(self, opnum, into, out, tree=None, read=None, ndr64=False, bigendian=False, **more):
        """`into` and `out`: the stubs as sent and as received (None: no response). `tree`, `read`: for what Samba cannot unpack,
        the tree of the one, and how to read the tree of the other."""
        # pylint: disable=too-many-arguments
        method = ndr_print.METHODS[opnum] if opnum < len(ndr_print.METHODS) else None
        line = {'opnum': opnum, 'method': method, 'in': tree, 'out': None, 'status': None}
        known = BY_OPNUM[opnum]() if opnum in BY_OPNUM and tree is None else None
        if known:
            try:
                ndr_unpack_in(known, into, bigendian=bigendian, ndr64=ndr64, allow_remaining=True)
                line['in'] = ndr_print.half(known.__ndr_print_in__())
            except RuntimeError:
                line['in'], known = None, None      # Samba would not take it either
        if out is not None:
            line['out'], line['status'] = read(out) if read else {}, struct.unpack('<L', out[-4:])[0]
            if known:
                ndr_unpack_out(known, out, ndr64=ndr64)
                line = ndr_print.answered(line, ndr_print.half(known.__ndr_print_out__()))
        print(json.dumps({**line, **more}, ensure_ascii=False), file=self.file, flush=True)
