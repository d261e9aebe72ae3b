// LiveLines.swift — lines of a terminal that are drawn over themselves. Next: Terminal.swift.

/// Lines that are shown again and again: over the last ones on a terminal, below them where nobody looks. The cursor is
/// left below the lines each time, so that a signal may end the program at any moment.
struct LiveLines {
    private var drawn = 0

    /// Columns and rows that there are for them.
    static var width: Int { Terminal.isInteractive ? Terminal.columns - 1 : .max }
    static var rows: Int { max(Terminal.rows - 2, 1) }

    mutating func draw(_ lines: some Collection<String>) {
        guard Terminal.isInteractive else {
            for line in lines { Terminal.say(line) }
            return
        }
        // Up to the first line of the last ones, then over them (ECMA-48 CUU, EL, ED).
        let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
        Terminal.say(up + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J")
        drawn = lines.count
    }
}
