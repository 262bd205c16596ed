/* wireshark_keys.c - Wireshark reads keys from keytab files only, so an NT hash goes to it in a keytab (etype 23) that exists
 * for the moment in which it is read.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/wireshark_keys.h"

#include <string.h>

#include <glib/gstdio.h>

#include "keys/crypto.h"
#include "keys/etype.h"
#include "plugin/compat.h"

#include <epan/prefs.h>

enum { NT_HASH = 16 };

static void put16(GByteArray *out, uint16_t value)
{
    uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    g_byte_array_append(out, octets, sizeof octets);
}

static void put32(GByteArray *out, uint32_t value)
{
    put16(out, (uint16_t)(value >> 16));
    put16(out, (uint16_t)value);
}

static void put_text(GByteArray *out, const char *text)
{
    uint16_t length = (uint16_t)MIN(strlen(text), UINT16_MAX);
    put16(out, length);
    g_byte_array_append(out, (const guint8 *)text, length);
}

/* One entry of keytab format 0x0502: size, component count, realm, components, name type, time, kvno, key. */
static void put_entry(GByteArray *out, const key_entry *entry, const uint8_t hash[NT_HASH])
{
    guint at = out->len;
    put32(out, 0);
    put16(out, 1);
    put_text(out, *entry->domain ? entry->domain : "*");
    put_text(out, entry->name);
    put32(out, 1);
    put32(out, 0);
    g_byte_array_append(out, (const guint8 *)"", 1);
    put16(out, ETYPE_RC4_HMAC);
    put16(out, NT_HASH);
    g_byte_array_append(out, hash, NT_HASH);
    uint32_t size = out->len - at - 4;
    uint8_t octets[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(out->data + at, octets, sizeof octets);
}

static bool nt_hash(const key_entry *entry, uint8_t hash[NT_HASH])
{
    switch (entry->kind) {
    case KEY_NT_HASH:
        memcpy(hash, entry->octets, NT_HASH);
        return true;
    case KEY_KERBEROS:
        if (entry->etype == ETYPE_RC4_HMAC && entry->length == NT_HASH)
            memcpy(hash, entry->octets, NT_HASH);
        return entry->etype == ETYPE_RC4_HMAC && entry->length == NT_HASH;
    case KEY_PASSWORD:
        return etype_nt_hash(entry->octets, entry->length, hash);
    default:
        return false;
    }
}

static void hand_over(const GByteArray *keytab)
{
    char *path = NULL;
    int fd = g_file_open_tmp("rpclens-XXXXXX", &path, NULL);
    if (fd < 0)
        return;
    g_close(fd, NULL);
    if (g_file_set_contents_full(path, (const char *)keytab->data, (gssize)keytab->len, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
        read_keytab_file(path);
    g_unlink(path);
    g_free(path);
}

void wireshark_keys_give(const key_entry *entry)
{
    static GHashTable *given; /* digests of what Wireshark has: it never forgets a key */
    uint8_t hash[NT_HASH];
    if (!given)
        given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!nt_hash(entry, hash))
        return;
    if (g_hash_table_add(given, g_compute_checksum_for_data(G_CHECKSUM_SHA256, hash, NT_HASH))) {
        GByteArray *keytab = g_byte_array_new();
        put16(keytab, 0x0502);
        put_entry(keytab, entry, hash);
        hand_over(keytab);
        crypto_wipe(keytab->data, keytab->len);
        g_byte_array_unref(keytab);
    }
    crypto_wipe(hash, sizeof hash);
}

/* The table's columns are session id (as on the wire, little-endian), session key, and two keys that Wireshark derives itself. */
void wireshark_keys_smb(uint64_t session, const uint8_t *key, size_t length)
{
    static GHashTable *given; /* sessions Wireshark knows: a capture may be read again */
    if (!given)
        given = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (!g_hash_table_add(given, g_memdup2(&session, sizeof session)))
        return;
    GString *record = g_string_new("uat:smb2_seskey_list:");
    for (int i = 0; i < 8; i++)
        g_string_append_printf(record, "%02x", (unsigned)(session >> 8 * i & 0xff));
    g_string_append_c(record, ',');
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(record, "%02x", key[i]);
    g_string_append(record, ",\"\",\"\"");
    char *error = NULL;
    prefs_set_pref(record->str, &error);
    g_free(error);
    crypto_wipe(record->str, record->len);
    g_string_free(record, TRUE);
}

void wireshark_keys_smb_given(const keyring *ring)
{
    for (size_t i = 0; i < keyring_count(ring); i++) {
        const key_entry *entry = keyring_entry(ring, i);
        if (entry->kind == KEY_SMB_SESSION)
            wireshark_keys_smb(entry->session, entry->octets, entry->length);
    }
}
