// TaskSchema.swift — the tables of `tasks.db`, and the statements on them. Next: TaskRow.swift.

internal import GRDB

extension Schema {
    /// The tables of `tasks.db`.
    static let tasks = Schema(
        steps: [tasksVersion1], queries: TaskQuery.allCases.map(\.rawValue),
        contents: "tasks and schedules")

    /// What never changes may be large, so it is written once, beside the row that changes with each step. Most
    /// indices are partial: what few tasks have costs the others nothing. `finished_count` is kept by triggers, so that
    /// nobody has to count.
    private static let tasksVersion1 = """
        CREATE TABLE task (
            id INTEGER PRIMARY KEY,
            state INTEGER NOT NULL,
            queue TEXT NOT NULL,
            name TEXT NOT NULL,
            priority INTEGER NOT NULL,
            created_ms INTEGER NOT NULL,
            due_ms INTEGER NOT NULL,
            started_ms INTEGER,
            finished_ms INTEGER,
            attempt INTEGER NOT NULL,
            retries INTEGER NOT NULL,
            crashes INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            token INTEGER NOT NULL,
            worker TEXT,
            graph INTEGER,
            schedule TEXT,
            held_until_ms INTEGER,
            result_expires_ms INTEGER,
            checkpoint TEXT,
            result TEXT,
            details TEXT
        ) STRICT;
        CREATE INDEX task_by_state ON task (state);
        CREATE INDEX task_by_name ON task (name, state) WHERE finished_ms IS NOT NULL;
        CREATE INDEX task_by_queue ON task (queue, state) WHERE finished_ms IS NOT NULL;
        CREATE INDEX task_by_end ON task (finished_ms) WHERE finished_ms IS NOT NULL;
        CREATE INDEX task_by_graph ON task (graph) WHERE graph IS NOT NULL;
        CREATE INDEX task_in_open_graph ON task (graph)
            WHERE graph IS NOT NULL AND finished_ms IS NULL;
        CREATE INDEX task_by_schedule ON task (schedule) WHERE schedule IS NOT NULL;
        CREATE INDEX task_held ON task (held_until_ms) WHERE held_until_ms IS NOT NULL;
        CREATE INDEX task_expiring ON task (result_expires_ms)
            WHERE result_expires_ms IS NOT NULL;
        CREATE TABLE origin (id INTEGER PRIMARY KEY, input TEXT NOT NULL, terms TEXT) STRICT;

        CREATE TABLE finished_count (
            queue TEXT NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL,
            tasks INTEGER NOT NULL,
            PRIMARY KEY (queue, name, state)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER task_inserted AFTER INSERT ON task WHEN new.finished_ms IS NOT NULL BEGIN
            INSERT INTO finished_count VALUES (new.queue, new.name, new.state, 1)
            ON CONFLICT DO UPDATE SET tasks = tasks + 1;
        END;
        CREATE TRIGGER task_ended AFTER UPDATE OF finished_ms ON task
        WHEN new.finished_ms IS NOT NULL
            AND (old.finished_ms IS NULL OR old.state <> new.state) BEGIN
            INSERT INTO finished_count VALUES (new.queue, new.name, new.state, 1)
            ON CONFLICT DO UPDATE SET tasks = tasks + 1;
        END;
        CREATE TRIGGER task_reopened AFTER UPDATE OF finished_ms ON task
        WHEN old.finished_ms IS NOT NULL
            AND (new.finished_ms IS NULL OR old.state <> new.state) BEGIN
            UPDATE finished_count SET tasks = tasks - 1
            WHERE (queue, name, state) = (old.queue, old.name, old.state);
        END;
        CREATE TRIGGER task_deleted AFTER DELETE ON task BEGIN
            DELETE FROM origin WHERE id = old.id;
            UPDATE finished_count SET tasks = tasks - 1
            WHERE old.finished_ms IS NOT NULL
                AND (queue, name, state) = (old.queue, old.name, old.state);
            DELETE FROM finished_count
            WHERE tasks = 0 AND (queue, name, state) = (old.queue, old.name, old.state);
        END;

        CREATE TABLE queue (name TEXT NOT NULL PRIMARY KEY, settings TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
        CREATE TABLE schedule (name TEXT NOT NULL PRIMARY KEY, settings TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
        CREATE TABLE number (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
        CREATE TABLE room (bytes BLOB) STRICT;
        """
}

/// A statement on the newest version of `tasks.db`.
enum TaskQuery: String, CaseIterable {
    case insert = """
        INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        """
    case insertOrigin = "INSERT INTO origin VALUES (?, ?, ?)"
    case update = """
        UPDATE task SET state = ?, due_ms = ?, started_ms = ?, finished_ms = ?, attempt = ?,
            retries = ?, crashes = ?, requests = ?, token = ?, worker = ?, held_until_ms = ?,
            result_expires_ms = ?, checkpoint = ?, result = ?, details = ?
        WHERE id = ?
        """
    /// ``TaskRow/init(_:)-(Row)`` reads what this and those like it answer.
    case task = "SELECT task.*, input, terms FROM task JOIN origin USING (id) WHERE id = ?"
    case inState = "SELECT task.*, input, terms FROM task JOIN origin USING (id) WHERE state = ?"
    case inGraph = "SELECT task.*, input, terms FROM task JOIN origin USING (id) WHERE graph = ?"
    case heldAfter = """
        SELECT task.*, input, terms FROM task JOIN origin USING (id)
        WHERE held_until_ms > ? AND finished_ms IS NOT NULL
        """
    case inOpenGraphs = """
        SELECT task.*, input, terms FROM task JOIN origin USING (id)
        WHERE finished_ms IS NOT NULL AND graph IN (
            SELECT graph FROM task WHERE graph IS NOT NULL AND finished_ms IS NULL)
        """

    case remove = "DELETE FROM task WHERE id = ?"

    case counts = "SELECT queue, name, state, tasks FROM finished_count WHERE tasks > 0"
    case finishedCount = "SELECT coalesce(sum(tasks), 0) FROM finished_count"
    case expireResults = """
        UPDATE task SET result = NULL, result_expires_ms = NULL WHERE result_expires_ms <= ?
        """
    case nextExpiry = "SELECT min(result_expires_ms) FROM task WHERE result_expires_ms IS NOT NULL"

    case queues = "SELECT settings FROM queue ORDER BY name"
    case putQueue = """
        INSERT INTO queue VALUES (?, ?) ON CONFLICT DO UPDATE SET settings = excluded.settings
        """
    case schedules = "SELECT name, settings FROM schedule ORDER BY name"
    case putSchedule = """
        INSERT INTO schedule VALUES (?, ?) ON CONFLICT DO UPDATE SET settings = excluded.settings
        """
    case removeSchedule = "DELETE FROM schedule WHERE name = ?"
    case number = "SELECT value FROM number WHERE name = ?"
    case setNumber = """
        INSERT INTO number VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value
        """
    case takeRoom = "INSERT INTO room VALUES (zeroblob(?))"
    case giveRoomBack = "DELETE FROM room"
}
