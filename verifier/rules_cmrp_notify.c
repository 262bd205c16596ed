/* rules_cmrp_notify.c - rules about notification ports: what is registered on them, what comes from them, [MS-CMRP] v44.0, 3.1.4.
 *
 * The methods that wait for an event are answered when there is one, however long that takes. The table of rules is at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_cmrp.h"

#include <string.h>

#include "decoders/cmrp_properties.h"

/* ------------------------------------------------------------------------------------------- what the checks share */

enum { CLOSE_NOTIFY = 56, GET_NOTIFY = 65, UNBLOCK = 107, ADD_NOTIFY_V2 = 138, GET_NOTIFY_V2 = 139, GET_NOTIFY_ASYNC = 147 };

bool cmrp_waits(uint16_t opnum)
{
    return opnum == GET_NOTIFY || opnum == GET_NOTIFY_V2 || opnum == GET_NOTIFY_ASYNC;
}

/* The notification port that a request is for; NULL. */
static const rpc_handle *port_of(const verifier *v, const rpc_call *call)
{
    static const char *const names[] = {"hNotify", "Notify"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const rpc_handle_use *use = rpc_handles_find(verifier_facts(v)->handles, call, false, names[i]);
        if (use)
            return use->handle;
    }
    return NULL;
}

static bool ends_waiting(uint16_t opnum)
{
    return opnum == UNBLOCK || opnum == CLOSE_NOTIFY;
}

/* Ports are told by the number of their handle. */
static bool has_number(GHashTable *table, uint64_t number)
{
    return table && g_hash_table_contains(table, &number);
}

/* Ports and calls that are remembered at a time; only a hostile capture has more. */
enum { REMEMBERED_LIMIT = 65536 };

/* --------------------------------------------------------------------------------------------- C-26: nothing happened */

typedef struct {
    GHashTable *unblocked; /* of a port's number, as a set */
} unblocked_state;

static bool has_event(const cmrp_answered *a)
{
    uint64_t count;
    if (call_values_number(a->out, "dwNumNotifications", &count))
        return count > 0;
    return cmrp_out(a, "dwFilter") != 0;
}

/* A port that was opened before the capture may have been unblocked before it, too. */
static void judge_event(const cmrp_answered *a)
{
    const rpc_handle *port = port_of(a->v, a->call);
    if (!a->outcome.success)
        return;
    if (has_event(a))
        verifier_pass(a->v, a->self);
    else if (port && !port->opened_by)
        rule_find_response(a->v, a->self, a->call, VERDICT_INCONCLUSIVE, ic_truncated, GSIZE_TO_POINTER((gsize)port->number),
                           "with success and no event, on a port whose opening is not in the capture");
    else
        cmrp_find_answer(a, VERDICT_WARNING, "with success and no event, and nothing had ended the waiting");
}

static void event_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    unblocked_state *s = state;
    if (call->request.kind == RPC_NONE || !call->method)
        return;
    const rpc_handle *port = port_of(v, call);
    if (!response && port && ends_waiting(call->opnum)) {
        if (!s->unblocked)
            s->unblocked = rule_table(NULL);
        if (g_hash_table_size(s->unblocked) < REMEMBERED_LIMIT)
            g_hash_table_add(s->unblocked, rule_number(port->number));
    }
    if (cmrp_waits(call->opnum) && !(port && has_number(s->unblocked, port->number)))
        cmrp_with_answer(v, self, call, response, judge_event);
}

static void event_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    g_clear_pointer(&((unblocked_state *)state)->unblocked, g_hash_table_unref);
}

/* ----------------------------------------------------------------------------------------------- C-27: what is unblocked */

typedef struct {
    uint64_t port, connection;
    uint32_t frame, ended_in; /* of the request, and of the answer to what ended the waiting; 0 */
    int64_t  ended_at;
    char    *text;
} waiting_call;

/* A connection that calls wait on. */
typedef struct {
    guint   calls;
    bool    ended;
    int64_t last;  /* seconds: its last message */
} waiting_connection;

typedef struct {
    GHashTable *calls;       /* a call's number -> waiting_call */
    GHashTable *ports;       /* a port's number -> numbers of calls whose waiting nothing has ended, as a set */
    GHashTable *connections; /* by number -> waiting_connection */
    int64_t     last;        /* seconds: the last message of the capture */
} waiting_state;

/* How long an answer may be on its way. */
enum { GRACE_SECONDS = 5 };

static void waiting_free(void *p)
{
    waiting_call *w = p;
    g_free(w->text);
    g_free(w);
}

static void add_to_port(waiting_state *s, uint64_t port, uint64_t call)
{
    GHashTable *calls = g_hash_table_lookup(s->ports, &port);
    if (!calls) {
        calls = rule_table(NULL);
        g_hash_table_insert(s->ports, rule_number(port), calls);
    }
    g_hash_table_add(calls, rule_number(call));
}

static void add_to_connection(waiting_state *s, uint64_t connection, int64_t seconds)
{
    waiting_connection *c = g_hash_table_lookup(s->connections, &connection);
    if (!c) {
        c = g_new0(waiting_connection, 1);
        g_hash_table_insert(s->connections, rule_number(connection), c);
    }
    c->calls++;
    c->last = MAX(c->last, seconds);
}

static void add_waiting(waiting_state *s, const rpc_call *call, const rpc_handle *port)
{
    if (!s->calls) {
        s->calls = rule_table(waiting_free);
        s->ports = rule_table((GDestroyNotify)g_hash_table_unref);
        s->connections = rule_table(g_free);
    }
    if (g_hash_table_size(s->calls) >= REMEMBERED_LIMIT || g_hash_table_contains(s->calls, &call->number))
        return;
    waiting_call *w = g_new0(waiting_call, 1);
    w->port = port->number;
    w->connection = call->association->connection;
    w->frame = call->request.last_frame;
    w->text = g_strdup_printf("%s of %s was not answered by %s", call->method->name, call->association->client,
                              call->association->server);
    g_hash_table_insert(s->calls, rule_number(call->number), w);
    add_to_port(s, w->port, call->number);
    add_to_connection(s, w->connection, call->request.seconds);
}

static void end_waiting(waiting_state *s, const rpc_call *call, const rpc_handle *port)
{
    GHashTableIter iter;
    gpointer number;
    GHashTable *calls = s->ports ? g_hash_table_lookup(s->ports, &port->number) : NULL;
    if (!calls)
        return;
    g_hash_table_iter_init(&iter, calls);
    while (g_hash_table_iter_next(&iter, &number, NULL)) {
        waiting_call *w = g_hash_table_lookup(s->calls, number);
        w->ended_in = call->response.last_frame;
        w->ended_at = call->response.seconds;
    }
    g_hash_table_remove(s->ports, &port->number);
}

static void forget_waiting(waiting_state *s, uint64_t number, const waiting_call *w)
{
    GHashTable *calls = g_hash_table_lookup(s->ports, &w->port);
    if (calls && g_hash_table_remove(calls, &number) && g_hash_table_size(calls) == 0)
        g_hash_table_remove(s->ports, &w->port);
    waiting_connection *c = g_hash_table_lookup(s->connections, &w->connection);
    if (--c->calls == 0)
        g_hash_table_remove(s->connections, &w->connection);
    g_hash_table_remove(s->calls, &number);
}

static void note_time(waiting_state *s, const rpc_call *call, const rpc_message *m)
{
    waiting_connection *c = s->connections ? g_hash_table_lookup(s->connections, &call->association->connection) : NULL;
    s->last = MAX(s->last, m->seconds);
    if (c)
        c->last = MAX(c->last, m->seconds);
}

static void waiting_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    waiting_state *s = state;
    note_time(s, call, response ? &call->response : &call->request);
    if (call->request.kind == RPC_NONE || !call->method)
        return;
    const rpc_handle *port = port_of(v, call);
    if (!response && port && cmrp_waits(call->opnum))
        add_waiting(s, call, port);
    else if (response && port && ends_waiting(call->opnum) && call_outcome_of(call).success)
        end_waiting(s, call, port);
    if (!response || !cmrp_waits(call->opnum) || !s->calls)
        return;
    const waiting_call *w = g_hash_table_lookup(s->calls, &call->number);
    if (w && w->ended_in != 0)
        verifier_pass(v, self);
    if (w)
        forget_waiting(s, call->number, w);
}

static void waiting_closed(verifier *v, const rule *self, void *state, uint64_t connection)
{
    (void)v, (void)self;
    const waiting_state *s = state;
    waiting_connection *c = s->connections ? g_hash_table_lookup(s->connections, &connection) : NULL;
    if (c)
        c->ended = true;
}

/* A client that goes away takes what waits with it: when its connection ended is not known, only that it was there so long. */
static void judge_waiting(verifier *v, const rule *self, const waiting_state *s, const waiting_call *w)
{
    const waiting_connection *c = g_hash_table_lookup(s->connections, &w->connection);
    bool late = (c->ended ? c->last : s->last) - w->ended_at > GRACE_SECONDS;
    if (w->ended_in != 0)
        verifier_find(v, self, late ? VERDICT_WARNING : VERDICT_INCONCLUSIVE, late ? NULL : ic_truncated, NULL, w->frame,
                      "%s, though its port was unblocked or closed in frame %u%s", w->text, w->ended_in,
                      late ? "" : c->ended ? "; its connection ended as well" : "; the capture ends soon after");
}

static void waiting_end(verifier *v, const rule *self, void *state)
{
    waiting_state *s = state;
    GHashTableIter iter;
    gpointer value;
    if (!s->calls)
        return;
    g_hash_table_iter_init(&iter, s->calls);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        judge_waiting(v, self, s, value);
    g_clear_pointer(&s->calls, g_hash_table_unref);
    g_clear_pointer(&s->ports, g_hash_table_unref);
    g_clear_pointer(&s->connections, g_hash_table_unref);
}

/* --------------------------------------------------------------------------------------------------- C-28: filters */

enum { CHANGE_REGISTRY_SUBTREE = 0x00000080, CHANGE_RECONNECT = 0x00080000, CHANGE_CLUSTER_STATE = 0x20000000 };
#define CHANGE_HANDLE_CLOSE UINT32_C(0x80000000)

static void judge_filter(const cmrp_answered *a)
{
    uint32_t filter = cmrp_out(a, "dwFilter"), never = CHANGE_REGISTRY_SUBTREE | CHANGE_CLUSTER_STATE | CHANGE_HANDLE_CLOSE;
    if (a->call->version_major == 2)
        never |= CHANGE_RECONNECT;
    if (!a->outcome.success)
        return;
    if (filter & never)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with dwFilter 0x%08X, of which servers never return 0x%08X", filter,
                         filter & never);
    else
        verifier_pass(a->v, a->self);
}

static void check_filter(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->opnum == GET_NOTIFY)
        cmrp_with_answer(v, self, call, response, judge_filter);
}

/* ----------------------------------------------------------------------------------------------------- C-29: keys */

typedef struct {
    GHashTable *ports;    /* a port's number -> keys -> filter, all of what was asked for under this key */
    guint       count;    /* of the keys */
    GHashTable *sequences; /* of the calls of a connection, by its number */
    GHashTable *unread;   /* scopes of handles in which a registration could not be read, or may be missing, as a set */
    bool        overflow; /* there were too many to remember all */
} key_state;

static bool registers(uint16_t opnum)
{
    return (opnum >= 57 && opnum <= 64) || opnum == 90 || opnum == 91 || opnum == 99 || opnum == 100;
}

static void add_key(key_state *s, const rpc_handle *port, const call_values *in)
{
    uint64_t key = 0, filter = 0;
    if (!call_values_number(in, "dwNotifyKey", &key))
        return;
    if (s->count >= REMEMBERED_LIMIT) {
        s->overflow = true;
        return;
    }
    if (!call_values_number(in, "dwFilter", &filter))
        call_values_number(in, "Filter", &filter);
    if (!s->ports)
        s->ports = rule_table((GDestroyNotify)g_hash_table_unref);
    GHashTable *keys = g_hash_table_lookup(s->ports, &port->number);
    if (!keys) {
        keys = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(s->ports, rule_number(port->number), keys);
    }
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(keys, GUINT_TO_POINTER((guint)key)));
    if (g_hash_table_insert(keys, GUINT_TO_POINTER((guint)key), GUINT_TO_POINTER(before | (guint)filter)))
        s->count++;
}

static void note_unread(key_state *s, const rpc_call *call)
{
    if (!s->unread)
        s->unread = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (g_hash_table_size(s->unread) >= REMEMBERED_LIMIT)
        s->overflow = true;
    else
        g_hash_table_add(s->unread, rpc_handles_scope(call->association));
}

/* In place of events that got lost, servers of version 3.0 tell a client to reconnect, who need not have asked for that. */
static bool is_of_no_event(const rpc_call *call, uint64_t filter)
{
    return filter == 0 || (call->version_major == 3 && filter == CHANGE_RECONNECT);
}

/* That something was registered may have been lost from the capture, so that a broken rule is in doubt. */
static void judge_key(verifier *v, const rule *self, const key_state *s, const rpc_call *call, const rpc_handle *port)
{
    uint64_t key = 0, filter = 0;
    call_values *out = call_values_read(call, true);
    GHashTable *keys = s->ports ? g_hash_table_lookup(s->ports, &port->number) : NULL;
    call_values_number(out, "dwNotifyKey", &key);
    call_values_number(out, "dwFilter", &filter);
    call_values_free(out);
    bool known = keys && g_hash_table_contains(keys, GUINT_TO_POINTER((guint)key));
    guint asked = known ? GPOINTER_TO_UINT(g_hash_table_lookup(keys, GUINT_TO_POINTER((guint)key))) : 0;
    bool complete = !s->overflow && !(s->unread && g_hash_table_contains(s->unread, port->scope));
    if (is_of_no_event(call, filter))
        return;
    if ((asked & (guint)filter) == 0 && !complete)
        rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, GSIZE_TO_POINTER((gsize)port->number),
                           "from a port whose registrations are not all to be read in the capture");
    else if (!known)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, NULL, "with dwNotifyKey %u, which was not registered on this "
                           "port since frame %u opened it", (unsigned)key, port->opened_in);
    else if ((asked & (guint)filter) == 0)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, NULL, "with dwFilter 0x%08X, though 0x%08X was asked for under "
                           "dwNotifyKey %u",
                           (unsigned)filter, asked, (unsigned)key);
    else
        verifier_pass(v, self);
}

/* What is missing from the capture may have been a registration. */
static void note_sequence(key_state *s, const rpc_call *call, bool response)
{
    uint64_t connection = call->association->connection;
    if (call->association->transport == RPC_NCADG_IP_UDP)
        return;
    if (!s->sequences)
        s->sequences = rule_table(g_free);
    call_sequence *sequence = g_hash_table_lookup(s->sequences, &connection);
    if (!sequence && g_hash_table_size(s->sequences) >= REMEMBERED_LIMIT) {
        s->overflow = true;
        return;
    }
    if (!sequence) {
        sequence = g_new0(call_sequence, 1);
        g_hash_table_insert(s->sequences, rule_number(connection), sequence);
    }
    cmrp_note_call(sequence, call, response);
    if (sequence->gap)
        note_unread(s, call);
    sequence->gap = false;
}

static void key_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    key_state *s = state;
    note_sequence(s, call, response);
    if (call->request.kind == RPC_NONE || !call->method || (!registers(call->opnum) && call->opnum != GET_NOTIFY))
        return;
    const rpc_handle *port = port_of(v, call);
    if (!response) {
        call_values *in = cmrp_read_request(v, self, call);
        if (in && port && registers(call->opnum))
            add_key(s, port, in);
        else if (!in && registers(call->opnum))
            note_unread(s, call);
        call_values_free(in);
        return;
    }
    if (call->opnum != GET_NOTIFY || !port)
        return;
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    else if (outcome.success && !port->opened_by)
        rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, GSIZE_TO_POINTER((gsize)port->number),
                           "from a port whose opening is not in the capture");
    else if (outcome.success)
        judge_key(v, self, s, call, port);
}

static void key_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    key_state *s = state;
    g_clear_pointer(&s->ports, g_hash_table_unref);
    g_clear_pointer(&s->sequences, g_hash_table_unref);
    g_clear_pointer(&s->unread, g_hash_table_unref);
}

/* ----------------------------------------------------------------------------------------- C-30: registrations, version 2 */

enum { NOTIFY_VERSION = 2 };

typedef struct {
    const char *type;    /* of the handle that the object has */
    uint64_t    refused; /* flags that are not to be set: closing of handles, reconnecting, the cluster's state */
} object_kind;

static const object_kind object_kinds[] = {
    [CMRP_OBJECT_CLUSTER] = {"HCLUSTER_RPC", 0x0B},      [CMRP_OBJECT_GROUP] = {"HGROUP_RPC", 0x200},
    [CMRP_OBJECT_RESOURCE] = {"HRES_RPC", 0x200},        [CMRP_OBJECT_RESOURCE_TYPE] = {NULL, 0},
    [CMRP_OBJECT_NETINTERFACE] = {"HNETINTERFACE_RPC", 0x10}, [CMRP_OBJECT_NETWORK] = {"HNETWORK_RPC", 0x10},
    [CMRP_OBJECT_NODE] = {"HNODE_RPC", 0x80},            [CMRP_OBJECT_REGISTRY] = {"HKEY_RPC", 0x10},
    [CMRP_OBJECT_GROUP_SET] = {"HGROUPSET_RPC", 0x100},
};

typedef struct {
    uint64_t object, flags;
} filter_walk;

static void walk_filter(const ndr_event *e, void *user)
{
    filter_walk *w = user;
    if (e->kind != NDR_EV_VALUE || e->parent == 0)
        return;
    if (strcmp(e->name, "dwObjectType") == 0)
        w->object = e->value.number;
    else if (strcmp(e->name, "FilterFlags") == 0)
        w->flags = e->value.number;
}

/* What is wrong with the registration; NULL: nothing that can be seen. Free it. */
static char *wrong_registration(const verifier *v, const rpc_call *call, const call_values *in)
{
    ndr_stub stub;
    filter_walk w = {0};
    uint64_t version = 0, targeted = 0;
    const rpc_handle *port = port_of(v, call);
    const rpc_handle_use *object = rpc_handles_find(verifier_facts(v)->handles, call, false, "hObject");
    const char *have = object && object->handle && object->handle->type ? object->handle->type->name : NULL;
    call_values_number(in, "dwVersion", &version);
    call_values_number(in, "isTargetedAtObject", &targeted);
    if (!rpc_message_stub(call, &call->request, &stub) || rpc_message_walk(call, false, &stub, walk_filter, &w).code != NDR_OK)
        return NULL;
    const object_kind kind = w.object < G_N_ELEMENTS(object_kinds) ? object_kinds[w.object] : (object_kind){0};
    const char *wanted = targeted ? kind.type : kind.type ? "HCLUSTER_RPC" : NULL;
    if (version != NOTIFY_VERSION)
        return g_strdup_printf("with dwVersion %u; 2 is required", (unsigned)version);
    if (port && port->opened_by && strcmp(port->opened_by->name, "ApiCreateNotifyV2") != 0)
        return g_strdup_printf("on a port that %s opened; one of ApiCreateNotifyV2 is required", port->opened_by->name);
    if (w.flags & kind.refused)
        return g_strdup_printf("with FilterFlags 0x%" G_GINT64_MODIFIER "X, of which 0x%" G_GINT64_MODIFIER "X is not to be "
                               "set", w.flags,
                               w.flags & kind.refused);
    if (have && wanted && strcmp(have, wanted) != 0)
        return g_strdup_printf("for an object of type %u, %s, with a handle of type %s; %s is required", (unsigned)w.object,
                               targeted ? "targeted at it" : "not targeted at one", have, wanted);
    return NULL;
}

static void check_registration(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (response || call->version_major != 3 || call->opnum != ADD_NOTIFY_V2)
        return;
    call_values *in = cmrp_read_request(v, self, call);
    char *wrong = in ? wrong_registration(v, call, in) : NULL;
    if (wrong)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "%s", wrong);
    else if (in)
        verifier_pass(v, self);
    g_free(wrong);
    call_values_free(in);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_cmrp_notify[] = {
    {"C-26", "cmrp", RULE_MUST_NOT, "MS-CMRP 3.1.4.1.66, 3.1.4.2.66, 3.1.4.2.138, 3.1.4.2.143", "server",
     "What waits for an event is not answered before there is one, or the waiting is ended.",
     .state_size = sizeof(unblocked_state), .message = event_message, .end = event_end},

    {"C-27", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.107, 3.1.4.2.57", "server",
     "What waits for an event is answered when its port is unblocked or closed.",
     .state_size = sizeof(waiting_state), .message = waiting_message, .closed = waiting_closed, .end = waiting_end},

    {"C-28", "cmrp", RULE_MUST_NOT, "MS-CMRP 3.1.4.1.66, 3.1.4.2.66", "server",
     "ApiGetNotify returns no event that is the client's own to make.", .message = check_filter},

    {"C-29", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1.66, 3.1.4.2.66", "server",
     "ApiGetNotify returns a key that was registered on the port, and a change that was asked for under it.",
     .state_size = sizeof(key_state), .message = key_message, .end = key_end},

    {"C-30", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.137", "client",
     "ApiAddNotifyV2 has dwVersion 2, a port of its version, and a handle and flags that fit the object.",
     .message = check_registration},

    {0}
};
