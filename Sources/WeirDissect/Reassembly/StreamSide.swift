import WeirWire

/// The reassembly of one direction of a flow.
///
/// If the first bytes win, bytes in order are delivered at once; if the last bytes win, they are kept until the flow
/// delivers them. Bytes that arrive early are kept until those before them arrive, or their gap is closed.
///
/// This file finds the stream's start; `StreamSide+Keeping` puts bytes in their places, `StreamSide+Delivery` moves on.
struct StreamSide: Sendable {
    var direction: Direction
    var report = StreamReport()
    /// Kept elements, in order and apart from each other.
    ///
    /// The first `ready` of them are in order with the stream, which happens only if the last bytes win.
    var kept: [KeptBytes] = []
    var ready = 0
    var keptMemory = 0
    /// The last delivered bytes, with which retransmissions are compared.
    var window = ByteWindow()
    private var isStarted = false
    /// Whether the other side acknowledged the start, or bytes arrived from there; after that, no SYN moves it.
    private var isSettled = false
    /// The sequence numbers of the first bytes after other SYNs, until the start is settled; only the latest few.
    private var otherStarts: [UInt32] = []
    /// The other side's acknowledgment before anything of this side arrived.
    private var earlyAcknowledgment: UInt32?
    /// The number of segments of a stream without SYN, while its start may still move to an earlier one; otherwise nil.
    ///
    /// Its bytes are kept until then.
    var tentative: Int?
    /// Whether this side has acknowledged anything.
    private var hasAcknowledged = false
    /// The sequence number of the first byte that is not in order yet; its offset in the stream is `offset`.
    var next: UInt32 = 0
    var offset = 0
    /// The offset of the FIN in the stream.
    var end: Int?
    /// The offset in the stream up to which the other side has acknowledged.
    var acknowledged = 0
    /// The number of segments since a gap was acknowledged.
    var waited = 0

    typealias Emit = (StreamPiece, RawSpan) -> Void

    init(_ direction: Direction) {
        self.direction = direction
    }

    /// The approximate memory that is kept, in bytes.
    var memory: Int { window.capacity &+ keptMemory }

    /// Whether bytes wait for earlier ones.
    var hasGap: Bool { ready < kept.count }

    /// Whether the side has only sent its SYN, and so accepts nothing but a SYN or a reset.
    ///
    /// Source: RFC 9293 section 3.10.7.3.
    var isSynSent: Bool { report.hasStart && !hasAcknowledged }

    /// Whether all bytes before the sender's FIN were delivered.
    var isAtEnd: Bool { end == offset && kept.isEmpty }

    /// Applies the other side's acknowledgment.
    mutating func acknowledge(_ number: UInt32) {
        guard isStarted else { return earlyAcknowledgment = number }
        settle(at: number)
        acknowledged = max(acknowledged, offset &+ sequenceDistance(from: next, to: number))
        // Missing bytes before acknowledged ones were not captured: they will not arrive.
        if acknowledged > 0, tentative != nil { tentative = .max }
    }

    /// Adds a segment of this direction.
    mutating func add(
        _ segment: StreamSegment,
        _ bytes: RawSpan,
        at time: Int64?,
        _ settings: ReassemblySettings,
        _ emit: Emit
    ) {
        let first = segment.firstByte
        if segment.flags.contains(.ack) { hasAcknowledged = true }
        guard begin(segment, first, settings) else { return }
        if segment.length > 0, !segment.flags.contains(.syn) { settle(at: first) }
        if segment.flags.contains(.rst) { report.hasReset = true }
        var position = offset &+ sequenceDistance(from: next, to: first)
        if position < 0, tentative != nil, segment.length > 0, position >= -Self.mostEarlier {
            moveStart(by: -position)
            position = 0
        }
        if isKeepAlive(segment, position) { return report.keepAlives &+= 1 }
        if segment.length > 0 {
            report.segments &+= 1
            let captured = bytes.extracting(0..<min(bytes.byteCount, segment.length))
            place(Placed(start: position, length: segment.length, time: time), captured, settings, emit)
        }
        if segment.flags.contains(.fin), end == nil {
            end = position &+ segment.length
            report.hasEnd = true
        }
        if let count = tentative {
            let isEnd = !segment.flags.isDisjoint(with: [.syn, .fin, .rst])
            tentative = isEnd ? .max : count &+ (segment.length > 0 ? 1 : 0)
            settleTentative(settings, emit)
        }
    }

    /// Delivers the kept bytes, once the start no longer moves.
    mutating func settleTentative(_ settings: ReassemblySettings, _ emit: Emit) {
        guard let count = tentative, count >= settings.startPatience else { return }
        tentative = nil
        advance(settings, emit)
    }

    /// Moves the start of the stream earlier, because its first segments were captured out of order.
    private mutating func moveStart(by count: Int) {
        next = next &- UInt32(truncatingIfNeeded: count)
        for index in kept.indices {
            kept[index].start &+= count
            kept[index].end &+= count
        }
        if acknowledged != 0 { acknowledged &+= count }
        if let end { self.end = end &+ count }
    }

    /// Returns the offset of a segment's payload in the stream.
    func offset(of segment: StreamSegment) -> Int {
        isStarted ? offset &+ sequenceDistance(from: next, to: segment.firstByte) : 0
    }

    /// Settles the start at the number of a SYN, because the other side acknowledged it or bytes begin there.
    private mutating func settle(at number: UInt32) {
        guard report.hasStart, !isSettled, offset == 0, kept.isEmpty else { return }
        guard number == next || otherStarts.contains(number) else { return }
        next = number
        isSettled = true
        otherStarts = []
    }

    /// Finds the stream's start; returns false if a SYN does not belong to the stream.
    ///
    /// Of several SYNs the last one counts, until one is acknowledged: in a synchronized state a SYN changes nothing.
    /// Source: RFC 9293 section 3.10.7.4.
    private mutating func begin(_ segment: StreamSegment, _ first: UInt32, _ settings: ReassemblySettings) -> Bool {
        let isSYN = segment.flags.contains(.syn)
        guard isStarted else {
            if isSYN, let earlyAcknowledgment,
                !(0...Self.mostEarly).contains(sequenceDistance(from: first, to: earlyAcknowledgment))
            {
                report.otherStarts &+= 1
                return false
            }
            isStarted = true
            next = first
            report.hasStart = isSYN
            if !isSYN, earlyAcknowledgment != first, settings.startPatience > 0 { tentative = 0 }
            return true
        }
        guard isSYN else { return true }
        if offset &+ sequenceDistance(from: next, to: first) == 0 {
            report.hasStart = true
            return true
        }
        if report.hasStart { report.otherStarts &+= 1 }
        guard !isSettled, offset == 0, kept.isEmpty else {
            if !report.hasStart { report.otherStarts &+= 1 }
            return false
        }
        if report.hasStart {
            if otherStarts.count == Self.mostStarts { otherStarts.removeFirst() }
            otherStarts.append(next)
        }
        next = first
        acknowledged = 0
        report.hasStart = true
        return true
    }

    /// The maximum number of other SYNs' numbers that are kept.
    private static var mostStarts: Int { 4 }
    /// The maximum number of bytes by which the start may move.
    private static var mostEarlier: Int { 1 << 18 }
    /// The maximum number of bytes by which a SYN may be late and still begin the stream.
    private static var mostEarly: Int { 1 << 24 }

    /// Returns whether a segment only probes the other side: its byte, if any, is the last one again or garbage.
    private func isKeepAlive(_ segment: StreamSegment, _ position: Int) -> Bool {
        segment.length <= 1 && position == offset &- 1 && (offset > 0 || report.hasStart)
            && segment.flags.isDisjoint(with: [.syn, .fin, .rst])
    }
}

extension StreamSegment {
    /// The sequence number of the payload's first byte, after a SYN.
    fileprivate var firstByte: UInt32 { flags.contains(.syn) ? sequenceNumber &+ 1 : sequenceNumber }
}
