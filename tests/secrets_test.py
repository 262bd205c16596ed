"""Secrets that BackupKey calls carry wrapped: the domain's backup keys open them, what comes out is what the server answered, other
keys and none do not, and nothing is shown or overwritten that the user did not ask for.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import base64
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)


def shipped(*names):
    return [os.path.join(lens.CAPTURES, n) for n in names]


TRAFFIC = shipped("lab.keytab")
CLIENT, SERVER = shipped("lab.bkrp-clientwrap.bin", "lab.bkrp-serverwrap.bin")
WRONG = shipped("wrong-backup.pem", "wrong.bkrp-serverwrap.bin")
CAPTURES = ["bkrp-smbtorture-np-ntlm", "bkrp-smbtorture-tcp-krb5", "bkrp-ndr64-krb5"]
RESTORE, RESTORE_WIN2K, BACKUP = ("47270c64-2fc7-499b-ac5b-0e37cdce899a", "7fe94d50-178e-11d1-ab8f-00805f14db40",
                                  "7f752b10-178e-11d1-ab8f-00805f14db40")
UUID = "ee99fbe0-a0e0-4524-9deb-4924d3783b57"


def calls(name, keys, *options):
    done = program.run("calls", *lens.key_options(TRAFFIC + keys), "--format", "jsonl", *options, lens.capture(name))
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrapped(call, half):
    return call[half].get("secrets", [])


def private_numbers():
    """n, e, p, q, dp, dq, coefficient, d of the lab's key: the PRIVATEKEYBLOB behind 12 octets of LSA secret."""
    with open(CLIENT, "rb") as file:
        blob = file.read()[12:12 + 1172]
    at, numbers = 20, []
    for width in (256, 128, 128, 128, 128, 128, 256):
        numbers.append(int.from_bytes(blob[at:at + width], "little"))
        at += width
    n, p, q, dp, dq, coefficient, d = numbers
    return blob, (n, int.from_bytes(blob[16:20], "little"), d, p, q, dp, dq, coefficient)


def tlv(tag, value):
    length = len(value)
    head = bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2, "big")
    return bytes([tag]) + head + value


def der_key():
    _, numbers = private_numbers()
    return tlv(0x30, b"".join(tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big")) for v in (0, *numbers)))


def pem(label, der, before=""):
    return f"{before}-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


class Secrets(unittest.TestCase):
    def test_what_opens_is_what_the_server_answered(self):
        compared = 0
        for name in CAPTURES:
            for call in calls(name, [CLIENT, SERVER], "--show-secrets"):
                action = call["request"]["params"].get("pguidActionAgent") if call["protocol"] == "bkrp" else None
                if action not in (RESTORE, RESTORE_WIN2K) or call["response"]["status"]["code"] != 0:
                    continue
                with self.subTest(capture=name, frames=call["request"]["frames"]):
                    [secret] = wrapped(call, "request")
                    self.assertEqual(secret["state"], "verified")
                    self.assertRegex(secret["sid"], "^S-1-5-21-.*-500$")
                    answer = call["response"]["params"]["ppDataOut"]
                    if secret["type"] == "Client_Side_Wrapped_Secret":
                        if action == RESTORE_WIN2K:
                            continue  # answered as 2.2.6, sealed once more
                        answer = answer[8:]  # 2.2.3: four octets in front
                    self.assertEqual(secret["octets"], answer)
                    compared += 1
        self.assertGreater(compared, 10)

    def test_what_the_server_wraps_opens_again(self):
        compared = 0
        for call in calls("bkrp-smbtorture-np-ntlm", [SERVER], "--show-secrets"):
            if call["protocol"] == "bkrp" and call["request"]["params"]["pguidActionAgent"] == BACKUP and wrapped(call, "response"):
                [secret] = wrapped(call, "response")
                self.assertEqual(secret["octets"], call["request"]["params"]["pDataIn"])
                compared += 1
        self.assertGreater(compared, 5)

    def states(self, name, keys):
        found = [(s["state"], s["reason"]) for call in calls(name, keys) for half in ("request", "response")
                 for s in wrapped(call, half)]
        return [f for f in found if "contradict" not in f[1]]  # smbtorture sends some that are broken

    def test_wrong_keys_and_none(self):
        for name in CAPTURES:
            for keys, said in ((WRONG, "no backup key held for"), ([], "no backup key ")):
                states = self.states(name, keys)
                self.assertTrue(states)
                for state, reason in states:
                    self.assertEqual(state, "sealed")
                    self.assertTrue(reason.startswith(said), reason)

    def test_nothing_is_shown_unasked(self):
        for call in calls("bkrp-smbtorture-np-ntlm", [CLIENT, SERVER]):
            for half in ("request", "response"):
                for secret in wrapped(call, half):
                    self.assertNotIn("octets", secret)

    def test_every_form_of_the_key(self):
        blob, _ = private_numbers()
        pvk = b"".join(v.to_bytes(4, "little") for v in (0xb0b5f11e, 0, 1, 0, 0, len(blob))) + blob
        inner = tlv(0x30, tlv(2, b"\0") + tlv(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\0") + tlv(4, der_key()))
        forms = {f"ntds_capi_0_{UUID}.pvk": pvk, "a.pvk": pvk, "blob": blob, "rsa.pem": pem("RSA PRIVATE KEY", der_key()),
                 "pkcs8.pem": pem("PRIVATE KEY", inner, "Bag Attributes\n    localKeyID: 01\n")}
        for name, data in forms.items():
            with self.subTest(form=name), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(data)
                listed = program.run("keys", path).stdout
                self.assertIn("DPAPI backup key, RSA, " + (UUID if UUID in name else "GUID not known"), listed)
                opened = [s for call in calls("bkrp-smbtorture-np-ntlm", [path]) for s in wrapped(call, "request") if s["state"] == "verified"]
                self.assertTrue(opened)

    def test_sealed_and_broken_keys(self):
        blob, _ = private_numbers()
        sealed_pvk = b"".join(v.to_bytes(4, "little") for v in (0xb0b5f11e, 0, 1, 1, 16, len(blob))) + bytes(16) + blob
        sealed_pem = subprocess.run(["openssl", "pkey", "-aes256", "-passout", "pass:x"], input=pem("RSA PRIVATE KEY", der_key()),
                                    capture_output=True, check=True).stdout
        with open(CLIENT, "rb") as file:
            whole = file.read()
        for data, said in ((sealed_pvk, "offset 12: the key is sealed with a password"), (sealed_pem, "line 1: the key is sealed"),
                           (whole[:1000], "offset 4: the key is said to have 1172 octets, but 988 are left"),
                           (pem("PRIVATE KEY", b"\x30\0"), "line 1: no RSA private key")):
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                done = program.run("keys", file.name, status=2)
                self.assertIn(said, done.stdout)

    def test_files(self):
        with tempfile.TemporaryDirectory() as parent:
            folder = os.path.join(parent, "new", "out")
            run = ["secrets", *lens.key_options([*TRAFFIC, CLIENT, SERVER]), "--out", folder, lens.capture("bkrp-smbtorture-np-ntlm")]
            out = program.run(*run).stdout
            self.assertRegex(out, r"^13 certificates, 20 secrets in the clear, 25 opened with a backup key; 22 stay wrapped\n")
            first = {}
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
                with open(path, "rb") as file:
                    first[name] = file.read()
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
            self.assertEqual(len(first), 13 + 20 + 25 + 1)
            manifest = json.loads(first["manifest.json"])
            self.assertEqual(len(manifest), 13 + 20 + 25 + 22)
            said = {c["data_out"] for c in lens.expected_calls("bkrp-smbtorture-np-ntlm")}
            for entry in manifest:
                if entry["file"]:
                    self.assertEqual(len(first[entry["file"]]), entry["length"])
                    self.assertIn(f"frame-{entry['frame']:06}-", entry["file"])
                if entry["kind"] == "certificate":
                    self.assertIn(first[entry["file"]].hex(), said)
                if entry["kind"] == "wrapped secret" and not entry["file"]:
                    self.assertEqual(entry["state"], "sealed")
            program.run(*run)  # a second time: everything once more, and nothing of the first changed
            self.assertEqual(len(os.listdir(folder)), 2 * len(first))
            for name, data in first.items():
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertEqual(file.read(), data)
            done = program.run("secrets", "--out", os.path.join(folder, "manifest.json"), lens.capture("bkrp-dwparam"), status=2)
            self.assertIn("cannot be made", done.stderr)
            program.run("secrets", lens.capture("bkrp-dwparam"), status=2)


if __name__ == "__main__":
    unittest.main()
