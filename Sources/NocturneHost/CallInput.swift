// CallInput.swift — the input of a call in both its forms: a value for the schema, text for the worker. Next:
// Router.swift.

import CWire
import NocturneCore

/// The input of a call. Whichever form it came in, the other is made once, however often it is checked.
struct CallInput: Sendable {
    /// What the worker gets.
    let text: [UInt8]
    private let content: Content

    private enum Content {
        case json(JSONValue)
        case invalid(why: String)
    }

    /// The input of a caller within the host.
    init(_ value: JSONValue) {
        text = value.serialized()
        // A value that a program put together may nest deeper than any text that the host would take.
        let limit = JSONParser.Options.maximumDepth
        content =
            value.nests(deeperThan: limit)
            ? .invalid(why: "it nests deeper than \(limit) levels") : .json(value)
    }

    /// The input of a plugin that calls another.
    init(text: [UInt8]) {
        self.text = text
        do throws(JSONError) {
            content = .json(try JSONParser.parse(text))
        } catch {
            content = .invalid(why: "it is not JSON: \(error)")
        }
    }

    /// Throws if it is no input for `contribution` of plugin `id`.
    func check(for contribution: Contribution, of id: PluginID) throws(CallError) {
        guard text.count <= Self.limit else {
            throw .tooLarge(
                id, what: "the input of \(contribution.name)", bytes: text.count, limit: Self.limit)
        }
        switch content {
        case .invalid(let why): throw .invalidInput(id, name: contribution.name, why: why)
        case .json(let value):
            do throws(JSONSchemaViolation) {
                try contribution.input?.validate(value)
            } catch {
                throw .invalidInput(id, name: contribution.name, why: "\(error)")
            }
        }
    }

    /// Bytes of the text. The wire's limit for one payload.
    private static let limit = Int(WIRE_PAYLOAD_MAX)
}
