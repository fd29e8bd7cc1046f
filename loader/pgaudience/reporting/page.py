"""A report of a segmentation as one page of HTML that asks nobody for anything."""

from __future__ import annotations

from pgaudience.reporting import words
from pgaudience.reporting.cards import make_cards
from pgaudience.reporting.figures import Figures
from pgaudience.reporting.pictures import draw_choice, draw_history, draw_map, draw_places, draw_profiles
from pgaudience.reporting.tables import attribute_table, flow_table, lift_table, unshown
from pgaudience.reporting.template import render


def write_page(figures: Figures, with_ids: bool, made_by: str) -> str:
    """Return the page; ids of users are on it only if asked for, as such pages are sent around."""
    cards = make_cards(figures)
    return render(
        "segmentation.html.j2",
        [each.entry for each in figures.grid],
        figures=figures,
        run=figures.run,
        cards=cards,
        with_ids=with_ids,
        made_by=made_by,
        sentences=_sentences(figures),
        here=next((each for each in figures.candidates if each.k == figures.run.k), None),
        map=draw_map(figures.map, cards),
        choice=draw_choice(figures),
        profiles=draw_profiles(figures, cards),
        grid=lift_table(figures.grid, cards),
        attributes=(table := attribute_table(figures, cards)),
        unshown=unshown(figures, table),
        drivers=[driver for driver in figures.drivers if driver.strength is not None],
        places=draw_places(figures.places, cards),
        sample_size=figures.sample_size,
        history_days=[words.day(each.published_at) for each in (figures.history[0], figures.history[-1])],
        history=draw_history(figures.history, cards),
        flows=flow_table(figures, cards),
    )


def _sentences(figures: Figures) -> list[str]:
    run = figures.run
    here = next((each for each in figures.candidates if each.k == run.k), None)
    said = [
        words.separation(run.silhouette),
        words.stability(here, min(figures.sample_size, run.users)),
        words.choice(run, figures.candidates),
    ]
    if run.outliers or run.unassigned:
        said.append(
            f"{words.count(run.outliers + run.unassigned)} users are in no segment: {words.count(run.outliers)} are far"
            f" from everybody, {words.count(run.unassigned)} would have been in one that is too small."
        )
    if run.hidden:
        said.append(
            f"Segments of fewer than {words.count(run.suppress_below)} users are not shown, to protect the people in"
            f" them; there {'is one' if run.hidden == 1 else f'are {run.hidden}'}."
        )
    if run.stale:
        said.append("The data has changed since it was last refreshed, and this is as it was then.")
    return [each for each in said if each]
