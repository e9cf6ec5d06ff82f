package import WeirEngine
package import WeirRelay
package import WeirWire

/// A collector of a relay's records, which lets a test wait for one.
package final class RecordCollector: Sendable {
    /// The error that a record did not arrive in time.
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Waiter {
        var id: Int
        var left: Int
        var matches: @Sendable (FlowRecord) -> Bool
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var records: [FlowRecord] = []
        var bytes: [FlowID: [Direction: [UInt8]]] = [:]
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state = Lock(State())

    package init() {}

    /// The records so far.
    package var records: [FlowRecord] { state.withLock { $0.records } }

    /// The happenings so far, in order.
    package var happenings: [FlowRecord.Happening] { records.map(\.happening) }

    /// Returns the bytes shown of one direction of a flow.
    package func bytes(_ flow: FlowID, _ direction: Direction) -> [UInt8] {
        state.withLock { $0.bytes[flow]?[direction] ?? [] }
    }

    /// Waits until at least a number of records match, and returns all that match.
    ///
    /// - Parameters:
    ///   - count: The number of records.
    ///   - what: The name of the records for the error.
    ///   - matches: Returns whether a record matches.
    /// - Returns: All records that match.
    /// - Throws: `Missing` if fewer arrive in time.
    @discardableResult
    package func wait(
        for count: Int = 1,
        _ what: String,
        _ matches: @escaping @Sendable (FlowRecord) -> Bool
    ) async throws -> [FlowRecord] {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let deadline = Task { [weak self] in
            try await Task.sleep(for: LoopbackSocket.patience)
            self?.giveUp(id)
        }
        defer { deadline.cancel() }
        let isThere = await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                let left = count - state.records.count(where: matches)
                if left > 0 {
                    state.waiters.append(Waiter(id: id, left: left, matches: matches, continuation: continuation))
                }
                return left <= 0
            }
            if isThere { continuation.resume(returning: true) }
        }
        let found = records.filter(matches)
        guard isThere else {
            throw Missing(
                description: "\(found.count) of \(count) records came in time: \(what); \(records.suffix(20))"
            )
        }
        return found
    }

    /// Waits until a number of flows have ended, and returns their summaries.
    @discardableResult
    package func closes(_ count: Int = 1) async throws -> [CloseRecord] {
        try await wait(for: count, "close") { $0.closed != nil }.compactMap(\.closed)
    }

    private func giveUp(_ id: Int) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: false)
    }

    fileprivate func add(_ record: FlowRecord, _ chunk: RawSpan) {
        let done = state.withLock { state -> [Waiter] in
            state.records.append(record)
            if let forwarded = record.forwarded, chunk.byteCount > 0 {
                chunk.withUnsafeBytes {
                    state.bytes[record.flow, default: [:]][forwarded.direction, default: []] += $0
                }
            }
            for index in state.waiters.indices where state.waiters[index].matches(record) {
                state.waiters[index].left -= 1
            }
            defer { state.waiters.removeAll { $0.left <= 0 } }
            return state.waiters.filter { $0.left <= 0 }
        }
        for waiter in done { waiter.continuation.resume(returning: true) }
    }

    /// Returns the collector as a relay's output; nothing is written.
    package func output(_ interest: Interest = .chunks, overflow: SinkOutput.Overflow = .wait) -> SinkOutput {
        SinkOutput(
            name: "the test",
            sink: CollectingSink(interest: interest, collector: self),
            descriptor: -1,
            overflow: overflow
        )
    }
}

/// A sink that passes records on to a collector.
private struct CollectingSink: Sink {
    let interest: Interest
    let collector: RecordCollector

    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        collector.add(record, bytes)
    }
}

extension FlowRecord {
    /// Whether this is the record of the flow's beginning.
    package var isOpened: Bool { happening == .opened }
    /// The summary if the flow ended; otherwise nil.
    package var closed: CloseRecord? { if case .closed(let record) = happening { record } else { nil } }
    /// The chunk if one was forwarded; otherwise nil.
    package var forwarded: ChunkRecord? { if case .forwarded(let record) = happening { record } else { nil } }
    /// The loss if bytes or datagrams were lost; otherwise nil.
    package var dropped: DropRecord? { if case .dropped(let record) = happening { record } else { nil } }
    /// The error if the server refused; otherwise nil.
    package var refused: ErrorNumber? { if case .refused(let error) = happening { error } else { nil } }
    /// Whether this is the record of a successful dial.
    package var isConnected: Bool { if case .connected = happening { true } else { false } }
}
