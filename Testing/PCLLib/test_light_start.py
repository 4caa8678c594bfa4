"""What Slicer has to load when it starts, before anybody opens a module of this extension."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted((ROOT / "PCLLib").glob("*.py")),
    *(ROOT / name / f"{name}.py" for name in ("PCLPretrain", "PCLSegmentation")),
]
# What takes long to load, or is not there before it is installed.
HEAVY = ("torch", "SimpleITK", "nibabel", "scipy", "skimage", "matplotlib", "safetensors", "monai")


def imported_at_once(path: Path) -> set[str]:
    """The modules that a file imports when it is imported itself: not inside functions."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {node.module for node in body if isinstance(node, ast.ImportFrom) and node.module}
    return names | {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}


def test_loading_the_modules_loads_nothing_that_is_slow_or_may_be_missing():
    names = set().union(*(imported_at_once(path) for path in SOURCES))
    assert not {name for name in names if name.partition(".")[0] in HEAVY}
    light = sorted(name for name in names if name.partition(".")[0] == "pcl_core")
    assert len(light) > 10
    code = f"import sys, {', '.join(light)}\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
