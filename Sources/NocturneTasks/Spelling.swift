// Spelling.swift — the known word that a mistyped one is closest to. Next: CronHints.swift.

enum Spelling {
    /// Words beyond this many bytes are not compared: nobody mistypes that much.
    private static let longest = 64

    /// The first of `words` that takes the fewest changed, added, dropped or swapped letters, if that is at most
    /// `limit` of them.
    static func closest(to word: String, of words: [String], within limit: Int) -> String? {
        guard word.utf8.count <= longest else { return nil }
        let scored = words.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        return scored.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
    }

    /// Damerau's and Levenshtein's distance, with swaps of neighbors only.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [Array(0...right.count)]
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(
                    rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
