// Spelling.swift — the known word that a mistyped one is closest to. Next: ReportableError.swift.

/// Finds what somebody meant who mistyped a word.
package enum Spelling {
    /// Words beyond this many bytes are not compared: nobody mistypes that much.
    private static let longest = 64

    /// The first of `words` that takes the fewest changed, added, dropped or swapped letters, if that is at most
    /// `limit` of them.
    package static func closest(to word: String, of words: [String], within limit: Int) -> String? {
        guard word.utf8.count <= longest else { return nil }
        let scored = words.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        return scored.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
    }

    /// Up to three of `words` that may have been meant: the closest one, if few letters are different, then those that
    /// `word` is a part of or that are a part of it, without regard to case.
    package static func likely(_ word: String, of words: [String]) -> [String] {
        let limit = min(3, word.utf8.count / 3)
        let close = closest(
            to: word, of: words.filter { abs($0.utf8.count - word.utf8.count) <= limit },
            within: limit)
        let lower = word.lowercased()
        let parts = words.filter { other in
            guard other != close, min(other.utf8.count, lower.utf8.count) >= 3 else { return false }
            let other = other.lowercased()
            return other.contains(lower) || lower.contains(other)
        }
        return Array(((close.map { [$0] } ?? []) + parts).prefix(3))
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
