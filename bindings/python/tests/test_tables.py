"""Tables: Arrow data of any library, answered row by row."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sendershift import InvalidError, Snapshot, spf

from .conftest import interrupted

IPS = ["192.0.2.1", "198.51.100.1", None, "192.0.2", "2001:db8::1"]
SENDERS = ["u@a.example", "u@a.example", "u@a.example", "u@a.example", None]
COLUMNS = ["result", "domain", "lookups", "voids", "problem", "error"]


class Wrapped:
    """A table that is of no library."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__()


def rows(table: Any) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = pa.table(table).to_pylist()
    return read


def codes(row: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in json.loads(row["error"])["problems"]]


def test_rows_are_answered_one_by_one(dns: Snapshot) -> None:
    answers = spf.check_many(dns, pa.table({"ip": IPS, "mail_from": SENDERS}))
    assert len(answers) == 5 and "5 rows" in repr(answers)
    told = rows(answers)
    assert list(told[0]) == COLUMNS
    single = spf.check(dns, "192.0.2.1", "u@a.example")
    assert told[0] == {
        "result": "pass",
        "domain": "a.example",
        "lookups": single.lookups,
        "voids": single.voids,
        "problem": None,
        "error": None,
    }
    assert (told[1]["result"], told[1]["error"]) == ("fail", None)
    assert [row["result"] for row in told[2:]] == [None] * 3
    assert codes(told[2]) == ["document.missing-key"]
    assert codes(told[3]) == ["net.bad-address"]
    assert codes(told[4]) == ["document.missing-key"]


def test_all_libraries_give_and_take(dns: Snapshot) -> None:
    data = {"ip": IPS, "mail_from": SENDERS}
    expected = rows(spf.check_many(dns, pa.table(data)))
    frame = pl.DataFrame(data)
    tables: list[Any] = [frame, pd.DataFrame(data), duckdb.sql("select * from frame")]
    for table in tables:
        assert rows(spf.check_many(dns, table)) == expected
    answers = spf.check_many(dns, frame)
    assert pl.DataFrame(answers).rows(named=True) == expected
    assert pd.DataFrame.from_arrow(answers)["result"].tolist()[:2] == ["pass", "fail"]
    arrow = pa.table(answers)
    counted: Any = duckdb.sql("select count(*) from arrow where error is not null")
    assert counted.fetchall() == [(3,)]
    assert arrow.num_rows == 5


def test_other_types_of_text_and_other_types(dns: Snapshot) -> None:
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        table = pa.table({"ip": pa.array(IPS, kind), "mail_from": pa.array(SENDERS, kind)})
        assert [row["result"] for row in rows(spf.check_many(dns, table))][:2] == ["pass", "fail"]
    nested = pa.table({"ip": [["192.0.2.1"], None], "mail_from": [b"u@a.example", None]})
    told = rows(spf.check_many(dns, nested))
    assert codes(told[0]) == ["document.wrong-type"] * 2 and "`ip`" in told[0]["error"]
    assert codes(told[1]) == ["document.missing-key"] * 2
    # What claims to be text need not be.
    broken = pa.table({"ip": IPS[:2], "mail_from": pa.array([b"\xff@a.example", b"u@a.example"]).view(pa.string())})
    told = rows(spf.check_many(dns, broken))
    assert codes(told[0]) == ["json.not-utf8"] and told[1]["result"] == "fail"


def test_columns_that_are_not_there_and_empty_tables(dns: Snapshot) -> None:
    data = {"address": ["192.0.2.1"], "mail_from": ["u@a.example"]}
    policy = dns.policy("a.example")
    # What has an Arrow stream and is of no library that the package knows.
    others = (pl.DataFrame, pd.DataFrame, lambda data: Wrapped(pa.table(data)))
    for make in (pa.table, *others):
        with pytest.raises(ValueError, match="'table': expected the columns 'ip' and 'mail_from', found 'address', 'mail_from'$"):
            spf.check_many(dns, make(data))
        with pytest.raises(ValueError, match="expected the column 'subject', found 'address'"):
            spf.cost_many(dns, make(data))
        with pytest.raises(ValueError, match="expected the column 'ip', found 'address'"):
            policy.results(make(data))
        with pytest.raises(ValueError, match="expected the columns 'ip' and 'mail_from', found 'ip'$"):
            spf.check_many(dns, make({"ip": ["192.0.2.1"]}))
        # A column that may be missing is not taken for one that nobody reads.
        with pytest.raises(ValueError, match="expected the column 'helo', found 'HELO'"):
            spf.check_many(dns, make({"ip": ["192.0.2.1"], "mail_from": [""], "HELO": ["a.example"]}))
        with pytest.raises(ValueError, match="expected the column 'ip', found none"):
            policy.results(make({}))
    many = pa.table({f"column {at}": ["x"] for at in range(1000)})
    with pytest.raises(ValueError, match=r"'column 19', \.\.\.$"):
        policy.results(many)
    with pytest.raises(TypeError, match="'table'.*one column"):
        policy.results(pd.Series(["192.0.2.1"]))
    empty = pa.array([], pa.string())
    assert rows(spf.check_many(dns, pa.table({"ip": empty, "mail_from": empty}))) == []


def test_two_columns_of_one_name_are_not_one(dns: Snapshot) -> None:
    """Arrow lets names stand twice: after a join, which of the columns is meant is not known."""
    columns = [pa.array(["192.0.2.1"]), pa.array(["198.51.100.9"]), pa.array(["u@a.example"])]
    table = pa.Table.from_arrays(columns, names=["ip", "ip", "mail_from"])
    frame = pd.DataFrame([["192.0.2.1", "198.51.100.9", "u@a.example"]], columns=["ip", "ip", "mail_from"])
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    relation = duckdb.sql("select * from (select '192.0.2.1' as ip, 'u@a.example' as mail_from), (select '9.9.9.9' as ip)")
    twice: list[Any] = [table, frame, reader, Wrapped(table)]
    if list(pa.table(relation).column_names).count("ip") > 1:
        twice.append(relation)
    for given in twice:
        with pytest.raises(ValueError, match="'table': 2 columns are named 'ip'"):
            spf.check_many(dns, given)
    # Of columns that are not read there may be any number.
    others = pa.Table.from_arrays([*columns[1:], columns[0], columns[0]], names=["ip", "mail_from", "x", "x"])
    assert [row["result"] for row in rows(spf.check_many(dns, others))] == ["fail"]


def test_missing_evidence_is_told_in_its_row(dns: Snapshot) -> None:
    open_world = Snapshot.from_json('{ "format": "sendershift-snapshot/1", "answers": [] }')
    told = rows(spf.check_many(open_world, pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@b.example"]})))
    assert json.loads(told[0]["error"])["questions"] == [{"name": "b.example", "type": "TXT"}]


def test_large_tables_in_batches_keep_their_order(dns: Snapshot) -> None:
    count = 40_000
    ips = [f"192.0.{2 + at % 2}.{at % 256}" for at in range(count)]
    table = pa.table({"ip": ips, "mail_from": ["u@a.example"] * count})
    batches = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=10_001))
    answers = spf.check_many(dns, batches)
    results = pa.table(answers).column("result").to_pylist()
    assert results == ["pass" if at % 2 == 0 else "fail" for at in range(count)]


def test_what_is_wrong_with_the_call_is_raised(dns: Snapshot) -> None:
    table = pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@a.example"]})
    with pytest.raises(InvalidError) as caught:
        spf.check_many(dns, table, receiver="postfix")
    assert caught.value.code == "spf.unknown-profile"
    with pytest.raises(InvalidError):
        spf.cost_many(dns, pa.table({"subject": ["a.example"]}), receiver="postfix")
    for wrong in ([1, 2], table.to_pylist(), 5, None, pl.DataFrame({"ip": []}).lazy(), pa.array(["192.0.2.1"])):
        with pytest.raises(TypeError, match="'table'"):
            spf.check_many(dns, wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("raised", [OSError("the disk is gone"), KeyboardInterrupt("enough"), RuntimeError("enough")])
def test_what_the_source_of_a_stream_raises_comes_through(dns: Snapshot, raised: BaseException) -> None:
    table = pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@a.example"]})

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise raised

    with pytest.raises(type(raised), match=str(raised)):
        spf.check_many(dns, pa.RecordBatchReader.from_batches(table.schema, batches()))


@pytest.mark.parametrize("raised", [KeyboardInterrupt("enough"), SystemExit(3), RuntimeError("enough")])
def test_what_a_conversion_raises_comes_through(dns: Snapshot, raised: BaseException) -> None:
    class Raises:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            raise raised

    with pytest.raises(type(raised)) as caught:
        spf.check_many(dns, Raises())
    assert caught.value is raised


def test_ctrl_c_ends_the_conversion_of_a_table(dns: Snapshot) -> None:
    count = 1_000_000
    ips = pd.Series(["192.0.2.1"] * count, dtype=object)
    frame = pd.DataFrame({"ip": ips, "mail_from": pd.Series(["u@a.example"] * count, dtype=object)})
    with pytest.raises(KeyboardInterrupt), interrupted(0.03):
        for _ in range(1000):
            spf.check_many(dns, frame)


def test_errors_that_quote_much_are_short(dns: Snapshot) -> None:
    """A column of text in Arrow holds no more than two gigabytes: 16,384 rows of one text of 75,000 octets, told twice, are more."""
    count = 16_384
    indices = pa.array([0] * count, pa.int32())
    table = pa.table({"ip": pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 75_000]))})
    answers = pa.table(dns.policy("a.example").results(table))
    assert answers.num_rows == count and answers.nbytes < 100_000_000
    told = json.loads(answers["error"][count - 1].as_py())
    assert told["code"] == "net.bad-address" and told["message"].endswith("...")


def test_tables_that_point_to_nothing_are_refused(dns: Snapshot) -> None:
    """Arrow's columnar format: indices lie in the dictionary, and offsets do not fall."""
    senders = pa.array(["u@a.example"] * 2)
    values = pa.array(["192.0.2.1"])
    falling = [None, pa.py_buffer(struct.pack("<iii", 0, 9, 2)), pa.py_buffer(b"192.0.2.1192.0.2.2")]
    broken = [
        pa.DictionaryArray.from_arrays(pa.array([0, index], pa.int32()), values, safe=False) for index in (7, -1)
    ]
    for ips in (*broken, pa.Array.from_buffers(pa.string(), 2, falling)):
        with pytest.raises(ValueError, match="'table'"):
            spf.check_many(dns, pa.table({"ip": ips, "mail_from": senders}))
    sound = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), values)
    told = rows(spf.check_many(dns, pa.table({"ip": sound, "mail_from": senders}).slice(0, 2)))
    assert [row["result"] for row in told] == ["pass", None]


def test_other_types_are_given_or_refused(dns: Snapshot) -> None:
    """The capsule interface: who gives data in another type than asked for makes no values up."""
    answers = spf.check_many(dns, pa.table({"ip": IPS, "mail_from": SENDERS}))
    kinds = {"result": pa.large_string(), "lookups": pa.int64()}
    wanted = pa.schema([(field.name, kinds.get(field.name, field.type)) for field in pa.table(answers).schema])
    given = pa.RecordBatchReader.from_stream(answers, schema=wanted)
    assert given.schema == wanted and given.read_all().to_pylist() == rows(answers)
    no_number = wanted.set(0, pa.field("result", pa.int64()))
    with pytest.raises(ValueError, match="'requested_schema'"):
        pa.RecordBatchReader.from_stream(answers, schema=no_number)


def test_a_stream_that_breaks_names_the_argument(dns: Snapshot) -> None:
    table = pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@a.example"]})

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise OSError("the disk is gone")

    with pytest.raises(ValueError, match="'table'.*the disk is gone"):
        spf.check_many(dns, Wrapped(pa.RecordBatchReader.from_batches(table.schema, batches())))


def test_rows_that_are_null_hide_what_they_hold(dns: Snapshot) -> None:
    """Arrow's columnar format: a null row of a struct has children with values of any kind."""
    columns = [pa.array(["192.0.2.1", "192.0.2.2"]), pa.array(["u@a.example", "u@a.example"])]
    masked = pa.StructArray.from_arrays(columns, ["ip", "mail_from"], mask=pa.array([True, False]))
    told = rows(spf.check_many(dns, pa.chunked_array([masked])))
    assert [row["result"] for row in told] == [None, "pass"]
    assert codes(told[0]) == ["document.missing-key"] * 2
    results = dns.policy("a.example").results(pa.chunked_array([masked.slice(0, 1), masked.slice(1)]))
    assert [row["result"] for row in rows(results)] == [None, "pass"]


def test_columns_that_are_not_read_do_not_matter(dns: Snapshot) -> None:
    policy = dns.policy("a.example")
    ips = ["192.0.2.1", None]
    odd: dict[str, Any] = {
        "null": [None, None],
        "int128": pl.Series([1, 2], dtype=pl.Int128),
        "nested": [[None], [None]],
        "struct": [{"a": None}, None],
        "object": pl.Series([object(), object()], dtype=pl.Object),
    }
    for name, column in odd.items():
        told = rows(policy.results(pl.DataFrame({"ip": ips, name: column})))
        assert [row["result"] for row in told] == ["pass", None], name
    mixed = pd.DataFrame({"ip": ips, "x": [1, "a"]})
    assert [row["result"] for row in rows(policy.results(mixed))] == ["pass", None]
    assert [row["result"] for row in rows(policy.results(mixed.set_index("ip")))] == ["pass", None]


def test_a_column_of_type_null_is_null(dns: Snapshot) -> None:
    data = {"ip": ["192.0.2.1"], "mail_from": ["u@a.example"], "helo": [None]}
    for table in (pl.DataFrame(data), pd.DataFrame(data), pa.table(data)):
        assert [row["result"] for row in rows(spf.check_many(dns, table))] == ["pass"]
    assert rows(spf.check_many(dns, pl.DataFrame({"ip": [], "mail_from": []}))) == []
    told = rows(spf.check_many(dns, pl.DataFrame({"ip": [None], "mail_from": [None]})))
    assert codes(told[0]) == ["document.missing-key"] * 2


def test_values_without_a_common_type_are_answered_one_by_one(dns: Snapshot) -> None:
    ip = ip_address("192.0.2.1")
    policy = dns.policy("a.example")
    mixed = ["192.0.2.1", None, 5, float("nan"), ip, "\ud800", b"192.0.2.1", object(), ["192.0.2.1"], 10**30]
    missing, wrong = ["document.missing-key"], ["document.wrong-type"]
    expected = [[], missing, wrong, missing, [], ["json.not-utf8"], *([wrong] * 4)]
    column = pd.Series(mixed, dtype=object)
    for frame in (pd.DataFrame({"ip": column}), pd.DataFrame({"x": range(len(mixed))}, index=pd.Index(column, name="ip"))):
        told = rows(policy.results(frame))
        assert [codes(row) if row["error"] else [] for row in told] == expected
        assert [row["result"] for row in told if not row["error"]] == ["pass"] * 2
        assert "expected text, found int" in told[2]["error"]
    # Beside a column that is as it should be.
    frame = pd.DataFrame({"ip": pd.Series([ip, 5], dtype=object), "mail_from": ["u@a.example"] * 2})
    assert [row["result"] for row in rows(spf.check_many(dns, frame))] == ["pass", None]
    told = rows(policy.results(pl.DataFrame({"ip": pl.Series([ip, None, "192.0.2.1", 5], dtype=pl.Object)})))
    assert [row["result"] for row in told] == ["pass", None, "pass", None]
    assert [codes(told[at]) for at in (1, 3)] == [missing, wrong]
    series: list[Any] = [pl.Series([1, None], dtype=pl.Int128), [[None], None], [{"a": None}, None]]
    for values in series:
        assert [codes(row) for row in rows(policy.results(pl.DataFrame({"ip": values})))] == [wrong, missing]
    assert [row["result"] for row in rows(policy.results(pd.DataFrame({"ip": pd.arrays.SparseArray(["192.0.2.1"])})))] == ["pass"]


def test_readers_without_batches_have_columns(dns: Snapshot) -> None:
    def reader(*names: str) -> Any:
        return pa.RecordBatchReader.from_batches(pa.schema([(name, pa.string()) for name in names]), [])

    assert rows(dns.policy("a.example").results(reader("ip"))) == []
    with pytest.raises(ValueError, match="expected the column 'ip', found 'x'"):
        dns.policy("a.example").results(reader("x"))
    with pytest.raises(ValueError, match="2 columns are named 'ip'"):
        dns.policy("a.example").results(reader("ip", "ip"))


def test_results_of_policies(dns: Snapshot) -> None:
    policy = dns.policy("a.example")
    ips = ["192.0.2.1", "198.51.100.1", None, "x", "::ffff:192.0.2.1"]
    told = rows(policy.results(pa.table({"ip": ips})))
    # `exists` decides the second one: neither a result nor an error.
    assert [row["result"] for row in told] == ["pass", None, None, None, "pass"]
    assert [row["error"] is None for row in told] == [True, True, False, False, True]
    assert [codes(row) for row in told[2:4]] == [["document.missing-key"], ["net.bad-address"]]
    strict = policy.under("strict").results(pl.DataFrame({"ip": ips}))
    assert rows(strict) == told
    some = [f"192.0.{at // 256}.{at % 256}" for at in range(0, 1024, 7)]
    found = [row["result"] for row in rows(policy.results(pd.DataFrame({"ip": some})))]
    assert found == [policy.result(ip) for ip in some]


def test_costs_of_many(qualys: Snapshot) -> None:
    subjects = ["qualys.com", "v=spf1 mx -all", "v=spf1 mx -all", None, "v=spf1 ip5:x -all"]
    domains = [None, "qualys.com", None, "qualys.com", None]
    told = rows(spf.cost_many(qualys, pa.table({"subject": subjects, "domain": domains})))
    for row, subject, domain in zip(told[:2], subjects, domains, strict=False):
        cost = spf.cost(qualys, str(subject), domain=domain)
        assert row == {
            "domain": cost.domain,
            "within": cost.within,
            "lookups": cost.lookups["total"],
            "lookups_v4": cost.worst_v4["lookups"],
            "lookups_v6": cost.worst_v6["lookups"],
            "remaining_lookups": cost.remaining["lookups"],
            "remaining_voids": cost.remaining["voids"],
            "error": None,
        }
    assert [codes(row) for row in told[2:]] == [["spf.needs-domain"], ["document.missing-key"], ["spf.unknown-mechanism"]]
    without = spf.cost_many(qualys, pa.table({"subject": ["qualys.com"]}), receiver="strict")
    assert rows(without)[0]["within"] == spf.cost(qualys, "qualys.com", receiver="strict").within


def test_ctrl_c_ends_tables(dns: Snapshot) -> None:
    count = 1_000_000
    table = pa.table({"ip": ["192.0.2.1"] * count, "mail_from": ["u@a.example"] * count})
    with pytest.raises(KeyboardInterrupt), interrupted(0.1):
        for _ in range(1000):
            spf.check_many(dns, table)
