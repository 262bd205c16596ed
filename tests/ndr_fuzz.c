/* ndr_fuzz.c - one fuzzer for all the tables.
 *
 * The first octets choose the interface, the method (two), how the stub is written, and where a request ends that stands
 * before a response (two); the rest is the stub, or one of the interface's blobs, chosen as a method is. Behind the
 * interfaces stands one of this file's, with every form there is.
 * What must hold is in ndr_events.h, and the sanitizers find the rest.
 *
 *   clang -fsanitize=fuzzer,address,undefined ...   libFuzzer
 *   cc -DFUZZ_STANDALONE ...                        a driver of its own: ndr_fuzz ITERATIONS SEED
 *   cc -DFUZZ_STANDALONE ...                        and: ndr_fuzz FILE..., to see what a file does
 *
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "decoders/interfaces.h"
#include "tests/bkrp_certificate.h"
#include "tests/ndr_encode.h"
#include "tests/ndr_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --------------------------------------------------------------------------- a table of every form */

static const ndr_name names[] = {{1, "ONE"}, {2, "TWO"}, {.name = NULL}};

STRUCT(SMALL, F(U8, "c"), F(U64, "n"));
STRUCT(POINTERS, F(UNIQUE(WSTR), "name"), F(REF(SMALL), "must"), F(U16, "n"),
       F(UNIQUE(CVAR(U16)), "units", SIZE_IS("n"), LENGTH_IS("n"), DIV(2)));
UNION(ARMS, ENUM16(names), ARM(0, U8, "zero"), ARM(1, UNIQUE(POINTERS), "one"), ARM(2, SMALL, "two"),
      ARM_DEFAULT(U64, "other"));
UNION(BARE, U16, ARM(1, UNIQUE(TIME), "one"), ARM_DEFAULT(NOTHING, "none"));
STRUCT(LIST, F(U32, "count"), F(ARMS, "arms", SWITCH_IS("count")), F(CONF(POINTERS), "entries", SIZE_IS("count")));
STRUCT(NESTED, F(U16, "n"), F(LIST, "list"));
BLOB(PACKED, F(U8, "n"), F(OCTETS, "some", SIZE_IS("n")), F(GUID, "guid"), F(FIXED(U16, 3), "three"),
     F(OCTETS, "rest"));

static const ndr_type *choose(const uint8_t *octets, size_t length, const ndr_value *selector, bool response)
{
    MUST(length > 0);
    return (octets[0] & 1) != 0 || response || (selector != NULL && selector->number == 1) ? PACKED : NULL;
}

static const ndr_method every_methods[] = {
    METHOD(0, Numbers, "1", ERROR,
        IN   (U8, "a"), INOUT(U16, "b", RANGE(1, 2)), OUT(U32, "c"), IN(U64, "d"), IN(U3264, "e"),
        INOUT(ENUM16(names), "f"), OUT(ENUM32(names), "g"), IN(FLAGS32(names), "h"), IN(GUID, "i"),
        OUT  (FILETIME, "j"), INOUT(HANDLE(H), "k"), OUT(UNIQUE(UNIQUE(U32)), "l")),
    METHOD(1, Arrays, "1", ERROR,
        INOUT(CONF(U8), "a", SIZE_IS("n"), AS(choose, "n")), IN(U16, "n"), OUT(VARY(U32), "b", LENGTH_IS("n")),
        INOUT(CVAR(SMALL), "c", SIZE_IS("n"), LENGTH_IS("m")), IN(UNIQUE(U32), "m"), IN(FIXED(POINTERS, 2), "d"),
        OUT  (UNIQUE(CONF(UNIQUE(ASTR))), "e"), INOUT(WSTR, "f")),
    METHOD(2, Structures, "1", ERROR,
        INOUT(UNIQUE(NESTED), "a"), OUT(LIST, "b"), INOUT(ARMS, "c", SWITCH_IS("n")), IN(U32, "n"),
        OUT  (UNIQUE(UNIQUE(POINTERS)), "d"), INOUT(CONF(BARE), "e")),
    METHOD_OR(3, Others, "1", ERROR,
        OTHERS(SAME("Same"), OTHER("Other", INOUT(UNIQUE(WSTR), "a"), IN(U32, "b")),
               OTHER("Blob", IN(CONF(U8), "a", SIZE_IS("n")), IN(U16, "n"), OUT(CONF(U8), "c", AS(choose, "n")))),
        INOUT(TIME, "a"), IN(U32, "n"), OUT(CONF(U8), "b", AS(choose, "n"))),
};
static const ndr_type *const every_blobs[] = {PACKED, NULL};
static const ndr_interface every = {.protocol = "every", .name = "Every", .spec = "NDR", .methods = every_methods,
                                    .method_count = G_N_ELEMENTS(every_methods), .blobs = every_blobs};

/* -------------------------------------------------------------------------------------- one input */

enum { RESPONSE = 1, HAS_64 = 2, BIG_ENDIAN_STUB = 4, CUT = 8, WITH_REQUEST = 16, AS_BLOB = 32 };
#define HEAD 6

static const ndr_interface *choose_interface(uint8_t octet)
{
    size_t count = 0;
    while (interfaces_all[count] != NULL)
        count++;
    size_t chosen = octet % (count + 1);
    return chosen < count ? interfaces_all[chosen] : &every;
}

/* Words are made, too, for what they read of the event. */
static void look_at(const ndr_event *event, void *user)
{
    record_event(event, user);
    if (event->kind == NDR_EV_NOTE)
        g_free(ndr_note_text(event));
    else if (event->kind == NDR_EV_VALUE)
        g_free(ndr_value_text(event));
}

/* What rules ask of a message: one of its parameters, or one that it does not have. */
static void find_one(const ndr_interface *interface, const ndr_method *method, const ndr_stub *stub, bool response,
                     size_t chosen)
{
    const ndr_field *row = method->params;
    for (; row != NULL && row->type != NULL && chosen % 16 > 0; row++)
        chosen--;
    ndr_value value;
    size_t offset;
    if (ndr_find(interface, method, stub, response, row != NULL && row->type != NULL ? row->name : "return", &value, &offset))
        MUST(offset <= stub->length);
}

static void walk_message(const ndr_interface *interface, const ndr_method *method, uint8_t how, size_t split,
                         const uint8_t *data, size_t size, recorder *r)
{
    size_t before = (how & WITH_REQUEST) != 0 ? MIN(split, size) : 0;
    ndr_stub request = {.data = data, .length = before, .ndr64 = (how & HAS_64) != 0,
                        .big_endian = (how & BIG_ENDIAN_STUB) != 0};
    ndr_stub stub = request;
    stub.data = data + before;
    stub.length = size - before;
    stub.reported = (how & CUT) != 0 ? stub.length + split : stub.length;
    r->data = stub.data;
    r->length = stub.length;
    ndr_result result = (how & RESPONSE) != 0
        ? ndr_walk_response(interface, method, &stub, before > 0 ? &request : NULL, look_at, r)
        : ndr_walk_request(interface, method, &stub, look_at, r);
    check_result(r, &result, stub.reported);
    find_one(interface, method, &stub, (how & RESPONSE) != 0, size);
}

static void walk_blob(const ndr_interface *interface, size_t chosen, const uint8_t *data, size_t size, recorder *r)
{
    size_t count = 0;
    while (interface->blobs[count] != NULL)
        count++;
    r->data = data;
    r->length = size;
    ndr_result result = ndr_walk_blob(interface->blobs[chosen % count], data, size, look_at, r);
    check_result(r, &result, size);
}

/* Returns how many events there were. */
static uint64_t run(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    recorder r = {0};
    const ndr_interface *interface = choose_interface(data[0]);
    size_t chosen = (size_t)data[1] | (size_t)data[2] << 8, split = (size_t)data[4] | (size_t)data[5] << 8;
    if ((data[3] & AS_BLOB) != 0 && interface->blobs != NULL)
        walk_blob(interface, chosen, data + HEAD, size - HEAD, &r);
    else
        walk_message(interface, &interface->methods[chosen % interface->method_count], data[3], split, data + HEAD,
                     size - HEAD, &r);
    /* The bound that ndr_walk.c promises. No octet gives more than a few events: BEGIN, VALUE, notes, END, and the
     * same again in a blob. */
    MUST(r.events <= 64 + 16 * (uint64_t)size);
    return r.events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size);
    return 0;
}

/* ---------------------------------------------------------------------------- without libFuzzer */

#ifdef FUZZ_STANDALONE

#define LONGEST 1200
#define KEPT 256

typedef struct {
    uint8_t data[LONGEST];
    size_t  size;
} input;

static uint64_t state;

/* xorshift64*: the same inputs on every machine */
static uint32_t next_random(uint32_t bound)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 2685821657736338717u >> 33) % bound;
}

/* Small numbers are what counts and tags need, zeros what their upper halves need. */
static uint8_t random_octet(void)
{
    switch (next_random(8)) {
    case 0:
        return (uint8_t)next_random(256);
    case 1:
    case 2:
        return (uint8_t)next_random(5);
    default:
        return 0;
    }
}

/* D:P(OA;;;;;BA) with an owner and a group ([MS-DTYP] 2.4.6) */
static const uint8_t descriptor[] = {
    1, 0, 4, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0,
    1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x21, 2, 0, 0,
    4, 0, 52, 0, 1, 0, 0, 0,
    5, 0, 44, 0, 0xff, 1, 15, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
};

static void append(input *in, const void *octets, size_t count)
{
    count = MIN(count, LONGEST - in->size);
    if (count > 0)
        memcpy(in->data + in->size, octets, count);
    in->size += count;
}

static void set_number(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)number;
    at[1] = (uint8_t)(number >> 8);
}

/* A blob that only its own reader understands. */
static void make_blob(input *in)
{
    static const struct {
        uint8_t     interface, blob;
        const void *octets;
        size_t      count;
    } all[] = {{0, 0, certificate, sizeof certificate}, {3, 1, descriptor, sizeof descriptor}};
    uint32_t i = next_random(G_N_ELEMENTS(all));
    memset(in->data, 0, HEAD);
    in->data[0] = all[i].interface;
    in->data[1] = all[i].blob;
    in->data[3] = AS_BLOB;
    append(in, all[i].octets, all[i].count);
}

/* What its table says of a method, both messages. */
static void make_whole(input *in)
{
    const uint8_t chosen = (uint8_t)next_random(4), how = (uint8_t)(next_random(2) * HAS_64 + next_random(2) * WITH_REQUEST);
    const ndr_interface *interface = choose_interface(chosen);
    const uint32_t opnum = next_random((uint32_t)interface->method_count);
    const ndr_method *method = &interface->methods[opnum];
    if (method->reserved)
        return;
    in->data[0] = chosen;
    set_number(in->data + 1, opnum);
    in->data[3] = how;
    for (int response = 0; response < 2; response++) {
        GByteArray *stub = encode_stub(interface, method, next_random(8), response, (how & HAS_64) != 0);
        if (!response)
            set_number(in->data + 4, stub->len);
        append(in, stub->data, stub->len);
        g_byte_array_unref(stub);
        if ((how & WITH_REQUEST) == 0)
            return;
    }
    in->data[3] |= RESPONSE;
}

static void make_up(input *in)
{
    in->size = HEAD;
    uint32_t real = next_random(8);
    if (real > 3)
        memset(in->data, 0, HEAD);
    if (real == 4)
        make_blob(in);
    else if (real > 4)
        make_whole(in);
    if (in->size > HEAD)
        return;
    in->size = HEAD + next_random(LONGEST - HEAD);
    for (size_t i = 0; i < in->size; i++)
        in->data[i] = i < HEAD ? (uint8_t)next_random(256) : random_octet();
}

static void mutate(input *in)
{
    for (uint32_t n = 1 + next_random(4); n > 0; n--) {
        size_t at = next_random((uint32_t)in->size);
        switch (next_random(4)) {
        case 0: /* shorter */
            in->size = MAX(at, HEAD);
            break;
        case 1: /* longer */
            while (in->size < LONGEST && next_random(16) != 0)
                in->data[in->size++] = random_octet();
            break;
        case 2: /* a bit */
            in->data[MIN(at, in->size - 1)] ^= (uint8_t)(1u << next_random(8));
            break;
        default:
            in->data[MIN(at, in->size - 1)] = random_octet();
        }
    }
}

/* Inputs that come far are kept, and changed a little to come farther. */
static void run_many(unsigned long iterations)
{
    static input kept[KEPT];
    static uint64_t events[KEPT];
    for (unsigned long i = 0; i < iterations; i++) {
        input in;
        uint32_t slot = next_random(KEPT);
        if (kept[slot].size == 0 || next_random(4) == 0) {
            make_up(&in);
        } else {
            in = kept[slot];
            mutate(&in);
        }
        uint8_t *copy = g_malloc(in.size); /* of the exact size, for the sanitizer */
        memcpy(copy, in.data, in.size);
        uint64_t count = run(copy, in.size);
        g_free(copy);
        if (count >= events[slot] || next_random(64) == 0) {
            kept[slot] = in;
            events[slot] = count;
        }
    }
}

static bool run_file(const char *name)
{
    char *data;
    gsize size;
    if (!g_file_get_contents(name, &data, &size, NULL)) {
        g_printerr("%s: cannot be read\n", name);
        return false;
    }
    g_print("%s: %" PRIu64 " events\n", name, run((const uint8_t *)data, size));
    g_free(data);
    return true;
}

int main(int argc, char **argv)
{
    bool ok = true;
    if (argc == 3 && g_ascii_isdigit(argv[1][0]) && g_ascii_isdigit(argv[2][0])) {
        state = strtoull(argv[2], NULL, 10) * 2 + 1; /* never 0, where xorshift stays */
        run_many(strtoul(argv[1], NULL, 10));
        return EXIT_SUCCESS;
    }
    for (int i = 1; i < argc; i++)
        ok = run_file(argv[i]) && ok;
    return ok && argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
