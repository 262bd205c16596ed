/* call_values.c - the parameters of a message by name, and what a call came to.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/call_values.h"

#include <string.h>

typedef struct {
    const char *name; /* of the tables */
    uint64_t    number;
    char       *text; /* NULL */
} named_value;

struct call_values {
    GArray  *items;
    unsigned references;
};

/* What was read of the call that is held; a message that cannot be read gives NULL each time. */
static struct {
    const rpc_call *call; /* NULL: none is held */
    bool            known[2];
    call_values    *values[2];
} held;

static void keep_value(const ndr_event *e, void *user)
{
    GArray *items = user;
    if (e->kind != NDR_EV_VALUE || e->parent != 0)
        return;
    named_value item = {e->name, e->value.number, g_strdup(e->value.text)};
    g_array_append_val(items, item);
}

void call_values_free(call_values *values)
{
    if (!values || --values->references > 0)
        return;
    for (guint i = 0; i < values->items->len; i++)
        g_free(g_array_index(values->items, named_value, i).text);
    g_array_unref(values->items);
    g_free(values);
}

static call_values *read_message(const rpc_call *call, bool response)
{
    ndr_stub stub;
    if (!call->method || call->method->reserved || !rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return NULL;
    call_values *values = g_new0(call_values, 1);
    values->references = 1;
    values->items = g_array_new(FALSE, FALSE, sizeof(named_value));
    if (rpc_message_walk(call, response, &stub, keep_value, values->items).code == NDR_OK)
        return values;
    call_values_free(values);
    return NULL;
}

void call_values_hold(const rpc_call *call)
{
    held.call = call;
}

void call_values_release(void)
{
    for (int response = 0; response < 2; response++) {
        call_values_free(held.values[response]);
        held.values[response] = NULL;
        held.known[response] = false;
    }
    held.call = NULL;
}

call_values *call_values_read(const rpc_call *call, bool response)
{
    if (call != held.call)
        return read_message(call, response);
    if (!held.known[response]) {
        held.values[response] = read_message(call, response);
        held.known[response] = true;
    }
    if (held.values[response])
        held.values[response]->references++;
    return held.values[response];
}

static const named_value *find(const call_values *values, const char *name)
{
    for (guint i = 0; values && i < values->items->len; i++) {
        const named_value *item = &g_array_index(values->items, named_value, i);
        if (strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

bool call_values_number(const call_values *values, const char *name, uint64_t *number)
{
    const named_value *item = find(values, name);
    if (item && number)
        *number = item->number;
    return item;
}

const char *call_values_text(const call_values *values, const char *name)
{
    const named_value *item = find(values, name);
    return item ? item->text : NULL;
}

/* A method that returns a handle has its status in a parameter. */
static bool status_of(const rpc_call *call, const call_values *values, uint64_t *status)
{
    if (!call->method->returns || call->method->returns->kind != NDR_HANDLE)
        return call_values_number(values, "return", status);
    return call_values_number(values, "Status", status) || call_values_number(values, "rpc_error", status);
}

call_outcome call_outcome_of(const rpc_call *call)
{
    call_outcome outcome = {CALL_UNANSWERED, 0, false};
    if (call->response.kind == RPC_NONE)
        return outcome;
    outcome.end = CALL_FAULT;
    outcome.status = call->response.status;
    if (call->response.kind == RPC_FAULT)
        return outcome;
    call_values *values = call_values_read(call, true);
    uint64_t status = 0, rpc_status = 0;
    outcome = (call_outcome){CALL_UNREAD, 0, false};
    if (values && status_of(call, values, &status)) {
        call_values_number(values, "rpc_status", &rpc_status);
        outcome = (call_outcome){CALL_RETURNED, (uint32_t)status, status == 0 && rpc_status == 0};
    }
    call_values_free(values);
    return outcome;
}
