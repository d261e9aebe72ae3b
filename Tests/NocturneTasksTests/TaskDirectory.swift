// TaskDirectory.swift — a private directory for each test's `tasks.db`. Next: SQLiteTaskStoreTests.swift.

import Glibc
import Testing

import NocturneCore
import NocturneTasks

/// A directory that is removed with everything in it when the test lets go of it.
final class TaskDirectory: Sendable {
    let path: String
    private let isKept: Bool

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/nocturne-tasks-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&template))
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        isKept = false
    }

    /// One that somebody else made and removes.
    init(_ path: String) { (self.path, isKept) = (path, true) }

    deinit {
        if isKept { return }
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    /// The names in the directory, sorted.
    var names: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Damages a file that nobody has open: what begins with `text` begins with something else.
    func overwrite(_ text: String, with bytes: String) throws {
        let file = Glibc.open(path + "/tasks.db", O_RDWR)
        defer { close(file) }
        var content = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        try #require(pread(file, &content, content.count, 0) == content.count)
        let wanted = Array(text.utf8), damage = Array(bytes.utf8)
        let place = content.indices.dropLast(wanted.count).first {
            content[$0..<$0 + wanted.count].elementsEqual(wanted)
        }
        try #require(pwrite(file, damage, damage.count, off_t(try #require(place))) == damage.count)
    }

    static let start = UnixTime(seconds: 1_750_000_000)

    func open(
        now: UnixTime = start, retention: TaskTable.Retention = .standard
    ) async throws -> SQLiteTaskStore {
        try await SQLiteTaskStore.open(
            directory: path, now: now, retention: retention, seed: 1)
    }
}
