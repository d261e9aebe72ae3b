// ProofCheckerTests.swift — that the checkers see what is wrong.
// Next: ScaleTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct ProofCheckerTests {
    private let text = "a 1.0.0: b ^2.0.0\nb 2.0.0: c *\nc 1.0.0: !a *"

    @Test func `a proof is not one of another directory`() throws {
        let request = try request(text)
        let proof = try #require(Resolver.resolve(request).leftOut.first?.proof)
        #expect(ProofChecker(proof, of: request).faults == [])
        let others = [
            "a 1.0.0: b ^1.0.0\nb 2.0.0: c *\nc 1.0.0: !a *",
            "a 1.0.0: b ^2.0.0\nb 2.0.0\nc 1.0.0: !a *",
            "a 1.0.0: b ^2.0.0\nb 2.0.0: c *\nc 1.0.0",
            "a 1.0.0: b ^2.0.0\nb 2.0.0: c *\nc 1.0.0: !a *\nd 1.0.0: +c 1.0.0",
        ]
        for other in others {
            let faults = ProofChecker(proof, of: try self.request(other)).faults
            #expect(faults != [], "\(other)")
        }
    }

    @Test func `a line that speaks for many versions is checked for each of them`() throws {
        let text = "a 1.0.0: b ^1.0.0\na 2.0.0: b ^2.0.0\na 3.0.0: b ^3.0.0\nb 4.0.0"
        let request = try request(text)
        let proof = try #require(Resolver.resolve(request).leftOut.first?.proof)
        #expect(proof.nodes.count == 1)
        #expect(ProofChecker(proof, of: request).faults == [])
        let others = [
            text.replacing("a 2.0.0: b ^2.0.0", with: "a 2.0.0: b ^4.0.0"),
            text.replacing("a 2.0.0: b ^2.0.0", with: "a 2.0.0: c ^2.0.0"),
            text.replacing("a 2.0.0: b ^2.0.0", with: "a 2.0.0"),
            text + "\nc 1.0.0: +b 3.0.0",
        ]
        for other in others {
            let faults = ProofChecker(proof, of: try self.request(other)).faults
            #expect(faults != [], "\(other)")
        }
    }

    private func request(_ text: String) throws -> ResolveRequest {
        ResolveRequest(try directory(text), for: testHost)
    }

    @Test func `a selection is not one of another directory`() throws {
        let resolution = Resolver.resolve(try request("a 1.0.0: b *\nb 2.0.0: ?d ^1.0.0"))
        let others = [
            "a 1.0.0: b ^1.0.0\nb 2.0.0", "a 1.0.0: !b *\nb 2.0.0", "a 1.0.0\nb 2.0.0: a *",
            "a 1.0.0: b *; +d 2.0.0\nb 2.0.0: ?d ^1.0.0", "a 1.0.0: b *",
        ]
        for other in others {
            #expect(SolutionChecker(resolution, of: try request(other)).faults != [], "\(other)")
        }
    }
}
