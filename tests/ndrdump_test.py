"""ClusAPI 3.0 and wkssvc against Samba's ndrdump: every method's stubs, requests and responses, with every arm of their unions,
NDR and NDR64.

table_stubs writes the stubs and what RPC Lens reads in them; ndrdump, which has its own description of the interface, must read
the same octets to the last and find the same values under the same names, or under those that docs/filter-names.md gives
(Wireshark's wkssvc is made of Samba's description). The stubs are made up.
Where the two disagree the specification decides; each such line stands in DISAGREE with its section, and must still disagree.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import collections
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv.pop(1)

FILTER_NAMES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "docs", "filter-names.md")
NOT_IN_SAMBA = "not in Samba"
NO_REQUEST = "Samba needs the request that it cannot read"

# (opnum, direction): why the two differ; (opnum, direction, tag) for one arm of the unions.
CMRP_DISAGREE = {
    (43, "in"): "force is a BOOL, four octets ([MS-CMRP] 3.1.4.2.44, [MS-DTYP] 2.2.3); Samba reads one",
    (61, "in"): "WatchSubTree is a BOOL, four octets (3.1.4.2.62, [MS-DTYP] 2.2.3); Samba reads one",
    (138, "in"): "isTargetedAtObject is a BOOL, four octets (3.1.4.2.137, [MS-DTYP] 2.2.3); Samba reads one",
    (87, "in"): "NetworkIdList is an array of pointers to strings (3.1.4.2.87); Samba reads one string",
    (87, "out"): NO_REQUEST,
    (139, "out"): "dwNotifyKey is a DWORD_PTR (2.2.3.24); Samba reads a pointer to four octets",
    (184, "in"): "ApiChangeResourceGroupEx (3.1.4.2.166): " + NOT_IN_SAMBA,
    (184, "out"): "ApiChangeResourceGroupEx (3.1.4.2.166): " + NOT_IN_SAMBA,
    (185, "in"): "ApiClusterNativeUpdateControl (3.1.4.2.167): " + NOT_IN_SAMBA,
    (185, "out"): "ApiClusterNativeUpdateControl (3.1.4.2.167): " + NOT_IN_SAMBA,
}
NO_TAG = 999  # what ndr_encode.h gives a default arm
NO_DEFAULT = "[default] is an arm without octets; Samba has no default arm, and refuses the stub"
WKST_OTHERS = {(1, 1)}  # (opnum, source): Samba is the other source, and must agree with its rows
WKST_DISAGREE = {
    (1, "in"): "ErrorParameter is [unique] ([MS-WKST] 3.2.4.2); Samba has no pointer there",
    (1, "out"): "ErrorParameter is [unique] (3.2.4.2); Samba has no pointer there",
    (2, "in", NO_TAG): "2.2.5.14: " + NO_DEFAULT,
    (2, "out", NO_TAG): "2.2.5.14: " + NO_DEFAULT,
    (5, "in", NO_TAG): "2.2.5.16: " + NO_DEFAULT,
    (5, "out", NO_TAG): "2.2.5.16: " + NO_DEFAULT,
    (8, "in", 3): "USE_INFO_3 is a USE_INFO_2 and flags (2.2.5.25); Samba has two strings",
    (8, "out", 3): NO_REQUEST,
    (8, "in", 4): "USE_INFO_4 (Windows'): " + NOT_IN_SAMBA,
    (8, "out", 4): NO_REQUEST,
    (8, "in", 5): "USE_INFO_5 (Windows'): " + NOT_IN_SAMBA,
    (8, "out", 5): NO_REQUEST,
    (8, "in", NO_TAG): "2.2.4.2: " + NO_DEFAULT,
    (8, "out", NO_TAG): NO_REQUEST,
    (9, "out", 3): "USE_INFO_3 is a USE_INFO_2 and flags (2.2.5.25); Samba has two strings",
    (9, "out", 4): "USE_INFO_4 (Windows'): " + NOT_IN_SAMBA,
    (9, "out", 5): "USE_INFO_5 (Windows'): " + NOT_IN_SAMBA,
    (9, "out", NO_TAG): "2.2.4.2: " + NO_DEFAULT,
    (11, "in", 3): "USE_INFO_3_CONTAINER (Windows'): " + NOT_IN_SAMBA,
    (11, "out", 3): "USE_INFO_3_CONTAINER (Windows'): " + NOT_IN_SAMBA,
    (11, "in", NO_TAG): "2.2.5.29: " + NO_DEFAULT,
    (11, "out", NO_TAG): "2.2.5.29: " + NO_DEFAULT,
    **{(opnum, direction): "the AES generation (3.2.4.22 to 3.2.4.28): " + NOT_IN_SAMBA
       for opnum in range(31, 39) for direction in ("in", "out")},
}


def spellings():
    """Our names and those of Samba's that mean the same, out of the table's `wkssvc.STRUCTURE.name` and `wkst.Name`."""
    found = collections.defaultdict(set)
    with open(FILTER_NAMES, encoding="utf-8") as lines:
        for line in lines:
            row = re.match(r"\| `wkssvc\.([\w.]+)` \| `wkst\.(\w+)` \|$", line)
            if row:
                found[row.group(2)].add(row.group(1).split(".")[-1])
    found["MachineAccountOU"].add("account_ou")  # what Samba calls otherwise since Wireshark took its description over
    found["Length"].add("length")
    found["MaximumLength"].add("size")
    found["Buffer"].add("string")
    return found


WERRORS = {"WERR_OK": 0, "WERR_ACCESS_DENIED": 5}


def ours(path, characters):
    """{name: values}, context handles all under "uuid". `characters` makes a list of an array of wchar_t."""
    found = collections.defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, kind, value = line.rstrip("\n").split("\t")
            if kind == "number":
                found[name].append(int(value))
            elif kind == "time":
                found[name].append(value[:19])
            elif kind == "characters":
                found[name] += characters(value)
            elif kind == "uuid":
                found["uuid"].append(value)
            else:
                found[name].append(value)
    return found


def number(text):
    """0x10000004 (268435460), a plain number, or a name with its number behind it."""
    if text in WERRORS:
        return WERRORS[text]
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    inside = re.search(r"\((0x[0-9A-Fa-f]+|-?\d+)\)$", text)
    return int(inside.group(1), 0) if inside else None


def time(text):
    """Mon Oct 16 07:29:30 2023 UTC, to the second."""
    try:
        return datetime.datetime.strptime(text, "%a %b %d %H:%M:%S %Y UTC").isoformat()
    except ValueError:
        return None


def theirs(text):
    """The same out of ndrdump's text."""
    found = collections.defaultdict(list)
    array = None
    for line in text.splitlines():
        opened = re.match(r"\s*(\w+): ARRAY\(\d+\)$", line)
        element = re.match(r"\s*\[\d+\]\s*: 0x([0-9a-fA-F]{2}) \(\d+\)$", line)
        octets = re.match(r"\[[0-9A-F]{4}\] ([0-9A-F ]{50})", line)
        value = re.match(r"\s*(\w+)\s*: (.+)$", line)
        if opened:
            array = opened.group(1)
            found[array].append("")
        elif element:
            found[array][-1] += element.group(1).lower()
        elif octets and array:  # not what is left unread, in front
            found[array][-1] += octets.group(1).replace(" ", "").lower()
        elif value:
            name, said = value.groups()
            name = "return" if name == "result" else name
            if said.startswith("'"):
                found[name].append(said[1:-1])
            elif name == "uuid":
                found[name].append(said)
            elif number(said) is not None:
                found[name].append(number(said))
            elif time(said):
                found[name].append(time(said))
    return found


def difference(mine, other, names):
    """What RPC Lens found and ndrdump did not, under a name that means the same and as often."""
    lines = []
    for name, values in sorted(mine.items()):
        theirs_of_it = [value for spelling in {name} | names.get(name, set()) for value in other.get(spelling, [])]
        missing = collections.Counter(map(shown, values)) - collections.Counter(map(shown, theirs_of_it))
        if missing:
            lines.append(f"{name}: {dict(missing)}, ndrdump has {theirs_of_it}")
    return lines


def shown(value):
    """Long octets as RPC Lens shows them."""
    text = str(value)
    return f"{text[:128]}... ({len(text) // 2} octets)" if re.fullmatch(r"[0-9a-f]{129,}", text) else text


class Against:
    """One interface; a class of tests below has these."""
    protocol = interface = None  # RPC Lens' name of it and Samba's
    disagree = names = {}
    others = set()
    characters = staticmethod(lambda text: [ord(character) for character in text])

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rpclens-stubs-")
        subprocess.run([os.path.join(BUILD, "tests", "table_stubs"), cls.protocol, cls.folder], check=True, timeout=60)
        stubs = {tuple(map(int, name.split(".")[:3])) for name in os.listdir(cls.folder)}
        cls.stubs = sorted(stub for stub in stubs if stub[2] == 0 or (stub[0], stub[2]) in cls.others)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def complaints(self, opnum, tag, source, form, direction):
        stub = os.path.join(self.folder, f"{opnum}.{tag}.{source}.{form}{direction}")
        options = ["--ndr64"] if form else []
        if direction == "out":
            options += ["-c", os.path.join(self.folder, f"{opnum}.{tag}.{source}.{form}in")]
        done = subprocess.run(["ndrdump", *options, self.interface, str(opnum), direction, stub], capture_output=True, text=True,
                              check=False, timeout=60, env=dict(os.environ, TZ="UTC", LC_ALL="C"))
        lines = [line for line in done.stdout.splitlines() if "unread bytes" in line and "context file" not in line]
        if done.returncode != 0 or "dump OK" not in done.stdout:
            lines.append(f"ndrdump: exit {done.returncode} {done.stdout[:200]} {done.stderr[:200]}")
        return lines + difference(ours(stub + ".values", self.characters), theirs(done.stdout), self.names)

    def excused(self, opnum, tag, source, direction):
        return source == 0 and ((opnum, direction) in self.disagree or (opnum, direction, tag) in self.disagree)

    def test_all(self):
        agreed = total = 0
        methods = set()
        for opnum, tag, source in self.stubs:
            for direction in ("in", "out"):
                for form in ("", "64"):
                    lines = self.complaints(opnum, tag, source, form, direction)
                    with self.subTest(opnum=opnum, tag=tag, source=source, direction=form + direction):
                        if self.excused(opnum, tag, source, direction):
                            self.assertTrue(lines, "no longer disagrees")
                        else:
                            self.assertEqual(lines, [])
                    total += 1
                    agreed += not lines
                    methods |= set() if lines else {opnum}
        known = {opnum for opnum, _, _ in self.stubs}
        print(f"{self.protocol}: ndrdump agrees on {agreed} of {total} stubs, {len(methods)} of {len(known)} methods")


class ClusAPI(Against, unittest.TestCase):
    protocol, interface, disagree = "cmrp", "clusapi", CMRP_DISAGREE


class Wkssvc(Against, unittest.TestCase):
    protocol, interface, disagree, others, names = "wkst", "wkssvc", WKST_DISAGREE, WKST_OTHERS, spellings()
    characters = staticmethod(lambda text: [text])  # Samba knows them to be UTF-16


if __name__ == "__main__":
    unittest.main()
