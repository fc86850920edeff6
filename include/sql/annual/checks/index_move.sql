-- Grain: one row is one pillar or composite of one unit that moved by more than its limit from run :before to :after,
-- with the part of the move that nothing explains, and what explains the rest, indicator by indicator:
-- a restated or late day of a source behind it (:restated), a correction that changed (:corrected), figures that reach
-- further or less far in time like the runs themselves. Another framework, reference data or merging may explain
-- anything, so it is told apart.
with subject as (
    select
        a.framework_id,
        a.framework_hash,
        coalesce(a.data_cut_off, a.finished_at) >= coalesce(b.data_cut_off, b.finished_at) as is_later,
        coalesce(a.parts_run_id, a.run_id) as after_inputs,
        coalesce(b.parts_run_id, b.run_id) as before_inputs,
        case
            when a.framework_id <> b.framework_id then 'another framework'
            when a.framework_hash <> b.framework_hash then 'another version of the framework'
            when coalesce(a.reference_hash, '') <> coalesce(b.reference_hash, '') then 'other reference data'
            when a.merge_method <> b.merge_method then 'another way to merge units'
        end as method_change
    from score.run as a
    cross join score.run as b
    where a.run_id = :after and b.run_id = :before
),

restated as (
    select
        coalesce(r.successor_unit_id, r.unit_id) as successor_unit_id,
        r.unit_id,
        r.source_id,
        format('%s: %s day(s) of %s, %s to %s', r.kind, r.days_count, r.source_id, r.first_day, r.last_day) as words
    from
        jsonb_to_recordset(cast(:restated as jsonb)) as r (
            unit_id text,
            successor_unit_id text,
            source_id text,
            kind text,
            days_count integer,
            first_day date,
            last_day date
        )
),

corrected as (
    select
        coalesce(c.successor_unit_id, c.unit_id) as successor_unit_id,
        c.unit_id,
        c.target_kind,
        c.target,
        format('correction %s: %s', c.correction_id, c.change) as words
    from
        jsonb_to_recordset(cast(:corrected as jsonb)) as c (
            correction_id text,
            unit_id text,
            successor_unit_id text,
            target_kind text,
            target text,
            change text
        )
),

limited as (
    select
        framework_id,
        framework_hash,
        pillar_code as measure,
        cast(:pillar_limit as numeric) as move_max
    from method.pillar
    union all
    select
        framework_id,
        framework_hash,
        composite_code as measure,
        cast(:composite_limit as numeric) as move_max
    from method.composite
),

moved as (
    select
        m.unit_id,
        m.unit_name,
        m.measure,
        m.value_before,
        m.value_after,
        m.index_change,
        l.move_max
    from marts.rank_change(:before, :after) as m
    cross join subject as s
    inner join limited as l
        on m.measure = l.measure and s.framework_id = l.framework_id and s.framework_hash = l.framework_hash
    where abs(m.index_change) > l.move_max
),

part as materialized (
    select
        unit_id,
        measure,
        indicator_code,
        contribution
    from marts.rank_contribution(:before, :after)
    where abs(contribution) > 0.000000000001
),

scored as (
    select distinct unit_id
    from score.composite_index
    where run_id = :after
),

-- What either run measured or was told, under the unit that is scored.
figure as (
    select
        s.after_inputs = v.run_id as is_after,
        coalesce(o.unit_id, n.unit_id_34, v.unit_id) as unit_id,
        v.unit_id as reporting_unit_id,
        v.metric,
        v.feed,
        v.basis,
        v.last_day,
        v.source_ids
    from subject as s
    inner join score.metric_value as v on v.run_id in (s.after_inputs, s.before_inputs)
    left join scored as o on v.unit_id = o.unit_id
    left join ref.unit_succession as n on v.unit_id = n.unit_id_63
),

needed as (
    select
        i.indicator_code,
        m.metric
    from method.indicator as i
    inner join subject as s on i.framework_id = s.framework_id and i.framework_hash = s.framework_hash
    inner join lateral (
        values (i.numerator_metric), (i.denominator_metric)
    ) as m (metric) on m.metric is not null
),

reached as (
    select
        unit_id,
        metric,
        max(last_day) filter (where is_after) as last_day_after,
        max(last_day) filter (where not is_after) as last_day_before
    from figure
    group by unit_id, reporting_unit_id, metric, feed, basis
),

-- Of a run that holds no figures at all, nothing can be said of how far they reach.
both_told as (
    select count(distinct is_after) = 2 as is_known
    from figure
),

targeted as (
    select
        'metric' as target_kind,
        metric as target,
        indicator_code
    from needed
    union distinct
    select
        'indicator' as target_kind,
        indicator_code as target,
        indicator_code
    from needed
),

explanation as (
    select
        f.unit_id,
        n.indicator_code,
        r.words
    from figure as f
    inner join needed as n on f.metric = n.metric
    inner join restated as r on f.unit_id in (r.unit_id, r.successor_unit_id) and r.source_id = any(f.source_ids)
    union distinct
    select
        o.unit_id,
        t.indicator_code,
        c.words
    from corrected as c
    inner join scored as o on o.unit_id in (c.unit_id, c.successor_unit_id)
    inner join targeted as t on c.target_kind = t.target_kind and c.target = t.target
    union distinct
    select
        r.unit_id,
        n.indicator_code,
        format(
            'figures up to %s, before up to %s',
            coalesce(cast(r.last_day_after as text), 'none'),
            coalesce(cast(r.last_day_before as text), 'none')
        ) as words
    from reached as r
    cross join subject as s
    cross join both_told as b
    inner join needed as n on r.metric = n.metric
    where
        b.is_known
        and case
            when s.is_later then r.last_day_before is null or r.last_day_after > r.last_day_before
            else r.last_day_after is null or r.last_day_after < r.last_day_before
        end
),

explained as (
    select distinct
        unit_id,
        indicator_code
    from explanation
),

judged as (
    select
        p.unit_id,
        p.measure,
        coalesce(sum(p.contribution) filter (where e.unit_id is null), 0) as unexplained,
        array_agg(p.indicator_code order by abs(p.contribution) desc) filter (where e.unit_id is null) as indicators
    from part as p
    left join explained as e on p.unit_id = e.unit_id and p.indicator_code = e.indicator_code
    group by p.unit_id, p.measure
),

said as (
    select
        p.unit_id,
        p.measure,
        array_agg(distinct e.words order by e.words) as words
    from part as p
    inner join explanation as e on p.unit_id = e.unit_id and p.indicator_code = e.indicator_code
    group by p.unit_id, p.measure
)

select
    m.unit_id,
    m.unit_name,
    m.measure,
    m.value_before,
    m.value_after,
    trim_scale(round(m.index_change, 6)) as index_change,
    coalesce(t.words, '{}') as explained_by,
    trim_scale(round(coalesce(j.unexplained, 0), 6)) as unexplained,
    array_remove(coalesce(j.indicators, '{}'), null) as unexplained_indicators,
    s.method_change,
    abs(coalesce(j.unexplained, 0)) <= m.move_max as is_explained
from moved as m
cross join subject as s
left join judged as j on m.unit_id = j.unit_id and m.measure = j.measure
left join said as t on m.unit_id = t.unit_id and m.measure = t.measure
order by is_explained asc, abs(m.index_change) desc, m.unit_id asc, m.measure asc
