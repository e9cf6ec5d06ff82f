// What a live flow needs, of whose chunks those that nobody looks at are not kept.
extension FlowDissector {
    /// Says from which offset on a stream's bytes are looked at; those before it need not be given, see `pass`.
    ///
    /// It never goes back; `Int.max` says that no more are looked at.
    public func wanted(_ direction: Direction) -> Int {
        let side = sides[Int(direction.rawValue)]
        if side.mode == .off || side.isRest { return .max }
        return side.offset &+ max(side.passing, side.held.count)
    }

    /// Says that the bytes of a direction are taken for messages; otherwise each chunk may be the first one of them.
    public func isReading(_ direction: Direction) -> Bool {
        guard dissector != nil else { return false }
        if transport == .udp { return true }
        let side = sides[Int(direction.rawValue)]
        return side.mode == .reading || side.mode == .waiting || side.passing > 0 || side.isRest
    }

    /// Says that what is read is a stream, and no datagrams.
    public var isStream: Bool { transport == .tcp }

    /// Counts the bytes that are held back for messages that are not complete.
    public var heldBytes: Int { sides[0].held.count &+ sides[1].held.count }

    /// Lets bytes of a stream pass that came but were not kept, as they are not looked at.
    ///
    /// Bytes that are looked at after all are bytes that are missing.
    public mutating func pass(_ count: Int, _ direction: Direction, at time: Int64?, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        sides[side].time = time
        let passed = sides[side].pass(count)
        if passed > 0 { endIfPassed(side, receiver) }
        if passed < count { skip(count &- passed, direction, to: receiver) }
        // The other direction may have waited for the message that has ended.
        add(RawSpan(), direction, at: time, to: receiver)
    }
}
