/* spnego.h - SPNEGO's negotiation tokens, unpacked; [RFC 4178], [MS-SPNG].
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SPNEGO_H
#define RPCLENS_SPNEGO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* negState; -1 stands for "absent" */
enum { SPNEGO_ACCEPT_COMPLETED, SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_REJECT, SPNEGO_REQUEST_MIC };

typedef struct {
    bool           kerberos;     /* mechTypes name Kerberos: by its own OID, by the one a typing mistake gave to Windows 2000, or user to
                                    user */
    int            neg_state;
    const uint8_t *token;        /* mechToken or responseToken, within what was parsed; or NULL */
    size_t         token_length;
    bool           mech_list_mic;
} spnego_message;

/* Whether a token begins as SPNEGO's do: framed by GSS-API with SPNEGO's OID, or a bare NegTokenInit or Resp. */
bool spnego_recognise(const uint8_t *token, size_t length);
/* False: it cannot be read. */
bool spnego_parse(const uint8_t *token, size_t length, spnego_message *message);

#endif
