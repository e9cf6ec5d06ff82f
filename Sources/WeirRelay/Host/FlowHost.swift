import WeirEngine
import WeirWire

/// The host of one event loop's flows: it passes events to a flow, and performs the actions that the flow returns.
///
/// It owns the table of flows, their timers, the turn, and the one switch that performs actions; the carriers of TCP
/// and UDP bring events, and each flow's ends (`RelayedFlow`) do what the switch asks.
final class FlowHost {
    /// The number of bytes that every flow may keep, even beyond that limit.
    private static let echoAlways = 4096

    /// The maximum number of bytes that all flows of a loop keep for echoes.
    private let echoBound: Int

    private struct State {
        var flows = SlotTable<RelayedFlow>()
        var turn = Turn(at: Moment(wallNanoseconds: 0, instant: Instant(nanoseconds: 0)))
        var bytesKeptForEcho = 0
        var isPerforming = false
        /// The settings of new flows.
        var tcp: FlowSettings
        var udp: FlowSettings
    }

    unowned(unsafe) let loop: LoopContext
    /// The carriers of both transports, once they are there.
    var carriers: (tcp: any Carrier, udp: any Carrier)?
    #if WEIR_CHECKS
    private var state: State
    #else
    @exclusivity(unchecked) private var state: State
    #endif
    /// The flows that wait for their target's addresses.
    private var unresolved: [RelayedFlow] = []

    init(loop: LoopContext) {
        self.loop = loop
        let (configuration, hub) = (loop.shared.configuration, loop.shared.hub)
        echoBound = configuration.echoBound
        func settings(_ transport: Transport) -> FlowSettings {
            configuration.settings(
                for: transport,
                recordsChunks: hub.interest >= .chunks,
                showsEchoes: hub.showsEchoes
            )
        }
        state = State(tcp: settings(.tcp), udp: settings(.udp))
    }

    /// Returns a transport's carrier.
    func carrier(of transport: Transport) -> (any Carrier)? { transport == .tcp ? carriers?.tcp : carriers?.udp }

    // MARK: - Flows

    /// All flows, in no particular order.
    var flows: [RelayedFlow] { state.flows.all }

    var isEmpty: Bool { state.flows.count == 0 }

    /// Returns the flow for which a token was made, if it is still there.
    subscript(token: Token) -> RelayedFlow? { state.flows[token] }

    /// Finds a flow by its number.
    func find(_ id: FlowID) -> RelayedFlow? { state.flows.find(id.rawValue) }

    /// Makes the flow of a client; `begin` starts it.
    ///
    /// - Parameters:
    ///   - transport: the transport of the flow.
    ///   - client: the client's endpoint.
    ///   - listener: the endpoint to which the client sent.
    ///   - route: the route's number.
    ///   - target: where the client wants to go; nil for a flow that is its own server.
    ///   - cookie: the kernel's number for the client's connection; 0 for a datagram's flow.
    ///   - make: makes the flow's ends.
    /// - Returns: the flow with its ends.
    func add<Ends: RelayedFlow>(
        _ transport: Transport,
        from client: Endpoint,
        at listener: Endpoint,
        route: Int,
        target: Target?,
        cookie: @autoclosure () -> UInt64,
        _ make: (Flow, Slot) -> Ends
    ) -> Ends {
        let (number, seed) = loop.shared.nextFlow(of: route)
        let flow = Flow(
            id: loop.shared.nextFlowID(),
            transport: transport,
            client: client,
            listener: listener,
            isEcho: target == nil,
            toxics: loop.toxics[route],
            number: number,
            seed: seed,
            settings: transport == .tcp ? state.tcp : state.udp,
            at: loop.now()
        )
        loop.shared.configuration.watched?.begin(flow.id, transport, client: client)
        loop.shared.configuration.processes?.ask(flow.id, transport, flow.path, cookie: cookie(), at: loop.now())
        let slot = state.flows.reserve()
        let ends = make(flow, slot)
        state.flows.put(ends, at: slot, numbered: flow.id.rawValue)
        return ends
    }

    /// Begins a flow as soon as its target's addresses are known.
    func begin(_ relayed: RelayedFlow) {
        guard let target = relayed.state.target else { return start(relayed) }
        guard let endpoints = loop.endpoints(of: target) else {
            unresolved.append(relayed)
            return
        }
        begin(relayed, at: endpoints)
    }

    private func begin(_ relayed: RelayedFlow, at endpoints: [Endpoint]) {
        relayed.state.addresses = endpoints
        relayed.begin()
    }

    /// Continues the flows that waited for a target's addresses, which are known again.
    func resolved(_ target: Target) {
        let waiting = unresolved.filter { $0.state.target === target }
        unresolved.removeAll { $0.state.target === target }
        for relayed in waiting where !relayed.isClosed { begin(relayed, at: target.endpoints) }
    }

    /// Starts a flow, now that it can dial.
    func start(_ relayed: RelayedFlow) { dispatch(relayed, .started(attempts: relayed.state.addresses.count)) }

    /// Removes a flow that has closed; its ends are closed.
    func remove(_ relayed: RelayedFlow, _ reason: CloseReason) {
        relayed.state.isClosed = true
        state.bytesKeptForEcho -= relayed.state.bytesKeptForEcho
        loop.tally(relayed.route) { $0.add(ended: relayed.flow) }
        relayed.close(reason)
        state.flows.remove(at: relayed.place)
    }

    // MARK: - Events for many flows

    /// Gives a route's flows new toxics.
    func setToxics(_ set: ToxicSet, route: Int) {
        for relayed in flows where relayed.route == route { dispatch(relayed, .reconfigured(set)) }
    }

    /// Makes the records that the sinks now want.
    func followInterest() {
        loop.followInterest()
        let areWanted = loop.shared.hub.interest >= .chunks
        state.tcp.recordsChunks = areWanted
        state.udp.recordsChunks = areWanted
        state.tcp.echoWindow = loop.echoWindow
        state.udp.echoWindow = loop.echoWindow
        for relayed in flows { dispatch(relayed, .chunkRecords(areWanted)) }
    }

    /// Closes the flows of a route.
    func dismiss(route: Int) {
        for relayed in flows where relayed.route == route { relayed.end(with: .dismissed) }
    }

    /// Resets all flows.
    func shutdown() {
        for relayed in flows where !relayed.isClosed { relayed.end(with: .shutdown) }
    }

    /// Reads again from the flows that were not read while a sink was full.
    func markAllReady() {
        for relayed in flows { relayed.markReady() }
    }

    // MARK: - Time

    /// Does what is due for the flow of a timer.
    ///
    /// - Parameters:
    ///   - entry: the timer.
    ///   - held: the instant until which a full sink kept the loop from reading; nil if that never happened.
    func wake(_ entry: TimerHeap.Entry, heldUntil held: Instant?) {
        guard let relayed = state.flows[entry.token] else { return }
        relayed.timerFired()
        guard !relayed.isClosed, relayed.state.wakeAt == entry.due else { return }
        relayed.state.wakeAt = nil
        change(relayed) {
            if let held { feed(relayed, .held(until: held)) }
            feed(relayed, .wake)
        }
    }

    /// Returns whether a timer still has a purpose.
    func isNeeded(_ entry: TimerHeap.Entry) -> Bool {
        guard let relayed = state.flows[entry.token] else { return false }
        return relayed.state.wakeAt == entry.due || relayed.needsTimer
    }

    // MARK: - Events in, actions out

    /// Passes an event to a flow, and performs the resulting actions.
    func dispatch(_ relayed: RelayedFlow, _ event: FlowEvent, _ arrival: Arrival = .none) {
        change(relayed, arrival) { feed(relayed, event, bytes: arrival.bytes.bytes) }
    }

    /// Passes several events to a flow with `feed`, and performs the resulting actions.
    func change(_ relayed: RelayedFlow, _ arrival: Arrival = .none, _ body: () -> Void) {
        assert(!state.isPerforming, "an event came while the actions of another were performed: use feed")
        state.turn.begin(at: state.turn.now)
        state.isPerforming = true
        body()
        var index = 0
        performAll(from: &index, relayed, arrival)
        if keepsTooMuch(relayed) {
            feed(relayed, .echoesFull)
            performAll(from: &index, relayed, arrival)
            countEcho(relayed)
        }
        state.isPerforming = false
        relayed.continueAfterActions()
    }

    /// Whether the last change has led to an action.
    var hasActed: Bool { !state.turn.actions.isEmpty }

    private func performAll(from index: inout Int, _ relayed: RelayedFlow, _ arrival: Arrival) {
        while index < state.turn.actions.count {
            perform(state.turn.actions[index], relayed, arrival)
            index += 1
        }
    }

    /// Passes the outcome of an action to the flow; the resulting actions come after those that are waiting.
    func feed(_ relayed: RelayedFlow, _ event: FlowEvent, bytes: RawSpan = RawSpan()) {
        state.turn.now = loop.now()
        relayed.flow.handle(event, bytes: bytes, in: &state.turn)
    }

    private func perform(_ action: FlowAction, _ relayed: RelayedFlow, _ arrival: Arrival) {
        switch action {
        case .connect(let attempt): relayed.dial(attempt)
        case .send(let direction): relayed.send(arrival, direction)
        case .sendQueued(let direction): relayed.sendQueued(direction)
        case .finish(let direction): relayed.finish(direction)
        case .reset(let by, let direction): relayed.reset(direction, by: by)
        case .pauseReading(let direction): relayed.setReading(direction, false)
        case .resumeReading(let direction): relayed.setReading(direction, true)
        case .wake(let instant):
            relayed.state.wakeAt = instant
            loop.timers.insert(relayed.token(.flowTimer), due: instant)
        case .record(let place):
            let made = state.turn.records[place]
            if case .refused = made.record.happening { relayed.state.target?.doubt() }
            if let copy = made.copy {
                loop.record(made.record, bytes: copy.span.bytes, route: relayed.route)
            } else {
                loop.record(made.record, bytes: arrival.bytes.bytes, route: relayed.route)
            }
        case .close(let reason): remove(relayed, reason)
        }
    }

    /// Returns whether all flows of the loop together keep too much for echoes, and this one has just added to it.
    private func keepsTooMuch(_ relayed: RelayedFlow) -> Bool {
        let (now, kept) = (relayed.flow.bytesKeptForEcho, relayed.state.bytesKeptForEcho)
        guard now != kept, !relayed.isClosed else { return false }
        countEcho(relayed)
        // An expected echo is limited by the window of each flow, and its detection never stops.
        return !state.tcp.expectsEcho && now > kept && now > Self.echoAlways && state.bytesKeptForEcho > echoBound
    }

    private func countEcho(_ relayed: RelayedFlow) {
        state.bytesKeptForEcho += relayed.flow.bytesKeptForEcho - relayed.state.bytesKeptForEcho
        relayed.state.bytesKeptForEcho = relayed.flow.bytesKeptForEcho
    }

    /// Returns whether a flow would send a chunk as it is, with no other action; it then counts as forwarded.
    func passes(_ relayed: RelayedFlow, _ bytes: UnsafeRawBufferPointer, _ direction: Direction) -> Bool {
        relayed.flow.passes(bytes.bytes, direction, at: loop.turnBegan)
    }
}
