"""A small failover cluster in memory: what the methods of ClusAPI ([MS-CMRP] 3.0) do and answer. No cluster is behind it.

Two nodes, a few groups, resources, types, networks and a registry, shared by all connections. A context handle belongs to the
connection that opened it. The property lists and batches inside the octets are packed here, from [MS-CMRP] 2.2.3.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import struct
import threading
import uuid

from samba.dcerpc import security
from samba.ndr import ndr_pack

OK, INVALID_FUNCTION, FILE_NOT_FOUND, ACCESS_DENIED, INVALID_HANDLE, INVALID_PARAMETER = 0, 1, 2, 5, 6, 87
CALL_NOT_IMPLEMENTED, INSUFFICIENT_BUFFER, MORE_DATA, NO_MORE_ITEMS, OBJECT_ALREADY_EXISTS = 120, 122, 234, 259, 5010
RESOURCE_NOT_FOUND, GROUP_NOT_FOUND, NODE_NOT_FOUND, NETWORK_NOT_FOUND, NETINTERFACE_NOT_FOUND = 5007, 5013, 5042, 5045, 5047
PROPERTIES_STORED, NODE_NOT_PAUSED, TYPE_NOT_FOUND, GROUP_NOT_EMPTY = 5024, 5058, 5078, 5082
CONTEXT_MISMATCH = 0x1C00001A
CALL_FAILED_DNE = 0x6BF
GENERIC_READ, GENERIC_ALL = 0x80000000, 0x10000000
SZ, DWORD, MULTI_SZ = 1, 4, 7
WRITTEN = 0x01DC5A0000000000  # a FILETIME of the keys

# All for Administrators, reading for everyone.
SECURITY = ndr_pack(security.descriptor.from_sddl("O:BAG:BAD:(A;CI;0xf003f;;;BA)(A;CI;0x20019;;;WD)",
                                                 security.dom_sid("S-1-5-21-1-2-3")))


class Fault(Exception):
    pass


class Refused(Exception):
    """A method's own status."""


def wide(text):
    return text.encode("utf-16le") + b"\0\0"


def many(texts):
    return b"".join(map(wide, texts)) + b"\0\0"


def padded(octets):
    return octets + bytes(-len(octets) % 4)


def property_value(value):
    """Syntax, size, octets ([MS-CMRP] 2.2.3.10.1)."""
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, int):
        syntax, octets = 0x00010002, struct.pack("<I", value & 0xffffffff)
    elif isinstance(value, str):
        syntax, octets = 0x00010003, wide(value)
    elif isinstance(value, list):
        syntax, octets = 0x00010005, many(value)
    elif isinstance(value, Time):
        syntax, octets = 0x0001000c, struct.pack("<Q", value.time)
    else:
        syntax, octets = 0x00010001, value
    return struct.pack("<II", syntax, len(octets)) + padded(octets)


class Time:
    def __init__(self, time):
        self.time = time


def property_list(properties):
    out = struct.pack("<I", len(properties))
    for name, value in properties.items():
        out += struct.pack("<II", 0x00040003, len(wide(name))) + padded(wide(name)) + property_value(value) + bytes(4)
    return out


def read_property_list(octets):
    """The names and values, as far as property_value() makes them."""
    count, at, found = struct.unpack_from("<I", octets)[0], 4, {}
    for _ in range(count):
        size, = struct.unpack_from("<I", octets, at + 4)
        name = octets[at + 8:at + 8 + size].decode("utf-16le").rstrip("\0")
        at += 8 + size + -size % 4
        syntax, size = struct.unpack_from("<II", octets, at)
        value = octets[at + 8:at + 8 + size]
        at += 8 + size + -size % 4 + 4
        if syntax == 0x00010002:
            value, = struct.unpack("<I", value)
        elif syntax == 0x00010003:
            value = value.decode("utf-16le").rstrip("\0")
        elif syntax == 0x00010005:
            value = value.decode("utf-16le").rstrip("\0").split("\0")
        found[name] = value
    return found


class Thing:
    """A node, group, resource, type, network, interface or group set."""

    def __init__(self, kind, name, number, state=0, common=None, private=None, **more):
        self.kind, self.name, self.state = kind, name, state
        self.id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{kind}.{number}.cluster.corp.example"))
        self.common = {"Description": f"{name} of the lab", **(common or {})}
        self.private = private or {}
        self.__dict__.update(more)


class Key:
    def __init__(self, values=None, keys=None):
        self.values, self.keys, self.security = values or {}, keys or {}, SECURITY

    def at(self, path):
        key = self
        for part in filter(None, path.split("\\")):
            key = key.keys[part]
        return key


class Port:
    """A notification port: what is watched, and what has happened since."""

    def __init__(self):
        self.watched, self.happened = [], []


class Cluster:
    def __init__(self, starting=0):
        """`starting`: so many calls of ApiGetClusterName fail before it is up."""
        self.lock, self.starting = threading.RLock(), starting
        self.name, self.nodes = "LABCLUSTER", {}
        self.common = {"ClusSvcHangTimeout": 60, "CrossSubnetDelay": 1000, "Description": "A cluster of the lab",
                       "EnableSharedVolumes": True, "AdminExtensions": ["{4EC90FB0-D0BB-11CF-B5EF-00A0C90AB505}"]}
        self.private = {"HangRecoveryAction": 3, "ClusterLogSize": 300}
        self.kinds = {kind: {} for kind in ("node", "type", "resource", "group", "network", "interface", "set")}
        for i, name in enumerate(("NODE1", "NODE2"), 1):
            node = self.add("node", name, i, common={"NodeWeight": 1, "MajorVersion": 10, "BuildNumber": 14393})
            node.id = str(i)
        for name in ("Physical Disk", "Network Name", "IP Address", "File Server", "Generic Service", "Storage Pool"):
            self.add("type", name, name, common={"Name": name, "DllName": "clusres.dll", "IsAlivePollInterval": 60000,
                                                 "LooksAlivePollInterval": 5000})
        # smbtorture opens a resource, an interface and a group set by these names.
        for name, kind in (("Cluster Group", 1), ("Available Storage", 2), ("Dateien für alle", 100)):
            self.add("group", name, name, common={"GroupType": kind, "Priority": 2000, "PersistentState": 1}, node="NODE1",
                     order=["NODE1", "NODE2"])
        for name, kind, group, private in (
                ("Cluster Name", "Network Name", "Cluster Group", {"Name": "LABCLUSTER", "DnsName": "labcluster"}),
                ("Cluster IP Address", "IP Address", "Cluster Group", {"Address": "192.0.2.40", "SubnetMask": "255.255.255.0"}),
                ("Cluster Disk 1", "Physical Disk", "Available Storage", {"DiskSignature": 0x4C414231}),
                ("Freigaben", "File Server", "Dateien für alle", {"ServerName": "FILES"})):
            self.add("resource", name, name, state=2, type=kind, group=group, private=private, depends=[],
                     owners=["NODE1", "NODE2"], common={"Type": kind, "RestartPeriod": 900000, "PersistentState": 1})
        self.add("resource", "Network Name", "nn", state=3, type="Network Name", group="Dateien für alle", depends=[],
                 owners=["NODE2"], private={"Name": "FILES"}, common={"Type": "Network Name", "PersistentState": 0})
        self.kinds["resource"]["Cluster Name"].depends = ["Cluster IP Address"]
        self.quorum = "Cluster Disk 1"
        self.add("network", "Cluster Network 1", 1, state=3,
                 common={"Address": "192.0.2.0", "AddressMask": "255.255.255.0", "Role": 3})
        for node in ("NODE1", "NODE2"):
            self.add("interface", f"{node} - Ethernet", node, state=3, node=node, network="Cluster Network 1",
                     common={"Adapter": "veth", "Address": "192.0.2.10" if node == "NODE1" else "192.0.2.11"})
        self.add("set", "Cluster Group", 1, groups=["Dateien für alle"], providers=[], common={"StartupCount": 0xffffffff})
        values = {"ClusterInstanceID": (SZ, wide("0d0d8d1b-8d0e-4a4e-9b0b-7f4c4c4c4c4c")), "ClusterName": (SZ, wide(self.name))}
        self.registry = Key(values, {
            "Groups": Key({}, {g.id: Key({"Name": (SZ, wide(g.name))}) for g in self.kinds["group"].values()}),
            "Nodes": Key({}, {n.id: Key({"NodeName": (SZ, wide(n.name)), "NodeWeight": (DWORD, struct.pack("<I", 1))})
                              for n in self.kinds["node"].values()}),
            "Resources": Key({"Order": (MULTI_SZ, many(["Cluster Name", "Cluster IP Address"]))}),
            "Quorum": Key({"Path": (SZ, wide("\\Cluster\\")), "MaxQuorumLogSize": (DWORD, struct.pack("<I", 4 << 20))})})
        self.ports, self.batch_ports = [], []

    def add(self, kind, name, number, **more):
        self.kinds[kind][name] = Thing(kind, name, number, **more)
        return self.kinds[kind][name]

    def find(self, kind, name, why):
        things = self.kinds[kind]
        for thing in things.values():
            if name is not None and name.lower() in (thing.name.lower(), thing.id):
                return thing
        raise Refused(why)

    def happened(self, kind, flags, name, object_id=""):
        """`flags`: the old filter's bits ([MS-CMRP] 2.2.2.7)."""
        for port in self.ports:
            for watched, filter_, key in port.watched:
                if watched in (kind, name) and filter_ & flags:
                    port.happened.append((key, flags, name, object_id))


ENUMS = {1: "node", 2: "type", 4: "resource", 8: "group", 0x10: "network", 0x20: "interface"}
STATE_CHANGE = {"node": 1, "resource": 0x100, "group": 0x1000}
OBJECT_TYPES = {"cluster": 1, "group": 2, "resource": 3, "type": 4, "interface": 5, "network": 6, "node": 7}
MISSING = {"node": NODE_NOT_FOUND, "resource": RESOURCE_NOT_FOUND, "group": GROUP_NOT_FOUND, "network": NETWORK_NOT_FOUND,
           "interface": NETINTERFACE_NOT_FOUND, "set": GROUP_NOT_FOUND, "type": TYPE_NOT_FOUND}
# Handles' names in the methods, as they begin, and the kind of thing that such a handle is.
KINDS = {"Cluster": "cluster", "hCluster": "cluster", "hNode": "node", "Node": "node", "hHostNode": "node",
         "hResource": "resource", "Resource": "resource", "hDependsOn": None, "hGroup": "group", "Group": "group",
         "hNetwork": "network", "Network": "network", "hNetInterface": "interface", "NetInterface": "interface",
         "hNotify": "port", "Notify": "port", "hKey": "key", "pKey": "key",
         "hBatchNotify": "batch", "phBatchPort": "batch", "hGroupSet": "set", "GroupSet": "set",
         "DependentGroupSet": "set", "ProviderGroupSet": "set", "DependentGroup": "group", "hNodeDrainTarget": "node",
         "hResourceDependent": "resource", "hObject": None}


def entries(things, kind):
    return [{"Type": kind, "Name": name} for name in things]


def batch(octets):
    """CLUSTER_REG_BATCH_UPDATE ([MS-CMRP] 2.2.3.17): (command, type, name, data); each ends at a multiple of two octets."""
    at = 4
    while at + 16 <= len(octets):
        command, kind, size = struct.unpack_from("<III", octets, at)
        name = octets[at + 12:at + 12 + size].decode("utf-16le").rstrip("\0")
        at += 12 + size
        size, = struct.unpack_from("<I", octets, at)
        yield command, kind, name, octets[at + 4:at + 4 + size]
        at += 4 + size + size % 2


def pack_batch(commands):
    out = struct.pack("<I", 1)
    for command, kind, name, data in commands:
        out += struct.pack("<III", command, kind, len(wide(name))) + wide(name) + struct.pack("<I", len(data)) + data
        out += bytes(-len(data) % 2)
    return out


class Session:
    """One connection's view: its handles and its rights."""

    def __init__(self, cluster, may_change=True):
        self.cluster, self.may_change, self.handles = cluster, may_change, {}

    # --- handles ---

    def open(self, kind, thing):
        handle = bytes(4) + uuid.uuid4().bytes_le
        self.handles[handle] = (kind, thing)
        return handle

    def use(self, handle, kind):
        """What a handle stands for. The RPC run-time knows no other connection's handles, nor closed ones; methods mind kinds."""
        if handle not in self.handles:
            raise Fault(CONTEXT_MISMATCH)
        found, thing = self.handles[handle]
        if kind and found != kind:
            raise Refused(INVALID_HANDLE)
        return thing

    # --- calls ---

    def call(self, method, asked):
        """(values of the reply, status)"""
        with self.cluster.lock:
            try:
                things = {name: self.use(value, KINDS.get(name)) for name, value in asked.items()
                          if isinstance(value, bytes) and method.parameters[name].kind == "handle"}
                if not self.may_change and not method.name.startswith(("Open", "Close", "Get", "Create", "Enum", "Query")):
                    raise Refused(ACCESS_DENIED)
                done = self.dispatch(method, asked, things)
                return done if isinstance(done, tuple) else (done or {}, OK)
            except Refused as why:
                status = why.args[0]
                named = {p.name for p in method.answered}
                kept = {name: asked[name] for name in named & set(asked) if method.parameters[name].kind == "handle"}
                return ({**kept, **{name: status for name in ("Status", "rpc_error") if name in named}}, status)

    def dispatch(self, method, asked, things):
        name = method.name
        own = getattr(self, "do_" + name, None)
        if own:
            return own(asked, things)
        if name.startswith("Close"):
            del self.handles[asked[method.asked[0].name]]
            return {}
        for prefix, doing in (("Open", self.open_by_name), ("Node", self.control), ("ReAddNotify", self.add_notify),
                              ("AddNotify", self.add_notify)):
            if name.startswith(prefix):
                return doing(method, asked, things)
        if name.endswith("Control"):
            return self.control(method, asked, things)
        if name.startswith("Get") and name.endswith("Id"):
            return {"pGuid": next(iter(things.values())).id}
        if name.startswith("Get") and name.endswith("State"):
            return self.state(name, next(iter(things.values())))
        return self.change_state(name, next(iter(things.values()), None))

    # --- the cluster itself ---

    def do_OpenCluster(self, asked, things):
        if not self.may_change:
            raise Refused(ACCESS_DENIED)
        return {"Cluster": self.open("cluster", self.cluster)}

    def granted(self, desired):
        if self.may_change:
            return GENERIC_ALL
        if desired & ~(GENERIC_READ | 0x02000000 | 1):
            raise Refused(ACCESS_DENIED)
        return GENERIC_READ

    def do_OpenClusterEx(self, asked, things):
        return {"lpdwGrantedAccess": self.granted(asked["dwDesiredAccess"]), "hCluster": self.open("cluster", self.cluster)}

    def do_SetClusterName(self, asked, things):
        self.cluster.name = asked["NewClusterName"]
        return {}, PROPERTIES_STORED

    def do_GetClusterName(self, asked, things):
        if self.cluster.starting > 0:
            self.cluster.starting -= 1
            raise Fault(CALL_FAILED_DNE)
        return {"ClusterName": self.cluster.name, "NodeName": "NODE1"}

    def do_GetClusterVersion(self, asked, things):
        raise Refused(CALL_NOT_IMPLEMENTED)

    def do_GetClusterVersion2(self, asked, things):
        return {"lpwMajorVersion": 10, "lpwMinorVersion": 0, "lpwBuildNumber": 14393, "lpszVendorId": "RPC Lens lab",
                "lpszCSDVersion": "", "ppClusterOpVerInfo": {"dwSize": 20, "dwClusterHighestVersion": 0x00090020,
                                                              "dwClusterLowestVersion": 0x00080002, "dwFlags": 0}}

    def do_GetQuorumResource(self, asked, things):
        return {"lpszResourceName": self.cluster.quorum, "lpszDeviceName": "\\Device\\Harddisk1\\ClusterPartition1\\Cluster\\",
                "pdwMaxQuorumLogSize": 4 << 20}

    def do_SetQuorumResource(self, asked, things):
        self.cluster.quorum = things["hResource"].name
        return {}

    def do_BackupClusterDatabase(self, asked, things):
        raise Refused(CALL_NOT_IMPLEMENTED)

    do_SetServiceAccountPassword = do_BackupClusterDatabase    # version 3.0 has it fail always ([MS-CMRP] 3.1.4.2.108)

    # --- opening, creating, enumerations ---

    def open_by_name(self, method, asked, things):
        out = method.answered[-1].name
        kind = KINDS[out]
        values = {}
        if "dwDesiredAccess" in asked:
            values["lpdwGrantedAccess"] = self.granted(asked["dwDesiredAccess"])
        thing = self.cluster.find(kind, asked[method.asked[0].name], MISSING[kind])
        return {out: self.open(kind, thing), **values}

    def create(self, kind, name, **more):
        if not self.may_change:
            raise Refused(ACCESS_DENIED)
        if name in self.cluster.kinds[kind]:
            raise Refused(OBJECT_ALREADY_EXISTS)
        return self.cluster.add(kind, name, name, **more)

    def do_CreateResource(self, asked, things):
        self.cluster.find("type", asked["lpszResourceType"], TYPE_NOT_FOUND)
        resource = self.create("resource", asked["lpszResourceName"], state=3, type=asked["lpszResourceType"],
                               group=things["hGroup"].name, depends=[], owners=["NODE1"])
        self.cluster.happened("cluster", 0x400, resource.name)
        return {"hResource": self.open("resource", resource)}

    def do_DeleteResource(self, asked, things):
        self.cluster.happened("resource", 0x200, things["hResource"].name)
        del self.cluster.kinds["resource"][things["hResource"].name]

    def do_CreateGroup(self, asked, things):
        group = self.create("group", asked["lpszGroupName"], node="NODE1", order=[], state=1)
        self.cluster.happened("cluster", 0x4000, group.name, group.id)
        return {"hGroup": self.open("group", group)}

    def do_CreateGroupEx(self, asked, things):
        done = self.do_CreateGroup(asked, things)
        self.use(done["hGroup"], "group").common["GroupType"] = (asked["pGroupInfo"] or {"dwGroupType": 9999})["dwGroupType"]
        return done

    def do_DeleteGroup(self, asked, things):
        name = things["Group"].name
        if not asked["force"] and any(r.group == name for r in self.cluster.kinds["resource"].values()):
            raise Refused(GROUP_NOT_EMPTY)
        del self.cluster.kinds["group"][name]
        self.cluster.happened("group", 0x2000, name, things["Group"].id)

    def do_CreateGroupSet(self, asked, things):
        return {"hGroupSet": self.open("set", self.create("set", asked["lpszGroupSetName"], groups=[], providers=[]))}

    def do_DeleteGroupSet(self, asked, things):
        del self.cluster.kinds["set"][things["GroupSet"].name]

    def do_AddGroupToGroupSet(self, asked, things):
        things["GroupSet"].groups.append(things["Group"].name)

    do_MoveGroupToGroupSet = do_AddGroupToGroupSetEx = do_AddGroupToGroupSet

    def do_RemoveGroupFromGroupSet(self, asked, things):
        for group_set in self.cluster.kinds["set"].values():
            if things["Group"].name in group_set.groups:
                group_set.groups.remove(things["Group"].name)

    def do_CreateResourceType(self, asked, things):
        self.create("type", asked["lpszTypeName"], common={"Name": asked["lpszDisplayName"], "DllName": asked["lpszDllName"]})

    def do_DeleteResourceType(self, asked, things):
        del self.cluster.kinds["type"][self.cluster.find("type", asked["lpszTypeName"], TYPE_NOT_FOUND).name]

    def listed(self, mask):
        if mask & 0x1C0 or not mask:
            raise Refused(INVALID_PARAMETER)
        return [(bit, thing) for bit, kind in ENUMS.items() if mask & bit for thing in self.cluster.kinds[kind].values()]

    def do_CreateEnum(self, asked, things):
        return {"ReturnEnum": [{"Type": bit, "Name": thing.name} for bit, thing in self.listed(asked["dwType"])]}

    def do_CreateEnumEx(self, asked, things):
        found = self.listed(asked["dwType"])
        return {"ReturnIdEnum": [{"Type": bit, "Name": thing.id} for bit, thing in found],
                "ReturnNameEnum": [{"Type": bit, "Name": thing.name} for bit, thing in found]}

    def do_CreateResEnum(self, asked, things):
        resource, kind = things["hResource"], asked["dwType"]
        provides = [other.name for other in self.cluster.kinds["resource"].values() if resource.name in other.depends]
        return {"ReturnEnum": entries({1: resource.depends, 2: provides, 4: resource.owners}.get(kind, []), kind)}

    def do_CreateResTypeEnum(self, asked, things):
        kind = self.cluster.find("type", asked["lpszTypeName"], TYPE_NOT_FOUND)
        found = {1: ["NODE1", "NODE2"], 2: [r.name for r in self.cluster.kinds["resource"].values() if r.type == kind.name]}
        return {"ReturnEnum": entries(found.get(asked["dwType"], []), asked["dwType"])}

    def do_CreateGroupResourceEnum(self, asked, things):
        group = things["hGroup"]
        found = {1: [r.name for r in self.cluster.kinds["resource"].values() if r.group == group.name], 2: group.order}
        return {"ReturnEnum": entries(found.get(asked["dwType"], []), asked["dwType"])}

    def do_CreateNetworkEnum(self, asked, things):
        return {"ReturnEnum": entries([i.name for i in self.cluster.kinds["interface"].values()
                                       if i.network == things["hNetwork"].name], asked["dwType"])}

    def of_node(self, node, kind):
        return ([i for i in self.cluster.kinds["interface"].values() if i.node == node.name] if kind == 1
                else [g for g in self.cluster.kinds["group"].values() if g.node == node.name])

    def do_CreateNodeEnum(self, asked, things):
        return {"ReturnEnum": entries([t.name for t in self.of_node(things["hNode"], asked["dwType"])], asked["dwType"])}

    def do_CreateNodeEnumEx(self, asked, things):
        found, kind = self.of_node(things["hNode"], asked["dwType"]), asked["dwType"]
        return {"ReturnIdEnum": entries([t.id for t in found], kind), "ReturnNameEnum": entries([t.name for t in found], kind)}

    def do_CreateNetInterfaceEnum(self, asked, things):
        found = [i.name for i in self.cluster.kinds["interface"].values()
                 if asked["lpszNodeName"] in (None, "", i.node) and asked["lpszNetworkName"] in (None, "", i.network)]
        return {"ReturnEnum": entries(found, 0x20)}

    def do_CreateGroupSetEnum(self, asked, things):
        return {"ReturnEnum": entries(self.cluster.kinds["set"], 0)}

    @staticmethod
    def wanted(thing, names, known):
        """The properties that a MULTI_SZ names."""
        if not names:
            return None
        wanted = names.decode("utf-16le").rstrip("\0").split("\0")
        return property_list({name: known[name] for name in wanted if name in known})

    def do_CreateGroupEnum(self, asked, things):
        found = []
        for group in self.cluster.kinds["group"].values():
            common, read_only = (self.wanted(group, asked[name], group.common) for name in ("pProperties", "pRoProperties"))
            found.append({"Name": group.name, "Id": group.id, "dwState": group.state, "Owner": group.node, "dwFlags": 0,
                          "Properties": common, "cbProperties": len(common or b""), "RoProperties": read_only,
                          "cbRoProperties": len(read_only or b"")})
        return {"ppResultList": found}

    def do_CreateResourceEnum(self, asked, things):
        found = []
        for resource in self.cluster.kinds["resource"].values():
            group = self.cluster.kinds["group"][resource.group]
            common, read_only = (self.wanted(resource, asked[name], resource.common) for name in ("pProperties", "pRoProperties"))
            found.append({"Name": resource.name, "Id": resource.id, "OwnerName": group.name, "OwnerId": group.id,
                          "Properties": common, "cbProperties": len(common or b""), "RoProperties": read_only,
                          "cbRoProperties": len(read_only or b"")})
        return {"ppResultList": found}

    # --- states and names ---

    def state(self, name, thing):
        values = {"State": thing.state}
        if thing.kind == "resource":
            values.update(NodeName="NODE1", GroupName=thing.group)
        elif thing.kind == "group":
            values["NodeName"] = thing.node
        return values

    def change_state(self, name, thing):
        """Online, offline, fail, pause, resume, move, rename and the like."""
        if thing is None:
            return {}
        new = {("resource", "On"): 2, ("resource", "Off"): 3, ("resource", "Fail"): 4, ("group", "On"): 0, ("group", "Off"): 1,
               ("node", "Pause"): 2}
        for (kind, prefix), state in new.items():
            if getattr(thing, "kind", None) == kind and name.startswith(prefix):
                thing.state = state
                self.cluster.happened(kind, STATE_CHANGE[kind], thing.name, thing.id)
        return {}

    def do_ResumeNode(self, asked, things):
        if things["hNode"].state != 2:
            raise Refused(NODE_NOT_PAUSED)
        things["hNode"].state = 0
        self.cluster.happened("node", 1, things["hNode"].name, things["hNode"].id)

    do_ResumeNodeEx = do_ResumeNode

    def rename(self, thing, new):
        if new in self.cluster.kinds[thing.kind]:
            if self.cluster.kinds[thing.kind][new] is thing:
                return
            raise Refused(OBJECT_ALREADY_EXISTS)
        for other in (one for things in self.cluster.kinds.values() for one in things.values()):
            if getattr(other, thing.kind, None) == thing.name:
                setattr(other, thing.kind, new)
        del self.cluster.kinds[thing.kind][thing.name]
        thing.name = new
        self.cluster.kinds[thing.kind][new] = thing

    def do_SetResourceName(self, asked, things):
        self.rename(things["hResource"], asked["lpszResourceName"])

    def do_SetGroupName(self, asked, things):
        self.rename(things["hGroup"], asked["lpszGroupName"])

    def do_SetNetworkName(self, asked, things):
        self.rename(things["hNetwork"], asked["lpszNetworkName"])

    def do_GetResourceType(self, asked, things):
        return {"lpszResourceType": things["hResource"].type}

    def do_AddResourceDependency(self, asked, things):
        things["hResource"].depends.append(self.use(asked["hDependsOn"], "resource").name)

    def do_RemoveResourceDependency(self, asked, things):
        other = self.use(asked["hDependsOn"], "resource").name
        if other not in things["hResource"].depends:
            raise Refused(5002)     # ERROR_DEPENDENCY_NOT_FOUND
        things["hResource"].depends.remove(other)

    def do_GetResourceDependencyExpression(self, asked, things):
        depends = things["hResource"].depends
        return {"lpszDependencyExpression": " and ".join(f"([{name}])" for name in depends)}

    def do_GetResourceNetworkName(self, asked, things):
        return {"lpszName": "LABCLUSTER"}

    def do_ChangeResourceGroup(self, asked, things):
        things["hResource"].group = things["hGroup"].name

    def do_MoveGroupToNode(self, asked, things):
        things["hGroup"].node = things["hNode"].name
        self.cluster.happened("group", 0x1000, things["hGroup"].name, things["hGroup"].id)

    do_MoveGroupToNodeEx = do_MoveGroupToNode

    def do_GetNetInterface(self, asked, things):
        for one in self.cluster.kinds["interface"].values():
            if (one.node, one.network) == (asked["lpszNodeName"], asked["lpszNetworkName"]):
                return {"lppszInterfaceName": one.name}
        raise Refused(NETINTERFACE_NOT_FOUND)

    # --- control codes ---

    def control(self, method, asked, things):
        objects = (("ResourceType", "type"), ("Resource", "resource"), ("GroupSet", "set"), ("Group", "group"),
                   ("NetInterface", "interface"), ("Network", "network"), ("Cluster", "cluster"), ("Node", "node"))
        object_name = method.name if method.name == "NodeControl" else method.name.removeprefix("Node")
        kind = next(kind for part, kind in objects if part in object_name)
        if kind == "type":
            thing = self.cluster.find("type", asked["lpszResourceTypeName"], TYPE_NOT_FOUND)
        else:
            thing = next(thing for name, thing in things.items() if KINDS[name] == kind)
        octets = self.controlled(kind, thing, asked["dwControlCode"], asked["lpInBuffer"] or b"")
        room = asked["nOutBufferSize"]
        if len(octets) > room:
            return {"lpcbRequired": len(octets)}, MORE_DATA
        return {"lpOutBuffer": octets, "lpBytesReturned": len(octets), "lpcbRequired": len(octets)}

    def controlled(self, kind, thing, code, given):
        objects = {"resource": 1, "type": 2, "group": 3, "node": 4, "network": 5, "interface": 6, "cluster": 7, "set": 8}
        if code >> 24 != objects[kind]:
            raise Refused(INVALID_FUNCTION)
        function = code & 0xffff
        name = thing.name
        if function in (0x5E, 0x86):
            if not given:
                raise Refused(INVALID_PARAMETER)
            (thing.common if function == 0x5E else thing.private).update(read_property_list(given))
            self.cluster.happened(kind, {"resource": 0x800, "group": 0x8000, "node": 8, "cluster": 0x40000000}.get(kind, 0), name)
            return b""
        if function in (0x61, 0x89):
            read_property_list(given)
            return b""
        read_only = {"Name": name, "Id": getattr(thing, "id", "cluster")}
        if kind == "node":
            read_only.update(NodeName=name, CSDVersion="", Changed=Time(WRITTEN))
        known = {
            0x05: lambda: struct.pack("<I", 0x20),
            0x09: lambda: struct.pack("<I", 1),
            0x0D: lambda: struct.pack("<II", 1 if "Disk" in name else 0, 0),
            0x11: lambda: struct.pack("<III", 0x00020002, 4, 1) + struct.pack("<I", 0),
            0x29: lambda: wide(name),
            0x2D: lambda: wide(thing.type),
            0x39: lambda: wide(thing.id),
            0x3D: lambda: wide("labcluster.corp.example"),
            0x49: lambda: struct.pack("<I", 1),
            0x51: lambda: many(thing.common),
            0x55: lambda: property_list(read_only),
            0x59: lambda: property_list(thing.common),
            0x79: lambda: many(thing.private),
            0x7D: lambda: property_list({}),
            0x81: lambda: property_list(thing.private)}
        if function not in known or (function == 0x2D and kind != "resource"):
            raise Refused(INVALID_FUNCTION)
        return known[function]()

    # --- notifications ---

    def do_CreateNotify(self, asked, things):
        port = Port()
        self.cluster.ports.append(port)
        return {"hNotify": self.open("port", port)}

    do_CreateNotifyV2 = do_CreateNotify

    def add_notify(self, method, asked, things):
        port = things["hNotify"]
        thing = next((t for n, t in things.items() if n != "hNotify"), None)
        watched = "type" if thing is None else "registry" if isinstance(thing, Key) else thing.name
        if thing is self.cluster:
            watched = "cluster"
        filter_ = asked.get("dwFilter", asked.get("Filter", asked.get("filter")))
        if isinstance(filter_, dict):
            filter_ = 0xffffffff
        port.watched.append((watched, filter_, asked["dwNotifyKey"]))
        return {"dwStateSequence": 1} if "dwStateSequence" in method.parameters else {}

    def do_GetNotify(self, asked, things):
        if not things["hNotify"].happened:
            raise Refused(NO_MORE_ITEMS)
        key, flags, name, _ = things["hNotify"].happened.pop(0)
        return {"dwNotifyKey": key, "dwFilter": flags, "dwStateSequence": 2, "Name": name}

    def do_GetNotifyAsync(self, asked, things):
        happened, things["hNotify"].happened = things["hNotify"].happened, []
        found = [{"dwNotifyKey": key, "dwFilter": flags, "Name": name} for key, flags, name, _ in happened]
        return {"Notifications": found, "dwNumNotifications": len(found)}

    def do_GetNotifyV2(self, asked, things):
        """Keys are put in by pack_reply(): Samba packs them wrongly."""
        happened, things["hNotify"].happened = things["hNotify"].happened, []
        found = []
        for _, flags, name, object_id in happened:
            kind, bit, octets = {0x1000: (2, 0x08, b""), 0x100: (3, 0x04, b""), 1: (7, 0x10, struct.pack("<I", 2)),
                                 0x4000: (1, 0x04, struct.pack("<I", 9999)), 0x8000: (2, 0x02, property_list({"Priority": 3000})),
                                 0x2000: (2, 0x01, b"")}.get(flags, (1, 0x80, property_list({})))
            found.append({"FilterAndType": {"dwObjectType": kind, "FilterFlags": bit}, "buffer": octets,
                          "dwBufferSize": len(octets), "ObjectId": object_id, "ParentId": "", "Name": name, "Type": ""})
        self.keys = [key for key, *_ in happened]
        return {"Notifications": found, "dwNumNotifications": len(found)}

    # --- the registry ---

    def do_GetRootKey(self, asked, things):
        return {"phKey": self.open("key", self.cluster.registry)}

    def at(self, key, path):
        try:
            return key.at(path or "")
        except KeyError:
            raise Refused(FILE_NOT_FOUND) from None

    def do_OpenKey(self, asked, things):
        return {"phKey": self.open("key", self.at(things["hKey"], asked["lpSubKey"]))}

    def do_CreateKey(self, asked, things):
        if not self.may_change:
            raise Refused(ACCESS_DENIED)
        key, new = things["hKey"], False
        for part in asked["lpSubKey"].split("\\"):
            new = part not in key.keys
            key = key.keys.setdefault(part, Key())
        self.cluster.happened("registry", 0x10, asked["lpSubKey"])
        return {"lpdwDisposition": 1 if new else 2, "phKey": self.open("key", key)}

    def do_DeleteKey(self, asked, things):
        if asked["lpSubKey"] not in things["hKey"].keys:
            raise Refused(FILE_NOT_FOUND)
        del things["hKey"].keys[asked["lpSubKey"]]

    def do_EnumKey(self, asked, things):
        names = sorted(things["hKey"].keys)
        if asked["dwIndex"] >= len(names):
            raise Refused(NO_MORE_ITEMS)
        return {"KeyName": names[asked["dwIndex"]], "lpftLastWriteTime": WRITTEN}

    def do_SetValue(self, asked, things):
        things["hKey"].values[asked["lpValueName"]] = (asked["dwType"], asked["lpData"])
        self.cluster.happened("registry", 0x40, asked["lpValueName"])

    def do_DeleteValue(self, asked, things):
        if things["hKey"].values.pop(asked["lpValueName"], None) is None:
            raise Refused(FILE_NOT_FOUND)

    def do_QueryValue(self, asked, things):
        if asked["lpValueName"] not in things["hKey"].values:
            raise Refused(FILE_NOT_FOUND)
        kind, data = things["hKey"].values[asked["lpValueName"]]
        room = asked["cbData"]
        values = {"lpValueType": kind, "lpcbRequired": len(data)}
        if len(data) > room:
            return {**values, "lpData": bytes(room)}, MORE_DATA
        return {**values, "lpData": data + bytes(room - len(data))}

    def do_EnumValue(self, asked, things):
        names = sorted(things["hKey"].values)
        room = asked["lpcbData"]
        if asked["dwIndex"] >= len(names):
            return {"lpData": bytes(room), "lpcbData": room}, NO_MORE_ITEMS
        name = names[asked["dwIndex"]]
        kind, data = things["hKey"].values[name]
        values = {"lpValueName": name, "lpType": kind, "TotalSize": len(data)}
        if len(data) > room:
            return {**values, "lpData": bytes(room), "lpcbData": room}, MORE_DATA
        return {**values, "lpData": data, "lpcbData": len(data)}

    def do_QueryInfoKey(self, asked, things):
        key = things["hKey"]
        return {"lpcSubKeys": len(key.keys), "lpcbMaxSubKeyLen": max(map(len, key.keys), default=0), "lpcValues": len(key.values),
                "lpcbMaxValueNameLen": max(map(len, key.values), default=0),
                "lpcbMaxValueLen": max((len(data) for _, data in key.values.values()), default=0),
                "lpcbSecurityDescriptor": len(key.security), "lpftLastWriteTime": WRITTEN}

    def do_SetKeySecurity(self, asked, things):
        things["hKey"].security = asked["pRpcSecurityDescriptor"]["lpSecurityDescriptor"]

    def do_GetKeySecurity(self, asked, things):
        octets = things["hKey"].security
        room = asked["pRpcSecurityDescriptor"]["cbInSecurityDescriptor"]
        if room < len(octets):
            needed = {"lpSecurityDescriptor": b"", "cbInSecurityDescriptor": len(octets)}
            return {"pRpcSecurityDescriptor": needed}, INSUFFICIENT_BUFFER
        return {"pRpcSecurityDescriptor": {"lpSecurityDescriptor": octets, "cbInSecurityDescriptor": room,
                                           "cbOutSecurityDescriptor": len(octets)}}

    # --- batches ---

    def do_ExecuteBatch(self, asked, things):
        key = base = things["hKey"]
        for number, (command, kind, name, data) in enumerate(batch(asked["lpData"])):
            if command == 2:
                key = base
                for part in name.split("\\"):
                    key = key.keys.setdefault(part, Key())
            elif command == 1:
                key.values[name] = (kind, data)
            elif command == 4:
                key.values.pop(name, None)
            elif command == 3 and name in base.keys:
                del base.keys[name]
            else:
                return {"pdwFailedCommand": number}, FILE_NOT_FOUND if command == 3 else INVALID_PARAMETER
        for port in self.cluster.batch_ports:
            port.happened.append(asked["lpData"])
        return {"pdwFailedCommand": -1}

    def read_batch(self, asked, things):
        out = []
        key = things["hKey"]
        for command, _, name, _ in batch(asked["lpInData"]):
            if command == 7:
                try:
                    key = things["hKey"].at(name)
                    out.append((7, 0, name, b""))
                except KeyError:
                    out.append((9, FILE_NOT_FOUND, name, b""))
            elif name in key.values:
                out.append((8, key.values[name][0], name, key.values[name][1]))
            else:
                out.append((9, FILE_NOT_FOUND, name, b""))
        octets = pack_batch(out)
        return {"cbOutData": len(octets), "lpOutData": octets}

    do_ExecuteReadBatch = do_ExecuteReadBatchEx = read_batch

    def do_CreateBatchPort(self, asked, things):
        port = Port()
        self.cluster.batch_ports.append(port)
        return {"phBatchPort": self.open("batch", port)}

    def do_GetBatchNotification(self, asked, things):
        if not things["hBatchNotify"].happened:
            raise Refused(NO_MORE_ITEMS)
        octets = things["hBatchNotify"].happened.pop(0)
        return {"cbData": len(octets), "lpData": octets}
