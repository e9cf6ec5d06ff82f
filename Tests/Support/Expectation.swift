public import WeirFlow
public import WeirWire

/// Says which action must come out of a step; the flow, its path and the time are filled in.
///
/// Times are durations since the clock's start, where a dialogue begins.
public struct Expectation: Sendable {
    private enum Kind: Sendable {
        case action(FlowAction)
        case record(FlowRecord.Happening)
        case data(ChunkRecord, receivedNow: Bool, isQueued: Bool)
        case arrived(ChunkRecord)
    }

    private let kind: Kind

    /// Makes the action.
    ///
    /// - Parameters:
    ///   - flow: the flow behind the step.
    ///   - now: the time.
    ///   - copies: the bytes that the step's records have, in order; those of a released chunk must be as many as it says.
    /// - Returns: what is expected.
    func action(for flow: Flow, at now: Moment, _ copies: inout [[UInt8]]) -> FlowAction {
        func record(_ happening: FlowRecord.Happening) -> FlowRecord {
            FlowRecord(flow: flow.id, transport: flow.transport, path: flow.path, moment: now, happening: happening)
        }
        switch kind {
        case .action(let action): return action
        case .record(let happening): return .record(record(happening))
        case .arrived(var chunk):
            chunk.receivedAt = now.instant
            return .record(record(.received(chunk)))
        case .data(var chunk, let receivedNow, let isQueued):
            if receivedNow { chunk.receivedAt = now.instant }
            let made = record(.forwarded(chunk))
            guard isQueued else { return .record(made) }
            let copy = copies.isEmpty ? [] : copies.removeFirst()
            return .recordCopy(made, copy.count == chunk.length ? copy : [])
        }
    }
}

// MARK: - Actions

extension Expectation {
    /// Expects a dial of an address.
    public static func connect(_ attempt: Int) -> Expectation { Expectation(kind: .action(.connect(attempt: attempt))) }

    /// Expects the chunk just received to be offered.
    public static func send(_ direction: Direction) -> Expectation { Expectation(kind: .action(.send(direction))) }

    /// Expects the queue's front to be offered.
    public static func sendQueued(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.sendQueued(direction)))
    }

    /// Expects a half-close.
    public static func finish(_ direction: Direction) -> Expectation { Expectation(kind: .action(.finish(direction))) }

    /// Expects a reset of a direction's receiver, at the latest at a time.
    public static func reset(_ direction: Direction, by time: Duration) -> Expectation {
        Expectation(kind: .action(.reset(direction, by: ManualClock.instant(time))))
    }

    /// Expects a source to be read no more.
    public static func pause(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.pauseReading(direction)))
    }

    /// Expects a source to be read again.
    public static func resume(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.resumeReading(direction)))
    }

    /// Expects a wake to be asked for.
    public static func wake(at time: Duration) -> Expectation {
        Expectation(kind: .action(.wake(at: ManualClock.instant(time))))
    }

    /// Expects the flow to be over.
    public static func close(_ reason: CloseReason) -> Expectation { Expectation(kind: .action(.close(reason))) }
}

// MARK: - Records

extension Expectation {
    /// Expects the record of the flow's beginning.
    public static let opened = Expectation(kind: .record(.opened))

    /// Expects the record of a dial that succeeded.
    public static func connected(after dial: Duration = .zero, isRerouted: Bool = false) -> Expectation {
        Expectation(kind: .record(.connected(dial: dial, isRerouted: isRerouted)))
    }

    /// Expects the record of a refusal.
    public static func refused(_ error: ErrorNumber) -> Expectation { Expectation(kind: .record(.refused(error))) }

    /// Expects the record of a source's end; `isDelayed` with toxics on the way.
    public static func ended(_ direction: Direction, isDelayed: Bool = false) -> Expectation {
        Expectation(kind: .record(.ended(direction, isDelayed: isDelayed)))
    }

    /// Expects the record of a chunk that was just received.
    ///
    /// - Parameters:
    ///   - direction: the way it runs.
    ///   - number: its number in its direction.
    ///   - offset: the bytes of the direction before it.
    ///   - length: its bytes.
    ///   - echo: which upstream bytes it repeats.
    /// - Returns: the expectation.
    public static func data(
        _ direction: Direction,
        _ number: UInt64,
        at offset: UInt64,
        _ length: Int,
        echo: Echo? = nil
    ) -> Expectation {
        let chunk = ChunkRecord(
            direction: direction,
            number: number,
            offset: offset,
            length: length,
            receivedAt: ManualClock.start.instant,
            echo: echo
        )
        return Expectation(kind: .data(chunk, receivedNow: true, isQueued: false))
    }

    /// Expects the record of a chunk that was held, and is released from the queue.
    ///
    /// - Parameters:
    ///   - direction: the way it runs.
    ///   - number: its number in its direction.
    ///   - offset: the bytes of the direction before it.
    ///   - length: its bytes.
    ///   - receivedAt: when it was received.
    /// - Returns: the expectation.
    public static func released(
        _ direction: Direction,
        _ number: UInt64,
        at offset: UInt64,
        _ length: Int,
        receivedAt: Duration = .zero
    ) -> Expectation {
        let chunk = ChunkRecord(
            direction: direction,
            number: number,
            offset: offset,
            length: length,
            receivedAt: ManualClock.instant(receivedAt)
        )
        return Expectation(kind: .data(chunk, receivedNow: false, isQueued: true))
    }

    /// Expects the record of a chunk that has come to toxics just now.
    public static func arrived(
        _ direction: Direction,
        _ number: UInt64,
        at offset: UInt64,
        _ length: Int
    ) -> Expectation {
        let chunk = ChunkRecord(
            direction: direction,
            number: number,
            offset: offset,
            length: length,
            receivedAt: ManualClock.start.instant
        )
        return Expectation(kind: .arrived(chunk))
    }

    /// Expects the record of a chunk that toxics have let go.
    ///
    /// - Parameters:
    ///   - direction: the way it runs.
    ///   - number: its number in its direction.
    ///   - offset: the bytes of the direction before it.
    ///   - length: its bytes.
    ///   - receivedAt: when it was received.
    ///   - changes: what toxics have changed.
    /// - Returns: the expectation.
    public static func letGo(
        _ direction: Direction,
        _ number: UInt64,
        at offset: UInt64,
        _ length: Int,
        receivedAt: Duration = .zero,
        _ changes: ToxicChange...
    ) -> Expectation {
        var chunk = ChunkRecord(
            direction: direction,
            number: number,
            offset: offset,
            length: length,
            receivedAt: ManualClock.instant(receivedAt)
        )
        chunk.isTampered = true
        chunk.changes = changes
        return Expectation(kind: .data(chunk, receivedNow: false, isQueued: true))
    }

    /// Expects the record of what a toxic did to the flow; it has its type's usual name.
    public static func toxic(
        _ type: String,
        _ direction: Direction,
        name: String? = nil,
        _ effect: ToxicRecord.Effect
    ) -> Expectation {
        let name = name ?? "\(type)_\(direction)"
        return Expectation(
            kind: .record(.toxic(ToxicRecord(direction: direction, name: name, type: type, effect: effect)))
        )
    }

    /// Expects the record that a direction's end went on from its toxics.
    public static func endForwarded(_ direction: Direction) -> Expectation {
        Expectation(kind: .record(.endForwarded(direction)))
    }

    /// Expects the record of a loss.
    public static func dropped(
        _ direction: Direction,
        _ bytes: UInt64,
        datagrams: UInt64 = 0,
        _ reason: DropReason
    ) -> Expectation {
        let loss = DropRecord(direction: direction, bytes: bytes, datagrams: datagrams, reason: reason)
        return Expectation(kind: .record(.dropped(loss)))
    }

    /// Expects the record of an echo that is none.
    public static func mismatch(_ mismatch: Mismatch) -> Expectation { Expectation(kind: .record(.mismatch(mismatch))) }

    /// Expects the record of the end, with what each direction has counted.
    public static func closed(
        _ reason: CloseReason,
        up: Counters = Counters(),
        down: Counters = Counters(),
        after duration: Duration = .zero
    ) -> Expectation {
        let close = CloseRecord(reason: reason, upstream: up, downstream: down, duration: duration)
        return Expectation(kind: .record(.closed(close)))
    }
}

extension Counters {
    /// Makes counters that stand at some numbers.
    public static func of(
        _ bytes: UInt64,
        in chunks: UInt64,
        dropped: UInt64 = 0,
        droppedDatagrams: UInt64 = 0
    ) -> Counters {
        var counters = Counters()
        counters.bytes = bytes
        counters.chunks = chunks
        counters.droppedBytes = dropped
        counters.droppedDatagrams = droppedDatagrams
        return counters
    }
}
