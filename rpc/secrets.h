/* secrets.h - what a call carries that is worth keeping, and what a further key opens of it.
 *
 * BackupKey's calls carry secrets in the clear, wrapped secrets, which the domain's backup keys open (keys/dpapi.h), and the
 * certificate of the key that wraps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SECRETS_H
#define RPCLENS_SECRETS_H

#include "keys/dpapi.h"
#include "rpc/association.h"

typedef enum { RPC_SECRET_CERTIFICATE, RPC_SECRET_PLAIN, RPC_SECRET_WRAPPED } rpc_secret_kind;

/* Valid during the call of `fn` only. */
typedef struct {
    rpc_secret_kind kind;
    const char     *field;  /* of the parameter that holds it: "pDataIn" */
    const char     *type;   /* the specification's name of the structure: "Server_Side_Wrapped_Secret" */
    size_t          offset; /* of the structure in the stub */
    dpapi_secret    opened; /* of RPC_SECRET_WRAPPED */
    const uint8_t  *octets; /* what is worth keeping; NULL: it is wrapped and not opened */
    size_t          length;
} rpc_secret;

typedef void (*rpc_secret_fn)(const rpc_secret *secret, void *user);

/* Calls `fn` for each secret in the request or response of a call, if its stub can be read; opens what is wrapped. */
void rpc_secrets(const rpc_call *call, bool response, const keyring *ring, rpc_secret_fn fn, void *user);

const char *rpc_secret_kind_name(rpc_secret_kind kind); /* "certificate", "secret", "wrapped secret" */

#endif
