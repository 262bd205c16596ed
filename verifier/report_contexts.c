/* report_contexts.c - why each security context of a capture opens or does not.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

/* One context and how its messages fared. */
typedef struct {
    const rpc_auth *auth;
    char           *client, *server, *pipe;
    uint8_t         level;
    uint32_t        first_frame;
    unsigned        verified, closed, plain;
    const char     *reason; /* of the first message that was not verified although there is a key */
} context_row;

struct report_contexts {
    FILE       *out;
    GHashTable *by_auth;
    GPtrArray  *rows; /* in the order of their first calls */
    unsigned    bare; /* calls without any security context */
};

static void row_free(void *p)
{
    context_row *row = p;
    g_free(row->client);
    g_free(row->server);
    g_free(row->pipe);
    g_free(row);
}

static void clear(report_contexts *c)
{
    g_hash_table_remove_all(c->by_auth);
    g_ptr_array_set_size(c->rows, 0);
    c->bare = 0;
}

report_contexts *report_contexts_new(FILE *out)
{
    report_contexts *c = g_new0(report_contexts, 1);
    c->out = out;
    c->by_auth = g_hash_table_new(NULL, NULL);
    c->rows = g_ptr_array_new_with_free_func(row_free);
    return c;
}

void report_contexts_free(report_contexts *c)
{
    g_hash_table_unref(c->by_auth);
    g_ptr_array_unref(c->rows);
    g_free(c);
}

static context_row *row_of(report_contexts *c, const rpc_call *call, const rpc_message *m)
{
    context_row *row = g_hash_table_lookup(c->by_auth, m->auth);
    if (row)
        return row;
    row = g_new0(context_row, 1);
    row->auth = m->auth;
    row->client = g_strdup(call->association->client);
    row->server = g_strdup(call->association->server);
    row->pipe = g_strdup(call->association->pipe);
    row->level = m->level;
    row->first_frame = m->first_frame;
    g_hash_table_insert(c->by_auth, (gpointer)m->auth, row);
    g_ptr_array_add(c->rows, row);
    return row;
}

static void count(context_row *row, const rpc_message *m)
{
    switch (m->state) {
    case SEC_VERIFIED: row->verified++; return;
    case SEC_PLAIN:    row->plain++; return;
    default:           row->closed++;
    }
    if (!row->reason)
        row->reason = m->text;
}

void report_contexts_add(report_contexts *c, const rpc_call *call)
{
    const rpc_message *const messages[] = {&call->request, &call->response};
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
        if (messages[i]->auth) {
            count(row_of(c, call, messages[i]), messages[i]);
            any = true;
        }
    c->bare += !any;
}

static void print_row(FILE *out, const context_row *row)
{
    const sec_facts *facts = sec_context_facts(row->auth->security);
    fprintf(out, "%s > %s%s%s, from frame %u: %s%s, level %s\n", row->client, row->server, row->pipe ? " \\" : "",
            row->pipe ? row->pipe : "", row->first_frame, facts->spnego ? "SPNEGO, " : "", facts->mechanism_text,
            rpc_auth_level_name(row->level));
    if (facts->user)
        fprintf(out, "    user     %s%s\n", facts->user, facts->anonymous ? " (anonymous)" : "");
    if (facts->target)
        fprintf(out, "    service  %s\n", facts->target);
    if (facts->have_key)
        fprintf(out, "    key      %s; %s\n", facts->key_origin ? facts->key_origin : "none needed", facts->key_proof);
    else if (facts->key_text)
        fprintf(out, "    key      %s\n", facts->key_text);
    if (facts->keys_tried)
        fprintf(out, "    tried    %" G_GSIZE_FORMAT " key%s%s\n", facts->keys_tried, facts->keys_tried == 1 ? "" : "s",
                facts->have_key ? ", the last of which fits" : "");
    fprintf(out, "    PDUs     %u verified, %u not\n", facts->pdus_verified, facts->pdus_refused);
    if (facts->ntlm_missing)
        fprintf(out, "    missing  %u PDU%s, in gaps behind which the key stream was found again\n", facts->ntlm_missing,
                facts->ntlm_missing == 1 ? "" : "s");
    fprintf(out, "    messages %u verified, %u not opened", row->verified, row->closed);
    if (row->plain)
        fprintf(out, ", %u that carry no signature", row->plain);
    fputc('\n', out);
    if (row->reason && facts->have_key)
        fprintf(out, "    because  %s\n", row->reason);
}

void report_contexts_print(report_contexts *c, const char *capture)
{
    fprintf(c->out, "%s: %u security context%s", capture, c->rows->len, c->rows->len == 1 ? "" : "s");
    if (c->bare)
        fprintf(c->out, ", and %u call%s without any", c->bare, c->bare == 1 ? "" : "s");
    fputc('\n', c->out);
    for (guint i = 0; i < c->rows->len; i++)
        print_row(c->out, c->rows->pdata[i]);
    clear(c);
}
