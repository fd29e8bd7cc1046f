-- The matrix, a row for each cell.
select user_a, user_b, round(similarity::numeric, 3) as similarity from user_similarity(array['ann', 'bob', 'cy']);
select * from user_similarity(array['ann', 'nobody']);
select count(*) from user_similarity(array(select 'user ' || i from generate_series(1, 1001) i));
