/* rules_bkrp.c - the rules of [MS-BKRP] 3.2.4 (v27.0), held against what clients did. The table of rules is at the end.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/rules_common.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- 3.2.4 <14>: the pipes */

static const char first_pipe[] = "protected_storage", second_pipe[] = "ntsvcs";

static bool is_pipe(const char *name, const char *wanted)
{
    return g_ascii_strcasecmp(name, wanted) == 0;
}

/* Who tried which of the two pipes where, successful or not; a set of such sentences. */
static char *attempt_text(const char *client, const char *server, const char *pipe)
{
    return g_strdup_printf("%.*s %.*s %s", (int)rule_address_length(client), client, (int)rule_address_length(server), server,
                           pipe);
}

static void remember_attempt(GHashTable **attempts, const smb_open *attempt)
{
    bool first = is_pipe(attempt->name, first_pipe);
    if (!first && !is_pipe(attempt->name, second_pipe))
        return;
    if (!*attempts)
        *attempts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(*attempts, attempt_text(attempt->client, attempt->server, first ? first_pipe : second_pipe));
}

static bool was_tried(GHashTable *attempts, const rpc_association *association, const char *pipe)
{
    if (!attempts)
        return false;
    char *text = attempt_text(association->client, association->server, pipe);
    bool tried = g_hash_table_contains(attempts, text);
    g_free(text);
    return tried;
}

/* Why an attempt that was not seen may yet have been made; NULL: it was not made. */
static const char *unseen_because(const verifier *v, uint64_t connection)
{
    if (verifier_facts(v)->encrypted_smb > 0)
        return ic_encrypted;
    return verifier_saw_start(v, connection) ? NULL : ic_truncated;
}

static const char *unseen_text(const char *reason)
{
    return reason == ic_encrypted ? "; encrypted SMB messages may hold such an attempt" :
           reason == ic_truncated ? "; the beginning of the connection is not in the capture" : "";
}

/* The pipe of a bind, or NULL after having said why the rule cannot look at one. */
static const char *pipe_of_bind(verifier *v, const rule *self, const rpc_association *association,
                                const rpc_origin *origin)
{
    if (association->transport != RPC_NCACN_NP)
        verifier_not_applicable(v, self, "BackupKey was reached over TCP, where no pipe is opened");
    else if (!association->pipe)
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_truncated, GSIZE_TO_POINTER((gsize)association->number),
                      origin->frame, "%s bound BackupKey at %s on a pipe whose opening is not in the capture",
                      association->client, association->server);
    return association->transport == RPC_NCACN_NP ? association->pipe : NULL;
}

/* A bind on a pipe other than what `wanted` says should have been tried. */
static void find_bind(verifier *v, const rule *self, const rpc_association *association, const rpc_origin *origin,
                      const char *wanted)
{
    const char *reason = unseen_because(v, association->connection);
    verifier_find(v, self, reason ? VERDICT_INCONCLUSIVE : VERDICT_WARNING, reason, NULL, origin->frame,
                  "%s bound BackupKey on pipe %s of %s, and no attempt to open %s there was seen before%s",
                  association->client, association->pipe, association->server, wanted, unseen_text(reason));
}

/* BKRP-5: protected_storage first. ntsvcs is shared with other interfaces: only where BackupKey is bound on it does
 * its opening count. */

typedef struct {
    GHashTable *attempts;
    uint64_t    judged; /* the association whose bind was the last, as a bind may ask for several transfer syntaxes */
} pipe_order;

static void pipe_order_opened(verifier *v, const rule *self, void *state, const smb_open *attempt)
{
    (void)v, (void)self;
    remember_attempt(&((pipe_order *)state)->attempts, attempt);
}

static void pipe_order_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                               const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)interface, (void)version_major;
    pipe_order *order = state;
    if (result >= 0 || order->judged == association->number)
        return;
    order->judged = association->number;
    const char *pipe = pipe_of_bind(v, self, association, origin);
    if (!pipe)
        return;
    if (is_pipe(pipe, first_pipe) || was_tried(order->attempts, association, first_pipe))
        verifier_pass(v, self);
    else
        find_bind(v, self, association, origin, first_pipe);
}

static void pipe_order_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    g_clear_pointer(&((pipe_order *)state)->attempts, g_hash_table_unref);
}

/* BKRP-6: ntsvcs next. A failure waits until the client tries ntsvcs on the same server or gives up. */

typedef enum {
    BIND_ASKED,   /* not answered yet: perhaps no failure */
    BIND_REFUSED, /* whether that is a failure to connect to the endpoint, the text leaves open */
    CREATE_FAILED
} failure_kind;

typedef struct {
    failure_kind kind;
    uint64_t     connection;
    uint32_t     frame;
    uint32_t     status;  /* NTSTATUS, or the result of the bind */
    const char  *client, *server; /* owned by those that wait */
} failure;

typedef struct {
    GHashTable *attempts;
    GHashTable *clients;  /* addresses that have bound BackupKey anywhere, as a set */
    GPtrArray  *failures; /* still waiting */
    uint64_t    judged;   /* the last association that was bound; of those on protected_storage: */
    uint64_t    accepted, called;
} pipe_fallback;

/* Failures to open the pipe are rare, and few wait at a time; the bound stops a hostile capture from making every event
 * search a long list. */
enum { FAILURES_LIMIT = 4096 };

static void failure_free(void *p)
{
    failure *f = p;
    g_free((char *)f->client);
    g_free((char *)f->server);
    g_free(f);
}

static char *failure_text(const failure *f)
{
    switch (f->kind) {
    case CREATE_FAILED:
        return g_strdup_printf("%s could not open protected_storage on %s (status 0x%08X)", f->client, f->server,
                               f->status);
    case BIND_REFUSED:
        return g_strdup_printf("%s opened protected_storage on %s, where its bind of BackupKey was refused (result %u)",
                               f->client, f->server, f->status);
    default:
        return g_strdup_printf("%s bound BackupKey on protected_storage of %s, which is not seen to be answered",
                               f->client, f->server);
    }
}

/* The client has given up. DPAPI is who listens on protected_storage, so its failed opening counts even where no bind
 * shows what the client wanted there; the message says so. */
static void give_up(verifier *v, const rule *self, const pipe_fallback *state, const failure *f, const char *how)
{
    char *address = g_strndup(f->client, rule_address_length(f->client));
    bool shown = f->kind != CREATE_FAILED || (state->clients && g_hash_table_contains(state->clients, address));
    bool encrypted = verifier_facts(v)->encrypted_smb > 0;
    const char *reason = encrypted ? ic_encrypted : f->kind == BIND_ASKED ? ic_one_way : NULL;
    rule_verdict broken = f->kind == BIND_REFUSED ? VERDICT_WARNING : VERDICT_VIOLATION;
    char *text = failure_text(f);
    verifier_find(v, self, reason ? VERDICT_INCONCLUSIVE : broken, reason, NULL, f->frame,
                  "%s, and %s without an attempt at ntsvcs there%s%s", text, how,
                  shown ? "" : "; no bind shows that it wanted BackupKey, but DPAPI is who listens on that pipe",
                  encrypted ? unseen_text(ic_encrypted) : "");
    g_free(text);
    g_free(address);
}

static void find_unfinished(verifier *v, const rule *self, const failure *f, const char *why)
{
    const char *reason = verifier_facts(v)->encrypted_smb > 0 ? ic_encrypted : ic_truncated;
    char *text = failure_text(f);
    verifier_find(v, self, VERDICT_INCONCLUSIVE, reason, NULL, f->frame, "%s, and %s before it tried ntsvcs there%s",
                  text, why, reason == ic_encrypted ? unseen_text(reason) : "");
    g_free(text);
}

static guint find_failure(const pipe_fallback *state, const char *client, const char *server)
{
    guint i = 0;
    for (; state->failures && i < state->failures->len; i++) {
        const failure *f = state->failures->pdata[i];
        if (rule_same_address(f->client, client) && rule_same_address(f->server, server))
            break;
    }
    return i;
}

/* Takes a waiting failure of this client at this server off the list. */
static bool drop_failure(pipe_fallback *state, const char *client, const char *server)
{
    guint i = find_failure(state, client, server);
    if (!state->failures || i == state->failures->len)
        return false;
    g_ptr_array_remove_index(state->failures, i);
    return true;
}

/* A client that tries the same again waits from then on. */
static void add_failure(verifier *v, const rule *self, pipe_fallback *state, const failure *now)
{
    drop_failure(state, now->client, now->server);
    if (!state->failures)
        state->failures = g_ptr_array_new_with_free_func(failure_free);
    if (state->failures->len == FAILURES_LIMIT) {
        find_unfinished(v, self, state->failures->pdata[0], "too many other failures followed");
        g_ptr_array_remove_index(state->failures, 0);
    }
    failure *kept = g_memdup2(now, sizeof *now);
    kept->client = g_strdup(now->client);
    kept->server = g_strdup(now->server);
    g_ptr_array_add(state->failures, kept);
}

/* A client that asks another server has given up the one before. A bind not yet answered is no failure yet. */
static void change_server(verifier *v, const rule *self, pipe_fallback *state, const rpc_association *association,
                          uint32_t frame)
{
    for (guint i = state->failures ? state->failures->len : 0; i-- > 0;) {
        const failure *f = state->failures->pdata[i];
        if (f->kind == BIND_ASKED || !rule_same_address(f->client, association->client) ||
            rule_same_address(f->server, association->server))
            continue;
        char *how = g_strdup_printf("went on to %s in frame %u", association->server, frame);
        give_up(v, self, state, f, how);
        g_free(how);
        g_ptr_array_remove_index(state->failures, i);
    }
}

static void pipe_fallback_opened(verifier *v, const rule *self, void *state, const smb_open *attempt)
{
    pipe_fallback *fallback = state;
    remember_attempt(&fallback->attempts, attempt);
    if (is_pipe(attempt->name, second_pipe)) {
        if (drop_failure(fallback, attempt->client, attempt->server))
            verifier_pass(v, self);
    } else if (is_pipe(attempt->name, first_pipe)) {
        failure now = {CREATE_FAILED, attempt->connection, attempt->frame, attempt->status, attempt->client,
                       attempt->server};
        if (attempt->status >> 30 == 3) /* the severity of an error, [MS-ERREF] 2.3 */
            add_failure(v, self, fallback, &now);
        else
            drop_failure(fallback, attempt->client, attempt->server);
    }
}

/* A bind on protected_storage: any accepted transfer syntax makes it usable, whatever became of the others. */
static void first_pipe_bound(verifier *v, const rule *self, pipe_fallback *state, const rpc_association *a,
                             const rpc_origin *origin, int result)
{
    if (result == 0) {
        if (state->accepted != a->number)
            verifier_not_applicable(v, self, "protected_storage worked");
        state->accepted = a->number;
        drop_failure(state, a->client, a->server);
    } else if (state->accepted != a->number) {
        failure now = {result < 0 ? BIND_ASKED : BIND_REFUSED, a->connection, origin->frame, (uint32_t)result,
                       a->client, a->server};
        add_failure(v, self, state, &now);
    }
}

/* A bind on any other pipe. */
static void other_pipe_bound(verifier *v, const rule *self, pipe_fallback *state, const rpc_association *a,
                             const rpc_origin *origin)
{
    bool failed = drop_failure(state, a->client, a->server);
    if (is_pipe(a->pipe, second_pipe)) {
        /* Where ntsvcs was opened after a failure, that opening has passed already. */
        if (failed || !was_tried(state->attempts, a, first_pipe))
            verifier_pass(v, self);
    } else if (!was_tried(state->attempts, a, second_pipe)) {
        find_bind(v, self, a, origin, second_pipe);
    }
}

static void pipe_fallback_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                                  const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major,
                                  int result)
{
    (void)interface, (void)version_major;
    pipe_fallback *fallback = state;
    bool first = result < 0 && fallback->judged != association->number;
    if (first) {
        fallback->judged = association->number;
        if (!fallback->clients)
            fallback->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_add(fallback->clients, g_strndup(association->client, rule_address_length(association->client)));
        change_server(v, self, fallback, association, origin->frame);
        if (!pipe_of_bind(v, self, association, origin))
            return;
    }
    if (association->transport != RPC_NCACN_NP || !association->pipe)
        return;
    if (is_pipe(association->pipe, first_pipe))
        first_pipe_bound(v, self, fallback, association, origin, result);
    else if (first)
        other_pipe_bound(v, self, fallback, association, origin);
}

/* Whoever calls on protected_storage has a bind that worked, also where its answer is not in the capture. */
static void pipe_fallback_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    pipe_fallback *fallback = state;
    const rpc_association *a = call->association;
    if (!response) /* an answer may come late, from the server before */
        change_server(v, self, fallback, a, call->request.last_frame);
    if (!a->pipe || !is_pipe(a->pipe, first_pipe))
        return;
    drop_failure(fallback, a->client, a->server);
    if (fallback->accepted != a->number && fallback->called != a->number)
        verifier_not_applicable(v, self, "protected_storage worked");
    fallback->called = a->number;
}

static void pipe_fallback_closed(verifier *v, const rule *self, void *state, uint64_t connection)
{
    pipe_fallback *fallback = state;
    for (guint i = fallback->failures ? fallback->failures->len : 0; i-- > 0;) {
        const failure *f = fallback->failures->pdata[i];
        if (f->connection != connection)
            continue;
        give_up(v, self, fallback, f, "the connection ended");
        g_ptr_array_remove_index(fallback->failures, i);
    }
}

static void pipe_fallback_end(verifier *v, const rule *self, void *state)
{
    pipe_fallback *fallback = state;
    for (guint i = 0; fallback->failures && i < fallback->failures->len; i++)
        find_unfinished(v, self, fallback->failures->pdata[i], "the capture ends");
    g_clear_pointer(&fallback->failures, g_ptr_array_unref);
    g_clear_pointer(&fallback->clients, g_hash_table_unref);
    g_clear_pointer(&fallback->attempts, g_hash_table_unref);
}

/* --------------------------------------------------------------------------------- 3.2.4: the RPC security context */

/* BKRP-11. The rule binds the client; a server that answers below the level it was asked at puts the whole in doubt. A
 * fault may come from an RPC runtime that has no security context. */
static void check_level_of_response(verifier *v, const rule *self, const rpc_call *call)
{
    const rpc_message *m = &call->response;
    if (m->kind != RPC_RESPONSE || rule_is_trailer_cut(m) || m->level >= SEC_LEVEL_PRIVACY ||
        call->request.level < SEC_LEVEL_PRIVACY)
        return;
    verifier_find(v, self, VERDICT_WARNING, NULL, rule_context_key(call, &call->request), m->last_frame,
                  "%s answered %s, which called BackuprKey with packet privacy (6), with auth_level %u (%s)",
                  call->association->server, call->association->client, m->level, rpc_auth_level_name(m->level));
}

static void check_privacy(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    if (response)
        check_level_of_response(v, self, call);
    rule_check_privacy(v, self, state, call, response);
}

/* BKRP-12. */
static void check_impersonation(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = rule_facts(v, self, call, response);
    if (facts)
        rule_check_impersonation(v, self, call, facts);
}

/* BKRP-13, <16>, <17>. */

/* NTLM has no mutual authentication. Where Kerberos was offered too, <17> excuses the client. */
static void check_mutual_ntlm(verifier *v, const rule *self, const rpc_call *call, const sec_facts *facts)
{
    const rpc_auth *auth = call->request.auth;
    if (facts->kerberos_offered)
        verifier_not_applicable(v, self, "NTLM was chosen after Kerberos had been offered (<17>)");
    else if (!auth->bound)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_nohandshake, auth,
                          "with NTLM, and whether Kerberos had been offered is not in the capture");
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_internal, auth,
                          "with NTLM, which has no mutual authentication: whether it was asked for cannot be seen");
}

static void check_mutual(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const sec_facts *facts = rule_facts(v, self, call, response);
    if (!facts)
        return;
    const rpc_auth *auth = call->request.auth;
    if (facts->mechanism == SEC_MECH_NTLM)
        check_mutual_ntlm(v, self, call, facts);
    else if (!(facts->ap_options & RULE_AP_MUTUAL_REQUIRED))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, auth,
                          "without asking for mutual authentication (ap-options 0x%08X; mutual-required is 0x20000000)",
                     facts->ap_options);
    else if (!facts->ap_rep)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_one_way, auth, "after asking for mutual authentication "
                     "(ap-options 0x%08X), but the server's AP-REP is not in the capture", facts->ap_options);
    else
        verifier_pass(v, self);
}

/* --------------------------------------------------------------------------------------------- 3.2.4: the request */

/* BKRP-19. The field is found from the front of the stub: padding and a verification trailer may follow it. Each call
 * that breaks the rule is a finding of its own; those that cannot be read are joined like those above. */

static void check_dwparam(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    ndr_stub stub;
    ndr_value value = {0};
    const char *reason = NULL, *text = NULL;
    if (!rule_is_request(v, self, call, response))
        return;
    if (!rpc_message_stub(call, &call->request, &stub) ||
        !ndr_find(call->interface, call->method, &stub, false, "dwParam", &value, NULL))
        text = rule_unread(&call->request, &reason);
    if (text)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, reason, rule_context_key(call, &call->request),
                          "and its dwParam cannot be read: %s", text);
    else if (value.number != 0)
        verifier_find(v, self, VERDICT_WARNING, NULL, NULL, call->request.last_frame,
                      "dwParam is 0x%08X, should be 0, in BackuprKey from %s to %s", (unsigned)value.number,
                      call->association->client, call->association->server);
    else
        verifier_pass(v, self);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_bkrp[] = {
    {"BKRP-5", "bkrp", RULE_SHOULD, "MS-BKRP 3.2.4 <14>", "client",
     "A client tries the pipe protected_storage before any other.",
     .state_size = sizeof(pipe_order), .opened = pipe_order_opened, .context = pipe_order_context,
     .end = pipe_order_end},

    {"BKRP-6", "bkrp", RULE_MUST, "MS-BKRP 3.2.4 <14>", "client",
     "Where protected_storage fails or is not tried, the client tries the pipe ntsvcs on the same server.",
     .state_size = sizeof(pipe_fallback), .opened = pipe_fallback_opened, .context = pipe_fallback_context,
     .message = pipe_fallback_message, .closed = pipe_fallback_closed, .end = pipe_fallback_end},

    {"BKRP-10", "bkrp", RULE_MUST, "MS-BKRP 3.2.4", "client",
     "The security context of the RPC connection is negotiated with SPNEGO.", .message = rule_check_spnego},

    {"BKRP-11", "bkrp", RULE_MUST, "MS-BKRP 3.2.4 <15>", "client",
     "Calls are made with packet privacy: signed and sealed.", .message = check_privacy},

    {"BKRP-12", "bkrp", RULE_MUST, "MS-BKRP 3.2.4", "client",
     "The server is allowed to impersonate the client: impersonation level IMPERSONATE.",
     .message = check_impersonation},

    {"BKRP-13", "bkrp", RULE_SHOULD, "MS-BKRP 3.2.4 <16>, <17>", "client",
     "The client asks for mutual authentication.", .message = check_mutual},

    {"BKRP-19", "bkrp", RULE_SHOULD, "MS-BKRP 3.2.4", "client",
     "dwParam is 0 in every call.", .message = check_dwparam},

    {0}
};
