/* spnego.c - SPNEGO's negotiation tokens, unpacked.
 * Implements [RFC 4178] 4.2 and [MS-SPNG] 2.2.1, leniently: what is odd but readable is read.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/spnego.h"

#include <string.h>

#include <glib.h>

#include "keys/der.h"

enum { TAG_GSS = 0x60, TAG_INIT = 0xa0, TAG_RESP = 0xa1, TAG_OCTETS = 0x04 };

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

/* 1.2.840.113554.1.2.2 and .3 below it, 1.2.840.48018.1.2.2 */
static bool is_kerberos(const der_value *oid)
{
    static const struct {
        uint8_t octets[11];
        size_t  length;
    } oids[] = {{"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", 9},
                {"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02", 9},
                {"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03", 10}};
    for (size_t i = 0; i < G_N_ELEMENTS(oids); i++)
        if (oid->length == oids[i].length && !memcmp(oid->octets, oids[i].octets, oid->length))
            return true;
    return false;
}

static bool read_mech_types(der_value field, spnego_message *message)
{
    der_value rest, oid;
    uint8_t tag;
    if (!der_find(field, "\x30", &rest))
        return false;
    while (rest.length) {
        if (!der_next(&rest, &tag, &oid))
            return false;
        message->kerberos |= is_kerberos(&oid);
    }
    return true;
}

static bool read_token(der_value field, spnego_message *message)
{
    der_value token;
    if (!der_find(field, "\x04", &token))
        return false;
    message->token = token.octets;
    message->token_length = token.length;
    return true;
}

/* [3] is a mechListMIC when it holds an OCTET STRING, and the hints of NegTokenInit2 when a SEQUENCE. */
static bool read_init(uint8_t tag, der_value field, spnego_message *message)
{
    switch (tag) {
    case 0xa0: return read_mech_types(field, message);
    case 0xa2: return read_token(field, message);
    case 0xa3:
    case 0xa4: message->mech_list_mic |= field.length && field.octets[0] == TAG_OCTETS; return true;
    default:   return true;
    }
}

static bool read_resp(uint8_t tag, der_value field, spnego_message *message)
{
    int64_t state;
    switch (tag) {
    case 0xa0:
        if (der_find_integer(field, "\x0a", &state) && state >= 0 && state <= SPNEGO_REQUEST_MIC)
            message->neg_state = (int)state;
        return true;
    case 0xa2: return read_token(field, message);
    case 0xa3: message->mech_list_mic = true; return true;
    default:   return true;
    }
}

bool spnego_parse(const uint8_t *token, size_t length, spnego_message *message)
{
    *message = (spnego_message){.neg_state = -1};
    size_t frame = frame_length(token, length);
    bool init = length > frame && token[frame] == TAG_INIT;
    der_value rest = {token + frame, length - frame}, field;
    uint8_t tag;
    if (!der_find(rest, init ? "\xa0\x30" : "\xa1\x30", &rest))
        return false;
    while (rest.length)
        if (!der_next(&rest, &tag, &field) || !(init ? read_init : read_resp)(tag, field, message))
            return false;
    return true;
}
