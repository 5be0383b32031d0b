"""Makes the synthetic rosters of `examples/hhp2`: the same files, byte for byte, on every machine.

Nobody in them exists. Names are put together from invented syllables, addresses end in example.org, and
telephone numbers come from the range that Ofcom keeps for drama (07700 900000 to 900999). The seven files of
`symbolic-awards` differ in encoding, separator and names of columns, as files from seven offices do.

    python examples/make_rosters.py
"""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

SEED = 1969
HERE = Path(__file__).parent / "hhp2"
T = TypeVar("T")

GIVEN = (
    "Bel",
    "Cor",
    "Dal",
    "Fen",
    "Gar",
    "Hes",
    "Jor",
    "Kal",
    "Lom",
    "Mar",
    "Nev",
    "Oz",
    "Per",
    "Quil",
    "Ros",
    "Tam",
)
MIDDLE = ("a", "e", "i", "o", "u", "ana", "eri", "ila", "ori", "une")
FAMILY = (
    "bek",
    "dren",
    "fal",
    "gorn",
    "holm",
    "lisk",
    "mund",
    "ness",
    "pell",
    "rath",
    "sten",
    "thor",
    "vane",
    "wick",
)
ACCENTED = (("e", "é"), ("o", "ö"), ("a", "ä"), ("u", "ü"), ("i", "í"))

Row = dict[str, str]


@dataclass(frozen=True)
class Office:
    """How one authority's file looks: the name that it gives to each column, and how it writes the file."""

    authority: str
    people: int
    encoding: str
    separator: str
    columns: dict[str, str]
    accents: bool = False


OFFICES = (
    Office("northmoor", 412, "utf-8", ",",
           {"staff_ref": "Staff reference", "name": "Name", "email": "Work e-mail", "team": "Team",
            "started_on": "Start date"}),
    Office("eastvale", 355, "utf-8-sig", ",",
           {"staff_ref": "Employee ID", "email": "Email address", "team": "Service",
            "started_on": "Date joined"}),
    Office("harrowmere", 301, "cp1252", ";",
           {"name": "Staff name", "staff_ref": "Payroll no.", "email": "E-mail",
            "started_on": "In post since", "team": "Unit"}, accents=True),
    Office("kingsbrook", 268, "utf-16", "\t",
           {"staff_ref": "ID", "team": "Section", "started_on": "Started", "email": "Mail"}),
    Office("stonewick", 247, "utf-8", "\t",
           {"email": "email", "staff_ref": "staff_ref", "started_on": "started_on", "team": "team"}),
    Office("larkhaven", 214, "utf-8-sig", ";",
           {"staff_ref": "Reference", "started_on": "Start of post", "name": "Full name", "email": "Email",
            "team": "Team or service"}, accents=True),
    Office("millmere", 172, "utf-16", ",",
           {"team": "TEAM", "email": "EMAIL", "staff_ref": "STAFF NO", "started_on": "START DATE"}),
)  # fmt: skip
TEAMS = ("Leaving care", "Children in care", "Assessment", "Family support", "Fostering")
DATES = "%d/%m/%Y"


class Chance:
    """Draws that rest on `Random.random` alone, whose sequence Python promises to keep."""

    def __init__(self, seed: str, names: set[str] | None = None) -> None:
        self._random = random.Random(seed)
        self._names = set() if names is None else names

    def below(self, number: int) -> int:
        return int(self._random.random() * number)

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def true(self, probability: float) -> bool:
        return self._random.random() < probability

    def name(self) -> tuple[str, str]:
        """An invented name that nobody before had."""
        while True:
            given = self.one_of(GIVEN) + self.one_of(MIDDLE) + self.one_of(("", "n", "s", "l"))
            family = (self.one_of(GIVEN) + self.one_of(MIDDLE) + self.one_of(FAMILY)).capitalize()
            if f"{given} {family}" not in self._names:
                self._names.add(f"{given} {family}")
                return given, family

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.below((last - first).days + 1))


def main() -> None:
    """Write every roster and the usage log."""
    names: set[str] = set()
    for office in OFFICES:
        people = _staff(office, names)
        _write(HERE / "symbolic-awards" / "rosters" / f"{office.authority}.csv", people,
               list(office.columns.values()), office.encoding, office.separator)  # fmt: skip
        _write_mapping("symbolic-awards", office.authority,
                       {name: found for name, found in office.columns.items() if name != "name"},
                       {"authority": office.authority})  # fmt: skip
    _trainees()
    _defence_staff()
    _raters()
    _dictation()
    _flexitime()


def _staff(office: Office, names: set[str]) -> list[Row]:
    """The staff of one authority; no name that stands in `names` is given again."""
    chance = Chance(f"{SEED} symbolic-awards {office.authority}", names)
    rows = []
    for number in range(1, office.people + 1):
        given, family = chance.name()
        person = {
            "staff_ref": f"{office.authority[:2].upper()}{number:04d}",
            "name": _accented(f"{given} {family}", chance) if office.accents else f"{given} {family}",
            "email": _address(given, family, office.authority),
            "team": chance.one_of(TEAMS),
            "started_on": chance.day(date(2006, 1, 3), date(2021, 1, 29)).strftime(DATES),
        }
        rows.append({found: person[name] for name, found in office.columns.items()})
    return rows


def _trainees() -> None:
    """Two cohorts; a thousand drama numbers are not enough for everybody, so some have no mobile number."""
    chance = Chance(f"{SEED} swing")
    numbers = [f"07700 {900000 + at}" for at in range(1000)]
    for at in range(len(numbers) - 1, 0, -1):
        other = chance.below(at + 1)
        numbers[at], numbers[other] = numbers[other], numbers[at]
    columns = {"staff_ref": "Trainee ID", "email": "Email", "mobile": "Mobile", "region": "Region",
               "started_on": "Start date"}  # fmt: skip
    for cohort, people, start in (("2020", 541, date(2020, 7, 13)), ("2021", 607, date(2021, 1, 11))):
        rows = []
        for number in range(1, people + 1):
            given, family = chance.name()
            mobile = numbers.pop() if numbers and (cohort == "2020" or chance.true(0.9)) else ""
            values = (f"T{cohort[2:]}-{number:04d}", _address(given, family, "trainees"), mobile,
                      chance.one_of(("north", "midlands", "east", "south")), start.isoformat())  # fmt: skip
            rows.append(dict(zip(columns.values(), values, strict=True)))
        _write(HERE / "swing" / "rosters" / f"cohort-{cohort}.csv", rows, list(columns.values()))
        _write_mapping("swing", f"cohort-{cohort}", columns, {"cohort": cohort})


def _defence_staff() -> None:
    """The partner keeps names and addresses: the file holds references only."""
    chance = Chance(f"{SEED} mod-ing")
    columns = ["staff_ref", "staff_type", "directorate", "started_on"]
    rows = [
        {
            "staff_ref": f"P{100000 + 37 * number}",
            "staff_type": "civilian" if chance.true(0.62) else "military",
            "directorate": chance.one_of(("analysis", "collection", "support")),
            "started_on": chance.day(date(2019, 5, 1), date(2021, 3, 15)).isoformat(),
        }
        for number in range(1, 277)
    ]
    _write(HERE / "mod-ing" / "rosters" / "defence.csv", rows, columns)


def _raters() -> None:
    """Who came through the open link, as their screening answers say."""
    chance = Chance(f"{SEED} diversity-in-hiring")
    rows = []
    for number in range(1, 304):
        post = (
            "Social worker"
            if (draw := chance.below(10)) < 6
            else "Team manager"
            if draw < 9
            else "Senior leader"
        )
        years = chance.below(12) if post == "Social worker" else 6 + chance.below(25)
        hired = chance.true(0.25 if post == "Social worker" else 0.9)
        values = (f"R{number:04d}", "yes", post, str(years), "yes" if hired else "no")
        names = ("participant_ref", "qualified", "post", "years_qualified", "has_hired")
        rows.append(dict(zip(names, values, strict=True)))
    _write(HERE / "diversity-in-hiring" / "rosters" / "open-link.csv", rows, list(rows[0]))


def _dictation() -> None:
    chance = Chance(f"{SEED} dictation")
    posts = ("Social worker", "Social worker", "Senior social worker", "Newly qualified")
    for authority, people in (("brackenford", 20), ("wexdale", 32)):
        rows = []
        for number in range(1, people + 1):
            given, family = chance.name()
            rows.append({
                "staff_ref": f"{authority[:2].upper()}{number:03d}",
                "licence": f"{authority[0].upper()}-{700 + number}",
                "email": _address(given, family, authority),
                "post": chance.one_of(posts),
            })  # fmt: skip
        _write(HERE / "dictation" / "rosters" / f"{authority}.csv", rows, list(rows[0]))
        _write_mapping("dictation", authority, {name: name for name in rows[0]}, {"authority": authority})
    _usage_log(chance)


def _usage_log(chance: Chance) -> None:
    """Four weeks of twenty licences: a few enthusiasts, some who try it once or twice, the rest never."""
    keen = {701: 0.8, 706: 0.85, 713: 0.7, 718: 0.6}
    curious = {703: 0.2, 709: 0.01, 710: 0.12, 715: 0.1, 717: 0.08, 720: 0.05}
    days, totals = list[Row](), list[Row]()
    for number in range(701, 721):
        whose = {"staff_ref": f"BR{number - 700:03d}", "licence": f"B-{number}"}
        weeks, all_sessions, all_minutes = set[int](), 0, 0
        for offset in range(28):
            day = date(2021, 6, 7) + timedelta(days=offset)
            likely = keen.get(number) or curious.get(number, 0.0) * 0.72 ** (offset // 7)
            sessions = 1 + chance.below(4) if day.weekday() < 5 and chance.true(likely) else 0
            minutes = sum(3 + chance.below(14) for _ in range(sessions))
            days.append(whose | _as_text(date=day.isoformat(), sessions=sessions, minutes=minutes))
            weeks |= {offset // 7} if sessions else set()
            all_sessions, all_minutes = all_sessions + sessions, all_minutes + minutes
        totals.append(whose | _as_text(active_weeks=len(weeks), sessions=all_sessions, minutes=all_minutes))
    _write(HERE / "dictation" / "data" / "usage.csv", days, list(days[0]))
    _write(HERE / "dictation" / "data" / "licences.csv", totals, list(totals[0]))


def _as_text(**values: str | int) -> Row:
    return {name: str(value) for name, value in values.items()}


def _flexitime() -> None:
    chance = Chance(f"{SEED} flexitime")
    posts = ["Staff"] * 7 + ["Senior staff"] * 4
    patterns = ["Four-day week", "Nine-day fortnight", "Nine-day fortnight", "Standard hours"]
    rows = []
    for number, post in enumerate(posts, 1):
        given, family = chance.name()
        pattern = patterns[number % len(patterns)]
        email = _address(given, family, "marlowdale")
        rows.append({"staff_ref": f"MA{number:02d}", "email": email, "post": post, "pattern": pattern})
    _write(HERE / "flexitime" / "rosters" / "marlowdale.csv", rows, list(rows[0]))


def _address(given: str, family: str, office: str) -> str:
    return f"{given}.{family}@{office}.example.org".lower()


def _accented(name: str, chance: Chance) -> str:
    """Some names with marks, so that a wrong guess of the encoding would be seen."""
    plain, marked = chance.one_of(ACCENTED)
    return name.replace(plain, marked, 1) if chance.true(0.3) else name


def _write(
    path: Path, rows: Sequence[Row], columns: Sequence[str], encoding: str = "utf-8", separator: str = ","
) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=separator, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if encoding == "utf-16":  # the byte order is written out, since Python's own choice follows the machine
        path.write_bytes(b"\xff\xfe" + text.getvalue().encode("utf-16-le"))
    else:
        path.write_bytes(text.getvalue().encode(encoding))


def _write_mapping(study: str, stem: str, columns: dict[str, str], constants: dict[str, str]) -> None:
    lines = ["columns:", *(f'  {name}: "{found}"' for name, found in columns.items())]
    lines += ["constants:", *(f'  {name}: "{value}"' for name, value in constants.items())]
    path = HERE / study / "data" / "mappings" / f"{stem}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
