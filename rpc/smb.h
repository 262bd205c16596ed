/* smb.h - what SMB says about the pipes that carry RPC: which file id is which pipe, and how its opening ended
 * ([MS-SMB2] 2.2, [MS-CIFS] 2.2.4). Given the decrypted messages of a capture in order.
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

/* One leg of a session's authentication. */
typedef struct {
    uint64_t       connection, message, session;
    bool           from_client;
    uint32_t       status;
    const uint8_t *token;
    size_t         length;
} smb_setup;

typedef struct {
    void *user;
    void (*opened)(const smb_open *attempt, void *user);
    void (*closed)(uint64_t connection, const uint64_t pipe_id[2], void *user);
    /* A SESSION_SETUP and its security token (length 0: none). */
    void (*setup)(const smb_setup *setup, void *user);
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

/* Takes the next message, from its protocol id (FF or FE 'SMB') on; `source` and `destination` are "192.0.2.7:445".
 * Octets that are no SMB message, or cut, are passed over. */
smb_pipe smb_tracker_message(smb_tracker *tracker, uint64_t connection, uint32_t frame, const char *source,
                             const char *destination, const uint8_t *octets, size_t length);

/* Whether a negotiation has chosen dialect 3.0 or later on any connection, so that sessions may be encrypted. */
bool smb_tracker_may_encrypt(const smb_tracker *tracker);

#endif
