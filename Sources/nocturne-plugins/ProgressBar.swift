// ProgressBar.swift — how far something is, on one line of a terminal. Next: Terminal.swift.

internal import Nocturne

/// A line on standard error that is drawn over itself. Nothing at all if nobody looks.
struct ProgressBar {
    private var isShown = false
    /// Characters of the bar itself.
    static let width = 24

    /// `[########                ]  33 % message`; the text as wide as the terminal at most.
    mutating func show(percent: Double, _ message: String) {
        guard Terminal.showsProgress else { return }
        let text = Self.bar(percent) + " " + Printable.line(message)
        // Carriage return, the text, then the rest of the line empty (ECMA-48 EL).
        Terminal.draw("\r\(text.prefix(Terminal.columns - 1))\u{1B}[K")
        isShown = true
    }

    /// Leaves no trace.
    mutating func remove() {
        if isShown { Terminal.draw("\r\u{1B}[K") }
        isShown = false
    }

    /// The bar and the number: the same width for every percentage.
    static func bar(_ percent: Double, width: Int = width) -> String {
        let percent = percent.isNaN ? 0 : min(max(percent, 0), 100)
        let full = Int(percent / 100 * Double(width))
        let number = "\(Int(percent))"
        return "[" + String(repeating: "#", count: full)
            + String(repeating: " ", count: width - full) + "] "
            + String(repeating: " ", count: 3 - number.count) + number + " %"
    }
}
