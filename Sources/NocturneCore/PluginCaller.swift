// PluginCaller.swift — how an engine has work done by plugins, without knowing the host that runs them: it takes a
// place, then uses it. Next: NocturneHost/EnginePlace.swift.

/// Lends the places in which plugins can do an engine's work.
///
/// A plugin does as many things at once as its `limits.concurrency` says. Calls of tools wait in a queue for a place;
/// an engine takes one first and starts its work when it has it.
package protocol PluginCaller: Sendable {
    /// A place, if one is free right now.
    func takePlace(in plugin: PluginID) -> (any PluginPlace)?

    /// Waits in the line of all who call the plugin, also until it serves again. `nil`: there is no such plugin, or the
    /// caller's Swift task was cancelled.
    func waitForPlace(in plugin: PluginID) async -> (any PluginPlace)?
}

/// A place in a plugin: used once, or given back.
package protocol PluginPlace: AnyObject, Sendable {
    /// Runs a task, and gives the place back at its end. Cancelling the Swift task asks the plugin to stop; if it has
    /// not after ``PluginTask/stopGrace``, its process is killed.
    func run(_ task: PluginTask) async -> PluginTaskEnd

    /// Runs any other work of an engine, and gives the place back at its end. Cancelling the Swift task asks the plugin
    /// to stop, as above.
    func call(_ call: PluginEngineCall) async -> PluginEngineCallEnd

    /// Asks the task that runs here to pause, or takes that back. May come before ``run(_:)``.
    func setPauseRequested(_ isRequested: Bool)

    /// The place is not needed.
    func giveBack()
}

/// A task that a plugin is to run.
package struct PluginTask: Sendable {
    /// As the plugin's manifest has it.
    package let name: String
    /// JSON text.
    package let input: String
    /// What the plugin is told of it.
    package let info: JSONObject
    /// Then its process is killed; `nil`: it takes as long as it takes.
    package let timeLeft: Duration?
    /// How long it may take to stop after it was asked to.
    package let stopGrace: Duration
    /// Hears what the plugin says.
    package let listener: any PluginTaskListener

    package init(
        name: String, input: String, info: JSONObject, timeLeft: Duration?, stopGrace: Duration,
        listener: any PluginTaskListener
    ) {
        (self.name, self.input, self.info) = (name, input, info)
        (self.timeLeft, self.stopGrace, self.listener) = (timeLeft, stopGrace, listener)
    }
}

/// Hears what a plugin says of a task that it runs. It must bound what it keeps: the plugin does not.
package protocol PluginTaskListener: Sendable {
    func updateProgress(_ percent: Double, _ message: String?)
    func log(_ line: String)
    func save(_ checkpoint: JSONValue) async -> CheckpointReply
}

/// What became of a checkpoint.
package enum CheckpointReply: Sendable, Hashable {
    case saved
    case tooLarge
    /// Somebody else runs the task by now.
    case claimLost
    case failed
}

/// How a task in a plugin ended.
package enum PluginTaskEnd: Sendable, Hashable {
    /// With its result, as JSON text.
    case completed(String)
    /// `wait`: how long until it is worth another try; `nil`: the plugin does not say.
    case failed(String, isRetryable: Bool, wait: Duration? = nil)
    /// Its input is none for it, so it did not begin or gave up.
    case invalidInput(String)
    /// It stopped because its Swift task was cancelled, by itself or killed.
    case cancelled
    /// It was asked to pause, and did; or it did of its own accord.
    case paused
    /// It wants to be called again later.
    case snoozed(Duration)
    /// The time was up and its process was killed, as this sentence says.
    case timedOut(String)
    /// Its process ended, as this sentence says, and it may be the reason.
    case crashed(String)
    /// It could not go on here, for a reason that is not its own, as this sentence says: it should be started anew.
    case withdrawn(String)
}

/// Work of an engine's that is no task: bytes in, bytes out.
package struct PluginEngineCall: Sendable {
    /// What is called.
    package enum Kind: Sendable, Hashable {
        case exporter, strategy, agent
    }
    package let kind: Kind
    /// As the plugin's manifest has it.
    package let name: String
    /// At most 16 MiB.
    package let input: [UInt8]
    /// Then its process is killed.
    package let timeLeft: Duration
    /// How long it may take to stop after it was asked to.
    package let stopGrace: Duration
    /// Hears what an agent says meanwhile, at most 4,096 bytes at once, in order, before the call's end. It must bound
    /// what it keeps: the plugin does not.
    package let hear: (@Sendable ([UInt8]) -> Void)?

    package init(
        kind: Kind, name: String, input: [UInt8], timeLeft: Duration, stopGrace: Duration,
        hear: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        (self.kind, self.name, self.input) = (kind, name, input)
        (self.timeLeft, self.stopGrace, self.hear) = (timeLeft, stopGrace, hear)
    }
}

/// How work of an engine's ended. Sentences name the plugin.
package enum PluginEngineCallEnd: Sendable, Hashable {
    case completed([UInt8])
    /// Its input is none for it.
    case invalidInput(String)
    case failed(String, isRetryable: Bool)
    /// It stopped because its Swift task was cancelled, by itself or killed.
    case cancelled
    /// The time was up and its process was killed.
    case timedOut(String)
    /// Its process ended, and this call may be the reason.
    case crashed(String)
    /// It could not go on here, for a reason that is not its own: worth another try.
    case withdrawn(String)
}
