"""Slicer loads the module from a checkout, and from the one folder into which it is built and installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trame_slicer", reason="the bench is not installed: make test does it")

ROOT = Path(__file__).parents[2]
TITLES = {"PCLPretrain": "PCL Pretrain", "PCLSegmentation": "PCL Segmentation"}
# A process of its own, since modules stay loaded in this one; it does not find the checkout by itself.
_LOAD = """
import sys
from pathlib import Path
name = sys.argv[4]
checkout, modules, folder = map(Path, sys.argv[1:4])
sys.path.append(str(checkout))
from Testing.host.application.host import start
host = start(folder, platform="offscreen")
sys.path.remove(str(checkout))
from Testing.host.application import modules as loading
import slicer
loading.import_scripted(modules / f"{name}.py", host.add_module)
slicer.util.selectModule(name)
import PCLLib
print("title", getattr(slicer.modules, name.lower()).title)
print("library", Path(PCLLib.__file__).parent)
print("heavy", [name for name in ("torch", "nibabel", "skimage", "safetensors", "matplotlib", "scipy") if name in sys.modules])
"""


def load(name: str, modules: Path, folder: Path) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _LOAD, str(ROOT), str(modules), str(folder), name],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0 or "title" in done.stdout, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("title", "library", "heavy")))


def built(folder: Path) -> Path:
    """What CMake's lists put into lib/Slicer-5.12/qt-scripted-modules: modules there, packages in folders of their own."""
    place = folder / "qt-scripted-modules"
    for name in ("pcl_core", "PCLLib", *TITLES):
        text = (ROOT / name / "CMakeLists.txt").read_text()
        below = place / name if "WITH_SUBDIR" in text else place
        for listed in re.findall(r"set\(MODULE_PYTHON_\w+\n(.*?)\s*\)", text, re.DOTALL):
            for path in listed.split():
                (below / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name / path, below / path)
    return place


@pytest.mark.parametrize("name", TITLES)
def test_a_checkout_is_loaded_and_imports_nothing_heavy(tmp_path, name):
    said = load(name, ROOT / name, tmp_path)
    assert said["title"] == TITLES[name]
    assert said["library"] == str(ROOT / "PCLLib")
    assert said["heavy"] == "[]"


@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.parametrize("name", TITLES)
def test_the_built_and_installed_folder_is_loaded_by_itself(tmp_path, name):
    place = built(tmp_path)
    said = load(name, place, tmp_path)
    assert said["title"] == TITLES[name]
    assert said["library"] == str(place / "PCLLib")
