# Turns the calls Samba's programs print into the lines of a .expect file: any interface, here wkssvc and ClusAPI.
# SPDX-License-Identifier: GPL-2.0-or-later
# stdin: what smbtorture ([print], -d1) or rpcclient (-d10) wrote; stdout: one JSON object per call
"""What Samba prints is what it marshalled or unmarshalled itself, so the lines are independent of any capture.

A call is {"opnum", "method", "in", "out", "status"}: `method` as MS-WKST or MS-CMRP names it; `in` and `out` are the printed trees
with Samba's names, in the order of the stub: strings, numbers, null for NULL pointers, lists, arrays of octets in hex.
No `out` and a null `status`: no response came (a fault, or nothing).
"""
import datetime
import json
import re
import sys

from samba import werror
from samba.dcerpc import wkssvc

# MS-WKST 3.2.4, by opnum; the reserved ones have no other name there
METHODS = [
    'NetrWkstaGetInfo', 'NetrWkstaSetInfo', 'NetrWkstaUserEnum', 'Opnum3NotUsedOnWire', 'Opnum4NotUsedOnWire',
    'NetrWkstaTransportEnum', 'NetrWkstaTransportAdd', 'NetrWkstaTransportDel', 'NetrUseAdd', 'NetrUseGetInfo', 'NetrUseDel',
    'NetrUseEnum', 'Opnum12NotUsedOnWire', 'NetrWorkstationStatisticsGet', 'Opnum14NotUsedOnWire', 'Opnum15NotUsedOnWire',
    'Opnum16NotUsedOnWire', 'Opnum17NotUsedOnWire', 'Opnum18NotUsedOnWire', 'Opnum19NotUsedOnWire', 'NetrGetJoinInformation',
    'Opnum21NotUsedOnWire', 'NetrJoinDomain2', 'NetrUnjoinDomain2', 'NetrRenameMachineInDomain2', 'NetrValidateName2',
    'NetrGetJoinableOUs2', 'NetrAddAlternateComputerName', 'NetrRemoveAlternateComputerName', 'NetrSetPrimaryComputerName',
    'NetrEnumerateComputerNames', 'NetrJoinDomain3', 'NetrUnjoinDomain3', 'NetrRenameMachineInDomain3', 'NetrValidateName3',
    'NetrAddAlternateComputerName2', 'NetrRemoveAlternateComputerName2', 'NetrSetPrimaryComputerName2',
]


def depth(line):
    return len(line) - len(line.lstrip())


def indented(lines):
    """Long arrays of octets are dumped at the left margin: those lines under the one they belong to."""
    margin = 0
    for line in lines:
        octets = re.match(r'\[[0-9A-F]{4}\] ((?:[0-9A-F]{2} +){1,16})', line)
        if octets:
            line = ' ' * (margin + 4) + 'dump : ' + octets.group(1).replace(' ', '').lower()
        else:
            margin = depth(line)
        yield line


def below(lines, start):
    """The lines that belong to the one at `start`: those indented deeper."""
    end = start + 1
    while end < len(lines) and lines[end].strip() and depth(lines[end]) > depth(lines[start]):
        end += 1
    return lines[start + 1:end]


def scalar(text):
    if text == 'NULL':
        return None
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    number = re.search(r'\((-?\d+)\)$', text)
    if number:
        return int(number.group(1))
    try:
        return datetime.datetime.strptime(text, '%a %b %d %H:%M:%S %Y UTC').isoformat()
    except ValueError:
        return text


def value(text, inner):
    """`inner`: the lines under this one."""
    if text == '*':
        return next(iter(members(inner).values()), None)
    if text.startswith('struct '):
        return members(inner)
    if text.startswith('ARRAY('):
        return array(inner)
    return scalar(text)


def each(lines):
    n = 0
    while n < len(lines):
        inner = below(lines, n)
        found = re.match(r'\s*(\S+?)\s*: (.*)$', lines[n])
        if found:
            yield found.group(1), found.group(2), inner
        n += 1 + len(inner)


def members(lines):
    return {name: value(text, inner) for name, text, inner in each(lines) if not text.startswith('union ')}


def array(lines):
    items = list(each(lines))
    if items and all(name == 'dump' for name, _, _ in items):
        return ''.join(text for _, text, _ in items)
    if items and all(re.fullmatch(r'0x[0-9a-f]{2} \(\d+\)', text) for _, text, _ in items):
        return ''.join(text[2:4] for _, text, _ in items)
    return [value(text, inner) for _, text, inner in items]


def half(text):
    """What the Python bindings print of one direction of a call."""
    return members(below(list(indented(text.splitlines())), 1))


def call(interface, samba_name, into):
    if interface == 'clusapi':
        import clusapi                          # pylint: disable=import-outside-toplevel
        return {'opnum': clusapi.BY_NAME[samba_name].opnum, 'method': 'Api' + samba_name, 'in': into, 'out': None, 'status': None}
    opnum = getattr(wkssvc, samba_name).opnum()
    return {'opnum': opnum, 'method': METHODS[opnum], 'in': into, 'out': None, 'status': None}


def code(status):
    if isinstance(status, str) and status.startswith('WERR_'):  # the bindings have every name but this one
        return 0 if status == 'WERR_OK' else getattr(werror, status)
    return status


def answered(pending, out):
    """Methods of ClusAPI that open something return the handle, and have their status before it."""
    status = code(out.pop('result', out.get('Status', out.get('rpc_error'))))
    return {**pending, 'out': {name: code(one) for name, one in out.items()}, 'status': status}


def calls(lines):
    pending = None
    for n, line in enumerate(lines):
        if pending and 'ndr_push_error' in line:
            pending = None                      # refused by Samba's own marshalling, never sent
        found = re.fullmatch(r'\s*(in|out): struct (wkssvc|clusapi)_(\S+)', line)
        if not found:
            continue
        if found.group(1) == 'in':
            if pending:
                yield pending
            pending = call(found.group(2), found.group(3), members(below(lines, n)))
        elif pending:
            yield answered(pending, members(below(lines, n)))
            pending = None
    if pending:
        yield pending


if __name__ == '__main__':
    for one in calls(list(indented(sys.stdin.read().split('\n')))):
        print(json.dumps(one, ensure_ascii=False))
