/* rules_cmrp.c - the rules of [MS-CMRP] 2.1 (v44.0): transport, authentication and who may call. The table of rules is at the
 * end.
 *
 * Version 2.0 of ClusAPI runs over datagrams with NTLM, version 3.0 over TCP with SPNEGO and packet privacy; most rules bind one
 * of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_cmrp.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- what the checks share */

enum { SET_SERVICE_ACCOUNT_PASSWORD = 108 };

static const char not_version_2[] = "version 2.0 was not spoken", not_version_3[] = "version 3.0 was not spoken",
                  no_context[] = "the calls were made without an RPC security context";

/* Whether this is a request that a rule of one version is held against. */
static bool is_request_of(verifier *v, const rule *self, const rpc_call *call, bool response, uint16_t version)
{
    if (call->version_major == version)
        return rule_is_request(v, self, call, response);
    verifier_out_of_scope(v, self, version == 2 ? not_version_2 : not_version_3);
    return false;
}

static const sec_facts *facts_of_version(verifier *v, const rule *self, const rpc_call *call, bool response, uint16_t version)
{
    if (call->version_major == version)
        return rule_facts(v, self, call, response);
    verifier_out_of_scope(v, self, version == 2 ? not_version_2 : not_version_3);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------ CMRP-1: the interface */

/* An interface is known by this very UUID, so that what can be broken is its version alone. Datagrams have no bind: each names
 * its interface, and the first of an activity is told as accepted. */
static void check_interface(verifier *v, const rule *self, void *state, const rpc_association *association,
                            const rpc_origin *origin,
                            const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)interface;
    if (result >= 0 && association->transport != RPC_NCADG_IP_UDP)
        return;
    if (version_major == 2 || version_major == 3)
        verifier_pass(v, self);
    else
        verifier_find(v, self, VERDICT_WARNING, NULL, GSIZE_TO_POINTER((gsize)association->number), origin->frame,
                      "%s asked %s for ClusAPI's interface in version %u.0; there are 2.0 and 3.0", association->client,
                      association->server, version_major);
}

/* --------------------------------------------------------------------------------------- CMRP-2 to CMRP-6: version 2.0 */

static void check_level_2(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!is_request_of(v, self, call, response, 2) || !rule_is_trailer_known(v, self, call))
        return;
    const rpc_message *m = &call->request;
    if (!m->auth || m->level < SEC_LEVEL_CONNECT)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, rule_context_key(call, m),
                          "%s; at least CONNECT (2) is required", m->auth ? "with auth_level 1 (none)" : "without an RPC "
                          "security context");
    else
        verifier_pass(v, self);
}

/* Associations that were seen to be below packet privacy, and those that set a password; by number. An activity of datagrams is
 * an association. */
typedef struct {
    GHashTable *below, *password;
} password_state;

/* Numbers are remembered of so many associations at most. */
enum { ASSOCIATIONS_LIMIT = 65536 };

static void remember(GHashTable **set, uint64_t number)
{
    if (!*set)
        *set = rule_table(NULL);
    if (g_hash_table_size(*set) < ASSOCIATIONS_LIMIT)
        g_hash_table_add(*set, rule_number(number));
}

static bool is_remembered(GHashTable *set, uint64_t number)
{
    return set && g_hash_table_contains(set, &number);
}

static void password_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    password_state *s = state;
    g_clear_pointer(&s->below, g_hash_table_unref);
    g_clear_pointer(&s->password, g_hash_table_unref);
}

static void check_integrity_2(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    password_state *s = state;
    const rpc_message *m = &call->request;
    if (!is_request_of(v, self, call, response, 2) || !rule_is_trailer_known(v, self, call))
        return;
    if (call->opnum == SET_SERVICE_ACCOUNT_PASSWORD)
        remember(&s->password, call->association->number);
    if (is_remembered(s->password, call->association->number))
        verifier_not_applicable(v, self, "a password was set, which takes packet privacy");
    else if (!m->auth)
        verifier_not_applicable(v, self, no_context);
    else if (m->level < SEC_LEVEL_INTEGRITY)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, rule_context_key(call, m),
                          "with auth_level %u (%s), should be packet integrity (5)", m->level, rpc_auth_level_name(m->level));
    else
        verifier_pass(v, self);
}

/* The whole session is to be at packet privacy, what comes before the password and what comes after it. */
static void check_beside_password(verifier *v, const rule *self, password_state *s, const rpc_call *call)
{
    const rpc_message *m = &call->request;
    if (rule_is_trailer_cut(m) || m->level >= SEC_LEVEL_PRIVACY)
        return;
    remember(&s->below, call->association->number);
    if (is_remembered(s->password, call->association->number))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, rule_context_key(call, m),
                          "with auth_level %u (%s), in a session that set a password, which takes packet privacy (6)", m->level,
                          rpc_auth_level_name(m->level));
}

static void check_password(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    password_state *s = state;
    const rpc_message *m = &call->request;
    if (!is_request_of(v, self, call, response, 2))
        return;
    bool sets = call->opnum == SET_SERVICE_ACCOUNT_PASSWORD;
    if (!sets) {
        check_beside_password(v, self, s, call);
        return;
    }
    if (!rule_is_trailer_known(v, self, call))
        return;
    remember(&s->password, call->association->number);
    if (m->level < SEC_LEVEL_PRIVACY)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, rule_context_key(call, m),
                          "with auth_level %u (%s), which leaves the password readable; packet privacy (6) is required", m->level,
                          rpc_auth_level_name(m->level));
    else if (is_remembered(s->below, call->association->number))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, rule_context_key(call, m),
                          "with packet privacy, after calls of the same session without");
    else
        verifier_pass(v, self);
}

static void check_ntlm(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!is_request_of(v, self, call, response, 2) || !rule_is_trailer_known(v, self, call))
        return;
    const rpc_auth *auth = call->request.auth;
    if (!auth)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, rule_context_key(call, &call->request),
                          "without an RPC security context; NTLM (auth_type 10) is required");
    else if (auth->auth_type != SEC_AUTH_NTLM)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, auth, "with auth_type %u (%s); NTLM (10) is required",
                          auth->auth_type, rpc_auth_type_name(auth->auth_type));
    else
        verifier_pass(v, self);
}

static void check_qos_2(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = facts_of_version(v, self, call, response, 2);
    if (!facts)
        return;
    if (facts->mechanism != SEC_MECH_NTLM)
        verifier_not_applicable(v, self, "the calls were made without NTLM");
    else
        rule_check_impersonation(v, self, call, facts);
}

/* ------------------------------------------------------------------------------------- CMRP-7 to CMRP-10: version 3.0 */

static void check_privacy_3(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    if (is_request_of(v, self, call, response, 3))
        rule_check_privacy(v, self, state, call, response);
}

/* The same level once more, as a SHOULD: what is below it is CMRP-7's to say. */
static void check_privacy_again(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!is_request_of(v, self, call, response, 3) || !rule_is_trailer_known(v, self, call))
        return;
    if (call->request.level >= SEC_LEVEL_PRIVACY)
        verifier_pass(v, self);
    else
        verifier_not_applicable(v, self, "the level is below what CMRP-7 requires, which is reported there");
}

static void check_spnego_3(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    if (is_request_of(v, self, call, response, 3))
        rule_check_spnego(v, self, state, call, response);
}

/* CMRP-9. A bind_ack is no acceptance of calls; each request is judged by what came back. */
typedef struct {
    uint64_t association;
    uint32_t frame;
    char    *text;
} low_request;

typedef struct {
    GHashTable *requests; /* a call's number -> low_request */
    uint64_t    answered; /* the highest number of a call that was answered since the first of them */
} low_connection;

typedef struct {
    GHashTable *waiting; /* a connection with unanswered requests -> low_connection */
    guint       count;   /* of the requests */
} refusal_state;

/* Requests that were not answered yet; a hostile capture has more, and those are passed over. */
enum { WAITING_LIMIT = 65536 };

static void low_free(void *p)
{
    low_request *low = p;
    g_free(low->text);
    g_free(low);
}

static void low_connection_free(void *p)
{
    low_connection *c = p;
    g_hash_table_unref(c->requests);
    g_free(c);
}

static void wait_for_refusal(refusal_state *s, const rpc_call *call)
{
    const rpc_association *a = call->association;
    if (!s->waiting)
        s->waiting = rule_table(low_connection_free);
    if (s->count >= WAITING_LIMIT)
        return;
    low_connection *c = g_hash_table_lookup(s->waiting, &a->connection);
    if (!c) {
        c = g_new0(low_connection, 1);
        c->requests = rule_table(low_free);
        g_hash_table_insert(s->waiting, rule_number(a->connection), c);
    }
    low_request *low = g_new(low_request, 1);
    *low = (low_request){a->number, call->request.last_frame,
                         g_strdup_printf("%s sent %s to %s with auth_level %u (%s)", a->client, call->method->name, a->server,
                                         call->request.level, rpc_auth_level_name(call->request.level))};
    if (g_hash_table_insert(c->requests, rule_number(call->number), low))
        s->count++;
}

/* Whatever its level: a connection that goes on with other calls was not ended instead of an answer to those before. */
static void note_answer(refusal_state *s, const rpc_call *call)
{
    low_connection *c = s->waiting ? g_hash_table_lookup(s->waiting, &call->association->connection) : NULL;
    if (!c)
        return;
    c->answered = MAX(c->answered, call->number);
    if (g_hash_table_remove(c->requests, &call->number))
        s->count--;
    if (g_hash_table_size(c->requests) == 0)
        g_hash_table_remove(s->waiting, &call->association->connection);
}

static void judge_refusal(verifier *v, const rule *self, const rpc_call *call)
{
    call_outcome outcome = call_outcome_of(call);
    const void *key = rule_context_key(call, &call->request);
    if (outcome.end == CALL_FAULT)
        verifier_pass(v, self);
    else if (outcome.end == CALL_UNREAD && !call->method->reserved) /* of what is reserved any answer is one too many */
        cmrp_find_unread(v, self, call);
    else if (outcome.end == CALL_RETURNED && outcome.status == CMRP_ACCESS_DENIED)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, key, "with ERROR_ACCESS_DENIED and not with a fault, though it "
                           "came with auth_level %u (%s)", call->request.level, rpc_auth_level_name(call->request.level));
    else
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, key, "though it came with auth_level %u (%s); less than "
                           "packet privacy (6) is to be refused", call->request.level, rpc_auth_level_name(call->request.level));
}

static void refusal_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    refusal_state *s = state;
    if (response)
        note_answer(s, call);
    if (call->version_major != 3 || call->request.kind == RPC_NONE || !call->method || rule_is_trailer_cut(&call->request))
        return;
    if (call->request.level >= SEC_LEVEL_PRIVACY) {
        verifier_not_applicable(v, self, "no request came below packet privacy");
        return;
    }
    if (response)
        judge_refusal(v, self, call);
    else
        wait_for_refusal(s, call);
}

/* Why a presentation context is refused ([C706] 12.6.3.1). */
enum { REASON_ABSTRACT_SYNTAX = 1, REASON_TRANSFER_SYNTAX = 2 };

/* A server may refuse the bind already, or the presentation context; not for what the interface is, or how it is encoded. */
static void refusal_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                            const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)origin, (void)interface;
    bool other_reason = !association->asked.nak && (association->asked.reason == REASON_ABSTRACT_SYNTAX ||
                                                    association->asked.reason == REASON_TRANSFER_SYNTAX);
    if (version_major == 3 && result > 0 && association->asked.level < SEC_LEVEL_PRIVACY && !other_reason)
        verifier_pass(v, self);
}

/* A connection that is ended instead of an answer is a refusal as well. */
static void refusal_closed(verifier *v, const rule *self, void *state, uint64_t connection)
{
    refusal_state *s = state;
    GHashTableIter iter;
    gpointer number;
    const low_connection *c = s->waiting ? g_hash_table_lookup(s->waiting, &connection) : NULL;
    if (!c)
        return;
    g_hash_table_iter_init(&iter, c->requests);
    while (g_hash_table_iter_next(&iter, &number, NULL)) {
        if (*(const uint64_t *)number < c->answered)
            continue;
        verifier_pass(v, self);
        g_hash_table_iter_remove(&iter);
    }
}

static gint by_frame(gconstpointer a, gconstpointer b)
{
    const low_request *x = *(low_request *const *)a, *y = *(low_request *const *)b;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* What is left of one connection. */
static void find_unanswered(verifier *v, const rule *self, const low_connection *c)
{
    GHashTableIter iter;
    gpointer value;
    GPtrArray *left = g_ptr_array_new();
    g_hash_table_iter_init(&iter, c->requests);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(left, value);
    g_ptr_array_sort(left, by_frame);
    for (guint i = 0; i < left->len; i++) {
        const low_request *low = left->pdata[i];
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_one_way, GSIZE_TO_POINTER((gsize)low->association), low->frame,
                      "%s, and no answer is in the capture", low->text);
    }
    g_ptr_array_unref(left);
}

static void refusal_end(verifier *v, const rule *self, void *state)
{
    refusal_state *s = state;
    GHashTableIter iter;
    gpointer value;
    if (!s->waiting)
        return;
    g_hash_table_iter_init(&iter, s->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        find_unanswered(v, self, value);
    g_clear_pointer(&s->waiting, g_hash_table_unref);
}

/* ---------------------------------------------------------------------- CMRP-11 to CMRP-15: the principal, quality of service */

static const char spn_class[] = "MSServerClusterMgmtAPI/";

/* The service principal that the client named: of a ticket, or in NTLM's MsvAvTargetName. NULL: none. */
static const char *spn_of(const sec_facts *facts)
{
    return facts->target && *facts->target ? facts->target : NULL;
}

/* "node1.corp.example" of "MSServerClusterMgmtAPI/node1.corp.example@CORP.EXAMPLE". Free it. */
static char *instance_of(const char *spn)
{
    const char *slash = strchr(spn, '/');
    const char *begin = slash ? slash + 1 : "", *end = strpbrk(begin, "/@"), *colon = strchr(begin, ':');
    char *text = end ? g_strndup(begin, (gsize)(end - begin)) : g_strdup(begin);
    if (colon && colon - begin < (ptrdiff_t)strlen(text) && !g_hostname_is_ip_address(text))
        text[colon - begin] = '\0'; /* a port; an address of IPv6 has colons of its own */
    return text;
}

/* "MSServerClusterMgmtAPI/node1/more" */
static bool has_more(const char *spn)
{
    const char *slash = strchr(spn, '/');
    return slash && strchr(slash + 1, '/');
}

/* What the handshake of a request of version 3.0 showed, where it shows the principal; NULL after having said why not. */
static const sec_facts *facts_of_principal(verifier *v, const rule *self, const rpc_call *call, bool response)
{
    const sec_facts *facts = facts_of_version(v, self, call, response, 3);
    if (!facts || facts->mechanism != SEC_MECH_NTLM || facts->ntlm_authenticate)
        return facts;
    rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, call->request.auth,
                      "with NTLM, whose AUTHENTICATE message is not in the capture");
    return NULL;
}

/* Whether the client went by a name or an address is not in RPC. What it had resolved right before it connected tells, though
 * another process may have done so; that it has not resolved a name tells nothing, for it may have known the address before. */
typedef struct {
    GHashTable *names; /* association -> the name; NULL: it had not resolved one */
} named_state;

/* Only the first bind of an association follows upon the connection. */
static void named_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                          const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)self, (void)origin, (void)interface;
    named_state *s = state;
    if (result >= 0 || version_major != 3)
        return;
    if (!s->names)
        s->names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    if (g_hash_table_contains(s->names, &association->number) || g_hash_table_size(s->names) >= ASSOCIATIONS_LIMIT)
        return;
    g_hash_table_insert(s->names, g_memdup2(&association->number, sizeof association->number),
                        g_strdup(verifier_facts(v)->resolved));
}

static void named_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    g_clear_pointer(&((named_state *)state)->names, g_hash_table_unref);
}

static const char *name_of(const named_state *s, const rpc_call *call)
{
    return s->names ? g_hash_table_lookup(s->names, &call->association->number) : NULL;
}

/* CMRP-11 */
static void check_spn_named(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    const sec_facts *facts = facts_of_principal(v, self, call, response);
    if (!facts)
        return;
    const char *name = name_of(state, call);
    if (spn_of(facts))
        verifier_pass(v, self);
    else if (name)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, call->request.auth,
                          "with NTLM and no service principal name, though it had asked for the address of %s right before",
                          name);
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_cache, call->request.auth,
                          "with NTLM and no service principal name: whether it went by the server's name or its address cannot "
                          "be seen");
}

/* CMRP-12. A client without a principal name keeps the rule if it went by address, and is not bound by it otherwise. */
static void check_spn_null(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    const sec_facts *facts = facts_of_principal(v, self, call, response);
    if (!facts)
        return;
    const char *spn = spn_of(facts);
    if (!spn && name_of(state, call))
        verifier_not_applicable(v, self, "the client had resolved the server's name");
    else if (!spn)
        verifier_pass(v, self);
    if (!spn)
        return;
    char *instance = instance_of(spn);
    if (g_hostname_is_ip_address(instance))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, call->request.auth,
                          "for the service principal %s, which is made of an address; there should be none", spn);
    else
        verifier_not_applicable(v, self, "the client named the server");
    g_free(instance);
}

/* CMRP-13. What name the server has cannot be told from its address, so its class is what is judged, and that there is a name. */
static void check_spn(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = facts_of_principal(v, self, call, response);
    if (!facts)
        return;
    const char *spn = spn_of(facts);
    if (!spn) {
        verifier_not_applicable(v, self, "the client named no service principal");
        return;
    }
    char *instance = instance_of(spn);
    if (g_ascii_strncasecmp(spn, spn_class, sizeof spn_class - 1) != 0 || !*instance || has_more(spn))
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, call->request.auth,
                          "for the service principal %s; %s and the server's computer name are required, and nothing more", spn,
                          spn_class);
    else
        verifier_pass(v, self);
    g_free(instance);
}

/* CMRP-14. What is surely wrong is told before what is in doubt, or cannot be seen. */
static void check_qos_spn(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = facts_of_principal(v, self, call, response);
    if (!facts)
        return;
    const char *spn = spn_of(facts);
    const void *key = call->request.auth;
    if (!spn)
        verifier_not_applicable(v, self, "the client named no service principal");
    else if (rule_is_impersonation_other(facts))
        rule_check_impersonation(v, self, call, facts);
    else if (facts->mechanism == SEC_MECH_NTLM)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, key,
                          "with NTLM, though it named the service principal %s: NTLM has no mutual authentication", spn);
    else if (!(facts->ap_options & RULE_AP_MUTUAL_REQUIRED))
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, key,
                          "without asking for mutual authentication (ap-options 0x%08X; mutual-required is 0x20000000)",
                          facts->ap_options);
    else if (!facts->ap_rep)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_one_way, key,
                          "after asking for mutual authentication, but the server's AP-REP is not in the capture");
    else
        rule_check_impersonation(v, self, call, facts);
}

/* CMRP-15 */
static void check_qos_null(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = facts_of_principal(v, self, call, response);
    if (!facts)
        return;
    if (spn_of(facts))
        verifier_not_applicable(v, self, "the client named a service principal");
    else
        rule_check_impersonation(v, self, call, facts);
}

/* --------------------------------------------------------------------------------------- CMRP-16, CMRP-17: who may call */

/* "CORP\\Guest", "Guest@CORP.EXAMPLE" */
static bool is_guest(const char *user)
{
    static const char guest[] = "Guest";
    const char *domain = user ? strchr(user, '\\') : NULL, *account = domain ? domain + 1 : user;
    return account && g_ascii_strncasecmp(account, guest, sizeof guest - 1) == 0 &&
           (account[sizeof guest - 1] == '\0' || account[sizeof guest - 1] == '@');
}

static const char *name_of_nobody(const rpc_call *call)
{
    const rpc_auth *auth = call->request.auth;
    if (!auth)
        return "without an RPC security context";
    const sec_facts *facts = sec_context_facts(auth->security);
    return facts->anonymous ? "anonymously" : is_guest(facts->user) ? "as Guest" : NULL;
}

/* Who is permitted is in no message; that nobody in particular is not can be judged. */
static void check_permission(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!response || call->request.kind == RPC_NONE || !call->method || rule_is_trailer_cut(&call->request))
        return;
    const void *key = rule_context_key(call, &call->request);
    const char *nobody = name_of_nobody(call);
    call_outcome outcome = call_outcome_of(call);
    bool refused = outcome.end != CALL_UNREAD && outcome.status == CMRP_ACCESS_DENIED;
    if (nobody && outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    else if (nobody && cmrp_is_done(&outcome))
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, key, "with %s, though it was called %s",
                           outcome.success ? "success" : "ERROR_IO_PENDING", nobody);
    else if (nobody && refused)
        verifier_pass(v, self);
    else if (nobody)
        verifier_not_applicable(v, self, "what was called without a name failed for another reason");
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_config, key,
                          "as %s: whom the cluster's security descriptor permits is not in the capture",
                          sec_context_facts(call->request.auth->security)->user
                              ? sec_context_facts(call->request.auth->security)->user
                                                                               : "a user that is not known");
}

/* ------------------------------------------------------------------------------- CMRP-18, CMRP-19: what the server registers */

enum { NAK_AUTHENTICATION_TYPE = 8 };

/* A bind that is refused because the server does not know the mechanism that it has to. */
static void check_bind_refused(verifier *v, const rule *self, const rpc_association *association, const rpc_origin *origin,
                               uint8_t auth_type)
{
    if (association->asked.nak && association->asked.auth_type == auth_type &&
        association->asked.reason == NAK_AUTHENTICATION_TYPE)
        verifier_find(v, self, VERDICT_VIOLATION, NULL, GSIZE_TO_POINTER((gsize)association->number), origin->frame,
                      "%s refused the bind of %s with auth_type %u (%s): the authentication type is not recognized (bind_nak, "
                      "reason 8)", association->server, association->client, auth_type, rpc_auth_type_name(auth_type));
}

/* Version 2.0 is for datagrams; where it is spoken over a connection, its bind tells. */
static void registers_ntlm_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                                   const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)interface;
    if (version_major == 2 && result > 0)
        check_bind_refused(v, self, association, origin, SEC_AUTH_NTLM);
}

/* CMRP-18. That a password was wrong is no sign that NTLM is not known. */
static void check_registers_ntlm(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const rpc_auth *auth = call->request.auth;
    if (call->version_major != 2) {
        verifier_out_of_scope(v, self, not_version_2);
        return;
    }
    if (!response || call->request.kind == RPC_NONE || rule_is_trailer_cut(&call->request))
        return;
    uint32_t status = call->response.status;
    if (!auth || auth->auth_type != SEC_AUTH_NTLM)
        verifier_not_applicable(v, self, "the calls were made without NTLM");
    else if (call->response.kind == RPC_RESPONSE)
        verifier_pass(v, self);
    else if (!auth->bound && (status == CMRP_FAULT_UNSUPPORTED_LEVEL || status == CMRP_FAULT_WHO_ARE_YOU_FAILED))
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, auth, "with fault 0x%08X and without a call back for NTLM's "
                           "handshake, as if it did not know NTLM", status);
    else
        verifier_not_applicable(v, self, "what was called with NTLM failed for another reason");
}

static void registers_spnego_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                                     const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)interface;
    if (version_major == 3 && result > 0)
        check_bind_refused(v, self, association, origin, SEC_AUTH_SPNEGO);
}

/* CMRP-19. The name is shown to be registered by a server that has the ticket's key and proves it. */
static void registers_spnego_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const rpc_auth *auth = call->request.auth;
    if (call->version_major != 3) {
        verifier_out_of_scope(v, self, not_version_3);
        return;
    }
    if (!response || call->response.kind != RPC_RESPONSE || rule_is_trailer_cut(&call->request))
        return;
    if (!auth || auth->auth_type != SEC_AUTH_SPNEGO) {
        verifier_not_applicable(v, self, "the calls were made without SPNEGO");
        return;
    }
    const sec_facts *facts = sec_context_facts(auth->security);
    const char *spn = spn_of(facts);
    bool named = spn && g_ascii_strncasecmp(spn, spn_class, sizeof spn_class - 1) == 0;
    if (facts->mechanism == SEC_MECH_KERBEROS && facts->ap_rep && named)
        verifier_pass(v, self);
    else if (facts->mechanism == SEC_MECH_KERBEROS && facts->ap_rep)
        verifier_not_applicable(v, self, "the calls named another principal");
    else if (facts->mechanism == SEC_MECH_KERBEROS)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, auth,
                          "with Kerberos, but the server's AP-REP, which proves that it has the key, is not in the capture");
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, auth,
                          "over SPNEGO, which was accepted; whether %s and the server's name are registered only Kerberos "
                          "shows", spn_class);
}

/* ------------------------------------------------------------------------------------------------ C-01: transfer syntaxes */

/* A client that asks for both in one bind has one of them accepted; one that asks for NDR64 alone must have it. Datagrams have no
 * NDR64. */
static void check_syntaxes(verifier *v, const rule *self, void *state, const rpc_association *association,
                           const rpc_origin *origin,
                           const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)interface;
    if (version_major != 3 || association->transport == RPC_NCADG_IP_UDP || result < 0)
        return;
    if (result == 0)
        verifier_pass(v, self);
    else if (association->asked.ndr64 && !association->asked.nak && association->asked.reason == REASON_TRANSFER_SYNTAX)
        verifier_find(v, self, VERDICT_VIOLATION, NULL, GSIZE_TO_POINTER((gsize)association->number), origin->frame,
                      "%s refused NDR64 (reason 2, transfer syntax), which was all that %s asked for", association->server,
                      association->client);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_cmrp[] = {
    {"CMRP-1", "cmrp", RULE_MUST, "MS-CMRP 2.1, 1.9", "both", "The interface is the one of section 1.9, in version 2.0 or 3.0.",
     .any_version = true, .context = check_interface},

    {"CMRP-2", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 2.0: the authentication level is at least CONNECT.", .message = check_level_2},

    {"CMRP-3", "cmrp", RULE_SHOULD, "MS-CMRP 2.1", "client",
     "Version 2.0: the authentication level is packet integrity, unless ApiSetServiceAccountPassword is called.",
     .state_size = sizeof(password_state), .message = check_integrity_2, .end = password_end},

    {"CMRP-4", "cmrp", RULE_MUST, "MS-CMRP 2.1, 3.1.4.1.108", "client",
     "Version 2.0: where ApiSetServiceAccountPassword is called, the authentication level is packet privacy.",
     .state_size = sizeof(password_state), .message = check_password, .end = password_end},

    {"CMRP-5", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client", "Version 2.0: the authentication service is NTLM.",
     .message = check_ntlm},

    {"CMRP-6", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 2.0: the quality of service is NTLM's default, which is impersonation level IMPERSONATE.", .message = check_qos_2},

    {"CMRP-7", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 3.0: the authentication level is at least packet privacy.", .message = check_privacy_3},

    {"CMRP-8", "cmrp", RULE_SHOULD, "MS-CMRP 2.1", "client",
     "Version 3.0: the authentication level is packet privacy.", .message = check_privacy_again},

    {"CMRP-9", "cmrp", RULE_MUST, "MS-CMRP 2.1", "server",
     "Version 3.0: the server refuses clients below packet privacy.",
     .state_size = sizeof(refusal_state), .context = refusal_context, .message = refusal_message,
     .closed = refusal_closed, .end = refusal_end},

    {"CMRP-10", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 3.0: the authentication service is SPNEGO.", .message = check_spnego_3},

    {"CMRP-11", "cmrp", RULE_SHOULD, "MS-CMRP 2.1", "client",
     "Version 3.0: a client that goes by the server's name indicates a service principal name.",
     .state_size = sizeof(named_state), .context = named_context, .message = check_spn_named, .end = named_end},

    {"CMRP-12", "cmrp", RULE_SHOULD, "MS-CMRP 2.1", "client",
     "Version 3.0: a client that goes by the server's address indicates no service principal name.",
     .state_size = sizeof(named_state), .context = named_context, .message = check_spn_null, .end = named_end},

    {"CMRP-13", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 3.0: the service principal name is MSServerClusterMgmtAPI, a slash and the server's computer name.",
     .message = check_spn},

    {"CMRP-14", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 3.0, with a service principal name: mutual authentication and impersonation level IMPERSONATE are asked for.",
     .message = check_qos_spn},

    {"CMRP-15", "cmrp", RULE_MUST, "MS-CMRP 2.1", "client",
     "Version 3.0, without a service principal name: the quality of service is the provider's default.",
     .message = check_qos_null},

    {"CMRP-16", "cmrp", RULE_MUST, "MS-CMRP 2.1", "server",
     "Only clients that the cluster's security descriptor permits may call.", .message = check_permission},

    {"CMRP-17", "cmrp", RULE_MUST, "MS-CMRP 2.1 <3>, 3.1.4.2", "server",
     "The server checks that the client is authorized to what it calls, by the access that its handle was opened with.",
     .unanswered = true, .message = cmrp_check_access},

    {"CMRP-18", "cmrp", RULE_MUST, "MS-CMRP 2.1", "server", "Version 2.0: the server registers NTLM.",
     .context = registers_ntlm_context, .message = check_registers_ntlm},

    {"CMRP-19", "cmrp", RULE_MUST, "MS-CMRP 2.1", "server",
     "Version 3.0: the server registers SPNEGO with the name MSServerClusterMgmtAPI, a slash and its computer name.",
     .context = registers_spnego_context, .message = registers_spnego_message},

    {"C-01", "cmrp", RULE_MUST, "MS-CMRP 2.2", "server",
     "Version 3.0: the server takes NDR and NDR64.", .context = check_syntaxes},

    {0}
};
