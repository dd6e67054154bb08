"""Several things at once that stand and fall together, such as the two directions of one connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run_until_one_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of `work`; when one returns or raises, the others are cancelled, and its error is raised here."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()
