/* names_test.c - answers of DNS and LLMNR, whole and broken, and the log of them.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "rpc/names.h"

/* An answer to n1.x: an alias, two addresses and one of IPv6. */
static const uint8_t whole[] = {
    0, 1, 0x81, 0x80, 0, 1, 0, 4, 0, 0, 0, 0,
    2, 'n', '1', 1, 'x', 0, 0, 1, 0, 1,
    0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 5, 2, 'n', '2', 0xc0, 15,
    0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1,
    2, 'n', '2', 0xc0, 15, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 2,
    0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};

static void on_name(const char *name, const uint8_t *address, size_t length, void *user)
{
    g_string_append_printf(user, "%s %u octets, the last %u; ", name, (unsigned)length, address[length - 1]);
}

static void expect(const uint8_t *octets, size_t length, const char *read)
{
    GString *text = g_string_new(NULL);
    uint8_t *exact = g_memdup2(octets, length);
    names_read(exact, length, on_name, text);
    g_assert_cmpstr(text->str, ==, read);
    g_string_free(text, TRUE);
    g_free(exact);
}

static void test_answers(void)
{
    expect(whole, sizeof whole, "n1.x 4 octets, the last 1; n1.x 4 octets, the last 2; n1.x 16 octets, the last 3; ");
    for (size_t length = 0; length < sizeof whole; length++)
        expect(whole, length, length < 55 ? "" : length < 74 ? "n1.x 4 octets, the last 1; "
                              : "n1.x 4 octets, the last 1; n1.x 4 octets, the last 2; ");
}

/* One octet of the message is another. */
static void expect_with(size_t at, uint8_t octet, const char *read)
{
    uint8_t changed[sizeof whole];
    memcpy(changed, whole, sizeof whole);
    changed[at] = octet;
    expect(changed, sizeof changed, read);
}

static void test_others(void)
{
    expect_with(2, 0x01, "");   /* a query */
    expect_with(2, 0xa9, "");   /* an update */
    expect_with(3, 0x83, "");   /* no such name */
    expect_with(5, 0, "");      /* mDNS: nothing was asked */
    expect_with(12, 0x40, "");  /* no label */
    expect_with(33, 200, "");   /* more than there is */
    expect_with(7, 1, "");      /* the alias alone */
    expect_with(50, 3, "");     /* no address has three octets */
    expect_with(12, 3, "");     /* a label that ends in the middle of the next */
    expect_with(13, 7, "?1.x 4 octets, the last 1; ?1.x 4 octets, the last 2; ?1.x 16 octets, the last 3; ");
}

static void test_log(void)
{
    static const uint8_t client[NAMES_ADDRESS] = {192, 0, 2, 7}, server[NAMES_ADDRESS] = {192, 0, 2, 1},
                         six[NAMES_ADDRESS] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    name_log *log = name_log_new();
    name_log_add(log, client, server, "old.x", 90);
    name_log_add(log, client, server, "n1.x", 100);
    name_log_add(log, six, six, "n6.x", 100);
    g_assert_cmpstr(name_log_find(log, client, server, 101), ==, "n1.x");
    g_assert_cmpstr(name_log_find(log, six, six, 105), ==, "n6.x");
    g_assert_null(name_log_find(log, client, server, 106));
    g_assert_null(name_log_find(log, client, server, 99));
    g_assert_null(name_log_find(log, client, six, 101));
    g_assert_null(name_log_find(log, six, server, 101));
    name_log_ticket(log, client, 99);
    g_assert_cmpstr(name_log_find(log, client, server, 101), ==, "n1.x");
    name_log_ticket(log, six, 101);
    g_assert_cmpstr(name_log_find(log, client, server, 101), ==, "n1.x");
    name_log_ticket(log, client, 101);
    g_assert_null(name_log_find(log, client, server, 101));
    for (unsigned i = 0; i < 200000; i++) {
        const uint8_t other[NAMES_ADDRESS] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        name_log_add(log, other, server, "n", 102);
        g_assert_cmpstr(name_log_find(log, other, server, 102), ==, "n");
        g_assert_cmpuint(g_hash_table_size(log), <=, 65536);
    }
    g_hash_table_unref(log);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/answers", test_answers);
    g_test_add_func("/names/others", test_others);
    g_test_add_func("/names/log", test_log);
    return g_test_run();
}
