"""Classes that a module derives from Qt's: Qt calls the methods that the module overrides."""

from collections.abc import Callable
from typing import Any

from Testing.host.pythonqt.wrapping import DERIVED, Wrapper, unwrap, wrap


def derived_pyside_class(kind: type[Wrapper], base: type[Wrapper]) -> type:
    """A PySide6 class whose virtual methods are those of `kind`, a class derived from `base` in Python."""
    if base._pyside_class is None:
        raise TypeError(f"{base.__name__} cannot be derived from on the bench")
    overridden = {
        name: _forward(name)
        for derived in kind.__mro__[: kind.__mro__.index(base)]
        for name, value in vars(derived).items()
        if callable(value) and not name.startswith("__") and callable(getattr(base._pyside_class, name, None))
    }
    return type(base._pyside_class.__name__, (base._pyside_class,), overridden)


def _forward(name: str) -> Callable[..., Any]:
    def forwarded(raw: Any, *arguments: Any) -> Any:
        wrapper = getattr(raw, DERIVED, None)
        if wrapper is None:  # Qt calls already while the object is being made
            return getattr(super(type(raw), raw), name)(*arguments)
        return unwrap(getattr(wrapper, name)(*(wrap(argument) for argument in arguments)))

    return forwarded
