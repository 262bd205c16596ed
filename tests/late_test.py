"""Captures that begin after the bind: a session's key, given as a line of text, opens what is left; a wrong one and none do not.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
RIGHT, WRONG = (os.path.join(lens.CAPTURES, f) for f in ("lab.session-keys.txt", "wrong-session-keys.txt"))


def sealed(path, keys):
    done = program.run("calls", *lens.key_options(keys), "--format", "jsonl", "--stubs", path, status=None)
    calls = [lens.json.loads(line) for line in done.stdout.splitlines()]
    return [(m["frames"], m["state"], m.get("reason_code"), m["stub"]) for m in lens.messages(calls) if m["sealed"]]


def late(name, skipped):
    """The frames of the sealed PDUs, and a copy of the capture that begins with the one after `skipped` of them, cut for each of its
    connections. Frames keep their numbers: what is left out becomes something that is not TCP."""
    whole = sealed(lens.capture(name), lens.keys_of(name))
    packets = list(lens.read_pcap(lens.capture(name)))
    ports, kept = {}, {}
    for frames, *_ in whole:
        for frame in frames:
            octets = packets[frame - 1][2]
            ports.setdefault(tuple(sorted((octets[34:36], octets[36:38]))), []).append(frame)
    for index, (seconds, micros, octets, length) in enumerate(packets, 1):
        key = tuple(sorted((octets[34:36], octets[36:38])))
        begin = sorted(ports.get(key, [0]))[skipped:][:1]
        if key not in ports or not begin or index < begin[0]:
            octets = octets[:12] + b"\x88\xb5" + octets[14:]  # the EtherType for experiments
        else:
            kept[index] = True
        packets[index - 1] = (seconds, micros, octets, length)
    file = tempfile.NamedTemporaryFile(suffix=".pcap")
    lens.write_pcap(file.name, packets)
    return file, [m for m in whole if all(f in kept for f in m[0])]


class Late(unittest.TestCase):
    def opens(self, name, skipped=0):
        file, left = late(name, skipped)
        with file:
            self.assertGreater(len(left), 2)
            self.assertEqual([(m[0], m[1], m[3]) for m in sealed(file.name, [RIGHT])], [(m[0], "verified", m[3]) for m in left])
            for keys in ([WRONG], []):
                met = sealed(file.name, keys)
                self.assertEqual([(m[0], m[1], m[3]) for m in met], [(m[0], "sealed", None) for m in left])

    def test_ntlm(self):
        self.opens("bkrp-tcp-ntlm-raw")

    def test_ntlm_in_the_middle(self):
        """The key stream is found although nobody knows how many PDUs came before."""
        self.opens("bkrp-tcp-ntlm-raw", skipped=2)

    def test_kerberos(self):
        self.opens("bkrp-tcp-bigendian-krb5")

    def test_kerberos_in_the_middle(self):
        self.opens("bkrp-tcp-bigendian-krb5", skipped=1)

    def test_encrypted_smb3(self):
        """Nobody's key opens the sealed calls inside, but that they are there is seen with the keys of the SMB sessions only."""
        path = lens.capture("bkrp-smb3-encrypted-ntlm")
        inside = [m[:2] for m in sealed(path, [RIGHT])]
        whole = [m[0] for m in sealed(path, lens.keys_of("bkrp-smb3-encrypted-ntlm"))]
        self.assertEqual(inside, [(frames, "sealed") for frames in whole])
        self.assertEqual(sealed(path, [WRONG]), [])
        self.assertEqual(sealed(path, []), [])


if __name__ == "__main__":
    unittest.main()
