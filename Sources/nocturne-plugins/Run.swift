// Run.swift — `run`: starts a host in the foreground.

internal import ArgumentParser
internal import Glibc
internal import Nocturne

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a host in the foreground.",
        discussion:
            "SIGTERM or SIGINT ends it in order, a second one at once. SIGHUP looks at the plugins "
            + "directory again.")

    @Option(
        help: ArgumentHelp(
            "The directory to watch for plugins (default: ./plugins).", valueName: "dir"))
    var plugins: String?

    @Option(
        help: ArgumentHelp(
            "The configuration file, JSON: {\"plugins\": {\"pluginsPath\": \"plugins\", "
                + "\"enableHotReload\": true, \"autoEnable\": true}, \"tasks\": {\"maxConcurrent\": 8, "
                + "\"defaultRetries\": 3, \"enablePersistence\": true}} (default: "
                + "\(StandardPaths.current.configurationFile ?? "none"), if it is there).",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("The directory for settings, tasks, objects and logs.", valueName: "dir")
    )
    var state: String?

    @Option(help: ArgumentHelp("Where to listen for commands.", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "Serve /metrics and /healthz over TCP as well, to anybody who can reach the address, "
                + "such as 127.0.0.1:9464.",
            valueName: "addr:port"))
    var metricsHttp: String?

    @Flag(help: "Refuse plugins also when an optional layer of the sandbox is missing.")
    var strict = false

    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func run() async throws {
        var configuration = try DaemonConfiguration(
            file: config, statePath: state, socketPath: socket)
        if let plugins { configuration.plugins.pluginsPath = plugins }
        configuration.metricsAddress = metricsHttp
        if strict { configuration.plugins.isStrict = true }
        let end = try await NocturneDaemon(configuration).run { notice in
            if json {
                Terminal.say("\(notice.json)")
            } else if case .ready = notice {
                Terminal.say(notice.description)
            } else {
                Terminal.complain("nocturne-plugins: \(notice)")
            }
        }
        switch end {
        case .orderly: return
        case .overdue:
            Terminal.complain("nocturne-plugins: plugins did not end in time and are killed")
        case .forced: break
        }
        // Parts of the daemon still run: nothing may wait for them.
        _exit(end.exitStatus)
    }
}
