/* interfaces.h - the interfaces that RPC Lens decodes.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_INTERFACES_H
#define RPCLENS_INTERFACES_H

#include "decoders/ndr.h"

extern const ndr_interface bkrp_interface; /* [MS-BKRP] 1.9 */
extern const ndr_interface cmrp_interface_2, cmrp_interface_3; /* [MS-CMRP] 1.9: versions 2.0 and 3.0 */
extern const ndr_interface wkst_interface; /* [MS-WKST] 1.9 */

/* All of them, in the order of their specifications' names; of a protocol's versions the one with the most methods is first. Ends
 * with NULL. */
extern const ndr_interface *const interfaces_all[];

/* The interface with this UUID and major version, or NULL. */
const ndr_interface *interfaces_find(const ndr_guid *uuid, uint16_t version_major);
/* The first interface of a protocol ("bkrp"), or NULL. */
const ndr_interface *interfaces_of_protocol(const char *protocol);
/* The method, or NULL when the interface has none with this opnum. */
const ndr_method *interfaces_method(const ndr_interface *interface, uint16_t opnum);

#endif
