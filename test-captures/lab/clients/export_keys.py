# Reads what `samba-tool domain exportkeytab` does not give: backup keys, NT hashes, a wrong keytab.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: export_keys.py SMB.CONF FOLDER
import os
import sys
import uuid

from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

from wrong_keytab import wrong

EMPTY_LM = 'aad3b435b51404eeaad3b435b51404ee'


def write(name, data):
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data)
    print(name, len(data))


def backup_keys(sam, system):
    """The octets of the LSA secret objects, as LsarRetrievePrivateData would return them."""
    def secret(name):
        found = sam.search(system, scope=2, expression=f'(cn={name} Secret)', attrs=['currentValue'])
        return bytes(found[0]['currentValue'][0]) if found else None
    # BCKUPKEY_PREFERRED names the client-wrap key, BCKUPKEY_P the server-wrap key (MS-BKRP 3.1.1).
    for pointer, kind in ('BCKUPKEY_PREFERRED', 'clientwrap'), ('BCKUPKEY_P', 'serverwrap'):
        if secret(pointer) is None:
            print(f'no {kind} key yet: the DC makes it at the first call, so capture something and come back')
            continue
        guid = uuid.UUID(bytes_le=secret(pointer))
        write(f'lab.bkrp-{kind}.bin', secret(f'BCKUPKEY_{guid}'))
        write(f'lab.bkrp-{kind}.guid', f'{guid}\n'.encode())


def hashes(sam, domain):
    """One line per account, in the order and form of secretsdump."""
    lines = []
    for user in sam.search(sam.domain_dn(), scope=2, expression='(objectClass=user)',
                           attrs=['sAMAccountName', 'objectSid', 'unicodePwd']):
        if 'unicodePwd' not in user:
            continue
        rid = ndr_unpack(security.dom_sid, user['objectSid'][0]).split()[1]
        nt = bytes(user['unicodePwd'][0]).hex()
        lines.append((rid, f'{domain}\\{user["sAMAccountName"]}:{rid}:{EMPTY_LM}:{nt}:::\n'))
    write('lab.secretsdump.txt', ''.join(line for _, line in sorted(lines)).encode())


def wrong_keytab():
    with open(os.path.join(folder, 'lab.keytab'), 'rb') as f:
        write('wrong.keytab', wrong(f.read()))


conf, folder = sys.argv[1:]
lp = LoadParm()
lp.load(conf)
sam = SamDB(lp.get('private dir') + '/sam.ldb', session_info=system_session(lp), lp=lp)
backup_keys(sam, f'CN=System,{sam.domain_dn()}')
hashes(sam, lp.get('workgroup'))
wrong_keytab()
