/* source_ccache.c - MIT credential caches, versions 0x0504 and 0x0503: session keys of tickets.
 *
 * [MIT Kerberos documentation, "Credential cache file format"]: two octets of version, in version 4 a header, the owner's
 * principal, then credentials without end mark. Big-endian. The older versions have the writer's own byte order, and 0x0502 is
 * also that of keytabs, which it is taken for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include <string.h>

#include "keys/cursor.h"
#include "keys/etype.h"

enum { COMPONENTS_MAX = 64, ADDRESSES_MAX = 1024 };

typedef struct {
    char *name, *realm;
} principal;

static void read_principal(cursor *c, principal *p)
{
    cursor_number(c, 4); /* name type */
    uint32_t components = cursor_number(c, 4);
    c->failed |= components > COMPONENTS_MAX;
    p->realm = cursor_text(c);
    p->name = cursor_principal(c, components);
}

static void clear_principal(principal *p)
{
    g_free(p->name);
    g_free(p->realm);
}

/* Addresses or authorization data: a type and octets each. */
static void skip_list(cursor *c)
{
    size_t length;
    uint32_t count = cursor_number(c, 4);
    c->failed |= count > ADDRESSES_MAX;
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        cursor_number(c, 2);
        cursor_octets(c, &length);
    }
}

/* Moves past one credential and takes its key; false: the file ends within it. */
static bool read_credential(source_sink *sink, cursor *c, bool version_3, size_t offset)
{
    principal client, server;
    size_t length, skipped;
    read_principal(c, &client);
    read_principal(c, &server);
    int32_t etype = (int16_t)cursor_number(c, 2);
    if (version_3)
        cursor_number(c, 2); /* the same once more */
    const uint8_t *key = cursor_octets(c, &length);
    for (int i = 0; i < 4; i++)
        cursor_number(c, 4); /* times */
    cursor_number(c, 1);     /* is_skey */
    cursor_number(c, 4);     /* flags */
    skip_list(c);
    skip_list(c);
    cursor_octets(c, &skipped); /* ticket */
    cursor_octets(c, &skipped); /* second ticket */
    bool setting = !strcmp(server.realm, "X-CACHECONF:");
    if (c->failed)
        source_complain(sink, offset, "the file ends within this credential; reading stops here");
    else if (!setting && (!length || (etype_key_length(etype) && length != etype_key_length(etype))))
        source_complain(sink, offset, "a key of type %s has %" G_GSIZE_FORMAT " octets, not %" G_GSIZE_FORMAT "; passed over",
                        etype_name(etype), length, etype_key_length(etype));
    else if (!setting)
        source_take(sink, KEY_TICKET, server.name, server.realm, etype, 0, key, length);
    clear_principal(&client);
    clear_principal(&server);
    return !c->failed;
}

static bool ccache_recognise(const uint8_t *data, size_t length)
{
    return length >= 2 && data[0] == 5 && (data[1] == 3 || data[1] == 4);
}

static void ccache_read(source_sink *sink, const uint8_t *data, size_t length)
{
    bool version_3 = data[1] == 3;
    cursor c = {data + 2, data + length, false, 4, false};
    if (!version_3) {
        uint32_t header = cursor_number(&c, 2);
        c.failed |= header > (size_t)(c.end - c.at);
        c.at += c.failed ? 0 : header;
    }
    principal owner;
    read_principal(&c, &owner);
    clear_principal(&owner);
    if (c.failed)
        source_complain(sink, 2, "the file ends before its first credential");
    while (!c.failed && c.at < c.end)
        if (!read_credential(sink, &c, version_3, (size_t)(c.at - data)))
            break;
}

const source_format source_ccache = {"MIT credential cache", false, ccache_recognise, ccache_read};
