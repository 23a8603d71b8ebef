"""What can be wrong: the errors of the core as exceptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from . import _native
from ._record import Record


class Problem(Record):
    """One thing that is wrong with a text. The code is stable, the message may change."""

    code: str
    message: str
    span: tuple[int, int] | None
    """Where, in octets of the text that was given: the first, and the one after the last."""
    line: int | None
    column: int | None
    help: str | None
    """What to do about it."""
    argument: str | None
    """The argument that the text was given as, where there are several."""


class Question(Record):
    """A question to DNS."""

    name: str
    type: str


class SendershiftError(Exception):
    """Why an operation has no answer."""

    file: str | None = None
    """The file that was read, where it was one."""

    def __init__(self, document: str) -> None:
        super().__init__(document)
        try:
            data = json.loads(document)
            self.message: str = data["message"]
        except (TypeError, ValueError, KeyError):
            raise TypeError(f"argument 'document': {type(self).__name__} is raised by sendershift, with an error document") from None
        self.code: str | None = data.get("code")
        """The code of the first problem; none where evidence is missing."""
        self.problems: tuple[Problem, ...] = tuple(map(Problem._of, data.get("problems", ())))
        """Every problem that was found, in the order of the text."""
        self.questions: tuple[Question, ...] = tuple(map(Question._of, data.get("questions", ())))
        """The questions to DNS that are still open."""

    def __str__(self) -> str:
        # What others wrote into a text forges no line, and tells a terminal nothing.
        return _native.line(self.message)


class InvalidError(SendershiftError, ValueError):
    """The input is not what it should be: `problems` has every problem that was found."""

    @classmethod
    def _of(cls, code: str, message: str) -> Self:
        """What the core is never shown, as it is no text."""
        problem = {"code": code, "message": message}
        return cls(json.dumps({"code": code, "message": message, "problems": [problem]}))


@contextmanager
def within(argument: str) -> Iterator[None]:
    """What is wrong has its place in a text that stands in the one that was given."""
    try:
        yield
    except InvalidError as error:
        problems = [{**problem.to_dict(), "argument": problem.argument or argument} for problem in error.problems]
        told = {"code": error.code, "message": f"in `{argument}`: {error.message}", "problems": problems}
        raise type(error)(json.dumps(told)) from None


class MissingEvidenceError(SendershiftError, LookupError):
    """The evidence does not hold answers that are needed: ask all `questions`, add the answers, call again."""
