/* report_json.c - what the reports in JSON share.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report_json.h"

void report_set_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value)
        json_builder_add_string_value(b, value);
    else
        json_builder_add_null_value(b);
}

void report_set_number(JsonBuilder *b, const char *name, gint64 value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}
