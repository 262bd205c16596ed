/* datagram.c - connectionless RPC: from datagrams to the calls that association.c builds ([C706] 12.5, [MS-RPCE] 2.2.3, 3.2).
 *
 * Every datagram says of itself which activity, interface and call it belongs to. The security context of a first call is
 * negotiated while that call waits: the server calls the client back (conv_who_are_you_auth) and gets the AUTHENTICATE message
 * in the answer. So what is sealed waits here until then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "rpc/tracker.h"

/* EARLY: fragments ahead of the one that is due; a sender's window is 64 at most. WAITING: datagrams that wait for their context's
 * handshake; calls of an activity come one after the other. */
enum { EARLY_LIMIT = 256, WAITING_LIMIT = 256, TRAILER_CL = 4, TRAILER_CO = 8 };
enum { CONV_WHO_ARE_YOU_AUTH = 3 };

/* [C706] appendix P: the interface for callbacks of the runtime itself. */
static const ndr_guid conv = {0x333a2276, 0x0000, 0x0000, {0x0d, 0x00, 0x00, 0x80, 0x9c, 0x00, 0x00, 0x00}};

/* A datagram that is kept: as octets, for its parts point into them. */
typedef struct {
    rpc_origin origin;
    uint8_t   *octets;
    size_t     captured, reported;
    rpc_pdu   *record; /* what was kept of it for drawing; NULL */
    bool       opened; /* it only waits for fragments before it; then: */
    sec_verdict verdict;
    uint8_t   *plain;  /* its body as t->plain had it */
} waiting_datagram;

struct datagram_state {
    GPtrArray *waiting;      /* of waiting_datagram */
    bool       any_finished; /* and then, the highest sequence number of a finished call: */
    uint32_t   finished;
    bool       asked;        /* this activity is a callback, for the activity: */
    uint64_t   asked_for[2];
};

static void free_waiting(void *p)
{
    waiting_datagram *w = p;
    g_free(w->octets);
    g_free(w->plain);
    g_free(w);
}

void datagrams_free(datagram_state *state)
{
    if (!state)
        return;
    g_ptr_array_unref(state->waiting);
    g_free(state);
}

static datagram_state *state_of(association *a)
{
    if (!a->datagrams) {
        a->datagrams = g_new0(datagram_state, 1);
        a->datagrams->waiting = g_ptr_array_new_with_free_func(free_waiting);
    }
    return a->datagrams;
}

static waiting_datagram *copy_datagram(const rpc_origin *origin, const pdu_parts *p, rpc_pdu *record)
{
    waiting_datagram *w = g_new(waiting_datagram, 1);
    *w = (waiting_datagram){.origin = *origin, .octets = g_memdup2(p->octets, p->captured), .captured = p->captured,
                            .reported = p->length, .record = record};
    return w;
}

/* ------------------------------------------------------------------------------------------------- security contexts */

static const sec_verdict nothing_sealed = {SEC_PLAIN, SEC_OK, NULL};

/* In the shape of a connection's PDU, which the mechanisms know: a sec_trailer of 8 octets. It is not signed here, and only the body is. */
static sec_verdict open_datagram(rpc_tracker *t, const rpc_auth *auth, const pdu_parts *p)
{
    if (!p->has_auth)
        return nothing_sealed;
    if (!auth || p->captured < p->length)
        return (sec_verdict){p->has_auth && p->auth_level < SEC_LEVEL_PRIVACY ? SEC_UNVERIFIED : SEC_SEALED, SEC_CUT,
                             "the capture cut this datagram: capture whole packets (snap length 0)"};
    size_t before = p->stub_offset + p->body_length;
    GByteArray *shaped = g_byte_array_sized_new((guint)(p->length + TRAILER_CO));
    static const uint8_t trailer[TRAILER_CO];
    g_byte_array_append(shaped, p->octets, (guint)before);
    g_byte_array_append(shaped, trailer, sizeof trailer);
    g_byte_array_append(shaped, p->token, (guint)p->token_length);
    g_byte_array_set_size(t->plain, (guint)p->body_length);
    sec_message message = {
        .pdu = shaped->data, .header_length = p->stub_offset, .body_length = p->body_length, .token_length = p->token_length,
        .captured = shaped->len, .from_client = pdu_from_client(p->type), .level = p->auth_level, .datagram = true,
    };
    sec_verdict verdict = sec_context_open(auth->security, &message, t->plain->data);
    g_byte_array_unref(shaped);
    return verdict;
}

/* Whether its key may still come: the handshake of its context has not been seen. */
static bool must_wait(const rpc_auth *auth, const pdu_parts *p)
{
    const sec_facts *facts = auth ? sec_context_facts(auth->security) : NULL;
    return facts && p->has_auth && !facts->have_key && !facts->ntlm_authenticate && facts->mechanism != SEC_MECH_OTHER;
}

/* ------------------------------------------------------------------------------------------------------------- calls */

static void fill_record(rpc_tracker *t, rpc_pdu *record, const pdu_parts *p, const sec_verdict *verdict)
{
    record->verdict = *verdict;
    bool opened = verdict->state == SEC_VERIFIED && p->auth_level == SEC_LEVEL_PRIVACY;
    record->plain = opened ? t->plain->data : NULL;
    record->plain_length = opened ? p->body_length : 0;
    record->last = p->flags & PFC_LAST_FRAG;
}

/* Puts a datagram that was opened into its message; returns whether the message is complete now. */
static bool take_fragment(rpc_tracker *t, open_call *call, const rpc_origin *origin, const pdu_parts *p, const rpc_auth *auth,
                          const rpc_pdu *record)
{
    tracker_fragment(t, call, origin, p, auth, &record->verdict);
    call->next[p->type != PDU_REQUEST]++;
    return p->flags & PFC_LAST_FRAG;
}

static rpc_message *message_of(open_call *call, bool response)
{
    return response ? &call->call.response : &call->call.request;
}

/* Of a datagram that was opened just now. */
static void hold_early(const rpc_tracker *t, open_call *call, const rpc_origin *origin, const pdu_parts *p,
                       const sec_verdict *verdict, rpc_pdu *kept)
{
    GPtrArray **early = &call->early[p->type != PDU_REQUEST];
    if (!*early)
        *early = g_ptr_array_new_with_free_func(free_waiting);
    if ((*early)->len >= EARLY_LIMIT)
        return;
    waiting_datagram *w = copy_datagram(origin, p, kept);
    w->opened = true;
    w->verdict = *verdict;
    if (verdict->state == SEC_VERIFIED)
        w->plain = g_memdup2(t->plain->data, p->body_length);
    g_ptr_array_add(*early, w);
}

static void keep_plain(rpc_tracker *t, rpc_pdu *kept)
{
    if (!kept || !kept->plain)
        return;
    kept->plain = g_memdup2(kept->plain, kept->plain_length);
    g_ptr_array_add(t->plains, (gpointer)kept->plain);
}

/* A datagram that was kept earlier, in its turn. */
static bool take_early_one(rpc_tracker *t, association *a, open_call *call, const waiting_datagram *w, const pdu_parts *p)
{
    rpc_pdu record;
    if (w->plain) {
        g_byte_array_set_size(t->plain, 0);
        g_byte_array_append(t->plain, w->plain, (guint)p->body_length);
    }
    fill_record(t, &record, p, &w->verdict);
    return take_fragment(t, call, &w->origin, p, p->has_auth ? tracker_auth(t, a, p) : NULL, &record);
}

/* Fragments that came before the one just taken. */
static bool take_early(rpc_tracker *t, association *a, open_call *call, bool response)
{
    GPtrArray *early = call->early[response];
    bool done = false;
    for (guint i = 0; early && i < early->len && !done;) {
        const waiting_datagram *w = early->pdata[i];
        pdu_parts p;
        const char *why;
        pdu_read_datagram(w->octets, w->captured, w->reported, &p, &why);
        if (p.fragnum != call->next[response]) {
            i++;
            continue;
        }
        done = take_early_one(t, a, call, w, &p);
        g_ptr_array_remove_index(early, i);
        i = 0;
    }
    return done;
}

static void note_finished(datagram_state *state, uint32_t sequence)
{
    state->finished = state->any_finished ? MAX(state->finished, sequence) : sequence;
    state->any_finished = true;
}

/* The interface stands in each datagram: as if there had been a bind. */
static void present(rpc_tracker *t, association *a, const rpc_origin *origin, const pdu_parts *p)
{
    presentation *known = g_hash_table_lookup(a->presentations, GUINT_TO_POINTER(0));
    if (known && ndr_guid_equal(&known->interface, &p->interface) && known->version_major == p->version_major)
        return;
    presentation *made = g_new0(presentation, 1);
    made->interface = p->interface;
    made->version_major = p->version_major;
    made->version_minor = p->version_minor;
    g_hash_table_insert(a->presentations, GUINT_TO_POINTER(0), made);
    if (t->sink.context)
        t->sink.context(&a->pub, origin, &p->interface, p->version_major, 0, t->sink.user);
}

/* ---------------------------------------------------------------------------------------------------------- callbacks */

static void flush(rpc_tracker *t, association *a);

static uint32_t number(const uint8_t *at, bool big)
{
    return big ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
               : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* A leg of the handshake, for the activity that waits for it. */
static void give_token(rpc_tracker *t, const association *callback, const uint64_t activity[2], const uint8_t *token, size_t length,
                       bool from_client)
{
    const association_key key = {callback->key.connection, {activity[0], activity[1]}};
    association *a = g_hash_table_lookup(t->associations, &key);
    if (!a || a == callback || !a->last_auth || !length)
        return;
    a->last_auth->bound = true;
    sec_context_token(a->last_auth->security, token, length, from_client, true);
    if (from_client)
        flush(t, a);
}

static void uuid_key(const ndr_guid *guid, uint64_t key[2])
{
    memcpy(key, guid, 2 * sizeof *key);
}

/* conv_who_are_you_auth: [in] actuid, boot_time, in_data[in_len], in_len, out_max_len; [out] seq, cas_uuid, out_data, out_len, st.
 * in_data is the server's CHALLENGE, out_data the client's AUTHENTICATE. Both fit into one datagram. */
static void take_callback(rpc_tracker *t, association *a, const pdu_parts *p)
{
    enum { IN_COUNT = 20, IN_DATA = 24, OUT_OFFSET = 24, OUT_COUNT = 28, OUT_DATA = 32 };
    const uint8_t *stub = p->octets + p->stub_offset;
    size_t here = MIN(p->body_length, p->captured - p->stub_offset);
    datagram_state *state = state_of(a);
    bool request = p->type == PDU_REQUEST;
    size_t data = request ? IN_DATA : OUT_DATA;
    if (!ndr_guid_equal(&p->interface, &conv) || p->opnum != CONV_WHO_ARE_YOU_AUTH || here < data)
        return;
    size_t count = number(stub + (request ? IN_COUNT : OUT_COUNT), p->big_endian);
    if (count > here - data)
        return;
    if (request) {
        ndr_guid activity;
        ndr_guid_from_octets(stub, p->big_endian, &activity);
        uuid_key(&activity, state->asked_for);
        state->asked = true;
    }
    if (state->asked) /* the callback goes from server to client, its answer back */
        give_token(t, a, state->asked_for, stub + data, count, !request);
}

/* ---------------------------------------------------------------------------------------------------------- datagrams */

/* Sent once more, or belonging to a call that is over. */
static bool is_repeated(const datagram_state *state, const open_call *call, const pdu_parts *p)
{
    bool response = p->type != PDU_REQUEST;
    if (!call)
        return state->any_finished && p->call_id <= state->finished;
    const rpc_message *m = response ? &call->call.response : &call->call.request;
    return m->complete || p->fragnum < call->next[response];
}

static void finish_message(rpc_tracker *t, association *a, open_call *call, bool response)
{
    uint32_t sequence = call->call.call_id;
    tracker_message_done(t, &call->call, response);
    if (response)
        note_finished(state_of(a), sequence);
}

/* The call of a datagram, made if need be; a retransmission never begins one again. */
static open_call *call_of(rpc_tracker *t, association *a, const pdu_parts *p)
{
    open_call *call = g_hash_table_lookup(a->calls, GUINT_TO_POINTER(p->call_id));
    return call ? call : tracker_call(t, a, p);
}

/* What waited for its context's handshake, in its turn: its record, if there is one, is brought up to date. */
static bool take_waiting(rpc_tracker *t, association *a, open_call *call, const waiting_datagram *w, const pdu_parts *p)
{
    rpc_pdu passing = {0}, *record = w->record ? w->record : &passing;
    const rpc_auth *auth = p->has_auth ? tracker_auth(t, a, p) : NULL;
    bool response = p->type != PDU_REQUEST, due = p->fragnum == call->next[response], done = false;
    const sec_verdict verdict = open_datagram(t, auth, p);
    fill_record(t, record, p, &verdict);
    if (due)
        done = take_fragment(t, call, &w->origin, p, auth, record);
    else
        hold_early(t, call, &w->origin, p, &verdict, w->record);
    keep_plain(t, w->record);
    return done || (due && take_early(t, a, call, response));
}

static void flush(rpc_tracker *t, association *a)
{
    datagram_state *state = a->datagrams;
    if (!state || state->waiting->len == 0)
        return;
    GPtrArray *waiting = state->waiting;
    state->waiting = g_ptr_array_new_with_free_func(free_waiting);
    for (guint i = 0; i < waiting->len; i++) {
        const waiting_datagram *w = waiting->pdata[i];
        pdu_parts p;
        const char *why;
        pdu_read_datagram(w->octets, w->captured, w->reported, &p, &why);
        bool response = p.type != PDU_REQUEST;
        open_call *call = g_hash_table_lookup(a->calls, GUINT_TO_POINTER(p.call_id));
        if (is_repeated(state, call, &p))
            continue;
        call = call_of(t, a, &p);
        if (take_waiting(t, a, call, w, &p))
            finish_message(t, a, call, response);
    }
    g_ptr_array_unref(waiting);
}

void datagrams_flush(rpc_tracker *t, association *a)
{
    flush(t, a);
}

static void take_call_datagram(rpc_tracker *t, association *a, const rpc_origin *origin, const pdu_parts *p, rpc_auth *auth,
                               rpc_pdu *record, bool *wait)
{
    datagram_state *state = state_of(a);
    bool response = p->type != PDU_REQUEST;
    if (response && !must_wait(auth, p)) /* a server that has not asked back by now will not, as when it refuses the call */
        flush(t, a);
    open_call *call = g_hash_table_lookup(a->calls, GUINT_TO_POINTER(p->call_id));
    if (is_repeated(state, call, p))
        return;
    call = call_of(t, a, p);
    record->call = &call->call;
    record->response = response;
    *wait = must_wait(auth, p) && state->waiting->len < WAITING_LIMIT;
    if (*wait) {
        record->verdict = (sec_verdict){p->auth_level < SEC_LEVEL_PRIVACY ? SEC_UNVERIFIED : SEC_SEALED, SEC_NO_HANDSHAKE,
                                        "its key is agreed on later in the capture, if at all: read it twice (tshark -2)"};
        record->last = (p->flags & (PFC_FIRST_FRAG | PFC_LAST_FRAG)) == (PFC_FIRST_FRAG | PFC_LAST_FRAG);
        return;
    }
    const sec_verdict verdict = open_datagram(t, auth, p);
    fill_record(t, record, p, &verdict);
    if (p->fragnum == call->next[response])
        take_fragment(t, call, origin, p, auth, record);
}

const rpc_pdu *rpc_tracker_datagram(rpc_tracker *t, const rpc_origin *origin, const uint8_t *octets, size_t captured, size_t reported)
{
    pdu_parts p;
    const char *problem;
    pdu_result result = pdu_read_datagram(octets, captured, reported, &p, &problem);
    if (result == PDU_NOT_RPC)
        return NULL;
    rpc_pdu record = {.frame = origin->frame, .type = p.type, .length = (uint32_t)p.length, .call_id = p.call_id,
                      .stub_offset = (uint32_t)p.stub_offset, .verdict = nothing_sealed, .problem = problem};
    bool carries_call = p.type == PDU_REQUEST || p.type == PDU_RESPONSE || p.type == PDU_FAULT;
    if (result != PDU_GOOD || !carries_call)
        return tracker_keep(t, &record);

    association_key key = {.connection = origin->connection};
    uuid_key(&p.activity, key.pipe_id);
    association *a = tracker_association(t, &key, origin, pdu_from_client(p.type));
    present(t, a, origin, &p);
    rpc_auth *auth = p.has_auth ? tracker_auth(t, a, &p) : NULL;
    if (auth)
        a->last_auth = auth;
    record.auth = auth;
    record.level = auth ? p.auth_level : SEC_LEVEL_NONE;
    bool wait = false, response = p.type != PDU_REQUEST;
    take_call_datagram(t, a, origin, &p, auth, &record, &wait);
    open_call *call = (open_call *)record.call;

    rpc_pdu *kept = tracker_keep(t, &record);
    rpc_pdu *lasting = t->options.forget || kept == &t->passing ? NULL : kept;
    if (wait)
        g_ptr_array_add(state_of(a)->waiting, copy_datagram(origin, &p, lasting));
    else if (call && p.fragnum >= call->next[response])
        hold_early(t, call, origin, &p, &record.verdict, lasting);
    else if (call && !message_of(call, response)->complete)
        take_early(t, a, call, response);
    if (call && !wait && message_of(call, response)->complete) {
        bool stays = call->keep && !t->options.forget;
        finish_message(t, a, call, response);
        if (response && !stays)
            kept->call = NULL;
    }
    take_callback(t, a, &p);
    return kept;
}
