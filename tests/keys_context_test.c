/* keys_context_test.c - plays sealed conversations to a security context: with the key, without, with a wrong one,
 * changed, cut, with gaps. The conversations are in keys_vectors.h, made by keys_make_vectors.py.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "keys/context.h"
#include "keys/der.h"
#include "keys/spnego.h"
#include "tests/keys_vectors.h"

enum { OCTETS_MAX = 4096, PDUS_MAX = 16 };

/* ---- the player ---- */

typedef struct {
    bool   no_tokens;      /* the bind is not in the capture */
    bool   tokens_twice;   /* each is sent again */
    size_t token_cut;      /* 0, or captured octets of each token */
    int    tamper, cut, drop; /* number of a PDU from 1; 0: none */
    int    last_dropped, twice; /* drop .. last_dropped are missing; this one comes again at once */
    int    tamper_at;      /* octet of the PDU to change */
} circumstances;

typedef struct {
    int         pdus;
    sec_verdict verdicts[PDUS_MAX]; /* texts are dead */
    bool        has_text[PDUS_MAX], client[PDUS_MAX];
    sec_facts   facts;              /* likewise */
    char       *key_text, *user, *target, *key_origin, *key_proof;
} record;

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; g_ascii_isxdigit(hex[0]); hex += 2, n++) {
        g_assert_cmpuint(n, <, OCTETS_MAX);
        out[n] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    }
    return n;
}

static void play_token(sec_context *context, const char *line, const circumstances *how)
{
    uint8_t octets[OCTETS_MAX];
    size_t length = unhex(line + 4, octets), here = how->token_cut ? MIN(how->token_cut, length) : length;
    for (int times = how->tokens_twice ? 2 : 1; times > 0; times--) {
        uint8_t *exact = g_memdup2(octets, here); /* so that the sanitizer sees a read beyond the end */
        sec_context_token(context, exact, here, line[2] == '1', here == length);
        g_free(exact);
    }
}

static void play_pdu(sec_context *context, const char *line, const circumstances *how, record *out)
{
    uint8_t octets[OCTETS_MAX], wanted[OCTETS_MAX], plain[OCTETS_MAX];
    unsigned numbers[4];
    char *at = (char *)(uintptr_t)line + 4;
    for (int i = 0; i < 4; i++)
        numbers[i] = (unsigned)strtoul(at, &at, 10);
    size_t length = unhex(at + 1, octets), index = (size_t)out->pdus++;
    unhex(at + 1 + 2 * length + 1, wanted);
    if (out->pdus == how->drop || (how->drop && out->pdus > how->drop && out->pdus <= how->last_dropped))
        return;
    if (out->pdus == how->tamper)
        octets[how->tamper_at] ^= 1;
    if (out->pdus == how->cut)
        length -= 5;
    uint8_t *exact = g_memdup2(octets, length);
    sec_message message = {exact, numbers[1], numbers[2], numbers[3], length, line[2] == '1', (uint8_t)numbers[0], false};
    memset(plain, 0xee, sizeof plain);
    sec_verdict verdict = sec_context_open(context, &message, plain);
    if (out->pdus == how->twice) {
        sec_state first = verdict.state;
        verdict = sec_context_open(context, &message, plain);
        g_assert_cmpint(verdict.state, ==, first);
    }
    bool opened = verdict.state == SEC_VERIFIED && message.level == SEC_LEVEL_PRIVACY;
    if (opened)
        g_assert_cmpmem(plain, numbers[2], wanted, numbers[2]);
    for (size_t i = opened ? numbers[2] : 0; i < sizeof plain; i++)
        g_assert_cmphex(plain[i], ==, 0xee); /* nothing else was written */
    g_assert_true((verdict.text == NULL) == (verdict.reason == SEC_OK));
    out->verdicts[index] = verdict;
    out->client[index] = message.from_client;
    g_free(exact);
}

static const key_entry *session_key; /* goes into the ring of the next play() */
static uint64_t spent, to_spend;     /* on searches in vain: by the last play(), and before the next one begins */

static void play(const char *const *vector, const char *keys, const circumstances *how, record *out)
{
    static const circumstances usual;
    keyring *ring = keyring_new();
    sec_context *context = NULL;
    memset(out, 0, sizeof *out);
    if (!how)
        how = &usual;
    if (keys)
        g_assert_true(keyring_add_memory(ring, "keys", (const uint8_t *)keys, strlen(keys)));
    if (session_key)
        keyring_add_entry(ring, session_key);
    keyring_searched_in_vain(ring, to_spend);
    const uint64_t left = keyring_search_left(ring);
    for (; *vector; vector++) {
        const char *line = *vector;
        if (line[0] == 'N')
            context = sec_context_new(ring, (uint8_t)atoi(line + 2));
        else if (line[0] == 'H')
            sec_context_header_signing(context, line[2] == '1');
        else if (line[0] == 'T' && !how->no_tokens)
            play_token(context, line, how);
        else if (line[0] == 'P')
            play_pdu(context, line, how, out);
    }
    out->facts = *sec_context_facts(context);
    out->key_text = g_strdup(out->facts.key_text);
    out->user = g_strdup(out->facts.user);
    out->target = g_strdup(out->facts.target);
    out->key_origin = g_strdup(out->facts.key_origin);
    out->key_proof = g_strdup(out->facts.key_proof);
    spent = left - keyring_search_left(ring);
    sec_context_free(context);
    keyring_free(ring);
}

static void forget(record *r)
{
    g_free(r->key_text);
    g_free(r->user);
    g_free(r->target);
    g_free(r->key_origin);
    g_free(r->key_proof);
}

/* Every PDU but number `but` (from 1) has this state and reason. */
static void expect_all(const record *r, int but, sec_state state, sec_reason reason)
{
    g_assert_cmpint(r->pdus, >, 0);
    for (int i = 0; i < r->pdus; i++)
        if (i + 1 != but) {
            g_assert_cmpstr(sec_state_name(r->verdicts[i].state), ==, sec_state_name(state));
            g_assert_cmpstr(sec_reason_name(r->verdicts[i].reason), ==, sec_reason_name(reason));
        }
}

static void expect_one(const record *r, int number, sec_state state, sec_reason reason)
{
    g_assert_cmpstr(sec_state_name(r->verdicts[number - 1].state), ==, sec_state_name(state));
    g_assert_cmpstr(sec_reason_name(r->verdicts[number - 1].reason), ==, sec_reason_name(reason));
}

/* ---- what is played ---- */

#define PASSWORD "CORP\\alice:Sesam!\n"
#define NT_HASH "CORP\\alice:1103:aad3b435b51404eeaad3b435b51404ee:cf83f1a440a88e8bcd41c81b264ad9ae:::\n"
#define AES256 "CORP.EXAMPLE\\cifs/dc.corp.example:aes256-cts-hmac-sha1-96:" \
    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
#define AES128 "dc$:aes128-cts-hmac-sha1-96:101112131415161718191a1b1c1d1e1f\n"
#define RC4_KEY "svc:rc4_hmac:101112131415161718191a1b1c1d1e1f\n"
#define SHA2_128 "dc$:aes128-cts-hmac-sha256-128:101112131415161718191a1b1c1d1e1f\n"
#define SHA2_256 "CORP.EXAMPLE\\cifs/dc.corp.example:aes256-cts-hmac-sha384-192:" \
    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
#define NOBODY "CORP\\bob:whatever\n"

typedef struct {
    const char        *name;
    const char *const *vector;
    const char        *keys, *wrong;
    bool               sealed; /* level PRIVACY */
    bool               stream; /* NTLM */
} conversation;

static const conversation conversations[] = {
    {"ntlm/v2", vector_ntlm_v2, PASSWORD, "alice:Sesam\n", true, true},
    {"ntlm/v2-joerg", vector_ntlm_v2_joerg, "GRÖSSE\\JÖRG:Zauberwort ß\n", "Größe\\jörg:Zauberwort ss", true, true},
    {"ntlm/v2-oem", vector_ntlm_v2_oem, "jörg@nowhere:Sesam!\n", "jörg@nowhere:Sesam\n", true, true},
    {"ntlm/v2-no-mic", vector_ntlm_v2_no_mic, "*:nonsense\n*:Sesam!\n", "*:nonsense\n", true, true},
    {"ntlm/v2-no-key-exch", vector_ntlm_v2_no_key_exch, PASSWORD, "alice:x\n", true, true},
    {"ntlm/machine", vector_ntlm_machine, "CORP\\dc1$:Sesam!\n", "CORP\\dc1$:x\n", true, true},
    {"ntlm/v2-56", vector_ntlm_v2_56, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v2-40", vector_ntlm_v2_40, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v2-sign", vector_ntlm_v2_sign, PASSWORD, "alice:x\n", false, true},
    {"ntlm/v2-pkt", vector_ntlm_v2_pkt, PASSWORD, "alice:x\n", false, true},
    {"ntlm/v2-body-only", vector_ntlm_v2_body_only, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v2-spnego-restart", vector_ntlm_v2_spnego_restart, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v2-spnego-goes-on", vector_ntlm_v2_spnego_goes_on, PASSWORD, "alice:x\n", true, true},
    {"ntlm/long-response", vector_ntlm_long_response, PASSWORD, "alice:x\n", true, true},
    {"ntlm/cyrillic", vector_ntlm_cyrillic, "КРАЙ\\ЖОРА:Пароль\n", "Край\\жора:пароль\n", true, true},
    {"ntlm/polish", vector_ntlm_polish, "łąka\\Żółć:gęś\n", "ŁĄKA\\żółć:ges\n", true, true},
    {"ntlm/one-to-one", vector_ntlm_one_to_one, "CORP\\straßenŋÿ:Sesam!\n", "CORP\\straßenŋÿ:x\n", true, true},
    {"ntlm/v1-ess", vector_ntlm_v1_ess, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v1-shared", vector_ntlm_v1_shared, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v1-separate", vector_ntlm_v1_separate, PASSWORD, "alice:x\n", true, true},
    {"ntlm/v1-no-key-exch", vector_ntlm_v1_no_key_exch, PASSWORD, "alice:x\n", true, true},
    {"krb/aes256", vector_krb_aes256, AES256, "dc$:aes256-cts-hmac-sha1-96:"
     "001112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n", true, false},
    {"krb/aes256-body-only", vector_krb_aes256_body_only, AES256, "dc$:x\n", true, false},
    {"krb/aes256-unlike-negotiated", vector_krb_aes256_unlike_negotiated, AES256, "dc$:x\n", true, false},
    {"krb/aes128-bare", vector_krb_aes128_bare, AES128, "dc$:x\n", true, false},
    {"krb/aes256-initiator", vector_krb_aes256_initiator, AES256, "dc$:x\n", true, false},
    {"krb/aes256-two-legs", vector_krb_aes256_two_legs, AES256, "dc$:x\n", true, false},
    {"krb/aes256-level-packet", vector_krb_aes256_pkt, AES256, "dc$:x\n", false, false},
    {"krb/aes256-sign", vector_krb_aes256_sign, AES256, "dc$:x\n", false, false},
    {"krb/aes128-sign-body", vector_krb_aes128_sign_body, AES128, "dc$:x\n", false, false},
    {"krb/rc4", vector_krb_rc4, RC4_KEY, "dc$:x\n", true, false},
    {"krb/rc4-sign", vector_krb_rc4_sign, RC4_KEY, "dc$:x\n", false, false},
    {"krb/aes128-sha2", vector_krb_aes128_sha2, SHA2_128, "dc$:x\n", true, false},
    {"krb/aes256-sha2", vector_krb_aes256_sha2, SHA2_256, "dc$:x\n", true, false},
    {"krb/aes256-sha2-body-only", vector_krb_aes256_sha2_body_only, SHA2_256, "dc$:x\n", true, false},
    {"krb/aes128-sha2-sign", vector_krb_aes128_sha2_sign, SHA2_128, "dc$:x\n", false, false},
    {"krb/aes256-sha2-sign", vector_krb_aes256_sha2_sign, SHA2_256, "dc$:x\n", false, false},
};

static sec_state refused(const conversation *c)
{
    return c->sealed ? SEC_SEALED : SEC_UNVERIFIED;
}

static void test_opens(gconstpointer data)
{
    const conversation *c = data;
    record r;
    play(c->vector, c->keys, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_true(r.facts.have_key);
    g_assert_null(r.key_text);
    forget(&r);
}

static void test_no_key(gconstpointer data)
{
    const conversation *c = data;
    record r;
    play(c->vector, c->stream ? NOBODY : NULL, NULL, &r);
    expect_all(&r, 0, refused(c), SEC_NO_KEY);
    g_assert_nonnull(strstr(r.key_text, "no key"));
    g_assert_nonnull(strstr(r.key_text, c->stream ? r.user : r.target));
    forget(&r);
}

static void test_wrong_key(gconstpointer data)
{
    const conversation *c = data;
    record r;
    play(c->vector, c->wrong, NULL, &r);
    expect_all(&r, 0, refused(c), SEC_WRONG_KEY);
    g_assert_false(r.facts.have_key);
    g_assert_nonnull(strstr(r.key_text, c->stream ? "matched none of" : "opens the ticket"));
    forget(&r);
}

static void test_no_handshake(gconstpointer data)
{
    const conversation *c = data;
    const circumstances how = {.no_tokens = true};
    record r;
    play(c->vector, c->keys, &how, &r);
    expect_all(&r, 0, refused(c), SEC_NO_HANDSHAKE);
    forget(&r);
}

static void test_tokens_twice(gconstpointer data)
{
    const conversation *c = data;
    const circumstances how = {.tokens_twice = true};
    record r;
    play(c->vector, c->keys, &how, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
}

static void test_tokens_cut(gconstpointer data)
{
    const conversation *c = data;
    for (size_t cut = 1; cut < 1200; cut += cut < 64 ? 1 : 13) {
        const circumstances how = {.token_cut = cut};
        record r;
        play(c->vector, c->keys, &how, &r);
        if (!r.facts.have_key)
            g_assert_cmpint(r.verdicts[0].state, ==, refused(c));
        forget(&r);
    }
}

/* A changed octet anywhere, header and sec_trailer included, is found; the other PDUs open all the same. */
static void test_tampered(gconstpointer data)
{
    const conversation *c = data;
    const int first = strstr(c->name, "body") || strstr(c->name, "unlike") ? 24 : 0, octets = 24 + 48 + 8;
    for (int at = first; at < octets - (first ? 8 : 0); at += 3) {
        const circumstances how = {.tamper = 1, .tamper_at = at};
        record r;
        play(c->vector, c->keys, &how, &r);
        expect_one(&r, 1, refused(c), strstr(c->name, "pkt") ? SEC_UNSUPPORTED : SEC_BAD_SIGNATURE);
        expect_all(&r, 1, SEC_VERIFIED, SEC_OK);
        forget(&r);
    }
}

/* So is one in the token, whatever it stands for. Free are the length of RC4's frame, the number in its MIC (which only
 * a receiver who counts can check, [RFC 4757] 7.2) and the random pad of NTLM without ESS. */
static void test_token_tampered(gconstpointer data)
{
    const conversation *c = data;
    const int token = 24 + 48 + 8, octets = c->stream ? 16 : strstr(c->name, "rc4") ? 37 : 28;
    const int free_at = strstr(c->name, "v1-") && !strstr(c->name, "ess") ? 4 : strstr(c->name, "rc4-sign") ? 21 : -4;
    for (int at = c->stream ? 0 : 2; at < octets; at++) {
        const circumstances how = {.tamper = 1, .tamper_at = token + at};
        record r;
        if ((at >= free_at && at < free_at + 4) || (at == 6 && strstr(c->name, "aes256-sha2")))
            continue; /* RRC counts modulo what it turns, and 0x128 turns the 120 octets of that PDU as 0x28 and EC do */
        play(c->vector, c->keys, &how, &r);
        g_assert_cmpint(r.verdicts[0].state, ==, refused(c));
        forget(&r);
    }
}

static void test_cut(gconstpointer data)
{
    const conversation *c = data;
    for (int number = 1; number <= 5; number++) {
        const circumstances how = {.cut = number};
        record r;
        play(c->vector, c->keys, &how, &r);
        expect_one(&r, number, refused(c), SEC_CUT);
        expect_all(&r, number, SEC_VERIFIED, SEC_OK);
        forget(&r);
    }
}

/* Kerberos does not mind; NTLM finds its key stream again. */
static void test_dropped(gconstpointer data)
{
    const conversation *c = data;
    for (int drop = 1; drop <= 5; drop++)
        for (int last = drop; last <= drop + 2; last++) {
            const circumstances how = {.drop = drop, .last_dropped = last};
            record r;
            play(c->vector, c->keys, &how, &r);
            for (int i = 0; i < r.pdus; i++)
                if (i + 1 < drop || i + 1 > last)
                    expect_one(&r, i + 1, SEC_VERIFIED, SEC_OK);
            forget(&r);
            play(c->vector, c->wrong, &how, &r);
            for (int i = 0; i < r.pdus; i++)
                if (i + 1 < drop || i + 1 > last)
                    expect_one(&r, i + 1, refused(c), SEC_WRONG_KEY);
            forget(&r);
        }
}

/* A PDU that comes twice opens twice, and those behind it open too. */
static void test_repeated(gconstpointer data)
{
    const conversation *c = data;
    for (int number = 1; number <= 5; number++) {
        const circumstances how = {.twice = number};
        record r;
        play(c->vector, c->keys, &how, &r);
        expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
        forget(&r);
    }
}

/* ---- single cases ---- */

static void test_ntlm_facts(void)
{
    record r;
    play(vector_ntlm_v2, NT_HASH, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_cmpint(r.facts.mechanism, ==, SEC_MECH_NTLM);
    g_assert_cmpstr(r.facts.mechanism_text, ==, "NTLMv2");
    g_assert_cmpstr(r.user, ==, "CORP\\alice");
    g_assert_cmpstr(r.target, ==, "host/dc");
    g_assert_true(r.facts.ntlm_authenticate && r.facts.ntlm_mic && r.facts.ntlm_mic_verified);
    g_assert_cmphex(r.facts.ntlm_flags, ==, 0x60080231);
    g_assert_false(r.facts.spnego || r.facts.spnego_missing || r.facts.anonymous || r.facts.ap_req);
    forget(&r);

    play(vector_ntlm_v2_spnego_restart, PASSWORD, NULL, &r);
    g_assert_true(r.facts.spnego && !r.facts.kerberos_offered);
    forget(&r);
}

static void test_ntlm_wrong_key_text(void)
{
    record r;
    play(vector_ntlm_v2, "alice:a\nalice:b\nX\\ALICE:c\n", NULL, &r);
    g_assert_cmpstr(r.key_text, ==, "the NTLMv2 proof of CORP\\alice matched none of 3 keys held for that name: the"
                                    " password may have changed since: give the one of the time of the capture");
    g_assert_null(strstr(r.key_text, "Sesam"));
    forget(&r);
}

static void test_ntlm_anonymous(void)
{
    record r;
    play(vector_ntlm_anonymous, NULL, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_true(r.facts.anonymous);
    forget(&r);
}

/* Nobody's password is asked for, so keys make no difference; everything else does. */
static void test_ntlm_anonymous_twins(void)
{
    const circumstances late = {.no_tokens = true}, changed = {.tamper = 2, .tamper_at = 30};
    record r;
    play(vector_ntlm_anonymous, NOBODY, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_null(r.facts.key_origin);
    g_assert_cmpuint(r.facts.keys_tried, ==, 0);
    forget(&r);
    play(vector_ntlm_anonymous, NULL, &late, &r);
    expect_all(&r, 0, SEC_SEALED, SEC_NO_HANDSHAKE);
    forget(&r);
    play(vector_ntlm_anonymous, NULL, &changed, &r);
    expect_one(&r, 2, SEC_SEALED, SEC_BAD_SIGNATURE);
    expect_all(&r, 2, SEC_VERIFIED, SEC_OK);
    forget(&r);
}

/* Level CONNECT: a token that holds is verified, one that is a constant says nothing, and neither is an error. */
static void test_connect(void)
{
    static const struct {
        const char *const *vector;
        const char        *keys, *wrong;
        bool               holds;
    } rows[] = {
        {vector_ntlm_connect, PASSWORD, "alice:x\n", true},
        {vector_ntlm_connect_constant, PASSWORD, "alice:x\n", false},
        {vector_krb_connect, AES256, "dc$:x\n", true},
        {vector_krb_connect_constant, AES256, "dc$:x\n", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        record r;
        play(rows[i].vector, rows[i].keys, NULL, &r);
        expect_all(&r, 0, rows[i].holds ? SEC_VERIFIED : SEC_PLAIN, SEC_OK);
        forget(&r);
        play(rows[i].vector, rows[i].wrong, NULL, &r);
        expect_all(&r, 0, SEC_UNVERIFIED, SEC_WRONG_KEY);
        forget(&r);
        play(rows[i].vector, NULL, NULL, &r);
        expect_all(&r, 0, SEC_UNVERIFIED, SEC_NO_KEY);
        forget(&r);
        const circumstances changed = {.tamper = 1, .tamper_at = 30};
        play(rows[i].vector, rows[i].keys, &changed, &r);
        expect_one(&r, 1, SEC_PLAIN, SEC_OK);
        expect_all(&r, 1, rows[i].holds ? SEC_VERIFIED : SEC_PLAIN, SEC_OK);
        forget(&r);
    }
}

/* Levels INTEGRITY and PKT: a signature that does not hold is said to be bad. At level PKT that takes one that did, for until
 * then it is not known what NTLM's tokens cover. */
static void test_bad_signatures_below_privacy(void)
{
    const circumstances third = {.tamper = 4, .tamper_at = 40};
    static const struct {
        const char *const *vector;
        const char        *keys;
    } rows[] = {
        {vector_ntlm_v2_sign, PASSWORD}, {vector_ntlm_v2_pkt, PASSWORD}, {vector_krb_aes256_sign, AES256},
        {vector_krb_aes256_pkt, AES256}, {vector_krb_rc4_sign, RC4_KEY}, {vector_krb_aes128_sha2_sign, SHA2_128},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        record r;
        play(rows[i].vector, rows[i].keys, &third, &r);
        expect_one(&r, 4, SEC_UNVERIFIED, SEC_BAD_SIGNATURE);
        expect_all(&r, 4, SEC_VERIFIED, SEC_OK);
        g_assert_cmpuint(r.facts.pdus_refused, ==, 1);
        g_assert_cmpuint(r.facts.pdus_verified, ==, r.pdus - 1);
        forget(&r);
    }
}

static void test_ntlm_sign_without_stream(void)
{
    const circumstances how = {.drop = 1};
    record r;
    play(vector_ntlm_v2_sign_no_key_exch, PASSWORD, &how, &r);
    expect_all(&r, 1, SEC_VERIFIED, SEC_OK); /* a gap does not matter to such signatures */
    forget(&r);
}

static void test_krb_facts(void)
{
    record r;
    play(vector_krb_aes256, AES256, NULL, &r);
    g_assert_cmpint(r.facts.mechanism, ==, SEC_MECH_KERBEROS);
    g_assert_cmpstr(r.user, ==, "alice@CORP.EXAMPLE");
    g_assert_cmpstr(r.target, ==, "cifs/dc.corp.example@CORP.EXAMPLE");
    g_assert_true(r.facts.spnego && r.facts.kerberos_offered && r.facts.ap_req && r.facts.ap_rep);
    g_assert_true(r.facts.gss_flags_known && !r.facts.forwarded_tgt);
    g_assert_cmphex(r.facts.gss_flags, ==, 0x103e);
    g_assert_cmphex(r.facts.ap_options, ==, 0x20000000);
    g_assert_cmpint(r.facts.ticket_etype, ==, 18);
    forget(&r);
    play(vector_krb_aes256, NULL, NULL, &r);
    g_assert_cmpstr(r.key_text, ==, "no key opens the ticket for cifs/dc.corp.example@CORP.EXAMPLE"
                                    " (aes256-cts-hmac-sha1-96, kvno 3): export the keytab of that service's account"
                                    " and give it as a key file (-k, or Wireshark's preference rpclens.keys)");
    forget(&r);
}

static void test_krb_no_ap_rep(void)
{
    record r;
    play(vector_krb_aes256_no_ap_rep, AES256, NULL, &r);
    expect_all(&r, 0, SEC_SEALED, SEC_NO_HANDSHAKE);
    g_assert_true(r.facts.have_key);
    forget(&r);
}

/* As `play`, with one session key of the kind in the ring and nothing else. */
static void play_session_key(const char *const *vector, key_kind kind, int32_t etype, uint8_t first, size_t length,
                             const circumstances *how, record *r)
{
    uint8_t octets[32];
    for (size_t i = 0; i < length; i++)
        octets[i] = (uint8_t)(first + i);
    const key_entry entry = {.kind = kind, .name = (char[]){"cifs/dc.corp.example"}, .domain = (char[]){"CORP.EXAMPLE"},
                             .etype = etype, .octets = octets, .length = length};
    session_key = &entry;
    play(vector, NULL, how, r);
    session_key = NULL;
}

/* The exported key, with the bind missing and with the first PDUs missing too. */
static void test_ntlm_late(void)
{
    static const char *const *const rows[] = {vector_ntlm_v2, vector_ntlm_v2_40, vector_ntlm_v2_56, vector_ntlm_v2_sign,
                                              vector_ntlm_v2_spnego_restart, vector_ntlm_v1_shared};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (int last = 0; last <= 3; last++) {
            const circumstances late = {.no_tokens = true, .drop = last ? 1 : 0, .last_dropped = last};
            record r;
            play_session_key(rows[i], KEY_NTLM_SESSION, 0, 0x40, 16, &late, &r);
            for (int n = last; n < r.pdus; n++)
                expect_one(&r, n + 1, SEC_VERIFIED, SEC_OK);
            g_assert_cmpint(r.facts.mechanism, ==, SEC_MECH_NTLM);
            forget(&r);
            if (last != 0 || i > 1)
                continue; /* costs all the searches that are allowed */
            play_session_key(rows[i], KEY_NTLM_SESSION, 0, 0x41, 16, &late, &r);
            for (int n = last; n < r.pdus; n++)
                g_assert_cmpint(r.verdicts[n].reason, ==, SEC_NO_HANDSHAKE);
            forget(&r);
        }
    record r;
    play_session_key(vector_ntlm_v2, KEY_NTLM_SESSION, 0, 0x40, 16, NULL, &r); /* no password, but the session key */
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
}

/* Searches in vain add up over conversations, and when the ring has spent what it may, there are no more. */
static void test_ntlm_searches_end(void)
{
    const circumstances dropped = {.drop = 1, .last_dropped = 2};
    const circumstances changed = {.drop = 1, .last_dropped = 2, .tamper = 3, .tamper_at = 24};
    const circumstances late = {.no_tokens = true, .drop = 1, .last_dropped = 3};
    record r;
    play(vector_ntlm_v2, PASSWORD, &dropped, &r);
    expect_one(&r, 3, SEC_VERIFIED, SEC_OK);
    g_assert_cmpuint(spent, ==, 0); /* found */
    forget(&r);
    play(vector_ntlm_v2, PASSWORD, &changed, &r);
    g_assert_cmpint(r.verdicts[2].state, ==, SEC_SEALED);
    g_assert_cmpuint(spent, >, 1 << 24);
    g_assert_cmpuint(spent, <, 1 << 28);
    forget(&r);
    play_session_key(vector_ntlm_v2, KEY_NTLM_SESSION, 0, 0x41, 16, &late, &r);
    g_assert_cmpuint(spent, >, 1 << 24);
    forget(&r);
    to_spend = UINT64_MAX;
    play(vector_ntlm_v2, PASSWORD, &dropped, &r);
    for (int n = 3; n <= r.pdus; n++)
        if (r.client[n - 1] == r.client[0])
            g_assert_cmpint(r.verdicts[n - 1].state, ==, SEC_SEALED);
    g_assert_cmpuint(spent, ==, 0);
    forget(&r);
    play(vector_ntlm_v2, PASSWORD, NULL, &r); /* where nothing is missing, nothing is searched for */
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
    to_spend = 0;
}

static void test_krb_ticket_key(void)
{
    record r;
    play_session_key(vector_krb_aes256, KEY_TICKET, 18, 0x50, 32, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_true(r.facts.have_key && r.facts.gss_flags_known);
    g_assert_cmpstr(r.user, ==, "alice@CORP.EXAMPLE");
    forget(&r);
    play_session_key(vector_krb_aes256_initiator, KEY_TICKET, 18, 0x50, 32, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
    play_session_key(vector_krb_rc4, KEY_TICKET, 23, 0x50, 16, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
    play_session_key(vector_krb_aes256, KEY_SUBKEY, 18, 0xd0, 32, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
    play_session_key(vector_krb_rc4, KEY_SUBKEY, 23, 0xd0, 16, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
    play_session_key(vector_krb_aes256, KEY_SUBKEY, 18, 0xd1, 32, NULL, &r);
    expect_all(&r, 0, SEC_SEALED, SEC_NO_KEY);
    forget(&r);
    play_session_key(vector_krb_aes256, KEY_TICKET, 18, 0x51, 32, NULL, &r); /* another */
    expect_all(&r, 0, SEC_SEALED, SEC_NO_KEY);
    forget(&r);
}

/* No bind in the capture: the tokens tell the mechanism, and a subkey opens them all, whatever the auth type. */
static void test_krb_late(void)
{
    static const struct {
        const char *const *vector;
        int32_t            etype;
        size_t             length;
        bool               sealed;
    } rows[] = {
        {vector_krb_aes256, 18, 32, true}, {vector_krb_aes128_bare, 17, 16, true}, {vector_krb_rc4, 23, 16, true},
        {vector_krb_rc4_sign, 23, 16, false}, {vector_krb_aes256_sha2, 20, 32, true},
        {vector_krb_aes128_sha2_sign, 19, 16, false},
    };
    const circumstances late = {.no_tokens = true}, later = {.no_tokens = true, .drop = 1, .last_dropped = 2};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        sec_state no = rows[i].sealed ? SEC_SEALED : SEC_UNVERIFIED;
        record r;
        play_session_key(rows[i].vector, KEY_SUBKEY, rows[i].etype, 0xd0, rows[i].length, &late, &r);
        expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
        g_assert_true(r.facts.have_key && !r.facts.ap_req);
        g_assert_cmpint(r.facts.mechanism, ==, SEC_MECH_KERBEROS);
        forget(&r);
        play_session_key(rows[i].vector, KEY_SUBKEY, rows[i].etype, 0xd0, rows[i].length, &later, &r);
        for (int n = 2; n < r.pdus; n++)
            expect_one(&r, n + 1, SEC_VERIFIED, SEC_OK);
        forget(&r);
        play_session_key(rows[i].vector, KEY_SUBKEY, rows[i].etype, 0xd1, rows[i].length, &late, &r);
        expect_all(&r, 0, no, SEC_NO_HANDSHAKE);
        forget(&r);
        play(rows[i].vector, NULL, &late, &r);
        expect_all(&r, 0, no, SEC_NO_HANDSHAKE);
        forget(&r);
    }
    record r; /* without a subkey of its own the ticket's session key seals */
    play_session_key(vector_krb_aes256_initiator, KEY_TICKET, 18, 0x90, 32, &late, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
}

/* The AP-REP is missing; what it would have given was supplied. */
static void test_krb_no_ap_rep_but_subkey(void)
{
    uint8_t octets[32];
    for (uint8_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(0xd0 + i);
    key_entry entry = {.kind = KEY_SUBKEY, .name = (char[]){""}, .domain = (char[]){""}, .etype = 18, .octets = octets,
                       .length = sizeof octets};
    record r;
    session_key = &entry;
    play(vector_krb_aes256_no_ap_rep, AES256, NULL, &r);
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    g_assert_cmpstr(r.user, ==, "alice@CORP.EXAMPLE");
    forget(&r);
    octets[0] ^= 1;
    play(vector_krb_aes256_no_ap_rep, AES256, NULL, &r);
    expect_all(&r, 0, SEC_SEALED, SEC_NO_HANDSHAKE);
    forget(&r);
    session_key = NULL;
}

/* Real traffic: committed captures with their bind taken away, and the subkeys that the bind made. */
static void test_krb_real_late(void)
{
    static const struct {
        const char *const *vector;
        int32_t            etype;
        const uint8_t     *subkey;
    } rows[] = {{vector_real_aes128, 17, subkey_real_aes128}, {vector_real_rc4, 23, subkey_real_rc4}};
    const circumstances late = {.no_tokens = true};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t octets[16];
        memcpy(octets, rows[i].subkey, sizeof octets);
        const key_entry entry = {.kind = KEY_SUBKEY, .name = (char[]){""}, .domain = (char[]){""}, .etype = rows[i].etype,
                                 .octets = octets, .length = sizeof octets};
        record r;
        session_key = &entry;
        play(rows[i].vector, NULL, &late, &r);
        g_assert_cmpint(r.pdus, >=, 4);
        expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
        forget(&r);
        octets[3] ^= 0x20;
        play(rows[i].vector, NULL, &late, &r);
        expect_all(&r, 0, SEC_SEALED, SEC_NO_HANDSHAKE);
        forget(&r);
        session_key = NULL;
        play(rows[i].vector, NULL, &late, &r);
        expect_all(&r, 0, SEC_SEALED, SEC_NO_HANDSHAKE);
        forget(&r);
    }
}

static void test_krb_user_to_user(void)
{
    record r;
    play(vector_krb_user_to_user, AES256, NULL, &r); /* no keytab's business, be the octets the same */
    expect_all(&r, 0, SEC_SEALED, SEC_NO_KEY);
    g_assert_cmpstr(r.key_text, ==, "the ticket for cifs/dc.corp.example@CORP.EXAMPLE is user to user, sealed in the session"
                                    " key (aes256-cts-hmac-sha1-96) of the server's own ticket-granting ticket, which no"
                                    " keytab holds: give that session key, from the credential cache of the server's account");
    forget(&r);
    for (int kind = 0; kind < 2; kind++) {
        key_kind given = kind ? KEY_SUBKEY : KEY_TICKET;
        play_session_key(vector_krb_user_to_user, given, 18, 0x10, 32, NULL, &r);
        expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
        g_assert_cmpstr(r.user, ==, "alice@CORP.EXAMPLE");
        g_assert_true(r.facts.gss_flags_known);
        forget(&r);
        play_session_key(vector_krb_user_to_user, given, 18, 0x11, 32, NULL, &r);
        expect_all(&r, 0, SEC_SEALED, SEC_WRONG_KEY);
        g_assert_nonnull(strstr(r.key_text, "none of 1 session key"));
        forget(&r);
    }
    play_session_key(vector_krb_user_to_user, KEY_TICKET, 18, 0x50, 32, NULL, &r); /* the client's own session key */
    expect_all(&r, 0, SEC_VERIFIED, SEC_OK);
    forget(&r);
}

/* Which key it was, and what proved it; and never its octets. */
static void test_key_origin(void)
{
    static const struct {
        const char *const *vector;
        const char        *keys, *origin;
        size_t             tried;
    } rows[] = {
        {vector_ntlm_v2, "alice:a\nalice:b\n" PASSWORD, "password of alice@CORP, from keys", 1},
        {vector_ntlm_v2, NT_HASH, "NT hash of alice@CORP, from keys", 1},
        {vector_ntlm_v2_no_mic, "*:nonsense\n*:Sesam!\n", "password for anyone, from keys", 2},
        {vector_krb_aes256, AES256, "aes256-cts-hmac-sha1-96 of cifs/dc.corp.example@CORP.EXAMPLE, from keys", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        record r;
        play(rows[i].vector, rows[i].keys, NULL, &r);
        g_assert_cmpstr(r.key_origin, ==, rows[i].origin);
        g_assert_cmpuint(r.facts.keys_tried, ==, rows[i].tried);
        g_assert_cmpstr(r.key_proof, ==, "proven by the handshake");
        g_assert_cmpuint(r.facts.pdus_verified, ==, r.pdus);
        forget(&r);
    }
    const circumstances late = {.no_tokens = true};
    record r;
    play_session_key(vector_krb_rc4, KEY_SUBKEY, 23, 0xd0, 16, &late, &r);
    g_assert_cmpstr(r.key_origin, ==, "rc4-hmac subkey of cifs/dc.corp.example@CORP.EXAMPLE");
    g_assert_cmpstr(r.key_proof, ==, "proven by the signature of a PDU");
    forget(&r);
}

static void test_other_mechanisms(void)
{
    keyring *ring = keyring_new();
    uint8_t pdu[64] = {5}, plain[64];
    const sec_message sealed = {pdu, 24, 16, 16, 64, true, SEC_LEVEL_PRIVACY, false};
    const sec_message signed_only = {pdu, 24, 16, 16, 64, true, SEC_LEVEL_INTEGRITY, false};
    const sec_message tokenless = {pdu, 24, 16, 0, 64, true, SEC_LEVEL_CONNECT, false};
    sec_context *context = sec_context_new(ring, SEC_AUTH_NETLOGON);
    sec_context_token(context, pdu, sizeof pdu, true, true);
    g_assert_cmpint(sec_context_open(context, &sealed, plain).reason, ==, SEC_UNSUPPORTED);
    g_assert_cmpint(sec_context_open(context, &sealed, plain).state, ==, SEC_SEALED);
    g_assert_cmpint(sec_context_open(context, &signed_only, plain).state, ==, SEC_UNVERIFIED);
    g_assert_cmpint(sec_context_open(context, &tokenless, plain).state, ==, SEC_PLAIN);
    g_assert_cmpstr(sec_context_facts(context)->mechanism_text, ==, "Netlogon");
    sec_context_free(context);

    context = sec_context_new(ring, SEC_AUTH_SPNEGO);
    sec_context_token(context, (const uint8_t *)"NTLMSSP\0\1\0\0\0", 12, true, true);
    g_assert_true(sec_context_facts(context)->spnego_missing);
    sec_context_token(context, (const uint8_t *)"\xa1\x03 no", 5, true, true);
    g_assert_cmpint(sec_context_facts(context)->key_reason, ==, SEC_MALFORMED);
    sec_context_free(context);
    keyring_free(ring);
}

#define OCTETS(TEXT) ((der_value){(const uint8_t *)(TEXT), sizeof(TEXT) - 1})

static void test_der(void)
{
    der_value rest, found = {NULL, 0};
    uint8_t tag;
    int64_t number;
    rest = OCTETS("\x02\x01\x05\x04\x81\x02hi\x30");
    g_assert_true(der_next(&rest, &tag, &found) && tag == 0x02 && found.length == 1);
    g_assert_true(der_next(&rest, &tag, &found) && tag == 0x04 && found.length == 2);
    g_assert_false(der_next(&rest, &tag, &found));
    g_assert_cmpint(rest.length, ==, 1);
    const struct {
        const char *name;
        der_value   value;
    } unreadable[] = {
        {"nothing", OCTETS("")}, {"a length beyond the end", OCTETS("\x30\x05\xa0\x03\x02\x01")},
        {"an inner length beyond the end", OCTETS("\x30\x05\xa0\x09\x02\x01\x07")},
        {"no definite length", OCTETS("\x30\x80\xa0\x03\x02\x01\x07\0\0")},
        {"a length of five octets", OCTETS("\x30\x85\0\0\0\0\x05\xa0\x03\x02\x01\x07")},
        {"a tag of two octets", OCTETS("\x30\x06\xbf\x20\x03\x02\x01\x07")},
        {"an integer of nine octets", OCTETS("\x30\x0d\xa0\x0b\x02\x09\1\0\0\0\0\0\0\0\0")},
        {"an integer of none", OCTETS("\x30\x04\xa0\x02\x02\0")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(unreadable); i++)
        if (der_find_integer(unreadable[i].value, "\x30\xa0\x02", &number))
            g_error("%s is read", unreadable[i].name);
    g_assert_true(der_find_integer(OCTETS("\x30\x08\xa1\x01x\xa0\x03\x02\x01\xfe"), "\x30\xa0\x02", &number));
    g_assert_cmpint(number, ==, -2);
    char *name = der_find_principal(OCTETS("\x30\x11\xa0\x03\x02\x01\x02\xa1\x0a\x30\x08\x1b\x02ho\x1b\x02st"), "");
    g_assert_cmpstr(name, ==, "ho/st");
    g_free(name);
}

static void test_spnego(void)
{
    spnego_message m;
    static const uint8_t init[] = "\xa0\x1b\x30\x19\xa0\x0d\x30\x0b\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
                                  "\xa2\x04\x04\x02hi\xa3\x02\x30\0";
    static const uint8_t resp[] = "\xa1\x15\x30\x13\xa0\x03\x0a\x01\x02\xa2\x04\x04\x02hi\xa3\x06\x04\x04" "abcd";
    g_assert_true(spnego_parse(init, sizeof init - 1, &m));
    g_assert_true(m.kerberos && !m.mech_list_mic && m.token_length == 2 && m.neg_state == -1);
    g_assert_true(spnego_parse(resp, sizeof resp - 1, &m));
    g_assert_true(!m.kerberos && m.mech_list_mic && m.token_length == 2 && m.neg_state == SPNEGO_REJECT);
    for (size_t length = 0; length < sizeof resp - 1; length++)
        g_assert_false(spnego_parse(resp, length, &m));
}

static void add(const char *what, const conversation *c, GTestDataFunc test)
{
    char *path = g_strdup_printf("/keys/%s/%s", c->name, what);
    g_test_add_data_func(path, c, test);
    g_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(conversations); i++) {
        const conversation *c = &conversations[i];
        add("opens", c, test_opens);
        add("no-key", c, test_no_key);
        add("wrong-key", c, test_wrong_key);
        add("no-handshake", c, test_no_handshake);
        add("tokens-twice", c, test_tokens_twice);
        add("tokens-cut", c, test_tokens_cut);
        add("tampered", c, test_tampered);
        add("token-tampered", c, test_token_tampered);
        add("cut", c, test_cut);
        add("dropped", c, test_dropped);
        add("repeated", c, test_repeated);
    }
    g_test_add_func("/keys/ntlm/facts", test_ntlm_facts);
    g_test_add_func("/keys/ntlm/wrong-key-text", test_ntlm_wrong_key_text);
    g_test_add_func("/keys/ntlm/anonymous", test_ntlm_anonymous);
    g_test_add_func("/keys/ntlm/sign-without-stream", test_ntlm_sign_without_stream);
    g_test_add_func("/keys/krb/facts", test_krb_facts);
    g_test_add_func("/keys/ntlm/late", test_ntlm_late);
    g_test_add_func("/keys/ntlm/searches-end", test_ntlm_searches_end);
    g_test_add_func("/keys/krb/ticket-key", test_krb_ticket_key);
    g_test_add_func("/keys/krb/no-ap-rep", test_krb_no_ap_rep);
    g_test_add_func("/keys/krb/no-ap-rep-but-subkey", test_krb_no_ap_rep_but_subkey);
    g_test_add_func("/keys/krb/late", test_krb_late);
    g_test_add_func("/keys/krb/real-late", test_krb_real_late);
    g_test_add_func("/keys/krb/user-to-user", test_krb_user_to_user);
    g_test_add_func("/keys/ntlm/anonymous-twins", test_ntlm_anonymous_twins);
    g_test_add_func("/keys/connect", test_connect);
    g_test_add_func("/keys/bad-signatures-below-privacy", test_bad_signatures_below_privacy);
    g_test_add_func("/keys/origin", test_key_origin);
    g_test_add_func("/keys/other-mechanisms", test_other_mechanisms);
    g_test_add_func("/keys/der", test_der);
    g_test_add_func("/keys/spnego", test_spnego);
    return g_test_run();
}
