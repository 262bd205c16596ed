/* feed.c - from the octets that the hooks pick up to the trackers, and from what these kept to the tree.
 *
 * On the first pass PDUs feed the trackers; on every pass each PDU met is matched with what was kept of it, and when the frame is done
 * all of them are drawn after DCE/RPC. A frame without SMB and RPC costs nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/feed.h"

#include "plugin/compat.h"

#include <epan/exceptions.h>
#include <epan/show_exception.h>
#include <epan/to_str.h>

#include "keys/crypto.h"
#include "keys/learn.h"
#include "keys/ntlmssp.h"
#include "plugin/hooks.h"
#include "plugin/prefs.h"
#include "plugin/tree.h"
#include "plugin/wireshark_keys.h"
#include "rpc/names.h"
#include "rpc/smb.h"
#include "rpc/smb_life.h"
#include "rpc/smb_session.h"

/* The two ends of a conversation, their text made once. */
typedef struct {
    address  a, b;
    guint32  port_a, port_b;
    char    *text_a, *text_b;
    const conversation_t *conversation; /* Wireshark's own; NULL: it has none */
    uint64_t connection;
} ends;

/* A PDU that later passes draw. */
typedef struct {
    uint32_t       frame;
    const rpc_pdu *pdu;
} kept_pdu;

/* All that is known of the capture in hand; made anew for each. */
typedef struct {
    keyring      *ring;
    bool          own_ring;
    rpc_tracker  *calls;
    rpc_handles  *handles;
    smb_tracker  *smb;
    smb_sessions *sessions;
    smb_life     *life;          /* NULL: nobody judges */
    krb_learner  *learner;
    name_log     *names;         /* NULL: nobody judges */
    verifier     *judge;
    bool          own_judge;
    capture_facts facts;
    rpc_origin    origin;        /* of the last frame with SMB or RPC */
    GHashTable   *conversations; /* set of ends: of each pair of addresses and ports, those in use */
    GPtrArray    *all_ends;      /* those before them, too, in the order of their first frame */
    ends         *last_ends;     /* of the frame before, and often of this; NULL */
    GHashTable   *by_connection; /* connection -> its ends, once somebody asks how one has ended; of the first: */
    guint         indexed;       /* of all_ends */
    GArray       *pdus;          /* of kept_pdu, in the order of frames */
    GHashTable   *findings;      /* frame -> GPtrArray of finding */
    bool          ended;
} capture;

/* A PDU of the frame in hand that is to be drawn. */
typedef struct {
    tree_place     place;
    const rpc_pdu *pdu;
} met_pdu;

/* An SMB message of the frame in hand: which octets, the pipe it is about, and its session. */
typedef struct {
    const tvbuff_t *source;
    int             start, end;
    smb_pipe        pipe;
    uint64_t        session;
} met_message;

static const feed_program *program;
static capture *now;

/* What was met in the frame in hand. */
static struct {
    packet_info *pinfo;     /* NULL: nothing yet */
    uint32_t     frame;
    bool         visited;
    tvbuff_t    *tvb;       /* the first octets met */
    proto_tree  *tree;      /* NULL: nobody draws */
    GArray      *pdus;      /* of met_pdu */
    GArray      *messages;  /* of met_message */
    guint        next_kept; /* later passes: the first of the frame's kept PDUs that was not met yet */
    bool         encrypted; /* SMB3 transform headers were met */
    uint64_t     session;   /* of the last SMB message that names one */
    GArray      *sealed;    /* of uint64_t: the sessions that SMB3 transform headers named */
    GArray      *opened;    /* of uint64_t: the sessions of what Wireshark decrypted */
} met;

/* ------------------------------------------------------------------------------------------- one capture's state */

/* Both directions are one conversation. */
static guint ends_hash(gconstpointer p)
{
    const ends *e = p;
    return (add_address_to_hash(0, &e->a) + e->port_a) ^ (add_address_to_hash(0, &e->b) + e->port_b);
}

static gboolean ends_equal(gconstpointer p, gconstpointer q)
{
    const ends *x = p, *y = q;
    return (x->port_a == y->port_a && x->port_b == y->port_b && addresses_equal(&x->a, &y->a) && addresses_equal(&x->b, &y->b)) ||
           (x->port_a == y->port_b && x->port_b == y->port_a && addresses_equal(&x->a, &y->b) && addresses_equal(&x->b, &y->a));
}

static void ends_free(void *p)
{
    ends *e = p;
    free_address(&e->a);
    free_address(&e->b);
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
    bool unbound = !call->bound && !call->rejected;
    if (unbound && !response) {
        c->facts.unbound_calls++;
        c->facts.unbound_on_pipes += call->association->transport == RPC_NCACN_NP;
    }
    rpc_handles_message(c->handles, call, response);
    if (c->life && !response && call->association->transport == RPC_NCACN_NP && (call->interface || unbound))
        smb_life_carried(c->life, call->association->connection, call->association->pipe_id,
                         call->interface ? call->interface->protocol : NULL);
    if (c->judge)
        verifier_message(c->judge, call, response);
}

static void on_finished(rpc_call *call, void *user)
{
    const capture *c = user;
    if (program && program->finished)
        program->finished(call, program->user);
    if (c->judge)
        verifier_finished(c->judge, call);
    rpc_handles_finished(c->handles, call);
}

static void octets_of(const address *from, uint8_t to[NAMES_ADDRESS])
{
    memset(to, 0, NAMES_ADDRESS);
    if (from->type == AT_IPv4 || from->type == AT_IPv6)
        memcpy(to, from->data, (size_t)from->len);
}

/* The name by which the sender of a frame knows its receiver. */
static const char *resolved_by(const packet_info *pinfo)
{
    uint8_t client[NAMES_ADDRESS], server[NAMES_ADDRESS];
    octets_of(&pinfo->src, client);
    octets_of(&pinfo->dst, server);
    return name_log_find(now->names, client, server, pinfo->abs_ts.secs);
}

static void on_context(const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                       uint16_t version_major, int result, void *user)
{
    capture *c = user;
    const ndr_interface *ours = result == 0 ? interfaces_find(interface, version_major) : NULL;
    if (c->life && ours && association->transport == RPC_NCACN_NP)
        smb_life_carried(c->life, association->connection, association->pipe_id, ours->protocol);
    if (!c->judge)
        return;
    c->facts.resolved = result < 0 ? resolved_by(met.pinfo) : NULL;
    verifier_context(c->judge, association, origin, interface, version_major, result);
    c->facts.resolved = NULL;
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

static void on_exchange(const smb_exchange *exchange, void *user)
{
    smb_life_exchange(((capture *)user)->life, exchange);
}

static void on_life(const smb_object *object, smb_event event, void *user)
{
    verifier_smb(((capture *)user)->judge, object, event);
}

static void tell_user(capture *c, const smb_setup *setup, char *name)
{
    if (c->life && name)
        smb_life_user(c->life, setup->connection, setup->smb2, setup->session, name);
    g_free(name);
}

/* Every session's key may be asked for by a call. Wireshark needs those of sessions that may be encrypted: it derives keys from
 * NTLM by itself when it has the NT hash, which it is given before it dissects the AUTHENTICATE message; session keys from Kerberos
 * it is told before it dissects the response. */
static void on_setup(const smb_setup *setup, void *user)
{
    capture *c = user;
    uint8_t key[16];
    const key_entry *ntlm;
    bool encrypts = setup->smb2 && smb_tracker_may_encrypt(c->smb);
    if (setup->from_client && c->life)
        tell_user(c, setup, ntlm_user_of_token(setup->token, setup->length));
    if (keyring_count(c->ring) == 0)
        return;
    bool known = smb_sessions_setup(c->sessions, setup->connection, setup->message, setup->session, setup->from_client,
                                    setup->status, setup->token, setup->length, key, &ntlm);
    if (known && encrypts)
        wireshark_keys_smb(setup->session, key, sizeof key);
    if (ntlm && encrypts)
        wireshark_keys_give(ntlm);
    if (!setup->from_client && setup->status == 0)
        tell_user(c, setup, g_strdup(smb_session_user(smb_sessions_find(c->sessions, setup->connection, setup->session))));
    crypto_wipe(key, sizeof key);
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

static smb_tcp_end tcp_end_of(const ends *e)
{
    hooks_connection tcp = hooks_tcp(e->conversation);
    return !tcp.ended ? SMB_TCP_OPEN : tcp.no_fin ? SMB_TCP_RST : SMB_TCP_FIN;
}

/* Asked rarely: only then connections are put in order by number. */
static smb_tcp_end tcp_end(uint64_t connection, void *user)
{
    capture *c = user;
    if (!c->by_connection)
        c->by_connection = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (; c->indexed < c->all_ends->len; c->indexed++) {
        ends *e = c->all_ends->pdata[c->indexed];
        g_hash_table_insert(c->by_connection, &e->connection, e);
    }
    const ends *e = g_hash_table_lookup(c->by_connection, &connection);
    return e ? tcp_end_of(e) : SMB_TCP_OPEN;
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
    now->handles = rpc_handles_new(program && program->options.forget);
    now->facts.handles = now->handles;
    rpc_sink sink = {now, on_message, on_finished, on_context};
    now->calls = rpc_tracker_new(now->ring, &sink, program ? &program->options : &in_wireshark);
    smb_sink pipes = {now, on_opened, on_closed, on_setup, now->judge ? on_exchange : NULL};
    now->life = now->judge ? smb_life_new(on_life, now) : NULL;
    now->facts.smb = now->life;
    now->names = now->judge ? name_log_new() : NULL;
    now->facts.tcp_end = tcp_end;
    now->facts.user = now;
    now->smb = smb_tracker_new(&pipes);
    now->sessions = smb_sessions_new(now->ring);
    now->learner = krb_learner_new(now->ring);
    now->conversations = g_hash_table_new(ends_hash, ends_equal);
    now->all_ends = g_ptr_array_new_with_free_func(ends_free);
    now->pdus = g_array_new(FALSE, FALSE, sizeof(kept_pdu));
    now->findings = g_hash_table_new_full(NULL, NULL, NULL, unref_array);
    if (now->judge)
        verifier_begin(now->judge, &now->facts);
    wireshark_keys_smb_given(now->ring);
    hooks_follow_decode_as();
}

/* Wireshark's TCP keeps what it saw of each connection, so that nobody has to look at every segment. */
static void tell_closed(void)
{
    for (guint i = 0; now->judge && i < now->all_ends->len; i++) {
        const ends *e = now->all_ends->pdata[i];
        smb_tcp_end how = tcp_end_of(e);
        if (how == SMB_TCP_OPEN)
            continue;
        verifier_closed(now->judge, e->connection);
        smb_life_tcp_end(now->life, e->connection, how);
    }
}

void feed_end(bool whole)
{
    if (!now || now->ended)
        return;
    now->ended = true;
    now->facts.complete = whole;
    tell_closed();
    rpc_tracker_end(now->calls);
    if (now->judge) {
        smb_life_end(now->life);
        verifier_end(now->judge);
    }
    if (program && program->ended)
        program->ended(program->user);
}

static void capture_close(void)
{
    if (!now)
        return;
    feed_end(true);
    rpc_tracker_free(now->calls);
    rpc_handles_free(now->handles);
    smb_tracker_free(now->smb);
    smb_sessions_free(now->sessions);
    smb_life_free(now->life);
    if (now->by_connection)
        g_hash_table_unref(now->by_connection);
    krb_learner_free(now->learner);
    if (now->names)
        g_hash_table_unref(now->names);
    g_hash_table_unref(now->conversations);
    g_ptr_array_unref(now->all_ends);
    g_array_unref(now->pdus);
    g_hash_table_unref(now->findings);
    if (now->own_judge)
        verifier_free(now->judge);
    if (now->own_ring)
        keyring_free(now->ring);
    g_free(now);
    now = NULL;
}

const rpc_handles *feed_handles(void)
{
    return now ? now->handles : NULL;
}

void feed_set_program(const feed_program *p)
{
    program = p;
    if (p)
        hooks_alone();
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
static uint64_t connection_of(const packet_info *pinfo, const conversation_t *conversation)
{
    if (conversation)
        return conversation->conv_index;
    return UINT64_C(1) << 63 | (uint64_t)(add_address_to_hash(0, &pinfo->src) ^ add_address_to_hash(0, &pinfo->dst)) << 32 |
           (pinfo->srcport ^ pinfo->destport);
}

/* The ends of a frame. Wireshark's search for a conversation tries several tables; it is asked only where none is known of these
 * ends, or where it may know a newer one: it chains those of the same addresses and ports. */
static const ends *ends_of(packet_info *pinfo)
{
    const ends wanted = {.a = pinfo->src, .b = pinfo->dst, .port_a = pinfo->srcport, .port_b = pinfo->destport};
    bool again = now->last_ends && ends_equal(now->last_ends, &wanted);
    ends *e = again ? now->last_ends : g_hash_table_lookup(now->conversations, &wanted);
    now->last_ends = e;
    if (e && e->conversation && !e->conversation->next)
        return e;
    const conversation_t *conversation = find_conversation_pinfo(pinfo, 0);
    if (e && e->conversation == conversation)
        return e;
    e = g_new0(ends, 1);
    copy_address(&e->a, &pinfo->src);
    copy_address(&e->b, &pinfo->dst);
    e->port_a = pinfo->srcport;
    e->port_b = pinfo->destport;
    e->text_a = end_text(&pinfo->src, pinfo->srcport);
    e->text_b = end_text(&pinfo->dst, pinfo->destport);
    e->conversation = conversation;
    e->connection = connection_of(pinfo, conversation);
    g_hash_table_replace(now->conversations, e, e);
    now->last_ends = e;
    g_ptr_array_add(now->all_ends, e);
    if (now->judge && hooks_tcp(conversation).began)
        verifier_started(now->judge, e->connection);
    return e;
}

static void fill_origin(packet_info *pinfo, rpc_origin *origin)
{
    if (now->origin.frame == pinfo->num) { /* SMB messages and PDUs of a frame share it */
        *origin = now->origin;
        return;
    }
    const ends *e = ends_of(pinfo);
    bool forward = e->port_a == pinfo->srcport && addresses_equal(&e->a, &pinfo->src);
    origin->frame = pinfo->num;
    origin->seconds = pinfo->abs_ts.secs;
    origin->nanoseconds = pinfo->abs_ts.nsecs;
    origin->connection = e->connection;
    origin->source = forward ? e->text_a : e->text_b;
    origin->destination = forward ? e->text_b : e->text_a;
    now->origin = *origin;
}

/* ---------------------------------------------------------------------------------------------------------- a frame */

static void frame_done(void);

/* The first octets of SMB or RPC in a frame. */
static void meet(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    if (met.pinfo == pinfo && met.frame == pinfo->num)
        return;
    met.pinfo = pinfo;
    met.frame = pinfo->num;
    met.visited = pinfo->fd->visited;
    met.tvb = tvb;
    met.tree = tree ? proto_tree_get_root(tree) : NULL;
    met.next_kept = 0;
    met.encrypted = false;
    met.session = 0;
    GArray *const of_frame[] = {met.sealed, met.opened, met.pdus, met.messages};
    for (size_t i = 0; i < G_N_ELEMENTS(of_frame); i++)
        if (of_frame[i]->len > 0)
            g_array_set_size(of_frame[i], 0);
    compat_at_frame_end(pinfo, frame_done);
}

/* ------------------------------------------------------------------------------------------------------------ SMB */

static void add_session(GArray *list, tvbuff_t *tvb, int at)
{
    guint64 session = tvb_get_letoh64(tvb, at);
    g_array_append_val(list, session);
}

/* Messages are chained by the offset of the next ([MS-SMB2] 2.2.1, NextCommand). */
static void take_messages(tvbuff_t *tvb, packet_info *pinfo)
{
    enum { NEXT_COMMAND = 20, SESSION_ID = 40, HEADER = 64 };
    rpc_origin origin = {0};
    fill_origin(pinfo, &origin);
    int at = 0, left = (int)tvb_captured_length(tvb);
    while (left >= 4) {
        const guint8 *octets = tvb_get_ptr(tvb, at, left);
        guint32 next = left >= HEADER && octets[0] == 0xfe ? tvb_get_letohl(tvb, at + NEXT_COMMAND) : 0;
        bool chained = next >= HEADER && next < (guint32)left;
        int length = chained ? (int)next : left;
        met_message message = {tvb_get_ds_tvb(tvb), tvb_raw_offset(tvb) + at, tvb_raw_offset(tvb) + at + length, {0},
                               smb_session_id(octets, (size_t)length)};
        if (met.sealed->len > 0 && left >= HEADER)
            add_session(met.opened, tvb, at + SESSION_ID);
        message.pipe = smb_tracker_message(now->smb, origin.connection, origin.frame, origin.source, origin.destination, octets,
                                           (size_t)length);
        if (keyring_count(now->ring) > 0)
            smb_sessions_message(now->sessions, origin.connection, octets, (size_t)length,
                                 chained || tvb_captured_length(tvb) == tvb_reported_length(tvb));
        met.session = message.session ? message.session : met.session;
        g_array_append_val(met.messages, message);
        if (!chained)
            break;
        at += length;
        left -= length;
    }
}

/* A transform header names the session whose messages it hides ([MS-SMB2] 2.2.41). */
static void take_transform(tvbuff_t *tvb)
{
    enum { SESSION_AT = 44 };
    met.encrypted = true;
    if (tvb_captured_length(tvb) < SESSION_AT + 8)
        return;
    met.session = tvb_get_letoh64(tvb, SESSION_AT);
    add_session(met.sealed, tvb, SESSION_AT);
}

static void on_smb(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    if (!now || tvb_captured_length(tvb) < 4)
        return;
    meet(tvb, pinfo, tree);
    if (pinfo->fd->visited)
        return;
    if (tvb_get_guint8(tvb, 0) == 0xfd)
        take_transform(tvb);
    else
        take_messages(tvb, pinfo);
}

static bool was_opened(guint64 session)
{
    for (guint i = 0; i < met.opened->len; i++)
        if (g_array_index(met.opened, guint64, i) == session)
            return true;
    return false;
}

/* What nobody could open is known by its session at least. */
static void tell_sealed(packet_info *pinfo)
{
    rpc_origin origin = {0};
    for (guint i = 0; now->life && i < met.sealed->len; i++) {
        guint64 session = g_array_index(met.sealed, guint64, i);
        fill_origin(pinfo, &origin);
        if (!was_opened(session))
            smb_life_sealed(now->life, origin.connection, origin.frame, origin.source, origin.destination, session);
    }
}

/* What Wireshark decrypted of SMB3 is among the frame's data sources when the frame is done. */
static void take_decrypted(packet_info *pinfo)
{
    bool opened = false;
    for (GSList *l = pinfo->data_src; l; l = l->next) {
        tvbuff_t *tvb = get_data_source_tvb(l->data);
        if (tvb_captured_length(tvb) >= 4 && tvb_memeql(tvb, 0, (const guint8 *)"\xfeSMB", 4) == 0) {
            take_messages(tvb, pinfo);
            opened = true;
        }
    }
    if (!opened)
        now->facts.encrypted_smb++;
    tell_sealed(pinfo);
}

/* The message in whose octets a PDU lies, else (it was put together of several) the frame's last; NULL: the frame has none. */
static const met_message *message_of(tvbuff_t *tvb)
{
    const tvbuff_t *source = tvb_get_ds_tvb(tvb);
    int start = tvb_raw_offset(tvb);
    for (guint i = 0; i < met.messages->len; i++) {
        const met_message *message = &g_array_index(met.messages, met_message, i);
        if (message->source == source && message->start <= start && start < message->end)
            return message;
    }
    return met.messages->len ? &g_array_index(met.messages, met_message, met.messages->len - 1) : NULL;
}

/* The pipe of a PDU: what SMB2 said itself, else its message's. */
static smb_pipe pipe_of(const met_message *message, const hooks_pipe *carrier)
{
    smb_pipe pipe = {.known = carrier->known, .pipe_id = {carrier->file_id[0], carrier->file_id[1]}, .name = carrier->name};
    return pipe.known || !message ? pipe : message->pipe;
}

/* ------------------------------------------------------------------------------------------------------- Kerberos */

/* A TGS-REQ shows that the client goes by a principal's name ([RFC 4120] 5.4.1). */
static void note_ticket(packet_info *pinfo, const guint8 *octets)
{
    enum { TGS_REQ = 0x6C };
    if (!now->names || octets[0] != TGS_REQ)
        return;
    uint8_t client[NAMES_ADDRESS];
    octets_of(&pinfo->src, client);
    name_log_ticket(now->names, client, pinfo->abs_ts.secs);
}

/* A message whose end is still to come is met again when it is whole. */
static void on_kerberos(tvbuff_t *tvb, packet_info *pinfo, bool over_tcp)
{
    if (!now || pinfo->fd->visited)
        return;
    int at = 0, left = (int)tvb_captured_length(tvb);
    while (left > 4) {
        guint32 length = over_tcp ? tvb_get_ntohl(tvb, at) & 0x7fffffff : (guint32)left;
        int head = over_tcp ? 4 : 0;
        if (length == 0 || length > (guint32)(left - head))
            return;
        krb_learner_message(now->learner, tvb_get_ptr(tvb, at + head, (gint)length), length);
        note_ticket(pinfo, tvb_get_ptr(tvb, at + head, (gint)length));
        at += head + (int)length;
        left -= head + (int)length;
    }
}

/* ---------------------------------------------------------------------------------------------------------- names */

static void on_name(const char *name, const uint8_t *octets, size_t length, void *user)
{
    const packet_info *pinfo = user;
    uint8_t client[NAMES_ADDRESS], server[NAMES_ADDRESS] = {0};
    octets_of(&pinfo->dst, client);
    memcpy(server, octets, length);
    name_log_add(now->names, client, server, name, pinfo->abs_ts.secs);
}

static void on_names(tvbuff_t *tvb, packet_info *pinfo)
{
    guint length = tvb_captured_length(tvb);
    if (now && now->names && !pinfo->fd->visited && length > 0)
        names_read(tvb_get_ptr(tvb, 0, (gint)length), length, on_name, pinfo);
}

/* ------------------------------------------------------------------------------------------------------------ PDUs */

/* The first kept PDU of this frame, or of the next that has any. */
static guint first_kept(uint32_t frame)
{
    guint low = 0, high = now->pdus->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(now->pdus, kept_pdu, middle).frame < frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The PDUs of a frame come in the same order in every pass; one that was not kept the first time is passed over. */
static const rpc_pdu *find_kept(packet_info *pinfo, const pdu_parts *seen)
{
    if (met.next_kept == 0)
        met.next_kept = first_kept(pinfo->num);
    for (guint i = met.next_kept; i < now->pdus->len && g_array_index(now->pdus, kept_pdu, i).frame == pinfo->num; i++) {
        const rpc_pdu *pdu = g_array_index(now->pdus, kept_pdu, i).pdu;
        if (pdu->type == seen->type && pdu->call_id == seen->call_id && pdu->length == seen->length) {
            met.next_kept = i + 1;
            return pdu;
        }
    }
    return NULL;
}

static const rpc_pdu *take_pdu(const rpc_origin *origin, const guint8 *octets, size_t captured, size_t reported)
{
    bool datagram = origin->transport == RPC_NCADG_IP_UDP;
    const rpc_pdu *pdu = datagram ? rpc_tracker_datagram(now->calls, origin, octets, captured, reported)
                                  : rpc_tracker_pdu(now->calls, origin, octets, captured, reported);
    if (!pdu || program || !((pdu->call && pdu->call->interface) || pdu->auth || pdu->problem))
        return NULL;
    kept_pdu kept = {origin->frame, pdu};
    g_array_append_val(now->pdus, kept);
    return pdu;
}

static void set_pipe(rpc_origin *origin, tvbuff_t *tvb, const hooks_pipe *carrier)
{
    origin->transport = carrier->on_pipe ? RPC_NCACN_NP : carrier->datagram ? RPC_NCADG_IP_UDP : RPC_NCACN_IP_TCP;
    origin->pipe = NULL;
    origin->smb = NULL;
    origin->pipe_id[0] = origin->pipe_id[1] = 0;
    if (!carrier->on_pipe)
        return;
    const met_message *message = message_of(tvb);
    smb_pipe pipe = pipe_of(message, carrier);
    uint64_t session = message && message->session ? message->session : met.session;
    origin->smb = session ? smb_sessions_find(now->sessions, origin->connection, session) : NULL;
    origin->pipe = pipe.name;
    origin->pipe_id[0] = pipe.pipe_id[0];
    origin->pipe_id[1] = pipe.pipe_id[1];
}

static pdu_result read_pdu(const hooks_pipe *carrier, const guint8 *octets, int captured, int reported, pdu_parts *parts)
{
    const char *why;
    return carrier->datagram ? pdu_read_datagram(octets, (size_t)captured, (size_t)reported, parts, &why)
                             : pdu_read(octets, (size_t)captured, (size_t)reported, parts, &why);
}

/* A PDU whose end is still to come is met again when it is whole; one that the snap length cut is not. */
static bool on_rpc(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const hooks_pipe *carrier, hooks_rest *rest)
{
    *rest = (hooks_rest){0, 0};
    /* Most of what heuristics are offered is something else, and must cost next to nothing. */
    if (!now || tvb_captured_length(tvb) < PDU_SHORTEST || tvb_get_guint8(tvb, 0) != (carrier->datagram ? 4 : 5))
        return false;
    meet(tvb, pinfo, tree);
    bool visited = pinfo->fd->visited;
    rpc_origin origin = {0};
    if (!visited) {
        fill_origin(pinfo, &origin);
        set_pipe(&origin, tvb, carrier);
    }
    while (tvb_captured_length_remaining(tvb, rest->offset) > 0) {
        int at = rest->offset;
        int captured = tvb_captured_length_remaining(tvb, at), reported = tvb_reported_length_remaining(tvb, at);
        const guint8 *octets = tvb_get_ptr(tvb, at, captured);
        pdu_parts parts;
        if (reported < PDU_SHORTEST) {
            rest->missing = PDU_SHORTEST - (unsigned)reported;
            break;
        }
        if (read_pdu(carrier, octets, captured, reported, &parts) == PDU_NOT_RPC || parts.length < PDU_SHORTEST)
            break;
        if (parts.length > (size_t)reported) {
            rest->missing = (unsigned)parts.length - (unsigned)reported;
            break;
        }
        const rpc_pdu *pdu = visited ? find_kept(pinfo, &parts) : take_pdu(&origin, octets, parts.captured, parts.length);
        if (pdu) {
            met_pdu here = {{tvb, at, (int)parts.captured}, pdu};
            g_array_append_val(met.pdus, here);
        }
        rest->offset += (int)parts.length;
    }
    return rest->offset > 0 || rest->missing > 0;
}

/* ---------------------------------------------------------------------------------------------------------- the frame is done */

static void draw_frame(void)
{
    const tree_kept kept = {now->ring, now->handles};
    for (guint i = 0; i < met.pdus->len; i++) {
        const met_pdu *pdu = &g_array_index(met.pdus, met_pdu, i);
        tree_pdu(&pdu->place, met.pinfo, met.tree, pdu->pdu, &kept, met.pdus->len == 1);
    }
    const GPtrArray *findings = met.tree ? g_hash_table_lookup(now->findings, GUINT_TO_POINTER(met.frame)) : NULL;
    if (findings)
        tree_findings(met.tvb, met.pinfo, met.tree, findings);
}

/* Wireshark has no more TRY around this, and what it throws may not pass. */
static void frame_done(void)
{
    TRY {
        if (!met.visited && met.encrypted)
            take_decrypted(met.pinfo);
        if (!program)
            draw_frame();
    }
    CATCH_NONFATAL_ERRORS {
        show_exception(met.tvb, met.pinfo, met.tree, EXCEPT_CODE, GET_MESSAGE);
    }
    ENDTRY;
    met.pinfo = NULL;
}

/* --------------------------------------------------------------------------------------------------- registration */

static void first_pass_over(void)
{
    feed_end(true);
}

void feed_register(int proto)
{
    hooks_register(proto);
    register_init_routine(capture_open);
    register_cleanup_routine(capture_close);
    register_postseq_cleanup_routine(first_pass_over);
}

void feed_handoff(void)
{
    static const hooks_sink sink = {.rpc = on_rpc, .kerberos = on_kerberos, .names = on_names, .smb = on_smb};
    met.pdus = g_array_new(FALSE, FALSE, sizeof(met_pdu));
    met.messages = g_array_new(FALSE, FALSE, sizeof(met_message));
    met.sealed = g_array_new(FALSE, FALSE, sizeof(guint64));
    met.opened = g_array_new(FALSE, FALSE, sizeof(guint64));
    hooks_install(&sink);
}
