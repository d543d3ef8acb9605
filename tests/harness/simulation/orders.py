"""A program whose order of steps is its result."""

import asyncio

from robotape_harness.simulation import SimLoop


def run_order(loop: SimLoop, number: int = 6) -> list[int]:
    order: list[int] = []

    async def worker(name: int) -> None:
        for _ in range(3):
            order.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        for task in [loop.create_task(worker(name)) for name in range(number)]:
            await task  # and no `gather`, whose callbacks would be barriers

    loop.run_until_complete(main())
    loop.close()
    return order
