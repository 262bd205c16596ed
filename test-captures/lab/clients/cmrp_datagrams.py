"""Crafted captures of ClusAPI 2.0 over UDP ([MS-CMRP] 2.1): cmrp_datagrams.py FOLDER

Nobody here speaks it, so the datagrams are made: framing and keys by datagrams.py, which see, answers by the cluster of
cluster.py, stubs by Samba (clusapi.py). Samba knows version 3.0 only; of the methods used here 2.0 differs in having
no rpc_status, which is taken out. Random numbers come from a fixed seed.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import sys
import uuid

import clusapi
import cluster
import cmrp
from datagrams import PING, Activity, Capture, Ntlm, ask_back, mixed_up

CLUSAPI = uuid.UUID("b97db8b2-4c63-11cf-bff6-08002be23f2f")


def without_rpc_status(method, reply):
    """It is the last parameter but for a handle, and the return value comes last: [MS-CMRP] 3.1.4.1 against 3.1.4.2."""
    if "rpc_status" not in method.parameters:
        return reply
    at = len(reply) - (8 if method.returns else 24)
    return reply[:at] + reply[at + 4:]


class Client:
    """What is said in a capture. Each byte order has an activity and a security context of its own."""

    def __init__(self, level=None, before=None, identify=False):
        """`before`: another client, behind which this one speaks in the same capture."""
        self.capture, self.said = (before.capture, before.said) if before else (Capture(), [])
        self.level, self.identify = level, identify
        self.session = cluster.Session(cluster.Cluster())
        self.activities = {}

    def activity(self, big):
        if big not in self.activities:
            security = Ntlm(self.level, "Administrator", "Lab-Admin-2026!", identify=self.identify) if self.level else None
            self.activities[big] = Activity(self.capture, CLUSAPI, 2, big, security)
        return self.activities[big]

    def stubs(self, method, asked, big, answer):
        """Request, reply, and the values of both."""
        form = clusapi.BIG if big else 0
        for parameter in method.asked:
            asked.setdefault(parameter.name, None if parameter.kind in ("str", "bytes") else 0)
        request = clusapi.pack_request(method.name, form, **asked)
        stub = clusapi.Stub(method, form)
        try:
            if method.asked:
                stub.pull(request, clusapi.IN)
            values, status = answer or self.session.call(method, stub.asked() if method.asked else {})
            stub.set_answered(status, **values)
            reply = stub.push(clusapi.OUT)
            stub.pull(reply, clusapi.OUT)
            return request, without_rpc_status(method, reply), stub.answered()
        finally:
            stub.close()

    def __call__(self, name, big=False, order=lambda pieces: pieces, answer=None, pings=0, **asked):
        """`answer`: values and status, where they are not the cluster's. `pings`: how often the client asks for the reply."""
        method, activity = clusapi.BY_NAME[name], self.activity(big)
        request, reply, answered = self.stubs(method, asked, big, answer)
        first = activity.sequence == 0 and self.level

        def between():
            if first:
                ask_back(activity)
            for _ in range(pings):
                activity.send([activity.datagram(PING, method.opnum, b"")])

        activity.call(method.opnum, request, reply, order, between)
        answered.pop("rpc_status", None)
        status = answered.pop("result", answered.get("Status"))
        self.said.append({"opnum": method.opnum, "method": "Api" + name, "in": self.told(method, asked),
                          "out": self.told(method, answered), "status": status})
        return answered

    @staticmethod
    def told(method, values):
        return {name: cmrp.handle_told(value) if isinstance(value, bytes) and method.parameters[name].kind == "handle"
                else cmrp.told(value) for name, value in values.items()}

    def refused(self, name, status):
        """A method without parameters, answered by a fault before the server asked who the client is."""
        method = clusapi.BY_NAME[name]
        self.activity(False).refused(method.opnum, clusapi.pack_request(name), status)
        self.said.append({"opnum": method.opnum, "method": "Api" + name, "in": {}, "out": None, "status": None})

    def write(self, folder, name, keys=None):
        self.capture.write(os.path.join(folder, name + ".pcap"))
        with open(os.path.join(folder, name + ".expect"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(said, ensure_ascii=False) + "\n" for said in self.said)
        if keys:
            with open(os.path.join(folder, name + ".keys"), "w", encoding="utf-8") as file:
                file.write(keys + "\n")


def talk(call):
    handle = call("OpenCluster")["Cluster"]
    call("GetClusterName")
    call("CreateEnum", dwType=0x3F, order=mixed_up, pings=2)                       # fragments, out of order
    resource = call("OpenResource", lpszResourceName="Cluster Disk 1")["hResource"]
    call("GetResourceState", hResource=resource)
    call("ResourceControl", hResource=resource, dwControlCode=0x01000059, nOutBufferSize=4096, order=mixed_up)
    new = cluster.property_list({"Description": "Über Datagramme", "RestartPeriod": 1000})
    call("ResourceControl", hResource=resource, dwControlCode=0x0140005E, lpInBuffer=new, nInBufferSize=len(new), pings=1)
    call("OfflineResource", hResource=resource)
    call("GetResourceState", hResource=resource)
    call("OnlineResource", hResource=resource)
    call("OpenGroup", lpszGroupName="No such group")
    call("CloseResource", Resource=resource)
    # The other byte order has handles of its own.
    group = call("OpenGroup", big=True, lpszGroupName="Dateien für alle")["hGroup"]
    call("GetGroupState", big=True, hGroup=group)
    call("CreateGroupResourceEnum", big=True, hGroup=group, dwType=1, order=mixed_up)
    call("CloseGroup", big=True, Group=group)
    call("CloseCluster", Cluster=handle)


def set_password(call):
    """Of version 2.0, and only to be called with privacy."""
    states = [{"NodeId": node, "SetAttempted": 1, "ReturnStatus": 0} for node in (1, 2)]
    call("SetServiceAccountPassword", lpszNewPassword="Neu-2026!", dwFlags=1, ReturnStatusBufferSize=2,
         answer=({"ReturnStatusBufferPtr": states, "SizeReturned": 2, "ExpectedBufferSize": 2}, 0))


class Parts(Client):
    """Says the parts of cmrp.py that version 2.0 has methods for, with the plain forms of what has another form in 3.0."""

    form = -1                   # cmrp.py's own checks are for TCP
    differ = (43, 54, 65)       # in more than rpc_status: not here

    def __call__(self, name, *positional, **named):
        method, plain = clusapi.BY_NAME[name], clusapi.BY_NAME.get(name.removesuffix("Ex"))
        asked = cmrp.completed(method, positional, named)
        if method.opnum > 108 and plain is not None and plain.opnum <= 108:
            method = plain
            asked = {p.name: asked[p.name] for p in plain.asked}
        if method.opnum > 108 or method.opnum in self.differ:
            return self.unsaid(method, asked)
        try:
            answered = super().__call__(method.name, **asked)
        except cluster.Fault:
            return None
        handle = clusapi.BY_NAME[name].answered[-1].name        # both forms may name it differently
        return {**answered, handle: answered.get(method.answered[-1].name), "status": self.said[-1]["status"]}

    def priority_order(self, names):
        """Not of Samba's packing."""

    def unsaid(self, method, asked):
        """What version 2.0 does not have happens all the same, so that the parts go on; but nothing of it is sent."""
        values, status = self.session.call(method, asked)
        for parameter in method.answered:
            values.setdefault(parameter.name, bytes(20) if parameter.kind == "handle" else None)
        return {**values, "status": status}


def every_method(call):
    for part in (cmrp.controls, cmrp.registry, cmrp.the_rest):
        part(call)


UNSUPPORTED_LEVEL = 0x1C00001D      # nca_unsupported_authn_level


def breaking(folder):
    """Three clients, each of which, or whose server, breaks one rule."""
    packets = Client(4)                                         # CMRP-3: packet level
    identify = Client(5, packets, identify=True)                # CMRP-6
    for call in packets, identify:
        handle = call("OpenCluster")["Cluster"]
        call("GetClusterName")
        call("CloseCluster", Cluster=handle)
    unknown = Client(5, packets)
    unknown.refused("GetClusterName", UNSUPPORTED_LEVEL)        # CMRP-18: no NTLM here
    unknown.write(folder, "crafted-cmrp-udp-broken", "lab.keytab")


def main(folder):
    for name, level, keys in (("crafted-cmrp-udp", None, None), ("crafted-cmrp-udp-ntlm", 6, "lab.keytab"),
                              ("crafted-cmrp-udp-ntlm-sign", 5, "lab.passwords.txt")):
        call = Client(level)
        talk(call)
        if level == 6:
            set_password(call)
        call.write(folder, name, keys)
    call = Parts(5)
    every_method(call)
    call.write(folder, "crafted-cmrp-udp-methods", "lab.keytab")
    breaking(folder)


if __name__ == "__main__":
    main(sys.argv[1])
