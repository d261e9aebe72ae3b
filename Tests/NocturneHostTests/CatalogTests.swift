// CatalogTests.swift — claims about what is decided: nobody who serves is stopped by a file, and what is chosen goes
// together. The rules are written down here a second time, without the resolver.

import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct CatalogTests {
    /// A directory in which files come, change and go, and what serves because of that.
    private struct World {
        var catalog = Catalog()
        var serial: UInt64 = 0

        /// Puts a plugin into a file.
        mutating func drop(
            _ id: String, _ version: String, _ manifest: String = "", as path: String
        ) throws {
            serial += 1
            let text =
                #"{"id":"\#(id)","name":"x","version":"\#(version)","abi":"1.0"\#(manifest)}"#
            let manifest = try Manifest.parse(Array(text.utf8))
            let hash = try ContentHash(of: Array("\(serial)".utf8))
            catalog.files[path] = CatalogFile(
                path: path, hash: hash,
                content: .build(try PluginBuild(hash: hash, manifest: manifest)))
        }

        /// Decides, and has it carried out.
        @discardableResult
        mutating func settle() -> CatalogOutcome {
            let outcome = catalog.decide()
            catalog.previous = outcome.decisions
            catalog.serving = outcome.decisions.compactMapValues {
                $0.leftOut == nil ? $0.choice : nil
            }.filter { catalog.off[$0.key] == nil }
            return outcome
        }

        var versions: [String: String] {
            Dictionary(
                uniqueKeysWithValues: catalog.serving.map {
                    ($0.key.description, "\($0.value.manifest.version)")
                })
        }
    }

    @Test func `what is held is let go when nobody needs it any more`() throws {
        var world = World()
        try world.drop("text", "1.0.0", as: "/text")
        try world.drop("count", "1.0.0", #","dependencies":{"text":"^1"}"#, as: "/count")
        world.settle()
        try world.drop("text", "2.0.0", as: "/text")
        let outcome = world.settle()
        #expect(world.versions == ["text": "1.0.0", "count": "1.0.0"])
        #expect(outcome.decisions["text"]?.pendingChange?.contains("2.0.0") == true)
        #expect(outcome.decisions["text"]?.reasons["/text"]?.code == "held")
        world.catalog.files["/count"] = nil
        #expect(world.settle().decisions["text"]?.pendingChange == nil)
        #expect(world.versions == ["text": "2.0.0"])
    }

    @Test func `of two changed files only the one that breaks somebody is held`() throws {
        var world = World()
        try world.drop("text", "1.0.0", as: "/text")
        try world.drop("other", "1.0.0", as: "/other")
        try world.drop(
            "count", "1.0.0", #","dependencies":{"text":"^1","other":"*"}"#, as: "/count")
        world.settle()
        try world.drop("text", "2.0.0", as: "/text")
        try world.drop("other", "2.0.0", as: "/other")
        world.settle()
        #expect(world.versions == ["text": "1.0.0", "other": "2.0.0", "count": "1.0.0"])
    }

    @Test func `a new build that cannot run does not take the place of one that does`() throws {
        for (broken, code) in [
            (#","dependencies":{"nobody":"*"}"#, "nobody"),
            (#","permissions":{"read":["/srv"]}"#, "permissions"),
            (
                #","configuration":{"type":"object","required":["key"],"properties":{"key":{"type":"string"}}}"#,
                "key"
            ),
        ] {
            var world = World()
            try world.drop("text", "1.0.0", as: "/text")
            world.settle()
            try world.drop("text", "2.0.0", broken, as: "/text")
            let outcome = world.settle()
            #expect(world.versions == ["text": "1.0.0"])
            #expect(outcome.decisions["text"]?.pendingChange?.contains(code) == true)
            // At a start there is nothing that could serve on.
            world.catalog.serving = [:]
            world.catalog.previous = [:]
            let fresh = world.settle()
            #expect(world.versions.isEmpty)
            #expect(fresh.decisions["text"]?.leftOut?.description.contains(code) == true)
        }
    }

    @Test
    func `with hot reload off, what may not run still does not, however often that is decided`()
        throws
    {
        for refused in [
            #","permissions":{"read":["/srv"]}"#,
            #","configuration":{"type":"object","required":["key"]}"#,
        ] {
            var world = World()
            world.catalog.enableHotReload = false
            try world.drop("asks", "1.0.0", refused, as: "/asks")
            for _ in 0..<3 {
                let outcome = world.settle()
                #expect(world.versions.isEmpty)
                #expect(outcome.decisions["asks"]?.leftOut != nil)
            }
        }
    }

    @Test func `a command's change is not held, and tells whom it hurts`() throws {
        var world = World()
        try world.drop("text", "1.0.0", as: "/text")
        try world.drop("count", "1.0.0", #","dependencies":{"text":"^1"}"#, as: "/count")
        try world.drop(
            "refuses", "1.0.0",
            #","dependencies":{"text":">=1"},"reload":{"onDependencyChange":"refuse"}"#, as: "/r")
        world.settle()
        try world.drop("text", "2.0.0", as: "/text")
        world.catalog.released = ["text"]
        let outcome = world.settle()
        #expect(world.versions == ["text": "2.0.0", "refuses": "1.0.0"])
        let objections = try #require(outcome.objections["text"])
        #expect(objections.count == 2)
        #expect(objections.contains { $0.hasPrefix("count would stop") })
        #expect(objections.contains { $0.hasPrefix("refuses depends on it and refuses") })
    }

    @Test func `whatever files do, who serves goes on, and what serves goes together`() throws {
        var random = SplitMix64(state: 20_261_123)
        for _ in 0..<100 {
            var world = World()
            for _ in 0..<12 {
                for _ in 0...random.below(3) { try change(&world, &random) }
                let before = world.catalog.serving
                world.settle()
                check(world, before)
            }
        }
    }

    /// One file comes, changes or goes.
    private func change(_ world: inout World, _ random: inout SplitMix64) throws {
        let id = "p\(random.below(5))"
        let path = "/\(id)-\(random.below(2))"
        if random.below(4) == 0 {
            world.catalog.files[path] = nil
            return
        }
        var named: Set<String> = [id]
        func relation(_ key: String, _ odds: Int) -> String {
            guard random.below(odds) == 0 else { return "" }
            let ranges = ["^1", "^2", "*", ">=1.1", "<2"]
            let other = random.below(6) == 0 ? "name" : "p\(random.below(5))"
            guard named.insert(other).inserted else { return "" }
            return #","\#(key)":{"\#(other)":"\#(ranges[random.below(ranges.count)])"}"#
        }
        let relations =
            relation("dependencies", 2) + relation("optionalDependencies", 4)
            + relation("conflicts", 6)
        let mayProvide = random.below(5) == 0
        let policy = ["rebind", "restart", "refuse"][min(2, random.below(6))]
        try world.drop(
            id, "\(1 + random.below(2)).\(random.below(3)).0",
            relations
                + (mayProvide ? #","provides":{"name":"\#(1 + random.below(2)).0"}"# : "")
                + #","reload":{"onDependencyChange":"\#(policy)"}"#, as: path)
    }

    private func check(_ world: World, _ before: [PluginID: PluginBuild]) {
        let serving = world.catalog.serving
        let manifests = serving.values.map(\.manifest)
        func isFulfilled(_ name: PluginID, _ range: VersionRange) -> Bool {
            manifests.contains { other in
                other.id == name && range.contains(other.version)
                    || other.provides[name].map(range.contains) ?? false
            }
        }
        func isThere(_ name: PluginID, for user: Manifest) -> Bool {
            manifests.contains { $0.id != user.id && $0.names.contains(name) }
        }
        for manifest in manifests {
            for (name, range) in manifest.dependencies {
                #expect(isFulfilled(name, range), "\(manifest.id) needs \(name) \(range)")
            }
            for (name, range) in manifest.optionalDependencies where isThere(name, for: manifest) {
                #expect(isFulfilled(name, range), "\(manifest.id) would use \(name) \(range)")
            }
            for (name, range) in manifest.conflicts {
                let others = manifests.filter { $0.id != manifest.id }
                #expect(!others.contains { $0.id == name && range.contains($0.version) })
            }
        }
        let offered = Set(world.catalog.files.values.compactMap { $0.offer?.id })
        for (id, build) in before where offered.contains(id) {
            #expect(serving[id] != nil, "\(id) serves on")
            for (other, used) in before
            where build.manifest.reload.onDependencyChange == .refuse
                && serving[id]?.hash == build.hash && build.manifest.uses(used.manifest)
            {
                #expect(serving[other]?.hash == used.hash, "\(other) stays, because \(id) says so")
            }
        }
    }
}

extension SplitMix64 {
    fileprivate mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
