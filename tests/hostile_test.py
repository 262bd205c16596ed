"""Broken input: files cut anywhere, packets cut by a snap length, changed, lost and doubled packets, and things that are no capture or no
key. Never a crash, never an unproven plaintext, always a message that says what is wrong.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import random
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
KEYS = [os.path.join(lens.CAPTURES, "lab.keytab"), os.path.join(lens.CAPTURES, "lab.passwords.txt")]
SOURCES = ["bkrp-np-ntlm-raw", "bkrp-tcp-spnego-krb5", "bkrp-python-spnego-ntlm", "bkrp-fragments-ntlm", "bkrp-ndr64-krb5",
           "bkrp-smb1", "bkrp-ntlm-v1", "bkrp-krb5-rc4", "bkrp-two-contexts"]


def proven(calls):
    """Every stub that is shown as verified."""
    return [m["stub"] for m in lens.messages(calls) if m["state"] == "verified" and m.get("stub")]


class Hostile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "made.pcap")

    def run_calls(self, status=0):
        done = program.run("calls", *lens.key_options(KEYS), "--format", "jsonl", "--stubs", self.path, status=None)
        self.assertIn(done.returncode, (status, 2), done.stderr)
        return [lens.json.loads(line) for line in done.stdout.splitlines()], done

    def nothing_invented(self, name, calls):
        truth = set(proven(program.calls(lens.capture(name), KEYS)))
        self.assertLessEqual(set(proven(calls)), truth)

    def test_file_cut_anywhere(self):
        name = "bkrp-np-ntlm-raw"
        with open(lens.capture(name), "rb") as file:
            whole = file.read()
        for length in sorted(random.Random(1).sample(range(1, len(whole)), 25)) + [0, 10, 24, 30]:
            with open(self.path, "wb") as file:
                file.write(whole[:length])
            calls, done = self.run_calls()
            self.nothing_invented(name, calls)
            if done.stderr:
                self.assertIn(self.path, done.stderr)
            if calls and done.stderr:
                self.assertIn("at offset", done.stderr)

    def test_snap_length(self):
        for name in SOURCES:
            whole = program.calls(lens.capture(name), KEYS)
            for snap in (60, 140, 200, 300, 400, 700):
                packets = list(lens.read_pcap(lens.capture(name)))
                lens.write_pcap(self.path, [(s, f, data[:snap], length) for s, f, data, length in packets])
                calls, _ = self.run_calls()
                self.nothing_invented(name, calls)
                self.assertLessEqual(len(calls), len(whole))
                for m in lens.messages(calls):
                    self.assertFalse("malformed" in m, m)
                    if m["sealed"] and m["state"] != "verified":
                        self.assertIn(m["reason_code"], ("cut", "no-handshake", "lost", "no-key", "wrong-key", "malformed"))

    def test_pdus_after_a_cut_one_still_open(self):
        name = "bkrp-tcp-ntlm-raw"
        packets = list(lens.read_pcap(lens.capture(name)))
        calls = [c for c in program.calls(lens.capture(name), KEYS) if c["protocol"] == "bkrp"]
        cut = calls[1]["request"]["frames"][0]
        lens.write_pcap(self.path, [(s, f, data[:-40] if i + 1 == cut else data, length)
                                    for i, (s, f, data, length) in enumerate(packets)])
        got = [c for c in self.run_calls()[0] if c["protocol"] == "bkrp"]
        self.assertEqual(got[1]["request"]["reason_code"], "cut")
        self.assertEqual([c["request"]["state"] for c in got], ["verified", "sealed"] + ["verified"] * (len(got) - 2))

    def test_doubled_packets_give_each_call_once(self):
        for name in ("bkrp-np-krb5", "bkrp-tcp-ntlm-raw", "bkrp-smb1", "bkrp-fragments-ntlm"):
            whole = program.calls(lens.capture(name), KEYS)
            lens.write_pcap(self.path, [p for p in lens.read_pcap(lens.capture(name)) for _ in (1, 2)])
            calls, _ = self.run_calls()
            self.assertEqual([(c["call_id"], c["request"]["stub"]) for c in calls],
                             [(c["call_id"], c["request"]["stub"]) for c in whole])

    def test_lost_packets(self):
        """What follows a lost PDU is opened, or says what is missing; it is never wrong."""
        for name in ("bkrp-tcp-ntlm-raw", "bkrp-tcp-spnego-krb5"):
            calls = [c for c in program.calls(lens.capture(name), KEYS) if c["protocol"] == "bkrp"]
            lost = calls[1]["request"]["frames"][0]
            packets = list(lens.read_pcap(lens.capture(name)))
            lens.write_pcap(self.path, [p for i, p in enumerate(packets) if i + 1 != lost])
            got, _ = self.run_calls()
            self.nothing_invented(name, got)
            for m in lens.messages(got):
                if m["state"] == "sealed":
                    self.assertTrue(m["reason"])

    def test_late_start(self):
        """Without the handshake nothing opens, and that is what is said."""
        name = "bkrp-tcp-ntlm-raw"
        calls = [c for c in program.calls(lens.capture(name), KEYS) if c["protocol"] == "bkrp"]
        first = calls[0]["request"]["frames"][0]
        lens.write_pcap(self.path, list(lens.read_pcap(lens.capture(name)))[first - 1:])
        got, _ = self.run_calls()
        self.assertEqual({m["reason_code"] for m in lens.messages(got) if m["sealed"] and m["state"] == "sealed"} - {None},
                         {"no-handshake", "no-key"} & {m["reason_code"] for m in lens.messages(got)})
        self.nothing_invented(name, got)

    def test_changed_octets(self):
        chance = random.Random(20261121)
        for name in SOURCES:
            packets = list(lens.read_pcap(lens.capture(name)))
            for _ in range(8):
                mutant = []
                for s, f, data, length in packets:
                    data = bytearray(data)
                    while len(data) > 70 and chance.random() < 0.15:
                        data[chance.randrange(54, len(data))] = chance.randrange(256)
                    mutant.append((s, f, bytes(data), length))
                lens.write_pcap(self.path, mutant)
                calls, _ = self.run_calls()
                self.nothing_invented(name, calls)
                done = program.run("verify", *lens.key_options(KEYS), self.path, status=None)
                self.assertIn(done.returncode, (0, 1), done.stderr)

    def test_not_a_capture(self):
        for content, path in ((b"", None), (b"hello\n", None), (None, "/nonexistent/x.pcap"), (None, os.path.dirname(self.path))):
            if content is not None:
                with open(self.path, "wb") as file:
                    file.write(content)
            path = path or self.path
            for verb in ("calls", "verify"):
                done = program.run(verb, path, status=2)
                self.assertIn(path, done.stderr)

    def test_not_a_key(self):
        bad = os.path.join(os.path.dirname(self.path), "bad.keys")
        for content in (b"", b"\x05\x02\xff\xff", b"\x00\x01\x02\x03" * 100, b"no colon here\n"):
            with open(bad, "wb") as file:
                file.write(content)
            done = program.run("calls", "-k", bad, *lens.key_options(KEYS), "--format", "jsonl", lens.capture("bkrp-dwparam"))
            self.assertIn(bad, done.stderr)
            self.assertEqual(len(proven([lens.json.loads(line) for line in done.stdout.splitlines()])), 0)  # no --stubs, none shown
            self.assertIn('"verified"', done.stdout)
            self.assertIn(bad, (lambda d: d.stdout + d.stderr)(program.run("keys", bad, status=None)))


if __name__ == "__main__":
    unittest.main()
