// DirectoryWatcherTests.swift — every way in which plugin files change, and that each is told of at
// once. inotify queues an event before the call that caused it returns, so nothing here waits.

import Glibc
import NocturneHost
import Testing

@Suite struct DirectoryWatcherTests {
    let scratch = ScratchDirectory()
    let plugins: String

    init() {
        plugins = scratch.path("plugins")
        mkdir(plugins, 0o755)
    }

    private func names(_ watcher: DirectoryWatcher) -> Set<String> {
        let result = watcher.drain()
        #expect(!result.needsRescan)
        #expect(result.problem == nil)
        return result.changedNames
    }

    private func isReadable(_ watcher: DirectoryWatcher) -> Bool {
        var poll = pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }

    // MARK: Files in the directory

    @Test func `writing, renaming, linking, removing and permitting a file are each told`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        #expect(names(watcher) == [])

        scratch.write("plugins/a.so", [1])
        #expect(names(watcher) == ["a.so"])
        scratch.write("elsewhere", [2])
        rename(scratch.path("elsewhere"), "\(plugins)/a.so")
        #expect(names(watcher) == ["a.so"])
        chmod("\(plugins)/a.so", 0o600)
        #expect(names(watcher) == ["a.so"])
        link("\(plugins)/a.so", "\(plugins)/b.so")
        #expect(names(watcher).contains("b.so"))
        symlink("a.so", "\(plugins)/c.so")
        #expect(names(watcher) == ["c.so"])
        rename("\(plugins)/b.so", "\(plugins)/d.so")
        #expect(names(watcher).isSuperset(of: ["b.so", "d.so"]))
        rename("\(plugins)/d.so", scratch.path("away"))
        #expect(names(watcher) == ["d.so"])
        unlink("\(plugins)/a.so")
        #expect(names(watcher).isSuperset(of: ["a.so", "c.so"]))
        #expect(names(watcher) == [])
    }

    @Test func `names that say no plugin are not told, and reads tell nothing`() throws {
        scratch.write("plugins/a.so", [1])
        let watcher = try DirectoryWatcher(path: plugins)
        scratch.write("plugins/notes.txt", [1])
        scratch.write("plugins/.a.so.part", [1])
        #expect(bytes(of: "\(plugins)/a.so") == [1])
        #expect(names(watcher) == [])
    }

    @Test func `a growing file is told of when its writer closes it, not at each write`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        let descriptor = open("\(plugins)/slow.so", O_WRONLY | O_CREAT, 0o644)
        #expect(names(watcher) == ["slow.so"])
        for _ in 0..<10 { #expect(write(descriptor, "x", 1) == 1) }
        #expect(!isReadable(watcher))
        close(descriptor)
        #expect(names(watcher) == ["slow.so"])
    }

    @Test func `a thousand files at once are a thousand names`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        for number in 0..<1_000 { scratch.write("plugins/\(number).so", [1]) }
        #expect(names(watcher) == Set((0..<1_000).map { "\($0).so" }))
        #expect(!isReadable(watcher))
    }

    @Test func `other files beside the directory do not wake the host`() throws {
        let directory = scratch.path("deep/state/plugins")
        for path in ["deep", "deep/state", "deep/state/plugins"] {
            mkdir(scratch.path(path), 0o755)
        }
        let watcher = try DirectoryWatcher(path: directory)
        scratch.write("deep/other", [1])
        scratch.write("another", [1])
        #expect(!isReadable(watcher))
        // The directory that holds it must be watched for names, but not for writes to them.
        scratch.write("deep/state/log", [1])
        _ = watcher.drain()
        scratch.write("deep/state/log", [2])
        #expect(!isReadable(watcher))
    }

    // MARK: The directory itself

    /// Expects a rescan, and that the watches are in place again afterwards.
    private func expectRearmed(
        _ watcher: DirectoryWatcher, after change: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(watcher.drain().needsRescan, "\(change)", sourceLocation: location)
        _ = watcher.drain()
        scratch.write("plugins/probe.so", [1])
        #expect(
            watcher.drain().changedNames == ["probe.so"], "\(change)", sourceLocation: location)
    }

    @Test func `a directory that is deleted and made again is watched again`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        rmdir(plugins)
        #expect(watcher.drain().needsRescan)
        mkdir(plugins, 0o755)
        expectRearmed(watcher, after: "made again, seen in between")
        Shell.remove(plugins)
        mkdir(plugins, 0o755)
        expectRearmed(watcher, after: "made again in one go")
    }

    @Test func `a directory deleted under a shell that stands in it is noticed`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        let held = open(plugins, O_RDONLY | O_DIRECTORY)
        defer { close(held) }
        rmdir(plugins)
        mkdir(plugins, 0o755)
        expectRearmed(watcher, after: "deleted while held open")
    }

    @Test func `a directory that is renamed away and replaced is watched again`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        rename(plugins, scratch.path("old"))
        mkdir(plugins, 0o755)
        expectRearmed(watcher, after: "renamed away")
        scratch.write("old/stale.so", [1])
        #expect(names(watcher) == [])
    }

    @Test func `a directory whose ancestors vanish is watched again when they return`() throws {
        let top = scratch.path("top"), middle = scratch.path("top/middle")
        let deep = scratch.path("top/middle/plugins")
        for path in [top, middle, deep] { mkdir(path, 0o755) }
        let watcher = try DirectoryWatcher(path: deep)
        Shell.remove(top)
        #expect(watcher.drain().needsRescan)
        for path in [top, middle, deep] {
            mkdir(path, 0o755)
            #expect(watcher.drain().needsRescan, "\(path)")
        }
        _ = watcher.drain()
        scratch.write("top/middle/plugins/a.so", [1])
        #expect(names(watcher) == ["a.so"])

        rename(top, scratch.path("moved"))
        #expect(watcher.drain().needsRescan, "an ancestor moved")
        rename(scratch.path("moved"), top)
        #expect(watcher.drain().needsRescan, "an ancestor moved back")
        scratch.write("top/middle/plugins/a.so", [2])
        #expect(watcher.drain().changedNames == ["a.so"])
    }

    @Test func `a directory that does not exist yet is watched when it appears`() throws {
        let watcher = try DirectoryWatcher(path: scratch.path("later/plugins"))
        #expect(names(watcher) == [])
        mkdir(scratch.path("later"), 0o755)
        mkdir(scratch.path("later/plugins"), 0o755)
        #expect(watcher.drain().needsRescan)
        _ = watcher.drain()
        scratch.write("later/plugins/a.so", [1])
        #expect(names(watcher) == ["a.so"])
    }

    @Test func `a directory behind a link follows the link when it is switched`() throws {
        for name in ["one", "two"] { mkdir(scratch.path(name), 0o755) }
        symlink("one", scratch.path("current"))
        let watcher = try DirectoryWatcher(path: scratch.path("current"))
        symlink("two", scratch.path("next"))
        rename(scratch.path("next"), scratch.path("current"))
        #expect(watcher.drain().needsRescan)
        _ = watcher.drain()
        scratch.write("two/a.so", [1])
        #expect(names(watcher) == ["a.so"])
        scratch.write("one/b.so", [1])
        #expect(!isReadable(watcher))
    }

    @Test func `a directory that becomes readable is scanned again`() throws {
        chmod(plugins, 0)
        let watcher = try DirectoryWatcher(path: plugins)
        chmod(plugins, 0o755)
        #expect(watcher.drain().needsRescan)
    }

    @Test func `more changes than the kernel queues are a rescan, not a loss`() throws {
        let watcher = try DirectoryWatcher(path: plugins)
        let limit = String(
            decoding: proc("/proc/sys/fs/inotify/max_queued_events"), as: UTF8.self)
        let most = try #require(Int(limit.filter(\.isNumber)))
        try #require(most <= 100_000, "a queue of \(most) would take this test too long")
        let one = "\(plugins)/1.so", two = "\(plugins)/2.so"
        scratch.write("plugins/1.so", [1])
        // Two events each, and no two equal ones in a row, which the kernel would merge.
        for _ in 0..<(most / 4 + 2) {
            rename(one, two)
            rename(two, one)
        }
        #expect(watcher.drain().needsRescan)
        _ = watcher.drain()
        scratch.write("plugins/1.so", [2])
        #expect(names(watcher) == ["1.so"])
    }

    // MARK: Plugins that are links

    @Test func `a linked plugin whose target is overwritten, replaced or removed is told`() throws {
        mkdir(scratch.path("build"), 0o755)
        let target = scratch.write("build/libword.so", [1])
        symlink(target, "\(plugins)/word.so")
        let watcher = try DirectoryWatcher(path: plugins)

        scratch.write("build/libword.so", [2])
        #expect(names(watcher) == ["word.so"], "overwritten")
        scratch.write("build/new", [3])
        rename(scratch.path("build/new"), target)
        #expect(names(watcher) == ["word.so"], "renamed over")
        unlink(target)
        #expect(names(watcher) == ["word.so"], "removed")
        scratch.write("build/libword.so", [4])
        #expect(names(watcher) == ["word.so"], "made again")
        scratch.write("build/unrelated", [4])
        #expect(names(watcher) == [])
    }

    @Test func `a link made while watching is followed before it is told of`() throws {
        mkdir(scratch.path("build"), 0o755)
        scratch.write("build/a", [1])
        scratch.write("build/b", [1])
        let watcher = try DirectoryWatcher(path: plugins)
        symlink("../build/a", "\(plugins)/x.so")
        #expect(names(watcher) == ["x.so"])
        scratch.write("build/a", [2])
        #expect(names(watcher) == ["x.so"])
        // The link is switched: the new target counts, the old one no longer.
        symlink("../build/b", scratch.path("next"))
        rename(scratch.path("next"), "\(plugins)/x.so")
        #expect(names(watcher) == ["x.so"])
        scratch.write("build/b", [2])
        #expect(names(watcher) == ["x.so"])
        scratch.write("build/a", [3])
        #expect(names(watcher) == [])
        unlink("\(plugins)/x.so")
        #expect(names(watcher) == ["x.so"])
        // What inotify says of the watch that was given up.
        #expect(names(watcher) == [])
        scratch.write("build/b", [3])
        #expect(!isReadable(watcher))
    }

    @Test func `a chain of links is followed through every directory on it`() throws {
        for name in ["v1", "v2"] {
            mkdir(scratch.path(name), 0o755)
            scratch.write("\(name)/p.so", [1])
        }
        symlink("v1", scratch.path("data"))
        symlink("../data/p.so", "\(plugins)/p.so")
        let watcher = try DirectoryWatcher(path: plugins)
        symlink("v2", scratch.path("next"))
        rename(scratch.path("next"), scratch.path("data"))
        #expect(names(watcher) == ["p.so"])
        scratch.write("v2/p.so", [2])
        #expect(names(watcher) == ["p.so"])
        Shell.remove(scratch.path("v2"))
        #expect(names(watcher) == ["p.so"])
        mkdir(scratch.path("v2"), 0o755)
        _ = watcher.drain()
        scratch.write("v2/p.so", [3])
        #expect(names(watcher) == ["p.so"])
    }

    @Test func `links to one target, a link to itself and a link to a directory do no harm`() throws
    {
        scratch.write("real", [1])
        for name in ["a.so", "b.so"] { symlink("../real", "\(plugins)/\(name)") }
        symlink("loop.so", "\(plugins)/loop.so")
        symlink("..", "\(plugins)/up.so")
        let watcher = try DirectoryWatcher(path: plugins)
        scratch.write("real", [2])
        #expect(names(watcher) == ["a.so", "b.so"])
        unlink("\(plugins)/a.so")
        #expect(names(watcher) == ["a.so"])
        scratch.write("real", [3])
        #expect(names(watcher) == ["b.so"])
    }

    @Test func `links beyond the limit are reported, not watched`() throws {
        for number in 0...DirectoryWatcher.mostLinks {
            symlink("../real", "\(plugins)/\(number).so")
        }
        let watcher = try DirectoryWatcher(path: plugins)
        let problem = DirectoryWatchError.tooManyLinks(
            unwatched: 1, limit: DirectoryWatcher.mostLinks)
        #expect(watcher.drain().problem == problem)
        unlink("\(plugins)/0.so")
        _ = watcher.drain()
        #expect(watcher.rearm() == nil)
    }
}

extension Shell {
    static func remove(_ path: String) { _ = run("rm -rf \"$1\"", path) }
}

/// The contents of a file whose size stat(2) does not tell.
private func proc(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
        count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
}
