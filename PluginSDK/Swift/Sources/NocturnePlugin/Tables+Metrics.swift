// Tables+Metrics.swift — the host's table for what a plugin measures. Next: Metrics.swift.

internal import CNocturne
internal import Glibc

struct MetricsTable: Sendable {
    private let body: nocturne_host_metrics_t

    init?(_ table: nocturne_host_metrics_t) {
        guard table.create != nil, table.add != nil, table.set != nil, table.observe != nil,
            table.read != nil
        else { return nil }
        body = table
    }

    /// The number of a series, or a negative error: the host has logged why.
    func create(_ series: DeclaredSeries) -> Int32 {
        // All texts one after another, each with its NUL, so that the fields can point into them.
        let texts =
            [series.name, series.help, series.unit] + series.labels.flatMap { [$0.name, $0.value] }
        guard texts.allSatisfy({ !$0.utf8.contains(0) }) else { return -EINVAL }
        var characters: [CChar] = []
        var places: [Int] = []
        for text in texts {
            places.append(characters.count)
            characters.append(contentsOf: text.utf8CString)
        }
        return characters.withUnsafeBufferPointer { characters in
            guard let base = characters.baseAddress else { return -EINVAL }
            let labels = stride(from: 3, to: places.count, by: 2).map {
                nocturne_field_t(key: base + places[$0], value: base + places[$0 + 1])
            }
            return labels.withUnsafeBufferPointer { labels in
                var metric = nocturne_metric_t(
                    struct_size: UInt32(MemoryLayout<nocturne_metric_t>.size), kind: series.kind,
                    name: base, help: base + places[1], unit: base + places[2],
                    labels: labels.baseAddress, label_count: UInt32(labels.count), reserved: 0)
                return body.create(&metric)
            }
        }
    }

    func add(_ number: Int32, _ amount: Double) { _ = body.add(number, amount) }
    func set(_ number: Int32, _ value: Double) { _ = body.set(number, value) }
    func observe(_ number: Int32, _ value: Double) { _ = body.observe(number, value) }

    func read(_ name: String?) throws(HostError) -> [UInt8]? {
        let what = name.map { "metric \($0)" } ?? "metrics"
        do throws(HostError) {
            guard let name else { return try readAll(what) { body.read(nil, $0, $1) } }
            try checkText(name, what)
            return try readAll(what) { body.read(name, $0, $1) }
        } catch .failed(_, ENOSYS) {
            throw .unavailable(service: NOCTURNE_HOST_METRICS)
        }
    }
}
