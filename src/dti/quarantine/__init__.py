"""What the gate held back: found, written for the agency in its own words, released by who vouches for it."""

from dti.quarantine.export import write_export
from dti.quarantine.find import HeldRow, Wanted, held_rows
from dti.quarantine.release import release_rows

__all__ = ["HeldRow", "Wanted", "held_rows", "release_rows", "write_export"]
