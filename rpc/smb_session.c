/* smb_session.c - SMB2 sessions being set up.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/smb_session.h"

#include <string.h>

static const uint32_t STATUS_MORE_PROCESSING_REQUIRED = 0xc0000016;
/* Exchanges whose end is not in the capture would pile up. */
enum { EXCHANGES_LIMIT = 1 << 16 };

/* A first request has no session id yet and is found again by its message id; from its response on by the session's. */
typedef struct {
    uint64_t connection, number;
    uint64_t by_session;
} exchange_key;

struct smb_sessions {
    const keyring *ring;
    GHashTable    *exchanges; /* exchange_key -> sec_context */
};

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

static void context_free(void *p)
{
    sec_context_free(p);
}

smb_sessions *smb_sessions_new(const keyring *ring)
{
    smb_sessions *s = g_new0(smb_sessions, 1);
    s->ring = ring;
    s->exchanges = g_hash_table_new_full(key_hash, key_equal, g_free, context_free);
    return s;
}

void smb_sessions_free(smb_sessions *s)
{
    if (!s)
        return;
    g_hash_table_unref(s->exchanges);
    g_free(s);
}

static sec_context *take(smb_sessions *s, const exchange_key *key)
{
    gpointer stored_key, context;
    if (!g_hash_table_steal_extended(s->exchanges, key, &stored_key, &context))
        return NULL;
    g_free(stored_key);
    return context;
}

static void put(smb_sessions *s, const exchange_key *key, sec_context *context)
{
    if (g_hash_table_size(s->exchanges) >= EXCHANGES_LIMIT) {
        sec_context_free(context);
        return;
    }
    g_hash_table_replace(s->exchanges, g_memdup2(key, sizeof *key), context);
}

bool smb_sessions_setup(smb_sessions *s, uint64_t connection, uint64_t message, uint64_t session, bool from_client,
                        uint32_t status, const uint8_t *token, size_t length, uint8_t key[16], const key_entry **ntlm)
{
    *ntlm = NULL;
    const exchange_key by_message = {connection, message, 0}, by_session = {connection, session, 1};
    sec_context *context = take(s, from_client ? &by_session : &by_message);
    if (!context && from_client)
        context = sec_context_new(s->ring, SEC_AUTH_SPNEGO);
    if (!context)
        return false;
    if (length > 0)
        sec_context_token(context, token, length, from_client, true);
    if (from_client) {
        if (sec_context_facts(context)->ntlm_authenticate)
            *ntlm = sec_context_key(context);
        put(s, &by_message, context);
        return false;
    }
    if (status == STATUS_MORE_PROCESSING_REQUIRED) {
        put(s, &by_session, context);
        return false;
    }
    bool known = status == 0 && sec_context_session_key(context, key);
    sec_context_free(context);
    return known;
}
