// TaskTable+Lanes.swift — where tasks stand: the lanes and queues of a table, and what is swept out of them.
// Next: TaskTable+Add.swift.

extension TaskTable {
    /// The place of a lane; makes it, and its queue, if there is none.
    mutating func lane(queue: String, name: String) -> Int {
        let name = Lane.Name(queue: queue, name: name)
        if let lane = laneIndex[name] { return lane }
        if laneIndex.count >= laneSweepCount { forgetEmptyLanes() }
        let queue = place(ofQueue: queue)
        let lane = freeLanes.popLast() ?? lanes.count
        if lane == lanes.count {
            lanes.append(Lane(name: name, queue: queue))
        } else {
            lanes[lane] = Lane(name: name, queue: queue)
        }
        laneIndex[name] = lane
        queues[queue].lanes.append(lane)
        return lane
    }

    mutating func place(ofQueue name: String) -> Int {
        if let place = queueIndex[name] { return place }
        let place = freeQueues.popLast() ?? queues.count
        let queue = TaskQueue(settings: QueueSettings(name))
        if place == queues.count {
            queues.append(queue)
        } else {
            queues[place] = queue
        }
        queueIndex[name] = place
        return place
    }

    /// Names may come and go for years: lanes without tasks give their places back, and so do queues without lanes that
    /// nobody set up. Costs as much as making those that were made since the last time.
    private mutating func forgetEmptyLanes() {
        for (name, lane) in laneIndex where lanes[lane].isEmpty {
            forgottenTotals += lanes[lane].totals
            laneIndex[name] = nil
            freeLanes.append(lane)
        }
        laneSweepCount = max(1_024, laneIndex.count * 2)
        for (name, place) in queueIndex {
            queues[place].lanes.removeAll { lanes[$0].isEmpty }
            if queues[place].lanes.isEmpty, !queues[place].isConfigured {
                queueIndex[name] = nil
                freeQueues.append(place)
            }
        }
    }

    /// Passing over stale entries is cheap while they are few; when they are most, they go.
    mutating func sweep(lane: Int) {
        guard lanes[lane].stale > 64, lanes[lane].stale * 2 > lanes[lane].ready.count else {
            return
        }
        let records = records
        lanes[lane].ready.filter { records.isReady($0) }
        lanes[lane].stale = 0
    }

    mutating func sweepTimers() {
        guard staleTimers > 1_024, staleTimers * 2 > timers.count else { return }
        let copy = self
        timers.filter { copy.isLive($0) }
        staleTimers = 0
    }
}
