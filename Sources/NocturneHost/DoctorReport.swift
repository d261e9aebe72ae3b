// DoctorReport.swift — what this machine lets the sandbox do, found out by doing it: `doctor`.

import Glibc
public import NocturneCore

/// The sandbox's layers as a throw-away worker really got them.
public struct DoctorReport: Sendable {
    /// One layer.
    public struct Row: Sendable, Hashable {
        /// How it stands.
        public enum State: String, Sendable, Hashable {
            /// In force.
            case ok
            /// Missing, and plugins run without it.
            case warning
            /// Missing, and no plugin is loaded without it.
            case missing
        }
        /// The layer's name as `info` shows it, such as `landlock`; `system` for the machine itself.
        public let layer: String
        /// Whether it is in force, and what it means if it is not.
        public let state: State
        /// What it keeps a plugin from, or what was found.
        public let detail: String
        /// What to do about a layer that is not in force; `nil` if nothing can or need be done.
        public let advice: String?
    }

    /// The machine, then every layer in the order of its making, then what is worth a note.
    public let rows: [Row]
    /// Whether plugins can run here, in one sentence.
    public let verdict: String
    /// 0: plugins can run; 69: they cannot.
    public let exitStatus: Int32

    /// `{"rows": [{"layer", "state", "detail", "advice"}], "verdict", "exitStatus"}`
    public var json: JSONValue {
        let rows: [JSONValue] = rows.map { row in
            [
                "layer": .string(row.layer), "state": .string(row.state.rawValue),
                "detail": .string(row.detail), "advice": JSONValue(row.advice),
            ]
        }
        return [
            "rows": .array(rows), "verdict": .string(verdict),
            "exitStatus": JSONValue(Int(exitStatus)),
        ]
    }

    /// Starts a zygote and a worker that loads nothing, and asks them. Takes some 20 ms; leaves nothing behind.
    ///
    /// - Parameter workerPath: path of `nocturne-worker`; `nil`: beside the running executable.
    public static func probe(workerPath: String? = nil) async -> DoctorReport {
        do {
            return report(of: try await SandboxProbe.run(workerPath: workerPath))
        } catch {
            let row = Row(
                layer: "worker", state: .missing, detail: "\(error)",
                advice: "build the host again (`swift build`), or see the reason above")
            return DoctorReport(
                rows: [row], verdict: "no plugin can run: no sandboxed worker could be started",
                exitStatus: 69)
        }
    }

    private static func report(of report: SandboxReport) -> DoctorReport {
        var rows = [systemRow()]
        for layer in SandboxLayers.all {
            let isThere = report.bits & layer.bit != 0
            let isMandatory = SandboxLayers.mandatory & layer.bit != 0
            var detail = isThere ? layer.purpose : "not in force: \(layer.purpose)"
            if layer.name == "landlock" { detail += "; ABI \(report.landlockABI)" }
            if layer.name == "own-uid", isThere { detail += "; uid \(report.uid) for example" }
            rows.append(
                Row(
                    layer: layer.name, state: isThere ? .ok : isMandatory ? .missing : .warning,
                    detail: detail, advice: isThere ? nil : advice[layer.name]))
        }
        for degradation in report.degradations {
            rows.append(Row(layer: "note", state: .warning, detail: degradation, advice: nil))
        }
        for layer in ["user, pid, network and ipc namespaces", "memory and pids cgroup"] {
            rows.append(
                Row(
                    layer: layer, state: .warning,
                    detail:
                        "not set up by this version; Landlock, seccomp and limits stand in",
                    advice: nil))
        }
        let missing = rows.filter { $0.state == .missing }.map(\.layer)
        let verdict =
            missing.isEmpty
            ? "plugins can run: every mandatory layer of the sandbox is in force"
            : "no plugin can run: missing \(missing.joined(separator: ", "))"
        return DoctorReport(rows: rows, verdict: verdict, exitStatus: missing.isEmpty ? 0 : 69)
    }

    private static func systemRow() -> Row {
        var name = utsname()
        uname(&name)
        func text<T>(_ field: inout T) -> String {
            withUnsafeBytes(of: &field) { Zygote.text($0) }
        }
        let detail =
            "\(text(&name.sysname)) \(text(&name.release)) \(text(&name.machine)), uid \(getuid())"
        return Row(layer: "system", state: .ok, detail: detail, advice: nil)
    }

    private static let advice: [String: String] = [
        "landlock":
            "boot a kernel with Landlock: 5.13 or newer, CONFIG_SECURITY_LANDLOCK, `lsm=` with landlock in it",
        "seccomp": "boot a kernel with CONFIG_SECCOMP_FILTER; in a container allow seccomp(2)",
        "own-uid": "run the host as root, and workers get user ids of their own",
        "process-limit": "run the host as root, and threads can be limited per worker",
        "capabilities": "start the host without ambient capabilities",
        "non-root": "the worker could not drop root: is setresuid(2) allowed here?",
    ]
}

/// A worker that is started, asked and ended.
enum SandboxProbe {
    private static let limit = Duration.seconds(10)

    static func run(workerPath: String?) async throws -> SandboxReport {
        let worker = try HostResources.worker(workerPath)
        var template = Array("/tmp/nocturne-doctor-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError(action: "create a temporary directory", errno: errno)
        }
        let directory = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(directory, 0o711)
        // Something to be allowed to read; it is no plugin, so the worker ends after its hello.
        let object = "\(directory)/\(objectName)"
        close(open(object, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444))
        defer {
            unlink(object)
            rmdir(directory)
        }
        let reactor = try Reactor(), io = try Reactor()
        defer {
            reactor.stop()
            io.stop()
        }
        let pool = ZygotePool(
            ZygotePool.Configuration(
                worker: worker, objects: directory, uids: 1_879_108_000..<1_879_108_400),
            reactor: reactor, io: io)
        let result = await report(from: pool)
        await pool.close()
        return try result.get()
    }

    private static let objectName = "probe.so"

    private static func report(from pool: ZygotePool) async -> Result<SandboxReport, StartError> {
        let spec = WorkerSpec(
            plugin: "doctor", version: SemanticVersion(0, 0, 0), file: objectName,
            object: objectName, memoryBytes: 64 << 20, concurrency: 1, threads: 0,
            contributions: [])
        let seen = ReportingServices()
        do throws(StartError) {
            _ = try await pool.probe()
            return try await pool.hello(spec, services: seen, within: limit)
        } catch {
            return .failure(error)
        }
    }

    private final class ReportingServices: WorkerServicing {
        func rung(_ link: WorkerLink) {}
        func output(_ bytes: ArraySlice<UInt8>, stream: String) {}
    }
}
