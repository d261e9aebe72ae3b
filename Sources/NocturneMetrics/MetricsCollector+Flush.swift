// MetricsCollector+Flush.swift — what happens each interval: sample, evaluate alerts, prune, push to exporters, tell.
// Next: MetricsExporter.swift.

internal import NocturneCore
internal import Synchronization

extension MetricsCollector {
    /// Samples all metrics, evaluates alerts, drops what is too old, and hands the metrics to the exporters; returns
    /// when the last of these is done or out of time. After ``shutdown()`` it does nothing.
    @discardableResult
    public func flush() async -> FlushReport {
        await refresh()
        guard let tick = tick() else { return FlushReport() }
        return await push(tick)
    }

    /// A flush whose metrics have been sampled and whose exporters have not been asked.
    struct Tick {
        var report = FlushReport()
        let began: Duration
        let snapshot: MetricsSnapshot
    }

    /// The part of a flush that waits for nobody but the disk. One at a time. `nil` after the end.
    func tick() -> Tick? {
        ticking.withLock { _ in
            let (wall, uptime) = (clock.now, clock.uptime)
            let metrics = current()
            let taken = state.withLock { state -> (Tick, [AlertEvent])? in
                guard !state.isStopped else { return nil }
                let moment = state.past.append(metrics, wall: wall, uptime: uptime)
                var tick = Tick(
                    began: uptime, snapshot: MetricsSnapshot(time: moment, metrics: metrics))
                tick.report.series = metrics.reduce(0) { $0 + $1.series.count }
                let events = state.past.evaluate(
                    metrics, at: moment, now: wall, uptime: uptime)
                tick.report.alerts = events.count
                state.flushes += 1
                return (tick, events)
            }
            guard let (tick, alertEvents) = taken else { return nil }
            registry.rotate(at: uptime)
            registry.expire(at: uptime)
            for event in alertEvents { events.tell(MetricsEvent(event)) }
            write()
            return tick
        }
    }

    /// Writes history and alerts down. Called under ``ticking``, and not under the lock of the state: questions do not
    /// wait for the disk.
    func write(isLast: Bool = false) {
        var writing = state.withLock { $0.past.beginWriting(isLast: isLast) }
        writing.perform(now: clock.now, uptime: clock.uptime)
        let problems = state.withLock { $0.past.endWriting(writing) }
        for problem in problems { events.warn(problem) }
    }

    /// The part of a flush that may take long.
    @discardableResult
    func push(_ tick: Tick) async -> FlushReport {
        var report = tick.report
        let exporters = state.withLock { $0.exporters.filter { $0.value.isPushed } }
        report.exporters = exporters.count
        report.failures = await withTaskGroup(
            of: (String, String?).self, returning: [String: String].self
        ) { group in
            for (name, exporter) in exporters {
                group.addTask {
                    do throws(MetricsError) {
                        _ = try await self.export(tick.snapshot, through: exporter, named: name)
                        return (name, nil)
                    } catch {
                        return (name, "\(error)")
                    }
                }
            }
            return await group.reduce(into: [:]) { failures, end in
                if let reason = end.1 { failures[end.0] = reason }
            }
        }
        report.duration = clock.uptime - tick.began
        state.withLock { [report] in $0.lastFlush = report }
        events.tell(.flushed(report))
        return report
    }

    /// Runs an exporter for as long as it may take, and no longer, whether or not it heeds that.
    func export(
        _ snapshot: MetricsSnapshot, through exporter: any MetricsExporter, named name: String
    ) async throws(MetricsError) -> [UInt8] {
        let isFree = state.withLock { $0.exporting.insert(name).inserted }
        guard isFree else {
            throw .exporterFailed(name, "it is still at work for whoever asked before")
        }
        let outcome = Promise<Result<[UInt8], MetricsError>>()
        let work = Task { [weak self] in
            do {
                outcome.fulfill(.success(try await exporter.export(snapshot)))
            } catch {
                outcome.fulfill(.failure(.exporterFailed(name, "\(error)")))
            }
            self?.state.withLock { _ = $0.exporting.remove(name) }
        }
        let limit = configuration.exporterDeadline
        let timer = Task { [clock] in
            do {
                try await clock.sleep(until: clock.uptime + limit)
            } catch {
                return  // it was done before
            }
            work.cancel()
            outcome.fulfill(.failure(.exporterFailed(name, "it was not done within \(limit)")))
        }
        defer { timer.cancel() }
        return try await outcome.value.get()
    }
}
