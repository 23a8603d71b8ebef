"""What the documentation shows runs as it stands there, in the root of the repository."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from .conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "bindings" / "python" / "README.md"]
EXAMPLES = sorted((ROOT / "bindings" / "python" / "examples").glob("*.py"))


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    found = blocks(page)
    assert found
    for block in found:
        exec(compile(block, str(page), "exec"), {})
    assert capsys.readouterr().out.startswith("verdict: safe\n")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(path), run_name="__main__")
    told = capsys.readouterr().out
    assert "The plan is safe." in told and "\n  p3   reversible\n" in told
    days = re.findall(r"^\d{4}-\d\d-\d\d", told, re.MULTILINE)
    assert days and days == sorted(days)


def test_there_are_examples() -> None:
    assert EXAMPLES
