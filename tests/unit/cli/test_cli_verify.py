"""`equipoise verify` and `equipoise stamp`: scripts for strangers, signatures, time stamps, and what is wrong."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from tests.unit.allocation.published import people, publish
from tests.unit.protocol.test_timestamp import Authority

from equipoise.allocation import QUICKNET, PublicRound

EVEN = {"control": 1, "messages": 1}
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
VALUE = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
ROUND = PublicRound(1000, VALUE, QUICKNET.genesis, QUICKNET.period)
RECORDED = "2023-08-23T14:59:23Z"  # an hour and a second before round 1000 appeared


@pytest.fixture
def published(tmp_path):
    """A draw of thirty people with a real public round."""
    return publish(tmp_path, people(30), {}, EVEN, method="blocked", public_round=ROUND, recorded=RECORDED)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "authority")


def verified(run, published, *words):
    return run("verify", published.record, "--secret", published.secret, *words)


def test_a_published_draw_is_verified(run, published):
    done = verified(run, published)
    assert done.code == 0
    assert "all 30 arms are as drawn" in done.out
    assert "signed" not in done.out


def test_the_signature_of_the_public_round_is_checked_where_it_is_given(run, published):
    done = verified(run, published, "--round", f"1000:{VALUE}:{SIGNATURE}")
    assert done.code == 0
    assert "signed by drand quicknet, which published it at 2023-08-23T15:59:24Z" in done.out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (f"1000:{VALUE}:{'00' * 48}", 1, "not signed by drand quicknet"),
        (f"1001:{VALUE}:{SIGNATURE}", 1, "is not the one"),
        (f"1000:{'ab' * 32}:{SIGNATURE}", 1, "is not the one"),
        (f"1000:{VALUE}", 2, "NUMBER:HEX:SIGNATURE"),
        ("1000", 2, "hexadecimal digits"),
    ],
)
def test_another_round_or_signature_is_refused(run, published, text, code, said):
    done = verified(run, published, "--round", text)
    assert said in done.err
    assert done.code == code


@pytest.mark.parametrize("time", ["yesterday", "2023-08-23", "9999-12-31T23:59:59Z"])
def test_a_record_with_no_time_that_can_be_is_refused(run, published, time):
    record = json.loads(published.record.read_text("utf-8"))
    published.record.write_text(json.dumps(record | {"roster_recorded": time}), "utf-8")
    assert verified(run, published).code == 2


def test_a_signature_in_the_record_is_checked_unasked(run, published):
    record = json.loads(published.record.read_text("utf-8"))
    record["public_round"]["signature"] = SIGNATURE
    published.record.write_text(json.dumps(record), "utf-8")
    assert "signed by drand quicknet" in verified(run, published).out
    record["public_round"]["signature"] = "80" + "00" * 47
    published.record.write_text(json.dumps(record), "utf-8")
    assert verified(run, published).code == 1


@pytest.mark.parametrize(("language", "name"), [("python", "redraw.py"), ("r", "redraw.R")])
def test_a_script_for_strangers_is_written_beside_the_record(run, published, language, name):
    done = run("verify", published.record, "--script", language)
    assert done.code == 0
    assert (published.record.parent / name).is_file()
    assert f"{name} arms.csv.record.json arms.csv SECRET" in done.out
    again = run("verify", published.record, "--script", language)
    assert again.code == 2
    assert "is there already" in again.err


def test_the_script_does_what_verify_does(run, published):
    run("verify", published.record, "--script", "python")
    words = [sys.executable, "-I", "redraw.py", "arms.csv.record.json", "arms.csv", "team.secret"]
    stranger = subprocess.run(
        words, cwd=published.record.parent, capture_output=True, check=False, encoding="utf-8"
    )
    assert (stranger.returncode, stranger.stderr) == (0, "")


@pytest.mark.parametrize("language", ["python", "r"])
def test_what_allocate_writes_is_drawn_again_by_strangers(run, trial, roster, tmp_path, language):
    run("lock", trial)
    secret, arms = tmp_path / "breaks.secret", tmp_path / "arms.csv"
    chance = ("--secret", secret, "--round", f"1000:{VALUE}:{SIGNATURE}")
    assert run("allocate", trial, "--roster", roster, "--out", arms, *chance).code == 0
    record = tmp_path / "arms.csv.record.json"
    assert "signed by drand quicknet" in run("verify", record, "--secret", secret).out
    run("verify", record, "--script", language)
    command, script = (sys.executable, "redraw.py") if language == "python" else ("Rscript", "redraw.R")
    words = [command, script, record.name, arms.name, secret.name]
    stranger = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, encoding="utf-8")
    assert stranger.stdout == "same: 40 units drawn again by blocked, every arm as published\n"


def test_a_round_that_the_beacon_did_not_sign_is_not_drawn_with(run, trial, roster, tmp_path):
    run("lock", trial)
    chance = ("--secret", tmp_path / "breaks.secret", "--round", f"1001:{VALUE}:{SIGNATURE}")
    done = run("allocate", trial, "--roster", roster, "--out", tmp_path / "arms.csv", *chance)
    assert done.code == 2
    assert "was not signed by drand quicknet" in done.err
    assert not (tmp_path / "arms.csv").exists()


def test_a_difference_names_the_first_unit_and_ends_with_1(run, published):
    text = published.arms.read_text("utf-8")
    line = text.splitlines()[3]
    arm = line.rsplit(",", 2)[1]
    other = line.replace(arm, "messages" if arm == "control" else "control")
    published.arms.write_text(text.replace(line, other), "utf-8")
    done = verified(run, published)
    assert done.code == 1
    assert 'unit "O\'Neill" is said to be in arm' in done.err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda found: found.record.write_bytes(b"\xff\x00"), "is no text in UTF-8"),
        (lambda found: found.record.write_text("[]"), "take the original"),
        (lambda found: found.arms.write_bytes(b"\xff\x00"), "is no text in UTF-8"),
        (lambda found: found.arms.write_text("staff_ref,arm\n"), "holds nobody's arm"),
        (lambda found: found.arms.write_text("staff_ref,arm\na\n"), "arms.csv:2: found 1 cells, expected 2"),
        (lambda found: found.arms.write_text("staff_ref,group\na,b\n"), "this column is missing"),
        (lambda found: found.arms.unlink(), "is not beside it"),
        (lambda found: found.secret.write_text("swordfish"), "64 hexadecimal digits"),
        (lambda found: found.secret.unlink(), "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_2(run, published, spoil, said):
    spoil(published)
    done = verified(run, published)
    assert said in done.err
    assert done.code == 2


@pytest.mark.parametrize(
    ("path", "words", "said"),
    [
        ("arms.csv.record.json", ("--authority", "x.pem"), "--authority: does not go with an allocation's"),
        (".", ("--secret", "x"), "--secret: does not go with a locked study"),
        (".", ("--script", "r"), "--script: does not go with a locked study"),
        (".", ("--anchor", "x"), "--anchor: does not go with a locked study"),
    ],
)
def test_an_option_that_would_check_nothing_is_refused(run, published, path, words, said):
    done = run("verify", published.record.parent / path, *words)
    assert said in done.err
    assert done.code == 2


@pytest.fixture
def stamped(run, trial, authority):
    """A locked study whose lock an authority has stamped."""
    assert run("lock", trial).code == 0
    assert run("stamp", trial).code == 0
    answer = authority.answer((trial / "lock.json.tsq").read_bytes())
    (trial / "lock.json.tsr").write_bytes(answer)
    (trial.parent / "authority.pem").write_bytes(authority.root + authority.between)
    return trial


def test_a_request_says_how_it_is_sent_and_is_always_the_same(run, trial):
    run("lock", trial)
    done = run("stamp", trial)
    first = (trial / "lock.json.tsq").read_bytes()
    assert "curl" in done.out
    assert "application/timestamp-query" in done.out
    assert run("stamp", trial, "--json").code == 0
    assert (trial / "lock.json.tsq").read_bytes() == first


def test_a_stamp_is_verified_by_the_certificates_that_are_given(run, stamped):
    done = run("verify", stamped, "--authority", stamped.parent / "authority.pem", "--json")
    assert done.code == 0
    stamp = json.loads(done.out)["studies"][0]["stamp"]
    assert stamp["authority"] == "CN=Clock 7"
    assert abs(datetime.fromisoformat(stamp["time"]) - datetime.now(UTC)).total_seconds() < 600


def test_without_certificates_a_stamp_is_not_called_checked(run, stamped):
    done = run("verify", stamped)
    assert done.code == 0
    assert "is checked with --authority FILE" in done.out


def test_a_stamp_of_another_lock_fails_the_verification(run, stamped, authority):
    (stamped / "lock.json.tsr").write_bytes(authority.answer(_request_of(b"another")))
    done = run("verify", stamped)
    assert done.code == 1
    assert "stamps another file than this lock.json" in done.err


def _request_of(content):
    from equipoise.protocol.timestamp import stamp_request

    return stamp_request(content)


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (lambda study: (study / "lock.json.tsr").write_text("<html>"), 2, "no answer of a time-stamping"),
        (lambda study: (study / "lock.json.tsr").unlink(), 2, "there is no time stamp to check"),
        (lambda study: (study.parent / "authority.pem").write_text("x"), 2, "holds no certificate"),
        (lambda study: (study.parent / "authority.pem").unlink(), 2, "authority.pem: no such file"),
    ],
)
def test_a_wrong_file_beside_the_lock_is_named(run, stamped, spoil, code, said):
    spoil(stamped)
    done = run("verify", stamped, "--authority", stamped.parent / "authority.pem")
    assert said in done.err
    assert done.code == code


def test_a_study_without_a_lock_has_nothing_to_stamp(run, trial):
    done = run("stamp", trial)
    assert done.code == 2
    assert "equipoise lock" in done.err


def test_a_stamped_study_is_as_it_was_locked(run, stamped):
    assert run("check", stamped).code == 0
    copy = stamped.parent / "copy"
    shutil.copytree(stamped, copy)
    (copy / "lock.json.tsq").unlink()
    (copy / "lock.json.tsr").unlink()
    assert run("verify", copy).out.splitlines()[0] == run("verify", stamped).out.splitlines()[0]
