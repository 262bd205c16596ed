/* cmrp_verdict_test.c - ClusAPI's rules with calls made by hand that keep them, break them, leave them open and do not concern
 * them.
 *
 * Security contexts are fakes: a test says what the handshake showed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/crafted_calls.h"
#include "tests/fake_context.h"
#include "tests/rule_by_id.h"

/* ------------------------------------------------------------------------------------------------------ the traffic */

static const encode_set *const none = NO_SETS;

/* One capture, judged by one verifier; each expectation ends it and begins the next. */
static struct {
    verifier     *v;
    rpc_handles  *handles;
    capture_facts facts;
    GPtrArray    *calls; /* of rpc_call, as long as the capture */
} t;

static sec_context          context;
static rpc_auth             auth;
static rpc_association      association;
static const ndr_interface *interface;

static void call_free(void *p)
{
    craft_free(p);
    g_free(p);
}

/* A sealed call of version 3.0 over SPNEGO and Kerberos, with keys and mutual authentication: as it should be. */
static void set_up(void)
{
    context = (sec_context){{.mechanism = SEC_MECH_KERBEROS, .mechanism_text = "Kerberos", .spnego = true,
                             .kerberos_offered = true,
                             .ap_req = true, .ap_options = 0x20000000, .ap_rep = true, .gss_flags_known = true,
                             .gss_flags = 0x103e,
                             .have_key = true, .target = "MSServerClusterMgmtAPI/node1.corp.example@CORP.EXAMPLE"}};
    auth = (rpc_auth){.id = 1, .auth_type = SEC_AUTH_SPNEGO, .level = SEC_LEVEL_PRIVACY, .bound = true, .security = &context};
    association = (rpc_association){.transport = RPC_NCACN_IP_TCP, .connection = 1, .client = (char *)"192.0.2.7:49152",
                                    .server = (char *)"192.0.2.1:49664", .number = 1, .group = 0x1000, .group_whole = true};
    interface = &cmrp_interface_3;
    t.v = verifier_new(NULL, NULL);
    t.handles = rpc_handles_new(false);
    t.facts = (capture_facts){.label = "a.pcap", .complete = true, .handles = t.handles};
    t.calls = g_ptr_array_new_with_free_func(call_free);
    verifier_begin(t.v, &t.facts);
}

static void tear_down(void)
{
    verifier_free(t.v);
    rpc_handles_free(t.handles);
    g_ptr_array_unref(t.calls);
}

static void protect(rpc_message *m)
{
    m->auth = auth.security ? &auth : NULL;
    m->level = auth.level;
    m->sealed = auth.level == SEC_LEVEL_PRIVACY;
    m->state = m->auth ? SEC_VERIFIED : SEC_PLAIN;
}

static rpc_call *request_in(uint32_t frame, uint16_t opnum, const encode_set *in)
{
    rpc_call *call = g_new(rpc_call, 1);
    *call = craft_call(&association, interface, opnum, frame, in);
    call->call_id = t.calls->len + 2;
    g_ptr_array_add(t.calls, call);
    protect(&call->request);
    return call;
}

static void tell(rpc_call *call, bool response)
{
    rpc_handles_message(t.handles, call, response);
    verifier_message(t.v, call, response);
}

static rpc_call *request(uint32_t frame, uint16_t opnum, const encode_set *in)
{
    rpc_call *call = request_in(frame, opnum, in);
    tell(call, false);
    return call;
}

static void answer(rpc_call *call, uint32_t frame, const encode_set *out)
{
    craft_response(call, frame, out);
    protect(&call->response);
    tell(call, true);
    rpc_handles_finished(t.handles, call);
}

static void refuse(rpc_call *call, uint32_t frame, uint32_t status)
{
    craft_fault(call, frame, status);
    protect(&call->response);
    tell(call, true);
    rpc_handles_finished(t.handles, call);
}

/* A request in this frame, answered in the next. */
static rpc_call *exchange(uint32_t frame, uint16_t opnum, const encode_set *in, const encode_set *out)
{
    rpc_call *call = request(frame, opnum, in);
    answer(call, frame + 1, out);
    return call;
}

/* The stub is not to be read. */
static void seal(rpc_message *m)
{
    if (m->stub)
        g_byte_array_unref(g_steal_pointer(&m->stub));
    m->sealed = true;
    m->state = SEC_SEALED;
    m->reason = SEC_NO_KEY;
    m->text = "no key for CORP\\alice";
}

static void sealed_exchange(uint32_t frame, uint16_t opnum)
{
    rpc_call *call = request_in(frame, opnum, NO_SETS);
    seal(&call->request);
    tell(call, false);
    craft_response(call, frame + 1, NO_SETS);
    protect(&call->response);
    seal(&call->response);
    tell(call, true);
}

/* ------------------------------------------------------------------------------------------------------ the answers */

static void check_summary(const char *id, rule_verdict verdict, const char *reason, unsigned count)
{
    rule_summary s = verifier_summary(t.v, rule_by_id(id));
    if (s.verdict != verdict)
        for (size_t i = 0; i < verifier_finding_count(t.v); i++)
            g_test_message("%s: %s", verifier_finding(t.v, i)->rule->id, verifier_finding(t.v, i)->message);
    g_assert_cmpstr(rule_verdict_name(s.verdict), ==, rule_verdict_name(verdict));
    if (verdict != VERDICT_NOT_APPLICABLE)
        g_assert_cmpstr(s.reason, ==, reason);
    if (count > 0)
        g_assert_cmpuint(s.count, ==, count);
}

/* The capture ends; the rule has this verdict, so often (0: however often), and a finding with these words in this frame. */
static void expect_found(const char *id, rule_verdict verdict, const char *reason, unsigned count, uint32_t frame,
                         const char *words)
{
    bool said = false;
    verifier_end(t.v);
    check_summary(id, verdict, reason, count);
    for (size_t i = 0; i < verifier_finding_count(t.v); i++) {
        const finding *f = verifier_finding(t.v, i);
        if (strcmp(f->rule->id, id) != 0 || f->verdict != verdict)
            continue;
        g_assert_cmpstr(f->reason, ==, reason);
        said |= strstr(f->message, words) && (frame == 0 || g_array_index(f->frames, uint32_t, 0) == frame);
        if (!strstr(f->message, words))
            g_test_message("%s", f->message);
    }
    g_assert_true(said);
    tear_down();
    set_up();
}

static void expect_broken(const char *id, uint32_t frame, const char *words)
{
    expect_found(id, VERDICT_VIOLATION, NULL, 1, frame, words);
}

static void expect_warned(const char *id, uint32_t frame, const char *words)
{
    expect_found(id, VERDICT_WARNING, NULL, 1, frame, words);
}

static void expect_open(const char *id, const char *reason, uint32_t frame, const char *words)
{
    expect_found(id, VERDICT_INCONCLUSIVE, reason, 0, frame, words);
}

static void expect_quiet(const char *id, rule_verdict verdict, unsigned count)
{
    verifier_end(t.v);
    check_summary(id, verdict, NULL, count);
    for (size_t i = 0; i < verifier_finding_count(t.v); i++)
        g_assert_cmpstr(verifier_finding(t.v, i)->rule->id, !=, id);
    tear_down();
    set_up();
}

static void expect_kept(const char *id, unsigned count)
{
    expect_quiet(id, VERDICT_PASS, count);
}

static void expect_not_applicable(const char *id)
{
    expect_quiet(id, VERDICT_NOT_APPLICABLE, 0);
}

static void open_resource(uint32_t frame, uint64_t number)
{
    exchange(frame, 8, SETS({"lpszResourceName", .text = "Disk 1"}), SETS({"return", .number = number}));
}

static void close_resource(uint32_t frame, uint64_t number)
{
    exchange(frame, 11, SETS({"Resource", .number = number}), SETS({"Resource", .null = true}));
}

/* ---------------------------------------------------------------------------------------------------------- handles */

static void test_other_interface(void)
{
    set_up();
    open_resource(10, 7);
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_not_applicable("C-02");

    open_resource(10, 7);
    interface = &cmrp_interface_2;
    exchange(12, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 6}));
    expect_kept("C-02", 1);

    open_resource(10, 7);
    interface = &cmrp_interface_2;
    exchange(12, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 5}));
    expect_broken("C-02", 13, "with 0x00000005, though hResource \"Disk 1\" was opened on version 3.0 of the interface and "
                  "is used on version 2.0; a fault 0x1C00001A is required");

    open_resource(10, 7);
    interface = &cmrp_interface_2;
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_broken("C-02", 13, "192.0.2.1:49664 answered ApiGetResourceState of 192.0.2.7:49152 with success, though hResource "
                  "\"Disk 1\" was opened on version 3.0 of the interface and is used on version 2.0");

    open_resource(10, 7);
    interface = &cmrp_interface_2;
    refuse(request(12, 12, SETS({"hResource", .number = 7})), 13, 0x1c00001a);
    expect_kept("C-02", 1);

    /* In another association group it is another handle. */
    open_resource(10, 7);
    interface = &cmrp_interface_2;
    association.number = 2;
    association.group = 0x2000;
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_open("C-02", "IC-TRUNCATED", 12, "with a handle whose opening is not in the capture");
    refuse(request(12, 12, SETS({"hResource", .number = 7})), 13, 0x1c00001a); /* what was refused need not be known */
    expect_not_applicable("C-02");

    sealed_exchange(10, 12);
    expect_open("C-02", "IC-ENCRYPTED", 10, "the request cannot be read: no key for CORP\\alice");
    tear_down();
}

static void test_type(void)
{
    set_up();
    open_resource(10, 7);
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    exchange(14, 138, SETS({"hObject", .number = 7}, {"hNotify", .null = true}), NO_SETS); /* takes any type */
    expect_not_applicable("C-03");

    exchange(10, 41, SETS({"lpszGroupName", .text = "Cluster Group"}), SETS({"return", .number = 7}));
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_broken("C-03", 13, "though hResource \"Cluster Group\" was opened by ApiOpenGroup as HGROUP_RPC and the method takes "
                  "HRES_RPC");

    exchange(10, 41, SETS({"lpszGroupName", .text = "Cluster Group"}), SETS({"return", .number = 7}));
    exchange(12, 17, SETS({"hResource", .number = 7}), SETS({"return", .number = 997}));
    expect_broken("C-03", 13, "with ERROR_IO_PENDING, though hResource \"Cluster Group\"");
    exchange(10, 41, SETS({"lpszGroupName", .text = "Cluster Group"}), SETS({"return", .number = 7}));
    refuse(request(12, 12, SETS({"hResource", .number = 7})), 13, 0x1c00001a);
    exchange(14, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 6}));
    expect_kept("C-03", 2);

    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    exchange(14, 12, SETS({"hResource", .number = 8}), NO_SETS);
    expect_open("C-03", "IC-TRUNCATED", 12, "with a handle whose opening is not in the capture");
    refuse(request(12, 12, SETS({"hResource", .number = 7})), 13, 0x1c00001a); /* what was refused need not be known */
    expect_not_applicable("C-03");
    sealed_exchange(10, 12);
    expect_open("C-03", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

static void test_close(void)
{
    set_up();
    open_resource(10, 7);
    close_resource(12, 7);
    exchange(14, 56, SETS({"Notify", .number = 7}), SETS({"Notify", .null = true}));
    expect_kept("C-04", 2);

    open_resource(10, 7);
    exchange(12, 11, SETS({"Resource", .number = 7}), SETS({"Resource", .number = 7}));
    expect_broken("C-04", 13, "answered ApiCloseResource of 192.0.2.7:49152 with success, but Resource \"Disk 1\" did not come "
                  "back");

    /* What comes back with an error is to be ignored. */
    exchange(12, 11, SETS({"Resource", .number = 7}), SETS({"Resource", .number = 7}, {"return", .number = 6}));
    expect_not_applicable("C-04");
    refuse(request(12, 11, SETS({"Resource", .number = 7})), 13, 0x1c00001a);
    expect_not_applicable("C-04");
    sealed_exchange(10, 11);
    expect_open("C-04", "IC-ENCRYPTED", 11, "the answer cannot be read: no key for CORP\\alice");
    tear_down();
}

static void test_use_after_close(void)
{
    set_up();
    open_resource(10, 7);
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    close_resource(14, 7);
    open_resource(16, 7); /* the same octets, given out anew */
    exchange(18, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_kept("C-05", 3);

    open_resource(10, 7);
    close_resource(12, 7);
    refuse(request(14, 12, SETS({"hResource", .number = 7})), 15, 0x1c00001a);
    expect_found("C-05", VERDICT_VIOLATION, NULL, 1, 14, "192.0.2.7:49152 sent ApiGetResourceState to 192.0.2.1:49664 with "
                 "hResource \"Disk 1\", which ApiCloseResource had closed in frame 13");

    open_resource(10, 7);
    close_resource(12, 7);
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_found("C-05", VERDICT_VIOLATION, NULL, 2, 15, "with success, though hResource \"Disk 1\" had been closed in frame 13");

    /* ERROR_ACCESS_DENIED is no answer of a server that knows the handle to be closed. */
    open_resource(10, 7);
    close_resource(12, 7);
    exchange(14, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 6}));
    expect_found("C-05", VERDICT_VIOLATION, NULL, 1, 14, "which ApiCloseResource had closed in frame 13");
    open_resource(10, 7);
    close_resource(12, 7);
    exchange(14, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 5}));
    expect_found("C-05", VERDICT_VIOLATION, NULL, 2, 15, "with 0x00000005, though hResource \"Disk 1\" had been closed");

    /* On another connection of the group it may have been on its way when the answer to the close was; not so long after. */
    open_resource(10, 7);
    close_resource(12, 7);
    association.number = association.connection = 2;
    refuse(request(14, 12, SETS({"hResource", .number = 7})), 15, 0x1c00001a);
    expect_warned("C-05", 14, "which ApiCloseResource had closed in frame 13 on another connection just before");
    open_resource(10, 7);
    close_resource(12, 7);
    association.number = association.connection = 2;
    rpc_call *late = request_in(14, 12, SETS({"hResource", .number = 7}));
    late->request.seconds += 2;
    tell(late, false);
    expect_broken("C-05", 14, "which ApiCloseResource had closed in frame 13");

    /* On its way when the handle was closed. */
    open_resource(10, 7);
    rpc_call *early = request(12, 12, SETS({"hResource", .number = 7}));
    close_resource(13, 7);
    answer(early, 15, NO_SETS);
    expect_kept("C-05", 2);

    /* Closed, in another association group. */
    open_resource(10, 7);
    close_resource(12, 7);
    association.number = 2;
    association.group = 0x2000;
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_open("C-05", "IC-TRUNCATED", 14, "with a handle whose opening is not in the capture");

    /* A close that failed closes nothing. */
    open_resource(10, 7);
    exchange(12, 11, SETS({"Resource", .number = 7}), SETS({"Resource", .number = 7}, {"return", .number = 5}));
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_kept("C-05", 2);

    /* It may have been closed before the capture began, and given out anew where it did not see. */
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_open("C-05", "IC-TRUNCATED", 14, "with a handle whose opening is not in the capture");
    close_resource(12, 7);
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_open("C-05", "IC-TRUNCATED", 12, "with a handle whose opening is not in the capture");
    exchange(14, 3, NO_SETS, NO_SETS);
    expect_not_applicable("C-05");
    tear_down();
}

static void bind_version(uint32_t frame, uint16_t version, int result)
{
    rpc_origin origin = {.frame = frame, .transport = association.transport, .connection = association.connection};
    verifier_context(t.v, &association, &origin, &cmrp_interface_3.uuid, version, result);
}

static void test_left_open(void)
{
    set_up();
    open_resource(10, 7);
    close_resource(12, 7);
    verifier_closed(t.v, 1);
    expect_kept("C-06", 1);

    open_resource(10, 7);
    verifier_closed(t.v, 1);
    expect_warned("C-06", 11, "HRES_RPC \"Disk 1\", opened by ApiOpenResource, was not closed before the last connection");

    open_resource(10, 7);
    rpc_call *call = request_in(12, 3, none);
    call->call_id += 1; /* one is missing, which may have closed it */
    tell(call, false);
    verifier_closed(t.v, 1);
    expect_open("C-06", "IC-TRUNCATED", 11, "opened by ApiOpenResource, was not closed before the last connection of its "
                "association ended; connections or calls may be missing");
    open_resource(10, 7);
    call = g_new0(rpc_call, 1); /* an answer without its request, which may have been what closes */
    *call = (rpc_call){.association = &association, .interface = interface, .version_major = 3, .number = 99};
    call->response = craft_message(RPC_RESPONSE, 15, NULL);
    g_ptr_array_add(t.calls, call);
    tell(call, true);
    verifier_closed(t.v, 1);
    expect_open("C-06", "IC-TRUNCATED", 11, "connections or calls may be missing");
    association.group_whole = false; /* its group was begun by a connection before the capture */
    open_resource(10, 7);
    verifier_closed(t.v, 1);
    expect_open("C-06", "IC-TRUNCATED", 11, "connections or calls may be missing");

    /* The end of the connection is not in the capture; groups may be left open; another connection of the group goes on. */
    open_resource(10, 7);
    expect_not_applicable("C-06");
    exchange(10, 41, SETS({"lpszGroupName", .text = "g"}), SETS({"return", .number = 7}));
    verifier_closed(t.v, 1);
    expect_not_applicable("C-06");
    open_resource(10, 7);
    association.number = association.connection = 2;
    exchange(12, 3, NO_SETS, NO_SETS);
    verifier_closed(t.v, 1);
    expect_not_applicable("C-06");
    open_resource(10, 7);
    association.number = association.connection = 2;
    bind_version(12, 3, 0); /* and has not called yet */
    verifier_closed(t.v, 1);
    expect_not_applicable("C-06");

    /* It may have been closed. */
    open_resource(10, 7);
    request(12, 11, SETS({"Resource", .number = 7}));
    rpc_handles_finished(t.handles, t.calls->pdata[1]);
    verifier_closed(t.v, 1);
    expect_not_applicable("C-06");
    tear_down();
}

static void test_open(void)
{
    set_up();
    open_resource(10, 7);
    exchange(12, 8, SETS({"lpszResourceName", .text = "x"}), SETS({"return", .null = true}, {"Status", .number = 5007}));
    exchange(14, 114, NO_SETS, SETS({"phBatchPort", .number = 8}));
    expect_kept("C-07", 3);

    exchange(12, 8, SETS({"lpszResourceName", .text = "x"}), SETS({"return", .number = 7}, {"Status", .number = 5007}));
    expect_broken("C-07", 13, "with status 0x0000138F, and yet with a handle that is not null");
    exchange(12, 137, NO_SETS, SETS({"return", .null = true}));
    expect_broken("C-07", 13, "answered ApiCreateNotifyV2 of 192.0.2.7:49152 with status 0 and a null handle");
    refuse(request(12, 8, SETS({"lpszResourceName", .text = "x"})), 13, 5);
    close_resource(14, 7);
    expect_not_applicable("C-07");
    sealed_exchange(10, 8);
    expect_open("C-07", "IC-ENCRYPTED", 11, "no key for CORP\\alice");
    tear_down();
}

static void open_for(uint32_t frame, uint64_t number, uint32_t access)
{
    exchange(frame, 120, SETS({"lpszResourceName", .text = "Disk 1"}, {"dwDesiredAccess", .number = access}),
             SETS({"return", .number = number}, {"lpdwGrantedAccess", .number = access}));
}

static void test_access(void)
{
    set_up();
    open_for(10, 7, 0x80000000);
    exchange(12, 18, SETS({"hResource", .number = 7}), SETS({"return", .number = 5}));
    expect_kept("C-08", 1);

    open_for(10, 7, 0x80000000);
    exchange(12, 18, SETS({"hResource", .number = 7}), NO_SETS);
    expect_broken("C-08", 13, "with success, which takes access to all, though hResource \"Disk 1\" was opened by "
                  "ApiOpenResourceEx in frame 11 with GENERIC_READ alone");

    open_for(10, 7, 0x80000000);
    exchange(12, 18, SETS({"hResource", .number = 7}), SETS({"return", .number = 997})); /* it is being done */
    expect_broken("C-08", 13, "with ERROR_IO_PENDING, which takes access to all, though hResource \"Disk 1\"");

    /* Reading, a handle that is good for all, and one whose access is not known. */
    open_for(10, 7, 0x80000000);
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    open_for(14, 8, 0x10000000);
    exchange(16, 18, SETS({"hResource", .number = 8}), NO_SETS);
    open_resource(18, 9);
    exchange(20, 18, SETS({"hResource", .number = 9}), NO_SETS);
    expect_not_applicable("C-08");
    exchange(12, 18, SETS({"hResource", .number = 7}), SETS({"return", .number = 5}));
    expect_not_applicable("C-08");
    exchange(12, 18, SETS({"hResource", .number = 7}), NO_SETS);
    expect_open("C-08", "IC-TRUNCATED", 12, "with a handle whose opening is not in the capture");
    sealed_exchange(10, 18);
    expect_open("C-08", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

/* ------------------------------------------------------------------------------------- transport and authentication */

static void good(uint32_t frame)
{
    exchange(frame, 3, none, none);
}

static void set_ntlm(uint32_t flags)
{
    context = (sec_context){{.mechanism = SEC_MECH_NTLM, .mechanism_text = "NTLMv2", .spnego = true, .ntlm_authenticate = true,
                             .ntlm_flags = flags, .have_key = true, .user = "CORP\\alice"}};
}

/* A call of version 2.0 as it should be: datagrams, NTLM, packet integrity. */
static void set_version_2(void)
{
    set_ntlm(0xE2888235);
    interface = &cmrp_interface_2;
    auth.auth_type = SEC_AUTH_NTLM;
    auth.level = SEC_LEVEL_INTEGRITY;
    association.transport = RPC_NCADG_IP_UDP;
    association.group = 0;
}

static void set_unprotected(void)
{
    auth.security = NULL;
    auth.level = SEC_LEVEL_NONE;
}

/* What all rules of one version's requests have in common. */
static void expect_other_version(const char *id, bool is_version_2)
{
    if (!is_version_2)
        set_version_2();
    good(10);
    expect_not_applicable(id);
    if (is_version_2)
        set_version_2();
    rpc_call *call = request_in(10, 3, none);
    call->request.auth = NULL;
    call->request.level = SEC_LEVEL_NONE;
    call->request.state = SEC_SEALED;
    call->request.reason = SEC_CUT;
    tell(call, false);
    expect_open(id, "IC-TRUNCATED", 10, "in a packet whose security trailer the snap length cut off");

    if (is_version_2)
        set_version_2();
    auth.level = 0; /* a datagram, whose header tells the mechanism */
    call = request_in(10, 3, none);
    call->request.state = SEC_UNVERIFIED;
    call->request.reason = SEC_CUT;
    tell(call, false);
    expect_open(id, "IC-TRUNCATED", 10, "in a packet whose security trailer the snap length cut off");
}

static void test_interface(void)
{
    set_up();
    bind_version(5, 3, -1);
    bind_version(6, 3, 0);
    bind_version(5, 2, -1);
    expect_kept("CMRP-1", 2);
    set_version_2();
    bind_version(5, 2, 0);
    expect_kept("CMRP-1", 1);
    bind_version(5, 4, -1);
    bind_version(6, 4, 2);
    expect_warned("CMRP-1", 5, "192.0.2.7:49152 asked 192.0.2.1:49664 for ClusAPI's interface in version 4.0; there are 2.0 and "
                  "3.0");
    tear_down();
}

static void test_level_2(void)
{
    set_up();
    set_version_2();
    good(10);
    auth.level = SEC_LEVEL_CONNECT;
    good(12);
    expect_kept("CMRP-2", 2);
    set_version_2();
    set_unprotected();
    good(10);
    expect_broken("CMRP-2", 10, "sent ApiGetClusterName to 192.0.2.1:49664 without an RPC security context; at least CONNECT "
                  "(2)");
    expect_other_version("CMRP-2", true);
    tear_down();
}

static void test_integrity_2(void)
{
    set_up();
    set_version_2();
    good(10);
    auth.level = SEC_LEVEL_PRIVACY;
    good(12);
    expect_kept("CMRP-3", 2);
    set_version_2();
    auth.level = SEC_LEVEL_CONNECT;
    good(10);
    expect_warned("CMRP-3", 10, "with auth_level 2 (connect), should be packet integrity (5)");
    set_version_2();
    auth.level = SEC_LEVEL_PKT;
    exchange(10, 108, none, none);
    good(12);
    expect_not_applicable("CMRP-3");
    expect_other_version("CMRP-3", true);
    tear_down();
}

static void expect_reason(const char *id, const char *reason)
{
    verifier_end(t.v);
    rule_summary s = verifier_summary(t.v, rule_by_id(id));
    g_assert_cmpint(s.verdict, ==, VERDICT_NOT_APPLICABLE);
    g_assert_cmpstr(s.reason, ==, reason);
}

/* Calls of both versions in either order, and a capture without any before them: what is said of the rule must be true of all. */
static void test_reasons(void)
{
    for (int order = 0; order < 2; order++) {
        set_up();
        verifier_end(t.v);
        expect_reason("CMRP-3", "no ClusAPI call in the capture");
        verifier_begin(t.v, &t.facts);
        good(10);
        expect_reason("CMRP-3", "version 2.0 was not spoken");
        tear_down();
        set_up();
        if (order)
            good(8);
        set_version_2();
        set_unprotected();
        good(10);
        interface = &cmrp_interface_3;
        if (!order)
            good(12);
        expect_reason("CMRP-3", "the calls were made without an RPC security context");
        expect_reason("CMRP-18", "the calls were made without NTLM");
        tear_down();
    }
}

static void test_password(void)
{
    set_up();
    set_version_2();
    auth.level = SEC_LEVEL_PRIVACY;
    good(10);
    exchange(12, 108, none, none);
    expect_kept("CMRP-4", 1);
    set_version_2();
    exchange(12, 108, none, none);
    expect_broken("CMRP-4", 12, "sent ApiSetServiceAccountPassword to 192.0.2.1:49664 with auth_level 5 (integrity), which "
                  "leaves the password readable");
    set_version_2();
    good(10);
    auth.level = SEC_LEVEL_PRIVACY;
    exchange(12, 108, none, none);
    expect_warned("CMRP-4", 12, "with packet privacy, after calls of the same session without");
    set_version_2();
    auth.level = SEC_LEVEL_PRIVACY;
    exchange(10, 108, none, none);
    auth.level = SEC_LEVEL_INTEGRITY;
    good(12);
    expect_warned("CMRP-4", 12, "sent ApiGetClusterName to 192.0.2.1:49664 with auth_level 5 (integrity), in a session that set "
                  "a password");
    set_version_2();
    good(10);
    expect_not_applicable("CMRP-4");
    exchange(12, 108, none, none); /* version 3.0 */
    expect_not_applicable("CMRP-4");
    tear_down();
}

static void test_ntlm(void)
{
    set_up();
    set_version_2();
    good(10);
    expect_kept("CMRP-5", 1);
    set_version_2();
    auth.auth_type = SEC_AUTH_KERBEROS;
    good(10);
    expect_broken("CMRP-5", 10, "with auth_type 16 (Kerberos); NTLM (10) is required");
    set_version_2();
    set_unprotected();
    good(10);
    expect_broken("CMRP-5", 10, "without an RPC security context; NTLM (auth_type 10) is required");
    expect_other_version("CMRP-5", true);

    set_version_2();
    good(10);
    expect_kept("CMRP-6", 1);
    set_version_2();
    context.facts.ntlm_flags |= 0x00100000;
    good(10);
    expect_broken("CMRP-6", 10, "with impersonation level IDENTIFY (NTLM flags 0xE2988235 hold 0x00100000)");
    set_version_2();
    context.facts.ntlm_authenticate = false;
    good(10);
    expect_open("CMRP-6", "IC-NOHANDSHAKE", 10, "with NTLM, whose AUTHENTICATE message is not in the capture");
    expect_other_version("CMRP-6", true);
    tear_down();
}

static void test_privacy_3(void)
{
    set_up();
    good(10);
    expect_kept("CMRP-7", 1);
    auth.level = SEC_LEVEL_INTEGRITY;
    good(10);
    good(12);
    expect_found("CMRP-7", VERDICT_VIOLATION, NULL, 2, 10, "with auth_level 5 (integrity); packet privacy (6) is required");
    set_unprotected();
    good(10);
    expect_broken("CMRP-7", 10, "without an RPC security context; packet privacy (6) is required");
    expect_other_version("CMRP-7", false);

    good(10);
    expect_kept("CMRP-8", 1);
    auth.level = SEC_LEVEL_INTEGRITY; /* reported once */
    good(10);
    expect_not_applicable("CMRP-8");
    expect_other_version("CMRP-8", false);

    good(10);
    expect_kept("CMRP-10", 1);
    auth.auth_type = SEC_AUTH_KERBEROS;
    good(10);
    expect_broken("CMRP-10", 10, "with auth_type 16 (Kerberos); SPNEGO (9) is required");
    expect_other_version("CMRP-10", false);
    tear_down();
}

static void test_refusal(void)
{
    set_up();
    auth.level = SEC_LEVEL_INTEGRITY;
    refuse(request(10, 3, none), 11, 5);
    request(12, 3, none);
    verifier_closed(t.v, 2); /* another's end */
    verifier_closed(t.v, 1);
    expect_kept("CMRP-9", 2);

    /* The connection went on: that it ended later says nothing of this request, whose answer was lost. */
    auth.level = SEC_LEVEL_INTEGRITY;
    request(10, 3, none);
    refuse(request(12, 3, none), 13, 5);
    verifier_closed(t.v, 1);
    expect_open("CMRP-9", "IC-ONE-WAY", 10, "sent ApiGetClusterName to 192.0.2.1:49664 with auth_level 5 (integrity), and no "
                "answer is in the capture");

    /* The bind is refused already; but not for its level where the interface is not there, or the transfer syntax. */
    association.asked.level = SEC_LEVEL_INTEGRITY;
    bind_version(10, 3, -1);
    association.asked.nak = true;
    bind_version(11, 3, 2);
    expect_kept("CMRP-9", 1);
    association.asked.level = SEC_LEVEL_INTEGRITY;
    bind_version(11, 3, 2);
    expect_kept("CMRP-9", 1);
    for (association.asked.reason = 1; association.asked.reason < 3; association.asked.reason++) {
        association.asked.level = SEC_LEVEL_INTEGRITY;
        bind_version(11, 3, 2);
        uint16_t reason = association.asked.reason;
        expect_not_applicable("CMRP-9");
        association.asked.reason = reason;
    }
    association.asked.nak = true;
    association.asked.level = SEC_LEVEL_PRIVACY;
    bind_version(11, 3, 2);
    expect_not_applicable("CMRP-9");

    auth.level = SEC_LEVEL_INTEGRITY;
    good(10);
    expect_broken("CMRP-9", 11, "192.0.2.1:49664 answered ApiGetClusterName of 192.0.2.7:49152 though it came with auth_level 5 "
                  "(integrity)");
    set_unprotected();
    exchange(10, 3, none, SETS({"return", .number = 5}));
    expect_warned("CMRP-9", 11, "with ERROR_ACCESS_DENIED and not with a fault");
    auth.level = SEC_LEVEL_PKT;
    request(10, 3, none);
    expect_open("CMRP-9", "IC-ONE-WAY", 10, "sent ApiGetClusterName to 192.0.2.1:49664 with auth_level 4 (packet), and no answer "
                "is in");
    auth.level = SEC_LEVEL_PKT;
    exchange(10, 186, none, none); /* whose parameters are nowhere told */
    expect_broken("CMRP-9", 11, "192.0.2.1:49664 answered Opnum186Reserved of 192.0.2.7:49152 though it came with auth_level 4");
    auth.level = SEC_LEVEL_PKT;
    rpc_call *call = request(10, 3, none);
    call->response = craft_message(RPC_RESPONSE, 11, NULL);
    protect(&call->response);
    call->response.reason = SEC_CUT;
    tell(call, true);
    expect_open("CMRP-9", "IC-TRUNCATED", 11, "the answer cannot be read: the snap length cut it");
    good(10);
    expect_not_applicable("CMRP-9");
    set_version_2();
    good(10);
    expect_not_applicable("CMRP-9");
    tear_down();
}

/* The association's client has resolved the name of its server, and binds. */
static void resolve(const char *name)
{
    t.facts.resolved = name;
    bind_version(5, 3, -1);
    t.facts.resolved = NULL;
}

static void test_spn(void)
{
    static const char *const rules[] = {"CMRP-11", "CMRP-12", "CMRP-13", "CMRP-14", "CMRP-15"};
    set_up();
    good(10);
    expect_kept("CMRP-11", 1);
    set_ntlm(0xE2888235);
    good(10);
    expect_open("CMRP-11", "IC-CACHE", 10, "with NTLM and no service principal name");

    resolve("node1.corp.example");
    set_ntlm(0xE2888235);
    good(10);
    expect_warned("CMRP-11", 10, "with NTLM and no service principal name, though it had asked for the address of "
                  "node1.corp.example right before");
    resolve("node1.corp.example");
    good(10); /* Kerberos */
    expect_kept("CMRP-11", 1);
    resolve("node1.corp.example");
    set_ntlm(0xE2888235);
    good(10);
    expect_not_applicable("CMRP-12");
    bind_version(5, 3, -1); /* what comes later is of no connection that was there before */
    resolve("node1.corp.example");
    set_ntlm(0xE2888235);
    good(10);
    expect_open("CMRP-11", "IC-CACHE", 10, "with NTLM and no service principal name");

    set_ntlm(0xE2888235);
    good(10);
    expect_kept("CMRP-12", 1);
    context.facts.target = "MSServerClusterMgmtAPI/192.0.2.1@CORP.EXAMPLE";
    good(10);
    expect_warned("CMRP-12", 10, "for the service principal MSServerClusterMgmtAPI/192.0.2.1@CORP.EXAMPLE, which is made of an "
                  "address");
    context.facts.target = "MSServerClusterMgmtAPI/2001:db8::1@CORP.EXAMPLE";
    good(10);
    expect_warned("CMRP-12", 10, "which is made of an address");
    context.facts.target = "MSServerClusterMgmtAPI/192.0.2.1:49664@CORP.EXAMPLE";
    good(10);
    expect_warned("CMRP-12", 10, "which is made of an address");
    context.facts.target = "MSServerClusterMgmtAPI/node1:49664@CORP.EXAMPLE";
    good(10);
    expect_not_applicable("CMRP-12");
    good(10);
    expect_not_applicable("CMRP-12");

    good(10);
    set_ntlm(0xE2888235);
    context.facts.target = "msserverclustermgmtapi/node1";
    good(12);
    expect_kept("CMRP-13", 2);
    context.facts.target = "host/node1@CORP.EXAMPLE";
    good(10);
    expect_broken("CMRP-13", 10, "for the service principal host/node1@CORP.EXAMPLE; MSServerClusterMgmtAPI/ and the server's "
                  "computer");
    context.facts.target = "MSServerClusterMgmtAPI/node1/corp.example@CORP.EXAMPLE";
    good(10);
    expect_broken("CMRP-13", 10, "are required, and nothing more");
    context.facts.target = "MSServerClusterMgmtAPI/@CORP.EXAMPLE";
    good(10);
    expect_broken("CMRP-13", 10, "MSServerClusterMgmtAPI/@CORP.EXAMPLE");
    set_ntlm(0xE2888235);
    good(10);
    expect_not_applicable("CMRP-13");

    good(10);
    expect_kept("CMRP-14", 1);
    context.facts.ap_options = 0;
    good(10);
    expect_broken("CMRP-14", 10, "without asking for mutual authentication (ap-options 0x00000000");
    context.facts.gss_flags = 0x203e;
    good(10);
    expect_broken("CMRP-14", 10, "with impersonation level IDENTIFY (GSS flags 0x0000203E");
    context.facts.gss_flags_known = false;
    good(10);
    expect_open("CMRP-14", "IC-ENCRYPTED", 10, "with Kerberos, whose authenticator is not opened");
    context.facts.ap_rep = false;
    good(10);
    expect_open("CMRP-14", "IC-ONE-WAY", 10, "the server's AP-REP is not in the capture");
    context.facts.ap_rep = false; /* not needed to tell this */
    context.facts.gss_flags = 0x203e;
    good(10);
    expect_broken("CMRP-14", 10, "with impersonation level IDENTIFY (GSS flags 0x0000203E");
    set_ntlm(0xE2988235);
    context.facts.target = "MSServerClusterMgmtAPI/node1";
    good(10);
    expect_broken("CMRP-14", 10, "with impersonation level IDENTIFY (NTLM flags 0xE2988235");
    set_ntlm(0xE2888235);
    context.facts.target = "MSServerClusterMgmtAPI/node1";
    good(10);
    expect_warned("CMRP-14", 10, "with NTLM, though it named the service principal MSServerClusterMgmtAPI/node1");
    set_ntlm(0xE2888235);
    good(10);
    expect_not_applicable("CMRP-14");

    set_ntlm(0xE2888235);
    good(10);
    expect_kept("CMRP-15", 1);
    set_ntlm(0xE2988235);
    good(10);
    expect_broken("CMRP-15", 10, "with impersonation level IDENTIFY");
    good(10);
    expect_not_applicable("CMRP-15");

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        set_ntlm(0);
        context.facts.ntlm_authenticate = false;
        good(10);
        expect_open(rules[i], "IC-NOHANDSHAKE", 10, "with NTLM, whose AUTHENTICATE message is not in the capture");
        set_unprotected();
        good(10);
        expect_not_applicable(rules[i]);
        expect_other_version(rules[i], false);
    }
    tear_down();
}

static void test_permission(void)
{
    set_up();
    set_unprotected();
    good(10);
    expect_broken("CMRP-16", 11, "answered ApiGetClusterName of 192.0.2.7:49152 with success, though it was called without an "
                  "RPC security");
    set_ntlm(0xE2888A35);
    context.facts.anonymous = true;
    good(10);
    expect_broken("CMRP-16", 11, "with success, though it was called anonymously");
    set_ntlm(0xE2888235);
    context.facts.user = "CORP\\guest";
    good(10);
    expect_broken("CMRP-16", 11, "with success, though it was called as Guest");
    context.facts.user = "guest1@CORP.EXAMPLE";
    good(10);
    expect_open("CMRP-16", "IC-CONFIG", 10, "as guest1@CORP.EXAMPLE");
    set_unprotected();
    refuse(request(10, 3, none), 11, 5);
    exchange(12, 3, none, SETS({"return", .number = 5}));
    expect_kept("CMRP-16", 2);
    set_ntlm(0xE2888235);
    good(10);
    good(12);
    expect_open("CMRP-16", "IC-CONFIG", 10, "as CORP\\alice: whom the cluster's security descriptor permits is not in the "
                "capture");
    set_unprotected();
    exchange(12, 3, none, SETS({"return", .number = 0x6BF}));
    expect_not_applicable("CMRP-16");
    set_unprotected();
    exchange(12, 17, none, SETS({"return", .number = 997}));
    expect_broken("CMRP-16", 13, "with ERROR_IO_PENDING, though it was called without an RPC security context");
    set_unprotected();
    exchange(12, 186, none, none);
    expect_open("CMRP-16", "IC-INTERNAL", 13, "cannot be read: the specification does not tell its parameters");

    open_for(10, 7, 0x80000000);
    exchange(12, 18, SETS({"hResource", .number = 7}), none);
    expect_broken("CMRP-17", 13, "with success, which takes access to all");
    open_for(10, 7, 0x80000000);
    exchange(12, 18, SETS({"hResource", .number = 7}), SETS({"return", .number = 5}));
    expect_kept("CMRP-17", 1);
    tear_down();
}

static void test_registered(void)
{
    set_up();
    set_version_2();
    good(10);
    refuse(request(12, 3, none), 13, 5); /* a wrong password */
    expect_kept("CMRP-18", 1);
    set_version_2();
    auth.bound = false;
    refuse(request(12, 3, none), 13, 0x1c00000b);
    expect_warned("CMRP-18", 13, "with fault 0x1C00000B and without a call back for NTLM's handshake");
    association.asked.auth_type = SEC_AUTH_NTLM; /* over a connection */
    association.asked.nak = true;
    association.asked.reason = 8;
    bind_version(6, 2, 2);
    expect_broken("CMRP-18", 6, "refused the bind of 192.0.2.7:49152 with auth_type 10 (NTLM): the authentication type is not "
                  "recognized");
    set_version_2();
    auth.auth_type = SEC_AUTH_KERBEROS;
    good(10);
    expect_not_applicable("CMRP-18");
    good(10);
    expect_not_applicable("CMRP-18");

    good(10);
    expect_kept("CMRP-19", 1);
    association.asked.auth_type = SEC_AUTH_SPNEGO;
    bind_version(5, 3, -1);
    association.asked.nak = true;
    association.asked.reason = 8;
    bind_version(6, 3, 2);
    expect_broken("CMRP-19", 6, "refused the bind of 192.0.2.7:49152 with auth_type 9 (SPNEGO)");
    association.asked.nak = true;
    association.asked.reason = 4; /* a protocol version */
    bind_version(6, 3, 2);
    expect_not_applicable("CMRP-19");
    set_ntlm(0xE2888235);
    good(10);
    expect_open("CMRP-19", "IC-NOHANDSHAKE", 10, "over SPNEGO, which was accepted");
    context.facts.ap_rep = false;
    good(10);
    expect_open("CMRP-19", "IC-NOHANDSHAKE", 10, "with Kerberos, but the server's AP-REP");
    context.facts.target = "host/node1@CORP.EXAMPLE";
    good(10);
    expect_not_applicable("CMRP-19");
    set_version_2();
    good(10);
    expect_not_applicable("CMRP-19");
    tear_down();
}

static void ask(uint32_t frame, bool ndr64, int result, uint16_t reason)
{
    association.asked.ndr64 = ndr64;
    association.asked.reason = reason;
    bind_version(frame, 3, result);
}

static void test_syntaxes(void)
{
    set_up();
    ask(5, false, -1, 0);
    ask(5, true, -1, 0);
    ask(6, false, 0, 0);
    ask(6, false, 2, 2); /* one of both is enough: the tracker tells that NDR64 was not asked for alone */
    expect_kept("C-01", 1);
    ask(5, true, -1, 0);
    ask(6, true, 2, 2);
    expect_broken("C-01", 6, "192.0.2.1:49664 refused NDR64 (reason 2, transfer syntax), which was all that 192.0.2.7:49152 "
                  "asked for");
    ask(5, true, -1, 0);
    ask(6, true, 2, 1); /* the interface is not there */
    expect_not_applicable("C-01");
    tear_down();
}

/* ------------------------------------------------------------------------------------------------- single methods */

static void test_granted(void)
{
    set_up();
    open_for(10, 7, 0x80000000);
    exchange(12, 117, SETS({"dwDesiredAccess", .number = 0x02000000}), SETS({"lpdwGrantedAccess", .number = 0x10000000}));
    exchange(14, 117, SETS({"dwDesiredAccess", .number = 2}), SETS({"return", .null = true}, {"Status", .number = 0x57}));
    exchange(16, 117, SETS({"dwDesiredAccess", .number = 3}), SETS({"lpdwGrantedAccess", .number = 0x10000000}));
    exchange(18, 117, SETS({"dwDesiredAccess", .number = 0x80000002}), SETS({"lpdwGrantedAccess", .number = 0x80000000}));
    expect_kept("C-09", 5);
    exchange(12, 117, SETS({"dwDesiredAccess", .number = 0x10002}), SETS({"lpdwGrantedAccess", .number = 0x10000000}));
    expect_broken("C-09", 13, "with success, though dwDesiredAccess 0x00010002 asks for CLUSAPI_CHANGE");
    exchange(12, 117, SETS({"dwDesiredAccess", .number = 2}), SETS({"lpdwGrantedAccess", .number = 0x10000000}));
    expect_broken("C-09", 13, "answered ApiOpenClusterEx of 192.0.2.7:49152 with success, though dwDesiredAccess "
                  "0x00000002 asks for CLUSAPI_CHANGE");
    open_for(10, 7, 3);
    expect_broken("C-09", 11, "with lpdwGrantedAccess 0x00000003; GENERIC_READ (0x80000000) or GENERIC_ALL");
    exchange(12, 117, none, SETS({"return", .null = true}, {"Status", .number = 5}));
    expect_not_applicable("C-09");
    sealed_exchange(10, 117);
    expect_open("C-09", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

static void open_node(uint32_t frame, size_t length, uint32_t status)
{
    char *name = g_strnfill(length, 'n');
    exchange(frame, 66, SETS({"lpszNodeName", .text = name}),
             SETS({"return", .null = status != 0}, {"Status", .number = status}));
    g_free(name);
}

static void test_names(void)
{
    set_up();
    open_node(10, 63, 0);
    expect_kept("C-10", 1);
    open_node(10, 64, 0x57);
    expect_broken("C-10", 10, "sent ApiOpenNode to 192.0.2.1:49664 with lpszNodeName of 130 octets; the limit of version 3.0 is "
                  "128");
    open_node(10, 64, 0);
    verifier_end(t.v);
    g_assert_cmpuint(verifier_summary(t.v, rule_by_id("C-10")).count, ==, 1);
    bool warned = false;
    for (size_t i = 0; i < verifier_finding_count(t.v); i++)
        warned |= strcmp(verifier_finding(t.v, i)->rule->id, "C-10") == 0 && verifier_finding(t.v, i)->verdict == VERDICT_WARNING;
    g_assert_true(warned);
    tear_down();
    set_up();
    set_version_2();
    open_node(10, 15, 0);
    expect_kept("C-10", 1);
    set_version_2();
    open_node(10, 16, 0x57);
    expect_broken("C-10", 10, "with lpszNodeName of 34 octets; the limit of version 2.0 is 32");
    open_resource(10, 7); /* names of resources have no such limit */
    expect_not_applicable("C-10");
    tear_down();
}

static void test_reserved(void)
{
    set_up();
    good(10);
    exchange(12, 185, none, none);
    expect_kept("C-11", 2);
    request(10, 111, none);
    expect_broken("C-11", 10, "sent Opnum111NotUsedOnWire to 192.0.2.1:49664 (opnum 111), which is reserved for local use");
    rpc_call *call = request_in(10, 264, none); /* the opnum is in sight */
    seal(&call->request);
    tell(call, false);
    expect_broken("C-11", 10, "(opnum 264)");

    refuse(request(10, 186, none), 11, 0x1c010002);
    expect_warned("C-12", 10, "(opnum 186), which is reserved for future use and should not be sent");
    call = request(10, 263, none);
    call->response = craft_message(RPC_RESPONSE, 11, NULL);
    tell(call, true);
    expect_broken("C-12", 11, "(opnum 263, reserved for future use) with a response; fault 0x1C010002 is required");
    good(10);
    exchange(12, 185, none, none);
    expect_not_applicable("C-12");
    tear_down();
}

static void test_account_password(void)
{
    set_up();
    exchange(10, 108, none, SETS({"return", .number = 0x78}));
    expect_kept("C-13", 1);
    exchange(10, 108, none, none);
    expect_broken("C-13", 11, "with 0x00000000; version 3.0 always fails it with ERROR_CALL_NOT_IMPLEMENTED");
    refuse(request(10, 108, none), 11, 5);
    expect_not_applicable("C-13");
    set_version_2();
    exchange(10, 108, none, none);
    expect_not_applicable("C-13");

    set_version_2();
    exchange(10, 108, SETS({"dwFlags", .number = 1}), none); /* counts agree: size 3, length 2 */
    expect_kept("C-14", 1);
    set_version_2();
    exchange(10, 108, SETS({"dwFlags", .number = 2}), none);
    expect_broken("C-14", 10, "with dwFlags 0x2; only 1 is defined");
    set_version_2();
    exchange(10, 108, none, SETS({"SizeReturned", .number = 4}));
    expect_broken("C-14", 11, "with SizeReturned 4, which is more than ReturnStatusBufferSize 3");
    set_version_2();
    exchange(10, 108, none, SETS({"return", .number = 0xEA}));
    expect_broken("C-14", 11, "with ERROR_MORE_DATA and without ExpectedBufferSize");
    set_version_2();
    exchange(10, 108, none, SETS({"return", .number = 0xEA}, {"ExpectedBufferSize", .number = 9}));
    expect_kept("C-14", 1);
    exchange(10, 108, none, none);
    expect_not_applicable("C-14");
    tear_down();
}

static void create_enum(uint32_t frame, uint32_t type, uint32_t status)
{
    exchange(frame, 7, SETS({"dwType", .number = type}), SETS({"return", .number = status}, {"ReturnEnum", .null = true}));
}

/* A list of three entries. */
static void list_entries(uint32_t frame, uint32_t type, uint32_t entry_type, uint32_t count)
{
    exchange(frame, 7, SETS({"dwType", .number = type}), SETS({"Type", .number = entry_type}, {"EntryCount", .number = count}));
}

static void test_enumerations(void)
{
    set_up();
    create_enum(10, 1, 0);
    create_enum(12, 0x3F, 0);
    create_enum(14, 0x80000000, 0);
    create_enum(16, 0x40000000, 0);
    expect_kept("C-15", 4);
    create_enum(10, 0x80000001, 0x57);
    expect_broken("C-15", 10, "with dwType 0x80000001; it is a sum of 1 to 0x20");
    create_enum(10, 0x40, 0);
    expect_found("C-15", VERDICT_VIOLATION, NULL, 1, 10, "with dwType 0x00000040");
    create_enum(10, 0, 0);
    expect_not_applicable("C-15");

    list_entries(10, 5, 4, 3);
    list_entries(12, 0x40000000, 4, 3); /* what this lists are resources */
    expect_kept("C-16", 2);
    list_entries(10, 5, 2, 3);
    expect_broken("C-16", 11, "with an entry of Type 0x2, which is none of those asked for (dwType 0x5)");
    list_entries(10, 5, 5, 3);
    expect_broken("C-16", 11, "with an entry of Type 0x5");
    list_entries(10, 5, 4, 2);
    expect_broken("C-16", 11, "with an ENUM_LIST of 3 entries whose EntryCount is 2");
    create_enum(10, 1, 5);
    expect_not_applicable("C-16");
    sealed_exchange(10, 7);
    expect_open("C-16", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

static void query(uint32_t frame, uint32_t size, uint32_t required, uint32_t status)
{
    exchange(frame, 34, SETS({"cbData", .number = size}), SETS({"lpcbRequired", .number = required},
                                                               {"return", .number = status}));
}

static void test_registry(void)
{
    set_up();
    exchange(10, 32, SETS({"dwType", .number = 1}), none);
    exchange(12, 32, SETS({"dwType", .number = 11}), none);
    expect_kept("C-17", 2);
    exchange(10, 32, SETS({"dwType", .number = 6}), none);
    expect_warned("C-17", 10, "with dwType 6, which version 3.0 does not have");
    exchange(10, 34, none, SETS({"lpValueType", .number = 4}));
    exchange(12, 36, none, SETS({"lpType", .number = 11}));
    expect_kept("C-17", 2);
    exchange(10, 34, none, SETS({"lpValueType", .number = 5}));
    expect_warned("C-17", 11, "with lpValueType 5, which version 3.0 does not have");
    exchange(10, 36, none, SETS({"lpType", .number = 5}));
    expect_warned("C-17", 11, "with lpType 5, which version 3.0 does not have");
    set_version_2();
    exchange(10, 32, SETS({"dwType", .number = 11}), none);
    expect_warned("C-17", 10, "with dwType 11, which version 2.0 does not have");

    query(10, 3, 2, 0);
    query(12, 3, 8, 0xEA);
    expect_kept("C-18", 2);
    query(10, 3, 3, 0xEA);
    expect_broken("C-18", 11, "with ERROR_MORE_DATA and lpcbRequired 3, though cbData is 3");
    query(10, 3, 4, 0);
    expect_broken("C-18", 11, "with success and lpcbRequired 4, though cbData is 3");
    query(10, 3, 0, 2);
    expect_not_applicable("C-18");
    tear_down();
}

/* --------------------------------------------------------------------------------------------------- control codes */

static void control(uint32_t frame, uint32_t code, uint32_t size, uint32_t returned, uint32_t required, uint32_t status)
{
    exchange(frame, 73, SETS({"dwControlCode", .number = code}, {"nOutBufferSize", .number = size}, {"hResource", .number = 7}),
             SETS({"lpBytesReturned", .number = returned}, {"lpcbRequired", .number = required}, {"return", .number = status},
                  {"lpOutBuffer", .octets = "abcdefgh", .length = returned}));
}

static void test_controls(void)
{
    set_up();
    control(10, 0x01000001, 8, 4, 4, 0);
    control(12, 0x01000001, 0, 0, 8, 0xEA);
    control(14, 0x01000001, 8, 0, 0, 0);
    expect_kept("C-19", 3);
    control(10, 0x01000001, 3, 4, 0, 0);
    expect_broken("C-19", 11, "with lpBytesReturned 4, which is more than nOutBufferSize 3");
    control(10, 0x01000001, 3, 0, 0, 0xEA);
    expect_broken("C-19", 11, "with ERROR_MORE_DATA and without lpcbRequired");
    control(10, 0x01000001, 8, 0, 4, 0);
    expect_warned("C-19", 11, "with success and no data, and yet with lpcbRequired 4");

    control(10, 0x01000001, 8, 0, 0, 0);
    expect_kept("C-20", 1);
    control(10, 0x03000059, 8, 0, 0, 0);
    expect_broken("C-20", 10, "with dwControlCode 0x03000059 (CLUSCTL_GROUP_GET_COMMON_PROPERTIES), whose object is 3; the "
                  "method's is 1");
    control(10, 0x02000059, 8, 0, 0, 0);
    expect_broken("C-20", 10, "whose object is 2; the method's is 1");
    exchange(10, 75, SETS({"dwControlCode", .number = 0x07002121}), none); /* of two minds */
    exchange(12, 75, SETS({"dwControlCode", .number = 0x01000229}), none);
    control(14, 0x400021DD, 8, 0, 0, 0);
    expect_not_applicable("C-20");
    exchange(10, 77, SETS({"dwControlCode", .number = 0x01000059}), none);
    expect_broken("C-20", 10, "sent ApiGroupControl to 192.0.2.1:49664 with dwControlCode 0x01000059");

    open_for(10, 7, 0x80000000);
    control(12, 0x0140005E, 8, 0, 0, 5);
    expect_kept("C-21", 1);
    open_for(10, 7, 0x80000000);
    control(12, 0x0140005E, 8, 0, 0, 0);
    expect_warned("C-21", 13, "with success, though dwControlCode 0x0140005E modifies and hResource \"Disk 1\" was opened with "
                  "GENERIC_READ");
    open_for(10, 7, 0x80000000);
    control(12, 0x01000059, 8, 0, 0, 0);
    open_for(14, 7, 0x10000000);
    control(16, 0x0140005E, 8, 0, 0, 0);
    expect_not_applicable("C-21");
    tear_down();
}

/* Octets of property lists and batches. */
static void put32(GByteArray *out, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t octet = (uint8_t)(number >> 8 * i);
        g_byte_array_append(out, &octet, 1);
    }
}

static void put_text(GByteArray *out, const char *text)
{
    for (const char *c = text;; c++) {
        uint8_t unit[2] = {(uint8_t)*c, 0};
        g_byte_array_append(out, unit, 2);
        if (!*c)
            return;
    }
}

/* A list of one property, "a", with a value of each of these syntaxes, which are strings. */
static GByteArray *property_list(const uint32_t *syntaxes)
{
    GByteArray *out = g_byte_array_new();
    put32(out, 1);
    put32(out, 0x00040003);
    put32(out, 4);
    put_text(out, "a");
    for (; *syntaxes; syntaxes++) {
        put32(out, *syntaxes);
        put32(out, 4);
        put_text(out, "b");
    }
    put32(out, 0);
    return out;
}

static void set_properties(uint32_t frame, const uint32_t *syntaxes, guint length)
{
    GByteArray *list = property_list(syntaxes);
    exchange(frame, 73, SETS({"dwControlCode", .number = 0x0140005E},
                             {"lpInBuffer", .octets = list->data, .length = MIN(list->len, length)}),
             SETS({"lpOutBuffer", .octets = "", .length = 0}));
    g_byte_array_unref(list);
}

static void get_properties(uint32_t frame, const uint32_t *syntaxes, guint length)
{
    GByteArray *list = property_list(syntaxes);
    exchange(frame, 73, SETS({"dwControlCode", .number = 0x01000059}, {"nOutBufferSize", .number = 1000},
                             {"lpInBuffer", .null = true}),
             SETS({"lpOutBuffer", .octets = list->data, .length = MIN(list->len, length)},
                  {"lpBytesReturned", .number = MIN(list->len, length)}));
    g_byte_array_unref(list);
}

static void test_properties(void)
{
    static const uint32_t sz[] = {0x00010003, 0}, expanded[] = {0x00010008, 0}, pair[] = {0x00010004, 0x00010008, 0},
                          alone[] = {0x00010004, 0}, apart[] = {0x00010004, 0x00010003, 0};
    set_up();
    set_properties(10, sz, 1000);
    get_properties(12, pair, 1000);
    expect_kept("C-22", 2);
    set_properties(10, sz, 14);
    expect_broken("C-22", 10, "sent ApiResourceControl to 192.0.2.1:49664 with a property list that is malformed at octet");
    get_properties(10, sz, 22);
    expect_broken("C-22", 11, "answered ApiResourceControl of 192.0.2.7:49152 with a property list that is malformed");
    control(10, 0x01000001, 8, 0, 0, 0);
    expect_not_applicable("C-22");
    sealed_exchange(10, 73);
    expect_open("C-22", "IC-ENCRYPTED", 10, "no key for CORP\\alice");

    set_properties(10, alone, 1000);
    get_properties(12, pair, 1000);
    expect_kept("C-23", 2);
    set_properties(10, expanded, 1000);
    expect_broken("C-23", 10, "with a property value of the format EXPANDED_SZ, which servers alone send");
    get_properties(10, alone, 1000);
    expect_broken("C-23", 11, "with a property value of the format EXPAND_SZ that no EXPANDED_SZ follows");
    get_properties(10, apart, 1000);
    expect_broken("C-23", 11, "that no EXPANDED_SZ follows");
    tear_down();
}

/* Each command's name is a letter of `names`, or "k". */
static GByteArray *batch(uint32_t version, const uint32_t *commands, const char *names)
{
    GByteArray *out = g_byte_array_new();
    put32(out, version);
    for (const char *name = names; *commands; commands++) {
        const char text[2] = {*name ? *name++ : 'k', 0};
        put32(out, *commands);
        put32(out, 4);
        put32(out, 4);
        put_text(out, text);
        put32(out, 4);
        put32(out, 1);
    }
    return out;
}

static void run_batch(uint32_t frame, uint32_t version, const uint32_t *commands, uint32_t status)
{
    GByteArray *octets = batch(version, commands, "");
    exchange(frame, 113, SETS({"lpData", .octets = octets->data, .length = octets->len}), SETS({"return", .number = status}));
    g_byte_array_unref(octets);
}

static void read_batch(uint32_t frame, const uint32_t *asked, const uint32_t *told, const char *names)
{
    GByteArray *in = batch(1, asked, "ab"), *out = batch(1, told, names);
    exchange(frame, 145, SETS({"lpInData", .octets = in->data, .length = in->len}),
             SETS({"lpOutData", .octets = out->data, .length = out->len}));
    g_byte_array_unref(in);
    g_byte_array_unref(out);
}

static void test_batches(void)
{
    static const uint32_t fine[] = {2, 1, 4, 3, 2, 1, 0}, orphan[] = {2, 1, 3, 1, 0}, one[] = {8, 0}, two[] = {8, 8, 0},
                          error[] = {9, 8, 0}, key[] = {8, 7, 0};
    set_up();
    run_batch(10, 1, fine, 0);
    expect_kept("C-24", 1);
    run_batch(10, 2, fine, 0);
    expect_broken("C-24", 10, "sent ApiExecuteBatch to 192.0.2.1:49664 with a batch of version 2; 1 is required");
    run_batch(10, 1, orphan, 0);
    expect_broken("C-24", 11, "with success, though command 4 is about a value after a key was deleted and none created");
    run_batch(10, 1, orphan, 0x57);
    expect_kept("C-24", 2);

    read_batch(10, two, two, "aB");
    read_batch(12, two, error, "xb");
    expect_kept("C-25", 2);
    read_batch(10, two, one, "a");
    expect_broken("C-25", 11, "with a batch of 1 commands, where 2 were asked");
    read_batch(10, two, two, "ba");
    expect_broken("C-25", 11, "with a batch whose command 1 (\"b\") does not answer the one that was asked there (\"a\")");
    read_batch(10, two, key, "ab");
    expect_broken("C-25", 11, "with a batch whose command 2 (\"b\") does not answer");
    sealed_exchange(10, 145);
    expect_open("C-25", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

/* --------------------------------------------------------------------------------------------------- notifications */

static void open_port(uint32_t frame)
{
    exchange(frame, 55, none, SETS({"return", .number = 7}));
}

static void add_notify(uint32_t frame, uint32_t key, uint32_t filter)
{
    exchange(frame, 60, SETS({"hNotify", .number = 7}, {"dwNotifyKey", .number = key}, {"dwFilter", .number = filter}), none);
}

static void get_notify(uint32_t frame, uint32_t key, uint32_t filter)
{
    exchange(frame, 65, SETS({"hNotify", .number = 7}), SETS({"dwNotifyKey", .number = key}, {"dwFilter", .number = filter}));
}

static void unblock(uint32_t frame)
{
    exchange(frame, 107, SETS({"hNotify", .number = 7}), none);
}

static void test_events(void)
{
    set_up();
    get_notify(10, 1, 0x100);
    exchange(12, 139, SETS({"hNotify", .number = 7}), none); /* three notifications */
    expect_kept("C-26", 2);
    open_port(8);
    get_notify(10, 0, 0);
    expect_warned("C-26", 11, "answered ApiGetNotify of 192.0.2.7:49152 with success and no event, and nothing had ended the "
                  "waiting");
    get_notify(10, 0, 0);
    expect_open("C-26", "IC-TRUNCATED", 11, "with success and no event, on a port whose opening is not in the capture");
    open_port(8);
    exchange(10, 139, SETS({"hNotify", .number = 7}), SETS({"Notifications", .null = true}));
    expect_warned("C-26", 11, "with success and no event");
    rpc_call *call = request(10, 65, SETS({"hNotify", .number = 7}));
    unblock(12);
    answer(call, 14, none);
    expect_not_applicable("C-26");

    get_notify(10, 1, 0x100);
    expect_kept("C-28", 1);
    get_notify(10, 1, 0x20000100);
    expect_broken("C-28", 11, "with dwFilter 0x20000100, of which servers never return 0x20000000");
    get_notify(10, 1, 0x00080000);
    expect_kept("C-28", 1);
    set_version_2();
    get_notify(10, 1, 0x00080000);
    expect_broken("C-28", 11, "with dwFilter 0x00080000");

    open_port(10);
    add_notify(12, 5, 0x100);
    add_notify(14, 5, 0x200);
    get_notify(16, 5, 0x100);
    get_notify(18, 5, 0x200);
    expect_kept("C-29", 2);
    open_port(10);
    add_notify(12, 5, 0x100);
    get_notify(14, 6, 0x100);
    expect_warned("C-29", 15, "with dwNotifyKey 6, which was not registered on this port since frame 11 opened it");
    open_port(10);
    add_notify(12, 5, 0x100);
    get_notify(14, 5, 0x200);
    expect_warned("C-29", 15, "with dwFilter 0x00000200, though 0x00000100 was asked for under dwNotifyKey 5");
    open_port(10); /* events were lost, and the client is told so */
    add_notify(12, 5, 0x100);
    get_notify(14, 5, 0x00080000);
    unblock(16);
    get_notify(18, 0, 0);
    expect_not_applicable("C-29");
    open_port(10);
    call = request_in(12, 60, SETS({"hNotify", .number = 7}));
    g_byte_array_set_size(call->request.stub, 20);
    tell(call, false);
    get_notify(14, 6, 0x100);
    expect_open("C-29", "IC-TRUNCATED", 15, "from a port whose registrations are not all to be read in the capture");
    open_port(10);
    call = request_in(12, 3, none);
    call->call_id++; /* one is missing, which may have registered the key */
    tell(call, false);
    get_notify(14, 6, 0x100);
    expect_open("C-29", "IC-TRUNCATED", 15, "from a port whose registrations are not all");
    get_notify(10, 5, 0x100);
    expect_open("C-29", "IC-TRUNCATED", 11, "from a port whose opening is not in the capture");
    tear_down();
}

static void test_unblocked(void)
{
    set_up();
    rpc_call *call = request(10, 65, SETS({"hNotify", .number = 7}));
    unblock(12);
    answer(call, 14, none);
    expect_kept("C-27", 1);

    request(10, 147, SETS({"hNotify", .number = 7}));
    unblock(12);
    call = request_in(20, 3, none);
    call->request.seconds = 60;
    tell(call, false);
    expect_warned("C-27", 10, "ApiGetNotifyAsync of 192.0.2.7:49152 was not answered by 192.0.2.1:49664, though its port was "
                  "unblocked or closed in frame 13");
    request(10, 147, SETS({"hNotify", .number = 7}));
    unblock(12);
    expect_open("C-27", "IC-TRUNCATED", 10, "the capture ends soon after");
    /* The client has gone: whether it was there for the answer is not known. It was where it went on calling. */
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        association.number = association.connection = 2;
        request(10, 147, SETS({"hNotify", .number = 7}));
        association.number = association.connection = 1;
        unblock(12);
        association.number = association.connection = goes_on ? 2 : 1;
        call = request_in(20, 3, none);
        call->request.seconds = 60;
        tell(call, false);
        verifier_closed(t.v, 2);
        if (goes_on)
            expect_warned("C-27", 10, "though its port was unblocked or closed in frame 13");
        else
            expect_open("C-27", "IC-TRUNCATED", 10, "unblocked or closed in frame 13; its connection ended as well");
    }
    request(10, 147, SETS({"hNotify", .number = 7})); /* waits on */
    expect_not_applicable("C-27");
    tear_down();
}

static void add_notify_v2(uint32_t frame, uint32_t version, uint32_t object, uint64_t flags, bool targeted)
{
    exchange(frame, 138, SETS({"hNotify", .number = 7}, {"hObject", .number = 8}, {"dwVersion", .number = version},
                              {"dwObjectType", .number = object}, {"FilterFlags", .number = flags},
                              {"isTargetedAtObject", .number = targeted}),
             none);
}

static void test_registrations(void)
{
    set_up();
    exchange(10, 137, none, SETS({"return", .number = 7}));
    open_resource(12, 8);
    add_notify_v2(14, 2, 3, 1, true);
    add_notify_v2(16, 2, 9, 1, true); /* the quorum, which has no type of its own */
    expect_kept("C-30", 2);
    add_notify_v2(14, 1, 3, 1, true);
    expect_broken("C-30", 14, "with dwVersion 1; 2 is required");
    open_port(10);
    add_notify_v2(14, 2, 3, 1, true);
    expect_broken("C-30", 14, "on a port that ApiCreateNotify opened; one of ApiCreateNotifyV2 is required");
    add_notify_v2(14, 2, 1, 0x89, true);
    expect_broken("C-30", 14, "with FilterFlags 0x89, of which 0x9 is not to be set");
    open_resource(12, 8);
    add_notify_v2(14, 2, 2, 1, true);
    expect_broken("C-30", 14, "for an object of type 2, targeted at it, with a handle of type HRES_RPC; HGROUP_RPC is required");
    open_resource(12, 8);
    add_notify_v2(14, 2, 3, 1, false);
    expect_broken("C-30", 14, "HCLUSTER_RPC is required");
    tear_down();
}

/* ---------------------------------------------------------------------------------------------------------- the rest */

static void test_start(void)
{
    set_up();
    good(10);
    exchange(12, 117, none, none);
    create_enum(14, 1, 0);
    create_enum(16, 4, 0);
    expect_kept("C-33", 1);
    create_enum(14, 1, 0);
    good(16);
    expect_not_applicable("C-33");
    for (uint32_t i = 0; i < 3; i++)
        refuse(request(10 + 2 * i, 3, none), 11 + 2 * i, 0x6BF);
    good(16);
    for (uint32_t i = 0; i < 3; i++)
        exchange(20 + 2 * i, 3, none, SETS({"return", .number = 0x6BF}));
    refuse(request(26, 3, none), 27, 0x6BF);
    expect_not_applicable("C-33");
    for (uint32_t i = 0; i < 5; i++)
        refuse(request(10 + 2 * i, 3, none), 11 + 2 * i, 0x6BF);
    expect_warned("C-33", 18, "after 4 attempts in a row had failed with 0x6BF");
    for (uint32_t i = 0; i < 5; i++) {
        association.number = 1 + i;
        refuse(request(10 + 2 * i, 3, none), 11 + 2 * i, 0x6BF);
    }
    association.number = 1;
    expect_not_applicable("C-33");
    for (uint32_t i = 0; i < 5; i++)
        refuse(request(10 + 2 * i, 3, none), 11 + 2 * i, 5);
    expect_not_applicable("C-33");
    for (uint32_t i = 0; i < 4; i++)
        sealed_exchange(10 + 2 * i, 3);
    expect_not_applicable("C-33");
    for (uint32_t i = 0; i < 5; i++)
        sealed_exchange(10 + 2 * i, 3);
    expect_open("C-33", "IC-ENCRYPTED", 18, "after 4 attempts in a row may have failed with 0x6BF");
    verifier_end(t.v);
    check_summary("C-31", VERDICT_NOT_OBSERVABLE, "IC-INTERNAL", 0);
    tear_down();
}

static void ask_state(uint32_t frame, uint32_t status)
{
    exchange(frame, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = status}));
}

static void test_reconnect(void)
{
    set_up();
    ask_state(10, 5072);
    association.number = association.connection = 2;
    association.server = (char *)"192.0.2.2:49664"; /* another node */
    good(12);
    ask_state(14, 0);
    expect_kept("C-32", 1);
    ask_state(10, 5073);
    ask_state(12, 0); /* of the same node */
    good(14);
    expect_open("C-32", "IC-CACHE", 11, "192.0.2.1:49664 answered ApiGetResourceState of 192.0.2.7:49152 with 5073, which tells "
                "it to reconnect; whether it knew another node");
    ask_state(10, 6);
    ask_state(12, 0);
    refuse(request(14, 12, SETS({"hResource", .number = 7})), 15, 5072);
    expect_not_applicable("C-32");
    set_version_2();
    ask_state(10, 6);
    expect_open("C-32", "IC-CACHE", 11, "with 6, which tells it to reconnect");
    tear_down();
}

static void move(uint32_t frame, uint32_t flags, uint32_t status)
{
    exchange(frame, 132, SETS({"dwMoveFlags", .number = flags}), SETS({"return", .number = status}));
}

static void test_single_methods(void)
{
    set_up();
    move(10, 5, 0x57);
    expect_kept("C-34", 1);
    move(10, 5, 0x3E5);
    expect_broken("C-34", 11, "with 0x000003E5, though dwMoveFlags 0x5 holds both 1 and 4");
    move(10, 4, 0);
    expect_not_applicable("C-34");

    exchange(10, 129, SETS({"dwVersion", .number = 1}, {"dwGroupType", .number = 107}), none);
    expect_kept("C-35", 1);
    exchange(10, 129, SETS({"dwVersion", .number = 2}, {"dwGroupType", .number = 107}), none);
    expect_broken("C-35", 10, "with dwVersion 2 of CLUSTER_CREATE_GROUP_INFO_RPC; 1 is required");
    exchange(10, 129, SETS({"dwVersion", .number = 1}, {"dwGroupType", .number = 4}), none);
    expect_broken("C-35", 10, "with dwGroupType 4, which clients do not create");
    exchange(10, 129, SETS({"pGroupInfo", .null = true}), none);
    expect_not_applicable("C-35");

    exchange(10, 29, SETS({"bInheritHandle", .number = 0}), none);
    expect_kept("C-36", 1);
    exchange(10, 29, SETS({"bInheritHandle", .number = 1}), none);
    expect_broken("C-36", 10, "with bInheritHandle 1 of RPC_SECURITY_ATTRIBUTES; 0 is required");
    exchange(10, 29, SETS({"lpSecurityAttributes", .null = true}), none);
    expect_not_applicable("C-36");

    exchange(10, 102, none, SETS({"dwSize", .number = 20}, {"dwFlags", .number = 1}));
    expect_kept("C-37", 1);
    exchange(10, 102, none, SETS({"dwSize", .number = 20}, {"dwReserved", .number = 1}));
    expect_broken("C-37", 11, "with CLUSTER_OPERATIONAL_VERSION_INFO of dwSize 20, dwFlags 0x0, dwReserved 0x1");
    exchange(10, 102, none, SETS({"ppClusterOpVerInfo", .null = true}));
    expect_not_applicable("C-37");
    tear_down();
}

static void test_rpc_status(void)
{
    set_up();
    exchange(10, 17, none, none);
    expect_kept("C-38", 1);
    rpc_call *call = request(10, 12, none);
    craft_response(call, 11, none);
    g_byte_array_unref(call->response.stub);
    call->response.stub = encode_stub_set(&cmrp_interface_2, interfaces_method(&cmrp_interface_2, 12), 0, true, false, none);
    call->response.reported = call->response.stub->len;
    tell(call, true);
    expect_broken("C-38", 11, "answered ApiGetResourceState of 192.0.2.7:49152 as version 2.0 has it, without the rpc_status of "
                  "version 3.0");
    good(10);
    expect_not_applicable("C-38");
    sealed_exchange(10, 17);
    expect_open("C-38", "IC-ENCRYPTED", 11, "no key for CORP\\alice");
    tear_down();
}

/* A rule that is broken without end is told of so often, and then of the frames alone. */
static void test_many(void)
{
    enum { MANY = 5000, TOLD = 4096 };
    size_t told = 0;
    set_up();
    for (uint32_t i = 0; i < MANY; i++)
        request(10 + i, 80, none);
    verifier_end(t.v);
    check_summary("C-11", VERDICT_VIOLATION, NULL, MANY);
    const finding *last = NULL;
    for (size_t i = 0; i < verifier_finding_count(t.v); i++) {
        const finding *f = verifier_finding(t.v, i);
        if (strcmp(f->rule->id, "C-11") != 0)
            continue;
        told++;
        last = f;
    }
    g_assert_cmpuint(told, ==, TOLD + 1);
    g_assert_cmpstr(last->message, ==, "more of what was found 4096 times before");
    g_assert_cmpuint(last->frames->len, ==, MANY - TOLD);
    g_assert_cmpuint(g_array_index(last->frames, uint32_t, 0), ==, 10 + TOLD);
    tear_down();
}

static void no_answer(uint32_t frame, uint16_t opnum, const encode_set *in)
{
    rpc_call *call = request(frame, opnum, in);
    verifier_finished(t.v, call);
    rpc_handles_finished(t.handles, call);
}

/* Whether a server kept a rule, its answer alone shows. */
static void test_unanswered(void)
{
    static const struct { const char *id; uint16_t opnum; } rules[] = {
        {"C-04", 11}, {"C-07", 8}, {"C-09", 117}, {"C-13", 108}, {"C-16", 7}, {"C-18", 34}, {"C-19", 73}, {"C-25", 145},
        {"C-37", 102},
    };
    set_up();
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        no_answer(10, rules[i].opnum, none);
        expect_open(rules[i].id, "IC-ONE-WAY", 10, "and no answer is in the capture");
        no_answer(10, 65, SETS({"hNotify", .number = 7})); /* waits for an event */
        expect_not_applicable(rules[i].id);
    }
    set_version_2();
    no_answer(10, 108, none);
    expect_open("C-14", "IC-ONE-WAY", 10, "and no answer is in the capture");
    open_for(10, 7, 0x80000000);
    no_answer(12, 18, SETS({"hResource", .number = 7}));
    expect_open("C-08", "IC-ONE-WAY", 12, "and no answer is in the capture");
    open_for(10, 7, 0x10000000);
    no_answer(12, 18, SETS({"hResource", .number = 7}));
    expect_not_applicable("CMRP-17");

    open_resource(10, 7);
    no_answer(12, 12, SETS({"hResource", .number = 7}));
    expect_not_applicable("C-03");
    open_resource(10, 7);
    no_answer(12, 45, SETS({"hGroup", .number = 7}));
    expect_open("C-03", "IC-ONE-WAY", 12, "and no answer is in the capture");
    open_resource(10, 7);
    interface = &cmrp_interface_2;
    no_answer(12, 12, SETS({"hResource", .number = 7}));
    expect_open("C-02", "IC-ONE-WAY", 12, "and no answer is in the capture");

    /* One that was answered, and then finished. */
    rpc_call *call = exchange(10, 34, SETS({"cbData", .number = 0}),
                              SETS({"lpcbRequired", .number = 0}, {"lpData", .length = 0}));
    verifier_finished(t.v, call);
    expect_kept("C-18", 1);
    tear_down();
}

/* A client may have calls without end under way, which its server answers the last first. */
static void test_backwards(void)
{
    enum { MANY = 300000 };
    set_up();
    const rule *r = rule_by_id("CMRP-16");
    for (uint32_t i = MANY; i > 0; i--)
        verifier_find(t.v, r, VERDICT_VIOLATION, NULL, &auth, i, "x");
    verifier_find(t.v, r, VERDICT_VIOLATION, NULL, &auth, MANY, "x");
    verifier_end(t.v);
    g_assert_cmpuint(verifier_finding_count(t.v), >=, 1);
    const finding *f = verifier_finding(t.v, 0);
    g_assert_cmpuint(f->frames->len, ==, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        g_assert_cmpuint(g_array_index(f->frames, uint32_t, i), ==, i + 1);
    tear_down();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmrp-verdict/c-02", test_other_interface);
    g_test_add_func("/cmrp-verdict/c-03", test_type);
    g_test_add_func("/cmrp-verdict/c-04", test_close);
    g_test_add_func("/cmrp-verdict/c-05", test_use_after_close);
    g_test_add_func("/cmrp-verdict/c-06", test_left_open);
    g_test_add_func("/cmrp-verdict/c-07", test_open);
    g_test_add_func("/cmrp-verdict/c-08", test_access);
    g_test_add_func("/cmrp-verdict/cmrp-1", test_interface);
    g_test_add_func("/cmrp-verdict/cmrp-2", test_level_2);
    g_test_add_func("/cmrp-verdict/cmrp-3", test_integrity_2);
    g_test_add_func("/cmrp-verdict/reasons", test_reasons);
    g_test_add_func("/cmrp-verdict/cmrp-4", test_password);
    g_test_add_func("/cmrp-verdict/cmrp-5", test_ntlm);
    g_test_add_func("/cmrp-verdict/cmrp-7", test_privacy_3);
    g_test_add_func("/cmrp-verdict/cmrp-9", test_refusal);
    g_test_add_func("/cmrp-verdict/cmrp-11", test_spn);
    g_test_add_func("/cmrp-verdict/cmrp-16", test_permission);
    g_test_add_func("/cmrp-verdict/cmrp-18", test_registered);
    g_test_add_func("/cmrp-verdict/c-01", test_syntaxes);
    g_test_add_func("/cmrp-verdict/c-09", test_granted);
    g_test_add_func("/cmrp-verdict/c-10", test_names);
    g_test_add_func("/cmrp-verdict/c-11", test_reserved);
    g_test_add_func("/cmrp-verdict/c-13", test_account_password);
    g_test_add_func("/cmrp-verdict/c-15", test_enumerations);
    g_test_add_func("/cmrp-verdict/c-17", test_registry);
    g_test_add_func("/cmrp-verdict/c-19", test_controls);
    g_test_add_func("/cmrp-verdict/c-22", test_properties);
    g_test_add_func("/cmrp-verdict/c-24", test_batches);
    g_test_add_func("/cmrp-verdict/c-26", test_events);
    g_test_add_func("/cmrp-verdict/c-27", test_unblocked);
    g_test_add_func("/cmrp-verdict/c-30", test_registrations);
    g_test_add_func("/cmrp-verdict/c-33", test_start);
    g_test_add_func("/cmrp-verdict/c-32", test_reconnect);
    g_test_add_func("/cmrp-verdict/c-34", test_single_methods);
    g_test_add_func("/cmrp-verdict/c-38", test_rpc_status);
    g_test_add_func("/cmrp-verdict/unanswered", test_unanswered);
    g_test_add_func("/cmrp-verdict/many", test_many);
    g_test_add_func("/cmrp-verdict/backwards", test_backwards);
    return g_test_run();
}
