// FakeTasks.swift — the host's service for tasks, as FakeHost has it. Next: TaskTests.swift.

import CNocturne
import Glibc
import NocturnePlugin
import Synchronization

/// What is said of the one task that there is.
enum FakeTasks {
    private static let info = Mutex("{}")
    private static let words = Mutex<[String]>([])
    private static let isPausing = Mutex(false)

    /// What was said since the last attempt began.
    static var said: [String] { words.withLock { $0 } }

    static func begin(info text: String) {
        info.withLock { $0 = text }
        words.withLock { $0 = [] }
    }

    /// Asks the next one who looks to pause.
    static func pauseOnce() { isPausing.withLock { $0 = true } }

    private static func say(_ text: String) -> Int32 {
        words.withLock { $0.append(text) }
        return 0
    }

    static let table = nocturne_host_tasks_t(
        struct_size: FakeServices.size(nocturne_host_tasks_t.self), reserved: 0,
        info: { _, buffer, room in
            FakeHost.copy(Array(FakeTasks.info.withLock { $0 }.utf8), buffer, room)
        },
        progress: { _, percent, message in
            FakeTasks.say("\(percent) \(message.map { String(cString: $0) } ?? "-")")
        },
        log: { _, line in FakeTasks.say("log \(line.map { String(cString: $0) } ?? "")") },
        checkpoint: { _, json, size in
            let text = FakeHost.text(json, size)
            return text.contains("refuse") ? -ECANCELED : FakeTasks.say("checkpoint \(text)")
        },
        is_pause_requested: { _ in
            FakeTasks.isPausing.withLock { isPausing in
                defer { isPausing = false }
                return isPausing ? 1 : 0
            }
        },
        pause: { _ in FakeTasks.say("paused") },
        retry_after: { _, milliseconds, message in
            FakeTasks.say(
                "retry after \(milliseconds) \(message.map { String(cString: $0) } ?? "")")
        },
        snooze: { _, milliseconds in FakeTasks.say("snooze \(milliseconds)") })
}
