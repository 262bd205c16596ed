/* report_keys.c - what was understood of each key source, never the secrets.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

static void print_entry(FILE *out, const key_entry *e)
{
    if (*e->name)
        fprintf(out, "  %s%s%s", e->name, *e->domain ? "@" : "", e->domain);
    fprintf(out, "  %s%s", key_kind_text(e), e->kind == KEY_TICKET ? " session key of a ticket" : e->kind == KEY_SUBKEY ? " subkey" : "");
    if (e->kvno)
        fprintf(out, ", kvno %u", e->kvno);
    char guid[KEY_GUID_TEXT];
    key_guid_text(e->guid, guid);
    if (e->kind == KEY_BACKUP_CLIENT || e->kind == KEY_BACKUP_SERVER)
        fprintf(out, ", %s", strspn(guid, "0-") == strlen(guid) ? "GUID not known" : guid);
    if (e->kind == KEY_SMB_SESSION)
        fprintf(out, " of session 0x%016" G_GINT64_MODIFIER "x", e->session);
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
        if (s->others)
            fprintf(out, "  line %" G_GSIZE_FORMAT "%s: DES keys, cached logons and secrets of the LSA open no call; passed"
                    " over\n", s->first_other, s->others > 1 ? " and others" : "");
        for (guint c = 0; c < s->complaints->len; c++) {
            const key_complaint *complaint = &g_array_index(s->complaints, key_complaint, c);
            fprintf(out, "  %s %" G_GSIZE_FORMAT ": %s\n", s->is_text ? "line" : "offset", complaint->where, complaint->text);
        }
        if (s->readable_by_others)
            fprintf(out, "  warning: other users of this machine can read these keys: chmod 600 it\n");
    }
}
