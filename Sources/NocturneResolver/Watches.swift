// Watches.swift — which incompatibilities to look at when a value is ruled out. Next: PubGrub.swift.

/// As clauses in MiniSat (Eén and Sörensson, 2003), each incompatibility watches two of its terms. Of each it
/// watches one *witness*: a value outside of the term's set that is still possible, so that the term does not
/// hold. Until that very value goes, nothing needs to be looked at, and nothing is undone when going back.
struct Watches: Sendable {
    /// For each value of each variable the incompatibilities for which it is a witness.
    private var lists: [[Int]] = []
    /// Of each variable, where its values' lists begin.
    private var starts: [Int] = []
    /// For each incompatibility the places of the two terms watched.
    private var pairs: [(first: Int, second: Int)] = []

    mutating func addVariable(valueCount: Int) {
        starts.append(lists.count)
        for _ in 0..<valueCount { lists.append([]) }
    }

    /// The next incompatibility; nothing of it is watched yet.
    mutating func addIncompatibility() { pairs.append((0, 0)) }

    /// The terms watched of an incompatibility.
    subscript(incompatibility: Int) -> (first: Int, second: Int) {
        get { pairs[incompatibility] }
        set { pairs[incompatibility] = newValue }
    }

    mutating func add(_ incompatibility: Int, _ variable: Int, witness: Int) {
        lists[starts[variable] + witness].append(incompatibility)
    }

    /// Takes out the list of a value; give back what still has it for a witness.
    mutating func take(_ variable: Int, witness: Int) -> [Int] {
        var list: [Int] = []
        swap(&list, &lists[starts[variable] + witness])
        return list
    }

    mutating func giveBack(_ list: [Int], _ variable: Int, witness: Int) {
        lists[starts[variable] + witness] = list
    }
}
