"""python-client.py — what Python's prometheus_client needs for what MetricsBench.swift and MetricsReadingBench.swift do."""

import json
import math
import random
import sys
import threading
import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

SERIES = 10_000
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
ROUNDS = 5 if "--quick" in sys.argv else 20


def report(name, value, unit):
    row = {"name": f"metrics.peer.python-client.{name}", "value": round(value, 1), "unit": unit}
    print(json.dumps(row, separators=(",", ":")), flush=True)


def measure(name, body, operations=10_000):
    """The nanoseconds of a thread for one operation, in the best round. All threads begin a round together."""
    for threads in (1, 2):
        barrier, best = threading.Barrier(threads), math.inf
        begun = [0]  # when the last came, from which on all can be at work

        def repeat():
            for _ in range(ROUNDS):
                begun[0] = time.perf_counter_ns()
                barrier.wait()
                body(operations)
                barrier.wait()

        others = [threading.Thread(target=repeat) for _ in range(1, threads)]
        for other in others:
            other.start()
        for _ in range(ROUNDS):
            begun[0] = time.perf_counter_ns()
            barrier.wait()
            body(operations)
            start = begun[0]
            barrier.wait()
            best = min(best, time.perf_counter_ns() - start)
        for other in others:
            other.join()
        report(f"{name}.{threads}-thread{'s' if threads > 1 else ''}", best / operations, "ns")


def records():
    registry = CollectorRegistry()
    counter = Counter("calls", "Calls.", registry=registry)
    histogram = Histogram("seconds", "Seconds.", buckets=BOUNDS, registry=registry)
    pairs = Counter("pairs", "Calls.", ["method", "status"], registry=registry)
    triples = Counter("triples", "Calls.", ["method", "path", "status"], registry=registry)
    values = [math.exp(random.uniform(math.log(0.001), math.log(4))) for _ in range(1_024)]

    def increments(count):
        for _ in range(count):
            counter.inc()

    def observations(count):
        for number in range(count):
            histogram.observe(values[number & 1_023])

    def calls_with_two(count):
        for _ in range(count):
            pairs.labels(method="GET", status="200").inc()

    def calls_with_three(count):
        for _ in range(count):
            triples.labels(method="GET", path="/api/users", status="200").inc()

    measure("counter.handle", increments)
    measure("histogram.11-bounds", observations)
    measure("labelled-call.2-labels", calls_with_two)
    measure("labelled-call.3-labels", calls_with_three)


def many():
    places = [number * 7_919 % SERIES for number in range(SERIES)]
    labels = [("GET" if place % 2 == 0 else "POST", f"/api/v1/items/{place}", "200") for place in places]
    best = {"register.10000": math.inf, "prometheus": math.inf, "openmetrics": math.inf}
    for _ in range(max(1, ROUNDS // 5)):
        registry = CollectorRegistry()
        family = Counter("api_requests", "Requests.", ["method", "path", "status"], registry=registry)
        start = time.perf_counter_ns()
        counters = [family.labels(*each) for each in labels]
        best["register.10000"] = min(best["register.10000"], (time.perf_counter_ns() - start) / SERIES)
        for number, each in enumerate(counters):
            each.inc(number * 7_919)
        for name, render in (("prometheus", generate_latest), ("openmetrics", generate_openmetrics)):
            start = time.perf_counter_ns()
            render(registry)
            best[name] = min(best[name], (time.perf_counter_ns() - start) / 1e6)
    report("register.10000", best["register.10000"], "ns")
    report("export.10000.prometheus", best["prometheus"], "ms")
    report("export.10000.openmetrics", best["openmetrics"], "ms")


records()
many()
