# The lab's names, addresses and passwords, read by the other scripts.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

# Everything here is made up for the tests: CORP.EXAMPLE does not exist, 192.0.2.0/24 is the
# documentation network, and the passwords open nothing but the captures beside this folder.

WORK=${RPCLENS_LAB:-/tmp/rpclens-lab}       # the domain lives here between `up` and `down`
export KRB5_CONFIG=$WORK/krb5.conf
CAPTURES=$(cd "$LAB/.." && pwd)             # where captures and keys go
PYTHON=/usr/bin/python3                     # Debian's own: it has samba and impacket

REALM=CORP.EXAMPLE
DOMAIN=CORP
DC=dc.corp.example

NS_LAN=rpclens-lan                          # holds the bridge only
NS_DC=rpclens-dc
NS_CLIENT=rpclens-client
IP_DC=192.0.2.10
IP_CLIENT=192.0.2.100
MAC_DC=02:00:00:00:00:10
MAC_CLIENT=02:00:00:00:01:00
# The hosts of the wkssvc captures: a client of their own, a standalone server, and a server that is not real (wkst.sh).
NS_WKST=rpclens-wkst   IP_WKST=192.0.2.101  MAC_WKST=02:00:00:00:01:01
NS_STAND=rpclens-stand IP_STAND=192.0.2.20  MAC_STAND=02:00:00:00:00:20  STAND=stand.example
NS_FAKE=rpclens-fake   IP_FAKE=192.0.2.30   MAC_FAKE=02:00:00:00:00:30   FAKE=fake.example
# The cluster, on an address of its own beside the DC (cluster.sh).
CLUSTER=cluster.corp.example CLUSTER_NODE=node1.corp.example IP_CLUSTER=192.0.2.40 CLUSTER_PORT=49191

ADMIN_PW='Lab-Admin-2026!'
ALICE_PW='Lab-Alice-2026!'
JOERG_PW='Lab-Jörg-2026!'                   # user and password outside ASCII, on purpose
STAND_ADMIN_PW='Lab-Stand-2026!'            # the standalone server's and the fake one's own users: root and bob
STAND_BOB_PW='Lab-Bob-2026!'
