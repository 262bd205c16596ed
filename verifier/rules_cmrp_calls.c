/* rules_cmrp_calls.c - rules about the parameters and results of single methods, [MS-CMRP] v44.0, 2.2 and 3.1.4.
 *
 * Each is held against the calls of the methods it names, so that calls of others need not be readable. The tables of rules are
 * at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_cmrp.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- what the checks share */

call_values *cmrp_read_request(verifier *v, const rule *self, const rpc_call *call)
{
    call_values *in = call_values_read(call, false);
    if (!in)
        cmrp_find_unread_request(v, self, call);
    return in;
}

void cmrp_with_answer(verifier *v, const rule *self, const rpc_call *call, bool response, void (*fn)(const cmrp_answered *a))
{
    if (!response) {
        call_values_free(cmrp_read_request(v, self, call));
        return;
    }
    cmrp_answered a = {.v = v, .self = self, .call = call, .outcome = call_outcome_of(call)};
    if (a.outcome.end == CALL_UNANSWERED)
        cmrp_find_unanswered(v, self, call);
    if (a.outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    if (a.outcome.end != CALL_RETURNED)
        return;
    call_values *in = call_values_read(call, false), *out = call_values_read(call, true);
    a.in = in;
    a.out = out;
    if (in && out)
        fn(&a);
    call_values_free(in);
    call_values_free(out);
}

uint32_t cmrp_in(const cmrp_answered *a, const char *name)
{
    uint64_t number = 0;
    call_values_number(a->in, name, &number);
    return (uint32_t)number;
}

uint32_t cmrp_out(const cmrp_answered *a, const char *name)
{
    uint64_t number = 0;
    call_values_number(a->out, name, &number);
    return (uint32_t)number;
}

void cmrp_find_answer(const cmrp_answered *a, rule_verdict verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *rest = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    rule_find_response(a->v, a->self, a->call, verdict, NULL, NULL, "%s", rest);
    g_free(rest);
}

/* ------------------------------------------------------------------------------------------------------ C-09: access */

enum { OPEN_CLUSTER_EX = 117, OPEN_NET_INTERFACE_EX = 122, READ_ACCESS = 1, CHANGE_ACCESS = 2,
      MAXIMUM_ALLOWED = 0x02000000 };

static void judge_granted(const cmrp_answered *a)
{
    uint32_t desired = cmrp_in(a, "dwDesiredAccess"), granted = cmrp_out(a, "lpdwGrantedAccess");
    const uint32_t reads = READ_ACCESS | MAXIMUM_ALLOWED | CMRP_GENERIC_READ | CMRP_GENERIC_ALL;
    bool change_alone = (desired & CHANGE_ACCESS) && !(desired & reads);
    if (change_alone && a->outcome.success)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with success, though dwDesiredAccess 0x%08X asks for CLUSAPI_CHANGE_ACCESS (2) "
                         "without CLUSAPI_READ_ACCESS (1); ERROR_INVALID_PARAMETER is required", desired);
    else if (a->outcome.success && granted != CMRP_GENERIC_READ && granted != CMRP_GENERIC_ALL)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with lpdwGrantedAccess 0x%08X; GENERIC_READ (0x80000000) or GENERIC_ALL "
                         "(0x10000000) is required",
                    granted);
    else if (a->outcome.success || (change_alone && a->outcome.status == CMRP_INVALID_PARAMETER))
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "what was to be opened was refused");
}

static void check_granted(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->version_major == 3 && call->method && call->opnum >= OPEN_CLUSTER_EX && call->opnum <= OPEN_NET_INTERFACE_EX)
        cmrp_with_answer(v, self, call, response, judge_granted);
}

/* ------------------------------------------------------------------------------------------------------- C-10: names */

enum { SET_CLUSTER_NAME = 2, OPEN_NODE = 66, OPEN_NODE_EX = 118, NAME_OCTETS_2 = 32, NAME_OCTETS_3 = 128 };

static const char *name_parameter(const rpc_call *call)
{
    if (call->opnum == SET_CLUSTER_NAME)
        return "NewClusterName";
    return call->opnum == OPEN_NODE || call->opnum == OPEN_NODE_EX ? "lpszNodeName" : NULL;
}

/* Of a string as UTF-16 with its terminator. */
static size_t octets_of(const char *text)
{
    size_t units = 1;
    for (const char *c = text; *c; c = g_utf8_next_char(c))
        units += g_utf8_get_char(c) > 0xFFFF ? 2 : 1;
    return 2 * units;
}

static void check_name(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const char *parameter = call->method && call->request.kind != RPC_NONE ? name_parameter(call) : NULL;
    call_values *in = !parameter ? NULL : response ? call_values_read(call, false) : cmrp_read_request(v, self, call);
    const char *name = parameter ? call_values_text(in, parameter) : NULL;
    size_t length = name ? octets_of(name) : 0, limit = call->version_major == 2 ? NAME_OCTETS_2 : NAME_OCTETS_3;
    if (length > limit && !response)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with %s of %" G_GSIZE_FORMAT " octets; the limit of "
                          "version %u.0 is %"
                          G_GSIZE_FORMAT, parameter, length, call->version_major, limit);
    else if (length > limit && call_outcome_of(call).success)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, NULL, "with success, though %s has %" G_GSIZE_FORMAT " octets; "
                           "the limit of version %u.0 is %" G_GSIZE_FORMAT, parameter, length, call->version_major, limit);
    else if (name && !response)
        verifier_pass(v, self);
    call_values_free(in);
}

/* -------------------------------------------------------------------------------------------- C-11, C-12: reserved opnums */

static bool is_local_only(const ndr_method *method)
{
    return method->reserved && g_str_has_suffix(method->name, "NotUsedOnWire");
}

/* The opnum can be read even where the stub is sealed. */
static void check_local_only(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (response || !call->method)
        return;
    if (is_local_only(call->method))
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "(opnum %u), which is reserved for local use",
                          call->opnum);
    else
        verifier_pass(v, self);
}

static void check_reserved(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->request.kind == RPC_NONE || !call->method || !call->method->reserved || is_local_only(call->method))
        return;
    if (!response)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "(opnum %u), which is reserved for future use and should "
                          "not be sent",
                          call->opnum);
    else if (call->response.kind == RPC_RESPONSE)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "(opnum %u, reserved for future use) with a response; "
                           "fault 0x1C010002 is required", call->opnum);
}

/* ------------------------------------------------------------------------------------------- C-13, C-14: the password */

enum { SET_PASSWORD = 108, IGNORE_DOWN_NODES = 1 };

static void judge_not_implemented(const cmrp_answered *a)
{
    if (a->outcome.status == CMRP_CALL_NOT_IMPLEMENTED)
        verifier_pass(a->v, a->self);
    else
        cmrp_find_answer(a, VERDICT_VIOLATION, "with 0x%08X; version 3.0 always fails it with ERROR_CALL_NOT_IMPLEMENTED "
                         "(0x78)", a->outcome.status);
}

static void check_password_3(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->version_major != 3 || call->opnum != SET_PASSWORD)
        return;
    call_outcome outcome = response ? call_outcome_of(call) : (call_outcome){0};
    if (response && outcome.end == CALL_UNANSWERED)
        cmrp_find_unanswered(v, self, call);
    else if (outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    else if (outcome.end == CALL_RETURNED)
        judge_not_implemented(&(cmrp_answered){.v = v, .self = self, .call = call, .outcome = outcome});
}

static void judge_password_2(const cmrp_answered *a)
{
    uint32_t size = cmrp_in(a, "ReturnStatusBufferSize"), returned = cmrp_out(a, "SizeReturned");
    if (returned > size)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with SizeReturned %u, which is more than ReturnStatusBufferSize %u", returned,
                         size);
    else if (a->outcome.status == CMRP_MORE_DATA && cmrp_out(a, "ExpectedBufferSize") == 0)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with ERROR_MORE_DATA and without ExpectedBufferSize");
    else
        verifier_pass(a->v, a->self);
}

static void check_password_2(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    uint64_t flags = 0;
    if (call->version_major != 2 || call->opnum != SET_PASSWORD)
        return;
    if (response) {
        cmrp_with_answer(v, self, call, response, judge_password_2);
        return;
    }
    call_values *in = cmrp_read_request(v, self, call);
    if (call_values_number(in, "dwFlags", &flags) && (flags & ~(uint64_t)IGNORE_DOWN_NODES))
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with dwFlags 0x%X; only 1 is defined", (unsigned)flags);
    call_values_free(in);
}

/* ------------------------------------------------------------------------------------------- C-15, C-16: enumerations */

enum { CREATE_ENUM = 7, ENUM_TYPES = 0x3F };

static const uint32_t enum_types_alone[] = {0x80000000, 0x40000000};

static bool is_alone(uint32_t type)
{
    return type == enum_types_alone[0] || type == enum_types_alone[1];
}

static bool is_enum_type(uint32_t type)
{
    return is_alone(type) || (type & ~(uint32_t)ENUM_TYPES) == 0;
}

static void judge_enum_refused(const cmrp_answered *a)
{
    uint32_t type = cmrp_in(a, "dwType");
    if (!is_enum_type(type) && a->outcome.status != CMRP_INVALID_PARAMETER)
        cmrp_find_answer(a, VERDICT_WARNING, "with 0x%08X, though dwType is 0x%08X; ERROR_INVALID_PARAMETER is due",
                         a->outcome.status, type);
}

static void check_enum_type(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    uint64_t type = 0;
    if (call->opnum != CREATE_ENUM || call->request.kind == RPC_NONE)
        return;
    if (response) {
        cmrp_with_answer(v, self, call, response, judge_enum_refused);
        return;
    }
    call_values *in = cmrp_read_request(v, self, call);
    if (!call_values_number(in, "dwType", &type) || type == 0)
        ; /* whether nothing at all is one of them, the text leaves open */
    else if (is_enum_type((uint32_t)type))
        verifier_pass(v, self);
    else
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with dwType 0x%08X; it is a sum of 1 to 0x20, or "
                          "0x80000000 or 0x40000000 alone", (unsigned)type);
    call_values_free(in);
}

/* Methods that answer with an ENUM_LIST, and those of them whose dwType says what types there may be. */
static const uint8_t list_methods[] = {7, 22, 53, 85, 101, 103, 124, 125, 180, 181}, typed_lists[] = {7, 22, 53, 85, 101, 103};

typedef struct {
    bool     has_wrong_count, has_wrong_type;
    uint64_t count, expected, type;
    uint32_t asked; /* 0: types are not judged */
} list_walk;

static void walk_list(const ndr_event *e, void *user)
{
    list_walk *w = user;
    bool counts = e->kind == NDR_EV_NOTE && e->note == NDR_NOTE_SIZE_IS && e->row &&
        g_strcmp0(e->row->size_is, "EntryCount") == 0;
    if (counts && !w->has_wrong_count) {
        w->has_wrong_count = true;
        w->count = e->value.number;
        w->expected = e->expected;
    }
    if (e->kind != NDR_EV_VALUE || e->parent == 0 || w->asked == 0 || strcmp(e->name, "Type") != 0 || w->has_wrong_type)
        return;
    uint32_t type = (uint32_t)e->value.number;
    w->has_wrong_type = type == 0 || (type & (type - 1)) != 0 || (type & ~w->asked) != 0;
    w->type = type;
}

static void judge_list(const cmrp_answered *a)
{
    ndr_stub stub;
    list_walk w = {0};
    uint32_t asked = cmrp_in(a, "dwType");
    if (!a->outcome.success || !rpc_message_stub(a->call, &a->call->response, &stub))
        return;
    if (memchr(typed_lists, a->call->opnum, sizeof typed_lists) && !is_alone(asked))
        w.asked = asked;
    rpc_message_walk(a->call, true, &stub, walk_list, &w);
    if (w.has_wrong_count)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with an ENUM_LIST of %" G_GUINT64_FORMAT " entries whose EntryCount is "
                         "%" G_GUINT64_FORMAT, w.count,
                    w.expected);
    else if (w.has_wrong_type)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with an entry of Type 0x%X, which is none of those asked for (dwType 0x%X)",
                         (unsigned)w.type, asked);
    else
        verifier_pass(a->v, a->self);
}

static void check_list(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->method && call->opnum <= UINT8_MAX && memchr(list_methods, call->opnum, sizeof list_methods))
        cmrp_with_answer(v, self, call, response, judge_list);
}

/* ------------------------------------------------------------------------------------------------ C-17, C-18: the registry */

enum { SET_VALUE = 32, QUERY_VALUE = 34, ENUM_VALUE = 36, REG_QWORD = 11 };

static bool is_value_type(uint64_t type, uint16_t version)
{
    return type <= 4 || type == 7 || (version == 3 && type == REG_QWORD);
}

static void judge_answered_type(const cmrp_answered *a)
{
    const char *name = a->call->opnum == QUERY_VALUE ? "lpValueType" : "lpType";
    uint32_t type = cmrp_out(a, name);
    if (a->outcome.success && !is_value_type(type, a->call->version_major))
        cmrp_find_answer(a, VERDICT_WARNING, "with %s %u, which version %u.0 does not have", name, type, a->call->version_major);
    else if (a->outcome.success)
        verifier_pass(a->v, a->self);
}

static void check_value_type(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    uint64_t type;
    if (call->opnum == QUERY_VALUE || call->opnum == ENUM_VALUE)
        cmrp_with_answer(v, self, call, response, judge_answered_type);
    if (call->opnum != SET_VALUE || response)
        return;
    call_values *in = cmrp_read_request(v, self, call);
    if (call_values_number(in, "dwType", &type) && !is_value_type(type, call->version_major))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "with dwType %u, which version %u.0 does not have",
                          (unsigned)type,
                          call->version_major);
    else if (in)
        verifier_pass(v, self);
    call_values_free(in);
}

static void judge_query(const cmrp_answered *a)
{
    uint32_t size = cmrp_in(a, "cbData"), required = cmrp_out(a, "lpcbRequired");
    bool more = a->outcome.status == CMRP_MORE_DATA;
    if (more && required <= size)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with ERROR_MORE_DATA and lpcbRequired %u, though cbData is %u", required, size);
    else if (a->outcome.success && required > size)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with success and lpcbRequired %u, though cbData is %u", required, size);
    else if (more || a->outcome.success)
        verifier_pass(a->v, a->self);
}

static void check_query(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->opnum == QUERY_VALUE)
        cmrp_with_answer(v, self, call, response, judge_query);
}

/* -------------------------------------------------------------------------------------------------- C-32: reconnecting */

/* Clients, and pairs of clients and servers, that are remembered. */
enum { PAIRS_LIMIT = 4096 };

/* The codes that tell a client to reconnect, as far as servers send them: the others are of the client's own runtime. */
static bool tells_to_reconnect(uint32_t status, uint16_t version)
{
    enum { SHUTDOWN = 1115, SERVER_SHUTDOWN = 1255, NODE_NOT_READY = 5072, NODE_SHUTTING_DOWN = 5073 };
    return status == NODE_NOT_READY || status == NODE_SHUTTING_DOWN ||
           (version == 2 && (status == SHUTDOWN || status == SERVER_SHUTDOWN || status == CMRP_INVALID_HANDLE));
}

typedef struct {
    uint16_t version, opnum;
    uint32_t frame;
    char    *server; /* its address */
    char    *text;
} told_client;

typedef struct {
    GHashTable *clients; /* a client's address -> told_client: what it was told last */
} reconnect_state;

static void told_free(void *p)
{
    told_client *told = p;
    g_free(told->server);
    g_free(told->text);
    g_free(told);
}

static char *address_of(const char *endpoint)
{
    return g_strndup(endpoint, rule_address_length(endpoint));
}

static void note_told(reconnect_state *s, const rpc_call *call, const call_outcome *outcome)
{
    const rpc_association *a = call->association;
    if (!s->clients)
        s->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, told_free);
    if (g_hash_table_size(s->clients) >= PAIRS_LIMIT)
        return;
    told_client *told = g_new(told_client, 1);
    *told = (told_client){call->version_major, call->opnum, call->response.last_frame, address_of(a->server),
                          g_strdup_printf("%s answered %s of %s with %u, which tells it to reconnect", a->server,
                                          call->method->name, a->client, outcome->status)};
    g_hash_table_insert(s->clients, address_of(a->client), told);
}

/* Reconnecting is seen where the same method is sent to another node. */
static void reconnect_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    reconnect_state *s = state;
    const rpc_association *a = call->association;
    if (call->request.kind == RPC_NONE || !call->method)
        return;
    if (response) {
        const call_outcome outcome = call_outcome_of(call);
        if (outcome.end == CALL_RETURNED && tells_to_reconnect(outcome.status, call->version_major))
            note_told(s, call, &outcome);
        return;
    }
    if (!s->clients || g_hash_table_size(s->clients) == 0)
        return;
    char *client = address_of(a->client), *server = address_of(a->server);
    const told_client *told = g_hash_table_lookup(s->clients, client);
    if (told && told->version == call->version_major && told->opnum == call->opnum && strcmp(told->server, server) != 0) {
        verifier_pass(v, self);
        g_hash_table_remove(s->clients, client);
    }
    g_free(server);
    g_free(client);
}

static void reconnect_end(verifier *v, const rule *self, void *state)
{
    reconnect_state *s = state;
    GHashTableIter iter;
    gpointer value;
    if (!s->clients)
        return;
    g_hash_table_iter_init(&iter, s->clients);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const told_client *told = value;
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_cache, NULL, told->frame, "%s; whether it knew another node, and tried "
                      "it, is not in the capture", told->text);
    }
    g_clear_pointer(&s->clients, g_hash_table_unref);
}

/* ---------------------------------------------------------------------------------------------- C-33: how clients begin */

enum { GET_CLUSTER_NAME = 3, OPEN_CLUSTER = 0, CREATE_ENUM_EX = 125 };
enum { CALL_FAILED_DNE = 0x6BF, ATTEMPTS_MAX = 4 };

typedef struct {
    GHashTable *steps; /* "client server", addresses -> how far it has come */
    GHashTable *attempts; /* association -> its attempts */
} start_state;

/* How often in a row ApiGetClusterName has failed with CALL_FAILED_DNE, or may have. */
typedef struct {
    unsigned failed;
    bool     unread;
} attempts;

/* "SHOULD NOT exceed four attempts". */
static void count_attempts(verifier *v, const rule *self, start_state *s, const rpc_call *call, bool response)
{
    uint64_t number = call->association->number;
    if (!s->attempts)
        s->attempts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    attempts *so_far = g_hash_table_lookup(s->attempts, &number);
    if (!response && so_far && so_far->failed >= ATTEMPTS_MAX)
        rule_find_request(v, self, call, so_far->unread ? VERDICT_INCONCLUSIVE : VERDICT_WARNING,
                          so_far->unread ? ic_encrypted : NULL, rule_context_key(call, &call->request),
                          "after %u attempts in a row %s 0x6BF; four attempts should be the most", so_far->failed,
                          so_far->unread ? "may have failed with" : "had failed with");
    if (!response)
        return;
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end != CALL_UNREAD && outcome.status != CALL_FAILED_DNE) {
        g_hash_table_remove(s->attempts, &number);
        return;
    }
    if (!so_far && g_hash_table_size(s->attempts) >= PAIRS_LIMIT)
        return;
    if (!so_far)
        g_hash_table_insert(s->attempts, g_memdup2(&number, sizeof number), so_far = g_new0(attempts, 1));
    so_far->failed++;
    so_far->unread |= outcome.end == CALL_UNREAD;
}

/* Tools that need one call make that one, and reconnecting is what a client "can" do (3.2.1): one that begins in another order is
 * none that does, rather than one that does it wrong. What is left to break is how often the first call is tried. */
static void start_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    start_state *s = state;
    const rpc_association *a = call->association;
    if (call->method && call->opnum == GET_CLUSTER_NAME)
        count_attempts(v, self, s, call, response);
    if (response || !call->method)
        return;
    if (!s->steps)
        s->steps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char *pair = g_strdup_printf("%.*s %.*s", (int)rule_address_length(a->client), a->client,
                                 (int)rule_address_length(a->server), a->server);
    unsigned step = GPOINTER_TO_UINT(g_hash_table_lookup(s->steps, pair)), next = step;
    if (call->opnum == GET_CLUSTER_NAME)
        next = MAX(step, 1);
    else if (step == 1 && (call->opnum == OPEN_CLUSTER || call->opnum == OPEN_CLUSTER_EX))
        next = 2;
    else if (step == 2 && (call->opnum == CREATE_ENUM || call->opnum == CREATE_ENUM_EX))
        next = 3;
    if (next == 3 && step == 2)
        verifier_pass(v, self);
    if (next != step && g_hash_table_size(s->steps) < PAIRS_LIMIT)
        g_hash_table_insert(s->steps, g_steal_pointer(&pair), GUINT_TO_POINTER(next));
    g_free(pair);
}

static void start_end(verifier *v, const rule *self, void *state)
{
    start_state *s = state;
    if (s->steps)
        verifier_not_applicable(v, self, "no client began as one that connects to a cluster");
    g_clear_pointer(&s->steps, g_hash_table_unref);
    g_clear_pointer(&s->attempts, g_hash_table_unref);
}

/* -------------------------------------------------------------------------------------------- C-34 to C-37: single methods */

enum { MOVE_GROUP_EX = 132, MOVE_IGNORE_LOCKED = 1, MOVE_QUEUE = 4 };

static void judge_move(const cmrp_answered *a)
{
    uint32_t flags = cmrp_in(a, "dwMoveFlags"), status = a->outcome.status;
    if ((flags & (MOVE_IGNORE_LOCKED | MOVE_QUEUE)) != (MOVE_IGNORE_LOCKED | MOVE_QUEUE))
        return;
    if (status == 0 || status == CMRP_IO_PENDING)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with 0x%08X, though dwMoveFlags 0x%X holds both 1 and 4; ERROR_INVALID_PARAMETER "
                         "is required", status,
                    flags);
    else if (status == CMRP_INVALID_PARAMETER)
        verifier_pass(a->v, a->self);
}

static void check_move(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->version_major == 3 && call->opnum == MOVE_GROUP_EX)
        cmrp_with_answer(v, self, call, response, judge_move);
}

/* Members of a structure that a message carries, wherever they stand; the first of each name. */
typedef struct {
    const char *const *names; /* ends with NULL */
    uint64_t           numbers[3];
    bool               found[3];
} member_walk;

static void walk_members(const ndr_event *e, void *user)
{
    member_walk *w = user;
    for (size_t i = 0; e->kind == NDR_EV_VALUE && e->parent != 0 && w->names[i]; i++) {
        if (w->found[i] || strcmp(w->names[i], e->name) != 0)
            continue;
        w->found[i] = true;
        w->numbers[i] = e->value.number;
    }
}

/* False where the message cannot be read, or has no such structure. */
static bool read_members(const rpc_call *call, bool response, member_walk *w)
{
    ndr_stub stub;
    if (!rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return false;
    return rpc_message_walk(call, response, &stub, walk_members, w).code == NDR_OK && w->found[0];
}

enum { CREATE_GROUP_EX = 129, CREATE_KEY = 29, GET_CLUSTER_VERSION_2 = 102 };

static void check_group_info(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    static const char *const names[] = {"dwVersion", "dwGroupType", NULL};
    member_walk w = {.names = names};
    if (response || call->version_major != 3 || call->opnum != CREATE_GROUP_EX)
        return;
    call_values_free(cmrp_read_request(v, self, call));
    if (!read_members(call, false, &w))
        return;
    uint64_t type = w.numbers[1];
    if (w.numbers[0] != 1)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with dwVersion %u of CLUSTER_CREATE_GROUP_INFO_RPC; 1 "
                          "is required",
                          (unsigned)w.numbers[0]);
    else if (type == 1 || type == 2 || type == 4 || type == 5)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with dwGroupType %u, which clients do not create",
                          (unsigned)type);
    else
        verifier_pass(v, self);
}

static void check_inherit(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    static const char *const names[] = {"bInheritHandle", NULL};
    member_walk w = {.names = names};
    if (response || call->opnum != CREATE_KEY)
        return;
    call_values_free(cmrp_read_request(v, self, call));
    if (!read_members(call, false, &w))
        return;
    if (w.numbers[0] != 0)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with bInheritHandle %u of RPC_SECURITY_ATTRIBUTES; 0 is "
                          "required",
                          (unsigned)w.numbers[0]);
    else
        verifier_pass(v, self);
}

static void judge_version(const cmrp_answered *a)
{
    static const char *const names[] = {"dwSize", "dwFlags", "dwReserved", NULL};
    enum { SIZE = 20 };
    member_walk w = {.names = names};
    if (!a->outcome.success || !read_members(a->call, true, &w))
        return;
    if (w.numbers[0] != SIZE || w.numbers[1] > 1 || w.numbers[2] != 0)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with CLUSTER_OPERATIONAL_VERSION_INFO of dwSize %u, dwFlags 0x%X, dwReserved "
                         "0x%X; 20, 0 or 1, and 0 "
                    "are required", (unsigned)w.numbers[0], (unsigned)w.numbers[1], (unsigned)w.numbers[2]);
    else
        verifier_pass(a->v, a->self);
}

static void check_version(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->opnum == GET_CLUSTER_VERSION_2)
        cmrp_with_answer(v, self, call, response, judge_version);
}

/* ------------------------------------------------------------------------------------------------------ C-38: rpc_status */

static bool has_rpc_status(const ndr_method *method)
{
    for (const ndr_field *row = method->params; row && row->type; row++)
        if (strcmp(row->name, "rpc_status") == 0)
            return true;
    return false;
}

static void note_trailing(const ndr_event *e, void *user)
{
    if (e->kind == NDR_EV_NOTE && e->note == NDR_NOTE_TRAILING && !e->decoded)
        *(bool *)user = true;
}

/* A response that lacks it is one of version 2.0, to the octet. */
static bool is_of_version_2(const rpc_call *call, const ndr_stub *stub)
{
    bool trailing = false;
    if (call->opnum >= cmrp_interface_2.method_count)
        return false;
    const ndr_method *method = interfaces_method(&cmrp_interface_2, call->opnum);
    return ndr_walk_response(&cmrp_interface_2, method, stub, NULL, note_trailing, &trailing).code == NDR_OK && !trailing;
}

static void check_rpc_status(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    ndr_stub stub;
    if (!response || call->version_major != 3 || !call->method || call->method->reserved || call->response.kind != RPC_RESPONSE ||
        !has_rpc_status(call->method))
        return;
    if (!rpc_message_stub(call, &call->response, &stub) || stub.length < stub.reported) {
        cmrp_find_unread(v, self, call);
        return;
    }
    call_values *whole = call_values_read(call, true);
    if (whole)
        verifier_pass(v, self);
    else if (is_of_version_2(call, &stub))
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "as version 2.0 has it, without the rpc_status of "
                           "version 3.0");
    call_values_free(whole);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_cmrp_calls[] = {
    {"C-09", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.116 to .121", "server",
     "GENERIC_READ or GENERIC_ALL is granted; to ask for change without read is ERROR_INVALID_PARAMETER.",
     .unanswered = true, .message = check_granted},

    {"C-10", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1, 3.1.4.2", "both",
     "Names of clusters and nodes have at most 32 octets in version 2.0 and 128 in version 3.0, terminator included.",
     .message = check_name},

    {"C-11", "cmrp", RULE_MUST_NOT, "MS-CMRP 3.1.4.1, 3.1.4.2", "client",
     "Opnums that are reserved for local use are not sent.", .message = check_local_only},

    {"C-12", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "both",
     "Opnums that are reserved for future use should not be sent, and are answered with a fault.", .message = check_reserved},

    {"C-13", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.108", "server",
     "Version 3.0: ApiSetServiceAccountPassword always fails with ERROR_CALL_NOT_IMPLEMENTED.",
     .unanswered = true, .message = check_password_3},

    {"C-14", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1.108, 2.2.2.9", "both",
     "Version 2.0: ApiSetServiceAccountPassword has no flag but 1, and its sizes agree.",
     .unanswered = true, .message = check_password_2},

    {"C-15", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1.8, 3.1.4.2.8", "both",
     "ApiCreateEnum asks for types that there are, those of the two highest bits alone.", .message = check_enum_type},

    {"C-16", "cmrp", RULE_MUST, "MS-CMRP 2.2.3.4, 2.2.3.5", "server",
     "A list has as many entries as it says, each of a type that was asked for.", .unanswered = true, .message = check_list},

    {"C-17", "cmrp", RULE_SHOULD, "MS-CMRP 3.1.4.1.33, 3.1.4.2.33", "both",
     "Registry values are of the types that the version has.", .message = check_value_type},

    {"C-18", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.35", "server",
     "ApiQueryValue tells in lpcbRequired what it needs or what it wrote.", .unanswered = true, .message = check_query},

    {0}
};

const rule rules_cmrp_rest[] = {
    {"C-31", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1, 3.1.4.2", "server",
     "A server that is read-only or not active refuses with the codes for that.", .message = NULL},

    {"C-32", "cmrp", RULE_SHOULD, "MS-CMRP 3.2.4.6", "client",
     "A client that is told to reconnect goes on with another node.",
     .state_size = sizeof(reconnect_state), .message = reconnect_message, .end = reconnect_end},

    {"C-33", "cmrp", RULE_SHOULD, "MS-CMRP 3.2.3.3", "client",
     "A client connects with ApiGetClusterName, in at most four attempts, ApiOpenCluster or ApiOpenClusterEx, and ApiCreateEnum.",
     .state_size = sizeof(start_state), .message = start_message, .end = start_end},

    {"C-34", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.131", "server",
     "ApiMoveGroupEx with the flags 1 and 4 together is ERROR_INVALID_PARAMETER.", .message = check_move},

    {"C-35", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.128, 2.2.3.21", "client",
     "ApiCreateGroupEx has dwVersion 1 and none of the cluster's own group types.", .message = check_group_info},

    {"C-36", "cmrp", RULE_MUST, "MS-CMRP 2.2.3.2", "client",
     "bInheritHandle of RPC_SECURITY_ATTRIBUTES is 0.", .message = check_inherit},

    {"C-37", "cmrp", RULE_MUST, "MS-CMRP 2.2.3.3", "server",
     "CLUSTER_OPERATIONAL_VERSION_INFO has dwSize 20, dwFlags 0 or 1, and dwReserved 0.",
     .unanswered = true, .message = check_version},

    {"C-38", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2", "server",
     "Version 3.0: rpc_status is in the responses of the methods that have it.", .message = check_rpc_status},

    {0}
};
