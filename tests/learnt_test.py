"""Kerberos calls opened without the service's key: by what a user's password opens of the capture's own Kerberos exchange, FAST
included, and by the tickets of a credential cache. Other keys and none open nothing.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import struct
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
PASSWORDS, WRONG = (os.path.join(lens.CAPTURES, f) for f in ("lab.passwords.txt", "wrong-passwords.txt"))
CACHE, KIRBI = (os.path.join(lens.CAPTURES, "bkrp-krb5-ccache." + f) for f in ("ccache", "kirbi"))
# The KDC's answers are in these, and their service's key is not among the users' passwords.
WITH_EXCHANGE = ["bkrp-fragments-krb5", "bkrp-joerg-krb5", "bkrp-krb5-aes128", "bkrp-krb5-rc4", "bkrp-krb5-delegate", "bkrp-krb5-identify",
                 "bkrp-krb5-no-mutual", "bkrp-ndr64-krb5", "bkrp-np-krb5", "bkrp-np-spnego-krb5", "bkrp-python-krb5",
                 "bkrp-python-spnego-krb5", "bkrp-smb3-encrypted-krb5", "bkrp-smb300-encrypted-krb5", "bkrp-smbtorture-tcp-krb5",
                 "bkrp-tcp-bigendian-krb5", "bkrp-tcp-spnego-krb5"]


def calls_of(path, keys):
    done = program.run("calls", *lens.key_options(keys), "--format", "jsonl", "--stubs", path)
    return [json.loads(line) for line in done.stdout.splitlines()]


def sealed(path, keys):
    return [(m["state"], m["stub"]) for m in lens.messages(calls_of(path, keys)) if m["sealed"]]


def with_other_keys(path):
    """The same file with other octets where keys of 32 octets stand in it."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    marks = [b"\x00\x12\x00\x00\x00\x20", b"\xa0\x03\x02\x01\x12\xa1\x22\x04\x20"]
    for mark in marks:
        at = data.find(mark)
        while at >= 0:
            data[at + len(mark)] ^= 1
            at = data.find(mark, at + 1)
    return bytes(data)


def over_udp(name):
    """The capture's packets, with what went to and from the KDC over TCP in UDP's datagrams instead: crafted."""
    waiting = {}
    for seconds, micros, packet, length in lens.read_pcap(lens.capture(name)):
        if packet[12:14] != b"\x08\x00" or packet[23] != 6 or 88 not in struct.unpack_from("!HH", packet, 34):
            yield seconds, micros, packet, length
            continue
        ports = packet[34:38]
        octets = waiting.get(ports, b"") + packet[34 + 4 * (packet[46] >> 4):14 + struct.unpack_from("!H", packet, 16)[0]]
        while len(octets) >= 4 and len(octets) >= 4 + struct.unpack_from("!I", octets)[0]:
            end = 4 + struct.unpack_from("!I", octets)[0]
            udp = ports + struct.pack("!HH", end + 4, 0) + octets[4:end]
            ip = packet[14:16] + struct.pack("!H", 20 + len(udp)) + packet[18:23] + b"\x11\0\0" + packet[26:34]
            octets = octets[end:]
            made = packet[:14] + ip + udp
            yield seconds, micros, made, len(made)
        waiting[ports] = octets


class Learnt(unittest.TestCase):
    def test_over_udp(self):
        for name in ("bkrp-tcp-spnego-krb5", "bkrp-krb5-rc4"):
            with self.subTest(capture=name), tempfile.NamedTemporaryFile(suffix=".pcap") as file:
                lens.write_pcap(file.name, list(over_udp(name)))
                self.assertEqual(sealed(file.name, [PASSWORDS]), sealed(lens.capture(name), lens.keys_of(name)))
                for keys in ([WRONG], []):
                    met = sealed(file.name, keys)
                    self.assertTrue(met)
                    self.assertEqual({state for state, _ in met}, {"sealed"})

    def test_by_password(self):
        for name in WITH_EXCHANGE:
            with self.subTest(capture=name):
                path = lens.capture(name)
                due = sealed(path, lens.keys_of(name))
                self.assertTrue(due)
                self.assertEqual(sealed(path, [PASSWORDS]), due)

    def test_by_wrong_password_and_none(self):
        for name in WITH_EXCHANGE:
            for keys in ([WRONG], []):
                with self.subTest(capture=name, keys=keys):
                    met = sealed(lens.capture(name), keys)
                    if "smb3" in name:
                        self.assertEqual(met, [])
                    else:
                        self.assertTrue(met)
                        self.assertEqual(set(met), {("sealed", None)})

    def test_without_the_exchange(self):
        """The same capture without what went to and from the KDC."""
        path = lens.capture("bkrp-python-krb5")
        packets = [p for p in lens.read_pcap(path) if 88 not in (int.from_bytes(p[2][34:36], "big"), int.from_bytes(p[2][36:38], "big"))]
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            lens.write_pcap(file.name, packets)
            self.assertEqual(set(sealed(file.name, [PASSWORDS])), {("sealed", None)})

    def test_explained(self):
        out = program.run("keys", "--explain", "-k", PASSWORDS, lens.capture("bkrp-python-krb5")).stdout
        self.assertRegex(out, r"password of alice@CORP, from .*lab\.passwords\.txt")

    def test_by_tickets(self):
        path = lens.capture("bkrp-krb5-ccache")
        due = sealed(path, lens.keys_of("bkrp-krb5-ccache"))
        self.assertEqual(len(due), 8)
        for file in (CACHE, KIRBI):
            self.assertEqual(sealed(path, [file]), due)
            with tempfile.NamedTemporaryFile() as other:
                other.write(with_other_keys(file))
                other.flush()
                self.assertIn("session key of a ticket", program.run("keys", other.name).stdout)
                self.assertEqual(set(sealed(path, [other.name])), {("sealed", None)})
        with tempfile.NamedTemporaryFile("w") as text:
            import base64
            with open(KIRBI, "rb") as file:
                text.write(base64.encodebytes(file.read()).decode())
            text.flush()
            self.assertIn("kirbi ticket in base64, 1 key", program.run("keys", text.name).stdout)
            self.assertEqual(sealed(path, [text.name]), due)

    def test_of_a_ticket_granting_ticket(self):
        """The cache's ticket-granting ticket alone: its session key opens the TGS-REP, and that the call."""
        with open(CACHE, "rb") as file:
            data = bytearray(file.read())
        at = data.rfind(b"\x00\x12\x00\x00\x00\x20")
        data[at + 6] ^= 1  # the last credential is the service's
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            path = lens.capture("bkrp-krb5-ccache")
            self.assertEqual(sealed(path, [file.name]), sealed(path, lens.keys_of("bkrp-krb5-ccache")))

    def test_broken_files(self):
        with open(CACHE, "rb") as file:
            data = file.read()
        for cut, said in ((2, "offset 2: the file ends before its first credential"), (200, "the file ends"), (len(data) - 10, "the file ends within this credential")):
            with tempfile.NamedTemporaryFile() as file:
                file.write(data[:cut])
                file.flush()
                done = program.run("keys", file.name, status=None)
                self.assertIn(said, done.stdout)


if __name__ == "__main__":
    unittest.main()
