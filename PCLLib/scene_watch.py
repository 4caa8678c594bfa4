"""Tells when volumes and segmentations come, go or change, once after a short pause."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from PCLLib.signals import Signal

_PAUSE_MS = 300


class SceneWatch:
    """Watches the scene and every segmentation in it.

    Signals:
        changed: something that cases depend on has changed.
    """

    def __init__(self) -> None:
        self.changed = Signal[[]]()
        self._observed: list[tuple[Any, int]] = []
        self._segmentations: dict[str, list[tuple[Any, int]]] = {}
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._tell)

    def start(self) -> None:
        """Watches from now on."""
        if not self._observed:
            scene = slicer.mrmlScene
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
                self._observed.append((scene, scene.AddObserver(event, self._happened)))
        self._watch_segmentations()
        self._happened()

    def stop(self) -> None:
        """Watches no more."""
        self._pause.stop()
        for watched, tag in [*self._observed, *(one for tags in self._segmentations.values() for one in tags)]:
            watched.RemoveObserver(tag)
        self._observed = []
        self._segmentations = {}

    def _happened(self, *_arguments: object) -> None:
        self._pause.start()

    def _tell(self) -> None:
        self._watch_segmentations()
        self.changed.emit()

    def _watch_segmentations(self) -> None:
        nodes = {node.GetID(): node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")}
        for gone in self._segmentations.keys() - nodes.keys():
            for watched, tag in self._segmentations.pop(gone):
                watched.RemoveObserver(tag)
        for name in nodes.keys() - self._segmentations.keys():
            segmentation = nodes[name].GetSegmentation()
            kind = slicer.vtkSegmentation
            events = (kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified, kind.SourceRepresentationModified)
            tags = [(segmentation, segmentation.AddObserver(event, self._happened)) for event in events]
            reference = nodes[name].AddObserver(slicer.vtkMRMLNode.ReferenceModifiedEvent, self._happened)
            self._segmentations[name] = [*tags, (nodes[name], reference)]
