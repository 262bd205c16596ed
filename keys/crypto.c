/* crypto.c - the few primitives the mechanisms need, as a thin layer on libgcrypt.
 * Implements [RFC 3961] 5.1, [RFC 3962] 4 to 6, [RFC 8009] 3 and 4, [MS-NLMP] 6.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/crypto.h"

#include <string.h>

#include <gcrypt.h>
#include <glib.h>

/* libgcrypt's secure pools grow by POOL_STEP and hold nothing larger; a whole key file lives in ordinary memory. */
enum { AES_BLOCK = 16, SECURE_POOL = 262144, POOL_STEP = 1048576, SECURE_MAX = 131072 };

void crypto_init(void)
{
    static gsize done;
    if (!g_once_init_enter(&done))
        return;
    /* Who has initialised libgcrypt first has decided about secure memory; it cannot be changed afterwards. */
    if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        if (!gcry_check_version("1.8.0"))
            g_error("libgcrypt %s is too old: 1.8.0 or later is needed", gcry_check_version(NULL));
        gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
        gcry_control(GCRYCTL_AUTO_EXPAND_SECMEM, POOL_STEP, 0);
        gcry_control(GCRYCTL_INIT_SECMEM, SECURE_POOL, 0);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
    g_once_init_leave(&done, 1);
}

/* The length stands before the block, so that the block can be wiped also where it is not secure memory. */
enum { BLOCK_HEAD = 16 };

void *crypto_alloc(size_t length)
{
    crypto_init();
    if (length > SIZE_MAX - BLOCK_HEAD)
        g_error("crypto_alloc: %" G_GSIZE_FORMAT " octets", length);
    uint8_t *block = length > SECURE_MAX ? gcry_xcalloc(1, BLOCK_HEAD + length)
                                         : gcry_xcalloc_secure(1, BLOCK_HEAD + length);
    memcpy(block, &length, sizeof length);
    return block + BLOCK_HEAD;
}

void crypto_free(void *memory)
{
    if (!memory)
        return;
    uint8_t *block = (uint8_t *)memory - BLOCK_HEAD;
    size_t length;
    memcpy(&length, block, sizeof length);
    crypto_wipe(memory, length);
    gcry_free(block);
}

void crypto_wipe(void *memory, size_t length)
{
    /* Called through a volatile pointer, so that no compiler leaves it out. */
    static void *(*volatile const fill)(void *, int, size_t) = memset;
    if (memory && length)
        fill(memory, 0, length);
}

bool crypto_equal(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a, *y = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= x[i] ^ y[i];
    return difference == 0;
}

/* One digest over pieces; with GCRY_MD_FLAG_HMAC the first piece is the key. */
static void digest(int algorithm, unsigned flags, const crypto_part *parts, size_t count, uint8_t *out)
{
    gcry_buffer_t pieces[CRYPTO_PARTS + 1];
    memset(pieces, 0, sizeof pieces);
    g_assert(count <= G_N_ELEMENTS(pieces));
    for (size_t i = 0; i < count; i++) {
        pieces[i].data = (void *)(uintptr_t)parts[i].data;
        pieces[i].len = parts[i].length;
    }
    crypto_init();
    if (gcry_md_hash_buffers(algorithm, flags, out, pieces, (int)count))
        gcry_create_nonce(out, gcry_md_get_algo_dlen(algorithm));
}

void crypto_md4(const void *data, size_t length, uint8_t out[16])
{
    digest(GCRY_MD_MD4, 0, &(crypto_part){data, length}, 1, out);
}

void crypto_md5(const crypto_part *parts, size_t count, uint8_t out[16])
{
    digest(GCRY_MD_MD5, 0, parts, count, out);
}

void crypto_hmac_md5(const uint8_t *key, size_t key_length, const crypto_part *parts, size_t count, uint8_t out[16])
{
    crypto_part all[CRYPTO_PARTS + 1] = {{key, key_length}};
    g_assert(count <= CRYPTO_PARTS);
    memcpy(all + 1, parts, count * sizeof *parts);
    digest(GCRY_MD_MD5, GCRY_MD_FLAG_HMAC, all, count + 1, out);
}

void crypto_des(const uint8_t key[7], const uint8_t in[8], uint8_t out[8])
{
    uint8_t spread[8]; /* seven bits an octet; DES ignores the lowest, the parity */
    spread[0] = key[0];
    for (int i = 1; i < 7; i++)
        spread[i] = (uint8_t)(key[i - 1] << (8 - i) | key[i] >> i);
    spread[7] = (uint8_t)(key[6] << 1);

    gcry_cipher_hd_t des = NULL;
    crypto_init();
    gcry_error_t error = gcry_cipher_open(&des, GCRY_CIPHER_DES, GCRY_CIPHER_MODE_ECB, GCRY_CIPHER_SECURE);
#ifdef GCRYCTL_SET_ALLOW_WEAK_KEY
    if (!error)
        gcry_cipher_ctl(des, GCRYCTL_SET_ALLOW_WEAK_KEY, NULL, 1); /* a password may well give one */
#endif
    if (!error)
        error = gcry_cipher_setkey(des, spread, sizeof spread);
    if (!error || gcry_err_code(error) == GPG_ERR_WEAK_KEY)
        error = gcry_cipher_encrypt(des, out, 8, in, 8);
    if (error)
        gcry_create_nonce(out, 8);
    gcry_cipher_close(des);
    crypto_wipe(spread, sizeof spread);
}

uint32_t crypto_crc32(const crypto_part *parts, size_t count)
{
    uint8_t out[4];
    digest(GCRY_MD_CRC32, 0, parts, count, out);
    return (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
}

struct crypto_mac {
    gcry_md_hd_t handle; /* NULL: libgcrypt refused */
    int          algorithm;
};

static int hash_algorithm(crypto_hash hash)
{
    static const int algorithms[] = {GCRY_MD_MD5, GCRY_MD_SHA1, GCRY_MD_SHA256, GCRY_MD_SHA384, GCRY_MD_SHA512};
    return algorithms[hash];
}

crypto_mac *crypto_mac_new(crypto_hash hash, const uint8_t *key, size_t length)
{
    crypto_mac *mac = g_new0(crypto_mac, 1);
    crypto_init();
    mac->algorithm = hash_algorithm(hash);
    if (gcry_md_open(&mac->handle, mac->algorithm, GCRY_MD_FLAG_HMAC | GCRY_MD_FLAG_SECURE))
        mac->handle = NULL;
    else if (gcry_md_setkey(mac->handle, key, length)) {
        gcry_md_close(mac->handle);
        mac->handle = NULL;
    }
    return mac;
}

void crypto_mac_free(crypto_mac *mac)
{
    if (mac)
        gcry_md_close(mac->handle);
    g_free(mac);
}

void crypto_mac_run(crypto_mac *mac, const crypto_part *parts, size_t count, uint8_t *out, size_t length)
{
    if (!mac->handle) {
        gcry_create_nonce(out, length);
        return;
    }
    gcry_md_reset(mac->handle);
    for (size_t i = 0; i < count; i++)
        if (parts[i].length)
            gcry_md_write(mac->handle, parts[i].data, parts[i].length);
    memcpy(out, gcry_md_read(mac->handle, mac->algorithm), length);
}

bool crypto_aes_mac(const uint8_t key[16], const uint8_t nonce[12], const crypto_part *parts, size_t count, uint8_t out[16])
{
    gcry_mac_hd_t handle = NULL;
    size_t length = 16;
    crypto_init();
    bool done = !gcry_mac_open(&handle, nonce ? GCRY_MAC_GMAC_AES : GCRY_MAC_CMAC_AES, GCRY_MAC_FLAG_SECURE, NULL) &&
                !gcry_mac_setkey(handle, key, 16) && (!nonce || !gcry_mac_setiv(handle, nonce, 12));
    for (size_t i = 0; done && i < count; i++)
        done = !gcry_mac_write(handle, parts[i].data, parts[i].length);
    done = done && !gcry_mac_read(handle, out, &length);
    gcry_mac_close(handle);
    return done;
}

/* Our own RC4: libgcrypt's handles cannot be copied, and the search for a place in the key stream needs copies. */
void rc4_init(rc4_state *rc4, const uint8_t *key, size_t length)
{
    uint8_t j = 0;
    for (int i = 0; i < 256; i++)
        rc4->box[i] = (uint8_t)i;
    for (int i = 0; i < 256; i++) {
        uint8_t kept = rc4->box[i];
        j = (uint8_t)(j + kept + key[(size_t)i % length]);
        rc4->box[i] = rc4->box[j];
        rc4->box[j] = kept;
    }
    rc4->i = rc4->j = 0;
}

static uint8_t rc4_next(rc4_state *rc4)
{
    uint8_t a = rc4->box[++rc4->i];
    rc4->j = (uint8_t)(rc4->j + a);
    uint8_t b = rc4->box[rc4->j];
    rc4->box[rc4->i] = b;
    rc4->box[rc4->j] = a;
    return rc4->box[(uint8_t)(a + b)];
}

void rc4_run(rc4_state *rc4, uint8_t *out, const uint8_t *in, size_t length)
{
    for (size_t n = 0; n < length; n++)
        out[n] = in[n] ^ rc4_next(rc4);
}

void rc4_skip(rc4_state *rc4, size_t length)
{
    while (length--)
        rc4_next(rc4);
}

struct crypto_cts {
    gcry_cipher_hd_t handle;
};

static int aes_algorithm(size_t key_length)
{
    return key_length == 16 ? GCRY_CIPHER_AES128 : key_length == 32 ? GCRY_CIPHER_AES256 : 0;
}

/* NULL: refused */
static gcry_cipher_hd_t aes_open(const uint8_t *key, size_t length, int mode, unsigned flags)
{
    gcry_cipher_hd_t handle;
    crypto_init();
    if (gcry_cipher_open(&handle, aes_algorithm(length), mode, flags | GCRY_CIPHER_SECURE))
        return NULL;
    if (gcry_cipher_setkey(handle, key, length)) {
        gcry_cipher_close(handle);
        return NULL;
    }
    return handle;
}

crypto_cts *crypto_cts_new(const uint8_t *key, size_t length)
{
    crypto_cts *cts = g_new0(crypto_cts, 1);
    cts->handle = aes_open(key, length, GCRY_CIPHER_MODE_CBC, GCRY_CIPHER_CBC_CTS);
    return cts;
}

void crypto_cts_free(crypto_cts *cts)
{
    if (cts)
        gcry_cipher_close(cts->handle);
    g_free(cts);
}

/* A reset brings the zero vector back. */
static bool cts_ready(crypto_cts *cts, size_t length)
{
    return cts->handle && length >= AES_BLOCK && !gcry_cipher_reset(cts->handle);
}

bool crypto_cts_decrypt(crypto_cts *cts, uint8_t *data, size_t length)
{
    return cts_ready(cts, length) && !gcry_cipher_decrypt(cts->handle, data, length, NULL, 0);
}

bool crypto_cts_encrypt(crypto_cts *cts, uint8_t *data, size_t length)
{
    return cts_ready(cts, length) && !gcry_cipher_encrypt(cts->handle, data, length, NULL, 0);
}

/* Copies of the input, each turned right by 13 bits more than the one before, are laid end to end until the length
 * is a multiple of both; then pieces of the output's length are added in ones' complement. */
void crypto_nfold(const uint8_t *in, size_t in_length, uint8_t *out, size_t out_length)
{
    size_t a = in_length, b = out_length;
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    size_t total = in_length / a * out_length, bits = in_length * 8;

    memset(out, 0, out_length);
    unsigned carry = 0;
    for (size_t at = total; at-- > 0;) {
        size_t turned = 13 * (at / in_length) % bits;
        size_t bit = (at % in_length * 8 + bits - turned) % bits; /* of the input: where this octet begins */
        unsigned pair = (unsigned)in[bit / 8] << 8 | in[(bit / 8 + 1) % in_length];
        carry += (pair >> (8 - bit % 8) & 0xff) + out[at % out_length];
        out[at % out_length] = (uint8_t)carry;
        carry >>= 8;
    }
    for (size_t at = out_length; carry; at = at ? at : out_length) { /* the carry goes round to the lowest octet */
        carry += out[--at];
        out[at] = (uint8_t)carry;
        carry >>= 8;
    }
}

bool crypto_aes_derive(const uint8_t *key, size_t length, const uint8_t *constant, size_t constant_length,
                       uint8_t *out)
{
    uint8_t block[AES_BLOCK];
    gcry_cipher_hd_t aes = aes_open(key, length, GCRY_CIPHER_MODE_ECB, 0);
    if (!aes)
        return false;
    crypto_nfold(constant, constant_length, block, sizeof block);
    gcry_error_t error = 0;
    for (size_t at = 0; at < length && !error; at += AES_BLOCK) {
        error = gcry_cipher_encrypt(aes, block, sizeof block, NULL, 0);
        memcpy(out + at, block, sizeof block);
    }
    gcry_cipher_close(aes);
    crypto_wipe(block, sizeof block);
    return !error;
}

static bool stretch(crypto_hash hash, const uint8_t *password, size_t password_length, const uint8_t *salt,
                    size_t salt_length, uint32_t iterations, uint8_t *out, size_t length)
{
    return !gcry_kdf_derive(password, password_length, GCRY_KDF_PBKDF2, hash_algorithm(hash), salt, salt_length,
                            iterations, length, out);
}

bool crypto_aes_string_to_key(const uint8_t *password, size_t password_length, const uint8_t *salt,
                              size_t salt_length, uint32_t iterations, uint8_t *out, size_t length)
{
    uint8_t *stretched = crypto_alloc(length);
    bool done = aes_algorithm(length)
             && stretch(CRYPTO_SHA1, password, password_length, salt, salt_length, iterations, stretched, length)
             && crypto_aes_derive(stretched, length, (const uint8_t *)"kerberos", 8, out);
    crypto_free(stretched);
    return done;
}

void crypto_counter_kdf(crypto_hash hash, const uint8_t *key, size_t key_length, crypto_part label, crypto_part context,
                        uint8_t *out, size_t length)
{
    size_t bits = length * 8;
    const uint8_t counter[4] = {0, 0, 0, 1}, zero[1] = {0};
    const uint8_t behind[4] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
    const crypto_part parts[] = {{counter, sizeof counter}, label, {zero, sizeof zero}, context, {behind, sizeof behind}};
    crypto_mac *mac = crypto_mac_new(hash, key, key_length);
    g_assert(length <= gcry_md_get_algo_dlen(mac->algorithm));
    crypto_mac_run(mac, parts, G_N_ELEMENTS(parts), out, length);
    crypto_mac_free(mac);
}

void crypto_sha2_derive(crypto_hash hash, const uint8_t *key, size_t key_length, const void *label, size_t label_length,
                        uint8_t *out, size_t length)
{
    crypto_counter_kdf(hash, key, key_length, (crypto_part){label, label_length}, (crypto_part){NULL, 0}, out, length);
}

bool crypto_sha2_string_to_key(crypto_hash hash, const uint8_t *password, size_t password_length, const uint8_t *salt,
                               size_t salt_length, uint32_t iterations, uint8_t *out, size_t length)
{
    uint8_t *stretched = crypto_alloc(length);
    bool done = aes_algorithm(length)
             && stretch(hash, password, password_length, salt, salt_length, iterations, stretched, length);
    if (done)
        crypto_sha2_derive(hash, stretched, length, "kerberos", 8, out, length);
    crypto_free(stretched);
    return done;
}

void crypto_digest(crypto_hash hash, const crypto_part *parts, size_t count, uint8_t *out)
{
    digest(hash_algorithm(hash), 0, parts, count, out);
}

bool crypto_cbc_decrypt(crypto_cipher cipher, const uint8_t *key, const uint8_t *vector, uint8_t *data, size_t length)
{
    int algorithm = cipher == CRYPTO_3DES_CBC ? GCRY_CIPHER_3DES : GCRY_CIPHER_AES256;
    size_t block = gcry_cipher_get_algo_blklen(algorithm);
    gcry_cipher_hd_t handle = NULL;
    crypto_init();
    bool done = length % block == 0 && !gcry_cipher_open(&handle, algorithm, GCRY_CIPHER_MODE_CBC, GCRY_CIPHER_SECURE);
    gcry_error_t error = done ? gcry_cipher_setkey(handle, key, gcry_cipher_get_algo_keylen(algorithm)) : 0;
    done = done && (!error || gcry_err_code(error) == GPG_ERR_WEAK_KEY) && !gcry_cipher_setiv(handle, vector, block) &&
           !gcry_cipher_decrypt(handle, data, length, NULL, 0);
    gcry_cipher_close(handle);
    return done;
}

/* Windows' numbers are little-endian. A number of secure octets is secure itself. */
static gcry_mpi_t read_number(const uint8_t *octets, size_t length)
{
    uint8_t *turned = crypto_alloc(length);
    gcry_mpi_t number = NULL;
    for (size_t i = 0; i < length; i++)
        turned[i] = octets[length - 1 - i];
    if (gcry_mpi_scan(&number, GCRYMPI_FMT_USG, turned, length, NULL))
        number = NULL;
    crypto_free(turned);
    return number;
}

/* A PRIVATEKEYBLOB: BLOBHEADER of 8 octets, "RSA2", bit length, public exponent, modulus, five halves, private exponent. */
static gcry_sexp_t read_private_key(const uint8_t *blob, size_t length, size_t *modulus_length)
{
    enum { MAGIC = 8, BITS = 12, EXPONENT = 16, NUMBERS = 20, BITS_MAX = 16384 };
    size_t bits = length < NUMBERS ? 0 : blob[BITS] | (size_t)blob[BITS + 1] << 8 | (size_t)blob[BITS + 2] << 16;
    size_t half = bits / 16, whole = 2 * half;
    if (!bits || bits % 16 || bits > BITS_MAX || length - NUMBERS < 9 * half || memcmp(blob + MAGIC, "RSA2", 4) != 0)
        return NULL;
    gcry_mpi_t n = read_number(blob + NUMBERS, whole), e = read_number(blob + EXPONENT, 4),
               d = read_number(blob + NUMBERS + whole + 5 * half, whole);
    gcry_sexp_t key = NULL;
    if (!n || !e || !d || gcry_sexp_build(&key, NULL, "(private-key(rsa(n%m)(e%m)(d%m)))", n, e, d))
        key = NULL;
    gcry_mpi_release(n);
    gcry_mpi_release(e);
    gcry_mpi_release(d);
    *modulus_length = whole;
    return key;
}

static uint8_t *take_plain(gcry_sexp_t found, size_t *length)
{
    gcry_sexp_t value = gcry_sexp_find_token(found, "value", 0);
    const char *data = value ? gcry_sexp_nth_data(value, 1, length) : NULL;
    uint8_t *plain = NULL;
    if (data) {
        plain = crypto_alloc(*length + 1);
        memcpy(plain, data, *length);
    }
    gcry_sexp_release(value);
    return plain;
}

uint8_t *crypto_rsa_decrypt(const uint8_t *key, size_t key_length, const uint8_t *cipher, size_t length, size_t *plain_length)
{
    crypto_init();
    size_t modulus;
    gcry_sexp_t private_key = read_private_key(key, key_length, &modulus), sealed = NULL, found = NULL;
    gcry_mpi_t number = private_key && length == modulus ? read_number(cipher, length) : NULL;
    uint8_t *plain = NULL;
    *plain_length = 0;
    if (number && !gcry_sexp_build(&sealed, NULL, "(enc-val(flags pkcs1)(rsa(a%m)))", number) &&
        !gcry_pk_decrypt(&found, sealed, private_key))
        plain = take_plain(found, plain_length);
    gcry_mpi_release(number);
    gcry_sexp_release(private_key);
    gcry_sexp_release(sealed);
    gcry_sexp_release(found);
    return plain;
}
