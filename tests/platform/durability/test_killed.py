"""The server killed while people answer: every page that was acknowledged is there, and everybody can go on.

A kill cannot tell one setting of SQLite from another, because the operating system keeps what was written. It
tells whether anything is acknowledged before it is committed, or stored by halves.
"""

import json

import pytest
from tests.platform.durability.crowd import Crowd, Person
from tests.platform.durability.living import equipoise, eventually, run, served

PEOPLE_A_ROUND = 40
PAGES = {"wellbeing": 7, "burnout": 19, "connection": None, "absence": 1, "close": None}


@pytest.fixture
def workspace(tmp_path, own_database):
    return tmp_path / "workspace"


def stored(workspace):
    """The answers of each page, by session and page."""
    return {(code, page): answers for code, page, answers, _ in json.loads(run("tell", workspace))}


def test_every_acknowledged_page_is_there_after_each_kill_and_people_go_on_where_they_were(workspace, kills):
    links = run("make", workspace, PEOPLE_A_ROUND * kills).split()
    acknowledged, interrupted = [], []
    for number in range(kills):
        mine = links[number * PEOPLE_A_ROUND : (number + 1) * PEOPLE_A_ROUND]
        crowd = killed_under_load(workspace, mine, after=13 + 10 * (number % 5))
        acknowledged += crowd.acknowledged
        interrupted += [person for person in crowd.people if "/page/" in person.path]
        found = stored(workspace)
        assert [page[:2] for page in acknowledged if page[:2] not in found] == []
        assert all(whole(page, answers) for (_, page), answers in found.items())

    assert interrupted
    with served(workspace, "--quiet") as server:
        for person in interrupted[-12:]:
            again = Person(server.port, person.name).answer(person.link)
            sent_before = {page for _, page, _ in person.acknowledged}
            assert "You have finished this survey" in again.page
            assert sent_before.isdisjoint(page for _, page, _ in again.acknowledged)
        assert server.stop()[0] == 0
    assert equipoise("work", workspace, "--once").returncode == 0
    assert equipoise("verify", workspace).returncode == 0


def killed_under_load(workspace, links, *, after):
    """Let people answer until so many pages were acknowledged, and kill the server."""
    with served(workspace, "--quiet") as server:
        crowd = Crowd(server.port, links)
        assert eventually(lambda: len(crowd.acknowledged) >= after)
        server.kill()
    crowd.gone()
    return crowd


def whole(page, answers):
    """A page is stored with all of its items or not at all."""
    number = PAGES[page]
    return bool(answers) and (number is None or len(answers) == number)
