"""Rosters of made-up people, and where they are sent."""

HEADER = "Trainee ID,Email,Mobile,Region,Start date"
ROOT = "/api/1/studies/swing/"
ROSTERS = f"{ROOT}rosters?name=cohort-2020.csv"  # the study has a mapping for files of this name
REGIONS = ("north", "midlands", "east", "south")


def roster(number, first=0, **changed):
    """A roster of so many made-up people as CSV; `changed` puts another cell in, by row."""
    lines = [
        changed.get(
            f"row{each}",
            f"T20-{each:04d},person.{each}@trainees.example.org,07700 900{each % 1000:03d},{REGIONS[each % 4]},2020-01-13",
        )
        for each in range(first, first + number)
    ]
    return "\n".join([HEADER, *lines, ""]).encode()
