# Runs one scenario's client in its namespace while tcpdump listens there.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# SMB, the endpoint mapper, Kerberos and the RPC ports; no DNS, LDAP or NetBIOS, which the clients
# here use only in passing. One interface: "any" would hold every packet twice.
FILTER='tcp port 445 or tcp port 135 or tcp port 88 or tcp portrange 49152-49200'

capture() { # name
	local name=$1 dumper rc=0
	local pcap=$CAPTURES/$name.pcap log=$WORK/$name.log expect=$CAPTURES/$name.expect
	declare -F "scenario_$name" > /dev/null || { echo "no scenario $name" >&2; return 2; }
	local NS_CLIENT=$NS_CLIENT IP_CLIENT=$IP_CLIENT printed=smbtorture_log.py
	case $name in wkst-*)               # a client of its own: both may be at work at once
		NS_CLIENT=$NS_WKST IP_CLIENT=$IP_WKST printed=ndr_print.py
		;;
	cmrp-*)
		printed=ndr_print.py
	esac
	local watch=${WATCH[$name]:-$NS_CLIENT} smbd_log=${SMBD_LOG[$name]:-$WORK/log}/log.$IP_CLIENT listening=$WORK/$NS_CLIENT.tcpdump
	rm -f "$WORK/ccache" "$pcap" "$expect" "$CAPTURES/$name.smb3keys"
	: > "$smbd_log"
	[ -z "${PREPARE[$name]:-}" ] || "${PREPARE[$name]}"

	ip netns exec "$watch" tcpdump -i eth0 -s 0 -U -w "$pcap" -Z root \
		"$FILTER ${MORE_TRAFFIC[$name]:+or ${MORE_TRAFFIC[$name]}}" \
		2> "$listening" &
	dumper=$!
	for _ in $(seq 50); do
		grep -q 'listening on' "$listening" && break
		sleep 0.1
	done
	EXPECT=$expect "scenario_$name" > "$log" 2>&1 || rc=$?
	sleep 1                             # the last acknowledgements
	kill -INT "$dumper"
	wait "$dumper" || true

	[ -z "${TIDY[$name]:-}" ] || "${TIDY[$name]}"
	case $name in *encrypted*)
		"$PYTHON" "$LAB/clients/smb3_keys.py" < "$smbd_log" > "$CAPTURES/$name.smb3keys"
	esac
	if [ ! -s "$expect" ]; then
		"$PYTHON" "$LAB/clients/$printed" < "$log" > "$expect"
	fi
	[ -s "$expect" ] || rm -f "$expect"
	printf '%s\n' "${KEYS[$name]:-lab.keytab}" > "$CAPTURES/$name.keys"
	[ "${KEYS[$name]:-}" != none ] || rm -f "$CAPTURES/$name.keys"
	printf '%-36s client rc %d, %d octets, %s calls\n' "$name" "$rc" "$(stat -c %s "$pcap")" \
		"$(if [ -e "$expect" ]; then grep -c . "$expect"; else echo no; fi)"
}
