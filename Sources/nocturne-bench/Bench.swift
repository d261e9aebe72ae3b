// Bench.swift — nocturne-bench NAME [--quick]: measures, and prints one JSON object a line: name, value, unit and the
// floor that was measured in the same run. Next: Floor.swift, then one file for each NAME.

import Glibc
import NocturneCore
import NocturneHost

@main
enum Bench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == Floor.childArgument { Floor.runChild() }
        if arguments.first == AllocationBench.childArgument { try AllocationBench.runChild() }
        if arguments.first == CoordinationWorkBench.childArgument, let path = arguments.last {
            try await CoordinationWorkBench.runChild(path)
        }
        let isQuick = arguments.contains("--quick")
        switch arguments.first {
        case "call": try await CallBench(isQuick: isQuick).run()
        case "reload": try await ReloadBench(isQuick: isQuick).run()
        case "memory": try await MemoryBench(isQuick: isQuick).run()
        case "resolver":
            try ResolverBench(isQuick: isQuick).run()
            try SolverBench(isQuick: isQuick).run()
        case "tasks":
            // First, while nothing of this process was used and given back.
            try await TaskSizeBench(isQuick: isQuick).run()
            try await TaskRateBench(isQuick: isQuick).run()
            try await TaskDelayBench(isQuick: isQuick).run()
            try await TaskFileBench(isQuick: isQuick).run()
            try ScheduleBench(isQuick: isQuick).run()
        case "metrics": try await MetricsBench(isQuick: isQuick).run()
        case "coordination": try await CoordinationBench(isQuick: isQuick).run()
        default:
            print(
                "usage: nocturne-bench call|reload|memory|resolver|tasks|metrics|coordination "
                    + "[--quick]\nin the checkout's root: it builds plugins and other programs there"
            )
            exit(64)
        }
    }

    /// Prints one figure.
    static func report(_ name: String, _ value: Double, _ unit: String, floor: Double? = nil) {
        var object: JSONObject = [
            "name": .string(name), "value": rounded(value), "unit": .string(unit),
        ]
        if let floor { object["floor"] = rounded(floor) }
        print(JSONValue.object(object))
        fflush(nil)
    }

    private static func rounded(_ value: Double) -> JSONValue {
        let digits = value.magnitude < 10 ? 1_000.0 : 10
        return JSONValue((value * digits).rounded() / digits) ?? .null
    }
}

/// Durations of one kind, in nanoseconds.
struct Samples {
    private var values: [Int64] = []

    var isEmpty: Bool { values.isEmpty }

    mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

    /// The value below which `share` of all lie, in microseconds; the nearest rank.
    func microseconds(_ share: Double) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let rank = min(sorted.count - 1, Int(share * Double(sorted.count)))
        return Double(sorted[rank]) / 1_000
    }
}
