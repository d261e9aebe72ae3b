// BallotJSON.swift — ballots as agents write them, by the names of the options. Next: ConsensusStrategy.swift.

internal import NocturneCore

extension Ballot {
    /// Reads `{"choice": "p1"}`, `{"approve": ["p1", "p2"]}`, `{"rank": ["p2", "p1"]}`, `{"scores": {"p1": 7}}`,
    /// `{"none": true}` or `{"abstain": true}`, each with `confidence`, `reason` and `veto: {"option", "reason"}` if
    /// the agent likes. A text alone is a choice.
    init(json: JSONValue, from voter: AgentID, on options: [String]) throws(BallotError) {
        if let choice = json.string {
            self.init(voter, .choice(try Self.place(of: choice, in: options, voter)))
            return
        }
        var veto: BallotVeto?
        if let object = json["veto"], !object.isNull {
            guard let option = object["option"]?.string, let reason = object["reason"]?.string
            else { throw .invalidVeto(voter, "it is an object with `option` and `reason`") }
            veto = BallotVeto(try Self.place(of: option, in: options, voter), reason: reason)
        }
        self.init(
            voter, try Self.mark(json, from: voter, on: options),
            confidence: json["confidence"]?.double, rationale: json["reason"]?.string, veto: veto)
    }

    private static func mark(
        _ json: JSONValue, from voter: AgentID, on options: [String]
    ) throws(BallotError) -> BallotMark {
        if json["abstain"]?.bool == true { return .abstention }
        if json["none"]?.bool == true { return .noneOfThem }
        if let choice = json["choice"]?.string {
            return .choice(try place(of: choice, in: options, voter))
        }
        if let approved = json["approve"] {
            let places = try self.places(of: approved, in: options, voter)
            return places.isEmpty ? .noneOfThem : .approval(places.sorted())
        }
        if let ranked = json["rank"] {
            return .ranking(try places(of: ranked, in: options, voter))
        }
        if let scores = json["scores"]?.object {
            var points = Array(repeating: 0, count: options.count)
            for (name, value) in scores {
                let place = try place(of: name, in: options, voter)
                guard let value = value.int, let small = Int(exactly: value) else {
                    throw .wrongForm(voter, "the points of \(name) are no integer")
                }
                points[place] = small
            }
            return .scores(points)
        }
        throw .wrongForm(
            voter, "it has none of `choice`, `approve`, `rank`, `scores`, `none` and `abstain`")
    }

    private static func places(
        of names: JSONValue, in options: [String], _ voter: AgentID
    ) throws(BallotError) -> [Int] {
        guard let names = names.array else { throw .wrongForm(voter, "it has no list of options") }
        var places: [Int] = []
        for name in names {
            guard let name = name.string else { throw .wrongForm(voter, "an option is no text") }
            places.append(try place(of: name, in: options, voter))
        }
        return places
    }

    private static func place(
        of name: String, in options: [String], _ voter: AgentID
    ) throws(BallotError) -> Int {
        guard let place = options.firstIndex(of: name) else {
            throw .unknownOption(voter, "\"\(name.prefix(80))\"")
        }
        return place
    }
}

extension BallotForm {
    /// What a ballot of this form looks like, for whoever has to write one.
    var example: JSONValue {
        switch self {
        case .choice: ["choice": "p1"]
        case .approval: ["approve": ["p1", "p2"]]
        case .ranking: ["rank": ["p2", "p1"]]
        case .scores: ["scores": ["p1": 7, "p2": 0]]
        }
    }
}
