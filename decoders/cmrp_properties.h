/* cmrp_properties.h - what lies in ClusAPI's octets: property lists, registry values, batches, notifications, [MS-CMRP] v44.0, 2.2.3.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CMRP_PROPERTIES_H
#define RPCLENS_CMRP_PROPERTIES_H

#include "decoders/ndr.h"

/* 2.2.2.11: objects that notifications are of. */
enum {
    CMRP_OBJECT_CLUSTER = 1, CMRP_OBJECT_GROUP, CMRP_OBJECT_RESOURCE, CMRP_OBJECT_RESOURCE_TYPE, CMRP_OBJECT_NETINTERFACE,
    CMRP_OBJECT_NETWORK, CMRP_OBJECT_NODE, CMRP_OBJECT_REGISTRY, CMRP_OBJECT_QUORUM, CMRP_OBJECT_SHARED_VOLUME,
    CMRP_OBJECT_SPACE_PORT, CMRP_OBJECT_UPGRADE, CMRP_OBJECT_GROUP_SET
};

extern const ndr_name cmrp_core_flags[];     /* CLUS_FLAGS, 2.2.2.5 */
extern const ndr_name cmrp_syntaxes[];       /* CLUSTER_PROPERTY_SYNTAX, 2.2.2.3 */

/* Packed types; `octets` of the right length are all they need. */
extern const ndr_type PROPERTY_LIST[1];      /* 2.2.3.10 */
extern const ndr_type PROPERTY_FORMATS[1];   /* a list whose values are format codes (3.1.4.3.1.14 and its like) */
extern const ndr_type VALUE_LIST[1];         /* values without a name or a count (3.1.4.3.1.5, 3.1.4.3.1.38) */
extern const ndr_type VALUE_LISTS[1];        /* such lists, one after the other (3.1.4.3.2.21, 3.1.4.3.2.26) */
extern const ndr_type DWORD_VALUE[1], WORD_VALUE[1], LONG_VALUE[1], ULARGE_INTEGER_VALUE[1], LARGE_INTEGER_VALUE[1],
    FILETIME_VALUE[1], SZ_VALUE[1], MULTI_SZ[1], FORMAT_VALUE[1], REG_DWORD_VALUE[1], REG_QWORD_VALUE[1];
extern const ndr_type RESOURCE_CLASS_VALUE[1];
extern const ndr_type CLUS_RESOURCE_CLASS_INFO[1], CLUS_SCSI_ADDRESS[1], CLUS_PARTITION_INFO[1], CLUS_PARTITION_INFO_EX[1],
    CLUS_PARTITION_INFO_EX2[1];              /* 2.2.3.7, .8, .9, .11, .45 */
extern const ndr_type CLUSTER_SHARED_VOLUME_STATE_INFO[1], CLUSTER_SHARED_VOLUME_STATE_INFO_EX[1]; /* 2.2.3.29, .32 */
extern const ndr_type GROUP_TYPE_VALUE[1], NODE_STATE_VALUE[1], GROUP_STATE_VALUE[1], RESOURCE_STATE_VALUE[1],
    NETWORK_STATE_VALUE[1], NETINTERFACE_STATE_VALUE[1];
extern const ndr_type CLUSTER_MEMBERSHIP_INFO[1], CLUSTER_MEMBERSHIP_INFO_ALIGNED[1]; /* 2.2.3.42 */
extern const ndr_type VOLUME_STATES[1];      /* a property list whose binary values are 2.2.3.29 or 2.2.3.32 (3.1.4.2.138) */
extern const ndr_type CLUSTER_REG_BATCH_UPDATE[1]; /* 2.2.3.17 */

/* AS() functions (decoders/ndr.h). */
const ndr_type *cmrp_property_list(const uint8_t *octets, size_t length, const ndr_value *none, bool response);
const ndr_type *cmrp_operation(const uint8_t *octets, size_t length, const ndr_value *none, bool response);
const ndr_type *cmrp_multi_sz(const uint8_t *octets, size_t length, const ndr_value *none, bool response);
const ndr_type *cmrp_batch(const uint8_t *octets, size_t length, const ndr_value *none, bool response);
/* By a registry value's type ([MS-RRP] 3.1.1.5). */
const ndr_type *cmrp_registry_value(const uint8_t *octets, size_t length, const ndr_value *type, bool response);
/* AS2(): by a notification's object type and flags (3.1.4.2.138). */
const ndr_type *cmrp_notification(const uint8_t *octets, size_t length, const ndr_value *object_type, const ndr_value *flags,
                                  bool response);

#endif
