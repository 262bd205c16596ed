/* bkrp_test.c - BackuprKey requests and responses in every encoding, and each structure of [MS-BKRP] 2.2 in them.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "decoders/bkrp_blobs.h"
#include "decoders/interfaces.h"
#include "tests/bkrp_certificate.h"
#include "tests/ndr_events.h"

enum { LITTLE = 0, BIG = 1, NDR64 = 2 };

/* ------------------------------------------------------------------------------------ making stubs */

static void put(GByteArray *stub, const void *octets, size_t length)
{
    g_byte_array_append(stub, octets, (guint)length);
}

static void put_number(GByteArray *stub, int how, unsigned size, uint64_t number)
{
    while (stub->len % size != 0)
        put(stub, "\xEE", 1);
    for (unsigned i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(number >> 8 * ((how & BIG) != 0 ? size - 1 - i : i));
        put(stub, &octet, 1);
    }
}

static void put_word(GByteArray *stub, int how, uint64_t number)
{
    put_number(stub, how, (how & NDR64) != 0 ? 8 : 4, number);
}

static void put_guid(GByteArray *stub, int how, const ndr_guid *guid)
{
    put_number(stub, how, 4, guid->data1);
    put_number(stub, how, 2, guid->data2);
    put_number(stub, how, 2, guid->data3);
    put(stub, guid->data4, 8);
}

static GByteArray *make_request(int how, const ndr_guid *action, const void *in, size_t length)
{
    GByteArray *stub = g_byte_array_new();
    put_guid(stub, how, action);
    put_word(stub, how, length);
    put(stub, in, length);
    put_number(stub, how, 4, length);
    put_number(stub, how, 4, 0);
    return stub;
}

static GByteArray *make_response(int how, const void *out, size_t length, uint32_t error)
{
    GByteArray *stub = g_byte_array_new();
    put_word(stub, how, out != NULL ? 0x20000 : 0);
    if (out != NULL) {
        put_word(stub, how, length);
        put(stub, out, length);
    }
    put_number(stub, how, 4, length);
    put_number(stub, how, 4, error);
    return stub;
}

/* --------------------------------------------------------------------------------- walking them */

static ndr_stub stub_of(const GByteArray *octets, int how, size_t length)
{
    return (ndr_stub){.data = octets->data, .length = length, .reported = octets->len,
                      .big_endian = (how & BIG) != 0, .ndr64 = (how & NDR64) != 0};
}

static ndr_result walk(const GByteArray *request, const GByteArray *response, int how, size_t length, recorder *r)
{
    const ndr_method *method = interfaces_method(&bkrp_interface, 0);
    ndr_result result;
    if (response == NULL) {
        ndr_stub stub = stub_of(request, how, length);
        r->data = stub.data;
        r->length = length;
        result = ndr_walk_request(&bkrp_interface, method, &stub, record_event, r);
    } else {
        ndr_stub stub = stub_of(response, how, length), asked = {0};
        if (request != NULL)
            asked = stub_of(request, how, request->len);
        r->data = stub.data;
        r->length = length;
        result = ndr_walk_response(&bkrp_interface, method, &stub, request != NULL ? &asked : NULL, record_event, r);
    }
    check_result(r, &result, response != NULL ? response->len : request->len);
    return result;
}

/* The text of a whole message; and the same message cut at every length must be CUT. Frees what it is given. */
static char *text_of(GByteArray *request, GByteArray *response, int how)
{
    size_t whole = response != NULL ? response->len : request->len;
    for (size_t length = 0; length < whole; length++) {
        recorder cut = {0};
        g_assert_cmpint(walk(request, response, how, length, &cut).code, ==, NDR_CUT);
    }
    recorder r = {.text = g_string_new(NULL)};
    g_assert_cmpint(walk(request, response, how, whole, &r).code, ==, NDR_OK);
    if (request != NULL)
        g_byte_array_unref(request);
    if (response != NULL)
        g_byte_array_unref(response);
    return g_string_free(r.text, FALSE);
}

static void expect(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

/* `part` stands in the text, which is too long to compare whole. */
static void expect_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_error("no\n%s\nin\n%s", part, text);
}

/* ---------------------------------------------------------------------------------------- the tests */

static void test_encodings(void)
{
    static const uint8_t secret[] = {1, 2, 3};
    for (int how = LITTLE; how <= BIG; how++)
        expect(text_of(make_request(how, &bkrp_backup, secret, 3), NULL, how),
               "pguidActionAgent = 7f752b10-178e-11d1-ab8f-00805f14db40 (BACKUPKEY_BACKUP_GUID) @0+16\n"
               "pDataIn = 010203 @20+3\n"
               "pDataIn decoded Secret { 0 @20\n" "  Secret = 010203 @20+3\n" "} +3\n"
               "cbDataIn = 3 @24+4\n" "dwParam = 0 @28+4\n");
    expect(text_of(make_request(NDR64, &bkrp_backup, secret, 3), NULL, NDR64),
           "pguidActionAgent = 7f752b10-178e-11d1-ab8f-00805f14db40 (BACKUPKEY_BACKUP_GUID) @0+16\n"
           "pDataIn = 010203 @24+3\n"
           "pDataIn decoded Secret { 0 @24\n" "  Secret = 010203 @24+3\n" "} +3\n"
           "cbDataIn = 3 @28+4\n" "dwParam = 0 @32+4\n");
}

static void test_retrieve_request(void)
{
    expect(text_of(make_request(LITTLE, &bkrp_retrieve_backup_key, NULL, 0), NULL, LITTLE),
           "pguidActionAgent = 018ff48a-eaba-40c6-8f6d-72370240e967 (BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID) @0+16\n"
           "pDataIn =  @20+0\n" "cbDataIn = 0 @20+4\n" "dwParam = 0 @24+4\n");
}

static void test_errors(void)
{
    expect(text_of(NULL, make_response(LITTLE, NULL, 0, 87), LITTLE),
           "ppDataOut = null @0+4\n" "pcbDataOut = 0 @4+4\n" "return = 87 (ERROR_INVALID_PARAMETER) @8+4\n");
    expect(text_of(NULL, make_response(NDR64, NULL, 7, 0), NDR64),
           "ppDataOut = null @0+8\n" "pcbDataOut = 7 @8+4\n"
           "! max_count of ppDataOut is 0, but size_is pcbDataOut makes it 7 @0+8\n"
           "return = 0 (ERROR_SUCCESS) @12+4\n");
}

#define GUID_OCTETS 0x0a, 0x4f, 0x1d, 0x6b, 0x52, 0x3c, 0x8d, 0x4e, 0x9a, 0x77, 0x10, 0xd2, 0xc3, 0xb4, 0xa5, 0x96
#define GUID_TEXT "6b1d4f0a-3c52-4e8d-9a77-10d2c3b4a596"

/* 2.2.2, with three octets of EncryptedSecret and two of AccessCheck */
static const uint8_t client_wrapped[] = {
    2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, GUID_OCTETS, 0xE1, 0xE2, 0xE3, 0xA1, 0xA2};
#define CLIENT_WRAPPED_TEXT(VERSION) \
    "pDataIn decoded Client_Side_Wrapped_Secret { 0 @20\n" "  dwVersion = " VERSION " @20+4\n" \
    "  cbEncryptedSecret = 3 @24+4\n" "  cbAccessCheck = 2 @28+4\n" "  guidKey = " GUID_TEXT " @32+16\n" \
    "  EncryptedSecret = e1e2e3 @48+3\n" "  AccessCheck = a1a2 @51+2\n" "} +33\n"

static void test_restore(void)
{
    uint8_t blob[sizeof client_wrapped];
    memcpy(blob, client_wrapped, sizeof blob);
    const ndr_guid *actions[] = {&bkrp_restore, &bkrp_restore_win2k};
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        for (blob[0] = 2; blob[0] <= 3; blob[0]++) {
            char *text = text_of(make_request(LITTLE, actions[i], blob, sizeof blob), NULL, LITTLE);
            expect_part(text, blob[0] == 2 ? CLIENT_WRAPPED_TEXT("2") : CLIENT_WRAPPED_TEXT("3"));
            g_free(text);
        }
    }
    blob[0] = 7; /* a version that nobody knows: only octets */
    char *text = text_of(make_request(BIG, &bkrp_restore, blob, sizeof blob), NULL, BIG);
    g_assert_null(strstr(text, "decoded"));
    g_free(text);
}

static void test_restore_malformed(void)
{
    uint8_t blob[sizeof client_wrapped + 1] = {0};
    memcpy(blob, client_wrapped, sizeof client_wrapped);
    char *text = text_of(make_request(LITTLE, &bkrp_restore, blob, sizeof blob), NULL, LITTLE);
    expect_part(text, "  ! 1 octets are left after the last field @53+1\n} +34\n");
    g_free(text);
    blob[4] = 200; /* cbEncryptedSecret */
    text = text_of(make_request(LITTLE, &bkrp_restore, blob, sizeof blob), NULL, LITTLE);
    expect_part(text, "  guidKey = " GUID_TEXT " @32+16\n"
                      "  ! pDataIn is malformed from its octet at stub offset 48 on @48+6\n");
    g_free(text);
}

/* 2.2.4, with six octets of ciphertext */
static const uint8_t server_wrapped[] = {
    1, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, GUID_OCTETS,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60,
    61, 62, 63, 64, 65, 66, 67, 68,
    0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6};

static void test_server_wrapped(void)
{
    const ndr_guid *actions[] = {&bkrp_restore, &bkrp_restore_win2k};
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        char *text = text_of(make_request(LITTLE, actions[i], server_wrapped, sizeof server_wrapped), NULL, LITTLE);
        expect_part(text, "pDataIn decoded Server_Side_Wrapped_Secret { 0 @20\n" "  Version = 1 @20+4\n"
                          "  Payload_Length = 5 @24+4\n" "  Ciphertext_Length = 6 @28+4\n"
                          "  GUID_of_Wrapping_Key = " GUID_TEXT " @32+16\n" "  R2 = 0102030405");
        expect_part(text, "@48+68\n" "  Rc4EncryptedPayload = c1c2c3c4c5c6 @116+6\n" "} +102\n");
        g_free(text);
    }
    char *text = text_of(make_request(LITTLE, &bkrp_backup, "x", 1),
                         make_response(LITTLE, server_wrapped, sizeof server_wrapped, 0), LITTLE);
    expect_part(text, "ppDataOut decoded Server_Side_Wrapped_Secret { 0 @8\n");
    g_free(text);
}

static void expect_out(const ndr_guid *action, const void *out, size_t length, const char *expected)
{
    for (int how = LITTLE; how <= BIG; how++) {
        GByteArray *request = action != NULL ? make_request(how, action, "x", 1) : NULL;
        char *text = text_of(request, make_response(how, out, length, 0), how);
        const char *decoded = strstr(text, "ppDataOut decoded");
        const char *end = strstr(text, "pcbDataOut");
        g_assert_nonnull(end);
        char *part = decoded != NULL ? g_strndup(decoded, (gsize)(end - decoded)) : g_strdup("");
        g_assert_cmpstr(part, ==, expected);
        g_free(part);
        g_free(text);
    }
}

static void test_unwrapped(void)
{
    static const uint8_t unwrapped[] = {0, 0, 0, 0, 0xA1, 0xA2}, bare[] = {5, 0, 0, 0};
    uint8_t recovered[56 + 2] = {1};
    expect_out(&bkrp_restore, unwrapped, sizeof unwrapped,
               "ppDataOut decoded Unwrapped_Secret { 0 @8\n" "  Version = 0 @8+4\n" "  Secret = a1a2 @12+2\n" "} +6\n");
    expect_out(&bkrp_restore, bare, sizeof bare,
               "ppDataOut decoded Secret { 0 @8\n" "  Secret = 05000000 @8+4\n" "} +4\n");
    expect_out(&bkrp_restore, bare, 3,
               "ppDataOut decoded Secret { 0 @8\n" "  Secret = 050000 @8+3\n" "} +3\n");
    expect_out(&bkrp_restore_win2k, unwrapped, sizeof unwrapped,
               "ppDataOut decoded Secret { 0 @8\n" "  Secret = 00000000a1a2 @8+6\n" "} +6\n");
    expect_out(&bkrp_restore_win2k, recovered, sizeof recovered,
               "ppDataOut decoded UnwrappedSecret { 0 @8\n" "  Version = 1 @8+4\n"
               "  EncSalt = 00000000000000000000000000000000 @12+16\n"
               "  RecoveredSecret = 00000000000000000000000000000000000000" "00000000000000000000000000000000000000"
               " @28+38\n"
               "} +58\n");
    expect_out(NULL, unwrapped, sizeof unwrapped, "");
    expect_out(NULL, recovered, sizeof recovered, "");
    expect_out(&bkrp_backup, unwrapped, sizeof unwrapped, "");
}

/* ------------------------------------------------------------------------------------ certificates */

static void expect_certificate(const char *text)
{
    expect_part(text, "ppDataOut decoded Certificate { 0 @8\n"
                      "  version = 2 @20+1\n"
                      "  serialNumber = 0a4f1d6b523c8d4e9a7710d2c3b4a596 @23+16\n"
                      "  signatureAlgorithm = 1.2.840.113549.1.1.5 (sha1WithRSAEncryption) @43+9\n"
                      "  issuer = CN=corp.example @54+25\n"
                      "  notBefore = 2024-01-31T10:15:00Z @83+13\n"
                      "  notAfter = 2025-01-30T10:15:00Z @98+13\n"
                      "  subject = CN=corp.example @111+25\n"
                      "  publicKeyAlgorithm = 1.2.840.113549.1.1.1 (rsaEncryption) @144+9\n"
                      "  modulus = ");
    expect_part(text, "... (256 octets) @169+256\n"
                      "  modulusBits = 2048 @169+256\n"
                      "  publicExponent = 65537 @427+3\n"
                      "  issuerUniqueID = " GUID_TEXT " @433+16\n"
                      "  subjectUniqueID = " GUID_TEXT " @452+16\n"
                      "} +736\n");
}

static void test_certificate(void)
{
    char *text = text_of(make_request(LITTLE, &bkrp_retrieve_backup_key, NULL, 0),
                         make_response(LITTLE, certificate, sizeof certificate, 0), LITTLE);
    expect_certificate(text);
    g_free(text);
    /* Without its request it is recognised, but not when an octet is missing. */
    text = text_of(NULL, make_response(LITTLE, certificate, sizeof certificate, 0), LITTLE);
    expect_certificate(text);
    g_free(text);
    expect_out(NULL, certificate, sizeof certificate - 1, "");
}

static ndr_code read_certificate(const uint8_t *octets, size_t length)
{
    uint8_t *copy = g_malloc(MAX(length, 1)); /* of the exact size, for the sanitizer */
    if (length > 0)
        memcpy(copy, octets, length);
    recorder r = {.data = copy, .length = length};
    ndr_result result = ndr_walk_blob(bkrp_blobs[0], copy, length, record_event, &r);
    check_result(&r, &result, length);
    g_free(copy);
    return result.code;
}

static void test_bad_certificates(void)
{
    g_assert_cmpint(read_certificate(certificate, sizeof certificate), ==, NDR_OK);
    for (size_t length = 0; length < sizeof certificate; length++)
        g_assert_cmpint(read_certificate(certificate, length), ==, NDR_TAG);

    uint8_t copy[sizeof certificate + 1] = {0};
    memcpy(copy, certificate, sizeof certificate);
    g_assert_cmpint(read_certificate(copy, sizeof copy), ==, NDR_TAG); /* an octet more */
    for (size_t i = 0; i < sizeof certificate; i++) {                  /* whatever comes of it */
        for (int bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            read_certificate(copy, sizeof certificate);
            copy[i] = certificate[i];
        }
    }
    copy[83 - 8] = 'x'; /* notBefore */
    g_assert_cmpint(read_certificate(copy, sizeof certificate), ==, NDR_TAG);

    uint8_t *large = g_malloc0(100000);
    memcpy(large, "\x30\x83\x01\x86\x9B", 5);
    g_assert_cmpint(read_certificate(large, 100000), ==, NDR_TAG);
    g_free(large);
}

/* What the test certificate does not show: other kinds of strings, and a key that is not RSA's. */
static void test_other_certificates(void)
{
    uint8_t copy[sizeof certificate];
    memcpy(copy, certificate, sizeof copy);
    copy[57] = 0x1E; /* the issuer's name: BMPString, 12 octets */
    copy[114] = 0x14; /* the subject's: TeletexString */
    copy[116] = 0xFF;
    copy[144] = 0x02; /* 1.2.840.113549.1.1.2 */
    recorder r = {.data = copy, .length = sizeof copy, .text = g_string_new(NULL)};
    g_assert_cmpint(ndr_walk_blob(bkrp_blobs[0], copy, sizeof copy, record_event, &r).code, ==, NDR_OK);
    expect_part(r.text->str, "issuer = CN=\xE6\x8D\xAF\xE7\x89\xB0\xE2\xB9\xA5\xE7\xA1\xA1\xE6\xB5\xB0\xE6\xB1\xA5 @");
    expect_part(r.text->str, "subject = CN=\xEF\xBF\xBDorp.example @");
    expect_part(r.text->str, "publicKeyAlgorithm = 1.2.840.113549.1.1.2 @");
    g_assert_null(strstr(r.text->str, "modulus"));
    expect_part(r.text->str, "subjectUniqueID = " GUID_TEXT);
    g_string_free(r.text, TRUE);
}

static void test_interfaces(void)
{
    ndr_guid uuid;
    g_assert_true(ndr_guid_read("3dde7c30-165d-11d1-ab8f-00805f14db40", &uuid));
    g_assert_true(interfaces_find(&uuid, 1) == &bkrp_interface);
    g_assert_null(interfaces_find(&uuid, 2));
    g_assert_null(interfaces_find(&bkrp_backup, 1));
    g_assert_null(interfaces_method(&bkrp_interface, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bkrp/encodings", test_encodings);
    g_test_add_func("/bkrp/retrieve-request", test_retrieve_request);
    g_test_add_func("/bkrp/errors", test_errors);
    g_test_add_func("/bkrp/restore", test_restore);
    g_test_add_func("/bkrp/restore-malformed", test_restore_malformed);
    g_test_add_func("/bkrp/server-wrapped", test_server_wrapped);
    g_test_add_func("/bkrp/unwrapped", test_unwrapped);
    g_test_add_func("/bkrp/certificate", test_certificate);
    g_test_add_func("/bkrp/bad-certificates", test_bad_certificates);
    g_test_add_func("/bkrp/other-certificates", test_other_certificates);
    g_test_add_func("/bkrp/interfaces", test_interfaces);
    return g_test_run();
}
