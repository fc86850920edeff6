-- Grain: one row is one check of the candidate before anyone was asked to approve it.
insert into published.check_result (publication_id, position, check_name, status, message, detail)
select
    :publication_id as publication_id,
    c.position,
    c.check_name,
    c.status,
    c.message,
    c.detail
from annual.check_result as c
where c.request_id = :request_id
