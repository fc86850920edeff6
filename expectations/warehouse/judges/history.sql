-- Grain: one row is one series: its value of tonight (place 0) held against its own comparable ones (place 1, 2 …).
-- Robust: the middle is the median, the spread the median absolute deviation, so that past outliers do not hide new
-- ones. Counts are compared as square roots and shares as angles, where chance spreads them alike whatever their size;
-- the spread is never taken to be less than chance alone makes it. A deviation must also be large enough to matter.
with given as (
    select
        *,
        case cast(:scale as text)
            when 'count' then 2 * sqrt(value + 0.375)
            when 'share' then 2 * asin(sqrt(least(1, greatest(0, value))))
            else value
        end as scaled
    from series
    where place between 0 and cast(:history as integer) and value is not null
),

past as (
    select *
    from given
    where place > 0 and (records is null or records >= cast(:least_records as float8))
),

middle as (
    select
        feed,
        source_id,
        unit_id,
        count(*) as known_count,
        percentile_cont(0.5) within group (order by value) as usual,
        percentile_cont(0.5) within group (order by scaled) as scaled_usual
    from past
    group by feed, source_id, unit_id
),

spread as (
    select
        m.feed,
        m.source_id,
        m.unit_id,
        1.4826 * percentile_cont(0.5) within group (order by abs(p.scaled - m.scaled_usual)) as scaled_spread
    from past as p
    inner join middle as m
        on
            p.feed is not distinct from m.feed
            and p.source_id is not distinct from m.source_id
            and p.unit_id is not distinct from m.unit_id
    group by m.feed, m.source_id, m.unit_id
),

subject as (
    select distinct
        feed,
        source_id,
        unit_id
    from series
),

compared as (
    select
        s.feed,
        s.source_id,
        s.unit_id,
        t.value,
        t.records,
        m.usual,
        coalesce(m.known_count, 0) as known_count,
        abs(t.scaled - m.scaled_usual) as scaled_move,
        greatest(
            w.scaled_spread,
            case cast(:scale as text)
                when 'count' then 1
                when 'share' then 1 / sqrt(greatest(1, t.records))
                else 0
            end
        ) as scaled_spread,
        greatest(cast(:least_step as float8), cast(:least_share as float8) * abs(m.usual)) as least_move,
        s.source_id is not null and not exists (
            select 1
            from ops.batch as b
            where b.source_id = s.source_id and b.night = :night and b.status = 'passed'
        ) as is_silent
    from subject as s
    left join given as t
        on
            s.feed is not distinct from t.feed
            and s.source_id is not distinct from t.source_id
            and s.unit_id is not distinct from t.unit_id
            and t.place = 0
    left join middle as m
        on
            s.feed is not distinct from m.feed
            and s.source_id is not distinct from m.source_id
            and s.unit_id is not distinct from m.unit_id
    left join spread as w
        on
            s.feed is not distinct from w.feed
            and s.source_id is not distinct from w.source_id
            and s.unit_id is not distinct from w.unit_id
),

withheld as (
    select
        *,
        case
            when is_silent then 'its source did not deliver this night'
            when value is null then 'nothing of this night'
            when records < cast(:least_records as float8)
                then format('%s records, fewer than the %s it takes to say', records, cast(:least_records as text))
            when known_count < cast(:minimum as integer)
                then format('cold start: %s comparable values of the %s it takes', known_count, cast(:minimum as text))
        end as why_not
    from compared
)

select
    feed,
    source_id,
    unit_id,
    known_count as checked_count,
    case
        when why_not is not null then null
        when
            scaled_move > cast(:limit as float8) * scaled_spread + 1e-9
            and abs(value - usual) > least_move + 1e-9
            then 1
        else 0
    end as failed_count,
    coalesce(
        why_not,
        format(
            '%s where %s is usual (median of %s)', trim_scale(round(cast(value as numeric), 4)),
            trim_scale(round(cast(usual as numeric), 4)), known_count
        )
    ) as detail
from withheld
order by feed, source_id, unit_id
