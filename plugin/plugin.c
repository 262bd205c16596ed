/* plugin.c - what Wireshark looks for in rpclens.so.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/compat.h"

#include <epan/proto.h>

#include "plugin/register.h"

WS_DLL_PUBLIC_DEF const gchar plugin_version[] = RPCLENS_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

WS_DLL_PUBLIC void plugin_register(void);

void plugin_register(void)
{
    static proto_plugin plugin;
    plugin.register_protoinfo = register_protocols;
    plugin.register_handoff = register_handoff;
    proto_register_plugin(&plugin);
}
