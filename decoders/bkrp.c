/* bkrp.c - BackupKey Remote Protocol, [MS-BKRP] v27.0.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "decoders/bkrp_blobs.h"
#include "decoders/interfaces.h"

static const ndr_method methods[] = {
    METHOD(0, BackuprKey, "3.1.4.1", ERROR,
        IN (GUIDS(bkrp_actions), "pguidActionAgent"),
        IN (CONF(U8),            "pDataIn",   SIZE_IS("cbDataIn"),   AS(bkrp_data_in, "pguidActionAgent")),
        IN (U32,                 "cbDataIn"),
        OUT(UNIQUE(CONF(U8)),    "ppDataOut", SIZE_IS("pcbDataOut"), AS(bkrp_data_out, "pguidActionAgent")),
        OUT(U32,                 "pcbDataOut"),
        IN (U32,                 "dwParam")),
};

const ndr_interface bkrp_interface = {
    .protocol = "bkrp",
    .name = "BackupKey",
    .spec = "MS-BKRP",
    .uuid = {0x3dde7c30, 0x165d, 0x11d1, {0xab, 0x8f, 0x00, 0x80, 0x5f, 0x14, 0xdb, 0x40}},
    .version_major = 1,
    .methods = methods,
    .method_count = G_N_ELEMENTS(methods),
    .blobs = bkrp_blobs,
    .seals = true,
};
