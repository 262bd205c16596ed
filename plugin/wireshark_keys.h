/* wireshark_keys.h - gives Wireshark the keys that its own SMB3 decryption needs.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_WIRESHARK_KEYS_H
#define RPCLENS_WIRESHARK_KEYS_H

#include "keys/keyring.h"

/* Adds the NT hash of an entry (a hash, a password or an RC4 key) to Wireshark's key list: one that an NTLM session of SMB3 has proven,
 * for Wireshark tries all of its list at every NTLM session. Must be called before Wireshark sees that AUTHENTICATE message. The list
 * lives as long as the process, and a key is added to it once. */
void wireshark_keys_give(const key_entry *entry);

/* Adds an SMB2 session's key to Wireshark's table of such keys. Must be called before Wireshark sees the session's id for the first
 * time. Wireshark keeps the table as long as the process lives, and in its profile only if the user saves it. */
void wireshark_keys_smb(uint64_t session, const uint8_t *key, size_t length);
/* The same for all SMB session keys of the keyring, which is to be done before the capture's first frame. */
void wireshark_keys_smb_given(const keyring *ring);

#endif
