// StateDirectory.swift — a real state directory for each test, and what tests do to its files.

import GRDB
import Glibc
import NocturneCore
import Testing

@testable import NocturneStorage

/// A private directory that is removed with everything in it when the test lets go of it.
final class StateDirectory: Sendable {
    let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/nocturne-storage-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&template))
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in names { unlink(self / name) }
        rmdir(path)
    }

    var database: String { self / "host.db" }

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

    static func / (directory: StateDirectory, name: String) -> String {
        directory.path + "/" + name
    }

    func store(_ options: OpeningOptions = OpeningOptions()) throws -> HostStore {
        try HostStore(directory: path, options: options)
    }

    /// What a power cut or `kill -9` would leave: the database and its log as they are this moment.
    func snapshot() throws -> StateDirectory {
        let copy = try StateDirectory()
        for name in ["host.db", "host.db-wal"] where names.contains(name) {
            try write(read(self / name), to: copy / name)
        }
        return copy
    }

    /// Runs SQL on the database behind the store's back, with no store open.
    func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: database)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

func read(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"), "cannot open \(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
        bytes += chunk[..<count]
    }
    return bytes
}

func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"), "cannot create \(path)")
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    #expect(fclose(file) == 0)
}

/// The permission bits of a file.
func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that a failing test fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Starts `count` threads of the system's (a blocking store must not be tried on the two threads of
/// Swift's pool) and returns how to wait for all of them.
func startThreads(
    _ count: Int, _ body: @escaping @Sendable (Int) -> Void
) throws -> () -> Void {
    final class Start: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let threads = try (0..<count).map { index in
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start { body(index) }).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument {
                    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, start)
        try #require(code == 0)
        return thread
    }
    return { for thread in threads { pthread_join(thread, nil) } }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
