/* hooks.h - the places in Wireshark's dissection where octets are picked up on their way.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_HOOKS_H
#define RPCLENS_HOOKS_H

#include "plugin/compat.h"

#include <epan/conversation.h>

/* What a carrier knows of the file that carries RPC: nothing for TCP. */
typedef struct {
    bool        on_pipe;
    bool        datagram; /* connectionless RPC over UDP */
    bool        known;    /* the file's id is known */
    uint64_t    file_id[2];
    const char *name;     /* NULL when it is not known */
} hooks_pipe;

/* Whom the hooks call, in the order of the wire, in every pass. */
typedef struct {
    /* The payload of a carrier, from a PDU's first octet on: any number of whole PDUs, perhaps the beginning of one more. */
    void (*rpc)(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const hooks_pipe *pipe);
    /* What goes between a client and a KDC: over UDP a message, over TCP messages with a length in front of each ([RFC 4120] 7.2.2). */
    void (*kerberos)(tvbuff_t *tvb, packet_info *pinfo, bool over_tcp);
    /* SMB messages, perhaps chained, perhaps encrypted. */
    void (*smb)(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree);
} hooks_sink;

/* While protocols are registered; `proto` is our own. */
void hooks_register(int proto);
/* Once a process, after all dissectors have registered. `sink` must live as long as the process. */
void hooks_install(const hooks_sink *sink);
/* What Wireshark's TCP has seen of a connection so far; nothing of NULL or what is not TCP. */
typedef struct {
    bool began; /* a SYN began it */
    bool ended; /* a FIN or RST ended it */
} hooks_connection;
hooks_connection hooks_tcp(const conversation_t *conversation);
/* At each capture's beginning: "Decode As" may have sent TCP ports to DCE/RPC past the hooks. */
void hooks_follow_decode_as(void);

#endif
