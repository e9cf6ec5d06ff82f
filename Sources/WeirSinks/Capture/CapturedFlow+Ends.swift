import WeirEngine
import WeirWire

// The beginning of a flow
extension CapturedFlow {
    /// Writes the client's handshake, and the first packet of the dial.
    mutating func open(at time: Int64, _ frames: inout FrameWriter, _ output: inout ByteBuffer) {
        guard transport == .tcp else { return }
        on(.client) { leg in
            leg.synchronize(at: time, &frames, &output)
            leg.accept(at: time, &frames, &output)
        }
        on(.server) { $0.synchronize(at: time, &frames, &output) }
    }

    /// Writes that the server accepted, after a dial of the given duration.
    mutating func connect(
        _ record: FlowRecord,
        after dial: Duration,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let time = record.moment.wallNanoseconds
        let isNew = takeServerLeg(of: record)
        guard transport == .tcp else { return }
        on(.server) { leg in
            if isNew { leg.synchronize(at: time &- dial.inNanoseconds, &frames, &output) }
            leg.accept(at: time, &frames, &output)
        }
    }

    /// Writes that a dial failed, or that a datagram was refused: the server's RST if there was one, else a comment on
    /// the next packet.
    mutating func refuse(
        _ record: FlowRecord,
        _ error: ErrorNumber,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        let time = record.moment.wallNanoseconds
        let target = record.path.server.map { " \($0)" } ?? ""
        guard transport == .tcp else {
            return note("an earlier datagram to\(target) was refused: \(error)", on: .server)
        }
        let isNew = takeServerLeg(of: record)
        let isAnswered = error == .connectionRefused && !isSelfConnected
        on(.server) { leg in
            if isNew { leg.synchronize(at: time, &frames, &output) }
            if isAnswered { leg.refuse(at: time, &frames, &output) }
        }
        if !isAnswered || record.path.egress == nil { note("dialing\(target) failed: \(error)", on: .client) }
    }
}

// The end of a flow
extension CapturedFlow {
    /// Writes the end of a source: FIN on its leg, and on the other one, unless toxics may hold it back.
    mutating func end(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard transport == .tcp else { return }
        let waits = isEcho && direction == .downstream && self[direction].isTampered
        if !waits { on(source(of: direction)) { $0.finish(direction, at: time, &frames, &output) } }
        self[direction].isEnding = true
        if !self[direction].isTampered { passEnd(direction, at: time, &frames, &output) }
    }

    /// Writes that the end of a direction went on from its toxics.
    mutating func forwardEnd(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard transport == .tcp else { return }
        passEnd(direction, at: time, &frames, &output)
        // An echo server's own end is on the client's leg, too.
        if isEcho { on(.client) { $0.finish(.downstream, at: time, &frames, &output) } }
    }

    /// Writes the relay's FIN to the receiver of a direction.
    private mutating func passEnd(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        self[direction].isPassed = true
        guard !isEcho else { return }
        on(direction == .upstream ? .server : .client) { $0.finish(direction, at: time, &frames, &output) }
    }

    /// Writes any other end of the flow than two FINs: the reset by a side, and the relay's resets that follow from it.
    mutating func close(
        _ reason: CloseReason,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard transport == .tcp else { return }
        switch reason {
        case .finished:
            for direction in Direction.allCases where self[direction].isEnding {
                passEnd(direction, at: time, &frames, &output)
            }
        case .clientReset:
            on(.client) { $0.reset(.upstream, at: time, &frames, &output) }
            on(.server) { $0.reset(.upstream, at: time, &frames, &output) }
        case .serverReset:
            on(.server) { $0.reset(.downstream, at: time, &frames, &output) }
            on(.client) { $0.reset(.downstream, at: time, &frames, &output) }
        case .requested, .tls:
            for direction in Direction.allCases { passEnd(direction, at: time, &frames, &output) }
        case .toxic where Direction.allCases.allSatisfy { self[$0].isEnding && self[$0].isPassed }:
            // Both sides have ended by themselves since: nothing was reset.
            break
        case .refused, .idle, .evicted, .toxic, .shutdown:
            on(.client) { $0.reset(.downstream, at: time, &frames, &output) }
            on(.server) { $0.reset(.upstream, at: time, &frames, &output) }
        }
    }
}
