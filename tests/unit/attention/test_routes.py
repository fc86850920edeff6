"""include/notify.yml: who is told what, and what is said of a file that is wrong."""

from __future__ import annotations

import pytest

from dti.attention.routes import Routes, WebhookChannel, load_routes
from dti.errors import ConfigError
from dti.settings import Settings
from tests.unit.attention.messages import CANARY, a_cause


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ({}, True),
        ({"severities": ["warning"]}, False),
        ({"severities": ["critical"]}, True),
        ({"feeds": ["staffing"]}, False),
        ({"feeds": ["online_services"]}, True),
        ({"agencies": ["Sở khác"]}, False),
        ({"agencies": ["Cổng Dịch vụ công tỉnh Cà Mau"], "feeds": ["online_services"]}, True),
    ],
)
def test_who_is_told_what(wish, wanted):
    channel = WebhookChannel(name="a", type="webhook", address="https://example.org", **wish)
    assert channel.wants(a_cause()) is wanted


def test_nobody_is_told_by_a_channel_that_this_channel_fails():
    channel = WebhookChannel(name="a", type="webhook", address="https://example.org")
    assert not channel.wants(a_cause(key="channel_failed/a"))
    assert channel.wants(a_cause(key="channel_failed/b"))


def written(text: str, settings: Settings) -> Routes:
    settings = settings.model_copy(update={"notify": settings.home_dir / "notify.yml"})
    settings.notify_file.write_text(text, "utf-8")
    return load_routes(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channels: [", "not YAML"),
        ("channels: [{name: a, type: pigeon}]", "pigeon"),
        ("channels: [{name: a, type: webhook}]", "give address, or connection"),
        ("channels: [{name: a, type: webhook, address: x, severities: [bad]}]", "severities"),
        (
            "channels: [{name: a, type: mail, host: mail.example.org, security: none, sender: a@b, to: [c@d]}]",
            "on this machine only",
        ),
        (
            "channels: [{name: a, type: webhook, address: x}, {name: a, type: webhook, address: y}]",
            "two channels have one name",
        ),
        ("channels: [{name: a, type: webhook, address: '${DTI_NOWHERE}'}]", "DTI_NOWHERE is not set"),
    ],
)
def test_a_broken_file_is_refused_with_the_key(settings, text, said):
    with pytest.raises(ConfigError, match=r"notify\.yml") as fault:
        written(text, settings)
    assert said in str(fault.value)


def test_a_value_that_may_be_a_secret_is_not_repeated(settings, monkeypatch):
    monkeypatch.setenv("DTI_NOTIFY_URL", CANARY)
    with pytest.raises(ConfigError) as fault:
        written(
            "channels: [{name: a, type: webhook, address: '${DTI_NOTIFY_URL}', body: '${DTI_NOTIFY_URL}'}]", settings
        )
    assert CANARY not in str(fault.value)


def test_the_example_that_ships_can_be_read(settings, monkeypatch):
    monkeypatch.setenv("DTI_NOTIFY_WEBHOOK", "https://example.org/hook")
    example = settings.include_dir / "notify.example.yml"
    routes = written(example.read_text("utf-8"), settings)
    assert [channel.name for channel in routes.channels] == ["on-duty", "digital-office"]


def test_without_a_file_nobody_is_told(settings):
    assert load_routes(settings.model_copy(update={"notify": settings.home_dir / "none.yml"})).channels == []
