/* smb_life.h - which SMB sessions, share connections and pipes are open, whose they are, and how they end ([MS-SMB2] 3.3.5,
 * [MS-CIFS] 3.3.5). Fed with what smb.c reads.
 *
 * A session may have several connections, and a connection several sessions. A share connection ends with its session, a pipe
 * with its share connection. What was opened before the capture is known from its first use on. Requests that ask for an end are
 * believed when they are sent, unless the server refuses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_SMB_LIFE_H
#define RPCLENS_SMB_LIFE_H

#include "rpc/smb.h"

typedef enum { SMB_SESSION, SMB_SHARE, SMB_PIPE } smb_kind;

/* How a TCP connection ended. */
typedef enum { SMB_TCP_OPEN, SMB_TCP_FIN, SMB_TCP_RST } smb_tcp_end;

typedef enum {
    SMB_BEGAN,             /* the server has agreed, or the first use of what is older than the capture */
    SMB_CLOSED,            /* logged off, disconnected, closed; also where that was asked for and the answer is not in the
                            * capture */
    SMB_CLOSED_WITH_OWNER, /* not itself, but its session or share connection */
    SMB_CLOSED_BY_SERVER,  /* the server says it is no more, or a new session replaced it; or that of its owner */
    SMB_REPLACED,          /* its end, or its owner's, is not in the capture: the server gave the id to another */
    SMB_LEFT               /* the capture has ended and it had not */
} smb_event;

typedef struct smb_object smb_object;

/* Its strings and those it points to live as long as it, which is until the event that ends it has been told. */
struct smb_object {
    smb_kind          kind;
    bool              smb2;
    bool              before;      /* its beginning is not in the capture */
    bool              closing;     /* the client has asked for its end, and was not refused */
    bool              is_pipe;     /* a pipe, or a share of pipes; files, which may be pipes only on shares that are not known,
                                    * are not told of before they turn out to be pipes */
    bool              guest, anonymous; /* of a session */
    bool              unbound;     /* carried calls of an interface that is not known */
    uint64_t          connection;  /* on which it was opened */
    uint32_t          protocols;   /* of ours that it carried: bit N stands for the Nth name of smb_life_protocol() */
    uint32_t          sealed;      /* of a session: encrypted messages that were not opened, so far */
    uint32_t          sealed_before; /* of all: how many of its session's there were when it began */
    uint32_t          frame;       /* since when: of the answer that opened it, or of the first use */
    uint32_t          impersonation; /* of a pipe: the level that was asked for; UINT32_MAX: not known */
    char             *name;        /* user ("CORP\\alice") of a session, path of a share, name of a pipe; NULL: not known */
    const char       *client, *server; /* of the connection that it was opened on: "192.0.2.7:49152" */
    smb_tcp_end       end;         /* SMB_LEFT: how its connection ended; of several, one that has not ended, else the last */
    const smb_object *session;     /* of a share connection and a pipe; NULL: not known */
    const smb_object *share;       /* of a pipe; NULL: not known */
};

typedef struct smb_life smb_life;

/* `told` (may be NULL) is called for each event. */
smb_life *smb_life_new(void (*told)(const smb_object *object, smb_event event, void *user), void *user);
void      smb_life_free(smb_life *life);

void smb_life_exchange(smb_life *life, const smb_exchange *exchange);
/* An encrypted message that was not opened. Who of the two is the client is told by earlier messages, else by the port 445. */
void smb_life_sealed(smb_life *life, uint64_t connection, uint32_t frame, const char *source, const char *destination,
                     uint64_t session);
/* Whose a session is, or will be when it is set up; "" is anonymous. The first name stays. */
void smb_life_user(smb_life *life, uint64_t connection, bool smb2, uint64_t session, const char *name);
/* A pipe carries calls of this protocol ("bkrp"), or (NULL) of an interface that is not known. */
void smb_life_carried(smb_life *life, uint64_t connection, const uint64_t pipe_id[2], const char *protocol);
/* How a connection ended; connections without SMB are passed over. */
void smb_life_tcp_end(smb_life *life, uint64_t connection, smb_tcp_end end);
/* The capture has ended: what is open is told in the order of frames. */
void smb_life_end(smb_life *life);

/* The open pipe with this file id, or NULL. Belongs to `life`. */
const smb_object *smb_life_pipe(const smb_life *life, uint64_t connection, const uint64_t pipe_id[2]);
/* The specification's name of protocol bit N; NULL: there are no more. */
const char *smb_life_protocol(unsigned bit);
/* Whether the session's messages were encrypted, and not opened, after the object had begun: its end may be among them. */
bool smb_life_is_sealed(const smb_object *object);

#endif
