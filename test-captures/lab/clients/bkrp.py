# The scenarios only a script can play: odd parameters, odd handshakes, several contexts, lost pipes.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: bkrp.py SCENARIO   (environment: EXPECT, HOST, DOMAIN, REALM, and the passwords)
#
# What was sent and received goes to $EXPECT, one JSON object per BackuprKey call.
import json
import os
import sys

from impacket.dcerpc.v5 import bkrp as impacket_bkrp
from impacket.dcerpc.v5 import lsad, rpcrt, transport
from impacket.smb3structs import SMB2_DIALECT_21
from impacket.smbconnection import SessionError

import rpc

HOST, DOMAIN, REALM = os.environ['HOST'], os.environ['DOMAIN'], os.environ['REALM']
PASSWORD = {'Administrator': os.environ['ADMIN_PW'], 'alice': os.environ['ALICE_PW'],
            'Jörg': os.environ['JOERG_PW']}
SECRET = b'A secret of the lab, 38 octets long..\0'
LARGE = bytes((n * 7 + n // 251) & 0xff for n in range(20000))  # not repeating with the fragments

expect = open(os.environ['EXPECT'], 'w', encoding='utf-8')


def record(action, data, parameter, out=None, status=None, **more):
    line = {'action': action, 'data_in': data.hex(), 'cb_data_in': len(data), 'dw_param': parameter,
            'data_out': None if out is None else out.hex(), 'status': status}
    print(json.dumps({**line, **more}), file=expect, flush=True)


def ntlm(user='alice', **more):
    return rpc.Ntlm(user, more.pop('password', PASSWORD[user]), DOMAIN, **more)


def kerberos(user='alice', service='cifs', **more):
    return rpc.Kerberos(user, REALM, f'{service}/{HOST}', **more)


def session(user='alice'):
    return rpc.smb_session(HOST, user, PASSWORD[user], DOMAIN)


def backup_key(association, action, data, parameter=0, context=0, auth_context=0):
    """One call, recorded whatever becomes of it."""
    more = {'context': context, 'auth_context': auth_context} if len(association.security) > 1 else {}
    try:
        out, status = rpc.unpack_reply(
            association.call(0, rpc.pack_request(action, data, parameter), context, auth_context))
    except rpc.RpcError as why:
        print(why)
        record(action, data, parameter, error=str(why), **more)
        return None
    record(action, data, parameter, out, status, **more)
    return out


def all_four(association):
    """A round through the subprotocols that needs no cryptography of the client's own."""
    backup_key(association, rpc.RETRIEVE, b'')
    wrapped = backup_key(association, rpc.BACKUP, SECRET)
    backup_key(association, rpc.RESTORE_WIN2K, wrapped)
    backup_key(association, rpc.RESTORE, wrapped)


def bound(carrier, security, syntax=rpc.NDR):
    association = rpc.Association(carrier)
    result, = association.bind([(0, rpc.BKRP, syntax)], security)
    if result[0]:
        raise rpc.RpcError(f'the server refused the interface: {result}')
    return association


def leave(smb, *pipes):
    for pipe in pipes:
        pipe.close()
    smb.logoff()


# --- impacket's own RPC, as impacket users run it -----------------------------------------------------

def impacket_client(binding, level, fragment=None):
    carrier = transport.DCERPCTransportFactory(binding)
    carrier.set_credentials('alice', PASSWORD['alice'], DOMAIN)
    carrier.setRemoteHost(HOST)
    carrier.setRemoteName(HOST)
    carrier.preferred_dialect(SMB2_DIALECT_21)
    dce = carrier.get_dce_rpc()
    if level:
        dce.set_auth_level(level)
    dce.connect()
    if fragment:
        dce.set_max_fragment_size(fragment)
    dce.bind(impacket_bkrp.MSRPC_UUID_BKRP)
    return dce


def impacket_call(dce, action, data, parameter=0):
    from impacket.uuid import string_to_bin
    try:
        answer = impacket_bkrp.hBackuprKey(dce, string_to_bin(action), data or impacket_bkrp.NULL, parameter)
    except Exception as why:                # impacket raises for faults and for return codes alike
        print(why)
        packet = getattr(why, 'packet', None)
        if packet is not None:
            record(action, data, parameter, status=packet['ErrorCode'])
        else:
            record(action, data, parameter, error=str(why))
        return None
    out = b''.join(answer['ppDataOut'])
    record(action, data, parameter, out, answer['ErrorCode'])
    return out


PIPE = f'ncacn_np:{HOST}[\\pipe\\protected_storage]'


def dwparam():
    dce = impacket_client(PIPE, rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
    impacket_call(dce, rpc.RETRIEVE, b'', 1)
    wrapped = impacket_call(dce, rpc.BACKUP, SECRET, 1)
    impacket_call(dce, rpc.RESTORE_WIN2K, wrapped, 0xffffffff)
    impacket_call(dce, rpc.RESTORE, wrapped, 0)
    dce.disconnect()


def level(which):
    def run():
        try:
            dce = impacket_client(PIPE, which)
        except Exception as why:
            print(why)
            return
        impacket_call(dce, rpc.RETRIEVE, b'')
        dce.disconnect()
    return run


def fragments_ntlm():
    dce = impacket_client(PIPE, rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY, fragment=1024)
    wrapped = impacket_call(dce, rpc.BACKUP, LARGE)
    impacket_call(dce, rpc.RESTORE, wrapped)
    dce.disconnect()


def fragments_krb5():
    """impacket's SPNEGO Kerberos sends no mechListMIC and Samba wants one, so this is rpc.py's."""
    association = rpc.Association(rpc.Tcp(HOST, rpc.BKRP), max_fragment=2048)
    association.bind([(0, rpc.BKRP, rpc.NDR)], kerberos())
    wrapped = backup_key(association, rpc.BACKUP, LARGE)
    backup_key(association, rpc.RESTORE, wrapped)
    association.transport.close()


# --- several of everything ----------------------------------------------------------------------------

def open_policy():
    request = lsad.LsarOpenPolicy2()
    request['SystemName'] = rpc_null()
    request['ObjectAttributes']['RootDirectory'] = rpc_null()
    request['ObjectAttributes']['ObjectName'] = rpc_null()
    request['ObjectAttributes']['SecurityDescriptor'] = rpc_null()
    request['ObjectAttributes']['SecurityQualityOfService'] = rpc_null()
    request['DesiredAccess'] = 0x02000000
    return request.getData()


def rpc_null():
    from impacket.dcerpc.v5.dtypes import NULL
    return NULL


def two_pipes():
    """Two pipes of one SMB session, each with NTLM keys of its own, calls of both under way at once."""
    smb = session()
    pipes = rpc.Pipe(smb, 'protected_storage'), rpc.Pipe(smb, 'lsarpc')
    store = bound(pipes[0], ntlm())
    lsa = rpc.Association(pipes[1])
    lsa.bind([(0, rpc.LSARPC, rpc.NDR)], ntlm('Administrator'))
    for action, data in (rpc.RETRIEVE, b''), (rpc.BACKUP, SECRET), (rpc.RETRIEVE, b''):
        store.send_call(0, rpc.pack_request(action, data), 0, 0)
        lsa.send_call(44, open_policy(), 0, 0)
        handle = lsa.receive_reply()[:20]
        out, status = rpc.unpack_reply(store.receive_reply())
        record(action, data, 0, out, status)
        lsa.call(0, handle, 0, 0)
    leave(smb, *pipes)


def same_interface_two_pipes():
    """protected_storage opened twice in one SMB session, by two users: the keys differ."""
    smb = session()
    pipes = rpc.Pipe(smb, 'protected_storage'), rpc.Pipe(smb, 'protected_storage')
    first, second = bound(pipes[0], ntlm('alice')), bound(pipes[1], ntlm('Administrator'))
    for n in range(2):
        first.send_call(0, rpc.pack_request(rpc.RETRIEVE, b''), 0, 0)
        second.send_call(0, rpc.pack_request(rpc.BACKUP, SECRET), 0, 0)
        out, status = rpc.unpack_reply(second.receive_reply())
        record(rpc.BACKUP, SECRET, 0, out, status, user='Administrator', pipe=2)
        out, status = rpc.unpack_reply(first.receive_reply())
        record(rpc.RETRIEVE, b'', 0, out, status, user='alice', pipe=1)
    leave(smb, *pipes)


def two_contexts():
    """One TCP association, two presentation contexts, three security contexts (MS-RPCE 3.3.1.5.4)."""
    association = rpc.Association(rpc.Tcp(HOST, rpc.BKRP))
    print(association.bind([(0, rpc.BKRP, rpc.NDR)], ntlm('alice', context_id=1)))
    print(association.alter([(0, rpc.BKRP, rpc.NDR)], ntlm('Administrator', context_id=2)))
    print(association.alter([(1, rpc.BKRP, rpc.NDR)], kerberos('alice', context_id=77)))
    for _ in range(2):
        backup_key(association, rpc.RETRIEVE, b'', 0, 0, 1)
        wrapped = backup_key(association, rpc.BACKUP, SECRET, 0, 0, 2)
        backup_key(association, rpc.RETRIEVE, b'', 0, 1, 77)
        backup_key(association, rpc.RESTORE, wrapped, 0, 0, 2)
        backup_key(association, rpc.RESTORE, wrapped, 0, 1, 77)
    association.transport.close()


# --- which pipe ---------------------------------------------------------------------------------------

def ntsvcs_first():
    smb = session()
    pipe = rpc.Pipe(smb, 'ntsvcs')
    all_four(bound(pipe, ntlm()))
    leave(smb, pipe)


def locator():
    """The DC locator first (DNS SRV and LDAP ping, Samba's own), then BackupKey on the DC it found."""
    from samba.credentials import Credentials
    from samba.dcerpc import nbt
    from samba.net import Net
    from samba.param import LoadParm
    lp = LoadParm()
    lp.load(os.environ['CLIENT_CONF'])
    found = Net(creds=Credentials(), lp=lp).finddc(
        domain=REALM.lower(), flags=nbt.NBT_SERVER_LDAP | nbt.NBT_SERVER_DS | nbt.NBT_SERVER_WRITABLE)
    print(found.pdc_dns_name, hex(found.server_type))
    over_pipe(ntlm())


def fallback():
    smb = session()
    try:
        rpc.Pipe(smb, 'protected_storage')
        raise SystemExit('protected_storage should be missing')
    except SessionError as why:
        print(why)
    try:
        pipe = rpc.Pipe(smb, 'ntsvcs')
    except SessionError as why:
        print(why)                          # both gone: the client did what it could
        smb.logoff()
        return
    all_four(bound(pipe, ntlm()))
    leave(smb, pipe)


def no_fallback():
    smb = session()
    try:
        rpc.Pipe(smb, 'protected_storage')
    except SessionError as why:
        print(why)
    smb.logoff()


# --- handshakes ---------------------------------------------------------------------------------------

def over_pipe(security, user='alice'):
    smb = session(user)
    pipe = rpc.Pipe(smb, 'protected_storage')
    all_four(bound(pipe, security))
    leave(smb, pipe)


def over_tcp(security):
    association = bound(rpc.Tcp(HOST, rpc.BKRP), security)
    all_four(association)
    association.transport.close()


def wrong_password():
    smb = session()
    pipe = rpc.Pipe(smb, 'protected_storage')
    try:
        bound(pipe, ntlm(password='not the password'))
    except rpc.RpcError as why:
        print(why)
    leave(smb, pipe)


IDENTIFY = 0x00100000
SCENARIOS = {
    'dwparam': dwparam,
    'level-none': level(None),
    'level-connect': level(rpcrt.RPC_C_AUTHN_LEVEL_CONNECT),
    'level-integrity': level(rpcrt.RPC_C_AUTHN_LEVEL_PKT_INTEGRITY),
    'fragments-ntlm': fragments_ntlm,
    'fragments-krb5': fragments_krb5,
    'two-pipes': two_pipes,
    'same-pipe-twice': same_interface_two_pipes,
    'two-contexts': two_contexts,
    'locator': locator,
    'ntsvcs-first': ntsvcs_first,
    'fallback': fallback,
    'no-fallback': no_fallback,
    'python-spnego-ntlm': lambda: over_pipe(ntlm()),
    'python-spnego-krb5': lambda: over_tcp(kerberos()),
    'python-krb5': lambda: over_tcp(kerberos(spnego=False)),
    'ntlm-identify': lambda: over_pipe(ntlm(add_flags=IDENTIFY)),
    'krb5-identify': lambda: over_tcp(kerberos(add_flags=rpc.Kerberos.IDENTIFY)),
    'krb5-no-mutual': lambda: over_tcp(kerberos(mutual=False)),
    'joerg': lambda: over_pipe(ntlm('Jörg'), 'Jörg'),
    'wrong-password': wrong_password,
}

SCENARIOS[sys.argv[1]]()
