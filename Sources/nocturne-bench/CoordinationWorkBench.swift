// CoordinationWorkBench.swift — what a session adds to each work, with and without a log, and how soon it goes on after
// its process was killed. Next: CoordinationStepBench.swift.

import CLinux
import Glibc
import NocturneCoordination
import NocturneCore
import Synchronization

struct CoordinationWorkBench {
    let isQuick: Bool
    static let childArgument = "--coordination-child"
    private static let session: SessionID = "work"
    /// Agents of the session, one work at a time each.
    private static let agents = 64
    private static let works = 10_000
    /// Works that were begun when the process is killed: late, so that there is much to read.
    private static let worksBeforeKill = 9_000

    func run() async throws {
        // Not /tmp, which may be no disk.
        var template = Array("/var/tmp/nocturne-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError("no directory in /var/tmp") }
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { system("rm -rf '\(root)'") }
        let floor = await bareTasks()
        Bench.report(
            "coordination.work.memory", try await best { _ in nil }, "us/work", floor: floor)
        let log = try await best { "\(root)/log-\($0)" }
        let history = try await Self.coordinator(log: "\(root)/log-0").history(of: Self.session)
        let writes = try bareWrites(history, in: root)
        Bench.report("coordination.work.log", log, "us/work", floor: floor + writes)
        Bench.report(
            "coordination.log.bytes", Double(history.validBytes) / Double(Self.works), "B/work",
            floor: Double(CoordinationBench.answer.serialized().count))
        try await recovery(root)
    }

    private var rounds: Int { isQuick ? 1 : 3 }

    private static var goal: Goal {
        Goal("bench", payload: ["items": .array((0..<works).map { JSONValue($0) })])
    }

    private static func coordinator(log: String?) -> AgentCoordinator {
        var configuration = AgentCoordinatorConfiguration(strategy: "parallel")
        configuration.sessionsPath = log
        return AgentCoordinator(configuration: configuration)
    }

    // MARK: - Overhead

    /// Microseconds for a work that its agent answers at once; the best round.
    private func best(_ log: (Int) -> String?) async throws -> Double {
        var best = Double.infinity
        for round in 0..<rounds {
            let coordinator = Self.coordinator(log: log(round))
            try await Self.prepare(coordinator) { _ in CoordinationBench.answer }
            let start = clinux_now()
            let outcome = try await coordinator.execute(Self.session, Self.goal)
            let time = clinux_now() - start
            guard outcome.status == .completed else { throw BenchError("\(outcome)") }
            best = min(best, Double(time) / Double(Self.works) / 1_000)
            try await coordinator.end(Self.session)
        }
        return best
    }

    private static func prepare(
        _ coordinator: AgentCoordinator,
        _ answer: @escaping @Sendable (WorkRequest) async throws -> JSONValue
    ) async throws {
        try await coordinator.createSession(session, goal: "bench")
        for name in try CoordinationBench.names(agents) {
            try await coordinator.addAgent(ClosureAgent(name, answer), to: session)
        }
    }

    /// Swift tasks that do nothing, as many at once.
    private func bareTasks() async -> Double {
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = clinux_now()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<Self.works {
                    if number >= Self.agents { await group.next() }
                    group.addTask {}
                }
            }
            best = min(best, Double(clinux_now() - start) / Double(Self.works) / 1_000)
        }
        return best
    }

    /// Microseconds of a work for its entries: as many as the log has, all of the same size, and the disk at the end.
    private func bareWrites(_ history: SessionLogContents, in root: String) throws -> Double {
        let file = open("\(root)/floor", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchError("no file in \(root)") }
        defer { close(file) }
        let entry = [UInt8](repeating: 97, count: history.validBytes / history.inputs.count)
        let start = clinux_now()
        for _ in history.inputs { write(file, entry, entry.count) }
        fdatasync(file)
        return Double(clinux_now() - start) / Double(Self.works) / 1_000
    }

    // MARK: - Recovery

    /// A process is killed when nine of ten works have begun; from then on the next one goes on. Until all works that
    /// had not ended are begun again (`resumed`: all of them together), and how many that had ended were (none).
    private func recovery(_ root: String) async throws {
        var times = Samples(), reads = Samples(), again = 0
        for round in 0..<(isQuick ? 1 : 5) {
            let directory = "\(root)/killed-\(round)"
            try Self.killChild(directory)
            let coordinator = Self.coordinator(log: directory)
            let history = try await coordinator.history(of: Self.session)
            let ended = history.inputs.count {
                if case .runEnded = $0.input { true } else { false }
            }
            reads.add(Self.reading("\(directory)/\(Self.session).log"))
            let begun = Atomic(0), first = Promise<Int64>()
            let agent: @Sendable (WorkRequest) -> JSONValue = { _ in
                if begun.add(1, ordering: .relaxed).oldValue == 0 { first.fulfill(clinux_now()) }
                return CoordinationBench.answer
            }
            let start = clinux_now()
            let (restored, failed) = await coordinator.restoreSessions { _, descriptor in
                ClosureAgent(descriptor) { request, _ in WorkAnswer(agent(request)) }
            }
            guard restored == [Self.session] else { throw BenchError("\(failed)") }
            times.add(await first.value - start)
            let outcome = try await coordinator.outcome(of: Self.session)
            guard outcome?.status == .completed else { throw BenchError("\(outcome as Any)") }
            again += begun.load(ordering: .relaxed) + ended - Self.works
        }
        Bench.report(
            "coordination.recovery.p50", times.microseconds(0.5) / 1_000, "ms",
            floor: reads.microseconds(0.5) / 1_000)
        Bench.report("coordination.recovery.done-again", Double(again), "works", floor: 0)
    }

    /// Reading a log, and the checksum of all.
    private static func reading(_ path: String) -> Int64 {
        let start = clinux_now()
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var status = stat()
        fstat(file, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        read(file, &bytes, bytes.count)
        withExtendedLifetime(CRC32C.checksum(bytes[...])) {}
        return clinux_now() - start
    }

    /// Runs this program again until it says that so many works have begun, and kills it at that moment.
    private static func killChild(_ directory: String) throws {
        mkdir(directory, 0o700)
        var ends: [Int32] = [0, 0]
        _ = clinux_pipe(&ends, 0)
        var path = [CChar](repeating: 0, count: 4_096)
        readlink("/proc/self/exe", &path, path.count - 1)
        let arguments = [strdup(path), strdup(childArgument), strdup(directory), nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let result = clinux_spawn(path, arguments, [nil], [0, ends[1], 2], 3, &child)
        guard result == 0 else { throw BenchError("\(childArgument) does not start") }
        close(ends[1])
        var byte: UInt8 = 0
        let count = read(ends[0], &byte, 1)
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        close(ends[0])
        guard count == 1 else { throw BenchError("\(childArgument) ended by itself") }
    }

    /// Works until it is killed, as the child.
    static func runChild(_ directory: String) async throws {
        let coordinator = coordinator(log: directory)
        let begun = Atomic(0)
        try await prepare(coordinator) { _ in
            let number = begun.add(1, ordering: .relaxed).newValue
            if number == worksBeforeKill { write(1, [1], 1) }
            // Slower, so that it is killed before it is done, however late.
            if number >= worksBeforeKill { try await Task.sleep(for: .milliseconds(100)) }
            return CoordinationBench.answer
        }
        try await coordinator.execute(session, goal)
        exit(1)
    }
}
