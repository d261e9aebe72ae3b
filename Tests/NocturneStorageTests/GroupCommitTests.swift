// GroupCommitTests.swift — writers of many threads: none lost, none in another's way, one flush for
// all that wait together.

import GRDB
import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneStorage

@Suite struct GroupCommitTests {
    @Test func `what eight threads write at once is all there`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        let ids = try (0..<8).map { try PluginID("p\($0)") }
        let wait = try startThreads(8) { thread in
            for count in 0..<25 {
                let value = StoredValue(.bytes, [UInt8](repeating: UInt8(count), count: count))
                #expect(throws: Never.self) {
                    try store.storageSet(ids[thread], "k\(count)".bytes, value)
                    #expect(try store.storageGet(ids[thread], "k\(count)".bytes) == value)
                }
            }
        }
        wait()
        // 10 keys of 2 bytes, 15 of 3, values of 0 to 24 bytes.
        let usage = StorageUsage(keys: 25, bytes: 10 * 2 + 15 * 3 + 24 * 25 / 2)
        let reopened = try directory.snapshot().store()
        for id in ids { #expect(try reopened.storageUsage(id) == usage) }
    }

    @Test func `threads that race for the last bytes never pass the limit`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("greedy")
        let kept = Atomic(0), refused = Atomic(0)
        let value = StoredValue(.bytes, [UInt8](repeating: 1, count: 1 << 20))
        let wait = try startThreads(8) { thread in
            for count in 0..<3 {
                do throws(StoreError) {
                    try store.storageSet(id, "\(thread)\(count)".bytes, value)
                    kept.add(1, ordering: .relaxed)
                } catch {
                    if case .storageFull = error { refused.add(1, ordering: .relaxed) }
                }
            }
        }
        wait()
        #expect(kept.load(ordering: .relaxed) == 15)
        #expect(refused.load(ordering: .relaxed) == 9)
        let usage = StorageUsage(keys: 15, bytes: 15 * ((1 << 20) + 2))
        #expect(try store.storageUsage(id) == usage)
    }

    /// Keeps the writing connection busy until `count` writers wait for it.
    private func whileWaiting(
        _ count: Int, in store: HostStore, _ body: @escaping @Sendable (Int) -> Void,
        then look: (Database) throws -> Void = { _ in }
    ) throws {
        var wait: () -> Void = {}
        try store.commits.connection.writeWithoutTransaction { database in
            wait = try startThreads(count, body)
            while store.commits.waitingCount < count { sched_yield() }
            try look(database)
        }
        wait()
    }

    @Test func `writers that wait together share one commit`() throws {
        final class Commits: TransactionObserver, Sendable {
            let count = Atomic(0)
            func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
            func databaseDidChange(with event: DatabaseEvent) {}
            func databaseDidCommit(_ database: Database) { count.add(1, ordering: .relaxed) }
            func databaseDidRollback(_ database: Database) {}
        }
        let directory = try StateDirectory(), commits = Commits()
        let store = try directory.store(), id = PluginID("a")
        store.commits.connection.add(transactionObserver: commits, extent: .databaseLifetime)

        try whileWaiting(8, in: store) { thread in
            #expect(throws: Never.self) {
                try store.storageSet(id, "\(thread)".bytes, StoredValue(.bytes, []))
            }
        }

        #expect(try store.storageUsage(id) == StorageUsage(keys: 8, bytes: 8))
        #expect(commits.count.load(ordering: .relaxed) == 1)
    }

    @Test func `a write that fails does not fail those that share its transaction`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        try store.storageSet(id, "0".bytes, StoredValue(.bytes, []))
        try store.limitPages()
        let failures = Mutex<[Int]>([])

        try whileWaiting(6, in: store) { thread in
            // Thread 3 writes more than fits; 4 is refused by a limit; the others are small.
            let size = thread == 3 ? 1 << 19 : thread == 4 ? (1 << 20) - 1 : 1
            do {
                if thread == 4 {
                    _ = try store.write("refuse") { _ in throw StoreError.closed(path: "x") }
                } else {
                    let value = StoredValue(.bytes, [UInt8](repeating: 1, count: size))
                    try store.storageSet(id, "\(thread)".bytes, value)
                }
            } catch {
                failures.withLock { $0.append(thread) }
            }
        }

        #expect(failures.withLock { $0.sorted() } == [3, 4])
        #expect(try store.storageKeys(id) == ["0", "1", "2", "5"])
        #expect(try store.storageUsage(id) == StorageUsage(keys: 4, bytes: 8))
    }
}
