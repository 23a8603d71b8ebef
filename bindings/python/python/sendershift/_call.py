"""Operations of the core on Python values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from . import _native
from ._errors import InvalidError
from ._input import table, written
from ._record import Record

Progress: TypeAlias = Callable[[int], object]
"""Called now and then by long operations, with the number of mixes or drafts that they have looked at, which never falls. `False` ends
the work early, with what it has."""

R = TypeVar("R", bound=Record)

_EVIDENCE = frozenset({"dns", "right_dns", "earlier", "before", "after"})
"""The arguments that are snapshots: they have been read before, and are not read again."""

_NAMES = {"from": "author_domain"}
"""Arguments that have another name here."""


def call(operation: str, document: Mapping[str, Any] | str, *, progress: Progress | None = None) -> dict[str, Any]:
    """Carries out an operation of the core on a document, or on its text, and returns a document."""
    text = document if isinstance(document, str) else table("document", document)
    result: dict[str, Any] = json.loads(_native.run(operation, text, None, progress))
    return result


def ask(
    cls: type[R], operation: str, needed: Mapping[str, object], progress: Progress | None = None, /, **given: object
) -> R:
    """The answer of an operation as an object, for what it needs, and what is given beyond that; `None` is not given."""
    for key, value in needed.items():
        if value is None:
            raise TypeError(f"argument '{_named(key)}': expected a value, found None")
    arguments = {**needed, **{key: value for key, value in given.items() if value is not None}}
    read = [(key, evidence(value, key)) for key, value in arguments.items() if key in _EVIDENCE]
    others = (f'"{key}":{written(_named(key), value)}' for key, value in arguments.items() if key not in _EVIDENCE)
    try:
        answer = _native.run(operation, "{" + ",".join(others) + "}", read, progress)
    except InvalidError as error:
        first = error.problems[0]
        if first.code == "document.wrong-type" and first.argument is not None:
            raise TypeError(f"argument '{_named(first.argument)}': {first.message}") from None
        if any(problem.argument in _NAMES for problem in error.problems):
            problems = [{**problem.to_dict(), "argument": problem.argument and _named(problem.argument)} for problem in error.problems]
            raise InvalidError(json.dumps({"code": error.code, "message": error.message, "problems": problems})) from None
        raise
    return cls._of(json.loads(answer), answer)


def _named(key: str) -> str:
    return _NAMES.get(key, key)


def evidence(snapshot: Any, argument: str = "dns") -> _native.Evidence:
    """What was read of a snapshot."""
    if not hasattr(snapshot, "_evidence"):
        raise TypeError(f"argument '{argument}': expected a Snapshot, found '{type(snapshot).__name__}'")
    read: _native.Evidence = snapshot._evidence()
    return read
