// NocturneDaemon.swift — the composition root: builds all parts, then runs until it is told to end. Read this first.
// Next: Engines.swift.

internal import Glibc
internal import NocturneHost

/// A whole Nocturne as one process: the plugin host, tasks, sessions, metrics, and their control API.
///
/// A program that only wants one of them embeds ``PluginManager`` or ``BackgroundTaskManager`` instead.
public struct NocturneDaemon: Sendable {
    /// How it came to an end.
    public enum End: Sendable, Hashable {
        /// Everything was ended in order.
        case orderly
        /// A second signal came; what was left ends with the process.
        case forced(signal: Int32)
        /// Ending in order took longer than ``endLimit``.
        case overdue

        /// For the process: 0; 128 and the signal as shells count it; 70 of sysexits(3).
        public var exitStatus: Int32 {
            switch self {
            case .orderly: 0
            case .forced(let signal): 128 + signal
            case .overdue: 70
            }
        }
    }

    /// For ending in order: the answers that are being computed, the tasks that run, then every plugin's deactivation.
    public static let endLimit = Duration.seconds(15)

    private let configuration: DaemonConfiguration

    /// Makes a daemon; nothing happens before ``run(says:)``.
    public init(_ configuration: DaemonConfiguration) { self.configuration = configuration }

    /// Starts everything and returns when it has ended, after SIGTERM or SIGINT. SIGHUP looks at
    /// the plugins directory again.
    ///
    /// The caller should exit with ``End/exitStatus`` at once: after ``End/forced(signal:)`` and
    /// ``End/overdue`` parts of it still run.
    ///
    /// - Parameter says: told what a person wants to know,
    ///   ``DaemonNotice/ready(plugins:socketPath:)`` above all.
    /// - Throws: a ``ReportableError``: ``PluginError``, ``TaskError``, ``MetricsError`` or ``SocketError``. Nothing
    ///   runs then.
    public func run(says: (DaemonNotice) -> Void) async throws -> End {
        // A peer that closes a pipe or a socket is an error of that write, never the end of the
        // host.
        signal(SIGPIPE, SIG_IGN)
        let received = SignalStream([SIGTERM, SIGINT, SIGHUP])
        defer { received.end() }
        let signals = received.signals

        let engines = try await Engines(configuration)
        let (metricsPort, failed) = try await engines.start()
        for error in failed { says(.warning("\(error)")) }
        for warning in try await engines.tasks.warnings() + engines.metrics.warnings {
            says(.warning(warning))
        }
        let serving = await engines.plugins.plugins(where: PluginFilter(status: .enabled)).count
        says(
            .ready(
                plugins: serving, socketPath: configuration.socketPath, metricsPort: metricsPort))

        for await signal in signals {
            guard signal == SIGHUP else { break }
            await engines.plugins.rescan()
        }
        return await Self.first(
            of: {
                await engines.shutdown()
                return .orderly
            },
            {
                for await signal in signals where signal != SIGHUP {
                    return .forced(signal: signal)
                }
                return nil
            },
            {
                do { try await Task.sleep(for: Self.endLimit) } catch { return nil }
                return .overdue
            })
    }

    /// What the quickest of `ways` returns. The others are cancelled but, unlike in a task group,
    /// not waited for.
    private static func first(of ways: (@Sendable () async -> End?)...) async -> End {
        let (ends, continuation) = AsyncStream.makeStream(of: End.self)
        let tasks = ways.map { way in
            Task { if let end = await way() { continuation.yield(end) } }
        }
        defer { for task in tasks { task.cancel() } }
        for await end in ends { return end }
        return .overdue  // Only if this task was cancelled itself.
    }
}
