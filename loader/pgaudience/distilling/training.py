"""The texts that the token table is fitted to besides the entries: what the model is asked, and paid, for."""

from __future__ import annotations

from collections.abc import Sequence

from pgaudience.database import Connection, check_model
from pgaudience.distilling.growth import growth
from pgaudience.distilling.synthetic import TEXTS, SyntheticTexts
from pgaudience.distilling.turns import take_turn
from pgaudience.distilling.vocabulary import create_vocabulary, foreign_words
from pgaudience.embedding.each import embed_each
from pgaudience.embedding.provider import Provider, embeds_alike
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress

ENTRIES = 50_000
"""The entries that are looked at; of more, a sample that stays the same."""

# Those that came last: what came before has its synthetic texts already.
_NEW_ENTRIES = """
select n.text
from (
    select t.text, t.text_hash, t.entry_key
    from entry_texts t
    join entry_vectors v using (entry_key)
    where t.is_current
    order by v.embedded_at desc, v.entry_key desc
    limit %s
) n
order by n.text_hash, n.entry_key
limit %s
"""

_WORDS = """
select v.token, v.frequency, v.in_entries
from vocabulary v
where v.kind = 'word'
order by v.token
"""

# Longest first, as texts of like length share a batch without padding.
_MISSING = """
select w.text
from (
    select v.token as text
    from vocabulary v
    where v.kind <> 'piece'
    union
    select unnest(%s::text[])
) w
where not exists (select from training_texts x where x.text = w.text)
order by length(w.text) desc, w.text collate "C"
"""

# What has a vector already is not asked for again: queries, and entries where the model embeds both alike.
_ADOPT = """
insert into training_texts (text, embedding)
select w.text, known.embedding
from (
    select v.token as text
    from vocabulary v
    where v.kind <> 'piece'
    union
    select unnest(%(texts)s::text[])
) w
cross join lateral (
    select q.embedding
    from queries q
    where md5(q.query)::uuid = md5(w.text)::uuid and q.embedding is not null
    union all
    select v.embedding
    from entries e
    join entry_vectors v using (entry_key)
    where %(alike)s and md5(e.entry)::uuid = md5(w.text)::uuid and v.text_hash is null
    limit 1
) known
order by w.text collate "C"
on conflict (text) do nothing
"""

_STORED = "select x.text from training_texts x where x.text = any (%s)"
_STORE = """
insert into training_texts (text, embedding) values (%s, %s)
on conflict (text) do nothing
"""


def missing_texts(connection: Connection, provider: Provider) -> list[str]:
    """Return what a fit needs that has no vector: words, and as many synthetic texts as the share of new entries says.

    They are the same until the entries or the token table change; what is an entry or a query with a vector has that
    one. Ends its own transaction and the temporary tables of it.

    Raises PgaudienceError when no entry has a vector yet.
    """
    create_vocabulary(connection)
    drawn = _draw(connection)
    connection.execute(_ADOPT, {"texts": drawn, "alike": embeds_alike(provider)})
    texts = [row[0] for row in connection.execute(_MISSING, [drawn]).fetchall()]
    connection.commit()
    return texts


def embed_texts(connection: Connection, provider: Provider, texts: Sequence[str]) -> None:
    """Embed the texts as queries, each batch committed by itself; those the model refuses are left out.

    What another process has embedded meanwhile is not paid for again.

    Raises ProviderError when the model or its service is at fault.
    """
    with progress("Distilling", len(texts), "texts") as shown:
        for first in range(0, len(texts), provider.batch_size):
            wanted = texts[first : first + provider.batch_size]
            with connection.transaction(), connection.cursor() as cursor:
                take_turn(connection)
                check_model(connection, provider.name, provider.dimensions)
                stored = {text for (text,) in connection.execute(_STORED, [wanted]).fetchall()}
                batch = [text for text in wanted if text not in stored]
                if batch:
                    result = embed_each(provider, batch, queries=True)
                    cursor.executemany(
                        _STORE, [(batch[at], vector) for at, vector in zip(result.kept, result.vectors, strict=True)]
                    )
            shown.advance(len(wanted))


def _draw(connection: Connection) -> list[str]:
    grown = growth(connection)
    if not grown.entries:
        raise PgaudienceError("no entry has a vector yet", "Embed them: pgaudience embed")
    if not grown.new:
        return []
    entries = [row[0] for row in connection.execute(_NEW_ENTRIES, [grown.new, ENTRIES]).fetchall()]
    rows = connection.execute(_WORDS).fetchall()
    words = [(token, frequency) for token, frequency, _ in rows]
    entry_words = [token for token, _, in_entries in rows if in_entries]
    source = SyntheticTexts(entries, entry_words or [words[0][0]], words, foreign_words(), seed=grown.distilled)
    return source.draw(round(TEXTS * grown.new / grown.entries))
