/* wireshark_keys.h - gives Wireshark the keys that its own SMB3 decryption needs.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_WIRESHARK_KEYS_H
#define RPCLENS_WIRESHARK_KEYS_H

#include "keys/keyring.h"

/* Adds the keyring's NT hashes to Wireshark's key list. The list lives as long as the process, and a key is added to it once. */
void wireshark_keys_give(const keyring *ring);

/* Adds an SMB2 session's key to Wireshark's table of such keys. Must be called before Wireshark sees the session's id for the first
 * time. Wireshark keeps the table as long as the process lives, and in its profile only if the user saves it. */
void wireshark_keys_smb(uint64_t session, const uint8_t *key, size_t length);
/* The same for all SMB session keys of the keyring, which is to be done before the capture's first frame. */
void wireshark_keys_smb_given(const keyring *ring);

#endif
