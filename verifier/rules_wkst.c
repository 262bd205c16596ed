/* rules_wkst.c - the rules of [MS-WKST] 3.2.4 (v32.0), held against what clients and servers did. The table of rules is at the
 * end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "verifier/rules_wkst.h"

#include <string.h>

#include "decoders/errors.h"

static const char ic_spec[] = "IC-SPEC", ic_one_leg[] = "IC-ONE-LEG";

/* ------------------------------------------------------------------------------------------- what the checks share */

bool wkst_is(const rpc_call *call, uint64_t opnums)
{
    return call->method && !call->method->reserved && call->opnum <= WKST_LAST && (opnums >> call->opnum & 1);
}

bool wkst_is_other(const rpc_call *call)
{
    wkst_reading in;
    bool other = wkst_is(call, WKST_BIT(WKST_ADD_NAME_2)) && wkst_read(call, false, &in);
    if (other) {
        other = in.notes & 1u << NDR_NOTE_OTHER;
        wkst_reading_clear(&in);
    }
    return other;
}

/* What the wire has that the interface does not allow; the others are about this reader's tables or what lies within octets. */
static bool is_about_the_wire(ndr_note note)
{
    return note == NDR_NOTE_SIZE_IS || note == NDR_NOTE_LENGTH_IS || note == NDR_NOTE_SWITCH_IS || note == NDR_NOTE_NULL_REF ||
           note == NDR_NOTE_VARIANCE || note == NDR_NOTE_OFFSET;
}

static void take_event(const ndr_event *e, void *user)
{
    wkst_reading *r = user;
    if (e->kind == NDR_EV_NOTE) {
        r->notes |= 1u << e->note;
        if (!r->note && is_about_the_wire(e->note))
            r->note = ndr_note_text(e);
    } else if (e->kind == NDR_EV_VALUE) {
        bool null = e->type->kind == NDR_UNIQUE || e->type->kind == NDR_REF;
        wkst_item item = {e->name, e->row, e->parent, null ? 0 : e->value.number, g_strdup(e->value.text), null};
        g_array_append_val(r->items, item);
    }
}

bool wkst_read(const rpc_call *call, bool response, wkst_reading *r)
{
    ndr_stub stub;
    *r = (wkst_reading){0};
    if (!call->method || call->method->reserved || !rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        return false;
    r->items = g_array_new(FALSE, FALSE, sizeof(wkst_item));
    r->result = rpc_message_walk(call, response, &stub, take_event, r);
    return true;
}

void wkst_reading_clear(wkst_reading *r)
{
    for (guint i = 0; r->items && i < r->items->len; i++)
        g_free(g_array_index(r->items, wkst_item, i).text);
    g_clear_pointer(&r->items, g_array_unref);
    g_clear_pointer(&r->note, g_free);
}

const wkst_item *wkst_find(const wkst_reading *r, const char *name)
{
    for (guint i = 0; r->items && i < r->items->len; i++) {
        const wkst_item *item = &g_array_index(r->items, wkst_item, i);
        if (strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

uint64_t wkst_number(const wkst_reading *r, const char *name)
{
    const wkst_item *item = wkst_find(r, name);
    return item ? item->number : 0;
}

void wkst_find_unread(verifier *v, const rule *self, const rpc_call *call, bool response)
{
    const char *reason;
    const rpc_message *m = response ? &call->response : &call->request;
    const char *text = rule_unread(m, &reason);
    const void *key = rule_context_key(call, m);
    if (response)
        rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, reason, key, "and that cannot be read: %s", text);
    else
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, reason, key, "and that cannot be read: %s", text);
}

void wkst_with_answer(verifier *v, const rule *self, void *state, const rpc_call *call, bool response, uint64_t opnums,
                      void (*fn)(const wkst_answer *answer))
{
    wkst_answer a = {.v = v, .self = self, .call = call, .state = state};
    if (!wkst_is(call, opnums) || call->request.kind == RPC_NONE || (response && call->response.kind != RPC_RESPONSE))
        return;
    bool readable = wkst_read(call, false, &a.in);
    if (!readable && !response)
        wkst_find_unread(v, self, call, false);
    if (readable && response) {
        const wkst_item *returned = wkst_read(call, true, &a.out) ? wkst_find(&a.out, "return") : NULL;
        if (returned && a.in.result.code == NDR_OK && a.out.result.code == NDR_OK) {
            a.status = (uint32_t)returned->number;
            fn(&a);
        } else if (!returned) {
            wkst_find_unread(v, self, call, true);
        }
    }
    wkst_reading_clear(&a.in);
    wkst_reading_clear(&a.out);
}

void wkst_judge_refusal(const wkst_answer *a, uint32_t expected, rule_verdict broken, const char *format, ...)
{
    if (a->status == WKST_SUCCESS) {
        va_list arguments;
        va_start(arguments, format);
        char *rest = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        rule_find_response(a->v, a->self, a->call, broken, NULL, NULL, "with success, though %s; 0x%X (%s) is required", rest,
                           expected, errors_win32(expected));
        g_free(rest);
    } else if (a->status == expected) {
        verifier_pass(a->v, a->self);
    } else {
        verifier_not_applicable(a->v, a->self, "it was refused for another reason");
    }
}

const smb_object *wkst_pipe(const verifier *v, const rpc_call *call)
{
    const rpc_association *a = call->association;
    const smb_life *life = verifier_facts(v)->smb;
    return life && a->transport == RPC_NCACN_NP ? smb_life_pipe(life, a->connection, a->pipe_id) : NULL;
}

/* ------------------------------------------------------------------------------------ WKST-1: the impersonation level */

/* 2.2.2.1: WKSSVC_IDENTIFY_HANDLE. WKST_JOINING take handle_t (2.2.2.3), all others WKSSVC_IMPERSONATE_HANDLE (2.2.2.2). */
static const uint64_t identify_handles = WKST_BITS(0, 2) | WKST_BITS(5, 7) | WKST_BIT(11) | WKST_BIT(13);
/* [MS-SMB2] 2.2.13 */
enum { ANONYMOUS = 0, IDENTIFICATION = 1, IMPERSONATION = 2, DELEGATE = 3 };

/* 3.2.4 asks for IDENTIFICATION whatever the handle, 2.2.2.2 and 2.2.2.3 for IMPERSONATION, and 2.1 allows both: where these
 * disagree nobody can be judged. A handle_t over IDENTIFICATION, with which no server can act for a caller, is worth a doubt. */
static void judge_level(const wkst_answer *a)
{
    const smb_object *pipe = wkst_pipe(a->v, a->call);
    const void *key = rule_context_key(a->call, &a->call->request);
    bool identify = identify_handles >> a->call->opnum & 1;
    if (a->call->association->transport != RPC_NCACN_NP)
        verifier_not_applicable(a->v, a->self, "wkssvc was reached over TCP, where no pipe is opened");
    else if (!pipe || pipe->impersonation == UINT32_MAX)
        rule_find_response(a->v, a->self, a->call, VERDICT_INCONCLUSIVE, ic_truncated, key,
                           "on a pipe whose opening is not in the capture");
    else if (a->status != WKST_SUCCESS && (pipe->impersonation == ANONYMOUS || pipe->impersonation >= DELEGATE))
        verifier_pass(a->v, a->self);
    else if (a->status != WKST_SUCCESS)
        verifier_not_applicable(a->v, a->self, "the calls were refused");
    else if (pipe->impersonation == ANONYMOUS)
        rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, key,
                           "with success on a pipe that was opened with ImpersonationLevel 0 (anonymous)");
    else if (pipe->impersonation >= DELEGATE)
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, key,
                           "with success on a pipe that was opened with ImpersonationLevel %u", pipe->impersonation);
    else if (identify == (pipe->impersonation == IDENTIFICATION))
        verifier_pass(a->v, a->self);
    else if (WKST_JOINING >> a->call->opnum & 1)
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, key, "with success on a pipe that was opened with "
                           "ImpersonationLevel %u; 2.2.2.3 asks for IMPERSONATION (2)", pipe->impersonation);
    else
        rule_find_response(a->v, a->self, a->call, VERDICT_INCONCLUSIVE, ic_spec, key,
                           "with success on a pipe that was opened with ImpersonationLevel %u, and 3.2.4 contradicts 2.1 and %s "
                           "about it", pipe->impersonation,
                           identify ? "2.2.2.1" : "2.2.2.2");
}

static void check_level(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BITS(0, WKST_LAST), judge_level);
}

/* ---------------------------------------------------------------------------------------------- WKST-2: who may call */

/* What only administrators may do. */
static const uint64_t for_administrators = WKST_BIT(WKST_SET_INFO) | WKST_BIT(WKST_TRANSPORT_ADD) | WKST_BIT(WKST_TRANSPORT_DEL) |
                                           WKST_CHANGING;

static bool is_nobody(const wkst_answer *a)
{
    const rpc_auth *auth = a->call->request.auth;
    const smb_object *pipe = wkst_pipe(a->v, a->call);
    if (auth)
        return sec_context_facts(auth->security)->anonymous;
    return pipe && pipe->session && (pipe->session->anonymous || pipe->session->guest);
}

static void judge_caller(const wkst_answer *a)
{
    const void *key = rule_context_key(a->call, &a->call->request);
    if (wkst_is_other(a->call))
        return; /* NetrGetJoinableOUs3, which anybody may call */
    if (a->status == WKST_ACCESS_DENIED)
        verifier_pass(a->v, a->self);
    else if (a->status != WKST_SUCCESS)
        verifier_not_applicable(a->v, a->self, "the calls failed for other reasons");
    else if (is_nobody(a))
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, key, "with success, though the caller is anonymous or "
                           "a guest");
    else
        rule_find_response(a->v, a->self, a->call, VERDICT_INCONCLUSIVE, ic_config, key,
                           "with success; whether the caller may is not on the wire");
}

static void check_caller(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, for_administrators, judge_caller);
}

/* ------------------------------------------------------------------------------------------ WKST-3: reserved opnums */

/* The opnum can be read even where the stub is sealed. What the server makes of such a call is not defined. */
static void check_reserved(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (response || !call->method)
        return;
    if (call->method->reserved)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "(opnum %u), which is reserved for local use",
                          call->opnum);
    else
        verifier_pass(v, self);
}

/* ------------------------------------------------------------------------------------------------ WKST-4: exceptions */

typedef enum { FAULT_RUNTIME, FAULT_EITHER, FAULT_METHOD, FAULT_UNCLEAR } fault_origin;

/* The runtime's own faults are no exception of a method's; what a processor, a debugger or the method itself raises is. */
static fault_origin origin_of(uint32_t status)
{
    static const uint32_t exceptions[] = {0x1c000001, 0x1c000002, 0x1c000003, 0x1c000004, 0x1c000005, 0x1c00000e, 0x1c00000f,
                                          0x1c000010, 0x1c000012, 0x1c000021};
    static const uint32_t runtime[] = {0x6a4, 0x6a6, 0x6b3, 0x6b5, 0x6bb, 0x6be, 0x6bf, 0x6c0, 0x6c4, 0x6d1, 0x6e4, 0x6f7, 0x6f8,
                                       0x6fe, 0x721, 0xe, 8};
    for (size_t i = 0; i < G_N_ELEMENTS(exceptions); i++)
        if (status == exceptions[i])
            return FAULT_METHOD;
    for (size_t i = 0; i < G_N_ELEMENTS(runtime); i++)
        if (status == runtime[i])
            return FAULT_RUNTIME;
    if (status == WKST_ACCESS_DENIED)
        return FAULT_EITHER;
    if (status >> 30 == 3)
        return FAULT_METHOD;
    return status >> 24 == 0x1c ? FAULT_RUNTIME : FAULT_UNCLEAR;
}

/* Whether the runtime had any reason of its own to refuse the request. */
static void judge_fault(verifier *v, const rule *self, const rpc_call *call, fault_origin origin)
{
    wkst_reading in;
    const void *key = rule_context_key(call, &call->request);
    uint32_t status = call->response.status;
    const char *name = errors_fault(status);
    if (!wkst_read(call, false, &in)) {
        wkst_find_unread(v, self, call, false);
        return;
    }
    bool sound = in.result.code == NDR_OK && !(in.notes & ~(1u << NDR_NOTE_OTHER | 1u << NDR_NOTE_BLOB));
    if (!sound)
        verifier_not_applicable(v, self, "the request was not well formed");
    else if (origin == FAULT_EITHER)
        rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, ic_internal, key,
                           "with fault 0x%08X, which both the RPC runtime and the method may give", status);
    else
        rule_find_response(v, self, call, origin == FAULT_METHOD ? VERDICT_VIOLATION : VERDICT_WARNING, NULL, NULL,
                           "with fault 0x%08X (%s), which is no refusal of the RPC runtime, though the request is well formed",
                           status, name ? name : "no name known");
    wkst_reading_clear(&in);
}

static void check_exception(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!response || !wkst_is(call, WKST_BITS(0, WKST_LAST)))
        return;
    if (call->response.kind == RPC_RESPONSE)
        verifier_pass(v, self);
    else if (origin_of(call->response.status) == FAULT_RUNTIME || call->response.not_executed)
        verifier_not_applicable(v, self, "the RPC runtime refused the calls");
    else if (call->request.kind != RPC_NONE)
        judge_fault(v, self, call, origin_of(call->response.status));
}

/* ------------------------------------------------------------------- WKST-5, WKST-6: sessions and shares it opens itself */

/* A call in progress, during which its server may be the client of another. */
typedef struct {
    uint64_t   number;
    char      *server;   /* its address */
    char      *account;  /* that the call gives; NULL: none, or it cannot be read */
    GPtrArray *open;     /* smb_object: what it has opened since and not closed */
    unsigned   closed;   /* how many it has */
    unsigned   implied;  /* how many ended with their session or connection */
} window;

typedef struct {
    GPtrArray  *windows;
    GHashTable *clients; /* addresses that are SMB clients in this capture, as a set: that leg of theirs is seen */
} own_sessions;

/* More calls at a time are a flood, and more addresses a scan: a hostile capture may not make each event cost more and more. */
enum { WINDOWS_LIMIT = 1024, CLIENTS_LIMIT = 65536 };

static void window_free(void *p)
{
    window *w = p;
    g_free(w->server);
    g_free(w->account);
    g_ptr_array_unref(w->open);
    g_free(w);
}

static char *address_of(const char *endpoint)
{
    return g_strndup(endpoint, rule_address_length(endpoint));
}

static window *find_window(const own_sessions *s, uint64_t number)
{
    for (guint i = 0; s->windows && i < s->windows->len; i++)
        if (((window *)s->windows->pdata[i])->number == number)
            return s->windows->pdata[i];
    return NULL;
}

static void begin_window(own_sessions *s, const rpc_call *call)
{
    wkst_reading in;
    if (!s->windows)
        s->windows = g_ptr_array_new_with_free_func(window_free);
    if (s->windows->len >= WINDOWS_LIMIT)
        return;
    window *w = g_new0(window, 1);
    w->number = call->number;
    w->server = address_of(call->association->server);
    w->open = g_ptr_array_new();
    if (wkst_read(call, false, &in)) {
        const wkst_item *account = wkst_find(&in, "AccountName"), *other = wkst_find(&in, "DomainAccount");
        w->account = g_strdup(account ? account->text : other ? other->text : NULL);
        wkst_reading_clear(&in);
    }
    g_ptr_array_add(s->windows, w);
}

/* The part behind the domain of "CORP\alice", that before the realm of "alice@CORP.EXAMPLE". */
static char *plain_name(const char *user)
{
    const char *name = strrchr(user, '\\');
    name = name ? name + 1 : user;
    const char *realm = strchr(name, '@');
    char *plain = g_strndup(name, realm ? (size_t)(realm - name) : strlen(name)), *folded = g_utf8_casefold(plain, -1);
    g_free(plain);
    return folded;
}

typedef enum { ACCOUNT_SAME, ACCOUNT_OTHER, ACCOUNT_UNKNOWN } account_match;

/* A server has sessions of other purposes as well: those with the account of the call are the call's. */
static account_match match_account(const window *w, const smb_object *object)
{
    const smb_object *session = object->kind == SMB_SESSION ? object : object->session;
    if (!w->account || !session || !session->name)
        return ACCOUNT_UNKNOWN;
    char *wanted = plain_name(w->account), *found = plain_name(session->name);
    bool same = strcmp(wanted, found) == 0;
    g_free(wanted);
    g_free(found);
    return same ? ACCOUNT_SAME : ACCOUNT_OTHER;
}

static void own_began(own_sessions *s, const smb_object *object)
{
    if (!s->clients)
        s->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char *address = address_of(object->client);
    for (guint i = 0; s->windows && !object->before && i < s->windows->len; i++) {
        window *w = s->windows->pdata[i];
        if (strcmp(w->server, address) == 0)
            g_ptr_array_add(w->open, (gpointer)object);
    }
    if (g_hash_table_size(s->clients) < CLIENTS_LIMIT)
        g_hash_table_add(s->clients, address);
    else
        g_free(address);
}

/* What ended without being closed is in doubt, if it was the call's. */
static void count_end(window *w, const smb_object *object, bool implied)
{
    account_match match = match_account(w, object);
    if (match == ACCOUNT_SAME && implied)
        w->implied++;
    else if (match != ACCOUNT_OTHER)
        w->closed++;
}

static void own_event(own_sessions *s, const smb_object *object, smb_event event)
{
    if (event == SMB_BEGAN) {
        own_began(s, object);
        return;
    }
    for (guint i = 0; s->windows && i < s->windows->len; i++) {
        window *w = s->windows->pdata[i];
        if (g_ptr_array_remove_fast(w->open, (gpointer)object))
            count_end(w, object, event == SMB_CLOSED_WITH_OWNER);
    }
}

/* With its session or its connection. */
static bool is_over_with(const verifier *v, const smb_object *object)
{
    const capture_facts *facts = verifier_facts(v);
    return (object->session && object->session->closing) ||
           (facts->tcp_end && facts->tcp_end(object->connection, facts->user) != SMB_TCP_OPEN);
}

/* What is still open when the answer leaves. Who opened it is certain by the account alone. */
static void judge_open(verifier *v, const rule *self, const rpc_call *call, const smb_object *object, account_match match)
{
    const char *kind = object->kind == SMB_SESSION ? "session" : "share connection";
    bool named = object->kind == SMB_SHARE && object->name;
    const char *reason = smb_life_is_sealed(object) ? ic_encrypted : match == ACCOUNT_SAME ? NULL : ic_internal;
    rule_find_response(v, self, call, reason ? VERDICT_INCONCLUSIVE : VERDICT_VIOLATION, reason, NULL,
                       "while the %s at %s that it had opened in frame %u%s%s%s is not closed%s", kind, object->server,
                       object->frame, named ? " (" : "", named ? object->name : "", named ? ")" : "",
                       reason == ic_encrypted ? "; encrypted messages that are not opened may hide that" :
                       reason == ic_internal ? "; whether it was opened for this call is not known" : "");
}

static void end_window(verifier *v, const rule *self, own_sessions *s, const rpc_call *call, window *w)
{
    unsigned left = 0;
    for (guint i = 0; i < w->open->len; i++) {
        const smb_object *object = w->open->pdata[i];
        account_match match = match_account(w, object);
        bool implied = !object->closing && is_over_with(v, object);
        if (match == ACCOUNT_OTHER)
            continue;
        if (object->closing || implied)
            count_end(w, object, implied);
        else
            left++, judge_open(v, self, call, object, match);
    }
    if (w->implied > 0)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, NULL, "and has left what it had opened (%u) to end with its "
                           "session or connection", w->implied);
    else if (left == 0 && w->closed > 0)
        verifier_pass(v, self);
    else if (left == 0 && s->clients && g_hash_table_contains(s->clients, w->server))
        verifier_not_applicable(v, self, "the server opened none during the calls");
    else if (left == 0)
        rule_find_response(v, self, call, VERDICT_INCONCLUSIVE, ic_one_leg, rule_context_key(call, &call->request),
                           "and the capture shows nothing that the server itself asked of others over SMB");
}

static void own_message(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    own_sessions *s = state;
    if (!wkst_is(call, WKST_JOINING) || call->request.kind == RPC_NONE)
        return;
    if (!response) {
        begin_window(s, call);
        return;
    }
    window *w = find_window(s, call->number);
    if (!w)
        return;
    if (call->response.kind == RPC_RESPONSE)
        end_window(v, self, s, call, w);
    g_ptr_array_remove_fast(s->windows, w);
}

static void own_smb_session(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event)
{
    (void)v, (void)self;
    if (object->kind == SMB_SESSION)
        own_event(state, object, event);
}

static void own_smb_share(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event)
{
    (void)v, (void)self;
    if (object->kind == SMB_SHARE)
        own_event(state, object, event);
}

static void own_end(verifier *v, const rule *self, void *state)
{
    own_sessions *s = state;
    if (s->windows && s->windows->len > 0)
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_one_way, NULL, 0, "calls that may open sessions (%u) are not answered in "
                      "the capture",
                      s->windows->len);
    g_clear_pointer(&s->windows, g_ptr_array_unref);
    g_clear_pointer(&s->clients, g_hash_table_unref);
}

/* ------------------------------------------------------------------------------------- WKST-7, WKST-8: what NDR refuses */

/* A null pointer to an array whose length another value gives; NULL: there is none. */
static const wkst_item *null_array(const wkst_reading *in, const wkst_item **count)
{
    for (guint i = 0; i < in->items->len; i++) {
        const wkst_item *item = &g_array_index(in->items, wkst_item, i);
        if (!item->null || !item->row || !item->row->size_is)
            continue;
        for (guint k = 0; k < in->items->len; k++) {
            *count = &g_array_index(in->items, wkst_item, k);
            if ((*count)->parent == item->parent && (*count)->number != 0 && strcmp((*count)->name, item->row->size_is) == 0)
                return item;
        }
    }
    return NULL;
}

/* What is wrong with a request, a sentence; NULL: nothing is. */
typedef char *(*fault_finder)(const wkst_reading *in);

/* A count that is not that of a null pointer is WKST-8's. */
static char *find_inconsistency(const wkst_reading *in)
{
    const wkst_item *count;
    if (null_array(in, &count))
        return NULL;
    if (in->result.code == NDR_SHORT || in->result.code == NDR_COUNT)
        return g_strdup(ndr_code_text(in->result.code));
    return in->result.code == NDR_OK ? g_strdup(in->note) : NULL;
}

static char *find_null_array(const wkst_reading *in)
{
    const wkst_item *count, *array = null_array(in, &count);
    if (!array)
        return NULL;
    return g_strdup_printf("%s is a null pointer and %s is %" G_GUINT64_FORMAT, array->name, count->name, count->number);
}

static void check_refused(verifier *v, const rule *self, const rpc_call *call, bool response, fault_finder find)
{
    wkst_reading in;
    if (!wkst_is(call, WKST_BITS(0, WKST_LAST)) || call->request.kind == RPC_NONE)
        return;
    if (!wkst_read(call, false, &in)) {
        if (!response)
            wkst_find_unread(v, self, call, false);
        return;
    }
    char *wrong = response ? find(&in) : NULL;
    if (wrong && call->response.kind == RPC_RESPONSE)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "though %s; fault 0x%X (%s) is required", wrong,
                           WKST_BAD_STUB, errors_fault(WKST_BAD_STUB));
    else if (wrong && call->response.status == WKST_BAD_STUB)
        verifier_pass(v, self);
    else if (wrong)
        verifier_not_applicable(v, self, "it was refused for another reason");
    g_free(wrong);
    wkst_reading_clear(&in);
}

static void check_strict(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    check_refused(v, self, call, response, find_inconsistency);
}

static void check_null(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    check_refused(v, self, call, response, find_null_array);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_wkst[] = {
    {"WKST-1", "wkst", RULE_MUST, "MS-WKST 3.2.4", "server",
     "Methods fail unless the pipe was opened with the impersonation level that their handle asks for.", .message = check_level},

    {"WKST-2", "wkst", RULE_SHOULD, "MS-WKST 3.2.4 <26>", "server",
     "The server checks that the caller may execute the method.", .message = check_caller},

    {"WKST-3", "wkst", RULE_MUST_NOT, "MS-WKST 3.2.4 <27>", "client",
     "Opnums that are reserved for local use are not sent.", .message = check_reserved},

    {"WKST-4", "wkst", RULE_MUST_NOT, "MS-WKST 3.2.4", "server",
     "Methods throw no exceptions: what goes wrong is a return code.", .message = check_exception},

    {"WKST-5", "wkst", RULE_MUST, "MS-WKST 3.2.4 <28>", "server",
     "SMB sessions that a method opens are closed before it returns.",
     .state_size = sizeof(own_sessions), .message = own_message, .smb = own_smb_session, .end = own_end},

    {"WKST-6", "wkst", RULE_MUST, "MS-WKST 3.2.4 <28>", "server",
     "SMB share connections that a method opens are closed before it returns.",
     .state_size = sizeof(own_sessions), .message = own_message, .smb = own_smb_share, .end = own_end},

    {"WKST-7", "wkst", RULE_MUST, "MS-WKST 3.2.4", "server",
     "The RPC runtime refuses requests that are not consistent NDR.", .message = check_strict},

    {"WKST-8", "wkst", RULE_MUST, "MS-WKST 3.2.4", "server",
     "The RPC runtime refuses null pointers to arrays that are said to have elements.", .message = check_null},

    {0}
};
