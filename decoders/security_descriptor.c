/* security_descriptor.c - self-relative security descriptors ([MS-DTYP] 2.4.6), their lists (2.4.5), entries (2.4.4) and SIDs (2.4.2).
 *
 * Everything in one is found by offsets, which may point anywhere and to the same octets twice: a reader of its own, which
 * compares each offset with the length and emits flat rows. An entry takes at least its header's four octets, so a list's
 * count is bounded by the octets there are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/security_descriptor.h"

#include <inttypes.h>

enum { HEADER = 20, ACL_HEADER = 8, ACE_HEADER = 4, SID_HEADER = 8, SID_MOST = 15, SELF_RELATIVE = 0x8000 };

typedef struct {
    ndr_walker    *walker;
    const uint8_t *octets;
    size_t         length, base; /* base: where the octets are in the stub */
} reader;

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static void emit_number(const reader *r, const char *name, size_t at, size_t length, uint64_t number)
{
    ndr_emit(r->walker, name, r->base + at, length, &(ndr_value){.number = number});
}

static void emit_text(const reader *r, const char *name, size_t at, size_t length, const char *text)
{
    ndr_emit(r->walker, name, r->base + at, length, &(ndr_value){.text = text});
}

/* "S-1-5-32-544" of the SID in these octets, and its length; NULL when they hold none. Free with g_free(). */
static char *sid_text(const uint8_t *octets, size_t length, size_t *taken)
{
    if (length < SID_HEADER || octets[0] != 1 || octets[1] > SID_MOST || length < SID_HEADER + 4 * (size_t)octets[1])
        return NULL;
    uint64_t authority = 0;
    for (int i = 2; i < SID_HEADER; i++)
        authority = authority << 8 | octets[i];
    GString *text = g_string_new(NULL);
    g_string_printf(text, authority >> 32 ? "S-1-0x%" PRIx64 : "S-1-%" PRIu64, authority);
    for (size_t i = 0; i < octets[1]; i++)
        g_string_append_printf(text, "-%" PRIu32, u32(octets + SID_HEADER + 4 * i));
    *taken = SID_HEADER + 4 * (size_t)octets[1];
    return g_string_free(text, FALSE);
}

static bool read_sid(const reader *r, const char *name, uint32_t at)
{
    size_t taken = 0;
    if (at == 0)
        return true;
    char *text = at < r->length ? sid_text(r->octets + at, r->length - at, &taken) : NULL;
    if (text == NULL)
        return false;
    emit_text(r, name, at, taken, text);
    g_free(text);
    return true;
}

/* [MS-DTYP] 2.4.4.1 */
static const char *ace_name(uint8_t type)
{
    static const char *const names[] = {
        "ACCESS_ALLOWED", "ACCESS_DENIED", "SYSTEM_AUDIT", "SYSTEM_ALARM", "ACCESS_ALLOWED_COMPOUND", "ACCESS_ALLOWED_OBJECT",
        "ACCESS_DENIED_OBJECT", "SYSTEM_AUDIT_OBJECT", "SYSTEM_ALARM_OBJECT", "ACCESS_ALLOWED_CALLBACK",
        "ACCESS_DENIED_CALLBACK", "ACCESS_ALLOWED_CALLBACK_OBJECT", "ACCESS_DENIED_CALLBACK_OBJECT", "SYSTEM_AUDIT_CALLBACK",
        "SYSTEM_ALARM_CALLBACK", "SYSTEM_AUDIT_CALLBACK_OBJECT", "SYSTEM_ALARM_CALLBACK_OBJECT", "SYSTEM_MANDATORY_LABEL",
        "SYSTEM_RESOURCE_ATTRIBUTE", "SYSTEM_SCOPED_POLICY_ID",
    };
    return type < G_N_ELEMENTS(names) ? names[type] : NULL;
}

/* Entries of objects have flags and up to two GUIDs between mask and SID (2.4.4.3). */
static bool ace_has_objects(uint8_t type)
{
    return (type >= 5 && type <= 8) || type == 11 || type == 12 || type == 15 || type == 16;
}

static size_t ace_sid_at(const uint8_t *ace, size_t size)
{
    size_t at = ACE_HEADER + 4;
    if (!ace_has_objects(ace[0]) || size < at + 4)
        return at;
    uint32_t flags = u32(ace + at);
    return at + 4 + ((flags & 1) ? 16 : 0) + ((flags & 2) ? 16 : 0);
}

static void read_ace(const reader *r, const char *name, size_t at, size_t size)
{
    const uint8_t *ace = r->octets + at;
    size_t sid_at = ace_sid_at(ace, size), taken = 0;
    char *sid = sid_at < size ? sid_text(ace + sid_at, size - sid_at, &taken) : NULL;
    const char *type = ace_name(ace[0]);
    GString *text = g_string_new(type);
    if (type == NULL)
        g_string_printf(text, "type %u", ace[0]);
    g_string_append_printf(text, ", flags 0x%02x", ace[1]);
    if (size >= ACE_HEADER + 4)
        g_string_append_printf(text, ", mask 0x%08" PRIx32, u32(ace + ACE_HEADER));
    if (sid != NULL)
        g_string_append_printf(text, ", %s", sid);
    emit_text(r, name, at, size, text->str);
    g_string_free(text, TRUE);
    g_free(sid);
}

static bool read_acl(const reader *r, const char *name, uint32_t at)
{
    if (at == 0)
        return true;
    if (at > r->length || r->length - at < ACL_HEADER)
        return false;
    size_t size = u16(r->octets + at + 2), count = u16(r->octets + at + 4), position = at + ACL_HEADER;
    if (size < ACL_HEADER || size > r->length - at)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t left = at + size - position, taken = left >= ACE_HEADER ? u16(r->octets + position + 2) : 0;
        if (taken < ACE_HEADER || taken > left)
            return false;
        read_ace(r, name, position, taken);
        position += taken;
    }
    return true;
}

static bool descriptor_read(ndr_walker *walker, const uint8_t *octets, size_t length, size_t offset)
{
    reader r = {walker, octets, length, offset};
    if (length < HEADER)
        return false;
    emit_number(&r, "Revision", 0, 1, octets[0]);
    emit_number(&r, "Control", 2, 2, u16(octets + 2));
    return read_sid(&r, "OwnerSid", u32(octets + 4)) && read_sid(&r, "GroupSid", u32(octets + 8)) &&
           read_acl(&r, "Sacl", u32(octets + 12)) && read_acl(&r, "Dacl", u32(octets + 16));
}

const ndr_type SECURITY_DESCRIPTOR[1] = {{
    .kind = NDR_CUSTOM, .name = "SECURITY_DESCRIPTOR", .custom = descriptor_read,
    .fields = (const ndr_field[]){F(U8, "Revision"), F(U16, "Control"), F(TEXT, "OwnerSid"), F(TEXT, "GroupSid"),
                                  F(TEXT, "Sacl"), F(TEXT, "Dacl"), {0}},
}};

const ndr_type *security_descriptor_choose(const uint8_t *octets, size_t length, const ndr_value *selector G_GNUC_UNUSED,
                                           bool response G_GNUC_UNUSED)
{
    if (length < HEADER || octets[0] != 1 || (u16(octets + 2) & SELF_RELATIVE) == 0)
        return NULL;
    return SECURITY_DESCRIPTOR;
}
