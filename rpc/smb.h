/* smb.h - what SMB says about the pipes that carry RPC: which file id is which pipe, and how its opening ended; and requests with
 * their answers, for who follows sessions and share connections ([MS-SMB2] 2.2, [MS-CIFS] 2.2.4). Given the decrypted messages of
 * a capture in order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SMB_H
#define RPCLENS_SMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* An attempt to open a pipe, once its answer is known. */
typedef struct {
    uint64_t    connection;
    uint64_t    pipe_id[2];     /* 0 when the attempt failed */
    const char *name;           /* "protected_storage", in lower case, without \pipe\ */
    const char *client, *server;/* "192.0.2.7:49152" */
    uint32_t    request_frame;
    uint32_t    frame;          /* of the answer */
    uint32_t    status;         /* NTSTATUS; 0 opened */
} smb_open;

/* The commands that sessions, share connections and files begin and end with. */
typedef enum {
    SMB_OTHER, SMB_NEGOTIATE, SMB_SESSION_SETUP, SMB_LOGOFF, SMB_TREE_CONNECT, SMB_TREE_DISCONNECT, SMB_CREATE, SMB_CLOSE,
    SMB_SESSION_CLOSED /* the server's own word that it has ended a session ([MS-SMB2] 2.2.44) */
} smb_command;

enum {
    SMB_BINDING    = 1,  /* SESSION_SETUP: a further connection of an existing session ([MS-SMB2] 2.2.5) */
    SMB_GUEST      = 2,  /* answer to SESSION_SETUP */
    SMB_NULL       = 4,  /* the same: an anonymous session */
    SMB_PIPE_SHARE = 8,  /* answer to TREE_CONNECT: the share holds pipes */
    SMB_PIPE_DATA  = 16  /* this command is one that only pipes know */
};

/* One request, or one answer with what its request said. */
typedef struct {
    uint64_t    connection;
    uint32_t    frame;
    uint32_t    request_frame;  /* of an answer: 0 when its request is not in the capture */
    bool        smb2, response;
    smb_command command;
    uint32_t    status;         /* of an answer: NTSTATUS, STATUS_PENDING never */
    uint64_t    asked_session;  /* the session that the request named; 0: none */
    uint64_t    session;        /* SessionId, in SMB1 the UID; 0: none */
    uint32_t    tree;           /* TreeId, in SMB1 the TID; 0: none, or the command is about none */
    uint64_t    file_id[2];     /* 0: none */
    const char *name;           /* CREATE: as in smb_open; TREE_CONNECT: the share's path; SMB1's SESSION_SETUP without a token:
                                 * whose it is, as "CORP\\alice". NULL */
    unsigned    flags;          /* SMB_... */
    uint64_t    previous;       /* SESSION_SETUP: the session that this one is to replace; 0 */
    uint32_t    impersonation;  /* CREATE: ImpersonationLevel, 0 anonymous to 3 delegate; UINT32_MAX: not known */
    uint8_t     server_guid[16];/* answer to NEGOTIATE of SMB2; else 0 */
    const char *client, *server;
} smb_exchange;

/* One leg of a session's authentication. */
typedef struct {
    uint64_t       connection, message, session;
    bool           smb2;
    bool           from_client;
    uint32_t       status;
    const uint8_t *token;
    size_t         length;
} smb_setup;

typedef struct {
    void *user;
    void (*opened)(const smb_open *attempt, void *user);
    void (*closed)(uint64_t connection, const uint64_t pipe_id[2], void *user);
    /* A SESSION_SETUP and its security token (length 0: none), after `exchange`. */
    void (*setup)(const smb_setup *setup, void *user);
    /* Every request and answer; those of one message in its order. Any of these may be NULL. */
    void (*exchange)(const smb_exchange *exchange, void *user);
} smb_sink;

typedef struct smb_tracker smb_tracker;

smb_tracker *smb_tracker_new(const smb_sink *sink);
void         smb_tracker_free(smb_tracker *tracker);

/* What the message at hand says of the pipe whose data it carries. */
typedef struct {
    bool        known;      /* false: no SMB message, or one that names no file */
    uint64_t    pipe_id[2];
    const char *name;       /* NULL when its opening is not in the capture; lives as long as the tracker */
} smb_pipe;

/* Takes the next message (of a chain of SMB2, one; SMB1's AndX chains are followed), from its protocol id (FF or FE 'SMB') on;
 * `source` and `destination` are "192.0.2.7:445". Octets that are no SMB message, or cut, are passed over. */
smb_pipe smb_tracker_message(smb_tracker *tracker, uint64_t connection, uint32_t frame, const char *source,
                             const char *destination, const uint8_t *octets, size_t length);

/* Whether a negotiation has chosen dialect 3.0 or later on any connection, so that sessions may be encrypted. */
bool smb_tracker_may_encrypt(const smb_tracker *tracker);

#endif
