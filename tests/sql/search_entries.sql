-- Entries near a description, with how common they are.
select entry, round(similarity::numeric, 3) as similarity, users, frequency from search_entries('ski', k => 3);
select entry, round(similarity::numeric, 3) as similarity from search_entries(embed('ski') - embed('horror'), k => 2);
-- More than there are: all that have a vector.
select count(*) from search_entries('ski', k => 100);
select * from search_entries('ski', k => -1);
select * from search_entries('heavy metal');
