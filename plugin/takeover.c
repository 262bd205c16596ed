/* takeover.c - our interfaces in the place of Wireshark's own dissectors of them, and back.
 *
 * dcerpc_init_uuid() would free keys that Wireshark still uses when a UUID is registered already (measured, 4.0 and 4.4), so the
 * public table is edited instead: in place where the UUID is known, with a key of our own where it is not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/takeover.h"

#include <string.h>

#include "plugin/compat.h"

#include <epan/dissectors/packet-dcerpc.h>
#include <epan/guid-utils.h>

/* An interface that DCE/RPC knows twice: what it knew before, and what it is told by us. */
typedef struct {
    const ndr_interface *interface;
    guid_key             key;
    dcerpc_uuid_value   *value;   /* Wireshark's, in its table */
    dcerpc_uuid_value    before, ours;
    dissector_handle_t   handle_before, handle;
    bool                 known_before, given_back;
} taken;

static GPtrArray *all;

const char *takeover_builtin(const char *protocol)
{
    static const struct { const char *protocol, *builtin; } pairs[] = {{"cmrp", "clusapi"}, {"wkst", "wkssvc"}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (strcmp(pairs[i].protocol, protocol) == 0)
            return pairs[i].builtin;
    return NULL;
}

/* Claims the stub of our interfaces, so that Wireshark draws neither its own reading nor garbage; feed.c has it drawn
 * after DCE/RPC. Zero would mean "rejected". */
static int claim_stub(tvbuff_t *tvb, packet_info *pinfo _U_, proto_tree *tree _U_, void *data _U_)
{
    return MAX(1, (int)tvb_captured_length(tvb));
}

/* One for all versions of a protocol: two of one name are an error to Wireshark. */
static dissector_handle_t claim_of(int proto)
{
    for (guint i = 0; i < all->len; i++) {
        const taken *t = all->pdata[i];
        if (t->ours.proto_id == proto)
            return t->handle;
    }
    return create_dissector_handle(claim_stub, proto);
}

static dcerpc_uuid_value *new_value(const taken *t)
{
    guid_key *key = g_memdup2(&t->key, sizeof t->key);
    dcerpc_uuid_value *value = g_new0(dcerpc_uuid_value, 1);
    g_hash_table_insert(dcerpc_uuids, key, value);
    guids_add_guid(&key->guid, t->ours.name);
    return value;
}

static void put(taken *t, bool ours)
{
    *t->value = ours ? t->ours : t->before;
    dissector_add_guid("dcerpc.uuid", &t->key, ours ? t->handle : t->handle_before);
    t->given_back = !ours;
}

void takeover_interface(const ndr_interface *interface, int proto, int ett, int opnum_hf)
{
    static dcerpc_sub_dissector no_procs[] = {{0, NULL, NULL, NULL}};
    if (!all)
        all = g_ptr_array_new();
    taken *t = g_new0(taken, 1);
    t->interface = interface;
    t->key.guid.data1 = interface->uuid.data1;
    t->key.guid.data2 = interface->uuid.data2;
    t->key.guid.data3 = interface->uuid.data3;
    memcpy(t->key.guid.data4, interface->uuid.data4, sizeof t->key.guid.data4);
    t->key.ver = interface->version_major;
    protocol_t *protocol = find_protocol_by_id(proto);
    t->ours = (dcerpc_uuid_value){.proto = protocol, .proto_id = proto, .ett = ett, .name = proto_get_protocol_short_name(protocol),
                                  .procs = no_procs, .opnum_hf = opnum_hf};
    t->handle = claim_of(proto);
    t->value = g_hash_table_lookup(dcerpc_uuids, &t->key);
    t->handle_before = dissector_get_guid_handle(find_dissector_table("dcerpc.uuid"), &t->key);
    t->known_before = t->value && t->handle_before;
    if (!t->value)
        t->value = new_value(t);
    t->before = *t->value;
    g_ptr_array_add(all, t);
    put(t, true);
}

void takeover_give_back(const char *protocol, bool back)
{
    for (guint i = 0; all && i < all->len; i++) {
        taken *t = all->pdata[i];
        if (t->known_before && t->given_back != back && strcmp(t->interface->protocol, protocol) == 0)
            put(t, !back);
    }
}

bool takeover_is_ours(const ndr_interface *interface)
{
    for (guint i = 0; i < all->len; i++) {
        const taken *t = all->pdata[i];
        if (t->interface == interface)
            return !t->given_back;
    }
    return false;
}
