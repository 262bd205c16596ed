/* source_kirbi.c - tickets as KRB-CRED messages ([RFC 4120] 5.8), the "kirbi" files of mimikatz, Rubeus and impacket, as they are or
 * in base64: session keys of tickets. Their part that would be encrypted is in the clear (etype 0).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keys/source.h"

#include <string.h>

#include "keys/crypto.h"
#include "keys/der.h"
#include "keys/etype.h"

enum { TAG_KRB_CRED = 0x76, TICKETS_MAX = 4096 };

static bool kirbi_recognise(const uint8_t *data, size_t length)
{
    size_t value;
    return der_header(data, length, TAG_KRB_CRED, &value) != 0;
}

/* "doI...": the tag and a length of two octets in base64. */
static bool kirbi_text_recognise(const uint8_t *data, size_t length)
{
    size_t blank = 0;
    while (blank < length && g_ascii_isspace(data[blank]))
        blank++;
    return length - blank > 64 && memcmp(data + blank, "doI", 3) == 0 && !memchr(data + blank, ':', length - blank);
}

/* One KrbCredInfo; false: there is no such one. */
static bool take_info(source_sink *sink, asn1_node part, unsigned number)
{
    char path[64];
    int64_t etype;
    size_t length;
    g_snprintf(path, sizeof path, "ticket-info.?%u.key.keytype", number);
    if (!der_integer(part, path, &etype))
        return false;
    g_snprintf(path, sizeof path, "ticket-info.?%u.key.keyvalue", number);
    uint8_t *key = der_secret(part, path, &length);
    g_snprintf(path, sizeof path, "ticket-info.?%u.sname", number);
    char *service = der_principal(part, path);
    g_snprintf(path, sizeof path, "ticket-info.?%u.srealm", number);
    char *realm = der_text(part, path);
    size_t due = etype_key_length((int32_t)etype);
    if (!key || !length || (due && length != due))
        source_complain(sink, 0, "ticket %u has no key of the length that %s has; passed over", number, etype_name((int32_t)etype));
    else
        source_take(sink, KEY_TICKET, service ? service : "", realm ? realm : "", (int32_t)etype, 0, key, length);
    g_free(service);
    g_free(realm);
    crypto_free(key);
    return true;
}

static void read_clear(source_sink *sink, const uint8_t *data, size_t length)
{
    asn1_node part = der_open(krb5_asn1_tab, "KRB5.EncKrbCredPart", data, length);
    if (!part)
        source_complain(sink, 0, "the part with the tickets' keys cannot be read");
    for (unsigned i = 1; part && i <= TICKETS_MAX && take_info(sink, part, i); i++)
        ;
    der_close(part);
}

static void kirbi_read(source_sink *sink, const uint8_t *data, size_t length)
{
    int64_t etype = 0;
    size_t octets;
    asn1_node cred = der_open(krb5_asn1_tab, "KRB5.KRB-CRED", data, length);
    bool known = cred && der_integer(cred, "enc-part.etype", &etype);
    uint8_t *part = known ? der_secret(cred, "enc-part.cipher", &octets) : NULL;
    if (!part)
        source_complain(sink, 0, "the ticket (KRB-CRED) cannot be read");
    else if (etype != 0)
        source_complain(sink, 0, "the ticket's keys are sealed (%s), not in the clear as in an exported ticket", etype_name((int32_t)etype));
    else
        read_clear(sink, part, octets);
    crypto_free(part);
    der_close(cred);
}

static void kirbi_text_read(source_sink *sink, const uint8_t *data, size_t length)
{
    char *text = crypto_alloc(length + 1);
    gsize octets = 0;
    memcpy(text, data, length);
    g_base64_decode_inplace(text, &octets);
    if (kirbi_recognise((const uint8_t *)text, octets))
        kirbi_read(sink, (const uint8_t *)text, octets);
    else
        source_complain(sink, 1, "the text begins as a ticket in base64, but is none");
    crypto_free(text);
}

const source_format source_kirbi = {"kirbi ticket", false, kirbi_recognise, kirbi_read};
const source_format source_kirbi_text = {"kirbi ticket in base64", true, kirbi_text_recognise, kirbi_text_read};
