// LabelProblem.swift — what is wrong with the labels of a new series. Next: Registry+Declaring.swift.

/// What is wrong with labels: as an error for whoever declares, as misuse for whoever records.
struct LabelProblem {
    let error: MetricsError
    let misuse: Misuse

    /// `nil` if they are in order.
    init?(_ labels: Labels, of metric: String) {
        guard labels.count <= MetricName.labelLimit else {
            (error, misuse) = (
                .limitReached("labels of one series", MetricName.labelLimit), .tooManyLabels
            )
            return
        }
        for pair in labels.pairs {
            if let problem = MetricName.checkLabel(pair.name) {
                (error, misuse) = (.invalidName("the label", pair.name, problem), .invalidName)
                return
            }
            let size = pair.value.utf8.count
            if size > MetricName.valueLimitBytes {
                error = .invalidName(
                    "the value of the label", pair.name,
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
        guard labels.pairs.contains(where: { MetricName.prometheusLabel($0.name) != $0.name })
        else {
            return nil
        }
        var names: [String: String] = [:]
        for pair in labels.pairs {
            if let other = names.updateValue(
                pair.name, forKey: MetricName.prometheusLabel(pair.name))
            {
                return (other, pair.name)
            }
        }
        return nil
    }
}
