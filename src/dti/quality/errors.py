"""What can go wrong with rules over the warehouse that is no fault of the data."""

from __future__ import annotations

from dti.errors import DtiError


class QualityError(DtiError):
    """A rule could not be judged, so it says nothing about the data; the others were."""

    kind = "quality"
