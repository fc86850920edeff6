create table ref.published_mean (
    year integer not null,
    geography text not null,
    measure text not null,
    value numeric not null check (value between 0 and 1),
    provenance text not null,
    source text not null,
    primary key (year, geography, measure)
);
comment on table ref.published_mean is 'One row is one officially published mean over all units of a reporting year';
comment on column ref.published_mean.year is 'Reporting year';
comment on column ref.published_mean.geography is 'Geography of the units it is the mean of';
comment on column ref.published_mean.measure is 'PDTI, a pillar or a composite';
comment on column ref.published_mean.value is 'Published value';
comment on column ref.published_mean.provenance is 'How the figure reached us';
comment on column ref.published_mean.source is 'Where it was read';
