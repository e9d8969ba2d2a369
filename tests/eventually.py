"""The one way to wait in a test: look again until it holds, or fail with what was seen last."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
LOOK_AGAIN_SECONDS = 0.01


@overload
async def eventually(condition: Callable[[], Awaitable[T]], *, seconds: float = 10) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, seconds: float = 10) -> T: ...


async def eventually(condition: Callable[[], T | Awaitable[T]], *, seconds: float = 10) -> T:
    """The first true answer of ``condition``, which may be a coroutine function and may assert instead of answering.

    Level-triggered: it is asked again and again, so that nothing is missed between two looks.

    :raises AssertionError: it did not hold within ``seconds``; what it said last is told.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = condition()
            found: T = await answer if inspect.isawaitable(answer) else answer
            last: object = found
            if found:
                return found
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not hold within {seconds} s; the last answer was {last!r}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
