/* smb_session.h - SMB sessions being set up: whose they are and, given the user's or the service's key, their session key
 * ([MS-SMB2] 3.2.5.3, 3.3.5.5), and the keys that it gives to the RPC calls on the session's pipes. Fed with what smb.c reads,
 * and with the messages themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SMB_SESSION_H
#define RPCLENS_SMB_SESSION_H

#include "keys/context.h"
#include "keys/joinpassword.h"

typedef struct smb_sessions smb_sessions;
/* One session; lives as long as the smb_sessions it is of. */
typedef struct smb_session smb_session;

/* `ring` must outlive it. */
smb_sessions *smb_sessions_new(const keyring *ring);
void          smb_sessions_free(smb_sessions *sessions);

/* A SESSION_SETUP request (from_client) or response with its security token (length 0: none). A response with status 0 ends the
 * exchange: then, if the key is known, its first 16 octets (padded with zeros, [MS-SMB2] 3.2.5.3.1) are written to `key` and true
 * is returned. `ntlm` is set to the supplied key that a request's NTLM AUTHENTICATE message has proven, NULL otherwise; it belongs
 * to the keyring. */
bool smb_sessions_setup(smb_sessions *sessions, uint64_t connection, uint64_t message, uint64_t session, bool from_client,
                        uint32_t status, const uint8_t *token, size_t length, uint8_t key[16], const key_entry **ntlm);

/* Every SMB message, from its protocol id on and after smb_sessions_setup() where that concerns it: dialects and the hash of SMB
 * 3.1.1's set-up are read, and session keys held against signatures. `whole`: the snap length did not cut it. */
void smb_sessions_message(smb_sessions *sessions, uint64_t connection, const uint8_t *octets, size_t length, bool whole);

/* The session that a message names, SMB1's UID or SMB2's SessionId; 0: none, or the octets are no SMB message. */
uint64_t smb_session_id(const uint8_t *octets, size_t length);

/* The session with this id; NULL: nothing is known of it, and no supplied key names it. */
const smb_session *smb_sessions_find(smb_sessions *sessions, uint64_t connection, uint64_t id);

/* The keys that seal parameters of the calls on its pipes, the one that the specification asks for first ([MS-SMB2] 3.3.4.5,
 * [MS-SMB] 3.2.1.3); NULL and 0: none is known. For crypto_free. Their names live as long as the session. */
join_key *smb_session_join_keys(const smb_session *session, size_t *count);

/* Whose it is, "CORP\\alice"; NULL: not known, or nobody's. */
const char *smb_session_user(const smb_session *session);

/* Why no key is known, a sentence; NULL: one is, or nothing was tried. */
const char *smb_session_why(const smb_session *session);
/* Why the keys may be others although the session's own is known: what the capture lacks of its beginning; NULL: nothing. */
const char *smb_session_doubt(const smb_session *session);

#endif
