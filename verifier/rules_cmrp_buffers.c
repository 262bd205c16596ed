/* rules_cmrp_buffers.c - rules about control codes and what lies in buffers: property lists and batches, [MS-CMRP] v44.0, 2.2.3,
 * 3.1.4.3.
 *
 * The table of rules is at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_cmrp.h"

#include <string.h>

#include "decoders/cmrp_controls.h"
#include "decoders/cmrp_properties.h"

/* -------------------------------------------------------------------------------------------- C-19 to C-21: control codes */

enum { OBJECT_RESOURCE = 1, OBJECT_TYPE, OBJECT_GROUP, OBJECT_NODE, OBJECT_NETWORK, OBJECT_NET_INTERFACE, OBJECT_CLUSTER,
      OBJECT_GROUP_SET,
       MODIFIES = 0x00400000 };

/* What a control method's codes are for, by the method; 0: it is none. */
static unsigned object_of(const rpc_call *call)
{
    static const struct { uint16_t opnum; uint8_t object; } methods[] = {
        {72, OBJECT_RESOURCE}, {73, OBJECT_RESOURCE}, {74, OBJECT_TYPE}, {75, OBJECT_TYPE}, {76, OBJECT_GROUP},
        {77, OBJECT_GROUP},
        {78, OBJECT_NODE}, {79, OBJECT_NODE}, {88, OBJECT_NETWORK}, {89, OBJECT_NETWORK}, {97, OBJECT_NET_INTERFACE},
        {98, OBJECT_NET_INTERFACE}, {105, OBJECT_CLUSTER}, {106, OBJECT_CLUSTER}, {173, OBJECT_GROUP_SET},
        {174, OBJECT_GROUP_SET},
    };
    for (size_t i = 0; call->method && call->request.kind != RPC_NONE && i < G_N_ELEMENTS(methods); i++)
        if (methods[i].opnum == call->opnum)
            return methods[i].object;
    return 0;
}

static void judge_control(const cmrp_answered *a)
{
    uint32_t size = cmrp_in(a, "nOutBufferSize"), returned = cmrp_out(a, "lpBytesReturned"),
        required = cmrp_out(a, "lpcbRequired");
    if (returned > size)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with lpBytesReturned %u, which is more than nOutBufferSize %u", returned, size);
    else if (a->outcome.status == CMRP_MORE_DATA && required == 0)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with ERROR_MORE_DATA and without lpcbRequired");
    else if (a->outcome.success && returned == 0 && required != 0)
        cmrp_find_answer(a, VERDICT_WARNING, "with success and no data, and yet with lpcbRequired %u", required);
    else
        verifier_pass(a->v, a->self);
}

static void check_control(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (object_of(call) != 0)
        cmrp_with_answer(v, self, call, response, judge_control);
}

static const char *control_name(uint32_t code)
{
    for (const ndr_name *name = cmrp_control_codes; name->name; name++)
        if (name->value == code)
            return name->name;
    return NULL;
}

/* A few codes have the octet of one object and the name of another (0x07002121 and its like); which method they are for is
 * open. */
static bool is_judged(uint32_t code, uint32_t object)
{
    static const char *const prefixes[] = {
        [OBJECT_RESOURCE] = "CLUSCTL_RESOURCE_", [OBJECT_TYPE] = "CLUSCTL_RESOURCE_TYPE_", [OBJECT_GROUP] = "CLUSCTL_GROUP_",
        [OBJECT_NODE] = "CLUSCTL_NODE_", [OBJECT_NETWORK] = "CLUSCTL_NETWORK_", [OBJECT_NET_INTERFACE] = "CLUSCTL_NETINTERFACE_",
        [OBJECT_CLUSTER] = "CLUSCTL_CLUSTER_", [OBJECT_GROUP_SET] = "CLUSCTL_GROUPSET_",
    };
    const char *name = control_name(code);
    if (object < OBJECT_RESOURCE || object > OBJECT_GROUP_SET)
        return false;
    return !name || (g_str_has_prefix(name, prefixes[object]) &&
                     !(object == OBJECT_RESOURCE && g_str_has_prefix(name, prefixes[OBJECT_TYPE])));
}

static void check_control_object(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    uint64_t number = 0;
    unsigned object = object_of(call);
    if (response || object == 0)
        return;
    call_values *in = cmrp_read_request(v, self, call);
    bool read = call_values_number(in, "dwControlCode", &number);
    uint32_t code = (uint32_t)number, of_code = code >> 24;
    call_values_free(in);
    if (!read)
        return;
    if (of_code == object) {
        verifier_pass(v, self);
    } else if (is_judged(code, of_code)) {
        const char *name = control_name(code);
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with dwControlCode 0x%08X%s%s%s, whose object is %u; "
                          "the method's is %u",
                          code, name ? " (" : "", name ? name : "", name ? ")" : "", of_code, object);
    }
}

/* Some codes have exceptions of their own, so that a broken rule is in doubt. */
static void check_control_access(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    uint64_t code = 0;
    size_t count;
    if (call->version_major != 3 || object_of(call) == 0)
        return;
    call_values *in = response ? call_values_read(call, false) : cmrp_read_request(v, self, call);
    bool modifies = call_values_number(in, "dwControlCode", &code) && (code & MODIFIES);
    call_values_free(in);
    const rpc_handle_use *first = rpc_handles_used(verifier_facts(v)->handles, call, false, &count);
    if (!response || !modifies || cmrp_find_unknown(v, self, call, first, count) || count == 0 || !first->handle ||
        !first->handle->access_known || first->handle->access != CMRP_GENERIC_READ)
        return;
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNREAD) {
        cmrp_find_unread(v, self, call);
    } else if (cmrp_is_done(&outcome)) {
        char *text = cmrp_handle_text(first), *result = cmrp_result_text(&outcome);
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, NULL, "with %s, though dwControlCode 0x%08X modifies and %s was "
                           "opened with GENERIC_READ alone", result, (unsigned)code, text);
        g_free(result);
        g_free(text);
    } else if (outcome.status == CMRP_ACCESS_DENIED) {
        verifier_pass(v, self);
    }
}

/* -------------------------------------------------------------------------------------------- C-22, C-23: property lists */

enum { SYNTAX_EXPAND_SZ = 0x00010004, SYNTAX_EXPANDED_SZ = 0x00010008 };

/* Codes whose buffer is a property list; their names say so. */
static bool has_properties(uint32_t code)
{
    const char *name = control_name(code);
    return name && g_str_has_suffix(name, "_PROPERTIES") && !strstr(name, "_ENUM_");
}

typedef struct {
    uint32_t list;      /* the BEGIN of the property list; 0: none so far */
    bool     malformed;
    size_t   offset;
    bool     expanded;  /* a value has the format EXPANDED_SZ */
    bool     pending;   /* the value before was an EXPAND_SZ, which its EXPANDED_SZ should follow */
    bool     unpaired;
} list_walk;

static void walk_properties(const ndr_event *e, void *user)
{
    list_walk *w = user;
    if (e->kind == NDR_EV_BEGIN && e->decoded && strcmp(e->type->name, PROPERTY_LIST->name) == 0)
        w->list = e->id;
    if (w->list == 0)
        return;
    if (e->kind == NDR_EV_NOTE && e->note == NDR_NOTE_BLOB && e->parent == w->list) {
        w->malformed = true;
        w->offset = e->offset;
    }
    if (e->kind == NDR_EV_END && e->id == w->list)
        w->unpaired |= w->pending;
    if (e->kind != NDR_EV_VALUE || strcmp(e->name, "Syntax") != 0)
        return;
    w->expanded |= e->value.number == SYNTAX_EXPANDED_SZ;
    w->unpaired |= w->pending && e->value.number != SYNTAX_EXPANDED_SZ;
    w->pending = e->value.number == SYNTAX_EXPAND_SZ;
}

/* Whether the message carries a property list, as its control code says. */
static bool read_properties(const rpc_call *call, bool response, list_walk *w)
{
    ndr_stub stub;
    uint64_t code = 0;
    call_values *in = call_values_read(call, false);
    bool carries = call_values_number(in, "dwControlCode", &code) && has_properties((uint32_t)code);
    call_values_free(in);
    if (!carries || !rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return false;
    return rpc_message_walk(call, response, &stub, walk_properties, w).code == NDR_OK && w->list != 0;
}

/* For a request, or for an answer with success; says so when it cannot be read. */
static bool find_properties(verifier *v, const rule *self, const rpc_call *call, bool response, list_walk *w)
{
    if (object_of(call) == 0)
        return false;
    if (!response) {
        call_values *in = cmrp_read_request(v, self, call);
        call_values_free(in);
        return in && read_properties(call, false, w);
    }
    call_outcome outcome = call_outcome_of(call);
    if (outcome.end == CALL_UNREAD)
        cmrp_find_unread(v, self, call);
    return outcome.success && read_properties(call, true, w);
}

static void check_properties(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    list_walk w = {0};
    if (!find_properties(v, self, call, response, &w))
        return;
    if (!w.malformed)
        verifier_pass(v, self);
    else if (response)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a property list that is malformed at octet "
                           "%" G_GSIZE_FORMAT
                           " of the stub", w.offset);
    else
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a property list that is malformed at octet "
                          "%" G_GSIZE_FORMAT
                          " of the stub", w.offset);
}

static void check_formats(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    list_walk w = {0};
    if (!find_properties(v, self, call, response, &w) || w.malformed)
        return;
    if (!response && w.expanded)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a property value of the format EXPANDED_SZ, which "
                          "servers alone send");
    else if (response && w.unpaired)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a property value of the format EXPAND_SZ that no "
                           "EXPANDED_SZ follows");
    else
        verifier_pass(v, self);
}

/* ------------------------------------------------------------------------------------------------- C-24, C-25: batches */

enum { EXECUTE_BATCH = 113, EXECUTE_READ_BATCH = 145, EXECUTE_READ_BATCH_EX = 157, BATCH_VERSION = 1 };
enum { COMMAND_SET_VALUE = 1, COMMAND_CREATE_KEY = 2, COMMAND_DELETE_KEY = 3, COMMAND_DELETE_VALUE = 4, COMMAND_READ_ERROR = 9 };

typedef struct {
    uint32_t type;
    char    *name;
} batch_command;

typedef struct {
    bool     is_batch, malformed;
    uint32_t list;
    uint32_t version;
    uint32_t commands;
    bool     deleted;  /* the last command about keys deleted one */
    uint32_t orphan;   /* the number, from 1, of a command about values after that; 0 */
    GArray  *each;     /* of batch_command; NULL: they are not asked for */
} batch_walk;

static void walk_command(batch_walk *w, uint32_t command)
{
    const batch_command item = {command, NULL};
    w->commands++;
    if (w->each)
        g_array_append_val(w->each, item);
    if (command == COMMAND_DELETE_KEY || command == COMMAND_CREATE_KEY)
        w->deleted = command == COMMAND_DELETE_KEY;
    if ((command == COMMAND_SET_VALUE || command == COMMAND_DELETE_VALUE) && w->deleted && w->orphan == 0)
        w->orphan = w->commands;
}

static void name_command(batch_command *command, const char *name)
{
    g_free(command->name);
    command->name = g_strdup(name);
}

static void walk_batch(const ndr_event *e, void *user)
{
    batch_walk *w = user;
    if (e->kind == NDR_EV_BEGIN && e->decoded && strcmp(e->type->name, CLUSTER_REG_BATCH_UPDATE->name) == 0) {
        w->is_batch = true;
        w->list = e->id;
    }
    if (!w->is_batch)
        return;
    w->malformed |= e->kind == NDR_EV_NOTE && e->note == NDR_NOTE_BLOB && e->parent == w->list;
    if (e->kind != NDR_EV_VALUE)
        return;
    if (e->parent == w->list && strcmp(e->name, "VersionNumber") == 0)
        w->version = (uint32_t)e->value.number;
    else if (strcmp(e->name, "CommandType") == 0)
        walk_command(w, (uint32_t)e->value.number);
    else if (strcmp(e->name, "Name") == 0 && w->each && w->each->len > 0)
        name_command(&g_array_index(w->each, batch_command, w->each->len - 1), e->value.text);
}

static bool read_batch(const rpc_call *call, bool response, batch_walk *w)
{
    ndr_stub stub;
    if (!rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return false;
    return rpc_message_walk(call, response, &stub, walk_batch, w).code == NDR_OK && w->is_batch && !w->malformed;
}

static void judge_batch(const cmrp_answered *a)
{
    batch_walk w = {0};
    if (!read_batch(a->call, false, &w) || w.orphan == 0)
        return;
    if (a->outcome.success)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with success, though command %u is about a value after a key was deleted and "
                         "none created; ERROR_INVALID_PARAMETER is required", w.orphan);
    else if (a->outcome.status == CMRP_INVALID_PARAMETER)
        verifier_pass(a->v, a->self);
}

static void check_batch(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    batch_walk w = {0};
    if (call->version_major != 3 || call->opnum != EXECUTE_BATCH || call->request.kind == RPC_NONE)
        return;
    cmrp_with_answer(v, self, call, response, judge_batch);
    if (response || !read_batch(call, false, &w))
        return;
    if (w.version != BATCH_VERSION)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a batch of version %u; 1 is required", w.version);
    else
        verifier_pass(v, self);
}

/* The number, from 1, of the first command whose answer is about something else; 0. An error may stand for any. */
static guint wrong_answer(const GArray *asked, const GArray *told)
{
    for (guint i = 0; i < asked->len; i++) {
        const batch_command *x = &g_array_index(asked, batch_command, i), *y = &g_array_index(told, batch_command, i);
        if (y->type == COMMAND_READ_ERROR)
            continue;
        if (x->type != y->type || (x->name && y->name && g_ascii_strcasecmp(x->name, y->name) != 0))
            return i + 1;
    }
    return 0;
}

static void compare_batches(const cmrp_answered *a, const batch_walk *asked, const batch_walk *told)
{
    guint wrong = asked->commands == told->commands ? wrong_answer(asked->each, told->each) : 0;
    if (asked->commands != told->commands)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with a batch of %u commands, where %u were asked", told->commands,
                         asked->commands);
    else if (wrong > 0)
        cmrp_find_answer(a, VERDICT_VIOLATION, "with a batch whose command %u (\"%s\") does not answer the one that was asked "
                         "there (\"%s\")", wrong, g_array_index(told->each, batch_command, wrong - 1).name,
                         g_array_index(asked->each, batch_command, wrong - 1).name);
    else
        verifier_pass(a->v, a->self);
}

static void clear_command(gpointer command)
{
    g_free(((batch_command *)command)->name);
}

static void judge_read_batch(const cmrp_answered *a)
{
    if (!a->outcome.success)
        return;
    batch_walk walks[2] = {0};
    for (int response = 0; response < 2; response++) {
        walks[response].each = g_array_new(FALSE, FALSE, sizeof(batch_command));
        g_array_set_clear_func(walks[response].each, clear_command);
    }
    if (read_batch(a->call, false, &walks[0]) && read_batch(a->call, true, &walks[1]))
        compare_batches(a, &walks[0], &walks[1]);
    for (int response = 0; response < 2; response++)
        g_array_unref(walks[response].each);
}

static void check_read_batch(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (call->version_major == 3 && (call->opnum == EXECUTE_READ_BATCH || call->opnum == EXECUTE_READ_BATCH_EX))
        cmrp_with_answer(v, self, call, response, judge_read_batch);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_cmrp_buffers[] = {
    {"C-19", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.1.74, 3.1.4.2.74 and their like", "server",
     "Control methods return no more than fits, and tell in lpcbRequired what would be needed.",
     .unanswered = true, .message = check_control},

    {"C-20", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.3", "client",
     "A control code is one for the object of its method.", .message = check_control_object},

    {"C-21", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.74", "server",
     "A control code that modifies takes a handle opened for all.", .message = check_control_access},

    {"C-22", "cmrp", RULE_MUST, "MS-CMRP 2.2.3.10", "both",
     "A property list is well formed: a count, and for each property its name and values, each with its size.",
     .message = check_properties},

    {"C-23", "cmrp", RULE_MUST_NOT, "MS-CMRP 2.2.2.3, 2.2.3.10", "both",
     "Clients do not send values of the format EXPANDED_SZ, which servers pair with EXPAND_SZ.", .message = check_formats},

    {"C-24", "cmrp", RULE_MUST, "MS-CMRP 2.2.3.17, 3.1.4.2.112", "both",
     "A batch has version 1; a value's command after a deleted key is ERROR_INVALID_PARAMETER.", .message = check_batch},

    {"C-25", "cmrp", RULE_MUST, "MS-CMRP 3.1.4.2.141, 3.1.4.2.145", "server",
     "A read batch is answered with a command for each that was asked, in the same order.",
     .unanswered = true, .message = check_read_batch},

    {0}
};
