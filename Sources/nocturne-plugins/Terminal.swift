// Terminal.swift — standard input, output and error of the commands. Next: Table.swift.

internal import Glibc
internal import Nocturne

/// The three standard streams. Text from plugins goes through `Printable` before it comes here.
enum Terminal {
    /// Bytes of standard input that are taken as a call's input: more than a payload may have, so
    /// that the host says by how much it is too large.
    static let inputLimit = (16 << 20) + 1

    /// Whether people look at standard output.
    static let isInteractive = isatty(STDOUT_FILENO) == 1

    /// Colors only for people, and only for those who want them (no-color.org).
    static let hasColor = isInteractive && getenv("NO_COLOR") == nil && getenv("TERM") != nil

    /// Whether people look at standard error, so that what passes may be shown there.
    static let showsProgress = isatty(STDERR_FILENO) == 1 && getenv("TERM") != nil

    /// Whether the locale's characters are UTF-8 (locale(7)): the first of these variables that says something counts.
    static let isUnicode: Bool = {
        let said = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { (name: String) in
            getenv(name).map { String(cString: $0) }
        }
        let coding = (said.first { !$0.isEmpty } ?? "").lowercased()
        return coding.hasSuffix("utf-8") || coding.hasSuffix("utf8")
    }()

    /// How wide the terminal is; 80 columns if it does not say.
    static var columns: Int { size.map { Int($0.ws_col) }.flatMap { $0 > 0 ? $0 : nil } ?? 80 }

    /// How high the terminal is; 24 rows if it does not say.
    static var rows: Int { size.map { Int($0.ws_row) }.flatMap { $0 > 0 ? $0 : nil } ?? 24 }

    private static var size: winsize? {
        var size = winsize()
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 { return size }
        }
        return nil
    }

    /// Writes to standard error what is to be drawn over.
    static func draw(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes a line to standard output, at once.
    static func say(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO) }

    /// Writes JSON that a host or a plugin made. For people unsafe characters are escaped, which
    /// does not change what it means; programs get it byte for byte.
    static func say(json: [UInt8]) {
        let isSafe = !isInteractive
        let text = isSafe ? json : Array(Printable.json(String(decoding: json, as: UTF8.self)).utf8)
        write(text + [0x0A], to: STDOUT_FILENO)
    }

    /// Writes an export. For people unsafe characters are escaped; programs get it byte for byte.
    static func say(export: [UInt8]) {
        let isSafe = !isInteractive
        write(
            isSafe
                ? export : Array(Printable.block(String(decoding: export, as: UTF8.self)).utf8),
            to: STDOUT_FILENO)
    }

    /// Writes a line to standard error.
    static func complain(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// All of standard input, or a little more than the host takes.
    static func readInput() throws -> [UInt8] {
        try readAll(of: STDIN_FILENO, named: "standard input")
    }

    /// All of a file, or a little more than the host takes.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UsageError(
                description: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        return try readAll(of: descriptor, named: path)
    }

    private static func readAll(of descriptor: Int32, named name: String) throws -> [UInt8] {
        var input: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while input.count < inputLimit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw UsageError(
                    description: "\(name) cannot be read: \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { break }
            input += buffer[..<count]
        }
        return input
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // A full disk or a closed terminal. Whoever reads only the exit code must learn of
                // it.
                if descriptor != STDERR_FILENO {
                    complain(
                        "nocturne-plugins: standard output cannot be written: "
                            + String(cString: strerror(errno)))
                }
                exit(70)
            }
        }
    }
}
