// CatalogReasons.swift — the resolver's answer as decisions: what each id runs, and in words why each other file does
// not. Pure. Next: ChangePlan.swift.

import NocturneCore
import NocturneResolver

/// Turns a resolution into decisions.
struct CatalogReasons {
    private let choice: CatalogChoice
    private let resolution: Resolution
    private let rejections: [PluginID: [String: Resolution.Rejection]]

    init(_ choice: CatalogChoice, _ resolution: Resolution) {
        self.choice = choice
        self.resolution = resolution
        var rejections: [PluginID: [String: Resolution.Rejection]] = [:]
        for one in resolution.rejected { rejections[one.id, default: [:]][one.label] = one }
        self.rejections = rejections
    }

    func outcome() -> CatalogOutcome {
        var outcome = CatalogOutcome()
        outcome.objections = choice.objections
        outcome.notes = resolution.notes
        for chosen in resolution.chosen {
            guard let build = choice.build(of: chosen) else { continue }
            outcome.decisions[chosen.id] = decision(chosen.id, build, chosen.label)
        }
        for one in resolution.leftOut {
            guard let best = best(one.id) else { continue }
            var decision = decision(one.id, best.build, best.path)
            if choice.catalog.off[one.id] == nil {
                // What is wrong with the plugin itself needs no proof.
                decision.leftOut = choice.refusal(of: best.build) ?? Self.refusal(one)
            }
            outcome.decisions[one.id] = decision
        }
        for (id, offers) in choice.unloaded {
            for offer in offers {
                outcome.decisions[id, default: CatalogDecision()].reasons[offer.path] =
                    CatalogChoice.unloadedByOperator
            }
            let isUnloaded = outcome.decisions[id]?.choice == nil
            outcome.decisions[id]?.isUnloaded = isUnloaded
        }
        return outcome
    }

    /// What an id that is left out would run: what it keeps, or its best file.
    private func best(_ id: PluginID) -> CatalogChoice.Offer? {
        if choice.pins[id] != nil, let kept = choice.kept(id) {
            return .init(path: choice.catalog.previous[id]?.path ?? "", build: kept)
        }
        let serving = choice.catalog.serving[id] ?? choice.catalog.previous[id]?.choice
        return choice.offers[id]?.max { left, right in
            let (a, b) = (left.build.manifest.version, right.build.manifest.version)
            if a.isPrerelease != b.isPrerelease { return a.isPrerelease }
            if a < b || b < a { return a < b }
            return left.build.hash != serving?.hash && right.build.hash == serving?.hash
        }
    }

    private func decision(
        _ id: PluginID, _ build: PluginBuild, _ path: String
    ) -> CatalogDecision {
        var decision = CatalogDecision(choice: build, path: path)
        for offer in choice.offers[id] ?? [] where offer.path != path {
            decision.reasons[offer.path] = reason(id, offer, instead: build, from: path)
        }
        if let pin = choice.pins[id] {
            hold(id, build, pin, &decision)
        } else if let failed = choice.offers[id]?.first(where: { offer in
            choice.catalog.failed[offer.build.hash] != nil
        }), let why = decision.reasons[failed.path] {
            decision.pendingChange =
                "\(failed.build.manifest.version) in \(failed.path) was not taken: \(why)"
        }
        return decision
    }

    private func reason(
        _ id: PluginID, _ offer: CatalogChoice.Offer, instead build: PluginBuild, from path: String
    ) -> Refusal {
        let (version, chosen) = (offer.build.manifest.version, build.manifest.version)
        if offer.build.hash == build.hash {
            return Refusal("sameContent", "the same plugin as \(path), which serves")
        }
        if let own = choice.refusal(of: offer.build) { return own }
        if version == chosen {
            return Refusal(
                "duplicate",
                "\(id) \(version) is also \(path), with other bytes, which serves; remove one of them, or "
                    + "give it another version")
        }
        if let why = rejections[id]?[offer.path], version > chosen || chosen.isPrerelease {
            return Refusal(why.reason.description, why.text)
        }
        return Refusal("olderVersion", "version \(chosen) from \(path) serves")
    }

    // MARK: - Held

    /// Says what waits, why, and what carries it out.
    private func hold(
        _ id: PluginID, _ build: PluginBuild, _ pin: CatalogChoice.Pin,
        _ decision: inout CatalogDecision
    ) {
        let offers = choice.offers[id] ?? []
        let others = offers.filter { $0.build.hash != build.hash }
        let new = others.max { $0.build.manifest.version < $1.build.manifest.version }
        if new == nil, !offers.isEmpty { return }
        let what = new.map { "\($0.build.manifest.version) in \($0.path)" } ?? "its file is gone"
        switch pin {
        case .waits:
            decision.pendingChange =
                new == nil
                ? "its file is gone; `unload \(id)` or `reload \(id)` carries that out"
                : "\(what) waits for `reload \(id)`"
        case .refused(let why):
            decision.pendingChange = "the new build was not taken: \(why)"
        case .hurts(let sentences):
            let way = new == nil ? "unload" : "reload"
            decision.pendingChange =
                (new == nil ? "its file is gone" : "\(what) is held")
                + ", because it is needed as it is:\n"
                + sentences.joined(separator: "\n")
                + "\n`\(way) \(id) --cascade` carries it out anyway"
        }
        if let new, let text = decision.pendingChange {
            decision.reasons[new.path] = Refusal("held", text)
        }
    }

    /// The proof, and what would help.
    static func refusal(_ one: Resolution.LeftOut) -> Refusal {
        Refusal(
            one.reason.description,
            one.text + (one.change.map { "\nTo change that: \($0)." } ?? ""))
    }
}
