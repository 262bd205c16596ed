/* smb_session.c - SMB2 sessions being set up.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/smb_session.h"

#include <string.h>

#include "keys/crypto.h"

static const uint32_t STATUS_MORE_PROCESSING_REQUIRED = 0xc0000016;
/* Exchanges whose end is not in the capture would pile up; of sessions a server with as many users has as many. */
enum { EXCHANGES_LIMIT = 1 << 16, SESSIONS_LIMIT = 1 << 20 };
enum { SMB1_HEADER = 32, SMB1_NEGOTIATE = 0x72, SMB1_SESSION_SETUP_ANDX = 0x73, SMB1_TREE_CONNECT_ANDX = 0x75 };
enum { SMB1_RESPONSE = 0x80 };
enum { SMB1_SIGNED = 4, SMB1_SIGNATURE_AT = 14, SMB1_SIGNATURE = 8 };
enum { SMB2_HEADER = 64, SMB2_NEGOTIATE = 0, SMB2_SESSION_SETUP = 1, SMB2_RESPONSE = 1, SMB2_SIGNED = 8 };
enum { SIGNATURE_AT = 48, SIGNATURE = 16, KEY = 16, HASH = 64 };
/* Signatures held against keys that none has proven yet; what is signed at all is signed from its first message on. */
enum { ATTEMPTS_LIMIT = 16, SUPPLIED_LIMIT = 8 };
/* [MS-SMB2] 2.2.4; DIALECT_UNKNOWN: the negotiation is not in the capture. */
enum { DIALECT_UNKNOWN = 0, DIALECT_SMB1 = 1, DIALECT_210 = 0x0210, DIALECT_300 = 0x0300, DIALECT_311 = 0x0311 };
/* [MS-SMB2] 2.2.3.1.7 */
typedef enum { SIGN_HMAC_SHA256, SIGN_AES_CMAC, SIGN_AES_GMAC } signing;
enum { CONTEXT_SIGNING = 8 };

/* A first request has no session id yet and is found again by its message id; from its response on by the session's. */
typedef struct {
    uint64_t connection, number;
    uint64_t by_session;
} exchange_key;

typedef struct {
    sec_context *security;
    bool         fresh;         /* it sets up a session, and does not renew or bind one */
    uint8_t      preauth[HASH]; /* Session.PreauthIntegrityHashValue, [MS-SMB2] 3.3.5.5 */
} exchange;

typedef struct {
    uint64_t id;
    uint16_t dialect;
    signing  algorithm;     /* of dialect 3.1.1 */
    uint8_t  preauth[HASH]; /* Connection.PreauthIntegrityHashValue, [MS-SMB2] 3.3.5.4 */
} connection_state;

/* A session key that may be the one. */
typedef struct {
    const key_entry *supplied;  /* a line smb-session-key; NULL: the handshake's */
    bool             by_signature;
    uint8_t          octets[KEY];
} candidate;

struct smb_session {
    exchange_key key;
    uint16_t     dialect;
    signing      algorithm;
    bool         protects;      /* SMB1: a share connection has asked for the session key to be hashed before calls get it */
    bool         hashed;        /* its set-up is in the capture: */
    uint8_t      preauth[HASH];
    unsigned     attempts;
    candidate   *candidates;    /* secure memory; NULL: none */
    size_t       count;
    char        *why, *user;
};

struct smb_sessions {
    const keyring *ring;
    GHashTable    *exchanges;   /* exchange_key -> exchange */
    GHashTable    *connections; /* connection_state, by its id */
    GHashTable    *sessions;    /* exchange_key of its id -> smb_session */
    GPtrArray     *replaced;    /* sessions whose ids others have now */
};

static uint16_t le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t le32(const uint8_t *p) { return le16(p) | (uint32_t)le16(p + 2) << 16; }
static uint64_t le64(const uint8_t *p) { return le32(p) | (uint64_t)le32(p + 4) << 32; }

static guint key_hash(gconstpointer p)
{
    const exchange_key *k = p;
    uint64_t h = (k->connection * 0x9e3779b97f4a7c15u ^ k->number) * 0xc2b2ae3d27d4eb4fu + k->by_session;
    return (guint)(h ^ h >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(exchange_key)) == 0;
}

static void exchange_free(void *p)
{
    exchange *e = p;
    sec_context_free(e->security);
    g_free(e);
}

static void session_free(void *p)
{
    smb_session *session = p;
    crypto_free(session->candidates);
    g_free(session->why);
    g_free(session->user);
    g_free(session);
}

smb_sessions *smb_sessions_new(const keyring *ring)
{
    smb_sessions *s = g_new0(smb_sessions, 1);
    s->ring = ring;
    s->exchanges = g_hash_table_new_full(key_hash, key_equal, g_free, exchange_free);
    s->connections = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    s->sessions = g_hash_table_new_full(key_hash, key_equal, NULL, session_free);
    s->replaced = g_ptr_array_new_with_free_func(session_free);
    return s;
}

void smb_sessions_free(smb_sessions *s)
{
    if (!s)
        return;
    g_hash_table_unref(s->exchanges);
    g_hash_table_unref(s->connections);
    g_hash_table_unref(s->sessions);
    g_ptr_array_unref(s->replaced);
    g_free(s);
}

/* ---- connections ---- */

static connection_state *connection_of(smb_sessions *s, uint64_t id)
{
    connection_state *c = g_hash_table_lookup(s->connections, &id);
    if (!c && g_hash_table_size(s->connections) < SESSIONS_LIMIT) {
        c = g_new0(connection_state, 1);
        c->id = id;
        c->algorithm = SIGN_AES_CMAC;
        g_hash_table_insert(s->connections, &c->id, c);
    }
    return c;
}

/* [MS-SMB2] 3.1.4.4.1 and 3.3.5.4: the hash so far, and a message. */
static void add_to_hash(uint8_t hash[HASH], const uint8_t *octets, size_t length)
{
    crypto_digest(CRYPTO_SHA512, (crypto_part[]){{hash, HASH}, {octets, length}}, 2, hash);
}

/* [MS-SMB2] 2.2.4: contexts of type, length, reserved, data, each aligned to 8 octets. */
static signing read_signing(const uint8_t *o, size_t length)
{
    size_t count = le16(o + SMB2_HEADER + 6), at = le32(o + SMB2_HEADER + 60);
    for (; count > 0 && at <= length && length - at >= 8; count--) {
        size_t size = le16(o + at + 2);
        if (size > length - at - 8)
            break;
        if (le16(o + at) == CONTEXT_SIGNING && size >= 4)
            return MIN(le16(o + at + 8 + 2), SIGN_AES_GMAC);
        at += (8 + size + 7) & ~(size_t)7;
    }
    return SIGN_AES_CMAC;
}

static void read_negotiate(smb_sessions *s, uint64_t connection, const uint8_t *o, size_t length, bool response)
{
    connection_state *c = connection_of(s, connection);
    if (!c || length < SMB2_HEADER + 64)
        return;
    if (!response)
        memset(c->preauth, 0, HASH);
    else if (le32(o + 8) != 0)
        return;
    add_to_hash(c->preauth, o, length);
    if (!response)
        return;
    c->dialect = le16(o + SMB2_HEADER + 4);
    c->algorithm = c->dialect >= DIALECT_311 ? read_signing(o, length) : SIGN_AES_CMAC;
}

/* ---- sessions ---- */

static smb_session *session_new(smb_sessions *s, uint64_t connection, uint64_t id)
{
    const connection_state *c = g_hash_table_lookup(s->connections, &connection);
    const exchange_key key = {connection, id, 1};
    gpointer old;
    if (g_hash_table_size(s->sessions) + s->replaced->len >= SESSIONS_LIMIT)
        return NULL;
    if (g_hash_table_steal_extended(s->sessions, &key, NULL, &old))
        g_ptr_array_add(s->replaced, old);
    smb_session *session = g_new0(smb_session, 1);
    session->key = key;
    session->dialect = c ? c->dialect : DIALECT_UNKNOWN;
    session->algorithm = c ? c->algorithm : SIGN_AES_CMAC;
    g_hash_table_insert(s->sessions, &session->key, session);
    return session;
}

static void add_candidate(smb_session *session, const key_entry *supplied, const uint8_t *octets)
{
    if (!session->candidates)
        session->candidates = crypto_alloc(SUPPLIED_LIMIT * sizeof(candidate));
    if (session->count == SUPPLIED_LIMIT)
        return;
    candidate *c = &session->candidates[session->count++];
    c->supplied = supplied;
    memcpy(c->octets, octets, KEY);
}

static bool add_supplied(const key_entry *entry, void *user)
{
    smb_session *session = user;
    if (entry->session == session->key.number && entry->length >= KEY)
        add_candidate(session, entry, entry->octets);
    return session->count == SUPPLIED_LIMIT;
}

/* The lines smb-session-key that name it. */
static void add_all_supplied(smb_sessions *s, smb_session *session)
{
    keyring_try_session(s->ring, KEY_SMB_SESSION, 0, add_supplied, session, NULL);
}

static bool names_session(const key_entry *entry, void *user)
{
    return entry->session == *(const uint64_t *)user;
}

const smb_session *smb_sessions_find(smb_sessions *s, uint64_t connection, uint64_t id)
{
    const exchange_key key = {connection, id, 1};
    smb_session *session = g_hash_table_lookup(s->sessions, &key);
    if (!session && id && keyring_try_session(s->ring, KEY_SMB_SESSION, 0, names_session, &id, NULL)) {
        session = session_new(s, connection, id);
        if (session)
            add_all_supplied(s, session);
    }
    return session;
}

uint64_t smb_session_id(const uint8_t *octets, size_t length)
{
    uint64_t id = 0;
    if (length >= SMB2_HEADER && memcmp(octets, "\xfeSMB", 4) == 0)
        id = le64(octets + 40);
    else if (length >= SMB1_HEADER && memcmp(octets, "\xffSMB", 4) == 0)
        id = le16(octets + 28);
    return id == UINT64_MAX ? 0 : id; /* "that of the request before", in a compound */
}

/* ---- the keys it gives ([MS-SMB2] 3.1.4.2, 3.2.5.3.1) ---- */

/* SSKeyHash, [MS-SMB] 2.2.2.5: a text of 30 octets, and these. */
static const char ss_key_text[30] = "Security Signature Key Upgrade";
static const uint8_t ss_key_hash[226] = {
    0x79, 0x07, 0x6e, 0x28, 0x2e, 0x69, 0x88, 0x10, 0xb3, 0xdb, 0x01, 0x55, 0x72, 0xfb, 0x74, 0x14, 0xfb, 0xc4,
    0xc5, 0xaf, 0x3b, 0x41, 0x65, 0x32, 0x17, 0xba, 0xa3, 0x29, 0x08, 0xc1, 0xde, 0x16, 0x61, 0x7e, 0x66, 0x98,
    0xa4, 0x0b, 0xfe, 0x06, 0x83, 0x53, 0x4d, 0x05, 0xdf, 0x6d, 0xa7, 0x51, 0x10, 0x73, 0xc5, 0x50, 0xdc, 0x5e,
    0xf8, 0x21, 0x46, 0xaa, 0x96, 0x14, 0x33, 0xd7, 0x52, 0xeb, 0xaf, 0x1f, 0xbf, 0x36, 0x6c, 0xfc, 0xb7, 0x1d,
    0x21, 0x19, 0x81, 0xd0, 0x6b, 0xfa, 0x77, 0xad, 0xbe, 0x18, 0x78, 0xcf, 0x10, 0xbd, 0xd8, 0x78, 0xf7, 0xd3,
    0xc6, 0xdf, 0x43, 0x32, 0x19, 0xd3, 0x9b, 0xa8, 0x4d, 0x9e, 0xaa, 0x41, 0xaf, 0xcb, 0xc6, 0xb9, 0x34, 0xe7,
    0x48, 0x25, 0xd4, 0x88, 0xc4, 0x51, 0x60, 0x38, 0xd9, 0x62, 0xe8, 0x8d, 0x5b, 0x83, 0x92, 0x7f, 0xb5, 0x0e,
    0x1c, 0x2d, 0x06, 0x91, 0xc3, 0x75, 0xb3, 0xcc, 0xf8, 0xf7, 0x92, 0x91, 0x0b, 0x3d, 0xa1, 0x10, 0x5b, 0xd5,
    0x0f, 0xa8, 0x3f, 0x5d, 0x13, 0x83, 0x0a, 0x6b, 0x72, 0x93, 0x14, 0x59, 0xd5, 0xab, 0xde, 0x26, 0x15, 0x6d,
    0x60, 0x67, 0x71, 0x06, 0x6e, 0x3d, 0x0d, 0xa7, 0xcb, 0x70, 0xe9, 0x08, 0x5c, 0x99, 0xfa, 0x0a, 0x5f, 0x3d,
    0x44, 0xa3, 0x8b, 0xc0, 0x8d, 0xda, 0xe2, 0x68, 0xd0, 0x0d, 0xcd, 0x7f, 0x3d, 0xf8, 0x73, 0x7e, 0x35, 0x7f,
    0x07, 0x02, 0x0a, 0xb5, 0xe9, 0xb7, 0x87, 0xfb, 0xa1, 0xbf, 0xcb, 0x32, 0x31, 0x66, 0x09, 0x48, 0x88, 0xcc,
    0x18, 0xa3, 0xb2, 0x1f, 0x1f, 0x1b, 0x90, 0x4e, 0xd7, 0xe1};

static const crypto_part sign_label = {"SMB2AESCMAC", 12}, sign_context = {"SmbSign", 8}, sign_label_311 = {"SMBSigningKey", 14};
static const crypto_part app_label = {"SMB2APP", 8}, app_context = {"SmbRpc", 7}, app_label_311 = {"SMBAppKey", 10};

static void derive(const smb_session *session, uint16_t dialect, const uint8_t *key, crypto_part label, crypto_part label_311,
                   crypto_part context, uint8_t out[KEY])
{
    bool hashed = dialect >= DIALECT_311;
    crypto_counter_kdf(CRYPTO_SHA256, key, KEY, hashed ? label_311 : label,
                       hashed ? (crypto_part){session->preauth, HASH} : context, out, KEY);
}

/* [MS-SMB2] 3.1.4.1; the signature's own octets count as zeros. */
static bool signature_holds(const smb_session *session, uint16_t dialect, const uint8_t *key, const uint8_t *o, size_t length)
{
    static const uint8_t zeros[SIGNATURE];
    const crypto_part parts[] = {{o, SIGNATURE_AT}, {zeros, SIGNATURE}, {o + SMB2_HEADER, length - SMB2_HEADER}};
    const uint8_t *own = key;
    uint8_t *derived = crypto_alloc(KEY), mac[SIGNATURE];
    signing algorithm = dialect < DIALECT_300 ? SIGN_HMAC_SHA256 : dialect < DIALECT_311 ? SIGN_AES_CMAC : session->algorithm;
    bool holds = true;
    if (dialect >= DIALECT_300) {
        derive(session, dialect, key, sign_label, sign_label_311, sign_context, derived);
        own = derived;
    }
    if (algorithm == SIGN_HMAC_SHA256) {
        crypto_mac *hmac = crypto_mac_new(CRYPTO_SHA256, own, KEY);
        crypto_mac_run(hmac, parts, G_N_ELEMENTS(parts), mac, sizeof mac);
        crypto_mac_free(hmac);
    } else { /* GMAC's nonce: the message's id, and in the next bit whether the server has signed it */
        uint8_t nonce[12] = {0};
        memcpy(nonce, o + 24, 8);
        nonce[8] = le32(o + 16) & SMB2_RESPONSE;
        holds = crypto_aes_mac(own, algorithm == SIGN_AES_GMAC ? nonce : NULL, parts, G_N_ELEMENTS(parts), mac);
    }
    holds = holds && crypto_equal(mac, o + SIGNATURE_AT, SIGNATURE);
    crypto_free(derived);
    return holds;
}

/* [MS-CIFS] 3.1.4.1, of the answer that ends a set-up: it is the second message that is signed, so its number is 1. */
static bool smb1_signature_holds(const uint8_t *key, const uint8_t *o, size_t length)
{
    static const uint8_t number[SMB1_SIGNATURE] = {1};
    const size_t behind = SMB1_SIGNATURE_AT + SMB1_SIGNATURE;
    const crypto_part parts[] = {{key, KEY}, {o, SMB1_SIGNATURE_AT}, {number, sizeof number}, {o + behind, length - behind}};
    uint8_t mac[16];
    crypto_md5(parts, G_N_ELEMENTS(parts), mac);
    return crypto_equal(mac, o + SMB1_SIGNATURE_AT, SMB1_SIGNATURE);
}

/* Holds the keys against a signed message; the first that fits is the session's. Dialects are tried if it is not known which it
 * is; not 3.1.1, whose keys take the hash of the set-up. */
static void prove(smb_session *session, const uint8_t *o, size_t length)
{
    static const uint16_t dialects[] = {DIALECT_210, DIALECT_300};
    bool known = session->dialect != DIALECT_UNKNOWN;
    for (size_t i = 0; i < session->count; i++) {
        for (size_t d = 0; d < (known ? 1 : G_N_ELEMENTS(dialects)); d++) {
            uint16_t dialect = known ? session->dialect : dialects[d];
            const uint8_t *key = session->candidates[i].octets;
            if (!(dialect == DIALECT_SMB1 ? smb1_signature_holds(key, o, length)
                                          : signature_holds(session, dialect, key, o, length)))
                continue;
            session->candidates[0] = session->candidates[i];
            session->candidates[0].by_signature = true;
            session->count = 1;
            session->dialect = dialect;
            return;
        }
    }
}

static void check_signature(smb_sessions *s, uint64_t connection, bool smb1, const uint8_t *o, size_t length)
{
    smb_session *session = (smb_session *)smb_sessions_find(s, connection, smb_session_id(o, length));
    if (!session || !session->count || session->candidates[0].by_signature || session->attempts >= ATTEMPTS_LIMIT)
        return;
    if (smb1 != (session->dialect == DIALECT_SMB1) || (session->dialect >= DIALECT_311 && !session->hashed))
        return;
    session->attempts++;
    prove(session, o, length);
}

/* [MS-SMB2] 3.3.5.5.3. False: it cannot be known. */
static bool application_key(const smb_session *session, const candidate *c, join_key *key)
{
    uint16_t dialect = session->dialect;
    if (dialect != DIALECT_UNKNOWN && (dialect < DIALECT_300 || (dialect >= DIALECT_311 && !session->hashed)))
        return false;
    key->name = "the SMB session's Session.ApplicationKey";
    derive(session, dialect, c->octets, app_label, app_label_311, app_context, key->octets);
    return true;
}

/* [MS-SMB] 3.2.5.4, 3.3.5.4 */
static void protected_key(const candidate *c, join_key *key)
{
    const crypto_part parts[] = {{ss_key_text, sizeof ss_key_text}, {ss_key_hash, sizeof ss_key_hash}};
    key->name = "the SMB session's protected Session.SessionKey";
    crypto_hmac_md5(c->octets, KEY, parts, G_N_ELEMENTS(parts), key->octets);
}

join_key *smb_session_join_keys(const smb_session *session, size_t *count)
{
    enum { EACH = 3 };
    *count = 0;
    if (!session || !session->count)
        return NULL;
    join_key *keys = crypto_alloc(EACH * session->count * sizeof *keys);
    uint16_t dialect = session->dialect;
    for (size_t i = 0; i < session->count; i++) {
        const candidate *c = &session->candidates[i];
        size_t first = *count;
        if (application_key(session, c, &keys[*count]))
            ++*count;
        if (session->protects)
            protected_key(c, &keys[(*count)++]);
        keys[*count].name = "the SMB session's Session.SessionKey";
        memcpy(keys[(*count)++].octets, c->octets, KEY);
        if (!session->protects && (dialect == DIALECT_SMB1 || (dialect == DIALECT_UNKNOWN && session->key.number <= UINT16_MAX)))
            protected_key(c, &keys[(*count)++]);
        /* The handshake's key is right, but only a signature shows that the hash of 3.1.1's set-up is. */
        keys[first].sure = dialect != DIALECT_UNKNOWN && (c->by_signature || (!c->supplied && dialect < DIALECT_311));
    }
    return keys;
}

const char *smb_session_user(const smb_session *session)
{
    return session ? session->user : NULL;
}

const char *smb_session_why(const smb_session *session)
{
    return session && !session->count ? session->why : NULL;
}

const char *smb_session_doubt(const smb_session *session)
{
    if (!session || !session->count || session->candidates[0].by_signature)
        return NULL;
    if (session->dialect == DIALECT_UNKNOWN)
        return "the negotiation of the SMB dialect is not in the capture, and the key depends on it";
    if (session->dialect < DIALECT_311)
        return NULL;
    return session->hashed ? "no signature shows that the set-up, on which the key depends, is here as it was sent"
                           : "the session's set-up, on which the key depends, is not in the capture";
}

/* ---- set-up ---- */

static exchange *take(smb_sessions *s, const exchange_key *key)
{
    gpointer stored_key, found;
    if (!g_hash_table_steal_extended(s->exchanges, key, &stored_key, &found))
        return NULL;
    g_free(stored_key);
    return found;
}

static void put(smb_sessions *s, const exchange_key *key, exchange *e)
{
    if (g_hash_table_size(s->exchanges) >= EXCHANGES_LIMIT) {
        exchange_free(e);
        return;
    }
    g_hash_table_replace(s->exchanges, g_memdup2(key, sizeof *key), e);
}

static exchange *begin(smb_sessions *s, uint64_t connection, uint64_t session)
{
    const connection_state *c = g_hash_table_lookup(s->connections, &connection);
    exchange *e = g_new0(exchange, 1);
    e->security = sec_context_new(s->ring, SEC_AUTH_SPNEGO);
    e->fresh = session == 0;
    if (c)
        memcpy(e->preauth, c->preauth, HASH);
    return e;
}

/* The server has agreed. A session that is renewed or bound to another connection keeps its key. */
static void agreed(smb_sessions *s, uint64_t connection, uint64_t id, const exchange *e, const uint8_t *key)
{
    smb_session *session = e->fresh ? session_new(s, connection, id) : NULL;
    if (!session)
        return;
    session->hashed = true;
    memcpy(session->preauth, e->preauth, HASH);
    if (key)
        add_candidate(session, NULL, key);
    else
        add_all_supplied(s, session);
    const sec_facts *facts = sec_context_facts(e->security);
    session->why = g_strdup(facts->key_text);
    session->user = facts->anonymous ? NULL : g_strdup(facts->user);
}

bool smb_sessions_setup(smb_sessions *s, uint64_t connection, uint64_t message, uint64_t session, bool from_client,
                        uint32_t status, const uint8_t *token, size_t length, uint8_t key[16], const key_entry **ntlm)
{
    *ntlm = NULL;
    const exchange_key by_message = {connection, message, 0}, by_session = {connection, session, 1};
    exchange *e = take(s, from_client ? &by_session : &by_message);
    if (!e && from_client)
        e = begin(s, connection, session);
    if (!e)
        return false;
    if (length > 0)
        sec_context_token(e->security, token, length, from_client, true);
    if (from_client) {
        if (sec_context_facts(e->security)->ntlm_authenticate)
            *ntlm = sec_context_key(e->security);
        put(s, &by_message, e);
        return false;
    }
    if (status == STATUS_MORE_PROCESSING_REQUIRED) {
        put(s, &by_session, e);
        return false;
    }
    bool known = status == 0 && sec_context_session_key(e->security, key);
    if (status == 0)
        agreed(s, connection, session, e, known ? key : NULL);
    exchange_free(e);
    return known;
}

/* Requests are found by their message, answers that ask for more by their session. */
static void hash_setup(smb_sessions *s, uint64_t connection, const uint8_t *o, size_t length, bool response)
{
    const exchange_key key = {connection, response ? le64(o + 40) : le64(o + 24), response};
    exchange *e = g_hash_table_lookup(s->exchanges, &key);
    if (e && (!response || le32(o + 8) == STATUS_MORE_PROCESSING_REQUIRED))
        add_to_hash(e->preauth, o, length);
}

/* The set-up's end, and what a share connection's answer supports ([MS-SMB] 2.2.4.7.2). */
static void read_smb1_response(smb_sessions *s, uint64_t connection, const uint8_t *o, size_t length, bool whole)
{
    enum { OPTIONAL_SUPPORT = SMB1_HEADER + 1 + 4, EXTENDED_SIGNATURES = 0x20 };
    if (o[4] == SMB1_NEGOTIATE) {
        connection_state *c = connection_of(s, connection);
        if (c)
            c->dialect = DIALECT_SMB1;
    }
    if (o[4] == SMB1_SESSION_SETUP_ANDX && whole && le16(o + 10) & SMB1_SIGNED)
        check_signature(s, connection, true, o, length);
    if (o[4] != SMB1_TREE_CONNECT_ANDX || length < OPTIONAL_SUPPORT + 2 || o[SMB1_HEADER] < 3)
        return;
    smb_session *session = (smb_session *)smb_sessions_find(s, connection, smb_session_id(o, length));
    if (session)
        session->protects |= (le16(o + OPTIONAL_SUPPORT) & EXTENDED_SIGNATURES) != 0;
}

void smb_sessions_message(smb_sessions *s, uint64_t connection, const uint8_t *o, size_t length, bool whole)
{
    if (length >= SMB1_HEADER && memcmp(o, "\xffSMB", 4) == 0 && o[9] & SMB1_RESPONSE && le32(o + 5) == 0)
        read_smb1_response(s, connection, o, length, whole);
    if (length < SMB2_HEADER + 4 || memcmp(o, "\xfeSMB", 4) != 0)
        return;
    uint16_t command = le16(o + 12);
    uint32_t flags = le32(o + 16);
    if (command == SMB2_NEGOTIATE)
        read_negotiate(s, connection, o, length, flags & SMB2_RESPONSE);
    if (command == SMB2_SESSION_SETUP)
        hash_setup(s, connection, o, length, flags & SMB2_RESPONSE);
    if (whole && flags & SMB2_SIGNED)
        check_signature(s, connection, false, o, length);
}
