// Doctor.swift — `doctor`: which layers of the sandbox this machine really gives.

internal import ArgumentParser
internal import Nocturne

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try which layers of the sandbox this machine gives. Needs no host.")

    @Flag(help: "Print JSON, with stable names.")
    var json = false

    func run() async throws {
        let report = await DoctorReport.probe(workerPath: nil)
        if json {
            Terminal.say(json: report.json.serialized())
        } else {
            var table = Table("LAYER", "STATE", "DETAIL", "ADVICE")
            for row in report.rows {
                table.add(
                    .init(row.layer), .init(row.state.rawValue, color: Self.color(row.state)),
                    .init(row.detail), .init(row.advice ?? ""))
            }
            for line in table.lines() { Terminal.say(line) }
            Terminal.say(Printable.block(report.verdict))
        }
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }

    private static func color(_ state: DoctorReport.Row.State) -> Table.Color {
        switch state {
        case .ok: .green
        case .warning: .yellow
        case .missing: .red
        }
    }
}
