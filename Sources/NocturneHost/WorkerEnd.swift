// WorkerEnd.swift — how a worker's process ended, or why the host ended it.

import Glibc

/// How a worker came to its end.
enum WorkerEnd: Error, Sendable, Hashable, CustomStringConvertible {
    /// It called exit, or `_exit`, with this status.
    case exited(status: Int32)
    /// A signal killed it that the host had not sent.
    case signaled(Int32)
    /// The host killed it: a call did not answer in time.
    case overdue(call: String, milliseconds: Int)
    /// The host killed it: it broke the wire's rules.
    case protocolError(String)
    /// The host ended it on purpose.
    case stopped
    /// Its zygote died, and it with it.
    case zygoteLost
    /// It ended and nobody could say how.
    case vanished

    /// A sentence's end: "its process …".
    var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signaled(let signal): "was killed by signal \(signal) (\(Self.name(of: signal)))"
        case .overdue(let call, let milliseconds):
            "was killed, because \(call) did not answer within \(milliseconds) ms"
        case .protocolError(let what): "was killed, because it broke the wire's rules: \(what)"
        case .stopped: "was stopped by the host"
        case .zygoteLost: "was lost with the zygote that it came from"
        case .vanished: "ended in an unknown way"
        }
    }

    /// Nothing that the process did in the work at hand is the reason.
    var isByHost: Bool {
        switch self {
        case .stopped, .zygoteLost, .overdue: true
        case .exited, .signaled, .protocolError, .vanished: false
        }
    }

    /// The kind, for events: `exited`, `signal`, `deadline`, …
    var code: String {
        switch self {
        case .exited: "exited"
        case .signaled: "signal"
        case .overdue: "deadline"
        case .protocolError: "protocol"
        case .stopped: "stopped"
        case .zygoteLost: "zygoteLost"
        case .vanished: "vanished"
        }
    }

    private static func name(of signal: Int32) -> String {
        switch signal {
        case SIGSEGV: "SIGSEGV, an invalid memory access"
        case SIGABRT: "SIGABRT, it aborted"
        case SIGILL: "SIGILL, an illegal instruction or a trap of the language"
        case SIGFPE: "SIGFPE, an arithmetic error"
        case SIGBUS: "SIGBUS, a bad memory access"
        case SIGKILL: "SIGKILL"
        case SIGSYS: "SIGSYS, a system call that the sandbox forbids"
        case SIGTRAP: "SIGTRAP, a trap"
        case SIGTERM: "SIGTERM"
        default: String(cString: strsignal(signal))
        }
    }
}
