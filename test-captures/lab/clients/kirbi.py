"""A ticket of a credential cache as a kirbi file, by impacket: kirbi.py CCACHE KIRBI

SPDX-License-Identifier: GPL-2.0-or-later
"""
import sys

from impacket.krb5.ccache import CCache

cache = CCache.loadFile(sys.argv[1])
# impacket writes the first credential only; a service ticket is what opens calls.
cache.credentials = [c for c in cache.credentials if c["server"].prettyPrint().startswith(b"cifs/")]
cache.saveKirbiFile(sys.argv[2])
