/* report_keys.c - what was understood of each key source, never the secrets.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

static const char *kind_text(const key_entry *e, char *buffer, size_t size)
{
    switch (e->kind) {
    case KEY_PASSWORD: return "password";
    case KEY_NT_HASH:  return "NT hash";
    case KEY_NTLM_SESSION:  return "NTLM session key";
    case KEY_SMB_SESSION:   return "SMB session key";
    case KEY_BACKUP_CLIENT: return "DPAPI backup key, RSA";
    case KEY_BACKUP_SERVER: return "DPAPI backup key, ServerWrap";
    case KEY_KERBEROS: case KEY_TICKET: case KEY_SUBKEY: break;
    }
    switch (e->etype) {
    case 17: return "aes128-cts-hmac-sha1-96";
    case 18: return "aes256-cts-hmac-sha1-96";
    case 19: return "aes128-cts-hmac-sha256-128";
    case 20: return "aes256-cts-hmac-sha384-192";
    case 23: return "rc4-hmac (an NT hash)";
    default: break;
    }
    g_snprintf(buffer, size, "etype %d", e->etype);
    return buffer;
}

static void print_entry(FILE *out, const key_entry *e)
{
    char buffer[32];
    fprintf(out, "  %s%s%s  %s", e->name, *e->domain ? "@" : "", e->domain, kind_text(e, buffer, sizeof buffer));
    if (e->kvno)
        fprintf(out, ", kvno %u", e->kvno);
    fputc('\n', out);
}

void report_keys(FILE *out, const keyring *ring)
{
    for (size_t i = 0; i < keyring_source_count(ring); i++) {
        const key_source *s = keyring_source(ring, i);
        if (s->error) {
            fprintf(out, "%s\n", s->error);
            continue;
        }
        fprintf(out, "%s: %s, %" G_GSIZE_FORMAT " key%s\n", s->path, s->kind, s->taken, s->taken == 1 ? "" : "s");
        for (size_t k = 0; k < keyring_count(ring); k++)
            if (keyring_entry(ring, k)->source == i)
                print_entry(out, keyring_entry(ring, k));
        for (guint c = 0; c < s->complaints->len; c++) {
            const key_complaint *complaint = &g_array_index(s->complaints, key_complaint, c);
            fprintf(out, "  %s %" G_GSIZE_FORMAT ": %s\n", s->is_text ? "line" : "offset", complaint->where, complaint->text);
        }
        if (s->readable_by_others)
            fprintf(out, "  warning: other users of this machine can read this file: chmod 600 it\n");
    }
}
