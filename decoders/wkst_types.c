/* wkst_types.c - structures, unions, enumerations and flags of wkssvc, [MS-WKST] v32.0, 2.2.
 *
 * The unions have more arms than the specification gives them. Windows' own interface has them (wkssvc.dll of Windows 7 to 10,
 * names from lmwksta.h and lmuse.h), and so its answers; where the specification has [default], nothing would be expected there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "decoders/wkst_types.h"
#include "decoders/security_descriptor.h"

/* ----------------------------------------------------------------------------- enumerations and flags */

static const ndr_name booleans[] = {{0, "FALSE"}, {1, "TRUE"}, {.name = NULL}};

const ndr_name wkst_join_states[] = {
    {0, "NetSetupUnknownStatus"},
    {1, "NetSetupUnjoined"},
    {2, "NetSetupWorkgroupName"},
    {3, "NetSetupDomainName"},
    {.name = NULL},
};

const ndr_name wkst_name_types[] = {
    {0, "NetSetupUnknown"},
    {1, "NetSetupMachine"},
    {2, "NetSetupWorkgroup"},
    {3, "NetSetupDomain"},
    {4, "NetSetupNonExistentDomain"},
    {5, "NetSetupDnsMachine"},
    {.name = NULL},
};

const ndr_name wkst_computer_name_types[] = {
    {0, "NetPrimaryComputerName"},
    {1, "NetAlternateComputerNames"},
    {2, "NetAllComputerNames"},
    {3, "NetComputerNameTypeMax"},
    {.name = NULL},
};

const ndr_name wkst_preferred_lengths[] = {{0xFFFFFFFF, "MAX_PREFERRED_LENGTH"}, {.name = NULL}};

const ndr_name wkst_info_parameters[] = {
    {13, "WKSTA_KEEPCONN_PARMNUM"},
    {15, "WKSTA_MAXCMDS_PARMNUM"},
    {18, "WKSTA_SESSTIMEOUT_PARMNUM"},
    {46, "WKSTA_DORMANTFILELIMIT_PARMNUM"},
    {.name = NULL},
};

const ndr_name wkst_transport_parameters[] = {
    {201, "TRANSPORT_QUALITYOFSERVICE_PARMNUM"},
    {202, "TRANSPORT_NAME_PARMNUM"},
    {.name = NULL},
};

const ndr_name wkst_use_parameters[] = {
    {1, "USE_LOCAL_PARMNUM"},
    {2, "USE_REMOTE_PARMNUM"},
    {3, "USE_PASSWORD_PARMNUM"},
    {4, "USE_ASGTYPE_PARMNUM"},
    {5, "USE_USERNAME_PARMNUM"},
    {6, "USE_DOMAINNAME_PARMNUM"},
    {.name = NULL},
};

const ndr_name wkst_force_levels[] = {
    {0, "USE_NOFORCE"},
    {1, "USE_FORCE"},
    {2, "USE_LOTS_OF_FORCE"},
    {.name = NULL},
};

/* The specification has no 0x1000 to 0x20000, which are lmjoin.h's; 0x20000 is NETSETUP_ALT_SAMACCOUNTNAME there as well. */
const ndr_name wkst_join_options[] = {
    {0x00000001, "NETSETUP_JOIN_DOMAIN"},
    {0x00000002, "NETSETUP_ACCT_CREATE"},
    {0x00000004, "NETSETUP_ACCT_DELETE"},
    {0x00000010, "NETSETUP_WIN9X_UPGRADE"},
    {0x00000020, "NETSETUP_DOMAIN_JOIN_IF_JOINED"},
    {0x00000040, "NETSETUP_JOIN_UNSECURE"},
    {0x00000080, "NETSETUP_MACHINE_PWD_PASSED"},
    {0x00000100, "NETSETUP_DEFER_SPN_SET"},
    {0x00000200, "NETSETUP_JOIN_DC_ACCOUNT"},
    {0x00000400, "NETSETUP_JOIN_WITH_NEW_NAME"},
    {0x00000800, "NETSETUP_JOIN_READONLY"},
    {0x00001000, "NETSETUP_AMBIGUOUS_DC"},
    {0x00002000, "NETSETUP_NO_NETLOGON_CACHE"},
    {0x00004000, "NETSETUP_DONT_CONTROL_SERVICES"},
    {0x00008000, "NETSETUP_SET_MACHINE_NAME"},
    {0x00010000, "NETSETUP_FORCE_SPN_SET"},
    {0x00020000, "NETSETUP_NO_ACCT_REUSE"},
    {0x00040000, "NETSETUP_INSTALL_INVOCATION"},
    {0x10000000, "NETSETUP_IGNORE_UNSUPPORTED_FLAGS"},
    {.name = NULL},
};

/* NETSETUP_JOIN_DC_ACCOUNT is lmjoin.h's. */
const ndr_name wkst_unjoin_options[] = {
    {0x00000004, "NETSETUP_ACCT_DELETE"},
    {0x00000200, "NETSETUP_JOIN_DC_ACCOUNT"},
    {0x10000000, "NETSETUP_IGNORE_UNSUPPORTED_FLAGS"},
    {.name = NULL},
};

const ndr_name wkst_rename_options[] = {
    {0x00000002, "NETSETUP_ACCT_CREATE"},
    {0x00001000, "NETSETUP_DNS_NAME_CHANGES_ONLY"},
    {.name = NULL},
};

const ndr_name wkst_reserved[] = {{0x00000001, "NET_IGNORE_UNSUPPORTED_FLAGS"}, {.name = NULL}};

/* 2.2.5.1. The specification has only the systems' names; these are lmcons.h's. */
static const ndr_name platforms[] = {
    {300, "PLATFORM_ID_DOS"},
    {400, "PLATFORM_ID_OS2"},
    {500, "PLATFORM_ID_NT"},
    {600, "PLATFORM_ID_OSF"},
    {700, "PLATFORM_ID_VMS"},
    {.name = NULL},
};

/* 2.2.5.23 */
static const ndr_name use_states[] = {
    {0, "USE_OK"},
    {1, "USE_PAUSED"},
    {2, "USE_SESSLOST"},
    {3, "USE_NETERR"},
    {4, "USE_CONN"},
    {5, "USE_RECONN"},
    {.name = NULL},
};
static const ndr_name use_types[] = {
    {0x00000000, "USE_DISKDEV"},
    {0x00000001, "USE_SPOOLDEV"},
    {0x00000002, "USE_CHARDEV"},
    {0x00000003, "USE_IPC"},
    {0xFFFFFFFF, "USE_WILDCARD"},
    {.name = NULL},
};

/* 2.2.5.25 reserves the flags. These are lmuse.h's, which has CREATE_CRED_RESET for 4, too. */
static const ndr_name use_flags[] = {
    {0x00000001, "CREATE_NO_CONNECT"},
    {0x00000002, "CREATE_BYPASS_CSC"},
    {0x00000004, "USE_DEFAULT_CREDENTIALS"},
    {0x00000008, "CREATE_REQUIRE_CONNECTION_INTEGRITY"},
    {0x00000010, "CREATE_REQUIRE_CONNECTION_PRIVACY"},
    {0x00000020, "CREATE_PERSIST_MAPPING"},
    {0x00000040, "CREATE_WRITE_THROUGH_SEMANTICS"},
    {0x00000100, "CREATE_GLOBAL_MAPPING"},
    {.name = NULL},
};

/* --------------------------------------------------------------------- the computer and its redirector */

/* 2.2.5.1 to 2.2.5.3 */
STRUCT(WKSTA_INFO_100,
    F(ENUM32(platforms), "wki100_platform_id"),
    F(UNIQUE(WSTR),      "wki100_computername"),
    F(UNIQUE(WSTR),      "wki100_langroup"),
    F(U32,               "wki100_ver_major"),
    F(U32,               "wki100_ver_minor"));

STRUCT(WKSTA_INFO_101,
    F(ENUM32(platforms), "wki101_platform_id"),
    F(UNIQUE(WSTR),      "wki101_computername"),
    F(UNIQUE(WSTR),      "wki101_langroup"),
    F(U32,               "wki101_ver_major"),
    F(U32,               "wki101_ver_minor"),
    F(UNIQUE(WSTR),      "wki101_lanroot"));

STRUCT(WKSTA_INFO_102,
    F(ENUM32(platforms), "wki102_platform_id"),
    F(UNIQUE(WSTR),      "wki102_computername"),
    F(UNIQUE(WSTR),      "wki102_langroup"),
    F(U32,               "wki102_ver_major"),
    F(U32,               "wki102_ver_minor"),
    F(UNIQUE(WSTR),      "wki102_lanroot"),
    F(U32,               "wki102_logged_on_users"));

/* 2.2.5.4 */
STRUCT(WKSTA_INFO_502,
    F(U32,              "wki502_char_wait"),
    F(U32,              "wki502_collection_time"),
    F(U32,              "wki502_maximum_collection_count"),
    F(SECONDS,          "wki502_keep_conn"),
    F(U32,              "wki502_max_cmds"),
    F(SECONDS,          "wki502_sess_timeout"),
    F(U32,              "wki502_siz_char_buf"),
    F(U32,              "wki502_max_threads"),
    F(U32,              "wki502_lock_quota"),
    F(U32,              "wki502_lock_increment"),
    F(U32,              "wki502_lock_maximum"),
    F(U32,              "wki502_pipe_increment"),
    F(U32,              "wki502_pipe_maximum"),
    F(U32,              "wki502_cache_file_timeout"),
    F(U32,              "wki502_dormant_file_limit"),
    F(U32,              "wki502_read_ahead_throughput"),
    F(U32,              "wki502_num_mailslot_buffers"),
    F(U32,              "wki502_num_srv_announce_buffers"),
    F(U32,              "wki502_max_illegal_datagram_events"),
    F(U32,              "wki502_illegal_datagram_event_reset_frequency"),
    F(ENUM32(booleans), "wki502_log_election_packets"),
    F(ENUM32(booleans), "wki502_use_opportunistic_locking"),
    F(ENUM32(booleans), "wki502_use_unlock_behind"),
    F(ENUM32(booleans), "wki502_use_close_behind"),
    F(ENUM32(booleans), "wki502_buf_named_pipes"),
    F(ENUM32(booleans), "wki502_use_lock_read_unlock"),
    F(ENUM32(booleans), "wki502_utilize_nt_caching"),
    F(ENUM32(booleans), "wki502_use_raw_read"),
    F(ENUM32(booleans), "wki502_use_raw_write"),
    F(ENUM32(booleans), "wki502_use_write_raw_data"),
    F(ENUM32(booleans), "wki502_use_encryption"),
    F(ENUM32(booleans), "wki502_buf_files_deny_write"),
    F(ENUM32(booleans), "wki502_buf_read_only_files"),
    F(ENUM32(booleans), "wki502_force_core_create_mode"),
    F(ENUM32(booleans), "wki502_use_512_byte_max_transfer"));

/* One member of level 502 each: 2.2.5.5 to 2.2.5.7 are 1013, 1018 and 1046, the others lmwksta.h's. Of lmwksta.h's, Windows'
 * interface lacks 1027, 1028 and 1032. */
STRUCT(WKSTA_INFO_1010, F(U32,              "wki1010_char_wait"));
STRUCT(WKSTA_INFO_1011, F(U32,              "wki1011_collection_time"));
STRUCT(WKSTA_INFO_1012, F(U32,              "wki1012_maximum_collection_count"));
STRUCT(WKSTA_INFO_1013, F(SECONDS,          "wki1013_keep_conn"));
STRUCT(WKSTA_INFO_1018, F(SECONDS,          "wki1018_sess_timeout"));
STRUCT(WKSTA_INFO_1023, F(U32,              "wki1023_siz_char_buf"));
STRUCT(WKSTA_INFO_1033, F(U32,              "wki1033_max_threads"));
STRUCT(WKSTA_INFO_1041, F(U32,              "wki1041_lock_quota"));
STRUCT(WKSTA_INFO_1042, F(U32,              "wki1042_lock_increment"));
STRUCT(WKSTA_INFO_1043, F(U32,              "wki1043_lock_maximum"));
STRUCT(WKSTA_INFO_1044, F(U32,              "wki1044_pipe_increment"));
STRUCT(WKSTA_INFO_1045, F(U32,              "wki1045_pipe_maximum"));
STRUCT(WKSTA_INFO_1046, F(U32,              "wki1046_dormant_file_limit"));
STRUCT(WKSTA_INFO_1047, F(U32,              "wki1047_cache_file_timeout"));
STRUCT(WKSTA_INFO_1048, F(ENUM32(booleans), "wki1048_use_opportunistic_locking"));
STRUCT(WKSTA_INFO_1049, F(ENUM32(booleans), "wki1049_use_unlock_behind"));
STRUCT(WKSTA_INFO_1050, F(ENUM32(booleans), "wki1050_use_close_behind"));
STRUCT(WKSTA_INFO_1051, F(ENUM32(booleans), "wki1051_buf_named_pipes"));
STRUCT(WKSTA_INFO_1052, F(ENUM32(booleans), "wki1052_use_lock_read_unlock"));
STRUCT(WKSTA_INFO_1053, F(ENUM32(booleans), "wki1053_utilize_nt_caching"));
STRUCT(WKSTA_INFO_1054, F(ENUM32(booleans), "wki1054_use_raw_read"));
STRUCT(WKSTA_INFO_1055, F(ENUM32(booleans), "wki1055_use_raw_write"));
STRUCT(WKSTA_INFO_1056, F(ENUM32(booleans), "wki1056_use_write_raw_data"));
STRUCT(WKSTA_INFO_1057, F(ENUM32(booleans), "wki1057_use_encryption"));
STRUCT(WKSTA_INFO_1058, F(ENUM32(booleans), "wki1058_buf_files_deny_write"));
STRUCT(WKSTA_INFO_1059, F(ENUM32(booleans), "wki1059_buf_read_only_files"));
STRUCT(WKSTA_INFO_1060, F(ENUM32(booleans), "wki1060_force_core_create_mode"));
STRUCT(WKSTA_INFO_1061, F(ENUM32(booleans), "wki1061_use_512_byte_max_transfer"));
STRUCT(WKSTA_INFO_1062, F(U32,              "wki1062_read_ahead_throughput"));

/* 2.2.4.1 */
SHARED_UNION(WKSTA_INFO, U32,
    ARM(100,  UNIQUE(WKSTA_INFO_100),  "WkstaInfo100"),
    ARM(101,  UNIQUE(WKSTA_INFO_101),  "WkstaInfo101"),
    ARM(102,  UNIQUE(WKSTA_INFO_102),  "WkstaInfo102"),
    ARM(502,  UNIQUE(WKSTA_INFO_502),  "WkstaInfo502"),
    ARM(1010, UNIQUE(WKSTA_INFO_1010), "WkstaInfo1010"),
    ARM(1011, UNIQUE(WKSTA_INFO_1011), "WkstaInfo1011"),
    ARM(1012, UNIQUE(WKSTA_INFO_1012), "WkstaInfo1012"),
    ARM(1013, UNIQUE(WKSTA_INFO_1013), "WkstaInfo1013"),
    ARM(1018, UNIQUE(WKSTA_INFO_1018), "WkstaInfo1018"),
    ARM(1023, UNIQUE(WKSTA_INFO_1023), "WkstaInfo1023"),
    ARM(1033, UNIQUE(WKSTA_INFO_1033), "WkstaInfo1033"),
    ARM(1041, UNIQUE(WKSTA_INFO_1041), "WkstaInfo1041"),
    ARM(1042, UNIQUE(WKSTA_INFO_1042), "WkstaInfo1042"),
    ARM(1043, UNIQUE(WKSTA_INFO_1043), "WkstaInfo1043"),
    ARM(1044, UNIQUE(WKSTA_INFO_1044), "WkstaInfo1044"),
    ARM(1045, UNIQUE(WKSTA_INFO_1045), "WkstaInfo1045"),
    ARM(1046, UNIQUE(WKSTA_INFO_1046), "WkstaInfo1046"),
    ARM(1047, UNIQUE(WKSTA_INFO_1047), "WkstaInfo1047"),
    ARM(1048, UNIQUE(WKSTA_INFO_1048), "WkstaInfo1048"),
    ARM(1049, UNIQUE(WKSTA_INFO_1049), "WkstaInfo1049"),
    ARM(1050, UNIQUE(WKSTA_INFO_1050), "WkstaInfo1050"),
    ARM(1051, UNIQUE(WKSTA_INFO_1051), "WkstaInfo1051"),
    ARM(1052, UNIQUE(WKSTA_INFO_1052), "WkstaInfo1052"),
    ARM(1053, UNIQUE(WKSTA_INFO_1053), "WkstaInfo1053"),
    ARM(1054, UNIQUE(WKSTA_INFO_1054), "WkstaInfo1054"),
    ARM(1055, UNIQUE(WKSTA_INFO_1055), "WkstaInfo1055"),
    ARM(1056, UNIQUE(WKSTA_INFO_1056), "WkstaInfo1056"),
    ARM(1057, UNIQUE(WKSTA_INFO_1057), "WkstaInfo1057"),
    ARM(1058, UNIQUE(WKSTA_INFO_1058), "WkstaInfo1058"),
    ARM(1059, UNIQUE(WKSTA_INFO_1059), "WkstaInfo1059"),
    ARM(1060, UNIQUE(WKSTA_INFO_1060), "WkstaInfo1060"),
    ARM(1061, UNIQUE(WKSTA_INFO_1061), "WkstaInfo1061"),
    ARM(1062, UNIQUE(WKSTA_INFO_1062), "WkstaInfo1062"),
    ARM_DEFAULT(NOTHING,               "none"));

/* Seconds since 1970 (2.2.5.11) leave three octets at one end zero, whatever the byte order. A redirector counts from a FILETIME,
 * and not every server converts it. */
static const ndr_type *statistics_time(const uint8_t *octets, size_t length, const ndr_value *selector G_GNUC_UNUSED,
                                       bool response G_GNUC_UNUSED)
{
    const uint8_t *end = octets + length - 3;
    bool seconds = (octets[0] | octets[1] | octets[2]) == 0 || (end[0] | end[1] | end[2]) == 0;
    return seconds ? NULL : FILETIME;
}

/* 2.2.5.11 */
SHARED_STRUCT(STAT_WORKSTATION_0,
    F(TIME, "StatisticsStartTime", AS(statistics_time, NULL)),
    F(I64,  "BytesReceived"),
    F(I64,  "SmbsReceived"),
    F(I64,  "PagingReadBytesRequested"),
    F(I64,  "NonPagingReadBytesRequested"),
    F(I64,  "CacheReadBytesRequested"),
    F(I64,  "NetworkReadBytesRequested"),
    F(I64,  "BytesTransmitted"),
    F(I64,  "SmbsTransmitted"),
    F(I64,  "PagingWriteBytesRequested"),
    F(I64,  "NonPagingWriteBytesRequested"),
    F(I64,  "CacheWriteBytesRequested"),
    F(I64,  "NetworkWriteBytesRequested"),
    F(U32,  "InitiallyFailedOperations"),
    F(U32,  "FailedCompletionOperations"),
    F(U32,  "ReadOperations"),
    F(U32,  "RandomReadOperations"),
    F(U32,  "ReadSmbs"),
    F(U32,  "LargeReadSmbs"),
    F(U32,  "SmallReadSmbs"),
    F(U32,  "WriteOperations"),
    F(U32,  "RandomWriteOperations"),
    F(U32,  "WriteSmbs"),
    F(U32,  "LargeWriteSmbs"),
    F(U32,  "SmallWriteSmbs"),
    F(U32,  "RawReadsDenied"),
    F(U32,  "RawWritesDenied"),
    F(U32,  "NetworkErrors"),
    F(U32,  "Sessions"),
    F(U32,  "FailedSessions"),
    F(U32,  "Reconnects"),
    F(U32,  "CoreConnects"),
    F(U32,  "Lanman20Connects"),
    F(U32,  "Lanman21Connects"),
    F(U32,  "LanmanNtConnects"),
    F(U32,  "ServerDisconnects"),
    F(U32,  "HungSessions"),
    F(U32,  "UseCount"),
    F(U32,  "FailedUseCount"),
    F(U32,  "CurrentCommands"));

/* -------------------------------------------------------------------------------- users and transports */

/* 2.2.5.9, 2.2.5.10 */
STRUCT(WKSTA_USER_INFO_0,
    F(UNIQUE(WSTR), "wkui0_username"));

STRUCT(WKSTA_USER_INFO_1,
    F(UNIQUE(WSTR), "wkui1_username"),
    F(UNIQUE(WSTR), "wkui1_logon_domain"),
    F(UNIQUE(WSTR), "wkui1_oth_domains"),
    F(UNIQUE(WSTR), "wkui1_logon_server"));

/* 2.2.5.12, 2.2.5.13 */
STRUCT(WKSTA_USER_INFO_0_CONTAINER,
    F(U32,                             "EntriesRead"),
    F(UNIQUE(CONF(WKSTA_USER_INFO_0)), "Buffer", SIZE_IS("EntriesRead")));

STRUCT(WKSTA_USER_INFO_1_CONTAINER,
    F(U32,                             "EntriesRead"),
    F(UNIQUE(CONF(WKSTA_USER_INFO_1)), "Buffer", SIZE_IS("EntriesRead")));

/* 2.2.5.14. Level 1101, other domains, is only in the methods of opnums 3 and 4, which stay within the computer. */
UNION(WKSTA_USER_ENUM_UNION, U32,
    ARM(0, UNIQUE(WKSTA_USER_INFO_0_CONTAINER), "Level0"),
    ARM(1, UNIQUE(WKSTA_USER_INFO_1_CONTAINER), "Level1"),
    ARM_DEFAULT(NOTHING,                        "none"));

SHARED_STRUCT(WKSTA_USER_ENUM_STRUCT,
    F(U32,                   "Level"),
    F(WKSTA_USER_ENUM_UNION, "WkstaUserInfo", SWITCH_IS("Level")));

/* 2.2.5.8 */
SHARED_STRUCT(WKSTA_TRANSPORT_INFO_0,
    F(U32,              "wkti0_quality_of_service"),
    F(U32,              "wkti0_number_of_vcs"),
    F(UNIQUE(WSTR),     "wkti0_transport_name"),
    F(UNIQUE(WSTR),     "wkti0_transport_address"),
    F(ENUM32(booleans), "wkti0_wan_ish"));

/* 2.2.5.15 */
STRUCT(WKSTA_TRANSPORT_INFO_0_CONTAINER,
    F(U32,                                  "EntriesRead"),
    F(UNIQUE(CONF(WKSTA_TRANSPORT_INFO_0)), "Buffer", SIZE_IS("EntriesRead")));

/* 2.2.5.16 */
UNION(WKSTA_TRANSPORT_ENUM_UNION, U32,
    ARM(0, UNIQUE(WKSTA_TRANSPORT_INFO_0_CONTAINER), "Level0"),
    ARM_DEFAULT(NOTHING,                             "none"));

SHARED_STRUCT(WKSTA_TRANSPORT_ENUM_STRUCT,
    F(U32,                        "Level"),
    F(WKSTA_TRANSPORT_ENUM_UNION, "WkstaTransportInfo", SWITCH_IS("Level")));

/* --------------------------------------------------------------------------------- joining and names */

/* 2.2.5.17 and 2.2.5.18.3: the salt is clear, Buffer and Length are sealed together. */
SHARED_BLOB(ENCRYPTED_JOINPR_USER_PASSWORD,
    F(FIXED(U8, 8),   "Obfuscator"),
    F(FIXED(U8, 516), "Encrypted"));

static const ndr_type *encrypted_password(const uint8_t *octets G_GNUC_UNUSED, size_t length G_GNUC_UNUSED,
                                          const ndr_value *selector G_GNUC_UNUSED, bool response G_GNUC_UNUSED)
{
    return ENCRYPTED_JOINPR_USER_PASSWORD;
}

const ndr_type *const wkst_blobs[] = {ENCRYPTED_JOINPR_USER_PASSWORD, SECURITY_DESCRIPTOR, NULL};

/* 2.2.5.18 */
SHARED_STRUCT(JOINPR_ENCRYPTED_USER_PASSWORD,
    F(FIXED(U8, 524), "Buffer", AS(encrypted_password, NULL)));

/* 2.2.5.19 */
SHARED_STRUCT(JOINPR_ENCRYPTED_USER_PASSWORD_AES,
    F(FIXED(U8, 64),    "AuthData"),
    F(FIXED(U8, 16),    "Salt"),
    F(U32,              "cbCipher", RANGE(0, 524)),
    F(UNIQUE(CONF(U8)), "Cipher",   SIZE_IS("cbCipher")));

/* 2.2.5.20 */
STRUCT(UNICODE_STRING,
    F(U16,                 "Length"),
    F(U16,                 "MaximumLength"),
    F(UNIQUE(CVAR(WCHAR)), "Buffer", SIZE_IS("MaximumLength"), LENGTH_IS("Length"), DIV(2)));

/* 2.2.5.21 */
SHARED_STRUCT(NET_COMPUTER_NAME_ARRAY,
    F(U32,                          "EntryCount"),
    F(UNIQUE(CONF(UNICODE_STRING)), "ComputerNames", SIZE_IS("EntryCount")));

/* ------------------------------------------------------------------------------------------- shares in use */

/* 2.2.5.22 to 2.2.5.25 */
STRUCT(USE_INFO_0,
    F(UNIQUE(WSTR), "ui0_local"),
    F(UNIQUE(WSTR), "ui0_remote"));

STRUCT(USE_INFO_1,
    F(UNIQUE(WSTR),       "ui1_local"),
    F(UNIQUE(WSTR),       "ui1_remote"),
    F(UNIQUE(WSTR),       "ui1_password", SECRET),
    F(ENUM32(use_states), "ui1_status"),
    F(ENUM32(use_types),  "ui1_asg_type"),
    F(U32,                "ui1_refcount"),
    F(U32,                "ui1_usecount"));

STRUCT(USE_INFO_2,
    F(USE_INFO_1,   "ui2_useinfo"),
    F(UNIQUE(WSTR), "ui2_username"),
    F(UNIQUE(WSTR), "ui2_domainname"));

STRUCT(USE_INFO_3,
    F(USE_INFO_2,         "ui3_ui2"),
    F(FLAGS32(use_flags), "ui3_flags"));

/* lmuse.h's */
STRUCT(USE_INFO_4,
    F(USE_INFO_3,       "ui4_ui3"),
    F(U32,              "ui4_auth_identity_length"),
    F(UNIQUE(CONF(U8)), "ui4_auth_identity", SIZE_IS("ui4_auth_identity_length")));

STRUCT(USE_INFO_5,
    F(USE_INFO_3,       "ui4_ui3"),
    F(U32,              "ui4_auth_identity_length"),
    F(UNIQUE(CONF(U8)), "ui4_auth_identity",       SIZE_IS("ui4_auth_identity_length")),
    F(U32,              "ui5_security_descriptor_length"),
    F(UNIQUE(CONF(U8)), "ui5_security_descriptor", SIZE_IS("ui5_security_descriptor_length"),
                        AS(security_descriptor_choose, NULL)),
    F(U32,              "ui5_use_options_length"),
    F(UNIQUE(CONF(U8)), "ui5_use_options",         SIZE_IS("ui5_use_options_length")));

/* 2.2.4.2 */
SHARED_UNION(USE_INFO, U32,
    ARM(0, UNIQUE(USE_INFO_0), "UseInfo0"),
    ARM(1, UNIQUE(USE_INFO_1), "UseInfo1"),
    ARM(2, UNIQUE(USE_INFO_2), "UseInfo2"),
    ARM(3, UNIQUE(USE_INFO_3), "UseInfo3"),
    ARM(4, UNIQUE(USE_INFO_4), "UseInfo4"),
    ARM(5, UNIQUE(USE_INFO_5), "UseInfo5"),
    ARM_DEFAULT(NOTHING,       "none"));

/* 2.2.5.26 to 2.2.5.28. The specification forgets size_is, though EntriesRead counts entries; Windows' interface has it. */
STRUCT(USE_INFO_0_CONTAINER,
    F(U32,                      "EntriesRead"),
    F(UNIQUE(CONF(USE_INFO_0)), "Buffer", SIZE_IS("EntriesRead")));

STRUCT(USE_INFO_1_CONTAINER,
    F(U32,                      "EntriesRead"),
    F(UNIQUE(CONF(USE_INFO_1)), "Buffer", SIZE_IS("EntriesRead")));

STRUCT(USE_INFO_2_CONTAINER,
    F(U32,                      "EntriesRead"),
    F(UNIQUE(CONF(USE_INFO_2)), "Buffer", SIZE_IS("EntriesRead")));

/* Windows' */
STRUCT(USE_INFO_3_CONTAINER,
    F(U32,                      "EntriesRead"),
    F(UNIQUE(CONF(USE_INFO_3)), "Buffer", SIZE_IS("EntriesRead")));

/* 2.2.5.29 */
UNION(USE_ENUM_UNION, U32,
    ARM(0, UNIQUE(USE_INFO_0_CONTAINER), "Level0"),
    ARM(1, UNIQUE(USE_INFO_1_CONTAINER), "Level1"),
    ARM(2, UNIQUE(USE_INFO_2_CONTAINER), "Level2"),
    ARM(3, UNIQUE(USE_INFO_3_CONTAINER), "Level3"),
    ARM_DEFAULT(NOTHING,                 "none"));

SHARED_STRUCT(USE_ENUM_STRUCT,
    F(U32,            "Level"),
    F(USE_ENUM_UNION, "UseInfo", SWITCH_IS("Level")));
