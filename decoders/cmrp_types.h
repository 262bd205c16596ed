/* cmrp_types.h - structures, enumerations and flags of ClusAPI, [MS-CMRP] v44.0, 2.2.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CMRP_TYPES_H
#define RPCLENS_CMRP_TYPES_H

#include "decoders/ndr.h"

/* Structures as NDR has them (2.2.3). ENUM_LIST is there once for each kind of types that its entries have. */
extern const ndr_type RPC_SECURITY_DESCRIPTOR[1], RPC_SECURITY_ATTRIBUTES[1], CLUSTER_OPERATIONAL_VERSION_INFO[1], ENUM_LIST[1],
    IDL_CLUSTER_SET_PASSWORD_STATUS[1], CLUSTER_CREATE_GROUP_INFO_RPC[1], NOTIFY_FILTER_AND_TYPE_RPC[1], NOTIFICATION_RPC[1],
    GROUP_ENUM_LIST[1], RESOURCE_ENUM_LIST[1], NOTIFICATION_DATA_ASYNC_RPC[1];
extern const ndr_type ENUM_LIST_OF_RESOURCE[1], ENUM_LIST_OF_GROUP[1], ENUM_LIST_OF_NETWORK[1], ENUM_LIST_OF_NODE[1],
    ENUM_LIST_OF_RESOURCE_TYPE[1], ENUM_LIST_OF_GROUP_SETS[1];

extern const ndr_name cmrp_booleans[];              /* BOOL, [MS-DTYP] 2.2.3 */
/* States (3.1.4.2.13, .46, .69, .83, .94). */
extern const ndr_name cmrp_resource_states[], cmrp_group_states[], cmrp_node_states[], cmrp_network_states[],
    cmrp_netinterface_states[];
/* What the enumerating methods ask for (3.1.4.2.8, .23, .54, .85, .101, .103). */
extern const ndr_name cmrp_enum_types[], cmrp_resource_enum_types[], cmrp_group_enum_types[], cmrp_network_enum_types[],
    cmrp_node_enum_types[], cmrp_resource_type_enum_types[];
extern const ndr_name cmrp_create_resource_flags[]; /* 3.1.4.2.10 */
extern const ndr_name cmrp_group_types[];           /* 2.2.3.21 */
extern const ndr_name cmrp_password_flags[];        /* 2.2.2.9 */
/* The cluster registry (3.1.4.2.29, .30, .33, .39). */
extern const ndr_name cmrp_key_access[], cmrp_key_options[], cmrp_key_dispositions[], cmrp_value_types[],
    cmrp_security_information[];
extern const ndr_name cmrp_access[];                /* 3.1.4.2.116 */
extern const ndr_name cmrp_changes[];               /* 2.2.2.7: notifications of version 1 */
extern const ndr_name cmrp_object_types[];          /* 2.2.2.11 */
extern const ndr_name cmrp_resource_type_changes[]; /* 2.2.2.15 */
/* Flags of the ...Ex methods (3.1.4.2.125 to .135). */
extern const ndr_name cmrp_pause_flags[], cmrp_failback_types[], cmrp_group_online_flags[], cmrp_group_offline_flags[],
    cmrp_move_flags[], cmrp_resource_online_flags[], cmrp_resource_offline_flags[];
extern const ndr_name cmrp_read_batch_flags[];      /* 3.1.4.2.145 */
extern const ndr_name cmrp_change_group_flags[];    /* 3.1.4.2.166 */

#endif
