"""What a study file holds on one outcome: its column, how it is made, the analyses, the claims to fill in, and what must be assumed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal

from asprinted.paper.plan import Outcome, Plan, fault, slug
from asprinted.study.together import Together, lines

ESTIMATE = {"est": "", "lo": ", lower end of the 95% interval", "hi": ", upper end of the 95% interval", "p": ", p value"}
EFFECTS = {
    "linear": "Difference in {}", "welch": "Difference in {}", "ancova": "Difference in {} adjusted for baseline", "mixed": "Difference in {}",
    "logistic": "Odds ratio of {}", "gee-logistic": "Odds ratio of {}", "risk-ratio": "Risk ratio of {}", "risk-difference": "Risk difference of {}, percentage points",
    "poisson": "Rate ratio of {}", "negative-binomial": "Rate ratio of {}", "ordinal": "Common odds ratio of a higher {}", "cox": "Hazard ratio of {}",
}  # fmt: skip
TESTS = {"log-rank": "log-rank test of {}", "rank-sum": "rank-sum test of {}", "chi-squared": "chi-squared test of {}"}  # asked without a contrast
TO_TREAT = {"nnt": "", "nnt_lo": ", lower end of the 95% interval", "nnt_hi": ", upper end of the 95% interval"}
OF_NNT = [
    "  # A number needed to treat has no sign here: it is one over the size of the risk difference, of benefit and of harm alike; leave a printed minus out.",
    "  # nnt_lo is the smaller number, from the end of the risk difference farther from none; nnt_hi is the larger, and none where the interval holds no difference.",
]
OF_ALL_VISITS = ("gee-logistic",)  # analyses that take every visit after the first at once
FAMILIES = {"welch": "linear", "ancova": "linear"}
START_R = "0.5"  # of a score before and after treatment, to start from


@dataclass
class Parts:
    """Lines of a study file, gathered: of its tables (people's and the visits' columns), design, models, claims and assumptions."""

    tables: list[str] = field(default_factory=list)
    visit_columns: list[str] = field(default_factory=list)
    design: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def claim(self, id: str, printed: str, says: str, by: str) -> None:
        """Add a number to fill in, recomputed as `by` says."""
        self.claims += [f"  {id}:", f'    {{printed: {quoted(printed)}, says: {quoted(says)}, kind: number, mark: P, source: paper, where: "abstract",', f"     by: {by}}}"]

    def assume(self, id: str, says: str, value: str | dict[str, str], reason: str) -> None:
        """Add an assumption; `value` is text, or names with text."""
        shown = quoted(value) if isinstance(value, str) else "{" + ", ".join(f"{quoted(name)}: {quoted(share)}" for name, share in value.items()) + "}"
        self.assumptions += [f"  {id}:", f"    {{value: {shown}, mark: A, says: {quoted(says)},", f"     reason: {quoted(reason)}}}"]


def quoted(text: str) -> str:
    """A text as YAML holds it on one line."""
    return json.dumps(text, ensure_ascii=False)


def of_outcome(plan: Plan, outcome: Outcome) -> Parts:
    """The Parts of one outcome of the plan. Raises StudyError where an analysis does not fit the design."""
    parts, column = Parts(), outcome.column
    at_visits = plan.at_visits(outcome)
    (parts.visit_columns if at_visits else parts.tables).append(f"      {column}: {_spec(outcome)}")
    before = baseline(plan, outcome)
    if before:
        parts.tables.insert(0, f"      {before}: {_spec(replace(outcome, column=before))}")
    if outcome.kind == "time":
        parts.tables.append(f'      {outcome.event}: {{type: integer, mark: P, values: [0, 1], says: "The event came on that day (1), or the person was followed to that day without it (0)"}}')
    parts.claims += ["", f"  # {column}"]
    _entry(plan, outcome, parts, at_visits)
    if outcome.kind == "time":
        parts.claims[1] = f"  # {column} to {outcome.event}"
    for arm, _ in plan.arms:
        _of_arm(plan, outcome, parts, arm, at_visits)
    for analysis in outcome.analyses:
        each_visit = at_visits and analysis not in OF_ALL_VISITS and not (analysis == "mixed" and not plan.clusters)
        for visit in plan.times[1:] if each_visit else [plan.times[-1] if at_visits else None]:
            _model(plan, outcome, analysis, parts, visit)
    return parts


def _spec(outcome: Outcome) -> str:
    """The column as the table declares it."""
    says = f'label: {quoted(outcome.column.replace("_", " ").capitalize())}, says: '
    if outcome.kind == "yes-no":
        return f'{{type: integer, mark: P, values: [0, 1], {says}"Yes (1) or no (0); empty where it is not known"}}'
    if outcome.kind == "category":
        return f'{{type: string, mark: P, values: [{", ".join(map(quoted, outcome.values))}], {says}"Which of the categories"}}'
    if outcome.kind == "ordinal":
        low, high = map(int, map(float, outcome.ends or ("0", "0")))
        return f'{{type: integer, mark: P, values: [{", ".join(map(str, range(low, high + 1)))}], {says}"Ordered categories; say what the lowest and the highest mean"}}'
    if outcome.kind == "count":
        return f'{{type: integer, mark: P, minimum: 0, {says}"How often; empty where it is not known"}}'
    if outcome.kind == "time":
        return f'{{type: integer, mark: P, minimum: 0, unit: days, {says}"Days from randomisation to the event, or to the end of follow-up without it"}}'
    if outcome.ends is None:
        return f'{{type: number, decimals: 1, mark: P, unit: "?", {says}"Score; say whether higher is better"}}'
    decimals = max(max(0, -Decimal(end).as_tuple().exponent) for end in outcome.ends)
    kind = f"number, decimals: {decimals}" if decimals else "integer"
    return f'{{type: {kind}, mark: P, minimum: {outcome.ends[0]}, maximum: {outcome.ends[1]}, unit: points, {says}"Score; say whether higher is better"}}'


def _entry(plan: Plan, outcome: Outcome, parts: Parts, at_visits: bool) -> None:
    """How the column is made: its entry of design › outcomes, with the assumptions that it names."""
    column, kind = outcome.column, outcome.kind
    fields = [f"column: {column}", f"kind: {kind}"]
    hints: list[str] = []
    if not at_visits:
        fields.append("seen: {" + ", ".join(f"{quoted(arm)}: {column}.{slug(arm)}.n" for arm, _ in plan.arms) + "}")
        hints.append("take `seen` out where everybody has a value")
    before = baseline(plan, outcome)
    if before:
        fields.append(f"follows: {{{before}: {column}.r}}")
        parts.design.append(f"    - {{column: {before}, kind: score, mean: {before}.mean, sd: {before}.sd}}")
        parts.design.append("      # the score before treatment, that the analysis adjusts for; where its mean and SD are printed, make them claims, and take `mean` and `sd` out here")
        (mean, sd), where = (_usual(outcome), ("The middle of the scale", "A sixth of the width of the scale")) if outcome.ends else (("?", "?"), ("Usual", "Usual"))
        parts.assume(f"{before}.mean", f"Mean {column} before treatment that the draw starts from", mean, f"{where[0]}, only to start from; the paper prints none.")
        parts.assume(f"{before}.sd", f"SD of {column} before treatment that the draw starts from", sd, f"{where[1]}, only to start from; the paper prints none.")
        _held_in_arms(plan, outcome, before, parts)
        parts.assume(f"{column}.r", f"Correlation of {column} before and after treatment", START_R, "Scores of the same people a few months apart usually correlate by 0.4 to 0.7; the paper prints none.")
        if outcome.ends:
            hints.append(f"where the paper prints how far it changed, make {column} that change, let its scale go as far down as up, and write here change: {{{before}: fall}} (the start less the end) or {{{before}: rise}}, so that both ends keep to the scale")
    if kind == "score":
        usual = _usual(outcome)
        about = f" (such as {usual[0]} and {usual[1]}: the middle of the scale, and a sixth of its width)" if usual else ", in units of the score"
        hints.append(f"where no mean or SD is printed, assume one to start from: mean: {column}.mean, sd: {column}.sd{about}; the records come out near it")
    if kind in ("score", "yes-no"):
        hints += _cuts(plan, outcome)
    if at_visits:
        fields.append(f"r: {column}.r")
        parts.assume(f"{column}.r", f"Correlation of {column} at neighbouring visits", "0.6", "Scores of the same people a few months apart usually correlate by 0.5 to 0.7; the paper prints none.")
    if kind == "yes-no" and at_visits:
        first, *later = plan.times
        shares = ", ".join(f"{time}: {column}.share_{time}" for time in plan.times)
        fields.append(f"share: {{{shares}}}")
        by_arm = ", ".join(f"{quoted(arm)}: …" for arm, _ in plan.arms)
        hints.append(f"where a share differs by arm, name an assumption for each: {plan.times[-1]}: {{{by_arm}}}")
        parts.assume(f"{column}.share_{first}", f"Share with {column} at the first visit, as a fraction", "0", "Nobody at the start; edit it where some have it then.")
        for time in later:
            parts.assume(f"{column}.share_{time}", f"Share with {column} at {plan.visit} {time} that the draw starts from, as a fraction", "0.3", "To start from; printed counts and percentages take over.")
    elif kind == "yes-no":
        hints.append(f"where no count or percentage is printed, assume a share to start from: share: {column}.share (such as 0.3)")
    if kind == "count":
        fields.append(f"spread: {column}.spread")
        parts.assume(f"{column}.spread", f"How people differ in {column}: SD of the logarithm of their own rates", "0.5", "Counts of this kind vary more between people than chance alone would have it; the paper prints no spread.")
    if kind in ("ordinal", "category"):
        values = outcome.values or tuple(str(code) for code in range(int(float(outcome.ends[0])), int(float(outcome.ends[1])) + 1))
        fields.append(f"shares: {column}.shares")
        parts.assume(f"{column}.shares", f"Share of each value of {column} that the draw starts from", _even(values), "Even shares to start from; what is printed takes over. Better: what papers on like people print.")
    if kind == "time":
        fields += [f"event: {outcome.event}", f"share: {column}.share", f"follow_up: [{column}.least, {column}.most]"]
        parts.assume(f"{column}.share", "Share of people with the event that the draw starts from, as a fraction", "0.3", "To start from; the printed events take over.")
        parts.assume(f"{column}.least", "Shortest follow-up of people without the event, in days", "365", "Everybody was to be followed for a year: edit it to the paper's follow-up.")
        parts.assume(f"{column}.most", "Longest follow-up of people without the event, in days", "365", "Everybody was to be followed for a year: edit it to the paper's follow-up.")
    if plan.clusters:
        fields.append(f"icc: {column}.icc")
        parts.assume(f"{column}.icc", f"Share of the variance of {column} that lies between clusters", "0.05", "Usual for such outcomes in primary care; the paper prints none.")
    parts.design += [f"    - {{{', '.join(fields)}}}", *(f"      # {hint}" for hint in hints)]


def _held_in_arms(plan: Plan, outcome: Outcome, before: str, parts: Parts) -> None:
    """Lines, as comments, that hold the correlation with the score before treatment near what is assumed in each arm."""
    held = [lines(Together(outcome.column, before, "participants", arm, None, {"arm": arm}, f"{outcome.column}.r", float(START_R), 0)) for arm, _ in plan.arms]
    parts.models += [f"  # {outcome.column}.r is only where the draw starts from. To hold it in each arm, take the # away here and at the lines like these below assumptions:"]
    parts.models += [f"  # {model.strip()}" for model, _ in held]
    parts.assumptions += [f"  # in each arm, together with the models {held[0][0].split(':')[0].strip()} and so on (take the # away there too):"]
    parts.assumptions += [f"  # {assumption.strip()}" for _, assumption in held]


def baseline(plan: Plan, outcome: Outcome) -> str:
    """The column of people that holds a score before treatment, where an analysis adjusts for it and there are no visits; else empty."""
    return f"{outcome.column}_start" if "ancova" in outcome.analyses and not plan.times else ""


def _usual(outcome: Outcome) -> tuple[str, str] | None:
    """The middle of a score's scale and a sixth of its width, in a decimal more than its ends; None where no scale was given."""
    if outcome.ends is None:
        return None
    low, high = map(Decimal, outcome.ends)
    digits = Decimal(1).scaleb(min(low.as_tuple().exponent, high.as_tuple().exponent) - 1)
    return str(((low + high) / 2).quantize(digits)), str(((high - low) / 6).quantize(digits))


def _cuts(plan: Plan, outcome: Outcome) -> list[str]:
    """What to write where the outcome is a score of which another is a cut, or a cut of one."""
    score, yes_no = ([each.column for each in plan.outcomes if each.kind == kind] for kind in ("score", "yes-no"))
    if outcome.kind == "score" and yes_no:
        own = next(each for each in plan.outcomes if each.column == yes_no[0])
        visit = f", at: {plan.times[-1]}" if plan.times and not plan.at_visits(own) else ""
        return [f"where a yes/no, such as {yes_no[0]}, is a cut of this score: list it before the score, and write here cut: {{{yes_no[0]}: {{from: …{visit}}}}}, or `to` where yes is low; a score halved since the start is {{to: 0.5, of: {outcome.column}_start{visit}}}, where that column stands"]
    if outcome.kind == "yes-no" and score:
        return ["where this is a cut of a score (so many points or more): see `cut` there"]
    return []


def _even(values: tuple[str, ...]) -> dict[str, str]:
    """An even share for each value, in hundredths or finer, that add up to exactly one."""
    digits = Decimal("0.01") if len(values) <= 20 else Decimal("1e-4")
    share = (1 / Decimal(len(values))).quantize(digits, rounding="ROUND_DOWN")
    return {value: str(share if place else 1 - share * (len(values) - 1)) for place, value in enumerate(values)}


def _of_arm(plan: Plan, outcome: Outcome, parts: Parts, arm: str, at_visits: bool) -> None:
    """The claims about one arm alone."""
    column, name, table = outcome.column, slug(arm), "visits" if at_visits else "participants"

    def asked(id: str, says: str, statistic: str, of: str = column, more: str = "", visit: int | None = None) -> None:
        filter = f"arm: {quoted(arm)}" + ("" if visit is None else f", {plan.visit}: {visit}")
        parts.claim(f"{column}.{name}.{id}", "?", says, f"{{table: {table}, column: {of}, statistic: {statistic}{more}, filter: {{{filter}}}}}")

    if not at_visits:
        asked("n", f"People of {arm} whose {column} is known", "observed")
    if outcome.kind == "score":
        for visit in plan.times if at_visits else (None,):
            when, end = ("", "") if visit is None else (f" at {plan.visit} {visit}", f"_{visit}")
            asked(f"mean{end}", f"Mean {column}, {arm}{when}", "mean", visit=visit)
            asked(f"sd{end}", f"SD of {column}, {arm}{when}", "sd", visit=visit)
    elif outcome.kind == "yes-no":
        for visit in plan.times[1:] if at_visits else (None,):
            when, end = ("", "") if visit is None else (f" at {plan.visit} {visit}", f"_{visit}")
            asked(f"events{end}", f"People of {arm} with {column}{when}", "sum", visit=visit)
            asked(f"percent{end}", f"Per cent of {arm} with {column}{when}", "percent", visit=visit)
    elif outcome.kind == "count":
        asked("total", f"Total of {column}, {arm}", "sum")
        asked("mean", f"Mean {column}, {arm}", "mean")
    elif outcome.kind == "ordinal":
        asked("median", f"Median {column}, {arm}", "median")
    elif outcome.kind == "category":
        for value in outcome.values:
            asked(f"{slug(value)}_percent", f"Per cent of {arm} with {column} {value}", "percent_equal", more=f", equals: {quoted(value)}")
    else:
        asked("events", f"People of {arm} with the event {outcome.event}", "sum", of=outcome.event)
        asked("median", f"Median {column} to {outcome.event}, {arm} (Kaplan-Meier)", "survival_median", more=f", event: {outcome.event}")


def _model(plan: Plan, outcome: Outcome, analysis: str, parts: Parts, visit: int | None) -> None:
    """One analysis: its model, with a contrast of each arm against the last, and the claims on it. visit: the one whose rows it takes, or the last of all; None of people."""
    asked, at_visits = outcome.event if outcome.kind == "time" else outcome.column, visit is not None
    last_alone = visit == (plan.times[-1] if at_visits else None)
    end = "" if last_alone else f"_{visit}"
    name, family = f"{outcome.column}_{analysis}{end}".replace("-", "_"), FAMILIES.get(analysis, analysis)
    reference = plan.arms[-1][0]
    in_arms = "C(arm, Treatment(" + json.dumps(reference, ensure_ascii=False) + "))"
    fields, says = _fields(plan, outcome, analysis, in_arms, visit)
    parts.models += [f"  {name}:", f"    family: {family}", f"    says: {quoted(says)}", f"    table: {'visits' if at_visits else 'participants'}", *(f"    {line}" for line in fields)]
    if analysis in ("logistic", "risk-ratio", "risk-difference") and not plan.clusters and len(plan.arms) == 2:
        counts = ", ".join(f"{quoted(arm)}: {{events: {_of(outcome, arm, 'events', visit)}, people: {_people(outcome, arm, visit)}}}" for arm, _ in plan.arms)
        parts.models += [f"    counts: {{{counts}}}", "    # take `counts` out where the analysis is adjusted, or the counts are not printed"]
        if analysis == "logistic":
            parts.models.append("    # adjusted for a score at the start: put that score among the columns of participants and first among the outcomes, and add its name to the formula")
    if analysis == "chi-squared":
        parts.claim(f"{outcome.column}.chi_squared{end}.chi2", "?", f"Chi-squared of {outcome.column}", f"{{model: {name}, outcome: {asked}, statistic: chi2}}")
    if analysis in TESTS:
        parts.claim(f"{outcome.column}.{analysis.replace('-', '_')}{end}.p", "?", f"P value of the {TESTS[analysis].format(outcome.column)}", f"{{model: {name}, outcome: {asked}, statistic: p}}")
        return
    parts.models.append("    contrasts:")
    in_time = analysis == "mixed" and at_visits and not plan.clusters
    single = len(outcome.analyses) == 1
    for arm, _ in plan.arms[:-1]:
        terms = [(1, arm, visit), (-1, reference, visit)] + ([(-1, arm, plan.times[0]), (1, reference, plan.times[0])] if in_time else [])
        at = ", ".join(f"{{weight: {weight}, at: {{arm: {quoted(each)}{f', {plan.visit}: {time}' if in_time else ''}}}}}" for weight, each, time in terms)
        parts.models.append(f"      {slug(arm)}: [{at}]")
        when = f" at {plan.visit} {visit}" if at_visits and analysis not in OF_ALL_VISITS and not in_time and len(plan.times) > 2 else ""
        what = EFFECTS[analysis].format(outcome.event or outcome.column) + (" in change from baseline" if in_time else when) + f", {arm} against {reference}"
        wanted = {statistic: what + rest for statistic, rest in ESTIMATE.items()}
        if analysis == "risk-difference":
            wanted |= {statistic: f"Number needed to treat for {outcome.column}{when}, {arm} against {reference}{rest}" for statistic, rest in TO_TREAT.items()}
        for statistic, asks in wanted.items():
            parts.claims += OF_NNT if statistic == "nnt" else []
            id = f"{outcome.column}.{slug(arm)}{end and f'.at{end}'}.{statistic if single else f'{analysis}_{statistic}'.replace('-', '_')}"
            parts.claim(id, "?", asks, f"{{model: {name}, outcome: {asked}, contrast: {slug(arm)}, statistic: {statistic}}}")


def _of(outcome: Outcome, arm: str, what: str, visit: int | None) -> str:
    """The id of a claim about one arm, at a visit where there is one."""
    return f"{outcome.column}.{slug(arm)}.{what}{'' if visit is None else f'_{visit}'}"


def _people(outcome: Outcome, arm: str, visit: int | None) -> str:
    """The id of the claim on how many people of an arm have a value, at a visit where there is one."""
    return f"{outcome.column}.{slug(arm)}.n" if visit is None else f"seen.{slug(arm)}.at_{visit}"


def _fields(plan: Plan, outcome: Outcome, analysis: str, in_arms: str, visit: int | None) -> tuple[list[str], str]:
    """The fields of a model beside its family and table, as lines; and what it says. visit: the one whose rows it takes; None of people."""
    right, fields, of, at_visits = in_arms, [], outcome.column, visit is not None
    rows = [f"rows: {{{plan.visit}: {visit}}}"] if at_visits else []
    when = "" if not at_visits else " at the last visit" if visit == plan.times[-1] else f" at {plan.visit} {visit}"
    at_start = [f"baseline: {{column: {plan.visit}, value: {plan.times[0]}}}"] if at_visits else []
    robust = ["covariance: robust", "groups: cluster"] if plan.clusters else []
    clustered = ", standard errors robust by cluster" if plan.clusters else ""
    if analysis == "linear":
        fields, says = [*rows, "estimator: OLS", "test: t", *robust], f"Difference in means of {of}; t test{clustered}"
    elif analysis == "welch":
        right, fields, says = "arm", [*rows, "estimator: OLS", "test: welch"], f"Difference in means of {of}; Welch's t test"
    elif analysis == "ancova":
        right, fields = f"{in_arms} + {baseline(plan, outcome) or 'baseline'}", [*rows, *at_start, "estimator: OLS", "test: t", *robust]
        says = f"Difference in {of}{when}, adjusted for the same score at baseline (analysis of covariance){clustered}"
    elif analysis == "mixed" and plan.clusters:
        right, fields = f"{in_arms} + baseline" if at_visits else in_arms, [*rows, *at_start, "groups: cluster", "estimator: REML", "test: wald-z"]
        says = f"Linear mixed model of {of} with one random intercept a cluster{', adjusted for the same score at baseline' if at_visits else ''}; REML; Wald z test"
    elif analysis == "mixed":
        if not at_visits:
            raise fault("--analysis", f"{of}=mixed", "A mixed model needs visits or clusters: add --visits 0,3,12 or --clusters 12, or ask for linear.")
        right, fields = f"C({plan.visit}) * {in_arms}", ["groups: id", "estimator: REML", "test: wald-z"]
        says = f"Linear mixed model of {of} at all visits, with visit, arm and their interaction, one random intercept a person; REML; Wald z test of the change to the last visit"
    elif analysis == "gee-logistic":
        if not plan.clusters and not at_visits:
            at_them = f" For the same people at several visits: --outcome yes-no:{of}:visits." if plan.times else ""
            raise fault("--analysis", f"{of}=gee-logistic", f"It takes clusters: add --clusters 12 where whole clusters were randomised, or ask for logistic.{at_them}")
        later = [f"rows: {{{plan.visit}: [{', '.join(map(str, plan.times[1:]))}]}}"] if at_visits else []
        right = f"{in_arms} + C({plan.visit})" if len(plan.times) > 2 and at_visits else in_arms
        fields = [*later, f"groups: {'cluster' if plan.clusters else 'id'}", "estimator: GEE"]
        says = f"Logistic regression of {of}{' at every visit after the first' if at_visits else ''} by generalised estimating equations, standard errors robust by {'cluster' if plan.clusters else 'person'}"
    elif analysis in ("logistic", "poisson", "negative-binomial", "ordinal"):
        kind = {"logistic": "Logistic", "poisson": "Poisson", "negative-binomial": "Negative binomial", "ordinal": "Proportional odds"}[analysis]
        modified = analysis == "poisson" and outcome.kind == "yes-no"
        fields = [*rows, *(robust if analysis in ("logistic", "poisson") and plan.clusters else ["covariance: robust"] if modified else [])]
        says = f"{kind} regression of {of}{when}{clustered if fields and plan.clusters else ', standard errors robust (modified Poisson)' if modified else ''}; Wald z test"
    elif analysis in ("risk-ratio", "risk-difference"):
        return [*rows, "missing: leave-out"], f"{'Ratio' if analysis == 'risk-ratio' else 'Difference'} of the two shares with {of}{when} among people whose outcome is known"
    elif analysis == "cox":
        fields, says = [f"time: {of}", f"ties: {'breslow' if plan.clusters else 'efron'}", *robust], f"Cox regression of {of} to {outcome.event}{clustered}; Wald z test"
    elif analysis == "log-rank":
        right, fields, says = "arm", [f"time: {of}"], f"Log-rank test of {of} to {outcome.event}"
    else:
        right, fields, says = "arm", [*rows], TESTS[analysis].format(of)[0].upper() + TESTS[analysis].format(of)[1:]
    formula = f"{{outcome}} ~ {right}".replace("'", "''")
    return [f"formula: '{formula}'", *fields], says
