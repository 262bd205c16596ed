/* wkst_types.h - structures, unions, enumerations and flags of wkssvc, [MS-WKST] v32.0, 2.2.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_WKST_TYPES_H
#define RPCLENS_WKST_TYPES_H

#include "decoders/ndr.h"

/* Unions (2.2.4) and structures (2.2.5) as NDR has them. */
extern const ndr_type WKSTA_INFO[1], USE_INFO[1], WKSTA_TRANSPORT_INFO_0[1], STAT_WORKSTATION_0[1], WKSTA_USER_ENUM_STRUCT[1],
    WKSTA_TRANSPORT_ENUM_STRUCT[1], JOINPR_ENCRYPTED_USER_PASSWORD[1], JOINPR_ENCRYPTED_USER_PASSWORD_AES[1],
    NET_COMPUTER_NAME_ARRAY[1], USE_ENUM_STRUCT[1];

/* The octets of JOINPR_ENCRYPTED_USER_PASSWORD, still sealed (2.2.5.18.3). */
extern const ndr_type ENCRYPTED_JOINPR_USER_PASSWORD[1];

extern const ndr_type *const wkst_blobs[]; /* what AS() can choose; ends with NULL */

extern const ndr_name wkst_join_states[];         /* NETSETUP_JOIN_STATUS, 2.2.3.1 */
extern const ndr_name wkst_name_types[];          /* NETSETUP_NAME_TYPE, 2.2.3.2 */
extern const ndr_name wkst_computer_name_types[]; /* NET_COMPUTER_NAME_TYPE, 2.2.3.3 */
extern const ndr_name wkst_preferred_lengths[];   /* 2.2.1.3 */
/* What ErrorParameter says was wrong: lmwksta.h's and lmuse.h's names of members (3.2.4.2, .5, .7). */
extern const ndr_name wkst_info_parameters[], wkst_transport_parameters[], wkst_use_parameters[];
extern const ndr_name wkst_force_levels[];        /* 3.2.4.6, 3.2.4.9 */
/* Options of the methods that join (3.2.4.13, .22), unjoin (.14, .23) and rename (.15, .24). */
extern const ndr_name wkst_join_options[], wkst_unjoin_options[], wkst_rename_options[];
extern const ndr_name wkst_reserved[];            /* the bit that "Reserved" has nevertheless (3.2.4.18 to .21, .26 to .28) */

#endif
