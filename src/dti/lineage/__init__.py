"""Where a column of the warehouse comes from, derived from the SQL that runs, the contracts and the source files."""

from dti.lineage.graph import Graph, column_graph
from dti.lineage.trace import Trace, trace

__all__ = ["Graph", "Trace", "column_graph", "trace"]
