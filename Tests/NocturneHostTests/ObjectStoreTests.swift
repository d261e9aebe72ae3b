// ObjectStoreTests.swift — files into objects: hashes against FIPS 180 and sha256sum, every kind of
// bad file, torn objects, full disks. Next: DirectoryScanTests.swift.

import Glibc
import NocturneHost
import Testing

@Suite struct ObjectStoreTests {
    let scratch = ScratchDirectory()

    private func store() throws -> ObjectStore {
        try ObjectStore(directory: scratch.path("objects"))
    }

    private func objects() -> [String] {
        names(in: scratch.path("objects"))
    }

    // MARK: Hashes

    @Test(arguments: [
        // FIPS 180-4's examples, as NIST publishes them.
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ])
    func `hashes are SHA-256`(text: String, digest: String) throws {
        let hash = try ContentHash(of: Array(text.utf8))
        #expect(hash.description == digest)
        #expect(ContentHash(hex: digest) == hash)
        #expect(ContentHash(bytes: hash.bytes) == hash)
    }

    @Test(arguments: [
        "", "ab", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
    ])
    func `only 64 lower-case digits are a hash`(text: String) {
        #expect(ContentHash(hex: text) == nil)
    }

    @Test func `hashes are ordered as their digits are`() throws {
        let hashes = try (0..<50).map { try ContentHash(of: [UInt8($0)]) }
        #expect(hashes.sorted().map(\.description) == hashes.map(\.description).sorted())
    }

    // MARK: Files that are taken

    @Test(arguments: [1, 65_535, 65_536, 65_537, 1 << 20])
    func `a file of any size arrives whole, under the hash that sha256sum gives it`(
        size: Int
    ) throws {
        var random = SplitMix64(state: UInt64(size))
        let contents = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let path = scratch.write("plugin.so", contents)
        let store = try store()
        let object = try store.ingest(path)

        let sum = scratch.path("sum")
        try #require(Shell.run("sha256sum \"$1\" > \"$(dirname \"$1\")/sum\"", path) == 0)
        #expect(String(decoding: bytes(of: sum).prefix(64), as: UTF8.self) == "\(object.hash)")
        #expect(bytes(of: store.path(of: object.hash)) == contents)
        #expect(object.sizeBytes == Int64(size))
        #expect(objects() == ["\(object.hash).so"])
    }

    // In a process of its own, because the umask is the whole process's.
    @Test func `objects are read-only and their directory cannot be listed, whatever the umask`()
        async
    {
        await #expect(processExitsWith: .success) {
            let scratch = ScratchDirectory()
            umask(0o077)
            let store = try ObjectStore(directory: scratch.path("objects"))
            let object = try store.ingest(scratch.write("plugin.so", [1, 2, 3]))
            #expect(mode(store.directory) == 0o711)
            #expect(mode(store.path(of: object.hash)) == 0o444)
        }
    }

    @Test func `equal files are one object, and the first copy stays`() throws {
        let store = try store()
        let first = try store.ingest(scratch.write("a.so", [7, 7, 7]))
        let firstInode = inode(store.path(of: first.hash))
        let second = try store.ingest(scratch.write("b.so", [7, 7, 7]))
        #expect(second.hash == first.hash)
        #expect(second.sourcePath != first.sourcePath)
        #expect(second.sourceIdentity != first.sourceIdentity)
        #expect(inode(store.path(of: first.hash)) == firstInode)
        #expect(objects() == ["\(first.hash).so"])
    }

    @Test func `a link is followed to its file`() throws {
        let target = scratch.write("real", [4, 5])
        symlink(target, scratch.path("link.so"))
        let store = try store()
        #expect(
            try store.ingest(scratch.path("link.so")).sourceIdentity
                == store.ingest(target).sourceIdentity)
    }

    // MARK: Files that are not

    private func refusal(_ path: String) throws -> IngestError? {
        let store = try store()
        defer { #expect(objects() == [], "debris after \(path)") }
        do throws(IngestError) {
            _ = try store.ingest(path)
            return nil
        } catch {
            return error
        }
    }

    @Test func `every kind of bad file has its own error and leaves nothing`() throws {
        let directory = scratch.path("directory.so"), fifo = scratch.path("fifo.so")
        let dangling = scratch.path("dangling.so"), loop = scratch.path("loop.so")
        mkdir(directory, 0o755)
        mkfifo(fifo, 0o644)
        symlink("/nonexistent/plugin", dangling)
        symlink(loop, loop)
        #expect(try refusal(directory) == .notRegular(path: directory, kind: .directory))
        #expect(try refusal(fifo) == .notRegular(path: fifo, kind: .fifo))
        #expect(
            try refusal("/dev/zero") == .notRegular(path: "/dev/zero", kind: .characterDevice))
        #expect(try refusal(dangling) == .danglingLink(path: dangling))
        #expect(try refusal(loop) == .unreadable(path: loop, errno: ELOOP))
        #expect(
            try refusal(scratch.path("gone.so")) == .vanished(path: scratch.path("gone.so")))
        let empty = scratch.write("empty.so", [])
        #expect(try refusal(empty) == .empty(path: empty))
    }

    @Test func `a sparse file of 4 GiB is refused by its size`() throws {
        let path = scratch.write("sparse.so", [1])
        try #require(truncate(path, 4 << 30) == 0)
        #expect(
            try refusal(path) == .tooLarge(path: path, sizeBytes: 4 << 30, limitBytes: 256 << 20))
    }

    @Test func `a file without read permission is unreadable`() throws {
        let path = scratch.write("secret.so", [1, 2, 3], mode: 0)
        let store = try store()
        chmod(scratch.path, 0o755)
        // Root reads everything, so this thread gives up its rights to files for a moment.
        let isRoot = geteuid() == 0
        if isRoot { setFileSystemUser(65_534) }
        defer { if isRoot { setFileSystemUser(0) } }
        #expect(throws: IngestError.unreadable(path: path, errno: EACCES)) {
            try store.ingest(path)
        }
    }

    @Test(arguments: ["printf x >> \"$1\"", "printf x > \"$1\"", "chmod 600 \"$1\""])
    func `a file that is touched while it is read is told apart`(change: String) throws {
        let path = scratch.write("plugin.so", [1, 2, 3])
        let source = try SourceFile.open(path, limitBytes: 100)
        try source.checkUntouched(readBytes: 3)
        #expect(throws: IngestError.changedWhileReading(path: path)) {
            try source.checkUntouched(readBytes: 2)
        }
        try #require(Shell.run(change, path) == 0)
        do throws(IngestError) {
            try source.checkUntouched(readBytes: 3)
            Issue.record("unnoticed: \(change)")
        } catch {
            #expect(error == .changedWhileReading(path: path))
        }
    }

    // MARK: The store's own troubles

    // In a process of its own. A limit on file size fails the same write(2) that a full disk fails.
    @Test func `a full disk is named with path and errno, and leaves nothing behind`() async {
        await #expect(processExitsWith: .success) {
            let scratch = ScratchDirectory()
            let store = try ObjectStore(directory: scratch.path("objects"))
            let path = scratch.write("big.so", [UInt8](repeating: 9, count: 1 << 20))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: rlim_t.max)
            try #require(setrlimit(__rlimit_resource_t(1), &limit) == 0)
            do throws(IngestError) {
                _ = try store.ingest(path)
                Issue.record("a megabyte was written past the limit")
            } catch {
                guard case .store("write", let named, EFBIG) = error else { throw error }
                #expect(named.hasPrefix(store.directory + "/"))
            }
            #expect(names(in: store.directory) == [])
        }
    }

    @Test func `a store whose directory was taken away says so`() throws {
        let store = try store()
        let path = scratch.write("plugin.so", [1])
        rmdir(store.directory)
        #expect(throws: IngestError.self) { try store.ingest(path) }
        scratch.write("objects", [1])
        #expect(
            throws: IngestError.store(operation: "mkdir", path: store.directory, errno: ENOTDIR)
        ) { try self.store() }
    }

    @Test func `a torn object is replaced at its first use by a new process`() throws {
        let path = scratch.write("plugin.so", [1, 2, 3, 4])
        let first = try store()
        let object = try first.ingest(path)
        let stored = first.path(of: object.hash)
        // Same size, other bytes: what a power cut leaves of a file that was never synced.
        chmod(stored, 0o644)
        scratch.write("objects/\(object.hash).so", [0, 0, 0, 0])
        chmod(stored, 0o444)

        let second = try store()
        #expect(try second.isIntact(object.hash) == false)
        #expect(try second.ingest(path).hash == object.hash)
        #expect(bytes(of: stored) == [1, 2, 3, 4])
        #expect(try second.isIntact(object.hash))
    }

    @Test func `an object of the wrong size or a link in its place is replaced too`() throws {
        let path = scratch.write("plugin.so", [1, 2, 3, 4])
        let store = try store()
        let object = try store.ingest(path)
        let stored = store.path(of: object.hash)
        truncate(stored, 2)
        #expect(try store.ingest(path).hash == object.hash)
        #expect(bytes(of: stored) == [1, 2, 3, 4])
        unlink(stored)
        symlink(path, stored)
        #expect(try store.ingest(path).hash == object.hash)
        #expect(mode(stored) == 0o444)
    }

    @Test func `cleaning removes what a killed host left and nothing else`() throws {
        let store = try store()
        let object = try store.ingest(scratch.write("plugin.so", [1]))
        for name in [".ingest-1-1", ".ingest-\(getpid())-1", "README"] {
            scratch.write("objects/\(name)", [1])
        }
        try store.clean()
        #expect(objects() == ["\(object.hash).so", "README"].sorted())
    }

    @Test func `pruning keeps what it is told to and what is not an object`() throws {
        let store = try store()
        let hashes = try (1...5).map {
            try store.ingest(scratch.write("plugin.so", [UInt8($0)])).hash
        }
        scratch.write("objects/notes.so", [1])
        let removed = try store.prune(keeping: [hashes[0], hashes[3]])
        #expect(removed == [hashes[1], hashes[2], hashes[4]].sorted())
        #expect(
            objects() == (["\(hashes[0]).so", "\(hashes[3]).so", "notes.so"]).sorted())
        #expect(try store.ingest(scratch.write("plugin.so", [2])).hash == hashes[1])
    }

    // In a process of its own, because other tests open files too.
    @Test func `ingests and refusals keep no descriptor and no temporary file`() async {
        await #expect(processExitsWith: .success) {
            let scratch = ScratchDirectory()
            let store = try ObjectStore(directory: scratch.path("objects"))
            let good = scratch.write("good.so", [1]), empty = scratch.write("empty.so", [])
            let before = names(in: "/proc/self/fd").count
            for _ in 0..<100 {
                let object = try store.ingest(good)
                #expect(throws: IngestError.self) { try store.ingest(empty) }
                unlink(store.path(of: object.hash))
            }
            // The runtime may open a few of its own; a leak would be a hundred.
            #expect(names(in: "/proc/self/fd").count < before + 50)
            #expect(names(in: store.directory) == [])
        }
    }
}

private func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
}

private func inode(_ path: String) -> UInt64 {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
}

/// setfsuid(2), which changes this thread only; Swift's Glibc does not have its header.
private func setFileSystemUser(_ user: UInt32) {
    typealias Function = @convention(c) (UInt32) -> Int32
    guard let symbol = dlsym(nil, "setfsuid") else { return }
    _ = unsafeBitCast(symbol, to: Function.self)(user)
}
