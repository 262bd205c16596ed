/* context.h - one sealed conversation: a security context of an association, told by (association, auth_context_id).
 *
 * It is given the tokens of the handshake and every protected PDU in the order of the wire, and answers each PDU with
 * its plaintext and the proof, or with the reason why it stays sealed. A plaintext counts only with its verified signature.
 * Implements [MS-NLMP] 3.4, [MS-KILE] 3.4.5, [MS-SPNG], [RFC 4121], [MS-RPCE] 3.3.1.5.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_CONTEXT_H
#define RPCLENS_CONTEXT_H

#include "keys/keyring.h"

/* sec_trailer.auth_type, [MS-RPCE] 2.2.1.1.7 */
enum { SEC_AUTH_NONE = 0, SEC_AUTH_SPNEGO = 9, SEC_AUTH_NTLM = 10, SEC_AUTH_SCHANNEL = 14, SEC_AUTH_KERBEROS = 16, SEC_AUTH_NETLOGON = 68 };
/* sec_trailer.auth_level, [MS-RPCE] 2.2.1.1.8 */
enum { SEC_LEVEL_NONE = 1, SEC_LEVEL_CONNECT = 2, SEC_LEVEL_CALL = 3, SEC_LEVEL_PKT = 4, SEC_LEVEL_INTEGRITY = 5, SEC_LEVEL_PRIVACY = 6 };

typedef enum {
    SEC_PLAIN,      /* carries no protection that could be verified */
    SEC_VERIFIED,   /* the signature holds; at level PRIVACY the plaintext is proven */
    SEC_UNVERIFIED, /* readable as it stands (level below PRIVACY), but its signature was not or could not be verified */
    SEC_SEALED      /* at level PRIVACY and not opened */
} sec_state;

/* Stable reason codes; the sentence says the same to a person. */
typedef enum {
    SEC_OK,
    SEC_NO_HANDSHAKE,   /* the bind or some leg of it is not in the capture */
    SEC_NO_KEY,         /* no supplied key belongs to this user or service */
    SEC_WRONG_KEY,      /* keys for this user or service were tried and none fits */
    SEC_BAD_SIGNATURE,  /* the context's key is proven, but this PDU's signature does not hold */
    SEC_CUT,            /* the snap length cut the PDU */
    SEC_LOST,           /* the key stream is lost: PDUs before this one are missing from the capture */
    SEC_UNSUPPORTED,    /* a mechanism or an etype that this build does not open */
    SEC_MALFORMED       /* a token or trailer that cannot be read */
} sec_reason;

const char *sec_state_name(sec_state state);    /* "plain", "verified", "unverified", "sealed" */
const char *sec_reason_name(sec_reason reason); /* "no-handshake", "no-key", ...; NULL for SEC_OK */

typedef enum { SEC_MECH_UNKNOWN, SEC_MECH_NTLM, SEC_MECH_KERBEROS, SEC_MECH_OTHER } sec_mechanism;

/* What the handshake showed. Strings belong to the context and live as long as it. */
typedef struct {
    sec_mechanism mechanism;
    const char   *mechanism_text;   /* "NTLMv2", "NTLMv1", "NTLMv1 with ESS", "NTLM", "Kerberos", "Schannel", "unknown" */
    bool          spnego;           /* the first client token was framed by SPNEGO */
    bool          spnego_missing;   /* auth type 9, but the first client token was bare NTLMSSP or AP-REQ */
    bool          kerberos_offered; /* SPNEGO's mechTypes name Kerberos */
    const char   *user;             /* "CORP\\alice" or "alice@CORP.EXAMPLE"; NULL while not known */
    const char   *target;           /* service principal of the ticket, or NTLM's MsvAvTargetName; NULL */
    bool          anonymous;
    bool          ntlm_authenticate;/* an AUTHENTICATE message was seen; then: */
    uint32_t      ntlm_flags;
    bool          ntlm_mic;         /* the AUTHENTICATE message says that it carries a MIC */
    bool          ntlm_mic_verified;/* and that MIC holds, which takes all three messages and the key */
    uint32_t      ntlm_missing;     /* PDUs missing from the capture within gaps behind which the key stream was found */
    bool          ap_req;           /* an AP-REQ was seen; then: */
    uint32_t      ap_options;       /* as in [RFC 4120] 5.5.1, bit 0 in the highest bit */
    int32_t       ticket_etype;
    bool          gss_flags_known;  /* the authenticator was opened; then: */
    uint32_t      gss_flags;        /* [RFC 4121] 4.1.1.1 */
    bool          ap_rep;           /* an AP-REP was seen */
    bool          forwarded_tgt;    /* gss_flags has DELEG with a KRB-CRED, when known */
    bool          have_key;         /* a key was proven (NTLM proof or MIC, Kerberos ticket and authenticator, a PDU) */
    const char   *key_origin;       /* then: "password of alice@CORP, from keys.txt"; never its octets. NULL: none was needed */
    const char   *key_proof;        /* then: "proven by the handshake" or "proven by the signature of a PDU" */
    size_t        keys_tried;       /* keys that were held against the handshake (or the PDU), the one that fits included */
    sec_reason    key_reason;       /* why not, when have_key is false */
    uint32_t      pdus_verified, pdus_refused; /* protected PDUs so far */
    const char   *key_text;         /* the sentence, e.g. "no key for CORP\\alice: add a line ... to your key file" */
} sec_facts;

typedef struct sec_context sec_context;

/* `ring` must outlive the context. */
sec_context *sec_context_new(const keyring *ring, uint8_t auth_type);
void         sec_context_free(sec_context *context);

/* One leg of the handshake: the auth_value of a bind, bind_ack, alter_context, alter_context_resp or auth3.
 * `whole` false: the capture holds only the first `length` octets. */
void sec_context_token(sec_context *context, const uint8_t *token, size_t length, bool from_client, bool whole);

/* Header signing as the handshake negotiated it: both sides set PFC_SUPPORT_HEADER_SIGN ([MS-RPCE] 2.2.2.3). */
void sec_context_header_signing(sec_context *context, bool on);

/* The key that the mechanism hands to whoever asked for the context (GSS_Inquire_context): NTLM's ExportedSessionKey, Kerberos'
 * acceptor subkey, else initiator subkey, else the ticket's session key. Writes its first 16 octets, padded with zeros; false:
 * it is not known. */
bool sec_context_session_key(const sec_context *context, uint8_t key[16]);

/* The supplied key that was proven; belongs to the keyring. NULL: none was, or none was needed. */
const key_entry *sec_context_key(const sec_context *context);

const sec_facts *sec_context_facts(const sec_context *context);

/* A protected PDU: [header][body: stub and auth padding][sec_trailer 8][token]; a datagram has to be put into this shape. */
typedef struct {
    const uint8_t *pdu;
    size_t         header_length;  /* 24, or 32 or 40: up to the stub */
    size_t         body_length;    /* stub and auth padding */
    size_t         token_length;
    size_t         captured;       /* octets of the PDU that are here */
    bool           from_client;
    uint8_t        level;
    bool           datagram; /* of connectionless RPC: it has a key of its own, and its place among others does not matter */
} sec_message;

typedef struct {
    sec_state   state;
    sec_reason  reason;
    const char *text; /* a sentence that tells the user what to do, NULL when verified or plain; lives as long as the context */
} sec_verdict;

/* The number a PDU's token gives it among those of its direction: where it can be read without a key (NTLM with ESS, CFX), and
 * with RC4-HMAC, which hides it, of the PDU that sec_context_open() has just verified. */
bool sec_context_sequence(const sec_context *context, const uint8_t *token, size_t length, uint64_t *sequence);

/* Takes the next protected PDU of its direction. Writes body_length octets of plaintext to `plain` if, and only if,
 * the state is SEC_VERIFIED and the level is PRIVACY. Every PDU with an auth trailer must be handed over exactly once and in
 * order, for NTLM's key stream runs on through all of them. */
sec_verdict sec_context_open(sec_context *context, const sec_message *message, uint8_t *plain);

#endif
