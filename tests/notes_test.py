"""What SMB clients leave open, told by notes SMB-1 to SMB-3, against a count of what tshark shows.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import sys
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)

KINDS = {"SMB-1": "session", "SMB-2": "share", "SMB-3": "pipe"}
SETUP, LOGOFF, CONNECT, DISCONNECT, CREATE, CLOSE = range(1, 7)
COMMANDS = {0x73: SETUP, 0x74: LOGOFF, 0x75: CONNECT, 0x71: DISCONNECT, 0xa2: CREATE, 0x04: CLOSE}
# Every way in which sessions were left, and each client over SMB.
OVER_SMB = ("wkst-smb-", "wkst-fake-join-", "wkst-join-", "wkst-smb1", "wkst-rpcclient", "wkst-smbtorture-krb5", "bkrp-np-", "bkrp-smb",
            "bkrp-dwparam", "bkrp-joerg", "bkrp-same-pipe-twice", "bkrp-two-pipes", "bkrp-fallback")


class Ledger:
    """What is open, by tshark's fields: {kind: {id: frame}}, and what ended only with its owner: {kind: frames}. An answer counts, or a
    request for an end."""

    def __init__(self):
        self.open = {kind: {} for kind in KINDS.values()}
        self.ended = {kind: [] for kind in KINDS.values()}
        self.files = {}  # request of a CREATE or CLOSE -> file id

    def end(self, kind, key):
        self.open[kind].pop(key, None)
        for inner in {"session": ("share", "pipe"), "share": ("pipe",), "pipe": ()}[kind]:
            for k in [k for k in self.open[inner] if k[:len(key)] == key]:
                self.ended[inner].append(self.open[inner].pop(k))

    def take(self, frame, command, session, share, file, pipes):
        """`pipes`: of a CONNECT's answer whether the share has pipes."""
        if command == SETUP:
            self.open["session"].setdefault(session, frame)
        elif command == CONNECT:
            self.open["share"][session + share] = frame
            if pipes:
                self.files[session + share] = True
        elif command == CREATE and session + share in self.files:
            self.open["pipe"][session + share + file] = frame
        elif command == LOGOFF:
            self.end("session", session)
        elif command == DISCONNECT:
            self.end("share", session + share)
        elif command == CLOSE:
            self.end("pipe", session + share + file)


def numbers(cells):
    return [int(c, 0) for c in cells]


COMMON = ["frame.number", "tcp.stream"]
SMB1 = ["smb.cmd", "smb.flags.response", "smb.nt_status", "smb.uid", "smb.tid", "smb.fid", "smb.path"]
SMB2 = ["smb2.cmd", "smb2.flags.response", "smb2.nt_status", "smb2.sesid", "smb2.tid", "smb2.fid", "smb2.share_type", "smb2.msg_id"]


def of_smb2(rows, ledger):
    asked = {}
    for row in rows:
        (frame,), (stream,), commands, answers, status, sessions, trees, fids, types, ids = row
        if len(commands) != 1:
            raise AssertionError(f"frame {frame}: a compound, which this test does not read")
        key = (stream, ids[0])
        if answers[0] in ("0", "False"):
            asked[key] = (tuple(trees), tuple(fids))
            if int(commands[0]) in (LOGOFF, DISCONNECT, CLOSE):
                ledger.take(int(frame), int(commands[0]), (sessions[0],), tuple(trees), tuple(fids), False)
        elif int(status[0], 0) == 0:
            tree, fid = asked.get(key, ((), ()))
            if int(commands[0]) not in (CLOSE, DISCONNECT):
                tree = tuple(trees) if int(commands[0]) == CONNECT else tree or tuple(trees)
                fid = tuple(fids)
            ledger.take(int(frame), int(commands[0]), (sessions[0],), tree, fid, "0x02" in types)


def of_smb1(rows, ledger):
    for row in rows:
        (frame,), (stream,), commands, answers, status, uids, trees, fids, paths = row
        command = COMMANDS.get(int(commands[0], 0))
        ends = command in (LOGOFF, DISCONNECT, CLOSE)
        answered = answers[0] not in ("0", "False")
        if command and ends != answered and (ends or int(status[0], 0) == 0):
            ledger.take(int(frame), command, (stream, uids[0]), tuple(trees), tuple(fids), paths and paths[0].endswith("IPC$"))


def ledger_of(tshark, path):
    ledger = Ledger()
    rows = tshark.fields(path, [*COMMON, *SMB1, *SMB2], "-Y", "smb.cmd || smb2.cmd", "-o", "tcp.reassemble_out_of_order:TRUE")
    common, end = len(COMMON), len(COMMON) + len(SMB1)
    of_smb1([row[:end] for row in rows if row[common]], ledger)
    of_smb2([row[:common] + row[end:] for row in rows if row[end]], ledger)
    return ledger


class Notes(unittest.TestCase):
    def noted(self, report):
        """{kind: frames} of the notes."""
        shown = {kind: [] for kind in KINDS.values()}
        for found in report["findings"]:
            if found["verdict"] == "note":
                self.assertEqual(found["level"], "note")
                shown[KINDS[found["rule"]]] += found["frames"]
        self.assertEqual(report["summary"]["notes"], sum(f["verdict"] == "note" for f in report["findings"]))
        return {kind: sorted(frames) for kind, frames in shown.items()}

    def test_against_tshark(self):
        seen = 0
        with lens.Tshark(None) as tshark:
            for name in lens.must_show():
                if not name.startswith(OVER_SMB) or "encrypted" in name:  # tshark has no keys here; the one below
                    continue
                with self.subTest(capture=name):
                    ledger = ledger_of(tshark, tshark.lend(lens.capture(name)))
                    _, report = program.verify(lens.capture(name), lens.keys_of(name))
                    expected = {kind: sorted([*ledger.open[kind].values(), *ledger.ended[kind]]) for kind in KINDS.values()}
                    self.assertEqual(self.noted(report), expected)
                    seen += sum(map(len, expected.values()))
        self.assertGreater(seen, 60)

    def test_encrypted(self):
        """With keys the same as its twin that is not encrypted; without, that it is not known."""
        for name in ("bkrp-smb3-encrypted-krb5", "bkrp-smb300-encrypted-ntlm"):
            with self.subTest(capture=name):
                _, report = program.verify(lens.capture(name), lens.keys_of(name))
                self.assertEqual({kind: len(frames) for kind, frames in self.noted(report).items()},
                                 {"session": 3, "share": 3, "pipe": 0})
                for found in report["findings"]:
                    if found["verdict"] == "note":
                        self.assertIn("BackupKey: 2", found["message"])
                        self.assertIn("Administrator", found["message"])
                _, report = program.verify(lens.capture(name))
                self.assertEqual({kind: len(frames) for kind, frames in self.noted(report).items()},
                                 {"session": 3, "share": 0, "pipe": 0})
                text = "\n".join(f["message"] for f in report["findings"] if f["verdict"] == "note")
                self.assertIn("not known because it is encrypted and not opened: 3", text)
                self.assertNotIn("BackupKey:", text)

    def test_ways_to_leave(self):
        """Captures made to leave things open in one way each: what the notes say of them, in all dialects."""
        ends = {
            "closed": {},
            "left-open": {rule: "; the capture ends before the connection does" for rule in KINDS},
            "only-tcp": {rule: "; the connection ended with FIN" for rule in KINDS},
            "no-tree-disconnect": {"SMB-2": "; it ended with its session", "SMB-3": "; it ended with its session or share connection"},
        }
        seen = set()
        for name in lens.must_show():
            for way, expected in ends.items():
                if not name.startswith(f"wkst-smb-{way}-"):
                    continue
                seen.add(way)
                with self.subTest(capture=name):
                    _, report = program.verify(lens.capture(name), lens.keys_of(name))
                    notes = {f["rule"]: f["message"] for f in report["findings"] if f["verdict"] == "note"}
                    self.assertEqual(set(notes), set(expected))
                    for rule, message in notes.items():
                        self.assertTrue(message.endswith("; it carried wkssvc" + expected[rule]), message)
                        self.assertIn("STAND\\root", message)
        self.assertEqual(seen, set(ends))

    def test_exit_status(self):
        """Notes alone break nothing, not even with --strict."""
        for options in ((), ("--strict",)):
            status, report = program.verify(lens.capture("bkrp-np-spnego-krb5"), lens.keys_of("bkrp-np-spnego-krb5"), *options)
            self.assertEqual((status, report["summary"]["notes"]), (0, 2))


if __name__ == "__main__":
    unittest.main()
