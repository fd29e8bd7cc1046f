-- How long every user's tf-idf weights over entries are, taken as a vector.
--
-- Sums in parallel differ in their last bits from time to time; as real they do not, and rows stay that have not
-- changed. For the same reason the idf is the settled one, which in a space of tables stays until it has moved: nearly
-- every user has an entry that somebody else has won.
create view entry_lengths_live as
select
    a.user_key,
    sqrt(sum(ln(1 + a.frequency) * ln(1 + a.frequency) * s.settled_idf * s.settled_idf))::real as length
from activity a
join entry_stats s using (entry_key)
group by a.user_key;

comment on view entry_lengths_live is
'Internal. The definition of entry_lengths, computed as you read it.
Example: select * from entry_lengths_live order by length desc limit 10;';
comment on column entry_lengths_live.user_key is 'The user.';
comment on column entry_lengths_live.length is
'Square root of the summed squares of ln(1 + frequency) times settled_idf, over the entries of the user.';
