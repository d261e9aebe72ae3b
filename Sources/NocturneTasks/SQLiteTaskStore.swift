// SQLiteTaskStore.swift — tasks that outlast the process and the loss of power, in a file of one host.
// Next: TaskHandler.swift.

internal import Glibc
package import NocturneCore
package import NocturneStorage
internal import Synchronization

/// Keeps tasks in `tasks.db`.
///
/// Whoever asks for something waits in a line. One thread takes all who wait, applies the rules of ``TaskTable`` for
/// one after the other, writes what changed in one transaction, and answers when that is kept; meanwhile the next
/// gather. So nobody learns of anything that may be undone, and a flush of the disk serves many. What people and
/// handlers did is kept through the loss of power; claims, signs of life and what time brought only through the end of
/// this process: losing them makes a task run again, which it must stand anyway, and never undoes what was kept later.
///
/// If a transaction fails, those who wanted to change something are told, and the table is read anew from the file, so
/// that both are the same again.
package final class SQLiteTaskStore: TaskStore {
    /// What a change must outlast.
    private enum Durability {
        case nothing, process, power
    }

    /// Tells whoever waits what came out.
    private typealias Answer = @Sendable () -> Void

    /// What somebody waits for.
    private struct Request: Sendable {
        let durability: Durability
        let now: UnixTime?
        let run: @Sendable (inout StoredTable, TaskRowWriter) throws(StoreError) -> Answer
        let fail: @Sendable (TaskError) -> Void
    }

    /// Those who wait.
    private struct Line {
        var requests: [Request] = []
        var isServed = false
        var listener: (@Sendable (StoreNews) -> Void)?
    }

    /// What the writing thread knows. Nobody else locks it.
    private struct Memory {
        /// `nil` while it is not known to be the same as the file.
        var stored: StoredTable?
        /// What to take over into the next table, and the totals that are right.
        var failed: (table: TaskTable, totals: TaskTable.KnownTotals)?
        var lastNow = UnixTime(milliseconds: 0)
    }

    /// So many requests share a transaction at most, so that the first does not wait too long for the last.
    private static let mostShared = 512
    /// After a failure so much must fit on the disk before anything is tried: more than most batches write.
    private static let roomBytes = 1 << 18

    /// Set when the file that was found was damaged and put away. The operator is to be told.
    package var recovery: Recovery? { rows.recovery }
    private let rows: TaskRows
    private let retention: TaskTable.Retention
    private let seed: UInt64
    private let line = Mutex(Line())
    private let memory = Mutex(Memory())

    private init(_ rows: TaskRows, retention: TaskTable.Retention, seed: UInt64) {
        (self.rows, self.retention, self.seed) = (rows, retention, seed)
    }

    /// Opens `tasks.db` in a directory. Makes both if there is none; sets a damaged file aside.
    ///
    /// What the process before was running is available again at once: it is dead, or it would own the file.
    package static func open(
        directory: String, now: UnixTime, retention: TaskTable.Retention = .standard,
        seed: UInt64 = 0
    ) async throws(TaskError) -> SQLiteTaskStore {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .store(
                "\(directory) cannot be made: \(String(cString: strerror(errno))); make it, or name another"
            )
        }
        let store: SQLiteTaskStore
        do throws(StoreError) {
            let rows = try await TaskRows.open(directory: directory)
            store = SQLiteTaskStore(rows, retention: retention, seed: seed)
        } catch {
            if case .owned = error { throw .storeInUse("\(error)") }
            throw .store("\(error)")
        }
        try await store.perform(.process, now: now) { stored, _ in
            stored.table.rescue({ _ in true }, now: now)
        }
        return store
    }

    package func close() async {
        // What could not be written has been told to those who wanted it; nobody else waits for anything.
        try? await rows.close()
    }

    package func warnings() async throws(TaskError) -> [String] {
        let found = recovery.map { ["\($0)"] } ?? []
        return try await perform(.nothing) { stored, _ in found + stored.warnings }
    }

    package func listen(_ listener: @escaping @Sendable (StoreNews) -> Void) {
        line.withLock { $0.listener = listener }
    }
}

// MARK: - The line

extension SQLiteTaskStore {
    /// Waits in the line, does something with the table, and returns when that is kept.
    private func perform<Value: Sendable>(
        _ durability: Durability, now: UnixTime? = nil,
        _ body: @escaping @Sendable (inout StoredTable, TaskRowWriter) throws -> Value
    ) async throws(TaskError) -> Value {
        let result: Result<Value, TaskError> = await withCheckedContinuation { continuation in
            stand(
                Request(
                    durability: durability, now: now,
                    run: { stored, rows throws(StoreError) in
                        let result: Result<Value, TaskError>
                        do {
                            result = .success(try body(&stored, rows))
                        } catch let error as StoreError {
                            throw error
                        } catch {
                            result = .failure(error as? TaskError ?? .store("\(error)"))
                        }
                        return { continuation.resume(returning: result) }
                    }, fail: { continuation.resume(returning: .failure($0)) }))
        }
        return try result.get()
    }

    private func stand(_ request: Request) {
        let isFirst = line.withLock { line in
            line.requests.append(request)
            defer { line.isServed = true }
            return !line.isServed
        }
        guard isFirst else { return }
        rows.write { [self] file in
            while let batch = nextBatch() { serve(batch, file) }
        }
    }

    private func nextBatch() -> [Request]? {
        line.withLock { line in
            if line.requests.isEmpty {
                line.isServed = false
                return nil
            }
            guard line.requests.count > Self.mostShared else {
                defer { line.requests.removeAll(keepingCapacity: true) }
                return line.requests
            }
            defer { line.requests.removeFirst(Self.mostShared) }
            return Array(line.requests.prefix(Self.mostShared))
        }
    }

    private func serve(_ batch: [Request], _ file: TaskRowWriter) {
        var left = batch
        do throws(StoreError) {
            return try memory.withLock { memory throws(StoreError) in
                try serve(batch, file, &memory)
            }
        } catch {
            // Who only looks need not suffer from a disk that is full, unless nobody can look.
            let reason = TaskError.store("\(error)")
            for request in batch where request.durability != .nothing { request.fail(reason) }
            left.removeAll { $0.durability != .nothing }
            if left.count == batch.count {
                for request in left { request.fail(reason) }
            } else if !left.isEmpty {
                serve(left, file)
            }
        }
    }

    private func serve(
        _ batch: [Request], _ file: TaskRowWriter, _ memory: inout Memory
    ) throws(StoreError) {
        let changes = batch.contains { $0.durability != .nothing }
        file.prepare(isFlushed: batch.contains { $0.durability == .power })
        for case let now? in batch.map(\.now) { memory.lastNow = max(memory.lastNow, now) }
        var stored = try take(file, &memory)
        if changes, memory.failed != nil {
            do throws(StoreError) {
                try file.checkRoom(bytes: Self.roomBytes)
                memory.failed = nil
            } catch {
                memory.stored = stored
                try file.rollback()
                throw error
            }
        }
        let totals = stored.table.knownTotals
        var answers: [Answer] = []
        do throws(StoreError) {
            for request in batch {
                answers.append(try request.run(&stored, file))
                try stored.write(to: file)
            }
            try stored.writeNumbers(to: file)
            try file.commit()
        } catch {
            memory.failed = (stored.table, totals)
            // What cannot be undone either is found out by the next who comes.
            try? file.rollback()
            throw error
        }
        let news = stored.table.takeNews()
        memory.stored = stored
        if !news.isEmpty { line.withLock { $0.listener }?(news) }
        for answer in answers { answer() }
    }

    /// The table, out of `memory` so that there is only one; read from the file if what was there failed.
    private func take(
        _ file: TaskRowWriter, _ memory: inout Memory
    ) throws(StoreError) -> StoredTable {
        if let stored = memory.stored {
            memory.stored = nil
            return stored
        }
        try file.rollback()
        var stored = try StoredTable(
            file.reader, retention: retention, seed: seed, now: memory.lastNow)
        if let failed = memory.failed {
            stored.table.takeOver(from: failed.table, totals: failed.totals)
        }
        return stored
    }

    /// Reads what is kept, beside whoever writes.
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (TaskRowReader) throws(StoreError) -> Value
    ) async throws(TaskError) -> Value {
        do throws(StoreError) {
            return try await rows.read(body)
        } catch {
            throw .store("\(error)")
        }
    }
}

// MARK: - What is asked

extension SQLiteTaskStore {
    package func add(_ tasks: [NewTask], now: UnixTime) async throws(TaskError) -> [AddedTask] {
        try await perform(.power, now: now) { stored, _ in stored.table.add(tasks, now: now) }
    }

    package func add(
        _ graph: NewGraph, parents: [[Int]], now: UnixTime
    ) async throws(TaskError) -> [AddedTask] {
        try await perform(.power, now: now) { stored, _ in
            stored.table.add(graph, parents: parents, now: now)
        }
    }

    package func claim(
        _ request: ClaimRequest, now: UnixTime
    ) async throws(TaskError) -> Claim {
        try await perform(.process, now: now) { stored, _ in
            stored.table.claim(request, now: now)
        }
    }

    package func finish(
        _ ends: [TaskEnd], now: UnixTime
    ) async throws(TaskError) -> [TaskRecord?] {
        try await perform(.power, now: now) { stored, _ in stored.table.finish(ends, now: now) }
    }

    package func heartbeat(
        _ beat: Heartbeat, now: UnixTime
    ) async throws(TaskError) -> HeartbeatReply {
        try await perform(.process, now: now) { stored, _ in
            stored.table.heartbeat(beat, now: now)
        }
    }

    package func advance(to now: UnixTime) async throws(TaskError) {
        try await perform(.process, now: now) { stored, file in
            try stored.advance(to: now, file)
        }
    }

    package func rescue(
        _ isDead: @Sendable (WorkerID) -> Bool, now: UnixTime
    ) async throws(TaskError) {
        let workers = try await perform(.nothing) { stored, _ in stored.table.leases.keys }
        let dead = Set(workers.filter(isDead))
        if dead.isEmpty { return }
        try await perform(.process, now: now) { stored, _ in
            stored.table.rescue(dead.contains, now: now)
        }
    }

    package func nextDue(after now: UnixTime) async throws(TaskError) -> UnixTime? {
        try await perform(.nothing) { stored, _ in stored.nextDue(after: now) }
    }

    package func apply(
        _ command: TaskCommand, to id: TaskID, now: UnixTime
    ) async throws(TaskError) -> TaskRecord {
        try await perform(.power, now: now) { stored, file in
            try stored.recall(id, file.reader, now: now)
            return try stored.table.apply(command, to: id, now: now)
        }
    }

    package func task(_ id: TaskID) async throws(TaskError) -> TaskRecord? {
        guard let row = try await read({ rows throws(StoreError) in try rows.task(id.number) })
        else { return nil }
        return try TaskRecord(row)
    }

    package func tasks(
        where filter: TaskFilter, limit: Int, before: TaskID?
    ) async throws(TaskError) -> [TaskRecord] {
        var records: [TaskRecord] = []
        var before = before?.number ?? .max
        while records.count < limit {
            let wanted = limit - records.count
            let rows = try await read { [before] rows throws(StoreError) in
                try rows.tasks(where: TaskRowFilter(filter), limit: wanted, before: before)
            }
            // One that cannot be read keeps nobody from the others; ``task(_:)`` says what is wrong with it.
            records += rows.compactMap { try? TaskRecord($0) }
            guard rows.count == wanted, let last = rows.last else { break }
            before = last.id
        }
        return records
    }

    package func clear(
        _ filter: TaskFilter, limit: Int, now: UnixTime
    ) async throws(TaskError) -> Int {
        try await perform(.power, now: now) { stored, file in
            try stored.clear(filter, limit: limit, file)
        }
    }

    package func statistics() async throws(TaskError) -> TaskStatistics {
        try await perform(.nothing) { stored, file in try stored.statistics(file.reader) }
    }
}

// MARK: - Queues and schedules

extension SQLiteTaskStore {
    package func put(_ queue: QueueSettings, now: UnixTime) async throws(TaskError) {
        try await perform(.power, now: now) { stored, _ in stored.table.put(queue) }
    }

    package func queues() async throws(TaskError) -> [QueueSettings] {
        try await perform(.nothing) { stored, _ in stored.table.queueSettings }
    }

    package func put(_ schedule: ScheduleRecord, now: UnixTime) async throws(TaskError) {
        try await perform(.power, now: now) { stored, _ in
            stored.table.put(schedule, now: now)
        }
    }

    package func removeSchedule(_ name: String, now: UnixTime) async throws(TaskError) {
        try await perform(.power, now: now) { stored, _ in
            try stored.table.removeSchedule(name)
        }
    }

    package func runNow(
        schedule name: String, now: UnixTime
    ) async throws(TaskError) -> TaskRecord? {
        try await perform(.power, now: now) { stored, _ in
            try stored.table.runNow(name, now: now)
        }
    }

    package func pauseSchedule(
        _ name: String, _ isPaused: Bool, now: UnixTime
    ) async throws(TaskError) {
        try await perform(.power, now: now) { stored, _ in
            try stored.table.pauseSchedule(name, isPaused, now: now)
        }
    }

    package func schedules() async throws(TaskError) -> [ScheduleRecord] {
        try await perform(.nothing) { stored, _ in stored.table.schedules }
    }
}
