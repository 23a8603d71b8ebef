"""The tutorial in `docs` is what its script prints and draws."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .conftest import ROOT

FOLDER = ROOT / "bindings" / "python" / "tutorial"
PAGE = ROOT / "docs" / "tutorial-python.md"


def words(picture: Path) -> list[str]:
    """Where a line ends may differ between machines, and what is written at it may not."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))
    assert found
    return found


def test_the_page_is_current(tmp_path: Path) -> None:
    page = tmp_path / PAGE.name
    subprocess.run([sys.executable, FOLDER / "render.py", FOLDER / "split.py", page], cwd=ROOT, check=True)
    hint = "`cargo xtask tutorial` writes the page"
    assert page.read_text("utf-8") == PAGE.read_text("utf-8"), hint
    pictures = [path.name for path in sorted(PAGE.with_suffix("").iterdir())]
    assert pictures == ["timeline.svg", "tree.svg"]
    for name in pictures:
        assert words(page.with_suffix("") / name) == words(PAGE.with_suffix("") / name), hint
