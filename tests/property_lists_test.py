"""The property lists in the captures of ClusAPI against Samba's ndrdump: the same names, syntaxes and octets, in the same order.

Samba wants an end mark behind the last property, as Windows sends it; [MS-CMRP] 2.2.3.10 has none there, nor has the lab's server, so it
is added for ndrdump.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
CAPTURES = ["cmrp-controls", "cmrp-all-methods", "cmrp-smbtorture-spnego-krb5"]


def lists_of(name):
    """(octets, what was read of them) of each PROPERTY_LIST, each octets once."""
    found = {}
    for call in program.calls(lens.capture(name), lens.keys_of(name)):
        for message in lens.messages([call]):
            params = message.get("params", {})
            for key, read in params.items():
                if key.endswith("_as") and read.get("type") == "PROPERTY_LIST":
                    found[params[key[:-3]]] = read
    return found.items()


def read_by_samba(octets):
    """[(name, [(syntax, hex)])], and whether all octets were consumed."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(octets)
        file.flush()
        done = subprocess.run(["ndrdump", "clusapi", "clusapi_PROPERTY_LIST", "struct", file.name], capture_output=True, text=True,
                              check=False, timeout=60)
    properties, octets_of = [], None
    for line in done.stdout.splitlines():
        if match := re.match(r" +buffer +: '(.*)'", line):
            properties.append((match[1], []))
        elif match := re.match(r" +Syntax +: \w+ \((\d+)\)", line):
            properties[-1][1].append([int(match[1]), ""])
        elif re.match(r" +(Buffer|Padding|padding) +: DATA_BLOB", line):
            octets_of = properties[-1][1] if "Buffer" in line else None
        elif octets_of and (match := re.match(r"\[[0-9A-F]{4}\] ((?:[0-9A-F]{2} +)+)", line)):
            octets_of[-1][1] += match[1].replace(" ", "").lower()
    return properties, "dump OK" in done.stdout


class PropertyLists(unittest.TestCase):
    def test_against_ndrdump(self):
        compared = 0
        for name in CAPTURES:
            for octets, read in lists_of(name):
                ended = bytes.fromhex(octets) + (b"" if "EndMark" in read else bytes(4))
                theirs, whole = read_by_samba(ended)
                with self.subTest(capture=name, octets=octets[:80]):
                    self.assertTrue(whole)
                    ours = [(p["PropertyName"], [[v["Syntax"], v["Buffer"]] for v in p["PropertyValues"]])
                            for p in read.get("PropertyValue", [])]
                    self.assertEqual(ours, theirs)
                    compared += len(ours)
        self.assertGreater(compared, 30)


if __name__ == "__main__":
    unittest.main()
