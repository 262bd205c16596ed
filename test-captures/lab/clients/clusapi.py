"""ClusAPI ([MS-CMRP] 3.0) stubs, packed and unpacked by Samba: its own NDR code is called through ctypes.

Debian's python3-samba has no module for ClusAPI, but libndr has the code that ndrdump, rpcclient and smbtorture use, generated
from Samba's own description of the interface. It packs C structures; METHODS says what those look like, and each one's size
is held against the size Samba states. NDR, NDR64 and big-endian.

Where Samba's description is not that of [MS-CMRP] this says so (DIFFERS) and puts the octets right.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import ctypes
import re
import struct
from ctypes import (POINTER, Structure, c_char_p, c_int, c_int32, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p, cast,
                    sizeof)

IN, OUT = 0x10, 0x20
BIG, REF_ALLOC, NDR64 = 1 << 0, 1 << 20, 1 << 29

# The interpreter's lock is kept (PyDLL): talloc is not made for threads.
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
talloc = ctypes.PyDLL(LIBRARIES + "libtalloc.so.2")
ndr = ctypes.PyDLL(LIBRARIES + "libndr.so.3")
samba = ctypes.PyDLL(LIBRARIES + "samba/libndr-samba4.so.0")

# opnum name, parameters of the request, ">", those of the reply, "=" where the method returns a status.
# Those that Samba has and [MS-CMRP] calls reserved (140 to 142) are not here, nor those that Samba does not have (184, 185).
# bytes(n) is an array with its count in n; a "*" is a pointer in the request, or a second one in the reply.
METHODS = """
0 OpenCluster > Status:u32 Cluster:handle
1 CloseCluster Cluster:*handle > Cluster:handle =
2 SetClusterName NewClusterName:str > rpc_status:u32 =
3 GetClusterName > ClusterName:str NodeName:str =
4 GetClusterVersion > lpwMajorVersion:u16 lpwMinorVersion:u16 lpwBuildNumber:u16 lpszVendorId:str lpszCSDVersion:str =
5 GetQuorumResource > lpszResourceName:str lpszDeviceName:str pdwMaxQuorumLogSize:u32 rpc_status:u32 =
6 SetQuorumResource hResource:handle lpszDeviceName:str dwMaxQuorumLogSize:u32 > rpc_status:u32 =
7 CreateEnum dwType:u32 > ReturnEnum:list rpc_status:u32 =
8 OpenResource lpszResourceName:str > Status:u32 rpc_status:u32 hResource:handle
9 CreateResource hGroup:handle lpszResourceName:str lpszResourceType:str dwFlags:u32 > Status:u32 rpc_status:u32 hResource:handle
10 DeleteResource hResource:handle > rpc_status:u32 =
11 CloseResource Resource:*handle > Resource:handle =
12 GetResourceState hResource:handle > State:u32 NodeName:str GroupName:str rpc_status:u32 =
13 SetResourceName hResource:handle lpszResourceName:str > rpc_status:u32 =
14 GetResourceId hResource:handle > pGuid:str rpc_status:u32 =
15 GetResourceType hResource:handle > lpszResourceType:str rpc_status:u32 =
16 FailResource hResource:handle > rpc_status:u32 =
17 OnlineResource hResource:handle > rpc_status:u32 =
18 OfflineResource hResource:handle > rpc_status:u32 =
19 AddResourceDependency hResource:handle hDependsOn:handle > rpc_status:u32 =
20 RemoveResourceDependency hResource:handle hDependsOn:handle > rpc_status:u32 =
21 CanResourceBeDependent hResource:handle hResourceDependent:handle > rpc_status:u32 =
22 CreateResEnum hResource:handle dwType:u32 > ReturnEnum:list rpc_status:u32 =
23 AddResourceNode hResource:handle hNode:handle > rpc_status:u32 =
24 RemoveResourceNode hResource:handle hNode:handle > rpc_status:u32 =
25 ChangeResourceGroup hResource:handle hGroup:handle > rpc_status:u32 =
26 CreateResourceType lpszTypeName:str lpszDisplayName:str lpszDllName:str dwLooksAlive:u32 dwIsAlive:u32 > rpc_status:u32 =
27 DeleteResourceType lpszTypeName:str > rpc_status:u32 =
28 GetRootKey samDesired:u32 > Status:u32 rpc_status:u32 phKey:handle
29 CreateKey hKey:handle lpSubKey:str dwOptions:u32 samDesired:u32 lpSecurityAttributes:*attributes > lpdwDisposition:u32 \
Status:u32 rpc_status:u32 phKey:handle
30 OpenKey hKey:handle lpSubKey:str samDesired:u32 > Status:u32 rpc_status:u32 phKey:handle
31 EnumKey hKey:handle dwIndex:u32 > KeyName:str lpftLastWriteTime:u64 rpc_status:u32 =
32 SetValue hKey:handle lpValueName:str dwType:u32 lpData:bytes(cbData) cbData:u32 > rpc_status:u32 =
33 DeleteValue hKey:handle lpValueName:str > rpc_status:u32 =
34 QueryValue hKey:handle lpValueName:str cbData:u32 > lpValueType:u32 lpData:bytes(cbData) lpcbRequired:u32 rpc_status:u32 =
35 DeleteKey hKey:handle lpSubKey:str > rpc_status:u32 =
36 EnumValue hKey:handle dwIndex:u32 lpcbData:*u32 > lpValueName:str lpType:u32 lpData:bytes(lpcbData) lpcbData:u32 \
TotalSize:u32 rpc_status:u32 =
37 CloseKey pKey:*handle > pKey:handle =
38 QueryInfoKey hKey:handle > lpcSubKeys:u32 lpcbMaxSubKeyLen:u32 lpcValues:u32 lpcbMaxValueNameLen:u32 lpcbMaxValueLen:u32 \
lpcbSecurityDescriptor:u32 lpftLastWriteTime:u64 rpc_status:u32 =
39 SetKeySecurity hKey:handle SecurityInformation:u32 pRpcSecurityDescriptor:*descriptor > rpc_status:u32 =
40 GetKeySecurity hKey:handle SecurityInformation:u32 pRpcSecurityDescriptor:*descriptor > pRpcSecurityDescriptor:descriptor \
rpc_status:u32 =
41 OpenGroup lpszGroupName:str > Status:u32 rpc_status:u32 hGroup:handle
42 CreateGroup lpszGroupName:str > Status:u32 rpc_status:u32 hGroup:handle
43 DeleteGroup Group:handle force:u8 > rpc_status:u32 =
44 CloseGroup Group:*handle > Group:handle =
45 GetGroupState hGroup:handle > State:u32 NodeName:str rpc_status:u32 =
46 SetGroupName hGroup:handle lpszGroupName:str > rpc_status:u32 =
47 GetGroupId hGroup:handle > pGuid:str rpc_status:u32 =
48 GetNodeId hNode:handle > pGuid:str rpc_status:u32 =
49 OnlineGroup hGroup:handle > rpc_status:u32 =
50 OfflineGroup hGroup:handle > rpc_status:u32 =
51 MoveGroup hGroup:handle > rpc_status:u32 =
52 MoveGroupToNode hGroup:handle hNode:handle > rpc_status:u32 =
53 CreateGroupResourceEnum hGroup:handle dwType:u32 > ReturnEnum:list rpc_status:u32 =
54 SetGroupNodeList hGroup:handle multiSzNodeList:words(cchListSize) cchListSize:u32 > rpc_status:u32 =
55 CreateNotify > Status:u32 rpc_status:u32 hNotify:handle
56 CloseNotify Notify:*handle > Notify:handle =
57 AddNotifyCluster hNotify:handle hCluster:handle dwFilter:u32 dwNotifyKey:u32 > rpc_status:u32 =
58 AddNotifyNode hNotify:handle hNode:handle dwFilter:u32 dwNotifyKey:u32 > dwStateSequence:u32 rpc_status:u32 =
59 AddNotifyGroup hNotify:handle hGroup:handle dwFilter:u32 dwNotifyKey:u32 > dwStateSequence:u32 rpc_status:u32 =
60 AddNotifyResource hNotify:handle hResource:handle dwFilter:u32 dwNotifyKey:u32 > dwStateSequence:u32 rpc_status:u32 =
61 AddNotifyKey hNotify:handle hKey:handle dwNotifyKey:u32 Filter:u32 WatchSubTree:u8 > rpc_status:u32 =
62 ReAddNotifyNode hNotify:handle hNode:handle dwFilter:u32 dwNotifyKey:u32 StateSequence:u32 > rpc_status:u32 =
63 ReAddNotifyGroup hNotify:handle hGroup:handle dwFilter:u32 dwNotifyKey:u32 StateSequence:u32 > rpc_status:u32 =
64 ReAddNotifyResource hNotify:handle hResource:handle dwFilter:u32 dwNotifyKey:u32 StateSequence:u32 > rpc_status:u32 =
65 GetNotify hNotify:handle > dwNotifyKey:u32 dwFilter:u32 dwStateSequence:u32 Name:str rpc_status:u32 =
66 OpenNode lpszNodeName:str > Status:u32 rpc_status:u32 hNode:handle
67 CloseNode Node:*handle > Node:handle =
68 GetNodeState hNode:handle > State:u32 rpc_status:u32 =
69 PauseNode hNode:handle > rpc_status:u32 =
70 ResumeNode hNode:handle > rpc_status:u32 =
71 EvictNode hNode:handle > rpc_status:u32 =
72 NodeResourceControl hResource:handle hNode:handle CONTROL
73 ResourceControl hResource:handle CONTROL
74 NodeResourceTypeControl hCluster:handle lpszResourceTypeName:str hNode:handle CONTROL
75 ResourceTypeControl hCluster:handle lpszResourceTypeName:str CONTROL
76 NodeGroupControl hGroup:handle hNode:handle CONTROL
77 GroupControl hGroup:handle CONTROL
78 NodeNodeControl hNode:handle hHostNode:handle CONTROL
79 NodeControl hNode:handle CONTROL
81 OpenNetwork lpszNetworkName:str > Status:u32 rpc_status:u32 hNetwork:handle
82 CloseNetwork Network:*handle > Network:handle =
83 GetNetworkState hNetwork:handle > State:u32 rpc_status:u32 =
84 SetNetworkName hNetwork:handle lpszNetworkName:str > rpc_status:u32 =
85 CreateNetworkEnum hNetwork:handle dwType:u32 > ReturnEnum:list rpc_status:u32 =
86 GetNetworkId hNetwork:handle > pGuid:str rpc_status:u32 =
87 SetNetworkPriorityOrder NetworkCount:u32 NetworkIdList:str > rpc_status:u32 =
88 NodeNetworkControl hNetwork:handle hNode:handle CONTROL
89 NetworkControl hNetwork:handle CONTROL
90 AddNotifyNetwork hNotify:handle hNetwork:handle dwFilter:u32 dwNotifyKey:u32 > dwStateSequence:u32 rpc_status:u32 =
91 ReAddNotifyNetwork hNotify:handle hNetwork:handle dwFilter:u32 dwNotifyKey:u32 StateSequence:u32 > rpc_status:u32 =
92 OpenNetInterface lpszNetInterfaceName:str > Status:u32 rpc_status:u32 hNetInterface:handle
93 CloseNetInterface NetInterface:*handle > NetInterface:handle =
94 GetNetInterfaceState hNetInterface:handle > State:u32 rpc_status:u32 =
95 GetNetInterface lpszNodeName:str lpszNetworkName:str > lppszInterfaceName:str rpc_status:u32 =
96 GetNetInterfaceId hNetInterface:handle > pGuid:str rpc_status:u32 =
97 NodeNetInterfaceControl hNetInterface:handle hNode:handle CONTROL
98 NetInterfaceControl hNetInterface:handle CONTROL
99 AddNotifyNetInterface hNotify:handle hNetInterface:handle dwFilter:u32 dwNotifyKey:u32 > dwStateSequence:u32 rpc_status:u32 =
100 ReAddNotifyNetInterface hNotify:handle hNetInterface:handle dwFilter:u32 dwNotifyKey:u32 StateSequence:u32 > rpc_status:u32 =
101 CreateNodeEnum hNode:handle dwType:u32 > ReturnEnum:list rpc_status:u32 =
102 GetClusterVersion2 > lpwMajorVersion:u16 lpwMinorVersion:u16 lpwBuildNumber:u16 lpszVendorId:str lpszCSDVersion:str \
ppClusterOpVerInfo:version rpc_status:u32 =
103 CreateResTypeEnum lpszTypeName:str dwType:u32 > ReturnEnum:list rpc_status:u32 =
104 BackupClusterDatabase lpszPathName:str > rpc_status:u32 =
105 NodeClusterControl hCluster:handle hHostNode:handle CONTROL
106 ClusterControl hCluster:handle CONTROL
107 UnblockGetNotifyCall hNotify:handle > =
108 SetServiceAccountPassword lpszNewPassword:str dwFlags:u32 ReturnStatusBufferSize:u32 > \
ReturnStatusBufferPtr:passwords(SizeReturned) SizeReturned:u32 ExpectedBufferSize:u32 =
109 SetResourceDependencyExpression hResource:handle lpszDependencyExpression:str > rpc_status:u32 =
110 GetResourceDependencyExpression hResource:handle > lpszDependencyExpression:str rpc_status:u32 =
112 GetResourceNetworkName hResource:handle > lpszName:str rpc_status:u32 =
113 ExecuteBatch hKey:handle cbData:u32 lpData:bytes(cbData) > pdwFailedCommand:i32 rpc_status:u32 =
114 CreateBatchPort hKey:handle > phBatchPort:handle rpc_status:u32 =
115 GetBatchNotification hBatchNotify:handle > cbData:u32 lpData:*bytes(cbData) =
116 CloseBatchPort phBatchPort:*handle > phBatchPort:handle =
117 OpenClusterEx dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 hCluster:handle
118 OpenNodeEx lpszNodeName:str dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 rpc_status:u32 hNode:handle
119 OpenGroupEx lpszGroupName:str dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 rpc_status:u32 hGroup:handle
120 OpenResourceEx lpszResourceName:str dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 rpc_status:u32 hResource:handle
121 OpenNetworkEx lpszNetworkName:str dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 rpc_status:u32 hNetwork:handle
122 OpenNetInterfaceEx lpszNetInterfaceName:str dwDesiredAccess:u32 > lpdwGrantedAccess:u32 Status:u32 rpc_status:u32 \
hNetInterface:handle
123 ChangeCsvState hResource:handle dwState:u32 > rpc_status:u32 =
124 CreateNodeEnumEx hNode:handle dwType:u32 dwOptions:u32 > ReturnIdEnum:list ReturnNameEnum:list rpc_status:u32 =
125 CreateEnumEx hCluster:handle dwType:u32 dwOptions:u32 > ReturnIdEnum:list ReturnNameEnum:list rpc_status:u32 =
126 PauseNodeEx hNode:handle bDrainNode:u8 dwPauseFlags:u32 > rpc_status:u32 =
127 PauseNodeWithDrainTarget hNode:handle dwPauseFlags:u32 hNodeDrainTarget:handle > rpc_status:u32 =
128 ResumeNodeEx hNode:handle dwResumeFailbackType:u32 dwResumeFlagsReserved:u32 > rpc_status:u32 =
129 CreateGroupEx lpszGroupName:str pGroupInfo:*group > Status:u32 rpc_status:u32 hGroup:handle
130 OnlineGroupEx hGroup:handle dwOnlineFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > rpc_status:u32 =
131 OfflineGroupEx hGroup:handle dwOfflineFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > rpc_status:u32 =
132 MoveGroupEx hGroup:handle dwMoveFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > rpc_status:u32 =
133 MoveGroupToNodeEx hGroup:handle hNode:handle dwMoveFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > \
rpc_status:u32 =
134 CancelClusterGroupOperation hGroup:handle dwCancelFlags:u32 > rpc_status:u32 =
135 OnlineResourceEx hResource:handle dwOnlineFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > rpc_status:u32 =
136 OfflineResourceEx hResource:handle dwOfflineFlags:u32 lpInBuffer:bytes(cbInBufferSize) cbInBufferSize:u32 > rpc_status:u32 =
137 CreateNotifyV2 > rpc_error:u32 rpc_status:u32 hNotify:handle
138 AddNotifyV2 hNotify:handle hObject:handle filter:filter dwNotifyKey:u32 dwVersion:u32 isTargetedAtObject:u8 > rpc_status:u32 =
139 GetNotifyV2 hNotify:handle > Notifications:*notes(dwNumNotifications) dwNumNotifications:u32 =
143 CreateGroupEnum hCluster:handle pProperties:bytes(cbProperties) cbProperties:u32 pRoProperties:bytes(cbRoProperties) \
cbRoProperties:u32 > ppResultList:groups rpc_status:u32 =
144 CreateResourceEnum hCluster:handle pProperties:bytes(cbProperties) cbProperties:u32 pRoProperties:bytes(cbRoProperties) \
cbRoProperties:u32 > ppResultList:resources rpc_status:u32 =
145 ExecuteReadBatch hKey:handle cbInData:u32 lpInData:bytes(cbInData) > cbOutData:u32 lpOutData:*bytes(cbOutData) \
rpc_status:u32 =
146 RestartResource hResource:handle dwFlags:u32 > rpc_status:u32 =
147 GetNotifyAsync hNotify:handle > Notifications:*events(dwNumNotifications) dwNumNotifications:u32 =
155 AddNotifyResourceTypeV2 hNotify:handle filter:u64 dwNotifyKey:u32 resTypeName:str dwVersion:u32 > rpc_status:u32 =
157 ExecuteReadBatchEx hKey:handle cbInData:u32 lpInData:bytes(cbInData) flags:u32 > cbOutData:u32 lpOutData:*bytes(cbOutData) \
rpc_status:u32 =
163 CreateGroupSet lpszGroupSetName:str > Status:u32 rpc_status:u32 hGroupSet:handle
164 OpenGroupSet lpszGroupSetName:str > Status:u32 rpc_status:u32 hGroupSet:handle
165 CloseGroupSet GroupSet:*handle > GroupSet:handle =
166 DeleteGroupSet GroupSet:handle > rpc_status:u32 =
167 AddGroupToGroupSet GroupSet:handle Group:handle > rpc_status:u32 =
168 RemoveGroupFromGroupSet Group:handle > rpc_status:u32 =
169 MoveGroupToGroupSet GroupSet:handle Group:handle > rpc_status:u32 =
171 AddGroupSetDependency DependentGroupSet:handle ProviderGroupSet:handle > rpc_status:u32 =
172 AddGroupToGroupSetDependency DependentGroup:handle ProviderGroupSet:handle > rpc_status:u32 =
173 NodeGroupSetControl hGroupSet:handle hNode:handle CONTROL
174 GroupSetControl hGroupSet:handle CONTROL
175 SetGroupDependencyExpression hGroup:handle lpszDependencyExpression:str > rpc_status:u32 =
176 RemoveClusterGroupDependency hGroup:handle hDependsOn:handle > rpc_status:u32 =
177 SetGroupSetDependencyExpression hGroupSet:handle lpszDependencyExpression:str > rpc_status:u32 =
178 RemoveGroupSetDependency hGroupSet:handle hDependsOn:handle > rpc_status:u32 =
179 RemoveClusterGroupToGroupSetDependency hGroup:handle hDependsOn:handle > rpc_status:u32 =
180 CreateGroupSetEnum hCluster:handle > ReturnEnum:list rpc_status:u32 =
181 CreateNetInterfaceEnum hCluster:handle lpszNodeName:str lpszNetworkName:str > ReturnEnum:list rpc_status:u32 =
182 ChangeCsvStateEx hResource:handle dwState:u32 lpszVolumeName:str > rpc_status:u32 =
183 AddGroupToGroupSetEx GroupSet:handle Group:handle FaultDomain:u32 UpdateDomain:u32 UseDomains:u8 Reserved:*u32 > \
rpc_status:u32 =
""".replace("CONTROL", "dwControlCode:u32 lpInBuffer:bytes(nInBufferSize) nInBufferSize:u32 nOutBufferSize:u32 > "
            "lpOutBuffer:bytes(lpBytesReturned) lpBytesReturned:u32 lpcbRequired:u32 rpc_status:u32 =")

# Requests that end with a BOOL, four octets ([MS-DTYP] 2.2.3), which Samba packs as one.
DIFFERS = {43: "force", 61: "WatchSubTree", 138: "isTargetedAtObject"}


class Blob(Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t)]


class Descriptor(Structure):
    _fields_ = [("lpSecurityDescriptor", c_void_p), ("cbInSecurityDescriptor", c_uint32), ("cbOutSecurityDescriptor", c_uint32)]


class Attributes(Structure):
    _fields_ = [("nLength", c_uint32), ("RpcSecurityDescriptor", Descriptor), ("bInheritHandle", c_uint32)]


class Group(Structure):
    _fields_ = [("dwVersion", c_uint32), ("dwGroupType", c_uint32)]


class Version(Structure):
    _fields_ = [("dwSize", c_uint32), ("dwClusterHighestVersion", c_uint32), ("dwClusterLowestVersion", c_uint32),
                ("dwFlags", c_uint32), ("dwReserved", c_uint32)]


class Filter(Structure):
    _fields_ = [("dwObjectType", c_uint32), ("FilterFlags", c_uint64)]


class Password(Structure):
    _fields_ = [("NodeId", c_uint32), ("SetAttempted", c_uint8), ("ReturnStatus", c_uint32)]


class Entry(Structure):
    _fields_ = [("Type", c_uint32), ("Name", c_char_p)]


class GroupEntry(Structure):
    _fields_ = [("Name", c_char_p), ("Id", c_char_p), ("dwState", c_uint32), ("Owner", c_char_p), ("dwFlags", c_uint32),
                ("cbProperties", c_uint32), ("Properties", c_void_p), ("cbRoProperties", c_uint32), ("RoProperties", c_void_p)]


class ResourceEntry(Structure):
    _fields_ = [("Name", c_char_p), ("Id", c_char_p), ("OwnerName", c_char_p), ("OwnerId", c_char_p), ("cbProperties", c_uint32),
                ("Properties", c_void_p), ("cbRoProperties", c_uint32), ("RoProperties", c_void_p)]


class Event(Structure):
    _fields_ = [("dwNotifyKey", c_uint32), ("dwFilter", c_uint32), ("Name", c_char_p)]


class Note(Structure):
    _fields_ = [("dwNotifyKey", c_void_p), ("FilterAndType", Filter), ("buffer", c_void_p), ("dwBufferSize", c_uint32),
                ("ObjectId", c_char_p), ("ParentId", c_char_p), ("Name", c_char_p), ("Type", c_char_p)]


class List(Structure):
    """ENUM_LIST and its two sisters."""
    _fields_ = [("EntryCount", c_uint32), ("Entry", c_void_p)]


class Call(Structure):
    """Of ndr_interface_call, what is needed."""
    _fields_ = [("name", c_char_p), ("size", c_size_t), ("push", c_void_p), ("pull", c_void_p), ("print", c_void_p),
                ("pipes", c_uint64 * 4)]


class Table(Structure):
    _fields_ = [("name", c_char_p), ("syntax", c_uint8 * 20), ("help", c_char_p), ("count", c_uint32), ("calls", POINTER(Call))]


NUMBERS = {"u8": c_uint8, "u16": c_uint16, "u32": c_uint32, "i32": c_int32, "u64": c_uint64}
STRUCTURES = {"attributes": Attributes, "descriptor": Descriptor, "group": Group, "version": Version, "filter": Filter}
ENTRIES = {"list": Entry, "groups": GroupEntry, "resources": ResourceEntry}
ARRAYS = {"passwords": Password, "events": Event, "notes": Note, "bytes": c_uint8, "words": c_uint16}

talloc._talloc_zero.restype = c_void_p
talloc._talloc_zero.argtypes = [c_void_p, c_size_t, c_char_p]
talloc._talloc_free.argtypes = [c_void_p, c_char_p]
ndr.ndr_pull_init_blob.restype = c_void_p
ndr.ndr_pull_init_blob.argtypes = [POINTER(Blob), c_void_p]
ndr.ndr_push_init_ctx.restype = c_void_p
ndr.ndr_push_init_ctx.argtypes = [c_void_p]
ndr.ndr_push_blob.restype = Blob
ndr.ndr_push_blob.argtypes = [c_void_p]
CODE = ctypes.PYFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
TABLE = Table.in_dll(samba, "ndr_table_clusapi")


class ClusapiError(Exception):
    pass


class Parameter:
    def __init__(self, text):
        self.name, kind = text.split(":")
        self.pointer = kind.startswith("*")
        self.kind, _, self.count = kind.lstrip("*").rstrip(")").partition("(")

    def field(self, reply):
        """How it stands in Samba's structure: all of a reply are pointers, so are strings, arrays and lists."""
        if reply or self.pointer or self.kind in ("str", *ARRAYS):
            return c_void_p
        if self.kind == "handle":
            return c_uint32 * 5
        return NUMBERS.get(self.kind) or STRUCTURES[self.kind]


class Method:
    def __init__(self, line):
        asked, _, answered = line.partition(">")
        opnum, self.name, *asked = asked.split()
        self.opnum = int(opnum)
        answered = answered.split()
        self.returns = answered[-1:] == ["="]
        self.asked = [Parameter(text) for text in asked]
        self.answered = [Parameter(text) for text in answered if text != "="]
        self.parameters = {parameter.name: parameter for parameter in self.answered + self.asked}
        halves = []
        both = {p.name for p in self.asked} & {p.name for p in self.answered}       # these stand last in Samba's structures
        if self.asked:
            asked = sorted(self.asked, key=lambda p: p.name in both)
            halves.append(("asked", type("Asked", (Structure,), {"_fields_": [(p.name, p.field(False)) for p in asked]})))
        reply = [(p.name, p.field(True)) for p in sorted(self.answered, key=lambda p: p.name in both)]
        reply += [("result", c_uint32)] if self.returns else []
        halves.append(("answered", type("Answered", (Structure,), {"_fields_": reply})))
        self.layout = type(self.name, (Structure,), {"_fields_": halves})
        self.code = TABLE.calls[self.opnum]
        if self.code.name.decode() != "clusapi_" + self.name or self.code.size != sizeof(self.layout):
            raise ClusapiError(f"{self.opnum} {self.name}: Samba has {self.code.name} of {self.code.size} octets, "
                               f"not {sizeof(self.layout)}")


BY_OPNUM = {method.opnum: method for method in map(Method, METHODS.strip().split("\n"))}
BY_NAME = {method.name: method for method in BY_OPNUM.values()}


def text(pointer):
    return None if not pointer else cast(pointer, c_char_p).value.decode()


def octets(pointer, count):
    return None if not pointer else ctypes.string_at(pointer, count)


class Stub:
    """One call of a method: its values, between octets and Python."""

    def __init__(self, method, form=0):
        """`form`: BIG, NDR64 or 0."""
        self.method, self.form = method, form
        self.memory = talloc._talloc_zero(None, 0, b"stub")
        self.address = talloc._talloc_zero(self.memory, sizeof(method.layout), b"call")
        self.call = method.layout.from_address(self.address)
        self.kept = []          # what the structure points to

    def close(self):
        talloc._talloc_free(self.memory, b"stub")

    def pull(self, stub, way, order=0):
        """`order`: BIG, where the other side's octets differ from what this one writes."""
        held = ctypes.create_string_buffer(stub, len(stub))
        self.kept.append(held)
        reader = ndr.ndr_pull_init_blob(Blob(cast(held, c_void_p), len(stub)), self.memory)
        c_uint32.from_address(reader).value |= self.form | order | REF_ALLOC
        error = CODE(self.method.code.pull)(reader, way, self.address)
        if error:
            raise ClusapiError(f"{self.method.name}: ndr error {error} reading {stub.hex()}")
        return c_uint32.from_address(reader + 20).value

    def push(self, way):
        writer = ndr.ndr_push_init_ctx(self.memory)
        c_uint32.from_address(writer).value |= self.form
        error = CODE(self.method.code.push)(writer, way, self.address)
        if error:
            raise ClusapiError(f"{self.method.name}: ndr error {error} writing")
        blob = ndr.ndr_push_blob(writer)
        return ctypes.string_at(blob.data, blob.length)

    # --- values ---

    def _hold(self, thing):
        self.kept.append(thing)
        return ctypes.addressof(thing)

    def _held_text(self, value):
        return None if value is None else self._hold(ctypes.create_string_buffer(value.encode()))

    def _array(self, kind, value):
        element = ARRAYS[kind]
        if value is None:
            return None
        if element is c_uint8:
            return self._hold(ctypes.create_string_buffer(value, max(len(value), 1)))
        if element is c_uint16:
            return self._hold((c_uint16 * max(len(value), 1))(*value))
        return self._hold((element * max(len(value), 1))(*(self._structure(element, one) for one in value)))

    def _structure(self, kind, values):
        made = kind()
        for name, form in kind._fields_:
            value = values.get(name)
            if isinstance(value, dict):
                value = self._structure(form, value)
            elif isinstance(value, str):
                value = value.encode()
            elif isinstance(value, bytes):
                value = self._array("bytes", value)
            if value is not None:
                setattr(made, name, value)
        self.kept.append(made)
        return made

    def _entries(self, kind, values):
        array = (ENTRIES[kind] * max(len(values), 1))(*(self._structure(ENTRIES[kind], one) for one in values))
        return self._hold(List(len(values), self._hold(array)))

    def _value(self, parameter, value):
        """As it stands where it is not a pointer."""
        if parameter.kind in NUMBERS:
            return NUMBERS[parameter.kind](value)
        if parameter.kind == "handle":
            return (c_uint32 * 5).from_buffer_copy(value)
        return self._structure(STRUCTURES[parameter.kind], value)

    def set_asked(self, **values):
        for parameter in self.method.asked:
            value = values.get(parameter.name)
            if parameter.kind == "str":
                setattr(self.call.asked, parameter.name, self._held_text(value))
            elif parameter.kind in ARRAYS:
                setattr(self.call.asked, parameter.name, self._array(parameter.kind, value))
            elif parameter.pointer:
                if value is not None:
                    setattr(self.call.asked, parameter.name, self._hold(self._value(parameter, value)))
            else:
                setattr(self.call.asked, parameter.name, self._value(parameter, value or 0))

    def _read(self, parameter, address, half):
        if parameter.kind in NUMBERS:
            return NUMBERS[parameter.kind].from_address(address).value
        if parameter.kind == "handle":
            return ctypes.string_at(address, 20)
        if parameter.kind in STRUCTURES:
            return self._plain(STRUCTURES[parameter.kind].from_address(address))
        raise ClusapiError(f"{parameter.name} of {half}")

    def _plain(self, made):
        values = {}
        for name, form in made._fields_:
            value = getattr(made, name)
            if isinstance(value, Structure):
                values[name] = self._plain(value)
            elif form is c_char_p:
                values[name] = None if value is None else value.decode()
            elif form is c_void_p and name != "dwNotifyKey":
                size = {"Properties": "cbProperties", "RoProperties": "cbRoProperties", "buffer": "dwBufferSize",
                        "lpSecurityDescriptor": "cbOutSecurityDescriptor"}[name]
                values[name] = octets(value, getattr(made, size))
            else:
                values[name] = value
        return values

    def asked(self):
        values = {}
        for parameter in self.method.asked:
            field = getattr(self.call.asked, parameter.name)
            if parameter.kind == "str":
                values[parameter.name] = text(field)
            elif parameter.kind in ARRAYS:
                values[parameter.name] = octets(field, getattr(self.call.asked, parameter.count) * sizeof(ARRAYS[parameter.kind]))
            elif parameter.pointer:
                values[parameter.name] = self._read(parameter, field, "request") if field else None
            else:
                address = ctypes.addressof(self.call.asked) + getattr(type(self.call.asked), parameter.name).offset
                values[parameter.name] = self._read(parameter, address, "request")
        return values

    def set_answered(self, result=0, **values):
        unknown = set(values) - {parameter.name for parameter in self.method.answered}
        if unknown:
            raise ClusapiError(f"{self.method.name} has no {unknown}")
        for parameter in self.method.answered:
            value = values.get(parameter.name)
            kind = parameter.kind
            if kind in ARRAYS:
                made = self._array(kind, value)
                if parameter.pointer:
                    made = self._hold(c_void_p(made))
                elif made is None:
                    made = getattr(self.call.answered, parameter.name) or self._array(kind, b"" if kind == "bytes" else [])
            elif kind == "str":
                made = self._hold(c_void_p(self._held_text(value)))
            elif kind in ENTRIES:
                made = self._hold(c_void_p(None if value is None else self._entries(kind, value)))
            elif kind == "version":
                made = self._hold(c_void_p(None if value is None else self._hold(self._value(parameter, value))))
            elif kind in STRUCTURES:
                made = self._hold(self._value(parameter, value or {}))
            else:
                made = self._hold(self._value(parameter, value or (bytes(20) if kind == "handle" else 0)))
            setattr(self.call.answered, parameter.name, made)
        if self.method.returns:
            self.call.answered.result = result

    def answered(self):
        values = {}
        for parameter in self.method.answered:
            kind, field = parameter.kind, getattr(self.call.answered, parameter.name)
            if parameter.pointer or kind in ("str", "version", *ENTRIES):
                field = c_void_p.from_address(field).value
            if not field:
                values[parameter.name] = None
            elif kind == "str":
                values[parameter.name] = text(field)
            elif kind in ENTRIES:
                made = List.from_address(field)
                entries = (ENTRIES[kind] * made.EntryCount).from_address(made.Entry or 0)
                values[parameter.name] = [self._plain(one) for one in entries]
            elif kind in ARRAYS:
                values[parameter.name] = self._answered_array(parameter, field)
            else:
                values[parameter.name] = self._read(parameter, field, "reply")
        if self.method.returns:
            values["result"] = self.call.answered.result
        return values

    def _answered_array(self, parameter, field):
        answered = hasattr(self.call.answered, parameter.count)
        count = getattr(self.call.answered if answered else self.call.asked, parameter.count)
        if answered:
            count = c_uint32.from_address(count).value
        if parameter.kind == "bytes":
            return octets(field, count)
        return [self._plain(one) for one in (ARRAYS[parameter.kind] * count).from_address(field)]


def _keys(reply, form):
    """Where ApiGetNotifyV2's reply has its keys, and how wide they are: dwNotifyKey is a number as wide as a pointer ([MS-CMRP]
    2.2.3.24), which Samba takes for a pointer."""
    wide, each = ("<Q", 72) if form & NDR64 else ("<I", 48)
    size = struct.calcsize(wide)
    referent, count = struct.unpack_from("<" + 2 * wide[1], reply)
    return wide, [2 * size + i * each for i in range(count)] if referent else []


def put_keys(reply, form, keys):
    """Into what Samba packed with NULLs."""
    wide, places = _keys(reply, form)
    for at, key in zip(places, keys):
        reply = reply[:at] + struct.pack(wide, key) + reply[at + struct.calcsize(wide):]
    return reply


def take_keys(reply, form):
    """The keys, and the reply with NULLs in their places, as Samba can read it."""
    wide, places = _keys(reply, form)
    return [struct.unpack_from(wide, reply, at)[0] for at in places], put_keys(reply, form, [0] * len(places))


def pack_request(name, form=0, **values):
    method = BY_NAME[name]
    stub = Stub(method, form)
    try:
        stub.set_asked(**values)
        packed = stub.push(IN)
        if method.opnum in DIFFERS:
            flag = packed[-1:]
            packed = packed[:-1] + (bytes(3) + flag if form & BIG else flag + bytes(3))
        return packed
    finally:
        stub.close()


def unpack_reply(name, request, reply, form=0):
    """`request`: the stub of the request, which sizes of the reply may depend on. The values, and how many octets were read."""
    method = BY_NAME[name]
    stub = Stub(method, form)
    try:
        if method.asked:
            stub.pull(request, IN)
        keys = []
        if name == "GetNotifyV2":
            keys, reply = take_keys(reply, form)
        used = stub.pull(reply, OUT)
        answered = stub.answered()
        for key, note in zip(keys, answered.get("Notifications") or []):
            note["dwNotifyKey"] = key
        return answered, used
    finally:
        stub.close()
