/* prefs.h - RPC Lens's preferences in Wireshark.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_PREFS_H
#define RPCLENS_PREFS_H

#include "keys/keyring.h"

void prefs_register(int proto);

/* Whether the user wants to see what was wrapped inside calls and a further key opened; off unless set. */
bool prefs_show_secrets(void);

/* The keys of the files named in the preferences, read anew for each capture. What could not be read is said on Wireshark's own
 * channel for failures. The caller frees it with keyring_free(). */
keyring *prefs_load_keys(void);

#endif
