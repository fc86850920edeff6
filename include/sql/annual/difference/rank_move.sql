-- Grain: one row is one pillar or composite of one unit whose rank or value differs between runs :before and :after.
-- Values that changed less than the last shown digit are the same value.
select
    unit_id,
    unit_name,
    region_code,
    measure,
    value_before,
    value_after,
    index_change,
    rank_before,
    rank_after,
    ranks_gained,
    ranks_gained_own,
    ranks_gained_others,
    overtook,
    overtaken_by
from marts.rank_change(:before, :after)
where rank_before <> rank_after or value_before <> value_after
