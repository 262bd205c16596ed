# The ClusAPI scenarios only a script can play: lives of handles, every method, notifications, batches, refusals.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: cmrp.py SCENARIO [ntlm | krb5] [ndr64]   (environment: EXPECT, HOST, DOMAIN, REALM, and the passwords)
#
# What was asked and answered goes to $EXPECT, one JSON object per call, as ndr_print.py has them. Stubs are packed by Samba
# (clusapi.py), the framing is rpc.py's.
import json
import os
import struct
import sys
import uuid

from impacket import ntlm

import clusapi
import rpc
from cluster import DWORD, SZ, many, pack_batch, property_list, property_value, wide

HOST, DOMAIN, REALM = (os.environ.get(name) for name in ('HOST', 'DOMAIN', 'REALM'))
PASSWORD = {'Administrator': os.environ.get('ADMIN_PW'), 'alice': os.environ.get('ALICE_PW')}
CLUSAPI = ('b97db8b2-4c63-11cf-bff6-08002be23f2f', 3, 0)
NOTHING = bytes(20)
FULL = 0x10000000

expect = open(os.environ.get('EXPECT', os.devnull), 'w', encoding='utf-8')


def told(value):
    """As JSON, a context handle by its parts."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        if value.get('lpSecurityDescriptor'):                   # what there is room for is not sent
            value = dict(value, lpSecurityDescriptor=value['lpSecurityDescriptor'][:value.get('cbOutSecurityDescriptor', 0)])
        return {name: told(one) for name, one in value.items()}
    if isinstance(value, list):
        return [told(one) for one in value]
    return value


def handle_told(octets):
    return {'handle_type': struct.unpack_from('<I', octets)[0], 'uuid': str(uuid.UUID(bytes_le=octets[4:]))}


def completed(method, positional, named):
    """A method's parameters, with the sizes of its buffers, and NULL and 0 for what is not given."""
    sizes = {p.count for p in method.asked if p.count}
    order = [p.name for p in method.asked if p.name not in sizes]
    asked = {**dict(zip(order, positional)), **named}
    for p in method.asked:
        if p.count and p.count not in asked:
            asked[p.count] = len(asked.get(p.name) or b'') // (2 if p.kind == 'words' else 1)
    for p in method.asked:
        asked.setdefault(p.name, None if p.kind in ('str', 'bytes', 'words') or p.pointer else 0)
    return asked


class Client:
    """An association and what is said on it."""

    def __init__(self, security, syntax=rpc.NDR):
        self.form = clusapi.NDR64 if syntax == rpc.NDR64 else 0
        self.association = rpc.Association(rpc.Tcp(HOST, CLUSAPI))
        result, = self.association.bind([(0, CLUSAPI, syntax)], security)
        if result[0]:
            raise rpc.RpcError(f'the server refused the interface: {result}')

    def close(self):
        self.association.transport.close()

    def record(self, name, asked, answered, status, **more):
        method = clusapi.BY_NAME[name]
        kinds = {**{p.name: p.kind for p in method.asked}, **{p.name: p.kind for p in method.answered}}
        for p in method.asked:
            if p.kind == 'words' and asked[p.name] is not None:
                asked = dict(asked, **{p.name: asked[p.name].decode('utf-16le')})
        shown = [None if values is None else {n: handle_told(v) if kinds[n] == 'handle' else told(v) for n, v in values.items()}
                 for values in (asked, answered)]
        line = {'opnum': method.opnum, 'method': 'Api' + name, 'in': shown[0], 'out': shown[1], 'status': status, **more}
        print(json.dumps(line, ensure_ascii=False), file=expect, flush=True)

    def __call__(self, name, *positional, **named):
        """The reply's values; None for a fault. A buffer's size need not be given."""
        method = clusapi.BY_NAME[name]
        asked = completed(method, positional, named)
        stub = clusapi.pack_request(name, self.form, **dict(asked, **self.words(method, asked)))
        try:
            reply = self.association.call(method.opnum, stub, 0, next(iter(self.association.security), None))
        except rpc.RpcError as why:
            print(name, why)
            self.record(name, asked, None, None, error=str(why))
            return None
        answered, used = clusapi.unpack_reply(name, stub, reply, self.form)
        if used != len(reply):
            raise rpc.RpcError(f'{name}: {len(reply)} octets, Samba read {used}')
        status = answered.pop('result', answered.get('Status', answered.get('rpc_error')))
        self.record(name, asked, answered, status)
        return {**answered, 'status': status}

    @staticmethod
    def words(method, asked):
        return {p.name: struct.unpack(f'<{len(asked[p.name]) // 2}H', asked[p.name]) for p in method.asked
                if p.kind == 'words' and asked[p.name] is not None}

    def priority_order(self, names):
        """ApiSetNetworkPriorityOrder has an array of pointers ([MS-CMRP] 3.1.4.2.87); Samba packs one string. So by hand."""
        wide_number, number = ('<Q', '<I') if self.form else ('<I', '<I')
        size = struct.calcsize(wide_number)

        def aligned(octets):
            return octets + bytes(-len(octets) % size)

        stub = aligned(struct.pack(number, len(names))) + struct.pack(wide_number, len(names))
        stub += b''.join(struct.pack(wide_number, 0x20000 + 4 * i) for i in range(len(names)))
        for name in names:
            stub = aligned(stub) + b''.join(struct.pack(wide_number, n) for n in (len(name) + 1, 0, len(name) + 1)) + wide(name)
        reply = self.association.call(87, stub, 0, next(iter(self.association.security), None))
        self.record('SetNetworkPriorityOrder', {'NetworkCount': len(names)}, {'rpc_status': struct.unpack('<II', reply)[0]},
                    struct.unpack('<II', reply)[1], names=names)


def security(kind='ntlm', user='Administrator', **more):
    if kind == 'krb5':
        return rpc.Kerberos(user, REALM, f'MSServerClusterMgmtAPI/{HOST}', **more)
    return rpc.Ntlm(user, PASSWORD[user], DOMAIN, **more)


# --- parts --------------------------------------------------------------------------------------------

def lifecycle(call, other):
    """`other`: another client, on a connection of its own."""
    cluster = call('OpenCluster')['Cluster']
    group = call('OpenGroup', 'Cluster Group')['hGroup']
    disk = call('OpenResource', 'Cluster Disk 1')['hResource']
    call('GetGroupState', group)
    call('GetResourceState', disk)
    call('ResourceControl', disk, 0x01000059, nOutBufferSize=4096)
    call('CloseResource', disk)
    call('GetResourceState', disk)                              # use after close
    call('CloseResource', disk)                                 # closed twice
    node = call('OpenNode', 'NODE1')['hNode']
    call('GetGroupState', node)                                 # another kind of handle
    call('CloseGroup', node)                                    # closed by another kind's method: it stays open
    call('CloseNode', node)
    other('OpenCluster')
    other('GetGroupState', group)                               # a handle of another connection
    call('GetGroupId', group)                                   # which is no worse for it
    call('OpenGroup', 'No such group')
    call('GetResourceId', NOTHING)                              # the empty handle of an open that failed
    call('CloseCluster', cluster)
    left = call('OpenResource', 'Cluster Name')['hResource']    # never closed
    call('GetResourceType', left)
    call('CloseGroup', group)


def control(call, method, code, *handles, **more):
    """As clients do: first without room for the answer, then with as much as it takes."""
    first = call(method, *handles, code, **more)
    if first and first['status'] == 234:
        call(method, *handles, code, nOutBufferSize=first['lpcbRequired'], **more)


def controls(call):
    cluster = call('OpenClusterEx', FULL)['hCluster']
    node = call('OpenNodeEx', 'NODE1', FULL)['hNode']
    group = call('OpenGroupEx', 'Dateien für alle', FULL)['hGroup']
    resource = call('OpenResourceEx', 'Cluster Name', FULL)['hResource']
    network = call('OpenNetworkEx', 'Cluster Network 1', FULL)['hNetwork']
    interface = call('OpenNetInterfaceEx', 'NODE1 - Ethernet', FULL)['hNetInterface']
    groups = call('OpenGroupSet', 'Cluster Group')['hGroupSet']
    for function in (0x05, 0x09, 0x0D, 0x11, 0x29, 0x2D, 0x39, 0x51, 0x55, 0x59, 0x79, 0x7D, 0x81):
        control(call, 'ResourceControl', 0x01000000 | function, resource)
    control(call, 'NodeResourceControl', 0x01000081, resource, node)
    for function in (0x05, 0x0D, 0x11, 0x55, 0x59, 0x81):
        control(call, 'ResourceTypeControl', 0x02000000 | function, cluster, 'Physical Disk')
    control(call, 'NodeResourceTypeControl', 0x02000059, cluster, 'IP Address', node)
    for function in (0x05, 0x09, 0x29, 0x39, 0x51, 0x55, 0x59, 0x81):
        control(call, 'GroupControl', 0x03000000 | function, group)
    control(call, 'NodeGroupControl', 0x03000059, group, node)
    for function in (0x05, 0x09, 0x29, 0x39, 0x55, 0x59):
        control(call, 'NodeControl', 0x04000000 | function, node)
    control(call, 'NodeNodeControl', 0x04000055, node, node)
    for function in (0x05, 0x29, 0x39, 0x55, 0x59):
        control(call, 'NetworkControl', 0x05000000 | function, network)
        control(call, 'NetInterfaceControl', 0x06000000 | function, interface)
    control(call, 'NodeNetworkControl', 0x05000059, network, node)
    control(call, 'NodeNetInterfaceControl', 0x06000059, interface, node)
    for function in (0x3D, 0x51, 0x55, 0x59, 0x81):
        control(call, 'ClusterControl', 0x07000000 | function, cluster)
    control(call, 'NodeClusterControl', 0x07000059, cluster, node)
    for function in (0x39, 0x55, 0x59):
        control(call, 'GroupSetControl', 0x08000000 | function, groups)
    control(call, 'NodeGroupSetControl', 0x08000059, groups, node)
    # What a client writes, what it has checked, and what it may not.
    new = property_list({'Description': 'Größer', 'RestartPeriod': 1000})
    call('ResourceControl', resource, 0x01000061, new)
    call('ResourceControl', resource, 0x0140005E, new)
    call('ResourceControl', resource, 0x01400086,
         property_list({'Name': 'LABCLUSTER', 'Aliases': ['eins', 'zwei'], 'ResourceData': b'\1\2\3'}))
    call('GroupControl', group, 0x0340005E, property_list({'Priority': 3000, 'PersistentState': 1}))
    call('ClusterControl', cluster, 0x0740005E, property_list({'CrossSubnetDelay': 2000}))
    control(call, 'ResourceControl', 0x01000059, resource)
    call('ResourceControl', resource, 0x0140005E)                               # without its buffer
    call('ResourceControl', resource, 0x03000059, nOutBufferSize=100)           # a group's code
    for method, handle in (('CloseResource', resource), ('CloseGroup', group), ('CloseNode', node), ('CloseNetwork', network),
                           ('CloseNetInterface', interface), ('CloseGroupSet', groups), ('CloseCluster', cluster)):
        call(method, handle)


def registry(call):
    root = call('GetRootKey', 0xF003F)['phKey']
    for index in range(5):
        call('EnumKey', root, index)
    key = call('CreateKey', root, 'Lab\\Prüfung', 0, 0xF003F)['phKey']
    call('CreateKey', root, 'Lab\\Prüfung', 0, 0xF003F,
         lpSecurityAttributes={'nLength': 24, 'RpcSecurityDescriptor': {}, 'bInheritHandle': 0})
    for name, kind, data in (('Text', SZ, wide('Grüße')), ('Number', DWORD, struct.pack('<I', 42)),
                             ('Many', 7, many(['a', 'bc'])), ('Octets', 3, bytes(range(5))), ('Empty', 3, b'')):
        call('SetValue', key, name, kind, data)
    call('QueryValue', key, 'Text')
    call('QueryValue', key, 'Text', 12)
    call('QueryValue', key, 'Missing', 12)
    for index in range(6):
        call('EnumValue', key, index, lpcbData=64)
    call('EnumValue', key, 3, lpcbData=2)
    call('QueryInfoKey', key)
    call('DeleteValue', key, 'Octets')
    call('DeleteValue', key, 'Octets')
    security_of = call('GetKeySecurity', key, 7, {})
    size = security_of['pRpcSecurityDescriptor']['cbInSecurityDescriptor']
    security_of = call('GetKeySecurity', key, 7, {'cbInSecurityDescriptor': size, 'lpSecurityDescriptor': bytes(size)})
    octets = security_of['pRpcSecurityDescriptor']['lpSecurityDescriptor']
    call('SetKeySecurity', key, 4,
         {'lpSecurityDescriptor': octets, 'cbInSecurityDescriptor': size, 'cbOutSecurityDescriptor': size})
    port = call('CreateBatchPort', root)['phBatchPort']
    call('ExecuteBatch', root, lpData=pack_batch([(2, 0, 'Lab\\Stapel', b''), (1, SZ, 'Name', wide('Wert')),
                                                 (1, DWORD, 'Zahl', struct.pack('<I', 7)), (4, 0, 'Alt', b'')]))
    call('ExecuteBatch', root, lpData=pack_batch([(2, 0, 'Lab\\Stapel', b''), (3, 0, 'Not there', b'')]))
    call('GetBatchNotification', port)
    call('GetBatchNotification', port)
    call('CloseBatchPort', port)
    batch = call('OpenKey', root, 'Lab\\Stapel', 0x20019)['phKey']
    reading = pack_batch([(8, 0, 'Name', b''), (8, 0, 'Zahl', b''), (8, 0, 'Missing', b'')])
    call('ExecuteReadBatch', batch, lpInData=reading)
    call('ExecuteReadBatchEx', batch, lpInData=reading)
    call('CloseKey', batch)
    call('OpenKey', root, 'Not\\there', 0x20019)
    call('CloseKey', key)
    call('DeleteKey', root, 'Lab')
    call('DeleteKey', root, 'Lab')
    call('CloseKey', root)


def notify(call):
    cluster = call('OpenCluster')['Cluster']
    group = call('OpenGroup', 'Available Storage')['hGroup']
    resource = call('OpenResource', 'Freigaben')['hResource']
    node = call('OpenNode', 'NODE2')['hNode']
    network = call('OpenNetwork', 'Cluster Network 1')['hNetwork']
    interface = call('OpenNetInterface', 'NODE2 - Ethernet')['hNetInterface']
    key = call('GetRootKey', 0xF003F)['phKey']

    port = call('CreateNotify')['hNotify']
    call('AddNotifyCluster', port, cluster, 0x4000, 1)
    call('AddNotifyNode', port, node, 1, 2)
    call('AddNotifyGroup', port, group, 0x1000, 3)
    call('AddNotifyResource', port, resource, 0x100, 4)
    call('AddNotifyNetwork', port, network, 0x100000, 5)
    call('AddNotifyNetInterface', port, interface, 0x1000000, 6)
    call('AddNotifyKey', port, key, 7, 0x40, 1)
    call('ReAddNotifyNode', port, node, 1, 2, 1)
    call('ReAddNotifyGroup', port, group, 0x1000, 3, 1)
    call('ReAddNotifyResource', port, resource, 0x100, 4, 1)
    call('ReAddNotifyNetwork', port, network, 0x100000, 5, 1)
    call('ReAddNotifyNetInterface', port, interface, 0x1000000, 6, 1)
    call('OfflineGroup', group)
    call('OfflineResource', resource)
    call('PauseNode', node)
    for _ in range(3):
        call('GetNotify', port)
    call('OnlineGroup', group)
    call('ResumeNode', node)
    call('GetNotifyAsync', port)
    call('UnblockGetNotifyCall', port)
    call('GetNotify', port)                                     # nothing left
    call('CloseNotify', port)

    port = call('CreateNotifyV2')['hNotify']
    watched = (group, 2, 0x1FF), (node, 7, 0x7F), (resource, 3, 0x1FF), (cluster, 1, 0x7F4)
    for number, (handle, kind, flags) in enumerate(watched, 0x51):
        call('AddNotifyV2', port, handle, {'dwObjectType': kind, 'FilterFlags': flags}, number, 2, 1)
    call('AddNotifyResourceTypeV2', port, 0x1F, 0x55, 'Physical Disk', 2)
    call('OnlineResource', resource)
    call('PauseNode', node)
    call('GroupControl', group, 0x0340005E, property_list({'Priority': 3000}))
    new = call('CreateGroup', 'Neu')['hGroup']
    got = call('GetNotifyV2', port)
    if call.form == 0 and [n['dwNotifyKey'] for n in got['Notifications']] != [0x53, 0x52, 0x51, 0x54]:
        raise rpc.RpcError(f'the keys of {got}')
    call('ResumeNodeEx', node)
    call('DeleteGroup', new, 0)
    call('CloseNotify', port)
    for method, handle in (('CloseGroup', group), ('CloseResource', resource), ('CloseNode', node), ('CloseNetwork', network),
                           ('CloseNetInterface', interface), ('CloseKey', key), ('CloseCluster', cluster)):
        call(method, handle)


def the_rest(call):
    """Methods of which the other parts have none."""
    cluster = call('OpenClusterEx', FULL)['hCluster']
    call('SetClusterName', 'LABCLUSTER')
    call('GetClusterName')
    call('GetClusterVersion')
    call('GetClusterVersion2')
    call('GetQuorumResource')
    disk = call('OpenResource', 'Cluster Disk 1')['hResource']
    call('SetQuorumResource', disk, '', 4 << 20)
    call('BackupClusterDatabase', 'C:\\backup')
    call('SetServiceAccountPassword', 'Neu-2026!', 1, 2)
    for kind in (1, 2, 4, 8, 0x10, 0x20, 0x3F, 0x40):
        call('CreateEnum', kind)
        call('CreateEnumEx', cluster, kind)
    call('CreateGroupEnum', cluster, many(['Priority', 'Description']), many(['GroupType']))
    call('CreateResourceEnum', cluster, many(['Type', 'RestartPeriod']), None)
    call('CreateGroupSetEnum', cluster)
    call('CreateNetInterfaceEnum', cluster, 'NODE1', 'Cluster Network 1')

    group = call('CreateGroup', 'Versuch')['hGroup']
    call('CreateGroup', 'Versuch')
    special = call('CreateGroupEx', 'Besonders', {'dwVersion': 1, 'dwGroupType': 111})['hGroup']
    resource = call('CreateResource', group, 'Dienst', 'Generic Service')['hResource']
    call('CreateResource', group, 'Dienst 2', 'No such type')
    call('SetResourceName', resource, 'Dienst ß')
    call('GetResourceId', resource)
    call('GetResourceType', resource)
    call('AddResourceDependency', resource, disk)
    call('CanResourceBeDependent', resource, disk)
    for kind in (1, 2, 4):
        call('CreateResEnum', resource, kind)
    call('GetResourceDependencyExpression', resource)
    call('RemoveResourceDependency', resource, disk)
    call('RemoveResourceDependency', resource, disk)
    call('SetResourceDependencyExpression', resource, '([Cluster Name] or [Cluster Disk 1])')
    call('SetResourceDependencyExpression', resource)           # a NULL pointer
    call('GetResourceNetworkName', resource)
    node = call('OpenNode', 'NODE1')['hNode']
    second = call('OpenNodeEx', 'NODE2', FULL)['hNode']
    call('AddResourceNode', resource, node)
    call('RemoveResourceNode', resource, node)
    for method in ('OnlineResource', 'FailResource'):
        call(method, resource)
    call('OnlineResourceEx', resource, 1, b'')
    call('OfflineResourceEx', resource, 1, property_value('why'))
    call('RestartResource', resource)
    call('ChangeResourceGroup', resource, special)
    call('ChangeCsvState', disk, 1)
    call('ChangeCsvStateEx', disk, 1, 'Volume1')
    call('DeleteGroup', special)                                # not empty
    call('DeleteResource', resource)
    call('CloseResource', resource)

    call('SetGroupName', group, 'Versuch 2')
    call('GetGroupState', group)
    call('GetGroupId', group)
    call('SetGroupNodeList', group, many(['NODE1', 'NODE2']))
    call('SetGroupNodeList', group)                             # a NULL pointer
    for kind in (1, 2):
        call('CreateGroupResourceEnum', group, kind)
    call('MoveGroup', group)
    call('MoveGroupToNode', group, second)
    call('OnlineGroupEx', group, 1, property_value('now'))
    call('OfflineGroupEx', group, 1, b'')
    call('MoveGroupEx', group, 1, b'')
    call('MoveGroupToNodeEx', group, node, 1, b'')
    call('CancelClusterGroupOperation', group)
    call('CreateResourceType', 'Eigene Art', 'Eigene', 'own.dll', 5000, 60000)
    for kind in (1, 2):
        call('CreateResTypeEnum', 'Physical Disk', kind)
    call('DeleteResourceType', 'Eigene Art')
    call('DeleteResourceType', 'Eigene Art')

    groups = call('CreateGroupSet', 'Satz')['hGroupSet']
    providers = call('OpenGroupSet', 'Cluster Group')['hGroupSet']
    call('AddGroupToGroupSet', groups, group)
    call('AddGroupSetDependency', groups, providers)
    call('SetGroupSetDependencyExpression', groups, '[Cluster Group]')
    call('RemoveGroupSetDependency', groups, providers)
    call('AddGroupToGroupSetDependency', special, providers)
    call('RemoveClusterGroupToGroupSetDependency', special, providers)
    call('SetGroupDependencyExpression', special, '[Versuch 2]')
    call('RemoveClusterGroupDependency', special, group)
    call('RemoveGroupFromGroupSet', group)
    call('MoveGroupToGroupSet', groups, group)
    call('AddGroupToGroupSetEx', groups, special, 1, 2, 1, 0)
    call('DeleteGroupSet', groups)
    call('CloseGroupSet', providers)
    call('DeleteGroup', group, 1)
    call('DeleteGroup', special, 1)

    call('GetNodeId', node)
    call('GetNodeState', node)
    call('PauseNodeEx', node, 1, 1)
    call('PauseNodeWithDrainTarget', node, 1, second)
    call('ResumeNodeEx', node, 1)
    call('ResumeNode', node)                                    # not paused
    call('EvictNode', second)
    for kind in (1, 2):
        call('CreateNodeEnum', node, kind)
        call('CreateNodeEnumEx', node, kind)
    network = call('OpenNetwork', 'Cluster Network 1')['hNetwork']
    call('GetNetworkState', network)
    identity = call('GetNetworkId', network)['pGuid']
    call.priority_order([identity, identity])
    call('CreateNetworkEnum', network, 1)
    call('SetNetworkName', network, 'Netz')
    interface = call('OpenNetInterface', 'NODE1 - Ethernet')['hNetInterface']
    call('GetNetInterface', 'NODE1', 'Netz')
    call('GetNetInterface', 'NODE3', 'Netz')
    call('GetNetInterfaceId', interface)
    call('GetNetInterfaceState', interface)
    call('SetNetworkName', network, 'Cluster Network 1')
    call('OpenNode', 'NODE3')
    call('OpenNetwork', 'Nowhere')
    call('OpenNetInterface', 'Nowhere')
    call('OpenGroupSet', 'Nowhere')
    for method, handle in (('CloseResource', disk), ('CloseNode', node), ('CloseNode', second), ('CloseNetwork', network),
                           ('CloseNetInterface', interface), ('CloseCluster', cluster)):
        call(method, handle)


# --- scenarios ----------------------------------------------------------------------------------------

def two(kind, **more):
    return Client(security(kind), **more), Client(security(kind), **more)


def scenario_lifecycle(kind, **more):
    call, other = two(kind, **more)
    lifecycle(call, other)
    other.close()
    call.close()


def one_part(part):
    def scenario(kind, **more):
        call = Client(security(kind), **more)
        part(call)
        call.close()
    return scenario


def scenario_all(kind, **more):
    """Every method that Samba can pack."""
    scenario_lifecycle(kind, **more)
    for part in (controls, registry, notify, the_rest):
        one_part(part)(kind, **more)


def scenario_fragments(kind):
    """Large buffers both ways, in fragments of at most 2048 octets."""
    call = Client(security(kind))
    call.association.max_fragment = 2048
    resource = call('OpenResource', 'Freigaben')['hResource']
    large = property_list({'Description': 'x' * 3000, 'Blob': bytes((n * 7 + n // 251) & 0xff for n in range(9000))})
    call('ResourceControl', resource, 0x01400086, large)
    control(call, 'ResourceControl', 0x01000081, resource)
    key = call('GetRootKey', 0xF003F)['phKey']
    call('SetValue', key, 'Large', 3, bytes((n * 5 + n // 253) & 0xff for n in range(20000)))
    call('QueryValue', key, 'Large', 20000)
    call('DeleteValue', key, 'Large')
    call('CloseKey', key)
    call('CloseResource', resource)
    call.close()


def scenario_access_denied(kind):
    """A user who may only read."""
    call = Client(security(kind, 'alice'))
    call('OpenCluster')
    call('OpenClusterEx', FULL)
    cluster = call('OpenClusterEx', 0x80000000)['hCluster']
    resource = call('OpenResourceEx', 'Cluster Name', 0x80000000)['hResource']
    call('GetResourceState', resource)
    call('SetResourceName', resource, 'Mine')
    call('OfflineResource', resource)
    call('CreateGroup', 'Mine')
    call('CloseResource', resource)
    call('CloseCluster', cluster)
    call.close()


def scenario_bind_rejected(kind):
    """Version 2.0, another transfer syntax, and then the right ones, on one association; and a method that is reserved."""
    association = rpc.Association(rpc.Tcp(HOST, CLUSAPI))
    unknown = '01234567-89ab-cdef-0123-456789abcdef', 1
    print(association.bind([(0, (CLUSAPI[0], 2, 0), rpc.NDR), (1, CLUSAPI, unknown), (2, CLUSAPI, rpc.NDR)], security(kind)))
    stub = clusapi.pack_request('GetClusterName')
    for context, opnum in ((2, 3), (0, 3), (2, 80)):
        try:
            print(clusapi.unpack_reply('GetClusterName', stub, association.call(opnum, stub, context, 0)))
        except rpc.RpcError as why:
            print(why)
    association.transport.close()


def short(**more):
    """A cluster opened and closed in a security context of this kind."""
    def scenario(kind):
        call = Client(security(kind, **more))
        cluster = call('OpenCluster')['Cluster']
        call('GetClusterName')
        call('CloseCluster', cluster)
        call.close()
    return scenario


scenario_no_spn = short(target='')
scenario_no_spn_identify = short(target='', add_flags=ntlm.NTLMSSP_NEGOTIATE_IDENTIFY)


def scenario_attempts(kind):
    """[MS-CMRP] 3.2.3.3, but for five attempts and not four."""
    call = Client(security(kind))
    for _ in range(5):
        if call('GetClusterName'):
            cluster = call('OpenCluster')['Cluster']
            call('CreateEnum', 1)
            call('CloseCluster', cluster)
            break
    call.close()


def scenario_wrong_password(kind):
    try:
        Client(rpc.Ntlm('Administrator', 'not the password', DOMAIN))
    except rpc.RpcError as why:
        print(why)


def main():
    name, kind, *syntax = sys.argv[1:]
    more = {'syntax': rpc.NDR64} if syntax else {}
    parts = {'controls': controls, 'registry': registry, 'notify': notify}
    scenario = one_part(parts[name]) if name in parts else globals()['scenario_' + name.replace('-', '_')]
    scenario(kind, **more)


if __name__ == '__main__':
    main()
