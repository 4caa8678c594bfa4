"""Reads .ui files with the stand-ins in place of CTK's and Slicer's widgets."""

from functools import reduce
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from Testing.host.stand_ins.all import PREFIXES, stand_ins

REAL_TYPES = {"enum", "set"}


class QUiLoader(QtUiTools.QUiLoader):
    """Qt's loader; values of CTK's and Slicer's own enums are set here, since Qt's knows only C++ enums."""

    def createWidget(self, class_name: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> QtWidgets.QWidget:
        made = stand_ins().get(class_name)
        if made is None:
            if class_name.startswith(PREFIXES):
                raise RuntimeError(f"The bench has no stand-in for {class_name} ('{name}'): see Testing/host/README.md")
            return super().createWidget(class_name, parent, name)
        widget: QtWidgets.QWidget = made(parent)
        widget.setObjectName(name)
        return widget

    def load(self, device: Any, parentWidget: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        """Reads the whole file.

        Raises:
            RuntimeError: it is not a .ui file, or names a class without a stand-in.
        """
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        later = list(_take_enums(root))
        _refuse_unknown_classes(root)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parentWidget)
        if widget is None:
            raise RuntimeError(f"The .ui file cannot be read: {self.errorString()}")
        for object_name, property_name, value in later:
            found = widget if widget.objectName() == object_name else widget.findChild(QtCore.QObject, object_name)
            setattr(found, property_name, _enum_value(type(found), value))
        return widget


def _refuse_unknown_classes(root: ElementTree.Element) -> None:
    known = stand_ins()
    for element in root.iter("widget"):
        name = element.get("class", "")
        if name.startswith(PREFIXES) and name not in known:
            raise RuntimeError(f"The bench has no stand-in for {name} ('{element.get('name')}'): see Testing/host/README.md")


def _take_enums(root: ElementTree.Element) -> Any:
    for element in root.iter("widget"):
        if not element.get("class", "").startswith(PREFIXES):
            continue
        own = stand_ins().get(element.get("class", ""), object)
        for child in list(element.findall("property")):
            value = next((part for part in child if part.tag in REAL_TYPES), None)
            if value is not None and isinstance(getattr(own, child.get("name", ""), None), QtCore.Property):
                element.remove(child)
                yield element.get("name"), child.get("name"), value.text or ""


def _enum_value(kind: type, text: str) -> int:
    return reduce(lambda total, part: total | _one_value(kind, part.strip()), text.split("|"), 0)


def _one_value(kind: type, text: str) -> int:
    name = text.rpartition("::")[2]
    for owner in (kind, QtCore.Qt, QtWidgets.QFrame, QtWidgets.QSlider, QtWidgets.QComboBox, QtWidgets.QFileDialog):
        for candidate in vars(owner).values():
            members = getattr(candidate, "__members__", {})
            if name in members:
                return int(members[name].value)
    raise RuntimeError(f"{kind.__name__} has no enum value {text}")
