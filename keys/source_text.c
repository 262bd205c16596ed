/* source_text.c - keys in lines of text.
 *
 *     alice:password          CORP\alice:password          alice@CORP.EXAMPLE:password
 *     CORP\alice:500:LMHASH:NTHASH:::                      as secretsdump and pwdump write them
 *     CORP\alice:LMHASH:NTHASH     CORP\alice:NTHASH       hashes of 32 hexadecimal digits
 *     CORP\DC1$:aes256-cts-hmac-sha1-96:KEY                Kerberos keys, as secretsdump writes them
 *
 * The name ends at the first ':', everything after it is the password, spaces included, unless it has one of the other
 * shapes. 32 hexadecimal digits alone may be either, so they are taken as an NT hash and as a password: the proof
 * decides. The name "*" stands for anyone. '#' begins a line of comment. UTF-8, or UTF-16LE with its mark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include <string.h>

#include "keys/crypto.h"
#include "keys/etype.h"

enum { HASH_LENGTH = 16, KEY_LENGTH_MAX = 64 };

static int hex_digit(char c)
{
    return g_ascii_xdigit_value(c);
}

/* Reads the whole of text[0..length) as hexadecimal; 0: it is not, or too long. */
static size_t read_hex(const char *text, size_t length, uint8_t out[KEY_LENGTH_MAX])
{
    if (length % 2 || length / 2 > KEY_LENGTH_MAX)
        return 0;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return 0;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return length / 2;
}

typedef struct {
    source_sink *sink;
    size_t       line;
    const char  *name, *domain;
} owner;

static void take(const owner *who, key_kind kind, int32_t etype, const uint8_t *octets, size_t length)
{
    source_take(who->sink, kind, who->name, who->domain, etype, 0, octets, length);
}

/* The field before the next ':' or the end; moves on behind it. */
static size_t next_field(const char **at, const char **field)
{
    *field = *at;
    size_t length = strcspn(*at, ":");
    *at += length + ((*at)[length] == ':');
    return length;
}

/* [RID:]LMHASH:NTHASH[:::...]; the LM hash may be empty or a word such as NO PASSWORD****, the NT hash not. */
static bool take_hashes(const owner *who, const char *secret)
{
    const char *at = secret, *field;
    uint8_t octets[KEY_LENGTH_MAX];
    size_t length = next_field(&at, &field);
    if (length && strspn(field, "0123456789") == length && strchr(at, ':'))
        length = next_field(&at, &field); /* that was the RID */
    bool lm_fits = length == 2 * HASH_LENGTH || (length == 0 && field != secret);
    if (!lm_fits || at[-1] != ':')
        return false;
    length = next_field(&at, &field);
    if (read_hex(field, length, octets) != HASH_LENGTH || at[strspn(at, ":")] != '\0')
        return false;
    take(who, KEY_NT_HASH, 0, octets, HASH_LENGTH);
    crypto_wipe(octets, sizeof octets);
    return true;
}

/* ETYPE:KEY */
static bool take_kerberos(const owner *who, const char *secret)
{
    uint8_t octets[KEY_LENGTH_MAX];
    const char *key = strchr(secret, ':');
    int32_t etype = key ? etype_from_name(secret, (size_t)(key - secret)) : 0;
    if (!etype)
        return false;
    key++;
    size_t length = read_hex(key, strlen(key), octets), due = etype_key_length(etype);
    if (!length || (due && length != due))
        source_complain(who->sink, who->line, "a key of type %s has %" G_GSIZE_FORMAT " hexadecimal digits; the line "
                        "was passed over", etype_name(etype), 2 * due);
    else
        take(who, KEY_KERBEROS, etype, octets, length);
    crypto_wipe(octets, sizeof octets);
    return true;
}

static void take_password(const owner *who, const char *secret)
{
    uint8_t octets[KEY_LENGTH_MAX];
    size_t length = strlen(secret);
    if (length == 2 * HASH_LENGTH && read_hex(secret, length, octets)) {
        take(who, KEY_NT_HASH, 0, octets, HASH_LENGTH);
        crypto_wipe(octets, sizeof octets);
    }
    take(who, KEY_PASSWORD, 0, (const uint8_t *)secret, length);
}

/* `DOMAIN\name`, `name@REALM` or `name`; writes into `text`. */
static void split_name(char *text, const char **name, const char **domain)
{
    char *mark = strchr(text, '\\');
    *name = g_strstrip(text);
    *domain = "";
    if (mark) {
        *mark = '\0';
        *name = mark + 1;
        *domain = g_strchomp(text);
    } else if ((mark = strrchr(text, '@')) != NULL) {
        *mark = '\0';
        *domain = mark + 1;
    }
}

static void read_line(source_sink *sink, char *line, size_t length, size_t number)
{
    while (length && line[length - 1] == '\r')
        line[--length] = '\0';
    size_t blank = strspn(line, " \t");
    if (length == blank || line[blank] == '#')
        return;
    if (!g_utf8_validate(line, (gssize)length, NULL)) {
        source_complain(sink, number, "the line is not UTF-8; passed over");
        return;
    }
    char *secret = strchr(line, ':');
    if (!secret) {
        source_complain(sink, number, "the line has no ':' between name and password; passed over");
        return;
    }
    *secret++ = '\0';
    owner who = {sink, number, NULL, NULL};
    split_name(line, &who.name, &who.domain);
    if (!*who.name)
        source_complain(sink, number, "the line names nobody before its ':'; passed over");
    else if (!take_hashes(&who, secret) && !take_kerberos(&who, secret))
        take_password(&who, secret);
}

static void read_lines(source_sink *sink, const char *data, size_t length)
{
    size_t number = 1;
    for (const char *end = data + length; data < end; number++) {
        const char *stop = memchr(data, '\n', (size_t)(end - data));
        size_t octets = (size_t)((stop ? stop : end) - data);
        char *line = crypto_alloc(octets + 1);
        memcpy(line, data, octets);
        read_line(sink, line, octets, number);
        crypto_free(line);
        data += octets + (stop != NULL);
    }
}

static bool is_utf16(const uint8_t *data, size_t length)
{
    return length >= 2 && data[0] == 0xff && data[1] == 0xfe;
}

static bool text_recognise(const uint8_t *data, size_t length)
{
    return is_utf16(data, length) || !memchr(data, 0, MIN(length, 4096));
}

static void text_read(source_sink *sink, const uint8_t *data, size_t length)
{
    if (is_utf16(data, length)) { /* what Windows' editors and PowerShell write */
        gsize written = 0;
        char *text = g_convert((const char *)data + 2, (gssize)(length - 2), "UTF-8", "UTF-16LE", NULL, &written, NULL);
        if (text)
            read_lines(sink, text, written);
        else
            source_complain(sink, 1, "the file begins as UTF-16, but is not; passed over");
        crypto_wipe(text, written);
        g_free(text);
        return;
    }
    bool marked = length >= 3 && !memcmp(data, "\xef\xbb\xbf", 3);
    read_lines(sink, (const char *)data + (marked ? 3 : 0), length - (marked ? 3 : 0));
}

const source_format source_text = {"text", true, text_recognise, text_read};
