/* ndr_encode.h - for tests: writes a stub of any method by its table, with made-up values that differ from each other.
 *
 * Values of chosen names can be set; then every other number is 0, and every other handle one and the same.
 *
 * Counts agree with what they count: what SIZE_IS names is ENCODE_SIZE, what LENGTH_IS names ENCODE_LENGTH, and so are the counts.
 * Of every union the same arm is written, and what SWITCH_IS names is its tag. It knows the rules of NDR as ndr_walk.c does, but
 * the other way round; what both have wrong, only another decoder finds. There are no varying arrays in it, since the three
 * interfaces have none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_NDR_ENCODE_H
#define RPCLENS_NDR_ENCODE_H

#include <string.h>

#include "decoders/ndr.h"

enum { ENCODE_SIZE = 3, ENCODE_LENGTH = 2, ENCODE_NO_TAG = 999 }; /* a tag for default arms */

/* What rows of a name have, wherever they stand: the first of these that is given. Octets are of an array of octets, and what counts
 * them agrees. */
typedef struct {
    const char *name;   /* NULL ends a list */
    const char *text;
    const void *octets;
    size_t      length;
    bool        null;   /* a null pointer; a null handle */
    uint64_t    number; /* of a handle: the first part of its UUID */
} encode_set;

typedef struct {
    GByteArray          *out;
    const encode_set    *sets; /* NULL: values are made up */
    const ndr_interface *interface;
    bool                 ndr64, response;
    unsigned             arm;      /* of unions, from 0 */
    uint32_t             counter;  /* of values */
    uint32_t             referent;
    GArray              *queue;    /* encode_pending: of the construct being written */
    bool                 hoisted;
} encoder;

typedef struct {
    const ndr_type  *type;
    const ndr_field *row, *rows;
} encode_pending;

static inline bool encode_applies(const encoder *e, const ndr_field *row)
{
    return row->versions == 0 || (row->versions & e->interface->versions) != 0;
}

static inline unsigned encode_word(const encoder *e)
{
    return e->ndr64 ? 8 : 4;
}

static inline const encode_set *encode_find(const encoder *e, const ndr_field *row)
{
    for (const encode_set *set = e->sets; set != NULL && row != NULL && set->name != NULL; set++)
        if (strcmp(set->name, row->name) == 0)
            return set;
    return NULL;
}

static inline unsigned encode_number_size(const encoder *e, ndr_kind kind)
{
    switch (kind) {
    case NDR_U8:
        return 1;
    case NDR_U16: case NDR_WCHAR:
        return 2;
    case NDR_U32: case NDR_I32: case NDR_ENUM32: case NDR_FLAGS32: case NDR_ERROR:
        return 4;
    case NDR_U64: case NDR_I64: case NDR_FLAGS64: case NDR_TIME:
        return 8;
    case NDR_ENUM16:
        return e->ndr64 ? 4 : 2;
    case NDR_U3264:
        return encode_word(e);
    default:
        return 0;
    }
}

static inline void encode_align(encoder *e, unsigned boundary)
{
    static const uint8_t zeros[8];
    g_byte_array_append(e->out, zeros, (boundary - e->out->len % boundary) % boundary);
}

static inline void encode_number(encoder *e, unsigned size, uint64_t number)
{
    encode_align(e, size);
    for (unsigned i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(number >> 8 * i);
        g_byte_array_append(e->out, &octet, 1);
    }
}

static inline unsigned encode_alignment(const encoder *e, const ndr_type *type)
{
    unsigned largest = 1;
    switch (type->kind) {
    case NDR_GUID: case NDR_FILETIME: case NDR_HANDLE:
        return 4;
    case NDR_UNIQUE: case NDR_WSTR:
        return encode_word(e);
    case NDR_CVAR:
        return MAX(encode_word(e), encode_alignment(e, type->of));
    case NDR_CONF: case NDR_FIXED:
        return encode_alignment(e, type->of);
    case NDR_NOTHING:
        return 1;
    case NDR_UNION:
        largest = encode_alignment(e, type->of);
        G_GNUC_FALLTHROUGH;
    case NDR_STRUCT:
        for (const ndr_field *row = type->fields; row->type != NULL; row++)
            if (encode_applies(e, row))
                largest = MAX(largest, encode_alignment(e, row->type));
        return largest;
    default:
        return encode_number_size(e, type->kind);
    }
}

/* The last member, when it is a conformant array. */
static inline const ndr_field *encode_tail(const ndr_type *type)
{
    const ndr_field *last = NULL;
    for (const ndr_field *row = type->fields; row->type != NULL; row++)
        last = row;
    return last != NULL && (last->type->kind == NDR_CONF || last->type->kind == NDR_CVAR) ? last : NULL;
}

static inline unsigned encode_arms(const ndr_type *type)
{
    unsigned arms = 0;
    while (type->fields[arms].type != NULL)
        arms++;
    return arms;
}

static inline uint32_t encode_tag(const ndr_field *arm)
{
    return arm->is_default ? ENCODE_NO_TAG : arm->tag;
}

static inline const ndr_field *encode_arm(const encoder *e, const ndr_type *type)
{
    return &type->fields[e->arm % encode_arms(type)];
}

/* How many elements of a row are counted; false: its own number is as good as another. */
static inline bool encode_set_count(const encoder *e, const ndr_field *row, uint64_t *count)
{
    const encode_set *set = encode_applies(e, row) ? encode_find(e, row) : NULL;
    if (set == NULL || (set->octets == NULL && !set->null))
        return false;
    *count = set->octets != NULL ? set->length : 0;
    return true;
}

/* What a row must say that counts another one, or has a union's tag. Returns false when it does not matter. */
static inline bool encode_claim(const encoder *e, const ndr_field *rows, const ndr_field *row, uint64_t *number)
{
    for (const ndr_field *other = rows; other != NULL && other->type != NULL; other++) {
        uint32_t div = MAX(other->div, 1);
        bool sizes = other->size_is != NULL && strcmp(other->size_is, row->name) == 0;
        bool lengths = other->length_is != NULL && strcmp(other->length_is, row->name) == 0;
        if ((sizes || lengths) && encode_set_count(e, other, number))
            return true;
        if (sizes)
            *number = ENCODE_SIZE * div;
        else if (lengths)
            *number = ENCODE_LENGTH * div;
        else if (other->switch_is != NULL && strcmp(other->switch_is, row->name) == 0)
            *number = encode_tag(encode_arm(e, other->type));
        else
            continue;
        return true;
    }
    return false;
}

static inline uint64_t encode_value(encoder *e, const ndr_type *type, const ndr_field *rows, const ndr_field *row, unsigned size)
{
    const encode_set *set = encode_find(e, row);
    uint64_t claim;
    uint32_t names = 0, made_up = ++e->counter;
    if (set != NULL && set->octets == NULL && (rows != NULL || strcmp(row->name, "return") == 0))
        return set->number;
    if (encode_claim(e, rows, row, &claim))
        return claim;
    if (e->sets != NULL)
        return 0;
    if (type->kind == NDR_ERROR)
        return made_up % 2 ? 5 : 0;
    while (type->names != NULL && type->names[names].name != NULL)
        names++;
    if (names > 0)
        return type->names[made_up % names].value;
    return size == 1 ? made_up % 0x100 : size == 2 ? 0x1000 + made_up : size == 4 ? 0x10000000 + made_up :
           UINT64_C(0x1000000000000000) + made_up;
}

static inline void encode_type(encoder *e, const ndr_type *type, const ndr_field *rows, const ndr_field *row);

static inline void encode_string(encoder *e, const encode_set *set)
{
    char *text = set != NULL && set->text != NULL ? g_strdup(set->text) : g_strdup_printf("string %u", ++e->counter);
    size_t length = strlen(text) + 1;
    encode_number(e, encode_word(e), length);
    encode_number(e, encode_word(e), 0);
    encode_number(e, encode_word(e), length);
    for (size_t i = 0; i < length; i++)
        encode_number(e, 2, (uint8_t)text[i]);
    g_free(text);
}

static inline void encode_array(encoder *e, const ndr_type *type, const ndr_field *row)
{
    const encode_set *set = encode_find(e, row);
    bool varying = type->kind == NDR_CVAR, given = set != NULL && set->octets != NULL;
    uint64_t count = given ? set->length : varying ? ENCODE_LENGTH : ENCODE_SIZE;
    if (!e->hoisted)
        encode_number(e, encode_word(e), given ? count : ENCODE_SIZE);
    e->hoisted = false;
    if (varying) {
        encode_number(e, encode_word(e), 0);
        encode_number(e, encode_word(e), count);
    }
    if (given)
        g_byte_array_append(e->out, set->octets, (guint)set->length);
    for (uint64_t i = 0; i < count && !given; i++)
        encode_type(e, type->of, NULL, row);
}

static inline void encode_union(encoder *e, const ndr_type *type)
{
    const ndr_field *arm = encode_arm(e, type);
    unsigned boundary = e->ndr64 ? encode_alignment(e, type) : 1;
    encode_align(e, boundary);
    encode_number(e, encode_number_size(e, type->of->kind), encode_tag(arm));
    encode_align(e, boundary);
    encode_type(e, arm->type, NULL, arm);
}

static inline void encode_struct(encoder *e, const ndr_type *type)
{
    unsigned boundary = encode_alignment(e, type);
    if (encode_tail(type) != NULL && !e->hoisted) {
        encode_number(e, encode_word(e), ENCODE_SIZE);
        e->hoisted = true;
    }
    encode_align(e, boundary);
    for (const ndr_field *row = type->fields; row->type != NULL; row++)
        if (encode_applies(e, row))
            encode_type(e, row->type, type->fields, row);
    if (e->ndr64)
        encode_align(e, boundary);
}

static inline void encode_type(encoder *e, const ndr_type *type, const ndr_field *rows, const ndr_field *row)
{
    unsigned size = encode_number_size(e, type->kind);
    if (size > 0) {
        encode_number(e, size, encode_value(e, type, rows, row, size));
        return;
    }
    const encode_set *set = encode_find(e, row);
    switch (type->kind) {
    case NDR_UNIQUE:
        if (set != NULL && set->null) {
            encode_number(e, encode_word(e), 0);
            break;
        }
        encode_number(e, encode_word(e), 0x20000 + 4 * (uint64_t)e->referent++);
        g_array_append_vals(e->queue, &(encode_pending){type->of, row, rows}, 1);
        break;
    case NDR_STRUCT:
        encode_struct(e, type);
        break;
    case NDR_UNION:
        encode_union(e, type);
        break;
    case NDR_CONF: case NDR_CVAR:
        encode_array(e, type, row);
        break;
    case NDR_FIXED:
        for (uint32_t i = 0; i < type->count; i++)
            encode_type(e, type->of, NULL, row);
        break;
    case NDR_NOTHING:
        break;
    case NDR_WSTR:
        encode_string(e, set);
        break;
    case NDR_HANDLE:
        encode_number(e, 4, 0);
        if (e->sets != NULL) {
            encode_number(e, 4, set == NULL ? 1 : set->null ? 0 : set->number);
            for (int i = 0; i < 3; i++)
                encode_number(e, 4, 0);
            break;
        }
        G_GNUC_FALLTHROUGH;
    case NDR_GUID:
        for (int i = 0; i < 4; i++)
            encode_number(e, 4, 0x20000000 + ++e->counter);
        break;
    case NDR_FILETIME: { /* of whole seconds, which is all that others print */
        uint64_t time = (UINT64_C(13341914969) + ++e->counter) * 10000000;
        encode_number(e, 4, time & 0xFFFFFFFF);
        encode_number(e, 4, time >> 32);
        break;
    }
    default:
        g_error("%s: a type that this encoder does not have", row->name);
    }
}

/* A parameter or a pointee, and then what it points to. */
static inline void encode_construct(encoder *e, const ndr_type *type, const ndr_field *rows, const ndr_field *row)
{
    GArray *outer = e->queue;
    e->queue = g_array_new(FALSE, FALSE, sizeof(encode_pending));
    encode_type(e, type, rows, row);
    for (guint i = 0; i < e->queue->len; i++) {
        encode_pending next = g_array_index(e->queue, encode_pending, i);
        encode_construct(e, next.type, next.rows, next.row);
    }
    g_array_free(e->queue, TRUE);
    e->queue = outer;
}

/* Calls of encode_stub() with arms from 0 to below this write every arm of every union of a method. */
static inline unsigned encode_most_arms(const ndr_field *rows)
{
    unsigned most = 1;
    for (const ndr_field *row = rows; row->type != NULL; row++) {
        const ndr_type *type = row->type;
        while (type->kind == NDR_UNIQUE || type->kind == NDR_CONF)
            type = type->of;
        if (type->kind == NDR_UNION)
            most = MAX(most, encode_arms(type));
        if (type->kind == NDR_STRUCT)
            most = MAX(most, encode_most_arms(type->fields));
    }
    return most;
}

/* A request's or a response's stub with this arm of its unions and these values set; NULL: all are made up. Free with
 * g_byte_array_unref(). */
static inline GByteArray *encode_stub_set(const ndr_interface *interface, const ndr_method *method, unsigned arm, bool response,
                                          bool ndr64, const encode_set *sets)
{
    encoder e = {.out = g_byte_array_new(), .sets = sets, .interface = interface, .ndr64 = ndr64, .response = response, .arm = arm};
    for (const ndr_field *row = method->params; row->type != NULL; row++)
        if ((row->dir & (response ? NDR_OUT : NDR_IN)) != 0 && encode_applies(&e, row))
            encode_construct(&e, row->type, method->params, row);
    if (response && method->returns != NULL) {
        const ndr_field row = {.type = method->returns, .name = "return"};
        encode_construct(&e, method->returns, NULL, &row);
    }
    return e.out;
}

static inline GByteArray *encode_stub(const ndr_interface *interface, const ndr_method *method, unsigned arm, bool response,
                                      bool ndr64)
{
    return encode_stub_set(interface, method, arm, response, ndr64, NULL);
}

#endif
