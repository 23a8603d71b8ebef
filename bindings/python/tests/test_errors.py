"""What is wrong is told by exceptions, with what the core says."""

# mypy: disable-error-code="arg-type, list-item, no-untyped-call"
# pyright: reportArgumentType=false

from __future__ import annotations

import pickle
from collections.abc import Callable

from pathlib import Path

import pytest

import sendershift
from sendershift import AddressSet, InvalidError, MissingEvidenceError, SendershiftError, Snapshot, dmarc, spf


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
        ("snapshot", lambda dns: sendershift._native.Policy.compile(5, "a.example")),
        ("networks", lambda dns: AddressSet("192.0.2.0/24")),
        ("networks", lambda dns: AddressSet([5])),
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
    path.write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError) as caught:
        Snapshot.from_files(path)
    assert caught.value.__notes__ == [f"in the file {path}"]
