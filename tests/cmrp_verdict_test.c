/* cmrp_verdict_test.c - ClusAPI's rules with calls made by hand that keep them, break them, leave them open and do not concern them.
 *
 * Security contexts are fakes: a test says what the handshake showed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/crafted_calls.h"
#include "tests/fake_context.h"
#include "verifier/verdict.h"

/* ------------------------------------------------------------------------------------------------------ the traffic */

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
    context = (sec_context){{.mechanism = SEC_MECH_KERBEROS, .mechanism_text = "Kerberos", .spnego = true, .kerberos_offered = true,
                             .ap_req = true, .ap_options = 0x20000000, .ap_rep = true, .gss_flags_known = true, .gss_flags = 0x103e,
                             .have_key = true, .target = "MSServerClusterMgmtAPI/node1.corp.example@CORP.EXAMPLE"}};
    auth = (rpc_auth){.id = 1, .auth_type = SEC_AUTH_SPNEGO, .level = SEC_LEVEL_PRIVACY, .bound = true, .security = &context};
    association = (rpc_association){.transport = RPC_NCACN_IP_TCP, .connection = 1, .client = (char *)"192.0.2.7:49152",
                                    .server = (char *)"192.0.2.1:49664", .number = 1, .group = 0x1000};
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

typedef struct {
    const char *id;
    const rule *found;
} rule_search;

static void look_for(const rule *r, void *user)
{
    rule_search *search = user;
    if (strcmp(r->id, search->id) == 0)
        search->found = r;
}

static const rule *rule_by_id(const char *id)
{
    rule_search search = {id, NULL};
    rules_each(look_for, &search);
    g_assert_nonnull(search.found);
    return search.found;
}

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
static void expect_found(const char *id, rule_verdict verdict, const char *reason, unsigned count, uint32_t frame, const char *words)
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
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_broken("C-02", 13, "192.0.2.1:49664 answered ApiGetResourceState of 192.0.2.7:49152 with success, though hResource \"Disk 1\" was "
                  "opened on version 3.0 of the interface and is used on version 2.0");

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
    expect_broken("C-03", 13, "though hResource \"Cluster Group\" was opened by ApiOpenGroup as HGROUP_RPC and the method takes HRES_RPC");

    exchange(10, 41, SETS({"lpszGroupName", .text = "Cluster Group"}), SETS({"return", .number = 7}));
    refuse(request(12, 12, SETS({"hResource", .number = 7})), 13, 0x1c00001a);
    exchange(14, 12, SETS({"hResource", .number = 7}), SETS({"return", .number = 6}));
    expect_kept("C-03", 2);

    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    exchange(14, 12, SETS({"hResource", .number = 8}), NO_SETS);
    expect_open("C-03", "IC-TRUNCATED", 12, "with a handle whose opening is not in the capture");
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
    expect_broken("C-04", 13, "answered ApiCloseResource of 192.0.2.7:49152 with success, but Resource \"Disk 1\" did not come back");

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
    expect_found("C-05", VERDICT_VIOLATION, NULL, 1, 14, "192.0.2.7:49152 sent ApiGetResourceState to 192.0.2.1:49664 with hResource "
                 "\"Disk 1\", which ApiCloseResource had closed in frame 13");

    open_resource(10, 7);
    close_resource(12, 7);
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_found("C-05", VERDICT_VIOLATION, NULL, 2, 15, "with success, though hResource \"Disk 1\" had been closed in frame 13");

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
    expect_kept("C-05", 1);

    /* A close that failed closes nothing. */
    open_resource(10, 7);
    exchange(12, 11, SETS({"Resource", .number = 7}), SETS({"Resource", .number = 7}, {"return", .number = 5}));
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_kept("C-05", 2);
    exchange(14, 12, SETS({"hResource", .number = 7}), NO_SETS);
    expect_not_applicable("C-05");
    tear_down();
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
    expect_broken("C-08", 13, "with success, which takes access to all, though hResource \"Disk 1\" was opened by ApiOpenResourceEx in "
                  "frame 11 with GENERIC_READ alone");

    /* Reading, a handle that is good for all, and one whose access is not known. */
    open_for(10, 7, 0x80000000);
    exchange(12, 12, SETS({"hResource", .number = 7}), NO_SETS);
    open_for(14, 8, 0x10000000);
    exchange(16, 18, SETS({"hResource", .number = 8}), NO_SETS);
    open_resource(18, 9);
    exchange(20, 18, SETS({"hResource", .number = 9}), NO_SETS);
    expect_not_applicable("C-08");
    sealed_exchange(10, 18);
    expect_open("C-08", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
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
    return g_test_run();
}
