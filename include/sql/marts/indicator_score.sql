-- Grain: one row is one indicator of one unit in one complete run, known or not.
create view marts.indicator_score as
-- Of several corrections of one indicator that is told which changed it, else the one that no longer holds, else flags.
with told as (
    select distinct on (run_id, unit_id, indicator_code)
        run_id,
        unit_id,
        target as indicator_code,
        status,
        string_agg(correction_id, ', ' order by correction_id) as correction_id
    from score.correction
    where target_kind = 'indicator' and status in ('applied', 'expired', 'flagged')
    group by run_id, unit_id, indicator_code, status
    order by
        run_id asc, unit_id asc, indicator_code asc, array_position(array['applied', 'expired', 'flagged'], status) asc
),

-- Where a run merges former units, what was corrected of theirs stands behind the unit they are part of now.
applied as (
    select
        r.run_id,
        r.merge_method,
        r.framework_id,
        r.framework_hash,
        case when r.merge_method = 'none' then c.unit_id else coalesce(n.unit_id_34, c.unit_id) end as unit_id,
        c.correction_id,
        c.target_kind,
        c.target,
        c.feed,
        c.basis
    from score.run as r
    inner join score.correction as c on coalesce(r.parts_run_id, r.run_id) = c.run_id and c.status = 'applied'
    left join ref.unit_succession as n on c.unit_id = n.unit_id_63
),

behind as (
    select
        a.run_id,
        a.unit_id,
        i.indicator_code,
        array_agg(distinct a.correction_id order by a.correction_id) as correction_ids
    from applied as a
    inner join method.indicator as i
        on
            a.framework_id = i.framework_id
            and a.framework_hash = i.framework_hash
            and case a.target_kind
                when 'indicator' then a.merge_method = 'average' and a.target = i.indicator_code
                else
                    a.target in (i.numerator_metric, i.denominator_metric)
                    and (a.basis <> 'measured' or a.feed = i.feed)
            end
    group by a.run_id, a.unit_id, i.indicator_code
)

select
    s.run_id,
    r.as_of_date,
    r.year,
    r.framework_id,
    r.geography,
    r.synthetic,
    s.unit_id,
    u.name_vi as unit_name,
    i.position as indicator_no,
    s.indicator_code,
    i.name_vi as indicator_name,
    i.name_en as indicator_name_en,
    s.pillar_code,
    i.rule,
    i.target,
    i.numerator_metric,
    i.denominator_metric,
    i.feed,
    s.basis,
    s.denominator_basis,
    trim_scale(s.numerator) as numerator,
    trim_scale(s.denominator) as denominator,
    trim_scale(round(s.value, 12)) as value,
    trim_scale(round(s.points, 12)) as points,
    s.max_points,
    s.status,
    s.is_capped,
    trim_scale(round(s.uncapped_share, 12)) as uncapped_share,
    trim_scale(round(s.coverage, 12)) as coverage,
    case
        when 'provisional' in (i.name_provenance, i.points_provenance) then 'provisional'
        when 'inferred' in (i.name_provenance, i.points_provenance) then 'inferred'
        else 'quoted'
    end as provenance,
    i.name_provenance,
    i.points_provenance,
    trim_scale(round(s.original_value, 12)) as original_value,
    t.correction_id,
    t.status as correction_status,
    coalesce(b.correction_ids, '{}') as corrections_behind
from score.indicator_score as s
inner join score.run as r on s.run_id = r.run_id and r.status = 'complete'
inner join method.indicator as i
    on
        r.framework_id = i.framework_id
        and r.framework_hash = i.framework_hash
        and s.indicator_code = i.indicator_code
inner join ref.unit as u on s.unit_id = u.unit_id
left join told as t on s.run_id = t.run_id and s.unit_id = t.unit_id and s.indicator_code = t.indicator_code
left join behind as b on s.run_id = b.run_id and s.unit_id = b.unit_id and s.indicator_code = b.indicator_code;

comment on view marts.indicator_score is 'One row is one component indicator of one unit in one run; see provenance';
comment on column marts.indicator_score.run_id is 'The run: kind, day, framework, units and merging';
comment on column marts.indicator_score.as_of_date is 'Nothing after this day counts';
comment on column marts.indicator_score.year is 'Reporting year';
comment on column marts.indicator_score.framework_id is 'The method, a folder of include/frameworks';
comment on column marts.indicator_score.geography is '63 (until 30 June 2025) or 34 provinces';
comment on column marts.indicator_score.synthetic is 'True: made-up data, no figure of a real province';
comment on column marts.indicator_score.unit_id is 'The unit, such as P34-66';
comment on column marts.indicator_score.unit_name is 'Vietnamese name of the unit';
comment on column marts.indicator_score.indicator_no is 'Official order over all pillars, from 1';
comment on column marts.indicator_score.indicator_code is 'Component indicator, such as 7.5';
comment on column marts.indicator_score.indicator_name is 'Vietnamese name; see name_provenance';
comment on column marts.indicator_score.indicator_name_en is 'English name of the indicator';
comment on column marts.indicator_score.pillar_code is 'Pillar it counts for; DTTM has no points, so no index';
comment on column marts.indicator_score.rule is 'How the value earns points: yes_no, ratio, target_ratio …';
comment on column marts.indicator_score.target is 'Value that earns full points';
comment on column marts.indicator_score.numerator_metric is 'Metric that is scored';
comment on column marts.indicator_score.denominator_metric is 'Metric it is divided by; empty: none';
comment on column marts.indicator_score.feed is 'Feed whose measured values count';
comment on column marts.indicator_score.basis is
'measured, appraised or declared; empty: not known, or averaged over several';
comment on column marts.indicator_score.denominator_basis is 'Its basis, or calendar; empty: not known or none';
comment on column marts.indicator_score.numerator is 'Numerator; empty: not known, or averaged';
comment on column marts.indicator_score.denominator is 'Denominator; empty: not known or none';
comment on column marts.indicator_score.value is 'What the rule scores: the fraction, or the numerator';
comment on column marts.indicator_score.points is 'Points earned, to 12 decimals';
comment on column marts.indicator_score.max_points is 'Points at full score';
comment on column marts.indicator_score.status is 'scored, missing (not known), undefined (denominator 0)';
comment on column marts.indicator_score.is_capped is 'True: above 100 %, held at the maximum';
comment on column marts.indicator_score.uncapped_share is
'Share of its points that the value is worth; above 1 it is capped; empty: not scored, or averaged';
comment on column marts.indicator_score.coverage is
'1 where known, 0 where missing; for merged provinces the share of former provinces that is known';
comment on column marts.indicator_score.provenance is 'The weaker of name_provenance and points_provenance';
comment on column marts.indicator_score.name_provenance is 'Of the name: quoted, inferred, or provisional';
comment on column marts.indicator_score.points_provenance is 'Of the points: quoted, inferred, or provisional';
comment on column marts.indicator_score.original_value is
'Value before its correction; empty: not corrected, or there was none';
comment on column marts.indicator_score.correction_id is 'Its corrections, see marts.correction; empty: none';
comment on column marts.indicator_score.correction_status is
'applied; expired (the source was repaired: not applied); flagged; empty: no correction of the indicator itself';
comment on column marts.indicator_score.corrections_behind is
'Corrections applied to values of its numerator or denominator, or, of merged provinces, to what they are made of';
