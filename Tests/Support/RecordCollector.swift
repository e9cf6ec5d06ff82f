package import WeirFlow
package import WeirRelay
package import WeirWire

/// Collects the records of a relay, and lets a test wait for one.
package final class RecordCollector: Sendable {
    /// Says that a record did not come in time.
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

    /// Lists what has come.
    package var records: [FlowRecord] { state.withLock { $0.records } }

    /// Lists what happened, in order.
    package var happenings: [FlowRecord.Happening] { records.map(\.happening) }

    /// Returns the bytes that were shown of one direction of a flow.
    package func bytes(_ flow: FlowID, _ direction: Direction) -> [UInt8] {
        state.withLock { $0.bytes[flow]?[direction] ?? [] }
    }

    /// Waits until as many records as told match, and returns those.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - what: what to call them if they do not come.
    ///   - matches: tells which ones are meant.
    /// - Returns: the records, all that match.
    /// - Throws: `Missing` where fewer came in time.
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

    /// Waits until as many flows as told have ended, and returns how.
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

    /// Is the collector as a relay's output; nothing is written.
    package func output(_ interest: Interest = .chunks, overflow: SinkOutput.Overflow = .wait) -> SinkOutput {
        SinkOutput(
            name: "the test",
            sink: CollectingSink(interest: interest, collector: self),
            descriptor: -1,
            overflow: overflow
        )
    }
}

/// Passes records on to a collector.
private struct CollectingSink: Sink {
    let interest: Interest
    let collector: RecordCollector

    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        collector.add(record, bytes)
    }
}

extension FlowRecord {
    /// Tells whether the flow began.
    package var isOpened: Bool { happening == .opened }
    /// Holds the summary, where the flow ended.
    package var closed: CloseRecord? { if case .closed(let record) = happening { record } else { nil } }
    /// Holds the chunk, where one went on.
    package var forwarded: ChunkRecord? { if case .forwarded(let record) = happening { record } else { nil } }
    /// Holds the loss, where bytes or datagrams were lost.
    package var dropped: DropRecord? { if case .dropped(let record) = happening { record } else { nil } }
    /// Holds the error, where the server refused.
    package var refused: ErrorNumber? { if case .refused(let error) = happening { error } else { nil } }
    /// Tells whether the dial succeeded.
    package var isConnected: Bool { if case .connected = happening { true } else { false } }
}
