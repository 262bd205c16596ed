/* rules_cmrp_handles.c - rules about the life of ClusAPI's context handles, [MS-CMRP] v44.0, 3.1.4 and 3.2.4, [C706] 6.1.6.
 *
 * All stand on rpc/handles.h. A handle whose opening is not in the capture is judged by none of them. The table of rules is at
 * the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_cmrp.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- what the checks share */

char *cmrp_handle_text(const rpc_handle_use *use)
{
    char uuid[37];
    const rpc_handle *h = use->handle;
    if (h && h->name)
        return g_strdup_printf("%s \"%s\"", use->parameter, h->name);
    ndr_guid_text(&use->uuid, uuid);
    return g_strdup_printf("%s %s", use->parameter, uuid);
}

void cmrp_find_unread(verifier *v, const rule *self, const rpc_call *call)
{
    const char *reason, *text = rule_unread(&call->response, &reason);
    rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, reason, rule_context_key(call, &call->response),
                       "and the answer cannot be read: %s", text);
}

static const rpc_handles *handles_of(const verifier *v)
{
    return verifier_facts(v)->handles;
}

void cmrp_find_unread_request(verifier *v, const rule *self, const rpc_call *call)
{
    const char *reason, *text = rule_unread(&call->request, &reason);
    rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, reason, rule_context_key(call, &call->request),
                      "and the request cannot be read: %s", text);
}

static bool has_handles(const ndr_method *method, uint8_t direction)
{
    bool found = direction == NDR_OUT && method->returns && method->returns->kind == NDR_HANDLE;
    for (const ndr_field *row = method->params; row && row->type && !found; row++)
        found = row->type->kind == NDR_HANDLE && (row->dir & direction);
    return found;
}

/* Says so where a request that has handles cannot be read. */
static bool is_read(verifier *v, const rule *self, const rpc_call *call)
{
    size_t count;
    if (!call->method || call->method->reserved || !has_handles(call->method, NDR_IN))
        return false;
    rpc_handles_used(handles_of(v), call, false, &count);
    if (count == 0)
        cmrp_find_unread_request(v, self, call);
    return count > 0;
}

/* An answer to a request with handles: `fn` for each that is not null. Says so where either cannot be read. */
static void each_answered(verifier *v, const rule *self, const rpc_call *call, bool response,
                          void (*fn)(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                                     const call_outcome *outcome))
{
    size_t count;
    const rpc_handle_use *uses = rpc_handles_used(handles_of(v), call, false, &count);
    if (!response)
        is_read(v, self, call);
    if (!response || count == 0)
        return;
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNREAD) {
        cmrp_find_unread(v, self, call);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (uses[i].handle)
            fn(v, self, call, &uses[i], &outcome);
}

static void find_unknown(verifier *v, const rule *self, const rpc_call *call)
{
    rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, GSIZE_TO_POINTER((gsize)call->association->number),
                      "with a handle whose opening is not in the capture or cannot be read");
}

/* ------------------------------------------------------------------------------------------------- C-02: interfaces */

/* Within one association group: the same octets in another are another handle, one that was never opened there. Handles of
 * interfaces that are not decoded are not followed, so what is left is the other version of ClusAPI. The attribute, and the types
 * of C-03, bind the server: no sentence forbids a client to try, and one that is refused has broken nothing. */
static void judge_interface(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                            const call_outcome *outcome)
{
    if (!use->handle->type || use->handle->interface == call->interface) {
        verifier_not_applicable(v, self, "no handle of another interface was used");
        return;
    }
    if (!outcome->success) {
        verifier_pass(v, self);
        return;
    }
    char *text = cmrp_handle_text(use);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success, though %s was opened on version %u.%u of the "
                       "interface and is used on version %u.%u", text, use->handle->interface->version_major,
                       use->handle->interface->version_minor, call->version_major, call->version_minor);
    g_free(text);
}

static void check_interface(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    each_answered(v, self, call, response, judge_interface);
}

/* ------------------------------------------------------------------------------------------------------ C-03: types */

static bool is_same_type(const ndr_type *a, const ndr_type *b)
{
    return strcmp(a->name, b->name) == 0;
}

static void judge_type(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                       const call_outcome *outcome)
{
    const rpc_handle *h = use->handle;
    if (strcmp(use->type->name, "HGENERIC_RPC") == 0) /* takes several types (2.2.1.10) */
        return;
    if (!h->type && outcome->success)
        find_unknown(v, self, call);
    if (!h->type)
        return;
    if (is_same_type(h->type, use->type)) {
        verifier_not_applicable(v, self, "each handle was of the type that its method takes");
        return;
    }
    if (!outcome->success) {
        verifier_pass(v, self);
        return;
    }
    char *text = cmrp_handle_text(use);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success, though %s was opened by %s as %s and the "
                       "method takes %s",
                       text, h->opened_by->name, h->type->name, use->type->name);
    g_free(text);
}

static void check_type(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    each_answered(v, self, call, response, judge_type);
}

/* ---------------------------------------------------------------------------------------------------- C-04: closing */

static const ndr_field *given_back(const ndr_method *method)
{
    for (const ndr_field *row = method ? method->params : NULL; row && row->type; row++)
        if (row->type->kind == NDR_HANDLE && row->dir == NDR_INOUT)
            return row;
    return NULL;
}

/* Of the version that is spoken: hNotify and Notify are one parameter. */
static const rpc_handle_use *use_given_back(const verifier *v, const rpc_call *call)
{
    for (const ndr_field *row = given_back(call->method); row && row->type; row++) {
        const rpc_handle_use *use = row->type->kind == NDR_HANDLE && row->dir == NDR_INOUT
                                        ? rpc_handles_find(handles_of(v), call, true, row->name) : NULL;
        if (use)
            return use;
    }
    return NULL;
}

static void check_close(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!response || !given_back(call->method))
        return;
    call_outcome outcome = call_outcome_of(call);
    const rpc_handle_use *use = use_given_back(v, call);
    if (outcome.end == CALL_UNREAD) {
        cmrp_find_unread(v, self, call);
    } else if (!outcome.success || !use) {
        verifier_not_applicable(v, self, "no handle was closed with success");
    } else if (!use->handle) {
        verifier_pass(v, self);
    } else {
        char *text = cmrp_handle_text(use);
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success, but %s did not come back as a null "
                           "handle", text);
        g_free(text);
    }
}

/* -------------------------------------------------------------------------------------------- C-05: use after close */

/* A request that was on its way when the handle was closed is not one that came after. */
static void judge_uses(verifier *v, const rule *self, const rpc_call *call)
{
    size_t count;
    const rpc_handle_use *uses = rpc_handles_used(handles_of(v), call, false, &count);
    for (size_t i = 0; i < count; i++) {
        const rpc_handle *h = uses[i].handle;
        if (!h || !h->type)
            continue;
        if (!uses[i].after_close) {
            verifier_pass(v, self);
            continue;
        }
        char *text = cmrp_handle_text(&uses[i]);
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s, which %s had closed in frame %u", text,
                          h->closed_by->name, h->closed_in);
        g_free(text);
    }
}

static void judge_answer(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                         const call_outcome *outcome)
{
    if (!use->after_close || !outcome->success)
        return;
    char *text = cmrp_handle_text(use);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success, though %s had been closed in frame %u; a "
                       "fault 0x1C00001A or ERROR_INVALID_HANDLE is required", text, use->handle->closed_in);
    g_free(text);
}

static void check_use_after_close(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    size_t count;
    const rpc_handle_use *uses = rpc_handles_used(handles_of(v), call, false, &count);
    bool late = false;
    for (size_t i = 0; i < count; i++)
        late |= uses[i].after_close;
    if (!response && is_read(v, self, call))
        judge_uses(v, self, call);
    else if (!response)
        return;
    else if (late)
        each_answered(v, self, call, response, judge_answer);
}

/* ------------------------------------------------------------------------------------------- C-06: left to run down */

/* Connections that ended, and connections of each association group: its handles live as long as one of them does. */
typedef struct {
    GHashTable *ended;   /* of uint64_t, as a set */
    GHashTable *groups;  /* scope -> set of connections */
    GHashTable *call_ids; /* connection -> the call_id of its last request */
    GHashTable *gaps;    /* connections with a gap in their call_ids, as a set: calls are missing from the capture */
    uint64_t    last;    /* association */
    uint64_t    last_group;
} left_open;

/* Which handles a client should close: HRES (3.2.4.3), HCLUSTER (3.2.4.1.3), HNOTIFY (3.2.4.5). */
static bool should_close(const ndr_type *type)
{
    return type && (strcmp(type->name, "HRES_RPC") == 0 || strcmp(type->name, "HNOTIFY_RPC") == 0 ||
                    strcmp(type->name, "HCLUSTER_RPC") == 0);
}

static uint64_t *copy_number(uint64_t number)
{
    return g_memdup2(&number, sizeof number);
}

static void note_connection(left_open *s, const rpc_association *a)
{
    if (a->transport == RPC_NCADG_IP_UDP || (s->last == a->number && s->last_group == a->group))
        return;
    s->last = a->number;
    s->last_group = a->group;
    if (!s->groups)
        s->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    char *scope = rpc_handles_scope(a);
    GHashTable *connections = g_hash_table_lookup(s->groups, scope);
    if (!connections) {
        connections = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        g_hash_table_insert(s->groups, g_strdup(scope), connections);
    }
    g_hash_table_add(connections, copy_number(a->connection));
    g_free(scope);
}

/* Clients number their calls one after the other. A handshake takes a number too, so that a gap is no proof of a loss; but where
 * there is none, nothing was lost between two calls. */
static void note_call_id(left_open *s, const rpc_call *call)
{
    uint64_t connection = call->association->connection;
    if (!s->call_ids) {
        s->call_ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        s->gaps = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    }
    gpointer last;
    if (g_hash_table_lookup_extended(s->call_ids, &connection, NULL, &last) && call->call_id > GPOINTER_TO_UINT(last) + 1)
        g_hash_table_add(s->gaps, copy_number(connection));
    g_hash_table_insert(s->call_ids, copy_number(connection), GUINT_TO_POINTER(call->call_id));
}

static void left_open_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    note_connection(state, call->association);
    if (!response)
        note_call_id(state, call);
    if (!response && call->method && given_back(call->method))
        is_read(v, self, call);
    const ndr_field *row = response ? given_back(call->method) : NULL;
    const rpc_handle_use *use = row ? use_given_back(v, call) : NULL;
    if (use && !use->handle && should_close(row->type))
        verifier_pass(v, self);
}

static void left_open_closed(verifier *v, const rule *self, void *state, uint64_t connection)
{
    (void)v, (void)self;
    left_open *s = state;
    if (!s->ended)
        s->ended = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_hash_table_add(s->ended, copy_number(connection));
}

/* Whether all connections of the group have ended; `gap`: calls on one of them may be missing. */
static bool is_over(const left_open *s, const char *scope, bool *gap)
{
    GHashTableIter iter;
    gpointer connection;
    *gap = false;
    GHashTable *connections = s->groups ? g_hash_table_lookup(s->groups, scope) : NULL;
    if (!connections || !s->ended)
        return false;
    g_hash_table_iter_init(&iter, connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL)) {
        if (!g_hash_table_contains(s->ended, connection))
            return false;
        *gap |= s->gaps && g_hash_table_contains(s->gaps, connection);
    }
    return true;
}

typedef struct {
    verifier        *v;
    const rule      *self;
    const left_open *state;
} left_walk;

static void judge_left(const rpc_handle *h, void *user)
{
    const left_walk *w = user;
    bool gap;
    if (!h->opened_by || h->closed_by || h->maybe_closed || !should_close(h->type) || !is_over(w->state, h->scope, &gap))
        return;
    verifier_find(w->v, w->self, gap ? VERDICT_INCONCLUSIVE : VERDICT_WARNING, gap ? ic_truncated : NULL,
                  GSIZE_TO_POINTER((gsize)h->opened_on), h->opened_in,
                  "%s%s%s%s, opened by %s, was not closed before the last connection of its association ended%s", h->type->name,
                  h->name ? " \"" : "", h->name ? h->name : "", h->name ? "\"" : "", h->opened_by->name,
                  gap ? "; calls may be missing from the capture" : "");
}

static void left_open_end(verifier *v, const rule *self, void *state)
{
    left_open *s = state;
    left_walk walk = {v, self, s};
    if (handles_of(v))
        rpc_handles_each(handles_of(v), judge_left, &walk);
    g_clear_pointer(&s->ended, g_hash_table_unref);
    g_clear_pointer(&s->groups, g_hash_table_unref);
    g_clear_pointer(&s->call_ids, g_hash_table_unref);
    g_clear_pointer(&s->gaps, g_hash_table_unref);
}

/* ---------------------------------------------------------------------------------------------------- C-07: opening */

static const rpc_handle_use *opened_use(const verifier *v, const rpc_call *call)
{
    const ndr_method *method = call->method;
    if (method && method->returns && method->returns->kind == NDR_HANDLE)
        return rpc_handles_find(handles_of(v), call, true, "return");
    for (const ndr_field *row = method ? method->params : NULL; row && row->type; row++)
        if (row->type->kind == NDR_HANDLE && row->dir == NDR_OUT)
            return rpc_handles_find(handles_of(v), call, true, row->name);
    return NULL;
}

static void check_open(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!response || !call->method || !has_handles(call->method, NDR_OUT) || given_back(call->method) ||
        call->response.kind == RPC_FAULT)
        return;
    call_outcome outcome = call_outcome_of(call);
    const rpc_handle_use *use = opened_use(v, call);
    if (outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    else if (use && use->handle && outcome.status != 0)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with status 0x%08X, and yet with a handle that is not "
                           "null",
                           outcome.status);
    else if (use && !use->handle && outcome.success)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with status 0 and a null handle");
    else if (use)
        verifier_pass(v, self);
}

/* ----------------------------------------------------------------------------------------------------- C-08: access */

/* Methods of version 3.0 that need the access level "All" of the handle they are for, which is their first parameter. Control
 * codes have levels of their own (C-21); ApiMoveGroup and ApiMoveGroupToNode are open to a backup privilege too; keys carry their
 * own access. */
static const uint8_t need_all[] = {
    6, 9, 10, 13, 16, 17, 18, 19, 20, 23, 24, 25, 43, 46, 49, 50, 54, 69, 70, 71, 84, 109, 123, 126, 127, 128, 130, 131, 132,
    133, 134, 135, 136, 146, 168, 172, 175, 176, 179, 182, 184
};

void cmrp_check_access(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    size_t count;
    if (call->version_major != 3 || call->opnum > UINT8_MAX || !memchr(need_all, call->opnum, sizeof need_all))
        return;
    if (!response)
        is_read(v, self, call);
    if (!response)
        return;
    const rpc_handle_use *first = rpc_handles_used(handles_of(v), call, false, &count);
    if (count == 0 || !first->handle || !first->handle->access_known || first->handle->access != CMRP_GENERIC_READ) {
        verifier_not_applicable(v, self, "no read-only handle was used for more than reading");
        return;
    }
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNREAD) {
        cmrp_find_unread(v, self, call);
    } else if (outcome.success) {
        char *text = cmrp_handle_text(first);
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success, which takes access to all, though %s was "
                           "opened by %s in frame %u with GENERIC_READ alone", text, first->handle->opened_by->name,
                           first->handle->opened_in);
        g_free(text);
    } else if (outcome.status == CMRP_ACCESS_DENIED) {
        verifier_pass(v, self);
    } else {
        verifier_not_applicable(v, self, "a read-only handle was used for more, and refused for another reason");
    }
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_cmrp_handles[] = {
    {"C-02", "cmrp", RULE_MUST, "MS-CMRP 2.2.1, 3.1.4.1, 3.1.4.2", "server",
     "A handle of another interface is refused: strict_context_handle.", .message = check_interface},

    {"C-03", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "server",
     "A handle of another type than the method takes is refused.", .message = check_type},

    {"C-04", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.2, .12, .38, .45, .57, .68, .82, .93, .115, .148", "server",
     "A method that closes a handle returns it as a null handle when it succeeds.", .message = check_close},

    {"C-05", "cmrp", RULE_MUST, "MS-CMRP 3.1.4, C706 6.1.6", "both",
     "A handle is not used once it was closed, and such a use does not succeed.", .message = check_use_after_close},

    {"C-06", "cmrp", RULE_SHOULD, "MS-CMRP 3.2.4.1.3, 3.2.4.3, 3.2.4.5", "client",
     "Handles of the cluster, of resources and of notification ports are closed before the last connection ends.",
     .state_size = sizeof(left_open), .message = left_open_message, .closed = left_open_closed, .end = left_open_end},

    {"C-07", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.1, .9 and all that open", "server",
     "A method that opens returns a handle exactly when its status is success.", .message = check_open},

    {"C-08", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "server",
     "A handle that was opened for reading is good for nothing more: ERROR_ACCESS_DENIED.", .message = cmrp_check_access},

    {0}
};
