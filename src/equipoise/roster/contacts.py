"""Phone numbers and e-mail addresses, as their libraries judge them, but fast for the ordinary ones.

A strict pattern settles the plain cases; its accepted set is a subset of the library's, with the same result
(a property test holds it to that). Whatever it does not match goes to the library.
"""

import re
from collections.abc import Callable
from functools import cache

import email_validator
import phonenumbers
import polars as pl

__all__ = [
    "masked_email",
    "masked_phone",
    "parse_emails",
    "parse_phones",
    "plain_email",
    "plain_phone_pattern",
]

Judgement = tuple[str | None, str | None, str | None]  # value, reason, note

# Letters and digits joined by single marks, under a domain of letters: no quoting, no address literals, no
# internationalised labels ("xn--" needs two hyphens), no name reserved for other uses.
_LOCAL = r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*"
_DOMAIN = r"(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}"
plain_email = rf"^{_LOCAL}@{_DOMAIN}$"
_LONGEST_LOCAL, _LONGEST_LABEL, _LONGEST_ADDRESS = 64, 63, 200

_PHONE_MARKS = re.compile(r"^\+?[0-9 ().\-\u00a0\u2010-\u2013]+$")
# 07700 900000 to 900999: kept by Ofcom for drama, so never anybody's; rehearsals and examples use them.
_DRAMA = re.compile(r"^\+447700900\d{3}$")
_FICTITIOUS = "fictitious number (07700 900000 to 900999): fit for rehearsals, nobody answers it"
_LOST_ZERO = "leading zero put back (a spreadsheet had dropped it)"
_NO_PLUS = "country code without its plus sign understood"


def parse_emails(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds `value` (as the library normalises it), `reason` and `note` to a frame of distinct `cell`s."""
    cell = pl.col("cell")
    reserved = "|".join(email_validator.SPECIAL_USE_DOMAIN_NAMES)
    local, domain = cell.str.extract(r"^([^@]*)@"), cell.str.extract(r"@(.*)$").str.to_lowercase()
    plain = (
        cell.str.contains(plain_email)
        & (local.str.len_bytes() <= _LONGEST_LOCAL)
        & (cell.str.len_bytes() <= _LONGEST_ADDRESS)
        & ~domain.str.contains(rf"[^.]{{{_LONGEST_LABEL + 1}}}")
        & ~domain.str.contains(rf"(?:^|\.)(?:{re.escape(reserved).replace(re.escape('|'), '|')})$")
    )
    value = pl.when(plain).then(pl.concat_str(local, pl.lit("@"), domain))
    return _rest_by_library(
        frame.with_columns(value.alias("value"), pl.lit(None, pl.String).alias("note")), _email
    )


def parse_phones(frame: pl.DataFrame, region: str) -> pl.DataFrame:
    """Adds `value` (E.164), `reason` and `note` to a frame of distinct `cell`s of phone numbers."""
    national = pl.col("cell").str.extract(plain_phone_pattern(region)).str.replace(" ", "", literal=True)
    value = pl.concat_str(pl.lit("+44"), national)
    frame = frame.with_columns(value.alias("value"), pl.lit(None, pl.String).alias("note"))
    return _rest_by_library(frame, lambda cell: _phone(cell, region))


@cache
def plain_phone_pattern(region: str) -> str:
    """A pattern whose first group is a British mobile's national number, by the library's own metadata.

    Elsewhere than in Britain a leading zero means another thing, so there only +44 is taken.
    """
    britain = phonenumbers.PhoneMetadata.metadata_for_region("GB", None)
    mobile = getattr(getattr(britain, "mobile", None), "national_number_pattern", None)
    if mobile is None:
        return r"(\z\A.)"  # matches nothing: everything goes to the library
    mobile = mobile.replace(r"\d", "[0-9]")  # elsewhere \d takes the digits of every script
    prefix = r"\+44 ?|0" if region == "GB" else r"\+44 ?"
    return rf"^(?:{prefix})({mobile})$"


def masked_email(address: str) -> str:
    """An address that can be told from others by its owner only: `j…@…`."""
    return f"{address[:1]}…@…"


def masked_phone(number: str) -> str:
    """The last two digits of a number."""
    return f"…{number[-2:]}"


def _rest_by_library(frame: pl.DataFrame, judge: Callable[[str], Judgement]) -> pl.DataFrame:
    rest = frame.filter(pl.col("value").is_null())["cell"].to_list()
    judged = [(cell, *judge(cell)) for cell in rest]
    schema = {"cell": pl.String, "value_": pl.String, "reason": pl.String, "note_": pl.String}
    answers = pl.DataFrame(judged, schema=schema, orient="row")
    joined = frame.join(answers, on="cell", how="left", maintain_order="left")
    return joined.select(
        "cell",
        pl.coalesce("value", "value_").alias("value"),
        "reason",
        pl.coalesce("note", "note_").alias("note"),
    )


def _email(cell: str) -> Judgement:
    try:
        return email_validator.validate_email(cell, check_deliverability=False).normalized, None, None
    except email_validator.EmailNotValidError as error:
        why = str(error).rstrip(".")
        return None, f"{masked_email(cell)} is no e-mail address: {why[:1].lower()}{why[1:]}", None


def _phone(cell: str, region: str) -> Judgement:
    cell = re.sub(r"\.0$", "", cell)  # a whole number that a spreadsheet wrote with a decimal
    fault = _written_wrongly(cell)
    if fault:
        return None, fault, None
    try:
        number = phonenumbers.parse(cell, region)
    except phonenumbers.NumberParseException:
        return None, f"{masked_phone(cell)} is no phone number", None
    spelled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if _DRAMA.match(spelled):
        return spelled, None, "; ".join(filter(None, (_repair(cell, number, region), _FICTITIOUS)))
    if not phonenumbers.is_valid_number(number):
        return None, f"{masked_phone(cell)} is no phone number in use: {_why_not(number)}", None
    return spelled, None, _repair(cell, number, region)


def _written_wrongly(cell: str) -> str | None:
    if re.fullmatch(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+", cell):
        return "a spreadsheet shortened it to scientific notation and lost digits; export the column as text"
    if not _PHONE_MARKS.match(cell):
        return f"{masked_phone(cell)} is more than one phone number, or has words or an extension"
    return None


def _why_not(number: phonenumbers.PhoneNumber) -> str:
    possible = phonenumbers.is_possible_number_with_reason(number)
    told = phonenumbers.ValidationResult
    if possible in (told.TOO_SHORT, told.IS_POSSIBLE_LOCAL_ONLY):
        return "too few digits"
    if possible == told.TOO_LONG:
        return "too many digits"
    return "no number of its country begins like this"


def _repair(cell: str, number: phonenumbers.PhoneNumber, region: str) -> str | None:
    digits = re.sub(r"[^0-9]", "", cell)
    if cell.startswith("+") or digits.startswith("0"):
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if digits == str(number.national_number):
        return _LOST_ZERO if metadata is not None and metadata.national_prefix == "0" else None
    return _NO_PLUS
