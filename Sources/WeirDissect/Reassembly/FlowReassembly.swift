import WeirWire

/// The reassembly of both directions of one TCP flow.
struct FlowReassembly: Sendable {
    private(set) var upstream = StreamSide(.upstream)
    private(set) var downstream = StreamSide(.downstream)
    /// The order in which elements became ready, if the last bytes win; given by their directions.
    private var order: [Direction] = []
    /// The number of elements of each direction in that order.
    private var noted = (0, 0)

    typealias Emit = StreamSide.Emit

    /// The approximate memory that is kept, in bytes.
    var memory: Int { upstream.memory &+ downstream.memory &+ order.count }

    /// Adds a segment.
    mutating func add(
        _ segment: StreamSegment,
        _ bytes: RawSpan,
        _ direction: Direction,
        at time: Int64?,
        _ settings: ReassemblySettings,
        _ emit: Emit
    ) {
        var segment = segment
        let isDropped =
            direction == .upstream
            ? downstream.isSynSent && !upstream.report.hasStart : upstream.isSynSent && !downstream.report.hasStart
        if isDropped, segment.flags.isDisjoint(with: [.syn, .rst]) {
            // The receiver drops the segment; its bytes are kept, because the capture may have lost or delayed the SYN.
            segment.flags.remove(.fin)
            guard segment.length > 0 else { return }
        }
        let acknowledgment = segment.flags.contains(.ack) ? segment.acknowledgmentNumber : nil
        if direction == .upstream {
            if let acknowledgment { downstream.acknowledge(acknowledgment) }
            downstream.settleTentative(settings, emit)
            upstream.add(segment, bytes, at: time, settings, emit)
        } else {
            if let acknowledgment { upstream.acknowledge(acknowledgment) }
            upstream.settleTentative(settings, emit)
            downstream.add(segment, bytes, at: time, settings, emit)
        }
        noteReady()
        upstream.giveUpAcknowledged(settings, emit)
        downstream.giveUpAcknowledged(settings, emit)
        noteReady()
        while memory > settings.flowLimit || upstream.isCrowded || downstream.isCrowded, release(settings, emit) {}
    }

    /// Swaps upstream and downstream, because the client turned out to be the other side.
    mutating func turn() {
        swap(&upstream, &downstream)
        upstream.direction = .upstream
        downstream.direction = .downstream
        order = order.map(\.opposite)
        noted = (noted.1, noted.0)
    }

    /// Releases some of the kept bytes; returns false if there is nothing left.
    mutating func release(_ settings: ReassemblySettings, _ emit: Emit) -> Bool {
        if !order.isEmpty {
            giveReady((order.count + 1) / 2, emit)
            return true
        }
        if upstream.hasGap || downstream.hasGap {
            if !downstream.hasGap || upstream.hasGap && upstream.memory >= downstream.memory {
                upstream.report.gapsOfLimit &+= 1
                upstream.giveUpGap(settings, emit)
            } else {
                downstream.report.gapsOfLimit &+= 1
                downstream.giveUpGap(settings, emit)
            }
            noteReady()
            return true
        }
        guard memory > 0 else { return false }
        upstream.forget()
        downstream.forget()
        return true
    }

    /// Delivers everything kept, because nothing more arrives.
    mutating func finish(_ settings: ReassemblySettings, _ emit: Emit) {
        while upstream.hasGap { upstream.giveUpGap(settings, emit) }
        while downstream.hasGap { downstream.giveUpGap(settings, emit) }
        noteReady()
        giveReady(order.count, emit)
        upstream.finish()
        downstream.finish()
    }

    /// Records which elements became ready.
    private mutating func noteReady() {
        while noted.0 < upstream.ready {
            order.append(.upstream)
            noted.0 &+= 1
        }
        while noted.1 < downstream.ready {
            order.append(.downstream)
            noted.1 &+= 1
        }
    }

    private mutating func giveReady(_ count: Int, _ emit: Emit) {
        var given = (0, 0)
        for direction in order.prefix(count) {
            if direction == .upstream {
                upstream.giveReady(given.0, emit)
                given.0 &+= 1
            } else {
                downstream.giveReady(given.1, emit)
                given.1 &+= 1
            }
        }
        upstream.dropReady(given.0)
        downstream.dropReady(given.1)
        noted = (noted.0 &- given.0, noted.1 &- given.1)
        order.removeFirst(count)
    }
}
