# Turns segmentation and checksum offloading of one interface off, as `ethtool -K` would.
# SPDX-License-Identifier: GPL-2.0-or-later
# Here because Debian does not install ethtool by default and this is all the lab needs of it.
import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SET = {'rx': 0x15, 'tx': 0x17, 'sg': 0x19, 'tso': 0x1f, 'gso': 0x24, 'gro': 0x2c}

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for name, command in SET.items():
    value = array.array('B', struct.pack('II', command, 0))
    request = struct.pack('16sP', sys.argv[1].encode(), value.buffer_info()[0])
    try:
        fcntl.ioctl(s, SIOCETHTOOL, request)
    except OSError as why:
        print(f'{sys.argv[1]}: {name} stays on: {why}', file=sys.stderr)
