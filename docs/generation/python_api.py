"""What a notebook may import: the public names of the method packages, by `__all__`."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from generation.markdown import docstring, escaped, fenced, table

__all__ = ["METHOD_PACKAGES", "pages"]

METHOD_PACKAGES = (
    "errors",
    "streams",
    "record",
    "protocol",
    "roster",
    "instruments",
    "allocation",
    "estimation",
    "findings",
    "diagnosis",
    "report",
)


def pages() -> Iterator[tuple[str, str]]:
    """An index, and a page for each package that has public names."""
    written = {name: page for name in METHOD_PACKAGES if (page := _package(name))}
    rows = [(f"[`equipoise.{name}`]({name}.md)", _first_line(_load(f"equipoise.{name}"))) for name in written]
    yield (
        "python/index.md",
        "# Python\n\nThe method packages take frames and frozen records and return them. They know no "
        "clock, no network and no database, and can be used in a notebook without the rest.\n\n"
        + table(("Package", "Holds"), rows)
        + "\n```{toctree}\n:hidden:\n\n"
        + "\n".join(written)
        + "\n```\n",
    )
    for name, page in written.items():
        yield f"python/{name}.md", page


def _load(name: str) -> ModuleType:
    return importlib.import_module(name)


def _package(name: str) -> str:
    """A package that names what is public shows that; another, the public names of its modules."""
    try:
        root = _load(f"equipoise.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"equipoise.{name}":  # a package that a later version brings
            return ""
        raise
    title = f"# `equipoise.{name}`\n\n{docstring(root)}"
    if hasattr(root, "__all__"):
        return title + _members(root, list(root.__all__), "##")
    modules = [(module, names) for module in _modules(root) if (names := _own_names(module))]
    return title + "".join(
        f"\n## `{module.__name__}`\n\n{docstring(module)}{_members(module, names, '###')}"
        for module, names in modules
    )


def _modules(root: ModuleType) -> Iterator[ModuleType]:
    for inner in pkgutil.walk_packages(getattr(root, "__path__", []), f"{root.__name__}."):
        if not inner.name.rpartition(".")[2].startswith("_"):
            yield _load(inner.name)


def _own_names(module: ModuleType) -> list[str]:
    """The public names that are defined here, not passed on."""
    names = getattr(module, "__all__", ())
    return [name for name in names if getattr(getattr(module, name), "__module__", None) == module.__name__]


def _members(module: ModuleType, names: list[str], level: str) -> str:
    return "".join(_member(name, getattr(module, name), level) for name in names)


def _member(name: str, thing: object, level: str) -> str:
    if inspect.isclass(thing):
        return f"\n{level} `{name}`\n\n{_signature(name, thing)}\n{_own_docstring(thing)}" + _methods(thing)
    if inspect.isfunction(thing):
        return f"\n{level} `{name}`\n\n{_signature(name, thing)}\n{docstring(thing)}"
    return ""


def _methods(thing: type) -> str:
    rows = []
    for name, member in vars(thing).items():
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if name.startswith("_") or not (inspect.isfunction(function) or isinstance(function, property)):
            continue
        shown = f"`{name}`" if isinstance(function, property) else f"`{name}(...)`"
        if inspect.getdoc(function):
            rows.append((shown, _first_line(function)))
    return "\n" + table(("Of it", "Gives"), rows) if rows else ""


def _own_docstring(thing: type) -> str:
    """A dataclass without a docstring has its signature for one: that is already shown."""
    written = vars(thing).get("__doc__") or ""
    return "" if written.startswith(f"{thing.__name__}(") else docstring(thing)


def _signature(name: str, thing: object) -> str:
    """The signature with its annotations as they are written, which is shorter than what they stand for."""
    node = ast.parse(inspect.cleandoc("\n" + inspect.getsource(thing))).body[0]  # type: ignore[arg-type]
    if isinstance(node, ast.ClassDef):
        fields = [ast.unparse(line) for line in node.body if isinstance(line, ast.AnnAssign)]
        return fenced(_called(name, fields, ""), "python") if fields else ""
    if not isinstance(node, ast.FunctionDef):
        return ""
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return fenced(_called(name, _parameters(node.args), returns), "python")


def _parameters(arguments: ast.arguments) -> list[str]:
    """Each parameter with its annotation and default, the star before those that are named in a call."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + arguments.defaults
    said = [_parameter(argument, default) for argument, default in zip(plain, defaults, strict=True)]
    if arguments.vararg:
        said.append(f"*{ast.unparse(arguments.vararg)}")
    elif arguments.kwonlyargs:
        said.append("*")
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    said += [_parameter(argument, default) for argument, default in named]
    return [*said, *([f"**{ast.unparse(arguments.kwarg)}"] if arguments.kwarg else [])]


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(default)}" if default is not None else "")


def _called(name: str, parameters: list[str], returns: str) -> str:
    one_line = f"{name}({', '.join(parameters)}){returns}"
    if len(one_line) <= 80:
        return one_line
    return f"{name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f"){returns}"


def _first_line(thing: object) -> str:
    return escaped((inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " "))
