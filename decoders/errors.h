/* errors.h - names of Win32 error codes, and of the statuses that fault PDUs carry.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_ERRORS_H
#define RPCLENS_ERRORS_H

#include <stdint.h>

/* "ERROR_ACCESS_DENIED" and its like ([MS-ERREF] 2.2); NULL for a code without a name here. */
const char *errors_win32(uint32_t code);
/* "nca_s_op_rng_error" and its like ([C706] appendix E), falling back to Win32 names, which Windows and Samba
 * also send in faults; NULL for a status without a name here. */
const char *errors_fault(uint32_t status);

#endif
