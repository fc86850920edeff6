"""What a warehouse that runs for years needs: old things go that nothing asks for, tables are tidied, copies are kept.

Every step can be repeated, and killed at any moment: it removes only what its retention names, one whole thing at a
time, and what it did not come to is there for the next time. With ``dry_run`` a step only counts.
"""
