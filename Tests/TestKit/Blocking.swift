// Blocking.swift — code that waits without Swift's knowledge, on threads that may.

internal import Glibc

/// Runs blocking code on a thread of its own. Dispatch's threads are those of Swift's tasks, so
/// blocking one of them starves the very server that is waited for.
package func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let work = BlockingWork { continuation.resume(with: Result { try body() }) }
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<BlockingWork>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        precondition(failure == 0, "pthread_create: errno \(failure)")
        pthread_detach(thread)
    }
}

private final class BlockingWork: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
