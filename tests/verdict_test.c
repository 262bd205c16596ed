/* verdict_test.c - every rule with traffic that keeps it, breaks it, leaves it open and does not concern it.
 *
 * Calls, binds and pipes are made by hand. Security contexts are fakes: a test says what the handshake
 * showed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/fake_context.h"
#include "tests/rule_by_id.h"

/* ------------------------------------------------------------------------------------------------------ the traffic */

enum { MUTUAL = 0x20000000, NOT_FOUND = (int)0xC0000034 };

/* Most tests are one capture, judged by one verifier. */
static struct {
    verifier     *v;
    capture_facts facts;
    unsigned      told;      /* calls of `found` */
    uint32_t      last_frame;
} t;

static sec_context     context;
static rpc_auth        auth;
static rpc_association association;

static void on_found(const finding *f, uint32_t frame, void *user)
{
    g_assert_true(user == &t);
    g_assert_nonnull(f->message);
    t.told++;
    t.last_frame = frame;
}

static rpc_association association_of(uint64_t number, const char *pipe, const char *client, const char *server)
{
    return (rpc_association){.transport = pipe ? RPC_NCACN_NP : RPC_NCACN_IP_TCP, .connection = number,
                             .pipe = (char *)pipe, .client = (char *)client, .server = (char *)server,
                             .number = number};
}

/* A sealed call over SPNEGO and Kerberos, with keys and mutual authentication: as it should be. */
static void set_good(void)
{
    context = (sec_context){{.mechanism = SEC_MECH_KERBEROS, .mechanism_text = "Kerberos", .spnego = true,
                             .kerberos_offered = true, .ap_req = true, .ap_options = MUTUAL, .ap_rep = true,
                             .gss_flags_known = true, .gss_flags = 0x103e, .have_key = true}};
    auth = (rpc_auth){.id = 1, .auth_type = SEC_AUTH_SPNEGO, .level = SEC_LEVEL_PRIVACY, .bound = true,
                      .security = &context};
    association = association_of(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445");
}

static void set_ntlm(uint32_t flags)
{
    context = (sec_context){{.mechanism = SEC_MECH_NTLM, .mechanism_text = "NTLMv2", .spnego = true,
                             .ntlm_authenticate = true, .ntlm_flags = flags, .have_key = true}};
}

static void begin_capture(void)
{
    t.facts = (capture_facts){.label = "a.pcap", .complete = true};
    verifier_begin(t.v, &t.facts);
}

static void set_up(void)
{
    memset(&t, 0, sizeof t);
    set_good();
    t.v = verifier_new(on_found, &t);
    begin_capture();
}

static void next_case(void)
{
    verifier_free(t.v);
    set_up();
}

/* pguidActionAgent, pDataIn (4 octets with their count), cbDataIn, dwParam; all little-endian. */
static GByteArray *backuprkey_stub(uint8_t dwparam, size_t length)
{
    uint8_t stub[32] = {0x10, 0x2b, 0x75, 0x7f, [16] = 4, [20] = 'd', 'a', 't', 'a', [24] = 4, [28] = dwparam};
    return g_byte_array_append(g_byte_array_new(), stub, (guint)length);
}

static rpc_message message_in(rpc_kind kind, uint32_t frame)
{
    return (rpc_message){.kind = kind, .first_frame = frame, .last_frame = frame, .fragments = 1, .complete = true, .sealed = true, .auth = &auth,
                         .level = auth.level, .state = SEC_VERIFIED};
}

static rpc_call call_in(uint32_t frame)
{
    rpc_call call = {.association = &association, .number = frame, .interface = &bkrp_interface,
                     .method = interfaces_method(&bkrp_interface, 0), .bound = true, .uuid = bkrp_interface.uuid,
                     .version_major = 1, .request = message_in(RPC_REQUEST, frame)};
    call.request.stub = backuprkey_stub(0, 32);
    call.request.reported = 32;
    return call;
}

static void free_message(rpc_message *m)
{
    if (m->stub)
        g_byte_array_unref(m->stub);
}

static void send_call(rpc_call *call)
{
    verifier_message(t.v, call, false);
    free_message(&call->request);
}

static void send_good(uint32_t frame)
{
    rpc_call call = call_in(frame);
    send_call(&call);
}

/* A request as the tracker leaves it when there is no sec_trailer. */
static void send_unprotected(uint32_t frame)
{
    rpc_call call = call_in(frame);
    call.request.auth = NULL;
    call.request.level = SEC_LEVEL_NONE;
    call.request.sealed = false;
    call.request.state = SEC_PLAIN;
    send_call(&call);
}

/* A request whose trailer the snap length took. */
static void send_cut(uint32_t frame)
{
    rpc_call call = call_in(frame);
    call.request.auth = NULL;
    call.request.level = SEC_LEVEL_NONE;
    call.request.state = SEC_SEALED;
    call.request.reason = SEC_CUT;
    call.request.text = "the snap length cut off the security trailer";
    g_byte_array_unref(g_steal_pointer(&call.request.stub));
    send_call(&call);
}

static void send_lone_response(uint32_t frame)
{
    rpc_call call = call_in(frame);
    free_message(&call.request);
    call.request = (rpc_message){0};
    call.method = NULL;
    call.response = message_in(RPC_RESPONSE, frame);
    verifier_message(t.v, &call, true);
    free_message(&call.response);
}

static void open_pipe(uint64_t connection, const char *name, const char *client, const char *server, uint32_t frame,
                      uint32_t status)
{
    smb_open attempt = {.connection = connection, .name = name, .client = client, .server = server,
                        .request_frame = frame - 1, .frame = frame, .status = status};
    verifier_opened(t.v, &attempt);
}

static void bind_context(const rpc_association *a, uint32_t frame, int result)
{
    rpc_origin origin = {.frame = frame, .transport = a->transport, .connection = a->connection, .pipe = a->pipe};
    verifier_context(t.v, a, &origin, &bkrp_interface.uuid, 1, result);
}

/* ------------------------------------------------------------------------------------------------------ the answers */

static void check_summary(const char *id, rule_verdict verdict, const char *reason, unsigned count)
{
    rule_summary s = verifier_summary(t.v, rule_by_id(id));
    g_assert_cmpstr(rule_verdict_name(s.verdict), ==, rule_verdict_name(verdict));
    g_assert_cmpstr(s.reason, ==, reason);
    g_assert_cmpuint(s.count, ==, count);
}

static const finding *only_finding(const char *id)
{
    const finding *only = NULL;
    for (size_t i = 0; i < verifier_finding_count(t.v); i++) {
        const finding *f = verifier_finding(t.v, i);
        if (strcmp(f->rule->id, id) == 0) {
            g_assert_null(only);
            only = f;
        }
    }
    return only;
}

/* The capture ends; the rule has this verdict, so often, and (where it is one) this finding, from this frame on. */
static void expect_found(const char *id, rule_verdict verdict, const char *reason, unsigned count, uint32_t frame,
                         const char *message)
{
    verifier_end(t.v);
    check_summary(id, verdict, reason, count);
    const finding *f = only_finding(id);
    g_assert_nonnull(f);
    g_assert_cmpstr(f->message, ==, message);
    g_assert_cmpint(f->verdict, ==, verdict);
    g_assert_cmpstr(f->reason, ==, reason);
    g_assert_cmpstr(f->capture, ==, "a.pcap");
    g_assert_cmpuint(f->frames->len, ==, frame > 0 ? count : 0);
    if (frame > 0)
        g_assert_cmpuint(g_array_index(f->frames, uint32_t, 0), ==, frame);
    next_case();
}

static void expect_quiet(const char *id, rule_verdict verdict, const char *reason, unsigned count)
{
    verifier_end(t.v);
    check_summary(id, verdict, reason, count);
    g_assert_null(only_finding(id));
    next_case();
}

#define SENT "192.0.2.7:49152 sent BackuprKey to 192.0.2.1:445 "

/* What all rules of calls have in common. */
static void expect_common(const char *id)
{
    send_lone_response(20);
    expect_found(id, VERDICT_INCONCLUSIVE, "IC-ONE-WAY", 1, 20,
                 "192.0.2.1:445 answered a BackupKey call of 192.0.2.7:49152 whose request is not in the capture");
    expect_quiet(id, VERDICT_NOT_APPLICABLE, "no BackupKey call in the capture", 1);
    rpc_call other = call_in(5);
    other.method = NULL;
    send_call(&other);
    expect_quiet(id, VERDICT_NOT_APPLICABLE, "its condition did not arise", 1);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

static void test_pipe_order(void)
{
    set_up();
    open_pipe(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445", 5, 0);
    bind_context(&association, 6, -1);
    bind_context(&association, 6, -1); /* NDR and NDR64 */
    bind_context(&association, 7, 0);
    expect_quiet("BKRP-5", VERDICT_PASS, NULL, 1);

    /* The failure may have been on another connection. */
    open_pipe(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445", 5, (uint32_t)NOT_FOUND);
    association = association_of(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.1:445");
    bind_context(&association, 9, -1);
    expect_quiet("BKRP-5", VERDICT_PASS, NULL, 1);

    association = association_of(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445");
    verifier_started(t.v, 1);
    open_pipe(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445", 5, 0);
    bind_context(&association, 6, -1);
    expect_found("BKRP-5", VERDICT_WARNING, NULL, 1, 6,
                 "192.0.2.7:49152 bound BackupKey on pipe ntsvcs of 192.0.2.1:445, and no attempt to open "
                 "protected_storage there was seen before");

    /* Another client's attempt, or one at another server, is none of this client's; 192.0.2.70 is not 192.0.2.7. */
    association = association_of(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445");
    verifier_started(t.v, 1);
    open_pipe(2, "protected_storage", "192.0.2.70:49152", "192.0.2.1:445", 2, 0);
    open_pipe(3, "protected_storage", "192.0.2.7:49152", "192.0.2.2:445", 3, 0);
    bind_context(&association, 6, -1);
    verifier_end(t.v);
    check_summary("BKRP-5", VERDICT_WARNING, NULL, 1);
    next_case();

    association = association_of(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445");
    bind_context(&association, 6, -1);
    expect_found("BKRP-5", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 6,
                 "192.0.2.7:49152 bound BackupKey on pipe ntsvcs of 192.0.2.1:445, and no attempt to open "
                 "protected_storage there was seen before; the beginning of the connection is not in the capture");

    association = association_of(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445");
    verifier_started(t.v, 1);
    t.facts.encrypted_smb = 2;
    bind_context(&association, 6, -1);
    expect_found("BKRP-5", VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", 1, 6,
                 "192.0.2.7:49152 bound BackupKey on pipe ntsvcs of 192.0.2.1:445, and no attempt to open "
                 "protected_storage there was seen before; encrypted SMB messages may hold such an attempt");

    association.pipe = NULL;
    bind_context(&association, 6, -1);
    expect_found("BKRP-5", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 6,
                 "192.0.2.7:49152 bound BackupKey at 192.0.2.1:445 on a pipe whose opening is not in the capture");

    association = association_of(1, NULL, "192.0.2.7:49152", "192.0.2.1:49664");
    bind_context(&association, 6, -1);
    expect_quiet("BKRP-5", VERDICT_NOT_APPLICABLE, "BackupKey was reached over TCP, where no pipe is opened", 1);

    /* ntsvcs opened for others. */
    open_pipe(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445", 5, 0);
    expect_quiet("BKRP-5", VERDICT_NOT_APPLICABLE, "no BackupKey call in the capture", 1);
    verifier_free(t.v);
}

static void fail_first_pipe(void)
{
    open_pipe(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445", 5, (uint32_t)NOT_FOUND);
}

#define FAILED "192.0.2.7:49152 could not open protected_storage on 192.0.2.1:445 (status 0xC0000034), and "
#define UNSHOWN "; no bind shows that it wanted BackupKey, but DPAPI is who listens on that pipe"

static void test_pipe_fallback_kept(void)
{
    set_up();
    fail_first_pipe();
    open_pipe(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445", 7, 0);
    association.pipe = (char *)"ntsvcs";
    bind_context(&association, 8, -1);
    bind_context(&association, 9, 0);
    verifier_closed(t.v, 1);
    expect_quiet("BKRP-6", VERDICT_PASS, NULL, 1);

    /* The attempt is what is asked for, not its success; from another port it is still the same client. */
    fail_first_pipe();
    open_pipe(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.1:445", 7, (uint32_t)NOT_FOUND);
    verifier_closed(t.v, 1);
    verifier_closed(t.v, 2);
    expect_quiet("BKRP-6", VERDICT_PASS, NULL, 1);

    /* Not tried, so ntsvcs at once. */
    association.pipe = (char *)"ntsvcs";
    bind_context(&association, 8, -1);
    expect_quiet("BKRP-6", VERDICT_PASS, NULL, 1);

    /* The bind was refused, and ntsvcs tried. */
    bind_context(&association, 8, -1);
    bind_context(&association, 9, 2);
    open_pipe(1, "ntsvcs", "192.0.2.7:49152", "192.0.2.1:445", 11, 0);
    expect_quiet("BKRP-6", VERDICT_PASS, NULL, 1);
    verifier_free(t.v);
}

static void test_pipe_fallback_broken(void)
{
    set_up();
    fail_first_pipe();
    verifier_closed(t.v, 1);
    verifier_closed(t.v, 1);
    expect_found("BKRP-6", VERDICT_VIOLATION, NULL, 1, 5,
                 FAILED "the connection ended without an attempt at ntsvcs there" UNSHOWN);

    /* A client known to be one of BackupKey. */
    rpc_association elsewhere = association_of(2, "protected_storage", "192.0.2.7:49153", "192.0.2.9:445");
    bind_context(&elsewhere, 2, -1);
    bind_context(&elsewhere, 3, 0);
    fail_first_pipe();
    verifier_closed(t.v, 1);
    expect_found("BKRP-6", VERDICT_VIOLATION, NULL, 1, 5,
                 FAILED "the connection ended without an attempt at ntsvcs there");

    /* ntsvcs of another server, then BackupKey there; the failure's connection stays open. */
    fail_first_pipe();
    open_pipe(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.2:445", 7, 0);
    association = association_of(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.2:445");
    bind_context(&association, 8, -1);
    send_good(10);
    expect_found("BKRP-6", VERDICT_VIOLATION, NULL, 1, 5,
                 FAILED "went on to 192.0.2.2:445 in frame 8 without an attempt at ntsvcs there");

    /* Another client's call elsewhere says nothing. */
    fail_first_pipe();
    association = association_of(2, "ntsvcs", "192.0.2.8:49153", "192.0.2.2:445");
    send_good(10);
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 5,
                 FAILED "the capture ends before it tried ntsvcs there");

    /* A bind not yet answered is no failure that a change of server could seal. */
    bind_context(&association, 5, -1);
    association = association_of(2, "protected_storage", "192.0.2.7:49153", "192.0.2.2:445");
    bind_context(&association, 6, -1);
    bind_context(&association, 7, 0);
    verifier_closed(t.v, 2); /* not the connection of the first */
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 5,
                 "192.0.2.7:49152 bound BackupKey on protected_storage of 192.0.2.1:445, which is not seen to be "
                 "answered, and the capture ends before it tried ntsvcs there");

    /* A late answer of the server before is no change of server. */
    association = association_of(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.2:445");
    bind_context(&association, 3, -1);
    rpc_association third = association_of(3, "ntsvcs", "192.0.2.7:49154", "192.0.2.3:445");
    bind_context(&third, 4, -1);
    fail_first_pipe();
    bind_context(&association, 8, 0);
    verifier_end(t.v);
    check_summary("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1);
    next_case();

    fail_first_pipe();
    association = association_of(2, "ntsvcs", "192.0.2.7:49153", "192.0.2.2:445");
    send_lone_response(10);
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 5,
                 FAILED "the capture ends before it tried ntsvcs there");

    /* Whether a refused bind is a failed connection is open to reading. */
    bind_context(&association, 8, -1);
    bind_context(&association, 9, 2);
    verifier_closed(t.v, 1);
    expect_found("BKRP-6", VERDICT_WARNING, NULL, 1, 9,
                 "192.0.2.7:49152 opened protected_storage on 192.0.2.1:445, where its bind of BackupKey was refused "
                 "(result 2), and the connection ended without an attempt at ntsvcs there");

    /* A third pipe. */
    verifier_started(t.v, 1);
    association.pipe = (char *)"lsarpc";
    bind_context(&association, 8, -1);
    expect_found("BKRP-6", VERDICT_WARNING, NULL, 1, 8,
                 "192.0.2.7:49152 bound BackupKey on pipe lsarpc of 192.0.2.1:445, and no attempt to open ntsvcs "
                 "there was seen before");
    verifier_free(t.v);
}

static void test_pipe_fallback_open(void)
{
    set_up();
    fail_first_pipe();
    t.facts.encrypted_smb = 1;
    verifier_closed(t.v, 1);
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", 1, 5,
                 FAILED "the connection ended without an attempt at ntsvcs there" UNSHOWN "; encrypted SMB messages "
                 "may hold such an attempt");

    /* Neither refused nor accepted. */
    bind_context(&association, 8, -1);
    verifier_closed(t.v, 1);
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-ONE-WAY", 1, 8,
                 "192.0.2.7:49152 bound BackupKey on protected_storage of 192.0.2.1:445, which is not seen to be "
                 "answered, and the connection ended without an attempt at ntsvcs there");

    association.pipe = NULL;
    bind_context(&association, 8, -1);
    expect_found("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 8,
                 "192.0.2.7:49152 bound BackupKey at 192.0.2.1:445 on a pipe whose opening is not in the capture");

    /* More failures than are followed: none is lost, the first are left open. */
    for (unsigned i = 0; i < 300; i++) {
        char *client = g_strdup_printf("192.0.2.7:%u", 40000 + i), *server = g_strdup_printf("198.51.100.%u:445", i);
        open_pipe(i, "protected_storage", client, server, 10 + i, (uint32_t)NOT_FOUND);
        g_free(client);
        g_free(server);
    }
    verifier_end(t.v);
    check_summary("BKRP-6", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 300);
    verifier_free(t.v);
}

static void test_pipe_fallback_not_applicable(void)
{
    set_up();
    open_pipe(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445", 5, 0);
    bind_context(&association, 6, -1);
    bind_context(&association, 6, -1);
    bind_context(&association, 7, 2); /* NDR refused, NDR64 accepted */
    bind_context(&association, 7, 0);
    send_good(10);
    verifier_closed(t.v, 1);
    expect_quiet("BKRP-6", VERDICT_NOT_APPLICABLE, "protected_storage worked", 1);

    /* The other way round. */
    bind_context(&association, 6, -1);
    bind_context(&association, 7, 0);
    bind_context(&association, 7, 2);
    verifier_closed(t.v, 1);
    expect_quiet("BKRP-6", VERDICT_NOT_APPLICABLE, "protected_storage worked", 1);

    /* The bind's answer is missing, but it was called. */
    bind_context(&association, 6, -1);
    send_good(10);
    send_good(11);
    verifier_closed(t.v, 1);
    expect_quiet("BKRP-6", VERDICT_NOT_APPLICABLE, "protected_storage worked", 1);

    /* A second attempt that succeeds. */
    fail_first_pipe();
    open_pipe(1, "protected_storage", "192.0.2.7:49152", "192.0.2.1:445", 7, 0);
    verifier_closed(t.v, 1);
    expect_quiet("BKRP-6", VERDICT_NOT_APPLICABLE, "no BackupKey call in the capture", 1);

    association = association_of(1, NULL, "192.0.2.7:49152", "192.0.2.1:49664");
    bind_context(&association, 6, -1);
    bind_context(&association, 7, 0);
    expect_quiet("BKRP-6", VERDICT_NOT_APPLICABLE, "BackupKey was reached over TCP, where no pipe is opened", 1);
    verifier_free(t.v);
}

static void test_spnego(void)
{
    set_up();
    send_good(10);
    send_good(14);
    expect_quiet("BKRP-10", VERDICT_PASS, NULL, 2);

    auth.auth_type = SEC_AUTH_NTLM;
    send_good(10);
    send_good(14);
    expect_found("BKRP-10", VERDICT_VIOLATION, NULL, 2, 10, SENT "with auth_type 10 (NTLM); SPNEGO (9) is required");

    send_unprotected(10);
    send_unprotected(12);
    expect_found("BKRP-10", VERDICT_VIOLATION, NULL, 2, 10,
                 SENT "without an RPC security context; SPNEGO (auth_type 9) is required");

    set_ntlm(0xE2888235);
    context.facts.spnego_missing = true;
    send_good(10);
    expect_found("BKRP-10", VERDICT_WARNING, NULL, 1, 10,
                 SENT "with auth_type 9 (SPNEGO), but the first token of its bind is bare NTLMv2, not framed by "
                 "SPNEGO");

    send_cut(10);
    expect_found("BKRP-10", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 SENT "in a packet whose security trailer the snap length cut off");
    expect_common("BKRP-10");
    verifier_free(t.v);
}

static void test_privacy(void)
{
    set_up();
    send_good(10);
    expect_quiet("BKRP-11", VERDICT_PASS, NULL, 1);

    auth.level = SEC_LEVEL_INTEGRITY;
    send_good(10);
    send_good(12);
    send_good(12);
    expect_found("BKRP-11", VERDICT_VIOLATION, NULL, 2, 10,
                 SENT "with auth_level 5 (integrity); packet privacy (6) is required");

    send_unprotected(10);
    expect_found("BKRP-11", VERDICT_VIOLATION, NULL, 1, 10,
                 SENT "without an RPC security context; packet privacy (6) is required");

    rpc_call call = call_in(10);
    call.response = message_in(RPC_RESPONSE, 12);
    call.response.level = SEC_LEVEL_PKT;
    verifier_message(t.v, &call, true);
    call.response.last_frame = 13;
    call.response.kind = RPC_FAULT; /* a fault may be without a trailer */
    verifier_message(t.v, &call, true);
    call.response.kind = RPC_RESPONSE;
    call.response.auth = NULL;
    call.response.reason = SEC_CUT;
    verifier_message(t.v, &call, true);
    free_message(&call.response);
    send_call(&call);
    expect_found("BKRP-11", VERDICT_WARNING, NULL, 1, 12,
                 "192.0.2.1:445 answered 192.0.2.7:49152, which called BackuprKey with packet privacy (6), with "
                 "auth_level 4 (packet)");

    send_cut(10);
    expect_found("BKRP-11", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 SENT "in a packet whose security trailer the snap length cut off");
    expect_common("BKRP-11");
    verifier_free(t.v);
}

static void test_impersonation(void)
{
    set_up();
    send_good(10);
    expect_quiet("BKRP-12", VERDICT_PASS, NULL, 1);
    set_ntlm(0xE2888235);
    send_good(10);
    expect_quiet("BKRP-12", VERDICT_PASS, NULL, 1);

    set_ntlm(0xE2988235);
    send_good(10);
    send_good(12);
    expect_found("BKRP-12", VERDICT_VIOLATION, NULL, 2, 10,
                 SENT "with impersonation level IDENTIFY (NTLM flags 0xE2988235 hold 0x00100000); IMPERSONATE is "
                 "required");
    set_ntlm(0xE2888A35);
    context.facts.anonymous = true;
    send_good(10);
    expect_found("BKRP-12", VERDICT_WARNING, NULL, 1, 10,
                 SENT "with an anonymous NTLM logon (flags 0xE2888A35), which leaves nobody to impersonate");
    context.facts.gss_flags = 0x203e;
    send_good(10);
    expect_found("BKRP-12", VERDICT_VIOLATION, NULL, 1, 10,
                 SENT "with impersonation level IDENTIFY (GSS flags 0x0000203E hold 0x2000); IMPERSONATE is "
                 "required");
    context.facts.gss_flags = 0x103f;
    send_good(10);
    expect_found("BKRP-12", VERDICT_VIOLATION, NULL, 1, 10,
                 SENT "with impersonation level DELEGATE (GSS flags 0x0000103F hold 0x1); IMPERSONATE is required");

    context.facts.gss_flags_known = false;
    context.facts.key_text = "no key for cifs/dc1";
    send_good(10);
    expect_found("BKRP-12", VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", 1, 10,
                 SENT "with Kerberos, whose authenticator is not opened: no key for cifs/dc1");
    set_ntlm(0);
    context.facts.ntlm_authenticate = false;
    send_good(10);
    expect_found("BKRP-12", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1, 10,
                 SENT "with NTLM, whose AUTHENTICATE message is not in the capture");
    context.facts = (sec_facts){.mechanism_text = "unknown", .key_reason = SEC_NO_HANDSHAKE};
    auth.bound = false;
    send_good(10);
    expect_found("BKRP-12", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1, 10,
                 SENT "in a security context whose handshake is not in the capture");
    context.facts = (sec_facts){.mechanism_text = "unknown", .key_reason = SEC_CUT};
    send_good(10);
    expect_found("BKRP-12", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 SENT "in a security context whose handshake the snap length cut");
    context.facts = (sec_facts){.mechanism = SEC_MECH_OTHER, .mechanism_text = "Schannel"};
    send_good(10);
    expect_found("BKRP-12", VERDICT_INCONCLUSIVE, "IC-INTERNAL", 1, 10,
                 SENT "with Schannel, whose handshake does not show it");

    send_unprotected(10);
    expect_quiet("BKRP-12", VERDICT_NOT_APPLICABLE, "the calls were made without an RPC security context", 1);
    expect_common("BKRP-12");
    verifier_free(t.v);
}

static void test_mutual(void)
{
    set_up();
    send_good(10);
    expect_quiet("BKRP-13", VERDICT_PASS, NULL, 1);

    context.facts.ap_options = 0x40000000; /* user to user is another option */
    send_good(10);
    expect_found("BKRP-13", VERDICT_WARNING, NULL, 1, 10, SENT "without asking for mutual authentication (ap-options "
                 "0x40000000; mutual-required is 0x20000000)");

    context.facts.ap_rep = false;
    send_good(10);
    expect_found("BKRP-13", VERDICT_INCONCLUSIVE, "IC-ONE-WAY", 1, 10, SENT "after asking for mutual authentication "
                 "(ap-options 0x20000000), but the server's AP-REP is not in the capture");
    set_ntlm(0xE2888235);
    send_good(10);
    expect_found("BKRP-13", VERDICT_INCONCLUSIVE, "IC-INTERNAL", 1, 10,
                 SENT "with NTLM, which has no mutual authentication: whether it was asked for cannot be seen");
    set_ntlm(0xE2888235);
    auth.bound = false;
    send_good(10);
    expect_found("BKRP-13", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1, 10,
                 SENT "with NTLM, and whether Kerberos had been offered is not in the capture");
    context.facts.ap_req = false;
    auth.bound = false;
    send_good(10);
    expect_found("BKRP-13", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1, 10,
                 SENT "in a security context whose handshake is not in the capture");

    set_ntlm(0xE2888235);
    context.facts.kerberos_offered = true;
    send_good(10);
    expect_quiet("BKRP-13", VERDICT_NOT_APPLICABLE, "NTLM was chosen after Kerberos had been offered (<17>)", 1);
    send_unprotected(10);
    expect_quiet("BKRP-13", VERDICT_NOT_APPLICABLE, "the calls were made without an RPC security context", 1);
    expect_common("BKRP-13");
    verifier_free(t.v);
}

static void send_stub(uint32_t frame, GByteArray *stub, size_t reported, sec_state state, sec_reason reason,
                      const char *text)
{
    rpc_call call = call_in(frame);
    g_byte_array_unref(call.request.stub);
    call.request.stub = stub;
    call.request.reported = reported;
    call.request.state = state;
    call.request.reason = reason;
    call.request.text = text;
    send_call(&call);
}

#define UNREAD SENT "and its dwParam cannot be read: "

static void test_dwparam(void)
{
    set_up();
    send_good(10);
    expect_quiet("BKRP-19", VERDICT_PASS, NULL, 1);

    send_stub(10, backuprkey_stub(1, 32), 32, SEC_VERIFIED, SEC_OK, NULL);
    expect_found("BKRP-19", VERDICT_WARNING, NULL, 1, 10, "dwParam is 0x00000001, should be 0, in BackuprKey from "
                 "192.0.2.7:49152 to 192.0.2.1:445");

    /* One finding for each call. */
    send_stub(10, backuprkey_stub(1, 32), 32, SEC_VERIFIED, SEC_OK, NULL);
    send_stub(12, backuprkey_stub(2, 32), 32, SEC_VERIFIED, SEC_OK, NULL);
    verifier_end(t.v);
    check_summary("BKRP-19", VERDICT_WARNING, NULL, 2);
    g_assert_cmpuint(verifier_finding_count(t.v), ==, 2);
    next_case();

    send_stub(10, NULL, 0, SEC_SEALED, SEC_NO_KEY, "no key for CORP\\alice");
    send_stub(12, NULL, 0, SEC_SEALED, SEC_NO_KEY, "no key for CORP\\alice");
    expect_found("BKRP-19", VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", 2, 10, UNREAD "no key for CORP\\alice");
    send_stub(10, backuprkey_stub(0, 26), 32, SEC_UNVERIFIED, SEC_NO_KEY, "no key");
    expect_found("BKRP-19", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 UNREAD "the snap length cut it: capture whole packets");
    send_cut(10);
    expect_found("BKRP-19", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 UNREAD "the snap length cut it: capture whole packets");
    send_stub(10, backuprkey_stub(0, 26), 26, SEC_VERIFIED, SEC_OK, NULL);
    expect_found("BKRP-19", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 UNREAD "its stub does not fit the method's parameters");
    rpc_call call = call_in(10);
    call.request.complete = false;
    send_call(&call);
    expect_found("BKRP-19", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 10,
                 UNREAD "its first fragment is not in the capture");
    expect_common("BKRP-19");
    verifier_free(t.v);
}

/* ------------------------------------------------------------------------------------------------------- the engine */

/* What leaves all rules of a protocol open is said of the first that it leaves open alone. */
static void expect_said_once(const char *first, rule_verdict verdict, const char *reason, unsigned count, uint32_t frame,
                             const char *message)
{
    verifier_end(t.v);
    check_summary("BKRP-11", verdict, reason, count);
    g_assert_null(only_finding("BKRP-11"));
    expect_found(first, verdict, reason, count, frame, message);
}

static void test_silence(void)
{
    set_up();
    t.facts.encrypted_smb = 3;
    t.facts.unbound_calls = 2;
    expect_said_once("BKRP-5", VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", 1, 0,
                     "no BackupKey call can be seen, but frames with encrypted SMB messages (3) may hold some");
    t.facts.unbound_calls = 2;
    expect_said_once("BKRP-5", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1, 0,
                     "no BackupKey call is known, but calls whose bind is not in the capture (2) may be some");
    bind_context(&association, 6, -1);
    bind_context(&association, 7, 0);
    expect_said_once("BKRP-10", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 0,
                     "BackupKey was bound, but no complete call of it is in the capture");
    t.facts.complete = false;
    expect_said_once("BKRP-5", VERDICT_INCONCLUSIVE, "IC-TRUNCATED", 1, 0,
                     "no BackupKey call is in the capture, but the capture is cut off in the middle");
    /* ClusAPI is never on a pipe. */
    t.facts.encrypted_smb = 3;
    t.facts.unbound_calls = t.facts.unbound_on_pipes = 2;
    verifier_end(t.v);
    check_summary("C-04", VERDICT_NOT_APPLICABLE, "no ClusAPI call in the capture", 1);
    next_case();
    t.facts.unbound_calls = 3;
    t.facts.unbound_on_pipes = 2;
    verifier_end(t.v);
    check_summary("C-04", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1);
    next_case();
    /* What was seen stands, whatever was not. */
    t.facts.encrypted_smb = 3;
    send_good(10);
    expect_quiet("BKRP-11", VERDICT_PASS, NULL, 1);

    /* What one capture held says nothing of the next. */
    send_good(10);
    verifier_end(t.v);
    begin_capture();
    t.facts.unbound_calls = 1;
    verifier_end(t.v);
    check_summary("BKRP-11", VERDICT_INCONCLUSIVE, "IC-NOHANDSHAKE", 1);
    next_case();

    /* Calls and binds of other interfaces, and of another version of this one, reach no rule. */
    static const ndr_interface other = {.protocol = "other", .name = "Other"};
    rpc_call call = call_in(10);
    call.interface = &other;
    verifier_message(t.v, &call, false);
    call.interface = NULL;
    send_call(&call);
    rpc_origin origin = {.frame = 5};
    verifier_context(t.v, &association, &origin, &bkrp_interface.uuid, 2, 0);
    verifier_context(t.v, &association, &origin, &pdu_ndr, 1, 0);
    expect_quiet("BKRP-11", VERDICT_NOT_APPLICABLE, "no BackupKey call in the capture", 1);
    verifier_free(t.v);
}

static void test_findings(void)
{
    set_up();
    const rule *first = rule_by_id("BKRP-10"), *second = rule_by_id("BKRP-11");
    int a, b;
    verifier_find(t.v, second, VERDICT_WARNING, NULL, &a, 30, "w%d", 1);
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, NULL, 0, "whole");
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, &a, 30, "v");
    g_assert_cmpuint(t.told, ==, 3);
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, &a, 20, "not said");
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, &a, 30, "not said");
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, &a, 25, "not said");
    g_assert_cmpuint(t.told, ==, 5);
    g_assert_cmpuint(t.last_frame, ==, 25);
    verifier_find(t.v, first, VERDICT_VIOLATION, NULL, &b, 21, "other key");
    verifier_find(t.v, second, VERDICT_VIOLATION, NULL, &a, 24, "other rule");
    verifier_find(t.v, first, VERDICT_WARNING, NULL, &a, 25, "other verdict");
    verifier_find(t.v, first, VERDICT_INCONCLUSIVE, "IC-X", &a, 22, "x");
    verifier_find(t.v, first, VERDICT_INCONCLUSIVE, "IC-Y", &a, 23, "y");
    g_assert_cmpuint(verifier_finding_count(t.v), ==, 0); /* not before the end */
    verifier_end(t.v);

    static const char *const order[] = {"v", "other key", "x", "y", "other rule", "other verdict", "w1", "whole"};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        g_assert_cmpstr(verifier_finding(t.v, i)->message, ==, order[i]);
    const GArray *frames = verifier_finding(t.v, 0)->frames;
    static const uint32_t expected[] = {20, 25, 30};
    g_assert_cmpmem(frames->data, frames->len * sizeof(uint32_t), expected, sizeof expected);
    check_summary("BKRP-10", VERDICT_VIOLATION, NULL, 5); /* three frames, one, and one without */
    check_summary("BKRP-11", VERDICT_VIOLATION, NULL, 1);
    verifier_free(t.v);
}

static void test_captures(void)
{
    set_up();
    check_summary("BKRP-11", VERDICT_NOT_APPLICABLE, NULL, 0);
    send_good(10);
    verifier_end(t.v);
    check_summary("BKRP-11", VERDICT_PASS, NULL, 1);

    begin_capture(); /* nothing of it in the second: what the first showed stands */
    verifier_started(t.v, 1);
    bind_context(&association, 7, 0);
    verifier_started(t.v, 2);
    verifier_closed(t.v, 2);
    g_assert_true(verifier_saw_start(t.v, 1) && !verifier_saw_start(t.v, 2) && !verifier_saw_start(t.v, 3));
    send_good(8);
    verifier_end(t.v);
    begin_capture(); /* and nothing of what it had seen is known in the third */
    g_assert_false(verifier_saw_start(t.v, 1));
    verifier_end(t.v);
    check_summary("BKRP-11", VERDICT_PASS, NULL, 2);
    g_assert_cmpuint(verifier_finding_count(t.v), ==, 0);
    check_summary("BKRP-5", VERDICT_NOT_APPLICABLE, "its condition did not arise", 3);

    char label[] = "b.pcap";
    begin_capture();
    verifier_end(t.v);
    t.facts.label = label;
    verifier_begin(t.v, &t.facts);
    auth.level = SEC_LEVEL_INTEGRITY;
    send_good(9);
    verifier_end(t.v);
    memset(label, 'x', sizeof label - 1);

    begin_capture(); /* the same security context in another capture is another finding */
    send_good(8);
    verifier_begin(t.v, &t.facts); /* a new one ends the one before */
    verifier_end(t.v);
    check_summary("BKRP-11", VERDICT_VIOLATION, NULL, 2);
    g_assert_cmpuint(verifier_finding_count(t.v), ==, 2);
    g_assert_cmpstr(verifier_finding(t.v, 0)->capture, ==, "b.pcap");
    g_assert_cmpstr(verifier_finding(t.v, 1)->capture, ==, "a.pcap");

    /* Events between captures, and a verifier that goes in the middle of one. */
    unsigned told = t.told;
    send_good(7);
    verifier_started(t.v, 1);
    verifier_closed(t.v, 1);
    fail_first_pipe();
    bind_context(&association, 6, -1);
    verifier_end(t.v);
    begin_capture();
    fail_first_pipe();
    verifier_free(t.v);
    g_assert_cmpuint(t.told, ==, told);
    verifier_free(NULL);
}

typedef struct {
    unsigned    bkrp, cmrp, wkst, beyond; /* of the core sections, and of what is around them */
    GHashTable *ids;
} catalogue;

static void check_row(const rule *r, void *user)
{
    if (r->level == RULE_NOTE)
        return;
    catalogue *c = user;
    bool bkrp = strcmp(r->protocol, "bkrp") == 0, wkst = strcmp(r->protocol, "wkst") == 0;
    g_assert_true(g_hash_table_add(c->ids, (gpointer)r->id));
    g_assert_true(g_str_has_prefix(r->section, bkrp ? "MS-BKRP 3.2.4" : wkst ? "MS-WKST " : "MS-CMRP "));
    g_assert_true(strcmp(r->binds, "client") == 0 || (!bkrp && (strcmp(r->binds, "server") == 0 || strcmp(r->binds, "both") == 0)));
    g_assert_true(r->text[strlen(r->text) - 1] == '.');
    g_assert_nonnull(rule_level_name(r->level));
    c->bkrp += bkrp && g_str_has_prefix(r->id, "BKRP-");
    c->cmrp += !bkrp && g_str_has_prefix(r->id, "CMRP-");
    c->wkst += wkst && g_str_has_prefix(r->id, "WKST-");
    c->beyond += !bkrp && g_str_has_prefix(r->id, wkst ? "W-" : "C-");
}

static void test_catalogue(void)
{
    catalogue c = {.ids = g_hash_table_new(g_str_hash, g_str_equal)};
    rules_each(check_row, &c);
    g_assert_cmpuint(c.bkrp, ==, 7);
    g_assert_cmpuint(c.cmrp, ==, 19);
    g_assert_cmpuint(c.wkst, ==, 8);
    g_assert_cmpuint(c.beyond, ==, 38 + 26);
    g_assert_cmpuint(c.bkrp + c.cmrp + c.wkst + c.beyond, ==, g_hash_table_size(c.ids));
    g_hash_table_unref(c.ids);
    g_assert_cmpstr(rule_verdict_name(VERDICT_NOT_OBSERVABLE), ==, "not-observable");
    g_assert_cmpstr(rule_verdict_name(VERDICT_VIOLATION), ==, "violation");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verdict/bkrp-5", test_pipe_order);
    g_test_add_func("/verdict/bkrp-6/kept", test_pipe_fallback_kept);
    g_test_add_func("/verdict/bkrp-6/broken", test_pipe_fallback_broken);
    g_test_add_func("/verdict/bkrp-6/open", test_pipe_fallback_open);
    g_test_add_func("/verdict/bkrp-6/not-applicable", test_pipe_fallback_not_applicable);
    g_test_add_func("/verdict/bkrp-10", test_spnego);
    g_test_add_func("/verdict/bkrp-11", test_privacy);
    g_test_add_func("/verdict/bkrp-12", test_impersonation);
    g_test_add_func("/verdict/bkrp-13", test_mutual);
    g_test_add_func("/verdict/bkrp-19", test_dwparam);
    g_test_add_func("/verdict/silence", test_silence);
    g_test_add_func("/verdict/findings", test_findings);
    g_test_add_func("/verdict/captures", test_captures);
    g_test_add_func("/verdict/catalogue", test_catalogue);
    return g_test_run();
}
