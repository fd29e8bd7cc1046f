"""Results as tables to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METRICS = {
    "ndcg_at_20": "nDCG@20",
    "precision_at_20": "P@20",
    "average_precision_strong": "AP strong",
    "average_precision_several": "AP 2+",
    "diluted_recall": "dil. rec.",
    "diluted_auc": "dil. AUC",
    "comp": "COMP",
    "precision_at_500": "P@500",
    "recall_at_1000": "R@1000",
    "precision_at_20_of_everybody": "P@20 all",
    "precision_at_20_of_8_entries": "P@20 8+",
}


def tables(results: dict[str, Any]) -> str:
    """Lay out every part of the results, targets below."""
    return "\n".join(line for name, result in results.items() for line in _part(name, result))


def _part(name: str, result: dict[str, Any]) -> Iterator[str]:
    yield ""
    if "left_out" in result:
        yield f"{name}: {result['left_out']}"
        return
    yield f"{name}  ({result['seconds']} s)"
    layouts = [layout for kind, layout in LAYOUTS.items() if kind in result]
    if layouts:
        yield from layouts[0](result)
        return
    for column, figures in result.items():
        if isinstance(figures, dict):
            yield from _labelled(column, figures)


def _labelled(column: str, figures: dict[str, Any]) -> Iterator[str]:
    yield f" {column}: {figures['labels']} labels".ljust(28) + "".join(f"{name:>10}" for name in METRICS.values())
    for search, means in figures["searches"].items():
        cells = "".join(f"{means[metric]:>10.3f}" for metric in METRICS)
        yield f"  {search:<26}{cells}{_over_baseline(means)}"
    yield from _target(figures)


def _likenesses(result: dict[str, Any]) -> Iterator[str]:
    for name, found in result["likenesses"].items():
        stability = f"stability {found['stability']:.3f} (sd {found.get('stability_sd', 0):.3f})"
        yield (
            f"  {name:<16}MRR {found['lookalike_mrr']:.3f}{_over_baseline(found)}   "
            f"{stability}   silhouette {found['silhouette']:.3f}"
        )


def _indexes(result: dict[str, Any]) -> Iterator[str]:
    for data, recalls in result["recall_at_100"].items():
        yield f"  {data:<16}R@100 " + ", ".join(f"{name} {recall:.3f}" for name, recall in recalls.items())
    yield from _target(result)


def _planted(result: dict[str, Any]) -> Iterator[str]:
    yield from (f"  {search:<16}{', '.join(passed)}" for search, passed in result["passed"].items())
    yield from _target(result)


def _themes(result: dict[str, Any]) -> Iterator[str]:
    yield from (f"  {search:<16}P@5 {found['precision_at_5']:.3f}" for search, found in result["searches"].items())
    yield from _target(result)


def _audits(result: dict[str, Any]) -> Iterator[str]:
    for data, found in result["data"].items():
        parts = ", ".join(f"{part} {figures['covered']:.3f}" for part, figures in found["parts"].items())
        yield f"  {data:<18}covered: {parts}"
    yield from _target(result)


def _sharpened(result: dict[str, Any]) -> Iterator[str]:
    for data, found in result["sharpened"].items():
        for judged, figures in found["judged"].items():
            yield f" {data}, {found['labels']} labels, {judged} judged: precision {figures['search']:.3f}"
            for sharpening, gained in list(figures.items())[1:]:
                interval = "{:+.3f} ({:+.3f} … {:+.3f})".format(gained["gain"], *gained["interval"])
                yield f"  {sharpening:<26}{interval}, worse for {gained['harmed']:.0%} of the labels"


def _enriched(result: dict[str, Any]) -> Iterator[str]:
    for column, found in result["enriched"].items():
        yield f" {column}: {found['labels']} labels".ljust(48) + f"{'COMP':>7}{'P@20':>7}"
        for text, figures in found["texts"].items():
            over = figures.get("over_entries_alone")
            gained = "" if over is None else "   {:+.3f} ({:+.3f} … {:+.3f})".format(over["gain"], *over["interval"])
            added = figures.get("words_of_labels_added")
            words = "" if added is None else f"   {added['words']} words of labels in {added['entries']} entries"
            yield f"  {text:<46}{figures['comp']:>7.3f}{figures['precision_at_20']:>7.3f}{gained}{words}"


def _over_baseline(found: dict[str, Any]) -> str:
    gains = [found[over] for over in ("over_baseline", "over_log_mean") if over in found]
    return "".join("   {:+.3f} ({:+.3f} … {:+.3f})".format(gain["gain"], *gain["interval"]) for gain in gains)


def _target(figures: dict[str, Any]) -> Iterator[str]:
    for target in ("target", "target_over_log_mean"):
        if target in figures:
            what, wanted = next(iter(figures[target].items()))
            yield f"  target: {what.replace('_', ' ')} {wanted}: {'met' if figures[target]['met'] else 'not met'}"


LAYOUTS = {
    "likenesses": _likenesses,
    "recall_at_100": _indexes,
    "audits": _audits,
    "sharpened": _sharpened,
    "enriched": _enriched,
    "passed": _planted,
    "searches": _themes,
}
