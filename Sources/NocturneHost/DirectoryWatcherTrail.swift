// DirectoryWatcherTrail.swift — which directories must be watched so that no change of what a path
// leads to goes unseen: every one on the way, links included. Next: DirectoryWatcher.swift.

internal import Glibc

/// The way from `/` to what a path leads to, or to where it breaks off.
///
/// A path's meaning changes when a directory on the way is moved or deleted, when a link on the way
/// is replaced, or when what is missing appears. The first is told by the directory itself, the
/// others by the directory that holds the name. So names are watched only where a name is a link,
/// is missing, or is the last: other busy directories do not wake the host. The last name counts
/// although it may be a directory, because one that is deleted while some shell stands in it says
/// nothing itself.
struct PathTrail: Equatable {
    /// Symbolic links followed before giving up, as path_resolution(7) has it.
    private static let mostLinks = 40
    /// PATH_MAX (limits.h) leaves room for no more components.
    private static let mostSteps = 2_048

    /// One watched directory: the physical path, and the names in it that matter.
    struct Stop: Equatable {
        let directory: String
        var names: Set<String> = []
        /// One of the names is a file, whose contents matter too.
        var holdsFile = false
    }

    /// From `/` on. A directory can come twice when a link leads back.
    private(set) var stops: [Stop] = [Stop(directory: "/")]
    /// The physical path of the end, when all of the way exists.
    private(set) var end: String?

    /// Follows `path`, which must be absolute. Never fails: where the way breaks off, it is
    /// watched.
    init(of path: String) {
        var ahead = Array(path.split(separator: "/").map(String.init).reversed())
        var walked: [String] = []
        var links = 0
        for _ in 0..<Self.mostSteps {
            guard let name = ahead.popLast() else {
                end = "/" + walked.joined(separator: "/")
                return
            }
            if name == "." { continue }
            if name == ".." {
                _ = walked.popLast()
                arrive(at: walked)
                continue
            }
            let here = "/" + (walked + [name]).joined(separator: "/")
            var status = stat()
            let isThere = lstat(here, &status) == 0
            switch isThere ? status.st_mode & S_IFMT : 0 {
            case S_IFDIR:
                if ahead.isEmpty { stops[stops.count - 1].names.insert(name) }
                walked.append(name)
                arrive(at: walked)
            case S_IFLNK:
                stops[stops.count - 1].names.insert(name)
                links += 1
                guard links <= Self.mostLinks, let target = Self.target(of: here) else { return }
                ahead += target.split(separator: "/").map(String.init).reversed()
                if target.hasPrefix("/") {
                    walked = []
                    arrive(at: walked)
                }
            default:
                // A file at the end, or something in the way, or nothing.
                stops[stops.count - 1].names.insert(name)
                stops[stops.count - 1].holdsFile = isThere
                if isThere, ahead.isEmpty { end = here }
                return
            }
        }
    }

    private mutating func arrive(at walked: [String]) {
        stops.append(Stop(directory: "/" + walked.joined(separator: "/")))
    }

    private static func target(of link: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(link, start, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(
                validating: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}
