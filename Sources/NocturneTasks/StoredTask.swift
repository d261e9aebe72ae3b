// StoredTask.swift — a task as a row of `tasks.db`, and back. Next: StoredValue.swift.

internal import NocturneCore
internal import NocturneStorage

extension TaskRow {
    /// What the file holds of a task.
    init(_ task: TaskRecord) {
        self.init(
            id: task.id.number, queue: task.queue, name: task.name, input: task.input)
        state = Int(task.state.rawValue)
        priority = Int(task.priority.rawValue)
        (created, due) = (task.created.milliseconds, task.due.milliseconds)
        (started, finished) = (task.started?.milliseconds, task.finished?.milliseconds)
        (attempt, retries) = (Int(task.attempt), Int(task.retries))
        crashes = Int(task.crashes)
        requests = (task.isCancelRequested ? 1 : 0) | (task.isPauseRequested ? 2 : 0)
        (token, worker) = (task.token, task.worker?.description)
        guard task.hasDetails else { return }
        let fields = task.details
        (graph, schedule) = (fields.node?.graph.number, fields.run?.schedule)
        (checkpoint, result) = (fields.checkpoint, fields.result)
        heldUntil = task.heldUntil?.milliseconds
        if let keeps = fields.keepsResultFor, fields.result != nil {
            resultExpires = task.finished?.adding(keeps).milliseconds
        }
        details = fields.changing
        terms = fields.terms
    }
}

extension TaskRecord {
    /// The task that a row holds.
    init(_ row: TaskRow) throws(TaskError) {
        guard let priority = PriorityClass(rawValue: UInt8(clamping: row.priority)),
            let state = TaskState(rawValue: UInt8(clamping: row.state))
        else { throw .store("task \(row.id) has a state or a priority that nobody knows") }
        self.init(
            id: TaskID(row.id), name: row.name, queue: row.queue, input: row.input,
            priority: priority, state: state, retries: UInt32(clamping: row.retries),
            created: UnixTime(milliseconds: row.created), due: UnixTime(milliseconds: row.due))
        isCancelRequested = row.requests & 1 != 0
        isPauseRequested = row.requests & 2 != 0
        (attempt, crashes) = (UInt32(clamping: row.attempt), UInt32(clamping: row.crashes))
        started = row.started.map(UnixTime.init(milliseconds:))
        finished = row.finished.map(UnixTime.init(milliseconds:))
        (token, worker) = (row.token, row.worker.map { WorkerID($0) })
        if row.terms == nil, row.details == nil, row.checkpoint == nil, row.result == nil { return }
        do {
            var details = try TaskDetails(terms: row.terms, changing: row.details)
            (details.checkpoint, details.result) = (row.checkpoint, row.result)
            self.details = details
        } catch {
            throw .store("task \(row.id) cannot be read: \(error)")
        }
    }

    /// Until when its keys keep others away, though it has ended.
    fileprivate var heldUntil: UnixTime? {
        var end = idempotencyKey.map { _ in created.adding(NewTask.idempotencyPeriod) }
        if let unique, unique.states.contains(state) {
            let last = unique.period.map { created.adding($0) } ?? UnixTime(milliseconds: .max)
            end = max(end ?? last, last)
        }
        return end
    }
}

extension TaskDetails {
    /// What a task was asked for with.
    var wishes: JSONObject {
        var fields = JSONObject()
        fields["retry"] = retry.map(StoredValue.write)
        fields["timeout"] = timeout.map(StoredValue.write)
        fields["deadline"] = deadline.map(StoredValue.write)
        fields["key"] = key.map { [.init($0.name), .init($0.limit)] }
        fields["unique"] = unique.map(StoredValue.write)
        fields["idempotencyKey"] = idempotencyKey.map { .init($0) }
        fields["keepsResultFor"] = keepsResultFor.map(StoredValue.write)
        return fields
    }

    /// Reads ``wishes``.
    init(wishes stored: StoredValue) throws {
        self.init()
        retry = try stored["retry"]?.retryPolicy
        timeout = try stored["timeout"]?.duration
        deadline = try stored["deadline"]?.time
        key = try stored["key"].map {
            ConcurrencyKey(try $0.element(0).text, limit: try $0.element(1).int)
        }
        unique = try stored["unique"]?.uniqueKey
        idempotencyKey = try stored["idempotencyKey"]?.text
        keepsResultFor = try stored["keepsResultFor"]?.duration
    }

    /// What is fixed from the beginning, as JSON; `nil` if there is nothing.
    fileprivate var terms: String? {
        var fields = wishes
        fields["node"] = node.map { node in
            [
                "graph": .init(node.graph.number), "reference": .init(node.reference),
                "rule": .init(node.rule.rawValue), "onFailure": .init(node.onFailure.rawValue),
                "parents": .array(node.parents.map { .init($0.number) }),
            ]
        }
        fields["run"] = run.map { [.init($0.schedule), StoredValue.write($0.moment)] }
        return fields.isEmpty ? nil : JSONValue.object(fields).description
    }

    /// What else changes, as JSON; `nil` if there is nothing.
    fileprivate var changing: String? {
        var fields = JSONObject()
        fields["progress"] = progress.map(StoredValue.write)
        fields["failure"] = failure.map(StoredValue.write)
        if !attempts.isEmpty { fields["attempts"] = .array(attempts.map(StoredValue.write)) }
        if let node, node.completed + node.failed + node.skipped > 0 {
            fields["parents"] = [
                .init(node.completed), .init(node.failed), .init(node.skipped),
            ]
        }
        if run?.isWaiting == true { fields["isWaiting"] = true }
        return fields.isEmpty ? nil : JSONValue.object(fields).description
    }

    init(terms: String?, changing: String?) throws {
        if let terms { try self.init(terms: StoredValue(terms)) } else { self.init() }
        if let changing { try readChanging(StoredValue(changing)) }
    }

    private init(terms stored: StoredValue) throws {
        try self.init(wishes: stored)
        node = try stored["node"].map { node in
            GraphNode(
                graph: TaskID(try node.field("graph").int64),
                reference: try node.field("reference").text,
                rule: try node.field("rule").choice(),
                onFailure: try node.field("onFailure").choice(),
                parents: try node.field("parents").elements.map { TaskID(try $0.int64) })
        }
        run = try stored["run"].map {
            ScheduledRun(
                schedule: try $0.element(0).text, moment: try $0.element(1).time,
                isWaiting: false)
        }
    }

    private mutating func readChanging(_ stored: StoredValue) throws {
        progress = try stored["progress"]?.progress
        failure = try stored["failure"]?.failure
        attempts = try stored["attempts"]?.elements.map { try $0.attempt } ?? []
        if let parents = try stored["parents"] {
            node?.completed = try parents.element(0).int
            node?.failed = try parents.element(1).int
            node?.skipped = try parents.element(2).int
        }
        if try stored["isWaiting"]?.bool == true { run?.isWaiting = true }
    }
}
