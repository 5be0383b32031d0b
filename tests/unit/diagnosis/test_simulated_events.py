"""What happens to simulated people after the allocation, and when, where the estimand asks for it."""

from datetime import UTC, datetime

from equipoise.diagnosis import simulate_study


def dated(protocol, survey):
    protocol["events"] = {"left": "while-on-treatment", "moved": "treatment-policy"}
    protocol["diagnosis"]["assume"]["events"] = {"left": 0.3, "moved": 0.2}


def test_events_have_a_time_where_the_estimand_asks_for_it(build):
    people = simulate_study(build(dated), 3, people=2_000).data.participants
    assert abs(people["left"].mean() - 0.3) < 0.04
    assert people["left_at"].is_not_null().equals(people["left"], check_names=False)
    assert people["left_at"].min() >= datetime(2021, 1, 1, tzinfo=UTC)
    assert people["left_at"].n_unique() > 500
    assert "moved_at" not in people.columns


def test_the_times_move_nothing_else(build):
    def undated(protocol, survey):
        dated(protocol, survey)
        protocol["events"]["left"] = "treatment-policy"

    one, other = (simulate_study(build(change), 3, people=400).data for change in (dated, undated))
    assert one.participants.drop("left_at").equals(other.participants)
