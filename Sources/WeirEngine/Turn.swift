public import WeirWire

/// One turn of a flow: the time of an event, and what the flow asks the relay to do about it.
///
/// The relay keeps one turn and uses it again, so that an event allocates nothing.
public struct Turn: Sendable {
    /// A record for the sinks.
    public struct Record: Hashable, Sendable {
        /// What happened.
        public var record: FlowRecord
        /// The bytes of an earlier chunk; nil if the record's bytes, if any, are those of the chunk just received.
        ///
        /// The turn owns them, whatever happens to the flow's queues before the action is performed.
        public var copy: [UInt8]?
    }

    /// The time.
    public var now: Moment
    /// The actions, in the order in which they are to be performed.
    public internal(set) var actions: [FlowAction] = []
    /// The records; an action `record` refers to one by its place.
    public internal(set) var records: [Record] = []

    /// Begins a turn without actions.
    public init(at now: Moment) {
        self.now = now
    }

    /// Forgets the actions of the last turn, and begins a new one at a time.
    public mutating func begin(at now: Moment) {
        self.now = now
        actions.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
    }

    mutating func ask(_ action: FlowAction) { actions.append(action) }

    mutating func record(_ record: FlowRecord, copy: [UInt8]? = nil) {
        actions.append(.record(records.count))
        records.append(Record(record: record, copy: copy))
    }
}
