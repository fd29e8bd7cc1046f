-- How much each attribute of the users explains the segments, for BI tools.
create view segment_drivers as
select d.*
from segment_drivers d;

comment on view segment_drivers is
'How much each attribute of the users explains a segmentation, 0 (nothing) to 1 (all).
Example: select attribute, cramers_v, eta_squared from audience_bi.segment_drivers where segmentation = ''interests'';';
comment on column segment_drivers.segmentation is 'The segmentation.';
comment on column segment_drivers.attribute is 'The key in users.attributes.';
comment on column segment_drivers.kind is 'number or category.';
comment on column segment_drivers.users is 'How many users in segments have it.';
comment on column segment_drivers.mutual_information is
'Of a category: mutual information with the segment, normalised by the mean of the entropies, 0 to 1;
it grows by itself with the number of values.';
comment on column segment_drivers.cramers_v is
'Of a category: Cramér''s V with Bergsma''s correction, without which many values alone make it high; 0 to 1.';
comment on column segment_drivers.eta_squared is
'Of a number: η² of its ranks, the share of their variance that lies between segments, 0 to 1: the H of Kruskal and
Wallis (1952), divided by users - 1. A few very large numbers do not make it high.';
comment on column segment_drivers.strength is 'Whichever of these two it has, 0 to 1: what attributes are ranked by.';
