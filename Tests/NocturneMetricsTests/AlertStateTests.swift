// AlertStateTests.swift — from inactive over pending to firing and back, one table for each definition.
// Next: AlertOracleTests.swift, where Prometheus decides.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct AlertStateTests {
    /// A rule, and what an evaluation each ten seconds finds and leads to: `.` inactive, `p` pending, `F` firing.
    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let rule: AlertRule
        /// `#` holds, `-` does not, `~` holds only against the clear threshold, a blank is no data.
        let found: String
        let states: String

        init(
            _ description: String, for duration: Int = 0, _ found: String, _ states: String,
            change: (inout AlertRule) -> Void = { _ in }
        ) {
            (testDescription, self.found, self.states) = (description, found, states)
            rule = .errors(for: duration, change: change)
        }
    }

    static let stories = [
        Story("no duration: at once", "-#-##-", ".F.FF."),
        Story("a duration: when it is over", for: 20, "##-###-", "pp.ppF."),
        Story("a duration between two evaluations", for: 25, "####-", "pppF."),
        Story("pending is forgotten at the first that differs", for: 20, "#-#-##-", "p.p.pp."),
        Story("no data is as good as not holding", for: 20, "## ### ##", "pp.ppF.pp"),
        Story("it keeps firing", "#----#---", "FFFF.FFFF") { $0.keepFiringFor = .seconds(25) },
        Story(
            "keeping counts from the first that differs, anew after each that holds", "#--#---",
            "FFFFFF."
        ) { $0.keepFiringFor = .seconds(20) },
        Story("pending is not kept", for: 10, "#-##--", "p.pFFF") {
            $0.keepFiringFor = .seconds(60)
        },
        Story("no data does not end what is kept earlier", "#    #", "FFFF.F") {
            $0.keepFiringFor = .seconds(30)
        },
        Story("a clear threshold: only firing it is enough", "~#~~-~", ".FFF..") {
            $0.clearThreshold = 80
        },
        Story("a clear threshold does not begin or keep pending", for: 10, "#~##~-", "p.pFF.") {
            $0.clearThreshold = 80
        },
        Story("no data as alert", for: 10, "  -  -", "pF.pF.") { $0.noData = .alert },
        Story("no data after what holds goes on", for: 20, "#  -", "ppF.") { $0.noData = .alert },
        Story("keep: nothing happens without data", "-  #  -  #", "...FFF...F") {
            $0.noData = .keep
        },
        Story("keep: the time before no data does not count", for: 20, "# # # #", "ppppFFF") {
            $0.noData = .keep
        },
        Story("keep: firing is not kept away", "#-   -  -", "FFFFFFFF.") {
            ($0.noData, $0.keepFiringFor) = (.keep, .seconds(20))
        },
    ]

    @Test(arguments: stories) func `an alert is what its definition says`(story: Story) throws {
        var run = try AlertRun(story.rule)
        var states = ""
        var isFiring = false
        for (index, mark) in story.found.enumerated() {
            let value: Double? =
                switch mark {
                case "#": 101
                case "~": 90
                case "-": 80
                default: nil
                }
            let kinds = run.at(index * 10, value)
            switch run.state {
            case .inactive: states += "."
            case .pending: states += "p"
            case .firing: states += "F"
            case .disabled, nil: states += "?"
            }
            let isFiringNow = states.last == "F"
            // Told once on firing, once on the end, and never of anything else.
            #expect(
                kinds == (isFiringNow == isFiring ? [] : [isFiringNow ? .triggered : .resolved]),
                "at \(index)")
            isFiring = isFiringNow
        }
        #expect(states == story.states)
    }

    @Test func `conditions are those of IEEE 754`() {
        let values = [1, 2, 3, -0.0, .infinity, -.infinity, .nan]
        func met(_ condition: AlertRule.Condition, _ threshold: Double = 2) -> [Bool] {
            values.map { condition.holds($0, against: threshold) }
        }
        #expect(met(.gt) == [false, false, true, false, true, false, false])
        #expect(met(.gte) == [false, true, true, false, true, false, false])
        #expect(met(.lt) == [true, false, false, true, false, true, false])
        #expect(met(.lte) == [true, true, false, true, false, true, false])
        #expect(met(.eq) == [false, true, false, false, false, false, false])
        #expect(met(.neq) == [true, false, true, true, true, true, true])
        #expect(AlertRule.Condition.eq.holds(-0.0, against: 0))
    }

    @Test func `the worst gauge is the one nearest to the condition`() {
        func worst(_ condition: AlertRule.Condition, _ values: [Double]) -> Double? {
            AlertRule.errors(condition, threshold: 10).worst(of: values)
        }
        #expect(worst(.gt, [3, 12, 7]) == 12)
        #expect(worst(.lte, [3, 12, 7]) == 3)
        #expect(worst(.eq, [3, 12, 7]) == 12)
        #expect(worst(.eq, [10, 10.5]) == 10)
        #expect(worst(.neq, [10, 10, 9]) == 9)
        #expect(worst(.gt, [.nan, 1, .nan]) == 1)
        #expect(worst(.neq, [1, .nan, 10])?.isNaN == true)
        #expect(worst(.gt, [.nan])?.isNaN == true)
        #expect(worst(.gt, []) == nil)
    }

    @Test func `a wall clock that jumps changes nothing`() throws {
        var run = try AlertRun(.errors(for: 20))
        run.at(0, 101)
        run.epoch = UnixTime(seconds: 0)
        #expect(run.at(10, 101) == [])
        run.epoch = UnixTime(seconds: 4_000_000_000)
        #expect(run.at(19, 101) == [])
        run.epoch = UnixTime(milliseconds: .min)
        #expect(run.at(20, 101) == [.triggered])
        run.epoch = UnixTime(seconds: 0)
        #expect(run.at(21, 1) == [.resolved])
    }

    @Test func `an uptime that falls counts as one that stands`() throws {
        for value in [101, nil] as [Double?] {
            var run = try AlertRun(.errors(for: 20) { $0.noData = .keep })
            run.at(100, 101)
            run.at(110, 101)
            run.at(5, value)
            #expect(run.at(119, 101) == [])
            #expect(run.at(120, 101) == [.triggered])
        }
    }
}
