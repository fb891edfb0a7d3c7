import asyncio

import pytest

from exporter.admission import Door, NoRoomError

FULL = 100


class Behind:
    """What is behind the door."""

    held = 0


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def door(behind):
    return Door(lambda: behind.held, lambda: FULL)


async def entered(door, size=60, most_waiting=FULL):
    """Enter and leave again: the bytes are now behind the door, or gone."""
    async with door.enter(size, most_waiting):
        pass


async def others():
    """Let every other task come as far as it can."""
    for _ in range(9):
        await asyncio.sleep(0)


async def test_who_finds_room_does_not_wait(door):
    await entered(door)
    async with door.enter(60, 0):
        await entered(door, 60, 0)


async def test_one_request_larger_than_all_room_comes_in_where_there_is_nothing_else(door):
    await entered(door, 10 * FULL, 0)


async def test_bytes_on_their_way_take_room(door):
    door.patience = 0
    async with door.enter(FULL, FULL):
        with pytest.raises(NoRoomError):
            await entered(door)
    await entered(door)


async def test_who_waits_comes_in_when_there_is_room(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(entered(door))
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
        async with door.enter(60, FULL * 9):
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
    await entered(door)


async def test_patience_ends(door, behind):
    behind.held, door.patience = FULL, 0
    with pytest.raises(NoRoomError):
        await entered(door)
    behind.held = 0
    await entered(door)


async def test_one_request_larger_than_may_wait_waits_where_nobody_else_does(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(entered(door, 60, 10))
    await others()
    behind.held = 0
    door.look()
    await waiting


async def test_no_more_wait_than_may(door, behind):
    behind.held = FULL
    waiting = asyncio.create_task(entered(door, 60, 100))
    await others()
    with pytest.raises(NoRoomError):
        await entered(door, 60, 100)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    behind.held = 0
    await entered(door, 60, 100)
