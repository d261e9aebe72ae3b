// DocumentTests.swift — that what the documents show is so: links lead somewhere, commands exist, code compiles.

import Glibc
import Testing

extension Tidiness {
    @Test func `links lead to files that are there`() {
        expect(
            Repository.documents,
            keep: { file in
                file.findings(in: file.lines) { line in
                    line.ranges(of: "](").map {
                        line[$0.upperBound...].prefix { $0 != ")" && $0 != "#" }
                    }
                    .first { !$0.isEmpty && !$0.contains("://") && !Self.leads($0, from: file) }
                    .map { "\($0) is not there" }
                }
            },
            seeded: SourceFile("a.md", "[a](README.md#x), [b](#y)\n[c](nowhere.md)\n"), at: 2)
    }

    @Test func `paths of this checkout are there`() {
        expect(
            Repository.documents,
            keep: { file in
                file.findings(in: file.lines) { line in
                    Self.words(of: line).first {
                        Self.isOurs($0, in: file) && !Repository.exists("\($0)")
                    }
                    .map { "there is no \($0)" }
                }
            },
            seeded: SourceFile("a.md", "`Scripts/test`.\n```\n$ Scripts/nothing --fast\n```\n"),
            at: 3)
    }

    @Test func `commands of nocturne-plugins are there`() {
        expect(
            Repository.documents,
            keep: { file in
                file.findings(in: file.lines) { line in
                    line.ranges(of: "nocturne-plugins ").map {
                        line[$0.upperBound...].prefix(while: \.isLetter)
                    }
                    .first { !Self.isCommand($0) }
                    .map { "nocturne-plugins has no command \($0)" }
                }
            },
            seeded: SourceFile(
                "a.md",
                "$ nocturne-plugins list\n$ nocturne-plugins lst\n`nocturne-plugins --help`\n"),
            at: 2)
    }

    @Test func `ARCHITECTURE names every target, and only types that are there`() throws {
        let file = try Repository.file("ARCHITECTURE.md")
        for folder in Set(Repository.files.filter { $0.path.hasPrefix("Sources/") }.map(\.folder)) {
            let target = folder.dropFirst("Sources/".count)
            #expect(file.text.contains("`\(target)`"), "ARCHITECTURE.md does not name \(target)")
        }
        let words = Set(Repository.code.flatMap { $0.code.flatMap(Self.identifiers) })
        expect(
            [file],
            keep: { file in
                file.findings(in: file.lines) { line in
                    Self.quotedTypes(in: line).first { name in
                        !words.contains(name) && !Repository.exists("\(name)")
                    }.map { "there is no \($0)" }
                }
            },
            seeded: SourceFile("a.md", "A `SourceFile`\nis `SourceFiles.nothing` else\n"), at: 2)
    }

    @Test func `README is a card, its plugin the sample echo`() throws {
        let readme = try Repository.file("README.md")
        #expect(readme.lines.count <= 170)
        #expect(!readme.text.contains("!["), "no badges, no logo")
        let echo = try Repository.file("SamplePlugins/echo/echo.c")
        #expect(Self.blocks("c", in: readme) == [echo.text])
    }

    @Test func `README's Swift programs are those that a test compiles and runs`() throws {
        let programs = try ["EmbeddingExample", "TasksExample", "MetricsExample"].map { name in
            let example = try Repository.file("Tests/EndToEndTests/\(name).swift")
            return example.lines.drop { $0.isEmpty || $0.hasPrefix("//") }.map { "\($0)\n" }
                .joined()
        }
        #expect(Self.blocks("swift", in: try Repository.file("README.md")) == programs)
    }

    @Test(arguments: ["cc -std=c11", "c++ -x c++ -std=c++17"])
    func `the documents' plugins compile without a warning`(compiler: String) throws {
        let program = compiler.prefix { $0 != " " }
        guard system("command -v \(program) > /dev/null") == 0 else { return }
        let blocks = Repository.documents.flatMap { Self.blocks("c", in: $0) }
        let plugins = blocks.filter { $0.contains("NOCTURNE_MANIFEST") }
        #expect(plugins.count >= 2, "README and the SDK's show one each")
        let flags =
            "-Wall -Wextra -Werror -fsyntax-only -I '\(Repository.root)/PluginSDK/C/include'"
        for plugin in plugins {
            let pipe = try #require(
                popen("\(compiler) \(flags) -xc\(program == "cc" ? "" : "++") -", "we"))
            fputs(plugin, pipe)
            #expect(pclose(pipe) == 0, "\(plugin)")
        }
    }

    // MARK: - Parts of documents

    /// The fenced blocks of a language, without the fences.
    private static func blocks(_ language: String, in file: SourceFile) -> [String] {
        var found: [String] = []
        var block: String?
        for line in file.lines {
            if let open = block {
                if line == "```" { found.append(open) }
                block = line == "```" ? nil : open + line + "\n"
            } else if line == "```\(language)" {
                block = ""
            }
        }
        return found
    }

    /// What looks like the name of a type between backquotes.
    private static func quotedTypes(in line: Substring) -> [Substring] {
        let parts = line.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.flatMap { identifiers(parts[$0]) }.filter {
            $0.first?.isUppercase == true && $0.contains(where: \.isLowercase)
        }
    }

    private static func leads(_ link: Substring, from file: SourceFile) -> Bool {
        let folder = file.path.split(separator: "/").dropLast().map { "\($0)/" }.joined()
        return Repository.exists(folder + link)
    }

    private static func words(of line: Substring) -> [Substring] {
        line.split { " `(),;:|\"'".contains($0) }.map { word in
            word.last == "." ? word.dropLast() : word
        }
    }

    /// Whether a word is a path from the top of the checkout, without places to fill in.
    private static func isOurs(_ word: Substring, in file: SourceFile) -> Bool {
        var tops = [".ci/", "Benchmarks/", "PluginSDK/", "SamplePlugins/", "Scripts/", "Tests/"]
        // Elsewhere these are the sources of a reader's own plugin.
        if file.folder.isEmpty { tops.append("Sources/") }
        return tops.contains(where: word.hasPrefix) && !word.contains { "<>*{}$…".contains($0) }
    }

    /// Every subcommand is a file of its own. Behind a space may also stand an option or a line's end.
    private static func isCommand(_ word: Substring) -> Bool {
        guard let first = word.first else { return true }
        let name = first.uppercased() + word.dropFirst()
        return Repository.exists("Sources/nocturne-plugins/\(name).swift")
    }

    private static func identifiers(_ text: Substring) -> [Substring] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    }
}
