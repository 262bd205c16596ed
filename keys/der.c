/* der.c - DER, through libtasn1 and where it stands.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/der.h"

#include <limits.h>

#include <glib.h>

#include "keys/crypto.h"

/* A schema's tree is made once a process and never freed. */
static asn1_node definitions(const asn1_static_node *schema)
{
    static GHashTable *trees;
    if (!trees)
        trees = g_hash_table_new(NULL, NULL);
    asn1_node tree = g_hash_table_lookup(trees, schema);
    if (!tree && asn1_array2tree(schema, &tree, NULL))
        g_error("the compiled ASN.1 schemas do not fit this libtasn1");
    g_hash_table_insert(trees, (gpointer)schema, tree);
    return tree;
}

/* Looking a type up and resolving what it refers to takes longer than decoding a token, and there are handshakes by the
 * thousand: an empty element of each type is made once a process, and copied. */
static asn1_node empty_element(const asn1_static_node *schema, const char *type)
{
    static GHashTable *made;
    if (!made)
        made = g_hash_table_new(g_str_hash, g_str_equal);
    asn1_node element = g_hash_table_lookup(made, type);
    if (!element && asn1_create_element(definitions(schema), type, &element) == ASN1_SUCCESS)
        g_hash_table_insert(made, (gpointer)type, element);
    return element ? asn1_dup_node(element, "") : NULL;
}

asn1_node der_open(const asn1_static_node *schema, const char *type, const uint8_t *data, size_t length)
{
    asn1_node node = empty_element(schema, type);
    int octets = (int)MIN(length, INT_MAX);
    if (!node)
        return NULL;
    if (asn1_der_decoding2(&node, data, &octets, ASN1_DECODE_FLAG_ALLOW_PADDING, NULL) != ASN1_SUCCESS) {
        der_close(node);
        return NULL;
    }
    return node;
}

void der_close(asn1_node node)
{
    if (node)
        asn1_delete_structure2(&node, ASN1_DELETE_FLAG_ZEROIZE);
}

static uint8_t *read_octets(asn1_node node, const char *path, size_t *length, void *(*get)(size_t), void (*drop)(void *))
{
    int octets = 0;
    *length = 0;
    int result = asn1_read_value(node, path, NULL, &octets);
    if ((result != ASN1_MEM_ERROR && result != ASN1_SUCCESS) || octets < 0)
        return NULL;
    uint8_t *value = get((size_t)octets + 1);
    value[octets] = 0;
    if (octets && asn1_read_value(node, path, value, &octets) != ASN1_SUCCESS) {
        drop(value);
        return NULL;
    }
    *length = (size_t)octets;
    return value;
}

uint8_t *der_secret(asn1_node node, const char *path, size_t *length)
{
    return read_octets(node, path, length, crypto_alloc, crypto_free);
}

uint8_t *der_octets(asn1_node node, const char *path, size_t *length)
{
    return read_octets(node, path, length, g_malloc, g_free);
}

bool der_present(asn1_node node, const char *path)
{
    int octets = 0;
    int result = asn1_read_value(node, path, NULL, &octets);
    return (result == ASN1_MEM_ERROR || result == ASN1_SUCCESS) && octets >= 0;
}

static bool read_integer(const uint8_t *octets, size_t length, int64_t *value)
{
    if (length < 1 || length > sizeof *value)
        return false;
    uint64_t number = octets[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | octets[i];
    *value = (int64_t)number;
    return true;
}

bool der_integer(asn1_node node, const char *path, int64_t *value)
{
    uint8_t octets[8];
    int length = sizeof octets;
    return asn1_read_value(node, path, octets, &length) == ASN1_SUCCESS && length > 0 &&
           read_integer(octets, (size_t)length, value);
}

char *der_text(asn1_node node, const char *path)
{
    size_t length;
    uint8_t *octets = der_octets(node, path, &length);
    char *text = octets ? g_utf8_make_valid((const char *)octets, (gssize)length) : NULL;
    g_free(octets);
    return text;
}

enum { COMPONENTS_MAX = 16 };

char *der_principal(asn1_node node, const char *path)
{
    GString *name = NULL;
    for (unsigned i = 1; i <= COMPONENTS_MAX; i++) {
        char at[96];
        g_snprintf(at, sizeof at, "%s.name-string.?%u", path, i);
        char *component = der_text(node, at);
        if (!component)
            break;
        name = name ? g_string_append_c(name, '/') : g_string_new(NULL);
        g_string_append(name, component);
        g_free(component);
    }
    return name ? g_string_free(name, FALSE) : NULL;
}

size_t der_header(const uint8_t *data, size_t length, uint8_t tag, size_t *value_length)
{
    if (length < 2 || data[0] != tag)
        return 0;
    size_t value = data[1], head = 2;
    if (value & 0x80) {
        size_t octets = value & 0x7f;
        if (octets == 0 || octets > 4 || length - head < octets)
            return 0;
        for (value = 0; octets--; head++)
            value = value << 8 | data[head];
    }
    if (length - head < value)
        return 0;
    *value_length = value;
    return head;
}

/* ---- where it stands ---- */

enum { TAG_LONG = 0x1f, TAG_GENERAL_STRING = 0x1b };

bool der_next(der_value *rest, uint8_t *tag, der_value *value)
{
    size_t length;
    if (rest->length == 0 || (rest->octets[0] & TAG_LONG) == TAG_LONG)
        return false;
    size_t head = der_header(rest->octets, rest->length, rest->octets[0], &length);
    if (head == 0)
        return false;
    *tag = rest->octets[0];
    *value = (der_value){rest->octets + head, length};
    *rest = (der_value){rest->octets + head + length, rest->length - head - length};
    return true;
}

bool der_find(der_value value, const char *tags, der_value *found)
{
    for (; *tags; tags++) {
        der_value rest = value;
        uint8_t tag = 0;
        do
            if (!der_next(&rest, &tag, &value))
                return false;
        while (tag != (uint8_t)*tags);
    }
    *found = value;
    return true;
}

bool der_find_integer(der_value value, const char *tags, int64_t *number)
{
    der_value found;
    return der_find(value, tags, &found) && read_integer(found.octets, found.length, number);
}

char *der_find_text(der_value value, const char *tags)
{
    der_value found;
    return der_find(value, tags, &found) ? g_utf8_make_valid((const char *)found.octets, (gssize)found.length) : NULL;
}

/* PrincipalName, [RFC 4120] 5.2.2: its components are in [1]. */
char *der_find_principal(der_value value, const char *tags)
{
    GString *name = NULL;
    der_value component, rest;
    uint8_t tag;
    if (!der_find(value, tags, &rest) || !der_find(rest, "\x30\xa1\x30", &rest))
        return NULL;
    for (unsigned i = 0; i < COMPONENTS_MAX && der_next(&rest, &tag, &component) && tag == TAG_GENERAL_STRING; i++) {
        char *text = g_utf8_make_valid((const char *)component.octets, (gssize)component.length);
        name = name ? g_string_append_c(name, '/') : g_string_new(NULL);
        g_string_append(name, text);
        g_free(text);
    }
    return name ? g_string_free(name, FALSE) : NULL;
}
