"""Write docs/paper.md: every statement of the paper with its function, test and figure, at a small size.

.venv/bin/python scripts/build_paper_page.py
"""

from __future__ import annotations

from pathlib import Path

from simgauge.paper.statements import show_statements

TARGET = Path(__file__).parents[1] / "docs" / "paper.md"


def main() -> None:
    """Compute and write."""
    shown = show_statements()
    TARGET.write_text(shown.to_markdown(), encoding="utf-8")
    print(f"wrote {TARGET.name}: {shown!r}")


if __name__ == "__main__":
    main()
