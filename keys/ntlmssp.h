/* ntlmssp.h - NTLM: the three messages of its handshake, and what it does to PDUs; [MS-NLMP].
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_NTLMSSP_H
#define RPCLENS_NTLMSSP_H

#include "keys/mechanism.h"

/* [MS-NLMP] 2.2.2.5 */
enum {
    NTLM_UNICODE        = 0x00000001,
    NTLM_SIGN           = 0x00000010,
    NTLM_SEAL           = 0x00000020,
    NTLM_LM_KEY         = 0x00000080,
    NTLM_ANONYMOUS      = 0x00000800,
    NTLM_LOCAL_CALL     = 0x00004000,
    NTLM_ESS            = 0x00080000,
    NTLM_NON_NT_KEY     = 0x00400000,
    NTLM_128            = 0x20000000,
    NTLM_KEY_EXCH       = 0x40000000
};
#define NTLM_56 0x80000000u /* beyond an enum's int */

typedef struct {
    const uint8_t *data;
    size_t         length;
} ntlm_field;

/* An AUTHENTICATE message; its fields lie within the message. */
typedef struct {
    const uint8_t *message;
    size_t         length;
    uint32_t       flags;
    ntlm_field     lm_response, nt_response, domain, user, workstation, session_key;
} ntlm_authenticate;

/* False: its fixed part or a field does not lie within the message. */
bool ntlm_parse_authenticate(const uint8_t *message, size_t length, ntlm_authenticate *out);

/* Whose message it is, as "CORP\\alice"; "" is anonymous. Free it. */
char *ntlm_user(const ntlm_authenticate *message);
/* The same of a token that holds an AUTHENTICATE message, framed or not; NULL: it holds none. */
char *ntlm_user_of_token(const uint8_t *token, size_t length);

/* The keys of one direction. [MS-NLMP] 3.4.5.2, 3.4.5.3 */
void ntlm_sign_key(const uint8_t exported[16], bool client, uint8_t out[16]);
void ntlm_seal_key(uint32_t flags, const uint8_t exported[16], bool client, uint8_t out[16]);

/* What one NT hash makes of a handshake: true and the KeyExchangeKey when the response proves it. */
bool ntlm_prove(const ntlm_authenticate *message, const uint8_t challenge[8], const uint8_t nt_hash[16],
                uint8_t key_exchange_key[16]);

bool ntlm_recognise(const uint8_t *token, size_t length);

typedef struct ntlm_session ntlm_session;
ntlm_session *ntlm_new(mech_env *env);
void          ntlm_free(ntlm_session *session);
void          ntlm_token(ntlm_session *session, const uint8_t *token, size_t length, bool whole);
sec_verdict   ntlm_open(ntlm_session *session, const sec_message *message, uint8_t *plain);

#endif
