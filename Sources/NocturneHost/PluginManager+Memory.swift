// PluginManager+Memory.swift — what the host remembers of plugins across restarts. Next: NocturneStorage.

import NocturneCore
import NocturneStorage

/// What is remembered of one id.
struct PluginMemory: Sendable {
    /// An operator's word; `nil`: never decided.
    var enabled: Bool?
    var settings: JSONObject = [:]
    /// Hash of what serves, or served last, and of what served before it.
    var current: String?
    var previous: String?

    init() {}

    init(_ record: PluginRecord) {
        enabled = record.enabled
        settings = record.settings?.object ?? [:]
        current = record.generation.current
        previous = record.generation.previous
    }
}

extension PluginManager {
    /// Runs a change of the database; on failure nothing is remembered and the caller learns why.
    func stored(_ id: PluginID?, _ change: (HostStore) throws(StoreError) -> Void)
        throws(PluginError)
    {
        do throws(StoreError) {
            try change(state.store)
        } catch {
            throw PluginError("state", id, "\(error)", exit: 70)
        }
    }

    /// The same where nobody waits for the answer.
    func storedOrTold(_ id: PluginID, _ change: (HostStore) throws(StoreError) -> Void) {
        do throws(PluginError) {
            try stored(id, change)
        } catch {
            publish(.error(id, code: error.code, message: error.description))
        }
    }

    /// First sight of an id.
    func see(_ id: PluginID) {
        guard memory[id] == nil else { return }
        memory[id] = PluginMemory()
        storedOrTold(id) { store throws(StoreError) in _ = try store.recordSeen(id) }
    }

    /// A build serves now; `before` served before it in this host, if anything did.
    func remember(_ hash: ContentHash, after before: ContentHash?, of id: PluginID) {
        var remembered = memory[id] ?? PluginMemory()
        let text = hash.description
        guard remembered.current != text else { return }
        remembered.previous = before?.description ?? remembered.current
        remembered.current = text
        memory[id] = remembered
        let generation = NocturneStorage.Generation(
            current: remembered.current, previous: remembered.previous)
        storedOrTold(id) { store throws(StoreError) in try store.setGeneration(generation, of: id) }
    }

    // MARK: - Holds

    func loadHolds() throws(PluginError) {
        try stored(nil) { store throws(StoreError) in
            for hold in try store.holds() {
                guard let hash = ContentHash(hex: hold.contentHash) else { continue }
                switch hold.kind {
                case .unloaded: catalog.holds[hold.path] = .unloaded(hash)
                case .rolledBack:
                    guard let serving = hold.servingHash.flatMap({ ContentHash(hex: $0) }),
                        let build = build(of: serving)
                    else { continue }
                    catalog.holds[hold.path] = .rolledBack(hash, serving: build)
                }
            }
        }
    }

    func setHold(_ hold: CatalogHold, on path: String, of id: PluginID) throws(PluginError) {
        let stored: Hold =
            switch hold {
            case .unloaded(let hash):
                Hold(
                    path: path, contentHash: "\(hash)", kind: .unloaded, pluginID: id,
                    servingHash: nil)
            case .rolledBack(let hash, let serving):
                Hold(
                    path: path, contentHash: "\(hash)", kind: .rolledBack, pluginID: id,
                    servingHash: "\(serving.hash)")
            }
        try self.stored(id) { store throws(StoreError) in try store.setHold(stored) }
        catalog.holds[path] = hold
    }

    func removeHolds(on paths: [String], of id: PluginID) throws(PluginError) {
        for path in paths where catalog.holds[path] != nil {
            try stored(id) { store throws(StoreError) in _ = try store.removeHold(path: path) }
            catalog.holds[path] = nil
        }
    }

    /// A build from an object that is in the store already.
    func build(of hash: ContentHash) -> PluginBuild? {
        guard (try? state.objects.isIntact(hash)) == true,
            let manifest = try? ManifestReader.read(object: state.objects.path(of: hash)).checked()
        else { return nil }
        return try? PluginBuild(hash: hash, manifest: manifest)
    }

    /// From here to ``endReading()`` files may be copied into the store that no decision refers to yet.
    func beginReading() { reads += 1 }

    func endReading() {
        reads -= 1
        guard reads == 0, mustPrune else { return }
        Task { await prune() }
    }

    /// Removes objects that nothing refers to any more. Waits until nobody reads, and comes before who reads next,
    /// because both use the files' thread.
    func prune() async {
        mustPrune = true
        guard !isPruning else { return }
        isPruning = true
        while mustPrune, reads == 0 { await pruneNow() }
        isPruning = false
    }

    private func pruneNow() async {
        // What supervisors have told may be behind what they run, and of what they try nobody is told.
        var keep: Set<ContentHash> = []
        for supervisor in supervisors.values { keep.formUnion(await supervisor.needed) }
        guard reads == 0 else { return }
        mustPrune = false
        for decision in decisions.values {
            if let choice = decision.choice { keep.insert(choice.hash) }
        }
        for (id, remembered) in memory where decisions[id] != nil {
            for hash in [remembered.current, remembered.previous] {
                if let hash = hash.flatMap({ ContentHash(hex: $0) }) { keep.insert(hash) }
            }
        }
        for hold in catalog.holds.values {
            if case .rolledBack(_, let serving) = hold { keep.insert(serving.hash) }
        }
        for goal in goals.values {
            if case .run(let build, _, _) = goal.kind { keep.insert(build.hash) }
        }
        let objects = state.objects
        let kept = keep
        let problem: String? = await onFilesThread {
            do throws(IngestError) {
                try objects.prune(keeping: kept)
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let problem {
            events.publish(
                source: "plugins", name: "host:warning", payload: ["message": .string(problem)])
        }
    }
}
