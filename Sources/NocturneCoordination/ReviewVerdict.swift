// ReviewVerdict.swift — what a reviewer says of a result. Next: HierarchicalStrategy.swift.

public import NocturneCore

/// What a reviewer says of a result: `{"verdict": "accept" | "revise" | "reject", "comment"}`.
public enum ReviewVerdict: Sendable, Hashable {
    /// It is good.
    case accept
    /// Whoever did it shall do it better, and how.
    case revise(String)
    /// Somebody else shall do it, and why.
    case reject(String)

    /// As an answer to a work of kind ``WorkKind/review``.
    public var json: JSONValue {
        switch self {
        case .accept: ["verdict": "accept"]
        case .revise(let comment): ["verdict": "revise", "comment": .string(comment)]
        case .reject(let comment): ["verdict": "reject", "comment": .string(comment)]
        }
    }

    /// Reads an answer; `nil` if it is no verdict.
    public init?(json: JSONValue) {
        let comment = json["comment"]?.string ?? ""
        switch json["verdict"]?.string {
        case "accept": self = .accept
        case "revise": self = .revise(comment)
        case "reject": self = .reject(comment)
        default: return nil
        }
    }
}
