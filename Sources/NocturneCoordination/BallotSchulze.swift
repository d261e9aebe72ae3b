// BallotSchulze.swift — who beats whom along the strongest paths (Schulze, https://arxiv.org/abs/1804.02973, §2.3).
// Next: BallotBox.swift.

/// The strongest paths between all options.
///
/// A path is as strong as its weakest step; a step leads from an option to one that fewer votes prefer to it, and is
/// as strong as the votes for it ("winning votes"). An option beats another if its path there is the stronger one.
struct BallotPaths: Sendable {
    private let count: Int
    /// Row by row: how strong the strongest path from the row's option to the column's is.
    private var strength: [Int64]

    /// - Parameter pairs: row by row, how many votes prefer the row's option to the column's.
    init(_ pairs: [Int64], options count: Int) {
        self.count = count
        strength = Array(repeating: 0, count: count * count)
        for from in 0..<count {
            for to in 0..<count {
                let (ahead, behind) = (pairs[from * count + to], pairs[to * count + from])
                if ahead > behind { strength[from * count + to] = ahead }
            }
        }
        widen()
    }

    /// Floyd and Warshall's algorithm, for the widest instead of the shortest path.
    private mutating func widen() {
        for through in 0..<count {
            for from in 0..<count where from != through {
                let first = strength[from * count + through]
                if first == 0 { continue }
                for to in 0..<count where to != from {
                    let path = min(first, strength[through * count + to])
                    if path > strength[from * count + to] { strength[from * count + to] = path }
                }
            }
        }
    }

    private func beats(_ option: Int, _ other: Int) -> Bool {
        strength[option * count + other] > strength[other * count + option]
    }

    /// By option: how many others do not beat it. Most for those that win.
    var ranks: [Int] {
        (0..<count).map { option in
            (0..<count).count { $0 != option && !beats($0, option) }
        }
    }

    /// Those that no other beats: at least one, if there are options.
    var unbeaten: [Int] {
        let ranks = ranks
        return ranks.indices.filter { ranks[$0] == count - 1 }
    }
}
