/* keys_ring_test.c - key files and the order in which keys are offered. The keytabs are made here, octet by octet.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include <glib/gstdio.h>

#include "keys/etype.h"
#include "keys/keyring.h"

/* ---- keytabs ---- */

typedef struct {
    GByteArray *octets;
    bool        version_1, little;
} writer;

static void put(writer *w, uint32_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++) {
        guint8 octet = (guint8)(value >> 8 * (w->little ? i : octets - 1 - i));
        g_byte_array_append(w->octets, &octet, 1);
    }
}

static void put_text(writer *w, const char *text)
{
    put(w, (uint32_t)strlen(text), 2);
    g_byte_array_append(w->octets, (const guint8 *)text, (guint)strlen(text));
}

static writer begin(bool version_1, bool little)
{
    writer w = {g_byte_array_new(), version_1, little};
    put(&w, 5, 1);
    put(&w, version_1 ? 1 : 2, 1);
    return w;
}

/* One entry with a key of `length` octets `fill`; `wide` is the kvno's second place, 0: none. */
static void put_entry(writer *w, const char *realm, const char *first, const char *second, int etype, uint8_t fill,
                      unsigned length, uint32_t wide)
{
    writer entry = {g_byte_array_new(), w->version_1, w->little};
    put(&entry, (second ? 2 : 1) + w->version_1, 2);
    put_text(&entry, realm);
    put_text(&entry, first);
    if (second)
        put_text(&entry, second);
    if (!w->version_1)
        put(&entry, 1, 4);
    put(&entry, 0x5f000000, 4);
    put(&entry, 7, 1);
    put(&entry, (uint32_t)etype, 2);
    put(&entry, length, 2);
    for (unsigned i = 0; i < length; i++)
        put(&entry, fill, 1);
    if (wide)
        put(&entry, wide, 4);
    put(w, entry.octets->len, 4);
    g_byte_array_append(w->octets, entry.octets->data, entry.octets->len);
    g_byte_array_free(entry.octets, TRUE);
}

static void put_hole(writer *w, unsigned length)
{
    put(w, (uint32_t)-(int32_t)length, 4);
    for (unsigned i = 0; i < length; i++)
        put(w, 0xdd, 1);
}

static keyring *read_octets(const void *data, size_t length)
{
    keyring *ring = keyring_new();
    uint8_t *exact = g_memdup2(data, length);
    keyring_add_memory(ring, "file", exact, length);
    g_free(exact);
    g_assert_cmpuint(keyring_source_count(ring), ==, 1);
    return ring;
}

static keyring *read_keytab(writer *w)
{
    keyring *ring = read_octets(w->octets->data, w->octets->len);
    g_byte_array_free(w->octets, TRUE);
    return ring;
}

static keyring *read_text(const char *text)
{
    return read_octets(text, strlen(text));
}

static void expect_entry(const keyring *ring, size_t index, key_kind kind, const char *domain, const char *name)
{
    const key_entry *entry = keyring_entry(ring, index);
    g_assert_nonnull(entry);
    g_assert_cmpint(entry->kind, ==, kind);
    g_assert_cmpstr(entry->domain, ==, domain);
    g_assert_cmpstr(entry->name, ==, name);
}

static const char *complaint(const keyring *ring, guint index, size_t where)
{
    const GArray *complaints = keyring_source(ring, 0)->complaints;
    g_assert_cmpuint(complaints->len, >, index);
    const key_complaint *c = &g_array_index(complaints, key_complaint, index);
    g_assert_cmpuint(c->where, ==, where);
    return c->text;
}

static void test_keytab(void)
{
    for (int kind = 0; kind < 3; kind++) { /* version 2, version 1 in both byte orders */
        writer w = begin(kind > 0, kind == 2);
        put_entry(&w, "CORP.EXAMPLE", "cifs", "dc.corp.example", 18, 0xa1, 32, 0);
        put_hole(&w, 30);
        put_entry(&w, "CORP.EXAMPLE", "DC$", NULL, 23, 0xa2, 16, 300);
        put_entry(&w, "CORP.EXAMPLE", "DC$", NULL, 23, 0xa2, 16, 300);
        put_entry(&w, "CORP.EXAMPLE", "Jörg", NULL, 17, 0xa3, 16, 0);
        keyring *ring = read_keytab(&w);
        g_assert_cmpstr(keyring_source(ring, 0)->kind, ==, "MIT keytab");
        g_assert_null(keyring_source(ring, 0)->error);
        g_assert_cmpuint(keyring_source(ring, 0)->complaints->len, ==, 0);
        g_assert_cmpuint(keyring_source(ring, 0)->taken, ==, 4);
        g_assert_cmpuint(keyring_count(ring), ==, 3); /* the duplicate is one */
        expect_entry(ring, 0, KEY_KERBEROS, "CORP.EXAMPLE", "cifs/dc.corp.example");
        g_assert_cmpuint(keyring_entry(ring, 0)->kvno, ==, 7);
        g_assert_cmpuint(keyring_entry(ring, 0)->length, ==, 32);
        g_assert_cmphex(keyring_entry(ring, 0)->octets[31], ==, 0xa1);
        expect_entry(ring, 1, KEY_KERBEROS, "CORP.EXAMPLE", "DC$");
        g_assert_cmpuint(keyring_entry(ring, 1)->kvno, ==, 300);
        expect_entry(ring, 2, KEY_KERBEROS, "CORP.EXAMPLE", "Jörg");
        keyring_free(ring);
    }
}

static void test_keytab_malformed(void)
{
    writer w = begin(false, false);
    put(&w, 6, 4); /* too small for its realm */
    put(&w, 1, 2);
    put(&w, 500, 2);
    put(&w, 0, 2);
    size_t short_key = w.octets->len;
    put_entry(&w, "R", "alice", NULL, 18, 1, 31, 0);
    size_t nameless = w.octets->len;
    put_entry(&w, "R", "", NULL, 18, 1, 32, 0);
    put_entry(&w, "R", "good", NULL, 18, 1, 32, 0);
    put_entry(&w, "R", "unknown type", NULL, 999, 1, 5, 0);
    size_t end = w.octets->len;
    put(&w, 100, 4);
    keyring *ring = read_keytab(&w);
    g_assert_cmpuint(keyring_count(ring), ==, 2);
    expect_entry(ring, 0, KEY_KERBEROS, "R", "good");
    g_assert_nonnull(strstr(complaint(ring, 0, 2), "beyond its end"));
    g_assert_nonnull(strstr(complaint(ring, 1, short_key), "31 octets, not 32"));
    g_assert_nonnull(strstr(complaint(ring, 2, nameless), "no name"));
    g_assert_nonnull(strstr(complaint(ring, 3, end), "claims 100 octets, but 0 are left"));
    keyring_free(ring);
}

static void test_keytab_truncated(void)
{
    writer w = begin(false, false);
    put_entry(&w, "CORP.EXAMPLE", "cifs", "dc.corp.example", 18, 0xa1, 32, 5);
    put_hole(&w, 9);
    put_entry(&w, "CORP.EXAMPLE", "DC$", NULL, 23, 0xa2, 16, 0);
    for (guint length = 0; length <= w.octets->len; length++) {
        keyring *ring = read_octets(w.octets->data, length);
        const key_source *source = keyring_source(ring, 0);
        g_assert_cmpuint(keyring_count(ring), <=, 2);
        g_assert_true((source->error == NULL) == (keyring_count(ring) > 0));
        keyring_free(ring);
    }
    for (guint at = 0; at < w.octets->len; at++) /* every octet at its extremes */
        for (int value = 0; value < 256; value += 51) {
            uint8_t kept = w.octets->data[at];
            w.octets->data[at] = (uint8_t)value;
            keyring_free(read_octets(w.octets->data, w.octets->len));
            w.octets->data[at] = kept;
        }
    g_byte_array_free(w.octets, TRUE);
}

/* ---- text ---- */

static void test_text(void)
{
    keyring *ring = read_text("\xef\xbb\xbf# a comment\r\n\n"
                              "CORP\\alice:Pass:word #1 \r\n"
                              "bob@CORP.EXAMPLE:secret\n"
                              "  carol:\n"
                              "CORP\\Admin:500:aad3b435b51404eeaad3b435b51404ee:c5d73fd255b69aad0b8be3420b2b03c8:::\n"
                              "dave:0123456789abcdef0123456789ABCDEF\n"
                              "DC1$:aes128-cts-hmac-sha1-96:000102030405060708090a0b0c0d0e0f\n"
                              "*:J\xc3\xb6rg");
    g_assert_cmpstr(keyring_source(ring, 0)->kind, ==, "text");
    g_assert_true(keyring_source(ring, 0)->is_text);
    g_assert_cmpuint(keyring_source(ring, 0)->complaints->len, ==, 0);
    g_assert_cmpuint(keyring_count(ring), ==, 8);
    expect_entry(ring, 0, KEY_PASSWORD, "CORP", "alice");
    g_assert_cmpmem(keyring_entry(ring, 0)->octets, keyring_entry(ring, 0)->length, "Pass:word #1 ", 13);
    expect_entry(ring, 1, KEY_PASSWORD, "CORP.EXAMPLE", "bob");
    expect_entry(ring, 2, KEY_PASSWORD, "", "carol");
    g_assert_cmpuint(keyring_entry(ring, 2)->length, ==, 0);
    expect_entry(ring, 3, KEY_NT_HASH, "CORP", "Admin");
    g_assert_cmphex(keyring_entry(ring, 3)->octets[0], ==, 0xc5);
    expect_entry(ring, 4, KEY_NT_HASH, "", "dave");
    expect_entry(ring, 5, KEY_PASSWORD, "", "dave");
    expect_entry(ring, 6, KEY_KERBEROS, "", "DC1$");
    g_assert_cmpint(keyring_entry(ring, 6)->etype, ==, 17);
    expect_entry(ring, 7, KEY_PASSWORD, "", "*");
    keyring_free(ring);
}

/* What secretsdump prints, shortened. Its output for a real domain is test-captures/lab.secretsdump-full.txt. */
static void test_text_dump(void)
{
    keyring *ring = read_text("Impacket v0.10.0 - Copyright 2022 SecureAuth Corporation\n\n"
                              "[*] Dumping Domain Credentials (domain\\uid:rid:lmhash:nthash)\n"
                              "[2022-01-01 10:11:12] [*] Target system bootKey: 0x00112233445566778899aabbccddeeff\n"
                              "CORP\\alice:1103:aad3b435b51404eeaad3b435b51404ee:c5d73fd255b69aad0b8be3420b2b03c8::: (status=Enabled)\n"
                              "CORP\\alice_history0:1103:aad3b435b51404eeaad3b435b51404ee:00112233445566778899aabbccddeeff:::\n"
                              "CORP\\DC1$:plain_password_hex:500061007300730077006f0072006400\n"
                              "CORP\\DC1$:aad3b435b51404eeaad3b435b51404ee:00112233445566778899aabbccddee00:::\n"
                              "[*] DPAPI_SYSTEM \n"
                              "dpapi_machinekey:0x0102030405\n"
                              "dpapi_userkey:0x0102030405\n"
                              " 0000   E8 6F 97 52 3A 3B 3C 3D  40 41 42 43 44 45 46 47   .o.R:;<=@ABCDEFG\n"
                              " 0010   3A 3A                                              ::\n"
                              "NL$KM:0011\n"
                              "CORP/bob:$DCC2$10240#bob#0011:(2022-01-01)\n"
                              "Security Questions for user S-1-5-21-1: \n - Version : 1\n"
                              " | Question: Who: what?\n | |--> Answer: a\n"
                              "L$RTMTIMEBOMB_1:0011223344556677\n"
                              "CORP\\carol:CLEARTEXT:a:b \n"
                              "CORP\\alice:aes256-cts-hmac-sha1-96:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                              "CORP\\alice:des-cbc-md5:0011223344556677\n"
                              "CORP\\alice:0x13:000102030405060708090a0b0c0d0e0f\n"
                              "CORP\\alice:0xffffff00:0001020304050607\n"
                              "CORP\\alice:rc4_hmac:000102030405060708090a0b0c0d0e0f\n"
                              "$MACHINE.ACC: aad3b435b51404eeaad3b435b51404ee:00112233445566778899aabbccddee01\n"
                              "(Unknown User):of a service\n"
                              "[*] Cleaning up... \n");
    static const struct {
        key_kind    kind;
        const char *domain, *name, *octets;
        int32_t     etype;
    } due[] = {
        {KEY_NT_HASH, "CORP", "alice", "\xc5\xd7", 0},
        {KEY_NT_HASH, "CORP", "alice", "\x00\x11\x22", 0},
        /* [MS-NLMP] 4.2.2.1.2: NTOWF of "Password" */
        {KEY_NT_HASH, "CORP", "DC1$", "\xa4\xf4\x9c\x40\x65\x10\xbd\xca\xb6\x82\x4e\xe7\xc3\x0f\xd8\x52", 0},
        {KEY_PASSWORD, "CORP", "DC1$", "Password", 0},
        {KEY_NT_HASH, "CORP", "DC1$", "\x00\x11\x22", 0},
        {KEY_PASSWORD, "CORP", "carol", "a:b ", 0},
        {KEY_KERBEROS, "CORP", "alice", "\x00\x01", 18},
        {KEY_KERBEROS, "CORP", "alice", "\x00\x01", 19},
        {KEY_KERBEROS, "CORP", "alice", "\x00\x01", 23},
        {KEY_NT_HASH, "", "*", "\x00\x11\x22", 0},
        {KEY_PASSWORD, "", "*", "of a service", 0},
    };
    g_assert_cmpuint(keyring_source(ring, 0)->complaints->len, ==, 0);
    g_assert_cmpuint(keyring_source(ring, 0)->others, ==, 7);
    g_assert_cmpuint(keyring_source(ring, 0)->first_other, ==, 10);
    for (size_t i = 0; i < G_N_ELEMENTS(due); i++) {
        const key_entry *entry = keyring_entry(ring, i);
        expect_entry(ring, i, due[i].kind, due[i].domain, due[i].name);
        g_assert_cmpint(entry->etype, ==, due[i].etype);
        if (entry->kind == KEY_PASSWORD)
            g_assert_cmpuint(entry->length, ==, strlen(due[i].octets));
        g_assert_cmpint(memcmp(entry->octets, due[i].octets, MAX(strlen(due[i].octets), 2)), ==, 0);
    }
    g_assert_cmpuint(keyring_count(ring), ==, G_N_ELEMENTS(due));
    keyring_free(ring);
    ring = read_text("CORP\\DC1$:plain_password_hex:500\nCORP\\DC1$:plain_password_hex:zz00\n");
    g_assert_nonnull(strstr(complaint(ring, 0, 1), "UTF-16LE in hexadecimal"));
    g_assert_nonnull(strstr(complaint(ring, 1, 2), "UTF-16LE in hexadecimal"));
    keyring_free(ring);
    ring = read_text("NL$KM:0011\nCORP/bob:$DCC2$10240#bob#0011\n");
    g_assert_nonnull(strstr(keyring_source(ring, 0)->error, "opens no call"));
    keyring_free(ring);
}

/* A machine's password need not be UTF-16: pairs are joined, halves become U+FFFD, wherever they stand. */
static void test_text_machine(void)
{
    static const struct {
        const char *line, *utf8;
    } rows[] = {
        {"M$:plain_password_hex:410042d801dc", "A\xf0\xa0\xa0\x81"},
        {"M$:plain_password_hex:42d84100", "\xef\xbf\xbd" "A"},
        {"M$:plain_password_hex:01dc4100", "\xef\xbf\xbd" "A"},
        {"M$:plain_password_hex:42d842d801dc", "\xef\xbf\xbd\xf0\xa0\xa0\x81"},
        {"M$:plain_password_hex:ff07410042d8", "\xdf\xbf" "A\xef\xbf\xbd"},
        {"M$:CLEARTEXT:0x4100420043004400ffff42d8", "ABCD\xef\xbf\xbf\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        keyring *ring = read_text(rows[i].line);
        g_assert_cmpuint(keyring_count(ring), ==, 2);
        expect_entry(ring, 0, KEY_NT_HASH, "", "M$");
        expect_entry(ring, 1, KEY_PASSWORD, "", "M$");
        g_assert_cmpmem(keyring_entry(ring, 1)->octets, keyring_entry(ring, 1)->length, rows[i].utf8, strlen(rows[i].utf8));
        keyring_free(ring);
    }
}

static void test_text_sessions(void)
{
    keyring *ring = read_text("ntlm-session-key 000102030405060708090a0b0c0d0e0f\n"
                              " kerberos-subkey 17\t000102030405060708090A0B0C0D0E0F \r\n"
                              "kerberos-ticket-key aes128-cts-hmac-sha1-96 000102030405060708090a0b0c0d0e0f\n"
                              "smb-session-key 0x0000400000000011 000102030405060708090a0b0c0d0e0f\n"
                              "ntlm-session-key:a password of a user of that name\n");
    g_assert_cmpuint(keyring_source(ring, 0)->complaints->len, ==, 0);
    static const key_kind kinds[] = {KEY_NTLM_SESSION, KEY_SUBKEY, KEY_TICKET, KEY_SMB_SESSION};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        expect_entry(ring, i, kinds[i], "", "");
        g_assert_cmpuint(keyring_entry(ring, i)->length, ==, 16);
        g_assert_cmphex(keyring_entry(ring, i)->octets[15], ==, 15);
    }
    g_assert_cmpint(keyring_entry(ring, 1)->etype, ==, 17);
    g_assert_cmpint(keyring_entry(ring, 2)->etype, ==, 17);
    g_assert_cmphex(keyring_entry(ring, 3)->session, ==, 0x400000000011);
    expect_entry(ring, 4, KEY_PASSWORD, "", "ntlm-session-key");
    keyring_free(ring);

    static const char *const bad[] = {"ntlm-session-key", "ntlm-session-key 00", "ntlm-session-key 000102030405060708090a0b0c0d0e0f x",
                                      "kerberos-subkey 18 000102030405060708090a0b0c0d0e0f", "kerberos-subkey", "smb-session-key 1",
                                      "kerberos-subkey xyz 000102030405060708090a0b0c0d0e0f",
                                      "smb-session-key 1x 000102030405060708090a0b0c0d0e0f"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        ring = read_text(bad[i]);
        g_assert_cmpuint(keyring_count(ring), ==, 0);
        g_assert_nonnull(strstr(complaint(ring, 0, 1), "is followed by"));
        keyring_free(ring);
    }
}

static void test_folder(void)
{
    char *folder = g_dir_make_tmp("rpclens-XXXXXX", NULL);
    static const char *const names[] = {"b.txt", "a.txt", ".hidden", "image"};
    static const char *const texts[] = {"bob:x\n", "alice:y\n", "carol:z\n", "\177ELF\0"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *path = g_build_filename(folder, names[i], NULL);
        g_assert_true(g_file_set_contents(path, texts[i], i == 3 ? 6 : -1, NULL));
        g_free(path);
    }
    keyring *ring = keyring_new();
    g_assert_true(keyring_add_path(ring, folder));
    g_assert_cmpuint(keyring_source_count(ring), ==, 3);
    g_assert_cmpuint(keyring_count(ring), ==, 2);
    expect_entry(ring, 0, KEY_PASSWORD, "", "alice");
    expect_entry(ring, 1, KEY_PASSWORD, "", "bob");
    g_assert_nonnull(strstr(keyring_source(ring, 2)->error, "neither a keytab"));
    keyring_free(ring);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
        g_free(path);
    }
    ring = keyring_new();
    g_assert_false(keyring_add_path(ring, folder));
    g_assert_nonnull(strstr(keyring_source(ring, 0)->error, "a folder without a file"));
    keyring_free(ring);
    g_rmdir(folder);
    g_free(folder);
}

static void test_text_complaints(void)
{
    keyring *ring = read_text("alice\nCORP\\:x\nJ\xf6rg:latin\nbob:ok\nDC$:aes256-cts-hmac-sha1-96:0011\n");
    g_assert_cmpuint(keyring_count(ring), ==, 1);
    g_assert_nonnull(strstr(complaint(ring, 0, 1), "no ':'"));
    g_assert_nonnull(strstr(complaint(ring, 1, 2), "names nobody"));
    g_assert_nonnull(strstr(complaint(ring, 2, 3), "not UTF-8"));
    g_assert_nonnull(strstr(complaint(ring, 3, 5), "64 hexadecimal digits"));
    keyring_free(ring);

    ring = read_text("hello\n");
    g_assert_cmpuint(keyring_count(ring), ==, 0);
    g_assert_nonnull(strstr(keyring_source(ring, 0)->error, "no key in file: line 1: "));
    keyring_free(ring);

    GString *many = g_string_new("alice:x\n");
    for (int i = 0; i < 1000; i++)
        g_string_append(many, "nonsense\n");
    ring = read_text(many->str);
    g_assert_cmpuint(keyring_source(ring, 0)->complaints->len, ==, 100);
    g_assert_nonnull(strstr(complaint(ring, 99, 101), "so were 900 more"));
    keyring_free(ring);
    g_string_free(many, TRUE);
}

static void test_text_utf16(void)
{
    static const char text[] = "\xff\xfe" "a\0:\0\xf6\0\n\0b\0:\0c\0";
    keyring *ring = read_octets(text, sizeof text - 1);
    g_assert_cmpuint(keyring_count(ring), ==, 2);
    g_assert_cmpmem(keyring_entry(ring, 0)->octets, keyring_entry(ring, 0)->length, "\xc3\xb6", 2);
    keyring_free(ring);
    ring = read_octets(text, sizeof text - 2); /* half a character */
    g_assert_cmpuint(keyring_count(ring), <=, 2);
    keyring_free(ring);
}

static void test_unrecognised(void)
{
    keyring *ring = read_octets("\x7f" "ELF\0\0\0", 7);
    g_assert_null(keyring_source(ring, 0)->kind);
    g_assert_nonnull(strstr(keyring_source(ring, 0)->error, "neither a keytab"));
    g_assert_false(keyring_add_file(ring, "/nonexistent/keys"));
    g_assert_nonnull(strstr(keyring_source(ring, 1)->error, "/nonexistent/keys cannot be read"));
    g_assert_false(keyring_add_file(ring, g_get_tmp_dir()));
    keyring_free(ring);
}

static void test_file(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "rpclens-keys-XXXXXX", NULL);
    int handle = g_mkstemp(path);
    g_assert_true(g_close(handle, NULL));
    GString *lines = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append_printf(lines, "CORP\\user%d:%d:aad3b435b51404eeaad3b435b51404ee:%032x:::\n", i, 1000 + i, i);
    g_assert_true(g_file_set_contents(path, lines->str, (gssize)lines->len, NULL));
    keyring *ring = keyring_new();
    g_chmod(path, 0644);
    g_assert_true(keyring_add_file(ring, path));
    g_chmod(path, 0600);
    g_assert_true(keyring_add_file(ring, path));
#ifdef G_OS_UNIX
    g_assert_true(keyring_source(ring, 0)->readable_by_others);
#endif
    g_assert_false(keyring_source(ring, 1)->readable_by_others);
    g_assert_cmpuint(keyring_source(ring, 1)->taken, ==, 20000);
    g_assert_cmpuint(keyring_count(ring), ==, 20000);
    keyring_free(ring);
    g_unlink(path);
    g_free(path);
    g_string_free(lines, TRUE);
}

/* ---- the order ---- */

typedef struct {
    GString    *seen;
    const char *wanted;
} listener;

static bool listen(const key_entry *entry, void *data)
{
    listener *l = data;
    char *line = entry->kind == KEY_PASSWORD
               ? g_strdup_printf("%s/%s:%.*s ", entry->domain, entry->name, (int)entry->length, (char *)entry->octets)
               : g_strdup_printf("%s/%s:%d.%u ", entry->domain, entry->name, entry->etype, entry->kvno);
    bool that = l->wanted && strstr(line, l->wanted);
    g_string_append(l->seen, line);
    g_free(line);
    return that;
}

static void test_ntlm_order(void)
{
    keyring *ring = read_text("ELSE\\Jörg:1\n*:2\nCORP\\jörg:3\njörg:4\nbob:5\nCORP\\JÖRG:aes128-cts-hmac-sha1-96:"
                              "000102030405060708090a0b0c0d0e0f\ncorp\\JÖRG:rc4-hmac:000102030405060708090a0b0c0d0e0f\n");
    listener l = {g_string_new(NULL), NULL};
    size_t tried;
    g_assert_null(keyring_try_ntlm(ring, "JÖRG", "Corp", listen, &l, &tried));
    g_assert_cmpstr(l.seen->str, ==, "CORP/jörg:3 corp/JÖRG:23.0 ELSE/Jörg:1 /jörg:4 /*:2 ");
    g_assert_cmpuint(tried, ==, 5);
    l.wanted = ":4";
    g_string_truncate(l.seen, 0);
    g_assert_nonnull(keyring_try_ntlm(ring, "jörg@else", "", listen, &l, NULL));
    g_assert_cmpstr(l.seen->str, ==, "ELSE/Jörg:1 CORP/jörg:3 /jörg:4 ");
    g_string_free(l.seen, TRUE);
    keyring_free(ring);
}

static void test_kerberos_order(void)
{
    writer w = begin(false, false);
    put_entry(&w, "OTHER", "x", NULL, 18, 1, 32, 4);
    put_entry(&w, "CORP", "y", NULL, 18, 2, 32, 3);
    put_entry(&w, "CORP", "DC1$", NULL, 18, 3, 32, 3);
    put_entry(&w, "CORP", "DC1$", NULL, 18, 4, 32, 4);
    put_entry(&w, "CORP", "CIFS", "dc1.corp", 18, 5, 32, 9);
    put_entry(&w, "CORP", "cifs", "dc1.corp", 17, 6, 16, 4);
    keyring *ring = read_keytab(&w);
    listener l = {g_string_new(NULL), NULL};
    g_assert_null(keyring_try_kerberos(ring, "cifs/dc1.corp", "CORP", 18, 4, listen, &l, NULL));
    g_assert_cmpstr(l.seen->str, ==, "CORP/CIFS/dc1.corp:18.9 CORP/DC1$:18.4 CORP/DC1$:18.3 CORP/y:18.3 OTHER/x:18.4 ");
    g_string_free(l.seen, TRUE);
    keyring_free(ring);
}

static bool is_key(const key_entry *entry, void *data)
{
    uint8_t due[32];
    g_assert_true(etype_string_to_key(18, (const uint8_t *)"pw", 2, data, due));
    return entry->kind == KEY_KERBEROS && entry->length == 32 && !memcmp(entry->octets, due, 32);
}

/* [MS-KILE] 3.1.1.2: the salts of users and computers */
static void test_password_as_kerberos_key(void)
{
    keyring *ring = read_text("CORP\\DC1$:pw\nCORP\\svc:pw\n");
    size_t tried;
    const key_entry *first = keyring_try_kerberos(ring, "cifs/dc1.corp.example", "CORP.EXAMPLE", 18, 0, is_key,
                                                  (void *)(uintptr_t)"CORP.EXAMPLEhostdc1.corp.example", &tried);
    g_assert_nonnull(first);
    g_assert_cmpuint(tried, ==, 1);
    g_assert_true(first == keyring_try_kerberos(ring, "cifs/dc1.corp.example", "CORP.EXAMPLE", 18, 0, is_key,
                                                (void *)(uintptr_t)"CORP.EXAMPLEhostdc1.corp.example", NULL));
    g_assert_nonnull(keyring_try_kerberos(ring, "http/web", "CORP.EXAMPLE", 18, 0, is_key,
                                          (void *)(uintptr_t)"CORP.EXAMPLEsvc", NULL));
    keyring_free(ring);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keys/ring/keytab", test_keytab);
    g_test_add_func("/keys/ring/keytab-malformed", test_keytab_malformed);
    g_test_add_func("/keys/ring/keytab-truncated", test_keytab_truncated);
    g_test_add_func("/keys/ring/text", test_text);
    g_test_add_func("/keys/ring/text-complaints", test_text_complaints);
    g_test_add_func("/keys/ring/text-utf16", test_text_utf16);
    g_test_add_func("/keys/ring/text-dump", test_text_dump);
    g_test_add_func("/keys/ring/text-machine", test_text_machine);
    g_test_add_func("/keys/ring/text-sessions", test_text_sessions);
    g_test_add_func("/keys/ring/folder", test_folder);
    g_test_add_func("/keys/ring/unrecognised", test_unrecognised);
    g_test_add_func("/keys/ring/file", test_file);
    g_test_add_func("/keys/ring/ntlm-order", test_ntlm_order);
    g_test_add_func("/keys/ring/kerberos-order", test_kerberos_order);
    g_test_add_func("/keys/ring/password-as-kerberos-key", test_password_as_kerberos_key);
    return g_test_run();
}
