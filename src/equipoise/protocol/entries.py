"""What people enter by hand, read kindly: numbers, dates and free text."""

import re
import unicodedata
from datetime import date

from equipoise.protocol.asked import Asked
from equipoise.protocol.faults import Fault, plain_number

__all__ = ["LONGEST_TEXT", "cleaned", "entered_date", "entered_number", "entered_text"]

LONGEST_TEXT = 5_000
_LONGEST_NUMBER = 40
_LONGEST_WITH_UNIT = 300  # what is longer is not searched for a unit: that takes its square
_LARGEST = 1e15  # whole numbers up to here are exact
_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WRITTEN = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s./-]+(?:of\s+)?(\d{1,2}|[^\W\d_]+\.?)[\s.,/-]+(\d+)", re.IGNORECASE
)
_MONTHS = (
    "january february march april may june july august september october november december",
    "ionawr chwefror mawrth ebrill mai mehefin gorffennaf awst medi hydref tachwedd rhagfyr",
)
_MONTH = {
    name: number for months in _MONTHS for number, name in enumerate(months.split(), start=1)
}  # fmt: skip
_EARLIEST, _LATEST = 1900, 2100
_TOO_LONG = Fault("That is too long for a number")


def cleaned(text: str) -> tuple[str, Fault | None]:
    """Text with one kind of line end, and what is wrong with it: letters that cannot be kept, its length."""
    text = unicodedata.normalize("NFC", _BREAKS.sub("\n", text)).strip()
    kept = "".join(letter for letter in text if _kept(letter))
    if kept != text:
        return kept, Fault(
            "What you wrote held characters that cannot be kept. We have taken them out: read it again, "
            "then continue"
        )
    if len(text) > LONGEST_TEXT:
        found = {"most": f"{LONGEST_TEXT:,}", "found": f"{len(text):,}"}
        return text, Fault("Write at most {most} characters; you have written {found}", found)
    return text, None


def entered_text(asked: Asked, text: str) -> str | Fault:
    """A text as entered; one line where one line is asked for."""
    kept, fault = cleaned(text)
    if fault is not None:
        return fault
    return " ".join(kept.split()) if asked.kind == "text" else kept


def entered_number(asked: Asked, text: str, name: str | None = None) -> float | int | Fault:
    """A number with or without its unit and with or without commas between thousands.

    Args:
        asked: with the unit, range, decimals and step.
        text: as entered, not empty.
        name: of which of several numbers this is.
    """
    if len(text) > _LONGEST_WITH_UNIT:
        return _TOO_LONG
    plain = _bare(text, asked.unit)
    found = _NUMBER.fullmatch(plain)
    if found is None:
        return _no_number(asked, text, plain, name)
    value = float(plain)
    if abs(value) >= _LARGEST:
        return Fault("{of} is too large", {"of": _of(asked, name)})
    decimals = len(found[2].partition(".")[2].rstrip("0"))
    if decimals > asked.decimals:
        if asked.decimals == 0:
            return _wanted(asked, name)
        if asked.decimals == 1:
            return Fault("{of} can have one figure behind the full stop at most", {"of": _of(asked, name)})
        most = {"most": str(asked.decimals), "of": _of(asked, name)}
        return Fault("{of} can have at most {most} figures behind the full stop", most)
    return _beyond(asked, value, name) or (int(value) if asked.decimals == 0 else value)


def entered_date(day: str, month: str, year: str) -> date | Fault:
    """A date from its three fields, or from the whole date in one; the month is a number or a name."""
    whole = " ".join(part.strip() for part in (day, month, year) if part.strip())
    iso, written = _ISO.fullmatch(whole), _WRITTEN.fullmatch(whole)
    if iso is not None:
        parts = (iso[3], iso[2], iso[1])
    elif written is not None:
        parts = (written[1], written[2], written[3])
    else:
        return _no_date(day, month, year)
    number = int(parts[1]) if parts[1].isdecimal() else _month(parts[1])
    if number is None:
        return Fault(
            '"{month}" is not a month. Write it as a number or a name, like 3 or March', {"month": parts[1]}
        )
    return _on_calendar(int(parts[0]), number, parts[2], whole)


def _kept(letter: str) -> bool:
    return letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")


def _bare(text: str, unit: str | None) -> str:
    """The number alone: without spaces, the unit, and commas that part thousands; digits of any script."""
    text = unicodedata.normalize("NFKC", text).strip().replace("\u2212", "-")
    digits = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    if unit is not None:
        digits = re.sub(
            rf"(?<=[\d.\s]){_unit_words(unit)}\.?$|^{_unit_words(unit)}", "", digits, flags=re.IGNORECASE
        )
    plain = re.sub(r"\s", "", digits)
    return plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain


def _unit_words(unit: str) -> str:
    """A unit, or its first words (`hours` of `hours per week`), with or without the plural's ending."""
    words = unit.split()
    starts = [" ".join(words[:count]).removesuffix("s") for count in range(len(words), 0, -1)]
    return rf"\s*(?:{'|'.join(re.escape(start) + 's?' for start in starts)})\s*"


def _no_number(asked: Asked, text: str, plain: str, name: str | None) -> Fault:
    if len(text) > _LONGEST_NUMBER:
        return _TOO_LONG
    if re.fullmatch(r"[+-]?\d+,\d+", plain):
        said = {"stop": plain.replace(",", "."), "of": _of(asked, name)}
        return Fault("{of} needs a full stop in place of the comma, like {stop}", said)
    return _wanted(asked, name)


def _wanted(asked: Asked, name: str | None) -> Fault:
    whole = asked.decimals == 0
    said = {"of": _named(asked, name), "like": _example(asked)}
    return Fault(
        "Enter {of} as a whole number, like {like}" if whole else "Enter {of} as a number, like {like}", said
    )


def _named(asked: Asked, name: str | None) -> str:
    if name is not None:
        return f"the number for {name}"
    return f"the number of {asked.unit}" if asked.unit else "the answer"


def _of(asked: Asked, name: str | None) -> str:
    return name or asked.unit or "the number"


def _example(asked: Asked) -> str:
    low = asked.low if asked.low is not None else 0.0
    high = asked.high if asked.high is not None else float("inf")
    wanted = 3.0 if asked.decimals == 0 else 2.5
    return plain_number(wanted if low <= wanted <= high and _on_step(asked, wanted) else low)


def _beyond(asked: Asked, value: float, name: str | None) -> Fault | None:
    of = {"of": _of(asked, name)}
    if asked.high is not None and value > asked.high:
        return Fault(
            "{of} must be {most} or fewer" if asked.unit else "{of} must be {most} or less",
            {**of, "most": plain_number(asked.high)},
        )
    if asked.low is not None and value < asked.low:
        return Fault("{of} must be {least} or more", {**of, "least": plain_number(asked.low)})
    if not _on_step(asked, value):
        return Fault("{of} goes in steps of {step}", {**of, "step": plain_number(asked.step)})
    return None


def _on_step(asked: Asked, value: float) -> bool:
    if asked.kind != "slider":
        return True
    steps = (value - (asked.low or 0.0)) / asked.step
    return abs(steps - round(steps)) < 1e-6


def _month(name: str) -> int | None:
    """A month by its name, in whole or its first three letters or more."""
    name = name.lower().rstrip(".")
    found = {
        number
        for month, number in _MONTH.items()
        if month == name or (len(name) >= 3 and month.startswith(name))
    }
    return found.pop() if len(found) == 1 else _MONTH.get(name)


def _no_date(day: str, month: str, year: str) -> Fault:
    fields = {"day": day, "month": month, "year": year}
    lacking = [name for name, value in fields.items() if not value.strip()]
    if lacking and len(lacking) < len(fields):
        return Fault("The date needs a {what}", {"what": " and a ".join(lacking)})
    return Fault("Enter the date with day, month and year, like 3 March 2021")


def _on_calendar(day: int, month: int, year: str, whole: str) -> date | Fault:
    if len(year) != 4:
        return Fault("Write the year with four figures, like 2021")
    if not _EARLIEST <= int(year) <= _LATEST:
        return Fault("Check the year: {year} is too far from today", {"year": year})
    try:
        return date(int(year), month, day)
    except ValueError:
        return Fault('"{date}" is not a day of the calendar. Check the day and the month', {"date": whole})
