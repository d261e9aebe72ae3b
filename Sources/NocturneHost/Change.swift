// Change.swift — what several supervisors share while they carry out one change: all of it holds, or none
// (DESIGN §7, *Reload*). Next: PluginManager+Changes.swift.

import NocturneCore

/// One plugin's part in a change of several.
///
/// A supervisor that has switched to its new generation says so and keeps the old one until all the others have
/// switched, or one has failed.
final class ChangeStep: Sendable {
    /// How the switch ended: `nil`, or why it was given up.
    let switched = Promise<Refusal?>()
    /// For all steps of a change: `nil` if it holds, or why all go back.
    private let verdict: Promise<Refusal?>

    init(verdict: Promise<Refusal?>) { self.verdict = verdict }

    /// Says that the new generation serves, and waits for the others. Returns why it must go back. How long that
    /// takes is bounded by the limits of the others' starts.
    func agreement() async -> Refusal? {
        switched.fulfill(nil)
        return await verdict.value
    }
}

/// A change that is being carried out.
struct RunningChange: Sendable {
    let id: UInt64
    let members: Set<PluginID>
}
