"""Tells when volumes and segmentations come, go, change or are shown: after a pause, a longer one while a person draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk

from PCLLib.signals import Signal

_PAUSE_MS = 300
# Reading what was drawn takes its time in large volumes; nobody who draws wants to feel it.
_QUIET_MS = 2000


class SceneWatch:
    """Watches the scene, every segmentation in it, the voxels of its volumes, and which of them the slice views show.

    Signals:
        changed: something that cases depend on has changed.
    """

    def __init__(self) -> None:
        self.changed = Signal[[]]()
        self._observed: list[tuple[Any, int]] = []
        self._nodes: dict[str, list[tuple[Any, int]]] = {}
        self._backgrounds: dict[str, str | None] = {}
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        # A person who draws, and volumes of a sequence that plays, change all the time: that is told when it rests.
        self._quiet = qt.QTimer()
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_QUIET_MS)
        self._quiet.timeout.connect(self._tell)

    @property
    def waiting(self) -> bool:
        """Whether something has changed that was not told yet."""
        return bool(self._pause.active or self._quiet.active)

    def start(self) -> None:
        """Watches from now on."""
        if not self._observed:
            scene = slicer.mrmlScene
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
                self._observed.append((scene, scene.AddObserver(event, self._happened)))
        self._watch_nodes()
        self._happened()

    def stop(self) -> None:
        """Watches no more."""
        self._pause.stop()
        self._quiet.stop()
        for watched, tag in [*self._observed, *(one for tags in self._nodes.values() for one in tags)]:
            watched.RemoveObserver(tag)
        self._observed = []
        self._nodes = {}

    def _happened(self, *_arguments: object) -> None:
        self._pause.start()

    def _often(self, *_arguments: object) -> None:
        """Every stroke, every frame of a sequence that plays; a segment that is renamed cannot be told from a stroke."""
        self._quiet.start()

    def _tell(self) -> None:
        self._pause.stop()
        self._quiet.stop()
        self._watch_nodes()
        self.changed.emit()

    def _watch_nodes(self) -> None:
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        nodes = {node.GetID(): node for node in (*segmentations, *volumes, *views)}
        for gone in self._nodes.keys() - nodes.keys():
            for watched, tag in self._nodes.pop(gone):
                watched.RemoveObserver(tag)
        for name in nodes.keys() - self._nodes.keys():
            self._nodes[name] = [(one, one.AddObserver(event, then)) for one, event, then in self._of(nodes[name])]

    def _of(self, node: Any) -> list[tuple[Any, int, Callable[..., None]]]:
        """What is observed of a node, the events, and what then happens."""
        if node.IsA("vtkMRMLSegmentationNode"):
            return self._of_segmentation(node)
        if node.IsA("vtkMRMLSliceCompositeNode"):
            self._backgrounds[node.GetID()] = node.GetBackgroundVolumeID()
            return [(node, vtk.vtkCommand.ModifiedEvent, self._view_changed)]
        return [(node, node.ImageDataModifiedEvent, self._often)]

    def _view_changed(self, view: Any, _event: str) -> None:
        """A view has another opacity, colour or volume; only the last matters."""
        background = view.GetBackgroundVolumeID()
        if background != self._backgrounds.get(view.GetID()):
            self._backgrounds[view.GetID()] = background
            self._happened()

    def _of_segmentation(self, node: Any) -> list[tuple[Any, int, Callable[..., None]]]:
        segmentation, kind = node.GetSegmentation(), slicer.vtkSegmentation
        rare = [(segmentation, event, self._happened) for event in (kind.SegmentAdded, kind.SegmentRemoved)]
        often = [(segmentation, event, self._often) for event in (kind.SegmentModified, kind.SourceRepresentationModified)]
        return [*rare, *often, (node, slicer.vtkMRMLNode.ReferenceModifiedEvent, self._happened)]
