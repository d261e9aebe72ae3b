// JSONSchemaEvaluated.swift — which elements or properties of one value some keyword has looked at
// already. What `unevaluatedItems` and `unevaluatedProperties` need to know. Next:
// JSONSchemaRun.swift.

/// Children of one array or object, by their position. Costs nothing unless wanted.
struct JSONSchemaEvaluated {
    /// Whether anything is recorded at all.
    let isWanted: Bool
    private var isAll = false
    private var words: [UInt64] = []

    init(isWanted: Bool = false) {
        self.isWanted = isWanted
    }

    /// Machine words that a union has to walk over.
    var cost: Int { words.count }

    func contains(_ position: Int) -> Bool {
        let word = position / 64
        return isAll || word < words.count && words[word] >> UInt64(position % 64) & 1 == 1
    }

    mutating func insert(_ position: Int) {
        guard isWanted, !isAll else {
            return
        }
        let word = position / 64
        while words.count <= word {
            words.append(0)
        }
        words[word] |= 1 << UInt64(position % 64)
    }

    mutating func insertAll() {
        guard isWanted else {
            return
        }
        isAll = true
        words = []
    }

    mutating func formUnion(_ other: JSONSchemaEvaluated) {
        guard !isAll else {
            return
        }
        guard !other.isAll else {
            insertAll()
            return
        }
        while words.count < other.words.count {
            words.append(0)
        }
        for (index, word) in other.words.enumerated() {
            words[index] |= word
        }
    }
}
