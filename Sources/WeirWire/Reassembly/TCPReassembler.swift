/// Puts the segments of TCP flows in order, and gives their streams piece by piece as soon as they are.
///
/// What a flow keeps is bounded, and what all flows keep; the report says what the bound cost. Flows are told apart by
/// numbers that the caller gives, such as their places in a `FlowTable`.
public struct TCPReassembler: ~Copyable, Sendable {
    private let settings: ReassemblySettings
    private var states: [State] = []
    private var places: [Int: Int] = [:]
    /// The flow that is the longest without a segment, and the one that had the last.
    private var oldest = -1
    private var newest = -1
    /// Gives how many bytes are kept for all flows, about.
    public private(set) var memory = 0

    /// Takes a piece of a stream; the bytes are lent for the call.
    public typealias Receiver = (StreamPiece, RawSpan) -> Void

    private struct State: Sendable {
        let flow: Int
        var reassembly = FlowReassembly()
        var older = -1
        var newer = -1
    }

    /// Creates a reassembler without flows.
    public init(_ settings: ReassemblySettings = ReassemblySettings()) {
        self.settings = settings
    }

    /// Takes a segment.
    ///
    /// - Parameters:
    ///   - segment: The segment's header.
    ///   - bytes: As much of its payload as was captured.
    ///   - flow: The number of its flow.
    ///   - direction: Which way it goes.
    ///   - time: Nanoseconds since 1970 UTC; nil where it is not known.
    ///   - receiver: Takes the pieces that are in order now, also those of other flows that have to make room.
    public mutating func add(
        _ segment: StreamSegment,
        _ bytes: RawSpan,
        flow: Int,
        _ direction: Direction,
        at time: Int64?,
        to receiver: Receiver
    ) {
        let place = place(of: flow)
        let before = states[place].reassembly.memory
        states[place].reassembly.add(segment, bytes, direction, at: time, settings) { piece, bytes in
            receiver(piece.of(flow), bytes)
        }
        memory &+= states[place].reassembly.memory &- before
        use(place)
        while memory > settings.totalLimit, oldest >= 0 { makeRoom(receiver) }
    }

    /// Returns where a segment's payload is in its stream, as far as the stream is known by now; 0 where it would begin it.
    public func offset(of segment: StreamSegment, flow: Int, _ direction: Direction) -> Int {
        guard let place = places[flow] else { return 0 }
        let reassembly = states[place].reassembly
        return (direction == .upstream ? reassembly.upstream : reassembly.downstream).offset(of: segment)
    }

    /// Returns whether all bytes of a direction up to its FIN were given.
    func isAtEnd(flow: Int, _ direction: Direction) -> Bool {
        guard let place = places[flow] else { return false }
        return direction == .upstream
            ? states[place].reassembly.upstream.isAtEnd : states[place].reassembly.downstream.isAtEnd
    }

    /// Makes a flow's upstream its downstream, from now on: the client has turned out to be the other side.
    public mutating func turn(flow: Int) {
        if let place = places[flow] { states[place].reassembly.turn() }
    }

    /// Gives all that is kept: the capture has ended.
    public mutating func finish(to receiver: Receiver) {
        for place in states.indices {
            let flow = states[place].flow
            states[place].reassembly.finish(settings) { piece, bytes in receiver(piece.of(flow), bytes) }
        }
        memory = 0
    }

    /// Returns what there is to say of one direction of a flow; all of it after `finish`.
    public func report(flow: Int, _ direction: Direction) -> StreamReport {
        guard let place = places[flow] else { return StreamReport() }
        let reassembly = states[place].reassembly
        return direction == .upstream ? reassembly.upstream.report : reassembly.downstream.report
    }

    private mutating func place(of flow: Int) -> Int {
        if newest >= 0, states[newest].flow == flow { return newest }
        if let place = places[flow] { return place }
        let place = states.count
        states.append(State(flow: flow))
        places[flow] = place
        return place
    }

    /// Lets the flow that was idle for the longest give something up, and leaves it out once it keeps nothing.
    private mutating func makeRoom(_ receiver: Receiver) {
        let place = oldest
        let (flow, before) = (states[place].flow, states[place].reassembly.memory)
        let hasMore = states[place].reassembly.release(settings) { piece, bytes in receiver(piece.of(flow), bytes) }
        memory &+= states[place].reassembly.memory &- before
        if !hasMore { remove(place) }
    }

    /// Makes a flow the one that had the last segment.
    private mutating func use(_ place: Int) {
        guard newest != place else { return }
        remove(place)
        states[place].older = newest
        if newest >= 0 { states[newest].newer = place } else { oldest = place }
        newest = place
    }

    /// Takes a flow out of the order of use.
    private mutating func remove(_ place: Int) {
        let (older, newer) = (states[place].older, states[place].newer)
        if older >= 0 { states[older].newer = newer } else if oldest == place { oldest = newer }
        if newer >= 0 { states[newer].older = older } else if newest == place { newest = older }
        states[place].older = -1
        states[place].newer = -1
    }
}

extension StreamPiece {
    /// Says which flow the piece is of.
    fileprivate func of(_ flow: Int) -> StreamPiece {
        var piece = self
        piece.flow = flow
        return piece
    }
}
