// StartError.swift — why a worker never came to serve.

import NocturneCore

/// Why a plugin's worker did not start. The text says what to do.
enum StartError: Error, Sendable, Hashable, CustomStringConvertible {
    case system(SystemError)
    /// The zygote for this runtime cannot start workers.
    case zygote(String)
    /// This host has no Swift runtime of the version that the plugin was built with.
    case runtime(wanted: String, found: [String])
    /// A mandatory layer of the sandbox is missing, or the self-test got through it.
    case sandbox(String)
    /// dlopen failed, or its constructors did.
    case load(String)
    /// The entry function refused, or returned a wrong table.
    case entry(String)
    /// Handlers are missing, or a table is incomplete.
    case contract(String)
    /// The loaded code states another `field` (`id`, `version`) than the manifest of its file.
    case identity(file: String, field: String, manifest: String, code: String)
    /// `activate` returned an error.
    case activate(message: String)
    /// The health check said no.
    case unhealthy(message: String)
    /// `restore` said that it cannot take over the state.
    case state(message: String)
    /// A step was not done in time; the process was killed.
    case tooSlow(step: String, milliseconds: Int)
    /// The process ended during a step.
    case ended(step: String, WorkerEnd)
    /// It served, but another plugin of the same change did not come to.
    case rolledBack(String)

    /// Characters of an id or a version that are shown: all that they may have, or the difference might be cut off.
    private static let shownLimit = SemanticVersion.maximumLength

    var code: String {
        switch self {
        case .system: "system"
        case .zygote: "zygote"
        case .runtime: "runtime"
        case .sandbox: "sandbox"
        case .load: "load"
        case .entry: "entry"
        case .contract: "contract"
        case .identity: "identity"
        case .activate: "activate"
        case .unhealthy: "unhealthy"
        case .state: "state"
        case .tooSlow: "tooSlow"
        case .ended: "crashed"
        case .rolledBack: "rolledBack"
        }
    }

    var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .zygote(let why):
            "no worker can be started: \(why); `doctor` says what this machine lacks"
        case .runtime(let wanted, let found):
            "it was built for runtime \(wanted), this host has "
                + (found.isEmpty ? "no Swift runtime" : found.joined(separator: ", "))
                + "; rebuild it with that version, or link it with -static-stdlib and declare runtime c"
        case .sandbox(let why): "it was not loaded, because the sandbox is incomplete: \(why)"
        case .load(let why): "it could not be loaded: \(why)"
        case .entry(let why): "nocturne_plugin_entry failed: \(why)"
        case .contract(let why): "it breaks the contract: \(why)"
        case .identity(let file, let field, let manifest, let code):
            "the manifest and the code of \(file) disagree about `\(field)`: the manifest says "
                + "\(quoted(manifest, limit: Self.shownLimit)), the code \(quoted(code, limit: Self.shownLimit)); "
                + "rebuild it with both from one source"
        case .activate(let message): "activate failed: \(message)"
        case .unhealthy(let message): "its health check failed: \(message)"
        case .state(let message): "it could not take over the state: \(message)"
        case .tooSlow(let step, let milliseconds):
            "\(step) was not done within \(milliseconds) ms, so its process was killed"
        case .ended(let step, let end): "its process \(end), during \(step)"
        case .rolledBack(let why): why
        }
    }
}
