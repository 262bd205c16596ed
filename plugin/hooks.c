/* hooks.c - wraps the heuristic dissectors by which Wireshark finds DCE/RPC and SMB.
 *
 * A heuristic's entry is a public structure, and its function can be replaced by one that looks at the octets and then calls the
 * first. So PDUs are seen without a protocol tree: asking for one in a postdissector costs a third of the time on traffic that has
 * no DCE/RPC in it (docs/architecture.md). Whatever carries DCE/RPC, Wireshark finds it by such an entry; only "Decode As" does not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/hooks.h"

#include <string.h>

#include <epan/dissectors/packet-smb2.h>
#include <epan/dissectors/packet-tcp.h>

/* The entries that are wrapped. A heuristic is called without being told which it is, so each has a wrapper of its own. */
enum { SLOTS = 16 };
typedef struct {
    heur_dtbl_entry_t *entry;
    heur_dissector_t   original;
    bool               is_rpc;  /* else SMB */
    bool               on_pipe, is_smb2, is_udp;
} slot;

/* Bits of tcp_analysis.conversation_completeness, as the field tcp.completeness shows them. */
enum { TCP_COMPLETENESS_SYNSENT = 1, TCP_COMPLETENESS_FIN = 16, TCP_COMPLETENESS_RST = 32 };

static const hooks_sink *sink;
static slot              slots[SLOTS];
static unsigned          slot_count;
static bool              alone;
static int               proto_dcerpc, proto_smb, proto_smb2, proto_tcp;
static dissector_handle_t decoded_as, decode_as_original;

/* SMB2 hands down what it knows of the file; the id is the one on the wire. */
static void fill_pipe(const slot *s, void *data, hooks_pipe *pipe)
{
    pipe->on_pipe = s->on_pipe;
    pipe->datagram = s->is_udp;
    const smb2_info_t *info = s->is_smb2 ? data : NULL;
    const smb2_fid_info_t *file = !info ? NULL : info->file ? info->file : info->saved ? info->saved->file : NULL;
    if (!file)
        return;
    pipe->known = true;
    pipe->file_id[0] = file->fid_persistent;
    pipe->file_id[1] = file->fid_volatile;
    pipe->name = file->name;
}

/* The one thing that is needed of Wireshark's dissector when nobody looks: that carriers put PDUs together of their segments. */
static void ask_for_rest(packet_info *pinfo, const hooks_rest *rest)
{
    if (rest->missing == 0 || !pinfo->can_desegment)
        return;
    pinfo->desegment_offset = rest->offset;
    pinfo->desegment_len = rest->missing;
}

/* Returns whether that was all there is to do. */
static bool look_at_rpc(const slot *s, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    hooks_pipe pipe = {.on_pipe = false};
    hooks_rest rest = {0, 0};
    fill_pipe(s, data, &pipe);
    bool is_rpc = sink->rpc(tvb, pinfo, tree, &pipe, &rest);
    if (!is_rpc || !alone)
        return false;
    ask_for_rest(pinfo, &rest);
    return true;
}

/* The octets are taken before the dissector runs: what it throws passes through here. */
static ws_bool call_original(unsigned number, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const slot *s = &slots[number];
    if (!s->is_rpc)
        sink->smb(tvb, pinfo, tree);
    else if (look_at_rpc(s, tvb, pinfo, tree, data))
        return TRUE;
    return s->original(tvb, pinfo, tree, data);
}

#define WRAPPER(N) \
    static ws_bool wrapper_##N(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data) \
    { \
        return call_original(N, tvb, pinfo, tree, data); \
    }
WRAPPER(0) WRAPPER(1) WRAPPER(2) WRAPPER(3) WRAPPER(4) WRAPPER(5) WRAPPER(6) WRAPPER(7)
WRAPPER(8) WRAPPER(9) WRAPPER(10) WRAPPER(11) WRAPPER(12) WRAPPER(13) WRAPPER(14) WRAPPER(15)
static const heur_dissector_t wrappers[SLOTS] = {
    wrapper_0, wrapper_1, wrapper_2,  wrapper_3,  wrapper_4,  wrapper_5,  wrapper_6,  wrapper_7,
    wrapper_8, wrapper_9, wrapper_10, wrapper_11, wrapper_12, wrapper_13, wrapper_14, wrapper_15,
};

static void wrap_entry(const gchar *table, heur_dtbl_entry_t *entry, gpointer user)
{
    (void)user;
    int proto = proto_get_id(entry->protocol);
    bool is_rpc = proto == proto_dcerpc, is_smb = proto == proto_smb || proto == proto_smb2;
    bool is_udp = strcmp(table, "udp") == 0;
    if (!(is_rpc || (is_smb && !is_udp)) || slot_count == SLOTS)
        return;
    bool smb2_pipe = strcmp(table, "smb2_pipe_subdissectors") == 0;
    slots[slot_count] = (slot){entry, entry->dissector, is_rpc, smb2_pipe || strcmp(table, "smb_transact") == 0, smb2_pipe, is_udp};
    entry->dissector = wrappers[slot_count++];
}

static void wrap_table(const char *name, struct heur_dissector_list *table, gpointer user)
{
    (void)table;
    heur_dissector_table_foreach(name, wrap_entry, user);
}

/* ------------------------------------------------------------------------------------------------------------ TCP */

hooks_connection hooks_tcp(const conversation_t *conversation)
{
    const struct tcp_analysis *tcp = conversation ? conversation_get_proto_data(conversation, proto_tcp) : NULL;
    if (!tcp)
        return (hooks_connection){false, false, false};
    return (hooks_connection){tcp->conversation_completeness & TCP_COMPLETENESS_SYNSENT,
                              tcp->conversation_completeness & (TCP_COMPLETENESS_FIN | TCP_COMPLETENESS_RST),
                              !(tcp->conversation_completeness & TCP_COMPLETENESS_FIN)};
}

/* What TCP offers is reassembly for whom it calls, not for those whom these call in turn; so the offer is renewed. */
static int pass_on(dissector_handle_t handle, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    pinfo->can_desegment = pinfo->saved_can_desegment;
    return call_dissector_only(handle, tvb, pinfo, tree, data);
}

/* ------------------------------------------------------------------------------------------------------- Kerberos */

/* Wireshark finds Kerberos by its port: there our dissector looks on, and hands over to the one that stood there. */
enum { KDC_PORT = 88 };
static dissector_handle_t kdc_tcp, kdc_udp, kdc_watch_udp;
static int proto_watch;

static int look_at_kdc_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    sink->kerberos(tvb, pinfo, true);
    return pass_on(kdc_tcp, tvb, pinfo, tree, data);
}

/* A request sends all that comes back to its port straight to Wireshark's dissector, for a KDC may answer from another port. */
static int look_at_kdc_udp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    sink->kerberos(tvb, pinfo, false);
    int taken = pass_on(kdc_udp, tvb, pinfo, tree, data);
    conversation_t *answers = find_conversation(pinfo->num, &pinfo->src, &pinfo->dst, CONVERSATION_UDP, pinfo->srcport, 0, NO_PORT_B);
    if (answers && conversation_get_dissector(answers, pinfo->num) == kdc_udp)
        conversation_set_dissector(answers, kdc_watch_udp);
    return taken;
}

static dissector_handle_t watch_port(const char *table, guint port, dissector_handle_t looker)
{
    dissector_handle_t original = dissector_get_uint_handle(find_dissector_table(table), port);
    if (original)
        dissector_add_uint(table, port, looker);
    return original;
}

/* ---------------------------------------------------------------------------------------------------------- names */

/* DNS and LLMNR: their messages are of one form. */
static const guint name_ports[] = {53, 5355};
static dissector_handle_t name_originals[G_N_ELEMENTS(name_ports)];
static int proto_names;

/* They hold nothing else of ours, so that without anybody who looks that is all. */
static int look_at_names(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    sink->names(tvb, pinfo);
    for (size_t i = 0; !alone && i < G_N_ELEMENTS(name_ports); i++)
        if (name_ports[i] == pinfo->match_uint)
            return pass_on(name_originals[i], tvb, pinfo, tree, data);
    return alone ? (int)tvb_captured_length(tvb) : 0;
}

/* ------------------------------------------------------------------------------------------------------ Decode As */

static int look_and_pass_on(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    hooks_pipe pipe = {.on_pipe = false};
    hooks_rest rest;
    sink->rpc(tvb, pinfo, tree, &pipe, &rest);
    return pass_on(decode_as_original, tvb, pinfo, tree, data);
}

static void collect_decoded(const gchar *table, ftenum_t type, gpointer key, gpointer value, gpointer user)
{
    (void)type;
    dissector_handle_t handle = dtbl_entry_get_handle(value);
    if (!handle || handle == decoded_as || strcmp(table, "tcp.port") != 0 ||
        dissector_handle_get_protocol_index(handle) != proto_dcerpc)
        return;
    decode_as_original = handle;
    guint port = GPOINTER_TO_UINT(key);
    g_array_append_val((GArray *)user, port);
}

void hooks_follow_decode_as(void)
{
    GArray *ports = g_array_new(FALSE, FALSE, sizeof(guint));
    dissector_all_tables_foreach_changed(collect_decoded, ports);
    for (guint i = 0; i < ports->len; i++)
        dissector_change_uint("tcp.port", g_array_index(ports, guint, i), decoded_as);
    g_array_unref(ports);
}

void hooks_register(int proto)
{
    /* In name only: it is no layer of its own. Tables want dissectors of different names. */
    proto_watch = proto_register_protocol_in_name_only("Kerberos, watched by RPC Lens", "KRB5 (RPC Lens)", "rpclens.kerberos", proto,
                                                       FT_PROTOCOL);
    proto_names = proto_register_protocol_in_name_only("Names, watched by RPC Lens", "NAMES (RPC Lens)", "rpclens.names", proto,
                                                       FT_PROTOCOL);
}

void hooks_alone(void)
{
    alone = true;
}

void hooks_install(const hooks_sink *receiver)
{
    sink = receiver;
    proto_dcerpc = proto_get_id_by_filter_name("dcerpc");
    proto_smb = proto_get_id_by_filter_name("smb");
    proto_smb2 = proto_get_id_by_filter_name("smb2");
    proto_tcp = proto_get_id_by_filter_name("tcp");
    dissector_all_heur_tables_foreach_table(wrap_table, NULL, NULL);
    kdc_watch_udp = create_dissector_handle(look_at_kdc_udp, proto_watch);
    kdc_tcp = watch_port("tcp.port", KDC_PORT, create_dissector_handle(look_at_kdc_tcp, proto_watch));
    kdc_udp = watch_port("udp.port", KDC_PORT, kdc_watch_udp);
    dissector_handle_t names = create_dissector_handle(look_at_names, proto_names);
    for (size_t i = 0; i < G_N_ELEMENTS(name_ports); i++)
        name_originals[i] = watch_port("udp.port", name_ports[i], names);
    decoded_as = create_dissector_handle(look_and_pass_on, proto_dcerpc);
}
