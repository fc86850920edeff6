"""Rules that look beyond one batch: every source, every unit, against the past, across feeds, and the marts.

They are judged once a night, after the index run, in PostgreSQL, and remove nothing: what fails is shown. The rules
are data in ``expectations/warehouse/``; docs/quality.md tells how one is written.
"""

from dti.quality.errors import QualityError
from dti.quality.lint import lint_rules
from dti.quality.night import check_night
from dti.quality.store import Checked, NightResult

__all__ = ["Checked", "NightResult", "QualityError", "check_night", "lint_rules"]
