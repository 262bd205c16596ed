# A BackupKey server that speaks NDR64, which Samba's servers do not; the real DC answers behind it.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: ndr64_gateway.py SMB.CONF KEYTAB PORT   (environment: HOST, DOMAIN, ADMIN_PW)

Windows clients use NDR64 whenever the server takes it, so captures of it are wanted, but no Samba server
takes it. This one does: it opens the sealed NDR64 request of a real client (smbtorture [ndr64]), asks the
DC the same thing over NDR32 from inside the DC's own namespace, and seals the answer in NDR64.
"""
import os
import struct
import sys
import uuid

import rpc
import rpc_server


def ask_the_dc(action, data, parameter):
    association = rpc.Association(rpc.Tcp(os.environ['HOST'], rpc.BKRP))
    association.bind([(0, rpc.BKRP, rpc.NDR)],
                     rpc.Ntlm('Administrator', os.environ['ADMIN_PW'], os.environ['DOMAIN']))
    try:
        return rpc.unpack_reply(association.call(0, rpc.pack_request(action, data, parameter), 0, 0))
    finally:
        association.transport.close()


def answer(_opnum, stub, _ndr64):
    """NDR64 in, NDR64 out. A verification trailer may follow the request and is not looked at."""
    action = str(uuid.UUID(bytes_le=stub[:16]))
    count, = struct.unpack_from('<Q', stub, 16)
    data = stub[24:24 + count]
    at = 24 + count + -count % 4
    length, parameter = struct.unpack_from('<LL', stub, at)
    if length != count:
        raise rpc.RpcError('counts differ')
    out, status = ask_the_dc(action, data, parameter)
    if out is None:
        return struct.pack('<QLL', 0, 0, status)
    return (struct.pack('<QQ', 0x0000000000020000, len(out)) + out + b'\0' * (-len(out) % 4)
            + struct.pack('<LL', len(out), status))


class Service:
    address, syntaxes = sys.argv[3], [rpc.NDR64]
    answer = staticmethod(answer)


if __name__ == '__main__':
    rpc_server.forever(rpc_server.on_port(sys.argv[3]), Service, *sys.argv[1:3])
