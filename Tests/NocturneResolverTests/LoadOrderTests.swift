// LoadOrderTests.swift — dependencies first, and rings said plainly.
// Next: ProofCheckerTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct LoadOrderTests {
    @Test func `independent branches start side by side`() throws {
        let resolution = resolve(
            try request("top 1.0.0: left *; right *\nleft 1.0.0: base *\nright 1.0.0\nbase 1.0.0"))
        #expect(resolution.order == [["base", "right"], ["left"], ["top"]])
    }

    @Test func `a ring is left out with the shortest way around and who declares it`() throws {
        let resolution = resolve(
            try request(
                """
                a 1.0.0: b ^1.0.0
                b 1.0.0: c *; a ^1.0.0
                c 1.0.0: a *
                d 1.0.0
                """))
        #expect(resolution.names == ["d 1.0.0"])
        #expect(resolution.leftOut.map(\.reason) == [.cycle, .cycle, .cycle])
        #expect(
            resolution.leftOut[0].text
                == "Because a waits for b ^1.0.0, b waits for a ^1.0.0, so that none of them can start "
                + "first, a cannot be loaded.")
    }

    @Test func `another version breaks a ring`() throws {
        let resolution = resolve(
            try request("a 2.0.0: b *\na 1.0.0\nb 1.0.0: a *"))
        #expect(resolution.names == ["a 1.0.0", "b 1.0.0"])
        #expect(resolution.order == [["a"], ["b"]])
    }

    @Test func `another provider breaks a ring`() throws {
        let resolution = resolve(
            try request("a 1.0.0: cap *\nb 1.0.0: a *; +cap 1.0.0\nc 1.0.0: +cap 1.0.0"))
        #expect(resolution.order == [["c"], ["a"], ["b"]])
    }

    @Test func `a ring through an optional dependency is broken there, with a note`() throws {
        let resolution = resolve(try request("a 1.0.0: ?b *\nb 1.0.0: ?c *\nc 1.0.0: ?a *"))
        // Of the three the arrow of c is the greatest.
        #expect(resolution.order == [["c"], ["b"], ["a"]])
        #expect(
            resolution.notes == [
                "c starts without waiting for a, which it uses if it is there, because a waits for c"
            ])
    }

    @Test func `a plugin that depends on itself is left out`() throws {
        let resolution = resolve(try request("a 1.0.0: a *\nb 1.0.0"))
        #expect(resolution.names == ["b 1.0.0"])
        #expect(
            resolution.leftOut.first?.text == "Because a depends on itself, a cannot be loaded.")
        #expect(resolution.leftOut.first?.reason == .cycle)
    }
}
