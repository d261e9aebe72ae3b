// LabelProblem.swift — what is wrong with the labels of a new series. Next: Registry+Declaring.swift.

/// What is wrong with labels: as an error for whoever declares, as misuse for whoever records.
struct LabelProblem {
    let error: MetricsError
    let misuse: Misuse

    /// `nil` if they are in order.
    ///
    /// - Parameter isKnown: whether a label's name was found to be in order before.
    init?(_ labels: Labels, of metric: String, isKnown: (String) -> Bool = { _ in false }) {
        guard labels.count <= MetricName.labelLimit else {
            (error, misuse) = (
                .limitReached("labels of one series", MetricName.labelLimit), .tooManyLabels
            )
            return
        }
        for (name, value) in labels.elements {
            if !isKnown(name), let problem = MetricName.checkLabel(name) {
                (error, misuse) = (.invalidName("the label", name, problem), .invalidName)
                return
            }
            let size = value.utf8.count
            if size > MetricName.valueLimitBytes {
                error = .invalidName(
                    "the value of the label", name,
                    "it has \(size) bytes, the limit is \(MetricName.valueLimitBytes)")
                misuse = .labelTooLong
                return
            }
        }
        guard let (one, other) = Self.clash(labels) else { return nil }
        (error, misuse) = (.labelClash(metric: metric, one, other), .nameClash)
    }

    /// Two labels that have one name in Prometheus' formats.
    private static func clash(_ labels: Labels) -> (String, String)? {
        guard labels.elements.contains(where: { $0.0.utf8.contains { ".-".utf8.contains($0) } })
        else { return nil }
        var names: [String: String] = [:]
        for (name, _) in labels.elements {
            if let other = names.updateValue(name, forKey: MetricName.prometheusLabel(name)) {
                return (other, name)
            }
        }
        return nil
    }
}
