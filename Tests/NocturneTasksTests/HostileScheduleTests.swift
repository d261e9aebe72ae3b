// HostileScheduleTests.swift — texts and moments that nobody means well with. Next: SentenceTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct HostileScheduleTests {
    @Test(arguments: [
        "0", "*", ",", "-", "/", "#", "L", "W", "?", " ", "@", "9", "MON", "1,", "*/1,", "1-2/3,",
        "\u{0}", "\u{301}", "🦉", "TZ=", "CRON_TZ=../", "@every 9", "\n",
    ])
    func `4 KiB of anything is refused at once`(unit: String) throws {
        let text = String(repeating: unit, count: 4_096 / unit.utf8.count)
        let error = try #require(try refusal(text))
        #expect(error == .tooLong(bytes: text.utf8.count, limit: 1_024))
        for length in [1, 100, 1_024] {
            // As much as is read at all, alone and as a field.
            let text = String(repeating: unit, count: length / unit.utf8.count)
            _ = try refusal(text)
            for lead in ["", "* ", "* * ", "* * * ", "* * * * "] {
                _ = try refusal(lead + text + " * * * *")
            }
            #expect("\(String(describing: try refusal(text + "!")))".count < 600)
        }
    }

    @Test func `random bytes of the alphabet end at once`() throws {
        let alphabet = Array("0123456789*,-/#?LW@ \tMONJANevery")
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            let text = String((0..<random.below(30)).map { _ in random.pick(alphabet) })
            guard let error = try refusal(text), let place = error.place else { continue }
            guard (1...text.count + 1).contains(place.column) else {
                Issue.record("\(text) is said to be wrong at \(place.column)")
                return
            }
        }
    }

    @Test func `the longest text that is read has a canonical form of its own`() throws {
        let minutes = (0..<60).map(String.init).joined(separator: ",")
        let years = (2_026...2_099).map(String.init).joined(separator: ",")
        let text = "\(minutes) \(minutes) 0 1 1 * \(years)"
        #expect(text.utf8.count <= 1_024)
        #expect(try CronExpression(text).description == text)
    }

    @Test(arguments: [Int64.min, -9_000_000_000_000_000, 0, 9_000_000_000_000_000, Int64.max])
    func `absurd moments have no next run or a later one`(milliseconds: Int64) throws {
        let time = UnixTime(milliseconds: milliseconds)
        for zone in [Zone.utc, try Zone("Europe/Berlin")] {
            for text in ["* * * * *", "0 0 29 2 *", "@every 1s", "@every 3650d"] {
                guard let schedule = try? Schedule(text, from: time, in: zone) else { continue }
                let next = try #require(schedule.next(after: time))
                #expect(next > time)
                #expect(schedule.next(after: UnixTime(milliseconds: .max)) == nil)
            }
        }
        // The year 9999 has a last minute.
        let end = try moment("9999-12-31T23:58:59")
        let schedule = try Schedule("* * * * *", from: end)
        #expect(schedule.next(3, after: end).map(show) == ["9999-12-31T23:59:00Z"])
    }

    @Test func `no search takes long`() throws {
        let start = try moment("1850-01-01T00:00")
        let zones = try ["Europe/Berlin", "Africa/Casablanca", "UTC"].map { try Zone($0) }
        let clock = ContinuousClock()
        for zone in zones {
            for text in [
                "30 2 * 3 7L", "* 2 * 3 7L", "0 0 * 2 MON#5", "0 0 29 2 *", "59 23 31 12 *",
                "* * 29W 2 6#5", "0 0 0 29 2 1#5 2096", "0 0 0 29 2 * 2098/1",
            ] {
                let took = clock.measure {
                    _ = try? Schedule(text, from: start, in: zone, gap: .skip).next(
                        50, after: start)
                }
                // Without optimization, on a busy machine; optimized it is below 5 ms.
                #expect(took < .seconds(2), "\(text) in \(zone)")
            }
        }
    }
}
