"""peer-autogen.py — what autogen-core needs for what CoordinationBench.swift and CoordinationMessageBench.swift do."""

import asyncio
import gc
import json
import statistics
import sys
import time
from dataclasses import dataclass

from autogen_core import (
    AgentId,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TypeSubscription,
    message_handler,
)

QUICK = "--quick" in sys.argv
ANSWER = "a" * 200


@dataclass
class Text:
    text: str


@dataclass
class News:
    text: str


class Listener(RoutedAgent):
    """Replies to what it is asked, and counts what everybody is told."""

    heard = 0

    def __init__(self):
        super().__init__("bench")

    @message_handler
    async def reply(self, message: Text, context: MessageContext) -> Text:
        return message

    @message_handler
    async def hear(self, message: News, context: MessageContext) -> None:
        Listener.heard += 1


def report(name, value, unit):
    row = {"name": f"coordination.peer.autogen.{name}", "value": round(value, 1), "unit": unit}
    print(json.dumps(row, separators=(",", ":")), flush=True)


def resident():
    gc.collect()
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:"))


async def started():
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    return runtime


async def agents():
    """Agents that are there and do nothing."""
    count = 2_000 if QUICK else 20_000
    runtime = await started()
    await Listener.register(runtime, "idle", Listener)
    before, start = resident(), time.perf_counter()
    for number in range(count):
        await runtime.try_get_underlying_agent_instance(AgentId("idle", f"agent-number-{number}"))
    report(f"agents-{count}.added", (time.perf_counter() - start) / count * 1e6, "us/agent")
    report(f"agents-{count}.memory", (resident() - before) / count, "B/agent")
    await runtime.stop()


async def asks():
    """One asks another, which replies at once: each time it waits for that, then 64 at once."""
    count = 1_000 if QUICK else 5_000
    runtime = await started()
    await Listener.register(runtime, "listener", Listener)
    agent, message = AgentId("listener", "one"), Text(ANSWER)
    await runtime.send_message(message, agent)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await runtime.send_message(message, agent)
        times.append(time.perf_counter() - start)
    report("ask.p50", statistics.median(times) * 1e6, "us")
    start = time.perf_counter()
    for _ in range(count // 64):
        await asyncio.gather(*(runtime.send_message(message, agent) for _ in range(64)))
    rate = count // 64 * 64 / (time.perf_counter() - start)
    report("messages.to-one", rate, "messages/s")
    await runtime.stop()


async def broadcasts():
    """One message to 100 subscribers, again and again, until all have heard everything."""
    count, best = 20 if QUICK else 100, 0.0
    runtime = await started()
    for number in range(100):
        kind = f"listener{number}"
        await Listener.register(runtime, kind, Listener)
        await runtime.add_subscription(TypeSubscription("news", kind))
    topic = DefaultTopicId(type="news")
    await runtime.publish_message(News(ANSWER), topic)
    await runtime.stop_when_idle()
    for _ in range(3):
        runtime.start()
        Listener.heard, start = 0, time.perf_counter()
        for _ in range(count):
            await runtime.publish_message(News(ANSWER), topic)
        await runtime.stop_when_idle()
        best = max(best, Listener.heard / (time.perf_counter() - start))
        if Listener.heard != 100 * count:
            raise SystemExit(f"{Listener.heard} of {100 * count} deliveries")
    report("messages.to-100", best, "deliveries/s")


async def main():
    await agents()
    await asks()
    await broadcasts()


asyncio.run(main())
