"""The plugin in tshark, as an ordinary user: every sealed PDU verified, fields as the client said, rules as expert infos at their frames,
reasons where there is no key; and stock tshark beside it.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
STATES = ["frame.number", "rpclens.state"]
# Of each mechanism and carrier; wrong_keys_test.py has the twins of all.
TWINS = ["bkrp-dwparam", "bkrp-joerg", "bkrp-krb5-rc4", "bkrp-mit-aes256-sha2", "bkrp-ndr64-krb5", "bkrp-np-bigendian", "bkrp-ntlm-v1",
         "bkrp-same-pipe-twice", "bkrp-smb1", "bkrp-smbtorture-np-ntlm", "bkrp-smbtorture-tcp-krb5", "bkrp-tcp-spnego-ntlm",
         "bkrp-two-contexts", "cmrp-lifecycle-ndr64", "cmrp-tcp-krb5-sealed", "crafted-bkrp-udp-ntlm", "crafted-cmrp-udp-ntlm",
         "wkst-fake-ndr64-krb5", "wkst-rpcclient-seal"]


def states(rows):
    return [state for row in rows for state in row[1]]


class Plugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lens = lens.Tshark(BUILD)
        cls.stock = lens.Tshark(None)
        cls.addClassCleanup(cls.lens.__exit__)
        cls.addClassCleanup(cls.stock.__exit__)

    def options(self, keys):
        return ["-o", "rpclens.keys:" + ";".join(self.lens.lend(k) for k in keys)] if keys else []

    @staticmethod
    def passes(name):
        """Over UDP the first call is sealed before the key is agreed on: its frame shows the plaintext from the second pass on."""
        return ["-2"] if "udp" in name else []

    def each(self, check, names=None):
        """check(name, row, path, options) for each capture; one that fails does not keep the others from being checked."""
        for name, row in lens.must_show().items():
            if names and name not in names:
                continue
            with self.subTest(capture=name):
                check(name, row, self.lens.lend(lens.capture(name)), self.options(lens.keys_of(name)) + self.passes(name))

    def test_loaded(self):
        out, _ = self.lens.run("-G", "protocols")
        self.assertIn("\tbkrp\n", out)
        self.assertIn("\trpclens\n", out)

    def test_everything_sealed_is_verified(self):
        """And nothing is malformed, and nothing complains."""
        def check(name, row, path, options):
            names = STATES + ["_ws.malformed", "_ws.col.Protocol"]
            out, messages = self.lens.run("-r", path, *options, "-T", "fields", "-E", "aggregator=|",
                                          *(word for field in names for word in ("-e", field)), "-Y", "rpclens.state || _ws.malformed")
            rows = [line.split("\t") for line in out.splitlines()]
            met = [state for row in rows if row[1] for state in row[1].split("|")]
            verified = met.count("verified")
            self.assertNotIn("sealed", met)
            self.assertGreaterEqual(verified, int(row["sealed"]))
            if int(row["sealed"]):  # PDUs below privacy are verified too, but stand in captures of their own
                self.assertEqual(verified, int(row["sealed"]))
            if name != "crafted-cmrp-malformed":  # it is so on purpose
                self.assertEqual([r[0] for r in rows if r[2] and r[3] in ("BKRP", "CMRP", "WKST")], [])
            self.assertEqual([m for m in messages.splitlines() if "bug" in m.lower() or "warning" in m.lower()], [])

        self.each(check)

    def test_two_passes_say_the_same(self):
        fields = STATES + ["bkrp.opnum", "bkrp.dwParam", "bkrp.pDataIn", "bkrp.ppDataOut", "bkrp.return", "_ws.col.Info"]
        # Not bkrp-smb3-encrypted-ntlm: in two passes tshark runs no taps in the first, and its SMB2 learns NTLM keys by a tap.
        def check(_name, _row, path, options):
            self.assertEqual(self.lens.fields(path, fields, *options, "-Y", "bkrp"),
                             self.lens.fields(path, fields, *options, "-2", "-Y", "bkrp"))

        self.each(check, ["bkrp-np-bigendian", "bkrp-fragments-ntlm", "bkrp-two-contexts", "bkrp-smb1",
                          "bkrp-smb3-encrypted-krb5", "bkrp-dwparam"])

    def test_info_tells_what_came_of_it(self):
        def infos(name):
            path, options = self.lens.lend(lens.capture(name)), self.options(lens.keys_of(name))
            rows = self.lens.fields(path, ["_ws.col.Info"], *options, "-Y", "wkst")
            return [info[0] for (info,) in rows]
        for name in ("wkst-rpcclient", "wkst-rpcclient-seal", "wkst-reserved"):
            with self.subTest(capture=name):
                calls = lens.calls_of(name, program.calls(lens.capture(name), lens.keys_of(name)))
                ends = [call["response"]["status"] for call in calls if call["response"]["kind"] != "none"]
                told = [end["name"] for end in ends if end["name"] != "ERROR_SUCCESS"]
                self.assertEqual([info.rpartition(", status: ")[2] for info in infos(name) if ", status: " in info], told)
                self.assertTrue(told)
                self.assertFalse([info for info in infos(name) if " request" in info and "status" in info])

    def test_fields_are_what_the_client_said(self):
        names = ["bkrp.pguidActionAgent", "bkrp.cbDataIn", "bkrp.dwParam", "bkrp.pDataIn"]
        bkrp = [name for name in lens.must_show() if lens.protocol_of(name) == "bkrp"]
        def check(name, _row, path, options):
            said = lens.expected_calls(name)
            rows = self.lens.fields(path, names, *options, "-Y", "bkrp.pguidActionAgent")
            met = sorted((r[0][0], int(r[1][0]), int(r[2][0], 0), r[3][0].replace("<MISSING>", "") if r[3] else "") for r in rows)
            truth = sorted((s["action"], s["cb_data_in"], s["dw_param"]) for s in said if s["status"] is not None)
            if truth:
                self.assertEqual([m[:3] for m in met], truth)
            data = sorted(s["data_in"] for s in said if s["data_in"] is not None and s["status"] is not None)
            self.assertLessEqual(set(data), {m[3] for m in met})
            rows = self.lens.fields(path, ["bkrp.return", "bkrp.pcbDataOut"], *options, "-Y", "bkrp.return")
            self.assertEqual(sorted(int(r[0][0], 0) for r in rows), sorted(s["status"] for s in said if s["status"] is not None))

        self.each(check, bkrp)

    def test_rules_stand_at_their_frames(self):
        def check(name, row, path, options):
            _, report = program.verify(lens.capture(name), lens.keys_of(name))
            rules = [pair.split(":")[0] for pair in row["broken"].split()]
            if not rules:
                return
            due = {"rpclens." + name: set() for name in ["doubt"] + ["rule." + rule for rule in rules]}
            for found in report["findings"]:    # a MUST that may be broken stands as a doubt, not as its rule
                if found["verdict"] in ("violation", "warning") and found["rule"] in rules:
                    doubt = found["verdict"] == "warning" and found["level"] != "SHOULD"
                    due["rpclens.doubt" if doubt else "rpclens.rule." + found["rule"]].update(found["frames"])
            # Some are judged when a connection ends, after its frames: those stand there in the second pass. Where Wireshark opens
            # encrypted SMB3 with an NTLM key it does so in the first pass only.
            passes = [] if "encrypted" in name and "krb5" not in name else ["-2"]
            rows = self.lens.fields(path, ["frame.number", *due], *options, *passes)
            shown = {field: {int(row[0][0]) for row in rows if row[1 + i]} for i, field in enumerate(due)}
            self.assertEqual(shown, due)

        self.each(check)

    def test_handles(self):
        """In the tree a handle has the name, and the frames of its opening and its end, that the program tells."""
        def check(name, _row, path, options):
            life = {}
            for call in program.calls(lens.capture(name), lens.keys_of(name)):
                for handle in (h for m in lens.messages([call]) for h in m.get("handles", {}).values()):
                    life[handle["uuid"]] = handle
            fields = ["cmrp.hResource", "cmrp.handle.name", "cmrp.handle.opened_in", "cmrp.handle.closed_in"]
            rows = self.lens.fields(path, fields, *options, "-2", "-Y", "cmrp.hResource && cmrp.handle.name && !cmrp.hNode")
            self.assertTrue(rows)
            for (uuid, *_), shown, opened, closed in rows:
                handle = life[uuid]
                self.assertEqual((shown[0], opened[0]), (handle["name"], str(handle["opened"])))
                self.assertEqual(closed, [str(handle["closed"])] if handle["closed"] else [])

        self.each(check, ["cmrp-lifecycle", "cmrp-lifecycle-ndr64"])

    def test_many_keys(self):
        """The one that SMB3 needs is found among thousands, and Wireshark gets no other."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            for n in range(3000):
                file.write("CORP\\user%d:%d:aad3b435b51404eeaad3b435b51404ee:%032x:::\n" % (n, n, n))
            file.flush()
            for name in ("bkrp-smb3-encrypted-ntlm", "bkrp-smb300-encrypted-ntlm"):
                path, keys = self.lens.lend(lens.capture(name)), [file.name, *lens.keys_of(name)]
                rows = self.lens.fields(path, STATES, *self.options(keys), "-Y", "rpclens.state")
                self.assertEqual(states(rows), ["verified"] * 16)

    def test_which_key(self):
        path, options = self.lens.lend(lens.capture("bkrp-krb5-rc4")), self.options(lens.keys_of("bkrp-krb5-rc4"))
        names = ["rpclens.key", "rpclens.keys_tried", "rpclens.pdus_verified", "rpclens.pdus_refused"]
        rows = self.lens.fields(path, names, *options, "-Y", "rpclens.state")
        self.assertEqual(len(rows), 8)
        for row in rows:
            self.assertRegex(row[0][0], r"^rc4-hmac \(an NT hash\) of Administrator@CORP.EXAMPLE, kvno 1, from .*lab.keytab$")
            self.assertEqual((row[1], row[3]), (["1"], ["0"]))
        self.assertEqual([row[2] for row in rows], [[n] for n in "12123456"])  # two associations, in one pass
        self.assertEqual(self.lens.fields(path, names, "-Y", "rpclens.key"), [])

    def twin(self, options, code):
        def check(name, row, path, _options):
            rows = self.lens.fields(path, STATES + ["rpclens.reason", "bkrp.pDataIn", "bkrp.ppDataOut"], *options, *self.passes(name),
                                    "-Y", "rpclens.state")
            if "encrypted" in name or row["sealed"] == "0":
                return
            self.assertEqual(states(rows), ["sealed"] * int(row["sealed"]))
            for r in rows:
                self.assertEqual(len(r[2]), len(r[1]))
                self.assertTrue(all(code in reason for reason in r[2]), r[2])
                self.assertEqual(r[3] + r[4], [])

        self.each(check, TWINS)

    def test_no_key_says_which(self):
        self.twin([], "no key")

    def test_wrong_key_says_so(self):
        wrong = [lens.os.path.join(lens.CAPTURES, f) for f in ("wrong.keytab", "wrong-mit.keytab", "wrong-passwords.txt")]
        self.twin(self.options(wrong), "none of")

    def test_other_ways_to_give_keys(self):
        """The key table, and the keytab and password that the user gave Wireshark itself."""
        path, keytab = self.lens.lend(lens.capture("bkrp-dwparam")), self.lens.lend(lens.os.path.join(lens.CAPTURES, "lab.keytab"))
        for options in (["-o", 'uat:rpclens_keys:"CORP\\x5calice","Lab-Alice-2026!"'], ["-o", "kerberos.file:" + keytab],
                        ["-o", "ntlmssp.nt_password:Lab-Alice-2026!"]):
            rows = self.lens.fields(path, STATES, *options, "-Y", "rpclens.state")
            self.assertEqual(states(rows), ["verified"] * 8, options)
        out, messages = self.lens.run("-r", path, "-o", 'uat:rpclens_keys:"","x"', check=False)
        self.assertIn("a key needs both", messages)
        _, messages = self.lens.run("-r", path, "-o", "rpclens.keys:/nonexistent/keys", check=False)
        self.assertIn("/nonexistent/keys", messages)

    def test_builtin_given_back(self):
        """A preference gives an interface back to Wireshark's own dissector; ClusAPI 2.0, which it does not know, stays ours."""
        for name, builtin, ours in (("cmrp-level-none", "clusapi", "cmrp"), ("wkst-rpcclient", "wkssvc", "wkst"),
                                    ("crafted-cmrp-udp", "clusapi", "cmrp")):
            path = self.lens.lend(lens.capture(name))
            count = {}
            for back in ("FALSE", "TRUE"):
                for protocol in (builtin, ours):
                    count[back, protocol] = len(self.lens.fields(path, ["frame.number"], "-o", f"rpclens.builtin_{builtin}:{back}",
                                                                 "-Y", protocol))
            with self.subTest(capture=name):
                self.assertGreater(count["FALSE", ours], 10)
                self.assertEqual(count["FALSE", builtin], 0)
                stays = "udp" in name
                self.assertEqual(count["TRUE", ours], count["FALSE", ours] if stays else 0)
                self.assertEqual(count["TRUE", builtin] > 10, not stays)

    def test_two_fragments_in_one_frame(self):
        """What is drawn of an unsealed message is the whole of it, also where its fragments are in one frame."""
        packets = list(lens.read_pcap(lens.capture("cmrp-level-none")))
        seconds, fraction, packet, length = packets[165]
        ip, tcp = packet[14:], packet[34:]
        head = 34 + 4 * (tcp[12] >> 4)
        pdu = packet[head:14 + int.from_bytes(ip[2:4], "big")]
        self.assertEqual(pdu[:4], b"\5\0\2\3")
        cut = 24 + 8
        parts = [bytes((*pdu[:3], flags, *pdu[4:8])) + size.to_bytes(2, "little") + pdu[10:24] + stub
                 for flags, size, stub in ((1, cut, pdu[24:cut]), (2, 24 + len(pdu) - cut, pdu[cut:]))]
        split = packet[:16] + (int.from_bytes(ip[2:4], "big") + 24).to_bytes(2, "big") + packet[18:head] + b"".join(parts)
        names = ["cmrp.Status", "cmrp.rpc_status", "cmrp.return_handle"]
        shown = []
        for octets in (packet, split):
            path = lens.os.path.join(self.lens.home, "fragments.pcap")
            lens.write_pcap(path, [*packets[:165], (seconds, fraction, octets, len(octets) + length - len(packet))])
            shown.append(self.lens.fields(path, names, "-Y", "frame.number == 166"))
        self.assertTrue(all(shown[0][0]))
        self.assertEqual(shown[0], shown[1])

    def test_secrets_only_with_consent(self):
        files = ("lab.keytab", "lab.bkrp-clientwrap.bin", "lab.bkrp-serverwrap.bin")
        options = self.options([lens.os.path.join(lens.CAPTURES, f) for f in files])
        path, names = self.lens.lend(lens.capture("bkrp-smbtorture-np-ntlm")), ["rpclens.secret.sid", "rpclens.secret.octets"]
        hidden = self.lens.fields(path, names, *options, "-Y", "rpclens.secret")
        shown = self.lens.fields(path, names, *options, "-Y", "rpclens.secret", "-o", "rpclens.show_secrets:TRUE")
        self.assertGreater(len([row for row in hidden if row[0]]), 20)
        self.assertTrue(all(not row[1] for row in hidden))
        self.assertTrue(all(len(octets) >= 120 for row in shown if row[0] for octets in row[1]))
        self.assertEqual([row[0] for row in shown], [row[0] for row in hidden])

    def test_join_passwords_only_with_consent(self):
        names = ["rpclens.secret.account", "rpclens.secret.password", "rpclens.secret"]
        # Two passes, but of sessions that NTLM encrypts one, as above.
        for name, passes in (("wkst-join-smb300", ["-2"]), ("wkst-join-smb311-encrypted", [])):
            options = [*self.options(lens.keys_of(name)), *passes, "-Y", "rpclens.secret"]
            path = self.lens.lend(lens.capture(name))
            hidden = self.lens.fields(path, names, *options)
            shown = self.lens.fields(path, names, *options, "-o", "rpclens.show_secrets:TRUE")
            self.assertEqual([row[0] for row in hidden], [["CORP\\alice"]] * 9)
            self.assertTrue(all(not row[1] for row in hidden))
            self.assertTrue(all(row[2][0].startswith("opened with the SMB session's Session.ApplicationKey") for row in hidden))
            self.assertEqual([row[1] for row in shown], [["Lab-Join-2026! \u00e4\u20ac"]] * 9)

    def test_passwords_in_calls_only_with_consent(self):
        for name, field, password in (("wkst-fake-levels-ndr64-seal", "wkst.ui1_password", "Lab-Use-2026!"),
                                      ("crafted-cmrp-udp-methods", "cmrp.lpszNewPassword", "Neu-2026!")):
            path, options = self.lens.lend(lens.capture(name)), self.options(lens.keys_of(name))
            for form in (["-V"], ["-T", "json"], ["-T", "pdml"]):
                out, _ = self.lens.run("-r", path, *options, *form, "-Y", field)
                protocols = "\n".join(line for line in out.splitlines() if "dcerpc" not in line)
                self.assertNotIn(password, protocols)
                self.assertIn("(hidden: preference rpclens.show_secrets)", protocols)
            shown = self.lens.fields(path, [field], *options, "-o", "rpclens.show_secrets:TRUE", "-Y", field)
            self.assertIn([[password]], shown)

    def test_wiresharks_own_plaintext(self):
        """Wireshark has the keys too: where what it shows does not fit the signature, the PDU says so, and nowhere else."""
        keys = [lens.os.path.join(lens.CAPTURES, "lab.keytab")]
        own = ["-o", "ntlmssp.nt_password:Lab-Admin-2026!", "-o", "kerberos.decrypt:TRUE", "-o", "kerberos.file:" + self.lens.lend(keys[0])]
        for name, wrong in (("bkrp-smbtorture-np-ntlm", {"BKRP": 136, "LSARPC": 56}), ("bkrp-tcp-spnego-krb5", {})):
            path, options = self.lens.lend(lens.capture(name)), self.options(keys) + own
            rows = self.lens.fields(path, ["_ws.col.Protocol"], *options, "-Y", "rpclens.other_plaintext")  # "LSARPC": not ours
            met = [row[0][0] for row in rows]
            self.assertEqual({protocol: met.count(protocol) for protocol in met}, wrong)

    def stock_right(self, name):
        """How many sealed BackupKey PDUs stock tshark opens: its plaintext must begin with the verified one."""
        calls = [c for c in program.calls(lens.capture(name), lens.keys_of(name)) if c["protocol"] == "bkrp"]
        truth = {}
        for m in lens.messages(calls):
            if m["sealed"]:
                truth.setdefault(m["frames"][-1], []).append(m["stub"])
        keytabs = [k for k in lens.keys_of(name) if k.endswith(".keytab")] + [lens.os.path.join(lens.CAPTURES, "lab.keytab")]
        path, keytab = self.stock.lend(lens.capture(name)), self.stock.lend(keytabs[0])
        rows = self.stock.fields(path, ["frame.number", "dcerpc.decrypted_stub_data", "dcerpc.stub_data"],
                                 "-o", "kerberos.decrypt:TRUE", "-o", "kerberos.file:" + keytab)
        shown = {int(r[0][0]): "".join(r[1] + r[2]) for r in rows}
        right = sum(any(stub in shown.get(frame, "") for stub in stubs) for frame, stubs in truth.items())
        return right, sum(map(len, truth.values()))

    def test_beside_stock(self):
        print(f"\nsealed BackupKey PDUs opened, with the same keys   stock tshark {lens.Tshark.version()}   RPC Lens")
        for name, row in lens.must_show().items():
            if row["sealed"] == "0" or lens.protocol_of(name) != "bkrp":
                continue
            right, all_of_them = self.stock_right(name)
            print(f"  {name:34} {right:10} of {all_of_them:3}       {all_of_them:10} of {all_of_them:3}")
            if name == "bkrp-smbtorture-np-ntlm":
                self.assertEqual((right, all_of_them), (2, 138))
        sys.stdout.flush()


if __name__ == "__main__":
    unittest.main()
