"""What a diagnosis simulates in full, because arrays do not have all that its analysis looks at."""

import pytest

from equipoise.diagnosis.batch.suited import why_not_drawn, why_not_fitted
from equipoise.diagnosis.claims import claims_of


def reasons(study) -> set[str | None]:
    claims = claims_of(study)
    fitted = {why_not_fitted(study, claim, ("site", "team", "age")) for claim in claims}
    return {why_not_drawn(study, claims), *fitted}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"change-from": "before", "adjust": ["strata"]}, "or at its change"),
        ({"weights": "hajek", "adjust": ["before"]}, "weights by the chance of an arm"),
    ],
)
def test_a_change_and_weights_are_not_taken_for_plain_means(build, asked, why):
    def change(protocol, survey):
        protocol["analyses"]["effect"] |= {"outcomes": ["motivation", "days"], **asked}

    assert reasons(build()) == {None}
    assert any(why in str(reason) for reason in reasons(build(change)))
