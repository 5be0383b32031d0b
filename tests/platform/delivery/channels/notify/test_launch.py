"""A study is not launched with a key that would reach nobody, or everybody."""

import pytest
from django.conf import settings as configured

from equipoise.errors import InputError
from equipoise.platform.delivery.channels import channel_of
from equipoise.platform.registry.actions import move_study
from equipoise.platform.rehearsal.notify_server.keys import Keys
from equipoise.platform.workspace import Carriers, Notify


@pytest.fixture
def named(monkeypatch):
    """A function that says how Notify is set up, and in which mode the workspace is."""

    def name(key, mode="rehearsal"):
        template = "33333333-3333-3333-3333-333333333333"
        notify = Notify(key=key, email_template=template, sms_template=template)
        carriers = Carriers(email="notify", sms="notify")
        changed = {"notify": notify, "carriers": carriers, "mode": mode}
        monkeypatch.setattr(
            configured.WORKSPACE, "settings", configured.WORKSPACE.settings.model_copy(update=changed)
        )
        monkeypatch.setenv(notify.key_from, Keys.new().key("test"))

    return name


def test_a_live_key_in_a_rehearsal_refuses_the_launch_and_opens_no_channel(add_example, alice, named):
    study = add_example()
    named("live")
    with pytest.raises(InputError, match=r"notify\.key is live in a rehearsal"):
        move_study(alice, study, "live")
    with pytest.raises(InputError, match="made-up addresses"):
        channel_of(configured.WORKSPACE, "notify")
    named("test")
    assert move_study(alice, study, "live").state == "live"


def test_a_test_key_in_a_live_workspace_refuses_the_launch_and_opens_no_channel(add_example, alice, named):
    study = add_example()
    named("test", mode="live")
    with pytest.raises(InputError, match=r"notify\.key is test in a live workspace"):
        move_study(alice, study, "live")
    with pytest.raises(InputError, match="no message would reach anybody"):
        channel_of(configured.WORKSPACE, "notify")
