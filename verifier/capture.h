/* capture.h - reads capture files through Wireshark's own libraries.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_CAPTURE_H
#define RPCLENS_CAPTURE_H

#include "plugin/feed.h"

/* Starts Wireshark's libraries with our plugin linked in, once a process; no profile and no installed plugin is read, so that
 * verdicts do not depend on a user's settings. `program_path` is argv[0]. False: `error` (free it) says why. */
bool capture_start(const char *program_path, char **error);
void capture_stop(void);

/* Dissects one capture, once, with `program` as the feed's receiver. Shows progress on a terminal if `progress`.
 * False: nothing could be read. `error` (free it) is set then, and also when the file broke off in the middle but what came
 * before was read; it names the file and the offset. */
bool capture_read(const char *path, feed_program *program, bool progress, char **error);

#endif
