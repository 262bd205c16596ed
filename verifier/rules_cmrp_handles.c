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
    if (call->method && call->method->reserved) {
        reason = ic_internal;
        text = "the specification does not tell its parameters";
    }
    rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, reason, rule_context_key(call, &call->response),
                       "and the answer cannot be read: %s", text);
}

bool cmrp_is_done(const call_outcome *outcome)
{
    return outcome->success || (outcome->end == CALL_RETURNED && outcome->status == CMRP_IO_PENDING);
}

char *cmrp_result_text(const call_outcome *outcome)
{
    if (outcome->success)
        return g_strdup("success");
    return cmrp_is_done(outcome) ? g_strdup("ERROR_IO_PENDING") : g_strdup_printf("0x%08X", outcome->status);
}

void cmrp_note_call(call_sequence *sequence, const rpc_call *call, bool response)
{
    if (response) {
        sequence->gap |= call->request.kind == RPC_NONE;
        return;
    }
    sequence->gap |= sequence->called && call->call_id > sequence->call_id + 1;
    sequence->called = true;
    sequence->call_id = call->call_id;
}

void cmrp_find_unanswered(verifier *v, const rule *self, const rpc_call *call)
{
    if (!cmrp_waits(call->opnum))
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_one_way, rule_context_key(call, &call->request),
                          "and no answer is in the capture");
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

/* The runtime refuses a handle before the method sees it, with a fault, or the method does, with ERROR_INVALID_HANDLE. */
static bool is_handle_refused(const call_outcome *outcome)
{
    return outcome->end == CALL_FAULT || (!outcome->success && (outcome->status == 0 || outcome->status == CMRP_INVALID_HANDLE));
}

/* Within one association group: the same octets in another are another handle, one that was never opened there. Handles of
 * interfaces that are not decoded are not followed, so what is left is the other version of ClusAPI. The attribute, and the types
 * of C-03, bind the server: no sentence forbids a client to try, and one that is refused has broken nothing. */
static void judge_interface(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                            const call_outcome *outcome)
{
    if (!use->handle->type) {
        if (cmrp_is_done(outcome))
            find_unknown(v, self, call);
        return;
    }
    if (use->handle->interface == call->interface) {
        verifier_not_applicable(v, self, "no handle of another interface was used");
        return;
    }
    if (outcome->end == CALL_UNANSWERED) {
        cmrp_find_unanswered(v, self, call);
        return;
    }
    if (is_handle_refused(outcome)) {
        verifier_pass(v, self);
        return;
    }
    char *text = cmrp_handle_text(use), *result = cmrp_result_text(outcome);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s, though %s was opened on version %u.%u of the "
                       "interface and is used on version %u.%u; a fault 0x1C00001A is required", result, text,
                       use->handle->interface->version_major, use->handle->interface->version_minor, call->version_major,
                       call->version_minor);
    g_free(result);
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
    if (!h->type && cmrp_is_done(outcome))
        find_unknown(v, self, call);
    if (!h->type)
        return;
    if (is_same_type(h->type, use->type)) {
        verifier_not_applicable(v, self, "each handle was of the type that its method takes");
        return;
    }
    if (outcome->end == CALL_UNANSWERED) {
        cmrp_find_unanswered(v, self, call);
        return;
    }
    if (!cmrp_is_done(outcome)) {
        verifier_pass(v, self);
        return;
    }
    char *text = cmrp_handle_text(use), *result = cmrp_result_text(outcome);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s, though %s was opened by %s as %s and the method "
                       "takes %s", result, text, h->opened_by->name, h->type->name, use->type->name);
    g_free(result);
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
    if (outcome.end == CALL_UNANSWERED) {
        cmrp_find_unanswered(v, self, call);
    } else if (outcome.end == CALL_UNREAD) {
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

/* How long an answer on another connection may be on its way to the client that goes on using the handle. */
enum { ON_ITS_WAY_SECONDS = 1 };

/* A request that was on its way when the handle was closed is not one that came after: on another connection it may have been
 * sent before the answer had come. */
static bool may_cross(const rpc_call *call, const rpc_handle *h)
{
    return call->association->number != h->closed_on && call->request.seconds - h->closed_at <= ON_ITS_WAY_SECONDS;
}

static void judge_uses(verifier *v, const rule *self, const rpc_call *call)
{
    size_t count;
    const rpc_handle_use *uses = rpc_handles_used(handles_of(v), call, false, &count);
    for (size_t i = 0; i < count; i++) {
        const rpc_handle *h = uses[i].handle;
        if (h && !h->type)
            find_unknown(v, self, call);
        if (!h || !h->type)
            continue;
        if (!uses[i].after_close) {
            verifier_pass(v, self);
            continue;
        }
        bool crosses = may_cross(call, h);
        char *text = cmrp_handle_text(&uses[i]);
        rule_find_request(v, self, call, crosses ? VERDICT_WARNING : VERDICT_VIOLATION, NULL, NULL,
                          "with %s, which %s had closed in frame %u%s", text, h->closed_by->name, h->closed_in,
                          crosses ? " on another connection just before" : "");
        g_free(text);
    }
}

static void judge_answer(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *use,
                         const call_outcome *outcome)
{
    if (!use->after_close || !use->handle->type || is_handle_refused(outcome))
        return;
    char *text = cmrp_handle_text(use), *result = cmrp_result_text(outcome);
    rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s, though %s had been closed in frame %u; a "
                       "fault 0x1C00001A or ERROR_INVALID_HANDLE is required", result, text, use->handle->closed_in);
    g_free(result);
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

typedef struct {
    bool          ended;
    call_sequence calls;
} left_connection;

/* An association group: its handles live as long as one of its connections does. */
typedef struct {
    GHashTable *connections; /* of uint64_t, as a set */
    bool        whole;       /* none of them is unknown */
    bool        judged;      /* at the end of the capture; then, whether all have ended, and: */
    bool        over, gap;   /* one of them, or calls on one of them, may be missing */
} left_group;

typedef struct {
    GHashTable *connections; /* by number -> left_connection */
    GHashTable *groups;      /* scope -> left_group */
    uint64_t    last;        /* association */
    uint64_t    last_group;
    bool        overflow;    /* there were too many connections to remember all */
} left_open;

/* Connections that are remembered; a capture that has more leaves the rule open. */
enum { CONNECTIONS_LIMIT = 65536 };

/* Which handles a client should close: HRES (3.2.4.3), HCLUSTER (3.2.4.1.3), HNOTIFY (3.2.4.5). */
static bool should_close(const ndr_type *type)
{
    return type && (strcmp(type->name, "HRES_RPC") == 0 || strcmp(type->name, "HNOTIFY_RPC") == 0 ||
                    strcmp(type->name, "HCLUSTER_RPC") == 0);
}

static void left_group_free(void *p)
{
    left_group *group = p;
    g_hash_table_unref(group->connections);
    g_free(group);
}

static void note_group(left_open *s, const rpc_association *a)
{
    char *scope = rpc_handles_scope(a);
    left_group *group = g_hash_table_lookup(s->groups, scope);
    if (!group) {
        group = g_new(left_group, 1);
        *group = (left_group){.connections = rule_table(NULL), .whole = true};
        g_hash_table_insert(s->groups, g_strdup(scope), group);
    }
    group->whole &= a->group_whole;
    g_hash_table_add(group->connections, rule_number(a->connection));
    g_free(scope);
}

static void note_connection(left_open *s, const rpc_association *a)
{
    if (a->transport == RPC_NCADG_IP_UDP || (s->last == a->number && s->last_group == a->group))
        return;
    s->last = a->number;
    s->last_group = a->group;
    if (!s->groups) {
        s->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, left_group_free);
        s->connections = rule_table(g_free);
    }
    if (g_hash_table_size(s->connections) >= CONNECTIONS_LIMIT || g_hash_table_size(s->groups) >= CONNECTIONS_LIMIT) {
        s->overflow = true;
        return;
    }
    if (!g_hash_table_contains(s->connections, &a->connection))
        g_hash_table_insert(s->connections, rule_number(a->connection), g_new0(left_connection, 1));
    note_group(s, a);
}

static left_connection *connection_of(const left_open *s, uint64_t number)
{
    return s->connections ? g_hash_table_lookup(s->connections, &number) : NULL;
}

/* A connection of the group without a call keeps its handles as well. */
static void left_open_context(verifier *v, const rule *self, void *state, const rpc_association *association,
                              const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)v, (void)self, (void)origin, (void)interface, (void)version_major;
    if (result == 0)
        note_connection(state, association);
}

static void left_open_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    note_connection(state, call->association);
    left_connection *c = connection_of(state, call->association->connection);
    if (c)
        cmrp_note_call(&c->calls, call, response);
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
    left_connection *c = connection_of(state, connection);
    if (c)
        c->ended = true;
}

static void judge_group(const left_open *s, left_group *group)
{
    GHashTableIter iter;
    gpointer connection;
    group->judged = group->over = true;
    group->gap = s->overflow || !group->whole;
    g_hash_table_iter_init(&iter, group->connections);
    while (group->over && g_hash_table_iter_next(&iter, &connection, NULL)) {
        const left_connection *c = g_hash_table_lookup(s->connections, connection);
        group->over = c && c->ended;
        group->gap |= c && c->calls.gap;
    }
}

/* The group of a handle; NULL: a connection of it goes on. Each group is judged once, however many handles it has. */
static const left_group *group_that_ended(const left_open *s, const char *scope)
{
    left_group *group = s->groups ? g_hash_table_lookup(s->groups, scope) : NULL;
    if (group && !group->judged)
        judge_group(s, group);
    return group && group->over ? group : NULL;
}

typedef struct {
    verifier        *v;
    const rule      *self;
    const left_open *state;
} left_walk;

static void judge_left(const rpc_handle *h, void *user)
{
    const left_walk *w = user;
    if (!h->opened_by || h->closed_by || h->maybe_closed || !should_close(h->type))
        return;
    const left_group *group = group_that_ended(w->state, h->scope);
    if (!group)
        return;
    bool gap = group->gap;
    verifier_find(w->v, w->self, gap ? VERDICT_INCONCLUSIVE : VERDICT_WARNING, gap ? ic_truncated : NULL, NULL, h->opened_in,
                  "%s%s%s%s, opened by %s, was not closed before the last connection of its association ended%s", h->type->name,
                  h->name ? " \"" : "", h->name ? h->name : "", h->name ? "\"" : "", h->opened_by->name,
                  gap ? "; connections or calls may be missing from the capture" : "");
}

static void left_open_end(verifier *v, const rule *self, void *state)
{
    left_open *s = state;
    left_walk walk = {v, self, s};
    if (handles_of(v))
        rpc_handles_each(handles_of(v), judge_left, &walk);
    g_clear_pointer(&s->connections, g_hash_table_unref);
    g_clear_pointer(&s->groups, g_hash_table_unref);
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
    if (outcome.end == CALL_UNANSWERED)
        cmrp_find_unanswered(v, self, call);
    else if (outcome.end == CALL_UNREAD)
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

/* A handle that may have been opened for reading alone was good for more; false where it is known, or the call failed. */
bool cmrp_find_unknown(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *first, size_t count)
{
    const call_outcome outcome = call_outcome_of(call);
    if (count == 0 || !first->handle || first->handle->type || !cmrp_is_done(&outcome))
        return false;
    find_unknown(v, self, call);
    return true;
}

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
    if (cmrp_find_unknown(v, self, call, first, count))
        return;
    if (count == 0 || !first->handle || !first->handle->access_known || first->handle->access != CMRP_GENERIC_READ) {
        verifier_not_applicable(v, self, "no read-only handle was used for more than reading");
        return;
    }
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNANSWERED) {
        cmrp_find_unanswered(v, self, call);
    } else if (outcome.end == CALL_UNREAD) {
        cmrp_find_unread(v, self, call);
    } else if (cmrp_is_done(&outcome)) {
        char *text = cmrp_handle_text(first), *result = cmrp_result_text(&outcome);
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s, which takes access to all, though %s was "
                           "opened by %s in frame %u with GENERIC_READ alone", result, text, first->handle->opened_by->name,
                           first->handle->opened_in);
        g_free(result);
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
     "A handle of another interface is refused: strict_context_handle.", .unanswered = true, .message = check_interface},

    {"C-03", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "server",
     "A handle of another type than the method takes is refused.", .unanswered = true, .message = check_type},

    {"C-04", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.2, .12, .38, .45, .57, .68, .82, .93, .115, .148", "server",
     "A method that closes a handle returns it as a null handle when it succeeds.", .unanswered = true, .message = check_close},

    {"C-05", "cmrp", RULE_MUST, "MS-CMRP 3.1.4, C706 6.1.6", "both",
     "A handle is not used once it was closed, and such a use does not succeed.", .message = check_use_after_close},

    {"C-06", "cmrp", RULE_SHOULD, "MS-CMRP 3.2.4.1.3, 3.2.4.3, 3.2.4.5", "client",
     "Handles of the cluster, of resources and of notification ports are closed before the last connection ends.",
     .state_size = sizeof(left_open), .context = left_open_context, .message = left_open_message, .closed = left_open_closed,
     .end = left_open_end},

    {"C-07", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.1, .9 and all that open", "server",
     "A method that opens returns a handle exactly when its status is success.", .unanswered = true, .message = check_open},

    {"C-08", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "server",
     "A handle that was opened for reading is good for nothing more: ERROR_ACCESS_DENIED.",
     .unanswered = true, .message = cmrp_check_access},

    {0}
};
