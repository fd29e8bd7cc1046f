"""Input that strangers bring: no traceback, no text changed in silence, no memory without bounds."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgaudience.errors import PgaudienceError
from pgaudience.reading import Columns, Rejects, open_source, read_entries, read_users
from pgaudience.reading.doubts import ENTRY_PLACEHOLDER, INVISIBLE, SHORTENED, USER_PLACEHOLDER
from pgaudience.reading.texts import PLACEHOLDERS

ROWS = [("ann", "Ski Aspen", 3.0), ("bob", "Café", 1.5)]
CSV = "user_id,entry,frequency\nann,Ski Aspen,3\nbob,Café,1.5\n".encode()


def written(folder: Path, content: bytes | str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(path: Path, rejects: Rejects | None = None, **options: object) -> list[tuple]:
    """User, entry and frequency of every row taken."""
    options = {"format": None, "columns": Columns(), **options}
    with open_source(path, rejects=rejects or Rejects(), **options) as source:  # type: ignore[arg-type]
        return [
            row
            for chunk in source.chunks()
            for row in zip(chunk.users, chunk.entries, chunk.frequencies.tolist(), strict=True)
        ]


def rejected(path: Path, **options: object) -> list[tuple[int, str]]:
    rejects = Rejects()
    load(path, rejects, **options)
    assert rejects.account().rejected == len(rejects.examples)
    return [(reject.line, reject.reason.text) for reject in rejects.examples]


def attributes(path: Path) -> list[dict]:
    return [row for chunk in read_users(path, None, None, Rejects()) for row in chunk.attributes]


# Lines


def test_a_header_or_a_line_may_be_long(tmp_path: Path) -> None:
    for header in ("x" * 200_000, '"' + "x" * 200_000 + '"'):
        assert load(written(tmp_path, f"user_id,entry,{header}\nann,Ski,\n")) == [("ann", "Ski", 1.0)]
    text = "x" * 200_000 + ' "quoted"'
    assert load(written(tmp_path, 'user_id,entry\nann,"' + text.replace('"', '""') + '"\n')) == [("ann", text, 1.0)]


@pytest.mark.parametrize("first", ["sep=;", "SEP=; ", "\r\nsep=;"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_line_that_names_a_separator_is_no_header(tmp_path: Path, first: str, ending: str) -> None:
    path = written(tmp_path, ending.join([first, "user_id;entry", "ann;a, b, c", ";x", ""]).encode())
    assert load(path) == [("ann", "a, b, c", 1.0)]
    assert rejected(path) == [(4 + first.startswith("\r"), "blank user")]
    assert load(written(tmp_path, path.read_bytes(), "events.tsv")) == [("ann", "a, b, c", 1.0)]


def test_bars_are_guessed_and_any_delimiter_can_be_named(tmp_path: Path) -> None:
    assert load(written(tmp_path, 'user_id|entry\nann|"a|b"\nbob|c, d; e\n')) == [
        ("ann", "a|b", 1.0), ("bob", "c, d; e", 1.0),
    ]  # fmt: skip
    path = written(tmp_path, "user_id:entry:frequency\nann:a,b:2\n")
    assert load(path, delimiter=":") == [("ann", "a,b", 2.0)]
    path = written(tmp_path, 'user_id entry frequency\nann "a b" 2\nbob  3\n')
    assert load(path, delimiter=" ") == [("ann", "a b", 2.0)]
    with pytest.raises(PgaudienceError, match="is json, which has no delimiter"):
        load(written(tmp_path, "[]", "a.json"), delimiter=";")


@pytest.mark.parametrize("rest", ["", '"x" ,3\n'])
def test_a_quote_may_follow_spaces(tmp_path: Path, rest: str) -> None:
    """A field is the same in a block of lines with quotes and in one without."""
    path = written(tmp_path, 'user_id, entry , frequency\n1, "A11, y", 2\n  2,  B ,3\n' + rest)
    assert load(path) == [("1", "A11, y", 2.0), ("2", "B ", 3.0)]
    plain = written(tmp_path, "user_id, entry , frequency\n  2,  B ,3\n")
    assert load(plain) == [("2", "B ", 3.0)]


# Bytes


@pytest.mark.parametrize("mark", [True, False], ids=["mark", ""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("name", ["events.csv", "events.json", "events.jsonl"])
def test_other_unicode_is_called_by_its_name(tmp_path: Path, encoding: str, mark: bool, name: str) -> None:
    content = {"events.csv": CSV.decode(), "events.json": "[]", "events.jsonl": "{}\n{}"}[name]
    path = written(tmp_path, ("\ufeff" * mark + content).encode(encoding), name)
    with pytest.raises(PgaudienceError, match=f"is {encoding[:6].upper()}, not text in UTF-8") as caught:
        load(path)
    assert f"iconv -f {encoding[:6].upper()} -t UTF-8 {path}" in caught.value.hint


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


PACKED = {
    "events.csv.bz2": bz2.compress(CSV),
    "events.csv.xz": lzma.compress(CSV),
    "events.csv.zip": zipped(("folder/anything", CSV)),
    "events.zip": zipped(("folder/", b""), ("folder/events.csv", CSV), ("__MACOSX/._events.csv", b"x")),
    "events.csv": zipped(("events.csv", CSV)),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_are_unpacked(tmp_path: Path, name: str) -> None:
    digests = set[bytes]()
    for path in (written(tmp_path, PACKED[name], name), written(tmp_path, CSV, "plain.csv")):
        with open_source(path, format=None, columns=Columns(), rejects=Rejects()) as source:
            digests.add(source.digest())
        assert load(path) == ROWS
    assert len(digests) == 1


def test_packed_json_is_unpacked(tmp_path: Path) -> None:
    records = json.dumps([{"user": user, "entry": entry, "count": count} for user, entry, count in ROWS]).encode()
    for name, content in (("a.json.bz2", bz2.compress(records)), ("a.zip", zipped(("a.json", records)))):
        assert load(written(tmp_path, content, name)) == ROWS


@pytest.mark.parametrize(
    ("content", "said", "mend"),
    [
        (b"\x28\xb5\x2f\xfd rest", "zstd", "zstd -d"),
        (b"7z\xbc\xaf\x27\x1c rest", "7-Zip", "7z x"),
        (b"Rar!\x1a\x07 rest", "RAR", "unrar"),
        (b"\x04\x22\x4d\x18 rest", "lz4", "lz4 -d"),
        (b"PAR1 rest", "Parquet", "--format parquet"),
        (zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), "a spreadsheet", "--format xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet", "--format xlsx"),
        (b"SQLite format 3\0 rest", "SQLite", "--query"),
        (b"%PDF-1.7", "a PDF", "CSV"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "packed twice", "unpack it"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
def test_what_is_no_text_is_called_by_its_name(tmp_path: Path, content: bytes, said: str, mend: str, name: str) -> None:
    with pytest.raises(PgaudienceError, match=f"is (an? )?{said.removeprefix('a ')}.*, not text in UTF-8") as caught:
        load(written(tmp_path, content, name))
    assert mend in caught.value.hint


@pytest.mark.parametrize("name", ["events.csv.bz2", "events.csv.xz", "events.csv.zip"])
def test_damaged_packed_files_are_expected_failures(tmp_path: Path, name: str) -> None:
    content = PACKED[name]
    for broken in (content[:-25], content[:20] + bytes(10) + content[30:]):
        with pytest.raises(PgaudienceError, match=r"damaged|cannot be unzipped"):
            load(written(tmp_path, broken, name))


def test_zip_files_of_several_files_are_named(tmp_path: Path) -> None:
    for members in ((), (("a.csv", CSV), ("b.csv", CSV))):
        with pytest.raises(PgaudienceError, match=f"a zip file of {len(members)} files, not of one"):
            load(written(tmp_path, zipped(*members), "a.zip"))
    with pytest.raises(PgaudienceError, match="does not tell its format"):
        load(written(tmp_path, zipped(("a.dat", CSV)), "a.zip"))


# JSON


SURROGATES = b'[{"user_id":"a\\ud800","entry":"x"},{"user_id":"a\\udbff","entry":"y"},{"user_id":"a","entry":"z"}]'


def test_lone_surrogates_are_rejected_and_never_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, SURROGATES, "a.json")
    assert rejected(path) == [(1, "not valid UTF-8"), (2, "not valid UTF-8")]
    assert load(path) == [("a", "z", 1.0)]
    nested = written(tmp_path, b'{"a\\ud800": {"x": 1}, "a": {"y\\udbff": 1, "\\ud83d\\ude00": 2}}', "nested.json")
    assert rejected(nested) == [(1, "not valid UTF-8"), (2, "not valid UTF-8")]
    assert load(nested) == [("a", "😀", 2.0)]


def test_bytes_that_are_not_utf8_cost_their_own_row(tmp_path: Path) -> None:
    path = written(tmp_path, b'[{"user":"caf\xe9","entry":"x"},{"user":"caf\xc3\xa9","entry":"y"}]', "a.json")
    assert rejected(path) == [(1, "not valid UTF-8")]
    assert load(path) == [("café", "y", 1.0)]


BOUNDLESS = "a number that is infinite or beyond 1,000 digits"
NUMBERS = {
    "9" * 5_000: BOUNDLESS,
    "1e999999999999999999999": BOUNDLESS,
    "1e-999999999999999999999": BOUNDLESS,
    "1e99999": BOUNDLESS,
    "Infinity": BOUNDLESS,
    "NaN": "blank user",
    "9" * 1_001: "user id longer than 1,000 bytes",
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:12])
def test_numbers_without_bounds_are_rejected(tmp_path: Path, number: str) -> None:
    rows = [f'{{"user_id": {user}, "entry": "x", "more": [1]}}' for user in ('"a"', number, '"b"')]
    array, lines = written(tmp_path, f"[{', '.join(rows)}]", "a.json"), written(tmp_path, "\n".join(rows), "a.jsonl")
    for path in (array, lines):
        assert rejected(path) == [(2, NUMBERS[number])]
        assert load(path) == [("a", "x", 1.0), ("b", "x", 1.0)]


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999999999999999999999"], ids=["digits", "exponent"])
def test_frequencies_without_bounds_are_rejected(tmp_path: Path, number: str) -> None:
    for content in (
        f'[{{"user_id": "a", "entry": "x", "frequency": {number}}}, {{"user_id": "a", "entry": "x", "frequency": 2}}]',
        f'{{"a": {{"x": {number}, "y": 2}}}}',
    ):
        path = written(tmp_path, content, "a.json")
        assert rejected(path) == [(1, BOUNDLESS)]
        assert [row[2] for row in load(path)] == [2.0]


def test_numbers_keep_their_digits_in_every_format(tmp_path: Path) -> None:
    numbers = ["12345678901234567890123", "0.12345678901234567890", "1e22", "1E-7", "17850.00", "-0.0", "1.50"]
    texts = ["12345678901234567890123", "0.12345678901234567890", "1" + "0" * 22, "0.0000001", "17850", "0", "1.50"]
    rows = [f'{{"user": "a", "entry": {number}}}' for number in numbers]
    for path in (written(tmp_path, f"[{','.join(rows)}]", "a.json"), written(tmp_path, "\n".join(rows), "a.jsonl")):
        assert [row[1] for row in load(path)] == texts


@pytest.mark.parametrize(
    ("content", "name"),
    [("[]", "a.json"), (" [ ] ", "a.json"), ("{}", "a.json"), ("", "a.jsonl"), ("\n \n", "a.jsonl")],
)
def test_json_without_rows_is_no_rows(tmp_path: Path, content: str, name: str) -> None:
    rejects = Rejects()
    path = written(tmp_path, content, name)
    assert load(path, rejects) == []
    assert rejects.account().read == 0
    if content != "{}":
        assert load(path, columns=Columns(user="who", attributes=("age",))) == []
        assert attributes(path) == []
        assert next(iter(read_entries(path, None, "what", Rejects()))).texts == []


def test_json_of_nothing_but_bad_rows_rejects_them(tmp_path: Path) -> None:
    assert rejected(written(tmp_path, '[1, "x"]', "a.json")) == [(1, "not a JSON object"), (2, "not a JSON object")]
    assert rejected(written(tmp_path, "1\n{]\n", "a.jsonl")) == [(1, "not a JSON object"), (2, "not valid JSON")]


@pytest.mark.parametrize("block", [1, 2, 7, 100])
def test_json_is_the_same_whatever_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """No value is cut where a block of bytes ends."""
    from pgaudience.reading import json_text

    users = ["a", "é\\u00e9\\ud83d\\ude00", "[{,", '\\"', "x" * 300]
    numbers = ["12345", "1.25", "1e3", "-0", "1E+2", "true", "null", '"3"', "[1]"]
    records = [f'{{"user": "{user}", "entry": "e", "n" : {n}}}' for user in users for n in numbers]
    array = written(tmp_path, " [ " + "\n,".join(records) + "] \n", "a.json")
    nested = written(
        tmp_path, "{" + ",".join(f'"{u}" : {{' + ",".join(f'"{i}": {n}' for i, n in enumerate(numbers)) + "}"
                                 for u in users) + ', "l": [1, 22.5, "x"]}', "nested.json"
    )  # fmt: skip
    broken = written(tmp_path, "[" + ",".join(records) + ",}]", "broken.json")

    def outcomes() -> list[object]:
        rejects = Rejects()
        found: list[object] = [*load(array, rejects), *load(nested, rejects)]
        with pytest.raises(PgaudienceError) as caught:
            load(broken)
        return [*found, *rejects.examples, caught.value.message.partition(", near")[0]]

    expected = outcomes()
    assert len(expected) > 40
    monkeypatch.setattr(json_text, "BLOCK_BYTES", block)
    assert outcomes() == expected


# Parquet


def as_parquet(folder: Path, table: dict[str, object], **options: object) -> Path:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(table), folder / "a.parquet", **options)
    return folder / "a.parquet"


def test_times_of_day_lose_what_is_below_a_microsecond(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    path = as_parquet(tmp_path, {"user": pa.array([3_661_000_001_999] * 2, pa.time64("ns")), "entry": ["x", "y"]})
    assert [row[0] for row in load(path)] == ["01:01:01.000001"] * 2
    path = as_parquet(tmp_path, {"user": ["a"], "entry": ["x"], "took": pa.array([1_999], pa.duration("ns"))})
    assert attributes(path) == [{"entry": "x", "took": "0:00:00.000001"}]


@pytest.mark.parametrize("kind", ["timestamp s", "timestamp ms", "timestamp us", "timestamp us UTC", "date32", "list"])
def test_times_that_python_cannot_hold_reject_their_row(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    units = {"timestamp s": 1, "timestamp ms": 1_000, "timestamp us": 1_000_000, "timestamp us UTC": 1_000_000}
    second = units.get(kind, 1)
    noon, far, early = 1_780_228_800 * second, 300_000_000_000 * second, -70_000_000_000 * second
    if kind == "date32":
        times = pa.array([20_604, 10_000_000, None, -1_000_000], pa.int32()).cast(pa.date32())
    elif kind == "list":
        times = pa.array([[noon], [far], None, [early]], pa.list_(pa.timestamp("s")))
    else:
        times = pa.array([noon, far, None, early], pa.timestamp(kind.split()[1], tz="UTC" if "UTC" in kind else None))
    table = {"user": ["a", "b", "c", "d"], "entry": ["w", "x", "y", "z"], "at": times}
    path = as_parquet(tmp_path, table)
    reason = "a time outside the years 1 to 9999"
    when = Columns(occurred_at=None if kind == "list" else "at", attributes=("at",) if kind == "list" else ())
    assert rejected(path, columns=when) == [(2, reason), (4, reason)]
    assert [row[0] for row in load(path, columns=when)] == ["a", "c"]
    with open_source(path, format=None, columns=when, rejects=Rejects()) as source:
        (chunk,) = source.chunks()
    if chunk.times is not None:
        day = 86_400_000_000
        expected = round(datetime(2026, 5, 31, 12, tzinfo=UTC).timestamp() * 1_000_000)
        assert chunk.times[0] in (expected, expected // day * day)


def test_infinite_numbers_of_parquet_are_rejected(tmp_path: Path) -> None:
    path = as_parquet(tmp_path, {"user": [1.0, float("inf"), float("nan")], "entry": ["x", "y", "z"]})
    assert rejected(path) == [(2, BOUNDLESS), (3, "blank user")]


def test_texts_of_a_dictionary_are_as_written(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    items = [None, "Ski", "Café", "Ski", "", "x" * 1_000] * 5_000
    table = {"user": [f"u{i % 97}" for i in range(30_000)], "entry": pa.array(items), "n": list(range(1, 30_001))}
    for options in ({"row_group_size": 7_000}, {"use_dictionary": False}, {"dictionary_pagesize_limit": 100}):
        path = as_parquet(tmp_path, table, **options)
        expected = [(f"u{i % 97}", item, float(i + 1)) for i, item in enumerate(items) if item]
        rejects = Rejects()
        assert load(path, rejects, columns=Columns(frequency="n")) == expected
        assert rejects.reasons == {"blank entry": 10_000}
        assert [reject.line for reject in rejects.examples][:4] == [1, 5, 7, 11]
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"good", b"caf\xe9"]).buffers())
    path = as_parquet(tmp_path, {"user": ["a"] * 4, "entry": pa.concat_arrays([broken, broken])})
    assert rejected(path) == [(2, "not valid UTF-8"), (4, "not valid UTF-8")]


MEMORY = """
import re, sys
from pathlib import Path
from pgaudience.reading import Columns, Rejects, open_source, read_entries
path, rejects = Path(sys.argv[1]), Rejects()
with open_source(path, format=None, columns=Columns(), rejects=rejects) as source:
    for chunk in source.chunks():
        pass
for described in read_entries(path, None, None, rejects):
    pass
peak = re.search("VmHWM: *([0-9]+) kB", Path("/proc/self/status").read_text().replace("\\t", " "))
print(rejects.account().accepted, int(peak[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the file system /proc")
def test_memory_is_bounded_by_what_a_parquet_file_holds(tmp_path: Path) -> None:
    """A file of some kilobytes stands for gigabytes: one long text in a thousand rows, and lists of it."""
    pa = pytest.importorskip("pyarrow")
    long = "x" * 1_000_000
    table = {
        "user": [f"u{i}" for i in range(1_000)],
        "entry": pa.array([long] * 1_000),
        "tags": pa.array([[long[:150_000]] * 5] * 1_000),
        "fixed": pa.array([long[:100_000].encode()] * 1_000, pa.binary(100_000)),
    }
    path = as_parquet(tmp_path, table, compression="zstd", write_statistics=False)
    del table
    assert path.stat().st_size < 10_000
    done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    accepted, megabytes = map(int, done.stdout.split())
    assert accepted == 2_000
    assert megabytes < 400


def test_a_row_beyond_all_bounds_is_rejected(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    tags = pa.array([["a"], ["x" * 1_000_000] * 70, ["b"]])
    path = as_parquet(tmp_path, {"entry": ["w", "x", "y"], "tags": tags}, compression="zstd")
    rejects = Rejects()
    found = [text for chunk in read_entries(path, None, None, rejects) for text in chunk.texts]
    assert found == ["w", "y"]
    assert [(reject.line, reject.reason.text) for reject in rejects.examples] == [(2, "a row over 64 MB")]


# Spreadsheets


def as_xlsx(rows: list[list[object]], first: int = 1) -> bytes:
    """The least that Excel calls a workbook."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        return "<c/>" if value is None else f"<c><v>{value}</v></c>"

    lines = "".join(f'<row r="{n}">{"".join(map(cell, row))}</row>' for n, row in enumerate(rows, first))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zipped(
        ("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
         '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
         f'ContentType="{kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
         f'ContentType="{kind}.worksheet+xml"/></Types>'.encode()),
        ("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
         f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'.encode()),
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
         f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'.encode()),
        ("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Visits" sheetId="1" '
         'r:id="r1"/></sheets></workbook>'.encode()),
        ("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'.encode()),
    )  # fmt: skip


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    rows = [[" User ID", "Place ", "Visits"], [17850, "Ski Aspen", 2], ["", None, None], ["00123", " ", 1],
            [1.5, "Café", 0.5]]  # fmt: skip
    for first in (1, 4):
        path = written(tmp_path, as_xlsx(rows, first), "visits.xlsx")
        assert load(path) == [("17850", "Ski Aspen", 2.0), ("1.5", "Café", 0.5)]
        assert rejected(path) == [(first + 3, "blank entry")]
    people = written(tmp_path, as_xlsx([["user", "zip", "age"], ["ann", "01067", 34]]), "people.xlsx")
    assert attributes(people) == [{"zip": "01067", "age": "34"}]


def test_what_is_no_workbook_is_an_expected_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("python_calamine")
    for content in (b"user,entry\na,b\n", as_xlsx([["user"]])[:-30], zipped(("[Content_Types].xml", b"x")), b""):
        with pytest.raises(PgaudienceError, match=r"not readable as a spreadsheet|damaged zip"):
            load(written(tmp_path, content, "a.xlsx"))
    with pytest.raises(PgaudienceError, match=r"first sheet of .* is empty"):
        load(written(tmp_path, as_xlsx([]), "a.xlsx"))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(PgaudienceError, match="needs python-calamine") as caught:
        load(written(tmp_path, as_xlsx([["user", "entry"]]), "a.xlsx"))
    assert 'pip install "pgaudience[xlsx]"' in caught.value.hint


# Decimals


def test_a_point_that_may_be_a_thousands_sign_is_not_guessed(tmp_path: Path) -> None:
    rows = [f"u{i};x;{i + 1}.5" for i in range(20_000)]
    rows[17], rows[15_000] = "u;x;1.200", "u;x;1,5"
    path = written(tmp_path, "\n".join(["user_id;entry;frequency", *rows]))
    with pytest.raises(
        PgaudienceError, match=r"1\.200 in line 19, and 1,5 in line 15,002: .* 1200, or 1\.200"
    ) as caught:
        load(path)
    assert "--decimal" in caught.value.hint
    assert rejected(path, decimal=".") == [(15_002, "frequency is not a number")]
    assert load(path, decimal=".")[17] == ("u", "x", 1.2)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_decimals_behind_a_comma(tmp_path: Path, name: str) -> None:
    good = {"1.200": 1200.0, "1,5": 1.5, "1.234.567,89": 1234567.89, "7": 7.0, " 0,25 ": 0.25, "1000000,5": 1000000.5,
            "1,5e3": 1500.0}  # fmt: skip
    bad = ["1.5", "1,2,3", "1.2345,6", "x", ",", "12.34", "1,5.000"]
    records = [{"user": "a", "entry": "x", "n": text} for text in [*good, *bad]]
    content = "\n".join(map(json.dumps, records))
    if name == "a.csv":
        content = "user;entry;n\n" + "\n".join(";".join(record.values()) for record in records)
    path = written(tmp_path, content, name)
    assert [row[2] for row in load(path, decimal=",")] == list(good.values())
    assert {reason for _, reason in rejected(path, decimal=",")} == {"frequency is not a number"}


def test_plain_numbers_are_no_riddle(tmp_path: Path) -> None:
    for numbers in (["1.200", "2.5"], ["1.200", '"1,000"'], ["1.5", '"1,5"'], ['"1,5"', '"x"']):
        path = written(tmp_path, "user,entry,n\n" + "".join(f"a,b,{number}\n" for number in numbers))
        rows, rejects = len(load(path)), Rejects()
        load(path, rejects)
        assert rows + rejects.account().rejected == 2


# Placeholders


WORDS = ["NULL", "null", "Null", "undefined", "N/A", "n/a", "\\N", "nan", "NaN", "None", "0", "-1", "#N/A", "(not set)",
         "00000000-0000-0000-0000-000000000000", " NULL\u00a0", "\u200b", "\ufeff\u200b"]  # fmt: skip


def test_placeholders_are_counted_and_may_be_rejected(tmp_path: Path) -> None:
    rows = [(word, f"thing {n}") for n, word in enumerate(WORDS)] + [(f"u{n}", word) for n, word in enumerate(WORDS)]
    rows += [("ann", "Ski"), ("nullable", "Nancy"), ("10", "N")]
    out = io.StringIO()
    csv.writer(out).writerows([("user_id", "entry"), *rows])
    path = written(tmp_path, out.getvalue())
    rejects = Rejects()
    assert len(load(path, rejects)) == len(rows)
    found = {doubted.doubt: doubted for doubted in rejects.doubts.of(str(path))}
    assert {doubt: doubted.rows for doubt, doubted in found.items()} == {
        USER_PLACEHOLDER: len(WORDS), ENTRY_PLACEHOLDER: len(WORDS),
    }  # fmt: skip
    rejects = Rejects(placeholders=True)
    assert [row[:2] for row in load(path, rejects)] == [("ann", "Ski"), ("nullable", "Nancy"), ("10", "N")]
    assert rejects.reasons == {"a placeholder for a user or an entry": 2 * len(WORDS)}
    assert list(rejects.doubts.of(str(path))) == []


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet", "a.xlsx"])
def test_placeholders_of_every_format(tmp_path: Path, name: str) -> None:
    users = ["NULL", "NULL", "0", "ann"]
    records = [{"user_id": user, "entry": "x"} for user in users]
    if name == "a.parquet":
        path = as_parquet(tmp_path, {"user_id": users, "entry": ["x"] * 4})
    else:
        sheet = [["user_id", "entry"], *([user, "x"] for user in ["NULL", "NULL", 0, "ann"])]
        content = {"a.json": json.dumps(records), "a.jsonl": "\n".join(map(json.dumps, records)),
                   "a.xlsx": as_xlsx(sheet)}  # fmt: skip
        path = written(tmp_path, content[name], name)
    for read in ("activity", "users"):
        rejects = Rejects()
        if read == "activity":
            load(path, rejects)
        else:
            list(read_users(path, None, None, rejects))
        (doubted,) = rejects.doubts.of(str(path))
        assert (doubted.doubt, doubted.rows, doubted.values) == (USER_PLACEHOLDER, 3, [("NULL", 2), ("0", 1)])


def test_ids_that_nobody_can_tell_apart_are_told(tmp_path: Path) -> None:
    ids = ["ann", "ann\u200b", "an\u00adn", "\ufeffann", "1.23457E+12", "1,2E+5", "E+5", "anné"]
    path = written(tmp_path, "user_id;entry\n" + "".join(f"{user};é\n" for user in ids))
    rejects = Rejects()
    assert len(load(path, rejects)) == len(ids)
    found = {doubted.doubt: doubted for doubted in rejects.doubts.of(str(path))}
    assert found.keys() == {INVISIBLE, SHORTENED}
    assert [value for value, _ in found[INVISIBLE].values] == ["ann\u200b", "an\u00adn", "\ufeffann"]
    assert [value for value, _ in found[SHORTENED].values] == ["1.23457E+12", "1,2E+5"]


def test_rows_that_are_rejected_are_not_in_doubt(tmp_path: Path) -> None:
    rejects = Rejects()
    path = written(tmp_path, "user_id,entry\nNULL,\nann,x\n")
    load(path, rejects)
    assert list(rejects.doubts.of(str(path))) == []
    assert "NULL" in PLACEHOLDERS


# Attributes


def test_a_long_attribute_is_rejected_with_its_row(tmp_path: Path) -> None:
    path = written(tmp_path, f"user,note\nann,{'x' * 1_000_001}\nbob,{'x' * 1_000_000}\n")
    rejects = Rejects()
    assert [text for chunk in read_users(path, None, None, rejects) for text in chunk.texts] == ["bob"]
    assert [(reject.line, reject.reason.text) for reject in rejects.examples] == [(2, "attribute longer than 1 MB")]


# Rejected rows


def test_rejected_rows_reach_a_terminal_escaped(tmp_path: Path) -> None:
    content = b"user_id,entry\n,\x1b]0;pwn\x07\x1b[31mred\xc2\x9b5n\xe2\x80\xaeevil\n"
    rejects = Rejects(tmp_path / "rejects.csv")
    with rejects:
        load(written(tmp_path, content), rejects)
    (example,) = rejects.examples
    assert example.row == r",\x1b]0;pwn\x07\x1b[31mred\x9b5n\u202eevil"
    assert b"\x1b[31mred" in (tmp_path / "rejects.csv").read_bytes()
    with pytest.raises(PgaudienceError) as caught:
        load(tmp_path / "events.csv", Rejects(strict=True))
    assert "\x1b" not in caught.value.message


def test_the_rejects_file_follows_no_link(tmp_path: Path) -> None:
    victim, link = tmp_path / "precious", tmp_path / "rejects.csv"
    victim.write_text("precious")
    link.symlink_to(victim)
    path = written(tmp_path, "user_id,entry\n,x\n")
    with pytest.raises(PgaudienceError, match="it is a symbolic link"), Rejects(link) as rejects:
        load(path, rejects)
    assert victim.read_text() == "precious"
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(PgaudienceError, match="it is a symbolic link"), Rejects(link) as rejects:
        load(path, rejects)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_a_full_disk_is_noticed_while_reading(tmp_path: Path) -> None:
    path = written(tmp_path, "user_id,entry\n,x\n")
    rejects = Rejects(Path("/dev/full"))
    with pytest.raises(PgaudienceError, match="cannot write the rejected rows to /dev/full: No space left"):
        load(path, rejects)
    with pytest.raises(PgaudienceError, match="No space left"):
        list(read_users(path, None, None, Rejects(Path("/dev/full"))))
