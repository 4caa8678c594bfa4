"""qMRMLNodeComboBox: a list of the scene's nodes that follows the scene."""

from typing import Any

import vtk
from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.qmrml_base import SceneObservations
from Testing.host.stand_ins.stored import computed, parent_among, stored

ACTION = QtCore.Qt.ItemDataRole.UserRole + 1


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Lists the nodes of some types; below them it offers to create, rename and delete.

    Without `noneEnabled` the first node that fits is chosen by itself.
    """

    currentNodeChanged = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    currentNodeRenamed = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    nodeAdded = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)
    nodeAboutToBeRemoved = QtCore.Signal(object)
    nodeAboutToBeEdited = QtCore.Signal(object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._scene: Any = None
        self._node_id = ""
        self._attributes: dict[tuple[str, str], Any] = {}
        self._labels: dict[str, str] = {}
        self._of_scene, self._of_nodes = SceneObservations(self), SceneObservations(self)
        self._box = QtWidgets.QComboBox(self)
        self._box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._box.setMinimumContentsLength(8)
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._chosen_by_user)
        self.setFocusProxy(self._box)
        self._list()

    # What is listed

    def setMRMLScene(self, scene: Any) -> None:
        self._of_scene.clear()
        self._scene = scene
        if scene is not None:
            for event in (scene.NodeRemovedEvent, scene.EndBatchProcessEvent, scene.EndCloseEvent, scene.EndImportEvent):
                self._of_scene.add(scene, event, self._list)
            self._of_scene.add(scene, scene.NodeAddedEvent, self._node_added)
            self._of_scene.add(scene, scene.NodeAboutToBeRemovedEvent, self._node_leaves)
        self._list()

    def _node_added(self, node: Any) -> None:
        if self._fits(node):
            self._list()
            self.nodeAdded.emit(node)

    def _node_leaves(self, node: Any) -> None:
        if self._fits(node):
            self.nodeAboutToBeRemoved.emit(node)

    def _fits(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        if any(node.IsA(kind) for kind in self.hideChildNodeTypes):
            return False
        exact = not self.showChildNodeTypes
        kinds = [kind for kind in self.nodeTypes if (node.GetClassName() == kind if exact else node.IsA(kind))]
        return any(self._has_attributes(node, kind) for kind in kinds)

    def _has_attributes(self, node: Any, kind: str) -> bool:
        wanted = {name: value for (owner, name), value in self._attributes.items() if owner == kind}
        return all(
            node.GetAttribute(name) is not None if value is None else node.GetAttribute(name) == str(value)
            for name, value in wanted.items()
        )

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = (self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes()))
        return [node for node in nodes if self._fits(node)]

    def _list(self) -> None:
        nodes = self._nodes()
        self._of_nodes.clear()
        for node in nodes:
            self._of_nodes.add(node, vtk.vtkCommand.ModifiedEvent, self._node_modified)
        blocker = QtCore.QSignalBlocker(self._box)
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        for node in nodes:
            self._box.addItem(node.GetName(), node.GetID())
        self._offer_actions(bool(nodes))
        blocker.unblock()
        ids = [node.GetID() for node in nodes]
        kept = self._node_id if self._node_id in ids else ""
        self._show(kept or ("" if self.noneEnabled or not ids else ids[0]))

    def _offer_actions(self, has_nodes: bool) -> None:
        offered = []
        if self.addEnabled:
            offered += [(f"Create new {self.nodeTypeLabel(kind)}", ("create", kind)) for kind in self.nodeTypes]
        if self.renameEnabled and has_nodes:
            offered.append((f"Rename current {self._first_label()}", ("rename", "")))
        if self.removeEnabled and has_nodes:
            offered.append((f"Delete current {self._first_label()}", ("delete", "")))
        if offered and self._box.count():
            self._box.insertSeparator(self._box.count())
        for text, action in offered:
            self._box.addItem(text)
            self._box.setItemData(self._box.count() - 1, action, ACTION)

    def _first_label(self) -> str:
        return self.nodeTypeLabel(self.nodeTypes[0]) if self.nodeTypes else "node"

    def _node_modified(self, node: Any) -> None:
        row = self._box.findData(node.GetID())
        if row >= 0 and self._box.itemText(row) != node.GetName():
            self._box.setItemText(row, node.GetName())
            if node.GetID() == self._node_id:
                self.currentNodeRenamed.emit(node.GetName())

    # What is chosen

    def _show(self, node_id: str) -> None:
        blocker = QtCore.QSignalBlocker(self._box)
        self._box.setCurrentIndex(self._box.findData(node_id))
        blocker.unblock()
        if node_id != self._node_id:
            self._node_id = node_id
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(node_id)

    def _chosen_by_user(self, row: int) -> None:
        action = self._box.itemData(row, ACTION)
        if action is None:
            self._show(self._box.itemData(row) or "")
            self.nodeActivated.emit(self.currentNode())
            return
        self._show_again()
        kind, node_type = action
        if kind == "create":
            self.addNode(node_type)
        elif kind == "rename":
            self.renameCurrentNode()
        else:
            self.removeCurrentNode()

    def _show_again(self) -> None:
        blocker = QtCore.QSignalBlocker(self._box)
        self._box.setCurrentIndex(self._box.findData(self._node_id))
        blocker.unblock()

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._node_id) if self._scene is not None and self._node_id else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:
        wanted = node_id or ""
        if not wanted or self._box.findData(wanted) >= 0:
            self._show(wanted)

    def setCurrentNodeIndex(self, index: int) -> None:
        nodes = self._nodes()
        if 0 <= index < len(nodes):
            self._show(nodes[index].GetID())

    # What a user can do with nodes

    def addNode(self, node_type: str = "") -> Any:
        kind = node_type or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)  # the scene's factory hands over a reference that Python does not count
        node.SetName(self._scene.GenerateUniqueName(self.baseName or node.GetNodeTagName()))
        for (owner, name), value in self._attributes.items():
            if owner == kind:
                node.SetAttribute(name, "" if value is None else str(value))
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        if self.currentNode() is not None:
            self._scene.RemoveNode(self.currentNode())

    def renameCurrentNode(self) -> None:
        node = self.currentNode()
        name, accepted = QtWidgets.QInputDialog.getText(self, "Rename", "New name:", text=node.GetName())
        if accepted and name:
            node.SetName(name)

    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        self._attributes[node_type, name] = value
        self._list()

    def removeAttribute(self, node_type: str, name: str) -> None:
        self._attributes.pop((node_type, name), None)
        self._list()

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def nodeTypeLabel(self, node_type: str) -> str:
        return self._labels.get(node_type, node_type.removeprefix("vtkMRML").removesuffix("Node"))

    def setNodeTypeLabel(self, label: str, node_type: str) -> None:
        self._labels[node_type] = label
        self._list()

    def mrmlScene(self) -> Any:
        return self._scene

    currentNodeID = computed(str, lambda self: self._node_id, setCurrentNodeID)
    currentNodeId = computed(str, lambda self: self._node_id, setCurrentNodeID)
    nodeTypes = stored("nodeTypes", "QStringList", list, lambda self: self._list())
    hideChildNodeTypes = stored("hideChildNodeTypes", "QStringList", list, lambda self: self._list())
    showHidden = stored("showHidden", bool, False, lambda self: self._list())
    showChildNodeTypes = stored("showChildNodeTypes", bool, True, lambda self: self._list())
    noneEnabled = stored("noneEnabled", bool, False, lambda self: self._list())
    noneDisplay = stored("noneDisplay", str, "None", lambda self: self._list())
    addEnabled = stored("addEnabled", bool, True, lambda self: self._list())
    removeEnabled = stored("removeEnabled", bool, True, lambda self: self._list())
    renameEnabled = stored("renameEnabled", bool, False, lambda self: self._list())
    editEnabled = stored("editEnabled", bool, False, lambda self: self._list())
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    baseName = stored("baseName", str, "")
    interactionNodeSingletonTag = stored("interactionNodeSingletonTag", str, "")
    sizeAdjustPolicy = stored("sizeAdjustPolicy", int, 0)
