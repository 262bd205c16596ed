/* feed.c - one postdissector sees the octets of every PDU: on the first pass it feeds the trackers, on every pass it has
 * what they kept drawn.
 *
 * Wireshark shows a postdissector the protocol items it asks for with the octets behind them (wireshark-facts, 4), and so
 * whole PDUs whatever carried them: segments, SMB pipes, encrypted SMB3. An SMB message stands in the tree before the PDU that it
 * carries, which is how a PDU's pipe is known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/feed.h"

#include "plugin/compat.h"

#include <epan/conversation.h>
#include <epan/to_str.h>

#include "plugin/prefs.h"
#include "plugin/tree.h"
#include "plugin/wireshark_keys.h"
#include "rpc/smb.h"

/* The two ends of a conversation as text, made once. */
typedef struct {
    address  a;
    guint32  port_a;
    char    *text_a, *text_b;
} ends;

/* All that is known of the capture in hand; made anew for each. */
typedef struct {
    keyring      *ring;
    bool          own_ring;
    rpc_tracker  *calls;
    smb_tracker  *smb;
    verifier     *judge;
    bool          own_judge;
    capture_facts facts;
    double        first_time;
    GHashTable   *conversations; /* number -> ends */
    GHashTable   *pdus;          /* frame -> GPtrArray of rpc_pdu */
    GHashTable   *findings;      /* frame -> GPtrArray of finding */
    bool          keys_given;    /* Wireshark has our NT hashes */
    bool          ended;
} capture;

static const feed_program *program;
static capture *now;
static dissector_handle_t handle;
static int proto_dcerpc, proto_smb, proto_smb2, hf_syn, hf_fin, hf_rst;

/* ------------------------------------------------------------------------------------------- one capture's state */

static void ends_free(void *p)
{
    ends *e = p;
    free_address(&e->a);
    g_free(e->text_a);
    g_free(e->text_b);
    g_free(e);
}

static void unref_array(void *p)
{
    g_ptr_array_unref(p);
}

static void on_message(rpc_call *call, bool response, void *user)
{
    capture *c = user;
    if (!call->bound && !response)
        c->facts.unbound_calls++;
    if (c->judge)
        verifier_message(c->judge, call, response);
}

static void on_finished(rpc_call *call, void *user)
{
    (void)user;
    if (program && program->finished)
        program->finished(call, program->user);
}

static void on_context(const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                       uint16_t version_major, int result, void *user)
{
    capture *c = user;
    if (c->judge)
        verifier_context(c->judge, association, origin, interface, version_major, result);
}

static void on_opened(const smb_open *attempt, void *user)
{
    capture *c = user;
    if (c->judge)
        verifier_opened(c->judge, attempt);
}

static void on_closed(uint64_t connection, const uint64_t pipe_id[2], void *user)
{
    rpc_tracker_closed(((capture *)user)->calls, connection, pipe_id);
}

static GPtrArray *list_of(GHashTable *table, uint32_t frame)
{
    GPtrArray *list = g_hash_table_lookup(table, GUINT_TO_POINTER(frame));
    if (!list) {
        list = g_ptr_array_new();
        g_hash_table_insert(table, GUINT_TO_POINTER(frame), list);
    }
    return list;
}

static void on_found(const finding *f, uint32_t frame, void *user)
{
    (void)user;
    if (now && frame > 0 && f->verdict != VERDICT_INCONCLUSIVE)
        g_ptr_array_add(list_of(now->findings, frame), (gpointer)f);
}

static void capture_open(void)
{
    static const rpc_options in_wireshark = {0};
    now = g_new0(capture, 1);
    now->own_ring = !program;
    now->ring = program ? program->ring : prefs_load_keys();
    now->own_judge = !program;
    now->judge = program ? program->judge : verifier_new(on_found, NULL);
    now->facts.label = program ? program->label : "";
    now->facts.complete = true;
    rpc_sink sink = {now, on_message, on_finished, on_context};
    now->calls = rpc_tracker_new(now->ring, &sink, program ? &program->options : &in_wireshark);
    smb_sink pipes = {now, on_opened, on_closed};
    now->smb = smb_tracker_new(&pipes);
    now->conversations = g_hash_table_new_full(NULL, NULL, NULL, ends_free);
    now->pdus = g_hash_table_new_full(NULL, NULL, NULL, unref_array);
    now->findings = g_hash_table_new_full(NULL, NULL, NULL, unref_array);
    if (now->judge)
        verifier_begin(now->judge, &now->facts);
}

void feed_end(bool whole)
{
    if (!now || now->ended)
        return;
    now->ended = true;
    now->facts.complete = whole;
    rpc_tracker_end(now->calls);
    if (now->judge)
        verifier_end(now->judge);
}

static void capture_close(void)
{
    if (!now)
        return;
    feed_end(true);
    rpc_tracker_free(now->calls);
    smb_tracker_free(now->smb);
    g_hash_table_unref(now->conversations);
    g_hash_table_unref(now->pdus);
    g_hash_table_unref(now->findings);
    if (now->own_judge)
        verifier_free(now->judge);
    if (now->own_ring)
        keyring_free(now->ring);
    g_free(now);
    now = NULL;
}

void feed_set_program(const feed_program *p)
{
    program = p;
}

/* ---------------------------------------------------------------------------------------------- where a frame is */

static char *end_text(const address *a, guint32 port)
{
    char *name = address_to_str(NULL, a);
    char *text = g_strdup_printf(a->type == AT_IPv6 ? "[%s]:%u" : "%s:%u", name, port);
    wmem_free(NULL, name);
    return text;
}

/* A conversation's number is its own even where ports are used again. */
static uint64_t connection_of(packet_info *pinfo)
{
    const conversation_t *conversation = find_conversation_pinfo(pinfo, 0);
    if (conversation)
        return conversation->conv_index;
    return UINT64_C(1) << 63 | (uint64_t)(add_address_to_hash(0, &pinfo->src) ^ add_address_to_hash(0, &pinfo->dst)) << 32 |
           (pinfo->srcport ^ pinfo->destport);
}

static void fill_origin(packet_info *pinfo, rpc_origin *origin)
{
    origin->frame = pinfo->num;
    origin->seconds = pinfo->abs_ts.secs;
    origin->nanoseconds = pinfo->abs_ts.nsecs;
    origin->connection = connection_of(pinfo);
    ends *e = g_hash_table_lookup(now->conversations, GSIZE_TO_POINTER(origin->connection));
    if (!e) {
        e = g_new0(ends, 1);
        copy_address(&e->a, &pinfo->src);
        e->port_a = pinfo->srcport;
        e->text_a = end_text(&pinfo->src, pinfo->srcport);
        e->text_b = end_text(&pinfo->dst, pinfo->destport);
        g_hash_table_insert(now->conversations, GSIZE_TO_POINTER(origin->connection), e);
    }
    bool forward = e->port_a == pinfo->srcport && addresses_equal(&e->a, &pinfo->src);
    origin->source = forward ? e->text_a : e->text_b;
    origin->destination = forward ? e->text_b : e->text_a;
}

/* ----------------------------------------------------------------------------------------------------- the walk */

/* What the walk over a frame's tree carries along. */
typedef struct {
    packet_info *pinfo;
    proto_tree  *tree;
    rpc_origin   origin;
    smb_pipe     pipe;      /* of the SMB message last met */
    bool         encrypted, opened; /* SMB3 transform header; a message inside it */
    GPtrArray   *kept;      /* later passes: the PDUs of this frame */
    guint        next;      /* the first of them not drawn yet */
} frame_walk;

static const guint8 *item_octets(const field_info *item, gint *captured, gint *reported)
{
    gint here = tvb_captured_length_remaining(item->ds_tvb, item->start);
    *captured = MIN(here, item->length);
    *reported = MAX(*captured, tvb_reported_length_remaining(item->ds_tvb, item->start));
    return *captured > 0 ? tvb_get_ptr(item->ds_tvb, item->start, *captured) : NULL;
}

/* Only NT hashes help Wireshark to open SMB3, and its search costs time for each key, so it is given them only when a server
 * has chosen a dialect that can encrypt. */
static void give_keys(void)
{
    if (now->keys_given || !smb_tracker_may_encrypt(now->smb))
        return;
    now->keys_given = true;
    wireshark_keys_give(now->ring);
}

static void take_smb(frame_walk *w, const field_info *item)
{
    gint captured, reported;
    const guint8 *octets = item_octets(item, &captured, &reported);
    if (!octets || captured < 4)
        return;
    if (octets[0] == 0xfd) {
        w->encrypted = true;
        return;
    }
    w->opened |= w->encrypted;
    w->pipe = smb_tracker_message(now->smb, w->origin.connection, w->origin.frame, w->origin.source, w->origin.destination,
                                  octets, (size_t)captured);
    give_keys();
}

static void take_pdu(frame_walk *w, const field_info *item)
{
    gint captured, reported;
    const guint8 *octets = item_octets(item, &captured, &reported);
    if (!octets)
        return;
    w->origin.transport = w->pipe.known ? RPC_NCACN_NP : RPC_NCACN_IP_TCP;
    w->origin.pipe = w->pipe.name;
    w->origin.pipe_id[0] = w->pipe.pipe_id[0];
    w->origin.pipe_id[1] = w->pipe.pipe_id[1];
    const rpc_pdu *pdu = rpc_tracker_pdu(now->calls, &w->origin, octets, (size_t)captured, (size_t)reported);
    bool stays = pdu && !program && ((pdu->call && pdu->call->interface) || pdu->auth || pdu->problem);
    if (!stays)
        return;
    g_ptr_array_add(list_of(now->pdus, w->origin.frame), (gpointer)pdu);
    tree_pdu(item, w->pinfo, w->tree, pdu);
}

/* The PDUs of a frame come in the same order in every pass; one that was not kept the first time is passed over. */
static void draw_pdu(frame_walk *w, const field_info *item)
{
    gint captured, reported;
    const guint8 *octets = item_octets(item, &captured, &reported);
    pdu_parts seen;
    const char *why;
    if (!octets || !w->kept || pdu_read(octets, (size_t)captured, (size_t)reported, &seen, &why) == PDU_NOT_RPC)
        return;
    for (guint i = w->next; i < w->kept->len; i++) {
        const rpc_pdu *pdu = w->kept->pdata[i];
        if (pdu->type == seen.type && pdu->call_id == seen.call_id && pdu->length == seen.length) {
            tree_pdu(item, w->pinfo, w->tree, pdu);
            w->next = i + 1;
            return;
        }
    }
}

/* In the order of the tree, which is the order in which Wireshark met things. DCE/RPC items are leaves here: what stands below
 * them is not ours. The depth is bounded by Wireshark's own (prefs.gui_max_tree_depth). */
static void walk_items(frame_walk *w, const proto_node *parent)
{
    bool visited = w->pinfo->fd->visited;
    /* Drawing appends to the top of the tree, so the end is fixed before it begins. */
    const proto_node *last = parent->last_child;
    for (const proto_node *node = parent->first_child; node; node = node == last ? NULL : node->next) {
        const field_info *item = PNODE_FINFO(node);
        int id = item && item->hfinfo ? item->hfinfo->id : -1;
        bool octets = item && item->ds_tvb;
        if (id == proto_dcerpc) {
            if (octets)
                (visited ? draw_pdu : take_pdu)(w, item);
            continue;
        }
        if (octets && !visited && (id == proto_smb2 || id == proto_smb))
            take_smb(w, item);
        if (node->first_child)
            walk_items(w, node);
    }
}

static bool has(proto_tree *tree, int id)
{
    const GPtrArray *items = proto_get_finfo_ptr_array(tree, id);
    return items && items->len > 0;
}

static void count_frame(packet_info *pinfo)
{
    double time = nstime_to_sec(&pinfo->abs_ts);
    if (now->facts.frames == 0)
        now->first_time = time;
    now->facts.frames = pinfo->num;
    now->facts.seconds = time - now->first_time;
}

static int postdissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    if (!now || !tree)
        return 0;
    bool first = !pinfo->fd->visited;
    if (first)
        count_frame(pinfo);
    bool rpc = has(tree, proto_dcerpc);
    if (rpc || (first && (has(tree, proto_smb2) || has(tree, proto_smb)))) {
        frame_walk w = {.pinfo = pinfo, .tree = tree};
        if (first)
            fill_origin(pinfo, &w.origin);
        else
            w.kept = g_hash_table_lookup(now->pdus, GUINT_TO_POINTER(pinfo->num));
        walk_items(&w, tree);
        if (first && w.encrypted && !w.opened)
            now->facts.encrypted_smb++;
    }
    if (first && now->judge && has(tree, hf_syn))
        verifier_started(now->judge, connection_of(pinfo));
    if (first && now->judge && (has(tree, hf_fin) || has(tree, hf_rst)))
        verifier_closed(now->judge, connection_of(pinfo));
    const GPtrArray *findings = g_hash_table_lookup(now->findings, GUINT_TO_POINTER(pinfo->num));
    if (findings && !program)
        tree_findings(tvb, pinfo, tree, findings);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- registration */

static void first_pass_over(void)
{
    feed_end(true);
}

void feed_register(int proto)
{
    handle = register_dissector("rpclens", postdissect, proto);
    register_postdissector(handle);
    register_init_routine(capture_open);
    register_cleanup_routine(capture_close);
    register_postseq_cleanup_routine(first_pass_over);
}

void feed_handoff(void)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(int));
    proto_dcerpc = proto_get_id_by_filter_name("dcerpc");
    proto_smb = proto_get_id_by_filter_name("smb");
    proto_smb2 = proto_get_id_by_filter_name("smb2");
    hf_syn = proto_registrar_get_id_byname("tcp.connection.syn");
    hf_fin = proto_registrar_get_id_byname("tcp.connection.fin");
    hf_rst = proto_registrar_get_id_byname("tcp.connection.rst");
    int ids[] = {proto_dcerpc, proto_smb, proto_smb2, hf_syn, hf_fin, hf_rst};
    g_array_append_vals(wanted, ids, G_N_ELEMENTS(ids));
    set_postdissector_wanted_hfids(handle, wanted);
}
