// Live flows, whose chunks are not kept if nothing reads them.
public import WeirWire

extension FlowDissector {
    /// Returns the stream offset from which bytes are of interest; earlier ones need not be given, see `pass`.
    ///
    /// It never decreases; `Int.max` means that no further bytes are of interest.
    public func wanted(_ direction: Direction) -> Int {
        let side = sides[Int(direction.rawValue)]
        if side.mode == .off || side.isRest { return .max }
        return side.offset &+ max(side.passing, side.held.count)
    }

    /// Returns whether the bytes of a direction are read as messages; otherwise each chunk may begin the first one.
    public func isReading(_ direction: Direction) -> Bool {
        guard dissector != nil else { return false }
        if transport == .udp { return true }
        let side = sides[Int(direction.rawValue)]
        return side.mode == .reading || side.mode == .waiting || side.passing > 0 || side.isRest
    }

    /// Whether the flow is a stream, not datagrams.
    public var isStream: Bool { transport == .tcp }

    /// The number of bytes that are buffered for incomplete messages.
    public var heldBytes: Int { sides[0].held.count &+ sides[1].held.count }

    /// Skips bytes of a stream that arrived but were not kept, because they are not of interest.
    ///
    /// Bytes that turn out to be of interest count as missing.
    public mutating func pass(_ count: Int, _ direction: Direction, at time: Int64?, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        sides[side].time = time
        let passed = sides[side].pass(count)
        if passed > 0 { endIfPassed(side, receiver) }
        if passed < count { skip(count &- passed, direction, to: receiver) }
        // The other direction may have waited for the message that just ended.
        add(RawSpan(), direction, at: time, to: receiver)
    }
}
