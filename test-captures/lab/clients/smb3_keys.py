# Turns what smbd logs with `debug encryption = yes` into lines of Wireshark's smb2_seskey_list.
# SPDX-License-Identifier: GPL-2.0-or-later
# stdin: the log; stdout: session id,session key,server-to-client key,client-to-server key (hex, unquoted)
import re
import sys

FIELD = re.compile(r'(Session Id|Session Key|Signing Key|App Key|ServerIn Key|ServerOut Key)?'
                   r'\s*\[[0-9A-F]{4}\]((?: {1,3}[0-9A-F]{2}){1,16})')

sessions = {}
name = None
current = {}
for line in sys.stdin:
    found = FIELD.match(line.strip())
    if not found:
        continue
    if found.group(1):
        name = found.group(1)
        if name == 'Session Id':
            current = {}
        current[name] = ''
    if name:
        current[name] += found.group(2).replace(' ', '')
    if 'ServerOut Key' in current:
        sessions[current['Session Id']] = current

for s in sessions.values():
    # Of a longer Kerberos key the session key is the first 16 octets, and Wireshark takes no more.
    print(','.join(s[k][:32].lower() for k in ('Session Id', 'Session Key', 'ServerOut Key', 'ServerIn Key')))
