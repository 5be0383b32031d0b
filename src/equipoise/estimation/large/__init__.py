"""Trials too large for memory: the linear family from sums that DuckDB takes over a Parquet file.

`linear_effect_of_file` reads the file once for the estimate and once more for its error. What is kept in
memory grows with strata, clusters and columns, never with people.
"""

from equipoise.estimation.large.effect import EffectOfFile, linear_effect_of_file
from equipoise.estimation.large.table import Table

__all__ = ["EffectOfFile", "Table", "linear_effect_of_file"]
