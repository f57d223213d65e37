"""List the rows of docs/requirements.md with the tests that show each, or "none"."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def rows() -> dict[str, str]:
    """Row id -> its name, in the order of the document."""
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    return {match[1]: match[2].strip() for match in re.finditer(r"^\| ([AB]-[A-Z]?\d+) \| ([^|]+)\|", text, re.M)}


def shown_by() -> dict[str, list[str]]:
    """Row id -> the tests marked with it, as path::name."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            for decorator in node.decorator_list:
                for ident in _ids(decorator):
                    found.setdefault(ident, []).append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _ids(decorator: ast.expr) -> list[str]:
    """The rows a decorator names: itself a mark, or with marks on its parameters."""
    return [argument.value for node in ast.walk(decorator)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req"
            for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]


def main() -> int:
    tests = shown_by()
    names = rows()
    for ident, name in names.items():
        print(f"{ident:7} {name[:44]:44} {', '.join(tests.get(ident, ['none']))}")
    unknown = sorted(tests.keys() - names.keys())
    if unknown:
        print(f"tests name rows that do not exist: {', '.join(unknown)}", file=sys.stderr)
        return 1
    print(f"{sum(ident in tests for ident in names)} of {len(names)} rows are shown")
    return 0


if __name__ == "__main__":
    sys.exit(main())
