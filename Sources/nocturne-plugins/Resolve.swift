// Resolve.swift — `resolve`: which plugins of a directory a host would load, and why not the rest.

internal import ArgumentParser
internal import Nocturne

struct Resolve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Show which plugins of a directory go together, in which order, and why not the rest.",
        discussion: """
            Reads the plugins (*.so) and bare manifests (*.json) in a directory. Runs and changes nothing, and needs \
            no host. Permissions count as denied.
            Exits with 65 if a file is invalid; the rest is shown all the same.
            With --json: {"chosen": [{"id", "version", "file"}], "rejected": [{"id", "version", "file", "reason"}], \
            "order": [id, dependencies first]}, and beside it "layers", "leftOut", "invalid" and "notes".
            """)

    @Argument(help: "The directory.")
    var directory: String

    @Option(
        help: ArgumentHelp(
            "The host's version (default: \(HostVersion.string), as this program).",
            valueName: "version"),
        transform: { text in
            do throws(SemanticVersionError) {
                return try SemanticVersion(text)
            } catch {
                throw ValidationError("\(error)")
            }
        })
    var hostVersion: SemanticVersion?

    @Option(
        help: ArgumentHelp(
            "The host's machine: \(Self.architectures) (default: as this one).", valueName: "arch"),
        transform: { text in
            guard let architecture = Manifest.Architecture(rawValue: text) else {
                throw ValidationError("expected \(Self.architectures)")
            }
            return architecture
        })
    var arch: Manifest.Architecture?

    @Flag(help: "Print JSON, with stable names.")
    var json = false

    private static let architectures =
        Manifest.Architecture.allCases.map(\.rawValue).joined(separator: " or ")

    func run() throws {
        let found = try DirectoryResolution.resolve(
            directory, hostVersion: hostVersion, architecture: arch)
        if json {
            Terminal.say(json: found.json.serialized())
        } else {
            Terminal.say(Printable.block(found.text))
        }
        if found.hasInvalidFiles { throw ExitCode(65) }
    }
}
