/* verdict.c - hands events to the rules that listen for them, keeps what they found, sums it up.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/verdict.h"

#include <string.h>

#include "verifier/call_values.h"

static const rule *const tables[] = {
    rules_bkrp, rules_cmrp, rules_cmrp_handles, rules_cmrp_calls, rules_cmrp_buffers, rules_cmrp_notify, rules_cmrp_rest, rules_wkst,
    rules_wkst_calls, rules_smb,
};

/* What all rules of one protocol share, and which of them listen for its messages. */
typedef struct {
    const char *protocol;
    const char *interface; /* the name a person knows it by: "BackupKey" */
    GPtrArray  *context, *message; /* of record */
    unsigned    messages;  /* in this capture */
    bool        accepted;  /* in this capture a server accepted a bind of it */
    bool        told;      /* of this capture it was said what leaves its silent rules open */
} channel;

/* How far a rule got before it said that it is not applicable: "nobody spoke version 2.0" is true only if no call got further. */
typedef enum { NO_CALL, OUT_OF_SCOPE, A_CALL } reach_depth;

/* What a rule came to. */
typedef struct {
    rule_summary pub;
    reach_depth  depth; /* of a reason why it is not applicable */
} reached;

/* A rule at work. */
typedef struct {
    const rule  *rule;
    unsigned     index;   /* in the catalogue */
    channel     *channel;
    void        *state;   /* from verifier_begin() to verifier_end() */
    reached      now;     /* of the capture in hand; count 0: nothing yet */
    reached      total;   /* of those before it */
} record;

typedef struct {
    finding       pub;
    record       *record;
    const void   *key;
} found_item;

struct verifier {
    void     (*found)(const finding *f, uint32_t frame, void *user);
    void      *user;
    GPtrArray *records;    /* in the catalogue's order */
    GHashTable *by_rule;   /* rule -> record */
    GPtrArray *channels;
    GPtrArray *opened, *smb, *closed; /* records that listen */
    GPtrArray *findings;   /* found_item, of captures that have ended */
    GStringChunk *texts;   /* labels and reasons, which outlive their givers */
    /* The capture in hand: */
    const capture_facts *facts; /* NULL between captures */
    const char *label;
    GPtrArray  *current;   /* found_item, in the order of discovery */
    GHashTable *keyed;     /* those that have a key, as a set */
    GHashTable *started;   /* connections whose beginning was seen and whose end was not, as a set of uint64_t */
};

const char *rule_level_name(rule_level level)
{
    static const char *const names[] = {"MUST", "MUST NOT", "SHOULD", "note"};
    return names[level];
}

const char *rule_verdict_name(rule_verdict verdict)
{
    static const char *const names[] = {"not-observable", "not-applicable", "pass",     "note",
                                        "inconclusive",   "warning",        "violation"};
    return names[verdict];
}

void rules_each(void (*fn)(const rule *r, void *user), void *user)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const rule *r = tables[i]; r->id; r++)
            fn(r, user);
}

/* ------------------------------------------------------------------------------------------------- making, freeing */

static guint item_hash(gconstpointer p)
{
    const found_item *item = p;
    return g_direct_hash(item->key) * 31 + g_direct_hash(item->pub.rule) * 7 + item->pub.verdict;
}

static gboolean item_equal(gconstpointer a, gconstpointer b)
{
    const found_item *x = a, *y = b;
    return x->key == y->key && x->pub.rule == y->pub.rule && x->pub.verdict == y->pub.verdict &&
           g_strcmp0(x->pub.reason, y->pub.reason) == 0;
}

static void item_free(void *p)
{
    found_item *item = p;
    g_free(item->pub.message);
    g_array_unref(item->pub.frames);
    g_free(item);
}

static void channel_free(void *p)
{
    channel *c = p;
    g_ptr_array_unref(c->context);
    g_ptr_array_unref(c->message);
    g_free(c);
}

static const char *interface_name(const char *protocol)
{
    const ndr_interface *interface = interfaces_of_protocol(protocol);
    return interface ? interface->name : protocol;
}

/* There are as many channels as protocols, which is three. */
static channel *find_channel(const verifier *v, const char *protocol)
{
    for (guint i = 0; i < v->channels->len; i++) {
        channel *c = v->channels->pdata[i];
        if (c->protocol == protocol || strcmp(c->protocol, protocol) == 0)
            return c;
    }
    return NULL;
}

static channel *make_channel(verifier *v, const char *protocol)
{
    channel *c = g_new0(channel, 1);
    c->protocol = protocol;
    c->interface = interface_name(protocol);
    c->context = g_ptr_array_new();
    c->message = g_ptr_array_new();
    g_ptr_array_add(v->channels, c);
    return c;
}

bool rule_is_observable(const rule *r)
{
    return r->opened || r->smb || r->context || r->message || r->closed || r->end;
}

static void add_rule(const rule *r, void *user)
{
    verifier *v = user;
    record *made = g_new0(record, 1);
    made->rule = r;
    made->index = v->records->len;
    made->channel = find_channel(v, r->protocol);
    if (!made->channel)
        made->channel = make_channel(v, r->protocol);
    if (rule_is_observable(r))
        made->total.pub.verdict = VERDICT_NOT_APPLICABLE;
    else
        made->total.pub = (rule_summary){VERDICT_NOT_OBSERVABLE, "IC-INTERNAL", 0};
    g_ptr_array_add(v->records, made);
    g_hash_table_insert(v->by_rule, (gpointer)r, made);
    if (r->opened)
        g_ptr_array_add(v->opened, made);
    if (r->smb)
        g_ptr_array_add(v->smb, made);
    if (r->closed)
        g_ptr_array_add(v->closed, made);
    if (r->context)
        g_ptr_array_add(made->channel->context, made);
    if (r->message)
        g_ptr_array_add(made->channel->message, made);
}

verifier *verifier_new(void (*found)(const finding *f, uint32_t frame, void *user), void *user)
{
    verifier *v = g_new0(verifier, 1);
    v->found = found;
    v->user = user;
    v->records = g_ptr_array_new_with_free_func(g_free);
    v->by_rule = g_hash_table_new(NULL, NULL);
    v->channels = g_ptr_array_new_with_free_func(channel_free);
    v->opened = g_ptr_array_new();
    v->smb = g_ptr_array_new();
    v->closed = g_ptr_array_new();
    v->findings = g_ptr_array_new_with_free_func(item_free);
    v->texts = g_string_chunk_new(1024);
    v->current = g_ptr_array_new();
    v->keyed = g_hash_table_new(item_hash, item_equal);
    v->started = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    rules_each(add_rule, v);
    return v;
}

void verifier_free(verifier *v)
{
    if (!v)
        return;
    v->found = NULL;
    verifier_end(v);
    g_hash_table_unref(v->started);
    g_hash_table_unref(v->keyed);
    g_ptr_array_unref(v->current);
    g_string_chunk_free(v->texts);
    g_ptr_array_unref(v->findings);
    g_ptr_array_unref(v->closed);
    g_ptr_array_unref(v->smb);
    g_ptr_array_unref(v->opened);
    g_ptr_array_unref(v->channels);
    g_hash_table_unref(v->by_rule);
    g_ptr_array_unref(v->records);
    g_free(v);
}

/* --------------------------------------------------------------------------------------------------------- findings */

static void reach(reached *summary, const reached *more)
{
    unsigned count = summary->pub.count;
    if (more->pub.count == 0)
        return;
    if (count == 0 || more->pub.verdict > summary->pub.verdict) {
        *summary = *more;
        return;
    }
    if (more->pub.verdict != summary->pub.verdict)
        return;
    if (more->depth > summary->depth)
        *summary = *more;
    summary->pub.count = count + more->pub.count;
}

static record *record_of(const verifier *v, const rule *r)
{
    return g_hash_table_lookup(v->by_rule, r);
}

static void reach_once(record *r, rule_verdict verdict, const char *reason)
{
    reach(&r->now, &(reached){{verdict, reason, 1}, A_CALL});
}

void verifier_pass(verifier *v, const rule *r)
{
    reach_once(record_of(v, r), VERDICT_PASS, NULL);
}

void verifier_not_applicable(verifier *v, const rule *r, const char *reason)
{
    reach_once(record_of(v, r), VERDICT_NOT_APPLICABLE, reason);
}

void verifier_out_of_scope(verifier *v, const rule *r, const char *reason)
{
    reach(&record_of(v, r)->now, &(reached){{VERDICT_NOT_APPLICABLE, reason, 1}, OUT_OF_SCOPE});
}

/* Events come in the order of frames, so that the place is nearly always the end. */
static bool add_frame(GArray *frames, uint32_t frame)
{
    guint at = frames->len;
    while (at > 0 && g_array_index(frames, uint32_t, at - 1) > frame)
        at--;
    if (frame == 0 || (at > 0 && g_array_index(frames, uint32_t, at - 1) == frame))
        return false;
    g_array_insert_val(frames, at, frame);
    return true;
}

static void found_in(verifier *v, found_item *item, uint32_t frame, bool is_new)
{
    if (!add_frame(item->pub.frames, frame) && !is_new)
        return;
    reach_once(item->record, item->pub.verdict, item->pub.reason);
    if (v->found)
        v->found(&item->pub, frame, v->user);
}

bool verifier_find_again(verifier *v, const rule *r, rule_verdict verdict, const char *reason, const void *key, uint32_t frame)
{
    found_item sought = {.pub = {.rule = r, .verdict = verdict, .reason = reason}, .key = key};
    found_item *item = key ? g_hash_table_lookup(v->keyed, &sought) : NULL;
    if (item)
        found_in(v, item, frame, false);
    return item;
}

void verifier_find(verifier *v, const rule *r, rule_verdict verdict, const char *reason, const void *key,
                   uint32_t frame, const char *format, ...)
{
    if (verifier_find_again(v, r, verdict, reason, key, frame))
        return;
    found_item *item = g_new0(found_item, 1);
    va_list arguments;
    va_start(arguments, format);
    item->pub = (finding){r, verdict, reason, g_strdup_vprintf(format, arguments), g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                          v->label};
    va_end(arguments);
    item->record = record_of(v, r);
    item->key = key;
    g_ptr_array_add(v->current, item);
    if (key)
        g_hash_table_add(v->keyed, item);
    found_in(v, item, frame, true);
}

const capture_facts *verifier_facts(const verifier *v)
{
    return v->facts;
}

bool verifier_saw_start(const verifier *v, uint64_t connection)
{
    return g_hash_table_contains(v->started, &connection);
}

/* ----------------------------------------------------------------------------------------------------------- events */

void verifier_begin(verifier *v, const capture_facts *facts)
{
    verifier_end(v);
    v->facts = facts;
    v->label = facts->label ? g_string_chunk_insert_const(v->texts, facts->label) : NULL;
    for (guint i = 0; i < v->channels->len; i++) {
        channel *c = v->channels->pdata[i];
        c->messages = 0;
        c->accepted = false;
        c->told = false;
    }
    for (guint i = 0; i < v->records->len; i++) {
        record *r = v->records->pdata[i];
        r->now = (reached){.depth = NO_CALL};
        r->state = g_malloc0(r->rule->state_size);
    }
}

void verifier_started(verifier *v, uint64_t connection)
{
    if (v->facts)
        g_hash_table_add(v->started, g_memdup2(&connection, sizeof connection));
}

void verifier_opened(verifier *v, const smb_open *attempt)
{
    if (!v->facts)
        return;
    for (guint i = 0; i < v->opened->len; i++) {
        record *r = v->opened->pdata[i];
        r->rule->opened(v, r->rule, r->state, attempt);
    }
}

void verifier_smb(verifier *v, const smb_object *object, smb_event event)
{
    if (!v->facts)
        return;
    for (guint i = 0; i < v->smb->len; i++) {
        record *r = v->smb->pdata[i];
        r->rule->smb(v, r->rule, r->state, object, event);
    }
}

/* Of an interface in whatever version. */
static const char *protocol_of(const ndr_guid *uuid)
{
    for (size_t i = 0; interfaces_all[i] != NULL; i++)
        if (ndr_guid_equal(&interfaces_all[i]->uuid, uuid))
            return interfaces_all[i]->protocol;
    return NULL;
}

void verifier_context(verifier *v, const rpc_association *association, const rpc_origin *origin,
                      const ndr_guid *interface, uint16_t version_major, int result)
{
    const char *protocol = v->facts ? protocol_of(interface) : NULL;
    channel *c = protocol ? find_channel(v, protocol) : NULL;
    if (!c)
        return;
    bool ours = interfaces_find(interface, version_major);
    if (ours && result >= 0) /* a later refusal, of a security context or the whole bind, leaves nothing to call */
        c->accepted = result == 0;
    for (guint i = 0; i < c->context->len; i++) {
        record *r = c->context->pdata[i];
        if (!ours && !r->rule->any_version)
            continue;
        r->rule->context(v, r->rule, r->state, association, origin, interface, version_major, result);
    }
}

void verifier_message(verifier *v, const rpc_call *call, bool response)
{
    channel *c = v->facts && call->interface ? find_channel(v, call->interface->protocol) : NULL;
    if (!c)
        return;
    c->messages++;
    call_values_hold(call);
    for (guint i = 0; i < c->message->len; i++) {
        record *r = c->message->pdata[i];
        r->rule->message(v, r->rule, r->state, call, response);
    }
    call_values_release();
}

void verifier_closed(verifier *v, uint64_t connection)
{
    if (!v->facts)
        return;
    for (guint i = 0; i < v->closed->len; i++) {
        record *r = v->closed->pdata[i];
        r->rule->closed(v, r->rule, r->state, connection);
    }
    g_hash_table_remove(v->started, &connection);
}

/* ---------------------------------------------------------------------------------------------------------- the end */

/* [MS-CMRP] 2.1 has ClusAPI over TCP and UDP only. */
static bool may_be_on_pipes(const channel *c)
{
    return strcmp(c->protocol, "cmrp") != 0;
}

static void leave_open(verifier *v, const record *r, const char *reason, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* What leaves one rule of a protocol open leaves all of them open, and is said once. */
static void leave_open(verifier *v, const record *r, const char *reason, const char *format, ...)
{
    if (r->channel->told) {
        reach_once(record_of(v, r->rule), VERDICT_INCONCLUSIVE, reason);
        return;
    }
    r->channel->told = true;
    va_list arguments;
    va_start(arguments, format);
    char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    verifier_find(v, r->rule, VERDICT_INCONCLUSIVE, reason, NULL, 0, "%s", text);
    g_free(text);
}

/* A rule that said nothing: absence is evidence only where everything could be seen. */
static void judge_silence(verifier *v, record *r)
{
    const capture_facts *facts = v->facts;
    const char *name = r->channel->interface;
    bool pipes = may_be_on_pipes(r->channel);
    uint32_t unbound = facts->unbound_calls - (pipes ? 0 : MIN(facts->unbound_on_pipes, facts->unbound_calls));
    if (r->channel->messages > 0) {
        verifier_not_applicable(v, r->rule, "its condition did not arise");
    } else if (pipes && facts->encrypted_smb > 0) {
        leave_open(v, r, "IC-ENCRYPTED", "no %s call can be seen, but frames with encrypted SMB messages (%u) may hold some",
                   name,
                   facts->encrypted_smb);
    } else if (unbound > 0) {
        leave_open(v, r, "IC-NOHANDSHAKE", "no %s call is known, but calls whose bind is not in the capture (%u) may be some",
                   name,
                   unbound);
    } else if (r->channel->accepted) {
        leave_open(v, r, "IC-TRUNCATED", "%s was bound, but no complete call of it is in the capture", name);
    } else if (!facts->complete) {
        leave_open(v, r, "IC-TRUNCATED", "no %s call is in the capture, but the capture is cut off in the middle", name);
    } else {
        char *reason = g_strdup_printf("no %s call in the capture", name);
        reach(&r->now, &(reached){{VERDICT_NOT_APPLICABLE, g_string_chunk_insert_const(v->texts, reason), 1}, NO_CALL});
        g_free(reason);
    }
}

static gint by_first_frame(gconstpointer a, gconstpointer b)
{
    const found_item *x = *(found_item *const *)a, *y = *(found_item *const *)b;
    const GArray *fx = x->pub.frames, *fy = y->pub.frames;
    uint32_t first_x = fx->len > 0 ? g_array_index(fx, uint32_t, 0) : UINT32_MAX;
    uint32_t first_y = fy->len > 0 ? g_array_index(fy, uint32_t, 0) : UINT32_MAX;
    if (first_x != first_y)
        return first_x < first_y ? -1 : 1;
    return x->record->index < y->record->index ? -1 : x->record->index > y->record->index;
}

void verifier_end(verifier *v)
{
    if (!v->facts)
        return;
    for (guint i = 0; i < v->records->len; i++) {
        record *r = v->records->pdata[i];
        if (r->rule->end)
            r->rule->end(v, r->rule, r->state);
        if (r->now.pub.count == 0 && rule_is_observable(r->rule))
            judge_silence(v, r);
        reach(&r->total, &r->now);
        g_free(r->state);
        r->state = NULL;
    }
    g_ptr_array_sort(v->current, by_first_frame);
    for (guint i = 0; i < v->current->len; i++)
        g_ptr_array_add(v->findings, v->current->pdata[i]);
    g_ptr_array_set_size(v->current, 0);
    g_hash_table_remove_all(v->keyed);
    g_hash_table_remove_all(v->started);
    v->facts = NULL;
}

rule_summary verifier_summary(const verifier *v, const rule *r)
{
    return record_of(v, r)->total.pub;
}

size_t verifier_finding_count(const verifier *v)
{
    return v->findings->len;
}

const finding *verifier_finding(const verifier *v, size_t index)
{
    return &((const found_item *)v->findings->pdata[index])->pub;
}
