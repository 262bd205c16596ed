"""What the tests share: running rpclens and tshark, and reading and writing captures.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import csv
import json
import os
import shutil
import struct
import subprocess
import tempfile

CAPTURES = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "test-captures"))
NOBODY = "65534"


def capture(name):
    return os.path.join(CAPTURES, name + ".pcap")


def keys_of(name):
    """The key files that open a capture, as its NAME.keys lists them."""
    path = os.path.join(CAPTURES, name + ".keys")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [os.path.join(CAPTURES, line.strip()) for line in lines if line.strip()]


def expected_calls(name):
    path = os.path.join(CAPTURES, name + ".expect")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def must_show():
    """The rows of must-show.csv: what each capture must show, by its name."""
    with open(os.path.join(CAPTURES, "must-show.csv"), encoding="utf-8") as table:
        return {row["capture"]: row for row in csv.DictReader(table)}


INTERFACES = {"bkrp": "3dde7c30-165d-11d1-ab8f-00805f14db40", "wkst": "6bffd098-a112-3610-9833-46c3f87e345a",
              "cmrp": "b97db8b2-4c63-11cf-bff6-08002be23f2f"}


def protocol_of(name):
    """The protocol a capture is named after: its calls are those of the table and of NAME.expect."""
    return name.removeprefix("crafted-").split("-")[0]


def calls_of(name, calls):
    """The calls of the interface that a capture is named after."""
    return [call for call in calls if call["interface"] == INTERFACES[protocol_of(name)]]


def messages(calls):
    """The requests and responses that are in the capture."""
    return [m for call in calls for m in (call["request"], call["response"]) if m["kind"] != "none"]


def key_options(keys):
    return [option for key in keys for option in ("-k", key)]


class Rpclens:
    """The program of a build."""

    def __init__(self, build):
        self.path = os.path.join(build, "rpclens")
        self.known = {}

    def run(self, *arguments, status=0):
        done = subprocess.run([self.path, *arguments], capture_output=True, text=True, check=False, timeout=600)
        if status is not None and done.returncode != status:
            raise AssertionError(f"rpclens {' '.join(arguments)}: exit {done.returncode}, not {status}\n{done.stderr}")
        return done

    def calls(self, path, keys=(), status=0):
        """All calls with their stubs and passwords; asked twice, the program runs once."""
        question = (path, *keys)
        if question not in self.known:
            done = self.run("calls", *key_options(keys), "--format", "jsonl", "--stubs", "--show-secrets", path, status=status)
            self.known[question] = [json.loads(line) for line in done.stdout.splitlines()]
        return self.known[question]

    def calls_of_many(self, paths, keys=()):
        """{path: (its calls, with their stubs, and what was printed of them)}, in one run of the program. Only for keys that open nothing:
        what is learnt in one capture would help in the next."""
        done = self.run("calls", *key_options(keys), "--format", "jsonl", "--stubs", *paths)
        found = {path: ([], []) for path in paths}
        for line in done.stdout.splitlines():
            call = json.loads(line)
            found[call["capture"]][0].append(call)
            found[call["capture"]][1].append(line)
        return {path: (calls, "\n".join(lines)) for path, (calls, lines) in found.items()}

    def verify(self, path, keys=(), *options):
        done = self.run("verify", *key_options(keys), "--format", "json", *options, path, status=None)
        return done.returncode, json.loads(done.stdout)


class Tshark:
    """tshark with the plugin of a build (None: without any) in a home of its own, never as root: then it would be ignored."""

    def __init__(self, build):
        self.home = tempfile.mkdtemp(prefix="rpclens-home-")
        os.chmod(self.home, 0o755)
        if build:
            line = ".".join(self.version().split(".")[:2])
            folder = os.path.join(self.home, ".local", "lib", "wireshark", "plugins", line, "epan")
            os.makedirs(folder)
            shutil.copy(os.path.join(build, "rpclens.so"), folder)
        self.prefix = ["setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"] if os.getuid() == 0 else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)

    @staticmethod
    def version():
        out = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
        return out.split()[2] if out.startswith("TShark (Wireshark)") else out.split()[1]

    def lend(self, path):
        """A copy that the other user can read."""
        copy = os.path.join(self.home, os.path.basename(path))
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o644)
        return copy

    def run(self, *arguments, check=True):
        """Output and messages."""
        environment = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME="", LC_ALL="C.UTF-8")
        environment.pop("WIRESHARK_PLUGIN_DIR", None)
        done = subprocess.run([*self.prefix, "tshark", *arguments], capture_output=True, text=True, env=environment, check=False,
                              timeout=600)
        if check and done.returncode != 0:
            raise AssertionError(f"tshark {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout, done.stderr

    def fields(self, path, names, *options):
        """A list of rows; each cell the list of a field's values in a frame."""
        wanted = [option for name in names for option in ("-e", name)]
        out, _ = self.run("-r", path, *options, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|", *wanted)
        rows = [line.split("\t") for line in out.splitlines()]
        return [[cell.split("|") if cell else [] for cell in row + [""] * (len(names) - len(row))] for row in rows]


def read_pcap(path):
    """(seconds, fraction, octets, length on the wire) of each packet; classic pcap as tcpdump writes it here."""
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", data, at)
        yield seconds, fraction, data[at + 16:at + 16 + captured], length
        at += 16 + captured


def smb_messages(path, protocol):
    """(from_client, message) in order, of those that begin so; Ethernet, IPv4, TCP, none of it sent twice."""
    streams = {}
    for _, _, packet, _ in read_pcap(path):
        ip = packet[14:]
        if packet[12:14] != b"\x08\0" or ip[9] != 6:
            continue
        tcp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
        source, destination = struct.unpack_from(">HH", tcp)
        if 445 not in (source, destination):
            continue
        stream = streams.setdefault((source, destination), bytearray())
        stream += tcp[(tcp[12] >> 4) * 4:]
        while len(stream) >= 4 and len(stream) >= 4 + int.from_bytes(stream[1:4], "big"):
            size = int.from_bytes(stream[1:4], "big")
            message = bytes(stream[4:4 + size])
            del stream[:4 + size]
            if message[:4] == protocol:
                yield destination == 445, message


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for seconds, fraction, octets, length in packets:
            file.write(struct.pack("<IIII", seconds, fraction, len(octets), length) + octets)
    os.chmod(path, 0o644)
