"""Reads and writes nodes and scenes with the storage nodes of Slicer's own libraries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import vtk
from PySide6 import QtCore

#: Kind of file -> class of the node that holds it, endings of file names.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "SegmentationFile": ("vtkMRMLSegmentationNode", (".seg.nrrd", ".seg.nhdr", ".seg.vtm")),
    "VolumeFile": (
        "vtkMRMLVolumeNode",
        (".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz", ".hdr", ".tif", ".png", ".jpg", ".dcm", ".vtk"),
    ),
    "ModelFile": ("vtkMRMLModelNode", (".vtp", ".stl", ".ply", ".obj")),
    "TableFile": ("vtkMRMLTableNode", (".tsv", ".csv")),
    "TextFile": ("vtkMRMLTextNode", (".txt", ".json")),
    "MarkupsFile": ("vtkMRMLMarkupsNode", (".mrk.json", ".fcsv")),
    "TransformFile": ("vtkMRMLTransformNode", (".h5", ".tfm")),
    "ColorTableFile": ("vtkMRMLColorTableNode", (".ctbl",)),
    "SceneFile": ("", (".mrml", ".mrb")),
}
NEW_NODES = {
    "SegmentationFile": "vtkMRMLSegmentationNode",
    "ModelFile": "vtkMRMLModelNode",
    "TableFile": "vtkMRMLTableNode",
    "TextFile": "vtkMRMLTextNode",
    "MarkupsFile": "vtkMRMLMarkupsFiducialNode",
    "TransformFile": "vtkMRMLTransformNode",
    "ColorTableFile": "vtkMRMLColorTableNode",
}


class qSlicerCoreIOManager(QtCore.QObject):
    """slicer.app.coreIOManager(): slicer.util.loadVolume, saveNode and their like call it."""

    newFileLoaded = QtCore.Signal(object)
    fileSaved = QtCore.Signal(object)

    def __init__(self, libraries: Any, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._libraries = libraries
        self._scene = libraries.scene

    def fileType(self, file_name: str) -> str:
        lower = Path(file_name).name.lower()
        fits = [(len(e), kind) for kind, (_, endings) in KINDS.items() for e in endings if lower.endswith(e)]
        return max(fits)[1] if fits else "NoFile"

    def fileWriterFileType(self, node: Any) -> str:
        return next((kind for kind, (name, _) in KINDS.items() if name and node.IsA(name)), "NoFile")

    def extractKnownExtension(self, file_name: str, node: Any) -> str:
        lower = Path(file_name).name.lower()
        endings = (e for _, known in KINDS.values() for e in known if lower.endswith(e))
        return max(endings, key=len, default="")

    def fileWriterExtensions(self, node: Any) -> list[str]:
        kind = self.fileWriterFileType(node)
        return [f"{kind} (*{ending})" for ending in KINDS.get(kind, ("", ()))[1]]

    def loadNodes(self, kind: str, properties: dict[str, Any], loaded: Any = None, messages: Any = None) -> bool:
        file_name = str(properties["fileName"])
        if not Path(file_name).exists():
            _say(messages, f"{file_name} does not exist")
            return False
        readers: dict[str, Callable[..., Any]] = {"VolumeFile": self._load_volume, "SceneFile": self._load_scene}
        node = readers.get(kind, self._load_by_storage)(kind, file_name, properties, messages)
        if node is None:
            return False
        if loaded is not None and node is not True:
            loaded.AddItem(node)
        self.newFileLoaded.emit(properties)
        return True

    def _load_volume(self, kind: str, file_name: str, properties: dict[str, Any], messages: Any) -> Any:
        options = (1 if properties.get("labelmap") else 0) | (8 if properties.get("singleFile") else 0)
        name = properties.get("name") or _stem(file_name)
        node = self._libraries.volumes_logic.AddArchetypeVolume(file_name, name, options)
        if node is None:
            _say(messages, f"{file_name} could not be read as a volume")
            return None
        if properties.get("show", True):
            selection = self._libraries.app_logic.GetSelectionNode()
            if properties.get("labelmap"):
                selection.SetActiveLabelVolumeID(node.GetID())
            else:
                selection.SetActiveVolumeID(node.GetID())
            self._libraries.app_logic.PropagateVolumeSelection()
        return node

    def _load_scene(self, kind: str, file_name: str, properties: dict[str, Any], messages: Any) -> Any:
        clear = properties.get("clear", False)
        if file_name.lower().endswith(".mrb"):
            return True if self._scene.ReadFromMRB(file_name, clear) else None
        self._scene.SetURL(file_name)
        return True if (self._scene.Connect() if clear else self._scene.Import()) else None

    def _load_by_storage(self, kind: str, file_name: str, properties: dict[str, Any], messages: Any) -> Any:
        if kind not in NEW_NODES:
            _say(messages, f"The bench cannot load {file_name}")
            return None
        name = self._scene.GenerateUniqueName(properties.get("name") or _stem(file_name))
        node = self._scene.AddNewNodeByClass(NEW_NODES[kind], name)
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(file_name)
        if not storage.ReadData(node):
            self._scene.RemoveNode(node)
            _say(messages, f"{file_name} could not be read")
            return None
        if hasattr(node, "CreateDefaultDisplayNodes"):
            node.CreateDefaultDisplayNodes()
        return node

    def loadScene(self, file_name: str, clear: bool = True) -> bool:
        return self.loadNodes("SceneFile", {"fileName": file_name, "clear": clear})

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        file_name = str(properties["fileName"])
        if kind == "SceneFile":
            saved = self._save_scene(file_name)
        else:
            node = self._scene.GetNodeByID(properties["nodeID"])
            saved = self._save_node(node, file_name, properties, messages)
        if saved:
            self.fileSaved.emit(properties)
        return saved

    def _save_node(self, node: Any, file_name: str, properties: dict[str, Any], messages: Any) -> bool:
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode(file_name)
        storage = node.GetStorageNode()
        if not storage.SupportedFileType(file_name):
            _say(messages, f"{Path(file_name).name} is not a kind of file for {node.GetClassName()}")
            return False
        storage.SetFileName(file_name)
        if "useCompression" in properties:
            storage.SetUseCompression(bool(properties["useCompression"]))
        return bool(storage.WriteData(node))

    def _save_scene(self, file_name: str) -> bool:
        if file_name.lower().endswith(".mrb"):
            return bool(self._scene.WriteToMRB(file_name))
        if file_name.lower().endswith(".mrml"):
            self._scene.SetURL(file_name)
            return bool(self._scene.Commit())
        return bool(self._scene.SaveSceneToSlicerDataBundleDirectory(file_name))

    def saveScene(self, file_name: str, screen_shot: Any = None) -> bool:
        return self.saveNodes("SceneFile", {"fileName": file_name})

    def addDefaultStorageNodes(self) -> None:
        for index in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(index)
            if node.IsA("vtkMRMLStorableNode") and node.GetSaveWithScene() and node.GetStorageNode() is None:
                node.AddDefaultStorageNode()


class qSlicerIOManager(qSlicerCoreIOManager):
    """slicer.app.ioManager()."""


def _stem(file_name: str) -> str:
    name = Path(file_name).name
    endings = sorted((e for _, known in KINDS.values() for e in known), key=len, reverse=True)
    ending = next((e for e in endings if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


def _say(messages: Any, text: str) -> None:
    if messages is not None:
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
