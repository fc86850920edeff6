"""Which checks a candidate must pass, and how far it may be from what was known before, by
``include/annual/checks.yml``."""

from __future__ import annotations

from decimal import Decimal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dti.documents import load_yaml
from dti.errors import ConfigError
from dti.settings import Settings

FILE = "annual/checks.yml"
CHECK_NAMES = (
    "every_batch_decided",
    "ledger_agrees",
    "totals_reconcile",
    "units_present",
    "points_add_up",
    "coverage_kept",
    "index_moves_explained",
    "corrections_hold",
    "framework_in_force",
    "synthetic",
)
"""All checks, in the order in which they are told. A request may accept that one of them fails, by its name."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PercentagePoints(_Strict):
    """A limit in hundredths of an index or a coverage, and why it is that much."""

    limit: Decimal = Field(ge=0, le=100)
    reason: str = Field(min_length=20)

    @property
    def share(self) -> Decimal:
        """The limit on the scale of an index, from 0 to 1."""
        return self.limit / 100


class Limits(_Strict):
    """All limits; what is not beyond a limit is within it."""

    unit_coverage_drop_max_percentage_points: PercentagePoints
    mean_coverage_drop_max_percentage_points: PercentagePoints
    composite_move_max_percentage_points: PercentagePoints
    pillar_move_max_percentage_points: PercentagePoints


def load_limits(settings: Settings) -> Limits:
    """The limits. Raises ConfigError naming the file, the entry and what to mend."""
    path = settings.include_dir / FILE
    try:
        return Limits.model_validate(load_yaml(path.read_text("utf-8")))
    except OSError:
        raise ConfigError("no such file", where=str(path), remedy="take it back from version control") from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"not YAML: {fault}", where=str(path), remedy="mend the syntax") from None
    except ValidationError as fault:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        remedy = "each entry needs a limit from 0 to 100 and a reason of a sentence or more"
        raise ConfigError(said, where=str(path), remedy=remedy) from None
