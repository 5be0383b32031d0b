"""Makes `data/thornton.csv` for this study from the data set `thornton_hiv` of the package causaldata.

The data are those published with Thornton (2008), American Economic Review 98(5). Nothing is changed but
names of columns; rows without an arm are left out and counted.

    python examples/thornton-hiv/prepare.py [FILE]
"""

import sys
from pathlib import Path

import pandas as pd
from causaldata import thornton_hiv

FILE = Path(__file__).parent / "data" / "thornton.csv"


def prepared() -> pd.DataFrame:
    """The rows that have an arm, with columns named as in the protocol.

    Returns:
        One row a person; `identifier` is the row's number in the published file, counted from 1.
    """
    published = thornton_hiv.load_pandas().data
    frame = pd.DataFrame(
        {
            "identifier": [f"row{number:04d}" for number in range(1, len(published) + 1)],
            "arm": published["any"].map({0.0: "control", 1.0: "any_incentive"}),
            "village": published["villnum"].astype("Int64"),
            "age": published["age"].astype("Int64"),
            "distvct": published["distvct"].astype("float64").round(6),
            "got": published["got"].astype("Int64"),
            "tinc": published["tinc"].astype("float64").round(6),
        }
    )
    return frame.dropna(subset=["arm"])


def main(file: Path = FILE) -> None:
    """Write the file and say how many people are in it."""
    frame = prepared()
    file.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(file, index=False, lineterminator="\n")
    left_out = len(thornton_hiv.load_pandas().data) - len(frame)
    print(f"{file}: {len(frame):,} people; {left_out:,} rows without an arm left out")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
