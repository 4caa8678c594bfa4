"""What is listed must be there: CMake's lists, the requirements, the description for the extensions index, the icons."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("pcl_core", "PCLLib", "PCLPretrain", "PCLSegmentation")


def listed(folder: str, what: str) -> list[str]:
    text = (ROOT / folder / "CMakeLists.txt").read_text()
    found = re.search(rf"set\(MODULE_PYTHON_{what}\n(.*?)\s*\)", text, re.DOTALL)
    assert found, f"{folder}/CMakeLists.txt has no list of {what}"
    return found.group(1).replace("${MODULE_NAME}", folder).split()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_script_is_listed_once_and_is_there(folder):
    there = sorted(str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.py"))
    assert sorted(listed(folder, "SCRIPTS")) == there


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_resource_is_listed_once_and_is_there(folder):
    there = sorted(
        str(path.relative_to(ROOT / folder))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "CMakeLists.txt"
    )
    assert sorted(listed(folder, "RESOURCES")) == there


@pytest.mark.parametrize("folder", ["pcl_core", "PCLLib"])
def test_shared_packages_are_installed_in_folders_of_their_own(folder):
    text = (ROOT / folder / "CMakeLists.txt").read_text()
    assert f"set(MODULE_NAME {folder})" in text
    assert "WITH_SUBDIR" in text


def test_all_folders_are_built():
    assert re.findall(r"add_subdirectory\((\w+)\)", (ROOT / "CMakeLists.txt").read_text()) == list(FOLDERS)


def test_the_index_and_cmake_agree():
    cmake = (ROOT / "CMakeLists.txt").read_text()
    (name,) = re.findall(r"project\((\w+)\)", cmake)
    index = json.loads((ROOT / f"{name}.json").read_text())
    assert {"$schema", "category", "scm_url"} <= index.keys()
    (depends,) = re.findall(r'set\(EXTENSION_DEPENDS "(.*)"\)', cmake)
    assert index["build_dependencies"] == depends.split()
    assert f'set(EXTENSION_CATEGORY "{index["category"]}")' in cmake
    (repository,) = re.findall(r'set\(EXTENSION_REPOSITORY "(.*)"\)', cmake)
    assert index["scm_url"] == f"https://github.com/{repository}.git"
    assert index["tier"] in (1, 3, 5)


def test_pictures_of_the_extension_are_there():
    cmake = (ROOT / "CMakeLists.txt").read_text()
    pictures = re.findall(r"\$\{EXTENSION_RAW\}/([\w/.]+)", cmake)
    assert len(pictures) >= 4
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture


ICONS = ["PCL.png", *(f"{name}/Resources/Icons/{name}.png" for name in ("PCLPretrain", "PCLSegmentation"))]


@pytest.mark.parametrize("path", ICONS)
def test_icons_have_the_usual_size(path):
    data = (ROOT / path).read_bytes()
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (128, 128)


def names(lines) -> dict[str, str]:
    found = (re.match(r"([\w-]+)(.*)", line) for line in lines if line.strip() and not line.startswith("#"))
    return {one.group(1): one.group(2).strip() for one in found if one}


def test_requirements_have_the_versions_of_pyproject():
    required = names((ROOT / "PCLLib" / "Resources" / "requirements.txt").read_text().splitlines())
    project = names(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    assert required.items() <= project.items()


def test_requirements_are_what_scanning_training_and_segmenting_import():
    code = (
        "import sys, pcl_core.cli, pcl_core.commands.scan, pcl_core.volumes.nifti, pcl_core.commands.pretrain, "
        "pcl_core.commands.finetune, pcl_core.commands.segment, pcl_core.commands.devices; print(*sorted(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    imported = set(done.stdout.split())
    project = names(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    as_module = {"scikit-image": "skimage"}
    needed = {name for name in project if as_module.get(name, name) in imported}
    required = names((ROOT / "PCLLib" / "Resources" / "requirements.txt").read_text().splitlines())
    assert needed - {"numpy", "SimpleITK"} == set(required), "NumPy and SimpleITK are Slicer's own"
