/// The last events of one kind, limited in number and in bytes.
struct EventRing {
    private var events: [EventLog.Event] = []
    private var head = 0
    private var bytes = 0
    /// The number of the last event that was dropped; 0 if none was.
    private(set) var lastGone: UInt64 = 0

    /// Adds an event, and drops the oldest; the newest stays, however large it is.
    mutating func append(_ event: EventLog.Event, bound: Int, byteBound: Int) {
        bytes += event.size
        events.append(event)
        while events.count - head > bound || (bytes > byteBound && head + 1 < events.count) {
            bytes -= events[head].size
            lastGone = events[head].id
            events[head].text = []
            events[head].textWithBytes = nil
            head += 1
        }
        if head > 1024, head * 2 > events.count {
            events.removeSubrange(..<head)
            head = 0
        }
    }

    /// Returns the first events with numbers above `id`.
    func events(after id: UInt64, limit: Int) -> ArraySlice<EventLog.Event> {
        var (low, high) = (head, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].id > id { high = middle } else { low = middle + 1 }
        }
        return events[low...].prefix(limit)
    }
}

/// For each of the last million events a bit that marks chunks, so that a loss can be counted by kind.
struct EventKinds {
    private static let words = 1 << 14
    private var words = [UInt64](repeating: 0, count: words)
    /// The number of the latest event.
    private(set) var newest: UInt64 = 0

    /// Assigns the next number to an event.
    mutating func add(isChunk: Bool) -> UInt64 {
        newest += 1
        let (word, bit) = Self.place(newest)
        words[word] = words[word] & ~bit | (isChunk ? bit : 0)
        return newest
    }

    /// Returns the number of chunks, of other events, and of events too old to tell, after one event through another.
    func count(after id: UInt64, through last: UInt64) -> (chunks: UInt64, others: UInt64, unknown: UInt64) {
        guard id < last else { return (0, 0, 0) }
        let known = UInt64(Self.words * 64)
        let start = min(last, max(id, newest > known ? newest - known : 0))
        var chunks: UInt64 = 0
        for number in start..<last {
            let (word, bit) = Self.place(number + 1)
            if words[word] & bit != 0 { chunks += 1 }
        }
        return (chunks, last - start - chunks, start - id)
    }

    private static func place(_ number: UInt64) -> (word: Int, bit: UInt64) {
        (Int(number / 64 % UInt64(words)), 1 << (number % 64))
    }
}
