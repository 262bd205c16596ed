/* dpapi.h - the secrets inside BackupKey's structures, opened with the domain's backup keys ([MS-BKRP] v27.0).
 *
 * A secret counts only with its proof: the access check's hash of a client-side-wrapped secret (2.2.2.3, 2.2.2.4), the MAC
 * of a server-side-wrapped one (2.2.4.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_DPAPI_H
#define RPCLENS_DPAPI_H

#include "keys/keyring.h"

typedef enum {
    DPAPI_OPENED,
    DPAPI_NO_KEY,    /* no supplied backup key has this GUID, nor is there one whose GUID is not known */
    DPAPI_WRONG_KEY, /* keys were tried and none decrypts it */
    DPAPI_BAD_PROOF, /* it decrypts, but its hash or MAC does not hold */
    DPAPI_MALFORMED  /* lengths that contradict each other, or a structure cut short */
} dpapi_outcome;

typedef struct {
    dpapi_outcome    outcome;
    bool             client_wrapped; /* [MS-BKRP] 2.2.2; else 2.2.4 */
    uint32_t         version;        /* 2 or 3; 1 of a server-side-wrapped secret */
    uint8_t          guid[16];       /* the wrapping key's, in the order of the wire; valid unless malformed */
    const key_entry *key;            /* the keyring's, when opened */
    char            *sid;            /* "S-1-5-21-...", whose secret it is, when opened */
    uint8_t         *secret;         /* secure memory, when opened */
    size_t           length;
} dpapi_secret;

/* Reads one of the two structures from its whole octets and opens it. False: it is neither. Free with dpapi_clear. */
bool dpapi_open(const keyring *ring, const uint8_t *octets, size_t length, dpapi_secret *out);
void dpapi_clear(dpapi_secret *secret);

/* A sentence: what was found, or what to do. For g_free. */
char *dpapi_text(const dpapi_secret *secret);

#endif
