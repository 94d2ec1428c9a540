"""Messages of the embedded broker are taken whole, however many write and read at once."""

import threading

import pytest
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES

from deepcap import file_broker

MESSAGES = 300
PAYLOAD = "x" * 200_000  # written in more than one go


@pytest.fixture
def broker(tmp_path):
    folders = {name: tmp_path / name for name in ("queue", "control")}
    for folder in folders.values():
        folder.mkdir()
    options = {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "control_folder": str(folders["control"]),
    }
    return lambda: Connection("filesystem://", transport_options=options)


def test_the_project_uses_it():
    import deepcap.celery  # noqa: F401 - importing it is what installs the transport

    assert TRANSPORT_ALIASES["filesystem"] == "deepcap.file_broker:Transport"
    with Connection("filesystem://") as connection:
        assert isinstance(connection.transport, file_broker.Transport)


def test_a_reader_never_takes_half_a_message(broker, tmp_path):
    file_broker.install()

    def send():
        with broker() as connection:
            queue = connection.SimpleQueue("work")
            for number in range(MESSAGES):
                queue.put({"number": number, "payload": PAYLOAD})
            queue.close()

    taken = []
    with broker() as connection:
        queue = connection.SimpleQueue("work")
        sender = threading.Thread(target=send)
        sender.start()
        while len(taken) < MESSAGES:
            message = queue.get(timeout=30)
            taken.append(message.payload["number"])
            assert len(message.payload["payload"]) == len(PAYLOAD)
            message.ack()
        sender.join()
        queue.close()
    assert sorted(taken) == list(range(MESSAGES))
    assert not list((tmp_path / "queue").iterdir())


def test_queues_bound_by_two_are_both_in_the_table(broker):
    file_broker.install()
    with broker() as first, broker() as second:
        for connection, name in ((first, "one"), (second, "two"), (first, "one")):
            connection.SimpleQueue(name).close()
        assert second.default_channel.get_table("one") and second.default_channel.get_table("two")
