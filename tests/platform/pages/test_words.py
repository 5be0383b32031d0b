"""What the platform says: every language says everything, and fills in the same values."""

from string import Formatter

from equipoise.platform.pages.words import LANGUAGES, words_for

FAULTS = ("faults", "fault_values")  # English has these in the code; test_fault_words holds Welsh to them


def flat(words, path=()):
    for key, value in words.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield (*path, key), value


def fields(value) -> set[str]:
    texts = value if isinstance(value, list) else [str(value)]
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_says_the_same_things():
    english = dict(flat(words_for("en")))
    for language in LANGUAGES:
        said = dict(flat(words_for(language)))
        assert {path for path in said if path[0] not in FAULTS} == {
            path for path in english if path[0] not in FAULTS
        }


def test_every_language_fills_in_the_same_values():
    english = dict(flat(words_for("en")))
    for language in LANGUAGES:
        said = dict(flat(words_for(language)))
        kept = [path for path in english if path[0] not in FAULTS]
        different = {path for path in kept if fields(said[path]) != fields(english[path])}
        assert different == set()


def test_a_language_that_is_not_spoken_gets_english_and_says_so():
    assert words_for("fr-CA")["language"] == "en-GB"
    assert words_for("cy-GB")["language"] == "cy"
