/* secrets.c - finds the secrets of a call by the types its table gives them.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/secrets.h"

#include <string.h>

typedef struct {
    const keyring *ring;
    rpc_secret_fn  fn;
    void          *user;
    const uint8_t *octets; /* of the last value that was octets */
    size_t         length;
} search;

static const struct {
    const char     *type;
    rpc_secret_kind kind;
    size_t          skipped; /* octets in front of the secret */
} carriers[] = {
    {"Certificate",                RPC_SECRET_CERTIFICATE, 0}, /* [MS-BKRP] 2.2.1 */
    {"Client_Side_Wrapped_Secret", RPC_SECRET_WRAPPED,     0}, /* 2.2.2 */
    {"Server_Side_Wrapped_Secret", RPC_SECRET_WRAPPED,     0}, /* 2.2.4 */
    {"Unwrapped_Secret",           RPC_SECRET_PLAIN,       4}, /* 2.2.3 */
    {"Secret",                     RPC_SECRET_PLAIN,       0},
};

const char *rpc_secret_kind_name(rpc_secret_kind kind)
{
    static const char *const names[] = {"certificate", "secret", "wrapped secret"};
    return names[kind];
}

static void found(search *s, const ndr_event *e, size_t i)
{
    rpc_secret secret = {.kind = carriers[i].kind, .field = e->name, .type = e->type->name, .offset = e->offset};
    if (secret.kind == RPC_SECRET_WRAPPED) {
        if (!dpapi_open(s->ring, s->octets, s->length, &secret.opened))
            return;
        secret.octets = secret.opened.secret;
        secret.length = secret.opened.length;
    } else if (s->length > carriers[i].skipped) {
        secret.octets = s->octets + carriers[i].skipped;
        secret.length = s->length - carriers[i].skipped;
    } else {
        return;
    }
    s->fn(&secret, s->user);
    dpapi_clear(&secret.opened);
}

static void look(const ndr_event *e, void *user)
{
    search *s = user;
    if (e->kind == NDR_EV_VALUE && e->value.octets) {
        s->octets = e->value.octets;
        s->length = e->value.length;
    }
    if (e->kind != NDR_EV_BEGIN || !e->decoded || !s->octets)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(carriers); i++)
        if (strcmp(e->type->name, carriers[i].type) == 0)
            found(s, e, i);
}

void rpc_secrets(const rpc_call *call, bool response, const keyring *ring, rpc_secret_fn fn, void *user)
{
    ndr_stub stub;
    search s = {.ring = ring, .fn = fn, .user = user};
    if (call->method && !call->method->reserved && rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        rpc_message_walk(call, response, &stub, look, &s);
}
