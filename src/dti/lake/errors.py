"""What can go wrong in the lake."""

from __future__ import annotations

from dti.errors import DtiError


class LakeError(DtiError):
    """The lake's table cannot take or give rows; a person must look, or ask again later where it says so."""

    kind = "lake"
