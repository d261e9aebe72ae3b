// ProcessMetrics.swift — what the kernel says of this process, under the names that Prometheus' client libraries use.
// Next: MetricsCollector.swift.

internal import Glibc
internal import NocturneCore
internal import Synchronization

extension MetricsCollector {
    /// Begins to collect what this process uses: processor time, memory, descriptors, threads, and when it started.
    /// Read
    /// from `/proc/self` (proc_pid_stat(5)) whenever metrics are looked at; where there is no procfs, nothing is
    /// collected.
    ///
    /// - Throws: ``MetricsError`` if a name is taken by another metric.
    public func collectProcessMetrics() throws(MetricsError) {
        let process = try ProcessMetrics(of: self)
        addSource { process.update() }
    }
}

/// https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics has the names and their meaning.
final class ProcessMetrics: Sendable {
    private let cpu: Counter
    private let resident: Gauge, virtual: Gauge, threads: Gauge
    private let open: Gauge, limit: Gauge, start: Gauge
    private let counted = Mutex(0.0)

    init(of collector: MetricsCollector) throws(MetricsError) {
        cpu = try collector.makeCounter(
            "process.cpu.seconds", help: "Processor time, of user and system.", unit: "seconds")
        resident = try collector.makeGauge(
            "process.resident.memory.bytes", help: "Memory that is in use.", unit: "bytes")
        virtual = try collector.makeGauge(
            "process.virtual.memory.bytes", help: "Memory that is mapped.", unit: "bytes")
        threads = try collector.makeGauge("process.threads", help: "Threads.")
        open = try collector.makeGauge("process.open.fds", help: "Descriptors that are open.")
        limit = try collector.makeGauge("process.max.fds", help: "Descriptors that may be open.")
        start = try collector.makeGauge(
            "process.start.time.seconds", help: "When it started, since 1970.", unit: "seconds")
    }

    func update() {
        guard let figures = ProcessFigures.current() else { return }
        // Of two at the same time, the later one must not count what the other has.
        counted.withLock { counted in
            let passed = figures.cpuSeconds - counted
            guard passed > 0 else { return }
            counted = figures.cpuSeconds
            cpu.increment(passed)
        }
        resident.set(Double(figures.residentBytes))
        virtual.set(Double(figures.virtualBytes))
        threads.set(Double(figures.threads))
        start.set(figures.startSeconds)
        if let count = ProcessFigures.openDescriptors() { open.set(Double(count)) }
        var bounds = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &bounds) == 0 {
            limit.set(Double(bounds.rlim_cur))
        }
    }
}

/// One reading of `/proc/self/stat`.
struct ProcessFigures: Sendable, Hashable {
    var cpuSeconds: Double
    var threads: Int64
    var startSeconds: Double
    var virtualBytes: Int64
    var residentBytes: Int64

    /// `nil` if the text is none of the kernel's. `ticks`: of a second; `bootSeconds`: since 1970.
    init?(stat: String, ticks: Double, pageBytes: Int64, bootSeconds: Double) {
        // The second field is the program's name in parentheses, which may hold anything.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
        // Here fields[0] is the third of proc_pid_stat(5).
        func field(_ number: Int) -> Int64? {
            fields.count > number - 3 ? Int64(fields[number - 3]) : nil
        }
        guard let user = field(14), let system = field(15), let threads = field(20),
            let start = field(22), let virtual = field(23), let resident = field(24)
        else { return nil }
        cpuSeconds = Double(user + system) / ticks
        self.threads = threads
        startSeconds = bootSeconds + Double(start) / ticks
        virtualBytes = virtual
        residentBytes = resident * pageBytes
    }

    static func current() -> ProcessFigures? {
        guard let stat = read("/proc/self/stat"), let boot = bootSeconds else { return nil }
        return ProcessFigures(
            stat: stat, ticks: Double(sysconf(Int32(_SC_CLK_TCK))),
            pageBytes: Int64(sysconf(Int32(_SC_PAGESIZE))), bootSeconds: boot)
    }

    /// Since 1970; it does not change while the machine runs.
    private static let bootSeconds: Double? = read("/proc/stat").flatMap { text in
        text.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst("btime ".count)) }
    }

    static func openDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = -3  // `.`, `..`, and the directory itself
        while readdir(directory) != nil { count += 1 }
        return max(count, 0)
    }

    private static func read(_ path: String) -> String? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
