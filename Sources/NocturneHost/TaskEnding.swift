// TaskEnding.swift — what the end of a call means for the task that it was an attempt at: only what is the task's own
// fault uses an attempt. Pure. Next: PluginGate.swift.

import CWire
import NocturneCore

/// What the end of a call means for the task that it was an attempt at.
struct TaskEnding: Sendable {
    let plugin: PluginID
    let contribution: Contribution
    /// Milliseconds that it had.
    let limit: Int
    /// The time was up when it ended.
    let isLate: Bool
    let isCancelled: Bool
    let linked: LinkedTask
    /// Why the worker was to be left, if it was.
    let leaving: String?

    /// A result, if it is one.
    func completion(_ bytes: [UInt8]) -> PluginTaskEnd {
        do throws(CallError) {
            return .completed(try Router.checkResult(bytes, contribution, plugin).description)
        } catch {
            return .failed("\(error)", isRetryable: false)
        }
    }

    /// Every end but a result.
    func end(of outcome: WireOutcome) -> PluginTaskEnd {
        switch outcome {
        case .reply(let status, let bytes): end(of: status, bytes)
        case .overdue where isLate: timedOut
        case .overdue, .cancelled, .gaveUp:
            isCancelled ? .cancelled : withdrawn("it did not stop and was killed")
        case .notSent(let end): withdrawn("its process \(end)")
        case .ended(let end): self.end(of: end)
        case .failed(let error): .failed("\(plugin): \(error)", isRetryable: true)
        }
    }

    private func end(of status: UInt32, _ bytes: [UInt8]) -> PluginTaskEnd {
        let message = String(decoding: bytes.prefix(512), as: UTF8.self)
        switch status {
        case CallStatus.invalidInput: return .invalidInput("\(plugin): \(message)")
        case CallStatus.cancelled: return stopped(message)
        case WIRE_STATUS_NO_HANDLER:
            let error = CallError.notRegistered(plugin, name: contribution.name)
            return .failed("\(error)", isRetryable: true)
        case WIRE_STATUS_PAUSED where linked.isPauseRequested || !linked.wasToldToPause:
            return .paused
        case WIRE_STATUS_PAUSED: return withdrawn("it paused")
        case WIRE_STATUS_RETRY_AFTER:
            guard let wait = Self.wait(bytes) else { break }
            let message = String(decoding: bytes.dropFirst(8).prefix(512), as: UTF8.self)
            return .failed("\(plugin): \(message)", isRetryable: true, wait: wait)
        case WIRE_STATUS_SNOOZED:
            guard let wait = Self.wait(bytes) else { break }
            return .snoozed(wait)
        default: break
        }
        return .failed("\(plugin): \(message)", isRetryable: status == CallStatus.retry)
    }

    /// The plugin says that it stopped because it was told to.
    private func stopped(_ message: String) -> PluginTaskEnd {
        if isCancelled { return .cancelled }
        if isLate { return timedOut }
        if leaving != nil { return withdrawn("it stopped") }
        return .failed("\(plugin): \(message.isEmpty ? "it gave up" : message)", isRetryable: true)
    }

    private func end(of end: WorkerEnd) -> PluginTaskEnd {
        end.isByHost
            ? withdrawn("its process \(end)")
            : .crashed("\(plugin): its process \(end) during \(contribution.name)")
    }

    private var timedOut: PluginTaskEnd {
        .timedOut("\(plugin): \(contribution.name) took longer than the \(limit) ms that it had")
    }

    /// It is not this task's fault.
    private func withdrawn(_ what: String) -> PluginTaskEnd {
        .withdrawn(
            "\(plugin): \(leaving.map { "\($0), so " } ?? "")\(what); the task starts anew with its last checkpoint"
        )
    }

    /// The wait in front of a reply's payload; at most a year.
    private static func wait(_ bytes: [UInt8]) -> Duration? {
        guard bytes.count >= 8 else { return nil }
        let milliseconds = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        return .milliseconds(Int64(min(milliseconds, 365 * 86_400_000)))
    }
}
