/* joinpassword.h - the passwords inside the join calls of the Workstation Service ([MS-WKST] v32.0, 2.2.5.17 to 2.2.5.19).
 *
 * They are sealed with the key of the SMB session that carries the call. The AES form has a MAC, which decides. The RC4 form has
 * none: its length, seed, terminator and characters must hold, and the result says what stands behind it besides.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_JOINPASSWORD_H
#define RPCLENS_JOINPASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOIN_KEY = 16,         /* octets of an SMB session key */
    JOIN_RC4_LENGTH = 524, /* octets of a JOINPR_ENCRYPTED_USER_PASSWORD, 2.2.5.18 */
    JOIN_AUTH_DATA = 64, JOIN_SALT = 16,
    JOIN_LENGTH_MAX = 512, /* the Length of 2.2.5.17 at most: 3.2.4.13.1 */
    JOIN_CIPHER_MAX = 528  /* MAX_PASSWORDBLOB_SIZE, 2.2.5.19, in whole blocks */
};

/* A key to try. */
typedef struct {
    uint8_t     octets[JOIN_KEY];
    const char *name; /* "Session.ApplicationKey" */
    bool        sure; /* that it is the session's, and the one the specification asks for, is proven by other means */
} join_key;

typedef enum {
    JOIN_OPENED,
    JOIN_NO_KEY,    /* no key was there to try */
    JOIN_WRONG_KEY, /* no key gives a password, or its MAC does not hold with any */
    JOIN_MALFORMED  /* sizes that cannot be; or, with `key`, what a sure key or one whose MAC holds opens is no password */
} join_outcome;

/* What stands behind an opened password, strongest first. */
typedef enum {
    JOIN_BY_MAC,     /* AuthData of the AES form */
    JOIN_BY_SESSION, /* RC4: the key is sure, and the checks hold */
    JOIN_BY_SHAPE    /* RC4: only the checks */
} join_proof;

typedef struct {
    join_outcome    outcome;
    bool            aes;
    bool            encoded;  /* with seed and chain, as 2.2.5.18.1 asks for; false: bare UTF-16, as Samba writes it */
    join_proof      proof;    /* when opened */
    const join_key *key;      /* of those given, when opened or found malformed inside */
    uint32_t        inside;   /* RC4, with a key: the Length of 2.2.5.17, as it was decrypted */
    size_t          tried;    /* keys */
    char           *password; /* when opened: UTF-8 with a final zero, in secure memory */
    size_t          length;   /* of it, without the zero */
} join_password;

/* Opens a JOINPR_ENCRYPTED_USER_PASSWORD of `length` octets with the first of the keys that does. Free with join_clear. */
void join_open(const join_key *keys, size_t count, const uint8_t *octets, size_t length, join_password *out);

/* The same of a JOINPR_ENCRYPTED_USER_PASSWORD_AES, given its members. */
void join_open_aes(const join_key *keys, size_t count, const uint8_t auth_data[JOIN_AUTH_DATA], const uint8_t salt[JOIN_SALT],
                   const uint8_t *cipher, size_t length, join_password *out);

void join_clear(join_password *password);

/* A sentence: what was found and how sure it is, or what to do; never the password. For g_free. */
char *join_text(const join_password *password);

#endif
