/* kerberos.c - Kerberos: from the tokens of a handshake to its keys, and from those to plaintext and proof.
 *
 * Implements [RFC 4120] 5.3, 5.5, 5.9.1 and 7.5.1 (key usages), [RFC 4121] 4.1, [MS-KILE] 3.4.5.1 (three legs).
 * Every decryption on the way, ticket, authenticator and AP-REP, has a checksum: what opens is proven.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/kerberos.h"

#include <string.h>

#include "keys/der.h"
#include "keys/etype.h"
#include "keys/gss_wrap.h"

enum {
    TAG_AP_REQ = 0x6e, TAG_AP_REP = 0x6f, TAG_KRB_ERROR = 0x7e, TAG_GSS = 0x60,
    USAGE_TICKET = 2, USAGE_AUTHENTICATOR = 11, USAGE_AP_REP = 12,
    OPTION_USE_SESSION_KEY = 0x40000000,
    GSS_CHECKSUM = 0x8003, GSS_FLAGS_AT = 20, GSS_DELEGATION_AT = 24, GSS_DELEG = 1
};

/* The keys a handshake gives, in the order of their making. */
enum { SESSION, INITIATOR, ACCEPTOR, KEYS };

struct krb_session {
    mech_env   *env;
    GByteArray *ap_req;      /* the last one, to know it again */
    uint8_t    *session_key; /* secure memory; opens the AP-REP */
    size_t      session_key_length;
    int32_t     session_etype;
    gss_key    *keys[KEYS];
    unsigned    late; /* trials of subkeys so far */
};

krb_session *krb_new(mech_env *env)
{
    krb_session *session = g_new0(krb_session, 1);
    session->env = env;
    session->ap_req = g_byte_array_new();
    return session;
}

static void drop_keys(krb_session *session)
{
    for (int i = 0; i < KEYS; i++) {
        gss_key_free(session->keys[i]);
        session->keys[i] = NULL;
    }
    crypto_free(session->session_key);
    session->session_key = NULL;
    session->session_key_length = 0;
}

void krb_free(krb_session *session)
{
    if (!session)
        return;
    drop_keys(session);
    g_byte_array_free(session->ap_req, TRUE);
    g_free(session);
}

/* ---- tokens ---- */

static bool is_message_tag(uint8_t tag)
{
    return tag == TAG_AP_REQ || tag == TAG_AP_REP || tag == TAG_KRB_ERROR;
}

/* The Kerberos message within a token: behind the GSS frame (OID and token id, [RFC 4121] 4.1) or the token itself.
 * A cut frame is none of our business: its length may reach beyond what is here. NULL: not Kerberos. */
static const uint8_t *unframe(const uint8_t *token, size_t length, size_t *inner_length)
{
    /* 1.2.840.113554.1.2.2, the same mistyped by Windows 2000, and user to user */
    static const uint8_t oids[][12] = {{11, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02},
                                       {11, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02}};
    static const uint8_t user_to_user[] = {0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03};
    size_t head = 0;
    if (length >= 2 && token[0] == TAG_GSS) {
        head = 2 + (token[1] & 0x80 ? token[1] & 0x7fu : 0);
        size_t left = length > head ? length - head : 0, oid = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(oids); i++)
            if (left > oids[i][0] && !memcmp(token + head, oids[i] + 1, oids[i][0]))
                oid = oids[i][0];
        if (left > sizeof user_to_user && !memcmp(token + head, user_to_user, sizeof user_to_user))
            oid = sizeof user_to_user;
        if (!oid || left < oid + 2)
            return NULL;
        head += oid + 2;
    }
    *inner_length = length - head;
    return *inner_length && is_message_tag(token[head]) ? token + head : NULL;
}

bool krb_recognise(const uint8_t *token, size_t length)
{
    size_t inner;
    return unframe(token, length, &inner) != NULL;
}

typedef struct {
    int32_t        etype;
    uint32_t       kvno;   /* 0: not given */
    const uint8_t *cipher; /* within the message */
    size_t         length;
} encrypted_data;

/* [RFC 4120] 5.2.9 */
static bool read_encrypted(der_value message, const char *tags, encrypted_data *out)
{
    der_value data, cipher;
    int64_t etype, kvno = 0;
    if (!der_find(message, tags, &data) || !der_find_integer(data, "\x30\xa0\x02", &etype) ||
        !der_find(data, "\x30\xa2\x04", &cipher))
        return false;
    der_find_integer(data, "\x30\xa1\x02", &kvno);
    *out = (encrypted_data){(int32_t)etype, (uint32_t)kvno, cipher.octets, cipher.length};
    return true;
}

/* What an AP-REQ has, [RFC 4120] 5.3 and 5.5.1. */
typedef struct {
    uint32_t       options;
    encrypted_data ticket, authenticator;
    der_value      whole;
} ap_req_parts;

static uint32_t read_options(der_value ap_req)
{
    der_value bits;
    uint32_t options = 0;
    if (!der_find(ap_req, "\x6e\x30\xa2\x03", &bits)) /* the first octet counts the unused bits of the last */
        return 0;
    for (size_t i = 1; i <= sizeof options; i++)
        options = options << 8 | (i < bits.length ? bits.octets[i] : 0);
    return options;
}

static bool read_ap_req(const uint8_t *data, size_t length, ap_req_parts *parts)
{
    parts->whole = (der_value){data, length};
    parts->options = read_options(parts->whole);
    return read_encrypted(parts->whole, "\x6e\x30\xa3\x61\x30\xa3", &parts->ticket) &&
           read_encrypted(parts->whole, "\x6e\x30\xa4", &parts->authenticator);
}

/* An EncryptionKey; NULL when it is absent. */
static uint8_t *read_key(asn1_node node, const char *path, int32_t *etype, size_t *length)
{
    char at[64];
    int64_t number = 0;
    g_snprintf(at, sizeof at, "%s.keytype", path);
    bool known = der_integer(node, at, &number);
    g_snprintf(at, sizeof at, "%s.keyvalue", path);
    *etype = (int32_t)number;
    return known ? der_secret(node, at, length) : NULL;
}

/* A subkey is what the context hands out from then on ([RFC 4121] 2). */
static gss_key *read_gss_key(mech_env *env, asn1_node node, const char *path)
{
    int32_t etype;
    size_t length;
    uint8_t *octets = read_key(node, path, &etype, &length);
    gss_key *key = octets ? gss_key_new(etype, octets, length) : NULL;
    if (octets)
        mech_session_key(env, octets, length);
    crypto_free(octets);
    return key;
}

/* ---- the ticket ---- */

typedef struct {
    const encrypted_data *ticket;
    uint8_t              *plain;
    size_t                length;
} trial;

static bool try_entry(const key_entry *entry, void *data)
{
    trial *t = data;
    t->plain = etype_decrypt(t->ticket->etype, entry->octets, entry->length, USAGE_TICKET, t->ticket->cipher,
                             t->ticket->length, &t->length);
    return t->plain != NULL;
}

/* What a ticket says, and which key opened it. Clients use one ticket for many connections, so the keyring remembers it. */
typedef struct {
    const key_entry *entry;
    size_t           tried;
    int32_t          etype;
    uint8_t         *key; /* secure memory */
    size_t           key_length;
    char            *user; /* NULL */
} opened_ticket;

static void free_ticket(gpointer data)
{
    opened_ticket *ticket = data;
    crypto_free(ticket->key);
    g_free(ticket->user);
    g_free(ticket);
}

/* "alice@CORP.EXAMPLE", for g_free; NULL */
static char *read_user(asn1_node node)
{
    char *name = der_principal(node, "cname"), *realm = der_text(node, "crealm");
    char *user = name && realm ? g_strdup_printf("%s@%s", name, realm) : NULL;
    g_free(name);
    g_free(realm);
    return user;
}

/* NULL: an EncTicketPart that cannot be read */
static opened_ticket *read_ticket_part(const uint8_t *plain, size_t length)
{
    asn1_node part = der_open(krb5_asn1_tab, "KRB5.EncTicketPart", plain, length);
    if (!part)
        return NULL;
    opened_ticket *ticket = g_new0(opened_ticket, 1);
    ticket->key = read_key(part, "key", &ticket->etype, &ticket->key_length);
    ticket->user = read_user(part);
    der_close(part);
    if (ticket->key)
        return ticket;
    free_ticket(ticket);
    return NULL;
}

/* Sets the session key and the user. */
static void use_ticket(krb_session *session, const opened_ticket *ticket)
{
    session->session_etype = ticket->etype;
    session->session_key_length = ticket->key_length;
    session->session_key = crypto_alloc(ticket->key_length + 1);
    memcpy(session->session_key, ticket->key, ticket->key_length);
    if (ticket->user)
        session->env->facts.user = mech_keep(session->env, "%s", ticket->user);
    session->keys[SESSION] = gss_key_new(ticket->etype, ticket->key, ticket->key_length);
    mech_session_key(session->env, ticket->key, ticket->key_length);
}

/* User to user, [RFC 4120] 3.7: the ticket is sealed in the session key of the server's own TGT. */
static const key_entry *try_user_to_user(krb_session *session, trial *t, size_t *tried)
{
    static const key_kind kinds[] = {KEY_TICKET, KEY_SUBKEY};
    const key_entry *found = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) && !found; i++) {
        size_t offered;
        found = keyring_try_session(session->env->ring, kinds[i], t->ticket->etype, try_entry, t, &offered);
        *tried += offered;
    }
    return found;
}

static const key_entry *open_user_to_user(krb_session *session, trial *t, size_t *tried)
{
    mech_env *env = session->env;
    const char *etype = etype_name(t->ticket->etype);
    const key_entry *found = try_user_to_user(session, t, tried);
    if (!found && *tried)
        mech_no_key(env, SEC_WRONG_KEY, "the ticket for %s is user to user, sealed in the session key of the server's own"
                    " ticket-granting ticket, and none of %" G_GSIZE_FORMAT " session %s of type %s opens it", env->facts.target,
                    *tried, *tried == 1 ? "key" : "keys", etype);
    else if (!found)
        mech_no_key(env, SEC_NO_KEY, "the ticket for %s is user to user, sealed in the session key (%s) of the server's own"
                    " ticket-granting ticket, which no keytab holds: give that session key, from the credential cache of the"
                    " server's account", env->facts.target, etype);
    return found;
}

static const key_entry *open_by_service_key(krb_session *session, const char *service, const char *realm, trial *t,
                                            size_t *tried)
{
    mech_env *env = session->env;
    const encrypted_data *ticket = t->ticket;
    const char *etype = etype_name(ticket->etype);
    char *kvno = ticket->kvno ? g_strdup_printf(", kvno %u", ticket->kvno) : g_strdup("");
    const key_entry *found = keyring_try_kerberos(env->ring, service, realm, ticket->etype, ticket->kvno, try_entry, t, tried);
    if (!found && *tried)
        mech_no_key(env, SEC_WRONG_KEY, "none of %" G_GSIZE_FORMAT " %s opens the ticket for %s (%s%s): export the"
                    " keytab of that service's account again", *tried, *tried == 1 ? "key" : "keys", env->facts.target,
                    etype, kvno);
    else if (!found)
        mech_no_key(env, SEC_NO_KEY, "no key opens the ticket for %s (%s%s): export the keytab of that service's"
                    " account and give it as " KEYRING_FILE, env->facts.target, etype, kvno);
    g_free(kvno);
    return found;
}

/* NULL: no, and says itself why not. */
static const opened_ticket *try_ticket(krb_session *session, const char *service, const char *realm,
                                       const encrypted_data *ticket, size_t *tried)
{
    mech_env *env = session->env;
    trial t = {ticket, NULL, 0};
    const key_entry *entry = NULL;
    opened_ticket *opened = NULL;
    if (!etype_supported(ticket->etype))
        mech_no_key(env, SEC_UNSUPPORTED, "the ticket for %s is sealed with %s, which this build does not open",
                    env->facts.target, etype_name(ticket->etype));
    else if (env->facts.ap_options & OPTION_USE_SESSION_KEY)
        entry = open_user_to_user(session, &t, tried);
    else
        entry = open_by_service_key(session, service, realm, &t, tried);
    if (entry && !(opened = read_ticket_part(t.plain, t.length)))
        mech_no_key(env, SEC_MALFORMED, "the ticket for %s opens, but what is in it cannot be read", env->facts.target);
    crypto_free(t.plain);
    if (!opened)
        return NULL;
    opened->entry = entry;
    opened->tried = *tried;
    keyring_remember(env->ring, ticket->cipher, ticket->length, opened, free_ticket);
    return opened;
}

static const key_entry *open_ticket(krb_session *session, const char *service, const char *realm,
                                    const encrypted_data *ticket, size_t *all_tried)
{
    size_t tried = 0;
    const opened_ticket *opened = keyring_recall(session->env->ring, ticket->cipher, ticket->length);
    if (!opened)
        opened = try_ticket(session, service, realm, ticket, &tried);
    *all_tried += opened ? opened->tried : tried;
    if (!opened)
        return NULL;
    use_ticket(session, opened);
    return opened->entry;
}

void krb_remember_ticket(const keyring *ring, const uint8_t *cipher, size_t length, int32_t etype, const uint8_t *key,
                         size_t key_length, const char *user, const key_entry *origin)
{
    opened_ticket *ticket = g_new0(opened_ticket, 1);
    ticket->entry = origin;
    ticket->tried = 1;
    ticket->etype = etype;
    ticket->key = crypto_alloc(key_length + 1);
    memcpy(ticket->key, key, key_length);
    ticket->key_length = key_length;
    ticket->user = g_strdup(user);
    keyring_remember(ring, cipher, length, ticket, free_ticket);
}

typedef struct {
    const encrypted_data *sealed;
    uint32_t              usage;
    uint8_t              *plain;
    size_t                length;
} authenticator_trial;

static bool try_ticket_key(const key_entry *entry, void *data)
{
    authenticator_trial *t = data;
    t->plain = etype_decrypt(entry->etype, entry->octets, entry->length, t->usage, t->sealed->cipher, t->sealed->length, &t->length);
    return t->plain != NULL;
}

uint8_t *krb_open_ap_req(const keyring *ring, const uint8_t *octets, size_t length, uint32_t usage, size_t *plain_length,
                         krb_ap_req *found)
{
    ap_req_parts ap_req;
    *plain_length = 0;
    if (!read_ap_req(octets, length, &ap_req))
        return NULL;
    const encrypted_data *sealed = &ap_req.authenticator;
    authenticator_trial t = {sealed, usage, NULL, 0};
    const opened_ticket *known = keyring_recall(ring, ap_req.ticket.cipher, ap_req.ticket.length);
    const key_entry *entry = known ? NULL : keyring_try_session(ring, KEY_TICKET, 0, try_ticket_key, &t, NULL);
    if (known) {
        t.plain = etype_decrypt(known->etype, known->key, known->key_length, usage, sealed->cipher, sealed->length, &t.length);
        *found = (krb_ap_req){known->etype, known->key, known->entry};
    } else if (entry) {
        *found = (krb_ap_req){entry->etype, entry->octets, entry};
    }
    *plain_length = t.length;
    return t.plain;
}

/* ---- the authenticator ---- */

/* [RFC 4121] 4.1.1: the checksum that is none */
static void take_gss_checksum(mech_env *env, asn1_node authenticator)
{
    int64_t type;
    size_t length;
    if (!der_integer(authenticator, "cksum.cksumtype", &type) || type != GSS_CHECKSUM)
        return;
    uint8_t *octets = der_octets(authenticator, "cksum.checksum", &length);
    if (octets && length >= GSS_DELEGATION_AT) {
        const uint8_t *flags = octets + GSS_FLAGS_AT;
        env->facts.gss_flags_known = true;
        env->facts.gss_flags = flags[0] | (uint32_t)flags[1] << 8 | (uint32_t)flags[2] << 16 | (uint32_t)flags[3] << 24;
        env->facts.forwarded_tgt = env->facts.gss_flags & GSS_DELEG && length > GSS_DELEGATION_AT + 4;
    }
    g_free(octets);
}

static bool open_authenticator(krb_session *session, const encrypted_data *sealed)
{
    size_t length;
    uint8_t *plain = etype_decrypt(session->session_etype, session->session_key, session->session_key_length,
                                   USAGE_AUTHENTICATOR, sealed->cipher, sealed->length, &length);
    asn1_node authenticator = plain ? der_open(krb5_asn1_tab, "KRB5.Authenticator", plain, length) : NULL;
    crypto_free(plain);
    if (!authenticator)
        return false;
    session->keys[INITIATOR] = read_gss_key(session->env, authenticator, "subkey");
    take_gss_checksum(session->env, authenticator);
    char *user = read_user(authenticator);
    if (user)
        session->env->facts.user = mech_keep(session->env, "%s", user);
    g_free(user);
    der_close(authenticator);
    return true;
}

typedef struct {
    krb_session          *session;
    const encrypted_data *authenticator;
} session_trial;

/* A ticket's session key opens the authenticator beside the ticket, or it belongs to another ticket. */
static bool try_session_key(const key_entry *entry, void *data)
{
    session_trial *t = data;
    krb_session *session = t->session;
    drop_keys(session);
    session->session_etype = entry->etype;
    session->session_key_length = entry->length;
    session->session_key = crypto_alloc(entry->length + 1);
    memcpy(session->session_key, entry->octets, entry->length);
    if (!open_authenticator(session, t->authenticator)) {
        drop_keys(session);
        return false;
    }
    session->keys[SESSION] = gss_key_new(entry->etype, entry->octets, entry->length);
    return true;
}

/* From a credential cache, say: no service key is needed then, and user-to-user tickets open as well. */
static const key_entry *open_by_session_key(krb_session *session, const encrypted_data *authenticator, size_t *tried)
{
    session_trial t = {session, authenticator};
    return keyring_try_session(session->env->ring, KEY_TICKET, 0, try_session_key, &t, tried);
}

/* ---- the legs ---- */

static void open_ap_req(krb_session *session, const ap_req_parts *ap_req, const char *service, const char *realm)
{
    mech_env *env = session->env;
    env->facts.ap_req = true;
    env->facts.ticket_etype = ap_req->ticket.etype;
    env->facts.target = mech_keep(env, "%s@%s", service, realm);
    env->facts.ap_options = ap_req->options;
    size_t tried;
    const key_entry *entry = open_by_session_key(session, &ap_req->authenticator, &tried);
    if (entry) {
        mech_have_key(env, entry, tried, MECH_BY_HANDSHAKE);
    } else if ((entry = open_ticket(session, service, realm, &ap_req->ticket, &tried))) {
        if (open_authenticator(session, &ap_req->authenticator))
            mech_have_key(env, entry, tried, MECH_BY_HANDSHAKE);
        else if (!etype_supported(session->session_etype))
            mech_no_key(env, SEC_UNSUPPORTED, "the session key of %s is of type %s, which this build does not open",
                        env->facts.target, etype_name(session->session_etype));
        else
            mech_no_key(env, SEC_MALFORMED, "the ticket for %s opens, but the authenticator beside it does not",
                        env->facts.target);
    }
    env->facts.keys_tried = tried;
}

static void take_ap_req(krb_session *session, const uint8_t *data, size_t length)
{
    sec_facts *facts = &session->env->facts;
    if (facts->have_key && session->ap_req->len == length && !memcmp(session->ap_req->data, data, length))
        return; /* sent again */
    drop_keys(session);
    g_byte_array_set_size(session->ap_req, 0);
    g_byte_array_append(session->ap_req, data, (guint)length);
    facts->ap_rep = facts->gss_flags_known = facts->forwarded_tgt = false;
    facts->user = NULL;
    ap_req_parts ap_req;
    bool readable = read_ap_req(data, length, &ap_req);
    char *service = der_find_principal(ap_req.whole, "\x6e\x30\xa3\x61\x30\xa2");
    char *realm = der_find_text(ap_req.whole, "\x6e\x30\xa3\x61\x30\xa1\x1b");
    if (readable && service && realm)
        open_ap_req(session, &ap_req, service, realm);
    else
        mech_no_key(session->env, SEC_MALFORMED, "the AP-REQ of the bind cannot be read");
    g_free(service);
    g_free(realm);
}

/* The server's; the client's third leg, which in DCE style has the same form, gives no key. */
static void take_ap_rep(krb_session *session, const uint8_t *data, size_t length)
{
    session->env->facts.ap_rep = true;
    encrypted_data sealed;
    size_t plain_length;
    if (session->session_key && read_encrypted((der_value){data, length}, "\x6f\x30\xa2", &sealed)) {
        uint8_t *plain = etype_decrypt(session->session_etype, session->session_key, session->session_key_length,
                                       USAGE_AP_REP, sealed.cipher, sealed.length, &plain_length);
        asn1_node part = plain ? der_open(krb5_asn1_tab, "KRB5.EncAPRepPart", plain, plain_length) : NULL;
        if (part) {
            gss_key_free(session->keys[ACCEPTOR]);
            session->keys[ACCEPTOR] = read_gss_key(session->env, part, "subkey");
        }
        der_close(part);
        crypto_free(plain);
    }
}

static void take_error(krb_session *session, const uint8_t *data, size_t length)
{
    asn1_node error = der_open(krb5_asn1_tab, "KRB5.KRB-ERROR", data, length);
    int64_t code = 0;
    if (error && der_integer(error, "error-code", &code) && !session->env->facts.have_key)
        mech_no_key(session->env, SEC_NO_HANDSHAKE, "the server refused the ticket with Kerberos error %d", (int)code);
    der_close(error);
}

void krb_token(krb_session *session, const uint8_t *token, size_t length, bool from_client, bool whole)
{
    size_t inner;
    const uint8_t *data = unframe(token, length, &inner);
    if (!data)
        return;
    if (!whole && data[0] != TAG_KRB_ERROR) {
        if (data[0] == TAG_AP_REQ)
            drop_keys(session);
        if (!session->keys[SESSION])
            mech_no_key(session->env, SEC_CUT, "a Kerberos message of the bind was cut by the capture: capture whole"
                        " packets (snap length 0)");
    } else if (data[0] == TAG_AP_REQ) {
        take_ap_req(session, data, inner);
    } else if (data[0] == TAG_AP_REP && !from_client) {
        take_ap_rep(session, data, inner);
    } else if (data[0] == TAG_KRB_ERROR) {
        take_error(session, data, inner);
    }
}

/* ---- PDUs ---- */

/* Which key comes first is in the token; the others are tried too, for the checksum decides. */
static gss_outcome try_keys(krb_session *session, const sec_message *message, const uint8_t **plain)
{
    static const int with_flag[] = {ACCEPTOR, INITIATOR, SESSION}, without[] = {INITIATOR, SESSION, ACCEPTOR};
    const int *order = gss_acceptor_subkey(message_token(message), message->token_length) ? with_flag : without;
    gss_outcome outcome = GSS_UNREADABLE;
    for (int i = 0; i < KEYS && outcome != GSS_HOLDS; i++)
        if (session->keys[order[i]]) {
            gss_outcome next = gss_open(session->keys[order[i]], session->env, message, plain);
            outcome = next == GSS_UNREADABLE ? outcome : next;
        }
    return outcome;
}

static sec_verdict refuse(krb_session *session, const sec_message *message, gss_outcome outcome)
{
    mech_env *env = session->env;
    if (outcome == GSS_UNREADABLE)
        return mech_refuse(env, message, SEC_MALFORMED, "the token of %" G_GSIZE_FORMAT " octets is none that Kerberos'"
                           " %s writes at this level", message->token_length, etype_name(session->session_etype));
    if (gss_acceptor_subkey(message_token(message), message->token_length) && !session->keys[ACCEPTOR])
        return mech_refuse(env, message, SEC_NO_HANDSHAKE, "this PDU uses a key that the server made, and its AP-REP"
                           " %s", env->facts.ap_rep ? "could not be opened" : "is not in the capture: start capturing"
                           " before the connection is made");
    return mech_refuse(env, message, SEC_BAD_SIGNATURE, "the keys of %s are proven, but this PDU's checksum does not"
                       " hold: it was changed on its way", env->facts.target ? env->facts.target : "this session");
}

/* What trials of subkeys may cost a context; one is a decryption of the PDU. */
enum { LATE_TRIALS = 1024 };

typedef struct {
    krb_session       *session;
    const sec_message *message;
} late_trial;

static bool try_subkey(const key_entry *entry, void *data)
{
    late_trial *t = data;
    const uint8_t *plain;
    if (t->session->late++ >= LATE_TRIALS)
        return false;
    gss_key *key = gss_key_new(entry->etype, entry->octets, entry->length);
    if (!key || gss_open(key, t->session->env, t->message, &plain) != GSS_HOLDS) {
        gss_key_free(key);
        return false;
    }
    gss_key_free(t->session->keys[ACCEPTOR]);
    t->session->keys[ACCEPTOR] = key; /* which side made it does not matter any more */
    return true;
}

/* The handshake gave no key, or is missing: a subkey, or a ticket's session key may open the PDU. The checksum proves. */
static bool open_late(krb_session *session, const sec_message *message)
{
    late_trial t = {session, message};
    mech_env *env = session->env;
    size_t subkeys = 0, tickets = 0;
    if (message->captured < message_length(message) || session->late >= LATE_TRIALS)
        return false;
    const key_entry *entry = keyring_try_session(env->ring, KEY_SUBKEY, 0, try_subkey, &t, &subkeys);
    if (!entry)
        entry = keyring_try_session(env->ring, KEY_TICKET, 0, try_subkey, &t, &tickets);
    if (!entry)
        return false;
    env->facts.mechanism = SEC_MECH_KERBEROS;
    env->facts.mechanism_text = "Kerberos";
    mech_have_key(env, entry, subkeys + tickets, MECH_BY_SIGNATURE);
    return true;
}

sec_verdict krb_open(krb_session *session, const sec_message *message, uint8_t *plain)
{
    mech_env *env = session->env;
    const uint8_t *opened = NULL;
    if (!env->facts.have_key && !open_late(session, message))
        return mech_refuse_keyless(env, message);
    if (message->captured < message_length(message))
        return mech_refuse(env, message, SEC_CUT, "the capture cut this PDU: capture whole packets (snap length 0)");
    gss_outcome outcome = try_keys(session, message, &opened);
    if (outcome == GSS_FAILS && !session->keys[ACCEPTOR]
        && gss_acceptor_subkey(message_token(message), message->token_length) && open_late(session, message))
        outcome = try_keys(session, message, &opened); /* the AP-REP is missing, but its subkey was given */
    if (outcome != GSS_HOLDS && message->level == SEC_LEVEL_CONNECT)
        return (sec_verdict){SEC_PLAIN, SEC_OK, NULL};
    if (outcome != GSS_HOLDS)
        return refuse(session, message, outcome);
    if (message->level == SEC_LEVEL_PRIVACY && message->body_length)
        memcpy(plain, opened, message->body_length);
    return (sec_verdict){SEC_VERIFIED, SEC_OK, NULL};
}
