"""The twins of captures_test.py: with wrong keys and with none, every sealed PDU stays sealed, for the right reason, and no plaintext
comes out.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
WRONG = [os.path.join(lens.CAPTURES, f) for f in ("wrong.keytab", "wrong-mit.keytab", "wrong-passwords.txt")]

JUDGED = ["bkrp-dwparam", "bkrp-tcp-spnego-krb5", "bkrp-smbtorture-np-ntlm", "bkrp-ndr64-krb5", "crafted-bkrp-udp-ntlm"]


def secrets_of(name):
    """Octets that only a plaintext can hold: what went in and came out of the calls."""
    for call in lens.expected_calls(name):
        for octets in (call.get("data_in"), call.get("data_out")):
            if octets and len(octets) >= 32:
                yield octets


class Twins(unittest.TestCase):
    def stays_sealed(self, keys, reason):
        names = [name for name, row in lens.must_show().items() if row["sealed"] != "0"]
        found = program.calls_of_many([lens.capture(name) for name in names], keys)
        for name in names:
            calls, printed = found[lens.capture(name)]
            encrypted = "encrypted" in name
            with self.subTest(capture=name):
                sealed = [m for m in lens.messages(calls) if m["sealed"]]
                self.assertEqual(not sealed, encrypted)
                for m in sealed:
                    self.assertEqual((m["state"], m["reason_code"]), ("sealed", reason))
                    self.assertIsNone(m["stub"])
                    self.assertEqual(m["params"], {})
                    self.assertTrue(m["reason"])
                for octets in secrets_of(name):
                    self.assertNotIn(octets, printed)
                if encrypted or name in JUDGED:
                    self.judged(name, keys, encrypted)

    def judged(self, name, keys, encrypted):
        _, report = program.verify(lens.capture(name), keys)
        told = {r["id"]: (r["verdict"], r["reason"]) for r in report["rules"]}
        verdicts = {rule: verdict for rule, verdict in told.items() if rule.startswith("BKRP-")}
        if lens.protocol_of(name) == "bkrp":
            self.assertEqual(verdicts["BKRP-19"], ("inconclusive", "IC-ENCRYPTED"))
        if encrypted:
            self.assertEqual(set(verdicts.values()), {("inconclusive", "IC-ENCRYPTED")})
            self.assertEqual(told["SMB-1"], ("note", None))
            notes = [f["message"] for f in report["findings"] if f["rule"] == "SMB-1"]
            self.assertEqual(len(notes), 1)
            self.assertIn("encrypted messages that are not opened may hide", notes[0])

    def test_wrong_keys(self):
        self.stays_sealed(WRONG, "wrong-key")

    def test_no_keys(self):
        self.stays_sealed([], "no-key")

    def test_signed_only(self):
        """Below privacy a call can be read without any key, but counts as verified with the right one only."""
        for name in ("bkrp-mit-aes128-sha2-sign", "bkrp-mit-aes256-sha2-sign"):
            for keys, state, reason in ((lens.keys_of(name), "verified", None), (WRONG, "unverified", "wrong-key"),
                                        ([], "unverified", "no-key")):
                with self.subTest(capture=name, reason=reason):
                    met = lens.messages(program.calls(lens.capture(name), keys))
                    self.assertEqual([(m["state"], m.get("reason_code")) for m in met], [(state, reason)] * 10)

    def test_one_line_opens_one_user(self):
        """A password of another user is no key for this one, and the sentence names the one that is wanted."""
        import tempfile
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("CORP\\bob:whatever\n")
            file.flush()
            call = program.calls(lens.capture("bkrp-dwparam"), [file.name])[0]
        self.assertEqual(call["request"]["reason_code"], "no-key")
        self.assertIn("CORP\\alice", call["request"]["reason"])
        self.assertIn("-k", call["request"]["reason"])


if __name__ == "__main__":
    unittest.main()
