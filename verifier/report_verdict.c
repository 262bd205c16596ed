/* report_verdict.c - verdicts, findings and the catalogue.
 * SPDX-License-Identifier: GPL-2.0-or-later */
#include "verifier/report.h"

#include <string.h>

#include "verifier/report_json.h"

typedef struct {
    unsigned violations, warnings, inconclusive, notes;
} counts;

/* Findings are counted, and of the inconclusive the rules: that is how many questions are open. */
static void count_rule(const rule *r, void *user)
{
    void **both = user;
    const verifier *v = both[0];
    if (verifier_summary(v, r).verdict == VERDICT_INCONCLUSIVE)
        ((counts *)both[1])->inconclusive++;
}

static counts count_all(const verifier *v)
{
    counts c = {0};
    for (size_t i = 0; i < verifier_finding_count(v); i++) {
        rule_verdict verdict = verifier_finding(v, i)->verdict;
        c.violations += verdict == VERDICT_VIOLATION;
        c.warnings += verdict == VERDICT_WARNING;
        c.notes += verdict == VERDICT_NOTE;
    }
    void *both[] = {(void *)v, &c};
    rules_each(count_rule, both);
    return c;
}

/* ----------------------------------------------------------------------------------------------------------- JSON */

static void json_rule(const rule *r, void *user)
{
    void **both = user;
    JsonBuilder *b = both[1];
    rule_summary s = verifier_summary(both[0], r);
    json_builder_begin_object(b);
    report_set_string(b, "id", r->id);
    report_set_string(b, "level", rule_level_name(r->level));
    report_set_string(b, "verdict", rule_verdict_name(s.verdict));
    report_set_string(b, "reason", s.reason);
    report_set_number(b, "count", s.count);
    json_builder_end_object(b);
}

static void json_finding(JsonBuilder *b, const finding *f)
{
    json_builder_begin_object(b);
    report_set_string(b, "rule", f->rule->id);
    report_set_string(b, "level", rule_level_name(f->rule->level));
    report_set_string(b, "verdict", rule_verdict_name(f->verdict));
    report_set_string(b, "reason", f->reason);
    report_set_string(b, "binds", f->rule->binds);
    json_builder_set_member_name(b, "frame");
    if (f->frames->len > 0)
        json_builder_add_int_value(b, g_array_index(f->frames, uint32_t, 0));
    else
        json_builder_add_null_value(b);
    json_builder_set_member_name(b, "frames");
    json_builder_begin_array(b);
    for (guint i = 0; i < f->frames->len; i++)
        json_builder_add_int_value(b, g_array_index(f->frames, uint32_t, i));
    json_builder_end_array(b);
    report_set_string(b, "message", f->message);
    report_set_string(b, "section", f->rule->section);
    report_set_string(b, "capture", f->capture);
    json_builder_end_object(b);
}

void report_verdict_json(FILE *out, const verifier *v, char *const *captures)
{
    JsonBuilder *b = json_builder_new_immutable();
    counts c = count_all(v);
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "captures");
    json_builder_begin_array(b);
    for (; *captures; captures++)
        json_builder_add_string_value(b, *captures);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "summary");
    json_builder_begin_object(b);
    report_set_number(b, "violations", c.violations);
    report_set_number(b, "warnings", c.warnings);
    report_set_number(b, "inconclusive", c.inconclusive);
    report_set_number(b, "notes", c.notes);
    json_builder_end_object(b);
    json_builder_set_member_name(b, "rules");
    json_builder_begin_array(b);
    void *both[] = {(void *)v, b};
    rules_each(json_rule, both);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "findings");
    json_builder_begin_array(b);
    for (size_t i = 0; i < verifier_finding_count(v); i++)
        json_finding(b, verifier_finding(v, i));
    json_builder_end_array(b);
    json_builder_end_object(b);
    JsonNode *root = json_builder_get_root(b);
    char *text = json_to_string(root, TRUE);
    fprintf(out, "%s\n", text);
    g_free(text);
    json_node_unref(root);
    g_object_unref(b);
}

/* ----------------------------------------------------------------------------------------------------------- text */

typedef struct {
    const rule  *rule;
    rule_summary summary;
} judged_rule;

static void collect_rule(const rule *r, void *user)
{
    void **both = user;
    judged_rule judged = {r, verifier_summary(both[0], r)};
    g_array_append_val((GArray *)both[1], judged);
}

static bool is_idle(const judged_rule *r, const judged_rule *first)
{
    return r->summary.verdict == VERDICT_NOT_APPLICABLE && strcmp(r->rule->protocol, first->rule->protocol) == 0 &&
           g_strcmp0(r->summary.reason, first->summary.reason) == 0;
}

/* How many rules, from this one on, do not apply for one and the same reason. Those that no capture could show are among them where
 * that goes for all of a protocol: it was not spoken. */
static guint idle_rules(const GArray *all, guint from)
{
    const judged_rule *first = &g_array_index(all, judged_rule, from);
    guint at = from, idle = 0;
    for (; at < all->len; at++) {
        const judged_rule *r = &g_array_index(all, judged_rule, at);
        if (strcmp(r->rule->protocol, first->rule->protocol) != 0)
            break;
        if (is_idle(r, first))
            idle += idle == at - from;
        else if (r->summary.verdict != VERDICT_NOT_OBSERVABLE)
            return idle;
    }
    bool whole = from == 0 || strcmp(g_array_index(all, judged_rule, from - 1).rule->protocol, first->rule->protocol) != 0;
    return whole && idle > 0 ? at - from : idle;
}

static void text_rule(FILE *out, const judged_rule *r)
{
    fprintf(out, "  %-8s %-8s  %-14s", r->rule->id, rule_level_name(r->rule->level), rule_verdict_name(r->summary.verdict));
    if (r->summary.reason)
        fprintf(out, "  %s\n", r->summary.reason);
    else
        fprintf(out, "  %u time%s\n", r->summary.count, r->summary.count == 1 ? "" : "s");
}

static void text_rules(FILE *out, const verifier *v)
{
    enum { WORTH_A_LINE = 3 };
    GArray *all = g_array_new(FALSE, FALSE, sizeof(judged_rule));
    void *both[] = {(void *)v, all};
    rules_each(collect_rule, both);
    for (guint i = 0; i < all->len;) {
        const judged_rule *r = &g_array_index(all, judged_rule, i);
        guint idle = idle_rules(all, i);
        if (idle < WORTH_A_LINE) {
            text_rule(out, r);
            i++;
            continue;
        }
        char *range = g_strdup_printf("%s to %s", r->rule->id, (r + idle - 1)->rule->id);
        fprintf(out, "  %-17s  %-14s  %s\n", range, rule_verdict_name(r->summary.verdict), r->summary.reason);
        g_free(range);
        i += idle;
    }
    g_array_unref(all);
}

static void text_finding(FILE *out, const finding *f)
{
    enum { SHOWN = 12 };
    fprintf(out, "%s %s (", rule_verdict_name(f->verdict), f->rule->id);
    if (f->rule->level != RULE_NOTE)
        fprintf(out, "%s, ", rule_level_name(f->rule->level));
    bool both = strcmp(f->rule->binds, "both") == 0;
    fprintf(out, "%s, binds %s%s)\n    %s\n", f->rule->section, both ? "" : "the ", f->rule->binds, f->message);
    if (f->frames->len > 0)
        fprintf(out, "    frame%s", f->frames->len == 1 ? "" : "s");
    for (guint i = 0; i < MIN(f->frames->len, SHOWN); i++)
        fprintf(out, " %u", g_array_index(f->frames, uint32_t, i));
    if (f->frames->len > SHOWN)
        fprintf(out, " and %u more", f->frames->len - SHOWN);
    fprintf(out, "%s%s\n", f->frames->len > 0 ? " of " : "    ", f->capture);
}

void report_verdict_text(FILE *out, const verifier *v, char *const *captures)
{
    counts c = count_all(v);
    for (size_t i = 0; i < verifier_finding_count(v); i++)
        text_finding(out, verifier_finding(v, i));
    fprintf(out, "%sRules\n", verifier_finding_count(v) > 0 ? "\n" : "");
    text_rules(out, v);
    unsigned files = 0;
    while (captures[files])
        files++;
    fprintf(out, "\n%u capture%s: %u violation%s, %u warning%s, %u rule%s inconclusive", files, files == 1 ? "" : "s",
            c.violations, c.violations == 1 ? "" : "s", c.warnings, c.warnings == 1 ? "" : "s", c.inconclusive,
            c.inconclusive == 1 ? "" : "s");
    if (c.notes > 0)
        fprintf(out, ", %u note%s", c.notes, c.notes == 1 ? "" : "s");
    fputc('\n', out);
}

static void print_rule(const rule *r, void *user)
{
    fprintf(user, "%-8s %-8s  %-27s  %-6s  %s%s\n", r->id, rule_level_name(r->level), r->section, r->binds, r->text,
            rule_is_observable(r) ? "" : " (not-observable)");
}

void report_rules(FILE *out)
{
    rules_each(print_rule, out);
}
