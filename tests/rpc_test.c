/* rpc_test.c - PDUs, associations and pipes, from octets made by hand.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "rpc/association.h"
#include "rpc/smb.h"

/* ------------------------------------------------------------------------------------------------ making octets */

static void put(GByteArray *out, uint64_t value, size_t size, bool big)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
        g_byte_array_append(out, &octet, 1);
    }
}

static void put_guid(GByteArray *out, const ndr_guid *guid, bool big)
{
    put(out, guid->data1, 4, big);
    put(out, guid->data2, 2, big);
    put(out, guid->data3, 2, big);
    g_byte_array_append(out, guid->data4, 8);
}

static GByteArray *begin(uint8_t type, uint8_t flags, uint32_t call_id, bool big)
{
    GByteArray *p = g_byte_array_new();
    uint8_t head[8] = {5, 0, type, flags, big ? 0x00 : 0x10, 0, 0, 0};
    g_byte_array_append(p, head, sizeof head);
    put(p, 0, 2, big);
    put(p, 0, 2, big);
    put(p, call_id, 4, big);
    return p;
}

static GByteArray *end(GByteArray *p, bool big)
{
    p->data[big ? 8 : 9] = (uint8_t)(p->len >> 8);
    p->data[big ? 9 : 8] = (uint8_t)p->len;
    return p;
}

static GByteArray *bind_pdu(uint8_t type, uint16_t context, const ndr_guid *interface, const ndr_guid *transfer, bool big)
{
    GByteArray *p = begin(type, 3, 1, big);
    put(p, 4280, 2, big);
    put(p, 4280, 2, big);
    put(p, 0, 4, big);
    put(p, 1, 4, false); /* one context and padding */
    put(p, context, 2, big);
    put(p, 1, 2, false);
    put_guid(p, interface, big);
    put(p, 1, 4, big); /* version 1.0 */
    put_guid(p, transfer, big);
    put(p, 1, 4, big);
    return end(p, big);
}

static GByteArray *ack_pdu(uint8_t type, uint16_t result, const ndr_guid *transfer, bool big)
{
    GByteArray *p = begin(type, 3, 1, big);
    put(p, 4280, 2, big);
    put(p, 4280, 2, big);
    put(p, 7, 4, big);
    put(p, 4, 2, big);
    g_byte_array_append(p, (const guint8 *)"135", 4);
    put(p, 0, 2, big); /* to a multiple of 4 */
    put(p, 1, 4, false);
    put(p, result, 2, big);
    put(p, 0, 2, big);
    put_guid(p, transfer, big);
    put(p, 1, 4, big);
    return end(p, big);
}

static GByteArray *request_pdu(uint8_t flags, uint32_t call_id, uint16_t context, uint16_t opnum, const void *stub, size_t length,
                               bool big)
{
    GByteArray *p = begin(PDU_REQUEST, flags, call_id, big);
    put(p, length, 4, big);
    put(p, context, 2, big);
    put(p, opnum, 2, big);
    g_byte_array_append(p, stub, (guint)length);
    return end(p, big);
}

static GByteArray *response_pdu(uint8_t type, uint8_t flags, uint32_t call_id, uint16_t context, const void *stub, size_t length,
                                bool big)
{
    GByteArray *p = begin(type, flags, call_id, big);
    put(p, length, 4, big);
    put(p, context, 2, big);
    put(p, 0, 2, big);
    g_byte_array_append(p, stub, (guint)length);
    return end(p, big);
}

/* ------------------------------------------------------------------------------------------------------ a capture */

typedef struct {
    rpc_tracker *tracker;
    keyring     *ring;
    uint32_t     frame;
    uint64_t     connection;
    uint64_t     group;    /* association group of the last message */
    bool         group_whole;
    GPtrArray   *log;      /* one line an event */
} rig;

static void note(rig *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(rig *r, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_ptr_array_add(r->log, g_strdup_vprintf(format, ap));
    va_end(ap);
}

static void on_message(rpc_call *call, bool response, void *user)
{
    ((rig *)user)->group = call->association->group;
    ((rig *)user)->group_whole = call->association->group_whole;
    const rpc_message *m = response ? &call->response : &call->request;
    note(user, "%s %u %s opnum %u stub %d of %d frames %u%s", response ? "answer" : "request", call->call_id,
         call->interface ? call->interface->protocol : call->bound ? "other" : call->rejected ? "rejected" : "unbound",
         call->opnum,
         m->stub ? (int)m->stub->len : -1, (int)m->reported, m->all_frames ? m->all_frames->len : 1, m->complete ? "" : " incomplete");
}

static void on_finished(rpc_call *call, void *user)
{
    static const char *const kinds[] = {"none", "request", "response", "fault"};
    note(user, "finished %u %s %s%s", call->call_id, kinds[call->request.kind], kinds[call->response.kind],
         call->response.not_executed ? ", not executed" : "");
}

static void rig_start(rig *r, bool forget)
{
    *r = (rig){.connection = 1, .ring = keyring_new(), .log = g_ptr_array_new_with_free_func(g_free)};
    rpc_sink sink = {r, on_message, on_finished, NULL};
    rpc_options options = {.forget = forget, .keep_stubs = true};
    r->tracker = rpc_tracker_new(r->ring, &sink, &options);
}

static void rig_stop(rig *r)
{
    rpc_tracker_free(r->tracker);
    keyring_free(r->ring);
    g_ptr_array_unref(r->log);
}

static void feed_cut(rig *r, GByteArray *p, size_t captured)
{
    rpc_origin origin = {.frame = ++r->frame, .transport = RPC_NCACN_IP_TCP, .connection = r->connection, .source = "192.0.2.7:49152",
                         .destination = "192.0.2.1:135"};
    rpc_tracker_pdu(r->tracker, &origin, p->data, captured, p->len);
    g_byte_array_unref(p);
}

static void feed(rig *r, GByteArray *p)
{
    feed_cut(r, p, p->len);
}

static void expect(rig *r, ...)
{
    va_list ap;
    va_start(ap, r);
    const char *line;
    guint i = 0;
    for (; (line = va_arg(ap, const char *)); i++) {
        g_assert_cmpuint(i, <, r->log->len);
        g_assert_cmpstr(r->log->pdata[i], ==, line);
    }
    g_assert_cmpuint(i, ==, r->log->len);
    va_end(ap);
}

static const ndr_guid other = {0x12345778, 0x1234, 0xabcd, {0xef, 0, 1, 0x23, 0x45, 0x67, 0x89, 0xac}};

/* [C706] 12.5.1: the header of every datagram. */
enum { CL_FRAG = 4, CL_LAST = 2, CL_ONE = 0 };
static GByteArray *datagram(bool response, uint8_t flags, uint32_t sequence, uint16_t fragment, const char *stub, bool big)
{
    GByteArray *p = g_byte_array_new();
    const uint8_t head[8] = {4, response ? 2 : 0, flags, 0, big ? 0x00 : 0x10, 0, 0, 0};
    static const ndr_guid none, activity = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
    size_t length = strlen(stub);
    g_byte_array_append(p, head, sizeof head);
    put_guid(p, &none, big);
    put_guid(p, &bkrp_interface.uuid, big);
    put_guid(p, &activity, big);
    put(p, 0, 4, big); /* the server's boot time */
    put(p, 1, 4, big); /* interface version */
    put(p, sequence, 4, big);
    put(p, 0, 2, big); /* opnum */
    put(p, 0xffff, 2, big);
    put(p, 0xffff, 2, big);
    put(p, length, 2, big);
    put(p, fragment, 2, big);
    put(p, 0, 2, big);
    g_byte_array_append(p, (const guint8 *)stub, (guint)length);
    return p;
}

static void feed_datagram(rig *r, GByteArray *p)
{
    rpc_origin origin = {.frame = ++r->frame, .transport = RPC_NCADG_IP_UDP, .connection = 1, .source = "192.0.2.7:49152",
                         .destination = "192.0.2.1:135"};
    rpc_tracker_datagram(r->tracker, &origin, p->data, p->len, p->len);
    g_byte_array_unref(p);
}

/* ---------------------------------------------------------------------------------------------------------- tests */

static void test_datagrams(gconstpointer big_endian)
{
    bool big = GPOINTER_TO_INT(big_endian);
    rig r;
    rig_start(&r, true);
    feed_datagram(&r, datagram(false, CL_ONE, 7, 0, "one", big));
    feed_datagram(&r, datagram(true, CL_ONE, 7, 0, "answer", big));
    /* Ahead of their turn, once more while they wait, and once more when they are through. */
    feed_datagram(&r, datagram(false, CL_FRAG | CL_LAST, 8, 2, "ef", big));
    feed_datagram(&r, datagram(false, CL_FRAG, 8, 1, "cd", big));
    feed_datagram(&r, datagram(false, CL_FRAG, 8, 1, "cd", big));
    feed_datagram(&r, datagram(false, CL_FRAG, 8, 0, "ab", big));
    feed_datagram(&r, datagram(false, CL_FRAG, 8, 0, "ab", big));
    feed_datagram(&r, datagram(false, CL_FRAG | CL_LAST, 8, 2, "ef", big));
    feed_datagram(&r, datagram(true, CL_ONE, 8, 0, "", big));
    /* Of calls that are over: no new ones. */
    feed_datagram(&r, datagram(false, CL_ONE, 7, 0, "one", big));
    feed_datagram(&r, datagram(true, CL_ONE, 8, 0, "", big));
    rpc_tracker_end(r.tracker);
    expect(&r, "request 7 bkrp opnum 0 stub 3 of 3 frames 1", "answer 7 bkrp opnum 0 stub 6 of 6 frames 1",
           "finished 7 request response", "request 8 bkrp opnum 0 stub 6 of 6 frames 3",
           "answer 8 bkrp opnum 0 stub 0 of 0 frames 1", "finished 8 request response", NULL);
    rig_stop(&r);
}

/* A fragment that never comes leaves its message incomplete, and the next call whole. */
static void test_lost_datagram(void)
{
    rig r;
    rig_start(&r, true);
    feed_datagram(&r, datagram(false, CL_FRAG, 1, 0, "ab", false));
    feed_datagram(&r, datagram(false, CL_FRAG | CL_LAST, 1, 2, "ef", false));
    feed_datagram(&r, datagram(false, CL_ONE, 2, 0, "next", false));
    feed_datagram(&r, datagram(true, CL_ONE, 2, 0, "", false));
    rpc_tracker_end(r.tracker);
    expect(&r, "request 2 bkrp opnum 0 stub 4 of 4 frames 1", "answer 2 bkrp opnum 0 stub 0 of 0 frames 1",
           "finished 2 request response", "finished 1 request none", NULL);
    rig_stop(&r);
}

static void test_call(gconstpointer big_endian)
{
    bool big = GPOINTER_TO_INT(big_endian);
    rig r;
    rig_start(&r, false);
    feed(&r, bind_pdu(PDU_BIND, 3, &bkrp_interface.uuid, &pdu_ndr, big));
    feed(&r, ack_pdu(PDU_BIND_ACK, 0, &pdu_ndr, big));
    feed(&r, request_pdu(3, 5, 3, 0, "12345678", 8, big));
    feed(&r, response_pdu(PDU_RESPONSE, 3, 5, 3, "1234", 4, big));
    expect(&r, "request 5 bkrp opnum 0 stub 8 of 8 frames 1", "answer 5 bkrp opnum 0 stub 4 of 4 frames 1",
           "finished 5 request response", NULL);
    rig_stop(&r);
}

/* Binds on a connection of its own, asking for this group, and is given group 7. */
static uint64_t group_of(rig *r, uint32_t asked, bool big)
{
    GByteArray *bind = bind_pdu(PDU_BIND, 3, &bkrp_interface.uuid, &pdu_ndr, big);
    bind->data[big ? 23 : 20] = (uint8_t)asked;
    r->connection++;
    feed(r, bind);
    feed(r, ack_pdu(PDU_BIND_ACK, 0, &pdu_ndr, big));
    feed(r, request_pdu(3, 5, 3, 0, "12345678", 8, big));
    return r->group;
}

static void test_groups(gconstpointer big_endian)
{
    bool big = GPOINTER_TO_INT(big_endian);
    rig r;
    rig_start(&r, true);
    g_assert_cmpuint(group_of(&r, 0, big), ==, 1);
    g_assert_cmpuint(group_of(&r, 7, big), ==, 1);
    g_assert_true(r.group_whole);
    g_assert_cmpuint(group_of(&r, 0, big), ==, 3); /* a server that gives all the same */
    g_assert_cmpuint(group_of(&r, 7, big), ==, 3);
    g_assert_cmpuint(group_of(&r, 8, big), ==, 5); /* asked for another than was given */
    g_assert_true(r.group_whole);
    rig_stop(&r);
    rig_start(&r, true);
    g_assert_cmpuint(group_of(&r, 7, big), ==, 1); /* begun before the capture */
    g_assert_false(r.group_whole);
    g_assert_cmpuint(group_of(&r, 7, big), ==, 1);
    g_assert_false(r.group_whole);
    rig_stop(&r);
}

static void test_fragments(void)
{
    rig r;
    rig_start(&r, true);
    feed(&r, bind_pdu(PDU_BIND, 0, &bkrp_interface.uuid, &pdu_ndr, false));
    /* Fragments of two calls, interleaved; the second call is a big one's middle only. */
    feed(&r, request_pdu(PFC_FIRST_FRAG, 1, 0, 0, "abcd", 4, false));
    feed(&r, request_pdu(PFC_LAST_FRAG, 2, 0, 0, "zz", 2, false));
    feed(&r, request_pdu(0, 1, 0, 0, "efgh", 4, false));
    feed(&r, request_pdu(PFC_LAST_FRAG, 1, 0, 0, "ij", 2, false));
    rpc_tracker_end(r.tracker);
    g_assert_cmpstr(r.log->pdata[0], ==, "request 2 bkrp opnum 0 stub -1 of 2 frames 1 incomplete");
    g_assert_cmpstr(r.log->pdata[1], ==, "request 1 bkrp opnum 0 stub 10 of 10 frames 3");
    g_assert_cmpuint(r.log->len, ==, 4);
    rig_stop(&r);
}

static void test_no_bind(void)
{
    rig r;
    rig_start(&r, true);
    feed(&r, request_pdu(3, 9, 1, 7, "x", 1, false));
    rpc_tracker_end(r.tracker);
    expect(&r, "request 9 unbound opnum 7 stub 1 of 1 frames 1", "finished 9 request none", NULL);
    rig_stop(&r);
}

static void test_rejected_context(void)
{
    rig r;
    rig_start(&r, true);
    feed(&r, bind_pdu(PDU_BIND, 0, &bkrp_interface.uuid, &pdu_ndr, false));
    feed(&r, ack_pdu(PDU_BIND_ACK, 2, &pdu_ndr, false));
    feed(&r, request_pdu(3, 1, 0, 0, "x", 1, false));
    expect(&r, "request 1 rejected opnum 0 stub 1 of 1 frames 1", NULL);
    rig_stop(&r);
}

/* What was rejected may be asked for again. */
static void test_rejected_then_accepted(void)
{
    rig r;
    rig_start(&r, true);
    feed(&r, bind_pdu(PDU_BIND, 0, &bkrp_interface.uuid, &pdu_ndr, false));
    feed(&r, ack_pdu(PDU_BIND_ACK, 2, &pdu_ndr, false));
    feed(&r, bind_pdu(PDU_ALTER_CONTEXT, 0, &other, &pdu_ndr, false));
    feed(&r, ack_pdu(PDU_ALTER_CONTEXT_RESP, 0, &pdu_ndr, false));
    feed(&r, request_pdu(3, 1, 0, 0, "x", 1, false));
    expect(&r, "request 1 other opnum 0 stub 1 of 1 frames 1", NULL);
    rig_stop(&r);

    /* Where the answers are missing, what was asked for last is what the client goes on with. */
    rig_start(&r, true);
    feed(&r, bind_pdu(PDU_BIND, 0, &other, &pdu_ndr, false));
    feed(&r, bind_pdu(PDU_ALTER_CONTEXT, 0, &bkrp_interface.uuid, &pdu_ndr, false));
    feed(&r, request_pdu(3, 1, 0, 0, "x", 1, false));
    feed(&r, ack_pdu(PDU_ALTER_CONTEXT_RESP, 0, &pdu_ndr, false));
    feed(&r, bind_pdu(PDU_ALTER_CONTEXT, 0, &other, &pdu_ndr, false)); /* what was accepted stays */
    feed(&r, request_pdu(3, 2, 0, 0, "x", 1, false));
    expect(&r, "request 1 bkrp opnum 0 stub 1 of 1 frames 1", "request 2 bkrp opnum 0 stub 1 of 1 frames 1", NULL);
    rig_stop(&r);
}

static void test_alter_context(void)
{
    rig r;
    rig_start(&r, true);
    feed(&r, bind_pdu(PDU_BIND, 0, &other, &pdu_ndr, false));
    feed(&r, ack_pdu(PDU_BIND_ACK, 0, &pdu_ndr, false));
    feed(&r, bind_pdu(PDU_ALTER_CONTEXT, 1, &bkrp_interface.uuid, &pdu_ndr, false));
    feed(&r, ack_pdu(PDU_ALTER_CONTEXT_RESP, 0, &pdu_ndr, false));
    feed(&r, request_pdu(3, 1, 0, 5, "x", 1, false));
    feed(&r, request_pdu(3, 2, 1, 0, "x", 1, false));
    expect(&r, "request 1 other opnum 5 stub 1 of 1 frames 1", "request 2 bkrp opnum 0 stub 1 of 1 frames 1", NULL);
    rig_stop(&r);
}

static void test_fault_and_reuse(void)
{
    static const uint8_t status[8] = {0x05, 0, 0, 0};
    rig r;
    rig_start(&r, true);
    feed(&r, request_pdu(3, 1, 0, 0, "x", 1, false));
    feed(&r, response_pdu(PDU_FAULT, 3, 1, 0, status, sizeof status, false));
    feed(&r, request_pdu(3, 2, 0, 0, "x", 1, false));
    feed(&r, request_pdu(3, 2, 0, 0, "y", 1, false)); /* the same id again: the first was never answered */
    feed(&r, response_pdu(PDU_FAULT, 3 | PFC_DID_NOT_EXECUTE, 2, 0, status, sizeof status, false));
    rpc_tracker_end(r.tracker);
    expect(&r, "request 1 unbound opnum 0 stub 1 of 1 frames 1", "answer 1 unbound opnum 0 stub 0 of 0 frames 1",
           "finished 1 request fault", "request 2 unbound opnum 0 stub 1 of 1 frames 1", "finished 2 request none",
           "request 2 unbound opnum 0 stub 1 of 1 frames 1", "answer 2 unbound opnum 0 stub 0 of 0 frames 1",
           "finished 2 request fault, not executed", NULL);
    rig_stop(&r);
}

static void test_object_uuid(void)
{
    rig r;
    rig_start(&r, true);
    GByteArray *p = begin(PDU_REQUEST, 3 | PFC_OBJECT_UUID, 1, false);
    put(p, 0, 4, false);
    put(p, 0, 4, false);
    put_guid(p, &other, false);
    g_byte_array_append(p, (const guint8 *)"stub", 4);
    feed(&r, end(p, false));
    expect(&r, "request 1 unbound opnum 0 stub 4 of 4 frames 1", NULL);
    rig_stop(&r);
}

static void test_cut(void)
{
    rig r;
    rig_start(&r, true);
    GByteArray *p = request_pdu(3, 1, 0, 0, "0123456789", 10, false);
    feed_cut(&r, p, p->len - 6);
    expect(&r, "request 1 unbound opnum 0 stub 4 of 10 frames 1", NULL);
    rig_stop(&r);
}

/* Every shorter length of every PDU is taken without reading past it (the sanitizers watch). */
static void test_truncations(void)
{
    for (int kind = 0; kind < 5; kind++) {
        GByteArray *p = kind == 0   ? bind_pdu(PDU_BIND, 0, &other, &pdu_ndr, false)
                        : kind == 1 ? ack_pdu(PDU_BIND_ACK, 0, &pdu_ndr, false)
                        : kind == 2 ? request_pdu(3, 1, 0, 0, "0123", 4, false)
                        : kind == 3 ? response_pdu(PDU_RESPONSE, 3, 1, 0, "0123", 4, false)
                                    : response_pdu(PDU_FAULT, 3, 1, 0, "01234567", 8, false);
        for (guint length = 0; length < p->len; length++) {
            rig r;
            rig_start(&r, true);
            uint8_t *exact = g_memdup2(p->data, MAX(length, 1));
            rpc_origin origin = {.frame = 1, .connection = 1, .source = "a", .destination = "b"};
            rpc_tracker_pdu(r.tracker, &origin, exact, length, p->len);
            rpc_tracker_pdu(r.tracker, &origin, exact, length, length);
            g_free(exact);
            rig_stop(&r);
        }
        g_byte_array_unref(p);
    }
}

static void test_bad_lengths(void)
{
    pdu_parts parts;
    const char *why;
    GByteArray *p = request_pdu(3, 1, 0, 0, "0123", 4, false);
    p->data[10] = 200; /* auth_length larger than the PDU */
    g_assert_cmpint(pdu_read(p->data, p->len, p->len, &parts, &why), ==, PDU_BAD);
    g_assert_nonnull(why);
    p->data[10] = 0;
    p->data[8] = 20; /* shorter than a request's header */
    g_assert_cmpint(pdu_read(p->data, p->len, p->len, &parts, &why), ==, PDU_BAD);
    p->data[0] = 4;
    g_assert_cmpint(pdu_read(p->data, p->len, p->len, &parts, &why), ==, PDU_NOT_RPC);
    g_byte_array_unref(p);
}

static void test_verification_trailer(void)
{
    static const uint8_t stub[] = {
        1, 2, 3, 4,
        0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71,
        0x01, 0x40, 4, 0, 1, 0, 0, 0, /* BITMASK_1, the last */
    };
    g_assert_cmpuint(pdu_verification_trailer(stub, sizeof stub), ==, 4);
    /* The signature alone, in data, is no trailer; nor is one whose commands end early. */
    g_assert_cmpuint(pdu_verification_trailer(stub, 12), ==, 12);
    uint8_t longer[sizeof stub + 4] = {0};
    memcpy(longer, stub, sizeof stub);
    g_assert_cmpuint(pdu_verification_trailer(longer, sizeof longer), ==, sizeof longer);
    for (size_t i = 0; i < 12; i++)
        g_assert_cmpuint(pdu_verification_trailer(stub, i), ==, i);
}

/* ----------------------------------------------------------------------------------------------------------- SMB */

static void on_opened(const smb_open *attempt, void *user)
{
    g_string_append_printf(user, "%s %08x %s>%s %u-%u;", attempt->name, attempt->status, attempt->client, attempt->server,
                           attempt->request_frame, attempt->frame);
}

static void on_closed(uint64_t connection, const uint64_t pipe_id[2], void *user)
{
    g_string_append_printf(user, "closed %d %d;", (int)connection, (int)pipe_id[0]);
}

static GByteArray *smb2(uint16_t command, bool response, uint32_t status, uint64_t message)
{
    GByteArray *p = g_byte_array_new();
    g_byte_array_append(p, (const guint8 *)"\xfeSMB\x40\0\0\0", 8);
    put(p, status, 4, false);
    put(p, command, 2, false);
    put(p, 1, 2, false);
    put(p, response, 4, false);
    put(p, 0, 4, false);
    put(p, message, 8, false);
    for (int i = 0; i < 32; i++)
        put(p, 0, 1, false);
    return p;
}

static smb_pipe give(smb_tracker *t, uint32_t frame, bool from_server, GByteArray *p)
{
    smb_pipe pipe = smb_tracker_message(t, 1, frame, from_server ? "S" : "C", from_server ? "C" : "S", p->data, p->len);
    for (guint length = 0; length < p->len; length++) { /* another tracker sees every shorter length */
        GString *nothing = g_string_new(NULL);
        smb_sink sink = {nothing, on_opened, on_closed, NULL, NULL};
        smb_tracker *other_tracker = smb_tracker_new(&sink);
        uint8_t *exact = g_memdup2(p->data, MAX(length, 1));
        smb_tracker_message(other_tracker, 1, frame, "C", "S", exact, length);
        g_free(exact);
        smb_tracker_free(other_tracker);
        g_string_free(nothing, TRUE);
    }
    g_byte_array_unref(p);
    return pipe;
}

static void pad_to(GByteArray *p, guint length)
{
    while (p->len < length)
        put(p, 0, 1, false);
}

static void test_smb2(void)
{
    GString *log = g_string_new(NULL);
    smb_sink sink = {log, on_opened, on_closed, NULL, NULL};
    smb_tracker *t = smb_tracker_new(&sink);

    GByteArray *create = smb2(5, false, 0, 10);
    pad_to(create, 64 + 44);
    put(create, 64 + 56, 2, false);
    put(create, 2 * 14, 2, false);
    pad_to(create, 64 + 56);
    for (const char *c = "Pipe\\Wkssvc_01"; *c; c++)
        put(create, (uint8_t)*c, 2, false);
    give(t, 1, false, create);
    give(t, 2, true, smb2(5, true, 0x103, 10)); /* interim */
    GByteArray *answer = smb2(5, true, 0, 10);
    pad_to(answer, 64 + 64);
    put(answer, 77, 8, false);
    put(answer, 78, 8, false);
    pad_to(answer, 64 + 88);
    smb_pipe pipe = give(t, 3, true, answer);
    g_assert_true(pipe.known);
    g_assert_cmpstr(pipe.name, ==, "wkssvc_01");

    GByteArray *read = smb2(8, false, 0, 11);
    pad_to(read, 64 + 16);
    put(read, 77, 8, false);
    put(read, 78, 8, false);
    pad_to(read, 64 + 48);
    g_assert_cmpuint(give(t, 4, false, read).pipe_id[0], ==, 77);
    GByteArray *data = smb2(8, true, 0, 11); /* names no file: known from the request */
    pad_to(data, 64 + 16);
    pipe = give(t, 5, true, data);
    g_assert_cmpuint(pipe.pipe_id[1], ==, 78);
    g_assert_cmpstr(pipe.name, ==, "wkssvc_01");

    GByteArray *close = smb2(6, false, 0, 12);
    pad_to(close, 64 + 8);
    put(close, 77, 8, false);
    put(close, 78, 8, false);
    give(t, 6, false, close);
    GByteArray *closed = smb2(6, true, 0, 12);
    pad_to(closed, 64 + 60);
    give(t, 7, true, closed);

    GByteArray *again = smb2(5, false, 0, 13);
    pad_to(again, 64 + 44);
    put(again, 64 + 56, 2, false);
    put(again, 2 * 6, 2, false);
    pad_to(again, 64 + 56);
    for (const char *c = "ntsvcs"; *c; c++)
        put(again, (uint8_t)*c, 2, false);
    give(t, 8, false, again);
    GByteArray *refused = smb2(5, true, 0xc0000034, 13);
    pad_to(refused, 64 + 9);
    give(t, 9, true, refused);
    g_assert_cmpstr(log->str, ==, "wkssvc_01 00000000 C>S 1-3;closed 1 77;ntsvcs c0000034 C>S 8-9;");

    g_assert_false(smb_tracker_may_encrypt(t));
    GByteArray *negotiated = smb2(0, true, 0, 0);
    pad_to(negotiated, 64 + 4);
    put(negotiated, 0x0311, 2, false);
    pad_to(negotiated, 64 + 64);
    give(t, 10, true, negotiated);
    g_assert_true(smb_tracker_may_encrypt(t));
    smb_tracker_free(t);
    g_string_free(log, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/association/call/little-endian", GINT_TO_POINTER(0), test_call);
    g_test_add_data_func("/association/call/big-endian", GINT_TO_POINTER(1), test_call);
    g_test_add_data_func("/association/groups/little-endian", GINT_TO_POINTER(0), test_groups);
    g_test_add_data_func("/association/groups/big-endian", GINT_TO_POINTER(1), test_groups);
    g_test_add_func("/association/fragments", test_fragments);
    g_test_add_func("/association/no-bind", test_no_bind);
    g_test_add_func("/association/rejected-context", test_rejected_context);
    g_test_add_func("/association/rejected-then-accepted", test_rejected_then_accepted);
    g_test_add_func("/association/alter-context", test_alter_context);
    g_test_add_func("/association/fault-and-reuse", test_fault_and_reuse);
    g_test_add_func("/association/object-uuid", test_object_uuid);
    g_test_add_func("/association/cut", test_cut);
    g_test_add_func("/association/truncations", test_truncations);
    g_test_add_data_func("/datagram/calls/little-endian", GINT_TO_POINTER(0), test_datagrams);
    g_test_add_data_func("/datagram/calls/big-endian", GINT_TO_POINTER(1), test_datagrams);
    g_test_add_func("/datagram/lost", test_lost_datagram);
    g_test_add_func("/pdu/bad-lengths", test_bad_lengths);
    g_test_add_func("/pdu/verification-trailer", test_verification_trailer);
    g_test_add_func("/smb/smb2", test_smb2);
    return g_test_run();
}
