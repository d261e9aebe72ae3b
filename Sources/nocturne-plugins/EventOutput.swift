// EventOutput.swift — one line for each event of a stream. Next: Events.swift, Logs.swift.

internal import Nocturne

enum EventOutput {
    /// Prints an event's data: under `--json` as it is, else what `text` makes of it. A gap is
    /// told, too: as `{"gap": {"missed": N}}`, or in words on standard error.
    static func show(_ event: ServerSentEvent, json: Bool, as text: (JSONValue) -> String) {
        let value = (try? JSONParser.parse(event.data)) ?? .string(event.data)
        if event.type == "gap" {
            let missed = value["missed"]?.int ?? 0
            if json {
                Terminal.say("\(["gap": ["missed": JSONValue(missed)]] as JSONValue)")
            } else {
                Terminal.complain("nocturne-plugins: \(missed) events were missed here")
            }
        } else if json {
            Terminal.say(json: Array(event.data.utf8))
        } else {
            Terminal.say(text(value))
        }
    }
}
