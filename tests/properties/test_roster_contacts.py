import email_validator
import phonenumbers
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.contacts import plain_phone_pattern
from equipoise.roster.values import convert

LABEL = st.text("abzAZ019-x", min_size=1, max_size=66)
ADDRESSES = st.builds(
    lambda local, labels: f"{local}@{'.'.join(labels)}",
    st.text("abZ09._+-'é ", min_size=1, max_size=66),
    st.lists(
        st.one_of(LABEL, st.sampled_from(["test", "local", "org", "xn--a", "arpa"])), min_size=1, max_size=4
    ),
)


@given(st.lists(ADDRESSES, min_size=1, max_size=20))
def test_addresses_are_judged_as_the_library_judges_them(addresses):
    read = convert(pl.Series("e", addresses), RosterColumn(type="email"))
    for address, value in zip(addresses, read.values, strict=True):
        try:
            checked = email_validator.validate_email(address.strip(), check_deliverability=False)
            assert value == checked.normalized
        except email_validator.EmailNotValidError:
            assert value is None


@given(st.lists(st.from_regex(plain_phone_pattern("GB"), fullmatch=True), min_size=1, max_size=20))
def test_a_plain_phone_number_is_valid_to_the_library_with_the_same_spelling(numbers):
    read = convert(pl.Series("p", numbers), RosterColumn(type="phone"))
    for number, value in zip(numbers, read.values, strict=True):
        parsed = phonenumbers.parse(number, "GB")
        assert phonenumbers.is_valid_number(parsed)
        assert value == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
