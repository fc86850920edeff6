"""The one question of this room: where does this number come from?"""

from __future__ import annotations

from decimal import localcontext

from dti.explain.composite import explain_composite
from dti.explain.figures import WIDE
from dti.explain.find import find_run_and_unit, find_subject
from dti.explain.indicator import explain_indicator
from dti.explain.model import Explanation
from dti.explain.pillar import explain_pillar
from dti.explain.store import reading
from dti.settings import Settings


def explain(unit: str, code: str, *, run_id: str | None = None, settings: Settings) -> Explanation:
    """Explain an indicator, pillar or composite of a unit in a run (default: the newest nightly one that has it).

    ``unit`` is a unit id or any of its names. Nothing is written. Raises QuestionError, with the nearest matches,
    when there is no such unit, code or run, and WarehouseError when the warehouse does not answer.
    """
    with localcontext(WIDE), reading(settings) as connection:
        run, found = find_run_and_unit(connection, unit, run_id, settings)
        subject = find_subject(connection, run, code)
        if subject.kind == "indicator":
            return explain_indicator(connection, run, found, subject.code, settings)
        if subject.kind == "pillar":
            return explain_pillar(connection, run, found, subject.code)
        return explain_composite(connection, run, found, subject.code)
