// Connections.swift — the open connections of a server: their deadlines, their number, their
// end. Next: ControlServer.swift.

internal import NIOCore
internal import Synchronization

/// One connection and what it is doing.
///
/// A caller has ``ControlServer/requestLimit`` to send a whole request, however slowly its bytes
/// come; nothing bounds how long an answer takes, because the host bounds calls, and an event
/// stream has no end.
final class Connection: Sendable {
    private enum Phase { case receiving, answering, streaming, ended }
    private struct State {
        var phase = Phase.receiving
        var isLast = false
        var timer: Scheduled<Void>?
        var task: Task<Void, Never>?
        var stream: DeliveryQueue?
    }

    let channel: any Channel
    /// Why nothing is served on it, if so.
    let refusal: RequestError?
    private let requestLimit: TimeAmount
    private let state = Mutex(State())

    init(_ channel: any Channel, refusal: RequestError?, requestLimit: TimeAmount) {
        self.channel = channel
        self.refusal = refusal
        self.requestLimit = requestLimit
        awaitRequest()
    }

    /// Takes the task that serves this connection. It is cancelled when the caller goes away.
    func serve(in task: Task<Void, Never>) {
        let hasEnded = state.withLock { state in
            state.task = task
            return state.phase == .ended
        }
        if hasEnded { task.cancel() }
    }

    /// A request has come in whole.
    func hasRequest() {
        state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
            if state.phase != .ended { state.phase = .answering }
        }
    }

    /// The answer is a stream of what comes out of `queue`, which ends when the host does.
    func streams(_ queue: DeliveryQueue) {
        let isLast = state.withLock { state in
            if state.phase != .ended { state.phase = .streaming }
            state.stream = queue
            return state.isLast
        }
        if isLast { queue.end() }
    }

    /// The answer has been written.
    func hasAnswered() {
        let isLast = state.withLock { state in
            state.stream = nil
            // Its channel, and maybe the loop of that, is gone.
            guard state.phase != .ended else { return false }
            state.phase = .receiving
            return state.isLast
        }
        // Half: what is still in the socket's buffer must reach the caller.
        if isLast { channel.close(mode: .output, promise: nil) } else { awaitRequest() }
    }

    /// Lets an answer that is being computed be the last one, and ends everything else.
    func endSoon() {
        let (phase, stream) = state.withLock { state in
            state.isLast = true
            return (state.phase, state.stream)
        }
        switch phase {
        case .receiving: channel.close(promise: nil)
        case .streaming: stream?.end()
        case .answering, .ended: break
        }
    }

    /// The connection is gone: so is whoever waits for an answer.
    func hasClosed() {
        let task = state.withLock { state in
            state.phase = .ended
            state.timer?.cancel()
            state.timer = nil
            return state.task
        }
        task?.cancel()
    }

    private func awaitRequest() {
        // Under the lock: `hasClosed` waits for it, and the loop does not end before that.
        state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
            guard state.phase == .receiving else { return }
            state.timer = channel.eventLoop.scheduleTask(in: requestLimit) {
                [weak self] () -> Void in
                self?.giveUpWaiting()
            }
        }
    }

    private func giveUpWaiting() {
        let isLate = state.withLock { $0.phase == .receiving }
        if isLate { channel.close(promise: nil) }
    }
}

/// The connections that are open now.
final class Connections: Sendable {
    /// At once: far more than people and scripts need, far fewer than the host has descriptors.
    static let limit = 512

    private struct State {
        var open: [ObjectIdentifier: Connection] = [:]
        var allClosed: EventLoopPromise<Void>?
    }
    private let state = Mutex(State())
    private let requestLimit: TimeAmount
    private let limit: Int

    init(requestLimit: TimeAmount, limit: Int = limit) {
        (self.requestLimit, self.limit) = (requestLimit, limit)
    }

    /// Takes up a connection, unless there are too many or the server is ending.
    func add(_ channel: any Channel, refusal: RequestError?) -> Connection? {
        let connection = Connection(channel, refusal: refusal, requestLimit: requestLimit)
        let isAdded = state.withLock { state in
            guard state.open.count < limit, state.allClosed == nil else { return false }
            state.open[ObjectIdentifier(channel)] = connection
            return true
        }
        guard isAdded else {
            connection.hasClosed()
            return nil
        }
        channel.closeFuture.whenComplete { [weak self] _ in
            connection.hasClosed()
            self?.remove(channel)
        }
        return connection
    }

    /// The connection of `channel`, while it is open.
    subscript(channel: any Channel) -> Connection? {
        state.withLock { $0.open[ObjectIdentifier(channel)] }
    }

    /// How many are open; for tests of what is left behind.
    var count: Int { state.withLock { $0.open.count } }

    /// Ends idle connections and streams now, the others after their answer, and after `limit` all
    /// that are left.
    ///
    /// - Returns: fulfilled when none is open.
    func end(within limit: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let allClosed = loop.makePromise(of: Void.self)
        let open = state.withLock { state in
            precondition(state.allClosed == nil, "ended twice")
            state.allClosed = allClosed
            return Array(state.open.values)
        }
        guard !open.isEmpty else {
            allClosed.succeed()
            return allClosed.futureResult
        }
        for connection in open { connection.endSoon() }
        let timer = loop.scheduleTask(in: limit) { [self] in
            let left = state.withLock { Array($0.open.values) }
            for connection in left { connection.channel.close(promise: nil) }
        }
        return allClosed.futureResult.always { _ in timer.cancel() }
    }

    private func remove(_ channel: any Channel) {
        let allClosed = state.withLock { state in
            state.open[ObjectIdentifier(channel)] = nil
            return state.open.isEmpty ? state.allClosed : nil
        }
        allClosed?.succeed()
    }
}
