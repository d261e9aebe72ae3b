// ChildProcess.swift — a program that runs: lines to it, lines from it, and its end, with all that it started. Next:
// AgentLine.swift.

internal import CLinux
internal import Glibc
internal import NocturneCore
internal import Synchronization

/// A program that runs, in a session and process group of its own. One thread waits for it: a process costs far more.
final class ChildProcess: Sendable {
    /// What the program is heard by; called on its thread, in order.
    struct Hearing: Sendable {
        var line: @Sendable (LineBuffer.Line) -> Void
        /// It has ended and is reaped; says how, with the last it wrote to its standard error.
        var end: @Sendable (String) -> Void
    }

    /// Bytes that may wait for a program that does not read.
    static let mostPendingBytes = 4 << 20
    /// Bytes of a line from the program.
    static let longestLine = 1 << 20
    /// Bytes of its standard error that are kept, for people.
    private static let errorTailBytes = 2_048
    private static let readBytes = 1 << 16

    private struct State {
        var pending: [UInt8] = []
        var isClosing = false
        var killAt: Duration?
        var hasEnded = false
    }
    private let state = Mutex(State())
    private let hearing: Hearing
    let pid: pid_t
    private let pidfd: Int32
    private let input: Int32, output: Int32, errors: Int32
    private let wakeRead: Int32, wakeWrite: Int32

    /// Starts the program.
    init(_ command: AgentCommand, _ hearing: Hearing) throws(AgentCommandError) {
        // Writing to a program that has died is an error here, not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        var pipes: [[Int32]] = []
        func fail(_ action: String, _ error: Int32) -> AgentCommandError {
            for end in pipes.joined() { close(end) }
            return .cannotStart(
                command.executable, "\(action): \(String(cString: strerror(error)))")
        }
        for flags in [
            CLINUX_WRITE_NONBLOCKING, CLINUX_READ_NONBLOCKING, CLINUX_READ_NONBLOCKING,
            CLINUX_READ_NONBLOCKING | CLINUX_WRITE_NONBLOCKING,
        ] {
            var ends: [Int32] = [-1, -1]
            let result = clinux_pipe(&ends, flags)
            guard result >= 0 else { throw fail("no pipe", -result) }
            pipes.append(ends)
        }
        var pid: pid_t = 0
        let result = Self.withCStrings([command.executable] + command.arguments) { arguments in
            Self.withCStrings(command.environment) { environment in
                clinux_spawn(
                    command.executable, arguments, environment,
                    [pipes[0][0], pipes[1][1], pipes[2][1]], 3, &pid)
            }
        }
        guard result == 0 else { throw fail("no process", -result) }
        let pidfd = clinux_pidfd_open(pid)
        guard pidfd >= 0 else {
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw fail("no process descriptor", -pidfd)
        }
        for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { close(end) }
        (input, output, errors) = (pipes[0][1], pipes[1][0], pipes[2][0])
        (wakeRead, wakeWrite) = (pipes[3][0], pipes[3][1])
        (self.pid, self.pidfd, self.hearing) = (pid, pidfd, hearing)
        let error = startThread()
        guard error == 0 else {
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            for descriptor in [input, output, errors, wakeRead, wakeWrite, pidfd] {
                close(descriptor)
            }
            throw .cannotStart(
                command.executable, "no thread for it: \(String(cString: strerror(error)))")
        }
    }

    // MARK: - What others ask for

    /// Sends a line. Never blocks.
    ///
    /// - Returns: whether it will be sent; not if the program has ended or does not read.
    func write(_ line: [UInt8]) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.hasEnded, !state.isClosing,
                state.pending.count + line.count < Self.mostPendingBytes
            else { return false }
            state.pending += line
            state.pending.append(UInt8(ascii: "\n"))
            return true
        }
        if isTaken { wake() }
        return isTaken
    }

    /// Closes its input, and kills it if it has not ended after `grace`.
    func end(after grace: Duration) {
        state.withLock { state in
            state.isClosing = true
            let killAt = Duration.uptime + grace
            state.killAt = min(state.killAt ?? killAt, killAt)
        }
        wake()
    }

    private func wake() {
        state.withLock { state in
            // After the end the descriptor may be somebody else's.
            guard !state.hasEnded else { return }
            var byte: UInt8 = 1
            _ = Glibc.write(wakeWrite, &byte, 1)
        }
    }

    // MARK: - The thread

    private func startThread() -> Int32 {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let process = Unmanaged<ChildProcess>.fromOpaque(context).takeRetainedValue()
                clinux_name_thread("agent")
                process.run()
                return nil
            }, box.toOpaque())
        if error == 0 { pthread_detach(thread) } else { box.release() }
        return error
    }

    private func run() {
        var lines = LineBuffer(longest: Self.longestLine)
        var errorTail: [UInt8] = []
        var isInputOpen = true, isOutputOpen = true, areErrorsOpen = true
        while true {
            let wanted = wishes()
            if isInputOpen, wanted.closes {
                close(input)
                isInputOpen = false
            }
            var polled = [
                pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isOutputOpen ? output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: areErrorsOpen ? errors : -1, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: isInputOpen && wanted.writes ? input : -1, events: Int16(POLLOUT),
                    revents: 0),
            ]
            _ = poll(&polled, nfds_t(polled.count), wanted.timeout)
            if polled[1].revents != 0 { _ = read(wakeRead) }
            if polled[4].revents != 0 { flush() }
            if polled[3].revents != 0 {
                let (bytes, isAtEnd) = read(errors)
                errorTail = (errorTail + bytes).suffix(Self.errorTailBytes)
                areErrorsOpen = !isAtEnd
            }
            if polled[2].revents != 0 {
                let (bytes, isAtEnd) = read(output)
                for line in lines.take(bytes) { hearing.line(line) }
                if isAtEnd {
                    isOutputOpen = false
                    end(after: .zero)  // It cannot answer any more.
                }
            }
            if polled[0].revents != 0 { break }
        }
        while isOutputOpen {
            let (bytes, isAtEnd) = read(output)
            for line in lines.take(bytes) { hearing.line(line) }
            isOutputOpen = !isAtEnd && !bytes.isEmpty
        }
        errorTail = (errorTail + read(errors).bytes).suffix(Self.errorTailBytes)
        if isInputOpen { close(input) }
        reap(errorTail)
    }

    /// What is asked of the thread, and for how many milliseconds at most it may wait.
    private func wishes() -> (writes: Bool, closes: Bool, timeout: Int32) {
        state.withLock { state in
            let closes = state.isClosing && state.pending.isEmpty
            guard let killAt = state.killAt else { return (!state.pending.isEmpty, closes, -1) }
            let left = killAt - .uptime
            if left <= .zero {
                kill(-pid, SIGKILL)
                state.killAt = nil
                return (false, true, -1)
            }
            let milliseconds = min(left / Duration.milliseconds(1), 60_000).rounded(.up)
            return (!state.pending.isEmpty, closes, Int32(milliseconds))
        }
    }

    private func flush() {
        state.withLock { state in
            let sent = state.pending.withUnsafeBytes {
                Glibc.write(input, $0.baseAddress, $0.count)
            }
            if sent > 0 {
                state.pending.removeFirst(sent)
            } else if errno != EAGAIN && errno != EINTR {
                state.pending = []
                state.isClosing = true
            }
        }
    }

    private func read(_ descriptor: Int32) -> (bytes: [UInt8], isAtEnd: Bool) {
        var buffer = [UInt8](repeating: 0, count: Self.readBytes)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 { return (Array(buffer[..<count]), false) }
        return ([], count == 0 || (errno != EAGAIN && errno != EINTR))
    }

    /// Ends what it has started, and then gives its number back: before that nobody else can have the group's.
    private func reap(_ errorTail: [UInt8]) {
        kill(-pid, SIGKILL)
        var code: Int32 = 0, status: Int32 = 0
        _ = clinux_pidfd_wait(pidfd, &code, &status)
        state.withLock { state in
            state.hasEnded = true
            state.pending = []
            for descriptor in [pidfd, output, errors, wakeRead, wakeWrite] { close(descriptor) }
        }
        let how =
            code == CLD_EXITED ? "it ended with status \(status)" : "signal \(status) killed it"
        let text = String(decoding: errorTail, as: UTF8.self).split(whereSeparator: \.isNewline)
            .suffix(3).joined(separator: " / ")
        hearing.end(text.isEmpty ? how : "\(how): \(text)")
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
