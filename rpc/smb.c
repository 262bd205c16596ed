/* smb.c - pipes in SMB1 ([MS-CIFS] 2.2.4) and SMB2 ([MS-SMB2] 2.2).
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/smb.h"

#include <string.h>

enum { SMB2_HEADER = 64, SMB1_HEADER = 32 };
enum {
    SMB2_NEGOTIATE = 0, SMB2_SESSION_SETUP = 1, SMB2_LOGOFF = 2, SMB2_TREE_CONNECT = 3, SMB2_TREE_DISCONNECT = 4, SMB2_CREATE = 5,
    SMB2_CLOSE = 6, SMB2_READ = 8, SMB2_WRITE = 9, SMB2_IOCTL = 11, SMB2_CANCEL = 12, SMB2_ECHO = 13, SMB2_NOTIFICATION = 19
};
enum { FLAG_RESPONSE = 1, FLAG_ASYNC = 2 };
enum { FSCTL_PIPE_TRANSCEIVE = 0x0011c017 };
enum {
    SMB1_CLOSE = 0x04, SMB1_LOCKING_ANDX = 0x24, SMB1_TRANSACTION = 0x25, SMB1_ECHO = 0x2b, SMB1_OPEN_ANDX = 0x2d,
    SMB1_READ_ANDX = 0x2e, SMB1_WRITE_ANDX = 0x2f, SMB1_TREE_CONNECT = 0x70, SMB1_TREE_DISCONNECT = 0x71, SMB1_NEGOTIATE = 0x72,
    SMB1_SESSION_SETUP_ANDX = 0x73, SMB1_LOGOFF_ANDX = 0x74, SMB1_TREE_CONNECT_ANDX = 0x75, SMB1_NT_CREATE_ANDX = 0xa2,
    SMB1_NONE = 0xff, SMB1_NO_TREE = 0xffff
};
enum { SHARE_TYPE_PIPE = 2 };
enum { STATUS_PENDING = 0x00000103 };
/* Requests whose answer is not in the capture would pile up; more than this are not outstanding on any real server
 * (credits are 16-bit), over all connections of a capture. */
enum { OUTSTANDING_LIMIT = 1 << 20, NAME_LIMIT = 1024 };
/* Of a compound, the operations on a file that the compound itself opens: a handful in practice. */
enum { FOLLOWERS_LIMIT = 8 };

/* Message ids are a connection's own in SMB2; in SMB1 pid and mid take their place, and a chain's commands share them. */
typedef struct {
    uint64_t connection, message, command;
} request_key;

typedef struct {
    request_key key;
    uint32_t    frame;
    uint64_t    session;
    uint32_t    tree;
    uint32_t    impersonation;
    unsigned    flags;
    uint64_t    previous;
    uint64_t    file_id[2];
    char       *name;
    unsigned    follower_count; /* of a CREATE: the requests of its compound that are about its file */
    request_key followers[FOLLOWERS_LIMIT];
} request;

typedef struct {
    uint64_t connection, file_id[2];
} file_key;

typedef struct {
    file_key key;
    char    *name;
} open_file;

struct smb_tracker {
    smb_sink    sink;
    GHashTable *requests;  /* request_key -> request */
    GHashTable *files;     /* file_key -> open_file */
    struct {                /* for related operations of a compound: what the one before was about */
        uint64_t    connection;
        uint32_t    frame;
        uint64_t    file[2], session;
        uint32_t    tree;
        request_key create; /* a CREATE of this compound, when its file id is still to come; command 0: none */
    } last;
    bool        may_encrypt;
};

/* One command of a message, reduced to what is asked of it. */
typedef struct {
    bool           smb2, response, async;
    uint16_t       command;
    uint32_t       status;
    uint64_t       message;
    uint64_t       session;
    uint32_t       tree;
    uint64_t       file_id[2]; /* 0: carries none */
    char          *name;       /* as in smb_exchange; owned */
    unsigned       flags;
    uint64_t       previous;
    uint32_t       impersonation;
    uint8_t        server_guid[16];
    const uint8_t *token;      /* of a SESSION_SETUP */
    size_t         token_length;
} message;

/* Whom a message is from, and whence. */
typedef struct {
    uint64_t    connection;
    uint32_t    frame;
    const char *source, *destination;
} origin;

static uint16_t le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t le32(const uint8_t *p) { return le16(p) | (uint32_t)le16(p + 2) << 16; }
static uint64_t le64(const uint8_t *p) { return le32(p) | (uint64_t)le32(p + 4) << 32; }

static guint hash_u64(gconstpointer p, size_t n)
{
    const uint64_t *v = p;
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = (h ^ v[i]) * 0x9e3779b97f4a7c15u;
    return (guint)(h ^ h >> 32);
}
static guint request_hash(gconstpointer p) { return hash_u64(p, 3); }
static guint file_hash(gconstpointer p) { return hash_u64(p, 3); }
static gboolean request_equal(gconstpointer a, gconstpointer b) { return memcmp(a, b, sizeof(request_key)) == 0; }
static gboolean file_equal(gconstpointer a, gconstpointer b) { return memcmp(a, b, sizeof(file_key)) == 0; }

static void request_free(void *p)
{
    request *r = p;
    g_free(r->name);
    g_free(r);
}

static void file_free(void *p)
{
    open_file *f = p;
    g_free(f->name);
    g_free(f);
}

smb_tracker *smb_tracker_new(const smb_sink *sink)
{
    smb_tracker *t = g_new0(smb_tracker, 1);
    t->sink = *sink;
    t->requests = g_hash_table_new_full(request_hash, request_equal, NULL, request_free);
    t->files = g_hash_table_new_full(file_hash, file_equal, NULL, file_free);
    return t;
}

void smb_tracker_free(smb_tracker *t)
{
    if (!t)
        return;
    g_hash_table_unref(t->requests);
    g_hash_table_unref(t->files);
    g_free(t);
}

bool smb_tracker_may_encrypt(const smb_tracker *t)
{
    return t->may_encrypt;
}

/* NULL: too long, or no text. */
static char *read_text(const uint8_t *octets, size_t length, bool unicode)
{
    char *text;
    if (length > NAME_LIMIT)
        return NULL;
    if (unicode) {
        gunichar2 utf16[NAME_LIMIT / 2];
        for (size_t i = 0; i < length / 2; i++)
            utf16[i] = le16(octets + 2 * i);
        text = g_utf16_to_utf8(utf16, (glong)(length / 2), NULL, NULL, NULL);
    } else {
        text = g_strndup((const char *)octets, length);
    }
    if (!text || !g_utf8_validate(text, -1, NULL))
        g_clear_pointer(&text, g_free);
    return text;
}

/* Pipe names compare without case; SMB1 has a leading backslash, some clients say \pipe\ as well. */
static char *pipe_name(const uint8_t *octets, size_t length, bool unicode)
{
    char *text = read_text(octets, length, unicode);
    if (!text)
        return NULL;
    char *lower = g_utf8_strdown(text, -1);
    g_free(text);
    const char *name = lower;
    while (*name == '\\')
        name++;
    if (g_str_has_prefix(name, "pipe\\"))
        name += strlen("pipe\\");
    char *made = g_strdup(name);
    g_free(lower);
    return made;
}

/* -------------------------------------------------------------------------------------------------------- SMB2 */

/* What lies where a field of the body says, counted from the header; NULL: not within the message. */
static const uint8_t *read_buffer(const uint8_t *o, size_t length, size_t field, size_t *size)
{
    if (length < field + 4)
        return NULL;
    size_t at = le16(o + field);
    *size = le16(o + field + 2);
    return at <= length && *size <= length - at ? o + at : NULL;
}

static void read_smb2_setup(const uint8_t *o, size_t length, message *m)
{
    const uint8_t *body = o + SMB2_HEADER;
    size_t body_length = length - SMB2_HEADER;
    m->token = read_buffer(o, length, SMB2_HEADER + (m->response ? 4 : 12), &m->token_length);
    if (!m->token)
        m->token_length = 0;
    if (m->response)
        m->flags = (le16(body + 2) & 1 ? SMB_GUEST : 0) | (le16(body + 2) & 2 ? SMB_NULL : 0);
    else
        m->flags = body[2] & 1 ? SMB_BINDING : 0;
    if (!m->response && body_length >= 24)
        m->previous = le64(body + 16);
}

static void read_smb2_share(const uint8_t *o, size_t length, message *m)
{
    size_t size;
    const uint8_t *path = m->response ? NULL : read_buffer(o, length, SMB2_HEADER + 4, &size);
    if (path)
        m->name = read_text(path, size, true);
    else if (m->response && o[SMB2_HEADER + 2] == SHARE_TYPE_PIPE)
        m->flags = SMB_PIPE_SHARE;
}

/* Where in the body the file id stands; 0: there is none. */
static size_t read_smb2_file(const uint8_t *o, size_t length, message *m)
{
    const uint8_t *body = o + SMB2_HEADER, *name;
    size_t body_length = length - SMB2_HEADER, size;
    switch (m->command) {
    case SMB2_CREATE:
        if (m->response)
            return 64;
        if (body_length >= 8)
            m->impersonation = le32(body + 4);
        name = read_buffer(o, length, SMB2_HEADER + 44, &size);
        if (name)
            m->name = pipe_name(name, size, true);
        return 0;
    case SMB2_CLOSE:
        return m->response ? 0 : 8;
    case SMB2_READ: case SMB2_WRITE:
        return m->response ? 0 : 16;
    case SMB2_IOCTL:
        if (body_length >= 8 && le32(body + 4) == FSCTL_PIPE_TRANSCEIVE)
            m->flags = SMB_PIPE_DATA;
        return 8;
    default:
        return 0;
    }
}

static bool is_about_a_share(uint16_t command)
{
    return command > SMB2_TREE_CONNECT && command != SMB2_CANCEL && command != SMB2_ECHO && command != SMB2_NOTIFICATION;
}

static bool read_smb2(smb_tracker *t, const uint8_t *o, size_t length, message *m)
{
    if (length < SMB2_HEADER + 4)
        return false;
    m->smb2 = true;
    m->status = le32(o + 8);
    m->command = le16(o + 12);
    m->response = le32(o + 16) & FLAG_RESPONSE;
    m->async = le32(o + 16) & FLAG_ASYNC;
    m->message = le64(o + 24);
    m->session = le64(o + 40);
    if (!m->async && (is_about_a_share(m->command) || (m->command == SMB2_TREE_CONNECT && m->response)))
        m->tree = le32(o + 36);
    const uint8_t *body = o + SMB2_HEADER;
    size_t body_length = length - SMB2_HEADER;
    /* An error's body is the 9-octet error response, whatever the command. STATUS_BUFFER_OVERFLOW is a success with data. */
    bool failed = m->response && m->status >> 30 == 3;
    if (m->command == SMB2_NEGOTIATE && m->response && !failed && body_length >= 6) {
        t->may_encrypt |= le16(body + 4) >= 0x0300;
        if (body_length >= 24)
            memcpy(m->server_guid, body + 8, sizeof m->server_guid);
    } else if (m->command == SMB2_SESSION_SETUP) {
        read_smb2_setup(o, length, m);
    } else if (m->command == SMB2_TREE_CONNECT && !failed) {
        read_smb2_share(o, length, m);
    }
    size_t file_at = read_smb2_file(o, length, m);
    if (file_at > 0 && !failed && body_length >= file_at + 16) {
        m->file_id[0] = le64(body + file_at);
        m->file_id[1] = le64(body + file_at + 8);
    }
    return true;
}

/* -------------------------------------------------------------------------------------------------------- SMB1 */

/* A command of a chain: its words, and its data behind their count. */
typedef struct {
    const uint8_t *o;
    size_t         length;
    const uint8_t *words;
    size_t         word_octets;
    size_t         data_at;  /* from the header's beginning */
    bool           unicode;
} smb1_block;

/* A file id of SMB1 is 16 bits and a connection's own; bit 32 keeps it apart from "none". */
static void smb1_file(message *m, uint16_t fid)
{
    m->file_id[0] = UINT64_C(1) << 32 | fid;
}

/* Where a text begins: UTF-16 is aligned to 2 from the header's beginning. */
static size_t text_at(const smb1_block *b, size_t at)
{
    return b->unicode && at % 2 == 1 ? at + 1 : at;
}

/* The length of a text up to its terminator, or the message's end. */
static size_t text_length(const smb1_block *b, size_t at)
{
    size_t step = b->unicode ? 2 : 1, end = at;
    while (end + step <= b->length && (b->o[end] || (b->unicode && b->o[end + 1])))
        end += step;
    return end - MIN(at, end);
}

static void read_smb1_create(const smb1_block *b, message *m)
{
    if (m->response) {
        if (b->word_octets >= 7)
            smb1_file(m, le16(b->words + 5));
        return;
    }
    if (b->word_octets < 48)
        return;
    m->impersonation = le32(b->words + 43);
    size_t at = text_at(b, b->data_at), size = le16(b->words + 5);
    if (at <= b->length && size <= b->length - at)
        m->name = pipe_name(b->o + at, size, b->unicode);
}

static void read_smb1_open(const smb1_block *b, message *m)
{
    if (m->response && b->word_octets >= 6)
        smb1_file(m, le16(b->words + 4));
    if (m->response || b->word_octets < 30)
        return;
    size_t at = text_at(b, b->data_at);
    if (at <= b->length)
        m->name = pipe_name(b->o + at, text_length(b, at), b->unicode);
}

/* Before extended security, the names stand behind two passwords. */
static void read_smb1_names(const smb1_block *b, message *m)
{
    size_t at = text_at(b, b->data_at + le16(b->words + 14) + le16(b->words + 16));
    if (at > b->length)
        return;
    size_t size = text_length(b, at), domain_at = at + size + (b->unicode ? 2 : 1);
    char *user = read_text(b->o + at, size, b->unicode);
    char *domain = domain_at <= b->length ? read_text(b->o + domain_at, text_length(b, domain_at), b->unicode) : NULL;
    if (user && !*user)
        m->flags |= SMB_NULL;
    else if (user)
        m->name = domain && *domain ? g_strdup_printf("%s\\%s", domain, user) : g_strdup(user);
    g_free(user);
    g_free(domain);
}

static void read_smb1_setup(const smb1_block *b, message *m)
{
    size_t size = 0;
    if (m->response && b->word_octets >= 6 && le16(b->words + 4) & 1)
        m->flags = SMB_GUEST;
    if (m->response && b->word_octets == 8)
        size = le16(b->words + 6);
    else if (!m->response && b->word_octets == 24)
        size = le16(b->words + 14);
    else if (!m->response && b->word_octets == 26)
        read_smb1_names(b, m);
    if (size > 0 && b->data_at <= b->length && size <= b->length - b->data_at) {
        m->token = b->o + b->data_at;
        m->token_length = size;
    }
}

/* The share's service stands behind TREE_CONNECT_ANDX's answer; of the old TREE_CONNECT only the path tells. */
static void read_smb1_share(const smb1_block *b, message *m)
{
    if (m->response) {
        if (m->command == SMB1_TREE_CONNECT && b->word_octets >= 4)
            m->tree = le16(b->words + 2);
        else if (b->data_at + 3 <= b->length && memcmp(b->o + b->data_at, "IPC", 3) == 0)
            m->flags = SMB_PIPE_SHARE;
        return;
    }
    m->tree = 0;
    size_t at = b->data_at;
    if (m->command == SMB1_TREE_CONNECT)
        at++; /* each of its strings has an octet that says its format */
    else if (b->word_octets >= 8)
        at += le16(b->words + 6);
    at = text_at(b, at);
    if (at < b->length)
        m->name = read_text(b->o + at, text_length(b, at), b->unicode);
}

static void read_smb1_command(const smb1_block *b, message *m)
{
    const uint8_t *w = b->words;
    size_t n = b->word_octets;
    switch (m->command) {
    case SMB1_SESSION_SETUP_ANDX:
        read_smb1_setup(b, m);
        break;
    case SMB1_TREE_CONNECT: case SMB1_TREE_CONNECT_ANDX:
        read_smb1_share(b, m);
        break;
    case SMB1_NT_CREATE_ANDX:
        read_smb1_create(b, m);
        break;
    case SMB1_OPEN_ANDX:
        read_smb1_open(b, m);
        break;
    case SMB1_CLOSE:
        if (!m->response && n >= 2)
            smb1_file(m, le16(w));
        break;
    case SMB1_TRANSACTION: /* TransactNmPipe: setup words are the subcommand and the file id */
        if (!m->response && n >= 32 && w[26] >= 2) {
            smb1_file(m, le16(w + 30));
            m->flags = SMB_PIPE_DATA;
        }
        break;
    case SMB1_READ_ANDX: case SMB1_WRITE_ANDX:
        if (!m->response && n >= 6)
            smb1_file(m, le16(w + 4));
        break;
    default:
        break;
    }
}

static bool is_andx(uint16_t command)
{
    return command == SMB1_LOCKING_ANDX || (command >= SMB1_OPEN_ANDX && command <= SMB1_WRITE_ANDX) ||
           (command >= SMB1_SESSION_SETUP_ANDX && command <= SMB1_TREE_CONNECT_ANDX) || command == SMB1_NT_CREATE_ANDX;
}

static bool is_smb1_share(uint16_t command)
{
    return command != SMB1_SESSION_SETUP_ANDX && command != SMB1_LOGOFF_ANDX;
}

/* What goes before sessions: clients put anything into the ids that these do not use. */
static bool is_smb1_bare(uint16_t command)
{
    return command == SMB1_NEGOTIATE || command == SMB1_ECHO;
}

/* The command whose words are at `*at`; writes the next one of the chain and where it begins. `status` is the header's, which
 * belongs to the chain's last command. */
static bool read_smb1(const uint8_t *o, size_t length, size_t *at, uint16_t *next, message *m)
{
    if (*at >= length || length < SMB1_HEADER + 3)
        return false;
    smb1_block b = {.o = o, .length = length, .words = o + *at + 1, .word_octets = 2u * o[*at], .unicode = le16(o + 10) & 0x8000};
    if (*at + 1 + b.word_octets > length)
        return false;
    b.data_at = *at + 1 + b.word_octets + 2;
    m->command = *next;
    m->response = o[9] & 0x80;
    m->message = (uint64_t)le16(o + 26) << 16 | le16(o + 30);
    if (!is_smb1_bare(m->command)) {
        m->session = le16(o + 28);
        m->tree = is_smb1_share(m->command) && le16(o + 24) != SMB1_NO_TREE ? le16(o + 24) : 0;
    }
    *next = SMB1_NONE;
    if (is_andx(m->command) && b.word_octets >= 4 && b.words[0] != SMB1_NONE && le16(b.words + 2) > *at) {
        *next = b.words[0];
        *at = le16(b.words + 2);
    }
    m->status = *next == SMB1_NONE ? le32(o + 5) : 0;
    read_smb1_command(&b, m);
    return true;
}

/* ------------------------------------------------------------------------------------------------------ tracking */

static smb_command kind_of(bool smb2, uint16_t command)
{
    if (smb2) {
        static const smb_command kinds[] = {SMB_NEGOTIATE, SMB_SESSION_SETUP, SMB_LOGOFF, SMB_TREE_CONNECT, SMB_TREE_DISCONNECT,
                                            SMB_CREATE, SMB_CLOSE};
        return command < G_N_ELEMENTS(kinds) ? kinds[command] : command == SMB2_NOTIFICATION ? SMB_SESSION_CLOSED : SMB_OTHER;
    }
    switch (command) {
    case SMB1_SESSION_SETUP_ANDX:
        return SMB_SESSION_SETUP;
    case SMB1_LOGOFF_ANDX:
        return SMB_LOGOFF;
    case SMB1_TREE_CONNECT: case SMB1_TREE_CONNECT_ANDX:
        return SMB_TREE_CONNECT;
    case SMB1_TREE_DISCONNECT:
        return SMB_TREE_DISCONNECT;
    case SMB1_NT_CREATE_ANDX: case SMB1_OPEN_ANDX:
        return SMB_CREATE;
    case SMB1_CLOSE:
        return SMB_CLOSE;
    default:
        return SMB_OTHER;
    }
}

/* Whether the answer needs its request: SMB2's IOCTL and SMB1's answers to what names no file do not. */
static bool is_asked_about(const message *m, smb_command kind)
{
    return kind > SMB_NEGOTIATE || (m->smb2 ? m->command == SMB2_READ : m->file_id[0] != 0);
}

static request *remember(smb_tracker *t, const request_key *key, const message *m, uint32_t frame)
{
    if (g_hash_table_size(t->requests) >= OUTSTANDING_LIMIT)
        return NULL;
    request *r = g_new0(request, 1);
    *r = (request){.key = *key, .frame = frame, .session = m->session, .tree = m->tree, .impersonation = m->impersonation,
                   .flags = m->flags, .previous = m->previous, .file_id = {m->file_id[0], m->file_id[1]},
                   .name = g_strdup(m->name)};
    g_hash_table_replace(t->requests, &r->key, r);
    return r;
}

/* In a compound, a related operation says "that of the one before" with all bits set. The file may be one that a CREATE of the
 * same compound is still to open. */
static void resolve_related(smb_tracker *t, const origin *from, message *m, request_key *opener)
{
    bool same = t->last.connection == from->connection && t->last.frame == from->frame;
    if (!same) {
        memset(&t->last, 0, sizeof t->last);
        t->last.connection = from->connection;
        t->last.frame = from->frame;
    }
    if (m->session == UINT64_MAX)
        m->session = t->last.session;
    if (m->tree == UINT32_MAX)
        m->tree = t->last.tree;
    t->last.session = m->session;
    t->last.tree = m->tree;
    if (m->file_id[0] == UINT64_MAX && m->file_id[1] == UINT64_MAX) {
        *opener = t->last.create;
        memcpy(m->file_id, t->last.file, sizeof m->file_id);
    } else if (m->file_id[0] || m->file_id[1]) {
        memcpy(t->last.file, m->file_id, sizeof t->last.file);
    }
    if (m->command == SMB2_CREATE && !m->response)
        memset(t->last.file, 0, sizeof t->last.file);
}

/* A request about a file that a CREATE before it is to open learns its id with that one's answer. */
static void follow(smb_tracker *t, const request_key *opener, const request_key *key)
{
    request *create = opener->command ? g_hash_table_lookup(t->requests, opener) : NULL;
    if (create && create->follower_count < FOLLOWERS_LIMIT)
        create->followers[create->follower_count++] = *key;
}

static void tell_followers(smb_tracker *t, const request *create, const uint64_t file_id[2])
{
    for (unsigned i = 0; i < create->follower_count; i++) {
        request *r = g_hash_table_lookup(t->requests, &create->followers[i]);
        if (r && r->file_id[0] == 0 && r->file_id[1] == 0)
            memcpy(r->file_id, file_id, sizeof r->file_id);
    }
}

static void create_answered(smb_tracker *t, const request *asked, const message *m, const origin *from)
{
    tell_followers(t, asked, m->file_id);
    if (!asked->name)
        return;
    uint64_t connection = from->connection;
    if (m->status == 0 && g_hash_table_size(t->files) < OUTSTANDING_LIMIT) {
        open_file *file = g_new0(open_file, 1);
        *file = (open_file){{connection, {m->file_id[0], m->file_id[1]}}, g_strdup(asked->name)};
        g_hash_table_replace(t->files, &file->key, file);
    }
    smb_open attempt = {connection, {m->file_id[0], m->file_id[1]}, asked->name, from->destination, from->source, asked->frame,
                        from->frame, m->status};
    if (t->sink.opened)
        t->sink.opened(&attempt, t->sink.user);
}

static smb_pipe pipe_of(const smb_tracker *t, uint64_t connection, const uint64_t file_id[2])
{
    smb_pipe pipe = {0};
    if (file_id[0] == 0 && file_id[1] == 0)
        return pipe;
    file_key key = {connection, {file_id[0], file_id[1]}};
    const open_file *file = g_hash_table_lookup(t->files, &key);
    pipe.known = true;
    memcpy(pipe.pipe_id, file_id, sizeof pipe.pipe_id);
    pipe.name = file ? file->name : NULL;
    return pipe;
}

/* Tells of a request, or of an answer to `asked` (NULL: its request is not in the capture). An SMB1 answer names session and
 * share itself; of SMB2 an asynchronous one names no share. */
static void tell(const smb_tracker *t, const origin *from, const message *m, smb_command kind, const request *asked)
{
    smb_exchange e = {.connection = from->connection, .frame = from->frame, .smb2 = m->smb2, .response = m->response,
                      .command = kind, .status = m->response ? m->status : 0, .session = m->session, .tree = m->tree,
                      .asked_session = m->session, .file_id = {m->file_id[0], m->file_id[1]}, .name = m->name, .flags = m->flags,
                      .previous = m->previous, .impersonation = m->impersonation,
                      .client = m->response ? from->destination : from->source,
                      .server = m->response ? from->source : from->destination};
    if (asked) {
        e.request_frame = asked->frame;
        e.asked_session = asked->session;
        e.name = asked->name;
        e.flags |= asked->flags;
        e.previous = asked->previous;
        e.impersonation = asked->impersonation;
        if (m->smb2 && kind != SMB_TREE_CONNECT)
            e.tree = asked->tree;
        if (kind != SMB_SESSION_SETUP && m->smb2)
            e.session = asked->session;
        if (kind != SMB_CREATE)
            memcpy(e.file_id, asked->file_id, sizeof e.file_id);
    }
    memcpy(e.server_guid, m->server_guid, sizeof e.server_guid);
    if (t->sink.exchange)
        t->sink.exchange(&e, t->sink.user);
    if (kind == SMB_SESSION_SETUP && t->sink.setup) {
        smb_setup setup = {from->connection, m->message, m->session, m->smb2, !m->response, m->status, m->token, m->token_length};
        t->sink.setup(&setup, t->sink.user);
    }
}

static smb_pipe take_request(smb_tracker *t, const origin *from, const message *m, smb_command kind, const request_key *key,
                             const request_key *opener)
{
    if (is_asked_about(m, kind)) {
        const request *asked = remember(t, key, m, from->frame);
        if (asked && m->smb2 && kind == SMB_CREATE)
            t->last.create = *key;
        else if (m->file_id[0] == 0 && m->file_id[1] == 0)
            follow(t, opener, key);
    }
    tell(t, from, m, kind, NULL);
    return pipe_of(t, from->connection, m->file_id);
}

static smb_pipe take_answer(smb_tracker *t, const origin *from, const message *m, smb_command kind, const request_key *key)
{
    const request *asked = g_hash_table_lookup(t->requests, key);
    if (m->status == STATUS_PENDING) /* interim: the answer is still to come */
        return asked ? (smb_pipe){0} : pipe_of(t, from->connection, m->file_id);
    tell(t, from, m, kind, asked);
    if (!asked)
        return pipe_of(t, from->connection, m->file_id);
    uint64_t file_id[2] = {asked->file_id[0], asked->file_id[1]};
    if (kind == SMB_CREATE) {
        create_answered(t, asked, m, from);
        memcpy(file_id, m->file_id, sizeof file_id);
    }
    if (kind == SMB_CLOSE && t->sink.closed && (file_id[0] || file_id[1]))
        t->sink.closed(from->connection, file_id, t->sink.user);
    g_hash_table_remove(t->requests, key);
    return pipe_of(t, from->connection, file_id);
}

static smb_pipe take(smb_tracker *t, const origin *from, message *m)
{
    smb_command kind = kind_of(m->smb2, m->command);
    request_key key = {from->connection, m->message, m->command}, opener = {0};
    if (m->smb2)
        resolve_related(t, from, m, &opener);
    smb_pipe pipe = m->response ? take_answer(t, from, m, kind, &key) : take_request(t, from, m, kind, &key, &opener);
    g_free(m->name);
    return pipe;
}

smb_pipe smb_tracker_message(smb_tracker *t, uint64_t connection, uint32_t frame, const char *source,
                             const char *destination, const uint8_t *octets, size_t length)
{
    static const message none = {.impersonation = UINT32_MAX};
    const origin from = {connection, frame, source, destination};
    smb_pipe pipe = {0};
    message m = none;
    if (length < 5 || memcmp(octets + 1, "SMB", 3) != 0)
        return pipe;
    if (octets[0] == 0xfe && read_smb2(t, octets, length, &m))
        return take(t, &from, &m);
    size_t at = SMB1_HEADER;
    uint16_t next = octets[0] == 0xff ? octets[4] : SMB1_NONE;
    while (next != SMB1_NONE) {
        m = none;
        if (!read_smb1(octets, length, &at, &next, &m))
            break;
        smb_pipe named = take(t, &from, &m);
        if (named.known)
            pipe = named;
    }
    return pipe;
}
