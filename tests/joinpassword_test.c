/* joinpassword_test.c - passwords of join calls: the right key, a wrong one, none; and what no password may be taken from.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include <glib.h>

#include "joinpassword_vectors.h"
#include "keys/crypto.h"
#include "keys/joinpassword.h"

enum { OCTETS_MAX = 1024 };

static size_t unhex(const char *digits, uint8_t *out)
{
    size_t length = strlen(digits) / 2;
    g_assert_cmpuint(length, <=, OCTETS_MAX);
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(g_ascii_xdigit_value(digits[2 * i]) << 4 | g_ascii_xdigit_value(digits[2 * i + 1]));
    return length;
}

static join_key right_key(bool sure)
{
    join_key key = {.name = "Session.SessionKey", .sure = sure};
    unhex(join_vector_key, key.octets);
    return key;
}

/* The same key but for one bit. */
static join_key wrong_key(bool sure)
{
    join_key key = right_key(sure);
    key.octets[15] ^= 0x80;
    return key;
}

static void try_open(bool aes, const char *digits, const join_key *keys, size_t count, join_password *out)
{
    uint8_t octets[OCTETS_MAX];
    size_t length = unhex(digits, octets);
    if (aes)
        join_open_aes(keys, count, octets, octets + JOIN_AUTH_DATA, octets + JOIN_AUTH_DATA + JOIN_SALT,
                      length - JOIN_AUTH_DATA - JOIN_SALT, out);
    else
        join_open(keys, count, octets, length, out);
}

static void expect_text(const join_password *password, const char *part)
{
    char *text = join_text(password);
    if (!strstr(text, part))
        g_error("\"%s\" does not say \"%s\"", text, part);
    if (password->length > 3 && strstr(text, password->password))
        g_error("\"%s\" tells the password", text);
    g_free(text);
}

static void expect_opened(bool aes, const join_vector *v, bool sure, join_proof proof)
{
    const join_key keys[] = {wrong_key(sure), right_key(sure), wrong_key(sure)};
    join_password password;
    try_open(aes, v->octets, keys, G_N_ELEMENTS(keys), &password);
    if (password.outcome != JOIN_OPENED)
        g_error("%s: outcome %d", v->name, password.outcome);
    g_assert_cmpstr(password.password, ==, v->password);
    g_assert_cmpuint(password.length, ==, strlen(v->password));
    g_assert_true(password.encoded == v->encoded);
    g_assert_true(password.aes == aes);
    g_assert_true(password.key == &keys[1]);
    g_assert_cmpuint(password.tried, ==, 2);
    g_assert_cmpint(password.proof, ==, proof);
    expect_text(&password, "opened with Session.SessionKey");
    join_clear(&password);
    g_assert_null(password.password);
}

static void expect_sealed(bool aes, const char *digits, const join_key *keys, size_t count, join_outcome outcome,
                          const char *part)
{
    join_password password;
    try_open(aes, digits, keys, count, &password);
    g_assert_cmpint(password.outcome, ==, outcome);
    g_assert_null(password.password);
    g_assert_cmpuint(password.length, ==, 0);
    expect_text(&password, part);
    join_clear(&password);
}

static void test_rc4_opened(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_opened); i++) {
        expect_opened(false, &join_rc4_opened[i], true, JOIN_BY_SESSION);
        expect_opened(false, &join_rc4_opened[i], false, JOIN_BY_SHAPE);
    }
}

/* What nobody types is a password only if the key is sure. */
static void test_rc4_illegible(void)
{
    const join_key unsure = right_key(false);
    for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_illegible); i++) {
        expect_opened(false, &join_rc4_illegible[i], true, JOIN_BY_SESSION);
        expect_sealed(false, join_rc4_illegible[i].octets, &unsure, 1, JOIN_WRONG_KEY, "1 key of the SMB session tried");
    }
}

/* What is no password shows that a key is wrong, unless it is sure: then it shows that the password is. */
static void test_rc4_refused(void)
{
    const join_key unsure[] = {wrong_key(false), right_key(false)}, sure[] = {wrong_key(false), right_key(true)};
    unsigned too_long = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_refused); i++) {
        const char *octets = join_rc4_refused[i].octets;
        bool is_long = strstr(join_rc4_refused[i].name, "too long");
        too_long += is_long;
        expect_sealed(false, octets, unsure, 2, JOIN_WRONG_KEY, "sealed: 2 keys of the SMB session tried");
        expect_sealed(false, octets, sure, 2, JOIN_MALFORMED, is_long ? "is proven, but its Length is"
                                                                      : "is proven, but what is inside is no password");
        join_password password;
        try_open(false, octets, sure, 2, &password);
        g_assert_true(password.key == &sure[1]);
        g_assert_true((password.inside > JOIN_LENGTH_MAX) == is_long);
        join_clear(&password);
    }
    g_assert_cmpuint(too_long, ==, 2);
}

static void test_aes_opened(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(join_aes_opened); i++) {
        expect_opened(true, &join_aes_opened[i], true, JOIN_BY_MAC);
        expect_opened(true, &join_aes_opened[i], false, JOIN_BY_MAC);
    }
}

static void test_aes_refused(void)
{
    const join_key key = right_key(true);
    for (size_t i = 0; i < G_N_ELEMENTS(join_aes_refused); i++)
        expect_sealed(true, join_aes_refused[i].octets, &key, 1, JOIN_MALFORMED, "no password");
}

/* Each vector that opens stays sealed with a wrong key, however sure somebody is of it, and without one. */
static void test_twins(void)
{
    for (int sure = 0; sure < 2; sure++) {
        const join_key wrong = wrong_key(sure);
        for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_opened); i++) {
            expect_sealed(false, join_rc4_opened[i].octets, &wrong, 1, sure ? JOIN_MALFORMED : JOIN_WRONG_KEY,
                          sure ? "sealed with Session.SessionKey" : "none gives a password");
            expect_sealed(false, join_rc4_opened[i].octets, NULL, 0, JOIN_NO_KEY, "not known");
        }
        for (size_t i = 0; i < G_N_ELEMENTS(join_aes_opened); i++) {
            expect_sealed(true, join_aes_opened[i].octets, &wrong, 1, JOIN_WRONG_KEY, "its HMAC holds with none");
            expect_sealed(true, join_aes_opened[i].octets, NULL, 0, JOIN_NO_KEY, "not known");
        }
    }
}

/* Twenty thousand wrong keys: not one may make a password of noise. */
static void test_wrong_keys(void)
{
    enum { KEYS = 1 << 10, ROUNDS = 20 };
    join_key *keys = g_new0(join_key, KEYS);
    GRand *random = g_rand_new_with_seed(4);
    uint8_t octets[JOIN_RC4_LENGTH];
    unhex(join_rc4_opened[0].octets, octets);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < KEYS; i++)
            for (int j = 0; j < JOIN_KEY; j++)
                keys[i].octets[j] = (uint8_t)g_rand_int(random);
        join_password password;
        join_open(keys, KEYS, octets, sizeof octets, &password);
        g_assert_cmpint(password.outcome, ==, JOIN_WRONG_KEY);
        g_assert_cmpuint(password.tried, ==, KEYS);
        join_clear(&password);
    }
    g_rand_free(random);
    g_free(keys);
}

static void test_sizes(void)
{
    const join_key key = right_key(true);
    uint8_t octets[OCTETS_MAX] = {0};
    size_t length = unhex(join_rc4_opened[0].octets, octets);
    join_password password;
    static const size_t rc4_lengths[] = {0, 1, 8, 523, 525};
    for (size_t i = 0; i < G_N_ELEMENTS(rc4_lengths); i++) {
        join_open(&key, 1, octets, rc4_lengths[i], &password);
        g_assert_cmpint(password.outcome, ==, JOIN_MALFORMED);
        expect_text(&password, "its length cannot be");
    }
    g_assert_cmpuint(length, ==, JOIN_RC4_LENGTH);
    static const size_t aes_lengths[] = {0, 1, 15, 17, 529, 544};
    length = unhex(join_aes_opened[0].octets, octets);
    for (size_t i = 0; i < G_N_ELEMENTS(aes_lengths); i++) {
        const uint8_t *salt = octets + JOIN_AUTH_DATA;
        join_open_aes(&key, 1, octets, salt, salt + JOIN_SALT, aes_lengths[i], &password);
        g_assert_cmpint(password.outcome, ==, JOIN_MALFORMED);
    }
}

/* One changed octet anywhere and the MAC does not hold. */
static void test_aes_changed(void)
{
    const join_key key = right_key(true);
    uint8_t octets[OCTETS_MAX];
    size_t length = unhex(join_aes_opened[0].octets, octets);
    for (size_t i = 0; i < length; i++) {
        join_password password;
        const uint8_t *salt = octets + JOIN_AUTH_DATA, *cipher = salt + JOIN_SALT;
        octets[i] ^= 1;
        join_open_aes(&key, 1, octets, salt, cipher, length - JOIN_AUTH_DATA - JOIN_SALT, &password);
        g_assert_cmpint(password.outcome, ==, JOIN_WRONG_KEY);
        octets[i] ^= 1;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    crypto_init();
    g_test_add_func("/join/rc4", test_rc4_opened);
    g_test_add_func("/join/rc4/illegible", test_rc4_illegible);
    g_test_add_func("/join/rc4/refused", test_rc4_refused);
    g_test_add_func("/join/aes", test_aes_opened);
    g_test_add_func("/join/aes/refused", test_aes_refused);
    g_test_add_func("/join/aes/changed", test_aes_changed);
    g_test_add_func("/join/twins", test_twins);
    g_test_add_func("/join/wrong-keys", test_wrong_keys);
    g_test_add_func("/join/sizes", test_sizes);
    return g_test_run();
}
