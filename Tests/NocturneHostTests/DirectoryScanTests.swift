// DirectoryScanTests.swift — what a scan lists, and what it says of things that are no plugins.
// Next: DirectoryWatcherTests.swift.

import Glibc
import NocturneHost
import Testing

@Suite struct DirectoryScanTests {
    let scratch = ScratchDirectory()

    private func entries() throws -> [DirectoryScan.Entry] {
        guard case .listed(let entries) = try DirectoryScan(of: scratch.path) else {
            Issue.record("missing")
            return []
        }
        return entries
    }

    @Test func `only names that say plugin are listed, in order`() throws {
        let plugins = ["a.so", "b.c.so", "Z.so", "ä.so"]
        for name in plugins + [".hidden.so", "a.so~", "a.so.swp", "so", ".so", "x.SO", "a.so.1"] {
            scratch.write(name, [1])
        }
        #expect(try entries().map(\.name) == ["Z.so", "a.so", "b.c.so", "ä.so"])
    }

    @Test func `every kind of entry is listed with its kind, so that it is refused by name`() throws
    {
        scratch.write("1.so", [1, 2, 3])
        mkdir(scratch.path("2.so"), 0o755)
        mkfifo(scratch.path("3.so"), 0o600)
        symlink("/nonexistent/target", scratch.path("4.so"))
        symlink("1.so", scratch.path("5.so"))
        symlink("/dev/null", scratch.path("6.so"))
        symlink("7.so", scratch.path("7.so"))
        let entries = try entries()
        #expect(
            entries.map(\.kind) == [
                .regular, .directory, .fifo, .danglingLink, .regular, .characterDevice, .unknown,
            ])
        #expect(
            entries.map(\.isSymbolicLink) == [false, false, false, true, true, true, true])
        #expect(entries[4].identity == entries[0].identity)
        #expect(entries[0].identity?.sizeBytes == 3)
        #expect(entries.map(\.path) == (1...7).map { "\(scratch.path)/\($0).so" })
    }

    @Test func `a file is the same until it is written, replaced or changes its mode`() throws {
        scratch.write("a.so", [1])
        let first = try entries()
        #expect(try entries() == first)
        chmod(scratch.path("a.so"), 0o600)
        let second = try entries()
        #expect(second != first)
        scratch.write("new", [1])
        rename(scratch.path("new"), scratch.path("a.so"))
        #expect(try entries() != second)
    }

    @Test func `a name that is not UTF-8 is listed to be refused, not opened`() throws {
        let name: [UInt8] = [0xff, 0x2e, 0x73, 0x6f]
        let path = Array(scratch.path.utf8) + [0x2f] + name + [0]
        let descriptor = path.withUnsafeBytes { raw -> Int32 in
            guard let start = raw.baseAddress else { return -1 }
            return open(start.assumingMemoryBound(to: CChar.self), O_WRONLY | O_CREAT, 0o644)
        }
        try #require(descriptor >= 0)
        close(descriptor)
        let entry = try #require(try entries().first)
        #expect(entry.kind == .unnameable)
        #expect(entry.identity == nil)
    }

    @Test func `a missing directory is not an empty one`() throws {
        #expect(try DirectoryScan(of: scratch.path("none")) == .missing)
        mkdir(scratch.path("empty"), 0o755)
        #expect(try DirectoryScan(of: scratch.path("empty")) == .listed([]))
    }

    @Test func `a file in the directory's place is an error that names it`() throws {
        let path = scratch.write("plugins", [1])
        #expect(throws: DirectoryScanError.unreadable(path: path, errno: ENOTDIR)) {
            try DirectoryScan(of: path)
        }
    }
}
