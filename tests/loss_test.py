"""What is not in a capture: the file breaks off, one packet is cut, lost, or overtaken by the next. All else must be shown as
if nothing had happened, or say why it cannot be. Each place where it may happen is tried, one copy of the capture for each.

Many copies go through one run of the program, for its start costs more than a small capture.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import random
import struct
import sys
import tempfile
import unittest

import lens

BUILD = sys.argv.pop(1)
program = lens.Rpclens(BUILD)
KEYTABS = lens.key_options(os.path.join(lens.CAPTURES, f) for f in ("lab.keytab", "mit.keytab"))

# Ethernet and IPv4 without options, as the lab's packets are.
IP, TCP = 14, 34


def run(paths):
    """The calls of each file, by its path, and what was said on the way."""
    done = program.run("calls", *KEYTABS, "--format", "jsonl", "--stubs", *paths, status=None)
    shown = {path: [] for path in paths}
    for line in done.stdout.splitlines():
        call = json.loads(line)
        shown[call.pop("capture")].append(call)
    return shown, done


def unharmed(names):
    shown, _ = run([lens.capture(name) for name in names])
    return {name: shown[lens.capture(name)] for name in names}


def sealed(calls):
    return [m for m in lens.messages(calls) if m["sealed"]]


def by_place(calls):
    """Each message by where it is: whether it is a response, and its first frame."""
    return {(half, call[half]["frames"][0]): call[half] for call in calls for half in ("request", "response")
            if call[half]["kind"] != "none"}


def payload_of(octets):
    """(offset, length) of a TCP segment's octets; length 0: it carries none."""
    if octets[12:14] != b"\x08\x00" or octets[IP + 9] != 6:
        return 0, 0
    start = TCP + 4 * (octets[TCP + 12] >> 4)
    return start, IP + struct.unpack_from(">H", octets, IP + 2)[0] - start


def sender(octets):
    return octets[IP + 12:IP + 16] + octets[TCP:TCP + 2]


def without(packets, at):
    return packets[:at] + packets[at + 1:]


def cut_short(packets, at):
    """The packet at this place keeps 40 octets of its payload: a request's header, not its sec_trailer."""
    seconds, fraction, octets, length = packets[at]
    return packets[:at] + [(seconds, fraction, octets[:payload_of(octets)[0] + 40], length)] + packets[at + 1:]


def swapped(packets, at):
    return packets[:at] + [packets[at + 1], packets[at]] + packets[at + 2:]


class Loss(unittest.TestCase):
    # NTLM over TCP: one PDU a packet, and a key stream that runs on through all of them.
    STREAMS = ("bkrp-tcp-ntlm-raw", "bkrp-tcp-spnego-ntlm", "bkrp-ntlm-v1", "bkrp-ntlm-40bit", "bkrp-ndr64-ntlm")
    KERBEROS = ("bkrp-tcp-spnego-krb5", "bkrp-krb5-rc4")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rpclens-loss-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, place):
        return os.path.join(self.folder, f"{name}-{place}.pcap")

    def alive(self, done, status=0):
        """A crash ends with a signal, a sanitizer's report with another status."""
        self.assertEqual(done.returncode, status, done.stderr[-3000:])

    def says_why(self, message, codes):
        self.assertEqual(message["state"], "sealed")
        self.assertIn(message["reason_code"], codes)
        self.assertTrue(message["reason"])
        self.assertEqual((message["stub"], message["params"]), (None, {}))

    def copies(self, names, places, change):
        """(name, place, calls of the changed copy, calls of the unharmed capture) for each place."""
        full, paths = unharmed(names), {}
        for name in names:
            packets = list(lens.read_pcap(lens.capture(name)))
            for at in places(packets, full[name]):
                paths[self.path(name, at)] = name, at
                lens.write_pcap(self.path(name, at), change(packets, at))
        shown, done = run(list(paths))
        self.alive(done)
        self.assertTrue(paths)
        return [(name, at, shown[path], full[name]) for path, (name, at) in paths.items()]

    @staticmethod
    def sealed_places(_, calls):
        """Where the packets are that carry a sealed PDU."""
        return [frame - 1 for m in sealed(calls) for frame in m["frames"]]

    # ------------------------------------------------------------------------------------------- one packet of many

    def test_one_packet_is_cut(self):
        """That PDU stays sealed; all behind it open, for its header says how far the key stream ran on."""
        for name, at, calls, whole in self.copies(self.STREAMS + self.KERBEROS, self.sealed_places, cut_short):
            with self.subTest(capture=name, frame=at + 1):
                now, truth = by_place(calls), by_place(whole)
                self.assertEqual(now.keys(), truth.keys())
                for place, message in truth.items():
                    if place[1] == at + 1:
                        self.says_why(now[place], ("cut",))
                    else:  # what a blob in an answer is, only the request tells, so parameters may differ
                        self.assertEqual([now[place][key] for key in ("frames", "state", "stub")],
                                         [message[key] for key in ("frames", "state", "stub")])

    def test_one_packet_is_lost(self):
        """Behind a lost PDU NTLM's key stream is lost in its direction. What follows is shown all the same, and says so."""
        for name, at, calls, whole in self.copies(self.STREAMS, self.sealed_places, without):
            with self.subTest(capture=name, frame=at + 1):
                now = by_place(calls)
                for (half, frame), truth in by_place(whole).items():
                    if not truth["sealed"] or frame == at + 1:
                        continue
                    message = now.get((half, frame - (frame > at)))
                    self.assertIsNotNone(message, f"nothing is shown of the {half} that was in frame {frame}")
                    if message["state"] == "verified":
                        self.assertEqual(message["stub"], truth["stub"])
                    else:
                        self.assertGreater(frame, at + 1)
                        self.says_why(message, ("lost", "bad-signature"))

    def test_kerberos_survives_loss(self):
        """Kerberos seals each PDU by itself, so that a lost one costs only itself."""
        for name, at, calls, whole in self.copies(self.KERBEROS, self.sealed_places, without):
            with self.subTest(capture=name, frame=at + 1):
                self.assertEqual(sorted(m["stub"] or m["reason"] for m in sealed(calls)),
                                 sorted(m["stub"] for m in sealed(whole) if m["frames"] != [at + 1]))

    def test_one_fragment_is_lost(self):
        """What is put together of fragments is whole or not shown: never what stood before a gap with what stood behind it,
        though each by itself is proven."""
        for name, at, calls, whole in self.copies(("bkrp-fragments-krb5", "bkrp-fragments-ntlm", "bkrp-mit-rc4-fragments"),
                                                 self.sealed_places, without):
            with self.subTest(capture=name, frame=at + 1):
                truth = {m["stub"] for m in sealed(whole)}
                shown = [m["stub"] for m in sealed(calls) if m["stub"] is not None]
                self.assertGreaterEqual(len(shown), 0 if "ntlm" in name else 1)
                self.assertTrue(set(shown) <= truth, "a verified stub with a hole in it")

    @staticmethod
    def neighbours(packets, _):
        """Where two packets of one sender, both with octets, stand side by side."""
        return [i for i in range(len(packets) - 1)
                if sender(packets[i][2]) == sender(packets[i + 1][2])
                and payload_of(packets[i][2])[1] and payload_of(packets[i + 1][2])[1]][:12]

    def test_packets_overtake_each_other(self):
        """Never another plaintext; what is not put together again says why. (Wireshark puts segments of one PDU in order, but
        takes no PDU that begins in a segment which came too early.)"""
        for name, at, calls, whole in self.copies(("bkrp-fragments-krb5", "bkrp-fragments-ntlm", "bkrp-np-krb5"), self.neighbours,
                                                  swapped):
            with self.subTest(capture=name, place=at):
                truth = {m["stub"] for m in sealed(whole)}
                for message in sealed(calls):
                    if message["state"] == "verified" and message["stub"] is not None:
                        self.assertIn(message["stub"], truth)
                    elif message["state"] != "verified":
                        self.assertTrue(message["reason"])

    # ------------------------------------------------------------------------------------------- the file breaks off

    @staticmethod
    def record_ends(name):
        ends, at = [], 24
        for _, _, octets, _ in lens.read_pcap(lens.capture(name)):
            at += 16 + len(octets)
            ends.append(at)
        return ends

    @staticmethod
    def positions(ends):
        """Within the file's header and the first record, then at, before and behind the ends of records."""
        yield from (1, 4, 23, 24, 25, 40, 60)
        for end in ends[:-1:3]:
            yield from (end - 1, end, end + 3, end + 50)
        yield ends[-1] - 1

    def check_said(self, position, ends, said):
        """The file and the offset, unless it ends where a record ends: then nobody can know."""
        frames = sum(end <= position for end in ends)
        if position in ends:
            self.assertEqual(said, [])
            return
        self.assertEqual(len(said), 1)
        if frames:
            self.assertRegex(said[0], rf"after frame {frames} at offset {position}$")
        elif position > 24:
            self.assertRegex(said[0], rf"at offset {position}$")

    def check_shown(self, frames, calls, whole):
        """Calls that were over are shown as ever; of those under way, the request."""
        for call in whole:
            if max(call["request"].get("frames", [0]) + call["response"].get("frames", [0])) <= frames:
                self.assertIn(call, calls)
            elif max(call["request"].get("frames", [0])) <= frames:
                self.assertIn(call["request"], [c["request"] for c in calls])

    def test_file_breaks_off(self):
        for name, whole in unharmed(("bkrp-tcp-ntlm-raw", "bkrp-smb202", "bkrp-two-contexts")).items():
            with open(lens.capture(name), "rb") as file:
                data = file.read()
            ends, paths = self.record_ends(name), {}
            for position in self.positions(ends):
                paths[self.path(name, position)] = position
                with open(self.path(name, position), "wb") as file:
                    file.write(data[:position])
            shown, done = run(list(paths))
            self.alive(done, 2)
            for path, position in paths.items():
                with self.subTest(capture=name, position=position):
                    self.check_said(position, ends, [line for line in done.stderr.splitlines() if path + ":" in line])
                    self.check_shown(sum(end <= position for end in ends), shown[path], whole)

    def test_loss_breaks_no_rule(self):
        """What is not in the capture may leave a rule open, and never makes it a violation, nor a warning but of the rules that say
        themselves to be in doubt. All copies of a capture are judged in one run; a finding names its copy."""
        chance, grave, doubted = random.Random(1), ("violation", "warning"), {"C-26", "C-27", "C-29"}
        for name in ("cmrp-tcp-spnego-krb5", "cmrp-level-sign-krb5", "cmrp-notify", "cmrp-registry", "cmrp-lifecycle", "crafted-cmrp-kept",
                     "crafted-cmrp-udp-ntlm"):
            keys = lens.keys_of(name)
            whole = {(f["rule"], f["verdict"]) for f in program.verify(lens.capture(name), keys)[1]["findings"] if f["verdict"] in grave}
            whole |= {(rule, "warning") for rule in doubted}
            packets = list(lens.read_pcap(lens.capture(name)))
            copies = [[p for p in packets if chance.random() > share] for share in (0.02, 0.1, 0.3) for _ in range(6)]
            copies += [without(packets, at) for at in range(0, len(packets), max(1, len(packets) // 40))]
            copies += [packets[chance.randrange(len(packets)):] for _ in range(4)]
            copies += [packets[:chance.randrange(1, len(packets))] for _ in range(4)]
            copies += [[p for p in packets if sender(p[2])[:4] == one] for one in {sender(p[2])[:4] for p in packets}]
            copies += [[(*p[:2], p[2][:length], p[3]) for p in packets] for length in (96, 150, 220)]
            paths = [self.path(name, i) for i in range(len(copies))]
            for path, copy in zip(paths, copies):
                lens.write_pcap(path, copy)
            done = program.run("verify", *lens.key_options(keys), "--format", "json", *paths, status=None)
            report = json.loads(done.stdout)
            self.assertEqual([(f["rule"], f["capture"], f["frames"], f["message"]) for f in report["findings"]
                              if f["verdict"] in grave and (f["rule"], f["verdict"]) not in whole], [])

    def test_verdict_of_a_broken_file(self):
        """Where the file breaks off after a failure, nobody knows whether the client tried ntsvcs; where the client closed the
        connection, it did not."""
        name, frame = "bkrp-no-fallback", 16
        with open(lens.capture(name), "rb") as file:
            data = file.read(self.record_ends(name)[frame - 1] + 5)
        with open(self.path(name, frame), "wb") as file:
            file.write(data)
        status, report = program.verify(self.path(name, frame))
        self.assertEqual(status, 0)
        rule = next(r for r in report["rules"] if r["id"] == "BKRP-6")
        self.assertEqual((rule["verdict"], rule["reason"]), ("inconclusive", "IC-TRUNCATED"))


if __name__ == "__main__":
    unittest.main()
