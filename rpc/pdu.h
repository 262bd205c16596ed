/* pdu.h - the octets of one DCE/RPC PDU, taken apart: connection-oriented ([C706] 12.6, [MS-RPCE] 2.2.2), or a datagram
 * ([C706] 12.5, [MS-RPCE] 2.2.3).
 *
 * Nothing is copied: every pointer points into the octets that were given.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_PDU_H
#define RPCLENS_PDU_H

#include "decoders/ndr.h"

typedef enum {
    PDU_REQUEST = 0, PDU_RESPONSE = 2, PDU_FAULT = 3, PDU_BIND = 11, PDU_BIND_ACK = 12, PDU_BIND_NAK = 13,
    PDU_ALTER_CONTEXT = 14, PDU_ALTER_CONTEXT_RESP = 15, PDU_AUTH3 = 16, PDU_SHUTDOWN = 17, PDU_CO_CANCEL = 18,
    PDU_ORPHANED = 19
} pdu_type;

/* The common header ([C706] 12.6.3.1) is the shortest PDU there is. */
enum { PDU_SHORTEST = 16 };

enum { PFC_FIRST_FRAG = 0x01, PFC_LAST_FRAG = 0x02, PFC_SUPPORT_HEADER_SIGN = 0x04, PFC_DID_NOT_EXECUTE = 0x20,
       PFC_OBJECT_UUID = 0x80 };

/* Why octets are not a PDU, or not a whole one. */
typedef enum {
    PDU_GOOD,
    PDU_CUT,      /* the snap length took the end: the header below is there, the rest may not be */
    PDU_NOT_RPC,  /* not version 5.0 or 5.1, or shorter than a header */
    PDU_BAD       /* lengths that contradict each other */
} pdu_result;

typedef struct {
    const uint8_t *octets;
    size_t         captured;     /* octets that are here */
    size_t         length;       /* frag_length */
    uint8_t        type;         /* pdu_type */
    uint8_t        flags;
    bool           big_endian;
    uint32_t       call_id;
    /* request, response, fault: */
    uint16_t       context_id;
    uint16_t       opnum;        /* request */
    uint32_t       status;       /* fault */
    size_t         stub_offset;  /* header length; body: stub and auth padding */
    size_t         body_length;
    uint32_t       assoc_group;  /* bind and bind_ack; 0 where it is not captured */
    uint16_t       nak_reason;   /* bind_nak */
    /* sec_trailer; has_auth tells whether there is one */
    bool           has_auth;
    bool           auth_known;   /* false when the snap length took it */
    uint8_t        auth_type, auth_level, auth_pad_length;
    uint32_t       auth_context_id;
    const uint8_t *token;        /* as much as is here */
    size_t         token_captured;
    size_t         token_length; /* auth_length */
    /* of a datagram; its call_id is the sequence number, its context_id 0: */
    ndr_guid       activity, interface;
    uint16_t       version_major, version_minor;
    uint32_t       fragnum;
} pdu_parts;

/* Takes the PDU apart. `captured` octets are here of a PDU whose sender sent `reported` (or more: the PDU's own
 * frag_length decides). On PDU_BAD, `why` is set to a sentence that does not need to be freed. */
pdu_result pdu_read(const uint8_t *octets, size_t captured, size_t reported, pdu_parts *out, const char **why);

/* The same of a datagram. A reject is taken for the fault that it is, and what carries no call keeps its own type, 20 added. What stands
 * behind the stub of an authenticated datagram is its verifier ([MS-RPCE] 2.2.3.4). */
pdu_result pdu_read_datagram(const uint8_t *octets, size_t captured, size_t reported, pdu_parts *out, const char **why);

/* "request", "bind_ack", ...; "PDU type 99" is "unknown". */
const char *pdu_type_name(uint8_t type);
/* Whether this type of PDU is sent by clients. */
bool pdu_from_client(uint8_t type);

/* One presentation context of a bind or alter_context, with its first transfer syntax. */
typedef struct {
    uint16_t id;
    ndr_guid interface;
    uint16_t version_major, version_minor;
    ndr_guid transfer;
    uint16_t transfer_count;
} pdu_context;

/* Calls `fn` for each p_cont_elem of a bind or alter_context. Returns false when the list is malformed or cut
 * (contexts before that point have been given). */
bool pdu_contexts(const pdu_parts *bind, void (*fn)(const pdu_context *context, void *user), void *user);

/* One p_result of a bind_ack or alter_context_resp, in the order of the contexts asked for. */
typedef struct {
    uint16_t result; /* 0 acceptance, 1 user rejection, 2 provider rejection, 3 negotiate_ack */
    uint16_t reason;
    ndr_guid transfer;
} pdu_result_element;
bool pdu_results(const pdu_parts *ack, void (*fn)(unsigned index, const pdu_result_element *result, void *user), void *user);

/* Transfer syntaxes */
extern const ndr_guid pdu_ndr64; /* 71710533-beba-4937-8319-b5dbef9ccc36 */
extern const ndr_guid pdu_ndr;   /* 8a885d04-1ceb-11c9-9fe8-08002b104860 */

/* Where the verification trailer ([MS-RPCE] 2.2.2.13) of a request's stub begins; `length` when it has none. A trailer is
 * believed only if its commands run exactly to the end of the stub. */
size_t pdu_verification_trailer(const uint8_t *stub, size_t length);

#endif
