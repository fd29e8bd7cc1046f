-- What the axes of the maps mean, for BI tools.
create view map_axes as
select a.*
from map_axes a;

comment on view map_axes is
'What each axis of each map means, in entries, and how much it shows of how users or entries differ.
Example: select axis, explained, top_entries, bottom_entries from audience_bi.map_axes where method = ''pca'' order by axis;';
comment on column map_axes.relation is 'What is drawn: users or entries.';
comment on column map_axes.method is 'pca, centres or mca.';
comment on column map_axes.segmentation is 'Of centres: whose segments.';
comment on column map_axes.axis is '1, 2, 3 for x, y, z.';
comment on column map_axes.explained is 'The share of all variance, of mca of all inertia, that lies along it, 0 to 1.';
comment on column map_axes.explained_of_centres is
'Of centres: the share of the variance of the centres of the segments that lies along it, 0 to 1.';
comment on column map_axes.top_entries is
'Of the thousand commonest entries, of mca of the categories, the five farthest up it.';
comment on column map_axes.bottom_entries is
'Of the thousand commonest entries, of mca of the categories, the five farthest down it.';
comment on column map_axes.points is 'How many users or entries the map was made of.';
comment on column map_axes.trustworthiness is
'How far those who are nearest on the map are near indeed, 0 to 1 (Venna and Kaski 2001), in a sample.';
comment on column map_axes.sample_size is 'How many there were in that sample.';
comment on column map_axes.neighbours is 'How many nearest ones of each were looked at.';
comment on column map_axes.fitted_at is 'When the map was made.';
comment on column map_axes.explained_adjusted is
'Of mca: the share of inertia after the adjustment of Benzécri, 0 to 1, beside which explained is low by nature.';
