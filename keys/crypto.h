/* crypto.h - the few primitives the mechanisms need, as a thin layer on libgcrypt.
 *
 * Implements [RFC 3961] 5.1 (n-fold, DK), [RFC 3962] (AES-CTS, string-to-key), [RFC 8009] 3 and 4 (KDF, string-to-key)
 * and RC4. Should libgcrypt refuse an algorithm (FIPS mode), a digest or MAC comes out as random octets, which no signature can match: a failure never
 * looks like a proof.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_CRYPTO_H
#define RPCLENS_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prepares libgcrypt (secure memory included). Safe to call more than once, also when the host program
 * (Wireshark) has initialised libgcrypt before. */
void crypto_init(void);

/* Zeroed secure memory, or ordinary memory beyond 128 KiB and where the host has switched secure memory off; wiped
 * when freed. Never NULL. */
void *crypto_alloc(size_t length);
void  crypto_free(void *memory);
void  crypto_wipe(void *memory, size_t length); /* NULL is left alone */

/* Takes the same time wherever the difference is. */
bool crypto_equal(const void *a, const void *b, size_t length);

/* A message in pieces, at most CRYPTO_PARTS of them. */
enum { CRYPTO_PARTS = 8 };
typedef struct {
    const void *data;
    size_t      length;
} crypto_part;

void crypto_md4(const void *data, size_t length, uint8_t out[16]);
void crypto_md5(const crypto_part *parts, size_t count, uint8_t out[16]);
void crypto_hmac_md5(const uint8_t *key, size_t key_length, const crypto_part *parts, size_t count, uint8_t out[16]);

/* DES of one block with a key of 56 bits in 7 octets ([MS-NLMP] 6, DES()). */
void crypto_des(const uint8_t key[7], const uint8_t in[8], uint8_t out[8]);

uint32_t crypto_crc32(const crypto_part *parts, size_t count);

/* An HMAC with its key set once, for every PDU of a direction. */
typedef enum { CRYPTO_MD5, CRYPTO_SHA1, CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512 } crypto_hash;
typedef struct crypto_mac crypto_mac;
crypto_mac *crypto_mac_new(crypto_hash hash, const uint8_t *key, size_t length);
void        crypto_mac_free(crypto_mac *mac);
/* Writes the first `length` octets of the MAC (16 of MD5, 20 of SHA-1, 32 of SHA-256, 48 of SHA-384 at most). */
void        crypto_mac_run(crypto_mac *mac, const crypto_part *parts, size_t count, uint8_t *out, size_t length);

/* AES-128-CMAC ([RFC 4493]) with `nonce` NULL, else AES-128-GMAC with a nonce of 12 octets; false: libgcrypt refused. */
bool crypto_aes_mac(const uint8_t key[16], const uint8_t nonce[12], const crypto_part *parts, size_t count, uint8_t out[16]);

/* The whole digest: 16, 20, 32, 48, 64 octets. */
void crypto_digest(crypto_hash hash, const crypto_part *parts, size_t count, uint8_t *out);

/* CBC without padding, in place; a key of 24 octets and a vector of 8 for 3DES, 32 and 16 for AES-256. False: `length` is not a
 * multiple of the vector's, or libgcrypt refused. */
typedef enum { CRYPTO_3DES_CBC, CRYPTO_AES256_CBC } crypto_cipher;
bool crypto_cbc_decrypt(crypto_cipher cipher, const uint8_t *key, const uint8_t *vector, uint8_t *data, size_t length);

/* RSA with PKCS#1 v1.5 padding as Windows' CryptoAPI has it: `key` is a PRIVATEKEYBLOB, the ciphertext little-endian. The
 * plaintext is in secure memory, for crypto_free; NULL: the key is none, or does not decrypt this. */
uint8_t *crypto_rsa_decrypt(const uint8_t *key, size_t key_length, const uint8_t *cipher, size_t length, size_t *plain_length);

/* RC4, a plain structure: a copy of it is a place in the key stream to come back to. */
typedef struct {
    uint8_t box[256];
    uint8_t i, j;
} rc4_state;
void rc4_init(rc4_state *rc4, const uint8_t *key, size_t length);
void rc4_run(rc4_state *rc4, uint8_t *out, const uint8_t *in, size_t length);
void rc4_skip(rc4_state *rc4, size_t length);

/* AES in CBC mode with ciphertext stealing and a zero vector, [RFC 3962] 5. Keys of 16 or 32 octets.
 * The length is at least 16; works in place. */
typedef struct crypto_cts crypto_cts;
crypto_cts *crypto_cts_new(const uint8_t *key, size_t length);
void        crypto_cts_free(crypto_cts *cts);
bool        crypto_cts_decrypt(crypto_cts *cts, uint8_t *data, size_t length);
bool        crypto_cts_encrypt(crypto_cts *cts, uint8_t *data, size_t length);

/* [RFC 3961] 5.1 */
void crypto_nfold(const uint8_t *in, size_t in_length, uint8_t *out, size_t out_length);
/* DK of the AES profile, [RFC 3962] 6: as many octets as the key has. */
bool crypto_aes_derive(const uint8_t *key, size_t length, const uint8_t *constant, size_t constant_length,
                       uint8_t *out);
/* [RFC 3962] 4; length 16 or 32. */
bool crypto_aes_string_to_key(const uint8_t *password, size_t password_length, const uint8_t *salt,
                              size_t salt_length, uint32_t iterations, uint8_t *out, size_t length);

/* One block of SP 800-108's counter mode with an HMAC, at most as long as the hash ([MS-SMB2] 3.1.4.2); label and context with the
 * zeros that belong to them. */
void crypto_counter_kdf(crypto_hash hash, const uint8_t *key, size_t key_length, crypto_part label, crypto_part context,
                        uint8_t *out, size_t length);
/* KDF-HMAC-SHA2 of [RFC 8009] 3, which is the same without context. */
void crypto_sha2_derive(crypto_hash hash, const uint8_t *key, size_t key_length, const void *label, size_t label_length,
                        uint8_t *out, size_t length);
/* [RFC 8009] 4; the salt is saltp, which begins with the name of the type. Length 16 with SHA-256, 32 with SHA-384. */
bool crypto_sha2_string_to_key(crypto_hash hash, const uint8_t *password, size_t password_length, const uint8_t *salt,
                               size_t salt_length, uint32_t iterations, uint8_t *out, size_t length);

#endif
