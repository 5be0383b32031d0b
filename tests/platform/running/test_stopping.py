"""A process that is told to end, as the web server's are: it hears of it, and it ends."""

import signal
import subprocess
import sys
from textwrap import dedent

import pytest

SECONDS = 60  # far more than it takes, and the end of one that never hears


def process(body):
    """A process with this script, once it has said that it is ready."""
    script = "import signal, threading, time\nfrom equipoise.platform.processes import heed_the_stop\n"
    started = subprocess.Popen(
        [sys.executable, "-c", script + dedent(body)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert started.stdout.readline() == "ready\n"
    return started


def ended(started):
    """Its exit code; it is killed where it does not end."""
    try:
        return started.wait(SECONDS)
    finally:
        started.kill()
        started.communicate()


@pytest.mark.parametrize("told", ["SIGTERM", "SIGINT"])
def test_a_signal_is_heeded_though_the_main_thread_was_not_woken_by_it(told):
    waiting = process(
        f"""
        asked = threading.Event()
        signal.signal(signal.{told}, lambda *_: asked.set())
        heed_the_stop()

        def as_if_just_before_the_wait():
            time.sleep(0.1)
            print("ready", flush=True)
            signal.pthread_kill(threading.get_ident(), signal.{told})
            time.sleep(10 * {SECONDS})

        threading.Thread(target=as_if_just_before_the_wait, daemon=True).start()
        asked.wait()
        """
    )

    assert ended(waiting) == 0


def test_what_does_not_end_in_its_time_is_ended():
    stuck = process(
        """
        signal.signal(signal.SIGTERM, lambda *_: None)
        heed_the_stop(within=1)
        print("ready", flush=True)
        while True:
            pass
        """
    )
    stuck.send_signal(signal.SIGTERM)

    assert ended(stuck) == -signal.SIGALRM


def test_what_was_told_nothing_goes_on():
    waiting = process(
        """
        heed_the_stop(within=1)
        print("ready", flush=True)
        time.sleep(1.5)
        """
    )

    assert ended(waiting) == 0
