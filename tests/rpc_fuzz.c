/* rpc_fuzz.c - hostile PDUs and SMB messages through the trackers, the walker and the rules, as the feed puts them together.
 *
 * An input is a sequence of {kind, length u16, octets}; the octets are mended a little (version, lengths) so that most get past
 * the first check.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "keys/crypto.h"
#include "keys/ntlmssp.h"
#include "rpc/association.h"
#include "rpc/handles.h"
#include "rpc/names.h"
#include "rpc/smb.h"
#include "rpc/smb_session.h"
#include "tests/ndr_encode.h"
#include "verifier/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    rpc_tracker  *calls;
    rpc_handles  *handles;
    verifier     *judge;
    smb_sessions *sessions;
    capture_facts facts;
    smb_life     *life;
    name_log     *names;
} rig;

static void on_event(const ndr_event *event, void *user)
{
    const ndr_stub *stub = user;
    if (event->kind == NDR_EV_VALUE && event->offset > stub->reported)
        abort();
}

static void on_message(rpc_call *call, bool response, void *user)
{
    rig *r = user;
    rpc_handles_message(r->handles, call, response);
    if (call->association->transport == RPC_NCACN_NP)
        smb_life_carried(r->life, call->association->connection, call->association->pipe_id,
                         call->interface ? call->interface->protocol : NULL);
    verifier_message(r->judge, call, response);
    ndr_stub stub, request;
    if (!call->method || call->method->reserved || !rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return;
    bool have = rpc_message_stub(call, &call->request, &request);
    if (response)
        ndr_walk_response(call->interface, call->method, &stub, have ? &request : NULL, on_event, &stub);
    else
        ndr_walk_request(call->interface, call->method, &stub, on_event, &stub);
}

static void on_finished(rpc_call *call, void *user)
{
    rpc_handles_finished(((rig *)user)->handles, call);
}

static void on_context(const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                       uint16_t version_major, int result, void *user)
{
    verifier_context(((rig *)user)->judge, association, origin, interface, version_major, result);
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
    (void)user;
    return connection % 2 ? SMB_TCP_FIN : SMB_TCP_OPEN;
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
        smb_life_sealed(r->life, setup->connection, setup->status, "a:445", "b", setup->session);
}

/* A message's session, and all keys that could seal what its pipes carry. */
static void give_session(rig *r, uint64_t connection, const uint8_t *octets, size_t length)
{
    smb_sessions_message(r->sessions, connection, octets, length, length % 8);
    size_t count;
    join_key *keys = smb_session_join_keys(smb_sessions_find(r->sessions, connection, smb_session_id(octets, length)), &count);
    if ((keys != NULL) != (count > 0))
        abort();
    crypto_free(keys);
}

static void give_pdu(rig *r, uint32_t frame, uint8_t kind, const uint8_t *octets, size_t length)
{
    uint8_t *p = g_memdup2(octets, length);
    if (length >= 16) {
        p[0] = 5;
        p[1] = 0;
        p[4] &= 0x10;
        if (kind & 2) { /* else the length is the fuzzer's own */
            p[p[4] ? 9 : 8] = (uint8_t)(length >> 8);
            p[p[4] ? 8 : 9] = (uint8_t)length;
        }
    }
    rpc_origin origin = {.frame = frame, .transport = kind & 4 ? RPC_NCACN_NP : RPC_NCACN_IP_TCP, .connection = kind >> 6,
                         .pipe = kind & 4 ? "protected_storage" : NULL, .pipe_id = {kind & 4}, .source = "192.0.2.1:1",
                         .destination = "192.0.2.2:445"};
    rpc_tracker_pdu(r->calls, &origin, p, length, kind & 8 ? length + 40 : length);
    g_free(p);
}

static void give_datagram(rig *r, uint32_t frame, uint8_t kind, const uint8_t *octets, size_t length)
{
    uint8_t *p = g_memdup2(octets, length);
    if (length >= 80) {
        static const uint8_t clear[] = {0xff, 0x0f, 0x7e, 0x02, 0x10, 0x03, 0x00};
        for (size_t i = 0; i < sizeof clear; i++)
            p[i] &= clear[i];
        p[0] = 4;
    }
    rpc_origin origin = {.frame = frame, .transport = RPC_NCADG_IP_UDP, .connection = kind >> 6, .source = "192.0.2.1:1",
                         .destination = "192.0.2.2:1025"};
    rpc_tracker_datagram(r->calls, &origin, p, length, kind & 8 ? length + 40 : length);
    g_free(p);
}

static void on_name(const char *name, const uint8_t *address, size_t length, void *user)
{
    rig *r = user;
    uint8_t copy[NAMES_ADDRESS] = {0};
    if (length != 4 && length != sizeof copy)
        abort();
    memcpy(copy, address, length);
    name_log_add(r->names, copy, copy, name, copy[0]);
    if (g_strcmp0(name_log_find(r->names, copy, copy, copy[0]), name) != 0 || !g_str_is_ascii(name))
        abort();
    r->facts.resolved = copy[0] % 2 ? "n1.x" : NULL;
}

static void run(const uint8_t *data, size_t size, bool forget)
{
    keyring *ring = keyring_new();
    static const char key[] = "A\\b:c\nsmb-session-key 1 000102030405060708090a0b0c0d0e0f\n";
    keyring_add_memory(ring, "keys", (const uint8_t *)key, sizeof key - 1);
    uint32_t frame = 0;
    rig r = {.facts = {.label = "fuzz", .complete = true}};
    rpc_sink sink = {&r, on_message, on_finished, on_context};
    rpc_options options = {.forget = forget};
    r.judge = verifier_new(NULL, NULL);
    r.facts.handles = r.handles = rpc_handles_new(forget);
    r.calls = rpc_tracker_new(ring, &sink, &options);
    smb_sink pipes = {&r, on_opened, on_closed, on_setup, on_exchange};
    r.life = smb_life_new(on_life, &r);
    r.facts.smb = r.life;
    r.names = name_log_new();
    r.facts.tcp_end = tcp_end;
    smb_tracker *smb = smb_tracker_new(&pipes);
    r.sessions = smb_sessions_new(ring);
    verifier_begin(r.judge, &r.facts);
    while (size >= 3) {
        uint8_t kind = data[0];
        size_t length = MIN((size_t)(data[1] | data[2] << 8), size - 3);
        frame++;
        uint8_t *exact = memcpy(g_malloc(length + 1), data + 3, length);
        exact = g_realloc(exact, MAX(length, 1)); /* not an octet more, so that a sanitizer sees each read too far */
        if (kind & 1) {
            smb_tracker_message(smb, kind >> 6, frame, "a", "b", exact, length);
            give_session(&r, kind >> 6, exact, length);
        } else if (kind & 16)
            names_read(exact, length, on_name, &r);
        else if (kind & 32)
            give_datagram(&r, frame, kind, exact, length);
        else
            give_pdu(&r, frame, kind, exact, length);
        g_free(exact);
        data += 3 + length;
        size -= 3 + length;
    }
    verifier_closed(r.judge, 0);
    rpc_tracker_end(r.calls);
    smb_life_tcp_end(r.life, 0, SMB_TCP_RST);
    smb_life_end(r.life);
    verifier_end(r.judge);
    rpc_tracker_free(r.calls);
    smb_tracker_free(smb);
    smb_sessions_free(r.sessions);
    smb_life_free(r.life);
    verifier_free(r.judge);
    rpc_handles_free(r.handles);
    g_hash_table_unref(r.names);
    keyring_free(ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, size % 2);
    return 0;
}

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

/* Answers of DNS, in front of other things. */
static size_t seed_names(GRand *random, uint8_t *out)
{
    static const uint8_t answer[] = {16, 58, 0, 0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 2, 'n', '1', 1, 'x', 0, 0, 1, 0, 1,
                                     0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 15,
                                     0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        memcpy(out + at, answer, sizeof answer);
        at += sizeof answer;
    }
    for (int changes = g_rand_int_range(random, 0, 5); changes > 0; changes--)
        out[g_rand_int_range(random, 0, (gint32)at)] = (uint8_t)g_rand_int_range(random, 0, 256);
    return at;
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

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    GRand *random = g_rand_new_with_seed(argc > 2 ? (guint32)strtoul(argv[2], NULL, 10) : 1);
    uint8_t input[4096];
    for (unsigned long i = 0; i < rounds; i++) {
        size_t before = i % 16 ? 0 : seed_names(random, input), length = sizeof input - before;
        uint8_t *rest = input + before;
        length = before + (i % 4 == 0 ? seed(random, rest) : i % 4 == 1 ? seed_datagrams(random, rest)
                           : i % 4 == 2 ? seed_smb(random, rest) : seed_calls(random, rest, length));
        LLVMFuzzerTestOneInput(input, length);
    }
    g_rand_free(random);
    return 0;
}
#endif
