// GroupCommit.swift — writers that wait at the same time share a transaction, so one flush of the
// disk. No thread of its own: the writer whose turn it is commits for those queued behind it.
// Next: HostStore.swift.

internal import GRDB
internal import Synchronization

/// The one connection that writes. Every write is on disk when ``perform(weightBytes:_:)`` returns.
final class GroupCommit: Sendable {
    /// The most that one transaction gathers, in bytes of values: what a write may wait for others
    /// is then about as long as the largest single write takes.
    static let batchBytes = 1 << 20
    /// The most writes that one transaction gathers.
    static let batchWrites = 64

    let connection: DatabaseQueue
    private let waiting = Mutex<[PendingWrite]>([])

    init(_ connection: DatabaseQueue) {
        self.connection = connection
    }

    /// Runs `body` in a transaction and returns once that is on disk. Blocks; any thread.
    ///
    /// - Parameters:
    ///   - weightBytes: about how much `body` writes.
    ///   - permission: throws when nothing may be written any more; asked when the turn has come.
    ///   - body: may run twice (the transaction it shared failed because of another's write), and
    ///     must not throw a ``StoreError`` after it has written.
    func perform<Value: Sendable>(
        weightBytes: Int, permission: () throws -> Void,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) throws -> Value {
        let outcome = Outcome<Value>()
        let write = PendingWrite(
            weightBytes: weightBytes,
            run: { database in
                do {
                    outcome.set(.success(try body(database)))
                } catch let refusal as StoreError {
                    outcome.set(.failure(refusal))
                }
            },
            fail: { outcome.set(.failure($0)) })
        waiting.withLock { $0.append(write) }
        return try connection.writeWithoutTransaction { database in
            while true {
                // Somebody whose turn came earlier may have done it.
                if let result = outcome.get() { return try result.get() }
                do {
                    try permission()
                } catch {
                    waiting.withLock { $0.removeAll { $0 === write } }
                    throw error
                }
                Self.commit(nextBatch(), to: database)
            }
        }
    }

    /// How many writes wait for their turn.
    var waitingCount: Int { waiting.withLock { $0.count } }

    private func nextBatch() -> [PendingWrite] {
        waiting.withLock { waiting in
            var count = 0, bytes = 0
            while count < min(waiting.count, Self.batchWrites), bytes < Self.batchBytes {
                bytes += waiting[count].weightBytes
                count += 1
            }
            defer { waiting.removeFirst(count) }
            return Array(waiting.prefix(count))
        }
    }

    private static func commit(_ batch: [PendingWrite], to database: Database) {
        do {
            // Only a rollback that itself failed leaves a transaction open.
            if database.isInsideTransaction { try database.rollback() }
            try database.inTransaction(.immediate) {
                for write in batch { try write.run(database) }
                return .commit
            }
        } catch {
            // Nothing of the batch is written. Alone, each fails or succeeds on its own account.
            guard batch.count > 1 else {
                for write in batch { write.fail(error) }
                return
            }
            for write in batch { commit([write], to: database) }
        }
    }
}

/// A write in the queue, whatever it answers.
private final class PendingWrite: Sendable {
    let weightBytes: Int
    let run: @Sendable (Database) throws -> Void
    let fail: @Sendable (any Error) -> Void

    init(
        weightBytes: Int, run: @escaping @Sendable (Database) throws -> Void,
        fail: @escaping @Sendable (any Error) -> Void
    ) {
        (self.weightBytes, self.run, self.fail) = (weightBytes, run, fail)
    }
}

/// What a write answers, once it is known.
private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ new: Result<Value, any Error>) {
        result.withLock { $0 = new }
    }

    func get() -> Result<Value, any Error>? {
        result.withLock { $0 }
    }
}
