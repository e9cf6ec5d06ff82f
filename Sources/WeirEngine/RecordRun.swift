public import WeirWire

/// Successive records of one event loop, in the order of time among all loops, with the messages that end in them.
public struct RecordRun: Sendable {
    /// A message's record, with the index of the batch's record that it precedes.
    private struct ReadMessage {
        var index: Int
        var record: FlowRecord
    }

    /// The batch of which the records are a part; it keeps their bytes.
    private let batch: RecordBatch
    private let range: Range<Int>
    private var messages: [ReadMessage] = []
    /// The memory that is free after the run was read, in bytes: that of the batch, if the run ends it, and of the
    /// messages.
    public private(set) var cost: Int
    /// The memory that the run keeps alive, in bytes: that of the whole batch, and of the messages.
    public var held: Int { batch.cost + messagesCost }
    private var messagesCost = 0

    /// Makes a run of a range of a batch's records.
    public init(_ batch: RecordBatch, _ range: Range<Int>) {
        self.batch = batch
        self.range = range
        cost = range.upperBound == batch.records.count ? batch.cost : 0
    }

    /// Makes a run of all records of a batch.
    public init(_ batch: RecordBatch) { self.init(batch, 0..<batch.records.count) }

    /// Makes a run without records.
    public init() { self.init(RecordBatch()) }

    /// The number of records, with the messages.
    public var count: Int { range.count + messages.count }

    /// Calls a closure with each record, and with its chunk's bytes as far as they were kept.
    public func forEach(_ body: (FlowRecord, RawSpan) -> Void) {
        let bytes = batch.bytes
        var next = 0
        for index in range {
            while next < messages.count, messages[next].index == index {
                body(messages[next].record, RawSpan())
                next += 1
            }
            let record = batch.records[index]
            if let range = record.happening.keptRange {
                body(record, bytes.span.bytes.extracting(range))
            } else {
                body(record, RawSpan())
            }
        }
    }

    /// Adds the messages that a reader finds in the records.
    ///
    /// - Parameter read: gives a record, with its bytes, and receives the messages that end with it.
    public mutating func addMessages(_ read: (FlowRecord, RawSpan, (Message) -> Void) -> Void) {
        var (found, index) = ([ReadMessage](), range.lowerBound)
        messagesCost = 0
        forEach { record, bytes in
            read(record, bytes) { message in
                let happening = FlowRecord.Happening.message(message)
                let record = FlowRecord(of: record.subject, moment: record.moment, happening: happening)
                found.append(ReadMessage(index: index, record: record))
                messagesCost += message.cost
            }
            index += 1
        }
        messages = found
        cost += messagesCost
    }

    /// Returns the run without its chunks and messages, for a sink that has fallen behind, and the amount left out.
    ///
    /// - Parameter keepsWire: whether the sink wants what is known of sockets.
    /// - Returns: the rest, and the number of chunks.
    public func withoutChunks(keepsWire: Bool = false) -> (run: RecordRun, lost: LostChunks) {
        let (rest, lost) = batch.withoutChunks(range, keepsWire: keepsWire)
        return (RecordRun(rest), lost)
    }
}
