/* fake_context.h - for tests: security contexts in place of keys/context.c, which show what a test says that the handshake
 * showed.
 *
 * Included by one file of a program only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_FAKE_CONTEXT_H
#define RPCLENS_FAKE_CONTEXT_H

#include "keys/context.h"

struct sec_context {
    sec_facts facts;
};

sec_context *sec_context_new(const keyring *ring, uint8_t auth_type)
{
    (void)ring, (void)auth_type;
    return g_new0(sec_context, 1);
}

void sec_context_free(sec_context *context) { g_free(context); }

void sec_context_token(sec_context *context, const uint8_t *token, size_t length, bool from_client, bool whole)
{
    (void)context, (void)token, (void)length, (void)from_client, (void)whole;
}

void sec_context_header_signing(sec_context *context, bool on) { (void)context, (void)on; }

const sec_facts *sec_context_facts(const sec_context *context) { return &context->facts; }

bool sec_context_session_key(const sec_context *context, uint8_t key[16])
{
    (void)context, (void)key;
    return false;
}

const key_entry *sec_context_key(const sec_context *context)
{
    (void)context;
    return NULL;
}

bool sec_context_sequence(const sec_context *context, const uint8_t *token, size_t length, uint64_t *sequence)
{
    (void)context, (void)token, (void)length, (void)sequence;
    return false;
}

sec_verdict sec_context_open(sec_context *context, const sec_message *message, uint8_t *plain)
{
    (void)context, (void)message, (void)plain;
    return (sec_verdict){SEC_SEALED, SEC_NO_KEY, "fake"};
}

#endif
