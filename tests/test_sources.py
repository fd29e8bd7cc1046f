"""Sources in the same database, day by day against a plain recomputation; what they refuse, kills, who may do what."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from conftest import connect
from pgaudience.database import open_space
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from test_family import pair  # noqa: F401
from test_least_power import Power, power  # noqa: F401
from test_least_power import rows as rows_as

SPACE_ROWS = "user_id,entry,frequency\n1,loaded,2\n"
START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = """
create table public.customers (id integer primary key, country text, age integer, email text);
create table public.products (id integer primary key, name text, category text);
create table public.lines (
    id bigint generated always as identity primary key,
    customer integer,
    product integer,
    qty numeric,
    ordered_at timestamptz,
    updated_at timestamptz
);
create view public.named_lines as
select l.*, p.name from public.lines l join public.products p on p.id = l.product;
"""

Pairs = dict[tuple[str, str], tuple[float, datetime, datetime]]


def pairs(connection: psycopg.Connection) -> Pairs:
    """What the space says of who did what."""
    found = connection.execute(
        "select u.user_id, e.entry, a.frequency, a.first_at, a.last_at"
        " from activity a join users u using (user_key) join entries e using (entry_key)"
    ).fetchall()
    return {(user, entry): (frequency, first, last) for user, entry, frequency, first, last in found}


def attributes(connection: psycopg.Connection, relation: str) -> dict[str, dict]:
    name = "user_id" if relation == "users" else "entry"
    return dict(connection.execute(f"select {name}, attributes from {relation}".encode()).fetchall())


def rejects(connection: psycopg.Connection) -> dict[tuple[str, str], int]:
    found = connection.execute("select source, reason, rows from source_rejects").fetchall()
    return {(source, reason): count for source, reason, count in found}


def one(connection: psycopg.Connection, query: str, *values: object) -> tuple:
    found = connection.execute(query.encode(), values or None).fetchone()
    assert found
    return found


@dataclass
class Shop:
    """What is in the tables, kept a second time in Python: lines as (customer, product, quantity, when)."""

    connection: psycopg.Connection
    chance: random.Random
    now: datetime = START
    customers: dict[int, tuple[str | None, int | None]] = field(default_factory=dict)
    products: dict[int, tuple[str, str]] = field(default_factory=dict)
    lines: dict[int, tuple[int, int, float, datetime]] = field(default_factory=dict)
    names: int = 0

    def fill(self) -> None:
        for _ in range(20):
            self.add_product()
        for _ in range(40):
            self.add_customer()
        for _ in range(300):
            self.order()

    def add_product(self) -> None:
        number = len(self.products) + 1
        self.products[number] = (self.new_name(), self.chance.choice(("toys", "tea")))
        self.connection.execute("insert into public.products values (%s, %s, %s)", [number, *self.products[number]])

    def new_name(self) -> str:
        self.names += 1
        return f"product {self.names}"

    def add_customer(self) -> None:
        number = len(self.customers) + 1
        self.customers[number] = (self.chance.choice(("France", "Spain", None)), self.chance.choice((20, 30, None)))
        self.connection.execute(
            "insert into public.customers (id, country, age) values (%s, %s, %s)", [number, *self.customers[number]]
        )

    def order(self, *, late: timedelta = timedelta()) -> None:
        self.now += timedelta(minutes=self.chance.randint(1, 5))
        line = (self.chance.choice(list(self.customers)), self.chance.choice(list(self.products)),
                self.chance.choice((0.1, 0.2, 0.7, 1, 2, 3)), self.now - late)  # fmt: skip
        (number,) = one(
            self.connection,
            "insert into public.lines (customer, product, qty, ordered_at, updated_at) values (%s, %s, %s, %s, %s)"
            " returning id",
            *line, line[3],
        )  # fmt: skip
        self.lines[number] = line

    def correct(self) -> None:
        """Change a line, as its owner does: with the time of the change."""
        number = self.chance.choice(list(self.lines))
        customer, product, _, at = self.lines[number]
        self.now += timedelta(minutes=1)
        self.lines[number] = (customer, product, self.chance.choice((4.0, 5.0)), at)
        self.connection.execute(
            "update public.lines set qty = %s, updated_at = %s where id = %s",
            [self.lines[number][2], self.now, number],
        )

    def cancel(self) -> None:
        number = self.chance.choice(list(self.lines))
        del self.lines[number]
        self.connection.execute("delete from public.lines where id = %s", [number])

    def rename(self) -> None:
        number = self.chance.choice(list(self.products))
        self.products[number] = (self.new_name(), self.products[number][1])
        self.connection.execute(
            "update public.products set name = %s where id = %s", [self.products[number][0], number]
        )

    def swap(self) -> None:
        """Two products take each other's name."""
        one_, other = self.chance.sample(list(self.products), 2)
        (a, x), (b, y) = self.products[one_], self.products[other]
        self.products[one_], self.products[other] = (b, x), (a, y)
        for number in (one_, other):
            self.connection.execute(
                "update public.products set name = %s where id = %s", [self.products[number][0], number]
            )

    def expected(self) -> Pairs:
        found: dict[tuple[str, str], list[tuple[float, datetime]]] = {}
        for customer, product, quantity, at in self.lines.values():
            found.setdefault((str(customer), self.products[product][0]), []).append((quantity, at))
        return {
            key: (sum(q for q, _ in acts), min(t for _, t in acts), max(t for _, t in acts))
            for key, acts in found.items()
        }


def same(found: Pairs, expected: Pairs) -> None:
    assert found.keys() == expected.keys()
    for key, (frequency, first, last) in expected.items():
        assert found[key] == (pytest.approx(frequency, rel=1e-12), first, last), key


def fill_shop(url: str, source: str) -> None:
    with connect(url) as connection:
        connection.execute(TABLES.encode())
        connection.execute(source.encode())


@pytest.fixture
def shop(space: str) -> Iterator[Shop]:
    with connect(space, autocommit=True) as connection:
        connection.execute(TABLES.encode())
        shop = Shop(connection, random.Random(3))
        shop.fill()
        yield shop


COMPARED = """
call add_source('public.named_lines', user_column => 'customer', entry_column => 'name', frequency_column => 'qty',
    time_column => 'ordered_at', name => 'lines')"""
BY_CURSOR = """
call add_source('public.lines', user_column => 'customer', entry_key_column => 'product', entry_source => 'products',
    frequency_column => 'qty', time_column => 'ordered_at', cursor_column => 'updated_at', overlap => '2 hours',
    name => 'lines')"""
PRODUCTS = """
call add_source('public.products', entry_key_column => 'id', entry_column => 'name', attributes => array['category'],
    name => 'products')"""
CUSTOMERS = "call add_source('public.customers', user_column => 'id', attributes => array['country', 'age'])"


def load_rows(url: str, folder: Path, text: str) -> None:
    """Load rows of CSV in mode `replace`."""
    file = folder / "rows.csv"
    file.write_text(text)
    with connect(url) as connection, Rejects() as rejects:
        open_space(connection, "audience")
        with open_source(file, format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source])


# What is brought in


def test_by_comparison_day_by_day(shop: Shop) -> None:
    """Inserts, updates, deletes and new names, each day; what differs is written, and nothing else."""
    shop.connection.execute(COMPARED.encode())
    for day in range(6):
        shop.connection.execute("call sync()")
        same(pairs(shop.connection), shop.expected())
        assert one(shop.connection, "select complete, rows_read, rows_rejected, fault from sources") == (
            True, len(shop.lines), 0, None,
        )  # fmt: skip
        if day:
            assert 0 < one(shop.connection, "select changes from sources")[0] < 80
        for change in (shop.order, shop.correct, shop.cancel):
            for _ in range(5):
                change()
        shop.rename()
        shop.add_customer()


def test_by_a_cursor_day_by_day(shop: Shop) -> None:
    """New, corrected and late lines, renamed and swapped products; deletions where all is compared."""
    for statement in (PRODUCTS, BY_CURSOR, CUSTOMERS):
        shop.connection.execute(statement.encode())
    keys: dict[str, int] = {}
    for day in range(8):
        shop.connection.execute("call sync()")
        same(pairs(shop.connection), shop.expected())
        if day:
            complete, read = one(shop.connection, "select complete, rows_read from sources where source = 'lines'")
            assert not complete and read < len(shop.lines)
        for _ in range(5):
            shop.order()
            shop.correct()
        shop.order(late=timedelta(minutes=50))
        shop.add_product()
        shop.order()
        shop.rename()
        if day % 2:
            shop.swap()
        for product, (name, _) in shop.products.items():
            keys.setdefault(name, product)
    for _ in range(10):
        shop.cancel()
    shop.connection.execute("call sync(complete => true)")
    same(pairs(shop.connection), shop.expected())
    assert attributes(shop.connection, "users") == {
        str(number): {name: value for name, value in zip(("country", "age"), known, strict=True) if value is not None}
        for number, known in shop.customers.items()
    }


def test_nothing_new_changes_nothing(shop: Shop) -> None:
    for statement in (PRODUCTS, BY_CURSOR, CUSTOMERS):
        shop.connection.execute(statement.encode())
    shop.connection.execute("call sync()")
    shop.connection.execute("call refresh()")
    for complete in (False, True):
        shop.connection.execute("call sync(complete => %s)", [complete])
        assert one(shop.connection, "select sum(changes), (select stale from status) from sources") == (0, False)


def test_what_was_loaded_stays(shop: Shop) -> None:
    """Several sources and loads of the same pairs add up; each source takes back only what it gave."""
    connection = shop.connection
    connection.execute("create table public.visits (who text, place text, times double precision)")
    connection.execute(
        "insert into public.visits values ('1', 'product 1', 0.1), ('1', 'product 1', 0.2), ('9', 'x', 7)"
    )
    connection.execute("insert into activity_input values ('1', 'product 1', 0.7), ('2', 'loaded', 3)")
    connection.execute(COMPARED.encode())
    connection.execute(
        "call add_source('public.visits', user_column => 'who', entry_column => 'place', frequency_column => 'times')"
    )
    connection.execute("call sync()")
    expected = {key: frequency for key, (frequency, _, _) in shop.expected().items()}
    both = {**expected, ("9", "x"): 7, ("2", "loaded"): 3}
    both["1", "product 1"] = expected.get(("1", "product 1"), 0) + 0.7 + 0.1 + 0.2

    def frequencies() -> dict[tuple[str, str], float]:
        return {key: frequency for key, (frequency, _, _) in pairs(connection).items()}

    assert frequencies() == pytest.approx(both, rel=1e-12)
    connection.execute("insert into activity_input values ('9', 'x', 1)")
    connection.execute("delete from public.visits")
    connection.execute("call sync()")
    loaded = {("1", "product 1"): 0.7, ("2", "loaded"): 3.0, ("9", "x"): 1.0}
    assert frequencies() == pytest.approx({**both, ("1", "product 1"): both["1", "product 1"] - 0.3, ("9", "x"): 1})
    connection.execute("call drop_source('lines', keep => false)")
    assert frequencies() == pytest.approx(loaded, rel=1e-12)


def test_a_load_that_replaces_leaves_what_sources_say(shop: Shop, tmp_path: Path) -> None:
    """A load in mode `replace` is the truth of what was loaded of its users, and of nothing else."""
    connection = shop.connection
    connection.execute("insert into activity_input values ('1', 'loaded', 3), ('1', 'product 1', 4)")
    connection.execute(COMPARED.encode())
    connection.execute("call sync()")
    before = shop.expected()
    load_rows(connection.info.dsn + f" password={connection.info.password}", tmp_path, SPACE_ROWS)
    found = pairs(connection)
    assert found.pop(("1", "loaded"))[0] == 2
    same(found, before)
    shop.order()
    connection.execute("call sync()")
    found = pairs(connection)
    assert found.pop(("1", "loaded"))[0] == 2
    same(found, shop.expected())


def test_rows_that_cannot_be_used_are_counted(space: str) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute("create table public.events (who text, what text, n double precision, at timestamp)")
        connection.execute("""
            insert into public.events values
                ('ann', 'Ski', 1, '2026-01-01'), (' ann ', ' Ski  ', 2, 'infinity'), (' ann', 'Ski ', 3, null),
                (null, 'Ski', 1, null), ('  ', 'Ski', 1, null), ('bob', null, 1, null), ('bob', '', 1, null),
                ('bob', 'Ski', null, null), ('bob', 'Ski', 0, null), ('bob', 'Ski', -1, null),
                ('bob', 'Ski', 'NaN', null), ('bob', 'Ski', 'Infinity', null), ('bob', 'Ski', 1e-300, null),
                (repeat('x', 1001), 'Ski', 1, null), ('bob', repeat('x', 1000001), 1, null)""")
        connection.execute(
            "call add_source('public.events', user_column => 'who', entry_column => 'what', frequency_column => 'n',"
            " time_column => 'at', name => 'events')"
        )
        connection.execute("call sync()")
        at = datetime(2026, 1, 1, tzinfo=UTC)
        assert pairs(connection) == {("ann", "Ski"): (4, at, at)}
        assert rejects(connection) == {
            ("events", reason): count
            for reason, count in {
                "blank user": 2, "blank entry": 2, "frequency is blank": 1, "frequency is zero or negative": 2,
                "frequency is not a number": 1, "frequency is beyond 1e15": 1, "frequency is below 1e-15": 1,
                "a time outside the years 1 to 9999": 1, "user id longer than 1,000 bytes": 1,
                "entry longer than 1 MB": 1,
            }.items()
        }  # fmt: skip
        assert one(connection, "select rows_read, rows_rejected from sources") == (15, 13)
        connection.execute("delete from public.events where who is null or n is null")
        connection.execute("call sync()")
        assert ("events", "frequency is blank") not in rejects(connection)
        assert rejects(connection)["events", "blank user"] == 1


def test_a_user_written_in_several_ways_is_read_whole(space: str) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute("create table public.events (id int, who text, what text)")
        connection.execute("insert into public.events values (1, 'ann', 'a'), (2, 'bob', 'a')")
        connection.execute("call add_source('public.events', user_column => 'who', entry_column => 'what',"
                           " cursor_column => 'id', overlap => '0', name => 'events')")  # fmt: skip
        for row in ("(3, ' ann ', 'b')", "(4, 'ann', 'c')", "(null, ' ann', 'd')"):
            connection.execute("call sync()")
            connection.execute(f"insert into public.events values {row}".encode())
        connection.execute("call sync()")
        assert set(pairs(connection)) == {("ann", "a"), ("ann", "b"), ("ann", "c"), ("ann", "d"),
                                                      ("bob", "a")}  # fmt: skip


def test_rows_that_come_from_the_future_do_not_hide_others(space: str) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute("create table public.events (at timestamptz, who text, what text)")
        connection.execute("insert into public.events values (now(), 'ann', 'a'), ('9000-01-01', 'ann', 'b')")
        connection.execute("call add_source('public.events', user_column => 'who', entry_column => 'what',"
                           " cursor_column => 'at')")  # fmt: skip
        connection.execute("call sync()")
        connection.execute("insert into public.events values (now(), 'bob', 'c')")
        connection.execute("call sync()")
        assert set(pairs(connection)) == {("ann", "a"), ("ann", "b"), ("bob", "c")}
        assert one(connection, "select complete from sources") == (False,)


def test_an_entry_keeps_its_identity_under_another_name(shop: Shop) -> None:
    connection = shop.connection
    for statement in (PRODUCTS, BY_CURSOR):
        connection.execute(statement.encode())
    connection.execute("call sync()")
    connection.execute("insert into entry_vectors (entry_key, embedding) select entry_key, '[1,0,0]' from entries")
    (key,) = one(connection, "select entry_key from entries where entry = 'product 7'")
    connection.execute("update public.products set name = 'seven' where id = 7")
    connection.execute("call sync()")
    assert one(connection, "select entry from entries where entry_key = %s", key) == ("seven",)
    assert one(connection, "select array_agg(entry) from entry_texts where not is_current") == (["seven"],)
    assert one(connection, "select entries, entries_outdated, entries_pending from status") == (20, 1, 0)
    connection.execute("update public.products set name = 'product 8' where id = 7")
    connection.execute("call sync()")
    assert one(connection, "select count(*) from source_entries k join entries e using (entry_key)"
                           " where e.entry = 'product 8'") == (2,)  # fmt: skip
    shop.products[7] = ("product 8", shop.products[7][1])
    same(pairs(connection), shop.expected())


def test_a_key_that_comes_before_its_entry(shop: Shop) -> None:
    connection = shop.connection
    for statement in (PRODUCTS, BY_CURSOR):
        connection.execute(statement.encode())
    connection.execute("call sync()")
    connection.execute("insert into public.lines (customer, product, qty, ordered_at, updated_at)"
                       " values (1, 99, 1, '2026-01-01', '2026-01-01')")  # fmt: skip
    connection.execute("update sources set position = '2025-12-31' where source = 'lines'")
    connection.execute("call sync()")
    assert rejects(connection) == {("lines", "no entry has this key"): 1}
    for _ in range(100):
        shop.order()
    connection.execute("call sync()")
    connection.execute("insert into public.products values (99, 'late', 'tea')")
    connection.execute("call sync()")
    assert ("1", "late") in pairs(connection)


def test_attributes_follow_and_have_one_kind(shop: Shop) -> None:
    connection = shop.connection
    connection.execute("insert into users (user_id, attributes) values ('1', '{\"age\": 3, \"vip\": true}')")
    connection.execute(CUSTOMERS.encode())
    connection.execute(PRODUCTS.encode())
    connection.execute("call sync()")
    country, age = shop.customers[1]
    known = {name: value for name, value in (("country", country), ("age", age)) if value is not None}
    assert attributes(connection, "users")["1"] == {"vip": True, **known}
    assert attributes(connection, "entries")["product 1"] == {"category": shop.products[1][1]}
    assert one(connection, "select kind from attribute_kinds where attribute = 'age'") == ("number",)
    connection.execute("delete from public.customers where id = 1")
    connection.execute("update public.customers set country = ' Italy ', age = null where id = 2")
    connection.execute("alter table public.customers alter column age type text")
    connection.execute("call sync()")
    assert attributes(connection, "users")["1"] == {"vip": True}
    assert attributes(connection, "users")["2"] == {"country": "Italy"}
    assert one(connection, "select kind from attribute_kinds where attribute = 'age'") == ("text",)
    assert one(connection, "select count(*) from users where jsonb_typeof(attributes -> 'age') = 'number'") == (0,)
    connection.execute("insert into public.customers values (2000, 'Malta'), (2001, 'Malta')")
    connection.execute("alter table public.customers drop constraint customers_pkey")
    connection.execute("insert into public.customers values (2000, 'Crete')")
    connection.execute("call sync()")
    assert rejects(connection) == {("public.customers", "a further row of the same user or entry"): 1}
    connection.execute("call drop_source('public.customers', keep => false)")
    assert one(connection, "select count(*) from users where attributes ?| '{country,age}'") == (0,)


# What is refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'public.nothing', user_column => 'customer', entry_column => 'qty'", "there is no table or view"),
        ("'public.lines; drop table users', user_column => 'customer'", "is not a valid identifier"),
        ("'pg_temp.mine', user_column => 'customer', entry_column => 'id'", "there is no table or view"),
        ("'audience.activity', user_column => 'user_key', entry_column => 'entry_key'", "cannot be a source"),
        ("'public.lines', user_column => 'customer\"; --', entry_column => 'product'", "has no column"),
        ("'public.lines', user_column => 'ctid', entry_column => 'product'", "has no column"),
        ("'public.lines'", "neither users nor entries"),
        ("'public.lines', user_column => 'customer'", "a source of users has attributes"),
        ("'public.lines', entry_column => 'product'", "a source of entries has attributes, or keys"),
        ("'public.lines', 'customer', 'product', attributes => array['qty']", "belong to users or to entries"),
        ("'public.lines', 'customer', attributes => array['qty', 'qty']", "names a column twice"),
        ("'public.lines', 'customer', attributes => array['qty'], time_column => 'ordered_at'", "go with user_column"),
        ("'public.lines', 'customer', 'product', frequency_column => 'ordered_at'", "no column of numbers"),
        ("'public.lines', 'customer', 'product', time_column => 'qty'", "no column of times"),
        ("'public.lines', 'customer', 'product', cursor_column => 'qty'", "is no cursor"),
        ("'public.lines', 'customer', 'product', overlap => '1 hour'", "goes with cursor_column"),
        ("'public.lines', 'customer', 'product', cursor_column => 'id', overlap => '1 hour'", "a whole number"),
        ("'public.lines', 'customer', 'product', cursor_column => 'updated_at', overlap => '-1 hour'", "not negative"),
        ("'public.lines', 'customer', entry_key_column => 'product'", "but not its text"),
        ("'public.lines', 'customer', entry_key_column => 'product', entry_source => 'x'", "not a source of entries"),
        ("'public.lines', 'customer', 'product', name => ' '", "blank"),
    ],
)
def test_what_is_no_source(shop: Shop, arguments: str, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message):
        shop.connection.execute(f"call add_source({arguments})".encode())
    assert one(shop.connection, "select count(*) from sources") == (0,)


def test_names_that_look_like_sql_are_names(space: str) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute(
            """create schema "a'b"; create table "a'b"."t; drop table users --" ("who %s" text, "it's" text)"""
        )
        connection.execute("""insert into "a'b"."t; drop table users --" values ('ann', '''); drop table users; --')""")
        connection.execute(
            """call add_source('"a''b"."t; drop table users --"', 'who %s', 'it''s', name => 'x''y%s')"""
        )
        connection.execute("call sync()")
        assert set(pairs(connection)) == {("ann", "'); drop table users; --")}


def test_one_source_that_cannot_be_read_does_not_keep_the_others(shop: Shop) -> None:
    connection = shop.connection
    for statement in (COMPARED, CUSTOMERS):
        connection.execute(statement.encode())
    connection.execute("call sync()")
    before = pairs(connection)
    connection.execute("drop view public.named_lines")
    connection.execute("update public.customers set country = 'Malta' where id = 3")
    connection.execute("call sync()")
    assert pairs(connection) == before
    assert attributes(connection, "users")["3"]["country"] == "Malta"
    assert one(connection, "select fault from sources where source = 'lines'") == (
        "there is no table or view public.named_lines",
    )
    connection.execute(
        "create view public.named_lines as select 1 / 0 as customer, 'x' as name, 1 as qty, now() as ordered_at"
    )
    connection.execute("call sync()")
    assert pairs(connection) == before
    assert one(connection, "select fault from sources where source = 'lines'") == ("division by zero",)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="comes from source"):
        connection.execute("call add_source('public.customers', 'id', attributes => array['country'], name => 'two')")


def test_what_is_read_like_a_table(space: str) -> None:
    """A partitioned table, a view and a materialized view; one that is not populated keeps nobody else."""
    with connect(space, autocommit=True) as connection:
        connection.execute(
            "create table public.lines (customer text, product text, day date) partition by range (day);"
            "create table public.old partition of public.lines for values from ('2025-01-01') to ('2026-01-01');"
            "create table public.new partition of public.lines for values from ('2026-01-01') to ('2027-01-01');"
            "insert into public.lines values ('ann', 'tea', '2025-05-05'), ('ann', 'tea', '2026-05-05');"
            "create view public.viewed as select upper(customer) as customer, product from public.lines;"
            "create materialized view public.kept as select 'bob' as customer, product from public.lines with no data"
        )
        for relation in ("lines", "viewed", "kept"):
            connection.execute(f"call add_source('public.{relation}', 'customer', 'product')".encode())
        connection.execute("call sync()")
        assert {who: found[0] for (who, _), found in pairs(connection).items()} == {"ann": 2, "ANN": 2}
        assert "has not been populated" in one(connection, "select fault from sources where source = 'public.kept'")[0]
        connection.execute("refresh materialized view public.kept")
        connection.execute("drop table public.old")
        connection.execute("call sync()")
        assert {who: found[0] for (who, _), found in pairs(connection).items()} == {"ann": 1, "ANN": 1, "bob": 2}


def test_a_foreign_table_that_cannot_be_read_keeps_nobody_else(space: str) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute(
            "create foreign data wrapper nowhere; create server far foreign data wrapper nowhere;"
            "create foreign table public.far_lines (customer text, product text) server far;"
            "create table public.lines (customer text, product text); insert into public.lines values ('ann', 'tea')"
        )
        for relation in ("far_lines", "lines"):
            connection.execute(f"call add_source('public.{relation}', 'customer', 'product')".encode())
        connection.execute("call sync()")
        assert pairs(connection).keys() == {("ann", "tea")}
        assert "no handler" in one(connection, "select fault from sources where source = 'public.far_lines'")[0]


def test_a_foreign_table(space: str) -> None:
    """Tables of another database, read through postgres_fdw; the embedded server does not have it."""
    with connect(space, autocommit=True) as connection:
        if not connection.execute("select from pg_available_extensions where name = 'postgres_fdw'").fetchall():
            pytest.skip("this PostgreSQL has no postgres_fdw")
        there = connection.info
        connection.execute("create schema far; create table far.lines (customer text, product text, at timestamptz)")
        connection.execute("insert into far.lines values ('ann', 'tea', '2026-01-01'), ('bob', 'tea', '2026-01-02')")
        connection.execute("create extension postgres_fdw with schema public")
        connection.execute(
            f"create server far foreign data wrapper postgres_fdw"
            f" options (host '{there.host}', port '{there.port}', dbname '{there.dbname}');"
            f"create user mapping for current_user server far"
            f" options (user '{there.user}', password '{there.password}');"
            "create foreign table public.lines (customer text, product text, at timestamptz)"
            " server far options (schema_name 'far')".encode()
        )
        connection.execute("call add_source('public.lines', 'customer', 'product', cursor_column => 'at')")
        connection.execute("call sync()")
        connection.execute("insert into far.lines values ('cy', 'wax', '2026-01-03')")
        connection.execute("call sync()")
        assert pairs(connection).keys() == {("ann", "tea"), ("bob", "tea"), ("cy", "wax")}
        connection.execute("alter server far options (set port '1')")
        connection.execute("call sync()")
        assert pairs(connection).keys() == {("ann", "tea"), ("bob", "tea"), ("cy", "wax")}
        assert one(connection, "select fault from sources")[0]


def test_a_space_over_the_people_of_another_has_no_sources(pair: str) -> None:  # noqa: F811
    with connect(pair, "taste", autocommit=True) as connection:
        for statement in ("call sync()", "call add_source('public.x', 'a', 'b')"):
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="are those of audience"):
                connection.execute(statement.encode())
    with connect(pair, autocommit=True) as connection:
        connection.execute("update entries set entry = 'Espresso Bar' where entry = 'Coffee Bar'")
        for space in ("audience", "taste"):
            assert one(connection, f"select array_agg(entry) from {space}.entry_texts where not is_current") == (
                ["Espresso Bar"],
            )


# Who, and when


def test_a_writer_syncs_what_the_writer_may_read(power: Power) -> None:  # noqa: F811
    rows_as(power.dba, "create table public.orders (customer text, product text)")
    rows_as(power.dba, "insert into public.orders values ('ann', 'Chess')")
    add = "call add_source('public.orders', user_column => 'customer', entry_column => 'product', name => 'orders')"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read customer, product"):
        rows_as(power.writer, add)
    rows_as(power.dba, "grant select on public.orders to power_wes")
    rows_as(power.writer, add)
    rows_as(power.writer, "call sync()")
    chess = "select count(*) from activity a join entries e using (entry_key) where e.entry = 'Chess'"
    assert rows_as(power.reader, chess) == [(1,)]
    assert rows_as(power.reader, "select rows_read, fault from sources") == [(1, None)]
    for statement in (add, "call sync()", "call drop_source('orders')", "delete from source_activity"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_as(power.reader, statement)
    rows_as(power.dba, "revoke select on public.orders from power_wes")
    rows_as(power.writer, "call sync()")
    assert rows_as(power.reader, "select fault from sources")[0][0].endswith(
        "may not read customer, product of public.orders"
    )


def test_nobody_lends_the_rights_of_another(power: Power) -> None:  # noqa: F811
    """A view of a writer would run with the rights of whoever syncs, and reads what only they may read."""
    rows_as(power.dba, "create schema wes authorization power_wes")
    rows_as(power.dba, "create table public.stolen (by name)")
    rows_as(power.dba, "grant insert on public.stolen to public")
    rows_as(power.writer, "create function wes.steal() returns text language plpgsql as $$ begin"
                          " insert into public.stolen values (current_user); return 'x'; end $$")  # fmt: skip
    rows_as(power.writer, "create view wes.bait as select wes.steal() as who, 'x' as what")
    rows_as(power.writer, "grant usage on schema wes to public; grant select on wes.bait to public")
    rows_as(power.writer, "call add_source('wes.bait', 'who', 'what')")
    for statement in ("select 1", "update sources set added_by = 'power_owner'"):
        rows_as(power.writer, statement)
        for url in (power.owner, power.dba):
            rows_as(url, "call sync()")
            assert "was added by power_wes" in rows_as(url, "select fault from sources")[0][0]
    assert rows_as(power.dba, "select * from public.stolen") == []
    rows_as(power.writer, "call sync()")
    assert rows_as(power.dba, "select distinct by from public.stolen") == [("power_wes",)]


def test_a_sync_that_is_killed_leaves_all_as_it_was(shop: Shop) -> None:
    connection = shop.connection
    connection.execute(COMPARED.encode())
    for _ in range(2000):
        shop.order()
    started = time.monotonic()
    connection.execute("call sync()")
    usual = time.monotonic() - started
    url = connection.info.dsn + f" password={connection.info.password}"
    killed = 0
    for kill in range(10):
        before = pairs(connection)
        connection.execute("update public.lines set qty = qty + 1")
        shop.lines = {number: (c, p, q + 1, at) for number, (c, p, q, at) in shop.lines.items()}
        victim = connect(url, autocommit=True)

        def work(victim: psycopg.Connection = victim) -> None:
            with contextlib.suppress(psycopg.Error):
                victim.execute("call sync()")

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(usual * kill / 10)
        connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
        thread.join()
        victim.close()
        after = pairs(connection)
        killed += after == before
        if after != before:
            same(after, shop.expected())
    assert killed > 2
    connection.execute("call sync()")
    same(pairs(connection), shop.expected())


@pytest.mark.slow
def test_many_at_once_do_no_harm(shop: Shop) -> None:
    connection = shop.connection
    for statement in (PRODUCTS, BY_CURSOR, CUSTOMERS):
        connection.execute(statement.encode())
    url = connection.info.dsn + f" password={connection.info.password}"
    faults: list[BaseException] = []

    def syncing() -> None:
        try:
            with connect(url, autocommit=True) as each:
                for _ in range(5):
                    each.execute("call sync()")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=syncing) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        shop.order()
        shop.correct()
        shop.rename()
    for thread in threads:
        thread.join()
    assert not faults
    connection.execute("call sync()")
    same(pairs(connection), shop.expected())


def test_deleted_users_and_entries_leave_nothing_behind(shop: Shop) -> None:
    connection = shop.connection
    for statement in (PRODUCTS, BY_CURSOR):
        connection.execute(statement.encode())
    connection.execute("call sync()")
    connection.execute("delete from users where user_id < '2'")
    connection.execute("delete from entries where entry < 'product 2'")
    for table, of in (("source_activity", "users using (user_key)"), ("source_activity", "entries using (entry_key)"),
                      ("source_entries", "entries using (entry_key)")):  # fmt: skip
        query = f"select count(*) filter (where t is null) from {table} s left join {of.replace(' ', ' t ', 1)}"
        assert one(connection, query) == (0,), table
    connection.execute("call sync(complete => true)")
    same(pairs(connection), shop.expected())
