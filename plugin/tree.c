/* tree.c - walker events as Wireshark's tree.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/tree.h"

#include <string.h>

#include <epan/expert.h>

#include "decoders/errors.h"
#include "plugin/compat.h"
#include "plugin/prefs.h"
#include "plugin/register.h"
#include "plugin/takeover.h"
#include "rpc/secrets.h"
#include "verifier/call_values.h"
#include "verifier/verdict.h"

/* ----------------------------------------------------------------------------------------------- security context */

static void draw_state(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const rpc_pdu *pdu)
{
    const sec_facts *facts = sec_context_facts(pdu->auth->security);
    const char *state = sec_state_name(pdu->verdict.state);
    proto_item *item = proto_tree_add_string_format(tree, generic.state, tvb, 0, 0, state, "Security: %s, %s, level %s", state,
                                                    facts->mechanism_text, rpc_auth_level_name(pdu->level));
    proto_item_set_generated(item);
    proto_tree *sub = proto_item_add_subtree(item, generic.ett_security);
    proto_item_set_generated(proto_tree_add_string(sub, generic.mechanism, tvb, 0, 0, facts->mechanism_text));
    proto_item_set_generated(proto_tree_add_string(sub, generic.auth_level, tvb, 0, 0, rpc_auth_level_name(pdu->level)));
    if (facts->user)
        proto_item_set_generated(proto_tree_add_string(sub, generic.user, tvb, 0, 0, facts->user));
    proto_item_set_generated(proto_tree_add_uint(sub, generic.context, tvb, 0, 0, pdu->auth->id));
    if (facts->have_key) {
        const char *origin = facts->key_origin ? facts->key_origin : "none needed";
        proto_item_set_generated(proto_tree_add_string_format_value(sub, generic.key, tvb, 0, 0, origin, "%s; %s", origin, facts->key_proof));
    }
    if (facts->keys_tried)
        proto_item_set_generated(proto_tree_add_uint(sub, generic.keys_tried, tvb, 0, 0, (guint32)facts->keys_tried));
    proto_item_set_generated(proto_tree_add_uint(sub, generic.pdus_verified, tvb, 0, 0, facts->pdus_verified));
    proto_item_set_generated(proto_tree_add_uint(sub, generic.pdus_refused, tvb, 0, 0, facts->pdus_refused));
    if (facts->ntlm_missing)
        proto_item_set_generated(proto_tree_add_uint(sub, generic.pdus_missing, tvb, 0, 0, facts->ntlm_missing));
    if (!pdu->verdict.text)
        return;
    proto_item_set_generated(proto_tree_add_string(sub, generic.reason, tvb, 0, 0, pdu->verdict.text));
    expert_field *ei = pdu->verdict.reason == SEC_BAD_SIGNATURE ? &generic.bad_signature
                       : pdu->verdict.state == SEC_SEALED       ? &generic.sealed
                                                                : &generic.unverified;
    expert_add_info_format(pinfo, item, ei, "%s: %s", state, pdu->verdict.text);
}

/* Wireshark opens sealed PDUs too, when it was given keys, and checks no signature. What it made of this one is a data tab of the
 * frame; that the signature fits our plaintext means that it fits no other. */
static void check_wiresharks(proto_item *item, packet_info *pinfo, const rpc_pdu *pdu)
{
    bool other = false;
    for (GSList *l = pinfo->data_src; l; l = l->next) {
        tvbuff_t *tvb = get_data_source_tvb(l->data);
        if (tvb_captured_length(tvb) != pdu->plain_length || !compat_source_is(l->data, "Decrypted stub data"))
            continue;
        if (tvb_memeql(tvb, 0, pdu->plain, pdu->plain_length) == 0)
            return;
        other = true;
    }
    if (other)
        expert_add_info_format(pinfo, item, &generic.other_plaintext,
                               "What Wireshark shows as \"Decrypted stub data\" does not fit this PDU's signature; the plaintext below does");
}

/* --------------------------------------------------------------------------------------------------- the stub's tree */

typedef struct {
    packet_info         *pinfo;
    tvbuff_t            *tvb;
    const rpc_pdu       *pdu;
    const rpc_handles   *handles;
    const ndr_interface *interface;
    GPtrArray           *trees; /* by an event's id: what a structure points to comes after its end, and belongs below it */
} drawing;

static proto_tree *parent_of(const drawing *d, const ndr_event *e)
{
    return d->trees->pdata[e->parent < d->trees->len ? e->parent : 0];
}

static void draw_begin(drawing *d, const ndr_event *e)
{
    int hf = e->type->fields ? register_type(d->interface, e->type) : generic.element;
    proto_item *item = proto_tree_add_item(parent_of(d, e), hf, d->tvb, (gint)e->offset, 0, ENC_NA);
    const char *what = e->decoded ? e->type->name : e->name;
    if (e->index >= 0)
        proto_item_set_text(item, "%s[%" G_GINT64_FORMAT "]", what, e->index);
    else
        proto_item_set_text(item, "%s", what);
    while (d->trees->len <= e->id)
        g_ptr_array_add(d->trees, NULL);
    d->trees->pdata[e->id] = proto_item_add_subtree(item, generic.ett_value);
}

static void draw_end(drawing *d, const ndr_event *e)
{
    if (e->id < d->trees->len)
        proto_item_set_len(proto_tree_get_parent(d->trees->pdata[e->id]), (gint)e->length);
}

static e_guid_t wireshark_guid(const ndr_guid *guid)
{
    e_guid_t made = {guid->data1, guid->data2, guid->data3, {0}};
    memcpy(made.data4, guid->data4, sizeof made.data4);
    return made;
}

/* 100 ns since 1601 to seconds since 1970. */
static nstime_t from_filetime(uint64_t filetime)
{
    const uint64_t epoch = UINT64_C(116444736000000000);
    nstime_t time = {0, 0};
    if (filetime >= epoch) {
        time.secs = (time_t)((filetime - epoch) / 10000000);
        time.nsecs = (int)((filetime - epoch) % 10000000) * 100;
    }
    return time;
}

static bool is_octets(const ndr_event *e)
{
    bool octets;
    return register_leaf(e->row->type, &octets)->kind == NDR_OCTETS || octets;
}

static proto_item *add_hidden(proto_tree *tree, int hf, tvbuff_t *tvb, const ndr_event *e)
{
    static const char hidden[] = "(hidden: preference rpclens.show_secrets)";
    gint offset = (gint)e->offset, length = (gint)e->length;
    if (!is_octets(e))
        return proto_tree_add_string(tree, hf, tvb, offset, length, hidden);
    proto_item *item = proto_tree_add_bytes_with_length(tree, hf, tvb, offset, length, (const guint8 *)"", 0);
    proto_item_set_text(item, "%s: %s", e->name, hidden);
    return item;
}

static proto_item *add_value(proto_tree *tree, int hf, tvbuff_t *tvb, const ndr_event *e)
{
    bool octets;
    const ndr_type *leaf = register_leaf(e->row->type, &octets);
    gint offset = (gint)e->offset, length = (gint)e->length;
    if (ndr_is_secret(e) && !prefs_show_secrets())
        return add_hidden(tree, hf, tvb, e);
    if (is_octets(e) && e->value.length == 0) /* Wireshark calls them missing */
        return proto_tree_add_bytes_format_value(tree, hf, tvb, offset, length, (const guint8 *)"", "none");
    if (is_octets(e))
        return proto_tree_add_bytes_with_length(tree, hf, tvb, offset, length, e->value.octets, (gint)e->value.length);
    switch (leaf->kind) {
    case NDR_U8: case NDR_U16: case NDR_U32: case NDR_ENUM16: case NDR_ENUM32: case NDR_FLAGS32: case NDR_ERROR:
        return proto_tree_add_uint(tree, hf, tvb, offset, length, (guint32)e->value.number);
    case NDR_I32:
        return proto_tree_add_int(tree, hf, tvb, offset, length, (gint32)e->value.number);
    case NDR_I64:
        return proto_tree_add_int64(tree, hf, tvb, offset, length, (gint64)e->value.number);
    case NDR_U64: case NDR_U3264: case NDR_FLAGS64:
        return proto_tree_add_uint64(tree, hf, tvb, offset, length, e->value.number);
    case NDR_GUID: case NDR_HANDLE: {
        e_guid_t guid = wireshark_guid(&e->value.guid);
        return proto_tree_add_guid(tree, hf, tvb, offset, length, &guid);
    }
    case NDR_FILETIME: case NDR_TIME: {
        nstime_t time = {(time_t)e->value.number, 0};
        if (e->type->kind == NDR_FILETIME)
            time = from_filetime(e->value.number);
        return proto_tree_add_time(tree, hf, tvb, offset, length, &time);
    }
    default:
        return proto_tree_add_string(tree, hf, tvb, offset, length, e->value.text ? e->value.text : "");
    }
}

static bool is_pointer(const ndr_type *type)
{
    return type->kind == NDR_UNIQUE || type->kind == NDR_REF;
}

/* Names of bits, which are in parentheses behind the number. */
static void append_flags(proto_item *item, const ndr_event *e)
{
    char *text = ndr_value_text(e);
    const char *names = strchr(text, '(');
    if (names)
        proto_item_append_text(item, " %s", names);
    g_free(text);
}

/* What the handle stands for, and its life as far as the capture has been read. */
static void draw_handle(const drawing *d, proto_item *item, const ndr_event *e)
{
    const rpc_handle_use *use = rpc_handles_find(d->handles, d->pdu->call, d->pdu->response, e->name);
    const rpc_handle *h = use ? use->handle : NULL;
    if (!h)
        return;
    if (h->name)
        proto_item_append_text(item, " \"%s\"", h->name);
    const register_handle *fields = register_handle_fields(d->interface);
    proto_tree *sub = proto_item_add_subtree(item, generic.ett_value);
    gint at = (gint)e->offset;
    if (h->name)
        proto_item_set_generated(proto_tree_add_string(sub, fields->name, d->tvb, at, 0, h->name));
    if (h->opened_in)
        proto_item_set_generated(proto_tree_add_uint(sub, fields->opened_in, d->tvb, at, 0, h->opened_in));
    if (h->closed_in)
        proto_item_set_generated(proto_tree_add_uint(sub, fields->closed_in, d->tvb, at, 0, h->closed_in));
}

static void draw_value(drawing *d, const ndr_event *e)
{
    proto_tree *tree = parent_of(d, e);
    if (is_pointer(e->type)) {
        proto_tree_add_string_format(tree, generic.null_pointer, d->tvb, (gint)e->offset, (gint)e->length, e->name,
                                               "%s: NULL", e->name);
        return;
    }
    int hf = !ndr_is_return(e)               ? register_field(e->row)
             : e->type->kind == NDR_HANDLE ? register_returned_handle(d->interface)
                                           : register_return(d->interface);
    proto_item *item = add_value(tree, hf, d->tvb, e);
    const char *name = ndr_value_name(e->type, &e->value);
    if (e->type->kind == NDR_HANDLE)
        draw_handle(d, item, e);
    if (e->type->kind == NDR_FLAGS32 || e->type->kind == NDR_FLAGS64)
        append_flags(item, e);
    else if (name && !e->type->names) /* Wireshark names enumerations itself */
        proto_item_append_text(item, " (%s)", name);
    if (is_octets(e) && e->value.length > 0)
        proto_item_append_text(item, " (%" G_GSIZE_FORMAT " octets)", e->value.length);
}

static void draw_note(drawing *d, const ndr_event *e)
{
    char *text = ndr_note_text(e);
    proto_item *item = proto_tree_add_string(parent_of(d, e), generic.note, d->tvb, (gint)e->offset, (gint)e->length, text);
    proto_item_set_generated(item);
    expert_add_info_format(d->pinfo, item, &generic.noted, "%s", text);
    g_free(text);
}

static void draw_event(const ndr_event *e, void *user)
{
    drawing *d = user;
    switch (e->kind) {
    case NDR_EV_BEGIN: draw_begin(d, e); break;
    case NDR_EV_END:   draw_end(d, e); break;
    case NDR_EV_VALUE: draw_value(d, e); break;
    case NDR_EV_NOTE:  draw_note(d, e); break;
    }
}

typedef struct {
    proto_tree *tree;
    tvbuff_t   *tvb;
} secret_place;

static void draw_secret(const rpc_secret *secret, void *user)
{
    const secret_place *place = user;
    if (!rpc_secret_is_sealed(secret->kind))
        return;
    bool password = secret->kind == RPC_SECRET_PASSWORD;
    gint at = (gint)secret->offset;
    proto_item *item = proto_tree_add_string_format(place->tree, generic.secret, place->tvb, at, 0, secret->text, "%s in %s: %s",
                                                    password ? "Password" : "Wrapped secret", secret->field, secret->text);
    proto_item_set_generated(item);
    if (!secret->octets)
        return;
    proto_tree *sub = proto_item_add_subtree(item, generic.ett_security);
    if (secret->owner)
        proto_item_set_generated(proto_tree_add_string(sub, password ? generic.secret_account : generic.secret_sid, place->tvb,
                                                       at, 0, secret->owner));
    proto_item_set_generated(proto_tree_add_uint(sub, generic.secret_length, place->tvb, at, 0, (guint32)secret->length));
    if (prefs_show_secrets() && password)
        proto_item_set_generated(proto_tree_add_string(sub, generic.secret_password, place->tvb, at, 0, secret->joined.password));
    else if (prefs_show_secrets())
        proto_item_set_generated(proto_tree_add_bytes_with_length(sub, generic.secret_octets, place->tvb, at, 0, secret->octets,
                                                                  (gint)secret->length));
}

static void draw_parameters(packet_info *pinfo, proto_tree *tree, tvbuff_t *tvb, const rpc_pdu *pdu, const ndr_stub *stub,
                            const rpc_handles *handles)
{
    const rpc_call *call = pdu->call;
    drawing d = {pinfo, tvb, pdu, handles, call->interface, g_ptr_array_new()};
    g_ptr_array_add(d.trees, tree);
    ndr_result result = rpc_message_walk(call, pdu->response, stub, draw_event, &d);
    g_ptr_array_unref(d.trees);
    if (result.code == NDR_OK)
        return;
    bool cut = result.code == NDR_CUT;
    proto_tree_add_expert_format(tree, pinfo, cut ? &generic.cut : &generic.malformed, tvb,
                                 (gint)MIN(result.offset, stub->length), 0, "%s: %s, at octet %" G_GSIZE_FORMAT " of the stub",
                                 result.field ? result.field : "stub", ndr_code_text(result.code), result.offset);
}

/* ------------------------------------------------------------------------------------------------------------- PDUs */

/* The stub as octets that can be highlighted: a data tab of its own where it was sealed or put together of fragments, else the
 * place where it stands in the frame. */
static tvbuff_t *stub_tvb(const tree_place *place, packet_info *pinfo, const rpc_pdu *pdu, const rpc_message *m,
                          const ndr_stub *stub)
{
    if (!pdu->plain && m->fragments == 1)
        return tvb_new_subset_length_caplen(place->tvb, place->start + (gint)pdu->stub_offset, (gint)stub->length,
                                            (gint)stub->reported);
    guint8 *copy = wmem_memdup(pinfo->pool, stub->data, stub->length);
    tvbuff_t *tvb = tvb_new_child_real_data(place->tvb, copy, (guint)stub->length, (gint)stub->reported);
    char *name = wmem_strdup_printf(pinfo->pool, "%s %s", pdu->call->method ? pdu->call->method->name : "Stub",
                                    pdu->response ? "response" : "request");
    add_new_data_source(pinfo, tvb, name);
    return tvb;
}

static void draw_partner(proto_tree *tree, tvbuff_t *tvb, const rpc_pdu *pdu)
{
    const rpc_message *partner = pdu->response ? &pdu->call->request : &pdu->call->response;
    if (partner->kind == RPC_NONE)
        return;
    proto_item_set_generated(
        proto_tree_add_uint(tree, pdu->response ? generic.request_in : generic.response_in, tvb, 0, 0, partner->first_frame));
}

static void draw_fault(proto_tree *tree, tvbuff_t *tvb, const rpc_message *m)
{
    const char *name = errors_fault(m->status);
    proto_item *item = proto_tree_add_uint(tree, generic.fault, tvb, 0, 0, m->status);
    if (name)
        proto_item_append_text(item, " (%s)", name);
}

/* Of a PDU whose message has not begun, for its first fragment or its key is still to come, too. */
static const char *kind_name(const rpc_pdu *pdu, const rpc_message *m)
{
    return !pdu->response ? "request" : m->kind == RPC_FAULT ? "fault" : "response";
}

/* "BackuprKey response", or "opnum 44 request" where the table knows no such method. */
static char *call_name(packet_info *pinfo, const rpc_pdu *pdu, const rpc_message *m)
{
    const rpc_call *call = pdu->call;
    if (call->method)
        return wmem_strdup_printf(pinfo->pool, "%s %s", call->method->name, kind_name(pdu, m));
    return wmem_strdup_printf(pinfo->pool, "opnum %u %s", call->opnum, kind_name(pdu, m));
}

enum { DIGITS_MAX = 11 };

static const char *digits_of(guint32 number, char text[DIGITS_MAX])
{
    char *at = text + DIGITS_MAX - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    return at;
}

/* What a method came to, where that is no success; 0. The whole answer is read only where it ends with what may be an error. */
static uint32_t returned_error(const rpc_pdu *pdu, const rpc_message *m)
{
    static const uint8_t success[4];
    const ndr_method *method = pdu->call->method;
    const GByteArray *stub = m->stub;
    if (!method || !method->returns || method->returns->kind != NDR_ERROR || !stub || stub->len < sizeof success ||
        memcmp(stub->data + stub->len - sizeof success, success, sizeof success) == 0)
        return 0;
    call_outcome outcome = call_outcome_of(pdu->call);
    return outcome.end == CALL_RETURNED ? outcome.status : 0;
}

/* "ERROR_ACCESS_DENIED" of a fault or an error; NULL. */
static const char *status_name(packet_info *pinfo, const rpc_pdu *pdu, const rpc_message *m)
{
    bool fault = m->kind == RPC_FAULT;
    if (!pdu->response || !pdu->last || !col_get_writable(pinfo->cinfo, COL_INFO))
        return NULL;
    uint32_t status = fault ? m->status : returned_error(pdu, m);
    if (!fault && status == 0)
        return NULL;
    const char *name = fault ? errors_fault(status) : errors_win32(status);
    return name ? name : wmem_strdup_printf(pinfo->pool, "0x%08x", status);
}

/* A frame's only PDU has the Info column to itself; of several, each adds to what Wireshark wrote of them all. The columns of a
 * frame are made even where nobody looks at it, so they are put together without a format. */
static void set_columns(packet_info *pinfo, const rpc_pdu *pdu, const rpc_message *m, bool alone)
{
    const rpc_call *call = pdu->call;
    char opnum[DIGITS_MAX], call_id[DIGITS_MAX];
    const char *before = call->method ? "" : "opnum ", *name = call->method ? call->method->name : digits_of(call->opnum, opnum);
    const char *sealed = pdu->verdict.state == SEC_SEALED ? " (sealed)" : "";
    const char *status = status_name(pinfo, pdu, m), *label = status ? ", status: " : "";
    col_set_str(pinfo->cinfo, COL_PROTOCOL, register_short_name(call->interface));
    if (alone)
        col_add_lstr(pinfo->cinfo, COL_INFO, before, name, " ", kind_name(pdu, m), pdu->last ? "" : ", fragment", sealed, ", call_id: ",
                     digits_of(pdu->call_id, call_id), label, status ? status : "", COL_ADD_LSTR_TERMINATOR);
    else
        col_append_lstr(pinfo->cinfo, COL_INFO, ", ", before, name, " ", kind_name(pdu, m), sealed, label, status ? status : "",
                        COL_ADD_LSTR_TERMINATOR);
}

static void draw_stub(const tree_place *place, packet_info *pinfo, proto_tree *tree, const rpc_pdu *pdu, const rpc_message *m,
                      const tree_kept *kept, bool ours)
{
    ndr_stub stub;
    if (!rpc_message_stub(pdu->call, m, &stub))
        return;
    tvbuff_t *tvb = stub_tvb(place, pinfo, pdu, m, &stub);
    if (ours && pdu->call->method && !pdu->call->method->reserved) {
        draw_parameters(pinfo, tree, tvb, pdu, &stub, kept->handles);
        rpc_secrets(pdu->call, pdu->response, kept->ring, draw_secret, &(secret_place){tree, tvb});
    } else
        proto_tree_add_item(tree, generic.stub, tvb, 0, -1, ENC_NA);
    if (m->has_trailer)
        proto_item_set_generated(proto_tree_add_boolean(tree, generic.trailer, tvb, 0, 0, TRUE));
}

static void draw_call(const tree_place *place, packet_info *pinfo, proto_tree *tree, tvbuff_t *tvb, const rpc_pdu *pdu,
                      const tree_kept *kept, bool ours)
{
    const rpc_call *call = pdu->call;
    const rpc_message *m = pdu->response ? &call->response : &call->request;
    if (ours && call->request.kind != RPC_NONE)
        proto_item_set_generated(proto_tree_add_uint(tree, register_opnum(call->interface), tvb, 0, 0, call->opnum));
    draw_partner(tree, tvb, pdu);
    if (pdu->auth)
        draw_state(tree, pinfo, tvb, pdu);
    if (pdu->plain)
        check_wiresharks(tree, pinfo, pdu);
    if (m->kind == RPC_FAULT)
        draw_fault(tree, tvb, m);
    if (pdu->last)
        draw_stub(place, pinfo, tree, pdu, m, kept, ours);
}

void tree_pdu(const tree_place *place, packet_info *pinfo, proto_tree *tree, const rpc_pdu *pdu, const tree_kept *kept, bool alone)
{
    const rpc_call *call = pdu->call;
    bool ours = call && call->interface && takeover_is_ours(call->interface);
    bool protect = pdu->auth && call && pdu->level >= SEC_LEVEL_PKT;
    if (!ours && !protect && !pdu->problem)
        return;
    const rpc_message *m = !call ? NULL : pdu->response ? &call->response : &call->request;
    if (ours)
        set_columns(pinfo, pdu, m, alone);
    if (!tree)
        return;
    int proto = ours ? register_proto(call->interface) : generic.proto;
    proto_item *top = proto_tree_add_item(tree, proto, place->tvb, place->start, place->length, ENC_NA);
    proto_tree *sub = proto_item_add_subtree(top, generic.ett);
    if (pdu->problem)
        expert_add_info_format(pinfo, top, &generic.malformed, "%s", pdu->problem);
    if (!call)
        return;
    proto_item_append_text(top, ", %s%s%s", call_name(pinfo, pdu, m), pdu->last ? "" : ", fragment",
                           pdu->verdict.state == SEC_SEALED ? ", sealed" : "");
    draw_call(place, pinfo, sub, place->tvb, pdu, kept, ours);
}

/* --------------------------------------------------------------------------------------------------------- findings */

void tree_findings(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const GPtrArray *findings)
{
    proto_item *top = proto_tree_add_item(tree, generic.proto, tvb, 0, 0, ENC_NA);
    proto_item_set_generated(top);
    proto_item_append_text(top, ", %u finding%s", findings->len, findings->len == 1 ? "" : "s");
    proto_tree *sub = proto_item_add_subtree(top, generic.ett);
    for (guint i = 0; i < findings->len; i++) {
        const finding *f = findings->pdata[i];
        bool doubt = f->verdict == VERDICT_WARNING && f->rule->level != RULE_SHOULD;
        proto_tree_add_expert_format(sub, pinfo, doubt ? &generic.doubt : register_rule(f->rule), tvb, 0, 0,
                                     "%s %s (%s): %s", f->rule->id, rule_verdict_name(f->verdict), f->rule->section, f->message);
    }
}
