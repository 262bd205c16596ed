/* compat.h - every difference between the Wireshark lines that RPC Lens builds with, and nowhere else.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_COMPAT_H
#define RPCLENS_COMPAT_H

#include <ws_version.h>

#define WIRESHARK_LINE (WIRESHARK_VERSION_MAJOR * 100 + WIRESHARK_VERSION_MINOR)
#if WIRESHARK_LINE < 400
#error "RPC Lens needs Wireshark 4.0 or later"
#endif

#include <stdbool.h>
#include <string.h>

#include <epan/packet.h>

/* 4.2 and later say bool where 4.0 says gboolean, which is an int: the two differ in size behind a pointer. */
#if WIRESHARK_LINE >= 404
typedef bool ws_bool;
#else
typedef gboolean ws_bool;
#endif

/* Wireshark's own function for this is not exported. `done` is called when the frame's dissection is over, outside of any TRY. */
static inline void compat_at_frame_end(packet_info *pinfo, void (*done)(void))
{
    gpointer routine;
    memcpy(&routine, &done, sizeof routine);
    pinfo->frame_end_routines = g_slist_prepend(pinfo->frame_end_routines, routine);
}

/* Whether a frame's data source has this name; the lines name the function that adds the length to it differently. */
static inline bool compat_source_is(const void *source, const char *name)
{
#if WIRESHARK_LINE >= 406
    return strcmp(get_data_source_name(source), name) == 0;
#else
    char *shown = get_data_source_name(source); /* "NAME (7 bytes)" */
    bool is = g_str_has_prefix(shown, name) && g_str_has_prefix(shown + strlen(name), " (");
    wmem_free(NULL, shown);
    return is;
#endif
}

/* Not declared by any installed header, but exported by all lines: adds a keytab's keys to Wireshark's own list. */
WS_DLL_PUBLIC void read_keytab_file(const char *path);

#endif
