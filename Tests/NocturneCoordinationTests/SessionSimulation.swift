// SessionSimulation.swift — a session in virtual time, with agents that fail, crash, hang, answer twice, leave and come
// back, all by one seed; and what must hold at every moment of it. Next: SessionSimulationTests.swift.

import NocturneCore

@testable import NocturneCoordination

/// One schedule: a session, its agents, and all that goes wrong.
struct SessionSimulation {
    enum Action {
        case input(SessionInput)
        case join(AgentDescriptor)
        /// The process of the session dies: what its agents were at is gone, or comes too late.
        case die
    }
    struct Entry {
        let time: Duration
        let number: Int
        let action: Action
    }

    var generator: SeededGenerator
    var core: SessionCore
    var now = Duration.zero
    var queue: [Entry] = []
    var number = 0
    var log: [(SessionInput, Duration)] = []
    var effects: [[SessionEffect]] = []
    /// What is wrong; empty if all holds.
    var violations: [String] = []

    // The model: what is known from the effects alone.
    private var open: [Epoch: (agent: AgentID, work: WorkID)] = [:]
    private var concurrency: [AgentID: Int] = [:]
    private var answers: [WorkID: JSONValue] = [:]
    private var isPaused = false
    private(set) var outcome: Outcome?

    init(seed: UInt64, setup: SessionSetup) throws {
        generator = SeededGenerator(seed: seed)
        core = try SessionCore(setup, catalog: .builtIn)
    }

    mutating func schedule(_ action: Action, after delay: Duration) {
        number += 1
        let entry = Entry(time: now + delay, number: number, action: action)
        // Few are waiting at any time, so a sorted array is quick enough.
        var place = queue.count
        while place > 0,
            queue[place - 1].time < entry.time
                || (queue[place - 1].time == entry.time && queue[place - 1].number < entry.number)
        { place -= 1 }
        queue.insert(entry, at: place)
    }

    mutating func apply(_ input: SessionInput) {
        do throws(CoordinationError) {
            let result = try core.apply(input, at: now)
            log.append((input, now))
            effects.append(result)
            observe(input, result)
        } catch {
            // Refused: somebody who is gone left again, a resume without a pause. Nothing may have changed.
        }
    }

    /// Goes on until the execution has ended and nothing is left to come.
    mutating func run(inputLimit: Int = 20_000) {
        while log.count < inputLimit {
            let due = core.nextDue()
            if let entry = queue.last, entry.time <= due ?? entry.time {
                queue.removeLast()
                now = max(now, entry.time)
                perform(entry.action)
            } else if let due {
                now = max(now, due)
                apply(.tick)
            } else {
                break
            }
        }
        if outcome == nil { violations.append("the execution never ended") }
        if log.count >= inputLimit { violations.append("it went on for \(inputLimit) inputs") }
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .input(let input): apply(input)
        case .join(let agent):
            concurrency[agent.id] = agent.concurrency
            apply(.addAgent(agent))
        case .die:
            open = [:]
            apply(.interrupted)
        }
    }

    // MARK: - What must hold

    private mutating func observe(_ input: SessionInput, _ effects: [SessionEffect]) {
        if case .resume = input { isPaused = false }
        var isAnswerOfOpen = false, answered: WorkID?
        if case .runEnded(let epoch, let result) = input {
            if let run = open.removeValue(forKey: epoch) {
                isAnswerOfOpen = true
                if case .answered = result { answered = run.work }
            } else if !effects.contains(where: \.isLateRefusal) {
                violations.append("epoch \(epoch) was over, and its result was not refused")
            }
        }
        for effect in effects {
            switch effect {
            case .start(let assignment): start(assignment)
            case .stop(_, let epoch): open[epoch] = nil
            case .tell(.workCompleted(let end)):
                if answers[end.work] != nil { violations.append("\(end.work) was accepted twice") }
                if !isAnswerOfOpen || answered != end.work {
                    violations.append("\(end.work) was accepted from one who does not have it")
                }
                answers[end.work] = end.answer?.value
            case .tell(.paused): isPaused = true
            case .tell(.executionCompleted(let outcome)): finish(outcome)
            default: break
            }
        }
        if isPaused, core.isPaused, effects.contains(where: \.isStart), input.isPause {
            violations.append("something was started in a pause")
        }
    }

    private mutating func start(_ assignment: Assignment) {
        let agent = assignment.agent
        if core.isPaused { violations.append("\(assignment.work.id) was started in a pause") }
        if answers[assignment.work.id] != nil {
            violations.append("\(assignment.work.id) was started after it was done")
        }
        open[assignment.epoch] = (agent, assignment.work.id)
        let running = open.values.count { $0.agent == agent }
        if running > concurrency[agent] ?? 0 {
            violations.append("\(agent) has \(running) works at once")
        }
        answer(assignment)
    }

    private mutating func finish(_ outcome: Outcome) {
        if self.outcome != nil { violations.append("the execution ended twice") }
        self.outcome = outcome
        if !open.isEmpty { violations.append("something is still under way at the end") }
        let names = outcome.works.map(\.work)
        if Set(names).count != names.count { violations.append("a work is twice in the outcome") }
        for end in outcome.works where answers[end.work] != end.answer?.value {
            violations.append("\(end.work) is not in the outcome as it was accepted")
        }
        let known = Set(names)
        for work in answers.keys where !known.contains(work) && !work.description.hasPrefix("plan")
        {
            violations.append("\(work) was finished and is lost")
        }
    }
}

extension SessionEffect {
    var isStart: Bool { if case .start = self { true } else { false } }

    var isLateRefusal: Bool { if case .tell(.lateResultRefused) = self { true } else { false } }
}

extension SessionInput {
    fileprivate var isPause: Bool { if case .pause = self { true } else { false } }
}
