"""What needs a person, computed from the warehouse and the ledger, and telling it: one message a cause."""

from dti.attention.find import find_causes
from dti.attention.model import Cause, Effect, by_urgency

__all__ = ["Cause", "Effect", "by_urgency", "find_causes"]
