/* ndr_walk.c - reads stubs by the tables: NDR ([C706] chapter 14) and NDR64 ([MS-RPCE] 2.2.5), both byte orders.
 *
 * The order of NDR. A stub is a row of parameters, and each parameter is a construct of its own. Octets have no
 * tags: only the type tells what comes next. Reading by types would be copying structures, were it not for
 * three rules that move octets away from where the type mentions them.
 *
 *   1. Pointees wait. Inside a construct a pointer is only its referent id (0: null). What it points to follows
 *      when the whole outermost construct has been read, in the order of the pointers, and each pointee is again
 *      a construct of its own, with its own pointees right behind it ([C706] 14.3.12.3). A pointer that is itself
 *      a parameter is a construct of one pointer, so its pointee follows at once. A top-level [ref] pointer has no
 *      referent id at all, and so no type in the tables.
 *   2. Counts go first. A structure whose last member is a conformant array carries that array's max_count in
 *      front, before its alignment gap, and in front of the outermost structure if they nest ([C706] 14.3.7).
 *   3. Gaps. Every primitive lies at a multiple of its size, counted from the start of the stub, and a structure
 *      at the largest alignment of its members ([C706] 14.3.2).
 *
 * So the structure { U32 EntryCount; { U32 Type; WSTR *Name; } Entry[]; } with the entries (1, "a") and (2, null)
 * stands in the stub like this:
 *
 *      00  02 00 00 00   max_count of Entry, moved to the front (rule 2)
 *      04  02 00 00 00   EntryCount
 *      08  01 00 00 00   Entry[0].Type
 *      0c  00 00 02 00   Entry[0].Name, the referent id: not null; the string waits (rule 1)
 *      10  02 00 00 00   Entry[1].Type
 *      14  00 00 00 00   Entry[1].Name: null
 *      18  02 00 00 00   here the construct ends, and the string of Entry[0].Name begins: max_count,
 *      1c  00 00 00 00   offset,
 *      20  02 00 00 00   actual_count,
 *      24  61 00 00 00   "a" and its terminator
 *
 * NDR64 has counts and referent ids of 8 octets and enumerations of 4, pads a structure at its end to a multiple
 * of its alignment, and aligns a union's tag and its arm to the largest of all the arms.
 *
 * Limits. Nothing in a stub can make the walker work without end:
 *   - An octet of the stub is consumed once, and once more for each AS() that reads it again, of which there are at
 *     most NDR_MAX_DEPTH; every element of a counted array consumes at least one octet. The work, and the memory
 *     for what waits and for what SIZE_IS must remember, is therefore a constant (of the tables) times the length.
 *   - No count sizes an allocation, and a count is compared with the octets that are left before it is believed.
 *   - Recursion: types nest as deep as the tables are written, pointers and what is emitted only NDR_MAX_DEPTH deep.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoders/ndr.h"

#include <string.h>

/* What the wire says of one row. SIZE_IS and its like compare two of these: the claim (a count or a tag) and the
 * value of the row it names. Which of them comes first is up to the IDL. */
typedef enum { FACT_VALUE, FACT_SIZE, FACT_LENGTH, FACT_TAG } fact_kind;

typedef struct fact  fact;
typedef struct scope scope;

/* Where the walker is in the tables. */
typedef struct {
    const ndr_field *row;
    const char      *name;   /* of the row, or of the blob; NULL behind the last parameter */
    int64_t          index;
    unsigned         depth;
    uint32_t         parent;
    scope           *scope;  /* of the rows beside this one; NULL for elements, and when no row names another */
    bool             whole;  /* the row itself or what it points to, not an element of it */
} place;

struct fact {
    fact     *next;
    fact_kind kind;
    place     at;
    ndr_value value;
    size_t    offset, length;
};

/* The rows of one structure on the wire, or of the message: those whose names SIZE_IS and its like can mean. */
struct scope {
    const ndr_field *rows;
    fact            *facts;
    scope           *outer; /* of the rows beside the structure, when one of them names "prefix.member" of it; else NULL */
    const char      *prefix;
};

/* A pointee that waits for the end of its construct. */
typedef struct {
    const ndr_type *type;
    place           at;
} pending;

/* Something between its BEGIN and its END. */
typedef struct {
    const ndr_type *type;
    const place    *at;
    size_t          offset;
    uint64_t        number;
    uint32_t        id;
    bool            decoded;
} span;

/* What a walk needs until its end. Most need little, and there are many walks: so there is room for the first of it. */
typedef struct {
    uint64_t   room[256];
    size_t     used;  /* octets of it */
    GPtrArray *more;  /* what found no room; NULL */
    GString   *text;  /* NULL before the first string */
} walk_memory;

struct ndr_walker {
    /* For the whole walk: */
    const uint8_t       *data;
    const ndr_interface *interface; /* NULL: a blob by itself */
    bool                 response;
    ndr_event_fn         fn;        /* NULL: nobody listens, and AS() is not asked */
    void                *user;
    walk_memory         *memory;    /* scopes and facts; the text of the latest string, until the next one */
    uint32_t             ids;       /* of the latest BEGIN */

    /* For the octets being read, the stub's or a blob's: */
    size_t     base;                /* where they begin */
    size_t     position, end;       /* position <= end <= reported, always */
    size_t     reported;
    bool       big_endian, ndr64, trailer;
    bool       packed;
    GArray    *queue;               /* pending: of the construct being read; NULL while it has none */
    unsigned   nesting;             /* of constructs in constructs */
    bool       hoisted;             /* max_count has been read in front of a structure, its array is still to come */
    uint64_t   hoisted_count;
    size_t     hoisted_offset;
    const span *custom;             /* while a custom reader runs: what it fills */
    ndr_result result;
};

static bool walk_type(ndr_walker *w, const ndr_type *type, const place *at);

static void *keep(ndr_walker *w, size_t size)
{
    walk_memory *m = w->memory;
    size_t whole = (size + sizeof *m->room - 1) / sizeof *m->room * sizeof *m->room;
    if (whole <= sizeof m->room - m->used) {
        void *here = memset((uint8_t *)m->room + m->used, 0, size);
        m->used += whole;
        return here;
    }
    if (m->more == NULL)
        m->more = g_ptr_array_new_with_free_func(g_free);
    void *apart = g_malloc0(size);
    g_ptr_array_add(m->more, apart);
    return apart;
}

/* Emptied for the next string. */
static GString *new_text(const ndr_walker *w)
{
    if (w->memory->text == NULL)
        w->memory->text = g_string_new(NULL);
    return g_string_truncate(w->memory->text, 0);
}

/* ------------------------------------------------------------------------------------ the octets */

static bool fail(ndr_walker *w, ndr_code code, const place *at)
{
    w->result = (ndr_result){.code = code, .offset = w->position, .field = at->name};
    return false;
}

static bool have(ndr_walker *w, uint64_t octets, const place *at)
{
    if (octets <= w->end - w->position)
        return true;
    return fail(w, octets <= w->reported - w->position ? NDR_CUT : NDR_SHORT, at);
}

/* A gap that the end cuts is no failure: what would follow it is missed when it is read. */
static void align(ndr_walker *w, size_t alignment)
{
    size_t gap = (alignment - w->position % alignment) % alignment;
    if (!w->packed)
        w->position += MIN(gap, w->end - w->position);
}

static uint64_t number_at(const ndr_walker *w, size_t offset, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number = number << 8 | w->data[offset + (w->big_endian ? i : size - 1 - i)];
    return number;
}

static bool read_number(ndr_walker *w, unsigned size, const place *at, uint64_t *number)
{
    align(w, size);
    if (!have(w, size, at))
        return false;
    *number = number_at(w, w->position, size);
    w->position += size;
    return true;
}

/* ------------------------------------------------------------------------------------- the types */

/* Of counts and referent ids. */
static unsigned word(const ndr_walker *w)
{
    return w->ndr64 ? 8 : 4;
}

/* Of a plain number; 0 for whatever is not one. */
static unsigned number_size(const ndr_walker *w, ndr_kind kind)
{
    switch (kind) {
    case NDR_U8:
        return 1;
    case NDR_U16:
    case NDR_WCHAR:
        return 2;
    case NDR_U32:
    case NDR_I32:
    case NDR_ENUM32:
    case NDR_FLAGS32:
    case NDR_ERROR:
        return 4;
    case NDR_U64:
    case NDR_I64:
    case NDR_FLAGS64:
    case NDR_TIME:
        return 8;
    case NDR_ENUM16:
        return w->ndr64 ? 4 : 2;
    case NDR_U3264:
        return word(w);
    default:
        return 0;
    }
}

static bool is_conformant(ndr_kind kind)
{
    return kind == NDR_CONF || kind == NDR_CVAR || kind == NDR_WSTR || kind == NDR_ASTR;
}

static bool is_varying(ndr_kind kind)
{
    return kind == NDR_VARY || kind == NDR_CVAR || kind == NDR_WSTR || kind == NDR_ASTR;
}

static bool is_octets(const ndr_type *type)
{
    return type->of->kind == NDR_U8;
}

/* MS-CMRP writes both versions of its interface into one table. */
static bool applies(const ndr_walker *w, const ndr_field *row)
{
    return row->versions == 0 || (w->interface != NULL && (row->versions & w->interface->versions) != 0);
}

/* [C706] 14.3.2. A conformant array's max_count is not where the array is, and does not count. */
static unsigned alignment(const ndr_walker *w, const ndr_type *type)
{
    unsigned largest = 1;
    switch (type->kind) {
    case NDR_GUID:
    case NDR_FILETIME:
    case NDR_HANDLE:
        return 4;
    case NDR_UNIQUE:
    case NDR_REF:
    case NDR_WSTR:
    case NDR_ASTR:
        return word(w);
    case NDR_CONF:
    case NDR_FIXED:
        return alignment(w, type->of);
    case NDR_VARY:
    case NDR_CVAR:
        return MAX(word(w), alignment(w, type->of));
    case NDR_UNION:
        largest = alignment(w, type->of);
        G_GNUC_FALLTHROUGH;
    case NDR_STRUCT:
        for (const ndr_field *row = type->fields; row->type != NULL; row++)
            if (applies(w, row))
                largest = MAX(largest, alignment(w, row->type));
        return largest;
    default:
        return MAX(number_size(w, type->kind), 1);
    }
}

/* The fewest octets a value can have in place. It bounds counts, so gaps need not be in it. */
static uint64_t least_size(const ndr_walker *w, const ndr_type *type)
{
    uint64_t size = 0;
    switch (type->kind) {
    case NDR_GUID:
        return 16;
    case NDR_FILETIME:
        return 8;
    case NDR_HANDLE:
        return 20;
    case NDR_UNIQUE:
    case NDR_REF:
        return word(w);
    case NDR_FIXED:
        return type->count * least_size(w, type->of);
    case NDR_VARY:
    case NDR_CVAR:
    case NDR_WSTR:
    case NDR_ASTR:
        return 2 * word(w);
    case NDR_UNION:
        return number_size(w, type->of->kind);
    case NDR_STRUCT:
        for (const ndr_field *row = type->fields; row->type != NULL; row++)
            if (applies(w, row))
                size += least_size(w, row->type);
        return size;
    default:
        return number_size(w, type->kind);
    }
}

/* Whether a structure's max_count goes in front: its last member is a conformant array, or such a structure. */
static bool hoists(const ndr_walker *w, const ndr_type *type)
{
    const ndr_type *last = NULL;
    for (const ndr_field *row = type->fields; row->type != NULL; row++)
        if (applies(w, row))
            last = row->type;
    return last != NULL && (is_conformant(last->kind) || (last->kind == NDR_STRUCT && hoists(w, last)));
}

/* ------------------------------------------------------------------------------------ the events */

static void emit(ndr_walker *w, ndr_event *event, const place *at)
{
    if (w->fn == NULL)
        return;
    event->row = at->row;
    event->name = at->name;
    event->index = at->index;
    event->depth = at->depth;
    event->parent = at->parent;
    event->secret |= at->row != NULL && at->row->secret;
    w->fn(event, w->user);
}

static void emit_value(ndr_walker *w, const ndr_type *type, const place *at, size_t offset, size_t length,
                       const ndr_value *value)
{
    emit(w, &(ndr_event){.kind = NDR_EV_VALUE, .type = type, .offset = offset, .length = length, .value = *value}, at);
}

static void emit_note(ndr_walker *w, ndr_note note, const place *at, size_t offset, size_t length, uint64_t number,
                      uint64_t expected)
{
    emit(w, &(ndr_event){.kind = NDR_EV_NOTE, .note = note, .type = at->row != NULL ? at->row->type : NULL,
                         .offset = offset, .length = length, .value.number = number, .expected = expected}, at);
}

static bool open_span(ndr_walker *w, span *s)
{
    if (s->at->depth >= NDR_MAX_DEPTH)
        return fail(w, NDR_DEPTH, s->at);
    s->id = ++w->ids;
    emit(w, &(ndr_event){.kind = NDR_EV_BEGIN, .type = s->type, .offset = s->offset, .id = s->id,
                         .decoded = s->decoded, .value.number = s->number}, s->at);
    return true;
}

static void close_span(ndr_walker *w, const span *s)
{
    emit(w, &(ndr_event){.kind = NDR_EV_END, .type = s->type, .offset = s->offset, .id = s->id,
                         .decoded = s->decoded, .value.number = s->number, .length = w->position - s->offset}, s->at);
}

/* --------------------------------------------------------- what rows say of each other (SIZE_IS ...) */

static bool same_name(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool names(const ndr_field *row, const char *other)
{
    return same_name(row->size_is, other) || same_name(row->length_is, other) ||
           same_name(row->switch_is, other) || same_name(row->as_by, other) || same_name(row->as_by2, other);
}

/* Whether `path` is "prefix.name"; any name will do when `name` is NULL. */
static bool is_path(const char *path, const char *prefix, const char *name)
{
    size_t length = strlen(prefix);
    return path != NULL && strncmp(path, prefix, length) == 0 && path[length] == '.' &&
           (name == NULL || strcmp(path + length + 1, name) == 0);
}

/* The path by which a row of this scope names a member of the structure in the row `prefix`; NULL when none does. */
static const char *path_to(const scope *s, const char *prefix, const char *name)
{
    if (s == NULL || prefix == NULL)
        return NULL;
    for (const ndr_field *row = s->rows; row->type != NULL; row++) {
        if (is_path(row->as_by, prefix, name))
            return row->as_by;
        if (is_path(row->as_by2, prefix, name))
            return row->as_by2;
    }
    return NULL;
}

static bool is_named(const scope *s, const char *name)
{
    for (const ndr_field *row = s->rows; row->type != NULL; row++)
        if (names(row, name))
            return true;
    return false;
}

static bool any_names(const ndr_field *rows)
{
    for (const ndr_field *row = rows; row->type != NULL; row++)
        if (row->size_is != NULL || row->length_is != NULL || row->switch_is != NULL || row->as_by != NULL)
            return true;
    return false;
}

/* A scope for the rows of what lies at `at` (NULL: of a message), or NULL when nobody has anything to say of them. */
static scope *new_scope(ndr_walker *w, const ndr_field *rows, const place *at)
{
    bool wanted = at != NULL && path_to(at->scope, at->name, NULL) != NULL;
    if (!wanted && !any_names(rows))
        return NULL;
    scope *s = keep(w, sizeof *s);
    s->rows = rows;
    s->outer = wanted ? at->scope : NULL;
    s->prefix = wanted ? at->name : NULL;
    return s;
}

static const char *claimed_by(const fact *claim)
{
    const ndr_field *row = claim->at.row;
    switch (claim->kind) {
    case FACT_SIZE:
        return row->size_is;
    case FACT_LENGTH:
        return row->length_is;
    case FACT_TAG:
        return row->switch_is;
    default:
        return NULL;
    }
}

static void compare(ndr_walker *w, const fact *claim, const fact *value)
{
    if (value->kind != FACT_VALUE || !same_name(claimed_by(claim), value->at.name))
        return;
    ndr_note note = claim->kind == FACT_SIZE ? NDR_NOTE_SIZE_IS :
                    claim->kind == FACT_LENGTH ? NDR_NOTE_LENGTH_IS : NDR_NOTE_SWITCH_IS;
    uint64_t expected = value->value.number;
    if (claim->kind != FACT_TAG)
        expected /= MAX(claim->at.row->div, 1);
    if (claim->value.number != expected)
        emit_note(w, note, &claim->at, claim->offset, claim->length, claim->value.number, expected);
}

/* Remembers what matters to another row, and compares it with what is remembered already. */
static void learn(ndr_walker *w, const place *at, fact_kind kind, size_t offset, size_t length, const ndr_value *value)
{
    if (at->scope == NULL)
        return;
    const char *path = kind == FACT_VALUE ? path_to(at->scope->outer, at->scope->prefix, at->name) : NULL;
    if (path != NULL) {
        place beside = *at;
        beside.scope = at->scope->outer;
        beside.name = path;
        learn(w, &beside, kind, offset, length, value);
    }
    fact *new = &(fact){.kind = kind, .at = *at, .value = *value, .offset = offset, .length = length};
    if (kind == FACT_VALUE ? !is_named(at->scope, at->name) : claimed_by(new) == NULL)
        return;
    new = memcpy(keep(w, sizeof *new), new, sizeof *new);
    for (const fact *old = at->scope->facts; old != NULL; old = old->next) {
        compare(w, old, new);
        compare(w, new, old);
    }
    new->next = at->scope->facts;
    at->scope->facts = new;
}

static void learn_number(ndr_walker *w, const place *at, fact_kind kind, size_t offset, uint64_t number)
{
    learn(w, at, kind, offset, w->position - offset, &(ndr_value){.number = number});
}

static const ndr_value *known(const scope *s, const char *name)
{
    for (const fact *f = s != NULL ? s->facts : NULL; f != NULL; f = f->next)
        if (f->kind == FACT_VALUE && same_name(f->at.name, name))
            return &f->value;
    return NULL;
}

/* --------------------------------------------------------------------------------- rows and blobs */

static place place_of(const ndr_field *row, scope *s, const span *parent)
{
    return (place){.row = row, .name = row->name, .index = -1, .scope = s, .whole = true,
                   .depth = parent != NULL ? parent->at->depth + 1 : 0, .parent = parent != NULL ? parent->id : 0};
}

static bool walk_rows(ndr_walker *w, const ndr_field *rows, const span *parent)
{
    scope *s = new_scope(w, rows, parent != NULL ? parent->at : NULL);
    for (const ndr_field *row = rows; row->type != NULL; row++) {
        place at = place_of(row, s, parent);
        if (row->optional && w->position == w->end)
            continue;
        if (applies(w, row) && !walk_type(w, row->type, &at))
            return false;
    }
    return true;
}

/* A custom reader takes all the octets there are. */
static bool run_custom(ndr_walker *w, const span *s)
{
    size_t offset = w->position, length = w->end - w->position;
    const span *outer = w->custom;
    w->custom = s;
    bool ok = s->type->custom(w, w->data + offset, length, offset);
    w->custom = outer;
    if (!ok)
        return fail(w, NDR_TAG, s->at);
    w->position = w->end;
    return true;
}

static bool walk_packed(ndr_walker *w, const span *s)
{
    return s->type->kind == NDR_CUSTOM ? run_custom(w, s) : walk_rows(w, s->type->fields, s);
}

/* Blobs lie in the stub as octets, without gaps and little-endian whatever the stub is. */
static void enter_blob(ndr_walker *blob, size_t offset, size_t length)
{
    blob->base = blob->position = offset;
    blob->end = blob->reported = offset + length;
    blob->packed = true;
    blob->big_endian = blob->ndr64 = blob->hoisted = false;
    blob->queue = NULL;
}

/* What the row's AS() or AS2() chooses for these octets; NULL when it has none, or chooses nothing. */
static const ndr_type *chosen(const ndr_walker *w, const place *at, size_t offset, size_t length)
{
    const ndr_field *row = at->row;
    if (!at->whole || length == 0 || w->fn == NULL)
        return NULL;
    if (row->as != NULL)
        return row->as(w->data + offset, length, known(at->scope, row->as_by), w->response);
    if (row->as2 != NULL)
        return row->as2(w->data + offset, length, known(at->scope, row->as_by), known(at->scope, row->as_by2), w->response);
    return NULL;
}

const ndr_type ndr_opaque[1] = {{.kind = NDR_OCTETS, .name = "OPAQUE"}};

static bool holds_secret(const ndr_type *type)
{
    bool holds = false;
    for (const ndr_field *row = type != NULL ? type->fields : NULL; row != NULL && row->type != NULL; row++)
        holds |= row->secret;
    return holds;
}

/* Reads octets that have just been emitted once more, by the type that their row's AS() chose. */
static void decode(ndr_walker *w, const place *at, const ndr_type *type, size_t offset, size_t length)
{
    if (type == ndr_opaque)
        emit_note(w, NDR_NOTE_OPAQUE, at, offset, length, 0, 0);
    if (type == NULL || type == ndr_opaque)
        return;

    ndr_walker blob = *w;
    enter_blob(&blob, offset, length);
    span s = {.type = type, .at = at, .offset = offset, .decoded = true};
    if (open_span(&blob, &s)) {
        place inside = *at;
        inside.depth++;
        inside.parent = s.id;
        if (!walk_packed(&blob, &s))
            emit_note(&blob, NDR_NOTE_BLOB, &inside, blob.result.offset, blob.end - blob.result.offset, 0, 0);
        else if (blob.position < blob.end)
            emit(&blob, &(ndr_event){.kind = NDR_EV_NOTE, .note = NDR_NOTE_TRAILING, .decoded = true, .type = type,
                                     .offset = blob.position, .length = blob.end - blob.position,
                                     .value.number = blob.end - blob.position}, &inside);
        blob.position = blob.end;
        close_span(&blob, &s);
    }
    w->ids = blob.ids;
}

/* --------------------------------------------------------------------------------- the constructs */

static void read_guid(const ndr_walker *w, size_t offset, ndr_guid *guid)
{
    ndr_guid_from_octets(w->data + offset, w->big_endian, guid);
}

static bool walk_scalar(ndr_walker *w, const ndr_type *type, const place *at)
{
    size_t size = (size_t)least_size(w, type);
    if (size == 0)
        return fail(w, NDR_TAG, at); /* a type for custom readers, which the wire cannot have */
    align(w, alignment(w, type));
    if (!have(w, size, at))
        return false;

    size_t offset = w->position;
    ndr_value value = {0};
    switch (type->kind) {
    case NDR_GUID:
        read_guid(w, offset, &value.guid);
        break;
    case NDR_HANDLE: /* attributes, UUID */
        value.number = number_at(w, offset, 4);
        read_guid(w, offset + 4, &value.guid);
        break;
    case NDR_FILETIME: /* two DWORDs, the low one first in either byte order */
        value.number = number_at(w, offset, 4) | number_at(w, offset + 4, 4) << 32;
        break;
    default:
        value.number = number_at(w, offset, (unsigned)size);
    }
    w->position += size;

    const ndr_type *named = chosen(w, at, offset, size);
    emit_value(w, named != NULL ? named : type, at, offset, size, &value);
    const ndr_field *row = at->row;
    if (at->whole && row->has_range && (value.number < row->min || value.number > row->max))
        emit_note(w, NDR_NOTE_RANGE, at, offset, size, value.number, value.number < row->min ? row->min : row->max);
    learn(w, at, FACT_VALUE, offset, size, &value);
    return true;
}

static bool walk_struct(ndr_walker *w, const ndr_type *type, const place *at)
{
    if (!w->packed && !w->hoisted && hoists(w, type)) {
        if (!read_number(w, word(w), at, &w->hoisted_count))
            return false;
        w->hoisted_offset = w->position - word(w);
        w->hoisted = true;
    }
    unsigned boundary = alignment(w, type);
    align(w, boundary);
    span s = {.type = type, .at = at, .offset = w->position};
    if (!open_span(w, &s))
        return false;
    bool ok = walk_rows(w, type->fields, &s);
    if (ok && w->ndr64)
        align(w, boundary);
    close_span(w, &s);
    return ok;
}

static const ndr_field *find_arm(const ndr_walker *w, const ndr_type *type, uint64_t tag)
{
    const ndr_field *other = NULL;
    for (const ndr_field *arm = type->fields; arm->type != NULL; arm++) {
        if (!applies(w, arm))
            continue;
        if (arm->is_default)
            other = arm;
        else if (arm->tag == tag)
            return arm;
    }
    return other;
}

/* NDR: the tag, then the arm where its own type wants it. NDR64: both where the largest arm wants them. */
static bool walk_union(ndr_walker *w, const ndr_type *type, const place *at)
{
    unsigned boundary = w->ndr64 ? alignment(w, type) : alignment(w, type->of);
    align(w, boundary);
    size_t offset = w->position;
    uint64_t tag = 0;
    if (!read_number(w, number_size(w, type->of->kind), at, &tag))
        return false;
    learn_number(w, at, FACT_TAG, offset, tag);

    const ndr_field *row = find_arm(w, type, tag);
    span s = {.type = type, .at = at, .offset = offset, .number = tag};
    if (!open_span(w, &s))
        return false;
    bool ok;
    if (row == NULL) {
        w->position = offset;
        ok = fail(w, NDR_TAG, at);
    } else {
        place arm = place_of(row, NULL, &s);
        if (w->ndr64)
            align(w, boundary);
        ok = walk_type(w, row->type, &arm);
    }
    close_span(w, &s);
    return ok;
}

/* Reads what a null pointer leaves of its row's SIZE_IS: with nothing there, the count is 0. */
static void learn_nothing(ndr_walker *w, const place *at, size_t offset)
{
    if (at->row->size_is != NULL)
        learn_number(w, at, FACT_SIZE, offset, 0);
    else if (at->row->length_is != NULL)
        learn_number(w, at, FACT_LENGTH, offset, 0);
}

static bool walk_pointer(ndr_walker *w, const ndr_type *type, const place *at)
{
    uint64_t referent = 0;
    if (w->packed)
        return fail(w, NDR_TAG, at); /* a blob has nothing to point to */
    if (!read_number(w, word(w), at, &referent))
        return false;
    if (referent != 0) {
        if (w->queue == NULL)
            w->queue = g_array_new(FALSE, FALSE, sizeof(pending));
        g_array_append_vals(w->queue, &(pending){.type = type->of, .at = *at}, 1);
        return true;
    }
    size_t offset = w->position - word(w);
    emit_value(w, type, at, offset, word(w), &(ndr_value){0});
    if (type->kind == NDR_REF)
        emit_note(w, NDR_NOTE_NULL_REF, at, offset, word(w), 0, 0);
    learn_nothing(w, at, offset);
    return true;
}

/* Reads an array's or string's counts, and says how many elements of at least `least` octets follow. */
static bool read_counts(ndr_walker *w, const ndr_type *type, const place *at, uint64_t least, uint64_t *count)
{
    uint64_t max = type->count, first = 0;
    if (is_conformant(type->kind)) {
        if (w->hoisted) {
            w->hoisted = false;
            max = w->hoisted_count;
            learn(w, at, FACT_SIZE, w->hoisted_offset, word(w), &(ndr_value){.number = max});
        } else {
            if (!read_number(w, word(w), at, &max))
                return false;
            learn_number(w, at, FACT_SIZE, w->position - word(w), max);
        }
    }
    *count = max;
    if (is_varying(type->kind)) {
        if (!read_number(w, word(w), at, &first) || !read_number(w, word(w), at, count))
            return false;
        size_t offset = w->position - word(w);
        learn_number(w, at, FACT_LENGTH, offset, *count);
        bool bounded = is_conformant(type->kind) || type->count > 0;
        if (bounded && (first > max || *count > max - first)) {
            uint64_t sum = *count > UINT64_MAX - first ? UINT64_MAX : first + *count;
            emit_note(w, NDR_NOTE_VARIANCE, at, offset - word(w), 2 * word(w), sum, max);
        } else if (first != 0 && (type->kind == NDR_WSTR || type->kind == NDR_ASTR)) {
            emit_note(w, NDR_NOTE_OFFSET, at, offset - word(w), word(w), first, 0);
        }
    }
    /* A fixed array's count is the table's; its octets may be missing, but its count is not wrong. */
    if (type->kind != NDR_FIXED && *count > 0 && (least == 0 || *count > (w->reported - w->position) / least))
        return fail(w, NDR_COUNT, at);
    return true;
}

static bool take_octets(ndr_walker *w, const ndr_type *type, const place *at, uint64_t count)
{
    if (!have(w, count, at))
        return false;
    size_t offset = w->position, length = (size_t)count;
    w->position += length;
    const ndr_type *read_as = chosen(w, at, offset, length);
    emit(w, &(ndr_event){.kind = NDR_EV_VALUE, .type = type, .offset = offset, .length = length, .secret = holds_secret(read_as),
                         .value = {.octets = w->data + offset, .length = length}}, at);
    decode(w, at, read_as, offset, length);
    return true;
}

/* Appends one character. A zero inside a string would end the text; its picture does not. */
static void append_character(GString *text, gunichar character)
{
    if (character > 0 && character < 0x80)
        g_string_append_c(text, (char)character);
    else
        g_string_append_unichar(text, character == 0 ? 0x2400 : character);
}

/* Returns false when there is half of a surrogate pair, for which the text has U+FFFD. */
static bool utf16_text(ndr_walker *w, size_t offset, size_t units)
{
    bool well_formed = true;
    GString *text = new_text(w);
    for (size_t i = 0; i < units; i++) {
        gunichar unit = (gunichar)number_at(w, offset + 2 * i, 2);
        gunichar next = i + 1 < units ? (gunichar)number_at(w, offset + 2 * i + 2, 2) : 0;
        if ((unit & 0xFC00) == 0xD800 && (next & 0xFC00) == 0xDC00) {
            unit = 0x10000 + ((unit & 0x3FF) << 10 | (next & 0x3FF));
            i++;
        } else if ((unit & 0xF800) == 0xD800) {
            unit = 0xFFFD;
            well_formed = false;
        }
        append_character(text, unit);
    }
    return well_formed;
}

/* An array of wchar_t: as a buffer of fixed size holds rubbish behind its terminator, others may hold several strings. */
static bool take_characters(ndr_walker *w, const ndr_type *type, const place *at, uint64_t count)
{
    if (!have(w, 2 * count, at))
        return false;
    size_t offset = w->position, units = (size_t)count, shown = 0;
    w->position += 2 * units;
    if (type->kind == NDR_FIXED)
        while (shown < units && number_at(w, offset + 2 * shown, 2) != 0)
            shown++;
    else
        for (shown = units; shown > 0 && number_at(w, offset + 2 * (shown - 1), 2) == 0;)
            shown--;
    bool well_formed = utf16_text(w, offset, shown);
    emit_value(w, type, at, offset, 2 * units,
               &(ndr_value){.octets = w->data + offset, .length = 2 * units, .text = w->memory->text->str});
    if (!well_formed)
        emit_note(w, NDR_NOTE_STRING, at, offset, 2 * units, count, 0);
    return true;
}

static bool walk_array(ndr_walker *w, const ndr_type *type, const place *at)
{
    uint64_t count = 0;
    align(w, is_varying(type->kind) || (is_conformant(type->kind) && !w->hoisted) ? word(w) : alignment(w, type->of));
    size_t offset = w->position;
    if (!read_counts(w, type, at, least_size(w, type->of), &count))
        return false;
    if (is_octets(type))
        return take_octets(w, type, at, count);
    if (type->of->kind == NDR_WCHAR)
        return take_characters(w, type, at, count);

    span s = {.type = type, .at = at, .offset = offset, .number = count};
    if (!open_span(w, &s))
        return false;
    bool ok = true;
    place element = place_of(at->row, NULL, &s);
    element.whole = false;
    for (uint64_t i = 0; ok && i < count; i++) {
        element.index = (int64_t)i;
        ok = walk_type(w, type->of, &element);
    }
    close_span(w, &s);
    return ok;
}

/* The code page is the server's secret; Latin-1 loses nothing. */
static void latin1_text(ndr_walker *w, size_t offset, size_t units)
{
    GString *text = new_text(w);
    for (size_t i = 0; i < units; i++)
        append_character(text, w->data[offset + i]);
}

static bool walk_string(ndr_walker *w, const ndr_type *type, const place *at)
{
    unsigned size = type->kind == NDR_WSTR ? 2 : 1;
    uint64_t count = 0;
    if (!read_counts(w, type, at, size, &count) || !have(w, count * size, at))
        return false;
    size_t offset = w->position, units = (size_t)count;
    w->position += units * size;

    bool terminated = units > 0 && number_at(w, offset + (units - 1) * size, size) == 0;
    bool well_formed = true;
    if (size == 2)
        well_formed = utf16_text(w, offset, units - terminated);
    else
        latin1_text(w, offset, units - terminated);
    emit_value(w, type, at, offset, units * size,
               &(ndr_value){.octets = w->data + offset, .length = units * size, .text = w->memory->text->str});
    if (!terminated || !well_formed)
        emit_note(w, NDR_NOTE_STRING, at, offset, units * size, count, 0);
    return true;
}

/* Octets of a blob: as many as SIZE_IS says, or all that are left. */
static bool walk_octets(ndr_walker *w, const ndr_type *type, const place *at)
{
    const ndr_value *size = known(at->scope, at->row->size_is);
    return take_octets(w, type, at, size != NULL ? size->number / MAX(at->row->div, 1) : w->end - w->position);
}

/* How many units a string of a blob has, its terminator included. */
static size_t sz_units(const ndr_walker *w)
{
    size_t units = 0, left = (w->end - w->position) / 2;
    while (units < left)
        if (number_at(w, w->position + 2 * units++, 2) == 0)
            break;
    return units;
}

/* A string of a blob. Without its terminator it ends where its octets do. */
static bool walk_sz(ndr_walker *w, const ndr_type *type, const place *at)
{
    const ndr_value *size = known(at->scope, at->row->size_is);
    if (size != NULL && !have(w, size->number, at))
        return false;
    size_t offset = w->position, length = size != NULL ? (size_t)size->number : 2 * sz_units(w), units = length / 2;
    w->position += length;
    bool terminated = units > 0 && length % 2 == 0 && number_at(w, offset + 2 * (units - 1), 2) == 0;
    bool well_formed = utf16_text(w, offset, units - (terminated ? 1 : 0));
    emit_value(w, type, at, offset, length, &(ndr_value){.octets = w->data + offset, .length = length, .text = w->memory->text->str});
    if (!terminated || !well_formed)
        emit_note(w, NDR_NOTE_STRING, at, offset, length, units, 0);
    return true;
}

/* Takes a list's end mark; a list of strings may do without. */
static bool takes_end(ndr_walker *w, const ndr_type *of, const place *at)
{
    unsigned size = of->kind == NDR_SZ ? 2 : 4;
    if (w->position == w->end && of->kind != NDR_SZ)
        emit_note(w, NDR_NOTE_UNENDED, at, w->position, 0, 0, 0);
    if (w->end - w->position < size || number_at(w, w->position, size) != 0)
        return w->position == w->end;
    w->position += size;
    return true;
}

/* Elements of a blob, one behind the other. Each must take octets, or a count would cost work that no octets bound. */
static bool walk_list(ndr_walker *w, const ndr_type *type, const place *at)
{
    const ndr_value *size = known(at->scope, at->row->size_is);
    uint64_t least = MAX(least_size(w, type->of), 1), count = size != NULL ? size->number / MAX(at->row->div, 1) : UINT64_MAX;
    if (size != NULL && count > (w->end - w->position) / least)
        return fail(w, NDR_COUNT, at);
    span s = {.type = type, .at = at, .offset = w->position, .number = size != NULL ? count : 0};
    if (!open_span(w, &s))
        return false;
    bool ok = true;
    place element = place_of(at->row, NULL, &s);
    element.whole = false;
    for (uint64_t i = 0; ok && i < count; i++) {
        size_t before = w->position;
        if (type->kind == NDR_ENDED ? takes_end(w, type->of, &element) : size == NULL && before == w->end)
            break;
        element.index = (int64_t)i;
        ok = walk_type(w, type->of, &element);
        if (ok && w->position == before)
            ok = fail(w, NDR_COUNT, at);
    }
    close_span(w, &s);
    return ok;
}

static bool walk_pad(ndr_walker *w, const ndr_type *type)
{
    size_t gap = (type->count - (w->position - w->base) % type->count) % type->count;
    w->position += MIN(gap, w->end - w->position);
    return true;
}

static bool walk_custom(ndr_walker *w, const ndr_type *type, const place *at)
{
    span s = {.type = type, .at = at, .offset = w->position};
    if (!open_span(w, &s))
        return false;
    bool ok = run_custom(w, &s);
    close_span(w, &s);
    return ok;
}

static bool walk_type(ndr_walker *w, const ndr_type *type, const place *at)
{
    switch (type->kind) {
    case NDR_STRUCT:
        return walk_struct(w, type, at);
    case NDR_UNION:
        return walk_union(w, type, at);
    case NDR_UNIQUE:
    case NDR_REF:
        return walk_pointer(w, type, at);
    case NDR_CONF:
    case NDR_VARY:
    case NDR_CVAR:
    case NDR_FIXED:
        return walk_array(w, type, at);
    case NDR_WSTR:
    case NDR_ASTR:
        return walk_string(w, type, at);
    case NDR_OCTETS:
        return walk_octets(w, type, at);
    case NDR_SZ:
        return walk_sz(w, type, at);
    case NDR_LIST:
    case NDR_ENDED:
        return walk_list(w, type, at);
    case NDR_PAD:
        return walk_pad(w, type);
    case NDR_CUSTOM:
        return walk_custom(w, type, at);
    case NDR_NOTHING:
        return true;
    default:
        return walk_scalar(w, type, at);
    }
}

/* A parameter or a pointee, and then what waits for its end. */
static bool walk_construct(ndr_walker *w, const ndr_type *type, const place *at)
{
    if (w->nesting >= NDR_MAX_DEPTH)
        return fail(w, NDR_DEPTH, at);
    GArray *outer = w->queue;
    w->queue = NULL;
    w->nesting++;

    bool ok = walk_type(w, type, at);
    GArray *queue = w->queue;
    for (guint i = 0; ok && queue != NULL && i < queue->len; i++) {
        pending *next = &g_array_index(queue, pending, i);
        ok = walk_construct(w, next->type, &next->at);
    }

    if (queue != NULL)
        g_array_free(queue, TRUE);
    w->nesting--;
    w->queue = outer;
    return ok;
}

/* ----------------------------------------------------------------------------------- the messages */

static void start(ndr_walker *w, walk_memory *memory, const ndr_interface *interface, const ndr_stub *stub, bool response, ndr_event_fn fn,
                  void *user)
{
    *w = (ndr_walker){
        .data = stub->data != NULL ? stub->data : (const uint8_t *)"", /* so that data + 0 is a pointer */
        .end = stub->length,
        .reported = MAX(stub->length, stub->reported),
        .big_endian = stub->big_endian,
        .ndr64 = stub->ndr64,
        .trailer = stub->trailer,
        .interface = interface,
        .response = response,
        .fn = fn,
        .user = user,
        .memory = memory,
    };
    memory->used = 0;
    memory->more = NULL;
    memory->text = NULL;
}

static ndr_result finish(ndr_walker *w)
{
    if (w->memory->more != NULL)
        g_ptr_array_free(w->memory->more, TRUE);
    if (w->memory->text != NULL)
        g_string_free(w->memory->text, TRUE);
    return w->result;
}

static bool walk_params(ndr_walker *w, const ndr_field *params, scope *s)
{
    uint8_t dir = w->response ? NDR_OUT : NDR_IN;
    for (const ndr_field *row = params; row->type != NULL; row++) {
        place at = place_of(row, s, NULL);
        if ((row->dir & dir) != 0 && applies(w, row) && !walk_construct(w, row->type, &at))
            return false;
    }
    return true;
}

static bool walk_return(ndr_walker *w, const ndr_method *method)
{
    ndr_field row = {.dir = NDR_OUT, .type = method->returns, .name = "return"};
    place at = place_of(&row, NULL, NULL);
    return method->returns == NULL || walk_construct(w, method->returns, &at);
}

static void walk_message(ndr_walker *w, const ndr_method *method, const ndr_field *params, scope *s)
{
    if (params != NULL && !walk_params(w, params, s))
        return;
    if (w->response && !walk_return(w, method))
        return;
    size_t alignment = w->trailer ? -w->position % 4 : 0;
    if (w->end - w->position > alignment)
        emit_note(w, NDR_NOTE_TRAILING, &(place){.index = -1}, w->position, w->end - w->position,
                  w->reported - w->position, 0);
}

static scope *scope_of(ndr_walker *w, const ndr_field *params)
{
    return params != NULL ? new_scope(w, params, NULL) : NULL;
}

/* How well a stub fits rows: to its last octet, with octets left, as far as the capture has it, not at all. */
typedef enum { FIT_NONE, FIT_CUT, FIT_TRAILING, FIT_EXACT } fit;

static fit fits(const ndr_walker *reader, const ndr_method *method, const ndr_field *params, const ndr_stub *stub)
{
    ndr_walker w;
    walk_memory memory;
    start(&w, &memory, reader->interface, stub, reader->response, NULL, NULL);
    walk_message(&w, method, params, NULL);
    fit found = w.result.code == NDR_CUT  ? FIT_CUT
                : w.result.code != NDR_OK ? FIT_NONE
                : w.position < w.end      ? FIT_TRAILING
                                          : FIT_EXACT;
    finish(&w);
    return found;
}

static void note_other(ndr_walker *w, const ndr_other *other)
{
    emit(w, &(ndr_event){.kind = NDR_EV_NOTE, .note = NDR_NOTE_OTHER, .value.text = other->name}, &(place){.index = -1});
}

/* The rows to read a stub by: the method's own, unless it fits another source's better. `w` is to read it. */
static const ndr_field *rows_for(ndr_walker *w, const ndr_method *method, const ndr_stub *stub)
{
    const ndr_field *params = method->params;
    if (method->others == NULL)
        return params;
    const ndr_other *chosen = NULL;
    fit best = fits(w, method, params, stub);
    for (const ndr_other *other = method->others; other->name != NULL; other++) {
        fit found = other->params != NULL ? fits(w, method, other->params, stub) : FIT_NONE;
        if (found > best) {
            best = found;
            chosen = other;
        }
    }
    if (chosen != NULL)
        note_other(w, chosen);
    for (const ndr_other *other = method->others; chosen == NULL && !w->response && other->name != NULL; other++)
        if (other->params == NULL)
            note_other(w, other);
    return chosen != NULL ? chosen->params : params;
}

ndr_result ndr_walk_request(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub,
                            ndr_event_fn fn, void *user)
{
    ndr_walker w;
    walk_memory memory;
    start(&w, &memory, interface, stub, false, fn, user);
    const ndr_field *params = rows_for(&w, method, stub);
    walk_message(&w, method, params, scope_of(&w, params));
    return finish(&w);
}

/* Takes over the values of [in] parameters. Those that are [in, out] the response has itself. */
static void recall(ndr_walker *w, scope *s, const ndr_method *method, const ndr_stub *request)
{
    ndr_walker asked;
    walk_memory memory;
    start(&asked, &memory, w->interface, request, false, NULL, NULL);
    const ndr_field *params = rows_for(&asked, method, request);
    scope *in = scope_of(&asked, params);
    walk_message(&asked, method, params, in);
    for (const fact *f = in != NULL ? in->facts : NULL; f != NULL; f = f->next)
        if (f->kind == FACT_VALUE && f->at.row->dir == NDR_IN)
            learn(w, &(place){.row = f->at.row, .name = f->at.name, .index = -1, .scope = s, .whole = true},
                  FACT_VALUE, f->offset, f->length, &f->value);
    finish(&asked);
}

ndr_result ndr_walk_response(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub,
                             const ndr_stub *request, ndr_event_fn fn, void *user)
{
    ndr_walker w;
    walk_memory memory;
    start(&w, &memory, interface, stub, true, fn, user);
    const ndr_field *params = rows_for(&w, method, stub);
    scope *s = scope_of(&w, params);
    if (request != NULL && s != NULL)
        recall(&w, s, method, request);
    walk_message(&w, method, params, s);
    return finish(&w);
}

ndr_result ndr_walk_blob(const ndr_type *type, const uint8_t *data, size_t length, ndr_event_fn fn, void *user)
{
    ndr_walker w;
    walk_memory memory;
    start(&w, &memory, NULL, &(ndr_stub){.data = data, .length = length}, false, fn, user);
    enter_blob(&w, 0, length);
    place nowhere = {.name = type->name, .index = -1};
    if (type->kind == NDR_CUSTOM)
        run_custom(&w, &(span){.type = type, .at = &nowhere});
    else
        walk_rows(&w, type->fields, NULL);
    if (w.result.code == NDR_OK && w.position < w.end)
        emit_note(&w, NDR_NOTE_TRAILING, &nowhere, w.position, w.end - w.position, w.end - w.position, 0);
    return finish(&w);
}

void ndr_emit(ndr_walker *walker, const char *name, size_t offset, size_t length, const ndr_value *value)
{
    const span *s = walker->custom;
    g_return_if_fail(s != NULL);
    for (const ndr_field *row = s->type->fields; row->type != NULL; row++) {
        if (same_name(row->name, name)) {
            place at = place_of(row, NULL, s->id != 0 ? s : NULL); /* id 0: ndr_walk_blob() reads it by itself */
            emit_value(walker, row->type, &at, offset, length, value);
            return;
        }
    }
    g_return_if_reached();
}

/* ---------------------------------------------------------------------------------------- finding */

typedef struct {
    const char *name;
    ndr_value  *value;
    size_t     *offset;
    bool        found;
} search;

static void look(const ndr_event *event, void *user)
{
    search *s = user;
    if (event->kind != NDR_EV_VALUE || event->depth != 0 || !same_name(event->name, s->name))
        return;
    *s->value = event->value;
    s->value->text = NULL;
    if (s->offset != NULL)
        *s->offset = event->offset;
    s->found = true;
}

bool ndr_find(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub, bool response,
              const char *name, ndr_value *value, size_t *offset)
{
    search s = {.name = name, .value = value, .offset = offset};
    if (response)
        ndr_walk_response(interface, method, stub, NULL, look, &s);
    else
        ndr_walk_request(interface, method, stub, look, &s);
    return s.found;
}
