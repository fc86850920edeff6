"""The gate: types every landed batch, checks it against its feed's suite, and parts good rows from bad.

Always ``rows_landed = rows_passed + rows_quarantined``. Great Expectations is imported by the first batch that is
judged (it takes seconds), not by this package.
"""

from dti.gate.errors import GateError
from dti.gate.judgement import judge
from dti.gate.lint import lint_suite
from dti.gate.staging import at_hand, clear, load_verdict
from dti.gate.verdict import RuleResult, Verdict

__all__ = ["GateError", "RuleResult", "Verdict", "at_hand", "clear", "judge", "lint_suite", "load_verdict"]
