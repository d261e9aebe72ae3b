// MetricsExport.swift — `metrics export`: all metrics in a format, to standard output or a file.

internal import ArgumentParser
internal import Glibc
internal import Nocturne

struct MetricsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print all metrics in a format.")

    @Option(
        help: ArgumentHelp(
            ExportFormat.allCases.map(\.name).joined(separator: ", ")
                + ", or the name of a plugin's exporter (default: prometheus; json with --json).",
            valueName: "name"))
    var format: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write them to this file, which is never there in part.", valueName: "file"))
    var output: String?

    @OptionGroup var host: HostOptions

    func run() throws {
        let name = format ?? (host.json ? ExportFormat.json : .prometheus).name
        let bytes = try host.send("GET", "/v1/exports/\(PercentEncoding.encode(name))")
        if let output { try Self.write(bytes, to: output) } else { Terminal.say(export: bytes) }
    }

    /// Beside the file first, then over it.
    private static func write(_ bytes: [UInt8], to path: String) throws {
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Unwritable(path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        var isWritten = true
        while isWritten, !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { rest = rest.dropFirst(count) } else { isWritten = errno == EINTR }
        }
        // As a shell's redirection would make it.
        let mask = umask(0)
        umask(mask)
        guard isWritten, fchmod(descriptor, 0o666 & ~mask) == 0, rename(template, path) == 0 else {
            let error = Unwritable(path)
            unlink(template)
            throw error
        }
    }
}

/// A file that cannot be written.
private struct Unwritable: ReportableError {
    let description: String
    var code: String { "unwritable" }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 70 }

    init(_ path: String) {
        description =
            "\(Printable.line(path)) cannot be written: \(String(cString: strerror(errno)))"
    }
}
