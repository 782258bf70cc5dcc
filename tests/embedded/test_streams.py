"""Events as they happen: handed out after the commit, to whoever follows that workspace."""

import asyncio

import pytest

from molecule_mcp.embedded.streams import BUFFER, Hub


def lines(hub: Hub, queue: "asyncio.Queue[bytes | None]") -> list[bytes | None]:
    hub.settle(committed=True)
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_an_event_is_one_data_line_of_json_for_the_readers_of_its_workspace() -> None:
    hub = Hub()
    with hub.reader("a") as one, hub.reader("a") as two, hub.reader("b") as other:
        hub.publish("a", "AGENT_MESSAGE", 1795417185082, {"message": "ä\nb"})
        expected = 'data: {"type":"AGENT_MESSAGE","timestamp":1795417185082,"data":{"message":"ä\\nb"}}\n\n'.encode()
        assert lines(hub, one) == [expected]
        assert (lines(hub, two), lines(hub, other)) == ([expected], [])


def test_what_was_rolled_back_never_happened() -> None:
    hub = Hub()
    with hub.reader("a") as queue:
        hub.publish("a", "X", 1, {})
        hub.settle(committed=False)
        assert lines(hub, queue) == []


def test_a_slow_reader_loses_events_and_nobody_waits_for_it() -> None:
    hub = Hub()
    with hub.reader("a") as queue:
        for number in range(BUFFER + 5):
            hub.publish("a", "X", number, {})
        assert len(lines(hub, queue)) == BUFFER


@pytest.mark.parametrize("behind", [0, BUFFER])
def test_closing_ends_every_reader_even_one_that_is_behind(behind: int) -> None:
    hub = Hub()
    with hub.reader("a") as queue:
        for number in range(behind):
            hub.publish("a", "X", number, {})
        hub.settle(committed=True)
        hub.close()
        assert lines(hub, queue) == [None]


def test_events_without_a_reader_are_not_kept() -> None:
    hub = Hub()
    with hub.reader("a"):
        pass
    hub.publish("a", "X", 1, {})
    with hub.reader("a") as queue:
        assert lines(hub, queue) == []
