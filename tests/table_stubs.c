/* table_stubs.c - writes stubs of every method of an interface, and what RPC Lens reads out of them, for others to compare.
 *
 *     table_stubs PROTOCOL FOLDER     FOLDER/OPNUM.TAG.SOURCE.in, .out: a stub whose unions have this tag (0 where there are
 *                                     none), by the method's own rows (0) or those of other sources (1 ...); .in.values,
 *                                     .out.values: name, kind, value; the same with 64 in front of the direction for NDR64. Of a
 *                                     protocol's versions the first, as that is what other decoders know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "decoders/interfaces.h"
#include "tests/ndr_encode.h"

typedef struct {
    GString *text;
    unsigned blobs; /* what AS() read is not NDR's: octets stand for it */
} listing;

static const char *kind_of(const ndr_event *event)
{
    if (event->value.text != NULL)
        return event->type->kind == NDR_WSTR ? "text" : "characters";
    if (event->value.octets != NULL)
        return "octets";
    if (event->row->type->kind == NDR_TIME)
        return "number"; /* whatever AS() takes it for */
    if (event->type->kind == NDR_FILETIME)
        return "time";
    return event->type->kind == NDR_HANDLE || event->type->kind == NDR_GUID ? "uuid" : "number";
}

static void list_value(const ndr_event *event, void *user)
{
    listing *l = user;
    if (event->kind == NDR_EV_BEGIN && event->decoded)
        l->blobs++;
    if (event->kind == NDR_EV_END && event->decoded)
        l->blobs--;
    if (event->kind != NDR_EV_VALUE || l->blobs > 0)
        return;
    const char *kind = kind_of(event);
    g_string_append_printf(l->text, "%s\t%s\t", event->name, kind);
    if (strcmp(kind, "number") == 0) {
        g_string_append_printf(l->text, "%" G_GUINT64_FORMAT "\n", event->value.number);
        return;
    }
    char *words = *kind == 'c' ? g_strdup(event->value.text) : ndr_value_text(event);
    g_string_append_printf(l->text, "%s\n", words);
    g_free(words);
}

/* The tag of the unions that arm chooses. */
static uint32_t tag_of(const ndr_field *rows, unsigned arm)
{
    uint32_t tag = 0;
    for (const ndr_field *row = rows; row->type != NULL; row++) {
        const ndr_type *type = row->type;
        while (type->kind == NDR_UNIQUE)
            type = type->of;
        if (type->kind == NDR_UNION)
            return encode_tag(&type->fields[arm % encode_arms(type)]);
        if (type->kind == NDR_STRUCT && tag == 0)
            tag = tag_of(type->fields, arm);
    }
    return tag;
}

typedef struct {
    const char          *folder;
    const ndr_interface *interface;
    uint32_t             opnum;
    unsigned             source, arm;
    ndr_method           writer; /* the method with the source's rows */
} place;

static bool write_stub(const place *p, bool response, bool ndr64)
{
    const ndr_method *method = &p->interface->methods[p->opnum];
    GByteArray *octets = encode_stub(p->interface, &p->writer, p->arm, response, ndr64);
    GByteArray *asked = encode_stub(p->interface, &p->writer, p->arm, false, ndr64);
    ndr_stub stub = {.data = octets->data, .length = octets->len, .ndr64 = ndr64};
    ndr_stub request = {.data = asked->data, .length = asked->len, .ndr64 = ndr64};
    listing l = {.text = g_string_new(NULL)};
    ndr_result result = response ? ndr_walk_response(p->interface, method, &stub, &request, list_value, &l)
                                 : ndr_walk_request(p->interface, method, &stub, list_value, &l);
    char *name = g_strdup_printf("%s/%u.%u.%u.%s%s", p->folder, p->opnum, tag_of(p->writer.params, p->arm), p->source,
                                 ndr64 ? "64" : "", response ? "out" : "in");
    char *values = g_strconcat(name, ".values", NULL);
    bool ok = result.code == NDR_OK && g_file_set_contents(name, (const char *)octets->data, octets->len, NULL) &&
              g_file_set_contents(values, l.text->str, (gssize)l.text->len, NULL);
    if (!ok)
        g_printerr("%s: %s\n", name, result.code != NDR_OK ? ndr_code_text(result.code) : "cannot be written");
    g_free(name);
    g_free(values);
    g_string_free(l.text, TRUE);
    g_byte_array_unref(octets);
    g_byte_array_unref(asked);
    return ok;
}

static bool write_rows(place *p, const ndr_field *params)
{
    p->writer = p->interface->methods[p->opnum];
    p->writer.params = params;
    unsigned arms = encode_most_arms(params);
    for (p->arm = 0; p->arm < arms; p->arm++)
        for (int form = 0; form < 4; form++)
            if (!write_stub(p, (form & 1) != 0, (form & 2) != 0))
                return false;
    return true;
}

static bool write_method(place *p)
{
    const ndr_method *method = &p->interface->methods[p->opnum];
    p->source = 0;
    if (method->reserved)
        return true;
    if (!write_rows(p, method->params))
        return false;
    for (const ndr_other *other = method->others; other != NULL && other->name != NULL; other++) {
        p->source++;
        if (other->params != NULL && !write_rows(p, other->params))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    place p = {.folder = argc == 3 ? argv[2] : NULL, .interface = argc == 3 ? interfaces_of_protocol(argv[1]) : NULL};
    bool ok = p.interface != NULL;
    for (; ok && p.opnum < p.interface->method_count; p.opnum++)
        ok = write_method(&p);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
