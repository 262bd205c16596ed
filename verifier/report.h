/* report.h - what the program prints.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_REPORT_H
#define RPCLENS_REPORT_H

#include <stdio.h>

#include "keys/keyring.h"
#include "rpc/association.h"
#include "verifier/verdict.h"

/* One call as a line: a JSON object, or text. `stubs` adds the plaintext stubs to JSON. */
void report_call_jsonl(FILE *out, const char *capture, const rpc_call *call, bool stubs);
void report_call_text(FILE *out, const rpc_call *call);

/* Verdicts and findings. `captures` ends with NULL. */
void report_verdict_json(FILE *out, const verifier *v, char *const *captures);
void report_verdict_text(FILE *out, const verifier *v, char *const *captures);

/* The catalogue. */
void report_rules(FILE *out);

/* What was understood of each key source; never a key. */
void report_keys(FILE *out, const keyring *ring);

/* For each security context of a capture: who to whom, what would open it, whether it did. Collects calls as they finish and prints
 * when the capture has ended; the collection is empty again then. */
typedef struct report_contexts report_contexts;
report_contexts *report_contexts_new(FILE *out);
void             report_contexts_free(report_contexts *contexts);
void             report_contexts_add(report_contexts *contexts, const rpc_call *call);
void             report_contexts_print(report_contexts *contexts, const char *capture);

#endif
