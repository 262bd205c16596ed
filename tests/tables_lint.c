/* tables_lint.c - what the compiler cannot check in the tables, for every interface; and that each check bites.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>

#include "decoders/interfaces.h"

#include "decoders/errors.c" /* its tables are its own; the linker then leaves the library's copy out */

typedef struct {
    GString         *complaints;
    const char      *interface, *where; /* the method, structure or union being looked at */
    GHashTable      *seen;              /* types that have been looked at */
    bool             packed;
} lint;

static void complain(lint *l, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void complain(lint *l, const char *format, ...)
{
    va_list arguments;
    g_string_append_printf(l->complaints, "%s: %s: ", l->interface, l->where);
    va_start(arguments, format);
    g_string_append_vprintf(l->complaints, format, arguments);
    va_end(arguments);
    g_string_append_c(l->complaints, '\n');
}

/* ------------------------------------------------------------------------------------------- kinds */

static bool is_number(ndr_kind kind)
{
    return kind <= NDR_ERROR; /* the integers and what is made of them stand first in ndr_kind */
}

static bool is_pointer(ndr_kind kind)
{
    return kind == NDR_UNIQUE || kind == NDR_REF;
}

static bool is_array(ndr_kind kind)
{
    return kind == NDR_CONF || kind == NDR_VARY || kind == NDR_CVAR || kind == NDR_FIXED;
}

static bool is_conformant(ndr_kind kind)
{
    return kind == NDR_CONF || kind == NDR_CVAR || kind == NDR_WSTR || kind == NDR_ASTR;
}

static bool is_varying(ndr_kind kind)
{
    return kind == NDR_VARY || kind == NDR_CVAR || kind == NDR_WSTR || kind == NDR_ASTR;
}

static bool is_list(ndr_kind kind)
{
    return kind == NDR_LIST || kind == NDR_ENDED;
}

/* What blobs can hold: nothing whose size or place only NDR tells. */
static bool is_packable(ndr_kind kind)
{
    return (is_number(kind) && kind != NDR_U3264 && kind != NDR_ENUM16) || kind == NDR_GUID || kind == NDR_FILETIME ||
           kind == NDR_STRUCT || kind == NDR_FIXED || kind == NDR_OCTETS || kind == NDR_CUSTOM || kind == NDR_WCHAR ||
           kind == NDR_SZ || is_list(kind) || kind == NDR_PAD;
}

static bool is_for_blobs(ndr_kind kind)
{
    return kind == NDR_OCTETS || kind == NDR_TEXT || kind == NDR_CUSTOM || kind == NDR_SZ ||
           is_list(kind) || kind == NDR_PAD;
}

static const ndr_type *pointee(const ndr_type *type)
{
    for (int i = 0; i < NDR_MAX_DEPTH && is_pointer(type->kind) && type->of != NULL; i++)
        type = type->of;
    return type;
}

/* Whether a conformant array is in the type itself, and so its max_count in front of it. */
static bool hoists(const ndr_type *type)
{
    if (type->kind != NDR_STRUCT)
        return is_conformant(type->kind);
    const ndr_field *last = NULL;
    for (const ndr_field *row = type->fields; row->type != NULL; row++)
        last = row;
    return last != NULL && hoists(last->type);
}

/* ------------------------------------------------------------------------------------------- names */

/* What Wireshark takes in a filter's name. */
static bool is_filter_name(const char *name)
{
    size_t good = 0;
    while (g_ascii_isalnum(name[good]) || name[good] == '_')
        good++;
    return good > 0 && name[good] == '\0';
}

static void lint_name(lint *l, const ndr_field *row)
{
    if (row->name == NULL)
        complain(l, "a row without a name");
    else if (!is_filter_name(row->name))
        complain(l, "%s: not a name for a filter", row->name);
}

static const ndr_field *find_row(const ndr_field *rows, const char *name)
{
    for (const ndr_field *row = rows; row->type != NULL; row++)
        if (row->name != NULL && strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* The row that a path names, "name" or "name.member", and in `top` the row of these that it begins with. */
static const ndr_field *find_path(const ndr_field *rows, const char *path, const ndr_field **top)
{
    char **parts = g_strsplit(path, ".", 2);
    const ndr_field *row = *top = find_row(rows, parts[0]);
    if (row != NULL && parts[1] != NULL) {
        const ndr_type *type = pointee(row->type);
        row = type->kind == NDR_STRUCT ? find_row(type->fields, parts[1]) : NULL;
    }
    g_strfreev(parts);
    return row;
}

/* `named` must be known where `row` is read: in a blob and for AS() before it, or in the request. */
static bool comes_first(const ndr_field *named, const ndr_field *row)
{
    return named < row || (named->dir == NDR_IN && row->dir == NDR_OUT);
}

static void lint_reference(lint *l, const ndr_field *rows, const ndr_field *row, const char *what, const char *name,
                           bool first, bool guid_too)
{
    if (name == NULL)
        return;
    const ndr_field *top = NULL, *named = find_path(rows, name, &top);
    if (named == NULL || named == row) {
        complain(l, "%s: %s names %s, which is no other row here", row->name, what, name);
        return;
    }
    ndr_kind kind = pointee(named->type)->kind;
    if (!is_number(kind) && !(guid_too && kind == NDR_GUID))
        complain(l, "%s: %s names %s, which is no number", row->name, what, name);
    if (first && !comes_first(top, row))
        complain(l, "%s: %s names %s, which comes later", row->name, what, name);
    if ((row->dir & NDR_IN) != 0 && top->dir == NDR_OUT)
        complain(l, "%s: %s names %s, which a request does not have", row->name, what, name);
}

static void lint_marks(lint *l, const ndr_field *rows, const ndr_field *row)
{
    const ndr_type *type = pointee(row->type);
    lint_reference(l, rows, row, "SIZE_IS", row->size_is, l->packed, false);
    lint_reference(l, rows, row, "LENGTH_IS", row->length_is, false, false);
    lint_reference(l, rows, row, "SWITCH_IS", row->switch_is, false, false);
    lint_reference(l, rows, row, "AS", row->as_by, true, true);
    lint_reference(l, rows, row, "AS2", row->as_by2, true, true);
    if (row->size_is != NULL && !is_conformant(type->kind) && type->kind != NDR_OCTETS && type->kind != NDR_SZ &&
        type->kind != NDR_LIST)
        complain(l, "%s: SIZE_IS, but no conformant array", row->name);
    if (row->length_is != NULL && !is_varying(type->kind))
        complain(l, "%s: LENGTH_IS, but no varying array", row->name);
    if (row->switch_is != NULL && type->kind != NDR_UNION)
        complain(l, "%s: SWITCH_IS, but no union", row->name);
    if (row->as != NULL && (row->as2 != NULL || row->as_by2 != NULL))
        complain(l, "%s: both AS and AS2", row->name);
    if (row->as_by != NULL && row->as == NULL && row->as2 == NULL)
        complain(l, "%s: AS names %s, but nothing chooses by it", row->name, row->as_by);
    if ((row->as != NULL || row->as2 != NULL) && !is_number(type->kind) && type->kind != NDR_TIME && type->kind != NDR_OCTETS &&
        !(is_array(type->kind) && type->of->kind == NDR_U8))
        complain(l, "%s: AS, but no octets", row->name);
    if (row->type->kind == NDR_NOTHING && !row->is_default)
        complain(l, "%s: NOTHING that is no default arm", row->name);
    if (row->div != 0 && row->size_is == NULL && row->length_is == NULL)
        complain(l, "%s: DIV, but nothing to divide", row->name);
    if (row->has_range && (!is_number(type->kind) || row->min > row->max))
        complain(l, "%s: RANGE of nothing", row->name);
}

/* ------------------------------------------------------------------------------------------- types */

static void lint_type(lint *l, const ndr_type *type, unsigned depth);

static void lint_rows(lint *l, const ndr_field *rows, unsigned depth)
{
    for (const ndr_field *row = rows; row->type != NULL; row++) {
        lint_name(l, row);
        lint_marks(l, rows, row);
        if (row->optional && !l->packed)
            complain(l, "%s: OPTIONAL outside of a blob", row->name);
        lint_type(l, row->type, depth);
    }
}

static void lint_struct(lint *l, const ndr_type *type, unsigned depth)
{
    if (type->fields[0].type == NULL)
        complain(l, "an empty structure");
    for (const ndr_field *row = type->fields; row->type != NULL; row++) {
        bool last = row[1].type == NULL;
        if (hoists(row->type) && !last)
            complain(l, "%s: a conformant array that is not the last member", row->name);
        if ((row->type->kind == NDR_OCTETS || row->type->kind == NDR_LIST) && row->size_is == NULL && !last)
            complain(l, "%s: takes all that is left, but is not the last", row->name);
        if (row->dir != 0 || row->is_default)
            complain(l, "%s: a member with the mark of a parameter or arm", row->name);
    }
    lint_rows(l, type->fields, depth);
}

static void lint_union(lint *l, const ndr_type *type, unsigned depth)
{
    unsigned defaults = 0;
    if (type->of == NULL || !is_number(type->of->kind))
        complain(l, "a tag that is no number");
    for (const ndr_field *arm = type->fields; arm->type != NULL; arm++) {
        defaults += arm->is_default;
        if (hoists(arm->type))
            complain(l, "%s: a conformant array in an arm", arm->name);
        for (const ndr_field *other = type->fields; other < arm; other++)
            if (!arm->is_default && !other->is_default && other->tag == arm->tag)
                complain(l, "%s: the tag %u has an arm already", arm->name, arm->tag);
    }
    if (defaults > 1)
        complain(l, "more than one default arm");
    lint_rows(l, type->fields, depth);
}

/* [C706] 14.3: an array's elements have their size. An element of no octets would make counts unbounded. */
static void lint_element(lint *l, const ndr_type *type)
{
    if (hoists(type))
        complain(l, "an array whose elements are conformant");
    if (is_for_blobs(type->kind) || type->kind == NDR_NOTHING)
        complain(l, "an array of what has no size");
}

/* Elements that find their own end: an octet string without SIZE_IS would be all that is left. */
static void lint_list(lint *l, const ndr_type *type)
{
    if (type->kind != NDR_STRUCT && type->kind != NDR_SZ && !is_number(type->kind) && type->kind != NDR_GUID)
        complain(l, "a list of what does not know its end");
}

static void lint_type(lint *l, const ndr_type *type, unsigned depth)
{
    const char *outside = l->where;
    if (depth >= NDR_MAX_DEPTH) {
        complain(l, "nested too deep");
        return;
    }
    if (l->packed && !is_packable(type->kind))
        complain(l, "%s in a blob", type->name != NULL ? type->name : "a pointer or an array");
    if (!l->packed && is_for_blobs(type->kind))
        complain(l, "%s outside of a blob", type->name);
    if ((is_pointer(type->kind) || is_array(type->kind) || is_list(type->kind)) && type->of == NULL) {
        complain(l, "a pointer or array of nothing");
        return;
    }
    if (is_array(type->kind))
        lint_element(l, type->of);
    if (is_list(type->kind))
        lint_list(l, type->of);
    if ((type->kind == NDR_FIXED || type->kind == NDR_PAD) && type->count == 0)
        complain(l, "a fixed array or a pad of nothing");
    if (is_pointer(type->kind) || is_array(type->kind) || is_list(type->kind))
        lint_type(l, type->of, depth + !is_pointer(type->kind));
    if ((type->kind == NDR_STRUCT || type->kind == NDR_UNION) && g_hash_table_add(l->seen, (void *)type)) {
        l->where = type->name;
        if (type->kind == NDR_STRUCT)
            lint_struct(l, type, depth + 1);
        else
            lint_union(l, type, depth + 1);
        l->where = outside;
    }
    if (type->kind == NDR_CUSTOM && type->custom == NULL)
        complain(l, "%s: without a reader", type->name);
}

static void lint_blob(lint *l, const ndr_type *type)
{
    l->where = type->name;
    l->packed = true;
    if (type->kind == NDR_CUSTOM)
        for (const ndr_field *row = type->fields; row->type != NULL; row++)
            lint_name(l, row);
    else if (type->kind != NDR_STRUCT)
        complain(l, "neither BLOB nor CUSTOM");
    lint_type(l, type, 1);
    l->packed = false;
}

/* ------------------------------------------------------------------------------- methods and interfaces */

/* A name may stand in two rows when they are of different versions. */
static bool is_twice(const ndr_field *rows, const ndr_field *row)
{
    for (const ndr_field *other = rows; other < row; other++)
        if (other->name != NULL && strcmp(other->name, row->name) == 0 &&
            (other->versions == 0 || row->versions == 0 || (other->versions & row->versions) != 0))
            return true;
    return false;
}

static void lint_params(lint *l, const ndr_field *params)
{
    for (const ndr_field *row = params; row->type != NULL; row++) {
        if (row->dir == 0)
            complain(l, "%s: neither IN nor OUT", row->name);
        if (row->name != NULL && is_twice(params, row))
            complain(l, "%s: twice", row->name);
    }
    lint_rows(l, params, 0);
}

static void lint_method(lint *l, const ndr_method *method)
{
    if (method->section == NULL)
        complain(l, "without a section");
    if (method->reserved) {
        if (method->params != NULL || method->returns != NULL)
            complain(l, "reserved, but with parameters");
        return;
    }
    if (method->params == NULL) {
        complain(l, "without rows");
        return;
    }
    lint_params(l, method->params);
    for (const ndr_other *other = method->others; other != NULL && other->name != NULL; other++)
        if (other->params != NULL)
            lint_params(l, other->params);
    if (method->returns != NULL) {
        const ndr_field row = {.type = method->returns, .name = "return"};
        lint_name(l, &row);
        lint_type(l, method->returns, 0);
    }
}

static unsigned lint_methods(lint *l, const ndr_interface *interface)
{
    unsigned described = 0;
    for (uint32_t opnum = 0; opnum < interface->method_count; opnum++) {
        const ndr_method *method = &interface->methods[opnum];
        char *where = g_strdup_printf("opnum %u", opnum);
        l->where = method->name != NULL ? method->name : where;
        if (method->name == NULL)
            complain(l, "neither described nor RESERVED");
        else
            lint_method(l, method);
        described += method->name != NULL;
        g_free(where);
    }
    return described;
}

/* All that is wrong with an interface, one complaint a line. Free with g_free(). */
static char *lint_interface(const ndr_interface *interface, unsigned *described)
{
    lint l = {.complaints = g_string_new(NULL), .interface = interface->protocol, .where = interface->name,
              .seen = g_hash_table_new(NULL, NULL)};
    if (!is_filter_name(interface->protocol) || interface->spec == NULL)
        complain(&l, "without a protocol or a specification");
    if (ndr_guid_equal(&interface->uuid, &(ndr_guid){0}))
        complain(&l, "without a UUID");
    *described = lint_methods(&l, interface);
    for (const ndr_type *const *blob = interface->blobs; blob != NULL && *blob != NULL; blob++)
        lint_blob(&l, *blob);
    g_hash_table_unref(l.seen);
    return g_string_free(l.complaints, FALSE);
}

/* ----------------------------------------------------------------------------------- the real tables */

static void test_interfaces(void)
{
    for (size_t i = 0; interfaces_all[i] != NULL; i++) {
        const ndr_interface *interface = interfaces_all[i];
        unsigned described;
        char *complaints = lint_interface(interface, &described);
        g_assert_cmpstr(complaints, ==, "");
        g_free(complaints);
        g_test_message("%s: %u/%u methods", interface->protocol, described, interface->method_count);
        g_assert_true(interfaces_find(&interface->uuid, interface->version_major) == interface);
    }
}

static void check_sorted(const error *errors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_assert_true(i == 0 || errors[i - 1].code < errors[i].code);
        g_assert_true(is_filter_name(errors[i].name));
        g_assert_cmpstr(find(errors, count, errors[i].code), ==, errors[i].name);
    }
}

static void test_errors(void)
{
    check_sorted(win32, G_N_ELEMENTS(win32));
    check_sorted(faults, G_N_ELEMENTS(faults));
}

/* --------------------------------------------------------------------- tables that deserve complaints */

static const ndr_type *choose(const uint8_t *octets G_GNUC_UNUSED, size_t length G_GNUC_UNUSED,
                              const ndr_value *selector G_GNUC_UNUSED, bool response G_GNUC_UNUSED)
{
    return NULL;
}

static const ndr_type *choose2(const uint8_t *octets, size_t length, const ndr_value *first,
                               const ndr_value *second G_GNUC_UNUSED, bool response)
{
    return choose(octets, length, first, response);
}

STRUCT(PLAIN, F(U32, "m"));
STRUCT(EARLY, F(CONF(U8), "tail"), F(U32, "n"));
STRUCT(CONFORMANT, F(U32, "n"), F(CONF(U8), "tail", SIZE_IS("absent")));
UNION(TWICE, U32, ARM(1, U8, "one"), ARM(1, U16, "two"));
UNION(DEFAULTS, U32, ARM_DEFAULT(U8, "one"), ARM_DEFAULT(U16, "two"));
UNION(UNTAGGED, GUID, ARM(1, U8, "one"));
UNION(TAILED, U32, ARM(1, CONF(U8), "one"));
BLOB(POINTING, F(UNIQUE(U32), "p"));
BLOB(GREEDY, F(OCTETS, "all"), F(U32, "n"));
BLOB(LATE, F(OCTETS, "all", SIZE_IS("n")), F(U32, "n"));
BLOB(LISTING, F(LIST(U32), "all"), F(U32, "n"));
BLOB(ENDLESS, F(LIST(OCTETS), "all"));
CUSTOM(UNREAD, NULL, F(U32, "n"));
static const ndr_type EMPTY[1] = {{.kind = NDR_STRUCT, .name = "EMPTY", .fields = (const ndr_field[]){{0}}}};
static const ndr_type LOOSE[1] = {{.kind = NDR_CONF}};

static void expect_complaint(const ndr_method *methods, uint32_t count, const ndr_type *const *blobs, const char *part)
{
    unsigned described;
    ndr_interface interface = {.protocol = "bad", .name = "Bad", .spec = "BAD", .uuid = {1, 2, 3, {4}},
                               .methods = methods, .method_count = count, .blobs = blobs};
    char *complaints = lint_interface(&interface, &described);
    if (strstr(complaints, part) == NULL)
        g_error("no complaint \"%s\" but:\n%s", part, complaints);
    g_free(complaints);
}

#define BAD_METHOD(PART, ...) \
    expect_complaint(&(const ndr_method)METHOD_ROW(__VA_ARGS__), 1, NULL, PART)
#define METHOD_ROW(...) \
    {.name = "Bad", .section = "1", .returns = ERROR, .params = (const ndr_field[]){__VA_ARGS__, {0}}}
#define BAD_BLOB(PART, TYPE) \
    expect_complaint(NULL, 0, (const ndr_type *const[]){TYPE, NULL}, PART)

static void test_bad_rows(void)
{
    BAD_METHOD("SIZE_IS names n, which is no other row here", IN(CONF(U8), "a", SIZE_IS("n")));
    BAD_METHOD("SIZE_IS names a, which is no other row here", IN(CONF(U8), "a", SIZE_IS("a")));
    BAD_METHOD("SIZE_IS names n, which is no number", IN(CONF(U8), "a", SIZE_IS("n")), IN(WSTR, "n"));
    BAD_METHOD("SIZE_IS names n, which is no number", IN(CONF(U8), "a", SIZE_IS("n")), IN(GUID, "n"));
    BAD_METHOD("SIZE_IS names n, which a request does not have", IN(CONF(U8), "a", SIZE_IS("n")), OUT(U32, "n"));
    BAD_METHOD("LENGTH_IS names n", IN(CVAR(U8), "a", LENGTH_IS("n")));
    BAD_METHOD("SWITCH_IS names n", IN(U32, "a", SWITCH_IS("n")));
    BAD_METHOD("AS names n, which comes later", IN(CONF(U8), "a", AS(choose, "n")), IN(U32, "n"));
    BAD_METHOD("SIZE_IS, but no conformant array", IN(U32, "n"), IN(U32, "a", SIZE_IS("n")));
    BAD_METHOD("LENGTH_IS, but no varying array", IN(U32, "n"), IN(CONF(U32), "a", LENGTH_IS("n")));
    BAD_METHOD("SWITCH_IS, but no union", IN(U32, "n"), IN(U32, "a", SWITCH_IS("n")));
    BAD_METHOD("AS, but no octets", IN(U32, "n"), IN(CONF(U16), "a", AS(choose, "n")));
    BAD_METHOD("nothing chooses by it", IN(U32, "n"), IN(CONF(U8), "a", .as_by = "n"));
    BAD_METHOD("DIV, but nothing to divide", IN(U32, "n", DIV(2)));
    BAD_METHOD("RANGE of nothing", IN(WSTR, "n", RANGE(0, 1)));
    BAD_METHOD("RANGE of nothing", IN(U32, "n", RANGE(2, 1)));
    BAD_METHOD("a row without a name", IN(U32, NULL));
    BAD_METHOD("not a name for a filter", IN(U32, "a.b"));
    BAD_METHOD("neither IN nor OUT", F(U32, "a"));
    BAD_METHOD("a: twice", IN(U32, "a"), OUT(U32, "a"));
    BAD_METHOD("a: twice", IN(U32, "a", V2), IN(U32, "a", V3), OUT(U32, "a", V3));
    BAD_METHOD("AS2 names n, which is no other row", IN(U32, "m"), IN(CONF(U8), "a", AS2(choose2, "m", "n")));
    BAD_METHOD("AS2 names p.n, which is no other row", IN(PLAIN, "p"), IN(CONF(U8), "a", AS2(choose2, "p.m", "p.n")));
    BAD_METHOD("AS names p.m, which comes later", IN(CONF(U8), "a", AS(choose, "p.m")), IN(PLAIN, "p"));
    BAD_METHOD("both AS and AS2", IN(U32, "n"), IN(CONF(U8), "a", AS(choose, "n"), .as2 = choose2));
    BAD_METHOD("OPTIONAL outside of a blob", IN(U32, "a", OPTIONAL));
}

static void test_bad_types(void)
{
    BAD_METHOD("EARLY: tail: a conformant array that is not the last member", IN(EARLY, "a"));
    BAD_METHOD("CONFORMANT: tail: SIZE_IS names absent", IN(UNIQUE(CONFORMANT), "a"));
    BAD_METHOD("an array whose elements are conformant", IN(CONF(CONFORMANT), "a"));
    BAD_METHOD("TWICE: two: the tag 1 has an arm already", IN(TWICE, "a"));
    BAD_METHOD("DEFAULTS: more than one default arm", IN(DEFAULTS, "a"));
    BAD_METHOD("UNTAGGED: a tag that is no number", IN(UNTAGGED, "a"));
    BAD_METHOD("TAILED: one: a conformant array in an arm", IN(TAILED, "a"));
    BAD_METHOD("EMPTY: an empty structure", IN(EMPTY, "a"));
    BAD_METHOD("a pointer or array of nothing", IN(LOOSE, "a"));
    BAD_METHOD("a fixed array or a pad of nothing", IN(FIXED(U8, 0), "a"));
    BAD_METHOD("OCTETS outside of a blob", IN(OCTETS, "a"));
    BAD_METHOD("an array of what has no size", IN(CONF(TEXT), "a"));
    BAD_METHOD("an array of what has no size", IN(CONF(NOTHING), "a"));
    BAD_METHOD("a: NOTHING that is no default arm", IN(NOTHING, "a"));
    BAD_BLOB("POINTING: a pointer or an array in a blob", POINTING);
    BAD_BLOB("GREEDY: all: takes all that is left", GREEDY);
    BAD_BLOB("LATE: all: SIZE_IS names n, which comes later", LATE);
    BAD_BLOB("LISTING: all: takes all that is left", LISTING);
    BAD_BLOB("ENDLESS: a list of what does not know its end", ENDLESS);
    BAD_BLOB("UNREAD: without a reader", UNREAD);
    BAD_BLOB("neither BLOB nor CUSTOM", U32);
}

static void test_bad_methods(void)
{
    const ndr_method hole[2] = {METHOD(1, Second, "1", NULL, IN(U32, "a"))};
    expect_complaint(hole, 2, NULL, "opnum 0: neither described nor RESERVED");
    const ndr_method unplaced[] = {METHOD(0, Unplaced, NULL, NULL, IN(U32, "a"))};
    expect_complaint(unplaced, 1, NULL, "Unplaced: without a section");
    const ndr_method half[] = {{.name = "Half", .section = "1", .reserved = true, .returns = ERROR}};
    expect_complaint(half, 1, NULL, "Half: reserved, but with parameters");
    const ndr_method doubtful[] = {METHOD_OR(0, Doubtful, "1", NULL, OTHERS(OTHER("Other", F(U32, "b"))), IN(U32, "a"))};
    expect_complaint(doubtful, 1, NULL, "Doubtful: b: neither IN nor OUT");
    const ndr_method bare[] = {{.name = "Bare", .section = "1"}};
    expect_complaint(bare, 1, NULL, "Bare: without rows");
}

/* By value there is an end only where the compiler demands one. */
static void test_deep(void)
{
    ndr_type types[NDR_MAX_DEPTH + 1];
    ndr_field fields[NDR_MAX_DEPTH + 1][2];
    memset(types, 0, sizeof types);
    memset(fields, 0, sizeof fields);
    for (int i = 0; i <= NDR_MAX_DEPTH; i++) {
        types[i].kind = NDR_STRUCT;
        types[i].name = "DEEP";
        types[i].fields = fields[i];
        fields[i][0].type = i < NDR_MAX_DEPTH ? &types[i + 1] : U8;
        fields[i][0].name = "a";
    }
    BAD_METHOD("nested too deep", IN(types, "a"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tables/interfaces", test_interfaces);
    g_test_add_func("/tables/errors", test_errors);
    g_test_add_func("/tables/bad/rows", test_bad_rows);
    g_test_add_func("/tables/bad/types", test_bad_types);
    g_test_add_func("/tables/bad/methods", test_bad_methods);
    g_test_add_func("/tables/bad/deep", test_deep);
    return g_test_run();
}
