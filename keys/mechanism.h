/* mechanism.h - what context.c and the mechanisms share; private to keys/.
 *
 * A mechanism is one file with NAME_new, NAME_free, NAME_token and NAME_open, called from context.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_MECHANISM_H
#define RPCLENS_MECHANISM_H

#include "keys/context.h"
#include "keys/crypto.h"

/* The part of a context that all mechanisms read and write. */
typedef struct {
    const keyring *ring;
    sec_facts      facts;
    GStringChunk  *strings;        /* every text handed out; dies with the context */
    bool           header_signing; /* what was negotiated; both ways are tried */
    bool           mech_list_mic;  /* SPNEGO's mechListMIC was seen in either direction */
    uint8_t       *scratch;        /* decrypted, but not proven; grows with the largest PDU */
    size_t         scratch_size;
    const key_entry *entry;        /* the key that was proven, of the ring; NULL: none, or none was needed */
    bool           sequence_known; /* the PDU being opened has a hidden number, and it was verified; then: */
    uint64_t       sequence;
    uint8_t       *session_key;    /* 16 octets of secure memory, what the mechanism hands out; NULL while it is not known */
} mech_env;

/* A text that lives as long as the context; equal texts are one. */
const char *mech_keep(mech_env *env, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Sets the facts to "no key", and why. */
void mech_no_key(mech_env *env, sec_reason reason, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Sets the facts to "have a key": which one (NULL: none was needed), out of how many, and what proved it. */
typedef enum { MECH_BY_HANDSHAKE, MECH_BY_SIGNATURE } mech_proof;
void mech_have_key(mech_env *env, const key_entry *entry, size_t tried, mech_proof proof);

/* The context's own key for whoever asked for it; a later one replaces it (a subkey the ticket's session key). */
void mech_session_key(mech_env *env, const uint8_t *key, size_t length);

/* "Not verified, because": sealed at level PRIVACY, else readable but unverified. */
sec_verdict mech_refuse(mech_env *env, const sec_message *message, sec_reason reason, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* The same with the reason why there is no key. */
sec_verdict mech_refuse_keyless(mech_env *env, const sec_message *message);

/* At least `length` octets of scratch. */
uint8_t *mech_scratch(mech_env *env, size_t length);

/* Where a PDU's pieces begin; only what is captured may be read. */
enum { SEC_TRAILER_LENGTH = 8 };
static inline const uint8_t *message_body(const sec_message *message)
{
    return message->pdu + message->header_length;
}
static inline const uint8_t *message_trailer(const sec_message *message)
{
    return message_body(message) + message->body_length;
}
static inline const uint8_t *message_token(const sec_message *message)
{
    return message_trailer(message) + SEC_TRAILER_LENGTH;
}
static inline size_t message_length(const sec_message *message)
{
    return message->header_length + message->body_length + SEC_TRAILER_LENGTH + message->token_length;
}

#endif
