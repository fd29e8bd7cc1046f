"""The model inside PostgreSQL against sentence-transformers: how fast it is, and how close.

Speed is measured in alternation, both warm, one connection. Agreement, a benchmark of its own, is that on every text at
hand: the data sets in the folder `shared/data` beside the checkout (those that are missing are left out), words of ten
languages, and hostile texts.
"""

from __future__ import annotations

import csv
import gzip
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psycopg
from measuring import against, say
from numpy.typing import NDArray
from pgvector.psycopg import register_vector
from serving import SCHEMA, Connection, Server, serving
from shopping import product_names
from tokenizers import Tokenizer
from wordfreq import top_n_list

from pgaudience.database import open_space
from pgaudience.embedding.registry import DEFAULT_MODEL
from pgaudience.embedding.sentence_transformers import ENCODE_AT_ONCE, SentenceTransformersProvider, folder_of
from pgaudience.encoding import ensure_encoder

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
DATA = ("completejourney", "online-retail", "instacart-sample")
LANGUAGES = ("en", "de", "fr", "es", "ru", "ar", "zh", "ja", "ko", "hi")
QUERIES = {
    "two words": ("ski enthusiasts", 4.0),
    "four words": ("luxury hotels and golf", 4.0),
    "six words": ("warm coffee on a snowy mountain", 4.0),
    "twelve words": ("people who love organic food and cooking at home with small children", 8.0),
}
ROUNDS = 30
BATCHED = 1_000
ENTRIES = 1_000
K = 20
LEAST_COSINE = 0.9999
LEAST_OVERLAP = 0.99


def run(*, small: bool) -> dict[str, Any]:
    """Time single texts, the first of a session, and many."""
    with _encoding() as (server, connection, provider, stored):
        return {
            "seconds_to_store": round(stored, 1),
            "megabytes": _megabytes(connection),
            "queries": _queries(connection, provider),
            "first_call_of_a_session": _first_call(server),
            "entries": _entries(server, connection, provider, 100 if small else BATCHED),
        }


def run_agreement(*, small: bool) -> dict[str, Any]:
    """Compare tokens, vectors, and what searches find by them."""
    with _encoding() as (_, connection, provider, _):
        return {
            "tokens": _tokens(connection, 50 if small else 1),
            "vectors": _vectors(connection, provider, 100 if small else 5_000),
            "overlap": _overlap(connection, provider, 10 if small else 200),
        }


@contextmanager
def _encoding() -> Iterator[tuple[Server, Connection, SentenceTransformersProvider, float]]:
    """Run a server with the model in its space; yield a session of it, and how many seconds storing the model took."""
    provider = SentenceTransformersProvider(DEFAULT_MODEL.partition(":")[2])
    with serving() as server:
        with server.connect() as connection:
            started = time.perf_counter()
            assert ensure_encoder(connection, open_space(connection, SCHEMA), provider) is None
            stored = time.perf_counter() - started
        with _session(server) as connection:
            register_vector(connection)
            yield server, connection, provider, stored


def _session(server: Server) -> Connection:
    """Connect as any SQL client does."""
    return psycopg.connect(server.url, autocommit=True, options=f"-c search_path={SCHEMA},public,pg_temp")


def _megabytes(connection: Connection) -> float:
    found = connection.execute(
        "select sum(pg_total_relation_size(c.oid)) / 1e6 from pg_class c"
        " where c.relkind = 'r' and c.relname like 'encoder%%' and c.relnamespace = to_regnamespace(%s)",
        [SCHEMA],
    ).fetchone()
    return round(float(found[0]), 1) if found else 0.0


def _queries(connection: Connection, provider: SentenceTransformersProvider) -> dict[str, Any]:
    """Time one text after the other here and there, round by round; the median of the ratios counts."""
    return {name: _query(connection, provider, text, target) for name, (text, target) in QUERIES.items()}


def _query(connection: Connection, provider: SentenceTransformersProvider, text: str, target: float) -> dict[str, Any]:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS + 3):
        one = _seconds(lambda: connection.execute("select embed(%s)", [text]).fetchone())
        other = _seconds(lambda: provider.embed_queries([text]))
        if number > 2:
            ours.append(one)
            theirs.append(other)
    ratio = median(ours) / median(theirs)
    return {
        "milliseconds": round(median(ours) * 1000, 1),
        "milliseconds_of_the_model": round(median(theirs) * 1000, 1),
        **against(ratio, target),
    }


def _first_call(server: Server) -> dict[str, Any]:
    ratios: list[float] = []
    for _ in range(7):
        with _session(server) as session:
            first, *warm = [
                _seconds(lambda: session.execute("select embed('ski enthusiasts')").fetchone()) for _ in range(6)
            ]
        ratios.append(first / median(warm))
    return against(median(ratios), 2.0)


def _entries(
    server: Server, connection: Connection, provider: SentenceTransformersProvider, count: int
) -> dict[str, Any]:
    texts = product_names(count)
    with connection.cursor().copy("copy entries (entry) from stdin") as copy:
        for text in texts:
            copy.write_row([text])
    provider.embed(texts[:ENCODE_AT_ONCE])
    bare = min(_seconds(lambda: provider.embed(sorted(texts, key=len, reverse=True))) for _ in range(2))
    parallel, one, two = (
        min(_embed_entries(server, connection, sessions, workers) for _ in range(2))
        for sessions, workers in ((1, 2), (1, 0), (2, 0))
    )
    return {
        "texts": count,
        "seconds": round(parallel, 2),
        "seconds_without_workers": round(one, 2),
        "seconds_of_the_model": round(bare, 2),
        **against(parallel / bare, 12.0),
        "gain_of_two_sessions": against(one / two, 1.8, at_least=True),
    }


def _embed_entries(server: Server, connection: Connection, sessions: int, workers: int) -> float:
    connection.execute("truncate entry_vectors")

    def work() -> None:
        with _session(server) as session:
            session.execute(f"set max_parallel_workers_per_gather = {workers}".encode())
            session.execute("call embed_entries()")

    def together() -> None:
        threads = [threading.Thread(target=work) for _ in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _seconds(together)


def _tokens(connection: Connection, every: int) -> dict[str, Any]:
    """Compare the tokens with those of the package, text by text."""
    folder = folder_of(DEFAULT_MODEL.partition(":")[2])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json" if folder else ""))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return {name: _same_tokens(connection, tokenizer, texts[::every]) for name, texts in _all_texts()}


def _same_tokens(connection: Connection, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, Any]:
    same = 0
    for start in range(0, len(texts), 1_000):
        some = list(texts[start : start + 1_000])
        rows = connection.execute(
            "select encoder_tokenize(u.t) from unnest(%s::text[]) with ordinality u (t, n) order by u.n", [some]
        )
        wanted = [encoding.tokens[1:-1] for encoding in tokenizer.encode_batch(some)]
        same += sum(row[0] == tokens for row, tokens in zip(rows, wanted, strict=True))
    say(f"{same:,} of {len(texts):,} texts have the same tokens")
    return {"texts": len(texts), **against(same / len(texts), 1.0, at_least=True)}


def _all_texts() -> Iterator[tuple[str, list[str]]]:
    for name in DATA:
        if (SHARED / name / "events.csv.gz").exists():
            yield name, _entries_of(name)
    yield "words", [word for language in LANGUAGES for word in top_n_list(language, 2_000)]
    yield "hostile", _hostile(3_000)


def _entries_of(name: str) -> list[str]:
    with gzip.open(SHARED / name / "events.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return sorted({row["entry"] for row in csv.DictReader(file)})


def _hostile(count: int) -> list[str]:
    """Texts of random characters of all kinds, drawn the same way each time."""
    drawn = random.Random(3)
    blocks = (
        (0x20, 0x7E), (0x01, 0x1F), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF),
        (0x1100, 0x11FF), (0x1E00, 0x206F), (0x2070, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
        (0xE000, 0xF8FF), (0xF900, 0xFFFD), (0x10000, 0x1FAFF), (0x20000, 0x2FA1D), (0xE0000, 0x10FFFF),
    )  # fmt: skip
    texts = [
        "".join(chr(drawn.randint(*drawn.choice(blocks))) for _ in range(drawn.randint(1, 40))) for _ in range(count)
    ]
    return [*texts, "x" * 10_000, "\u0301" * 100, "\u200b", "a\u0301" * 3_000, "[MASK][SEP] [CLS", "漢" * 10_000]


def _vectors(connection: Connection, provider: SentenceTransformersProvider, count: int) -> dict[str, Any]:
    texts = [text for _, some in _all_texts() for text in some]
    chosen = [text[:400] for text in random.Random(5).sample(texts, min(count, len(texts)))]
    least = min(float(each.min()) for each in _cosines(connection, provider, chosen))
    return {"texts": len(chosen), "least_cosine": against(least, LEAST_COSINE, at_least=True)}


def _cosines(
    connection: Connection, provider: SentenceTransformersProvider, texts: Sequence[str]
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(texts), 500):
        some = list(texts[start : start + 500])
        rows = connection.execute("select unnest(encode_texts(%s::text[]))", [some]).fetchall()
        found = np.array([row[0].to_numpy() for row in rows])
        exact = provider.embed(some)
        yield (found * exact).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(exact, axis=1)
        say(f"{start + len(some):,} of {len(texts):,} vectors compared")


def _overlap(connection: Connection, provider: SentenceTransformersProvider, count: int) -> dict[str, Any]:
    """Return how many of the twenty entries and users found are those that the model's own vector finds."""
    names = product_names(ENTRIES)
    with connection.cursor().copy("copy entries (entry) from stdin") as copy:
        for name in names:
            copy.write_row([name])
    rows = connection.execute("select entry_key, entry from entries order by entry_key").fetchall()
    vectors = provider.embed([name for _, name in rows])
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into entry_vectors (entry_key, embedding) values (%s, %s)",
            [(row[0], vector) for row, vector in zip(rows, vectors, strict=True)],
        )
    connection.execute(
        "insert into activity_input (user_id, entry) select 'user ' || n % 200, e.entry"
        " from entries e cross join lateral (select e.entry_key * k as n from generate_series(1, 3) k) n"
    )
    connection.execute("call refresh()")
    queries = top_n_list("en", 20 * count)[::20]
    exact = provider.embed_queries(queries)
    shares: dict[str, list[float]] = {"search_entries": [], "search_users": []}
    for query, vector in zip(queries, exact, strict=True):
        for name, column in (("search_entries", "entry"), ("search_users", "user_id")):
            found, wanted = (
                {
                    row[0]
                    for row in connection.execute(
                        f"select {column} from {name}({argument}, k => {K})".encode(), [value]
                    )
                }
                for argument, value in (("embed(%s)", query), ("%s::vector", vector))
            )
            shares[name].append(len(found & wanted) / len(wanted))
    means = {name: float(np.mean(values)) for name, values in shares.items()}
    return {name: {"overlap_at_20": against(mean, LEAST_OVERLAP, at_least=True)} for name, mean in means.items()}


def _seconds(run: Any) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
