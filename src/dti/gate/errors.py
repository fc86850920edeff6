"""What can go wrong at the gate that is no fault of the data."""

from __future__ import annotations

from dti.errors import DtiError


class GateError(DtiError):
    """The gate itself failed, so it cannot say whether the data is good or bad. Nothing is decided."""

    kind = "gate"
