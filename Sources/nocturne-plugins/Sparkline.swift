// Sparkline.swift — how numbers went, in one line of text. Next: MetricText.swift.

/// Numbers as a row of columns: from `▁`, the least of them, to `█`, the greatest.
enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█"), ascii = Array("_.-:=+*#")

    /// One character for each number; a blank where there is none.
    static func line(_ values: [Double?], isUnicode: Bool = Terminal.isUnicode) -> String {
        let levels = isUnicode ? blocks : ascii
        let finite = values.compactMap { $0 }.filter(\.isFinite)
        let least = finite.min() ?? 0, greatest = finite.max() ?? 0
        return String(
            values.map { value -> Character in
                guard let value, !value.isNaN else { return " " }
                // Halves, because a difference may be greater than any number.
                let span = greatest / 2 - least / 2
                guard span > 0 else { return levels[least == 0 ? 0 : levels.count / 2] }
                let part = (min(max(value, least), greatest) / 2 - least / 2) / span
                return levels[min(Int(part * Double(levels.count)), levels.count - 1)]
            })
    }

    /// As many numbers at most, each the mean of those that it stands for.
    static func fitted(_ values: [Double?], to width: Int) -> [Double?] {
        guard values.count > width, width > 0 else { return values }
        return (0..<width).map { column in
            let part = values[
                (column * values.count / width)..<((column + 1) * values.count / width)
            ].compactMap { $0 }
            return part.isEmpty ? nil : part.reduce(0) { $0 + $1 / Double(part.count) }
        }
    }
}
