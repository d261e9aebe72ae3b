// Zygote.swift — one zygote process: the C program that forks the workers, because a Swift process must not fork.
// Next: ZygotePool.swift, Worker.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

/// A running `nocturne-worker` zygote.
final class Zygote: Sendable {
    /// How it is started.
    struct Program: Sendable, Hashable {
        var executable: String
        /// `c` or `swift`.
        var role: String
        var objects: String
        /// Folder of the Swift runtime, `nil` for C.
        var runtime: String?
        var uidBase: UInt32
        var uidCount: UInt32
    }

    struct Ready: Sendable {
        let layers: UInt32
        let landlockABI: UInt32
        let problem: String?
    }

    /// Time in which a zygote must say that it is ready. Preloading a runtime takes 20 ms; 10 s is for a busy machine.
    private static let startLimit = Duration.seconds(10)

    private struct State {
        var workers: [UInt64: Worker] = [:]
        var nextID: UInt64 = 1
        var token: UInt64?
        var isLost = false
    }
    private let state = Mutex(State())
    private let control: Int32
    private let pidfd: Int32
    let pid: Int32
    private let reactor: Reactor
    private let ready = Promise<Ready>()
    /// Fulfilled when it cannot start workers any more, which is its end or leads to it.
    let lost = Promise<Void>()
    /// Fulfilled when nothing of the process is left.
    let reaped = Promise<Void>()

    /// Starts the process. Returns before it is ready.
    init(_ program: Program, reactor: Reactor) throws(SystemError) {
        var sockets: [Int32] = [-1, -1]
        try SystemError.check(clinux_socket_pair(&sockets), "create a socket pair")
        defer { Glibc.close(sockets[1]) }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { Glibc.close(null) }
        var pid: pid_t = 0
        let arguments = [
            program.executable, program.role, program.objects, program.runtime ?? "-",
            String(program.uidBase), String(program.uidCount),
        ]
        var environment = ["LC_ALL=C", "SWIFT_BACKTRACE=enable=no"]
        if let runtime = program.runtime { environment.append("LD_LIBRARY_PATH=\(runtime)") }
        let result = Self.withCStrings(arguments) { arguments in
            Self.withCStrings(environment) { environment in
                clinux_spawn(
                    program.executable, arguments, environment, [null, 2, 2, sockets[1]], 4, &pid)
            }
        }
        if result != 0 {
            Glibc.close(sockets[0])
            throw SystemError(action: "start \(program.executable)", errno: -result)
        }
        control = sockets[0]
        self.pid = pid
        self.reactor = reactor
        pidfd = clinux_pidfd_open(pid)
    }

    deinit {
        Glibc.close(control)
        if pidfd >= 0 { Glibc.close(pidfd) }
    }

    /// Listens to the process. Must be called once, right after init.
    func listen() throws(SystemError) {
        let token = try reactor.add(control) { [weak self] _ in self?.receive() }
        state.withLock { $0.token = token }
    }

    /// Waits until it can start workers; says why it cannot.
    func whenReady() async throws(StartError) -> Ready {
        guard let ready = await ready.value(within: Self.startLimit) else {
            throw .zygote("it did not become ready within \(Self.startLimit)")
        }
        if let problem = ready.problem { throw .zygote(problem) }
        return ready
    }

    /// Asks for a worker. Its ``Worker/started`` tells how it went.
    func spawn(_ worker: Worker, _ message: wire_spawn, descriptors: [Int32]) throws(SystemError) {
        var message = message
        let isLost = state.withLock { state in
            message.id = state.nextID
            state.nextID += 1
            state.workers[message.id] = worker
            return state.isLost
        }
        let sent =
            isLost
            ? -EPIPE
            : clinux_send(
                control, &message, UInt64(MemoryLayout<wire_spawn>.size), descriptors,
                Int32(descriptors.count))
        if sent != 0 {
            _ = state.withLock { $0.workers.removeValue(forKey: message.id) }
            throw SystemError(action: "ask the zygote for a worker", errno: -sent)
        }
    }

    /// Ends the process; its workers die with it.
    func end() {
        if pidfd >= 0 { _ = clinux_pidfd_kill(pidfd, SIGKILL) }
        lose()
    }

    private func receive() {
        var bytes = [UInt8](repeating: 0, count: Int(WIRE_MESSAGE_MAX))
        while true {
            var descriptor: Int32 = -1
            let size = clinux_receive(control, &bytes, UInt64(bytes.count), &descriptor)
            if size == -Int64(EAGAIN) { return }
            guard size >= 8 else {
                if descriptor >= 0 { Glibc.close(descriptor) }
                return lose()
            }
            handle(bytes, Int(size), descriptor)
        }
    }

    private func handle(_ bytes: [UInt8], _ size: Int, _ descriptor: Int32) {
        func load<T>(_: T.Type) -> T? {
            guard size == MemoryLayout<T>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) }
        }
        let kind = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }
        switch kind {
        case WIRE_MESSAGE_READY:
            guard var message = load(wire_ready.self) else { break }
            let text = withUnsafeBytes(of: &message.text) { Self.text($0) }
            let problem: String? =
                message.threads != 1
                ? "it has \(message.threads) threads" : text.isEmpty ? nil : text
            ready.fulfill(
                Ready(
                    layers: message.layers, landlockABI: message.landlock_abi, problem: problem))
        case WIRE_MESSAGE_FORKED:
            guard let message = load(wire_forked.self) else { break }
            let worker = state.withLock { $0.workers[message.id] }
            if let worker, descriptor >= 0 {
                return worker.forked(pidfd: descriptor, uid: message.uid)
            }
            if worker != nil { state.withLock { $0.workers[message.id] = nil } }
            worker?.notForked(errno: message.error)
        case WIRE_MESSAGE_EXITED:
            guard let message = load(wire_exited.self) else { break }
            let worker = state.withLock { $0.workers.removeValue(forKey: message.id) }
            worker?.exited(code: message.code, status: message.status)
        default: break
        }
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    private func lose() {
        let workers = state.withLock { state -> [Worker] in
            if state.isLost { return [] }
            state.isLost = true
            if let token = state.token { reactor.remove(token, descriptor: control) }
            let workers = Array(state.workers.values)
            state.workers.removeAll()
            return workers
        }
        if pidfd >= 0 { _ = clinux_pidfd_kill(pidfd, SIGKILL) }
        ready.fulfill(Ready(layers: 0, landlockABI: 0, problem: "it ended while it was starting"))
        for worker in workers { worker.zygoteLost() }
        reap()
        lost.fulfill(())
    }

    /// Takes the exit status of our child, so that no zombie stays. SIGKILL was sent, so it comes soon.
    private func reap() {
        guard pidfd >= 0 else {
            reaped.fulfill(())
            return
        }
        let pidfd = pidfd
        Task {
            var code: Int32 = 0, status: Int32 = 0
            for _ in 0..<500 {
                if clinux_pidfd_wait(pidfd, &code, &status) != 0 { break }
                try? await Task.sleep(for: .milliseconds(10))
            }
            self.reaped.fulfill(())
        }
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}
