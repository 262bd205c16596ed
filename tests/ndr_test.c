/* ndr_test.c - one small table for each rule of NDR and NDR64, its octets by hand, and what must come out.
 *
 * Every vector is also walked cut at every length: as a capture's snap length cuts it, and as a sender that lies.
 * ndr_events.h says how the expected text is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "decoders/errors.h"
#include "decoders/ndr.h"
#include "tests/ndr_events.h"

#define OCTETS_OF(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define ONE(NAME, RETURNS, ...) \
    static const ndr_method NAME##_methods[] = {METHOD(0, NAME, "1", RETURNS, __VA_ARGS__)}; \
    static const ndr_interface NAME = {.protocol = "test", .name = #NAME, .spec = "TEST", .methods = NAME##_methods, \
                                       .method_count = 1}

enum { LITTLE = 0, BIG = 1, NDR64 = 2, RESPONSE = 4, TRAILER = 8 };

static const ndr_stub *asked; /* the request of the response being walked, or NULL */

static ndr_result walk(const ndr_interface *interface, int how, const uint8_t *octets, size_t length, size_t reported,
                       GString *text)
{
    /* A copy of the exact size, so that the sanitizer sees every octet read too far. */
    uint8_t *copy = g_malloc(length > 0 ? length : 1);
    if (length > 0)
        memcpy(copy, octets, length);
    ndr_stub stub = {.data = copy, .length = length, .reported = reported, .big_endian = (how & BIG) != 0,
                     .ndr64 = (how & NDR64) != 0, .trailer = (how & TRAILER) != 0};
    recorder r = {.data = copy, .length = length, .text = text};
    ndr_result result = (how & RESPONSE) != 0
        ? ndr_walk_response(interface, interface->methods, &stub, asked, record_event, &r)
        : ndr_walk_request(interface, interface->methods, &stub, record_event, &r);
    check_result(&r, &result, reported);
    g_free(copy);
    return result;
}

static void expect_code(const ndr_interface *interface, int how, ndr_code code, const char *field,
                        const uint8_t *octets, size_t length, const char *expected)
{
    GString *text = g_string_new(NULL);
    ndr_result result = walk(interface, how, octets, length, length, text);
    g_assert_cmpstr(text->str, ==, expected);
    g_assert_cmpint(result.code, ==, code);
    g_assert_cmpstr(result.field, ==, field);
    g_string_free(text, TRUE);
}

/* Walks without a failure, and without one octet fewer never. `slack`: trailing octets that nothing needs. */
static void expect_slack(const ndr_interface *interface, int how, size_t slack, const uint8_t *octets, size_t length,
                         const char *expected)
{
    expect_code(interface, how, NDR_OK, NULL, octets, length, expected);
    for (size_t shorter = 0; shorter < length - slack; shorter++) {
        ndr_result cut = walk(interface, how, octets, shorter, length, NULL);
        g_assert_cmpint(cut.code, ==, NDR_CUT);
        ndr_result brief = walk(interface, how, octets, shorter, shorter, NULL);
        g_assert_true(brief.code == NDR_SHORT || brief.code == NDR_COUNT);
    }
}

static void expect(const ndr_interface *interface, int how, const uint8_t *octets, size_t length, const char *expected)
{
    expect_slack(interface, how, 0, octets, length, expected);
}

/* ----------------------------------------------------------------------------------------- numbers */

static const ndr_name colours[] = {{1, "RED"}, {2, "GREEN"}, {.name = NULL}};
static const ndr_name doors[] = {{1, "FRONT"}, {4, "BACK"}, {.name = NULL}};

ONE(numbers, NULL,
    IN(U8, "a"), IN(U16, "b"), IN(U8, "c"), IN(U32, "d"), IN(U8, "e"), IN(U64, "f"),
    IN(U8, "g"), IN(U3264, "h"), IN(ENUM16(colours), "i"), IN(ENUM32(colours), "j"), IN(FLAGS32(doors), "k"),
    IN(ERROR, "l"));

static void test_numbers(void)
{
    expect(&numbers, LITTLE, OCTETS_OF(
        0x01, 0xEE,                     /* a, gap */
        0x02, 0x01,                     /* b */
        0x03, 0xEE, 0xEE, 0xEE,         /* c, gap */
        0x04, 0x03, 0x02, 0x01,         /* d */
        0x05, 0xEE, 0xEE, 0xEE,         /* e, gap */
        8, 7, 6, 5, 4, 3, 2, 1,         /* f at 16 */
        0x07, 0xEE, 0xEE, 0xEE,         /* g, gap */
        0x10, 0, 0, 0,                  /* h */
        0x02, 0, 0xEE, 0xEE,            /* i, gap */
        0x01, 0, 0, 0,                  /* j */
        0x0D, 0, 0, 0,                  /* k */
        0x05, 0, 0, 0),                 /* l */
        "a = 1 @0+1\n" "b = 258 @2+2\n" "c = 3 @4+1\n" "d = 16909060 @8+4\n" "e = 5 @12+1\n"
        "f = 72623859790382856 @16+8\n" "g = 7 @24+1\n" "h = 16 @28+4\n" "i = 2 (GREEN) @32+2\n" "j = 1 (RED) @36+4\n"
        "k = 0x0000000d (FRONT | BACK | 0x8) @40+4\n" "l = 5 (ERROR_ACCESS_DENIED) @44+4\n");
}

static void test_numbers_big(void)
{
    expect(&numbers, BIG, OCTETS_OF(
        0x01, 0xEE, 0x01, 0x02, 0x03, 0xEE, 0xEE, 0xEE, 0x01, 0x02, 0x03, 0x04, 0x05, 0xEE, 0xEE, 0xEE,
        1, 2, 3, 4, 5, 6, 7, 8, 0x07, 0xEE, 0xEE, 0xEE, 0, 0, 0, 0x10, 0, 0x02, 0xEE, 0xEE, 0, 0, 0, 0x03,
        0x80, 0, 0, 0, 0x80, 0x07, 0, 0x05),
        "a = 1 @0+1\n" "b = 258 @2+2\n" "c = 3 @4+1\n" "d = 16909060 @8+4\n" "e = 5 @12+1\n"
        "f = 72623859790382856 @16+8\n" "g = 7 @24+1\n" "h = 16 @28+4\n" "i = 2 (GREEN) @32+2\n" "j = 3 @36+4\n"
        "k = 0x80000000 @40+4\n" "l = 0x80070005 (E_ACCESSDENIED) @44+4\n");
}

static void test_numbers_ndr64(void)
{
    expect(&numbers, NDR64, OCTETS_OF(
        0x01, 0xEE, 0x02, 0x01, 0x03, 0xEE, 0xEE, 0xEE, 0x04, 0x03, 0x02, 0x01, 0x05, 0xEE, 0xEE, 0xEE,
        8, 7, 6, 5, 4, 3, 2, 1,
        0x07, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, /* g, gap */
        0x10, 0, 0, 0, 1, 0, 0, 0,      /* h: 8 octets here */
        0x02, 0, 0, 0,                  /* i: 4 octets here */
        0x01, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0),
        "a = 1 @0+1\n" "b = 258 @2+2\n" "c = 3 @4+1\n" "d = 16909060 @8+4\n" "e = 5 @12+1\n"
        "f = 72623859790382856 @16+8\n" "g = 7 @24+1\n" "h = 4294967312 @32+8\n" "i = 2 (GREEN) @40+4\n"
        "j = 1 (RED) @44+4\n" "k = 0x00000000 @48+4\n" "l = 65535 @52+4\n");
}

static const ndr_guid_name guids[] = {
    {{0x00112233, 0x4455, 0x6677, {0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}}, "THE_ONE"}, {.name = NULL}};

ONE(identities, NULL, IN(U8, "x"), IN(GUIDS(guids), "guid"), IN(HANDLE(HRES_RPC), "handle"), IN(U8, "y"),
    IN(FILETIME, "time"));

static void test_identities(void)
{
    expect(&identities, LITTLE, OCTETS_OF(
        0, 0xEE, 0xEE, 0xEE,
        0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        0, 0, 0, 0,                     /* attributes */
        0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x03, 0x00, 4, 5, 6, 7, 8, 9, 10, 11,
        0, 0xEE, 0xEE, 0xEE,
        0x00, 0x80, 0x3E, 0xD5, 0xDE, 0xB1, 0x9D, 0x01), /* 1970-01-01: the low DWORD first */
        "x = 0 @0+1\n" "guid = 00112233-4455-6677-8899-aabbccddeeff (THE_ONE) @4+16\n"
        "handle = 00000001-0002-0003-0405-060708090a0b @20+20\n" "y = 0 @40+1\n"
        "time = 1970-01-01T00:00:00.0000000Z @44+8\n");
    expect(&identities, BIG, OCTETS_OF(
        0, 0xEE, 0xEE, 0xEE,
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xfe,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0xEE, 0xEE, 0xEE,
        0xD5, 0x3E, 0x80, 0x01, 0x01, 0x9D, 0xB1, 0xDE), /* both DWORDs turned round, still the low one first */
        "x = 0 @0+1\n" "guid = 00112233-4455-6677-8899-aabbccddeefe @4+16\n" "handle = null @20+20\n" "y = 0 @40+1\n"
        "time = 1970-01-01T00:00:00.0000001Z @44+8\n");
}

/* ---------------------------------------------------------------------------------------- pointers */

ONE(unique_number, NULL, IN(UNIQUE(U32), "n"), IN(UNIQUE(UNIQUE(U16)), "m"));

static void test_pointers(void)
{
    expect(&unique_number, LITTLE, OCTETS_OF(
        0, 0, 2, 0, 5, 0, 0, 0,         /* n: the referent id, its pointee at once */
        4, 0, 2, 0, 8, 0, 2, 0, 7, 0),  /* m: a pointer to a pointer */
        "n = 5 @4+4\n" "m = 7 @16+2\n");
    expect(&unique_number, LITTLE, OCTETS_OF(0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 0, 0), "n = null @0+4\n" "m = null @8+4\n");
    expect(&unique_number, NDR64, OCTETS_OF(
        0, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE, /* only the upper half of the id is not 0 */
        0, 0, 0, 0, 0, 0, 0, 0),
        "n = 5 @8+4\n" "m = null @16+8\n");
}

STRUCT(INNER, F(UNIQUE(U8), "a"), F(UNIQUE(U8), "b"));
STRUCT(OUTER, F(UNIQUE(INNER), "x"), F(INNER, "y"), F(UNIQUE(U8), "z"));
ONE(order, NULL, IN(OUTER, "outer"), IN(U8, "after"));

static void test_order(void)
{
    expect(&order, LITTLE, OCTETS_OF(
        1, 0, 0, 0,                     /* outer.x */
        2, 0, 0, 0, 3, 0, 0, 0,         /* outer.y.a, outer.y.b */
        4, 0, 0, 0,                     /* outer.z */
        5, 0, 0, 0, 6, 0, 0, 0,         /* *x: a, b; a construct of its own, whose pointees follow it: */
        0xA1, 0xB1,                     /* *x.a, *x.b */
        0xA2, 0xB2,                     /* *y.a, *y.b */
        0xC2,                           /* *z */
        0xFF),
        "outer { 0 @0\n" "  y { 0 @4\n" "  } +8\n" "} +16\n"
        "  ^1 x { 0 @16\n" "  } +8\n"
        "    ^3 a = 161 @24+1\n" "    ^3 b = 177 @25+1\n"
        "    ^2 a = 162 @26+1\n" "    ^2 b = 178 @27+1\n"
        "  ^1 z = 194 @28+1\n"
        "after = 255 @29+1\n");
}

STRUCT(HAS_REF, F(REF(U16), "must"), F(U8, "n"));
ONE(reference, NULL, IN(HAS_REF, "has"));

static void test_ref(void)
{
    expect(&reference, LITTLE, OCTETS_OF(9, 0, 0, 0, 1, 0xEE, 2, 1),
           "has { 0 @0\n" "  n = 1 @4+1\n" "} +5\n" "  ^1 must = 258 @6+2\n");
    expect(&reference, LITTLE, OCTETS_OF(0, 0, 0, 0, 1),
           "has { 0 @0\n" "  must = null @0+4\n" "  ! must is a [ref] pointer and must not be null @0+4\n"
           "  n = 1 @4+1\n" "} +5\n");
}

/* ------------------------------------------------------------------------------------------ arrays */

ONE(arrays, NULL, IN(CONF(U16), "conf"), IN(VARY(U16), "vary"), IN(CVAR(U16), "cvar"), IN(FIXED(U16, 2), "fixed"));

static void test_arrays(void)
{
    expect(&arrays, LITTLE, OCTETS_OF(
        2, 0, 0, 0, 1, 0, 2, 0,                                     /* max_count, elements */
        3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0xEE, 0xEE,                   /* offset 3, actual_count 1 */
        4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 5, 0,             /* max_count 4, offset 1, actual_count 2 */
        6, 0, 7, 0),
        "conf { 2 @0\n" "  conf[0] = 1 @4+2\n" "  conf[1] = 2 @6+2\n" "} +8\n"
        "vary { 1 @8\n" "  vary[0] = 3 @16+2\n" "} +10\n"
        "cvar { 2 @20\n" "  cvar[0] = 4 @32+2\n" "  cvar[1] = 5 @34+2\n" "} +16\n"
        "fixed { 2 @36\n" "  fixed[0] = 6 @36+2\n" "  fixed[1] = 7 @38+2\n" "} +4\n");
    expect(&arrays, NDR64, OCTETS_OF(
        1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0,
        6, 0, 7, 0),
        "conf { 1 @0\n" "  conf[0] = 1 @8+2\n" "} +10\n"
        "vary { 0 @16\n" "} +16\n"
        "cvar { 1 @32\n" "  cvar[0] = 4 @56+2\n" "} +26\n"
        "fixed { 2 @58\n" "  fixed[0] = 6 @58+2\n" "  fixed[1] = 7 @60+2\n" "} +4\n");
}

static void test_variance(void)
{
    expect(&arrays, LITTLE, OCTETS_OF(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 1, 0, 2, 0),
        "conf { 0 @0\n" "} +4\n" "vary { 0 @4\n" "} +8\n"
        "! offset and actual_count of cvar are together 2, but max_count is 1 @16+8\n"
        "cvar { 1 @12\n" "  cvar[0] = 9 @24+2\n" "} +14\n"
        "fixed { 2 @26\n" "  fixed[0] = 1 @26+2\n" "  fixed[1] = 2 @28+2\n" "} +4\n");
}

ONE(octets, NULL, IN(CONF(U8), "conf"), IN(CVAR(U8), "cvar"), IN(FIXED(U8, 3), "fixed"));

static void test_octets(void)
{
    expect(&octets, BIG, OCTETS_OF(
        0, 0, 0, 2, 0xAB, 0xCD, 0xEE, 0xEE,
        0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0x01,
        1, 2, 3),
        "conf = abcd @4+2\n" "cvar = 01 @20+1\n" "fixed = 010203 @21+3\n");
}

STRUCT(MIXED, F(U8, "c"), F(VARY(U8), "some"), F(FIXED(FIXED(U8, 2), 2), "square"));
ONE(arrays_of_arrays, NULL, IN(CONF(MIXED), "mixed"));

static void test_arrays_of_arrays(void)
{
    expect(&arrays_of_arrays, NDR64, OCTETS_OF(
        1, 0, 0, 0, 0, 0, 0, 0, 9, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE,
        0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4),
        "mixed { 1 @0\n" "  mixed[0] { 0 @8\n" "    c = 9 @8+1\n" "    some = 05 @32+1\n"
        "    square { 2 @33\n" "      square[0] = 0102 @33+2\n" "      square[1] = 0304 @35+2\n" "    } +4\n"
        "  } +29\n" "} +37\n");
}

/* ----------------------------------------------------------------------- structures, gaps, conformance */

STRUCT(ODD, F(U32, "n"), F(U8, "c"));
STRUCT(WIDE, F(U8, "c"), F(U64, "n"));
ONE(gaps, NULL, IN(U8, "x"), IN(FIXED(ODD, 2), "odd"), IN(WIDE, "wide"), IN(U8, "y"));

static void test_gaps(void)
{
    expect(&gaps, LITTLE, OCTETS_OF(
        9, 0xEE, 0xEE, 0xEE, 1, 0, 0, 0, 2, 0xEE, 0xEE, 0xEE, 3, 0, 0, 0, 4, /* a structure ends where its data end */
        0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE,
        5, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 6, 0, 0, 0, 0, 0, 0, 0, 7),
        "x = 9 @0+1\n"
        "odd { 2 @4\n" "  odd[0] { 0 @4\n" "    n = 1 @4+4\n" "    c = 2 @8+1\n" "  } +5\n"
        "  odd[1] { 0 @12\n" "    n = 3 @12+4\n" "    c = 4 @16+1\n" "  } +5\n" "} +13\n"
        "wide { 0 @24\n" "  c = 5 @24+1\n" "  n = 6 @32+8\n" "} +16\n" "y = 7 @40+1\n");
}

ONE(trailing_gap, NULL, IN(ODD, "odd"), IN(U8, "y"));

static void test_trailing_gap(void)
{
    expect(&trailing_gap, LITTLE, OCTETS_OF(1, 0, 0, 0, 2, 3),
           "odd { 0 @0\n" "  n = 1 @0+4\n" "  c = 2 @4+1\n" "} +5\n" "y = 3 @5+1\n");
    expect(&trailing_gap, NDR64, OCTETS_OF(1, 0, 0, 0, 2, 0xEE, 0xEE, 0xEE, 3), /* NDR64 fills the structure up */
           "odd { 0 @0\n" "  n = 1 @0+4\n" "  c = 2 @4+1\n" "} +8\n" "y = 3 @8+1\n");
}

/* The drawing in ndr_walk.c. */
STRUCT(ENUM_ENTRY, F(U32, "Type"), F(UNIQUE(WSTR), "Name"));
STRUCT(ENUM_LIST, F(U32, "EntryCount"), F(CONF(ENUM_ENTRY), "Entry", SIZE_IS("EntryCount")));
ONE(enumeration, NULL, OUT(UNIQUE(ENUM_LIST), "list"), OUT(ENUM_LIST, "direct"));

static void test_conformant_structure(void)
{
    expect(&enumeration, RESPONSE, OCTETS_OF(
        0, 0, 0, 0,                     /* list: null */
        2, 0, 0, 0, 2, 0, 0, 0,         /* max_count in front, EntryCount */
        1, 0, 0, 0, 0, 0, 2, 0,         /* Entry[0] */
        2, 0, 0, 0, 0, 0, 0, 0,         /* Entry[1] */
        2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 0, 0, 0),
        "list = null @0+4\n"
        "direct { 0 @8\n" "  EntryCount = 2 @8+4\n" "  Entry { 2 @12\n"
        "    Entry[0] { 0 @12\n" "      Type = 1 @12+4\n" "    } +8\n"
        "    Entry[1] { 0 @20\n" "      Type = 2 @20+4\n" "      Name = null @24+4\n" "    } +8\n" "  } +16\n" "} +20\n"
        "      ^3 Name = a @40+4\n");
    expect_slack(&enumeration, RESPONSE | NDR64, 4, OCTETS_OF(
        1, 0, 0, 0, 0, 0, 0, 0,         /* list */
        1, 0, 0, 0, 0, 0, 0, 0,         /* max_count */
        1, 0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE, /* EntryCount; the entries are aligned to 8 */
        1, 0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE, 2, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE), /* an empty list; its gap is not missed */
        "list { 0 @16\n" "  EntryCount = 1 @16+4\n" "  Entry { 1 @24\n"
        "    Entry[0] { 0 @24\n" "      Type = 1 @24+4\n" "    } +16\n" "  } +16\n" "} +24\n"
        "      ^3 Name =  @64+2\n"
        "direct { 0 @80\n" "  EntryCount = 0 @80+4\n" "  Entry { 0 @88\n" "  } +0\n" "} +8\n");
}

STRUCT(TAIL, F(U16, "a"), F(CONF(U8), "tail", SIZE_IS("a")));
STRUCT(BODY, F(U64, "b"), F(TAIL, "inner"));
ONE(nested_conformance, NULL, IN(U8, "x"), IN(BODY, "body"));

static void test_nested_conformance(void)
{
    expect(&nested_conformance, LITTLE, OCTETS_OF(
        0, 0xEE, 0xEE, 0xEE,
        3, 0, 0, 0,                     /* the tail's max_count, before the gap of the outermost structure */
        1, 0, 0, 0, 0, 0, 0, 0,         /* b */
        3, 0, 'x', 'y', 'z'),
        "x = 0 @0+1\n" "body { 0 @8\n" "  b = 1 @8+8\n" "  inner { 0 @16\n" "    a = 3 @16+2\n"
        "    tail = 78797a @18+3\n" "  } +5\n" "} +13\n");
    expect(&nested_conformance, LITTLE, OCTETS_OF(
        0, 0xEE, 0xEE, 0xEE, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 'x', 'y'),
        "x = 0 @0+1\n" "body { 0 @8\n" "  b = 1 @8+8\n" "  inner { 0 @16\n" "    a = 3 @16+2\n"
        "    ! max_count of tail is 2, but size_is a makes it 3 @4+4\n" "    tail = 7879 @18+2\n" "  } +4\n" "} +12\n");
}

/* ----------------------------------------------------------------------------------------- strings */

ONE(strings, NULL, IN(WSTR, "w"), IN(ASTR, "a"), IN(U8, "z"));

static void test_strings(void)
{
    expect(&strings, LITTLE, OCTETS_OF(
        4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0xE9, 0, 0x3D, 0xD8, 0x00, 0xDE, 0, 0,    /* U+00E9 U+1F600 */
        3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 'h', 0xE9, 0, 1),
        "w = \xC3\xA9\xF0\x9F\x98\x80 @12+8\n" "a = h\xC3\xA9 @32+3\n" "z = 1 @35+1\n");
    expect(&strings, BIG, OCTETS_OF(
        0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0x20, 0xAC, 0, 0,
        0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1),
        "w = \xE2\x82\xAC @12+4\n" "a =  @28+1\n" "z = 1 @29+1\n");
}

static void test_bad_strings(void)
{
    expect(&strings, LITTLE, OCTETS_OF(
        3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 'a', 0, 0, 0,              /* not from their beginning on */
        9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 1),
        "! offset of w is 1, but a string's is 0 @4+4\n" "w = a @12+4\n"
        "! offset of a is 8, but a string's is 0 @20+4\n" "a =  @28+1\n" "z = 1 @29+1\n");
    expect(&strings, LITTLE, OCTETS_OF(
        2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 0, 'b', 0,            /* no terminator */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),                        /* not even one character */
        "w = ab @12+4\n" "! w has 2 characters that are not well-formed or lack their terminator @12+4\n"
        "a =  @28+0\n" "! a has 0 characters that are not well-formed or lack their terminator @28+0\n"
        "z = 1 @28+1\n");
    expect(&strings, LITTLE, OCTETS_OF(
        4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0x3D, 0xD8, 'b', 0, 0x00, 0xDE, 0, 0,  /* two halves of pairs */
        4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 'a', 0, '\n', 0, 1),                  /* a zero in the middle */
        "w = \xEF\xBF\xBD" "b\xEF\xBF\xBD @12+8\n"
        "! w has 4 characters that are not well-formed or lack their terminator @12+8\n"
        "a = a\xE2\x90\x80\\x0a @32+4\n" "z = 1 @36+1\n");
}

/* ------------------------------------------------------------------------------------------ unions */

STRUCT(LEVEL_1, F(UNIQUE(WSTR), "name"));
UNION(INFO, U16, ARM(1, UNIQUE(LEVEL_1), "one"), ARM(2, U8, "two"), ARM(3, U32, "three"));
UNION(ANY, U32, ARM(1, U8, "one"), ARM_DEFAULT(U16, "other"));
STRUCT(TAGGED, F(U32, "Level"), F(INFO, "Info", SWITCH_IS("Level")), F(U8, "end"));
ONE(unions, NULL, IN(TAGGED, "tagged"), IN(ANY, "any"));

static void test_unions(void)
{
    expect(&unions, LITTLE, OCTETS_OF(
        2, 0, 0, 0, 2, 0, 0xFF,         /* Level, tag, two: right behind the tag */
        0xEE,                           /* end */
        1, 0, 0, 0, 7),
        "tagged { 0 @0\n" "  Level = 2 @0+4\n" "  Info { 2 @4\n" "    two = 255 @6+1\n" "  } +3\n"
        "  end = 238 @7+1\n" "} +8\n" "any { 1 @8\n" "  one = 7 @12+1\n" "} +5\n");
    expect(&unions, NDR64, OCTETS_OF(
        2, 0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE, /* the tag is where the largest arm, a pointer, wants it */
        2, 0, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xFF,
        3, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, /* end, and the structure's trailing gap */
        9, 0, 0, 0, 7, 0),
        "tagged { 0 @0\n" "  Level = 2 @0+4\n" "  Info { 2 @8\n" "    two = 255 @16+1\n" "  } +9\n"
        "  end = 3 @17+1\n" "} +24\n" "any { 9 @24\n" "  other = 7 @28+2\n" "} +6\n");
}

static void test_union_pointer(void)
{
    expect(&unions, LITTLE, OCTETS_OF(
        3, 0, 0, 0, 1, 0, 0xEE, 0xEE, 1, 0, 0, 0, 5, /* Level 3, but tag 1; one: waits; end */
        0xEE, 0xEE, 0xEE,
        0, 0, 0, 0,                     /* *one.name: null */
        2, 0, 0, 0, 1, 0),
        "tagged { 0 @0\n" "  Level = 3 @0+4\n" "  ! the tag of Info is 1, but switch_is Level is 3 @4+2\n"
        "  Info { 1 @4\n" "  } +8\n" "  end = 5 @12+1\n" "} +13\n"
        "    ^2 one { 0 @16\n" "      name = null @16+4\n" "    } +4\n" "any { 2 @20\n" "  other = 1 @24+2\n" "} +6\n");
}

ONE(union_array, NULL, IN(CONF(ANY), "anys"));

static void test_union_elements(void)
{
    expect(&union_array, LITTLE, OCTETS_OF(2, 0, 0, 0, 1, 0, 0, 0, 7, 0xEE, 0xEE, 0xEE, 2, 0, 0, 0, 8, 0),
           "anys { 2 @0\n" "  anys[0] { 1 @4\n" "    one = 7 @8+1\n" "  } +5\n"
           "  anys[1] { 2 @12\n" "    other = 8 @16+2\n" "  } +6\n" "} +18\n");
}

static void test_union_tag(void)
{
    expect_code(&unions, LITTLE, NDR_TAG, "Info", OCTETS_OF(9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0),
                "tagged { 0 @0\n" "  Level = 9 @0+4\n" "  Info { 9 @4\n" "  } +0\n" "} +4\n");
}

/* ----------------------------------------------------------------------------- SIZE_IS and its like */

ONE(sizes, NULL, IN(CONF(U8), "before", SIZE_IS("n")), IN(U32, "n"), IN(CONF(U16), "after", SIZE_IS("n"), DIV(2)),
    IN(UNIQUE(CONF(U8)), "null", SIZE_IS("n")), IN(CVAR(U8), "part", SIZE_IS("n"), LENGTH_IS("m")),
    IN(UNIQUE(U32), "m"));

static void test_sizes(void)
{
    expect(&sizes, LITTLE, OCTETS_OF(
        2, 0, 0, 0, 1, 2, 0xEE, 0xEE, 2, 0, 0, 0,
        1, 0, 0, 0, 9, 0, 0xEE, 0xEE,
        1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 0xEE, 0xEE,
        2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0xEE, 0xEE, 0xEE,
        1, 0, 0, 0, 1, 0, 0, 0),
        "before = 0102 @4+2\n" "n = 2 @8+4\n" "after { 1 @12\n" "  after[0] = 9 @16+2\n" "} +6\n" "null = 0304 @28+2\n"
        "part = 05 @44+1\n" "m = 1 @52+4\n");
    expect(&sizes, LITTLE, OCTETS_OF(
        1, 0, 0, 0, 1, 0xEE, 0xEE, 0xEE, 5, 0, 0, 0, /* n comes after the first array */
        3, 0, 0, 0, 9, 0, 9, 0, 9, 0, 0xEE, 0xEE,
        0, 0, 0, 0,                     /* a null pointer with a count */
        4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0xEE, 0xEE, 0xEE,
        1, 0, 0, 0, 2, 0, 0, 0),
        "before = 01 @4+1\n" "n = 5 @8+4\n" "! max_count of before is 1, but size_is n makes it 5 @0+4\n"
        "! max_count of after is 3, but size_is n makes it 2 @12+4\n"
        "after { 3 @12\n" "  after[0] = 9 @16+2\n" "  after[1] = 9 @18+2\n" "  after[2] = 9 @20+2\n" "} +10\n"
        "null = null @24+4\n" "! max_count of null is 0, but size_is n makes it 5 @24+4\n"
        "! max_count of part is 4, but size_is n makes it 5 @28+4\n" "part = 05 @40+1\n" "m = 2 @48+4\n"
        "! actual_count of part is 1, but length_is m makes it 2 @36+4\n");
    expect(&sizes, LITTLE, OCTETS_OF(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0),                    /* length_is *m, and m is null: nothing to compare with */
        "before =  @4+0\n" "n = 0 @4+4\n" "after { 0 @8\n" "} +4\n" "null = null @12+4\n" "part =  @28+0\n"
        "m = null @28+4\n");
}

STRUCT(UNICODE, F(U16, "Length"), F(U16, "MaximumLength"),
       F(UNIQUE(CVAR(U16)), "Buffer", SIZE_IS("MaximumLength"), LENGTH_IS("Length"), DIV(2)));
ONE(deferred_sizes, NULL, IN(FIXED(UNICODE, 2), "two"));

static void test_deferred_sizes(void)
{
    expect(&deferred_sizes, LITTLE, OCTETS_OF(
        2, 0, 4, 0, 1, 0, 0, 0, 4, 0, 4, 0, 2, 0, 0, 0,
        2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'a', 0, 0xEE, 0xEE,
        2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'b', 0),
        "two { 2 @0\n" "  two[0] { 0 @0\n" "    Length = 2 @0+2\n" "    MaximumLength = 4 @2+2\n" "  } +8\n"
        "  two[1] { 0 @8\n" "    Length = 4 @8+2\n" "    MaximumLength = 4 @10+2\n" "  } +8\n" "} +16\n"
        "    ^2 Buffer { 1 @16\n" "      Buffer[0] = 97 @28+2\n" "    } +14\n"
        "    ^3 ! actual_count of Buffer is 1, but length_is Length makes it 2 @40+4\n"
        "    ^3 Buffer { 1 @32\n" "      Buffer[0] = 98 @44+2\n" "    } +14\n");
}

ONE(ranges, NULL, IN(U32, "n", RANGE(2, 9)));

static void test_range(void)
{
    expect(&ranges, LITTLE, OCTETS_OF(9, 0, 0, 0), "n = 9 @0+4\n");
    expect(&ranges, LITTLE, OCTETS_OF(1, 0, 0, 0), "n = 1 @0+4\n" "! n is 1, outside its range 2 to 9 @0+4\n");
}

/* ------------------------------------------------------------------------------- requests and responses */

ONE(both, ERROR, IN(U32, "nIn"), OUT(CVAR(U8), "buffer", SIZE_IS("nIn"), LENGTH_IS("nOut")), INOUT(U32, "nOut"));

static void test_response(void)
{
    static const uint8_t request[] = {4, 0, 0, 0, 7, 0, 0, 0};
    const ndr_stub stub = {.data = request, .length = sizeof request};
    expect(&both, LITTLE, request, sizeof request, "nIn = 4 @0+4\n" "nOut = 7 @4+4\n");
    /* nIn is known from the request, but nOut is the response's own */
    asked = &stub;
    expect(&both, RESPONSE, OCTETS_OF(
        5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xAA, 0xEE, 0xEE, 0xEE, 1, 0, 0, 0, 0xEA, 0, 0, 0),
        "! max_count of buffer is 5, but size_is nIn makes it 4 @0+4\n" "buffer = aa @12+1\n" "nOut = 1 @16+4\n"
        "return = 234 (ERROR_MORE_DATA) @20+4\n");
    asked = NULL;
    expect(&both, RESPONSE, OCTETS_OF(
        5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xAA, 0xEE, 0xEE, 0xEE, 1, 0, 0, 0, 0, 0, 0, 0),
        "buffer = aa @12+1\n" "nOut = 1 @16+4\n" "return = 0 (ERROR_SUCCESS) @20+4\n");
}

static void test_find(void)
{
    static const uint8_t octets_in[] = {4, 0, 0, 0, 7, 0};
    const ndr_stub stub = {.data = octets_in, .length = sizeof octets_in};
    ndr_value value;
    size_t offset = 99;
    g_assert_true(ndr_find(&both, both.methods, &stub, false, "nIn", &value, &offset));
    g_assert_cmpuint(value.number, ==, 4);
    g_assert_cmpuint(offset, ==, 0);
    g_assert_false(ndr_find(&both, both.methods, &stub, false, "nOut", &value, NULL));
    g_assert_false(ndr_find(&both, both.methods, &stub, true, "return", &value, NULL));
}

static const ndr_method version_methods[] = {
    METHOD(0, Versioned, "1", ERROR, IN(U32, "a"), IN(U32, "two", V2), OUT(U32, "three", V3))};
static const ndr_interface version_2 = {.versions = NDR_V2, .methods = version_methods, .method_count = 1};
static const ndr_interface version_3 = {.versions = NDR_V3, .methods = version_methods, .method_count = 1};

static void test_versions(void)
{
    expect(&version_2, LITTLE, OCTETS_OF(1, 0, 0, 0, 2, 0, 0, 0), "a = 1 @0+4\n" "two = 2 @4+4\n");
    expect(&version_3, LITTLE, OCTETS_OF(1, 0, 0, 0), "a = 1 @0+4\n");
    expect(&version_2, RESPONSE, OCTETS_OF(0, 0, 0, 0), "return = 0 (ERROR_SUCCESS) @0+4\n");
    expect(&version_3, RESPONSE, OCTETS_OF(3, 0, 0, 0, 0, 0, 0, 0),
           "three = 3 @0+4\n" "return = 0 (ERROR_SUCCESS) @4+4\n");
}

static void test_trailing(void)
{
    expect_slack(&ranges, LITTLE, 3, OCTETS_OF(3, 0, 0, 0, 1, 2, 3),
                 "n = 3 @0+4\n" "! 3 octets are left after the last parameter @4+3\n");
}

ONE(ends_at_six, NULL, IN(U32, "n"), IN(U16, "h"));

/* What aligns a verification trailer is not left over; anything more is. */
static void test_before_trailer(void)
{
    expect_code(&ends_at_six, TRAILER, NDR_OK, NULL, OCTETS_OF(3, 0, 0, 0, 1, 2, 0, 0), "n = 3 @0+4\n" "h = 513 @4+2\n");
    expect_code(&ends_at_six, TRAILER, NDR_OK, NULL, OCTETS_OF(3, 0, 0, 0, 1, 2), "n = 3 @0+4\n" "h = 513 @4+2\n");
    expect_code(&ends_at_six, LITTLE, NDR_OK, NULL, OCTETS_OF(3, 0, 0, 0, 1, 2, 0, 0),
                "n = 3 @0+4\n" "h = 513 @4+2\n" "! 2 octets are left after the last parameter @6+2\n");
    expect_code(&ends_at_six, TRAILER, NDR_OK, NULL, OCTETS_OF(3, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0),
                "n = 3 @0+4\n" "h = 513 @4+2\n" "! 6 octets are left after the last parameter @6+6\n");
    expect_code(&ranges, TRAILER, NDR_OK, NULL, OCTETS_OF(3, 0, 0, 0, 1, 2, 3, 4),
                "n = 3 @0+4\n" "! 4 octets are left after the last parameter @4+4\n");
}

static const ndr_method reserved_methods[] = {RESERVED(0, Opnum0NotUsedOnWire, "1")};
static const ndr_interface reserved = {.protocol = "test", .methods = reserved_methods, .method_count = 1};

static void test_reserved(void)
{
    expect_slack(&reserved, LITTLE, 2, OCTETS_OF(1, 2), "! 2 octets are left after the last parameter @0+2\n");
    expect_code(&reserved, RESPONSE, NDR_OK, NULL, NULL, 0, "");
}

/* -------------------------------------------------------------------------------------- hostile data */

static void test_huge_counts(void)
{
    expect_code(&arrays, LITTLE, NDR_COUNT, "conf", OCTETS_OF(0xFF, 0xFF, 0xFF, 0xFF, 1, 0), "");
    expect_code(&arrays, NDR64, NDR_COUNT, "conf", OCTETS_OF(2, 0, 0, 0, 0, 0, 0, 0x80, 1, 0), "");
    expect_code(&octets, LITTLE, NDR_COUNT, "conf", OCTETS_OF(0xFF, 0xFF, 0xFF, 0xFF, 1, 0), "");
    expect_code(&octets, NDR64, NDR_COUNT, "conf", OCTETS_OF(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1), "");
    expect_code(&strings, NDR64, NDR_COUNT, "w",
                OCTETS_OF(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 1, 0),
                "! offset and actual_count of w are together 9223372036854775809, but max_count is 0 @8+16\n");
    expect_code(&strings, NDR64, NDR_COUNT, "w", /* offset + actual_count wraps round to 0 */
                OCTETS_OF(9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0),
                "! offset and actual_count of w are together 18446744073709551615, but max_count is 9 @8+16\n");
    expect_code(&enumeration, RESPONSE, NDR_COUNT, "Entry", /* each entry has 8 octets at least */
                OCTETS_OF(0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
                "list = null @0+4\n" "direct { 0 @8\n" "  EntryCount = 2 @8+4\n" "} +4\n");
}

STRUCT(EMPTY, F(U8, "never", V2));
ONE(nothings, NULL, IN(CONF(EMPTY), "nothings"));

static void test_empty_elements(void)
{
    expect_code(&nothings, LITTLE, NDR_COUNT, "nothings", OCTETS_OF(0xFF, 0xFF, 0xFF, 0x7F), "");
    expect(&nothings, LITTLE, OCTETS_OF(0, 0, 0, 0), "nothings { 0 @0\n" "} +4\n");
}

static void test_cut_count(void)
{
    /* Of three elements, which the sender did send, one and a half are in the capture. */
    static const uint8_t octets_in[] = {3, 0, 0, 0, 1, 0, 2};
    GString *text = g_string_new(NULL);
    ndr_result result = walk(&arrays, LITTLE, octets_in, sizeof octets_in, 100, text);
    g_assert_cmpstr(text->str, ==, "conf { 3 @0\n" "  conf[0] = 1 @4+2\n" "} +6\n");
    g_assert_cmpint(result.code, ==, NDR_CUT);
    g_assert_cmpuint(result.offset, ==, 6);
    g_assert_cmpstr(result.field, ==, "conf");
    g_string_free(text, TRUE);
}

/* A list that points to its next node: C's tables cannot write it down. */
static void test_depth(void)
{
    ndr_type node[1] = {{.kind = NDR_STRUCT, .name = "NODE"}};
    const ndr_type next[1] = {{.kind = NDR_UNIQUE, .of = node}};
    const ndr_field members[] = {F(next, "next"), {0}};
    node->fields = members;
    const ndr_field params[] = {IN(node, "list"), {0}};
    const ndr_method method = {.name = "List", .params = params};
    const ndr_interface list = {.methods = &method, .method_count = 1};

    uint8_t *octets_in = g_malloc(400000);
    memset(octets_in, 1, 400000);
    g_assert_cmpint(walk(&list, LITTLE, octets_in, 400000, 400000, NULL).code, ==, NDR_DEPTH);
    memset(octets_in + 8, 0, 4);
    expect_slack(&list, LITTLE, 0, octets_in, 12,
                 "list { 0 @0\n" "} +4\n" "  ^1 next { 0 @4\n" "  } +4\n" "    ^2 next { 0 @8\n"
                 "      next = null @8+4\n" "    } +4\n");

    /* And a pointer to itself, which never opens anything. */
    ndr_type pointer[1] = {{.kind = NDR_UNIQUE}};
    pointer->of = pointer;
    const ndr_field loop_params[] = {IN(pointer, "loop"), {0}};
    const ndr_method loop_method = {.name = "Loop", .params = loop_params};
    const ndr_interface loop = {.methods = &loop_method, .method_count = 1};
    memset(octets_in, 1, 400000);
    g_assert_cmpint(walk(&loop, NDR64, octets_in, 400000, 400000, NULL).code, ==, NDR_DEPTH);

    /* And a tree, which opens an array and a structure for each pointer. */
    const ndr_type children[1] = {{.kind = NDR_CONF, .of = node}}, branch[1] = {{.kind = NDR_UNIQUE, .of = children}};
    const ndr_field tree_members[] = {F(branch, "children"), {0}};
    node->fields = tree_members;
    for (size_t i = 0; i < 400000; i += 4)
        memcpy(octets_in + i, "\x01\x00\x00\x00", 4);
    g_assert_cmpint(walk(&list, LITTLE, octets_in, 400000, 400000, NULL).code, ==, NDR_DEPTH);
    g_free(octets_in);
}

/* ------------------------------------------------------------------------------------------- blobs */

BLOB(PAIR, F(U8, "count"), F(OCTETS, "first", SIZE_IS("count")), F(U16, "n"), F(OCTETS, "rest"));
BLOB(EXACT, F(U32, "n"));

static bool read_digits(ndr_walker *walker, const uint8_t *data, size_t length, size_t offset)
{
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(data[i]))
            return false;
        ndr_emit(walker, "digit", offset + i, 1, &(ndr_value){.number = (uint64_t)(data[i] - '0')});
    }
    return true;
}
CUSTOM(DIGITS, read_digits, F(U8, "digit"));

BLOB(MEMBER, F(U8, "n"), F(DIGITS, "digits"));

static const ndr_type *choose(const uint8_t *data, size_t length, const ndr_value *selector,
                              bool response G_GNUC_UNUSED)
{
    g_assert_nonnull(data);
    g_assert_cmpuint(length, >, 0);
    if (selector == NULL)
        return NULL;
    return selector->number == 1 ? PAIR : selector->number == 2 ? EXACT : selector->number == 3 ? DIGITS : NULL;
}
ONE(blobs, ERROR, IN(U16, "kind"), IN(CONF(U8), "in", AS(choose, "kind")),
    OUT(UNIQUE(CONF(U8)), "out", AS(choose, "kind")));

static void test_blobs(void)
{
    expect(&blobs, BIG, OCTETS_OF(0, 1, 0xEE, 0xEE, 0, 0, 0, 7, 2, 0xA1, 0xA2, 0x34, 0x12, 0xB1, 0xB2),
           "kind = 1 @0+2\n" "in = 02a1a23412b1b2 @8+7\n"
           "in decoded PAIR { 0 @8\n" "  count = 2 @8+1\n" "  first = a1a2 @9+2\n" "  n = 4660 @11+2\n"
           "  rest = b1b2 @13+2\n" "} +7\n");
    expect(&blobs, LITTLE, OCTETS_OF(9, 0, 0xEE, 0xEE, 1, 0, 0, 0, 5), "kind = 9 @0+2\n" "in = 05 @8+1\n");
    expect(&blobs, LITTLE, OCTETS_OF(1, 0, 0xEE, 0xEE, 0, 0, 0, 0), "kind = 1 @0+2\n" "in =  @8+0\n");
    expect(&blobs, LITTLE, OCTETS_OF(3, 0, 0xEE, 0xEE, 2, 0, 0, 0, '4', '2'),
           "kind = 3 @0+2\n" "in = 3432 @8+2\n" "in decoded DIGITS { 0 @8\n" "  digit = 4 @8+1\n" "  digit = 2 @9+1\n"
           "} +2\n");
}

static void test_bad_blobs(void)
{
    expect(&blobs, LITTLE, OCTETS_OF(1, 0, 0xEE, 0xEE, 3, 0, 0, 0, 9, 1, 2), /* SIZE_IS says more than there is */
           "kind = 1 @0+2\n" "in = 090102 @8+3\n" "in decoded PAIR { 0 @8\n" "  count = 9 @8+1\n"
           "  ! in is malformed from its octet at stub offset 9 on @9+2\n" "} +3\n");
    expect(&blobs, LITTLE, OCTETS_OF(2, 0, 0xEE, 0xEE, 6, 0, 0, 0, 1, 0, 0, 0, 8, 9),
           "kind = 2 @0+2\n" "in = 010000000809 @8+6\n" "in decoded EXACT { 0 @8\n" "  n = 1 @8+4\n"
           "  ! 2 octets are left after the last field @12+2\n" "} +6\n");
    expect(&blobs, LITTLE, OCTETS_OF(3, 0, 0xEE, 0xEE, 2, 0, 0, 0, '4', 'x'),
           "kind = 3 @0+2\n" "in = 3478 @8+2\n" "in decoded DIGITS { 0 @8\n" "  digit = 4 @8+1\n"
           "  ! in is malformed from its octet at stub offset 8 on @8+2\n" "} +2\n");
}

static void test_blob_in_response(void)
{
    static const uint8_t request[] = {2, 0, 0, 0, 0, 0, 0, 0};
    const ndr_stub stub = {.data = request, .length = sizeof request};
    asked = &stub;
    expect(&blobs, RESPONSE, OCTETS_OF(1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0),
           "out = 07000000 @8+4\n" "out decoded EXACT { 0 @8\n" "  n = 7 @8+4\n" "} +4\n"
           "return = 0 (ERROR_SUCCESS) @12+4\n");
    asked = NULL;
    expect(&blobs, RESPONSE, OCTETS_OF(1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0),
           "out = 07000000 @8+4\n" "return = 0 (ERROR_SUCCESS) @12+4\n");
}

static void expect_blob(const ndr_type *type, ndr_code code, const uint8_t *data, size_t length, const char *expected)
{
    recorder r = {.data = data, .length = length, .text = g_string_new(NULL)};
    ndr_result result = ndr_walk_blob(type, data, length, record_event, &r);
    g_assert_cmpint(result.code, ==, code);
    g_assert_cmpstr(r.text->str, ==, expected);
    g_string_free(r.text, TRUE);
}

static void test_walk_blob(void)
{
    expect_blob(PAIR, NDR_OK, OCTETS_OF(1, 2, 3, 0, 4),
                "count = 1 @0+1\n" "first = 02 @1+1\n" "n = 3 @2+2\n" "rest = 04 @4+1\n");
    expect_blob(PAIR, NDR_SHORT, OCTETS_OF(1, 2, 3), "count = 1 @0+1\n" "first = 02 @1+1\n");
    expect_blob(EXACT, NDR_OK, OCTETS_OF(1, 0, 0, 0, 9),
                "n = 1 @0+4\n" "! 1 octets are left after the last parameter @4+1\n");
    expect_blob(DIGITS, NDR_OK, OCTETS_OF('1'), "digit = 1 @0+1\n");
    expect_blob(DIGITS, NDR_TAG, OCTETS_OF('x'), "");
    expect_blob(EXACT, NDR_SHORT, NULL, 0, "");
    expect_blob(MEMBER, NDR_OK, OCTETS_OF(1, '7'), "n = 1 @0+1\n" "digits { 0 @1\n" "  digit = 7 @1+1\n" "} +1\n");
    expect_blob(MEMBER, NDR_TAG, OCTETS_OF(1, 'x'), "n = 1 @0+1\n" "digits { 0 @1\n" "} +0\n");
}

/* ------------------------------------------------------------------------------------------- words */

static void expect_value(const ndr_type *type, ndr_value value, const char *expected)
{
    char *text = ndr_value_text(&(ndr_event){.kind = NDR_EV_VALUE, .type = type, .value = value});
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void test_words(void)
{
    static const uint8_t many[66] = {0xAB};
    expect_value(FILETIME, (ndr_value){.number = 0}, "0 (not set)");
    expect_value(FILETIME, (ndr_value){.number = 133512345671234567}, "2024-02-01T04:16:07.1234567Z");
    expect_value(FILETIME, (ndr_value){.number = UINT64_MAX}, "1833029933770 seconds since 1970");
    expect_value(TIME, (ndr_value){.number = 0}, "1970-01-01T00:00:00Z");
    expect_value(HANDLE(H), (ndr_value){.number = 1}, "00000000-0000-0000-0000-000000000000, attributes 0x00000001");
    expect_value(FLAGS32(doors), (ndr_value){.number = 5}, "0x00000005 (FRONT | BACK)");
    expect_value(OCTETS, (ndr_value){.octets = many, .length = 66},
                 "ab0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
                 "00000000000000000000000000000000... (66 octets)");
    for (int code = NDR_OK; code <= NDR_DEPTH; code++)
        g_assert_cmpstr(ndr_code_text((ndr_code)code), !=, "unknown");
    g_assert_cmpstr(errors_win32(0x6F7), ==, "RPC_X_BAD_STUB_DATA");
    g_assert_cmpstr(errors_fault(0x1C010002), ==, "nca_s_op_rng_error");
    g_assert_cmpstr(errors_fault(5), ==, "ERROR_ACCESS_DENIED");
    g_assert_null(errors_win32(0xFFFFFFFF));
}

static void test_guids(void)
{
    ndr_guid guid;
    char text[37];
    g_assert_true(ndr_guid_read("00112233-4455-6677-8899-AABBCCDDEEFF", &guid));
    g_assert_true(ndr_guid_equal(&guid, &guids[0].value));
    g_assert_true(ndr_guid_read("{00112233-4455-6677-8899-aabbccddeeff}", &guid));
    ndr_guid_text(&guid, text);
    g_assert_cmpstr(text, ==, "00112233-4455-6677-8899-aabbccddeeff");
    static const char *const wrong[] = {
        "", "{", "0", "00112233", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeefff",
        "{00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff}",
        "00112233445566778899aabbccddeeff", "0011223g-4455-6677-8899-aabbccddeeff",
        "00112233_4455-6677-8899-aabbccddeeff"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(ndr_guid_read(wrong[i], &guid));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct { const char *path; void (*run)(void); } tests[] = {
        {"/ndr/numbers/little", test_numbers}, {"/ndr/numbers/big", test_numbers_big},
        {"/ndr/numbers/ndr64", test_numbers_ndr64}, {"/ndr/identities", test_identities},
        {"/ndr/pointers/top", test_pointers}, {"/ndr/pointers/order", test_order}, {"/ndr/pointers/ref", test_ref},
        {"/ndr/arrays/forms", test_arrays}, {"/ndr/arrays/variance", test_variance},
        {"/ndr/arrays/octets", test_octets}, {"/ndr/arrays/arrays", test_arrays_of_arrays},
        {"/ndr/structures/gaps", test_gaps}, {"/ndr/structures/trailing-gap", test_trailing_gap},
        {"/ndr/structures/conformant", test_conformant_structure},
        {"/ndr/structures/nested-conformance", test_nested_conformance},
        {"/ndr/strings/good", test_strings}, {"/ndr/strings/bad", test_bad_strings},
        {"/ndr/unions/encodings", test_unions}, {"/ndr/unions/pointer", test_union_pointer},
        {"/ndr/unions/elements", test_union_elements}, {"/ndr/unions/tag", test_union_tag},
        {"/ndr/sizes/parameters", test_sizes}, {"/ndr/sizes/deferred", test_deferred_sizes},
        {"/ndr/sizes/range", test_range},
        {"/ndr/messages/response", test_response}, {"/ndr/messages/find", test_find},
        {"/ndr/messages/versions", test_versions}, {"/ndr/messages/trailing", test_trailing},
        {"/ndr/messages/before-trailer", test_before_trailer},
        {"/ndr/messages/reserved", test_reserved},
        {"/ndr/hostile/counts", test_huge_counts}, {"/ndr/hostile/empty-elements", test_empty_elements},
        {"/ndr/hostile/cut-count", test_cut_count}, {"/ndr/hostile/depth", test_depth},
        {"/ndr/blobs/good", test_blobs}, {"/ndr/blobs/bad", test_bad_blobs},
        {"/ndr/blobs/response", test_blob_in_response}, {"/ndr/blobs/alone", test_walk_blob},
        {"/ndr/words", test_words}, {"/ndr/guids", test_guids},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
