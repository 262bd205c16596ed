/* smb_life.c - SMB sessions, share connections and pipes from their beginning to their end.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/smb_life.h"

#include <string.h>

#include "decoders/interfaces.h"

static const char smb_port[] = ":445";
/* What says that a session, a share connection or a file is no more. */
static const uint32_t STATUS_USER_SESSION_DELETED = 0xc0000203, STATUS_SMB_BAD_UID = 0x005b0002,
                      STATUS_NETWORK_NAME_DELETED = 0xc00000c9, STATUS_SMB_BAD_TID = 0x00050002, STATUS_FILE_CLOSED = 0xc0000128;
/* No server holds more open; a hostile capture may not fill memory. */
enum { OBJECTS_LIMIT = 1 << 20, ENDED_LIMIT = 1 << 20, USERS_LIMIT = 1 << 16, CHANNELS_LIMIT = 32 };

typedef struct {
    uint64_t kind, scope, id[2];
} node_key;

typedef struct connection connection;

typedef struct node node;
struct node {
    smb_object  pub;
    node_key    key;
    uint64_t    number;            /* from 1, in the order of their beginnings */
    connection *connection;
    GPtrArray  *channels;          /* of a session: its further connections; NULL: none */
    node       *owner, *children, *next, *previous; /* a session's share connections, a share connection's pipes */
};

struct connection {
    uint64_t    id, number;
    uint64_t    scope;             /* where session ids are unique: one server, or without its GUID this connection */
    char       *client, *server;
    smb_tcp_end end;
    struct {                       /* what the last request was about; valid while nothing has ended since */
        uint64_t ends, session_id;
        uint32_t tree;
        node    *session, *share;
    } now;
    uint64_t    file_id[2];        /* of the last request that names a file */
};

struct smb_life {
    void      (*told)(const smb_object *object, smb_event event, void *user);
    void       *user;
    GHashTable *connections;       /* connection.id -> connection */
    GHashTable *servers;           /* GUID -> scope */
    GHashTable *nodes;             /* node_key -> node */
    GHashTable *ended;             /* set of node_key: what a late message may not bring back */
    GHashTable *users;             /* node_key of a session to come -> name */
    connection *last;
    uint64_t    node_count, end_count;
};

/* ---------------------------------------------------------------------------------------------------------- tables */

static guint key_hash(gconstpointer p)
{
    const node_key *k = p;
    uint64_t h = (k->kind * 0x9e3779b97f4a7c15u ^ k->scope) * 0xc2b2ae3d27d4eb4fu;
    h = (h ^ k->id[0]) * 0x9e3779b97f4a7c15u;
    h = (h ^ k->id[1]) * 0xc2b2ae3d27d4eb4fu;
    return (guint)(h ^ h >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(node_key)) == 0;
}

static guint guid_hash(gconstpointer p)
{
    const uint8_t *o = p;
    guint h = 0;
    for (int i = 0; i < 16; i++)
        h = h * 31 + o[i];
    return h;
}

static gboolean guid_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, 16) == 0;
}

static void connection_free(void *p)
{
    connection *c = p;
    g_free(c->client);
    g_free(c->server);
    g_free(c);
}

static void node_free(void *p)
{
    node *n = p;
    if (n->channels)
        g_ptr_array_unref(n->channels);
    g_free(n->pub.name);
    g_free(n);
}

smb_life *smb_life_new(void (*told)(const smb_object *object, smb_event event, void *user), void *user)
{
    smb_life *l = g_new0(smb_life, 1);
    l->told = told;
    l->user = user;
    l->connections = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, connection_free);
    l->servers = g_hash_table_new_full(guid_hash, guid_equal, g_free, g_free);
    l->nodes = g_hash_table_new_full(key_hash, key_equal, NULL, node_free);
    l->ended = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    l->users = g_hash_table_new_full(key_hash, key_equal, g_free, g_free);
    return l;
}

void smb_life_free(smb_life *l)
{
    if (!l)
        return;
    g_hash_table_unref(l->users);
    g_hash_table_unref(l->ended);
    g_hash_table_unref(l->nodes);
    g_hash_table_unref(l->servers);
    g_hash_table_unref(l->connections);
    g_free(l);
}

static connection *find_connection(const smb_life *l, uint64_t id)
{
    return l->last && l->last->id == id ? l->last : g_hash_table_lookup(l->connections, &id);
}

static connection *get_connection(smb_life *l, uint64_t id, const char *client, const char *server)
{
    connection *c = find_connection(l, id);
    if (!c) {
        c = g_new0(connection, 1);
        c->id = id;
        c->number = g_hash_table_size(l->connections) + 1;
        c->scope = c->number << 1;
        c->client = g_strdup(client);
        c->server = g_strdup(server);
        g_hash_table_insert(l->connections, &c->id, c);
    }
    l->last = c;
    return c;
}

/* Connections of one server, which its GUID tells, share their sessions ([MS-SMB2] 3.3.1.8). */
static void set_server(smb_life *l, connection *c, const uint8_t guid[16])
{
    static const uint8_t none[16];
    if (memcmp(guid, none, sizeof none) == 0)
        return;
    uint64_t *scope = g_hash_table_lookup(l->servers, guid);
    if (!scope) {
        scope = g_new(uint64_t, 1);
        *scope = (uint64_t)g_hash_table_size(l->servers) << 1 | 1;
        g_hash_table_insert(l->servers, g_memdup2(guid, 16), scope);
    }
    c->scope = *scope;
    c->now.ends = UINT64_MAX;
}

static node_key session_key(const connection *c, bool smb2, uint64_t id)
{
    return (node_key){SMB_SESSION, smb2 ? c->scope : c->number << 1, {id, smb2}};
}

/* A tree id is its session's own in SMB2, its connection's in SMB1. */
static node_key share_key(const connection *c, const node *session, bool smb2, uint32_t tree)
{
    return (node_key){SMB_SHARE, smb2 ? session->number << 1 : c->number << 1 | 1, {tree, smb2}};
}

static node_key pipe_key(const connection *c, const uint64_t file_id[2])
{
    return (node_key){SMB_PIPE, c->number, {file_id[0], file_id[1]}};
}

/* ---------------------------------------------------------------------------------------------- beginnings and ends */

static void tell(const smb_life *l, const node *n, smb_event event)
{
    if (l->told && (n->pub.kind != SMB_PIPE || n->pub.is_pipe))
        l->told(&n->pub, event, l->user);
}

static void link_to(node *n, node *owner)
{
    n->owner = owner;
    if (!owner)
        return;
    n->next = owner->children;
    if (n->next)
        n->next->previous = n;
    owner->children = n;
}

static void unlink_from_owner(node *n)
{
    if (n->next)
        n->next->previous = n->previous;
    if (n->previous)
        n->previous->next = n->next;
    else if (n->owner)
        n->owner->children = n->next;
}

static void end(smb_life *l, node *n, smb_event event)
{
    smb_event inner = event == SMB_CLOSED ? SMB_CLOSED_WITH_OWNER : event;
    while (n->children)
        end(l, n->children, n->children->pub.closing ? SMB_CLOSED : inner);
    tell(l, n, event);
    unlink_from_owner(n);
    l->end_count++;
    if (g_hash_table_size(l->ended) < ENDED_LIMIT)
        g_hash_table_add(l->ended, g_memdup2(&n->key, sizeof n->key));
    g_hash_table_remove(l->nodes, &n->key);
}

/* Whose share connection a pipe's is, that one says, and not the command that opened the pipe: in SMB1 the two may differ. NULL:
 * there are too many. */
static node *begin(smb_life *l, connection *c, const node_key *key, node *session, node *share, uint32_t frame, bool smb2)
{
    node *old = g_hash_table_lookup(l->nodes, key);
    if (old)
        end(l, old, old->pub.closing ? SMB_CLOSED : SMB_REPLACED);
    if (g_hash_table_size(l->nodes) >= OBJECTS_LIMIT)
        return NULL;
    if (share)
        session = share->owner;
    g_hash_table_remove(l->ended, key);
    node *n = g_new0(node, 1);
    n->key = *key;
    n->number = ++l->node_count;
    n->pub = (smb_object){.kind = (smb_kind)key->kind, .smb2 = smb2, .frame = frame, .connection = c->id, .client = c->client,
                          .server = c->server, .impersonation = UINT32_MAX, .session = session ? &session->pub : NULL,
                          .share = share ? &share->pub : NULL,
                          .sealed_before = session ? session->pub.sealed : 0};
    n->connection = c;
    link_to(n, share ? share : session);
    g_hash_table_insert(l->nodes, &n->key, n);
    return n;
}

static void set_pipe(smb_life *l, node *n)
{
    if (n->pub.is_pipe)
        return;
    n->pub.is_pipe = true;
    tell(l, n, SMB_BEGAN);
}

/* The first use of what is older than the capture; what has ended does not come back by a late message. */
static node *sight(smb_life *l, connection *c, const node_key *key, node *session, node *share, uint32_t frame, bool smb2)
{
    if (g_hash_table_contains(l->ended, key))
        return NULL;
    node *n = begin(l, c, key, session, share, frame, smb2);
    if (n) {
        n->pub.before = true;
        tell(l, n, SMB_BEGAN);
    }
    return n;
}

static void add_connection(node *session, connection *c)
{
    if (session->connection == c || (session->channels && g_ptr_array_find(session->channels, c, NULL)))
        return;
    if (!session->channels)
        session->channels = g_ptr_array_new();
    if (session->channels->len < CHANNELS_LIMIT)
        g_ptr_array_add(session->channels, c);
}

static node *find_session(const smb_life *l, const connection *c, bool smb2, uint64_t id)
{
    const node_key key = session_key(c, smb2, id);
    return id ? g_hash_table_lookup(l->nodes, &key) : NULL;
}

static node *use_session(smb_life *l, connection *c, bool smb2, uint64_t id, uint32_t frame)
{
    const node_key key = session_key(c, smb2, id);
    node *session = find_session(l, c, smb2, id);
    if (!session && id)
        session = sight(l, c, &key, NULL, NULL, frame, smb2);
    if (session)
        add_connection(session, c);
    return session;
}

static node *find_share(const smb_life *l, const connection *c, const node *session, const smb_exchange *e)
{
    if (e->tree == 0 || (e->smb2 && !session))
        return NULL;
    const node_key key = share_key(c, session, e->smb2, e->tree);
    return g_hash_table_lookup(l->nodes, &key);
}

static node *use_share(smb_life *l, connection *c, node *session, const smb_exchange *e)
{
    node *share = find_share(l, c, session, e);
    if (share || e->tree == 0 || (e->smb2 && !session))
        return share;
    const node_key key = share_key(c, session, e->smb2, e->tree);
    return sight(l, c, &key, session, NULL, e->frame, e->smb2);
}

static bool has_file(const uint64_t file_id[2])
{
    return file_id[0] || file_id[1];
}

/* A further connection of a session may use the files that another opened. */
static node *find_pipe(const smb_life *l, const connection *c, const node *session, const uint64_t file_id[2])
{
    if (!has_file(file_id))
        return NULL;
    node_key key = pipe_key(c, file_id);
    node *pipe = g_hash_table_lookup(l->nodes, &key);
    if (pipe || !session || !session->channels)
        return pipe;
    key = pipe_key(session->connection, file_id);
    pipe = g_hash_table_lookup(l->nodes, &key);
    for (guint i = 0; !pipe && i < session->channels->len; i++) {
        key = pipe_key(session->channels->pdata[i], file_id);
        pipe = g_hash_table_lookup(l->nodes, &key);
    }
    return pipe;
}

/* ------------------------------------------------------------------------------------------------------- exchanges */

static void take_user(smb_life *l, node *session, const node_key *key)
{
    gpointer stored, name;
    if (!g_hash_table_steal_extended(l->users, key, &stored, &name))
        return;
    g_free(stored);
    session->pub.anonymous |= *(char *)name == '\0';
    if (*(char *)name && !session->pub.name)
        session->pub.name = g_steal_pointer(&name);
    g_free(name);
}

/* A session id that the server gives while another of the same id lives: that one's end is not in the capture. A session that
 * authenticates again, or gets a further connection, is named by the request. */
static void session_set_up(smb_life *l, connection *c, const smb_exchange *e)
{
    const node_key key = session_key(c, e->smb2, e->session), asked = session_key(c, e->smb2, e->asked_session);
    node *session = find_session(l, c, e->smb2, e->session);
    if (session && e->request_frame && e->asked_session != e->session) {
        end(l, session, SMB_REPLACED);
        session = NULL;
    }
    bool known = session;
    if (!known)
        session = begin(l, c, &key, NULL, NULL, e->frame, e->smb2);
    if (!session)
        return;
    add_connection(session, c);
    session->pub.before |= !known && e->flags & SMB_BINDING;
    session->pub.guest |= (e->flags & SMB_GUEST) != 0;
    session->pub.anonymous |= (e->flags & SMB_NULL) != 0;
    if (e->name && !session->pub.name)
        session->pub.name = g_strdup(e->name);
    take_user(l, session, &asked);
    if (!known)
        tell(l, session, SMB_BEGAN);
    node *previous = e->previous != e->session ? find_session(l, c, e->smb2, e->previous) : NULL;
    if (previous)
        end(l, previous, SMB_CLOSED_BY_SERVER);
}

static void session_answered(smb_life *l, connection *c, const smb_exchange *e)
{
    node *session = find_session(l, c, e->smb2, e->asked_session);
    if (e->status == 0 && e->session)
        session_set_up(l, c, e);
    else if (session && e->status == STATUS_USER_SESSION_DELETED)
        end(l, session, SMB_CLOSED_BY_SERVER);
}

static bool is_ipc(const char *path)
{
    size_t length = path ? strlen(path) : 0;
    return length >= 4 && g_ascii_strcasecmp(path + length - 4, "IPC$") == 0;
}

/* What a share is, its answer says; of the old TREE_CONNECT the path does. */
static void share_connected(smb_life *l, connection *c, node *session, const smb_exchange *e)
{
    if (e->tree == 0 || (e->smb2 && !session))
        return;
    const node_key key = share_key(c, session, e->smb2, e->tree);
    node *share = begin(l, c, &key, session, NULL, e->frame, e->smb2);
    if (!share)
        return;
    share->pub.name = g_strdup(e->name);
    share->pub.is_pipe = e->flags & SMB_PIPE_SHARE || is_ipc(e->name);
    tell(l, share, SMB_BEGAN);
}

/* On a share that is older than the capture, a file is a pipe when it turns out to be one. */
static void file_opened(smb_life *l, connection *c, node *session, node *share, const smb_exchange *e)
{
    if (!has_file(e->file_id) || (share && !share->pub.is_pipe && !share->pub.before))
        return;
    const node_key key = pipe_key(c, e->file_id);
    node *pipe = begin(l, c, &key, session, share, e->frame, e->smb2);
    if (!pipe)
        return;
    pipe->pub.name = g_strdup(e->name);
    pipe->pub.impersonation = e->impersonation;
    if (share && share->pub.is_pipe)
        set_pipe(l, pipe);
}

/* The request for an end is believed, unless it is refused. */
static void end_asked(smb_life *l, node *n, const smb_exchange *e)
{
    if (!n)
        return;
    if (e->response && e->status == 0)
        end(l, n, SMB_CLOSED);
    else
        n->pub.closing = !e->response;
}

/* Whether the server says that something that was known is no more. */
static bool ended_by_server(smb_life *l, connection *c, const smb_exchange *e)
{
    bool no_session = e->status == STATUS_USER_SESSION_DELETED || (!e->smb2 && e->status == STATUS_SMB_BAD_UID);
    bool no_share = e->status == STATUS_NETWORK_NAME_DELETED || (!e->smb2 && e->status == STATUS_SMB_BAD_TID);
    if (!e->response || !(no_session || no_share || e->status == STATUS_FILE_CLOSED))
        return false;
    node *session = find_session(l, c, e->smb2, e->asked_session), *gone = NULL;
    if (no_session)
        gone = session;
    else if (no_share && e->command != SMB_TREE_CONNECT)
        gone = find_share(l, c, session, e);
    else if (!no_share)
        gone = find_pipe(l, c, session, e->file_id);
    if (gone)
        end(l, gone, SMB_CLOSED_BY_SERVER);
    return gone;
}

/* What a request is about; most requests are about the same as the one before. */
static void use(smb_life *l, connection *c, const smb_exchange *e)
{
    bool same = c->now.ends == l->end_count && c->now.session && c->now.session_id == e->session &&
                c->now.session->pub.smb2 == e->smb2;
    if (!same || c->now.tree != e->tree) {
        c->now.session = use_session(l, c, e->smb2, e->session, e->frame);
        c->now.share = use_share(l, c, c->now.session, e);
        c->now.session_id = e->session;
        c->now.tree = e->tree;
        c->now.ends = l->end_count;
    }
    if (!has_file(e->file_id))
        return;
    memcpy(c->file_id, e->file_id, sizeof c->file_id);
    if (e->flags & SMB_PIPE_DATA) {
        node *pipe = find_pipe(l, c, c->now.session, e->file_id);
        const node_key key = pipe_key(c, e->file_id);
        if (!pipe && (pipe = sight(l, c, &key, c->now.session, c->now.share, e->frame, e->smb2)) == NULL)
            return;
        set_pipe(l, pipe);
    }
}

static void take_end_or_beginning(smb_life *l, connection *c, const smb_exchange *e)
{
    bool done = e->response && e->status == 0;
    node *session = find_session(l, c, e->smb2, e->command == SMB_LOGOFF ? e->asked_session : e->session);
    node *share = find_share(l, c, session, e);
    if (e->command == SMB_LOGOFF)
        end_asked(l, session, e);
    else if (e->command == SMB_TREE_CONNECT && done)
        share_connected(l, c, session, e);
    else if (e->command == SMB_TREE_DISCONNECT)
        end_asked(l, share, e);
    else if (e->command == SMB_CREATE && done)
        file_opened(l, c, session, share, e);
    else if (e->command == SMB_CLOSE)
        end_asked(l, find_pipe(l, c, session, e->file_id), e);
}

void smb_life_exchange(smb_life *l, const smb_exchange *e)
{
    if (e->command == SMB_OTHER && e->response && e->status == 0)
        return;
    connection *c = get_connection(l, e->connection, e->client, e->server);
    switch (e->command) {
    case SMB_NEGOTIATE:
        if (e->response)
            set_server(l, c, e->server_guid);
        return;
    case SMB_SESSION_SETUP:
        if (e->response)
            session_answered(l, c, e);
        return;
    case SMB_SESSION_CLOSED: {
        node *session = find_session(l, c, e->smb2, e->session);
        if (session && e->response)
            end(l, session, SMB_CLOSED_BY_SERVER);
        return;
    }
    default:
        if (!e->response)
            use(l, c, e);
        if (!ended_by_server(l, c, e) && e->command != SMB_OTHER)
            take_end_or_beginning(l, c, e);
    }
}

/* ---------------------------------------------------------------------------------------------------- other sources */

void smb_life_sealed(smb_life *l, uint64_t id, uint32_t frame, const char *source, const char *destination, uint64_t session_id)
{
    connection *c = find_connection(l, id);
    bool from_server = g_str_has_suffix(source, smb_port);
    if (!c)
        c = get_connection(l, id, from_server ? destination : source, from_server ? source : destination);
    node *session = use_session(l, c, true, session_id, frame);
    if (session)
        session->pub.sealed++;
}

void smb_life_user(smb_life *l, uint64_t id, bool smb2, uint64_t session_id, const char *name)
{
    const connection *c = find_connection(l, id);
    node *session = c ? find_session(l, c, smb2, session_id) : NULL;
    if (session && !session->pub.name && *name)
        session->pub.name = g_strdup(name);
    if (!c || session || g_hash_table_size(l->users) >= USERS_LIMIT)
        return;
    const node_key key = session_key(c, smb2, session_id);
    g_hash_table_replace(l->users, g_memdup2(&key, sizeof key), g_strdup(name));
}

/* The bit of a protocol is the place of its first interface in the list. */
static uint32_t protocol_bit(const char *protocol)
{
    for (unsigned i = 0; i < 32 && interfaces_all[i]; i++)
        if (strcmp(interfaces_all[i]->protocol, protocol) == 0)
            return UINT32_C(1) << i;
    return 0;
}

const char *smb_life_protocol(unsigned bit)
{
    for (unsigned i = 0; i <= bit && i < 32; i++)
        if (!interfaces_all[i])
            return NULL;
    return bit < 32 ? interfaces_all[bit]->name : NULL;
}

void smb_life_carried(smb_life *l, uint64_t id, const uint64_t pipe_id[2], const char *protocol)
{
    connection *c = find_connection(l, id);
    if (!c || !has_file(pipe_id))
        return;
    bool current = c->now.ends == l->end_count && memcmp(c->file_id, pipe_id, sizeof c->file_id) == 0;
    node *session = current ? c->now.session : NULL, *share = current ? c->now.share : NULL;
    node *pipe = find_pipe(l, c, session, pipe_id);
    const node_key key = pipe_key(c, pipe_id);
    if (!pipe && current && session)
        pipe = sight(l, c, &key, session, share, session->pub.frame, session->pub.smb2);
    if (!pipe)
        return;
    set_pipe(l, pipe);
    uint32_t bit = protocol ? protocol_bit(protocol) : 0;
    for (node *n = pipe; n; n = n->owner) {
        n->pub.protocols |= bit;
        n->pub.unbound |= !protocol;
    }
}

void smb_life_tcp_end(smb_life *l, uint64_t id, smb_tcp_end how)
{
    connection *c = find_connection(l, id);
    if (c)
        c->end = how;
}

static gint by_frame(gconstpointer a, gconstpointer b)
{
    const node *x = *(node *const *)a, *y = *(node *const *)b;
    if (x->pub.frame != y->pub.frame)
        return x->pub.frame < y->pub.frame ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* A session of several connections lives as long as one of them. */
static smb_tcp_end end_of(const node *n)
{
    const node *session = n;
    while (session->owner)
        session = session->owner;
    smb_tcp_end how = session->connection->end;
    for (guint i = 0; session->channels && i < session->channels->len && how != SMB_TCP_OPEN; i++)
        how = ((const connection *)session->channels->pdata[i])->end;
    return how;
}

static smb_event last_event(const node *n)
{
    if (n->pub.closing)
        return SMB_CLOSED;
    for (const node *owner = n->owner; owner; owner = owner->owner)
        if (owner->pub.closing)
            return SMB_CLOSED_WITH_OWNER;
    return SMB_LEFT;
}

void smb_life_end(smb_life *l)
{
    GPtrArray *open = g_ptr_array_new();
    GHashTableIter iter;
    gpointer n;
    g_hash_table_iter_init(&iter, l->nodes);
    while (g_hash_table_iter_next(&iter, NULL, &n))
        g_ptr_array_add(open, n);
    g_ptr_array_sort(open, by_frame);
    for (guint i = 0; i < open->len; i++) {
        node *left = open->pdata[i];
        left->pub.end = end_of(left);
        tell(l, left, last_event(left));
    }
    g_ptr_array_unref(open);
}

/* ----------------------------------------------------------------------------------------------------------- asking */

const smb_object *smb_life_pipe(const smb_life *l, uint64_t id, const uint64_t pipe_id[2])
{
    const connection *c = find_connection(l, id);
    const node *pipe = c ? find_pipe(l, c, NULL, pipe_id) : NULL;
    return pipe ? &pipe->pub : NULL;
}

bool smb_life_is_sealed(const smb_object *object)
{
    const smb_object *session = object->kind == SMB_SESSION ? object : object->session;
    return session && session->sealed > object->sealed_before;
}
