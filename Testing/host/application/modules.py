"""Which modules there are: Slicer's logics from the libraries, and scripted modules from their files."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer

from Testing.host.pythonqt.wrapping import wrap
from Testing.host.stand_ins.qslicer_modules import qSlicerLoadableModule, qSlicerScriptedLoadableModule

#: Module name -> class of its logic, where the libraries do not make one themselves.
OWN_LOGICS = {
    "Plots": "vtkSlicerPlotsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
}


def built_in(libraries: Any) -> Iterator[qSlicerLoadableModule]:
    """C++ modules with their real logics."""
    made = {
        "Colors": libraries.color_logic,
        "Data": libraries.data_logic,
        "Markups": libraries.markups_logic._logic,
        "Segmentations": libraries.segmentations_logic,
        "SubjectHierarchy": libraries.subject_hierarchy_logic,
        "Terminologies": libraries.terminologies_logic,
        "Volumes": libraries.volumes_logic,
    }
    for name, logic in made.items():
        yield qSlicerLoadableModule(name, logic)
    for name, class_name in OWN_LOGICS.items():
        yield qSlicerLoadableModule(name, libraries.register_module_logic(getattr(slicer, class_name)()))


def import_scripted(path: Path, add: Callable[[Any], None]) -> qSlicerScriptedLoadableModule:
    """Imports a module's file with only its own folder on sys.path.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: a file name that Slicer would not register.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no module file {path}")
    if path.stem.endswith("Test"):
        raise RuntimeError(f"Slicer does not register {path.name}: its name ends in Test")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} is not a Python file")
    source = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = source
    spec.loader.exec_module(source)
    module = qSlicerScriptedLoadableModule(path, source)
    module._instance = getattr(source, path.stem)(wrap(module))
    setattr(slicer.modules, path.stem + "Instance", module._instance)
    add(module)
    return module
