// SettingsArgument.swift — settings as they are written on a command line. Next: Configure.swift.

internal import Nocturne

enum SettingsArgument {
    /// Reads `KEY=VALUE` arguments, or one JSON object.
    ///
    /// - Throws: ``UsageError``, which shows the argument and what would be right.
    static func parse(_ arguments: [String]) throws(UsageError) -> JSONObject {
        if arguments.count == 1, let text = arguments.first, text.hasPrefix("{") {
            return try object(text)
        }
        var settings = JSONObject()
        for argument in arguments {
            guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
                throw UsageError(
                    description:
                        "\(quoted(argument)) is no setting: expected KEY=VALUE, or one JSON object")
            }
            let key = String(argument[..<equals])
            let text = String(argument[argument.index(after: equals)...])
            guard settings[key] == nil else {
                throw UsageError(description: "the setting \(quoted(key)) is there twice")
            }
            settings[key] = (try? JSONParser.parse(text)) ?? .string(text)
        }
        return settings
    }

    private static func object(_ text: String) throws(UsageError) -> JSONObject {
        do throws(JSONError) {
            if let object = try JSONParser.parse(text).object { return object }
        } catch {
            throw UsageError(description: "the settings are \(error)", exitStatus: 65)
        }
        throw UsageError(description: "the settings are no JSON object", exitStatus: 65)
    }
}
