// PeerToPeerStrategy.swift — nobody leads: work goes from hand to hand, or to the best bid.

public import NocturneCore

/// Nobody leads: work goes from hand to hand, or to the best bid.
///
/// In mode `handOff` one agent at a time has the whole goal. It answers that it is done, or names in
/// ``WorkAnswer/handOff`` who goes on; that one is given all that was made of it so far. Two agents that hand it to
/// each other again and again, or too many hands, are a stall. In mode `market` every part is announced to all who
/// have what is required (works of kind `bid`, answered by a cost, `{"cost", "confidence"}` or `{"decline": true}`);
/// the best bid has it, by capability, confidence, cost and load. If nobody bids it is announced once more, to all who
/// take work; if whoever has it fails, the next best bid has it.
///
/// Parts: each element of the goal's `items`; with `decompose`, each subtask of the plan, when those it comes after are
/// done; else the whole goal.
///
/// Parameters, all optional: `mode`, `handOff` if not said; `first`, the agent that begins; `pingPong`, how often two
/// may hand it to each other, 3; `handOffs`, 100; `biddingTime`, milliseconds that bids may take, 10,000.
///
/// The value: of the whole goal what the last one made of it; of items an array; of a plan an object.
public struct PeerToPeerStrategy: Strategy {
    /// `peerToPeer`
    public static let name = "peerToPeer"

    private enum Mode: String, CaseIterable { case handOff, market }

    private static let usualBiddingTime = Duration.seconds(10)

    private var parts: StrategyParts

    /// Reads its parameters.
    public init(parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        try fields.only("mode", "first", "pingPong", "handOffs", "biddingTime")
        var limits = Baton.Limits()
        limits.first = try fields.agent("first")
        limits.pingPong = try fields.count(ifAny: "pingPong") ?? limits.pingPong
        limits.handOffs = try fields.count(ifAny: "handOffs") ?? limits.handOffs
        guard limits.pingPong > 0 else {
            throw fields.malformed("pingPong", expected: "an integer of at least 1")
        }
        let biddingTime = try fields.duration("biddingTime") ?? Self.usualBiddingTime
        let mode = try fields.choice("mode", Mode.handOff)
        parts = StrategyParts { [limits] brief in
            switch mode {
            case .handOff: Baton(brief, limits)
            case .market: ContractNet(brief, biddingTime: biddingTime)
            }
        }
    }

    /// Takes in what happened.
    public mutating func step(_ input: StrategyInput) -> [StrategyCommand] { parts.step(input) }
}
