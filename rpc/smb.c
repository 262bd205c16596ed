/* smb.c - pipes in SMB1 ([MS-CIFS] 2.2.4) and SMB2 ([MS-SMB2] 2.2).
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/smb.h"

#include <string.h>

enum { SMB2_HEADER = 64, SMB1_HEADER = 32 };
enum { SMB2_NEGOTIATE = 0, SMB2_SESSION_SETUP = 1, SMB2_CREATE = 5, SMB2_CLOSE = 6, SMB2_READ = 8, SMB2_WRITE = 9, SMB2_IOCTL = 11 };
enum { SMB1_CLOSE = 0x04, SMB1_TRANSACTION = 0x25, SMB1_READ_ANDX = 0x2e, SMB1_WRITE_ANDX = 0x2f, SMB1_SESSION_SETUP_ANDX = 0x73,
       SMB1_NT_CREATE_ANDX = 0xa2 };
enum { STATUS_PENDING = 0x00000103 };
/* Requests whose answer is not in the capture would pile up; more than this are not outstanding on any real server
 * (credits are 16-bit), over all connections of a capture. */
enum { OUTSTANDING_LIMIT = 1 << 20, NAME_LIMIT = 1024 };

/* Message ids are a connection's own in SMB2; in SMB1 pid and mid take their place. */
typedef struct {
    uint64_t connection, message;
} request_key;

typedef struct {
    request_key key;
    uint16_t    command;
    uint32_t    frame;
    uint64_t    file_id[2];
    char       *name;  /* of a CREATE */
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
    uint64_t    last_file[2], last_connection; /* for related operations of a compound */
    uint32_t    last_frame;
    bool        may_encrypt;
};

/* One message, reduced to what is asked of it. */
typedef struct {
    uint16_t       command;
    bool           response;
    uint32_t       status;
    uint64_t       message;
    uint64_t       file_id[2]; /* 0: carries none */
    char          *name;       /* of a CREATE; owned */
} message;

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
static guint request_hash(gconstpointer p) { return hash_u64(p, 2); }
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

/* Pipe names compare without case; SMB1 has a leading backslash, some clients say \pipe\ as well. */
static char *pipe_name(const uint8_t *octets, size_t length, bool unicode)
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
    if (!text || !g_utf8_validate(text, -1, NULL)) {
        g_free(text);
        return NULL;
    }
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

/* The token of a SESSION_SETUP stands where its body says, counted from the header ([MS-SMB2] 2.2.5, 2.2.6). */
static void read_setup(smb_tracker *t, uint64_t connection, const uint8_t *o, size_t length, const message *m)
{
    size_t field = SMB2_HEADER + (m->response ? 4 : 12);
    if (m->command != SMB2_SESSION_SETUP || m->status == STATUS_PENDING || !t->sink.setup || length < field + 4)
        return;
    size_t at = le16(o + field), size = le16(o + field + 2);
    if (at > length || size > length - at)
        at = size = 0;
    smb_setup setup = {connection, m->message, le64(o + 40), !m->response, m->status, o + at, size};
    t->sink.setup(&setup, t->sink.user);
}

static bool read_smb2(smb_tracker *t, uint64_t connection, const uint8_t *o, size_t length, message *m)
{
    if (length < SMB2_HEADER + 4)
        return false;
    m->status = le32(o + 8);
    m->command = le16(o + 12);
    m->response = le32(o + 16) & 1;
    m->message = le64(o + 24);
    read_setup(t, connection, o, length, m);
    const uint8_t *body = o + SMB2_HEADER;
    size_t body_length = length - SMB2_HEADER;
    size_t file_at = 0;
    /* An error's body is the 9-octet error response, whatever the command. STATUS_BUFFER_OVERFLOW is a success with data. */
    bool failed = m->response && m->status >> 30 == 3;
    if (m->command == SMB2_NEGOTIATE && m->response && !failed && body_length >= 6)
        t->may_encrypt |= le16(body + 4) >= 0x0300;
    switch (m->command) {
    case SMB2_CREATE:
        if (m->response) {
            file_at = 64;
        } else if (body_length >= 48) {
            size_t at = le16(body + 44), size = le16(body + 46);
            if (at <= length && size <= length - at)
                m->name = pipe_name(o + at, size, true);
        }
        break;
    case SMB2_CLOSE:
        file_at = m->response ? 0 : 8;
        break;
    case SMB2_READ: case SMB2_WRITE:
        file_at = m->response ? 0 : 16;
        break;
    case SMB2_IOCTL:
        file_at = 8;
        break;
    default:
        break;
    }
    if (file_at > 0 && !failed && body_length >= file_at + 16) {
        m->file_id[0] = le64(body + file_at);
        m->file_id[1] = le64(body + file_at + 8);
    }
    return true;
}

/* -------------------------------------------------------------------------------------------------------- SMB1 */

/* A file id of SMB1 is 16 bits and a connection's own; bit 32 keeps it apart from "none". */
static void smb1_file(message *m, uint16_t fid)
{
    m->file_id[0] = UINT64_C(1) << 32 | fid;
}

static void read_smb1_create(const uint8_t *o, size_t length, size_t words, message *m)
{
    const uint8_t *w = o + SMB1_HEADER + 1;
    if (m->response) {
        if (words >= 7)
            smb1_file(m, le16(w + 5));
        return;
    }
    size_t at = SMB1_HEADER + 1 + words + 2;
    if (words < 48 || at > length)
        return;
    bool unicode = le16(o + 10) & 0x8000;
    size_t size = le16(w + 5);
    if (unicode && at % 2 == 1)
        at++;
    if (at <= length && size <= length - at)
        m->name = pipe_name(o + at, size, unicode);
}

/* The token of a SESSION_SETUP_ANDX stands at the beginning of its bytes ([MS-SMB] 2.2.4.6): with extended security a request has
 * 12 words, a response 4. */
static void read_smb1_setup(smb_tracker *t, uint64_t connection, const uint8_t *o, size_t length, const message *m)
{
    enum { REQUEST_WORDS = 12, RESPONSE_WORDS = 4 };
    size_t words = o[SMB1_HEADER], at = SMB1_HEADER + 1 + 2 * words + 2;
    if (m->command != SMB1_SESSION_SETUP_ANDX || !t->sink.setup || words != (m->response ? RESPONSE_WORDS : REQUEST_WORDS))
        return;
    size_t size = at <= length ? le16(o + SMB1_HEADER + 1 + (m->response ? 6 : 14)) : 0;
    if (at > length || size > length - at)
        at = size = 0;
    smb_setup setup = {connection, m->message, le16(o + 28), !m->response, m->status, o + at, size};
    t->sink.setup(&setup, t->sink.user);
}

static bool read_smb1(const uint8_t *o, size_t length, message *m)
{
    if (length < SMB1_HEADER + 3)
        return false;
    size_t words = 2u * o[SMB1_HEADER];
    if (SMB1_HEADER + 1 + words > length)
        return false;
    const uint8_t *w = o + SMB1_HEADER + 1;
    m->status = le32(o + 5);
    m->command = o[4];
    m->response = o[9] & 0x80;
    m->message = (uint64_t)le16(o + 26) << 16 | le16(o + 30);
    switch (m->command) {
    case SMB1_NT_CREATE_ANDX:
        read_smb1_create(o, length, words, m);
        break;
    case SMB1_CLOSE:
        if (!m->response && words >= 2)
            smb1_file(m, le16(w));
        break;
    case SMB1_TRANSACTION: /* TransactNmPipe: setup words are the subcommand and the file id */
        if (!m->response && words >= 32 && w[26] >= 2)
            smb1_file(m, le16(w + 30));
        break;
    case SMB1_READ_ANDX: case SMB1_WRITE_ANDX:
        if (!m->response && words >= 6)
            smb1_file(m, le16(w + 4));
        break;
    default:
        break;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------------ tracking */

static bool is_create(bool smb2, uint16_t command)
{
    return smb2 ? command == SMB2_CREATE : command == SMB1_NT_CREATE_ANDX;
}

static bool is_close(bool smb2, uint16_t command)
{
    return smb2 ? command == SMB2_CLOSE : command == SMB1_CLOSE;
}

/* Whether the answer needs its request: SMB2's IOCTL and SMB1's answers to what names no file do not. */
static bool is_asked_about(bool smb2, const message *m)
{
    if (!smb2)
        return m->name || m->file_id[0];
    return m->command == SMB2_CREATE || m->command == SMB2_CLOSE || m->command == SMB2_READ;
}

static void remember(smb_tracker *t, const request_key *key, const message *m, uint32_t frame)
{
    if (g_hash_table_size(t->requests) >= OUTSTANDING_LIMIT)
        return;
    request *r = g_new0(request, 1);
    *r = (request){*key, m->command, frame, {m->file_id[0], m->file_id[1]}, g_strdup(m->name)};
    g_hash_table_replace(t->requests, &r->key, r);
}

static void create_answered(smb_tracker *t, const request *asked, const message *m, uint32_t frame, const char *client,
                            const char *server)
{
    if (!asked->name)
        return;
    if (m->status == 0 && g_hash_table_size(t->files) < OUTSTANDING_LIMIT) {
        open_file *file = g_new0(open_file, 1);
        *file = (open_file){{asked->key.connection, {m->file_id[0], m->file_id[1]}}, g_strdup(asked->name)};
        g_hash_table_replace(t->files, &file->key, file);
    }
    smb_open attempt = {asked->key.connection, {m->file_id[0], m->file_id[1]}, asked->name, client, server, asked->frame,
                        frame, m->status};
    if (t->sink.opened)
        t->sink.opened(&attempt, t->sink.user);
}

/* In a compound, a related operation says "the file of the one before" with all bits set. */
static void resolve_related(smb_tracker *t, uint64_t connection, uint32_t frame, message *m)
{
    if (m->file_id[0] == UINT64_MAX && m->file_id[1] == UINT64_MAX) {
        bool same = t->last_connection == connection && t->last_frame == frame;
        m->file_id[0] = same ? t->last_file[0] : 0;
        m->file_id[1] = same ? t->last_file[1] : 0;
    }
    if (m->file_id[0] || m->file_id[1]) {
        t->last_connection = connection;
        t->last_frame = frame;
        memcpy(t->last_file, m->file_id, sizeof t->last_file);
    }
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

smb_pipe smb_tracker_message(smb_tracker *t, uint64_t connection, uint32_t frame, const char *source,
                             const char *destination, const uint8_t *octets, size_t length)
{
    smb_pipe none = {0};
    message m = {0};
    if (length < 4 || memcmp(octets + 1, "SMB", 3) != 0)
        return none;
    bool smb2 = octets[0] == 0xfe;
    if (!(smb2 ? read_smb2(t, connection, octets, length, &m) : octets[0] == 0xff && read_smb1(octets, length, &m)))
        return none;
    if (!smb2)
        read_smb1_setup(t, connection, octets, length, &m);
    request_key key = {connection, m.message};
    resolve_related(t, connection, frame, &m);
    if (!m.response) {
        if (is_asked_about(smb2, &m))
            remember(t, &key, &m, frame);
        g_free(m.name);
        return pipe_of(t, connection, m.file_id);
    }
    const request *asked = g_hash_table_lookup(t->requests, &key);
    if (!asked || asked->command != m.command)
        return pipe_of(t, connection, m.file_id);
    if (m.status == STATUS_PENDING) /* interim: the answer is still to come */
        return none;
    uint64_t file_id[2] = {asked->file_id[0], asked->file_id[1]};
    if (is_create(smb2, m.command)) {
        create_answered(t, asked, &m, frame, destination, source);
        memcpy(file_id, m.file_id, sizeof file_id);
    }
    if (is_close(smb2, m.command) && t->sink.closed && (file_id[0] || file_id[1]))
        t->sink.closed(connection, file_id, t->sink.user);
    g_hash_table_remove(t->requests, &key);
    return pipe_of(t, connection, file_id);
}
