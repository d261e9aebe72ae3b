// SignalStream.swift — signals of the process as a sequence, without a thread that polls. Next:
// NocturneDaemon.swift.

internal import Dispatch
internal import Glibc

/// Receives signals instead of their default action, until ``end()``.
struct SignalStream {
    /// The numbers of the signals, in the order in which they came. For one consumer.
    let signals: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [Int32]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.signals = stream
        // Dispatch blocks these signals and reads them from a signalfd, so nothing wakes up before
        // one comes.
        let queue = DispatchQueue(label: "nocturne.signals")
        sources = signals.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
    }

    /// Ends the sequence. To be called: it also keeps this value alive until then.
    func end() {
        for source in sources { source.cancel() }
    }
}
