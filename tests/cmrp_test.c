/* cmrp_test.c - ClusAPI's tables: that they are whole, that every method's stubs are read to the last octet, and what lies in the
 * octets inside. ndr_events.h says how the expected text is written. All vectors are made by hand or by ndr_encode.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "decoders/cmrp_controls.h"
#include "decoders/cmrp_properties.h"
#include "decoders/errors.h"
#include "decoders/interfaces.h"
#include "decoders/security_descriptor.h"
#include "tests/ndr_events.h"
#include "tests/ndr_try.h"

/* ---------------------------------------------------------------------------------------- coverage */

/* What [MS-CMRP] 3.1.4.1 and 3.1.4.2 reserve; everything else up to the last opnum is a method. */
typedef struct {
    uint32_t first, last;
} range;
static const range reserved_2[] = {{80, 80}};
static const range reserved_3[] = {{80, 80}, {111, 111}, {140, 142}, {148, 154}, {156, 156}, {158, 162}, {170, 170}, {186, 264}};
enum { LAST_2 = 108, LAST_3 = 264, METHODS_2 = 108, METHODS_3 = 167 };

static bool is_in(const range *ranges, size_t count, uint32_t opnum)
{
    for (size_t i = 0; i < count; i++)
        if (opnum >= ranges[i].first && opnum <= ranges[i].last)
            return true;
    return false;
}

static unsigned count_methods(const ndr_interface *interface, const range *reserved, size_t count)
{
    unsigned described = 0;
    for (uint32_t opnum = 0; opnum < interface->method_count; opnum++) {
        const ndr_method *method = &interface->methods[opnum];
        g_assert_cmpint(method->reserved, ==, is_in(reserved, count, opnum));
        g_assert_true(g_str_has_prefix(method->name, method->reserved ? "Opnum" : "Api"));
        g_assert_true(g_str_has_prefix(method->section, "3.1.4.2"));
        described += !method->reserved && method->params != NULL && method->params[0].type != NULL;
    }
    return described;
}

static void test_coverage(void)
{
    g_assert_cmpuint(cmrp_interface_2.method_count, ==, LAST_2 + 1);
    g_assert_cmpuint(cmrp_interface_3.method_count, ==, LAST_3 + 1);
    unsigned two = count_methods(&cmrp_interface_2, reserved_2, G_N_ELEMENTS(reserved_2));
    unsigned three = count_methods(&cmrp_interface_3, reserved_3, G_N_ELEMENTS(reserved_3));
    g_test_message("cmrp 2.0: %u/%u, cmrp 3.0: %u/%u methods", two, METHODS_2, three, METHODS_3);
    g_assert_cmpuint(two, ==, METHODS_2);
    g_assert_cmpuint(three, ==, METHODS_3);
    g_assert_true(interfaces_find(&cmrp_interface_2.uuid, 2) == &cmrp_interface_2);
    g_assert_true(interfaces_find(&cmrp_interface_2.uuid, 3) == &cmrp_interface_3);
    g_assert_null(interfaces_find(&cmrp_interface_2.uuid, 1));
    g_assert_true(interfaces_of_protocol("cmrp") == &cmrp_interface_3);
}

/* ---------------------------------------------------------------------------------- all the methods */

static void test_methods(void)
{
    try_interface(&cmrp_interface_2);
    try_interface(&cmrp_interface_3);
}

/* What the two versions have different (3.1.4.1.55, 3.1.4.2.55 and so on). */
#define HANDLE_HEX "00000000 44332211 6655 8877 99aabbccddeeff00 "
#define HANDLE_TEXT(NAME) NAME " = 11223344-5566-7788-99aa-bbccddeeff00 @0+20\n"

static void test_versions(void)
{
    expect_request(&cmrp_interface_2, 43, HANDLE_HEX, HANDLE_TEXT("Group"));
    expect_request(&cmrp_interface_3, 43, HANDLE_HEX "01000000", HANDLE_TEXT("Group") "force = 1 (TRUE) @20+4\n");
    expect_request(&cmrp_interface_2, 65, HANDLE_HEX "e8030000", HANDLE_TEXT("hNotify") "Timeout = 1000 @20+4\n");
    expect_request(&cmrp_interface_3, 65, HANDLE_HEX, HANDLE_TEXT("hNotify"));
    expect_request(&cmrp_interface_2, 54, HANDLE_HEX "01000000 06000000 6100 0000 0000 0000 06000000",
                   HANDLE_TEXT("hGroup") "lpNodeList = 610000000000 @28+6\n"
                   "lpNodeList decoded MULTI_SZ { 0 @28\n" "  String { 0 @28\n" "    String[0] = a @28+4\n" "  } +6\n" "} +6\n"
                   "cbListSize = 6 @36+4\n");
    expect_request(&cmrp_interface_3, 54, HANDLE_HEX "01000000 05000000 6100 0000 6200 0000 0000 0000 05000000",
                   HANDLE_TEXT("hGroup") "multiSzNodeList = a\xe2\x90\x80""b @28+10\n" "cchListSize = 5 @40+4\n");
    expect_request(&cmrp_interface_2, 56, HANDLE_HEX, HANDLE_TEXT("hNotify"));
    expect_request(&cmrp_interface_3, 56, HANDLE_HEX, HANDLE_TEXT("Notify"));
}

/* ------------------------------------------------------------------------------------------- builder */

static void put(GByteArray *a, unsigned size, uint64_t number)
{
    for (unsigned i = 0; i < size; i++)
        g_byte_array_append(a, (const uint8_t[]){(uint8_t)(number >> 8 * i)}, 1);
}

/* UTF-16 with its terminator. */
static void put_text(GByteArray *a, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        put(a, 2, (uint8_t)*c);
    put(a, 2, 0);
}

static void put_pad(GByteArray *a, unsigned boundary)
{
    while (a->len % boundary != 0)
        put(a, 1, 0);
}

static void put_name(GByteArray *a, const char *name)
{
    put(a, 4, 0x00040003);
    put(a, 4, 2 * strlen(name) + 2);
    put_text(a, name);
    put_pad(a, 4);
}

static void put_value(GByteArray *a, uint32_t syntax, const void *octets, size_t length)
{
    put(a, 4, syntax);
    put(a, 4, length);
    g_byte_array_append(a, octets, (guint)length);
    put_pad(a, 4);
}

static void put_string(GByteArray *a, uint32_t syntax, const char *text)
{
    GByteArray *octets = g_byte_array_new();
    put_text(octets, text);
    put_value(a, syntax, octets->data, octets->len);
    g_byte_array_unref(octets);
}

static void expect_code(const ndr_type *type, ndr_code code, GByteArray *octets, const char *expected)
{
    recorder r = {.data = octets->data, .length = octets->len, .text = g_string_new(NULL)};
    ndr_result result = ndr_walk_blob(type, octets->data, octets->len, record_event, &r);
    g_assert_cmpstr(r.text->str, ==, expected);
    g_assert_cmpint(result.code, ==, code);
    g_string_free(r.text, TRUE);
}

/* Reads the octets, which are then freed. */
static void expect(const ndr_type *type, GByteArray *octets, const char *expected)
{
    expect_code(type, NDR_OK, octets, expected);
    g_byte_array_unref(octets);
}

/* All lines of `wanted` are among those of the walk. */
static void expect_lines(const ndr_type *type, GByteArray *octets, const char *const *wanted)
{
    recorder r = {.data = octets->data, .length = octets->len, .text = g_string_new(NULL)};
    ndr_result result = ndr_walk_blob(type, octets->data, octets->len, record_event, &r);
    if (result.code != NDR_OK)
        g_error("%s: %s at %zu in:\n%s", result.field ? result.field : "", ndr_code_text(result.code), result.offset, r.text->str);
    for (size_t i = 0; wanted[i] != NULL; i++)
        if (strstr(r.text->str, wanted[i]) == NULL)
            g_error("no \"%s\" in:\n%s", wanted[i], r.text->str);
    g_assert_null(strchr(r.text->str, '!'));
    g_string_free(r.text, TRUE);
    g_byte_array_unref(octets);
}

/* ------------------------------------------------------------------------------------ property lists */

static void test_property_list(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 2);
    put_name(a, "Nam");
    put_value(a, 0x0001000B, "\x07\x00", 2);
    put(a, 4, 0);
    put_name(a, "Two");
    put_string(a, 0x00010003, "on");
    put_value(a, 0x00010007, "\xFF\xFF\xFF\xFF", 4);
    put(a, 4, 0);
    expect(PROPERTY_LIST, a,
           "PropertyCount = 2 @0+4\n"
           "PropertyValue { 2 @4\n"
           "  PropertyValue[0] { 0 @4\n"
           "    Syntax = 0x00040003 (CLUSPROP_SYNTAX_NAME) @4+4\n"
           "    Size = 8 @8+4\n"
           "    PropertyName = Nam @12+8\n"
           "    PropertyValues { 0 @20\n"
           "      PropertyValues[0] { 0 @20\n"
           "        Syntax = 0x0001000b (CLUSPROP_SYNTAX_LIST_VALUE_WORD) @20+4\n"
           "        Size = 2 @24+4\n"
           "        Buffer = 0700 @28+2\n"
           "        Buffer decoded WORD_VALUE { 0 @28\n"
           "          Word = 7 @28+2\n"
           "        } +2\n"
           "      } +12\n"
           "    } +16\n"
           "  } +32\n"
           "  PropertyValue[1] { 0 @36\n"
           "    Syntax = 0x00040003 (CLUSPROP_SYNTAX_NAME) @36+4\n"
           "    Size = 8 @40+4\n"
           "    PropertyName = Two @44+8\n"
           "    PropertyValues { 0 @52\n"
           "      PropertyValues[0] { 0 @52\n"
           "        Syntax = 0x00010003 (CLUSPROP_SYNTAX_LIST_VALUE_SZ) @52+4\n"
           "        Size = 6 @56+4\n"
           "        Buffer = 6f006e000000 @60+6\n"
           "        Buffer decoded SZ_VALUE { 0 @60\n"
           "          String = on @60+6\n"
           "        } +6\n"
           "      } +16\n"
           "      PropertyValues[1] { 0 @68\n"
           "        Syntax = 0x00010007 (CLUSPROP_SYNTAX_LIST_VALUE_LONG) @68+4\n"
           "        Size = 4 @72+4\n"
           "        Buffer = ffffffff @76+4\n"
           "        Buffer decoded LONG_VALUE { 0 @76\n"
           "          Long = -1 @76+4\n"
           "        } +4\n"
           "      } +12\n"
           "    } +32\n"
           "  } +48\n"
           "} +80\n");
}

/* Every syntax of 2.2.2.3. */
static void test_syntaxes(void)
{
    GByteArray *a = g_byte_array_new();
    static const uint8_t descriptor[] = {1, 0, 4, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                         1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    uint8_t partition[1120] = {0x11}, partition_ex[1160] = {0x01}, partition_ex2[1704] = {0x02};
    memcpy(partition + 4, "D\0:\0", 4);
    partition_ex[1120] = 9;
    partition_ex2[1176] = 'P';
    put_value(a, 0x00010001, "\x01\x02\x03", 3);
    put_value(a, 0x00010002, "\x2A\0\0\0", 4);
    put_string(a, 0x00010004, "%x%");
    put_value(a, 0x00010005, "a\0\0\0b\0\0\0\0\0", 10);
    put_value(a, 0x00010006, "\1\0\0\0\1\0\0\0", 8);
    put_string(a, 0x00010008, "full");
    put_value(a, 0x00010009, descriptor, sizeof descriptor);
    put_value(a, 0x0001000A, "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    put_value(a, 0x0001000C, "\x07\x40\x4b\xcd\x20\x55\xda\x01", 8);
    put_value(a, 0x00020002, "\1\0\0\0\0\0\0\x80", 8);
    put_value(a, 0x00020002, "\2\0\0\0", 4);
    put_value(a, 0x00050002, "\x78\x56\x34\x12", 4);
    put_value(a, 0x00060002, "\1\2\3\4", 4);
    put_value(a, 0x00070002, "\5\0\0\0", 4);
    put_value(a, 0x00080001, partition, sizeof partition);
    put_string(a, 0x000A0003, "serial");
    put_string(a, 0x000B0003, "{guid}");
    put_value(a, 0x000C0006, "\0\0\0\0\2\0\0\0", 8);
    put_value(a, 0x000D0001, partition_ex, sizeof partition_ex);
    put_value(a, 0x000E0001, partition_ex2, sizeof partition_ex2);
    put(a, 4, 0);
    expect_lines(VALUE_LIST, a, (const char *const[]){
        "Buffer = 010203 ", "Dword = 42 ", "String = %x% ", "String[0] = a ", "String[1] = b ", "ULargeInteger = 4294967297 ",
        "String = full ", "OwnerSid = S-1-5-18 ", "LargeInteger = -2 ", "FileTime = 2024-02-01T", "Class = 1 (CLUS_RESCLASS_STORAGE)",
        "SubClass = 0x80000000 (CLUS_RESSUBCLASS_SHARED)", "Class = 2 (CLUS_RESCLASS_NETWORK)",
        "Dword = 305419896 ", "PortNumber = 1 ", "LUN = 4 ", "Dword = 5 ",
        "dwFlags = 0x00000011 (CLUSPROP_PIFLAG_STICKY | CLUSPROP_PIFLAG_USABLE_FOR_CSV)", "szDeviceName = D: ", "String = serial ",
        "String = {guid} ", "ULargeInteger = 8589934592 ", "TotalSizeInBytes = 9 ", "szPartitionName = P ", NULL});
}

/* What cannot be read says so; a list must have its end mark. */
static void test_unread_values(void)
{
    GByteArray *a = g_byte_array_new();
    put_value(a, 0x00010000, "\x99", 1);
    put_value(a, 0x00010001, "\x98", 1);
    expect(VALUE_LIST, a,
           "PropertyValues { 0 @0\n"
           "  PropertyValues[0] { 0 @0\n"
           "    Syntax = 0x00010000 @0+4\n" "    Size = 1 @4+4\n" "    Buffer = 99 @8+1\n"
           "    ! Buffer stays octets: no specification tells what they are @8+1\n"
           "  } +12\n"
           "  PropertyValues[1] { 0 @12\n"
           "    Syntax = 0x00010001 (CLUSPROP_SYNTAX_LIST_VALUE_BINARY) @12+4\n" "    Size = 1 @16+4\n"
           "    Buffer = 98 @20+1\n"
           "  } +12\n"
           "  ! PropertyValues ends without its end mark @24+0\n"
           "} +24\n");
}

static void test_formats(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 1);
    put_name(a, "A");
    put_value(a, 0x0001000B, "\x05\x00", 2);
    put(a, 4, 0);
    put(a, 4, 0); /* the end mark that Samba's vectors have */
    expect_lines(PROPERTY_FORMATS, a, (const char *const[]){"Format = 5 (CLUSPROP_FORMAT_MULTI_SZ)", "EndMark = 0 ", NULL});
}

/* What must not be believed, and what is no reason to give up. */
static void test_bad_lists(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 0xFFFFFFFF);
    put_name(a, "A");
    expect_code(PROPERTY_LIST, NDR_COUNT, a, "PropertyCount = 4294967295 @0+4\n");
    g_byte_array_set_size(a, 0);
    put(a, 4, 1);
    put(a, 4, 0x00040003);
    put(a, 4, 0x7FFFFFFF);
    expect_code(PROPERTY_LIST, NDR_SHORT, a,
                "PropertyCount = 1 @0+4\n" "PropertyValue { 1 @4\n" "  PropertyValue[0] { 0 @4\n"
                "    Syntax = 0x00040003 (CLUSPROP_SYNTAX_NAME) @4+4\n" "    Size = 2147483647 @8+4\n" "  } +8\n" "} +8\n");
    g_byte_array_set_size(a, 0);
    put(a, 4, 0);
    expect(PROPERTY_LIST, a, "PropertyCount = 0 @0+4\n" "PropertyValue { 0 @4\n" "} +0\n");

    static const uint8_t noise[] = {1, 2, 3, 4, 5, 6, 7, 8}, name[] = {1, 0, 0, 0, 3, 0, 4, 0}, none[] = {0, 0, 0, 0};
    g_assert_null(cmrp_property_list(noise, sizeof noise, NULL, false));
    g_assert_null(cmrp_property_list(noise, 3, NULL, false));
    g_assert_null(cmrp_property_list(name, 7, NULL, false));
    g_assert_true(cmrp_property_list(name, sizeof name, NULL, false) == PROPERTY_LIST);
    g_assert_true(cmrp_property_list(none, sizeof none, NULL, false) == PROPERTY_LIST);
}

/* ------------------------------------------------------------------------------- registry and batches */

static const ndr_type *registry_type(uint64_t type, size_t length)
{
    static const uint8_t octets[8];
    return cmrp_registry_value(octets, length, &(ndr_value){.number = type}, true);
}

static void test_registry(void)
{
    g_assert_true(registry_type(1, 2) == SZ_VALUE && registry_type(2, 2) == SZ_VALUE && registry_type(7, 2) == MULTI_SZ);
    g_assert_true(registry_type(4, 4) == REG_DWORD_VALUE && registry_type(11, 8) == REG_QWORD_VALUE);
    g_assert_null(registry_type(4, 3));
    g_assert_null(registry_type(11, 7));
    g_assert_null(registry_type(3, 8));
    g_assert_null(registry_type(0, 8));
    g_assert_null(cmrp_registry_value((const uint8_t *)"", 1, NULL, true));

    GByteArray *a = g_byte_array_new();
    put_text(a, "a");
    put(a, 4, 0xCCCCCCCC); /* of a buffer longer than the value (3.1.4.2.35) */
    expect(SZ_VALUE, a, "String = a @0+4\n" "Unused = cccccccc @4+4\n");
    a = g_byte_array_new();
    put(a, 2, 'a');
    expect(SZ_VALUE, a, "String = a @0+2\n"
           "! String has 1 characters that are not well-formed or lack their terminator @0+2\n");
    a = g_byte_array_new();
    put_text(a, "a");
    put_text(a, "bc");
    put_text(a, "");
    put(a, 2, 7);
    expect(MULTI_SZ, a, "String { 0 @0\n" "  String[0] = a @0+4\n" "  String[1] = bc @4+6\n" "} +12\n" "Unused = 0700 @12+2\n");
}

static void put_command(GByteArray *a, uint32_t command, uint32_t type, const char *name, const void *octets, size_t length)
{
    put(a, 4, command);
    put(a, 4, type);
    put(a, 4, 2 * strlen(name) + 2);
    put_text(a, name);
    put(a, 4, length);
    g_byte_array_append(a, octets, (guint)length);
    put_pad(a, 2);
}

static void test_batch(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 1);
    put_command(a, 1, 3, "v", "\1\2\3", 3); /* odd, and so padded */
    put_command(a, 9, 2, "w", "", 0);
    put_command(a, 13, 4, "x", "\x2A\0\0\0", 4);
    expect(CLUSTER_REG_BATCH_UPDATE, a,
           "VersionNumber = 1 @0+4\n"
           "BatchUpdateCommand { 0 @4\n"
           "  BatchUpdateCommand[0] { 0 @4\n"
           "    CommandType = 1 (CLUSREG_SET_VALUE) @4+4\n"
           "    ValueType = 3 (REG_BINARY) @8+4\n"
           "    NameLength = 4 @12+4\n"
           "    Name = v @16+4\n"
           "    DataLength = 3 @20+4\n"
           "    Data = 010203 @24+3\n"
           "  } +24\n"
           "  BatchUpdateCommand[1] { 0 @28\n"
           "    CommandType = 9 (CLUSREG_READ_ERROR) @28+4\n"
           "    ValueType = 2 (ERROR_FILE_NOT_FOUND) @32+4\n"
           "    NameLength = 4 @36+4\n"
           "    Name = w @40+4\n"
           "    DataLength = 0 @44+4\n"
           "    Data =  @48+0\n"
           "  } +20\n"
           "  BatchUpdateCommand[2] { 0 @48\n"
           "    CommandType = 13 (CLUSREG_CONDITION_IS_EQUAL) @48+4\n"
           "    ValueType = 4 (REG_DWORD) @52+4\n"
           "    NameLength = 4 @56+4\n"
           "    Name = x @60+4\n"
           "    DataLength = 4 @64+4\n"
           "    Data = 2a000000 @68+4\n"
           "    Data decoded REG_DWORD_VALUE { 0 @68\n"
           "      Dword = 42 @68+4\n"
           "    } +4\n"
           "  } +24\n"
           "} +68\n");
}

/* ------------------------------------------------------------------------------- security descriptors */

static GByteArray *make_descriptor(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 0x80040001);
    put(a, 4, 20); /* owner */
    put(a, 4, 32); /* group */
    put(a, 4, 0);
    put(a, 4, 44); /* discretionary list */
    put(a, 8, 0x0500000000000101); put(a, 4, 18);
    put(a, 8, 0x0100000000000101); put(a, 4, 0);
    put(a, 4, 0x00440002); put(a, 4, 2);
    put(a, 4, 0x00180300); put(a, 4, 0x001F01FF); put(a, 8, 0x0500000000000201); put(a, 4, 32); put(a, 4, 544);
    put(a, 4, 0x00240005); put(a, 4, 0x00000100); put(a, 4, 1); put(a, 8, 0); put(a, 8, 0);
    put(a, 8, 0x0500000000000001);
    return a;
}

static void test_descriptor(void)
{
    GByteArray *a = make_descriptor();
    g_assert_true(security_descriptor_choose(a->data, a->len, NULL, false) == SECURITY_DESCRIPTOR);
    g_assert_null(security_descriptor_choose(a->data, 19, NULL, false));
    expect_code(SECURITY_DESCRIPTOR, NDR_OK, a,
                "Revision = 1 @0+1\n" "Control = 0x00008004 (SE_DACL_PRESENT | SE_SELF_RELATIVE) @2+2\n"
                "OwnerSid = S-1-5-18 @20+12\n" "OwnerName = LOCAL_SYSTEM @20+12\n"
                "GroupSid = S-1-1-0 @32+12\n" "GroupName = EVERYONE @32+12\n"
                "Dacl = ACCESS_ALLOWED, flags 0x03 (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE), mask 0x001f01ff (DELETE | "
                "READ_CONTROL | WRITE_DACL | WRITE_OWNER | SYNCHRONIZE | 0x1ff), S-1-5-32-544 (BUILTIN_ADMINISTRATORS) @52+24\n"
                "Dacl = ACCESS_ALLOWED_OBJECT, flags 0x00, mask 0x00000100, S-1-5 @76+36\n");
    for (guint shorter = 0; shorter < a->len; shorter++) {
        uint8_t *copy = g_memdup2(a->data, MAX(shorter, 1));
        g_assert_cmpint(ndr_walk_blob(SECURITY_DESCRIPTOR, copy, shorter, NULL, NULL).code, ==, NDR_TAG);
        g_free(copy);
    }
    for (guint at = 0; at < a->len; at++) /* offsets and counts that lie */
        for (int octet = 0; octet < 256; octet += 51) {
            uint8_t *copy = g_memdup2(a->data, a->len);
            copy[at] = (uint8_t)octet;
            recorder r = {.data = copy, .length = a->len};
            ndr_result result = ndr_walk_blob(SECURITY_DESCRIPTOR, copy, a->len, record_event, &r);
            check_result(&r, &result, a->len);
            g_free(copy);
        }
    g_byte_array_unref(a);
}

/* Who has no list lets everybody in, who has an empty one nobody. */
static void test_descriptor_lists(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 0x80140001);
    put(a, 4, 20); put(a, 4, 0); put(a, 4, 48); put(a, 4, 0);
    put(a, 8, 0x0500000000000501); put(a, 4, 21); put(a, 4, 1); put(a, 4, 2); put(a, 4, 3); put(a, 4, 512);
    put(a, 4, 0x00080002); put(a, 4, 0);
    expect(SECURITY_DESCRIPTOR, a,
           "Revision = 1 @0+1\n" "Control = 0x00008014 (SE_DACL_PRESENT | SE_SACL_PRESENT | SE_SELF_RELATIVE) @2+2\n"
           "OwnerSid = S-1-5-21-1-2-3-512 @20+28\n" "OwnerName = DOMAIN_ADMINS @20+28\n" "Sacl = no entries @48+8\n"
           "Dacl = null @16+4\n");
}

/* ------------------------------------------------------------------------------------- notifications */

static const ndr_type *notified(uint64_t object, uint64_t flags, size_t length)
{
    static const uint8_t zeros[2000];
    return cmrp_notification(zeros, length, &(ndr_value){.number = object}, &(ndr_value){.number = flags}, true);
}

static void test_notifications(void)
{
    static const struct { uint32_t object, flags; const ndr_type *type; } numbers[] = {
        {CMRP_OBJECT_CLUSTER, 0x04, GROUP_TYPE_VALUE}, {CMRP_OBJECT_CLUSTER, 0x20, NODE_STATE_VALUE},
        {CMRP_OBJECT_CLUSTER, 0x1000, DWORD_VALUE}, {CMRP_OBJECT_GROUP, 0x08, GROUP_STATE_VALUE},
        {CMRP_OBJECT_RESOURCE, 0x04, RESOURCE_STATE_VALUE}, {CMRP_OBJECT_NETINTERFACE, 0x08, NETINTERFACE_STATE_VALUE},
        {CMRP_OBJECT_NETWORK, 0x08, NETWORK_STATE_VALUE}, {CMRP_OBJECT_NODE, 0x02, NODE_STATE_VALUE},
        {CMRP_OBJECT_NODE, 0x10, NODE_STATE_VALUE}, {CMRP_OBJECT_QUORUM, 0x01, RESOURCE_STATE_VALUE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_assert_true(notified(numbers[i].object, numbers[i].flags, 4) == numbers[i].type);
        g_assert_true(notified(numbers[i].object, numbers[i].flags, 3) == ndr_opaque);
        g_assert_true(notified(numbers[i].object, numbers[i].flags, 8) == ndr_opaque);
    }
    static const struct { uint32_t object, flags; const ndr_type *type; } texts[] = {
        {CMRP_OBJECT_GROUP, 0x010, SZ_VALUE}, {CMRP_OBJECT_GROUP, 0x020, MULTI_SZ}, {CMRP_OBJECT_GROUP, 0x040, SZ_VALUE},
        {CMRP_OBJECT_GROUP, 0x080, SZ_VALUE}, {CMRP_OBJECT_GROUP, 0x100, SZ_VALUE}, {CMRP_OBJECT_RESOURCE, 0x008, SZ_VALUE},
        {CMRP_OBJECT_RESOURCE, 0x010, SZ_VALUE}, {CMRP_OBJECT_RESOURCE, 0x020, MULTI_SZ}, {CMRP_OBJECT_RESOURCE, 0x040, MULTI_SZ},
        {CMRP_OBJECT_RESOURCE, 0x080, SZ_VALUE}, {CMRP_OBJECT_RESOURCE, 0x100, SZ_VALUE},
        {CMRP_OBJECT_RESOURCE_TYPE, 0x08, MULTI_SZ}, {CMRP_OBJECT_RESOURCE_TYPE, 0x10, SZ_VALUE},
        {CMRP_OBJECT_NODE, 0x01, SZ_VALUE}, {CMRP_OBJECT_NODE, 0x20, SZ_VALUE}, {CMRP_OBJECT_NODE, 0x40, SZ_VALUE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(notified(texts[i].object, texts[i].flags, 10) == texts[i].type);
        g_assert_true(notified(texts[i].object, texts[i].flags, 1) == ndr_opaque);
    }
    g_assert_true(notified(CMRP_OBJECT_CLUSTER, 0x80, 4) == PROPERTY_LIST);
    g_assert_true(notified(CMRP_OBJECT_NODE, 0x04, 4) == PROPERTY_LIST);
    g_assert_true(notified(CMRP_OBJECT_RESOURCE, 0x02, 4) == PROPERTY_LIST);
    g_assert_true(notified(CMRP_OBJECT_GROUP, 0x02, 4) == PROPERTY_LIST);
    g_assert_true(notified(CMRP_OBJECT_GROUP_SET, 0x04, 4) == PROPERTY_LIST);
    g_assert_true(notified(CMRP_OBJECT_RESOURCE_TYPE, 0x20, 4) == ndr_opaque); /* the resource's own */
    g_assert_true(notified(CMRP_OBJECT_REGISTRY, 0x01, 4) == ndr_opaque);
    g_assert_true(notified(0x11, 0x01, 4) == ndr_opaque);
    g_assert_true(notified(CMRP_OBJECT_GROUP, 0, 4) == ndr_opaque);
    g_assert_true(notified(CMRP_OBJECT_GROUP, UINT64_C(0x800000000), 4) == ndr_opaque);
    g_assert_null(cmrp_notification((const uint8_t *)"", 1, NULL, NULL, true));
}

static const ndr_type *notified_of(uint64_t object, uint64_t flags, const GByteArray *octets)
{
    return cmrp_notification(octets->data, octets->len, &(ndr_value){.number = object}, &(ndr_value){.number = flags}, true);
}

/* 2.2.3.42 draws no pad behind HasQuorum; a compiler's BOOL is four octets. */
static void test_membership(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 1, 1); put(a, 4, 2); put(a, 2, 0x0201);
    expect(notified_of(CMRP_OBJECT_CLUSTER, 0x800, a), a,
           "HasQuorum = 1 (TRUE) @0+1\n" "UpNodesSize = 2 @1+4\n" "UpNodes { 2 @5\n" "  UpNodes[0] = 1 @5+1\n"
           "  UpNodes[1] = 2 @6+1\n" "} +2\n");
    a = g_byte_array_new();
    put(a, 4, 1); put(a, 4, 1); put(a, 4, 3);
    expect(notified_of(CMRP_OBJECT_CLUSTER, 0x800, a), a,
           "HasQuorum = 1 (TRUE) @0+4\n" "UpNodesSize = 1 @4+4\n" "UpNodes { 1 @8\n" "  UpNodes[0] = 3 @8+1\n" "} +1\n"
           "Unused = 000000 @9+3\n");
    a = g_byte_array_new();
    put(a, 4, 1); put(a, 4, 0x7FFFFFFF);
    g_assert_true(notified_of(CMRP_OBJECT_CLUSTER, 0x800, a) == ndr_opaque);
    g_byte_array_unref(a);
}

/* The structure itself, or a property list with one in each binary value, as 3.1.4.2.138 has it. */
static void test_volume_states(void)
{
    uint8_t state[1584] = {'V'};
    state[1040] = 4;
    state[1568] = 3;
    state[1576] = 1;
    GByteArray *a = g_byte_array_new();
    g_byte_array_append(a, state, 1044);
    expect_lines(notified_of(CMRP_OBJECT_SHARED_VOLUME, 0x01, a), a, (const char *const[]){
        "szVolumeName = V ", "VolumeState = 4 (SharedVolumeStateActiveBlockRedirected) ", NULL});
    a = g_byte_array_new();
    g_byte_array_append(a, state, sizeof state);
    expect_lines(notified_of(CMRP_OBJECT_SHARED_VOLUME, 0x01, a), a, (const char *const[]){
        "RedirectedIOReason = 0x00000003 (RedirectedIOReasonUserRequest | "
        "RedirectedIOReasonIncompatibleFileSystemFilter) @1568+8",
        "BlockRedirectedIOReason = 0x00000001 (BlockRedirectedIOReasonNoDiskConnectivity) @1576+8", NULL});
    a = g_byte_array_new();
    put(a, 4, 1);
    put_name(a, "Vol");
    put_value(a, 0x00010001, state, sizeof state);
    put_value(a, 0x00010001, state, 1044);
    put(a, 4, 0);
    expect_lines(notified_of(CMRP_OBJECT_SHARED_VOLUME, 0x01, a), a, (const char *const[]){
        "PropertyName = Vol ", "Buffer decoded CLUSTER_SHARED_VOLUME_STATE_INFO_EX ",
        "Buffer decoded CLUSTER_SHARED_VOLUME_STATE_INFO ", NULL});
    a = g_byte_array_new();
    put(a, 8, 9);
    g_assert_true(notified_of(CMRP_OBJECT_SHARED_VOLUME, 0x01, a) == ndr_opaque);
    g_byte_array_unref(a);
}

/* The buffer waits behind the structures; what it is, FilterAndType says, a structure beside it. */
static void test_notification_stub(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 0x20000); put(a, 4, 1);                      /* Notifications: one */
    put(a, 4, 0x77); put(a, 4, 0);                         /* dwNotifyKey, gap */
    put(a, 4, CMRP_OBJECT_NODE); put(a, 4, 0); put(a, 8, 0x12);
    put(a, 4, 0x20004); put(a, 4, 4);                      /* buffer, dwBufferSize */
    put(a, 4, 0); put(a, 4, 0); put(a, 4, 0); put(a, 4, 0);
    put(a, 4, 4); put(a, 4, 2);                            /* the buffer */
    put(a, 4, 1); put(a, 4, 0);                            /* dwNumNotifications, return */
    recorder r = {.data = a->data, .length = a->len, .text = g_string_new(NULL)};
    ndr_stub stub = {.data = a->data, .length = a->len};
    ndr_result result = ndr_walk_response(&cmrp_interface_3, &cmrp_interface_3.methods[139], &stub, NULL, record_event, &r);
    g_assert_cmpint(result.code, ==, NDR_OK);
    g_assert_cmpstr(r.text->str, ==,
        "Notifications { 1 @4\n"
        "  Notifications[0] { 0 @8\n"
        "    dwNotifyKey = 119 @8+4\n"
        "    NotificationData { 0 @16\n"
        "      FilterAndType { 0 @16\n"
        "        dwObjectType = 7 (CLUSTER_OBJECT_TYPE_NODE) @16+4\n"
        "        FilterFlags = 0x00000012 (CLUSTER_CHANGE_NODE_DELETED_V2 | CLUSTER_CHANGE_NODE_STATE_V2) @24+8\n"
        "      } +16\n"
        "      dwBufferSize = 4 @36+4\n"
        "      ObjectId = null @40+4\n"
        "      ParentId = null @44+4\n"
        "      Name = null @48+4\n"
        "      Type = null @52+4\n"
        "    } +40\n"
        "  } +48\n"
        "} +52\n"
        "      ^3 buffer = 02000000 @60+4\n"
        "      ^3 buffer decoded NODE_STATE_VALUE { 0 @60\n"
        "        State = 2 (ClusterNodePaused) @60+4\n"
        "      } +4\n"
        "dwNumNotifications = 1 @64+4\n"
        "return = 0 (ERROR_SUCCESS) @68+4\n");
    g_string_free(r.text, TRUE);
    g_byte_array_unref(a);
}

/* ------------------------------------------------------------------------------------- control codes */

enum { CODES = 215, CODES_TWICE = 5 }; /* five are printed with a digit too many, and are there in both forms */

static const char *code_name(uint32_t code)
{
    return ndr_value_name(ENUM32(cmrp_control_codes), &(ndr_value){.number = code});
}

static const ndr_type *control(uint32_t code, size_t length, bool out)
{
    static const uint8_t zeros[2000];
    return (out ? cmrp_control_out : cmrp_control_in)(zeros, length, &(ndr_value){.number = code}, out);
}

static void test_codes(void)
{
    size_t count = 0;
    for (; cmrp_control_codes[count].name != NULL; count++) {
        g_assert_true(count == 0 || cmrp_control_codes[count - 1].value < cmrp_control_codes[count].value);
        g_assert_true(g_str_has_prefix(cmrp_control_codes[count].name, "CLUSCTL_"));
    }
    g_assert_cmpuint(count, ==, CODES + CODES_TWICE);
    g_assert_cmpstr(code_name(0x01000059), ==, "CLUSCTL_RESOURCE_GET_COMMON_PROPERTIES");
    g_assert_cmpstr(code_name(0x0740005E), ==, "CLUSCTL_CLUSTER_SET_COMMON_PROPERTIES");
    g_assert_cmpstr(code_name(0x400021DD), ==, "CLUSCTL_NODE_GET_SBL_DISK_STATE_EX");
    g_assert_cmpstr(code_name(0x040021DD), ==, "CLUSCTL_NODE_GET_SBL_DISK_STATE_EX");
    g_assert_null(code_name(0x01FFFFFF));
}

static void test_controls(void)
{
    g_assert_true(control(0x01000059, 4, true) == PROPERTY_LIST && control(0x01000059, 4, false) == ndr_opaque);
    g_assert_true(control(0x0140005E, 4, false) == PROPERTY_LIST && control(0x0140005E, 4, true) == ndr_opaque);
    g_assert_true(control(0x01000065, 4, true) == PROPERTY_FORMATS);
    g_assert_true(control(0x01000191, 4, true) == VALUE_LIST);
    g_assert_true(control(0x01000029, 4, true) == SZ_VALUE);
    g_assert_true(control(0x07000051, 4, true) == MULTI_SZ);
    g_assert_true(control(0x0100000D, 8, true) == CLUS_RESOURCE_CLASS_INFO);
    g_assert_cmpstr(control(0x010001E1, 4, true)->name, ==, "CLUS_MAINTENANCE_MODE_INFO");
    g_assert_cmpstr(control(0x010001E1, 16, true)->name, ==, "CLUS_MAINTENANCE_MODE_INFO_EX");
    g_assert_cmpstr(control(0x0140028A, 524, false)->name, ==, "CLUS_CSV_MAINTENANCE_MODE_INFO");
    g_assert_cmpstr(control(0x0140028E, 520, false)->name, ==, "VOLUME_NAME_VALUE");
    g_assert_cmpstr(control(0x0140028E, 98, true)->name, ==, "VOLUME_NAME_VALUE");
    g_assert_cmpstr(control(0x01400296, 524, false)->name, ==, "CLUS_CSV_MAINTENANCE_MODE_INFO");
    g_assert_cmpstr(control(0x0200214D, 20, false)->name, ==, "SR_RESOURCE_TYPE_QUERY_ELIGIBLE_TARGET_DATADISKS");
    g_assert_cmpstr(control(0x0200214D, 36, false)->name, ==, "QUERY_ELIGIBLE_TARGET_DATADISKS_OF_GROUP");
    g_assert_true(control(0x02002145, 16, true) == PROPERTY_LIST && control(0x02002159, 16, false) == PROPERTY_LIST &&
                  control(0x02002159, 16, true) == PROPERTY_LIST && control(0x0200215D, 16, false) == PROPERTY_LIST &&
                  control(0x0200215D, 16, true) == PROPERTY_LIST && control(0x02002161, 16, true) == PROPERTY_LIST);
    g_assert_true(control(0x03402D86, 16, false) == PROPERTY_LIST && control(0x074000F2, 16, false) == PROPERTY_LIST);
    g_assert_true(control(0x01600004, 16, false) == SZ_VALUE && control(0x070021F1, 16, false) == MULTI_SZ);
    g_assert_true(control(0x074000CE, 4, false) == DWORD_VALUE && control(0x074000CE, 4, true) == DWORD_VALUE);
    g_assert_true(control(0x02000195, 4, true) == VALUE_LISTS && control(0x020001F5, 4, true) == VALUE_LISTS);
    g_assert_true(control(0x02000231, 4, false) == PROPERTY_LIST); /* of a File Share Witness */
    static const uint8_t path[] = {'C', 0, ':', 0, '\\', 0, 'x', 0, 0, 0};
    g_assert_cmpstr(cmrp_control_in(path, sizeof path, &(ndr_value){.number = 0x02000231}, false)->name, ==, "PATH_VALUE");
    g_assert_true(control(0x09000059, 4, true) == PROPERTY_LIST); /* no such codes, but they do what those of resources do */
    g_assert_true(control(0x05000065, 4, true) == PROPERTY_FORMATS);
    g_assert_true(control(0x0940005E, 4, false) == PROPERTY_LIST);
    g_assert_true(control(0x08000029, 4, true) == SZ_VALUE);
    g_assert_true(control(0x080000A9, 4, true) == PROPERTY_LIST); /* what resources do with this is none of a group set's */
    g_assert_true(control(0x01FFFFFF, 4, true) == PROPERTY_LIST); /* no such code, but it reads as one */
    static const uint8_t noise[] = {9, 9, 9, 9, 9, 9, 9, 9}, list[] = {0, 0, 0, 0};
    g_assert_true(cmrp_control_out(noise, sizeof noise, NULL, true) == ndr_opaque);
    g_assert_true(cmrp_operation(noise, sizeof noise, NULL, false) == ndr_opaque);
    g_assert_true(cmrp_operation(list, sizeof list, NULL, false) == PROPERTY_LIST);
    g_assert_true(cmrp_control_out(list, sizeof list, NULL, true) == PROPERTY_LIST);
}

static void test_structures(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 0); put(a, 4, 1);
    put(a, 4, 14);
    put_text(a, "ou=x,y");
    expect(control(0x07002121, 1, true), a,
           "bHasAccess = 0 (FALSE) @0+4\n" "bDefaultOU = 1 (TRUE) @4+4\n" "OUSize = 14 @8+4\n" "OUName = ou=x,y @12+14\n");
    a = g_byte_array_new();
    put(a, 2, 1); put(a, 2, 0);
    put(a, 4, 0x11223344); put(a, 2, 0x5566); put(a, 2, 0x7788); put(a, 8, 0x00FFEEDDCCBBAA99);
    expect(control(0x02002149, 1, true), a,
           "Count = 1 @0+2\n" "Reserved1 = 0 @2+2\n" "DiskGuid { 1 @4\n"
           "  DiskGuid[0] = 11223344-5566-7788-99aa-bbccddeeff00 @4+16\n" "} +16\n");
    a = g_byte_array_new();
    put(a, 4, 1);
    put_text(a, "\\\\t");
    put(a, 4, 28);
    put(a, 4, 28); put(a, 4, 1); put(a, 8, 0); put(a, 8, 0); put(a, 4, 5);
    expect_lines(control(0x040021F1, 1, false), a,
                 (const char *const[]){"SSUName = \\\\t ", "PathIdBuffer decoded CBFLT_PATH_IDS", "PathId[0] = 5 ", NULL});
    a = g_byte_array_new();
    put(a, 4, 2);
    put(a, 4, 0x11223344); put(a, 2, 0x5566); put(a, 2, 0x7788); put(a, 8, 0x00FFEEDDCCBBAA99);
    expect_lines(control(0x02000205, 1, true), a,
                 (const char *const[]){"DiskIdType = 2 (DiskIdGuid)", "DiskGuid = 11223344-5566-7788-99aa-bbccddeeff00", NULL});
    a = g_byte_array_new(); /* two drives: 2604 octets each, and a pad to 8 as a compiler lays them out */
    for (int drive = 0; drive < 2; drive++) {
        g_byte_array_set_size(a, a->len + 2608);
        memset(a->data + a->len - 2608, 0, 2608);
        a->data[a->len - 2608] = (uint8_t)('a' + drive);
        a->data[a->len - 2608 + 528] = (uint8_t)(1 + drive);
    }
    expect_lines(control(0x010002B5, 1, true), a, (const char *const[]){
        "DriveName = a ", "DriveHealth = 0 (SpHealthUnknown)", "DriveState = 0 (SpDriveStateUnknown)",
        "Usage = 0 (SpDriveUsageUnknown)", "BusType = 0 (BusTypeUnknown)", "TotalCapacity = 1 ",
        "DriveName = b ", "TotalCapacity = 2 @3136+8", NULL});
}

/* Of each range that [MS-CMRP] names its errors from. */
static void test_errors(void)
{
    g_assert_cmpstr(errors_win32(5011), ==, "ERROR_OBJECT_IN_LIST");
    g_assert_cmpstr(errors_win32(0x1755), ==, "ERROR_CLUSTER_UPGRADE_INCOMPATIBLE_VERSIONS");
    g_assert_cmpstr(errors_win32(0x175C), ==, "ERROR_NODE_NOT_ACTIVE_CLUSTER_MEMBER");
    g_assert_cmpstr(errors_win32(0x1768), ==, "ERROR_GROUPSET_NOT_FOUND");
    g_assert_cmpstr(errors_win32(0x55C), ==, "ERROR_SPECIAL_GROUP");
    for (uint32_t code = 5890; code < 6000; code++)
        g_assert_nonnull(errors_win32(code));
}

static void expect_control(uint32_t code, bool out, GByteArray *octets, const char *expected)
{
    const ndr_type *type = control(code, octets->len, out);
    g_assert_nonnull(type);
    expect(type, octets, expected);
}

static GByteArray *dword(uint32_t number)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, number);
    return a;
}

/* Numbers that have names. */
static void test_numbers(void)
{
    expect_control(0x07000045, true, dword(1), "QuorumValue = 1 (CLUSTER_QUORUM_LOST) @0+4\n");
    expect_control(0x07002125, true, dword(6), "State = 0x00000006 (NETNAME_CHECK_AD_STATE_FLAGS_NO_OBJECT | "
                   "NETNAME_CHECK_AD_STATE_FLAGS_BAD_PWD) @0+4\n");
    expect_control(0x020001ED, true, dword(0x0200000C), "DriveLetterMask = 0x0200000c (C | D | Z) @0+4\n");
    expect_control(0x0300228D, true, dword(5018), "Status = 5018 (ERROR_RESMON_ONLINE_FAILED) @0+4\n");
    expect_control(0x01002DE1, false, dword(2000), "FaultDomainType = 2000 (CLUSTER_FAULT_DOMAIN_TYPE_RACK) @0+4\n");
    GByteArray *a = dword(6);
    put(a, 4, 0);
    expect_control(0x01002DE1, true, a, "Nodes = 0x00000006 @0+8\n");
    a = dword(3);
    put(a, 4, 7);
    expect_control(0x01000219, true, a,
                   "VolumeNumber { 0 @0\n" "  VolumeNumber[0] = 3 @0+4\n" "  VolumeNumber[1] = 7 @4+4\n" "} +8\n");
}

/* One list a disk, and an empty one where there is none. */
static void test_value_lists(void)
{
    GByteArray *a = g_byte_array_new();
    put_value(a, 0x00050002, "\x78\x56\x34\x12", 4);
    put(a, 4, 0);
    put_value(a, 0x00070002, "\5\0\0\0", 4);
    put(a, 4, 0);
    expect_lines(control(0x02000195, 4, true), a, (const char *const[]){
        "ValueList[0] { 0 @0", "Dword = 305419896 ", "ValueList[1] { 0 @16", "Dword = 5 ", NULL});
    expect_control(0x020001F5, true, dword(0),
                   "ValueList { 0 @0\n" "  ValueList[0] { 0 @0\n" "    PropertyValues { 0 @0\n" "    } +4\n" "  } +4\n" "} +4\n");
}

/* 2.2.3.3: the numbers are known in hexadecimal, and by the releases that send them. */
static void test_operational_version(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 2, 10); put(a, 2, 0); put(a, 2, 17763); put(a, 2, 0);
    put(a, 4, 0); put(a, 4, 0);                     /* lpszVendorId, lpszCSDVersion */
    put(a, 4, 0x20000); put(a, 4, 20); put(a, 4, 0x000A0003); put(a, 4, 0x00090003); put(a, 4, 1); put(a, 4, 0);
    put(a, 4, 0); put(a, 4, 0);
    recorder r = {.data = a->data, .length = a->len, .text = g_string_new(NULL)};
    ndr_stub stub = {.data = a->data, .length = a->len};
    ndr_result result = ndr_walk_response(&cmrp_interface_3, &cmrp_interface_3.methods[102], &stub, NULL, record_event, &r);
    g_assert_cmpint(result.code, ==, NDR_OK);
    g_assert_nonnull(strstr(r.text->str, "dwClusterHighestVersion = 0x000a0003 (Windows Server 2019) "));
    g_assert_nonnull(strstr(r.text->str, "dwClusterLowestVersion = 0x00090003 (Windows Server 2016) "));
    g_assert_nonnull(strstr(r.text->str, "dwFlags = 0x00000001 (CLUSTER_VERSION_FLAG_MIXED_MODE) "));
    g_string_free(r.text, TRUE);
    g_byte_array_unref(a);
}

/* An entry's Type means what the method's dwType does (2.2.3.4). */
static void test_enumerations(void)
{
    static const struct { uint32_t opnum, type; const char *text; } kinds[] = {
        {7, 4, "Type = 0x00000004 (CLUSTER_ENUM_RESOURCE) "}, {22, 4, "Type = 0x00000004 (CLUSTER_RESOURCE_ENUM_NODES) "},
        {53, 2, "Type = 0x00000002 (CLUSTER_GROUP_ENUM_NODES) "},
        {85, 1, "Type = 0x00000001 (CLUSTER_NETWORK_ENUM_NETINTERFACES) "},
        {101, 2, "Type = 0x00000002 (CLUSTER_NODE_ENUM_GROUPS) "},
        {103, 2, "Type = 0x00000002 (CLUSTER_RESOURCE_TYPE_ENUM_RESOURCES) "}, {124, 1, "(CLUSTER_NODE_ENUM_NETINTERFACES) "},
        {125, 1, "(CLUSTER_ENUM_NODE) "}, {180, 1, "Type = 1 "}, {181, 0x20, "(CLUSTER_ENUM_NETINTERFACE) "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        bool two = kinds[i].opnum == 124 || kinds[i].opnum == 125;
        GByteArray *a = g_byte_array_new();
        put(a, 4, 0x20000); put(a, 4, 1); put(a, 4, 1); put(a, 4, kinds[i].type); put(a, 4, 0);
        for (int pointer = 0; pointer < (two ? 3 : 2); pointer++) /* no second list; rpc_status, return */
            put(a, 4, 0);
        recorder r = {.data = a->data, .length = a->len, .text = g_string_new(NULL)};
        ndr_stub stub = {.data = a->data, .length = a->len};
        const ndr_method *method = &cmrp_interface_3.methods[kinds[i].opnum];
        ndr_result result = ndr_walk_response(&cmrp_interface_3, method, &stub, NULL, record_event, &r);
        g_assert_cmpint(result.code, ==, NDR_OK);
        if (strstr(r.text->str, kinds[i].text) == NULL)
            g_error("no \"%s\" in:\n%s", kinds[i].text, r.text->str);
        g_string_free(r.text, TRUE);
        g_byte_array_unref(a);
    }
}

/* What 2.2.3 has names for, in structures that no capture has. */
static void test_named_structures(void)
{
    GByteArray *a = g_byte_array_new();
    put(a, 4, 3);
    put_text(a, "secret"); put(a, 2, 0x4141); /* what stands behind the terminator is nothing */
    g_byte_array_set_size(a, 680);
    memset(a->data + 20, 0, 660);
    expect_lines(control(0x0100017A, a->len, false), a, (const char *const[]){
        "Flags = 0x00000003 (GUID_PRESENT | CREATEDC_PRESENT)", "Password = secret @4+32", NULL});
    a = g_byte_array_new();
    put(a, 4, 1); put(a, 4, 1);
    put(a, 8, 0); put(a, 8, 0); put(a, 4, 0x0B); put(a, 4, 4); put(a, 1, 1); put(a, 1, 0);
    for (unsigned i = 0; i < 3; i++) {
        put(a, 4, 4);
        put_text(a, (const char *const[]){"m", "o", "f"}[i]);
    }
    expect_lines(control(0x040021E9, a->len, true), a, (const char *const[]){
        "NumberOfDisks = 1 ", "BusType = 11 (BusTypeSata)", "MediaType = 4 (SSD)", "IsClusBFltCandidate = 1 (TRUE)",
        "ModelInfo { ", "StringName = o ", "FriendlyNameInfo { ", "StringName = f ", NULL});
    a = g_byte_array_new();
    put(a, 4, 1);
    put(a, 4, 1); put(a, 8, 0); put(a, 8, 0); put(a, 4, 2); put(a, 1, 1); put(a, 1, 0); put(a, 2, 0); put(a, 4, 0);
    put(a, 4, 0x3001); put(a, 4, 0); put(a, 4, 2); put(a, 8, 5);
    for (unsigned i = 1; i <= 6; i++)
        put(a, 8, i);
    put(a, 4, 0);
    expect_lines(control(0x040021DD, a->len, true), a, (const char *const[]){
        "State = 12289 (S2DCacheDiskStateBound)", "CacheMode = 2 (ReadWrite)", "DirtyDataBytes = 5 ", "ErrorCountTotal = 1 ",
        "ErrorCountTimeOut = 6 ", NULL});
    a = g_byte_array_new();
    put(a, 4, 1); put(a, 4, 2); put(a, 4, 3); put(a, 4, 0xABBAF00F);
    expect_lines(control(0x010001E1, a->len, true), a, (const char *const[]){
        "MaintenanceModeType = 2 (MaintenanceModeTypeOfflineResource)", "InternalState = 3 (ClusterResourceOffline)", NULL});
}

static void test_utilization(void)
{
    GByteArray *a = g_byte_array_new();
    for (unsigned node = 1; node <= 2; node++) {
        put_text(a, node == 1 ? "one" : "two");
        put(a, 4, node);
        for (unsigned i = 0; i < 4; i++)
            put(a, 8, 100 * node + i);
        put(a, 4, 8); put(a, 8, 1); put(a, 8, 2); put(a, 4, 3); put(a, 4, 4); put(a, 8, 5); put(a, 8, 6); put(a, 8, 7);
        put(a, 4, 1);
    }
    expect_lines(control(0x07002115, a->len, true), a, (const char *const[]){
        "NodeName = one @0+8", "NodeId = 1 ", "TotalMemory = 100 ", "NodeAverageCpuUsage = 103 ", "LpCount = 8 ",
        "ReservedLocalDiskUsage = 7 ", "NodeName = two ", "TotalMemory = 200 ", NULL});
}

/* ----------------------------------------------------------------------------------------------- passwords */

static void note_secret(const ndr_event *e, void *user)
{
    if (ndr_is_secret(e))
        g_string_append_printf(user, "%s ", e->name);
}

static void test_passwords(void)
{
    enum { SET_PASSWORD = 108, RESOURCE_CONTROL = 73, SET_PWD_INFO = 0x0100017A, INFO_SIZE = 680 };
    uint8_t info[INFO_SIZE] = {[4] = 'P', [6] = 'w'};
    const struct {
        uint16_t    opnum;
        encode_set  sets[4];
        const char *secrets;
    } cases[] = {
        {SET_PASSWORD, {{"lpszNewPassword", .text = "Pw"}, {.name = NULL}}, "lpszNewPassword "},
        {SET_PASSWORD, {{"lpszNewPassword", .text = ""}, {.name = NULL}}, ""},
        {RESOURCE_CONTROL, {{"dwControlCode", .number = SET_PWD_INFO}, {"lpInBuffer", .octets = info, .length = sizeof info},
                            {.name = NULL}}, "lpInBuffer Password "},
        {RESOURCE_CONTROL, {{"dwControlCode", .number = SET_PWD_INFO + 1}, {"lpInBuffer", .octets = info, .length = sizeof info},
                            {.name = NULL}}, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ndr_method *method = interfaces_method(&cmrp_interface_3, cases[i].opnum);
        GByteArray *a = encode_stub_set(&cmrp_interface_3, method, 0, false, false, cases[i].sets);
        ndr_stub stub = {.data = a->data, .length = a->len, .reported = a->len};
        GString *secrets = g_string_new(NULL);
        ndr_walk_request(&cmrp_interface_3, method, &stub, note_secret, secrets);
        g_assert_cmpstr(secrets->str, ==, cases[i].secrets);
        g_string_free(secrets, TRUE);
        g_byte_array_unref(a);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmrp/coverage", test_coverage);
    g_test_add_func("/cmrp/methods", test_methods);
    g_test_add_func("/cmrp/versions", test_versions);
    g_test_add_func("/cmrp/properties/list", test_property_list);
    g_test_add_func("/cmrp/properties/syntaxes", test_syntaxes);
    g_test_add_func("/cmrp/properties/unread", test_unread_values);
    g_test_add_func("/cmrp/properties/formats", test_formats);
    g_test_add_func("/cmrp/properties/bad", test_bad_lists);
    g_test_add_func("/cmrp/registry", test_registry);
    g_test_add_func("/cmrp/batch", test_batch);
    g_test_add_func("/cmrp/descriptor/octets", test_descriptor);
    g_test_add_func("/cmrp/descriptor/lists", test_descriptor_lists);
    g_test_add_func("/cmrp/notifications/choice", test_notifications);
    g_test_add_func("/cmrp/notifications/membership", test_membership);
    g_test_add_func("/cmrp/notifications/volumes", test_volume_states);
    g_test_add_func("/cmrp/notifications/stub", test_notification_stub);
    g_test_add_func("/cmrp/controls/codes", test_codes);
    g_test_add_func("/cmrp/controls/choice", test_controls);
    g_test_add_func("/cmrp/controls/structures", test_structures);
    g_test_add_func("/cmrp/controls/numbers", test_numbers);
    g_test_add_func("/cmrp/controls/lists", test_value_lists);
    g_test_add_func("/cmrp/controls/utilization", test_utilization);
    g_test_add_func("/cmrp/controls/named", test_named_structures);
    g_test_add_func("/cmrp/version", test_operational_version);
    g_test_add_func("/cmrp/enumerations", test_enumerations);
    g_test_add_func("/cmrp/errors", test_errors);
    g_test_add_func("/cmrp/passwords", test_passwords);
    return g_test_run();
}
