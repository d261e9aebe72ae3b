// PubExampleTests.swift — the worked examples of pub's solver (dart-lang/pub, doc/solver.md, "Examples"), with
// the results and texts given there. Next: ReasonTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct PubExampleTests {
    /// Where pub says "version solving failed", we say what cannot be loaded.
    private static let failure = "root cannot be loaded"

    private func solve(_ text: String) throws -> Resolution {
        resolve(try request(text, wanted: ["root"]))
    }

    private func words(_ text: String?) -> [Substring]? {
        text?.split { $0 == " " || $0 == "\n" }
    }

    @Test func `no conflicts: what nobody needs stays out`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo ^1.0.0
            foo 1.0.0: bar ^1.0.0
            bar 1.0.0
            bar 2.0.0
            """)
        #expect(resolution.names == ["bar 1.0.0", "foo 1.0.0", "root 1.0.0"])
        #expect(resolution.order == [["bar"], ["foo"], ["root"]])
    }

    @Test func `avoiding conflict during decision making`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo ^1.0.0; bar ^1.0.0
            foo 1.1.0: bar ^2.0.0
            foo 1.0.0
            bar 1.0.0
            bar 1.1.0
            bar 2.0.0
            """)
        #expect(resolution.names == ["bar 1.1.0", "foo 1.0.0", "root 1.0.0"])
    }

    @Test func `performing conflict resolution`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo >=1.0.0
            foo 2.0.0: bar ^1.0.0
            foo 1.0.0
            bar 1.0.0: foo ^1.0.0
            """)
        #expect(resolution.names == ["foo 1.0.0", "root 1.0.0"])
    }

    @Test func `conflict resolution with a partial satisfier`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo ^1.0.0; target ^2.0.0
            foo 1.1.0: left ^1.0.0; right ^1.0.0
            foo 1.0.0
            left 1.0.0: shared >=1.0.0
            right 1.0.0: shared <2.0.0
            shared 2.0.0
            shared 1.0.0: target ^1.0.0
            target 2.0.0
            target 1.0.0
            """)
        #expect(resolution.names == ["foo 1.0.0", "root 1.0.0", "target 2.0.0"])
    }

    @Test func `linear error reporting`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo ^1.0.0; baz ^1.0.0
            foo 1.0.0: bar ^2.0.0
            bar 2.0.0: baz ^3.0.0
            baz 1.0.0
            baz 3.0.0
            """)
        #expect(
            words(resolution.leftOut.first?.text)
                == words(
                    """
                    Because every version of foo depends on bar ^2.0.0 which depends on baz ^3.0.0,
                    every version of foo requires baz ^3.0.0.
                    So, because root depends on both baz ^1.0.0 and foo ^1.0.0, \(Self.failure).
                    """))
    }

    @Test func `branching error reporting`() throws {
        let resolution = try solve(
            """
            root 1.0.0: foo ^1.0.0
            foo 1.0.0: a ^1.0.0; b ^1.0.0
            foo 1.1.0: x ^1.0.0; y ^1.0.0
            a 1.0.0: b ^2.0.0
            b 1.0.0
            b 2.0.0
            x 1.0.0: y ^2.0.0
            y 1.0.0
            y 2.0.0
            """)
        #expect(
            words(resolution.leftOut.first?.text)
                == words(
                    """
                    Because foo <1.1.0 depends on a ^1.0.0 which depends on b ^2.0.0, foo <1.1.0
                    requires b ^2.0.0.
                    (1) So, because foo <1.1.0 depends on b ^1.0.0, foo <1.1.0 is forbidden.

                    Because foo >=1.1.0 depends on x ^1.0.0 which depends on y ^2.0.0, foo >=1.1.0
                    requires y ^2.0.0.
                    And because foo >=1.1.0 depends on y ^1.0.0, foo >=1.1.0 is forbidden.
                    And because foo <1.1.0 is forbidden (1), foo is forbidden.
                    So, because root depends on foo ^1.0.0, \(Self.failure).
                    """))
    }
}
