/* etype.c - Kerberos encryption types.
 * Implements [RFC 3961] 5.3, [RFC 3962] (AES-SHA1), [RFC 4757] 4 and 5 (RC4-HMAC).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/etype.h"

#include <string.h>

#include <glib.h>

#include "keys/crypto.h"

typedef struct {
    int32_t     etype;
    size_t      key_length;
    const char *name;
    const char *alias; /* as secretsdump writes it; or NULL */
    uint8_t *(*decrypt)(const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher, size_t length,
                        size_t *plain_length);
    bool (*string_to_key)(const uint8_t *password, size_t length, const char *salt, uint8_t *out, size_t key_length);
} etype_row;

enum { CONFOUNDER = 16, AES_MAC = 12, RC4_MAC = 16, RC4_CONFOUNDER = 8, AES_ITERATIONS = 4096 };

/* [RFC 3961] 5.3: CTS under Ke, the HMAC over the plaintext under Ki */
static uint8_t *aes_decrypt(const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher,
                            size_t length, size_t *plain_length)
{
    if (length < CONFOUNDER + AES_MAC)
        return NULL;
    size_t body = length - AES_MAC;
    uint8_t *derived = crypto_alloc(key_length), *plain = crypto_alloc(body);
    uint8_t constant[5] = {(uint8_t)(usage >> 24), (uint8_t)(usage >> 16), (uint8_t)(usage >> 8), (uint8_t)usage, 0xaa};
    uint8_t proof[AES_MAC];
    bool fits = crypto_aes_derive(key, key_length, constant, sizeof constant, derived);
    crypto_cts *cts = fits ? crypto_cts_new(derived, key_length) : NULL;
    memcpy(plain, cipher, body);
    fits = fits && crypto_cts_decrypt(cts, plain, body);
    crypto_cts_free(cts);

    constant[4] = 0x55;
    fits = fits && crypto_aes_derive(key, key_length, constant, sizeof constant, derived);
    if (fits) {
        crypto_mac *mac = crypto_mac_new(CRYPTO_SHA1, derived, key_length);
        crypto_mac_run(mac, &(crypto_part){plain, body}, 1, proof, sizeof proof);
        crypto_mac_free(mac);
        fits = crypto_equal(proof, cipher + body, sizeof proof);
    }
    crypto_free(derived);
    if (!fits) {
        crypto_free(plain);
        return NULL;
    }
    *plain_length = body - CONFOUNDER;
    memmove(plain, plain + CONFOUNDER, *plain_length);
    return plain;
}

static bool aes_string_to_key(const uint8_t *password, size_t length, const char *salt, uint8_t *out,
                              size_t key_length)
{
    return crypto_aes_string_to_key(password, length, (const uint8_t *)salt, strlen(salt), AES_ITERATIONS, out,
                                    key_length);
}

/* [RFC 4757] 4: of the usages met here one differs from [RFC 4120]'s */
static uint32_t rc4_usage(uint32_t usage)
{
    return usage == 3 ? 8 : usage;
}

static uint8_t *rc4_decrypt(const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher,
                            size_t length, size_t *plain_length)
{
    if (length < RC4_MAC + RC4_CONFOUNDER)
        return NULL;
    size_t body = length - RC4_MAC;
    usage = rc4_usage(usage);
    uint8_t salt[4] = {(uint8_t)usage, (uint8_t)(usage >> 8), (uint8_t)(usage >> 16), (uint8_t)(usage >> 24)};
    uint8_t for_usage[16], for_data[16], proof[16], *plain = crypto_alloc(body);
    rc4_state *rc4 = crypto_alloc(sizeof *rc4);

    crypto_hmac_md5(key, key_length, &(crypto_part){salt, sizeof salt}, 1, for_usage);
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

static bool rc4_string_to_key(const uint8_t *password, size_t length, const char *salt, uint8_t *out,
                              size_t key_length)
{
    (void)salt;
    (void)key_length;
    return etype_nt_hash(password, length, out);
}

static const etype_row rows[] = {
    { 1,  8, "des-cbc-crc",                NULL,        NULL,        NULL},
    { 3,  8, "des-cbc-md5",                NULL,        NULL,        NULL},
    {16, 24, "des3-cbc-sha1",              NULL,        NULL,        NULL},
    {17, 16, "aes128-cts-hmac-sha1-96",    NULL,        aes_decrypt, aes_string_to_key},
    {18, 32, "aes256-cts-hmac-sha1-96",    NULL,        aes_decrypt, aes_string_to_key},
    {19, 16, "aes128-cts-hmac-sha256-128", NULL,        NULL,        NULL},
    {20, 32, "aes256-cts-hmac-sha384-192", NULL,        NULL,        NULL},
    {23, 16, "rc4-hmac",                   "rc4_hmac",  rc4_decrypt, rc4_string_to_key},
    {24, 16, "rc4-hmac-exp",               NULL,        NULL,        NULL},
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

uint8_t *etype_decrypt(int32_t etype, const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher,
                       size_t length, size_t *plain_length)
{
    const etype_row *row = find_row(etype);
    *plain_length = 0;
    if (!row || !row->decrypt || key_length != row->key_length)
        return NULL;
    return row->decrypt(key, key_length, usage, cipher, length, plain_length);
}

bool etype_string_to_key(int32_t etype, const uint8_t *password, size_t length, const char *salt, uint8_t *out)
{
    const etype_row *row = find_row(etype);
    return row && row->string_to_key && row->string_to_key(password, length, salt, out, row->key_length);
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
