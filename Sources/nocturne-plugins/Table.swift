// Table.swift — columns that line up, and the few colors. Next: Terminal.swift.

internal import Nocturne

/// Rows of cells under headings. Cells are made safe for a terminal here, so callers pass text as
/// it comes.
struct Table {
    /// A cell and the color of its text.
    struct Cell {
        let text: String
        var color: Color?

        init(_ text: String, color: Color? = nil) {
            self.text = Printable.line(text)
            self.color = color
        }

        func cut(to width: Int) -> Cell {
            text.unicodeScalars.count <= width
                ? self : Cell(String(text.prefix(width)), color: color)
        }
    }

    /// The eight standard colors that are used (ECMA-48 SGR).
    enum Color: Int {
        case red = 31
        case green = 32
        case yellow = 33
    }

    private let headings: [String]
    private var rows: [[Cell]] = []

    init(_ headings: String...) { self.headings = headings }
    init(columns headings: [String]) { self.headings = headings }

    mutating func add(_ cells: Cell...) { rows.append(cells) }
    mutating func add(_ texts: [String]) { rows.append(texts.map { Cell($0) }) }

    /// The lines, the last column without padding.
    ///
    /// - Parameter width: as many columns of a terminal at most; the rest of a line is cut off.
    func lines(colored: Bool = Terminal.hasColor, within width: Int = .max) -> [String] {
        let all = [headings.map { Cell($0) }] + rows
        let widths = headings.indices.map { column in
            all.map { $0[column].text.unicodeScalars.count }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            var left = width
            for (column, cell) in row.enumerated() {
                let padding = widths[column] - cell.text.unicodeScalars.count
                line += Self.paint(cell.cut(to: left), colored)
                left = max(0, left - widths[column] - 2)
                if left == 0 { break }
                if column < row.count - 1 { line += String(repeating: " ", count: padding + 2) }
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func paint(_ cell: Cell, _ colored: Bool) -> String {
        guard colored, let color = cell.color else { return cell.text }
        return "\u{1B}[\(color.rawValue)m\(cell.text)\u{1B}[0m"
    }
}
