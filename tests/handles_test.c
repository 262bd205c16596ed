/* handles_test.c - context handles through their life, from calls made by hand.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <time.h>

#include "rpc/handles.h"
#include "tests/crafted_calls.h"

static rpc_handles    *handles;
static rpc_association association;

static void set_up(void)
{
    handles = rpc_handles_new(false);
    association = (rpc_association){.transport = RPC_NCACN_IP_TCP, .connection = 1, .client = (char *)"192.0.2.7:49152",
                                    .server = (char *)"192.0.2.1:49664", .number = 1, .group = 1};
}

/* A request in this frame, its answer in the next. */
static rpc_call exchange_of(const ndr_interface *interface, uint16_t opnum, uint32_t frame, const encode_set *in,
                            const encode_set *out)
{
    rpc_call call = craft_call(&association, interface, opnum, frame, in);
    rpc_handles_message(handles, &call, false);
    if (out) {
        craft_response(&call, frame + 1, out);
        rpc_handles_message(handles, &call, true);
    }
    rpc_handles_finished(handles, &call);
    return call;
}

static rpc_call exchange(uint16_t opnum, uint32_t frame, const encode_set *in, const encode_set *out)
{
    return exchange_of(&cmrp_interface_3, opnum, frame, in, out);
}

static void pass(uint16_t opnum, uint32_t frame, const encode_set *in, const encode_set *out)
{
    rpc_call call = exchange(opnum, frame, in, out);
    craft_free(&call);
}

static const rpc_handle *handle_of(const rpc_call *call, bool response, const char *parameter)
{
    const rpc_handle_use *use = rpc_handles_find(handles, call, response, parameter);
    g_assert_nonnull(use);
    return use->handle;
}

/* The handle that a call of ApiGetResourceState in this frame uses. */
static const rpc_handle_use *use_now(uint32_t frame, uint64_t number)
{
    rpc_call call = exchange(12, frame, SETS({"hResource", .number = number}), NO_SETS);
    const rpc_handle_use *use = rpc_handles_find(handles, &call, false, "hResource");
    g_assert_nonnull(use);
    craft_free(&call);
    return use;
}

static void test_life(void)
{
    set_up();
    rpc_call opened = exchange(8, 10, SETS({"lpszResourceName", .text = "Cluster IP Address"}), SETS({"return", .number = 7}));
    const rpc_handle *h = handle_of(&opened, true, "return");
    g_assert_cmpstr(h->name, ==, "Cluster IP Address");
    g_assert_cmpstr(h->type->name, ==, "HRES_RPC");
    g_assert_cmpstr(h->opened_by->name, ==, "ApiOpenResource");
    g_assert_cmpuint(h->opened_in, ==, 11);
    g_assert_cmpuint(h->uses, ==, 0);
    g_assert_false(h->access_known);

    const rpc_handle_use *use = use_now(20, 7);
    g_assert_true(use->handle == h && !use->after_close);
    g_assert_cmpuint(h->uses, ==, 1);
    g_assert_cmpuint(h->first_used, ==, 20);
    g_assert_null(h->closed_by);

    rpc_call closed = exchange(11, 30, SETS({"Resource", .number = 7}), SETS({"Resource", .null = true}));
    g_assert_true(handle_of(&closed, false, "Resource") == h);
    g_assert_null(handle_of(&closed, true, "Resource"));
    g_assert_cmpstr(h->closed_by->name, ==, "ApiCloseResource");
    g_assert_cmpuint(h->closed_in, ==, 31);

    use = use_now(40, 7);
    g_assert_true(use->handle == h && use->after_close);

    /* The same octets, given out anew, are a new handle, and what the old one's messages show stays. */
    pass(120, 50, SETS({"lpszResourceName", .text = "Disk 1"}),
         SETS({"return", .number = 7}, {"lpdwGrantedAccess", .number = 0x80000000}));
    use = use_now(60, 7);
    g_assert_true(use->handle != h && !use->after_close && use->handle->number > h->number);
    g_assert_cmpstr(use->handle->name, ==, "Disk 1");
    g_assert_true(use->handle->access_known);
    g_assert_cmphex(use->handle->access, ==, 0x80000000);
    g_assert_true(handle_of(&closed, false, "Resource") == h);

    craft_free(&opened);
    craft_free(&closed);
    rpc_handles_free(handles);
}

static void test_unknown(void)
{
    set_up();
    const rpc_handle_use *use = use_now(10, 9);
    g_assert_null(use->handle->type);
    g_assert_null(use->handle->name);
    g_assert_cmpuint(use->handle->opened_in, ==, 0);
    g_assert_true(use_now(12, 9)->handle == use_now(14, 9)->handle);
    g_assert_cmpuint(use_now(16, 9)->handle->uses, ==, 4);

    /* What was opened and not read, what is null, what has no handles, what is malformed. */
    rpc_call call = craft_call(&association, &cmrp_interface_3, 8, 20, SETS({"lpszResourceName", .text = "a"}));
    rpc_handles_message(handles, &call, false);
    call.response = craft_message(RPC_RESPONSE, 21, NULL);
    rpc_handles_message(handles, &call, true);
    size_t count;
    g_assert_null(rpc_handles_used(handles, &call, true, &count));
    g_assert_cmpuint(count, ==, 0);
    craft_free(&call);
    call = exchange(8, 22, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .null = true}, {"Status", .number = 5007}));
    g_assert_null(handle_of(&call, true, "return"));
    craft_free(&call);
    call = exchange(3, 24, NO_SETS, NO_SETS);
    g_assert_null(rpc_handles_used(handles, &call, false, &count));
    craft_free(&call);
    call = craft_call(&association, &cmrp_interface_3, 12, 26, NO_SETS);
    g_byte_array_set_size(call.request.stub, 19);
    call.request.reported = 19;
    rpc_handles_message(handles, &call, false);
    g_assert_null(rpc_handles_used(handles, &call, false, &count));
    craft_free(&call);
    rpc_handles_free(handles);
}

static void test_close_not_seen(void)
{
    set_up();
    pass(8, 10, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .number = 7}));
    const rpc_handle *h = use_now(12, 7)->handle;
    pass(11, 20, SETS({"Resource", .number = 7}), SETS({"Resource", .number = 7}, {"return", .number = 6}));
    g_assert_true(!h->closed_by && !h->maybe_closed); /* it came back as it was */
    pass(11, 30, SETS({"Resource", .number = 7}), NULL);
    g_assert_true(!h->closed_by && h->maybe_closed);

    pass(8, 40, SETS({"lpszResourceName", .text = "b"}), SETS({"return", .number = 8}));
    rpc_call call = craft_call(&association, &cmrp_interface_3, 11, 50, SETS({"Resource", .number = 8}));
    rpc_handles_message(handles, &call, false);
    craft_fault(&call, 51, 0x1c00001a);
    rpc_handles_message(handles, &call, true);
    rpc_handles_finished(handles, &call);
    g_assert_false(use_now(60, 8)->handle->maybe_closed);
    craft_free(&call);
    rpc_handles_free(handles);
}

/* A handle means something only in its association group. */
static void test_scope(void)
{
    set_up();
    pass(8, 10, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .number = 7}));
    association.number = association.group = 2;
    g_assert_null(use_now(12, 7)->handle->name);
    association.number = 3; /* another connection of the first's group */
    association.group = 1;
    g_assert_cmpstr(use_now(22, 7)->handle->name, ==, "a");
    g_assert_cmpuint(use_now(24, 7)->handle->opened_on, ==, 1);

    /* Activities have no groups. */
    association = (rpc_association){.transport = RPC_NCADG_IP_UDP, .client = (char *)"192.0.2.7:1025",
                                    .server = (char *)"192.0.2.1:1026",
                                    .number = 7};
    pass(8, 30, SETS({"lpszResourceName", .text = "c"}), SETS({"return", .number = 7}));
    association.number = 8;
    g_assert_cmpstr(use_now(32, 7)->handle->name, ==, "c");
    rpc_handles_free(handles);
}

static void expect_name(uint16_t opnum, uint32_t frame, const encode_set *in, const char *name)
{
    rpc_call call = exchange(opnum, frame, in, SETS({"return", .number = frame}, {"phBatchPort", .number = frame}));
    g_assert_cmpstr(handle_of(&call, true, opnum == 114 ? "phBatchPort" : "return")->name, ==, name);
    craft_free(&call);
}

static void test_names(void)
{
    set_up();
    expect_name(0, 1, NO_SETS, NULL);
    expect_name(41, 11, SETS({"lpszGroupName", .text = "Cluster Group"}), "Cluster Group");
    expect_name(9, 21, SETS({"hGroup", .number = 11}, {"lpszResourceName", .text = "Disk"},
                            {"lpszResourceType", .text = "Physical Disk"}), "Disk");
    expect_name(28, 31, NO_SETS, "\\");
    expect_name(30, 41, SETS({"hKey", .number = 31}, {"lpSubKey", .text = "Resources"}), "\\Resources");
    expect_name(29, 51, SETS({"hKey", .number = 41}, {"lpSubKey", .text = "x"}), "\\Resources\\x");
    expect_name(30, 61, SETS({"hKey", .number = 51}, {"lpSubKey", .text = ""}), "\\Resources\\x");
    expect_name(30, 71, SETS({"hKey", .number = 999}, {"lpSubKey", .text = "y"}), "...\\y");
    expect_name(30, 81, SETS({"hKey", .number = 998}, {"lpSubKey", .text = ""}), NULL);
    expect_name(114, 91, SETS({"hKey", .number = 41}), "\\Resources");
    expect_name(55, 101, NO_SETS, NULL);
    expect_name(118, 111, SETS({"lpszNodeName", .text = "node1"}), "node1");

    /* Hostile: keys opened below each other without end. */
    char longish[1000];
    memset(longish, 'k', sizeof longish - 1);
    longish[sizeof longish - 1] = '\0';
    for (uint32_t frame = 1000; frame < 1040; frame += 2) {
        rpc_call call = exchange(30, frame, SETS({"hKey", .number = frame == 1000 ? 31 : frame - 2},
                                                 {"lpSubKey", .text = longish}),
                                 SETS({"return", .number = frame}));
        g_assert_cmpuint(strlen(handle_of(&call, true, "return")->name), <, 6000);
        craft_free(&call);
    }
    rpc_handles_free(handles);
}

static void count_one(const rpc_handle *handle, void *user)
{
    uint64_t *last = user;
    g_assert_cmpuint(handle->number, >, *last);
    *last = handle->number;
}

static void test_bounds(void)
{
    set_up();
    rpc_handles_free(handles);
    handles = rpc_handles_new(true);
    pass(8, 1, SETS({"lpszResourceName", .text = "first"}), SETS({"return", .number = 1}));
    for (uint32_t i = 0; i < 40000; i++) { /* closed ones make room */
        pass(8, 10 + 4 * i, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .number = 2}));
        pass(11, 12 + 4 * i, SETS({"Resource", .number = 2}), SETS({"Resource", .null = true}));
    }
    rpc_call call = craft_call(&association, &cmrp_interface_3, 12, 200001, SETS({"hResource", .number = 1}));
    rpc_handles_message(handles, &call, false);
    g_assert_cmpstr(handle_of(&call, false, "hResource")->name, ==, "first");
    rpc_handles_finished(handles, &call);
    g_assert_null(rpc_handles_find(handles, &call, false, "hResource"));
    craft_free(&call);
    for (uint32_t i = 0; i < 70000; i++)
        pass(8, 300000 + 2 * i, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .number = 100 + i}));
    uint64_t last = 0;
    rpc_handles_each(handles, count_one, &last);
    g_assert_cmpuint(last, ==, 110001);
    call = craft_call(&association, &cmrp_interface_3, 12, 500001, SETS({"hResource", .number = 1}));
    rpc_handles_message(handles, &call, false);
    g_assert_null(handle_of(&call, false, "hResource")->name); /* pushed out */
    craft_free(&call);
    rpc_handles_free(handles);
    rpc_handles_free(NULL);
}

/* The processor's time for opening a handle of the same octets on so many associations. */
static clock_t open_on_each(uint32_t from, uint32_t count)
{
    clock_t begin = clock();
    for (uint32_t i = from; i < from + count; i++) {
        association.number = association.group = i;
        pass(8, 2 * i, SETS({"lpszResourceName", .text = "a"}), SETS({"return", .number = 7}));
    }
    return clock() - begin;
}

/* Hostile: the same octets in many scopes. Were they told apart only by being compared, each handle would cost more than the last. */
static void test_many_scopes(void)
{
    enum { MEASURED = 2000, BETWEEN = 36000 };
    set_up();
    rpc_handles_free(handles);
    handles = rpc_handles_new(true);
    clock_t first = open_on_each(1, MEASURED);
    open_on_each(1 + MEASURED, BETWEEN);
    clock_t last = open_on_each(1 + MEASURED + BETWEEN, MEASURED);
    g_assert_cmpint(last, <, 4 * first + CLOCKS_PER_SEC / 20);
    rpc_handles_free(handles);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/handles/life", test_life);
    g_test_add_func("/handles/unknown", test_unknown);
    g_test_add_func("/handles/close-not-seen", test_close_not_seen);
    g_test_add_func("/handles/scope", test_scope);
    g_test_add_func("/handles/names", test_names);
    g_test_add_func("/handles/bounds", test_bounds);
    g_test_add_func("/handles/many-scopes", test_many_scopes);
    return g_test_run();
}
