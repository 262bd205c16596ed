/* dpapi.c - opens what BackupKey wraps: [MS-BKRP] v27.0, 2.2.2 (client-side), 2.2.4 (server-side), 3.1.4.1.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/dpapi.h"

#include <string.h>

#include "keys/crypto.h"

enum {
    GUID_AT = 12, GUID_LENGTH = 16, HEADER = 28, /* of both structures */
    CHECK_HEADER = 8, SID_HEADER = 8, SID_AUTHORITIES = 15,
    R2_LENGTH = 68, R3_LENGTH = 32, SHA1_LENGTH = 20, HASH_MAX = 64
};

/* What differs between versions 2 and 3 of a client-side-wrapped secret (2.2.2.1 to 2.2.2.4). */
typedef struct {
    uint32_t      version;
    size_t        secret_at; /* in EncryptedSecret */
    crypto_cipher cipher;
    size_t        key_length, iv_length;
    crypto_hash   hash;
    size_t        hash_length;
} client_form;

static const client_form client_forms[] = {{2, 8, CRYPTO_3DES_CBC, 24, 8, CRYPTO_SHA1, 20},
                                           {3, 16, CRYPTO_AES256_CBC, 32, 16, CRYPTO_SHA512, 64}};

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* "S-1-5-21-..." of a SID ([MS-DTYP] 2.4.2.2) at the start of octets, *used its length; NULL: it is none. */
static char *sid_text(const uint8_t *octets, size_t length, size_t *used)
{
    if (length < SID_HEADER || octets[0] != 1 || octets[1] > SID_AUTHORITIES || length - SID_HEADER < 4u * octets[1])
        return NULL;
    uint64_t authority = 0;
    for (int i = 2; i < SID_HEADER; i++)
        authority = authority << 8 | octets[i];
    GString *text = g_string_new(NULL);
    g_string_printf(text, "S-1-%" G_GUINT64_FORMAT, authority);
    for (size_t i = 0; i < octets[1]; i++)
        g_string_append_printf(text, "-%u", get32(octets + SID_HEADER + 4 * i));
    *used = SID_HEADER + 4u * octets[1];
    return g_string_free(text, FALSE);
}

static void keep_secret(dpapi_secret *out, const uint8_t *secret, size_t length)
{
    out->secret = crypto_alloc(length + 1);
    memcpy(out->secret, secret, length);
    out->length = length;
}

/* ---- client-side-wrapped, 2.2.2 ---- */

typedef struct {
    const client_form *form;
    const uint8_t     *sealed, *check;
    size_t             sealed_length, check_length;
    dpapi_secret      *out;
} client_trial;

/* The access check, decrypted: magic, cbNonce, Nonce, SID, padding, hash of all before. */
static bool take_check(const client_trial *t, const uint8_t *check)
{
    const client_form *form = t->form;
    size_t proven = t->check_length - form->hash_length, used;
    uint8_t hash[HASH_MAX];
    crypto_digest(form->hash, &(crypto_part){check, proven}, 1, hash);
    if (!crypto_equal(hash, check + proven, form->hash_length) || get32(check) != 1)
        return false;
    size_t nonce = get32(check + 4);
    if (nonce > proven - CHECK_HEADER)
        return false;
    t->out->sid = sid_text(check + CHECK_HEADER + nonce, proven - CHECK_HEADER - nonce, &used);
    return t->out->sid != NULL;
}

/* EncryptedSecret, decrypted: cbSecret, the payload key's length, in version 3 two algorithms, the secret, the payload key. */
static void take_client(client_trial *t, const uint8_t *plain, size_t length)
{
    const client_form *form = t->form;
    dpapi_secret *out = t->out;
    size_t payload_key = form->key_length + form->iv_length, secret = length >= form->secret_at ? get32(plain) : 0;
    out->outcome = DPAPI_BAD_PROOF;
    if (length < form->secret_at + payload_key || get32(plain + 4) != payload_key ||
        secret != length - form->secret_at - payload_key)
        return;
    const uint8_t *key = plain + form->secret_at + secret;
    uint8_t *check = crypto_alloc(t->check_length);
    memcpy(check, t->check, t->check_length);
    if (crypto_cbc_decrypt(form->cipher, key, key + form->key_length, check, t->check_length) && take_check(t, check)) {
        keep_secret(out, plain + form->secret_at, secret);
        out->outcome = DPAPI_OPENED;
    }
    crypto_free(check);
}

static bool try_client(const key_entry *entry, void *user)
{
    client_trial *t = user;
    size_t length;
    uint8_t *plain = crypto_rsa_decrypt(entry->octets, entry->length, t->sealed, t->sealed_length, &length);
    if (plain)
        take_client(t, plain, length);
    else if (t->out->outcome == DPAPI_NO_KEY)
        t->out->outcome = DPAPI_WRONG_KEY;
    crypto_free(plain);
    return t->out->outcome == DPAPI_OPENED;
}

static void open_client(const keyring *ring, const uint8_t *octets, size_t length, const client_form *form, dpapi_secret *out)
{
    size_t sealed = get32(octets + 4), check = get32(octets + 8);
    out->client_wrapped = true;
    if (sealed > length - HEADER || check != length - HEADER - sealed || check % form->iv_length ||
        check < CHECK_HEADER + form->hash_length) {
        out->outcome = DPAPI_MALFORMED;
        return;
    }
    client_trial t = {form, octets + HEADER, octets + HEADER + sealed, sealed, check, out};
    out->outcome = DPAPI_NO_KEY;
    out->key = keyring_try_backup(ring, KEY_BACKUP_CLIENT, out->guid, try_client, &t);
}

/* ---- server-side-wrapped, 2.2.4 ---- */

typedef struct {
    const uint8_t *r2, *sealed;
    size_t         length, secret_length;
    dpapi_secret  *out;
} server_trial;

static void hmac_sha1(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t out[SHA1_LENGTH])
{
    crypto_mac *mac = crypto_mac_new(CRYPTO_SHA1, key, key_length);
    crypto_mac_run(mac, &(crypto_part){data, length}, 1, out, SHA1_LENGTH);
    crypto_mac_free(mac);
}

/* 2.2.4.1: R3, MAC, SID, secret. The MAC tells a right key from a wrong one. */
static bool try_server(const key_entry *entry, void *user)
{
    server_trial *t = user;
    uint8_t *keys = crypto_alloc(3 * SHA1_LENGTH), *mac_key = keys + SHA1_LENGTH, *mac = mac_key + SHA1_LENGTH;
    uint8_t *plain = crypto_alloc(t->length);
    rc4_state *rc4 = crypto_alloc(sizeof *rc4);
    size_t used, head = R3_LENGTH + SHA1_LENGTH;
    hmac_sha1(entry->octets, entry->length, t->r2, R2_LENGTH, keys);
    rc4_init(rc4, keys, SHA1_LENGTH);
    rc4_run(rc4, plain, t->sealed, t->length);
    hmac_sha1(entry->octets, entry->length, plain, R3_LENGTH, mac_key);
    hmac_sha1(mac_key, SHA1_LENGTH, plain + head, t->length - head, mac);
    bool proven = crypto_equal(mac, plain + R3_LENGTH, SHA1_LENGTH);
    t->out->outcome = DPAPI_WRONG_KEY;
    if (proven) {
        t->out->sid = sid_text(plain + head, t->length - head, &used);
        t->out->outcome = t->out->sid && t->length - head - used == t->secret_length ? DPAPI_OPENED : DPAPI_MALFORMED;
    }
    if (t->out->outcome == DPAPI_OPENED)
        keep_secret(t->out, plain + head + used, t->secret_length);
    crypto_free(rc4);
    crypto_free(plain);
    crypto_free(keys);
    return proven;
}

static void open_server(const keyring *ring, const uint8_t *octets, size_t length, dpapi_secret *out)
{
    size_t secret = get32(octets + 4), sealed = get32(octets + 8);
    if (length - HEADER < R2_LENGTH || sealed != length - HEADER - R2_LENGTH || sealed < R3_LENGTH + SHA1_LENGTH + SID_HEADER) {
        out->outcome = DPAPI_MALFORMED;
        return;
    }
    server_trial t = {octets + HEADER, octets + HEADER + R2_LENGTH, sealed, secret, out};
    out->outcome = DPAPI_NO_KEY;
    out->key = keyring_try_backup(ring, KEY_BACKUP_SERVER, out->guid, try_server, &t);
}

/* ---- */

bool dpapi_open(const keyring *ring, const uint8_t *octets, size_t length, dpapi_secret *out)
{
    memset(out, 0, sizeof *out);
    if (length < HEADER)
        return false;
    const client_form *form = NULL;
    out->version = get32(octets);
    for (size_t i = 0; i < G_N_ELEMENTS(client_forms); i++)
        if (client_forms[i].version == out->version)
            form = &client_forms[i];
    if (!form && out->version != 1)
        return false;
    memcpy(out->guid, octets + GUID_AT, GUID_LENGTH);
    if (form)
        open_client(ring, octets, length, form, out);
    else
        open_server(ring, octets, length, out);
    return true;
}

void dpapi_clear(dpapi_secret *secret)
{
    g_free(secret->sid);
    crypto_free(secret->secret);
    memset(secret, 0, sizeof *secret);
}

char *dpapi_text(const dpapi_secret *secret)
{
    char guid[KEY_GUID_TEXT];
    const char *proof = secret->client_wrapped ? "the hash of its access check" : "its MAC";
    key_guid_text(secret->guid, guid);
    switch (secret->outcome) {
    case DPAPI_OPENED:
        return g_strdup_printf("opened with the domain's backup key %s, and %s holds", guid, proof);
    case DPAPI_NO_KEY:
        return g_strdup_printf("no backup key %s: give the LSA secret G$BCKUPKEY_%s of a domain controller%s as " KEYRING_FILE,
                               guid, guid,
                               secret->client_wrapped ? ", or its PVK or PEM file," : "");
    case DPAPI_WRONG_KEY:
        return g_strdup_printf("no backup key held for %s decrypts it: export that key again", guid);
    case DPAPI_BAD_PROOF:
        return g_strdup_printf("the domain's backup key %s decrypts it, but %s does not hold", guid, proof);
    case DPAPI_MALFORMED:
        break;
    }
    return g_strdup("its lengths contradict each other");
}
