/* names.h - which host names clients had resolved, and when: it tells those that go by name from those that go by address.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_NAMES_H
#define RPCLENS_NAMES_H

#include <stdint.h>

#include <glib.h>

/* `address` has 4 octets or 16. */
typedef void (*names_fn)(const char *name, const uint8_t *address, size_t length, void *user);

/* Calls `fn` for each address in an answer of DNS ([RFC 1035] 4.1) or of LLMNR ([RFC 4795] 2.1), with the name that was asked
 * for. Other messages, and what is malformed, are passed over. */
void names_read(const uint8_t *octets, size_t length, names_fn fn, void *user);

/* A log of them; for g_hash_table_unref(). Addresses have 16 octets here, those of IPv4 zeros behind. Times are seconds since
 * 1970. */
enum { NAMES_ADDRESS = 16 };
typedef GHashTable name_log;
name_log   *name_log_new(void);
/* The client was told this address for the name; it asked a KDC for a ticket. */
void        name_log_add(name_log *log, const uint8_t *client, const uint8_t *server, const char *name, int64_t seconds);
void        name_log_ticket(name_log *log, const uint8_t *client, int64_t seconds);
/* The name for which the client had last been told the server's address, if that was seconds before this time and it has not
 * asked for a ticket since; NULL. Lives until something is added. */
const char *name_log_find(name_log *log, const uint8_t *client, const uint8_t *server, int64_t seconds);

#endif
