# A wkssvc server that is not real: it answers what Samba's servers do not, with made-up contents.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: wkst_server.py tcp PORT SMB.CONF KEYTAB    NTLM, Kerberos or neither; NDR64 where the client offers it
          wkst_server.py pipe SOCKET                 behind a real smbd, as one of its pipes; NDR

Real: the transports, the handshakes, the sealing, and the packing: requests are unpacked and answers packed by Samba's bindings,
or by impacket where Samba's IDL is not MS-WKST's (USE_INFO_3). Not real: that there is anything behind the answers.

As WKST-5 and WKST-6 ask about the SMB sessions that a server opens while it works on a call, NetrJoinDomain2 with $DC_LOGON
("host user password domain dialect how") opens one on the domain controller and leaves it as `how` says.
With $REFUSAL joining and leaving return that status.
"""
import os
import socket
import struct
import sys
import threading

from impacket.dcerpc.v5 import wkst as impacket_wkst
from samba.dcerpc import lsa, wkssvc
from samba.ndr import ndr_pack_out, ndr_unpack_in

import rpc
import rpc_server
import wkst_calls

MORE_DATA, NOT_SUPPORTED, INVALID_LEVEL = 234, 50, 124
USERS = [f'user{n:03}' for n in range(120)] + ['J\u00f6rg', '\u7530\u4e2d', '\U0001f600']
PAGE = 50                               # users an answer holds at most
USES = [('Z:', '\\\\stand.example\\share', 0, 0, 2), ('', '\\\\stand.example\\IPC$', 2, 3, 1),
        ('LPT1', '\\\\stand.example\\printer', 1, 1, 1)]
NAMES = [['first.fake.example'], ['second.fake.example', 'third.fake.example'],
         ['first.fake.example', 'second.fake.example', 'third.fake.example']]


def filled(what, **values):
    for name, value in values.items():
        setattr(what, name, value)
    return what


def made(kind, **values):
    return filled(getattr(wkssvc, kind)(), **values)


# --- what the methods answer; each gets Samba's object of the call and fills its out_* -------------------------------

def get_info(call):
    common = {'platform_id': 500, 'server_name': 'FAKE', 'domain_name': 'LABGROUP', 'version_major': 10, 'version_minor': 0}
    if call.in_level == 100:
        call.out_info = made('NetWkstaInfo100', **common)
    elif call.in_level == 101:
        call.out_info = made('NetWkstaInfo101', **common, lan_root='C:\\Lab')
    elif call.in_level == 102:
        call.out_info = made('NetWkstaInfo102', **common, lan_root='C:\\Lab', logged_on_users=len(USERS))
    elif call.in_level == 502:
        info = wkssvc.NetWkstaInfo502()
        for n, name in enumerate(sorted(a for a in dir(info) if not a.startswith('_'))):
            setattr(info, name, 1000 + n)
        call.out_info = info
    else:
        return INVALID_LEVEL
    return 0


def enum_users(call):
    level, begin = call.in_info.level, call.in_resume_handle or 0
    page = USERS[begin:begin + min(PAGE, max(call.in_prefmaxlen // 64, 1))]
    if level == 0:
        ctr = made('NetWkstaEnumUsersCtr0', entries_read=len(page), user0=[made('NetrWkstaUserInfo0', user_name=u) for u in page])
    elif level == 1:
        ctr = made('NetWkstaEnumUsersCtr1', entries_read=len(page), user1=[
            made('NetrWkstaUserInfo1', user_name=u, logon_domain='LABGROUP', other_domains='', logon_server='FAKE')
            for u in page])
    else:
        return INVALID_LEVEL
    call.out_info = made('NetWkstaEnumUsersInfo', level=level, ctr=ctr)
    call.out_entries_read = len(USERS)
    more = begin + len(page) < len(USERS)
    if call.in_resume_handle is not None:
        call.out_resume_handle = begin + len(page) if more else 0
    return MORE_DATA if more else 0


def enum_transports(call):
    call.out_info = made('NetWkstaTransportInfo', level=0, ctr=made('NetWkstaTransportCtr0', count=2, array=[
        made('NetWkstaTransportInfo0', quality_of_service=0, vc_count=3, address='020000000030', wan_link=0,
             name='\\Device\\NetBT_Tcpip_{0A1B2C3D-0000-4000-8000-000000000001}'),
        made('NetWkstaTransportInfo0', quality_of_service=0xffff, vc_count=0, address='000000000000', wan_link=1,
             name='\\Device\\NetbiosSmb')]))
    call.out_total_entries = 2
    if call.in_resume_handle is not None:
        call.out_resume_handle = 0
    return 0


def use_info(level, row):
    local, remote, status, kind, count = row
    values = {'local': local, 'remote': remote}
    if level:
        values |= {'password': None, 'status': status, 'asg_type': kind, 'ref_count': count, 'use_count': count + 1}
    if level == 2:
        values |= {'user_name': 'bob', 'domain_name': 'FAKE'}
    return made(f'NetrUseInfo{level}', **values)


def get_use(call):
    call.out_ctr = use_info(call.in_level, USES[0])
    return 0


def enum_uses(call):
    level = call.in_info.level
    if level > 2:
        return INVALID_LEVEL
    ctr = made(f'NetrUseEnumCtr{level}', count=len(USES), array=[use_info(level, row) for row in USES])
    call.out_info = made('NetrUseEnumInfo', level=level, ctr=ctr)
    call.out_entries_read = len(USES)
    if call.in_resume_handle is not None:
        call.out_resume_handle = 0
    return 0


def parm_err(call):
    call.out_parm_err = 0
    return 0


def statistics(call):
    info = wkssvc.NetrWorkstationStatistics()
    for n in range(1, 41):
        setattr(info, f'unknown{n}', 1 << n % 31)
    info.unknown1 = 0x01dc5a3b12345678          # a FILETIME
    call.out_info = info
    return 0


def join_information(call):
    call.out_name_buffer = 'LABGROUP'
    call.out_name_type = wkssvc.NET_SETUP_WORKGROUP_NAME
    return 0


def computer_names(call):
    if call.in_name_type > 2:
        return 87
    names = NAMES[call.in_name_type]
    call.out_ctr = made('ComputerNamesCtr', count=len(names), computer_name=[filled(lsa.String(), string=n) for n in names])
    return 0


def leave(_call):
    return int(os.environ.get('REFUSAL') or 0)


def join(call):
    if os.environ.get('DC_LOGON'):
        at_the_dc(*os.environ['DC_LOGON'].split())
    return leave(call)


def done(_call):
    return 0


ANSWERS = {0: get_info, 2: enum_users, 5: enum_transports, 6: parm_err, 7: done, 8: parm_err, 9: get_use, 10: done,
           11: enum_uses, 13: statistics, 20: join_information, 22: join, 23: leave, 24: done, 25: done, 27: done,
           28: done, 29: done, 30: computer_names}
UNITS = ['OU=Lab,DC=nowhere,DC=example', 'OU=Machines,OU=Lab,DC=nowhere,DC=example', 'CN=Computers,DC=nowhere,DC=example']


def units(ndr64):
    """NetrGetJoinableOUs2: Samba's bindings cannot, and impacket takes OUCount for a pointer that may be NULL."""
    stub = wkst_calls.Stub(ndr64)
    stub.ulong(len(UNITS))
    stub.pointer(True)
    stub.size(len(UNITS))
    for _ in UNITS:
        stub.pointer(True)
    for name in UNITS:
        stub.string(name)
    stub.ulong(0)
    return stub.data


def set_info(stub, ndr64):
    """NetrWkstaSetInfo: ErrorParameter is a pointer that may be NULL, in Samba's IDL it is none. Level 1046 is refused."""
    call = wkssvc.NetWkstaSetInfo()
    ndr_unpack_in(call, stub, ndr64=ndr64, allow_remaining=True)
    answer = wkst_calls.Stub(ndr64)
    answer.pointer(call.in_level == 1046)
    if call.in_level == 1046:
        answer.ulong(46)                        # the number of wki1046_dormant_file_limit
    answer.ulong(87 if call.in_level == 1046 else 0)
    return answer.data


def by_impacket(opnum, stub, ndr64):
    """NetrUseAdd and NetrUseGetInfo at level 3; None: something else."""
    if opnum == 9 and not ndr64:
        request = impacket_wkst.NetrUseGetInfo(stub)
        if request['Level'] == 3:
            return impacket_use()
    if opnum == 8 and not ndr64:
        # ServerName, Level: the union's tag is the level again
        try:
            ndr_unpack_in(wkssvc.NetrUseAdd(), stub, allow_remaining=True)
        except RuntimeError:
            return struct.pack('<LLL', 0x20000, 0, 0)
    return None


def impacket_use():
    answer = impacket_wkst.NetrUseGetInfoResponse()
    answer['InfoStruct']['tag'] = 3
    local, remote, status, kind, count = USES[0]
    two = answer['InfoStruct']['UseInfo3']['ui3_ui2']
    one = two['ui2_useinfo']
    one['ui1_local'], one['ui1_remote'], one['ui1_password'] = local + '\0', remote + '\0', impacket_wkst.NULL
    one['ui1_status'], one['ui1_asg_type'], one['ui1_refcount'], one['ui1_usecount'] = status, kind, count, count + 1
    two['ui2_username'], two['ui2_domainname'] = 'bob\0', 'FAKE\0'
    answer['InfoStruct']['UseInfo3']['ui3_flags'] = 4
    answer['ErrorCode'] = 0
    return answer.getData()


# --- a session at the domain controller meanwhile ---------------------------------------------------------------------

def at_the_dc(host, user, password, domain, dialect, how):
    """A session, a tree, a pipe and one call; then what `how` leaves out."""
    smb = rpc.smb_session(host, user, password, domain, rpc.DIALECTS[dialect])
    pipe = rpc.Pipe(smb, 'lsarpc')
    association = rpc.Association(pipe)
    association.bind([(0, rpc.LSARPC, rpc.NDR)])
    association.call(0, b'\0' * 20)            # LsarClose of no handle: only so that a call is there

    def close():
        pipe.close()
        if how != 'leaves-tree':
            smb.disconnectTree(pipe.tree)
        if how != 'leaves-session':
            smb.logoff()
            smb.getSMBServer().close_session()
    if how == 'closes-late':                    # after the response has gone
        threading.Timer(0.2, close).start()
    elif how == 'leaves-open':
        KEPT.append(smb)
    else:
        close()


KEPT = []                                       # else the garbage collector ends the connection


# --- the service ------------------------------------------------------------------------------------------------------

class Service:
    def __init__(self, address, syntaxes):
        self.address, self.syntaxes = address, syntaxes

    @staticmethod
    def answer(opnum, stub, ndr64):
        if opnum in wkst_calls.NEWER:
            return struct.pack('<L', 0)
        if opnum not in ANSWERS and opnum not in (1, 26):
            raise rpc_server.Fault(rpc_server.RANGE_ERROR)
        if opnum == 1:
            return set_info(stub, ndr64)
        if opnum == 26:
            return units(ndr64)
        special = by_impacket(opnum, stub, ndr64)
        if special:
            return special
        call = wkst_calls.BY_OPNUM[opnum]()
        ndr_unpack_in(call, stub, ndr64=ndr64, allow_remaining=True)
        call.result = ANSWERS[opnum](call)
        return ndr_pack_out(call, ndr64=ndr64)


if __name__ == '__main__':
    if sys.argv[1] == 'tcp':
        rpc_server.forever(rpc_server.on_port(sys.argv[2]), Service(sys.argv[2], [rpc.NDR64, rpc.NDR]), *sys.argv[3:5])
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(sys.argv[2])
        listening.listen()
        os.chmod(sys.argv[2], 0o777)
        rpc_server.forever(listening, Service('\\pipe\\wkssvc', [rpc.NDR]), kind=rpc_server.PipeConnection)
