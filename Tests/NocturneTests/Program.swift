// Program.swift — `nocturne-plugins` as it was built beside the tests, run as a user runs it.

import Glibc
import Testing

/// Runs `nocturne-plugins` as it was built beside the tests.
enum Program {
    struct Result {
        let status: Int32, output: String, errors: String
    }

    /// Runs it to its end, where some variables are as `LC_ALL=C`.
    static func run(_ arguments: [String], with variables: [String] = []) throws -> Result {
        let (output, errors) = (try temporaryFile(), try temporaryFile())
        defer {
            close(output)
            close(errors)
        }
        let pid = try spawn(
            "/usr/bin/env", variables + [directory + "/nocturne-plugins"] + arguments,
            output: output, errors: errors)
        return Result(
            status: end(of: pid) ?? -1, output: contents(of: output), errors: contents(of: errors))
    }

    /// Starts it and returns its process id. What it says is thrown away.
    static func start(_ arguments: [String]) throws -> pid_t {
        let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nowhere) }
        return try spawn(
            directory + "/nocturne-plugins", arguments, output: nowhere, errors: nowhere)
    }

    /// Starts it with what it says going to a descriptor, and returns its process id.
    static func start(_ arguments: [String], saying descriptor: Int32) throws -> pid_t {
        try spawn(
            directory + "/nocturne-plugins", arguments, output: descriptor, errors: descriptor)
    }

    /// Runs a program of the system. Returns its exit status.
    static func system(_ path: String, _ arguments: [String]) throws -> Int32? {
        end(of: try spawn(path, arguments, output: 2, errors: 2))
    }

    /// Waits for the end of a process. Returns its exit status (WEXITSTATUS of wait(2)), `nil` if a signal ended it.
    static func end(of pid: pid_t) -> Int32? {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }

    private static func spawn(
        _ path: String, _ arguments: [String], output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // A test's thread may block signals, and what blocks them here would there.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), usual = sigset_t()
        sigemptyset(&none)
        sigemptyset(&usual)
        for number in [SIGINT, SIGTERM] { sigaddset(&usual, number) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        try #require(
            posix_spawn(&pid, path, &actions, &attributes, &words, environ) == 0, "\(path)")
        return pid
    }

    /// Where the test program is, and all other products.
    private static var directory: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bytes = buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
        let path = String(decoding: bytes, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func temporaryFile() throws -> Int32 {
        var template = Array("/tmp/nprog-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        unlink(template)
        return descriptor
    }

    static func contents(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
