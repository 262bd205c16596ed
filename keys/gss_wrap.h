/* gss_wrap.h - Kerberos' per-message tokens in DCE/RPC: [RFC 4121] for AES, [RFC 4757] 7 for RC4-HMAC.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_GSS_WRAP_H
#define RPCLENS_GSS_WRAP_H

#include "keys/mechanism.h"

/* A session key or subkey, with what was derived from it so far. */
typedef struct gss_key gss_key;

/* NULL: an etype whose tokens this build does not read, or a key of the wrong length. */
gss_key *gss_key_new(int32_t etype, const uint8_t *key, size_t length);
void     gss_key_free(gss_key *key);

typedef enum {
    GSS_HOLDS,
    GSS_FAILS,     /* another key, or a changed PDU */
    GSS_UNREADABLE /* not a token of this key's kind */
} gss_outcome;

/* Opens (level PRIVACY) or verifies (below) one PDU. The plaintext is at *plain, within the environment's scratch. */
gss_outcome gss_open(gss_key *key, mech_env *env, const sec_message *message, const uint8_t **plain);

/* Whether the token of a PDU is one of Kerberos': CFX's (05 04, 04 04) or [RFC 4757]'s in its frame. */
bool gss_recognise(const uint8_t *token, size_t length);

/* Whether the token says that it was made with the acceptor's subkey; false also where tokens do not tell. */
bool gss_acceptor_subkey(const uint8_t *token, size_t length);

#endif
