# DCE/RPC with MIT krb5's own GSS-API on both sides: the etypes of RFC 8009, which Samba 4.17 and impacket do not have, and
# RC4-HMAC in fragments.
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: mit.py server PORT | mit.py client HOST PORT privacy|integrity|fragments   (environment: TALK, SERVICE, ETYPE, and EXPECT)
"""What is real: tickets of an MIT KDC, and MIT's contexts, gss_wrap_iov, gss_unwrap_iov and gss_get_mic in DCE style.
What is not: there is no BackupKey service behind it. The server answers with what Samba's DC once answered to the same
request; both are read from TALK, the .expect file of another capture.
"""
import json
import os
import socket
import struct
import sys
import uuid

import gssapi
from gssapi.raw import IOV, IOVBufferType, get_mic, unwrap_iov, verify_mic, wrap_iov

import rpc

HEADER_SIGN = 4
FLAG = gssapi.RequirementFlag
FLAGS = [FLAG.mutual_authentication, FLAG.replay_detection, FLAG.out_of_sequence_detection, FLAG.confidentiality,
         FLAG.integrity, FLAG.dce_style]


class Context:
    """One of MIT's contexts as rpc.Association wants it: auth type 16, three legs."""
    auth_type, context_id, auth3 = 16, 0, True

    def __init__(self, context, level, header_signing):
        self.context, self.level, self.header_signing = context, level, header_signing

    def first(self):
        return self.context.step()

    def second(self, answer):
        return self.context.step(answer)

    @property
    def token_length(self):
        """CFX header and checksum; sealed also confounder, EC of 16 octets and the header's copy."""
        if os.environ['ETYPE'] == '23':     # RFC 4757: frame, header, number, checksum, confounder
            return 45 if self.level == rpc.PRIVACY else 37
        return {'19': 16, '20': 24}[os.environ['ETYPE']] + (64 if self.level == rpc.PRIVACY else 16)

    def parts(self, head, stub, trailer):
        around = IOVBufferType.sign_only
        if not self.header_signing:
            return [(IOVBufferType.data, False, stub)]
        return [(around, False, head), (IOVBufferType.data, False, stub), (around, False, trailer)]

    def signed(self, head, stub, trailer):
        return head + stub + trailer if self.header_signing else stub

    def protect(self, head, stub, trailer):
        if self.level != rpc.PRIVACY:
            return stub, get_mic(self.context, self.signed(head, stub, trailer))
        iov = IOV((IOVBufferType.header, True, None), *self.parts(head, stub, trailer), std_layout=False)
        if not wrap_iov(self.context, iov, confidential=True):
            raise rpc.RpcError('not sealed')
        return next(b.value for b in iov if b.type == IOVBufferType.data), iov[0].value

    def unprotect(self, head, stub, trailer, token):
        if self.level != rpc.PRIVACY:
            verify_mic(self.context, self.signed(head, stub, trailer), token)
            return stub
        iov = IOV((IOVBufferType.header, False, token), *self.parts(head, stub, trailer), std_layout=False)
        unwrap_iov(self.context, iov)
        return next(b.value for b in iov if b.type == IOVBufferType.data)


def talk():
    """(action, data sent, data received) of each call there once was."""
    with open(os.environ['TALK'], encoding='utf-8') as file:
        for line in map(json.loads, file):
            yield line['action'], bytes.fromhex(line['data_in']), bytes.fromhex(line['data_out']), line['status']


def over(connected):
    """An rpc.Tcp without its constructor, which asks an endpoint mapper; every PDU in a packet of its own."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = rpc.Tcp.__new__(rpc.Tcp)
    transport.socket = connected
    return transport


# --- the server --------------------------------------------------------------------------------------

def pdu(kind, flags, call, body, auth=b'', auth_length=0):
    size = 16 + len(body) + len(auth)
    return struct.pack('<BBBB4sHHL', 5, 0, kind, flags, b'\x10\0\0\0', size, auth_length, call) + body + auth


def accept(connection, request):
    """bind, bind_ack, auth3."""
    size, length = struct.unpack_from('<HH', request, 8)
    call, = struct.unpack_from('<L', request, 12)
    trailer = request[size - length - 8:size - length]
    signing = request[3] & HEADER_SIGN
    name = gssapi.Name(os.environ['SERVICE'], gssapi.NameType.hostbased_service)
    credentials = gssapi.Credentials(usage='accept', name=name)
    context = gssapi.SecurityContext(creds=credentials, usage='accept')
    token = context.step(request[size - length:size])
    address = b'%d\0' % connection.socket.getsockname()[1]
    body = struct.pack('<HHLH', 4280, 4280, 0x1234, len(address)) + address
    body += b'\0' * (-(16 + len(body)) % 4) + struct.pack('<BxxxHH', 1, 0, 0)
    body += uuid.UUID(rpc.NDR[0]).bytes_le + struct.pack('<L', 2)
    body += b'\0' * (-(16 + len(body)) % 4)
    connection.send(pdu(rpc.BIND_ACK, 3 | signing, call, body, trailer[:2] + b'\0' + trailer[3:] + token, len(token)))
    third = connection.receive()
    size, length = struct.unpack_from('<HH', third, 8)
    context.step(third[size - length:size])
    return Context(context, trailer[1], bool(signing))


FRAGMENT = 2048     # of stub, at most


def take(security, connection):
    """(call id, stub) of the next request, of as many fragments as it has."""
    stub = b''
    while True:
        request = connection.receive()
        size, length = struct.unpack_from('<HH', request, 8)
        at = size - length - 8
        plain = security.unprotect(request[:24], request[24:at], request[at:at + 8], request[at + 8:size])
        stub += plain[:len(plain) - request[at + 2]]
        if request[3] & 2:
            return struct.unpack_from('<L', request, 12)[0], stub


def answer(security, call, stub):
    """The PDUs of the answer."""
    for action, sent, received, status in talk():
        if stub == rpc.pack_request(action, sent):
            break
    else:
        raise rpc.RpcError('a request that nobody has ever answered')
    stub = (struct.pack('<LL', 0x20000, len(received)) + received + b'\0' * (-len(received) % 4)
            + struct.pack('<LL', len(received), status))
    for at in range(0, len(stub), FRAGMENT):
        piece = stub[at:at + FRAGMENT]
        flags, pad = (at == 0) | (at + FRAGMENT >= len(stub)) << 1, -len(piece) % 16
        trailer = struct.pack('<BBBxL', 16, security.level, pad, 0)
        size = 24 + len(piece) + pad + 8 + security.token_length
        head = struct.pack('<BBBB4sHHLLHH', 5, 0, rpc.RESPONSE, flags, b'\x10\0\0\0', size, security.token_length, call,
                           len(stub) - at, 0, 0)
        sealed, token = security.protect(head, piece + b'\0' * pad, trailer)
        yield head + sealed + trailer + token


def serve(port):
    listener = socket.create_server(('', port))
    print('ready', flush=True)
    while True:
        connection = over(listener.accept()[0])
        try:
            security = accept(connection, connection.receive())
            while True:
                for fragment in answer(security, *take(security, connection)):
                    connection.send(fragment)
        except rpc.RpcError as why:
            print(why, flush=True)
        connection.close()


# --- the client --------------------------------------------------------------------------------------

class Association(rpc.Association):
    """Says PFC_SUPPORT_HEADER_SIGN in the bind."""

    def __init__(self, transport, header_signing):
        super().__init__(transport, FRAGMENT)
        self.header_signing = header_signing

    def _send(self, kind, body, security=None, token=b''):
        outer = self.transport
        if self.header_signing and kind == rpc.BIND:
            class Marked:
                @staticmethod
                def send(data):
                    outer.send(data[:3] + bytes([data[3] | HEADER_SIGN]) + data[4:])
            self.transport = Marked
        super()._send(kind, body, security, token)
        self.transport = outer


def calls(host, port, level, header_signing, count):
    connection = over(socket.create_connection((host, port)))
    name = gssapi.Name(os.environ['SERVICE'], gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=name, usage='initiate', flags=FLAGS, mech=gssapi.MechType.kerberos)
    association = Association(connection, header_signing)
    (result, _), = association.bind([(0, rpc.BKRP, rpc.NDR)], Context(context, level, header_signing))
    if result:
        raise rpc.RpcError('the interface was refused')
    for action, sent, received, _ in list(talk())[:count]:
        out, status = rpc.unpack_reply(association.call(0, rpc.pack_request(action, sent), 0, 0))
        if out != received:
            raise rpc.RpcError('another answer than the server was given')
        with open(os.environ['EXPECT'], 'a', encoding='utf-8') as file:
            print(json.dumps({'action': action, 'data_in': sent.hex(), 'cb_data_in': len(sent), 'dw_param': 0,
                              'data_out': out.hex(), 'status': status}), file=file)
    connection.close()


if __name__ == '__main__':
    if sys.argv[1] == 'server':
        serve(int(sys.argv[2]))
    HOST, PORT, LEVEL = sys.argv[2], int(sys.argv[3]), sys.argv[4]
    if LEVEL == 'privacy':
        calls(HOST, PORT, rpc.PRIVACY, True, 4)
        calls(HOST, PORT, rpc.PRIVACY, False, 1)
    elif LEVEL == 'fragments':
        calls(HOST, PORT, rpc.PRIVACY, True, 2)
    else:
        calls(HOST, PORT, rpc.INTEGRITY, True, 4)
        calls(HOST, PORT, rpc.INTEGRITY, False, 1)
