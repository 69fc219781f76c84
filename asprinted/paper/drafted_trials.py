"""What a study file of a meta-analysis holds: its trials, what each reports, the model that pools them, and the claims on each pool."""

from __future__ import annotations

from asprinted.paper.outcome_parts import Parts, quoted
from asprinted.paper.plan import MEASURES, Plan, slug

ROW = "Identifier of a trial that does not exist; begins with synthetic-"
COUNT, SCORE = "{{type: integer, required: true, mark: A, minimum: {low}, unit: people, says: {says}}}", "{{type: number, required: true, mark: A, decimals: 2, says: {says}}}"
STATISTICS = {
    "k": "trials", "n": "people", "est": "{measure}", "lo": "lower end of the 95% interval", "hi": "upper end of the 95% interval", "p": "p value", "i2": "I² in per cent",
    "tau2": "variance between trials, τ²", "q": "Cochran's Q", "q_p": "p value of Q",
}  # fmt: skip


def review_parts(plan: Plan) -> Parts:
    """The Parts of a plan that has pools, all of one measure."""
    parts, measure = Parts(), plan.pools[0].measure
    columns, effect = _cells(measure)
    names = ", ".join(quoted(pool.outcome) for pool in plan.pools)
    parts.tables += [
        "  trials:", "    file: trials.csv", "    row: One randomised trial", "    key: [id]", "    columns:", f'      id: {{type: string, required: true, mark: A, says: "{ROW}"}}',
        '      n: {type: integer, required: true, mark: A, minimum: 2, unit: people, label: "People randomised", says: "People randomised in both arms together; the total is printed"}',
        "      # A column of kinds of trials, for subgroups; claims about one name it in a filter:",
        "      # setting: {type: string, required: true, mark: P, values: [clinic, online], says: \"Where it took place\"}",
        "  results:", "    file: results.csv", "    row: One outcome of one trial", "    key: [id, outcome]", "    parent: trials", "    columns:",
        f'      id: {{type: string, required: true, mark: A, says: "{ROW}"}}',
        f'      outcome: {{type: string, required: true, mark: P, values: [{names}], says: "What was measured"}}', *columns,
    ]  # fmt: skip
    parts.design += [
        "  trials:", "    table: trials", "    number: trials.all.n", "    people: {column: n, total: people.all.n}   # smallest and spread of sizes can be given too",
        "    effects: {table: results, model: pooled}   # what each pool starts from is taken from print",
    ]  # fmt: skip
    parts.models += [
        "  pooled:", "    family: random-effects", f'    says: "Random-effects meta-analysis of {MEASURES[measure]}s, DerSimonian and Laird\'s variance between trials, Wald interval"',
        "    table: results", "    outcome_column: outcome", f"    effect: {effect}", "    estimator: DL      # or REML, PM, common", "    test: wald-z       # or knapp-hartung",
    ]  # fmt: skip
    parts.claims.append("  # Which trials")
    parts.claim("trials.all.n", "?", "Randomised trials", "{table: trials, statistic: count}")
    parts.claim("people.all.n", "?", "People in all trials", "{table: trials, column: n, statistic: sum}")
    for pool in plan.pools:
        parts.claims += ["", f"  # {pool.outcome}"]
        for statistic, says in STATISTICS.items():
            by = f"{{model: pooled, outcome: {quoted(pool.outcome)}, statistic: {statistic}}}"
            parts.claim(f"{slug(pool.outcome)}.all.{statistic}", "?", f"{pool.outcome}: {says.format(measure=MEASURES[measure])}", by)
    return parts


def _cells(measure: str) -> tuple[list[str], str]:
    """The columns of what a trial reports, as lines, and the `effect` that names them."""
    arms = ("first", "second")
    parts = {"n": "People with the outcome, {} arm"} | ({"mean": "Mean score, {} arm", "sd": "Standard deviation, {} arm"} if measure in ("smd", "md") else {} if measure == "hr" else {"events": "People with the event, {} arm"})
    lines, named = [], [f"measure: {measure}"]
    for part, says in parts.items():
        named.append(f"{part}: [{', '.join(f'{part}_{arm}' for arm in arms)}]")
        form = COUNT if part in ("n", "events") else SCORE
        lines += [f"      {part}_{arm}: {form.format(says=quoted(says.format(arm)), low=2 if part == 'n' else 0)}" for arm in arms]
    if measure == "hr":
        named.append("log: log_hr, se: se_hr")
        for name, says in (("log_hr", "Logarithm of the hazard ratio"), ("se_hr", "Its standard error")):
            lines.append(f"      {name}: {SCORE.format(says=quoted(says)).replace('decimals: 2', 'decimals: 4')}")
    return lines, f"{{{', '.join(named)}}}"
