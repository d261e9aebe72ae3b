// DirectoryWatcher.swift — says which plugin files may have changed, and when everything must be
// looked at again. It watches first and lets its caller look after, so no change falls between.
// Next: DirectoryWatcherTrail.swift.

internal import Glibc
internal import Synchronization

/// Why changes may go unseen.
package enum DirectoryWatchError: Error, Equatable, Sendable, CustomStringConvertible {
    /// inotify_init1(2) failed.
    case noInotify(errno: Int32)
    /// getcwd(3) failed, and the plugins path is relative.
    case noWorkingDirectory(path: String, errno: Int32)
    /// A directory whose names matter cannot be watched.
    case cannotWatch(directory: String, errno: Int32)
    /// More linked plugins than ``DirectoryWatcher/mostLinks``; those named are not followed.
    case tooManyLinks(unwatched: Int, limit: Int)

    /// What failed, on what, and what to do.
    package var description: String {
        switch self {
        case .noInotify(let code):
            "inotify is not to be had: \(errnoText(code)); raise the sysctl "
                + "fs.inotify.max_user_instances or the descriptor limit"
        case .noWorkingDirectory(let path, let code):
            "\(path): the working directory is gone: \(errnoText(code)); give an absolute path"
        case .cannotWatch(let directory, let code):
            "\(directory): cannot be watched: \(errnoText(code)); "
                + (code == ENOSPC
                    ? "raise the sysctl fs.inotify.max_user_watches"
                    : "the host's user must be able to read it")
                + ". Until then a rescan (SIGHUP) finds its changes"
        case .tooManyLinks(let unwatched, let limit):
            "\(unwatched) linked plugins are not watched where their links lead; at most \(limit) "
                + "are. Copy plugins instead, or rescan (SIGHUP) after a change"
        }
    }
}

/// What ``DirectoryWatcher/drain()`` found.
package struct WatchResult: Equatable, Sendable {
    /// Names in the plugins directory to look at again. Whether anything really changed is not
    /// said.
    package var changedNames: Set<String> = []
    /// Everything must be looked at again, whatever ``changedNames`` holds.
    package var needsRescan = false
    /// Why some later changes may go unseen; `nil` when none can.
    package var problem: DirectoryWatchError?
}

/// Watches one plugins directory, which may not exist yet, may go and may come back.
///
/// Safe to use from any thread. Not seen, because inotify(7) does not see it: writes through
/// another hard link, changes made on other machines of a network file system, and a mount on top.
package final class DirectoryWatcher: Sendable {
    /// Links to plugins elsewhere that are followed. Each may take a watch (1 KiB of kernel memory)
    /// for every directory on its way; the usual bound for a user is 8,192 or more.
    package static let mostLinks = 1_024
    /// Room for a thousand events with short names.
    private static let bufferBytes = 64 << 10
    /// Reads of one drain: a writer that never rests must not hold the caller. The rest waits in
    /// the descriptor, which stays readable.
    private static let mostReads = 64

    /// Readable when ``drain()`` has something to say. Owned by this object.
    package let descriptor: Int32
    /// The plugins directory, absolute.
    package let path: String
    private let watches: Mutex<WatchTable>

    /// Starts to watch. The caller then scans the directory.
    package init(path: String) throws(DirectoryWatchError) {
        self.path = try Self.absolute(path)
        descriptor = inotify_init1(Int32(O_NONBLOCK | O_CLOEXEC))
        guard descriptor >= 0 else { throw .noInotify(errno: errno) }
        watches = Mutex(WatchTable(descriptor: descriptor, path: self.path))
        rearm()
    }

    deinit { close(descriptor) }

    /// Sets all watches anew. ``drain()`` does this by itself when it must; the caller scans after.
    ///
    /// - Returns: why changes may go unseen; `nil` when none can.
    @discardableResult
    package func rearm() -> DirectoryWatchError? {
        watches.withLock { $0.rearm() }
    }

    /// Takes what has been told since the last call. Never blocks.
    ///
    /// The watches follow before this returns, so a scan made after it misses nothing.
    package func drain() -> WatchResult {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.bufferBytes, alignment: 8)
        defer { buffer.deallocate() }
        return watches.withLock { watches in
            var result = WatchResult()
            for _ in 0..<Self.mostReads {
                let count = retrying { read(descriptor, buffer.baseAddress, buffer.count) }
                guard count > 0 else { break }
                for event in WatchEvent.all(in: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                {
                    watches.note(event, in: &result)
                }
            }
            if result.needsRescan {
                watches.rearm()
            } else {
                for name in result.changedNames { watches.followLink(name) }
            }
            result.problem = watches.problem
            return result
        }
    }

    private static func absolute(_ path: String) throws(DirectoryWatchError) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else {
            throw .noWorkingDirectory(path: path, errno: errno)
        }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }
}

/// The watches that are set, and for whom.
private struct WatchTable {
    /// For whose sake a directory is watched: the plugins directory's own way, or one linked
    /// plugin's.
    private enum Owner: Hashable { case directory, link(String) }

    private struct Place {
        var watch: Int32
        /// Who loses its way when this directory goes.
        var owners: Set<Owner> = []
        /// Who is concerned by which name.
        var names: [String: Set<Owner>] = [:]
    }

    /// Walking and watching are two steps; a way that changes between them is walked again.
    private static let mostWalks = 8

    private let descriptor: Int32, path: String
    private var places: [String: Place] = [:]
    /// Two places can share a watch: inotify has one for each inode, and a bind mount is a second
    /// path.
    private var placesOfWatch: [Int32: Set<String>] = [:]
    private var trails: [Owner: PathTrail] = [:]
    /// The plugins directory's physical path, while it exists.
    private var plugins: String?
    private var failures: [Owner: DirectoryWatchError] = [:]
    private var unwatchedLinks: Set<String> = []

    init(descriptor: Int32, path: String) {
        (self.descriptor, self.path) = (descriptor, path)
    }

    var problem: DirectoryWatchError? {
        if let failure = failures[.directory] { return failure }
        if !unwatchedLinks.isEmpty {
            return .tooManyLinks(
                unwatched: unwatchedLinks.count, limit: DirectoryWatcher.mostLinks)
        }
        return failures.values.min { $0.description < $1.description }
    }

    /// Sets every watch anew, then takes away those of no more use, so that there is no gap.
    @discardableResult
    mutating func rearm() -> DirectoryWatchError? {
        let old = Set(placesOfWatch.keys)
        places = [:]
        placesOfWatch = [:]
        trails = [:]
        failures = [:]
        unwatchedLinks = []
        follow(.directory, path)
        for name in linkedPlugins() { followLink(name) }
        for watch in old where placesOfWatch[watch] == nil { inotify_rm_watch(descriptor, watch) }
        return problem
    }

    /// Follows the plugin `name` to where it leads, if it is a link now, and no longer if it is
    /// not.
    mutating func followLink(_ name: String) {
        let owner = Owner.link(name)
        unwatchedLinks.remove(name)
        guard let plugins, isLink("\(plugins)/\(name)") else {
            forget(owner)
            return
        }
        guard trails[owner] != nil || trails.count <= DirectoryWatcher.mostLinks else {
            unwatchedLinks.insert(name)
            return
        }
        follow(owner, "\(plugins)/\(name)")
    }

    /// Sorts one event: whose names changed, or that everything must be looked at.
    mutating func note(_ event: WatchEvent, in result: inout WatchResult) {
        if event.mask & WatchMask.overflow != 0 {
            result.needsRescan = true
            return
        }
        let name = String(validating: event.name, as: UTF8.self)
        for path in placesOfWatch[event.watch] ?? [] {
            guard let place = places[path] else { continue }
            if event.mask & WatchMask.lost != 0 {
                note(place.owners, in: &result)
            } else if event.name.isEmpty {
                // The directory's own attributes: it may have become readable.
                if path == plugins { result.needsRescan = true }
            } else if let name {
                note(place.names[name] ?? [], in: &result)
                if path == plugins, DirectoryScan.isPlugin(name: name) {
                    result.changedNames.insert(name)
                }
            } else if path == plugins, DirectoryScan.isPlugin(name: event.name[...]) {
                // A name we cannot say: the scan lists it, to be refused.
                result.needsRescan = true
            }
        }
        if event.mask & WatchMask.ignored != 0 { placesOfWatch[event.watch] = nil }
    }

    private func note(_ owners: Set<Owner>, in result: inout WatchResult) {
        for owner in owners {
            switch owner {
            case .directory: result.needsRescan = true
            case .link(let name): result.changedNames.insert(name)
            }
        }
    }
}

// MARK: - Ways and watches

extension WatchTable {
    private mutating func follow(_ owner: Owner, _ path: String) {
        for _ in 0..<Self.mostWalks {
            let trail = PathTrail(of: path)
            forget(owner)
            trails[owner] = trail
            if owner == .directory { plugins = trail.end }
            var isWhole = true
            for stop in trail.stops {
                let isPlugins = owner == .directory && stop.directory == trail.end
                isWhole = watch(stop, withFiles: isPlugins, for: owner) && isWhole
            }
            if isWhole, PathTrail(of: path) == trail { return }
        }
        // It changes faster than we walk.
        failures[owner] = .cannotWatch(directory: path, errno: EAGAIN)
    }

    /// - Returns: `false` if the directory is there no more, so that the way must be walked again.
    private mutating func watch(
        _ stop: PathTrail.Stop, withFiles: Bool, for owner: Owner
    ) -> Bool {
        let needsFiles = withFiles || stop.holdsFile
        let needsNames = needsFiles || !stop.names.isEmpty
        let mask =
            needsFiles ? WatchMask.files : needsNames ? WatchMask.names : WatchMask.place
        // IN_MASK_ADD: the same directory may be watched for more on another's behalf.
        let watch = inotify_add_watch(descriptor, stop.directory, mask | UInt32(IN_MASK_ADD))
        guard watch >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return false }
            // A directory we may pass but not read is common on the way, and seldom moved.
            if code != EACCES || needsNames {
                failures[owner] = .cannotWatch(directory: stop.directory, errno: code)
            }
            return true
        }
        var place = places[stop.directory] ?? Place(watch: watch)
        if place.watch != watch {
            // Another directory took this path. The old watch stays in the table until inotify says
            // it is ignored, so that whoever else passes here is told.
            inotify_rm_watch(descriptor, place.watch)
            place.watch = watch
        }
        place.owners.insert(owner)
        for name in stop.names { place.names[name, default: []].insert(owner) }
        places[stop.directory] = place
        placesOfWatch[watch, default: []].insert(stop.directory)
        return true
    }

    private mutating func forget(_ owner: Owner) {
        failures[owner] = nil
        guard let trail = trails.removeValue(forKey: owner) else { return }
        for stop in trail.stops {
            guard var place = places[stop.directory] else { continue }
            place.owners.remove(owner)
            for name in stop.names {
                place.names[name]?.remove(owner)
                if place.names[name]?.isEmpty == true { place.names[name] = nil }
            }
            places[stop.directory] = place.owners.isEmpty ? nil : place
            guard place.owners.isEmpty else { continue }
            placesOfWatch[place.watch]?.remove(stop.directory)
            if placesOfWatch[place.watch]?.isEmpty == true {
                placesOfWatch[place.watch] = nil
                inotify_rm_watch(descriptor, place.watch)
            }
        }
    }

    private func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// An unreadable directory has none that we could follow; the scan tells of it.
    private func linkedPlugins() -> [String] {
        guard let plugins else { return [] }
        let names = try? DirectoryListing.rawNames(
            in: plugins, atMost: DirectoryScan.mostEntries, where: DirectoryScan.isPlugin)
        return (names ?? []).compactMap { String(validating: $0, as: UTF8.self) }
            .filter { isLink("\(plugins)/\($0)") }.sorted()
    }
}
