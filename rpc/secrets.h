/* secrets.h - what a call carries that is worth keeping, and what a further key opens of it.
 *
 * BackupKey's calls carry secrets in the clear, wrapped secrets, which the domain's backup keys open (keys/dpapi.h), and the
 * certificate of the key that wraps. The Workstation Service's carry passwords, which the key of the SMB session opens
 * (keys/joinpassword.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SECRETS_H
#define RPCLENS_SECRETS_H

#include "keys/dpapi.h"
#include "keys/joinpassword.h"
#include "rpc/association.h"

typedef enum { RPC_SECRET_CERTIFICATE, RPC_SECRET_PLAIN, RPC_SECRET_WRAPPED, RPC_SECRET_PASSWORD } rpc_secret_kind;

/* Valid during the call of `fn` only. */
typedef struct {
    rpc_secret_kind kind;
    const char     *field;  /* of the parameter that holds it: "pDataIn" */
    const char     *type;   /* the specification's name of the structure: "Server_Side_Wrapped_Secret" */
    size_t          offset; /* of the structure in the stub */
    dpapi_secret    opened; /* of RPC_SECRET_WRAPPED */
    join_password   joined; /* of RPC_SECRET_PASSWORD */
    const char     *owner;  /* the SID or the account's name whose it is; NULL: not known */
    const char     *state;  /* of what is sealed: "verified", "likely" (opened, but no MAC or other proof says so), "sealed" */
    const char     *text;   /* of what is sealed: the sentence that says why it counts as open, or is not */
    const uint8_t  *octets; /* what is worth keeping, of a password its UTF-8; NULL: it is sealed and not opened */
    size_t          length;
} rpc_secret;

typedef void (*rpc_secret_fn)(const rpc_secret *secret, void *user);

/* Calls `fn` for each secret in the request or response of a call, if its stub can be read; opens what is wrapped. */
void rpc_secrets(const rpc_call *call, bool response, const keyring *ring, rpc_secret_fn fn, void *user);

/* Whether it takes a further key to open it. */
bool rpc_secret_is_sealed(rpc_secret_kind kind);
/* Whether it was sealed, and no key for it was given at all. */
bool rpc_secret_lacks_key(const rpc_secret *secret);
const char *rpc_secret_kind_name(rpc_secret_kind kind); /* "certificate", "secret", "wrapped secret", "password" */

#endif
