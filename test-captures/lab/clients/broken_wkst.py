"""Crafted captures of wkssvc: broken_wkst.py FOLDER

What no server or client at hand does: calls that break the rules of wkssvc (crafted-wkst-broken), the same calls where the rules are
kept (crafted-wkst-kept), those that are not consistent NDR (crafted-wkst-ndr-broken, crafted-wkst-ndr-kept), and one of a guest's
(crafted-wkst-guest). The SMB 2.1 and the RPC around them are written from [MS-SMB2] 2.2 and [C706] 12.6 and share nothing with RPC
Lens; the logon is impacket's NTLM, and stubs are packed by Samba's bindings, or by wkst_calls.py and the octets below where those
cannot say it. Random numbers come from a fixed seed, so that the files come out the same.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import struct
import sys
import uuid

from samba.dcerpc import lsa, wkssvc
from samba.ndr import ndr_pack_out

import datagrams
import wkst_calls
from wkst_calls import packed

CLIENT, SERVER = (bytes((192, 0, 2, 100)), 49600), (bytes((192, 0, 2, 10)), 445)
NAME = "\\\\files.corp.example"
ANONYMOUS, IDENTIFICATION, IMPERSONATION = 0, 1, 2
IS_GUEST = 1
NEGOTIATE, SESSION_SETUP, LOGOFF, TREE_CONNECT, TREE_DISCONNECT, CREATE, CLOSE, IOCTL = 0, 1, 2, 3, 4, 5, 6, 11
MORE_PROCESSING_REQUIRED, PIPE_TRANSCEIVE = 0xc0000016, 0x0011c017
FIN, SYN, PUSH, ACK = 1, 2, 8, 16
WKSSVC = uuid.UUID("6bffd098-a112-3610-9833-46c3f87e345a").bytes_le + struct.pack("<HH", 1, 0)
NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<HH", 2, 0)
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK = 0, 2, 3, 11, 12
DENIED, INVALID_PARAMETER, INVALID_LEVEL, INVALID_FLAGS, IN_PROGRESS, ALREADY_JOINED = 5, 87, 124, 0x3ec, 0x6ff, 0xa83
ACCESS_VIOLATION, BAD_STUB = 0xc0000005, 0x6f7
JOIN_DOMAIN, PWD_PASSED, JOIN_READONLY, UNDEFINED = 1, 0x80, 0x800, 0x10
ACCOUNT, PASSWORD = "CORP\\alice", "Lab-Join-2026! \u00e4\u20ac"


class Tcp(datagrams.Capture):
    """One connection: both ends' segments."""

    def __init__(self):
        super().__init__()
        self.sent = {CLIENT: 1000, SERVER: 2000}
        for source, flags in (CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK):
            self.segment(source, flags)

    def segment(self, source, flags, payload=b""):
        target = SERVER if source is CLIENT else CLIENT
        header = struct.pack("!HHIIBBHHH", source[1], target[1], self.sent[source], self.sent[target] if flags & ACK else 0, 0x50, flags,
                             0xffff, 0, 0)
        length = 20 + len(header) + len(payload)
        self.packets.append(bytes(12) + b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, len(self.packets), 0, 64, 6, 0,
                                                                  source[0], target[0]) + header + payload)
        self.sent[source] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    def message(self, source, octets):
        """A message of SMB behind its length, in segments."""
        octets = struct.pack("!I", len(octets)) + octets
        for at in range(0, len(octets), 1460):
            self.segment(source, ACK | PUSH, octets[at:at + 1460])

    def end(self):
        for source, flags in (CLIENT, FIN | ACK), (SERVER, FIN | ACK), (CLIENT, ACK):
            self.segment(source, flags)


class Smb:
    """A session of alice's at the server, and its share connection to IPC$. `flags`: those that the server gives the session."""

    def __init__(self, tcp, flags):
        self.tcp, self.message_id, self.session, self.tree, self.files = tcp, 0, 0, 0, 0
        logon = datagrams.Ntlm(0, datagram=0)
        self.key = logon.key
        self.exchange(NEGOTIATE, struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0, bytes(range(16)), 0, 0x210),
                      struct.pack("<HHHH16sIIIIQQHHI", 65, 1, 0x210, 0, bytes(range(16, 32)), 0, 65536, 65536, 65536,
                                  0x01dc5a0000000000, 0, 128, 0, 0))
        one = self.ask(SESSION_SETUP, self.setup(logon.negotiate))
        self.session = 0x1122334455
        self.answer(SESSION_SETUP, one, struct.pack("<HHHH", 9, 0, 72, len(logon.challenge)) + logon.challenge, MORE_PROCESSING_REQUIRED)
        self.exchange(SESSION_SETUP, self.setup(logon.authenticate), struct.pack("<HHHH", 9, flags, 72, 0))
        share = (NAME + "\\IPC$").encode("utf-16-le")
        one = self.ask(TREE_CONNECT, struct.pack("<HHHH", 9, 0, 72, len(share)) + share)
        self.tree = 7
        self.answer(TREE_CONNECT, one, struct.pack("<HBBIII", 16, 2, 0, 0, 0, 0x1f01ff))

    @staticmethod
    def setup(token):
        return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token

    def header(self, command, message_id, status, flags):
        return struct.pack("<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 1, status, command, 16, flags, 0, message_id, 0xfeff, self.tree,
                           self.session, bytes(16))

    def ask(self, command, body):
        """The number that the answer needs."""
        number = self.message_id
        self.message_id += 1
        self.tcp.message(CLIENT, self.header(command, number, 0, 0) + body)
        return number

    def answer(self, command, number, body, status=0):
        self.tcp.message(SERVER, self.header(command, number, status, 1) + body)

    def exchange(self, command, question, answer):
        self.answer(command, self.ask(command, question), answer)

    def end(self):
        self.exchange(TREE_DISCONNECT, struct.pack("<HH", 4, 0), struct.pack("<HH", 4, 0))
        self.exchange(LOGOFF, struct.pack("<HH", 4, 0), struct.pack("<HH", 4, 0))
        self.tcp.end()


class Pipe:
    """wkssvc, opened at an impersonation level, and the association on it."""

    def __init__(self, smb, level, expect):
        self.smb, self.expect, self.call_id = smb, expect, 1
        smb.files += 1
        self.file = struct.pack("<QQ", smb.files, 0xf11e)
        name = "wkssvc".encode("utf-16-le")
        smb.exchange(CREATE, struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, level, 0, 0, 0x12019f, 0, 7, 1, 0, 120, len(name), 0, 0) + name,
                     struct.pack("<HBBI32sQQII16sII", 89, 0, 0, 1, bytes(32), 4096, 0, 0x80, 0, self.file, 0, 0))
        number = self.send(BIND, struct.pack("<HHIBBHHBB", 4280, 4280, 0, 1, 0, 0, 0, 1, 0) + WKSSVC + NDR)
        address = b"\\PIPE\\wkssvc\0"
        self.receive(number, BIND_ACK, struct.pack("<HHIH", 4280, 4280, 4711, len(address)) + address + bytes(-(len(address) + 2) % 4)
                     + struct.pack("<BBHHH", 1, 0, 0, 0, 0) + NDR)

    def pdu(self, kind, body):
        return struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", 16 + len(body), 0, self.call_id) + body

    def send(self, kind, body):
        """Both PDUs of a call go in one FSCTL_PIPE_TRANSCEIVE."""
        octets = self.pdu(kind, body)
        return self.smb.ask(IOCTL, struct.pack("<HHI16sIIIIIIII", 57, 0, PIPE_TRANSCEIVE, self.file, 120, len(octets), 0, 0, 0, 65536, 1, 0)
                            + octets)

    def receive(self, number, kind, body):
        octets = self.pdu(kind, body)
        self.smb.answer(IOCTL, number, struct.pack("<HHI16sIIIIII", 49, 0, PIPE_TRANSCEIVE, self.file, 112, 0, 112, len(octets), 0, 0)
                        + octets)
        self.call_id += 1

    def begin(self, opnum, stub):
        return self.send(REQUEST, struct.pack("<IHH", len(stub), 0, opnum) + stub)

    def finish(self, number, stub, fault):
        if fault:
            self.receive(number, FAULT, struct.pack("<IHBxII", 0, 0, 0, fault, 0))
        else:
            self.receive(number, RESPONSE, struct.pack("<IHH", len(stub), 0, 0) + stub)

    def call(self, question, stub=struct.pack("<I", 0), fault=0, tree=None):
        """`question`: opnum and stub. `tree`: of what Samba's bindings do not take for this call."""
        opnum, into = question
        self.record(question, None if fault else stub, tree)
        self.finish(self.begin(opnum, into), stub, fault)

    def record(self, question, out, tree=None):
        self.expect.call(*question, out, tree, (lambda _: {}) if tree is not None else None)

    def end(self):
        self.smb.exchange(CLOSE, struct.pack("<HHI16s", 24, 0, 0, self.file), struct.pack("<HHI52s", 60, 0, 0, bytes(52)))


def status(code):
    return struct.pack("<I", code)


def answered(kind, into, result=0, **out):
    """The stub of an answer, as Samba packs it; `into`: what it needs of the call."""
    call = getattr(wkssvc, kind)()
    for name, value in into.items():
        setattr(call, "in_" + name, value)
    for name, value in out.items():
        setattr(call, "out_" + name, value)
    call.result = result
    return ndr_pack_out(call)


def made(kind, **values):
    what = getattr(wkssvc, kind)()
    for name, value in values.items():
        setattr(what, name, value)
    return what


def get_info(level):
    return packed("NetWkstaGetInfo", server_name=NAME, level=level)


def info_100():
    return answered("NetWkstaGetInfo", {"level": 100}, info=made(
        "NetWkstaInfo100", platform_id=500, server_name="FILES", domain_name="CORP", version_major=10, version_minor=0))


def set_timeout(seconds):
    """What Samba's IDL takes for a number, parm_error, is a pointer: ErrorParameter, null."""
    return packed("NetWkstaSetInfo", server_name=NAME, level=1018, info=made("NetWkstaInfo1018", session_timeout=seconds), parm_error=0)


def join(options, account=ACCOUNT, secret=None, server=NAME):
    return packed("NetrJoinDomain2", server_name=server, domain_name="CORP.EXAMPLE", account_ou=None, admin_account=account,
                  encrypted_password=secret, join_flags=options)


def unjoin(options):
    return packed("NetrUnjoinDomain2", server_name=NAME, account=ACCOUNT, encrypted_password=None, unjoin_flags=options)


def rename(options, name="OTHER"):
    return packed("NetrRenameMachineInDomain2", server_name=NAME, NewMachineName=name, Account=ACCOUNT, EncryptedPassword=None,
                  RenameOptions=options)


def add_name(reserved):
    return packed("NetrAddAlternateComputerName", server_name=NAME, NewAlternateMachineName="second.corp.example", Account=ACCOUNT,
                  EncryptedPassword=None, Reserved=reserved)


def statistics(level, options):
    return packed("NetrWorkstationStatisticsGet", server_name=NAME, unknown2="LanmanWorkstation", unknown3=level, unknown4=options)


def counted():
    info = wkssvc.NetrWorkstationStatistics()
    for n in range(1, 41):
        setattr(info, f"unknown{n}", n)
    return answered("NetrWorkstationStatisticsGet", {}, info=info)


def no_statistics(code):
    """A null pointer."""
    return answered("NetrWorkstationStatisticsGet", {}, code, info=None)


def transport_enum(level):
    """NetrWkstaTransportEnum of a level that is none: the union has nothing, and the resume handle is null."""
    stub = wkst_calls.Stub()
    stub.text(NAME)
    for value in level, level, 0xffffffff, 0:
        stub.ulong(value)
    return 5, stub.data


def no_transports(level, code):
    return struct.pack("<IIIII", level, level, 0, 0, code)


def delete_transport(force):
    return packed("NetrWkstaTransportDel", server_name=NAME, transport_name="\\Device\\NetbiosSmb", unknown3=force)


def join_information():
    return (packed("NetrGetJoinInformation", server_name=NAME, name_buffer=""),
            answered("NetrGetJoinInformation", {}, name_buffer="CORP", name_type=wkssvc.NET_SETUP_DOMAIN_NAME))


def names(length=None):
    """One name; `length`: in place of its own."""
    text = lsa.String()
    text.string = "first.corp.example"
    ctr = made("ComputerNamesCtr", count=1, computer_name=[text])
    stub = answered("NetrEnumerateComputerNames", {"name_type": 0, "Reserved": 0}, ctr=ctr)
    if length is not None:
        at = stub.index(2 * struct.pack("<H", 2 * len(text.string)))
        stub = stub[:at] + struct.pack("<H", length) + stub[at + 2:]
    return packed("NetrEnumerateComputerNames", server_name=NAME, name_type=0, Reserved=0), stub


def sealed(key):
    return made("PasswordBuffer", data=list(wkst_calls.encrypted(key, PASSWORD)))


def newer_join(key, cut=0, said=None):
    """NetrJoinDomain3. `cut`: octets that its cipher has too few; `said`: cbCipher."""
    authentication, salt, cipher = wkst_calls.encrypted_aes(key, PASSWORD)
    cipher = cipher[:len(cipher) - cut]
    secret = authentication, salt, cipher
    stub, tree = wkst_calls.newer(31, {"ServerName": NAME, "DomainNameParam": "CORP.EXAMPLE", "AccountName": ACCOUNT, "Password": secret,
                                       "Options": JOIN_DOMAIN})
    if said is not None:
        at = stub.index(salt) + len(salt)
        stub = stub[:at] + struct.pack("<I", said) + stub[at + 4:]
    return (31, stub), tree


def validate(kind):
    return packed("NetrValidateName2", server_name=NAME, name="OTHER", Account=None, EncryptedPassword=None, name_type=kind)


def at_once(pipes, codes):
    """Two changes of the computer's identity, the second asked for before the first is answered."""
    questions = rename(0), rename(0, "ANOTHER")
    for pipe, question, code in zip(pipes, questions, codes):
        pipe.record(question, status(code))
    numbers = [pipe.begin(*question) for pipe, question in zip(pipes, questions)]
    for pipe, number, code in zip(pipes, numbers, codes):
        pipe.finish(number, status(code), 0)


def in_folder(folder, name, play, levels, flags=0):
    """play(key, pipes), with a pipe for each level."""
    # pylint: disable=too-many-arguments
    os.environ["EXPECT"] = os.path.join(folder, name + ".expect")
    expect = wkst_calls.Expect()
    tcp = Tcp()
    smb = Smb(tcp, flags)
    pipes = [Pipe(smb, level, expect) for level in levels]
    play(smb.key, *pipes)
    for pipe in pipes:
        pipe.end()
    smb.end()
    expect.file.close()
    tcp.write(os.path.join(folder, name + ".pcap"))
    with open(os.path.join(folder, name + ".keys"), "w", encoding="utf-8") as file:
        file.write("lab.passwords.txt\n")


def broken(key, identify, change, other, anonymous):
    """`identify`: for what takes WKSSVC_IDENTIFY_HANDLE; `change`, `other`: for the rest."""
    identify.call(get_info(100), info_100())
    anonymous.call(get_info(100), info_100())                                                    # WKST-1, W-02
    identify.call(get_info(100), fault=ACCESS_VIOLATION)                                         # WKST-4
    identify.call(get_info(99), struct.pack("<II", 99, 0))                                           # W-03
    identify.call(set_timeout(5), struct.pack("<II", 0, 0))                                      # W-05
    identify.call(transport_enum(1), no_transports(1, 0), tree={})                               # W-07
    identify.call(delete_transport(3))                                                           # W-08
    identify.call(statistics(1, 0), counted())                                                   # W-10
    identify.call(statistics(0, 0), no_statistics(0))                                            # W-11
    change.call(join(JOIN_DOMAIN, server="\\\\192.0.2.99"), status(DENIED))                      # W-12
    change.call(join(JOIN_DOMAIN | PWD_PASSED))                                                  # W-13
    change.call(join(JOIN_DOMAIN | JOIN_READONLY))                                               # W-14
    change.call(*join_information())
    change.call(join(JOIN_DOMAIN))                                                               # W-15
    change.call(unjoin(UNDEFINED))                                                               # W-18
    change.call(rename(UNDEFINED))                                                               # W-19
    change.call(add_name(UNDEFINED))                                                             # W-21
    at_once((change, other), (0, 0))                                                             # W-23
    question, tree = newer_join(key, 5)
    change.call(question, status(DENIED), tree=tree)                                             # W-25
    change.call(*names(37))                                                                      # W-26


def kept(key, identify, change, other):
    identify.call(get_info(100), info_100())
    identify.call(get_info(99), struct.pack("<II", 99, INVALID_LEVEL))
    identify.call(set_timeout(5), struct.pack("<II", 0, INVALID_PARAMETER))
    identify.call(transport_enum(1), no_transports(1, INVALID_LEVEL), tree={})
    identify.call(delete_transport(3), status(INVALID_PARAMETER))
    identify.call(statistics(1, 0), no_statistics(INVALID_LEVEL))
    identify.call(statistics(0, 2), no_statistics(INVALID_PARAMETER))
    identify.call(statistics(0, 0), counted())
    change.call(join(JOIN_DOMAIN | PWD_PASSED), status(INVALID_PARAMETER))
    change.call(join(JOIN_DOMAIN | JOIN_READONLY), status(INVALID_PARAMETER))
    change.call(*join_information())
    change.call(join(JOIN_DOMAIN), status(ALREADY_JOINED))
    change.call(join(JOIN_DOMAIN, secret=sealed(key)), status(DENIED))
    change.call(unjoin(UNDEFINED), status(INVALID_FLAGS))
    change.call(rename(UNDEFINED), status(INVALID_FLAGS))
    change.call(add_name(0), status(DENIED))
    change.call(validate(0), status(INVALID_PARAMETER))
    at_once((change, other), (DENIED, IN_PROGRESS))
    question, tree = newer_join(key)
    change.call(question, status(DENIED), tree=tree)
    change.call(*names())


def other_tag():
    """NetrWkstaSetInfo whose Level is 1018, and that of its union 1013."""
    opnum, stub = set_timeout(600)
    level = struct.pack("<I", 1018)
    at = stub.rindex(level)
    assert stub.count(level) == 2
    return opnum, stub[:at] + struct.pack("<I", 1013) + stub[at + 4:]


def null_users():
    """NetrWkstaUserEnum with three users in a null pointer."""
    info = made("NetWkstaEnumUsersInfo", level=0, ctr=made("NetWkstaEnumUsersCtr0", entries_read=0))
    opnum, stub = packed("NetWkstaEnumUsers", server_name=NAME, info=info, prefmaxlen=0xffffffff, resume_handle=None)
    none = struct.pack("<IIII", 0, 0, 0xffffffff, 0)    # EntriesRead, Buffer, PreferredMaximumLength, ResumeHandle
    assert stub.endswith(none)
    return opnum, stub[:-16] + b"\3" + none[1:]


def ndr_broken(key, identify, change):
    lan = made("NetWkstaInfo101", platform_id=500, server_name="FILES", domain_name="CORP", version_major=10, version_minor=0, lan_root="")
    identify.call(get_info(100), answered("NetWkstaGetInfo", {"level": 101}, info=lan), tree={})   # W-04
    identify.call(other_tag(), struct.pack("<II", 0, DENIED), tree={})                           # WKST-7
    question, tree = newer_join(key, said=32)
    change.call(question, status(DENIED), tree=tree)                                             # WKST-7, W-25
    identify.call(null_users(), struct.pack("<IIIIIII", 0, 0, 0x20000, 0, 0, 0, 0) + status(0), tree={})  # WKST-8


def ndr_kept(_key, identify, _change):
    identify.call(other_tag(), fault=BAD_STUB, tree={})
    identify.call(null_users(), fault=BAD_STUB, tree={})


def guest(_key, identify):
    identify.call(delete_transport(0))                                                           # WKST-2


def main(folder):
    pipes = IDENTIFICATION, IMPERSONATION, IMPERSONATION
    in_folder(folder, "crafted-wkst-broken", broken, (*pipes, ANONYMOUS))
    in_folder(folder, "crafted-wkst-kept", kept, pipes)
    in_folder(folder, "crafted-wkst-ndr-broken", ndr_broken, pipes[:2])
    in_folder(folder, "crafted-wkst-ndr-kept", ndr_kept, pipes[:2])
    in_folder(folder, "crafted-wkst-guest", guest, pipes[:1], IS_GUEST)


if __name__ == "__main__":
    main(sys.argv[1])
