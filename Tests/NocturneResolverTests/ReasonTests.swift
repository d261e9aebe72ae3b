// ReasonTests.swift — what people read: why something is left out, and what to change.
// Next: RepairTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct ReasonTests {
    private func leftOut(_ text: String) throws -> [Resolution.LeftOut] {
        resolve(try request(text)).leftOut
    }

    @Test func `what is missing is named, and asked for`() throws {
        let one = try #require(try leftOut("indexer 1.0.0: text-tools ^1.5.0").first)
        #expect(one.reason == .missing)
        #expect(
            one.text == "Because indexer depends on text-tools ^1.5.0, which is not there, "
                + "indexer cannot be loaded.")
        #expect(one.change == "add text-tools ^1.5.0, or a provider of it")
    }

    @Test func `a dependency that is too old is named with what is there`() throws {
        let one = try #require(
            try leftOut("indexer 1.0.0: text-tools ^1.5.0\ntext-tools 1.4.0").first)
        #expect(one.reason == .dependency)
        #expect(
            one.text
                == "Because indexer depends on text-tools ^1.5.0, of which there is only 1.4.0, "
                + "indexer cannot be loaded.")
        #expect(one.change == "upgrade text-tools to 1.5.0 or later, within ^1.5.0")
    }

    @Test func `an upgrade that would break another is not proposed`() throws {
        let left = try leftOut(
            """
            indexer 1.0.0: text-tools ^2.0.0
            reader 1.0.0: text-tools ^1.0.0
            search 1.0.0: reader ^1.0.0
            text-tools 1.0.0
            """)
        #expect(left.map(\.id) == ["indexer"])
        #expect(left[0].change == "use a version of indexer that goes with text-tools 1.0.0")
    }

    @Test func `of two that conflict the one that runs stays, and the other says so`() throws {
        var request = try request("a 1.0.0: !b *\nb 1.0.0")
        #expect(resolve(request).names == ["a 1.0.0"])
        request.running["b"] = RunningPlugin(SemanticVersion(1, 0, 0))
        let resolution = resolve(request)
        #expect(resolution.names == ["b 1.0.0"])
        let one = try #require(resolution.leftOut.first)
        #expect(one.reason == .conflict)
        #expect(one.text == "Because a conflicts with b, a cannot be loaded together with b.")
        #expect(one.change == "remove b")
    }

    @Test func `what is to be kept stays, however many others must go for it`() throws {
        var request = try request(
            "a 1.0.0: !z *\nb 1.0.0: !z *\nc 1.0.0: !z *\nz 1.0.0: y *\ny 1.0.0")
        #expect(resolve(request).names == ["a 1.0.0", "b 1.0.0", "c 1.0.0", "y 1.0.0"])
        request.kept = ["z"]
        #expect(resolve(request).names == ["y 1.0.0", "z 1.0.0"])
        // Of what is to be kept most count, then most ids in all.
        request.kept = ["z", "a", "b"]
        #expect(resolve(request).names == ["a 1.0.0", "b 1.0.0", "c 1.0.0", "y 1.0.0"])
    }

    @Test func `a proof names every plugin that it speaks of, and what is missing`() throws {
        let left = try leftOut(
            """
            a 1.0.0: b *; x *
            b 1.0.0: gone ^1.0.0
            x 1.0.0
            p 1.0.0: cap ^2.0.0
            q 1.0.0: +cap 1.0.0
            r 1.0.0: +cap 2.0.0; !p *
            s 1.0.0: +cap 2.0.0; !p *
            """)
        #expect(left.map(\.id) == ["a", "b", "p"])
        #expect(
            left.compactMap(\.proof?.plugins) == [
                ["a", "b", "gone"], ["b", "gone"], ["p", "cap", "r", "s"],
            ])
    }

    @Test func `a range that nothing is in is shown as it was written`() throws {
        let one = try #require(try leftOut("a 1.0.0: b >2 <1\nb 1.0.0").first)
        #expect(
            one.text
                == "Because a depends on b >2 <1, which no version can be, a cannot be loaded.")
        #expect(one.change == #"correct the range that a has for b: no version is in ">2 <1""#)
        let optional = try #require(try leftOut("a 1.0.0: ?b >=2 <1\nb 1.0.0").first)
        #expect(
            optional.text
                == "Because a needs b, if it is there, to be >=2 <1, which no version can be, b cannot be "
                + "loaded together with a.")
        var candidates = try directory("a 1.0.0")
        candidates[0].host = try VersionRange(">=2 <1")
        let host = resolve(ResolveRequest(candidates, for: testHost)).leftOut.first
        #expect(host?.text == "it wants a host of version >=2 <1, this one is 1.0.0")
    }

    @Test func `of what is there three versions are named`() throws {
        let two = try leftOut("a 1.0.0: b ^9\nb 2.0.0\nb 1.0.0")
        #expect(two.first?.text.contains("there is only 2.0.0 and 1.0.0, a cannot") == true)
        let five = (1...5).map { "b \($0).0.0" }.joined(separator: "\n")
        let text = try leftOut("a 1.0.0: b ^9\n\(five)").first?.text
        #expect(text?.contains("there is only 5.0.0, 4.0.0, 3.0.0 and 2 older, a cannot") == true)
    }

    @Test func `versions in lockstep make one line, however many there are`() throws {
        let many = (1...40).map { "app \($0).0.0: core =\($0).0.0\ncore \($0).0.0: base <50.0.0" }
        let one = try #require(
            try leftOut(many.joined(separator: "\n") + "\ntool 1.0.0: app *; base *\nbase 60.0.0")
                .last)
        #expect(one.id == "tool")
        #expect(
            one.text == """
                Because every version of app requires core, which depends on base <50.0.0, of which \
                there is only 60.0.0, app is forbidden.
                So, because tool depends on app, tool cannot be loaded.
                """)
    }

    @Test func `versions that each miss another version are told together`() throws {
        let text = "a 1.0.0: b ^1.0.0\na 2.0.0: b ^2.0.0\na 3.0.0: b ^3.0.0\nb 4.0.0"
        let one = try #require(try leftOut(text).first)
        #expect(one.reason == .dependency)
        #expect(
            one.text
                == "Because a depends on b in versions of its own, of which there is only 4.0.0, "
                + "a cannot be loaded.")
        #expect(one.change == "add b 3.0.0, or another version within ^3.0.0")
    }

    @Test func `versions that this host refuses for different reasons are told together`() throws {
        var candidates = try directory("a 1.0.0\na 2.0.0\na 3.0.0")
        for index in candidates.indices {
            candidates[index].host = try VersionRange("^\(index + 2)")
        }
        let left = resolve(ResolveRequest(candidates, for: testHost)).leftOut
        #expect(left.map(\.reason.description) == ["host"])
        #expect(
            left.first?.text
                == "Because a is refused (the newest: it wants a host of version ^4.0.0, this one is "
                + "1.0.0), a cannot be loaded.")
    }

    @Test func `what this host refuses keeps its own word and text`() throws {
        var candidates = try directory("net 1.0.0\nnet 2.0.0\nweb 1.0.0: net ^2.0.0")
        candidates[1].abi = ABIVersion(major: 2, minor: 0)
        let resolution = resolve(ResolveRequest(candidates, for: testHost))
        #expect(resolution.names == ["net 1.0.0"])
        #expect(resolution.rejected.first?.reason.description == "abi")
        #expect(
            resolution.rejected.first?.text
                == "net 2.0.0: it was built for ABI 2.0, this host serves 1.0; update the host")
        #expect(
            resolution.leftOut.first?.text
                == "Because web depends on net ^2.0.0, which is refused (it was built for ABI 2.0, this "
                + "host serves 1.0; update the host), web cannot be loaded.")
    }

    @Test func `a host version, an architecture and a permission refuse too`() throws {
        var candidates = try directory("a 1.0.0\nb 1.0.0\nc 1.0.0\nd 1.0.0")
        candidates[0].host = try VersionRange("^2.0.0")
        candidates[1].architecture = .aarch64
        candidates[2].refusals = [.init("permission", "it asks for /etc, which is denied")]
        let resolution = resolve(ResolveRequest(candidates, for: testHost))
        #expect(resolution.names == ["d 1.0.0"])
        #expect(
            resolution.leftOut.map(\.reason.description) == ["host", "architecture", "permission"])
        #expect(
            resolution.leftOut[2].text
                == "it asks for /etc, which is denied", "what is wrong with itself needs no proof")
    }

    @Test func `versions that are not chosen say which is, and why not a newer one`() throws {
        let resolution = resolve(
            try request(
                """
                tools 1.0.0
                tools 1.5.0
                tools 2.0.0
                reader 1.0.0: tools ^1.0.0
                """))
        #expect(resolution.names == ["reader 1.0.0", "tools 1.5.0"])
        #expect(
            resolution.rejected.map(\.text) == [
                "Because reader depends on tools ^1.0.0, tools 2.0.0 cannot be loaded together with "
                    + "reader.",
                "tools 1.5.0 is chosen.",
            ])
        #expect(resolution.leftOut == [])
    }

    @Test func `a prerelease is chosen only when no release will do`() throws {
        let both = resolve(try request("a 2.0.0-rc.1\na 1.0.0"))
        #expect(both.names == ["a 1.0.0"])
        #expect(
            both.rejected.map(\.text) == [
                "a 1.0.0 is chosen: 2.0.0-rc.1 is a prerelease, taken only if no release will do; remove "
                    + "the releases of a to have it."
            ])
        #expect(resolve(try request("a 2.0.0-rc.1")).names == ["a 2.0.0-rc.1"])
        let text = "a 2.0.0-rc.1\na 1.0.0\nb 1.0.0: a ^2.0.0-rc.1"
        #expect(resolve(try request(text)).names == ["a 2.0.0-rc.1", "b 1.0.0"])
    }

    @Test func `of one version in two files the running one is chosen, else the first`() throws {
        var request = try request("a 1.0.0\na 1.0.0\na 1.0.0+b")
        #expect(resolve(request).names == ["a 1.0.0+b"])
        request.running["a"] = RunningPlugin(SemanticVersion(1, 0, 0), label: "plugins/a-1.so")
        let resolution = resolve(request)
        #expect(resolution.chosen.map(\.label) == ["plugins/a-1.so"])
        #expect(
            resolution.rejected.map(\.reason) == [.duplicate, .otherVersion])
        #expect(
            resolution.rejected.first?.text
                == "a 1.0.0 is also in plugins/a-1.so, which is chosen; remove one of the two files, or "
                + "give one another version.")
    }

    @Test func `a provider stands in for a name, and the plugin of that name comes first`() throws {
        let provided = resolve(try request("player 1.0.0: codec ^2.0.0\nh264 1.0.0: +codec 2.1.0"))
        #expect(provided.names == ["h264 1.0.0", "player 1.0.0"])
        #expect(provided.order == [["h264"], ["player"]])
        let wrong = resolve(try request("player 1.0.0: codec ^2.0.0\nh264 1.0.0: +codec 1.0.0"))
        #expect(wrong.leftOut.first?.change == "add a provider of codec ^2.0.0")
        let request = try request(
            "player 1.0.0: codec ^2.0.0\nh264 1.0.0: +codec 2.1.0\ncodec 2.0.0\nother 1.0.0",
            wanted: ["player"])
        #expect(resolve(request).names == ["codec 2.0.0", "player 1.0.0"])
    }

    @Test func `an optional plugin comes along if it fits, and is never dragged in`() throws {
        let text = "a 1.0.0: ?b ^1.0.0; ?c ^2.0.0\nb 1.0.0\nc 1.0.0"
        #expect(resolve(try request(text, wanted: ["a"])).names == ["a 1.0.0", "b 1.0.0"])
    }

    @Test func `without a budget all that was tried is kept, and nothing is claimed`() throws {
        var hard = try request(
            """
            a 1.0.0: b ^1.0.0
            b 1.0.0
            c 1.0.0: a ^1.0.0
            """)
        hard.stepBudget = 0
        let resolution = resolve(hard)
        #expect(!resolution.isProvenLargest)
        #expect(resolution.notes.last?.hasPrefix("notProvenLargest: ") == true)
        #expect(resolution.chosen.count + resolution.leftOut.count == 3)
    }

    @Test func `a long chain refers to the proofs of others`() throws {
        let text = (1...300).map { "p\($0) 1.0.0: p\($0 - 1) *" }.joined(separator: "\n")
        let request = try request(text)
        let resolution = Resolver.resolve(request)
        #expect(resolution.leftOut.count == 300)
        let ids = Set(resolution.leftOut.map(\.id))
        for one in resolution.leftOut {
            let proof = try #require(one.proof)
            #expect(ProofChecker(proof, of: request, leftOut: ids).faults == [])
            #expect(proof.nodes.count < 400)
        }
    }
}
