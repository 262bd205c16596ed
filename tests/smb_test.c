/* smb_test.c - SMB sessions, share connections and pipes from crafted messages and exchanges: what began, what ended and how, and
 * what the notes say of what was left open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verifier/verdict.h"

enum { MORE_PROCESSING = (int)0xc0000016, SESSION_DELETED = (int)0xc0000203, DENIED = (int)0xc0000022,
       NAME_DELETED = (int)0xc00000c9, FILE_CLOSED = (int)0xc0000128 };

/* ------------------------------------------------------------------------------------------------------ the stage */

static struct {
    smb_life    *life;
    smb_tracker *tracker;
    verifier    *judge;
    capture_facts facts;
    GString     *log;     /* "session alice began; ..." */
    uint32_t     frame;
    uint64_t     connection;
} t;

static void on_life(const smb_object *object, smb_event event, void *user)
{
    static const char *const kinds[] = {"session", "share", "pipe"};
    static const char *const events[] = {"began", "closed", "closed-with-owner", "closed-by-server", "replaced", "left"};
    static const char *const ends[] = {"open", "FIN", "RST"};
    g_assert_true(user == &t);
    g_string_append_printf(t.log, "%s %s %s%s", kinds[object->kind], object->name ? object->name : "?", events[event],
                           object->before && event == SMB_BEGAN ? " before" : "");
    if (event == SMB_LEFT)
        g_string_append_printf(t.log, " since %u %s", object->frame, ends[object->end]);
    g_string_append(t.log, "; ");
    if (t.judge)
        verifier_smb(t.judge, object, event);
}

static void on_exchange(const smb_exchange *exchange, void *user)
{
    (void)user;
    smb_life_exchange(t.life, exchange);
}

static void set_up(void)
{
    memset(&t, 0, sizeof t);
    smb_sink sink = {.exchange = on_exchange};
    t.life = smb_life_new(on_life, &t);
    t.tracker = smb_tracker_new(&sink);
    t.log = g_string_new(NULL);
    t.connection = 1;
    t.judge = verifier_new(NULL, NULL);
    t.facts = (capture_facts){.label = "a.pcap", .complete = true, .smb = t.life};
    verifier_begin(t.judge, &t.facts);
}

static void tear_down(void)
{
    smb_tracker_free(t.tracker);
    smb_life_free(t.life);
    verifier_free(t.judge);
    g_string_free(t.log, TRUE);
}

static void expect(const char *log)
{
    g_assert_cmpstr(t.log->str, ==, log);
    g_string_truncate(t.log, 0);
}

static const finding *finding_of(const char *id)
{
    const finding *only = NULL;
    for (size_t i = 0; i < verifier_finding_count(t.judge); i++)
        if (strcmp(verifier_finding(t.judge, i)->rule->id, id) == 0) {
            g_assert_null(only);
            only = verifier_finding(t.judge, i);
        }
    return only;
}

static void expect_note(const char *id, guint frames, const char *message)
{
    const finding *f = finding_of(id);
    g_assert_nonnull(f);
    g_assert_cmpint(f->verdict, ==, VERDICT_NOTE);
    g_assert_cmpuint(f->frames->len, ==, frames);
    g_assert_cmpstr(f->message, ==, message);
}

static void expect_verdict(const char *id, const char *verdict, const char *reason)
{
    for (const rule *r = rules_smb; r->id; r++)
        if (strcmp(r->id, id) == 0) {
            g_assert_cmpstr(rule_verdict_name(verifier_summary(t.judge, r).verdict), ==, verdict);
            g_assert_cmpstr(verifier_summary(t.judge, r).reason, ==, reason);
            return;
        }
    g_assert_not_reached();
}

static void end_capture(void)
{
    smb_life_end(t.life);
    verifier_end(t.judge);
}

/* ------------------------------------------------------------------------------------------------------- exchanges */

static smb_exchange blank(smb_command command, uint64_t session, uint32_t tree)
{
    return (smb_exchange){.connection = t.connection, .smb2 = true, .command = command, .session = session,
                          .asked_session = session,
                          .tree = tree, .impersonation = 2, .client = "192.0.2.7:49152", .server = "192.0.2.1:445"};
}

static void ask(smb_exchange e)
{
    e.frame = ++t.frame;
    smb_life_exchange(t.life, &e);
}

static void answer(smb_exchange e, int status)
{
    e.response = true;
    e.status = (uint32_t)status;
    e.request_frame = t.frame;
    e.frame = ++t.frame;
    smb_life_exchange(t.life, &e);
}

static void set_up_session(uint64_t session, const char *user)
{
    smb_exchange first = blank(SMB_SESSION_SETUP, 0, 0), last = blank(SMB_SESSION_SETUP, session, 0);
    ask(first);
    first.session = session;
    answer(first, MORE_PROCESSING);
    if (user)
        smb_life_user(t.life, t.connection, true, session, user);
    ask(last);
    answer(last, 0);
}

static void connect_share(uint64_t session, uint32_t tree, const char *path, unsigned flags)
{
    smb_exchange e = blank(SMB_TREE_CONNECT, session, 0);
    e.name = path;
    ask(e);
    e.tree = tree;
    e.flags = flags;
    answer(e, 0);
}

static void open_file(uint64_t session, uint32_t tree, uint64_t file, const char *name)
{
    smb_exchange e = blank(SMB_CREATE, session, tree);
    e.name = name;
    ask(e);
    e.file_id[0] = file;
    answer(e, 0);
}

static void finish(smb_command command, uint64_t session, uint32_t tree, uint64_t file, int status)
{
    smb_exchange e = blank(command, session, tree);
    e.file_id[0] = file;
    ask(e);
    answer(e, status);
}

static void open_all(uint64_t session, const char *user)
{
    set_up_session(session, user);
    connect_share(session, 1, "\\\\dc\\IPC$", SMB_PIPE_SHARE);
    open_file(session, 1, 77, "wkssvc");
}

/* ------------------------------------------------------------------------------------------------------- the tests */

static void test_closed(void)
{
    set_up();
    open_all(5, "CORP\\alice");
    expect("session CORP\\alice began; share \\\\dc\\IPC$ began; pipe wkssvc began; ");
    const uint64_t id[2] = {77, 0};
    const smb_object *pipe = smb_life_pipe(t.life, 1, id);
    g_assert_cmpuint(pipe->impersonation, ==, 2);
    g_assert_cmpstr(pipe->session->name, ==, "CORP\\alice");
    g_assert_cmpstr(pipe->share->name, ==, "\\\\dc\\IPC$");
    finish(SMB_CLOSE, 5, 1, 77, 0);
    finish(SMB_TREE_DISCONNECT, 5, 1, 0, 0);
    finish(SMB_LOGOFF, 5, 0, 0, 0);
    expect("pipe wkssvc closed; share \\\\dc\\IPC$ closed; session CORP\\alice closed; ");
    g_assert_null(smb_life_pipe(t.life, 1, id));
    /* What comes late brings nothing back. */
    ask(blank(SMB_OTHER, 5, 1));
    answer(blank(SMB_OTHER, 5, 1), SESSION_DELETED);
    end_capture();
    expect("");
    expect_verdict("SMB-1", "pass", NULL);
    expect_verdict("SMB-2", "pass", NULL);
    expect_verdict("SMB-3", "pass", NULL);
    tear_down();
}

static void test_left(void)
{
    set_up();
    open_all(5, "CORP\\alice");
    const uint64_t id[2] = {77, 0};
    smb_life_carried(t.life, 1, id, "bkrp");
    smb_life_tcp_end(t.life, 1, SMB_TCP_FIN);
    smb_life_tcp_end(t.life, 9, SMB_TCP_RST); /* none of ours */
    g_string_truncate(t.log, 0);
    end_capture();
    expect("session CORP\\alice left since 4 FIN; share \\\\dc\\IPC$ left since 6 FIN; pipe wkssvc left since 8 FIN; ");
    expect_note("SMB-1", 1, "session of 192.0.2.7:49152 at 192.0.2.1:445 (CORP\\alice), open since frame 4, is not seen to be "
                "logged off; it carried BackupKey; the connection ended with FIN");
    expect_note("SMB-2", 1, "share connection of 192.0.2.7:49152 at 192.0.2.1:445 (\\\\dc\\IPC$, CORP\\alice), open since frame "
                "6, is not seen to be disconnected; it carried BackupKey; the connection ended with FIN");
    expect_note("SMB-3", 1, "pipe of 192.0.2.7:49152 at 192.0.2.1:445 (wkssvc, CORP\\alice), open since frame 8, is not seen to "
                "be closed; it carried BackupKey; the connection ended with FIN");
    expect_verdict("SMB-1", "note", NULL);
    tear_down();

    set_up();
    set_up_session(5, "");
    smb_life_tcp_end(t.life, 1, SMB_TCP_RST);
    end_capture();
    expect_note("SMB-1", 1, "session of 192.0.2.7:49152 at 192.0.2.1:445 (anonymous), open since frame 4, is not seen to be "
                "logged off; it carried none of the three protocols; the connection ended with RST");
    expect_verdict("SMB-2", "not-applicable", "none is in the capture");
    tear_down();
}

/* One line for each client and server. */
static void test_many(void)
{
    set_up();
    for (uint64_t session = 1; session <= 6; session++) {
        char user[] = "alice0";
        user[5] = (char)('0' + (session + 1) / 2);
        t.connection = session;
        set_up_session(session, session == 6 ? NULL : user);
        if (session != 2)
            smb_life_tcp_end(t.life, session, session % 2 ? SMB_TCP_FIN : SMB_TCP_RST);
    }
    t.connection = 7;
    smb_exchange elsewhere = blank(SMB_SESSION_SETUP, 9, 0);
    elsewhere.server = "192.0.2.2:445";
    answer(elsewhere, 0);
    end_capture();
    const finding *here = verifier_finding(t.judge, 0), *there = verifier_finding(t.judge, 1);
    g_assert_cmpuint(verifier_finding_count(t.judge), ==, 2);
    g_assert_cmpuint(here->frames->len, ==, 6);
    g_assert_cmpstr(here->message, ==, "6 sessions of 192.0.2.7 at 192.0.2.1 (alice1: 2; alice2: 2; alice3: 1; user not known: "
                    "1), the first open since frame 4, are not seen to be logged off; what they carried: none of the three "
                    "protocols: 6; how they ended: with the connection's FIN: 3, with its RST: 2, not before the capture: 1");
    g_assert_cmpstr(there->message, ==, "session of 192.0.2.7:49152 at 192.0.2.2:445 (user not known), open since frame 25, is "
                    "not seen to be logged off; it carried none of the three protocols; the capture ends before the connection "
                    "does");
    tear_down();
}

static void test_owners(void)
{
    set_up();
    open_all(5, "alice");
    finish(SMB_LOGOFF, 5, 0, 0, 0);
    expect("session alice began; share \\\\dc\\IPC$ began; pipe wkssvc began; pipe wkssvc closed-with-owner; "
           "share \\\\dc\\IPC$ closed-with-owner; session alice closed; ");
    end_capture();
    expect_verdict("SMB-1", "pass", NULL);
    expect_note("SMB-2", 1, "share connection of 192.0.2.7:49152 at 192.0.2.1:445 (\\\\dc\\IPC$, alice), open since frame 6, is "
                "not seen to be disconnected; it carried none of the three protocols; it ended with its session");
    tear_down();

    set_up();
    open_all(5, "alice");
    finish(SMB_TREE_DISCONNECT, 5, 1, 0, 0);
    g_string_truncate(t.log, 0);
    end_capture();
    expect("session alice left since 4 open; ");
    tear_down();
}

/* Asking is enough where nobody answers, and not where the server refuses. */
static void test_unanswered(void)
{
    set_up();
    open_all(5, "alice");
    ask(blank(SMB_LOGOFF, 5, 0));
    g_string_truncate(t.log, 0);
    end_capture();
    expect("session alice closed; share \\\\dc\\IPC$ closed-with-owner; pipe wkssvc closed-with-owner; ");
    tear_down();

    set_up();
    set_up_session(5, "alice");
    finish(SMB_LOGOFF, 5, 0, 0, DENIED);
    g_string_truncate(t.log, 0);
    end_capture();
    expect("session alice left since 4 open; ");
    tear_down();
}

static void test_server_ends(void)
{
    set_up();
    open_all(5, "alice");
    g_string_truncate(t.log, 0);
    smb_exchange read = blank(SMB_OTHER, 5, 1);
    read.file_id[0] = 77;
    ask(read);
    answer(read, FILE_CLOSED);
    expect("pipe wkssvc closed-by-server; ");
    answer(blank(SMB_OTHER, 5, 1), NAME_DELETED);
    expect("share \\\\dc\\IPC$ closed-by-server; ");
    finish(SMB_LOGOFF, 5, 0, 0, SESSION_DELETED);
    expect("session alice closed-by-server; ");
    set_up_session(5, "bob"); /* the id is free again */
    answer(blank(SMB_SESSION_CLOSED, 5, 0), 0);
    expect("session bob began; session bob closed-by-server; ");
    set_up_session(6, "bob"); /* lost its connection, and comes back */
    t.connection = 2;
    smb_exchange again = blank(SMB_SESSION_SETUP, 7, 0);
    again.previous = 6;
    answer(again, 0);
    expect("session bob began; session ? began; ");
    tear_down();
}

/* Only connections of one server, which its GUID tells, know each other's sessions. */
static void greet(uint8_t guid)
{
    smb_exchange e = blank(SMB_NEGOTIATE, 0, 0);
    memset(e.server_guid, guid, sizeof e.server_guid);
    ask(e);
    answer(e, 0);
}

static void test_several_connections(void)
{
    set_up();
    greet(0xaa);
    set_up_session(6, "bob");
    t.connection = 2;
    greet(0xaa);
    smb_exchange again = blank(SMB_SESSION_SETUP, 7, 0);
    again.previous = 6;
    answer(again, 0);
    expect("session bob began; session ? began; session bob closed-by-server; ");

    /* A second channel: the session lives as long as one of its connections, and a file may be closed on either. */
    t.connection = 3;
    greet(0xbb);
    open_all(8, "eve");
    t.connection = 4;
    greet(0xbb);
    smb_exchange channel = blank(SMB_SESSION_SETUP, 8, 0);
    channel.flags = SMB_BINDING;
    ask(channel);
    answer(channel, 0);
    g_string_truncate(t.log, 0);
    finish(SMB_CLOSE, 8, 1, 77, 0);
    expect("pipe wkssvc closed; ");
    smb_life_tcp_end(t.life, 3, SMB_TCP_FIN);
    smb_life_tcp_end(t.life, 2, SMB_TCP_RST);
    end_capture();
    expect("session ? left since 9 RST; session eve left since 15 open; share \\\\dc\\IPC$ left since 17 open; ");
    tear_down();

    /* A second session of one connection; one that authenticates again; an id that is given anew. */
    set_up();
    set_up_session(1, "alice");
    set_up_session(2, "bob");
    finish(SMB_SESSION_SETUP, 1, 0, 0, 0);
    expect("session alice began; session bob began; ");
    smb_exchange anew = blank(SMB_SESSION_SETUP, 2, 0);
    anew.asked_session = 0;
    ask(blank(SMB_SESSION_SETUP, 0, 0));
    answer(anew, 0);
    expect("session bob replaced; session ? began; ");
    tear_down();
}

static void test_before(void)
{
    set_up();
    t.frame = 9;
    smb_exchange ioctl = blank(SMB_OTHER, 5, 3);
    ioctl.file_id[0] = 77;
    ask(ioctl);
    expect("session ? began before; share ? began before; ");
    ioctl.flags = SMB_PIPE_DATA;
    ask(ioctl);
    expect("pipe ? began before; ");
    open_file(5, 3, 78, "wkssvc"); /* a file, as far as is known */
    open_file(5, 3, 79, "readme.txt");
    expect("");
    const uint64_t id[2] = {78, 0};
    smb_life_carried(t.life, 1, id, "cmrp");
    expect("pipe wkssvc began; ");
    end_capture();
    expect_note("SMB-1", 1, "session of 192.0.2.7:49152 at 192.0.2.1:445 (user not known), open since before frame 10, is not "
                "seen to be logged off; it carried ClusAPI; the capture ends before the connection does");
    expect_note("SMB-3", 2, "2 pipes of 192.0.2.7 at 192.0.2.1 (name not known, user not known: 1; wkssvc, user not known: 1), "
                "the first open since frame 11, are not seen to be closed; 1 opened before the capture; what they carried: "
                "ClusAPI: 1, none of the three protocols: 1; how they ended: not before the capture: 2");
    tear_down();

    /* A file that was opened before is a pipe when calls are seen on it; those of an unknown interface tell nothing. */
    set_up();
    smb_exchange write = blank(SMB_OTHER, 5, 3);
    write.file_id[0] = 77;
    ask(write);
    smb_life_carried(t.life, 1, write.file_id, NULL);
    end_capture();
    expect_note("SMB-3", 1, "pipe of 192.0.2.7:49152 at 192.0.2.1:445 (name not known, user not known), open since before frame "
                "1, is not seen to be closed; whether it carried one of the three protocols is not known: the bind of its calls "
                "is not in the capture; the capture ends before the connection does");
    tear_down();
}

static void test_sealed(void)
{
    set_up();
    set_up_session(5, "alice");
    smb_life_sealed(t.life, 1, 10, "192.0.2.7:49152", "192.0.2.1:445", 5);
    t.facts.encrypted_smb = 1;
    end_capture();
    expect_note("SMB-1", 1, "session of 192.0.2.7:49152 at 192.0.2.1:445 (alice), open since frame 4, is not seen to be logged "
                "off, which encrypted messages that are not opened may hide; whether it carried one of the three protocols is "
                "not known: its messages are encrypted and not opened; the capture ends before the connection does");
    expect_verdict("SMB-2", "inconclusive", "IC-ENCRYPTED");
    tear_down();

    /* Nothing but what is encrypted: the port tells who is the client. */
    set_up();
    smb_life_sealed(t.life, 1, 10, "192.0.2.1:445", "192.0.2.7:49152", 5);
    expect("session ? began before; ");
    end_capture();
    expect_note("SMB-1", 1, "session of 192.0.2.7:49152 at 192.0.2.1:445 (user not known), open since before frame 10, is not "
                "seen to be logged off, which encrypted messages that are not opened may hide; whether it carried one of the "
                "three protocols is not known: its messages are encrypted and not opened; the capture ends before the connection "
                "does");
    tear_down();
}

/* A file is no pipe, and a name is no line of its own. */
static void test_files(void)
{
    set_up();
    set_up_session(5, "al\nice");
    connect_share(5, 2, "\\\\dc\\sysvol", 0);
    open_file(5, 2, 80, "wkssvc");
    end_capture();
    g_assert_null(finding_of("SMB-3"));
    g_assert_nonnull(strstr(finding_of("SMB-1")->message, "(al\\x0aice)"));
    tear_down();
}

/* ---------------------------------------------------------------------------------------------------------- octets */

static void put(GByteArray *p, uint64_t value, int size)
{
    for (int i = 0; i < size; i++, value >>= 8) {
        uint8_t octet = (uint8_t)value;
        g_byte_array_append(p, &octet, 1);
    }
}

static void put_text(GByteArray *p, const char *text, int size)
{
    for (; *text; text++)
        put(p, (uint8_t)*text, size);
}

static void pad_to(GByteArray *p, guint length)
{
    while (p->len < length)
        put(p, 0, 1);
}

static GByteArray *smb2(uint16_t command, uint32_t flags, uint32_t status, uint64_t message, uint32_t tree, uint64_t session)
{
    GByteArray *p = g_byte_array_new();
    g_byte_array_append(p, (const guint8 *)"\xfeSMB\x40\0\0\0", 8);
    put(p, status, 4);
    put(p, command, 2);
    put(p, 1, 2);
    put(p, flags, 4);
    put(p, 0, 4);
    put(p, message, 8);
    put(p, 0, 4);
    put(p, tree, 4);
    put(p, session, 8);
    put(p, 0, 16);
    return p;
}

/* Every shorter length as well, by another tracker, so that a sanitizer sees each read too far. */
static void give(GByteArray *p, bool from_server)
{
    smb_tracker_message(t.tracker, 1, t.frame, from_server ? "S:445" : "C:1", from_server ? "C:1" : "S:445", p->data, p->len);
    for (guint length = 0; length < p->len; length++) {
        smb_life *life = smb_life_new(NULL, NULL), *ours = t.life;
        smb_sink sink = {.exchange = on_exchange};
        smb_tracker *tracker = smb_tracker_new(&sink);
        uint8_t *exact = g_memdup2(p->data, MAX(length, 1));
        t.life = life;
        smb_tracker_message(tracker, 1, t.frame, "C:1", "S:445", exact, length);
        t.life = ours;
        g_free(exact);
        smb_tracker_free(tracker);
        smb_life_free(life);
    }
    g_byte_array_unref(p);
}

static GByteArray *smb2_share(bool response)
{
    GByteArray *p = smb2(3, response, 0, 2, response ? 1 : 0, 5);
    if (response) {
        put(p, 16, 2);
        put(p, 2, 1); /* pipes */
        pad_to(p, 64 + 16);
    } else {
        put(p, 9, 2);
        put(p, 0, 2);
        put(p, 64 + 8, 2);
        put(p, 2 * 9, 2);
        put_text(p, "\\\\dc\\IPC$", 2);
    }
    return p;
}

static GByteArray *smb2_create(uint32_t flags, uint64_t message, uint32_t tree, uint64_t session)
{
    GByteArray *p = smb2(5, flags, 0, message, tree, session);
    put(p, 57, 2);
    put(p, 0, 2);
    put(p, 3, 4); /* delegate */
    pad_to(p, 64 + 44);
    put(p, 64 + 56, 2);
    put(p, 2 * 6, 2);
    pad_to(p, 64 + 56);
    put_text(p, "wkssvc", 2);
    return p;
}

static GByteArray *smb2_created(uint32_t flags, uint64_t message, uint64_t file)
{
    GByteArray *p = smb2(5, flags, 0, message, 1, 5);
    pad_to(p, 64 + 64);
    put(p, file, 8);
    put(p, file + 1, 8);
    pad_to(p, 64 + 88);
    return p;
}

static GByteArray *smb2_close(uint32_t flags, uint64_t message, uint32_t tree, uint64_t session, uint64_t file, uint64_t rest)
{
    GByteArray *p = smb2(6, flags, 0, message, tree, session);
    pad_to(p, 64 + 8);
    put(p, file, 8);
    put(p, rest, 8);
    pad_to(p, 64 + 60);
    return p;
}

enum { ANSWER = 1, ASYNC = 2, RELATED = 4 };

static void test_smb2_octets(void)
{
    set_up();
    GByteArray *setup = smb2(1, 0, 0, 1, 0, 0);
    pad_to(setup, 64 + 24);
    t.frame = 1;
    give(setup, false);
    GByteArray *done = smb2(1, ANSWER, 0, 1, 0, 5);
    put(done, 9, 2);
    put(done, 2, 2); /* anonymous */
    pad_to(done, 64 + 8);
    t.frame = 2;
    give(done, true);
    t.frame = 3;
    give(smb2_share(false), false);
    give(smb2_share(true), true);
    expect("session ? began; share \\\\dc\\IPC$ began; ");

    /* An answer that comes later names no share, only an AsyncId. */
    t.frame = 5;
    give(smb2_create(0, 3, 1, 5), false);
    GByteArray *interim = smb2(5, ANSWER | ASYNC, 0x103, 3, 99, 5);
    pad_to(interim, 64 + 9);
    give(interim, true);
    expect("");
    give(smb2_created(ANSWER | ASYNC, 3, 77), true);
    expect("pipe wkssvc began; ");
    const uint64_t id[2] = {77, 78};
    g_assert_cmpuint(smb_life_pipe(t.life, 1, id)->impersonation, ==, 3);
    g_assert_true(smb_life_pipe(t.life, 1, id)->session->anonymous);
    give(smb2_close(0, 4, 1, 5, 77, 78), false);
    give(smb2_close(ANSWER, 4, 1, 5, 0, 0), true);
    expect("pipe wkssvc closed; ");

    /* CREATE and CLOSE in one compound. */
    t.frame = 7;
    give(smb2_create(0, 5, 1, 5), false);
    give(smb2_close(RELATED, 6, UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX), false);
    t.frame = 8;
    give(smb2_created(ANSWER, 5, 80), true);
    give(smb2_close(ANSWER | RELATED, 6, 1, 5, 0, 0), true);
    expect("pipe wkssvc began; pipe wkssvc closed; ");

    GByteArray *off = smb2(2, 0, 0, 7, 0, 5), *gone = smb2(2, ANSWER, 0, 7, 0, 5);
    put(off, 4, 4);
    put(gone, 4, 4);
    give(off, false);
    give(gone, true);
    expect("share \\\\dc\\IPC$ closed-with-owner; session ? closed; ");
    tear_down();
}

static GByteArray *smb1(uint8_t command, bool response, uint32_t status, uint16_t tree, uint16_t uid, uint16_t mid)
{
    GByteArray *p = g_byte_array_new();
    g_byte_array_append(p, (const guint8 *)"\xffSMB", 4);
    put(p, command, 1);
    put(p, status, 4);
    put(p, response ? 0x80 : 0, 1);
    put(p, 0xc001, 2); /* Unicode, NTSTATUS */
    pad_to(p, 24);
    put(p, tree, 2);
    put(p, 7, 2);
    put(p, uid, 2);
    put(p, mid, 2);
    return p;
}

/* SESSION_SETUP_ANDX without extended security, and TREE_CONNECT_ANDX in its chain. */
static GByteArray *smb1_setup(bool chained)
{
    GByteArray *p = smb1(0x73, false, 0, 0, 0, 1);
    put(p, 13, 1);
    put(p, chained ? 0x75 : 0xff, 1);
    put(p, 0, 1);
    put(p, chained ? 100 : 0, 2);
    pad_to(p, 33 + 14);
    put(p, 1, 2);
    put(p, 2, 2);
    pad_to(p, 33 + 26);
    put(p, 39, 2);
    put(p, 0, 3); /* the passwords, and they end on an even place */
    put_text(p, "alice", 2);
    put(p, 0, 2);
    put_text(p, "CORP", 2);
    put(p, 0, 2);
    pad_to(p, 100);
    put(p, 4, 1);
    put(p, 0xff, 1);
    put(p, 0, 5);
    put(p, 1, 2); /* a password of one octet */
    put(p, 0, 2);
    put(p, 0, 1);
    pad_to(p, p->len + p->len % 2);
    put_text(p, "\\\\dc\\IPC$", 2);
    put(p, 0, 2);
    put_text(p, "?????", 1);
    put(p, 0, 1);
    return p;
}

static GByteArray *smb1_set_up(bool chained, uint32_t status)
{
    GByteArray *p = smb1(0x73, true, status, chained ? 3 : 0, 9, 1);
    put(p, 3, 1);
    put(p, chained ? 0x75 : 0xff, 1);
    put(p, 0, 1);
    put(p, chained ? 44 : 0, 2);
    put(p, 1, 2); /* guest */
    put(p, 0, 2);
    pad_to(p, 44);
    if (!chained)
        return p;
    put(p, status ? 0 : 3, 1);
    if (!status) {
        put(p, 0xff, 6);
        put(p, 4, 2);
        put_text(p, "IPC", 1);
    }
    put(p, 0, 2);
    return p;
}

static GByteArray *smb1_create(bool response)
{
    GByteArray *p = smb1(0xa2, response, 0, 3, 9, 2);
    put(p, response ? 34 : 24, 1);
    put(p, 0xff, 4);
    if (response) {
        put(p, 0, 1);
        put(p, 0x4001, 2);
        pad_to(p, 33 + 68 + 2);
        return p;
    }
    put(p, 0, 1);
    put(p, 14, 2);
    pad_to(p, 33 + 43);
    put(p, 1, 4); /* identification */
    put(p, 0, 1);
    put(p, 17, 2);
    pad_to(p, p->len + p->len % 2);
    put_text(p, "\\wkssvc", 2);
    put(p, 0, 2);
    return p;
}

static GByteArray *smb1_bare(uint8_t command, bool response, uint16_t mid)
{
    GByteArray *p = smb1(command, response, 0, 3, 9, mid);
    put(p, command == 0x04 && !response ? 3 : command == 0x74 ? 2 : 0, 1);
    if (command == 0x04 && !response) {
        put(p, 0x4001, 2);
        put(p, 0, 4);
    } else if (command == 0x74) {
        put(p, 0xff, 4);
    }
    put(p, 0, 2);
    return p;
}

static void test_smb1_octets(void)
{
    set_up();
    t.frame = 1;
    give(smb1_setup(true), false);
    give(smb1_set_up(true, 0), true);
    expect("session CORP\\alice began; share \\\\dc\\IPC$ began; ");
    give(smb1_create(false), false);
    give(smb1_create(true), true);
    expect("pipe wkssvc began; ");
    const uint64_t id[2] = {UINT64_C(1) << 32 | 0x4001, 0};
    g_assert_cmpuint(smb_life_pipe(t.life, 1, id)->impersonation, ==, 1);
    g_assert_true(smb_life_pipe(t.life, 1, id)->session->guest);
    give(smb1_bare(0x04, false, 3), false);
    give(smb1_bare(0x04, true, 3), true);
    give(smb1_bare(0x71, false, 4), false);
    give(smb1_bare(0x71, true, 4), true);
    give(smb1_bare(0x74, false, 5), false);
    give(smb1_bare(0x74, true, 5), true);
    expect("pipe wkssvc closed; share \\\\dc\\IPC$ closed; session CORP\\alice closed; ");
    tear_down();

    /* The chain's second command fails: the session stands. */
    set_up();
    give(smb1_setup(true), false);
    give(smb1_set_up(true, 0xc00000cc), true);
    expect("session CORP\\alice began; ");
    tear_down();

    set_up();
    give(smb1_setup(false), false);
    give(smb1_set_up(false, 0xc000006d), true);
    expect("");
    tear_down();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smb-life/closed", test_closed);
    g_test_add_func("/smb-life/left", test_left);
    g_test_add_func("/smb-life/many", test_many);
    g_test_add_func("/smb-life/owners", test_owners);
    g_test_add_func("/smb-life/unanswered", test_unanswered);
    g_test_add_func("/smb-life/server-ends", test_server_ends);
    g_test_add_func("/smb-life/several-connections", test_several_connections);
    g_test_add_func("/smb-life/before", test_before);
    g_test_add_func("/smb-life/sealed", test_sealed);
    g_test_add_func("/smb-life/files", test_files);
    g_test_add_func("/smb-life/smb2-octets", test_smb2_octets);
    g_test_add_func("/smb-life/smb1-octets", test_smb1_octets);
    return g_test_run();
}
