/* wkst_verdict_test.c - wkssvc's rules with calls made by hand that keep them, break them, leave them open and do not concern
 * them.
 *
 * Security contexts are fakes: a test says what the handshake showed. The pipe, its share connection and its session are made of
 * SMB exchanges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/crafted_calls.h"
#include "tests/fake_context.h"
#include "tests/joinpassword_vectors.h"
#include "verifier/verdict.h"

/* ------------------------------------------------------------------------------------------------------ the traffic */

/* One capture, judged by one verifier; each expectation ends it and begins the next. */
static struct {
    verifier     *v;
    smb_life     *life;
    capture_facts facts;
    GPtrArray    *calls; /* of rpc_call, as long as the capture */
    smb_tcp_end   tcp;   /* of every connection but the calls' */
} t;

static const char client[] = "192.0.2.7:49152", server[] = "192.0.2.1:445", dc[] = "192.0.2.2:445";
static sec_context     context;
static rpc_auth        auth;
static rpc_association association;
static unsigned        arm; /* of the unions in what is sent and answered */

static void on_life(const smb_object *object, smb_event event, void *user)
{
    (void)user;
    verifier_smb(t.v, object, event);
}

static smb_tcp_end tcp_end(uint64_t connection, void *user)
{
    (void)user;
    return connection == association.connection ? SMB_TCP_OPEN : t.tcp;
}

static smb_exchange smb(smb_command command, uint64_t connection, uint64_t session, uint32_t tree, uint32_t frame)
{
    return (smb_exchange){.connection = connection, .frame = frame, .request_frame = frame, .smb2 = true, .response = true,
                          .command = command, .session = session, .asked_session = session, .tree = tree,
                          .impersonation = UINT32_MAX, .client = client, .server = server};
}

/* The pipe of the calls. */
static void open_pipe(uint32_t impersonation, unsigned session_flags)
{
    smb_exchange setup = smb(SMB_SESSION_SETUP, 1, 5, 0, 2), share = smb(SMB_TREE_CONNECT, 1, 5, 1, 4);
    smb_exchange pipe = smb(SMB_CREATE, 1, 5, 1, 6);
    setup.flags = session_flags;
    share.flags = SMB_PIPE_SHARE;
    share.name = "\\\\files.corp.example\\IPC$";
    pipe.name = "wkssvc";
    pipe.impersonation = impersonation;
    pipe.file_id[0] = 77;
    smb_life_exchange(t.life, &setup);
    smb_life_exchange(t.life, &share);
    smb_life_exchange(t.life, &pipe);
}

static void call_free(void *p)
{
    craft_free(p);
    g_free(p);
}

static void set_up(void)
{
    memset(&t, 0, sizeof t);
    context = (sec_context){{.mechanism = SEC_MECH_NTLM, .mechanism_text = "NTLMv2"}};
    auth = (rpc_auth){.id = 1, .auth_type = SEC_AUTH_NTLM, .level = SEC_LEVEL_PRIVACY, .bound = true, .security = &context};
    association = (rpc_association){.transport = RPC_NCACN_NP, .connection = 1, .pipe_id = {77}, .pipe = (char *)"wkssvc",
                                    .client = (char *)client, .server = (char *)server, .number = 1};
    arm = 0;
    t.v = verifier_new(NULL, NULL);
    t.life = smb_life_new(on_life, NULL);
    t.facts = (capture_facts){.label = "a.pcap", .complete = true, .smb = t.life, .tcp_end = tcp_end};
    t.calls = g_ptr_array_new_with_free_func(call_free);
    verifier_begin(t.v, &t.facts);
}

static void tear_down(void)
{
    verifier_free(t.v);
    smb_life_free(t.life);
    g_ptr_array_unref(t.calls);
}

static GByteArray *stub_of(uint16_t opnum, bool response, const encode_set *sets)
{
    const ndr_method *method = interfaces_method(&wkst_interface, opnum);
    return method->reserved ? NULL : encode_stub_set(&wkst_interface, method, arm, response, false, sets);
}

/* What is answered later. */
static rpc_call *send(uint32_t frame, uint16_t opnum, const encode_set *in)
{
    rpc_call *call = g_new(rpc_call, 1);
    *call = (rpc_call){.association = &association, .number = frame, .interface = &wkst_interface,
                       .method = interfaces_method(&wkst_interface, opnum), .bound = true, .uuid = wkst_interface.uuid,
                       .version_major = 1, .opnum = opnum, .call_id = frame};
    call->request = craft_message(RPC_REQUEST, frame, stub_of(opnum, false, in));
    g_ptr_array_add(t.calls, call);
    return call;
}

static void answer(rpc_call *call, uint32_t frame, const encode_set *out)
{
    call->response = craft_message(RPC_RESPONSE, frame, stub_of(call->opnum, true, out));
    verifier_message(t.v, call, true);
}

static rpc_call *request(uint32_t frame, uint16_t opnum, const encode_set *in)
{
    rpc_call *call = send(frame, opnum, in);
    verifier_message(t.v, call, false);
    return call;
}

static void refuse(rpc_call *call, uint32_t frame, uint32_t status)
{
    craft_fault(call, frame, status);
    verifier_message(t.v, call, true);
}

static rpc_call *exchange(uint32_t frame, uint16_t opnum, const encode_set *in, const encode_set *out)
{
    rpc_call *call = request(frame, opnum, in);
    answer(call, frame + 1, out);
    return call;
}

#define RETURNS(N) SETS({"return", .number = (N)})

/* NetrGetJoinableOUs3, which Windows has at opnum 35: no ServerName, a domain "D", no account, no password, and no units. */
static void joinable_ous_3(uint32_t frame, uint32_t answer_frame)
{
    static const uint8_t in[32] = {[4] = 2, [12] = 2, [16] = 'D'}, out[12];
    rpc_call *call = send(frame, 35, NO_SETS);
    g_byte_array_set_size(call->request.stub, 0);
    g_byte_array_append(call->request.stub, in, sizeof in);
    call->request.reported = sizeof in;
    verifier_message(t.v, call, false);
    call->response = craft_message(RPC_RESPONSE, answer_frame, g_byte_array_append(g_byte_array_new(), out, sizeof out));
    verifier_message(t.v, call, true);
}

static void seal(rpc_message *m)
{
    if (m->stub)
        g_byte_array_unref(g_steal_pointer(&m->stub));
    m->sealed = true;
    m->state = SEC_SEALED;
    m->reason = SEC_NO_KEY;
    m->text = "no key for CORP\\alice";
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

static void check_summary(const char *id, rule_verdict verdict, const char *reason)
{
    rule_search search = {id, NULL};
    rules_each(look_for, &search);
    g_assert_nonnull(search.found);
    rule_summary s = verifier_summary(t.v, search.found);
    if (s.verdict != verdict)
        for (size_t i = 0; i < verifier_finding_count(t.v); i++)
            g_test_message("%s: %s", verifier_finding(t.v, i)->rule->id, verifier_finding(t.v, i)->message);
    g_test_message("%s", id);
    g_assert_cmpstr(rule_verdict_name(s.verdict), ==, rule_verdict_name(verdict));
    if (verdict == VERDICT_INCONCLUSIVE)
        g_assert_cmpstr(s.reason, ==, reason);
}

/* The capture ends; the rule has this verdict and, unless there is nothing to find, a finding with these words in this frame. */
static void expect(const char *id, rule_verdict verdict, const char *reason, uint32_t frame, const char *words)
{
    bool said = false, found = false;
    smb_life_end(t.life);
    verifier_end(t.v);
    check_summary(id, verdict, reason);
    for (size_t i = 0; i < verifier_finding_count(t.v); i++) {
        const finding *f = verifier_finding(t.v, i);
        if (strcmp(f->rule->id, id) != 0 || f->verdict != verdict)
            continue;
        found = true;
        if (!words || !strstr(f->message, words))
            g_test_message("%s", f->message);
        said |= words && strstr(f->message, words) && (frame == 0 || g_array_index(f->frames, uint32_t, 0) == frame);
    }
    g_assert_true(words ? said : !found);
    tear_down();
    set_up();
}

static void kept(const char *id) { expect(id, VERDICT_PASS, NULL, 0, NULL); }
static void not_concerned(const char *id) { expect(id, VERDICT_NOT_APPLICABLE, NULL, 0, NULL); }
static void broken(const char *id, uint32_t frame, const char *words) { expect(id, VERDICT_VIOLATION, NULL, frame, words); }
static void warned(const char *id, uint32_t frame, const char *words) { expect(id, VERDICT_WARNING, NULL, frame, words); }
static void open_question(const char *id, const char *reason, uint32_t frame, const char *words)
{
    expect(id, VERDICT_INCONCLUSIVE, reason, frame, words);
}

/* What a rule about one method's parameters does with a value it forbids: the right refusal keeps it, success breaks it, another
 * refusal says nothing, and what cannot be read leaves it open. */
static void expect_refusal(const char *id, uint16_t opnum, const encode_set *in, uint32_t expected, rule_verdict verdict,
                           const char *words)
{
    exchange(10, opnum, in, RETURNS(expected));
    kept(id);
    exchange(10, opnum, in, RETURNS(0));
    expect(id, verdict, NULL, 11, words);
    exchange(10, opnum, in, RETURNS(5));
    not_concerned(id);
    rpc_call *call = send(10, opnum, in);
    seal(&call->request);
    verifier_message(t.v, call, false);
    open_question(id, "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    call = request(10, opnum, in);
    call->response = craft_message(RPC_RESPONSE, 11, NULL);
    seal(&call->response);
    verifier_message(t.v, call, true);
    open_question(id, "IC-ENCRYPTED", 11, "no key for CORP\\alice");
}

/* -------------------------------------------------------------------------------------------------- 3.2.4: the core rules */

enum { GET_INFO = 0, SET_INFO = 1, USER_ENUM = 2, TRANSPORT_ENUM = 5, TRANSPORT_DEL = 7, USE_ADD = 8, USE_ENUM = 11,
       STATISTICS = 13, JOIN_INFORMATION = 20, JOIN = 22, UNJOIN = 23, RENAME = 24, VALIDATE = 25, ADD_NAME = 27, ENUM_NAMES = 30,
       JOIN_3 = 31, ADD_NAME_2 = 35 };

static const encode_set wrong_count[] = {{"EntriesRead", .number = 5}, {.name = NULL}};
static const encode_set null_array[] = {{"Buffer", .null = true}, {"EntriesRead", .number = 3}, {.name = NULL}};
static const encode_set empty_array[] = {{"Buffer", .null = true}, {.name = NULL}};

static void test_level(void)
{
    set_up();
    open_pipe(2, 0);
    exchange(10, JOIN_INFORMATION, NO_SETS, RETURNS(0));
    kept("WKST-1");
    open_pipe(1, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    kept("WKST-1");
    open_pipe(0, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(5));
    kept("WKST-1");
    open_pipe(0, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    broken("WKST-1", 11, "192.0.2.1:445 answered NetrWkstaGetInfo of 192.0.2.7:49152 with success on a pipe that was opened with "
           "ImpersonationLevel 0 (anonymous)");
    open_pipe(3, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    warned("WKST-1", 11, "ImpersonationLevel 3");
    open_pipe(2, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    open_question("WKST-1", "IC-SPEC", 11, "3.2.4 contradicts 2.1 and 2.2.2.1");
    open_pipe(1, 0);
    exchange(10, JOIN, NO_SETS, RETURNS(0));
    warned("WKST-1", 11, "with success on a pipe that was opened with ImpersonationLevel 1; 2.2.2.3 asks for IMPERSONATION (2)");
    open_pipe(1, 0);
    exchange(10, JOIN_INFORMATION, NO_SETS, RETURNS(0));
    open_question("WKST-1", "IC-SPEC", 11, "3.2.4 contradicts 2.1 and 2.2.2.2");
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    open_question("WKST-1", "IC-TRUNCATED", 11, "opening is not in the capture");
    open_pipe(2, 0);
    exchange(10, GET_INFO, NO_SETS, RETURNS(5));
    not_concerned("WKST-1");
    association.transport = RPC_NCACN_IP_TCP;
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    not_concerned("WKST-1");
    tear_down();
}

static void test_caller(void)
{
    set_up();
    open_pipe(2, 0);
    exchange(10, SET_INFO, NO_SETS, RETURNS(5));
    kept("WKST-2");
    open_pipe(2, SMB_NULL);
    exchange(10, SET_INFO, NO_SETS, RETURNS(0));
    warned("WKST-2", 11, "the caller is anonymous or a guest");
    open_pipe(2, SMB_GUEST);
    exchange(10, JOIN_3, NO_SETS, RETURNS(0));
    warned("WKST-2", 11, "the caller is anonymous or a guest");
    open_pipe(2, SMB_GUEST);
    exchange(10, ADD_NAME_2, NO_SETS, RETURNS(0));
    warned("WKST-2", 11, "the caller is anonymous or a guest");
    open_pipe(2, SMB_GUEST);
    joinable_ous_3(10, 11); /* as Windows has it, which changes nothing */
    not_concerned("WKST-2");
    open_pipe(2, 0);
    exchange(10, SET_INFO, NO_SETS, RETURNS(0));
    open_question("WKST-2", "IC-CONFIG", 11, "whether the caller may is not on the wire");
    open_pipe(2, SMB_NULL);
    exchange(10, GET_INFO, NO_SETS, RETURNS(0)); /* everybody may */
    not_concerned("WKST-2");

    /* Who calls says the security context of the calls, if there is one. */
    open_pipe(2, SMB_NULL);
    rpc_call *call = send(10, SET_INFO, NO_SETS);
    call->request.auth = &auth;
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    open_question("WKST-2", "IC-CONFIG", 11, "whether the caller may");
    context.facts.anonymous = true;
    call = send(10, SET_INFO, NO_SETS);
    call->request.auth = &auth;
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    warned("WKST-2", 11, "anonymous");
    tear_down();
}

static void test_reserved(void)
{
    set_up();
    request(10, GET_INFO, NO_SETS);
    request(11, ENUM_NAMES, NO_SETS);
    request(12, JOIN_3, NO_SETS);
    kept("WKST-3");
    request(10, GET_INFO, NO_SETS);
    request(11, 12, NO_SETS);
    broken("WKST-3", 11, "(opnum 12), which is reserved for local use");
    rpc_call *call = send(10, 16, NO_SETS); /* sealed, and known all the same */
    seal(&call->request);
    verifier_message(t.v, call, false);
    broken("WKST-3", 10, "(opnum 16)");
    call = send(10, GET_INFO, NO_SETS);
    call->method = NULL; /* an opnum that the interface does not have */
    verifier_message(t.v, call, false);
    not_concerned("WKST-3");
    tear_down();
}

static void test_exception(void)
{
    set_up();
    exchange(10, GET_INFO, NO_SETS, RETURNS(0x7c));
    kept("WKST-4");
    refuse(request(10, GET_INFO, NO_SETS), 11, 0xc0000005);
    broken("WKST-4", 11, "with fault 0xC0000005 (");
    refuse(request(10, GET_INFO, NO_SETS), 11, 0x1c000012);
    broken("WKST-4", 11, "with fault 0x1C000012 (nca_s_fault_unspec)");
    refuse(request(10, GET_INFO, NO_SETS), 11, 0x1c000021); /* the user's own exception */
    broken("WKST-4", 11, "with fault 0x1C000021");
    rpc_call *call = request(10, GET_INFO, NO_SETS); /* the method has never run */
    craft_fault(call, 11, 0x7c);
    call->response.not_executed = true;
    verifier_message(t.v, call, true);
    not_concerned("WKST-4");
    refuse(request(10, GET_INFO, NO_SETS), 11, 0x7c);
    warned("WKST-4", 11, "with fault 0x0000007C");
    refuse(request(10, GET_INFO, NO_SETS), 11, 5);
    open_question("WKST-4", "IC-INTERNAL", 11, "both the RPC runtime and the method");
    refuse(request(10, GET_INFO, NO_SETS), 11, 0x1c010002);
    not_concerned("WKST-4");
    refuse(request(10, 12, NO_SETS), 11, 0xc0000005);
    not_concerned("WKST-4");
    refuse(request(10, USER_ENUM, wrong_count), 11, 0xc0000005);
    not_concerned("WKST-4");
    call = send(10, GET_INFO, NO_SETS);
    g_byte_array_set_size(call->request.stub, call->request.stub->len - 2); /* no well-formed request */
    call->request.reported -= 2;
    verifier_message(t.v, call, false);
    refuse(call, 11, 0xc0000005);
    not_concerned("WKST-4");
    call = send(10, GET_INFO, NO_SETS);
    seal(&call->request);
    refuse(call, 11, 0xc0000005);
    open_question("WKST-4", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

/* The server as a client of the DC: a session (and its share connection), of this user. */
static void server_opens(uint32_t frame, const char *user)
{
    smb_exchange setup = smb(SMB_SESSION_SETUP, 2, 9, 0, frame), share = smb(SMB_TREE_CONNECT, 2, 9, 1, frame + 1);
    setup.client = share.client = "192.0.2.1:40000";
    setup.server = share.server = dc;
    share.name = "\\\\dc\\IPC$";
    setup.name = user;
    smb_life_exchange(t.life, &setup);
    smb_life_exchange(t.life, &share);
}

static void server_does(smb_command command, uint32_t tree, uint32_t frame, bool answered)
{
    smb_exchange e = smb(command, 2, 9, tree, frame);
    e.client = "192.0.2.1:40000";
    e.server = dc;
    e.response = false;
    smb_life_exchange(t.life, &e);
    e.response = true;
    if (answered)
        smb_life_exchange(t.life, &e);
}

/* A join between whose request and answer the server opens a session and a share connection. */
static rpc_call *join_and_open(const char *user)
{
    rpc_call *call = request(10, JOIN, SETS({"AccountName", .text = "CORP\\Administrator"}));
    server_opens(11, user);
    return call;
}

static void test_own_sessions(void)
{
    set_up();
    for (int share = 0; share < 2; share++) {
        const char *id = share ? "WKST-6" : "WKST-5", *what = "the session at 192.0.2.2:445 that it had opened in frame 11";
        if (share)
            what = "the share connection at 192.0.2.2:445 that it had opened in frame 12 (\\\\dc\\IPC$) is not closed";
        rpc_call *call = join_and_open("CORP\\administrator");
        server_does(SMB_TREE_DISCONNECT, 1, 13, true);
        server_does(SMB_LOGOFF, 0, 14, true);
        answer(call, 15, RETURNS(0));
        kept(id);
        call = join_and_open("CORP\\administrator"); /* asked is enough */
        server_does(SMB_TREE_DISCONNECT, 1, 13, false);
        server_does(SMB_LOGOFF, 0, 14, false);
        answer(call, 15, RETURNS(0));
        kept(id);
        for (int answered = 0; answered < 2; answered++) { /* the log-off alone ends both, but closes only the session */
            call = join_and_open("CORP\\administrator");
            server_does(SMB_LOGOFF, 0, 14, answered);
            answer(call, 15, RETURNS(0));
            if (share)
                warned(id, 15, "has left what it had opened (1) to end with its session or connection");
            else
                kept(id);
        }
        call = join_and_open("CORP\\administrator");
        answer(call, 15, RETURNS(0));
        server_does(SMB_TREE_DISCONNECT, 1, 16, true);
        server_does(SMB_LOGOFF, 0, 17, true);
        broken(id, 15, what);
        call = join_and_open("CORP\\administrator");
        t.tcp = SMB_TCP_FIN;
        answer(call, 15, RETURNS(0));
        warned(id, 15, "has left what it had opened (1) to end with its session or connection");

        /* Whose it is: another's is none of the call's, an unknown one's may be. */
        call = join_and_open("CORP\\FILES$");
        answer(call, 15, RETURNS(0));
        not_concerned(id);
        call = join_and_open(NULL);
        answer(call, 15, RETURNS(0));
        open_question(id, "IC-INTERNAL", 15, "whether it was opened for this call is not known");
        call = join_and_open("CORP\\administrator");
        smb_life_sealed(t.life, 2, 13, "192.0.2.1:40000", dc, 9);
        answer(call, 15, RETURNS(0));
        open_question(id, "IC-ENCRYPTED", 15, "encrypted messages that are not opened may hide that");

        /* Opened before, or by a call that may not open any. */
        server_opens(5, "CORP\\administrator");
        exchange(10, JOIN, SETS({"AccountName", .text = "CORP\\Administrator"}), RETURNS(0));
        not_concerned(id);
        call = request(10, GET_INFO, NO_SETS);
        server_opens(11, "CORP\\administrator");
        answer(call, 15, RETURNS(0));
        not_concerned(id);
        exchange(10, JOIN, NO_SETS, RETURNS(0));
        open_question(id, "IC-ONE-LEG", 11, "the capture shows nothing that the server itself asked of others");
        request(10, JOIN, NO_SETS);
        open_question(id, "IC-ONE-WAY", 0, "(1) are not answered in the capture");
        refuse(join_and_open("CORP\\administrator"), 15, 5);
        not_concerned(id);
    }
    tear_down();
}

static void test_strict(void)
{
    set_up();
    refuse(request(10, USE_ENUM, wrong_count), 11, 0x6f7);
    kept("WKST-7");
    exchange(10, USE_ENUM, wrong_count, RETURNS(0));
    broken("WKST-7", 11, "fault 0x6F7 (RPC_X_BAD_STUB_DATA) is required");
    refuse(request(10, USE_ENUM, wrong_count), 11, 0x1c010002);
    not_concerned("WKST-7");
    rpc_call *call = send(10, GET_INFO, NO_SETS);
    g_byte_array_set_size(call->request.stub, call->request.stub->len - 2);
    call->request.reported -= 2;
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    broken("WKST-7", 11, "though the stub ends before its parameters do");
    call = send(10, GET_INFO, NO_SETS); /* a name that says to be longer than the request is */
    call->request.stub->data[4] = call->request.stub->data[12] = 0x7f;
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    broken("WKST-7", 11, "though a count says more than the octets that are left can hold");
    call = send(10, GET_INFO, NO_SETS); /* a name that begins behind its beginning */
    call->request.stub->data[4]++;
    call->request.stub->data[8] = 1;
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    broken("WKST-7", 11, "though offset of ServerName is 1");
    exchange(10, SET_INFO, SETS({"Level", .number = 1018}), RETURNS(0)); /* and the union's tag is 100 */
    broken("WKST-7", 11, "answered NetrWkstaSetInfo");
    exchange(10, USE_ENUM, empty_array, RETURNS(0));
    not_concerned("WKST-7");
    call = send(10, USE_ENUM, wrong_count);
    seal(&call->request);
    verifier_message(t.v, call, false);
    open_question("WKST-7", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    call = send(10, USE_ENUM, empty_array); /* the snap length's doing */
    g_byte_array_set_size(call->request.stub, call->request.stub->len - 2);
    verifier_message(t.v, call, false);
    answer(call, 11, RETURNS(0));
    not_concerned("WKST-7");

    refuse(request(10, USER_ENUM, null_array), 11, 0x6f7);
    kept("WKST-8");
    exchange(10, USER_ENUM, null_array, RETURNS(0));
    broken("WKST-8", 11, "Buffer is a null pointer and EntriesRead is 3; fault 0x6F7 (RPC_X_BAD_STUB_DATA) is required");
    exchange(10, USER_ENUM, empty_array, RETURNS(0));
    not_concerned("WKST-8");
    exchange(10, USER_ENUM, null_array, RETURNS(0));
    not_concerned("WKST-7");
    tear_down();
}

/* ------------------------------------------------------------------------------------------------- beyond the core sections */

static void bind_on(rpc_transport transport, const char *pipe, int result)
{
    association.transport = transport;
    association.pipe = (char *)pipe;
    rpc_origin origin = {.frame = 8, .transport = transport, .connection = 1, .pipe = pipe};
    verifier_context(t.v, &association, &origin, &wkst_interface.uuid, 1, result);
}

static void test_transport(void)
{
    set_up();
    bind_on(RPC_NCACN_NP, "wkssvc", -1);
    bind_on(RPC_NCACN_NP, "wkssvc", 0);
    kept("W-01");
    bind_on(RPC_NCACN_IP_TCP, NULL, 0);
    warned("W-01", 8, "accepted a bind of wkssvc from 192.0.2.7:49152 over ncacn_ip_tcp");
    bind_on(RPC_NCACN_NP, "lsarpc", 0);
    warned("W-01", 8, "on the pipe lsarpc");
    bind_on(RPC_NCACN_NP, NULL, 0);
    open_question("W-01", "IC-TRUNCATED", 8, "opening is not in the capture");
    bind_on(RPC_NCACN_IP_TCP, NULL, 2);
    not_concerned("W-01");

    for (uint32_t level = 1; level <= 2; level++) {
        open_pipe(level, 0);
        request(10, GET_INFO, NO_SETS);
        request(11, JOIN, NO_SETS);
        kept("W-02");
    }
    for (uint32_t level = 0; level <= 3; level += 3) {
        open_pipe(level, 0);
        request(10, GET_INFO, NO_SETS);
        broken("W-02", 10, "IDENTIFICATION (1) or IMPERSONATION (2) is required");
    }
    request(10, GET_INFO, NO_SETS);
    open_question("W-02", "IC-TRUNCATED", 10, "opening is not in the capture");
    tear_down();
}

static const encode_set all_zero[] = {{"wki502_keep_conn", .number = 0}, {"wki502_max_cmds", .number = 0},
                                      {"wki502_sess_timeout", .number = 0}, {"wki502_dormant_file_limit", .number = 0},
                                      {.name = NULL}};

static void test_information(void)
{
    set_up();
    exchange(10, GET_INFO, SETS({"Level", .number = 102}), RETURNS(0));
    kept("W-03");
    expect_refusal("W-03", GET_INFO, SETS({"Level", .number = 7}), 0x7c, VERDICT_VIOLATION,
                   "Level is 7, and not 100, 101, 102 or 502");
    expect_refusal("W-03", GET_INFO, SETS({"Level", .number = 1013}), 0x7c, VERDICT_WARNING, "Level is 1013");

    exchange(10, GET_INFO, SETS({"Level", .number = 100}), RETURNS(0)); /* arm 0 is level 100 */
    kept("W-04");
    exchange(10, GET_INFO, SETS({"Level", .number = 101}), RETURNS(0));
    broken("W-04", 11, "with another level than was asked for");
    exchange(10, GET_INFO, SETS({"Level", .number = 101}), RETURNS(5));
    not_concerned("W-04");

    arm = 3; /* level 502 */
    exchange(10, SET_INFO, SETS({"wki502_keep_conn", .number = 600}, {"wki502_max_cmds", .number = 50},
                                {"wki502_sess_timeout", .number = 60},
                                {"wki502_dormant_file_limit", .number = 1}), RETURNS(0));
    kept("W-05");
    arm = 3;
    exchange(10, SET_INFO, SETS({"wki502_keep_conn", .number = 600}, {"wki502_max_cmds", .number = 49},
                                {"wki502_sess_timeout", .number = 60},
                                {"wki502_dormant_file_limit", .number = 1}), RETURNS(0));
    broken("W-05", 11, "wki502_max_cmds is 49, which is not within 50 and 65535");
    static const uint32_t parameters[] = {13, 15, 0, 18, 46}; /* all four members are wrong */
    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
        arm = 3;
        exchange(10, SET_INFO, all_zero, SETS({"ErrorParameter", .number = parameters[i]}, {"return", .number = 0x57}));
        kept("W-05");
    }
    arm = 3;
    exchange(10, SET_INFO, all_zero, SETS({"ErrorParameter", .null = true}, {"return", .number = 0x57}));
    kept("W-05");
    arm = 3;
    exchange(10, SET_INFO, all_zero, SETS({"ErrorParameter", .number = 12}, {"return", .number = 0x57}));
    warned("W-05", 11, "with ErrorParameter 12, which is none of the members that are out of range");
    arm = 3;
    exchange(10, SET_INFO, SETS({"wki502_keep_conn", .number = 0}, {"wki502_max_cmds", .number = 50},
                                {"wki502_sess_timeout", .number = 60}, {"wki502_dormant_file_limit", .number = 1}),
             SETS({"ErrorParameter", .number = 46}, {"return", .number = 0x57}));
    warned("W-05", 11, "with ErrorParameter 46");
    exchange(10, SET_INFO, SETS({"Level", .number = 100}), RETURNS(0));
    warned("W-05", 11, "Level is 100, and not 502, 1013, 1018 or 1046");
    arm = 3;
    exchange(10, SET_INFO, SETS({"wki502_keep_conn", .number = 600}, {"wki502_max_cmds", .number = 50},
                                {"wki502_sess_timeout", .number = 60},
                                {"wki502_dormant_file_limit", .number = 1}), RETURNS(5));
    not_concerned("W-05");
    tear_down();
}

static void test_enumerations(void)
{
    set_up();
    exchange(10, USER_ENUM, NO_SETS, SETS({"TotalEntries", .number = 3}, {"EntriesRead", .number = 3}));
    kept("W-06");
    exchange(10, USER_ENUM, NO_SETS, SETS({"TotalEntries", .number = 2}, {"EntriesRead", .number = 3}));
    broken("W-06", 11, "with TotalEntries 2, less than the EntriesRead of 3");
    exchange(10, USER_ENUM, SETS({"PreferredMaximumLength", .number = 512}),
             SETS({"TotalEntries", .number = 9}, {"ResumeHandle", .number = 3}, {"return", .number = 0xea}));
    kept("W-06");
    exchange(10, USER_ENUM, SETS({"PreferredMaximumLength", .number = 512}),
             SETS({"TotalEntries", .number = 9}, {"return", .number = 0xea}));
    broken("W-06", 11, "a ResumeHandle of 0");
    exchange(10, USER_ENUM, SETS({"PreferredMaximumLength", .number = UINT32_MAX}),
             SETS({"TotalEntries", .number = 9}, {"ResumeHandle", .number = 3}, {"return", .number = 0xea}));
    broken("W-06", 11, "PreferredMaximumLength asks for all");
    expect_refusal("W-06", USER_ENUM, SETS({"Level", .number = 2}), 0x7c, VERDICT_VIOLATION, "Level is 2, and not 0 or 1");

    exchange(10, TRANSPORT_ENUM, SETS({"Level", .number = 0}), RETURNS(0));
    kept("W-07");
    exchange(10, TRANSPORT_ENUM, NO_SETS, RETURNS(0x84b));
    kept("W-07");
    exchange(10, TRANSPORT_ENUM, NO_SETS, RETURNS(0xea));
    warned("W-07", 11, "with ERROR_MORE_DATA; where the buffer is too short, 0x84B (NERR_BufTooSmall) is required");
    exchange(10, TRANSPORT_ENUM, NO_SETS, RETURNS(5));
    not_concerned("W-07");
    expect_refusal("W-07", TRANSPORT_ENUM, SETS({"Level", .number = 1}), 0x7c, VERDICT_VIOLATION, "Level is 1, and not 0");
    expect_refusal("W-08", TRANSPORT_DEL, SETS({"ForceLevel", .number = 3}), 0x57, VERDICT_VIOLATION, "ForceLevel is 3");
    exchange(10, TRANSPORT_DEL, SETS({"ForceLevel", .number = 2}), RETURNS(0));
    not_concerned("W-08");

    exchange(10, USE_ENUM, NO_SETS, RETURNS(0x78));
    kept("W-09");
    refuse(request(10, USE_ENUM, NO_SETS), 11, 0x1c010002);
    kept("W-09");
    exchange(10, USE_ENUM, NO_SETS, RETURNS(0));
    exchange(12, USE_ENUM, NO_SETS, RETURNS(0));
    warned("W-09", 11, "192.0.2.1:445 answered NetrUseEnum of 192.0.2.7:49152 with success; it should not be offered");
    exchange(10, USE_ENUM, NO_SETS, RETURNS(0));
    exchange(12, USE_ADD, NO_SETS, RETURNS(0));
    exchange(14, USE_ENUM, NO_SETS, RETURNS(0));
    warned("W-09", 11, "192.0.2.1:445 answered NetrUseEnum and others of 192.0.2.7:49152 with success; it should not be offered");

    expect_refusal("W-10", STATISTICS, SETS({"Level", .number = 1}), 0x7c, VERDICT_VIOLATION, "Level is 1, and not 0");
    expect_refusal("W-10", STATISTICS, SETS({"Options", .number = 4}), 0x57, VERDICT_VIOLATION, "Options is 0x4, and not 0");
    exchange(10, STATISTICS, NO_SETS, RETURNS(0));
    not_concerned("W-10");
    exchange(10, STATISTICS, NO_SETS, RETURNS(0));
    kept("W-11");
    exchange(10, STATISTICS, NO_SETS, SETS({"Buffer", .null = true}));
    broken("W-11", 11, "with success and without statistics");
    rpc_call *call = request(10, STATISTICS, NO_SETS);
    call->response = craft_message(RPC_RESPONSE, 11, stub_of(STATISTICS, true, NO_SETS));
    g_byte_array_set_size(call->response.stub, 100);
    call->response.reported = 100;
    verifier_message(t.v, call, true);
    broken("W-11", 11, "less than a whole STAT_WORKSTATION_0");
    call = request(10, STATISTICS, NO_SETS); /* the snap length's doing */
    call->response = craft_message(RPC_RESPONSE, 11, stub_of(STATISTICS, true, NO_SETS));
    g_byte_array_set_size(call->response.stub, 100);
    verifier_message(t.v, call, true);
    open_question("W-11", "IC-TRUNCATED", 11, "the snap length cut it");
    exchange(10, STATISTICS, NO_SETS, SETS({"Buffer", .null = true}, {"return", .number = 5}));
    not_concerned("W-11");
    tear_down();
}

static void test_server_name(void)
{
    static const char *const names[] = {"192.0.2.1", "\\\\192.0.2.1", "\\\\files.corp.example", "FILES"};
    set_up();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        open_pipe(2, 0);
        request(10, JOIN, SETS({"ServerName", .text = names[i]}));
        kept("W-12");
    }
    open_pipe(2, 0);
    request(10, JOIN, SETS({"ServerName", .text = "\\\\192.0.2.9"}));
    warned("W-12", 10, "with ServerName 192.0.2.9, which is another address");
    open_pipe(2, 0);
    request(10, JOIN, SETS({"ServerName", .text = "alias"}));
    not_concerned("W-12");
    request(10, JOIN, SETS({"ServerName", .null = true}));
    not_concerned("W-12");
    tear_down();
}

static void test_joining(void)
{
    set_up();
    expect_refusal("W-13", JOIN, SETS({"Options", .number = 0x81}), 0x57, VERDICT_VIOLATION, "without NETSETUP_JOIN_UNSECURE");
    expect_refusal("W-13", JOIN_3, SETS({"Options", .number = 0xc1}, {"AccountName", .text = "CORP\\alice"}), 0x57,
                   VERDICT_VIOLATION,
                   "AccountName is given");
    expect_refusal("W-13", JOIN, SETS({"Options", .number = 0xc1}, {"AccountName", .null = true}, {"Password", .null = true}),
                   0x52d,
                   VERDICT_VIOLATION, "Password is null");
    exchange(10, JOIN, SETS({"Options", .number = 0xc1}, {"AccountName", .null = true}), RETURNS(0));
    not_concerned("W-13");
    exchange(10, JOIN, SETS({"Options", .number = 0x80}), RETURNS(0)); /* a workgroup */
    not_concerned("W-13");

    expect_refusal("W-14", JOIN, SETS({"Options", .number = 0x801}), 0x57, VERDICT_VIOLATION,
                   "without NETSETUP_MACHINE_PWD_PASSED");
    expect_refusal("W-14", JOIN, SETS({"Options", .number = 0x8c3}), 0x57, VERDICT_VIOLATION, "with NETSETUP_ACCT_CREATE");
    exchange(10, JOIN, SETS({"Options", .number = 0x8c1}), RETURNS(0));
    not_concerned("W-14");

    exchange(10, JOIN, SETS({"Options", .number = 1}), RETURNS(0xa83));
    kept("W-15");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 3}));
    exchange(12, JOIN, SETS({"Options", .number = 1}), RETURNS(0xa85)); /* a domain controller */
    kept("W-15");
    rpc_call *sealed = send(10, JOIN_INFORMATION, NO_SETS); /* which tells nothing, and asks for no join */
    seal(&sealed->request);
    verifier_message(t.v, sealed, false);
    not_concerned("W-15");
    sealed = send(10, JOIN, NO_SETS);
    seal(&sealed->request);
    verifier_message(t.v, sealed, false);
    open_question("W-15", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 3}));
    exchange(12, JOIN, SETS({"Options", .number = 1}), RETURNS(0));
    warned("W-15", 13, "though it had said that it is in a domain");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 3}));
    exchange(12, JOIN, SETS({"Options", .number = 0x21}), RETURNS(0));
    not_concerned("W-15");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 3}));
    exchange(12, UNJOIN, NO_SETS, RETURNS(0));
    exchange(14, JOIN, SETS({"Options", .number = 1}), RETURNS(0));
    not_concerned("W-15");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 2}));
    exchange(12, JOIN, SETS({"Options", .number = 1}), RETURNS(0));
    not_concerned("W-15");
    tear_down();
}

/* A join whose sealed password is this. It stands before Options. */
static rpc_call *join_with_password(const char *octets, const encode_set *sets)
{
    rpc_call *call = send(10, JOIN, sets);
    uint8_t *at = call->request.stub->data + call->request.stub->len - 4 - 524;
    for (size_t i = 0; i < 524 && octets[2 * i]; i++)
        at[i] = (uint8_t)(g_ascii_xdigit_value(octets[2 * i]) << 4 | g_ascii_xdigit_value(octets[2 * i + 1]));
    verifier_message(t.v, call, false);
    return call;
}

static void send_password(const char *octets)
{
    join_with_password(octets, NO_SETS);
}

/* NETSETUP_MACHINE_PWD_PASSED with an empty password, as far as a key tells. */
static void test_empty_password(const smb_session *session)
{
    const encode_set *sets = SETS({"Options", .number = 0xc1}, {"AccountName", .null = true});
    unsigned empty = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_opened); i++) {
        association.smb = session;
        answer(join_with_password(join_rc4_opened[i].octets, sets), 11, RETURNS(0));
        if (*join_rc4_opened[i].password) {
            not_concerned("W-13");
            continue;
        }
        empty++;
        broken("W-13", 11, "NETSETUP_MACHINE_PWD_PASSED is set and Password is empty; 0x52D (ERROR_PASSWORD_RESTRICTION)");
        association.smb = session;
        answer(join_with_password(join_rc4_opened[i].octets, sets), 11, RETURNS(0x52d));
        kept("W-13");
        answer(join_with_password(join_rc4_opened[i].octets, sets), 11, RETURNS(0)); /* without the key */
        not_concerned("W-13");
    }
    g_assert_cmpuint(empty, ==, 2);
}

static void test_passwords(void)
{
    keyring *ring = keyring_new();
    char *line = g_strdup_printf("smb-session-key 5 %s\n", join_vector_key);
    keyring_add_memory(ring, "keys", (const uint8_t *)line, strlen(line));
    smb_sessions *sessions = smb_sessions_new(ring);
    unsigned bare = 0;
    set_up();
    for (size_t i = 0; i < G_N_ELEMENTS(join_rc4_opened); i++) {
        association.smb = smb_sessions_find(sessions, 1, 5);
        send_password(join_rc4_opened[i].octets);
        kept("W-16");
        association.smb = smb_sessions_find(sessions, 1, 5);
        send_password(join_rc4_opened[i].octets);
        bare += !join_rc4_opened[i].encoded;
        if (join_rc4_opened[i].encoded)
            kept("W-17");
        else /* nothing but its shape says that it is open */
            warned("W-17", 10, "with a password that is not encoded with a seed");
    }
    g_assert_cmpuint(bare, >, 0);
    send_password(join_rc4_opened[0].octets);
    open_question("W-16", "IC-ENCRYPTED", 10, "with a password that is not opened");
    association.smb = smb_sessions_find(sessions, 1, 5);
    send_password(join_rc4_refused[0].octets);
    open_question("W-17", "IC-ENCRYPTED", 10, "with a password that is not opened");
    request(10, JOIN, SETS({"Password", .null = true}));
    not_concerned("W-16");
    request(10, JOIN, SETS({"Password", .null = true}));
    not_concerned("W-17");
    test_empty_password(smb_sessions_find(sessions, 1, 5));
    tear_down();
    smb_sessions_free(sessions);
    keyring_free(ring);
    g_free(line);
}

static void test_aes(void)
{
    static const uint8_t cipher[540];
    set_up();
    request(10, JOIN_3, SETS({"Cipher", .octets = cipher, .length = 512}));
    kept("W-25");
    request(10, JOIN_3, SETS({"Cipher", .octets = cipher, .length = 500}));
    warned("W-25", 10, "with a Cipher of 500 octets, which is no whole number of AES blocks");
    request(10, JOIN_3, SETS({"Cipher", .octets = cipher, .length = 528}));
    warned("W-25", 10, "with a Cipher of 528 octets; the limit is 524");
    request(10, JOIN_3, SETS({"cbCipher", .number = 480}, {"Cipher", .octets = cipher, .length = 512}));
    broken("W-25", 10, "with a Cipher whose count is not cbCipher");
    request(10, JOIN_3, SETS({"Password", .null = true}));
    not_concerned("W-25");
    rpc_call *call = send(10, JOIN_3, NO_SETS);
    seal(&call->request);
    verifier_message(t.v, call, false);
    open_question("W-25", "IC-ENCRYPTED", 10, "no key for CORP\\alice");
    tear_down();
}

static void test_options(void)
{
    set_up();
    expect_refusal("W-18", UNJOIN, SETS({"Options", .number = 6}), 0x3ec, VERDICT_VIOLATION,
                   "Options has 0x2, which is not defined");
    exchange(10, UNJOIN, SETS({"Options", .number = 0x10000004}), RETURNS(0));
    not_concerned("W-18");
    exchange(10, UNJOIN, SETS({"Options", .number = 0x10000006}), RETURNS(0)); /* which has it ignore the 2 */
    not_concerned("W-18");
    exchange(10, UNJOIN, SETS({"Options", .number = 0x204}), RETURNS(0)); /* which Windows has */
    warned("W-18", 11, "Options has 0x200, which is not defined");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 2}));
    exchange(12, UNJOIN, SETS({"Options", .number = 4}), RETURNS(0xa84));
    kept("W-18");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 2}));
    exchange(12, UNJOIN, SETS({"Options", .number = 4}), RETURNS(0));
    warned("W-18", 13, "though it had said that it is in no domain");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 2}));
    exchange(12, JOIN, SETS({"Options", .number = 1}), RETURNS(0));
    exchange(14, UNJOIN, SETS({"Options", .number = 4}), RETURNS(0));
    not_concerned("W-18");
    exchange(10, JOIN_INFORMATION, NO_SETS, SETS({"BufferType", .number = 0})); /* unknown */
    exchange(12, UNJOIN, SETS({"Options", .number = 4}), RETURNS(0));
    not_concerned("W-18");
    expect_refusal("W-19", RENAME, SETS({"Options", .number = 1}), 0x3ec, VERDICT_WARNING,
                   "Options has 0x1, which is not defined");
    exchange(10, RENAME, SETS({"Options", .number = 0x1002}), RETURNS(0));
    not_concerned("W-19");
    expect_refusal("W-20", VALIDATE, SETS({"NameType", .number = 0}), 0x57, VERDICT_VIOLATION, "NameType is 0");
    expect_refusal("W-20", VALIDATE, SETS({"NameType", .number = 1}), 0x8001011c, VERDICT_WARNING,
                   "the caller is another computer");

    exchange(10, ADD_NAME, SETS({"Reserved", .number = 1}), RETURNS(0));
    kept("W-21");
    exchange(10, ADD_NAME, SETS({"Reserved", .number = 8}), RETURNS(0x3ec));
    warned("W-21", 10, "with Reserved 0x8, should be 0");
    exchange(10, ADD_NAME, SETS({"Reserved", .number = 8}), RETURNS(0));
    broken("W-21", 11, "though Reserved is 0x8; 0x3EC (ERROR_INVALID_FLAGS) is required");
    exchange(10, ADD_NAME, SETS({"Reserved", .number = 9}), RETURNS(0)); /* the 1 has it ignore the 8 */
    warned("W-21", 10, "with Reserved 0x9, should be 0");

    exchange(10, ENUM_NAMES, SETS({"NameType", .number = 2}), RETURNS(0));
    kept("W-22");
    expect_refusal("W-22", ENUM_NAMES, SETS({"NameType", .number = 3}), 0x57, VERDICT_VIOLATION,
                   "NameType is 3, and not 0, 1 or 2");
    association.transport = RPC_NCACN_IP_TCP;
    exchange(10, ENUM_NAMES, NO_SETS, RETURNS(0));
    broken("W-22", 11, "it was asked over ncacn_ip_tcp");
    association.transport = RPC_NCACN_IP_TCP;
    exchange(10, ENUM_NAMES, NO_SETS, RETURNS(0x6a7));
    kept("W-22");
    tear_down();
}

static void test_changes(void)
{
    set_up();
    rpc_call *first = request(10, JOIN, NO_SETS), *second = request(11, RENAME, NO_SETS);
    answer(first, 12, RETURNS(0));
    answer(second, 13, RETURNS(0x6ff));
    kept("W-23");
    first = request(10, JOIN, NO_SETS), second = request(11, RENAME, NO_SETS);
    answer(first, 12, RETURNS(0));
    answer(second, 13, RETURNS(0));
    warned("W-23", 13, "another change of its identity, which succeeded in frame 12, was in progress");
    first = request(10, JOIN, NO_SETS), second = request(11, RENAME, NO_SETS);
    answer(first, 12, RETURNS(5));
    answer(second, 13, RETURNS(0));
    not_concerned("W-23");
    exchange(10, JOIN, NO_SETS, RETURNS(0));
    exchange(12, RENAME, NO_SETS, RETURNS(0));
    not_concerned("W-23");
    first = request(10, JOIN, NO_SETS); /* beside what changes nothing */
    joinable_ous_3(11, 12);
    answer(first, 13, RETURNS(0));
    not_concerned("W-23");
    first = request(10, JOIN, NO_SETS), second = request(11, ADD_NAME_2, NO_SETS);
    answer(first, 12, RETURNS(0));
    answer(second, 13, RETURNS(0));
    warned("W-23", 13, "succeeded in frame 12");
    first = request(10, JOIN, NO_SETS); /* never answered */
    refuse(first, 12, 5);
    exchange(13, RENAME, NO_SETS, RETURNS(0));
    not_concerned("W-23");
    tear_down();
}

static void test_names(void)
{
    set_up();
    exchange(10, ENUM_NAMES, NO_SETS, RETURNS(0));
    kept("W-26");
    exchange(10, ENUM_NAMES, NO_SETS, SETS({"Length", .number = 3}, {"MaximumLength", .number = 6}));
    broken("W-26", 11, "with a name of Length 3 and MaximumLength 6");
    exchange(10, ENUM_NAMES, NO_SETS, SETS({"Length", .number = 4}, {"MaximumLength", .number = 2}));
    broken("W-26", 11, "with a name of Length 4 and MaximumLength 2");
    exchange(10, ENUM_NAMES, NO_SETS, SETS({"ComputerNames", .null = true}));
    not_concerned("W-26");
    tear_down();
}

/* No capture shows what a client makes of a return code. */
static void test_unseen(void)
{
    set_up();
    exchange(10, GET_INFO, NO_SETS, RETURNS(0));
    expect("W-24", VERDICT_NOT_OBSERVABLE, NULL, 0, NULL);
    expect("WKST-1", VERDICT_NOT_APPLICABLE, NULL, 0, NULL);
    tear_down();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wkst-verdict/wkst-1", test_level);
    g_test_add_func("/wkst-verdict/wkst-2", test_caller);
    g_test_add_func("/wkst-verdict/wkst-3", test_reserved);
    g_test_add_func("/wkst-verdict/wkst-4", test_exception);
    g_test_add_func("/wkst-verdict/wkst-5, wkst-6", test_own_sessions);
    g_test_add_func("/wkst-verdict/wkst-7, wkst-8", test_strict);
    g_test_add_func("/wkst-verdict/w-01, w-02", test_transport);
    g_test_add_func("/wkst-verdict/w-03 to w-05", test_information);
    g_test_add_func("/wkst-verdict/w-06 to w-11", test_enumerations);
    g_test_add_func("/wkst-verdict/w-12", test_server_name);
    g_test_add_func("/wkst-verdict/w-13 to w-15", test_joining);
    g_test_add_func("/wkst-verdict/w-16, w-17", test_passwords);
    g_test_add_func("/wkst-verdict/w-25", test_aes);
    g_test_add_func("/wkst-verdict/w-18 to w-22", test_options);
    g_test_add_func("/wkst-verdict/w-23", test_changes);
    g_test_add_func("/wkst-verdict/w-26", test_names);
    g_test_add_func("/wkst-verdict/unseen", test_unseen);
    return g_test_run();
}
