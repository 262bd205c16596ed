# A standalone smbd, whose own wkssvc answers more than the domain controller's; and the front of the server that is not real.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# Both have the users root and bob of their own, are in no domain, and keep everything under $WORK.
member_conf() { # folder netbios-name
	local dir at=$WORK/$1
	for dir in private pid ncalrpc lock state cache log run; do
		mkdir -p "$at/$dir"
	done
	cat > "$at/smb.conf" <<-END
	[global]
	    server role = standalone
	    netbios name = $2
	    workgroup = LABGROUP
	    interfaces = lo eth0
	    bind interfaces only = yes
	    server min protocol = NT1
	    passdb backend = tdbsam
	    # a passdb account needs one of the machine's; bob borrows one that every Debian has
	    username map = $at/users.map
	    private dir = $at/private
	    lock directory = $at/lock
	    state directory = $at/state
	    cache directory = $at/cache
	    pid directory = $at/pid
	    ncalrpc dir = $at/ncalrpc
	    log file = $at/log/log.%m
	    logging = file
	    debug encryption = yes
	    load printers = no
	    printcap name = /dev/null
	    disable spoolss = yes
	    rpc start on demand helpers = ${3:-yes}
	END
	echo 'daemon = bob' > "$at/users.map"
}

member_up() { # namespace folder netbios-name helpers
	local at=$WORK/$2 n
	member_ready "$1" "$2" && return
	rm -rf "$at/ncalrpc" "$at/pid"
	member_conf "$2" "$3" "$4"
	printf '%s\n%s\n' "$STAND_ADMIN_PW" "$STAND_ADMIN_PW" | smbpasswd -c "$at/smb.conf" -s -a root > /dev/null
	printf '%s\n%s\n' "$STAND_BOB_PW" "$STAND_BOB_PW" | smbpasswd -c "$at/smb.conf" -s -a daemon > /dev/null
	# wkssvc tells more to administrators
	net -s "$at/smb.conf" groupmap list | grep -q S-1-5-32-544 ||
		net -s "$at/smb.conf" groupmap add sid=S-1-5-32-544 unixgroup=root type=builtin > /dev/null
	mkdir -p /run/samba
	# shellcheck disable=SC2016
	setsid ip netns exec "$1" sh -c 'mount --bind "$1/run" /run/samba && exec smbd -s "$1/smb.conf" -F --no-process-group' \
		sh "$at" > "$at/log/smbd.out" 2>&1 &
	for n in $(seq 30); do
		member_ready "$1" "$2" && { echo "$3 ready after $n tries"; return; }
		sleep 0.5
	done
	echo "$3 did not come up, see $at/log" >&2
	return 1
}

member_ready() { # namespace folder
	ip netns exec "$1" smbclient -s "$WORK/client.conf" "//127.0.0.1/IPC\$" -c exit -U "root%$STAND_ADMIN_PW" > /dev/null 2>&1
}

member_down() { # namespace: every process in it was started here
	if ip netns list | grep -q "^$1\b"; then
		ip netns pids "$1" | xargs -r kill 2> /dev/null || true
	fi
}

standalone_up() {
	member_up "$NS_STAND" stand STAND yes
	# No pipes of smbd's own: wkssvc is clients/wkst_server.py's.
	member_up "$NS_FAKE" fake FAKE no
}

standalone_down() {
	member_down "$NS_STAND"
	member_down "$NS_FAKE"
}

# The users' passwords as key files, right and wrong.
standalone_keys() {
	local host
	for host in STAND FAKE; do
		printf '%s\\root:%s\n%s\\bob:%s\n' "$host" "$1$STAND_ADMIN_PW" "$host" "$1$STAND_BOB_PW"
	done
}
