/* keyring.c - all keys the user supplied, indexed by whom they belong to.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "keys/crypto.h"
#include "keys/etype.h"
#include "keys/source.h"

/* FILE_MAX bounds what a hostile or mistaken path can make us hold.
 * STRETCH_MAX: a password costs some milliseconds before it can be tried on a ticket, so of passwords that do not
 * belong to the ticket's service only this many are tried in the life of a keyring.
 * MEMORY_MAX: of what was worked out, so many pieces are kept.
 * SEARCHED_MAX: octets hashed in searches in vain, some minutes. */
enum { FILE_MAX = 256 << 20, READ_STEP = 65536, CHUNK = 16384, STRETCH_MAX = 256, MEMORY_MAX = 4096 };
static const uint64_t SEARCHED_MAX = UINT64_C(1) << 35;

static const source_format *const formats[] = {&source_keytab, &source_ccache, &source_kirbi, &source_kirbi_text, &source_pvk, &source_backup_object, &source_pem, &source_text}; /* text last: it takes nearly anything */

/* An entry knows the others of its name. */
typedef struct {
    key_entry   entry; /* first, so that the public pointer is also this one */
    GPtrArray  *namesakes;
    const char *domain; /* case-folded */
} ring_entry;

struct keyring {
    GPtrArray    *sources;   /* of key_source */
    GPtrArray    *entries;   /* of ring_entry, in the order of arrival */
    GPtrArray    *few;       /* of them, those that belong to nobody by name: keys of sessions, and backup keys */
    GHashTable   *unique;    /* the same, by content */
    GHashTable   *by_name;   /* case-folded name -> GPtrArray of ring_entry */
    GHashTable   *derived;   /* password, etype and salt as text -> key_entry made from the password */
    GHashTable   *memory;    /* GBytes -> memory */
    unsigned      stretched; /* counts towards STRETCH_MAX */
    uint64_t      searched;  /* counts towards SEARCHED_MAX */
    GStringChunk *names;
    GPtrArray    *chunks;    /* of secure memory: one allocation for many keys */
    size_t        chunk_used;
};

static uint8_t *keep_octets(keyring *ring, const uint8_t *octets, size_t length)
{
    uint8_t *place;
    if (length > CHUNK / 4) {
        place = crypto_alloc(length);
        g_ptr_array_insert(ring->chunks, 0, place); /* the last chunk stays the one that is filled */
        if (ring->chunks->len == 1)
            ring->chunk_used = CHUNK;
    } else {
        if (!ring->chunks->len || ring->chunk_used + length > CHUNK) {
            g_ptr_array_add(ring->chunks, crypto_alloc(CHUNK));
            ring->chunk_used = 0;
        }
        place = (uint8_t *)g_ptr_array_index(ring->chunks, ring->chunks->len - 1) + ring->chunk_used;
        ring->chunk_used += length;
    }
    if (length)
        memcpy(place, octets, length);
    return place;
}

static guint mix(guint hash, const void *data, size_t length)
{
    const uint8_t *octet = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ octet[i]) * 16777619u;
    return hash;
}

static guint entry_hash(gconstpointer key)
{
    static guint seed; /* so that a file cannot aim at collisions */
    const key_entry *entry = key;
    if (!seed)
        seed = g_random_int() | 1;
    guint hash = mix(seed, entry->name, strlen(entry->name));
    hash = mix(hash, entry->domain, strlen(entry->domain));
    hash = mix(hash, &entry->etype, sizeof entry->etype);
    hash = mix(hash, &entry->kvno, sizeof entry->kvno);
    return mix(hash, entry->octets, entry->length);
}

static gboolean entry_equal(gconstpointer a, gconstpointer b)
{
    const key_entry *x = a, *y = b;
    return x->kind == y->kind && x->etype == y->etype && x->kvno == y->kvno && x->length == y->length
        && x->session == y->session && !memcmp(x->guid, y->guid, sizeof x->guid) && !strcmp(x->name, y->name) && !strcmp(x->domain, y->domain)
        && crypto_equal(x->octets, y->octets, x->length);
}

static void free_source(gpointer data)
{
    key_source *source = data;
    for (guint i = 0; i < source->complaints->len; i++)
        g_free(g_array_index(source->complaints, key_complaint, i).text);
    g_array_free(source->complaints, TRUE);
    g_free(source->path);
    g_free(source->kind);
    g_free(source->error);
    g_free(source);
}

static void free_bucket(gpointer bucket)
{
    g_ptr_array_free(bucket, TRUE);
}

typedef struct {
    void          *value;
    GDestroyNotify free_value;
} memory;

static void free_memory(gpointer data)
{
    memory *m = data;
    m->free_value(m->value);
    g_free(m);
}

keyring *keyring_new(void)
{
    crypto_init();
    keyring *ring = g_new0(keyring, 1);
    ring->sources = g_ptr_array_new_with_free_func(free_source);
    ring->entries = g_ptr_array_new_with_free_func(g_free);
    ring->few = g_ptr_array_new();
    ring->unique = g_hash_table_new(entry_hash, entry_equal);
    ring->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_bucket);
    ring->derived = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    ring->memory = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, free_memory);
    ring->names = g_string_chunk_new(4096);
    ring->chunks = g_ptr_array_new_with_free_func(crypto_free);
    return ring;
}

void keyring_free(keyring *ring)
{
    if (!ring)
        return;
    g_hash_table_destroy(ring->unique);
    g_hash_table_destroy(ring->by_name);
    g_hash_table_destroy(ring->derived);
    g_hash_table_destroy(ring->memory);
    g_ptr_array_free(ring->few, TRUE);
    g_ptr_array_free(ring->entries, TRUE);
    g_ptr_array_free(ring->sources, TRUE);
    g_ptr_array_free(ring->chunks, TRUE);
    g_string_chunk_free(ring->names);
    g_free(ring);
}

/* g_utf8_casefold(), and the same by a shorter way where there is nothing but ASCII: a large key file is mostly that. */
static char *fold(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at & 0x80)
            return g_utf8_casefold(text, -1);
    return g_ascii_strdown(text, -1);
}

static void add_to_bucket(keyring *ring, ring_entry *added)
{
    char *folded = fold(added->entry.name);
    added->namesakes = g_hash_table_lookup(ring->by_name, folded);
    if (!added->namesakes) {
        added->namesakes = g_ptr_array_new();
        g_hash_table_insert(ring->by_name, folded, added->namesakes);
    } else {
        g_free(folded);
    }
    g_ptr_array_add(added->namesakes, added);
}

/* Keys of one owner, and those of one domain, mostly stand together. */
static void set_owner(keyring *ring, ring_entry *added, const char *name, const char *domain)
{
    const ring_entry *last = ring->entries->len ? g_ptr_array_index(ring->entries, ring->entries->len - 1) : NULL;
    bool same_name = last && !strcmp(last->entry.name, name);
    added->entry.name = same_name ? last->entry.name : g_string_chunk_insert(ring->names, name);
    if (last && !strcmp(last->entry.domain, domain)) {
        added->entry.domain = last->entry.domain;
        added->domain = last->domain;
        return;
    }
    char *folded = fold(domain);
    added->entry.domain = g_string_chunk_insert_const(ring->names, domain);
    added->domain = g_string_chunk_insert_const(ring->names, folded);
    g_free(folded);
}

static bool of_somebody(key_kind kind)
{
    return kind == KEY_PASSWORD || kind == KEY_NT_HASH || kind == KEY_KERBEROS;
}

/* False: a duplicate. */
static bool add_entry(keyring *ring, const key_entry *wanted)
{
    if (g_hash_table_contains(ring->unique, wanted))
        return false;
    ring_entry *added = g_new0(ring_entry, 1);
    added->entry = *wanted;
    set_owner(ring, added, wanted->name, wanted->domain);
    added->entry.octets = keep_octets(ring, wanted->octets, wanted->length);
    g_ptr_array_add(ring->entries, added);
    if (!of_somebody(wanted->kind))
        g_ptr_array_add(ring->few, added);
    g_hash_table_add(ring->unique, added);
    add_to_bucket(ring, added);
    return true;
}

void keyring_add(keyring *ring, key_kind kind, const char *name, const char *domain, int32_t etype, uint32_t kvno,
                 const uint8_t *octets, size_t length)
{
    if (kind == KEY_NT_HASH && length != 16)
        return;
    key_entry wanted = {.kind = kind, .name = (char *)(uintptr_t)name, .domain = (char *)(uintptr_t)(domain ? domain : ""),
                        .etype = etype, .kvno = kvno, .octets = (uint8_t *)(uintptr_t)octets, .length = length,
                        .source = G_MAXUINT};
    add_entry(ring, &wanted);
}

void keyring_add_entry(keyring *ring, const key_entry *entry)
{
    add_entry(ring, entry);
}

void source_take_entry(source_sink *sink, const key_entry *entry)
{
    key_entry wanted = *entry;
    wanted.source = sink->index;
    add_entry(sink->ring, &wanted);
    sink->source->taken++;
}

void source_take(source_sink *sink, key_kind kind, const char *name, const char *domain, int32_t etype, uint32_t kvno,
                 const uint8_t *octets, size_t length)
{
    key_entry wanted = {.kind = kind, .name = (char *)(uintptr_t)name, .domain = (char *)(uintptr_t)domain, .etype = etype,
                        .kvno = kvno, .octets = (uint8_t *)(uintptr_t)octets, .length = length};
    source_take_entry(sink, &wanted);
}

void source_pass_over(source_sink *sink, size_t line)
{
    if (!sink->source->others++)
        sink->source->first_other = line;
}

void source_complain(source_sink *sink, size_t where, const char *format, ...)
{
    if (sink->source->complaints->len >= SOURCE_COMPLAINTS_MAX) {
        sink->passed_over++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    key_complaint complaint = {where, g_strdup_vprintf(format, arguments)};
    va_end(arguments);
    g_array_append_val(sink->source->complaints, complaint);
}

static key_source *add_source(keyring *ring, const char *label)
{
    key_source *source = g_new0(key_source, 1);
    source->path = g_strdup(label);
    source->complaints = g_array_new(FALSE, FALSE, sizeof(key_complaint));
    g_ptr_array_add(ring->sources, source);
    return source;
}

static const source_format *recognise(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i]->recognise(data, length))
            return formats[i];
    return NULL;
}

static bool read_source(keyring *ring, key_source *source, const uint8_t *data, size_t length)
{
    const source_format *format = length ? recognise(data, length) : NULL;
    if (!format) {
        source->error = length ? g_strdup_printf("%s is neither a keytab (05 02 or 05 01 at offset 0), nor a ticket, a backup"
                                                 " key or text", source->path)
                               : g_strdup_printf("%s is empty", source->path);
        return false;
    }
    source->kind = g_strdup(format->kind);
    source->is_text = format->is_text;
    source_sink sink = {ring, source, ring->sources->len - 1, 0};
    format->read(&sink, data, length);
    if (sink.passed_over) {
        key_complaint *last = &g_array_index(source->complaints, key_complaint, SOURCE_COMPLAINTS_MAX - 1);
        char *text = g_strdup_printf("%s; so were %" G_GSIZE_FORMAT " more", last->text, sink.passed_over);
        g_free(last->text);
        last->text = text;
    }
    if (!source->taken) {
        const key_complaint *first = source->complaints->len ? &g_array_index(source->complaints, key_complaint, 0)
                                                             : NULL;
        source->error = first ? g_strdup_printf("no key in %s: %s %" G_GSIZE_FORMAT ": %s", source->path,
                                                source->is_text ? "line" : "offset", first->where, first->text)
                              : g_strdup_printf("no key in %s%s", source->path, source->others ? ": what its lines hold opens no"
                                                " call" : "");
    }
    return source->taken > 0;
}

bool keyring_add_memory(keyring *ring, const char *label, const uint8_t *data, size_t length)
{
    return read_source(ring, add_source(ring, label), data, length);
}

/* Reads all of it, also from a pipe. NULL with errno: failed; errno EFBIG: beyond FILE_MAX. Free with crypto_free. */
static uint8_t *read_stream(FILE *stream, size_t *length)
{
    size_t room = READ_STEP;
    uint8_t *data = crypto_alloc(room);
    *length = 0;
    for (;;) {
        size_t got = fread(data + *length, 1, room - *length, stream);
        *length += got;
        if (ferror(stream) || *length > FILE_MAX) {
            int error = ferror(stream) ? errno : EFBIG;
            crypto_free(data);
            errno = error;
            return NULL;
        }
        if (!got)
            return data;
        if (*length == room) {
            uint8_t *wider = crypto_alloc(room * 2);
            memcpy(wider, data, room);
            crypto_free(data);
            data = wider;
            room *= 2;
        }
    }
}

static bool others_can_read(const char *path)
{
#ifdef G_OS_UNIX
    GStatBuf status;
    return !g_stat(path, &status) && (status.st_mode & 0170000) == 0100000 && (status.st_mode & 077);
#else
    (void)path; /* the mode bits say nothing about Windows' access lists */
    return false;
#endif
}

bool keyring_add_file(keyring *ring, const char *path)
{
    key_source *source = add_source(ring, path);
    size_t length = 0;
    FILE *stream = g_fopen(path, "rb");
    uint8_t *data = stream ? read_stream(stream, &length) : NULL;
    int error = errno;
    if (stream)
        fclose(stream);
    if (!data) {
        source->error = error == EFBIG ? g_strdup_printf("%s is larger than 256 MiB", path)
                                       : g_strdup_printf("%s cannot be read: %s", path, g_strerror(error));
        return false;
    }
    source->readable_by_others = others_can_read(path);
    bool taken = read_source(ring, source, data, length);
    crypto_free(data);
    return taken;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What begins with a dot is no key that somebody put there. */
static GPtrArray *files_of(GDir *folder, const char *path)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(folder); name; name = g_dir_read_name(folder)) {
        char *file = g_build_filename(path, name, NULL);
        if (*name != '.' && g_file_test(file, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(files, file);
        else
            g_free(file);
    }
    g_ptr_array_sort(files, by_name);
    return files;
}

bool keyring_add_path(keyring *ring, const char *path)
{
    GDir *folder = g_file_test(path, G_FILE_TEST_IS_DIR) ? g_dir_open(path, 0, NULL) : NULL;
    if (!folder)
        return keyring_add_file(ring, path);
    GPtrArray *files = files_of(folder, path);
    bool taken = false;
    for (guint i = 0; i < files->len; i++)
        taken |= keyring_add_file(ring, files->pdata[i]);
    if (!files->len) {
        key_source *source = add_source(ring, path);
        source->error = g_strdup_printf("%s is a folder without a file in it", path);
    }
    g_ptr_array_free(files, TRUE);
    g_dir_close(folder);
    return taken;
}

size_t keyring_source_count(const keyring *ring)
{
    return ring->sources->len;
}

const key_source *keyring_source(const keyring *ring, size_t index)
{
    return index < ring->sources->len ? g_ptr_array_index(ring->sources, index) : NULL;
}

size_t keyring_count(const keyring *ring)
{
    return ring->entries->len;
}

const key_entry *keyring_entry(const keyring *ring, size_t index)
{
    return index < ring->entries->len ? g_ptr_array_index(ring->entries, index) : NULL;
}

static const GPtrArray *find_bucket(const keyring *ring, const char *name)
{
    char *folded = g_utf8_casefold(name, -1);
    const GPtrArray *bucket = g_hash_table_lookup(ring->by_name, folded);
    g_free(folded);
    return bucket;
}

/* One search: what is offered to whom, and how often that happened. */
typedef struct {
    const keyring *ring;
    key_try_fn     fn;
    void          *data;
    size_t         tried;
} search;

static const key_entry *offer(search *s, const key_entry *entry)
{
    s->tried++;
    return s->fn(entry, s->data) ? entry : NULL;
}

static bool usable_for_ntlm(const key_entry *entry)
{
    return entry->kind == KEY_PASSWORD || entry->kind == KEY_NT_HASH
        || (entry->kind == KEY_KERBEROS && entry->etype == ETYPE_RC4_HMAC && entry->length == 16);
}

/* Those keys whose domain is (`same`) or is not the one given, which is case-folded. */
static const key_entry *try_ntlm_bucket(search *s, const GPtrArray *bucket, const char *domain, bool same)
{
    for (guint i = 0; bucket && i < bucket->len; i++) {
        const ring_entry *entry = g_ptr_array_index(bucket, i);
        if (usable_for_ntlm(&entry->entry) && !strcmp(entry->domain, domain) == same && offer(s, &entry->entry))
            return &entry->entry;
    }
    return NULL;
}

static const key_entry *try_ntlm_name(search *s, const char *name, const char *domain)
{
    const GPtrArray *bucket = find_bucket(s->ring, name);
    char *folded = g_utf8_casefold(domain, -1);
    const key_entry *found = try_ntlm_bucket(s, bucket, folded, true);
    if (!found)
        found = try_ntlm_bucket(s, bucket, folded, false);
    g_free(folded);
    return found;
}

const key_entry *keyring_try_ntlm(const keyring *ring, const char *user, const char *domain, key_try_fn fn, void *data,
                                  size_t *tried)
{
    search s = {ring, fn, data, 0};
    if (tried)
        *tried = 0;
    if (ring->entries->len == 0)
        return NULL;
    const key_entry *found = try_ntlm_name(&s, user, domain);
    const char *at = strrchr(user, '@'); /* a user principal name goes with an empty domain */
    if (!found && at) {
        char *name = g_strndup(user, (gsize)(at - user));
        found = try_ntlm_name(&s, name, at + 1);
        g_free(name);
    }
    if (!found && strcmp(user, "*"))
        found = try_ntlm_name(&s, "*", domain);
    if (tried)
        *tried = s.tried;
    return found;
}

/* A ticket as the keyring sees it. */
typedef struct {
    const char *realm, *folded_realm;
    int32_t     etype;
    uint32_t    kvno;
} ticket_wish;

/* The key of a password under one salt; made once, kept in the ring. NULL: the etype makes none, or STRETCH_MAX. */
static const key_entry *derive(const keyring *ring, const key_entry *password, int32_t etype, const char *salt,
                               bool own)
{
    keyring *mutable = (keyring *)(uintptr_t)ring; /* the cache is no part of what a caller can see */
    char *label = g_strdup_printf("%p %d %s", (const void *)password, etype, salt);
    key_entry *made = g_hash_table_lookup(ring->derived, label);
    bool costly = etype != ETYPE_RC4_HMAC && !own;
    if (made || (costly && ring->stretched >= STRETCH_MAX)) {
        g_free(label);
        return made;
    }
    uint8_t *octets = crypto_alloc(etype_key_length(etype));
    mutable->stretched += costly;
    if (etype_string_to_key(etype, password->octets, password->length, salt, octets)) {
        made = g_new(key_entry, 1);
        *made = *password;
        made->kind = KEY_KERBEROS;
        made->of_password = true;
        made->etype = etype;
        made->length = etype_key_length(etype);
        made->octets = keep_octets(mutable, octets, made->length);
        g_hash_table_insert(ring->derived, label, made);
    } else {
        g_free(label);
    }
    crypto_free(octets);
    return made;
}

/* [MS-KILE] 3.1.1.2: an account's salt is the realm and its name; a computer's the realm, "host" and its DNS name. */
static const key_entry *offer_password(search *s, const key_entry *entry, const ticket_wish *wish, bool own)
{
    char **components = g_strsplit(entry->name, "/", -1), *name = g_strjoinv(NULL, components);
    char *salts[2] = {g_strconcat(wish->realm, name, NULL), NULL};
    size_t length = strlen(name);
    if (length && name[length - 1] == '$') {
        char *host = g_utf8_strdown(name, (gssize)length - 1), *dns = g_utf8_strdown(wish->realm, -1);
        salts[1] = salts[0];
        salts[0] = g_strconcat(wish->realm, "host", host, ".", dns, NULL);
        g_free(host);
        g_free(dns);
    }
    const key_entry *found = NULL;
    for (int i = 0; i < 2 && !found && salts[i]; i++) {
        const key_entry *made = derive(s->ring, entry, wish->etype, wish->etype == ETYPE_RC4_HMAC ? "" : salts[i], own);
        if (made)
            found = offer(s, made);
        if (wish->etype == ETYPE_RC4_HMAC)
            break;
    }
    g_free(salts[0]);
    g_free(salts[1]);
    g_free(name);
    g_strfreev(components);
    return found;
}

static const key_entry *offer_for_ticket(search *s, const key_entry *entry, const ticket_wish *wish, bool own)
{
    switch (entry->kind) {
    case KEY_KERBEROS: return entry->etype == wish->etype ? offer(s, entry) : NULL;
    case KEY_NT_HASH:  return wish->etype == ETYPE_RC4_HMAC ? offer(s, entry) : NULL;
    case KEY_PASSWORD: return offer_password(s, entry, wish, own);
    default:           return NULL; /* keys of sessions, and backup keys */
    }
}

/* 0: the kvno the ticket names, 1: not known, 2: another */
static int kvno_rank(const key_entry *entry, const ticket_wish *wish)
{
    return entry->kvno == 0 || wish->kvno == 0 ? 1 : entry->kvno == wish->kvno ? 0 : 2;
}

static const key_entry *try_ticket_bucket(search *s, const GPtrArray *bucket, const ticket_wish *wish)
{
    for (int rank = 0; bucket && rank < 3; rank++)
        for (guint i = 0; i < bucket->len; i++) {
            const key_entry *entry = g_ptr_array_index(bucket, i);
            const key_entry *found = kvno_rank(entry, wish) == rank ? offer_for_ticket(s, entry, wish, true) : NULL;
            if (found)
                return found;
        }
    return NULL;
}

/* Everything that is in neither bucket: of the realm first, then of others. */
static const key_entry *try_ticket_rest(search *s, const GPtrArray *own, const GPtrArray *host,
                                        const ticket_wish *wish)
{
    for (int rank = 0; rank < 6; rank++)
        for (guint i = 0; i < s->ring->entries->len; i++) {
            const ring_entry *entry = g_ptr_array_index(s->ring->entries, i);
            if (entry->namesakes == own || entry->namesakes == host || kvno_rank(&entry->entry, wish) != rank % 3
                || !strcmp(entry->domain, wish->folded_realm) != (rank < 3))
                continue;
            const key_entry *found = offer_for_ticket(s, &entry->entry, wish, false);
            if (found)
                return found;
        }
    return NULL;
}

/* "cifs/dc1.corp.example" -> "dc1$"; NULL when there is no second component */
static char *host_account(const char *service)
{
    const char *host = strchr(service, '/');
    return host && host[1] ? g_strdup_printf("%.*s$", (int)strcspn(host + 1, "./:"), host + 1) : NULL;
}

const key_entry *keyring_try_kerberos(const keyring *ring, const char *service, const char *realm, int32_t etype,
                                      uint32_t kvno, key_try_fn fn, void *data, size_t *tried)
{
    search s = {ring, fn, data, 0};
    if (tried)
        *tried = 0;
    if (ring->entries->len == 0)
        return NULL;
    char *account = host_account(service), *folded_realm = g_utf8_casefold(realm, -1);
    ticket_wish wish = {realm, folded_realm, etype, kvno};
    const GPtrArray *own = find_bucket(ring, service), *host = account ? find_bucket(ring, account) : NULL;

    const key_entry *found = try_ticket_bucket(&s, own, &wish);
    if (!found && host != own)
        found = try_ticket_bucket(&s, host, &wish);
    if (!found)
        found = try_ticket_rest(&s, own, host, &wish);
    g_free(account);
    g_free(folded_realm);
    if (tried)
        *tried = s.tried;
    return found;
}

const key_entry *keyring_try_client(const keyring *ring, const char *name, const char *realm, const char *salt, int32_t etype,
                                    key_try_fn fn, void *data)
{
    search s = {ring, fn, data, 0};
    const GPtrArray *bucket = find_bucket(ring, name);
    if (!bucket || !etype_supported(etype))
        return NULL;
    char *folded_realm = g_utf8_casefold(realm, -1);
    ticket_wish wish = {realm, folded_realm, etype, 0};
    const key_entry *found = NULL;
    for (guint i = 0; salt && i < bucket->len && !found; i++) {
        const ring_entry *entry = g_ptr_array_index(bucket, i);
        const key_entry *made = entry->entry.kind == KEY_PASSWORD ? derive(ring, &entry->entry, etype, salt, true) : NULL;
        found = made && offer(&s, made) ? made : NULL;
    }
    if (!found)
        found = try_ticket_bucket(&s, bucket, &wish);
    g_free(folded_realm);
    return found;
}

uint64_t keyring_search_left(const keyring *ring)
{
    return SEARCHED_MAX - MIN(ring->searched, SEARCHED_MAX);
}

void keyring_searched_in_vain(const keyring *ring, uint64_t octets)
{
    keyring *mutable = (keyring *)(uintptr_t)ring;
    mutable->searched += MIN(octets, keyring_search_left(ring));
}

/* Session keys and backup keys are few: a user gives them one by one. */
const key_entry *keyring_try_session(const keyring *ring, key_kind kind, int32_t etype, key_try_fn fn, void *data,
                                     size_t *tried)
{
    size_t count = 0;
    const key_entry *found = NULL;
    for (guint i = 0; i < ring->few->len && !found; i++) {
        const key_entry *entry = g_ptr_array_index(ring->few, i);
        if (entry->kind != kind || (etype != 0 && entry->etype != etype))
            continue;
        count++;
        if (fn(entry, data))
            found = entry;
    }
    if (tried)
        *tried = count;
    return found;
}

const key_entry *keyring_try_backup(const keyring *ring, key_kind kind, const uint8_t guid[16], key_try_fn fn, void *data)
{
    static const uint8_t unknown[16];
    const uint8_t *const wanted[] = {guid, unknown};
    for (size_t round = 0; round < G_N_ELEMENTS(wanted); round++)
        for (guint i = 0; i < ring->few->len; i++) {
            const key_entry *entry = g_ptr_array_index(ring->few, i);
            if (entry->kind == kind && memcmp(entry->guid, wanted[round], sizeof entry->guid) == 0 && fn(entry, data))
                return entry;
        }
    return NULL;
}

const void *keyring_recall(const keyring *ring, const uint8_t *octets, size_t length)
{
    if (g_hash_table_size(ring->memory) == 0)
        return NULL;
    GBytes *wanted = g_bytes_new_static(octets, length);
    const memory *m = g_hash_table_lookup(ring->memory, wanted);
    g_bytes_unref(wanted);
    return m ? m->value : NULL;
}

void keyring_remember(const keyring *ring, const uint8_t *octets, size_t length, void *value, GDestroyNotify free_value)
{
    memory *m = g_new(memory, 1);
    *m = (memory){value, free_value};
    if (g_hash_table_size(ring->memory) >= MEMORY_MAX)
        g_hash_table_remove_all(ring->memory);
    g_hash_table_replace(ring->memory, g_bytes_new(octets, length), m);
}

/* ---- words ---- */

void key_guid_text(const uint8_t g[16], char text[KEY_GUID_TEXT])
{
    g_snprintf(text, KEY_GUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2], g[1], g[0],
               g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

const char *key_kind_text(const key_entry *entry)
{
    switch (entry->kind) {
    case KEY_PASSWORD:      return "password";
    case KEY_NT_HASH:       return "NT hash";
    case KEY_NTLM_SESSION:  return "NTLM session key";
    case KEY_SMB_SESSION:   return "SMB session key";
    case KEY_BACKUP_CLIENT: return "DPAPI backup key, RSA";
    case KEY_BACKUP_SERVER: return "DPAPI backup key, ServerWrap";
    case KEY_KERBEROS: case KEY_TICKET: case KEY_SUBKEY: break;
    }
    return entry->etype == ETYPE_RC4_HMAC ? "rc4-hmac (an NT hash)" : etype_name(entry->etype);
}

char *keyring_describe(const keyring *ring, const key_entry *entry)
{
    const key_source *source = entry->source < ring->sources->len ? keyring_source(ring, entry->source) : NULL;
    const char *domain = entry->domain ? entry->domain : "", *name = entry->name ? entry->name : "";
    GString *text = g_string_new(NULL);
    if (entry->kind == KEY_TICKET)
        g_string_append_printf(text, "%s session key of a ticket", etype_name(entry->etype));
    else if (entry->kind == KEY_SUBKEY)
        g_string_append_printf(text, "%s subkey", etype_name(entry->etype));
    else
        g_string_append(text, entry->of_password ? "password" : key_kind_text(entry));
    if (!strcmp(name, "*"))
        g_string_append(text, " for anyone");
    else if (*name)
        g_string_append_printf(text, " of %s%s%s", name, *domain ? "@" : "", domain);
    if (entry->kvno)
        g_string_append_printf(text, ", kvno %u", entry->kvno);
    if (source)
        g_string_append_printf(text, ", from %s", source->path);
    return g_string_free(text, FALSE);
}
