/* rules_common.h - what the rules of several protocols share: reasons, findings about calls, what a security context showed.
 *
 * Findings here follow one form: a rule about requests names who sent which method (and whether there are others) to whom, and
 * frames of one security context are one finding.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_RULES_COMMON_H
#define RPCLENS_RULES_COMMON_H

#include "verifier/verdict.h"

/* Why a question stays open. */
extern const char ic_nohandshake[], ic_encrypted[], ic_one_way[], ic_truncated[], ic_internal[], ic_cache[], ic_config[];

/* The key of findings that are joined by security context, or by association where there is none. */
const void *rule_context_key(const rpc_call *call, const rpc_message *message);
/* A finding about the request of a call; the format goes on behind "client sent METHOD to server". */
void rule_find_request(verifier *v, const rule *self, const rpc_call *call, rule_verdict verdict, const char *reason,
                       const void *key, const char *format, ...) G_GNUC_PRINTF(7, 8);
/* The same about its response or fault: "server answered METHOD of client". */
void rule_find_response(verifier *v, const rule *self, const rpc_call *call, rule_verdict verdict, const char *reason,
                        const void *key, const char *format, ...) G_GNUC_PRINTF(7, 8);

/* Of rules that are held against requests: whether this message is one. A response alone shows that there was one, which is
 * said. */
bool rule_is_request(verifier *v, const rule *self, const rpc_call *call, bool response);
/* Whether the snap length took the sec_trailer, so that not even the level is known. */
bool rule_is_trailer_cut(const rpc_message *message);
/* False after having said that it did. */
bool rule_is_trailer_known(verifier *v, const rule *self, const rpc_call *call);
/* Why the stub of a message cannot be read as far as is needed, with the reason's code. */
const char *rule_unread(const rpc_message *message, const char **reason);

/* The address of an endpoint, "192.0.2.7" of "192.0.2.7:49152": clients come from a new port each time. */
size_t rule_address_length(const char *endpoint);
bool   rule_same_address(const char *a, const char *b);

/* What rules remember by number, of calls, connections, associations, handles: a table that owns its keys, with its values freed
 * so (NULL: not at all), and a key for it. */
GHashTable *rule_table(GDestroyNotify free_value);
uint64_t   *rule_number(uint64_t number);

/* Checks of requests, for `message` hooks. */
void rule_check_spnego(verifier *v, const rule *self, void *state, const rpc_call *call, bool response);
void rule_check_privacy(verifier *v, const rule *self, void *state, const rpc_call *call, bool response);

/* What the handshake of a request's security context showed, or NULL after having said why nothing is to be told from it. */
const sec_facts *rule_facts(verifier *v, const rule *self, const rpc_call *call, bool response);
/* Whether the token shows another level. */
bool rule_is_impersonation_other(const sec_facts *facts);
/* Impersonation level IMPERSONATE, as far as the mechanism's token tells it ([MS-RPCE] 2.2.1.1.9). */
void rule_check_impersonation(verifier *v, const rule *self, const rpc_call *call, const sec_facts *facts);

/* ap-options, [RFC 4120] 5.5.1 */
enum { RULE_AP_MUTUAL_REQUIRED = 0x20000000 };

#endif
