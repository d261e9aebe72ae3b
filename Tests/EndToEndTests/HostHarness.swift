// HostHarness.swift — a real host on temporary directories, with real plugins in real workers, for tests that are
// claims about the whole. Everything it makes is gone when the test is over.

import CLinux
import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneHost

/// A host of its own for one test.
final class HostHarness: Sendable {
    let root: String
    let configuration: PluginManagerConfiguration
    private let running: Mutex<PluginManager>

    var host: PluginManager { running.withLock { $0 } }
    var plugins: String { configuration.pluginsPath }
    var objects: [String] {
        names(in: "\(configuration.statePath)/objects").filter { $0.hasSuffix(".so") }
    }

    /// Runs `body` with a started host, then shuts it down and removes everything.
    ///
    /// - Parameters:
    ///   - fixtures: dropped before the start.
    ///   - isAlone: no other host runs in this process meanwhile; for measurements.
    static func run(
        _ fixtures: [String] = [], isAlone: Bool = false,
        configure: (inout PluginManagerConfiguration) -> Void = { _ in },
        _ body: (HostHarness) async throws -> Void
    ) async throws {
        let permits = isAlone ? Permits.capacity : 1
        await Permits.shared.take(permits)
        do {
            let harness = try HostHarness(configure)
            for fixture in fixtures { try harness.drop(fixture) }
            do {
                try await harness.host.start()
                try await body(harness)
            } catch {
                await harness.end()
                throw error
            }
            await harness.end()
        } catch {
            await Permits.shared.give(permits)
            throw error
        }
        await Permits.shared.give(permits)
    }

    private init(_ configure: (inout PluginManagerConfiguration) -> Void) throws {
        var template = Array("/tmp/nocturne-host-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        root = String(cString: made)
        // Workers of another user id must be able to pass.
        chmod(root, 0o711)
        mkdir("\(root)/plugins", 0o755)
        mkdir("\(root)/staging", 0o755)
        var configuration = PluginManagerConfiguration(
            pluginsPath: "\(root)/plugins", statePath: "\(root)/state")
        // Workers of two hosts that run at once must not share a user id: the kernel counts its processes together.
        let index = Self.nextUID.withLock { next in
            next += 1024
            return next
        }
        configuration.workerUIDs = index..<(index + 1024)
        configuration.limits.load = .seconds(3)
        configuration.limits.hook = .seconds(2)
        configure(&configuration)
        self.configuration = configuration
        running = Mutex(try PluginManager(configuration: configuration))
    }

    /// 256 hosts for each of 4,096 processes.
    private static let nextUID = Mutex<UInt32>(
        1_000_000_000 + UInt32(getpid() % 4_096) * 256 * 1_024)

    private func end() async {
        await host.shutdown()
        Self.remove(root)
    }

    /// Stops the host and starts another one on the same directories.
    func restart(_ configure: (inout PluginManagerConfiguration) -> Void = { _ in }) async throws {
        await host.shutdown()
        var changed = configuration
        configure(&changed)
        let next = try PluginManager(configuration: changed)
        running.withLock { $0 = next }
        try await next.start()
    }

    // MARK: - Files

    /// Puts a fixture into the plugins directory at once, under a name.
    @discardableResult
    func drop(_ fixture: String, as name: String? = nil) throws -> String {
        try drop(file: try Fixtures.path(fixture), as: name ?? fixture)
    }

    @discardableResult
    func drop(file: String, as name: String) throws -> String {
        let staged = "\(root)/staging/\(name)", target = "\(plugins)/\(name).so"
        try copyFile(file, to: staged)
        #expect(rename(staged, target) == 0)
        return target
    }

    func removeFile(_ name: String) { unlink("\(plugins)/\(name).so") }

    static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR else { return }
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }

    // MARK: - Waiting

    /// Waits until `condition` holds; fails the test after `limit`.
    func eventually(
        _ what: String, within limit: Duration = .seconds(15),
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(3))
        }
        let state = await host.plugins().map {
            "\($0.id?.description ?? $0.file ?? "?"): \($0.status) \($0.reason ?? "")"
        }
        Issue.record("never came: \(what); now: \(state)", sourceLocation: sourceLocation)
        throw Missed(what: what)
    }

    struct Missed: Error { let what: String }

    func status(
        _ id: String, _ status: PluginStatus, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventually("\(id) is \(status)", sourceLocation: sourceLocation) {
            await info(id)?.status == status
        }
    }

    func info(_ id: String) async -> PluginInfo? { await host.plugin(PluginID(stringLiteral: id)) }

    /// Events so far, oldest first.
    func events(_ name: String, of id: String? = nil) async -> [Event] {
        var found: [Event] = []
        let latest = host.events.latestID
        guard latest > 0 else { return [] }
        for await delivery in host.events.events(since: 0) {
            guard case .event(let event) = delivery else { continue }
            if event.name == name, id == nil || event.payload["pluginId"]?.string == id {
                found.append(event)
            }
            if event.id >= latest { break }
        }
        return found
    }

    // MARK: - Calls

    /// The error of a call, which must fail.
    func failure(
        _ tool: String, _ input: JSONValue = [:], _ options: CallOptions = .init(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CallError {
        let result: JSONValue
        do throws(CallError) {
            result = try await host.call(tool, input, options: options)
        } catch {
            return error
        }
        Issue.record("\(tool) answered \(result)", sourceLocation: sourceLocation)
        throw Missed(what: "an error of \(tool)")
    }

    func number(_ tool: String, _ key: String, _ input: JSONValue = [:]) async throws -> Int64 {
        try #require(try await host.call(tool, input)[key]?.int)
    }
}

/// How many hosts may run at once: their workers compete for two cores.
private actor Permits {
    static let shared = Permits(), capacity = 3
    private var free = Permits.capacity
    private var waiters: [(count: Int, resume: CheckedContinuation<Void, Never>)] = []

    func take(_ count: Int) async {
        if waiters.isEmpty, free >= count {
            free -= count
            return
        }
        await withCheckedContinuation { waiters.append((count, $0)) }
    }

    func give(_ count: Int) {
        free += count
        while let first = waiters.first, free >= first.count {
            free -= first.count
            waiters.removeFirst()
            first.resume.resume()
        }
    }
}
