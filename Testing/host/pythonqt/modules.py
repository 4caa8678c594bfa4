"""The modules `qt` and `ctk`, and Slicer's widget classes, as Python modules import them."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from Testing.host.api.kept import ClassApi, kept_classes
from Testing.host.pythonqt.classes import make_class
from Testing.host.pythonqt.enums import enum_members
from Testing.host.pythonqt.wrapping import Wrapper, registry

PYSIDE_MODULES = (QtCore, QtGui, QtWidgets, QtUiTools)


class NamespaceModule(ModuleType):
    """A module that explains what it does not have."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"module '{self.__name__}' has no attribute '{name}' on the bench. If Slicer has it, add the class: "
            "Testing/host/README.md, 'Adding a class'."
        )


def make_classes(stand_ins: dict[str, type]) -> dict[str, type[Wrapper]]:
    """Makes the classes of the kept listing that PySide6 or `stand_ins` has, bases first."""
    listing = kept_classes()
    for name in listing:
        _make(name, listing, stand_ins)
    return dict(registry)


def _make(name: str, listing: Mapping[str, ClassApi], stand_ins: dict[str, type]) -> type[Wrapper] | None:
    if name in registry:
        return registry[name]
    pyside_class = stand_ins.get(name) or _pyside(name)
    if pyside_class is None:
        return None
    base: type[Wrapper] = Wrapper
    for ancestor in pyside_class.__mro__[1:]:
        if ancestor.__name__ in listing and _inherits(listing, name, ancestor.__name__):
            base = _make(ancestor.__name__, listing, stand_ins) or Wrapper
            break
    return make_class(listing[name], pyside_class, base)


def _inherits(listing: Mapping[str, ClassApi], name: str, ancestor: str) -> bool:
    """Whether the real class shows all that `ancestor` shows; a stand-in may be derived from something else."""
    api = listing[name]
    if ancestor == name:
        return False
    reached: str | None = api.beyond
    while reached is not None:
        if reached == ancestor:
            return True
        reached = listing[reached].beyond if reached in listing else None
    return listing[ancestor].beyond == api.beyond and listing[ancestor].names() <= api.names()


def _pyside(name: str) -> type | None:
    found = next((getattr(module, name) for module in PYSIDE_MODULES if hasattr(module, name)), None)
    return found if isinstance(found, type) else None


def qt_module(classes: dict[str, type[Wrapper]]) -> ModuleType:
    """The module `qt`."""
    module = NamespaceModule("qt", "Qt as PythonQt shows it, over PySide6.")
    for name, made in classes.items():
        if name.startswith("Q"):
            setattr(module, name, made)
    namespace = type("Qt", (), dict(enum_members(QtCore.Qt)))
    module.Qt = namespace  # type: ignore[attr-defined]  # modules take any attribute
    return module


def ctk_module(classes: dict[str, type[Wrapper]]) -> ModuleType:
    """The module `ctk`."""
    module = NamespaceModule("ctk", "Stand-ins for CTK's widgets.")
    for name, made in classes.items():
        if name.startswith("ctk"):
            setattr(module, name, made)
    return module
