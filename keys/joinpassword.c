/* joinpassword.c - opens the passwords of join calls: [MS-WKST] v32.0, 2.2.5.18 (RC4) and 2.2.5.19 (AES).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/joinpassword.h"

#include <string.h>

#include <glib.h>

#include "keys/crypto.h"
#include "keys/keyring.h"

enum {
    OBFUSCATOR = 8, BUFFER = JOIN_LENGTH_MAX, LENGTH = 4, /* 2.2.5.17 */
    UNIT = 2, SEED = 1 * UNIT, TERMINATOR = 1 * UNIT, FIRST = 0x43, /* 2.2.5.18.1 */
    UTF8_OF_UNIT = 3, /* octets of a UTF-16 unit at most, surrogates being two units of four octets */
    MD5 = 16, SHA512 = 64, AES_KEY = 32, AES_BLOCK = 16
};

static const char enc_key_text[] = "Microsoft WKST encryption key AEAD-AES-256-CBC-HMAC-SHA512 16";
static const char mac_key_text[] = "Microsoft WKST MAC key AEAD-AES-256-CBC-HMAC-SHA512 16";

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | (uint32_t)get16(at + 2) << 16;
}

/* ---- what is inside ---- */

/* Undoes the chain of 2.2.5.18.1 in the characters between the seed and the terminator. */
static void unchain(uint8_t *text, size_t length, uint8_t seed)
{
    for (size_t i = length; i-- > 1;)
        text[i] ^= text[i - 1] ^ seed;
    if (length > 0)
        text[0] ^= seed | FIRST;
}

/* Takes UTF-16LE as the password if it is well-formed and without zeros; `legible`: and if all its characters can be seen. */
static bool take_text(const uint8_t *text, size_t length, bool legible, join_password *out)
{
    char *utf8 = crypto_alloc(length / UNIT * UTF8_OF_UNIT + 1);
    size_t used = 0;
    bool good = true;
    for (size_t i = 0; good && i < length; i += UNIT) {
        gunichar c = get16(text + i);
        if (c >= 0xd800 && c < 0xdc00 && length - i > UNIT) {
            gunichar low = get16(text + i + UNIT);
            good = low >= 0xdc00 && low < 0xe000;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += UNIT;
        }
        good = good && c != 0 && g_unichar_validate(c) && (!legible || g_unichar_isprint(c));
        if (good)
            used += (size_t)g_unichar_to_utf8(c, utf8 + used);
    }
    if (!good) {
        crypto_free(utf8);
        return false;
    }
    out->password = utf8;
    out->length = used;
    return true;
}

/* A password in either form, in the whole of `text`, which is changed. Only the encoded form ends with a zero. */
static bool take_password(uint8_t *text, size_t length, bool legible, join_password *out)
{
    if (length % UNIT)
        return false;
    out->encoded = length >= SEED + TERMINATOR && get16(text + length - TERMINATOR) == 0;
    if (!out->encoded)
        return take_text(text, length, legible, out);
    uint8_t seed = text[0];
    if (seed == 0 || text[1] != 0)
        return false;
    length -= SEED + TERMINATOR;
    unchain(text + SEED, length, seed);
    return take_text(text + SEED, length, false, out);
}

/* ---- RC4, 2.2.5.18.3 ---- */

static bool try_rc4(const join_key *key, const uint8_t *octets, uint32_t *inside, join_password *out)
{
    uint8_t *secret = crypto_alloc(MD5 + BUFFER + LENGTH), *plain = secret + MD5;
    rc4_state *rc4 = crypto_alloc(sizeof *rc4);
    crypto_md5((crypto_part[]){{key->octets, JOIN_KEY}, {octets, OBFUSCATOR}}, 2, secret);
    rc4_init(rc4, secret, MD5);
    rc4_run(rc4, plain, octets + OBFUSCATOR, BUFFER + LENGTH);
    size_t length = *inside = get32(plain + BUFFER);
    bool good = length <= BUFFER && take_password(plain + BUFFER - length, length, !key->sure, out);
    crypto_free(rc4);
    crypto_free(secret);
    return good;
}

/* A key that is no more than likely is wrong when it gives no password. One that is sure is not: then what is inside is. */
void join_open(const join_key *keys, size_t count, const uint8_t *octets, size_t length, join_password *out)
{
    const join_key *sure = NULL;
    uint32_t inside, inside_sure = 0;
    memset(out, 0, sizeof *out);
    out->outcome = length != JOIN_RC4_LENGTH ? JOIN_MALFORMED : count > 0 ? JOIN_WRONG_KEY : JOIN_NO_KEY;
    for (size_t i = 0; i < count && out->outcome == JOIN_WRONG_KEY; i++) {
        out->tried++;
        if (try_rc4(&keys[i], octets, &inside, out)) {
            out->outcome = JOIN_OPENED;
            out->key = &keys[i];
            out->inside = inside;
            out->proof = keys[i].sure ? JOIN_BY_SESSION : JOIN_BY_SHAPE;
        } else if (keys[i].sure && !sure) {
            sure = &keys[i];
            inside_sure = inside;
        }
    }
    if (out->outcome == JOIN_WRONG_KEY && sure) {
        out->outcome = JOIN_MALFORMED;
        out->key = sure;
        out->inside = inside_sure;
    }
}

/* ---- AES, 2.2.5.19 ---- */

typedef struct {
    const uint8_t *auth_data, *salt, *cipher;
    size_t         length;
} aes_form;

/* AuthData with a MAC key. The section draws it over the cipher, the salt, a version octet and that octet's length; its sisters
 * in [MS-SAMR] 3.2.2.4 and [MS-LSAD] 5.1.5 begin with the version, and none of them says how wide the length is. A MAC does not
 * hold by chance. */
static bool mac_holds(const aes_form *form, const uint8_t key[SHA512])
{
    static const uint8_t version[] = {1}, version_length[] = {1, 0, 0, 0};
    const crypto_part cipher = {form->cipher, form->length}, salt = {form->salt, JOIN_SALT}, v = {version, sizeof version};
    uint8_t mac[SHA512];
    bool holds = false;
    crypto_mac *hmac = crypto_mac_new(CRYPTO_SHA512, key, SHA512);
    for (size_t width = 1; width <= sizeof version_length; width += sizeof version_length - 1) {
        const crypto_part l = {version_length, width};
        crypto_mac_run(hmac, (crypto_part[]){cipher, salt, v, l}, 4, mac, sizeof mac);
        holds |= crypto_equal(mac, form->auth_data, sizeof mac);
        crypto_mac_run(hmac, (crypto_part[]){v, salt, cipher, l}, 4, mac, sizeof mac);
        holds |= crypto_equal(mac, form->auth_data, sizeof mac);
    }
    crypto_mac_free(hmac);
    return holds;
}

static void derive(const join_key *key, const char *text, size_t length, uint8_t out[SHA512])
{
    crypto_mac *hmac = crypto_mac_new(CRYPTO_SHA512, key->octets, JOIN_KEY);
    crypto_mac_run(hmac, &(crypto_part){text, length}, 1, out, SHA512);
    crypto_mac_free(hmac);
}

/* The plaintext is the encoded password's length and the encoded password; what pads the last block is not looked at. */
static bool decrypt(const aes_form *form, const uint8_t key[AES_KEY], join_password *out)
{
    uint8_t *plain = crypto_alloc(form->length);
    memcpy(plain, form->cipher, form->length);
    bool good = crypto_cbc_decrypt(CRYPTO_AES256_CBC, key, form->salt, plain, form->length);
    size_t length = get32(plain);
    good = good && length <= form->length - LENGTH && take_password(plain + LENGTH, length, false, out);
    crypto_free(plain);
    return good;
}

void join_open_aes(const join_key *keys, size_t count, const uint8_t auth_data[JOIN_AUTH_DATA], const uint8_t salt[JOIN_SALT],
                   const uint8_t *cipher, size_t length, join_password *out)
{
    const aes_form form = {auth_data, salt, cipher, length};
    memset(out, 0, sizeof *out);
    out->aes = true;
    out->outcome = count > 0 ? JOIN_WRONG_KEY : JOIN_NO_KEY;
    if (length == 0 || length % AES_BLOCK || length > JOIN_CIPHER_MAX)
        out->outcome = JOIN_MALFORMED;
    uint8_t *secret = crypto_alloc(SHA512);
    for (size_t i = 0; i < count && out->outcome == JOIN_WRONG_KEY; i++) {
        out->tried++;
        derive(&keys[i], mac_key_text, sizeof mac_key_text, secret);
        if (!mac_holds(&form, secret))
            continue;
        derive(&keys[i], enc_key_text, sizeof enc_key_text, secret);
        out->outcome = decrypt(&form, secret, out) ? JOIN_OPENED : JOIN_MALFORMED;
        out->key = &keys[i];
        out->proof = JOIN_BY_MAC;
    }
    crypto_free(secret);
}

/* ---- */

void join_clear(join_password *password)
{
    crypto_free(password->password);
    memset(password, 0, sizeof *password);
}

static char *opened_text(const join_password *p)
{
    const char *key = p->key->name, *form = p->encoded ? "" : "; it is bare UTF-16, not encoded as section 2.2.5.18.1 has it";
    if (p->proof == JOIN_BY_MAC)
        return g_strdup_printf("opened with %s, and its HMAC holds%s", key, form);
    if (p->proof == JOIN_BY_SESSION)
        return g_strdup_printf("opened with %s, which is proven; RC4 has no MAC, but length and characters hold%s", key, form);
    if (p->encoded)
        return g_strdup_printf("opened with %s, which nothing else proves; RC4 has no MAC, but length, seed, terminator and "
                               "characters hold, as a wrong key's would less than once in 2^48 tries", key);
    return g_strdup_printf("opened with %s, which nothing else proves; RC4 has no MAC, but length and characters hold, as a "
                           "wrong key's would less than once in 2^27 tries%s", key, form);
}

char *join_text(const join_password *p)
{
    switch (p->outcome) {
    case JOIN_OPENED:
        return opened_text(p);
    case JOIN_NO_KEY:
        return g_strdup("sealed, and the session key of the SMB session is not known: give the key of its user or server, "
                        "or a line smb-session-key ID KEY, in " KEYRING_FILE);
    case JOIN_WRONG_KEY:
        return g_strdup_printf("sealed: %" G_GSIZE_FORMAT " key%s of the SMB session tried, and %s", p->tried,
                               p->tried == 1 ? "" : "s",
                               p->aes ? "its HMAC holds with none" : "none gives a password's length and characters");
    case JOIN_MALFORMED:
        break;
    }
    if (!p->key)
        return g_strdup("its length cannot be");
    if (p->aes)
        return g_strdup("its HMAC holds, but what it seals is no password");
    if (p->inside > JOIN_LENGTH_MAX)
        return g_strdup_printf("sealed with %s, which is proven, but its Length is %u octets, and %u is the most", p->key->name,
                               p->inside, JOIN_LENGTH_MAX);
    return g_strdup_printf("sealed with %s, which is proven, but what is inside is no password", p->key->name);
}
