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

#endif
