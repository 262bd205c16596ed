/* report_json.h - what the reports in JSON share.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_REPORT_JSON_H
#define RPCLENS_REPORT_JSON_H

#include <json-glib/json-glib.h>

/* A member of the object that is open; a NULL string is null. */
void report_set_string(JsonBuilder *b, const char *name, const char *value);
void report_set_number(JsonBuilder *b, const char *name, gint64 value);

#endif
