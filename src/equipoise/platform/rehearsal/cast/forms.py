"""Filling in the form of a page with what somebody answers, as far as the page asks it."""

from collections.abc import Mapping

from lxml import html
from lxml.html import FormElement

__all__ = ["filled"]


def filled(form: FormElement, answers: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What is put into a form, and which columns that answers.

    Args:
        form: of a page.
        answers: by column; what is not in it is left empty, but consent is given.
    """
    fields: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    boxes: dict[str, list[str]] = {}
    for each in form.xpath(".//input | .//select | .//textarea"):
        name, kind = str(each.get("name") or ""), _kind(each)
        if kind == "hidden" or not name:
            continue
        wanted = answers.get(name)
        if kind == "checkbox":
            boxes.setdefault(name, []).append(str(each.get("value")))
        elif kind == "radio" and name.startswith("consent."):
            fields[name] = ["yes"]
        elif wanted is not None and (kind != "radio" or each.get("value") == wanted):
            typed = " ".join(wanted.splitlines()) if kind == "text" else wanted
            fields[name], said[name] = [typed], typed
    for name, values in boxes.items():
        chosen = [value for value in values if answers.get(f"{name}.{value}") == "yes"]
        if chosen:
            fields[name] = chosen
            said |= {f"{name}.{value}": "yes" if value in chosen else "no" for value in values}
    return fields, said


def _kind(element: html.HtmlElement) -> str:
    return str(element.get("type") or "text") if element.tag == "input" else str(element.tag)
