/* verdict.h - rules, what they found, and the verdict on each.
 *
 * A verifier follows one or more captures through the events below and holds every rule of the catalogue against them. It
 * knows nothing of Wireshark or of files: the plugin and the program feed it from the same trackers. A finding belongs to
 * frames, and is handed out as soon as it is known, so that a frame can show it; a verdict on a rule is the worst of what
 * was found, and stands when the capture has ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_VERDICT_H
#define RPCLENS_VERDICT_H

#include "rpc/handles.h"
#include "rpc/smb.h"
#include "rpc/smb_life.h"

/* RULE_NOTE: no rule of a specification; what it finds is worth knowing. */
typedef enum { RULE_MUST, RULE_MUST_NOT, RULE_SHOULD, RULE_NOTE } rule_level;

/* From harmless to grave: the verdict on a rule is the largest that was reached. */
typedef enum {
    VERDICT_NOT_OBSERVABLE, /* no capture can show it */
    VERDICT_NOT_APPLICABLE, /* the rule's condition never arose */
    VERDICT_PASS,
    VERDICT_NOTE,           /* worth knowing; breaks no rule */
    VERDICT_INCONCLUSIVE,
    VERDICT_WARNING,        /* a SHOULD is broken, or a MUST in doubt */
    VERDICT_VIOLATION       /* a MUST is broken */
} rule_verdict;

typedef struct verifier verifier;
typedef struct rule     rule;

struct rule {
    const char *id;       /* "BKRP-19" */
    const char *protocol; /* "bkrp" */
    rule_level  level;
    const char *section;  /* "MS-BKRP 3.2.4" */
    const char *binds;    /* "client", "server", "both" */
    const char *text;     /* the rule in a sentence of ours */
    /* Hooks, any may be NULL; a rule without any is one that no capture can show. `context` and `message` are called
     * for interfaces of the rule's own protocol only. `state` is the rule's own memory of the capture, `state_size`
     * octets, zeroed at its start; what it allocates, `end` frees, which is always called. A rule that has said nothing
     * by then is judged by what the capture as a whole tells: no call at all, or none that could be seen. */
    size_t      state_size;
    bool        any_version; /* `context` is called for versions of the interface that are not decoded, too */
    void (*opened)(verifier *v, const rule *self, void *state, const smb_open *attempt);
    void (*smb)(verifier *v, const rule *self, void *state, const smb_object *object, smb_event event);
    void (*context)(verifier *v, const rule *self, void *state, const rpc_association *association, const rpc_origin *origin,
                    const ndr_guid *interface, uint16_t version_major, int result);
    void (*message)(verifier *v, const rule *self, void *state, const rpc_call *call, bool response);
    void (*closed)(verifier *v, const rule *self, void *state, uint64_t connection);
    void (*end)(verifier *v, const rule *self, void *state);
};

/* All rules, in the catalogue's order; ends with a rule without id. */
extern const rule rules_bkrp[], rules_cmrp[], rules_cmrp_handles[], rules_cmrp_calls[], rules_cmrp_buffers[], rules_cmrp_notify[],
    rules_cmrp_rest[], rules_wkst[], rules_wkst_calls[], rules_smb[];
/* Calls `fn` for every rule of every protocol. */
void rules_each(void (*fn)(const rule *r, void *user), void *user);

typedef struct {
    const rule  *rule;
    rule_verdict verdict;  /* VIOLATION, WARNING, INCONCLUSIVE or NOTE */
    const char  *reason;   /* inconclusive: "IC-ENCRYPTED" and its like (rules.md, 1); else NULL */
    char        *message;  /* a sentence with the evidence */
    GArray      *frames;   /* uint32_t, ascending, at least one except for a finding about the whole capture */
    const char  *capture;  /* label of the capture it is in */
} finding;

/* What the capture as a whole tells, for rules that judge absence. */
typedef struct {
    const char *label;           /* the capture's path */
    bool        complete;        /* false: cut off in the middle */
    uint32_t    encrypted_smb;   /* frames with SMB3-encrypted messages that were not opened */
    uint32_t    unbound_calls;   /* calls of an unknown interface: their bind is not in the capture; of them: */
    uint32_t    unbound_on_pipes;
    const rpc_handles *handles;  /* told of each message before the rules are; NULL: context handles are not followed */
    const smb_life *smb;         /* what is open now; NULL: nobody follows SMB */
    const char *resolved;        /* while a context is told of: the name by which the client knows the server (rpc/names.h); NULL */
    smb_tcp_end (*tcp_end)(uint64_t connection, void *user); /* how a connection has ended by now; NULL: not known */
    void       *user;
} capture_facts;

/* `found` is called whenever a finding gains a frame (0: it has none), with the finding so far. */
verifier *verifier_new(void (*found)(const finding *f, uint32_t frame, void *user), void *user);
void      verifier_free(verifier *v); /* ends the capture in hand as well, without calling `found` */

/* One capture after the other: begin, events, end. `facts` must live until verifier_end() has returned and is kept
 * up to date by the caller. */
void verifier_begin(verifier *v, const capture_facts *facts);
void verifier_started(verifier *v, uint64_t connection); /* a TCP connection began with SYN */
void verifier_opened(verifier *v, const smb_open *attempt);
void verifier_smb(verifier *v, const smb_object *object, smb_event event);
void verifier_context(verifier *v, const rpc_association *association, const rpc_origin *origin, const ndr_guid *interface,
                      uint16_t version_major, int result);
void verifier_message(verifier *v, const rpc_call *call, bool response);
void verifier_closed(verifier *v, uint64_t connection); /* a TCP connection ended with FIN or RST */
void verifier_end(verifier *v);

/* For rules' hooks. `key` (may be NULL) joins frames that show the same thing, such as a security context: a second finding of
 * the same rule, verdict and key in this capture gains a frame instead of being a new one. `frame` 0: none. Reasons live as long
 * as the verifier. */
void verifier_pass(verifier *v, const rule *r);
void verifier_not_applicable(verifier *v, const rule *r, const char *reason); /* a note for the summary, no finding */
/* The same about a call of a kind that the rule does not bind: what other calls give as a reason goes before it. */
void verifier_out_of_scope(verifier *v, const rule *r, const char *reason);
void verifier_find(verifier *v, const rule *r, rule_verdict verdict, const char *reason, const void *key, uint32_t frame,
                   const char *format, ...) G_GNUC_PRINTF(7, 8);
/* The same where there is such a finding already; false: there is none, and its message is worth making. */
bool verifier_find_again(verifier *v, const rule *r, rule_verdict verdict, const char *reason, const void *key, uint32_t frame);
const capture_facts *verifier_facts(const verifier *v);
/* Whether the connection's beginning is in the capture, so that what it did not do before now is known. */
bool verifier_saw_start(const verifier *v, uint64_t connection);

/* The verdict on a rule over all captures ended so far. */
typedef struct {
    rule_verdict verdict;
    const char  *reason;   /* a code of INCONCLUSIVE and NOT_OBSERVABLE, a phrase of NOT_APPLICABLE, the first of
                            * several; NULL otherwise. Lives as long as the verifier. */
    unsigned     count;    /* how often that verdict was reached: frames of its findings, or passes */
} rule_summary;
rule_summary   verifier_summary(const verifier *v, const rule *r);
/* Of all captures ended so far; within a capture by their first frames, those about the whole capture last. */
size_t         verifier_finding_count(const verifier *v);
const finding *verifier_finding(const verifier *v, size_t index);

/* Whether a capture can show what becomes of it. */
bool        rule_is_observable(const rule *r);
const char *rule_level_name(rule_level level);       /* "MUST", "MUST NOT", "SHOULD", "note" */
const char *rule_verdict_name(rule_verdict verdict); /* "pass", "violation", "warning", "inconclusive", "note", "not-applicable", ... */

#endif
