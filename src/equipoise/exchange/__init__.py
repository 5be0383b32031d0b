"""A study's data for other people's programs: described, labelled, and safe to open.

The tables are made elsewhere and come in as data frames. What the columns are is said once, by `codebook`,
and every format takes it from there.
"""

from equipoise.exchange.codebook import Codebook, Table, codebook
from equipoise.exchange.codebook_text import codebook_csv, codebook_markdown
from equipoise.exchange.data_package import data_package, data_package_text
from equipoise.exchange.masking import mask_limits, withheld
from equipoise.exchange.spreadsheets import analysis_csv, spreadsheet_csv
from equipoise.exchange.statistical_packages import Conversion, conversion_csv, write_spss, write_stata
from equipoise.exchange.variables import Variable

__all__ = [
    "Codebook",
    "Conversion",
    "Table",
    "Variable",
    "analysis_csv",
    "codebook",
    "codebook_csv",
    "codebook_markdown",
    "conversion_csv",
    "data_package",
    "data_package_text",
    "mask_limits",
    "spreadsheet_csv",
    "withheld",
    "write_spss",
    "write_stata",
]
