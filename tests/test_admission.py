import asyncio

import pytest

from exporter.ingest.backpressure import Backpressure, NoRoomError

FULL = 100


class Behind:
    """What is behind the door."""

    held = 0


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def door(behind):
    return Backpressure(lambda: behind.held, lambda: FULL)


async def others():
    """Let every other task come as far as it can."""
    for _ in range(9):
        await asyncio.sleep(0)


async def test_who_finds_room_does_not_wait(door):
    door.patience = 0
    await door.opened()
    with door.entering(60):
        await door.opened()


async def test_one_request_larger_than_all_room_comes_in_where_there_is_nothing_else(door):
    door.patience = 0
    await door.opened()
    with door.entering(10 * FULL), pytest.raises(NoRoomError):
        await door.opened()
    await door.opened()


async def test_who_waits_comes_in_when_there_is_room(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(door.opened())
    await others()
    door.look()
    await others()
    assert not waiting.done()
    behind.held = 0
    door.look()
    await waiting


async def test_first_come_first_served_and_no_more_than_there_is_room_for(door, behind):
    behind.held, order = FULL, []

    async def one(name):
        await door.opened()
        with door.entering(60):
            order.append(name)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(one(name)) for name in "abcd"]
    await others()
    behind.held = 0
    door.look()
    await others()
    assert order == ["a", "b"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await door.opened()


async def test_nobody_overtakes_who_waits(door, behind):
    behind.held, order = FULL, []

    async def one(name):
        await door.opened()
        order.append(name)

    first = asyncio.create_task(one("first"))
    await others()
    behind.held = 0
    door.look()
    await asyncio.gather(one("second"), first)
    assert order == ["first", "second"]


async def test_patience_ends(door, behind):
    behind.held, door.patience = FULL, 0
    with pytest.raises(NoRoomError):
        await door.opened()
    behind.held = 0
    await door.opened()


async def test_whoever_makes_room_hears_at_once_that_somebody_waits(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(door.opened())
    await asyncio.wait_for(door.pressed(60), 5)
    behind.held = 0
    door.look()
    await waiting


async def test_and_hears_it_again_only_when_more_came_in(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(door.opened())
    await door.pressed(60)
    hearing = asyncio.create_task(door.pressed(60))
    door.look()
    await others()
    assert not hearing.done()
    with door.entering(10):
        pass
    await others()
    assert hearing.done()
    waiting.cancel()


async def test_nobody_waits_and_the_time_passes(door):
    await door.pressed(0.001)
