/* ndr.h - the notation in which interfaces are written down, and the walker that reads stubs by it.
 *
 * A table row is the IDL: one row a parameter, in wire order, with the specification's names. Types are
 * one-element arrays and constructors are compound literals, so that a type's name is a pointer and the
 * compiler refuses a misspelt one.
 *
 * NDR carries its own counts and tags ([C706] chapter 14, [MS-RPCE] 2.2.4 and 2.2.5), so SIZE_IS, LENGTH_IS
 * and SWITCH_IS are not needed to decode: they are compared with the wire, and a difference is a note.
 * Only in packed blobs, which carry no NDR counts, SIZE_IS gives the length.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_NDR_H
#define RPCLENS_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* ------------------------------------------------------------------------------------------ values */

typedef struct {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t  data4[8];
} ndr_guid;

/* A value as it stood on the wire. `number` holds integers, enumerations, error codes and times,
 * `guid` a GUID or the UUID of a context handle (whose attributes are in `number`), `octets` the raw octets
 * of octet arrays and strings, `text` a string in UTF-8 (or any other value that is best shown as text). */
typedef struct {
    uint64_t       number;
    ndr_guid       guid;
    const uint8_t *octets;
    size_t         length;
    const char    *text;
} ndr_value;

/* --------------------------------------------------------------------------------------- the types */

typedef enum {
    NDR_U8, NDR_U16, NDR_U32, NDR_U64,
    NDR_I32, NDR_I64,
    NDR_U3264,   /* 4 octets in NDR, 8 in NDR64: DWORD_PTR and its kin */
    NDR_ENUM16,  /* 2 octets in NDR, 4 in NDR64 */
    NDR_ENUM32,  /* [v1_enum] and DWORDs with named values */
    NDR_FLAGS32, /* a DWORD of named bits */
    NDR_FLAGS64, /* a LONGLONG of them */
    NDR_ERROR,   /* a Win32 error code */
    NDR_GUID,    /* with `guids`: GUIDs that have names */
    NDR_FILETIME,/* 100 ns since 1601, 8 octets aligned to 4 */
    NDR_TIME,    /* seconds since 1970, 8 octets aligned to 8; emitted by custom readers, too */
    NDR_HANDLE,  /* context handle: attributes u32, UUID */
    NDR_STRUCT, NDR_UNION,
    NDR_NOTHING, /* a union's arm without octets */
    NDR_UNIQUE,  /* pointer with a referent id, may be null; also [ptr] */
    NDR_REF,     /* embedded [ref] pointer: has a referent id, must not be null */
    NDR_CONF,    /* conformant array: max_count, elements */
    NDR_VARY,    /* varying array: offset, actual_count, elements */
    NDR_CVAR,    /* conformant varying array */
    NDR_FIXED,   /* fixed array of `count` elements */
    NDR_WSTR,    /* [string] wchar_t: conformant varying, UTF-16, with its terminator */
    NDR_ASTR,    /* [string] char */
    NDR_WCHAR,   /* wchar_t: an array of them is one value, a text that ends at its trailing zeros (FIXED: at its first) */
    /* Only in packed blobs and in what custom readers emit: */
    NDR_OCTETS,  /* SIZE_IS octets, or all that are left */
    NDR_SZ,      /* UTF-16 in SIZE_IS octets, or as far as its terminator or the end */
    NDR_LIST,    /* SIZE_IS elements, or as many as there are octets for */
    NDR_ENDED,   /* elements as far as 4 octets of zero (strings: 2), which are taken too, or the end */
    NDR_PAD,     /* octets without a meaning, as far as the next multiple of `count` from the blob's start or the end */
    NDR_TEXT,    /* emitted by custom readers: text that stands for the octets */
    NDR_CUSTOM   /* a reader of its own (DER); its rows only declare what it emits */
} ndr_kind;

typedef struct ndr_type   ndr_type;
typedef struct ndr_field  ndr_field;
typedef struct ndr_walker ndr_walker;

typedef struct { uint32_t value; const char *name; } ndr_name;      /* a list ends with name NULL */
typedef struct { ndr_guid value; const char *name; } ndr_guid_name; /* likewise */

/* Reads [offset, offset+length) of the stub and emits what it finds with ndr_emit().
 * Returns false when the octets are not what it reads; they are then noted as malformed. */
typedef bool (*ndr_custom_fn)(ndr_walker *walker, const uint8_t *octets, size_t length, size_t offset);

/* Chooses the packed type by which the octets of a parameter are read; NULL: they are just octets. For a number it
 * chooses the type whose names its value has, of the same size; for a TIME, whether it is a FILETIME.
 * `selector` is the value named by AS()'s second argument, NULL where it is not known (a response whose
 * request is not in the capture). `response` tells the direction. */
typedef const ndr_type *(*ndr_as_fn)(const uint8_t *octets, size_t length, const ndr_value *selector, bool response);
/* The same by two values, for AS2(). */
typedef const ndr_type *(*ndr_as2_fn)(const uint8_t *octets, size_t length, const ndr_value *first, const ndr_value *second,
                                      bool response);

struct ndr_type {
    ndr_kind             kind;
    const char          *name;   /* the specification's name */
    const ndr_type      *of;     /* element, pointee, or a union's tag */
    const ndr_field     *fields; /* members or arms; the last row has no type */
    const ndr_name      *names;
    const ndr_guid_name *guids;
    ndr_custom_fn        custom;
    uint32_t             count;  /* of a fixed array; the boundary of a pad */
    bool                 hex;    /* an enumeration whose numbers are known in hexadecimal */
    const char          *unit;   /* of a number: "seconds"; NULL */
};

/* What an AS() function chooses for octets that should mean something and of which nothing can be made: they stay octets, with a
 * note that says so. */
extern const ndr_type ndr_opaque[1];

enum { NDR_IN = 1, NDR_OUT = 2, NDR_INOUT = 3 };
enum { NDR_V2 = 1, NDR_V3 = 2 }; /* MS-CMRP: rows of one version of the interface only; 0 is all */

struct ndr_field {
    uint8_t         dir;
    uint8_t         versions;
    bool            is_default; /* the arm for tags no other arm has */
    bool            has_range;
    bool            optional;   /* of a blob: not there when no octets are left */
    bool            secret;     /* a password */
    uint32_t        tag;        /* of a union's arm */
    /* From here on in the order in which a row is written: */
    const ndr_type *type;
    const char     *name;
    const char     *size_is, *length_is, *switch_is;
    uint32_t        div;        /* SIZE_IS and LENGTH_IS count in 1/div of the named value; 0 is 1 */
    uint64_t        min, max;
    ndr_as_fn       as;
    ndr_as2_fn      as2;
    const char     *as_by, *as_by2; /* "name" of a row beside this one, or "name.member" of the structure there */
};

/* What another source has at a method's opnum. A stub is read by the rows that it fits, the method's own first. */
typedef struct {
    const char      *name;
    const ndr_field *params; /* NULL: the same rows, so that no stub tells which it is */
} ndr_other;

typedef struct {
    const char      *name;
    const char      *section;
    const ndr_type  *returns; /* NULL: void */
    const ndr_field *params;
    const ndr_other *others;  /* where sources contradict each other; ends with a NULL name; NULL: none */
    bool             reserved; /* an opnum that is not used on the wire */
} ndr_method;

typedef struct {
    const char       *protocol; /* "bkrp": prefix of fields and rules */
    const char       *name;     /* "BackupKey" */
    const char       *spec;     /* "MS-BKRP" */
    ndr_guid          uuid;
    uint16_t          version_major, version_minor;
    uint8_t           versions; /* NDR_V2, NDR_V3 or 0 */
    bool              seals;    /* its calls carry secrets that are sealed once more, which rpc/secrets.c finds */
    const ndr_method *methods;
    uint32_t          method_count;
    const ndr_type *const *blobs;     /* what its AS() functions can choose; ends with NULL, may be NULL */
} ndr_interface;

/* ------------------------------------------------------------------------------------ the notation */

#define NDR_PRIMITIVE(NAME, KIND) static const ndr_type NAME[1] G_GNUC_UNUSED = {{.kind = KIND, .name = #NAME}}
NDR_PRIMITIVE(U8, NDR_U8);
NDR_PRIMITIVE(U16, NDR_U16);
NDR_PRIMITIVE(U32, NDR_U32);
NDR_PRIMITIVE(U64, NDR_U64);
NDR_PRIMITIVE(I32, NDR_I32);
NDR_PRIMITIVE(I64, NDR_I64);
NDR_PRIMITIVE(U3264, NDR_U3264);
NDR_PRIMITIVE(ERROR, NDR_ERROR);
NDR_PRIMITIVE(GUID, NDR_GUID);
NDR_PRIMITIVE(FILETIME, NDR_FILETIME);
NDR_PRIMITIVE(TIME, NDR_TIME);
NDR_PRIMITIVE(NOTHING, NDR_NOTHING);
NDR_PRIMITIVE(WSTR, NDR_WSTR);
NDR_PRIMITIVE(ASTR, NDR_ASTR);
NDR_PRIMITIVE(WCHAR, NDR_WCHAR);
NDR_PRIMITIVE(OCTETS, NDR_OCTETS);
NDR_PRIMITIVE(SZ, NDR_SZ);
NDR_PRIMITIVE(TEXT, NDR_TEXT);
static const ndr_type SECONDS[1] G_GNUC_UNUSED = {{.kind = NDR_U32, .name = "SECONDS", .unit = "seconds"}};

#define NDR_TYPE(...)   ((const ndr_type[1]){{__VA_ARGS__}})
#define UNIQUE(T)       NDR_TYPE(.kind = NDR_UNIQUE, .of = T)
#define REF(T)          NDR_TYPE(.kind = NDR_REF, .of = T)
#define CONF(T)         NDR_TYPE(.kind = NDR_CONF, .of = T)
#define VARY(T)         NDR_TYPE(.kind = NDR_VARY, .of = T)
#define CVAR(T)         NDR_TYPE(.kind = NDR_CVAR, .of = T)
#define FIXED(T, N)     NDR_TYPE(.kind = NDR_FIXED, .of = T, .count = N)
#define LIST(T)         NDR_TYPE(.kind = NDR_LIST, .of = T)
#define ENDED(T)        NDR_TYPE(.kind = NDR_ENDED, .of = T)
#define PAD(N)          {.type = NDR_TYPE(.kind = NDR_PAD, .name = "PAD", .count = N), .name = "padding"}
#define NAMED8(NAMES)   NDR_TYPE(.kind = NDR_U8, .name = #NAMES, .names = NAMES)
#define NAMED16(NAMES)  NDR_TYPE(.kind = NDR_U16, .name = #NAMES, .names = NAMES)
/* A quantity, of which some values have names. */
#define NAMED32(NAMES)  NDR_TYPE(.kind = NDR_U32, .name = #NAMES, .names = NAMES)
#define ENUM16(NAMES)   NDR_TYPE(.kind = NDR_ENUM16, .name = #NAMES, .names = NAMES)
#define ENUM32(NAMES)   NDR_TYPE(.kind = NDR_ENUM32, .name = #NAMES, .names = NAMES)
#define HEX32(NAMES)    NDR_TYPE(.kind = NDR_ENUM32, .name = #NAMES, .names = NAMES, .hex = true)
#define FLAGS32(NAMES)  NDR_TYPE(.kind = NDR_FLAGS32, .name = #NAMES, .names = NAMES)
#define FLAGS64(NAMES)  NDR_TYPE(.kind = NDR_FLAGS64, .name = #NAMES, .names = NAMES)
#define GUIDS(NAMES)    NDR_TYPE(.kind = NDR_GUID, .name = "GUID", .guids = NAMES)
#define HANDLE(NAME)    NDR_TYPE(.kind = NDR_HANDLE, .name = #NAME)

#define STRUCT(NAME, ...) \
    static const ndr_type NAME[1] = {{.kind = NDR_STRUCT, .name = #NAME, .fields = (const ndr_field[]){__VA_ARGS__, {0}}}}
/* The same for tables in several files; a header declares `extern const ndr_type NAME[1];`. */
#define SHARED_STRUCT(NAME, ...) \
    const ndr_type NAME[1] = {{.kind = NDR_STRUCT, .name = #NAME, .fields = (const ndr_field[]){__VA_ARGS__, {0}}}}
#define UNION(NAME, TAG, ...) \
    static const ndr_type NAME[1] = {{.kind = NDR_UNION, .name = #NAME, .of = TAG, .fields = (const ndr_field[]){__VA_ARGS__, {0}}}}
#define SHARED_UNION(NAME, TAG, ...) \
    const ndr_type NAME[1] = {{.kind = NDR_UNION, .name = #NAME, .of = TAG, .fields = (const ndr_field[]){__VA_ARGS__, {0}}}}
/* A blob is a packed structure: no alignment, no counts, always little-endian. */
#define BLOB STRUCT
#define SHARED_BLOB SHARED_STRUCT
#define CUSTOM(NAME, READER, ...) \
    static const ndr_type NAME[1] = {{.kind = NDR_CUSTOM, .name = #NAME, .custom = READER, .fields = (const ndr_field[]){__VA_ARGS__, {0}}}}

/* Rows: type and name first, then any of the marks below. */
#define F(...)          {.type = __VA_ARGS__}
#define IN(...)         {.dir = NDR_IN, .type = __VA_ARGS__}
#define OUT(...)        {.dir = NDR_OUT, .type = __VA_ARGS__}
#define INOUT(...)      {.dir = NDR_INOUT, .type = __VA_ARGS__}
#define ARM(TAG, ...)   {.tag = TAG, .type = __VA_ARGS__}
#define ARM_DEFAULT(...) {.is_default = true, .type = __VA_ARGS__}

#define SIZE_IS(NAME)   .size_is = NAME
#define LENGTH_IS(NAME) .length_is = NAME
#define SWITCH_IS(NAME) .switch_is = NAME
#define DIV(N)          .div = N
#define RANGE(MIN, MAX) .has_range = true, .min = MIN, .max = MAX
#define AS(FN, BY)      .as = FN, .as_by = BY
#define AS2(FN, BY, BY2) .as2 = FN, .as_by = BY, .as_by2 = BY2
#define OPTIONAL        .optional = true
#define SECRET          .secret = true
#define V2              .versions = NDR_V2
#define V3              .versions = NDR_V3

/* METHOD(opnum, name, section, return type, rows...): a duplicate opnum does not compile. */
#define METHOD(OPNUM, NAME, SECTION, RETURNS, ...) \
    [OPNUM] = {.name = #NAME, .section = SECTION, .returns = RETURNS, .params = (const ndr_field[]){__VA_ARGS__, {0}}}
/* The same with OTHERS(OTHER(name, rows...), SAME(name), ...): what other sources have at the opnum. */
#define METHOD_OR(OPNUM, NAME, SECTION, RETURNS, OTHERS_OF_IT, ...) \
    [OPNUM] = {.name = #NAME, .section = SECTION, .returns = RETURNS, .others = OTHERS_OF_IT, \
               .params = (const ndr_field[]){__VA_ARGS__, {0}}}
#define OTHERS(...)       (const ndr_other[]){__VA_ARGS__, {0}}
#define OTHER(NAME, ...)  {NAME, (const ndr_field[]){__VA_ARGS__, {0}}}
#define SAME(NAME)        {NAME, NULL}
#define RESERVED(OPNUM, NAME, SECTION) [OPNUM] = {.name = #NAME, .section = SECTION, .reserved = true}

/* ------------------------------------------------------------------------------------------ events */

typedef enum {
    NDR_EV_BEGIN, /* a structure, union, array or blob opens; `length` is not known yet and 0.
                     `number` is a union's tag, and the count of an array's elements */
    NDR_EV_END,   /* it closes: the same as its BEGIN, now with its length. Every BEGIN has its END, whatever happens */
    NDR_EV_VALUE, /* one value; a null pointer is a VALUE of its pointer type with number 0 */
    NDR_EV_NOTE   /* something about the wire that its reader should know; see ndr_note */
} ndr_event_kind;

typedef enum {
    NDR_NOTE_SIZE_IS,   /* `number` is the count on the wire, `expected` what SIZE_IS named */
    NDR_NOTE_LENGTH_IS,
    NDR_NOTE_SWITCH_IS,
    NDR_NOTE_RANGE,     /* `number` outside [min, max] of the row */
    NDR_NOTE_NULL_REF,  /* a null [ref] pointer */
    NDR_NOTE_STRING,    /* a string without its terminator, or not UTF-16 */
    NDR_NOTE_BLOB,      /* the octets are not what AS() says they are, from this offset on */
    NDR_NOTE_TRAILING,  /* `number` octets are left after the last parameter, or (`decoded`) after a blob */
    NDR_NOTE_OTHER,     /* sources differ on the opnum, and the stub fits what another has there, `text` */
    NDR_NOTE_VARIANCE,  /* offset and actual_count, together `number`, exceed max_count, `expected` */
    NDR_NOTE_OPAQUE,    /* no specification tells what the octets are */
    NDR_NOTE_UNENDED,   /* a list's octets end before its end mark */
    NDR_NOTE_OFFSET     /* the offset of a string, `number`, is not 0 */
} ndr_note;

typedef struct {
    ndr_event_kind   kind;
    const ndr_type  *type;
    const ndr_field *row;      /* the row this comes from; an array's elements carry the array's row */
    const char      *name;     /* the row's name; "return" for the return value */
    int64_t          index;    /* of an array's element, else -1 */
    unsigned         depth;    /* 0 for parameters; the parent's and 1 */
    uint32_t         id;       /* of a BEGIN and its END: 1, 2, 3 ... in a message; else 0 */
    uint32_t         parent;   /* the BEGIN this belongs to, 0 for parameters. NDR puts what a structure points to
                                  behind it, so the parent of a pointee has had its END before */
    bool             secret;   /* a VALUE of a row marked SECRET, or octets out of which AS() reads one; see ndr_is_secret() */
    bool             decoded;  /* BEGIN/END of what AS() read out of the octets just emitted under the same name */
    size_t           offset;   /* octets from the start of the stub */
    size_t           length;
    ndr_value        value;
    ndr_note         note;
    uint64_t         expected;
} ndr_event;

typedef void (*ndr_event_fn)(const ndr_event *event, void *user);

/* Whether the event has a value that is shown only to who asked for secrets by name; an empty one is none. */
bool ndr_is_secret(const ndr_event *event);

/* Whether the event is a method's return value; no parameter can be called so in C. */
bool ndr_is_return(const ndr_event *event);

/* ------------------------------------------------------------------------------------------ walking */

typedef enum {
    NDR_OK,
    NDR_SHORT, /* the stub ends before its parameters do */
    NDR_CUT,   /* the capture's snap length ends before the parameters do: not the sender's fault */
    NDR_COUNT, /* a count that the octets which are left cannot hold */
    NDR_TAG,   /* a union tag that no arm has */
    NDR_DEPTH  /* nested deeper than NDR_MAX_DEPTH */
} ndr_code;

/* Deeper than any type of the three specifications nests (MS-CMRP stays below 10); bounds recursion. */
#define NDR_MAX_DEPTH 32

typedef struct {
    ndr_code    code;
    size_t      offset; /* where in the stub */
    const char *field;  /* the innermost named row; NULL when OK */
} ndr_result;

typedef struct {
    const uint8_t *data;
    size_t         length;   /* octets that are here */
    size_t         reported; /* octets the sender sent; more than `length` where a snap length cut it */
    bool           big_endian;
    bool           ndr64;
    bool           trailer;  /* a verification trailer followed, which begins at a multiple of four ([MS-RPCE] 2.2.2.13) */
} ndr_stub;

/* Walks a request's or a response's stub, calling `fn` (NULL: only the result matters) for what it reads, in
 * wire order except that SIZE_IS and its like are noted when their row and the named one are both known.
 * `request` is the request of a response, for values that the response's AS() rows name; may be NULL.
 * The stub must hold neither auth padding nor a verification trailer, but may hold the octets that align a trailer. Event data is
 * valid during the call only. */
ndr_result ndr_walk_request(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub,
                            ndr_event_fn fn, void *user);
ndr_result ndr_walk_response(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub,
                             const ndr_stub *request, ndr_event_fn fn, void *user);

/* Reads octets by a packed type (a BLOB or CUSTOM), as AS() does. For tests, tools and recovered secrets.
 * Octets that a CUSTOM reader refuses are NDR_TAG. */
ndr_result ndr_walk_blob(const ndr_type *type, const uint8_t *data, size_t length, ndr_event_fn fn, void *user);

/* For custom readers: emit a value under one of the CUSTOM type's own rows (found by name; it is a programming
 * error to emit an undeclared name). `offset` is in the stub. */
void ndr_emit(ndr_walker *walker, const char *name, size_t offset, size_t length, const ndr_value *value);

/* Finds a parameter's value by name: the top-level parameter or return value `name` of a message.
 * Returns false when the stub does not hold it. `offset` may be NULL; `value->text` is not kept. */
bool ndr_find(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub, bool response,
              const char *name, ndr_value *value, size_t *offset);

/* ------------------------------------------------------------------------------------------- words */

/* "the stub ends before its parameters do" and its like: one plain sentence for a result's code. */
const char *ndr_code_text(ndr_code code);
/* One sentence for a NOTE event, with both numbers. Free with g_free(). */
char *ndr_note_text(const ndr_event *event);
/* The value as one line of text: numbers in the type's usual base, names behind them, GUIDs and UTF-8 strings as
 * they are, octets as hex. Free with g_free(). */
char *ndr_value_text(const ndr_event *event);
/* The name of an enumeration's value, a GUID or an error code; NULL when it has none. */
const char *ndr_value_name(const ndr_type *type, const ndr_value *value);

/* ------------------------------------------------------------------------------------------- GUIDs */

bool ndr_guid_equal(const ndr_guid *a, const ndr_guid *b);
/* 36 characters in lower case, with the final zero octet. */
void ndr_guid_text(const ndr_guid *guid, char text[37]);
bool ndr_guid_read(const char *text, ndr_guid *guid);
void ndr_guid_from_octets(const uint8_t octets[16], bool big_endian, ndr_guid *guid);

#endif
