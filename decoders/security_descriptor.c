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
#include <string.h>

enum { DACL_PRESENT = 0x0004, SACL_PRESENT = 0x0010 };
enum { HEADER = 20, ACL_HEADER = 8, ACE_HEADER = 4, SID_HEADER = 8, SID_MOST = 15, SELF_RELATIVE = 0x8000 };

/* [MS-DTYP] 2.4.6, which calls them by two letters; the names are winnt.h's. */
static const ndr_name control_bits[] = {
    {0x0001, "SE_OWNER_DEFAULTED"}, {0x0002, "SE_GROUP_DEFAULTED"}, {DACL_PRESENT, "SE_DACL_PRESENT"},
    {0x0008, "SE_DACL_DEFAULTED"}, {SACL_PRESENT, "SE_SACL_PRESENT"}, {0x0020, "SE_SACL_DEFAULTED"},
    {0x0040, "SE_DACL_TRUSTED"}, {0x0080, "SE_SERVER_SECURITY"}, {0x0100, "SE_DACL_AUTO_INHERIT_REQ"},
    {0x0200, "SE_SACL_AUTO_INHERIT_REQ"}, {0x0400, "SE_DACL_AUTO_INHERITED"}, {0x0800, "SE_SACL_AUTO_INHERITED"},
    {0x1000, "SE_DACL_PROTECTED"}, {0x2000, "SE_SACL_PROTECTED"}, {0x4000, "SE_RM_CONTROL_VALID"},
    {SELF_RELATIVE, "SE_SELF_RELATIVE"}, {.name = NULL},
};

/* 2.4.4.1 */
static const ndr_name ace_flags[] = {
    {0x01, "OBJECT_INHERIT_ACE"}, {0x02, "CONTAINER_INHERIT_ACE"}, {0x04, "NO_PROPAGATE_INHERIT_ACE"},
    {0x08, "INHERIT_ONLY_ACE"}, {0x10, "INHERITED_ACE"}, {0x40, "SUCCESSFUL_ACCESS_ACE_FLAG"},
    {0x80, "FAILED_ACCESS_ACE_FLAG"}, {.name = NULL},
};

/* 2.4.3: the rights that mean the same on all objects; what the lower half means the descriptor does not tell. */
static const ndr_name access_rights[] = {
    {0x00010000, "DELETE"}, {0x00020000, "READ_CONTROL"}, {0x00040000, "WRITE_DACL"}, {0x00080000, "WRITE_OWNER"},
    {0x00100000, "SYNCHRONIZE"}, {0x01000000, "ACCESS_SYSTEM_SECURITY"}, {0x02000000, "MAXIMUM_ALLOWED"},
    {0x10000000, "GENERIC_ALL"}, {0x20000000, "GENERIC_EXECUTE"}, {0x40000000, "GENERIC_WRITE"},
    {0x80000000, "GENERIC_READ"}, {.name = NULL},
};

/* 2.4.2.4: those that are likely in the descriptors of a cluster. */
static const struct {
    const char *sid, *name;
} well_known[] = {
    {"S-1-0-0", "NULL"}, {"S-1-1-0", "EVERYONE"}, {"S-1-2-0", "LOCAL"}, {"S-1-3-0", "CREATOR_OWNER"},
    {"S-1-3-1", "CREATOR_GROUP"}, {"S-1-3-4", "OWNER_RIGHTS"}, {"S-1-5-2", "NETWORK"}, {"S-1-5-3", "BATCH"},
    {"S-1-5-4", "INTERACTIVE"}, {"S-1-5-6", "SERVICE"}, {"S-1-5-7", "ANONYMOUS"},
    {"S-1-5-9", "ENTERPRISE_DOMAIN_CONTROLLERS"}, {"S-1-5-10", "PRINCIPAL_SELF"}, {"S-1-5-11", "AUTHENTICATED_USERS"},
    {"S-1-5-12", "RESTRICTED_CODE"}, {"S-1-5-15", "THIS_ORGANIZATION"}, {"S-1-5-18", "LOCAL_SYSTEM"},
    {"S-1-5-19", "LOCAL_SERVICE"}, {"S-1-5-20", "NETWORK_SERVICE"}, {"S-1-5-32-544", "BUILTIN_ADMINISTRATORS"},
    {"S-1-5-32-545", "BUILTIN_USERS"}, {"S-1-5-32-546", "BUILTIN_GUESTS"}, {"S-1-5-32-547", "POWER_USERS"},
    {"S-1-5-32-548", "ACCOUNT_OPERATORS"}, {"S-1-5-32-549", "SERVER_OPERATORS"}, {"S-1-5-32-551", "BACKUP_OPERATORS"},
    {"S-1-5-32-578", "HYPER_V_ADMINS"}, {"S-1-5-32-580", "REMOTE_MANAGEMENT_USERS"},
    {"S-1-5-32-582", "STORAGE_REPLICA_ADMINS"}, {"S-1-5-113", "LOCAL_ACCOUNT"}, {"S-1-15-2-1", "ALL_APP_PACKAGES"},
    {"S-1-16-4096", "ML_LOW"}, {"S-1-16-8192", "ML_MEDIUM"}, {"S-1-16-12288", "ML_HIGH"}, {"S-1-16-16384", "ML_SYSTEM"},
};

/* The same: accounts and groups of any domain or machine, by their last number. */
static const ndr_name of_domains[] = {
    {500, "ADMINISTRATOR"}, {501, "GUEST"}, {502, "KRBTGT"}, {512, "DOMAIN_ADMINS"}, {513, "DOMAIN_USERS"},
    {514, "DOMAIN_GUESTS"}, {515, "DOMAIN_COMPUTERS"}, {516, "DOMAIN_DOMAIN_CONTROLLERS"}, {518, "SCHEMA_ADMINISTRATORS"},
    {519, "ENTERPRISE_ADMINS"}, {.name = NULL},
};

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

/* NULL: none that is known. */
static const char *sid_name(const char *sid)
{
    for (size_t i = 0; i < G_N_ELEMENTS(well_known); i++)
        if (strcmp(well_known[i].sid, sid) == 0)
            return well_known[i].name;
    if (!g_str_has_prefix(sid, "S-1-5-21-"))
        return NULL;
    guint64 last = g_ascii_strtoull(strrchr(sid, '-') + 1, NULL, 10);
    for (const ndr_name *n = of_domains; n->name != NULL; n++)
        if (n->value == last)
            return n->name;
    return NULL;
}

static bool read_sid(const reader *r, const char *name, const char *named, uint32_t at)
{
    size_t taken = 0;
    if (at == 0)
        return true;
    char *text = at < r->length ? sid_text(r->octets + at, r->length - at, &taken) : NULL;
    if (text == NULL)
        return false;
    emit_text(r, name, at, taken, text);
    if (sid_name(text) != NULL)
        emit_text(r, named, at, taken, sid_name(text));
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

/* " (A | B)": the names of the bits; nothing when they have none. */
static void append_bits(GString *text, const ndr_name *names, uint32_t bits)
{
    const ndr_type type = {.kind = NDR_FLAGS32, .names = names};
    char *words = ndr_value_text(&(ndr_event){.type = &type, .value = {.number = bits}});
    const char *opened = strchr(words, '(');
    if (opened != NULL)
        g_string_append_printf(text, " %s", opened);
    g_free(words);
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
    append_bits(text, ace_flags, ace[1]);
    if (size >= ACE_HEADER + 4) {
        g_string_append_printf(text, ", mask 0x%08" PRIx32, u32(ace + ACE_HEADER));
        append_bits(text, access_rights, u32(ace + ACE_HEADER));
    }
    if (sid != NULL)
        g_string_append_printf(text, ", %s", sid);
    if (sid != NULL && sid_name(sid) != NULL)
        g_string_append_printf(text, " (%s)", sid_name(sid));
    emit_text(r, name, at, size, text->str);
    g_string_free(text, TRUE);
    g_free(sid);
}

/* Nobody passes a list without entries, everybody where there is no list: both are worth a line. */
static bool read_acl(const reader *r, const char *name, size_t offset_at, bool present)
{
    uint32_t at = u32(r->octets + offset_at);
    if (at == 0) {
        if (present)
            emit_text(r, name, offset_at, 4, "null");
        return true;
    }
    if (at > r->length || r->length - at < ACL_HEADER)
        return false;
    size_t size = u16(r->octets + at + 2), count = u16(r->octets + at + 4), position = at + ACL_HEADER;
    if (size < ACL_HEADER || size > r->length - at)
        return false;
    if (count == 0)
        emit_text(r, name, at, ACL_HEADER, "no entries");
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
    uint32_t control = u16(octets + 2);
    emit_number(&r, "Control", 2, 2, control);
    return read_sid(&r, "OwnerSid", "OwnerName", u32(octets + 4)) && read_sid(&r, "GroupSid", "GroupName", u32(octets + 8)) &&
           read_acl(&r, "Sacl", 12, (control & SACL_PRESENT) != 0) && read_acl(&r, "Dacl", 16, (control & DACL_PRESENT) != 0);
}

const ndr_type SECURITY_DESCRIPTOR[1] = {{
    .kind = NDR_CUSTOM, .name = "SECURITY_DESCRIPTOR", .custom = descriptor_read,
    .fields = (const ndr_field[]){F(U8, "Revision"), F(FLAGS32(control_bits), "Control"), F(TEXT, "OwnerSid"),
                                  F(TEXT, "OwnerName"), F(TEXT, "GroupSid"), F(TEXT, "GroupName"), F(TEXT, "Sacl"),
                                  F(TEXT, "Dacl"), {0}},
}};

const ndr_type *security_descriptor_choose(const uint8_t *octets, size_t length, const ndr_value *selector G_GNUC_UNUSED,
                                           bool response G_GNUC_UNUSED)
{
    if (length < HEADER || octets[0] != 1 || (u16(octets + 2) & SELF_RELATIVE) == 0)
        return NULL;
    return SECURITY_DESCRIPTOR;
}
