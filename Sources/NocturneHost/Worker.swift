// Worker.swift — one worker process: its descriptors, its start and its end. Its calls are in WorkerLink.swift, what it
// asks of the host in WorkerServices.swift. Next: Supervisor.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

/// What a worker is started with.
struct WorkerSpec: Sendable {
    var plugin: PluginID
    var version: SemanticVersion
    /// The file that it came in, for errors.
    var file: String
    /// File name in the object store.
    var object: String
    var memoryBytes: UInt64
    var concurrency: Int
    var threads: Int
    /// Declared contributions, in the order of their indexes.
    var contributions: [(kind: UInt32, name: String)]
}

/// What a worker said of its sandbox before it loaded anything.
struct SandboxReport: Sendable, Hashable {
    let bits: UInt32
    let landlockABI: UInt32
    let uid: UInt32
    let degradations: [String]

    var layers: [String] { SandboxLayers.names(of: bits) }
}

/// One process with one plugin in it.
///
/// It ends when ``end(_:)`` is called, when it exits or crashes, or when its zygote dies; then ``ended`` is fulfilled
/// once and nothing of it is left. Thread-safe.
final class Worker: Sendable {
    private struct State {
        var pidfd: Int32 = -1
        var pid: Int32?
        var end: WorkerEnd?  // why the host killed it
        var hasLostControl = false
        var hasLostZygote = false
        var tokens: [(reactor: Reactor, token: UInt64, descriptor: Int32)] = []
        var descriptors: [Int32] = []
        var report: SandboxReport?
        var isOver = false
    }
    private let state = Mutex(State())
    let spec: WorkerSpec
    private let memory: WireMemory
    private let reactor: Reactor, io: Reactor
    private let services: any WorkerServicing
    private let control: Int32, hostDoorbell: Int32, output: Int32, errors: Int32
    /// The link holds no reference to the worker, the worker holds the link.
    let link: WorkerLink
    /// Fulfilled when the plugin is loaded, or will never be.
    let loaded = Promise<Result<PluginExtensions, StartError>>()
    /// Fulfilled when nothing of the process is left.
    let ended = Promise<WorkerEnd>()

    /// Bytes that a pipe can hold when its writer has made it as long as it may: pipe(7), /proc/sys/fs/pipe-max-size. 1
    /// MiB.
    private static let pipeLimit = 1 << 20
    /// Time for a process whose control socket is closed to be dead; it closes while the process dies. 100 ms.
    private static let controlLossLimit = Duration.milliseconds(100)
    /// Grace between the process's death and the zygote's word on how it died.
    private static let exitStatusLimit = Duration.milliseconds(500)

    /// Asks `zygote` for a worker with this plugin in it.
    static func start(
        _ spec: WorkerSpec, from zygote: Zygote, reactor: Reactor, io: Reactor,
        services: any WorkerServicing
    ) throws(SystemError) -> Worker {
        let ends = try Ends()
        defer { ends.closeWorkerSide() }
        let memory: WireMemory
        do throws(SystemError) {
            memory = try WireMemory()
        } catch {
            ends.closeHostSide()
            throw error
        }
        let worker = Worker(spec, memory, ends, reactor, io, services)
        do throws(SystemError) {
            try worker.listen()
            var message = wire_spawn()
            message.magic = WIRE_MAGIC
            message.message = WIRE_MESSAGE_SPAWN
            message.memory_bytes = spec.memoryBytes
            message.concurrency = UInt32(spec.concurrency)
            message.threads = UInt32(spec.threads)
            message.names_count = UInt32(spec.contributions.count)
            message.names_length = try memory.writeNames(spec.contributions)
            withUnsafeMutableBytes(of: &message.object) { field in
                field.copyBytes(from: spec.object.utf8.prefix(field.count - 1))
            }
            try zygote.spawn(
                worker, message,
                descriptors: ends.workerSide + [memory.downDescriptor, memory.upDescriptor])
            return worker
        } catch {
            worker.finish(.stopped)
            throw error
        }
    }

    private init(
        _ spec: WorkerSpec, _ memory: WireMemory, _ ends: Ends, _ reactor: Reactor, _ io: Reactor,
        _ services: any WorkerServicing
    ) {
        self.spec = spec
        self.memory = memory
        self.reactor = reactor
        self.io = io
        self.services = services
        control = ends.control
        hostDoorbell = ends.hostDoorbell
        output = ends.output
        errors = ends.errors
        let misconduct = Promise<WorkerEnd>()
        link = WorkerLink(
            memory: memory, reactor: reactor, doorbell: ends.doorbell, control: ends.control
        ) { end in misconduct.fulfill(end) }
        state.withLock { state in
            state.descriptors = [hostDoorbell, output, errors]  // the link has the others
        }
        misconduct.whenFulfilled { [weak self] end in self?.end(end) }
    }

    // MARK: - Life

    /// The process's id as the host sees it, while it lives.
    var pid: Int32? { state.withLock { $0.isOver ? nil : $0.pid } }
    /// What it said of its sandbox.
    var report: SandboxReport? { state.withLock { $0.report } }
    /// Whether the process is gone.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Kills the process; the first reason counts. Calls in flight fail with it as soon as the process is gone.
    func end(_ reason: WorkerEnd) {
        state.withLock { state in
            guard !state.isOver else { return }
            if state.end == nil { state.end = reason }
            if state.pidfd >= 0 { _ = clinux_pidfd_kill(state.pidfd, SIGKILL) }
        }
    }

    /// Whether the zygote has said that there is a process.
    var isForked: Bool { state.withLock { $0.pidfd >= 0 } }

    /// The zygote has forked the process.
    func forked(pidfd: Int32, uid: UInt32) {
        let mustKill = state.withLock { state -> Bool? in
            guard !state.isOver else { return nil }
            state.pidfd = pidfd
            state.descriptors.append(pidfd)
            state.pid = clinux_pidfd_pid(pidfd)
            return state.end != nil
        }
        guard let mustKill else {
            _ = clinux_pidfd_kill(pidfd, SIGKILL)
            Glibc.close(pidfd)
            return
        }
        if mustKill { _ = clinux_pidfd_kill(pidfd, SIGKILL) }
        do throws(SystemError) {
            let token = try reactor.add(pidfd) { [weak self] _ in self?.processEnded() }
            state.withLock { $0.tokens.append((reactor, token, pidfd)) }
        } catch {
            end(.vanished)
        }
    }

    /// The zygote could not fork.
    func notForked(errno: Int32) {
        loaded.fulfill(.failure(.system(SystemError(action: "fork a worker", errno: errno))))
        finish(.stopped)
    }

    /// The zygote has reaped the process.
    func exited(code: Int32, status: Int32) {
        receive()  // its last words may say more than its exit status
        let (reason, hasLostControl) = state.withLock { ($0.end, $0.hasLostControl) }
        if let reason { return finish(reason) }
        if code == CLD_EXITED { return finish(.exited(status: status)) }
        if hasLostControl, status == SIGKILL {
            return finish(.protocolError("it closed its control socket"))
        }
        finish(.signaled(status))
    }

    func zygoteLost() {
        state.withLock { $0.hasLostZygote = true }
        end(.zygoteLost)
        if !isForked { finish(.zygoteLost) }
    }

    /// The process is dead; the zygote will say how, unless it is dead too.
    private func processEnded() {
        let token = state.withLock { state -> UInt64? in
            guard let index = state.tokens.firstIndex(where: { $0.descriptor == state.pidfd })
            else {
                return nil
            }
            return state.tokens.remove(at: index).token
        }
        guard let token else { return }
        let (pidfd, hasLostZygote) = state.withLock { ($0.pidfd, $0.hasLostZygote) }
        reactor.remove(token, descriptor: pidfd)
        if hasLostZygote { return finish(state.withLock { $0.end } ?? .zygoteLost) }
        Task { [weak self] in
            try? await Task.sleep(for: Self.exitStatusLimit)
            guard let self else { return }
            finish(state.withLock { $0.end } ?? .vanished)
        }
    }

    private func finish(_ end: WorkerEnd) {
        let taken = state.withLock { state -> State? in
            guard !state.isOver else { return nil }
            state.isOver = true
            let taken = state
            state.tokens = []
            state.descriptors = []
            return taken
        }
        guard let taken else { return }
        link.close(end)
        for entry in taken.tokens {
            entry.reactor.remove(entry.token, descriptor: entry.descriptor)
        }
        loaded.fulfill(.failure(.ended(step: "loading", end)))
        // Handlers that are running may still use the descriptors: close them behind both threads. The doorbell and the
        // control socket are used by callers on any thread, so the link closes them when the last one has let go.
        let descriptors = taken.descriptors
        reactor.async {
            self.io.async {
                self.readOutput(self.output, "stdout", untilEnd: true)
                self.readOutput(self.errors, "stderr", untilEnd: true)
                self.services.finished(self.link)
                for descriptor in descriptors { Glibc.close(descriptor) }
                self.ended.fulfill(end)
            }
        }
    }

    // MARK: - Listening

    private func listen() throws(SystemError) {
        try watch(reactor, hostDoorbell) { [weak self] in self?.rung() }
        try watch(reactor, control) { [weak self] in self?.receive() }
        try watch(io, output) { [weak self] in self?.readOutput(self?.output ?? -1, "stdout") }
        try watch(io, errors) { [weak self] in self?.readOutput(self?.errors ?? -1, "stderr") }
    }

    private func watch(
        _ reactor: Reactor, _ descriptor: Int32, _ handler: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let token = try reactor.add(descriptor) { [weak self] events in
            handler()
            // The other end is closed for good: an end of file would be reported for ever.
            if events & CLINUX_HUNG_UP != 0 { self?.unwatch(descriptor) }
        }
        state.withLock { $0.tokens.append((reactor, token, descriptor)) }
    }

    private func unwatch(_ descriptor: Int32) {
        let entry = state.withLock { state in
            state.tokens.firstIndex { $0.descriptor == descriptor }.map {
                state.tokens.remove(at: $0)
            }
        }
        if let entry { entry.reactor.remove(entry.token, descriptor: descriptor) }
    }

    /// Returns when all that the worker has said so far has been heard.
    func hearRecords() async {
        await withUnsafeContinuation { continuation in
            io.async {
                self.services.takeRecords(of: self.link)
                continuation.resume()
            }
        }
    }

    private func rung() {
        // More than one byte waits only after a burst; what is left rings again at once.
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        _ = withUnsafeMutableBytes(of: &bytes) { read(hostDoorbell, $0.baseAddress, $0.count) }
        link.collectReplies()
        services.rung(link)
    }

    private func receive() {
        var bytes = [UInt8](repeating: 0, count: Int(WIRE_MESSAGE_MAX))
        // A bounded number at a time: a worker that floods its socket waits for the next round.
        for _ in 0..<16 {
            var descriptor: Int32 = -1
            let size = clinux_receive(control, &bytes, UInt64(bytes.count), &descriptor)
            if size == -Int64(EAGAIN) { return }
            if descriptor >= 0 {
                Glibc.close(descriptor)
                return end(.protocolError("it sent a descriptor"))
            }
            guard size > 0 else { return lostControl() }
            if let problem = handle(bytes, Int(size)) { return end(.protocolError(problem)) }
        }
    }

    /// End of file is not death: a process that does not follow soon has closed its socket, and is killed for it.
    private func lostControl() {
        unwatch(control)
        Task { [weak self] in
            try? await Task.sleep(for: Self.controlLossLimit)
            guard let self else { return }
            state.withLock { state in
                guard !state.isOver, state.pidfd >= 0 else { return }
                state.hasLostControl = true
                _ = clinux_pidfd_kill(state.pidfd, SIGKILL)
            }
        }
    }

    private func handle(_ bytes: [UInt8], _ size: Int) -> String? {
        func load<T>(_: T.Type) -> T? {
            guard size == MemoryLayout<T>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) }
        }
        guard size >= 8 else { return "a control message of \(size) bytes" }
        let kind = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }
        switch kind {
        case WIRE_MESSAGE_HELLO:
            guard var message = load(wire_hello.self) else { return "a hello of \(size) bytes" }
            let text = withUnsafeBytes(of: &message.text) { Zygote.text($0) }
            let isFirst = state.withLock { state in
                let isFirst = state.report == nil
                state.report = SandboxReport(
                    bits: message.layers, landlockABI: message.landlock_abi, uid: message.uid,
                    degradations: text.split(separator: "\n").map(String.init))
                return isFirst
            }
            guard isFirst else { return "a second hello" }
            let missing = SandboxLayers.mandatory & ~message.layers
            if missing != 0 {
                let names = SandboxLayers.names(of: missing).joined(separator: ", ")
                loaded.fulfill(.failure(.sandbox("missing: \(names)")))
                end(.stopped)
            }
        case WIRE_MESSAGE_LOADED:
            guard let message = load(wire_loaded.self) else { return "a loaded of \(size) bytes" }
            guard report != nil else { return "loaded before hello" }
            let result = Result { () throws(StartError) in
                try PluginExtensions(message, of: spec)
            }
            guard loaded.fulfill(result) else { return "a second loaded" }
        case WIRE_MESSAGE_FAILED:
            guard var message = load(wire_failed.self) else { return "a failure of \(size) bytes" }
            let text = withUnsafeBytes(of: &message.text) { Zygote.text($0) }
            let error: StartError =
                switch message.stage {
                case WIRE_STAGE_SANDBOX, WIRE_STAGE_SELFTEST, WIRE_STAGE_SEAL: .sandbox(text)
                case WIRE_STAGE_LOAD: .load(text)
                case WIRE_STAGE_ENTRY: .entry(text)
                default: .contract(text)
                }
            loaded.fulfill(.failure(error))
            end(.stopped)
        default: return "a control message of kind \(kind)"
        }
        return nil
    }

    /// Takes what the worker wrote: one piece, or all that is left in the pipe, which is at most ``pipeLimit``.
    private func readOutput(_ descriptor: Int32, _ stream: String, untilEnd: Bool = false) {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        for _ in 0..<(untilEnd ? Self.pipeLimit / bytes.count : 1) {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return }
            services.output(bytes[..<count], stream: stream)
        }
    }
}
