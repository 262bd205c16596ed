/* gss_wrap.c - Kerberos' per-message tokens in DCE/RPC.
 *
 * Implements [RFC 4121] 4.2 with the DCE style of [MS-KILE] 3.4.5.4, also with the types of [RFC 8009], and [RFC 4757] 7. With
 * stands behind the PDU and the sealed body stays in its place; header and sec_trailer are signed along when header
 * signing was negotiated. What was negotiated is tried first, then the other way; the checksum decides.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/gss_wrap.h"

#include <string.h>

#include "keys/der.h"
#include "keys/etype.h"

enum {
    CFX_HEADER = 16, CFX_CONFOUNDER = 16, CFX_MAC_MAX = 24,
    CFX_BY_ACCEPTOR = 1, CFX_SEALED = 2, CFX_ACCEPTOR_SUBKEY = 4,
    USAGE_ACCEPTOR_SEAL = 22, USAGE_ACCEPTOR_SIGN = 23, USAGE_INITIATOR_SEAL = 24, USAGE_INITIATOR_SIGN = 25,
    RC4_HEADER = 8, RC4_SEQUENCE = 8, RC4_CHECKSUM = 8, RC4_CONFOUNDER = 8,
    RC4_USAGE_SEAL = 13, RC4_USAGE_SIGN = 15
};

struct gss_key {
    int32_t     etype;
    const etype_profile *profile; /* NULL: RC4-HMAC */
    uint8_t    *octets; /* secure memory */
    size_t      length;
    crypto_cts *ke[2];  /* AES: from the client, from the server; NULL until needed */
    crypto_mac *ki[2], *kc[2];
};

gss_key *gss_key_new(int32_t etype, const uint8_t *key, size_t length)
{
    if (!etype_supported(etype) || length != etype_key_length(etype))
        return NULL;
    gss_key *made = g_new0(gss_key, 1);
    made->etype = etype;
    made->profile = etype_profile_of(etype);
    made->length = length;
    made->octets = crypto_alloc(length);
    memcpy(made->octets, key, length);
    return made;
}

void gss_key_free(gss_key *key)
{
    if (!key)
        return;
    for (int way = 0; way < 2; way++) {
        crypto_cts_free(key->ke[way]);
        crypto_mac_free(key->ki[way]);
        crypto_mac_free(key->kc[way]);
    }
    crypto_free(key->octets);
    g_free(key);
}

/* Header, body and sec_trailer as they are signed. */
static size_t signed_parts(const sec_message *message, const uint8_t *body, bool with_header, crypto_part parts[3])
{
    size_t count = 0;
    if (with_header)
        parts[count++] = (crypto_part){message->pdu, message->header_length};
    parts[count++] = (crypto_part){body, message->body_length};
    if (with_header)
        parts[count++] = (crypto_part){message_trailer(message), SEC_TRAILER_LENGTH};
    return count;
}

/* ---- AES, [RFC 4121] ---- */

static void ready_to_unseal(gss_key *key, int way)
{
    unsigned usage = way == 0 ? USAGE_INITIATOR_SEAL : USAGE_ACCEPTOR_SEAL;
    uint8_t *derived = key->ke[way] ? NULL : crypto_alloc(key->length);
    if (!derived)
        return;
    if (etype_derive(key->etype, key->octets, key->length, usage, ETYPE_KE, derived))
        key->ke[way] = crypto_cts_new(derived, key->length);
    if (key->ke[way] && etype_derive(key->etype, key->octets, key->length, usage, ETYPE_KI, derived))
        key->ki[way] = crypto_mac_new(key->profile->hash, derived, key->profile->mac_key_length);
    crypto_free(derived);
}

static void ready_to_verify(gss_key *key, int way)
{
    unsigned usage = way == 0 ? USAGE_INITIATOR_SIGN : USAGE_ACCEPTOR_SIGN;
    uint8_t *derived = key->kc[way] ? NULL : crypto_alloc(key->length);
    if (derived && etype_derive(key->etype, key->octets, key->length, usage, ETYPE_KC, derived))
        key->kc[way] = crypto_mac_new(key->profile->hash, derived, key->profile->mac_key_length);
    crypto_free(derived);
}

/* The copy within the encryption has RRC 0; the rest is as in the clear. */
static bool same_header(const uint8_t *copy, const uint8_t *header)
{
    return crypto_equal(copy, header, 6) && crypto_equal(copy + 8, header + 8, 8);
}

/* Copies token and body, turned back by `turn`, to `work`. The order is then: confounder, body, EC octets of filler, copy
 * of the header, HMAC. */
static void turn_back(const sec_message *message, size_t turn, uint8_t *work)
{
    const uint8_t *token = message_token(message), *body = message_body(message);
    size_t in_token = message->token_length - CFX_HEADER, total = in_token + message->body_length;
    for (size_t at = 0; at < total;) { /* token and body are one ring; copied in at most three pieces */
        size_t from = (at + turn) % total, run = MIN(from < in_token ? in_token - from : total - from, total - at);
        memcpy(work + at, from < in_token ? token + CFX_HEADER + from : body + (from - in_token), run);
        at += run;
    }
}

/* Decrypts what is in `work`; true when the header's copy comes out. */
static bool cfx_decrypt(gss_key *key, int way, const sec_message *message, size_t sealed, uint8_t *work)
{
    return crypto_cts_decrypt(key->ke[way], work, sealed)
        && same_header(work + sealed - CFX_HEADER, message_token(message));
}

/* The HMAC is over plaintext or, with [RFC 8009], over a zero vector and ciphertext. What is only signed enters it in the
 * clear and in its place: header before the body, sec_trailer behind it. That is how MIT's gss_wrap_iov does it with both. */
static bool cfx_mac_fits(gss_key *key, int way, const sec_message *message, size_t ec, const uint8_t *work,
                         bool with_header)
{
    static const uint8_t vector[CFX_CONFOUNDER];
    const uint8_t *body = work + CFX_CONFOUNDER, *behind = body + message->body_length;
    crypto_part parts[CRYPTO_PARTS] = {{vector, key->profile->mac_of_cipher ? sizeof vector : 0}, {work, CFX_CONFOUNDER}};
    size_t count = 2 + signed_parts(message, body, with_header, parts + 2);
    uint8_t mac[CFX_MAC_MAX];
    parts[count++] = (crypto_part){behind, ec + CFX_HEADER};
    crypto_mac_run(key->ki[way], parts, count, mac, key->profile->mac_length);
    return crypto_equal(mac, behind + ec + CFX_HEADER, key->profile->mac_length);
}

static bool cfx_mac_holds(gss_key *key, int way, const mech_env *env, const sec_message *message, size_t ec,
                          const uint8_t *work)
{
    return cfx_mac_fits(key, way, message, ec, work, env->header_signing)
        || cfx_mac_fits(key, way, message, ec, work, !env->header_signing);
}

static gss_outcome cfx_unseal(gss_key *key, mech_env *env, const sec_message *message, const uint8_t **plain)
{
    const uint8_t *token = message_token(message);
    /* what a token has besides EC */
    size_t around = CFX_HEADER + CFX_CONFOUNDER + CFX_HEADER + key->profile->mac_length;
    if (message->token_length < around || token[0] != 5 || token[1] != 4 || !(token[2] & CFX_SEALED))
        return GSS_UNREADABLE;
    size_t ec = (size_t)token[4] << 8 | token[5], rrc = (size_t)token[6] << 8 | token[7];
    if (message->token_length != around + ec)
        return GSS_UNREADABLE;
    int way = message->from_client ? 0 : 1;
    ready_to_unseal(key, way);
    if (!key->ki[way])
        return GSS_FAILS;
    size_t total = message->token_length - CFX_HEADER + message->body_length;
    size_t sealed = total - key->profile->mac_length;
    uint8_t *work = mech_scratch(env, total);
    bool before = key->profile->mac_of_cipher;
    /* In DCE style the rotation is EC further than RRC says ([MS-KILE] 3.4.5.4.1); a plain gss_wrap's is not. */
    for (int style = 0; style < (ec ? 2 : 1); style++) {
        turn_back(message, style == 0 ? rrc + ec : rrc, work);
        if ((!before || cfx_mac_holds(key, way, env, message, ec, work))
            && cfx_decrypt(key, way, message, sealed, work)
            && (before || cfx_mac_holds(key, way, env, message, ec, work))) {
            *plain = work + CFX_CONFOUNDER;
            return GSS_HOLDS;
        }
    }
    return GSS_FAILS;
}

static gss_outcome cfx_verify(gss_key *key, mech_env *env, const sec_message *message)
{
    const uint8_t *token = message_token(message);
    size_t mac_length = key->profile->mac_length;
    if (message->token_length != CFX_HEADER + mac_length || token[0] != 4 || token[1] != 4)
        return GSS_UNREADABLE;
    int way = message->from_client ? 0 : 1;
    ready_to_verify(key, way);
    for (int i = 0; i < 2 && key->kc[way]; i++) {
        crypto_part parts[4];
        uint8_t mac[CFX_MAC_MAX];
        bool with_header = i == 0 ? env->header_signing : !env->header_signing;
        size_t count = signed_parts(message, message_body(message), with_header, parts);
        parts[count++] = (crypto_part){token, CFX_HEADER};
        crypto_mac_run(key->kc[way], parts, count, mac, mac_length);
        if (crypto_equal(mac, token + CFX_HEADER, mac_length))
            return GSS_HOLDS;
    }
    return GSS_FAILS;
}

static gss_outcome cfx_open(gss_key *key, mech_env *env, const sec_message *message, const uint8_t **plain)
{
    const uint8_t *token = message_token(message);
    if (message->token_length >= CFX_HEADER && !(token[2] & CFX_BY_ACCEPTOR) != message->from_client)
        return GSS_FAILS; /* sent back to its sender */
    return message->level == SEC_LEVEL_PRIVACY ? cfx_unseal(key, env, message, plain)
                                               : cfx_verify(key, env, message);
}

bool gss_acceptor_subkey(const uint8_t *token, size_t length)
{
    return length >= CFX_HEADER && (token[0] == 5 || token[0] == 4) && token[1] == 4
        && token[2] & CFX_ACCEPTOR_SUBKEY;
}

/* ---- RC4-HMAC, [RFC 4757] 7 ---- */

/* Behind the frame of [RFC 2743] 3.1, whose length is not to be trusted: in RPC it does not count the data. */
static const uint8_t *rc4_inner(const uint8_t *token, size_t length, size_t *inner_length)
{
    static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
    if (length < 2 || token[0] != 0x60)
        return NULL;
    size_t head = 2 + (token[1] & 0x80 ? token[1] & 0x7fu : 0);
    if (length < head + sizeof oid || memcmp(token + head, oid, sizeof oid))
        return NULL;
    *inner_length = length - head - sizeof oid;
    return token + head + sizeof oid;
}

/* HMAC(HMAC(key, 0), salt): how both keys of a token are made */
static void rc4_token_key(const uint8_t *key, size_t length, const uint8_t *salt, size_t salt_length, uint8_t out[16])
{
    static const uint8_t zero[4];
    uint8_t middle[16];
    crypto_hmac_md5(key, length, &(crypto_part){zero, sizeof zero}, 1, middle);
    crypto_hmac_md5(middle, sizeof middle, &(crypto_part){salt, salt_length}, 1, out);
    crypto_wipe(middle, sizeof middle);
}

static void rc4_once(const uint8_t key[16], uint8_t *data, size_t length)
{
    rc4_state rc4;
    rc4_init(&rc4, key, 16);
    rc4_run(&rc4, data, data, length);
    crypto_wipe(&rc4, sizeof rc4);
}

static bool rc4_checksum_holds(const gss_key *key, const sec_message *message, const uint8_t *inner,
                               const uint8_t *confounder, const uint8_t *body, bool with_header)
{
    static const char purpose[] = "signaturekey";
    bool sealed = confounder != NULL;
    const uint8_t usage[4] = {sealed ? RC4_USAGE_SEAL : RC4_USAGE_SIGN, 0, 0, 0};
    uint8_t sign[16], digest[16], checksum[16];
    crypto_part parts[6] = {{usage, 4}, {inner, RC4_HEADER}, {confounder, sealed ? RC4_CONFOUNDER : 0}};
    size_t count = 3 + signed_parts(message, body, with_header, parts + 3);
    crypto_hmac_md5(key->octets, key->length, &(crypto_part){purpose, sizeof purpose}, 1, sign);
    crypto_md5(parts, count, digest);
    crypto_hmac_md5(sign, sizeof sign, &(crypto_part){digest, sizeof digest}, 1, checksum);
    crypto_wipe(sign, sizeof sign);
    return crypto_equal(checksum, inner + RC4_HEADER + RC4_SEQUENCE, RC4_CHECKSUM);
}

/* Decrypts confounder and body to `work`. */
static void rc4_unseal(const gss_key *key, const sec_message *message, const uint8_t *confounder,
                       const uint8_t sequence[4], uint8_t *work)
{
    uint8_t local[16], crypt[16];
    for (size_t i = 0; i < sizeof local; i++)
        local[i] = key->octets[i] ^ 0xf0;
    rc4_token_key(local, sizeof local, sequence, 4, crypt);
    memcpy(work, confounder, RC4_CONFOUNDER);
    if (message->body_length)
        memcpy(work + RC4_CONFOUNDER, message_body(message), message->body_length);
    rc4_once(crypt, work, RC4_CONFOUNDER + message->body_length);
    crypto_wipe(local, sizeof local);
    crypto_wipe(crypt, sizeof crypt);
}

static gss_outcome rc4_open(gss_key *key, mech_env *env, const sec_message *message, const uint8_t **plain)
{
    static const uint8_t seal_header[] = {2, 1, 0x11, 0, 0x10, 0, 0xff, 0xff};
    static const uint8_t sign_header[] = {1, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff};
    bool sealed = message->level == SEC_LEVEL_PRIVACY;
    size_t length, due = RC4_HEADER + RC4_SEQUENCE + RC4_CHECKSUM + (sealed ? RC4_CONFOUNDER : 0);
    const uint8_t *inner = rc4_inner(message_token(message), message->token_length, &length);
    if (!inner || length != due || memcmp(inner, sealed ? seal_header : sign_header, RC4_HEADER))
        return GSS_UNREADABLE;

    const uint8_t *checksum = inner + RC4_HEADER + RC4_SEQUENCE, *confounder = NULL, *body = message_body(message);
    uint8_t sequence[RC4_SEQUENCE], sequence_key[16];
    rc4_token_key(key->octets, key->length, checksum, RC4_CHECKSUM, sequence_key);
    memcpy(sequence, inner + RC4_HEADER, sizeof sequence);
    rc4_once(sequence_key, sequence, sizeof sequence);
    crypto_wipe(sequence_key, sizeof sequence_key);
    for (int i = 4; i < 8; i++)
        if (sequence[i] != (message->from_client ? 0 : 0xff))
            return GSS_FAILS;
    if (sealed) {
        uint8_t *work = mech_scratch(env, RC4_CONFOUNDER + message->body_length);
        rc4_unseal(key, message, checksum + RC4_CHECKSUM, sequence, work);
        confounder = work;
        *plain = body = work + RC4_CONFOUNDER;
    }
    if (!rc4_checksum_holds(key, message, inner, confounder, body, env->header_signing)
        && !rc4_checksum_holds(key, message, inner, confounder, body, !env->header_signing))
        return GSS_FAILS;
    env->sequence_known = true;
    env->sequence = (uint64_t)sequence[0] << 24 | (uint64_t)sequence[1] << 16 | (uint64_t)sequence[2] << 8 | sequence[3];
    return GSS_HOLDS;
}

bool gss_recognise(const uint8_t *token, size_t length)
{
    size_t inner;
    return (length >= CFX_HEADER && (token[0] == 5 || token[0] == 4) && token[1] == 4)
        || rc4_inner(token, length, &inner) != NULL;
}

gss_outcome gss_open(gss_key *key, mech_env *env, const sec_message *message, const uint8_t **plain)
{
    return key->profile ? cfx_open(key, env, message, plain) : rc4_open(key, env, message, plain);
}
