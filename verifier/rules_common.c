/* rules_common.c - what the rules of several protocols share.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/rules_common.h"

#include <string.h>

const char ic_nohandshake[] = "IC-NOHANDSHAKE", ic_encrypted[] = "IC-ENCRYPTED", ic_one_way[] = "IC-ONE-WAY",
           ic_truncated[] = "IC-TRUNCATED", ic_internal[] = "IC-INTERNAL", ic_cache[] = "IC-CACHE", ic_config[] = "IC-CONFIG";

/* -------------------------------------------------------------------------------------------------------- findings */

/* An association without any security context is told by its number: unlike an rpc_auth it may be freed, and its address used
 * again, before the capture ends. */
const void *rule_context_key(const rpc_call *call, const rpc_message *message)
{
    return message->auth ? (const void *)message->auth : GSIZE_TO_POINTER((gsize)call->association->number);
}

static char *method_text(const rpc_call *call)
{
    return call->method ? g_strdup(call->method->name) : g_strdup_printf("opnum %u", call->opnum);
}

static const char *subject_of(const rpc_call *call)
{
    return call->method ? call->method->name : NULL;
}

/* About the request or the response of a call. */
static void G_GNUC_PRINTF(8, 0) find_about(verifier *v, const rule *self, const rpc_call *call, const rpc_message *m,
                                           rule_verdict verdict, const char *reason, const void *key, const char *format,
                                           va_list arguments)
{
    const char *client = call->association->client, *server = call->association->server;
    if (verifier_find_again(v, self, verdict, reason, key, m->last_frame, subject_of(call)))
        return;
    char *rest = g_strdup_vprintf(format, arguments), *method = method_text(call);
    char *message = m == &call->request ? g_strdup_printf("%s sent %s to %s %s", client, method, server, rest)
                                        : g_strdup_printf("%s answered %s of %s %s", server, method, client, rest);
    verifier_find_about(v, self, verdict, reason, key, m->last_frame, subject_of(call), message);
    g_free(message);
    g_free(method);
    g_free(rest);
}

void rule_find_request(verifier *v, const rule *self, const rpc_call *call, rule_verdict verdict, const char *reason,
                       const void *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    find_about(v, self, call, &call->request, verdict, reason, key, format, arguments);
    va_end(arguments);
}

void rule_find_response(verifier *v, const rule *self, const rpc_call *call, rule_verdict verdict, const char *reason,
                        const void *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    find_about(v, self, call, &call->response, verdict, reason, key, format, arguments);
    va_end(arguments);
}

bool rule_is_request(verifier *v, const rule *self, const rpc_call *call, bool response)
{
    if (response && call->request.kind == RPC_NONE)
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_one_way, rule_context_key(call, &call->response),
                      call->response.last_frame, "%s answered a %s call of %s whose request is not in the capture",
                      call->association->server, call->interface->name, call->association->client);
    return !response && call->method;
}

/* Of a datagram the header tells the mechanism, and the trailer alone the level, which stays 0 where it is cut off. */
bool rule_is_trailer_cut(const rpc_message *message)
{
    return message->reason == SEC_CUT && (!message->auth || message->level < SEC_LEVEL_NONE);
}

bool rule_is_trailer_known(verifier *v, const rule *self, const rpc_call *call)
{
    bool cut = rule_is_trailer_cut(&call->request);
    if (cut)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, rule_context_key(call, &call->request),
                          "in a packet whose security trailer the snap length cut off");
    return !cut;
}

const char *rule_unread(const rpc_message *m, const char **reason)
{
    bool sealed = m->state == SEC_SEALED && m->reason != SEC_CUT;
    *reason = sealed && m->complete ? ic_encrypted : ic_truncated;
    if (!m->complete)
        return "its first fragment is not in the capture";
    if (sealed)
        return m->text ? m->text : "no key opens it";
    if (m->reason == SEC_CUT || (m->stub && m->stub->len < m->reported))
        return "the snap length cut it: capture whole packets";
    return "its stub does not fit the method's parameters";
}

size_t rule_address_length(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');
    return port ? (size_t)(port - endpoint) : strlen(endpoint);
}

bool rule_same_address(const char *a, const char *b)
{
    size_t length = rule_address_length(a);
    return length == rule_address_length(b) && strncmp(a, b, length) == 0;
}

GHashTable *rule_table(GDestroyNotify free_value)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_value);
}

uint64_t *rule_number(uint64_t number)
{
    return g_memdup2(&number, sizeof number);
}

/* ------------------------------------------------------------------------------------------------ security contexts */

/* At level CONNECT requests have no sec_trailer; the security context they belong to is judged. */
void rule_check_spnego(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!rule_is_request(v, self, call, response) || !rule_is_trailer_known(v, self, call))
        return;
    const rpc_auth *auth = call->request.auth;
    const void *key = rule_context_key(call, &call->request);
    if (!auth)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, key,
                          "without an RPC security context; SPNEGO (auth_type 9) is required");
    else if (auth->auth_type != SEC_AUTH_SPNEGO)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, key, "with auth_type %u (%s); SPNEGO (9) is required",
                          auth->auth_type, rpc_auth_type_name(auth->auth_type));
    else if (sec_context_facts(auth->security)->spnego_missing)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, key,
                          "with auth_type 9 (SPNEGO), but the first token of its bind is bare %s, not framed by SPNEGO",
                          sec_context_facts(auth->security)->mechanism_text);
    else
        verifier_pass(v, self);
}

void rule_check_privacy(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!rule_is_request(v, self, call, response) || !rule_is_trailer_known(v, self, call))
        return;
    const rpc_message *m = &call->request;
    if (m->level >= SEC_LEVEL_PRIVACY)
        verifier_pass(v, self);
    else if (!m->auth)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, rule_context_key(call, m),
                          "without an RPC security context; packet privacy (6) is required");
    else
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, rule_context_key(call, m),
                          "with auth_level %u (%s); packet privacy (6) is required", m->level, rpc_auth_level_name(m->level));
}

const sec_facts *rule_facts(verifier *v, const rule *self, const rpc_call *call, bool response)
{
    if (!rule_is_request(v, self, call, response) || !rule_is_trailer_known(v, self, call))
        return NULL;
    const rpc_auth *auth = call->request.auth;
    if (!auth) {
        verifier_not_applicable(v, self, "the calls were made without an RPC security context");
        return NULL;
    }
    const sec_facts *facts = sec_context_facts(auth->security);
    if (facts->mechanism == SEC_MECH_NTLM || (facts->mechanism == SEC_MECH_KERBEROS && facts->ap_req))
        return facts;
    if (facts->mechanism == SEC_MECH_OTHER)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_internal, auth,
                          "with %s, whose handshake does not show it", facts->mechanism_text);
    else if (facts->key_reason == SEC_CUT)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, auth,
                          "in a security context whose handshake the snap length cut");
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, auth,
                          auth->bound ? "in a security context whose handshake could not be followed" :
                                        "in a security context whose handshake is not in the capture");
    return NULL;
}

enum { NTLM_IDENTIFY = 0x00100000 };                    /* [MS-NLMP] 2.2.2.5 */
enum { GSS_DELEG = 0x00000001, GSS_IDENTIFY = 0x2000 }; /* [RFC 4121] 4.1.1.1, [RFC 4757] 7.1 */

bool rule_is_impersonation_other(const sec_facts *facts)
{
    if (facts->mechanism == SEC_MECH_NTLM)
        return facts->ntlm_authenticate && (facts->ntlm_flags & NTLM_IDENTIFY);
    return facts->gss_flags_known && (facts->gss_flags & (GSS_IDENTIFY | GSS_DELEG));
}

/* NTLM cannot delegate, so that IMPERSONATE is what is left when IDENTIFY is clear. */
static void check_impersonation_ntlm(verifier *v, const rule *self, const rpc_call *call, const sec_facts *facts)
{
    const rpc_auth *auth = call->request.auth;
    if (!facts->ntlm_authenticate)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, auth,
                          "with NTLM, whose AUTHENTICATE message is not in the capture");
    else if (facts->ntlm_flags & NTLM_IDENTIFY)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, auth,
                          "with impersonation level IDENTIFY (NTLM flags 0x%08X hold 0x00100000); IMPERSONATE is required",
                          facts->ntlm_flags);
    else if (facts->anonymous)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, auth,
                          "with an anonymous NTLM logon (flags 0x%08X), which leaves nobody to impersonate",
                          facts->ntlm_flags);
    else
        verifier_pass(v, self);
}

void rule_check_impersonation(verifier *v, const rule *self, const rpc_call *call, const sec_facts *facts)
{
    const rpc_auth *auth = call->request.auth;
    if (facts->mechanism == SEC_MECH_NTLM)
        check_impersonation_ntlm(v, self, call, facts);
    else if (!facts->gss_flags_known)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_encrypted, auth,
                          "with Kerberos, whose authenticator is not opened%s%s", facts->key_text ? ": " : "",
                          facts->key_text ? facts->key_text : "");
    else if (facts->gss_flags & (GSS_IDENTIFY | GSS_DELEG))
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, auth,
                          "with impersonation level %s (GSS flags 0x%08X hold 0x%X); IMPERSONATE is required",
                          facts->gss_flags & GSS_IDENTIFY ? "IDENTIFY" : "DELEGATE", facts->gss_flags,
                          facts->gss_flags & (GSS_IDENTIFY | GSS_DELEG));
    else
        verifier_pass(v, self);
}
