// ManifestError.swift — why a manifest was refused: which field, what was found, what is allowed.
// Next: ManifestField.swift.

/// Why a manifest was refused.
public enum ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The manifest is larger than it may be; nothing of it was read.
    case tooLarge(bytes: Int, limit: Int)
    /// It is not JSON, or an object has a key twice.
    case notJSON(JSONError)
    /// A required field is absent.
    case missing(field: String, allowed: String)
    /// A field nobody knows. Keys that begin with `x-` are the author's own.
    case unknown(field: String, allowed: [String])
    /// The field holds another type of JSON.
    case wrongType(field: String, found: String, allowed: String)
    /// The type is right, the value is not.
    case invalid(field: String, found: String, allowed: String)
    /// `field` says again what `first` has said.
    case duplicate(field: String, first: String, found: String)

    /// The path of the field, such as `contributes.tools[2].name`; `nil` if the whole is wrong.
    public var field: String? {
        switch self {
        case .tooLarge, .notJSON: nil
        case .missing(let field, _), .unknown(let field, _), .wrongType(let field, _, _),
            .invalid(let field, _, _), .duplicate(let field, _, _):
            field
        }
    }

    /// Which field, what was found and what is allowed.
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let limit):
            "manifest of \(bytes) bytes: at most \(limit) are allowed"
        case .notJSON(let error):
            "manifest: \(error)"
        case .missing(let field, let allowed):
            "manifest: \(field) is missing: expected \(allowed)"
        case .unknown(let field, let allowed):
            "manifest: \(field) is unknown: allowed here are \(allowed.joined(separator: ", ")), "
                + "and keys of your own that begin with \"x-\""
        case .wrongType(let field, let found, let allowed):
            "manifest: \(field): found \(found), expected \(allowed)"
        case .invalid(let field, let found, let allowed):
            "manifest: \(field): found \(found), allowed is \(allowed)"
        case .duplicate(let field, let first, let found):
            "manifest: \(field): found \(found), which \(first) is already"
        }
    }
}
