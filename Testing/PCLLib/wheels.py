"""Tiny real wheels and interpreters of their own, so that pip really installs without an index."""

from __future__ import annotations

import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str, needs: Iterable[str] = (), source: str = "value = 42\n") -> None:
    """A wheel that holds one module."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))


def make_python(folder: Path, borrowed: Iterable[str] = ()) -> Path:
    """An interpreter with pip and, of the packages here, the borrowed ones only."""
    venv.create(folder, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    for name in ("pip", *borrowed):  # a pip of its own would take ten seconds
        files = metadata.distribution(name).files or ()
        for top in {path.parts[0] for path in files if ".." not in path.parts}:
            where = Path(str(metadata.distribution(name).locate_file(top)))
            if where.exists() and not (site / top).exists():
                (site / top).symlink_to(where)
    return folder / "bin" / "python"
