// TimeAxis.swift — moments for samples: the wall clock's, except that they never fall. Next: MetricsCollector.swift.

internal import NocturneCore

/// Gives samples their moments. The wall clock may be set back, but a history goes only forward: until the wall clock
/// has caught up, time then goes on as the machine's uptime does.
struct TimeAxis {
    private var last: (moment: UnixTime, uptime: Duration)?

    /// An axis that goes on after what was written down before.
    init(after stored: UnixTime? = nil) {
        last = stored.map { ($0, .zero) }
        isStored = stored != nil
    }

    /// Whether `last` is of another run, whose uptime says nothing.
    private var isStored: Bool

    /// The moment of a sample that is taken now: later than the one before.
    mutating func moment(wall: UnixTime, uptime: Duration) -> UnixTime {
        guard let last else {
            self.last = (wall, uptime)
            return wall
        }
        let passed = isStored ? 0 : max((uptime - last.uptime).wholeMilliseconds, 0)
        let steady = last.moment.milliseconds + max(passed, 1)
        // A correction by less than this is no jump: clocks are slewed, and the two are not read at once.
        let tolerance: Int64 = 1_000
        var moment = wall.milliseconds
        if moment < steady - tolerance || moment <= last.moment.milliseconds { moment = steady }
        let result = UnixTime(milliseconds: moment)
        self.last = (result, uptime)
        isStored = false
        return result
    }
}
