# What is captured of wkssvc: one function per file, named like it, as in scenarios.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2004,SC2154

# rpcclient prints what it marshals from -d10 on. --------------------------------------------------
WKST_COMMANDS='wkssvc_wkstagetinfo 100;wkssvc_wkstagetinfo 101;wkssvc_wkstagetinfo 102;wkssvc_wkstagetinfo 502'
WKST_COMMANDS="$WKST_COMMANDS;wkssvc_getjoininformation;wkssvc_messagebuffersend Hello;wkssvc_enumeratecomputernames"
WKST_COMMANDS="$WKST_COMMANDS;wkssvc_enumerateusers"
wkst_rpcclient() { # binding user%password options...
	local binding=$1 user=$2
	shift 2
	in_client rpcclient -s "$WORK/client.conf" -d10 -U "$user" --option="$DELEGATION" "$@" "$binding" -c "$WKST_COMMANDS"
}
WKST_ADMIN="$DOMAIN\\Administrator%$ADMIN_PW"
scenario_wkst-rpcclient()      { wkst_rpcclient "ncacn_np:$DC" "$WKST_ADMIN"; }
scenario_wkst-rpcclient-seal() { wkst_rpcclient "ncacn_np:${DC}[seal]" "$WKST_ADMIN"; }
scenario_wkst-rpcclient-sign() { wkst_rpcclient "ncacn_np:${DC}[sign]" "$WKST_ADMIN"; }
scenario_wkst-rpcclient-krb5() {
	wkst_rpcclient "ncacn_np:${DC}[seal,krb5]" "Administrator@$REALM%$ADMIN_PW" --use-kerberos=required
}

# smbtorture's suite, without its dangerous tests unless said: those join, unjoin and rename. -----------
wkst_torture() { # ntlm|krb5 options test-options...
	local kind=$1 options=$2
	shift 2
	torture "$kind" "ncacn_np:${DC}[${options:+$options,}print]" rpc.wkssvc "$@"
}
DANGEROUS='--option=torture:dangerous=yes'
scenario_wkst-smbtorture()           { wkst_torture ntlm '' "$DANGEROUS"; }
scenario_wkst-smbtorture-sign()      { wkst_torture ntlm sign; }
scenario_wkst-smbtorture-seal()      { wkst_torture ntlm seal "$DANGEROUS"; }
scenario_wkst-smbtorture-bigendian() { wkst_torture ntlm seal,bigendian; }
scenario_wkst-smbtorture-krb5()      { wkst_torture krb5 seal,spnego; }
scenario_wkst-smbtorture-connect()   { wkst_torture ntlm connect; }
scenario_wkst-smb1() { wkst_torture ntlm '' --option='client ipc min protocol=NT1' --option='client ipc max protocol=NT1'; }
scenario_wkst-smb3-encrypted() { wkst_torture ntlm seal "${ENCRYPT[@]}"; }
scenario_wkst-smb3-encrypted-plain() { wkst_torture ntlm '' "${ENCRYPT[@]}"; }

# The same against the standalone server. ------------------------------------------------------------
stand_torture() { # binding-options options...
	local options=$1
	shift
	in_client smbtorture -s "$WORK/client.conf" -d1 "ncacn_np:${STAND}[${options:+$options,}print]" \
		-U "STAND\\root%$STAND_ADMIN_PW" --use-kerberos=disabled rpc.wkssvc "$@"
}
standalone() { # scenario names, whose server is the standalone one
	local name
	for name; do
		KEYS[$name]=stand.passwords.txt SMBD_LOG[$name]=$WORK/stand/log
	done
}
standalone wkst-standalone wkst-standalone-sign wkst-standalone-seal wkst-standalone-smb1 wkst-standalone-smb3-encrypted \
	wkst-standalone-smb300-encrypted
scenario_wkst-standalone()      { stand_torture '' "$DANGEROUS"; }
scenario_wkst-standalone-sign() { stand_torture sign; }
scenario_wkst-standalone-seal() { stand_torture seal,spnego "$DANGEROUS"; }
scenario_wkst-standalone-smb1() {
	stand_torture seal --option='client ipc min protocol=NT1' --option='client ipc max protocol=NT1'
}
scenario_wkst-standalone-smb3-encrypted()   { stand_torture '' "${ENCRYPT[@]}"; }
scenario_wkst-standalone-smb300-encrypted() {
	stand_torture seal "${ENCRYPT[@]}" --option='client ipc max protocol=SMB3_00'
}

# What only a script can play. ------------------------------------------------------------------------
wkst_client() { # scenario host user password domain options...
	CLIENT_CONF=$WORK/client.conf PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 in_client "$PYTHON" "$LAB/clients/wkst.py" "$@"
}
wkst_stand() { # scenario options...
	local scenario=$1
	shift
	wkst_client "$scenario" "$STAND" root "$STAND_ADMIN_PW" STAND "$@"
}
ipc_dialect() { # of Samba's client, as wkst.py takes it
	printf 'client ipc min protocol=%s\nclient ipc max protocol=%s\n' "$1" "$1"
}
wkst_passwords() { # dialect scenario
	mapfile -t dialect < <(ipc_dialect "$1")
	wkst_stand "${2:-passwords}" "${dialect[@]}"
}
standalone wkst-join-smb1 wkst-join-smb202 wkst-join-smb21 wkst-join-smb300 wkst-join-smb311 wkst-join-smb311-encrypted \
	wkst-reserved wkst-impacket
scenario_wkst-join-smb1()   { wkst_passwords NT1; }
scenario_wkst-join-smb202() { wkst_passwords SMB2_02; }
scenario_wkst-join-smb21()  { wkst_passwords SMB2_10; }
scenario_wkst-join-smb300() { wkst_passwords SMB3_00; }
scenario_wkst-join-smb311() { wkst_passwords SMB3_11; }
scenario_wkst-join-smb311-encrypted() { wkst_stand passwords encrypt=yes; }
scenario_wkst-join-krb5()   { wkst_client passwords "$DC" Administrator "$ADMIN_PW" "$DOMAIN" kerberos="$REALM"; }
scenario_wkst-reserved()    { wkst_stand reserved; }
scenario_wkst-impacket()    { wkst_stand impacket; }
scenario_wkst-impacket-seal() { wkst_client impacket-seal "$DC" Administrator "$ADMIN_PW" "$DOMAIN"; }

# The standalone server is to join the domain: it opens an SMB session on the domain controller with the password of the
# request, and gives up (1003) as its configuration is no registry, before it changes anything. What it does there stands between
# request and response, so this is captured at the server.
standalone wkst-join-domain
WATCH[wkst-join-domain]=$NS_STAND
scenario_wkst-join-domain() {
	JOINER="$DOMAIN\\Administrator" JOINER_PASSWORD=$ADMIN_PW JOIN=$DOMAIN wkst_stand join
}

# How SMB sessions end, over each SMB: one by the book, the others leave something out. -----------------------
# wkst-smb-left-open-*: the capture ends before the client does.
left_open() { # dialect
	wkst_stand ending-open "dialect=$1" &
	sleep 1.5
}
left_open_ends() { wait; }
for dialect in 1 2 3 3-encrypted; do
	for how in closed no-tree-disconnect only-tcp; do
		eval "scenario_wkst-smb-$how-smb$dialect() { wkst_stand ending-$how dialect=$dialect; }"
		standalone "wkst-smb-$how-smb$dialect"
	done
	eval "scenario_wkst-smb-left-open-smb$dialect() { left_open $dialect; }"
	standalone "wkst-smb-left-open-smb$dialect"
	TIDY[wkst-smb-left-open-smb$dialect]=left_open_ends
done
KEYS[wkst-join-domain]=$'stand.passwords.txt\nlab.keytab'

# The server that is not real: clients/wkst_server.py, on a port of the domain controller, or as a pipe of the host FAKE. ----
FAKE_PORT=49191
FAKE_PIPE=$WORK/fake/ncalrpc/np/wkssvc
fake_server() { # namespace arguments...
	local ns=$1 n
	shift
	DC_LOGON="${DC_LOGON:-}" REFUSAL="${REFUSAL:-}" PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 \
		ip netns exec "$ns" "$PYTHON" "$LAB/clients/wkst_server.py" "$@" > "$WORK/wkst_server.log" 2>&1 &
	FAKE_SERVER=$!
	for n in $(seq 50); do
		grep -q listening "$WORK/wkst_server.log" && return
		sleep 0.1
	done
}
fake_port_up() { fake_server "$NS_DC" tcp "$FAKE_PORT" "$(dc_conf)" "$CAPTURES/lab.keytab"; }
fake_pipe_up() {
	mkdir -p "$(dirname "$FAKE_PIPE")"
	chmod 700 "$(dirname "$FAKE_PIPE")"
	rm -f "$FAKE_PIPE"
	fake_server "$NS_FAKE" pipe "$FAKE_PIPE"
}
fake_down() {
	kill "$FAKE_SERVER" || cat "$WORK/wkst_server.log" >&2
	wait "$FAKE_SERVER" || true
	rm -f "$FAKE_PIPE"
}
on_fake_pipe() { # scenario names
	local name
	for name; do
		KEYS[$name]=stand.passwords.txt SMBD_LOG[$name]=$WORK/fake/log PREPARE[$name]=fake_pipe_up TIDY[$name]=fake_down
	done
}
on_fake_port() {
	local name
	for name; do
		PREPARE[$name]=fake_port_up TIDY[$name]=fake_down
	done
}
on_fake_port wkst-fake-seal wkst-fake-krb5 wkst-fake-ndr64-seal wkst-fake-ndr64-krb5
on_fake_pipe wkst-fake-pipe
fake_torture() { # ntlm|krb5 options
	torture "$1" "ncacn_ip_tcp:${DC}[$FAKE_PORT,$2,print]" rpc.wkssvc "$DANGEROUS"
}
scenario_wkst-fake-seal()       { fake_torture ntlm seal,ntlm; }
scenario_wkst-fake-krb5()       { fake_torture krb5 seal,krb5; }
scenario_wkst-fake-ndr64-seal() { fake_torture ntlm seal,ntlm,ndr64; }
scenario_wkst-fake-ndr64-krb5() { fake_torture krb5 seal,krb5,ndr64; }
scenario_wkst-fake-pipe() {
	in_client smbtorture -s "$WORK/client.conf" -d1 "ncacn_np:${FAKE}[print]" -U "FAKE\\root%$STAND_ADMIN_PW" \
		--use-kerberos=disabled rpc.wkssvc "$DANGEROUS"
}
on_fake_port wkst-fake-levels wkst-fake-levels-seal wkst-fake-levels-ndr64 wkst-fake-levels-ndr64-seal wkst-fake-newer-seal \
	wkst-fake-newer-ndr64-seal
fake_client() { # scenario options...
	local scenario=$1
	shift
	wkst_client "$scenario" "$DC" alice "$ALICE_PW" "$DOMAIN" "port=$FAKE_PORT" "$@"
}
scenario_wkst-fake-levels()            { fake_client every-level; }
scenario_wkst-fake-levels-seal()       { fake_client every-level security=ntlm; }
scenario_wkst-fake-levels-ndr64()      { fake_client every-level syntax=ndr64; }
scenario_wkst-fake-levels-ndr64-seal() { fake_client every-level security=ntlm syntax=ndr64; }
scenario_wkst-fake-newer-seal()        { fake_client newer-over-port security=ntlm; }
scenario_wkst-fake-newer-ndr64-seal()  { fake_client newer-over-port security=ntlm syntax=ndr64; }

# The newer passwords: their key is the SMB session's, so they go to the pipe.
on_fake_pipe wkst-fake-newer-smb1 wkst-fake-newer-smb21 wkst-fake-newer-smb311 wkst-fake-newer-smb311-encrypted
fake_newer() { # options...
	wkst_client newer-passwords "$FAKE" root "$STAND_ADMIN_PW" FAKE "$@"
}
fake_newer_dialect() {
	mapfile -t dialect < <(ipc_dialect "$1")
	fake_newer "${dialect[@]}"
}
scenario_wkst-fake-newer-smb1()             { fake_newer_dialect NT1; }
scenario_wkst-fake-newer-smb21()            { fake_newer_dialect SMB2_10; }
scenario_wkst-fake-newer-smb311()           { fake_newer_dialect SMB3_11; }
scenario_wkst-fake-newer-smb311-encrypted() { fake_newer encrypt=yes; }

# Passwords of a Length that cannot be (W-16), which this server does not mind, and which it refuses with ERROR_INVALID_PASSWORD.
on_fake_pipe wkst-fake-join-bad-length wkst-fake-join-bad-length-refused
fake_pipe_up_refusing() { REFUSAL=86 fake_pipe_up; }
PREPARE[wkst-fake-join-bad-length-refused]=fake_pipe_up_refusing
scenario_wkst-fake-join-bad-length()         { wkst_client bad-length "$FAKE" root "$STAND_ADMIN_PW" FAKE; }
scenario_wkst-fake-join-bad-length-refused() { wkst_client bad-length "$FAKE" root "$STAND_ADMIN_PW" FAKE; }

# A server that opens an SMB session on the domain controller to do a join, and how it leaves it (WKST-5, WKST-6); captured there.
fake_join_up() { DC_LOGON="$DC alice $ALICE_PW $DOMAIN $FAKE_JOIN" fake_pipe_up; }
for how in closes leaves-open leaves-tree leaves-session closes-late; do
	for dialect in 1 2 3; do
		case $how$dialect in leaves-tree3 | leaves-session3 | closes-late3) continue ;; esac     # as over SMB 2
		name=wkst-fake-join-$how-smb$dialect
		eval "fake_join_$how-smb$dialect() { FAKE_JOIN='$dialect $how' fake_join_up; }"
		eval "scenario_$name() { wkst_client join-and-wait '$FAKE' root '$STAND_ADMIN_PW' FAKE; }"
		on_fake_pipe "$name"
		PREPARE[$name]=fake_join_$how-smb$dialect
		WATCH[$name]=$NS_FAKE KEYS[$name]=$'stand.passwords.txt\nlab.keytab'
	done
done
