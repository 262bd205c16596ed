/* etype.h - Kerberos encryption types: their numbers, names, key lengths, and decryption of a protocol message.
 *
 * One row in etype.c is one type; a new one (the RFC 8009 pair, say) is a row and its functions.
 * Implements [RFC 3961] 5.3, [RFC 3962], [RFC 4757] 4 and 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_ETYPE_H
#define RPCLENS_ETYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ETYPE_AES128_SHA1 = 17, ETYPE_AES256_SHA1 = 18, ETYPE_RC4_HMAC = 23 };

/* The registered name, or "etype N" in a buffer of the calling thread. */
const char *etype_name(int32_t etype);
/* 0: not one we know the name of */
int32_t etype_from_name(const char *name, size_t length);
/* 0: not known */
size_t etype_key_length(int32_t etype);
/* Whether this build opens messages of this type. */
bool etype_supported(int32_t etype);

/* Decrypts an EncryptedData's cipher. The answer is secure memory (crypto_free) of *plain_length octets, or NULL when
 * the checksum does not hold. */
uint8_t *etype_decrypt(int32_t etype, const uint8_t *key, size_t key_length, uint32_t usage, const uint8_t *cipher,
                       size_t length, size_t *plain_length);

/* The key of a password; `out` has etype_key_length() octets. */
bool etype_string_to_key(int32_t etype, const uint8_t *password, size_t length, const char *salt, uint8_t *out);

/* The NT hash of a password in UTF-8, [MS-NLMP] 3.3.1 NTOWFv1; also the RC4-HMAC key. False: not UTF-8. */
bool etype_nt_hash(const uint8_t *password, size_t length, uint8_t out[16]);

#endif
