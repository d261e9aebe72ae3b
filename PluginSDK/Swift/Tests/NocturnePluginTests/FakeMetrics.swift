// FakeMetrics.swift — the host's service for metrics, as FakeHost has it. Next: MetricsTests.swift.

import CNocturne
import Glibc
import NocturnePlugin
import Synchronization

/// What is declared and recorded, in words.
enum FakeMetrics {
    private static let words = Mutex<[String]>([])
    private static let count = Mutex<Int32>(0)

    static var said: [String] { words.withLock { $0 } }

    static func clear() { words.withLock { $0 = [] } }

    private static func say(_ text: String) -> Int32 {
        words.withLock { $0.append(text) }
        return 0
    }

    private static func text(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? "-"
    }

    static let table = nocturne_host_metrics_t(
        struct_size: FakeServices.size(nocturne_host_metrics_t.self), reserved: 0,
        create: { metric in
            guard let metric = metric?.pointee else { return -EINVAL }
            var words = "\(metric.kind) \(FakeMetrics.text(metric.name))"
            for index in 0..<Int(metric.label_count) {
                guard let label = metric.labels?[index] else { continue }
                words += " \(FakeMetrics.text(label.key))=\(FakeMetrics.text(label.value))"
            }
            words += " \(FakeMetrics.text(metric.help))/\(FakeMetrics.text(metric.unit))"
            _ = FakeMetrics.say(words)
            if FakeMetrics.text(metric.name) == "taken" { return -EEXIST }
            return FakeMetrics.count.withLock { count in
                count += 1
                return count
            }
        },
        add: { metric, amount in
            metric < 0 ? metric : FakeMetrics.say("add \(amount)")
        },
        set: { metric, value in metric < 0 ? metric : FakeMetrics.say("set \(value)") },
        observe: { metric, value in metric < 0 ? metric : FakeMetrics.say("observe \(value)") },
        read: { name, buffer, room in
            guard let name else { return FakeHost.copy(Array("[1,2]".utf8), buffer, room) }
            let isThere = String(cString: name) == "there"
            return isThere ? FakeHost.copy(Array("[1]".utf8), buffer, room) : Int64(-ENOENT)
        })
}
