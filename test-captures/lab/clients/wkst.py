# The wkssvc scenarios that only a script can play.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: wkst.py SCENARIO HOST USER PASSWORD DOMAIN [SAMBA-OPTION=VALUE...]   (environment: EXPECT, CLIENT_CONF)
#
# What was sent and received goes to $EXPECT, one JSON object per call (wkst_calls.py).
import os
import sys
import time

from impacket.dcerpc.v5 import rpcrt, transport, wkst
from impacket.dcerpc.v5.dtypes import NULL
from impacket.smb import SMB_DIALECT
from impacket.smb3structs import SMB2_DIALECT_21, SMB2_DIALECT_30
from samba import NTSTATUSError
from samba.credentials import DONT_USE_KERBEROS, MUST_USE_KERBEROS, SMB_ENCRYPTION_REQUIRED, Credentials
from samba.dcerpc import wkssvc
from samba.param import LoadParm

import rpc
from wkst_calls import Expect, encrypted, encrypted_aes, newer, packed

SCENARIO, HOST, USER, PASSWORD, DOMAIN = sys.argv[1:6]
OPTIONS = [option.split('=', 1) for option in sys.argv[6:]]
WKSSVC = ('6bffd098-a112-3610-9833-46c3f87e345a', 1, 0)
SERVER = '\\\\' + HOST
expect = Expect()


# --- Samba's client: every SMB dialect, and the SMB session's key ------------------------------------------

def samba_client(binding_options=''):
    lp = LoadParm()
    lp.load(os.environ['CLIENT_CONF'])
    creds = Credentials()
    creds.guess(lp)
    for name, value in OPTIONS:
        if name == 'kerberos':
            creds.set_realm(value)
        elif name == 'encrypt':
            creds.set_smb_encryption(SMB_ENCRYPTION_REQUIRED)
        else:
            lp.set(name, value)
    creds.set_username(USER)
    creds.set_password(PASSWORD)
    creds.set_domain(DOMAIN)
    creds.set_kerberos_state(MUST_USE_KERBEROS if creds.get_realm() and dict(OPTIONS).get('kerberos') else DONT_USE_KERBEROS)
    return wkssvc.wkssvc(f'ncacn_np:{HOST}[{binding_options}]', lp, creds)


def ask(client, opnum, stub, tree=None, **more):
    """One call through Samba's client."""
    try:
        out = client.request(opnum, stub)
    except NTSTATUSError as why:
        print(opnum, why)
        expect.call(opnum, stub, None, tree, **more)
        return None
    expect.call(opnum, stub, out, tree, **more)
    return out


def password_buffer(octets):
    buffer = wkssvc.PasswordBuffer()
    buffer.data = list(octets)
    return buffer


JOINER, JOINER_PASSWORD = os.environ.get('JOINER', 'CORP\\alice'), os.environ.get('JOINER_PASSWORD', 'Lab-Join-2026! \u00e4\u20ac')


def with_password(key, as_samba):
    """Every method with the older password, as (opnum, stub); each has a salt of its own."""
    def secret():
        return password_buffer(encrypted(key, JOINER_PASSWORD, as_samba))
    yield packed('NetrJoinDomain2', server_name=SERVER, domain_name='NOWHERE.EXAMPLE', account_ou='OU=Lab,DC=nowhere,DC=example',
                 admin_account=JOINER, encrypted_password=secret(), join_flags=3)
    yield packed('NetrUnjoinDomain2', server_name=SERVER, account=JOINER, encrypted_password=secret(), unjoin_flags=4)
    yield packed('NetrRenameMachineInDomain2', server_name=SERVER, NewMachineName='OTHERNAME', Account=JOINER,
                 EncryptedPassword=secret(), RenameOptions=2)
    yield packed('NetrValidateName2', server_name=SERVER, name='NOWHERE', Account=JOINER, EncryptedPassword=secret(), name_type=3)
    yield packed('NetrGetJoinableOus2', server_name=SERVER, domain_name='NOWHERE.EXAMPLE', Account=JOINER,
                 EncryptedPassword=secret(), num_ous=0)
    yield packed('NetrAddAlternateComputerName', server_name=SERVER, NewAlternateMachineName='second.nowhere.example',
                 Account=JOINER, EncryptedPassword=secret(), Reserved=0)
    yield packed('NetrRemoveAlternateComputerName', server_name=SERVER, AlternateMachineNameToRemove='second.nowhere.example',
                 Account=JOINER, EncryptedPassword=secret(), Reserved=0)
    yield packed('NetrSetPrimaryComputername', server_name=SERVER, primary_name='first.nowhere.example', Account=JOINER,
                 EncryptedPassword=secret(), Reserved=0)


def passwords():
    """Each method with a password as MS-WKST encodes it, then one as Samba does."""
    client = samba_client()
    key = client.session_key
    for opnum, stub in with_password(key, False):
        ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='MS-WKST')
    opnum, stub = next(with_password(key, True))
    ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='Samba')


def newer_values(key):
    """opnum -> parameters of the methods from 31 on."""
    def both():
        return {'Password': encrypted_aes(key, JOINER_PASSWORD), 'EncryptedPassword': encrypted_aes(key, JOINER_PASSWORD)}
    common = {'ServerName': SERVER, 'AccountName': JOINER, 'DomainAccount': JOINER}
    yield 31, {**common, **both(), 'DomainNameParam': 'NOWHERE.EXAMPLE', 'MachineAccountOU': 'OU=Lab,DC=nowhere,DC=example', 'Options': 3}
    yield 32, {**common, **both(), 'Options': 4}
    yield 33, {**common, 'MachineName': 'OTHERNAME', 'Password': encrypted(key, JOINER_PASSWORD), 'Options': 2}
    yield 34, {**common, **both(), 'NameToValidate': 'NOWHERE', 'NameType': 3}
    yield 35, {**common, **both(), 'AlternateName': 'second.nowhere.example'}
    yield 36, {**common, **both(), 'AlternateName': 'second.nowhere.example'}
    yield 37, {**common, 'PrimaryName': 'first.nowhere.example', 'EncryptedPassword': encrypted(key, JOINER_PASSWORD)}


def newer_passwords():
    client = samba_client()
    for opnum, values in newer_values(client.session_key):
        stub, tree = newer(opnum, values)
        ask(client, opnum, stub, tree, password=JOINER_PASSWORD, encoding='MS-WKST')


def join():
    """A real join of the server into the domain, with Samba's encoding, then out again."""
    client = samba_client()
    for opnum, stub in (
            packed('NetrJoinDomain2', server_name=SERVER, domain_name=os.environ['JOIN'], account_ou=None, admin_account=JOINER,
                   encrypted_password=password_buffer(encrypted(client.session_key, JOINER_PASSWORD, True)), join_flags=3),
            packed('NetrUnjoinDomain2', server_name=SERVER, account=JOINER, unjoin_flags=4,
                   encrypted_password=password_buffer(encrypted(client.session_key, JOINER_PASSWORD, True)))):
        ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='Samba')


def reserved():
    """Every opnum no client may send (MS-WKST 3.2.4), and some that do not exist."""
    client = samba_client()
    for opnum in (3, 4, 12, 14, 15, 16, 17, 18, 19, 21, 38, 39, 40, 255, 65535):
        ask(client, opnum, b'\0' * 64)


# --- impacket's client, as its users run it -----------------------------------------------------------------

class Recorded:
    """An impacket connection whose calls are recorded."""

    def __init__(self, level=None, dialect=SMB2_DIALECT_21):
        carrier = transport.DCERPCTransportFactory(f'ncacn_np:{HOST}[\\pipe\\wkssvc]')
        carrier.set_credentials(USER, PASSWORD, DOMAIN)
        carrier.setRemoteHost(HOST)
        carrier.setRemoteName(HOST)
        carrier.preferred_dialect(dialect)
        self.dce = carrier.get_dce_rpc()
        if level:
            self.dce.set_auth_level(level)
        self.dce.connect()
        self.dce.bind(wkst.MSRPC_UUID_WKST)
        self.key = carrier.get_smb_connection().getSessionKey()

    def request(self, request):
        """What impacket's helpers ask for; they give the reply away, so nothing is returned."""
        stub = request.getData()
        self.dce.call(request.opnum, request)
        try:
            out = self.dce.recv()
        except rpcrt.DCERPCException as why:
            print(request.opnum, why)
            out = None
        expect.call(request.opnum, stub, out)


def impacket_calls(level):
    client = Recorded(level)
    key = client.key

    def secret():
        return encrypted(key, JOINER_PASSWORD)
    for number in 100, 101, 102, 502, 99:
        wkst.hNetrWkstaGetInfo(client, number)
    for number in 502, 1013, 1018, 1046:
        info = getattr(wkst, f'WKSTA_INFO_{number}')()
        for n, (name, _) in enumerate(info.structure):
            info[name] = n + 1
        wkst.hNetrWkstaSetInfo(client, number, info)
    for number in 0, 1:
        wkst.hNetrWkstaUserEnum(client, number)
    wkst.hNetrWkstaTransportEnum(client, 0)
    use = wkst.LPUSE_INFO_1() if hasattr(wkst, 'LPUSE_INFO_1') else wkst.USE_INFO_1()
    use['ui1_local'], use['ui1_remote'], use['ui1_password'] = 'Z:\0', '\\\\stand.example\\share\0', 'Lab-Use-2026!\0'
    wkst.hNetrUseAdd(client, 1, use)
    for number in 0, 1, 2:
        wkst.hNetrUseEnum(client, number)
        wkst.hNetrUseGetInfo(client, 'Z:', number)
    wkst.hNetrUseDel(client, 'Z:')
    wkst.hNetrWorkstationStatisticsGet(client, '\0', 0, 0)
    wkst.hNetrGetJoinInformation(client, '\0')
    wkst.hNetrJoinDomain2(client, 'NOWHERE.EXAMPLE', 'OU=Lab,DC=nowhere,DC=example', JOINER, secret(), 3)
    wkst.hNetrUnjoinDomain2(client, JOINER, secret(), 4)
    wkst.hNetrRenameMachineInDomain2(client, 'OTHERNAME', JOINER, secret(), 2)
    wkst.hNetrValidateName2(client, 'NOWHERE', JOINER, NULL, 3)
    wkst.hNetrGetJoinableOUs2(client, 'NOWHERE.EXAMPLE', JOINER, secret(), 0)
    wkst.hNetrAddAlternateComputerName(client, 'second.nowhere.example', JOINER, secret())
    wkst.hNetrRemoveAlternateComputerName(client, 'second.nowhere.example', JOINER, NULL)
    wkst.hNetrSetPrimaryComputerName(client, 'first.nowhere.example', JOINER, secret())
    for number in 0, 1, 2:
        wkst.hNetrEnumerateComputerNames(client, number)
    client.dce.disconnect()


# --- how SMB sessions end -------------------------------------------------------------------------------------

def told(association, opnum, stub, **more):
    """One call through rpc.py."""
    try:
        out = association.call(opnum, stub)
    except rpc.RpcError as why:
        print(opnum, why)
        out = None
    expect.call(opnum, stub, out, **more)


def ending(how):
    """Session, tree, pipe and two calls; then what `how` leaves out: the option `dialect` says over which SMB."""
    def run():
        option = dict(OPTIONS)
        dialect = {'1': SMB_DIALECT, '2': SMB2_DIALECT_21, '3': SMB2_DIALECT_30}[option['dialect'][0]]
        smb = rpc.smb_session(HOST, USER, PASSWORD, DOMAIN, dialect, option['dialect'].endswith('encrypted'))
        pipe = rpc.Pipe(smb, 'wkssvc')
        association = rpc.Association(pipe)
        association.bind([(0, WKSSVC, rpc.NDR)])
        for level in 100, 102:
            told(association, *packed('NetWkstaGetInfo', server_name=SERVER, level=level))
        if how == 'open':
            print('open', flush=True)
            time.sleep(4)                       # until the capture has ended
            os._exit(0)
        if how == 'closed':
            pipe.close()
            smb.disconnectTree(pipe.tree)
        if how != 'only-tcp':
            smb.logoff()
        smb.getSMBServer().close_session()      # of the TCP connection, that is
    return run


SCENARIOS = {
    'passwords': passwords,
    'newer-passwords': newer_passwords,
    'join': join,
    'reserved': reserved,
    **{'ending-' + how: ending(how) for how in ('closed', 'no-tree-disconnect', 'only-tcp', 'open')},
    'impacket': lambda: impacket_calls(None),
    'impacket-seal': lambda: impacket_calls(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY),
}

SCENARIOS[SCENARIO]()
