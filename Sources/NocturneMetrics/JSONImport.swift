// JSONImport.swift — metrics from the JSON of an export, of which nothing is believed. Next: CSVExport.swift.

public import NocturneCore

extension Exposition {
    /// The snapshots that an export as JSON was made of, and when; equal in every number.
    ///
    /// Unknown fields are ignored, as is what follows from others: `value` where there are `whole` and `fraction`, and
    /// percentiles.
    ///
    /// - Parameter json: at most 16 MiB with 2^20 values.
    /// - Throws: ``MetricsError/invalidExport(_:)``, which says where.
    public static func read(
        _ json: [UInt8]
    ) throws(MetricsError) -> (snapshots: [MetricSnapshot], time: UnixTime) {
        let document: JSONValue
        do {
            document = try JSONParser.parse(json)
        } catch {
            throw .invalidExport("\(error)")
        }
        let root = ImportedObject(document, at: "")
        var snapshots: [MetricSnapshot] = []
        for metric in try root.objects("metrics") { snapshots.append(try metric.metric()) }
        return (snapshots, UnixTime(milliseconds: try root.integer("time")))
    }
}

/// A place in a document where an object should be.
private struct ImportedObject {
    private let value: JSONValue
    private let place: String

    init(_ value: JSONValue, at place: String) { (self.value, self.place) = (value, place) }

    // MARK: - Fields

    private func wrong(_ field: String, _ expected: String) -> MetricsError {
        .invalidExport("\(place.isEmpty ? "" : place + ".")\(field) must be \(expected)")
    }

    func has(_ field: String) -> Bool { value[field] != nil }

    func string(_ field: String) throws(MetricsError) -> String {
        guard let text = value[field]?.string else { throw wrong(field, "a string") }
        return text
    }

    func integer(_ field: String) throws(MetricsError) -> Int64 {
        guard let number = value[field]?.int else { throw wrong(field, "a whole number") }
        return number
    }

    func count(_ field: String) throws(MetricsError) -> UInt64 {
        guard let count = value[field].flatMap(Self.count) else { throw wrong(field, Self.aCount) }
        return count
    }

    func number(_ field: String) throws(MetricsError) -> Double {
        guard let number = value[field].flatMap(Self.number) else {
            throw wrong(field, "a number, \"NaN\", \"+Inf\" or \"-Inf\"")
        }
        return number
    }

    func object(_ field: String) -> ImportedObject {
        ImportedObject(value[field] ?? .null, at: place.isEmpty ? field : "\(place).\(field)")
    }

    func elements(_ field: String) throws(MetricsError) -> [JSONValue] {
        guard let elements = value[field]?.array else { throw wrong(field, "an array") }
        return elements
    }

    func objects(_ field: String) throws(MetricsError) -> [ImportedObject] {
        let outer = object(field)
        return try elements(field).enumerated().map { index, element in
            ImportedObject(element, at: "\(outer.place)[\(index)]")
        }
    }

    private static let aCount = "a whole number from 0 to 2^64 - 1"

    private static func count(_ value: JSONValue) -> UInt64? {
        value.number.flatMap { UInt64($0.literal) }
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value.string {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case nil: value.double
        default: nil
        }
    }

    // MARK: - What they make

    func metric() throws(MetricsError) -> MetricSnapshot {
        guard let kind = MetricKind(rawValue: try string("kind")) else {
            let names = MetricKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong("kind", "one of \(names)")
        }
        let name = try string("name")
        if let problem = MetricName.check(name) { throw .invalidName("metric", name, problem) }
        var series: [SeriesSnapshot] = []
        for one in try objects("series") { series.append(try one.series(of: kind)) }
        return MetricSnapshot(
            name: name, kind: kind, help: try string("help"),
            unit: has("unit") ? try string("unit") : nil, series: series)
    }

    private func series(of kind: MetricKind) throws(MetricsError) -> SeriesSnapshot {
        guard let fields = value["labels"]?.object else { throw wrong("labels", "an object") }
        var labels: [(String, String)] = []
        for (name, value) in fields {
            guard let value = value.string else { throw wrong("labels", "an object of strings") }
            if let problem = MetricName.checkLabel(name) {
                throw .invalidName("label", name, problem)
            }
            labels.append((name, value))
        }
        let value: SeriesValue
        switch kind {
        case .counter, .upDownCounter: value = .amount(try amount())
        case .gauge: value = .level(try number("value"))
        case .histogram, .summary: value = .distribution(try distribution())
        }
        return SeriesSnapshot(
            identity: SeriesIdentity(labels: Labels(labels)),
            created: UnixTime(milliseconds: try integer("created")), value: value)
    }

    private func amount() throws(MetricsError) -> Amount {
        guard has("fraction") else { return Amount(whole: try integer("value")) }
        return Amount(whole: try integer("whole"), fraction: try number("fraction"))
    }

    private func distribution() throws(MetricsError) -> Distribution {
        var range: ClosedRange<Double>?
        if has("min") {
            let (least, greatest) = (try number("min"), try number("max"))
            guard least <= greatest else { throw wrong("max", "at least min") }
            range = least...greatest
        }
        var (bounds, boundCounts): ([Double], [UInt64]) = ([], [])
        if has("bounds") {
            bounds = try elements("bounds").compactMap(Self.number)
            boundCounts = try elements("boundCounts").compactMap(Self.count)
            let isRising = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
            guard isRising, bounds.allSatisfy(\.isFinite), !bounds.isEmpty,
                try bounds.count == elements("bounds").count
            else { throw wrong("bounds", "rising finite numbers") }
            guard boundCounts.count == bounds.count + 1,
                try boundCounts.count == elements("boundCounts").count
            else { throw wrong("boundCounts", "a count for each bound and one more") }
        }
        return Distribution(
            count: try count("count"), sum: try number("sum"), range: range,
            sketch: has("sketch") ? try object("sketch").sketch() : nil,
            window: has("window") ? try object("window").sketch() : nil,
            bounds: bounds, boundCounts: boundCounts)
    }

    private func sketch() throws(MetricsError) -> Sketch {
        let scale = try integer("scale")
        guard (Int64(Sketch.coarsestScale)...Int64(Sketch.finestScale)).contains(scale) else {
            throw wrong("scale", "from \(Sketch.coarsestScale) to \(Sketch.finestScale)")
        }
        let indexes = Sketch(scale: Int(scale)).indexes
        return Sketch(
            scale: Int(scale), positive: try buckets("positive", in: indexes),
            negative: try buckets("negative", in: indexes), zeros: try count("zeros"))
    }

    private func buckets(
        _ field: String, in indexes: ClosedRange<Int32>
    ) throws(MetricsError) -> [Sketch.Bucket] {
        var buckets: [Sketch.Bucket] = []
        for element in try elements(field) {
            guard let index = element[0]?.int.flatMap(Int32.init(exactly:)),
                let count = element[1].flatMap(Self.count), count > 0,
                buckets.last.map({ $0.index < index }) ?? true
            else { throw wrong(field, "pairs of a rising index and a count that is not 0") }
            guard indexes.contains(index) else {
                throw wrong("\(field) [\(index), …]", "a bucket of a number, \(indexes)")
            }
            buckets.append(Sketch.Bucket(index: index, count: count))
        }
        return buckets
    }
}
