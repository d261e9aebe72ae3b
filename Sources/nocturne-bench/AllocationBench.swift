// AllocationBench.swift — how often recording allocates memory, counted by a malloc of our own in a process of its own.
// Next: Benchmarks/metrics/allocations.c.

import Glibc
import NocturneMetrics

struct AllocationBench {
    let isQuick: Bool
    static let childArgument = "--allocations-child"

    /// Runs this program again with a library before the C library, which counts. The child prints the rows.
    func run() throws {
        var template = Array("/tmp/nocturne-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return complain("no temporary directory") }
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let child = "\"$(readlink -f /proc/\(getpid())/exe)\" \(Self.childArgument)"
        let status = system(
            "cc -O2 -shared -fPIC Benchmarks/metrics/allocations.c -o '\(root)/count.so'"
                + " && LD_PRELOAD='\(root)/count.so' \(child); status=$?; rm -rf '\(root)'; exit $status"
        )
        if status != 0 { complain("allocations were not counted: run it in the checkout's root") }
    }

    /// Counts, as the child.
    static func runChild() throws {
        guard let symbol = dlsym(nil, "nocturne_allocations") else { exit(1) }
        let allocations = unsafeBitCast(symbol, to: (@convention(c) () -> UInt).self)
        let metrics = try MetricsBench.collector()
        let counter = try metrics.makeCounter("counter"), gauge = try metrics.makeGauge("gauge")
        let level = try metrics.makeUpDownCounter("level")
        let histogram = try metrics.makeHistogram("histogram")
        let bounded = try metrics.makeHistogram("bounded", bounds: MetricsBench.bounds)
        let summary = try metrics.makeSummary("summary")
        let values = MetricsBench.durations

        func report(_ name: String, _ body: (Int) -> Void) {
            // The first records make what a thread and a range of values need.
            for number in 0..<1_024 { body(number) }
            let before = allocations()
            for number in 0..<1_000_000 { body(number) }
            let count = Double(allocations() - before) / 1e6
            Bench.report("metrics.allocations-per-record.\(name)", count, "allocations")
        }
        report("counter") { counter.increment($0) }
        report("up-down-counter") { level.decrement($0) }
        report("gauge") { gauge.set(Double($0)) }
        report("histogram") { histogram.record(values[$0 & 1_023]) }
        report("11-bounds") { bounded.record(values[$0 & 1_023]) }
        report("summary") { summary.record(values[$0 & 1_023]) }
        // The labels' own, which Swift makes for any list.
        report("3-labels") { _ in
            metrics.increment(
                "calls", labels: ["method": "GET", "path": "/api/users", "status": "200"])
        }
        exit(0)
    }
}
