# The cluster: a server of the lab's own (clients/cluster_server.py), on an address of its own beside the DC.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# The DC's account has the service's name too ([MS-CMRP] 2.1: MSServerClusterMgmtAPI and the server's name), so that its keys open the
# tickets: nothing of the domain's keys changes.
cluster_address() {
	local ns service="MSServerClusterMgmtAPI/$CLUSTER"
	ip -n "$NS_DC" address replace "$IP_CLUSTER/24" dev eth0
	for ns in "$NS_DC" "$NS_CLIENT"; do
		grep -q "$CLUSTER" "/etc/netns/$ns/hosts" || echo "$IP_CLUSTER $CLUSTER cluster" >> "/etc/netns/$ns/hosts"
	done
	samba-tool spn list 'DC$' -s "$(dc_conf)" | grep -q "$service" || samba-tool spn add "$service" 'DC$' -s "$(dc_conf)"
}

cluster_up() { # lowest level it serves, auth_type it does not know, how often it fails first
	cluster_address
	rm -f "$WORK/cluster.log"
	PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 ip netns exec "$NS_DC" "$PYTHON" "$LAB/clients/cluster_server.py" "$(dc_conf)" \
		"$IP_CLUSTER" "$CLUSTER_PORT" "$@" > "$WORK/cluster.log" 2>&1 &
	CLUSTER_SERVER=$!
	local _
	for _ in $(seq 100); do
		grep -qs listening "$WORK/cluster.log" && return
		sleep 0.1
	done
	cat "$WORK/cluster.log" >&2
	return 1
}
cluster_up_weak() { cluster_up 1; }
# Under a name that only the DC's DNS has.
cluster_up_in_dns() {
	local zone=${CLUSTER_NODE#*.} user="Administrator%$ADMIN_PW"
	in_dc samba-tool dns query "$DC" "$zone" "$CLUSTER_NODE" A -U "$user" -s "$(dc_conf)" 2> /dev/null | grep -q "A: $IP_CLUSTER" ||
		in_dc samba-tool dns add "$DC" "$zone" "$CLUSTER_NODE" A "$IP_CLUSTER" -U "$user" -s "$(dc_conf)"
	cluster_up
}
cluster_up_without_spnego() { cluster_up 6 9; }
cluster_up_slowly() { cluster_up 6 0 3; }
cluster_up_too_slowly() { cluster_up 6 0 5; }
cluster_down() {
	kill "$CLUSTER_SERVER" || cat "$WORK/cluster.log" >&2
	wait "$CLUSTER_SERVER" || true
}
