/* keyring.h - all keys the user supplied, indexed by whom they belong to.
 *
 * Key octets live in libgcrypt's secure memory and are wiped when the keyring is freed. Nothing here prints them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RPCLENS_KEYRING_H
#define RPCLENS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* How a user gives keys, for texts that ask for one: "add ... to " KEYRING_FILE. */
#define KEYRING_FILE "a key file (-k, or Wireshark's preference rpclens.keys)"

/* What a key is. */
typedef enum {
    KEY_PASSWORD, /* UTF-8 text; `octets` without a final zero */
    KEY_NT_HASH,  /* 16 octets: MD4 of the password in UTF-16LE; equals the RC4-HMAC key, etype 23 */
    KEY_KERBEROS, /* a long-term key of `etype` */
    /* Keys of one session only; nobody's in particular: */
    KEY_TICKET,   /* a ticket's session key of `etype`; name and domain are the service's, as in a ccache or kirbi file */
    KEY_NTLM_SESSION, /* NTLM's ExportedSessionKey, 16 octets */
    KEY_SUBKEY,   /* a Kerberos subkey of `etype`, of whichever side */
    KEY_SMB_SESSION, /* an SMB Session.SessionKey; `session` is its id */
    /* A domain's DPAPI backup keys ([MS-BKRP] 2.2.5, 2.2.7); `guid` is the key's: */
    KEY_BACKUP_CLIENT, /* the RSA key pair, as a PRIVATEKEYBLOB: 1172 octets for 2048 bits */
    KEY_BACKUP_SERVER  /* 256 octets */
} key_kind;

typedef struct {
    key_kind kind;
    char    *name;   /* "alice", "DC1$", "cifs/dc1.corp.example": a principal's components joined by '/'; "*" for anyone */
    char    *domain; /* NetBIOS domain or Kerberos realm as written; "" when not given */
    int32_t  etype;  /* KEY_KERBEROS only: 17, 18, 23, ... ([RFC 3961] and its successors) */
    uint32_t kvno;   /* 0: not known */
    uint64_t session;/* KEY_SMB_SESSION only */
    uint8_t  guid[16]; /* backup keys only, in the order of the wire; zeros: not known (a PVK or PEM file has none) */
    uint8_t *octets; /* secure memory */
    size_t   length;
    unsigned source; /* index of its source */
    bool     of_password; /* KEY_KERBEROS made of a password of the same owner and source */
} key_entry;

typedef struct {
    size_t where; /* line number from 1 in text, offset in a binary file */
    char  *text;  /* a sentence: what is wrong and what was done about it */
} key_complaint;

typedef struct {
    char  *path;
    char  *kind;       /* "MIT keytab", "text"; NULL when it was not recognised */
    bool   is_text;    /* complaints count lines, not octets */
    char  *error;      /* nothing could be taken, and why (with name and offset); else NULL */
    GArray *complaints;/* of key_complaint: what was passed over although the rest was taken */
    size_t taken;      /* number of entries */
    size_t others;     /* text only: lines that are understood, but whose keys open no call (DES keys, cached logons, DPAPI) */
    size_t first_other;/* number of the first of them */
    bool   readable_by_others;
} key_source;

typedef struct keyring keyring;

/* Also initialises libgcrypt, once a process. */
keyring *keyring_new(void);
void     keyring_free(keyring *ring);

/* Reads a file of any kind this build knows, told by its content: an MIT keytab (0x0502 or 0x0501 at its start), an
 * MIT credential cache (0x0504 or 0x0503), a KRB-CRED message ("kirbi"), also in base64, a domain's backup key
 * (source_backup.c), or text (source_text.c). Always adds a source, which tells what was understood; returns false when
 * nothing could be taken. Hostile files are bounded: at most 256 MiB is read. */
bool keyring_add_file(keyring *ring, const char *path);
/* The same; of a folder, every file in it in the order of their names, but not its folders. False: not one gave a key. */
bool keyring_add_path(keyring *ring, const char *path);
/* The same from memory; `label` stands for the path in messages. */
bool keyring_add_memory(keyring *ring, const char *label, const uint8_t *data, size_t length);

/* One key, e.g. from Wireshark's preferences. Copies everything. */
void keyring_add(keyring *ring, key_kind kind, const char *name, const char *domain, int32_t etype, uint32_t kvno,
                 const uint8_t *octets, size_t length);

/* Any kind of key, e.g. one of a session; copies everything that `entry` points to. Its `source` is kept as given. */
void keyring_add_entry(keyring *ring, const key_entry *entry);

size_t            keyring_source_count(const keyring *ring);
const key_source *keyring_source(const keyring *ring, size_t index);
size_t            keyring_count(const keyring *ring);
const key_entry  *keyring_entry(const keyring *ring, size_t index);

/* What kind of key it is, for a person: "password", "aes256-cts-hmac-sha1-96". */
const char *key_kind_text(const key_entry *entry);
/* The same with owner and source, never the octets: "password of alice@CORP, from keys.txt". To be freed with g_free. */
char *keyring_describe(const keyring *ring, const key_entry *entry);

/* Calls `fn` for the keys of a name in the order in which they should be tried, until it returns true ("that one"):
 * for NTLM, KEY_NT_HASH, KEY_PASSWORD and RC4 entries of that user (names compared in Unicode case folding), those of
 * the same domain first, then those of other domains, then those for anyone ("*"). Returns the entry accepted, or NULL;
 * `tried` (may be NULL) is set to how many were offered. */
typedef bool (*key_try_fn)(const key_entry *entry, void *user);
const key_entry *keyring_try_ntlm(const keyring *ring, const char *user, const char *domain, key_try_fn fn, void *data,
                                  size_t *tried);
/* The same for a Kerberos ticket for `service` ("cifs/dc1.corp.example") in `realm`: keys of `etype` (and passwords) under
 * the service's own name, then under the host's account name (DC1$, from the second component), then every other key of
 * that etype in the realm, then of other realms. The kvno decides the order, never the choice: 0 is "not known". */
const key_entry *keyring_try_kerberos(const keyring *ring, const char *service, const char *realm, int32_t etype,
                                      uint32_t kvno, key_try_fn fn, void *data, size_t *tried);

/* The same for a client's own long-term key, under its own name only: keys of `etype`, and passwords with `salt` (NULL: the usual one). */
const key_entry *keyring_try_client(const keyring *ring, const char *name, const char *realm, const char *salt, int32_t etype,
                                    key_try_fn fn, void *data);

/* What searches in vain may still cost in the life of the ring, in octets to hash. A search through a conversation takes up to
 * a tenth of a second; without an end to it for all of them, a hostile capture of many conversations would buy hours. Who finds
 * what he looks for has spent nothing. */
uint64_t keyring_search_left(const keyring *ring);
void     keyring_searched_in_vain(const keyring *ring, uint64_t octets);

/* Keys of sessions, which belong to nobody by name: calls `fn` for each key of this kind (and etype, unless it is 0) until it
 * returns true. The signature must decide. */
const key_entry *keyring_try_session(const keyring *ring, key_kind kind, int32_t etype, key_try_fn fn, void *data,
                                     size_t *tried);
/* A GUID in the order of the wire as text, with its final zero. */
enum { KEY_GUID_TEXT = 37 };
void key_guid_text(const uint8_t guid[16], char text[KEY_GUID_TEXT]);
/* What was worked out with these keys from some octets (a ticket's content, say), for whoever meets the same octets again; NULL:
 * nothing. A value belongs to the ring and lives at least until the next keyring_remember(), which may forget all others: it keeps
 * no more than some thousands. */
const void *keyring_recall(const keyring *ring, const uint8_t *octets, size_t length);
void        keyring_remember(const keyring *ring, const uint8_t *octets, size_t length, void *value, GDestroyNotify free_value);
/* Calls `fn` for the backup keys of a kind, those with this GUID first, then those whose GUID is not known. */
const key_entry *keyring_try_backup(const keyring *ring, key_kind kind, const uint8_t guid[16], key_try_fn fn, void *data);

#endif
