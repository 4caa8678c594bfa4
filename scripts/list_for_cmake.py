"""Writes the lists of files in the CMakeLists.txt of the packages and modules anew.

python scripts/list_for_cmake.py
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("pcl_core", "PCLLib", "PCLPretrain")


def main() -> None:
    """Writes the lists of all folders."""
    for name in FOLDERS:
        folder = ROOT / name
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        lists = {
            "SCRIPTS": [path for path in files if path.suffix == ".py"],
            "RESOURCES": [path for path in files if path.suffix != ".py" and path.name != "CMakeLists.txt"],
        }
        cmake = folder / "CMakeLists.txt"
        text = cmake.read_text(encoding="utf-8")
        for what, paths in lists.items():
            lines = "".join(f"  {path.as_posix()}\n" for path in paths)
            text = re.sub(rf"(set\(MODULE_PYTHON_{what}\n).*?(  \))", rf"\g<1>{lines}\g<2>", text, count=1, flags=re.DOTALL)
        cmake.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
