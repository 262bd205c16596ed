/* der.h - DER: through libtasn1, whose schemas are compiled by asn1Parser and whose decoded values are read by their path; and values read
 * where they stand, for what every handshake has: libtasn1 builds a tree of nodes for each message.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_DER_H
#define RPCLENS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libtasn1.h>

/* Made by asn1Parser from the *.asn files. */
extern const asn1_static_node krb5_asn1_tab[], rsa_asn1_tab[], x509_asn1_tab[];

/* Decodes data[0..length) as `type`, e.g. "KRB5.AP-REQ"; octets behind the value are allowed. NULL: it is not one. */
asn1_node der_open(const asn1_static_node *schema, const char *type, const uint8_t *data, size_t length);
/* Wipes what it held. */
void der_close(asn1_node node);

/* The octets of a string value, for g_free; NULL when it is absent. A zero octet follows. */
uint8_t *der_octets(asn1_node node, const char *path, size_t *length);
/* The same of a key, for crypto_free. */
uint8_t *der_secret(asn1_node node, const char *path, size_t *length);
bool     der_present(asn1_node node, const char *path);
/* False when it is absent or does not fit. */
bool der_integer(asn1_node node, const char *path, int64_t *value);
/* The text of a GeneralString as UTF-8, for g_free; NULL when it is absent. */
char *der_text(asn1_node node, const char *path);
/* "cifs/dc1.corp.example" of a Kerberos PrincipalName, for g_free; NULL when it has no component. */
char *der_principal(asn1_node node, const char *path);
/* The length of a tag and length at the start of data, *value_length that of the value, which is wholly there;
 * 0: there is no such thing. */
size_t der_header(const uint8_t *data, size_t length, uint8_t tag, size_t *value_length);

/* Octets of somebody else's. */
typedef struct {
    const uint8_t *octets;
    size_t         length;
} der_value;

/* Takes the next element off `rest`: its tag, which must be of one octet, and its value. False: there is none, or it cannot be read;
 * then `rest` is as it was. */
bool der_next(der_value *rest, uint8_t *tag, der_value *value);
/* Goes down from `value`: takes the first element of the first tag, in that the first of the next, and so on; the tags are a string.
 * False: there is no such element, or one before it cannot be read. */
bool der_find(der_value value, const char *tags, der_value *found);
/* An INTEGER or ENUMERATED found so. False likewise, or when it does not fit. */
bool der_find_integer(der_value value, const char *tags, int64_t *number);
/* The text of a GeneralString found so, as UTF-8, for g_free; NULL likewise. */
char *der_find_text(der_value value, const char *tags);
/* A Kerberos PrincipalName found so, like der_principal(). */
char *der_find_principal(der_value value, const char *tags);

#endif
