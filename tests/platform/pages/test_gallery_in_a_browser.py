"""Every kind of question in every state in a browser: axe, narrow windows, large text, chosen colours, keyboard."""

import pytest
from tests.platform.markup import (
    assert_fit_at_every_width,
    assert_no_axe_violations,
    assert_nothing_scrolls_sideways,
    chromium,
    show,
    show_each,
)
from tests.platform.pages.gallery import KINDS, gallery, participant_page

pytestmark = pytest.mark.browser

PAGES = gallery()
FIELDS = "main input, main select, main textarea, main a, main button"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def shown(browser):
    """A function that shows a page of the gallery, without scripts unless they are asked for."""
    contexts = []

    def open_page(html, width, **options):
        options = {"java_script_enabled": False, **options}
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        return show(contexts[-1], html)

    yield open_page
    for context in contexts:
        context.close()


def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser):
    seen = set()
    for name, page in show_each(browser.new_context(), PAGES):
        assert_fit_at_every_width(page)
        seen.add(name)
    assert seen == set(PAGES)


@pytest.mark.parametrize("name", ["wrong", "welsh", "items", "office", "sign-in"])
def test_text_of_twice_the_size_stays_in_the_window(shown, name):
    large = PAGES[name].replace("</head>", "<style>html { font-size: 200% }</style></head>")
    page = shown(large, 640)
    assert_nothing_scrolls_sideways(page)
    covered = page.evaluate(
        """() => [...document.querySelectorAll('main label, main legend, main p, main th, main td')]
        .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'hidden'
                       && !one.closest('.govuk-visually-hidden'))
        .map(one => one.outerHTML)"""
    )
    assert covered == []


@pytest.mark.parametrize("name", ["answered", "wrong", "office"])
def test_axe_finds_nothing_in_colours_that_the_reader_chose(shown, name):
    page = shown(PAGES[name], 1280, forced_colors="active", java_script_enabled=True)
    assert_no_axe_violations(page)


def test_a_chosen_answer_and_the_focus_are_seen_in_chosen_colours(shown):
    page = shown(PAGES["answered"], 1280, forced_colors="active")
    page.locator("#scale-calm--2").focus()
    look = page.locator('label[for="scale-calm--2"]').evaluate(
        """label => ({ring: getComputedStyle(label, '::before').outlineStyle,
                      dot: getComputedStyle(label, '::after').opacity})"""
    )
    assert look == {"ring": "solid", "dot": "1"}


def test_the_error_summary_has_the_focus_without_a_script_and_leads_to_the_field(shown):
    page = shown(PAGES["wrong"], 360)
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    for link in page.locator(".govuk-error-summary a").all():
        link.focus()
        page.keyboard.press("Enter")
        target = link.get_attribute("href")
        assert page.evaluate("'#' + document.activeElement.id") == target
        assert (
            page.locator(str(target)).is_visible()
            or page.locator(f'label[for="{str(target)[1:]}"]').is_visible()
        )


def test_the_keyboard_alone_answers_every_kind_of_question(shown):
    page = shown(PAGES["blank"], 320)
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name")
        kind = page.evaluate("document.activeElement.type")
        if name in reached or not name or name == "later":
            continue
        reached.add(name)
        if kind in ("radio", "checkbox"):
            page.keyboard.press("Space")
        elif kind == "select-one":
            page.keyboard.press("ArrowDown")
        else:
            page.keyboard.type("12")
    sent = page.evaluate("Object.fromEntries(new FormData(document.querySelector('form')))")
    wanted = {asked.key for asked in KINDS if asked.kind in ("choice", "choices", "number", "text", "slider")}
    assert {name for name in wanted if sent.get(name)} == wanted
    assert sent["first.pay"] == "1"
    assert sent["money.team"] == sent["began__year"] == "12"


def test_every_field_shows_where_the_focus_is(shown):
    page = shown(PAGES["blank"], 1280)
    unseen = []
    for _ in range(70):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const at = document.activeElement;
            if (at === document.body || at.tagName === 'VIDEO') return true;
            const label = at.labels && at.labels[0];
            const looks = [getComputedStyle(at)].concat(label ? [getComputedStyle(label, '::before')] : []);
            return looks.some(look => look.boxShadow !== 'none' || look.outlineStyle !== 'none'); }"""
        )
        if not seen:
            unseen.append(page.evaluate("document.activeElement.outerHTML"))
    assert unseen == []


def test_items_stand_one_under_the_other_on_a_phone_and_in_a_row_on_a_wide_window(shown):
    def tops(width):
        page = shown(PAGES["items"], width)
        return {round(box.bounding_box()["y"]) for box in page.locator('[name="scale.item_1"]').all()[:5]}

    assert len(tops(320)) == 5
    assert len(tops(1280)) == 1


def test_what_is_touched_is_large_enough_for_a_finger(shown):
    page = shown(PAGES["blank"], 320)
    small = page.evaluate(
        """fields => [...document.querySelectorAll(fields)].map(one => [one, one.getBoundingClientRect()])
        .filter(([one, box]) => box.height < 24 && !one.closest('p, li')).map(([one, box]) => one.outerHTML)""",
        FIELDS,
    )
    assert small == []


def test_a_slider_answers_nothing_until_it_is_moved(shown):
    asked = next(asked for asked in KINDS if asked.kind == "slider")
    page = shown(participant_page((asked,), scripts=["slider"]), 320, java_script_enabled=True)
    slider = page.get_by_role("slider")
    assert page.locator("#warm").input_value() == ""
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#warm").input_value() == "55"
    page.locator("#warm").fill("20")
    assert slider.input_value() == "20"
    assert_no_axe_violations(page)


def test_paper_has_the_questions_and_not_the_buttons(shown):
    page = shown(PAGES["answered"], 800)
    page.emulate_media(media="print")
    assert not page.locator(".govuk-button-group").is_visible()
    assert not page.locator(".govuk-back-link").is_visible()
    assert page.locator("legend").first.is_visible()
