import WeirWire

// Progress in the stream
extension StreamSide {
    /// Delivers bytes in order, and the gap after them if the packet was cut.
    mutating func accept(
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
    mutating func advance(_ settings: ReassemblySettings, _ emit: Emit) {
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
