// TasksExample.swift — the README's program that runs tasks. README shows these very lines; TidyTests compares.

import Nocturne

/// Counts in a task, which goes on where it was if the program dies.
func tasksExample(statePath: String) async throws -> Int {
    var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 4)
    (configuration.enablePersistence, configuration.statePath) = (true, statePath)
    let tasks = try await BackgroundTaskManager(configuration: configuration)

    tasks.handle("count") { (goal: Int, context) -> Int in
        for number in Int(context.checkpoint?.int ?? 0)..<goal {
            try await context.checkpoint(JSONValue(number + 1))
            context.updateProgress(100 * Double(number + 1) / Double(goal))
        }
        return goal
    }
    let task = try await tasks.add(NewTask("count", encoding: 10))
    let result = try await tasks.result(of: task.id, as: Int.self)
    await tasks.shutdown()
    return result
}
