"""Tells when volumes and segmentations come, go or change: after a short pause, after a longer one while a person draws."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from PCLLib.signals import Signal

_PAUSE_MS = 300
# Reading what was drawn takes its time in large volumes; nobody who draws wants to feel it.
_QUIET_MS = 2000


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
        self._watch_segmentations()
        self._happened()

    def stop(self) -> None:
        """Watches no more."""
        self._pause.stop()
        self._quiet.stop()
        for watched, tag in [*self._observed, *(one for tags in self._segmentations.values() for one in tags)]:
            watched.RemoveObserver(tag)
        self._observed = []
        self._segmentations = {}

    def _happened(self, *_arguments: object) -> None:
        self._pause.start()

    def _drawn(self, *_arguments: object) -> None:
        """Every stroke; a segment that is renamed cannot be told from it."""
        self._quiet.start()

    def _tell(self) -> None:
        self._pause.stop()
        self._quiet.stop()
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
            events = dict.fromkeys((kind.SegmentAdded, kind.SegmentRemoved), self._happened)
            events |= dict.fromkeys((kind.SegmentModified, kind.SourceRepresentationModified), self._drawn)
            tags = [(segmentation, segmentation.AddObserver(event, then)) for event, then in events.items()]
            reference = nodes[name].AddObserver(slicer.vtkMRMLNode.ReferenceModifiedEvent, self._happened)
            self._segmentations[name] = [*tags, (nodes[name], reference)]
