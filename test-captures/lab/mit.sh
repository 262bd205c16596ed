#!/bin/bash
# A realm of MIT krb5's own, with the etypes of RFC 8009 and RC4-HMAC, and the captures made in it: ../bkrp-mit-*.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: mit.sh install    Debian 12 packages
#        mit.sh capture    all captures and mit.keytab anew, under new keys; as root, for tcpdump and a network namespace
#
# clients/mit.py says what is real in them. Nothing is left running and nothing is left over.
set -eu
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CAPTURES=$(cd "$LAB/.." && pwd)
REALM=MIT.EXAMPLE HOST=server.mit.example PORT=49180

realm() { # etype: writes configuration and database to $WORK, and the service's key to mit.keytab
	cat > "$WORK/krb5.conf" <<-END
	[libdefaults]
	    default_realm = $REALM
	    dns_lookup_kdc = false
	    dns_canonicalize_hostname = false
	    rdns = false
	    allow_rc4 = true
	    allow_weak_crypto = true
	    permitted_enctypes = $1
	    default_tkt_enctypes = $1
	    default_tgs_enctypes = $1
	[realms]
	    $REALM = {
	        kdc = 127.0.0.1:88
	    }
	[domain_realm]
	    .mit.example = $REALM
	END
	cat > "$WORK/kdc.conf" <<-END
	[kdcdefaults]
	    kdc_listen = 127.0.0.1:88
	    kdc_tcp_listen = ""
	[realms]
	    $REALM = {
	        database_name = $WORK/principal
	        key_stash_file = $WORK/stash
	        acl_file = $WORK/acl
	        master_key_type = $1
	        supported_enctypes = $1:normal
	    }
	END
	export KRB5_CONFIG=$WORK/krb5.conf KRB5_KDC_PROFILE=$WORK/kdc.conf
	kdb5_util create -s -r "$REALM" -P "$(head -c 24 /dev/urandom | base64)" > /dev/null
	kadmin.local -q "addprinc -randkey alice" > /dev/null 2>&1
	kadmin.local -q "addprinc -randkey cifs/$HOST" > /dev/null 2>&1
	kadmin.local -q "ktadd -norandkey -k $WORK/client.keytab alice" > /dev/null
	kadmin.local -q "ktadd -norandkey -k $WORK/server.keytab cifs/$HOST" > /dev/null
	krb5kdc -n -P "$WORK/kdc.pid" > "$WORK/kdc.log" 2>&1 &
	KDC=$!
	sleep 1
}

one() { # name level
	local name=$1 server dumper
	export EXPECT=$CAPTURES/$name.expect
	rm -f "$EXPECT"
	KRB5_KTNAME=$WORK/server.keytab /usr/bin/python3 "$LAB/clients/mit.py" server "$PORT" > "$WORK/server.log" 2>&1 &
	server=$!
	tcpdump -i lo -s 0 -U -w "$CAPTURES/$name.pcap" -Z root "tcp port $PORT or port 88" 2> "$WORK/tcpdump.log" &
	dumper=$!
	for _ in $(seq 50); do
		grep -q 'listening on' "$WORK/tcpdump.log" && grep -q ready "$WORK/server.log" && break
		sleep 0.1
	done
	/usr/bin/python3 "$LAB/clients/mit.py" client 127.0.0.1 "$PORT" "$2" || cat "$WORK/server.log" >&2
	sleep 1
	kill -INT "$dumper"
	kill "$server"
	wait "$server" "$dumper" || true
	echo mit.keytab > "$CAPTURES/$name.keys"
}

declare -A SUFFIX=([privacy]='' [integrity]=-sign [fragments]=-fragments)

each() { # name, number and name of the etype, what to talk about, levels...
	local level
	WORK=$(mktemp -d)
	realm "$3"
	export TALK=$CAPTURES/$4.expect SERVICE=cifs@$HOST ETYPE=$2 KRB5CCNAME=$WORK/ccache
	kinit -k -t "$WORK/client.keytab" alice
	for level in "${@:5}"; do
		one "$1${SUFFIX[$level]}" "$level"
	done
	kill "$KDC"
	wait "$KDC" || true
	cp "$WORK/server.keytab" "$CAPTURES/$1.part"
	rm -rf "$WORK"
}

inside() {
	ip link set lo up
	each bkrp-mit-aes128-sha2 19 aes128-cts-hmac-sha256-128 bkrp-python-krb5 privacy integrity
	each bkrp-mit-aes256-sha2 20 aes256-cts-hmac-sha384-192 bkrp-python-krb5 privacy integrity
	each bkrp-mit-rc4 23 arcfour-hmac bkrp-fragments-krb5 fragments
	# one keytab: the format version, then the entries of all
	{ printf '\5\2'; for part in "$CAPTURES"/bkrp-mit-*.part; do tail -c +3 "$part"; done; } > "$CAPTURES/mit.keytab"
	rm "$CAPTURES"/bkrp-mit-*.part
	/usr/bin/python3 "$LAB/clients/wrong_keytab.py" "$CAPTURES/mit.keytab" "$CAPTURES/wrong-mit.keytab"
	chmod 644 "$CAPTURES"/mit.keytab "$CAPTURES"/wrong-mit.keytab "$CAPTURES"/bkrp-mit-*
}

case ${1:-} in
install)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends krb5-kdc krb5-admin-server krb5-user \
		python3-gssapi python3-impacket tcpdump iproute2
	;;
capture)
	exec unshare --net "$0" inside
	;;
inside)
	inside
	;;
*)
	sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
