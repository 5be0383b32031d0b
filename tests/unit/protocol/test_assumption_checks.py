"""Assumptions that contradict each other or the design are refused when the protocol is read."""

import pytest

from equipoise.errors import ProtocolError
from equipoise.protocol import load_study
from equipoise.protocol.checks.correlations import correlation_matrix

ASSUMED = "    wellbeing: {mean: 23.5, sd: 3.9, effect: 0.78}"
DAYS = "    days: {mean: 1, sd: 2}"
RESPONSE = "    response: {before: 0.4, after: 0.3}"
FILE = "protocol.yaml"

WRONG = {
    "a mean off the scale": (
        ("mean: 23.5", "mean: 36"),
        ':59: diagnosis.assume.wellbeing.mean: a mean of 36 on a scale from 7 to 35',
    ),
    "an SD that nobody could have": (
        ("sd: 3.9", "sd: 15"),
        ':59: diagnosis.assume.wellbeing.sd: an SD of 15 on a scale from 7 to 35: with a mean of 23.5 it is 13.8 at most, when everybody is at one end or the other',
    ),
    "an effect beyond the scale": (
        ("effect: 0.78", "effect: 12"),
        ':59: diagnosis.assume.wellbeing.effect: an effect of 12 takes a mean of 23.5 to 35.5, and the scale runs from 7 to 35; there is room for effects from -16.5 to 11.5',
    ),
    "a subgroup's effect beyond the scale": (
        ("effect: 0.78", "effect: [{arm: texts, constant: 6}, {arm: texts, constant: 6, when: {team: one}}]"),
        ':59: diagnosis.assume.wellbeing.effect: an effect of 12 takes a mean of 23.5 to 35.5, and the scale runs from 7 to 35; there is room for effects from -16.5 to 11.5',
    ),
    "a count that would fall below nothing": (
        ("{mean: 1, sd: 2}", "{mean: 1, sd: 2, effect: -1.5}"),
        ':60: diagnosis.assume.days.effect: an effect of -1.5 takes a mean of 1 to -0.5, and the scale runs from 0 to 20; there is room for effects from -1 to 19',
    ),
    "a subgroup that there is not": (
        ("effect: 0.78", "effect: {arm: texts, constant: 1, when: {team: three}}"),
        ':59: diagnosis.assume.wellbeing.effect.when.team: "three" is not a level of team. Levels: one, two.',
    ),
    "a subgroup by a column that there is not": (
        ("effect: 0.78", "effect: {arm: texts, constant: 1, when: {teem: one}}"),
        ':59: diagnosis.assume.wellbeing.effect.when.teem: "teem" is not an attribute of the roster. Columns: team, age, started_on. Did you mean "team"?',
    ),
    "a response over one in an arm": (
        (RESPONSE, "    response: {before: 0.4, after: 0.95, differs-by-arm: 0.2}"),
        ':61: diagnosis.assume.response.differs-by-arm: with a response of 0.95 to after, a difference of 0.2 by arm would have 1.05 of the arm "texts" answer; it can be 0.1 at most, either way',
    ),
    "an uptake over one": (
        (RESPONSE, f"{RESPONSE}\n    uptake: 1.2"),
        ":62: diagnosis.assume.uptake: input should be less than or equal to 1, found 1.2",
    ),
    "an event with a share over one": (
        (RESPONSE, f"{RESPONSE}\n    events: {{complaint: 1.5}}"),
        ":62: diagnosis.assume.events.complaint: happens to a share of the people, between 0 and 1; found 1.5",
    ),
    "doses whose shares do not add up": (
        (RESPONSE, f"{RESPONSE}\n    dose: {{0.5: 0.3, 1: 0.6}}"),
        ":62: diagnosis.assume.dose: the shares of those who take so much add up to 0.9; they have to be 0 or more and add up to 1",
    ),
    "an outcome that is to correlate with itself": (
        (RESPONSE, f"{RESPONSE}\n    correlations: {{days: {{days: 0.5}}}}"),
        ":62: diagnosis.assume.correlations.days.days: an outcome correlates with itself by 1; leave it out",
    ),
    "a pair with two correlations": (
        (RESPONSE, f"{RESPONSE}\n    correlations: {{days: {{wellbeing: 0.5}}, wellbeing: {{days: 0.4}}}}"),
        ":62: diagnosis.assume.correlations.wellbeing.days: wellbeing with days stands twice; keep one",
    ),
    "a correlation over one": (
        (RESPONSE, f"{RESPONSE}\n    correlations: {{days: {{wellbeing: -1.5}}}}"),
        ":62: diagnosis.assume.correlations.days.wellbeing: a correlation is between -1 and 1, found -1.5",
    ),
    "outcomes alike at each wave that change differently": (
        (ASSUMED, f"    correlation: 0.9\n{ASSUMED[:-1]}, before-after correlation: 0.9}}"),
        ":60: diagnosis.assume.wellbeing: wellbeing and days correlate by -0.9, and from before to after the one by 0.9, the other by 0: with those, their correlation is 0.847 at most",
    ),
    "likeness in clusters where there are none": (
        ("{mean: 1, sd: 2}", "{mean: 1, sd: 2, icc: 0.1}"),
        ":60: diagnosis.assume.days.icc: an intracluster correlation, and no clusters are allocated; leave it out",
    ),
    "people of a cluster more unlike than they could be": (
        ("arms:\n", "units:\n  class: {people: 5, icc: -0.4}\narms:\n"),
        ":22: units.class.icc: an intracluster correlation of -0.4 among 5 people; in clusters of that size it is -0.25 at least",
    ),
    "strata with fewer people than arms": (
        ("participants:\n", "participants:\n  expected: 3\n"),
        ":26: allocation.main.strata: 3 people are expected in 2 strata, 1.5 in each, and there are 2 arms: many strata could not have them all. Have 1 strata or fewer, or 4 people or more",
    ),
    "a cost below nothing": (
        ("progression:\n", "  costs: {person: -5}\nprogression:\n"),
        ":62: diagnosis.costs.person: input should be greater than or equal to 0, found -5",
    ),
    "a design with a wave that there is not": (
        ("progression:\n", "  designs: {no-before: {response: {befor: 0}}}\nprogression:\n"),
        ':62: diagnosis.designs.no-before.response.befor: "befor" is not a wave of this study. Waves: before, after. Did you mean "before"?',
    ),
    "a design that could not be run": (
        ("progression:\n", "  designs: {by-age: {strata: [aeg]}}\nprogression:\n"),
        ':62: diagnosis.designs.by-age: as this design, allocation.main.strata.0: "aeg" is not a roster or derived column, or a unit. Columns: ref, mobile, team, age, started_on, older. Did you mean "age"?',
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", WRONG)
def test_it_is_told_where_with_its_numbers_and_what_would_be_possible(problems, title):
    (old, new), told = WRONG[title]
    assert problems((FILE, old, new)) == [f"small/protocol.yaml{told}"]


def three_outcomes(folder, correlations: str) -> None:
    protocol = folder / FILE
    text = protocol.read_text("utf-8")
    more = "  off: {question: feeling.off, waves: [after], scale: yes-no, good: low}\nharms:"
    text = text.replace("harms:", more, 1).replace("then: [days]", "then: [days, off]")
    text = text.replace(DAYS, f"{DAYS}\n    off: {{mean: 0.3}}\n    correlations: {correlations}")
    protocol.write_text(text, "utf-8")


def test_correlations_that_contradict_each_other_are_named_with_the_share_that_would_do(small):
    # Eigenvalues of a matrix with 0.9, 0.9 and -0.9: 1.9, 1.9 and -0.8; 1 / 1.8 = 0.555 of them is possible.
    three_outcomes(small, "{wellbeing: {days: 0.9, off: 0.9}, days: {off: -0.9}}")
    told = (
        "small/protocol.yaml:63: diagnosis.assume.correlations: the correlations among wellbeing, days, off "
        "contradict each other: no scores have them all (smallest eigenvalue -0.8). All of them multiplied by "
        "0.555 are possible"
    )
    with pytest.raises(ProtocolError) as refused:
        load_study(small)
    assert told in str(refused.value).splitlines()


def test_the_share_that_would_do_does(small):
    three_outcomes(small, "{wellbeing: {days: 0.499, off: 0.499}, days: {off: -0.499}}")
    assert load_study(small).protocol.diagnosis.assume.correlations["days"] == {"off": -0.499}


def test_pairs_that_are_not_given_have_the_common_correlation_in_the_good_direction(small):
    three_outcomes(small, "{wellbeing: {days: -0.6}}")
    assert correlation_matrix(load_study(small).protocol).tolist() == [
        [1.0, -0.6, -0.3],
        [-0.6, 1.0, 0.3],
        [-0.3, 0.3, 1.0],
    ]
