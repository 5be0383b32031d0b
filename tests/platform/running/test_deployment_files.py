"""What lies in `deploy` can be used as it is, and the guide says what the commands take."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from equipoise.cli import app
from equipoise.platform.workspace import KEY_FILES

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs" / "how-to" / "deploy.md").read_text("utf-8")
UNITS = sorted(DEPLOY.glob("*.service"))


def understood(words):
    """Whether the command line takes these words; nothing is run."""
    group = typer.main.get_command(app)
    while isinstance(group.commands.get(words[0]), type(group)):
        group, words = group.commands[words[0]], words[1:]
    group.commands[words[0]].make_context(words[0], list(words[1:]))
    return True


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is(unit):
    command = re.search(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.MULTILINE)[1]

    assert command.startswith("/opt/equipoise/bin/equipoise ")
    assert understood(shlex.split(command)[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_one_that_systemd_understands(unit, tmp_path):
    for each in UNITS:
        text = each.read_text("utf-8").replace("/opt/equipoise/bin/equipoise", sys.executable)
        (tmp_path / each.name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if "equipoise" in line] == []
    assert done.returncode == 0


def test_the_container_starts_a_command_that_there_is():
    text = (DEPLOY / "Containerfile").read_text("utf-8")

    assert 'ENTRYPOINT ["equipoise"]' in text
    assert understood(re.findall(r'"([^"]*)"', re.search(r"^CMD (.*)$", text, re.MULTILINE)[1]))
    assert text.index("USER equipoise") < text.index("ENTRYPOINT")


def test_both_proxies_throw_away_what_the_caller_claims_and_log_no_token():
    nginx, caddy = (DEPLOY / "nginx.conf").read_text("utf-8"), (DEPLOY / "Caddyfile").read_text("utf-8")

    for header, value in (
        ("X-Forwarded-For", "$remote_addr"),
        ("X-Forwarded-Proto", "$scheme"),
        ("X-Forwarded-Host", '""'),
        ("Forwarded", '""'),
        ("Host", "$host"),
    ):
        assert f"proxy_set_header {header} {value};" in nginx
    logged = re.search(r"log_format equipoise '([^']*)'", nginx)[1]
    assert {"$request_uri", "$uri", "$request", "$args", "$remote_addr", "$http_referer"}.isdisjoint(
        logged.split()
    )
    assert "header_up -Forwarded" in caddy
    assert re.search(r"^\s*log\b", caddy, re.MULTILINE) is None


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
def test_nginx_understands_its_example(tmp_path):
    text = re.sub(
        r"^\s*ssl_certificate.*$", "", (DEPLOY / "nginx.conf").read_text("utf-8"), flags=re.MULTILINE
    )
    text = text.replace("443 ssl", "8443").replace(":80;", ":8080;").replace("/var/log/nginx", str(tmp_path))
    place = tmp_path / "nginx.conf"
    place.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    done = subprocess.run(["nginx", "-t", "-c", place], capture_output=True, text=True, check=False)

    assert "syntax is ok" in done.stderr, done.stderr


def test_every_command_of_the_guide_is_one_that_there_is():
    lines = [
        line for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()
    ]
    commands = [re.search(r"(?:^|/bin/)equipoise (.*)$", line) for line in lines]
    found = [shlex.split(match[1].partition(" > ")[0]) for match in commands if match]

    assert len(found) >= 4
    assert all(understood(words) for words in found)


def test_the_guide_names_every_key_and_every_file_that_lies_beside_it():
    assert all(f"EQUIPOISE_KEY_{name.upper().replace('-', '_')}" in GUIDE for name in KEY_FILES)
    assert all(f"deploy/{path.name}" in GUIDE for path in DEPLOY.iterdir())
