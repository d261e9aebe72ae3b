// prometheus-cpp.cpp — what prometheus-cpp needs for what MetricsBench.swift and MetricsReadingBench.swift do.
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

static const int series = 10000;
static int rounds = 100;

static double now() {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void report(const std::string &name, double value, const char *unit) {
    std::printf("{\"name\":\"metrics.peer.prometheus-cpp.%s\",\"value\":%.1f,\"unit\":\"%s\"}\n", name.c_str(),
                value, unit);
    std::fflush(stdout);
}

// Rounds that all threads begin together and that last until the last is done, as ThreadRounds.swift has them: the
// nanoseconds of a thread for one operation in the best.
static void measure(const std::string &name, int operations, const std::function<void(int)> &body) {
    for (int threads = 1; threads <= 2; threads++) {
        std::atomic<int> arrived{0};
        std::atomic<double> begun{0}; // when the last came, from which on all can be at work
        auto meet = [&] {
            int all = (arrived.fetch_add(1) + threads) / threads * threads;
            for (int looks = 0; arrived.load() < all; looks++) {
                if (looks > 200000) std::this_thread::yield();
            }
        };
        std::vector<std::thread> others;
        for (int other = 1; other < threads; other++) {
            others.emplace_back([&] {
                for (int round = 0; round < rounds; round++) {
                    begun = now();
                    meet();
                    body(operations);
                    meet();
                }
            });
        }
        double best = INFINITY;
        for (int round = 0; round < rounds; round++) {
            begun = now();
            meet();
            body(operations);
            double start = begun;
            meet();
            best = std::min(best, now() - start);
        }
        for (auto &other : others) other.join();
        report(name + (threads == 1 ? ".1-thread" : ".2-threads"), best / operations, "ns");
    }
}

static void records() {
    prometheus::Registry registry;
    auto &family = prometheus::BuildCounter().Name("calls_total").Help("Calls.").Register(registry);
    auto &counter = family.Add({});
    measure("counter.handle", 100000, [&](int count) {
        for (int number = 0; number < count; number++) counter.Increment();
    });
    auto &durations = prometheus::BuildHistogram().Name("seconds").Help("Seconds.").Register(registry);
    auto &histogram = durations.Add(
        {}, prometheus::Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponents(std::log(0.001), std::log(4));
    std::vector<double> values(1024);
    for (double &value : values) value = std::exp(exponents(random));
    measure("histogram.11-bounds", 100000, [&](int count) {
        for (int number = 0; number < count; number++) histogram.Observe(values[number & 1023]);
    });
    measure("labelled-call.2-labels", 10000, [&](int count) {
        for (int number = 0; number < count; number++) {
            family.Add({{"method", "GET"}, {"status", "200"}}).Increment();
        }
    });
    measure("labelled-call.3-labels", 10000, [&](int count) {
        for (int number = 0; number < count; number++) {
            family.Add({{"method", "GET"}, {"path", "/api/users"}, {"status", "200"}}).Increment();
        }
    });
}

static void many() {
    std::vector<prometheus::Labels> labels;
    for (int number = 0; number < series; number++) {
        int place = static_cast<int>(number * 7919LL % series);
        labels.push_back({{"method", place % 2 == 0 ? "GET" : "POST"},
                          {"path", "/api/v1/items/" + std::to_string(place)}, {"status", "200"}});
    }
    double registering = INFINITY, exporting = INFINITY;
    for (int round = 0; round < std::max(2, rounds / 20); round++) {
        prometheus::Registry registry;
        auto &family = prometheus::BuildCounter().Name("api_requests_total").Help("Requests.").Register(registry);
        std::vector<prometheus::Counter *> counters;
        double start = now();
        for (auto &each : labels) counters.push_back(&family.Add(each));
        registering = std::min(registering, (now() - start) / series);
        for (int number = 0; number < series; number++) counters[number]->Increment(number * 7919.0);
        start = now();
        std::string text = prometheus::TextSerializer().Serialize(registry.Collect());
        exporting = std::min(exporting, (now() - start) / 1e6);
    }
    report("register.10000", registering, "ns");
    report("export.10000.prometheus", exporting, "ms");
}

int main(int count, char **arguments) {
    if (count > 1 && std::strcmp(arguments[1], "--quick") == 0) rounds = 20;
    records();
    many();
}
