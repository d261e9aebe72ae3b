// AlertEndpoints.swift — the routes that add alerts, show them and change them. Next: MetricSchemas.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneMetrics

extension Endpoint {
    /// Routes about alerts.
    static let alerts: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/alerts", name: "listAlerts",
            summary: "All alerts and how far they are, in the order in which they were added.",
            output: .json(schema: Schema.list(of: Schema.alert))
        ) { exchange in
            .json(.array(exchange.metrics.alerts.map(\.json)))
        },
        Endpoint(
            method: .post, path: "/v1/alerts", name: "addAlert",
            summary: "Adds an alert, which is evaluated at each flush and kept over restarts.",
            input: .object(schema: Schema.alertRule), success: .created,
            output: .json(schema: Schema.alert)
        ) { exchange in
            let rule = try AlertRule(json: .object(try exchange.object()))
            try exchange.metrics.addAlert(rule)
            return try alert(rule.name, exchange)
        },
        Endpoint(
            method: .delete, path: "/v1/alerts/{name}", name: "removeAlert",
            summary: "Removes an alert. One that fires is resolved by that.", success: .noContent,
            output: .nothing
        ) { exchange in
            try exchange.metrics.removeAlert(exchange.parameter("name"))
            return .nothing
        },
        change("enable", "Evaluates an alert from the next flush on.") {
            exchange, name throws(MetricsError) in
            try exchange.metrics.setAlert(name, isEnabled: true)
        },
        change("disable", "Ceases to evaluate an alert. One that fires is resolved by that.") {
            exchange, name throws(MetricsError) in
            try exchange.metrics.setAlert(name, isEnabled: false)
        },
        Endpoint(
            method: .post, path: "/v1/alerts/{name}/silence", name: "silenceAlert",
            summary:
                "Holds the events of an alert back for a time; what it then comes to is told after it.",
            input: .object(schema: Schema.silence), output: .json(schema: Schema.alert),
            answer: silence),
        change("unsilence", "Tells of an alert again.") { exchange, name throws(MetricsError) in
            try exchange.metrics.silenceAlert(name, until: nil)
        },
    ]

    @Sendable
    private static func silence(_ exchange: Exchange) async throws -> Reply {
        let fields = try TaskFields(try exchange.object(), knowing: ["for", "until"])
        let (metrics, name) = (exchange.metrics, exchange.parameter("name"))
        let until: UnixTime
        switch (try fields.duration("for"), try fields.time("until")) {
        case (let duration?, nil) where (.zero...AlertRule.longest).contains(duration):
            until = UnixTime(
                milliseconds: metrics.now.milliseconds + duration.wholeMilliseconds)
        case (nil, let time?):
            until = time
        default:
            throw RequestError.wrongBody(
                expected:
                    "an object with \"for\", a time of at most "
                    + "\(DurationText.describe(AlertRule.longest)), or \"until\"",
                found: Printable.line("\(JSONValue.object(fields.object))"))
        }
        try metrics.silenceAlert(name, until: until)
        return try alert(name, exchange)
    }

    private static func change(
        _ verb: String, _ summary: String,
        _ action: @escaping @Sendable (Exchange, String) throws(MetricsError) -> Void
    ) -> Endpoint {
        Endpoint(
            method: .post, path: "/v1/alerts/{name}/\(verb)", name: "\(verb)Alert",
            summary: summary, output: .json(schema: Schema.alert)
        ) { exchange in
            let name = exchange.parameter("name")
            try action(exchange, name)
            return try alert(name, exchange)
        }
    }

    /// How an alert stands now.
    private static func alert(_ name: String, _ exchange: Exchange) throws(MetricsError) -> Reply {
        guard
            let alert = exchange.metrics.alerts.first(where: {
                $0.rule.name.utf8.elementsEqual(name.utf8)
            })
        else {
            // Somebody removed it meanwhile.
            throw .notFound("alert", name)
        }
        return .json(alert.json)
    }
}
