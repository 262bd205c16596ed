/* interfaces.c - all the interfaces that RPC Lens decodes.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "decoders/interfaces.h"

#include <string.h>

const ndr_interface *const interfaces_all[] = {
    &bkrp_interface,
    &cmrp_interface_3,
    &cmrp_interface_2,
    &wkst_interface,
    NULL,
};

const ndr_interface *interfaces_find(const ndr_guid *uuid, uint16_t version_major)
{
    for (size_t i = 0; interfaces_all[i] != NULL; i++)
        if (interfaces_all[i]->version_major == version_major && ndr_guid_equal(&interfaces_all[i]->uuid, uuid))
            return interfaces_all[i];
    return NULL;
}

const ndr_interface *interfaces_of_protocol(const char *protocol)
{
    for (size_t i = 0; interfaces_all[i] != NULL; i++)
        if (strcmp(interfaces_all[i]->protocol, protocol) == 0)
            return interfaces_all[i];
    return NULL;
}

const ndr_method *interfaces_method(const ndr_interface *interface, uint16_t opnum)
{
    return opnum < interface->method_count ? &interface->methods[opnum] : NULL;
}
