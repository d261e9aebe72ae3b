// HostMetrics.swift — what a daemon measures of itself: plugins, tasks, sessions, the process. The parts count for
// themselves; here their counts are read and put into the collector. Next: PluginMetrics.swift.

internal import NocturneCoordination
internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics
internal import NocturneTasks
internal import Synchronization

/// Brings the collector up to date with what the parts of a daemon have counted.
enum HostMetrics {
    /// From now on whoever looks at the collector sees what is so.
    static func begin(
        of plugins: PluginManager, _ tasks: BackgroundTaskManager,
        _ coordinator: AgentCoordinator, in metrics: MetricsCollector
    ) throws(MetricsError) {
        try metrics.collectProcessMetrics()
        try metrics.makeGauge(
            "nocturne.build.info", labels: ["version": HostVersion.string],
            help: "Always 1; its label says which version runs."
        ).set(1)
        let figures = Figures(metrics)
        metrics.addSource { [weak plugins, figures] in
            guard let plugins else { return }
            plugins.sampleMetrics()
            for measurement in plugins.measurements() { figures.take(measurement) }
        }
        metrics.addSlowSource { [weak tasks, figures] in
            // A store that fails says so itself, as an event; its last figures stand until it answers.
            guard let statistics = try? await tasks?.statistics() else { return }
            figures.take(statistics)
        }
        metrics.addSlowSource { [weak coordinator, figures] in
            if let sessions = await coordinator?.allSessions() { figures.take(sessions) }
        }
    }
}

/// Counters that follow totals which are counted elsewhere, and gauges.
private final class Figures: Sendable {
    private struct Place: Hashable {
        let name: String
        let labels: Labels
    }
    private struct State {
        var counters: [Place: (handle: Counter, total: Double)] = [:]
        var gauges: [Place: Gauge] = [:]
        var latencies: [PluginID: (handle: Histogram, seen: (sketch: Sketch, seconds: Double))] =
            [:]
    }
    private let metrics: MetricsCollector
    private let state = Mutex(State())

    init(_ metrics: MetricsCollector) { self.metrics = metrics }

    func take(_ plugin: PluginMeasurement) {
        let labels: Labels = ["plugin": plugin.plugin.description]
        state.withLock { state in
            for (name, help, total) in Self.totals(of: plugin) {
                count(name, labels, help, to: total, &state)
            }
            for (code, failures) in plugin.failures {
                count(
                    "nocturne.plugin.call.failures",
                    ["plugin": plugin.plugin.description, "code": code],
                    "Calls of tools and commands that failed, by the code of the error.",
                    to: Double(failures), &state)
            }
            for (name, help, level) in Self.levels(of: plugin) {
                set(name, labels, help, to: level, &state)
            }
            take(plugin.latency, of: plugin.plugin, labels, &state)
        }
    }

    private static func totals(of plugin: PluginMeasurement) -> [(String, String, Double)] {
        [
            (
                "nocturne.plugin.calls", "Calls of tools and commands that have ended.",
                Double(plugin.calls)
            ),
            (
                "nocturne.plugin.crashes",
                "Processes that ended by themselves or were killed for what they did.",
                Double(plugin.crashes)
            ),
            ("nocturne.plugin.restarts", "Starts after a crash.", Double(plugin.restarts)),
            ("nocturne.plugin.reloads", "Replacements of a build.", Double(plugin.reloads)),
            (
                "nocturne.plugin.reload.seconds",
                "Time from the beginning of a replacement to serving, all together.",
                plugin.reloadSeconds
            ),
            (
                "nocturne.plugin.denials",
                "Processes that were killed because the sandbox forbids what they did.",
                Double(plugin.denials)
            ),
            (
                "nocturne.plugin.events.dropped", "Events of a plugin that came too fast.",
                Double(plugin.eventsDropped)
            ),
            (
                "nocturne.plugin.events.undelivered", "Events that a plugin did not take in time.",
                Double(plugin.eventsUndelivered)
            ),
            (
                "nocturne.plugin.log.lines.dropped", "Log lines of a plugin that came too fast.",
                Double(plugin.logLinesDropped)
            ),
            (
                "nocturne.plugin.records.dropped",
                "Records that a worker could not hand over in time.", Double(plugin.recordsDropped)
            ),
            (
                "nocturne.plugin.metric.lies",
                "Changes of a plugin's own metrics that cannot be true, and were ignored.",
                Double(plugin.metricLies)
            ),
        ]
    }

    private static func levels(of plugin: PluginMeasurement) -> [(String, String, Double)] {
        [
            (
                "nocturne.plugin.calls.running", "Work that holds a place in a plugin.",
                Double(plugin.inFlight)
            ),
            (
                "nocturne.plugin.calls.waiting", "Calls that wait for a place in a plugin.",
                Double(plugin.waiting)
            ),
            (
                "nocturne.plugin.resident.memory.bytes",
                "Memory of a plugin's process that is resident; 0 while it has none.",
                Double(plugin.residentBytes ?? 0)
            ),
        ]
    }

    private func take(
        _ latency: CallLatency, of plugin: PluginID, _ labels: Labels, _ state: inout State
    ) {
        guard latency.count > 0 else { return }
        if state.latencies[plugin] == nil {
            let handle = try? metrics.makeHistogram(
                "nocturne.plugin.call.duration.seconds", labels: labels,
                help: "How long calls of tools and commands took.", unit: "seconds")
            guard let handle else { return }
            state.latencies[plugin] = (handle, (Sketch(), 0))
        }
        guard let (handle, seen) = state.latencies[plugin] else { return }
        let sketch = Sketch(latency)
        let new = sketch.since(seen.sketch)
        handle.merge(
            Distribution(count: new.count, sum: latency.seconds - seen.seconds, sketch: new))
        state.latencies[plugin] = (handle, (sketch, latency.seconds))
    }

    func take(_ tasks: TaskStatistics) {
        state.withLock { state in
            for task in TaskState.allCases where !task.isFinished {
                set(
                    "nocturne.tasks", ["state": task.description],
                    "Tasks that have not ended, by their state.", to: Double(tasks.count(task)),
                    &state)
            }
            for (name, help, total) in Self.totals(of: tasks.totals) {
                count(name, [:], help, to: total, &state)
            }
        }
    }

    func take(_ sessions: [SessionInfo]) {
        state.withLock { state in
            for name in ["idle", "executing", "paused", "failed"] {
                set(
                    "nocturne.sessions", ["state": name],
                    "Sessions that have not ended, by their state.",
                    to: Double(sessions.count { $0.state == name }), &state)
            }
            set(
                "nocturne.sessions.agents", [:], "Agents of sessions that have not ended.",
                to: Double(
                    sessions.filter { $0.state != "ended" }.reduce(0) { $0 + $1.agents.count }),
                &state)
        }
    }

    private static func totals(of tasks: TaskTotals) -> [(String, String, Double)] {
        [
            ("nocturne.tasks.added", "Tasks that were added.", Double(tasks.added)),
            ("nocturne.tasks.started", "Attempts that were started.", Double(tasks.started)),
            ("nocturne.tasks.completed", "Tasks that completed.", Double(tasks.completed)),
            ("nocturne.tasks.failed", "Tasks that failed for good.", Double(tasks.failed)),
            ("nocturne.tasks.cancelled", "Tasks that were cancelled.", Double(tasks.cancelled)),
            ("nocturne.tasks.skipped", "Tasks that were skipped.", Double(tasks.skipped)),
            (
                "nocturne.tasks.retried", "Attempts that failed and were to be tried again.",
                Double(tasks.retried)
            ),
            (
                "nocturne.tasks.crashed", "Attempts whose process died or was not heard of.",
                Double(tasks.crashed)
            ),
            (
                "nocturne.tasks.run.seconds", "How long attempts ran, all together.",
                Double(tasks.runMilliseconds) / 1_000
            ),
        ]
    }

    // A name that cannot be had belongs to a program's own metric: that one is not disturbed.

    private func count(
        _ name: String, _ labels: Labels, _ help: String, to total: Double, _ state: inout State
    ) {
        let place = Place(name: name, labels: labels)
        if state.counters[place] == nil {
            let unit = name.hasSuffix(".seconds") ? "seconds" : nil
            guard
                let handle = try? metrics.makeCounter(name, labels: labels, help: help, unit: unit)
            else { return }
            state.counters[place] = (handle, 0)
        }
        guard let known = state.counters[place], total > known.total else { return }
        known.handle.increment(total - known.total)
        state.counters[place]?.total = total
    }

    private func set(
        _ name: String, _ labels: Labels, _ help: String, to level: Double, _ state: inout State
    ) {
        let place = Place(name: name, labels: labels)
        if state.gauges[place] == nil {
            let unit = name.hasSuffix(".bytes") ? "bytes" : nil
            guard let handle = try? metrics.makeGauge(name, labels: labels, help: help, unit: unit)
            else { return }
            state.gauges[place] = handle
        }
        state.gauges[place]?.set(level)
    }
}

extension Sketch {
    fileprivate init(_ latency: CallLatency) {
        self.init(
            scale: latency.scale,
            positive: latency.buckets.map { Bucket(index: $0.index, count: $0.count) })
    }
}
