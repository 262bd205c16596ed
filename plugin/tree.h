/* tree.h - what a frame shows of RPC Lens; only tree.c draws.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_TREE_H
#define RPCLENS_TREE_H

#include "plugin/compat.h"

#include "rpc/handles.h"

/* Where a PDU's octets are. */
typedef struct {
    tvbuff_t *tvb;
    int       start, length; /* length: of what is captured */
} tree_place;

/* What is known of the capture besides its PDUs. */
typedef struct {
    const keyring     *ring; /* opens secrets inside calls */
    const rpc_handles *handles;
} tree_kept;

/* Sets the columns and, if there is a tree, draws the PDU at its end, with what is known of the handles and secrets in it.
 * `alone`: it is the only one in its frame. */
void tree_pdu(const tree_place *place, packet_info *pinfo, proto_tree *tree, const rpc_pdu *pdu, const tree_kept *kept, bool alone);
/* Draws the findings of a frame (finding pointers) as expert infos. */
void tree_findings(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const GPtrArray *findings);

#endif
