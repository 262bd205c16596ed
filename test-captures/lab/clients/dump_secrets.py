"""The domain's secrets as impacket's secretsdump prints them: dump_secrets.py SECRETSDUMP-OPTION... for DRSUAPI, or
dump_secrets.py --lsa SECRETS.TDB for the LSA secrets of the domain controller. dump_secrets.py --reversible SMB.CONF USER
lets a user's next password be kept in the clear.

Samba takes a reply's padding for its end and answers a list of attributes with no object, so the first asks for all
attributes and does not look at the last octets. Samba has no registry to read LSA secrets from, so the second hands
the machine's password to the function of secretsdump that prints such secrets, and beside it others made up.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import logging
import os
import runpy
import sys

from impacket.dcerpc.v5 import drsuapi, rpcrt
from impacket.examples import logger, secretsdump

PROGRAM = '/usr/share/doc/python3-impacket/examples/secretsdump.py'


def by_drsuapi():
    plain = rpcrt.DCERPC_v5.request

    def request(self, message, uuid=None, checkError=True):
        changes = isinstance(message, drsuapi.DRSGetNCChanges)
        if changes:
            message['pmsgIn']['V8']['pPartialAttrSet'] = drsuapi.NULL
        return plain(self, message, uuid, checkError and not changes)

    rpcrt.DCERPC_v5.request = request
    runpy.run_path(PROGRAM, run_name='__main__')


class Machine:
    """What secretsdump asks of the registry."""
    def getMachineNameAndDomain(self):
        return 'DC', 'CORP'

    def getMachineKerberosSalt(self):
        return b'CORP.EXAMPLEhostdc.corp.example'


def by_lsa(path):
    import tdb
    store = tdb.open(path, flags=os.O_RDONLY)
    password = store[b'SECRETS/MACHINE_PASSWORD/CORP'].rstrip(b'\0').decode().encode('utf-16-le')
    made_up = bytes(range(64))
    for machine in (Machine(), None):  # None: of hives whose machine nobody named
        secrets = secretsdump.LSASecrets(None, None, machine)
        secrets._LSASecrets__printSecret('$MACHINE.ACC', password)
    secrets._LSASecrets__printSecret('DPAPI_SYSTEM', b'\1\0\0\0' + made_up[:40])
    secrets._LSASecrets__printSecret('NL$KM', made_up)
    secrets._LSASecrets__printSecret('_SC_service', 'of a service'.encode('utf-16-le'))


def reversible(conf, user):
    from samba import dsdb
    from samba.auth import system_session
    from samba.param import LoadParm
    from samba.samdb import SamDB
    lp = LoadParm()
    lp.load(conf)
    sam = SamDB(lp.get('private dir') + '/sam.ldb', session_info=system_session(lp), lp=lp)
    sam.toggle_userAccountFlags(f'(sAMAccountName={user})', dsdb.UF_ENCRYPTED_TEXT_PASSWORD_ALLOWED,
                                'ENCRYPTED_TEXT_PASSWORD_ALLOWED', on=True)


if sys.argv[1] == '--lsa':
    logger.init()
    logging.getLogger().setLevel(logging.INFO)
    by_lsa(sys.argv[2])
elif sys.argv[1] == '--reversible':
    reversible(*sys.argv[2:])
else:
    by_drsuapi()
