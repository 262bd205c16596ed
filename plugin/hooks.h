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

/* What follows the last whole PDU. */
typedef struct {
    int      offset;  /* where it begins */
    unsigned missing; /* octets of it that are still to come; 0: it is the end */
} hooks_rest;

/* Whom the hooks call, in the order of the wire, in every pass. */
typedef struct {
    /* The payload of a carrier, from a PDU's first octet on: any number of whole PDUs, perhaps the beginning of one more. Tells
     * whether it is RPC at all, and how many octets from its beginning were of whole PDUs. */
    bool (*rpc)(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const hooks_pipe *pipe, hooks_rest *rest);
    /* What goes between a client and a KDC: over UDP a message, over TCP messages with a length in front of each ([RFC 4120] 7.2.2). */
    void (*kerberos)(tvbuff_t *tvb, packet_info *pinfo, bool over_tcp);
    /* A datagram of DNS or LLMNR. */
    void (*names)(tvbuff_t *tvb, packet_info *pinfo);
    /* SMB messages, perhaps chained, perhaps encrypted. */
    void (*smb)(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree);
} hooks_sink;

/* While protocols are registered; `proto` is our own. */
void hooks_register(int proto);
/* Once a process, after all dissectors have registered. `sink` must live as long as the process. */
void hooks_install(const hooks_sink *sink);
/* Nobody looks at the frames: what is RPC need not go to Wireshark's own dissector of it. */
void hooks_alone(void);
/* What Wireshark's TCP has seen of a connection so far; nothing of NULL or what is not TCP. */
typedef struct {
    bool began; /* a SYN began it */
    bool ended; /* a FIN or RST ended it */
    bool no_fin;/* no FIN was seen: if it has ended, RST alone did it */
} hooks_connection;
hooks_connection hooks_tcp(const conversation_t *conversation);
/* At each capture's beginning: "Decode As" may have sent TCP ports to DCE/RPC past the hooks. */
void hooks_follow_decode_as(void);

#endif
