// ConsensusStrategy.swift — the agents propose, each without seeing the others' proposals, and vote. Next:
// PeerToPeerStrategy.swift.

public import NocturneCore

/// The agents propose, each without seeing the others' proposals, and vote in secret.
///
/// Every agent that takes work and has what the goal requires makes a proposal (a work of kind `draft`), unless the
/// goal's payload has `options`; equal proposals become one; all agents but observers cast a ballot (kind `vote`). A
/// vote ends as soon as nothing can change any more. Without a decision there is a revision: drafts and ballots again,
/// with what the last vote came to. Research has it that more talking before a vote makes it worse
/// (https://arxiv.org/abs/2502.19130), so there is one revision if nothing is said. Each subtask (with
/// `decompose`) and each element of the goal's `items` is a question of its own, asked when those it comes after are
/// decided.
///
/// Parameters, all optional:
/// - `rule`: `plurality` if not said, `simpleMajority`, `absoluteMajority`, `supermajority` (of `share`, 2/3),
///   `unanimity` (with `abstentions`, true), `weighted` (plurality by `weights`), `approval`, `borda`, `schulze`,
///   `score` (of `points`, 10).
/// - `quorum`: how many must take part, a number or a share; `"1/2"` if not said.
/// - `ties`: what breaks a tie, in order: `leader`, `confidence`, `earlier`, `revote`, `hash`; if not said, the first
///   three.
/// - `vetoers`: agents that may forbid a proposal with a reason; `vetoOverride`: the share that wins nevertheless.
/// - `voters`: who votes, if not all; `weights`: what the votes of some count for.
/// - `revisions`: 1 if not said. `time`: milliseconds for each round of drafts or ballots; a vote without its quorum is
///   given as much again, once. Without it, a round ends when all works have.
///
/// The value: `{"decision", "agreement", "standings", "round", "result", …}`, or that of each part. A veto makes it
/// `rejected`, too few votes `failed(noQuorum)`, and no decision `failed(noDecision)`.
public struct ConsensusStrategy: Strategy {
    /// `consensus`
    public static let name = "consensus"

    private var parts: StrategyParts

    /// Reads its parameters.
    public init(parameters: JSONValue) throws(CoordinationError) {
        let parameters = try ConsensusParameters(parameters)
        parts = StrategyParts { ConsensusDecision($0, parameters) }
    }

    /// Takes in what happened.
    public mutating func step(_ input: StrategyInput) -> [StrategyCommand] { parts.step(input) }
}
