// HierarchicalStrategy+Review.swift — accept, revise, reject: what happens between a result and its acceptance.
// Next: ReviewVerdict.swift.

internal import NocturneCore

extension HierarchicalStrategy {
    /// Has a result judged, if somebody judges here.
    mutating func review(_ place: Int) -> [StrategyCommand] {
        guard isReviewed, hasReviewer(besides: tree[place].doer) else { return complete(place) }
        tree[place].state = .inReview
        let node = tree[place]
        let id = WorkID(made: "\(node.id)#review\(node.attempt)")
        owners[id] = place
        return [
            .assign(
                Work(
                    id, kind: .review, text: node.subtask.text,
                    payload: [
                        "result": node.result,
                        "by": node.doer.map { .string($0.description) } ?? .null,
                        "revision": JSONValue(node.revisions),
                    ], assignee: .role(.reviewer), excluding: node.doer.map { [$0] } ?? [],
                    weight: 0))
        ]
    }

    mutating func takeReview(_ end: WorkEnd, of place: Int) -> [StrategyCommand] {
        guard let answer = end.answer else {
            // Work that was done is not lost because nobody judged it.
            let cause = end.failure?.description ?? "it was taken back"
            return [.note("\(tree[place].id) is accepted without a review: \(cause)")]
                + complete(place)
        }
        switch ReviewVerdict(json: answer.value) {
        case .accept: return complete(place)
        case .revise(let comment) where tree[place].revisions < revisions:
            return sendBack(place, comment)
        case .revise(let comment), .reject(let comment): return reject(place, comment)
        case nil:
            return [.note("\(tree[place].id) is accepted: its review is no verdict")]
                + complete(place)
        }
    }

    /// Whoever did it does it again, and better.
    mutating func sendBack(_ place: Int, _ comment: String) -> [StrategyCommand] {
        guard tree[place].revisions < revisions else { return reject(place, comment) }
        tree[place].revisions += 1
        return again(place, comment, tree[place].doer.map { .agent($0) } ?? .anyone)
    }

    /// Somebody else does it.
    private mutating func reject(_ place: Int, _ comment: String) -> [StrategyCommand] {
        if let doer = tree[place].doer { tree[place].rejected.append(doer) }
        guard tree[place].rejected.count <= reassignments else {
            tree[place].isRejection = true
            return fail(place, "rejected: \(comment)")
        }
        tree[place].revisions = 0
        return again(place, comment, .anyone)
    }

    private mutating func again(
        _ place: Int, _ comment: String, _ assignee: Assignee
    ) -> [StrategyCommand] {
        let previous = tree[place].result
        tree[place].state = .working
        tree[place].attempt += 1
        tree[place].children = []
        return [
            .assign(
                work(
                    place, assignee: assignee,
                    adding: ["comment": .string(comment), "previous": previous]))
        ]
    }
}
