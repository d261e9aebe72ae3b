// SummaryWindow.swift — the last while of a summary: what it has now, without what it had then. Next: Registry.swift.

/// What a summary had at some moments of the last while.
///
/// Nothing is counted twice: the window is the difference between now and the oldest part.
public struct SummaryWindow: Sendable {
    /// How long a window is at least. It is longer by at most a part and the time between two rotations.
    public static let length = Duration.seconds(60)
    /// How many parts it has.
    public static let partCount = 6

    private static let partLength = length / partCount

    /// All values until some uptime, the oldest first.
    private var parts: [(uptime: Duration, sketch: Sketch)] = []

    init() {}

    /// Whether a part is over.
    func isDue(at uptime: Duration) -> Bool {
        parts.last.map { uptime - $0.uptime >= Self.partLength } ?? true
    }

    /// Notes what the summary has now, and forgets what is older than the window.
    mutating func rotate(at uptime: Duration, _ sketch: Sketch) {
        parts.append((uptime, sketch))
        let start = uptime - Self.length
        while parts.count > 1, parts[1].uptime <= start { parts.removeFirst() }
    }

    /// The values of the window, of all there are now.
    func window(of sketch: Sketch) -> Sketch {
        parts.first.map { sketch.since($0.sketch) } ?? sketch
    }
}
