/* cmrp_types.c - structures, enumerations and flags of ClusAPI, [MS-CMRP] v44.0, 2.2.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "decoders/cmrp_types.h"
#include "decoders/cmrp_properties.h"
#include "decoders/security_descriptor.h"

/* ------------------------------------------------------------------------------------------ states */

const ndr_name cmrp_booleans[] = {{0, "FALSE"}, {1, "TRUE"}, {.name = NULL}};

const ndr_name cmrp_resource_states[] = {
    {0, "ClusterResourceInherited"},
    {1, "ClusterResourceInitializing"},
    {2, "ClusterResourceOnline"},
    {3, "ClusterResourceOffline"},
    {4, "ClusterResourceFailed"},
    {0x80, "ClusterResourcePending"},
    {0x81, "ClusterResourceOnlinePending"},
    {0x82, "ClusterResourceOfflinePending"},
    {0xFFFFFFFF, "ClusterResourceStateUnknown"},
    {.name = NULL},
};

const ndr_name cmrp_group_states[] = {
    {0, "ClusterGroupOnline"},
    {1, "ClusterGroupOffline"},
    {2, "ClusterGroupFailed"},
    {3, "ClusterGroupPartialOnline"},
    {4, "ClusterGroupPending"},
    {0xFFFFFFFF, "ClusterGroupStateUnknown"},
    {.name = NULL},
};

const ndr_name cmrp_node_states[] = {
    {0, "ClusterNodeUp"},
    {1, "ClusterNodeDown"},
    {2, "ClusterNodePaused"},
    {3, "ClusterNodeJoining"},
    {0xFFFFFFFF, "ClusterNodeStateUnknown"},
    {.name = NULL},
};

const ndr_name cmrp_network_states[] = {
    {0, "ClusterNetworkUnavailable"},
    {1, "ClusterNetworkDown"},
    {2, "ClusterNetworkPartitioned"},
    {3, "ClusterNetworkUp"},
    {0xFFFFFFFF, "ClusterNetworkStateUnknown"},
    {.name = NULL},
};

/* As 3.1.4.1.94 and 3.1.4.2.94 number them; Windows' own clusapi.h has Unavailable as 0, Failed as 1 and Unreachable as 2. */
const ndr_name cmrp_netinterface_states[] = {
    {0, "ClusterNetInterfaceFailed"},
    {1, "ClusterNetInterfaceUnreachable"},
    {2, "ClusterNetInterfaceUnavailable"},
    {3, "ClusterNetInterfaceUp"},
    {0xFFFFFFFF, "ClusterNetInterfaceStateUnknown"},
    {.name = NULL},
};

/* ------------------------------------------------------------------------------------ enumerations */

const ndr_name cmrp_enum_types[] = {
    {0x00000001, "CLUSTER_ENUM_NODE"},
    {0x00000002, "CLUSTER_ENUM_RESTYPE"},
    {0x00000004, "CLUSTER_ENUM_RESOURCE"},
    {0x00000008, "CLUSTER_ENUM_GROUP"},
    {0x00000010, "CLUSTER_ENUM_NETWORK"},
    {0x00000020, "CLUSTER_ENUM_NETINTERFACE"},
    {0x40000000, "CLUSTER_ENUM_SHARED_VOLUME_RESOURCE"},
    {0x80000000, "CLUSTER_ENUM_INTERNAL_NETWORK"},
    {.name = NULL},
};

const ndr_name cmrp_resource_enum_types[] = {
    {1, "CLUSTER_RESOURCE_ENUM_DEPENDS"},
    {2, "CLUSTER_RESOURCE_ENUM_PROVIDES"},
    {4, "CLUSTER_RESOURCE_ENUM_NODES"},
    {.name = NULL},
};

const ndr_name cmrp_group_enum_types[] = {
    {1, "CLUSTER_GROUP_ENUM_CONTAINS"},
    {2, "CLUSTER_GROUP_ENUM_NODES"},
    {.name = NULL},
};

const ndr_name cmrp_network_enum_types[] = {
    {1, "CLUSTER_NETWORK_ENUM_NETINTERFACES"},
    {.name = NULL},
};

const ndr_name cmrp_node_enum_types[] = {
    {1, "CLUSTER_NODE_ENUM_NETINTERFACES"},
    {2, "CLUSTER_NODE_ENUM_GROUPS"},
    {4, "CLUSTER_NODE_ENUM_PREFERRED_GROUPS"},
    {.name = NULL},
};

const ndr_name cmrp_resource_type_enum_types[] = {
    {1, "CLUSTER_RESOURCE_TYPE_ENUM_NODES"},
    {2, "CLUSTER_RESOURCE_TYPE_ENUM_RESOURCES"},
    {.name = NULL},
};

/* ------------------------------------------------------------------------------ the cluster registry */

const ndr_name cmrp_key_access[] = {
    {0x00000001, "KEY_QUERY_VALUE"},
    {0x00000002, "KEY_SET_VALUE"},
    {0x00000004, "KEY_CREATE_SUB_KEY"},
    {0x00000008, "KEY_ENUMERATE_SUB_KEYS"},
    {0x00000010, "KEY_NOTIFY"},
    {0x00000020, "KEY_CREATE_LINK"},
    {0x00010000, "DELETE"},
    {0x00020000, "READ_CONTROL"},
    {0x00040000, "WRITE_DAC"},
    {0x00080000, "WRITE_OWNER"},
    {0x02000000, "MAXIMUM_ALLOWED"},
    {0x10000000, "GENERIC_ALL"},
    {0x20000000, "GENERIC_EXECUTE"},
    {0x40000000, "GENERIC_WRITE"},
    {0x80000000, "GENERIC_READ"},
    {.name = NULL},
};

const ndr_name cmrp_key_options[] = {{1, "REG_OPTION_VOLATILE"}, {.name = NULL}};

const ndr_name cmrp_key_dispositions[] = {
    {1, "REG_CREATED_NEW_KEY"},
    {2, "REG_OPENED_EXISTING_KEY"},
    {.name = NULL},
};

const ndr_name cmrp_value_types[] = {
    {0, "REG_NONE"},
    {1, "REG_SZ"},
    {2, "REG_EXPAND_SZ"},
    {3, "REG_BINARY"},
    {4, "REG_DWORD"},
    {5, "REG_DWORD_BIG_ENDIAN"},
    {6, "REG_LINK"},
    {7, "REG_MULTI_SZ"},
    {11, "REG_QWORD"},
    {.name = NULL},
};

/* [MS-DTYP] 2.4.7 */
const ndr_name cmrp_security_information[] = {
    {0x00000001, "OWNER_SECURITY_INFORMATION"},
    {0x00000002, "GROUP_SECURITY_INFORMATION"},
    {0x00000004, "DACL_SECURITY_INFORMATION"},
    {0x00000008, "SACL_SECURITY_INFORMATION"},
    {0x10000000, "UNPROTECTED_SACL_SECURITY_INFORMATION"},
    {0x20000000, "UNPROTECTED_DACL_SECURITY_INFORMATION"},
    {0x40000000, "PROTECTED_SACL_SECURITY_INFORMATION"},
    {0x80000000, "PROTECTED_DACL_SECURITY_INFORMATION"},
    {.name = NULL},
};

/* ------------------------------------------------------------------------------- flags of methods */

const ndr_name cmrp_create_resource_flags[] = {
    {0, "CLUSTER_RESOURCE_DEFAULT_MONITOR"},
    {1, "CLUSTER_RESOURCE_SEPARATE_MONITOR"},
    {.name = NULL},
};

const ndr_name cmrp_password_flags[] = {
    {1, "IDL_CLUSTER_SET_PASSWORD_IGNORE_DOWN_NODES"},
    {.name = NULL},
};

const ndr_name cmrp_access[] = {
    {0x00000001, "CLUSAPI_READ_ACCESS"},
    {0x00000002, "CLUSAPI_CHANGE_ACCESS"},
    {0x00000004, "CLUSAPI_NO_ACCESS"},
    {0x02000000, "MAXIMUM_ALLOWED"},
    {0x10000000, "GENERIC_ALL"},
    {0x20000000, "GENERIC_EXECUTE"},
    {0x40000000, "GENERIC_WRITE"},
    {0x80000000, "GENERIC_READ"},
    {.name = NULL},
};

const ndr_name cmrp_change_group_flags[] = {
    {1, "CLUSAPI_CHANGE_RESOURCE_GROUP_FORCE_MOVE_TO_CSV"},
    {.name = NULL},
};

const ndr_name cmrp_read_batch_flags[] = {
    {2, "CLUSREG_DATABASE_ISOLATE_READ"},
    {.name = NULL},
};

const ndr_name cmrp_pause_flags[] = {
    {1, "CLUSAPI_NODE_PAUSE_REMAIN_ON_PAUSED_NODE_ON_MOVE_ERROR"},
    {.name = NULL},
};

const ndr_name cmrp_failback_types[] = {
    {0, "DoNotFailbackGroups"},
    {1, "FailbackGroupsImmediately"},
    {2, "FailbackGroupsPerPolicy"},
    {.name = NULL},
};

const ndr_name cmrp_group_online_flags[] = {
    {1, "CLUSAPI_GROUP_ONLINE_IGNORE_RESOURCE_STATUS"},
    {2, "CLUSAPI_GROUP_ONLINE_SYNCHRONOUS"},
    {4, "CLUSAPI_GROUP_ONLINE_BEST_POSSIBLE_NODE"},
    {8, "CLUSAPI_GROUP_ONLINE_IGNORE_AFFINITY_RULE"},
    {.name = NULL},
};

const ndr_name cmrp_group_offline_flags[] = {
    {1, "CLUSAPI_GROUP_OFFLINE_IGNORE_RESOURCE_STATUS"},
    {.name = NULL},
};

const ndr_name cmrp_move_flags[] = {
    {0x01, "CLUSAPI_GROUP_MOVE_IGNORE_RESOURCE_STATUS"},
    {0x02, "CLUSAPI_GROUP_MOVE_RETURN_TO_SOURCE_NODE_ON_ERROR"},
    {0x04, "CLUSAPI_GROUP_MOVE_QUEUE_ENABLED"},
    {0x08, "CLUSAPI_GROUP_MOVE_HIGH_PRIORITY_START"},
    {0x10, "CLUSAPI_GROUP_MOVE_FAILBACK"},
    {0x20, "CLUSAPI_GROUP_MOVE_IGNORE_AFFINITY_RULE"},
    {.name = NULL},
};

const ndr_name cmrp_resource_online_flags[] = {
    {0x01, "CLUSAPI_RESOURCE_ONLINE_IGNORE_RESOURCE_STATUS"},
    {0x02, "CLUSAPI_RESOURCE_ONLINE_DO_NOT_UPDATE_PERSISTENT_STATE"},
    {0x04, "CLUSAPI_RESOURCE_ONLINE_NECESSARY_FOR_QUORUM"},
    {0x08, "CLUSAPI_RESOURCE_ONLINE_BEST_POSSIBLE_NODE"},
    {0x20, "CLUSAPI_RESOURCE_ONLINE_IGNORE_AFFINITY_RULE"},
    {.name = NULL},
};

const ndr_name cmrp_resource_offline_flags[] = {
    {1, "CLUSAPI_RESOURCE_OFFLINE_IGNORE_RESOURCE_STATUS"},
    {2, "CLUSAPI_RESOURCE_OFFLINE_FORCE_WITH_TERMINATION"},
    {4, "CLUSAPI_RESOURCE_OFFLINE_DO_NOT_UPDATE_PERSISTENT_STATE"},
    {.name = NULL},
};

/* Windows' clusapi.h; 3.1.4.2.128 reserves 1, 2, 4 and 5 and names 9999 alone. */
const ndr_name cmrp_group_types[] = {
    {1, "ClusGroupTypeCoreCluster"},
    {2, "ClusGroupTypeAvailableStorage"},
    {3, "ClusGroupTypeTemporary"},
    {4, "ClusGroupTypeSharedVolume"},
    {5, "ClusGroupTypeStoragePool"},
    {100, "ClusGroupTypeFileServer"},
    {101, "ClusGroupTypePrintServer"},
    {102, "ClusGroupTypeDhcpServer"},
    {103, "ClusGroupTypeDtc"},
    {104, "ClusGroupTypeMsmq"},
    {105, "ClusGroupTypeWins"},
    {106, "ClusGroupTypeStandAloneDfs"},
    {107, "ClusGroupTypeGenericApplication"},
    {108, "ClusGroupTypeGenericService"},
    {109, "ClusGroupTypeGenericScript"},
    {110, "ClusGroupTypeIScsiNameService"},
    {111, "ClusGroupTypeVirtualMachine"},
    {112, "ClusGroupTypeTsSessionBroker"},
    {113, "ClusGroupTypeIScsiTarget"},
    {114, "ClusGroupTypeScaleoutFileServer"},
    {115, "ClusGroupTypeVMReplicaBroker"},
    {116, "ClusGroupTypeTaskScheduler"},
    {117, "ClusGroupTypeClusterUpdateAgent"},
    {118, "ClusGroupTypeScaleoutCluster"},
    {119, "ClusGroupTypeStorageReplica"},
    {120, "ClusGroupTypeVMReplicaCoordinator"},
    {121, "ClusGroupTypeCrossClusterOrchestrator"},
    {122, "ClusGroupTypeInfrastructureFileServer"},
    {123, "ClusGroupTypeCoreSddc"},
    {9999, "ClusGroupTypeUnknown"},
    {.name = NULL},
};

/* ----------------------------------------------------------------------------------- notifications */

const ndr_name cmrp_changes[] = {
    {0x00000001, "CLUSTER_CHANGE_NODE_STATE"},
    {0x00000002, "CLUSTER_CHANGE_NODE_DELETED"},
    {0x00000004, "CLUSTER_CHANGE_NODE_ADDED"},
    {0x00000008, "CLUSTER_CHANGE_NODE_PROPERTY"},
    {0x00000010, "CLUSTER_CHANGE_REGISTRY_NAME"},
    {0x00000020, "CLUSTER_CHANGE_REGISTRY_ATTRIBUTES"},
    {0x00000040, "CLUSTER_CHANGE_REGISTRY_VALUE"},
    {0x00000080, "CLUSTER_CHANGE_REGISTRY_SUBTREE"},
    {0x00000100, "CLUSTER_CHANGE_RESOURCE_STATE"},
    {0x00000200, "CLUSTER_CHANGE_RESOURCE_DELETED"},
    {0x00000400, "CLUSTER_CHANGE_RESOURCE_ADDED"},
    {0x00000800, "CLUSTER_CHANGE_RESOURCE_PROPERTY"},
    {0x00001000, "CLUSTER_CHANGE_GROUP_STATE"},
    {0x00002000, "CLUSTER_CHANGE_GROUP_DELETED"},
    {0x00004000, "CLUSTER_CHANGE_GROUP_ADDED"},
    {0x00008000, "CLUSTER_CHANGE_GROUP_PROPERTY"},
    {0x00010000, "CLUSTER_CHANGE_RESOURCE_TYPE_DELETED"},
    {0x00020000, "CLUSTER_CHANGE_RESOURCE_TYPE_ADDED"},
    {0x00040000, "CLUSTER_CHANGE_RESOURCE_TYPE_PROPERTY"},
    {0x00080000, "CLUSTER_CHANGE_CLUSTER_RECONNECT"},
    {0x00100000, "CLUSTER_CHANGE_NETWORK_STATE"},
    {0x00200000, "CLUSTER_CHANGE_NETWORK_DELETED"},
    {0x00400000, "CLUSTER_CHANGE_NETWORK_ADDED"},
    {0x00800000, "CLUSTER_CHANGE_NETWORK_PROPERTY"},
    {0x01000000, "CLUSTER_CHANGE_NETINTERFACE_STATE"},
    {0x02000000, "CLUSTER_CHANGE_NETINTERFACE_DELETED"},
    {0x04000000, "CLUSTER_CHANGE_NETINTERFACE_ADDED"},
    {0x08000000, "CLUSTER_CHANGE_NETINTERFACE_PROPERTY"},
    {0x10000000, "CLUSTER_CHANGE_QUORUM_STATE"},
    {0x20000000, "CLUSTER_CHANGE_CLUSTER_STATE"},
    {0x40000000, "CLUSTER_CHANGE_CLUSTER_PROPERTY"},
    {0x80000000, "CLUSTER_CHANGE_HANDLE_CLOSE"},
    {.name = NULL},
};

const ndr_name cmrp_object_types[] = {
    {0x01, "CLUSTER_OBJECT_TYPE_CLUSTER"},
    {0x02, "CLUSTER_OBJECT_TYPE_GROUP"},
    {0x03, "CLUSTER_OBJECT_TYPE_RESOURCE"},
    {0x04, "CLUSTER_OBJECT_TYPE_RESOURCE_TYPE"},
    {0x05, "CLUSTER_OBJECT_TYPE_NETWORK_INTERFACE"},
    {0x06, "CLUSTER_OBJECT_TYPE_NETWORK"},
    {0x07, "CLUSTER_OBJECT_TYPE_NODE"},
    {0x08, "CLUSTER_OBJECT_TYPE_REGISTRY"},
    {0x09, "CLUSTER_OBJECT_TYPE_QUORUM"},
    {0x0A, "CLUSTER_OBJECT_TYPE_SHARED_VOLUME"},
    {0x0B, "CLUSTER_OBJECT_TYPE_SPACEPORT"},
    {0x0C, "CLUSTER_OBJECT_TYPE_UPGRADE"},
    {0x0D, "CLUSTER_OBJECT_TYPE_GROUPSET"},
    {0x0E, "CLUSTER_OBJECT_TYPE_SBL_DEVICE"},
    {0x0F, "CLUSTER_OBJECT_TYPE_CERT"},
    {0x10, "CLUSTER_OBJECT_TYPE_AFFINITYRULE"},
    {.name = NULL},
};

/* 2.2.2.12 to 2.2.2.26: each object type has flags of its own. */
static const ndr_name cluster_changes[] = {
    {0x0001, "CLUSTER_CHANGE_CLUSTER_RECONNECT_V2"},
    {0x0002, "CLUSTER_CHANGE_CLUSTER_STATE_V2"},
    {0x0004, "CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2"},
    {0x0008, "CLUSTER_CHANGE_CLUSTER_HANDLE_CLOSE_V2"},
    {0x0010, "CLUSTER_CHANGE_CLUSTER_NETWORK_ADDED_V2"},
    {0x0020, "CLUSTER_CHANGE_CLUSTER_NODE_ADDED_V2"},
    {0x0040, "CLUSTER_CHANGE_CLUSTER_RESOURCE_TYPE_ADDED_V2"},
    {0x0080, "CLUSTER_CHANGE_CLUSTER_COMMON_PROPERTY_V2"},
    {0x0100, "CLUSTER_CHANGE_CLUSTER_PRIVATE_PROPERTY_V2"},
    {0x0200, "CLUSTER_CHANGE_CLUSTER_LOST_NOTIFICATIONS_V2"},
    {0x0400, "CLUSTER_CHANGE_CLUSTER_RENAME_V2"},
    {0x0800, "CLUSTER_CHANGE_CLUSTER_MEMBERSHIP_V2"},
    {0x1000, "CLUSTER_CHANGE_CLUSTER_UPGRADED_V2"},
    {.name = NULL},
};
static const ndr_name group_changes[] = {
    {0x001, "CLUSTER_CHANGE_GROUP_DELETED_V2"},
    {0x002, "CLUSTER_CHANGE_GROUP_COMMON_PROPERTY_V2"},
    {0x004, "CLUSTER_CHANGE_GROUP_PRIVATE_PROPERTY_V2"},
    {0x008, "CLUSTER_CHANGE_GROUP_STATE_V2"},
    {0x010, "CLUSTER_CHANGE_GROUP_OWNER_NODE_V2"},
    {0x020, "CLUSTER_CHANGE_GROUP_PREFERRED_OWNERS_V2"},
    {0x040, "CLUSTER_CHANGE_GROUP_RESOURCE_ADDED_V2"},
    {0x080, "CLUSTER_CHANGE_GROUP_RESOURCE_GAINED_V2"},
    {0x100, "CLUSTER_CHANGE_GROUP_RESOURCE_LOST_V2"},
    {0x200, "CLUSTER_CHANGE_GROUP_HANDLE_CLOSE_V2"},
    {.name = NULL},
};
static const ndr_name resource_changes[] = {
    {0x001, "CLUSTER_CHANGE_RESOURCE_COMMON_PROPERTY_V2"},
    {0x002, "CLUSTER_CHANGE_RESOURCE_PRIVATE_PROPERTY_V2"},
    {0x004, "CLUSTER_CHANGE_RESOURCE_STATE_V2"},
    {0x008, "CLUSTER_CHANGE_RESOURCE_OWNER_GROUP_V2"},
    {0x010, "CLUSTER_CHANGE_RESOURCE_DEPENDENCIES_V2"},
    {0x020, "CLUSTER_CHANGE_RESOURCE_DEPENDENTS_V2"},
    {0x040, "CLUSTER_CHANGE_RESOURCE_POSSIBLE_OWNERS_V2"},
    {0x080, "CLUSTER_CHANGE_RESOURCE_DELETED_V2"},
    {0x100, "CLUSTER_CHANGE_RESOURCE_DLL_UPGRADED_V2"},
    {0x200, "CLUSTER_CHANGE_RESOURCE_HANDLE_CLOSE_V2"},
    {0x400, "CLUSTER_CHANGE_RESOURCE_TERMINAL_STATE_V2"},
    {.name = NULL},
};
const ndr_name cmrp_resource_type_changes[] = {
    {0x01, "CLUSTER_CHANGE_RESOURCE_TYPE_DELETED_V2"},
    {0x02, "CLUSTER_CHANGE_RESOURCE_TYPE_COMMON_PROPERTY_V2"},
    {0x04, "CLUSTER_CHANGE_RESOURCE_TYPE_PRIVATE_PROPERTY_V2"},
    {0x08, "CLUSTER_CHANGE_RESOURCE_TYPE_POSSIBLE_OWNERS_V2"},
    {0x10, "CLUSTER_CHANGE_RESOURCE_TYPE_DLL_UPGRADED_V2"},
    {0x20, "CLUSTER_RESOURCE_TYPE_SPECIFIC_V2"},
    {.name = NULL},
};
static const ndr_name netinterface_changes[] = {
    {0x01, "CLUSTER_CHANGE_NETINTERFACE_DELETED_V2"},
    {0x02, "CLUSTER_CHANGE_NETINTERFACE_COMMON_PROPERTY_V2"},
    {0x04, "CLUSTER_CHANGE_NETINTERFACE_PRIVATE_PROPERTY_V2"},
    {0x08, "CLUSTER_CHANGE_NETINTERFACE_STATE_V2"},
    {0x10, "CLUSTER_CHANGE_NETINTERFACE_HANDLE_CLOSE_V2"},
    {.name = NULL},
};
static const ndr_name network_changes[] = {
    {0x01, "CLUSTER_CHANGE_NETWORK_DELETED_V2"},
    {0x02, "CLUSTER_CHANGE_NETWORK_COMMON_PROPERTY_V2"},
    {0x04, "CLUSTER_CHANGE_NETWORK_PRIVATE_PROPERTY_V2"},
    {0x08, "CLUSTER_CHANGE_NETWORK_STATE_V2"},
    {0x10, "CLUSTER_CHANGE_NETWORK_HANDLE_CLOSE_V2"},
    {.name = NULL},
};
static const ndr_name node_changes[] = {
    {0x01, "CLUSTER_CHANGE_NODE_NETINTERFACE_ADDED_V2"},
    {0x02, "CLUSTER_CHANGE_NODE_DELETED_V2"},
    {0x04, "CLUSTER_CHANGE_NODE_COMMON_PROPERTY_V2"},
    {0x08, "CLUSTER_CHANGE_NODE_PRIVATE_PROPERTY_V2"},
    {0x10, "CLUSTER_CHANGE_NODE_STATE_V2"},
    {0x20, "CLUSTER_CHANGE_NODE_GROUP_GAINED_V2"},
    {0x40, "CLUSTER_CHANGE_NODE_GROUP_LOST_V2"},
    {0x80, "CLUSTER_CHANGE_NODE_HANDLE_CLOSE_V2"},
    {.name = NULL},
};
static const ndr_name registry_changes[] = {
    {0x01, "CLUSTER_CHANGE_REGISTRY_ATTRIBUTES_V2"},
    {0x02, "CLUSTER_CHANGE_REGISTRY_NAME_V2"},
    {0x04, "CLUSTER_CHANGE_REGISTRY_SUBTREE_V2"},
    {0x08, "CLUSTER_CHANGE_REGISTRY_VALUE_V2"},
    {0x10, "CLUSTER_CHANGE_REGISTRY_HANDLE_CLOSE_V2"},
    {.name = NULL},
};
static const ndr_name quorum_changes[] = {{1, "CLUSTER_CHANGE_QUORUM_STATE_V2"}, {.name = NULL}};
static const ndr_name shared_volume_changes[] = {
    {1, "CLUSTER_CHANGE_SHARED_VOLUME_STATE_V2"},
    {2, "CLUSTER_CHANGE_SHARED_VOLUME_ADDED_V2"},
    {4, "CLUSTER_CHANGE_SHARED_VOLUME_REMOVED_V2"},
    {.name = NULL},
};
static const ndr_name space_port_changes[] = {{1, "CLUSTER_CHANGE_SPACEPORT_CUSTOM_PNP_V2"}, {.name = NULL}};
static const ndr_name upgrade_changes[] = {
    {1, "CLUSTER_CHANGE_UPGRADE_NODE_PREPARE"},
    {2, "CLUSTER_CHANGE_UPGRADE_NODE_COMMIT"},
    {4, "CLUSTER_CHANGE_UPGRADE_NODE_POSTCOMMIT"},
    {.name = NULL},
};
static const ndr_name group_set_changes[] = {
    {0x001, "CLUSTER_CHANGE_GROUPSET_DELETED_v2"},
    {0x002, "CLUSTER_CHANGE_GROUPSET_COMMON_PROPERTY_V2"},
    {0x004, "CLUSTER_CHANGE_GROUPSET_PRIVATE_PROPERTY_V2"},
    {0x008, "CLUSTER_CHANGE_GROUPSET_STATE_V2"},
    {0x010, "CLUSTER_CHANGE_GROUPSET_GROUP_ADDED"},
    {0x020, "CLUSTER_CHANGE_GROUPSET_GROUP_REMOVED"},
    {0x040, "CLUSTER_CHANGE_GROUPSET_DEPENDENCIES_V2"},
    {0x080, "CLUSTER_CHANGE_GROUPSET_DEPENDENTS_V2"},
    {0x100, "CLUSTER_CHANGE_GROUPSET_HANDLE_CLOSE_v2"},
    {.name = NULL},
};

static const ndr_name other_changes[] = {{.name = NULL}}; /* of objects whose flags 2.2.2 does not list */

static const ndr_type change_types[][1] = {
    [CMRP_OBJECT_CLUSTER]       = {{.kind = NDR_FLAGS64, .names = cluster_changes}},
    [CMRP_OBJECT_GROUP]         = {{.kind = NDR_FLAGS64, .names = group_changes}},
    [CMRP_OBJECT_RESOURCE]      = {{.kind = NDR_FLAGS64, .names = resource_changes}},
    [CMRP_OBJECT_RESOURCE_TYPE] = {{.kind = NDR_FLAGS64, .names = cmrp_resource_type_changes}},
    [CMRP_OBJECT_NETINTERFACE]  = {{.kind = NDR_FLAGS64, .names = netinterface_changes}},
    [CMRP_OBJECT_NETWORK]       = {{.kind = NDR_FLAGS64, .names = network_changes}},
    [CMRP_OBJECT_NODE]          = {{.kind = NDR_FLAGS64, .names = node_changes}},
    [CMRP_OBJECT_REGISTRY]      = {{.kind = NDR_FLAGS64, .names = registry_changes}},
    [CMRP_OBJECT_QUORUM]        = {{.kind = NDR_FLAGS64, .names = quorum_changes}},
    [CMRP_OBJECT_SHARED_VOLUME] = {{.kind = NDR_FLAGS64, .names = shared_volume_changes}},
    [CMRP_OBJECT_SPACE_PORT]    = {{.kind = NDR_FLAGS64, .names = space_port_changes}},
    [CMRP_OBJECT_UPGRADE]       = {{.kind = NDR_FLAGS64, .names = upgrade_changes}},
    [CMRP_OBJECT_GROUP_SET]     = {{.kind = NDR_FLAGS64, .names = group_set_changes}},
};

static const ndr_type *changes_of(const uint8_t *octets G_GNUC_UNUSED, size_t length G_GNUC_UNUSED, const ndr_value *object_type,
                                  bool response G_GNUC_UNUSED)
{
    if (object_type == NULL || object_type->number >= G_N_ELEMENTS(change_types))
        return NULL;
    const ndr_type *type = change_types[object_type->number];
    return type->names != NULL ? type : NULL;
}

/* -------------------------------------------------------------------------------------- structures */

/* 2.2.3.1 */
SHARED_STRUCT(RPC_SECURITY_DESCRIPTOR,
    F(UNIQUE(CVAR(U8)), "lpSecurityDescriptor", SIZE_IS("cbInSecurityDescriptor"), LENGTH_IS("cbOutSecurityDescriptor"),
                        AS(security_descriptor_choose, NULL)),
    F(U32,              "cbInSecurityDescriptor"),
    F(U32,              "cbOutSecurityDescriptor"));

/* 2.2.3.2 */
SHARED_STRUCT(RPC_SECURITY_ATTRIBUTES,
    F(U32,                     "nLength"),
    F(RPC_SECURITY_DESCRIPTOR, "RpcSecurityDescriptor"),
    F(ENUM32(cmrp_booleans),   "bInheritHandle"));

/* What servers of these releases send, by the notes on 2.2.3.3 in section 7. A mixed cluster sends what its oldest can. */
static const ndr_name version_numbers[] = {
    {0x000100E0, "Windows NT 4.0 SP3"}, {0x000200E0, "Windows NT 4.0 SP4 or Windows 2000 Server"},
    {0x00030893, "Windows 2000 Server or Windows Server 2003"}, {0x00040ECE, "Windows Server 2003"},
    {0x00051771, "Windows Server 2008"}, {0x00061DB0, "Windows Server 2008 R2"}, {0x00061DB1, "Windows Server 2008 R2 SP1"},
    {0x000723F0, "Windows Server 2012"}, {0x00082580, "Windows Server 2012 R2"}, {0x00090003, "Windows Server 2016"},
    {0x000A0003, "Windows Server 2019"},
    {0x000B0003, "Windows Server 2022"}, {0x000C0004, "Windows Server 2022, 23H2"}, {0x000C0006, "Windows Server 2025"},
    {.name = NULL},
};
static const ndr_name version_flags[] = {{1, "CLUSTER_VERSION_FLAG_MIXED_MODE"}, {.name = NULL}};

/* 2.2.3.3. Either version number is a major version in its upper and a minor one in its lower half. */
SHARED_STRUCT(CLUSTER_OPERATIONAL_VERSION_INFO,
    F(U32,                    "dwSize"),
    F(HEX32(version_numbers), "dwClusterHighestVersion"),
    F(HEX32(version_numbers), "dwClusterLowestVersion"),
    F(FLAGS32(version_flags), "dwFlags"),
    F(U32,                    "dwReserved"));

/* 2.2.3.4, 2.2.3.5. What a Type means depends on the method that answers: it is one of those that its dwType can name. */
#define ENUM_LIST_OF(LIST, ENTRY, TYPE) \
    static const ndr_type ENTRY[1] = {{.kind = NDR_STRUCT, .name = "ENUM_ENTRY", .fields = (const ndr_field[]){ \
        F(TYPE,         "Type"), \
        F(UNIQUE(WSTR), "Name"), {0}}}}; \
    const ndr_type LIST[1] = {{.kind = NDR_STRUCT, .name = "ENUM_LIST", .fields = (const ndr_field[]){ \
        F(U32,          "EntryCount"), \
        F(CONF(ENTRY),  "Entry", SIZE_IS("EntryCount")), {0}}}}
ENUM_LIST_OF(ENUM_LIST, ENUM_ENTRY, FLAGS32(cmrp_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_RESOURCE, ENUM_ENTRY_OF_RESOURCE, FLAGS32(cmrp_resource_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_GROUP, ENUM_ENTRY_OF_GROUP, FLAGS32(cmrp_group_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_NETWORK, ENUM_ENTRY_OF_NETWORK, FLAGS32(cmrp_network_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_NODE, ENUM_ENTRY_OF_NODE, FLAGS32(cmrp_node_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_RESOURCE_TYPE, ENUM_ENTRY_OF_RESOURCE_TYPE, FLAGS32(cmrp_resource_type_enum_types));
ENUM_LIST_OF(ENUM_LIST_OF_GROUP_SETS, ENUM_ENTRY_OF_GROUP_SETS, U32); /* 3.1.4.2.162 names no types */

/* 2.2.3.6 */
SHARED_STRUCT(IDL_CLUSTER_SET_PASSWORD_STATUS,
    F(U32,   "NodeId"),
    F(U8,    "SetAttempted"),
    F(ERROR, "ReturnStatus"));

/* 2.2.3.21 */
SHARED_STRUCT(CLUSTER_CREATE_GROUP_INFO_RPC,
    F(U32,                      "dwVersion"),
    F(ENUM32(cmrp_group_types), "dwGroupType"));

/* 2.2.3.22 */
SHARED_STRUCT(NOTIFY_FILTER_AND_TYPE_RPC,
    F(ENUM32(cmrp_object_types), "dwObjectType"),
    F(FLAGS64(other_changes),    "FilterFlags", AS(changes_of, "dwObjectType")));

/* 2.2.3.23 */
STRUCT(NOTIFICATION_DATA_RPC,
    F(NOTIFY_FILTER_AND_TYPE_RPC, "FilterAndType"),
    F(UNIQUE(CONF(U8)),           "buffer", SIZE_IS("dwBufferSize"),
                                  AS2(cmrp_notification, "FilterAndType.dwObjectType", "FilterAndType.FilterFlags")),
    F(U32,                        "dwBufferSize"),
    F(UNIQUE(WSTR),               "ObjectId"),
    F(UNIQUE(WSTR),               "ParentId"),
    F(UNIQUE(WSTR),               "Name"),
    F(UNIQUE(WSTR),               "Type"));

/* 2.2.3.24. The key is a DWORD_PTR: 8 octets in NDR64. Samba reads it as a pointer to 4 octets. */
SHARED_STRUCT(NOTIFICATION_RPC,
    F(U3264,                 "dwNotifyKey"),
    F(NOTIFICATION_DATA_RPC, "NotificationData"));

/* 2.2.3.25. Group flags as CLUSCTL_GROUP_GET_FLAGS has them (3.1.4.3.3.3). */
STRUCT(GROUP_ENUM_ENTRY,
    F(UNIQUE(WSTR),              "Name"),
    F(UNIQUE(WSTR),              "Id"),
    F(ENUM32(cmrp_group_states), "dwState"),
    F(UNIQUE(WSTR),              "Owner"),
    F(FLAGS32(cmrp_core_flags),  "dwFlags"),
    F(U32,                       "cbProperties"),
    F(UNIQUE(CONF(U8)),          "Properties",   SIZE_IS("cbProperties"),   AS(cmrp_property_list, NULL)),
    F(U32,                       "cbRoProperties"),
    F(UNIQUE(CONF(U8)),          "RoProperties", SIZE_IS("cbRoProperties"), AS(cmrp_property_list, NULL)));

/* 2.2.3.26 */
SHARED_STRUCT(GROUP_ENUM_LIST,
    F(U32,                    "EntryCount"),
    F(CONF(GROUP_ENUM_ENTRY), "Entry", SIZE_IS("EntryCount")));

/* 2.2.3.27 */
STRUCT(RESOURCE_ENUM_ENTRY,
    F(UNIQUE(WSTR),     "Name"),
    F(UNIQUE(WSTR),     "Id"),
    F(UNIQUE(WSTR),     "OwnerName"),
    F(UNIQUE(WSTR),     "OwnerId"),
    F(U32,              "cbProperties"),
    F(UNIQUE(CONF(U8)), "Properties",   SIZE_IS("cbProperties"),   AS(cmrp_property_list, NULL)),
    F(U32,              "cbRoProperties"),
    F(UNIQUE(CONF(U8)), "RoProperties", SIZE_IS("cbRoProperties"), AS(cmrp_property_list, NULL)));

/* 2.2.3.28 */
SHARED_STRUCT(RESOURCE_ENUM_LIST,
    F(U32,                       "EntryCount"),
    F(CONF(RESOURCE_ENUM_ENTRY), "Entry", SIZE_IS("EntryCount")));

/* 2.2.3.30 */
SHARED_STRUCT(NOTIFICATION_DATA_ASYNC_RPC,
    F(U32,                   "dwNotifyKey"),
    F(FLAGS32(cmrp_changes), "dwFilter"),
    F(UNIQUE(WSTR),          "Name"));
