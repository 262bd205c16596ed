/* tree.h - what a frame shows of RPC Lens; only tree.c draws.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_TREE_H
#define RPCLENS_TREE_H

#include "plugin/compat.h"

#include "rpc/association.h"

/* Where a PDU's octets are. */
typedef struct {
    tvbuff_t *tvb;
    int       start, length; /* length: of what is captured */
} tree_place;

/* Sets the columns and, if there is a tree, draws the PDU at its end, with the secrets in it that `ring` opens. `alone`: it is the
 * only one in its frame. */
void tree_pdu(const tree_place *place, packet_info *pinfo, proto_tree *tree, const rpc_pdu *pdu, const keyring *ring, bool alone);
/* Draws the findings of a frame (finding pointers) as expert infos. */
void tree_findings(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const GPtrArray *findings);

#endif
