/* wkst_test.c - wkssvc's tables: that they are whole, that every method's stubs are read to the last octet with every level, and
 * what real peers send. ndr_events.h says how the expected text is written. All vectors are made by hand or by ndr_encode.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "decoders/interfaces.h"
#include "decoders/wkst_types.h"
#include "tests/ndr_try.h"

/* ---------------------------------------------------------------------------------------- coverage */

/* [MS-WKST] 3.2.4 reserves these; 38 is not the specification's. */
static const uint32_t reserved[] = {3, 4, 12, 14, 15, 16, 17, 18, 19, 21};
enum { LAST = 38, METHODS = 29 };

static bool is_reserved(uint32_t opnum)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
        if (reserved[i] == opnum)
            return true;
    return false;
}

static void test_coverage(void)
{
    unsigned described = 0;
    g_assert_cmpuint(wkst_interface.method_count, ==, LAST + 1);
    for (uint32_t opnum = 0; opnum <= LAST; opnum++) {
        const ndr_method *method = &wkst_interface.methods[opnum];
        char *name = g_strdup_printf("Opnum%uNotUsedOnWire", opnum);
        g_assert_cmpint(method->reserved, ==, is_reserved(opnum));
        if (method->reserved)
            g_assert_cmpstr(method->name, ==, name);
        else
            g_assert_true(g_str_has_prefix(method->name, "Netr"));
        g_free(name);
        g_assert_true(g_str_has_prefix(method->section, "3.2.4"));
        described += !method->reserved && method->params != NULL && method->params[0].type != NULL;
    }
    g_test_message("wkst: %u/%u methods", described, METHODS);
    g_assert_cmpuint(described, ==, METHODS);
    g_assert_true(interfaces_find(&wkst_interface.uuid, 1) == &wkst_interface);
    g_assert_null(interfaces_find(&wkst_interface.uuid, 0));
    g_assert_true(interfaces_of_protocol("wkst") == &wkst_interface);
}

static void test_methods(void)
{
    try_interface(&wkst_interface);
}

/* What the unions have, by the specification and by Windows. */
static const ndr_type *arm_of(const ndr_type *type, uint32_t tag)
{
    for (const ndr_field *arm = type->fields; arm->type != NULL; arm++)
        if (!arm->is_default && arm->tag == tag)
            return arm->type->of;
    return NULL;
}

static void test_levels(void)
{
    static const uint32_t info[] = {
        100, 101, 102, 502, 1010, 1011, 1012, 1013, 1018, 1023, 1033, 1041, 1042, 1043, 1044, 1045, 1046, 1047, 1048, 1049, 1050,
        1051, 1052, 1053, 1054, 1055, 1056, 1057, 1058, 1059, 1060, 1061, 1062,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(info); i++) {
        char *type = g_strdup_printf("WKSTA_INFO_%u", info[i]), *prefix = g_strdup_printf("wki%u_", info[i]);
        const ndr_type *found = arm_of(WKSTA_INFO, info[i]);
        g_assert_cmpstr(found->name, ==, type);
        for (const ndr_field *row = found->fields; row->type != NULL; row++)
            g_assert_true(g_str_has_prefix(row->name, prefix));
        g_free(type);
        g_free(prefix);
    }
    g_assert_cmpuint(encode_arms(WKSTA_INFO), ==, G_N_ELEMENTS(info) + 1);
    g_assert_cmpuint(encode_arms(USE_INFO), ==, 6 + 1);
    for (uint32_t level = 0; level < 6; level++) {
        char *type = g_strdup_printf("USE_INFO_%u", level);
        g_assert_cmpstr(arm_of(USE_INFO, level)->name, ==, type);
        g_free(type);
    }
    unsigned rows = 0;
    while (arm_of(WKSTA_INFO, 502)->fields[rows].type != NULL)
        rows++;
    g_assert_cmpuint(rows, ==, 35);
}

/* ------------------------------------------------------------------------------------- information levels */

#define POINTER(N) "0" #N "000200 "
#define SERVER_HEX POINTER(0) "02000000 00000000 02000000 6100 0000 " /* "a" */
#define SERVER_TEXT "ServerName = a @16+4\n"
#define OK_HEX "00000000"
#define OK_TEXT(AT) "return = 0 (ERROR_SUCCESS) @" #AT "+4\n"

static void test_info(void)
{
    expect_request(&wkst_interface, 0, "00000000 64000000", "ServerName = null @0+4\n" "Level = 100 @4+4\n");
    expect_response(&wkst_interface, 0,
        "64000000 " POINTER(4) "f4010000 " POINTER(8) "00000000 0a000000 00000000 "
        "02000000 00000000 02000000 5000 0000 " OK_HEX,
        "WkstaInfo { 100 @0\n"
        "} +8\n"
        "  ^1 WkstaInfo100 { 0 @8\n"
        "    wki100_platform_id = 500 (PLATFORM_ID_NT) @8+4\n"
        "    wki100_langroup = null @16+4\n"
        "    wki100_ver_major = 10 @20+4\n"
        "    wki100_ver_minor = 0 @24+4\n"
        "  } +20\n"
        "    ^2 wki100_computername = P @40+4\n" OK_TEXT(44));
    expect_request(&wkst_interface, 1, "00000000 f5030000 f5030000 " POINTER(4) "58020000 " POINTER(8) "00000000",
        "ServerName = null @0+4\n"
        "Level = 1013 @4+4\n"
        "WkstaInfo { 1013 @8\n"
        "} +8\n"
        "  ^1 WkstaInfo1013 { 0 @16\n"
        "    wki1013_keep_conn = 600 seconds @16+4\n"
        "  } +4\n"
        "ErrorParameter = 0 @24+4\n");
    expect_response(&wkst_interface, 1, POINTER(0) "0d000000 57000000",
        "ErrorParameter = 13 (WKSTA_KEEPCONN_PARMNUM) @4+4\n" "return = 87 (ERROR_INVALID_PARAMETER) @8+4\n");
}

/* A level that has no arm has no octets either (2.2.4.1, [default]). Windows does not know 1027, Samba has a pointer there. */
static void test_no_level(void)
{
    expect_response(&wkst_interface, 0, "07000000 7c000000",
        "WkstaInfo { 7 @0\n" "} +4\n" "return = 124 (ERROR_INVALID_LEVEL) @4+4\n");
    expect_response(&wkst_interface, 0, "fc030000 00000000",
        "WkstaInfo { 1020 @0\n" "} +4\n" OK_TEXT(4));
    expect_request(&wkst_interface, 1, "00000000 64000000 07000000 00000000",
        "ServerName = null @0+4\n" "Level = 100 @4+4\n"
        "! the tag of WkstaInfo is 7, but switch_is Level is 100 @8+4\n"
        "WkstaInfo { 7 @8\n" "} +4\n"
        "ErrorParameter = null @12+4\n");
}

/* ---------------------------------------------------------------------------------------- enumerations */

static void test_users(void)
{
    expect_request(&wkst_interface, 2,
        "00000000 01000000 01000000 " POINTER(4) "00000000 00000000 ffffffff " POINTER(8) "00000000",
        "ServerName = null @0+4\n"
        "UserInfo { 0 @4\n"
        "  Level = 1 @4+4\n"
        "  WkstaUserInfo { 1 @8\n"
        "  } +8\n"
        "} +12\n"
        "    ^2 Level1 { 0 @16\n"
        "      EntriesRead = 0 @16+4\n"
        "      Buffer = null @20+4\n"
        "    } +8\n"
        "PreferredMaximumLength = 4294967295 (MAX_PREFERRED_LENGTH) @24+4\n"
        "ResumeHandle = 0 @32+4\n");
    expect_response(&wkst_interface, 2,
        "00000000 00000000 " POINTER(0) "02000000 " POINTER(4) "02000000 " POINTER(8) POINTER(9)
        "02000000 00000000 02000000 6100 0000 02000000 00000000 02000000 6200 0000 "
        "05000000 " POINTER(1) "20010000 ea000000",
        "UserInfo { 0 @0\n"
        "  Level = 0 @0+4\n"
        "  WkstaUserInfo { 0 @4\n"
        "  } +8\n"
        "} +12\n"
        "    ^2 Level0 { 0 @12\n"
        "      EntriesRead = 2 @12+4\n"
        "    } +8\n"
        "      ^3 Buffer { 2 @20\n"
        "        Buffer[0] { 0 @24\n"
        "        } +4\n"
        "        Buffer[1] { 0 @28\n"
        "        } +4\n"
        "      } +12\n"
        "          ^5 wkui0_username = a @44+4\n"
        "          ^6 wkui0_username = b @60+4\n"
        "TotalEntries = 5 @64+4\n"
        "ResumeHandle = 288 @72+4\n"
        "return = 234 (ERROR_MORE_DATA) @76+4\n");
}

/* A null pointer where entries are said to be: MS-WKST 3.2.4 has the runtime refuse it. */
static void test_null_buffer(void)
{
    expect_request(&wkst_interface, 5, "00000000 00000000 00000000 " POINTER(4) "03000000 00000000 00000000 00000000",
        "ServerName = null @0+4\n"
        "TransportInfo { 0 @4\n"
        "  Level = 0 @4+4\n"
        "  WkstaTransportInfo { 0 @8\n"
        "  } +8\n"
        "} +12\n"
        "    ^2 Level0 { 0 @16\n"
        "      EntriesRead = 3 @16+4\n"
        "      Buffer = null @20+4\n"
        "      ! max_count of Buffer is 0, but size_is EntriesRead makes it 3 @20+4\n"
        "    } +8\n"
        "PreferredMaximumLength = 0 @24+4\n"
        "ResumeHandle = null @28+4\n");
}

static void test_uses(void)
{
    expect_request(&wkst_interface, 8,
        "00000000 03000000 03000000 " POINTER(0)
        "00000000 00000000 00000000 02000000 ffffffff 00000000 00000000 00000000 00000000 06020000 00000000",
        "ServerName = null @0+4\n"
        "Level = 3 @4+4\n"
        "InfoStruct { 3 @8\n"
        "} +8\n"
        "  ^1 UseInfo3 { 0 @16\n"
        "    ui3_ui2 { 0 @16\n"
        "      ui2_useinfo { 0 @16\n"
        "        ui1_local = null @16+4\n"
        "        ui1_remote = null @20+4\n"
        "        ui1_password = null @24+4\n"
        "        ui1_status = 2 (USE_SESSLOST) @28+4\n"
        "        ui1_asg_type = 4294967295 (USE_WILDCARD) @32+4\n"
        "        ui1_refcount = 0 @36+4\n"
        "        ui1_usecount = 0 @40+4\n"
        "      } +28\n"
        "      ui2_username = null @44+4\n"
        "      ui2_domainname = null @48+4\n"
        "    } +36\n"
        "    ui3_flags = 0x00000206 (CREATE_BYPASS_CSC | USE_DEFAULT_CREDENTIALS | 0x200) @52+4\n"
        "  } +40\n"
        "ErrorParameter = null @56+4\n");
    expect_request(&wkst_interface, 10, SERVER_HEX "02000000 00000000 02000000 6200 0000 02000000",
        SERVER_TEXT "UseName = b @32+4\n" "ForceLevel = 2 (USE_LOTS_OF_FORCE) @36+4\n");
    expect_response(&wkst_interface, 8, POINTER(0) "02000000 57000000",
        "ErrorParameter = 2 (USE_REMOTE_PARMNUM) @4+4\n" "return = 87 (ERROR_INVALID_PARAMETER) @8+4\n");
    expect_response(&wkst_interface, 6, POINTER(0) "ca000000 57000000",
        "ErrorParameter = 202 (TRANSPORT_NAME_PARMNUM) @4+4\n" "return = 87 (ERROR_INVALID_PARAMETER) @8+4\n");
    expect_response(&wkst_interface, 8, "00000000 78000000",
        "ErrorParameter = null @0+4\n" "return = 120 (ERROR_CALL_NOT_IMPLEMENTED) @4+4\n");
}

/* ------------------------------------------------------------------------------------------ statistics */

/* The line of the time in statistics that begin with it. */
static void expect_start(uint64_t time, bool big_endian, const char *expected)
{
    const ndr_method *method = &wkst_interface.methods[13];
    GByteArray *octets = encode_stub(&wkst_interface, method, 0, true, false);
    enum { AT = 8 };
    uint8_t *copy = g_malloc0(octets->len);
    copy[3] = copy[0] = 1; /* not null in either byte order */
    for (int i = 0; i < 8; i++)
        copy[AT + (big_endian ? 7 - i : i)] = (uint8_t)(time >> 8 * i);
    recorder r = {.data = copy, .length = octets->len, .text = g_string_new(NULL)};
    ndr_stub stub = {.data = copy, .length = octets->len, .big_endian = big_endian};
    g_assert_cmpint(ndr_walk_response(&wkst_interface, method, &stub, NULL, record_event, &r).code, ==, NDR_OK);
    char *line = g_strdup_printf("  StatisticsStartTime = %s @8+8\n", expected);
    if (strstr(r.text->str, line) == NULL)
        g_error("no \"%s\" in:\n%s", line, r.text->str);
    g_assert_nonnull(strstr(r.text->str, "return = 0 (ERROR_SUCCESS) @220+4\n"));
    g_free(line);
    g_free(copy);
    g_string_free(r.text, TRUE);
    g_byte_array_unref(octets);
}

static void test_statistics(void)
{
    for (int big_endian = 0; big_endian < 2; big_endian++) {
        expect_start(1706774400, big_endian, "2024-02-01T08:00:00Z");
        expect_start(1706752000, big_endian, "2024-02-01T01:46:40Z"); /* ends with an octet of zeros */
        expect_start(133512480001234567, big_endian, "2024-02-01T08:00:00.1234567Z");
        expect_start(0, big_endian, "1970-01-01T00:00:00Z");
    }
}

/* -------------------------------------------------------------------------------------- joining and names */

static void test_join(void)
{
    expect_request(&wkst_interface, 20, "00000000 00000000", "ServerName = null @0+4\n" "NameBuffer = null @4+4\n");
    expect_response(&wkst_interface, 20, POINTER(0) "02000000 00000000 02000000 4400 0000 0300 0000 00000000",
        "NameBuffer = D @16+4\n" "BufferType = 3 (NetSetupDomainName) @20+2\n" OK_TEXT(24));
    expect_request(&wkst_interface, 22,
        "00000000 02000000 00000000 02000000 4400 0000 00000000 00000000 00000000 01108000",
        "ServerName = null @0+4\n"
        "DomainNameParam = D @16+4\n"
        "MachineAccountOU = null @20+4\n"
        "AccountName = null @24+4\n"
        "Password = null @28+4\n"
        "Options = 0x00801001 (NETSETUP_JOIN_DOMAIN | NETSETUP_AMBIGUOUS_DC | 0x800000) @32+4\n");
    expect_request(&wkst_interface, 23, "00000000 00000000 00000000 04000010",
        "ServerName = null @0+4\n" "AccountName = null @4+4\n" "Password = null @8+4\n"
        "Options = 0x10000004 (NETSETUP_ACCT_DELETE | NETSETUP_IGNORE_UNSUPPORTED_FLAGS) @12+4\n");
    expect_request(&wkst_interface, 25, SERVER_HEX "02000000 00000000 02000000 4400 0000 00000000 00000000 0500",
        SERVER_TEXT "NameToValidate = D @32+4\n" "AccountName = null @36+4\n" "Password = null @40+4\n"
        "NameType = 5 (NetSetupDnsMachine) @44+2\n");
    expect_response(&wkst_interface, 25, "1c010180", "return = 0x8001011c (RPC_E_REMOTE_DISABLED) @0+4\n");
}

static void test_units(void)
{
    expect_response(&wkst_interface, 26,
        "02000000 " POINTER(0) "02000000 " POINTER(4) "00000000 02000000 00000000 02000000 6f00 0000 " OK_HEX,
        "OUCount = 2 @0+4\n"
        "OUs { 2 @8\n"
        "  OUs[1] = null @16+4\n"
        "} +12\n"
        "  ^1 OUs[0] = o @32+4\n" OK_TEXT(36));
}

static void test_password(void)
{
    GString *hex = g_string_new("00000000 00000000 " POINTER(4));
    for (int i = 0; i < 524; i++)
        g_string_append_printf(hex, "%02x", i & 0xFF);
    g_string_append(hex, " 00000000");
    GByteArray *octets = try_octets(hex->str);
    recorder r = {.data = octets->data, .length = octets->len, .text = g_string_new(NULL)};
    ndr_stub stub = {.data = octets->data, .length = octets->len};
    ndr_result result = ndr_walk_request(&wkst_interface, &wkst_interface.methods[23], &stub, record_event, &r);
    g_assert_cmpint(result.code, ==, NDR_OK);
    g_assert_nonnull(strstr(r.text->str, "Password { 0 @12\n"));
    g_assert_nonnull(strstr(r.text->str, "  Buffer decoded ENCRYPTED_JOINPR_USER_PASSWORD { 0 @12\n"
                                         "    Obfuscator = 0001020304050607 @12+8\n"
                                         "    Encrypted = 08090a0b0c"));
    g_assert_nonnull(strstr(r.text->str, "(516 octets) @20+516\n" "  } +524\n" "} +524\n" "Options = 0x00000000 @536+4\n"));
    g_assert_null(strchr(r.text->str, '!'));
    g_string_free(r.text, TRUE);
    g_byte_array_unref(octets);
    g_string_free(hex, TRUE);
}

static void test_password_aes(void)
{
    GString *hex = g_string_new("00000000 00000000 " POINTER(4));
    for (int i = 0; i < 64; i++)
        g_string_append(hex, "aa");
    for (int i = 0; i < 16; i++)
        g_string_append(hex, "bb");
    g_string_append(hex, " 0d020000 " POINTER(8) "02000000 c1c2 0000 04000000");
    expect_request(&wkst_interface, 32, hex->str,
        "ServerName = null @0+4\n"
        "AccountName = null @4+4\n"
        "Password { 0 @12\n"
        "  AuthData = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa @12+64\n"
        "  Salt = bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb @76+16\n"
        "  cbCipher = 525 @92+4\n"
        "  ! cbCipher is 525, outside its range 0 to 524 @92+4\n"
        "} +88\n"
        "  ^1 ! max_count of Cipher is 2, but size_is cbCipher makes it 525 @100+4\n"
        "  ^1 Cipher = c1c2 @104+2\n"
        "Options = 0x00000004 (NETSETUP_ACCT_DELETE) @108+4\n");
    g_string_free(hex, TRUE);
}

/* UNICODE_STRING: with and without its terminator, null, and shorter than its lengths say. */
static void test_names(void)
{
    expect_request(&wkst_interface, 30, "00000000 0200 0000 01000000",
        "ServerName = null @0+4\n" "NameType = 2 (NetAllComputerNames) @4+2\n"
        "Reserved = 0x00000001 (NET_IGNORE_UNSUPPORTED_FLAGS) @8+4\n");
    expect_response(&wkst_interface, 30,
        POINTER(0) "03000000 " POINTER(4) "03000000 "
        "0400 0600 " POINTER(5) "0000 0000 00000000 0600 0400 " POINTER(6)
        "03000000 00000000 02000000 6100 6200 02000000 00000000 02000000 6300 0000 " OK_HEX,
        "ComputerNames { 0 @4\n"
        "  EntryCount = 3 @4+4\n"
        "} +8\n"
        "  ^1 ComputerNames { 3 @12\n"
        "    ComputerNames[0] { 0 @16\n"
        "      Length = 4 @16+2\n"
        "      MaximumLength = 6 @18+2\n"
        "    } +8\n"
        "    ComputerNames[1] { 0 @24\n"
        "      Length = 0 @24+2\n"
        "      MaximumLength = 0 @26+2\n"
        "      Buffer = null @28+4\n"
        "    } +8\n"
        "    ComputerNames[2] { 0 @32\n"
        "      Length = 6 @32+2\n"
        "      MaximumLength = 4 @34+2\n"
        "    } +8\n"
        "  } +28\n"
        "      ^3 Buffer = ab @52+4\n"
        "      ^5 ! actual_count of Buffer is 2, but length_is Length makes it 3 @64+4\n"
        "      ^5 Buffer = c @68+4\n" OK_TEXT(72));
}

/* --------------------------------------------------------------------------------- where sources differ */

/* A stub that another source's rows wrote is read by them, with a note; `response` likewise. */
static void expect_other(uint32_t opnum, size_t chosen, const char *row)
{
    const ndr_method *method = &wkst_interface.methods[opnum];
    const char *name = method->others[chosen].name;
    ndr_method other = {.returns = method->returns, .params = method->others[chosen].params};
    for (int form = 0; form < 2; form++) {
        GByteArray *octets = encode_stub(&wkst_interface, &other, 0, false, form != 0);
        recorder r = {.data = octets->data, .length = octets->len, .text = g_string_new(NULL)};
        ndr_stub stub = {.data = octets->data, .length = octets->len, .ndr64 = form != 0};
        ndr_result result = ndr_walk_request(&wkst_interface, method, &stub, record_event, &r);
        char *note = g_strdup_printf("! sources differ on this opnum: the stub may be that of %s @0+0\n", name);
        g_assert_cmpint(result.code, ==, NDR_OK);
        g_assert_true(g_str_has_prefix(r.text->str, note));
        g_assert_nonnull(strstr(r.text->str, row));
        g_assert_null(strchr(r.text->str + 1, '!'));
        g_free(note);
        g_string_free(r.text, TRUE);
        g_byte_array_unref(octets);
    }
}

static void test_others(void)
{
    expect_response(&wkst_interface, 1, "0d000000 57000000",
        "! sources differ on this opnum: the stub may be that of Samba, "
        "whose ErrorParameter of NetrWkstaSetInfo is no pointer @0+0\n"
        "ErrorParameter = 13 (WKSTA_KEEPCONN_PARMNUM) @0+4\n" "return = 87 (ERROR_INVALID_PARAMETER) @4+4\n");
    expect_response(&wkst_interface, 1, "00000000 00000000", "ErrorParameter = null @0+4\n" OK_TEXT(4));
    expect_other(1, 0, "ErrorParameter = ");
    expect_other(33, 0, "Buffer decoded ENCRYPTED_JOINPR_USER_PASSWORD");
    expect_other(35, 0, "OUCount = ");
    expect_other(37, 1, "Buffer decoded ENCRYPTED_JOINPR_USER_PASSWORD");
    expect_response(&wkst_interface, 35, "00000000 00000000 05000000",
        "! sources differ on this opnum: the stub may be that of NetrGetJoinableOUs3 @0+0\n"
        "OUCount = 0 @0+4\n" "OUs = null @4+4\n" "return = 5 (ERROR_ACCESS_DENIED) @8+4\n");
    expect_response(&wkst_interface, 35, "05000000", "return = 5 (ERROR_ACCESS_DENIED) @0+4\n");
    expect_request(&wkst_interface, 35, "00000000 00000000 00000000 00000000 00000000",
        "ServerName = null @0+4\n" "AlternateName = null @4+4\n" "DomainAccount = null @8+4\n" "EncryptedPassword = null @12+4\n"
        "Reserved = 0x00000000 @16+4\n");
    expect_request(&wkst_interface, 36, "00000000 00000000 00000000 00000000 00000000",
        "! sources differ on this opnum: the stub may be that of NetrAddAlternateComputerName2 @0+0\n"
        "ServerName = null @0+4\n" "AlternateName = null @4+4\n" "DomainAccount = null @8+4\n" "EncryptedPassword = null @12+4\n"
        "Reserved = 0x00000000 @16+4\n");
    expect_response(&wkst_interface, 36, "00000000", OK_TEXT(0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wkst/coverage", test_coverage);
    g_test_add_func("/wkst/methods", test_methods);
    g_test_add_func("/wkst/levels/all", test_levels);
    g_test_add_func("/wkst/levels/info", test_info);
    g_test_add_func("/wkst/levels/none", test_no_level);
    g_test_add_func("/wkst/users", test_users);
    g_test_add_func("/wkst/null_buffer", test_null_buffer);
    g_test_add_func("/wkst/uses", test_uses);
    g_test_add_func("/wkst/statistics", test_statistics);
    g_test_add_func("/wkst/join", test_join);
    g_test_add_func("/wkst/units", test_units);
    g_test_add_func("/wkst/password", test_password);
    g_test_add_func("/wkst/password_aes", test_password_aes);
    g_test_add_func("/wkst/names", test_names);
    g_test_add_func("/wkst/others", test_others);
    return g_test_run();
}
