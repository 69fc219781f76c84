"""The text of a study.yml to fill in: each part with a word on what to write there, every claim a question mark."""

from __future__ import annotations

from collections.abc import Iterable

from asprinted.paper.drafted_trials import review_parts
from asprinted.paper.outcome_parts import Parts, of_outcome, quoted
from asprinted.paper.plan import Plan, slug

HEAD = """\
# yaml-language-server: $schema={schema}
# {title}
#
# How to fill this in: every "?" is a number or a text that the paper prints. Write it in quotes, exactly as it is printed ("0.50" is not "0.5";
# "<0.001" is of the kind inequality). Delete every claim whose number is not printed; add claims of the same form for others. Marks: P printed in
# the publication, S in another document that you read, C calculated from those, A assumed. `asprinted check` says what is left to do.
schema: 1
title: {title_text}

sources:
  - id: paper
    reference: {reference}{doi}
    read: "?"                    # which part you read, such as "the abstract"
"""
ROW = "Identifier of a person who does not exist; begins with synthetic-"


def study_text(plan: Plan, schema: str) -> str:
    """The text of study.yml for `plan`; `schema` is the way to the JSON schema that editors check it with."""
    doi = f"\n    doi: {quoted(plan.doi)}" if plan.doi else ""
    head = HEAD.format(schema=schema, title=plan.title.replace("\n", " "), title_text=quoted(plan.title), reference=quoted(plan.reference), doi=doi)
    parts = review_parts(plan) if plan.pools else _trial_parts(plan)
    return "\n".join([
        head, "tables:", *parts.tables, "", "design:", *parts.design, "", "models:", *parts.models, "",
        "claims:", *parts.claims, "", "# What the paper does not print, and the records need. Edit each value, and say why. A mean, SD or share is only where the draw starts:",
        "# the records come out near it, and chance decides the rest; with `by` and `bounds` beside it they are held to it.",
        *(["assumptions:", *parts.assumptions] if parts.assumptions else ["assumptions: {}"]), "",
    ])  # fmt: skip


def _trial_parts(plan: Plan) -> Parts:
    """The parts of a trial's study file: people, then each outcome in turn."""
    parts = Parts()
    each = [of_outcome(plan, outcome) for outcome in plan.outcomes]
    _tables(plan, parts, each)
    _people(plan, parts)
    _visits(plan, parts)
    parts.design += ["  outcomes:                      # made in this order, so that every claim about them prints"]
    for part in each:
        for name in ("design", "models", "claims", "assumptions"):
            getattr(parts, name).extend(getattr(part, name))
    return parts


def _tables(plan: Plan, parts: Parts, each: Iterable[Parts]) -> None:
    arms = ", ".join(quoted(name) for name, _ in plan.arms)
    parts.tables += ["  participants:", "    file: participants.csv", "    row: One randomised person", "    key: [id]", "    columns:"]
    parts.tables.append(f'      id: {{type: string, required: true, mark: A, says: "{ROW}"}}')
    if plan.clusters:
        parts.tables.append('      cluster: {type: string, required: true, mark: A, says: "Cluster that the person belongs to; whole clusters were randomised; their names are invented"}')
    parts.tables.append(f'      arm: {{type: string, required: true, mark: P, values: [{arms}], says: "Randomised arm"}}')
    if plan.groups:
        parts.tables.append('      programme_group: {type: string, mark: A, says: "Group that the person met in; empty in other arms, where there are none"}')
    parts.tables += [line for part in each for line in part.tables]
    if plan.times:
        parts.tables += ["  visits:", "    file: visits.csv", "    row: One person at one planned visit; what was asked is empty where the person was not seen", f"    key: [id, {plan.visit}]", "    parent: participants", "    columns:"]
        parts.tables.append(f'      id: {{type: string, required: true, mark: A, says: "{ROW}"}}')
        parts.tables.append(f'      {plan.visit}: {{type: integer, required: true, mark: P, values: [{", ".join(map(str, plan.times))}], unit: {plan.visit}s, says: "Planned time since baseline"}}')
        parts.tables += [line for part in each for line in part.visit_columns]


def _people(plan: Plan, parts: Parts) -> None:
    sizes = ", ".join(f"{quoted(name)}: randomised.{slug(name)}.n" for name, _ in plan.arms)
    parts.design += ["  people:", "    table: participants", f"    arms: {{column: arm, sizes: {{{sizes}}}}}"]
    parts.claims.append("  # Who took part")
    for name, size in plan.arms:
        parts.claim(f"randomised.{slug(name)}.n", size, f"People randomised to {name}", f"{{table: participants, statistic: count, filter: {{arm: {quoted(name)}}}}}")
    if plan.clusters:
        numbers = ", ".join(f"{quoted(name)}: clusters.{slug(name)}.n" for name, _ in plan.arms)
        parts.design.append(f"    clusters: {{column: cluster, number: {{{numbers}}}, spread: clusters.spread}}   # whole clusters are randomised")
        for (name, _), number in zip(plan.arms, plan.clusters, strict=True):
            parts.claim(f"clusters.{slug(name)}.n", number, f"Clusters randomised to {name}", f"{{table: participants, column: cluster, statistic: distinct, filter: {{arm: {quoted(name)}}}}}")
        parts.assume("clusters.spread", "How uneven the clusters are: SD of the logarithm of their sizes", "0.3", "Trials report largest clusters of about twice the smallest; the paper prints no sizes.")
    if plan.groups:
        name = plan.arms[0][0]
        parts.design.append(f"    groups: {{column: programme_group, arm: {quoted(name)}, smallest: group_size.least, largest: group_size.most}}")
        parts.assume("group_size.least", "Fewest people in a group", "6", "Groups of this size are usual; the paper prints none.")
        parts.assume("group_size.most", "Most people in a group", "12", "Groups of this size are usual; the paper prints none.")
    parts.design += [
        "    # Other columns of people, such as age and gender, go here; each needs its column in the table and its assumptions:",
        "    # covariates:",
        "    #   - {kind: whole, column: age, mean: age.mean, sd: age.sd}",
    ]


def _visits(plan: Plan, parts: Parts) -> None:
    if not plan.times:
        return
    asked = next(each.column for each in plan.outcomes if plan.at_visits(each))
    later = plan.times[1:]
    seen = "; ".join(f"{quoted(name)}: [randomised.{slug(name)}.n, {', '.join(f'seen.{slug(name)}.at_{time}' for time in later)}]" for name, _ in plan.arms).replace("; ", ", ")
    parts.design += [
        "  visits:", "    table: visits", f"    column: {plan.visit}", f"    times: [{', '.join(map(str, plan.times))}]",
        f"    seen: {{{seen}}}", "    # take `seen` out where everybody was seen every time; where a number is not printed, write a whole number in its place",
    ]  # fmt: skip
    for name, _ in plan.arms:
        for time in later:
            filter = f"{{arm: {quoted(name)}, {plan.visit}: {time}}}"
            parts.claim(f"seen.{slug(name)}.at_{time}", "?", f"People of {name} seen at {plan.visit} {time}", f"{{table: visits, column: {asked}, statistic: observed, filter: {filter}}}")
