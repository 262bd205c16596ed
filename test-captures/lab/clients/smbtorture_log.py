# Turns the calls smbtorture prints ([print], -d1) into the lines of a .expect file.
# SPDX-License-Identifier: GPL-2.0-or-later
# stdin: the log; stdout: one JSON object per BackuprKey call that was really sent.
#
# Samba prints what it marshalled or unmarshalled itself, so this is independent of any capture. The
# input is printed through a union that does not always show all octets; where octets are missing,
# data_in is null and data_in_starts holds the ones that were shown.
import json
import re
import struct
import sys
import uuid

STATUS = {                                  # names Samba prints -> what is on the wire
    'WERR_OK': 0,
    'WERR_INVALID_ACCESS': 12,
    'WERR_INVALID_DATA': 13,
    'WERR_INVALID_PARAMETER': 87,
}


def struct_lines(lines, start):
    """The lines of one printed structure: those indented deeper than its first line."""
    depth = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines):
        line = lines[end]
        if len(line) - len(line.lstrip()) <= depth:
            break
        end += 1
    return lines[start + 1:end]


def array(lines, name):
    """The octets of the array NAME, or None if it was not printed."""
    for n, line in enumerate(lines):
        found = re.match(r'\s*' + name + r': ARRAY\((\d+)\)', line)
        if found:
            octets = [int(m.group(1), 16) for m in
                      (re.match(r'\s*\[\d+\]\s*: 0x([0-9a-f]{2}) ', x) for x in
                       lines[n + 1:n + 1 + int(found.group(1))]) if m]
            if len(octets) == int(found.group(1)):
                return bytes(octets)
    return None


def number(lines, name):
    for line in lines:
        found = re.match(r'\s*' + name + r'\s*: 0x([0-9a-f]+)', line)
        if found:
            return int(found.group(1), 16)
    return None


def value(lines, name):
    """The last value printed under NAME: a pointer prints `*` first."""
    got = None
    for line in lines:
        found = re.match(r'\s*' + name + r'\s*: (\S+)$', line)
        if found and found.group(1) != '*':
            got = found.group(1)
    return got


def shown_input(lines):
    plain = array(lines, 'data_in')
    if plain is not None:
        return plain
    if any('struct bkrp_client_side_wrapped' in line for line in lines):
        guid = uuid.UUID(value(lines, 'guid')).bytes_le
        head = struct.pack('<LLL', number(lines, 'version'), number(lines, 'encrypted_secret_len'),
                           number(lines, 'access_check_len'))
        return head + guid + array(lines, 'encrypted_secret') + array(lines, 'access_check')
    return b''


def main():
    text = sys.stdin.read().split('\n')
    # Samba grumbles in between about its own union: not part of what is printed. A push error is no
    # grumble: that call was refused by Samba's own marshalling and never sent.
    lines = [line for line in text if line.startswith('ndr_push_bkrp_BackupKey: ndr_push_error')
             or not line.startswith(('ndr_pull_', 'ndr_push_', ' at librpc'))]
    pending = None
    calls = []

    def no_answer():
        if pending:
            calls.append({**pending, 'data_out': None, 'status': None, 'error': 'no response'})

    for n, line in enumerate(lines):
        if line.startswith('ndr_push_bkrp_BackupKey: ndr_push_error'):
            pending = None
        elif line.strip() == 'in: struct bkrp_BackupKey':
            no_answer()
            body = struct_lines(lines, n)
            shown = shown_input(body)
            length = number(body, 'data_in_len')
            pending = {
                'action': value(body, 'guidActionAgent'),
                'data_in': shown.hex() if len(shown) == length else None,
                'cb_data_in': length,
                'dw_param': number(body, 'param'),
            }
            if pending['data_in'] is None:
                pending['data_in_starts'] = shown.hex()
        elif line.strip() == 'out: struct bkrp_BackupKey' and pending:
            body = struct_lines(lines, n)
            out = array(body, 'data_out')
            pending['data_out'] = out.hex() if out is not None else None
            pending['status'] = STATUS[value(body, 'result')]
            calls.append(pending)
            pending = None
    no_answer()
    for call in calls:
        print(json.dumps(call))


main()
