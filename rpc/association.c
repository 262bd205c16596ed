/* association.c - from PDUs to calls ([C706] 12, [MS-RPCE] 3.3).
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/tracker.h"

#include <string.h>

/* A sender may declare fragments without end; a call's stub is bounded by what was really captured, and by this, which
 * is above every max_count that the three specifications' ranges allow for one message on an ordinary server. */
enum { STUB_LIMIT = 64 * 1024 * 1024 };
/* p_cont_id and auth_context_id are chosen by the peer: an association keeps at most so many of each. Windows keeps below
 * a handful; the bound only stops a hostile capture. */
enum { CONTEXTS_LIMIT = 4096 };
/* Association groups that are remembered; a connection that joins one beyond is taken to begin its own. */
enum { GROUPS_LIMIT = 65536 };
/* There are PDUs by the million, and each is small. */
enum { PDUS_A_BLOCK = 64 };

const char *rpc_transport_name(rpc_transport transport)
{
    static const char *const names[] = {"ncacn_np", "ncacn_ip_tcp", "ncadg_ip_udp"};
    return names[transport];
}

const char *rpc_auth_type_name(uint8_t auth_type)
{
    switch (auth_type) {
    case SEC_AUTH_NONE:     return "none";
    case SEC_AUTH_SPNEGO:   return "SPNEGO";
    case SEC_AUTH_NTLM:     return "NTLM";
    case SEC_AUTH_SCHANNEL: return "Schannel";
    case SEC_AUTH_KERBEROS: return "Kerberos";
    case SEC_AUTH_NETLOGON: return "Netlogon";
    default:                return "unknown";
    }
}

const char *rpc_auth_level_name(uint8_t level)
{
    static const char *const names[] = {"none", "none", "connect", "call", "packet", "integrity", "privacy"};
    return level < G_N_ELEMENTS(names) ? names[level] : "unknown";
}

/* -------------------------------------------------------------------------------------- the tracker's own things */

static guint key_hash(gconstpointer p)
{
    const association_key *k = p;
    uint64_t h = k->connection * 0x9e3779b97f4a7c15u ^ k->pipe_id[0] * 0xc2b2ae3d27d4eb4fu ^ k->pipe_id[1];
    return (guint)(h ^ h >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(association_key)) == 0;
}

static void auth_free(void *p)
{
    rpc_auth *auth = p;
    sec_context_free(auth->security);
    g_free(auth);
}

static void message_clear(rpc_message *message)
{
    if (message->all_frames)
        g_array_unref(message->all_frames);
    if (message->stub)
        g_byte_array_unref(message->stub);
}

static void call_free(void *p)
{
    open_call *call = p;
    message_clear(&call->call.request);
    message_clear(&call->call.response);
    for (int i = 0; i < 2; i++)
        if (call->early[i])
            g_ptr_array_unref(call->early[i]);
    g_slice_free(open_call, call);
}

static void association_free(void *p)
{
    association *a = p;
    g_hash_table_unref(a->presentations);
    g_hash_table_unref(a->auths);
    g_hash_table_unref(a->calls);
    g_array_unref(a->asked);
    datagrams_free(a->datagrams);
    g_free(a->pub.pipe);
    g_free(a->pub.client);
    g_free(a->pub.server);
    g_free(a);
}

rpc_tracker *rpc_tracker_new(const keyring *ring, const rpc_sink *sink, const rpc_options *options)
{
    rpc_tracker *t = g_new0(rpc_tracker, 1);
    t->ring = ring;
    t->sink = *sink;
    t->options = *options;
    t->associations = g_hash_table_new(key_hash, key_equal);
    t->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    t->retired = g_ptr_array_new_with_free_func(association_free);
    t->auths = g_ptr_array_new_with_free_func(auth_free);
    t->kept = g_ptr_array_new_with_free_func(call_free);
    t->pdus = g_ptr_array_new_with_free_func(g_free);
    t->pdus_in_block = PDUS_A_BLOCK;
    t->plains = g_ptr_array_new_with_free_func(g_free);
    t->plain = g_byte_array_new();
    return t;
}

void rpc_tracker_free(rpc_tracker *t)
{
    if (!t)
        return;
    rpc_tracker_end(t);
    g_hash_table_unref(t->associations);
    g_hash_table_unref(t->groups);
    g_ptr_array_unref(t->retired);
    g_ptr_array_unref(t->kept);
    g_ptr_array_unref(t->pdus);
    g_ptr_array_unref(t->plains);
    g_ptr_array_unref(t->auths);
    g_byte_array_unref(t->plain);
    g_free(t);
}

/* ------------------------------------------------------------------------------------------------- associations */

static bool finish_call(rpc_tracker *t, association *a, open_call *call);

static void finish_all_calls(rpc_tracker *t, association *a)
{
    GHashTableIter iter;
    gpointer value;
    /* Finishing takes the call out of the table, so each round begins anew; rounds are few. */
    while (g_hash_table_iter_init(&iter, a->calls), g_hash_table_iter_next(&iter, NULL, &value))
        finish_call(t, a, value);
}

static void retire_association(rpc_tracker *t, association *a)
{
    datagrams_flush(t, a);
    finish_all_calls(t, a);
    g_hash_table_remove(t->associations, &a->key);
    t->last = NULL;
    if (t->options.forget)
        association_free(a);
    else
        g_ptr_array_add(t->retired, a);
}

static association *association_new(rpc_tracker *t, const association_key *key, const rpc_origin *origin, bool from_client)
{
    association *a = g_new0(association, 1);
    a->key = *key;
    a->pub.transport = origin->transport;
    a->pub.connection = origin->connection;
    memcpy(a->pub.pipe_id, origin->pipe_id, sizeof a->pub.pipe_id);
    a->pub.pipe = g_strdup(origin->pipe);
    a->pub.client = g_strdup(from_client ? origin->source : origin->destination);
    a->pub.server = g_strdup(from_client ? origin->destination : origin->source);
    a->pub.number = a->pub.group = ++t->association_count;
    a->presentations = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    a->auths = g_hash_table_new(NULL, NULL);
    a->calls = g_hash_table_new(NULL, NULL);
    a->asked = g_array_new(FALSE, TRUE, sizeof(pdu_context));
    g_hash_table_insert(t->associations, &a->key, a);
    return a;
}

association *tracker_association(rpc_tracker *t, const association_key *key, const rpc_origin *origin, bool from_client)
{
    association *a = t->last && key_equal(&t->last->key, key) ? t->last : g_hash_table_lookup(t->associations, key);
    t->last = a ? a : association_new(t, key, origin, from_client);
    return t->last;
}

/* A bind begins an association; a second one on the same connection or pipe begins another. */
static association *find_association(rpc_tracker *t, const rpc_origin *origin, const pdu_parts *p)
{
    association_key key = {origin->connection, {origin->pipe_id[0], origin->pipe_id[1]}};
    association *a = tracker_association(t, &key, origin, pdu_from_client(p->type));
    if (p->type == PDU_BIND && a->bound) {
        retire_association(t, a);
        a = tracker_association(t, &key, origin, true);
    }
    if (!a->pub.pipe && origin->pipe)
        a->pub.pipe = g_strdup(origin->pipe);
    if (!a->pub.smb)
        a->pub.smb = origin->smb;
    if (p->type == PDU_BIND)
        a->bound = true;
    return a;
}

typedef struct {
    uint64_t association; /* the number of the one that began it, as far as the capture shows */
    bool     whole;       /* its beginning is in the capture */
} begun_group;

/* A bind begins an association group, or joins that of another connection by the id that its server gave ([C706] 12.6.4.3, 9.3.3.2).
 * Servers that give the same id to all do not make one group of them. */
static void take_group(rpc_tracker *t, association *a, const pdu_parts *p)
{
    if (p->type == PDU_BIND)
        a->asked_group = p->assoc_group;
    if (p->type != PDU_BIND_ACK || p->assoc_group == 0)
        return;
    const char *port = strrchr(a->pub.client, ':');
    int client = port ? (int)(port - a->pub.client) : (int)strlen(a->pub.client);
    char *key = g_strdup_printf("%.*s %s %s %u", client, a->pub.client, a->pub.server, a->pub.pipe ? a->pub.pipe : "", p->assoc_group);
    const begun_group *begun = a->asked_group == p->assoc_group ? g_hash_table_lookup(t->groups, key) : NULL;
    const begun_group own = {a->pub.number, a->bound && a->asked_group != p->assoc_group};
    a->pub.group = begun ? begun->association : own.association;
    a->pub.group_whole = begun ? begun->whole : own.whole;
    if (!begun && g_hash_table_size(t->groups) < GROUPS_LIMIT)
        g_hash_table_insert(t->groups, g_steal_pointer(&key), g_memdup2(&own, sizeof own));
    g_free(key);
}

/* ----------------------------------------------------------------------------------------- presentation contexts */

typedef struct {
    rpc_tracker      *tracker;
    association      *association;
    const rpc_origin *origin;
    uint8_t           auth_type, level;
    bool              nak;
} context_walk;

static bool asks_ndr64_alone(const pdu_context *context)
{
    return context->transfer_count == 1 && ndr_guid_equal(&context->transfer, &pdu_ndr64);
}

/* Bind-time features are asked for in the shape of a context ([MS-RPCE] 3.3.1.5.3), which says nothing of the interface. */
static bool is_feature(const pdu_context *context)
{
    return context->transfer.data1 == 0x6cb71c2c && context->transfer.data2 == 0x9812 && context->transfer.data3 == 0x4540;
}

/* A transfer syntax each may stand in a context of its own; a PDU has at most 255 of them. */
static bool asks_interface_ndr64_alone(const GArray *asked, const pdu_context *context)
{
    bool alone = true;
    for (guint i = 0; i < asked->len && alone; i++) {
        const pdu_context *other = &g_array_index(asked, pdu_context, i);
        bool same = other->version_major == context->version_major && ndr_guid_equal(&other->interface, &context->interface);
        alone = !same || is_feature(other) || asks_ndr64_alone(other);
    }
    return alone;
}

static void context_asked(const pdu_context *context, void *user)
{
    context_walk *walk = user;
    association *a = walk->association;
    g_array_append_val(a->asked, *context);
    if (is_feature(context))
        return;
    a->pub.asked.auth_type = walk->auth_type;
    a->pub.asked.level = walk->level;
    a->pub.asked.nak = false;
    a->pub.asked.reason = 0;
    if (walk->tracker->sink.context)
        walk->tracker->sink.context(&a->pub, walk->origin, &context->interface, context->version_major, -1,
                                    walk->tracker->sink.user);
    /* Believed until the answer says otherwise: the answer may be missing from the capture. */
    gpointer id = GUINT_TO_POINTER(context->id);
    const presentation *known = g_hash_table_lookup(a->presentations, id);
    if (known ? known->accepted : g_hash_table_size(a->presentations) >= CONTEXTS_LIMIT)
        return;
    presentation *made = g_new0(presentation, 1);
    made->interface = context->interface;
    made->version_major = context->version_major;
    made->version_minor = context->version_minor;
    made->ndr64 = ndr_guid_equal(&context->transfer, &pdu_ndr64);
    g_hash_table_insert(a->presentations, id, made);
}

static void context_answered(unsigned index, const pdu_result_element *result, void *user)
{
    context_walk *walk = user;
    association *a = walk->association;
    if (index >= a->asked->len)
        return;
    const pdu_context *context = &g_array_index(a->asked, pdu_context, index);
    if (is_feature(context))
        return;
    a->pub.asked.ndr64 = asks_interface_ndr64_alone(a->asked, context);
    a->pub.asked.nak = walk->nak;
    a->pub.asked.reason = result->reason;
    if (walk->tracker->sink.context)
        walk->tracker->sink.context(&a->pub, walk->origin, &context->interface, context->version_major, result->result,
                                    walk->tracker->sink.user);
    presentation *made = g_hash_table_lookup(a->presentations, GUINT_TO_POINTER(context->id));
    if (made && result->result == 0) {
        made->ndr64 = ndr_guid_equal(&result->transfer, &pdu_ndr64);
        made->accepted = true;
    } else if (made) {
        made->rejected = true;
    }
}

/* ---------------------------------------------------------------------------------------------- security contexts */

rpc_auth *tracker_auth(rpc_tracker *t, association *a, const pdu_parts *p)
{
    gpointer id = GUINT_TO_POINTER(p->auth_context_id);
    rpc_auth *auth = g_hash_table_lookup(a->auths, id);
    if (auth && auth->auth_type == p->auth_type)
        return auth;
    if (!auth && g_hash_table_size(a->auths) >= CONTEXTS_LIMIT)
        return NULL;
    auth = g_new0(rpc_auth, 1);
    auth->id = p->auth_context_id;
    auth->auth_type = p->auth_type;
    auth->level = p->auth_level;
    auth->security = sec_context_new(t->ring, p->auth_type);
    g_ptr_array_add(t->auths, auth);
    g_hash_table_insert(a->auths, id, auth);
    return auth;
}

static void take_handshake(association *a, rpc_auth *auth, const pdu_parts *p)
{
    bool from_client = pdu_from_client(p->type);
    if (p->type == PDU_BIND || p->type == PDU_ALTER_CONTEXT) {
        auth->bound = true;
        auth->level = p->auth_level;
    }
    if (p->flags & PFC_SUPPORT_HEADER_SIGN) {
        if (from_client)
            auth->client_header_sign = true;
        else
            auth->server_header_sign = true;
    }
    a->last_auth = auth;
    sec_context_token(auth->security, p->token, p->token_captured, from_client, p->token_captured == p->token_length);
    sec_context_header_signing(auth->security, auth->client_header_sign && auth->server_header_sign);
}

/* The security context of a PDU whose sec_trailer the snap length took: the only one there is. NTLM's key stream runs on
 * through such a PDU, so it must reach its context. */
static rpc_auth *auth_of_cut(association *a, pdu_parts *p)
{
    if (!a->last_auth || g_hash_table_size(a->auths) != 1)
        return NULL;
    p->auth_type = a->last_auth->auth_type;
    p->auth_level = a->last_auth->level;
    p->auth_context_id = a->last_auth->id;
    return a->last_auth;
}

/* Whether a PDU is the next of its direction, the same once more, or comes after one that is missing. */
typedef enum { IN_ORDER, REPEATED, AFTER_A_GAP } pdu_order;

static pdu_order order_of(rpc_auth *auth, const pdu_parts *p, const sec_verdict *verdict)
{
    uint64_t sequence;
    if (!auth || verdict->state != SEC_VERIFIED)
        return IN_ORDER;
    uint32_t missing = sec_context_facts(auth->security)->ntlm_missing;
    bool told = missing > auth->missing;
    auth->missing = missing;
    if (!sec_context_sequence(auth->security, p->token, p->token_captured, &sequence))
        return told ? AFTER_A_GAP : IN_ORDER;
    bool known = auth->sequence[!pdu_from_client(p->type)].known;
    uint64_t *next = &auth->sequence[!pdu_from_client(p->type)].next;
    pdu_order order = !known || sequence == *next ? IN_ORDER : sequence + 1 == *next ? REPEATED : AFTER_A_GAP;
    auth->sequence[!pdu_from_client(p->type)].known = true;
    *next = known ? MAX(*next, sequence + 1) : sequence + 1;
    return order;
}

static const sec_verdict verdict_plain = {SEC_PLAIN, SEC_OK, NULL};

/* Opens one PDU of a call; its plaintext, where it was sealed, is left in t->plain. */
static sec_verdict open_pdu(rpc_tracker *t, rpc_auth *auth, const pdu_parts *p)
{
    if (!p->has_auth)
        return verdict_plain;
    if (!auth)
        return (sec_verdict){SEC_SEALED, SEC_CUT, "the snap length cut off the security trailer: capture whole packets"};
    g_byte_array_set_size(t->plain, (guint)p->body_length);
    sec_message message = {
        .pdu = p->octets, .header_length = p->stub_offset, .body_length = p->body_length, .token_length = p->token_length,
        .captured = p->captured, .from_client = pdu_from_client(p->type), .level = p->auth_level,
    };
    return sec_context_open(auth->security, &message, t->plain->data);
}

/* --------------------------------------------------------------------------------------------------------- calls */

static open_call *call_new(rpc_tracker *t, association *a, const pdu_parts *p)
{
    open_call *made = g_slice_new0(open_call);
    rpc_call *call = &made->call;
    call->association = &a->pub;
    call->number = ++t->call_count;
    call->call_id = p->call_id;
    call->request.level = call->response.level = SEC_LEVEL_NONE;
    const presentation *context = g_hash_table_lookup(a->presentations, GUINT_TO_POINTER(p->context_id));
    call->rejected = context && context->rejected;
    if (context && !context->rejected) {
        call->bound = true;
        call->uuid = context->interface;
        call->version_major = context->version_major;
        call->version_minor = context->version_minor;
        call->ndr64 = context->ndr64;
        call->interface = interfaces_find(&call->uuid, call->version_major);
    }
    g_hash_table_insert(a->calls, GUINT_TO_POINTER(p->call_id), made);
    return made;
}

/* The call a PDU belongs to. The first fragment of a request begins one, also where an earlier call of the same id was never
 * answered; so does an answer whose request is not in the capture. */
open_call *tracker_call(rpc_tracker *t, association *a, const pdu_parts *p)
{
    open_call *call = g_hash_table_lookup(a->calls, GUINT_TO_POINTER(p->call_id));
    if (call && p->type == PDU_REQUEST && p->flags & PFC_FIRST_FRAG) {
        finish_call(t, a, call);
        call = NULL;
    }
    if (!call)
        call = call_new(t, a, p);
    if (p->type == PDU_REQUEST) {
        call->call.opnum = p->opnum;
        if (call->call.interface)
            call->call.method = interfaces_method(call->call.interface, p->opnum);
    }
    return call;
}

/* Returns whether the call stays. */
static bool finish_call(rpc_tracker *t, association *a, open_call *call)
{
    g_hash_table_remove(a->calls, GUINT_TO_POINTER(call->call.call_id));
    call->call.finished = true;
    if (t->sink.finished)
        t->sink.finished(&call->call, t->sink.user);
    bool stays = call->keep && !t->options.forget;
    if (stays)
        g_ptr_array_add(t->kept, call);
    else
        call_free(call);
    return stays;
}

/* From good to bad, so that a message is as good as its worst fragment. */
static int badness(sec_state state)
{
    switch (state) {
    case SEC_VERIFIED:   return 0;
    case SEC_PLAIN:      return 1;
    case SEC_UNVERIFIED: return 2;
    default:             return 3;
    }
}

static void worsen(rpc_message *m, const sec_verdict *verdict, bool first)
{
    if (!first && badness(verdict->state) <= badness(m->state))
        return;
    m->state = verdict->state;
    m->reason = verdict->reason;
    m->text = verdict->text;
}

static void drop_stub(rpc_message *m)
{
    if (m->stub)
        g_byte_array_unref(m->stub);
    m->stub = NULL;
}

static bool stub_wanted(const rpc_tracker *t, const rpc_call *call, const rpc_message *m)
{
    return t->options.keep_stubs || call->interface || m->sealed;
}

/* Puts a fragment's stub behind those before it. What is not here (sealed, or cut by the snap length) ends the stub. */
static void append_stub(rpc_tracker *t, rpc_call *call, rpc_message *m, const pdu_parts *p, const sec_verdict *verdict)
{
    size_t length = p->body_length - (p->has_auth && p->auth_known ? p->auth_pad_length : 0);
    bool whole_so_far = !m->stub || m->stub->len == m->reported;
    m->reported += length;
    if (verdict->state == SEC_SEALED || m->state == SEC_SEALED || !stub_wanted(t, call, m) || m->reported > STUB_LIMIT) {
        drop_stub(m);
        return;
    }
    if (!m->stub && m->reported > length)
        return;
    if (!m->stub)
        m->stub = g_byte_array_new();
    if (!whole_so_far)
        return;
    bool opened = verdict->state == SEC_VERIFIED && p->auth_level == SEC_LEVEL_PRIVACY;
    size_t here = opened ? length : MIN(length, p->captured - p->stub_offset);
    g_byte_array_append(m->stub, opened ? t->plain->data : p->octets + p->stub_offset, (guint)here);
}

/* Only clients append a verification trailer, and only in a security context ([MS-RPCE] 2.2.2.13); padding in front of it cannot
 * be told from the stub. */
static void strip_trailer(rpc_message *m)
{
    if (m->kind != RPC_REQUEST || !m->auth || !m->stub || m->stub->len != m->reported)
        return;
    size_t length = pdu_verification_trailer(m->stub->data, m->stub->len);
    m->has_trailer = length < m->stub->len;
    m->reported = length;
    g_byte_array_set_size(m->stub, (guint)length);
}

/* The level of a PDU without sec_trailer: at CONNECT there need be none after the handshake. */
static uint8_t of_handshake(const rpc_auth *auth)
{
    return auth && auth->level == SEC_LEVEL_CONNECT ? SEC_LEVEL_CONNECT : SEC_LEVEL_NONE;
}

/* A missing PDU may have been a fragment of any message of its direction that has begun and not ended. */
static void mark_holes(association *a, bool response)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, a->calls);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        open_call *call = value;
        rpc_message *m = response ? &call->call.response : &call->call.request;
        m->hole |= m->kind != RPC_NONE && !m->complete;
    }
}

/* What is left of a message that lacks a fragment is not what was sent, and is shown to nobody. */
static void give_up(rpc_message *m, const char *text)
{
    drop_stub(m);
    m->complete = false;
    if (m->sealed && m->state == SEC_VERIFIED) {
        m->state = SEC_SEALED;
        m->reason = SEC_LOST;
    }
    m->text = m->text ? m->text : text;
}

/* Most messages are in one frame. */
static void add_frame(rpc_message *m, uint32_t frame)
{
    if (m->last_frame == frame)
        return;
    if (!m->all_frames) {
        m->all_frames = g_array_new(FALSE, FALSE, sizeof frame);
        g_array_append_val(m->all_frames, m->first_frame);
    }
    g_array_append_val(m->all_frames, frame);
    m->last_frame = frame;
}

void tracker_fragment(rpc_tracker *t, open_call *call, const rpc_origin *origin, const pdu_parts *p, const rpc_auth *auth,
                      const sec_verdict *verdict)
{
    bool response = p->type != PDU_REQUEST, *started = response ? &call->response_started : &call->request_started;
    rpc_message *m = response ? &call->call.response : &call->call.request;
    bool first = m->kind == RPC_NONE;
    if (first) {
        m->kind = p->type == PDU_REQUEST ? RPC_REQUEST : p->type == PDU_RESPONSE ? RPC_RESPONSE : RPC_FAULT;
        m->first_frame = m->last_frame = origin->frame;
        m->seconds = origin->seconds;
        m->nanoseconds = origin->nanoseconds;
        m->big_endian = p->big_endian;
        m->auth = auth;
        m->level = p->has_auth ? p->auth_level : of_handshake(auth);
        m->status = p->status;
        m->not_executed = p->type == PDU_FAULT && p->flags & PFC_DID_NOT_EXECUTE;
        *started = p->flags & PFC_FIRST_FRAG;
    }
    /* A message is protected no better than its least protected fragment. */
    if (!first)
        m->level = MIN(m->level, p->has_auth ? p->auth_level : of_handshake(auth));
    m->sealed |= p->has_auth && (p->auth_level == SEC_LEVEL_PRIVACY || verdict->state == SEC_SEALED);
    add_frame(m, origin->frame);
    m->fragments++;
    worsen(m, verdict, first);
    append_stub(t, &call->call, m, p, verdict);
    if (!(p->flags & PFC_LAST_FRAG))
        return;
    m->complete = true;
    if (!*started)
        give_up(m, "its first fragment is not in the capture");
    else if (m->hole)
        give_up(m, "a fragment in its middle is not in the capture, or not where it belongs");
    strip_trailer(m);
}

bool rpc_message_stub(const rpc_call *call, const rpc_message *message, ndr_stub *stub)
{
    if (!message->complete || !message->stub || message->kind == RPC_FAULT)
        return false;
    *stub = (ndr_stub){message->stub->data, message->stub->len, message->reported, message->big_endian, call->ndr64,
                       message->has_trailer};
    return true;
}

ndr_result rpc_message_walk(const rpc_call *call, bool response, const ndr_stub *stub, ndr_event_fn fn, void *user)
{
    ndr_stub request;
    if (!response)
        return ndr_walk_request(call->interface, call->method, stub, fn, user);
    bool have = rpc_message_stub(call, &call->request, &request);
    return ndr_walk_response(call->interface, call->method, stub, have ? &request : NULL, fn, user);
}

/* ---------------------------------------------------------------------------------------------------------- PDUs */

/* A PDU stays for whoever draws frames if there is something to say about it. */
rpc_pdu *tracker_keep(rpc_tracker *t, const rpc_pdu *pdu_now)
{
    bool ours = pdu_now->call && pdu_now->call->interface;
    if (t->options.forget || !(ours || pdu_now->auth || pdu_now->problem)) {
        t->passing = *pdu_now;
        return &t->passing;
    }
    if (t->pdus_in_block == PDUS_A_BLOCK) {
        g_ptr_array_add(t->pdus, g_new(rpc_pdu, PDUS_A_BLOCK));
        t->pdus_in_block = 0;
    }
    rpc_pdu *kept = (rpc_pdu *)t->pdus->pdata[t->pdus->len - 1] + t->pdus_in_block++;
    *kept = *pdu_now;
    if (kept->plain) {
        kept->plain = g_memdup2(pdu_now->plain, pdu_now->plain_length);
        g_ptr_array_add(t->plains, (gpointer)kept->plain);
    }
    if (kept->call)
        ((open_call *)kept->call)->keep = true; /* a call is the first member of its open_call */
    return kept;
}

static void take_call_pdu(rpc_tracker *t, association *a, const rpc_origin *origin, const pdu_parts *p, rpc_auth *auth,
                          rpc_pdu *record)
{
    open_call *call = tracker_call(t, a, p);
    bool response = p->type != PDU_REQUEST;
    rpc_message *m = response ? &call->call.response : &call->call.request;
    record->call = &call->call;
    record->response = response;
    record->verdict = open_pdu(t, auth, p);
    if (record->verdict.state == SEC_VERIFIED && p->auth_level == SEC_LEVEL_PRIVACY) {
        record->plain = t->plain->data;
        record->plain_length = p->body_length;
    }
    pdu_order order = order_of(auth, p, &record->verdict);
    if (order == AFTER_A_GAP)
        mark_holes(a, response);
    if (order == REPEATED && m->kind != RPC_NONE)
        return; /* its octets are in the message already */
    /* At level CONNECT requests carry no sec_trailer; their level is that of the handshake. */
    const rpc_auth *of_call = auth;
    if (!p->has_auth && a->last_auth && a->last_auth->level == SEC_LEVEL_CONNECT)
        of_call = a->last_auth;
    tracker_fragment(t, call, origin, p, of_call, &record->verdict);
    record->last = p->flags & PFC_LAST_FRAG;
}

static void take_handshake_pdu(rpc_tracker *t, association *a, const rpc_origin *origin, const pdu_parts *p, rpc_auth *auth,
                               rpc_pdu *record)
{
    context_walk walk = {t, a, origin, auth ? auth->auth_type : SEC_AUTH_NONE, auth ? p->auth_level : SEC_LEVEL_NONE,
                         p->type == PDU_BIND_NAK};
    if (p->type == PDU_BIND || p->type == PDU_ALTER_CONTEXT) {
        g_array_set_size(a->asked, 0);
        if (!pdu_contexts(p, context_asked, &walk))
            record->problem = "the list of presentation contexts runs past the end of the PDU";
    }
    if (p->type == PDU_BIND_ACK || p->type == PDU_ALTER_CONTEXT_RESP) {
        if (!pdu_results(p, context_answered, &walk))
            record->problem = "the list of results runs past the end of the PDU";
        g_array_set_size(a->asked, 0);
    }
    a->shaking = pdu_from_client(p->type);
    a->handshake_id = p->call_id;
    if (p->type == PDU_BIND_NAK || p->type == PDU_FAULT) {
        /* provider rejection, of all that was asked for */
        const pdu_result_element refused = {.result = 2, .reason = p->nak_reason};
        for (guint i = 0; i < a->asked->len; i++)
            context_answered(i, &refused, &walk);
        g_array_set_size(a->asked, 0);
    }
    if (auth)
        take_handshake(a, auth, p);
}

/* A server may answer a leg of the handshake with a fault ([MS-RPCE] 3.3.1.5.2.1). */
static bool is_handshake(const association *a, const pdu_parts *p)
{
    if (p->type == PDU_FAULT)
        return a->shaking && a->handshake_id == p->call_id &&
               !g_hash_table_contains(a->calls, GUINT_TO_POINTER(p->call_id));
    uint8_t type = p->type;
    return type == PDU_BIND || type == PDU_BIND_ACK || type == PDU_BIND_NAK || type == PDU_ALTER_CONTEXT ||
           type == PDU_ALTER_CONTEXT_RESP || type == PDU_AUTH3;
}

bool tracker_message_done(rpc_tracker *t, rpc_call *call, bool response)
{
    if (t->sink.message)
        t->sink.message(call, response, t->sink.user);
    /* An association and a call are the first members of what is kept of them here. */
    return !response || finish_call(t, (association *)(uintptr_t)call->association, (open_call *)call);
}

const rpc_pdu *rpc_tracker_pdu(rpc_tracker *t, const rpc_origin *origin, const uint8_t *octets, size_t captured,
                               size_t reported)
{
    pdu_parts p;
    const char *problem;
    pdu_result result = pdu_read(octets, captured, reported, &p, &problem);
    if (result == PDU_NOT_RPC)
        return NULL;
    rpc_pdu record = {.frame = origin->frame, .type = p.type, .length = (uint32_t)p.length, .call_id = p.call_id,
                      .stub_offset = (uint32_t)p.stub_offset, .verdict = verdict_plain, .problem = problem};
    bool carries_call = p.type == PDU_REQUEST || p.type == PDU_RESPONSE || p.type == PDU_FAULT;
    if (result == PDU_BAD || (result == PDU_CUT && carries_call && p.captured < p.stub_offset))
        return tracker_keep(t, &record);

    association *a = find_association(t, origin, &p);
    take_group(t, a, &p);
    rpc_auth *auth = !p.has_auth ? NULL : p.auth_known ? tracker_auth(t, a, &p) : auth_of_cut(a, &p);
    record.auth = auth;
    record.level = auth ? p.auth_level : SEC_LEVEL_NONE;
    if (is_handshake(a, &p))
        take_handshake_pdu(t, a, origin, &p, auth, &record);
    else if (carries_call)
        take_call_pdu(t, a, origin, &p, auth, &record);

    rpc_pdu *kept = tracker_keep(t, &record);
    if (record.call && record.last && !tracker_message_done(t, kept->call, kept->response))
        kept->call = NULL;
    return kept;
}

void rpc_tracker_closed(rpc_tracker *t, uint64_t connection, const uint64_t pipe_id[2])
{
    association_key key = {connection, {pipe_id[0], pipe_id[1]}};
    association *a = g_hash_table_lookup(t->associations, &key);
    if (a)
        retire_association(t, a);
}

static int by_number(gconstpointer x, gconstpointer y)
{
    const association *a = x, *b = y;
    return a->pub.number < b->pub.number ? -1 : a->pub.number > b->pub.number;
}

void rpc_tracker_end(rpc_tracker *t)
{
    GList *open = g_list_sort(g_hash_table_get_values(t->associations), by_number);
    for (GList *l = open; l; l = l->next)
        retire_association(t, l->data);
    g_list_free(open);
}
