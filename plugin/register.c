/* register.c - makes Wireshark's fields of the tables, and takes the interfaces over.
 *
 * Rows of equal name and type within a protocol share one field, so that `bkrp.dwVersion` finds it wherever it stands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/register.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/errors.h"
#include "decoders/interfaces.h"
#include "plugin/feed.h"
#include "plugin/prefs.h"
#include "plugin/takeover.h"

register_generic generic = {
    .proto = -1, .state = -1, .reason = -1, .mechanism = -1, .auth_level = -1, .user = -1, .context = -1,
    .key = -1, .keys_tried = -1, .pdus_verified = -1, .pdus_refused = -1, .pdus_missing = -1,
    .secret = -1, .secret_sid = -1, .secret_account = -1, .secret_length = -1, .secret_octets = -1, .secret_password = -1,
    .request_in = -1, .response_in = -1, .fault = -1, .stub = -1, .trailer = -1,
    .null_pointer = -1, .note = -1, .element = -1, .ett = -1, .ett_security = -1, .ett_value = -1,
    .sealed = EI_INIT, .unverified = EI_INIT, .bad_signature = EI_INIT, .other_plaintext = EI_INIT, .malformed = EI_INIT,
    .cut = EI_INIT, .noted = EI_INIT, .doubt = EI_INIT,
};

/* One registered interface. Wireshark keeps pointers to everything here as long as the process lives. */
typedef struct registered {
    const ndr_interface *interface;
    struct registered   *owner;   /* of the fields: the first interface of the protocol, which has all the methods' names */
    int                  proto, opnum, returns, returned_handle, ett;
    register_handle      handle;
    char                *proto_name, *short_name;
    GHashTable          *by_name; /* "dwVersion" -> field */
    GArray              *infos;   /* hf_register_info */
} registered;

typedef struct {
    int            hf;
    enum ftenum    type;
    const ndr_field *row;
} field;

static registered *registrations;
static GHashTable *field_of_row; /* ndr_field -> field */
static GHashTable *field_of_type;/* ndr_type -> field: headers of structures */
static GHashTable *rule_of;      /* rule -> expert_field */

/* Wireshark's value_string and our ndr_name are the same two members, so a table can be handed over as it is. */
G_STATIC_ASSERT(sizeof(value_string) == sizeof(ndr_name));
G_STATIC_ASSERT(offsetof(value_string, value) == offsetof(ndr_name, value));
G_STATIC_ASSERT(offsetof(value_string, strptr) == offsetof(ndr_name, name));

/* ------------------------------------------------------------------------------------------------------- fields */

const ndr_type *register_leaf(const ndr_type *type, bool *octets)
{
    *octets = false;
    for (;;) {
        switch (type->kind) {
        case NDR_UNIQUE: case NDR_REF:
            type = type->of;
            break;
        case NDR_CONF: case NDR_VARY: case NDR_CVAR: case NDR_FIXED: case NDR_LIST: case NDR_ENDED:
            type = type->of;
            *octets = type->kind == NDR_U8;
            break;
        default:
            return type;
        }
    }
}

static enum ftenum field_type(const ndr_type *leaf, bool octets, int *display)
{
    *display = BASE_NONE;
    if (octets)
        return FT_BYTES;
    switch (leaf->kind) {
    case NDR_U8:       *display = BASE_DEC; return FT_UINT8;
    case NDR_U16:      *display = BASE_DEC; return FT_UINT16;
    case NDR_ENUM16:   *display = BASE_DEC; return FT_UINT16;
    case NDR_U32:
        *display = leaf->unit ? BASE_DEC | BASE_UNIT_STRING : leaf->names ? BASE_DEC | BASE_SPECIAL_VALS : BASE_DEC_HEX;
        return FT_UINT32;
    case NDR_I32:      *display = BASE_DEC; return FT_INT32;
    case NDR_I64:      *display = BASE_DEC; return FT_INT64;
    case NDR_ENUM32:   *display = leaf->hex ? BASE_HEX : BASE_DEC; return FT_UINT32;
    case NDR_FLAGS32: case NDR_ERROR: *display = BASE_HEX; return FT_UINT32;
    case NDR_FLAGS64: *display = BASE_HEX; return FT_UINT64;
    case NDR_U64: case NDR_U3264: *display = BASE_DEC_HEX; return FT_UINT64;
    case NDR_GUID: case NDR_HANDLE: return FT_GUID;
    case NDR_FILETIME: case NDR_TIME: *display = ABSOLUTE_TIME_UTC; return FT_ABSOLUTE_TIME;
    case NDR_WSTR: case NDR_ASTR: case NDR_TEXT: case NDR_WCHAR: case NDR_SZ: return FT_STRING;
    case NDR_OCTETS:   return FT_BYTES;
    default:           return FT_NONE;
    }
}

static void add_info(registered *r, int *hf, const char *name, enum ftenum type, int display, const ndr_name *names,
                     const char *blurb)
{
    hf_register_info info = {hf, {name, g_strdup_printf("%s.%s", r->interface->protocol, name), type, display,
                                  type == FT_UINT8 || type == FT_UINT16 || type == FT_UINT32 ? VALS((const value_string *)names) : NULL, 0,
                                  blurb, HFILL}};
    g_array_append_val(r->infos, info);
}

static field *new_field(registered *r, const char *name, enum ftenum type, int display, const ndr_field *row,
                        const ndr_name *names, const char *blurb)
{
    field *made = g_new0(field, 1);
    *made = (field){-1, type, row};
    add_info(r, &made->hf, name, type, display, names, blurb);
    return made;
}

static const unit_name_string *unit_text(const char *unit)
{
    unit_name_string *text = g_new0(unit_name_string, 1);
    text->singular = g_strconcat(" ", unit, NULL);
    return text;
}

static void add_row(registered *r, const ndr_field *row)
{
    bool octets;
    int display;
    if (row->type->kind == NDR_PAD || row->type->kind == NDR_NOTHING)
        return;
    const ndr_type *leaf = register_leaf(row->type, &octets);
    enum ftenum type = field_type(leaf, octets, &display);
    if (type == FT_NONE) /* structures are drawn, and found, by their types; nothing would fill this field */
        return;
    char *key = g_strdup_printf("%s/%d/%p", row->name, type, (const void *)leaf->names);
    field *known = g_hash_table_lookup(r->by_name, key);
    if (!known) {
        const ndr_name *names = leaf->kind == NDR_FLAGS32 || leaf->kind == NDR_FLAGS64 ? NULL : leaf->names;
        known = new_field(r, row->name, type, display, row, names, NULL);
        if (leaf->unit)
            g_array_index(r->infos, hf_register_info, r->infos->len - 1).hfinfo.strings = unit_text(leaf->unit);
        g_hash_table_insert(r->by_name, key, known);
    } else {
        g_free(key);
    }
    g_hash_table_insert(field_of_row, (gpointer)row, known);
}

static void add_type(registered *r, const ndr_type *type)
{
    if (!type)
        return;
    if (type->of)
        add_type(r, type->of);
    if (!type->fields || g_hash_table_contains(field_of_type, type))
        return;
    g_hash_table_insert(field_of_type, (gpointer)type, new_field(r, type->name, FT_NONE, BASE_NONE, NULL, NULL, NULL));
    for (const ndr_field *row = type->fields; row->type; row++) {
        add_row(r, row);
        add_type(r, row->type);
    }
}

static ndr_name *opnum_names(const ndr_interface *interface)
{
    GArray *names = g_array_new(TRUE, TRUE, sizeof(ndr_name));
    for (uint32_t i = 0; i < interface->method_count; i++) {
        ndr_name name = {i, interface->methods[i].name};
        if (name.name)
            g_array_append_val(names, name);
    }
    return (ndr_name *)(void *)g_array_free(names, FALSE);
}

static registered *owner_of(registered *r, const ndr_interface *interface)
{
    for (registered *other = registrations; other < r; other++)
        if (strcmp(other->interface->protocol, interface->protocol) == 0)
            return other;
    return r;
}

static void add_protocol(registered *r, const ndr_interface *interface)
{
    r->proto = r->opnum = r->returns = r->returned_handle = r->ett = -1;
    r->handle = (register_handle){-1, -1, -1};
    r->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    r->infos = g_array_new(FALSE, TRUE, sizeof(hf_register_info));
    r->proto_name = g_strdup_printf("%s (%s)", interface->name, interface->spec);
    r->short_name = g_ascii_strup(interface->protocol, -1);
    r->proto = proto_register_protocol(r->proto_name, r->short_name, interface->protocol);
    add_info(r, &r->opnum, "opnum", FT_UINT16, BASE_DEC, opnum_names(interface), NULL);
    add_info(r, &r->returns, "return", FT_UINT32, BASE_HEX, NULL, NULL);
}

static void add_params(registered *r, const ndr_field *params)
{
    for (const ndr_field *row = params; row && row->type; row++) {
        add_row(r, row);
        add_type(r, row->type);
    }
}

static void add_handle_infos(registered *r)
{
    add_info(r, &r->handle.name, "handle.name", FT_STRING, BASE_NONE, NULL, "What the handle was opened by");
    add_info(r, &r->handle.opened_in, "handle.opened_in", FT_FRAMENUM, BASE_NONE, NULL, "The frame that gave the handle out");
    add_info(r, &r->handle.closed_in, "handle.closed_in", FT_FRAMENUM, BASE_NONE, NULL, "The frame that took the handle back");
}

static void add_rows(registered *r, const ndr_interface *interface)
{
    bool handles = false;
    for (uint32_t i = 0; i < interface->method_count; i++) {
        const ndr_method *method = &interface->methods[i];
        handles |= method->returns && method->returns->kind == NDR_HANDLE;
        add_params(r, method->params);
        for (const ndr_other *other = method->others; other && other->name; other++)
            add_params(r, other->params);
    }
    if (handles && r->interface == interface) {
        add_info(r, &r->returned_handle, "return_handle", FT_GUID, BASE_NONE, NULL, "A context handle that was opened");
        add_handle_infos(r);
    }
    for (const ndr_type *const *blob = interface->blobs; blob && *blob; blob++)
        add_type(r, *blob);
}

static void add_interface(registered *r, const ndr_interface *interface)
{
    r->interface = interface;
    r->owner = owner_of(r, interface);
    if (r->owner == r)
        add_protocol(r, interface);
    add_rows(r->owner, interface);
}

static void register_fields(registered *r)
{
    int *ett[] = {&r->ett};
    if (r->owner != r)
        return;
    proto_register_field_array(r->proto, (hf_register_info *)(void *)r->infos->data, (int)r->infos->len);
    proto_register_subtree_array(ett, 1);
}

/* ------------------------------------------------------------------------------------------------------- lookups */

static registered *find(const ndr_interface *interface)
{
    registered *r = registrations;
    while (r->interface != interface)
        r++;
    return r->owner;
}

int register_proto(const ndr_interface *interface) { return find(interface)->proto; }
const char *register_short_name(const ndr_interface *interface) { return find(interface)->short_name; }
int register_opnum(const ndr_interface *interface) { return find(interface)->opnum; }
int register_return(const ndr_interface *interface) { return find(interface)->returns; }
int register_returned_handle(const ndr_interface *interface) { return find(interface)->returned_handle; }

const register_handle *register_handle_fields(const ndr_interface *interface) { return &find(interface)->handle; }

int register_field(const ndr_field *row)
{
    const field *known = g_hash_table_lookup(field_of_row, row);
    return known ? known->hf : generic.element;
}

int register_type(const ndr_interface *interface, const ndr_type *type)
{
    const field *known = g_hash_table_lookup(field_of_type, type);
    (void)interface;
    return known ? known->hf : generic.element;
}

expert_field *register_rule(const rule *r)
{
    return g_hash_table_lookup(rule_of, r);
}

/* ------------------------------------------------------------------------------------------------- expert infos */

static void add_rule(const rule *r, void *user)
{
    expert_field *ei = g_new(expert_field, 1);
    *ei = (expert_field)EI_INIT;
    g_hash_table_insert(rule_of, (gpointer)r, ei);
    ei_register_info info = {ei, {g_strdup_printf("rpclens.rule.%s", r->id), PI_PROTOCOL,
                                  r->level == RULE_NOTE ? PI_NOTE : r->level == RULE_SHOULD ? PI_WARN : PI_ERROR,
                                  g_strdup_printf("%s: %s", r->id, r->text), EXPFILL}};
    g_array_append_val((GArray *)user, info);
}

static void register_experts(void)
{
    static ei_register_info fixed[] = {
        {&generic.sealed, {"rpclens.sealed", PI_DECRYPTION, PI_NOTE, "This PDU stays sealed", EXPFILL}},
        {&generic.unverified, {"rpclens.unverified", PI_SECURITY, PI_CHAT, "The signature was not verified", EXPFILL}},
        {&generic.bad_signature, {"rpclens.bad_signature", PI_SECURITY, PI_ERROR, "The signature does not hold", EXPFILL}},
        {&generic.other_plaintext, {"rpclens.other_plaintext", PI_DECRYPTION, PI_NOTE,
                                    "Wireshark's own plaintext does not fit the signature", EXPFILL}},
        {&generic.malformed, {"rpclens.malformed", PI_MALFORMED, PI_ERROR, "Malformed", EXPFILL}},
        {&generic.cut, {"rpclens.cut", PI_UNDECODED, PI_NOTE, "Cut by the capture's snap length", EXPFILL}},
        {&generic.noted, {"rpclens.noted", PI_PROTOCOL, PI_WARN, "The wire contradicts the interface", EXPFILL}},
        {&generic.doubt, {"rpclens.doubt", PI_PROTOCOL, PI_WARN, "A rule may be broken", EXPFILL}},
    };
    GArray *infos = g_array_new(FALSE, FALSE, sizeof(ei_register_info));
    g_array_append_vals(infos, fixed, G_N_ELEMENTS(fixed));
    rule_of = g_hash_table_new(NULL, NULL);
    rules_each(add_rule, infos);
    expert_register_field_array(expert_register_protocol(generic.proto), (ei_register_info *)(void *)infos->data,
                                (int)infos->len);
}

static void register_generic_fields(void)
{
    static hf_register_info fields[] = {
        {&generic.state, {"State", "rpclens.state", FT_STRING, BASE_NONE, NULL, 0,
                          "plain, verified, unverified or sealed", HFILL}},
        {&generic.reason, {"Reason", "rpclens.reason", FT_STRING, BASE_NONE, NULL, 0, "Why it is not verified", HFILL}},
        {&generic.mechanism, {"Mechanism", "rpclens.mechanism", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
        {&generic.auth_level, {"Authentication level", "rpclens.auth_level", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
        {&generic.user, {"User", "rpclens.user", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
        {&generic.context, {"Context id", "rpclens.auth_context_id", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
        {&generic.key, {"Key", "rpclens.key", FT_STRING, BASE_NONE, NULL, 0,
                        "Which of the supplied keys opened the context, and what proved it", HFILL}},
        {&generic.keys_tried, {"Keys tried", "rpclens.keys_tried", FT_UINT32, BASE_DEC, NULL, 0,
                               "Keys held against the context's handshake", HFILL}},
        {&generic.pdus_verified, {"PDUs verified", "rpclens.pdus_verified", FT_UINT32, BASE_DEC, NULL, 0,
                                  "Of this context so far", HFILL}},
        {&generic.pdus_refused, {"PDUs not verified", "rpclens.pdus_refused", FT_UINT32, BASE_DEC, NULL, 0,
                                 "Of this context so far", HFILL}},
        {&generic.pdus_missing, {"PDUs missing", "rpclens.pdus_missing", FT_UINT32, BASE_DEC, NULL, 0,
                                 "Missing from the capture in gaps behind which NTLM's key stream was found again", HFILL}},
        {&generic.secret, {"Wrapped secret", "rpclens.secret", FT_STRING, BASE_NONE, NULL, 0,
                           "Whether a backup key, or the SMB session's, opens what the call carries wrapped", HFILL}},
        {&generic.secret_sid, {"SID", "rpclens.secret.sid", FT_STRING, BASE_NONE, NULL, 0, "Whose secret it is", HFILL}},
        {&generic.secret_account, {"Account", "rpclens.secret.account", FT_STRING, BASE_NONE, NULL, 0,
                                   "Whose password it is", HFILL}},
        {&generic.secret_length, {"Length", "rpclens.secret.length", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
        {&generic.secret_password, {"Password", "rpclens.secret.password", FT_STRING, BASE_NONE, NULL, 0,
                                    "Only with the preference rpclens.show_secrets", HFILL}},
        {&generic.secret_octets, {"Secret", "rpclens.secret.octets", FT_BYTES, BASE_NONE, NULL, 0,
                                  "Only with the preference rpclens.show_secrets", HFILL}},
        {&generic.request_in, {"Request in frame", "rpclens.request_in", FT_FRAMENUM, BASE_NONE,
                               FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), 0, NULL, HFILL}},
        {&generic.response_in, {"Response in frame", "rpclens.response_in", FT_FRAMENUM, BASE_NONE,
                                FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), 0, NULL, HFILL}},
        {&generic.fault, {"Fault status", "rpclens.fault", FT_UINT32, BASE_HEX, NULL, 0, NULL, HFILL}},
        {&generic.stub, {"Stub", "rpclens.stub", FT_BYTES, BASE_NONE, NULL, 0, "Plaintext stub", HFILL}},
        {&generic.trailer, {"Verification trailer", "rpclens.verification_trailer", FT_BOOLEAN, BASE_NONE, NULL, 0,
                            "A verification trailer followed the stub", HFILL}},
        {&generic.null_pointer, {"Null pointer", "rpclens.null", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
        {&generic.note, {"Note", "rpclens.note", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
        {&generic.element, {"Element", "rpclens.element", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL}},
    };
    static int *ett[] = {&generic.ett, &generic.ett_security, &generic.ett_value};
    generic.proto = proto_register_protocol("RPC Lens", "RPC Lens", "rpclens");
    proto_register_field_array(generic.proto, fields, G_N_ELEMENTS(fields));
    proto_register_subtree_array(ett, G_N_ELEMENTS(ett));
}

void register_protocols(void)
{
    field_of_row = g_hash_table_new(NULL, NULL);
    field_of_type = g_hash_table_new(NULL, NULL);
    register_generic_fields();
    size_t count = 0;
    while (interfaces_all[count])
        count++;
    registrations = g_new0(registered, count + 1);
    for (size_t i = 0; i < count; i++)
        add_interface(&registrations[i], interfaces_all[i]);
    for (size_t i = 0; i < count; i++)
        register_fields(&registrations[i]);
    register_experts();
    prefs_register(generic.proto);
    feed_register(generic.proto);
}

void register_handoff(void)
{
    for (registered *r = registrations; r->interface; r++)
        takeover_interface(r->interface, r->owner->proto, r->owner->ett, r->owner->opnum);
    feed_handoff();
}
