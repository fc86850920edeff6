-- Grain: one row is one check of one candidate before anyone was asked to approve it.
create view marts.annual_check as
select
    c.request_id,
    q.year,
    q.run_id,
    c.position,
    c.check_name,
    c.status,
    c.message,
    c.detail
from annual.check_result as c
inner join annual.request as q on c.request_id = q.request_id;

comment on view marts.annual_check is
'One row is one check of one candidate before anyone was asked to approve it; limits are in include/annual/checks.yml';
comment on column marts.annual_check.request_id is 'The request, in marts.annual_request';
comment on column marts.annual_check.year is 'Reporting year';
comment on column marts.annual_check.run_id is 'The candidate run, in marts.run';
comment on column marts.annual_check.position is 'Order in which checks are told, from 1';
comment on column marts.annual_check.check_name is 'The check, as a request may accept it';
comment on column marts.annual_check.status is
'passed; warning: for the approver to weigh; failed: stops; accepted: failed, and the request accepts it';
comment on column marts.annual_check.message is 'What was seen, in words';
comment on column marts.annual_check.detail is 'The rows it is about, the first hundred; empty list: none';
