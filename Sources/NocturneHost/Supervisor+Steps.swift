// Supervisor+Steps.swift — how a generation starts, stops, and replaces another one (DESIGN §7, *Reload*).

import CLinux
import CWire
import NocturneCore

extension Supervisor {
    // MARK: - Start and stop

    /// Starts `build` where nothing runs.
    func begin(_ build: PluginBuild, _ settings: JSONValue, _ file: String) async -> Refusal? {
        do throws(Registry.Clash) {
            try host.router.registry.claim(build)
        } catch {
            return Refusal("nameTaken", error.description)
        }
        do throws(StartError) {
            let generation = try await prepare(build, settings, file)
            try await check(generation)
            serve(generation, settings, file)
            noteServed(build)
            watch(generation)
            set(.enabled, nil)
            host.publish(
                .enabled(
                    id, version: "\(build.manifest.version)", generation: generation.number))
            return nil
        } catch {
            return Refusal(error)
        }
    }

    /// A worker with the plugin in it, activated, but not serving yet.
    private func prepare(
        _ build: PluginBuild, _ settings: JSONValue, _ file: String
    ) async throws(StartError) -> Generation {
        let (worker, extensions) = try await host.pool.start(
            build.spec(from: file), runtime: build.manifest.runtime,
            services: WorkerServices(id, host: host.services), within: host.limits.load)
        lastNumber += 1
        let generation = Generation(
            number: lastNumber, build: build, worker: worker, extensions: extensions)
        let outcome = await generation.hook(
            WIRE_CALL_ACTIVATE, "activate", settings.serialized(), within: host.limits.hook)
        do throws(StartError) {
            switch outcome {
            case .done, .absent: return generation
            case .refused(let message): throw .activate(message: message)
            case .failed(let error): throw error
            }
        } catch {
            await end(generation)
            throw error
        }
    }

    private func check(_ generation: Generation) async throws(StartError) {
        guard generation.extensions.contains(.health) else { return }
        let outcome = await generation.hook(
            WIRE_CALL_HEALTH, "the health check", within: host.limits.hook)
        do throws(StartError) {
            switch outcome {
            case .done, .absent: return
            case .refused(let message): throw .unhealthy(message: message)
            case .failed(let error): throw error
            }
        } catch {
            await end(generation)
            throw error
        }
    }

    /// Opens the door: from here on calls go to `generation`.
    private func serve(_ generation: Generation, _ settings: JSONValue, _ file: String) {
        current = generation
        self.settings = settings
        self.file = file
        host.router.registry.install(generation, gate: gate)
        gate.open(generation, queue: generation.build.manifest.limits.queue)
        listen(generation)
        host.changed(id)  // what depends on it goes by what serves, on probation or not
    }

    /// Listens for what the generation listens for. Tokens of patterns that an older one had too go on, so that a
    /// reload loses no event.
    private func listen(_ generation: Generation) {
        let router = host.router, gate = gate, id = id
        let patterns = generation.build.contributions.filter { $0.kind == .listener }.map(\.name)
        listeners = listeners.filter { patterns.contains($0.key) }
        for pattern in patterns where listeners[pattern] == nil {
            listeners[pattern] = host.services.events.on(pattern) { event in
                // Its own events and those about it would feed on themselves.
                guard event.payload["pluginId"]?.string != id.description,
                    event.source != "plugin/\(id)"
                else { return }
                await router.deliver(event, as: pattern, to: id, gate)
            }
        }
    }

    /// Stops what runs, in order: no new calls, those in flight finish, deactivate, the end.
    func rest() async {
        listeners = [:]
        gate.close(.gone)
        host.router.registry.remove(id)
        guard let generation = current else { return }
        current = nil
        await retire(generation, because: "\(generation.title) was stopped")
    }

    /// Lets an older generation finish its calls, deactivates it and ends it.
    private func retire(_ generation: Generation, because reason: String) async {
        let link = generation.worker.link
        link.askTasksToLeave(because: reason)
        if await !gate.drain(generation, within: generation.build.manifest.reload.drain) {
            link.stopTasks()
        }
        _ = await generation.hook(
            WIRE_CALL_DEACTIVATE, "deactivate", within: host.limits.deactivate)
        await end(generation)
    }

    private func end(_ generation: Generation) async {
        generation.worker.end(.stopped)
        if await generation.worker.ended.value(within: host.limits.end) == nil {
            host.publish(
                .error(
                    id, code: "notGone",
                    message:
                        "\(id): its process \(generation.worker.pid ?? -1) was killed and is not gone"
                ))
        }
    }

    // MARK: - Replacement

    /// Starts `build` beside `old`, switches, and retires `old`. If anything fails, or others of the same change do not
    /// come to serve, `old` serves on.
    func replace(
        _ old: Generation, with build: PluginBuild, _ settings: JSONValue, _ file: String,
        _ step: ChangeStep?
    ) async -> Refusal? {
        let begun = clinux_now()
        do throws(Registry.Clash) {
            try host.router.registry.claim(build)
        } catch {
            return kept(old, Refusal("nameTaken", error.description))
        }
        var started: Generation?
        var parked: Int64?
        do throws(StartError) {
            let new = try await prepare(build, settings, file)
            started = new
            if build.manifest.reload.state, old.extensions.contains(.state),
                new.extensions.contains(.state)
            {
                parked = clinux_now()
                try await handOver(from: old, to: new)
            } else {
                try await check(new)
            }
            guard current === old || current == nil else {
                throw .ended(step: "the switch", .stopped)
            }
            let oldSettings = self.settings, oldFile = self.file
            serve(new, settings, file)
            let served = clinux_now()
            if let end = await new.worker.ended.value(within: host.limits.probation),
                !old.worker.isOver
            {
                serve(old, oldSettings, oldFile ?? file)
                throw .ended(
                    step: "its first \(host.limits.probation.milliseconds) ms of serving", end)
            }
            if let why = await step?.agreement() {
                goBack(to: old, oldSettings, oldFile ?? file)
                await retire(new, because: "\(new.title) was taken back")
                throw .rolledBack(why.description)
            }
            watch(new)
            noteServed(build)
            set(.enabled, nil)
            gate.meter.add(1, to: .reloads)
            gate.meter.add(Int(served - begun), to: .reloadNanoseconds)
            host.publish(
                .reloaded(
                    id, version: "\(build.manifest.version)",
                    previousVersion: "\(old.build.manifest.version)", generation: new.number,
                    milliseconds: Double(served - begun) / 1_000_000,
                    parkedMilliseconds: Double(served - (parked ?? served)) / 1_000_000))
            await retire(old, because: "\(old.title) was replaced by \(new.title)")
            return nil
        } catch {
            if let started { await end(started) }
            // What crashed meanwhile comes back, and has its names until then.
            host.router.registry.release(id, except: (current ?? lost?.generation)?.build)
            return kept(old, Refusal(error))
        }
    }

    /// `old` serves again; if it has ended meanwhile, it is started again.
    private func goBack(to old: Generation, _ settings: JSONValue, _ file: String) {
        guard old.worker.isOver else { return serve(old, settings, file) }
        current = nil
        gate.park()
        lost = (old, Refusal("crashed", "its process ended while its replacement was tried"))
    }

    /// Tells that a replacement was given up.
    func kept(_ old: Generation, _ refusal: Refusal) -> Refusal {
        let note =
            current === old
            ? "generation \(old.number) (\(old.build.manifest.version)) serves on"
            : "generation \(old.number) (\(old.build.manifest.version)) ended meanwhile and is started again"
        host.publish(
            .error(id, code: refusal.code, message: "\(id): not replaced: \(refusal); \(note)"))
        return refusal
    }

    /// Carries the state over while the gate is parked: new calls wait, none fails.
    private func handOver(from old: Generation, to new: Generation) async throws(StartError) {
        gate.park()
        do throws(StartError) {
            let drain = old.build.manifest.reload.drain
            old.worker.link.askTasksToLeave(
                because: "\(old.title) was to be replaced by \(new.title)")
            guard await gate.drain(old, within: drain) else {
                throw .tooSlow(step: "draining its calls", milliseconds: drain.milliseconds)
            }
            switch await old.hook(WIRE_CALL_SAVE, "saving its state", within: host.limits.hook) {
            case .absent: break
            case .refused(let message): throw .state(message: message)
            case .failed(let error): throw error
            case .done(let state):
                switch await new.hook(
                    WIRE_CALL_RESTORE, "taking over the state", state, within: host.limits.hook)
                {
                case .done, .absent: break
                case .refused(let message): throw .state(message: message)
                case .failed(let error): throw error
                }
            }
            try await check(new)
        } catch {
            if current === old {
                old.worker.link.letTasksStay()
                gate.open(old, queue: old.build.manifest.limits.queue)
            }
            throw error
        }
    }
}
