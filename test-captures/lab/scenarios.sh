# What is captured: one function per file, named like it.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

declare -A KEYS PREPARE TIDY MORE_TRAFFIC WATCH SMBD_LOG

scenario_names() { declare -F | sed -n 's/^declare -f scenario_\(\(bkrp\|wkst\|cmrp\)-.*\)/\1/p'; }

# Samba's client hands its TGT over to every server the KDC calls ok-as-delegate, and a DC is one: that is
# the delegate level, which BKRP-12 forbids. One scenario keeps it, the others switch it off.
DELEGATION='gensec_gssapi:delegation_by_kdc_policy=no'

# `print` with -d1 makes smbtorture write every call it makes: the .expect files come from there.
TORTURE_USER=Administrator TORTURE_PW=$ADMIN_PW
torture() { # ntlm|krb5 binding test options...
	local user=$DOMAIN\\$TORTURE_USER kerberos=disabled binding=$2 test=$3
	if [ "$1" = krb5 ]; then
		user=$TORTURE_USER@$REALM kerberos=required
	fi
	shift 3
	in_client smbtorture -s "$WORK/client.conf" -d1 "$binding" -U "$user%$TORTURE_PW" \
		"--use-kerberos=$kerberos" --option="$DELEGATION" "$test" "$@"
}

# The whole suite, the two main captures. -----------------------------------------------------------
scenario_bkrp-smbtorture-np-ntlm() {
	torture ntlm "ncacn_np:${DC}[seal,print]" rpc.backupkey
}
scenario_bkrp-smbtorture-tcp-krb5() {
	torture krb5 "ncacn_ip_tcp:${DC}[seal,krb5,print]" rpc.backupkey
}

# A small subset under every mechanism, transport and syntax smbtorture can do. ---------------------
# restore_guid: RETRIEVE and RESTORE; server_wrap_encrypt_decrypt: BACKUP, RESTORE and RESTORE_WIN2K.
# Over TCP the DC refuses the LSA call restore_guid needs in between, so plain RETRIEVE stands in.
T=rpc.backupkey.backupkey
NP_TESTS=("$T.restore_guid" "$T.server_wrap_encrypt_decrypt")
TCP_TESTS=("$T.retreive_backup_key_guid" "$T.server_wrap_encrypt_decrypt")

np() { # ntlm|krb5 binding-options options...
	local kind=$1 options=$2
	shift 2
	torture "$kind" "ncacn_np:${DC}[$options,print]" "${NP_TESTS[@]}" "$@"
}
tcp() {
	local kind=$1 options=$2
	shift 2
	torture "$kind" "ncacn_ip_tcp:${DC}[$options,print]" "${TCP_TESTS[@]}" "$@"
}

scenario_bkrp-np-spnego-krb5()  { np krb5 seal,spnego; }
scenario_bkrp-np-krb5()         { np krb5 seal,krb5; }
scenario_bkrp-np-ntlm-raw()     { np ntlm seal,ntlm; }
scenario_bkrp-np-bigendian()    { np ntlm seal,bigendian; }
scenario_bkrp-tcp-spnego-krb5() { tcp krb5 seal,spnego; }
scenario_bkrp-tcp-spnego-ntlm() { tcp ntlm seal,spnego; }
scenario_bkrp-tcp-ntlm-raw()    { tcp ntlm seal,ntlm; }
scenario_bkrp-tcp-bigendian-krb5() { tcp krb5 seal,krb5,bigendian; }

# NDR64: Samba's client offers it when asked and its servers refuse it, so a server of the lab's own stands
# on another port of the DC (clients/ndr64_gateway.py says how).
GATEWAY_PORT=49190
gateway_up() {
	HOST=$DC DOMAIN=$DOMAIN ADMIN_PW=$ADMIN_PW PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 \
		ip netns exec "$NS_DC" "$PYTHON" "$LAB/clients/ndr64_gateway.py" "$(dc_conf)" \
		"$CAPTURES/lab.keytab" "$GATEWAY_PORT" > "$WORK/gateway.log" 2>&1 &
	GATEWAY=$!
	local _
	for _ in $(seq 50); do
		grep -q listening "$WORK/gateway.log" && return
		sleep 0.1
	done
}
gateway_down() {
	kill "$GATEWAY" || cat "$WORK/gateway.log" >&2
	wait "$GATEWAY" || true
}
ndr64() { # ntlm|krb5 binding-options
	torture "$1" "ncacn_ip_tcp:${DC}[$GATEWAY_PORT,$2,ndr64,print]" "${TCP_TESTS[@]}"
}
PREPARE[bkrp-ndr64-ntlm]=gateway_up TIDY[bkrp-ndr64-ntlm]=gateway_down
scenario_bkrp-ndr64-ntlm()    { ndr64 ntlm seal,ntlm; }
PREPARE[bkrp-ndr64-krb5]=gateway_up TIDY[bkrp-ndr64-krb5]=gateway_down
scenario_bkrp-ndr64-krb5()    { ndr64 krb5 seal,krb5; }
scenario_bkrp-ndr64-refused() { np ntlm seal,ndr64; }

# SMB dialects and encryption. Without more, Samba's client and server agree on 3.1.1, signed.
np_dialect() { # lowest highest ntlm|krb5 binding-options options...
	local low=$1 high=$2
	shift 2
	np "$@" --option="client ipc min protocol=$low" --option="client ipc max protocol=$high"
}
scenario_bkrp-smb1()     { np_dialect NT1 NT1 ntlm seal; }
scenario_bkrp-smb202()   { np_dialect SMB2_02 SMB2_02 ntlm seal; }
ENCRYPT=(--client-protection=encrypt)
scenario_bkrp-smb3-encrypted-ntlm()   { np ntlm seal "${ENCRYPT[@]}"; }
scenario_bkrp-smb3-encrypted-krb5()   { np krb5 seal,spnego "${ENCRYPT[@]}"; }
scenario_bkrp-smb300-encrypted-ntlm() { np_dialect SMB3_00 SMB3_00 ntlm seal "${ENCRYPT[@]}"; }
scenario_bkrp-smb300-encrypted-krb5() { np_dialect SMB3_00 SMB3_00 krb5 seal,spnego "${ENCRYPT[@]}"; }

# Kerberos encryption types other than AES256: the client asks for one type only.
krb5_etype() { # etype scenario-command...
	sed "/\[libdefaults\]/a\\    default_etypes = $1\n    default_as_etypes = $1\n    default_tgs_etypes = $1\n    allow_weak_crypto = true" \
		"$WORK/krb5.conf" > "$WORK/krb5-$1.conf"
	shift
	KRB5_CONFIG=$WORK/krb5-$ETYPE.conf "$@"
}
scenario_bkrp-krb5-rc4()    { ETYPE=arcfour-hmac-md5; krb5_etype "$ETYPE" tcp krb5 seal,krb5; }
scenario_bkrp-krb5-aes128() { ETYPE=aes128-cts-hmac-sha1-96; krb5_etype "$ETYPE" tcp krb5 seal,krb5; }

scenario_bkrp-krb5-delegate() {
	local DELEGATION='gensec_gssapi:delegation_by_kdc_policy=yes'
	tcp krb5 seal,spnego
}

# NTLM in its older and weaker shapes.
scenario_bkrp-ntlm-v1-ess()  { tcp ntlm seal,ntlm --option='client ntlmv2 auth=no'; }
scenario_bkrp-ntlm-v1() {
	tcp ntlm seal,ntlm --option='client ntlmv2 auth=no' --option='ntlmssp_client:ntlm2=no'
}
scenario_bkrp-ntlm-56bit()   { tcp ntlm seal,ntlm --option='ntlmssp_client:128bit=no' --option='ntlmssp_client:56bit=yes'; }
scenario_bkrp-ntlm-40bit()   { tcp ntlm seal,ntlm --option='ntlmssp_client:128bit=no'; }
scenario_bkrp-ntlm-no-keyexch() { tcp ntlm seal,ntlm --option='ntlmssp_client:keyexchange=no'; }

# Below privacy: what the server does with it is part of what is shown.
scenario_bkrp-np-sign()    { np ntlm sign; }

# What only a script can play. ----------------------------------------------------------------------
python_client() { # scenario of clients/bkrp.py
	HOST=$DC DOMAIN=$DOMAIN REALM=$REALM ADMIN_PW=$ADMIN_PW ALICE_PW=$ALICE_PW JOERG_PW=$JOERG_PW \
		KRB5CCNAME=$WORK/ccache CLIENT_CONF=$WORK/client.conf PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 \
		in_client "$PYTHON" "$LAB/clients/bkrp.py" "$1"
}
tickets() { # user password service...
	local user=$1 password=$2
	shift 2
	printf '%s\n' "$password" | in_client kinit -c "${CCACHE:-$WORK/ccache}" "$user@$REALM" > /dev/null
	in_client kvno -q -c "${CCACHE:-$WORK/ccache}" "$@"
}
python_krb5() { # scenario
	tickets alice "$ALICE_PW" "cifs/$DC"
	python_client "$1"
}

scenario_bkrp-python-spnego-ntlm() { python_client python-spnego-ntlm; }
scenario_bkrp-python-spnego-krb5() { python_krb5 python-spnego-krb5; }
scenario_bkrp-python-krb5()        { python_krb5 python-krb5; }

# The client's credential cache as the only key, as MIT wrote it and as impacket converts it.
scenario_bkrp-krb5-ccache() {
	python_krb5 python-krb5
	cp "$WORK/ccache" "$CAPTURES/bkrp-krb5-ccache.ccache"
	"$PYTHON" "$LAB/clients/kirbi.py" "$WORK/ccache" "$CAPTURES/bkrp-krb5-ccache.kirbi"
}
KEYS[bkrp-krb5-ccache]='lab.keytab'

scenario_bkrp-dwparam()            { python_client dwparam; }
scenario_bkrp-level-none()         { python_client level-none; }
scenario_bkrp-level-connect()      { python_client level-connect; }
scenario_bkrp-level-integrity()    { python_client level-integrity; }

scenario_bkrp-fragments-ntlm()     { python_client fragments-ntlm; }
scenario_bkrp-fragments-krb5()     { python_krb5 fragments-krb5; }

scenario_bkrp-two-pipes()          { python_client two-pipes; }
scenario_bkrp-same-pipe-twice()    { python_client same-pipe-twice; }
scenario_bkrp-two-contexts()       { python_krb5 two-contexts; }

MORE_TRAFFIC[bkrp-locator]='udp port 53 or udp port 389'
scenario_bkrp-locator()            { python_client locator; }

scenario_bkrp-ntlm-identify()      { python_client ntlm-identify; }
scenario_bkrp-krb5-identify()      { python_krb5 krb5-identify; }
scenario_bkrp-krb5-no-mutual()     { python_krb5 krb5-no-mutual; }

# Jörg's NT hash is in the keytab too, but finding it takes folding case outside ASCII.
KEYS[bkrp-joerg]=lab.passwords.txt
scenario_bkrp-joerg()              { python_client joerg; }
scenario_bkrp-joerg-krb5() {
	local TORTURE_USER=Jörg TORTURE_PW=$JOERG_PW
	torture krb5 "ncacn_ip_tcp:${DC}[seal,krb5,print]" "$T.server_wrap_encrypt_decrypt"
}
KEYS[bkrp-joerg-smbtorture]=lab.passwords.txt
scenario_bkrp-joerg-smbtorture() {
	local TORTURE_USER=Jörg TORTURE_PW=$JOERG_PW
	torture ntlm "ncacn_np:${DC}[seal,print]" "$T.server_wrap_encrypt_decrypt"
}
KEYS[bkrp-wrong-password]=none
scenario_bkrp-wrong-password()     { python_client wrong-password; }

# The pipes. Samba's DC serves BackupKey on protected_storage only; on Windows ntsvcs leads to the same
# service. A pipe is a socket in this folder, which smbd looks up at every CREATE: so a name can be taken
# away, or be led to the same service, without touching Samba. (`rpc start on demand helpers = no` in
# dc.sh keeps smbd from putting a service of its own at ntsvcs meanwhile.)
NP=$WORK/ncalrpc/np
ntsvcs_as_on_windows() { ln -f "$NP/protected_storage" "$NP/ntsvcs"; }
ntsvcs_as_on_samba()   { rm "$NP/ntsvcs"; }
storage_gone()         { mv "$NP/protected_storage" "$NP/protected_storage.away"; }
storage_back()         { mv "$NP/protected_storage.away" "$NP/protected_storage"; }
storage_moved()        { ntsvcs_as_on_windows; storage_gone; }
storage_moved_back()   { storage_back; ntsvcs_as_on_samba; }

PREPARE[bkrp-ntsvcs-first]=ntsvcs_as_on_windows TIDY[bkrp-ntsvcs-first]=ntsvcs_as_on_samba
scenario_bkrp-ntsvcs-first()       { python_client ntsvcs-first; }
PREPARE[bkrp-fallback]=storage_moved TIDY[bkrp-fallback]=storage_moved_back
scenario_bkrp-fallback()           { python_client fallback; }
PREPARE[bkrp-fallback-fails]=storage_gone TIDY[bkrp-fallback-fails]=storage_back
scenario_bkrp-fallback-fails()   { python_client fallback; }
PREPARE[bkrp-no-fallback]=storage_gone TIDY[bkrp-no-fallback]=storage_back
scenario_bkrp-no-fallback()        { python_client no-fallback; }
