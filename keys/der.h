/* der.h - DER through libtasn1: a schema compiled by asn1Parser, decoded values read by their path.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_DER_H
#define RPCLENS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libtasn1.h>

/* Made by asn1Parser from the *.asn files. */
extern const asn1_static_node spnego_asn1_tab[], krb5_asn1_tab[], rsa_asn1_tab[], x509_asn1_tab[];

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

#endif
