"""Loading what describes entries, and rows whose columns are a user's only description."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import psycopg
import pytest

from conftest import Cluster, connect, migrate_toy, shared
from pgaudience.errors import PgaudienceError
from pgaudience.loading.entries import MergedEntries
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.loading.rows import row_template
from pgaudience.reading import Columns, Rejects, open_query, open_source, read_entries

GROCERIES = "user,item\nann,Oat Milk\nann,Rye Bread\nbob,Oat Milk\nbob,Soap\n"
ACTIVITY = """
select user_id, entry, frequency
from activity join users using (user_key) join entries using (entry_key)
order by user_id, entry
"""


@pytest.fixture
def groceries(space: str, tmp_path: Path) -> str:
    describe(space, None, tmp_path, activity=GROCERIES)
    return space


def describe(
    url: str, text: str | None, folder: Path, *, name: str = "entries.csv", activity: str | None = None,
    column: str | None = None, rejects: Rejects | None = None, **options: object,
) -> MergedEntries:  # fmt: skip
    """Load a file of entries, or activity, or both."""
    rejects = rejects or Rejects()
    sources, entries = [], ()
    if activity is not None:
        (folder / "activity.csv").write_text(activity)
        sources = [open_source(folder / "activity.csv", format=None, columns=Columns(), rejects=rejects)]
    if text is not None:
        (folder / name).write_text(text)
        entries = read_entries(folder / name, None, column, rejects)
    with connect(url) as connection:
        return load(connection, sources, entries=entries, **options).entries  # type: ignore[arg-type]


def load_rows(
    url: str, text: str, template: str, folder: Path, *, user: str | None = None, name: str = "people.csv",
    rejects: Rejects | None = None,
) -> Merged:  # fmt: skip
    (folder / name).write_text(text)
    with connect(url) as connection:
        rows = row_template(connection, template)
        source = open_source(
            folder / name, format=None, columns=Columns(user=user), rejects=rejects or Rejects(), rows=rows
        )
        return load(connection, [source])


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def attributes(url: str) -> dict[str, dict]:
    return dict(rows(url, "select entry, attributes from entries"))


# Entries


def test_attributes_are_merged_by_text(groceries: str, tmp_path: Path) -> None:
    text = "product,aisle,price\n Oat   Milk ,milk,2\nSoap,,3.5\nTea,drinks,4\n"
    assert describe(groceries, text, tmp_path) == MergedEntries(changed=2, unknown=1)
    assert attributes(groceries) == {
        "Oat Milk": {"aisle": "milk", "price": 2}, "Rye Bread": {}, "Soap": {"price": 3.5},
    }  # fmt: skip
    assert describe(groceries, "item,vegan\nOat Milk,yes\n", tmp_path).changed == 1
    assert attributes(groceries)["Oat Milk"] == {"aisle": "milk", "price": 2, "vegan": "yes"}


def test_the_same_file_twice_changes_nothing(groceries: str, tmp_path: Path) -> None:
    text = "product,aisle\nOat Milk,milk\nOat Milk,vegan\nSoap,bath\n"
    describe(groceries, text, tmp_path)
    before = rows(groceries, "select ctid, xmin, * from entries order by entry_key")
    assert describe(groceries, text, tmp_path) == MergedEntries(lists={"aisle": 1})
    assert rows(groceries, "select ctid, xmin, * from entries order by entry_key") == before


def test_several_values_are_a_list(groceries: str, tmp_path: Path) -> None:
    text = (
        "entry,category,department,size\nOat Milk,plant,dairy,1\nOat Milk,milk,dairy,2\nOat Milk,plant,,\n"
        "Oat  Milk,plant,drinks,1\nSoap,bath,drugs,1\n"
    )
    found = describe(groceries, text, tmp_path)
    assert found == MergedEntries(changed=2, lists={"category": 1, "department": 1, "size": 1})
    assert attributes(groceries)["Oat Milk"] == {
        "category": ["plant", "milk"], "department": ["dairy", "drinks"], "size": [1, 2],
    }  # fmt: skip
    assert attributes(groceries)["Soap"] == {"category": "bath", "department": "drugs", "size": 1}
    template = "'{entry} — {category}; {department}'"
    assert rows(groceries, f"select entry_text(entry, attributes, {template}) from entries order by 1") == [
        ("Oat Milk — plant, milk; dairy, drinks",), ("Rye Bread",), ("Soap — bath; drugs",),
    ]  # fmt: skip


def test_a_list_of_json_is_several_values(groceries: str, tmp_path: Path) -> None:
    text = json.dumps([
        {"entry": "Soap", "tags": ["a", "b", "", "a"], "n": [1, 2]}, {"entry": "Soap", "tags": "c"},
        {"entry": "Oat Milk", "tags": ["only"], "more": {"a": 1}}, {"entry": "Rye Bread", "tags": []},
        {"entry": "Rye Bread", "tags": ["nul\0"]},
    ])  # fmt: skip
    rejects = Rejects()
    describe(groceries, text, tmp_path, name="entries.json", rejects=rejects)
    assert attributes(groceries) == {
        "Oat Milk": {"tags": ["only"], "more.a": 1}, "Rye Bread": {},
        "Soap": {"tags": ["a", "b", "c"], "n": [1, 2]},
    }  # fmt: skip
    assert rejects.reasons == {"contains NUL": 1}


def test_blanks_in_replace_and_add(groceries: str, tmp_path: Path) -> None:
    describe(groceries, "entry,aisle,price\nSoap,bath,3\n", tmp_path)
    describe(groceries, "entry,aisle,price\nSoap,,4\n", tmp_path, mode="add")
    assert attributes(groceries)["Soap"] == {"aisle": "bath", "price": 4}
    describe(groceries, "entry,aisle\nSoap,\n", tmp_path)
    assert attributes(groceries)["Soap"] == {"price": 4}


def test_entries_come_with_their_activity(space: str, tmp_path: Path) -> None:
    found = describe(space, "entry,aisle\nSoap,bath\n", tmp_path, activity=GROCERIES)
    assert found == MergedEntries(changed=1)
    assert rows(space, "select entries_pending, stale from status") == [(3, True)]


def test_unusable_rows_of_entries(groceries: str, tmp_path: Path) -> None:
    rejects = Rejects()
    describe(groceries, "entry,aisle\n,milk\n  ,milk\nSoap,bath\nSoap\n", tmp_path, rejects=rejects)
    assert rejects.reasons == {"blank entry": 2, "1 field, 2 expected": 1}
    with pytest.raises(PgaudienceError, match="line 2: blank entry"):
        describe(groceries, "entry,aisle\n,milk\nSoap,other\n", tmp_path, rejects=Rejects(strict=True))
    with pytest.raises(PgaudienceError, match="looks like the entry") as caught:
        describe(groceries, "sku,aisle\n1,milk\n", tmp_path)
    assert "--entries-entry COLUMN" in (caught.value.hint or "")
    with pytest.raises(PgaudienceError, match="2 columns called 'aisle'"):
        describe(groceries, "entry,aisle,aisle\nSoap,a,b\n", tmp_path)
    with pytest.raises(PgaudienceError, match="no rows of entries"):
        describe(groceries, '{"ann": {"Soap": 1}}', tmp_path, name="entries.json")
    assert attributes(groceries)["Soap"] == {"aisle": "bath"}
    assert describe(groceries, "sku,aisle\nSoap,x\n", tmp_path, column="SKU").changed == 1


def test_two_loads_of_entries_at_once(space: str, tmp_path: Path) -> None:
    activity = "user,item\n" + "".join(f"ann,item {n}\n" for n in range(2000))
    describe(space, None, tmp_path, activity=activity)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        step = 1 if number else -1
        lines = "".join(f"item {n},{n % 7}\n" for n in list(range(2000))[::step])
        try:
            for _ in range(3):
                describe(space, f"entry,aisle,by{number}\n" + lines.replace("\n", ",x\n"), folder)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors
    expected = "entry = 'item ' || n and attributes = jsonb_build_object('aisle', n % 7, 'by0', 'x', 'by1', 'x')"
    query = f"select count(*) from entries join generate_series(0, 1999) n on {expected}"
    assert rows(space, query) == [(2000,)]


# Rows as texts

PEOPLE = "customer,age,job,married\nc1,58,manager,yes\nc2,,cook,no\nc3,31,,\n"
SENTENCE = "Age: {age}, job: {job}, married: {married}"


def test_each_row_is_a_user_with_one_text(space: str, tmp_path: Path) -> None:
    merged = load_rows(space, PEOPLE, SENTENCE, tmp_path)
    assert rows(space, ACTIVITY) == [
        ("c1", "Age: 58, job: manager, married: yes", 1), ("c2", "job: cook, married: no", 1), ("c3", "Age: 31", 1),
    ]  # fmt: skip
    assert (merged.new_users, merged.new_entries, merged.attributes_changed) == (3, 3, 3)
    assert rows(space, "select attributes from users order by user_id") == [
        ({"age": 58, "job": "manager", "married": "yes"},), ({"job": "cook", "married": "no"},), ({"age": 31},),
    ]  # fmt: skip


def test_a_changed_row_replaces_its_text(space: str, tmp_path: Path) -> None:
    load_rows(space, PEOPLE, SENTENCE, tmp_path)
    merged = load_rows(space, PEOPLE, SENTENCE, tmp_path)
    assert merged == Merged(0, 0, 0, 0, 0, 0, {})
    load_rows(space, "customer,age,job,married\nc1,59,manager,yes\n", SENTENCE, tmp_path)
    assert rows(space, ACTIVITY)[0][1] == "Age: 59, job: manager, married: yes"
    assert len(rows(space, ACTIVITY)) == 3


def test_rows_of_one_text_are_one_entry(space: str, tmp_path: Path) -> None:
    people = "user_id,age,note\n1,30,a\n2,30,b\n3,31,c\n"
    assert load_rows(space, people, "{age} years", tmp_path).new_entries == 2


def test_rows_of_json_and_of_a_query(space: str, cluster: Cluster, tmp_path: Path) -> None:
    people = '[{"user": 1, "age": 30.0, "tags": ["a", "b"]}, {"user": 2, "age": null, "tags": null}]'
    rejects = Rejects()
    load_rows(space, people, "{age}: {user}", tmp_path, name="people.json", rejects=rejects)
    with connect(space) as connection:
        query = "select 3 as user, 40 as age"
        source = open_query(query, cluster.url(), Columns(), rejects, rows=row_template(connection, "{age}: {user}"))
        with source:
            load(connection, [source])
    assert [row[:2] for row in rows(space, ACTIVITY)] == [("1", "30: 1"), ("2", "2"), ("3", "40: 3")]


def test_unusable_rows(space: str, tmp_path: Path) -> None:
    rejects = Rejects()
    text = "customer,age,job\nc1,30,cook\nc2,, \n,30,cook\nc4,30,c\0k\nc5,30\n" + "x" * 1001 + ",30,cook\n"
    load_rows(space, text, "Age {age} ({job})", tmp_path, rejects=rejects)
    assert rejects.reasons == {
        "no value for the template": 1, "blank user": 1, "contains NUL": 1, "2 fields, 3 expected": 1,
        "user id longer than 1,000 bytes": 1,
    }  # fmt: skip
    assert rows(space, ACTIVITY) == [("c1", "Age 30 (cook)", 1)]


@pytest.mark.parametrize(
    ("text", "template", "message"),
    [
        ("age,job\n30,cook\n", "{age}", "looks like the user"),
        ("user,age\na,30\n", "{agee}", "no column 'agee' for the template; it has user, age"),
        ("user,age,age\na,30,3\n", "{age}", "2 columns called 'age'"),
    ],
)
def test_rows_that_do_not_fit_their_template(
    space: str, tmp_path: Path, text: str, template: str, message: str
) -> None:
    with pytest.raises(PgaudienceError, match=message):
        load_rows(space, text, template, tmp_path)
    with pytest.raises(PgaudienceError, match="no rows of users"):
        load_rows(space, '{"ann": {"Soap": 1}}', "{age}", tmp_path, name="people.json")


def test_a_template_that_is_none(space: str, tmp_path: Path) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="names no value") as caught:
        load_rows(space, PEOPLE, "a customer", tmp_path)
    assert caught.value.diag.message_hint


@pytest.mark.slow
def test_real_customers(cluster18: Cluster) -> None:
    path = shared("bank-marketing/users.csv.gz")
    space = cluster18.clone("space", migrate_toy)
    with connect(space) as connection:
        rows_of = row_template(connection, "Age: {age}, Job: {job}, Marital: {marital}, Education: {education}")
        source = open_source(path, format=None, columns=Columns(), rejects=Rejects(), rows=rows_of)
        merged = load(connection, [source])
    assert (merged.new_users, merged.attributes_changed) == (45_211, 45_211)
    assert merged.new_entries < 10_000
