import WeirEngine
import WeirWire

/// A chunk that has just arrived: its bytes, and the place of a datagram in the batch that it came with.
///
/// It is valid until the relay reads again.
struct Arrival {
    var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The place of a client's datagram in the inbox of clients.
    var place = 0

    /// No chunk: nothing has arrived.
    static var none: Arrival { Arrival() }
}

/// One flow on the loop where it lives, with the ends that its carrier gave it: it performs what the flow asks.
///
/// A subclass for each transport moves the bytes; everything else is the same for all (`FlowHost`).
class RelayedFlow {
    /// What changes while the flow lives.
    struct State {
        /// The target, while the flow still needs one; nil for a flow that is its own server.
        var target: Target?
        /// The server's addresses, in the order in which they are dialed.
        var addresses: [Endpoint] = []
        /// Whether the loop will read from the flow in its next turn.
        var isReady = false
        var isClosed = false
        /// The instant of the last `wake` action that is still awaited.
        var wakeAt: Instant?
        /// The number of bytes that the flow keeps for echoes, as last counted by the host.
        var bytesKeptForEcho = 0
    }

    #if WEIR_CHECKS
    final var flow: Flow
    final var state: State
    #else
    @exclusivity(unchecked) final var flow: Flow
    @exclusivity(unchecked) final var state: State
    #endif
    unowned(unsafe) final let host: FlowHost
    final let route: Int
    final let place: Int
    final let generation: UInt32

    init(_ flow: Flow, target: Target?, route: Int, at slot: Slot, of host: FlowHost) {
        self.flow = flow
        self.host = host
        self.route = route
        place = slot.place
        generation = slot.generation
        state = State(target: target)
    }

    final var isClosed: Bool { state.isClosed }

    final func token(_ kind: Token.Kind) -> Token { Token(kind, place: place, generation: generation) }

    // MARK: - What a flow asks

    /// Dials the server's address with this index, and reports the outcome to the host.
    func dial(_ attempt: Int) {}
    /// Offers the chunk that has just arrived to the kernel.
    func send(_ arrival: Arrival, _ direction: Direction) {}
    /// Offers the front of a direction's queue to the kernel.
    func sendQueued(_ direction: Direction) {}
    /// Half-closes a direction's receiver.
    func finish(_ direction: Direction) {}
    /// Resets a direction's receiver once everything is delivered, or at an instant.
    func reset(_ direction: Direction, by instant: Instant) {}
    /// Reads a direction's source, or no longer.
    func setReading(_ direction: Direction, _ isReading: Bool) {}
    /// Closes both ends, because the flow has ended for a reason.
    func close(_ reason: CloseReason) {}

    // MARK: - What the host tells

    /// Begins to dial, now that the server's addresses are known.
    func begin() {}
    /// Continues after the actions of an event were performed.
    func continueAfterActions() {}
    /// Does what a timer is for, other than the flow's own wake-ups.
    func timerFired() {}
    /// Whether a timer still has a purpose, other than the flow's own wake-ups.
    var needsTimer: Bool { false }
    /// Ends the flow with an event, after counting what can no longer be delivered.
    func end(with event: FlowEvent) { host.dispatch(self, event) }
    /// Reads from the flow's ends in the next turn, if there is something to read.
    func markReady() {}
}
