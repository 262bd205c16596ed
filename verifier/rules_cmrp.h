/* rules_cmrp.h - what the files of [MS-CMRP]'s rules share.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_RULES_CMRP_H
#define RPCLENS_RULES_CMRP_H

#include "verifier/call_values.h"
#include "verifier/rules_common.h"

/* Return values of methods ([MS-ERREF] 2.2) and statuses of faults ([C706] appendix E). */
enum {
    CMRP_ACCESS_DENIED = 5, CMRP_INVALID_HANDLE = 6, CMRP_INVALID_PARAMETER = 0x57, CMRP_CALL_NOT_IMPLEMENTED = 0x78,
    CMRP_MORE_DATA = 0xEA, CMRP_IO_PENDING = 0x3E5
};
enum {
    CMRP_FAULT_CONTEXT_MISMATCH = 0x1C00001A, CMRP_FAULT_OP_RANGE = 0x1C010002, CMRP_FAULT_WHO_ARE_YOU_FAILED = 0x1C00000B,
    CMRP_FAULT_UNSUPPORTED_LEVEL = 0x1C00001D
};
/* lpdwGrantedAccess, 3.1.4.2.116 */
#define CMRP_GENERIC_READ UINT32_C(0x80000000)
#define CMRP_GENERIC_ALL  UINT32_C(0x10000000)

/* Whether the server did what was asked, or is at it: ERROR_IO_PENDING of what takes time, such as bringing a group online. */
bool cmrp_is_done(const call_outcome *outcome);
/* "success", "ERROR_IO_PENDING" or "0x00000005". Free it. */
char *cmrp_result_text(const call_outcome *outcome);

/* Whether a method waits for an event. */
bool  cmrp_waits(uint16_t opnum);

/* "hResource "Cluster IP Address" (HRES_RPC)", with the octets where there is no name. Free it. */
char *cmrp_handle_text(const rpc_handle_use *use);
/* Says that a request, or an answer, which the rule needs, cannot be read. */
void  cmrp_find_unread_request(verifier *v, const rule *self, const rpc_call *call);
void  cmrp_find_unread(verifier *v, const rule *self, const rpc_call *call);
/* Says that what a request asks for was not answered; of those that wait for an event nothing, for that may take long. */
void  cmrp_find_unanswered(verifier *v, const rule *self, const rpc_call *call);
/* The values of a request; NULL after having said that it cannot be read. Free with call_values_free(). */
call_values *cmrp_read_request(verifier *v, const rule *self, const rpc_call *call);

/* The calls of a connection, for rules that have to know whether any are missing from the capture. */
typedef struct {
    bool     called; /* and then, the call_id of its last request: */
    uint32_t call_id;
    bool     gap;    /* calls may be missing */
} call_sequence;

/* Takes the next message. Clients number their calls one after the other. A handshake takes a number too, so that a gap is no
 * proof of a loss; but where there is none, nothing was lost between two calls. Of the last call, the answer may be there alone. */
void cmrp_note_call(call_sequence *sequence, const rpc_call *call, bool response);

/* What a check of an answered call looks at. */
typedef struct {
    verifier          *v;
    const rule        *self;
    const rpc_call    *call;
    const call_values *in, *out; /* of its request and response */
    call_outcome       outcome;  /* CALL_RETURNED */
} cmrp_answered;

/* For `message` hooks: calls `fn` when a call has returned and can be read in both directions; says so when it cannot. */
void     cmrp_with_answer(verifier *v, const rule *self, const rpc_call *call, bool response, void (*fn)(const cmrp_answered *a));
/* The number of a parameter; 0 where it is not there. */
uint32_t cmrp_in(const cmrp_answered *a, const char *name);
uint32_t cmrp_out(const cmrp_answered *a, const char *name);
/* A finding of this call alone; the format goes on behind "server answered METHOD of client". */
void     cmrp_find_answer(const cmrp_answered *a, rule_verdict verdict, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Says that a call which needs more access than reading had success with a handle whose opening is not known. */
bool  cmrp_find_unknown(verifier *v, const rule *self, const rpc_call *call, const rpc_handle_use *first, size_t count);
/* A read-only handle and a method that needs more (3.1.4.2): CMRP-17 and C-08. */
void  cmrp_check_access(verifier *v, const rule *self, void *state, const rpc_call *call, bool response);

#endif
