"""The vectors of the repository: what each operation answers, as in Rust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sendershift
from sendershift import (
    Answer,
    Compacted,
    Course,
    Difference,
    DkimKey,
    DmarcCheck,
    DmarcRecord,
    DmarcVerdict,
    Drift,
    InvalidError,
    Migration,
    MissingEvidenceError,
    Plan,
    Proof,
    Report,
    Snapshot,
    SpfCheck,
    SpfCost,
    SpfRecord,
    Values,
)
from sendershift._record import Record, keys

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors"


def cases() -> list[Any]:
    found = []
    for path in sorted(VECTORS.rglob("*.json")):
        file = json.loads(path.read_text("utf-8"))
        name = path.relative_to(VECTORS).with_suffix("")
        for case in file["cases"]:
            found.append(pytest.param(file["op"], case, id=f"{file['op']}/{name}/{case['name']}"))
    return found


def test_there_are_vectors() -> None:
    assert len(cases()) > 500


@pytest.mark.parametrize(("operation", "case"), cases())
def test_vector(operation: str, case: dict[str, Any]) -> None:
    # Places are octets of the text, so it has to be the one that Rust reads.
    text = json.dumps(case["input"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if "error" in case:
        judge_error(operation, text, case["error"])
        return
    output = sendershift.call(operation, text)
    if "ok" in case:
        assert output == case["ok"]
        return
    assert output["format"] == "sendershift-lint/1"
    assert len(output["findings"]) == len(case["findings"])
    for told, expected in zip(output["findings"], case["findings"], strict=True):
        assert {key: told[key] for key in expected} == expected


ANSWERS: dict[str, type[Record]] = {
    "dkim.lint": Report,
    "dkim.parse": DkimKey,
    "dmarc.check": DmarcCheck,
    "dmarc.evaluate": DmarcVerdict,
    "dmarc.lint": Report,
    "dmarc.parse": DmarcRecord,
    "dns.answer": Answer,
    "dns.snapshot": Snapshot,
    "domain.lint": Report,
    "drift": Drift,
    "migration.read": Migration,
    "migration.values": Values,
    "plan.course": Course,
    "plan.read": Plan,
    "prove": Proof,
    "spf.check": SpfCheck,
    "spf.compact": Compacted,
    "spf.cost": SpfCost,
    "spf.diff": Difference,
    "spf.lint": Report,
    "spf.parse": SpfRecord,
}
"""What the operations answer. Others, such as `name.parse`, have no class."""


def test_every_key_of_every_document_has_an_attribute() -> None:
    """What is an attribute is an annotation, which type checkers read: there are no other stubs of these classes."""
    missing: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for parameters in cases():
        operation, case = parameters.values
        if operation not in ANSWERS or "error" in case:
            continue
        seen.add(operation)
        look(ANSWERS[operation], sendershift.call(operation, case["input"]), missing)
    assert seen == set(ANSWERS)
    assert not missing


def look(cls: type[Record], document: dict[str, Any], missing: set[tuple[str, str]]) -> None:
    value = cls._of(document)
    names = {name.rstrip("_"): name for name in keys(cls)}
    missing |= {(cls.__name__, key) for key in document.keys() - names.keys() - {"format"}}
    for name in names.values():
        part = getattr(value, name)
        for item in part if isinstance(part, tuple) else (part,):
            if isinstance(item, Record):
                look(type(item), item.to_dict(), missing)


def judge_error(operation: str, text: str, expected: dict[str, Any]) -> None:
    if "questions" in expected:
        with pytest.raises(MissingEvidenceError) as missing:
            sendershift.call(operation, text)
        assert [question.to_dict() for question in missing.value.questions] == expected["questions"]
        return
    with pytest.raises(InvalidError) as invalid:
        sendershift.call(operation, text)
    assert invalid.value.code == expected["code"] != "wire.unknown-operation"
    problems = expected.get("problems")
    if problems is None:
        return
    assert [problem.code for problem in invalid.value.problems] == [problem["code"] for problem in problems]
    for told, problem in zip(invalid.value.problems, problems, strict=True):
        if "span" in problem:
            assert told.span == tuple(problem["span"])
