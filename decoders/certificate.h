/* certificate.h - reads DER-encoded X.509 certificates (RFC 5280).
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CERTIFICATE_H
#define RPCLENS_CERTIFICATE_H

#include "decoders/ndr.h"

/* The reader of a CUSTOM type. The type must declare these rows, with these types: */
#define CERTIFICATE_ROWS \
    F(U32, "version"), F(OCTETS, "serialNumber"), F(TEXT, "signatureAlgorithm"), F(TEXT, "issuer"), \
    F(TIME, "notBefore"), F(TIME, "notAfter"), F(TEXT, "subject"), F(TEXT, "publicKeyAlgorithm"), \
    F(OCTETS, "modulus"), F(U32, "modulusBits"), F(U64, "publicExponent"), \
    F(GUID, "issuerUniqueID"), F(GUID, "subjectUniqueID")
bool certificate_read(ndr_walker *walker, const uint8_t *octets, size_t length, size_t offset);

/* Whether the octets are exactly one DER SEQUENCE that begins as a certificate does. */
bool certificate_likely(const uint8_t *octets, size_t length);

#endif
