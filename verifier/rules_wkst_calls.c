/* rules_wkst_calls.c - rules of [MS-WKST] (v32.0) outside 3.2.4: transport, levels, options and results of single methods. The
 * table of rules is at the end.
 *
 * Each is held against the calls of the methods it names, so that calls of others need not be readable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/rules_wkst.h"

#include <string.h>

#include "decoders/errors.h"
#include "rpc/secrets.h"

/* --------------------------------------------------------------------------------------------- W-01, W-02: the transport */

static const char pipe_name[] = "wkssvc";

static void check_transport(verifier *v, const rule *self, void *state, const rpc_association *association,
                            const rpc_origin *origin, const ndr_guid *interface, uint16_t version_major, int result)
{
    (void)state, (void)interface, (void)version_major;
    const void *key = GSIZE_TO_POINTER((gsize)association->number);
    if (result != 0)
        return;
    if (association->transport != RPC_NCACN_NP)
        verifier_find(v, self, VERDICT_WARNING, NULL, key, origin->frame, "%s accepted a bind of wkssvc from %s over %s; only "
                      "the pipe wkssvc of SMB carries it", association->server, association->client,
                      rpc_transport_name(association->transport));
    else if (!association->pipe)
        verifier_find(v, self, VERDICT_INCONCLUSIVE, ic_truncated, key, origin->frame,
                      "%s bound wkssvc at %s on a pipe whose opening is not "
                      "in the capture", association->client, association->server);
    else if (g_ascii_strcasecmp(association->pipe, pipe_name) != 0)
        verifier_find(v, self, VERDICT_WARNING, NULL, key, origin->frame, "%s accepted a bind of wkssvc from %s on the pipe %s",
                      association->server, association->client, association->pipe);
    else
        verifier_pass(v, self);
}

/* 2.1 allows both IDENTIFICATION (1) and IMPERSONATION (2), whatever the handles ask for. */
static void check_pipe_level(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    const void *key = rule_context_key(call, &call->request);
    if (response || !wkst_is(call, WKST_BITS(0, WKST_LAST)))
        return;
    const smb_object *pipe = wkst_pipe(v, call);
    if (call->association->transport != RPC_NCACN_NP)
        verifier_not_applicable(v, self, "wkssvc was reached over TCP, where no pipe is opened");
    else if (!pipe || pipe->impersonation == UINT32_MAX)
        rule_find_request(v, self, call, VERDICT_INCONCLUSIVE, ic_truncated, key,
                          "on a pipe whose opening is not in the capture");
    else if (pipe->impersonation == 1 || pipe->impersonation == 2)
        verifier_pass(v, self);
    else
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, key, "on a pipe opened with ImpersonationLevel %u; "
                          "IDENTIFICATION (1) or IMPERSONATION (2) is required", pipe->impersonation);
}

/* ---------------------------------------------------------------------------------------- W-03, W-04, W-05: information */

/* Levels that Windows' interface has and the specification gives to no call: their answer is in doubt. */
static bool is_windows_level(uint64_t level)
{
    return level >= 1010 && level <= 1062;
}

static bool is_one_of(uint64_t level, const uint16_t *levels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (levels[i] == level)
            return true;
    return false;
}

static void judge_get_level(const wkst_answer *a)
{
    static const uint16_t levels[] = {100, 101, 102, 502};
    uint64_t level = wkst_number(&a->in, "Level");
    if (!is_one_of(level, levels, G_N_ELEMENTS(levels)))
        wkst_judge_refusal(a, WKST_INVALID_LEVEL, is_windows_level(level) ? VERDICT_WARNING : VERDICT_VIOLATION,
                           "Level is %" G_GUINT64_FORMAT ", and not 100, 101, 102 or 502", level);
    else if (a->status == WKST_SUCCESS)
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "the calls failed for other reasons");
}

static void check_get_level(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_GET_INFO), judge_get_level);
}

/* The walker has held the union's tag against Level, or that of the structure around it. */
static void judge_discriminant(const wkst_answer *a)
{
    if (a->status != WKST_SUCCESS)
        verifier_not_applicable(a->v, a->self, "the calls failed");
    else if (a->out.notes & 1u << NDR_NOTE_SWITCH_IS)
        rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, NULL, "with another level than was asked for: %s",
                           a->out.note ? a->out.note : "the union's tag is not Level");
    else
        verifier_pass(a->v, a->self);
}

static void check_discriminant(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_GET_INFO), judge_discriminant);
}

/* What a value of the structure is to lie between, and what ErrorParameter is where it does not. */
typedef struct {
    const char *name;
    uint32_t    least, most, parameter;
} value_range;

/* wki502_max_cmds has 0 in the text, and WKSTA_MAXCMDS_PARMNUM in lmwksta.h. */
enum { KEEP_CONN = 13, MAX_CMDS = 0, MAX_CMDS_HEADER = 15, SESS_TIMEOUT = 18, DORMANT_FILE_LIMIT = 46 };

static const value_range set_ranges[] = {
    {"wki502_keep_conn", 1, 65535, KEEP_CONN}, {"wki502_max_cmds", 50, 65535, MAX_CMDS},
    {"wki502_sess_timeout", 60, 65535, SESS_TIMEOUT}, {"wki502_dormant_file_limit", 1, UINT32_MAX, DORMANT_FILE_LIMIT},
    {"wki1013_keep_conn", 1, 65535, KEEP_CONN}, {"wki1018_sess_timeout", 60, 65535, SESS_TIMEOUT},
    {"wki1046_dormant_file_limit", 1, UINT32_MAX, DORMANT_FILE_LIMIT},
};

/* The value, where it is out of its range. */
static const wkst_item *out_of_range(const wkst_answer *a, const value_range *range)
{
    const wkst_item *item = wkst_find(&a->in, range->name);
    return item && !item->null && (item->number < range->least || item->number > range->most) ? item : NULL;
}

/* Which of several members the server looks at first is its own affair. */
static void judge_error_parameter(const wkst_answer *a)
{
    const wkst_item *parameter = wkst_find(&a->out, "ErrorParameter");
    bool right = !parameter || parameter->null;
    for (size_t i = 0; !right && i < G_N_ELEMENTS(set_ranges); i++) {
        const value_range *range = &set_ranges[i];
        right = out_of_range(a, range) && (parameter->number == range->parameter ||
                                           (range->parameter == MAX_CMDS && parameter->number == MAX_CMDS_HEADER));
    }
    if (right)
        verifier_pass(a->v, a->self);
    else
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, NULL, "with ErrorParameter %" G_GUINT64_FORMAT
                           ", which is none of the members that are out of range", parameter->number);
}

static void judge_set_values(const wkst_answer *a)
{
    static const uint16_t levels[] = {502, 1013, 1018, 1046};
    uint64_t level = wkst_number(&a->in, "Level");
    if (!is_one_of(level, levels, G_N_ELEMENTS(levels))) {
        wkst_judge_refusal(a, WKST_INVALID_LEVEL, VERDICT_WARNING, "Level is %" G_GUINT64_FORMAT ", and not 502, 1013, 1018 or "
                           "1046", level);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(set_ranges); i++) {
        const value_range *range = &set_ranges[i];
        const wkst_item *item = out_of_range(a, range);
        if (!item)
            continue;
        if (a->status == WKST_INVALID_PARAMETER)
            judge_error_parameter(a);
        else
            wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "%s is %" G_GUINT64_FORMAT ", which is not within "
                               "%u and %u", range->name, item->number, range->least, range->most);
        return;
    }
    if (a->status == WKST_SUCCESS)
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "the calls failed for other reasons");
}

static void check_set_values(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_SET_INFO), judge_set_values);
}

/* ------------------------------------------------------------------------------------- W-06 to W-08: users, transports */

static void judge_user_enum(const wkst_answer *a)
{
    uint64_t level = wkst_number(&a->in, "Level"), total = wkst_number(&a->out, "TotalEntries");
    const wkst_item *read = wkst_find(&a->out, "EntriesRead"), *resume = wkst_find(&a->out, "ResumeHandle");
    if (level > 1)
        wkst_judge_refusal(a, WKST_INVALID_LEVEL, VERDICT_VIOLATION, "Level is %" G_GUINT64_FORMAT ", and not 0 or 1", level);
    else if (a->status != WKST_SUCCESS && a->status != WKST_MORE_DATA)
        verifier_not_applicable(a->v, a->self, "the calls failed");
    else if (read && total < read->number)
        rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, NULL, "with TotalEntries %" G_GUINT64_FORMAT ", less "
                           "than the EntriesRead of %" G_GUINT64_FORMAT, total, read->number);
    else if (a->status == WKST_MORE_DATA && wkst_number(&a->in, "PreferredMaximumLength") == UINT32_MAX)
        rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, NULL,
                           "with ERROR_MORE_DATA, though PreferredMaximumLength asks for all");
    else if (a->status == WKST_MORE_DATA && resume && !resume->null && resume->number == 0)
        rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, NULL, "with ERROR_MORE_DATA and a ResumeHandle of "
                           "0, which begins anew and does not continue");
    else
        verifier_pass(a->v, a->self);
}

static void check_user_enum(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_USER_ENUM), judge_user_enum);
}

enum { BUFFER_TOO_SMALL = 0x84b };

/* Windows' documentation of NetWkstaTransportEnum has ERROR_MORE_DATA as well. */
static void judge_transport_enum(const wkst_answer *a)
{
    uint64_t level = wkst_number(&a->in, "Level");
    if (level != 0)
        wkst_judge_refusal(a, WKST_INVALID_LEVEL, VERDICT_VIOLATION, "Level is %" G_GUINT64_FORMAT ", and not 0", level);
    else if (a->status == WKST_MORE_DATA)
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, NULL, "with ERROR_MORE_DATA; where the buffer is too "
                           "short, 0x%X (%s) is required", BUFFER_TOO_SMALL, errors_win32(BUFFER_TOO_SMALL));
    else if (a->status == WKST_SUCCESS || a->status == BUFFER_TOO_SMALL)
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "the calls failed");
}

static void check_transport_enum(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_TRANSPORT_ENUM), judge_transport_enum);
}

static void judge_force(const wkst_answer *a)
{
    uint64_t force = wkst_number(&a->in, "ForceLevel");
    if (force > 2)
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "ForceLevel is %" G_GUINT64_FORMAT ", and not 0, 1 or 2",
                           force);
    else
        verifier_not_applicable(a->v, a->self, "ForceLevel was one of the three");
}

static void check_force(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_TRANSPORT_DEL), judge_force);
}

/* --------------------------------------------------------------------------------- W-09 to W-11: shares in use, statistics */

/* A server that does not have the methods at all says so with a fault. */
static void check_use(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    if (!response || !wkst_is(call, WKST_BITS(WKST_USE_ADD, WKST_USE_ENUM)))
        return;
    wkst_reading out;
    if (call->response.kind == RPC_FAULT) {
        verifier_pass(v, self);
        return;
    }
    const wkst_item *returned = wkst_read(call, true, &out) && out.result.code == NDR_OK ? wkst_find(&out, "return") : NULL;
    if (!returned)
        wkst_find_unread(v, self, call, true);
    else if (returned->number == WKST_SUCCESS)
        rule_find_response(v, self, call, VERDICT_WARNING, NULL, rule_context_key(call, &call->response),
                           "with success; it should not be offered to other computers");
    else
        verifier_pass(v, self);
    wkst_reading_clear(&out);
}

static void judge_statistics(const wkst_answer *a)
{
    uint64_t level = wkst_number(&a->in, "Level"), options = wkst_number(&a->in, "Options");
    if (level != 0 && options != 0 && a->status == WKST_INVALID_PARAMETER)
        verifier_pass(a->v, a->self);
    else if (level != 0)
        wkst_judge_refusal(a, WKST_INVALID_LEVEL, VERDICT_VIOLATION, "Level is %" G_GUINT64_FORMAT ", and not 0", level);
    else if (options != 0)
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "Options is 0x%" G_GINT64_MODIFIER "X, and not 0",
                           options);
    else
        verifier_not_applicable(a->v, a->self, "Level and Options were 0");
}

static void check_statistics(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_STATISTICS), judge_statistics);
}

/* A structure that ends early leaves no return value to read. */
static void check_statistics_whole(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    wkst_reading out;
    if (!response || !wkst_is(call, WKST_BIT(WKST_STATISTICS)) || call->response.kind != RPC_RESPONSE)
        return;
    if (!wkst_read(call, true, &out)) {
        wkst_find_unread(v, self, call, true);
        return;
    }
    const wkst_item *buffer = wkst_find(&out, "Buffer"), *returned = wkst_find(&out, "return");
    bool missing = buffer && buffer->null, whole = wkst_find(&out, "CurrentCommands");
    if (out.result.code == NDR_SHORT)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with less than a whole STAT_WORKSTATION_0");
    else if (out.result.code != NDR_OK || !returned)
        wkst_find_unread(v, self, call, true);
    else if (returned->number != WKST_SUCCESS)
        verifier_not_applicable(v, self, "the calls failed");
    else if (missing)
        rule_find_response(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with success and without statistics");
    else if (whole)
        verifier_pass(v, self);
    wkst_reading_clear(&out);
}

/* ------------------------------------------------------------------------------------------------- W-12: the server's name */

/* "host" of "\\host\IPC$" and of "\\host"; for g_free. */
static char *host_of(const char *path)
{
    path += strspn(path, "\\");
    return g_strndup(path, strcspn(path, "\\"));
}

/* "192.0.2.1" of "192.0.2.1:445", "2001:db8::1" of "[2001:db8::1]:445". */
static char *plain_address(const char *endpoint)
{
    size_t length = rule_address_length(endpoint);
    bool bracketed = length >= 2 && endpoint[0] == '[';
    return bracketed ? g_strndup(endpoint + 1, length - 2) : g_strndup(endpoint, length);
}

static bool same_host(const char *a, const char *b)
{
    size_t x = strcspn(a, "."), y = strcspn(b, ".");
    bool short_name = a[x] == '\0' || b[y] == '\0';
    return g_ascii_strcasecmp(a, b) == 0 || (short_name && x == y && x > 0 && g_ascii_strncasecmp(a, b, x) == 0);
}

static void judge_server_name(verifier *v, const rule *self, const rpc_call *call, const char *name)
{
    char *host = host_of(name), *address = plain_address(call->association->server);
    const smb_object *pipe = wkst_pipe(v, call);
    char *share = pipe && pipe->share && pipe->share->name ? host_of(pipe->share->name) : NULL;
    if (g_ascii_strcasecmp(host, address) == 0 || (share && same_host(host, share)))
        verifier_pass(v, self);
    else if (g_hostname_is_ip_address(host))
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "with ServerName %s, which is another address", host);
    else
        verifier_not_applicable(v, self, "whether ServerName is a name of the server is not on the wire");
    g_free(host);
    g_free(address);
    g_free(share);
}

static void check_server_name(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    wkst_reading in;
    if (response || !wkst_is(call, WKST_JOINING))
        return;
    if (!wkst_read(call, false, &in)) {
        wkst_find_unread(v, self, call, false);
        return;
    }
    const wkst_item *name = wkst_find(&in, "ServerName");
    if (name && name->text && *name->text)
        judge_server_name(v, self, call, name->text);
    else
        verifier_not_applicable(v, self, "no ServerName was given");
    wkst_reading_clear(&in);
}

/* ------------------------------------------------------------------------------------------------- W-13 to W-15: joining */

enum {
    JOIN_DOMAIN = 0x1, ACCT_CREATE = 0x2, IF_JOINED = 0x20, JOIN_UNSECURE = 0x40, PWD_PASSED = 0x80, JOIN_READONLY = 0x800
};
enum { PASSWORD_RESTRICTION = 0x52d, ALREADY_JOINED = 0xa83, NOT_JOINED = 0xa84, DOMAIN_CONTROLLER = 0xa85 };
static const uint64_t joins = WKST_BIT(WKST_JOIN) | WKST_BIT(WKST_JOIN_3);
static const uint64_t unjoins = WKST_BIT(WKST_UNJOIN) | WKST_BIT(WKST_UNJOIN_3);

static bool is_null(const wkst_answer *a, const char *name)
{
    const wkst_item *item = wkst_find(&a->in, name);
    return item && item->null;
}

/* A string that is there and not empty. */
static bool is_given(const wkst_answer *a, const char *name)
{
    const wkst_item *item = wkst_find(&a->in, name);
    return item && item->text && *item->text;
}

static void find_empty(const rpc_secret *secret, void *user)
{
    bool *empty = user;
    if (secret->kind == RPC_SECRET_PASSWORD && secret->joined.outcome == JOIN_OPENED && secret->joined.length == 0)
        *empty = true;
}

/* As far as a key opens it. */
static bool is_password_empty(const rpc_call *call)
{
    bool empty = false;
    rpc_secrets(call, false, NULL, find_empty, &empty);
    return empty;
}

static void judge_password_passed(const wkst_answer *a)
{
    uint64_t options = wkst_number(&a->in, "Options");
    if (!(options & JOIN_DOMAIN) || !(options & PWD_PASSED))
        verifier_not_applicable(a->v, a->self, "NETSETUP_MACHINE_PWD_PASSED was not set in a join of a domain");
    else if (!(options & JOIN_UNSECURE))
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION,
                           "NETSETUP_MACHINE_PWD_PASSED is set without NETSETUP_JOIN_UNSECURE");
    else if (is_given(a, "AccountName"))
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "NETSETUP_MACHINE_PWD_PASSED is set and AccountName is "
                           "given");
    else if (is_null(a, "Password"))
        wkst_judge_refusal(a, PASSWORD_RESTRICTION, VERDICT_VIOLATION, "NETSETUP_MACHINE_PWD_PASSED is set and Password is "
                           "null");
    else if (is_password_empty(a->call))
        wkst_judge_refusal(a, PASSWORD_RESTRICTION, VERDICT_VIOLATION, "NETSETUP_MACHINE_PWD_PASSED is set and Password is "
                           "empty");
    else
        verifier_not_applicable(a->v, a->self, "NETSETUP_MACHINE_PWD_PASSED came with what it needs");
}

static void check_password_passed(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, joins, judge_password_passed);
}

static void judge_read_only(const wkst_answer *a)
{
    uint64_t options = wkst_number(&a->in, "Options");
    if (!(options & JOIN_DOMAIN) || !(options & JOIN_READONLY))
        verifier_not_applicable(a->v, a->self, "NETSETUP_JOIN_READONLY was not set in a join of a domain");
    else if (!(options & PWD_PASSED))
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION,
                           "NETSETUP_JOIN_READONLY is set without NETSETUP_MACHINE_PWD_PASSED");
    else if (options & ACCT_CREATE)
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION,
                           "NETSETUP_JOIN_READONLY is set with NETSETUP_ACCT_CREATE");
    else
        verifier_not_applicable(a->v, a->self, "NETSETUP_JOIN_READONLY came with what it needs");
}

static void check_read_only(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, joins, judge_read_only);
}

/* What servers have said that they are, by address; until they are told to join or leave a domain. Somebody else may have, whom
 * the capture does not show: so what contradicts it is in doubt. */
typedef struct {
    GHashTable *status; /* NETSETUP_JOIN_STATUS, 2.2.3.1 */
} join_state;

enum { UNKNOWN_STATUS = 0, UNJOINED = 1, WORKGROUP_NAME = 2, DOMAIN_NAME = 3, SERVERS_LIMIT = 65536 };

/* What the server of a call has said that it is; what the call tells of that is kept for those after it. */
static unsigned join_status(const wkst_answer *a)
{
    join_state *s = a->state;
    if (!s->status)
        s->status = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char *server = g_strndup(a->call->association->server, rule_address_length(a->call->association->server));
    unsigned before = GPOINTER_TO_UINT(g_hash_table_lookup(s->status, server));
    if (a->status == WKST_SUCCESS)
        g_hash_table_remove(s->status, server);
    if (a->status == WKST_SUCCESS && a->call->opnum == WKST_JOIN_INFORMATION && g_hash_table_size(s->status) < SERVERS_LIMIT)
        g_hash_table_insert(s->status, g_steal_pointer(&server),
                            GUINT_TO_POINTER((guint)wkst_number(&a->out, "BufferType")));
    g_free(server);
    return before;
}

static void join_state_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    g_clear_pointer(&((join_state *)state)->status, g_hash_table_unref);
}

static void judge_joined(const wkst_answer *a)
{
    unsigned before = join_status(a);
    uint64_t options = wkst_number(&a->in, "Options");
    if (!(joins >> a->call->opnum & 1) || !(options & JOIN_DOMAIN) || options & IF_JOINED)
        return;
    if (a->status == ALREADY_JOINED || (before == DOMAIN_NAME && a->status == DOMAIN_CONTROLLER))
        verifier_pass(a->v, a->self);
    else if (before == DOMAIN_NAME && a->status == WKST_SUCCESS)
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, NULL,
                           "with success, though it had said that it is in a domain, "
                           "and NETSETUP_DOMAIN_JOIN_IF_JOINED is not set; 0x%X (%s) is required", ALREADY_JOINED,
                           errors_win32(ALREADY_JOINED));
    else
        verifier_not_applicable(a->v, a->self, "no server that is in a domain was to join one");
}

/* Calls that only tell of the status are none that the rule judges, so that nobody is told of those that cannot be read. */
static uint64_t and_of_status(const rpc_call *call, uint64_t judged)
{
    uint64_t telling = joins | unjoins | WKST_BIT(WKST_JOIN_INFORMATION);
    wkst_reading in, out;
    bool readable = wkst_is(call, telling & ~judged) && wkst_read(call, false, &in);
    if (readable) {
        wkst_reading_clear(&in);
        readable = wkst_read(call, true, &out);
        wkst_reading_clear(&out);
    }
    return readable ? judged | telling : judged;
}

static void check_joined(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, and_of_status(call, joins), judge_joined);
}

/* ---------------------------------------------------------------------------------------------- W-16, W-17, W-25: passwords */

typedef struct {
    verifier       *v;
    const rule     *self;
    const rpc_call *call;
    bool            seed; /* W-17, else W-16 */
    bool            met;
} password_check;

/* Only the RC4 form is judged: the AES form's padding is not in the text. What is malformed has a key as well if that is known to be
 * right by other means. */
static void judge_password(const rpc_secret *secret, void *user)
{
    password_check *c = user;
    const join_password *p = &secret->joined;
    const void *key = rule_context_key(c->call, &c->call->request);
    if (secret->kind != RPC_SECRET_PASSWORD)
        return;
    c->met = true;
    if (p->aes)
        verifier_not_applicable(c->v, c->self, "the passwords were sent in the AES form");
    else if (p->outcome != JOIN_OPENED && !p->key)
        rule_find_request(c->v, c->self, c->call, VERDICT_INCONCLUSIVE, ic_encrypted, key,
                          "with a password that is not opened: %s",
                          secret->text ? secret->text : "no key");
    else if (p->inside > JOIN_LENGTH_MAX && c->seed)
        verifier_not_applicable(c->v, c->self, "the Length of the password was too large for any");
    else if (p->inside > JOIN_LENGTH_MAX)
        return; /* the answer decides */
    else if (!c->seed || (p->outcome == JOIN_OPENED && p->encoded))
        verifier_pass(c->v, c->self);
    else
        rule_find_request(c->v, c->self, c->call, p->outcome == JOIN_OPENED && p->proof == JOIN_BY_SHAPE ? VERDICT_WARNING
                          : VERDICT_VIOLATION, NULL, key, "with a password that is not encoded with a seed");
}

static void find_too_long(const rpc_secret *secret, void *user)
{
    uint32_t *inside = user;
    if (secret->kind == RPC_SECRET_PASSWORD && !secret->joined.aes && secret->joined.inside > JOIN_LENGTH_MAX)
        *inside = secret->joined.inside;
}

enum { INVALID_PASSWORD = 0x56 };

static void judge_too_long(const wkst_answer *a)
{
    uint32_t inside = 0;
    rpc_secrets(a->call, false, NULL, find_too_long, &inside);
    if (inside)
        wkst_judge_refusal(a, INVALID_PASSWORD, VERDICT_VIOLATION, "the password's Length, decrypted with the SMB session's "
                           "key, is %u and not below 513", inside);
}

static void check_passwords(verifier *v, const rule *self, const rpc_call *call, bool response, bool seed)
{
    password_check c = {v, self, call, seed, false};
    if (response || !wkst_is(call, WKST_JOINING))
        return;
    wkst_reading in;
    if (!wkst_read(call, false, &in)) {
        wkst_find_unread(v, self, call, false);
        return;
    }
    wkst_reading_clear(&in);
    rpc_secrets(call, false, NULL, judge_password, &c);
    if (!c.met)
        verifier_not_applicable(v, self, "no password was sent");
}

static void check_password_length(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    check_passwords(v, self, call, response, false);
    if (response)
        wkst_with_answer(v, self, state, call, response, WKST_JOINING, judge_too_long);
}

static void check_password_seed(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    check_passwords(v, self, call, response, true);
}

/* 524 octets are MAX_PASSWORDBLOB_SIZE and no whole number of AES blocks, so that what is above is in doubt. */
static void check_aes(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    (void)state;
    enum { BLOCK = 16, MOST = 524 };
    wkst_reading in;
    if (response || !wkst_is(call, WKST_BITS(WKST_JOIN_3, WKST_LAST)))
        return;
    if (!wkst_read(call, false, &in)) {
        wkst_find_unread(v, self, call, false);
        return;
    }
    const wkst_item *size = wkst_find(&in, "cbCipher");
    if (!size)
        verifier_not_applicable(v, self, "no password in the AES form was sent");
    else if (in.notes & 1u << NDR_NOTE_SIZE_IS)
        rule_find_request(v, self, call, VERDICT_VIOLATION, NULL, NULL, "with a Cipher whose count is not cbCipher: %s", in.note);
    else if (size->number % BLOCK != 0)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "with a Cipher of %" G_GUINT64_FORMAT " octets, which is "
                          "no whole number of AES blocks", size->number);
    else if (size->number > MOST)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "with a Cipher of %" G_GUINT64_FORMAT " octets; the limit "
                          "is %u",
                          size->number, MOST);
    else
        verifier_pass(v, self);
    wkst_reading_clear(&in);
}

/* ---------------------------------------------------------------------------------- W-18 to W-22: options and types of names */

enum {
    INVALID_FLAGS = 0x3ec, REMOTE_DISABLED = (int)0x8001011c, ACCT_DELETE = 4, IGNORE_UNSUPPORTED = 0x10000000,
    DNS_NAME_ONLY = 0x1000, JOIN_DC_ACCOUNT = 0x200, IGNORE_UNSUPPORTED_RESERVED = 1
};

static void judge_flags(const wkst_answer *a, uint64_t unknown, rule_verdict broken)
{
    if (unknown)
        wkst_judge_refusal(a, INVALID_FLAGS, broken, "Options has 0x%" G_GINT64_MODIFIER "X, which is not defined", unknown);
    else
        verifier_not_applicable(a->v, a->self, "only flags that are defined were set");
}

/* NETSETUP_IGNORE_UNSUPPORTED_FLAGS has the server ignore what it does not know. lmjoin.h has a flag more than the text. */
static void judge_unjoin(const wkst_answer *a)
{
    unsigned before = join_status(a);
    uint64_t options = wkst_number(&a->in, "Options"), unknown = options & ~(uint64_t)(ACCT_DELETE | IGNORE_UNSUPPORTED);
    if (!(unjoins >> a->call->opnum & 1))
        return;
    if (unknown && !(options & IGNORE_UNSUPPORTED))
        judge_flags(a, unknown, unknown == JOIN_DC_ACCOUNT ? VERDICT_WARNING : VERDICT_VIOLATION);
    else if (before != UNJOINED && before != WORKGROUP_NAME)
        judge_flags(a, 0, VERDICT_VIOLATION);
    else
        wkst_judge_refusal(a, NOT_JOINED, VERDICT_WARNING, "it had said that it is in no domain");
}

static void check_unjoin(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, and_of_status(call, unjoins), judge_unjoin);
}

static void judge_rename(const wkst_answer *a)
{
    judge_flags(a, wkst_number(&a->in, "Options") & ~(uint64_t)(ACCT_CREATE | DNS_NAME_ONLY), VERDICT_WARNING);
}

static void check_rename(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_RENAME) | WKST_BIT(WKST_RENAME_3), judge_rename);
}

static void judge_validate(const wkst_answer *a)
{
    if (wkst_number(&a->in, "NameType") == 0)
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "NameType is 0");
    else
        wkst_judge_refusal(a, (uint32_t)REMOTE_DISABLED, VERDICT_WARNING, "the caller is another computer");
}

static void check_validate(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_VALIDATE) | WKST_BIT(WKST_VALIDATE_3), judge_validate);
}

/* The client should leave Reserved 0, but for the one bit that it has; the server must refuse what it does not know, unless that
 * bit has it ignore it. Opnums 35 to 37 are left out: sources differ about which methods they are. */
static void judge_reserved_answer(const wkst_answer *a)
{
    uint64_t reserved = wkst_number(&a->in, "Reserved");
    if (reserved && !(reserved & IGNORE_UNSUPPORTED_RESERVED))
        wkst_judge_refusal(a, INVALID_FLAGS, VERDICT_VIOLATION, "Reserved is 0x%" G_GINT64_MODIFIER "X", reserved);
}

static void check_reserved_bits(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    uint64_t opnums = WKST_BITS(WKST_ADD_NAME, WKST_SET_NAME) | WKST_BIT(WKST_LAST);
    wkst_reading in;
    wkst_with_answer(v, self, state, call, response, opnums, judge_reserved_answer);
    if (response || !wkst_is(call, opnums) || !wkst_read(call, false, &in))
        return;
    uint64_t reserved = wkst_number(&in, "Reserved");
    if (in.result.code == NDR_OK && reserved & ~(uint64_t)IGNORE_UNSUPPORTED_RESERVED)
        rule_find_request(v, self, call, VERDICT_WARNING, NULL, NULL, "with Reserved 0x%" G_GINT64_MODIFIER "X, should be 0",
                          reserved);
    else if (in.result.code == NDR_OK)
        verifier_pass(v, self);
    wkst_reading_clear(&in);
}

static void judge_name_type(const wkst_answer *a)
{
    uint64_t type = wkst_number(&a->in, "NameType");
    if (a->call->association->transport != RPC_NCACN_NP)
        wkst_judge_refusal(a, 0x6a7, VERDICT_VIOLATION, "it was asked over %s",
                           rpc_transport_name(a->call->association->transport));
    else if (type > 2)
        wkst_judge_refusal(a, WKST_INVALID_PARAMETER, VERDICT_VIOLATION, "NameType is %" G_GUINT64_FORMAT ", and not 0, 1 or 2",
                           type);
    else if (a->status == WKST_SUCCESS)
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "the calls failed");
}

static void check_name_type(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_ENUM_NAMES), judge_name_type);
}

/* ---------------------------------------------------------------------------------------------------- W-23: one at a time */

enum { CALL_IN_PROGRESS = 0x6ff, CHANGES_LIMIT = 1024 };

/* A change that was asked for and is not answered yet. */
typedef struct {
    uint64_t number;
    char    *server;
    uint32_t beside; /* a change that overlapped it and succeeded: the frame of its answer; 0: none */
} change;

typedef struct {
    GPtrArray *changes;
} change_state;

static void change_free(void *p)
{
    change *c = p;
    g_free(c->server);
    g_free(c);
}

static void change_began(change_state *s, const rpc_call *call)
{
    if (!s->changes)
        s->changes = g_ptr_array_new_with_free_func(change_free);
    if (s->changes->len >= CHANGES_LIMIT)
        return;
    change *c = g_new0(change, 1);
    c->number = call->number;
    c->server = g_strndup(call->association->server, rule_address_length(call->association->server));
    g_ptr_array_add(s->changes, c);
}

static change *take_change(change_state *s, uint64_t number)
{
    for (guint i = 0; s->changes && i < s->changes->len; i++)
        if (((change *)s->changes->pdata[i])->number == number)
            return g_ptr_array_steal_index_fast(s->changes, i);
    return NULL;
}

static void judge_change(const wkst_answer *a)
{
    change_state *s = a->state;
    change *c = take_change(s, a->call->number);
    if (!c)
        return;
    if (a->status == CALL_IN_PROGRESS)
        verifier_pass(a->v, a->self);
    else if (a->status == WKST_SUCCESS && c->beside)
        rule_find_response(a->v, a->self, a->call, VERDICT_WARNING, NULL, NULL,
                           "with success, though another change of its identity, which "
                           "succeeded in frame %u, was in progress; 0x%X (%s) should be the answer", c->beside, CALL_IN_PROGRESS,
                           errors_win32(CALL_IN_PROGRESS));
    for (guint i = 0; a->status == WKST_SUCCESS && i < s->changes->len; i++) {
        change *other = s->changes->pdata[i];
        if (strcmp(other->server, c->server) == 0)
            other->beside = a->call->response.last_frame;
    }
    change_free(c);
}

static void check_change(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    if (!wkst_is(call, WKST_CHANGING) || call->request.kind == RPC_NONE || wkst_is_other(call))
        return;
    if (!response)
        change_began(state, call);
    wkst_with_answer(v, self, state, call, response, WKST_CHANGING, judge_change);
    if (response) {
        change *unread = take_change(state, call->number);
        if (unread)
            change_free(unread);
    }
}

static void change_end(verifier *v, const rule *self, void *state)
{
    (void)v, (void)self;
    g_clear_pointer(&((change_state *)state)->changes, g_ptr_array_unref);
}

/* --------------------------------------------------------------------------------------------------- W-26: strings' lengths */

static void judge_names(const wkst_answer *a)
{
    const wkst_item *length = NULL;
    for (guint i = 0; i < a->out.items->len; i++) {
        const wkst_item *item = &g_array_index(a->out.items, wkst_item, i);
        if (strcmp(item->name, "Length") == 0)
            length = item;
        if (strcmp(item->name, "MaximumLength") != 0 || !length || length->parent != item->parent)
            continue;
        if (length->number % 2 == 1 || item->number < length->number) {
            rule_find_response(a->v, a->self, a->call, VERDICT_VIOLATION, NULL, NULL, "with a name of Length %" G_GUINT64_FORMAT
                               " and MaximumLength %" G_GUINT64_FORMAT, length->number, item->number);
            return;
        }
    }
    if (length)
        verifier_pass(a->v, a->self);
    else
        verifier_not_applicable(a->v, a->self, "no names were returned");
}

static void check_names(verifier *v, const rule *self, void *state, const rpc_call *call, bool response)
{
    wkst_with_answer(v, self, state, call, response, WKST_BIT(WKST_ENUM_NAMES), judge_names);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

const rule rules_wkst_calls[] = {
    {"W-01", "wkst", RULE_MUST, "MS-WKST 2.1", "both",
     "wkssvc is reached over SMB, on the pipe wkssvc.", .context = check_transport},

    {"W-02", "wkst", RULE_MUST, "MS-WKST 2.2.2", "client",
     "The pipe is opened with impersonation level IDENTIFICATION or IMPERSONATION.", .message = check_pipe_level},

    {"W-03", "wkst", RULE_MUST, "MS-WKST 3.2.4.1", "server",
     "NetrWkstaGetInfo refuses levels other than 100, 101, 102 and 502.", .message = check_get_level},

    {"W-04", "wkst", RULE_MUST, "MS-WKST 3.2.4.1", "server",
     "What NetrWkstaGetInfo returns is of the level that was asked for.", .message = check_discriminant},

    {"W-05", "wkst", RULE_MUST, "MS-WKST 3.2.4.2", "server",
     "NetrWkstaSetInfo refuses other levels than four, and values outside their ranges, and says which.",
     .message = check_set_values},

    {"W-06", "wkst", RULE_MUST, "MS-WKST 3.2.4.3", "server",
     "NetrWkstaUserEnum knows levels 0 and 1, and its counts and resume handle agree.", .message = check_user_enum},

    {"W-07", "wkst", RULE_MUST, "MS-WKST 3.2.4.4", "server",
     "NetrWkstaTransportEnum refuses levels other than 0, and says of a short buffer that it is too small.",
     .message = check_transport_enum},

    {"W-08", "wkst", RULE_MUST, "MS-WKST 3.2.4.6", "server",
     "NetrWkstaTransportDel refuses a ForceLevel above 2.", .message = check_force},

    {"W-09", "wkst", RULE_SHOULD, "MS-WKST 3.2.4.7 to 3.2.4.10", "server",
     "The methods about shares in use are not offered to other computers.", .message = check_use},

    {"W-10", "wkst", RULE_MUST, "MS-WKST 3.2.4.11", "server",
     "NetrWorkstationStatisticsGet refuses a Level or Options other than 0.", .message = check_statistics},

    {"W-11", "wkst", RULE_MUST, "MS-WKST 2.2.5.11", "server",
     "Statistics are returned whole.", .message = check_statistics_whole},

    {"W-12", "wkst", RULE_MUST, "MS-WKST 3.2.4.13 to 3.2.4.28", "client",
     "ServerName is a name of the server that is called.", .message = check_server_name},

    {"W-13", "wkst", RULE_MUST, "MS-WKST 3.2.4.13", "server",
     "A join with NETSETUP_MACHINE_PWD_PASSED is unsecure, gives no account and has a password.",
     .message = check_password_passed},

    {"W-14", "wkst", RULE_MUST, "MS-WKST 3.2.4.13", "server",
     "A join with NETSETUP_JOIN_READONLY passes a password and creates no account.", .message = check_read_only},

    {"W-15", "wkst", RULE_MUST, "MS-WKST 3.2.4.13", "server",
     "A computer in a domain joins another only with NETSETUP_DOMAIN_JOIN_IF_JOINED.",
     .state_size = sizeof(join_state), .message = check_joined, .end = join_state_end},

    {"W-16", "wkst", RULE_MUST, "MS-WKST 2.2.5.18, 3.2.4.13.1", "both",
     "A sealed password is a whole structure, and its Length is below 513, or the call is refused with ERROR_INVALID_PASSWORD.",
     .message = check_password_length},

    {"W-17", "wkst", RULE_MUST, "MS-WKST 2.2.5.18.1", "client",
     "A password is encoded with a seed before it is sealed.", .message = check_password_seed},

    {"W-18", "wkst", RULE_MUST, "MS-WKST 3.2.4.14", "server",
     "Leaving a domain refuses options that are not defined, and a computer that is in none refuses it.",
     .state_size = sizeof(join_state), .message = check_unjoin, .end = join_state_end},

    {"W-19", "wkst", RULE_MUST, "MS-WKST 3.2.4.15", "server",
     "Renaming refuses options that are not defined.", .message = check_rename},

    {"W-20", "wkst", RULE_MUST, "MS-WKST 3.2.4.16", "server",
     "NetrValidateName2 refuses NameType 0, and callers from other computers.", .message = check_validate},

    {"W-21", "wkst", RULE_SHOULD, "MS-WKST 3.2.4.18 to 3.2.4.28", "both",
     "Reserved is 0, and what is not defined in it is refused.", .message = check_reserved_bits},

    {"W-22", "wkst", RULE_MUST, "MS-WKST 3.2.4.21", "server",
     "NetrEnumerateComputerNames refuses a NameType above 2, and callers that do not come by a pipe.",
     .message = check_name_type},

    {"W-23", "wkst", RULE_SHOULD, "MS-WKST 3.2.4.13", "server",
     "While the computer's identity changes, another change is refused.",
     .state_size = sizeof(change_state), .message = check_change, .end = change_end},

    {"W-24", "wkst", RULE_MUST, "MS-WKST 3.2.4", "client",
     "Return codes other than 0 are not interpreted beyond what the specification says.",
     .state_size = 0},

    {"W-25", "wkst", RULE_MUST, "MS-WKST 2.2.5.19", "client",
     "The cipher of a password in the AES form has the length it says.", .message = check_aes},

    {"W-26", "wkst", RULE_MUST, "MS-WKST 2.2.5.20", "server",
     "Lengths of names are even and within the maximum.", .message = check_names},

    {0}
};
