/* handles.h - context handles through their life: which name a handle stands for, where it was opened, used and closed.
 *
 * A context handle is 20 octets that a server gives out and takes back ([C706] 6.1.6, [MS-RPCE] 3.3.1.4.1). They mean something
 * only within the association group that they were given out in: the same octets elsewhere are another handle. Nothing here knows
 * an interface: what opens, uses and closes is told by the direction of a row or a return value of type HANDLE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_HANDLES_H
#define RPCLENS_HANDLES_H

#include "rpc/association.h"

/* One handle from the answer that gave it out to the answer that took it back. A handle whose opening is not in the capture
 * begins with its first use. */
typedef struct {
    uint64_t             number;    /* from 1, in the order of their beginnings: what tells two of the same octets apart */
    uint32_t             attributes;
    ndr_guid             uuid;
    const ndr_interface *interface; /* of the call that opened it, or first used it */
    const ndr_type      *type;      /* HRES_RPC: what it was opened as. NULL: its opening is not in the capture, nor readable */
    const char          *name;      /* what it was opened by: "Cluster IP Address"; NULL: not known, or there is no name to it */
    const ndr_method    *opened_by; /* NULL as `type` is */
    uint32_t             opened_in; /* frame of the answer; 0 */
    uint64_t             opened_on; /* association; 0 */
    const char          *scope;     /* the association group it means something in, as rpc_handles_scope() tells it */
    bool                 access_known; /* the method that opened it told what it may be used for; then: */
    uint32_t             access;    /* lpdwGrantedAccess */
    const ndr_method    *closed_by; /* NULL: not closed so far */
    uint32_t             closed_in; /* frame of the answer that took it back; 0 */
    uint64_t             closed_on; /* association; 0 */
    int64_t              closed_at; /* seconds since 1970 */
    bool                 maybe_closed; /* a method that may close it was called, and its answer cannot be read or is not there */
    uint32_t             first_used, last_used; /* frames of requests; 0 */
    uint32_t             uses;      /* requests with it */
} rpc_handle;

/* A handle where it stands in a message. */
typedef struct {
    const char       *parameter; /* "hResource"; "return" of what a method returns */
    const ndr_type   *type;      /* what the method has there */
    const rpc_handle *handle;    /* NULL: a null handle */
    bool              after_close; /* of a request: it was sent after the answer that took the handle back */
    uint32_t          attributes;
    ndr_guid          uuid;
} rpc_handle_use;

typedef struct rpc_handles rpc_handles;

/* What is equal for associations that share handles: those of one group, and the activities of a client. Free it. */
char *rpc_handles_scope(const rpc_association *association);

/* `forget`: what a call's messages held is dropped when it is finished, for a program that goes through once. */
rpc_handles *rpc_handles_new(bool forget);
void         rpc_handles_free(rpc_handles *handles);

/* Takes the next message of any call, as the tracker's sink is told of it; what cannot be read is passed over. */
void rpc_handles_message(rpc_handles *handles, const rpc_call *call, bool response);
/* A call is finished, and whoever asks what it held has asked if there is `forget`. */
void rpc_handles_finished(rpc_handles *handles, const rpc_call *call);

/* The handles of a message in wire order, `count` of them; NULL and 0 where it has none or cannot be read. Lives as long as
 * `handles`, with `forget` as long as the call. */
const rpc_handle_use *rpc_handles_used(const rpc_handles *handles, const rpc_call *call, bool response, size_t *count);
/* The one of this parameter; NULL. */
const rpc_handle_use *rpc_handles_find(const rpc_handles *handles, const rpc_call *call, bool response, const char *parameter);

/* Calls `fn` for each handle that is followed, open ones and those closed of late, in the order of their beginnings. */
void rpc_handles_each(const rpc_handles *handles, void (*fn)(const rpc_handle *handle, void *user), void *user);

#endif
