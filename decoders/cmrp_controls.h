/* cmrp_controls.h - control codes of ClusAPI and what lies in their buffers, [MS-CMRP] v44.0, 3.1.4.3.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CMRP_CONTROLS_H
#define RPCLENS_CMRP_CONTROLS_H

#include "decoders/ndr.h"

extern const ndr_name cmrp_control_codes[]; /* all of 3.1.4.3, by code */

/* AS() functions: what a control code's input and output are read as. */
const ndr_type *cmrp_control_in(const uint8_t *octets, size_t length, const ndr_value *code, bool response);
const ndr_type *cmrp_control_out(const uint8_t *octets, size_t length, const ndr_value *code, bool response);

/* Everything that ClusAPI's AS() functions can choose; ends with NULL. */
extern const ndr_type *const cmrp_blobs[];

#endif
