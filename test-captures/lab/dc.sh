# The domain controller: provisioned once, started and stopped here.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

in_dc() { ip netns exec "$NS_DC" "$@"; }
in_client() { ip netns exec "$NS_CLIENT" "$@"; }
dc_conf() { printf '%s' "$WORK/etc/smb.conf"; }

# Our own file instead of provision's: that one inherits this machine's /etc/samba/smb.conf, and the
# directories named here keep everything out of /var and /run, where a real Samba would live.
dc_conf_write() {
	local dir
	for dir in pid ncalrpc lock state cache log run; do
		mkdir -p "$WORK/$dir"
	done
	cat > "$(dc_conf)" <<-END
	[global]
	    server role = active directory domain controller
	    netbios name = DC
	    realm = $REALM
	    workgroup = $DOMAIN
	    interfaces = lo eth0
	    bind interfaces only = yes
	    dns forwarder =
	    idmap_ldb:use rfc2307 = yes
	    # NT1 and NTLMv1 because captures of them are wanted; a client has to ask for them.
	    # \`dcerpc endpoint servers\` is left alone: setting it at all drops BackupKey.
	    server min protocol = NT1
	    ntlm auth = ntlmv1-permitted
	    private dir = $WORK/private
	    lock directory = $WORK/lock
	    state directory = $WORK/state
	    cache directory = $WORK/cache
	    pid directory = $WORK/pid
	    ncalrpc dir = $WORK/ncalrpc
	    binddns dir = $WORK/bind-dns
	    ntp signd socket directory = $WORK/ntp_signd
	    log file = $WORK/log/log.%m
	    logging = file
	    # SMB3 keys into the log: tshark 4.0 cannot get those of a Kerberos session from a keytab.
	    debug encryption = yes
	    load printers = no
	    printcap name = /dev/null
	    disable spoolss = yes
	    # No pipes of smbd's own: the scenarios with a missing pipe need ntsvcs to themselves.
	    rpc start on demand helpers = no
	[sysvol]
	    path = $WORK/state/sysvol
	    read only = no
	[netlogon]
	    path = $WORK/state/sysvol/corp.example/scripts
	    read only = no
	END
}

provision() {
	local dir
	mkdir -p "$WORK"
	in_dc samba-tool domain provision --realm="$REALM" --domain="$DOMAIN" --server-role=dc \
		--dns-backend=SAMBA_INTERNAL --host-name=dc --host-ip="$IP_DC" \
		--adminpass="$ADMIN_PW" --targetdir="$WORK" --use-rfc2307 \
		--option="interfaces=lo eth0" --option="bind interfaces only=yes" \
		> "$WORK/provision.log" 2>&1
	dc_conf_write
	samba-tool domain passwordsettings set -s "$(dc_conf)" --complexity=off --min-pwd-age=0 \
		--max-pwd-age=0 > /dev/null
	samba-tool user create alice "$ALICE_PW" -s "$(dc_conf)"
	samba-tool user create Jörg "$JOERG_PW" -s "$(dc_conf)"
}

dc_ready() {
	in_client smbclient -s "$WORK/client.conf" "//$DC/sysvol" -c ls -U "$DOMAIN\\Administrator%$ADMIN_PW" > /dev/null 2>&1 &&
		[ -S "$WORK/ncalrpc/np/protected_storage" ]
}

dc_start() {
	if dc_ready; then
		echo "DC ready already"
		return
	fi
	rm -rf "$WORK/ncalrpc" "$WORK/pid"      # sockets of the last run
	# The cluster has an endpoint mapper of its own there: an address left from the last run would become the DC's.
	ip -n "$NS_DC" address delete "$IP_CLUSTER/24" dev eth0 2> /dev/null || true
	dc_conf_write
	# libwbclient looks for winbind in /run/samba whatever smb.conf says, and without winbind every
	# session setup ends in NT_STATUS_INTERNAL_ERROR. `ip netns exec` gives the process its own mount
	# namespace, so a /run/samba of the lab's own can be put there without the machine seeing it.
	mkdir -p /run/samba
	# shellcheck disable=SC2016
	setsid ip netns exec "$NS_DC" sh -c 'mount --bind "$1/run" /run/samba &&
		exec samba -s "$1/etc/smb.conf" -F -M standard --no-process-group' sh "$WORK" \
		> "$WORK/log/samba.out" 2>&1 &
	local n
	for n in $(seq 60); do
		if dc_ready; then
			echo "DC ready after $n tries"
			return
		fi
		sleep 1
	done
	echo "the DC did not come up, see $WORK/log" >&2
	return 1
}

dc_stop() {
	# Every process in the DC's namespace was started above, and nothing else is in there.
	if ip netns list | grep -q "^$NS_DC\b"; then
		ip netns pids "$NS_DC" | xargs -r kill 2> /dev/null || true
		sleep 1
		ip netns pids "$NS_DC" | xargs -r kill -9 2> /dev/null || true
	fi
}

client_up() {
	# The client's own smb.conf: a workstation name that is not this machine's, and caches in $WORK.
	mkdir -p "$WORK/client"
	cat > "$WORK/client.conf" <<-END
	[global]
	    netbios name = CLIENT
	    workgroup = $DOMAIN
	    realm = $REALM
	    name resolve order = host
	    private dir = $WORK/client
	    lock directory = $WORK/client
	    state directory = $WORK/client
	    cache directory = $WORK/client
	    pid directory = $WORK/client
	    ncalrpc dir = $WORK/client/ncalrpc
	END
}

kerberos_up() { # everything Kerberos reads and writes is in $WORK
	mkdir -p "$WORK"
	cat > "$WORK/krb5.conf" <<-END
	[libdefaults]
	    default_realm = $REALM
	    dns_lookup_realm = false
	    dns_lookup_kdc = false
	    rdns = false
	    dns_canonicalize_hostname = false
	    udp_preference_limit = 1
	    forwardable = true
	    default_ccache_name = FILE:$WORK/ccache
	[realms]
	    $REALM = {
	        kdc = $DC
	    }
	[domain_realm]
	    .corp.example = $REALM
	    corp.example = $REALM
	END
}
