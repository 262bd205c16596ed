# What is captured of ClusAPI: one function per file, named like it, as in scenarios.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

cluster_of() { # how it comes up, and scenario names, whose server is the cluster's
	local up=$1 name
	shift
	for name; do
		PREPARE[$name]=$up TIDY[$name]=cluster_down
	done
}

cmrp_torture() { # ntlm|krb5 host options tests...
	local kind=$1 host=$2 options=$3
	shift 3
	torture "$kind" "ncacn_ip_tcp:$host[$options,print]" "$@"
}
# The whole suite. -----------------------------------------------------------------------------------
cluster_of cluster_up cmrp-smbtorture-spnego-krb5
scenario_cmrp-smbtorture-spnego-krb5() { cmrp_torture krb5 "$CLUSTER" seal,spnego rpc.clusapi; }

# Mechanisms, levels and syntaxes, each with a part of the suite. ----------------------------------------
C=rpc.clusapi
CMRP_TESTS=("$C.cluster.GetClusterVersion2" "$C.node.OpenNode" "$C.group.GroupControl" "$C.registry.QueryValue" "$C.resource.OpenResource")
cmrp_part() { # ntlm|krb5 host options more...
	local kind=$1 host=$2 options=$3
	shift 3
	cmrp_torture "$kind" "$host" "$options" "${CMRP_TESTS[@]}" "$@"
}
cluster_of cluster_up cmrp-tcp-ntlm-sealed cmrp-tcp-krb5-sealed cmrp-tcp-spnego-ntlm cmrp-tcp-spnego-krb5 cmrp-tcp-bigendian \
	cmrp-ndr64-ntlm cmrp-ndr64-krb5 cmrp-by-address cmrp-refused-sign cmrp-refused-none
scenario_cmrp-tcp-ntlm-sealed() { cmrp_part ntlm "$CLUSTER" seal,ntlm; }
scenario_cmrp-tcp-krb5-sealed() { cmrp_part krb5 "$CLUSTER" seal,krb5; }
scenario_cmrp-tcp-spnego-ntlm() { cmrp_part ntlm "$CLUSTER" seal,spnego; }
scenario_cmrp-tcp-spnego-krb5() { cmrp_part krb5 "$CLUSTER" seal,spnego; }
scenario_cmrp-tcp-bigendian()   { cmrp_part krb5 "$CLUSTER" seal,spnego,bigendian; }
scenario_cmrp-ndr64-ntlm()      { cmrp_part ntlm "$CLUSTER" seal,spnego,ndr64; }
scenario_cmrp-ndr64-krb5()      { cmrp_part krb5 "$CLUSTER" seal,spnego,ndr64; }
scenario_cmrp-by-address()      { cmrp_part ntlm "$IP_CLUSTER" seal,spnego; }
scenario_cmrp-refused-sign()    { cmrp_part ntlm "$CLUSTER" sign,spnego; }
scenario_cmrp-refused-none()    { anonymous; }

# A server that minds no level, as none should.
cluster_of cluster_up_weak cmrp-level-sign cmrp-level-sign-krb5 cmrp-level-connect cmrp-level-none
scenario_cmrp-level-sign()      { cmrp_part ntlm "$CLUSTER" sign,spnego; }
scenario_cmrp-level-sign-krb5() { cmrp_part krb5 "$CLUSTER" sign,spnego; }
scenario_cmrp-level-connect()   { cmrp_part ntlm "$CLUSTER" connect,spnego; }
scenario_cmrp-level-none()      { anonymous; }
anonymous() {
	in_client smbtorture -s "$WORK/client.conf" -d1 "ncacn_ip_tcp:${CLUSTER}[print]" -U% "${CMRP_TESTS[@]}"
}

# rpcclient; it prints what it marshals from -d10 on. ----------------------------------------------------
CMRP_COMMANDS='clusapi_open_cluster;clusapi_get_cluster_name;clusapi_get_cluster_version;clusapi_get_cluster_version2'
CMRP_COMMANDS="$CMRP_COMMANDS;clusapi_get_quorum_resource;clusapi_create_enum;clusapi_create_enumex;clusapi_open_resource"
CMRP_COMMANDS="$CMRP_COMMANDS;clusapi_offline_resource;clusapi_get_resource_state;clusapi_online_resource;clusapi_pause_node;clusapi_resume_node"
cmrp_rpcclient() { # binding-options user%password options...
	local options=$1 user=$2
	shift 2
	in_client rpcclient -s "$WORK/client.conf" -d10 -U "$user" --option="$DELEGATION" "$@" "ncacn_ip_tcp:${CLUSTER}[$options]" -c "$CMRP_COMMANDS"
}
cluster_of cluster_up cmrp-rpcclient-ntlm cmrp-rpcclient-krb5
scenario_cmrp-rpcclient-ntlm() { cmrp_rpcclient seal,ntlm "$DOMAIN\\Administrator%$ADMIN_PW"; }
scenario_cmrp-rpcclient-krb5() {
	local CCACHE=$WORK/cmrp.ccache
	rm -f "$CCACHE"
	tickets Administrator "$ADMIN_PW" "MSServerClusterMgmtAPI/$CLUSTER"
	KRB5CCNAME=$CCACHE cmrp_rpcclient seal,spnego "Administrator@$REALM" --use-krb5-ccache="$CCACHE"
}

# What only a script can play. ---------------------------------------------------------------------------
cmrp_python() { # scenario of clients/cmrp.py, and its parameters
	local CCACHE=$WORK/cmrp.ccache              # another scenario may be at work at once
	rm -f "$CCACHE"
	[ "$2" = ntlm ] || tickets Administrator "$ADMIN_PW" "MSServerClusterMgmtAPI/$CLUSTER"
	HOST=${CMRP_HOST:-$CLUSTER} DOMAIN=$DOMAIN REALM=$REALM ADMIN_PW=$ADMIN_PW ALICE_PW=$ALICE_PW KRB5CCNAME=$CCACHE \
		PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 in_client "$PYTHON" "$LAB/clients/cmrp.py" "$@"
}
cluster_of cluster_up cmrp-lifecycle cmrp-lifecycle-ndr64 cmrp-all-methods cmrp-notify cmrp-registry cmrp-controls cmrp-fragments-ntlm \
	cmrp-fragments-krb5 cmrp-access-denied cmrp-bind-rejected cmrp-wrong-password
scenario_cmrp-lifecycle()       { cmrp_python lifecycle ntlm; }
scenario_cmrp-lifecycle-ndr64() { cmrp_python lifecycle ntlm ndr64; }
scenario_cmrp-all-methods()     { cmrp_python all krb5; }
scenario_cmrp-notify()          { cmrp_python notify ntlm ndr64; }
scenario_cmrp-registry()        { cmrp_python registry ntlm ndr64; }
scenario_cmrp-controls()        { cmrp_python controls ntlm ndr64; }
scenario_cmrp-fragments-ntlm()  { cmrp_python fragments ntlm; }
scenario_cmrp-fragments-krb5()  { cmrp_python fragments krb5; }
scenario_cmrp-access-denied()   { cmrp_python access-denied ntlm; }
scenario_cmrp-bind-rejected()   { cmrp_python bind-rejected ntlm; }
# The server by its address, and no service principal for it; by its name, with and without one; and a server that does not know
# SPNEGO.
cluster_of cluster_up cmrp-no-spn cmrp-no-spn-identify
scenario_cmrp-no-spn()          { CMRP_HOST=$IP_CLUSTER cmrp_python no-spn ntlm; }
scenario_cmrp-no-spn-identify() { CMRP_HOST=$IP_CLUSTER cmrp_python no-spn-identify ntlm; }
cluster_of cluster_up_in_dns cmrp-by-name cmrp-no-spn-by-name
MORE_TRAFFIC[cmrp-by-name]='udp port 53' MORE_TRAFFIC[cmrp-no-spn-by-name]='udp port 53'
scenario_cmrp-by-name()         { cmrp_part ntlm "$CLUSTER_NODE" seal,spnego; }
scenario_cmrp-no-spn-by-name()  { CMRP_HOST=$CLUSTER_NODE cmrp_python no-spn ntlm; }
cluster_of cluster_up_without_spnego cmrp-no-spnego
scenario_cmrp-no-spnego()       { cmrp_part ntlm "$CLUSTER" seal,spnego; }
# A server that is not up yet: the fourth attempt succeeds, or the fifth fails.
cluster_of cluster_up_slowly cmrp-attempts
scenario_cmrp-attempts()          { cmrp_python attempts krb5; }
cluster_of cluster_up_too_slowly cmrp-too-many-attempts
scenario_cmrp-too-many-attempts() { cmrp_python attempts krb5; }
KEYS[cmrp-wrong-password]=none
scenario_cmrp-wrong-password()  { cmrp_python wrong-password ntlm; }
