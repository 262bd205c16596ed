/* ndr_text.c - what the walker has found, in words. Also the GUIDs' text and octets.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "decoders/errors.h"
#include "decoders/ndr.h"

#include <inttypes.h>
#include <string.h>

#define OCTETS_SHOWN 64 /* of long octets, as hex: two lines of a terminal */

const char *ndr_code_text(ndr_code code)
{
    switch (code) {
    case NDR_OK:
        return "all parameters were read";
    case NDR_SHORT:
        return "the stub ends before its parameters do";
    case NDR_CUT:
        return "the capture's snap length cut the stub before its parameters end";
    case NDR_COUNT:
        return "a count says more than the octets that are left can hold";
    case NDR_TAG:
        return "a tag has a value that the specification gives no meaning";
    case NDR_DEPTH:
        return "the parameters are nested deeper than any type of the specification";
    }
    return "unknown";
}

/* ------------------------------------------------------------------------------------------- notes */

char *ndr_note_text(const ndr_event *event)
{
    const char *name = event->name != NULL ? event->name : "the stub";
    const ndr_field *row = event->row;
    uint64_t number = event->value.number, expected = event->expected;
    switch (event->note) {
    case NDR_NOTE_SIZE_IS:
        return g_strdup_printf("max_count of %s is %" PRIu64 ", but size_is %s makes it %" PRIu64, name, number,
                               row->size_is, expected);
    case NDR_NOTE_LENGTH_IS:
        return g_strdup_printf("actual_count of %s is %" PRIu64 ", but length_is %s makes it %" PRIu64, name, number,
                               row->length_is, expected);
    case NDR_NOTE_SWITCH_IS:
        return g_strdup_printf("the tag of %s is %" PRIu64 ", but switch_is %s is %" PRIu64, name, number,
                               row->switch_is, expected);
    case NDR_NOTE_RANGE:
        return g_strdup_printf("%s is %" PRIu64 ", outside its range %" PRIu64 " to %" PRIu64, name, number, row->min,
                               row->max);
    case NDR_NOTE_NULL_REF:
        return g_strdup_printf("%s is a [ref] pointer and must not be null", name);
    case NDR_NOTE_STRING:
        return g_strdup_printf("%s has %" PRIu64 " characters that are not well-formed or lack their terminator", name,
                               number);
    case NDR_NOTE_BLOB:
        return g_strdup_printf("%s is malformed from its octet at stub offset %zu on", name, event->offset);
    case NDR_NOTE_TRAILING:
        return g_strdup_printf("%" PRIu64 " octets are left after the %s", number,
                               event->decoded ? "last field" : "last parameter");
    case NDR_NOTE_OTHER:
        return g_strdup_printf("sources differ on this opnum: the stub may be that of %s", event->value.text);
    case NDR_NOTE_VARIANCE:
        return g_strdup_printf("offset and actual_count of %s are together %" PRIu64 ", but max_count is %" PRIu64,
                               name, number, expected);
    case NDR_NOTE_OPAQUE:
        return g_strdup_printf("%s stays octets: no specification tells what they are", name);
    case NDR_NOTE_UNENDED:
        return g_strdup_printf("%s ends without its end mark", name);
    case NDR_NOTE_OFFSET:
        return g_strdup_printf("offset of %s is %" PRIu64 ", but a string's is 0", name, number);
    }
    return g_strdup("unknown");
}

/* ------------------------------------------------------------------------------------------ values */

const char *ndr_value_name(const ndr_type *type, const ndr_value *value)
{
    if (type->kind == NDR_ERROR)
        return errors_win32((uint32_t)value->number);
    if (type->kind != NDR_FLAGS32 && type->kind != NDR_FLAGS64)
        for (const ndr_name *n = type->names; n != NULL && n->name != NULL; n++)
            if (n->value == value->number)
                return n->name;
    if (type->kind == NDR_GUID)
        for (const ndr_guid_name *n = type->guids; n != NULL && n->name != NULL; n++)
            if (ndr_guid_equal(&n->value, &value->guid))
                return n->name;
    return NULL;
}

static char *with_name(char *text, const char *name)
{
    if (name == NULL)
        return text;
    char *both = g_strdup_printf("%s (%s)", text, name);
    g_free(text);
    return both;
}

/* A name may stand for several bits, and matches when all of them are set. What no name covers follows in hex. */
static char *flags_text(const ndr_type *type, uint64_t flags)
{
    GString *text = g_string_new(NULL);
    uint64_t rest = flags;
    g_string_printf(text, "0x%08" PRIx64, flags);
    const char *before = " (";
    for (const ndr_name *n = type->names; n != NULL && n->name != NULL; n++) {
        if (n->value == 0 || (flags & n->value) != n->value)
            continue;
        g_string_append_printf(text, "%s%s", before, n->name);
        before = " | ";
        rest &= ~(uint64_t)n->value;
    }
    if (rest != 0 && rest != flags)
        g_string_append_printf(text, " | 0x%" PRIx64, rest);
    if (rest != flags)
        g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

/* Small codes are known by their decimal numbers, HRESULTs by their hexadecimal ones. */
static char *error_text(uint32_t code)
{
    return code > 0xFFFF ? g_strdup_printf("0x%08" PRIx32, code) : g_strdup_printf("%" PRIu32, code);
}

static char *guid_text(const ndr_guid *guid)
{
    char text[37];
    ndr_guid_text(guid, text);
    return g_strdup(text);
}

/* C706's null context handle is all zeros. */
static char *handle_text(const ndr_value *value)
{
    if (value->number == 0 && ndr_guid_equal(&value->guid, &(ndr_guid){0}))
        return g_strdup("null");
    char *uuid = guid_text(&value->guid);
    if (value->number == 0)
        return uuid;
    char *text = g_strdup_printf("%s, attributes 0x%08" PRIx64, uuid, value->number);
    g_free(uuid);
    return text;
}

static char *time_text(int64_t seconds, const char *fraction)
{
    GDateTime *time = g_date_time_new_from_unix_utc(seconds);
    if (time == NULL)
        return g_strdup_printf("%" PRId64 " seconds since 1970", seconds);
    char *format = g_strdup_printf("%%Y-%%m-%%dT%%H:%%M:%%S%sZ", fraction);
    char *text = g_date_time_format(time, format);
    g_free(format);
    g_date_time_unref(time);
    return text;
}

static char *filetime_text(uint64_t time)
{
    const uint64_t second = 10000000, from_1601_to_1970 = 11644473600;
    char fraction[9];
    if (time == 0)
        return g_strdup("0 (not set)");
    g_snprintf(fraction, sizeof fraction, ".%07" PRIu64, time % second);
    return time_text((int64_t)(time / second) - (int64_t)from_1601_to_1970, fraction);
}

static char *octets_text(const ndr_value *value)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < MIN(value->length, OCTETS_SHOWN); i++)
        g_string_append_printf(text, "%02x", value->octets[i]);
    if (value->length > OCTETS_SHOWN)
        g_string_append_printf(text, "... (%zu octets)", value->length);
    return g_string_free(text, FALSE);
}

/* The text stays on its line. */
static char *one_line(const char *text)
{
    GString *line = g_string_new(NULL);
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            g_string_append_printf(line, "\\x%02x", (unsigned char)*c);
        else
            g_string_append_c(line, *c);
    }
    return g_string_free(line, FALSE);
}

bool ndr_is_secret(const ndr_event *event)
{
    const ndr_value *value = &event->value;
    return event->secret && event->kind == NDR_EV_VALUE && (value->text != NULL ? *value->text != '\0' : value->length > 0);
}

char *ndr_value_text(const ndr_event *event)
{
    const ndr_type *type = event->type;
    const ndr_value *value = &event->value;
    const char *name = ndr_value_name(type, value);
    switch (type->kind) {
    case NDR_ERROR:
        return with_name(error_text((uint32_t)value->number), name);
    case NDR_FLAGS32:
    case NDR_FLAGS64:
        return flags_text(type, value->number);
    case NDR_GUID:
        return with_name(guid_text(&value->guid), name);
    case NDR_HANDLE:
        return handle_text(value);
    case NDR_I32:
        return g_strdup_printf("%" PRId32, (int32_t)value->number);
    case NDR_I64:
        return g_strdup_printf("%" PRId64, (int64_t)value->number);
    case NDR_FILETIME:
        return filetime_text(value->number);
    case NDR_TIME:
        return time_text((int64_t)value->number, "");
    case NDR_UNIQUE:
    case NDR_REF:
        return g_strdup("null");
    case NDR_U8:
    case NDR_U16:
    case NDR_U32:
    case NDR_U64:
    case NDR_U3264:
    case NDR_ENUM16:
    case NDR_ENUM32:
        if (type->unit != NULL)
            return g_strdup_printf("%" PRIu64 " %s", value->number, type->unit);
        return with_name(g_strdup_printf(type->hex ? "0x%08" PRIx64 : "%" PRIu64, value->number), name);
    default:
        return value->text != NULL ? one_line(value->text) : octets_text(value);
    }
}

/* ------------------------------------------------------------------------------------------- GUIDs */

bool ndr_guid_equal(const ndr_guid *a, const ndr_guid *b)
{
    return a->data1 == b->data1 && a->data2 == b->data2 && a->data3 == b->data3 &&
           memcmp(a->data4, b->data4, sizeof a->data4) == 0;
}

void ndr_guid_text(const ndr_guid *guid, char text[37])
{
    const uint8_t *d = guid->data4;
    g_snprintf(text, 37, "%08" PRIx32 "-%04" PRIx16 "-%04" PRIx16 "-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->data1,
               guid->data2, guid->data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

/* Reads the 32 hexadecimal digits around the four hyphens of the canonical form, with or without braces. */
bool ndr_guid_read(const char *text, ndr_guid *guid)
{
    uint8_t octets[16];
    bool braces = *text == '{';
    text += braces;
    for (size_t i = 0; i < sizeof octets; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        int high = g_ascii_xdigit_value(text[0]), low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);
        if (low < 0)
            return false;
        octets[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (strcmp(text, braces ? "}" : "") != 0)
        return false;
    ndr_guid_from_octets(octets, true, guid);
    return true;
}

void ndr_guid_from_octets(const uint8_t octets[16], bool big_endian, ndr_guid *guid)
{
    uint8_t o[16];
    static const uint8_t swapped[8] = {3, 2, 1, 0, 5, 4, 7, 6};
    for (size_t i = 0; i < sizeof o; i++)
        o[i] = octets[big_endian || i >= sizeof swapped ? i : swapped[i]];
    guid->data1 = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
    guid->data2 = (uint16_t)(o[4] << 8 | o[5]);
    guid->data3 = (uint16_t)(o[6] << 8 | o[7]);
    memcpy(guid->data4, o + 8, sizeof guid->data4);
}

bool ndr_is_return(const ndr_event *event)
{
    return event->depth == 0 && event->name != NULL && strcmp(event->name, "return") == 0;
}
