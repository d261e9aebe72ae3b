// greeter.swift — a plugin in asynchronous Swift: an actor, a group of child tasks, a background task, settings,
// state that survives a reload. The whole plugin is this file, manifest.json and Package.swift.

import NocturnePlugin

struct Person: Decodable, Sendable {
    let name: String
    let languages: [String]?
}

struct Guests: Decodable, Sendable {
    let names: [String]
}

struct Greetings: Encodable, Sendable {
    let greetings: [String: String]
    let count: Int
}

/// What changes while the plugin runs.
actor Desk {
    private var languages = ["en"]
    private(set) var people = 0

    func use(_ settings: JSON) {
        languages = settings["languages"]?.array?.compactMap(\.string) ?? languages
    }

    func restore(people count: Int) { people = count }

    /// Greets `person`; one child task for each language.
    func greet(_ person: Person, _ call: Call) async throws -> Greetings {
        let texts = try await withThrowingTaskGroup(of: (String, String).self) { group in
            for language in person.languages ?? languages {
                group.addTask {
                    try call.checkCancellation()
                    return (language, try greeting(of: person.name, in: language))
                }
            }
            var texts: [String: String] = [:]
            while let (language, text) = try await group.next() { texts[language] = text }
            return texts
        }
        people += 1
        return Greetings(greetings: texts, count: people)
    }
}

func greeting(of name: String, in language: String) throws(PluginError) -> String {
    switch language {
    case "en": "Hello, \(name)!"
    case "de": "Guten Tag, \(name)!"
    case "fr": "Bonjour, \(name) !"
    case "es": "¡Hola, \(name)!"
    case "ja": "\(name)さん、こんにちは。"
    case "la": "Salve, \(name)!"
    default: throw .invalidInput("no greeting in \"\(language)\"; there is en, de, fr, es, ja, la")
    }
}

/// Greets one after the other. After a pause, or when the plugin was replaced, it goes on with the next.
func greetAll(_ guests: Guests, _ context: TaskContext) async throws -> [String] {
    var texts = context.checkpoint?.array?.compactMap(\.string) ?? []
    for name in guests.names.dropFirst(texts.count) {
        try context.pausePoint(JSON(texts))
        let person = Person(name: name, languages: nil)
        texts += try await desk.greet(person, context.call).greetings.values.sorted().prefix(1)
        context.updateProgress(Double(texts.count) / Double(guests.names.count) * 100, name)
    }
    return texts
}

let desk = Desk()

let plugin = Plugin(
    tools: [
        "greet": Tool { (person: Person, call) async throws in
            let reply = try await desk.greet(person, call)
            call.host.log.info("greeted", ["name": person.name, "people": "\(reply.count)"])
            return reply
        },
        "greeted": Tool { _, _ async in ["people": JSON(await desk.people)] },
    ],
    tasks: ["greet-all": TaskHandler { try await greetAll($0, $1) }],
    state: StateHooks(
        save: { _ in SavedState(schema: 1, json: ["people": JSON(await desk.people)]) },
        restore: { saved, _ in
            guard saved.schema == 1, let people = try saved.json()["people"]?.integer else {
                throw PluginError("state of layout \(saved.schema) is not understood")
            }
            await desk.restore(people: people)
        }),
    settingsChanged: { settings, _ in await desk.use(settings) },
    activate: { host in await desk.use(try host.configuration.all()) }
)
