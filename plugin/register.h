/* register.h - the tables as Wireshark's protocols, fields, subtrees and expert infos.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_REGISTER_H
#define RPCLENS_REGISTER_H

#include "plugin/compat.h"

#include <epan/expert.h>

#include "decoders/ndr.h"
#include "verifier/verdict.h"

/* The two callbacks of a Wireshark plugin. */
void register_protocols(void);
void register_handoff(void);

/* Fields that are no interface's own; all under "rpclens.". */
typedef struct {
    int proto;
    int state, reason, mechanism, auth_level, user, context, key, keys_tried, pdus_verified, pdus_refused, pdus_missing;
    int secret, secret_sid, secret_account, secret_length, secret_octets, secret_password;
    int request_in, response_in, fault, stub, trailer;
    int null_pointer, note, element;
    int ett, ett_security, ett_value;
    expert_field sealed, unverified, bad_signature, other_plaintext, malformed, cut, noted, doubt;
} register_generic;
extern register_generic generic;

/* The protocol, its opnum field and its return value's field. */
int register_proto(const ndr_interface *interface);
const char *register_short_name(const ndr_interface *interface); /* "BKRP"; lives as long as the process */
int register_opnum(const ndr_interface *interface);
int register_return(const ndr_interface *interface);
/* Of return values that are context handles; -1 where no method has such. */
int register_returned_handle(const ndr_interface *interface);
/* What is known of a context handle; only of interfaces that have such. */
typedef struct {
    int name, opened_in, closed_in;
} register_handle;
const register_handle *register_handle_fields(const ndr_interface *interface);
/* The field a row's values go into; the row must be one of the tables'. */
int register_field(const ndr_field *row);
/* The header item of a structure, union or blob. */
int register_type(const ndr_interface *interface, const ndr_type *type);
/* The expert info of a rule. */
expert_field *register_rule(const rule *r);

/* The type a row's values have once pointers and arrays are followed; `octets` tells an array of U8, which is one value. */
const ndr_type *register_leaf(const ndr_type *type, bool *octets);

#endif
