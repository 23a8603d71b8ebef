"""Runs a script and writes it with what it prints and draws as a page: `render.py SCRIPT PAGE`.

The script is in cells, as notebooks are (`# %%`, `# %% [markdown]`). Its figures become pictures, in a folder beside the page.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot as plt  # noqa: E402

# The same picture in the same octets, with its words as words.
matplotlib.rcParams.update({"svg.hashsalt": "sendershift", "svg.fonttype": "none"})


def render(script: Path, written: Path) -> None:
    pictures = written.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    names: dict[str, object] = {"__name__": "__main__"}
    page = []
    for head, body in re.findall(r"^# %%(.*)\n((?:(?!# %%).*\n?)*)", script.read_text("utf-8"), re.MULTILINE):
        if "markdown" in head:
            page.append(re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE))
            continue
        page.append(f"```python\n{body.strip()}\n```")
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(body, str(script), "exec"), names)
        for number in plt.get_fignums():
            figure = plt.figure(number)
            label = figure.get_label()
            figure.savefig(pictures / f"{label}.svg", metadata={"Date": None, "Creator": None})
            page.append(f"![{figure.get_suptitle()}]({pictures.name}/{label}.svg)")
        plt.close("all")
        if printed.getvalue():
            page.append(f"```text\n{printed.getvalue().rstrip()}\n```")
    written.write_text("\n\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]), Path(sys.argv[2]))
