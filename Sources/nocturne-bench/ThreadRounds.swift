// ThreadRounds.swift — times what takes nanoseconds, on one thread or on several at once. Next: MetricsBench.swift.

import CLinux
import Glibc
import Synchronization

/// Rounds of an operation. In each all threads begin together.
struct ThreadRounds {
    let threads: Int
    /// Of each thread in a round: short, so that in some rounds nobody else needs the processors.
    private var operations = 100_000
    private let rounds: Int

    init(threads: Int, isQuick: Bool) {
        self.threads = threads
        rounds = isQuick ? 30 : 300
    }

    var name: String { threads == 1 ? "1-thread" : "\(threads)-threads" }

    /// For what takes a hundred times as long.
    var slower: ThreadRounds {
        var slower = self
        slower.operations /= 10
        return slower
    }

    /// How long a thread takes for one, in the best round: rounds differ mostly by what else the machine does. A round
    /// lasts until the last thread is done.
    ///
    /// - Parameter body: gets the number of the thread, and how often it is to do it.
    func nanoseconds(_ body: @escaping @Sendable (Int, Int) -> Void) -> Double {
        let meeting = Meeting(of: threads)
        for thread in 1..<max(threads, 1) {
            startThread { [operations, rounds] in
                for _ in 0..<rounds {
                    meeting.begin()
                    body(thread, operations)
                    meeting.meet()
                }
            }
        }
        var best = Int64.max
        for _ in 0..<rounds {
            meeting.begin()
            body(0, operations)
            let start = meeting.begun
            meeting.meet()
            best = min(best, clinux_now() - start)
        }
        return Double(best) / Double(operations)
    }
}

/// Where threads wait for each other.
private final class Meeting: Sendable {
    private let threads: Int
    private let arrived = Atomic<Int>(0), lastBegun = Atomic<Int64>(0)
    /// Looks for the others before the processor is left to them: about 100 µs. With fewer, threads of a busy machine
    /// would take turns instead of being at work together.
    private static let patience = 200_000

    init(of threads: Int) { self.threads = threads }

    /// When the last came to begin, from which on all can be at work: who came first may still sleep, or be done.
    var begun: Int64 { lastBegun.load(ordering: .relaxed) }

    func begin() {
        lastBegun.store(clinux_now(), ordering: .relaxed)
        meet()
    }

    func meet() {
        let number = arrived.add(1, ordering: .acquiringAndReleasing).newValue
        let all = (number + threads - 1) / threads * threads
        var looks = 0
        while arrived.load(ordering: .acquiring) < all {
            looks += 1
            if looks > Self.patience { sched_yield() }
        }
    }
}
