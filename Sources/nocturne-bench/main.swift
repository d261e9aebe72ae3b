import Glibc

import NocturneCore
import NocturneHost

let configuration = PluginManagerConfiguration(
    pluginsPath: CommandLine.arguments[1], statePath: CommandLine.arguments[2])
let manager = try PluginManager(configuration: configuration)
let token = manager.on("*") { (event: Event) in print("EVENT", event.json) }
let t0 = ContinuousClock.now
try await manager.start()
print("started in", ContinuousClock.now - t0)
for info in await manager.plugins() { print("INFO", info.json) }
for tool in manager.tools {
    do {
        let t = ContinuousClock.now
        print(tool.name, try await manager.call(tool.name, ["text": "one two three"]), ContinuousClock.now - t)
    } catch { print(tool.name, "ERROR", error) }
}
if CommandLine.arguments.count > 3 {
    let n = 100_000
    let t = ContinuousClock.now
    for _ in 0..<n { _ = try await manager.call(CommandLine.arguments[3], ["text": "one two three"]) }
    print("per call", (ContinuousClock.now - t) / n)
}
try await Task.sleep(for: .seconds(1))
for info in await manager.plugins() { print("INFO", info.summaryJSON) }
await manager.shutdown()
_ = token
