"""Where a number comes from: an indicator, a pillar or a composite of one unit, back to the landed record."""

from dti.explain.explain import explain

__all__ = ["explain"]
