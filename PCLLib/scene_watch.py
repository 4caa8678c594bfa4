"""Tells when volumes and segmentations come, go or change, once after a short pause."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from PCLLib.signals import Signal

_PAUSE_MS = 300


class SceneWatch:
    """Watches the scene, every segmentation in it, and the voxels of its volumes.

    Signals:
        changed: something that cases depend on has changed.
    """

    def __init__(self) -> None:
        self.changed = Signal[[]]()
        self._observed: list[tuple[Any, int]] = []
        self._nodes: dict[str, list[tuple[Any, int]]] = {}
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        # Volumes of a sequence that plays change all the time: that is told when it rests, and holds up nothing else.
        self._rest = qt.QTimer()
        self._rest.setSingleShot(True)
        self._rest.setInterval(_PAUSE_MS)
        self._rest.timeout.connect(self._tell)

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
        self._rest.stop()
        for watched, tag in [*self._observed, *(one for tags in self._nodes.values() for one in tags)]:
            watched.RemoveObserver(tag)
        self._observed = []
        self._nodes = {}

    def _happened(self, *_arguments: object) -> None:
        self._pause.start()

    def _image_changed(self, *_arguments: object) -> None:
        self._rest.start()

    def _tell(self) -> None:
        self._watch_nodes()
        self.changed.emit()

    def _watch_nodes(self) -> None:
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        nodes = {node.GetID(): node for node in (*segmentations, *volumes)}
        for gone in self._nodes.keys() - nodes.keys():
            for watched, tag in self._nodes.pop(gone):
                watched.RemoveObserver(tag)
        for name in nodes.keys() - self._nodes.keys():
            node = nodes[name]
            if node.IsA("vtkMRMLSegmentationNode"):
                self._nodes[name] = [(one, one.AddObserver(event, self._happened)) for one, event in _what_matters(node)]
            else:
                self._nodes[name] = [(node, node.AddObserver(node.ImageDataModifiedEvent, self._image_changed))]


def _what_matters(node: Any) -> list[tuple[Any, int]]:
    """What is observed of a segmentation node, and the events."""
    kind = slicer.vtkSegmentation
    events = (kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified, kind.SourceRepresentationModified)
    reference = (node, slicer.vtkMRMLNode.ReferenceModifiedEvent)
    return [*((node.GetSegmentation(), event) for event in events), reference]
