"""Named streams of chance, so that a draw added to one never moves another.

Two roots. The *allocation seed* is secret until enrolment closes and feeds `allocation`, `order` and
`vignettes`. The *analysis seed* is public (derived from the protocol's hash) and feeds `permutation`,
`imputation`, `bootstrap` and `simulation`. Keeping them apart stops a blinded analyst from re-drawing the
arms.
"""

import hashlib
from typing import Literal

import numpy as np

__all__ = ["AnalysisStream", "analysis_seed", "generator"]

AnalysisStream = Literal["permutation", "imputation", "bootstrap", "simulation"]


def analysis_seed(protocol_hash: str) -> str:
    """The public seed of a protocol's analyses: SHA-256('analysis' + protocol hash), in hexadecimal."""
    return hashlib.sha256(b"analysis" + protocol_hash.encode("ascii")).hexdigest()


def generator(root: str, stream: AnalysisStream, *names: str) -> np.random.Generator:
    """A numpy generator for one purpose.

    Args:
        root: the analysis seed, hexadecimal.
        stream: the purpose.
        names: what tells this use of the stream from others, such as an analysis and an outcome.
    Returns:
        A PCG64 generator that depends on these arguments and nothing else.
    """
    path = "\x1f".join((root, stream, *names))
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(path.encode()).digest(), "big")))
