/* report_calls.c - calls as JSON lines and as text.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

#include <string.h>

#include "decoders/errors.h"
#include "rpc/secrets.h"
#include "verifier/report_json.h"

/* ------------------------------------------------------------------------------------------------- values as JSON */

static char *hex(const uint8_t *octets, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *text = g_malloc(2 * length + 1);
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    text[2 * length] = '\0';
    return text;
}

static char *time_text(int64_t seconds, int32_t nanoseconds)
{
    GDateTime *time = g_date_time_new_from_unix_utc(seconds);
    char *date = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("?");
    char *text = g_strdup_printf("%s.%09dZ", date, nanoseconds);
    g_free(date);
    if (time)
        g_date_time_unref(time);
    return text;
}

/* 100 ns since 1601. */
static char *filetime_text(uint64_t filetime)
{
    const uint64_t second = 10000000;
    const int64_t from_1601_to_1970 = 11644473600;
    return time_text((int64_t)(filetime / second) - from_1601_to_1970, (int32_t)(filetime % second) * 100);
}

static void add_hex(JsonBuilder *b, const uint8_t *octets, size_t length)
{
    char *text = hex(octets, length);
    json_builder_add_string_value(b, text);
    g_free(text);
}

static const char hidden[] = "(hidden: --show-secrets)";

/* A value as JSON: numbers as numbers, times, GUIDs and strings as strings, octets as hex. */
static JsonNode *value_node(const ndr_event *e, bool secrets)
{
    JsonNode *node = json_node_new(JSON_NODE_VALUE);
    char guid[37], *text = NULL;
    if (ndr_is_secret(e) && !secrets) {
        json_node_set_string(node, hidden);
        return node;
    }
    if (e->value.text) {
        json_node_set_string(node, e->value.text);
        return node;
    }
    switch (e->type->kind) {
    case NDR_UNIQUE: case NDR_REF:
        json_node_init_null(node);
        return node;
    case NDR_GUID: case NDR_HANDLE:
        ndr_guid_text(&e->value.guid, guid);
        json_node_set_string(node, guid);
        return node;
    case NDR_TIME:
        text = time_text((int64_t)e->value.number, 0);
        break;
    case NDR_FILETIME:
        text = filetime_text(e->value.number);
        break;
    case NDR_OCTETS: case NDR_CONF: case NDR_VARY: case NDR_CVAR: case NDR_FIXED:
        text = hex(e->value.octets, e->value.length);
        break;
    case NDR_I32:
        json_node_set_int(node, (int32_t)e->value.number);
        return node;
    default:
        json_node_set_int(node, (gint64)e->value.number);
    }
    if (text)
        json_node_set_string(node, text);
    g_free(text);
    return node;
}

/* -------------------------------------------------------------------------------------------- parameters as JSON */

typedef struct {
    GPtrArray *nodes;  /* of JsonNode, by an event's id: what a structure points to comes after its end */
    uint32_t   status; /* the return value, which has a place of its own */
    bool       has_status;
    bool       secrets;
} json_params;

static bool is_array(const ndr_type *type)
{
    return type->kind == NDR_CONF || type->kind == NDR_VARY || type->kind == NDR_CVAR || type->kind == NDR_FIXED ||
           type->kind == NDR_LIST || type->kind == NDR_ENDED;
}

/* A method that opens something returns its context handle, which stands among the parameters. */
static bool is_status(const ndr_event *e)
{
    return ndr_is_return(e) && e->type->kind != NDR_HANDLE;
}

/* What has come before under the same name (the entries of a security descriptor's list) becomes an array with it. */
static void add_member(JsonObject *object, const char *name, JsonNode *node)
{
    JsonNode *before = json_object_get_member(object, name);
    if (before && JSON_NODE_HOLDS_ARRAY(before)) {
        json_array_add_element(json_node_get_array(before), node);
        return;
    }
    if (before) {
        JsonArray *both = json_array_new();
        json_array_add_element(both, json_node_copy(before));
        json_array_add_element(both, node);
        node = json_node_new(JSON_NODE_ARRAY);
        json_node_take_array(node, both);
    }
    json_object_set_member(object, name, node);
}

/* Puts a node where its event belongs. What AS() read out of a parameter's octets stands beside them as NAME_as. */
static void place_node(const json_params *p, const ndr_event *e, JsonNode *node)
{
    JsonNode *parent = p->nodes->pdata[e->parent < p->nodes->len ? e->parent : 0];
    if (JSON_NODE_HOLDS_ARRAY(parent)) {
        json_array_add_element(json_node_get_array(parent), node);
        return;
    }
    char *name = g_strdup_printf("%s%s", e->name, e->decoded ? "_as" : "");
    add_member(json_node_get_object(parent), name, node);
    g_free(name);
}

/* What an enumeration's value, a code or a GUID is called, and the bits that are set of flags; for g_free. NULL: nothing. */
static char *name_of_value(const ndr_event *e)
{
    if (e->type->kind != NDR_FLAGS32 && e->type->kind != NDR_FLAGS64)
        return g_strdup(ndr_value_name(e->type, &e->value));
    char *text = ndr_value_text(e), *names = strchr(text, '(');
    char *bits = names ? g_strndup(names + 1, strlen(names) - 2) : NULL;
    g_free(text);
    return bits;
}

/* The name of a value stands beside it as NAME_name; of one among several under the same name none does. */
static void place_name(const json_params *p, const ndr_event *e)
{
    JsonNode *parent = p->nodes->pdata[e->parent < p->nodes->len ? e->parent : 0];
    if (JSON_NODE_HOLDS_ARRAY(parent))
        return;
    JsonObject *object = json_node_get_object(parent);
    char *key = g_strdup_printf("%s_name", e->name), *name = name_of_value(e);
    bool several = JSON_NODE_HOLDS_ARRAY(json_object_get_member(object, e->name));
    if (several && json_object_has_member(object, key))
        json_object_remove_member(object, key);
    else if (!several && name)
        json_object_set_string_member(object, key, name);
    g_free(name);
    g_free(key);
}

static void json_begin(json_params *p, const ndr_event *e)
{
    JsonNode *node = json_node_new(is_array(e->type) ? JSON_NODE_ARRAY : JSON_NODE_OBJECT);
    if (is_array(e->type)) {
        json_node_take_array(node, json_array_new());
    } else {
        json_node_take_object(node, json_object_new());
        if (e->decoded)
            json_object_set_string_member(json_node_get_object(node), "type", e->type->name);
    }
    place_node(p, e, node);
    while (p->nodes->len <= e->id)
        g_ptr_array_add(p->nodes, NULL);
    p->nodes->pdata[e->id] = node;
}

static void json_event(const ndr_event *e, void *user)
{
    json_params *p = user;
    if (e->kind == NDR_EV_BEGIN) {
        json_begin(p, e);
    } else if (e->kind == NDR_EV_VALUE && is_status(e)) {
        p->status = (uint32_t)e->value.number;
        p->has_status = true;
    } else if (e->kind == NDR_EV_VALUE) {
        place_node(p, e, value_node(e, p->secrets));
        place_name(p, e);
    }
}

typedef struct {
    GPtrArray *texts;
} note_list;

static void collect_note(const ndr_event *e, void *user)
{
    if (e->kind == NDR_EV_NOTE)
        g_ptr_array_add(((note_list *)user)->texts, ndr_note_text(e));
}

/* "notes" says what the wire contradicts; "malformed" where the stub stopped making sense. */
static void add_notes(JsonBuilder *b, const rpc_call *call, const rpc_message *m, const ndr_stub *stub)
{
    note_list notes = {g_ptr_array_new_with_free_func(g_free)};
    ndr_result result = rpc_message_walk(call, m == &call->response, stub, collect_note, &notes);
    if (notes.texts->len > 0) {
        json_builder_set_member_name(b, "notes");
        json_builder_begin_array(b);
        for (guint i = 0; i < notes.texts->len; i++)
            json_builder_add_string_value(b, notes.texts->pdata[i]);
        json_builder_end_array(b);
    }
    g_ptr_array_unref(notes.texts);
    if (result.code == NDR_OK)
        return;
    char *text = g_strdup_printf("%s: %s, at octet %" G_GSIZE_FORMAT " of the stub", result.field ? result.field : "stub",
                                 ndr_code_text(result.code), result.offset);
    report_set_string(b, result.code == NDR_CUT ? "cut" : "malformed", text);
    g_free(text);
}

static bool readable(const rpc_call *call, const rpc_message *m, ndr_stub *stub)
{
    return call->method && !call->method->reserved && rpc_message_stub(call, m, stub);
}

static void add_params(JsonBuilder *b, const rpc_call *call, const rpc_message *m, json_params *params)
{
    ndr_stub stub;
    JsonNode *root = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(root, json_object_new());
    bool have = readable(call, m, &stub);
    if (have) {
        params->nodes = g_ptr_array_new();
        g_ptr_array_add(params->nodes, root);
        rpc_message_walk(call, m == &call->response, &stub, json_event, params);
        g_ptr_array_unref(params->nodes);
    }
    json_builder_set_member_name(b, "params");
    json_builder_add_value(b, root);
    if (have)
        add_notes(b, call, m, &stub);
}

/* ------------------------------------------------------------------------------------------------------- messages */

static void add_stub(JsonBuilder *b, const rpc_message *m)
{
    json_builder_set_member_name(b, "stub");
    if (m->stub && m->complete)
        add_hex(b, m->stub->data, m->stub->len);
    else
        json_builder_add_null_value(b);
}

static void add_status(JsonBuilder *b, const rpc_message *m, const json_params *params)
{
    json_builder_set_member_name(b, "status");
    bool fault = m->kind == RPC_FAULT;
    if (!fault && !params->has_status) {
        json_builder_add_null_value(b);
        return;
    }
    uint32_t code = fault ? m->status : params->status;
    json_builder_begin_object(b);
    report_set_number(b, "code", code);
    report_set_string(b, "name", fault ? errors_fault(code) : errors_win32(code));
    json_builder_end_object(b);
}

static const char *kind_name(rpc_kind kind)
{
    static const char *const names[] = {"none", "request", "response", "fault"};
    return names[kind];
}

typedef struct {
    JsonBuilder *b;
    bool         octets;
} json_secrets;

static void json_secret(const rpc_secret *secret, void *user)
{
    json_secrets *s = user;
    JsonBuilder *b = s->b;
    if (!rpc_secret_is_sealed(secret->kind))
        return;
    bool password = secret->kind == RPC_SECRET_PASSWORD;
    char guid[KEY_GUID_TEXT];
    key_guid_text(secret->opened.guid, guid);
    json_builder_begin_object(b);
    report_set_string(b, "field", secret->field);
    report_set_string(b, "type", secret->type);
    if (!password)
        report_set_string(b, "key", guid);
    report_set_string(b, "state", secret->state);
    report_set_string(b, "reason", secret->text);
    report_set_string(b, password ? "account" : "sid", secret->owner);
    if (secret->octets)
        report_set_number(b, "length", secret->length);
    if (secret->octets && s->octets && password) {
        report_set_string(b, "password", secret->joined.password);
    } else if (secret->octets && s->octets) {
        json_builder_set_member_name(b, "octets");
        add_hex(b, secret->octets, secret->length);
    }
    json_builder_end_object(b);
}

/* Secrets that the call carries wrapped, for which the call's own plaintext is not enough. */
static void add_secrets(JsonBuilder *b, const rpc_call *call, const rpc_message *m, const report_options *options)
{
    json_builder_set_member_name(b, "secrets");
    json_builder_begin_array(b);
    rpc_secrets(call, m == &call->response, options->ring, json_secret, &(json_secrets){b, options->secrets});
    json_builder_end_array(b);
}

static void set_frame(JsonBuilder *b, const char *name, uint32_t frame)
{
    json_builder_set_member_name(b, name);
    if (frame > 0)
        json_builder_add_int_value(b, frame);
    else
        json_builder_add_null_value(b);
}

/* What the message's context handles stand for, by parameter; null handles are left out. What is not known yet, such as the frame of
 * a closing that comes later, is null. */
static void add_handles(JsonBuilder *b, const rpc_call *call, const rpc_message *m, const rpc_handles *handles)
{
    size_t count;
    const rpc_handle_use *uses = rpc_handles_used(handles, call, m == &call->response, &count);
    if (count == 0)
        return;
    json_builder_set_member_name(b, "handles");
    json_builder_begin_object(b);
    for (size_t i = 0; i < count; i++) {
        const rpc_handle *h = uses[i].handle;
        char uuid[37];
        if (!h)
            continue;
        ndr_guid_text(&h->uuid, uuid);
        json_builder_set_member_name(b, uses[i].parameter);
        json_builder_begin_object(b);
        report_set_string(b, "uuid", uuid);
        report_set_string(b, "kind", h->type ? h->type->name : uses[i].type->name);
        report_set_string(b, "name", h->name);
        set_frame(b, "opened", h->opened_in);
        report_set_string(b, "opened_by", h->opened_by ? h->opened_by->name : NULL);
        set_frame(b, "closed", h->closed_in);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
}

static void add_message(JsonBuilder *b, const rpc_call *call, const rpc_message *m, const report_options *options)
{
    bool response = m == &call->response;
    json_builder_set_member_name(b, response ? "response" : "request");
    json_builder_begin_object(b);
    report_set_string(b, "kind", kind_name(m->kind));
    if (m->kind == RPC_NONE) {
        json_builder_end_object(b);
        return;
    }
    json_builder_set_member_name(b, "frames");
    json_builder_begin_array(b);
    if (!m->all_frames)
        json_builder_add_int_value(b, m->first_frame);
    for (guint i = 0; m->all_frames && i < m->all_frames->len; i++)
        json_builder_add_int_value(b, g_array_index(m->all_frames, uint32_t, i));
    json_builder_end_array(b);
    char *time = time_text(m->seconds, m->nanoseconds);
    report_set_string(b, "time", time);
    g_free(time);
    json_builder_set_member_name(b, "sealed");
    json_builder_add_boolean_value(b, m->sealed);
    report_set_string(b, "state", sec_state_name(m->state));
    report_set_string(b, "reason", m->text);
    report_set_string(b, "reason_code", sec_reason_name(m->reason));
    if (options->stubs)
        add_stub(b, m);
    json_params params = {.secrets = options->secrets};
    add_params(b, call, m, &params);
    add_handles(b, call, m, options->handles);
    if (call->interface)
        add_secrets(b, call, m, options);
    if (response)
        add_status(b, m, &params);
    json_builder_end_object(b);
}

static const rpc_message *any_auth(const rpc_call *call)
{
    return call->request.auth ? &call->request : &call->response;
}

static void add_auth(JsonBuilder *b, const rpc_call *call)
{
    const rpc_message *m = any_auth(call);
    const sec_facts *facts = m->auth ? sec_context_facts(m->auth->security) : NULL;
    json_builder_set_member_name(b, "auth");
    json_builder_begin_object(b);
    uint8_t type = m->auth ? m->auth->auth_type : SEC_AUTH_NONE;
    report_set_number(b, "type", type);
    report_set_string(b, "type_name", rpc_auth_type_name(type));
    report_set_string(b, "mechanism", facts ? facts->mechanism_text : NULL);
    report_set_number(b, "level", m->level);
    report_set_string(b, "level_name", rpc_auth_level_name(m->level));
    report_set_string(b, "user", facts ? facts->user : NULL);
    json_builder_end_object(b);
}

static const char *protocol_of(const rpc_call *call)
{
    return call->interface ? call->interface->protocol : "other";
}

void report_call_jsonl(FILE *out, const char *capture, const rpc_call *call, const report_options *options)
{
    JsonBuilder *b = json_builder_new_immutable();
    char uuid[37], version[16];
    ndr_guid_text(&call->uuid, uuid);
    g_snprintf(version, sizeof version, "%u.%u", call->version_major, call->version_minor);
    json_builder_begin_object(b);
    report_set_string(b, "capture", capture);
    report_set_string(b, "protocol", protocol_of(call));
    report_set_string(b, "interface", call->bound ? uuid : NULL);
    report_set_string(b, "version", call->bound ? version : NULL);
    json_builder_set_member_name(b, "opnum");
    if (call->request.kind != RPC_NONE)
        json_builder_add_int_value(b, call->opnum);
    else
        json_builder_add_null_value(b);
    report_set_string(b, "method", call->method ? call->method->name : NULL);
    report_set_string(b, "transport", rpc_transport_name(call->association->transport));
    report_set_string(b, "pipe", call->association->pipe);
    report_set_string(b, "client", call->association->client);
    report_set_string(b, "server", call->association->server);
    report_set_number(b, "call_id", call->call_id);
    add_auth(b, call);
    add_message(b, call, &call->request, options);
    add_message(b, call, &call->response, options);
    json_builder_end_object(b);
    JsonNode *root = json_builder_get_root(b);
    char *line = json_to_string(root, FALSE);
    fputs(line, out);
    fputc('\n', out);
    g_free(line);
    json_node_unref(root);
    g_object_unref(b);
}

/* ----------------------------------------------------------------------------------------------------------- text */

enum { TEXT_LIMIT = 48 }; /* of one value in a line; octets beyond it are counted */

enum { INSIDE_LIMIT = 160 }; /* of what stands in a line for octets that could be read */

typedef struct {
    const rpc_call    *call;
    bool               response;
    const rpc_handles *handles;
    GString *text; /* a line shows the parameters themselves, not what is inside them */
    uint32_t status;
    bool     has_status, secrets;
    /* What was read out of a parameter's octets, as long as it is short and flat, stands in their place: */
    GString *inside;
    uint32_t blob, list;  /* the BEGIN of both, 0: none */
    gsize    octets_at;   /* in `text`: the octets themselves */
    unsigned values;
    bool     deep;
    /* Or the properties of a list, as many as find room: */
    GString *properties;
    uint32_t property_value; /* the BEGIN of what was read out of a property's octets, 0: none */
    char    *octets;         /* of a property, until it is known whether something was read out of them */
    bool     cut;
} text_params;

static bool has_properties(const text_params *p)
{
    return p->properties->len > 0;
}

static void append_value_of_property(text_params *p, const char *value)
{
    if (p->properties->str[p->properties->len - 1] != '=')
        g_string_append_c(p->properties, ' ');
    g_string_append(p->properties, value);
}

static void append_octets(text_params *p, bool read)
{
    if (p->octets && !read && !p->cut)
        append_value_of_property(p, p->octets);
    g_clear_pointer(&p->octets, g_free);
}

static void append_property(text_params *p, const ndr_event *e)
{
    bool is_name = strcmp(e->name, "PropertyName") == 0;
    append_octets(p, false);
    p->cut |= p->properties->len > INSIDE_LIMIT;
    if (p->cut || (!is_name && !has_properties(p)))
        return;
    if (is_name) {
        char *name = ndr_value_text(e);
        g_string_append_printf(p->properties, "%s%s=", has_properties(p) ? ", " : "", name);
        g_free(name);
    } else if (e->type->kind == NDR_OCTETS && p->property_value == 0) {
        p->octets = ndr_value_text(e);
    } else if (e->type->kind != NDR_OCTETS && p->property_value != 0) {
        char *value = ndr_value_text(e);
        append_value_of_property(p, value);
        g_free(value);
    }
}

static char *shown_value(const text_params *p, const ndr_event *e)
{
    return ndr_is_secret(e) && !p->secrets ? g_strdup(hidden) : ndr_value_text(e);
}

static void append_inside(text_params *p, const ndr_event *e)
{
    bool in_list = e->parent == p->list;
    char *value = shown_value(p, e);
    if (p->inside->len)
        g_string_append(p->inside, ", ");
    if (!in_list)
        g_string_append_printf(p->inside, "%s=", e->name);
    g_string_append(p->inside, value);
    g_free(value);
    p->values++;
    p->deep |= p->inside->len > INSIDE_LIMIT;
}

/* "{Class=1 (...), SubClass=0}", "[a, b]", or, of a single value, the value alone. */
static void end_inside(text_params *p, const ndr_event *e)
{
    append_octets(p, false);
    if (has_properties(p)) {
        g_string_truncate(p->text, p->octets_at);
        g_string_append_printf(p->text, "{%s%s}", p->properties->str, p->cut ? ", ..." : "");
    } else if (p->deep || p->values == 0) {
        g_string_append_printf(p->text, " as %s", e->type->name);
    } else {
        bool list = p->list != 0, alone = !list && p->values == 1;
        const char *shown = alone ? strchr(p->inside->str, '=') + 1 : p->inside->str;
        g_string_truncate(p->text, p->octets_at);
        g_string_append_printf(p->text, "%s%s%s", alone ? "" : list ? "[" : "{", shown, alone ? "" : list ? "]" : "}");
    }
    p->blob = p->list = 0;
}

/* Where what has been read stops being flat, only properties are looked for. */
static void text_deep(text_params *p, const ndr_event *e)
{
    if (e->kind == NDR_EV_VALUE) {
        append_property(p, e);
    } else if (e->kind == NDR_EV_BEGIN && e->decoded) {
        append_octets(p, true);
        p->property_value = e->id;
    } else if (e->kind == NDR_EV_END && e->id == p->property_value) {
        p->property_value = 0;
    } else if (e->kind == NDR_EV_NOTE) {
        p->cut = true;
    }
}

static bool is_octets(const ndr_event *e)
{
    return e->kind == NDR_EV_VALUE && e->value.octets && !e->value.text;
}

static void text_inside(text_params *p, const ndr_event *e)
{
    bool is_list = e->kind == NDR_EV_BEGIN && (e->type->kind == NDR_ENDED || e->type->kind == NDR_LIST);
    if (e->kind == NDR_EV_END && e->id == p->blob)
        end_inside(p, e);
    else if (p->deep)
        text_deep(p, e);
    else if (is_list && p->list == 0 && p->values == 0 && e->parent == p->blob)
        p->list = e->id;
    else if (e->kind == NDR_EV_BEGIN || e->kind == NDR_EV_NOTE || (is_octets(e) && !e->row->optional))
        p->deep = true;
    else if (e->kind == NDR_EV_VALUE && !is_octets(e)) /* without what a buffer may have behind its value */
        append_inside(p, e);
}

static void text_event(const ndr_event *e, void *user)
{
    text_params *p = user;
    if (p->blob != 0) {
        text_inside(p, e);
        return;
    }
    if (e->kind == NDR_EV_BEGIN && e->parent == 0 && e->decoded) {
        p->blob = e->id;
        p->values = 0;
        p->deep = p->cut = false;
        p->property_value = 0;
        g_string_truncate(p->properties, 0);
        g_string_truncate(p->inside, 0);
    } else if (e->kind == NDR_EV_BEGIN && e->parent == 0)
        g_string_append_printf(p->text, "%s%s{...}", p->text->len ? ", " : "", e->name);
    if (e->kind != NDR_EV_VALUE || e->parent != 0)
        return;
    if (is_status(e)) {
        p->status = (uint32_t)e->value.number;
        p->has_status = true;
        return;
    }
    char *value = shown_value(p, e);
    const char *name = ndr_value_name(e->type, &e->value);
    if (p->text->len)
        g_string_append(p->text, ", ");
    p->octets_at = p->text->len + strlen(e->name) + 1;
    if (name && e->type->kind == NDR_GUID)
        g_string_append_printf(p->text, "%s=%s", e->name, name);
    else if (strlen(value) > TEXT_LIMIT && e->value.octets)
        g_string_append_printf(p->text, "%s=%.*s... (%" G_GSIZE_FORMAT " octets)", e->name, TEXT_LIMIT / 2, value, e->value.length);
    else
        g_string_append_printf(p->text, "%s=%s", e->name, *value ? value : "\"\"");
    g_free(value);
    const rpc_handle_use *use = e->type->kind == NDR_HANDLE ? rpc_handles_find(p->handles, p->call, p->response, e->name) : NULL;
    if (use && use->handle && use->handle->name)
        g_string_append_printf(p->text, " \"%s\"", use->handle->name);
}

typedef struct {
    GString *line;
    bool     octets;
} text_secrets;

/* A password as it was typed, but for what a terminal would obey. */
static void append_shown(GString *line, const char *password)
{
    g_string_append(line, ": ");
    for (const char *at = password; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_isprint(c))
            g_string_append_unichar(line, c);
        else
            g_string_append_printf(line, "\\u{%x}", c);
    }
}

/* That there is no key for it is said in JSON and in the tree; here it would be in every line. */
static void text_secret(const rpc_secret *secret, void *user)
{
    text_secrets *s = user;
    bool password = secret->kind == RPC_SECRET_PASSWORD;
    if (!rpc_secret_is_sealed(secret->kind) || rpc_secret_lacks_key(secret))
        return;
    g_string_append_printf(s->line, " {%s: %s", secret->field, secret->text);
    if (secret->octets)
        g_string_append_printf(s->line, "; %" G_GSIZE_FORMAT " octets of %s", secret->length,
                               secret->owner ? secret->owner : "nobody named");
    for (size_t i = 0; secret->octets && s->octets && !password && i < secret->length; i++)
        g_string_append_printf(s->line, i ? "%02x" : ": %02x", secret->octets[i]);
    if (secret->octets && s->octets && password)
        append_shown(s->line, secret->joined.password);
    g_string_append_c(s->line, '}');
}

static void text_message(GString *line, const rpc_call *call, const rpc_message *m, const report_options *options)
{
    text_params p = {.call = call, .response = m == &call->response, .handles = options->handles, .secrets = options->secrets,
                     .text = g_string_new(NULL), .inside = g_string_new(NULL), .properties = g_string_new(NULL)};
    ndr_stub stub;
    if (m->state == SEC_SEALED)
        g_string_append_printf(line, "(sealed: %s)", m->text ? m->text : "no reason known");
    else if (readable(call, m, &stub)) {
        ndr_result result = rpc_message_walk(call, m == &call->response, &stub, text_event, &p);
        g_string_append_printf(line, "(%s)", p.text->str);
        if (result.code != NDR_OK)
            g_string_append_printf(line, " [%s at octet %" G_GSIZE_FORMAT "]", ndr_code_text(result.code), result.offset);
        if (p.has_status) {
            const char *name = errors_win32(p.status);
            g_string_append_printf(line, " = 0x%08x%s%s", p.status, name ? " " : "", name ? name : "");
        }
        rpc_secrets(call, m == &call->response, options->ring, text_secret, &(text_secrets){line, options->secrets});
    } else if (m->stub) {
        g_string_append_printf(line, "(%" G_GSIZE_FORMAT " octets)", m->reported);
    }
    g_free(p.octets);
    g_string_free(p.properties, TRUE);
    g_string_free(p.inside, TRUE);
    g_string_free(p.text, TRUE);
}

void report_call_text(FILE *out, const rpc_call *call, const report_options *options)
{
    GString *line = g_string_new(NULL);
    const rpc_message *first = call->request.kind != RPC_NONE ? &call->request : &call->response;
    char *time = time_text(first->seconds, first->nanoseconds);
    g_string_append_printf(line, "%6u  %.15s  %s > %s", first->first_frame, time + 11,
                           call->association->client, call->association->server);
    if (call->association->pipe)
        g_string_append_printf(line, " \\%s", call->association->pipe);
    const rpc_message *auth = any_auth(call);
    g_string_append_printf(line, "  [%s, %s, %s]  %s ", auth->auth ? sec_context_facts(auth->auth->security)->mechanism_text : "no authentication",
                           rpc_auth_level_name(auth->level), sec_state_name(first->state), protocol_of(call));
    if (call->method)
        g_string_append(line, call->method->name);
    else if (call->bound) {
        char uuid[37];
        ndr_guid_text(&call->uuid, uuid);
        g_string_append_printf(line, "%s opnum %u", uuid, call->opnum);
    } else
        g_string_append_printf(line, "opnum %u of an interface whose bind is not in the capture", call->opnum);
    if (call->request.kind != RPC_NONE)
        text_message(line, call, &call->request, options);
    g_string_append(line, " -> ");
    switch (call->response.kind) {
    case RPC_RESPONSE:
        text_message(line, call, &call->response, options);
        break;
    case RPC_FAULT: {
        const char *name = errors_fault(call->response.status);
        g_string_append_printf(line, "fault 0x%08x%s%s", call->response.status, name ? " " : "", name ? name : "");
        break;
    }
    default:
        g_string_append(line, "no response in the capture");
    }
    fprintf(out, "%s\n", line->str);
    g_free(time);
    g_string_free(line, TRUE);
}
