// Heap.swift — the least of many, found at once. Next: Lane.swift.

/// A binary heap: the least element is first.
package struct Heap<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    package init() {}

    /// Any elements, in linear time.
    package init(_ elements: [Element]) {
        self.elements = elements
        for index in (0..<elements.count / 2).reversed() { siftDown(index) }
    }

    package var count: Int { elements.count }
    package var isEmpty: Bool { elements.isEmpty }

    /// The least one.
    package var first: Element? { elements.first }

    package mutating func insert(_ element: Element) {
        elements.append(element)
        var index = elements.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard element < elements[parent] else { break }
            elements[index] = elements[parent]
            index = parent
        }
        elements[index] = element
    }

    /// Takes the least one out.
    package mutating func removeFirst() -> Element? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        if !elements.isEmpty {
            elements[0] = last
            siftDown(0)
        }
        return first
    }

    /// Keeps only those elements.
    package mutating func filter(_ isKept: (Element) -> Bool) {
        self = Heap(elements.filter(isKept))
    }

    private mutating func siftDown(_ start: Int) {
        let element = elements[start]
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < elements.count else { break }
            if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
            guard elements[child] < element else { break }
            elements[index] = elements[child]
            index = child
        }
        elements[index] = element
    }
}
