/* wkst.c - Workstation Service Remote Protocol (wkssvc), [MS-WKST] v32.0.
 *
 * Opnums 31 to 37 are those of the AES generation, and the specification contradicts itself and Windows there:
 *   - 33 and 37: the text has JOINPR_ENCRYPTED_USER_PASSWORD_AES, the IDL JOINPR_ENCRYPTED_USER_PASSWORD;
 *   - 35 to 37: in a wkssvc.dll of Windows Server 2022 NetrGetJoinableOUs3 has opnum 35 and the three others are one further on,
 *     so that there is an opnum 38, which the specification does not have at all.
 * And NetrWkstaSetInfo's ErrorParameter is [unique] there and in Windows, but not in Samba.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/interfaces.h"
#include "decoders/wkst_types.h"

/* What several methods have alike. RpcBindingHandle, a handle_t, is not on the wire. */
#define SERVER_NAME IN(UNIQUE(WSTR), "ServerName")
#define SET_INFO_ROWS(PARAMETER) \
        SERVER_NAME, \
        IN   (U32,        "Level"), \
        IN   (WKSTA_INFO, "WkstaInfo", SWITCH_IS("Level")), \
        INOUT(PARAMETER,  "ErrorParameter")
#define ENUM_ROWS \
        IN   (NAMED32(wkst_preferred_lengths), "PreferredMaximumLength"), \
        OUT  (U32,                             "TotalEntries"), \
        INOUT(UNIQUE(U32),                     "ResumeHandle")
#define JOIN_ROWS(PASSWORD) \
        SERVER_NAME, \
        IN (WSTR,                       "DomainNameParam"), \
        IN (UNIQUE(WSTR),               "MachineAccountOU"), \
        IN (UNIQUE(WSTR),               "AccountName"), \
        IN (UNIQUE(PASSWORD),           "Password"), \
        IN (FLAGS32(wkst_join_options), "Options")
#define UNJOIN_ROWS(PASSWORD) \
        SERVER_NAME, \
        IN (UNIQUE(WSTR),                 "AccountName"), \
        IN (UNIQUE(PASSWORD),             "Password"), \
        IN (FLAGS32(wkst_unjoin_options), "Options")
#define RENAME_ROWS(PASSWORD) \
        SERVER_NAME, \
        IN (UNIQUE(WSTR),                 "MachineName"), \
        IN (UNIQUE(WSTR),                 "AccountName"), \
        IN (UNIQUE(PASSWORD),             "Password"), \
        IN (FLAGS32(wkst_rename_options), "Options")
#define JOINABLE_ROWS(PASSWORD) \
        SERVER_NAME, \
        IN   (WSTR,                       "DomainNameParam"), \
        IN   (UNIQUE(WSTR),               "AccountName"), \
        IN   (UNIQUE(PASSWORD),           "Password"), \
        INOUT(U32,                        "OUCount"), \
        OUT  (UNIQUE(CONF(UNIQUE(WSTR))), "OUs", SIZE_IS("OUCount"))
#define VALIDATE_ROWS(PASSWORD) \
        SERVER_NAME, \
        IN (WSTR,                    "NameToValidate"), \
        IN (UNIQUE(WSTR),            "AccountName"), \
        IN (UNIQUE(PASSWORD),        "Password"), \
        IN (ENUM16(wkst_name_types), "NameType")
#define COMPUTER_NAME_ROWS(NAME, PASSWORD) \
        SERVER_NAME, \
        IN (UNIQUE(WSTR),           NAME), \
        IN (UNIQUE(WSTR),           "DomainAccount"), \
        IN (UNIQUE(PASSWORD),       "EncryptedPassword"), \
        IN (FLAGS32(wkst_reserved), "Reserved")

static const ndr_method methods[] = {
    METHOD(0, NetrWkstaGetInfo, "3.2.4.1", ERROR,
        SERVER_NAME,
        IN (U32,        "Level"),
        OUT(WKSTA_INFO, "WkstaInfo", SWITCH_IS("Level"))),
    METHOD_OR(1, NetrWkstaSetInfo, "3.2.4.2", ERROR,
        OTHERS(OTHER("Samba, whose ErrorParameter of NetrWkstaSetInfo is no pointer",
                     SET_INFO_ROWS(NAMED32(wkst_info_parameters)))),
        SET_INFO_ROWS(UNIQUE(NAMED32(wkst_info_parameters)))),
    METHOD(2, NetrWkstaUserEnum, "3.2.4.3", ERROR,
        SERVER_NAME,
        INOUT(WKSTA_USER_ENUM_STRUCT, "UserInfo"),
        ENUM_ROWS),
    RESERVED(3, Opnum3NotUsedOnWire, "3.2.4"), /* NetrWkstaUserGetInfo */
    RESERVED(4, Opnum4NotUsedOnWire, "3.2.4"), /* NetrWkstaUserSetInfo */
    METHOD(5, NetrWkstaTransportEnum, "3.2.4.4", ERROR,
        SERVER_NAME,
        INOUT(WKSTA_TRANSPORT_ENUM_STRUCT, "TransportInfo"),
        ENUM_ROWS),
    METHOD(6, NetrWkstaTransportAdd, "3.2.4.5", ERROR,
        SERVER_NAME,
        IN   (U32,                                        "Level"),
        IN   (WKSTA_TRANSPORT_INFO_0,                     "TransportInfo"),
        INOUT(UNIQUE(NAMED32(wkst_transport_parameters)), "ErrorParameter")),
    METHOD(7, NetrWkstaTransportDel, "3.2.4.6", ERROR,
        SERVER_NAME,
        IN (UNIQUE(WSTR),              "TransportName"),
        IN (ENUM32(wkst_force_levels), "ForceLevel")),
    METHOD(8, NetrUseAdd, "3.2.4.7", ERROR,
        SERVER_NAME,
        IN   (U32,                                  "Level"),
        IN   (USE_INFO,                             "InfoStruct", SWITCH_IS("Level")),
        INOUT(UNIQUE(NAMED32(wkst_use_parameters)), "ErrorParameter")),
    METHOD(9, NetrUseGetInfo, "3.2.4.8", ERROR,
        SERVER_NAME,
        IN (WSTR,     "UseName"),
        IN (U32,      "Level"),
        OUT(USE_INFO, "InfoStruct", SWITCH_IS("Level"))),
    METHOD(10, NetrUseDel, "3.2.4.9", ERROR,
        SERVER_NAME,
        IN (WSTR,                      "UseName"),
        IN (ENUM32(wkst_force_levels), "ForceLevel")),
    METHOD(11, NetrUseEnum, "3.2.4.10", ERROR,
        SERVER_NAME,
        INOUT(USE_ENUM_STRUCT, "InfoStruct"),
        ENUM_ROWS),
    RESERVED(12, Opnum12NotUsedOnWire, "3.2.4"), /* NetrMessageBufferSend */
    METHOD(13, NetrWorkstationStatisticsGet, "3.2.4.11", ERROR,
        SERVER_NAME,
        IN (UNIQUE(WSTR),               "ServiceName"),
        IN (U32,                        "Level"),
        IN (U32,                        "Options"),
        OUT(UNIQUE(STAT_WORKSTATION_0), "Buffer")),
    RESERVED(14, Opnum14NotUsedOnWire, "3.2.4"), /* I_NetrLogonDomainNameAdd */
    RESERVED(15, Opnum15NotUsedOnWire, "3.2.4"), /* I_NetrLogonDomainNameDel */
    RESERVED(16, Opnum16NotUsedOnWire, "3.2.4"), /* NetrJoinDomain */
    RESERVED(17, Opnum17NotUsedOnWire, "3.2.4"), /* NetrUnjoinDomain */
    RESERVED(18, Opnum18NotUsedOnWire, "3.2.4"), /* NetrRenameMachineInDomain */
    RESERVED(19, Opnum19NotUsedOnWire, "3.2.4"), /* NetrValidateName */
    METHOD(20, NetrGetJoinInformation, "3.2.4.12", ERROR,
        SERVER_NAME,
        INOUT(UNIQUE(WSTR),             "NameBuffer"),
        OUT  (ENUM16(wkst_join_states), "BufferType")),
    RESERVED(21, Opnum21NotUsedOnWire, "3.2.4"), /* NetrGetJoinableOUs */
    METHOD(22, NetrJoinDomain2, "3.2.4.13", ERROR, JOIN_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(23, NetrUnjoinDomain2, "3.2.4.14", ERROR, UNJOIN_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(24, NetrRenameMachineInDomain2, "3.2.4.15", ERROR, RENAME_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(25, NetrValidateName2, "3.2.4.16", ERROR, VALIDATE_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(26, NetrGetJoinableOUs2, "3.2.4.17", ERROR, JOINABLE_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(27, NetrAddAlternateComputerName, "3.2.4.18", ERROR,
        COMPUTER_NAME_ROWS("AlternateName", JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(28, NetrRemoveAlternateComputerName, "3.2.4.19", ERROR,
        COMPUTER_NAME_ROWS("AlternateName", JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(29, NetrSetPrimaryComputerName, "3.2.4.20", ERROR,
        COMPUTER_NAME_ROWS("PrimaryName", JOINPR_ENCRYPTED_USER_PASSWORD)),
    METHOD(30, NetrEnumerateComputerNames, "3.2.4.21", ERROR,
        SERVER_NAME,
        IN (ENUM16(wkst_computer_name_types), "NameType"),
        IN (FLAGS32(wkst_reserved),           "Reserved"),
        OUT(UNIQUE(NET_COMPUTER_NAME_ARRAY),  "ComputerNames")),
    METHOD(31, NetrJoinDomain3, "3.2.4.22", ERROR, JOIN_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD(32, NetrUnjoinDomain3, "3.2.4.23", ERROR, UNJOIN_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD_OR(33, NetrRenameMachineInDomain3, "3.2.4.24", ERROR,
        OTHERS(OTHER("NetrRenameMachineInDomain3 with JOINPR_ENCRYPTED_USER_PASSWORD",
                     RENAME_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD))),
        RENAME_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD(34, NetrValidateName3, "3.2.4.25", ERROR, VALIDATE_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD_OR(35, NetrAddAlternateComputerName2, "3.2.4.26", ERROR,
        OTHERS(OTHER("NetrGetJoinableOUs3", JOINABLE_ROWS(JOINPR_ENCRYPTED_USER_PASSWORD_AES))),
        COMPUTER_NAME_ROWS("AlternateName", JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD_OR(36, NetrRemoveAlternateComputerName2, "3.2.4.27", ERROR,
        OTHERS(SAME("NetrAddAlternateComputerName2")),
        COMPUTER_NAME_ROWS("AlternateName", JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD_OR(37, NetrSetPrimaryComputerName2, "3.2.4.28", ERROR,
        OTHERS(SAME("NetrRemoveAlternateComputerName2"),
               OTHER("NetrSetPrimaryComputerName2 with JOINPR_ENCRYPTED_USER_PASSWORD",
                     COMPUTER_NAME_ROWS("PrimaryName", JOINPR_ENCRYPTED_USER_PASSWORD))),
        COMPUTER_NAME_ROWS("PrimaryName", JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
    METHOD(38, NetrSetPrimaryComputerName2, "3.2.4.28", ERROR,
        COMPUTER_NAME_ROWS("PrimaryName", JOINPR_ENCRYPTED_USER_PASSWORD_AES)),
};

const ndr_interface wkst_interface = {
    .protocol = "wkst",
    .name = "wkssvc",
    .spec = "MS-WKST",
    .uuid = {0x6bffd098, 0xa112, 0x3610, {0x98, 0x33, 0x46, 0xc3, 0xf8, 0x7e, 0x34, 0x5a}},
    .version_major = 1,
    .methods = methods,
    .method_count = G_N_ELEMENTS(methods),
    .blobs = wkst_blobs,
    .seals = true,
};
