"""Lists and dictionaries as parameters: changing them changes the node."""

from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any

import slicer

from Testing.host.scripted.parameters.formats import Format, TupleFormat


class ObservedList(MutableSequence[Any]):
    """A list that writes itself into the node when it is changed."""

    def __init__(self, node: Any, made: "ListFormat", name: str, values: list[Any]) -> None:
        self._node, self._format, self._name, self._values = node, made, name, values

    def _save(self, values: list[Any]) -> None:
        self._format.store(self._node, self._name, values)
        self._values = self._format.values(self._node, self._name)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        changed = list(self._values)
        changed[index] = value
        self._save(changed)

    def __delitem__(self, index: Any) -> None:
        changed = list(self._values)
        del changed[index]
        self._save(changed)

    def insert(self, index: int, value: Any) -> None:
        changed = list(self._values)
        changed.insert(index, value)
        self._save(changed)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, ObservedList) else other)

    __hash__ = None  # type: ignore[assignment]  # a list that changes has no hash

    def __repr__(self) -> str:
        return f"ObservedList({self._values})"


class ListFormat(Format):
    """NAME_len and the members by number."""

    def __init__(self, member: Format) -> None:
        self.member = member

    def default(self) -> list[Any]:
        return []

    def check(self, value: Any) -> None:
        for part in value:
            self.member.check(part)

    def has(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(f"{name}_len"))

    def _length(self, node: Any, name: str) -> int:
        return int(node.GetParameter(f"{name}_len")) if self.has(node, name) else 0

    def write(self, node: Any, name: str, value: Any) -> None:
        parts = list(value)
        with slicer.util.NodeModify(node):
            before = self._length(node, name)
            for index, part in enumerate(parts):
                self.member.write(node, f"{name}_{index}", part)
            node.SetParameter(f"{name}_len", str(len(parts)))
            for index in range(len(parts), before):
                self.member.remove(node, f"{name}_{index}")

    def values(self, node: Any, name: str) -> list[Any]:
        """The members as a plain list."""
        return [self.member.read(node, f"{name}_{index}") for index in range(self._length(node, name))]

    def read(self, node: Any, name: str) -> ObservedList:
        return ObservedList(node, self, name, self.values(node, name))

    def remove(self, node: Any, name: str) -> None:
        for index in range(self._length(node, name)):
            self.member.remove(node, f"{name}_{index}")
        node.UnsetParameter(f"{name}_len")


class ObservedDict(MutableMapping[Any, Any]):
    """A dictionary that writes itself into the node when it is changed."""

    def __init__(self, node: Any, made: "DictFormat", name: str, values: dict[Any, Any]) -> None:
        self._node, self._format, self._name, self._values = node, made, name, values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __getitem__(self, key: Any) -> Any:
        return self._values[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._format.store(self._node, self._name, {**self._values, key: value})
        self._values[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._values[key]
        self._format.store(self._node, self._name, self._values)

    def __repr__(self) -> str:
        return f"ObservedDict({self._values})"


class DictFormat(Format):
    """A list of tuples (key, value), in order."""

    def __init__(self, key: Format, value: Format) -> None:
        self._pairs = ListFormat(TupleFormat((key, value)))

    def default(self) -> dict[Any, Any]:
        return {}

    def check(self, value: Any) -> None:
        self._pairs.check(value.items())

    def has(self, node: Any, name: str) -> bool:
        return self._pairs.has(node, name)

    def write(self, node: Any, name: str, value: Any) -> None:
        self._pairs.write(node, name, value.items())

    def read(self, node: Any, name: str) -> ObservedDict:
        return ObservedDict(node, self, name, dict(self._pairs.values(node, name)))

    def remove(self, node: Any, name: str) -> None:
        self._pairs.remove(node, name)
