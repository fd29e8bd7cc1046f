"""Which tokens there are: the words and pairs of words of the entries, general words, and pieces of all of them."""

from __future__ import annotations

from pgaudience.database import Connection

GENERAL_WORDS = 28_000
"""The commonest English words; with the entries' own words and the pieces they stay below 40 MB at 384 dimensions."""

OTHER_LANGUAGES = ("de", "es", "fr", "it", "nl", "pt")
OTHER_WORDS = 1_000
LEAST_FREQUENCY = 1e-8

FOREIGN_WORDS = 8_000
"""The commonest words of each of the other languages, for texts; most are not in the table, and have pieces."""

_CREATE_GENERAL = "create temporary table general_words (word text, frequency double precision) on commit drop"

# A word counts half for its share of the entries and half for its share of general language.
_CREATE_VOCABULARY = """
create temporary table vocabulary on commit drop as
with entry_words as (
    select w.word, count(*) as uses, count(*) / sum(count(*)) over () as share
    from entry_texts t
    cross join unnest(split_words(t.text)) w (word)
    where t.is_current
    group by w.word
),
common_words as (
    select *
    from entry_words
    order by uses desc, word
    limit %(entry_words)s
),
spoken_words as (
    select w.word, sum(g.frequency) as frequency
    from general_words g
    cross join unnest(split_words(g.word)) w (word)
    group by w.word
)
select
    word collate "C" as token,
    'word' as kind,
    coalesce(c.share, 0) / 2 + coalesce(s.frequency, %(least)s) / 2 as frequency,
    c.word is not null as in_entries
from common_words c
full join spoken_words s using (word)
"""

_ADD_PAIRS = """
insert into vocabulary
select w.words[n] || ' ' || w.words[n + 1], 'pair', %(least)s, true
from entry_texts t
cross join lateral (select split_words(t.text) as words offset 0) w
cross join lateral generate_series(1, cardinality(w.words) - 1) n
where t.is_current
group by w.words[n], w.words[n + 1]
having count(*) > 2
order by count(*) desc, 1
limit %(pairs)s
"""

# Long pieces that are in many words are worth most; single characters make sure that every word has pieces.
_ADD_PIECES = """
insert into vocabulary
with spans as (
    select substr(w.token, i, n) as piece, count(*) as words
    from vocabulary w
    cross join lateral generate_series(2, length(w.token)) i
    cross join lateral generate_series(1, least(8, length(w.token) - i + 1)) n
    where w.kind = 'word' and length(w.token) <= 40
    group by 1
)
(select '##' || piece, 'piece', 1e-4, false from spans where length(piece) = 1 order by words desc, piece limit 1000)
union all
(
    select '##' || piece, 'piece', 1e-4, false
    from spans
    where length(piece) > 1
    order by words * (length(piece) - 1) desc, piece
    limit %(pieces)s
)
union all
select distinct left(w.token, 1), 'piece', 1e-4, false
from vocabulary w
where w.kind = 'word' and not exists (select from vocabulary o where o.token = left(w.token, 1))
"""

_LIMITS = {"entry_words": 20_000, "pairs": 3_000, "pieces": 5_000, "least": LEAST_FREQUENCY}


def foreign_words() -> list[list[str]]:
    """Return the commonest words of each of the other languages, the commonest first, as wordfreq knows them."""
    from wordfreq import top_n_list

    return [top_n_list(language, FOREIGN_WORDS) for language in OTHER_LANGUAGES]


def create_vocabulary(connection: Connection) -> None:
    """Make the temporary table `vocabulary (token, kind, frequency, in_entries)`, which ends with the transaction.

    The frequencies of general words are those of wordfreq, https://github.com/rspeer/wordfreq.
    """
    from wordfreq import top_n_list, word_frequency

    connection.execute(_CREATE_GENERAL)
    words = {word: word_frequency(word, "en") for word in top_n_list("en", GENERAL_WORDS)}
    for language in OTHER_LANGUAGES:
        for word in top_n_list(language, OTHER_WORDS):
            words.setdefault(word, LEAST_FREQUENCY)
    with connection.cursor().copy("copy general_words from stdin") as copy:
        for row in words.items():
            copy.write_row(row)
    for statement in (_CREATE_VOCABULARY, _ADD_PAIRS, _ADD_PIECES):
        connection.execute(statement, _LIMITS)
