/* call_values.h - for rules: the parameters of a message by name, and what a call came to.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CALL_VALUES_H
#define RPCLENS_CALL_VALUES_H

#include "rpc/association.h"

typedef struct call_values call_values;

/* Between these two, while the rules judge a message, each of the call's messages is walked once, however many rules read it. */
void call_values_hold(const rpc_call *call);
void call_values_release(void);

/* The parameters of a request or response, and its return value as "return". NULL: the stub cannot be read, or not to its end.
 * Free it. */
call_values *call_values_read(const rpc_call *call, bool response);
void         call_values_free(call_values *values);
/* Whether there is a parameter of this name that is a value (a number, a string, a handle); `number` may be NULL. */
bool         call_values_number(const call_values *values, const char *name, uint64_t *number);
/* A string; NULL: there is none of this name, or its pointer is null. Lives as long as the values. */
const char  *call_values_text(const call_values *values, const char *name);

typedef enum {
    CALL_UNANSWERED, /* no answer so far */
    CALL_UNREAD,     /* an answer that cannot be read to its end */
    CALL_RETURNED,
    CALL_FAULT
} call_end;

typedef struct {
    call_end end;
    uint32_t status;  /* the fault's, or what the method returned or wrote to Status */
    bool     success; /* CALL_RETURNED with 0, and an rpc_status of 0 where there is one */
} call_outcome;

call_outcome call_outcome_of(const rpc_call *call);

#endif
