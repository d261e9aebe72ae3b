// PluginManager+Info.swift — what is said of plugins: decisions, snapshots and memory put together.

import NocturneCore

extension PluginManager {
    /// The files that offer each id, would offer it if they were not refused, or offered it last; by path.
    var filesByID: [PluginID: [CatalogFile]] {
        var found: [PluginID: [CatalogFile]] = [:]
        for file in catalog.files.values {
            var ids: Set<PluginID> = []
            switch file.content {
            case .build(let build): ids.insert(build.id)
            case .refused(_, let id?, _): ids.insert(id)
            case .refused, .incomplete: break
            }
            if let id = file.offer?.id { ids.insert(id) }
            for id in ids { found[id, default: []].append(file) }
        }
        return found.mapValues { $0.sorted { $0.path < $1.path } }
    }

    /// Files that were refused before their id could be read.
    func anonymousFiles() -> [PluginInfo] {
        let found = catalog.files.values.compactMap { file -> PluginInfo? in
            let refusal: Refusal
            switch file.content {
            case .refused(let why, nil, _) where file.lastGood == nil: refusal = why
            case .incomplete(let why) where file.lastGood == nil: refusal = why
            default: return nil
            }
            var info = PluginInfo(id: nil, status: .failed)
            info.reason = refusal.description
            info.reasonCode = refusal.code
            info.file = file.path
            info.hash = file.hash?.description
            return info
        }
        return found.sorted { ($0.file ?? "") < ($1.file ?? "") }
    }

    /// One plugin, from the latest snapshot.
    func info(of id: PluginID) -> PluginInfo { info(of: id, filesByID[id] ?? []) }

    func info(of id: PluginID, _ files: [CatalogFile]) -> PluginInfo {
        let decision = decisions[id]
        let snapshot = snapshots[id]
        var info = PluginInfo(id: id, status: snapshot?.status ?? .discovered)
        info.reason = snapshot?.reason?.description
        info.reasonCode = snapshot?.reason?.code
        info.generation = snapshot?.generation ?? 0
        info.pid = snapshot?.pid
        info.crashes = snapshot?.crashes ?? 0
        info.pendingChange = decision?.pendingChange
        info.previousHash = memory[id]?.previous
        info.file = decision?.path
        info.files = Self.sources(of: id, files, decision)
        info.layers = snapshot?.report?.layers ?? []
        info.degradations = snapshot?.report?.degradations ?? []
        let meter = router.meter(of: id)
        info.errors = meter.failuresByCode.values.reduce(0, +)
        info.calls = meter.count(.calls)
        let running = snapshot?.pid != nil ? snapshot?.build : nil
        if let build = running ?? decision?.choice { fill(&info, from: build) }
        info.settings = settings(of: id, decision, snapshot)
        let refused = files.first { file in
            if case .build = file.content { false } else { true }
        }
        if decision?.choice == nil, let refused,
            case .refused(let why, _, let version) = refused.content
        {
            info.status = .failed
            info.reason = why.description
            info.reasonCode = why.code
            info.version = version
            info.file = refused.path
        }
        if let rejected = snapshot?.rejected, info.pendingChange == nil,
            rejected.hash == decision?.choice?.hash, snapshot?.build?.hash != rejected.hash
        {
            info.pendingChange = "the new build was not taken: \(rejected.why)"
        }
        if info.pendingChange == nil, info.status != .failed,
            let why = files.first(where: { $0.path == decision?.path })?.problem
        {
            info.pendingChange = "what its file holds now was not taken: \(why)"
        }
        return info
    }

    private func fill(_ info: inout PluginInfo, from build: PluginBuild) {
        info.name = build.manifest.name
        info.version = "\(build.manifest.version)"
        info.runtime = "\(build.manifest.runtime)"
        info.hash = "\(build.hash)"
        info.manifest = build.manifest.json
        info.inactive = build.inactive
        func names(_ kind: ContributionKind) -> [String] {
            build.contributions.filter { $0.kind == kind }.map(\.name)
        }
        info.tools = names(.tool)
        info.commands = names(.command)
        info.tasks = names(.task)
        info.listens = names(.listener)
        info.exporters = names(.exporter)
        info.strategies = names(.strategy)
        info.agents = names(.agent)
    }

    private func settings(
        of id: PluginID, _ decision: CatalogDecision?, _ snapshot: Supervisor.Snapshot?
    ) -> JSONValue {
        if let snapshot, snapshot.pid != nil { return snapshot.settings }
        let given = memory[id]?.settings ?? [:]
        return (try? decision?.choice?.settings(given)) ?? .object(given)
    }

    private static func sources(
        of id: PluginID, _ files: [CatalogFile], _ decision: CatalogDecision?
    ) -> [PluginSource] {
        files.compactMap { file in
            let hash = file.hash?.description
            switch file.content {
            case .build(let build) where build.id == id:
                return PluginSource(
                    path: file.path, hash: hash, version: "\(build.manifest.version)",
                    reason: decision?.reasons[file.path]?.description)
            case .refused(let why, let found, let version)
            where found == id || file.lastGood?.id == id:
                return PluginSource(
                    path: file.path, hash: hash, version: version, reason: why.description)
            case .incomplete(let why) where file.lastGood?.id == id:
                return PluginSource(
                    path: file.path, hash: hash, version: nil, reason: why.description)
            default: return nil
            }
        }
    }
}
