"""A ClusAPI server: cluster_server.py SMB.CONF ADDRESS PORT [LOWEST-LEVEL [UNKNOWN-TYPE [STARTING]]]

No Samba server serves ClusAPI, so this one does, with the cluster of cluster.py behind it. Real: the security contexts (Samba's
gensec does the handshake, seals and signs, and knows the users) and the stubs (Samba's NDR code, clusapi.py). Its own: the
framing, from [C706] 12.6 and MS-RPCE 2.2.2, and what the cluster answers. NDR, NDR64, requests of either byte order; replies are
little-endian.

The endpoint mapper at port 135 of the same address knows ClusAPI and nothing else.

As Windows does, it refuses every call below LOWEST-LEVEL (6, privacy, unless given) with a fault, access denied. A bind with
auth_type UNKNOWN-TYPE it refuses as one that it does not know (0: none). Its first STARTING answers to ApiGetClusterName are faults,
0x6BF.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import ctypes
import signal
import socket
import struct
import sys
import threading
import uuid
from ctypes import POINTER, c_size_t, c_uint32, c_void_p

from samba import auth, gensec
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dcerpc import epmapper, misc
from samba.param import LoadParm
from samba.samdb import SamDB

import clusapi
import cluster
from clusapi import BIG, IN, NDR64, OUT, Blob, Stub
from rpc import ALTER, ALTER_RESP, AUTH3, BIND, BIND_ACK, BIND_NAK, FAULT, REQUEST, RESPONSE
from rpc import NDR as NDR_SYNTAX
from rpc import NDR64 as NDR64_SYNTAX

CLUSAPI = uuid.UUID("b97db8b2-4c63-11cf-bff6-08002be23f2f"), 3
EPMAPPER = uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3
CO_CANCEL, ORPHANED = 18, 19
FIRST, LAST, HEADER_SIGN, DID_NOT_EXECUTE = 1, 2, 4, 0x20
CONNECT, PKT, INTEGRITY, PRIVACY = 2, 4, 5, 6
ACCESS_DENIED, OP_RANGE, UNKNOWN_INTERFACE, BAD_STUB, SEC_PKG_ERROR = 5, 0x1C010002, 0x1C010003, 0x000006F7, 0x00000721
FRAGMENT = 4280

python = ctypes.PyDLL(clusapi.LIBRARIES + "libpytalloc-util.cpython-311-x86-64-linux-gnu.so.2")
python._pytalloc_get_ptr.restype = c_void_p
python._pytalloc_get_ptr.argtypes = [ctypes.py_object]
security = ctypes.PyDLL(clusapi.LIBRARIES + "samba/libgensec-samba4.so.0")
for check in (security.gensec_unseal_packet, security.gensec_check_packet):
    check.restype = c_uint32
    check.argtypes = [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, POINTER(Blob)]
for make in (security.gensec_seal_packet, security.gensec_sign_packet):
    make.restype = c_uint32
    make.argtypes = [c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, POINTER(Blob)]


class Broken(Exception):
    """The connection cannot go on."""


class Domain:
    """Users and keys, from the DC's own database."""

    def __init__(self, conf):
        self.lp = LoadParm()
        self.lp.load(conf)
        self.machine = Credentials()
        self.machine.guess(self.lp)
        self.machine.set_machine_account(self.lp)
        self.sam = SamDB(self.lp.get("private dir") + "/sam.ldb", session_info=system_session(self.lp), lp=self.lp)
        self.users = auth.AuthContext(lp_ctx=self.lp, ldb=self.sam, methods=["sam"])


class Security:
    """One security context, as a server has it."""

    def __init__(self, domain, trailer, header_sign):
        self.type, self.level, self.head = trailer[0], trailer[1], trailer[:2] + b"\0\0" + trailer[4:]
        self.gensec = gensec.Security.start_server(
            settings={"lp_ctx": domain.lp, "target_hostname": domain.lp.get("netbios name")}, auth_context=domain.users)
        self.gensec.set_credentials(domain.machine)
        self.gensec.start_mech_by_authtype(self.type, self.level)
        if header_sign:
            self.gensec.want_feature(gensec.FEATURE_SIGN_PKT_HEADER)
        self.address = python._pytalloc_get_ptr(self.gensec)
        self.memory = clusapi.talloc._talloc_zero(None, 0, b"security")
        self.done = False

    def update(self, token):
        self.done, answer = self.gensec.update(token)
        return answer

    def user(self):
        try:
            return self.gensec.session_info().info.account_name
        except (AttributeError, RuntimeError) as why:
            print("session_info:", why, flush=True)
            return None

    def _buffer(self, octets):
        held = ctypes.create_string_buffer(octets, len(octets))
        return held, ctypes.addressof(held)

    def open(self, pdu, at):
        """`at`: where the trailer begins. The stub and pad in plain."""
        pad = pdu[at + 2]
        whole, address = self._buffer(pdu[:at + 8])
        token, token_address = self._buffer(pdu[at + 8:])
        doing = security.gensec_unseal_packet if self.level == PRIVACY else security.gensec_check_packet
        status = doing(self.address, address + 24, at - 24, address, at + 8, ctypes.byref(Blob(token_address, len(token))))
        if status:
            raise Broken(f"the client's signature: NTSTATUS {status:#x}")
        return whole.raw[24:at - pad]

    def close(self, head, body):
        """A PDU: `head` says 0 for its lengths."""
        pad = -len(body) % 16
        size = self.gensec.sig_size(len(body) + pad)
        total = len(head) + len(body) + pad + 8 + size
        head = head[:8] + struct.pack("<HH", total, size) + head[12:]
        trailer = self.head[:2] + bytes((pad, 0)) + self.head[4:]
        whole, address = self._buffer(head + body + bytes(pad) + trailer)
        signature = Blob()
        doing = security.gensec_seal_packet if self.level == PRIVACY else security.gensec_sign_packet
        status = doing(self.address, self.memory, address + len(head), len(body) + pad, address, len(whole),
                       ctypes.byref(signature))
        if status or signature.length != size:
            raise Broken(f"sealing: NTSTATUS {status:#x}, {signature.length} octets, not {size}")
        return whole.raw + ctypes.string_at(signature.data, size)


class Connection:
    serves = CLUSAPI
    unknown = 0         # an auth_type

    def __init__(self, accepted, domain, the_cluster, lowest):
        self.socket, self.domain, self.lowest = accepted, domain, lowest
        self.cluster, self.session = the_cluster, None
        self.contexts, self.security, self.waiting = {}, None, {}
        self.header_sign = False
        self.port = accepted.getsockname()[1]
        self.room = FRAGMENT

    def receive(self):
        head = self._exactly(16)
        if not head:
            return None
        return head + self._exactly(struct.unpack_from(self.order(head) + "H", head, 8)[0] - 16)

    def _exactly(self, count):
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                return b""
            octets += more
        return octets

    @staticmethod
    def order(pdu):
        return "<" if pdu[4] & 0x10 else ">"

    def serve(self):
        while True:
            pdu = self.receive()
            if not pdu:
                return
            kind = pdu[2]
            if kind in (BIND, ALTER):
                self.negotiate(pdu)
            elif kind == AUTH3:
                self.security.update(self.token(pdu)[1])
                self.authenticated()
            elif kind == REQUEST:
                self.request(pdu)
            elif kind not in (CO_CANCEL, ORPHANED):
                raise Broken(f"PDU type {kind}")

    def token(self, pdu):
        size, auth_length = struct.unpack_from(self.order(pdu) + "HH", pdu, 8)
        if not auth_length:
            return None, b""
        at = size - auth_length - 8
        trailer = pdu[at:at + 8]
        if self.order(pdu) == ">":
            trailer = trailer[:4] + trailer[:3:-1]
        return trailer, pdu[at + 8:size]

    def authenticated(self):
        if self.security is None or self.security.done:
            user = self.security.user() if self.security else None
            trusted = user == "Administrator" or (user is None and self.lowest < PRIVACY)
            self.session = cluster.Session(self.cluster, trusted)
            print("user", user, flush=True)

    def negotiate(self, pdu):
        order = self.order(pdu)
        trailer, token = self.token(pdu)
        call_id, = struct.unpack_from(order + "L", pdu, 12)
        if pdu[2] == BIND:
            self.header_sign = bool(pdu[3] & HEADER_SIGN)
            self.room = min(FRAGMENT, struct.unpack_from(order + "HH", pdu, 16)[1])
        at, results = 28, b""
        for _ in range(pdu[24]):
            number, count = struct.unpack_from(order + "HB", pdu, at)
            interface = self.uuid(order, pdu[at + 4:at + 20]), struct.unpack_from(order + "L", pdu, at + 20)[0]
            offered = [(self.uuid(order, pdu[n:n + 16]), struct.unpack_from(order + "L", pdu, n + 16)[0], pdu[n:n + 20])
                       for n in range(at + 24, at + 24 + 20 * count, 20)]
            at += 24 + 20 * count
            results += self.result(number, interface, offered)
        reply = b""
        if trailer and trailer[0] == self.unknown:
            self.refuse(call_id)
            raise Broken(f"auth_type {trailer[0]}")
        if trailer:
            if self.security is None:
                self.security = Security(self.domain, trailer, self.header_sign)
            try:
                reply = self.security.update(token)
            except RuntimeError as why:
                print("refused:", why, flush=True)
                if pdu[2] == BIND:
                    self.refuse(call_id)
                else:
                    self.fault(call_id, 0, SEC_PKG_ERROR)
                raise Broken("no security context") from None
        if (trailer is None or self.security.done) and self.cluster:
            self.authenticated()
        port = str(self.port).encode() + b"\0" if pdu[2] == BIND else b""
        body = struct.pack("<HHLH", FRAGMENT, FRAGMENT, 0x5a5a, len(port)) + port
        body += bytes(-len(body) % 4) + struct.pack("<Bxxx", pdu[24]) + results
        tail = b""
        if trailer and reply:
            pad = -len(body) % 4
            tail = bytes(pad) + self.security.head[:2] + bytes((pad, 0)) + self.security.head[4:] + reply
        self.send_raw(BIND_ACK if pdu[2] == BIND else ALTER_RESP, call_id, body + tail, len(reply) if tail else 0,
                      FIRST | LAST | (pdu[3] & HEADER_SIGN))

    @staticmethod
    def uuid(order, octets):
        return uuid.UUID(bytes_le=octets) if order == "<" else uuid.UUID(bytes=octets)

    def result(self, number, interface, offered):
        if any(one[0].bytes_le.startswith(bytes.fromhex("2c1cb76c12984045")) for one in offered):
            return struct.pack("<HH20x", 3, 0)          # negotiate_ack: bind-time features, none of them
        if interface != self.serves:
            return struct.pack("<HH20x", 2, 1)          # abstract syntax not supported
        for syntax, form in ((NDR_SYNTAX, 0), (NDR64_SYNTAX, NDR64)):
            for name, version, _ in offered:
                if (str(name), version) == syntax:
                    self.contexts[number] = form
                    return struct.pack("<HH", 0, 0) + uuid.UUID(syntax[0]).bytes_le + struct.pack("<L", syntax[1])
        return struct.pack("<HH20x", 2, 2)              # transfer syntax not supported

    def send_raw(self, kind, call_id, body, auth_length=0, flags=FIRST | LAST):
        head = struct.pack("<BBBB4sHHL", 5, 0, kind, flags, b"\x10\0\0\0", 16 + len(body), auth_length, call_id)
        self.socket.sendall(head + body)

    def refuse(self, call_id):
        self.send_raw(BIND_NAK, call_id, struct.pack("<HBBB3x", 8, 1, 5, 0))                # authentication type not recognized

    def fault(self, call_id, context, status):
        self.send_raw(FAULT, call_id, struct.pack("<LHBBLL", 32, context, 0, 0, status, 0), 0, FIRST | LAST | DID_NOT_EXECUTE)

    def request(self, pdu):
        order = self.order(pdu)
        size, auth_length, call_id, _, context, opnum = struct.unpack_from(order + "HHLLHH", pdu, 8)
        level = self.security.level if self.security else 1
        if level < self.lowest or (self.cluster and self.session is None):
            if pdu[3] & LAST:
                self.fault(call_id, context, ACCESS_DENIED)
            return
        if auth_length and level in (PKT, INTEGRITY, PRIVACY):
            piece = self.security.open(pdu, size - auth_length - 8)
        else:
            piece = pdu[24:size - (auth_length + 8 if auth_length else 0)]
        stub = self.waiting.pop(call_id, b"") + piece
        if not pdu[3] & LAST:
            self.waiting[call_id] = stub
            return
        if context not in self.contexts:
            self.fault(call_id, context, UNKNOWN_INTERFACE)
            return
        try:
            reply = self.answer(opnum, stub, self.contexts[context], BIG if order == ">" else 0)
        except cluster.Fault as why:
            self.fault(call_id, context, why.args[0])
            return
        self.respond(call_id, context, reply)

    def respond(self, call_id, context, stub):
        protected = self.security and self.security.level in (PKT, INTEGRITY, PRIVACY)
        room = self.room - 24 - (8 + self.security.gensec.sig_size(4096) if protected else 0)
        room -= room % 16
        left = len(stub)
        while True:
            piece = stub[len(stub) - left:][:room]
            flags = (FIRST if left == len(stub) else 0) | (LAST if left == len(piece) else 0)
            head = struct.pack("<BBBB4sHHLLHxx", 5, 0, RESPONSE, flags, b"\x10\0\0\0", 24 + len(piece), 0, call_id, left, context)
            self.socket.sendall(self.security.close(head, piece) if protected else head + piece)
            left -= len(piece)
            if not left:
                return

    def answer(self, opnum, octets, form, order):
        method = clusapi.BY_OPNUM.get(opnum)
        if method is None:
            raise cluster.Fault(OP_RANGE)
        stub = Stub(method, form)
        try:
            if method.name == "SetNetworkPriorityOrder":        # Samba cannot read it
                asked = {}
            elif method.asked:
                try:
                    stub.pull(octets, IN, order)
                except clusapi.ClusapiError as why:
                    print(why, flush=True)
                    raise cluster.Fault(BAD_STUB) from None
                asked = stub.asked()
            else:
                asked = {}
            values, status = self.session.call(method, asked)
            if not method.returns and status and "Status" not in values and "rpc_error" not in values:
                raise cluster.Fault(status)
            stub.set_answered(status, **values)
            packed = stub.push(OUT)
            if method.name == "GetNotifyV2":
                packed = clusapi.put_keys(packed, form, self.session.keys if status == 0 else [])
            return packed
        finally:
            stub.close()


class Mapper(Connection):
    """The endpoint mapper: ept_map ([C706] appendix O), packed by Samba's Python."""

    serves = EPMAPPER
    at = None       # where ClusAPI is

    def __init__(self, accepted):
        super().__init__(accepted, None, None, 1)

    def answer(self, opnum, octets, form, order):
        if opnum != 3 or order:
            raise cluster.Fault(OP_RANGE)
        call = epmapper.epm_Map()
        call.__ndr_unpack_in__(octets, ndr64=bool(form))
        floors = call.in_map_tower.tower.floors
        call.out_entry_handle = misc.policy_handle()
        if floors[0].lhs.lhs_data == CLUSAPI[0].bytes_le + struct.pack("<H", CLUSAPI[1]):
            floors[3].rhs.port, floors[4].rhs.ipaddr = self.at[1], self.at[0]
            found = epmapper.epm_twr_p_t()
            found.twr = call.in_map_tower
            call.out_num_towers, call.out_towers, call.result = 1, [found], 0
        else:
            call.out_num_towers, call.out_towers, call.result = 0, [], 0x16C9A0D6
        return call.__ndr_pack_out__(ndr64=bool(form))


def listen(at, serve):
    listening = socket.create_server(at)

    def one(accepted):
        try:
            with accepted:
                serve(accepted)
        except (Broken, OSError) as why:
            print(why, flush=True)

    def accept():
        while True:
            threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    conf, address, port, *options = sys.argv[1:]
    lowest, Connection.unknown, starting = [int(o) for o in options] + [PRIVACY, 0, 0][len(options):]
    domain, the_cluster = Domain(conf), cluster.Cluster(starting)
    Mapper.at = address, int(port)
    listen(Mapper.at, lambda accepted: Connection(accepted, domain, the_cluster, lowest).serve())
    listen((address, 135), lambda accepted: Mapper(accepted).serve())
    print("listening", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


main()
