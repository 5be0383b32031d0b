"""From a new folder to a report, every step typed as a person would type it."""

import json
import os
import subprocess
import sys
from pathlib import Path

EQUIPOISE = Path(sys.executable).with_name("equipoise")


def test_a_trial_goes_the_whole_road_from_a_new_folder_to_a_report(tmp_path):
    def equipoise(*words, code=0):
        environment = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(
            [EQUIPOISE, *map(str, words)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    equipoise("new", "breaks", "--kind", "trial")
    protocol = tmp_path / "breaks" / "protocol.yaml"
    text = protocol.read_text("utf-8").replace("# synthetic: true  ", "synthetic: true  ")
    protocol.write_text(text.replace("2027-09-06", "2021-09-06"), "utf-8")
    equipoise("check", "breaks")
    equipoise("lock", "breaks")
    people = [f"S{n:03};p{n}@example.org;{'North' if n % 3 else 'South'}" for n in range(400)]
    (tmp_path / "extract.csv").write_text("\n".join(["Staff ID;E-mail;Team", *people]) + "\n", "cp1252")
    equipoise("import", "roster", "extract.csv", "--study", "breaks", "--out", "roster.csv")
    words = ("--secret", "breaks.secret", "--round", f"7:{'ab' * 32}")
    equipoise("allocate", "breaks", "--roster", "roster.csv", "--out", "arms.csv", *words)
    equipoise("verify", "arms.csv.record.json", "--secret", "breaks.secret")
    equipoise(
        "simulate", "breaks", "--roster", "roster.csv", "--arms", "arms.csv", "--out", "data", "--seed", 1
    )
    told = json.loads(equipoise("analyse", "breaks", "--data", "data", "--out", "findings", "--json"))
    assert told["locked"] is not None
    assert sum(told["primary"][0]["n_randomised"].values()) == 400
    equipoise("report", "breaks", "--findings", "findings", "--out", "report")
    assert "simulated participants" in (tmp_path / "report" / "index.html").read_text("utf-8").lower()
    equipoise("verify", "breaks")
    protocol.write_text(text.replace("2027-09-06", "2021-09-07"), "utf-8")
    equipoise("verify", "breaks", code=1)
