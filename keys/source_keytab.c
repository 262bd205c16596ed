/* source_keytab.c - MIT keytab files, versions 0x0502 and 0x0501.
 *
 * [MIT Kerberos documentation, "Keytab file format"]: two octets of version, then records of a signed length and that
 * many octets; a negative length is a hole. Version 2 is big-endian. Version 1 has the writer's own byte order, counts
 * the realm as a component and has no name type.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include "keys/cursor.h"
#include "keys/etype.h"

static void read_record(source_sink *sink, cursor c, bool version_1, size_t offset)
{
    unsigned components = cursor_number(&c, 2);
    if (version_1 && components)
        components--;
    char *realm = cursor_text(&c);
    char *name = cursor_principal(&c, components);
    if (!version_1)
        cursor_number(&c, 4); /* name type */
    cursor_number(&c, 4);     /* time of writing */
    uint32_t kvno = cursor_number(&c, 1);
    int32_t etype = (int16_t)cursor_number(&c, 2);
    size_t length;
    const uint8_t *octets = cursor_octets(&c, &length);
    bool failed = c.failed;
    uint32_t wide = cursor_number(&c, 4); /* newer writers append the whole kvno */
    if (wide)
        kvno = wide;

    size_t due = etype_key_length(etype);
    if (failed)
        source_complain(sink, offset, "the entry's fields reach beyond its end; passed over");
    else if (!*name || !length)
        source_complain(sink, offset, "the entry has no %s; passed over", *name ? "key" : "name");
    else if (due && length != due)
        source_complain(sink, offset, "a key of type %s has %" G_GSIZE_FORMAT " octets, not %" G_GSIZE_FORMAT
                        "; passed over", etype_name(etype), length, due);
    else
        source_take(sink, KEY_KERBEROS, name, realm, etype, kvno, octets, length);
    g_free(realm);
    g_free(name);
}

static bool keytab_recognise(const uint8_t *data, size_t length)
{
    return length >= 2 && data[0] == 5 && (data[1] == 1 || data[1] == 2);
}

/* The order in which the first length makes sense. */
static bool version_1_is_little(const uint8_t *data, size_t length)
{
    cursor c = {data + 2, data + length, true, 2, false};
    int32_t size = (int32_t)cursor_number(&c, 4);
    int64_t octets = size < 0 ? -(int64_t)size : size;
    return octets <= c.end - c.at;
}

static void keytab_read(source_sink *sink, const uint8_t *data, size_t length)
{
    bool version_1 = data[1] == 1;
    cursor c = {data + 2, data + length, version_1 && version_1_is_little(data, length), 2, false};
    while (c.end - c.at >= 4) {
        size_t offset = (size_t)(c.at - data), left;
        int32_t size = (int32_t)cursor_number(&c, 4);
        size_t octets = size < 0 ? (size_t)-(int64_t)size : (size_t)size;
        if (!octets)
            return; /* MIT takes a length of zero for the end */
        left = (size_t)(c.end - c.at);
        if (octets > left) {
            source_complain(sink, offset, "the entry claims %" G_GSIZE_FORMAT " octets, but %" G_GSIZE_FORMAT
                            " are left; reading stops here", octets, left);
            return;
        }
        cursor record = {c.at, c.at + octets, c.little, 2, false};
        if (size > 0)
            read_record(sink, record, version_1, offset);
        c.at += octets;
    }
    if (c.at != c.end)
        source_complain(sink, (size_t)(c.at - data), "the file ends within an entry's length");
}

const source_format source_keytab = {"MIT keytab", false, keytab_recognise, keytab_read};
