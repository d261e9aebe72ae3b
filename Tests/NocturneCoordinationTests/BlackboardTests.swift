// BlackboardTests.swift — what agents know together, and who is told that it changed. Next: ResourceLeaseTests.swift.

import NocturneCore
import NocturneCoordination
import Testing

@Suite struct BlackboardTests {
    @Test func `of two who read the same version, one writes and the other is told`() throws {
        var board = Blackboard()
        try board.compareAndSet("plan", from: 0, to: "a", by: "ada")
        let read = board.version(of: "plan")
        try board.compareAndSet("plan", from: read, to: "b", by: "ada")
        #expect(throws: ResourceError.conflict(keys: ["plan"])) {
            try board.compareAndSet("plan", from: read, to: "c", by: "bob")
        }
        #expect(board["plan"]?.value == "b")
        #expect(board["plan"]?.writer == "ada")
    }

    @Test func `what was read and not written counts too, and nothing of a refused write is there`()
        throws
    {
        var board = Blackboard()
        try board.write(["price": 10, "stock": 3], by: "ada")
        let reads = ["price": board.version(of: "price"), "discount": 0]
        try board.write(["discount": 2], by: "bob")
        #expect(throws: ResourceError.conflict(keys: ["discount"])) {
            try board.write(["offer": 8, "stock": 2], by: "ada", ifUnchanged: reads)
        }
        #expect(board.keys() == ["discount", "price", "stock"])
        #expect(board["stock"]?.value == 3)
    }

    @Test func `a key that went and came again is another version`() throws {
        var board = Blackboard()
        let first = try board.write(["k": 1], by: "a")
        try board.write(["k": nil], by: "a")
        #expect(board["k"] == nil && board.version(of: "k") == 0)
        try board.write(["k": 1], by: "a")
        #expect(board.version(of: "k") > first)
    }

    @Test func `a copy is a snapshot`() throws {
        var board = Blackboard()
        try board.write(["a/1": 1, "a/2": 2, "b": 3], by: "x")
        let snapshot = board
        try board.write(["a/1": nil, "b": 4], by: "x")
        #expect(snapshot.keys(from: "a/") == ["a/1", "a/2"])
        #expect(snapshot["b"]?.value == 3)
        #expect(board.conflicts(with: ["a/1": 1, "a/2": 1, "b": 1]) == ["a/1", "b"])
    }

    @Test func `keys and values have limits`() throws {
        var board = Blackboard()
        #expect(throws: ResourceError.self) { try board.write(["": 1], by: "x") }
        let long = String(repeating: "k", count: Blackboard.longestKeyBytes + 1)
        #expect(throws: ResourceError.self) { try board.write([long: 1], by: "x") }
        let large = JSONValue(String(repeating: "v", count: Blackboard.largestValueBytes))
        #expect(throws: ResourceError.self) { try board.write(["k": large, "j": 1], by: "x") }
        #expect(board.keys() == [] && board.version == 0)
    }

    /// Each of some agents adds 1 to one of two counters again and again, by what it read some steps before.
    @Test func `no sum is lost when everybody redoes what was refused`() throws {
        var (board, dice) = (Blackboard(), SeededGenerator(seed: 7))
        try board.write(["x": 0, "y": 0], by: "setup")
        var reads: [(key: String, entry: Blackboard.Entry)?] = Array(repeating: nil, count: 6)
        var (done, refused) = (0, 0)
        for _ in 0..<2_000 {
            let agent = dice.below(reads.count)
            guard let (key, entry) = reads[agent] else {
                let key = dice.oneIn(2) ? "x" : "y"
                reads[agent] = try (key, #require(board[key]))
                continue
            }
            reads[agent] = nil
            do throws(ResourceError) {
                try board.compareAndSet(
                    key, from: entry.version, to: JSONValue((entry.value.int ?? 0) + 1), by: "a")
                done += 1
            } catch {
                refused += 1
            }
        }
        #expect((board["x"]?.value.int ?? 0) + (board["y"]?.value.int ?? 0) == Int64(done))
        #expect(refused > 100)
    }
}
