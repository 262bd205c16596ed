/* ntlmssp.c - NTLM: from the handshake's messages to session keys, and from those to plaintext and proof.
 *
 * Implements [MS-NLMP] 2.2.1 (messages), 3.3 (responses and keys), 3.4 (signing and sealing), [MS-SPNG] 3.2.5.1.
 * The NTLMv2 proof, or the NTLMv1 response, tells which of the user's keys fits; nothing is taken on trust.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/ntlmssp.h"

#include <string.h>

#include "keys/etype.h"

enum {
    NEGOTIATE = 1, CHALLENGE = 2, AUTHENTICATE = 3,
    TYPE_AT = 8, SERVER_CHALLENGE_AT = 24, AUTHENTICATE_FIXED = 64, MIC_AT = 72, MIC_LENGTH = 16,
    V1_RESPONSE = 24, PROOF = 16,
    BLOB_PAIRS = 28, /* [MS-NLMP] 2.2.2.7: fixed octets before the AV pairs */
    AV_END = 0, AV_FLAGS = 6, AV_TARGET_NAME = 9, AV_FLAG_MIC = 2,
    SIGNATURE = 16, CHECKSUM = 8, OLD_SIGNED = 12
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | (uint32_t)get16(at + 2) << 16;
}

bool ntlm_recognise(const uint8_t *token, size_t length)
{
    return length >= 8 && !memcmp(token, "NTLMSSP", 8);
}

/* ---- messages ---- */

static bool read_field(const uint8_t *message, size_t length, size_t at, ntlm_field *field)
{
    uint32_t offset = get32(message + at + 4);
    field->length = get16(message + at);
    if (!field->length)
        offset = 0; /* an empty field's offset means nothing */
    if (offset > length || length - offset < field->length)
        return false;
    field->data = message + offset;
    return true;
}

bool ntlm_parse_authenticate(const uint8_t *message, size_t length, ntlm_authenticate *out)
{
    memset(out, 0, sizeof *out);
    if (length < AUTHENTICATE_FIXED || get32(message + TYPE_AT) != AUTHENTICATE)
        return false;
    out->message = message;
    out->length = length;
    out->flags = get32(message + 60);
    return read_field(message, length, 12, &out->lm_response) && read_field(message, length, 20, &out->nt_response)
        && read_field(message, length, 28, &out->domain) && read_field(message, length, 36, &out->user)
        && read_field(message, length, 44, &out->workstation) && read_field(message, length, 52, &out->session_key);
}

/* For g_free. OEM strings are taken for UTF-8, or else for Latin-1: the sender's code page is not in the message. */
static char *field_text(ntlm_field field, bool unicode)
{
    const char *data = (const char *)field.data;
    if (unicode) {
        size_t units = field.length / 2;
        gunichar2 *wide = g_new(gunichar2, units + 1);
        for (size_t i = 0; i < units; i++)
            wide[i] = get16(field.data + 2 * i);
        char *text = g_utf16_to_utf8(wide, (glong)units, NULL, NULL, NULL);
        g_free(wide);
        return text ? text : g_strdup("?");
    }
    if (g_utf8_validate(data, (gssize)field.length, NULL))
        return g_strndup(data, field.length);
    return g_convert(data, (gssize)field.length, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

/* Finds an AV pair in an NTLMv2 response. */
static bool find_av_pair(ntlm_field response, uint16_t wanted, ntlm_field *value)
{
    for (size_t at = PROOF + BLOB_PAIRS; at + 4 <= response.length;) {
        uint16_t id = get16(response.data + at), length = get16(response.data + at + 2);
        at += 4;
        if (id == AV_END || response.length - at < length)
            return false;
        if (id == wanted) {
            *value = (ntlm_field){response.data + at, length};
            return true;
        }
        at += length;
    }
    return false;
}

static bool is_v2(const ntlm_authenticate *message)
{
    return message->nt_response.length > V1_RESPONSE;
}

static bool is_anonymous(const ntlm_authenticate *message)
{
    return !message->user.length && !message->nt_response.length && !(message->flags & NTLM_LOCAL_CALL);
}

static const char *version_text(const ntlm_authenticate *message)
{
    if (is_v2(message))
        return "NTLMv2";
    if (message->nt_response.length == V1_RESPONSE)
        return message->flags & NTLM_ESS ? "NTLMv1 with ESS" : "NTLMv1";
    return "NTLM";
}

/* ---- keys ---- */

void ntlm_sign_key(const uint8_t exported[16], bool client, uint8_t out[16])
{
    static const char to_server[] = "session key to client-to-server signing key magic constant";
    static const char to_client[] = "session key to server-to-client signing key magic constant";
    crypto_part parts[] = {{exported, 16}, {client ? to_server : to_client, sizeof to_server}};
    crypto_md5(parts, 2, out);
}

void ntlm_seal_key(uint32_t flags, const uint8_t exported[16], bool client, uint8_t out[16])
{
    static const char to_server[] = "session key to client-to-server sealing key magic constant";
    static const char to_client[] = "session key to server-to-client sealing key magic constant";
    if (!(flags & NTLM_ESS)) { /* without LM_KEY, which is refused before, the length bits have no effect */
        memcpy(out, exported, 16);
        return;
    }
    size_t strength = flags & NTLM_128 ? 16 : flags & NTLM_56 ? 7 : 5;
    crypto_part parts[] = {{exported, strength}, {client ? to_server : to_client, sizeof to_server}};
    crypto_md5(parts, 2, out);
}

/* UPPER(user) | domain in UTF-16LE. Windows' table of capitals maps one code unit to one, so 'ß' stays. */
static GByteArray *identity(const ntlm_authenticate *message)
{
    bool unicode = message->flags & NTLM_UNICODE;
    GByteArray *octets = g_byte_array_new();
    const ntlm_field fields[] = {message->user, message->domain};
    for (size_t i = 0; i < 2; i++) {
        gsize length = fields[i].length & ~(size_t)1;
        if (unicode) {
            g_byte_array_append(octets, fields[i].data, (guint)length);
        } else {
            char *text = field_text(fields[i], false);
            char *wide = g_convert(text, -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
            g_byte_array_append(octets, (const guint8 *)wide, (guint)length);
            g_free(wide);
            g_free(text);
        }
        for (guint at = 0; i == 0 && at + 1 < octets->len; at += 2) {
            gunichar unit = get16(octets->data + at), capital = g_unichar_toupper(unit);
            if (capital < 0x10000) {
                octets->data[at] = (guint8)capital;
                octets->data[at + 1] = (guint8)(capital >> 8);
            }
        }
    }
    return octets;
}

static bool prove_v2(const ntlm_authenticate *message, const uint8_t challenge[8], const uint8_t nt_hash[16],
                     uint8_t key_exchange_key[16])
{
    ntlm_field response = message->nt_response;
    uint8_t ntowf[16], proof[PROOF];
    GByteArray *who = identity(message);
    crypto_part temp[] = {{challenge, 8}, {response.data + PROOF, response.length - PROOF}};
    crypto_hmac_md5(nt_hash, 16, &(crypto_part){who->data, who->len}, 1, ntowf);
    crypto_hmac_md5(ntowf, 16, temp, 2, proof);
    bool fits = crypto_equal(proof, response.data, PROOF);
    crypto_hmac_md5(ntowf, 16, &(crypto_part){proof, PROOF}, 1, key_exchange_key);
    crypto_wipe(ntowf, sizeof ntowf);
    g_byte_array_free(who, TRUE);
    return fits;
}

/* DESL() of [MS-NLMP] 6 */
static void response_v1(const uint8_t nt_hash[16], const uint8_t challenge[8], uint8_t out[V1_RESPONSE])
{
    uint8_t padded[21] = {0};
    memcpy(padded, nt_hash, 16);
    for (int i = 0; i < 3; i++)
        crypto_des(padded + 7 * i, challenge, out + 8 * i);
    crypto_wipe(padded, sizeof padded);
}

static bool prove_v1(const ntlm_authenticate *message, const uint8_t challenge[8], const uint8_t nt_hash[16],
                     uint8_t key_exchange_key[16])
{
    bool ess = message->flags & NTLM_ESS && message->lm_response.length >= 8;
    uint8_t expected[V1_RESPONSE], hashed[16], base[16];
    const crypto_part nonces[] = {{challenge, 8}, {message->lm_response.data, ess ? 8 : 0}};
    crypto_md5(nonces, 2, hashed);
    response_v1(nt_hash, ess ? hashed : challenge, expected);
    bool fits = crypto_equal(expected, message->nt_response.data, V1_RESPONSE);
    crypto_md4(nt_hash, 16, base);
    if (ess)
        crypto_hmac_md5(base, 16, nonces, 2, key_exchange_key);
    else
        memcpy(key_exchange_key, base, 16);
    crypto_wipe(base, sizeof base);
    return fits;
}

bool ntlm_prove(const ntlm_authenticate *message, const uint8_t challenge[8], const uint8_t nt_hash[16],
                uint8_t key_exchange_key[16])
{
    if (is_v2(message))
        return prove_v2(message, challenge, nt_hash, key_exchange_key);
    return message->nt_response.length == V1_RESPONSE && prove_v1(message, challenge, nt_hash, key_exchange_key);
}

/* ---- the session ---- */

/* A place in a key stream, and the sequence number due there. */
typedef struct {
    rc4_state rc4;
    uint32_t  sequence;
    bool      alive;
} place;

/* Which place is the right one is not agreed on the wire: after a mechListMIC the sequence number goes on at 1, with
 * the key stream at 0 ([MS-SPNG]) or behind the MIC's 8 octets; without ESS both directions share one stream, or each
 * has its own ([MS-NLMP] 3.4.4.1 against practice). So each direction has candidates; the first signature that holds
 * decides. */
enum { CANDIDATES = 3 };

/* A PDU may come again, or late (out of order within a gap). The places before the last few, with their tokens, open
 * those without touching the stream; more than a handful of PDUs is never in flight twice. */
enum { KEPT = 4 };
typedef struct {
    place   at;
    uint8_t token[SIGNATURE];
} kept_place;

typedef struct {
    place      *candidates[CANDIDATES];
    crypto_mac *sign;     /* ESS only */
    bool        decided;  /* a signature has held, so only one candidate is alive */
    bool        doubt;    /* the last PDU's signature did not hold, so the place may be wrong from there on */
    uint32_t    gap;      /* PDUs missing at the first jump of the sequence number; 0: none */
    int         how;      /* what the last signature that held was over; -1: none has yet */
    unsigned    searches; /* that failed, since the last signature that held */
    kept_place  kept[KEPT];
    unsigned    kept_next;
} direction;

typedef struct {
    uint32_t  flags;
    place     places[2 * CANDIDATES];
    place     after[CANDIDATES]; /* where each candidate would stand behind the PDU in hand */
    place     found[CANDIDATES]; /* the same, where a search has found it */
    bool      tried[CANDIDATES]; /* whether it was due for that PDU */
    direction ways[2];           /* from the client, from the server */
    uint8_t   seal[2][16]; /* ESS: the sealing keys, client's and server's, of which a datagram's own key is made */
} live_keys;

struct ntlm_session {
    mech_env   *env;
    GByteArray *messages[AUTHENTICATE + 1]; /* by type: the last one seen, whole */
    bool        challenged;
    uint8_t     challenge[8];
    live_keys  *live; /* secure memory; NULL until a key is proven */
    unsigned    late; /* trials of session keys so far */
    bool        packets; /* a PDU at level PKT was verified: what its token covers is known */
};

ntlm_session *ntlm_new(mech_env *env)
{
    ntlm_session *session = g_new0(ntlm_session, 1);
    session->env = env;
    for (int type = NEGOTIATE; type <= AUTHENTICATE; type++)
        session->messages[type] = g_byte_array_new();
    return session;
}

static void drop_keys(ntlm_session *session)
{
    if (session->live)
        for (int i = 0; i < 2; i++)
            crypto_mac_free(session->live->ways[i].sign);
    crypto_free(session->live);
    session->live = NULL;
}

void ntlm_free(ntlm_session *session)
{
    if (!session)
        return;
    drop_keys(session);
    for (int type = NEGOTIATE; type <= AUTHENTICATE; type++)
        g_byte_array_free(session->messages[type], TRUE);
    g_free(session);
}

static void set_place(live_keys *live, int index, const uint8_t seal_key[16], size_t skip, uint32_t sequence)
{
    place *p = &live->places[index];
    rc4_init(&p->rc4, seal_key, 16);
    rc4_skip(&p->rc4, skip);
    p->sequence = sequence;
    p->alive = true;
}

static void start_ess(live_keys *live, const uint8_t exported[16])
{
    uint8_t key[16];
    for (int way = 0; way < 2; way++) {
        live->ways[way].how = -1;
        ntlm_sign_key(exported, way == 0, key);
        live->ways[way].sign = crypto_mac_new(CRYPTO_MD5, key, sizeof key);
        ntlm_seal_key(live->flags, exported, way == 0, key);
        memcpy(live->seal[way], key, sizeof key);
        int first = way * CANDIDATES;
        set_place(live, first, key, 0, 0);
        set_place(live, first + 1, key, 0, 1);
        set_place(live, first + 2, key, live->flags & NTLM_KEY_EXCH ? CHECKSUM : 0, 1);
        for (int i = 0; i < CANDIDATES; i++)
            live->ways[way].candidates[i] = &live->places[first + i];
    }
    crypto_wipe(key, sizeof key);
}

static void start_without_ess(live_keys *live, const uint8_t exported[16])
{
    uint8_t key[16];
    ntlm_seal_key(live->flags, exported, true, key);
    for (int i = 0; i < 3; i++)
        set_place(live, i, key, 0, 0);
    for (int way = 0; way < 2; way++) {
        live->ways[way].how = -1;
        live->ways[way].candidates[0] = &live->places[0];
        live->ways[way].candidates[1] = &live->places[1 + way];
    }
    crypto_wipe(key, sizeof key);
}

/* False: the message should carry a key, but does not. */
static bool export_key(const ntlm_authenticate *message, const uint8_t key_exchange_key[16], uint8_t exported[16])
{
    if (!(message->flags & NTLM_KEY_EXCH) || !(message->flags & (NTLM_SIGN | NTLM_SEAL))) {
        memcpy(exported, key_exchange_key, 16);
        return true;
    }
    if (message->session_key.length != 16)
        return false;
    rc4_state rc4;
    rc4_init(&rc4, key_exchange_key, 16);
    rc4_run(&rc4, exported, message->session_key.data, 16);
    crypto_wipe(&rc4, sizeof rc4);
    return true;
}

/* [MS-NLMP] 3.1.5.1.2: over all three messages, its own place zeroed. */
static void check_mic(ntlm_session *session, const ntlm_authenticate *message, const uint8_t exported[16])
{
    static const uint8_t zero[MIC_LENGTH];
    sec_facts *facts = &session->env->facts;
    ntlm_field flags;
    facts->ntlm_mic = is_v2(message) && find_av_pair(message->nt_response, AV_FLAGS, &flags) && flags.length == 4
                   && get32(flags.data) & AV_FLAG_MIC && message->length >= MIC_AT + MIC_LENGTH;
    facts->ntlm_mic_verified = false;
    if (!facts->ntlm_mic || !session->messages[NEGOTIATE]->len || !session->messages[CHALLENGE]->len)
        return;
    uint8_t mic[MIC_LENGTH];
    size_t behind = MIC_AT + MIC_LENGTH;
    crypto_part parts[] = {{session->messages[NEGOTIATE]->data, session->messages[NEGOTIATE]->len},
                           {session->messages[CHALLENGE]->data, session->messages[CHALLENGE]->len},
                           {message->message, MIC_AT}, {zero, MIC_LENGTH},
                           {message->message + behind, message->length - behind}};
    crypto_hmac_md5(exported, 16, parts, G_N_ELEMENTS(parts), mic);
    facts->ntlm_mic_verified = crypto_equal(mic, message->message + MIC_AT, MIC_LENGTH);
}

typedef struct {
    const ntlm_authenticate *message;
    const uint8_t           *challenge;
    uint8_t                 *key_exchange_key;
} trial;

static bool try_entry(const key_entry *entry, void *data)
{
    trial *t = data;
    uint8_t hash[16];
    if (entry->kind != KEY_PASSWORD)
        return ntlm_prove(t->message, t->challenge, entry->octets, t->key_exchange_key);
    bool fits = etype_nt_hash(entry->octets, entry->length, hash)
             && ntlm_prove(t->message, t->challenge, hash, t->key_exchange_key);
    crypto_wipe(hash, sizeof hash);
    return fits;
}

/* Sets the facts' key_reason when it fails. */
static bool find_key(ntlm_session *session, const ntlm_authenticate *message, uint8_t key_exchange_key[16],
                     const key_entry **found, size_t *tried)
{
    mech_env *env = session->env;
    *found = NULL;
    *tried = 0;
    if (env->facts.anonymous) {
        memset(key_exchange_key, 0, 16);
        return true;
    }
    if (message->nt_response.length < V1_RESPONSE
        || (!is_v2(message) && !(message->flags & NTLM_ESS) && message->flags & (NTLM_LM_KEY | NTLM_NON_NT_KEY))) {
        mech_no_key(env, SEC_UNSUPPORTED, "%s used the LAN Manager response or session key, which this build does not"
                    " open", env->facts.user);
        return false;
    }
    trial t = {message, session->challenge, key_exchange_key};
    bool unicode = message->flags & NTLM_UNICODE;
    char *user = field_text(message->user, unicode), *domain = field_text(message->domain, unicode);
    *found = keyring_try_ntlm(env->ring, user, domain, try_entry, &t, tried);
    g_free(user);
    g_free(domain);
    env->facts.keys_tried = *tried;
    if (*found)
        return true;
    if (*tried)
        mech_no_key(env, SEC_WRONG_KEY, "the %s proof of %s matched none of %" G_GSIZE_FORMAT " %s held for that name: "
                    "the password may have changed since: give the one of the time of the capture", env->facts.mechanism_text, env->facts.user, *tried,
                    *tried == 1 ? "key" : "keys");
    else
        mech_no_key(env, SEC_NO_KEY, "no key for %s: add \"%s:PASSWORD\" or its NT hash to " KEYRING_FILE,
                    env->facts.user, env->facts.user);
    return false;
}

static void derive_keys(ntlm_session *session, const ntlm_authenticate *message)
{
    uint8_t *key = crypto_alloc(32), *exported = key + 16;
    const key_entry *entry;
    size_t tried;
    if (!find_key(session, message, key, &entry, &tried)) {
        crypto_free(key);
        return;
    }
    if (!export_key(message, key, exported)) {
        mech_no_key(session->env, SEC_MALFORMED, "the AUTHENTICATE message of %s promises a session key of 16 octets"
                    " and carries %" G_GSIZE_FORMAT, session->env->facts.user, message->session_key.length);
        crypto_free(key);
        return;
    }
    session->live = crypto_alloc(sizeof *session->live);
    session->live->flags = message->flags;
    if (message->flags & NTLM_ESS)
        start_ess(session->live, exported);
    else
        start_without_ess(session->live, exported);
    mech_session_key(session->env, exported, 16);
    check_mic(session, message, exported);
    crypto_free(key);
    mech_have_key(session->env, entry, tried, MECH_BY_HANDSHAKE);
}

char *ntlm_user(const ntlm_authenticate *message)
{
    if (is_anonymous(message))
        return g_strdup("");
    bool unicode = message->flags & NTLM_UNICODE;
    char *user = field_text(message->user, unicode), *domain = field_text(message->domain, unicode);
    char *text = g_strdup_printf("%s%s%s", domain, *domain ? "\\" : "", user);
    g_free(user);
    g_free(domain);
    return text;
}

/* Messages begin with their signature, whatever frames them. */
char *ntlm_user_of_token(const uint8_t *token, size_t length)
{
    static const uint8_t signature[] = "NTLMSSP";
    ntlm_authenticate message;
    for (size_t at = 0; at + sizeof signature <= length; at++) {
        const uint8_t *found = memchr(token + at, signature[0], length - at);
        if (!found)
            return NULL;
        at = (size_t)(found - token);
        if (length - at >= sizeof signature && memcmp(found, signature, sizeof signature) == 0)
            return ntlm_parse_authenticate(found, length - at, &message) ? ntlm_user(&message) : NULL;
    }
    return NULL;
}

static void note_facts(mech_env *env, const ntlm_authenticate *message)
{
    sec_facts *facts = &env->facts;
    ntlm_field target;
    facts->ntlm_authenticate = true;
    facts->ntlm_flags = message->flags;
    facts->mechanism_text = version_text(message);
    facts->anonymous = is_anonymous(message);
    char *user = ntlm_user(message);
    facts->user = facts->anonymous ? "ANONYMOUS" : mech_keep(env, "%s", user);
    facts->target = NULL;
    if (is_v2(message) && find_av_pair(message->nt_response, AV_TARGET_NAME, &target) && target.length) {
        char *text = field_text(target, true);
        facts->target = mech_keep(env, "%s", text);
        g_free(text);
    }
    g_free(user);
}

static void take_authenticate(ntlm_session *session, const uint8_t *token, size_t length)
{
    GByteArray *last = session->messages[AUTHENTICATE];
    ntlm_authenticate message;
    if (session->live && last->len == length && !memcmp(last->data, token, length))
        return; /* sent again */
    drop_keys(session);
    g_byte_array_set_size(last, 0);
    g_byte_array_append(last, token, (guint)length);
    if (!ntlm_parse_authenticate(last->data, length, &message)) {
        mech_no_key(session->env, SEC_MALFORMED, "a field of NTLM's AUTHENTICATE message lies outside it");
        return;
    }
    note_facts(session->env, &message);
    if (!session->challenged && !session->env->facts.anonymous)
        mech_no_key(session->env, SEC_NO_HANDSHAKE, "the server's NTLM CHALLENGE to %s is not in the capture: start"
                    " capturing before the connection is made", session->env->facts.user);
    else
        derive_keys(session, &message);
}

void ntlm_token(ntlm_session *session, const uint8_t *token, size_t length, bool whole)
{
    mech_env *env = session->env;
    uint32_t type = length >= TYPE_AT + 4 ? get32(token + TYPE_AT) : 0;
    if (type < NEGOTIATE || type > AUTHENTICATE) {
        if (!session->live)
            mech_no_key(env, whole ? SEC_MALFORMED : SEC_CUT, "an NTLM message of the handshake %s",
                        whole ? "is of no known type"
                              : "was cut by the capture: capture whole packets (snap length 0)");
        return;
    }
    if (type == AUTHENTICATE && whole) {
        take_authenticate(session, token, length);
        return;
    }
    if (type == AUTHENTICATE) {
        drop_keys(session);
        mech_no_key(env, SEC_CUT, "NTLM's AUTHENTICATE message was cut by the capture: capture whole packets (snap"
                    " length 0)");
        return;
    }
    g_byte_array_set_size(session->messages[type], 0);
    if (whole)
        g_byte_array_append(session->messages[type], token, (guint)length);
    if (type == CHALLENGE && length >= SERVER_CHALLENGE_AT + 8) { /* also when the rest was cut */
        memcpy(session->challenge, token + SERVER_CHALLENGE_AT, 8);
        session->challenged = true;
    }
    if (!session->live)
        mech_no_key(env, SEC_NO_HANDSHAKE, "the client's last NTLM message (AUTHENTICATE) is not in the capture");
}

/* ---- PDUs ---- */

static bool is_ess(const live_keys *live)
{
    return live->flags & NTLM_ESS;
}

/* Octets of key stream that the signature takes. */
static size_t signature_stream(const live_keys *live)
{
    return !is_ess(live) ? OLD_SIGNED : live->flags & NTLM_KEY_EXCH ? CHECKSUM : 0;
}

/* What a sender may have signed: the whole PDU; the body alone; at level PKT nothing but the number. */
enum { SIGNED_WHOLE, SIGNED_BODY, SIGNED_NOTHING };

static size_t signed_parts(const sec_message *message, const uint8_t *body, int what, crypto_part parts[3])
{
    if (what == SIGNED_NOTHING)
        return 0;
    if (what == SIGNED_BODY) {
        parts[0] = (crypto_part){body, message->body_length};
        return 1;
    }
    parts[0] = (crypto_part){message->pdu, message->header_length};
    parts[1] = (crypto_part){body, message->body_length};
    parts[2] = (crypto_part){message_trailer(message), SEC_TRAILER_LENGTH};
    return 3;
}

static bool checksum_holds(const live_keys *live, const direction *way, const sec_message *message,
                           const uint8_t *body, const uint8_t *sequence, const uint8_t *checksum, int what)
{
    crypto_part parts[4] = {{sequence, 4}};
    uint8_t due[CHECKSUM];
    size_t count = signed_parts(message, body, what, parts + 1);
    if (!is_ess(live))
        return crypto_crc32(parts + 1, count) == get32(checksum);
    crypto_mac_run(way->sign, parts, count + 1, due, sizeof due);
    return crypto_equal(due, checksum, CHECKSUM);
}

/* `checksum` is decrypted */
static bool signature_holds(const live_keys *live, direction *way, const sec_message *message, const uint8_t *body,
                            const uint8_t *sequence, const uint8_t *checksum)
{
    int last = message->level == SEC_LEVEL_PKT ? SIGNED_NOTHING : SIGNED_BODY;
    for (int what = SIGNED_WHOLE; what <= last; what++)
        if (checksum_holds(live, way, message, body, sequence, checksum, what)) {
            way->how = what;
            return true;
        }
    return false;
}

/* Unseals and checks the PDU at `at`, which moves on behind it. The plaintext goes to `body`. */
static bool open_at(const live_keys *live, direction *way, place *at, const sec_message *message, uint8_t *body)
{
    const uint8_t *token = message_token(message), *clear = message_body(message);
    uint8_t signature[OLD_SIGNED]; /* ESS: checksum 8, number 4; else: pad 4, CRC-32 4, number 4 */
    uint32_t due = at->sequence;
    if (message->level == SEC_LEVEL_PRIVACY) {
        rc4_run(&at->rc4, body, clear, message->body_length);
        clear = body;
    }
    memcpy(signature, token + 4, sizeof signature);
    rc4_run(&at->rc4, signature, signature, signature_stream(live));
    at->sequence++;
    if (is_ess(live))
        return signature_holds(live, way, message, clear, token + 12, signature);
    return get32(signature + 8) == due && signature_holds(live, way, message, clear, signature + 8, signature + 4);
}

/* Moves every candidate over a PDU that cannot be read. */
static void pass_over(live_keys *live, direction *way, const sec_message *message)
{
    size_t stream = signature_stream(live) + (message->level == SEC_LEVEL_PRIVACY ? message->body_length : 0);
    for (int i = 0; i < CANDIDATES; i++)
        if (way->candidates[i]) {
            rc4_skip(&way->candidates[i]->rc4, stream);
            way->candidates[i]->sequence++;
        }
}

static bool is_due(const live_keys *live, const place *candidate, uint32_t sequence)
{
    return candidate && candidate->alive && (!is_ess(live) || candidate->sequence == sequence);
}

typedef enum { OPENED, NOT_DUE, NOT_HELD } outcome;

static void keep_place(direction *way, const place *before, const sec_message *message)
{
    kept_place *kept = &way->kept[way->kept_next++ % KEPT];
    kept->at = *before;
    memcpy(kept->token, message_token(message), SIGNATURE);
}

/* One candidate is right: it goes on behind the PDU, the others die. */
static void settle(direction *way, const bool held[CANDIDATES], const place after[CANDIDATES])
{
    for (int i = 0; i < CANDIDATES; i++) {
        place *candidate = way->candidates[i];
        if (candidate && !held[i])
            candidate->alive = false;
        else if (candidate)
            *candidate = after[i];
    }
    way->decided = true;
    way->doubt = false;
    way->gap = way->searches = 0;
}

/* Tries every candidate at which this sequence number is due. Those proven wrong die once another is proven right;
 * when none is, all stay where they are, see move_on(). */
static outcome try_candidates(live_keys *live, direction *way, const sec_message *message, uint8_t *body)
{
    uint32_t sequence = get32(message_token(message) + 12);
    bool held[CANDIDATES] = {false}, any = false, due = false;
    for (int i = 0; i < CANDIDATES; i++) {
        place *candidate = way->candidates[i];
        live->tried[i] = is_due(live, candidate, sequence) && !(any && is_ess(live));
        if (!live->tried[i])
            continue;
        due = true;
        live->after[i] = *candidate;
        held[i] = open_at(live, way, &live->after[i], message, body);
        if (held[i] && !any)
            keep_place(way, candidate, message);
        any = any || held[i];
        if (held[i] && body)
            body += message->body_length; /* a second attempt must not spoil what this one has opened */
    }
    if (any)
        settle(way, held, live->after);
    return any ? OPENED : due ? NOT_HELD : NOT_DUE;
}

/* Over a PDU whose number was due, but whose signature does not hold: it was changed on its way. */
static void move_on(live_keys *live, direction *way)
{
    for (int i = 0; i < CANDIDATES; i++)
        if (live->tried[i])
            *way->candidates[i] = live->after[i];
}

/* With ESS and without KEY_EXCH a signature takes no key stream, so a jump does not matter to it. */
static bool verify_anywhere(live_keys *live, direction *way, const sec_message *message)
{
    const uint8_t *token = message_token(message);
    uint32_t next = get32(token + 12) + 1;
    if (message->level == SEC_LEVEL_PRIVACY || !is_ess(live) || live->flags & NTLM_KEY_EXCH
        || !signature_holds(live, way, message, message_body(message), token + 12, token + 4))
        return false;
    for (int i = 0; i < CANDIDATES; i++)
        if ((int32_t)(next - way->candidates[i]->sequence) > 0) /* not back, should it be a repetition */
            way->candidates[i]->sequence = next;
    return true;
}

/* A PDU that was opened before, or one that was jumped over and comes now. The stream stays where it is. */
static bool open_again(live_keys *live, direction *way, const sec_message *message, uint8_t *body)
{
    const uint8_t *token = message_token(message);
    for (int i = 0; i < KEPT; i++) {
        const kept_place *kept = &way->kept[i];
        bool same = !memcmp(kept->token, token, SIGNATURE);
        if (!kept->at.alive || !(same || (is_ess(live) && kept->at.sequence == get32(token + 12))))
            continue;
        live->found[0] = kept->at;
        if (open_at(live, way, &live->found[0], message, body))
            return true;
    }
    return false;
}

/* ---- finding the key stream again ---- */

/* PDUs are missing: how much key stream they took is not known, but the signature of the next PDU tells when the place
 * is right (64 bits of HMAC, or 32 of CRC and 32 of number, against 2^16 attempts). What bounds the search:
 * RESYNC_PDU: one missing PDU takes no more than frag_length can say. RESYNC_STREAM: fragments have some 4 to 6 KiB at
 * most, so this is a gap of 40 full ones. RESYNC_STEP: sec_trailer is aligned to 4 ([MS-RPCE] 2.2.2.11), so a body is a
 * multiple of 4, and so are 8 and 12 octets of signature. RESYNC_WORK: octets to hash, below a tenth of a second;
 * large bodies are tried at fewer places. RESYNC_FAILURES: after so many searches in vain the direction is given up;
 * keyring_search_left() bounds those of all conversations. */
enum {
    RESYNC_PDU = 1 << 16, RESYNC_STREAM = 1 << 18, RESYNC_STEP = 4, RESYNC_WORK = 1 << 25, RESYNC_FAILURES = 2,
    RESYNC_ATTEMPT = 1024 /* what an attempt costs beside its body, measured: the HMAC's set-up and end */
};

/* Whether the PDU opens with this piece of key stream; the plaintext goes to `body`. */
static bool opens_with(const live_keys *live, const direction *way, const sec_message *message, uint32_t due,
                       const uint8_t *stream, uint8_t *body, size_t *work)
{
    const uint8_t *token = message_token(message), *clear = message_body(message);
    size_t sealed = message->level == SEC_LEVEL_PRIVACY ? message->body_length : 0, taken = signature_stream(live);
    uint8_t signature[OLD_SIGNED];
    for (size_t i = 0; i < OLD_SIGNED; i++)
        signature[i] = token[4 + i] ^ (i < taken ? stream[sealed + i] : 0);
    if (!is_ess(live) && (get32(signature + 8) - due) > RESYNC_STREAM / OLD_SIGNED)
        return false; /* costs nothing, and rules out all but one in 2^17 */
    for (size_t i = 0; i < sealed; i++)
        body[i] = clear[i] ^ stream[i];
    clear = sealed ? body : clear;
    for (int what = SIGNED_WHOLE; what <= SIGNED_BODY; what++) {
        if (way->how >= 0 && what != way->how)
            continue;
        *work += RESYNC_ATTEMPT + message->body_length;
        if (checksum_holds(live, way, message, clear, is_ess(live) ? token + 12 : signature + 8,
                           is_ess(live) ? signature : signature + 4, what))
            return true;
    }
    return false;
}

/* Tries the places behind `from` and sets `from` behind the PDU when one is right. `missing`: PDUs between. */
static bool search_from(const mech_env *env, const live_keys *live, direction *way, place *from, uint32_t missing,
                        const sec_message *message, uint8_t *body)
{
    size_t sealed = message->level == SEC_LEVEL_PRIVACY ? message->body_length : 0, taken = signature_stream(live);
    size_t first = is_ess(live) ? missing * taken : taken, work = 0;
    size_t last = is_ess(live) ? MIN((size_t)RESYNC_STREAM, (missing ? missing : 1) * (size_t)RESYNC_PDU)
                               : RESYNC_STREAM;
    last = MIN(last, first + RESYNC_STEP * (RESYNC_WORK / (RESYNC_ATTEMPT + message->body_length)));
    if (first > last)
        return false;
    size_t length = last + sealed + taken;
    uint8_t *stream = crypto_alloc(length);
    rc4_state *rc4 = crypto_alloc(sizeof *rc4);
    *rc4 = from->rc4;
    rc4_run(rc4, stream, stream, length);
    crypto_free(rc4);
    size_t at = first;
    while (at <= last && work < RESYNC_WORK
           && !opens_with(live, way, message, from->sequence + missing, stream + at, body, &work))
        at += RESYNC_STEP;
    bool found = at <= last && work < RESYNC_WORK;
    if (found) {
        const uint8_t *token = message_token(message);
        uint32_t sequence = get32(token + 12);
        if (!is_ess(live))
            for (size_t i = 0, hidden = at + sealed + 8; i < 4; i++)
                sequence ^= (uint32_t)stream[hidden + i] << 8 * i;
        rc4_skip(&from->rc4, at);
        from->sequence = sequence;
        keep_place(way, from, message);
        rc4_skip(&from->rc4, sealed + taken);
        from->sequence++;
    } else {
        keyring_searched_in_vain(env->ring, length + work); /* key stream takes as long to make as octets to hash */
    }
    crypto_free(stream);
    return found;
}

/* With ESS all candidates stand in one stream until one is proven; the second stands furthest back for its number. */
static bool worth_searching(const live_keys *live, const direction *way, int index)
{
    const place *candidate = way->candidates[index];
    return candidate && candidate->alive && (!is_ess(live) || way->decided || index == 1);
}

/* After a gap, or after a PDU that did not verify and may have lost the place. */
static bool find_again(mech_env *env, live_keys *live, direction *way, const sec_message *message, uint8_t *body)
{
    uint32_t sequence = get32(message_token(message) + 12), due;
    bool held[CANDIDATES] = {false}, any = false, searched = false;
    for (int i = 0; i < CANDIDATES && way->searches < RESYNC_FAILURES && keyring_search_left(env->ring) > 0; i++) {
        if (!worth_searching(live, way, i))
            continue;
        due = way->candidates[i]->sequence;
        uint32_t missing = is_ess(live) ? sequence - due : !way->doubt; /* the number is hidden: at least */
        bool sure = way->decided && !way->doubt && signature_stream(live); /* without, an empty PDU holds anywhere */
        if (missing > RESYNC_STREAM / CHECKSUM || (!missing && sure))
            continue;
        searched = true;
        live->found[i] = *way->candidates[i];
        held[i] = search_from(env, live, way, &live->found[i], missing, message, body);
        if (!held[i] || any)
            continue;
        any = true;
        body = body ? body + message->body_length : NULL; /* what is opened must not be spoilt by a second search */
        keep_place(way, way->candidates[i], message); /* for the first of the gap, should it come late */
        env->facts.ntlm_missing += live->found[i].sequence - 1 - due;
    }
    if (any)
        settle(way, held, live->found);
    else if (searched)
        way->searches++;
    return any;
}

/* A jump of the sequence number. The candidates stay where they are, so that a stray PDU does no harm. */
static sec_verdict refuse_jump(mech_env *env, direction *way, const sec_message *message)
{
    uint32_t sequence = get32(message_token(message) + 12), due = 0;
    for (int i = CANDIDATES; i-- > 0;)
        if (way->candidates[i] && way->candidates[i]->alive)
            due = way->candidates[i]->sequence;
    if (env->mech_list_mic && way->candidates[1]->alive) /* the MIC had number 0 */
        due = way->candidates[1]->sequence;
    if ((int32_t)(sequence - due) < 0)
        return mech_refuse(env, message, SEC_LOST, "this PDU repeats number %u of its direction, or comes too late:"
                           " number %u was due, and the place of the earlier one in the key stream is not kept",
                           sequence, due);
    if (!way->gap)
        way->gap = sequence - due;
    return mech_refuse(env, message, SEC_LOST, "%u %s missing from the capture before number %u of this direction, and"
                       " the key stream %s behind %s", way->gap,
                       way->gap == 1 ? "PDU is" : "PDUs are", due + way->gap,
                       keyring_search_left(env->ring) > 0 ? "was not found again"
                                                          : "is not searched for any more, after too many searches in vain,",
                       way->gap == 1 ? "it" : "them");
}

static sec_verdict refuse_signature(mech_env *env, direction *way, const sec_message *message, bool packets_known)
{
    bool doubt = way->doubt;
    way->doubt = true;
    if (message->level == SEC_LEVEL_PKT && !packets_known)
        return mech_refuse(env, message, SEC_UNSUPPORTED, "the token of a PDU at level PKT covers nothing this build"
                           " knows of");
    if (doubt)
        return mech_refuse(env, message, SEC_LOST, "an earlier PDU of this direction did not verify, and the key stream"
                           " may be lost with it");
    return mech_refuse(env, message, SEC_BAD_SIGNATURE, "the key of %s is proven, but this PDU's signature does not"
                       " hold: it was changed, or PDUs before it are missing",
                       env->facts.user ? env->facts.user : "this session");
}

/* At level CONNECT most senders' tokens are a constant and take no key stream; if one does hold, good. */
static sec_verdict open_connect(ntlm_session *session, direction *way, const sec_message *message)
{
    static const uint8_t nothing[CHECKSUM];
    live_keys *live = session->live, *kept;
    sec_verdict verdict = {SEC_PLAIN, SEC_OK, NULL};
    if (!memcmp(message_token(message) + 4, nothing, sizeof nothing))
        return verdict;
    kept = crypto_alloc(sizeof *kept);
    *kept = *live;
    if (try_candidates(live, way, message, NULL) == OPENED)
        verdict.state = SEC_VERIFIED;
    else
        *live = *kept;
    crypto_free(kept);
    return verdict;
}

/* ---- session keys given as such ---- */

/* What trials may cost a context: a PDU with number 0 is one attempt, any other a whole search. */
enum { LATE_TRIALS = 512, LATE_SEARCH = 16 };

typedef struct {
    ntlm_session      *session;
    const sec_message *message;
} late_trial;

static void start(ntlm_session *session, uint32_t flags, const uint8_t exported[16])
{
    drop_keys(session);
    session->live = crypto_alloc(sizeof *session->live);
    session->live->flags = flags;
    if (flags & NTLM_ESS)
        start_ess(session->live, exported);
    else
        start_without_ess(session->live, exported);
}

/* Whether the key opens this PDU; the number tells how many came before. The session then starts anew with it. */
static bool fits_late(ntlm_session *session, const sec_message *message, uint32_t flags, const uint8_t exported[16])
{
    bool sealed = message->level == SEC_LEVEL_PRIVACY, fits;
    uint8_t *body = sealed ? mech_scratch(session->env, 2 * message->body_length) : NULL;
    start(session, flags, exported);
    direction *way = &session->live->ways[message->from_client ? 0 : 1];
    fits = try_candidates(session->live, way, message, body) == OPENED
        || find_again(session->env, session->live, way, message, body);
    session->env->facts.ntlm_missing = 0;
    if (fits)
        start(session, flags, exported);
    else
        drop_keys(session);
    return fits;
}

static bool try_late(const key_entry *entry, void *data)
{
    /* What is usual first. An empty PDU without KEY_EXCH fits any strength, hence no such row without 128 bits. */
    static const uint32_t usual[] = {NTLM_ESS | NTLM_128 | NTLM_KEY_EXCH, NTLM_ESS | NTLM_128,
                                     NTLM_ESS | NTLM_56 | NTLM_KEY_EXCH, NTLM_ESS | NTLM_KEY_EXCH, NTLM_KEY_EXCH};
    late_trial *t = data;
    const sec_facts *facts = &t->session->env->facts;
    if (entry->length != 16)
        return false;
    for (size_t i = 0; i < (facts->ntlm_authenticate ? 1 : G_N_ELEMENTS(usual)); i++)
        if (t->session->late < LATE_TRIALS) {
            t->session->late += get32(message_token(t->message) + 12) ? LATE_SEARCH : 1;
            if (fits_late(t->session, t->message, facts->ntlm_authenticate ? facts->ntlm_flags : usual[i],
                          entry->octets))
                return true;
        }
    return false;
}

/* The handshake is missing or gave no key: a session key may open this PDU, and its signature is the proof. */
static bool open_late(ntlm_session *session, const sec_message *message)
{
    mech_env *env = session->env;
    late_trial t = {session, message};
    if (session->late >= LATE_TRIALS || message->token_length != SIGNATURE || message->level == SEC_LEVEL_CONNECT
        || message->captured < message_length(message) || get32(message_token(message)) != 1)
        return false;
    size_t tried;
    const key_entry *entry = keyring_try_session(env->ring, KEY_NTLM_SESSION, 0, try_late, &t, &tried);
    if (!entry)
        return false;
    if (env->facts.mechanism != SEC_MECH_NTLM)
        env->facts.mechanism_text = "NTLM";
    env->facts.mechanism = SEC_MECH_NTLM;
    mech_have_key(env, entry, tried, MECH_BY_SIGNATURE);
    return true;
}

/* [MS-NLMP] 3.4.4: connectionless, each message has a key of its own, MD5(SealingKey, SeqNum). */
static bool open_datagram(live_keys *live, direction *way, const sec_message *message, uint8_t *body)
{
    const uint8_t *token = message_token(message);
    const crypto_part parts[] = {{live->seal[message->from_client ? 0 : 1], 16}, {token + 12, 4}};
    uint8_t key[16];
    if (!is_ess(live)) /* there is no confidentiality without it */
        return false;
    crypto_md5(parts, G_N_ELEMENTS(parts), key);
    place *at = &live->found[0];
    rc4_init(&at->rc4, key, sizeof key);
    at->sequence = get32(token + 12);
    crypto_wipe(key, sizeof key);
    return open_at(live, way, at, message, body);
}

sec_verdict ntlm_open(ntlm_session *session, const sec_message *message, uint8_t *plain)
{
    mech_env *env = session->env;
    if (!session->live && !open_late(session, message))
        return mech_refuse_keyless(env, message);
    live_keys *live = session->live;
    direction *way = &live->ways[message->from_client ? 0 : 1];
    if (message->token_length != SIGNATURE)
        return mech_refuse(env, message, SEC_MALFORMED, "an NTLM signature has 16 octets, this one %" G_GSIZE_FORMAT,
                           message->token_length);
    if (message->captured < message_length(message)) {
        if (message->level != SEC_LEVEL_CONNECT)
            pass_over(live, way, message);
        return mech_refuse(env, message, SEC_CUT, "the capture cut this PDU: capture whole packets (snap length 0)");
    }
    if (get32(message_token(message)) != 1)
        return mech_refuse(env, message, SEC_MALFORMED, "the token is no NTLM signature: its version is %u, not 1",
                           get32(message_token(message)));
    if (message->level == SEC_LEVEL_CONNECT)
        return open_connect(session, way, message);

    bool sealed = message->level == SEC_LEVEL_PRIVACY;
    uint8_t *body = sealed ? mech_scratch(env, 2 * message->body_length) : NULL;
    if (message->datagram && !open_datagram(live, way, message, body))
        return refuse_signature(env, way, message, session->packets);
    outcome result = message->datagram ? OPENED : try_candidates(live, way, message, body);
    if (result == NOT_DUE && verify_anywhere(live, way, message))
        result = OPENED;
    if (result != OPENED && !open_again(live, way, message, body) && !find_again(env, live, way, message, body)) {
        if (result == NOT_DUE)
            return refuse_jump(env, way, message);
        move_on(live, way);
        return refuse_signature(env, way, message, session->packets);
    }
    session->packets |= message->level == SEC_LEVEL_PKT;
    if (sealed && message->body_length)
        memcpy(plain, body, message->body_length);
    return (sec_verdict){SEC_VERIFIED, SEC_OK, NULL};
}
