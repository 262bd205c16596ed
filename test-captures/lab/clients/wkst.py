# The wkssvc scenarios that only a script can play.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: wkst.py SCENARIO HOST USER PASSWORD DOMAIN [SAMBA-OPTION=VALUE...]   (environment: EXPECT, CLIENT_CONF)
#
# What was sent and received goes to $EXPECT, one JSON object per call (wkst_calls.py).
import os
import socket
import struct
import sys
import time

from impacket.dcerpc.v5 import rpcrt, transport, wkst
from impacket.dcerpc.v5.dtypes import NULL
from impacket.smb3structs import SMB2_DIALECT_21
from samba import NTSTATUSError
from samba.credentials import DONT_USE_KERBEROS, MUST_USE_KERBEROS, SMB_ENCRYPTION_REQUIRED, Credentials
from samba.dcerpc import wkssvc
from samba.param import LoadParm

import rpc
from wkst_calls import Expect, Stub, encrypted, encrypted_aes, newer, packed

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


JOINER = os.environ.get('JOINER', 'CORP\\alice')
JOINER_PASSWORD = os.environ.get('JOINER_PASSWORD', 'Lab-Join-2026! \u00e4\u20ac')


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
    print('session key', key.hex())
    for opnum, stub in with_password(key, False):
        ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='MS-WKST')
    opnum, stub = next(with_password(key, True))
    ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='Samba')


def newer_values(key):
    """opnum -> parameters of the methods from 31 on."""
    def both():
        return {'Password': encrypted_aes(key, JOINER_PASSWORD), 'EncryptedPassword': encrypted_aes(key, JOINER_PASSWORD)}
    common = {'ServerName': SERVER, 'AccountName': JOINER, 'DomainAccount': JOINER}
    yield 31, {**common, **both(), 'DomainNameParam': 'NOWHERE.EXAMPLE', 'Options': 3,
               'MachineAccountOU': 'OU=Lab,DC=nowhere,DC=example'}
    yield 32, {**common, **both(), 'Options': 4}
    yield 33, {**common, 'MachineName': 'OTHERNAME', 'Password': encrypted(key, JOINER_PASSWORD), 'Options': 2}
    yield 34, {**common, **both(), 'NameToValidate': 'NOWHERE', 'NameType': 3}
    yield 35, {**common, **both(), 'AlternateName': 'second.nowhere.example'}
    yield 36, {**common, **both(), 'AlternateName': 'second.nowhere.example'}
    yield 37, {**common, 'PrimaryName': 'first.nowhere.example', 'EncryptedPassword': encrypted(key, JOINER_PASSWORD)}


def newer_passwords():
    client = samba_client()
    print('session key', client.session_key.hex())
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


def bad_length():
    """Passwords whose Length cannot be: one more than there is room for, and the most that can be said."""
    client = samba_client()

    def secret(length):
        return password_buffer(encrypted(client.session_key, JOINER_PASSWORD, length=length))
    for opnum, stub in (
            packed('NetrJoinDomain2', server_name=SERVER, domain_name='NOWHERE.EXAMPLE', account_ou=None, admin_account=JOINER,
                   encrypted_password=secret(513), join_flags=1),
            packed('NetrUnjoinDomain2', server_name=SERVER, account=JOINER, encrypted_password=secret(0xffffffff), unjoin_flags=4)):
        ask(client, opnum, stub)


def join_and_wait():
    """A join, a call after it, and time for the server to close what it has opened."""
    client = samba_client()
    buffer = password_buffer(encrypted(client.session_key, JOINER_PASSWORD))
    opnum, stub = packed('NetrJoinDomain2', server_name=SERVER, domain_name='CORP.EXAMPLE', account_ou=None, admin_account=JOINER,
                         encrypted_password=buffer, join_flags=1)
    ask(client, opnum, stub, password=JOINER_PASSWORD, encoding='MS-WKST')
    time.sleep(0.6)
    opnum, stub = packed('NetWkstaGetInfo', server_name=SERVER, level=100)
    ask(client, opnum, stub)


def reserved():
    """Every opnum no client may send (MS-WKST 3.2.4), and some that do not exist."""
    client = samba_client()
    for opnum in (3, 4, 12, 14, 15, 16, 17, 18, 19, 21, 39, 40, 255, 65535):
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

def told(association, opnum, stub, own=None, **more):
    """One call through rpc.py, in the security context that `own` names; what came back."""
    try:
        out = association.call(opnum, stub, **(own or {}))
    except rpc.RpcError as why:
        print(opnum, why)
        out = None
    expect.call(opnum, stub, out, **more)
    return out


class Port(rpc.Tcp):
    """A port that no endpoint mapper knows."""

    def __init__(self, port):                   # pylint: disable=super-init-not-called
        self.socket = socket.create_connection((socket.gethostbyname(HOST), int(port)))


def connected():
    """As the options say: port, security (ntlm, krb5 or none), syntax."""
    option = dict(OPTIONS)
    ndr64 = option.get('syntax') == 'ndr64'
    association = rpc.Association(Port(option['port']))
    security = {'none': None, 'ntlm': rpc.Ntlm(USER, PASSWORD, DOMAIN, spnego=False)}[option.get('security', 'none')]
    (result, _), = association.bind([(0, WKSSVC, rpc.NDR64 if ndr64 else rpc.NDR)], security)
    if result:
        raise rpc.RpcError('the interface was refused')
    own = {'auth_context': security.context_id} if security else {}
    return association, ndr64, own


def empty(kind, level):
    """The [in, out] structure of an enumeration: a level and an empty container."""
    info = getattr(wkssvc, f'{kind}Info')()
    info.level = level
    info.ctr = getattr(wkssvc, f'{kind}Ctr{level}')()
    return info


def set_info(level, info, ndr64, error_parameter):
    """NetrWkstaSetInfo: ErrorParameter is a pointer that may be NULL, in Samba's IDL it is none and comes last."""
    _, stub = packed('NetWkstaSetInfo', ndr64=ndr64, server_name=SERVER, level=level, info=info, parm_error=0)
    rest = Stub(ndr64)
    rest.data = stub[:-4]
    rest.pointer(error_parameter is not None)
    if error_parameter is not None:
        rest.ulong(error_parameter)
    return rest.data


def use(level):
    info = getattr(wkssvc, f'NetrUseInfo{level}')()
    info.local, info.remote = 'Y:', '\\\\stand.example\\share'
    if level:
        info.password, info.asg_type, info.ref_count, info.use_count = 'Lab-Use-2026!', 0, 1, 1
    if level == 2:
        info.user_name, info.domain_name = 'bob', 'STAND'
    return info


def every_level():
    """The methods and levels that Samba's servers refuse, from a server that has an answer (wkst_server.py)."""
    association, ndr64, own = connected()

    def ask_for(samba_name, **parameters):
        opnum, stub = packed(samba_name, ndr64=ndr64, **parameters)
        return told(association, opnum, stub, ndr64=ndr64, own=own)
    for level in 100, 101, 102, 502, 99:
        ask_for('NetWkstaGetInfo', server_name=SERVER, level=level)
    ask_for('NetWkstaGetInfo', server_name=None, level=100)
    for level, members in (1013, ['keep_connection']), (1018, ['session_timeout']), (1046, ['dormant_file_limit']), (502, None):
        info = getattr(wkssvc, f'NetWkstaInfo{level}')()
        for n, name in enumerate(members or sorted(a for a in dir(info) if not a.startswith('_'))):
            setattr(info, name, level + n)
        told(association, 1, set_info(level, info, ndr64, 0 if level == 1046 else None), own=own, read=lambda out: {},
             tree={'ServerName': SERVER, 'Level': level})
    for level, most in (0, 0xffffffff), (1, 0xffffffff), (0, 1024):
        resume = 0
        while True:                                 # ERROR_MORE_DATA: once more, from the handle on
            out = ask_for('NetWkstaEnumUsers', server_name=SERVER, info=empty('NetWkstaEnumUsers', level), prefmaxlen=most,
                          resume_handle=resume)
            if struct.unpack('<L', out[-4:])[0] != 234:
                break
            resume = struct.unpack('<L', out[-8:-4])[0]
    ask_for('NetWkstaEnumUsers', server_name=SERVER, info=empty('NetWkstaEnumUsers', 0), prefmaxlen=256, resume_handle=None)
    ask_for('NetWkstaTransportEnum', server_name=SERVER, info=empty('NetWkstaTransport', 0), max_buffer=0xffffffff,
            resume_handle=0)
    ask_for('NetWkstaTransportEnum', server_name=SERVER, info=empty('NetWkstaTransport', 0), max_buffer=0xffffffff,
            resume_handle=None)
    for level in 0, 1, 2:
        ask_for('NetrUseAdd', server_name=SERVER, level=level, ctr=use(level), parm_err=0)
        ask_for('NetrUseGetInfo', server_name=SERVER, use_name='Z:', level=level)
        ask_for('NetrUseEnum', server_name=SERVER, info=empty('NetrUseEnum', level), prefmaxlen=0xffffffff, resume_handle=0)
    if not ndr64:
        use_level_three(association, own)
    ask_for('NetrUseDel', server_name=SERVER, use_name='Z:', force_cond=2)
    ask_for('NetrWorkstationStatisticsGet', server_name=SERVER, unknown2='LanmanWorkstation', unknown3=0, unknown4=0)
    ask_for('NetrGetJoinInformation', server_name=SERVER, name_buffer='')
    ask_for('NetrGetJoinableOus2', server_name=SERVER, domain_name='NOWHERE.EXAMPLE', Account=JOINER, EncryptedPassword=None,
            num_ous=0)
    for kind in 0, 1, 2, 3:
        ask_for('NetrEnumerateComputerNames', server_name=SERVER, name_type=kind, Reserved=0)
    association.transport.close()


def use_level_three(association, own):
    """USE_INFO_3, which Samba's IDL has otherwise than MS-WKST: packed and unpacked by impacket."""
    added = wkst.NetrUseAdd()
    added['ServerName'], added['Level'], added['InfoStruct']['tag'] = SERVER + '\0', 3, 3
    two = added['InfoStruct']['UseInfo3']['ui3_ui2']
    one = two['ui2_useinfo']
    one['ui1_local'], one['ui1_remote'], one['ui1_password'] = 'Y:\0', '\\\\stand.example\\share\0', 'Lab-Use-2026!\0'
    two['ui2_username'], two['ui2_domainname'] = 'bob\0', 'STAND\0'
    added['InfoStruct']['UseInfo3']['ui3_flags'] = 4
    told(association, 8, added.getData(), own=own, tree={'ServerName': SERVER, 'Level': 3, 'InfoStruct': {
        'ui1_local': 'Y:', 'ui1_remote': '\\\\stand.example\\share', 'ui1_password': 'Lab-Use-2026!', 'ui2_username': 'bob',
        'ui2_domainname': 'STAND', 'ui3_flags': 4}})
    asked = wkst.NetrUseGetInfo()
    asked['ServerName'], asked['UseName'], asked['Level'] = SERVER + '\0', 'Z:\0', 3

    def read(out):
        info = wkst.NetrUseGetInfoResponse(out)['InfoStruct']['UseInfo3']
        two = info['ui3_ui2']
        texts = {name: two['ui2_useinfo'][name] for name in ('ui1_local', 'ui1_remote')}
        texts |= {name: two[name] for name in ('ui2_username', 'ui2_domainname')}
        return {**{name: text.rstrip('\0') for name, text in texts.items()}, 'ui3_flags': info['ui3_flags']}
    told(association, 9, asked.getData(), own=own, tree={'ServerName': SERVER, 'UseName': 'Z:', 'Level': 3}, read=read)


def newer_over_port():
    """The newer methods with no password, for NDR64 and for sealing."""
    association, ndr64, own = connected()
    for opnum, values in newer_values(b'\0' * 16):
        values.pop('Password', None)
        values.pop('EncryptedPassword', None)
        stub, tree = newer(opnum, values, ndr64)
        told(association, opnum, stub, tree=tree, ndr64=ndr64, own=own)
    association.transport.close()


def ending(how):
    """Session, tree, pipe and two calls; then what `how` leaves out: the option `dialect` says over which SMB."""
    def run():
        option = dict(OPTIONS)
        smb = rpc.smb_session(HOST, USER, PASSWORD, DOMAIN, rpc.DIALECTS[option['dialect'][0]],
                              option['dialect'].endswith('encrypted'))
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
    'join-and-wait': join_and_wait,
    'bad-length': bad_length,
    'reserved': reserved,
    'every-level': every_level,
    'newer-over-port': newer_over_port,
    **{'ending-' + how: ending(how) for how in ('closed', 'no-tree-disconnect', 'only-tcp', 'open')},
    'impacket': lambda: impacket_calls(None),
    'impacket-seal': lambda: impacket_calls(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY),
}

SCENARIOS[SCENARIO]()
