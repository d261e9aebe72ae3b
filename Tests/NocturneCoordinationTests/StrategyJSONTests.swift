// StrategyJSONTests.swift — the JSON that strategy plugins read and write. Next: ParallelStrategyTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct StrategyJSONTests {
    static let inputs: [StrategyInput] = [
        .started(
            StrategyStart(
                session: "s",
                goal: Goal(
                    "g", payload: [1], decompose: true, requires: ["swift"],
                    planner: "p",
                    budget: Budget(
                        works: 3, messages: 4, tokens: 5, cost: 1.5,
                        time: .seconds(6), tokensPerWork: 7)),
                roster: [
                    AgentDescriptor(
                        "a", role: .custom("critic"),
                        capabilities: Name.literal { () throws(CoordinationError) in
                            [try Capability("swift", score: 0.5)]
                        }, cost: 2, concurrency: 3, plans: false, heartbeat: .seconds(1))
                ], leader: "a", seed: .max, isFaultTolerant: false)),
        .agentJoined(AgentDescriptor("b", role: .reviewer)), .agentLeft("b", reason: "tired"),
        .leaderChanged("b"), .leaderChanged(nil), .workStarted("w/1", by: "a", attempt: 2),
        .workEnded(
            WorkEnd(
                "w",
                .succeeded(
                    WorkAnswer(
                        ["x": 1], delegating: ["subtasks": []], handingTo: "c",
                        usage: Usage(tokens: 3, cost: 0.5))), by: "a", attempts: 2,
                duration: .milliseconds(30), usage: Usage(works: 2))),
        .workEnded(WorkEnd("w", .failed(WorkFailure(.timedOut, "too long")))),
        .workEnded(WorkEnd("w", .cancelled, attempts: 0)),
        .planReceived(
            request: "p",
            Plan([
                Subtask("a", text: "A"),
                Subtask(
                    "b", text: "B", payload: 1, requires: ["c"], after: ["a"], agent: "x",
                    weight: 2, tokens: 9),
            ]), by: "l"),
        .planFailed(request: "p", .noPlanner("nobody")),
        .planFailed(
            request: "p",
            .invalid(attempts: 3, [PlanProblem(.cycle, of: "a", "a waits for itself")])),
        .planFailed(request: "p", .unanswered(WorkFailure(.crashed, "died"))),
        .message(from: "a", "hello"), .message(from: nil, .null), .timerFired("t"),
        .answered(question: "q", "yes", isDefault: true), .budgetWarning(.tokens), .wrapUp(.time),
        .paused, .resumed, .quiescent,
    ]

    static let commands: [StrategyCommand] = [
        .assign(Work("w", text: "do")),
        .assign(
            Work(
                "w", kind: .review, text: "do", payload: [true], requires: ["a"],
                assignee: .agent("x"), excluding: ["y"], weight: 0, timeout: .seconds(2),
                attempts: 1, tokens: 8, isWrapUp: true)),
        .assign(Work("w", text: "do", assignee: .role(.custom("critic")))),
        .hedge("w"), .cancel("w"),
        .plan(PlanRequest("p", by: "l", text: "split", payload: 2, ancestors: ["a"])),
        .plan(PlanRequest("p", text: "split")),
        .validate(request: "d", plan: ["subtasks": []], by: "a", ancestors: ["l"]),
        .send(.agent("a"), "x"), .send(.everyone, "x"), .send(.topic("news"), "x"),
        .setTimer("t", after: .milliseconds(5)), .cancelTimer("t"),
        .ask(
            Question(
                "q", text: "go on?", options: ["yes", "no"], deadline: .seconds(3),
                defaultAnswer: "no")),
        .expect(weight: 2.5),
        .finish(
            OutcomeProposal(
                .failed(.noQuorum), value: 1, explanation: "two of five",
                dissent: [Dissent("a", "against")])),
        .finish(OutcomeProposal(.budgetExhausted(.cost))), .finish(OutcomeProposal(.completed)),
        .note("because"),
    ]

    @Test(arguments: inputs) func `an input reads back as what it was`(
        input: StrategyInput
    ) throws {
        let text = input.json.serialized()
        #expect(try StrategyInput(json: JSONParser.parse(text)) == input)
        #expect(input.json["type"]?.string == input.type)
    }

    @Test(arguments: commands) func `a command reads back as what it was`(
        command: StrategyCommand
    ) throws {
        let text = command.json.serialized()
        #expect(try StrategyCommand(json: JSONParser.parse(text)) == command)
    }

    @Test(arguments: [
        (#"[]"#, "command: expected an object, found array"),
        (#"{}"#, "command.type: expected a string, found nothing"),
        (#"{"type":"fly"}"#, #"command.type: expected a kind of command, found "fly""#),
        (
            #"{"type":"assign","work":{"id":"w","text":1}}"#,
            "command.work.text: expected a string, found 1"
        ),
        (
            #"{"type":"setTimer","timer":"t","after":-1}"#,
            "command.after: expected milliseconds from 0 to 100 years, found -1"
        ),
        (
            #"{"type":"finish","outcome":{"status":"failed","reason":"bored"}}"#,
            #"command.outcome.reason: expected invalidPlan, noPlanner, workFailed, unassignable, noQuorum, "#
                + #"noDecision, quiescentWithoutResult, stalled, strategyFailed, found "bored""#
        ),
    ])
    func `a command that makes no sense is refused by the path of its field`(
        text: String, message: String
    ) throws {
        let json = try JSONParser.parse(text)
        let error = #expect(throws: CoordinationError.self) { try StrategyCommand(json: json) }
        #expect(error?.description == message)
    }
}
