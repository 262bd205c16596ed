/* main.c - rpclens: calls, verdicts, keys and rules on the command line.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <string.h>
#include <sys/resource.h>

#include <glib.h>

#include "verifier/capture.h"
#include "verifier/report.h"

enum { EXIT_CLEAN = 0, EXIT_BROKEN = 1, EXIT_FAILED = 2 };

static const char usage[] =
    "rpclens decodes, decrypts and verifies Windows RPC in captures.\n"
    "\n"
    "  rpclens calls  [-k KEYS]... [--format text|jsonl] [--stubs] CAPTURE...\n"
    "  rpclens verify [-k KEYS]... [--format text|json] [--strict] CAPTURE...\n"
    "  rpclens secrets [-k KEYS]... --out DIR CAPTURE...\n"
    "  rpclens keys   KEYS...\n"
    "  rpclens keys   --explain [-k KEYS]... CAPTURE...\n"
    "  rpclens rules\n"
    "\n"
    "KEYS is an MIT keytab, a credential cache or kirbi, a text file with lines DOMAIN\\user:password or what secretsdump\n"
    "prints, a domain's DPAPI backup key (LSA secret, PVK, PEM), or a folder of such files. A file's kind is told by its\n"
    "content.\n"
    "\n"
    "  -k, --keys KEYS   open sealed calls with these keys; may be given several times\n"
    "  --format FORMAT   calls: text or jsonl, one call a line; verify: text or json\n"
    "  --stubs           calls, jsonl: with the plaintext stubs in hex\n"
    "  --show-secrets    calls: with the passwords in calls, and the secrets sealed inside calls that a key opens\n"
    "  --out DIR         secrets: writes certificates, secrets and passwords that calls carry to this folder, with a\n"
    "                    manifest.json; nothing there is overwritten\n"
    "  --explain         keys: which key each security context of a capture needs, and whether it is held\n"
    "  --strict          verify: exit with 1 also for warnings\n"
    "  -h, --help        this text; --version tells the version\n"
    "\n"
    "verify exits with 0 when no rule is violated, 1 when one is, 2 when the work could not be done.\n";

static int fail(const char *format, ...) G_GNUC_PRINTF(1, 2);
static int fail(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("rpclens: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return EXIT_FAILED;
}

/* ------------------------------------------------------------------------------------------------------- options */

typedef struct {
    char   **keys;
    char    *format;
    char    *out;
    gboolean stubs, strict, explain, secrets;
    char   **files;
} options;

/* The options of a verb; false: they are wrong, and that was said. */
static bool parse(const char *verb, int argc, char **argv, options *o)
{
    GOptionEntry entries[] = {
        {"keys", 'k', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->keys, NULL, NULL},
        {"format", 0, 0, G_OPTION_ARG_STRING, &o->format, NULL, NULL},
        {"stubs", 0, 0, G_OPTION_ARG_NONE, &o->stubs, NULL, NULL},
        {"strict", 0, 0, G_OPTION_ARG_NONE, &o->strict, NULL, NULL},
        {"show-secrets", 0, 0, G_OPTION_ARG_NONE, &o->secrets, NULL, NULL},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &o->out, NULL, NULL},
        {"explain", 0, 0, G_OPTION_ARG_NONE, &o->explain, NULL, NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionContext *context = g_option_context_new(NULL);
    GError *error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    bool good = g_option_context_parse(context, &argc, &argv, &error);
    if (!good)
        fail("%s: %s; see rpclens --help", verb, error->message);
    g_clear_error(&error);
    g_option_context_free(context);
    return good;
}

static void options_clear(options *o)
{
    g_strfreev(o->keys);
    g_strfreev(o->files);
    g_free(o->format);
    g_free(o->out);
}

static void warn_of(const key_source *s)
{
    if (s->error)
        fprintf(stderr, "rpclens: %s\n", s->error);
    for (guint i = 0; i < s->complaints->len; i++) {
        const key_complaint *c = &g_array_index(s->complaints, key_complaint, i);
        fprintf(stderr, "rpclens: %s, %s %" G_GSIZE_FORMAT ": %s\n", s->path, s->is_text ? "line" : "offset", c->where, c->text);
    }
    if (s->readable_by_others)
        fprintf(stderr, "rpclens: %s: other users of this machine can read these keys: chmod 600 it\n", s->path);
}

/* From now on a crash writes no core file: it would have the keys in it. */
static void forbid_core(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* A key file that cannot be read is said, and the work goes on without it; the calls it would have opened say so again. */
static keyring *load_keys(const options *o)
{
    if (o->keys)
        forbid_core();
    keyring *ring = keyring_new();
    for (char **path = o->keys; path && *path; path++)
        keyring_add_path(ring, *path);
    for (size_t i = 0; i < keyring_source_count(ring); i++)
        warn_of(keyring_source(ring, i));
    return ring;
}

/* ---------------------------------------------------------------------------------------------------------- verbs */

/* Reads all captures; false if any could not be read at all. */
static bool read_all(char **files, feed_program *program)
{
    bool good = true;
    for (; *files; files++) {
        char *error = NULL;
        if (!capture_read(*files, program, true, &error))
            good = false;
        if (error)
            fail("%s", error);
        g_free(error);
    }
    return good;
}

static bool start(const char *program_path)
{
    char *error = NULL;
    if (capture_start(program_path, &error))
        return true;
    fail("%s", error);
    return false;
}

typedef struct {
    report_options      report;
    const feed_program *program;
    bool                json;
} calls_state;

static void print_call(rpc_call *call, void *user)
{
    calls_state *s = user;
    s->report.handles = feed_handles();
    if (s->json)
        report_call_jsonl(stdout, s->program->label, call, &s->report);
    else
        report_call_text(stdout, call, &s->report);
}

static int run_calls(const char *program_path, const options *o)
{
    calls_state s = {.json = g_strcmp0(o->format, "jsonl") == 0};
    if (o->format && !s.json && strcmp(o->format, "text") != 0)
        return fail("calls: --format is text or jsonl, not %s", o->format);
    if (!o->files)
        return fail("calls: name a capture; see rpclens --help");
    if (o->strict)
        return fail("calls: --strict belongs to verify");
    keyring *ring = load_keys(o);
    s.report = (report_options){.ring = ring, .stubs = o->stubs, .secrets = o->secrets};
    feed_program program = {.ring = ring, .options = {.forget = true, .keep_stubs = true}, .user = &s, .finished = print_call};
    s.program = &program;
    bool good = start(program_path) && read_all(o->files, &program);
    keyring_free(ring);
    return good ? EXIT_CLEAN : EXIT_FAILED;
}

static int verdict_status(const verifier *v, bool strict)
{
    for (size_t i = 0; i < verifier_finding_count(v); i++) {
        rule_verdict verdict = verifier_finding(v, i)->verdict;
        if (verdict == VERDICT_VIOLATION || (strict && verdict == VERDICT_WARNING))
            return EXIT_BROKEN;
    }
    return EXIT_CLEAN;
}

static int run_verify(const char *program_path, const options *o)
{
    bool json = g_strcmp0(o->format, "json") == 0;
    if (o->format && !json && strcmp(o->format, "text") != 0)
        return fail("verify: --format is text or json, not %s", o->format);
    if (!o->files)
        return fail("verify: name a capture; see rpclens --help");
    if (o->stubs)
        return fail("verify: --stubs belongs to calls");
    keyring *ring = load_keys(o);
    verifier *v = verifier_new(NULL, NULL);
    feed_program program = {.ring = ring, .judge = v, .options = {.forget = true}};
    int status = start(program_path) && read_all(o->files, &program) ? verdict_status(v, o->strict) : EXIT_FAILED;
    if (json)
        report_verdict_json(stdout, v, o->files);
    else
        report_verdict_text(stdout, v, o->files);
    verifier_free(v);
    keyring_free(ring);
    return status;
}

typedef struct {
    report_contexts    *contexts;
    const feed_program *program;
} explain_state;

static void explain_call(rpc_call *call, void *user)
{
    report_contexts_add(((explain_state *)user)->contexts, call);
}

static void explain_capture(void *user)
{
    explain_state *s = user;
    report_contexts_print(s->contexts, s->program->label);
}

static int run_explain(const char *program_path, const options *o)
{
    if (!o->files)
        return fail("keys --explain: name a capture; see rpclens --help");
    keyring *ring = load_keys(o);
    explain_state s = {.contexts = report_contexts_new(stdout)};
    feed_program program = {.ring = ring, .options = {.forget = true}, .user = &s, .finished = explain_call,
                            .ended = explain_capture};
    s.program = &program;
    bool good = start(program_path) && read_all(o->files, &program);
    report_contexts_free(s.contexts);
    keyring_free(ring);
    return good ? EXIT_CLEAN : EXIT_FAILED;
}

typedef struct {
    report_secrets     *secrets;
    const feed_program *program;
} secrets_state;

static void keep_secrets(rpc_call *call, void *user)
{
    secrets_state *s = user;
    report_secrets_add(s->secrets, s->program->label, call);
}

static int run_secrets(const char *program_path, const options *o)
{
    char *error = NULL;
    if (!o->files || !o->out)
        return fail("secrets: name a capture, and with --out a folder; see rpclens --help");
    keyring *ring = load_keys(o);
    secrets_state s = {.secrets = report_secrets_new(o->out, ring, &error)};
    feed_program program = {.ring = ring, .options = {.forget = true}, .user = &s, .finished = keep_secrets};
    s.program = &program;
    bool good = s.secrets && start(program_path) && read_all(o->files, &program);
    if (s.secrets)
        good &= report_secrets_end(s.secrets, stdout, &error);
    if (error)
        fail("%s", error);
    g_free(error);
    keyring_free(ring);
    return good ? EXIT_CLEAN : EXIT_FAILED;
}

static int run_keys(const options *o)
{
    if (!o->files)
        return fail("keys: name a key file; see rpclens --help");
    if (o->keys)
        return fail("keys: -k goes with --explain; name key files without it");
    forbid_core();
    keyring *ring = keyring_new();
    bool good = true;
    for (char **path = o->files; *path; path++)
        good &= keyring_add_path(ring, *path);
    report_keys(stdout, ring);
    keyring_free(ring);
    return good ? EXIT_CLEAN : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    const char *verb = argc > 1 ? argv[1] : NULL;
    if (!verb)
        return fputs(usage, stderr), EXIT_FAILED;
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || (argc > 2 && strcmp(argv[2], "--help") == 0))
        return fputs(usage, stdout), EXIT_CLEAN;
    if (strcmp(verb, "--version") == 0)
        return puts("rpclens " RPCLENS_VERSION), EXIT_CLEAN;
    options o = {0};
    int status = EXIT_FAILED;
    if (parse(verb, argc - 1, argv + 1, &o)) {
        if (strcmp(verb, "calls") == 0)
            status = run_calls(argv[0], &o);
        else if (strcmp(verb, "verify") == 0)
            status = run_verify(argv[0], &o);
        else if (strcmp(verb, "secrets") == 0)
            status = run_secrets(argv[0], &o);
        else if (strcmp(verb, "keys") == 0)
            status = o.explain ? run_explain(argv[0], &o) : run_keys(&o);
        else if (strcmp(verb, "rules") == 0)
            status = (report_rules(stdout), EXIT_CLEAN);
        else
            status = fail("there is no verb %s; see rpclens --help", verb);
    }
    options_clear(&o);
    return status;
}
