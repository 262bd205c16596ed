/* keys_crypto_test.c - the primitives against published vectors.
 * [RFC 3961] A.1 (n-fold), [RFC 3962] B (string-to-key, CTS), [RFC 8009] A (AES-SHA2), [MS-NLMP] 4.2.2 to 4.2.4 (NTLM's keys
 * and signatures).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include <glib.h>

#include "keys/crypto.h"
#include "keys/etype.h"
#include "keys/ntlmssp.h"

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; *hex; hex += *hex == ' ' ? 1 : 2)
        if (*hex != ' ')
            out[n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    return n;
}

static void expect(const uint8_t *octets, size_t length, const char *hex)
{
    uint8_t wanted[512];
    size_t due = unhex(hex, wanted);
    g_assert_cmpmem(octets, length, wanted, due);
}

static void test_nfold(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"012345", "be072631276b1955"},
        {"password", "78a07b6caf85fa"},
        {"Rough Consensus, and Running Code", "bb6ed30870b7f0e0"},
        {"password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e"},
        {"MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b"},
        {"Q", "518a54a215a8452a518a54a215a8452a518a54a215"},
        {"ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e"},
        {"kerberos", "6b65726265726f73"},
        {"kerberos", "6b65726265726f737b9b5b2b93132b93"},
        {"kerberos", "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4"},
        {"kerberos", "6b65726265726f737b9b5b2b93132b935c9bdcdad95c9899c4cae4dee6d6cae4"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t out[32];
        size_t length = strlen(rows[i].out) / 2;
        crypto_nfold((const uint8_t *)rows[i].in, strlen(rows[i].in), out, length);
        expect(out, length, rows[i].out);
    }
}

static void test_string_to_key(void)
{
    static const struct {
        uint32_t    iterations;
        const char *password, *salt, *aes128, *aes256;
    } rows[] = {
        {1, "password", "ATHENA.MIT.EDUraeburn", "42263c6e89f4fc28b8df68ee09799f15",
         "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"},
        {2, "password", "ATHENA.MIT.EDUraeburn", "c651bf29e2300ac27fa469d693bdda13",
         "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff"},
        {1200, "password", "ATHENA.MIT.EDUraeburn", "4c01cd46d632d01e6dbe230a01ed642a",
         "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a"},
        {5, "password", "\x12\x34\x56\x78\x78\x56\x34\x12", "e9b23d52273747dd5c35cb55be619d8e",
         "97a4e786be20d81a382d5ebc96d5909cabcdadc87ca48f574504159f16c36e31"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t length = 16; length <= 32; length += 16) {
            uint8_t out[32];
            g_assert_true(crypto_aes_string_to_key((const uint8_t *)rows[i].password, strlen(rows[i].password),
                                                   (const uint8_t *)rows[i].salt, strlen(rows[i].salt),
                                                   rows[i].iterations, out, length));
            expect(out, length, length == 16 ? rows[i].aes128 : rows[i].aes256);
        }
}

static void test_cts(void)
{
    static const char text[] = "I would like the General Gau's Chicken, please, and wonton soup.";
    static const char *const ciphers[] = { /* of the first 17, 31, 32, 47, 48 and 64 octets */
        "c6353568f2bf8cb4d8a580362da7ff7f97",
        "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
        "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
        "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
        "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8",
        ("97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc840"
         "9dad8bbb96c4cdc03bc103e1a194bbd8"),
    };
    crypto_cts *cts = crypto_cts_new((const uint8_t *)"chicken teriyaki", 16);
    for (size_t i = 0; i < G_N_ELEMENTS(ciphers); i++) {
        uint8_t data[64];
        size_t length = unhex(ciphers[i], data);
        g_assert_true(crypto_cts_decrypt(cts, data, length));
        g_assert_cmpmem(data, length, text, length);
        g_assert_true(crypto_cts_encrypt(cts, data, length));
        expect(data, length, ciphers[i]);
    }
    uint8_t few[15] = {0};
    g_assert_false(crypto_cts_decrypt(cts, few, sizeof few));
    crypto_cts_free(cts);
}

static void test_small(void)
{
    const crypto_part digits = {"123456789", 9};
    g_assert_cmphex(crypto_crc32(&digits, 1), ==, 0xcbf43926);
    uint8_t out[20];
    crypto_part parts[] = {{"Wi", 2}, {"", 0}, {"ki", 2}};
    crypto_md5(parts, 3, out);
    crypto_part joined = {"Wiki", 4};
    uint8_t again[16];
    crypto_md5(&joined, 1, again);
    g_assert_cmpmem(out, 16, again, 16);
    rc4_state rc4;
    rc4_init(&rc4, (const uint8_t *)"Key", 3);
    rc4_run(&rc4, out, (const uint8_t *)"Plaintext", 9);
    expect(out, 9, "bbf316e8d940af0ad3");
    rc4_init(&rc4, (const uint8_t *)"Key", 3);
    rc4_skip(&rc4, 4);
    rc4_run(&rc4, out, (const uint8_t *)"ntext", 5);
    expect(out, 5, "d940af0ad3");
    g_assert_true(crypto_equal("abc", "abc", 3) && !crypto_equal("abc", "abd", 3) && crypto_equal("a", "b", 0));
    crypto_mac *mac = crypto_mac_new(CRYPTO_SHA1, (const uint8_t *)"Jefe", 4); /* [RFC 2202] 3 */
    const crypto_part what[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
    for (int i = 0; i < 2; i++) {
        crypto_mac_run(mac, what, 2, out, 20);
        expect(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
    crypto_mac_free(mac);
    crypto_hmac_md5((const uint8_t *)"Jefe", 4, what, 2, out);
    expect(out, 16, "750c783e6ab0b503eaa86e310a5db738");
}

/* ---- [MS-NLMP] 4.2 ---- */

static const uint8_t server_challenge[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

/* An AUTHENTICATE message as ntlm_prove() looks at it. */
static ntlm_authenticate example(uint32_t flags, const uint8_t *lm, const uint8_t *nt, size_t nt_length)
{
    static const uint8_t user[] = "U\0s\0e\0r", domain[] = "D\0o\0m\0a\0i\0n";
    ntlm_authenticate message = {.flags = flags, .lm_response = {lm, 24}, .nt_response = {nt, nt_length},
                                 .user = {user, 8}, .domain = {domain, 12}};
    return message;
}

static void nt_hash(uint8_t out[16])
{
    g_assert_true(etype_nt_hash((const uint8_t *)"Password", 8, out));
    expect(out, 16, "a4f49c406510bdcab6824ee7c30fd852"); /* 4.2.2.1.2 */
}

static void test_ntlm_v1(void)
{
    uint8_t hash[16], lm[24], nt[24], key[16];
    nt_hash(hash);
    unhex("98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13", lm);
    unhex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94", nt); /* 4.2.2.2.1 */
    ntlm_authenticate message = example(0xe2028233, lm, nt, 24);
    g_assert_true(ntlm_prove(&message, server_challenge, hash, key));
    expect(key, 16, "d87262b0cde4b1cb7499becccdf10784"); /* 4.2.2.1.3 */
    nt[23] ^= 1;
    g_assert_false(ntlm_prove(&message, server_challenge, hash, key));

    /* 4.2.2.3: the encrypted session key, and 4.2.2.4: sealed without ESS */
    uint8_t out[18], random[16];
    rc4_state rc4;
    memset(random, 0x55, sizeof random);
    rc4_init(&rc4, key, 16);
    rc4_run(&rc4, out, random, 16);
    expect(out, 16, "518822b1b3f350c8958682ecbb3e3cb7");
    ntlm_seal_key(0xe2028233, random, true, key);
    const crypto_part plain = {"P\0l\0a\0i\0n\0t\0e\0x\0t", 18};
    rc4_init(&rc4, key, 16);
    rc4_run(&rc4, out, plain.data, 18);
    expect(out, 18, "56fe04d861f9319af0d7238a2e3b4d457fb8");
    uint32_t crc = crypto_crc32(&plain, 1);
    uint8_t behind[12] = {0, 0, 0, 0, (uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)};
    expect(behind + 4, 4, "7d84aa93");
    rc4_run(&rc4, behind, behind, 12);
    expect(behind, 12, "45c844e509dcd1df2e459d36");
}

/* Seals 4.2's example text in the client's direction, with ESS. */
static void seal(uint32_t flags, const uint8_t exported[16], const char *data, const char *checksum)
{
    uint8_t key[16], out[18], mac[8];
    const crypto_part parts[] = {{"\0\0\0", 4}, {"P\0l\0a\0i\0n\0t\0e\0x\0t", 18}};
    rc4_state rc4;
    ntlm_sign_key(exported, true, key);
    crypto_mac *sign = crypto_mac_new(CRYPTO_MD5, key, 16);
    crypto_mac_run(sign, parts, 2, mac, sizeof mac);
    crypto_mac_free(sign);
    ntlm_seal_key(flags, exported, true, key);
    rc4_init(&rc4, key, 16);
    rc4_run(&rc4, out, parts[1].data, 18);
    expect(out, 18, data);
    if (flags & NTLM_KEY_EXCH)
        rc4_run(&rc4, mac, mac, sizeof mac);
    expect(mac, sizeof mac, checksum);
}

static void test_ntlm_v1_ess(void)
{
    uint8_t hash[16], lm[24] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}, nt[24], key[16], derived[16];
    nt_hash(hash);
    unhex("7537f803ae367128ca458204bde7caf81e97ed2683267232", nt); /* 4.2.3.2.2 */
    ntlm_authenticate message = example(0x820a8233, lm, nt, 24);
    g_assert_true(ntlm_prove(&message, server_challenge, hash, key));
    expect(key, 16, "eb93429a8bd952f8b89c55b87f475edc"); /* 4.2.3.1.3 */
    ntlm_seal_key(message.flags, key, true, derived);
    expect(derived, 16, "04dd7f014d8504d265a25cc86a3a7c06"); /* 4.2.3.4, 56 bits */
    ntlm_sign_key(key, true, derived);
    expect(derived, 16, "60e799be5c72fc92922ae8ebe961fb8d");
    seal(message.flags, key, "a02372f6530273f3aa1eb90190ce5200c99d", "ff2aeb52f681793a");
}

static void test_ntlm_v2(void)
{
    uint8_t hash[16], lm[24] = {0}, nt[128], key[16], random[16], out[16];
    nt_hash(hash);
    size_t length = unhex("68cd0ab851e51c96aabc927bebef6a1c 01010000000000000000000000000000 aaaaaaaaaaaaaaaa 00000000"
                          "02000c0044006f006d00610069006e00 01000c005300650072007600650072000000000000000000", nt);
    ntlm_authenticate message = example(0xe28a8233, lm, nt, length);
    g_assert_true(ntlm_prove(&message, server_challenge, hash, key)); /* the proof of 4.2.4.2.2 */
    expect(key, 16, "8de40ccadbc14a82f15cb0ad0de95ca3");              /* 4.2.4.1.2 */
    memset(random, 0x55, sizeof random);
    rc4_state rc4;
    rc4_init(&rc4, key, 16);
    rc4_run(&rc4, out, random, 16);
    expect(out, 16, "c5dad2544fc9799094ce1ce90bc9d03e"); /* 4.2.4.2.3 */
    ntlm_seal_key(message.flags, random, true, out);
    expect(out, 16, "59f600973cc4960a25480a7c196e4c58"); /* 4.2.4.4 */
    ntlm_sign_key(random, true, out);
    expect(out, 16, "4788dc861b4782f35d43fd98fe1a2d39");
    seal(message.flags, random, "54e50165bf1936dc996020c1811b0f06fb5f", "7fb38ec5c55d4976");
}

/* A ticket's worth of each type, made by impacket.krb5.crypto.encrypt() with key 00 01 02 ..., usage 2 and confounder
 * 30 31 32 ... */
static void test_etypes(void)
{
    static const struct {
        int32_t     etype;
        size_t      key_length;
        const char *cipher;
    } rows[] = {
        {17, 16, "9345d4cbce2e2dff3509f5bdcc89feabff5bf83c9df7d64fd4b54084709e80620be1ad10b106203e9f9fe0e5"},
        {18, 32, "2d0cfd5eb401081d9d2519d884614cbae4f926a18b669793e5972452119aeecc34b0a3e0c4c90c6258fff900"},
        {23, 16, "aa0331414fe09ddfa148517cb7696668efa18f9535b56f965c880065a2eb636e8edb6d3fef1d3c71"},
    };
    uint8_t key[32], cipher[64];
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t length = unhex(rows[i].cipher, cipher), plain_length;
        uint8_t *plain = etype_decrypt(rows[i].etype, key, rows[i].key_length, 2, cipher, length, &plain_length);
        g_assert_nonnull(plain);
        g_assert_cmpmem(plain, plain_length, "a ticket's worth", 16);
        crypto_free(plain);
        g_assert_null(etype_decrypt(rows[i].etype, key, rows[i].key_length, 3, cipher, length, &plain_length));
        for (size_t cut = 0; cut < length; cut++)
            g_assert_null(etype_decrypt(rows[i].etype, key, rows[i].key_length, 2, cipher, cut, &plain_length));
        cipher[5] ^= 0x40;
        g_assert_null(etype_decrypt(rows[i].etype, key, rows[i].key_length, 2, cipher, length, &plain_length));
    }
}

/* ---- [RFC 8009] A ---- */

#define SHA2_128 "3705d96080c17728a0e800eab6e0d23c"
#define SHA2_256 "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52"

static void test_sha2_string_to_key(void)
{
    uint8_t salt[64], out[32];
    size_t length = unhex("10df9dd783e5bc8acea1730e74355f61", salt);
    memcpy(salt + length, "ATHENA.MIT.EDUraeburn", 22);
    g_assert_true(etype_string_to_key(19, (const uint8_t *)"password", 8, (char *)salt, out));
    expect(out, 16, "089bca48b105ea6ea77ca5d2f39dc5e7");
    g_assert_true(etype_string_to_key(20, (const uint8_t *)"password", 8, (char *)salt, out));
    expect(out, 32, "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467");
}

static void test_sha2_derive(void)
{
    static const struct {
        int32_t     etype;
        const char *key;
        uint8_t     kind;
        const char *out;
    } rows[] = {
        {19, SHA2_128, ETYPE_KC, "b31a018a48f54776f403e9a396325dc3"},
        {19, SHA2_128, ETYPE_KE, "9b197dd1e8c5609d6e67c3e37c62c72e"},
        {19, SHA2_128, ETYPE_KI, "9fda0e56ab2d85e1569a688696c26a6c"},
        {20, SHA2_256, ETYPE_KC, "ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d"},
        {20, SHA2_256, ETYPE_KE, "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49"},
        {20, SHA2_256, ETYPE_KI, "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t key[32], out[33];
        size_t length = unhex(rows[i].key, key), due = strlen(rows[i].out) / 2;
        memset(out, 0xee, sizeof out);
        g_assert_true(etype_derive(rows[i].etype, key, length, 2, rows[i].kind, out));
        expect(out, due, rows[i].out);
        g_assert_cmphex(out[due], ==, 0xee);
        g_assert_cmpuint(due, ==, rows[i].kind == ETYPE_KE ? length : etype_profile_of(rows[i].etype)->mac_key_length);
        g_assert_false(etype_derive(rows[i].etype, key, length - 1, 2, rows[i].kind, out));
    }
    uint8_t key[16] = {0}, out[16];
    g_assert_false(etype_derive(ETYPE_RC4_HMAC, key, 16, 2, ETYPE_KC, out));
}

static void test_sha2_decrypt(void)
{
    static const struct {
        int32_t     etype;
        const char *key, *plain, *cipher;
    } rows[] = {
        {19, SHA2_128, "", "ef85fb890bb8472f4dab20394dca781dad877eda39d50c870c0d5a0a8e48c718"},
        {19, SHA2_128, "000102030405", "84d7f30754ed987bab0bf3506beb09cfb55402cef7e6877ce99e247e52d16ed4421dfdf8976c"},
        {19, SHA2_128, "000102030405060708090a0b0c0d0e0f",
         "3517d640f50ddc8ad3628722b3569d2ae07493fa8263254080ea65c1008e8fc295fb4852e7d83e1e7c48c37eebe6b0d3"},
        {19, SHA2_128, "000102030405060708090a0b0c0d0e0f1011121314",
         "720f73b18d9859cd6ccb4346115cd336c70f58edc0c4437c5573544c31c813bce1e6d072c186b39a413c2f92ca9b8334a287ffcbfc"},
        {20, SHA2_256, "", "41f53fa5bfe7026d91faf9be959195a058707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c"},
        {20, SHA2_256, "000102030405",
         "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2"},
        {20, SHA2_256, "000102030405060708090a0b0c0d0e0f",
         "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1f932e40c4ff255b36a266"},
        {20, SHA2_256, "000102030405060708090a0b0c0d0e0f1011121314",
         ("40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2"
          "b2a602ac86fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t key[32], cipher[64];
        size_t key_length = unhex(rows[i].key, key), length = unhex(rows[i].cipher, cipher), plain_length;
        uint8_t *plain = etype_decrypt(rows[i].etype, key, key_length, 2, cipher, length, &plain_length);
        g_assert_nonnull(plain);
        expect(plain, plain_length, rows[i].plain);
        crypto_free(plain);
        g_assert_null(etype_decrypt(rows[i].etype, key, key_length, 3, cipher, length, &plain_length));
        for (size_t cut = 0; cut < length; cut++)
            g_assert_null(etype_decrypt(rows[i].etype, key, key_length, 2, cipher, cut, &plain_length));
        for (size_t at = 0; at < length; at++) {
            cipher[at] ^= 0x40;
            g_assert_null(etype_decrypt(rows[i].etype, key, key_length, 2, cipher, length, &plain_length));
            cipher[at] ^= 0x40;
        }
        key[3] ^= 1;
        g_assert_null(etype_decrypt(rows[i].etype, key, key_length, 2, cipher, length, &plain_length));
    }
}

static void test_sha2_checksum(void)
{
    static const struct {
        int32_t     etype;
        const char *key, *checksum;
    } rows[] = {
        {19, SHA2_128, "d78367186643d67b411cba9139fc1dee"},
        {20, SHA2_256, "45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const etype_profile *profile = etype_profile_of(rows[i].etype);
        uint8_t key[32], kc[32], text[21], out[24];
        size_t key_length = unhex(rows[i].key, key);
        for (uint8_t n = 0; n < sizeof text; n++)
            text[n] = n;
        g_assert_true(etype_derive(rows[i].etype, key, key_length, 2, ETYPE_KC, kc));
        crypto_mac *mac = crypto_mac_new(profile->hash, kc, profile->mac_key_length);
        crypto_mac_run(mac, &(crypto_part){text, sizeof text}, 1, out, profile->mac_length);
        crypto_mac_free(mac);
        expect(out, profile->mac_length, rows[i].checksum);
    }
}

/* MIT krb5's own vectors (src/lib/crypto/crypto_tests/t_decrypt.c), for [RFC 4757] has none: usages 1 to 4, of which 3 is
 * another number in [RFC 4757]; and its example of a password. */
static void test_rc4(void)
{
    static const struct {
        uint32_t    usage;
        const char *key, *plain, *cipher;
    } rows[] = {
        {1, "67d1300d281223867f9647ff48721273", "1", "6156e0cc04e0a0874f9fda008f498a7adbbc80b70b14dddbc0"},
        {2, "3e40ab6093695281b3ac1a9304224d98", "9 bytesss",
         "0f9ad121d99d4a09448e4f1f718c4f5cbe6096262c66f29df232a87c9f98755d55"},
        {3, "4ba2fbf0379faed87a254d3b353d5a7e", "13 bytes byte",
         "612c57568b17a70352bae8cf26fb9459a6f3353cd35fd439db3107cbec765d326dfc04c1dd"},
        {4, "68f263db3fce15d031c9eab02d67107a", "30 bytes bytes bytes bytes byt",
         "95f9047c3ad75891c2e9b04b16566dc8b6eb9ce4231afb2542ef87a7b5a0f260a99f0460508de0cecc632d07c354124e46c5d2234eb8"},
    };
    uint8_t key[16], cipher[64], hash[16];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        unhex(rows[i].key, key);
        size_t length = unhex(rows[i].cipher, cipher), plain_length;
        uint8_t *plain = etype_decrypt(ETYPE_RC4_HMAC, key, 16, rows[i].usage, cipher, length, &plain_length);
        g_assert_nonnull(plain);
        g_assert_cmpmem(plain, plain_length, rows[i].plain, strlen(rows[i].plain));
        crypto_free(plain);
        g_assert_null(etype_decrypt(ETYPE_RC4_HMAC, key, 16, rows[i].usage + 1, cipher, length, &plain_length));
        key[0] ^= 1;
        g_assert_null(etype_decrypt(ETYPE_RC4_HMAC, key, 16, rows[i].usage, cipher, length, &plain_length));
    }
    g_assert_true(etype_string_to_key(ETYPE_RC4_HMAC, (const uint8_t *)"foo", 3, "", hash));
    expect(hash, 16, "ac8e657f83df82beea5d43bdaf7800cc");
}

/* [RFC 4493] 4, examples 1 to 3; the others were computed with pycryptodome and hashlib. */
static void test_smb(void)
{
    uint8_t key[16], data[64], nonce[12], out[16];
    size_t length = unhex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411", data);
    unhex("2b7e1516 28aed2a6 abf71588 09cf4f3c", key);
    static const struct {
        size_t      length;
        const char *mac;
    } rows[] = {{0, "bb1d6929e95937287fa37d129b756746"}, {16, "070a16b46b4d4144f79bdd9dd04a287c"},
                {40, "dfa66747de9ae63030ca32611497c827"}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(crypto_aes_mac(key, NULL, &(crypto_part){data, rows[i].length}, 1, out));
        expect(out, 16, rows[i].mac);
    }
    g_assert_cmpuint(length, ==, 40);
    unhex("000102030405060708090a0b0c0d0e0f", key);
    unhex("000102030405060708090a0b", nonce);
    const crypto_part parts[] = {{"abcabcabcabcabcabc", 18}, {"abcabcabcabcabc", 15}};
    g_assert_true(crypto_aes_mac(key, NULL, parts, 2, out));
    expect(out, 16, "9656af0b29a27c0b6bc5b73fde7b81b1");
    g_assert_true(crypto_aes_mac(key, nonce, parts, 2, out));
    expect(out, 16, "76b011d495cef0d3bdf645317a3361c1");
    crypto_counter_kdf(CRYPTO_SHA256, key, 16, (crypto_part){"SMB2APP", 8}, (crypto_part){"SmbRpc", 7}, out, 16);
    expect(out, 16, "2061e31cbe99e5c6493e3fbbd4faf495");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    crypto_init();
    crypto_init();
    g_test_add_func("/keys/crypto/nfold", test_nfold);
    g_test_add_func("/keys/crypto/string-to-key", test_string_to_key);
    g_test_add_func("/keys/crypto/cts", test_cts);
    g_test_add_func("/keys/crypto/small", test_small);
    g_test_add_func("/keys/crypto/ntlm-v1", test_ntlm_v1);
    g_test_add_func("/keys/crypto/ntlm-v1-ess", test_ntlm_v1_ess);
    g_test_add_func("/keys/crypto/ntlm-v2", test_ntlm_v2);
    g_test_add_func("/keys/crypto/etypes", test_etypes);
    g_test_add_func("/keys/crypto/rc4", test_rc4);
    g_test_add_func("/keys/crypto/sha2-string-to-key", test_sha2_string_to_key);
    g_test_add_func("/keys/crypto/sha2-derive", test_sha2_derive);
    g_test_add_func("/keys/crypto/sha2-decrypt", test_sha2_decrypt);
    g_test_add_func("/keys/crypto/sha2-checksum", test_sha2_checksum);
    g_test_add_func("/keys/crypto/smb", test_smb);
    return g_test_run();
}
