"""The servers that tests start for themselves."""

import socket
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests import servers
from tests.conftest import skipping_without


def answers(url):
    address = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((address.hostname, address.port)) == 0


def requiring(answer):
    return SimpleNamespace(config=SimpleNamespace(getoption=lambda name: answer))


@pytest.mark.parametrize("require", [False, True])
def test_a_missing_server_skips_with_one_line_and_fails_where_servers_are_required(monkeypatch, require):
    monkeypatch.setenv("PATH", "/nowhere")
    outcome = pytest.fail.Exception if require else pytest.skip.Exception
    with (
        pytest.raises(outcome, match=r"^skipped: Redis not found \(apt-get install redis-server\)$"),
        skipping_without(requiring(require)),
        servers.redis(),
    ):
        pass


@pytest.mark.redis
@pytest.mark.parametrize("server", [servers.redis, servers.swift], ids=["redis", "swift"])
def test_a_server_answers_while_it_is_needed_and_no_longer(request, server):
    with skipping_without(request), server() as endpoint:
        url = getattr(endpoint, "url", endpoint)
        assert answers(url)
    assert not answers(url)
