// ControlSocketTests.swift — a socket path is claimed only when it is certainly free.

import Glibc
import TestKit
import Testing

@testable import NocturneControl

@Suite struct ControlSocketTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/n.sock" }

    @Test func `the longest path that unix(7) allows has 107 bytes`() throws {
        let longest = "/" + String(repeating: "a", count: 106)
        try ControlSocket.check(longest)
        #expect(throws: SocketError.pathTooLong(path: longest + "b", bytes: 108, limit: 107)) {
            try ControlSocket.check(longest + "b")
        }
    }

    @Test func `a path that is too long is told with its length`() {
        let path = "/" + String(repeating: "a", count: 199)
        let error = #expect(throws: SocketError.self) { try ControlSocket(claiming: path) }
        #expect(error?.description.contains("200 bytes, 93 more than the 107") == true)
        #expect(error?.exitStatus == 64)
    }

    @Test func `the socket has mode 0600 although the umask forbids nothing`() throws {
        let before = umask(0)
        defer { umask(before) }
        let socket = try ControlSocket(claiming: path)
        defer { socket.release() }
        #expect(mode(of: path) == S_IFSOCK | 0o600)
    }

    @Test func `a missing directory is made, for its owner alone`() throws {
        let path = directory.path + "/d/n.sock"
        let socket = try ControlSocket(claiming: path)
        defer { socket.release() }
        #expect(mode(of: directory.path + "/d") == S_IFDIR | 0o700)
    }

    @Test func `a directory where everybody may write is refused`() throws {
        let parent = directory.path + "/d"
        #expect(mkdir(parent, 0o700) == 0)
        #expect(chmod(parent, 0o777) == 0)
        #expect(throws: SocketError.openDirectory(path: parent)) {
            try ControlSocket(claiming: parent + "/n.sock")
        }
    }

    @Test func `a socket that somebody serves is not taken over`() throws {
        let live = listen(at: path)
        defer { close(live) }
        #expect(throws: SocketError.taken(path: path, pid: nil)) {
            try ControlSocket(claiming: path)
        }
        // The one who serves is still reachable by its path.
        _ = try RawConnection(to: path)
    }

    @Test func `a socket that nobody serves is replaced`() throws {
        close(listen(at: path))
        let stale = inode(of: path)
        let socket = try ControlSocket(claiming: path)
        defer { socket.release() }
        #expect(stale != nil)
        #expect(mode(of: path) == S_IFSOCK | 0o600)
    }

    @Test func `a file that is no socket is left alone`() throws {
        let file = open(path, O_CREAT | O_WRONLY, 0o644)
        defer { close(file) }
        let before = inode(of: path)
        #expect(throws: SocketError.notASocket(path: path)) { try ControlSocket(claiming: path) }
        #expect(inode(of: path) == before)
    }

    @Test
    func `a path that is claimed but does not listen yet is taken, by a process that is named`()
        throws
    {
        let socket = try ControlSocket(claiming: path)
        defer { socket.release() }
        #expect(throws: SocketError.taken(path: path, pid: getpid())) {
            try ControlSocket(claiming: path)
        }
    }

    @Test func `nothing is left after release, and the path can be claimed again`() throws {
        try ControlSocket(claiming: path).release()
        #expect(inode(of: path) == nil)
        #expect(inode(of: path + ".lock") == nil)
        try ControlSocket(claiming: path).release()
    }

    @Test func `release leaves a socket that somebody put in its place`() throws {
        let socket = try ControlSocket(claiming: path)
        unlink(path)
        let other = listen(at: path)
        defer { close(other) }
        socket.release()
        #expect(inode(of: path) != nil)
    }

    @Test func `only the host's own user and root are served`() {
        #expect(PeerCredentials.refusal(ofUser: 1000, host: 1000) == nil)
        #expect(PeerCredentials.refusal(ofUser: 0, host: 1000) == nil)
        #expect(
            PeerCredentials.refusal(ofUser: 1001, host: 1000)
                == .denied(callerUID: 1001, hostUID: 1000))
        #expect(
            PeerCredentials.refusal(ofUser: 1000, host: 0) == .denied(callerUID: 1000, hostUID: 0))
    }

    private func listen(at path: String) -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #expect(withUnixAddress(path) { bind(descriptor, $0, $1) } == 0)
        #expect(Glibc.listen(descriptor, 8) == 0)
        return descriptor
    }

    private func mode(of path: String) -> UInt32? { ControlSocket.Identity(at: path)?.mode }

    private func inode(of path: String) -> UInt64? { ControlSocket.Identity(at: path)?.inode }
}
