-- Grain: the one framework of run :run_id, in words.
select
    f.framework_id,
    f.name_vi,
    f.name_en,
    f.decision
from method.framework as f
inner join score.run as r using (framework_id, framework_hash)
where r.run_id = :run_id
