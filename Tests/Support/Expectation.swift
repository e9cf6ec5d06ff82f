public import WeirEngine
public import WeirWire

/// An action that a step must produce; the flow, its path and the time are filled in.
///
/// Times are durations since the clock's start, the beginning of a dialogue.
public struct Expectation: Sendable {
    private enum Kind: Sendable {
        case action(FlowAction)
        case record(FlowRecord.Happening)
        case data(ChunkRecord, receivedNow: Bool, isQueued: Bool)
        case arrived(ChunkRecord)
    }

    private let kind: Kind

    /// Makes the step.
    ///
    /// - Parameters:
    ///   - flow: The flow after the step.
    ///   - now: The current time.
    ///   - copies: The bytes of the step's records, in order; those of a released chunk must match its length.
    /// - Returns: The expected step.
    func step(for flow: Flow, at now: Moment, _ copies: inout [[UInt8]]) -> TurnStep {
        func record(_ happening: FlowRecord.Happening) -> FlowRecord {
            FlowRecord(flow: flow.id, transport: flow.transport, path: flow.path, moment: now, happening: happening)
        }
        switch kind {
        case .action(let action): return .action(action)
        case .record(let happening): return .record(record(happening))
        case .arrived(var chunk):
            chunk.receivedAt = now.instant
            return .record(record(.received(chunk)))
        case .data(var chunk, let receivedNow, let isQueued):
            if receivedNow { chunk.receivedAt = now.instant }
            let made = record(.forwarded(chunk))
            guard isQueued else { return .record(made) }
            let copy = copies.isEmpty ? [] : copies.removeFirst()
            return .record(made, copy: copy.count == chunk.length ? copy : [])
        }
    }
}

// MARK: - Actions

extension Expectation {
    /// Expects a dial to an address.
    public static func connect(_ attempt: Int) -> Expectation { Expectation(kind: .action(.connect(attempt: attempt))) }

    /// Expects that the chunk just received is offered to the kernel.
    public static func send(_ direction: Direction) -> Expectation { Expectation(kind: .action(.send(direction))) }

    /// Expects that the queue's front is offered to the kernel.
    public static func sendQueued(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.sendQueued(direction)))
    }

    /// Expects a half-close.
    public static func finish(_ direction: Direction) -> Expectation { Expectation(kind: .action(.finish(direction))) }

    /// Expects a reset of a direction's receiver, at a given time at the latest.
    public static func reset(_ direction: Direction, by time: Duration) -> Expectation {
        Expectation(kind: .action(.reset(by: ManualClock.instant(time), direction)))
    }

    /// Expects that a source is no longer read.
    public static func pause(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.pauseReading(direction)))
    }

    /// Expects that a source is read again.
    public static func resume(_ direction: Direction) -> Expectation {
        Expectation(kind: .action(.resumeReading(direction)))
    }

    /// Expects a request for a wake-up.
    public static func wake(at time: Duration) -> Expectation {
        Expectation(kind: .action(.wake(at: ManualClock.instant(time))))
    }

    /// Expects the end of the flow.
    public static func close(_ reason: CloseReason) -> Expectation { Expectation(kind: .action(.close(reason))) }
}

// MARK: - Records

extension Expectation {
    /// The expectation of the record of the flow's beginning.
    public static let opened = Expectation(kind: .record(.opened))

    /// Expects the record of a dial that succeeded.
    public static func connected(after dial: Duration = .zero, isRerouted: Bool = false) -> Expectation {
        Expectation(kind: .record(.connected(dial: dial, isRerouted: isRerouted)))
    }

    /// Expects the record of a refusal.
    public static func refused(_ error: ErrorNumber) -> Expectation { Expectation(kind: .record(.refused(error))) }

    /// Expects the record of a source's end; `isDelayed` if toxics are on the path.
    public static func ended(_ direction: Direction, isDelayed: Bool = false) -> Expectation {
        Expectation(kind: .record(.ended(direction, isDelayed: isDelayed)))
    }

    /// Expects the record of a chunk that was just received.
    ///
    /// - Parameters:
    ///   - direction: The direction of the chunk.
    ///   - number: Its number in its direction.
    ///   - offset: The number of bytes before it in its direction.
    ///   - length: Its size in bytes.
    ///   - echo: The upstream bytes that it repeats.
    /// - Returns: The expectation.
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

    /// Expects the record of a chunk that was queued, and is released from the queue.
    ///
    /// - Parameters:
    ///   - direction: The direction of the chunk.
    ///   - number: Its number in its direction.
    ///   - offset: The number of bytes before it in its direction.
    ///   - length: Its size in bytes.
    ///   - receivedAt: The time at which it was received.
    /// - Returns: The expectation.
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

    /// Expects the record of a chunk that has just reached the toxics.
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

    /// Expects the record of a chunk that toxics have released.
    ///
    /// - Parameters:
    ///   - direction: The direction of the chunk.
    ///   - number: Its number in its direction.
    ///   - offset: The number of bytes before it in its direction.
    ///   - length: Its size in bytes.
    ///   - receivedAt: The time at which it was received.
    ///   - changes: The changes by toxics.
    /// - Returns: The expectation.
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

    /// Expects the record of a toxic's effect on the flow; the toxic has its type's usual name.
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

    /// Expects the record that a direction's end has passed its toxics.
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

    /// Expects the record of an echo that does not match.
    public static func mismatch(_ mismatch: Mismatch) -> Expectation { Expectation(kind: .record(.mismatch(mismatch))) }

    /// Expects the record of the end, with the counters of each direction.
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
    /// Creates counters with some values.
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
