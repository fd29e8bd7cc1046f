-- Who skis: each in turn is looked for by the lookalikes of the two others, among three users.
select rank, round(share::numeric, 3) as share, round(recall::numeric, 3) as recall, round(lift::numeric, 3) as lift
from lookalike_quality(array['ann', 'bob', 'eve']);
-- In two parts; another seed, another split.
select rank, round(share::numeric, 3) as share, round(recall::numeric, 3) as recall, round(lift::numeric, 3) as lift
from lookalike_quality(array['ann', 'bob', 'eve'], folds => 2, seed => 1);
select rank, round(recall::numeric, 3) as recall from lookalike_quality(array['ann', 'bob', 'eve'], unlike => array['dan']);
select rank, round(recall::numeric, 3) as recall from lookalike_quality(array['ann', 'bob', 'eve'], centered => false);

select * from lookalike_quality(array['ann']);
select * from lookalike_quality(array['ann', 'zoe']);
select * from lookalike_quality(array['ann', 'bob'], folds => 1);
select * from lookalike_quality(array['ann', 'bob'], unlike => array['bob']);

-- Both ways side by side.
select found_by, rank, round(share::numeric, 3) as share, round(recall::numeric, 3) as recall, round(lift::numeric, 3) as lift
from lookalike_quality(array['ann', 'bob', 'eve'], folds => 2, by => null);
select * from lookalike_quality(array['ann', 'bob'], by => 'votes');

-- Of two, each is looked for by the other alone; without a number nothing is drawn.
select rank, round(share::numeric, 3) as share, round(recall::numeric, 3) as recall
from lookalike_quality(array['ann', 'eve']);
select * from lookalike_quality(array['ann', 'eve'], folds => null);
select * from lookalike_quality(array['ann', 'eve'], seed => null);
