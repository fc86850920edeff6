-- Grain: one row: what to keep in mind when runs :before and :after are compared; empty when there is nothing.
select marts.comparable_runs(:before, :after) as note
