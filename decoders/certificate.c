/* certificate.c - reads DER-encoded X.509 certificates (RFC 5280) as far as [MS-BKRP] 2.2.1 speaks of them.
 *
 * libtasn1 finds the elements, and says where they are: every value is emitted with the place of its octets.
 * It takes time in the square of a SEQUENCE OF's elements (before its version 4.20), and an element takes two
 * octets at least, hence MAX_LENGTH. The certificates of BackupKey servers have some 800 octets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/certificate.h"

#include <string.h>

#include <libtasn1.h>

#define MAX_LENGTH 8192
#define OID_LENGTH 128 /* as text; a longer OID is not one we know */

extern const asn1_static_node x509_asn1_tab[]; /* from x509.asn */

/* One decoded structure and its octets in the stub. */
typedef struct {
    ndr_walker    *walker;
    asn1_node      node;
    const uint8_t *octets;
    size_t         length;
    size_t         offset; /* of the octets, in the stub */
} reader;

/* The contents of one element, without tag and length. */
typedef struct {
    const uint8_t *octets;
    size_t         length;
    size_t         offset; /* in the stub */
} part;

static asn1_node definitions(void)
{
    static gsize once = 0;
    static asn1_node node = NULL;
    if (g_once_init_enter(&once)) {
        char error[ASN1_MAX_ERROR_DESCRIPTION_SIZE];
        if (asn1_array2tree(x509_asn1_tab, &node, error) != ASN1_SUCCESS)
            g_critical("x509.asn: %s", error); /* a mistake in the program: nothing here depends on packets */
        g_once_init_leave(&once, 1);
    }
    return node;
}

/* `used` is the length of the DER, behind which there may be more octets. Free r->node with asn1_delete_structure(). */
static bool open_reader(reader *r, const char *type, size_t *used)
{
    char error[ASN1_MAX_ERROR_DESCRIPTION_SIZE];
    int length = (int)r->length;
    if (asn1_create_element(definitions(), type, &r->node) != ASN1_SUCCESS)
        return false;
    if (asn1_der_decoding2(&r->node, r->octets, &length, ASN1_DECODE_FLAG_ALLOW_PADDING, error) != ASN1_SUCCESS) {
        asn1_delete_structure(&r->node);
        return false;
    }
    *used = (size_t)length;
    return true;
}

/* Cuts off a tag and a length; `p` is the element before, its contents afterwards. */
static bool unwrap(part *p, unsigned long *tag)
{
    unsigned char class;
    int tag_octets = 0, length_octets = 0;
    if (asn1_get_tag_der(p->octets, (int)p->length, &class, &tag_octets, tag) != ASN1_SUCCESS)
        return false;
    long length = asn1_get_length_der(p->octets + tag_octets, (int)p->length - tag_octets, &length_octets);
    size_t header = (size_t)tag_octets + (size_t)length_octets;
    if (length < 0 || header > p->length || (size_t)length > p->length - header)
        return false;
    *p = (part){p->octets + header, (size_t)length, p->offset + header};
    return true;
}

/* The whole element at a path of x509.asn. */
static bool find_element(const reader *r, const char *path, part *p)
{
    int start = 0, end = -1;
    if (asn1_der_decoding_startEnd(r->node, r->octets, (int)r->length, path, &start, &end) != ASN1_SUCCESS)
        return false;
    if (start < 0 || end < start || (size_t)end >= r->length)
        return false;
    *p = (part){r->octets + start, (size_t)(end - start + 1), r->offset + (size_t)start};
    return true;
}

static bool find_part(const reader *r, const char *path, part *p)
{
    unsigned long tag;
    return find_element(r, path, p) && unwrap(p, &tag);
}

static bool present(const reader *r, const char *path)
{
    int length = 0;
    return asn1_read_value(r->node, path, NULL, &length) == ASN1_MEM_ERROR;
}

static void emit(const reader *r, const char *name, const part *p, ndr_value value)
{
    value.octets = p->octets;
    value.length = p->length;
    ndr_emit(r->walker, name, p->offset, p->length, &value);
}

static void emit_number(const reader *r, const char *name, const part *p, uint64_t number)
{
    emit(r, name, p, (ndr_value){.number = number});
}

static void emit_text(const reader *r, const char *name, const part *p, const char *text)
{
    emit(r, name, p, (ndr_value){.text = text});
}

/* --------------------------------------------------------------------------- numbers and algorithms */

/* A positive INTEGER has a zero octet in front where its first bit would be set. */
static void strip_zeros(part *p)
{
    while (p->length > 1 && p->octets[0] == 0)
        *p = (part){p->octets + 1, p->length - 1, p->offset + 1};
}

static bool number_of(part p, uint64_t *number)
{
    strip_zeros(&p);
    if (p.length == 0 || p.length > sizeof *number)
        return false;
    *number = 0;
    for (size_t i = 0; i < p.length; i++)
        *number = *number << 8 | p.octets[i];
    return true;
}

static bool read_version(const reader *r)
{
    part p;
    uint64_t number;
    unsigned long tag;
    if (!present(r, "tbsCertificate.version"))
        return true; /* version 1 */
    if (!find_part(r, "tbsCertificate.version", &p) || !unwrap(&p, &tag) || !number_of(p, &number))
        return false;
    emit_number(r, "version", &p, number);
    return true;
}

static bool read_octets(const reader *r, const char *path, const char *name)
{
    part p;
    if (!find_part(r, path, &p))
        return false;
    emit(r, name, &p, (ndr_value){0});
    return true;
}

static const struct { const char *oid, *name; } algorithms[] = {
    {"1.2.840.113549.1.1.1", "rsaEncryption"},
    {"1.2.840.113549.1.1.4", "md5WithRSAEncryption"},
    {"1.2.840.113549.1.1.5", "sha1WithRSAEncryption"},
    {"1.2.840.113549.1.1.11", "sha256WithRSAEncryption"},
    {"1.2.840.113549.1.1.12", "sha384WithRSAEncryption"},
    {"1.2.840.113549.1.1.13", "sha512WithRSAEncryption"},
    {"1.3.14.3.2.29", "sha1WithRSASignature"}, /* what Windows calls sha1RSA in old certificates */
};

static bool read_algorithm(const reader *r, const char *path, const char *name)
{
    part p;
    char oid[OID_LENGTH];
    int length = sizeof oid;
    if (!find_part(r, path, &p) || asn1_read_value(r->node, path, oid, &length) != ASN1_SUCCESS)
        return false;
    const char *known = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++)
        if (strcmp(algorithms[i].oid, oid) == 0)
            known = algorithms[i].name;
    char *text = known != NULL ? g_strdup_printf("%s (%s)", oid, known) : g_strdup(oid);
    emit_text(r, name, &p, text);
    g_free(text);
    return true;
}

/* ------------------------------------------------------------------------------------------- names */

static const struct { const char *oid, *name; } attributes[] = {
    {"2.5.4.3", "CN"}, {"2.5.4.5", "serialNumber"}, {"2.5.4.6", "C"}, {"2.5.4.7", "L"}, {"2.5.4.8", "ST"},
    {"2.5.4.10", "O"}, {"2.5.4.11", "OU"}, {"0.9.2342.19200300.100.1.25", "DC"},
};

/* The text of a DirectoryString of any kind. */
static char *string_text(part p)
{
    unsigned long tag = 0;
    if (!unwrap(&p, &tag))
        return g_strdup("?");
    const char *characters = (const char *)p.octets;
    char *text = NULL;
    if (tag == ASN1_TAG_BMP_STRING)
        text = g_convert(characters, (gssize)p.length, "UTF-8", "UTF-16BE", NULL, NULL, NULL);
    else if (tag == ASN1_TAG_UNIVERSAL_STRING)
        text = g_convert(characters, (gssize)p.length, "UTF-8", "UTF-32BE", NULL, NULL, NULL);
    return text != NULL ? text : g_utf8_make_valid(characters, (gssize)p.length);
}

static bool append_attribute(const reader *r, const char *path, GString *text)
{
    part p;
    char oid[OID_LENGTH], *type = g_strdup_printf("%s.type", path), *value = g_strdup_printf("%s.value", path);
    int length = sizeof oid;
    bool ok = asn1_read_value(r->node, type, oid, &length) == ASN1_SUCCESS && find_element(r, value, &p);
    if (ok) {
        const char *name = oid;
        for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++)
            if (strcmp(attributes[i].oid, oid) == 0)
                name = attributes[i].name;
        char *string = string_text(p);
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? ", " : "", name, string);
        g_free(string);
    }
    g_free(type);
    g_free(value);
    return ok;
}

static int count_of(const reader *r, const char *path)
{
    int count = 0;
    return asn1_number_of_elements(r->node, path, &count) == ASN1_SUCCESS ? count : 0;
}

static bool read_name(const reader *r, const char *path, const char *name)
{
    part p;
    if (!find_element(r, path, &p))
        return false;
    bool ok = true;
    GString *text = g_string_new(NULL);
    int names = count_of(r, path);
    for (int i = 1; ok && i <= names; i++) {
        char *relative = g_strdup_printf("%s.?%d", path, i);
        int parts = count_of(r, relative);
        for (int j = 1; ok && j <= parts; j++) {
            char *attribute = g_strdup_printf("%s.?%d", relative, j);
            ok = append_attribute(r, attribute, text);
            g_free(attribute);
        }
        g_free(relative);
    }
    if (ok)
        emit_text(r, name, &p, text->str);
    g_string_free(text, TRUE);
    return ok;
}

/* ------------------------------------------------------------------------------------------- times */

static int digits(const part *p, size_t at, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++)
        number = number * 10 + (p->octets[at + (size_t)i] - '0');
    return number;
}

/* RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, and nothing else. */
static bool time_of(const part *p, int year_digits, uint64_t *seconds)
{
    size_t at = (size_t)year_digits;
    if (p->length != at + 11 || p->octets[at + 10] != 'Z')
        return false;
    for (size_t i = 0; i < at + 10; i++)
        if (!g_ascii_isdigit(p->octets[i]))
            return false;
    int year = digits(p, 0, year_digits);
    if (year_digits == 2)
        year += year < 50 ? 2000 : 1900;
    GDateTime *time = g_date_time_new_utc(year, digits(p, at, 2), digits(p, at + 2, 2), digits(p, at + 4, 2),
                                          digits(p, at + 6, 2), digits(p, at + 8, 2));
    if (time == NULL)
        return false;
    *seconds = (uint64_t)g_date_time_to_unix(time);
    g_date_time_unref(time);
    return true;
}

static bool read_time(const reader *r, const char *utc, const char *general, const char *name)
{
    part p;
    uint64_t seconds;
    bool short_year = present(r, utc);
    if (!find_part(r, short_year ? utc : general, &p) || !time_of(&p, short_year ? 2 : 4, &seconds))
        return false;
    emit_number(r, name, &p, seconds);
    return true;
}

/* ------------------------------------------------------------------------------- the key and its GUIDs */

/* Cuts off the octet that counts a BIT STRING's unused bits. */
static bool whole_octets(part *p)
{
    if (p->length == 0 || p->octets[0] != 0)
        return false;
    *p = (part){p->octets + 1, p->length - 1, p->offset + 1};
    return true;
}

static unsigned bits_of(const part *p)
{
    return (unsigned)(p->length - 1) * 8 + (p->octets[0] != 0 ? g_bit_storage(p->octets[0]) : 0);
}

static bool read_rsa_key(const reader *key)
{
    part modulus, exponent;
    uint64_t number;
    if (!find_part(key, "modulus", &modulus) || !find_part(key, "publicExponent", &exponent) || modulus.length == 0 ||
        !number_of(exponent, &number))
        return false;
    strip_zeros(&modulus);
    emit(key, "modulus", &modulus, (ndr_value){0});
    emit_number(key, "modulusBits", &modulus, bits_of(&modulus));
    emit_number(key, "publicExponent", &exponent, number);
    return true;
}

static bool read_key(const reader *r)
{
    part p;
    char oid[OID_LENGTH];
    int length = sizeof oid;
    const char *algorithm = "tbsCertificate.publicKey.algorithm.algorithm";
    if (!read_algorithm(r, algorithm, "publicKeyAlgorithm"))
        return false;
    if (asn1_read_value(r->node, algorithm, oid, &length) != ASN1_SUCCESS || strcmp(oid, algorithms[0].oid) != 0)
        return true; /* a key of another kind, as opaque to us as to [MS-BKRP] */
    if (!find_part(r, "tbsCertificate.publicKey.key", &p) || !whole_octets(&p))
        return false;
    reader key = {.walker = r->walker, .octets = p.octets, .length = p.length, .offset = p.offset};
    size_t used;
    if (!open_reader(&key, "X509.RSAPublicKey", &used))
        return false;
    bool ok = read_rsa_key(&key);
    asn1_delete_structure(&key.node);
    return ok;
}

/* [MS-BKRP] 2.2.1: a GUID in a BIT STRING, in the order it has in memory. */
static bool read_unique_id(const reader *r, const char *path, const char *name)
{
    part p;
    ndr_value value = {0};
    if (!present(r, path))
        return true;
    if (!find_part(r, path, &p) || !whole_octets(&p) || p.length != 16)
        return false;
    ndr_guid_from_octets(p.octets, false, &value.guid);
    emit(r, name, &p, value);
    return true;
}

static bool read_certificate(const reader *r)
{
    return read_version(r) &&
           read_octets(r, "tbsCertificate.serialNumber", "serialNumber") &&
           read_algorithm(r, "tbsCertificate.signature.algorithm", "signatureAlgorithm") &&
           read_name(r, "tbsCertificate.issuer", "issuer") &&
           read_time(r, "tbsCertificate.validity.notBefore.utcTime",
                     "tbsCertificate.validity.notBefore.generalTime", "notBefore") &&
           read_time(r, "tbsCertificate.validity.notAfter.utcTime",
                     "tbsCertificate.validity.notAfter.generalTime", "notAfter") &&
           read_name(r, "tbsCertificate.subject", "subject") &&
           read_key(r) &&
           read_unique_id(r, "tbsCertificate.issuerUniqueID", "issuerUniqueID") &&
           read_unique_id(r, "tbsCertificate.subjectUniqueID", "subjectUniqueID");
}

bool certificate_read(ndr_walker *walker, const uint8_t *octets, size_t length, size_t offset)
{
    reader r = {.walker = walker, .octets = octets, .length = length, .offset = offset};
    size_t used = 0;
    if (length > MAX_LENGTH || !open_reader(&r, "X509.Certificate", &used))
        return false;
    bool ok = read_certificate(&r);
    asn1_delete_structure(&r.node);
    return ok && used == length;
}

bool certificate_likely(const uint8_t *octets, size_t length)
{
    /* SEQUENCE, SEQUENCE, [0] EXPLICIT version: lengths of two octets, as every RSA certificate has them */
    return length > 9 && length - 4 <= 0xFFFF && octets[0] == 0x30 && octets[1] == 0x82 &&
           (size_t)(octets[2] << 8 | octets[3]) == length - 4 && octets[4] == 0x30 && octets[5] == 0x82 &&
           octets[8] == 0xA0;
}
