// StandardPathsTests.swift — where things are, as the XDG base directory specification says.

import Nocturne
import Testing

@Suite struct StandardPathsTests {
    private let user: [String: String] = ["HOME": "/home/ada"]

    @Test func `a user's paths are in the home directory`() throws {
        let paths = StandardPaths(environment: user, userID: 1000)
        #expect(paths.configurationFile == "/home/ada/.config/nocturne/config.json")
        #expect(try paths.stateDirectory == "/home/ada/.local/state/nocturne")
        #expect(try paths.socket == "/home/ada/.local/state/nocturne/nocturne.sock")
    }

    @Test func `the XDG variables come before the home directory`() throws {
        let environment = user.merging([
            "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/1000",
        ]) { $1 }
        let paths = StandardPaths(environment: environment, userID: 1000)
        #expect(paths.configurationFile == "/c/nocturne/config.json")
        #expect(try paths.stateDirectory == "/s/nocturne")
        #expect(try paths.socket == "/run/user/1000/nocturne/nocturne.sock")
    }

    @Test func `relative and empty XDG variables are ignored, as the specification says`() throws {
        let environment = user.merging([
            "XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": "./run",
        ]) { $1 }
        let paths = StandardPaths(environment: environment, userID: 1000)
        #expect(paths.configurationFile == "/home/ada/.config/nocturne/config.json")
        #expect(try paths.socket == "/home/ada/.local/state/nocturne/nocturne.sock")
    }

    @Test func `root's paths are the system's, whatever the environment says`() throws {
        let environment = [
            "HOME": "/root", "XDG_RUNTIME_DIR": "/run/user/0", "XDG_STATE_HOME": "/s",
        ]
        let paths = StandardPaths(environment: environment, userID: 0)
        #expect(paths.configurationFile == "/etc/nocturne/config.json")
        #expect(try paths.stateDirectory == "/var/lib/nocturne")
        #expect(try paths.socket == "/run/nocturne/nocturne.sock")
    }

    @Test(arguments: [0, 1000] as [UInt32])
    func `NOCTURNE_SOCKET names the socket for everybody`(userID: UInt32) throws {
        let environment = user.merging(["NOCTURNE_SOCKET": "/tmp/other.sock"]) { $1 }
        #expect(
            try StandardPaths(environment: environment, userID: userID).socket == "/tmp/other.sock")
    }

    @Test func `without a home directory the message says what to name instead`() {
        let paths = StandardPaths(environment: [:], userID: 1000)
        #expect(paths.configurationFile == nil)
        let error = #expect(throws: ConfigurationError.self) { try paths.socket }
        #expect(error?.description.contains("--socket") == true)
        #expect(error?.exitStatus == 64)
    }
}
