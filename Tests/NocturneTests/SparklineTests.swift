// SparklineTests.swift — numbers as a line of text.

import Nocturne
import Testing

@testable import nocturne_plugins

@Suite struct SparklineTests {
    private static let inf = Double.infinity

    @Test(arguments: [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([-7, 0], "▁█"), ([3, nil, 4], "▁ █"),
        ([0, 0], "▁▁"), ([5, 5], "▅▅"), ([.nan, 1, 2], " ▁█"), ([-inf, 0, 1, inf], "▁▁██"),
        ([-1.7e308, 0, 1.7e308], "▁▅█"), ([inf], "▁"), ([nil, nil], "  "), ([], ""),
    ])
    func `the least is the lowest block, the greatest the highest, and nothing is a blank`(
        values: [Double?], line: String
    ) {
        #expect(Sparkline.line(values, isUnicode: true) == line)
        let ascii = Sparkline.line(values, isUnicode: false)
        #expect(ascii.count == line.count && ascii.utf8.allSatisfy { $0 < 128 })
    }

    @Test func `numbers that do not fit are joined by their means, and none is lost`() {
        let all = (0..<10).map { number -> Double? in Double(number) }
        #expect(Sparkline.fitted(all, to: 5) == [0.5, 2.5, 4.5, 6.5, 8.5])
        #expect(Sparkline.fitted([1, 2, 3], to: 2) == [1, 2.5])
        #expect(Sparkline.fitted([nil, nil, 3, 4], to: 2) == [nil, 3.5])
        #expect(Sparkline.fitted([1, 2], to: 2) == [1, 2])
    }

    @Test func `missing samples are one blank, and an unsteady clock is none`() {
        func line(_ seconds: [Int64]) -> String {
            let points = seconds.map { second -> JSONValue in
                ["time": JSONValue(second * 1_000), "value": JSONValue(second)]
            }
            let series: JSONValue = ["name": "m", "kind": "gauge", "points": .array(points)]
            return SeriesText(series).sparkline(width: 60)
        }
        #expect(
            line([0, 10, 20, 100, 110]).map { $0 == " " } == [
                false, false, false, true, false, false,
            ])
        #expect(!line([0, 10, 19, 32, 40]).contains(" "))
    }
}
