/* learn.h - the keys that a capture's own Kerberos exchanges give to whoever holds a user's key.
 *
 * A user's key opens the AS-REP, in which is the session key of the ticket-granting ticket; that opens the TGS-REP, in which is the
 * session key of the ticket for the service; and that opens the call ([RFC 4120] 3.1, 3.3). What is learnt is remembered by the ticket's
 * own octets, so that keys/kerberos.c finds it when the ticket is used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_LEARN_H
#define RPCLENS_LEARN_H

#include "keys/keyring.h"

typedef struct krb_learner krb_learner;

/* `ring` must outlive the learner. */
krb_learner *krb_learner_new(const keyring *ring);
void         krb_learner_free(krb_learner *learner);

/* The next whole Kerberos message between a client and a KDC; others are passed over. */
void krb_learner_message(krb_learner *learner, const uint8_t *octets, size_t length);

#endif
