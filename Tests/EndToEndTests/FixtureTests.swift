// FixtureTests.swift — every plugin of Tests/Fixtures is there for a claim. Next: Tests/Fixtures/build.sh.

import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct FixtureTests {
    /// What becomes of a fixture that is dropped into the directory.
    private enum Fate: Equatable {
        case serves
        /// The file is refused, or its plugin fails: with this code.
        case fails(String)
        case waits
    }

    /// Those that do not serve; HostStartFailureTests has the words of their reasons.
    private static let fates: [String: Fate] = [
        "needs-counter": .waits,
        "entry-fails-silently": .fails("entry"), "entry-fails": .fails("entry"),
        "executable-stack": .fails("executableStack"), "handler-not-declared": .fails("contract"),
        "identity-build": .fails("identity"), "identity-control-characters": .fails("identity"),
        "identity-forged": .fails("identity"), "identity-id": .fails("identity"),
        "identity-null": .fails("contract"), "identity-overlong": .fails("contract"),
        "identity-size": .fails("contract"), "identity-unterminated": .fails("crashed"),
        "identity-version": .fails("identity"),
        "manifest-abi-new": .fails("abi"), "manifest-missing-field": .fails("manifest"),
        "manifest-not-json": .fails("manifest"), "manifest-unknown-field": .fails("manifest"),
        "missing-library": .fails("load"), "no-entry": .fails("noEntry"),
        "no-manifest": .fails("noManifest"), "state-without-restore": .fails("contract"),
        "table-abi": .fails("entry"), "table-size": .fails("entry"),
        "table-wild": .fails("crashed"), "tool-without-handler": .fails("contract"),
        "tools-without-items": .fails("contract"), "undefined-symbol": .fails("load"),
        "activate-fails": .fails("activate"), "crash-activate": .fails("crashed"),
        "crash-constructor": .fails("crashed"), "unhealthy": .fails("unhealthy"),
        "hang-activate": .fails("tooSlow"), "hang-constructor": .fails("tooSlow"),
        "hang-entry": .fails("tooSlow"),
    ]
    /// Builds of one id, which are tried one after the other.
    private static let families: [String: [String]] = [
        "counter": ["counter", "counter-b", "counter-stateless"],
        "counting": ["counting", "counting-b"],
        "measures": ["measures", "measures-b"],
        "stateful": [
            "stateful-good", "stateful-cannot-restore", "stateful-cannot-save",
            "stateful-restore-crashes", "stateful-restore-hangs", "stateful-save-hangs",
            "stateful-save-lies",
        ],
    ]

    @Test func `each fixture serves, or fails as it is meant to`() async throws {
        let all = names(in: try Fixtures.directory()).filter { $0.hasSuffix(".so") }
            .map { String($0.dropLast(3)) }
        #expect(all.count > 80)
        let inFamilies = Self.families.values.joined()
        let singles = all.filter { !inFamilies.contains($0) }
        #expect(Set(inFamilies).isSubset(of: all) && Set(Self.fates.keys).isSubset(of: all))
        try await HostHarness.run { harness in
            // With the counter the one that needs it would not wait.
            for name in singles { try harness.drop(name) }
            for name in singles {
                let path = "\(harness.plugins)/\(name).so"
                let expected = Self.fates[name] ?? .serves
                var fate: Fate?
                try await harness.eventually(
                    "\(name): \(expected), but \(String(describing: fate))"
                ) {
                    let found = await harness.host.plugins().first { $0.file == path }
                    fate =
                        switch found?.status {
                        case .enabled: .serves
                        case .failed: .fails(found?.reasonCode ?? "")
                        case .waiting: .waits
                        default: nil
                        }
                    return fate == expected
                }
            }
        }
        try await HostHarness.run { harness in
            for (id, builds) in Self.families.sorted(by: { $0.key < $1.key }) {
                for build in builds {
                    try harness.drop(build, as: "family")
                    try await harness.status(id, .enabled)
                    let tool = try #require(await harness.info(id)?.tools.first)
                    _ = try await harness.host.call(tool)
                    harness.removeFile("family")
                    await harness.host.rescan()
                }
            }
        }
    }
}
