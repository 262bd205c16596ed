"""Every shipped capture through the program, with its keys: all sealed PDUs verified, the calls as the client said they were, and
exactly the verdicts that must-show.csv names.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import collections
import datetime
import os
import re
import subprocess
import sys
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)

# At least so many: 184 and 185 of ClusAPI 3.0 nobody at hand can send, nor the second of wkssvc's NetrSetPrimaryComputerName2 (opnum 38).
SEEN = {"cmrp 2.0": 88, "cmrp 3.0": 165, "wkst": 28}


def pairs(text):
    return dict(item.split(":") for item in text.split())


def leaves(tree, name, found):
    """{name: values} of a tree. Handles have other names in Samba, and are all under "uuid", as everything is that looks like one."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            leaves(value, key, found)
    elif isinstance(tree, list):
        for value in tree:
            leaves(value, name, found)
    elif isinstance(tree, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tree):
        found["uuid"][tree] += 1
    elif isinstance(tree, str) and re.match(r"\d{4}-\d\d-\d\dT", tree):
        found[name][tree[:19]] += 1
    elif name == "lpftLastWriteTime":
        found[name][(datetime.datetime(1601, 1, 1) + datetime.timedelta(seconds=tree // 10**7)).isoformat()] += 1
    elif tree not in (None, ""):
        found[name][str(tree).rstrip("\0").replace("\0", "\u2400")] += 1


def values_missing(said, read):
    """What was said and not read, under the same name and as often."""
    trees = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    leaves(said, None, trees[0])
    leaves(read, None, trees[1])
    return {name: dict(values - trees[1][name]) for name, values in trees[0].items() if name != "handle_type" and values - trees[1][name]}


class Captures(unittest.TestCase):
    def each(self, check, protocol=None):
        """check(name, row, keys) for each capture; one that fails does not keep the others from being checked."""
        for name, row in lens.must_show().items():
            if protocol and lens.protocol_of(name) != protocol:
                continue
            with self.subTest(capture=name):
                check(name, row, lens.keys_of(name))

    def test_every_capture_is_listed(self):
        shipped = {f[:-5] for f in os.listdir(lens.CAPTURES) if f.endswith(".pcap")}
        self.assertEqual(shipped, set(lens.must_show()))

    def test_everything_sealed_is_verified(self):
        def check(name, row, keys):
            calls = program.calls(lens.capture(name), keys)
            sealed = [m for m in lens.messages(calls) if m["sealed"]]
            self.assertEqual({m["state"] for m in sealed}, {"verified"} if int(row["sealed"]) else set())
            self.assertTrue(all(m["stub"] is not None for m in sealed))
            if name != "crafted-cmrp-malformed":  # it is so on purpose
                self.assertFalse([m["malformed"] for m in lens.messages(calls) if "malformed" in m])
            self.assertEqual(len(lens.calls_of(name, calls)), int(row["calls"]))

        self.each(check)

    def compare(self, call, said):
        params = call["request"]["params"]
        self.assertEqual(call["method"], "BackuprKey")
        if call["response"]["kind"] != "fault" or params:
            self.assertEqual(params["pguidActionAgent"], said["action"])
            self.assertEqual(params["cbDataIn"], said["cb_data_in"])
            self.assertEqual(params["dwParam"], said["dw_param"])
            self.assertEqual(len(params["pDataIn"]), 2 * said["cb_data_in"])
            if said["data_in"] is not None:
                self.assertEqual(params["pDataIn"], said["data_in"])
            else:
                self.assertTrue(params["pDataIn"].startswith(said.get("data_in_starts", "")))
        if said["status"] is None:
            self.assertNotEqual(call["response"]["kind"], "response")
            return
        self.assertEqual(call["response"]["status"]["code"], said["status"])
        out = call["response"]["params"]["ppDataOut"]
        self.assertEqual(out, said["data_out"])
        self.assertEqual(call["response"]["params"]["pcbDataOut"], len(out or "") // 2)

    def test_calls_are_what_the_client_said(self):
        def check(name, _row, keys):
            said = lens.expected_calls(name)
            calls = lens.calls_of(name, program.calls(lens.capture(name), keys))
            if not said:
                return
            self.assertEqual(len(calls), len(said))
            for call, truth in zip(self.in_order(name, calls, said), said):
                self.compare(call, truth)

        self.each(check, "bkrp")

    @staticmethod
    def texts(tree):
        """The strings that the client put into the stub."""
        if isinstance(tree, str):
            yield tree
        for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
            yield from Captures.texts(part)

    def hold(self, message, tree):
        """A stub holds the octets, in hex, and the texts of a tree; in NDR of either order texts are UTF-16 in that order."""
        for text in self.texts(tree):
            ways = [text.encode(code, "surrogatepass").hex() for code in ("utf-16-le", "utf-16-be", "utf-8")]
            self.assertTrue(any(way in message["stub"] for way in [text, *ways]), (message["frames"], text))

    def test_wkst_calls_are_what_the_client_said(self):
        def check(name, _row, keys):
            calls = sorted(lens.calls_of(name, program.calls(lens.capture(name), keys)), key=lambda c: c["request"]["frames"][0])
            said = lens.expected_calls(name)
            self.assertEqual([c["opnum"] for c in calls], [s["opnum"] for s in said])
            for call, truth in zip(calls, said):
                if truth["method"] and call["method"] and not call["method"].startswith("Opnum"):  # Samba names some of the reserved
                    self.assertEqual(call["method"], truth["method"])
                self.hold(call["request"], truth["in"])
                if truth["out"] is None:
                    self.assertNotEqual(call["response"]["kind"], "response")
                else:
                    self.hold(call["response"], truth["out"])
                    self.assertEqual(int.from_bytes(bytes.fromhex(call["response"]["stub"])[-4:], "little"), truth["status"])

        self.each(check, "wkst")

    def test_stubs_are_read_to_their_end(self):
        """Real stubs have nothing that the tables do not know, and nothing is left over of them."""
        def check(name, _row, keys):
            if name in ("wkst-reserved", "crafted-cmrp-malformed") or name.startswith("crafted-wkst-ndr-"):
                return
            calls = lens.calls_of(name, program.calls(lens.capture(name), keys))
            used = [c for c in calls if c["method"] and not c["method"].startswith("Opnum")]  # of the reserved ones nothing is known
            notes = [(m["frames"], note) for m in lens.messages(used) for note in m.get("notes", ())]
            stranger = [n for n in notes if not n[1].startswith("sources differ on this opnum")]
            # What a client hands on to resources may be anything (3.1.4.2.129); the lab's own does not hand on a property list.
            self.assertEqual([n for n in stranger if not n[1].startswith("lpInBuffer stays octets")], [])

        self.each(check, "cmrp")
        self.each(check, "wkst")

    def test_cmrp_calls_are_what_the_client_said(self):
        """What the client's own marshalling had in it stands under the same names in what was read."""
        def check(name, _row, keys):
            said = lens.expected_calls(name)
            if not said:
                return
            calls = sorted(lens.calls_of(name, program.calls(lens.capture(name), keys)), key=lambda c: c["request"]["frames"][0])
            self.assertEqual([(c["opnum"], c["method"]) for c in calls], [(s["opnum"], s["method"]) for s in said])
            for call, truth in zip(calls, said):
                self.assertEqual(values_missing(truth["in"], call["request"]["params"]), {}, call["request"]["frames"])
                if truth["out"] is None:
                    self.assertEqual(call["response"]["kind"], "fault")
                else:
                    read = call["response"]["params"]
                    self.assertEqual(values_missing(truth["out"], read), {}, call["response"]["frames"])
                    if call["response"]["status"]:              # what opens something returns the handle
                        self.assertEqual(call["response"]["status"]["code"], truth["status"])
                    else:
                        self.assertEqual(read.get("Status", read.get("rpc_error")), truth["status"])

        self.each(check, "cmrp")

    def test_handles_stand_for_what_opened_them(self):
        """A handle that the server gave out on a connection is known by the name the client opened it by, until it is closed."""
        named = []

        def check(name, _row, keys):
            opened = {}                                         # by connection and UUID: name, frame of the opening
            for call in sorted(lens.calls_of(name, program.calls(lens.capture(name), keys)), key=lambda c: c["request"]["frames"][0]):
                request, response = call["request"], call["response"]
                for uuid, handle in ((h["uuid"], h) for h in request.get("handles", {}).values()):
                    expected = opened.get((call["client"], uuid), (None, None))
                    self.assertEqual((handle["name"], handle["opened"]), expected, request["frames"])
                    named.append(expected[0] is not None)
                given = response.get("params", {}).get("return")
                if isinstance(given, str) and call["method"].startswith("ApiOpen") and call["method"] != "ApiOpenKey":
                    names = [text for key, text in request["params"].items() if key.startswith("lpsz")]
                    opened[call["client"], given] = (names[0] if names else None, response["frames"][-1])
                elif given or "phBatchPort" in response.get("params", {}):  # made, or named by the way to it
                    for handle in response["handles"].values():
                        self.assertEqual(handle["opened"], response["frames"][-1])
                        opened[call["client"], handle["uuid"]] = (handle["name"], handle["opened"])

        self.each(check, "cmrp")
        self.assertGreater(sum(named), 500)

    def in_order(self, name, calls, said):
        """The client's order is that of its requests; where it had several in flight, its own log decides."""
        calls = sorted(calls, key=lambda c: c["request"]["frames"][0])
        if name not in ("bkrp-two-pipes", "bkrp-same-pipe-twice", "bkrp-two-contexts"):
            return calls
        ordered = []
        for truth in said:
            same = [c for c in calls if c["request"]["params"]["pguidActionAgent"] == truth["action"]
                    and c["request"]["params"]["pDataIn"] == truth["data_in"]
                    and c["response"]["params"]["ppDataOut"] == truth["data_out"]]
            self.assertTrue(same, truth)
            ordered.append(same[0])
            calls.remove(same[0])
        return ordered

    def test_blobs_are_read(self):
        """What AS() read agrees with the octets it was read from."""
        seen = set()

        def check(name, _row, keys):
            for call in program.calls(lens.capture(name), keys):
                for m, parameter in ((call["request"], "pDataIn"), (call["response"], "ppDataOut")):
                    blob = m.get("params", {}).get(parameter + "_as")
                    if blob and not m.get("notes"):
                        seen.add(blob["type"])
                        self.check_blob(blob, m["params"][parameter])

        self.each(check, "bkrp")
        self.assertEqual(seen, {"Certificate", "Client_Side_Wrapped_Secret", "Server_Side_Wrapped_Secret", "Secret",
                                "Unwrapped_Secret", "UnwrappedSecret"} & seen | {"Certificate", "Client_Side_Wrapped_Secret",
                                                                                 "Server_Side_Wrapped_Secret", "Secret"})

    def check_blob(self, blob, octets):
        kind = blob["type"]
        if kind == "Secret":
            self.assertEqual(blob["Secret"], octets)
        elif kind == "Client_Side_Wrapped_Secret":
            self.assertIn(blob["dwVersion"], (2, 3))
            self.assertEqual(len(octets) // 2, 28 + blob["cbEncryptedSecret"] + blob["cbAccessCheck"])
            self.assertTrue(octets.endswith(blob["EncryptedSecret"] + blob["AccessCheck"]))
        elif kind == "Server_Side_Wrapped_Secret":
            self.assertEqual(blob["Version"], 1)
            self.assertEqual(len(octets) // 2, 96 + blob["Ciphertext_Length"])
            self.assertEqual(octets[56:192], blob["R2"])
        elif kind == "Certificate":
            self.assertEqual((blob["version"], blob["modulusBits"], blob["publicExponent"]), (2, 2048, 65537))
            self.assertEqual(blob["issuerUniqueID"], blob["subjectUniqueID"])
            self.assertIn("CN=CORP.EXAMPLE", blob["subject"])

    def test_verdicts(self):
        def check(name, row, keys):
            status, report = program.verify(lens.capture(name), keys)
            verdicts = {r["id"]: r for r in report["rules"]}
            self.assertEqual({i: r["verdict"] for i, r in verdicts.items() if r["verdict"] in ("violation", "warning")},
                             pairs(row["broken"]))
            self.assertEqual({i: r["reason"] for i, r in verdicts.items() if r["verdict"] == "inconclusive"},
                             pairs(row["inconclusive"]))
            broken = "violation" in row["broken"]
            self.assertEqual(status, 1 if broken else 0)
            self.assertEqual(report["summary"]["violations"],
                             sum(f["verdict"] == "violation" for f in report["findings"]))
            self.check_findings(name, keys, report)

        self.each(check)

    def check_findings(self, name, keys, report):
        """A finding's frames are those of the calls it speaks of."""
        calls = lens.calls_of(name, program.calls(lens.capture(name), keys))
        requests = {f for c in calls for f in c["request"].get("frames", [])}
        answers = {f for c in calls for f in c["response"].get("frames", [])}
        for found in report["findings"]:
            if found["level"] == "note": # notes_test.py
                continue
            self.assertEqual(found["frame"], found["frames"][0] if found["frames"] else None)
            self.assertTrue(found["message"] and found["section"].startswith("MS-"))
            if found["rule"] in ("BKRP-10", "BKRP-11", "BKRP-12", "BKRP-13", "BKRP-19"):
                self.assertLessEqual(set(found["frames"]), requests | answers)
        odd = [c["request"]["frames"][-1] for c in calls if c["request"].get("params", {}).get("dwParam")]
        self.assertEqual([f["frame"] for f in report["findings"] if f["rule"] == "BKRP-19" and f["verdict"] == "warning"], odd)

    def test_coverage(self):
        """How many of the methods that the tables describe a client or server has used in some capture; of ClusAPI by version."""
        seen = {}
        for name in lens.must_show():
            for call in lens.calls_of(name, program.calls(lens.capture(name), lens.keys_of(name))):
                if call["method"] and not call["method"].startswith("Opnum"):
                    version = f" {call['version']}" if call["protocol"] == "cmrp" else ""
                    seen.setdefault(call["protocol"] + version, set()).add(call["opnum"])
        described = {}
        for test in ("cmrp_test", "wkst_test"):
            done = subprocess.run([os.path.join(BUILD, "tests", test)], capture_output=True, text=True, check=True)
            described |= dict(re.findall(r"(\w+(?: \d\.\d)?): (\d+/\d+)", done.stdout))
        self.assertEqual(set(described), {"cmrp 2.0", "cmrp 3.0", "wkst"})
        print()
        for what, of in sorted(described.items()):
            print(f"  {what}: {of} methods, {len(seen[what])} seen in captures")
            self.assertGreaterEqual(len(seen[what]), SEEN[what])

    def test_several_captures(self):
        names = ["bkrp-dwparam", "bkrp-python-spnego-krb5"]
        done = program.run("verify", "-k", lens.keys_of(names[0])[0], "--format", "json", *map(lens.capture, names), status=1)
        self.assertIn(lens.capture(names[1]), done.stdout)

    def test_text_and_strict(self):
        for name in ("bkrp-dwparam", "bkrp-tcp-spnego-krb5", "bkrp-level-none", "bkrp-smb1", "bkrp-krb5-rc4"):
            row, keys = lens.must_show()[name], lens.keys_of(name)
            with self.subTest(capture=name):
                out = program.run("calls", *lens.key_options(keys), lens.capture(name)).stdout
                self.assertEqual(out.count("BackuprKey("), int(row["calls"]))
                self.assertEqual(program.verify(lens.capture(name), keys, "--strict")[0], 1 if row["broken"] else 0)


if __name__ == "__main__":
    unittest.main()
