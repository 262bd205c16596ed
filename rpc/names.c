/* names.c - DNS as far as it tells which name stands for which address, and the log of it.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/names.h"

#include <stdbool.h>
#include <string.h>

enum { HEADER = 12, FLAGS_AT = 2, QUESTIONS_AT = 4, ANSWERS_AT = 6, QUESTION = 4, RECORD = 10, SIZE_AT = 8, LABEL_MAX = 63 };
enum { IS_RESPONSE = 0x80, OPCODE = 0x78, RCODE = 0x0F, POINTER = 0xC0, TYPE_A = 1, TYPE_AAAA = 28, IPV4 = 4, IPV6 = 16 };
/* "Right before": a client resolves a name, asks the endpoint mapper, and connects, all within seconds. */
enum { BEFORE = 5, ENTRIES_LIMIT = 65536, NAME_SIZE = 256 };

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Where the name ends that begins there, at most at the message's end. */
static size_t skip_name(const uint8_t *o, size_t length, size_t at)
{
    while (at < length) {
        size_t count = o[at++];
        if (count == 0)
            return at;
        if (count >= POINTER)
            return MIN(at + 1, length);
        if (count > LABEL_MAX || count > length - at)
            break;
        at += count;
    }
    return length;
}

/* The labels of a name of these octets, its zero included. */
static void spell_name(const uint8_t *o, size_t length, char text[NAME_SIZE])
{
    size_t next = 0, used = 0;
    for (size_t i = 0; i + 1 < length && used + 1 < NAME_SIZE; i++) {
        bool is_count = i == next;
        next += is_count ? o[i] + 1u : 0;
        if (!is_count || i > 0)
            text[used++] = is_count ? '.' : g_ascii_isgraph(o[i]) ? (char)o[i] : '?';
    }
    text[used] = '\0';
}

/* Between the name that was asked for and its addresses may lie aliases. */
void names_read(const uint8_t *o, size_t length, names_fn fn, void *user)
{
    if (length < HEADER || !(o[FLAGS_AT] & IS_RESPONSE) || o[FLAGS_AT] & OPCODE || o[FLAGS_AT + 1] & RCODE ||
        get16(o + QUESTIONS_AT) != 1)
        return;
    char name[NAME_SIZE];
    size_t at = skip_name(o, length, HEADER);
    spell_name(o + HEADER, at - HEADER, name);
    at = MIN(at + QUESTION, length);
    for (unsigned left = get16(o + ANSWERS_AT); left > 0; left--) {
        at = skip_name(o, length, at);
        if (length - at < RECORD || get16(o + at + SIZE_AT) > length - at - RECORD)
            break;
        unsigned type = get16(o + at), size = get16(o + at + SIZE_AT);
        at += RECORD;
        if ((type == TYPE_A && size == IPV4) || (type == TYPE_AAAA && size == IPV6))
            fn(name, o + at, size, user);
        at += size;
    }
}

/* ------------------------------------------------------------------------------------------------------------ log */

typedef struct {
    uint8_t key[2 * NAMES_ADDRESS]; /* client and server */
    int64_t seconds;
    char    name[];
} entry;

/* The server of those who asked for a ticket. */
static const uint8_t kdc[NAMES_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static guint key_hash(gconstpointer p)
{
    uint32_t words[2 * NAMES_ADDRESS / sizeof(uint32_t)], hash = 0;
    memcpy(words, p, sizeof words);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        hash = (hash ^ words[i]) * UINT32_C(16777619);
    return hash ^ hash >> 16;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, 2 * NAMES_ADDRESS) == 0;
}

name_log *name_log_new(void)
{
    return g_hash_table_new_full(key_hash, key_equal, NULL, g_free);
}

/* Older entries are of no use for long, so that a log that is full begins anew. */
void name_log_add(name_log *log, const uint8_t *client, const uint8_t *server, const char *name, int64_t seconds)
{
    if (g_hash_table_size(log) >= ENTRIES_LIMIT)
        g_hash_table_remove_all(log);
    size_t size = strlen(name) + 1;
    entry *made = g_malloc(sizeof *made + size);
    memcpy(made->key, client, NAMES_ADDRESS);
    memcpy(made->key + NAMES_ADDRESS, server, NAMES_ADDRESS);
    memcpy(made->name, name, size);
    made->seconds = seconds;
    g_hash_table_replace(log, made->key, made);
}

void name_log_ticket(name_log *log, const uint8_t *client, int64_t seconds)
{
    name_log_add(log, client, kdc, "", seconds);
}

static const entry *find(name_log *log, const uint8_t *client, const uint8_t *server)
{
    uint8_t key[2 * NAMES_ADDRESS];
    memcpy(key, client, NAMES_ADDRESS);
    memcpy(key + NAMES_ADDRESS, server, NAMES_ADDRESS);
    return g_hash_table_lookup(log, key);
}

const char *name_log_find(name_log *log, const uint8_t *client, const uint8_t *server, int64_t seconds)
{
    const entry *answer = find(log, client, server), *ticket = find(log, client, kdc);
    if (!answer || answer->seconds > seconds || seconds - answer->seconds > BEFORE)
        return NULL;
    return ticket && ticket->seconds >= answer->seconds ? NULL : answer->name;
}
