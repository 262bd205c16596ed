/* feed.h - from Wireshark's frames to the trackers, and from the trackers to whoever draws or reports.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_FEED_H
#define RPCLENS_FEED_H

#include "keys/keyring.h"
#include "rpc/association.h"
#include "rpc/handles.h"
#include "verifier/verdict.h"

/* How a program that links the plugin statically uses the feed; Wireshark itself sets none of it. */
typedef struct {
    keyring     *ring;       /* used instead of the preferences' files */
    verifier    *judge;      /* NULL: no rules */
    const char  *label;      /* of the capture in hand, for findings */
    rpc_options  options;
    void        *user;
    void       (*finished)(rpc_call *call, void *user);
    void       (*ended)(void *user); /* all calls of the capture are finished; their security contexts still live */
} feed_program;

/* Set before a capture is dissected; NULL gives the feed back to Wireshark. */
void feed_set_program(const feed_program *program);
/* The context handles of the capture in hand; NULL: there is none. */
const rpc_handles *feed_handles(void);
/* The capture has ended (`whole` false: it broke off in the middle): unanswered calls are finished and the rules about
 * absence judged. */
void feed_end(bool whole);

/* Called by register.c. */
void feed_register(int proto);
void feed_handoff(void);

#endif
