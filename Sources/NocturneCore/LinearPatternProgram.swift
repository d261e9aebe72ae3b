// LinearPatternProgram.swift — the instructions of an expression, and the simulation that runs them
// all at once. Next: JSONSchema.swift.

/// One instruction. Those that consume nothing are followed at once; the others wait for a scalar.
enum LinearPatternInstruction: Sendable {
    case scalar(UInt32)
    /// An index into ``LinearPatternProgram/sets``.
    case set(Int)
    case split(Int, Int)
    case jump(Int)
    case assertion(LinearPatternAssertion)
    case match
}

/// A program; execution begins at 0.
struct LinearPatternProgram: Sendable {
    private(set) var instructions: [LinearPatternInstruction] = []
    let sets: [LinearPatternSet]
    /// Whether every match begins at the start of the text, so that later starts need no trial.
    let isAnchored: Bool

    /// The tree's size has been checked by ``LinearPatternParser``, so this recursion is bounded.
    init(of tree: LinearPatternTree, sets: [LinearPatternSet]) {
        self.sets = sets
        isAnchored = Self.isAnchored(tree)
        emit(tree)
        instructions.append(.match)
    }

    private mutating func emit(_ tree: LinearPatternTree) {
        switch tree {
        case .empty:
            break
        case .scalar(let value):
            instructions.append(.scalar(value))
        case .set(let set):
            instructions.append(.set(set))
        case .assertion(let assertion):
            instructions.append(.assertion(assertion))
        case .sequence(let parts):
            for part in parts {
                emit(part)
            }
        case .choice(let branches):
            emitChoice(branches)
        case .repetition(let body, let minimum, let maximum):
            for _ in 0..<minimum {
                emit(body)
            }
            if let maximum {
                emitOptional(body, count: maximum - minimum)
            } else {
                emitEndless(body)
            }
        }
    }

    private mutating func emitChoice(_ branches: [LinearPatternTree]) {
        var jumps: [Int] = []
        for branch in branches.dropLast() {
            let split = reserve()
            emit(branch)
            jumps.append(reserve())
            instructions[split] = .split(split + 1, instructions.count)
        }
        if let last = branches.last {
            emit(last)
        }
        for jump in jumps {
            instructions[jump] = .jump(instructions.count)
        }
    }

    private mutating func emitOptional(_ body: LinearPatternTree, count: Int) {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(reserve())
            emit(body)
        }
        for split in splits {
            instructions[split] = .split(split + 1, instructions.count)
        }
    }

    private mutating func emitEndless(_ body: LinearPatternTree) {
        let split = reserve()
        emit(body)
        instructions.append(.jump(split))
        instructions[split] = .split(split + 1, instructions.count)
    }

    /// A place whose instruction is known later.
    private mutating func reserve() -> Int {
        instructions.append(.match)
        return instructions.count - 1
    }

    private static func isAnchored(_ tree: LinearPatternTree) -> Bool {
        switch tree {
        case .assertion(.start): true
        case .sequence(let parts): parts.first.map(isAnchored) ?? false
        case .choice(let branches): branches.allSatisfy(isAnchored)
        case .repetition(let body, let minimum, _): minimum > 0 && isAnchored(body)
        default: false
        }
    }
}

/// The memory of a match, reusable for any number of matches with any programs.
struct LinearPatternScratch {
    /// Instructions that wait for the next scalar, each at most once.
    private var waiting: [Int] = []
    private var upcoming: [Int] = []
    private var unfollowed: [Int] = []
    /// The last generation in which each instruction was reached. Generations never repeat, so
    /// nothing is cleared between scalars or matches.
    private var reached: [Int] = []
    private var generation = 0

    /// The two scalars around the current place; `nil` at an end of the text.
    private struct Place {
        var before: UInt32?, after: UInt32?

        func satisfies(_ assertion: LinearPatternAssertion) -> Bool {
            switch assertion {
            case .start: before == nil
            case .end: after == nil
            case .wordBoundary: isWord(before) != isWord(after)
            case .noWordBoundary: isWord(before) == isWord(after)
            }
        }

        private func isWord(_ value: UInt32?) -> Bool {
            switch value {
            case .some(0x30...0x39), .some(0x41...0x5A), .some(0x5F), .some(0x61...0x7A): true
            default: false
            }
        }
    }

    /// Whether `program` matches somewhere in `text`. See ``LinearPattern/matches(_:budget:)``.
    mutating func search(
        _ text: String, with program: LinearPatternProgram, budget: inout Int
    ) throws(LinearPatternError) -> Bool {
        if reached.count < program.instructions.count {
            // Paid for like steps, since it is work that a short text would not explain.
            budget -= program.instructions.count / 8
            reached = [Int](repeating: 0, count: program.instructions.count)
            generation = 0
        }
        generation += 1
        waiting.removeAll(keepingCapacity: true)
        var scalars = text.unicodeScalars.makeIterator()
        var place = Place(before: nil, after: scalars.next()?.value)
        while true {
            if place.before == nil || !program.isAnchored {
                upcoming.removeAll(keepingCapacity: true)
                swap(&upcoming, &waiting)
                let isMatch = follow(from: 0, of: program, at: place, budget: &budget)
                swap(&upcoming, &waiting)
                if isMatch {
                    return true
                }
            }
            guard let scalar = place.after, !(waiting.isEmpty && program.isAnchored) else {
                return false
            }
            place = Place(before: scalar, after: scalars.next()?.value)
            if step(over: scalar, with: program, to: place, budget: &budget) {
                return true
            }
            guard budget >= 0 else {
                throw .budgetExhausted
            }
        }
    }

    /// Moves every waiting instruction that accepts `scalar`. True once the program has matched.
    private mutating func step(
        over scalar: UInt32, with program: LinearPatternProgram, to place: Place,
        budget: inout Int
    ) -> Bool {
        generation += 1
        upcoming.removeAll(keepingCapacity: true)
        budget -= 1 + waiting.count
        for index in 0..<waiting.count {
            let address = waiting[index]
            let isAccepted =
                switch program.instructions[address] {
                case .scalar(let value): value == scalar
                case .set(let set): program.sets[set].contains(scalar)
                default: false
                }
            if isAccepted, follow(from: address + 1, of: program, at: place, budget: &budget) {
                return true
            }
        }
        swap(&waiting, &upcoming)
        return false
    }

    /// Adds to `upcoming` what can be reached from `address` without a scalar. True if that is
    /// `match`.
    private mutating func follow(
        from address: Int, of program: LinearPatternProgram, at place: Place, budget: inout Int
    ) -> Bool {
        unfollowed.removeAll(keepingCapacity: true)
        unfollowed.append(address)
        while let address = unfollowed.popLast() {
            budget -= 1
            guard reached[address] != generation else {
                continue
            }
            reached[address] = generation
            switch program.instructions[address] {
            case .scalar, .set:
                upcoming.append(address)
            case .split(let first, let second):
                unfollowed.append(second)
                unfollowed.append(first)
            case .jump(let target):
                unfollowed.append(target)
            case .assertion(let assertion):
                if place.satisfies(assertion) {
                    unfollowed.append(address + 1)
                }
            case .match:
                return true
            }
        }
        return false
    }
}
