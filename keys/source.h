/* source.h - what the key formats and the keyring share; private to keys/.
 *
 * A format is one file source_NAME.c with one source_format, listed in keyring.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SOURCE_H
#define RPCLENS_SOURCE_H

#include "keys/keyring.h"

/* A file of nothing but bad lines must not become a list of as many sentences. */
enum { SOURCE_COMPLAINTS_MAX = 100 };

/* What a format's reader writes to. */
typedef struct {
    keyring    *ring;
    key_source *source;
    unsigned    index;
    size_t      passed_over; /* complaints beyond SOURCE_COMPLAINTS_MAX */
} source_sink;

typedef struct {
    const char *kind;
    bool        is_text;
    bool (*recognise)(const uint8_t *data, size_t length);
    void (*read)(source_sink *sink, const uint8_t *data, size_t length);
} source_format;

extern const source_format source_backup_object, source_ccache, source_keytab, source_kirbi, source_kirbi_text, source_pem, source_pvk, source_text;

/* `name` and `domain` are UTF-8; everything is copied. */
void source_take(source_sink *sink, key_kind kind, const char *name, const char *domain, int32_t etype, uint32_t kvno,
                 const uint8_t *octets, size_t length);
/* Any kind of key, e.g. one of a session; its `source` is set here. */
void source_take_entry(source_sink *sink, const key_entry *entry);
/* A line that was understood and is no key to any call. */
void source_pass_over(source_sink *sink, size_t line);
void source_complain(source_sink *sink, size_t where, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
