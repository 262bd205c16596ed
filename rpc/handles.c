/* handles.c - context handles through their life ([C706] 6.1.6, [MS-RPCE] 3.3.1.4.1).
 *
 * A table finds the handle that some octets mean now. Handles are held by that table and by the messages that use them, so that
 * one that was closed, or pushed out by too many others, lives as long as a message that shows it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rpc/handles.h"

#include <string.h>

/* Handles that are followed at a time. Clients hold some hundreds; the bound only stops a hostile capture. Closed ones go
 * first. */
enum { HANDLES_LIMIT = 65536 };
/* A registry key's handle is named by the way to it, which grows with each key that is opened below another. */
enum { NAME_LIMIT = 4096 };

typedef struct {
    rpc_handle pub; /* the first member */
    unsigned   holders;
    GList     *link;  /* in one of the queues; NULL: pushed out */
    GQueue    *queue;
} tracked;

typedef struct {
    GArray *uses[2]; /* rpc_handle_use of the request and of the response; NULL */
} call_uses;

struct rpc_handles {
    bool        forget;
    uint64_t    count;
    GHashTable *now;            /* of tracked, as a set: by scope and octets */
    GQueue      open, closed;   /* of tracked, oldest first */
    GHashTable *calls;          /* a call's number -> call_uses */
    uint64_t    scope_of;       /* the association whose scope was made last */
    uint64_t    scope_group;
    char       *scope;          /* GRefString */
};

/* ------------------------------------------------------------------------------------------------- making, freeing */

static guint tracked_hash(gconstpointer p)
{
    const tracked *h = p;
    const ndr_guid *u = &h->pub.uuid;
    uint32_t last;
    memcpy(&last, u->data4 + 4, sizeof last);
    return u->data1 ^ ((guint)u->data2 << 16 | u->data3) * 31 ^ last ^ h->pub.attributes ^ g_str_hash(h->pub.scope);
}

static gboolean tracked_equal(gconstpointer a, gconstpointer b)
{
    const tracked *x = a, *y = b;
    return x->pub.attributes == y->pub.attributes && ndr_guid_equal(&x->pub.uuid, &y->pub.uuid) &&
           strcmp(x->pub.scope, y->pub.scope) == 0;
}

static void release(tracked *h)
{
    if (--h->holders > 0)
        return;
    g_ref_string_release((char *)h->pub.scope); /* a GRefString */
    g_free((char *)h->pub.name);
    g_free(h);
}

static void release_uses(GArray *uses)
{
    for (guint i = 0; uses && i < uses->len; i++) {
        const rpc_handle_use *use = &g_array_index(uses, rpc_handle_use, i);
        if (use->handle)
            release((tracked *)(uintptr_t)use->handle);
    }
    if (uses)
        g_array_unref(uses);
}

static void call_uses_free(void *p)
{
    call_uses *c = p;
    release_uses(c->uses[0]);
    release_uses(c->uses[1]);
    g_free(c);
}

rpc_handles *rpc_handles_new(bool forget)
{
    rpc_handles *handles = g_new0(rpc_handles, 1);
    handles->forget = forget;
    handles->now = g_hash_table_new(tracked_hash, tracked_equal);
    g_queue_init(&handles->open);
    g_queue_init(&handles->closed);
    handles->calls = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, call_uses_free);
    return handles;
}

static void push_out(rpc_handles *handles, tracked *h)
{
    g_queue_delete_link(h->queue, h->link);
    h->link = NULL;
    if (g_hash_table_lookup(handles->now, h) == h)
        g_hash_table_remove(handles->now, h);
    release(h);
}

void rpc_handles_free(rpc_handles *handles)
{
    if (!handles)
        return;
    g_hash_table_unref(handles->calls);
    while (handles->open.head)
        push_out(handles, handles->open.head->data);
    while (handles->closed.head)
        push_out(handles, handles->closed.head->data);
    g_hash_table_unref(handles->now);
    if (handles->scope)
        g_ref_string_release(handles->scope);
    g_free(handles);
}

/* -------------------------------------------------------------------------------------------------- where they mean something */

/* Datagrams have no groups: what is opened in one activity is used in others of the same client. */
char *rpc_handles_scope(const rpc_association *a)
{
    const char *port = strrchr(a->client, ':');
    int client = port ? (int)(port - a->client) : (int)strlen(a->client);
    if (a->transport == RPC_NCADG_IP_UDP)
        return g_strdup_printf("%.*s %s", client, a->client, a->server);
    return g_strdup_printf("%" G_GUINT64_FORMAT, a->group);
}

static char *scope_of(rpc_handles *handles, const rpc_association *a)
{
    if (handles->scope_of == a->number && handles->scope_group == a->group)
        return handles->scope;
    if (handles->scope)
        g_ref_string_release(handles->scope);
    char *text = rpc_handles_scope(a);
    handles->scope = g_ref_string_new(text);
    g_free(text);
    handles->scope_of = a->number;
    handles->scope_group = a->group;
    return handles->scope;
}

static bool is_null(const ndr_value *value)
{
    static const ndr_guid zero;
    return value->number == 0 && ndr_guid_equal(&value->guid, &zero);
}

static tracked *find(rpc_handles *handles, const rpc_call *call, const ndr_value *value)
{
    const tracked sought = {.pub = {.attributes = (uint32_t)value->number, .uuid = value->guid,
                                    .scope = scope_of(handles, call->association)}};
    return g_hash_table_lookup(handles->now, &sought);
}

static tracked *begin(rpc_handles *handles, const rpc_call *call, const ndr_value *value)
{
    if (handles->open.length + handles->closed.length >= HANDLES_LIMIT)
        push_out(handles, handles->closed.head ? handles->closed.head->data : handles->open.head->data);
    tracked *h = g_new0(tracked, 1);
    h->pub = (rpc_handle){.number = ++handles->count, .attributes = (uint32_t)value->number, .uuid = value->guid,
                          .interface = call->interface, .scope = g_ref_string_acquire(scope_of(handles, call->association))};
    h->holders = 1;
    g_queue_push_tail(&handles->open, h);
    h->queue = &handles->open;
    h->link = handles->open.tail;
    g_hash_table_replace(handles->now, h, h);
    return h;
}

static void note_closed(rpc_handles *handles, tracked *h, const rpc_call *call, uint32_t frame)
{
    if (h->pub.closed_by)
        return;
    h->pub.closed_by = call->method;
    h->pub.closed_in = frame;
    if (!h->link)
        return;
    g_queue_unlink(&handles->open, h->link);
    g_queue_push_tail_link(&handles->closed, h->link);
    h->queue = &handles->closed;
}

/* ------------------------------------------------------------------------------------------------------ a message */

static bool holds_handles(const ndr_method *method)
{
    bool holds = method->returns && method->returns->kind == NDR_HANDLE;
    for (const ndr_field *row = method->params; row && row->type && !holds; row++)
        holds = row->type->kind == NDR_HANDLE;
    return holds;
}

typedef struct {
    rpc_handles    *handles;
    const rpc_call *call;
    bool            response;
    uint32_t        frame;
    GArray         *uses;
    char           *name;         /* of what this response opens */
    bool            access_known;
    uint32_t        access;
} walk_state;

static bool is_granted(const ndr_event *e)
{
    return strcmp(e->name, "lpdwGrantedAccess") == 0;
}

static void add_use(walk_state *w, const ndr_event *e, tracked *h, bool after_close)
{
    rpc_handle_use use = {e->name, e->type, h ? &h->pub : NULL, after_close, (uint32_t)e->value.number, e->value.guid};
    if (h)
        h->holders++;
    g_array_append_val(w->uses, use);
}

static void use_in_request(walk_state *w, const ndr_event *e)
{
    if (is_null(&e->value)) {
        add_use(w, e, NULL, false);
        return;
    }
    tracked *h = find(w->handles, w->call, &e->value);
    if (!h)
        h = begin(w->handles, w->call, &e->value);
    h->pub.uses++;
    h->pub.last_used = w->frame;
    if (h->pub.first_used == 0)
        h->pub.first_used = w->frame;
    add_use(w, e, h, h->pub.closed_by);
}

static const rpc_handle_use *find_use(const GArray *uses, const char *parameter)
{
    for (guint i = 0; uses && i < uses->len; i++) {
        const rpc_handle_use *use = &g_array_index(uses, rpc_handle_use, i);
        if (strcmp(use->parameter, parameter) == 0)
            return use;
    }
    return NULL;
}

static const call_uses *uses_of(const rpc_handles *handles, const rpc_call *call)
{
    return g_hash_table_lookup(handles->calls, &call->number);
}

/* What a server gives out is a new handle, also where its octets were those of another before. */
static void open_in_response(walk_state *w, const ndr_event *e)
{
    tracked *h = NULL;
    if (!is_null(&e->value)) {
        h = begin(w->handles, w->call, &e->value);
        h->pub.type = e->type;
        h->pub.opened_by = w->call->method;
        h->pub.opened_in = w->frame;
        h->pub.opened_on = w->call->association->number;
        h->pub.name = g_strdup(w->name);
        h->pub.access_known = w->access_known;
        h->pub.access = w->access;
    }
    add_use(w, e, h, false);
}

/* What comes back null is gone, whatever the method returns with it; what comes back as it was is still there. */
static void give_back(walk_state *w, const ndr_event *e)
{
    const call_uses *uses = uses_of(w->handles, w->call);
    const rpc_handle_use *asked = uses ? find_use(uses->uses[0], e->name) : NULL;
    if (is_null(&e->value)) {
        if (asked && asked->handle)
            note_closed(w->handles, (tracked *)(uintptr_t)asked->handle, w->call, w->frame);
        add_use(w, e, NULL, false);
        return;
    }
    tracked *h = find(w->handles, w->call, &e->value);
    if (h)
        add_use(w, e, h, false);
    else
        open_in_response(w, e);
}

static void on_event(const ndr_event *e, void *user)
{
    walk_state *w = user;
    if (e->kind != NDR_EV_VALUE || e->parent != 0)
        return;
    if (e->type->kind == NDR_HANDLE && !w->response)
        use_in_request(w, e);
    else if (e->type->kind == NDR_HANDLE && !ndr_is_return(e) && e->row->dir == NDR_INOUT)
        give_back(w, e);
    else if (e->type->kind == NDR_HANDLE)
        open_in_response(w, e);
    else if (w->response && is_granted(e)) {
        w->access_known = true;
        w->access = (uint32_t)e->value.number;
    }
}

/* --------------------------------------------------------------------------------------------------------- names */

typedef struct {
    const char     *base;      /* name of the first handle in the request; NULL */
    const ndr_type *base_type;
    bool            has_base;
    char           *text;      /* the first string of the request; NULL */
} name_parts;

static void on_name_event(const ndr_event *e, void *user)
{
    name_parts *parts = user;
    if (e->kind == NDR_EV_VALUE && e->parent == 0 && e->type->kind == NDR_WSTR && !parts->text)
        parts->text = g_strdup(e->value.text);
}

/* What a method opens, and of what type: its return value or an [out] handle. */
static const ndr_type *opened_type(const ndr_method *method)
{
    if (method->returns && method->returns->kind == NDR_HANDLE)
        return method->returns;
    for (const ndr_field *row = method->params; row && row->type; row++)
        if (row->type->kind == NDR_HANDLE && row->dir == NDR_OUT)
            return row->type;
    return NULL;
}

/* A handle opened below another of its type, such as a key's, is named by the way there. One that is opened by another handle
 * alone has that one's name. Otherwise the request's first string is the name: lpszResourceName, lpszGroupName and so on. The
 * root of handles that are opened below each other has no string. */
static char *join_name(const name_parts *parts, const ndr_type *type, bool below_each_other)
{
    if (!parts->text)
        return parts->has_base ? g_strdup(parts->base) : below_each_other ? g_strdup("\\") : NULL;
    if (!parts->has_base || strcmp(parts->base_type->name, type->name) != 0)
        return g_strdup(parts->text);
    if (!parts->base || !*parts->text)
        return *parts->text ? g_strdup_printf("...\\%s", parts->text) : g_strdup(parts->base);
    if (strlen(parts->base) + strlen(parts->text) >= NAME_LIMIT)
        return g_strdup_printf("...\\%s", parts->text);
    return g_strdup_printf("%s%s%s", parts->base, g_str_has_suffix(parts->base, "\\") ? "" : "\\", parts->text);
}

/* Whether some method of the interface opens such a handle by another of the same type. */
static bool opens_below(const ndr_interface *interface, const ndr_type *type)
{
    for (uint32_t i = 0; i < interface->method_count; i++) {
        const ndr_method *method = &interface->methods[i];
        if (!method->params || !method->params[0].type || opened_type(method) != type)
            continue;
        if (method->params[0].type == type && method->params[0].dir == NDR_IN)
            return true;
    }
    return false;
}

static char *name_of_opened(const rpc_handles *handles, const rpc_call *call)
{
    ndr_stub stub;
    const ndr_type *type = opened_type(call->method);
    if (!type || !rpc_message_stub(call, &call->request, &stub))
        return NULL;
    name_parts parts = {0};
    if (rpc_message_walk(call, false, &stub, on_name_event, &parts).code != NDR_OK) {
        g_free(parts.text);
        return NULL;
    }
    const call_uses *uses = uses_of(handles, call);
    const GArray *asked = uses ? uses->uses[0] : NULL;
    if (asked && asked->len > 0) {
        const rpc_handle_use *first = &g_array_index(asked, rpc_handle_use, 0);
        parts.has_base = true;
        parts.base = first->handle ? first->handle->name : NULL;
        parts.base_type = first->type;
    }
    char *name = join_name(&parts, type, opens_below(call->interface, type));
    g_free(parts.text);
    return name;
}

/* -------------------------------------------------------------------------------------------------------- messages */

static bool is_followed(const rpc_call *call)
{
    return call->interface && call->method && !call->method->reserved && holds_handles(call->method);
}

/* A handle goes out and does not come back, as far as can be seen. */
static void doubt_closed(rpc_handles *handles, const rpc_call *call)
{
    const call_uses *uses = uses_of(handles, call);
    for (const ndr_field *row = call->method->params; uses && row && row->type; row++) {
        bool comes_back = row->type->kind == NDR_HANDLE && row->dir == NDR_INOUT;
        const rpc_handle_use *use = comes_back ? find_use(uses->uses[0], row->name) : NULL;
        if (use && use->handle)
            ((tracked *)(uintptr_t)use->handle)->pub.maybe_closed = true;
    }
}

static void keep_uses(rpc_handles *handles, const rpc_call *call, bool response, GArray *uses)
{
    call_uses *known = g_hash_table_lookup(handles->calls, &call->number);
    if (!known) {
        known = g_new0(call_uses, 1);
        g_hash_table_insert(handles->calls, g_memdup2(&call->number, sizeof call->number), known);
    }
    release_uses(known->uses[response]);
    known->uses[response] = uses;
}

void rpc_handles_message(rpc_handles *handles, const rpc_call *call, bool response)
{
    ndr_stub stub;
    const rpc_message *m = response ? &call->response : &call->request;
    if (!is_followed(call))
        return;
    if (!rpc_message_stub(call, m, &stub)) {
        if (response && m->kind != RPC_FAULT)
            doubt_closed(handles, call);
        return;
    }
    walk_state w = {.handles = handles, .call = call, .response = response, .frame = m->last_frame,
                    .uses = g_array_new(FALSE, FALSE, sizeof(rpc_handle_use))};
    if (response)
        w.name = name_of_opened(handles, call);
    rpc_message_walk(call, response, &stub, on_event, &w);
    g_free(w.name);
    if (w.uses->len > 0)
        keep_uses(handles, call, response, w.uses);
    else
        g_array_unref(w.uses);
}

void rpc_handles_finished(rpc_handles *handles, const rpc_call *call)
{
    if (!is_followed(call))
        return;
    if (call->response.kind == RPC_NONE)
        doubt_closed(handles, call);
    if (handles->forget)
        g_hash_table_remove(handles->calls, &call->number);
}

const rpc_handle_use *rpc_handles_used(const rpc_handles *handles, const rpc_call *call, bool response, size_t *count)
{
    const call_uses *uses = handles ? uses_of(handles, call) : NULL;
    const GArray *found = uses ? uses->uses[response] : NULL;
    *count = found ? found->len : 0;
    return found ? (const rpc_handle_use *)(const void *)found->data : NULL;
}

const rpc_handle_use *rpc_handles_find(const rpc_handles *handles, const rpc_call *call, bool response, const char *parameter)
{
    const call_uses *uses = handles ? uses_of(handles, call) : NULL;
    return uses ? find_use(uses->uses[response], parameter) : NULL;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const tracked *x = *(tracked *const *)a, *y = *(tracked *const *)b;
    return x->pub.number < y->pub.number ? -1 : x->pub.number > y->pub.number;
}

void rpc_handles_each(const rpc_handles *handles, void (*fn)(const rpc_handle *handle, void *user), void *user)
{
    GPtrArray *all = g_ptr_array_new();
    for (const GList *l = handles->open.head; l; l = l->next)
        g_ptr_array_add(all, l->data);
    for (const GList *l = handles->closed.head; l; l = l->next)
        g_ptr_array_add(all, l->data);
    g_ptr_array_sort(all, by_number);
    for (guint i = 0; i < all->len; i++)
        fn(&((const tracked *)all->pdata[i])->pub, user);
    g_ptr_array_unref(all);
}
