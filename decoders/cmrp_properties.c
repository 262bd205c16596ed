/* cmrp_properties.c - what lies in ClusAPI's octets: property lists, registry values, batches, notifications, [MS-CMRP] v44.0, 2.2.3.
 *
 * A property list (2.2.3.10) is a count and as many properties. A property is a name, at least one value and an end mark; a value is
 * its syntax, its size, as many octets, and a pad to a multiple of four that the size does not count:
 *
 *      00  01 00 00 00   one property
 *      04  03 00 04 00   syntax: a name
 *      08  04 00 00 00   of four octets,
 *      0c  41 00 00 00   "A" and its terminator
 *      10  0b 00 01 00   syntax: a WORD
 *      14  02 00 00 00   of two octets,
 *      18  07 00 00 00   7, and its pad
 *      1c  00 00 00 00   the property's end mark
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/cmrp_properties.h"
#include "decoders/cmrp_types.h"
#include "decoders/security_descriptor.h"

/* -------------------------------------------------------------------------------------- plain values */

/* 2.2.2.5 */
const ndr_name cmrp_core_flags[] = {{1, "CLUS_FLAG_CORE"}, {.name = NULL}};

SHARED_BLOB(DWORD_VALUE, F(U32, "Dword"));
SHARED_BLOB(WORD_VALUE, F(U16, "Word"));
SHARED_BLOB(LONG_VALUE, F(I32, "Long"));
SHARED_BLOB(ULARGE_INTEGER_VALUE, F(U64, "ULargeInteger"));
SHARED_BLOB(LARGE_INTEGER_VALUE, F(I64, "LargeInteger"));
SHARED_BLOB(FILETIME_VALUE, F(FILETIME, "FileTime"));
SHARED_BLOB(GROUP_TYPE_VALUE, F(ENUM32(cmrp_group_types), "dwGroupType"));
SHARED_BLOB(NODE_STATE_VALUE, F(ENUM32(cmrp_node_states), "State"));
SHARED_BLOB(GROUP_STATE_VALUE, F(ENUM32(cmrp_group_states), "State"));
SHARED_BLOB(RESOURCE_STATE_VALUE, F(ENUM32(cmrp_resource_states), "State"));
SHARED_BLOB(NETWORK_STATE_VALUE, F(ENUM32(cmrp_network_states), "State"));
SHARED_BLOB(NETINTERFACE_STATE_VALUE, F(ENUM32(cmrp_netinterface_states), "State"));

/* A buffer that the caller provided may be longer than what the server had to say. */
SHARED_BLOB(SZ_VALUE,
    F(SZ,     "String"),
    F(OCTETS, "Unused", OPTIONAL));

SHARED_BLOB(MULTI_SZ,
    F(ENDED(SZ), "String"),
    F(OCTETS,    "Unused", OPTIONAL));

/* -------------------------------------------------------------------------- structures inside values */

static const ndr_name classes[] = {
    {0, "CLUS_RESCLASS_UNKNOWN"}, {1, "CLUS_RESCLASS_STORAGE"}, {2, "CLUS_RESCLASS_NETWORK"}, {.name = NULL},
};
static const ndr_name subclasses[] = {{0x80000000, "CLUS_RESSUBCLASS_SHARED"}, {.name = NULL}};
static const ndr_name partition_flags[] = {
    {0x00000001, "CLUSPROP_PIFLAG_STICKY"},
    {0x00000002, "CLUSPROP_PIFLAG_REMOVABLE"},
    {0x00000004, "CLUSPROP_PIFLAG_USABLE"},
    {0x00000008, "CLUSPROP_PIFLAG_DEFAULT_QUORUM"},
    {0x00000010, "CLUSPROP_PIFLAG_USABLE_FOR_CSV"},
    {0x00000020, "CLUSPROP_PIFLAG_ENCRYPTION_ENABLED"},
    {0x00000040, "CLUSPROP_PIFLAG_RAW"},
    {0x80000000, "CLUSPROP_PIFLAG_UNKNOWN"},
    {.name = NULL},
};

/* 2.2.3.7 */
SHARED_BLOB(CLUS_RESOURCE_CLASS_INFO,
    F(ENUM32(classes),     "Class"),
    F(FLAGS32(subclasses), "SubClass"));

/* CLUSPROP_RESOURCE_CLASS of Windows' clusapi.h, as required dependencies have it. */
SHARED_BLOB(RESOURCE_CLASS_VALUE,
    F(ENUM32(classes), "Class"));

/* 2.2.3.8 */
SHARED_BLOB(CLUS_SCSI_ADDRESS,
    F(U8, "PortNumber"),
    F(U8, "PathId"),
    F(U8, "TargetID"),
    F(U8, "LUN"));

/* 2.2.3.9 */
#define PARTITION_ROWS \
    F(FLAGS32(partition_flags), "dwFlags"), \
    F(FIXED(WCHAR, 260),        "szDeviceName"), \
    F(FIXED(WCHAR, 260),        "szVolumeLabel"), \
    F(U32,                      "dwSerialNumber"), \
    F(U32,                      "rgdwMaximumComponentLength"), \
    F(U32,                      "dwFileSystemFlags"), \
    F(FIXED(WCHAR, 32),         "szFileSystem")
SHARED_BLOB(CLUS_PARTITION_INFO, PARTITION_ROWS);

/* 2.2.3.11 */
#define PARTITION_EX_ROWS \
    PARTITION_ROWS, \
    F(U64,                      "TotalSizeInBytes"), \
    F(U64,                      "FreeSizeInBytes"), \
    F(U32,                      "DeviceNumber"), \
    F(U32,                      "PartitionNumber"), \
    F(GUID,                     "VolumeGuid")
SHARED_BLOB(CLUS_PARTITION_INFO_EX, PARTITION_EX_ROWS);

static const ndr_name encryption_flags[] = {
    {0x01, "ENCRYPTION_ENABLED"}, {0x04, "ENCRYPTION_DECRYPTED"}, {0x08, "ENCRYPTION_ENCRYPTED"},
    {0x10, "ENCRYPTION_DECRYPTING"}, {0x20, "ENCRYPTION_ENCRYPTING"}, {0x40, "ENCRYPTION_PAUSED"}, {.name = NULL},
};

/* 2.2.3.45. Whether the compiler's pad to a multiple of eight is sent, the drawing leaves open. */
SHARED_BLOB(CLUS_PARTITION_INFO_EX2,
    PARTITION_EX_ROWS,
    F(GUID,                     "GptPartitionId"),
    F(FIXED(WCHAR, 260),        "szPartitionName"),
    F(FLAGS32(encryption_flags), "EncryptionFlags"),
    PAD(8));

static const ndr_name volume_states[] = {
    {0, "SharedVolumeStateUnavailable"},
    {1, "SharedVolumeStatePaused"},
    {2, "SharedVolumeStateActive"},
    {3, "SharedVolumeStateActiveRedirected"},
    {4, "SharedVolumeStateActiveBlockRedirected"},
    {.name = NULL},
};

/* 2.2.3.29 */
#define VOLUME_STATE_ROWS \
    F(FIXED(WCHAR, 260),     "szVolumeName"), \
    F(FIXED(WCHAR, 260),     "szNodeName"), \
    F(ENUM32(volume_states), "VolumeState")
SHARED_BLOB(CLUSTER_SHARED_VOLUME_STATE_INFO, VOLUME_STATE_ROWS);

static const ndr_name redirected_reasons[] = {
    {0x01, "RedirectedIOReasonUserRequest"},
    {0x02, "RedirectedIOReasonIncompatibleFileSystemFilter"},
    {0x04, "RedirectedIOReasonIncompatibleVolumeFilter"},
    {0x08, "RedirectedIOReasonFileSystemConfiguration"},
    {0x10, "RedirectedIOReasonVolumeEncryption"},
    {.name = NULL},
};
static const ndr_name block_redirected_reasons[] = {
    {1, "BlockRedirectedIOReasonNoDiskConnectivity"},
    {2, "BlockRedirectedIOReasonStorageSpaceNotAttached"},
    {.name = NULL},
};

/* 2.2.3.32. The two reasons are aligned as a compiler does. */
SHARED_BLOB(CLUSTER_SHARED_VOLUME_STATE_INFO_EX,
    VOLUME_STATE_ROWS,
    F(FIXED(WCHAR, 260),                 "szVolumeFriendlyName"),
    PAD(8),
    F(FLAGS64(redirected_reasons),       "RedirectedIOReason"),
    F(FLAGS64(block_redirected_reasons), "BlockRedirectedIOReason"));

/* ------------------------------------------------------------------------------------ property lists */

enum { FORMAT_BINARY = 1 };
enum {
    SYNTAX_NAME = 0x00040003, SYNTAX_RESCLASS = 0x00020002, SYNTAX_SCSI_ADDRESS = 0x00060002,
    SYNTAX_PARTITION_INFO = 0x00080001, SYNTAX_PARTITION_INFO_EX = 0x000D0001, SYNTAX_PARTITION_INFO_EX2 = 0x000E0001
};

const ndr_name cmrp_syntaxes[] = {
    {0x00000000, "CLUSPROP_SYNTAX_ENDMARK"},
    {0x00010001, "CLUSPROP_SYNTAX_LIST_VALUE_BINARY"},
    {0x00010002, "CLUSPROP_SYNTAX_LIST_VALUE_DWORD"},
    {0x00010003, "CLUSPROP_SYNTAX_LIST_VALUE_SZ"},
    {0x00010004, "CLUSPROP_SYNTAX_LIST_VALUE_EXPAND_SZ"},
    {0x00010005, "CLUSPROP_SYNTAX_LIST_VALUE_MULTI_SZ"},
    {0x00010006, "CLUSPROP_SYNTAX_LIST_VALUE_ULARGE_INTEGER"},
    {0x00010007, "CLUSPROP_SYNTAX_LIST_VALUE_LONG"},
    {0x00010008, "CLUSPROP_SYNTAX_LIST_VALUE_EXPANDED_SZ"},
    {0x00010009, "CLUSPROP_SYNTAX_LIST_VALUE_SECURITY_DESCRIPTOR"},
    {0x0001000A, "CLUSPROP_SYNTAX_LIST_VALUE_LARGE_INTEGER"},
    {0x0001000B, "CLUSPROP_SYNTAX_LIST_VALUE_WORD"},
    {0x0001000C, "CLUSPROP_SYNTAX_LIST_VALUE_FILETIME"},
    {SYNTAX_RESCLASS, "CLUSPROP_SYNTAX_RESCLASS"},
    {SYNTAX_NAME, "CLUSPROP_SYNTAX_NAME"},
    {0x00050002, "CLUSPROP_SYNTAX_DISK_SIGNATURE"},
    {SYNTAX_SCSI_ADDRESS, "CLUSPROP_SYNTAX_SCSI_ADDRESS"},
    {0x00070002, "CLUSPROP_SYNTAX_DISK_NUMBER"},
    {SYNTAX_PARTITION_INFO, "CLUSPROP_SYNTAX_PARTITION_INFO"},
    {0x000A0003, "CLUSPROP_SYNTAX_DISK_SERIALNUMBER"},
    {0x000B0003, "CLUSPROP_SYNTAX_DISK_GUID"},
    {0x000C0006, "CLUSPROP_SYNTAX_DISK_SIZE"},
    {SYNTAX_PARTITION_INFO_EX, "CLUSPROP_SYNTAX_PARTITION_INFO_EX"},
    {SYNTAX_PARTITION_INFO_EX2, "CLUSPROP_SYNTAX_PARTITION_INFO_EX2"},
    {.name = NULL},
};

/* CLUSTER_PROPERTY_FORMAT, 2.2.2.2: the lower half of a syntax. */
static const ndr_name formats[] = {
    {0, "CLUSPROP_FORMAT_UNKNOWN"},
    {1, "CLUSPROP_FORMAT_BINARY"},
    {2, "CLUSPROP_FORMAT_DWORD"},
    {3, "CLUSPROP_FORMAT_SZ"},
    {4, "CLUSPROP_FORMAT_EXPAND_SZ"},
    {5, "CLUSPROP_FORMAT_MULTI_SZ"},
    {6, "CLUSPROP_FORMAT_ULARGE_INTEGER"},
    {7, "CLUSPROP_FORMAT_LONG"},
    {8, "CLUSPROP_FORMAT_EXPANDED_SZ"},
    {9, "CLUSPROP_FORMAT_SECURITY_DESCRIPTOR"},
    {10, "CLUSPROP_FORMAT_LARGE_INTEGER"},
    {11, "CLUSPROP_FORMAT_WORD"},
    {12, "CLUSPROP_FORMAT_FILETIME"},
    {.name = NULL},
};

static const ndr_type *const types_of_formats[] = {
    [2] = DWORD_VALUE, [3] = SZ_VALUE, [4] = SZ_VALUE, [5] = MULTI_SZ, [6] = ULARGE_INTEGER_VALUE, [7] = LONG_VALUE,
    [8] = SZ_VALUE, [9] = SECURITY_DESCRIPTOR, [10] = LARGE_INTEGER_VALUE, [11] = WORD_VALUE, [12] = FILETIME_VALUE,
};

/* A resource class says that it is a DWORD, and is two where a subclass follows. */
static const ndr_type *value_of(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *syntax,
                                bool response G_GNUC_UNUSED)
{
    uint32_t number = syntax != NULL ? (uint32_t)syntax->number : 0, format = number & 0xFFFF;
    switch (number) {
    case SYNTAX_RESCLASS:
        return length == 4 ? RESOURCE_CLASS_VALUE : CLUS_RESOURCE_CLASS_INFO;
    case SYNTAX_SCSI_ADDRESS:
        return CLUS_SCSI_ADDRESS;
    case SYNTAX_PARTITION_INFO:
        return CLUS_PARTITION_INFO;
    case SYNTAX_PARTITION_INFO_EX:
        return CLUS_PARTITION_INFO_EX;
    case SYNTAX_PARTITION_INFO_EX2:
        return CLUS_PARTITION_INFO_EX2;
    default:
        return format == FORMAT_BINARY                      ? NULL
               : format < G_N_ELEMENTS(types_of_formats) && types_of_formats[format] != NULL ? types_of_formats[format]
                                                            : ndr_opaque;
    }
}

/* 2.2.3.10.1. Both the name and the values' octets are called "buffer" there. Some codes have lists with values of their own, which
 * READ and BY of AS() tell. */
#define VALUE_ROWS(READ, BY) \
    F(HEX32(cmrp_syntaxes),  "Syntax"), \
    F(U32,                   "Size"), \
    F(OCTETS,                "Buffer", SIZE_IS("Size"), AS(READ, BY)), \
    PAD(4)

STRUCT(CLUSPROP_VALUE, VALUE_ROWS(value_of, "Syntax"));

#define PROPERTY_ROWS(VALUE) \
    F(HEX32(cmrp_syntaxes),  "Syntax"), \
    F(U32,                   "Size"), \
    F(SZ,                    "PropertyName", SIZE_IS("Size")), \
    PAD(4), \
    F(ENDED(VALUE),          "PropertyValues")

/* 2.2.3.10. Nothing ends the list, yet Samba's own vectors have an end mark there. */
#define LIST_ROWS(PROPERTY) \
    F(U32,                   "PropertyCount"), \
    F(LIST(PROPERTY),        "PropertyValue", SIZE_IS("PropertyCount")), \
    F(U32,                   "EndMark", OPTIONAL)

STRUCT(Property_Value, PROPERTY_ROWS(CLUSPROP_VALUE));

SHARED_BLOB(PROPERTY_LIST, LIST_ROWS(Property_Value));

SHARED_BLOB(FORMAT_VALUE,
    F(NAMED16(formats), "Format"));

static const ndr_type *format_of(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *none G_GNUC_UNUSED,
                                 bool response G_GNUC_UNUSED)
{
    return length == 2 ? FORMAT_VALUE : NULL;
}

/* 3.1.4.3.1.14: the value is a WORD, which is the format of the property's values. */
STRUCT(Format_Value, VALUE_ROWS(format_of, NULL));

STRUCT(Property_Format, PROPERTY_ROWS(Format_Value));

SHARED_BLOB(PROPERTY_FORMATS, LIST_ROWS(Property_Format));

SHARED_BLOB(VALUE_LIST,
    F(ENDED(CLUSPROP_VALUE), "PropertyValues"),
    F(OCTETS,                "Unused", OPTIONAL));

STRUCT(Value_List,
    F(ENDED(CLUSPROP_VALUE), "PropertyValues"));

SHARED_BLOB(VALUE_LISTS,
    F(LIST(Value_List),      "ValueList"));

static uint32_t u32_at(const uint8_t *octets)
{
    return octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16 | (uint32_t)octets[3] << 24;
}

/* Octets that may be a list or not (3.1.4.2.129 leaves it to the server) are one when they begin with a count and a name. */
const ndr_type *cmrp_property_list(const uint8_t *octets, size_t length, const ndr_value *none G_GNUC_UNUSED,
                                   bool response G_GNUC_UNUSED)
{
    if (length < 4 || (length < 8 && u32_at(octets) != 0))
        return NULL;
    return u32_at(octets) == 0 || u32_at(octets + 4) == SYNTAX_NAME ? PROPERTY_LIST : NULL;
}

/* The same where there should be one. */
const ndr_type *cmrp_operation(const uint8_t *octets, size_t length, const ndr_value *none, bool response)
{
    const ndr_type *type = cmrp_property_list(octets, length, none, response);
    return type != NULL ? type : ndr_opaque;
}

const ndr_type *cmrp_multi_sz(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *none G_GNUC_UNUSED,
                              bool response G_GNUC_UNUSED)
{
    return length >= 2 ? MULTI_SZ : NULL;
}

/* -------------------------------------------------------------------------------------- the registry */

enum { REG_SZ = 1, REG_EXPAND_SZ = 2, REG_DWORD = 4, REG_LINK = 6, REG_MULTI_SZ = 7, REG_QWORD = 11 };

SHARED_BLOB(REG_DWORD_VALUE,
    F(U32,    "Dword"),
    F(OCTETS, "Unused", OPTIONAL));

SHARED_BLOB(REG_QWORD_VALUE,
    F(U64,    "Qword"),
    F(OCTETS, "Unused", OPTIONAL));

const ndr_type *cmrp_registry_value(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *type,
                                    bool response G_GNUC_UNUSED)
{
    switch (type != NULL ? type->number : 0) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
        return SZ_VALUE;
    case REG_MULTI_SZ:
        return MULTI_SZ;
    case REG_DWORD:
        return length >= 4 ? REG_DWORD_VALUE : NULL;
    case REG_QWORD:
        return length >= 8 ? REG_QWORD_VALUE : NULL;
    default:
        return NULL;
    }
}

/* 2.2.2.8 */
enum { CLUSREG_READ_ERROR = 9 };
static const ndr_name commands[] = {
    {0, "CLUSREG_COMMAND_NONE"},
    {1, "CLUSREG_SET_VALUE"},
    {2, "CLUSREG_CREATE_KEY"},
    {3, "CLUSREG_DELETE_KEY"},
    {4, "CLUSREG_DELETE_VALUE"},
    {6, "CLUSREG_VALUE_DELETED"},
    {7, "CLUSREG_READ_KEY"},
    {8, "CLUSREG_READ_VALUE"},
    {CLUSREG_READ_ERROR, "CLUSREG_READ_ERROR"},
    {10, "CLUSREG_CONTROL_COMMAND"},
    {11, "CLUSREG_CONDITION_EXISTS"},
    {12, "CLUSREG_CONDITION_NOT_EXISTS"},
    {13, "CLUSREG_CONDITION_IS_EQUAL"},
    {14, "CLUSREG_CONDITION_IS_NOT_EQUAL"},
    {15, "CLUSREG_CONDITION_IS_GREATER_THAN"},
    {16, "CLUSREG_CONDITION_IS_LESS_THAN"},
    {17, "CLUSREG_CONDITION_KEY_EXISTS"},
    {18, "CLUSREG_CONDITION_KEY_NOT_EXISTS"},
    {.name = NULL},
};

/* A read that failed has its status where others have their value's type. */
static const ndr_type *value_type_of(const uint8_t *octets G_GNUC_UNUSED, size_t length G_GNUC_UNUSED, const ndr_value *command,
                                     bool response G_GNUC_UNUSED)
{
    return command != NULL && command->number == CLUSREG_READ_ERROR ? ERROR : NULL;
}

static const ndr_type *command_data(const uint8_t *octets, size_t length, const ndr_value *command, const ndr_value *type,
                                    bool response)
{
    if (command == NULL || command->number == CLUSREG_READ_ERROR)
        return NULL;
    return cmrp_registry_value(octets, length, type, response);
}

/* 2.2.3.17.1 */
STRUCT(BATCH_UPDATE_COMMAND,
    F(ENUM32(commands),         "CommandType"),
    F(ENUM32(cmrp_value_types), "ValueType", AS(value_type_of, "CommandType")),
    F(U32,                      "NameLength"),
    F(SZ,                       "Name", SIZE_IS("NameLength")),
    F(U32,                      "DataLength"),
    F(OCTETS,                   "Data", SIZE_IS("DataLength"), AS2(command_data, "CommandType", "ValueType")),
    PAD(2));

/* 2.2.3.17 */
SHARED_BLOB(CLUSTER_REG_BATCH_UPDATE,
    F(U32,                        "VersionNumber"),
    F(LIST(BATCH_UPDATE_COMMAND), "BatchUpdateCommand"));

const ndr_type *cmrp_batch(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *none G_GNUC_UNUSED,
                           bool response G_GNUC_UNUSED)
{
    return length >= 4 ? CLUSTER_REG_BATCH_UPDATE : NULL;
}

/* ------------------------------------------------------------------------------------- notifications */

/* 2.2.3.42. Nothing is drawn between the first two; where a compiler's BOOL is, they are four octets each. */
SHARED_BLOB(CLUSTER_MEMBERSHIP_INFO,
    F(NAMED8(cmrp_booleans), "HasQuorum"),
    F(U32,                   "UpNodesSize"),
    F(LIST(U8),              "UpNodes", SIZE_IS("UpNodesSize")));
SHARED_BLOB(CLUSTER_MEMBERSHIP_INFO_ALIGNED,
    F(ENUM32(cmrp_booleans), "HasQuorum"),
    F(U32,                   "UpNodesSize"),
    F(LIST(U8),              "UpNodes", SIZE_IS("UpNodesSize")),
    F(OCTETS,                "Unused", OPTIONAL));

static const ndr_type *membership_of(const uint8_t *octets, size_t length)
{
    if (length >= 5 && u32_at(octets + 1) == length - 5)
        return CLUSTER_MEMBERSHIP_INFO;
    return length >= 8 && u32_at(octets + 4) <= length - 8 ? CLUSTER_MEMBERSHIP_INFO_ALIGNED : NULL;
}

enum { STATE_INFO_LENGTH = 1044 };

static const ndr_type *volume_state_of(const uint8_t *octets G_GNUC_UNUSED, size_t length, const ndr_value *none G_GNUC_UNUSED,
                                       bool response G_GNUC_UNUSED)
{
    if (length < STATE_INFO_LENGTH)
        return NULL;
    return length > STATE_INFO_LENGTH ? CLUSTER_SHARED_VOLUME_STATE_INFO_EX : CLUSTER_SHARED_VOLUME_STATE_INFO;
}

STRUCT(Volume_State_Value, VALUE_ROWS(volume_state_of, NULL));

STRUCT(Volume_State_Property, PROPERTY_ROWS(Volume_State_Value));

SHARED_BLOB(VOLUME_STATES, LIST_ROWS(Volume_State_Property));

/* 3.1.4.2.138, by the object's type and its flags (2.2.2.12 to 2.2.2.24). What is not here is empty or a resource's own. */
static const struct {
    uint32_t        object, flags;
    const ndr_type *type;
} payloads[] = {
    {CMRP_OBJECT_CLUSTER, 0x004, GROUP_TYPE_VALUE},
    {CMRP_OBJECT_CLUSTER, 0x020, NODE_STATE_VALUE},
    {CMRP_OBJECT_CLUSTER, 0x180, PROPERTY_LIST},
    {CMRP_OBJECT_CLUSTER, 0x800, CLUSTER_MEMBERSHIP_INFO},
    {CMRP_OBJECT_CLUSTER, 0x1000, DWORD_VALUE},
    {CMRP_OBJECT_GROUP, 0x006, PROPERTY_LIST},
    {CMRP_OBJECT_GROUP, 0x008, GROUP_STATE_VALUE},
    {CMRP_OBJECT_GROUP, 0x020, MULTI_SZ},
    {CMRP_OBJECT_GROUP, 0x1D0, SZ_VALUE},
    {CMRP_OBJECT_RESOURCE, 0x003, PROPERTY_LIST},
    {CMRP_OBJECT_RESOURCE, 0x004, RESOURCE_STATE_VALUE},
    {CMRP_OBJECT_RESOURCE, 0x060, MULTI_SZ},
    {CMRP_OBJECT_RESOURCE, 0x198, SZ_VALUE},
    {CMRP_OBJECT_RESOURCE_TYPE, 0x06, PROPERTY_LIST},
    {CMRP_OBJECT_RESOURCE_TYPE, 0x08, MULTI_SZ},
    {CMRP_OBJECT_RESOURCE_TYPE, 0x10, SZ_VALUE},
    {CMRP_OBJECT_NETINTERFACE, 0x06, PROPERTY_LIST},
    {CMRP_OBJECT_NETINTERFACE, 0x08, NETINTERFACE_STATE_VALUE},
    {CMRP_OBJECT_NETWORK, 0x06, PROPERTY_LIST},
    {CMRP_OBJECT_NETWORK, 0x08, NETWORK_STATE_VALUE},
    {CMRP_OBJECT_NODE, 0x12, NODE_STATE_VALUE},
    {CMRP_OBJECT_NODE, 0x0C, PROPERTY_LIST},
    {CMRP_OBJECT_NODE, 0x61, SZ_VALUE},
    {CMRP_OBJECT_QUORUM, 0x01, RESOURCE_STATE_VALUE},
    {CMRP_OBJECT_SHARED_VOLUME, 0x01, VOLUME_STATES},
    {CMRP_OBJECT_GROUP_SET, 0x06, PROPERTY_LIST},
};

/* What of it the octets can be; NULL: they have another length. */
static const ndr_type *payload_as(const ndr_type *type, const uint8_t *octets, size_t length, bool response)
{
    if (type == PROPERTY_LIST)
        return cmrp_property_list(octets, length, NULL, response);
    if (type == CLUSTER_MEMBERSHIP_INFO)
        return membership_of(octets, length);
    if (type == VOLUME_STATES && (length < 8 || u32_at(octets + 4) != SYNTAX_NAME))
        return volume_state_of(octets, length, NULL, response); /* the structure by itself, which 2.2.3.29 lets expect */
    if (type == SZ_VALUE || type == MULTI_SZ)
        return length >= 2 ? type : NULL;
    return type == VOLUME_STATES || length == 4 ? type : NULL;
}

const ndr_type *cmrp_notification(const uint8_t *octets, size_t length, const ndr_value *object_type, const ndr_value *flags,
                                  bool response)
{
    const ndr_type *type = NULL;
    if (object_type == NULL || flags == NULL)
        return NULL;
    for (size_t i = 0; type == NULL && i < G_N_ELEMENTS(payloads); i++)
        if (payloads[i].object == object_type->number && (payloads[i].flags & flags->number) != 0)
            type = payload_as(payloads[i].type, octets, length, response);
    return type != NULL ? type : ndr_opaque;
}
