/* bkrp_blobs.c - the structures in BackuprKey's octets, [MS-BKRP] v27.0, 2.2. Little-endian and packed.
 *
 *                      pDataIn                                   ppDataOut
 *   BACKUP             the secret                                server-side-wrapped secret
 *   RESTORE_WIN2K      server-side-wrapped secret                the secret
 *                      or client-side-wrapped secret             the secret, recovered (2.2.6)
 *   RETRIEVE           ignored                                   certificate
 *   RESTORE            client-side-wrapped secret                the secret, unwrapped (2.2.3)
 *                      or server-side-wrapped secret             the secret
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/bkrp_blobs.h"
#include "decoders/certificate.h"

#define BACKUP        {0x7f752b10, 0x178e, 0x11d1, {0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb, 0x40}}
#define RESTORE_WIN2K {0x7fe94d50, 0x178e, 0x11d1, {0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb, 0x40}}
#define RETRIEVE      {0x018ff48a, 0xeaba, 0x40c6, {0x8f, 0x6d, 0x72, 0x37, 0x02, 0x40, 0xe9, 0x67}}
#define RESTORE       {0x47270c64, 0x2fc7, 0x499b, {0xac, 0x5b, 0x0e, 0x37, 0xcd, 0xce, 0x89, 0x9a}}

const ndr_guid bkrp_backup = BACKUP;
const ndr_guid bkrp_restore_win2k = RESTORE_WIN2K;
const ndr_guid bkrp_retrieve_backup_key = RETRIEVE;
const ndr_guid bkrp_restore = RESTORE;

const ndr_guid_name bkrp_actions[] = {
    {BACKUP,        "BACKUPKEY_BACKUP_GUID"},
    {RESTORE_WIN2K, "BACKUPKEY_RESTORE_GUID_WIN2K"},
    {RETRIEVE,      "BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID"},
    {RESTORE,       "BACKUPKEY_RESTORE_GUID"},
    {.name = NULL},
};

/* 2.2.1 */
CUSTOM(Certificate, certificate_read, CERTIFICATE_ROWS);

/* 2.2.2 */
BLOB(Client_Side_Wrapped_Secret,
    F(U32,    "dwVersion"),
    F(U32,    "cbEncryptedSecret"),
    F(U32,    "cbAccessCheck"),
    F(GUID,   "guidKey"),
    F(OCTETS, "EncryptedSecret", SIZE_IS("cbEncryptedSecret")),
    F(OCTETS, "AccessCheck",     SIZE_IS("cbAccessCheck")));

/* 2.2.3. The specification draws the first field here and in 2.2.4 and 2.2.6, but gives it no name. */
BLOB(Unwrapped_Secret,
    F(U32,    "Version"),
    F(OCTETS, "Secret"));

/* 2.2.4 */
BLOB(Server_Side_Wrapped_Secret,
    F(U32,            "Version"),
    F(U32,            "Payload_Length"),
    F(U32,            "Ciphertext_Length"),
    F(GUID,           "GUID_of_Wrapping_Key"),
    F(FIXED(U8, 68),  "R2"),
    F(OCTETS,         "Rc4EncryptedPayload", SIZE_IS("Ciphertext_Length")));

/* 2.2.6 */
BLOB(UnwrappedSecret,
    F(U32,            "Version"),
    F(FIXED(U8, 16),  "EncSalt"),
    F(OCTETS,         "RecoveredSecret"));

/* What is wrapped, by itself: opaque to the server. */
BLOB(Secret,
    F(OCTETS, "Secret"));

const ndr_type *const bkrp_blobs[] = {
    Certificate, Client_Side_Wrapped_Secret, Unwrapped_Secret, Server_Side_Wrapped_Secret, UnwrappedSecret, Secret,
    NULL,
};

enum {
    SERVER_WRAPPED = 1,                           /* 2.2.4 */
    CLIENT_WRAPPED_2 = 2, CLIENT_WRAPPED_3 = 3,   /* 2.2.2 */
    UNWRAPPED = 0,                                /* 2.2.3 */
    RECOVERED = 1,                                /* 2.2.6 */
    RECOVERED_LEAST = 4 + 16 + 16 + 20,           /* its length without the secret */
    NO_VERSION = -1
};

static bool is_action(const ndr_value *action, const ndr_guid *guid)
{
    return action != NULL && ndr_guid_equal(&action->guid, guid);
}

/* The number that all the structures of 2.2 begin with. */
static int64_t version_of(const uint8_t *octets, size_t length)
{
    if (length < 4)
        return NO_VERSION;
    return octets[0] | octets[1] << 8 | octets[2] << 16 | (int64_t)octets[3] << 24;
}

/* RESTORE and RESTORE_WIN2K take each other's structures (3.1.4.1.2, 3.1.4.1.4). */
static const ndr_type *wrapped(int64_t version)
{
    switch (version) {
    case SERVER_WRAPPED:
        return Server_Side_Wrapped_Secret;
    case CLIENT_WRAPPED_2:
    case CLIENT_WRAPPED_3:
        return Client_Side_Wrapped_Secret;
    default:
        return NULL;
    }
}

const ndr_type *bkrp_data_in(const uint8_t *octets, size_t length, const ndr_value *action,
                             bool response G_GNUC_UNUSED)
{
    if (is_action(action, &bkrp_backup))
        return Secret;
    if (is_action(action, &bkrp_restore) || is_action(action, &bkrp_restore_win2k))
        return wrapped(version_of(octets, length));
    return NULL;
}

/* Whether the secret comes bare depends on the structure in the request, which the action does not tell: a bare
 * secret that begins with these four octets is mistaken, once in 2^32 secrets. */
const ndr_type *bkrp_data_out(const uint8_t *octets, size_t length, const ndr_value *action,
                              bool response G_GNUC_UNUSED)
{
    int64_t version = version_of(octets, length);
    if (action == NULL)
        return certificate_likely(octets, length) ? Certificate : NULL;
    if (is_action(action, &bkrp_retrieve_backup_key))
        return Certificate;
    if (is_action(action, &bkrp_backup))
        return version == SERVER_WRAPPED ? Server_Side_Wrapped_Secret : NULL;
    if (is_action(action, &bkrp_restore))
        return version == UNWRAPPED ? Unwrapped_Secret : Secret;
    if (is_action(action, &bkrp_restore_win2k))
        return version == RECOVERED && length >= RECOVERED_LEAST ? UnwrappedSecret : Secret;
    return NULL;
}
