/* smb_session_test.c - the keys of SMB sessions, as real ones were set up: from what proves itself in the handshake, from a
 * supplied session key that a signature proves, with a wrong key and with none.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include <glib.h>

#include "keys/crypto.h"
#include "rpc/smb.h"
#include "rpc/smb_session.h"
#include "smb_vectors.h"

enum { CONNECTION = 7, MESSAGE_MAX = 4096 };

static const uint16_t DIALECT_311 = 0x0311;

/* What feeds both trackers, as plugin/feed.c does. */
typedef struct {
    keyring      *ring;
    smb_tracker  *smb;
    smb_sessions *sessions;
    bool          known;  /* the handshake gave a key */
    uint16_t      dialect;
    uint64_t      id;     /* of the last session named */
} run;

static size_t unhex(const char *digits, uint8_t *out)
{
    size_t length = strlen(digits) / 2;
    g_assert_cmpuint(length, <=, MESSAGE_MAX);
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(g_ascii_xdigit_value(digits[2 * i]) << 4 | g_ascii_xdigit_value(digits[2 * i + 1]));
    return length;
}

static void on_setup(const smb_setup *setup, void *user)
{
    run *r = user;
    uint8_t key[16];
    const key_entry *ntlm;
    r->known |= smb_sessions_setup(r->sessions, setup->connection, setup->message, setup->session, setup->from_client,
                                   setup->status, setup->token, setup->length, key, &ntlm);
}

static void run_begin(run *r, const char *keys)
{
    memset(r, 0, sizeof *r);
    r->ring = keyring_new();
    if (keys)
        keyring_add_memory(r->ring, "keys", (const uint8_t *)keys, strlen(keys));
    r->sessions = smb_sessions_new(r->ring);
    const smb_sink sink = {.user = r, .setup = on_setup};
    r->smb = smb_tracker_new(&sink);
}

static void run_end(run *r)
{
    smb_tracker_free(r->smb);
    smb_sessions_free(r->sessions);
    keyring_free(r->ring);
}

/* `changed`: an octet of the message is another than was sent, or (SIZE_MAX) none. */
static void give(run *r, const char *message, bool from_client, size_t changed)
{
    uint8_t octets[MESSAGE_MAX];
    size_t length = unhex(message, octets);
    if (changed < length)
        octets[changed] ^= 1;
    uint8_t *exact = g_memdup2(octets, length);
    smb_tracker_message(r->smb, CONNECTION, 1, from_client ? "C" : "S", from_client ? "S" : "C", exact, length);
    smb_sessions_message(r->sessions, CONNECTION, exact, length, true);
    if (smb_session_id(exact, length))
        r->id = smb_session_id(exact, length);
    if (octets[0] == 0xfe && octets[12] == 0 && !from_client)
        r->dialect = (uint16_t)(octets[68] | octets[69] << 8);
    g_free(exact);
}

static void set_up(run *r, const smb_vector *v)
{
    for (const char *const *message = v->messages; *message; message++)
        give(r, *message + 1, **message == 'C', SIZE_MAX);
}

/* The first key that `name` ends is `digits`; NULL: there is none. */
static void expect_key(const run *r, const char *name, const char *digits, bool sure)
{
    size_t count;
    uint8_t wanted[MESSAGE_MAX];
    join_key *keys = smb_session_join_keys(smb_sessions_find(r->sessions, CONNECTION, r->id), &count);
    const join_key *found = NULL;
    for (size_t i = 0; i < count && !found; i++)
        if (g_str_has_suffix(keys[i].name, name))
            found = &keys[i];
    g_assert_true((found != NULL) == (digits != NULL));
    if (found) {
        g_assert_cmpmem(found->octets, JOIN_KEY, wanted, unhex(digits, wanted));
        g_assert_true(found->sure == sure);
    }
    crypto_free(keys);
}

static void expect_keys(const run *r, const smb_vector *v, bool sure)
{
    expect_key(r, "ApplicationKey", v->application, sure);
    expect_key(r, "SessionKey", v->session_key, sure && !v->application);
}

static void expect_none(const run *r)
{
    size_t count;
    g_assert_null(smb_session_join_keys(smb_sessions_find(r->sessions, CONNECTION, r->id), &count));
    g_assert_cmpuint(count, ==, 0);
}

/* The session's id is where every message has it. */
static uint64_t id_of(const smb_vector *v)
{
    run r;
    run_begin(&r, NULL);
    set_up(&r, v);
    run_end(&r);
    g_assert_cmpuint(r.id, !=, 0);
    return r.id;
}

static char *session_line(const smb_vector *v, bool right)
{
    char *key = g_strdup(v->session_key);
    if (!right)
        key[31] = key[31] == '0' ? '1' : '0';
    char *line = g_strdup_printf("smb-session-key 0x%" G_GINT64_MODIFIER "x %s\n", id_of(v), key);
    g_free(key);
    return line;
}

static void test_handshake(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++) {
        run r;
        run_begin(&r, smb_vectors[i].keys);
        set_up(&r, &smb_vectors[i]);
        g_assert_true(r.known);
        expect_keys(&r, &smb_vectors[i], true);
        g_assert_null(smb_session_why(smb_sessions_find(r.sessions, CONNECTION, r.id)));
        run_end(&r);
    }
}

static void test_twins(void)
{
    static const char *const keys[] = {NULL, "CORP\\Administrator:Lab-Admin-2027!\n*:aes256-cts-hmac-sha1-96:"
                                             "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"};
    for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
            run r;
            run_begin(&r, keys[k]);
            set_up(&r, &smb_vectors[i]);
            g_assert_false(r.known);
            expect_none(&r);
            g_assert_nonnull(smb_session_why(smb_sessions_find(r.sessions, CONNECTION, r.id)));
            run_end(&r);
        }
}

/* A supplied session key, which the signature of the set-up's end proves; a wrong one is not sure. */
static void test_supplied(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++) {
        const smb_vector *v = &smb_vectors[i];
        char *right = session_line(v, true), *wrong = session_line(v, false), *both = g_strconcat(wrong, right, NULL);
        run r;
        run_begin(&r, right);
        set_up(&r, v);
        g_assert_false(r.known);
        expect_keys(&r, v, true);
        run_end(&r);

        run_begin(&r, both);
        set_up(&r, v);
        expect_keys(&r, v, true);
        run_end(&r);

        run_begin(&r, wrong);
        set_up(&r, v);
        size_t count;
        join_key *keys = smb_session_join_keys(smb_sessions_find(r.sessions, CONNECTION, r.id), &count);
        g_assert_cmpuint(count, ==, v->application ? 2 : 1);
        for (size_t k = 0; k < count; k++)
            g_assert_false(keys[k].sure);
        crypto_free(keys);
        run_end(&r);
        g_free(right);
        g_free(wrong);
        g_free(both);
    }
}

/* The capture begins behind the set-up: a signature proves the key, but the keys of 3.1.1 are out of reach. */
static void test_late(void)
{
    unsigned seen = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++) {
        const smb_vector *v = &smb_vectors[i];
        if (!*v->next)
            continue;
        char *right = session_line(v, true), *wrong = session_line(v, false);
        run r;
        run_begin(&r, right);
        give(&r, v->next, true, SIZE_MAX);
        expect_key(&r, "SessionKey", v->session_key, !v->application);
        run_end(&r);

        run_begin(&r, wrong);
        give(&r, v->next, true, SIZE_MAX);
        size_t count;
        join_key *keys = smb_session_join_keys(smb_sessions_find(r.sessions, CONNECTION, r.id), &count);
        g_assert_cmpuint(count, ==, 2);
        g_assert_false(keys[0].sure || keys[1].sure);
        crypto_free(keys);
        run_end(&r);

        run_begin(&r, right);
        give(&r, v->next, true, 66);
        expect_key(&r, "SessionKey", v->session_key, false);
        run_end(&r);
        g_free(right);
        g_free(wrong);
        seen++;
    }
    g_assert_cmpuint(seen, ==, 3);
}

/* An octet of a message of the set-up is another: with 3.1.1 the hash is, so no key is sure. */
static void test_changed(void)
{
    unsigned seen = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++) {
        const smb_vector *v = &smb_vectors[i];
        for (size_t m = 0; v->messages[m]; m++) {
            run r;
            run_begin(&r, v->keys);
            for (size_t n = 0; v->messages[n]; n++)
                give(&r, v->messages[n] + 1, v->messages[n][0] == 'C', n == m ? 21 : SIZE_MAX); /* in NextCommand, which is 0 */
            if (r.dialect == DIALECT_311) {
                size_t count;
                join_key *keys = smb_session_join_keys(smb_sessions_find(r.sessions, CONNECTION, r.id), &count);
                g_assert_cmpuint(count, ==, 2);
                g_assert_false(keys[0].sure || keys[1].sure);
                crypto_free(keys);
                seen++;
            }
            run_end(&r);
        }
    }
    g_assert_cmpuint(seen, ==, 6 + 4);
}

/* A session that is renewed keeps its key; one whose id is given to another has that one's. */
static void test_again(void)
{
    const smb_vector *first = &smb_vectors[0], *krb5 = &smb_vectors[1];
    run r;
    run_begin(&r, first->keys);
    set_up(&r, first);
    uint64_t id = r.id;
    const smb_session *before = smb_sessions_find(r.sessions, CONNECTION, id);
    set_up(&r, first);
    g_assert_true(smb_sessions_find(r.sessions, CONNECTION, id) != before);
    expect_keys(&r, first, true);
    g_assert_null(smb_sessions_find(r.sessions, CONNECTION + 1, id));
    g_assert_null(smb_sessions_find(r.sessions, CONNECTION, id + 1));
    run_end(&r);

    /* The Kerberos session's messages, whose request names a session already. */
    run_begin(&r, krb5->keys);
    set_up(&r, krb5);
    before = smb_sessions_find(r.sessions, CONNECTION, r.id);
    uint8_t octets[MESSAGE_MAX];
    size_t length = unhex(krb5->messages[2] + 1, octets);
    memcpy(octets + 40, &r.id, sizeof r.id); /* little-endian here and there */
    smb_tracker_message(r.smb, CONNECTION, 1, "C", "S", octets, length);
    smb_sessions_message(r.sessions, CONNECTION, octets, length, true);
    give(&r, krb5->messages[3] + 1, false, SIZE_MAX);
    g_assert_true(smb_sessions_find(r.sessions, CONNECTION, r.id) == before);
    expect_keys(&r, krb5, true);
    run_end(&r);
}

/* SMB1 hashes the key for the calls when a share connection has asked for it. */
static void test_smb1(void)
{
    const smb_vector *v = &smb1_vector;
    run r;
    run_begin(&r, v->keys);
    set_up(&r, v);
    g_assert_true(r.known);
    g_assert_cmpuint(r.id, <=, UINT16_MAX);
    expect_key(&r, "protected Session.SessionKey", v->application, true);
    expect_key(&r, "session's Session.SessionKey", v->session_key, false);
    expect_key(&r, "ApplicationKey", NULL, false);
    run_end(&r);

    run_begin(&r, v->keys);
    size_t last = 0;
    while (v->messages[last + 1])
        last++;
    for (size_t i = 0; i < last; i++)
        give(&r, v->messages[i] + 1, v->messages[i][0] == 'C', SIZE_MAX);
    expect_key(&r, "protected Session.SessionKey", v->application, false);
    expect_key(&r, "session's Session.SessionKey", v->session_key, true);
    run_end(&r);

    /* A supplied key, which the signature of the set-up's end proves, but not when an octet of it is another. */
    char *right = session_line(v, true), *wrong = session_line(v, false);
    for (int changed = 0; changed < 2; changed++) {
        run_begin(&r, right);
        for (size_t i = 0; v->messages[i]; i++)
            give(&r, v->messages[i] + 1, v->messages[i][0] == 'C', changed && i + 3 == last + 1 ? 35 : SIZE_MAX);
        expect_key(&r, "protected Session.SessionKey", v->application, !changed);
        run_end(&r);
    }
    run_begin(&r, wrong);
    set_up(&r, v);
    size_t count;
    join_key *keys = smb_session_join_keys(smb_sessions_find(r.sessions, CONNECTION, r.id), &count);
    g_assert_cmpuint(count, ==, 2);
    g_assert_false(keys[0].sure || keys[1].sure);
    crypto_free(keys);
    run_end(&r);
    g_free(right);
    g_free(wrong);

    static const char *const others[] = {NULL, "CORP\\Administrator:Lab-Admin-2027!\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        run_begin(&r, others[i]);
        set_up(&r, v);
        g_assert_false(r.known);
        expect_none(&r);
        run_end(&r);
    }
}

static void test_short(void)
{
    run r;
    run_begin(&r, smb_vectors[0].keys);
    uint8_t octets[MESSAGE_MAX];
    for (const char *const *message = smb_vectors[0].messages; *message; message++) {
        size_t length = unhex(*message + 1, octets);
        for (size_t cut = 0; cut <= length; cut++) {
            uint8_t *exact = g_memdup2(octets, cut);
            smb_sessions_message(r.sessions, CONNECTION, exact, cut, true);
            smb_session_id(exact, cut);
            g_free(exact);
        }
    }
    run_end(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smb-session/handshake", test_handshake);
    g_test_add_func("/smb-session/twins", test_twins);
    g_test_add_func("/smb-session/supplied", test_supplied);
    g_test_add_func("/smb-session/late", test_late);
    g_test_add_func("/smb-session/changed", test_changed);
    g_test_add_func("/smb-session/again", test_again);
    g_test_add_func("/smb-session/smb1", test_smb1);
    g_test_add_func("/smb-session/short", test_short);
    return g_test_run();
}
