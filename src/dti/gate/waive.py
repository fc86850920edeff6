"""Rules that a person may set aside for rows they vouch for, and the suite without them.

A rule about what a record says can be wrong about one record, and a person may know better. What cannot be read, has
no unit, or cannot be told from another row of its key, nobody can vouch for: there would be nothing to load.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from dti.gate.held import UNIQUENESS
from dti.gate.suite import Suite
from dti.gate.tally import QUARANTINE_SHARE

RETYPED = "retyped:"


def waivable(rule: str, suite: Suite) -> bool:
    """Whether a person may set this rule aside."""
    if rule == QUARANTINE_SHARE or rule.startswith(RETYPED):
        return True
    return any(each.rule == rule and each.type not in UNIQUENESS for each in suite.expectations)


def without(suite: Suite, waived: Container[str]) -> Suite:
    """The suite with ``waived`` rules judged and recorded, but holding back nothing and stopping nothing."""
    return replace(
        suite,
        expectations=[
            each.model_copy(update={"severity": "info"}) if each.rule in waived and waivable(each.rule, suite) else each
            for each in suite.expectations
        ],
    )
