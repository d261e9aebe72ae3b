// NocturnePlugins.swift — the command line: its subcommands, and how every failure ends. One file
// for each subcommand.

internal import ArgumentParser
internal import Glibc
internal import Nocturne

@main
struct NocturnePlugins: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nocturne-plugins",
        abstract: "Runs a Nocturne plugin host, and controls one that runs.",
        discussion: """
            Exit codes: 0 done, 64 usage, 65 bad data, 69 host not running, 70 internal, \
            75 try again, 77 denied.
            With --json a failure is one object on standard error: \
            {"error": {"code", "message", "plugin", "retryable", "exitStatus"}}.
            """,
        version: HostVersion.string,
        groupedSubcommands: [
            CommandGroup(name: "Host", subcommands: [Run.self, Doctor.self]),
            CommandGroup(
                name: "Plugins",
                subcommands: [
                    List.self, Info.self, Load.self, Unload.self, Enable.self, Disable.self,
                    Reload.self, Rollback.self, Configure.self, Graph.self, Inspect.self,
                    Resolve.self,
                ]),
            CommandGroup(
                name: "Use",
                subcommands: [
                    Call.self, Command.self, Tools.self, Commands.self, Tasks.self, Sessions.self,
                    Metrics.self, Logs.self, Events.self,
                ]),
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as any ReportableError {
            Failure.end(with: error)
        } catch {
            Failure.end(withUsage: error)
        }
    }
}

/// How a command fails: what is said on standard error, and the exit code.
enum Failure {
    /// Known before the arguments are parsed, because parsing may be what fails.
    private static var isJSON: Bool {
        CommandLine.arguments.prefix { $0 != "--" }.contains("--json")
    }

    static func end(with error: any ReportableError) -> Never {
        Terminal.complain(
            isJSON
                ? "\(errorDocument(error))"
                : "nocturne-plugins: \(Printable.block(error.description))")
        exit(error.exitStatus)
    }

    /// `error` is the argument parser's: a mistake in usage, or a request for help, which is none.
    static func end(withUsage error: any Error) -> Never {
        let status = NocturnePlugins.exitCode(for: error).rawValue
        guard status != 0, isJSON, !(error is ExitCode) else {
            NocturnePlugins.exit(withError: error)
        }
        let text = NocturnePlugins.message(for: error)
        Terminal.complain("\(errorDocument(UsageError(description: text, exitStatus: status)))")
        exit(status)
    }
}

/// A mistake in usage, in the shape of all other errors.
struct UsageError: ReportableError {
    let description: String
    var exitStatus: Int32 = 64
    var code: String { "usage" }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
}
