/* context.c - one sealed conversation: finds the mechanism, hands it tokens and PDUs, keeps the facts.
 * Implements [MS-RPCE] 3.3.1.5.2, [MS-SPNG] 3.1.5.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/context.h"

#include <string.h>

#include "keys/gss_wrap.h"
#include "keys/kerberos.h"
#include "keys/mechanism.h"
#include "keys/ntlmssp.h"
#include "keys/spnego.h"

/* A PDU's frag_length has 16 bits; what is reassembled from more than that is none. */
enum { PIECE_MAX = 1 << 20 };
enum { SESSION_KEY_LENGTH = 16 };

struct sec_context {
    mech_env      env;
    uint8_t       auth_type;
    bool          client_spoke; /* the first client token was seen */
    ntlm_session *ntlm;         /* made with the first token of the mechanism */
    krb_session  *krb;
};

const char *sec_state_name(sec_state state)
{
    static const char *const names[] = {"plain", "verified", "unverified", "sealed"};
    return names[state];
}

const char *sec_reason_name(sec_reason reason)
{
    static const char *const names[] = {NULL,   "no-handshake", "no-key",      "wrong-key", "bad-signature",
                                        "cut",  "lost",         "unsupported", "malformed"};
    return names[reason];
}

/* ---- what the mechanisms use ---- */

static const char *keep_v(mech_env *env, const char *format, va_list arguments)
{
    if (!strchr(format, '%'))
        return format; /* formats are literals */
    char *text = g_strdup_vprintf(format, arguments);
    if (!env->strings)
        env->strings = g_string_chunk_new(256);
    const char *kept = g_string_chunk_insert_const(env->strings, text);
    g_free(text);
    return kept;
}

const char *mech_keep(mech_env *env, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *kept = keep_v(env, format, arguments);
    va_end(arguments);
    return kept;
}

void mech_no_key(mech_env *env, sec_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    env->entry = NULL;
    env->facts.have_key = false;
    env->facts.key_origin = env->facts.key_proof = NULL;
    env->facts.key_reason = reason;
    env->facts.key_text = keep_v(env, format, arguments);
    va_end(arguments);
}

void mech_have_key(mech_env *env, const key_entry *entry, size_t tried, mech_proof proof)
{
    char *origin = entry ? keyring_describe(env->ring, entry) : NULL;
    env->entry = entry;
    env->facts.have_key = true;
    env->facts.key_origin = origin ? mech_keep(env, "%s", origin) : NULL;
    env->facts.key_proof = proof == MECH_BY_HANDSHAKE ? "proven by the handshake" : "proven by the signature of a PDU";
    env->facts.keys_tried = tried;
    g_free(origin);
    env->facts.key_reason = SEC_OK;
    env->facts.key_text = NULL;
}

void mech_session_key(mech_env *env, const uint8_t *key, size_t length)
{
    if (!env->session_key)
        env->session_key = crypto_alloc(SESSION_KEY_LENGTH);
    memset(env->session_key, 0, SESSION_KEY_LENGTH);
    memcpy(env->session_key, key, MIN(length, (size_t)SESSION_KEY_LENGTH));
}

bool sec_context_session_key(const sec_context *context, uint8_t key[16])
{
    if (!context->env.session_key)
        return false;
    memcpy(key, context->env.session_key, SESSION_KEY_LENGTH);
    return true;
}

const key_entry *sec_context_key(const sec_context *context)
{
    return context->env.entry;
}

static sec_state refused_state(const sec_message *message)
{
    return message->level == SEC_LEVEL_PRIVACY ? SEC_SEALED : SEC_UNVERIFIED;
}

sec_verdict mech_refuse(mech_env *env, const sec_message *message, sec_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sec_verdict verdict = {refused_state(message), reason, keep_v(env, format, arguments)};
    va_end(arguments);
    return verdict;
}

sec_verdict mech_refuse_keyless(mech_env *env, const sec_message *message)
{
    return (sec_verdict){refused_state(message), env->facts.key_reason, env->facts.key_text};
}

uint8_t *mech_scratch(mech_env *env, size_t length)
{
    if (length > env->scratch_size) {
        crypto_wipe(env->scratch, env->scratch_size);
        g_free(env->scratch);
        env->scratch = g_malloc(length);
        env->scratch_size = length;
    }
    return env->scratch ? env->scratch : (env->scratch = g_malloc(1));
}

/* ---- the context ---- */

sec_context *sec_context_new(const keyring *ring, uint8_t auth_type)
{
    sec_context *context = g_new0(sec_context, 1);
    mech_env *env = &context->env;
    env->ring = ring;
    env->facts.mechanism_text = "unknown";
    context->auth_type = auth_type;
    mech_no_key(env, SEC_NO_HANDSHAKE, "the bind is not in the capture: start capturing before the connection is made");
    if (auth_type != SEC_AUTH_SPNEGO && auth_type != SEC_AUTH_NTLM && auth_type != SEC_AUTH_KERBEROS) {
        env->facts.mechanism = SEC_MECH_OTHER;
        env->facts.mechanism_text = auth_type == SEC_AUTH_SCHANNEL ? "Schannel"
                                  : auth_type == SEC_AUTH_NETLOGON ? "Netlogon"
                                                                   : mech_keep(env, "auth type %u", auth_type);
        mech_no_key(env, SEC_UNSUPPORTED, "%s is no mechanism that this build opens", env->facts.mechanism_text);
    }
    return context;
}

void sec_context_free(sec_context *context)
{
    if (!context)
        return;
    ntlm_free(context->ntlm);
    krb_free(context->krb);
    if (context->env.strings)
        g_string_chunk_free(context->env.strings);
    crypto_wipe(context->env.scratch, context->env.scratch_size);
    g_free(context->env.scratch);
    crypto_free(context->env.session_key);
    g_free(context);
}

void sec_context_header_signing(sec_context *context, bool on)
{
    context->env.header_signing = on;
}

const sec_facts *sec_context_facts(const sec_context *context)
{
    return &context->env.facts;
}

/* A mechanism's own token; the content tells which, for SPNEGO's choice and its optimistic token may differ. */
static bool take_mechanism_token(sec_context *context, const uint8_t *token, size_t length, bool from_client,
                                 bool whole)
{
    sec_facts *facts = &context->env.facts;
    if (ntlm_recognise(token, length)) {
        if (facts->mechanism != SEC_MECH_NTLM)
            facts->mechanism_text = "NTLM";
        facts->mechanism = SEC_MECH_NTLM;
        if (!context->ntlm)
            context->ntlm = ntlm_new(&context->env);
        ntlm_token(context->ntlm, token, length, whole);
        return true;
    }
    if (krb_recognise(token, length)) {
        facts->mechanism = SEC_MECH_KERBEROS;
        facts->mechanism_text = "Kerberos";
        if (!context->krb)
            context->krb = krb_new(&context->env);
        krb_token(context->krb, token, length, from_client, whole);
        return true;
    }
    return false;
}

static void take_spnego(sec_context *context, const uint8_t *token, size_t length, bool from_client, bool whole)
{
    mech_env *env = &context->env;
    spnego_message message;
    if (!spnego_parse(token, length, &message)) {
        if (!env->facts.have_key && !whole)
            mech_no_key(env, SEC_CUT, "a SPNEGO token of the bind was cut by the capture: capture whole packets (snap"
                        " length 0)");
        else if (!env->facts.have_key)
            mech_no_key(env, SEC_MALFORMED, "a SPNEGO token of the bind cannot be read");
        return;
    }
    env->facts.kerberos_offered |= from_client && message.kerberos;
    env->mech_list_mic |= message.mech_list_mic;
    if (message.token && message.token_length)
        take_mechanism_token(context, message.token, message.token_length, from_client, true);
    else if (message.neg_state == SPNEGO_REJECT && !env->facts.have_key)
        mech_no_key(env, SEC_NO_HANDSHAKE, "the server rejected the negotiation of a mechanism (SPNEGO)");
}

void sec_context_token(sec_context *context, const uint8_t *token, size_t length, bool from_client, bool whole)
{
    mech_env *env = &context->env;
    if (!length || env->facts.mechanism == SEC_MECH_OTHER)
        return;
    bool spnego = spnego_recognise(token, length);
    bool first = from_client && !context->client_spoke;
    context->client_spoke |= from_client;
    if (first)
        env->facts.spnego = spnego;
    if (spnego) {
        take_spnego(context, token, length, from_client, whole);
        return;
    }
    bool taken = take_mechanism_token(context, token, length, from_client, whole);
    if (first && taken)
        env->facts.spnego_missing = context->auth_type == SEC_AUTH_SPNEGO;
    if (!taken && !env->facts.have_key)
        mech_no_key(env, whole ? SEC_MALFORMED : SEC_CUT, "a token of the bind %s", whole
                    ? "is neither SPNEGO's nor NTLM's nor Kerberos'"
                    : "was cut by the capture: capture whole packets (snap length 0)");
}

/* No bind: the token tells the mechanism, and a session key of it may still open the PDU. */
static sec_verdict open_late(sec_context *context, const sec_message *message, uint8_t *plain)
{
    mech_env *env = &context->env;
    if (message->captured < message_length(message))
        return mech_refuse_keyless(env, message);
    if (gss_recognise(message_token(message), message->token_length)) {
        if (!context->krb)
            context->krb = krb_new(env);
        return krb_open(context->krb, message, plain);
    }
    if (context->auth_type == SEC_AUTH_KERBEROS)
        return mech_refuse_keyless(env, message);
    if (!context->ntlm)
        context->ntlm = ntlm_new(env);
    return ntlm_open(context->ntlm, message, plain);
}

static sec_verdict open_pdu(sec_context *context, const sec_message *message, uint8_t *plain)
{
    static const sec_verdict unprotected = {SEC_PLAIN, SEC_OK, NULL};
    mech_env *env = &context->env;
    if (message->level <= SEC_LEVEL_NONE)
        return unprotected;
    if (message->header_length > PIECE_MAX || message->body_length > PIECE_MAX || message->token_length > PIECE_MAX
        || message->level > SEC_LEVEL_PRIVACY)
        return mech_refuse(env, message, SEC_MALFORMED, "the PDU's auth level or lengths make no sense");
    if (!message->token_length && message->level < SEC_LEVEL_PRIVACY)
        return unprotected;
    if (!message->token_length)
        return mech_refuse(env, message, SEC_MALFORMED, "the PDU is said to be sealed, but has no token");
    switch (env->facts.mechanism) {
    case SEC_MECH_NTLM:     return ntlm_open(context->ntlm, message, plain);
    case SEC_MECH_KERBEROS: return krb_open(context->krb, message, plain);
    case SEC_MECH_UNKNOWN:
        if (context->client_spoke)
            break;
        return open_late(context, message, plain);
    case SEC_MECH_OTHER:    break;
    }
    return mech_refuse_keyless(env, message);
}

sec_verdict sec_context_open(sec_context *context, const sec_message *message, uint8_t *plain)
{
    context->env.sequence_known = false;
    sec_verdict verdict = open_pdu(context, message, plain);
    context->env.facts.pdus_verified += verdict.state == SEC_VERIFIED;
    context->env.facts.pdus_refused += verdict.state == SEC_SEALED || verdict.state == SEC_UNVERIFIED;
    return verdict;
}

bool sec_context_sequence(const sec_context *context, const uint8_t *token, size_t length, uint64_t *sequence)
{
    const sec_facts *facts = &context->env.facts;
    *sequence = 0;
    if (facts->mechanism == SEC_MECH_NTLM && length == 16 && (!facts->ntlm_authenticate || facts->ntlm_flags & NTLM_ESS)) {
        for (int i = 15; i >= 12; i--)
            *sequence = *sequence << 8 | token[i];
        return true;
    }
    if (facts->mechanism == SEC_MECH_KERBEROS && length >= 16 && token[1] == 4 && (token[0] == 5 || token[0] == 4)) {
        for (int i = 8; i < 16; i++)
            *sequence = *sequence << 8 | token[i];
        return true;
    }
    if (facts->mechanism == SEC_MECH_KERBEROS && context->env.sequence_known) {
        *sequence = context->env.sequence;
        return true;
    }
    return false;
}
