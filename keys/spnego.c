/* spnego.c - SPNEGO's negotiation tokens, unpacked.
 * Implements [RFC 4178] 4.2 and [MS-SPNG] 2.2.1, leniently: what is odd but readable is read.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/spnego.h"

#include <string.h>

#include <glib.h>

#include "keys/der.h"

enum { TAG_GSS = 0x60, TAG_INIT = 0xa0, TAG_RESP = 0xa1, OID_TEXT_MAX = 128 };

static const uint8_t spnego_oid[] = {0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};

/* Octets of the GSS-API frame before the NegotiationToken; 0: no frame. */
static size_t frame_length(const uint8_t *token, size_t length)
{
    size_t value, head = der_header(token, length, TAG_GSS, &value);
    return head && value >= sizeof spnego_oid && !memcmp(token + head, spnego_oid, sizeof spnego_oid)
         ? head + sizeof spnego_oid : 0;
}

bool spnego_recognise(const uint8_t *token, size_t length)
{
    return length && (token[0] == TAG_INIT || token[0] == TAG_RESP || frame_length(token, length));
}

static char *read_oid(asn1_node node, const char *path)
{
    char text[OID_TEXT_MAX];
    int length = sizeof text;
    return asn1_read_value(node, path, text, &length) == ASN1_SUCCESS ? g_strndup(text, sizeof text) : NULL;
}

static char **read_mech_types(asn1_node node)
{
    GPtrArray *oids = g_ptr_array_new();
    for (unsigned i = 1; i <= SPNEGO_MECHS_MAX; i++) {
        char path[48];
        g_snprintf(path, sizeof path, "mechTypes.?%u", i);
        char *oid = read_oid(node, path);
        if (!oid)
            break;
        g_ptr_array_add(oids, oid);
    }
    g_ptr_array_add(oids, NULL);
    return (char **)g_ptr_array_free(oids, FALSE);
}

/* [3] is a mechListMIC when it holds an OCTET STRING, and the hints of NegTokenInit2 when a SEQUENCE. */
static bool third_is_mic(asn1_node node)
{
    size_t length;
    uint8_t *octets = der_octets(node, "third", &length);
    bool is_mic = octets && length && octets[0] == 0x04;
    g_free(octets);
    return is_mic;
}

static void read_init(asn1_node node, spnego_message *message)
{
    message->init = true;
    message->mech_types = read_mech_types(node);
    message->token = der_octets(node, "mechToken", &message->token_length);
    message->mech_list_mic = der_present(node, "mechListMIC") || third_is_mic(node);
}

static void read_resp(asn1_node node, spnego_message *message)
{
    int64_t state;
    if (der_integer(node, "negState", &state) && state >= 0 && state <= SPNEGO_REQUEST_MIC)
        message->neg_state = (int)state;
    message->supported_mech = read_oid(node, "supportedMech");
    message->token = der_octets(node, "responseToken", &message->token_length);
    message->mech_list_mic = der_present(node, "mechListMIC");
}

bool spnego_parse(const uint8_t *token, size_t length, spnego_message *message)
{
    memset(message, 0, sizeof *message);
    message->neg_state = -1;
    size_t frame = frame_length(token, length);
    bool init = length > frame && token[frame] == TAG_INIT;
    asn1_node node = der_open(spnego_asn1_tab, init ? "SPNEGO.NegTokenInit" : "SPNEGO.NegTokenResp", token + frame, length - frame);
    if (!node)
        return false;
    if (init)
        read_init(node, message);
    else
        read_resp(node, message);
    der_close(node);
    return true;
}

void spnego_clear(spnego_message *message)
{
    g_strfreev(message->mech_types);
    g_free(message->supported_mech);
    g_free(message->token);
    memset(message, 0, sizeof *message);
}

bool spnego_is_kerberos(const char *oid)
{
    return !strcmp(oid, "1.2.840.113554.1.2.2") || !strcmp(oid, "1.2.840.48018.1.2.2")
        || !strcmp(oid, "1.2.840.113554.1.2.2.3");
}

bool spnego_is_ntlm(const char *oid)
{
    return !strcmp(oid, "1.3.6.1.4.1.311.2.2.10");
}
