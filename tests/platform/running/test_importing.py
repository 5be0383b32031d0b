"""What a process of the server has to read before it answers."""

from tests.platform.operations.copies import python

LOOK = """
import sys, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
print(sorted({"scipy", "matplotlib", "statsmodels"} & set(sys.modules)))
"""


def test_pages_are_there_without_the_libraries_that_only_analysis_and_reports_need():
    done = python(LOOK)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
