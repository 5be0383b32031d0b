"""Effects along a number, by dose and by wave: what is an interaction, what is only described."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

LOOK = "{outcomes: [score], contrast: texts - control, adjust: none, model: linear, at: after, by: BY}\n"
CONTRAST = "look.score.after.texts - control"


def explored(folder, frame, tmp_path, explore: str) -> Findings:
    study = load_study(folder(explore=explore))
    frame.to_csv(tmp_path / "participants.csv", index=False)
    return analyse(study, read_data(study, tmp_path / "participants.csv"))


def by(folder, frame, tmp_path, column, more="") -> Findings:
    return explored(folder, frame, tmp_path, "look: " + LOOK.replace("BY", column + more))


@pytest.fixture
def two_arms(people):
    return people[people["arm"] != "calls"].reset_index(drop=True)


class TestAlongANumber:
    def test_the_change_for_each_unit_comes_first_and_is_the_interaction(self, folder, people, tmp_path):
        results = by(folder, people, tmp_path, "age")
        kept = people[people["score"].notna()]
        fit = smf.ols("score ~ C(arm, Treatment('control')) * age", kept).fit(cov_type="HC2")
        name = "C(arm, Treatment('control'))[T.texts]:age"
        first = next(one for one in results if one.analysis == "look")
        assert first.id == f"{CONTRAST}.interaction"
        assert first.estimate == pytest.approx(fit.params[name], rel=1e-8)
        assert first.std_error == pytest.approx(fit.bse[name], rel=1e-8)
        assert first.p_value is not None

    def test_percentiles_and_thirds_have_intervals_and_no_tests_of_their_own(self, folder, people, tmp_path):
        results = by(folder, people, tmp_path, "age")
        ages = people.loc[people["score"].notna(), "age"]
        for percentile in (10, 50, 90):
            one = results.find(f"{CONTRAST}.age=p{percentile}")
            assert one.level == f"{np.percentile(ages, percentile):g} ({percentile}th percentile)"
            assert one.interval is not None
            assert one.p_value is None
        thirds = [results.find(f"{CONTRAST}.age=bin{place}") for place in (1, 2, 3)]
        assert sum(sum(one.n.values()) for one in thirds) == len(ages)
        assert results.find(f"{CONTRAST}.linearity").kind == "test"

    def test_people_whose_number_is_not_known_are_left_out_and_counted(self, folder, people, tmp_path):
        people.loc[people["score"].notna().to_numpy().nonzero()[0][:3], "age"] = np.nan
        one = by(folder, people, tmp_path, "age").find(f"{CONTRAST}.interaction")
        assert any(warning.startswith("3 people are left out") for warning in one.warnings)

    def test_a_number_that_is_the_same_for_all_is_not_estimable(self, folder, people, tmp_path):
        one = by(folder, people.assign(age=40.0), tmp_path, "age").find(CONTRAST)
        assert "is 40 for everybody analysed" in one.not_estimable


class TestByCategory:
    def test_the_interaction_comes_first_and_levels_have_no_test(self, folder, people, tmp_path):
        ids = [one.id for one in by(folder, people, tmp_path, "site") if one.analysis == "look"]
        assert ids[0].endswith(".interaction")
        level = by(folder, people, tmp_path, "site").find(f"{CONTRAST}.site=north")
        assert level.interval is not None
        assert level.p_value is None

    def test_people_whose_level_is_not_known_are_left_out_and_counted(self, folder, people, tmp_path):
        people["team"] = np.where(np.arange(len(people)) % 2 == 0, "office", "field").astype(object)
        people.loc[people["score"].notna().to_numpy().nonzero()[0][:4], "team"] = None
        results = by(folder, people, tmp_path, "team")
        levels = [results.find(f"{CONTRAST}.team={team}") for team in ("field", "office")]
        assert sum(sum(one.n.values()) for one in levels) == people["score"].notna().sum() - 4
        assert "4 people are left out because their team is not known" in levels[0].warnings

    def test_levels_are_adjusted_for_what_the_analysis_adjusts_for(self, folder, people, tmp_path):
        explore = "look: " + LOOK.replace("BY", "team_kind").replace(
            "adjust: none", "adjust: [before, strata]"
        )
        people["team_kind"] = np.where(people["team"].str[1:].astype(int) < 20, "office", "field")
        study = folder()
        protocol = (study / "protocol.yaml").read_text()
        kind = "team_kind: {type: category}\n    age: {type"
        (study / "protocol.yaml").write_text(protocol.replace("age: {type", kind))
        (study / "explore.yaml").write_text(explore)
        people.to_csv(tmp_path / "participants.csv", index=False)
        loaded = load_study(study)
        results = analyse(loaded, read_data(loaded, tmp_path / "participants.csv"))
        kept = people[people["score"].notna()].copy()
        kept["lacks"] = kept["score_before"].isna().astype(float)
        kept["before"] = kept["score_before"].fillna(kept["score_before"].mean())
        kept["cell"] = kept["team_kind"] + " " + kept["arm"]
        model = smf.ols("score ~ 0 + C(cell) + before + lacks + C(site)", kept).fit(cov_type="HC2")
        for kind in ("field", "office"):
            signs = {f"C(cell)[{kind} texts]": 1.0, f"C(cell)[{kind} control]": -1.0}
            test = model.t_test([signs.get(name, 0.0) for name in model.params.index])
            one = results.find(f"{CONTRAST}.team_kind={kind}")
            assert one.estimate == pytest.approx(float(np.squeeze(test.effect)), rel=1e-8)
            assert one.std_error == pytest.approx(float(np.squeeze(test.sd)), rel=1e-8)
            assert "adjusted for the score before and strata" in one.model

    def test_how_many_were_looked_at_and_planned_is_said_and_many_are_cautioned(
        self, folder, people, tmp_path
    ):
        one = by(folder, people, tmp_path, "site").find(f"{CONTRAST}.interaction")
        assert "1 way of telling people apart is looked at, 0 of them planned" in one.warnings
        many = "".join(f"look{n}: " + LOOK.replace("BY", "site") for n in range(5))
        one = explored(folder, people, tmp_path, many).find("look0.score.after.texts - control.interaction")
        assert any("of so many, one may well differ by chance alone" in warning for warning in one.warnings)


class TestByDose:
    def test_means_by_dose_are_of_those_offered_it_and_warn_in_the_same_sentence(
        self, folder, people, tmp_path
    ):
        dose = np.where(people["arm"] == "texts", np.arange(len(people)) % 4, 0)
        results = by(folder, people.assign(dose_opened=dose), tmp_path, "dose")
        offered = (people["arm"] == "texts") & people["score"].notna()
        means = people[offered].groupby(dose[offered])["score"].agg(["mean", "size"])
        for row in means.itertuples():
            one = results.find(f"{CONTRAST}.dose={row.Index}")
            assert (one.kind, one.arm, one.contrast) == ("mean", "texts", None)
            assert one.estimate == pytest.approx(row.mean, rel=1e-10)
            assert one.n == {"texts": row.size}
            assert "descriptive: how much people took is itself chosen after allocation" in one.model
            assert one.p_value is None
        slope = results.find(f"{CONTRAST}.linear")
        line = np.polyfit(dose[offered], people.loc[offered, "score"], 1)[0]
        assert slope.estimate == pytest.approx(line, rel=1e-8)
        assert slope.kind == "mean"

    def test_take_up_names_the_dose(self, folder, people, tmp_path):
        minutes = people.assign(minutes=np.where(people["arm"] == "texts", 5.0, 0.0))
        one = by(folder, minutes, tmp_path, "dose", ", take-up: minutes").find(f"{CONTRAST}.dose=5")
        assert one.model.startswith("mean by minutes")

    def test_data_without_any_dose_say_which_columns_were_looked_for(self, folder, people, tmp_path):
        one = by(folder, people, tmp_path, "dose").find(CONTRAST)
        assert "dose_opened and dose_weeks_received" in one.not_estimable


class TestByWeek:
    def test_weeks_of_clusters_have_errors_by_cluster(self, folder, people, tmp_path):
        weeks = np.arange(len(people)) % 2
        answered = pd.Timestamp("2021-04-27T10:00Z") + pd.to_timedelta(weeks * 7, unit="D")
        people["answered_after"] = answered.strftime("%Y-%m-%dT%H:%M:%SZ")
        results = by(folder, people, tmp_path, "week since launch", ", cluster: team")
        held = (weeks == 0) & people["score"].notna() & (people["arm"] != "calls")
        code = people["arm"].map({"control": 0, "texts": 1, "calls": 2})
        plain = linear_effect(
            people["score"][held], code[held], (-1, 1, 0), cluster=people["team"][held], variance="CR2"
        )
        one = results.find(f"{CONTRAST}.week=9")
        assert one.estimate == pytest.approx(plain.estimate, rel=1e-9)
        assert one.std_error == pytest.approx(plain.std_error, rel=1e-9)


WAVES = """\
equipoise: 1
study: {id: waves, title: A trial, kind: trial, question: Does it last?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, levels: [north, south]}
arms: {control: {}, texts: {}}
allocation: {strata: [site], ratio: equal, when: launch}
waves:
  before: {survey: nothing, opens: launch - 3 weeks, closes: launch}
  soon: {survey: nothing, opens: launch + 4 weeks, closes: launch + 6 weeks}
  later: {survey: nothing, opens: launch + 12 weeks, closes: launch + 14 weeks}
outcomes:
  score: {column: score, waves: [soon, later], role: primary, good: high}
analyses: {effect: {contrast: texts - control}}
"""


class TestByWave:
    @pytest.fixture
    def asked(self, folder, tmp_path):
        rng = np.random.default_rng(6)
        n = 160
        frame = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)]})
        frame["site"], frame["arm"] = rng.choice(["north", "south"], n), rng.choice(["control", "texts"], n)
        person = rng.normal(50, 5, n)
        frame["score_before"] = person + rng.normal(0, 2, n)
        for wave, effect in (("soon", 1.0), ("later", 3.0)):
            frame[f"score_{wave}"] = person + effect * (frame["arm"] == "texts") + rng.normal(0, 2, n)
            frame.loc[rng.random(n) < 0.2, f"score_{wave}"] = np.nan

        def found(explore):
            study = folder()
            (study / "protocol.yaml").write_text(WAVES)
            (study / "explore.yaml").write_text(explore)
            frame.to_csv(tmp_path / "participants.csv", index=False)
            loaded = load_study(study)
            return analyse(loaded, read_data(loaded, tmp_path / "participants.csv"))

        return frame, found

    def test_each_wave_and_the_change_a_week_stand_together_errors_by_participant(self, asked):
        frame, found = asked
        results = found("look: {contrast: texts - control, by: wave, adjust: none}\n")
        differences = {}
        for wave in ("soon", "later"):
            one = results.find(f"look.score.texts - control.wave={wave}")
            kept = frame[frame[f"score_{wave}"].notna()]
            means = kept.groupby("arm")[f"score_{wave}"].mean()
            differences[wave] = means["texts"] - means["control"]
            assert one.estimate == pytest.approx(differences[wave], rel=1e-9)
            assert one.n == kept["arm"].value_counts().to_dict()
            assert one.at == wave
        trend = results.find("look.score.texts - control.linear")
        assert trend.estimate == pytest.approx((differences["later"] - differences["soon"]) / 8, rel=1e-9)
        assert "clustered by participant" in trend.model
        joint = results.find("look.score.texts - control.joint")
        assert joint.p_value == pytest.approx(trend.p_value, rel=1e-8)

    def test_scores_before_and_strata_make_the_change_more_precise_and_are_named(self, asked):
        _, found = asked
        plain = found("look: {contrast: texts - control, by: wave, adjust: none}\n")
        adjusted = found("look: {contrast: texts - control, by: wave, adjust: [before, strata]}\n")
        wave = "look.score.texts - control.wave=later"
        assert adjusted.find(wave).std_error < plain.find(wave).std_error
        assert "adjusted for the score before and strata" in adjusted.find(wave).model

    def test_one_wave_after_the_allocation_cannot_grow_or_fade(self, folder, people, tmp_path):
        one = explored(folder, people, tmp_path, "look: " + LOOK.replace("BY", "wave")).find(
            "look.score.texts - control"
        )
        assert "what grows or fades needs two" in one.not_estimable
