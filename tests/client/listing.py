"""Write the listing of the public Python API: `python -m tests.client.listing`.

The listing has a line for every public name of the packages that programs may build on, in the
order of the names: a function with its signature, a class with its bases, and its members with
types and defaults. It is read from the source, not from imported modules, so it is the same with
every version of Python. What changes in it changes for users of the package.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("api.txt")

# A package with `__all__` has its names; one without has those of its modules. The modules of the
# second kind are named here because their package does not import them.
PACKAGES = ("wintun_api.client", "wintun_api.schemas", "wintun_api.testing")
MODULES = ("wintun_api.testing.plugin", "wintun_api.testing.scapy")

# Methods that are part of an interface although their names begin with an underscore.
SPECIAL = frozenset(
    f"__{name}__"
    for name in (
        *("init", "call", "enter", "exit", "aenter", "aexit", "await", "iter", "next"),
        *("aiter", "anext", "len", "getitem", "contains", "bool", "eq"),
    )
)
# What makes another thing of a function.
DECORATORS = frozenset({"asynccontextmanager", "contextmanager", "fixture", "deprecated"})
FIELD_CALLS = frozenset({"Field", "field"})
UNTOLD = frozenset({"model_config"})  # what the machinery of pydantic needs
# A class with this in its docstring names what makes its objects; users do not call `__init__`.
MADE_ELSEWHERE = "gives it."

Definition = griffe.Module | griffe.Class | griffe.Function | griffe.Attribute


def source() -> griffe.Module:
    """Return the package as its source has it; nothing is imported."""
    loader = griffe.GriffeLoader(search_paths=[ROOT], allow_inspection=False)
    package = loader.load("wintun_api")
    assert isinstance(package, griffe.Module)
    loader.resolve_aliases(implicit=True, external=False)
    return package


def definition(item: griffe.Object | griffe.Alias) -> Definition | None:
    """Return what a name stands for; None if it is defined outside of the package."""
    try:
        target = item.final_target if isinstance(item, griffe.Alias) else item
    except griffe.AliasResolutionError:
        return None
    assert isinstance(target, griffe.Module | griffe.Class | griffe.Function | griffe.Attribute)
    return target


def public(package: griffe.Module) -> Iterator[tuple[str, Definition]]:
    """Yield every public name with what it stands for, members of classes not included."""
    for path in (*PACKAGES, *MODULES):
        try:
            module = package[path.removeprefix("wintun_api.")]
        except KeyError:
            continue
        assert isinstance(module, griffe.Module)
        yield from _of_module(module)


def _of_module(module: griffe.Module) -> Iterator[tuple[str, Definition]]:
    if module.exports is not None:
        for name in map(str, module.exports):
            found = definition(module.members[name])
            assert found is not None, f"{module.path}.{name} is not of this package"
            yield f"{module.path}.{name}", found
        return
    for name, item in module.members.items():
        if name.startswith("_") or item.is_alias:
            continue
        found = definition(item)
        if isinstance(found, griffe.Module):
            yield from _of_module(found)
        elif found is not None and _is_for_users(found):
            yield f"{module.path}.{name}", found


def _is_for_users(item: Definition) -> bool:
    """Return whether a name is one that users write: not a hook of pytest, nor a constant."""
    match item:
        case griffe.Function():
            return not item.name.startswith("pytest_")
        case griffe.Attribute():
            return str(item.annotation) == "TypeAlias" or str(item.value).startswith("Annotated[")
    return True


def members(item: griffe.Class) -> Iterator[tuple[str, griffe.Function | griffe.Attribute]]:
    """Yield the public members of a class, in the order of their names.

    Those of base classes that have no lines of their own are included.
    """
    found: dict[str, griffe.Function | griffe.Attribute] = {}
    for one in (*reversed(list(untold_bases(item))), item):
        for name, member in one.members.items():
            if (name.startswith("_") and name not in SPECIAL) or name in UNTOLD:
                continue
            if isinstance(member, griffe.Function | griffe.Attribute):
                found[name] = member
    if item.docstring is not None and MADE_ELSEWHERE in item.docstring.value:
        found.pop("__init__", None)
    yield from sorted(found.items())


def untold_bases(item: griffe.Class) -> Iterator[griffe.Class]:
    """Yield the base classes within the package that have no lines of their own."""
    for base in item.resolved_bases:
        target = definition(base)
        if isinstance(target, griffe.Class) and (
            target.name.startswith("_") or not target.path.startswith(PACKAGES)
        ):
            yield target
            yield from untold_bases(target)


def lines() -> list[str]:
    """Return the lines of the listing."""
    found = dict(public(source()))
    return sorted(line for name, item in found.items() for line in _lines(name, item))


def _lines(name: str, item: Definition) -> Iterator[str]:
    match item:
        case griffe.Class():
            bases = ", ".join(str(base) for base in item.bases)
            marks = "".join(f" @{one.value}" for one in item.decorators)
            yield f"{name}: class({bases}){marks}"
            for member_name, member in members(item):
                yield from _lines(f"{name}.{member_name}", member)
        case griffe.Function():
            yield f"{name}{_signature(item)}"
        case griffe.Attribute():
            yield f"{name}{_value(item)}"


def _signature(item: griffe.Function) -> str:
    marks = "".join(
        f" @{label}" for label in sorted(item.labels & {"async", "classmethod", "staticmethod"})
    )
    told = [str(one.value) for one in item.decorators]
    marks += "".join(f" @{one}" for one in told if _name_of(one) in DECORATORS)
    returns = "" if item.returns is None else f" -> {item.returns}"
    return f"({', '.join(_parameters(item.parameters))}){returns}{marks}"


def _name_of(decorator: str) -> str:
    return decorator.partition("(")[0].rpartition(".")[2]


def _parameters(parameters: griffe.Parameters) -> Iterator[str]:
    """Yield the parameters as Python writes them, with the marks between their kinds."""
    kinds = griffe.ParameterKind
    before: griffe.ParameterKind | None = None
    for one in parameters:
        if before is kinds.positional_only and one.kind is not kinds.positional_only:
            yield "/"
        if one.kind is kinds.keyword_only and before not in (
            kinds.keyword_only,
            kinds.var_positional,
        ):
            yield "*"
        stars = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(one.kind, "")
        typed = "" if one.annotation is None else f": {one.annotation}"
        default = "" if one.default is None or stars else f" = {one.default}"
        yield f"{stars}{one.name}{typed}{default}"
        before = one.kind
    if before is kinds.positional_only:
        yield "/"


def _value(item: griffe.Attribute) -> str:
    """Return the type of a field, constant or property, and its default or value."""
    annotation = type_of(item)
    typed = "" if annotation is None else f": {annotation}"
    if "property" in item.labels:
        return f"{typed} @property"
    value = item.value
    if value is None or not item.labels & {"class-attribute", "module-attribute"}:
        return typed  # the value of an attribute of an object is code
    if isinstance(value, griffe.ExprCall) and str(value.function) in FIELD_CALLS:
        return f"{typed}{_default(value)}"
    if str(value).startswith("Annotated["):  # the rest is limits and texts, as in openapi.json
        return f"{typed} = {str(value).partition(',')[0]}, ...]"
    return f"{typed} = {value}"


def type_of(item: griffe.Attribute) -> str | None:
    """Return the type of an attribute; None if the source does not say it.

    An attribute that only keeps an argument of `__init__` has the type of that argument, and one
    that begins as a number or a text has the type of that.
    """
    if item.annotation is not None:
        return str(item.annotation)
    init = item.parent.members.get("__init__") if item.parent is not None else None
    if "class-attribute" in item.labels or not isinstance(init, griffe.Function):
        return None
    kept = [one for one in init.parameters if one.name == str(item.value)]
    if kept and kept[0].annotation is not None:
        return str(kept[0].annotation)
    try:
        first = ast.literal_eval(str(item.value))
    except (SyntaxError, ValueError):
        return None
    return None if first is None else type(first).__name__


def _default(field: griffe.ExprCall) -> str:
    """Return the default of a field of pydantic or of a dataclass."""
    for one in field.arguments:
        if not isinstance(one, griffe.ExprKeyword):
            return "" if str(one) == "..." else f" = {one}"
        if one.name == "default":
            return f" = {one.value}"
        if one.name == "default_factory":
            return f" = {one.value}()"
    return ""


def main() -> None:
    """Write the file."""
    FILE.write_text("\n".join(lines()) + "\n", "utf-8")
    print(f"{FILE.relative_to(ROOT)} written.")


if __name__ == "__main__":
    main()
