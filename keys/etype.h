/* etype.h - Kerberos encryption types: their numbers, names, key lengths, and decryption of a protocol message.
 *
 * One row in etype.c is one type; a new one is a row and its functions.
 * Implements [RFC 3961] 5.3, [RFC 3962], [RFC 4757] 4 and 5, [RFC 8009].
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_ETYPE_H
#define RPCLENS_ETYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/crypto.h"

enum {
    ETYPE_AES128_SHA1 = 17, ETYPE_AES256_SHA1 = 18, ETYPE_AES128_SHA256 = 19, ETYPE_AES256_SHA384 = 20,
    ETYPE_RC4_HMAC = 23
};

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

/* How a type with derived keys seals and signs; what tokens of [RFC 4121] are made with. */
typedef struct {
    crypto_hash hash;         /* of its HMAC */
    size_t      mac_length;   /* octets of the HMAC that are sent */
    size_t      mac_key_length;
    bool        mac_of_cipher;/* the HMAC is over a zero block and the ciphertext ([RFC 8009] 5), else over the plaintext */
} etype_profile;

/* NULL: a type without such keys (RC4-HMAC), or one that this build does not open. */
const etype_profile *etype_profile_of(int32_t etype);

/* Keys for a usage, [RFC 3961] 5.3: Ke of etype_key_length() octets, Ki and Kc of mac_key_length octets.
 * False: a type without profile, a key of the wrong length, or libgcrypt refused. */
enum { ETYPE_KE = 0xaa, ETYPE_KI = 0x55, ETYPE_KC = 0x99 };
bool etype_derive(int32_t etype, const uint8_t *key, size_t key_length, uint32_t usage, uint8_t kind, uint8_t *out);

/* The key of a password; `out` has etype_key_length() octets. */
bool etype_string_to_key(int32_t etype, const uint8_t *password, size_t length, const char *salt, uint8_t *out);

/* The NT hash of a password in UTF-8, [MS-NLMP] 3.3.1 NTOWFv1; also the RC4-HMAC key. False: not UTF-8. */
bool etype_nt_hash(const uint8_t *password, size_t length, uint8_t out[16]);

/* KRB-FX-CF2 of [RFC 6113] 5.1: a key of `etype` made of two keys and two words; `out` has the etype's key length. False: an etype
 * whose pseudo-random function this build does not have. */
bool etype_combine(int32_t etype, const uint8_t *key, const char *word, int32_t other_etype, const uint8_t *other, const char *other_word,
                   uint8_t *out);

#endif
