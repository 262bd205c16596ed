/* pdu.c - DCE/RPC PDUs: connection-oriented ([C706] 12.6, [MS-RPCE] 2.2.2) and datagrams ([C706] 12.5, [MS-RPCE] 2.2.3).
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "rpc/pdu.h"

#include <string.h>

enum { SEC_TRAILER = 8, ASSOC_GROUP_END = 24 };

const ndr_guid pdu_ndr = {0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}};
const ndr_guid pdu_ndr64 = {0x71710533, 0xbeba, 0x4937, {0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36}};

static uint16_t u16(const uint8_t *p, bool big)
{
    return big ? (uint16_t)(p[0] << 8 | p[1]) : (uint16_t)(p[1] << 8 | p[0]);
}

static uint32_t u32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)u16(p, big) << 16 | u16(p + 2, big) : (uint32_t)u16(p + 2, big) << 16 | u16(p, big);
}

const char *pdu_type_name(uint8_t type)
{
    static const char *const names[] = {
        [PDU_REQUEST] = "request", [PDU_RESPONSE] = "response", [PDU_FAULT] = "fault", [PDU_BIND] = "bind",
        [PDU_BIND_ACK] = "bind_ack", [PDU_BIND_NAK] = "bind_nak", [PDU_ALTER_CONTEXT] = "alter_context",
        [PDU_ALTER_CONTEXT_RESP] = "alter_context_resp", [PDU_AUTH3] = "auth3", [PDU_SHUTDOWN] = "shutdown",
        [PDU_CO_CANCEL] = "co_cancel", [PDU_ORPHANED] = "orphaned",
    };
    return type < G_N_ELEMENTS(names) && names[type] ? names[type] : "unknown";
}

bool pdu_from_client(uint8_t type)
{
    switch (type) {
    case PDU_REQUEST: case PDU_BIND: case PDU_ALTER_CONTEXT: case PDU_AUTH3: case PDU_CO_CANCEL: case PDU_ORPHANED:
        return true;
    default:
        return false;
    }
}

/* The part of the header that is the type's own; what follows is body or, for a bind, its lists. */
static size_t header_length(const pdu_parts *p)
{
    switch (p->type) {
    case PDU_REQUEST:  return p->flags & PFC_OBJECT_UUID ? 40 : 24;
    case PDU_RESPONSE: return 24;
    case PDU_FAULT:    return 32;
    default:           return PDU_SHORTEST;
    }
}

static bool carries_calls(uint8_t type)
{
    return type == PDU_REQUEST || type == PDU_RESPONSE || type == PDU_FAULT;
}

/* auth_length 0 means no sec_trailer at all; otherwise it stands before the token at the PDU's end. */
static bool read_auth(pdu_parts *p, const char **why)
{
    p->has_auth = p->token_length > 0;
    if (!p->has_auth) {
        p->body_length = p->length - p->stub_offset;
        return true;
    }
    if (p->token_length + SEC_TRAILER > p->length - p->stub_offset) {
        *why = "auth_length is larger than the PDU";
        return false;
    }
    size_t trailer = p->length - p->token_length - SEC_TRAILER;
    p->body_length = trailer - p->stub_offset;
    p->auth_known = p->captured >= trailer + SEC_TRAILER;
    if (!p->auth_known)
        return true;
    const uint8_t *t = p->octets + trailer;
    p->auth_type = t[0];
    p->auth_level = t[1];
    p->auth_pad_length = t[2];
    p->auth_context_id = u32(t + 4, p->big_endian);
    p->token = t + SEC_TRAILER;
    p->token_captured = MIN(p->token_length, p->captured - trailer - SEC_TRAILER);
    if (carries_calls(p->type) && p->auth_pad_length > p->body_length) {
        *why = "auth_pad_length is larger than the stub";
        return false;
    }
    return true;
}

/* Versions 5.0 and 5.1, a type there is, and a data representation there is ([C706] 12.6.3.1, 14.1). */
static bool looks_like_rpc(const uint8_t *octets)
{
    enum { TYPE_LAST = 19, EBCDIC = 1, LITTLE_ENDIAN_INTEGERS = 1, IBM_FLOATS = 3 };
    return octets[0] == 5 && octets[1] <= 1 && octets[2] <= TYPE_LAST && (octets[4] & 0x0f) <= EBCDIC &&
           octets[4] >> 4 <= LITTLE_ENDIAN_INTEGERS && octets[5] <= IBM_FLOATS;
}

pdu_result pdu_read(const uint8_t *octets, size_t captured, size_t reported, pdu_parts *out, const char **why)
{
    memset(out, 0, sizeof *out);
    *why = NULL;
    if (captured < PDU_SHORTEST || !looks_like_rpc(octets))
        return PDU_NOT_RPC;
    out->octets = octets;
    out->type = octets[2];
    out->flags = octets[3];
    out->big_endian = (octets[4] & 0xf0) == 0;
    out->length = u16(octets + 8, out->big_endian);
    out->token_length = u16(octets + 10, out->big_endian);
    out->call_id = u32(octets + 12, out->big_endian);
    out->captured = MIN(captured, out->length);
    out->stub_offset = header_length(out);
    if (out->length < out->stub_offset) {
        *why = "frag_length is shorter than the header of this PDU type";
        return PDU_BAD;
    }
    if (reported < out->length) {
        *why = "frag_length is larger than what was sent";
        return PDU_BAD;
    }
    if (!read_auth(out, why))
        return PDU_BAD;
    if (carries_calls(out->type)) {
        if (out->captured < out->stub_offset)
            return PDU_CUT;
        out->context_id = u16(octets + 20, out->big_endian);
        if (out->type == PDU_REQUEST)
            out->opnum = u16(octets + 22, out->big_endian);
        if (out->type == PDU_FAULT)
            out->status = u32(octets + 24, out->big_endian);
    }
    if ((out->type == PDU_BIND || out->type == PDU_BIND_ACK) && out->captured >= ASSOC_GROUP_END)
        out->assoc_group = u32(octets + ASSOC_GROUP_END - 4, out->big_endian);
    if (out->type == PDU_BIND_NAK && out->captured >= PDU_SHORTEST + 2)
        out->nak_reason = u16(octets + PDU_SHORTEST, out->big_endian);
    return out->captured < out->length ? PDU_CUT : PDU_GOOD;
}

/* A list of a bind or of its answer ends where the sec_trailer begins, and never after what is captured. */
static size_t lists_end(const pdu_parts *p)
{
    return MIN(p->captured, p->stub_offset + p->body_length);
}

/* ------------------------------------------------------------------------------------------------------- datagrams */

enum { CL_HEADER = 80, CL_REQUEST = 0, CL_RESPONSE = 2, CL_FAULT = 3, CL_REJECT = 6, CL_TYPES = 11, CL_OTHER = 20,
       CL_LAST_FRAGMENT = 0x02, CL_FRAGMENT = 0x04, CL_SEC_TRAILER = 4 };

/* [MS-RPCE] 2.2.3.4: the stub padded to 8, auth_level, key_vers_num, padding to 4, and the token to the datagram's end. */
static bool read_verifier(pdu_parts *p, size_t stub_length, const char **why)
{
    size_t padded = (stub_length + 7) & ~(size_t)7, at = CL_HEADER + padded + CL_SEC_TRAILER;
    p->body_length = padded;
    p->auth_pad_length = (uint8_t)(padded - stub_length);
    if (p->length < at) {
        *why = "the datagram ends within its verifier";
        return false;
    }
    p->token_length = p->length - at;
    p->auth_known = p->captured >= at;
    if (!p->auth_known)
        return true;
    p->auth_level = p->octets[CL_HEADER + padded];
    p->auth_context_id = p->octets[CL_HEADER + padded + 1];
    p->token = p->octets + at;
    p->token_captured = p->captured - at;
    return true;
}

pdu_result pdu_read_datagram(const uint8_t *octets, size_t captured, size_t reported, pdu_parts *out, const char **why)
{
    memset(out, 0, sizeof *out);
    *why = NULL;
    /* Whatever goes over UDP is looked at, so that every bit that is 0 in all datagrams of RPC must be: reserved flags, and the data
     * representation's, which knows ASCII and EBCDIC, two orders of octets and four kinds of floats. */
    if (captured < CL_HEADER || octets[0] != 4 || (octets[1] & 0x1f) >= CL_TYPES || octets[2] & 0x81 || octets[3] & 0xfd ||
        octets[4] & 0xee || octets[5] > 3 || octets[6] != 0)
        return PDU_NOT_RPC;
    uint8_t type = octets[1] & 0x1f, flags = octets[2];
    bool big = (octets[4] & 0xf0) == 0;
    size_t stub_length = u16(octets + 74, big);
    *out = (pdu_parts){.octets = octets, .captured = captured, .length = reported, .big_endian = big, .stub_offset = CL_HEADER,
                       .call_id = u32(octets + 64, big), .opnum = u16(octets + 68, big), .auth_type = octets[78],
                       .has_auth = octets[78] != 0, .fragnum = flags & CL_FRAGMENT ? u16(octets + 76, big) : 0};
    uint32_t version = u32(octets + 60, big);
    out->version_major = (uint16_t)version;
    out->version_minor = (uint16_t)(version >> 16);
    ndr_guid_from_octets(octets + 24, big, &out->interface);
    ndr_guid_from_octets(octets + 40, big, &out->activity);
    out->type = type == CL_REQUEST ? PDU_REQUEST : type == CL_RESPONSE ? PDU_RESPONSE
              : type == CL_FAULT || type == CL_REJECT ? PDU_FAULT : (uint8_t)(type + CL_OTHER);
    out->flags = (out->fragnum == 0 ? PFC_FIRST_FRAG : 0) | (!(flags & CL_FRAGMENT) || flags & CL_LAST_FRAGMENT ? PFC_LAST_FRAG : 0);
    if (stub_length > reported - MIN(reported, (size_t)CL_HEADER)) {
        *why = "len is larger than the datagram";
        return PDU_BAD;
    }
    out->body_length = stub_length;
    if (out->has_auth && carries_calls(out->type) && !read_verifier(out, stub_length, why))
        return PDU_BAD;
    if (out->type == PDU_FAULT && stub_length >= 4 && captured >= CL_HEADER + 4)
        out->status = u32(octets + CL_HEADER, big);
    if (!out->has_auth)
        out->length = CL_HEADER + stub_length;
    out->captured = MIN(captured, out->length);
    return PDU_GOOD;
}

bool pdu_contexts(const pdu_parts *bind, void (*fn)(const pdu_context *context, void *user), void *user)
{
    const uint8_t *o = bind->octets;
    size_t end = lists_end(bind), at = 28;
    if (end < at)
        return false;
    for (unsigned left = o[24]; left > 0; left--) {
        if (end - at < 24)
            return false;
        pdu_context context = {.id = u16(o + at, bind->big_endian), .transfer_count = o[at + 2]};
        ndr_guid_from_octets(o + at + 4, bind->big_endian, &context.interface);
        context.version_major = u16(o + at + (bind->big_endian ? 22 : 20), bind->big_endian);
        context.version_minor = u16(o + at + (bind->big_endian ? 20 : 22), bind->big_endian);
        at += 24;
        if ((end - at) / 20 < context.transfer_count)
            return false;
        if (context.transfer_count > 0)
            ndr_guid_from_octets(o + at, bind->big_endian, &context.transfer);
        at += 20u * context.transfer_count;
        fn(&context, user);
    }
    return true;
}

bool pdu_results(const pdu_parts *ack, void (*fn)(unsigned index, const pdu_result_element *result, void *user), void *user)
{
    const uint8_t *o = ack->octets;
    size_t end = lists_end(ack);
    if (end < 26)
        return false;
    size_t at = 26u + u16(o + 24, ack->big_endian); /* the secondary address */
    at = (at + 3) & ~(size_t)3;
    if (at + 4 > end)
        return false;
    unsigned count = o[at];
    at += 4;
    for (unsigned i = 0; i < count; i++, at += 24) {
        if (end - at < 24)
            return false;
        pdu_result_element result = {.result = u16(o + at, ack->big_endian), .reason = u16(o + at + 2, ack->big_endian)};
        ndr_guid_from_octets(o + at + 4, ack->big_endian, &result.transfer);
        fn(i, &result, user);
    }
    return true;
}

/* Commands are {u16 command, u16 length, data}; 0x4000 marks the last. The text does not give their byte order; Samba writes
 * them little-endian also in a big-endian PDU (bkrp-np-bigendian.pcap). */
static bool trailer_runs_to_end(const uint8_t *stub, size_t at, size_t length, bool big)
{
    for (at += 8; length - at >= 4;) {
        uint16_t command = u16(stub + at, big), size = u16(stub + at + 2, big);
        at += 4;
        if (size > length - at)
            return false;
        at += size;
        if (command & 0x4000)
            return at == length;
    }
    return false;
}

size_t pdu_verification_trailer(const uint8_t *stub, size_t length)
{
    static const uint8_t signature[8] = {0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71};
    /* The three commands that exist take 8 + 8 + 44 + 20 octets; twice that leaves room for one not known here. */
    const size_t farthest = 160;
    if (length < sizeof signature + 4)
        return length;
    size_t lowest = length > farthest ? length - farthest : 0;
    for (size_t at = (length - sizeof signature - 4) & ~(size_t)3;; at -= 4) {
        if (memcmp(stub + at, signature, sizeof signature) == 0 &&
            (trailer_runs_to_end(stub, at, length, false) || trailer_runs_to_end(stub, at, length, true)))
            return at;
        if (at < lowest + 4)
            return length;
    }
}
