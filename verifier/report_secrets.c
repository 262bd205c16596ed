/* report_secrets.c - what calls carry, as files.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <glib/gstdio.h>

#include "rpc/secrets.h"
#include "verifier/report_json.h"

/* A folder that holds so many files of one name holds something else than secrets. */
enum { NUMBERS_MAX = 10000 };

struct report_secrets {
    char          *folder;
    const keyring *ring;
    JsonBuilder   *manifest;
    char          *error;     /* the first that could not be written, and why */
    unsigned       certificates, plain, opened, passwords, sealed;
    /* of the call in hand */
    const char     *capture;
    const rpc_call *call;
    bool            response;
};

report_secrets *report_secrets_new(const char *folder, const keyring *ring, char **error)
{
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        *error = g_strdup_printf("%s cannot be made: %s", folder, g_strerror(errno));
        return NULL;
    }
    report_secrets *s = g_new0(report_secrets, 1);
    s->folder = g_strdup(folder);
    s->ring = ring;
    s->manifest = json_builder_new();
    json_builder_begin_array(s->manifest);
    return s;
}

/* Writes a new file NAME.EXT, NAME-2.EXT and so on, for its owner's eyes; its name for g_free, or NULL with errno. */
static char *write_new(const char *folder, const char *name, const char *extension, const void *data, size_t length)
{
    for (unsigned number = 1; number <= NUMBERS_MAX; number++) {
        char *file = number == 1 ? g_strdup_printf("%s.%s", name, extension) : g_strdup_printf("%s-%u.%s", name, number, extension);
        char *path = g_build_filename(folder, file, NULL);
        int handle = g_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), failure = errno;
        g_free(path);
        if (handle >= 0) {
            FILE *out = fdopen(handle, "wb");
            bool good = out && fwrite(data, 1, length, out) == length;
            failure = errno;
            good = out && fclose(out) == 0 && good;
            if (good)
                return file;
        }
        g_free(file);
        errno = failure;
        if (handle >= 0 || failure != EEXIST)
            return NULL;
    }
    return NULL;
}

/* One entry of the manifest; `file` NULL: it stays wrapped. */
static void note(report_secrets *s, const rpc_secret *secret, uint32_t frame, const char *file)
{
    bool wrapped = secret->kind == RPC_SECRET_WRAPPED;
    JsonBuilder *b = s->manifest;
    char guid[KEY_GUID_TEXT];
    key_guid_text(secret->opened.guid, guid);
    json_builder_begin_object(b);
    report_set_string(b, "file", file);
    report_set_string(b, "kind", rpc_secret_kind_name(secret->kind));
    report_set_string(b, "type", secret->type);
    report_set_string(b, "capture", s->capture);
    report_set_number(b, "frame", frame);
    report_set_string(b, "method", s->call->method->name);
    report_set_number(b, "call_id", s->call->call_id);
    report_set_string(b, "field", secret->field);
    report_set_string(b, "client", s->call->association->client);
    report_set_string(b, "server", s->call->association->server);
    report_set_string(b, "call_state", sec_state_name((s->response ? &s->call->response : &s->call->request)->state));
    if (secret->octets)
        report_set_number(b, "length", (gint64)secret->length);
    if (wrapped)
        report_set_string(b, "key", guid);
    if (rpc_secret_is_sealed(secret->kind)) {
        report_set_string(b, wrapped ? "sid" : "account", secret->owner);
        report_set_string(b, "state", secret->state);
        report_set_string(b, "reason", secret->text);
    }
    json_builder_end_object(b);
}

static void keep(const rpc_secret *secret, void *user)
{
    report_secrets *s = user;
    const rpc_message *m = s->response ? &s->call->response : &s->call->request;
    uint32_t frame = m->first_frame;
    static const struct {
        const char *name, *extension;
    } files[] = {{"certificate", "der"}, {"secret", "bin"}, {"secret", "bin"}, {"password", "txt"}};
    char *name = g_strdup_printf("frame-%06u-%s", frame, files[secret->kind].name), *file = NULL;
    if (secret->octets) {
        file = write_new(s->folder, name, files[secret->kind].extension, secret->octets, secret->length);
        if (!file && !s->error)
            s->error = g_strdup_printf("%s of frame %u cannot be written to %s: %s", rpc_secret_kind_name(secret->kind), frame,
                                       s->folder, g_strerror(errno));
    }
    s->certificates += file && secret->kind == RPC_SECRET_CERTIFICATE;
    s->plain += file && secret->kind == RPC_SECRET_PLAIN;
    s->opened += file && secret->kind == RPC_SECRET_WRAPPED;
    s->passwords += file && secret->kind == RPC_SECRET_PASSWORD;
    s->sealed += !secret->octets;
    if (file || !secret->octets)
        note(s, secret, frame, file);
    g_free(file);
    g_free(name);
}

void report_secrets_add(report_secrets *s, const char *capture, const rpc_call *call)
{
    s->capture = capture;
    s->call = call;
    for (int response = 0; response < 2; response++) {
        s->response = response;
        rpc_secrets(call, response, s->ring, keep, s);
    }
}

static char *write_manifest(report_secrets *s)
{
    JsonGenerator *generator = json_generator_new();
    json_builder_end_array(s->manifest);
    JsonNode *root = json_builder_get_root(s->manifest);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    gsize length;
    char *text = json_generator_to_data(generator, &length);
    char *file = write_new(s->folder, "manifest", "json", text, length);
    g_free(text);
    json_node_unref(root);
    g_object_unref(generator);
    return file;
}

bool report_secrets_end(report_secrets *s, FILE *out, char **error)
{
    char *manifest = write_manifest(s);
    if (!manifest && !s->error)
        s->error = g_strdup_printf("the manifest cannot be written to %s: %s", s->folder, g_strerror(errno));
    fprintf(out, "%u certificate%s, %u secret%s in the clear, %u opened with a backup key", s->certificates,
            s->certificates == 1 ? "" : "s", s->plain, s->plain == 1 ? "" : "s", s->opened);
    if (s->passwords)
        fprintf(out, ", %u password%s with an SMB session's", s->passwords, s->passwords == 1 ? "" : "s");
    fprintf(out, "; %u stay wrapped\n", s->sealed);
    if (manifest)
        fprintf(out, "what each is stands in %s%c%s\n", s->folder, G_DIR_SEPARATOR, manifest);
    bool good = !s->error;
    *error = s->error;
    g_free(manifest);
    g_object_unref(s->manifest);
    g_free(s->folder);
    g_free(s);
    return good;
}
