"""The commands, from the command line's own declarations."""

from collections.abc import Iterator
from typing import Any

import typer

from equipoise import cli
from generation.markdown import docstring, escaped, table

__all__ = ["commands", "pages"]


def commands() -> dict[str, Any]:
    """Every command by its full name, such as `check` or `import roster`."""
    return dict(_walk(typer.main.get_command(cli.app), ()))


def pages() -> Iterator[tuple[str, str]]:
    """One page for all commands."""
    text = (
        "# Commands\n\n"
        "Every command ends with exit code 0 when all is well, 1 when a check or a verification failed, "
        "and 2 when something that it was given is wrong: then nothing is written.\n"
    )
    for name, command in commands().items():
        text += f"\n(command-{name.replace(' ', '-')})=\n## `equipoise {name}`\n\n{_help(command)}\n"
        rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        text += table(("Argument or option", "Means", "If left out"), rows) if rows else ""
    yield "commands.md", text


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name in sorted(command.commands):
            yield from _walk(command.commands[name], (*path, name))
    elif not getattr(command, "hidden", False):
        yield " ".join(path), command


def _help(command: Any) -> str:
    return docstring(command.callback) or escaped(command.help or "")


def _row(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.metavar or parameter.name).upper()}`"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    if parameter.required:
        shown = "**required**"
    elif default is None or default is False or default == () or callable(default):
        shown = "none" if not parameter.__dict__.get("is_flag") else "off"
    else:
        shown = f"`{default}`"
    return name, escaped(getattr(parameter, "help", None) or ""), shown
