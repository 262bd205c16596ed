/* ndr_try.h - for unit tests of tables: every method's stubs, made by ndr_encode.h, and stubs written by hand.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_NDR_TRY_H
#define RPCLENS_NDR_TRY_H

#include "tests/ndr_encode.h"
#include "tests/ndr_events.h"

/* Made-up octets are seldom what AS() expects, and sources may differ; everything else must be as the interface says. */
static inline void try_refuse_notes(const ndr_event *event, void *user)
{
    record_event(event, user);
    if (event->kind == NDR_EV_NOTE && event->note != NDR_NOTE_BLOB && event->note != NDR_NOTE_STRING &&
        event->note != NDR_NOTE_OTHER && event->note != NDR_NOTE_OPAQUE && event->note != NDR_NOTE_UNENDED && !event->decoded) {
        char *text = ndr_note_text(event);
        g_error("%s", text);
    }
}

static inline ndr_code try_walk(const ndr_interface *interface, const ndr_method *method, bool response, const ndr_stub *stub,
                                const ndr_stub *request, ndr_event_fn fn)
{
    recorder r = {.data = stub->data, .length = stub->length};
    ndr_result result = response ? ndr_walk_response(interface, method, stub, request, fn, &r)
                                 : ndr_walk_request(interface, method, stub, fn, &r);
    check_result(&r, &result, stub->length);
    return result.code;
}

static inline void try_note_other(const ndr_event *event, void *user)
{
    bool *other = user;
    *other = *other || (event->kind == NDR_EV_NOTE && event->note == NDR_NOTE_OTHER);
}

/* Whether the stub is read by another source's rows: cut short, one may be just what they expect. */
static inline bool try_is_other(const ndr_interface *interface, const ndr_method *method, bool response, const ndr_stub *stub)
{
    bool other = false;
    if (response)
        ndr_walk_response(interface, method, stub, NULL, try_note_other, &other);
    else
        ndr_walk_request(interface, method, stub, try_note_other, &other);
    return other;
}

static inline void try_method(const ndr_interface *interface, const ndr_method *method, unsigned arm, bool response, bool ndr64)
{
    GByteArray *asked = encode_stub(interface, method, arm, false, ndr64);
    GByteArray *octets = response ? encode_stub(interface, method, arm, true, ndr64) : g_byte_array_ref(asked);
    ndr_stub request = {.data = asked->data, .length = asked->len, .ndr64 = ndr64};
    ndr_stub stub = {.data = octets->data, .length = octets->len, .ndr64 = ndr64};
    g_assert_cmpint(try_walk(interface, method, response, &stub, &request, try_refuse_notes), ==, NDR_OK);
    for (size_t shorter = 0; shorter < octets->len; shorter++) {
        uint8_t *copy = g_memdup2(octets->data, MAX(shorter, 1)); /* of the exact size, for the sanitizer */
        ndr_stub cut = {.data = copy, .length = shorter, .ndr64 = ndr64};
        ndr_code code = try_walk(interface, method, response, &cut, &request, record_event);
        g_assert_true(code != NDR_OK || try_is_other(interface, method, response, &cut));
        g_free(copy);
    }
    g_byte_array_unref(octets);
    g_byte_array_unref(asked);
}

/* Every method's request and response with every arm of its unions, NDR and NDR64: read to the last octet, and refused at every
 * other end. */
static inline void try_interface(const ndr_interface *interface)
{
    for (uint32_t opnum = 0; opnum < interface->method_count; opnum++) {
        const ndr_method *method = &interface->methods[opnum];
        unsigned arms = method->reserved ? 0 : encode_most_arms(method->params);
        for (unsigned arm = 0; arm < arms; arm++)
            for (int form = 0; form < 4; form++)
                try_method(interface, method, arm, (form & 1) != 0, (form & 2) != 0);
    }
}

/* Octets out of hex digits with spaces between octets where one likes. Free with g_byte_array_unref(). */
static inline GByteArray *try_octets(const char *hex)
{
    GByteArray *octets = g_byte_array_new();
    while (*hex != '\0') {
        uint8_t octet = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(octets, &octet, 1);
        for (hex += 2; *hex == ' ';)
            hex++;
    }
    return octets;
}

/* A stub by hand, NDR, little-endian: all its events, as ndr_events.h writes them. */
static inline void expect_stub(const ndr_interface *interface, uint32_t opnum, bool response, const char *hex,
                               const char *expected)
{
    GByteArray *octets = try_octets(hex);
    const ndr_method *method = &interface->methods[opnum];
    recorder r = {.data = octets->data, .length = octets->len, .text = g_string_new(NULL)};
    ndr_stub stub = {.data = octets->data, .length = octets->len};
    ndr_result result = response ? ndr_walk_response(interface, method, &stub, NULL, record_event, &r)
                                 : ndr_walk_request(interface, method, &stub, record_event, &r);
    g_assert_cmpstr(r.text->str, ==, expected);
    g_assert_cmpint(result.code, ==, NDR_OK);
    g_string_free(r.text, TRUE);
    g_byte_array_unref(octets);
}

static inline void expect_request(const ndr_interface *interface, uint32_t opnum, const char *hex, const char *expected)
{
    expect_stub(interface, opnum, false, hex, expected);
}

static inline void expect_response(const ndr_interface *interface, uint32_t opnum, const char *hex, const char *expected)
{
    expect_stub(interface, opnum, true, hex, expected);
}

#endif
