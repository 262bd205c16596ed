"""docs/filter-names.md against stock tshark and the plugin: every field of Wireshark's wkssvc stands in it once; every name of
ours in it exists, can be filtered by, and is filled in when made-up stubs of every method and level are dissected; of Wireshark's
none is, unless it is given the interface back, and then with the same values.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import collections
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "docs", "filter-names.md")
UUID = bytes.fromhex("98d0ff6b12a11036983346c3f87e345a")
NDR = (bytes.fromhex("045d888aeb1cc9119fe808002b104860"), 2)
NDR64 = (bytes.fromhex("33057171babe37498319b5dbef9ccc36"), 1)
PORT, PORT64 = 49152, 49153
REQUEST, RESPONSE, BIND, BIND_ACK = 0, 2, 11, 12
GIVE_BACK = ["-o", "rpclens.builtin_wkssvc:TRUE"]

# Where Wireshark 4.0.17 reads something else: (opnum, tag of the unions); tag None for all. ndrdump_test.py says what is right.
WRONG = {(1, None), (2, 999), (5, 999), (8, 3), (8, 4), (8, 5), (8, 999), (9, 3), (9, 4), (9, 5), (9, 999), (11, 3), (11, 999)}
# What it shows in other pieces or as another type.
OTHERWISE = {"wkssvc.wkssvc_PasswordBuffer.data": "octet by octet",
             "wkssvc.wkssvc_NetrWorkstationStatistics.unknown1": "a number, not a time"}


def table():
    """(Wireshark's field, the filters of ours) in the order of the page."""
    with open(TABLE, encoding="utf-8") as lines:
        rows = [re.match(r"\| `(wkssvc\.[\w.]+)` \| (.+) \|$", line) for line in lines]
    return [(row.group(1), re.findall(r"`([^`]+)`", row.group(2))) for row in rows if row]


def names_in(filters):
    return {name for text in filters for name in re.findall(r"wkst\.\w+", text)}


class Conversation:
    """Packets of DCE/RPC over TCP, one PDU each."""

    def __init__(self, port, syntax):
        self.packets, self.sent, self.port, self.calls = [], {True: 1, False: 1}, port, 0
        context = struct.pack("<HBx", 0, 1) + UUID + struct.pack("<HH", 1, 0) + syntax[0] + struct.pack("<I", syntax[1])
        accepted = struct.pack("<HHIH2xB3xHH", 65000, 65000, 1, 0, 1, 0, 0) + syntax[0] + struct.pack("<I", syntax[1])
        self.pdu(True, BIND, struct.pack("<HHIB3x", 65000, 65000, 0, 1) + context)
        self.pdu(False, BIND_ACK, accepted)

    def pdu(self, client, kind, body):
        octets = struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, self.calls + 1) + body
        ports = (40000, self.port) if client else (self.port, 40000)
        tcp = struct.pack(">HHIIBBHHH", *ports, self.sent[client], self.sent[not client], 0x50, 0x18, 65535, 0, 0)
        addresses = (b"\x0a\0\0\x01", b"\x0a\0\0\x02") if client else (b"\x0a\0\0\x02", b"\x0a\0\0\x01")
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(octets), 0, 0, 64, 6, 0) + b"".join(addresses)
        packet = b"\x02" * 12 + b"\x08\0" + ip + tcp + octets
        self.packets.append((0, 0, packet, len(packet)))
        self.sent[client] += len(octets)

    def call(self, opnum, request, response):
        self.pdu(True, REQUEST, struct.pack("<IHH", len(request), 0, opnum) + request)
        self.pdu(False, RESPONSE, struct.pack("<IHBx", len(response), 0, 0) + response)
        self.calls += 1


def crafted(path):
    """Writes a capture of calls of every method with every level, NDR and NDR64: not of real peers. Returns (opnum, tag) of each
    call in NDR, which comes first."""
    def read(name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    packets = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(BUILD, "tests", "table_stubs"), "wkst", folder], check=True, timeout=60)
        stubs = sorted({tuple(map(int, name.split(".")[:2])) for name in os.listdir(folder) if name.split(".")[2] == "0"})
        for port, form, syntax in ((PORT, "", NDR), (PORT64, "64", NDR64)):
            conversation = Conversation(port, syntax)
            for opnum, tag in stubs:
                conversation.call(opnum, *(read(f"{opnum}.{tag}.0.{form}{direction}") for direction in ("in", "out")))
            packets += conversation.packets
    lens.write_pcap(path, packets)
    return stubs


def plain(value):
    """Numbers are shown in the base of their field."""
    try:
        return int(value, 0)
    except ValueError:
        return value


class FilterNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lens, cls.stock = lens.Tshark(BUILD), lens.Tshark(None)
        cls.addClassCleanup(cls.lens.__exit__)
        cls.addClassCleanup(cls.stock.__exit__)
        cls.rows = table()
        cls.path = os.path.join(cls.lens.home, "crafted-wkst.pcap")
        cls.stubs = crafted(cls.path)
        cls.filled = collections.Counter(name for frame in cls.dissected() for name in frame)

    @classmethod
    def dissected(cls, *options):
        """Of each frame, what it has of wkst and wkssvc: {name: values}."""
        out, _ = cls.lens.run("-r", cls.path, "-o", "rpclens.show_secrets:TRUE", "-T", "pdml", *options)
        frames = []
        for packet in out.split("<packet>")[1:]:
            frames.append(collections.defaultdict(list))
            for name, value in re.findall(r'<field name="(wks[\w.]+)"[^>]*? show="([^"]*)"', packet):
                frames[-1][name].append(plain(value))
        return frames

    @staticmethod
    def fields(tshark):
        out, _ = tshark.run("-G", "fields")
        return {line.split("\t")[2] for line in out.splitlines() if line.startswith("F\t")}

    def test_every_field_of_wireshark_once(self):
        listed = collections.Counter(row[0] for row in self.rows)
        self.assertEqual([name for name, times in listed.items() if times > 1], [])
        self.assertEqual(set(listed), {name for name in self.fields(self.stock) if name.startswith("wkssvc.")})

    def test_every_name_of_ours_exists(self):
        with open(TABLE, encoding="utf-8") as page:
            ours = names_in([page.read()])
        self.assertGreater(len(ours), 150)
        self.assertEqual(ours - self.fields(self.lens), set())

    def test_every_name_of_ours_is_filled_in(self):
        ours = set().union(*(names_in(filters) for _, filters in self.rows))
        self.assertEqual(sorted(name for name in ours if not self.filled[name]), [])

    def test_none_of_wiresharks_is(self):
        self.assertEqual([name for name in self.filled if name.startswith("wkssvc.")], [])

    def test_wiresharks_values_are_found_under_ours(self):
        ours, back = self.dissected("-Y", f"tcp.port == {PORT}"), self.dissected("-Y", f"tcp.port == {PORT}", *GIVE_BACK)
        self.assertEqual({name for frame in back for name in frame if name.startswith("wkst.")}, set())
        found = set()
        for number, (mine, its) in enumerate(zip(ours, back, strict=True)):
            opnum, tag = self.stubs[number // 2 - 1] if number > 1 else (None, None)  # behind bind and bind_ack
            if {(opnum, tag), (opnum, None)} & WRONG:
                continue
            for old, filters in self.rows:
                if old not in its or old in OTHERWISE or "_FLAGS_" in old:
                    continue
                values = [value for name in names_in(filters) for value in mine[name]]
                with self.subTest(frame=number + 1, opnum=opnum, tag=tag, field=old):
                    self.assertEqual(collections.Counter(its[old]) - collections.Counter(values), collections.Counter())
                found.add(old)
        self.assertGreater(len(found), 290)

    def test_every_filter_can_be_used(self):
        """tshark refuses a filter that has one field it does not know or that cannot be asked so."""
        every = sorted({text for _, filters in self.rows for text in filters})
        rows = self.lens.fields(self.path, ["frame.number"], "-Y", " or ".join(f"({text})" for text in every))
        self.assertEqual(len(rows), 4 * len(self.stubs))  # all but the binds
        for text in every:
            if "&" in text:
                rows = self.lens.fields(self.path, ["wkst.Options"], "-Y", text)
                bit = int(text.split("&")[1], 0)
                self.assertTrue(all(int(value, 0) & bit for row in rows for value in row[0]), text)

    def test_flags_are_the_same_bits(self):
        out, _ = self.stock.run("-G", "fields")
        masks = {line.split("\t")[2]: int(line.split("\t")[6], 0) for line in out.splitlines() if "\twkssvc." in line}
        flags = {old: filters[0] for old, filters in self.rows if "_FLAGS_" in old}
        self.assertEqual(flags, {old: f"wkst.Options & 0x{masks[old]:08x}" for old in flags})
        self.assertGreater(len(flags), 10)

    def test_texts_and_octets_of_one_name(self):
        """wkst.Buffer is a computer's name here and a sealed password there."""
        rows = self.lens.fields(self.path, ["wkst.opnum"], "-Y", "wkst.Buffer contains 05:06:07:08")
        self.assertTrue(rows)
        shown = [row for row in self.lens.fields(self.path, ["wkst.opnum", "wkst.Buffer"], "-Y", "wkst.UNICODE_STRING")]
        self.assertEqual([row[0] for row in shown], [["30"]] * 2)
        rows = self.lens.fields(self.path, ["wkst.opnum"], "-Y", f'wkst.Buffer == "{shown[0][1][0]}"')
        self.assertEqual([row[0] for row in rows], [["30"]] * 2)


if __name__ == "__main__":
    unittest.main()
