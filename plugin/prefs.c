/* prefs.c - preferences: the files that hold keys, and a table of keys.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/prefs.h"

#include "plugin/compat.h"

#include <string.h>

#include <epan/prefs-int.h>
#include <epan/prefs.h>
#include <epan/uat.h>
#include <wsutil/report_message.h>

#include "decoders/interfaces.h"
#include "keys/crypto.h"
#include "plugin/takeover.h"

/* A row of the key table: what would be a line `who:secret` of a text file. */
typedef struct {
    char *who, *secret;
} key_row;

static const char *key_files = "";
static key_row    *rows;
static guint       row_count;

UAT_CSTRING_CB_DEF(rows, who, key_row)
UAT_CSTRING_CB_DEF(rows, secret, key_row)

static void *row_copy(void *to, const void *from, size_t length)
{
    (void)length;
    key_row *made = to;
    const key_row *given = from;
    made->who = g_strdup(given->who);
    made->secret = g_strdup(given->secret);
    return made;
}

static void row_free(void *row)
{
    key_row *r = row;
    g_free(r->who);
    if (r->secret)
        crypto_wipe(r->secret, strlen(r->secret));
    g_free(r->secret);
}

static ws_bool row_check(void *row, char **error)
{
    const key_row *r = row;
    *error = NULL;
    if (!r->who || !*r->who || !r->secret || !*r->secret)
        *error = g_strdup("a key needs both its owner and its secret");
    return *error == NULL;
}

static ws_bool show_secrets;

/* The protocols that Wireshark has a dissector of its own for, and whether the user wants that back. */
enum { BUILTINS = 4 };
static struct {
    const char *protocol;
    ws_bool     wanted;
} builtins[BUILTINS];

static void apply(void)
{
    for (size_t i = 0; i < BUILTINS && builtins[i].protocol; i++)
        takeover_give_back(builtins[i].protocol, builtins[i].wanted);
}

static void add_builtins(module_t *module)
{
    size_t count = 0;
    for (const ndr_interface *const *i = interfaces_all; *i && count < BUILTINS; i++) {
        const char *builtin = takeover_builtin((*i)->protocol);
        if (!builtin || (count && strcmp(builtins[count - 1].protocol, (*i)->protocol) == 0))
            continue;
        builtins[count].protocol = (*i)->protocol;
        prefs_register_bool_preference(module, g_strdup_printf("builtin_%s", builtin),
                                       g_strdup_printf("Leave %s to Wireshark's own dissector", (*i)->spec),
                                       g_strdup_printf("Its calls are drawn as %s.*, not as %s.*; verdicts stay", builtin, (*i)->protocol),
                                       &builtins[count].wanted);
        count++;
    }
}

bool prefs_show_secrets(void)
{
    return show_secrets;
}

void prefs_register(int proto)
{
    static uat_field_t columns[] = {
        UAT_FLD_CSTRING(rows, who, "Owner", "DOMAIN\\user, user@REALM or user"),
        UAT_FLD_CSTRING(rows, secret, "Secret", "Password, NT hash in hex, or ETYPE:KEY as in aes256-cts-hmac-sha1-96:0123..."),
        UAT_END_FIELDS,
    };
    module_t *module = prefs_register_protocol(proto, apply);
    prefs_register_filename_preference(
        module, "keys", "Key file",
        "Keys that open sealed DCE/RPC: an MIT keytab, or a text file with lines DOMAIN\\user:password or, as secretsdump "
        "writes them, DOMAIN\\user:RID:LMHASH:NTHASH:::. Several files are separated by ';'. Read anew with each capture.",
        &key_files, FALSE);
    prefs_register_bool_preference(module, "show_secrets", "Show secrets",
                                   "Passwords in calls, and what a domain's DPAPI backup key opens of BackupKey's calls, and the SMB session's of "
                                   "MS-WKST's",
                                   &show_secrets);
    add_builtins(module);
    uat_t *table = uat_new("RPC Lens keys", sizeof(key_row), "rpclens_keys", TRUE, &rows, &row_count, UAT_AFFECTS_DISSECTION, NULL,
                           row_copy, row_check, row_free, NULL, NULL, columns);
    prefs_register_uat_preference(module, "key_table", "Keys", "Passwords, NT hashes and Kerberos keys, one by one", table);
}

/* Said once: keys are read anew with each capture. */
static void report_readable(const char *path)
{
    static GHashTable *said;
    if (!said)
        said = g_hash_table_new(g_str_hash, g_str_equal);
    if (g_hash_table_contains(said, path))
        return;
    g_hash_table_add(said, g_strdup(path));
    report_warning("RPC Lens: %s: other users of this machine can read these keys: chmod 600 it", path);
}

static void report(const key_source *source)
{
    if (source->readable_by_others)
        report_readable(source->path);
    if (source->error)
        report_failure("RPC Lens: %s", source->error);
    for (guint i = 0; i < source->complaints->len; i++) {
        const key_complaint *c = &g_array_index(source->complaints, key_complaint, i);
        report_warning("RPC Lens: %s, %s %" G_GSIZE_FORMAT ": %s", source->path, source->is_text ? "line" : "offset", c->where,
                       c->text);
    }
}

/* The table is the text format with another way to type it. */
static void add_table(keyring *ring)
{
    if (row_count == 0)
        return;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < row_count; i++)
        g_string_append_printf(text, "%s:%s\n", rows[i].who, rows[i].secret);
    keyring_add_memory(ring, "the table of keys", (const uint8_t *)text->str, text->len);
    crypto_wipe(text->str, text->len);
    g_string_free(text, TRUE);
}

static char *setting(const char *module_name, const char *name)
{
    module_t *module = prefs_find_module(module_name);
    pref_t *pref = module ? prefs_find_preference(module, name) : NULL;
    return pref ? prefs_get_string_value(pref, pref_current) : NULL;
}

/* What the user has told Wireshark already: the keytab of Kerberos, and NTLM's one password, which is nobody's by name. */
static void add_wiresharks(keyring *ring)
{
    const char *keytab = setting("kerberos", "file"), *password = setting("ntlmssp", "nt_password");
    if (keytab && *keytab)
        keyring_add_file(ring, keytab);
    if (password && *password)
        keyring_add(ring, KEY_PASSWORD, "*", "", 0, 0, (const uint8_t *)password, strlen(password));
}

keyring *prefs_load_keys(void)
{
    keyring *ring = keyring_new();
    char **paths = g_strsplit(key_files, ";", -1);
    for (char **path = paths; *path; path++)
        if (**path)
            keyring_add_path(ring, *path);
    g_strfreev(paths);
    add_table(ring);
    add_wiresharks(ring);
    for (size_t i = 0; i < keyring_source_count(ring); i++)
        report(keyring_source(ring, i));
    return ring;
}
