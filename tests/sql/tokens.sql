-- A token table by hand: two words, a pair of words, pieces.
insert into tokens (token, embedding) values
    ('ski', '[2,0,0]'), ('lovers', '[0,0.1,0]'), ('hot', '[0,1,0]'), ('dog', '[0,0,1]'), ('hot dog', '[0,3,4]'),
    ('sk', '[0.5,0,0]'), ('##ier', '[0,0.5,0]'), ('##s', '[0,0,0.5]'), ('schnee', '[0,0,2]');

select split_words('Hot-Dog, "SKI" & Crème brûlée'), split_words('  '), split_words('Straße №5');

-- Emoji are words, flags and faces alike; what nobody sees is none. In scripts without spaces a word is what has none.
select split_words('❤️') as heart, split_words('☕️') as coffee, split_words('Pizza🍕party 👍🏽 👨‍👩‍👧') as more,
    split_words('🇩🇪🇫🇷') as flags, split_words(e'zero\u200Bwidth soft\u00ADhyphen \uFEFF') as invisible;
select split_words('佐々木、東京') as japanese, split_words('น้ำตก ที่') as thai, split_words('★★★ → Hotel') as decorated;
select tokenize('hot dog'), tokenize('dog hot'), tokenize('skiers'), tokenize('Schnee!'), tokenize('xyz'), tokenize('');

-- The ladder: a stored entry, a cached query, the tokens.
select query_source('Ski Aspen'), query_source('ski'), query_source('skiers'), query_source('xyz');
select embed('hot dog'), embed('SKI   lovers'), embed('skiers');
select rank, user_id, round(score::numeric, 3) as score from search_users('ski lovers', k => 2);
select embed('hot dog') = embed(repeat('hot dog ', 1250)) as same_for_10_000_characters;

-- Layers by hand: whatever points to skiing is bent towards horror as much; the rest stays.
insert into token_layers (layer, unit, weights, bias) values
    (1, 1, '[1,0,0]', 0), (2, 1, '[0]', 0), (2, 2, '[1]', 0), (2, 3, '[0]', 0);
select correct_sum('[2,0,0]'), correct_sum('[0,0,3]'), embed('hot dog');
delete from token_layers;

-- Quotes and SQL are words like others; a text without a known word is an error.
select embed('ski''; drop table tokens; --') is not null as answered, to_regclass('tokens') is not null as still_there;
select embed('xyz ☃');
select embed('[0.1, 0.2, 0.3]');

-- A read-only session needs nothing else.
set default_transaction_read_only = on;
select rank, user_id from search_users('skiers', k => 1);
