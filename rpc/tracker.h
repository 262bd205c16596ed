/* tracker.h - what association.c (connections) and datagram.c (activities) share; private to rpc/.
 *
 * An activity of connectionless RPC is an association of its own, with the activity's UUID in the place of a pipe's file id, and
 * a call's sequence number in the place of its call_id.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_TRACKER_H
#define RPCLENS_TRACKER_H

#include "rpc/association.h"

typedef struct datagram_state datagram_state;

typedef struct {
    uint64_t connection, pipe_id[2];
} association_key;

typedef struct {
    ndr_guid interface;
    uint16_t version_major, version_minor;
    bool     ndr64;
    bool     accepted; /* by an answer that is in the capture */
    bool     rejected; /* by the server; calls on it are of no interface */
} presentation;

typedef struct {
    rpc_association  pub;
    association_key  key;
    GHashTable      *presentations; /* p_cont_id -> presentation */
    GHashTable      *auths;         /* auth_context_id -> rpc_auth, owned by the tracker's list */
    GHashTable      *calls;         /* call_id -> open_call */
    GArray          *asked;         /* pdu_context of the bind or alter_context not answered yet */
    bool             bound;         /* a bind was seen */
    uint32_t         asked_group;   /* of the last bind: the assoc_group_id to join; 0: to begin one */
    bool             shaking;       /* the last bind, alter_context or auth3 was not answered yet; its call_id: */
    uint32_t         handshake_id;
    rpc_auth        *last_auth;     /* of the last handshake leg, for requests without sec_trailer */
    datagram_state  *datagrams;     /* of an activity, for datagram.c; else NULL */
} association;

/* A call and what only its building needs. */
typedef struct {
    rpc_call call;
    bool     keep;      /* somebody may draw it later */
    bool     request_started, response_started; /* the first fragment was seen */
    GPtrArray *early[2]; /* fragments of request and response that came before those in front of them: datagram.c */
    uint32_t   next[2];  /* fragnum that is due */
} open_call;

struct rpc_tracker {
    const keyring *ring;
    rpc_sink       sink;
    rpc_options    options;
    GHashTable    *associations;   /* association_key -> association */
    GHashTable    *groups;         /* "client server id" -> begun_group: of those alive, the last */
    association   *last;           /* the one of the last PDU, which is often the next one's; NULL */
    GPtrArray     *retired;        /* associations that calls still point to */
    GPtrArray     *auths;          /* all rpc_auth */
    GPtrArray     *kept;           /* open_calls that stay */
    GPtrArray     *pdus;           /* blocks of PDUS_A_BLOCK rpc_pdus that stay */
    unsigned       pdus_in_block;  /* of the last of them */
    GPtrArray     *plains;         /* their plaintexts */
    rpc_pdu        passing;        /* the one that does not stay */
    GByteArray    *plain;          /* of the PDU in hand */
    uint64_t       association_count, call_count;
};

/* The association of this key, which is made if there is none; `from_client`: this PDU comes from the client. */
association *tracker_association(rpc_tracker *t, const association_key *key, const rpc_origin *origin, bool from_client);
/* The security context of a PDU with a sec_trailer; NULL: there are too many. */
rpc_auth    *tracker_auth(rpc_tracker *t, association *a, const pdu_parts *p);
/* The call of a PDU; the first fragment of a request begins one. */
open_call   *tracker_call(rpc_tracker *t, association *a, const pdu_parts *p);
/* Puts the next fragment into its message; the plaintext of a sealed one is in t->plain. */
void         tracker_fragment(rpc_tracker *t, open_call *call, const rpc_origin *origin, const pdu_parts *p, const rpc_auth *auth,
                              const sec_verdict *verdict);
/* Keeps what is known of a PDU for whoever draws frames. */
rpc_pdu     *tracker_keep(rpc_tracker *t, const rpc_pdu *pdu_now);
/* A message is complete; a response finishes its call. False: the call is no more. */
bool         tracker_message_done(rpc_tracker *t, rpc_call *call, bool response);

void         datagrams_free(datagram_state *state);
/* The capture or the activity ends: what waits for a key is taken as it is. */
void         datagrams_flush(rpc_tracker *t, association *a);

#endif
