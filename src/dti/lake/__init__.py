"""The lake: one Delta table a feed, in which every key stands once, in its newest known state."""

from dti.lake.errors import LakeError
from dti.lake.leftovers import sweep
from dti.lake.merging import merge
from dti.lake.versions import at_hand, changed_partitions, files, version

__all__ = ["LakeError", "at_hand", "changed_partitions", "files", "merge", "sweep", "version"]
