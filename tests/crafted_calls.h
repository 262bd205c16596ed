/* crafted_calls.h - for tests: calls made by hand, with stubs written by the tables.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CRAFTED_CALLS_H
#define RPCLENS_CRAFTED_CALLS_H

#include "rpc/association.h"
#include "tests/ndr_encode.h"

/* Values of a stub: SETS({"hResource", .number = 7}, {"Status", .number = 5}). */
#define SETS(...) ((const encode_set[]){__VA_ARGS__, {.name = NULL}})
static const encode_set NO_SETS[] G_GNUC_UNUSED = {{.name = NULL}};

static inline rpc_message craft_message(rpc_kind kind, uint32_t frame, GByteArray *stub)
{
    return (rpc_message){.kind = kind, .first_frame = frame, .last_frame = frame, .fragments = 1, .complete = true,
                         .state = SEC_PLAIN, .level = SEC_LEVEL_NONE, .stub = stub, .reported = stub ? stub->len : 0};
}

/* A call whose request is in this frame. */
static inline rpc_call craft_call(const rpc_association *association, const ndr_interface *interface, uint16_t opnum,
                                  uint32_t frame,
                                  const encode_set *sets)
{
    rpc_call call = {.association = association, .number = frame, .interface = interface,
                     .method = interfaces_method(interface, opnum),
                     .bound = true, .uuid = interface->uuid, .version_major = interface->version_major, .opnum = opnum,
                     .call_id = frame};
    GByteArray *stub = call.method && !call.method->reserved ? encode_stub_set(interface, call.method, 0, false, false, sets)
        : NULL;
    call.request = craft_message(RPC_REQUEST, frame, stub);
    return call;
}

static inline void craft_response(rpc_call *call, uint32_t frame, const encode_set *sets)
{
    GByteArray *stub = call->method->reserved ? NULL : encode_stub_set(call->interface, call->method, 0, true, false, sets);
    call->response = craft_message(RPC_RESPONSE, frame, stub);
}

static inline void craft_fault(rpc_call *call, uint32_t frame, uint32_t status)
{
    call->response = craft_message(RPC_FAULT, frame, NULL);
    call->response.status = status;
}

static inline void craft_free(rpc_call *call)
{
    rpc_message *both[] = {&call->request, &call->response};
    for (int i = 0; i < 2; i++)
        if (both[i]->stub)
            g_byte_array_unref(both[i]->stub);
}

#endif
