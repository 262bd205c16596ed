/* smb_session.h - SMB2 sessions being set up: whose they are and, given the user's or the service's key, their session key
 * ([MS-SMB2] 3.2.5.3, 3.3.5.5). Fed with what smb.c reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SMB_SESSION_H
#define RPCLENS_SMB_SESSION_H

#include "keys/context.h"

typedef struct smb_sessions smb_sessions;

/* `ring` must outlive it. */
smb_sessions *smb_sessions_new(const keyring *ring);
void          smb_sessions_free(smb_sessions *sessions);

/* A SESSION_SETUP request (from_client) or response with its security token (length 0: none). A response with status 0 ends the
 * exchange: then, if the key is known, its first 16 octets (padded with zeros, [MS-SMB2] 3.2.5.3.1) are written to `key` and true
 * is returned. `ntlm` is set to the supplied key that a request's NTLM AUTHENTICATE message has proven, NULL otherwise; it belongs
 * to the keyring. */
bool smb_sessions_setup(smb_sessions *sessions, uint64_t connection, uint64_t message, uint64_t session, bool from_client,
                        uint32_t status, const uint8_t *token, size_t length, uint8_t key[16], const key_entry **ntlm);

#endif
