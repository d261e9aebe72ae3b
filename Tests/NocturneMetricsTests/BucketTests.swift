// BucketTests.swift — which bucket a value is in, against powers of two that are worked out with 64 bits of mantissa.

import Glibc
import NocturneMetrics
import Testing

@Suite struct BucketTests {
    /// Of 2^(k/64), the greatest double that is not above it.
    private static let boundaries = (0..<64).map { k in
        Double(roundedDown: exp2(Float80(k) / 64))
    }

    private static func index(_ value: Double) -> Int32? {
        var sketch = Sketch()
        sketch.record(value)
        return sketch.positive.first?.index
    }

    @Test(arguments: [-1_021, -1_000, -64, -1, 0, 1, 10, 64, 1_000, 1_023])
    func `every boundary belongs to the bucket below it, and the next value to the one above`(
        exponent: Int
    ) {
        for (k, boundary) in Self.boundaries.enumerated() {
            let value = scalbn(boundary, Int32(exponent))
            let above = Int32(exponent * 64 + k)
            #expect(Self.index(value) == above - 1, "\(value), boundary \(k)")
            #expect(Self.index(value.nextUp) == above)
            // 1 is a power of two exactly, the others are not: what is one below them is below the boundary, too.
            #expect(Self.index(value.nextDown) == above - 1)
        }
    }

    @Test func `the bounds of a bucket are its least and greatest values`() {
        let sketch = Sketch()
        for index in stride(from: Int32(-65_344), through: 65_534, by: 1) {
            let bound = sketch.upperBound(index)
            guard Self.index(bound) == index, Self.index(bound.nextUp) == index + 1 else {
                Issue.record("bucket \(index) ends at \(bound)")
                return
            }
        }
        #expect(sketch.upperBound(-1) == 1)
        #expect(sketch.upperBound(63) == 2)
    }

    @Test(arguments: [5, 3, 0, -1, -4, -10])
    func `the bounds of coarser buckets are among those of finer ones`(scale: Int) {
        let (fine, coarse) = (Sketch(), Sketch(scale: scale))
        let width = Int32(1) << Int32(Sketch.finestScale - scale)
        for index in Int32(-3)...3 where abs((Int(index) + 1) * Int(width)) < 65_000 {
            #expect(coarse.upperBound(index) == fine.upperBound((index + 1) * width - 1))
        }
    }

    @Test func `what is too small for a normal number is a zero, and what is no number is nowhere`()
    {
        var sketch = Sketch()
        for value in [
            0, -0.0, Double.leastNonzeroMagnitude, .leastNormalMagnitude,
            -Double.leastNormalMagnitude,
        ] {
            sketch.record(value)
        }
        #expect(sketch.zeros == 5)
        for value in [Double.nan, .infinity, -.infinity, .signalingNaN] { sketch.record(value) }
        #expect(sketch.count == 5)
        sketch.record(Double.leastNormalMagnitude.nextUp)
        sketch.record(-Double.greatestFiniteMagnitude)
        #expect(sketch.positive == [.init(index: -1_022 * 64, count: 1)])
        #expect(sketch.negative == [.init(index: 1_024 * 64 - 1, count: 1)])
    }
}

extension Double {
    fileprivate init(roundedDown value: Float80) {
        let nearest = Double(value)
        self = Float80(nearest) > value ? nearest.nextDown : nearest
    }
}
