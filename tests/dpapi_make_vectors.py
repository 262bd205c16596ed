#!/usr/bin/python3
"""Makes tests/dpapi_vectors.h: BackupKey's wrapped secrets for keys_fuzz.c, and keys that open them.

Written from [MS-BKRP] v27.0, 2.2.2 and 2.2.4, with hashlib's and pycryptodome's primitives, so that it shares no code with
what it tests. The fillings are fixed: the same output every time. All of it is crafted.
Run with Debian's python3 and python3-pycryptodome: tests/dpapi_make_vectors.py > tests/dpapi_vectors.h

SPDX-License-Identifier: GPL-2.0-or-later
"""
import base64
import hashlib
import hmac
import struct
import textwrap

from Cryptodome.Cipher import AES, ARC4, DES3

SECRET = b"crafted secret"
SID = bytes([1, 2, 0, 0, 0, 0, 0, 5]) + struct.pack("<II", 32, 544)
GUID = bytes(range(0x50, 0x60))
SERVER_KEY = bytes([1, 0, 0, 0]) + bytes((5 * i + 3) & 0xFF for i in range(256))


def is_prime(n):
    if any(n % p == 0 for p in (3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(n):
    n |= 1
    while not is_prime(n) or n % 65537 == 1:
        n += 2
    return n


# Far too near each other for a real key, and the same every time.
P, Q = prime((3 << 510) + 10 ** 60), prime((3 << 510) + 10 ** 50)
N, E = P * Q, 65537
D = pow(E, -1, (P - 1) * (Q - 1))


def der(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def pem():
    numbers = (0, N, E, D, P, Q, D % (P - 1), D % (Q - 1), pow(Q, -1, P))
    whole = der(0x30, b"".join(der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers))
    lines = textwrap.wrap(base64.b64encode(whole).decode(), 64)
    return ["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"]


def filling(length, start=1):
    return bytes((start + 7 * i) % 255 + 1 for i in range(length))


def client(version):
    """2.2.2: EncryptedSecret and AccessCheck; in the clear 2.2.2.1 to 2.2.2.4."""
    key, iv, block = (filling(24), filling(8), 8) if version == 2 else (filling(32), filling(16), 16)
    algorithms = b"" if version == 2 else struct.pack("<II", 0x800E, 0x6610)
    plain = struct.pack("<II", len(SECRET), len(key + iv)) + algorithms + SECRET + key + iv
    size = (N.bit_length() + 7) // 8
    padded = b"\0\2" + filling(size - 3 - len(plain)) + b"\0" + plain
    sealed = pow(int.from_bytes(padded, "big"), E, N).to_bytes(size, "little")
    digest = hashlib.sha1 if version == 2 else hashlib.sha512
    check = struct.pack("<II", 1, 16) + filling(16, 9) + SID
    check += filling(-(len(check) + digest().digest_size) % block)
    check += digest(check).digest()
    cipher = DES3.new(key, DES3.MODE_CBC, iv) if version == 2 else AES.new(key, AES.MODE_CBC, iv)
    return struct.pack("<III", version, len(sealed), len(check)) + GUID + sealed + cipher.encrypt(check)


def server():
    """2.2.4"""
    def mac(key, data):
        return hmac.new(key, data, hashlib.sha1).digest()
    key, r2, r3 = SERVER_KEY[4:], filling(68), filling(32, 5)
    body = SID + SECRET
    plain = r3 + mac(mac(key, r3), body) + body
    sealed = ARC4.new(mac(key, r2)).encrypt(plain)
    return struct.pack("<III", 1, len(SECRET), len(sealed)) + GUID + r2 + sealed


def array(octets):
    return "\n".join("    " + ", ".join(f"0x{o:02x}" for o in octets[i:i + 18]) + "," for i in range(0, len(octets), 18))


def main():
    print("/* dpapi_vectors.h - made by dpapi_make_vectors.py: secrets wrapped as BackupKey does, crafted,\n"
          " * and keys that open them.\n"
          " * SPDX-License-Identifier: GPL-2.0-or-later */")
    print("#ifndef DPAPI_VECTORS_H\n#define DPAPI_VECTORS_H\n\n#include <stdint.h>\n")
    print(f'static const char dpapi_secret_text[] = "{SECRET.decode()}";\n')
    print("static const char dpapi_client_key[] =\n" + "\n".join(f'    "{line}\\n"' for line in pem()) + ";\n")
    print(f"static const uint8_t dpapi_server_key[] = {{\n{array(SERVER_KEY)}\n}};\n")
    for name, octets in (("client_2", client(2)), ("client_3", client(3)), ("server", server())):
        print(f"static const uint8_t dpapi_{name}[] = {{\n{array(octets)}\n}};\n")
    print("#endif")


main()
