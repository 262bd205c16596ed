"""ClusAPI 3.0 against Samba's ndrdump: every method's stubs, requests and responses, NDR and NDR64.

cmrp_stubs writes the stubs and what RPC Lens reads in them; ndrdump, which has its own description of the interface, must read the
same octets to the last and find the same values under the same names. The stubs are made up: no capture of ClusAPI exists.
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

BUILD = sys.argv.pop()

# (opnum, direction): why the two differ.
DISAGREE = {
    (43, "in"): "force is a BOOL, four octets ([MS-CMRP] 3.1.4.2.44, [MS-DTYP] 2.2.3); Samba reads one",
    (61, "in"): "WatchSubTree is a BOOL, four octets (3.1.4.2.62, [MS-DTYP] 2.2.3); Samba reads one",
    (138, "in"): "isTargetedAtObject is a BOOL, four octets (3.1.4.2.137, [MS-DTYP] 2.2.3); Samba reads one",
    (87, "in"): "NetworkIdList is an array of pointers to strings (3.1.4.2.87); Samba reads one string",
    (87, "out"): "Samba needs the request that it cannot read",
    (139, "out"): "dwNotifyKey is a DWORD_PTR (2.2.3.24); Samba reads a pointer to four octets",
    (184, "in"): "ApiChangeResourceGroupEx (3.1.4.2.166): not in Samba",
    (184, "out"): "ApiChangeResourceGroupEx (3.1.4.2.166): not in Samba",
    (185, "in"): "ApiClusterNativeUpdateControl (3.1.4.2.167): not in Samba",
    (185, "out"): "ApiClusterNativeUpdateControl (3.1.4.2.167): not in Samba",
}
WERRORS = {"WERR_OK": 0, "WERR_ACCESS_DENIED": 5}


def ours(path):
    """{name: values}, context handles all under "uuid"."""
    found = collections.defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, kind, value = line.rstrip("\n").split("\t")
            if kind == "number":
                found[name].append(int(value))
            elif kind == "time":
                found[name].append(value[:19])
            elif kind == "characters":
                found[name] += [ord(character) for character in value]
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
        value = re.match(r"\s*(\w+)\s*: (.+)$", line)
        if opened:
            array = opened.group(1)
            found[array].append("")
        elif element:
            found[array][-1] += element.group(1).lower()
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


def difference(mine, other):
    """What RPC Lens found and ndrdump did not, under the same name and as often."""
    lines = []
    for name, values in sorted(mine.items()):
        missing = collections.Counter(map(str, values)) - collections.Counter(map(str, other.get(name, [])))
        if missing:
            lines.append(f"{name}: {dict(missing)}, ndrdump has {other.get(name, [])}")
    return lines


class Ndrdump(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rpclens-stubs-")
        subprocess.run([os.path.join(BUILD, "tests", "cmrp_stubs"), cls.folder], check=True, timeout=60)
        cls.opnums = sorted({int(name.split(".")[0]) for name in os.listdir(cls.folder)})

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def complaints(self, opnum, form, direction):
        stub = os.path.join(self.folder, f"{opnum}.{form}{direction}")
        options = ["--ndr64"] if form else []
        if direction == "out":
            options += ["-c", os.path.join(self.folder, f"{opnum}.{form}in")]
        done = subprocess.run(["ndrdump", *options, "clusapi", str(opnum), direction, stub], capture_output=True, text=True,
                              check=False, timeout=60, env=dict(os.environ, TZ="UTC", LC_ALL="C"))
        lines = [line for line in done.stdout.splitlines() if "unread bytes" in line and "context file" not in line]
        if done.returncode != 0 or "dump OK" not in done.stdout:
            lines.append(f"ndrdump: exit {done.returncode} {done.stdout[:200]} {done.stderr[:200]}")
        return lines + difference(ours(stub + ".values"), theirs(done.stdout))

    def test_all(self):
        agreed = 0
        for opnum in self.opnums:
            for direction in ("in", "out"):
                for form in ("", "64"):
                    lines = self.complaints(opnum, form, direction)
                    with self.subTest(opnum=opnum, direction=form + direction):
                        if (opnum, direction) in DISAGREE:
                            self.assertTrue(lines, "no longer disagrees")
                        else:
                            self.assertEqual(lines, [])
                    agreed += not lines
        print(f"ndrdump agrees on {agreed} of {4 * len(self.opnums)} stubs of {len(self.opnums)} methods")


if __name__ == "__main__":
    unittest.main()
