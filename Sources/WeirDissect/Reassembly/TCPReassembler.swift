public import WeirWire

/// A reassembler of TCP flows, which delivers their streams piece by piece as soon as bytes are in order.
///
/// The bytes kept for a flow and for all flows are limited; the report counts the consequences of the limits. The
/// caller identifies flows by numbers, such as their places in a `FlowTable`.
public struct TCPReassembler: ~Copyable, Sendable {
    private let settings: ReassemblySettings
    private var states: [State] = []
    private var places: [Int: Int] = [:]
    /// The flow with the longest time since its last segment, and the one with the latest segment.
    private var oldest = -1
    private var newest = -1
    /// The approximate number of bytes kept for all flows.
    public private(set) var memory = 0

    /// A closure that receives a piece of a stream; the bytes are lent for the call.
    public typealias Receiver = (StreamPiece, RawSpan) -> Void

    private struct State: Sendable {
        let flow: Int
        var reassembly = FlowReassembly()
        /// What the flow's pieces go through; nil if nothing is decrypted.
        var stage: (any StreamStage)?
        var older = -1
        var newer = -1
    }

    /// Creates a reassembler without flows.
    public init(_ settings: ReassemblySettings = ReassemblySettings()) {
        self.settings = settings
    }

    /// Adds a segment.
    ///
    /// - Parameters:
    ///   - segment: The segment's header.
    ///   - bytes: The captured part of its payload.
    ///   - flow: The number of its flow.
    ///   - direction: The direction of the segment.
    ///   - time: The time in nanoseconds since 1970 UTC; nil if it is not known.
    ///   - stages: The source of the stage that a new flow's pieces go through; nil for none.
    ///   - receiver: Receives the pieces that are now in order, including those of other flows that make room.
    public mutating func add(
        _ segment: StreamSegment,
        _ bytes: RawSpan,
        flow: Int,
        _ direction: Direction,
        at time: Int64?,
        through stages: (any StreamStages)? = nil,
        to receiver: Receiver
    ) {
        let place = place(of: flow, stages)
        let before = states[place].reassembly.memory
        // Moved out, so that it can take pieces while the state changes.
        var stage = states[place].stage.take()
        states[place].reassembly.add(segment, bytes, direction, at: time, settings) { piece, bytes in
            Self.give(piece.of(flow), bytes, through: &stage, to: receiver)
        }
        if stage != nil { states[place].stage = stage }
        memory &+= states[place].reassembly.memory &- before
        use(place)
        while memory > settings.totalLimit, oldest >= 0 { makeRoom(receiver) }
    }

    /// Returns the offset of a segment's payload in its stream, as far as the stream is known; 0 if it would begin it.
    public func offset(of segment: StreamSegment, flow: Int, _ direction: Direction) -> Int {
        guard let place = places[flow] else { return 0 }
        let reassembly = states[place].reassembly
        return (direction == .upstream ? reassembly.upstream : reassembly.downstream).offset(of: segment)
    }

    /// Returns whether all bytes of a direction up to its FIN were delivered.
    func isAtEnd(flow: Int, _ direction: Direction) -> Bool {
        guard let place = places[flow] else { return false }
        return direction == .upstream
            ? states[place].reassembly.upstream.isAtEnd : states[place].reassembly.downstream.isAtEnd
    }

    /// Swaps a flow's upstream and downstream from now on, because the client turned out to be the other side.
    public mutating func turn(flow: Int) {
        guard let place = places[flow] else { return }
        states[place].reassembly.turn()
        states[place].stage?.turn()
    }

    /// Delivers everything kept at the end of the capture.
    public mutating func finish(to receiver: Receiver) {
        for place in states.indices {
            let flow = states[place].flow
            var stage = states[place].stage.take()
            states[place].reassembly.finish(settings) { piece, bytes in
                Self.give(piece.of(flow), bytes, through: &stage, to: receiver)
            }
            stage?.finish(to: receiver)
            states[place].stage = stage
        }
        memory = 0
    }

    /// Returns the report of one direction of a flow; it is complete after `finish`.
    public func report(flow: Int, _ direction: Direction) -> StreamReport {
        guard let place = places[flow] else { return StreamReport() }
        let reassembly = states[place].reassembly
        return direction == .upstream ? reassembly.upstream.report : reassembly.downstream.report
    }

    /// Gives a piece to a stage, or if there is none to the receiver.
    @inline(__always)
    private static func give(
        _ piece: StreamPiece,
        _ bytes: RawSpan,
        through stage: inout (any StreamStage)?,
        to receiver: Receiver
    ) {
        if stage == nil { receiver(piece, bytes) } else { stage?.add(piece, bytes, to: receiver) }
    }

    private mutating func place(of flow: Int, _ stages: (any StreamStages)?) -> Int {
        if newest >= 0, states[newest].flow == flow { return newest }
        if let place = places[flow] { return place }
        let place = states.count
        states.append(State(flow: flow, stage: stages?.stage(of: flow)))
        places[flow] = place
        return place
    }

    /// Releases bytes of the flow that was idle for the longest time, and removes it once it keeps nothing.
    private mutating func makeRoom(_ receiver: Receiver) {
        let place = oldest
        let (flow, before) = (states[place].flow, states[place].reassembly.memory)
        var stage = states[place].stage.take()
        let hasMore = states[place].reassembly.release(settings) { piece, bytes in
            Self.give(piece.of(flow), bytes, through: &stage, to: receiver)
        }
        states[place].stage = stage
        memory &+= states[place].reassembly.memory &- before
        if !hasMore { remove(place) }
    }

    /// Makes a flow the one with the latest segment.
    private mutating func use(_ place: Int) {
        guard newest != place else { return }
        remove(place)
        states[place].older = newest
        if newest >= 0 { states[newest].newer = place } else { oldest = place }
        newest = place
    }

    /// Removes a flow from the order of use.
    private mutating func remove(_ place: Int) {
        let (older, newer) = (states[place].older, states[place].newer)
        if older >= 0 { states[older].newer = newer } else if oldest == place { oldest = newer }
        if newer >= 0 { states[newer].older = older } else if newest == place { newest = older }
        states[place].older = -1
        states[place].newer = -1
    }
}

extension StreamPiece {
    /// Returns the piece with the number of its flow.
    fileprivate func of(_ flow: Int) -> StreamPiece {
        var piece = self
        piece.flow = flow
        return piece
    }
}
