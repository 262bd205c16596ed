/* report.h - what the program prints.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_REPORT_H
#define RPCLENS_REPORT_H

#include <stdio.h>

#include "keys/keyring.h"
#include "rpc/handles.h"
#include "verifier/verdict.h"

typedef struct {
    const keyring *ring;   /* opens the secrets that calls carry wrapped */
    const rpc_handles *handles; /* of the capture in hand */
    bool           stubs;  /* JSON: with the plaintext stubs */
    bool           secrets;/* with what was wrapped, in hexadecimal; the user asked for it by name */
} report_options;

/* One call as a line: a JSON object, or text. */
void report_call_jsonl(FILE *out, const char *capture, const rpc_call *call, const report_options *options);
void report_call_text(FILE *out, const rpc_call *call, const report_options *options);

/* What calls carry, as files in a folder, which is made if need be, and a manifest of them. Nothing that exists is overwritten. */
typedef struct report_secrets report_secrets;
/* NULL: the folder cannot be used; `error` (free it) says why. `ring` must outlive it. */
report_secrets *report_secrets_new(const char *folder, const keyring *ring, char **error);
void            report_secrets_add(report_secrets *secrets, const char *capture, const rpc_call *call);
/* Writes the manifest and frees all; prints to `out` what was recovered. False: something could not be written; `error` says what. */
bool            report_secrets_end(report_secrets *secrets, FILE *out, char **error);

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
