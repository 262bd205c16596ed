/* rule_by_id.h - for tests: a rule of the catalogue by its id.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RPCLENS_RULE_BY_ID_H
#define RPCLENS_RULE_BY_ID_H

#include <string.h>

#include "verifier/verdict.h"

typedef struct {
    const char *id;
    const rule *found;
} rule_search;

static inline void look_for_rule(const rule *r, void *user)
{
    rule_search *search = user;
    if (strcmp(r->id, search->id) == 0)
        search->found = r;
}

/* There must be one. */
static inline const rule *rule_by_id(const char *id)
{
    rule_search search = {id, NULL};
    rules_each(look_for_rule, &search);
    g_assert_nonnull(search.found);
    return search.found;
}

#endif
