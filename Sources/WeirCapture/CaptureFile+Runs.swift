import WeirEngine
import WeirSinks
public import WeirWire

/// A flow as the relay that had it names it, in captures and in logs: its number and its endpoints when it was opened.
///
/// A capture and a log that name the same one are of the same run: the ports of clients and of egresses differ.
public struct RelayedFlow: Hashable, Sendable {
    /// The flow's number in the relay.
    public var number: UInt64
    /// The client's endpoint.
    public var client: Endpoint
    /// The listener's endpoint.
    public var listener: Endpoint
    /// The relay's endpoint on the way to the server; nil if there was none.
    public var egress: Endpoint?
    /// The server's endpoint; nil if the flow ended at the listener.
    public var server: Endpoint?

    /// Creates a flow from its parts.
    public init(number: UInt64, client: Endpoint, listener: Endpoint, egress: Endpoint?, server: Endpoint?) {
        (self.number, self.client, self.listener) = (number, client, listener)
        (self.egress, self.server) = (egress, server)
    }
}

/// The runs of a relay in a log.
public struct FoundRuns: Sendable {
    /// The number of runs.
    public var count = 1
    /// The flow by which each run was found, by the run's number, from 1.
    public var found: [Int: RelayedFlow] = [:]
}

extension CaptureFile {
    /// Finds out which runs of a relay's log opened one of some flows, by reading all of it.
    ///
    /// - Parameter flows: The flows to look for.
    /// - Returns: The runs.
    /// - Throws: `CaptureFailure.system` or `.gzip` if the file cannot be read.
    /// - Precondition: Nothing was read from the file.
    public mutating func runs(opening flows: Set<RelayedFlow>) throws(CaptureFailure) -> FoundRuns {
        var search = RunSearch(flows)
        while try readPiece() > 0 {
            stream.takeAll { search.read($0) }
        }
        search.finish()
        return search.result
    }
}

/// The search for runs in the lines of a log.
private struct RunSearch {
    private let flows: Set<RelayedFlow>
    private var lines = LineReader(longest: LogCapture.longestLine)
    private var reader = LogRecordReader()
    private var runs = LogRuns()
    private(set) var result = FoundRuns()

    init(_ flows: Set<RelayedFlow>) {
        self.flows = flows
    }

    mutating func read(_ piece: UnsafeRawBufferPointer) {
        var rest = piece
        while let line = lines.next(&rest) { read(line) }
    }

    mutating func finish() {
        if let line = lines.finish() { read(line) }
    }

    private mutating func read(_ line: LineReader.Line) {
        line.withBytes { bytes in
            guard let bytes, Self.opens(bytes), case .record(let record) = reader.read(bytes) else { return }
            if runs.open(record.flow) { result.count = runs.count }
            _ = runs.renumber(record)
            let path = record.path
            let flow = RelayedFlow(
                number: record.flow.rawValue,
                client: path.client,
                listener: path.listener,
                egress: path.egress,
                server: path.server
            )
            if flows.contains(flow) { result.found[runs.count] = flow }
        }
    }

    /// Returns whether a line opens a flow; the event is one of its first members.
    private static func opens(_ line: UnsafeRawBufferPointer) -> Bool {
        guard var cursor = JSONCursor(line), cursor.take(UInt8(ascii: "{")) else { return false }
        while let key = cursor.string() {
            guard cursor.take(UInt8(ascii: ":")), let value = cursor.value() else { return false }
            if key.elementsEqual("event".utf8) { return value.elementsEqual("open".utf8) }
            guard cursor.take(UInt8(ascii: ",")) else { return false }
        }
        return false
    }
}
