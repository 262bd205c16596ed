/* source_text.c - keys in lines of text.
 *
 *     alice:password          CORP\alice:password          alice@CORP.EXAMPLE:password
 *     CORP\alice:500:LMHASH:NTHASH:::                      as secretsdump and pwdump write them
 *     CORP\alice:LMHASH:NTHASH     CORP\alice:NTHASH       hashes of 32 hexadecimal digits
 *     CORP\DC1$:aes256-cts-hmac-sha1-96:KEY                Kerberos keys, as secretsdump writes them
 *     CORP\alice:CLEARTEXT:password                        a password kept in the clear, likewise
 *     CORP\DC1$:plain_password_hex:OCTETS                  a machine's password in UTF-16LE, likewise
 *     $MACHINE.ACC:plain_password_hex:OCTETS               the same of a machine whose name is not known
 *
 * The whole output of secretsdump may be given: its headings, and what opens no call, are passed over; the latter is
 * counted. Keys of one session, which belong to nobody by name, are words:
 *
 *     ntlm-session-key KEY              NTLM's ExportedSessionKey, 16 octets
 *     kerberos-subkey ETYPE KEY         a subkey of the AP exchange, of either side; ETYPE as a name or a number
 *     kerberos-ticket-key ETYPE KEY     a ticket's session key
 *     smb-session-key ID KEY            SMB's Session.SessionKey, 16 to 64 octets; ID as in the messages, 0x... or decimal
 *
 * The name ends at the first ':', everything after it is the password, spaces included, unless it has one of the other
 * shapes. 32 hexadecimal digits alone may be either, so they are taken as an NT hash and as a password: the proof
 * decides. A name that ends in _history0 or the like is of an earlier password of that account. The name "*" stands
 * for anyone. '#' begins a line of comment. UTF-8, or UTF-16LE with its mark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include <string.h>

#include "keys/crypto.h"
#include "keys/etype.h"

/* DES_DIGITS: the shortest key there is, in hexadecimal. */
enum { HASH_LENGTH = 16, KEY_LENGTH_MAX = 64, DES_DIGITS = 16 };

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
    at += strspn(at, " "); /* "$MACHINE.ACC: LMHASH:NTHASH" */
    secret = at;
    size_t length = next_field(&at, &field);
    if (length && strspn(field, "0123456789") == length && strchr(at, ':'))
        length = next_field(&at, &field); /* that was the RID */
    bool lm_fits = length == 2 * HASH_LENGTH || (length == 0 && field != secret);
    if (!lm_fits || at[-1] != ':')
        return false;
    length = next_field(&at, &field);
    at += strspn(at, ":");
    bool ends = *at == '\0' || g_str_has_prefix(at, " ("); /* " (status=Enabled)", " (pwdLastSet=...)" */
    if (read_hex(field, length, octets) != HASH_LENGTH || !ends)
        return false;
    take(who, KEY_NT_HASH, 0, octets, HASH_LENGTH);
    crypto_wipe(octets, sizeof octets);
    return true;
}

/* ETYPE:KEY, where a type that secretsdump does not know has a number: "0x13" */
static bool take_kerberos(const owner *who, const char *secret)
{
    uint8_t octets[KEY_LENGTH_MAX];
    const char *key = strchr(secret, ':');
    int32_t etype = key ? etype_from_name(secret, (size_t)(key - secret)) : 0;
    if (key && g_str_has_prefix(secret, "0x"))
        etype = (int32_t)MIN(g_ascii_strtoull(secret, NULL, 16), G_MAXINT32);
    if (!etype || !etype_supported(etype))
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

/* What follows `word` and a ':'; NULL: the secret begins otherwise. */
static const char *behind(const char *secret, const char *word)
{
    size_t length = strlen(word);
    return !strncmp(secret, word, length) && secret[length] == ':' ? secret + length + 1 : NULL;
}

/* UTF-16LE in the UTF-8 that Windows makes Kerberos keys of: what is half of a pair becomes U+FFFD. In secure memory. */
static char *utf8_of(const uint8_t *octets, size_t length, size_t *written)
{
    char *text = crypto_alloc(length / 2 * 3 + 1), *at = text;
    for (size_t i = 0; i + 1 < length; i += 2) {
        gunichar unit = octets[i] | (gunichar)octets[i + 1] << 8, next = 0;
        if (i + 3 < length)
            next = octets[i + 2] | (gunichar)octets[i + 3] << 8;
        if (unit >> 10 == 0x36 && next >> 10 == 0x37) {
            unit = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
            i += 2;
        } else if (unit >> 11 == 0x1b) {
            unit = 0xfffd;
        }
        at += g_unichar_to_utf8(unit, at);
    }
    *written = (size_t)(at - text);
    return text;
}

/* A machine's password is random and need not be UTF-16 at all: its NT hash is that of the octets, whatever they are, and its
 * other keys come from what Windows makes of them. */
static void take_machine_password(const owner *who, const char *hex)
{
    size_t digits = strlen(hex), length = digits / 2, written;
    uint8_t *octets = crypto_alloc(length + 1), hash[HASH_LENGTH];
    bool whole = digits && digits % 4 == 0;
    for (size_t i = 0; whole && i < length; i++)
        whole = read_hex(hex + 2 * i, 2, octets + i) == 1;
    if (whole) {
        char *text = utf8_of(octets, length, &written);
        crypto_md4(octets, length, hash);
        take(who, KEY_NT_HASH, 0, hash, sizeof hash);
        take(who, KEY_PASSWORD, 0, (const uint8_t *)text, written);
        crypto_wipe(hash, sizeof hash);
        crypto_free(text);
    } else {
        source_complain(who->sink, who->line, "a machine's password is UTF-16LE in hexadecimal digits; the line was passed over");
    }
    crypto_free(octets);
}

static bool all_hex(const char *text)
{
    size_t length = strspn(text, "0123456789abcdefABCDEF");
    return length >= DES_DIGITS && length % 2 == 0 && !text[length];
}

/* What secretsdump writes in the shape of a name and a secret, though it is a key to something else or to nothing: secrets of the
 * LSA other than passwords ([MS-LSAD] 3.1.1.4), cached logons, DES keys, and keys of types it has no name for. */
static bool opens_nothing(const owner *who, const char *secret)
{
    static const char *const names[] = {"dpapi_machinekey", "dpapi_userkey", "NL$KM", "DPAPI_SYSTEM"};
    static const char *const words[] = {"des-cbc-md5", "des-cbc-crc", "dec-cbc-crc"};
    static const char *const secrets[] = {"L$", "G$", "M$", "NL$", "_SC_", "DPAPI_", "SCM:{"};
    const char *colon = strchr(secret, ':');
    bool nothing = g_str_has_prefix(secret, "$DCC2$");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        nothing |= !strcmp(who->name, names[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        nothing |= g_str_has_prefix(who->name, secrets[i]) && all_hex(secret);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        nothing |= behind(secret, words[i]) != NULL;
    nothing |= g_str_has_prefix(secret, "0x") && colon && all_hex(colon + 1);
    if (nothing)
        source_pass_over(who->sink, who->line);
    return nothing;
}

/* The forms in which secretsdump gives what is neither hash nor key. */
static bool take_dumped(const owner *who, const char *secret)
{
    const char *clear = behind(secret, "CLEARTEXT"), *machine = behind(secret, "plain_password_hex");
    if (clear && g_str_has_prefix(clear, "0x") && all_hex(clear + 2)) /* which is no UTF-16 */
        take_machine_password(who, clear + 2);
    else if (clear)
        take(who, KEY_PASSWORD, 0, (const uint8_t *)clear, strlen(clear));
    else if (machine)
        take_machine_password(who, machine);
    return clear || machine || opens_nothing(who, secret);
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

/* "alice_history3" is alice, some passwords ago. */
static void cut_history(char *name)
{
    static const char mark[] = "_history";
    char *at = g_strrstr(name, mark);
    const char *digits = at ? at + sizeof mark - 1 : "";
    if (*digits && !digits[strspn(digits, "0123456789")])
        *at = '\0';
}

/* The next word of a line, ended by a zero octet; NULL: none is left. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t"), *end = word + strcspn(word, " \t");
    *at = end + (*end != '\0');
    *end = '\0';
    return *word ? word : NULL;
}

static bool read_number(const char *word, uint64_t *number)
{
    char *end;
    *number = g_ascii_strtoull(word, &end, 0);
    return g_ascii_isdigit(*word) && *end == '\0';
}

static int32_t read_etype(const char *word)
{
    uint64_t number;
    return read_number(word, &number) ? (int32_t)MIN(number, INT32_MAX) : etype_from_name(word, strlen(word));
}

/* Lines of a session's key; false: this is none. */
static bool take_session_key(source_sink *sink, char *line, size_t number)
{
    static const struct {
        const char *word, *form;
        key_kind    kind;
    } lines[] = {{"ntlm-session-key", "KEY of 16 octets", KEY_NTLM_SESSION},
                 {"kerberos-subkey", "ETYPE KEY", KEY_SUBKEY},
                 {"kerberos-ticket-key", "ETYPE KEY", KEY_TICKET},
                 {"smb-session-key", "ID KEY", KEY_SMB_SESSION}};
    size_t i = 0, first = strcspn(line, " \t");
    while (i < G_N_ELEMENTS(lines) && (strncmp(line, lines[i].word, first) || lines[i].word[first]))
        i++;
    if (i == G_N_ELEMENTS(lines))
        return false;
    char *at = line + first, *of = lines[i].kind == KEY_NTLM_SESSION ? "" : next_word(&at), *hex = next_word(&at);
    uint8_t octets[KEY_LENGTH_MAX];
    char nobody[] = "";
    key_entry key = {.kind = lines[i].kind, .name = nobody, .domain = nobody, .octets = octets};
    key.length = hex && !next_word(&at) ? read_hex(hex, strlen(hex), octets) : 0;
    bool fits = key.length >= HASH_LENGTH;
    if (key.kind == KEY_NTLM_SESSION)
        fits = key.length == HASH_LENGTH;
    else if (key.kind == KEY_SMB_SESSION)
        fits = fits && read_number(of, &key.session);
    else
        fits = fits && (key.etype = read_etype(of)) != 0 && key.length == etype_key_length(key.etype);
    if (fits)
        source_take_entry(sink, &key);
    else
        source_complain(sink, number, "%s is followed by %s, in hexadecimal; the line was passed over", lines[i].word, lines[i].form);
    crypto_wipe(octets, sizeof octets);
    return true;
}

/* "[*] Dumping", and "[2026-11-21 06:00:00] [*] Dumping" */
static bool is_progress(const char *line)
{
    const char *behind_time = line[0] == '[' && g_ascii_isdigit(line[1]) ? strstr(line, "] [") : NULL;
    const char *at = behind_time ? behind_time + 2 : line;
    return at[0] == '[' && at[1] && strchr("*+-!", at[1]) && at[2] == ']';
}

/* " 0010   41 42 ...": so it shows a secret of the LSA, which follows once more in a line of its own. */
static bool is_hexdump(const char *line)
{
    size_t offset = strspn(line, "0123456789abcdef");
    return offset >= 4 && g_str_has_prefix(line + offset, "   ") && g_ascii_isxdigit(line[offset + 3])
        && g_ascii_isxdigit(line[offset + 4]) && line[offset + 5] == ' ';
}

/* What the tools that dump keys write around them. */
static bool is_heading(const char *line)
{
    static const char *const beginnings[] = {"Impacket v", "Security Questions for user ", "- Version : ", "| Question: ",
                                             "| |--> "};
    bool heading = is_progress(line) || is_hexdump(line);
    for (size_t i = 0; i < G_N_ELEMENTS(beginnings); i++)
        heading |= g_str_has_prefix(line, beginnings[i]);
    return heading;
}

/* In a dump of a machine whose name was not known: its own account, and that of a service. */
static bool is_unnamed(const char *name)
{
    return !strcmp(name, "$MACHINE.ACC") || !strcmp(name, "(Unknown User)");
}

static void read_line(source_sink *sink, char *line, size_t length, size_t number)
{
    while (length && line[length - 1] == '\r')
        line[--length] = '\0';
    size_t blank = strspn(line, " \t");
    if (length == blank || line[blank] == '#' || is_heading(line + blank))
        return;
    if (!g_utf8_validate(line, (gssize)length, NULL)) {
        source_complain(sink, number, "the line is not UTF-8; passed over");
        return;
    }
    if (take_session_key(sink, line + blank, number))
        return;
    char *secret = strchr(line, ':');
    if (!secret) {
        source_complain(sink, number, "the line has no ':' between name and password; passed over");
        return;
    }
    *secret++ = '\0';
    owner who = {sink, number, NULL, NULL};
    cut_history(line);
    split_name(line, &who.name, &who.domain);
    if (is_unnamed(who.name))
        who.name = "*";
    if (!*who.name)
        source_complain(sink, number, "the line names nobody before its ':'; passed over");
    else if (!take_hashes(&who, secret) && !take_kerberos(&who, secret) && !take_dumped(&who, secret))
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
