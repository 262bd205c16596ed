/* security_descriptor.h - self-relative security descriptors, [MS-DTYP] 2.4.6.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_SECURITY_DESCRIPTOR_H
#define RPCLENS_SECURITY_DESCRIPTOR_H

#include "decoders/ndr.h"

/* A packed type for ndr_walk_blob() and for AS() functions: owner, group, and each entry of both lists as a line of text. */
extern const ndr_type SECURITY_DESCRIPTOR[1];

/* An AS() function: octets that can be a security descriptor are read as one. The selector does not matter. */
const ndr_type *security_descriptor_choose(const uint8_t *octets, size_t length, const ndr_value *selector, bool response);

#endif
