// LabelsTests.swift — labels have no order, and their bytes count.

import NocturneMetrics
import Testing

@Suite struct LabelsTests {
    @Test func `the order of labels does not matter`() {
        let labels: Labels = ["a": "1", "b": "2"]
        #expect(labels == ["b": "2", "a": "1"])
        #expect(labels.hashValue == Labels(["b": "2", "a": "1"]).hashValue)
        #expect(labels != ["a": "2", "b": "1"])
    }

    @Test func `different bytes are different labels`() {
        let composed: Labels = ["city": "Orl\u{E9}ans"]
        #expect(composed != ["city": "Orle\u{301}ans"])
    }

    @Test func `of a name that is there twice, the last value counts`() {
        let labels: Labels = ["a": "1", "b": "2", "a": "3"]
        #expect(labels == ["a": "3", "b": "2"])
        #expect(labels.description == #"{a="3", b="2"}"#)
    }

    @Test(arguments: ["x", "\u{E9}", "ab", "\u{20AC}u"])
    func `a name is the same however its string was made`(unit: String) {
        for count in 1...20 {
            let text = String(repeating: unit, count: count)
            var reserved = String()
            reserved.reserveCapacity(100)
            reserved += text
            var cut = text + "-cut off again"
            cut.removeLast("-cut off again".count)
            let made = [
                text, reserved, cut, String((text + "?").dropLast()),
                String(decoding: Array(text.utf8), as: UTF8.self), "\(text)",
                text.uppercased().lowercased(), unit + String(repeating: unit, count: count - 1),
            ]
            for name in made {
                for other in made {
                    let labels = Labels([(name, "1"), (other, "2")])
                    #expect(labels.count == 1 && labels[text] == "2")
                    #expect(Labels([(name + "a", "1"), (other + "b", "2")]).count == 2)
                }
            }
        }
    }

    @Test func `a label that Prometheus would keep for itself is refused`() {
        #expect(
            ["__a", "_.a", "_-a", "le", "quantile"].allSatisfy { MetricName.checkLabel($0) != nil })
        #expect(["_a", "a__b", "_"].allSatisfy { MetricName.checkLabel($0) == nil })
    }
}
