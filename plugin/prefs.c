/* prefs.c - preferences: the files that hold keys.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/prefs.h"

#include "plugin/compat.h"

#include <epan/prefs.h>
#include <wsutil/report_message.h>

static const char *key_files = "";

void prefs_register(int proto)
{
    module_t *module = prefs_register_protocol(proto, NULL);
    prefs_register_filename_preference(
        module, "keys", "Key file",
        "Keys that open sealed DCE/RPC: an MIT keytab, or a text file with lines DOMAIN\\user:password or, as secretsdump "
        "writes them, DOMAIN\\user:RID:LMHASH:NTHASH:::. Several files are separated by ';'. Read anew with each capture.",
        &key_files, FALSE);
}

static void report(const key_source *source)
{
    if (source->error)
        report_failure("RPC Lens: %s", source->error);
    for (guint i = 0; i < source->complaints->len; i++) {
        const key_complaint *c = &g_array_index(source->complaints, key_complaint, i);
        report_warning("RPC Lens: %s, %s %" G_GSIZE_FORMAT ": %s", source->path, source->is_text ? "line" : "offset", c->where,
                       c->text);
    }
}

keyring *prefs_load_keys(void)
{
    keyring *ring = keyring_new();
    char **paths = g_strsplit(key_files, ";", -1);
    for (char **path = paths; *path; path++)
        if (**path)
            keyring_add_file(ring, *path);
    g_strfreev(paths);
    for (size_t i = 0; i < keyring_source_count(ring); i++)
        report(keyring_source(ring, i));
    return ring;
}
