/* source_backup.c - a domain's DPAPI backup keys, in the forms in which they are kept and exported.
 *
 *     the octets of the LSA secret G$BCKUPKEY_guid    [MS-BKRP] 2.2.5 (ClientWrap), 2.2.7 (ServerWrap)
 *     PVK file                                        24 octets of header and the PRIVATEKEYBLOB
 *     PEM, "RSA PRIVATE KEY" or "PRIVATE KEY"         [RFC 8017] A.1.2, [RFC 5208] 5
 *     256 octets                                      the ServerWrap key alone, as export tools write it
 *
 * Which key it is the certificate in the LSA secret tells; else the file's name, if a GUID stands in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include <string.h>

#include "keys/crypto.h"
#include "keys/der.h"

enum {
    GUID_LENGTH = 16, SERVER_KEY = 256,
    BLOB_NUMBERS = 20, BLOB_BITS_MAX = 16384, /* PRIVATEKEYBLOB */
    OBJECT_CLIENT = 2, OBJECT_SERVER = 1, OBJECT_HEADER = 12,
    PVK_MAGIC = (int)0xb0b5f11e, PVK_ENCRYPTED = 12, PVK_SALT = 16, PVK_LENGTH = 20, PVK_HEADER = 24,
    PEM_SEARCHED = 65536
};

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* ---- whose key ---- */

/* 8-4-4-4-12 hexadecimal digits; in the order of the wire. */
static bool read_guid(const char *text, uint8_t guid[GUID_LENGTH])
{
    static const uint8_t place[GUID_LENGTH] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < GUID_LENGTH; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
            return false;
        guid[place[i]] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
    return true;
}

static void guid_of_name(const char *path, uint8_t guid[GUID_LENGTH])
{
    char *name = g_path_get_basename(path);
    bool found = false;
    for (const char *at = name; *at && !found; at++)
        found = read_guid(at, guid);
    if (!found)
        memset(guid, 0, GUID_LENGTH);
    g_free(name);
}

/* The GUID in the certificate's subjectUniqueID ([MS-BKRP] 2.2.1). */
static bool guid_of_certificate(const uint8_t *data, size_t length, uint8_t guid[GUID_LENGTH])
{
    asn1_node certificate = der_open(x509_asn1_tab, "X509.Certificate", data, length);
    int bits = GUID_LENGTH; /* octets going in, bits coming out */
    bool known = certificate && asn1_read_value(certificate, "tbsCertificate.subjectUniqueID", guid, &bits) == ASN1_SUCCESS &&
                 bits == 8 * GUID_LENGTH;
    der_close(certificate);
    return known;
}

static void take(source_sink *sink, key_kind kind, const uint8_t *octets, size_t length, const uint8_t *guid)
{
    char nobody[] = "";
    key_entry key = {.kind = kind, .name = nobody, .domain = nobody, .octets = (uint8_t *)(uintptr_t)octets, .length = length};
    if (guid)
        memcpy(key.guid, guid, GUID_LENGTH);
    else
        guid_of_name(sink->source->path, key.guid);
    source_take_entry(sink, &key);
}

/* ---- PRIVATEKEYBLOB ---- */

static bool is_private_key_blob(const uint8_t *data, size_t length)
{
    return length > BLOB_NUMBERS && data[0] == 7 && data[1] == 2 && !memcmp(data + 8, "RSA2", 4);
}

static size_t blob_length(uint32_t bits)
{
    return BLOB_NUMBERS + (size_t)bits / 16 * 9;
}

/* `at` is where in the file it begins. */
static void take_blob(source_sink *sink, const uint8_t *blob, size_t length, size_t at, const uint8_t *guid)
{
    uint32_t bits = is_private_key_blob(blob, length) ? get32(blob + 12) : 0;
    if (!bits || bits % 16 || bits > BLOB_BITS_MAX)
        source_complain(sink, at, "no RSA PRIVATEKEYBLOB");
    else if (blob_length(bits) > length)
        source_complain(sink, at, "an RSA key of %u bits takes %" G_GSIZE_FORMAT " octets, but the file ends after %" G_GSIZE_FORMAT,
                        bits, blob_length(bits), length);
    else
        take(sink, KEY_BACKUP_CLIENT, blob, blob_length(bits), guid);
}

/* ---- LSA secret ---- */

static bool object_recognise(const uint8_t *data, size_t length)
{
    if (is_private_key_blob(data, length) || (length == SERVER_KEY && (memchr(data, 0, length) || data[0] & 0x80)))
        return true;
    return (length == 4 + SERVER_KEY && get32(data) == OBJECT_SERVER) ||
           (length > OBJECT_HEADER && get32(data) == OBJECT_CLIENT && is_private_key_blob(data + OBJECT_HEADER, length - OBJECT_HEADER));
}

static void read_client_object(source_sink *sink, const uint8_t *data, size_t length)
{
    size_t key = get32(data + 4), certificate = get32(data + 8), left = length - OBJECT_HEADER;
    uint8_t guid[GUID_LENGTH];
    if (key > left) {
        source_complain(sink, 4, "the key is said to have %" G_GSIZE_FORMAT " octets, but %" G_GSIZE_FORMAT " are left", key, left);
        return;
    }
    bool known = certificate <= left - key && guid_of_certificate(data + OBJECT_HEADER + key, certificate, guid);
    if (!known)
        source_complain(sink, OBJECT_HEADER + key, "no certificate that tells the key's GUID; the key is taken all the same");
    take_blob(sink, data + OBJECT_HEADER, key, OBJECT_HEADER, known ? guid : NULL);
}

static void object_read(source_sink *sink, const uint8_t *data, size_t length)
{
    if (is_private_key_blob(data, length))
        take_blob(sink, data, length, 0, NULL);
    else if (length == SERVER_KEY)
        take(sink, KEY_BACKUP_SERVER, data, length, NULL);
    else if (length == 4 + SERVER_KEY && get32(data) == OBJECT_SERVER)
        take(sink, KEY_BACKUP_SERVER, data + 4, SERVER_KEY, NULL);
    else
        read_client_object(sink, data, length);
}

/* ---- PVK ---- */

static bool pvk_recognise(const uint8_t *data, size_t length)
{
    return length >= PVK_HEADER && get32(data) == (uint32_t)PVK_MAGIC;
}

static void pvk_read(source_sink *sink, const uint8_t *data, size_t length)
{
    size_t salt = get32(data + PVK_SALT), key = get32(data + PVK_LENGTH), left = length - PVK_HEADER;
    if (get32(data + PVK_ENCRYPTED) || salt)
        source_complain(sink, PVK_ENCRYPTED, "the key is sealed with a password: take that off first (openssl rsa -inform PVK "
                        "-outform PVK -pvk-none)");
    else if (key > left)
        source_complain(sink, PVK_LENGTH, "the key is said to have %" G_GSIZE_FORMAT " octets, but %" G_GSIZE_FORMAT " are left", key,
                        left);
    else
        take_blob(sink, data + PVK_HEADER, key, PVK_HEADER, NULL);
}

/* ---- PEM ---- */

static const char pem_begin[] = "-----BEGIN ";

/* The label behind the first "-----BEGIN " that names a private key, e.g. "RSA PRIVATE KEY-----..."; NULL: there is none. */
static const char *pem_label(const uint8_t *data, size_t length)
{
    size_t searched = MIN(length, PEM_SEARCHED), word = sizeof pem_begin - 1;
    for (size_t at = 0; at + word < searched; at++) {
        const char *label = (const char *)data + at + word;
        if (memcmp(data + at, pem_begin, word) == 0 && g_strstr_len(label, (gssize)MIN(searched - at - word, 40), "PRIVATE KEY-----"))
            return label;
    }
    return NULL;
}

static bool pem_recognise(const uint8_t *data, size_t length)
{
    return pem_label(data, length) != NULL;
}

/* An INTEGER as a number of exactly `width` octets, little-endian as the blob has them. */
static bool put_number(asn1_node key, const char *name, uint8_t *out, size_t width)
{
    size_t length, skipped = 0;
    uint8_t *octets = der_secret(key, name, &length);
    while (octets && skipped < length && !octets[skipped])
        skipped++;
    bool fits = octets && length > skipped && length - skipped <= width;
    for (size_t i = 0; fits && i < length - skipped; i++)
        out[i] = octets[length - 1 - i];
    crypto_free(octets);
    return fits;
}

static size_t modulus_bits(asn1_node key)
{
    size_t length, skipped = 0;
    uint8_t *octets = der_secret(key, "modulus", &length);
    while (octets && skipped < length && !octets[skipped])
        skipped++;
    crypto_free(octets);
    return octets ? 8 * (length - skipped) : 0;
}

static bool take_rsa(source_sink *sink, const uint8_t *der, size_t length)
{
    static const char *const halves[] = {"prime1", "prime2", "exponent1", "exponent2", "coefficient"};
    asn1_node key = der_open(rsa_asn1_tab, "RSA.RSAPrivateKey", der, length);
    size_t bits = key ? modulus_bits(key) : 0, half = bits / 16;
    bool good = bits && bits % 16 == 0 && bits <= BLOB_BITS_MAX;
    uint8_t *blob = crypto_alloc(good ? blob_length((uint32_t)bits) : 1), *at = blob + BLOB_NUMBERS;
    if (good) {
        memcpy(blob, "\x07\x02\0\0\0\xa4\0\0RSA2", 12);
        put32(blob + 12, (uint32_t)bits);
        good = put_number(key, "publicExponent", blob + 16, 4) && put_number(key, "modulus", at, 2 * half) &&
               put_number(key, "privateExponent", at + 7 * half, 2 * half);
        for (size_t i = 0; good && i < G_N_ELEMENTS(halves); i++)
            good = put_number(key, halves[i], at + (2 + i) * half, half);
    }
    if (good)
        take(sink, KEY_BACKUP_CLIENT, blob, blob_length((uint32_t)bits), NULL);
    crypto_free(blob);
    der_close(key);
    return good;
}

static bool take_pkcs8(source_sink *sink, const uint8_t *der, size_t length)
{
    size_t inner;
    asn1_node info = der_open(rsa_asn1_tab, "RSA.PrivateKeyInfo", der, length);
    uint8_t *key = info ? der_secret(info, "privateKey", &inner) : NULL;
    bool good = key && take_rsa(sink, key, inner);
    crypto_free(key);
    der_close(info);
    return good;
}

static void pem_read(source_sink *sink, const uint8_t *data, size_t length)
{
    const char *label = pem_label(data, length), *end = (const char *)data + length;
    const char *body = g_strstr_len(label, end - label, "KEY-----") + strlen("KEY-----");
    const char *stop = g_strstr_len(body, end - body, "-----END");
    size_t line = 1;
    for (const char *at = (const char *)data; at < label; at++)
        line += *at == '\n';
    bool sealed = g_str_has_prefix(label, "ENCRYPTED") || g_strstr_len(body, (stop ? stop : end) - body, "ENCRYPTED");
    if (sealed || !stop) {
        source_complain(sink, line, sealed ? "the key is sealed with a password: take that off first (openssl rsa)"
                                           : "the key has no -----END line");
        return;
    }
    char *text = crypto_alloc((size_t)(stop - body) + 1);
    gsize octets = 0;
    memcpy(text, body, (size_t)(stop - body));
    guchar *der = (guchar *)text;
    if (*text)
        g_base64_decode_inplace(text, &octets);
    if (!take_rsa(sink, der, octets) && !take_pkcs8(sink, der, octets))
        source_complain(sink, line, "no RSA private key");
    crypto_free(text);
}

const source_format source_pvk = {"PVK file", false, pvk_recognise, pvk_read};
const source_format source_pem = {"PEM private key", true, pem_recognise, pem_read};
const source_format source_backup_object = {"DPAPI backup key", false, object_recognise, object_read};
