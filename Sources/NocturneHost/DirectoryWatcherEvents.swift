// DirectoryWatcherEvents.swift — inotify(7) as Swift sees it: the masks, and the records read from
// its descriptor. Next: DirectoryWatcher.swift.

internal import Glibc

/// The event masks of the watcher.
enum WatchMask {
    /// The watched directory is no longer what its path says.
    static let lost = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
    static let ignored = UInt32(IN_IGNORED)
    /// For every directory on the way: tells nothing but its own end.
    static let place = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
    /// Where names of directories and links matter. IN_ATTRIB tells of a directory or file that
    /// became readable: while it is not, it cannot be watched itself.
    static let names =
        place | UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
    /// Where files matter. IN_MODIFY is left out: a growing file would tell of each write.
    static let files = names | UInt32(IN_CLOSE_WRITE)
    static let overflow = UInt32(IN_Q_OVERFLOW)
}

/// One record of inotify's.
struct WatchEvent {
    let watch: Int32
    let mask: UInt32
    /// Empty when the event is about the watched directory itself.
    let name: [UInt8]

    /// Takes the records out of what one read(2) gave, cut at the first that is not whole.
    static func all(in buffer: UnsafeRawBufferPointer) -> [WatchEvent] {
        // struct inotify_event: wd, mask, cookie, len, then len bytes of name padded with NULs.
        let headerBytes = 16
        var events: [WatchEvent] = []
        var start = 0
        while buffer.count - start >= headerBytes {
            let length = Int(buffer.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
            let nameStart = start + headerBytes
            guard length <= buffer.count - nameStart else { break }
            let name = buffer[nameStart..<(nameStart + length)].prefix { $0 != 0 }
            events.append(
                WatchEvent(
                    watch: buffer.loadUnaligned(fromByteOffset: start, as: Int32.self),
                    mask: buffer.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self),
                    name: Array(name)))
            start = nameStart + length
        }
        return events
    }
}
