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
    for wrong in ([1, 2], table.to_pylist(), 5):
        with pytest.raises((TypeError, ValueError), match="'table'|__arrow_c_stream__"):
            spf.check_many(dns, wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_error_of_the_stream_is_raised(dns: Snapshot) -> None:
    table = pa.table({"ip": ["192.0.2.1"], "mail_from": ["u@a.example"]})

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise OSError("the disk is gone")

    with pytest.raises(Exception, match="the disk is gone"):
        spf.check_many(dns, pa.RecordBatchReader.from_batches(table.schema, batches()))


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
