/* secrets.c - finds the secrets of a call by the types its table gives them.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/secrets.h"

#include <string.h>

#include "keys/crypto.h"

/* [MS-WKST] 2.2.5.18 and 2.2.5.19: the member in hand belongs to this structure. */
typedef struct {
    uint32_t       id;       /* of its BEGIN; 0: none is in hand */
    const char    *field, *type;
    size_t         offset;
    bool           has_auth_data, has_salt;
    uint8_t        auth_data[JOIN_AUTH_DATA], salt[JOIN_SALT];
} sealed_password;

typedef struct {
    const rpc_call *call;
    const keyring  *ring;
    rpc_secret_fn   fn;
    void           *user;
    const uint8_t  *octets;  /* of the last value that was octets */
    size_t          length;
    sealed_password password;
    char           *account; /* the last that was named; NULL */
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

static const char rc4_type[] = "JOINPR_ENCRYPTED_USER_PASSWORD", aes_type[] = "JOINPR_ENCRYPTED_USER_PASSWORD_AES";

const char *rpc_secret_kind_name(rpc_secret_kind kind)
{
    static const char *const names[] = {"certificate", "secret", "wrapped secret", "password"};
    return names[kind];
}

bool rpc_secret_is_sealed(rpc_secret_kind kind)
{
    return kind == RPC_SECRET_WRAPPED || kind == RPC_SECRET_PASSWORD;
}

bool rpc_secret_lacks_key(const rpc_secret *secret)
{
    return secret->kind == RPC_SECRET_PASSWORD ? secret->joined.outcome == JOIN_NO_KEY
                                               : secret->kind == RPC_SECRET_WRAPPED && secret->opened.outcome == DPAPI_NO_KEY;
}

static void tell(search *s, rpc_secret *secret, char *text)
{
    secret->text = text;
    s->fn(secret, s->user);
    g_free(text);
}

static void found(search *s, const ndr_event *e, size_t i)
{
    rpc_secret secret = {.kind = carriers[i].kind, .field = e->name, .type = e->type->name, .offset = e->offset};
    char *text = NULL;
    if (secret.kind == RPC_SECRET_WRAPPED) {
        if (!dpapi_open(s->ring, s->octets, s->length, &secret.opened))
            return;
        secret.octets = secret.opened.secret;
        secret.length = secret.opened.length;
        secret.owner = secret.opened.sid;
        secret.state = secret.octets ? "verified" : "sealed";
        text = dpapi_text(&secret.opened);
    } else if (s->length > carriers[i].skipped) {
        secret.octets = s->octets + carriers[i].skipped;
        secret.length = s->length - carriers[i].skipped;
    } else {
        return;
    }
    tell(s, &secret, text);
    dpapi_clear(&secret.opened);
}

/* ---- passwords of the Workstation Service ---- */

static char *password_text(const search *s, const join_password *joined)
{
    const smb_session *session = s->call->association->smb;
    const char *why = smb_session_why(session), *doubt = smb_session_doubt(session);
    if (joined->outcome == JOIN_NO_KEY && why)
        return g_strdup_printf("sealed with the key of the SMB session: %s", why);
    char *text = join_text(joined);
    if (joined->outcome == JOIN_WRONG_KEY && doubt) {
        char *first = text;
        text = g_strdup_printf("%s; %s", first, doubt);
        g_free(first);
    }
    return text;
}

/* The octets that end the structure in hand: all of it with RC4, the cipher with AES. */
static void found_password(search *s, const ndr_event *e)
{
    const sealed_password *p = &s->password;
    rpc_secret secret = {.kind = RPC_SECRET_PASSWORD, .field = p->field, .type = p->type, .offset = p->offset,
                         .owner = s->account};
    join_password *joined = &secret.joined;
    size_t count;
    join_key *keys = smb_session_join_keys(s->call->association->smb, &count);
    if (p->type == rc4_type)
        join_open(keys, count, e->value.octets, e->value.length, joined);
    else
        join_open_aes(keys, count, p->auth_data, p->salt, e->value.octets, e->value.length, joined);
    secret.octets = (const uint8_t *)joined->password;
    secret.length = joined->length;
    secret.state = !joined->password ? "sealed" : joined->proof == JOIN_BY_SHAPE ? "likely" : "verified";
    tell(s, &secret, password_text(s, joined));
    join_clear(joined);
    crypto_free(keys);
    s->password.id = 0;
}

static void look_for_password(search *s, const ndr_event *e)
{
    sealed_password *p = &s->password;
    if (e->kind == NDR_EV_BEGIN && e->type->name && !e->decoded) {
        bool rc4 = strcmp(e->type->name, rc4_type) == 0;
        if (rc4 || strcmp(e->type->name, aes_type) == 0)
            *p = (sealed_password){.id = e->id, .field = e->name, .type = rc4 ? rc4_type : aes_type, .offset = e->offset};
    }
    if (e->kind != NDR_EV_VALUE)
        return;
    if (e->value.text && (strcmp(e->name, "AccountName") == 0 || strcmp(e->name, "DomainAccount") == 0)) {
        g_free(s->account);
        s->account = g_strdup(e->value.text);
    }
    if (!p->id || e->parent != p->id || !e->value.octets)
        return;
    if (p->type == rc4_type ? strcmp(e->name, "Buffer") == 0 : p->has_auth_data && p->has_salt && strcmp(e->name, "Cipher") == 0)
        found_password(s, e);
    else if (strcmp(e->name, "AuthData") == 0 && e->value.length == JOIN_AUTH_DATA)
        p->has_auth_data = memcpy(p->auth_data, e->value.octets, JOIN_AUTH_DATA);
    else if (strcmp(e->name, "Salt") == 0 && e->value.length == JOIN_SALT)
        p->has_salt = memcpy(p->salt, e->value.octets, JOIN_SALT);
}

static void look(const ndr_event *e, void *user)
{
    search *s = user;
    look_for_password(s, e);
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
    search s = {.call = call, .ring = ring, .fn = fn, .user = user};
    if (call->method && !call->method->reserved && call->interface->seals &&
        rpc_message_stub(call, response ? &call->response : &call->request, &stub))
        rpc_message_walk(call, response, &stub, look, &s);
    g_free(s.account);
}
