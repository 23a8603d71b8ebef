"""What is wrong is told by exceptions, with what the core says."""

# mypy: disable-error-code="arg-type, call-arg, list-item, no-untyped-call"
# pyright: reportArgumentType=false, reportCallIssue=false

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sendershift
from sendershift import (
    AddressSet,
    Drift,
    InvalidError,
    Migration,
    MissingEvidenceError,
    Plan,
    Policy,
    Proof,
    Results,
    SendershiftError,
    Snapshot,
    SpfRecord,
    dkim,
    dmarc,
    domain,
    spf,
)

from .conftest import QUALYS, ROOT

QUALYS_PLAN = ROOT / "tests" / "plans" / "broken-cached-ttl.json"


def test_problems_have_codes_and_places() -> None:
    with pytest.raises(InvalidError) as caught:
        spf.parse("v=spf1 ip4:999 foo:bar")
    error = caught.value
    assert isinstance(error, ValueError) and isinstance(error, SendershiftError)
    assert error.code == "spf.bad-ip4"
    assert [(problem.code, problem.span) for problem in error.problems] == [
        ("spf.bad-ip4", (11, 14)),
        ("spf.unknown-mechanism", (15, 22)),
    ]
    assert (error.problems[1].line, error.problems[1].column) == (1, 16)
    assert error.questions == ()
    assert str(error).startswith("line 1, column 12: ")
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems and str(again) == str(error)


def test_missing_evidence_lists_the_questions() -> None:
    empty = Snapshot.from_json('{ "format": "sendershift-snapshot/1", "answers": [] }')
    with pytest.raises(MissingEvidenceError) as caught:
        empty.policy("a.example")
    assert isinstance(caught.value, LookupError)
    assert [(question.name, question.type) for question in caught.value.questions] == [("a.example", "TXT")]
    assert caught.value.problems == () and caught.value.code is None


def test_problems_of_a_file_have_their_place_in_it() -> None:
    text = '{ "format": "sendershift-snapshot/1",\n "answers": [{ "name": "a..b", "type": "TXT" }] }'
    with pytest.raises(InvalidError) as caught:
        Snapshot.from_json(text)
    assert caught.value.code == "name.empty-label"
    assert caught.value.problems[0].line == 2


def test_operations_are_those_of_the_core() -> None:
    assert "spf.check" in sendershift.operations()
    with pytest.raises(InvalidError) as caught:
        sendershift.call("spf.chek", {})
    assert caught.value.code == "wire.unknown-operation"


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("ip", lambda dns: dns.policy("a.example").result(5)),
        ("ip", lambda dns: spf.check(dns, 5, "u@a.example")),
        ("mail_from", lambda dns: spf.check(dns, "192.0.2.1", 5)),
        ("helo", lambda dns: spf.check(dns, "192.0.2.1", "\u00e9@a.example", helo=object())),
        ("reserve", lambda dns: spf.compact(dns, "a.example", reserve="two")),
        ("keep", lambda dns: spf.compact(dns, "a.example", keep="b.example")),
        ("keep", lambda dns: spf.compact(dns, "a.example", keep=["b.example", 5])),
        ("subject", lambda dns: spf.cost(dns, 5)),
        ("subject", lambda dns: dns.policy(None)),
        ("dkim", lambda dns: dmarc.evaluate(dns, "a.example", dkim=5)),
        ("dns", lambda dns: sendershift._native.Policy(5, "a.example")),
        ("networks", lambda dns: AddressSet("192.0.2.0/24")),
        ("networks", lambda dns: AddressSet([5])),
        ("networks", lambda dns: AddressSet(5)),
        ("networks", lambda dns: AddressSet(ip_network("2001:db8::/32"))),
        ("operation", lambda dns: sendershift.call(5, {})),
        ("progress", lambda dns: sendershift.call("name.parse", {"name": "a"}, progress=5)),
    ],
)
def test_a_wrong_type_names_the_argument(
    dns: Snapshot, argument: str, wrong: Callable[[Snapshot], object]
) -> None:
    with pytest.raises(TypeError, match=f"'{argument}'"):
        wrong(dns)


def test_wrong_values_are_told_by_the_core(dns: Snapshot) -> None:
    for code, wrong in [
        ("net.bad-address", lambda: spf.check(dns, "192.0.2", "u@a.example")),
        ("net.bad-address", lambda: dns.policy("a.example").result("192.0.2")),
        ("net.host-bits", lambda: AddressSet(["192.0.2.1/24"])),
        ("spf.unknown-profile", lambda: dns.policy("a.example").under("postfix")),
        ("spf.unknown-result", lambda: dns.policy("a.example").always("passed")),
        ("spf.needs-domain", lambda: dns.policy("v=spf1 mx -all")),
    ]:
        with pytest.raises(InvalidError) as caught:
            wrong()
        assert caught.value.code == code


def test_a_wrong_type_in_a_text_is_told_with_all_problems() -> None:
    text = '{"format":"sendershift-snapshot/1","closed":5,"answers":7}'
    with pytest.raises(InvalidError) as caught:
        Snapshot.from_json(text)
    told = [(problem.code, problem.span) for problem in caught.value.problems]
    assert told == [("document.wrong-type", (44, 45)), ("document.wrong-type", (56, 57))]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dns.json"
    path.write_bytes(b"ab\xff")
    for read in (Snapshot.from_files, Snapshot.from_file, Plan.from_file, Proof.from_file, AddressSet.from_file):
        with pytest.raises(InvalidError, match="dns.json.*octet 2") as caught:
            read(path)
        assert (caught.value.code, caught.value.file) == ("file.not-utf8", str(path))
        assert len(caught.value.problems) == 1
    with pytest.raises(TypeError, match="'path'"):
        Snapshot.from_file(5)
    with pytest.raises(FileNotFoundError):
        Plan.from_file(tmp_path / "nowhere")


def test_what_is_wrong_in_a_file_names_it(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"format":"sendershift-snapshot/1","answers":[]}')
    bad.write_text('{"format":"sendershift-snapshot/1","closed":5,"answers":[]}')
    with pytest.raises(InvalidError) as caught:
        Snapshot.from_file(bad)
    assert caught.value.file == str(bad) and caught.value.__notes__ == [f"in the file {bad}"]
    with pytest.raises(InvalidError, match="bad.json") as caught:
        Snapshot.from_files(good, bad)
    told = [(problem.argument, problem.span) for problem in caught.value.problems]
    assert told == [(str(bad), (44, 45))]
    with pytest.raises(InvalidError) as caught:
        Migration.from_file(bad)
    assert caught.value.file == str(bad)
    with pytest.raises(InvalidError) as caught:
        AddressSet.from_file(bad)
    assert caught.value.file == str(bad) and caught.value.code == "document.missing-key"


@pytest.mark.parametrize(
    ("argument", "without"),
    [
        ("text", lambda dns: Snapshot.from_json(None)),
        ("text", lambda dns: Migration.from_toml(None)),
        ("record", lambda dns: spf.parse(None)),
        ("record", lambda dns: dmarc.parse(None)),
        ("record", lambda dns: dkim.parse(5)),
        ("dns", lambda dns: spf.check(None, "192.0.2.1", "u@a.example")),
        ("dns", lambda dns: spf.check(dns.to_json(), "192.0.2.1", "u@a.example")),
        ("dns", lambda dns: spf.cost_many(dns.to_json(), [])),
        ("dns", lambda dns: Policy(dns.to_json(), "a.example")),
        ("ip", lambda dns: spf.check(dns, None, "u@a.example")),
        ("mail_from", lambda dns: spf.check(dns, "192.0.2.1", None)),
        ("author_domain", lambda dns: dmarc.check(dns, None)),
        ("author_domain", lambda dns: dmarc.evaluate(dns, 5)),
        ("before", lambda dns: domain.drift(None, dns)),
        ("domain", lambda dns: domain.lint(dns, None)),
        ("right_dns", lambda dns: spf.diff(dns, "a.example", "b.example", right_dns=dns.to_json())),
        ("other", lambda dns: dns.policy("a.example").diff("a.example")),
        ("receiver", lambda dns: dns.policy("a.example").under(None)),
        ("spf", lambda dns: dmarc.check(dns, "a.example", spf="x")),
        ("spf", lambda dns: dmarc.check(dns, "a.example", spf=())),
        ("dkim", lambda dns: dmarc.check(dns, "a.example", dkim=("a.example", "pass"))),
        ("type", lambda dns: dns.answer("a.example", None)),
        ("document", lambda dns: sendershift.call("spf.parse", {"record": b"v=spf1"})),
        ("now", lambda dns: Plan.from_file(QUALYS_PLAN).prove("today")),
        ("evidence", lambda dns: Migration.from_file(QUALYS / "migration.toml").plan("today")),
        ("domain", lambda dns: dns.policy("a.example", domain=5)),
        ("receiver", lambda dns: spf.check_many(dns, None, receiver=5)),
        ("receiver", lambda dns: spf.cost_many(dns, None, receiver=5)),
        ("result", lambda dns: dns.policy("a.example").always(None)),
        ("result", lambda dns: dns.policy("a.example").intended().sometimes(5)),
    ],
)
def test_what_is_needed_is_named(dns: Snapshot, argument: str, without: Callable[[Snapshot], object]) -> None:
    with pytest.raises(TypeError, match=f"'{argument}'"):
        without(dns)


def test_places_are_those_of_what_was_given(dns: Snapshot) -> None:
    record, place = "v=spf1 ip4:192.0.2.300 -all", (11, 22)
    for read in (
        lambda: spf.parse(record),
        lambda: dns.policy(record),
        lambda: spf.cost(dns, record, domain="a.example"),
        lambda: spf.compact(dns, record, domain="a.example"),
        lambda: spf.diff(dns, "a.example", record),
        lambda: spf.diff(dns, spf.parse("v=spf1 -all"), record, right_dns=dns),
    ):
        with pytest.raises(InvalidError) as caught:
            read()
        assert [(problem.code, problem.span) for problem in caught.value.problems] == [("spf.bad-ip4", place)]
        assert (caught.value.problems[0].line, caught.value.problems[0].column) == (1, 12)
    for argument, length, wrong in [
        ("receiver", 8, lambda: spf.check(dns, "192.0.2.1", "\u00e9@a.example", receiver="no-s\u00fcch")),
        ("type", 3, lambda: dns.answer("a.example", "FOO")),
        ("author_domain", 4, lambda: dmarc.check(dns, "a..b")),
        ("domain", 4, lambda: dns.policy("v=spf1 -all", "a..b")),
        ("keep", 4, lambda: spf.compact(dns, "a.example", keep=["b.example", "a..b"])),
    ]:
        with pytest.raises(InvalidError) as caught:
            wrong()
        (problem,) = caught.value.problems
        assert problem.argument == argument
        if argument != "domain":
            assert problem.span == (0, length), argument
    with pytest.raises(InvalidError) as caught:
        spf.compact(dns, "a.example", reserve=-1)
    assert [(problem.argument, problem.span) for problem in caught.value.problems] == [("reserve", None)]


def test_documents_that_are_none(dns: Snapshot) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    round_trip: list[object] = []
    round_trip.append(round_trip)
    for code, wrong in [
        ("json.syntax", lambda: Proof.from_json("{")),
        ("document.wrong-type", lambda: Proof.from_json("[]")),
        ("document.missing-key", lambda: Proof.from_json("{}")),
        ("json.syntax", lambda: Proof.from_json("[" * 100_000)),
        ("json.syntax", lambda: Proof.from_dict({"format": deep})),
        ("json.syntax", lambda: Proof.from_dict({"format": round_trip})),
        ("json.syntax", lambda: spf.check(dns, deep, "u@a.example")),
        ("json.syntax", lambda: spf.check(dns, 10**5000, "u@a.example")),
        ("document.missing-key", lambda: SpfRecord.from_dict({})),
        ("json.syntax", lambda: SpfRecord.from_json("v=spf1")),
        ("document.missing-key", lambda: Policy.from_dict({})),
        ("document.missing-key", lambda: AddressSet.from_dict({})),
        ("json.syntax", lambda: AddressSet.from_json("")),
        ("document.wrong-type", lambda: AddressSet.from_json('{"networks":[5]}')),
        ("json.not-utf8", lambda: spf.parse("v=spf1 \ud800")),
        ("json.not-utf8", lambda: Snapshot.from_json("\ud800")),
        ("json.not-utf8", lambda: dns.policy("\ud800")),
        ("json.not-utf8", lambda: dns.policy("a.example").under("\ud800")),
        ("json.not-utf8", lambda: sendershift.call("spf.parse", '{"record":"\ud800"}')),
        ("json.not-utf8", lambda: Proof.from_json('"\ud800"')),
        ("net.bad-address", lambda: dns.policy("a.example").result("\ud800")),
        ("net.mapped", lambda: AddressSet(["::ffff:192.0.2.0/120"])),
    ]:
        with pytest.raises(InvalidError) as caught:
            wrong()
        assert caught.value.code == code and caught.value.problems[0].code == code
        assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_places_in_a_text_that_stands_in_a_file_name_it(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    given: list[tuple[Any, dict[str, str], str]] = [
        (SpfRecord, {"record": "v=spf1 x"}, "record"),
        (Migration, {"format": "sendershift-migration/1", "migration": "titel = 1"}, "migration"),
    ]
    for cls, document, argument in given:
        path.write_text(json.dumps(document), "utf-8")
        with pytest.raises(InvalidError, match=f"in `{argument}`: line 1") as caught:
            cls.from_file(path)
        assert {problem.argument for problem in caught.value.problems} == {argument} and caught.value.file == str(path)


def test_wrong_types_name_the_argument(dns: Snapshot) -> None:
    for call, argument in [
        (lambda: Plan.from_json(5), "text"),
        (lambda: Proof.from_json(5), "text"),
        (lambda: Policy.from_json(5), "text"),
        (lambda: Snapshot.from_dict(5), "data"),
        (lambda: Proof.from_dict([]), "data"),
        (lambda: dmarc.check(dns, "a.example", dkim=5), "dkim"),
        (lambda: dmarc.check(dns, "a.example", dkim="a.example"), "dkim"),
        (lambda: spf.compact(dns, "a.example", keep=np.array(["b.example"])), "keep"),
        (lambda: sendershift.call("spf.parse", 5), "document"),
        (lambda: Results(dns.policy("a.example"), "pyspf", intended=True), "receiver"),
    ]:
        with pytest.raises(TypeError, match=f"argument '{argument}'"):
            call()
    with pytest.raises(InvalidError) as caught:
        dmarc.check(dns, "bad domain")
    assert caught.value.problems[0].argument == "author_domain"


def test_a_key_that_stands_twice_is_no_answer() -> None:
    """One reader takes the first value, another one the last (RFC 8259 section 4)."""
    records = '"records":["v=spf1 -all"],"records":["v=spf1 +all"]'
    answers = f'[{{"name":"a.example","type":"TXT",{records}}}]'
    evidence = f'{{"format":"sendershift-snapshot/1","closed":true,"answers":{answers}}}'
    drift = '{"format":"sendershift-drift/1","changes":[{"name":"a","name":"b"}],"not_compared":[]}'
    given: list[tuple[Any, str, str]] = [
        (Policy, f'{{"dns":{evidence},"subject":"a.example"}}', '"records":["v=spf1 +all"]'),
        (Drift, drift, '"name":"b"'),
        (SpfRecord, '{"record":"v=spf1 -all","record":"v=spf1 +all"}', '"record":"v=spf1 +all"'),
    ]
    for cls, text, second in given:
        with pytest.raises(InvalidError) as caught:
            cls.from_json(text)
        (problem,) = caught.value.problems
        assert problem.code == "document.duplicate-key"
        assert problem.span is not None and problem.span[0] == text.index(second)


def test_answers_have_what_they_have_to_have(dns: Snapshot, tmp_path: Path) -> None:
    proof = Plan.from_file(QUALYS_PLAN).prove()
    for wrong, key in [
        (lambda: Drift.from_json('{"format":"sendershift-drift/1","chnges":[1],"not_compared":[]}'), "changes"),
        (lambda: Proof.from_dict({k: v for k, v in proof.to_dict().items() if k != "not_judged"}), "not_judged"),
    ]:
        with pytest.raises(InvalidError, match=f"`{key}`") as caught:
            wrong()
        assert caught.value.code == "document.missing-key"
    huge = {**proof.to_dict(), "huge": 0}
    with pytest.raises(InvalidError) as caught:
        Proof.from_json(json.dumps(huge).replace('"huge": 0', '"huge": 1' + "0" * 5000))
    assert caught.value.code == "json.syntax"
    # RFC 8259 section 8.1: who reads may pass over a byte order mark.
    path = tmp_path / "proof.json"
    path.write_text("\ufeff" + proof.to_json(), "utf-8")
    assert Proof.from_file(path) == Proof.from_json("\ufeff" + proof.to_json()) == proof
    cost = spf.cost(dns, "a.example")
    assert cost.unknowns == tuple(cost.to_dict()["unknowns"])


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Plan(), "`Plan.from_file` or `Plan.from_json`"),
        (lambda: Proof({"verdict": "safe"}), "`Proof.from_file`"),
        (lambda: Snapshot("dns.json"), "`Snapshot.from_file`"),
        (lambda: Migration(title="Move"), "`Migration.from_toml`"),
        (lambda: SpfRecord("v=spf1 -all"), "`SpfRecord.parse`"),
        (lambda: sendershift.Step(), "the operations of sendershift"),
        (lambda: sendershift.Results(5), "`Policy.under`"),
        (lambda: InvalidError("x"), "'document'"),
        (lambda: MissingEvidenceError("{}"), "'document'"),
    ],
)
def test_objects_are_made_by_what_makes_them(made: Callable[[], object], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        made()


def test_several_problems_of_several_texts() -> None:
    with pytest.raises(InvalidError) as caught:
        Snapshot.merge("@ IN A 192.0.2.1", '{"format":"sendershift-snapshot/1","answers":7}')
    named = {problem.argument for problem in caught.value.problems}
    assert named == {"parts[0]", "parts[1]"}
