/* kerberos.h - Kerberos: from the tokens of a handshake to its keys, and from those to plaintext and proof.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_KERBEROS_H
#define RPCLENS_KERBEROS_H

#include "keys/mechanism.h"

/* AP-REQ, AP-REP or KRB-ERROR, framed by GSS-API or bare as in DCE style. */
bool krb_recognise(const uint8_t *token, size_t length);

typedef struct krb_session krb_session;
krb_session *krb_new(mech_env *env);
void         krb_free(krb_session *session);
void         krb_token(krb_session *session, const uint8_t *token, size_t length, bool from_client, bool whole);
sec_verdict  krb_open(krb_session *session, const sec_message *message, uint8_t *plain);

/* Lets every context of this ring know a ticket's session key and user; `cipher` is the ticket's sealed part, `origin` the key that
 * all was learnt with. Copies everything. */
void krb_remember_ticket(const keyring *ring, const uint8_t *cipher, size_t length, int32_t etype, const uint8_t *key,
                         size_t key_length, const char *user, const key_entry *origin);
/* The authenticator of an AP-REQ whose ticket is remembered, or whose session key the ring holds: in secure memory, for crypto_free;
 * NULL: it does not open. The session key is the ring's own. */
typedef struct {
    int32_t          etype;
    const uint8_t   *session_key;
    const key_entry *origin; /* what all was learnt with */
} krb_ap_req;
uint8_t *krb_open_ap_req(const keyring *ring, const uint8_t *octets, size_t length, uint32_t usage, size_t *plain_length,
                         krb_ap_req *found);

#endif
