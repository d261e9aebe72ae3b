// main.swift — writes the Swift file that puts manifest.json into a plugin and lets the host enter it.
// Run by the build plugin EmbedManifest: nocturne-embed-manifest MANIFEST SWIFTC OUTPUT.
// Next: EmbeddedManifest.swift.

internal import Glibc

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    fail("usage: nocturne-embed-manifest MANIFEST SWIFTC OUTPUT")
}
do {
    let manifest = try EmbeddedManifest(reading: arguments[1]) {
        try compilerVersion(of: arguments[2])
    }
    try writeFile(arguments[3], manifest.swiftSource)
} catch {
    fail("\(error)")
}

func fail(_ message: String) -> Never {
    let bytes = Array("\(message)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    exit(1)
}
