# Two hosts on one switch, as network namespaces: nothing leaves the machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# Real Ethernet frames between two addresses are wanted, not loopback: a capture on lo shows
# addresses and frame sizes no reader would meet in the field.
host_up() { # namespace address mac
	local ns=$1 ip=$2 mac=$3 port=p-${1#rpclens-}
	ip netns add "$ns"
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
	printf '127.0.0.1 localhost\n%s %s dc\n%s client.corp.example client\n' \
		"$IP_DC" "$DC" "$IP_CLIENT" > "/etc/netns/$ns/hosts"
	printf 'search corp.example\nnameserver %s\n' "$IP_DC" > "/etc/netns/$ns/resolv.conf"
}

network_up() {
	ip netns add "$NS_LAN"
	ip netns exec "$NS_LAN" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$NS_LAN" link add lan type bridge
	ip -n "$NS_LAN" link set lan up
	host_up "$NS_DC" "$IP_DC" "$MAC_DC"
	host_up "$NS_CLIENT" "$IP_CLIENT" "$MAC_CLIENT"
}

network_down() {
	local ns
	for ns in "$NS_CLIENT" "$NS_DC" "$NS_LAN"; do
		if ip netns list | grep -q "^$ns\b"; then
			ip netns delete "$ns"
		fi
		rm -rf "/etc/netns/$ns"
	done
}
