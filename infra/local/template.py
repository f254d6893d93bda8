"""A CloudFormation template read and resolved as far as parameters and deployed resources tell."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types

from plumbline.domain.errors import InvalidInput, NotFound

type Json = Any
"""A template's value: nested dicts, lists and scalars, checked where it is used."""
type Lookup = Callable[[str, str], str]
"""Logical id and attribute ("" for Ref) of a resource to its value."""

_NO_VALUE = object()
_PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "plumbline-local",
    "AWS::NoValue": _NO_VALUE,
}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # see the import
    """YAML with CloudFormation's short forms, so that `!Ref X` reads as `{"Ref": "X"}`."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Json = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str) -> Json:
    """A template from YAML or JSON, with every intrinsic function in its long form."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags


def read(path: Path) -> Json:
    """A template from its file; NotFound where it was not built."""
    if not path.exists():
        raise NotFound(f"{path} is missing: run `plumbline up`, or `make build`")
    return parse(path.read_text())


def default_parameters(template: Mapping[str, Json]) -> dict[str, str]:
    """Parameters with their defaults."""
    declared = template.get("Parameters", {})
    return {name: str(spec.get("Default", "")) for name, spec in declared.items()}


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns intrinsic functions into values. What `lookup` is asked for is a resource, deployed or not."""

    template: Mapping[str, Json]
    parameters: Mapping[str, str]
    lookup: Lookup = lambda logical, attribute: f"{logical}.{attribute}" if attribute else logical

    def resolve(self, value: Json) -> Json:
        """The value with every intrinsic function in it resolved; members that are AWS::NoValue are left out."""
        match value:
            case dict() if len(value) == 1 and (name := next(iter(value))) in _FUNCTIONS:
                return _FUNCTIONS[name](self, value[name])
            case dict():
                return {k: r for k, v in value.items() if (r := self.resolve(v)) is not _NO_VALUE}
            case list():
                return [r for v in value if (r := self.resolve(v)) is not _NO_VALUE]
            case _:
                return value

    def holds(self, condition: str) -> bool:
        """Whether a named condition of the template is true."""
        return bool(self.resolve(self.template["Conditions"][condition]))

    def named(self, name: str) -> Json:
        """What `Ref` gives for a parameter, a pseudo parameter or a resource."""
        if name in self.parameters:
            return self.parameters[name]
        return _PSEUDO[name] if name in _PSEUDO else self.lookup(name, "")

    def attribute(self, value: Json) -> str:
        """What `GetAtt` gives."""
        logical, attribute = value.split(".", 1) if isinstance(value, str) else value
        return self.lookup(logical, attribute)

    def substituted(self, value: Json) -> str:
        """What `Sub` gives."""
        text, extra = (value, {}) if isinstance(value, str) else value
        own = {name: self.resolve(v) for name, v in extra.items()}

        def one(found: re.Match[str]) -> str:
            name = found[1]
            if name in own:
                return str(own[name])
            return self.attribute(name) if "." in name else str(self.named(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", one, text).replace("${!", "${")

    def mapped(self, value: Json) -> Json:
        """What `FindInMap` gives."""
        name, first, second = (self.resolve(v) for v in value)
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError as exc:
            raise InvalidInput(f"no {first}/{second} in the mapping {name}", field="template") from exc


_FUNCTIONS: dict[str, Callable[[Resolver, Json], Json]] = {
    "Ref": Resolver.named,
    "Condition": Resolver.holds,
    "Fn::GetAtt": Resolver.attribute,
    "Fn::Sub": Resolver.substituted,
    "Fn::FindInMap": Resolver.mapped,
    "Fn::If": lambda r, v: r.resolve(v[1] if r.holds(v[0]) else v[2]),
    "Fn::Equals": lambda r, v: str(r.resolve(v[0])) == str(r.resolve(v[1])),
    "Fn::Not": lambda r, v: not r.resolve(v[0]),
    "Fn::And": lambda r, v: all(r.resolve(c) for c in v),
    "Fn::Or": lambda r, v: any(r.resolve(c) for c in v),
    "Fn::Join": lambda r, v: v[0].join(str(part) for part in r.resolve(v[1])),
    "Fn::Select": lambda r, v: r.resolve(v[1])[int(r.resolve(v[0]))],
    "Fn::Split": lambda r, v: r.resolve(v[1]).split(v[0]),
}
