/* takeover.h - our interfaces in the place of Wireshark's own dissectors of them, and back.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_TAKEOVER_H
#define RPCLENS_TAKEOVER_H

#include <stdbool.h>

#include "decoders/ndr.h"

/* The Wireshark protocol that reads the same interface, where one has: "wkssvc" for "wkst"; else NULL. */
const char *takeover_builtin(const char *protocol);

/* While Wireshark's protocols are handed off: DCE/RPC is to ask us for this interface. `proto`, `ett` and `opnum_hf` are registered. */
void takeover_interface(const ndr_interface *interface, int proto, int ett, int opnum_hf);

/* Gives a protocol's interfaces back to the built-in dissector of them, or takes them again. What Wireshark does not know stays ours. */
void takeover_give_back(const char *protocol, bool back);

/* Whether we draw this interface's calls. */
bool takeover_is_ours(const ndr_interface *interface);

#endif
