/* rpc_fuzz.c - hostile PDUs and SMB messages through the trackers, the walker and the rules, as the feed puts them together.
 *
 * An input is a sequence of {kind, length u16, octets}; the octets are mended a little (version, lengths) so that most get past
 * the first check. libFuzzer changes whole pieces, too: loses, doubles and moves them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "keys/crypto.h"
#include "keys/ntlmssp.h"
#include "rpc/association.h"
#include "rpc/handles.h"
#include "rpc/secrets.h"
#include "rpc/smb.h"
#include "rpc/smb_session.h"
#include "tests/ndr_encode.h"
#include "tests/smb_vectors.h"
#include "verifier/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The two upper bits of a piece's kind are its connection. */
enum { CONNECTIONS = 4 };
enum { SMB_PIECE = 1 };
/* Of an SMB message: */
enum { SMB_CUT = 2, TCP_STARTED = 4, TCP_ENDED = 8, TCP_RESET = 16 };
/* Of a PDU: PIPE: it came by the pipe that the connection's last SMB message names. */
enum { MEND = 2, PIPE = 4, PDU_IS_CUT = 8, PIPE_CLOSED = 16, DATAGRAM = 32 };

/* The second is of the first's server, as a client elsewhere: what it opens for a call, rules follow. */
static const char *const clients[CONNECTIONS] = {"192.0.2.1:49152", "192.0.2.2:49153", "192.0.2.1:49154", "[2001:db8::1]:49152"};
static const char *const servers[CONNECTIONS] = {"192.0.2.2:445", "192.0.2.4:445", "192.0.2.2:445", "[2001:db8::2]:1025"};

typedef struct {
    const keyring *ring;
    rpc_tracker   *calls;
    rpc_handles   *handles;
    verifier      *judge;
    smb_sessions  *sessions;
    capture_facts  facts;
    smb_life      *life;
    smb_pipe       pipes[CONNECTIONS];   /* of the last SMB message */
    uint64_t       session[CONNECTIONS]; /* the same */
    smb_tcp_end    ends[CONNECTIONS];
    uint32_t       frame;
} rig;

/* Keys that some of the traffic was made with. */
static keyring *shared_ring(void)
{
    static const char key[] = "A\\b:c\nCORP\\alice:Lab-Alice-2026!\nsmb-session-key 1 000102030405060708090a0b0c0d0e0f\n";
    static keyring *ring;
    if (!ring) {
        ring = keyring_new();
        keyring_add_memory(ring, "keys", (const uint8_t *)key, sizeof key - 1);
        for (size_t i = 0; i < G_N_ELEMENTS(smb_vectors); i++)
            keyring_add_memory(ring, "keys", (const uint8_t *)smb_vectors[i].keys, strlen(smb_vectors[i].keys));
    }
    return ring;
}

static void on_secret(const rpc_secret *secret, void *user)
{
    (void)user;
    bool sealed = rpc_secret_is_sealed(secret->kind);
    if (!*rpc_secret_kind_name(secret->kind) || sealed != (secret->state && secret->text))
        abort();
    if (sealed && (strcmp(secret->state, "sealed") == 0) != (secret->octets == NULL))
        abort();
    if (rpc_secret_lacks_key(secret) && secret->octets)
        abort();
}

static void on_event(const ndr_event *event, void *user)
{
    const ndr_stub *stub = user;
    if (event->kind == NDR_EV_VALUE && event->offset > stub->reported)
        abort();
}

static void on_message(rpc_call *call, bool response, void *user)
{
    rig *r = user;
    bool unbound = !call->bound && !call->rejected;
    if (unbound && !response) {
        r->facts.unbound_calls++;
        r->facts.unbound_on_pipes += call->association->transport == RPC_NCACN_NP;
    }
    rpc_handles_message(r->handles, call, response);
    if (!response && call->association->transport == RPC_NCACN_NP && (call->interface || unbound))
        smb_life_carried(r->life, call->association->connection, call->association->pipe_id,
                         call->interface ? call->interface->protocol : NULL);
    verifier_message(r->judge, call, response);
    size_t count;
    if ((rpc_handles_used(r->handles, call, response, &count) != NULL) != (count > 0))
        abort();
    rpc_secrets(call, response, r->ring, on_secret, r);
    ndr_stub stub;
    if (!call->method || call->method->reserved || !rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return;
    rpc_message_walk(call, response, &stub, on_event, &stub);
}

static void on_finished(rpc_call *call, void *user)
{
    rpc_handles_finished(((rig *)user)->handles, call);
}

static void on_context(const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                       uint16_t version_major, int result, void *user)
{
    const rig *r = user;
    const ndr_interface *ours = result == 0 ? interfaces_find(interface, version_major) : NULL;
    if (ours && association->transport == RPC_NCACN_NP)
        smb_life_carried(r->life, association->connection, association->pipe_id, ours->protocol);
    verifier_context(r->judge, association, origin, interface, version_major, result);
}

static void on_opened(const smb_open *attempt, void *user)
{
    verifier_opened(((rig *)user)->judge, attempt);
}

static void on_closed(uint64_t connection, const uint64_t pipe_id[2], void *user)
{
    rpc_tracker_closed(((rig *)user)->calls, connection, pipe_id);
}

static void on_exchange(const smb_exchange *exchange, void *user)
{
    smb_life_exchange(((rig *)user)->life, exchange);
}

static void on_life(const smb_object *object, smb_event event, void *user)
{
    const rig *r = user;
    const smb_object *pipe = object->kind == SMB_PIPE ? object : NULL;
    if (pipe && pipe->share && pipe->share->session != pipe->session) /* it has one owner */
        abort();
    verifier_smb(r->judge, object, event);
}

static smb_tcp_end tcp_end(uint64_t connection, void *user)
{
    return ((const rig *)user)->ends[connection];
}

static void on_setup(const smb_setup *setup, void *user)
{
    const rig *r = user;
    uint8_t key[16];
    const key_entry *ntlm;
    smb_sessions_setup(r->sessions, setup->connection, setup->message, setup->session, setup->from_client, setup->status,
                       setup->token, setup->length, key, &ntlm);
    char *name = ntlm_user_of_token(setup->token, setup->length);
    if (name)
        smb_life_user(r->life, setup->connection, setup->smb2, setup->session, name);
    g_free(name);
    if (setup->status % 3 == 0)
        smb_life_sealed(r->life, setup->connection, r->frame, servers[setup->connection], clients[setup->connection],
                        setup->session);
}

/* An SMB message, its session, and all keys that could seal what its pipes carry. */
static void give_smb(rig *r, smb_tracker *smb, uint8_t kind, const uint8_t *octets, size_t length)
{
    const unsigned connection = kind >> 6;
    bool response = length > 16 && octets[0] == 0xfe ? octets[16] & 1 : length > 9 && octets[9] & 0x80;
    if (kind & TCP_STARTED)
        verifier_started(r->judge, connection);
    r->pipes[connection] = smb_tracker_message(smb, connection, r->frame, response ? servers[connection] : clients[connection],
                                               response ? clients[connection] : servers[connection], octets, length);
    smb_sessions_message(r->sessions, connection, octets, length, !(kind & SMB_CUT));
    r->session[connection] = smb_session_id(octets, length);
    size_t count;
    join_key *keys = smb_session_join_keys(smb_sessions_find(r->sessions, connection, r->session[connection]), &count);
    if ((keys != NULL) != (count > 0))
        abort();
    crypto_free(keys);
    if (kind & TCP_ENDED)
        r->ends[connection] = kind & TCP_RESET ? SMB_TCP_RST : SMB_TCP_FIN;
}

static void give_pdu(rig *r, uint8_t kind, const uint8_t *octets, size_t length)
{
    const unsigned connection = kind >> 6;
    const smb_pipe *pipe = kind & PIPE ? &r->pipes[connection] : NULL;
    uint8_t *p = g_memdup2(octets, length);
    if (length >= 16) {
        p[0] = 5;
        p[1] = 0;
        p[4] &= 0x10;
        if (kind & MEND) { /* else the length is the fuzzer's own */
            p[p[4] ? 9 : 8] = (uint8_t)(length >> 8);
            p[p[4] ? 8 : 9] = (uint8_t)length;
        }
    }
    bool forward = length < 16 || pdu_from_client(p[2]);
    rpc_origin origin = {.frame = r->frame, .transport = pipe ? RPC_NCACN_NP : RPC_NCACN_IP_TCP, .connection = connection,
                         .source = forward ? clients[connection] : servers[connection],
                         .destination = forward ? servers[connection] : clients[connection]};
    if (pipe) {
        origin.pipe = pipe->name;
        origin.pipe_id[0] = pipe->pipe_id[0];
        origin.pipe_id[1] = pipe->pipe_id[1];
        origin.smb = smb_sessions_find(r->sessions, connection, r->session[connection]);
    }
    rpc_tracker_pdu(r->calls, &origin, p, length, kind & PDU_IS_CUT ? length + 40 : length);
    if (pipe && kind & PIPE_CLOSED)
        rpc_tracker_closed(r->calls, connection, pipe->pipe_id);
    g_free(p);
}

static void give_datagram(rig *r, uint8_t kind, const uint8_t *octets, size_t length)
{
    uint8_t *p = g_memdup2(octets, length);
    if (length >= 80) {
        static const uint8_t clear[] = {0xff, 0x0f, 0x7e, 0x02, 0x10, 0x03, 0x00};
        for (size_t i = 0; i < sizeof clear; i++)
            p[i] &= clear[i];
        p[0] = 4;
    }
    rpc_origin origin = {.frame = r->frame, .transport = RPC_NCADG_IP_UDP, .connection = kind >> 6,
                         .source = clients[kind >> 6], .destination = servers[kind >> 6]};
    rpc_tracker_datagram(r->calls, &origin, p, length, kind & PDU_IS_CUT ? length + 40 : length);
    g_free(p);
}

static void look_at_rule(const rule *r, void *user)
{
    rule_summary summary = verifier_summary(user, r);
    if (!*rule_verdict_name(summary.verdict) || !*rule_level_name(r->level))
        abort();
    if ((summary.verdict == VERDICT_INCONCLUSIVE || summary.verdict == VERDICT_NOT_OBSERVABLE) && !summary.reason)
        abort();
}

/* What verdict.h promises of findings. */
static void look_at_findings(const verifier *judge, uint32_t last_frame)
{
    for (size_t i = 0; i < verifier_finding_count(judge); i++) {
        const finding *f = verifier_finding(judge, i);
        if (!*f->message || !g_utf8_validate(f->message, -1, NULL) || (f->reason != NULL) != (f->verdict == VERDICT_INCONCLUSIVE))
            abort();
        for (guint n = 0; n < f->frames->len; n++) {
            uint32_t frame = g_array_index(f->frames, uint32_t, n);
            if (frame == 0 || frame > last_frame || (n > 0 && frame <= g_array_index(f->frames, uint32_t, n - 1)))
                abort();
        }
    }
}

static void run_end(rig *r)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (r->ends[i] == SMB_TCP_OPEN)
            continue;
        verifier_closed(r->judge, i);
        smb_life_tcp_end(r->life, i, r->ends[i]);
    }
    rpc_tracker_end(r->calls);
    smb_life_end(r->life);
    verifier_end(r->judge);
    rules_each(look_at_rule, r->judge);
    look_at_findings(r->judge, r->frame);
}

static void run(const uint8_t *data, size_t size, bool forget)
{
    rig r = {.ring = shared_ring(), .facts = {.label = "fuzz", .complete = true}};
    rpc_sink sink = {&r, on_message, on_finished, on_context};
    rpc_options options = {.forget = forget};
    r.judge = verifier_new(NULL, NULL);
    r.facts.handles = r.handles = rpc_handles_new(forget);
    r.calls = rpc_tracker_new(r.ring, &sink, &options);
    smb_sink pipes = {&r, on_opened, on_closed, on_setup, on_exchange};
    r.life = smb_life_new(on_life, &r);
    r.facts.smb = r.life;
    r.facts.tcp_end = tcp_end;
    r.facts.user = &r;
    smb_tracker *smb = smb_tracker_new(&pipes);
    r.sessions = smb_sessions_new(r.ring);
    verifier_begin(r.judge, &r.facts);
    while (size >= 3) {
        uint8_t kind = data[0];
        size_t length = MIN((size_t)(data[1] | data[2] << 8), size - 3);
        r.frame++;
        uint8_t *exact = memcpy(g_malloc(length + 1), data + 3, length);
        exact = g_realloc(exact, MAX(length, 1)); /* not an octet more, so that a sanitizer sees each read too far */
        if (kind & SMB_PIECE)
            give_smb(&r, smb, kind, exact, length);
        else if (kind & DATAGRAM)
            give_datagram(&r, kind, exact, length);
        else
            give_pdu(&r, kind, exact, length);
        g_free(exact);
        data += 3 + length;
        size -= 3 + length;
    }
    run_end(&r);
    rpc_tracker_free(r.calls);
    smb_tracker_free(smb);
    smb_sessions_free(r.sessions);
    smb_life_free(r.life);
    verifier_free(r.judge);
    rpc_handles_free(r.handles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, size % 2);
    return 0;
}

#ifndef FUZZ_STANDALONE
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef struct {
    size_t at, size; /* with its head */
} piece;

static size_t find_pieces(const uint8_t *data, size_t size, piece *pieces, size_t most)
{
    size_t count = 0, at = 0;
    for (; size - at >= 3 && count < most; count++) {
        size_t length = MIN((size_t)(data[at + 1] | data[at + 2] << 8), size - at - 3);
        pieces[count] = (piece){at, 3 + length};
        at += 3 + length;
    }
    return count;
}

/* Octets of a piece change, and its length with them. */
static size_t mutate_piece(uint8_t *data, size_t size, size_t max_size, piece p)
{
    size_t behind = size - p.at - p.size, room = MIN(max_size - size + p.size - 3, UINT16_MAX);
    uint8_t *octets = g_malloc(room + 1);
    memcpy(octets, data + p.at + 3, MIN(p.size - 3, room));
    size_t length = LLVMFuzzerMutate(octets, MIN(p.size - 3, room), room);
    memmove(data + p.at + 3 + length, data + p.at + p.size, behind);
    memcpy(data + p.at + 3, octets, length);
    data[p.at + 1] = (uint8_t)length;
    data[p.at + 2] = (uint8_t)(length >> 8);
    g_free(octets);
    return p.at + 3 + length + behind;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    enum { LOSE, DOUBLE, MOVE, KIND, BORROW, WHOLE, CHOICES = 12, MOST = 1024 };
    piece pieces[MOST];
    GRand *random = g_rand_new_with_seed(seed);
    size_t count = find_pieces(data, size, pieces, MOST);
    if (count == 0 || max_size < size + 16) {
        g_rand_free(random);
        return LLVMFuzzerMutate(data, size, max_size);
    }
    piece p = pieces[g_rand_int_range(random, 0, (gint32)count)], q = pieces[g_rand_int_range(random, 0, (gint32)count)];
    uint8_t *copy = g_memdup2(data + p.at, p.size);
    size_t made = size;
    switch (g_rand_int_range(random, 0, CHOICES)) {
    case MOVE:
        memmove(data + p.at, data + p.at + p.size, size - p.at - p.size);
        made = size - p.size;
        q.at -= q.at > p.at ? p.size : 0;
        G_GNUC_FALLTHROUGH;
    case DOUBLE:
        if (made + p.size <= max_size) {
            memmove(data + q.at + p.size, data + q.at, made - q.at);
            memcpy(data + q.at, copy, p.size);
            made += p.size;
        }
        break;
    case LOSE:
        memmove(data + p.at, data + p.at + p.size, size - p.at - p.size);
        made = size - p.size;
        break;
    case KIND:
        data[p.at] ^= (uint8_t)(1u << g_rand_int_range(random, 0, 8));
        break;
    case BORROW: { /* ids, handles and tokens of another piece */
        size_t from = (size_t)g_rand_int_range(random, 3, (gint32)p.size + 1);
        size_t some = (size_t)g_rand_int_range(random, 1, 40);
        size_t to = g_rand_int_range(random, 0, 4) ? from : (size_t)g_rand_int_range(random, 3, (gint32)q.size + 1);
        if (some <= p.size - from && to <= q.size && some <= q.size - to)
            memmove(data + q.at + to, copy + from, some);
        break;
    }
    case WHOLE:
        made = LLVMFuzzerMutate(data, size, max_size);
        break;
    default:
        made = mutate_piece(data, size, max_size, p);
    }
    g_free(copy);
    g_rand_free(random);
    return made;
}
#endif

#ifdef FUZZ_STANDALONE
/* Sealed requests in fragments, callbacks for them with tokens, and answers. */
static size_t seed_datagrams(GRand *random, uint8_t *out)
{
    static const uint8_t bkrp[] = {0x30, 0x7c, 0xde, 0x3d, 0x5d, 0x16, 0xd1, 0x11, 0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb,
                                   0x40};
    static const uint8_t conv[] = {0x76, 0x22, 0x3a, 0x33, 0, 0, 0, 0, 0x0d, 0, 0, 0x80, 0x9c, 0, 0, 0};
    size_t at = 0;
    for (int i = 0; i < 7; i++) {
        bool back = g_rand_int_range(random, 0, 3) == 0, answer = g_rand_int_range(random, 0, 3) == 0;
        uint8_t *d = out + at + 3;
        size_t stub = back ? 40 : 24, length = 80 + stub + (back ? 0 : 20);
        memset(d, 0, length);
        d[0] = 4;
        d[1] = answer ? 2 : 0;
        d[2] = (uint8_t)g_rand_int_range(random, 0, 4) << 1;
        d[4] = 0x10;
        memcpy(d + 24, back ? conv : bkrp, 16);
        d[40] = back;
        d[60] = back ? 3 : 1;
        d[64] = (uint8_t)g_rand_int_range(random, 0, 2);
        d[68] = back ? 3 : 0;
        d[74] = (uint8_t)stub;
        d[76] = (uint8_t)g_rand_int_range(random, 0, 3);
        d[78] = back ? 0 : 10;
        if (back) {
            d[80 + (answer ? 28 : 20)] = 8;
            memcpy(d + 80 + (answer ? 32 : 24), "NTLMSSP", 8);
        } else {
            d[80 + stub] = 6;
            d[80 + stub + 4] = 1;
        }
        out[at] = 32;
        out[at + 1] = (uint8_t)length;
        out[at + 2] = 0;
        at += 3 + length;
    }
    for (int changes = g_rand_int_range(random, 0, 8); changes > 0; changes--)
        out[g_rand_int_range(random, 0, (gint32)at)] = (uint8_t)g_rand_int_range(random, 0, 256);
    return (size_t)g_rand_int_range(random, (gint32)at / 2, (gint32)at + 1);
}

/* A bind and a request to begin with, so that random changes reach what lies behind them. */
static size_t seed(GRand *random, uint8_t *out)
{
    static const uint8_t bind[] = {
        5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0,
        0x30, 0x7c, 0xde, 0x3d, 0x5d, 0x16, 0xd1, 0x11, 0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb, 0x40, 1, 0, 0, 0,
        0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0};
    static const uint8_t request[] = {
        5, 0, 0, 3, 0x10, 0, 0, 0, 60, 0, 0, 0, 2, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x2b, 0x75, 0x7f, 0x8e, 0x17, 0xd1,
        0x11, 0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb, 0x40, 4, 0, 0, 0, 1, 2, 3, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t *const pdus[] = {bind, request};
    const size_t sizes[] = {sizeof bind, sizeof request};
    size_t at = 0;
    for (int i = 0; i < 6; i++) {
        int which = i == 0 ? 0 : g_rand_int_range(random, 0, 2);
        out[at] = 2;
        out[at + 1] = (uint8_t)sizes[which];
        out[at + 2] = 0;
        memcpy(out + at + 3, pdus[which], sizes[which]);
        at += 3 + sizes[which];
    }
    for (int changes = g_rand_int_range(random, 0, 12); changes > 0; changes--)
        out[g_rand_int_range(random, 0, (gint32)at)] = (uint8_t)g_rand_int_range(random, 0, 256);
    return (size_t)g_rand_int_range(random, (gint32)at / 2, (gint32)at + 1);
}

static void put_pdu(GByteArray *out, uint8_t type, uint8_t call_id, uint16_t opnum, const GByteArray *stub)
{
    size_t length = 24 + stub->len;
    const uint8_t head[] = {2, (uint8_t)length, (uint8_t)(length >> 8), 5, 0, type, 3, 0x10, 0, 0, 0, (uint8_t)length,
                            (uint8_t)(length >> 8), 0, 0, call_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)opnum,
                                (uint8_t)(opnum >> 8)};
    g_byte_array_append(out, head, sizeof head);
    g_byte_array_append(out, stub->data, stub->len);
}

/* Calls with values and handles of a few numbers: ClusAPI's handles are opened, used and closed, wkssvc's rules meet what they look
 * for. */
static size_t seed_calls(GRand *random, uint8_t *out, size_t limit)
{
    static const uint8_t bind[] = {
        2, 72, 0, 5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 0xb8, 0x10, 0xb8, 0x10, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0,
        0xb2, 0xb8, 0x7d, 0xb9, 0x63, 0x4c, 0xcf, 0x11, 0xbf, 0xf6, 0x08, 0x00, 0x2b, 0xe2, 0x3f, 0x2f, 3, 0, 0, 0,
        0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0};
    static const uint8_t wkssvc[] = {0x98, 0xd0, 0xff, 0x6b, 0x12, 0xa1, 0x10, 0x36, 0x98, 0x33, 0x46, 0xc3, 0xf8, 0x7e, 0x34, 0x5a, 1};
    static const uint16_t likely[] = {8, 11, 12, 28, 30, 37, 41, 44, 66, 67, 73, 117, 120, 137, 138};
    static const char *const names[] = {"hResource", "Resource", "hKey", "pKey", "hGroup", "Group", "hNode", "Node", "return"};
    static const char *const wkst_names[] = {"Level", "Options", "EntriesRead", "Buffer", "Password", "NameType", "Reserved",
                                             "BufferType", "return"};
    GByteArray *made = g_byte_array_append(g_byte_array_new(), bind, sizeof bind);
    bool wkst = g_rand_boolean(random);
    const ndr_interface *interface = wkst ? &wkst_interface : &cmrp_interface_3;
    if (wkst)
        memcpy(made->data + 3 + 32, wkssvc, sizeof wkssvc);
    for (uint8_t i = 1; i < 12; i++) {
        uint16_t opnum = !wkst && g_rand_boolean(random) ? likely[g_rand_int_range(random, 0, G_N_ELEMENTS(likely))]
                                                         : (uint16_t)g_rand_int_range(random, 0, wkst ? 39 : 265);
        const ndr_method *method = interfaces_method(interface, opnum);
        if (method->reserved)
            continue;
        for (int response = 0; response < 2; response++) {
            encode_set sets[G_N_ELEMENTS(names) + 1] = {{0}};
            for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
                int number = g_rand_int_range(random, 0, 4);
                sets[n] = (encode_set){.name = wkst ? wkst_names[n] : names[n], .null = number == 0, .number = (uint64_t)number};
            }
            GByteArray *stub = encode_stub_set(interface, method, 0, response, false,
                                               g_rand_int_range(random, 0, 8) ? sets : NULL);
            put_pdu(made, response ? 2 : 0, i, opnum, stub);
            g_byte_array_unref(stub);
        }
    }
    size_t length = MIN(made->len, limit);
    memcpy(out, made->data, length);
    g_byte_array_unref(made);
    for (int changes = g_rand_int_range(random, 0, 6); changes > 0; changes--)
        out[g_rand_int_range(random, 80, (gint32)length)] = (uint8_t)g_rand_int_range(random, 0, 256);
    return length;
}

/* Sessions, share connections and pipes opened and closed in any order, in both versions of SMB. */
static size_t seed_smb(GRand *random, uint8_t *out)
{
    static const uint8_t smb1[] = {0x73, 0x75, 0xa2, 0x04, 0x71, 0x74, 0x25, 0x2d};
    size_t at = 0;
    while (at < 900) {
        uint8_t *d = out + at + 3;
        bool old = g_rand_int_range(random, 0, 4) == 0, answer = g_rand_boolean(random);
        size_t length = (size_t)g_rand_int_range(random, 66, 110);
        memset(d, 0, length);
        memcpy(d, old ? "\xffSMB" : "\xfeSMB", 4);
        if (old) {
            d[4] = smb1[g_rand_int_range(random, 0, 8)];
            d[9] = answer ? 0x80 : 0;
            d[24] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[28] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[30] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[32] = (uint8_t)g_rand_int_range(random, 0, 16);
            d[33 + 2 * d[32] + 2] = 'I';
            d[33 + 2 * d[32] + 3] = 'P';
            d[33 + 2 * d[32] + 4] = 'C';
            d[33] = g_rand_boolean(random) ? 0xff : smb1[g_rand_int_range(random, 0, 8)];
            d[35] = (uint8_t)g_rand_int_range(random, 33, 70);
        } else {
            d[12] = (uint8_t)g_rand_int_range(random, 1, 12);
            d[16] = (uint8_t)(answer | (g_rand_int_range(random, 0, 8) == 0 ? 2 : 0));
            d[24] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[36] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[40] = (uint8_t)g_rand_int_range(random, 0, 3);
            d[66] = 2;
            d[72] = (uint8_t)g_rand_int_range(random, 0, 2);
        }
        out[at] = (uint8_t)(1 | g_rand_int_range(random, 0, 4) << 6);
        out[at + 1] = (uint8_t)length;
        out[at + 2] = 0;
        at += 3 + length;
    }
    return at;
}

static size_t put_piece(uint8_t *out, uint8_t kind, const void *octets, size_t length)
{
    out[0] = kind;
    out[1] = (uint8_t)length;
    out[2] = (uint8_t)(length >> 8);
    memcpy(out + 3, octets, length);
    return 3 + length;
}

/* A share connection and a pipe of a session, asked for and given. */
static size_t put_pipe(uint8_t *out, const uint8_t session[8], const char *name)
{
    enum { HEADER = 64, TREE_CONNECT = 3, CREATE = 5, SHARE_OF_PIPES = 2 };
    static const char path[] = "\\\\a\\IPC$";
    size_t at = 0;
    for (int step = 0; step < 4; step++) {
        uint8_t m[200] = {0xfe, 'S', 'M', 'B', HEADER};
        bool create = step > 1, response = step % 2;
        const char *text = create ? name : path;
        const size_t head = HEADER + (create ? 56 : 8);
        m[12] = create ? CREATE : TREE_CONNECT;
        m[16] = response;
        m[24] = (uint8_t)(100 + create);
        m[36] = create || response;
        memcpy(m + 40, session, 8);
        size_t length = response ? HEADER + 88 : head + 2 * strlen(text);
        if (response) {
            m[HEADER + (create ? 64 : 2)] = create ? 7 : SHARE_OF_PIPES;
        } else {
            uint8_t *where = m + HEADER + (create ? 44 : 4);
            where[0] = (uint8_t)head;
            where[2] = (uint8_t)(2 * strlen(text));
            for (size_t i = 0; text[i]; i++)
                m[head + 2 * i] = (uint8_t)text[i];
        }
        at += put_piece(out + at, SMB_PIECE, m, length);
    }
    return at;
}

/* A session as a real one was set up, a pipe on it, and calls on the pipe. */
static size_t seed_session(GRand *random, uint8_t *out, size_t limit)
{
    static const char *const names[] = {"wkssvc", "protected_storage", "ntsvcs"};
    const smb_vector *v = &smb_vectors[g_rand_int_range(random, 0, G_N_ELEMENTS(smb_vectors))];
    uint8_t message[4096], session[8] = {0};
    size_t at = 0;
    for (int i = 0; i <= (int)G_N_ELEMENTS(v->messages); i++) {
        bool last = i == (int)G_N_ELEMENTS(v->messages) || !v->messages[i];
        const char *hex = last ? v->next : v->messages[i] + 1;
        size_t length = strlen(hex) / 2;
        for (size_t n = 0; n < length; n++)
            message[n] = (uint8_t)(g_ascii_xdigit_value(hex[2 * n]) << 4 | g_ascii_xdigit_value(hex[2 * n + 1]));
        if (length > 48)
            memcpy(session, message + 40, sizeof session);
        if (g_rand_int_range(random, 0, 20) == 0 && length > 0)
            message[g_rand_int_range(random, 0, (gint32)length)] = (uint8_t)g_rand_int(random);
        at += put_piece(out + at, (uint8_t)(SMB_PIECE | (i == 0 ? TCP_STARTED : 0) | (last ? TCP_ENDED : 0)), message, length);
        if (last)
            break;
    }
    at += put_pipe(out + at, session, names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))]);
    size_t calls = seed_calls(random, out + at, limit - at), end = at + calls;
    for (; at + 3 <= end; at += 3 + (size_t)(out[at + 1] | out[at + 2] << 8))
        out[at] |= PIPE;
    return end;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    GRand *random = g_rand_new_with_seed(argc > 2 ? (guint32)strtoul(argv[2], NULL, 10) : 1);
    static uint8_t input[1 << 14];
    for (unsigned long i = 0; i < rounds; i++) {
        size_t length = i % 5 == 0 ? seed(random, input) : i % 5 == 1 ? seed_datagrams(random, input)
                        : i % 5 == 2 ? seed_smb(random, input) : i % 5 == 3 ? seed_calls(random, input, 4096)
                        : seed_session(random, input, sizeof input);
        LLVMFuzzerTestOneInput(input, length);
    }
    g_rand_free(random);
    keyring_free(shared_ring());
    return 0;
}
#endif
