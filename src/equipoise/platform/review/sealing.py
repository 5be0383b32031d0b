"""Sealing: from when on the data stand, with who is excluded of what, under the locked protocol.

The seal enters one hash of all three in the study's record: the very hash that `findings.json` carries when
these data are analysed. So it can be shown later that what was analysed was there before the arms were known.
"""

import tempfile
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.findings.reading.data import read_data
from equipoise.findings.reading.hashing import data_hash, exclusions_hash, seal_of
from equipoise.platform.audit.models import Chain
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.actions import check_results, move_results
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import current_version, folder_of
from equipoise.platform.review.exporting import write_frame

__all__ = ["seal_results"]


def seal_results(who: Acting, study: Study, reason: str) -> str:
    """Fix the data: from here on nothing can be changed without showing.

    Args:
        who: needs `results.seal`.
        study: closed, so that no answer comes any more.
        reason: such as who has reviewed the data without knowing the arms.
    Returns:
        The seal: the hash of the data, the exclusions and the locked protocol.
    Raises:
        InputError: as for `move_results`; there are no data; or something was done in the study meanwhile.
    """
    check_results(who, study, "sealed", reason)
    before = _acts(study)
    parts = _hashes(study)
    sealed = seal_of(**parts)
    with writing():
        if _acts(study) != before:
            message = "something was done in this study while its data were read; seal it again"
            raise InputError(Problem(study.name, "", message))
        move_results(who, study, "sealed", reason=reason, details={"seal": sealed, **parts})
    return sealed


def _hashes(study: Study) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="equipoise-seal-") as folder:
        write_frame(study, Path(folder))
        data = read_data(folder_of(study), Path(folder))
    return {
        "data_hash": data_hash(data),
        "exclusions_hash": exclusions_hash(data),
        "protocol_hash": current_version(study).protocol_hash,
    }


def _acts(study: Study) -> int:
    """How many acts the study's record holds: whatever changes its data adds one."""
    return Chain.objects.get(name=study.name).number
