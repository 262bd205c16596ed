"""The command line: help, versions, errors that tell what to do, and no secret in any of it.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)


class CommandLine(unittest.TestCase):
    def test_help_and_version(self):
        self.assertIn("rpclens verify", program.run("--help").stdout)
        self.assertIn("rpclens calls", program.run("calls", "--help").stdout)
        self.assertRegex(program.run("--version").stdout, r"^rpclens \d+\.\d+\.\d+\n$")

    def test_errors(self):
        for arguments in ([], ["frob"], ["calls"], ["verify"], ["keys"], ["calls", "--frob", "x"], ["verify", "--format", "xml", "x"],
                          ["calls", "--format", "json", "x"], ["calls", "--strict", "x"], ["verify", "--stubs", "x"]):
            done = program.run(*arguments, status=2)
            self.assertIn("rpclens", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_rules(self):
        out = program.run("rules").stdout
        for rule in ("BKRP-5", "BKRP-6", "BKRP-10", "BKRP-11", "BKRP-12", "BKRP-13", "BKRP-19"):
            self.assertRegex(out, rf"(?m)^{rule} +(MUST|SHOULD) +MS-BKRP 3\.2\.4")
        for rule in [f"CMRP-{n}" for n in range(1, 20)] + [f"C-{n:02}" for n in range(1, 39)]:
            self.assertRegex(out, rf"(?m)^{rule} +(MUST|MUST NOT|SHOULD) +MS-CMRP .* (client|server|both) ")
        for rule in [f"WKST-{n}" for n in range(1, 9)] + [f"W-{n:02}" for n in range(1, 27)]:
            self.assertRegex(out, rf"(?m)^{rule} +(MUST|MUST NOT|SHOULD) +MS-WKST .* (client|server|both) ")
        for n in range(1, 4):
            self.assertRegex(out, rf"(?m)^SMB-{n} +note +MS-SMB2 ")
        self.assertRegex(out, r"(?m)^W-24 .* \(not-observable\)$")

    def test_empty_values(self):
        self.assertIn('NetrGetJoinInformation(ServerName=dc.corp.example, NameBuffer="")',
                      program.run("calls", lens.capture("wkst-rpcclient")).stdout)

    def test_keys_shows_no_secret(self):
        with open(os.path.join(lens.CAPTURES, "lab.passwords.txt"), encoding="utf-8") as file:
            passwords = [line.strip().split(":", 1)[1] for line in file if ":" in line]
        with open(os.path.join(lens.CAPTURES, "lab.secretsdump.txt"), encoding="utf-8") as file:
            hashes = [line.split(":")[3] for line in file if line.count(":") > 5]
        files = [os.path.join(lens.CAPTURES, f) for f in ("lab.keytab", "lab.passwords.txt", "lab.secretsdump.txt")]
        for arguments in (["keys", *files], ["calls", *lens.key_options(files), lens.capture("bkrp-dwparam")],
                          ["verify", *lens.key_options(files), lens.capture("bkrp-dwparam")]):
            done = program.run(*arguments, status=None)
            for secret in passwords + hashes:
                self.assertNotIn(secret.lower(), (done.stdout + done.stderr).lower())
        out = program.run("keys", *files).stdout
        self.assertIn("MIT keytab, 13 keys", out)
        self.assertIn("Jörg@CORP", out)

    def test_explain(self):
        keytab = os.path.join(lens.CAPTURES, "lab.keytab")
        out = program.run("keys", "--explain", "-k", keytab, lens.capture("bkrp-two-contexts")).stdout
        self.assertIn("3 security contexts", out)
        self.assertEqual(out.count("proven by the handshake"), 3)
        self.assertEqual(out.count("key      rc4-hmac (an NT hash) of "), 2)
        # alice's key opens her AS-REP, and so on as far as the ticket: the service's key, which the keytab has too, is not needed.
        self.assertIn("key      aes256-cts-hmac-sha1-96 of alice@CORP.EXAMPLE, kvno 2, from %s; proven by" % keytab, out)
        self.assertEqual(out.count("tried    1 key, the last of which fits"), 3)
        self.assertIn("PDUs     8 verified, 0 not", out)
        self.assertIn("messages 8 verified, 0 not opened", out)
        passwords = os.path.join(lens.CAPTURES, "lab.passwords.txt")
        out = program.run("keys", "--explain", "-k", passwords, lens.capture("bkrp-joerg")).stdout
        self.assertIn("key      password of Jörg@CORP, from %s; proven by the handshake" % passwords, out)
        self.assertNotIn("Lab-J", out)
        with tempfile.TemporaryDirectory() as folder:  # one sealed PDU is lost; NTLM's key stream is found again behind it
            lossy = os.path.join(folder, "lossy.pcap")
            packets = list(lens.read_pcap(lens.capture("bkrp-tcp-ntlm-raw")))
            sealed = [at for at, p in enumerate(packets) if b"\5\0\0\3\x10\0\0\0" in p[2][40:80]]
            lens.write_pcap(lossy, packets[:sealed[4]] + packets[sealed[4] + 1:])
            out = program.run("keys", "--explain", "-k", keytab, lossy).stdout
        self.assertIn("missing  1 PDU, in gaps", out)
        out = program.run("keys", "--explain", lens.capture("bkrp-two-contexts")).stdout
        for part in ("user     CORP\\alice", "no key for CORP\\alice", "cifs/dc.corp.example@CORP.EXAMPLE",
                     "no key opens the ticket", "aes256-cts-hmac-sha1-96", "kvno", "messages 0 verified, 8 not opened"):
            self.assertIn(part, out)
        self.assertIn("PDUs     0 verified, 8 not", out)
        self.assertNotIn("proven", out)
        wrong = os.path.join(lens.CAPTURES, "wrong.keytab")
        out = program.run("keys", "--explain", "-k", wrong, lens.capture("bkrp-two-contexts")).stdout
        self.assertIn("matched none of", out)
        self.assertRegex(out, "tried    [0-9]+ keys?\n")
        self.assertNotIn("proven", out.replace("is proven", ""))

    def test_a_line_shows_what_was_read(self):
        """In place of a parameter's octets, if it is short; of a property list as much as there is room for."""
        lines = {}
        for name in ("cmrp-controls", "cmrp-registry", "bkrp-np-ntlm-raw"):
            keys = lens.key_options(lens.keys_of(name))
            lines[name] = program.run("calls", *keys, lens.capture(name)).stdout
        for shown in ("dwControlCode=0x01000029 (CLUSCTL_RESOURCE_GET_NAME)", "lpOutBuffer=Cluster Name, lpBytesReturned=26",
                      "lpOutBuffer={Class=1 (CLUS_RESCLASS_STORAGE), SubClass=0x00000000}, ", "lpOutBuffer=[Name, DnsName], ",
                      "lpOutBuffer={Name=LABCLUSTER, DnsName=labcluster}, ", "lpOutBuffer=0x00000001 (CLUS_FLAG_CORE), ",
                      "lpInBuffer={Name=LABCLUSTER, Aliases=eins zwei, ResourceData=010203}, "):
            self.assertTrue(shown in lines["cmrp-controls"], shown)
        for shown in ("lpData=Gr\u00fc\u00dfe, ", "lpData=42, ", "lpData=[a, bc], ", "lpData=0001020304, ",
                      "(132 octets) as CLUSTER_REG_BATCH_UPDATE) "):
            self.assertTrue(shown in lines["cmrp-registry"], shown)
        for shown in ("(372 octets) as Client_Side_Wrapped_Secret, ", "(64 octets) as Unwrapped_Secret, ", "(60 octets) as Secret, ",
                      "(236 octets) as Server_Side_Wrapped_Secret, ", "(736 octets) as Certificate, "):
            self.assertTrue(shown in lines["bkrp-np-ntlm-raw"], shown)

    def test_all_entries_of_a_descriptor(self):
        """One name, several values: in JSON none of them is lost."""
        calls = program.calls(lens.capture("cmrp-registry"), lens.keys_of("cmrp-registry"))
        read = [c["response"]["params"]["pRpcSecurityDescriptor"] for c in calls if c["method"] == "ApiGetKeySecurity"]
        entries = [r["lpSecurityDescriptor_as"]["Dacl"] for r in read if "lpSecurityDescriptor_as" in r]
        self.assertEqual([[entry.split(", ")[-1] for entry in dacl] for dacl in entries],
                         [["S-1-5-32-544 (BUILTIN_ADMINISTRATORS)", "S-1-1-0 (EVERYONE)"]])

    def test_complaints_name_the_place(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "some.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("# a comment\nCORP\\alice:secret-of-alice\nthis line says nothing\nCORP\\bob:secret-of-bob\n")
            done = program.run("keys", path)
            self.assertIn("line 3", done.stdout)
            self.assertIn("2 keys", done.stdout)
            self.assertNotIn("secret-of", done.stdout + done.stderr)
            keytab = os.path.join(folder, "cut.keytab")
            with open(os.path.join(lens.CAPTURES, "lab.keytab"), "rb") as whole, open(keytab, "wb") as cut:
                cut.write(whole.read()[:-5])
            done = program.run("keys", keytab)
            self.assertIn("offset", done.stdout)
            self.assertIn("12 keys", done.stdout)


if __name__ == "__main__":
    unittest.main()
