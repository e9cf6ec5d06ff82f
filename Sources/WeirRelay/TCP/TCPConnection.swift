import CWeir
import Glibc
import WeirEngine
import WeirWire

/// One TCP flow and its two legs, on the loop where it lives.
final class TCPConnection: RelayedFlow {
    /// What changes while the connection lives.
    struct Legs: ~Copyable {
        var client = Leg()
        var server = Leg()
        /// A socket for the first dial, made before the flow starts: a client can wait for a descriptor, a dial cannot.
        var spare: Descriptor?
        /// Whether the server's leg was connected before the flow began, so that no dial is needed.
        var isDialed = false
        /// The dial that failed before the flow began: the flow has no ends.
        var failed: FailedDial?
        /// The dial that waits for a descriptor, if the flow has started.
        var starvedAttempt: Int?
        /// The opening that answers the outcome of the dial, until there is one.
        var opening: OpeningClient?
        /// The directions whose receivers must be reset, once everything is delivered or at the given time.
        var resets: [(direction: Direction, by: Instant)] = []
        var resetPause = Duration.microseconds(500)
        #if TLS
        /// The handshakes that precede the flow's bytes, until they are complete.
        var securing: Securing?
        /// Records what is on the wire of the client's leg, if an output wants it.
        var wire: WireTap?
        /// What looks whether the flow speaks TLS, while it may still turn out to.
        var watch: TLSWatch?
        /// Until when the bytes that `watch` holds are held.
        var heldUntil: Instant?
        #endif
    }

    #if WEIR_CHECKS
    var legs = Legs()
    #else
    @exclusivity(unchecked) var legs = Legs()
    #endif
    unowned(unsafe) let carrier: TCPCarrier

    init(_ flow: Flow, target: Target?, route: Int, at slot: Slot, of carrier: TCPCarrier) {
        self.carrier = carrier
        super.init(flow, target: target, route: route, at: slot, of: carrier.host)
    }

    /// Accesses the side from which a direction's bytes come.
    subscript(source direction: Direction) -> Leg {
        @inline(__always) _read {
            if direction == .upstream { yield legs.client } else { yield legs.server }
        }
        @inline(__always) _modify {
            if direction == .upstream { yield &legs.client } else { yield &legs.server }
        }
    }

    // MARK: - What the flow asks

    override func dial(_ attempt: Int) { carrier.dial(self, attempt) }

    override func send(_ arrival: Arrival, _ direction: Direction) {
        let (count, error) = self[source: direction.opposite].write(arrival.bytes)
        if count < arrival.bytes.count {
            host.feed(self, .sent(direction, count), bytes: arrival.bytes.bytes)
        }
        if let error { feedAbort(direction.opposite, error) }
    }

    override func sendQueued(_ direction: Direction) {
        let sent = flow.offerQueued(direction) { self[source: direction.opposite].write($0) }
        guard let (count, error) = sent else { return }
        if count > 0 { host.feed(self, .sent(direction, count)) }
        if let error { feedAbort(direction.opposite, error) }
        #if TLS
        // A handshake may have waited for this.
        if legs.securing != nil { carrier.postpone(self) }
        #endif
    }

    override func finish(_ direction: Direction) {
        #if TLS
        if finishAsItEnded(direction) { return }
        #endif
        self[source: direction.opposite].finish()
    }

    override func reset(_ direction: Direction, by instant: Instant) {
        let earlier = legs.resets.first { $0.direction == direction }?.by
        legs.resets.removeAll { $0.direction == direction }
        legs.resets.append((direction, min(instant, earlier ?? instant)))
        tryResets()
    }

    override func setReading(_ direction: Direction, _ isReading: Bool) {
        self[source: direction].isReading = isReading
    }

    override func close(_ reason: CloseReason) { carrier.close(self, reason) }

    /// Tells the client the outcome of the dial, if its opening does so, before any byte of the server.
    ///
    /// The answer is part of the opening: the flow does not count it.
    ///
    /// - Returns: whether an answer went to the client.
    @discardableResult
    func answerOpening(_ outcome: DialOutcome) -> Bool {
        guard let opening = legs.opening.take() else { return false }
        let answer = opening.opening.dialed(outcome)
        guard !answer.isEmpty, legs.client.isOpen, !legs.client.hasAborted else { return false }
        let (count, error) = answer.withUnsafeBytes { legs.client.write($0) }
        if count < answer.count { feedAbort(.upstream, error ?? ErrorNumber(ETIMEDOUT)) }
        return count == answer.count
    }

    // MARK: - What the host tells

    override func begin() { carrier.begin(self) }

    override func continueAfterActions() { carrier.markReady(self) }

    override func markReady() { carrier.markReady(self) }

    override func timerFired() {
        #if TLS
        carrier.securingIsLate(self)
        #endif
        if !legs.resets.isEmpty { host.change(self) { tryResets() } }
    }

    override var needsTimer: Bool {
        #if TLS
        if legs.securing != nil || legs.heldUntil != nil { return true }
        #endif
        return !legs.resets.isEmpty
    }

    override func end(with event: FlowEvent) {
        host.change(self) {
            // Both sides are closed: what they have sent is not read any more. A flow that is being reset counts it at
            // the reset.
            if case .dismissed = event, legs.resets.isEmpty {
                for side in Direction.allCases { feedLost(side, self[source: side].unread) }
            }
            host.feed(self, event)
        }
    }
}
