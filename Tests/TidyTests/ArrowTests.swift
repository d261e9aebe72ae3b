// ArrowTests.swift — who may import whom. SwiftPM lets a target import what its dependencies depend on; this does not.
// Next: DocumentTests.swift.

import Testing

extension Tidiness {
    private static let packages = [
        ("Package.swift", ""), ("PluginSDK/Package.swift", "PluginSDK/"),
    ]

    @Test(arguments: packages)
    func `targets import what Package.swift says, and nothing else`(
        path: String, root: String
    ) throws {
        let arrows = Arrow.all(in: try Repository.file(path), root: root)
        #expect(arrows.count > 4, "the scanner has lost its targets")
        let findings = arrows.flatMap { $0.undeclared(in: Repository.swift) }
        #expect(findings.isEmpty, "\(findings.map { "\n\($0)" }.joined())")
    }

    @Test(arguments: packages)
    func `targets import all that Package.swift says`(path: String, root: String) throws {
        let package = try Repository.file(path)
        let findings = Arrow.all(in: package, root: root).flatMap { arrow in
            arrow.unused(in: Repository.swift).map {
                "\n\(path): \(arrow.name) never imports \($0)"
            }
        }
        #expect(findings.isEmpty, "\(findings.joined())")
    }

    @Test func `every folder of Sources is a target, and every target a folder`() throws {
        let package = try Repository.file("Package.swift")
        let targets = Arrow.all(in: package, root: "").map(\.folder).filter {
            $0.hasPrefix("Sources")
        }
        let folders = Repository.files.filter { $0.path.hasPrefix("Sources/") }.map(\.folder)
        #expect(Set(targets) == Set(folders))
    }

    @Test func `an arrow that is not there is found, and one that leads nowhere`() throws {
        let package = SourceFile(
            "Package.swift",
            """
            .target(name: "Core"),
            .target(
                name: "Host",
                dependencies: ["Core", "Store", .product(name: "Log", package: "swift-log")],
                exclude: ["Net"]),
            """)
        let file = SourceFile(
            "Sources/Host/A.swift",
            """
            // import Never
            import Glibc
            @testable public import Core
            #if os(Linux)
                import struct Net.Socket
            #endif
            import Log
            """)
        let arrows = Arrow.all(in: package, root: "")
        #expect(arrows.map(\.name) == ["Core", "Host"])
        let host = try #require(arrows.last)
        #expect(host.dependencies == ["Core", "Store", "Log"])
        #expect(host.undeclared(in: [file]).map(\.line) == [5])
        #expect(host.unused(in: [file]) == ["Store"])
    }
}

/// A target of a package and what it says it depends on.
private struct Arrow {
    let name: String
    let folder: String
    let dependencies: [String]

    /// Modules of the system and of the toolchain.
    private static let system: Set<Substring> = [
        "Dispatch", "FoundationEssentials", "Glibc", "PackagePlugin", "Synchronization", "Testing",
    ]

    /// The targets of a package whose folders are below `root`.
    static func all(in package: SourceFile, root: String) -> [Arrow] {
        let text = package.lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(
            separator: " ")
        let kinds = [
            (".target(", "Sources"), (".executableTarget(", "Sources"),
            (".systemLibrary(", "Sources"),
            (".testTarget(", "Tests"),
        ]
        return kinds.flatMap { kind, folder in
            text.ranges(of: kind).compactMap { range in
                let body = text[range.upperBound...].prefixInside("(", ")")
                guard let name = strings(after: "name: ", in: body).first else { return nil }
                let path = strings(after: "path: ", in: body).first ?? "\(folder)/\(name)"
                let list = body.firstRange(of: "dependencies: [").map {
                    body[$0.upperBound...].prefixInside("[", "]")
                }
                let packages = Set(strings(after: "package: ", in: list ?? ""))
                return Arrow(
                    name: name, folder: root + path,
                    dependencies: strings(after: "", in: list ?? "").filter {
                        !packages.contains($0)
                    })
            }
        }
    }

    /// Imports of what is not a dependency.
    func undeclared(in files: [SourceFile]) -> [Finding] {
        files.filter { $0.path.hasPrefix(folder + "/") }.flatMap { file in
            file.findings(in: file.code) { line in
                guard let module = Self.imported(by: line), !Self.system.contains(module),
                    !dependencies.contains(where: { Self.module($0) == module })
                else { return nil }
                return "\(name) imports \(module), but Package.swift has no such arrow"
            }
        }
    }

    /// Dependencies that no file imports. Tests may depend on programs that they run, and C imports nothing.
    func unused(in files: [SourceFile]) -> [String] {
        let files = files.filter { $0.path.hasPrefix(folder + "/") }
        guard !files.isEmpty, !folder.contains("Tests/") else { return [] }
        let imported = Set(files.flatMap { $0.code.compactMap(Self.imported) })
        return dependencies.filter { !imported.contains(Self.module($0)[...]) }
    }

    private static func module(_ product: String) -> String {
        String(product.map { $0 == "-" ? "_" : $0 })
    }

    /// The module that a line imports, whatever stands around it.
    private static func imported(by line: Substring) -> Substring? {
        guard line.contains("import ") else { return nil }
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at < words.count - 1 else { return nil }
        let modifiers: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
        guard words[..<at].allSatisfy({ $0.hasPrefix("@") || modifiers.contains($0) }) else {
            return nil
        }
        // `import struct Module.Name` has a word more.
        return words.last?.split(separator: ".").first
    }

    /// The string literals that stand directly behind `key`.
    private static func strings(after key: String, in text: Substring) -> [String] {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 && parts[$0 - 1].hasSuffix(key) }.map {
            String(parts[$0])
        }
    }
}

extension Substring {
    /// Up to the bracket that closes what was opened before.
    fileprivate func prefixInside(_ open: Character, _ close: Character) -> Substring {
        var depth = 1
        return prefix { character in
            if character == open { depth += 1 }
            if character == close { depth -= 1 }
            return depth > 0
        }
    }
}
