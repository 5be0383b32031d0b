"""What the source never does: run text as code, hand text to a shell, read objects from bytes, ask the network."""

import ast
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "src" / "equipoise"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PLATFORM = [path for path in SOURCES if "platform" in path.relative_to(PACKAGE).parts]
TEMPLATES = sorted((PACKAGE / "platform").rglob("*.html"))

CODE = {"eval", "exec", "compile", "__import__"}
OBJECTS = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
CLIENTS = {"requests", "httpx", "aiohttp", "urllib3", "http.client", "urllib.request", "ftplib", "pycurl"}
# Who speaks HTTP all the same, and to whom.
ASKING = {
    "platform/delivery/channels/notify/client.py": "GOV.UK Notify, which the workspace names",
    "platform/rehearsal/notify_server/calling_back.py": "a rehearsal's own platform, on this machine",
    "platform/rehearsal/cast/browser.py": "the same",
}
STATEMENTS = {"execute", "executemany", "executescript"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput"}
# Pragmas with names and numbers of the source itself.
MADE_SQL = {
    "platform/startup.py",
    "platform/database.py",
    "platform/kept.py",
    "platform/operations/databases.py",
    "platform/delivery/engine/events.py",  # as many placeholders as there are rows
    "platform/delivery/engine/rechecking.py",
    "platform/delivery/engine/settling.py",
    "platform/delivery/planning/planned.py",  # the query inside is Django's own, its values apart
}


def place(path):
    return path.relative_to(PACKAGE).as_posix()


@cache
def nodes(path):
    """Everything that a module says, read once for all rules."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def calls(path):
    """The last word of what is called, the call, by line."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "id", getattr(called, "attr", ""))
            yield name, node, isinstance(called, ast.Name)


def written_out(path):
    """The names of a module's own constants that are texts."""
    return {
        node.targets[0].id
        for node in ast.iter_child_nodes(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def one_name(node):
    return node.id if isinstance(node, ast.Name) else None


def imported(path):
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_no_text_is_run_as_code_and_no_object_is_read_from_bytes():
    for path in SOURCES:
        assert not [name for name, _, bare in calls(path) if bare and name in CODE], place(path)
        assert not [name for name in imported(path) if name.partition(".")[0] in OBJECTS], place(path)


def test_no_text_is_handed_to_a_shell():
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert not [each for _, call, _ in calls(path) for each in call.keywords if each.arg == "shell"], (
            place(path)
        )
        assert not re.search(rf"\b(os|subprocess)\.({'|'.join(SHELLS)})\(", text), place(path)


def test_nothing_asks_an_address_on_the_network():
    """Mail is sent by Django, and a provider of sign-in asked by django-allauth: those that the workspace names."""
    for path in SOURCES:
        assert place(path) in ASKING or not CLIENTS & set(imported(path)), place(path)


def test_values_never_become_part_of_a_statement():
    for path in PLATFORM:
        methods = {name: call for name, call, bare in calls(path) if not bare}
        assert not {"raw", "extra", "RawSQL"} & set(methods), place(path)
        if place(path) not in MADE_SQL:
            said = [call.args[0] for name, call, bare in calls(path) if name in STATEMENTS and not bare]
            written = written_out(path)
            assert [
                one for one in said if not isinstance(one, ast.Constant) and one_name(one) not in written
            ] == [], place(path)


def test_secrets_never_come_from_a_predictable_generator():
    for path in PLATFORM:
        assert not {"random", "uuid"} & {name.partition(".")[0] for name in imported(path)}, place(path)


def test_no_template_is_made_of_text_that_somebody_typed():
    for path in PLATFORM:
        made = {name for name, _, _ in calls(path)} & {"from_string", "Template", "mark_safe", "SafeString"}
        assert not made, place(path)


def test_the_rules_find_what_they_look_for(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import pickle, random\nfrom urllib import request\neval('1')\nx.raw('')\nrun(shell=True)\n"
    )
    assert {"eval", "raw", "run"} <= {name for name, _, _ in calls(bad)}
    assert {"pickle", "random", "urllib.request"} <= set(imported(bad))


def test_no_template_turns_escaping_off_but_for_words_of_its_own():
    assert len(TEMPLATES) > 20
    off = re.compile(r"[^'\"\s]\s*\|\s*safe\b|autoescape\s+(false|off)", re.IGNORECASE)
    assert [path.name for path in TEMPLATES if off.search(path.read_text("utf-8"))] == []
