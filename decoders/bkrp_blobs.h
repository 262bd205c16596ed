/* bkrp_blobs.h - what stands in BackuprKey's octets.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_BKRP_BLOBS_H
#define RPCLENS_BKRP_BLOBS_H

#include "decoders/ndr.h"

/* The values of pguidActionAgent ([MS-BKRP] 3.1.4.1). */
extern const ndr_guid bkrp_backup, bkrp_restore_win2k, bkrp_retrieve_backup_key, bkrp_restore;
extern const ndr_guid_name bkrp_actions[];

/* For AS(): the packed type of pDataIn and of ppDataOut by the action, and by what the octets begin with. */
const ndr_type *bkrp_data_in(const uint8_t *octets, size_t length, const ndr_value *action, bool response);
const ndr_type *bkrp_data_out(const uint8_t *octets, size_t length, const ndr_value *action, bool response);

/* All that these two choose from; ends with NULL. */
extern const ndr_type *const bkrp_blobs[];

#endif
