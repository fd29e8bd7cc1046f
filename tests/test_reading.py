"""Reading input: every format, every reason to reject a row, and an account that always adds up."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import os
import sqlite3
import string
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pgaudience.errors import PgaudienceError
from pgaudience.reading import (
    NO_TIME,
    Account,
    Columns,
    Rejects,
    arrow_csv,
    lines,
    open_query,
    open_source,
    read_users,
)
from pgaudience.reading.columns import resolve
from pgaudience.reading.files import open_file
from pgaudience.reading.query import _parsed
from pgaudience.reading.times import BAD_TIME, to_micros
from pgaudience.reading.values import to_numbers, to_text

SHARED = Path(__file__).parents[2] / "shared" / "data"
ARROW_FROM = (0, sys.maxsize)  # characters: at once, and never
ROWS = [("ann", "Ski Aspen", 3.0), ("bob", "Surf, Tofino", 1.5), ("çé", 'the "best" 日本\nplace', 1000.0)]


def load(
    path,
    *,
    format=None,  # noqa: A002
    columns=None,
    rejects=None,
    **options,
):
    """Everything a source gives, its chunks put together."""
    rejects = rejects or Rejects()
    with open_source(path, format=format, columns=columns or Columns(), rejects=rejects, **options) as source:
        chunks = list(source.chunks())
        assert sum(chunk.rows for chunk in chunks) == rejects.account().read
    return gathered(chunks), rejects


def gathered(chunks):
    rows = []
    for chunk in chunks:
        times = [None] * len(chunk.users) if chunk.times is None else chunk.times.tolist()
        attributes = [None] * len(chunk.users) if chunk.attributes is None else chunk.attributes
        assert chunk.frequencies.dtype == np.float64
        columns = (chunk.users, chunk.entries, chunk.frequencies.tolist(), times, attributes)
        rows += zip(*columns, strict=True)
    return rows


def triples(path, **options):
    return [row[:3] for row in load(path, **options)[0]]


def rejected(path, **options):
    """(line, reason) of the rejected rows."""
    _, rejects = load(path, **options)
    return [(reject.line, reject.reason.text) for reject in rejects.examples]


def written(tmp_path, content, name="events.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_csv(rows, delimiter=",", header=("user_id", "entry", "frequency")):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([header, *rows])
    return out.getvalue().encode()


def as_parquet(table):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(table), out, row_group_size=2)
    return out.getvalue()


def contents():
    """The same rows in every format."""
    records = [dict(zip(("user_id", "entry", "frequency"), row, strict=True)) for row in ROWS]
    return {
        "events.csv": as_csv(ROWS),
        "events.tsv": as_csv(ROWS, "\t"),
        "events.json": json.dumps(records).encode(),
        "nested.json": json.dumps({user: {entry: frequency} for user, entry, frequency in ROWS}).encode(),
        "events.jsonl": "\n".join(json.dumps(record) for record in records).encode(),
        "events.parquet": as_parquet({key: [record[key] for record in records] for key in records[0]}),
    }


FILES = ["events.csv", "events.tsv", "events.json", "nested.json", "events.jsonl", "events.parquet"]


# Formats


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_rows(tmp_path, name, packed):
    content = contents()[name]
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    assert triples(path) == ROWS


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FILES)
def test_standard_input_takes_every_format(name, packed):
    content = contents()[name]
    stdin = io.BytesIO(gzip.compress(content) if packed else content)
    assert triples("-", format=name.rsplit(".", 1)[1], stdin=stdin) == ROWS


def test_gzip_is_told_by_content(tmp_path):
    assert triples(written(tmp_path, gzip.compress(as_csv(ROWS)), "events.csv")) == ROWS
    assert triples(written(tmp_path, as_csv(ROWS), "events.csv.gz")) == ROWS


@pytest.mark.parametrize(
    ("name", "accepted"),
    [("a.CSV", True), ("a.txt", True), ("a.csv.GZ", True), ("a.dat", False), ("a", False), ("-", False)],
)
def test_the_format_is_told_by_the_name(tmp_path, name, accepted):
    path = "-" if name == "-" else written(tmp_path, as_csv(ROWS), name)
    if accepted:
        assert triples(path) == ROWS
    else:
        with pytest.raises(PgaudienceError) as caught:
            triples(path)
        assert "csv, tsv, json, jsonl, parquet" in caught.value.hint


def test_an_unknown_format_lists_the_choices(tmp_path):
    with pytest.raises(PgaudienceError) as caught:
        load(written(tmp_path, as_csv(ROWS)), format="xml")
    assert "csv, tsv, json, jsonl, parquet" in caught.value.hint


def test_missing_and_damaged_files_are_expected_failures(tmp_path):
    with pytest.raises(PgaudienceError, match=r"cannot read .*nowhere"):
        load(tmp_path / "nowhere.csv")
    with pytest.raises(PgaudienceError, match="cannot read"):
        load(tmp_path, format="csv")
    packed = gzip.compress(as_csv(ROWS * 100))
    for broken in (packed[:-20], packed[:-5] + b"12345"):
        with pytest.raises(PgaudienceError, match="damaged gzip"):
            load(written(tmp_path, broken))
    for name in ("x.parquet", "x.parquet.gz"):
        with pytest.raises(PgaudienceError, match="not readable as Parquet"):
            load(written(tmp_path, b"user_id,entry\na,b\n", name))


def test_size_consumed_and_digest(tmp_path):
    for name, content in contents().items():
        packed = gzip.compress(content)
        path = written(tmp_path, packed, name)
        with open_source(path, format=None, columns=Columns(), rejects=Rejects()) as source:
            assert source.size == len(packed)
            before = source.digest()
            positions = [chunk.consumed for chunk in source.chunks()]
            assert positions == sorted(positions)
            assert positions[-1] == len(packed)
            assert source.digest() == before == hashlib.sha256(content).digest()


def test_the_digest_of_standard_input_is_that_of_its_bytes():
    content = as_csv(ROWS)
    with open_source("-", format="csv", columns=Columns(), rejects=Rejects(), stdin=io.BytesIO(content)) as source:
        assert source.digest() == hashlib.sha256(content).digest()
        assert gathered(source.chunks()) == [(*row, None, None) for row in ROWS]


def test_the_digest_is_that_of_the_content_however_it_is_packed(tmp_path):
    digests = set[bytes]()
    for name, content in (("a.csv", as_csv(ROWS)), ("b.csv.gz", gzip.compress(as_csv(ROWS)))):
        with open_source(written(tmp_path, content, name), format=None, columns=Columns(), rejects=Rejects()) as source:
            assert gathered(source.chunks()) == [(*row, None, None) for row in ROWS]
            digests.add(source.digest())
    assert len(digests) == 1


def test_a_pipe_is_read_like_a_file(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[as_csv(ROWS)])
    writer.start()
    assert triples(path) == ROWS
    writer.join()


def test_an_error_without_a_number_still_says_what_is_wrong(tmp_path):
    file = open_file(written(tmp_path, b"user,entry"), io.BytesIO())
    with pytest.raises(PgaudienceError, match=r"cannot read .*: no such luck"), file.explained():
        raise OSError("no such luck")
    file.close()


# CSV


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "unended"])
@pytest.mark.parametrize("quote", ["", '"'], ids=["", "quoted"])
def test_dialects_of_csv(tmp_path, ending, mark, delimiter, last, quote):
    rows = [("user_id", "entry", "frequency"), ("ann", "ski", "2"), (), ("bob", "été, 5.0; 'x'", "1e3")]
    if delimiter in rows[3][1]:
        quote = '"'
    text = ending.join(delimiter.join(quote + field + quote for field in row) for row in rows) + ending * last
    path = written(tmp_path, mark + text.encode())
    assert triples(path) == [("ann", "ski", 2.0), ("bob", "été, 5.0; 'x'", 1000.0)]


def test_a_header_without_rows_is_no_rows(tmp_path):
    assert load(written(tmp_path, b"user_id,entry"))[1].account() == Account(0, 0, 0, {})


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b'"user_id,entry\n', b"us\xe9r,entry\n"])
def test_a_file_without_a_header_fails(tmp_path, content):
    with pytest.raises(PgaudienceError, match="header"):
        load(written(tmp_path, content))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_fails_with_a_way_out(tmp_path, encoding):
    with pytest.raises(PgaudienceError, match="is UTF-16, not text in UTF-8") as caught:
        load(written(tmp_path, "user_id,entry\na,b\n".encode(encoding)))
    assert "iconv -f UTF-16" in caught.value.hint


def test_fields_over_several_lines_keep_the_line_numbers_right(tmp_path):
    content = 'user_id,entry\nann,"two\r\nlines"\n\n ,x\nbob,"three\n\nlines"\n,"y\nz"\ncy,w\n'
    path = written(tmp_path, content)
    assert [row[:2] for row in load(path)[0]] == [("ann", "two\r\nlines"), ("bob", "three\n\nlines"), ("cy", "w")]
    rejects = load(path)[1]
    assert [(reject.line, reject.row) for reject in rejects.examples] == [(5, " ,x"), (9, r',"y\nz"')]


def test_a_text_of_many_kilobytes_is_one_entry(tmp_path):
    texts = ["x" * 100_000, 'long "quoted", ' * 30_000, "y" * 700_000]
    path = written(tmp_path, as_csv([("ann", text, 1) for text in texts]))
    assert [row[1] for row in load(path)[0]] == texts


def test_wrong_widths_are_rejected(tmp_path):
    path = written(tmp_path, "user_id,entry,frequency\na,b,1\na,b\na,b,1,2\nc\n\nd,e,2\n")
    assert rejected(path) == [
        (3, "2 fields, 3 expected"),
        (4, "4 fields, 3 expected"),
        (5, "1 field, 3 expected"),
    ]
    assert triples(path) == [("a", "b", 1.0), ("d", "e", 2.0)]


def test_rows_of_wrong_widths_do_not_make_up_for_each_other(tmp_path):
    path = written(tmp_path, "user_id,entry,frequency\na,b\nc,d,1,e\nf,g,1\nh\n,i,j,k,l\n")
    assert triples(path) == [("f", "g", 1.0)]
    assert len(rejected(path)) == 4


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path):
    rows = [f"u{i},e{i},1" for i in range(3_000)]
    rows[10] = 'u10,"5 inch nails,1'
    path = written(tmp_path, "\n".join(["user_id,entry,frequency", *rows]))
    found, rejects = load(path)
    assert len(found) == 2_999
    assert rejects.account() == Account(3_000, 2_999, 1, {"quote never closed": 1})
    assert (rejects.examples[0].line, rejects.examples[0].row) == (12, 'u10,"5 inch nails,1')


def test_two_stray_quotes_do_not_swallow_what_stands_between(tmp_path):
    path = written(tmp_path, 'user_id,entry,frequency\nu1,"abc,1\nu2,def,2\nu3,"ghi,3\nu4,jkl,4\n')
    assert triples(path) == [("u2", "def", 2.0), ("u4", "jkl", 4.0)]
    assert rejected(path) == [(2, "text after a closing quote"), (4, "quote never closed")]


def test_a_quote_open_at_the_end_gives_back_the_lines_behind_it(tmp_path):
    path = written(tmp_path, 'user_id,entry\na,"b\nc,d\ne,"f\n')
    assert rejected(path) == [(2, "text after a closing quote"), (4, "quote never closed")]
    path = written(tmp_path, 'user_id,entry\na,"b\nc,d\ne,f')
    assert rejected(path) == [(2, "quote never closed")]
    assert [row[:2] for row in load(path)[0]] == [("c", "d"), ("e", "f")]


def test_every_quote_open_at_the_end_is_rejected_by_itself(tmp_path):
    path = written(tmp_path, 'user_id,entry\nz,y\na,"b\nc","d\ng,h\ne","f\ni,j')
    assert rejected(path) == [(line, "quote never closed") for line in (3, 4, 6)]
    assert [row[:2] for row in load(path)[0]] == [("z", "y"), ("g", "h"), ("i", "j")]


def test_an_unclosed_quote_does_not_hold_up_the_rows_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1_000)
    path = written(tmp_path, 'user_id,entry\nann,"ski\n' + "bob,surf\n" * 10_000)
    with open_source(path, format=None, columns=Columns(), rejects=Rejects()) as source:
        first = next(chunk for chunk in source.chunks() if chunk.users)
        assert first.consumed < source.size / 5


def test_a_record_may_have_a_thousand_lines_and_no_more(tmp_path):
    for count, expected in ((1_000, []), (1_001, [(2, "quote never closed")])):
        path = written(tmp_path, 'user_id,entry\nann,"' + "\n".join(["x"] * count) + '"\nbob,y\n')
        assert rejected(path)[:1] == expected
        assert load(path)[0][-1][:2] == ("bob", "y")


def test_a_line_without_end_stops_instead_of_filling_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 1_000_000)
    with pytest.raises(PgaudienceError, match="line over") as caught:
        load(written(tmp_path, b"user_id,entry\nann," + b"x" * 3_000_000))
    assert "line ends?" in caught.value.hint


def test_a_long_line_takes_time_in_proportion_to_its_length(tmp_path, monkeypatch):
    searched = list[int]()

    def counting(data):
        searched.append(len(data))
        return end_of_last_line(data)

    end_of_last_line = lines._end_of_last_line
    monkeypatch.setattr(lines, "_end_of_last_line", counting)
    content = b"user_id,entry\nann," + b"x" * 5_000_000
    file = open_file(written(tmp_path, content), io.BytesIO())
    assert "".join(lines.read_text(file)).encode() == content
    file.close()
    assert sum(searched) < 2 * len(content)


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_blocks_of_any_size_keep_line_ends_whole(tmp_path, monkeypatch, block):
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    content = b"a\r\nbcd\r\r\n\rlonger than a block\n\n\re\r"
    file = open_file(written(tmp_path, content), io.BytesIO())
    blocks = list(lines.read_text(file))
    file.close()
    assert "".join(blocks).encode() == content
    assert not any(text.endswith("\r") and after.startswith("\n") for text, after in pairwise(blocks))


# Reasons


BAD_VALUES = [
    (b",ski,1", "blank user"),
    (b" \t\xc2\xa0,ski,1", "blank user"),
    (b"ann,,1", "blank entry"),
    (b"ann,   ,1", "blank entry"),
    (b",,", "blank user"),
    (b"ann,ski,", "frequency is blank"),
    (b"ann,ski, ", "frequency is blank"),
    (b"ann,ski,many", "frequency is not a number"),
    (b'ann,ski,"1,000"', "frequency is not a number"),
    (b"ann,ski,1_000", "frequency is not a number"),
    (b"ann,ski,0x10", "frequency is not a number"),
    (b"ann,ski,nan", "frequency is not a number"),
    (b"ann,ski,inf", "frequency is not a number"),
    (b"ann,ski,1e999", "frequency is not a number"),
    (b"ann,ski,0", "frequency is zero or negative"),
    (b"ann,ski,-0.0", "frequency is zero or negative"),
    (b"ann,ski,-3", "frequency is zero or negative"),
    (b"ann,ski,1e308", "frequency is beyond 1e15"),
    (b"ann,ski,1.001e15", "frequency is beyond 1e15"),
    (b"ann,ski,5e-324", "frequency is below 1e-15"),
    (b"ann,ski,0.999e-15", "frequency is below 1e-15"),
    (b"\xff,,x", "not valid UTF-8"),
    (b"ann,caf\xe9,1", "not valid UTF-8"),
    (b"ann,ski,\xff", "not valid UTF-8"),
    (b"ann,\xed\xa0\x80,1", "not valid UTF-8"),
    (b"a\0n,caf\xe9,1", "not valid UTF-8"),
    (b"a\0nn,ski,1", "contains NUL"),
    (b"ann,s\0ki,1", "contains NUL"),
    ("é".encode() * 501 + b",ski,1", "user id longer than 1,000 bytes"),
    (b"ann," + b"x" * 1_000_001 + b",1", "entry longer than 1 MB"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_VALUES, ids=range(len(BAD_VALUES)))
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
def test_every_reason_with_its_line(tmp_path, row, reason, quoted):
    good = b'"ann","ski",1' if quoted else b"ann,ski,1"
    path = written(tmp_path, b"\n".join([b"user_id,entry,frequency", good, row, good, row, b""]))
    assert rejected(path) == [(3, reason), (5, reason)]
    assert triples(path) == [("ann", "ski", 1.0)] * 2


def test_long_users_are_measured_in_bytes(tmp_path):
    for user, expected in (("é" * 501, [(2, "user id longer than 1,000 bytes")]), ("x" * 1_000, []), ("日" * 333, [])):
        assert rejected(written(tmp_path, f"user,entry\n{user},x\n")) == expected


def test_what_is_just_within_the_limits_stays(tmp_path):
    rows = [("é" * 500, "x" * 1_000_000, "1e-15"), (" ann ", " ski ", " 7 "), ("nan", "0", "1e15")]
    assert triples(written(tmp_path, as_csv(rows))) == [(u.lstrip(), e.lstrip(), float(f)) for u, e, f in rows]


def test_broken_bytes_in_a_column_nobody_reads_do_no_harm(tmp_path):
    path = written(tmp_path, b"user_id,entry,note\nann,ski,\xff\n")
    assert [row[:2] for row in load(path)[0]] == [("ann", "ski")]


def test_times(tmp_path):
    noon = 1_780_228_800_000_000
    good = {
        "2026-05-31T12:00:00Z": noon, "2026-05-31 12:00:00": noon, "2026-05-31T14:00:00+02:00": noon,
        "20260531T120000": noon, "2026-05-31 12:00:00+00": noon, "2026-05-31 12:00:00 UTC": noon,
        "2026-05-31": noon - 43_200_000_000, "20260531": noon - 43_200_000_000,
        "1780228800": noon, "1780228800000": noon, "1780228800.5": noon + 500_000, "1.7802288E9": noon,
        "2026-05-31T12:00:00.000001": noon + 1, "1960-01-01": -315_619_200_000_000, "": NO_TIME, "  ": NO_TIME,
    }  # fmt: skip
    bad = ["yesterday", "31/05/2026", "2026-13-01", "20261301", "0", "2026", "202605", "-1780228800", "nan", "now",
           "20260531120000", "1e20", "NaT", "12:00"]  # fmt: skip
    texts = [*good, *bad]
    path = written(tmp_path, as_csv([("ann", "ski", t) for t in texts], header=("user", "item", "time")))
    rows, rejects = load(path)
    assert [row[3] for row in rows] == list(good.values())
    assert [row[2] for row in rows] == [1.0] * len(good)
    assert rejects.reasons == {"occurred_at is not an ISO 8601 time": len(bad)}
    assert rejects.examples[0].line == 2 + len(good)


def test_times_of_other_types():
    noon = datetime(2026, 5, 31, 12, tzinfo=UTC)
    micros = round(noon.timestamp() * 1_000_000)
    values = [noon, noon.replace(tzinfo=None), date(2026, 5, 31), 1_780_228_800, Decimal("1780228800"), None, math.nan]
    assert to_micros(values).tolist() == [micros, micros, micros - 43_200_000_000, micros, micros, NO_TIME, NO_TIME]
    assert to_micros([True, b"x", noon.time(), math.inf]).tolist() == [BAD_TIME] * 4


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_micros_say_when_it_was(moment):
    micros = int(to_micros([moment.isoformat()])[0])
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros) == moment


def test_values_as_text_and_as_numbers():
    values = ["x", 17850, 17850.0, Decimal("17850.00"), 1.5, None, math.nan, True, b"caf\xe9", date(2026, 5, 31), [1]]
    texts = ["x", "17850", "17850", "17850", "1.5", "", "", "true", "caf\udce9", "2026-05-31", "[1]"]
    assert list(map(to_text, values)) == texts
    numbers = to_numbers(["1e3", 2, Decimal("0.5"), 10**400, True, None, "1_0", "x", b"1"])
    assert numbers[:3].tolist() == [1000.0, 2.0, 0.5]
    assert np.isnan(numbers[3:]).all()


# Rejects


def test_the_rejects_file_has_the_rows_as_they_were(tmp_path):
    rows = [b"ann,caf\xe9,1", b'ann,"two\nlines, ""x""",0', b"a\0nn,ski,1"]
    path = written(tmp_path, b"\n".join([b"user_id,entry,frequency", b"ann,ski,1", *rows, b""]))
    target = tmp_path / "rejects.csv"
    with Rejects(target) as rejects:
        load(path, rejects=rejects)
    with target.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == ["source", "line", "reason", "row"]
    assert [row[3].encode("utf-8", "surrogateescape") for row in found[1:]] == rows
    assert [row[:3] for row in found[1:]] == [
        [str(path), "3", "not valid UTF-8"],
        [str(path), "4", "frequency is zero or negative"],
        [str(path), "6", "contains NUL"],
    ]
    assert b"caf\xe9" in target.read_bytes()


def test_without_rejects_there_is_no_file(tmp_path):
    target = tmp_path / "rejects.csv"
    with Rejects(target) as rejects:
        load(written(tmp_path, as_csv(ROWS)), rejects=rejects)
    assert not target.exists()
    assert rejects.account() == Account(3, 3, 0, {})


def test_a_rejects_file_that_cannot_be_written_is_an_expected_failure(tmp_path):
    with pytest.raises(PgaudienceError, match="cannot write"):
        load(written(tmp_path, "user_id,entry\n,x\n"), rejects=Rejects(tmp_path / "no" / "where.csv"))


def test_the_rejects_file_is_never_the_input(tmp_path):
    content = b"user_id,entry\n,x\n"
    path = written(tmp_path, content)
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    for target in (path, link):
        with pytest.raises(PgaudienceError, match="which is being read") as caught:
            load(path, rejects=Rejects(target))
        assert "--rejects" in caught.value.hint
        with pytest.raises(PgaudienceError, match="which is being read"):
            read_users(path, None, None, Rejects(target))  # at once, not only when the rows are asked for
    assert path.read_bytes() == content


def test_examples_are_the_first_ten_shortened(tmp_path):
    path = written(tmp_path, b"user_id,entry\n" + b",\xff" + b"x" * 500 + b"\n" + b",y\n" * 30)
    _, rejects = load(path)
    assert [reject.line for reject in rejects.examples] == list(range(2, 12))
    assert len(rejects.examples[0].row) < 220
    assert rejects.examples[0].row.startswith(",\\udcffx")
    assert rejects.account().rejected == 31


def test_strict_stops_at_the_first_in_the_order_of_the_file(tmp_path):
    target = tmp_path / "rejects.csv"
    path = written(tmp_path, "user_id,entry,frequency\nann,ski,1\nann,ski,0\nann\n")
    with pytest.raises(PgaudienceError, match=r"line 3: frequency is zero or negative: ann,ski,0") as caught:
        load(path, rejects=Rejects(target, strict=True))
    assert "--strict" in caught.value.hint
    assert not target.exists()
    with pytest.raises(PgaudienceError, match="line 2: 1 field, 2 expected"):
        load(written(tmp_path, "user_id,entry\nann\n,x\n"), rejects=Rejects(strict=True))


def test_one_account_for_several_files(tmp_path):
    rejects = Rejects()
    load_one = written(tmp_path, "user_id,entry\na,b\n,c\n", "one.csv")
    with open_source(load_one, format=None, columns=Columns(), rejects=rejects) as source:
        list(source.chunks())
    with open_source(load_one, format=None, columns=Columns(), rejects=rejects) as source:
        list(source.chunks())
    assert rejects.account() == Account(4, 2, 2, {"blank user": 2})


# Columns


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["frequency", "entry", "user_id"], Columns("user_id", "entry", "frequency")),
        (["Customer ID", "Product-Name", "QTY", "Invoice Date"],
         Columns("Customer ID", "Product-Name", "QTY", "Invoice Date")),
        (["name", "user", "user_id", "item"], Columns("user_id", "item")),
        (["User ID", "user_id", "item"], Columns("User ID", "item")),
        (["session_id", "event_name", "client_time", "category"],
         Columns("session_id", "category", None, "client_time")),
    ],
)  # fmt: skip
def test_columns_are_guessed(header, expected):
    assert resolve(Columns(), header, "x") == expected


def test_a_named_column_is_taken_and_not_guessed_again():
    header = ["who", "time", "entry", "Age Group"]
    found = resolve(Columns(user="WHO", entry="time", attributes=("age_group",)), header, "x")
    assert found == Columns("who", "time", attributes=("Age Group",))
    assert str(found) == "user = who, entry = time, attributes = Age Group"


@pytest.mark.parametrize("part", ["user", "entry", "frequency", "occurred_at"])
def test_a_named_column_that_is_not_there_fails(tmp_path, part):
    with pytest.raises(PgaudienceError, match="no column 'nope'; it has user_id, entry, frequency") as caught:
        load(written(tmp_path, as_csv(ROWS)), columns=Columns(**{part: "nope"}))
    assert "--" + part.replace("_", "-") in caught.value.hint


def test_a_column_nobody_can_guess_fails_with_the_option(tmp_path):
    with pytest.raises(PgaudienceError, match="looks like the user; it has who, entry") as caught:
        load(written(tmp_path, "who,entry\na,b\n"))
    assert caught.value.hint.startswith("name it with --user COLUMN")
    assert "customer_id" in caught.value.hint
    with pytest.raises(PgaudienceError, match="looks like the entry"):
        load(written(tmp_path, "user,stuff\na,b\n"))


def test_two_columns_of_one_name_fail_only_if_they_are_read(tmp_path):
    with pytest.raises(PgaudienceError, match="2 columns called 'entry'"):
        load(written(tmp_path, "user,entry,entry\na,b,c\n"))
    assert len(load(written(tmp_path, "user,entry,x,x\na,b,c,d\n"))[0]) == 1


def test_attributes_of_the_activity(tmp_path):
    path = written(tmp_path, "user,entry,age,city\na,b,18-24,Lyons\na,b, ,\n,b,1,2\na,b,\0,x\n")
    rows, rejects = load(path, columns=Columns(attributes=("city", "age")))
    assert [row[4] for row in rows] == [("Lyons", "18-24"), (None, None)]
    assert rejects.reasons == {"blank user": 1, "contains NUL": 1}


# JSON


def test_nested_json_with_all_its_shapes(tmp_path):
    content = """{"a": {"x": 1, "y": {"z": [1]}, "x": 2, "": 3}, "b": ["x", "x", 5, ["y"], null], "c": {}, "d": [],
                  "e": "x", "f": null, "": {"x": 1}, "g": {"x": true, "y": "2.5", "z": null}, "h": {"i": 1.0e2}}"""
    path = written(tmp_path, content, "nested.json")
    assert triples(path) == [
        ("a", "x", 1.0), ("a", "x", 2.0), ("b", "x", 1.0), ("b", "x", 1.0), ("b", "5", 1.0), ("g", "y", 2.5),
        ("h", "i", 100.0),
    ]  # fmt: skip
    assert rejected(path) == [
        (2, "a list or an object where one value belongs"),
        (4, "blank entry"),
        (8, "a list or an object where one value belongs"),
        (9, "blank entry"),
        (10, "a user without an object or a list of entries"),
        (11, "a user without an object or a list of entries"),
        (12, "blank user"),
        (13, "frequency is not a number"),
        (15, "frequency is blank"),
    ]


def test_records_of_json_and_json_lines(tmp_path):
    records = [
        {"customer_id": 17850.0, "item": "x"},
        {"customer_id": 12345678901234567890123, "item": "y", "qty": 2},
        {"item": "y", "qty": 2},
        {"customer_id": ["a"], "item": "x", "qty": 1},
        {"customer_id": "a\ud800", "item": "x", "qty": 1},
        {"customer_id": "a", "item": "x\0", "qty": 1},
        [1],
        {"customer_id": "a", "item": False, "qty": "0.5"},
    ]
    expected = [("12345678901234567890123", "y", 2.0), ("a", "false", 0.5)]
    reasons = {
        "frequency is blank": 1, "blank user": 1, "a list or an object where one value belongs": 1,
        "not valid UTF-8": 1, "contains NUL": 1, "not a JSON object": 1,
    }  # fmt: skip
    path = written(tmp_path, "\n\n".join(map(json.dumps, records)), "a.jsonl")
    rows, rejects = load(path, rejects=Rejects(tmp_path / "r.csv"))
    rejects.close()
    assert [row[:3] for row in rows] == expected
    assert rejects.reasons == reasons
    assert [reject.line for reject in rejects.examples] == [1, 5, 7, 9, 11, 13]

    path = written(tmp_path, b"\xef\xbb\xbf  " + json.dumps(records).encode(), "a.json")
    rows, rejects = load(path)
    assert [row[:3] for row in rows] == expected
    assert rejects.reasons == reasons
    assert [reject.line for reject in rejects.examples] == [1, 3, 4, 5, 6, 7]


def test_broken_lines_of_json_are_rejected_rows(tmp_path):
    good = b'{"user": "a", "entry": "b"}'
    bad = [b'{"user": "a", "entry": "b"', b'{"user": "a\xff", "entry": "b"}', b"[" * 100_000, b'{"user": 1}{}']
    path = written(tmp_path, b"\r\n".join([good, *bad, b"", good]), "a.jsonl")
    assert rejected(path) == [
        (2, "not valid JSON"),
        (3, "not valid UTF-8"),
        (4, "not valid JSON: nested deeper than 100"),
        (5, "not valid JSON"),
    ]
    assert len(load(path)[0]) == 2


@pytest.mark.parametrize(
    "content",
    [b'[{"user": "a", "entry": "b"},', b'{"a": {"b": 1}} {"c": {"d": 1}}', b'{"a": {"b": 1,}}', b'["]', b"[1,,2]"],
)
def test_broken_json_fails_and_says_where(tmp_path, content):
    with pytest.raises(PgaudienceError, match="not valid JSON at row") as caught:
        load(written(tmp_path, content, "a.json"), columns=Columns())
    assert "--format jsonl" in caught.value.hint


NESTED = [
    b"[" * 1_000,
    b'[{"user": "a", "entry": "b", "c": ' + b"[" * 1_000 + b"]" * 1_000 + b"}]",
    b'{"a": ' * 1_000 + b"1" + b"}" * 1_000,
    b'{"a": [' + b"[" * 1_000,
]


@pytest.mark.parametrize("content", NESTED, ids=range(len(NESTED)))
def test_json_without_a_bottom_stops(tmp_path, content):
    with pytest.raises(PgaudienceError, match="not valid JSON at row 1: nested deeper than 100"):
        load(written(tmp_path, content, "a.json"))


@pytest.mark.parametrize(("depth", "accepted"), [(99, True), (100, False), (1_000, False), (100_000, False)])
def test_json_may_nest_a_hundred_deep(tmp_path, depth, accepted):
    line = b'{"user": "a", "entry": "b", "c": ' + b"[" * depth + b"]" * depth + b"}"
    expected = [] if accepted else [(2, "not valid JSON: nested deeper than 100")]
    assert rejected(written(tmp_path, b'{"user": "a", "entry": "b"}\n' + line, "a.jsonl")) == expected
    if accepted:
        array = b"[" + line.replace(b"[[", b"[", 1).replace(b"]]", b"]", 1) + b"]"
        assert len(load(written(tmp_path, array, "a.json"))[0]) == 1


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_record_that_lacks_the_frequency_has_a_blank_one(tmp_path, name):
    records = [{"user": "a", "entry": "b", "count": 1}, {"user": "a", "entry": "c"}]
    content = json.dumps(records) if name == "a.json" else "\n".join(map(json.dumps, records))
    path = written(tmp_path, content, name)
    assert rejected(path) == [(2, "frequency is blank")]
    assert triples(path) == [("a", "b", 1.0)]


@pytest.mark.parametrize("content", [b"", b"17", b"user,entry\n"])
def test_what_is_no_json_fails(tmp_path, content):
    with pytest.raises(PgaudienceError, match="neither a JSON array nor a JSON object"):
        load(written(tmp_path, content, "a.json"))


def test_many_nested_rows_come_in_several_chunks(tmp_path):
    content = json.dumps({f"u{i}": {f"e{j}": j + 1 for j in range(50)} for i in range(500)} | {"z": {"bad": 0}})
    path = written(tmp_path, content, "a.json")
    with open_source(path, format=None, columns=Columns(), rejects=Rejects()) as source:
        chunks = list(source.chunks())
    assert len(chunks) > 1
    assert sum(chunk.rows for chunk in chunks) == 25_001
    assert rejected(path) == [(25_001, "frequency is zero or negative")]


# Parquet


def test_parquet_of_all_types(tmp_path):
    pa = pytest.importorskip("pyarrow")
    nanoseconds = 1_780_228_800_000_001_999
    table = {
        "customer": pa.array([17850.0, None, 3.0, 4.0]),
        "item": pa.array(["x", "y", None, "z"]).dictionary_encode(),
        "count": pa.array([Decimal("1.50")] * 4),
        "when": pa.array([nanoseconds, 0, None, None], pa.timestamp("ns", tz="Europe/Berlin")),
    }
    path = written(tmp_path, as_parquet(table), "a.parquet")
    rows, rejects = load(path, columns=Columns(occurred_at="when"))
    assert rows == [
        ("17850", "x", 1.5, 1_780_228_800_000_001, None),
        ("4", "z", 1.5, NO_TIME, None),
    ]
    assert [(r.line, r.reason.text) for r in rejects.examples] == [(2, "blank user"), (3, "blank entry")]


def test_parquet_with_broken_bytes(tmp_path):
    pa = pytest.importorskip("pyarrow")
    raw = pa.array([b"good", b"caf\xe9"])
    broken = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    for items in (raw, broken):
        path = written(tmp_path, as_parquet({"user": ["a", "b"], "item": items}), "a.parquet")
        assert rejected(path) == [(2, "not valid UTF-8")]
        assert [row[1] for row in load(path)[0]] == ["good"]


def test_without_pyarrow_the_hint_installs_it(tmp_path, monkeypatch):
    path = written(tmp_path, as_parquet({"user": ["a"], "item": ["b"]}), "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(PgaudienceError, match="needs pyarrow") as caught:
        load(path)
    assert caught.value.hint == 'pip install "pgaudience[parquet]"'


# Queries


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("create table sales (customer_id, item, qty, at)")
    rows = [(1, "x", 2, "2026-05-31"), (2.0, "y", 0, None), (None, "z", 1, None), ("c", "100% :w", "1.5", None)]
    connection.executemany("insert into sales values (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def test_a_query_is_a_source(shop):
    rejects = Rejects()
    sql = "select *, '50% ::a :b' as note from sales where item not like 'q%' order by rowid"
    with open_query(sql, shop, Columns(occurred_at="at", attributes=("note",)), rejects) as source:
        assert source.size is None
        assert source.columns == Columns("customer_id", "item", "qty", "at", ("note",))
        with pytest.raises(RuntimeError):
            source.digest()
        rows = gathered(source.chunks())
        digest = source.digest()
    micros = 1_780_185_600_000_000
    note = ("50% ::a :b",)
    assert rows == [("1", "x", 2.0, micros, note), ("c", "100% :w", 1.5, NO_TIME, note)]
    assert [(r.line, r.reason.text) for r in rejects.examples] == [
        (2, "frequency is zero or negative"),
        (3, "blank user"),
    ]
    for order, same in (("rowid", True), ("rowid desc", False)):
        with open_query(sql.replace("rowid", order), shop, Columns(), Rejects()) as source:
            list(source.chunks())
            assert (source.digest() == digest) is same


def test_the_digest_of_a_query_reads_long_texts_to_the_end(shop):
    digests = set[bytes]()
    for middle in ("a", "b", "a"):
        sql = f"select 1 as user, '{'x' * 5_000}{middle}{'x' * 5_000}' as entry"
        with open_query(sql, shop, Columns(), Rejects()) as source:
            list(source.chunks())
            digests.add(source.digest())
    assert len(digests) == 2


def test_a_query_changes_nothing_and_fails_clearly(shop):
    for sql in ("delete from sales", "select nothing from nowhere", "selec"):
        with pytest.raises(PgaudienceError, match=r"^the query on sqlite:.* failed"):
            open_query(sql, shop, Columns(), Rejects())
    with open_query("select * from sales", shop, Columns(), Rejects()) as source:
        assert sum(chunk.rows for chunk in source.chunks()) == 4
    with pytest.raises(PgaudienceError, match="looks like the user"):
        open_query("select 1 as a", shop, Columns(), Rejects())


def test_urls_of_queries():
    assert _parsed("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert _parsed("postgres://u@h/d").drivername == "postgresql+psycopg"
    assert _parsed("postgresql+psycopg://u@h/d").drivername == "postgresql+psycopg"
    for url in ("nonsense", "nosuch://x", "postgresql://me:secret@h:port/x"):
        with pytest.raises(PgaudienceError, match="not a database URL") as caught:
            _parsed(url)
        assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_a_password_is_not_shown():
    with pytest.raises(PgaudienceError) as caught:
        open_query("select 1", "postgresql://me:secret@127.0.0.1:1/d", Columns(), Rejects())
    assert "secret" not in str(caught.value)


# Users


@pytest.mark.parametrize("name", ["users.csv", "users.json", "users.jsonl", "users.parquet"])
def test_users_and_their_attributes(tmp_path, name):
    rows = [{"customer": "1", "age": "30", "city": "Rome"}, {"customer": "", "age": "1", "city": "x"},
            {"customer": "2", "age": None, "city": "x"}]  # fmt: skip
    content = {
        "users.csv": as_csv([[v or "" for v in row.values()] for row in rows], header=rows[0]),
        "users.json": json.dumps(rows).encode(),
        "users.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "users.parquet": as_parquet({key: [row[key] for row in rows] for key in rows[0]}),
    }[name]
    rejects = Rejects()
    chunks = list(read_users(written(tmp_path, content, name), None, None, rejects))
    assert [user for chunk in chunks for user in chunk.texts] == ["1", "2"]
    assert [a for chunk in chunks for a in chunk.attributes] == [
        {"age": "30", "city": "Rome"}, {"age": None, "city": "x"},
    ]  # fmt: skip
    assert rejects.account() == Account(3, 2, 1, {"blank user": 1})


def test_users_of_odd_files(tmp_path):
    path = written(tmp_path, "nr\n1\n\n2\n")
    chunks = list(read_users(path, None, "NR", Rejects()))
    assert [(chunk.texts, chunk.attributes) for chunk in chunks] == [(["1", "2"], [{}, {}])]
    path = written(tmp_path, ",user,age\n0,a,1\n")
    assert next(read_users(path, None, None, Rejects())).attributes == [{"age": "1"}]
    for content, name in (("user,age,age\na,1,2\n", "a.csv"), ("age\n1\n", "a.csv"), ('{"a": {"b": 1}}', "a.json")):
        with pytest.raises(PgaudienceError):
            list(read_users(written(tmp_path, content, name), None, None, Rejects()))


def test_users_with_names_that_cannot_be_stored(tmp_path):
    rows = [{"user": "a", "age": 1}, {"user": "b", "a\0": 1}, {"user": "c", "\ud800": 1}, {"user": "d", "a\0": None}]
    rejects = Rejects()
    path = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "a.jsonl")
    chunk = next(read_users(path, None, None, rejects))
    assert (chunk.texts, chunk.attributes) == (["a", "d"], [{"age": "1"}, {"age": None}])
    assert [(r.line, r.reason.text) for r in rejects.examples] == [(2, "contains NUL"), (3, "not valid UTF-8")]


# Whatever comes


FIELDS = st.one_of(
    st.sampled_from(
        ["", " ", "a", "1", "2.5", "-1", "0", "nan", "1_0", "x\0", "caf\udce9", "é", 'q"', "l\nm", "n,o", "\r"]
    ),
    st.text(st.characters(blacklist_categories=("Cs",), max_codepoint=0x2FF), max_size=4),
)
TABLES = st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=30)


def oracle(row):
    """The fate of one row, rule by rule: the row itself, or the reason."""
    if len(row) != 3:
        return f"{len(row)} field{'s' * (len(row) != 1)}, 3 expected"
    user, entry, frequency = row
    rules = [
        (any("\udc80" <= c <= "\udcff" for field in row for c in field), "not valid UTF-8"),
        (any("\0" in field for field in row), "contains NUL"),
        (not user.strip(), "blank user"),
        (not entry.strip(), "blank entry"),
        (not frequency.strip(), "frequency is blank"),
    ]
    for broken, reason in rules:
        if broken:
            return reason
    try:
        number = math.nan if "_" in frequency else float(frequency)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return "frequency is not a number"
    if number <= 0:
        return "frequency is zero or negative"
    if number > 1e15:
        return "frequency is beyond 1e15"
    return (user, entry, number) if number >= 1e-15 else "frequency is below 1e-15"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=TABLES,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    block=st.integers(1, 200),
    least=st.sampled_from(ARROW_FROM),
)
def test_dirty_csv_against_the_plain_reading(tmp_path, rows, quoting, block, least):
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows([["user_id", "entry", "frequency"], *rows])
    path = tmp_path / "dirt.csv"
    path.write_bytes(out.getvalue().encode("utf-8", "surrogateescape"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", block)
        patch.setattr(arrow_csv, "LEAST_CHARACTERS", least)
        found, rejects = load(path)
    fates = [oracle(row) for row in rows]
    assert [(user.lstrip(" "), entry.lstrip(" "), frequency) for user, entry, frequency, *_ in found] == [
        (fate[0].lstrip(" "), fate[1].lstrip(" "), fate[2]) for fate in fates if isinstance(fate, tuple)
    ]
    reasons = [fate for fate in fates if isinstance(fate, str)]
    assert [reject.reason.text for reject in rejects.examples] == reasons[:10]
    assert rejects.account().read == len(rows)
    assert rejects.account().rejected == len(reasons) == sum(rejects.reasons.values())


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("user_id,entry,frequency\nana,ski,2\nbob,ski,1.5\nana,jazz,2\n", {}),
        ("user_id,entry,frequency\r\nana, ski,2\r\n bob,ski,x\r\nana,,2\r\n\r\nana,é\0,1", {}),
        ("user_id;entry;frequency;town\nana;ski;1.200,5;Graz\nbob;ski;0,5; \ncy;n/a;3;Graz\n", {"decimal": ","}),
        ("user_id,entry,occurred_at,town\nana,ski,2026-05-31,Graz\n-,ski,31.5.,Graz\ncy,ski,,\n", {}),
        ("user_id,entry,frequency\nana,ski,1.200\nana,ski\nana,ski,3,4\n", {}),
    ],
)
def test_csv_is_the_same_by_arrow(tmp_path, monkeypatch, content, options):
    outcomes = []
    for least in ARROW_FROM:
        monkeypatch.setattr(arrow_csv, "LEAST_CHARACTERS", least)
        found, rejects = load(written(tmp_path, content), **options)
        outcomes.append((found, rejects.account(), rejects.examples, rejects.reasons))
    assert outcomes[0] == outcomes[1]


SCRAPS = st.lists(
    st.sampled_from(['"', '""', ",", "a", "1", "\n", "\r", "\r\n", " ", "a,b,1\n", '"x","y",2\n', "\udcff"])
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scraps=SCRAPS, block=st.integers(1, 12))
@example(scraps=['"', "\n", "a,b,1\n", '"', "a", "\n", "a,b,1\n"], block=3)
@example(scraps=["a,b,1\n", '"', "\n", '"x","y",2\n', '"'], block=5)
@example(scraps=['"', *["a,b,1\n"] * 4, '"'], block=1)
def test_torn_csv_has_one_outcome_and_loses_no_line(tmp_path, scraps, block):
    """Whatever the bytes and however they are read: the same rows, and every line is in one of them."""
    content = "user_id,entry,frequency\n" + "".join(scraps)
    path = tmp_path / "torn.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    outcomes = []
    for size, least in product((block, 1 << 18), ARROW_FROM):
        target = tmp_path / f"rejects-{size}-{least}.csv"
        target.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch, Rejects(target) as rejects:
            patch.setattr(lines, "BLOCK_BYTES", size)
            patch.setattr(arrow_csv, "LEAST_CHARACTERS", least)
            found, _ = load(path, rejects=rejects)
        outcomes.append((found, rejects.account(), target.read_bytes() if target.exists() else b""))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    found, account, rejected = outcomes[0]
    assert account.read == account.accepted + account.rejected == len(found) + account.rejected
    loaded = "\n".join(f"{user},{entry},{frequency:g}" for user, entry, frequency, *_ in found)
    assert content.count("a,b,1\n") <= loaded.count("a,b,1") + rejected.count(b"a,b,1")


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(), st.text(string.printable, max_size=3),
    st.lists(st.integers(), max_size=1), st.just({}),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.fixed_dictionaries({"user": VALUES, "entry": VALUES, "n": VALUES}), min_size=1, max_size=20))
def test_records_add_up_and_are_judged_one_by_one(tmp_path, records):
    path = written(tmp_path, "\n".join(map(json.dumps, records)), "a.jsonl")
    found, rejects = load(path)
    assert rejects.account().read == len(records)
    alone = []
    for record in records:
        alone += load(written(tmp_path, json.dumps(record), "b.jsonl"))[0]
    assert found == alone
    assert all(math.isfinite(row[2]) and row[2] > 0 and row[0].strip() and row[1].strip() for row in found)


# Real data


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path


@pytest.mark.slow
def test_the_dirty_invoices_account_for_every_row():
    path = shared("online-retail/events_dirty.csv.gz")
    found, rejects = load(path)
    account = rejects.account()
    assert (account.read, account.accepted, len(found)) == (541_909, 397_924, 397_924)
    assert account.reasons == {"blank user": 135_080, "frequency is zero or negative": 8_905}
    assert found[0][:3] == ("17850", "WHITE HANGING HEART T-LIGHT HOLDER", 6.0)


def test_the_shared_sources_are_read_without_a_word():
    counts = {
        "livnlearn/user_searches.json": 55,
        "livnlearn/events.csv.gz": 55,
        "bootloader/events_full.csv.gz": 50_000,
        "bootloader/events_timed.csv.gz": 50_000,
        "instacart-sample/events.csv.gz": 50_100,
        "completejourney/events.csv.gz": 59_897,
    }
    assert {name: len(load(shared(name))[0]) for name in counts} == counts
    chunks = list(read_users(shared("bank-marketing/users.csv.gz"), None, None, Rejects()))
    assert sum(len(chunk.texts) for chunk in chunks) == 45_211
    assert len(chunks[0].attributes[0]) == 17
