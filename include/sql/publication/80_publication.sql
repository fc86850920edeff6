-- Grain: the one row of the publication, laid aside: its checksum, which is over this row too, is still to come.
insert into pg_temp.head (
    publication_id, year, version, family, geography, framework_id, framework_hash, framework_name, framework_name_en,
    decision, framework_in_force, merge_method, run_id, parts_run_id, request_id, period_from, period_to, as_of_date,
    data_cut_off, known, corrections_hash, reference_hash, sql_hash, synthetic, units_count, reason, requester,
    approver, approved_at, note, published_at
)
with known as (
    select jsonb_agg(to_jsonb(i) - 'run_id' order by i.feed) as feeds
    from score.run_input as i
    where i.run_id = :run_id
),

ranked as (
    select count(distinct p.unit_id) as units_count
    from published.pillar_index as p
    where p.publication_id = :publication_id
)

select
    :publication_id as publication_id,
    q.year,
    :version as version,
    q.family,
    q.geography,
    q.framework_id,
    q.framework_hash,
    f.name_vi as framework_name,
    f.name_en as framework_name_en,
    f.decision,
    r.framework_in_force,
    q.merge_method,
    r.run_id,
    r.parts_run_id,
    q.request_id,
    r.period_from,
    r.period_to,
    r.as_of_date,
    q.data_cut_off,
    coalesce(k.feeds, '[]') as known,
    q.corrections_hash,
    q.reference_hash,
    :sql_hash as sql_hash,
    r.synthetic,
    u.units_count,
    q.reason,
    q.requester,
    d.decided_by as approver,
    d.decided_at as approved_at,
    d.note,
    clock_timestamp() as published_at
from annual.request as q
inner join annual.decision as d on q.request_id = d.request_id
inner join score.run as r on q.run_id = r.run_id
inner join method.framework as f on q.framework_id = f.framework_id and q.framework_hash = f.framework_hash
cross join known as k
cross join ranked as u
where q.request_id = :request_id
