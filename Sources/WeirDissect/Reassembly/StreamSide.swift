import WeirWire

/// The reassembly of one direction of a flow.
///
/// If the first bytes win, bytes in order are delivered at once; if the last bytes win, they are kept until the flow
/// delivers them. Bytes that arrive early are kept until those before them arrive, or their gap is closed.
struct StreamSide: Sendable {
    var direction: Direction
    var report = StreamReport()
    /// Kept elements, in order and apart from each other.
    ///
    /// The first `ready` of them are in order with the stream, which happens only if the last bytes win.
    private(set) var kept: [KeptBytes] = []
    private(set) var ready = 0
    private var keptMemory = 0
    private var window = ByteWindow()
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
    private var tentative: Int?
    /// Whether this side has acknowledged anything.
    private var hasAcknowledged = false
    /// The sequence number of the first byte that is not in order yet; its offset in the stream is `offset`.
    private var next: UInt32 = 0
    private var offset = 0
    /// The offset of the FIN in the stream.
    private var end: Int?
    /// The offset in the stream up to which the other side has acknowledged.
    private var acknowledged = 0
    /// The number of segments since a gap was acknowledged.
    private var waited = 0

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

/// The place of a segment's bytes in the stream, and their time.
struct Placed {
    var start: Int
    var length: Int
    var time: Int64?

    var end: Int { start &+ length }

    /// Returns the captured bytes that belong to a range of the stream.
    func part(_ range: Range<Int>, captured: Int) -> Range<Int> {
        min(range.lowerBound &- start, captured)..<min(range.upperBound &- start, captured)
    }
}

/// Bytes of a stream that were not delivered yet.
struct KeptBytes: Sendable {
    var start: Int
    var end: Int
    /// The bytes from the start on: fewer than up to `end` if a packet was cut, none for a gap.
    var bytes: [UInt8]
    var time: Int64?
    var isGap = false

    /// The approximate cost of an element in addition to its bytes.
    static let overhead = 96

    var memory: Int { bytes.count &+ Self.overhead }
}

extension StreamSide {
    /// The maximum number of kept elements.
    private static var mostKept: Int { 4096 }

    /// Whether no more elements can be kept.
    var isCrowded: Bool { kept.count > Self.mostKept }

    private mutating func place(
        _ segment: Placed,
        _ bytes: RawSpan,
        _ settings: ReassemblySettings,
        _ emit: Emit
    ) {
        let end = segment.end
        var at = segment.start
        let given = kept.first.map { ready > 0 ? $0.start : offset } ?? offset
        var repeated = 0
        if at < given {
            let range = at..<min(end, given)
            repeated = compareGiven(range, bytes, segment)
            at = range.upperBound
        }
        if at > offset { report.outOfOrder &+= 1 }
        if let fin = self.end, end > fin { report.behindEnd &+= end &- max(segment.start, fin) }
        var index = firstKept(endingAfter: at)
        while at < end {
            if index < kept.count, kept[index].start <= at {
                let stop = min(end, kept[index].end)
                repeated &+= compareKept(index, at..<stop, bytes, segment, settings.overlap)
                at = stop
                index &+= 1
                continue
            }
            let stop = index < kept.count ? min(end, kept[index].start) : end
            let part = bytes.extracting(segment.part(at..<stop, captured: bytes.byteCount))
            if at == offset, settings.overlap == .first, tentative == nil {
                accept(part, count: stop &- at, at: segment.time, settings, emit)
            } else {
                keep(part, at..<stop, at: segment.time, index)
                index &+= 1
            }
            at = stop
        }
        if repeated > 0 {
            report.retransmissions &+= 1
            report.retransmittedBytes &+= repeated
        }
        advance(settings, emit)
    }

    /// Compares bytes with those that were already delivered, and returns the number of retransmitted ones.
    private mutating func compareGiven(_ range: Range<Int>, _ bytes: RawSpan, _ segment: Placed) -> Int {
        let before = range.clamped(to: Int.min..<0).count
        report.beforeStart &+= before
        let rest = range.clamped(to: 0..<Int.max)
        let late = report.gaps.overlap(with: rest)
        report.late &+= late
        let known = rest.clamped(to: window.start..<window.end)
        let unknown = rest.count &- known.count &- late &- report.cut.overlap(with: rest)
        report.uncompared &+= max(unknown, 0)
        var found: [Range<Int>] = []
        window.forEachPiece(of: known) { offset, kept in
            let part = segment.part(offset..<(offset &+ kept.byteCount), captured: bytes.byteCount)
            bytes.extracting(part).differences(from: kept) {
                found.append(($0.lowerBound &+ offset)..<($0.upperBound &+ offset))
            }
        }
        for range in found { report.conflicts.add(range) }
        return rest.count &- late
    }

    /// Compares bytes with kept ones, and replaces those if the last bytes win; returns how many are retransmitted.
    private mutating func compareKept(
        _ index: Int,
        _ range: Range<Int>,
        _ bytes: RawSpan,
        _ segment: Placed,
        _ overlap: OverlapPolicy
    ) -> Int {
        guard !kept[index].isGap else {
            report.late &+= range.count
            return 0
        }
        let start = kept[index].start
        let part = bytes.extracting(segment.part(range, captured: bytes.byteCount))
        let held = kept[index].bytes.count
        let known = min(range.lowerBound &- start, held)..<min(range.upperBound &- start, held)
        guard !known.isEmpty else { return range.count }
        var found: [Range<Int>] = []
        kept[index].bytes.withUnsafeBytes { kept in
            part.differences(from: kept.bytes.extracting(known)) { found.append($0) }
        }
        for difference in found {
            let lower = difference.lowerBound &+ range.lowerBound
            report.conflicts.add(lower..<(lower &+ difference.count))
            guard overlap == .last else { continue }
            for place in difference {
                let byte = part.unsafeLoad(fromByteOffset: place, as: UInt8.self)
                kept[index].bytes[known.lowerBound &+ place] = byte
            }
        }
        return range.count
    }

    private func firstKept(endingAfter offset: Int) -> Int {
        var (low, high) = (0, kept.count)
        while low < high {
            let middle = (low &+ high) / 2
            if kept[middle].end > offset { high = middle } else { low = middle &+ 1 }
        }
        return low
    }

    private mutating func keep(_ bytes: RawSpan, _ range: Range<Int>, at time: Int64?, _ index: Int) {
        let element = KeptBytes(
            start: range.lowerBound,
            end: range.upperBound,
            bytes: bytes.withUnsafeBytes { Array($0) },
            time: time
        )
        keptMemory &+= element.memory
        kept.insert(element, at: index)
    }
}

// Progress in the stream
extension StreamSide {
    /// Delivers bytes in order, and the gap after them if the packet was cut.
    private mutating func accept(
        _ bytes: RawSpan,
        count: Int,
        at time: Int64?,
        _ settings: ReassemblySettings,
        _ emit: Emit
    ) {
        give(bytes, from: offset, count: count, at: time, emit)
        window.append(bytes, limit: settings.window)
        offset &+= count
        next = next &+ UInt32(truncatingIfNeeded: count)
        if bytes.byteCount < count { window.move(to: offset) }
    }

    private mutating func give(_ bytes: RawSpan, from start: Int, count: Int, at time: Int64?, _ emit: Emit) {
        let captured = bytes.byteCount
        if captured > 0 {
            report.bytes &+= captured
            emit(piece(.bytes, start, captured, time), bytes)
        }
        guard captured < count else { return }
        report.cut.add((start &+ captured)..<(start &+ count))
        emit(piece(.cut, start &+ captured, count &- captured, nil), RawSpan())
    }

    private func piece(_ content: StreamPiece.Content, _ start: Int, _ count: Int, _ time: Int64?) -> StreamPiece {
        StreamPiece(flow: 0, direction: direction, offset: start, count: count, time: time, content: content)
    }

    /// Moves past kept bytes that are now in order.
    private mutating func advance(_ settings: ReassemblySettings, _ emit: Emit) {
        guard tentative == nil else { return }
        var count = ready
        while count < kept.count, kept[count].start == offset {
            let element = kept[count]
            count &+= 1
            if settings.overlap == .first {
                keptMemory &-= element.memory
                accept(element.bytes.span.bytes, count: element.end &- element.start, at: element.time, settings, emit)
            } else {
                next = next &+ UInt32(truncatingIfNeeded: element.end &- element.start)
                offset = element.end
            }
        }
        if settings.overlap == .first { kept.removeFirst(count) } else { ready = count }
        if !hasGap { waited = 0 }
    }

    /// Closes gaps whose other end was acknowledged, after some patience.
    mutating func giveUpAcknowledged(_ settings: ReassemblySettings, _ emit: Emit) {
        guard hasGap, tentative == nil, acknowledged > kept[ready].start else { return }
        waited &+= 1
        guard waited > settings.patience else { return }
        while hasGap, acknowledged > kept[ready].start { giveUpGap(settings, emit) }
    }

    /// Closes the first gap and moves past it.
    mutating func giveUpGap(_ settings: ReassemblySettings, _ emit: Emit) {
        guard hasGap else { return }
        if tentative != nil {
            tentative = .max
            return settleTentative(settings, emit)
        }
        let range = offset..<kept[ready].start
        report.gaps.add(range)
        next = next &+ UInt32(truncatingIfNeeded: range.count)
        offset = range.upperBound
        if settings.overlap == .first {
            emit(piece(.gap, range.lowerBound, range.count, nil), RawSpan())
            window.move(to: offset)
        } else {
            let gap = KeptBytes(start: range.lowerBound, end: range.upperBound, bytes: [], time: nil, isGap: true)
            keptMemory &+= gap.memory
            kept.insert(gap, at: ready)
            ready &+= 1
        }
        advance(settings, emit)
    }

    /// Delivers an element that is in order, and keeps it until `dropReady`.
    mutating func giveReady(_ index: Int, _ emit: Emit) {
        let element = kept[index]
        let count = element.end &- element.start
        if element.isGap {
            emit(piece(.gap, element.start, count, nil), RawSpan())
        } else {
            give(element.bytes.span.bytes, from: element.start, count: count, at: element.time, emit)
        }
    }

    /// Discards the first elements, which were delivered.
    mutating func dropReady(_ count: Int) {
        for element in kept.prefix(count) { keptMemory &-= element.memory }
        kept.removeFirst(count)
        ready &-= count
    }

    /// Discards the bytes that retransmissions are compared with.
    mutating func forget() { window.removeAll() }

    /// Records how many bytes are missing at the stream's end.
    mutating func finish() {
        var known = acknowledged
        // An acknowledged FIN counts as a byte.
        if let end { known = known == end &+ 1 ? end : max(known, end) }
        report.missingAtEnd = max(known &- offset, 0)
        forget()
    }
}
