/* etype.c - Kerberos encryption types.
 * Implements [RFC 6113] 5.1 (combining keys), [RFC 3961] 5.3, [RFC 3962] (AES-SHA1), [RFC 4757] 4 and 5 (RC4-HMAC), [RFC 8009] (AES-SHA2).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/etype.h"

#include <string.h>

#include <glib.h>

typedef struct etype_row etype_row;
struct etype_row {
    int32_t     etype;
    size_t      key_length;
    const char *name;
    const char *alias; /* as secretsdump writes it; or NULL */
    const etype_profile *profile; /* NULL: none, or not opened */
    uint8_t *(*decrypt)(const etype_row *row, const uint8_t *key, uint32_t usage, const uint8_t *cipher, size_t length,
                        size_t *plain_length);
    bool (*string_to_key)(const etype_row *row, const uint8_t *password, size_t length, const char *salt, uint8_t *out);
};

enum { SHA1_LENGTH = 20, CONFOUNDER = 16, MAC_MAX = 24, RC4_MAC = 16, RC4_CONFOUNDER = 8, AES_ITERATIONS = 4096, SHA2_ITERATIONS = 32768 };

static bool derive(const etype_row *row, const uint8_t *key, uint32_t usage, uint8_t kind, uint8_t *out)
{
    uint8_t constant[5] = {(uint8_t)(usage >> 24), (uint8_t)(usage >> 16), (uint8_t)(usage >> 8), (uint8_t)usage, kind};
    if (!row->profile->mac_of_cipher)
        return crypto_aes_derive(key, row->key_length, constant, sizeof constant, out);
    crypto_sha2_derive(row->profile->hash, key, row->key_length, constant, sizeof constant, out,
                       kind == ETYPE_KE ? row->key_length : row->profile->mac_key_length);
    return true;
}

/* The HMAC under Ki: over the plaintext, or in [RFC 8009] over the zero vector and the ciphertext. */
static bool mac_holds(const etype_row *row, const uint8_t *key, uint32_t usage, const uint8_t *data, size_t length,
                      const uint8_t *sent)
{
    static const uint8_t vector[CONFOUNDER];
    const etype_profile *profile = row->profile;
    const crypto_part parts[] = {{vector, profile->mac_of_cipher ? sizeof vector : 0}, {data, length}};
    uint8_t proof[MAC_MAX], *derived = crypto_alloc(row->key_length);
    bool fits = derive(row, key, usage, ETYPE_KI, derived);
    if (fits) {
        crypto_mac *mac = crypto_mac_new(profile->hash, derived, profile->mac_key_length);
        crypto_mac_run(mac, parts, G_N_ELEMENTS(parts), proof, profile->mac_length);
        crypto_mac_free(mac);
        fits = crypto_equal(proof, sent, profile->mac_length);
    }
    crypto_free(derived);
    return fits;
}

static bool cts_decrypt(const etype_row *row, const uint8_t *key, uint32_t usage, uint8_t *data, size_t length)
{
    uint8_t *derived = crypto_alloc(row->key_length);
    bool done = derive(row, key, usage, ETYPE_KE, derived);
    crypto_cts *cts = done ? crypto_cts_new(derived, row->key_length) : NULL;
    done = done && crypto_cts_decrypt(cts, data, length);
    crypto_cts_free(cts);
    crypto_free(derived);
    return done;
}

/* [RFC 3961] 5.3 and [RFC 8009] 5: CTS under Ke, and the HMAC behind it */
static uint8_t *aes_decrypt(const etype_row *row, const uint8_t *key, uint32_t usage, const uint8_t *cipher,
                            size_t length, size_t *plain_length)
{
    const etype_profile *profile = row->profile;
    if (length < CONFOUNDER + profile->mac_length)
        return NULL;
    size_t body = length - profile->mac_length;
    if (profile->mac_of_cipher && !mac_holds(row, key, usage, cipher, body, cipher + body))
        return NULL;
    uint8_t *plain = crypto_alloc(body);
    memcpy(plain, cipher, body);
    if (!cts_decrypt(row, key, usage, plain, body)
        || (!profile->mac_of_cipher && !mac_holds(row, key, usage, plain, body, cipher + body))) {
        crypto_free(plain);
        return NULL;
    }
    *plain_length = body - CONFOUNDER;
    memmove(plain, plain + CONFOUNDER, *plain_length);
    return plain;
}

static bool aes_string_to_key(const etype_row *row, const uint8_t *password, size_t length, const char *salt,
                              uint8_t *out)
{
    return crypto_aes_string_to_key(password, length, (const uint8_t *)salt, strlen(salt), AES_ITERATIONS, out,
                                    row->key_length);
}

/* [RFC 8009] 4: the name of the type, a zero octet, the salt */
static bool sha2_string_to_key(const etype_row *row, const uint8_t *password, size_t length, const char *salt,
                               uint8_t *out)
{
    size_t name = strlen(row->name) + 1, behind = strlen(salt);
    uint8_t *whole = g_malloc(name + behind + 1);
    memcpy(whole, row->name, name);
    memcpy(whole + name, salt, behind);
    bool done = crypto_sha2_string_to_key(row->profile->hash, password, length, whole, name + behind, SHA2_ITERATIONS,
                                          out, row->key_length);
    g_free(whole);
    return done;
}

/* [RFC 4757] 4: of the usages met here one differs from [RFC 4120]'s */
static uint32_t rc4_usage(uint32_t usage)
{
    return usage == 3 ? 8 : usage;
}

static uint8_t *rc4_decrypt(const etype_row *row, const uint8_t *key, uint32_t usage, const uint8_t *cipher,
                            size_t length, size_t *plain_length)
{
    if (length < RC4_MAC + RC4_CONFOUNDER)
        return NULL;
    size_t body = length - RC4_MAC;
    usage = rc4_usage(usage);
    uint8_t salt[4] = {(uint8_t)usage, (uint8_t)(usage >> 8), (uint8_t)(usage >> 16), (uint8_t)(usage >> 24)};
    uint8_t for_usage[16], for_data[16], proof[16], *plain = crypto_alloc(body);
    rc4_state *rc4 = crypto_alloc(sizeof *rc4);

    crypto_hmac_md5(key, row->key_length, &(crypto_part){salt, sizeof salt}, 1, for_usage);
    crypto_hmac_md5(for_usage, 16, &(crypto_part){cipher, RC4_MAC}, 1, for_data);
    rc4_init(rc4, for_data, sizeof for_data);
    rc4_run(rc4, plain, cipher + RC4_MAC, body);
    crypto_hmac_md5(for_usage, 16, &(crypto_part){plain, body}, 1, proof);
    bool fits = crypto_equal(proof, cipher, RC4_MAC);
    crypto_wipe(for_usage, sizeof for_usage);
    crypto_wipe(for_data, sizeof for_data);
    crypto_free(rc4);
    if (!fits) {
        crypto_free(plain);
        return NULL;
    }
    *plain_length = body - RC4_CONFOUNDER;
    memmove(plain, plain + RC4_CONFOUNDER, *plain_length);
    return plain;
}

static bool rc4_string_to_key(const etype_row *row, const uint8_t *password, size_t length, const char *salt,
                              uint8_t *out)
{
    (void)row;
    (void)salt;
    return etype_nt_hash(password, length, out);
}

/* hash, octets of the HMAC, octets of its key, over the ciphertext */
static const etype_profile aes128_sha1 = {CRYPTO_SHA1, 12, 16, false}, aes256_sha1 = {CRYPTO_SHA1, 12, 32, false};
static const etype_profile aes128_sha256 = {CRYPTO_SHA256, 16, 16, true}, aes256_sha384 = {CRYPTO_SHA384, 24, 24, true};

static const etype_row rows[] = {
    { 1,  8, "des-cbc-crc",                NULL,        NULL,           NULL,        NULL},
    { 3,  8, "des-cbc-md5",                NULL,        NULL,           NULL,        NULL},
    {16, 24, "des3-cbc-sha1",              NULL,        NULL,           NULL,        NULL},
    {17, 16, "aes128-cts-hmac-sha1-96",    NULL,        &aes128_sha1,   aes_decrypt, aes_string_to_key},
    {18, 32, "aes256-cts-hmac-sha1-96",    NULL,        &aes256_sha1,   aes_decrypt, aes_string_to_key},
    {19, 16, "aes128-cts-hmac-sha256-128", NULL,        &aes128_sha256, aes_decrypt, sha2_string_to_key},
    {20, 32, "aes256-cts-hmac-sha384-192", NULL,        &aes256_sha384, aes_decrypt, sha2_string_to_key},
    {23, 16, "rc4-hmac",                   "rc4_hmac",  NULL,           rc4_decrypt, rc4_string_to_key},
    {24, 16, "rc4-hmac-exp",               NULL,        NULL,           NULL,        NULL},
};

static const etype_row *find_row(int32_t etype)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].etype == etype)
            return &rows[i];
    return NULL;
}

const char *etype_name(int32_t etype)
{
    static _Thread_local char number[24];
    const etype_row *row = find_row(etype);
    if (row)
        return row->name;
    g_snprintf(number, sizeof number, "etype %d", etype);
    return number;
}

static bool is_name(const char *row_name, const char *name, size_t length)
{
    return row_name && strlen(row_name) == length && !g_ascii_strncasecmp(row_name, name, length);
}

int32_t etype_from_name(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (is_name(rows[i].name, name, length) || is_name(rows[i].alias, name, length))
            return rows[i].etype;
    return 0;
}

size_t etype_key_length(int32_t etype)
{
    const etype_row *row = find_row(etype);
    return row ? row->key_length : 0;
}

bool etype_supported(int32_t etype)
{
    const etype_row *row = find_row(etype);
    return row && row->decrypt;
}

const etype_profile *etype_profile_of(int32_t etype)
{
    const etype_row *row = find_row(etype);
    return row ? row->profile : NULL;
}

bool etype_derive(int32_t etype, const uint8_t *key, size_t key_length, uint32_t usage, uint8_t kind, uint8_t *out)
{
    const etype_row *row = find_row(etype);
    return row && row->profile && key_length == row->key_length && derive(row, key, usage, kind, out);
}

uint8_t *etype_decrypt(int32_t etype, const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher,
                       size_t length, size_t *plain_length)
{
    const etype_row *row = find_row(etype);
    *plain_length = 0;
    if (!row || !row->decrypt || key_length != row->key_length)
        return NULL;
    return row->decrypt(row, key, usage, cipher, length, plain_length);
}

bool etype_string_to_key(int32_t etype, const uint8_t *password, size_t length, const char *salt, uint8_t *out)
{
    const etype_row *row = find_row(etype);
    return row && row->string_to_key && row->string_to_key(row, password, length, salt, out);
}

bool etype_nt_hash(const uint8_t *password, size_t length, uint8_t out[16])
{
    gsize written = 0;
    char *wide = g_convert((const char *)password, (gssize)length, "UTF-16LE", "UTF-8", NULL, &written, NULL);
    if (!wide)
        return false;
    crypto_md4(wide, written, out);
    crypto_wipe(wide, written);
    g_free(wide);
    return true;
}

/* [RFC 3961] 5.3 and [RFC 3962] 6 for AES; [RFC 4757] has none, and HMAC-SHA1 is what all take for RC4. */
static size_t pseudo_random(const etype_row *row, const uint8_t *key, const uint8_t *data, size_t length, uint8_t out[SHA1_LENGTH])
{
    uint8_t digest[SHA1_LENGTH];
    if (row->etype == ETYPE_RC4_HMAC) {
        crypto_mac *mac = crypto_mac_new(CRYPTO_SHA1, key, row->key_length);
        crypto_mac_run(mac, &(crypto_part){data, length}, 1, out, SHA1_LENGTH);
        crypto_mac_free(mac);
        return SHA1_LENGTH;
    }
    if (!row->profile || row->profile->mac_of_cipher)
        return 0;
    uint8_t *derived = crypto_alloc(row->key_length);
    crypto_digest(CRYPTO_SHA1, &(crypto_part){data, length}, 1, digest);
    memcpy(out, digest, CONFOUNDER);
    crypto_cts *cts = crypto_aes_derive(key, row->key_length, (const uint8_t *)"prf", 3, derived)
                    ? crypto_cts_new(derived, row->key_length) : NULL;
    bool done = cts && crypto_cts_encrypt(cts, out, CONFOUNDER);
    crypto_cts_free(cts);
    crypto_free(derived);
    return done ? CONFOUNDER : 0;
}

/* PRF+: blocks of the function over a counter and the word, xored into `out`. */
static bool mix_in(int32_t etype, const uint8_t *key, const char *word, uint8_t *out, size_t length)
{
    const etype_row *row = find_row(etype);
    uint8_t input[32] = {0}, block[SHA1_LENGTH];
    size_t said = strlen(word);
    g_assert(said < sizeof input);
    memcpy(input + 1, word, said);
    for (size_t at = 0, made; at < length; at += made) {
        input[0]++;
        made = row ? pseudo_random(row, key, input, said + 1, block) : 0;
        if (made == 0)
            return false;
        for (size_t i = 0; i < made && at + i < length; i++)
            out[at + i] ^= block[i];
    }
    crypto_wipe(block, sizeof block);
    return true;
}

bool etype_combine(int32_t etype, const uint8_t *key, const char *word, int32_t other_etype, const uint8_t *other, const char *other_word,
                   uint8_t *out)
{
    size_t length = etype_key_length(etype);
    memset(out, 0, length);
    return length && mix_in(etype, key, word, out, length) && mix_in(other_etype, other, other_word, out, length);
}
