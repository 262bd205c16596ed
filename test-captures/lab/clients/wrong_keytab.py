# The same principals, versions and key types with random keys: nothing may open with such a keytab.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: wrong_keytab.py KEYTAB OUT
import os
import struct
import sys


def wrong(keytab):
    data = bytearray(keytab)
    at = 2                                  # after the format version 05 02
    while at + 4 <= len(data):
        size, = struct.unpack_from('>i', data, at)
        at += 4
        if size > 0:
            p = at
            parts, = struct.unpack_from('>H', data, p)
            p += 2
            for _ in range(parts + 1):      # the realm and the parts of the name
                p += 2 + struct.unpack_from('>H', data, p)[0]
            p += 4 + 4 + 1 + 2              # name type, time, version, key type
            length, = struct.unpack_from('>H', data, p)
            data[p + 2:p + 2 + length] = os.urandom(length)
        at += abs(size)
    return bytes(data)


if __name__ == '__main__':
    with open(sys.argv[1], 'rb') as source, open(sys.argv[2], 'wb') as out:
        out.write(wrong(source.read()))
