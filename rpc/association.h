/* association.h - from PDUs to calls: presentation contexts, security contexts, fragments, calls.
 *
 * A tracker is given the PDUs of one capture in the order of the wire and makes calls of them. It owns everything it
 * hands out; calls live until the tracker is freed, or, with `forget`, until the sink's `finished` has returned.
 * Implements [C706] 12 and [MS-RPCE] 3.3 as far as a listener sees them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_ASSOCIATION_H
#define RPCLENS_ASSOCIATION_H

#include "decoders/interfaces.h"
#include "keys/context.h"
#include "rpc/pdu.h"
#include "rpc/smb_session.h"

typedef enum { RPC_NCACN_NP, RPC_NCACN_IP_TCP, RPC_NCADG_IP_UDP } rpc_transport;

/* Where a PDU was found. */
typedef struct {
    uint32_t      frame;
    int64_t       seconds;     /* since 1970 */
    int32_t       nanoseconds;
    rpc_transport transport;
    uint64_t      connection;  /* one number a TCP connection or UDP conversation */
    uint64_t      pipe_id[2];  /* the SMB file id on it; 0 without a pipe */
    const char   *pipe;        /* "protected_storage"; NULL without a pipe or when its name is not known */
    const smb_session *smb;    /* the session that carries it; NULL: none, or it is not known. Outlives the tracker */
    const char   *source;      /* "192.0.2.1:445" */
    const char   *destination;
} rpc_origin;

typedef struct rpc_association rpc_association;
typedef struct rpc_call        rpc_call;

/* A security context and who it is between. */
typedef struct {
    uint32_t     id;        /* auth_context_id */
    uint8_t      auth_type; /* SEC_AUTH_... */
    uint8_t      level;     /* of its first bind, alter_context or request */
    bool         bound;     /* a bind or alter_context with its first token was seen */
    bool         client_header_sign, server_header_sign;
    sec_context *security;  /* never NULL */
    struct {
        bool     known;
        uint64_t next;
    } sequence[2];          /* of its PDUs from the client and from the server: what should come next */
    uint32_t     missing;   /* PDUs that NTLM's key stream told to be missing, so far */
} rpc_auth;

typedef enum { RPC_NONE, RPC_REQUEST, RPC_RESPONSE, RPC_FAULT } rpc_kind;

/* One direction of a call: all its fragments. */
typedef struct {
    rpc_kind       kind;      /* RPC_NONE: not in the capture */
    uint32_t       first_frame, last_frame; /* of its fragments so far, 0 before the first; it is drawn in the last */
    uint32_t       fragments; /* how many */
    GArray        *all_frames; /* uint32_t: the frames of all its fragments, where there are several; else NULL */
    int64_t        seconds;   /* of the first fragment */
    int32_t        nanoseconds;
    bool           complete;  /* all fragments are here, and the stub below is whole or cut only by the snap length */
    bool           sealed;    /* sent at level PRIVACY */
    const rpc_auth *auth;     /* NULL: no sec_trailer */
    uint8_t        level;     /* the lowest of its fragments' levels; SEC_LEVEL_NONE without sec_trailer */
    sec_state      state;     /* the worst of its fragments' */
    sec_reason     reason;
    const char    *text;      /* why it is not verified; NULL */
    GByteArray    *stub;      /* plaintext without auth padding and verification trailer; NULL while sealed, or when not kept */
    size_t         reported;  /* length of the stub as sent; larger than the stub where the snap length cut it */
    bool           has_trailer; /* a verification trailer followed the stub */
    bool           big_endian;
    uint32_t       status;    /* of a fault */
    bool           not_executed; /* of a fault: the server says that the method has not run */
    bool           hole;      /* a PDU is missing between its fragments */
} rpc_message;

struct rpc_call {
    const rpc_association *association;
    uint64_t             number;      /* from 1, in the order of the first PDU */
    const ndr_interface *interface;   /* NULL: not one of ours, or not known */
    const ndr_method    *method;      /* NULL likewise, or an opnum the interface does not have */
    bool                 rejected;    /* the server had rejected the presentation context */
    bool                 bound;       /* the presentation context is known; then: */
    ndr_guid             uuid;
    uint16_t             version_major, version_minor;
    bool                 ndr64;
    uint16_t             opnum;       /* valid if the request was seen */
    uint32_t             call_id;
    rpc_message          request, response;
    bool                 finished;
    void                *user;        /* the sink's own; freed by it */
};

struct rpc_association {
    rpc_transport transport;
    uint64_t      connection;
    uint64_t      pipe_id[2];       /* as in its origin */
    char         *pipe;             /* NULL */
    const smb_session *smb;         /* NULL */
    char         *client, *server;  /* "192.0.2.7:49152" */
    uint64_t      number;           /* from 1 */
    struct {                        /* of the presentation context that the sink is being told of: */
        bool      ndr64;            /* of an answer: this PDU's asked for the interface with NDR64 and no other transfer syntax */
        uint8_t   auth_type;        /* of the handshake so far, SEC_AUTH_... */
        uint8_t   level;            /* SEC_LEVEL_NONE without one */
        bool      nak;              /* refused by a bind_nak; else, where the result is a refusal, by itself */
        uint16_t  reason;           /* of the refusal: of a bind_nak 8 is an authentication type that is not known, of a context 2 a
                                       transfer syntax */
    } asked;
    uint64_t      group;            /* the number of the association that began its association group, which is often itself: those of one
                                       group share context handles */
    bool          group_whole;      /* the capture has that beginning, so that no other association is in it unseen */
};

/* One PDU as the tracker understood it, kept for whoever draws frames. */
typedef struct {
    uint32_t         frame;
    uint8_t          type;
    uint32_t         length;       /* frag_length, which tells PDUs of one frame apart together with call_id */
    uint32_t         call_id;
    uint32_t         stub_offset;  /* length of the header in front of the stub */
    rpc_call        *call;         /* of a request, response or fault; NULL */
    bool             response;     /* which message of the call */
    bool             last;         /* it completed that message */
    const rpc_auth  *auth;         /* NULL */
    uint8_t          level;
    sec_verdict      verdict;      /* of this PDU alone */
    const uint8_t   *plain;        /* its decrypted body (stub and padding); NULL unless it was sealed and verified */
    size_t           plain_length;
    const char      *problem;      /* what is wrong with the PDU itself; NULL */
} rpc_pdu;

typedef struct {
    void *user;
    /* A message is complete: request (before its response is known) or response. Any may be NULL. */
    void (*message)(rpc_call *call, bool response, void *user);
    /* Nothing more will be heard of this call. */
    void (*finished)(rpc_call *call, void *user);
    /* A presentation context was asked for (result -1) or answered (result as in the bind_ack). */
    void (*context)(const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                    uint16_t version_major, int result, void *user);
} rpc_sink;

typedef struct {
    bool forget;     /* free calls after `finished` and keep no rpc_pdu: for a program that goes through once */
    bool keep_stubs; /* keep the stubs of every interface's calls, not only of ours and of sealed ones */
} rpc_options;

typedef struct rpc_tracker rpc_tracker;

/* `ring` and what `sink` points to must outlive the tracker. */
rpc_tracker *rpc_tracker_new(const keyring *ring, const rpc_sink *sink, const rpc_options *options);
void         rpc_tracker_free(rpc_tracker *tracker);

/* Takes the next PDU; with `forget`, what it returns is valid until the next call. Octets that are no PDU give NULL. */
const rpc_pdu *rpc_tracker_pdu(rpc_tracker *tracker, const rpc_origin *origin, const uint8_t *octets, size_t captured,
                               size_t reported);

/* The same of a datagram of connectionless RPC. Its origin has no pipe. */
const rpc_pdu *rpc_tracker_datagram(rpc_tracker *tracker, const rpc_origin *origin, const uint8_t *octets, size_t captured,
                                    size_t reported);

/* The end of a pipe, and of the capture: unanswered calls are finished. */
void rpc_tracker_closed(rpc_tracker *tracker, uint64_t connection, const uint64_t pipe_id[2]);
void rpc_tracker_end(rpc_tracker *tracker);

/* The stub of a message in the form the walker takes; false when there is none to read, because it is sealed, incomplete or
 * not kept. */
bool rpc_message_stub(const rpc_call *call, const rpc_message *message, ndr_stub *stub);

/* Walks that stub by the call's method, which must be known; a response with its request, where that can be read. */
ndr_result rpc_message_walk(const rpc_call *call, bool response, const ndr_stub *stub, ndr_event_fn fn, void *user);

const char *rpc_transport_name(rpc_transport transport); /* "ncacn_np", "ncacn_ip_tcp", "ncadg_ip_udp" */
/* "SPNEGO", "NTLM", "Kerberos", ...; "none" for 0. */
const char *rpc_auth_type_name(uint8_t auth_type);
/* "none", "connect", "call", "packet", "integrity", "privacy". */
const char *rpc_auth_level_name(uint8_t level);

#endif
