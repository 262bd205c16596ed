/* rules_smb.c - what SMB clients leave open: sessions ([MS-SMB2] 3.2.4.23), share connections (3.2.4.22), pipes (3.2.4.5). No
 * specification forbids it, and much ordinary traffic never logs off: so these are notes, one for each client and server.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/verdict.h"

#include <string.h>

/* How the three are spoken of. */
typedef struct {
    const char *one, *many, *ended, *owner;
} words;

static const words kinds[] = {
    [SMB_SESSION] = {"session", "sessions", "logged off", "connection"},
    [SMB_SHARE]   = {"share connection", "share connections", "disconnected", "session"},
    [SMB_PIPE]    = {"pipe", "pipes", "closed", "session or share connection"},
};

enum { PROTOCOLS = 32, NAMES_SHOWN = 4 };

/* What one client has left open at one server. */
typedef struct {
    char      *pair;          /* "192.0.2.7 192.0.2.1" */
    char      *client, *server; /* of the first, with ports */
    GArray    *frames;        /* since when: uint32_t */
    GPtrArray *names;         /* whose and which, each once, in the order of their coming */
    GHashTable *name_counts;
    unsigned   before;        /* opened before the capture */
    unsigned   sealed;        /* their end may be hidden */
    unsigned   carried[PROTOCOLS], carried_none, carried_sealed, carried_unbound;
    unsigned   ends[SMB_TCP_RST + 1], with_owner;
} group;

typedef struct {
    GPtrArray  *groups;
    GHashTable *by_pair;
    bool        said;
} leavings;

static void group_free(void *p)
{
    group *g = p;
    g_free(g->pair);
    g_free(g->client);
    g_free(g->server);
    g_array_unref(g->frames);
    g_ptr_array_unref(g->names);
    g_hash_table_unref(g->name_counts);
    g_free(g);
}

static int address_length(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');
    return port ? (int)(port - endpoint) : (int)strlen(endpoint);
}

static group *group_of(leavings *all, const smb_object *object)
{
    if (!all->groups) {
        all->groups = g_ptr_array_new_with_free_func(group_free);
        all->by_pair = g_hash_table_new(g_str_hash, g_str_equal);
    }
    char *pair = g_strdup_printf("%.*s %.*s", address_length(object->client), object->client, address_length(object->server),
                                 object->server);
    group *g = g_hash_table_lookup(all->by_pair, pair);
    if (g) {
        g_free(pair);
        return g;
    }
    g = g_new0(group, 1);
    *g = (group){.pair = pair, .client = g_strdup(object->client), .server = g_strdup(object->server),
                 .frames = g_array_new(FALSE, FALSE, sizeof(uint32_t)), .names = g_ptr_array_new(),
                 .name_counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    g_hash_table_insert(all->by_pair, g->pair, g);
    g_ptr_array_add(all->groups, g);
    return g;
}

/* ------------------------------------------------------------------------------------------------------- collecting */

/* Names come from the wire: what would break a line of a report is not printed as it is. */
static char *printable(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);
        if (g_unichar_isprint(u))
            g_string_append_unichar(out, u);
        else
            g_string_append_printf(out, "\\x%02x", u);
    }
    return g_string_free(out, FALSE);
}

static const char *user_of(const smb_object *session)
{
    return !session ? "user not known" : session->name ? session->name : session->anonymous ? "anonymous" :
           session->guest ? "guest" : "user not known";
}

static char *label_of(const smb_object *object)
{
    if (object->kind == SMB_SESSION)
        return printable(user_of(object));
    char *name = printable(object->name ? object->name : "name not known"), *user = printable(user_of(object->session));
    char *label = g_strdup_printf("%s, %s", name, user);
    g_free(name);
    g_free(user);
    return label;
}

static void add_name(group *g, const smb_object *object)
{
    gpointer known, count;
    char *label = label_of(object);
    if (g_hash_table_lookup_extended(g->name_counts, label, &known, &count)) {
        g_free(label);
        g_hash_table_insert(g->name_counts, g_strdup(known), GUINT_TO_POINTER(GPOINTER_TO_UINT(count) + 1));
    } else {
        g_hash_table_insert(g->name_counts, label, GUINT_TO_POINTER(1));
        g_ptr_array_add(g->names, label);
    }
}

static void add(group *g, const smb_object *object, bool with_owner)
{
    bool sealed = smb_life_is_sealed(object);
    g_array_append_val(g->frames, object->frame);
    add_name(g, object);
    g->before += object->before;
    g->sealed += sealed;
    if (with_owner)
        g->with_owner++;
    else
        g->ends[object->end]++;
    for (unsigned i = 0; i < PROTOCOLS; i++)
        g->carried[i] += object->protocols >> i & 1;
    if (object->protocols)
        return;
    if (sealed)
        g->carried_sealed++;
    else if (object->unbound)
        g->carried_unbound++;
    else
        g->carried_none++;
}

/* ---------------------------------------------------------------------------------------------------------- telling */

static void append_names(GString *text, const group *g, bool counted)
{
    for (guint i = 0; i < MIN(g->names->len, NAMES_SHOWN); i++) {
        const char *name = g->names->pdata[i];
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", name);
        if (counted)
            g_string_append_printf(text, ": %u", GPOINTER_TO_UINT(g_hash_table_lookup(g->name_counts, name)));
    }
    if (g->names->len > NAMES_SHOWN)
        g_string_append_printf(text, "; and %u others", g->names->len - NAMES_SHOWN);
}

static void append_carried_by_one(GString *text, const group *g)
{
    const char *separator = "; it carried ";
    for (unsigned i = 0; i < PROTOCOLS; i++) {
        if (g->carried[i] == 0)
            continue;
        g_string_append_printf(text, "%s%s", separator, smb_life_protocol(i));
        separator = " and ";
    }
    if (g->carried_sealed)
        g_string_append(text, "; whether it carried one of the three protocols is not known: its messages are encrypted and not "
                        "opened");
    if (g->carried_unbound)
        g_string_append(text, "; whether it carried one of the three protocols is not known: the bind of its calls is not in the "
                        "capture");
    if (g->carried_none)
        g_string_append(text, "; it carried none of the three protocols");
}

static void append_count(GString *text, const char **separator, const char *what, unsigned count)
{
    if (count == 0)
        return;
    g_string_append_printf(text, "%s%s: %u", *separator, what, count);
    *separator = ", ";
}

static void append_carried_by_many(GString *text, const group *g)
{
    const char *separator = "; what they carried: ";
    for (unsigned i = 0; i < PROTOCOLS; i++)
        append_count(text, &separator, smb_life_protocol(i), g->carried[i]);
    append_count(text, &separator, "none of the three protocols", g->carried_none);
    append_count(text, &separator, "not known because it is encrypted and not opened", g->carried_sealed);
    append_count(text, &separator, "not known because the bind is not in the capture", g->carried_unbound);
}

static void append_end(GString *text, const group *g, const words *w)
{
    if (g->with_owner)
        g_string_append_printf(text, "; it ended with its %s", w->owner);
    else
        g_string_append(text, g->ends[SMB_TCP_FIN] ? "; the connection ended with FIN" :
                              g->ends[SMB_TCP_RST] ? "; the connection ended with RST" :
                              "; the capture ends before the connection does");
}

static char *tell_one(const group *g, const words *w)
{
    GString *text = g_string_new(NULL);
    uint32_t since = g_array_index(g->frames, uint32_t, 0);
    g_string_append_printf(text, "%s of %s at %s (", w->one, g->client, g->server);
    append_names(text, g, false);
    g_string_append_printf(text, "), open since %sframe %u, is not seen to be %s", g->before ? "before " : "", since, w->ended);
    if (g->sealed)
        g_string_append(text, ", which encrypted messages that are not opened may hide");
    append_carried_by_one(text, g);
    append_end(text, g, w);
    return g_string_free(text, FALSE);
}

static char *tell_many(const group *g, const words *w)
{
    GString *text = g_string_new(NULL);
    guint count = g->frames->len;
    g_string_append_printf(text, "%u %s of %.*s at %.*s (", count, w->many, address_length(g->client), g->client,
                           address_length(g->server), g->server);
    append_names(text, g, true);
    g_string_append_printf(text, "), the first open since frame %u, are not seen to be %s", g_array_index(g->frames, uint32_t, 0),
                           w->ended);
    if (g->before)
        g_string_append_printf(text, "; %u opened before the capture", g->before);
    if (g->sealed)
        g_string_append_printf(text, "; of %u, encrypted messages that are not opened may hide the end", g->sealed);
    append_carried_by_many(text, g);
    const char *separator = "; how they ended: ";
    char *with_owner = g_strdup_printf("with their %s", w->owner);
    append_count(text, &separator, with_owner, g->with_owner);
    g_free(with_owner);
    append_count(text, &separator, "with the connection's FIN", g->ends[SMB_TCP_FIN]);
    append_count(text, &separator, "with its RST", g->ends[SMB_TCP_RST]);
    append_count(text, &separator, "not before the capture", g->ends[SMB_TCP_OPEN]);
    return g_string_free(text, FALSE);
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* What ended with its owner came when that ended, which is not the order in which it was opened. */
static void find_group(verifier *v, const rule *self, const group *g, const words *w)
{
    g_array_sort(g->frames, by_number);
    char *text = g->frames->len == 1 ? tell_one(g, w) : tell_many(g, w);
    for (guint i = 0; i < g->frames->len; i++)
        verifier_find(v, self, VERDICT_NOTE, NULL, g, g_array_index(g->frames, uint32_t, i), "%s", text);
    g_free(text);
}

/* -------------------------------------------------------------------------------------------------------- the rules */

static void take(verifier *v, const rule *self, leavings *all, const smb_object *object, smb_event event)
{
    all->said |= event != SMB_BEGAN;
    switch (event) {
    case SMB_CLOSED:
        verifier_pass(v, self);
        break;
    case SMB_CLOSED_BY_SERVER:
        verifier_not_applicable(v, self, "the server ended it");
        break;
    case SMB_REPLACED:
        verifier_not_applicable(v, self, "its end is not in the capture");
        break;
    case SMB_CLOSED_WITH_OWNER: case SMB_LEFT:
        add(group_of(all, object), object, event != SMB_LEFT);
        break;
    case SMB_BEGAN:
        break;
    }
}

static void finish(verifier *v, const rule *self, leavings *all, smb_kind kind)
{
    for (guint i = 0; all->groups && i < all->groups->len; i++)
        find_group(v, self, all->groups->pdata[i], &kinds[kind]);
    if (!all->said && verifier_facts(v)->encrypted_smb > 0)
        verifier_find(v, self, VERDICT_INCONCLUSIVE, "IC-ENCRYPTED", NULL, 0, "no %s can be seen, but frames with encrypted SMB "
                      "messages (%u) may hold some", kinds[kind].one, verifier_facts(v)->encrypted_smb);
    else if (!all->said)
        verifier_not_applicable(v, self, "none is in the capture");
    g_clear_pointer(&all->by_pair, g_hash_table_unref);
    g_clear_pointer(&all->groups, g_ptr_array_unref);
}

static void take_session(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event)
{
    if (object->kind == SMB_SESSION)
        take(v, self, state, object, event);
}

static void take_share(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event)
{
    if (object->kind == SMB_SHARE)
        take(v, self, state, object, event);
}

static void take_pipe(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event)
{
    if (object->kind == SMB_PIPE)
        take(v, self, state, object, event);
}

static void finish_sessions(verifier *v, const rule *self, void *state) { finish(v, self, state, SMB_SESSION); }
static void finish_shares(verifier *v, const rule *self, void *state) { finish(v, self, state, SMB_SHARE); }
static void finish_pipes(verifier *v, const rule *self, void *state) { finish(v, self, state, SMB_PIPE); }

const rule rules_smb[] = {
    {"SMB-1", "smb", RULE_NOTE, "MS-SMB2 3.2.4.23", "client",
     "A session is logged off.",
     .state_size = sizeof(leavings), .smb = take_session, .end = finish_sessions},

    {"SMB-2", "smb", RULE_NOTE, "MS-SMB2 3.2.4.22", "client",
     "A share connection is disconnected.",
     .state_size = sizeof(leavings), .smb = take_share, .end = finish_shares},

    {"SMB-3", "smb", RULE_NOTE, "MS-SMB2 3.2.4.5", "client",
     "A pipe is closed.",
     .state_size = sizeof(leavings), .smb = take_pipe, .end = finish_pipes},

    {0}
};
