"""`lock`, `amend`, `diff`, and `verify` of a study."""

import hashlib
import json
import shutil
import stat

import pytest


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_a_lock_commits_to_a_secret_that_lies_outside_the_study_for_its_owner_only(run, trial):
    done = run("lock", trial)
    assert done.code == 0
    secret = trial.parent / "breaks.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    locked = json.loads((trial / "lock.json").read_text("utf-8"))
    assert locked["seed-commitment"] == hashlib.sha256(bytes.fromhex(secret.read_text())).hexdigest()
    assert locked["protocol-hash"] in done.out
    assert secret.read_text().strip() not in (trial / "lock.json").read_text("utf-8") + done.out


def test_a_study_that_allocates_nobody_needs_no_secret(run, tmp_path):
    run("new", tmp_path / "talks", "--kind", "interviews")
    assert run("lock", tmp_path / "talks").code == 0
    assert not (tmp_path / "talks.secret").exists()


def test_a_secret_inside_the_study_is_refused_and_nothing_is_written(run, trial):
    done = run("lock", trial, "--secret", trial / "my.secret")
    assert done.code == 2
    assert "inside the study's folder" in done.err
    assert not (trial / "lock.json").exists()


def test_a_secret_is_never_overwritten(run, trial):
    (trial.parent / "breaks.secret").write_text("precious")
    done = run("lock", trial)
    assert (done.code, (trial.parent / "breaks.secret").read_text()) == (2, "precious")
    assert not (trial / "lock.json").exists()


def test_demonstration_wording_cannot_be_locked_with_real_participants(run, trial):
    edit(trial / "protocol.yaml", "synthetic: true ", "synthetic: false ")
    done = run("lock", trial)
    assert done.code == 2
    assert "breaks/wording/swemwbs.yaml:" in done.err
    assert "synthetic: true" in done.err
    assert not (trial / "lock.json").exists()
    assert not (trial.parent / "breaks.secret").exists()


def test_a_study_is_locked_once(run, trial):
    run("lock", trial)
    before = (trial / "lock.json").read_bytes()
    done = run("lock", trial, "--secret", trial.parent / "second.secret")
    assert (done.code, (trial / "lock.json").read_bytes()) == (2, before)
    assert not (trial.parent / "second.secret").exists()


def test_a_change_after_the_lock_is_told_then_amended_and_then_in_order(run, trial):
    run("lock", trial)
    assert run("diff", trial).code == 0
    edit(trial / "protocol.yaml", "margin: 0.78", "margin: 1")
    edit(trial / "messages" / "weekly.md", "This week", "Next week")
    for command in ("check", "diff"):
        done = run(command, trial)
        assert done.code == 1
        assert "outcomes, wellbeing, margin: was 0.78, now 1" in done.out
        assert "messages/weekly.md has another text" in done.out
    assert run("verify", trial).code == 1
    done = run("amend", trial, "--by", "The team", "--reason", "A better source", "--data-seen", "None")
    assert done.code == 0
    written = (trial / "amendments" / "001.yaml").read_text("utf-8")
    assert "outcomes, wellbeing, margin: was 0.78, now 1" in written
    assert "after-unmasking: false" in written
    assert (run("check", trial).code, run("verify", trial).code, run("diff", trial).code) == (0, 0, 0)


def test_a_second_amendment_tells_only_what_is_new(run, trial):
    run("lock", trial)
    words = ("--by", "A", "--reason", "B", "--data-seen", "C")
    edit(trial / "protocol.yaml", "margin: 0.78", "margin: 1")
    run("amend", trial, *words)
    edit(trial / "protocol.yaml", "margin: 0.5", "margin: 0.6")
    assert run("amend", trial, *words).code == 0
    second = (trial / "amendments" / "002.yaml").read_text("utf-8")
    assert "was 0.5, now 0.6" in second
    assert "0.78" not in second


def test_there_is_nothing_to_amend_where_nothing_changed_unless_data_collection_stops(run, trial):
    words = ("--by", "A", "--reason", "B", "--data-seen", "C")
    assert run("amend", trial, *words).code == 2
    run("lock", trial)
    assert run("amend", trial, *words).code == 2
    assert not (trial / "amendments").exists()
    assert run("amend", trial, *words, "--stops", "--after-unmasking").code == 0
    assert "stops: true" in (trial / "amendments" / "001.yaml").read_text("utf-8")


@pytest.mark.parametrize("option", ["--by", "--reason", "--data-seen"])
def test_an_amendment_says_who_why_and_what_had_been_seen(run, trial, option):
    run("lock", trial)
    words = {"--by": "A", "--reason": "B", "--data-seen": "C"} | {option: " "}
    done = run("amend", trial, *(part for pair in words.items() for part in pair), "--stops")
    assert done.code == 2
    assert option in done.err


def test_studies_that_mean_the_same_do_not_differ_whatever_their_comments(run, trial):
    twin = trial.parent / "twin"
    shutil.copytree(trial, twin)
    edit(twin / "protocol.yaml", "# A randomised trial", "# Our randomised trial")
    done = run("diff", trial, twin)
    assert (done.code, done.out) == (0, "No difference.\n")
    edit(twin / "protocol.yaml", "control: 1, messages: 1", "control: 2, messages: 1")
    done = run("diff", trial, twin, "--json")
    assert (done.code, json.loads(done.out)["same"]) == (1, False)


def test_an_unlocked_study_cannot_be_compared_with_its_lock_nor_verified(run, trial):
    assert run("diff", trial).code == 2
    assert run("verify", trial).code == 2


def test_a_lock_that_was_edited_is_refused(run, trial):
    run("lock", trial)
    edit(trial / "lock.json", '"protocol-hash": "', '"protocol-hash": "0')
    done = run("check", trial)
    assert done.code == 2
    assert "breaks/lock.json" in done.err
