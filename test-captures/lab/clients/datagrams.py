"""Crafted captures of connectionless RPC: datagrams.py FOLDER

Nobody here speaks sealed RPC over UDP, so the datagrams are made by this encoder, which shares nothing with RPC Lens: the framing is
written from [C706] 12.5 and MS-RPCE 2.2.3, keys and MACs are impacket's NTLM. What the calls carry is real: the calls of
bkrp-python-krb5, as that client logged them. Random numbers come from a fixed seed, so that the files come out the same.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import hmac
import json
import os
import random
import struct
import sys
import uuid

from Cryptodome.Cipher import ARC4
from impacket import ntlm

chance = random.Random(7)
os.urandom = chance.randbytes  # impacket's nonces
ntlm.random.seed(7)
REQUEST, PING, RESPONSE, FAULT, WORKING, ACK = 0, 1, 2, 3, 4, 7
LAST, FRAGMENT, NO_FACK, IDEMPOTENT = 2, 4, 8, 32
BKRP = uuid.UUID("3dde7c30-165d-11d1-ab8f-00805f14db40")
CONV = uuid.UUID("333a2276-0000-0000-0d00-00809c000000")
CLIENT, SERVER = (bytes((192, 0, 2, 100)), 49500), (bytes((192, 0, 2, 10)), 1025)
PIECE = 96  # octets of stub in a fragment: small, so that there are several


def guid(value, big):
    return value.bytes if big else value.bytes_le


class Capture:
    def __init__(self):
        self.packets = []

    def send(self, source, target, payload):
        udp = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), len(self.packets), 0, 64, 17, 0, source[0], target[0])
        self.packets.append(bytes(12) + b"\x08\x00" + ip + udp)

    def write(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for i, packet in enumerate(self.packets):
                file.write(struct.pack("<IIII", 1780000000 + i // 100, i % 100 * 10000, len(packet), len(packet)) + packet)


class Ntlm:
    """The server's challenge, the client's answer, and the keys of both ways ([MS-NLMP] 3.4.5). `identify`: the flag of this
    impersonation level, in the answer."""

    def __init__(self, level, user="alice", password="Lab-Alice-2026!", domain="CORP", datagram=ntlm.NTLMSSP_NEGOTIATE_DATAGRAM,
                 identify=False):
        # pylint: disable=too-many-arguments
        self.level = level
        first = ntlm.getNTLMSSPType1("CLIENT", domain, True, use_ntlmv2=True)
        pairs = ntlm.AV_PAIRS()
        for kind, text in ((ntlm.NTLMSSP_AV_DOMAINNAME, domain), (ntlm.NTLMSSP_AV_HOSTNAME, "DC")):
            pairs[kind] = text.encode("utf-16le")
        pairs[ntlm.NTLMSSP_AV_TIME] = struct.pack("<Q", 0x01DC5A0000000000)
        flags = first["flags"] | ntlm.NTLMSSP_NEGOTIATE_TARGET_INFO | datagram | ntlm.NTLMSSP_TARGET_TYPE_DOMAIN
        flags &= ~ntlm.NTLMSSP_NEGOTIATE_VERSION
        first["flags"] = flags
        name, info = domain.encode("utf-16le"), pairs.getData()
        self.challenge = (b"NTLMSSP\0" + struct.pack("<IHHII", 2, len(name), len(name), 48, flags) + chance.randbytes(8) + bytes(8)
                          + struct.pack("<HHI", len(info), len(info), 48 + len(name)) + name + info)
        answer, key = ntlm.getNTLMSSPType3(first, self.challenge, user, password, domain, use_ntlmv2=True)
        answer["flags"] |= datagram | (ntlm.NTLMSSP_NEGOTIATE_IDENTIFY if identify else 0)
        self.negotiate, self.authenticate, self.flags, self.key = first.getData(), answer.getData(), answer["flags"], key
        self.keys = {way: (ntlm.SIGNKEY(self.flags, key, way), ntlm.SEALKEY(self.flags, key, way)) for way in ("Client", "Server")}
        self.numbers = {"Client": 0, "Server": 0}

    def protect(self, way, stub):
        """The body as it is sent, and the verifier: each datagram is sealed with MD5(SealingKey, SeqNum)."""
        sign, seal = self.keys[way]
        number = struct.pack("<I", self.numbers[way])
        self.numbers[way] += 1
        body = stub + bytes(-len(stub) % 8)
        stream = ARC4.new(hashlib.md5(seal + number).digest())
        sent = stream.encrypt(body) if self.level == 6 else body
        checksum = stream.encrypt(hmac.new(sign, number + body, hashlib.md5).digest()[:8])
        return sent, bytes((self.level, 1)) + b"\0\0" + b"\x01\0\0\0" + checksum + number


class Activity:
    def __init__(self, capture, interface=BKRP, version=1, big=False, security=None, source=CLIENT, target=SERVER):
        self.capture, self.interface, self.version, self.big, self.security = capture, interface, version, big, security
        self.source, self.target = source, target
        self.uuid = uuid.UUID(bytes=chance.randbytes(16))
        self.sequence = 0

    def pack(self, form, *values):
        return struct.pack((">" if self.big else "<") + form, *values)

    def datagram(self, kind, opnum, stub, fragment=None, last=True, way="Client"):
        """As octets. `fragment`: its number, of several."""
        body, verifier = self.security.protect(way, stub) if self.security and kind in (REQUEST, RESPONSE) else (stub, b"")
        flags = IDEMPOTENT if fragment is None else FRAGMENT | NO_FACK | (LAST if last else 0)
        return (bytes((4, kind, flags, 0)) + (b"\0\0\0" if self.big else b"\x10\0\0") + b"\0" + bytes(16)
                + guid(self.interface, self.big) + guid(self.uuid, self.big)
                + self.pack("IIIHHHHH", 0x6a000000 if kind else 0, self.version, self.sequence, opnum, 0xffff, 0xffff, len(stub),
                            fragment or 0)
                + bytes((10 if verifier else 0, 0)) + body + verifier)

    def fragments(self, kind, opnum, stub, way):
        if len(stub) <= PIECE:
            return [self.datagram(kind, opnum, stub, way=way)]
        pieces = [stub[at:at + PIECE] for at in range(0, len(stub), PIECE)]
        return [self.datagram(kind, opnum, piece, i, i == len(pieces) - 1, way) for i, piece in enumerate(pieces)]

    def send(self, datagrams, back=False):
        for one in datagrams:
            self.capture.send(*((self.target, self.source) if back else (self.source, self.target)), one)

    def call(self, opnum, request, response, order=lambda pieces: pieces, between=lambda: None):
        """`order` is what the network does to the datagrams."""
        self.send(order(self.fragments(REQUEST, opnum, request, "Client")))
        between()
        self.send([self.datagram(WORKING, opnum, b"", way="Server")], back=True)
        self.send(order(self.fragments(RESPONSE, opnum, response, "Server")), back=True)
        self.send([self.datagram(ACK, opnum, b"")])
        self.sequence += 1

    def refused(self, opnum, request, status):
        """A call that the server answers by a fault, which is never sealed."""
        self.send(self.fragments(REQUEST, opnum, request, "Client"))
        self.send([self.datagram(FAULT, opnum, self.pack("I", status), way="Server")], back=True)
        self.sequence += 1


def ask_back(activity):
    """conv_who_are_you_auth: the server asks, the client answers."""
    conv = Activity(activity.capture, CONV, 3, activity.big, None, activity.target, activity.source)
    challenge, answer = activity.security.challenge, activity.security.authenticate
    ask = (guid(activity.uuid, conv.big) + conv.pack("II", 0x6a000000, len(challenge)) + challenge + bytes(-len(challenge) % 4)
           + conv.pack("II", len(challenge), 4096))
    tell = (conv.pack("I", activity.sequence) + guid(uuid.UUID(bytes=chance.randbytes(16)), conv.big)
            + conv.pack("III", 4096, 0, len(answer)) + answer + bytes(-len(answer) % 4) + conv.pack("II", len(answer), 0))
    conv.send([conv.datagram(REQUEST, 3, ask)])
    conv.send([conv.datagram(RESPONSE, 3, tell)], back=True)


def padded(octets):
    return octets + bytes(-len(octets) % 4)


def stubs(activity, said):
    """BackuprKey in NDR ([MS-BKRP] 3.1.4.1)."""
    data, out = bytes.fromhex(said["data_in"]), said["data_out"]
    request = (guid(uuid.UUID(said["action"]), activity.big) + activity.pack("I", len(data)) + padded(data)
               + activity.pack("II", said["cb_data_in"], said["dw_param"]))
    answer = bytes.fromhex(out) if out is not None else b""
    response = activity.pack("I", 0x20000 if out is not None else 0)
    if out is not None:
        response += activity.pack("I", len(answer)) + padded(answer)
    return request, response + activity.pack("II", len(answer), said["status"])


def mixed_up(pieces):
    """Backwards, and the first ones twice."""
    return pieces[::-1] + pieces[:2]


def write(folder, name, calls, keys, level=None, big=(), order=()):
    """`big`, `order`: numbers of the calls that are big-endian, and whose datagrams the network mixes up."""
    capture = Capture()
    activities = {}
    for i, said in enumerate(calls):
        side = i in big
        if side not in activities:
            activities[side] = Activity(capture, big=side, security=Ntlm(level) if level else None)
        activity = activities[side]
        first = activity.sequence == 0 and level
        request, response = stubs(activity, said)
        activity.call(0, request, response, mixed_up if i in order else lambda pieces: pieces,
                      (lambda a=activity: ask_back(a)) if first else lambda: None)
    capture.write(os.path.join(folder, name + ".pcap"))
    with open(os.path.join(folder, name + ".expect"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(said) + "\n" for said in calls)
    if keys:
        with open(os.path.join(folder, name + ".keys"), "w", encoding="utf-8") as file:
            file.write(keys + "\n")


def main(folder):
    with open(os.path.join(folder, "bkrp-python-krb5.expect"), encoding="utf-8") as lines:
        calls = [json.loads(line) for line in lines]
    write(folder, "crafted-bkrp-udp", calls, None, order=(1, 3), big=(2,))
    write(folder, "crafted-bkrp-udp-ntlm", calls, "lab.keytab", level=6, order=(1, 3), big=(2,))
    write(folder, "crafted-bkrp-udp-ntlm-sign", calls, "lab.passwords.txt", level=5)


if __name__ == "__main__":
    main(sys.argv[1])
