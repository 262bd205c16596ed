"""Crafted captures of ClusAPI, one that breaks rules of [MS-CMRP] on purpose and one that keeps some: broken_cmrp.py FOLDER

No client and no server at hand does either, so the PDUs are made: framing from [C706] 12.6, in the clear over TCP, stubs by Samba
(clusapi.py). Each call names the rule that it, or its answer,
is for. There is no chance in it: the files come out the same.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import struct
import sys
import uuid

import clusapi
from cluster import pack_batch, property_list
from cmrp_datagrams import without_rpc_status

CLUSAPI = uuid.UUID("b97db8b2-4c63-11cf-bff6-08002be23f2f")
NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
NDR64 = uuid.UUID("71710533-beba-4937-8319-b5dbef9ccc36").bytes_le + struct.pack("<I", 1)
REQUEST, RESPONSE, BIND, BIND_ACK = 0, 2, 11, 12
CLIENT, SERVER, OTHER_SERVER = bytes((192, 0, 2, 100)), bytes((192, 0, 2, 10)), bytes((192, 0, 2, 11))
FIN, SYN, PSH, ACK = 1, 2, 8, 16
READ, ALL = 0x80000000, 0x10000000
NOTHING = bytes(20)


def handle(number):
    return struct.pack("<I", 0) + uuid.UUID(int=number).bytes_le


class Capture:
    def __init__(self):
        self.packets, self.at = [], 1780000000

    def write(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for i, (at, packet) in enumerate(self.packets):
                file.write(struct.pack("<IIII", at, i * 100, len(packet), len(packet)) + packet)


class Connection:
    """A TCP connection, and an association on it with a presentation context for each of `versions`."""

    def __init__(self, capture, port, versions=(3,), group=0x5EED, syntax=NDR, refused=False, server=SERVER):
        self.capture, self.port, self.server, self.call_id = capture, port, server, 1
        self.sent = {False: 0, True: 0}
        for back, flags in ((False, SYN), (True, SYN | ACK), (False, ACK)):
            self.segment(back, flags)
            self.sent[back] += bool(flags & SYN)
        contexts = b"".join(struct.pack("<HBx", i, 1) + CLUSAPI.bytes_le + struct.pack("<I", version) + syntax
                            for i, version in enumerate(versions))
        self.pdu(BIND, struct.pack("<HHIB3x", 4280, 4280, 0, len(versions)) + contexts)
        self.pdu(BIND_ACK, struct.pack("<HHIH", 4280, 4280, group, 6) + b"49664\0" + struct.pack("<B3x", len(versions))
                 + (struct.pack("<HH", 2, 2) + bytes(20) if refused else bytes(4) + syntax) * len(versions))

    def segment(self, back, flags, payload=b""):
        ports = (49664, self.port) if back else (self.port, 49664)
        tcp = struct.pack("!HHIIBBHHH", *ports, 1000 + self.sent[back], 1000 + self.sent[not back] if flags & ACK else 0, 0x50,
                          flags, 65535, 0, 0) + payload
        ends = (self.server, CLIENT) if back else (CLIENT, self.server)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), len(self.capture.packets), 0, 64, 6, 0, *ends)
        self.capture.packets.append((self.capture.at, bytes(12) + b"\x08\x00" + ip + tcp))
        self.sent[back] += len(payload)

    def pdu(self, kind, body, call_id=None):
        head = struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, call_id or self.call_id)
        self.segment(kind in (RESPONSE, BIND_ACK), PSH | ACK, head + body)

    def send(self, opnum, request, reply, context=0):
        self.call_id += 1
        self.pdu(REQUEST, struct.pack("<IHH", len(request), context, opnum) + request)
        if reply is not None:
            self.respond(reply, context)

    def respond(self, reply, context=0, call_id=None):
        self.pdu(RESPONSE, struct.pack("<IHBx", len(reply), context, 0) + reply, call_id)

    def __call__(self, name, answer=None, status=0, version=3, context=0, unanswered=False, **asked):
        """`answer`: values of the reply. A method without a return value has its `status` among them."""
        method = clusapi.BY_NAME[name]
        for parameter in method.asked:
            if parameter.kind == "bytes":
                asked.setdefault(parameter.count, len(asked.get(parameter.name) or b""))
        request = clusapi.pack_request(name, 0, **asked)
        stub = clusapi.Stub(method, 0)
        try:
            if method.asked:
                stub.pull(request, clusapi.IN)
            stub.set_answered(status, **answer or {})
            reply = stub.push(clusapi.OUT)
        finally:
            stub.close()
        if version == 2:
            reply = without_rpc_status(method, reply)
        self.send(method.opnum, request, None if unanswered else reply, context)
        return self.call_id, reply

    def end(self):
        for back in (False, True):
            self.segment(back, FIN | ACK)
            self.sent[back] += 1
        self.segment(False, ACK)


def handles(call):
    cluster, resource, group, key, port = (handle(i) for i in range(1, 6))
    call("OpenCluster", {"Cluster": cluster})
    call("OpenResource", {"hResource": resource}, lpszResourceName="Disk")
    call("GetResourceState", {"NodeName": "N1", "GroupName": "G"}, hResource=cluster)                     # C-03
    call("CloseResource", {"Resource": resource}, Resource=resource)                                    # C-04
    call("OpenGroup", {"hGroup": group}, lpszGroupName="G")
    call("CloseGroup", {"Group": NOTHING}, Group=group)
    call("GetGroupState", {"NodeName": "N1"}, hGroup=group)                                             # C-05, twice
    call("OpenGroup", {"hGroup": NOTHING}, lpszGroupName="G")                                           # C-07
    reading, changing = handle(6), handle(7)
    call("OpenResourceEx", {"lpdwGrantedAccess": READ, "hResource": reading}, lpszResourceName="Disk", dwDesiredAccess=READ)
    call("OfflineResource", {}, hResource=reading)                                                      # C-08
    call("ResourceControl", {}, hResource=reading, dwControlCode=0x0140005E,
         lpInBuffer=property_list({"Description": "x"}))                                                # C-21
    call("OpenResourceEx", {"lpdwGrantedAccess": ALL, "hResource": changing}, lpszResourceName="Disk", dwDesiredAccess=2)  # C-09
    return cluster, changing, key, port


def registry(call, key):
    call("GetRootKey", {"phKey": key}, samDesired=0xF003F)
    call("SetValue", {}, hKey=key, lpValueName="v", dwType=9, lpData=b"\0\0\0\0")                       # C-17
    call("QueryValue", {"lpValueType": 3, "lpData": bytes(4), "lpcbRequired": 9}, hKey=key, lpValueName="v", cbData=4)  # C-18
    call("CreateKey", {"phKey": handle(8)}, hKey=key, lpSubKey="s", samDesired=0xF003F,
         lpSecurityAttributes={"nLength": 24, "bInheritHandle": 1})                                     # C-36
    orphan = pack_batch([(3, 0, "gone", b""), (1, 4, "v", bytes(4))])
    call("ExecuteBatch", {}, hKey=key, lpData=orphan)                                                   # C-24
    asked = pack_batch([(10, 0, "s", b""), (10, 0, "t", b"")])
    told = pack_batch([(11, 4, "s", bytes(4))])
    call("ExecuteReadBatch", {"cbOutData": len(told), "lpOutData": told}, hKey=key, lpInData=asked)     # C-25


def methods(call, cluster, resource):
    group = handle(9)
    call("OpenGroup", {"hGroup": group}, lpszGroupName="G")
    call("OpenNode", {"hNode": handle(10)}, lpszNodeName="N" * 64)                                      # C-10
    call("SetServiceAccountPassword", {"ReturnStatusBufferPtr": []}, lpszNewPassword="Crafted", dwFlags=0)  # C-13
    call("CreateEnum", {"ReturnEnum": [{"Type": 2, "Name": "R"}]}, dwType=1)                            # C-16
    call("ResourceControl", {}, status=234, hResource=resource, dwControlCode=0x01000059, nOutBufferSize=0)  # C-19
    expanded = bytearray(property_list({"Path": "%x%"}))
    at = expanded.index(struct.pack("<I", 0x00010003))
    expanded[at:at + 4] = struct.pack("<I", 0x00010008)
    call("ResourceControl", {}, hResource=resource, dwControlCode=0x0140005E, lpInBuffer=bytes(expanded))  # C-23
    call("MoveGroupEx", {}, hGroup=group, dwMoveFlags=5, lpInBuffer=b"")                                           # C-34
    call("CreateGroupEx", {"hGroup": handle(11)}, lpszGroupName="New", pGroupInfo={"dwVersion": 2, "dwGroupType": 100})  # C-35
    call("GetClusterVersion2", {"lpszVendorId": "V", "lpszCSDVersion": "",
                                "ppClusterOpVerInfo": {"dwSize": 20, "dwFlags": 2, "dwReserved": 1}})   # C-37
    call("CloseCluster", {"Cluster": NOTHING}, Cluster=cluster)


def notifications(call, cluster, port):
    call("OpenCluster", {"Cluster": cluster})
    call("CreateNotify", {"hNotify": port})
    call("AddNotifyCluster", {}, hNotify=port, hCluster=cluster, dwFilter=1, dwNotifyKey=7)
    call("GetNotify", {"dwNotifyKey": 7, "Name": ""}, hNotify=port)                                     # C-26, C-29
    call("GetNotify", {"dwNotifyKey": 8, "dwFilter": 0x20000000, "Name": "N"}, hNotify=port)            # C-28, C-29
    call("AddNotifyV2", {}, hNotify=port, hObject=cluster, filter={"dwObjectType": 1, "FilterFlags": 4}, dwNotifyKey=7,
         dwVersion=1)                                                                                   # C-30
    call("GetNotify", {"Name": ""}, unanswered=True, hNotify=port)                                      # C-27: never answered
    call("UnblockGetNotifyCall", {}, hNotify=port)


def versions(call):
    """Contexts of versions 2.0, 3.0, and 4.0, which there is not (CMRP-1)."""
    call.send(186, b"", struct.pack("<I", 0), context=1)                                                # C-12: reserved
    key = handle(12)
    call("GetRootKey", {"phKey": key}, version=2, samDesired=0xF003F)
    call("EnumKey", {"KeyName": "k"}, context=1, hKey=key, dwIndex=0)                                   # C-02
    call("SetServiceAccountPassword", {"ReturnStatusBufferPtr": [], "SizeReturned": 0}, version=2, lpszNewPassword="Crafted",
         dwFlags=2)                                                                                     # C-14


def refusals(call):
    """What the server of the other capture should have done. Contexts of versions 2.0 and 3.0."""
    key, reading, group, port = (handle(i) for i in range(1, 5))
    call("GetRootKey", {"phKey": key}, version=2, samDesired=0xF003F)
    call("EnumKey", {"KeyName": ""}, status=6, context=1, hKey=key, dwIndex=0)                          # C-02
    call("CloseKey", {"pKey": NOTHING}, version=2, pKey=key)
    call("OpenResourceEx", {"lpdwGrantedAccess": READ, "hResource": reading}, context=1, lpszResourceName="Disk",
         dwDesiredAccess=READ)
    call("ResourceControl", {}, status=5, context=1, hResource=reading, dwControlCode=0x0140005E,
         lpInBuffer=property_list({"Description": "x"}))                                                # C-21
    call("CloseResource", {"Resource": NOTHING}, context=1, Resource=reading)
    call("OpenGroup", {"hGroup": group}, context=1, lpszGroupName="G")
    call("MoveGroupEx", {}, status=87, context=1, hGroup=group, dwMoveFlags=5, lpInBuffer=b"")          # C-34
    call("CloseGroup", {"Group": NOTHING}, context=1, Group=group)
    call("CreateNotify", {"hNotify": port}, context=1)
    waiting, reply = call("GetNotify", {"Name": ""}, status=259, context=1, unanswered=True, hNotify=port)
    call("UnblockGetNotifyCall", {}, context=1, hNotify=port)
    call.respond(reply, 1, waiting)                                                                     # C-27
    call("CloseNotify", {"Notify": NOTHING}, context=1, Notify=port)
    call.end()


def reconnects(first, second):
    """The first node shuts down, and the client goes on with another."""
    first("GetClusterName", {"ClusterName": "", "NodeName": ""}, status=5073)
    first.end()
    second("GetClusterName", {"ClusterName": "C", "NodeName": "N2"})                                   # C-32
    second.end()


def malformed(call):
    resource = handle(1)
    call("OpenResource", {"hResource": resource}, lpszResourceName="Disk")
    short = struct.pack("<I", 2) + property_list({"Description": "x"})[4:]
    call("ResourceControl", {}, hResource=resource, dwControlCode=0x0140005E, lpInBuffer=short)         # C-22: one of two
    call("GetResourceId", {"pGuid": "x"}, version=2, hResource=resource)                                # C-38: as 2.0 has it
    call("CloseResource", {"Resource": NOTHING}, Resource=resource)
    call.end()


def main(folder):
    capture = Capture()
    first = Connection(capture, 49500)
    cluster, resource, key, port = handles(first)
    registry(first, key)
    second = Connection(capture, 49501)
    notifications(second, handle(13), port)
    capture.at += 10                                                                                    # C-27's time of grace
    second("GetClusterName", {"ClusterName": "C", "NodeName": "N"})                 # the client is still there for its answer
    methods(first, cluster, resource)
    third = Connection(capture, 49502, (2, 3, 4))
    versions(third)
    fourth = Connection(capture, 49503, syntax=NDR64, refused=True)                                     # C-01
    for connection in (second, third, fourth, first):                                                   # C-06: handles left open
        connection.end()
    capture.write(os.path.join(folder, "crafted-cmrp-broken.pcap"))
    capture = Capture()
    refusals(Connection(capture, 49500, (2, 3)))
    reconnects(Connection(capture, 49501), Connection(capture, 49502, server=OTHER_SERVER))
    capture.write(os.path.join(folder, "crafted-cmrp-kept.pcap"))
    capture = Capture()
    malformed(Connection(capture, 49500))
    capture.write(os.path.join(folder, "crafted-cmrp-malformed.pcap"))


if __name__ == "__main__":
    main(sys.argv[1])
