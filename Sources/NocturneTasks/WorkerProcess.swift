// WorkerProcess.swift — which process a worker is, so that another of the same machine can tell for certain that it is
// dead. Next: TaskStore.swift.

internal import Glibc
internal import Synchronization

extension WorkerID {
    private static let made = Atomic(0)

    /// A worker in this process: the machine's name, the id of its boot, the process, when that began, and a number.
    package static func ofThisProcess() -> WorkerID {
        let number = made.add(1, ordering: .relaxed).newValue
        let process = getpid()
        let start = startTicks(of: process) ?? 0
        return WorkerID("\(machine)/\(boot)/\(process)/\(start)/\(number)")
    }

    /// Whether its process is dead for certain. Of other machines nobody here can say.
    ///
    /// A number may be given to another process, so the moment at which it began counts, too.
    package var isDead: Bool {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == Self.machine[...] else { return false }
        guard parts[1] == Self.boot[...] else { return true }
        guard let process = pid_t(parts[2]) else { return false }
        return Self.startTicks(of: process).map { "\($0)" != parts[3] } ?? true
    }

    private static let machine = firstLine(of: "/etc/machine-id") ?? "unknown"
    private static let boot = firstLine(of: "/proc/sys/kernel/random/boot_id") ?? "unknown"

    /// When a process began, in clock ticks since boot (proc_pid_stat(5), field 22); `nil` if there is none, or it has
    /// ended and nobody asked for its status.
    private static func startTicks(of process: pid_t) -> UInt64? {
        guard let line = firstLine(of: "/proc/\(process)/stat"),
            let end = line.lastIndex(of: ")")
        else { return nil }
        // Behind the name, which may have any character, comes field 3.
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }

    private static func firstLine(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
