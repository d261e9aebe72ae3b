"""peer-langgraph.py — what langgraph needs for works that are done at once, as in CoordinationWorkBench.swift."""

import asyncio
import json
import operator
import sys
import time
from typing import Annotated, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

QUICK = "--quick" in sys.argv
WORKS = 100 if QUICK else 1_000
ANSWER = "a" * 200


class State(TypedDict):
    results: Annotated[list, operator.add]


def report(name, value, unit):
    row = {"name": f"coordination.peer.langgraph.{name}", "value": round(value, 1), "unit": unit}
    print(json.dumps(row, separators=(",", ":")), flush=True)


async def work(item):
    return {"results": [ANSWER]}


def fan_out(state):
    return [Send("work", {"item": number}) for number in range(WORKS)]


def graph(checkpointer=None):
    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_conditional_edges(START, fan_out, ["work"])
    builder.add_edge("work", END)
    return builder.compile(checkpointer=checkpointer)


async def measure(name, compiled):
    best = float("inf")
    for number in range(3):
        options = {"configurable": {"thread_id": str(number)}}
        start = time.perf_counter()
        state = await compiled.ainvoke({"results": []}, options)
        best = min(best, time.perf_counter() - start)
        if len(state["results"]) != WORKS:
            raise SystemExit(f"{len(state['results'])} of {WORKS} works")
    report(name, best / WORKS * 1e6, "us/work")


async def main():
    await measure("work.memory", graph())
    # Kept in memory too: its checkpoints in a file belong to another package.
    await measure("work.checkpoints", graph(InMemorySaver()))


asyncio.run(main())
