"""`allocate` and `verify` of its record."""

import csv
import hashlib
import hmac
import itertools
import json
from collections import Counter

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEED = "0123456789abcdef" * 4


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def draw(run, trial, roster, tmp_path):
    def drawn(*words, out="arms.csv"):
        return run("allocate", trial, "--roster", roster, "--out", tmp_path / out, *words)

    return drawn


def test_a_draw_with_a_given_seed_is_repeatable_balanced_and_says_what_it_is(run, draw, tmp_path):
    done = draw("--seed", SEED)
    assert done.code == 0
    assert "The seed could have been chosen" in done.out
    arms = rows(tmp_path / "arms.csv")
    assert list(arms[0]) == ["staff_ref", "team", "arm", "probability_control", "probability_messages"]
    assert {row["probability_control"] for row in arms} == {"0.5"}
    by_stratum = Counter((row["team"], row["arm"]) for row in arms)
    assert abs(by_stratum["north", "control"] - by_stratum["north", "messages"]) <= 1
    record = json.loads((tmp_path / "arms.csv.record.json").read_text("utf-8"))
    assert record["seed_source"] == "given on the command line: tests and rehearsals only"
    assert record["protocol_hash"] is None
    assert SEED not in (tmp_path / "arms.csv.record.json").read_text("utf-8")
    assert draw("--seed", SEED, out="again.csv").code == 0
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "arms.csv").read_bytes()


def test_the_balance_table_describes_every_covariate_by_arm(draw, tmp_path):
    draw("--seed", SEED)
    table = rows(tmp_path / "arms.balance.csv")
    assert {(row["covariate"], row["level"]) for row in table} == {("team", "north"), ("team", "south")}
    assert [row["difference"] for row in table if row["arm"] == "control"] == ["", ""]


def test_the_order_of_the_roster_is_of_no_account(draw, roster, tmp_path):
    draw("--seed", SEED)
    heading, *people = roster.read_text().splitlines()
    roster.write_text("\n".join([heading, *reversed(people)]) + "\n")
    draw("--seed", SEED, out="other.csv")
    arms = [
        {row["staff_ref"]: row["arm"] for row in rows(tmp_path / name)} for name in ("arms.csv", "other.csv")
    ]
    assert arms[0] == arms[1]


def test_the_teams_secret_and_a_public_round_lead_to_the_seed_as_the_documentation_says(
    run, trial, draw, tmp_path
):
    """The whole chain once more, with nothing but HKDF and HMAC."""
    run("lock", trial)
    secret = bytes.fromhex((tmp_path / "breaks.secret").read_text())
    beacon = "cd" * 32
    assert draw("--secret", tmp_path / "breaks.secret", "--round", f"4242:{beacon}").code == 0
    record = json.loads((tmp_path / "arms.csv.record.json").read_text("utf-8"))
    locked = json.loads((trial / "lock.json").read_text("utf-8"))["protocol-hash"]
    arms = rows(tmp_path / "arms.csv")
    canonical = "participant,team\n" + "".join(f"{row['staff_ref']},{row['team']}\n" for row in arms)
    assert record["roster_hash"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert record["seed_could_have_been_chosen"] is False
    info = f"equipoise/1/{locked}/main".encode()
    salt = bytes.fromhex(record["roster_hash"])
    seed = HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret + bytes.fromhex(beacon))
    for team, size in (("north", 15), ("south", 25)):
        units = [row["staff_ref"] for row in arms if row["team"] == team]
        ordered = sorted(units, key=lambda unit: hmac.digest(seed, b"main" + unit.encode(), "sha256"))
        arm = {row["staff_ref"]: row["arm"] for row in arms}
        drawn = [arm[unit] for unit in ordered]
        assert len(drawn) == size
        # arms are cut from the order one after another, so each arm is one run of it
        assert sum(one != two for one, two in itertools.pairwise(drawn)) == 1


def test_without_a_public_round_the_record_says_that_the_seed_could_have_been_chosen(
    run, trial, draw, tmp_path
):
    run("lock", trial)
    done = draw("--secret", tmp_path / "breaks.secret")
    assert done.code == 0
    assert "could have been chosen" in done.out
    assert "--round" in done.err


def test_an_allocation_is_drawn_once(draw, tmp_path):
    draw("--seed", SEED)
    before = (tmp_path / "arms.csv").read_bytes()
    done = draw("--seed", "00" * 32)
    assert done.code == 2
    assert "is there already" in done.err
    assert (tmp_path / "arms.csv").read_bytes() == before


def _both(arm):
    return (arm, "messages" if arm == "control" else "control")


def written(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--secret FILE"),
        (("--seed", "12"), 2, "64 hexadecimal digits"),
        (("--seed", SEED, "--round", f"1:{SEED}"), 2, "goes with --secret"),
        (("--seed", SEED, "--secret", "x"), 2, "either"),
        (("--seed", SEED, "--stage", "mian"), 2, 'Did you mean "main"?'),
        (("--secret", "nowhere.secret"), 2, "not locked"),
    ],
)
def test_wrong_options_leave_nothing_behind(draw, tmp_path, words, code, said):
    before = written(tmp_path)
    done = draw(*words)
    assert done.code == code
    assert said in done.err
    assert written(tmp_path) == before


def test_another_secret_than_the_one_committed_to_fails_the_check(run, trial, draw, tmp_path):
    run("lock", trial)
    (tmp_path / "other.secret").write_text("00" * 32)
    done = draw("--secret", tmp_path / "other.secret")
    assert done.code == 1
    assert "committed to" in done.err
    assert not (tmp_path / "arms.csv").exists()


@pytest.mark.parametrize("content", [b"", b"zz" * 32, b"00" * 31, bytes(range(200))])
def test_a_file_that_is_no_secret_is_refused(run, trial, draw, tmp_path, content):
    run("lock", trial)
    (tmp_path / "breaks.secret").write_bytes(content)
    done = draw("--secret", tmp_path / "breaks.secret")
    assert done.code == 2
    assert "hexadecimal digits" in done.err


def test_the_draw_waits_until_the_waves_before_it_have_closed(run, trial, draw, tmp_path):
    edit(trial / "protocol.yaml", "2021-09-06", "2999-09-06")
    run("lock", trial)
    done = draw("--secret", tmp_path / "breaks.secret")
    assert done.code == 2
    assert "waves.before.closes" in done.err
    assert draw("--seed", SEED).code == 0  # a rehearsal need not wait


def test_a_changed_study_is_not_drawn_from(run, trial, draw, tmp_path):
    run("lock", trial)
    edit(trial / "protocol.yaml", "control: 1, messages: 1", "control: 1, messages: 2")
    done = draw("--seed", SEED)
    assert done.code == 2
    assert "ratio" in done.err
    assert not (tmp_path / "arms.csv").exists()


def test_whole_teams_are_drawn_and_their_people_inherit_the_arm(run, trial, tmp_path):
    edit(trial / "protocol.yaml", "unit: participant", "unit: office")
    edit(
        trial / "protocol.yaml",
        "levels: [north, south]}",
        "levels: [north, south]}\n    office: {type: category}",
    )
    edit(trial / "protocol.yaml", "variance: HC2", "variance: CR2")
    people = [f"S{n:03},p{n}@example.org,{'north' if n % 8 < 4 else 'south'},o{n % 8}" for n in range(80)]
    (tmp_path / "in.csv").write_text("\n".join(["staff_ref,email,team,office", *people]) + "\n")
    done = run(
        "allocate", trial, "--roster", tmp_path / "in.csv", "--out", tmp_path / "arms.csv", "--seed", SEED
    )
    assert (done.code, done.err) == (0, "")
    arms = rows(tmp_path / "arms.csv")
    by_office = {(row["office"], row["arm"]) for row in arms}
    assert len(by_office) == 8
    assert Counter(arm for _, arm in by_office) == {"control": 4, "messages": 4}
    assert run("verify", tmp_path / "arms.csv.record.json", "--seed", SEED).code == 0
    now, other = (f"{arms[1]['staff_ref']},o1,north,{arm}" for arm in _both(arms[1]["arm"]))
    edit(tmp_path / "arms.csv", now, other)
    assert run("verify", tmp_path / "arms.csv.record.json", "--seed", SEED).code == 1


def test_ratios_that_differ_by_stratum_are_drawn_and_stored(run, trial, roster, draw, tmp_path):
    edit(
        trial / "protocol.yaml",
        "ratio: {control: 1, messages: 1}",
        "ratio:\n    - {where: \"team == 'north'\", control: 2, messages: 1}\n    - {else: {control: 1, messages: 1}}",
    )
    assert draw("--seed", SEED).code == 0
    arms = rows(tmp_path / "arms.csv")
    assert Counter(row["arm"] for row in arms if row["team"] == "north") == {"control": 10, "messages": 5}
    record = json.loads((tmp_path / "arms.csv.record.json").read_text("utf-8"))
    assert record["probabilities"]["north"] == {"control": "2/3", "messages": "1/3"}


def test_a_ratio_that_differs_inside_a_stratum_is_refused(trial, draw):
    edit(
        trial / "protocol.yaml",
        "ratio: {control: 1, messages: 1}",
        "ratio:\n    - {where: \"staff_ref == 'S020'\", control: 2, messages: 1}\n    - {else: {control: 1, messages: 1}}",
    )
    done = draw("--seed", SEED)
    assert done.code == 2
    assert "differs inside the stratum" in done.err


def test_a_study_without_arms_allocates_nobody(run, tmp_path, roster):
    run("new", tmp_path / "pilot", "--kind", "pilot")
    done = run(
        "allocate", tmp_path / "pilot", "--roster", roster, "--out", tmp_path / "arms.csv", "--seed", SEED
    )
    assert done.code == 2
    assert "declares no arms" in done.err


def test_verifying_finds_a_changed_arm_a_changed_roster_and_a_changed_record(run, draw, tmp_path):
    draw("--seed", SEED)
    record = tmp_path / "arms.csv.record.json"
    assert run("verify", record, "--seed", SEED).code == 0
    assert run("verify", record).code == 2
    assert run("verify", record, "--seed", "00" * 32).code == 1
    good, good_record = (tmp_path / "arms.csv").read_text(), record.read_text()
    line = good.splitlines()[5]
    other = line.replace("control", "X").replace("messages", "control").replace("X", "messages")
    (tmp_path / "arms.csv").write_text(good.replace(line, other))
    assert "is said to be in arm" in run("verify", record, "--seed", SEED).err
    (tmp_path / "arms.csv").write_text(good.replace(line + "\n", ""))
    assert "not the one that was hashed" in run("verify", record, "--seed", SEED).err
    (tmp_path / "arms.csv").write_text(good)
    record.write_text(good_record.replace('"1/2"', '"1/3"', 1))
    assert run("verify", record, "--seed", SEED).code == 1
    record.write_text("{}")
    assert run("verify", record, "--seed", SEED).code == 2
    (tmp_path / "arms.csv").unlink()
    record.write_text(good_record)
    assert run("verify", record, "--seed", SEED).code == 2


def test_verify_says_what_it_can_recognise(run, tmp_path):
    done = run("verify", tmp_path / "nothing.txt")
    assert done.code == 2
    assert ".record.json" in done.err
