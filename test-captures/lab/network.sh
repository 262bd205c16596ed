# Two hosts on one switch, as network namespaces: nothing leaves the machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

namespace_new() { # fails if it is there already
	! ip netns list | grep -q "^$1\b" && ip netns add "$1"
}

# Real Ethernet frames between two addresses are wanted, not loopback: a capture on lo shows
# addresses and frame sizes no reader would meet in the field.
host_up() { # namespace address mac
	local ns=$1 ip=$2 mac=$3 port=p-${1#rpclens-}
	namespace_new "$ns" || return 0
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$ns" link set lo up
	ip -n "$NS_LAN" link add "$port" type veth peer name eth0 netns "$ns"
	ip -n "$NS_LAN" link set "$port" master lan up
	ip -n "$ns" link set eth0 address "$mac"
	ip -n "$ns" address add "$ip/24" dev eth0
	# No offloading: frames of at most 1514 octets with right checksums, as a switch would carry.
	ip netns exec "$ns" "$PYTHON" "$LAB/clients/offload_off.py" eth0
	ip -n "$ns" link set eth0 up

	mkdir -p "/etc/netns/$ns"
	printf '%s\n' '127.0.0.1 localhost' "$IP_DC $DC dc" "$IP_CLIENT client.corp.example client" \
		"$IP_STAND $STAND stand" "$IP_FAKE $FAKE fake" > "/etc/netns/$ns/hosts"
	printf 'search corp.example\nnameserver %s\n' "$IP_DC" > "/etc/netns/$ns/resolv.conf"
}

network_up() {
	if namespace_new "$NS_LAN"; then
		ip netns exec "$NS_LAN" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		ip -n "$NS_LAN" link add lan type bridge
		ip -n "$NS_LAN" link set lan up
	fi
	host_up "$NS_DC" "$IP_DC" "$MAC_DC"
	host_up "$NS_CLIENT" "$IP_CLIENT" "$MAC_CLIENT"
	host_up "$NS_WKST" "$IP_WKST" "$MAC_WKST"
	host_up "$NS_STAND" "$IP_STAND" "$MAC_STAND"
	host_up "$NS_FAKE" "$IP_FAKE" "$MAC_FAKE"
}

network_down() {
	local ns
	for ns in "$NS_WKST" "$NS_STAND" "$NS_FAKE" "$NS_CLIENT" "$NS_DC" "$NS_LAN"; do
		if ip netns list | grep -q "^$ns\b"; then
			ip netns delete "$ns"
		fi
		rm -rf "/etc/netns/$ns"
	done
}
