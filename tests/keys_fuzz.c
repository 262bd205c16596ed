/* keys_fuzz.c - hostile input for everything in keys/ that reads files, tokens or PDUs. The first octet chooses what:
 * 0 a key file, 1 to 3 a conversation of that kind (SPNEGO, NTLM, Kerberos), 4 one of keys_vectors.h with changes, 5 a wrapped
 * secret or one of dpapi_vectors.h with changes, 6 a Kerberos exchange with changes, 7 a password of a join call with changes.
 *
 * For libFuzzer, or with -DFUZZ_STANDALONE for `keys_fuzz ITERATIONS SEED`, which mutates those vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "keys/context.h"
#include "keys/dpapi.h"
#include "keys/joinpassword.h"
#include "keys/learn.h"
#include "tests/dpapi_vectors.h"
#include "tests/joinpassword_vectors.h"
#include "tests/kdc_vectors.h"
#include "tests/keys_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { PLAIN_MAX = 1 << 16 };

static const char *const *const vectors[] = {
    vector_ntlm_v2, vector_ntlm_v2_spnego_restart, vector_ntlm_v1_ess, vector_ntlm_v1_shared, vector_ntlm_v2_pkt,
    vector_ntlm_v2_oem, vector_ntlm_v2_sign_no_key_exch, vector_ntlm_anonymous, vector_krb_aes256,
    vector_krb_aes128_bare, vector_krb_aes256_sign, vector_krb_rc4, vector_krb_rc4_sign, vector_krb_aes256_no_ap_rep,
    vector_krb_aes128_sha2, vector_krb_aes256_sha2, vector_krb_aes256_sha2_sign, vector_krb_user_to_user, vector_krb_connect,
    vector_ntlm_connect, vector_ntlm_long_response,
};

static const char keys[] =
    "CORP\\alice:Sesam!\njörg:Sesam!\n"
    "dc$:aes256-cts-hmac-sha1-96:101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
    "dc$:aes256-cts-hmac-sha384-192:101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
    "dc$:aes128-cts-hmac-sha256-128:101112131415161718191a1b1c1d1e1f\n"
    "dc$:aes128-cts-hmac-sha1-96:101112131415161718191a1b1c1d1e1f\ndc$:rc4-hmac:101112131415161718191a1b1c1d1e1f\n"
    "smb-session-key 0x1122 101112131415161718191a1b1c1d1e1f\ndc$:plain_password_hex:41004200\nalice:CLEARTEXT:x\nCORP\\alice:Lab-Alice-2026!\n";

/* 512 bits: enough to be one, and quick. */
static const char small_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBOgIBAAJBANrytz3Zwu+6pcpBLtjis2MEdy4P2veZIbUF/EMyE87Ct7Yowty3\n"
    "IOIpzf4gS4ZQ4DaFg8DzjXW+IV2tNEY0k8ECAwEAAQJAGCd6q6ogZU4UCDIUtvyb\n"
    "iarucvhw0avlGhFk+QzHPqHsVUhVpKqXuw2oKGR5I6Sxe41aM2IyWMOHy8OWwjWs\n"
    "gQIhAPc3shsSLGjZxF4od3bTfVGEiRxzSGcjlr5qvw5y2gFZAiEA4rns4qy4T3M1\n"
    "YXULSB/jl8BC385l5rGwZU+UVaIxMKkCIHjBT9JBUkf09yI3CgOU0oXbA05OUXNv\n"
    "wtZINgLMvwghAiEAiNkaP1NrSCFM1g80iQseb2kPtFC7NvyHcQ8QhIOKV0kCIFZg\n"
    "vLurbvWsvJhAq2wQpAWJY3QZ84Ijfbj9/GsSfTCO\n"
    "-----END RSA PRIVATE KEY-----\n";

static keyring *shared_ring(void)
{
    static keyring *ring;
    if (!ring) {
        ring = keyring_new();
        keyring_add_memory(ring, "keys", (const uint8_t *)keys, sizeof keys - 1);
        keyring_add_memory(ring, "pem", (const uint8_t *)small_key, sizeof small_key - 1);
        keyring_add_memory(ring, "client key", (const uint8_t *)dpapi_client_key, sizeof dpapi_client_key - 1);
        keyring_add_memory(ring, "server key", dpapi_server_key, sizeof dpapi_server_key);
        static uint8_t octets[32];
        static const struct {
            key_kind kind;
            int32_t  etype;
            uint8_t  first, length;
        } rows[] = {{KEY_SUBKEY, 18, 0xd0, 32}, {KEY_SUBKEY, 20, 0xd0, 32}, {KEY_SUBKEY, 23, 0xd0, 16}, {KEY_TICKET, 18, 0x10, 32},
                    {KEY_NTLM_SESSION, 0, 0x40, 16}};
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            for (uint8_t n = 0; n < rows[i].length; n++)
                octets[n] = (uint8_t)(rows[i].first + n);
            const key_entry entry = {.kind = rows[i].kind, .name = (char[]){""}, .domain = (char[]){""}, .etype = rows[i].etype,
                                     .octets = octets, .length = rows[i].length};
            keyring_add_entry(ring, &entry);
        }
    }
    return ring;
}

static void open_pdu(sec_context *context, const uint8_t *pdu, size_t captured, size_t header, size_t body,
                     size_t token, uint8_t level, bool from_client)
{
    const sec_message message = {pdu, header, body, token, captured, from_client, level, false};
    uint8_t *plain = malloc(body + 1);
    sec_verdict verdict = sec_context_open(context, &message, plain);
    if (verdict.text && !*verdict.text)
        abort();
    if (sec_state_name(verdict.state)[0] == '\0' || (verdict.reason != SEC_OK && !sec_reason_name(verdict.reason)))
        abort();
    free(plain);
}

/* Pieces: an octet of kind and direction, two of length, and so many octets. */
static void converse(uint8_t auth_type, const uint8_t *data, size_t length)
{
    sec_context *context = sec_context_new(shared_ring(), auth_type);
    while (length >= 3) {
        uint8_t kind = data[0];
        size_t octets = (size_t)data[1] << 8 | data[2];
        data += 3;
        length -= 3;
        octets = octets < length ? octets : length;
        uint8_t *piece = malloc(octets + 1);
        memcpy(piece, data, octets);
        if (kind & 1) {
            sec_context_token(context, piece, octets, kind & 2, kind & 4);
        } else {
            size_t token = kind & 8 ? 16 : kind & 16 ? 76 : kind & 32 ? 45 : 28;
            size_t body = octets > token + 32 ? octets - token - 32 : 0;
            if (octets >= 32)
                open_pdu(context, piece, octets, 24, kind & 4 ? body : body + 100, token,
                         kind & 64 ? 6 : kind >> 7 ? 5 : 2, kind & 2);
        }
        free(piece);
        data += octets;
        length -= octets;
    }
    sec_context_free(context);
}

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; g_ascii_isxdigit(hex[0]); hex += 2)
        out[n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    return n;
}

/* What to change next in a conversation: three octets of data, line, place and value. */
static void change(const uint8_t **data, size_t *length, unsigned line, uint8_t *octets, size_t *count)
{
    while (*length >= 4 && (*data)[0] % 16 == line % 16) {
        size_t at = ((size_t)(*data)[1] << 8 | (*data)[2]) % *count;
        if ((*data)[0] & 0x80)
            *count = at + 1;
        else
            octets[at] = (*data)[3];
        *data += 4;
        *length -= 4;
    }
}

static void replay(const uint8_t *data, size_t length)
{
    if (!length)
        return;
    const char *const *vector = vectors[data[0] % G_N_ELEMENTS(vectors)];
    sec_context *context = NULL;
    bool late = data[0] & 0x80; /* the bind is missing */
    data++;
    length--;
    for (unsigned line = 0; vector[line]; line++) {
        const char *text = vector[line];
        uint8_t octets[4096];
        if (text[0] == 'N')
            context = sec_context_new(shared_ring(), (uint8_t)atoi(text + 2));
        if (text[0] == 'T' && !late) {
            size_t count = unhex(text + 4, octets), all = count;
            change(&data, &length, line, octets, &count);
            uint8_t *exact = g_memdup2(octets, count);
            sec_context_token(context, exact, count, text[2] == '1', count == all);
            g_free(exact);
        }
        if (text[0] == 'P') {
            char *at = (char *)(uintptr_t)text + 4;
            size_t numbers[4];
            for (int i = 0; i < 4; i++)
                numbers[i] = strtoul(at, &at, 10);
            size_t count = unhex(at + 1, octets);
            change(&data, &length, line, octets, &count);
            uint8_t *exact = g_memdup2(octets, count);
            open_pdu(context, exact, count, numbers[1], numbers[2], numbers[3], (uint8_t)numbers[0], text[2] == '1');
            g_free(exact);
        }
    }
    sec_context_free(context);
}

static void read_file(const uint8_t *data, size_t length)
{
    keyring *ring = keyring_new();
    keyring_add_memory(ring, "file", data, length);
    keyring_free(ring);
}

/* The first octet says which vector, else the octets behind it are the secret. */
static void unwrap(const uint8_t *data, size_t length)
{
    static const struct {
        const uint8_t *octets;
        size_t         length;
    } wrapped[] = {{dpapi_client_2, sizeof dpapi_client_2}, {dpapi_client_3, sizeof dpapi_client_3},
                   {dpapi_server, sizeof dpapi_server}};
    uint8_t octets[1024];
    dpapi_secret secret;
    if (length < 1)
        return;
    const uint8_t chosen = *data++ % (2 * G_N_ELEMENTS(wrapped));
    bool made = chosen < G_N_ELEMENTS(wrapped);
    size_t count = --length;
    if (made) {
        count = wrapped[chosen].length;
        memcpy(octets, wrapped[chosen].octets, count);
        change(&data, &length, 0, octets, &count);
    }
    uint8_t *exact = g_memdup2(made ? octets : data, count);
    if (dpapi_open(shared_ring(), exact, count, &secret)) {
        char *text = dpapi_text(&secret);
        if (!*text || (secret.outcome == DPAPI_OPENED) != (secret.secret != NULL))
            abort();
        bool changed = !made || count != wrapped[chosen].length || memcmp(exact, wrapped[chosen].octets, count) != 0;
        const size_t due = sizeof dpapi_secret_text - 1;
        if (!changed && (secret.length != due || memcmp(secret.secret, dpapi_secret_text, due) != 0))
            abort();
        g_free(text);
        dpapi_clear(&secret);
    } else if (made && count > 64 && exact[0] == wrapped[chosen].octets[0] && !exact[1] && !exact[2] && !exact[3]) {
        abort();
    }
    g_free(exact);
}

/* A password of a join call, with a key out of the input and with the one that opens it; the last octets are changes. */
static void join(const uint8_t *data, size_t length)
{
    static const join_vector *const tables[] = {join_rc4_opened, join_rc4_illegible, join_rc4_refused, join_aes_opened,
                                                join_aes_refused};
    static const unsigned counts[] = {G_N_ELEMENTS(join_rc4_opened), G_N_ELEMENTS(join_rc4_illegible),
                                      G_N_ELEMENTS(join_rc4_refused), G_N_ELEMENTS(join_aes_opened), G_N_ELEMENTS(join_aes_refused)};
    join_key tried[2] = {{.name = "the first"}, {.name = "the second", .sure = length % 2}};
    if (length < JOIN_KEY + 2)
        return;
    memcpy(tried[0].octets, data, JOIN_KEY);
    unhex(join_vector_key, tried[1].octets);
    unsigned table = data[JOIN_KEY] % G_N_ELEMENTS(tables), row = data[JOIN_KEY + 1] % counts[table];
    data += JOIN_KEY + 2;
    length -= JOIN_KEY + 2;
    uint8_t octets[1024];
    bool aes = table >= 3;
    size_t head = !aes ? 0 : JOIN_AUTH_DATA + JOIN_SALT, count = unhex(tables[table][row].octets, octets);
    change(&data, &length, 0, octets, &count);
    join_password password;
    uint8_t *exact = g_memdup2(octets, count);
    if (!aes)
        join_open(tried, 2, exact, count, &password);
    else if (count >= head)
        join_open_aes(tried, 2, exact, exact + JOIN_AUTH_DATA, exact + head, count - head, &password);
    else
        password = (join_password){.outcome = JOIN_MALFORMED};
    char *text = join_text(&password);
    if (!*text || (password.outcome == JOIN_OPENED) != (password.password != NULL))
        abort();
    if (password.password && !g_utf8_validate(password.password, (gssize)password.length, NULL))
        abort();
    g_free(text);
    join_clear(&password);
    g_free(exact);
}

/* Changes: four octets each of message, place (two) and value; then the exchange as it is, which must still be learnt from. */
static void exchange(const uint8_t *data, size_t length)
{
    krb_learner *learner = krb_learner_new(shared_ring());
    for (unsigned i = 0; i < G_N_ELEMENTS(kdc_vectors); i++) {
        uint8_t octets[2048];
        size_t count = unhex(kdc_vectors[i], octets);
        change(&data, &length, i, octets, &count);
        uint8_t *exact = g_memdup2(octets, count);
        krb_learner_message(learner, exact, count);
        g_free(exact);
    }
    krb_learner_message(learner, data, length);
    krb_learner_free(learner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const uint8_t types[] = {SEC_AUTH_SPNEGO, SEC_AUTH_NTLM, SEC_AUTH_KERBEROS};
    if (!length)
        return 0;
    unsigned kind = data[0] % 8;
    if (kind == 0)
        read_file(data + 1, length - 1);
    else if (kind < 4)
        converse(types[kind - 1], data + 1, length - 1);
    else if (kind == 4)
        replay(data + 1, length - 1);
    else if (kind == 5)
        unwrap(data + 1, length - 1);
    else if (kind == 6)
        exchange(data + 1, length - 1);
    else
        join(data + 1, length - 1);
    return 0;
}

#ifdef FUZZ_STANDALONE
/* A keytab entry, text, or a piece of a conversation, with a few octets changed; or pure noise. */
static size_t make_input(GRand *random, uint8_t *out, size_t room)
{
    static const uint8_t keytab[] = "\5\2\0\0\0\x2e\0\1\0\1R\0\5alice\0\0\0\1\0\0\0\0\1\0\x17\0\x10"
                                    "0123456789abcdef\0\0\0\2";
    size_t length = 1;
    out[0] = (uint8_t)g_rand_int_range(random, 0, 8);
    if (out[0] == 0) {
        static const uint8_t pvk[24 + 20] = "\x1e\xf1\xb5\xb0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0"
                                            "\7\2\0\0\0\xa4\0\0RSA2\x10\0\0\0\1\0\1";
        static const uint8_t object[12 + 20] = "\2\0\0\0\x14\0\0\0\0\0\0\0\7\2\0\0\0\xa4\0\0RSA2\x10\0\0\0\1\0\1";
        static const uint8_t ccache[] = "\5\4\0\0\0\0\0\1\0\0\0\1\0\0\0\1R\0\0\0\1a" /* the owner, and a credential: */
                                        "\0\0\0\1\0\0\0\1\0\0\0\1R\0\0\0\1a\0\0\0\1\0\0\0\1\0\0\0\1R\0\0\0\1b"
                                        "\0\x17\0\0\0\x10" "0123456789abcdef\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0"
                                        "\0\0\0\1\0\2\0\0\0\4\xc0\0\2\1\0\0\0\0\0\0\0\1t\0\0\0";
        static const uint8_t kirbi[] = { /* one ticket of realm R, its session key sixteen times 'k' */
            0x76, 0x82, 0x00, 0x70, 0x30, 0x6e, 0xa0, 0x03, 0x02, 0x01, 0x05, 0xa1, 0x03, 0x02, 0x01, 0x16, 0xa2, 0x2e,
            0x30, 0x2c, 0x61, 0x2a, 0x30, 0x28, 0xa0, 0x03, 0x02, 0x01, 0x05, 0xa1, 0x03, 0x1b, 0x01, 0x52, 0xa2, 0x0e,
            0x30, 0x0c, 0xa0, 0x03, 0x02, 0x01, 0x01, 0xa1, 0x05, 0x30, 0x03, 0x1b, 0x01, 0x61, 0xa3, 0x0c, 0x30, 0x0a,
            0xa0, 0x03, 0x02, 0x01, 0x17, 0xa2, 0x03, 0x04, 0x01, 0x78, 0xa3, 0x32, 0x30, 0x30, 0xa0, 0x03, 0x02, 0x01,
            0x00, 0xa2, 0x29, 0x04, 0x27, 0x7d, 0x25, 0x30, 0x23, 0xa0, 0x21, 0x30, 0x1f, 0x30, 0x1d, 0xa0, 0x1b, 0x30,
            0x19, 0xa0, 0x03, 0x02, 0x01, 0x17, 0xa1, 0x12, 0x04, 0x10, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b,
            0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b, 0x6b};
        static const char kirbi_text[] =
            "doIAcDBuoAMCAQWhAwIBFqIuMCxhKjAooAMCAQWhAxsBUqIOMAygAwIBAaEFMAMbAWGjDDAKoAMC\n"
            "AReiAwQBeKMyMDCgAwIBAKIpBCd9JTAjoCEwHzAdoBswGaADAgEXoRIEEGtra2tra2tra2tra2tr\n"
            "a2s=\n";
        static const uint8_t client[12 + 164 + 9] = "\2\0\0\0\xa4\0\0\0\x09\0\0\0\7\2\0\0\0\xa4\0\0RSA2\0\2\0\0\1\0\1";
        static const struct {
            const void *data;
            size_t      length;
        } files[] = {{keys, sizeof keys}, {keytab, sizeof keytab}, {pvk, sizeof pvk}, {object, sizeof object},
                     {small_key, sizeof small_key},
                     {ccache, sizeof ccache}, {kirbi, sizeof kirbi}, {kirbi_text, sizeof kirbi_text - 1}, {client, sizeof client},
                     {dpapi_client_key, sizeof dpapi_client_key - 1}};
        size_t i = g_rand_int(random) % G_N_ELEMENTS(files);
        memcpy(out + 1, files[i].data, files[i].length);
        length += files[i].length;
    } else if (out[0] == 5) {
        static const uint8_t wrapped[28 + 64 + 72] = "\2\0\0\0\x40\0\0\0\x48\0\0\0";
        out[length++] = (uint8_t)g_rand_int_range(random, 0, 6);
        if (out[1] < 3) {
            memset(out + length, 0, 4);
            length += g_rand_boolean(random) ? 4 : 0;
        } else {
            memcpy(out + 2, wrapped, sizeof wrapped);
            out[2] = (uint8_t)g_rand_int_range(random, 1, 4);
            length += sizeof wrapped;
            if (out[2] == 1) { /* server-side: its length stands elsewhere */
                out[2 + 8] = 68;
                length = 2 + 28 + 68 + 68;
                memset(out + 2 + 12, 0, length - 14);
            }
        }
    } else if (out[0] < 4) {
        const char *const *vector = vectors[g_rand_int(random) % G_N_ELEMENTS(vectors)];
        for (; *vector; vector++)
            if ((*vector)[0] == 'T' && length + 1500 < room) {
                size_t count = unhex(*vector + 4, out + length + 3);
                out[length] = (uint8_t)(1 | ((*vector)[2] == '1' ? 2 : 0) | 4);
                out[length + 1] = (uint8_t)(count >> 8);
                out[length + 2] = (uint8_t)count;
                length += 3 + count;
            }
    } else {
        bool kdc = out[0] == 6, join_call = out[0] == 7;
        for (int i = kdc ? 0 : join_call ? JOIN_KEY + 2 : 1; i > 0; i--)
            out[length++] = (uint8_t)g_rand_int(random);
        for (int i = g_rand_int_range(random, 1, 4); i > 0; i--) {
            guint32 noise = g_rand_int(random);
            memcpy(out + length, &noise, 4);
            if (i > 1)
                out[length] &= 0x7f;
            int line = join_call ? 0 : kdc ? g_rand_int_range(random, 0, 3) : g_rand_int_range(random, 2, 9);
            out[length] = (uint8_t)((out[length] & 0x80) | line);
            length += 4;
        }
        return length;
    }
    for (int i = g_rand_int_range(random, 0, 6); i > 0; i--)
        out[g_rand_int_range(random, 1, (gint32)length)] = (uint8_t)g_rand_int(random);
    return g_rand_int_range(random, 0, 8) ? length : (size_t)g_rand_int_range(random, 1, (gint32)length);
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    GRand *random = g_rand_new_with_seed(argc > 2 ? (guint32)strtoul(argv[2], NULL, 10) : 1);
    uint8_t *input = malloc(PLAIN_MAX);
    for (unsigned long i = 0; i < rounds; i++) {
        size_t length = make_input(random, input, PLAIN_MAX);
        uint8_t *exact = g_memdup2(input, length);
        LLVMFuzzerTestOneInput(exact, length);
        g_free(exact);
    }
    free(input);
    g_rand_free(random);
    keyring_free(shared_ring());
    return 0;
}
#endif
