// CatalogChoice.swift — from the catalog to decisions: asks the resolver, and holds back what would hurt those who
// serve (DESIGN §7, *Directory against operator*). Pure. Next: CatalogReasons.swift.

import NocturneCore
import NocturneResolver

/// What was decided, for all ids together.
struct CatalogOutcome: Sendable {
    var decisions: [PluginID: CatalogDecision] = [:]
    /// For ids whose change was asked for by an operator: whom it hurts, and how.
    var objections: [PluginID: [String]] = [:]
    /// What the resolver notes besides, such as that it gave up.
    var notes: [String] = []
}

/// One decision in the making.
struct CatalogChoice {
    /// A build that a path offers, or offered.
    struct Offer {
        let path: String
        let build: PluginBuild
    }

    /// Why an id keeps what serves, whatever its files hold now.
    enum Pin {
        /// Hot reload is off.
        case waits
        /// What its files hold now cannot run by itself.
        case refused(Refusal)
        /// The change would hurt others; sentences.
        case hurts([String])
    }

    let catalog: Catalog
    /// What each id could run; those that an operator unloaded are apart.
    private(set) var offers: [PluginID: [Offer]] = [:]
    private(set) var unloaded: [PluginID: [Offer]] = [:]
    private(set) var pins: [PluginID: Pin] = [:]
    private(set) var objections: [PluginID: [String]] = [:]
    /// What keeps builds from running, whatever else is there. Not whether their id is off.
    private var refusals: [ContentHash: Refusal] = [:]

    init(_ catalog: Catalog) {
        self.catalog = catalog
        for file in catalog.files.values.sorted(by: { $0.path < $1.path }) {
            guard let offer = file.offer else { continue }
            switch catalog.holds[file.path] {
            case .unloaded(let hash) where hash == offer.hash:
                unloaded[offer.id, default: []].append(Offer(path: file.path, build: offer))
            case .rolledBack(let hash, let serving) where hash == offer.hash:
                offers[offer.id, default: []].append(Offer(path: file.path, build: serving))
            default:
                offers[offer.id, default: []].append(Offer(path: file.path, build: offer))
            }
        }
        let kept = catalog.previous.values.compactMap(\.choice)
        for build in offers.values.flatMap({ $0.map(\.build) }) + kept {
            // Whoever serves goes on.
            if catalog.serving[build.id]?.hash == build.hash { continue }
            refusals[build.hash] = Self.refusal(of: build, catalog)
        }
    }

    /// Decides; what hurts those who serve is held back, and the rest decided anew, until nobody is hurt.
    mutating func outcome() -> CatalogOutcome {
        pinUnasked()
        while true {
            let resolution = Resolver.resolve(request())
            var isSettled = true
            for (id, sentences) in hurt(by: resolution) {
                if catalog.released.contains(id) {
                    objections[id] = sentences
                } else if pins[id] == nil {
                    pins[id] = .hurts(sentences)
                    isSettled = false
                }
            }
            if isSettled {
                return CatalogReasons(self, resolution).outcome()
            }
        }
    }

    // MARK: - What keeps its place

    /// What an id keeps if its change is held: what serves, or was to.
    func kept(_ id: PluginID) -> PluginBuild? {
        catalog.serving[id] ?? catalog.previous[id]?.choice
    }

    private func isFree(_ id: PluginID) -> Bool {
        catalog.released.contains(id) || (offers[id] == nil && unloaded[id] != nil)
    }

    /// Pins what no question to the resolver is needed for.
    private mutating func pinUnasked() {
        if !catalog.enableHotReload {
            for (id, before) in catalog.previous where before.choice != nil && !isFree(id) {
                pins[id] = .waits
            }
        }
        for (id, build) in catalog.serving where !isFree(id) && pins[id] == nil {
            guard let own = offers[id], !own.contains(where: { $0.build.hash == build.hash }) else {
                continue
            }
            let refusals = own.map { refusal(of: $0.build) }
            if let first = refusals.first, let why = first, !refusals.contains(nil) {
                pins[id] = .refused(why)
            }
        }
    }

    /// What keeps a build from running, whatever else is there. Not whether its id is off.
    func refusal(of build: PluginBuild) -> Refusal? { refusals[build.hash] }

    private static func refusal(of build: PluginBuild, _ catalog: Catalog) -> Refusal? {
        if let failed = catalog.failed[build.hash] { return failed.why }
        do throws(Refusal) {
            _ = try build.settings(catalog.settings[build.id] ?? [:])
        } catch {
            return error
        }
        return Requirements.missingPermission(build.manifest)
    }

    // MARK: - The question

    private func request() -> ResolveRequest {
        var candidates: [Candidate] = []
        for (id, own) in offers where pins[id] == nil {
            let off = catalog.off[id]
            for offer in own {
                candidates.append(candidate(offer, refused: off ?? refusal(of: offer.build)))
            }
        }
        for id in pins.keys {
            guard let build = kept(id) else { continue }
            let path = catalog.previous[id]?.path ?? ""
            candidates.append(
                candidate(
                    Offer(path: path, build: build), refused: catalog.off[id] ?? refusal(of: build))
            )
        }
        for (id, own) in unloaded where pins[id] == nil {
            candidates += own.map { candidate($0, refused: Self.unloadedByOperator) }
        }
        candidates += refusedFiles()
        var request = ResolveRequest(
            candidates, for: HostEnvironment(version: HostVersion.semantic, abi: HostVersion.abi))
        for (id, before) in catalog.previous {
            guard let choice = before.choice else { continue }
            request.running[id] = RunningPlugin(
                choice.manifest.version, label: label(of: choice, before.path, id))
        }
        request.kept = Set(catalog.serving.keys)
        return request
    }

    static let unloadedByOperator = Refusal(
        "unloaded", "it is unloaded; `load` or a change of its file brings it back")

    private func candidate(_ offer: Offer, refused: Refusal?) -> Candidate {
        Candidate(
            offer.build.manifest, label: offer.path,
            refusals: refused.map { [.init($0.code, $0.description)] } ?? [])
    }

    /// Files that this host refuses, so that who depends on them is told why.
    private func refusedFiles() -> [Candidate] {
        catalog.files.values.compactMap { file in
            guard file.lastGood == nil,
                case .refused(let why, let id?, let version?) = file.content,
                pins[id] == nil, let version = try? SemanticVersion(version)
            else { return nil }
            var candidate = Candidate(id, version, label: file.path)
            candidate.refusals = [.init(why.code, why.description)]
            return candidate
        }
    }

    /// Of several files of one version the running path comes first, then one with the running bytes.
    private func label(of choice: PluginBuild, _ path: String?, _ id: PluginID) -> String? {
        let own = offers[id] ?? []
        if own.contains(where: { $0.path == path }) { return path }
        return own.first { $0.build.hash == choice.hash }?.path ?? path
    }

    // MARK: - Who is hurt

    /// Changes that would stop, or disturb against its will, somebody who serves: by the id whose change it is.
    private func hurt(by resolution: Resolution) -> [(id: PluginID, sentences: [String])] {
        var chosen: [PluginID: PluginBuild] = [:]
        for choice in resolution.chosen { chosen[choice.id] = build(of: choice) }
        let changed = Set(catalog.serving.filter { chosen[$0.key]?.hash != $0.value.hash }.keys)
        var found: [PluginID: [String]] = [:]
        for one in resolution.leftOut where isProtected(one.id) {
            let suspects = changed.filter {
                pins[$0] == nil && ($0 != one.id || isReplaced(one.id))
            }
            let named = suspects.filter { suspect in
                let names = catalog.serving[suspect]?.manifest.names ?? []
                return one.proof?.plugins.isDisjoint(with: names) == false
            }
            // The proof may name a plugin that came in only because of one that it does not name.
            for culprit in named.isEmpty ? suspects : named {
                found[culprit, default: []].append("\(one.id) would stop: \(one.text)")
            }
        }
        for (id, build) in catalog.serving.sorted(by: { $0.key < $1.key })
        where build.manifest.reload.onDependencyChange == .refuse && chosen[id]?.hash == build.hash
        {
            for culprit in changed {
                guard let used = catalog.serving[culprit], build.manifest.uses(used.manifest) else {
                    continue
                }
                found[culprit, default: []].append(
                    "\(id) depends on it and refuses that it changes while both run "
                        + "(`onDependencyChange` in its manifest)")
            }
        }
        return found.sorted { $0.key < $1.key }.map { (id: $0.key, sentences: $0.value) }
    }

    /// Whether it serves, and nobody asked that it stop. Who asks for another build of it does not ask for that.
    private func isProtected(_ id: PluginID) -> Bool {
        catalog.serving[id] != nil && catalog.off[id] == nil
            && (offers[id] != nil || pins[id] != nil)
    }

    /// Whether its own files hold something else than what serves.
    private func isReplaced(_ id: PluginID) -> Bool {
        guard let serving = catalog.serving[id] else { return false }
        return offers[id]?.contains { $0.build.hash == serving.hash } != true
    }

    /// What a choice of the resolver stands for.
    func build(of choice: Resolution.Choice) -> PluginBuild? {
        if pins[choice.id] != nil { return kept(choice.id) }
        return offers[choice.id]?.first { $0.path == choice.label }?.build
    }
}
