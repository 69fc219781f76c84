"""What each statistic is that an entry's `by` may ask for: of the rows of a table, of a model's contrast or test, of a pool of trials."""

from __future__ import annotations

from collections.abc import Iterable

OF_TABLE = {
    "count": "how many rows there are: people, where a row is a person",
    "observed": "how many of the rows have a value in the column, such as people followed up",
    "percent_observed": "the per cent of the rows that have a value in the column, such as the share followed up",
    "sum": "what the values add up to; of a column of 1 and 0 how many have 1",
    "percent": "of a column of 1 (yes) and 0 (no): the per cent with 1, among those with a value",
    "percent_equal": "the per cent whose value is the one in 'equals', among those with a value",
    "percent_at_least": "the per cent whose value is the number in 'at_least' or more, among those with a value",
    "mean": "the mean",
    "sd": "the standard deviation, divided by one less than the number of values",
    "se": "the standard error of the mean: the SD over the root of the number of values",
    "lo": "the lower end of the 95% interval of the mean, by Student's t",
    "hi": "the upper end of the 95% interval of the mean, by Student's t",
    "median": "the value in the middle",
    "q1": "the lower quartile",
    "q3": "the upper quartile",
    "iqr": "the distance between the quartiles: the upper less the lower",
    "minimum": "the least value",
    "maximum": "the greatest value",
    "skewness": "the skewness: 0 where values lie alike on both sides of the mean, above 0 where a few are very large",
    "rate": "events for a time: what the column adds up to over the time at risk in 'exposure', times 'per'",
    "survival": "of a column of times with its 'event': the per cent still without the event at the time 'at', by Kaplan and Meier's curve",
    "incidence": "100 less the survival at the time 'at': the per cent with the event by then, by Kaplan and Meier's curve",
    "survival_median": "the time by which half have had the event, by Kaplan and Meier's curve",
    "distinct": "how many different values there are, such as the number of centres or clusters",
    "values": "the different values themselves, as words, with semicolons between",
    "smallest_count": "how many rows have the rarest value, such as the people of the smallest group",
    "largest_count": "how many rows have the commonest value, such as the people of the largest group",
    "smallest_sum": "the least that several columns add up to in one row",
    "correlation": "Pearson's correlation of the column with itself, between the two visits of 'between'",
    "icc": "the intraclass correlation, within groups, of the change between the two visits of 'between'",
    "lost_difference": "how far the mean at the first visit of 'between' of those not seen at the second lies above that of those seen, in SDs",
    "returned": "of those not seen at the first visit of 'between', the share seen at the second",
    "share_at_minimum": "the share, from 0 to 1, of values at the least that the column may hold",
    "share_at_maximum": "the share, from 0 to 1, of values at the greatest that the column may hold",
    "largest_share": "the share, from 0 to 1, of the commonest value that is at neither bound of the column",
    "share_deviation": "of an assumption of shares alone: the largest distance between a value's share in the records and the assumed one",
    "duplicates": "how many people have the same scores at every visit as somebody else",
}
OF_MODEL = {
    "est": "the estimate of the contrast: a difference, or, of a family of ratios, an odds, risk, rate or hazard ratio; of a correlation, the coefficient",
    "se": "the standard error of the estimate; of a ratio, that of its logarithm",
    "lo": "the lower end of the estimate's interval, of 95% unless the model gives another level",
    "hi": "the upper end of the estimate's interval, of 95% unless the model gives another level",
    "p": "the two-sided p value of the contrast, or of the test",
    "t": "t or z, whichever the test takes: the estimate, of a ratio its logarithm, over its standard error",
    "reduction": "by how many per cent a ratio lies below 1",
    "nnt": "the number needed to treat, or to harm: 100 over the size of a risk difference in percentage points",
    "nnt_lo": "the number needed to treat at the end of the interval that lies farther from no difference",
    "nnt_hi": "the number needed to treat at the end of the interval that lies nearer to no difference",
    "d": "Cohen's d: the difference over the model's residual standard deviation",
    "d_lo": "the lower end of the interval of Cohen's d",
    "d_hi": "the upper end of the interval of Cohen's d",
    "f": "the F statistic of a contrast, or of a list of them together",
    "chi2": "the chi-squared statistic of a test; of contrasts Wald's, of one or of a list of them together",
    "joint_p": "the p value of a list of contrasts together, such as all arms",
    "r2": "the share, from 0 to 1, of the outcome's variance that the model explains: R², not adjusted",
}
OF_POOL = {
    "est": "the pooled effect; of ratios a ratio",
    "se": "the standard error of the pooled effect; of ratios that of its logarithm",
    "lo": "the lower end of the pooled effect's interval, of 95% unless the model gives another level",
    "hi": "the upper end of the pooled effect's interval, of 95% unless the model gives another level",
    "p": "the two-sided p value of the pooled effect",
    "k": "how many trials have an effect in the pool",
    "n": "how many people these trials have",
    "tau2": "tau²: the variance of the true effects between trials",
    "q": "Cochran's Q: the test statistic of heterogeneity",
    "q_p": "the p value of Cochran's Q",
    "i2": "I²: the per cent of the variation between trials that is more than chance",
    "prediction_lo": "the lower end of the interval in which the effect of a new trial is expected",
    "prediction_hi": "the upper end of the interval in which the effect of a new trial is expected",
    "percent_below": "the per cent of trials with an effect that lies, with its whole interval, below no effect",
    "lead": "by how much the pooled effect of the value that the filter names last exceeds the largest among that column's other values",
    "q_between": "the test statistic of a difference between subgroups of trials: those that the values of 'column' make",
    "between_p": "the p value of that test of a difference between subgroups of trials",
    "egger": "the slope of Egger's regression of effects on their standard errors",
    "egger_p": "the p value of Egger's test",
}
GROUPS = {"a table": OF_TABLE, "a model": OF_MODEL, "a pool of trials": OF_POOL}  # what `by` asks → its statistics


def told(names: Iterable[str], of: str) -> str:
    """The names, each with what it is `of` that (a key of GROUPS), a line each."""
    return ",\n    ".join(f"{name} ({GROUPS[of][name]})" for name in names)


def given_by(name: str) -> str:
    """A sentence on what gives a statistic, and what it is there."""
    found = [f"of {of} it is {names[name]}" for of, names in GROUPS.items() if name in names]
    said = f"{'; '.join(found)}." if found else ""
    return said[:1].upper() + said[1:]
