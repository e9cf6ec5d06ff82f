import WeirWire

// The bytes of segments, in their places in the stream
extension StreamSide {
    /// The maximum number of kept elements.
    private static var mostKept: Int { 4096 }

    /// Whether no more elements can be kept.
    var isCrowded: Bool { kept.count > Self.mostKept }

    /// Delivers the bytes of a segment that are in order, keeps those that are early, and compares those that repeat.
    mutating func place(
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
