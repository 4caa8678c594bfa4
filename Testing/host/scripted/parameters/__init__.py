"""slicer.parameterNodeWrapper: typed parameters that live in a script node of the scene and in the panel's widgets.

The values lie in the node as the real wrapper writes them, so that scenes can be exchanged: numbers and texts as text, True and
False, enums by name, paths as text, nodes as node references beside an empty parameter, lists as NAME_len, NAME_0, NAME_1, ...,
tuples as NAME_0, NAME_1, dictionaries as lists of tuples, alternatives of a union as NAME_<number of the type>, packs as
NAME.member.
"""

from Testing.host.scripted.parameters.connectors import Decimals, SingleStep
from Testing.host.scripted.parameters.packs import isParameterPack, nestedParameterNames, parameterPack
from Testing.host.scripted.parameters.validators import (
    Choice,
    Default,
    Exclude,
    IsInstance,
    Maximum,
    Minimum,
    NotNone,
    Validator,
    WithinRange,
)
from Testing.host.scripted.parameters.wrapper import (
    SlicerParameterNamePropertyName,
    findChildWidgetForParameter,
    isParameterNodeWrapper,
    parameterNodeWrapper,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "isParameterPack",
    "nestedParameterNames",
    "parameterNodeWrapper",
    "parameterPack",
]
