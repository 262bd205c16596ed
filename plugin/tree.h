/* tree.h - what a frame shows of RPC Lens; only tree.c draws.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_TREE_H
#define RPCLENS_TREE_H

#include "plugin/compat.h"

#include "rpc/association.h"

/* Draws a PDU after the DCE/RPC item it was found in. */
void tree_pdu(const field_info *item, packet_info *pinfo, proto_tree *tree, const rpc_pdu *pdu);
/* Draws the findings of a frame (finding pointers) as expert infos. */
void tree_findings(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const GPtrArray *findings);

#endif
