"""Names of segments: whole entries where these are names, phrases as they are written, none where nothing tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import psycopg
import pytest

from conftest import connect

BANDS = {
    "indie": [
        "Death Cab for Cutie", "Arcade Fire", "The National", "Modest Mouse", "Vampire Weekend", "Fleet Foxes",
        "Neutral Milk Hotel", "Sufjan Stevens", "Bon Iver", "Tame Impala",
    ],
    "metal": [
        "Bring Me the Horizon", "Slipknot", "Avenged Sevenfold", "Lamb of God", "System of a Down", "Iron Maiden",
        "Judas Priest", "Children of Bodom", "Rage Against the Machine", "Red Hot Chili Peppers",
    ],
    "singers": [
        "John Mayer", "Elton John", "John Legend", "Olivia Newton-John", "Taylor Swift", "Beyoncé", "Sinéad O'Connor",
        "P!nk", "Norah Jones", "Alicia Keys",
    ],
}  # fmt: skip
FILMS = {
    "space": [
        "2001: A Space Odyssey", "Alien", "The Empire Strikes Back", "Interstellar", "Gravity", "The Martian",
        "Apollo 13", "Solaris", "Blade Runner", "Dune: Part Two",
    ],
    "love": [
        "When Harry Met Sally...", "Notting Hill", "La La Land", "Love Actually", "Pretty Woman", "Titanic",
        "Casablanca", "The Notebook", "Before Sunrise", "Amélie",
    ],
}  # fmt: skip
CJK = {
    "tokyo": [
        "東京ディズニーランド",
        "佐々木、築地",
        "渋谷スクランブル交差点",
        "ハリー・ポッター",
        "浅草寺",
        "新宿御苑",
    ],
    "bangkok": ["น้ำตก เอราวัณ", "ตลาดน้ำ", "วัดพระแก้ว", "ที่พัก", "สยามพารากอน", "ถนนข้าวสาร"],
    "seoul": ["서울 맛집", "경복궁", "남산 타워", "명동 거리", "한강 공원", "홍대 앞"],
    "signs": ["❤️", "☕️", "🎿", "🍕 + 🍷", "👨‍👩‍👧", "🇩🇪"],
}
PRODUCTS = {
    "bags": [f"{size} Jumbo Bag {pattern}" for size in ("Small", "Large") for pattern in ("Red", "Pink", "Woodland")],
    "lights": [f"Glass T-Light Holder {color}" for color in ("Amber", "Blue", "Green", "Silver")],
    "kitchen": [f"Trader Joe’s {thing} Sauce" for thing in ("Tomato", "Pepper", "Mustard", "Garlic")],
}

USERS = "insert into users (user_id) select 'user ' || n from generate_series(1, %s) n"
ENTRIES = "insert into entries (entry) select unnest(%s::text[])"
ACTIVITY = """
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, g.frequency
from unnest(%s::bigint[], %s::text[], %s::float[]) g (n, entry, frequency)
join users u on u.user_id = 'user ' || g.n
join entries e using (entry)
"""
RUN = """
insert into segmentations (segmentation, published_run_id) values ('interests', null);
insert into segmentation_runs (segmentation, method, k, parameters, warm_start, users, iterations, inertia)
values ('interests', 'kmeans', 1, '{}', false, 0, 1, 0);
update segmentations set published_run_id = 1;
"""
SEGMENTS = """
insert into segment_assignments (run_id, user_key, segment_id, similarity)
select 1, u.user_key, g.segment_id, 1
from unnest(%s::bigint[]) with ordinality g (segment_id, n) join users u on u.user_id = 'user ' || g.n
"""
COUNTED = """
insert into run_segments (run_id, segment_id, users, share, cohesion, centroid)
select 1, segment_id, count(*), 1, 1, '[1,0,0]' from segment_assignments group by segment_id;
update segmentation_runs set users = (select count(*) from segment_assignments);
"""


def describe(
    connection: psycopg.Connection, groups: Sequence[Sequence[str]], *, users: int = 60, everyone: Sequence[str] = ()
) -> list[tuple[str, list[str]]]:
    """Make a segment of users of each group, who have three of its entries and some that anybody may have."""
    random = np.random.default_rng(5)
    had = [
        (segment * users + user + 1, entry, float(1 + random.poisson(2)))
        for segment, group in enumerate(groups)
        for user in range(users)
        for entry in {*random.choice(group, 3), *(everyone and random.choice(everyone, 2))}
    ]
    store(connection, had, np.repeat(np.arange(1, len(groups) + 1), users).tolist())
    return told(connection)


def store(connection: psycopg.Connection, had: Sequence[tuple[int, str, float]], segments: Sequence[int]) -> None:
    connection.execute(USERS, [len(segments)])
    connection.execute(ENTRIES, [sorted({str(entry) for _, entry, _ in had})])
    connection.execute(ACTIVITY, [[n for n, _, _ in had], [str(e) for _, e, _ in had], [f for _, _, f in had]])
    connection.execute(RUN)
    connection.execute(SEGMENTS, [list(segments)])
    connection.execute(COUNTED)
    connection.execute("call describe_run(1)")


def told(connection: psycopg.Connection) -> list[tuple[str, list[str]]]:
    return connection.execute("select name, keywords from run_segments order by segment_id").fetchall()


@pytest.mark.parametrize("groups", [BANDS, FILMS, {**BANDS, **FILMS}, CJK])
def test_names_are_whole_entries(space: str, groups: Mapping[str, Sequence[str]]) -> None:
    """No 'Cab for cutie', no 'me the horizon', no 'John', no lone variation selector."""
    with connect(space) as connection:
        found = describe(connection, list(groups.values()))
    for group, (name, keywords) in zip(groups.values(), found, strict=True):
        assert set(keywords) <= set(group)
        assert len(keywords) > 2
        assert name.lower() == ", ".join(keywords[: name.count(", ") + 1]).lower() or "、" in name


def test_phrases_are_what_entries_have_in_common(space: str) -> None:
    """As they are written: with the hyphen and the apostrophe, and whole: 'jumbo bag', not 'jumbo'."""
    with connect(space) as connection:
        found = describe(connection, list(PRODUCTS.values()), everyone=["Postage"])
    assert found[0][0].startswith("Jumbo bag")
    assert found[1][1][0] == "glass t-light holder"
    assert found[2][1][0] == "trader joe’s"
    for group, (_, keywords) in zip(PRODUCTS.values(), found, strict=True):
        assert all(any(keyword in entry.lower() for entry in group) for keyword in keywords)


def test_fragments_of_one_long_entry_name_nothing(space: str) -> None:
    """An entry that is too long for a name is left out whole; a piece of it is in no other entry."""
    long = "Hand Blown Crystal Chandelier of Eighteen Arms and Forty Candles"
    with connect(space) as connection:
        found = describe(connection, [[*PRODUCTS["lights"], long], PRODUCTS["bags"], PRODUCTS["kitchen"]])
    assert not any(keyword in long.lower() for _, keywords in found for keyword in keywords)


def test_a_few_fans_do_not_name_a_segment(space: str) -> None:
    """Ten of 300 who play one artist a thousand times: the most distinctive entry by weight, and nobody else's."""
    indie, metal = BANDS["indie"], BANDS["metal"]
    random = np.random.default_rng(5)
    had = [
        (user + 1, entry, 1.0) for user in range(600) for entry in {*random.choice(indie if user < 300 else metal, 2)}
    ]
    had += [(user + 1, "Taylor Swift", 1e30) for user in range(10)]
    with connect(space) as connection:
        store(connection, had, [1] * 300 + [2] * 300)
        (first,) = connection.execute(
            "select entry from run_entries join entries using (entry_key) where segment_id = 1 order by z_score desc"
        ).fetchone() or ("",)
        (name, keywords), _ = told(connection)
    assert first == "Taylor Swift"
    assert "Taylor Swift" not in keywords
    assert set(name.split(", ")) <= set(indie)


def test_what_nothing_sets_apart_has_no_theme(space: str) -> None:
    """Users who have some of everything beside others who are of one kind: what is theirs alone, few have."""
    indie, metal, rare = BANDS["indie"], BANDS["metal"], [f"Song {n}" for n in range(200)]
    with connect(space) as connection:
        *kinds, (leftover, keywords) = describe(connection, [indie, metal, [*indie, *metal, *rare]], users=200)
        told_apart = connection.execute(
            "select count(*) from run_entries where segment_id = 3 and lift > 1 and share >= 0.05"
        ).fetchone()
        commonest = connection.execute(
            "select array_agg(entry order by lift desc, entry) from (select * from run_entries"
            " join entries using (entry_key) where segment_id = 3 order by users desc, z_score desc, entry limit 8) c"
        ).fetchone()
        themes = connection.execute("select has_theme from segments order by segment_id").fetchall()
    assert told_apart == (0,)
    assert themes == [(True,), (True,), (False,)]
    assert keywords == (commonest or [[]])[0]
    assert leftover == ", ".join(keywords[:2])
    assert leftover not in [name for name, _ in kinds]


def test_capitals_and_brackets_do_not_shout_from_a_name(space: str) -> None:
    """Of a segment without a theme: what has one is in lower case already."""
    kinds = [[f"{kind} OF {n}" for n in range(9)] for kind in ("TEA", "SOAP")]
    rare = [f"RARE {n} (EX" for n in range(200)]
    with connect(space) as connection:
        *_, (leftover, _) = describe(connection, [*kinds, [*kinds[0], *kinds[1], *rare]], users=200)
        assert connection.execute("select has_theme from segments where segment_id = 3").fetchone() == (False,)
    assert leftover == leftover.capitalize()


def test_a_name_does_not_outlive_what_told_a_segment_apart(space: str) -> None:
    """A segment that has become a leftover is not called what it was, though it has a keyword of then."""
    with connect(space) as connection:
        describe(connection, [BANDS["indie"], BANDS["metal"]])
        connection.execute("update run_segments set name = 'Former ' || segment_id, has_theme = segment_id = 1")
        connection.execute("update segmentation_runs set previous_run_id = 1")
        connection.execute("call name_segments(1)")
        kept, renamed = told(connection)
    assert kept[0] == "Former 1"
    assert renamed[0] != "Former 2"


def test_words_that_half_of_the_entries_have_name_nothing(space: str) -> None:
    """Not 'View project: fashion' beside 'View project: sports': the action is the same everywhere."""
    causes = ("Fashion", "Sports", "Games")
    with connect(space) as connection:
        found = describe(
            connection, [[f"{verb} Project: {cause}" for verb in ("View", "Fund")] * 2 for cause in causes]
        )
    assert [name for name, _ in found] == list(causes)


def test_people_are_named_by_what_is_known_of_them_in_a_space_of_attributes(space: str) -> None:
    """Values that speak for themselves, else with their attribute; medians; not what everybody has."""
    with connect(space) as connection:
        connection.execute("update space set model = 'attributes'")
        store(connection, [(n + 1, "Anything", 1.0) for n in range(60)], [1] * 20 + [2] * 20 + [3] * 20)
        connection.execute(
            "update users set attributes = jsonb_build_object('job', (array['retired', 'student', 'admin.'])[n],"
            " 'age', (array[63, 23, 40])[n], 'home_owner', (array['yes', 'no', 'no'])[n], 'contact',"
            " (array['phone', 'phone', 'unknown'])[n], 'country', 'Chile')"
            " from (select user_key, segment_id::integer as n from segment_assignments) a"
            " where a.user_key = users.user_key"
        )
        connection.execute("call describe_run(1)")
        found = told(connection)
    assert [set(keywords) for _, keywords in found] == [
        {"retired", "home owner", "phone", "age around 63"},
        {"student", "no home owner", "phone", "age around 23"},
        {"admin.", "no home owner", "contact unknown"},
    ]
    assert len({name for name, _ in found}) == 3
    assert all(name[0].isupper() and name.count(", ") >= 2 for name, _ in found)


def test_the_hundred_most_telling_entries_are_kept(space: str) -> None:
    """Of 160 entries, those that nobody else has; what the other segment has as much of is left out."""
    own, shared = [f"Own {n}" for n in range(100)], [f"Shared {n}" for n in range(60)]
    had = [(user + 1, entry, 1.0) for user in range(4) for entry in ([*own, *shared] if user < 2 else shared)]
    with connect(space) as connection:
        store(connection, had, [1, 1, 2, 2])
        found = connection.execute(
            "select entry from run_entries join entries using (entry_key) where segment_id = 1"
        ).fetchall()
    assert {entry for (entry,) in found} == set(own)
