/* cursor.h - reads the fields of MIT's binary files one after the other, and never past their end; private to keys/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_CURSOR_H
#define RPCLENS_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct {
    const uint8_t *at, *end;
    bool           little;
    unsigned       width;  /* octets of a string's length: 2 in keytabs, 4 in credential caches */
    bool           failed; /* something was asked for beyond the end; sticks */
} cursor;

static inline uint32_t cursor_number(cursor *c, unsigned octets)
{
    uint32_t value = 0;
    if ((size_t)(c->end - c->at) < octets) {
        c->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < octets; i++)
        value |= (uint32_t)c->at[i] << 8 * (c->little ? i : octets - 1 - i);
    c->at += octets;
    return value;
}

static inline const uint8_t *cursor_octets(cursor *c, size_t *length)
{
    *length = cursor_number(c, c->width);
    if (c->failed || (size_t)(c->end - c->at) < *length) {
        c->failed = true;
        *length = 0;
        return NULL;
    }
    c->at += *length;
    return c->at - *length;
}

/* For g_free; "" where there is none. */
static inline char *cursor_text(cursor *c)
{
    size_t length;
    const uint8_t *octets = cursor_octets(c, &length);
    return octets ? g_utf8_make_valid((const char *)octets, (gssize)length) : g_strdup("");
}

/* A principal's components joined by '/', for g_free. */
static inline char *cursor_principal(cursor *c, unsigned components)
{
    GString *name = g_string_new(NULL);
    for (unsigned i = 0; i < components && !c->failed; i++) {
        char *component = cursor_text(c);
        g_string_append_printf(name, "%s%s", i ? "/" : "", component);
        g_free(component);
    }
    return g_string_free(name, FALSE);
}

#endif
