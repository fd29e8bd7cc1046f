-- A stored entry, a cached query, a text that was asked for, a text nobody knows.
select query_source('Ski Aspen'), query_source(' ski '), query_source('heavy metal');
select embed('Ski Aspen'), embed('  ski ');
select request_embedding('heavy metal');
select query_source('heavy   metal');
select query, exact from queries order by query_key;
-- Asking twice, or for what is known, does no harm.
select request_embedding('heavy metal'), request_embedding('ski');
select count(*) from queries;

select embed('heavy metal');
select embed('[0.1, 0.2, 3e-1]');
select embed('');
select embed(null);
select request_embedding('   ');
-- A quote in the text is kept safe in the call to paste.
select embed('rock ''n'' roll');

-- Case is kept, Unicode is composed, white space is folded.
select normalize_text(U&'  Cafe\0301 \00A0\3000 au\000A lait  ') = U&'Caf\00E9 au lait' as same;
select scale('[1,2,3]', 2), scale('[1,2,3]', -0.5);
select w, round(entry_weight(9, w)::numeric, 4) from unnest(array['log', 'frequency', 'sqrt', 'binary']) w;
