"""Passwords of join calls: the key of the SMB session opens them in every dialect, other keys and none do not, and nothing is
shown that the user did not ask for. The clients that sealed them took the session key from their own SMB library.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hmac
import json
import os
import stat
import struct
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)

PASSWORD, ACCOUNT = "Lab-Join-2026! \u00e4\u20ac", "CORP\\alice"
# Capture -> the key that its dialect asks for, and whether session_line() can tell the session's own.
CAPTURES = {
    "wkst-join-smb1": ("protected Session.SessionKey", True),
    "wkst-join-smb202": ("Session.SessionKey", True),
    "wkst-join-smb21": ("Session.SessionKey", True),
    "wkst-join-smb300": ("Session.ApplicationKey", True),
    "wkst-join-smb311": ("Session.ApplicationKey", True),
    "wkst-join-smb311-encrypted": ("Session.ApplicationKey", True),
    "wkst-fake-newer-smb1": ("protected Session.SessionKey", True),
    "wkst-fake-newer-smb21": ("Session.SessionKey", True),
    "wkst-fake-newer-smb311": ("Session.ApplicationKey", True),
    "wkst-fake-newer-smb311-encrypted": ("Session.ApplicationKey", True),
    "wkst-join-krb5": ("Session.ApplicationKey", False),
    "wkst-impacket": ("Session.SessionKey", False),
    "wkst-impacket-seal": ("Session.SessionKey", False),
    "wkst-join-domain": ("Session.ApplicationKey", False),
}
# Without the key there is not even the call.
SEALED_RPC = {"wkst-impacket-seal", "wkst-join-smb311-encrypted", "wkst-fake-newer-smb311-encrypted"}
WRONG = [os.path.join(lens.CAPTURES, f) for f in ("wrong.keytab", "wrong-passwords.txt")]


def secrets(name, keys, *options):
    done = program.run("calls", *lens.key_options(keys), "--format", "jsonl", *options,
                       name if name.endswith(".pcap") else lens.capture(name))
    return [s for line in done.stdout.splitlines() for s in json.loads(line)["request"].get("secrets", [])
            if s["type"].startswith("JOINPR_ENCRYPTED_USER_PASSWORD")]


def proof(secret, key):
    """What must be said of a password that a sure key opened."""
    return f"the SMB session's {key}, " + ("and its HMAC holds" if secret["type"].endswith("_AES") else "which is proven")


NT_HASH = bytes.fromhex("98a426613a8e8397555b66cd0a79f517")  # of STAND_ADMIN_PW in test-captures/lab/settings.sh


def rc4(key, data):
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for octet in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(octet ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def session_line(name):
    """Id and key of the session, out of NTLMv2's handshake ([MS-NLMP] 3.3.2)."""
    def field(at):
        length, _, offset = struct.unpack_from("<HHI", token, at)
        return token[offset:offset + length]
    smb1 = name.endswith("smb1")
    messages = list(lens.smb_messages(lens.capture(name), b"\xffSMB" if smb1 else b"\xfeSMB"))
    challenge = next(m[m.index(b"NTLMSSP\0\2"):] for c, m in messages if not c and b"NTLMSSP\0\2" in m)
    message = next(m for c, m in messages if c and b"NTLMSSP\0\3" in m)
    token = message[message.index(b"NTLMSSP\0\3"):]
    owner = hmac.digest(NT_HASH, (field(36).decode("utf-16-le").upper()).encode("utf-16-le") + field(28), "md5")
    proof_of_it = field(20)[:16]
    assert proof_of_it == hmac.digest(owner, challenge[24:32] + field(20)[16:], "md5")
    key = rc4(hmac.digest(owner, proof_of_it, "md5"), field(52))
    number = struct.unpack_from("<H", message, 28)[0] if smb1 else struct.unpack_from("<Q", message, 40)[0]
    return f"{number:#x} {key.hex()}"


class KeyFile:
    def __init__(self, line):
        self.line = line

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".txt")
        self.file.write(f"smb-session-key {self.line}\n")
        self.file.flush()
        return self.file.name

    def __exit__(self, *_):
        self.file.close()


class Join(unittest.TestCase):
    def test_opened(self):
        for name, (key, _) in CAPTURES.items():
            with self.subTest(capture=name):
                found = secrets(name, lens.keys_of(name), "--show-secrets")
                sent = [c for c in lens.expected_calls(name) if "password" in c]
                if name.startswith("wkst-impacket"):  # impacket's calls are not in .expect, one password is all it sends
                    self.assertGreater(len(found), 1)
                    self.assertEqual({s["password"] for s in found}, {PASSWORD})
                else:
                    self.assertEqual([s["password"] for s in found], [c["password"] for c in sent])
                    self.assertEqual(["bare UTF-16" in s["reason"] for s in found], [c["encoding"] == "Samba" for c in sent])
                self.assertEqual({s["state"] for s in found}, {"verified"})
                newer = len([s for s in found if s["type"].endswith("_AES")])
                self.assertEqual(newer, 5 if "newer" in name else 0)
                for s in found:
                    self.assertIn(proof(s, key), s["reason"])
                    self.assertEqual(s["length"], len(s["password"].encode()))
                    self.assertIn(s["account"], (ACCOUNT, "CORP\\Administrator"))
                    self.assertIn(s["field"], ("Password", "EncryptedPassword"))

    def test_wrong_keys_and_none(self):
        for name in CAPTURES:
            for keys in (WRONG, []):
                with self.subTest(capture=name, keys=keys):
                    found = secrets(name, keys, "--show-secrets")
                    self.assertEqual(len(found) > 0, name not in SEALED_RPC)
                    for s in found:
                        self.assertEqual(s["state"], "sealed")
                        self.assertNotIn("password", s)
                        self.assertNotIn("length", s)
                        self.assertTrue(s["reason"].startswith("sealed"), s["reason"])

    def test_session_key(self):
        for name, (key, known) in CAPTURES.items():
            if not known:
                continue
            line = session_line(name)
            wrong = line[:-1] + ("0" if line[-1] != "0" else "1")
            elsewhere = "0x7777" + line[line.index(" "):]
            with self.subTest(capture=name), KeyFile(line) as right, KeyFile(wrong) as other, KeyFile(elsewhere) as another:
                found = secrets(name, [right], "--show-secrets")
                passwords = [c["password"] for c in lens.expected_calls(name) if "password" in c]
                self.assertEqual([s["password"] for s in found], passwords)
                self.assertEqual({s["state"] for s in found}, {"verified"})
                for s in found:
                    self.assertIn(proof(s, key), s["reason"])
                for keys in ([other], [another]):
                    for s in secrets(name, keys, "--show-secrets"):
                        self.assertEqual(s["state"], "sealed")
                        self.assertTrue(s["reason"].startswith("sealed"), s["reason"])
                        self.assertNotIn("password", s)

    def test_length(self):
        """A Length that cannot be is the sender's fault if the key is proven; else it is the key that is wrong."""
        for name, verdict in (("wkst-fake-join-bad-length", "violation"), ("wkst-fake-join-bad-length-refused", "pass")):
            line = session_line(name)
            with KeyFile(line) as right, KeyFile(line[:-8] + "deadbeef") as wrong:
                for keys, proven in ((lens.keys_of(name), True), ([right], True), ([wrong], False), (WRONG, False), ([], False)):
                    with self.subTest(capture=name, keys=keys):
                        found = secrets(name, keys, "--show-secrets")
                        self.assertEqual([("password" in s, s["state"]) for s in found], [(False, "sealed")] * 2)
                        self.assertEqual(["which is proven, but its Length is" in s["reason"] for s in found], [proven] * 2)
                        rule = next(r for r in program.verify(lens.capture(name), keys)[1]["rules"] if r["id"] == "W-16")
                        self.assertEqual((rule["verdict"], rule["reason"]),
                                         (verdict, None) if proven else ("inconclusive", "IC-ENCRYPTED"))

    def test_likely(self):
        """Without the set-up's end no signature proves a supplied key, so it is the password's shape that speaks."""
        name = "wkst-join-smb1"
        with tempfile.NamedTemporaryFile(suffix=".pcap") as cut, KeyFile(session_line(name)) as right, \
                KeyFile(session_line(name)[:-8] + "deadbeef") as wrong:
            packets = list(lens.read_pcap(lens.capture(name)))
            kept = [p for p in packets if not (b"\xffSMB\x73" in p[2] and b"\x01\xbd" == p[2][34:36])]
            self.assertLess(len(kept), len(packets))
            lens.write_pcap(cut.name, kept)
            found = secrets(cut.name, [right], "--show-secrets")
            self.assertEqual([s["password"] for s in found], [PASSWORD] * 9)
            self.assertEqual({s["state"] for s in found}, {"likely"})
            self.assertEqual([s["reason"].count("2^48") for s in found], [1] * 8 + [0])
            self.assertEqual([s["reason"].count("2^27") for s in found], [0] * 8 + [1])
            found = secrets(cut.name, [wrong], "--show-secrets")
            self.assertEqual({s["state"] for s in found}, {"sealed"})
            self.assertFalse([s for s in found if "password" in s])

    def without(self, name, keys, command):
        """The secrets of a capture without the SMB2 messages of one command."""
        with tempfile.NamedTemporaryFile(suffix=".pcap") as cut:
            packets = list(lens.read_pcap(lens.capture(name)))
            kept = [p for p in packets if b"\xfeSMB" not in p[2] or p[2][p[2].index(b"\xfeSMB") + 12] != command]
            self.assertLess(len(kept), len(packets))
            lens.write_pcap(cut.name, kept)
            return secrets(cut.name, keys, "--show-secrets")

    def test_capture_begins_late(self):
        """Of 3.1.1 the key takes the hash of all that was said before; of older dialects a signature tells which one it is."""
        for name in ("wkst-join-smb202", "wkst-join-smb21", "wkst-join-smb300", "wkst-join-smb311"):
            with KeyFile(session_line(name)) as line:
                negotiation = self.without(name, lens.keys_of(name), 0)
                set_up = self.without(name, [line], 1)
            with self.subTest(capture=name):
                if name == "wkst-join-smb311":
                    self.assertEqual({s["state"] for s in negotiation + set_up}, {"sealed"})
                    self.assertTrue(all("the negotiation of the SMB dialect is not in" in s["reason"] for s in negotiation))
                    self.assertTrue(all("the session's set-up, on which the key depends, is not" in s["reason"] for s in set_up))
                else:
                    self.assertEqual([s["password"] for s in negotiation + set_up], [PASSWORD] * 18)
                    self.assertEqual({s["state"] for s in negotiation + set_up}, {"verified"})

    def test_nothing_is_shown_unasked(self):
        for name in ("wkst-join-smb311", "wkst-join-smb1"):
            keys = lens.key_options(lens.keys_of(name))
            for run in (["calls", "--format", "jsonl", "--stubs"], ["calls"], ["verify", "--format", "json"],
                        ["keys", "--explain"]):
                done = program.run(*run, *keys, lens.capture(name), status=None)
                for form in (PASSWORD, PASSWORD.encode("utf-16-le").hex(), PASSWORD.encode().hex(), "Lab-Join"):
                    self.assertNotIn(form, done.stdout + done.stderr)
            self.assertIn(PASSWORD, program.run("calls", "--show-secrets", *keys, lens.capture(name)).stdout)

    def test_passwords_as_they_are(self):
        """What a call carries without sealing it once more is hidden as well."""
        for name, field, password in (("wkst-fake-levels", "ui1_password", "Lab-Use-2026!"),
                                      ("wkst-fake-levels-ndr64-seal", "ui1_password", "Lab-Use-2026!"),
                                      ("crafted-cmrp-udp-methods", "lpszNewPassword", "Neu-2026!")):
            keys = lens.key_options(lens.keys_of(name))
            for run in (["calls", "--format", "jsonl"], ["calls"], ["verify", "--format", "json"], ["verify"]):
                done = program.run(*run, *keys, lens.capture(name), status=None)
                self.assertNotIn(password, done.stdout + done.stderr)
                if run[-1] == "jsonl":
                    self.assertIn(f'"{field}":"(hidden: --show-secrets)"', done.stdout)
            shown = program.run("calls", "--show-secrets", "--format", "jsonl", *keys, lens.capture(name)).stdout
            self.assertIn(f'"{field}":"{password}"', shown)

    def test_files(self):
        with tempfile.TemporaryDirectory() as parent:
            folder = os.path.join(parent, "out")
            name = "wkst-join-smb311"
            done = program.run("secrets", *lens.key_options(lens.keys_of(name)), "--out", folder, lens.capture(name))
            self.assertIn(" 0 opened with a backup key, 9 passwords with an SMB session's; 0 stay wrapped\n", done.stdout)
            self.assertNotIn("Lab-Join", done.stdout)
            with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn("Lab-Join", text)
            for entry in json.loads(text):
                path = os.path.join(folder, entry["file"])
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), PASSWORD.encode())
                self.assertEqual((entry["kind"], entry["account"], entry["state"]), ("password", ACCOUNT, "verified"))


if __name__ == "__main__":
    unittest.main()
