/* cmrp_stubs.c - writes a stub of every method of ClusAPI, and what RPC Lens reads out of it, for another decoder to compare.
 *
 *     cmrp_stubs FOLDER     FOLDER/OPNUM.in, .out: a stub; .in.values, .out.values: name, kind, value; the same with 64 in front
 *                           of the direction for NDR64. Version 3.0, as that is what other decoders know.
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

static bool write_stub(const char *folder, const ndr_method *method, uint32_t opnum, bool response, bool ndr64)
{
    const ndr_interface *interface = &cmrp_interface_3;
    GByteArray *octets = encode_stub(interface, method, 0, response, ndr64);
    GByteArray *asked = encode_stub(interface, method, 0, false, ndr64);
    ndr_stub stub = {.data = octets->data, .length = octets->len, .ndr64 = ndr64};
    ndr_stub request = {.data = asked->data, .length = asked->len, .ndr64 = ndr64};
    listing l = {.text = g_string_new(NULL)};
    ndr_result result = response ? ndr_walk_response(interface, method, &stub, &request, list_value, &l)
                                 : ndr_walk_request(interface, method, &stub, list_value, &l);
    char *name = g_strdup_printf("%s/%u.%s%s", folder, opnum, ndr64 ? "64" : "", response ? "out" : "in");
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

int main(int argc, char **argv)
{
    bool ok = argc == 2;
    for (uint32_t opnum = 0; ok && opnum < cmrp_interface_3.method_count; opnum++) {
        const ndr_method *method = &cmrp_interface_3.methods[opnum];
        for (int form = 0; ok && !method->reserved && form < 4; form++)
            ok = write_stub(argv[1], method, opnum, (form & 1) != 0, (form & 2) != 0);
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
