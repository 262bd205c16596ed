/* ndr_events.h - for tests: a walk as text, and what must hold for every walk.
 *
 *     name = value @offset+length         a value
 *     name { number @offset               a BEGIN; "name decoded Type {" when AS() chose it
 *     } +length                           its END
 *     ! sentence @offset+length           a note
 *
 * Indented by depth. "^3 " stands before what belongs to the third BEGIN when that is not the innermost open one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_NDR_EVENTS_H
#define RPCLENS_NDR_EVENTS_H

#include <inttypes.h>

#include "decoders/ndr.h"

typedef struct {
    const uint8_t *data;
    size_t         length;
    GString       *text;          /* NULL: only check */
    uint32_t       open[2 * NDR_MAX_DEPTH];
    unsigned       open_count;
    uint32_t       ids;
    uint64_t       events;
} recorder;

/* What a walk must not do, whatever the stub. Not g_assert(): the fuzzer has no GTest around it. */
#define MUST(CONDITION) \
    do { \
        if (!(CONDITION)) \
            g_error("%s:%d: %s", __FILE__, __LINE__, #CONDITION); \
    } while (0)

static inline void check_event(recorder *r, const ndr_event *e)
{
    MUST(e->offset <= r->length && e->length <= r->length - e->offset);
    MUST(e->depth <= NDR_MAX_DEPTH);
    MUST(e->parent <= r->ids);
    MUST((e->depth == 0) == (e->parent == 0));
    r->events++;
    switch (e->kind) {
    case NDR_EV_BEGIN:
        MUST(e->id == r->ids + 1 && e->type != NULL && e->row != NULL && e->name != NULL && e->length == 0);
        MUST(r->open_count < G_N_ELEMENTS(r->open));
        r->ids = e->id;
        r->open[r->open_count++] = e->id;
        break;
    case NDR_EV_END:
        MUST(r->open_count > 0 && r->open[--r->open_count] == e->id);
        break;
    case NDR_EV_VALUE:
        MUST(e->id == 0 && e->type != NULL && e->row != NULL && e->name != NULL);
        MUST(e->value.octets == NULL || e->value.octets == r->data + e->offset);
        MUST(e->value.octets == NULL || e->value.length == e->length);
        MUST(e->value.text == NULL || g_utf8_validate(e->value.text, -1, NULL));
        break;
    case NDR_EV_NOTE:
        MUST(e->id == 0);
        break;
    }
}

static inline void record_line(GString *text, const recorder *r, const ndr_event *e)
{
    uint32_t innermost = r->open_count > 0 ? r->open[r->open_count - 1] : 0;
    char index[32] = "", decoded[64] = "";
    if (e->kind == NDR_EV_BEGIN)
        innermost = r->open_count > 1 ? r->open[r->open_count - 2] : 0;
    g_string_append_printf(text, "%*s", (int)e->depth * 2, "");
    if (e->kind != NDR_EV_END && e->parent != innermost)
        g_string_append_printf(text, "^%" PRIu32 " ", e->parent);
    if (e->index >= 0)
        g_snprintf(index, sizeof index, "[%" PRId64 "]", e->index);
    if (e->decoded)
        g_snprintf(decoded, sizeof decoded, " decoded %s", e->type->name);
    if (e->kind == NDR_EV_BEGIN) {
        g_string_append_printf(text, "%s%s%s { %" PRIu64 " @%zu\n", e->name, index, decoded, e->value.number,
                               e->offset);
    } else if (e->kind == NDR_EV_END) {
        g_string_append_printf(text, "} +%zu\n", e->length);
    } else {
        char *words = e->kind == NDR_EV_NOTE ? ndr_note_text(e) : ndr_value_text(e);
        if (e->kind == NDR_EV_NOTE)
            g_string_append_printf(text, "! %s", words);
        else
            g_string_append_printf(text, "%s%s = %s", e->name, index, words);
        g_string_append_printf(text, " @%zu+%zu\n", e->offset, e->length);
        g_free(words);
    }
}

static inline void record_event(const ndr_event *event, void *user)
{
    recorder *r = user;
    check_event(r, event);
    if (r->text != NULL)
        record_line(r->text, r, event);
}

static inline void check_result(const recorder *r, const ndr_result *result, size_t reported)
{
    MUST(r->open_count == 0);
    MUST(result->offset <= r->length);
    MUST((result->code == NDR_OK) == (result->field == NULL));
    MUST(result->code != NDR_CUT || reported > r->length);
}

#endif
