// Nocturne.swift — what `import Nocturne` gives: the façades of all parts. Next:
// NocturneDaemon.swift.

@_exported public import NocturneControl
@_exported public import NocturneCoordination
@_exported public import NocturneCore
@_exported public import NocturneHost
@_exported public import NocturneMetrics
@_exported public import NocturneTasks
