public import WeirDissect
public import WeirWire

/// The bytes of the streams of a capture, kept until the messages that they belong to are complete.
///
///     var held = HeldBytes()
///     held.add(packet, bytes, in: flows)       // before the dissector reads the packet
///     let content = held.take(message, of: place)
///     held.finish()                            // before the dissector's
///
/// Bytes of a stream that no message claims are discarded, the oldest first.
public struct HeldBytes: ~Copyable, Sendable {
    /// The limits of what is kept, in bytes.
    public struct Limits: Sendable {
        /// For a message: what follows is not kept.
        public var message = 512 << 20
        /// For a direction of a flow of which no message is known.
        public var unclaimed = 256 << 10
        /// For all flows together.
        public var total = 2 << 30

        /// Creates the limits for most captures.
        public init() {}
    }

    /// The bytes of one message.
    public struct Content: Sendable {
        /// The bytes, with zeros in place of those that are missing.
        public var bytes: [UInt8]
        /// The number of bytes that were not captured.
        public var missing = 0
        /// The number of bytes at the end that were not kept, because there are too many.
        public var leftOut = 0

        package init(bytes: [UInt8], missing: Int = 0, leftOut: Int = 0) {
            self.bytes = bytes
            self.missing = missing
            self.leftOut = leftOut
        }

        /// Whether all bytes are there.
        public var isWhole: Bool { missing == 0 && leftOut == 0 }
    }

    /// One direction of a flow.
    private struct Side: Sendable {
        /// The offset in the stream of the first kept byte.
        var start = 0
        /// The offset after the last byte of the stream so far, kept or not.
        var end = 0
        var bytes: [UInt8] = []
        /// The ranges of the stream that were not captured.
        var gaps: [Range<Int>] = []
    }

    private struct Key: Hashable {
        var place: Int
        var direction: Direction
    }

    private var reassembler = TCPReassembler()
    private var sides: [Key: Side] = [:]
    private let limits: Limits
    private var total = 0

    /// Creates a store that holds nothing.
    public init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Adds the bytes of a packet's TCP segment.
    ///
    /// - Parameters:
    ///   - packet: Its time and lengths.
    ///   - bytes: Its captured bytes.
    ///   - flows: The flows up to and with the packet, and the decoded packet.
    ///   - isClaimed: Returns whether an unfinished message of a flow and direction will be taken.
    public mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        isClaimed: (Int, Direction) -> Bool
    ) {
        guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { return }
        if place.hasTurned {
            reassembler.turn(flow: place.index)
            let (up, down) = (
                Key(place: place.index, direction: .upstream), Key(place: place.index, direction: .downstream)
            )
            let (first, second) = (sides[up], sides[down])
            (sides[up], sides[down]) = (second, first)
        }
        let stages = flows.stages
        flows.withPayload(.tcp, of: bytes) { payload in
            Self.add(segment, payload, place, packet.timestamp, stages, &reassembler, &sides, &total, limits)
        }
        let key = Key(place: place.index, direction: place.direction)
        guard let count = sides[key]?.bytes.count, count > limits.unclaimed, !isClaimed(place.index, place.direction)
        else { return }
        drop(count - limits.unclaimed / 2, of: key)
    }

    /// Adds what waited for bytes that were not captured, at the end of the capture.
    public mutating func finish() { Self.finish(&reassembler, &sides, &total, limits) }

    /// Takes the bytes of a message out of its stream, and discards those before it.
    ///
    /// - Parameters:
    ///   - message: A message of a TCP flow that is complete, or whose last bytes will not arrive.
    ///   - place: The flow's place in the table.
    /// - Returns: The bytes.
    public mutating func take(_ message: Message, of place: Int) -> Content {
        let key = Key(place: place, direction: message.direction)
        guard let side = sides[key] else {
            return Content(bytes: [], missing: message.range.count)
        }
        let kept = message.range.clamped(to: side.start..<(side.start + side.bytes.count))
        guard !kept.isEmpty else {
            drop(message.range.upperBound - side.start, of: key)
            return Content(bytes: [], leftOut: message.range.count)
        }
        var content = Content(bytes: Array(side.bytes[(kept.lowerBound - side.start)..<(kept.upperBound - side.start)]))
        content.missing = kept.lowerBound - message.range.lowerBound
        for gap in side.gaps { content.missing += gap.clamped(to: kept).count }
        content.leftOut = message.range.upperBound - kept.upperBound
        drop(message.range.upperBound - side.start, of: key)
        return content
    }

    /// Discards the bytes of a message.
    public mutating func skip(_ message: Message, of place: Int) {
        let key = Key(place: place, direction: message.direction)
        if let start = sides[key]?.start { drop(message.range.upperBound - start, of: key) }
    }

    private mutating func drop(_ count: Int, of key: Key) {
        guard count > 0, var side = sides.removeValue(forKey: key) else { return }
        let dropped = min(count, side.bytes.count)
        total -= dropped
        side.start += count
        side.end = max(side.end, side.start)
        if dropped == side.bytes.count {
            // A buffer that grew large is not kept for the next message.
            side.bytes.removeAll(keepingCapacity: side.bytes.count <= 64 << 10)
            // What was left out cannot be continued: the next kept byte is the next one of the stream.
            side.start = max(side.start, side.end)
        } else {
            side.bytes.removeFirst(dropped)
        }
        side.gaps.removeAll { $0.upperBound <= side.start }
        sides[key] = side
    }

    private static func add(
        _ segment: StreamSegment,
        _ payload: RawSpan,
        _ place: FlowTable.Place,
        _ time: Int64?,
        _ stages: (any StreamStages)?,
        _ reassembler: inout TCPReassembler,
        _ sides: inout [Key: Side],
        _ total: inout Int,
        _ limits: Limits
    ) {
        let (flow, direction) = (place.index, place.direction)
        reassembler.add(segment, payload, flow: flow, direction, at: time, through: stages) { piece, bytes in
            keep(piece, bytes, &sides, &total, limits)
        }
    }

    private static func finish(
        _ reassembler: inout TCPReassembler,
        _ sides: inout [Key: Side],
        _ total: inout Int,
        _ limits: Limits
    ) {
        reassembler.finish { piece, bytes in keep(piece, bytes, &sides, &total, limits) }
    }

    private static func keep(
        _ piece: StreamPiece,
        _ bytes: RawSpan,
        _ sides: inout [Key: Side],
        _ total: inout Int,
        _ limits: Limits
    ) {
        let key = Key(place: piece.flow, direction: piece.direction)
        var side = sides.removeValue(forKey: key) ?? Side()
        defer { sides[key] = side }
        let isNext = side.start + side.bytes.count == piece.offset
        side.end = piece.offset + piece.count
        if side.bytes.isEmpty { side.start = piece.offset }
        guard isNext || side.bytes.isEmpty else { return }
        let kept = min(piece.count, max(min(limits.message - side.bytes.count, limits.total - total), 0))
        if piece.content == .bytes {
            bytes.extracting(first: kept).withUnsafeBytes { side.bytes.append(contentsOf: $0) }
        } else {
            side.gaps.append(piece.offset..<(piece.offset + kept))
            side.bytes.append(contentsOf: repeatElement(0, count: kept))
        }
        total += kept
    }
}
