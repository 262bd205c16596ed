/* capture.c - a capture file, frame by frame, through wiretap and epan.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/capture.h"

#include "plugin/compat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epan/dissectors/packet-dcerpc.h>
#include <epan/epan.h>
#include <epan/epan_dissect.h>
#include <epan/frame_data.h>
#include <epan/prefs.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>
#include <wsutil/report_message.h>
#include <wsutil/wslog.h>

#include "decoders/interfaces.h"
#include "plugin/register.h"

/* epan asks its caller for the times of other frames: only the first and the one before are ever needed in one pass. */
struct packet_provider_data {
    frame_data first, previous;
    bool       have_first, have_previous;
};

static const nstime_t *frame_time(struct packet_provider_data *prov, guint32 number)
{
    if (prov->have_first && prov->first.num == number)
        return &prov->first.abs_ts;
    if (prov->have_previous && prov->previous.num == number)
        return &prov->previous.abs_ts;
    return NULL;
}

static void report(const char *format, va_list ap)
{
    fputs("rpclens: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
}

static void report_open(const char *path, int err, gboolean for_writing)
{
    (void)for_writing;
    fprintf(stderr, "rpclens: %s: %s\n", path, g_strerror(err));
}

static void report_io(const char *path, int err)
{
    fprintf(stderr, "rpclens: %s: %s\n", path, g_strerror(err));
}

static void quiet_log(const char *format, va_list ap)
{
    report(format, ap);
}

/* ------------------------------------------------------------------------------------- what need not be dissected */

/* On TCP, only SMB, DCE/RPC and Kerberos can say anything about our calls; all other dissectors of TCP ports and all other
 * guesses at TCP and UDP payloads only cost time. Link layers and tunnels stay as they are. */
static bool is_ours(int proto)
{
    static const char *const names[] = {"nbss", "dcerpc", "kerberos", "rpclens.kerberos"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(proto_get_protocol_filter_name(proto), names[i]) == 0)
            return true;
    return false;
}

static void drop_guess(const gchar *table, struct heur_dtbl_entry *entry, gpointer user)
{
    (void)table, (void)user;
    entry->enabled = is_ours(proto_get_id(entry->protocol));
}

static void collect_port(const gchar *table, ftenum_t type, gpointer key, gpointer value, gpointer user)
{
    (void)table, (void)type, (void)key;
    dissector_handle_t handle = dtbl_entry_get_handle(value);
    if (handle && !is_ours(dissector_handle_get_protocol_index(handle)))
        g_hash_table_add(user, handle);
}

/* Stubs are read by our tables alone; only the endpoint mapper also tells Wireshark where calls will go. */
static void drop_interface(gpointer key, gpointer value, gpointer user)
{
    (void)key, (void)user;
    const dcerpc_uuid_value *known = value;
    if (known->proto && strcmp(proto_get_protocol_filter_name(known->proto_id), "epm") != 0 &&
        !interfaces_of_protocol(proto_get_protocol_filter_name(known->proto_id)))
        proto_set_decoding(known->proto_id, FALSE);
}

static void drop_unneeded(void)
{
    g_hash_table_foreach(dcerpc_uuids, drop_interface, NULL);
    heur_dissector_table_foreach("tcp", drop_guess, NULL);
    heur_dissector_table_foreach("udp", drop_guess, NULL);
    GHashTable *handles = g_hash_table_new(NULL, NULL);
    dissector_table_foreach("tcp.port", collect_port, handles);
    GHashTableIter iter;
    gpointer handle;
    g_hash_table_iter_init(&iter, handles);
    while (g_hash_table_iter_next(&iter, &handle, NULL))
        dissector_delete_all("tcp.port", handle);
    g_hash_table_unref(handles);
}

bool capture_start(const char *program_path, char **error)
{
    static const struct report_message_routines routines = {
        .vreport_failure = report, .vreport_warning = report, .report_open_failure = report_open,
        .report_read_failure = report_io, .report_write_failure = report_io,
    };
    static proto_plugin plugin = {register_protocols, register_handoff};
    ws_log_init("rpclens", quiet_log);
    init_process_policies();
    char *problem = configuration_init(program_path, NULL);
    if (problem)
        ws_warning("cannot find Wireshark's own files: %s", problem);
    g_free(problem);
    init_report_message("rpclens", &routines);
    wtap_init(FALSE);
    proto_register_plugin(&plugin);
    if (!epan_init(NULL, NULL, FALSE)) {
        *error = g_strdup("Wireshark's dissection engine could not be started");
        return false;
    }
    /* Not tcp.reassemble_out_of_order: it holds back all that follows a lost or cut packet, for good. */
    char settings[][48] = {
        "tcp.calculate_timestamps:FALSE", "tcp.track_bytes_in_flight:FALSE", "dcerpc.reassemble_dcerpc:FALSE", /* cost, unused */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        prefs_set_pref(settings[i], error);
    prefs_apply_all();
    drop_unneeded();
    return true;
}

void capture_stop(void)
{
    epan_cleanup();
    wtap_cleanup();
}

/* ---------------------------------------------------------------------------------------------------- progress bar */

typedef struct {
    bool   on;
    gint64 shown, began;
    gint64 size;
} progress_bar;

static void progress_show(progress_bar *bar, wtap *file)
{
    enum { WIDTH = 40, INTERVAL = 100000, FIRST = 500000 };
    gint64 time = g_get_monotonic_time();
    if (!bar->on || bar->size <= 0 || time - bar->began < FIRST || time - bar->shown < INTERVAL)
        return;
    bar->shown = time;
    double done = CLAMP((double)wtap_read_so_far(file) / (double)bar->size, 0, 1);
    int filled = (int)(done * WIDTH);
    fprintf(stderr, "\r[%.*s%*s] %3d %%", filled, "########################################", WIDTH - filled, "",
            (int)(done * 100));
    fflush(stderr);
}

static void progress_clear(const progress_bar *bar)
{
    if (bar->shown)
        fprintf(stderr, "\r%*s\r", 50, "");
}

/* --------------------------------------------------------------------------------------------------------- reading */

static char *wiretap_error(const char *path, int err, char *info, gint64 offset, guint32 frames)
{
    GString *text = g_string_new(path);
    g_string_append_printf(text, ": %s", wtap_strerror(err));
    if (info)
        g_string_append_printf(text, " (%s)", info);
    if (frames > 0)
        g_string_append_printf(text, ", after frame %u at offset %" G_GINT64_FORMAT, frames, offset);
    else if (offset > 0)
        g_string_append_printf(text, ", at offset %" G_GINT64_FORMAT, offset);
    g_free(info);
    return g_string_free(text, FALSE);
}

static void dissect(epan_dissect_t *edt, struct packet_provider_data *prov, wtap *file, wtap_rec *rec, Buffer *buf,
                    guint32 number, gint64 offset, guint32 *octets)
{
    static nstime_t elapsed;
    const frame_data *reference = prov->have_first ? &prov->first : NULL, *previous = prov->have_previous ? &prov->previous : NULL;
    frame_data frame;
    frame_data_init(&frame, number, rec, offset, *octets);
    frame_data_set_before_dissect(&frame, &elapsed, &reference, previous);
    if (reference == &frame) {
        prov->first = frame;
        prov->have_first = true;
    }
    /* SMB2 learns its session keys from NTLMSSP through a tap, so taps must run. */
    tvbuff_t *octets_of_frame = tvb_new_real_data(ws_buffer_start_ptr(buf), frame.cap_len, frame.pkt_len);
    epan_dissect_run_with_taps(edt, wtap_file_type_subtype(file), rec, octets_of_frame, &frame, NULL);
    frame_data_set_after_dissect(&frame, octets);
    prov->previous = frame;
    prov->have_previous = true;
    epan_dissect_reset(edt);
    frame_data_destroy(&frame);
}

/* Wiretap opens nearly anything: a text or a picture is one packet of that kind. */
static bool holds_packets(wtap *file)
{
    switch (wtap_file_encap(file)) {
    case WTAP_ENCAP_MIME: case WTAP_ENCAP_JSON: case WTAP_ENCAP_MP4: case WTAP_ENCAP_RFC7468: case WTAP_ENCAP_BER:
    case WTAP_ENCAP_TNEF: case WTAP_ENCAP_RUBY_MARSHAL:
        return false;
    default:
        return wtap_file_size(file, NULL) != 0;
    }
}

static guint32 read_frames(wtap *file, progress_bar *bar, int *err, char **info, gint64 *offset)
{
    static const struct packet_provider_funcs functions = {.get_frame_ts = frame_time};
    struct packet_provider_data prov = {.have_first = false};
    epan_t *session = epan_new(&prov, &functions);
    epan_dissect_t *edt = epan_dissect_new(session, FALSE, FALSE);
    wtap_rec rec;
    Buffer buf;
    wtap_rec_init(&rec);
    ws_buffer_init(&buf, 2048);
    guint32 number = 0, octets = 0;
    while (wtap_read(file, &rec, &buf, err, info, offset)) {
        if (rec.rec_type == REC_TYPE_PACKET)
            dissect(edt, &prov, file, &rec, &buf, ++number, *offset, &octets);
        wtap_rec_reset(&rec);
        progress_show(bar, file);
    }
    feed_end(*err == 0);
    epan_dissect_free(edt);
    epan_free(session);
    ws_buffer_free(&buf);
    wtap_rec_cleanup(&rec);
    return number;
}

bool capture_read(const char *path, feed_program *program, bool progress, char **error)
{
    int err = 0;
    char *info = NULL;
    *error = NULL;
    wtap *file = wtap_open_offline(path, WTAP_TYPE_AUTO, &err, &info, FALSE);
    if (!file) {
        *error = err > 0 ? g_strdup_printf("%s: %s", path, g_strerror(err))
                         : wiretap_error(path, err, info, 0, 0);
        return false;
    }
    if (!holds_packets(file)) {
        wtap_close(file);
        *error = g_strdup_printf("%s: this is not a capture of network packets", path);
        return false;
    }
    progress_bar bar = {progress && isatty(STDERR_FILENO), 0, g_get_monotonic_time(), wtap_file_size(file, NULL)};
    gint64 offset = 0;
    program->label = path;
    feed_set_program(program);
    guint32 frames = read_frames(file, &bar, &err, &info, &offset);
    feed_set_program(NULL);
    progress_clear(&bar);
    if (err != 0)
        *error = wiretap_error(path, err, info, wtap_read_so_far(file), frames);
    else if (frames == 0)
        *error = g_strdup_printf("%s: there are no network packets in it", path);
    wtap_close(file);
    return frames > 0;
}
