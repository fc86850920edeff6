"""Watching a night: what each step read and wrote, how much and how long, and a log that says which step it was in.

``dti.flow`` marks its steps with :func:`observed` and their parts with :func:`part`; nothing else knows of this room.
What fails in here is logged and harms no step.
"""

from dti.observe.watch import observed, part

__all__ = ["observed", "part"]
