/* rules_wkst.h - what the files of the Workstation Service's rules share.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_RULES_WKST_H
#define RPCLENS_RULES_WKST_H

#include "verifier/rules_common.h"

/* Opnums, [MS-WKST] 3.2.4. */
enum {
    WKST_GET_INFO = 0, WKST_SET_INFO = 1, WKST_USER_ENUM = 2, WKST_TRANSPORT_ENUM = 5, WKST_TRANSPORT_ADD = 6,
    WKST_TRANSPORT_DEL = 7, WKST_USE_ADD = 8, WKST_USE_GET_INFO = 9, WKST_USE_DEL = 10, WKST_USE_ENUM = 11, WKST_STATISTICS = 13,
    WKST_JOIN_INFORMATION = 20,
    WKST_JOIN = 22, WKST_UNJOIN = 23, WKST_RENAME = 24, WKST_VALIDATE = 25, WKST_JOINABLE_OUS = 26, WKST_ADD_NAME = 27,
    WKST_REMOVE_NAME = 28, WKST_SET_NAME = 29, WKST_ENUM_NAMES = 30, WKST_JOIN_3 = 31, WKST_UNJOIN_3 = 32, WKST_RENAME_3 = 33,
    WKST_VALIDATE_3 = 34, WKST_ADD_NAME_2 = 35, WKST_SET_NAME_2 = 37, WKST_LAST = 38
};
#define WKST_BIT(OPNUM)       (UINT64_C(1) << (OPNUM))
#define WKST_BITS(FIRST, LAST) ((WKST_BIT((LAST) + 1) - 1) & ~(WKST_BIT(FIRST) - 1))
/* Those that take a handle_t (2.2.2.3), and of them those that change what the computer is or is called. */
#define WKST_JOINING  (WKST_BITS(WKST_JOIN, WKST_SET_NAME) | WKST_BITS(WKST_JOIN_3, WKST_LAST))
#define WKST_CHANGING (WKST_BITS(WKST_JOIN, WKST_RENAME) | WKST_BITS(WKST_ADD_NAME, WKST_SET_NAME) | \
                       WKST_BITS(WKST_JOIN_3, WKST_RENAME_3) | WKST_BITS(WKST_ADD_NAME_2, WKST_LAST))

enum {
    WKST_SUCCESS = 0, WKST_ACCESS_DENIED = 5, WKST_INVALID_PARAMETER = 0x57, WKST_INVALID_LEVEL = 0x7c, WKST_MORE_DATA = 0xea,
    WKST_BAD_STUB = 0x6f7
};

/* Whether this is a method of the specification's, and one of these. */
bool wkst_is(const rpc_call *call, uint64_t opnums);
/* Whether the request is that of another method that a source has at the opnum, and not only the same under another name. */
bool wkst_is_other(const rpc_call *call);

/* One value of a message, wherever in it. */
typedef struct {
    const char      *name;
    const ndr_field *row;
    uint32_t         parent; /* the structure it is in; 0: a parameter */
    uint64_t         number;
    char            *text;   /* of a string; NULL */
    bool             null;   /* a null pointer */
} wkst_item;

typedef struct {
    GArray    *items;  /* wkst_item, in the order of the stub; NULL: the stub is not there to read */
    ndr_result result;
    unsigned   notes;  /* bit N: there was an ndr_note N */
    char      *note;   /* the first of them that is about the wire, as a sentence; NULL */
} wkst_reading;

/* False: it is sealed, cut or not in the capture; then nothing is to be freed, but may be. */
bool             wkst_read(const rpc_call *call, bool response, wkst_reading *reading);
void             wkst_reading_clear(wkst_reading *reading);
/* The first value of this name; NULL. */
const wkst_item *wkst_find(const wkst_reading *reading, const char *name);
/* Its number; 0 where there is none or its pointer is null. */
uint64_t         wkst_number(const wkst_reading *reading, const char *name);

/* Says that a message cannot be read, with the reason. */
void wkst_find_unread(verifier *v, const rule *self, const rpc_call *call, bool response);

/* An answered call. */
typedef struct {
    verifier       *v;
    const rule     *self;
    const rpc_call *call;
    void           *state;
    wkst_reading    in, out;
    uint32_t        status; /* what the method returned */
} wkst_answer;

/* For `message` hooks: calls `fn` when a call has returned and both messages can be read; says so when one cannot. Faults are
 * passed over. */
void wkst_with_answer(verifier *v, const rule *self, void *state, const rpc_call *call, bool response, uint64_t opnums,
                      void (*fn)(const wkst_answer *answer));
/* What a request asks for is to be refused with this status, which errors.h has a name for. Success is the verdict given, and the format goes on behind "server
 * answered METHOD of client with success, though"; any other refusal leaves it open which of the reasons for one came first. */
void wkst_judge_refusal(const wkst_answer *answer, uint32_t expected, rule_verdict broken, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* The pipe that carries a call; NULL: there is none, or nothing is known of it. */
const smb_object *wkst_pipe(const verifier *v, const rpc_call *call);

#endif
