/* learn.c - from a user's key through AS-REP and TGS-REP to the session keys of tickets.
 * Implements [RFC 4120] 5.4 and 7.5.1 (key usages), 5.2.7.5 (ETYPE-INFO2); [RFC 6113] 5.4 as far as a TGS-REP needs it, whose armor is
 * its own request. An AS-REP under FAST is sealed with another ticket's key as well, and stays closed.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/learn.h"

#include <string.h>

#include "keys/crypto.h"
#include "keys/der.h"
#include "keys/etype.h"
#include "keys/kerberos.h"

/* RECENT: a reply follows its request closely, and among so many keys learnt last is the one that opens it. CLIENTS: how many clients'
 * keys are kept beside those; a capture with more begins anew. */
enum {
    TAG_AS_REP = 0x6b, TAG_TGS_REQ = 0x6c, TAG_TGS_REP = 0x6d, PA_TGS_REQ = 1, PA_ETYPE_INFO2 = 19, PA_FX_FAST = 136, PADATA_MAX = 32,
    USAGE_AS_REP = 3, USAGE_TGS_REQ = 7, USAGE_TGS_REP_SESSION = 8, USAGE_TGS_REP_SUBKEY = 9, USAGE_FAST_REP = 52,
    RECENT = 64, CLIENTS = 65536
};

/* A session key of a ticket-granting ticket, or a subkey of a TGS-REQ. */
typedef struct {
    int32_t          etype;
    uint8_t         *octets; /* secure memory */
    size_t           length;
    uint32_t         usage;  /* of the TGS-REP it opens */
    uint8_t         *armor;  /* of a subkey: FAST's armor key, of the same etype, in secure memory; NULL */
    const key_entry *origin; /* the user's key that all began with */
} learnt_key;

struct krb_learner {
    const keyring *ring;
    learnt_key     recent[RECENT];
    unsigned       next;    /* place in `recent` */
    GHashTable    *clients; /* "alice@CORP.EXAMPLE" -> learnt_key of the last ticket-granting ticket */
};

static void clear_key(learnt_key *key)
{
    crypto_free(key->octets);
    crypto_free(key->armor);
    *key = (learnt_key){0};
}

static void free_key(gpointer data)
{
    clear_key(data);
    g_free(data);
}

static uint8_t *copy_octets(const uint8_t *octets, size_t length)
{
    return octets ? memcpy(crypto_alloc(length + 1), octets, length) : NULL;
}

static learnt_key copy_key(const learnt_key *key)
{
    learnt_key copy = *key;
    copy.octets = copy_octets(key->octets, key->length);
    copy.armor = copy_octets(key->armor, key->length);
    return copy;
}

krb_learner *krb_learner_new(const keyring *ring)
{
    krb_learner *learner = g_new0(krb_learner, 1);
    learner->ring = ring;
    learner->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_key);
    return learner;
}

void krb_learner_free(krb_learner *learner)
{
    if (!learner)
        return;
    for (unsigned i = 0; i < RECENT; i++)
        clear_key(&learner->recent[i]);
    g_hash_table_unref(learner->clients);
    g_free(learner);
}

static void remember_recent(krb_learner *learner, const learnt_key *key)
{
    learnt_key *place = &learner->recent[learner->next++ % RECENT];
    clear_key(place);
    *place = copy_key(key);
}

/* Keys are wiped by whoever read them. */
static bool read_key(asn1_node node, const char *path, learnt_key *key)
{
    char at[64];
    int64_t etype = 0;
    g_snprintf(at, sizeof at, "%s.keytype", path);
    bool known = der_integer(node, at, &etype);
    g_snprintf(at, sizeof at, "%s.keyvalue", path);
    key->etype = (int32_t)etype;
    key->octets = known ? der_secret(node, at, &key->length) : NULL;
    return key->octets != NULL;
}

/* ---- replies ---- */

typedef struct {
    int32_t  etype;
    uint8_t *cipher, *plain;
    size_t   length, plain_length;
    uint32_t usage;
    uint8_t *fast;   /* FAST's answer beside it; NULL */
    size_t   fast_length;
} sealed_part;

static bool try_user_key(const key_entry *entry, void *user)
{
    sealed_part *part = user;
    part->plain = etype_decrypt(part->etype, entry->octets, entry->length, part->usage, part->cipher, part->length,
                                &part->plain_length);
    return part->plain != NULL;
}

/* The value of a kind of PA-DATA, for g_free; NULL: there is none. */
static uint8_t *padata_of(asn1_node reply, int64_t wanted, size_t *length)
{
    uint8_t *value = NULL;
    for (unsigned i = 1; i <= PADATA_MAX && !value; i++) {
        char path[48];
        int64_t type;
        g_snprintf(path, sizeof path, "padata.?%u.padata-type", i);
        if (!der_integer(reply, path, &type))
            break;
        g_snprintf(path, sizeof path, "padata.?%u.padata-value", i);
        value = type == wanted ? der_octets(reply, path, length) : NULL;
    }
    return value;
}

/* The key that FAST's answer, opened with the armor key, strengthens the reply's key with; false: it does not open, or has none. */
static bool read_strengthening(const learnt_key *key, const sealed_part *part, learnt_key *strengthening)
{
    int64_t etype;
    size_t length, plain_length;
    asn1_node fast = der_open(krb5_asn1_tab, "KRB5.PA-FX-FAST-REPLY", part->fast, part->fast_length);
    uint8_t *cipher = fast && der_integer(fast, "enc-fast-rep.etype", &etype) && etype == key->etype
                    ? der_octets(fast, "enc-fast-rep.cipher", &length) : NULL;
    uint8_t *plain = cipher ? etype_decrypt(key->etype, key->armor, key->length, USAGE_FAST_REP, cipher, length, &plain_length) : NULL;
    asn1_node answer = plain ? der_open(krb5_asn1_tab, "KRB5.KrbFastResponse", plain, plain_length) : NULL;
    bool known = answer && read_key(answer, "strengthen-key", strengthening) &&
                 strengthening->length == etype_key_length(strengthening->etype);
    der_close(answer);
    crypto_free(plain);
    g_free(cipher);
    der_close(fast);
    return known;
}

static bool try_octets(sealed_part *part, const uint8_t *octets, size_t length, uint32_t usage)
{
    part->plain = etype_decrypt(part->etype, octets, length, usage, part->cipher, part->length, &part->plain_length);
    return part->plain != NULL;
}

static bool try_learnt(const learnt_key *key, sealed_part *part)
{
    learnt_key strengthening = {0};
    if (!key || !key->octets || key->etype != part->etype)
        return false;
    if (part->fast && key->armor && read_strengthening(key, part, &strengthening)) {
        uint8_t *strong = crypto_alloc(etype_key_length(strengthening.etype));
        bool opened = etype_combine(strengthening.etype, strengthening.octets, "strengthenkey", key->etype, key->octets, "replykey", strong) &&
                      try_octets(part, strong, etype_key_length(strengthening.etype), key->usage);
        crypto_free(strong);
        clear_key(&strengthening);
        return opened;
    }
    clear_key(&strengthening);
    return try_octets(part, key->octets, key->length, key->usage);
}

/* The salt that the KDC names for this etype, for g_free; NULL: none, so that the usual one holds. */
static char *salt_of(asn1_node reply, int32_t wanted)
{
    char *salt = NULL;
    size_t length;
    uint8_t *value = padata_of(reply, PA_ETYPE_INFO2, &length);
    asn1_node info = value ? der_open(krb5_asn1_tab, "KRB5.ETYPE-INFO2", value, length) : NULL;
    for (unsigned i = 1; info && i <= PADATA_MAX && !salt; i++) {
        char path[24];
        int64_t etype;
        g_snprintf(path, sizeof path, "?%u.etype", i);
        if (!der_integer(info, path, &etype))
            break;
        g_snprintf(path, sizeof path, "?%u.salt", i);
        salt = etype == wanted ? der_text(info, path) : NULL;
    }
    der_close(info);
    g_free(value);
    return salt;
}

/* The ticket's session key, and the ticket with it. */
static void take_reply(krb_learner *learner, asn1_node reply, const sealed_part *part, const char *client, const key_entry *origin,
                       bool of_kdc)
{
    learnt_key key = {.usage = USAGE_TGS_REP_SESSION, .origin = origin};
    size_t length;
    asn1_node inner = der_open(krb5_asn1_tab, "KRB5.EncASRepPart", part->plain, part->plain_length);
    if (!inner) /* some KDCs tag both alike ([RFC 4120] 5.4.2) */
        inner = der_open(krb5_asn1_tab, "KRB5.EncTGSRepPart", part->plain, part->plain_length);
    uint8_t *ticket = der_octets(reply, "ticket.enc-part.cipher", &length);
    if (inner && ticket && read_key(inner, "key", &key)) {
        krb_remember_ticket(learner->ring, ticket, length, key.etype, key.octets, key.length, client, origin);
        char *service = der_principal(inner, "sname");
        if (of_kdc || (service && g_str_has_prefix(service, "krbtgt/"))) {
            remember_recent(learner, &key);
            if (g_hash_table_size(learner->clients) >= CLIENTS)
                g_hash_table_remove_all(learner->clients);
            learnt_key *kept = g_new(learnt_key, 1);
            *kept = copy_key(&key);
            g_hash_table_replace(learner->clients, g_strdup(client), kept);
        }
        g_free(service);
    }
    crypto_free(key.octets);
    g_free(ticket);
    der_close(inner);
}

static const key_entry *open_as_rep(krb_learner *learner, asn1_node reply, sealed_part *part, const char *name, const char *realm)
{
    char *salt = salt_of(reply, part->etype);
    part->usage = USAGE_AS_REP;
    const key_entry *entry = keyring_try_client(learner->ring, name, realm, salt, part->etype, try_user_key, part);
    g_free(salt);
    return entry;
}

static const key_entry *open_tgs_rep(krb_learner *learner, sealed_part *part, const char *client)
{
    for (unsigned i = 1; i <= RECENT; i++) { /* the last one first */
        const learnt_key *key = &learner->recent[(learner->next - i) % RECENT];
        if (try_learnt(key, part))
            return key->origin;
    }
    const learnt_key *key = g_hash_table_lookup(learner->clients, client);
    return try_learnt(key, part) ? key->origin : NULL;
}

static void take_kdc_rep(krb_learner *learner, const uint8_t *octets, size_t length, bool as)
{
    int64_t etype;
    sealed_part part = {0};
    asn1_node reply = der_open(krb5_asn1_tab, as ? "KRB5.AS-REP" : "KRB5.TGS-REP", octets, length);
    if (!reply)
        return;
    char *name = der_principal(reply, "cname"), *realm = der_text(reply, "crealm");
    part.cipher = der_integer(reply, "enc-part.etype", &etype) ? der_octets(reply, "enc-part.cipher", &part.length) : NULL;
    if (name && realm && part.cipher) {
        char *client = g_strdup_printf("%s@%s", name, realm);
        part.etype = (int32_t)etype;
        part.fast = as ? NULL : padata_of(reply, PA_FX_FAST, &part.fast_length);
        const key_entry *origin = as ? open_as_rep(learner, reply, &part, name, realm) : open_tgs_rep(learner, &part, client);
        if (part.plain)
            take_reply(learner, reply, &part, client, origin, as);
        g_free(client);
    }
    crypto_free(part.plain);
    g_free(part.cipher);
    g_free(part.fast);
    g_free(name);
    g_free(realm);
    der_close(reply);
}

/* ---- requests ---- */

/* The AP-REQ in a TGS-REQ, for g_free. */
static uint8_t *ap_req_of(const uint8_t *octets, size_t length, size_t *ap_req_length)
{
    asn1_node request = der_open(krb5_asn1_tab, "KRB5.TGS-REQ", octets, length);
    uint8_t *found = request ? padata_of(request, PA_TGS_REQ, ap_req_length) : NULL;
    der_close(request);
    return found;
}

/* The subkey in its authenticator is what the reply is sealed in. */
static void take_tgs_req(krb_learner *learner, const uint8_t *octets, size_t length)
{
    size_t ap_length, plain_length;
    uint8_t *ap_octets = ap_req_of(octets, length, &ap_length);
    learnt_key key = {.usage = USAGE_TGS_REP_SUBKEY};
    krb_ap_req found = {0};
    uint8_t *plain = ap_octets ? krb_open_ap_req(learner->ring, ap_octets, ap_length, USAGE_TGS_REQ, &plain_length, &found) : NULL;
    asn1_node authenticator = plain ? der_open(krb5_asn1_tab, "KRB5.Authenticator", plain, plain_length) : NULL;
    if (authenticator && read_key(authenticator, "subkey", &key) && key.length == etype_key_length(key.etype)) {
        key.origin = found.origin;
        key.armor = crypto_alloc(key.length + 1);
        if (!etype_combine(key.etype, key.octets, "subkeyarmor", found.etype, found.session_key, "ticketarmor", key.armor)) {
            crypto_free(key.armor);
            key.armor = NULL;
        }
        remember_recent(learner, &key);
    }
    clear_key(&key);
    der_close(authenticator);
    crypto_free(plain);
    g_free(ap_octets);
}

void krb_learner_message(krb_learner *learner, const uint8_t *octets, size_t length)
{
    if (!length || keyring_count(learner->ring) == 0)
        return;
    if (octets[0] == TAG_TGS_REQ)
        take_tgs_req(learner, octets, length);
    else if (octets[0] == TAG_AS_REP || octets[0] == TAG_TGS_REP)
        take_kdc_rep(learner, octets, length, octets[0] == TAG_AS_REP);
}
