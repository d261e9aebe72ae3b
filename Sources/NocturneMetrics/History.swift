// History.swift — what metrics were: samples of all series, compressed, within a limit of time and of memory.
// Next: HistoryColumn.swift for one series, HistoryQuery.swift for what is asked, HistoryFile.swift for the disk.

package import NocturneCore

/// The past of all metrics.
///
/// Each flush appends a sample of every series. Series that are missing in a flush have ended: their past stays until
/// it is too old, and nothing is invented where no sample was taken. Not for use from several threads at once.
package final class History {
    /// How much is kept.
    package struct Limits: Sendable, Hashable {
        /// How long.
        package var retention: Duration
        /// How much memory at most, and how large a file. Above it the oldest goes first, whatever series it is of.
        package var bytes: ByteCount

        /// An hour and 64 MiB, unless said otherwise: 64 MiB are an hour of 64,000 series at a sample in 10 s.
        package init(retention: Duration = .seconds(3_600), bytes: ByteCount = .mebibytes(64)) {
            (self.retention, self.bytes) = (retention, bytes)
        }
    }

    package let limits: Limits
    let spans: HistorySpans
    private(set) var ticks = TickTimes()
    private(set) var families: [String: HistoryFamily] = [:]
    /// The families of the last flush, in its order.
    private var order: [HistoryFamily] = []
    /// Memory, as it is estimated.
    package private(set) var bytes = 0
    /// Series of the last flush that are not recorded, because not even their newest samples would fit.
    package private(set) var seriesLeftOut = 0
    /// Chunks that were dropped before their time to stay within the limit are older than this.
    package private(set) var droppedUpTo: UnixTime?
    private var lastRoll: Int64?
    /// What is to be written to a file; `nil` if there is none.
    var recorder: HistoryRecorder?

    /// An empty history.
    package init(_ limits: Limits = Limits(), isDurable: Bool = false) {
        self.limits = limits
        spans = HistorySpans(retention: limits.retention)
        recorder = isDurable ? HistoryRecorder() : nil
    }

    /// When the last flush was.
    package var latest: UnixTime? { ticks.lastTime.map(UnixTime.init(milliseconds:)) }

    /// How many series have a past, those included that ended.
    package var seriesCount: Int { families.values.reduce(0) { $0 + $1.columns.count } }

    // MARK: - Appending

    /// Appends a sample of all series there are.
    ///
    /// Times rise. One that does not is taken for a millisecond after the last.
    package func append(_ snapshots: [MetricSnapshot], at time: UnixTime) {
        let now = max(Self.clamped(time), (ticks.lastTime ?? -1) + 1)
        makeRoom(for: snapshots)
        let tick = ticks.append(now)
        recorder?.begin(at: now)
        if order.count != snapshots.count { order = snapshots.map(family) }
        seriesLeftOut = 0
        for (place, snapshot) in snapshots.enumerated() {
            var family = order[place]
            if !family.matches(snapshot) {
                family = self.family(of: snapshot)
                order[place] = family
            }
            align(family, with: snapshot)
            bytes += family.append(snapshot, at: tick, recorder: &recorder)
            seriesLeftOut += family.leftOut
        }
        recorder?.end()
        finishTick(at: now)
    }

    /// Keeps the limits.
    func finishTick(at now: Int64) {
        if now - (lastRoll ?? 0) >= HistorySpans.minute { roll(now: now) }
        if bytes > limits.bytes.bytes * 7 / 8 { evict() }
    }

    /// A time as milliseconds from 1970 to the year 10000: no clock that works says another.
    static func clamped(_ time: UnixTime) -> Int64 {
        min(max(time.milliseconds, 0), 253_402_300_800_000)
    }

    private func family(of snapshot: MetricSnapshot) -> HistoryFamily {
        family(named: snapshot.name, snapshot.kind)
    }

    /// Finds or makes a family.
    func family(named name: String, _ kind: MetricKind) -> HistoryFamily {
        if let family = families[name], family.kind == kind { return family }
        // Values of another kind mean something else: the name begins anew.
        if let other = families[name] { forget(other) }
        let family = HistoryFamily(name: name, kind: kind)
        families[name] = family
        return family
    }

    /// Takes the times of flushes from a file, if there are none yet.
    func restore(_ ticks: TickTimes) -> Bool {
        guard self.ticks.lastTime == nil else { return false }
        self.ticks = ticks
        return true
    }

    /// Goes on to a flush of a file; `nil` if it was not after the last.
    func restoreTick(at time: Int64) -> UInt32? {
        guard time > ticks.lastTime ?? -1 else { return nil }
        return ticks.append(time)
    }

    private func forget(_ family: HistoryFamily) {
        for column in family.columns.values { bytes -= column.accountedBytes }
        families[family.name] = nil
    }

    /// Finds or makes the columns for the series of a snapshot, if they are others than at the last flush.
    private func align(_ family: HistoryFamily, with snapshot: MetricSnapshot) {
        family.unit = snapshot.unit
        guard !family.isAligned(with: snapshot.series) else { return }
        let room = limits.bytes.bytes * 15 / 16
        family.align(with: snapshot.series) { bytes in
            guard self.bytes + bytes <= room else { return false }
            self.bytes += bytes
            return true
        }
    }

    // MARK: - Limits

    /// Sums up or drops what is too old, and drops series of which nothing is left.
    private func roll(now: Int64) {
        lastRoll = now
        var oldest = ticks.next
        for family in families.values {
            for column in family.columns.values {
                column.roll(now: now, spans: spans, ticks: ticks)
                settle(column)
                if let first = column.raw.firstIndex { oldest = min(oldest, first) }
                if let first = column.sketches?.flushes.first { oldest = min(oldest, first) }
            }
        }
        dropDead()
        ticks.drop(before: min(oldest, ticks.next - 1))
    }

    /// Counts what a column takes.
    func settle(_ column: HistoryColumn) {
        bytes += column.settle()
    }

    /// Drops the series that ended and of which nothing is left.
    func dropDead() {
        let current = ticks.next &- 1
        for family in families.values {
            for (labels, column) in family.columns
            where column.isEmpty && column.lastTick != current {
                bytes -= column.accountedBytes
                family.remove(labels)
            }
            family.retryLeftOut()
            if family.columns.isEmpty, family.lastTick != current { families[family.name] = nil }
        }
    }

    /// Bytes that a column grows by in a flush, at most of the time: an array's step.
    private static let growthBytes: Int64 = 128

    private func makeRoom(for snapshots: [MetricSnapshot]) {
        let count = snapshots.reduce(0) { $0 + $1.series.count }
        let known = Int64(min(count, seriesCountOfLastFlush))
        if Int64(bytes) + known * Self.growthBytes > limits.bytes.bytes { evict() }
    }

    private var seriesCountOfLastFlush: Int { order.reduce(0) { $0 + $1.liveCount } }

    /// Drops the oldest chunks over all series until a quarter of the limit is free.
    private func evict() {
        let target = limits.bytes.bytes * 3 / 4
        dropOldest(until: target)
        guard bytes > target else { return }
        for family in families.values {
            for column in family.columns.values { column.closeChunks() }
        }
        dropOldest(until: target)
    }

    private func dropOldest(until target: Int64) {
        while bytes > target {
            var ends: [Int64] = []
            for family in families.values {
                for column in family.columns.values {
                    if let end = column.oldestEnd(ticks) { ends.append(end) }
                }
            }
            guard !ends.isEmpty else { break }
            ends.sort()
            // A quarter of the columns at a time, in the order of age over all.
            let cut = ends[ends.count / 4]
            droppedUpTo = UnixTime(milliseconds: cut)
            for family in families.values {
                for column in family.columns.values {
                    column.drop(upTo: cut, ticks)
                    settle(column)
                }
            }
            dropDead()
        }
    }
}

/// The past of one metric.
final class HistoryFamily {
    let name: String
    let kind: MetricKind
    let shape: HistoryShape
    var unit: String?
    private(set) var columns: [Labels: HistoryColumn] = [:]
    /// The series of the last flush and their columns, `nil` for those that are left out.
    private var identities: [SeriesIdentity] = []
    private var live: [HistoryColumn?] = []
    private(set) var leftOut = 0
    private(set) var lastTick: UInt32?

    /// What a series grows by with its first sample.
    private static let firstChunkBytes = 160

    init(name: String, kind: MetricKind) {
        (self.name, self.kind, shape) = (name, kind, HistoryShape(kind))
    }

    var liveCount: Int { live.count - leftOut }

    func matches(_ snapshot: MetricSnapshot) -> Bool {
        snapshot.kind == kind && snapshot.name == name
    }

    /// Whether the series are those of the last flush.
    func isAligned(with series: [SeriesSnapshot]) -> Bool {
        guard series.count == identities.count else { return false }
        for place in series.indices where series[place].identity !== identities[place] {
            return false
        }
        return true
    }

    /// Finds or makes the columns of series. `admits` says whether there is room for so many bytes.
    func align(with series: [SeriesSnapshot], admits: (Int) -> Bool) {
        identities = series.map(\.identity)
        leftOut = 0
        live = series.map { one in
            if let column = columns[one.identity.labels] {
                column.resume(one.identity, created: one.created)
                return column
            }
            let column = HistoryColumn(
                identity: one.identity, shape: shape, created: one.created)
            let bytes = column.bytes + Self.firstChunkBytes
            guard admits(bytes) else {
                leftOut += 1
                return nil
            }
            column.accountedBytes = bytes
            columns[one.identity.labels] = column
            return column
        }
    }

    /// Tries again next time to record series that did not fit.
    func retryLeftOut() {
        if leftOut > 0 { identities = [] }
    }

    /// Says that it was there at a flush.
    func note(_ tick: UInt32) { lastTick = tick }

    func remove(_ labels: Labels) { columns[labels] = nil }

    func insert(_ column: HistoryColumn) { columns[column.identity.labels] = column }

    /// Appends a sample of each series. Returns how many bytes that took.
    func append(
        _ snapshot: MetricSnapshot, at tick: UInt32, recorder: inout HistoryRecorder?
    ) -> Int {
        lastTick = tick
        var grown = 0
        for place in live.indices {
            guard let column = live[place] else { continue }
            // Not the whole snapshot of a series, which would be copied.
            let created = snapshot.series[place].created
            if column.created != created {
                column.resume(identities[place], created: created)
            }
            var new: Sketch?
            switch snapshot.series[place].value {
            case .amount(let amount): grown &+= column.append(amount.value, at: tick)
            case .level(let level): grown &+= column.append(level, at: tick)
            case .distribution(let distribution):
                new = append(distribution, to: column, at: tick)
                grown &+= column.settle()
            }
            recorder?.append(column, of: self, new: new)
        }
        return grown
    }

    /// Returns what came since the tick before.
    private func append(
        _ distribution: Distribution, to column: HistoryColumn, at tick: UInt32
    ) -> Sketch? {
        let count = Double(distribution.count)
        let hasChanged = count != column.last
        column.append(count: count, sum: distribution.sum, at: tick)
        guard hasChanged, let sketch = distribution.sketch else { return nil }
        return column.take(sketch, at: tick)
    }
}
