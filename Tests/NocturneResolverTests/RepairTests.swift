// RepairTests.swift — what to change is said only if it helps, and the least is said.
// Next: LoadOrderTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct RepairTests {
    private func changes(_ text: String) throws -> [String?] {
        resolve(try request(text)).leftOut.map(\.change)
    }

    @Test func `several things that are missing are all named`() throws {
        #expect(
            try changes("a 1.0.0: b ^1.2; c *\nb 1.0.0") == [
                "add c, or a provider of it; and upgrade b to 1.2.0 or later, within ^1.2.0"
            ])
        #expect(
            try changes("a 1.0.0: p *; q *; r *; s *; t *") == [nil], "more than anybody would do")
    }

    @Test func `what is missing further down is named, and not what stands between`() throws {
        #expect(
            try changes("a 1.0.0: b *\nb 0.9.0: c ^2.0.0\nc 1.0.0") == [
                "upgrade c to 2.0.0 or later, within ^2.0.0",
                "upgrade c to 2.0.0 or later, within ^2.0.0",
            ])
    }

    @Test func `a version that two agree on is asked for`() throws {
        let text = """
            a 1.0.0: foo *; bar *
            foo 1.0.0: shared ^2.0.0
            bar 1.0.0: shared >=2.9.0 <4.0.0
            shared 2.5.0
            shared 3.1.0
            """
        let change = "add shared 2.9.0, or another version within ^2.9.0"
        let left = resolve(try request(text)).leftOut
        #expect(left.map(\.id) == ["a", "foo"])
        #expect(left.map(\.change) == [change, change])
    }

    @Test func `a host that would do is named, unless others would be lost`() throws {
        var candidates = try directory("a 1.0.0\nb 1.0.0: a *\nc 1.0.0")
        candidates[0].host = try VersionRange("^2.1")
        let host = resolve(ResolveRequest(candidates, for: testHost))
        let text = "update the host to 2.1.0 or later, within ^2.1.0"
        #expect(host.leftOut.map(\.change) == [text, text])
        candidates[2].host = try VersionRange("^1.0")
        let stuck = resolve(ResolveRequest(candidates, for: testHost))
        #expect(stuck.leftOut.map(\.change) == [nil, nil])
    }

    @Test func `an ABI and an architecture say who must be built or updated`() throws {
        var candidates = try directory("a 1.0.0\nb 1.0.0\nc 1.0.0")
        candidates[0].abi = ABIVersion(major: 1, minor: 7)
        candidates[1].abi = ABIVersion(major: 0, minor: 9)
        candidates[2].architecture = .aarch64
        let resolution = resolve(ResolveRequest(candidates, for: testHost))
        #expect(
            resolution.leftOut.map(\.change) == [
                "update the host to one that serves ABI 1.7", "rebuild b with this host's SDK",
                "install c built for x86_64",
            ])
    }

    @Test func `a ring is opened where the fewest things are lost`() throws {
        let opening =
            "make the dependency of b on a optional: move it to `optionalDependencies` in the "
            + "manifest of b"
        #expect(try changes("a 1.0.0: b *\nb 1.0.0: a *") == [opening, opening])
        #expect(
            resolve(try request("a 1.0.0: b ^1\nb 1.0.0: a *")).leftOut.first?.text
                == "Because a waits for b ^1.0.0, b waits for a, so that none of them can start first, "
                + "a cannot be loaded.")
        #expect(try changes("a 1.0.0: a *") == ["remove the dependency of a on itself"])
    }

    @Test func `of two that want different versions of a third, one is to be built for the other`()
        throws
    {
        let text = """
            app 1.0.0: a *; b *
            a 1.0.0: shared ^1
            b 1.0.0: shared ^2
            shared 1.0.0
            shared 2.0.0
            """
        let change = "use a version of b that goes with shared 1.0.0"
        let left = resolve(try request(text)).leftOut
        #expect(left.map(\.id) == ["app", "b"])
        #expect(left.map(\.change) == [change, change])
    }

    @Test func `a version to add says what it has to accept, if those that are there do not`()
        throws
    {
        let text = """
            app 1.0.0: a ^1; b *
            a 1.0.0: shared ^1
            a 2.0.0: shared ^2
            b 1.0.0: shared ^2
            other 1.0.0: b *
            shared 1.0.0
            shared 2.0.0
            """
        #expect(
            try changes(text) == [
                "add a 1.0.1, or another version within ^1.0.0, that accepts shared ^2.0.0"
            ])
        #expect(
            try changes("app 1.0.0: a ^1; b *\na 1.0.0: !b *\na 2.0.0\nb 1.0.0") == [
                "add a 1.0.1, or another version within ^1.0.0, that does not conflict with b"
            ])
    }

    @Test func `several things of different kinds that are wrong with one plugin are all named`()
        throws
    {
        let own = "p 1.0.0: codec ^2; counter ^2; !menu *\ncounter 1.0.0\nmenu 1.0.0"
        #expect(
            try changes(own) == [
                "upgrade counter to 2.0.0 or later, within ^2.0.0; and add codec ^2.0.0, or a provider "
                    + "of it; and remove menu"
            ])
        #expect(
            try changes(own + "\nq 1.0.0: menu *; counter ^1") == [
                "use a version of p that goes with counter 1.0.0; and add codec ^2.0.0, or a provider of "
                    + "it; and use a version of p that does not conflict with menu"
            ])
        #expect(try changes("p 1.0.0: !a *; !b *\na 1.0.0\nb 1.0.0") == ["remove a; and remove b"])
        #expect(
            try changes("p 1.0.0: b >=2 <1; c *") == [
                "add c, or a provider of it; and correct the range that p has for b: no version is in "
                    + "\">=2 <1\""
            ])
    }

    @Test func `what must go for it is named last of all`() throws {
        let text = "a 1.0.0: !c *\nb 1.0.0: c *\nc 1.0.0: d *\nd 1.0.0\ne 1.0.0: b *"
        #expect(try changes(text) == [nil], "b, c and e would have to go")
        #expect(try changes("b 1.0.0\nc 1.0.0: !b *") == ["remove b"])
    }
}
