"""Do printed numbers agree with each other? Decided from print alone, before any data.

Every check takes printed texts and gives a `Finding`: possible, with values that print every number; contradictory, with a
proof and the smallest set of numbers in conflict; or undecided. Nothing here needs more than the standard library and
`asprinted.printed`, so that it also runs in a reader's browser.

>>> from asprinted.consistency import triples
>>> triples.check(hi="0.90", p=".30", scale="log").verdict
'contradictory'
"""

from asprinted.consistency.conflict import Finding

__all__ = ["Finding"]
