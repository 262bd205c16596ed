#!/usr/bin/env python3
"""Makes tests/bkrp_certificate.h: a certificate as MS-BKRP 2.2.1 wants it, self-signed with a new RSA key that is
thrown away. No common tool writes issuerUniqueID and subjectUniqueID, so the DER is put together here.
Needs python3-cryptography for the key and the signature.
SPDX-License-Identifier: GPL-2.0-or-later"""
import sys
import uuid
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_GUID = uuid.UUID("6b1d4f0a-3c52-4e8d-9a77-10d2c3b4a596")


def der(tag, *contents):
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    octets = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(digits)
    return der(0x06, bytes(octets))


def algorithm(text):
    return der(0x30, oid(text), b"\x05\x00")


def bits(octets):
    return der(0x03, b"\x00", octets)


def make():
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_numbers()
    guid = KEY_GUID.bytes_le
    name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, b"corp.example"))))
    sha1_rsa = algorithm("1.2.840.113549.1.1.5")
    tbs = der(0x30,
              der(0xA0, integer(2)),
              der(0x02, guid),
              sha1_rsa,
              name,
              der(0x30, der(0x17, b"240131101500Z"), der(0x17, b"250130101500Z")),
              name,
              der(0x30, algorithm("1.2.840.113549.1.1.1"),
                  bits(der(0x30, integer(public.n), integer(public.e)))),
              der(0x81, b"\x00", guid),
              der(0x82, b"\x00", guid))
    return der(0x30, tbs, sha1_rsa, bits(key.sign(tbs, padding.PKCS1v15(), hashes.SHA1())))


def main():
    octets = make()
    print("/* Made by tests/bkrp_certificate.py: CN=corp.example, %s, RSA 2048. */" % KEY_GUID)
    print("static const uint8_t certificate[%d] = {" % len(octets))
    for i in range(0, len(octets), 18):
        print("    " + ", ".join("0x%02x" % octet for octet in octets[i:i + 18]) + ",")
    print("};")


if __name__ == "__main__":
    sys.exit(main())
