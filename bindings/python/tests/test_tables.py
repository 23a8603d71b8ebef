"""Tables: Arrow data of any library, answered row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    told = rows(spf.check_many(dns, pa.table({"address": ["192.0.2.1"]})))
    assert codes(told[0]) == ["document.missing-key"] * 2
    assert rows(spf.check_many(dns, pa.table({"ip": pa.array([], pa.string())}))) == []


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
        spf.cost_many(dns, table, receiver="postfix")
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


def test_a_stream_that_breaks_names_the_argument(dns: Snapshot) -> None:
    table = pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@a.example"]})

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise OSError("the disk is gone")

    class Wrapped:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return pa.RecordBatchReader.from_batches(table.schema, batches()).__arrow_c_stream__()

    with pytest.raises(ValueError, match="'table'.*the disk is gone"):
        spf.check_many(dns, Wrapped())


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
    without = (pl.DataFrame({"x": [None, None]}), pd.DataFrame({"x": [1, "a"]}), pa.table({"x": [1, 2]}))
    for table in without:
        assert [codes(row) for row in rows(policy.results(table))] == [["document.missing-key"]] * 2


def test_a_column_of_type_null_is_null(dns: Snapshot) -> None:
    data = {"ip": ["192.0.2.1"], "mail_from": ["u@a.example"], "helo": [None]}
    for table in (pl.DataFrame(data), pd.DataFrame(data), pa.table(data)):
        assert [row["result"] for row in rows(spf.check_many(dns, table))] == ["pass"]
    assert rows(spf.check_many(dns, pl.DataFrame({"ip": [], "mail_from": []}))) == []
    told = rows(spf.check_many(dns, pl.DataFrame({"ip": [None], "mail_from": [None]})))
    assert codes(told[0]) == ["document.missing-key"] * 2


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
