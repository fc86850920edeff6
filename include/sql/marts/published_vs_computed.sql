-- Grain: one row is one published figure and one complete run of its whole year and units; a figure that no run
-- has computed stands once, without a run. Merged figures derived from published ones stand like published ones.
create view marts.published_vs_computed as
with figure as (
    select
        p.year,
        p.geography,
        p.unit_id,
        p.measure,
        p.value,
        p.rank,
        p.decision,
        'published' as origin
    from ref.published_index as p
    union all
    select
        m.year,
        m.geography,
        m.unit_id,
        m.measure,
        m.value,
        m.rank_by_value,
        m.decision,
        'derived' as origin
    from marts.published_merged as m
    where m.published_value is null and m.published_rank is null
),

-- Only the whole year was published, so only the whole year compares.
run as (
    select r.*
    from score.run as r
    where
        r.status = 'complete'
        and r.period_from = make_date(r.year, 1, 1)
        and r.period_to = make_date(r.year, 12, 31)
        and r.kind not like '%\_parts'
),

computed as (
    select
        p.run_id,
        p.unit_id,
        p.pillar_code as measure,
        p.index_value,
        p.rank_national,
        p.coverage
    from score.pillar_index as p
    union all
    select
        c.run_id,
        c.unit_id,
        c.composite_code,
        c.index_value,
        c.rank_national,
        c.coverage
    from score.composite_index as c
),

-- Pillars of which a component is a placeholder, because the official table is not loaded.
placeholder as (
    select distinct
        i.framework_id,
        i.framework_hash,
        p.measure
    from method.indicator as i
    inner join lateral (
        select i.pillar_code as measure
        union all
        select w.composite_code
        from method.composite_weight as w
        where
            w.framework_id = i.framework_id
            and w.framework_hash = i.framework_hash
            and w.pillar_code = i.pillar_code
    ) as p on true
    where 'provisional' in (i.name_provenance, i.points_provenance)
),

compared as (
    select
        f.year,
        f.geography,
        f.unit_id,
        f.measure,
        f.origin,
        f.decision as published_decision,
        f.value as published_value,
        f.rank as published_rank,
        c.index_value as computed_value,
        c.rank_national as computed_rank,
        c.coverage,
        c.index_value - f.value as difference,
        r.run_id,
        r.kind,
        r.as_of_date,
        r.merge_method,
        r.synthetic,
        m.decision as computed_decision,
        h.measure is not null as has_placeholder
    from figure as f
    left join run as r on f.year = r.year and f.geography = r.geography
    left join method.framework as m using (framework_id, framework_hash)
    left join computed as c on r.run_id = c.run_id and f.unit_id = c.unit_id and f.measure = c.measure
    left join placeholder as h
        on
            r.framework_id = h.framework_id
            and r.framework_hash = h.framework_hash
            and f.measure = h.measure
)

select
    c.year,
    c.geography,
    c.unit_id,
    u.name_vi as unit_name,
    c.measure,
    c.published_value,
    c.published_rank,
    c.computed_value,
    c.computed_rank,
    c.difference,
    c.computed_rank - c.published_rank as rank_difference,
    case
        when c.run_id is null then null
        when
            coalesce(c.difference = 0, c.computed_value is not null)
            and coalesce(c.computed_rank = c.published_rank, true) then 'agrees'
        when c.computed_decision <> c.published_decision or c.computed_value is null then 'framework'
        when abs(c.difference) <= 0.0001 then 'rounding'
        when c.difference < 0 and -c.difference <= 1 - c.coverage + 0.0001 then 'coverage'
        when c.difference is null and c.coverage < 1 then 'coverage'
        when c.has_placeholder and not c.synthetic then 'missing components'
        else 'data'
    end as likely_cause,
    trim_scale(round(c.coverage, 12)) as coverage,
    c.origin,
    c.published_decision,
    c.computed_decision,
    c.merge_method,
    c.synthetic,
    c.kind,
    c.as_of_date,
    c.run_id
from compared as c
inner join ref.unit as u on c.unit_id = u.unit_id;

comment on view marts.published_vs_computed is
'One row is one published figure beside what one run of that whole year computed; the cause follows stated rules';
comment on column marts.published_vs_computed.year is 'Reporting year';
comment on column marts.published_vs_computed.geography is 'Geography of the figure: 63 or 34';
comment on column marts.published_vs_computed.unit_id is 'The unit, such as P63-66';
comment on column marts.published_vs_computed.unit_name is 'Vietnamese name of the unit';
comment on column marts.published_vs_computed.measure is 'PDTI, a pillar or another composite';
comment on column marts.published_vs_computed.published_value is
'Published value; empty where only a rank was published';
comment on column marts.published_vs_computed.published_rank is 'Published national rank; empty where none was';
comment on column marts.published_vs_computed.computed_value is
'The run''s value; empty: no run, or no such measure in it';
comment on column marts.published_vs_computed.computed_rank is 'The run''s national rank';
comment on column marts.published_vs_computed.difference is 'computed_value - published_value';
comment on column marts.published_vs_computed.rank_difference is
'computed_rank - published_rank; above 0: placed lower';
comment on column marts.published_vs_computed.likely_cause is
'First that holds: agrees; framework (another decision, or no such measure in it); rounding (at most 0.0001 apart);
 coverage (too low, by no more than the points not known); missing components (placeholders in place of official
 components, real data); data. Empty: no run yet';
comment on column marts.published_vs_computed.coverage is 'Share of the points that the run knows, 0 to 1';
comment on column marts.published_vs_computed.origin is
'published; derived: mean of the published figures of the former provinces';
comment on column marts.published_vs_computed.published_decision is 'Method of the published figure';
comment on column marts.published_vs_computed.computed_decision is 'Method of the run';
comment on column marts.published_vs_computed.merge_method is 'How the run merged former provinces: none, average …';
comment on column marts.published_vs_computed.synthetic is 'True: the run used made-up data';
comment on column marts.published_vs_computed.kind is 'Kind of the run';
comment on column marts.published_vs_computed.as_of_date is 'Nothing after this day counts in the run';
comment on column marts.published_vs_computed.run_id is 'The run; empty: no run has computed it yet';
