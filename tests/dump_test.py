"""What impacket's secretsdump prints is a key file as it is: the lab's domain opens with it. With other digits in it nothing
does; wrong_keys_test.py has the twins without keys.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
FULL, LSA = (os.path.join(lens.CAPTURES, f"lab.secretsdump-{part}.txt") for part in ("full", "lsa"))
NTLM = ["bkrp-dwparam", "bkrp-python-spnego-ntlm", "bkrp-joerg", "bkrp-tcp-ntlm-raw", "bkrp-ntlm-v1"]
KERBEROS = ["bkrp-tcp-spnego-krb5", "bkrp-krb5-aes128", "bkrp-krb5-rc4", "bkrp-joerg-krb5"]


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def with_other_digits(text):
    return re.sub("[0-9a-f]{32,}", lambda m: m[0].translate(str.maketrans("0123456789abcdef", "123456789abcdef0")), text)


class Dump(unittest.TestCase):
    def sealed(self, name, text):
        """State, reason and plaintext of each sealed message, opened with a file of this text."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            done = program.run("calls", "-k", file.name, "--format", "jsonl", "--stubs", lens.capture(name))
        self.assertEqual(done.stderr, "")
        calls = [lens.json.loads(line) for line in done.stdout.splitlines()]
        return [(m["state"], m.get("reason_code"), m["stub"]) for m in lens.messages(calls) if m["sealed"]]

    def opens(self, name, text):
        due = [(m["state"], None, m["stub"]) for m in lens.messages(program.calls(lens.capture(name), lens.keys_of(name)))
               if m["sealed"]]
        self.assertTrue(due)
        self.assertEqual({state for state, *_ in due}, {"verified"})
        self.assertEqual(self.sealed(name, text), due)

    def stays_sealed(self, name, text):
        met = self.sealed(name, text)
        self.assertTrue(met)
        self.assertEqual(set(met), {("sealed", "wrong-key", None)})

    def test_domain(self):
        text = text_of(FULL)
        for name in NTLM + KERBEROS:
            with self.subTest(capture=name):
                self.opens(name, text)
                self.stays_sealed(name, with_other_digits(text))

    def test_machine(self):
        """The machine's password alone, as octets in hexadecimal: all of its Kerberos keys are made of it."""
        named = re.search(r"^CORP.DC\$:plain_password_hex:.*$", text_of(LSA), re.MULTILINE)[0]
        for name in KERBEROS:
            with self.subTest(capture=name):
                self.opens(name, named)
                self.stays_sealed(name, with_other_digits(named))

    def test_understood(self):
        """Everything in it is, quietly; and the keys are nowhere in what is said."""
        for path, keys, first in ((FULL, 20, 15), (LSA, 9, 4)):
            out = program.run("keys", path).stdout
            self.assertIn(f"text, {keys} keys\n", out)
            self.assertIn(f"line {first} and others: DES keys, cached logons and secrets of the LSA open no call", out)
            self.assertNotRegex(out, "[0-9a-f]{16}|Lab-")


if __name__ == "__main__":
    unittest.main()
