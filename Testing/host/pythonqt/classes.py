"""Makes the classes that modules see from the kept listing and PySide6's (or a stand-in's) class of the same name."""

import keyword
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from Testing.host.api.kept import ClassApi
from Testing.host.pythonqt.adjustments import ADJUSTED, CONSTRUCTED
from Testing.host.pythonqt.enums import enum_members
from Testing.host.pythonqt.members import BenchGapError, MethodMember, PropertyMember, SignalMember, call
from Testing.host.pythonqt.overrides import derived_pyside_class
from Testing.host.pythonqt.wrapping import DERIVED, Wrapper, registry

#: PythonQt lets Python 2's and 3's reserved words be called with an underscore behind them.
RESERVED = {"exec", "print"}
#: In unlisted.json: all enums of the class.
ALL = "*"


def make_class(api: ClassApi, pyside_class: type, base: type[Wrapper]) -> type[Wrapper]:
    """The class `api.name` for modules; it shows what `api` and `base` list, and nothing else."""
    namespace: dict[str, Any] = {"_pyside_class": pyside_class, "__init__": _construct, "__setattr__": _set_attribute}
    namespace.update(_flat_enums(api, pyside_class))
    namespace.update({name: SignalMember(api.name, name, api.signatures) for name in api.signals})
    namespace.update(_methods(api))
    namespace.update({name: PropertyMember(api.name, name) for name in api.properties if name not in namespace})
    if api.name == "QObject":
        namespace["__getattr__"] = _dynamic_property
    made = type(api.name, (base,), namespace)
    registry[api.name] = made
    return made


def _methods(api: ClassApi) -> Iterator[tuple[str, MethodMember]]:
    for name in api.methods:
        member = MethodMember(api.name, name, adjusted(api.name, name))
        yield name, member
        if keyword.iskeyword(name) or name in RESERVED:
            yield name + "_", member


def adjusted(owner: str, name: str) -> Callable[..., Any] | None:
    """The method as it is in Slicer where PySide6 differs."""
    return ADJUSTED.get((owner, name)) or ADJUSTED.get(("*", name))


def _flat_enums(api: ClassApi, pyside_class: type) -> Mapping[str, Any]:
    listed = {value for values in api.enums.values() for value in values}
    return {name: value for name, value in enum_members(pyside_class) if name in listed or ALL in api.enums}


def _construct(self: Wrapper, *arguments: Any, **unwanted: Any) -> None:
    if unwanted:
        raise TypeError(f"{type(self).__name__}: PythonQt's constructors take no keyword arguments: {', '.join(unwanted)}")
    kind = next(base for base in type(self).__mro__ if registry.get(base.__name__) is base)
    if kind._pyside_class is None:
        raise BenchGapError(f"{kind.__name__} exists in Slicer, but the bench cannot make one yet")
    construct = CONSTRUCTED.get(kind.__name__)
    if construct is not None and type(self) is kind:
        object.__setattr__(self, "_raw", construct(*arguments))
        return
    pyside_class = kind._pyside_class if type(self) is kind else derived_pyside_class(type(self), kind)
    raw = call(pyside_class, arguments)
    object.__setattr__(self, "_raw", raw)
    if type(self) is not kind:
        setattr(raw, DERIVED, self)


def _set_attribute(self: Wrapper, name: str, value: Any) -> None:
    kind = type(self)
    found = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    setter = getattr(type(found), "__set__", None)
    if setter is not None:
        setter(found, self, value)
        return
    raw = self.__dict__.get("_raw")
    if raw is not None and hasattr(raw, "dynamicPropertyNames") and name in dynamic_properties(raw):
        raw.setProperty(name, value)
        return
    if registry.get(kind.__name__) is kind:
        raise AttributeError(
            f"Attribute '{name}' does not exist and creation of new attributes on {kind.__name__} is not allowed"
        )
    object.__setattr__(self, name, value)


def _dynamic_property(self: Wrapper, name: str) -> Any:
    raw = self.__dict__.get("_raw")
    if raw is not None and not name.startswith("_") and name in dynamic_properties(raw):
        return raw.property(name)
    raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


def dynamic_properties(raw: Any) -> list[str]:
    """Names of the properties that were set on the object without being declared, such as SlicerParameterName."""
    return [bytes(name.data()).decode() for name in raw.dynamicPropertyNames()]
