import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The relay of one event loop's UDP sessions: it reads and sends datagrams in batches, and each one passes its flow.
///
/// Reading order: `serviceReady` receives datagrams; `perform` carries out the flow's actions, in one switch;
/// `UDPRelay+Send` sends the batches; `UDPRelay+Sessions` begins and ends sessions.
final class UDPRelay {
    /// The maximum number of batches from one socket in one turn.
    private static let batchesPerTurn = 4
    /// The maximum number of failed receives in a row on a listener, each of which may be about an earlier datagram.
    private static let mostFailures = 1000
    /// The maximum number of datagrams in one read from one server.
    private static let serverBatch: UInt32 = 32

    unowned(unsafe) let loop: EventLoop
    @exclusivity(unchecked) var listeners: [UDPListener] = []
    @exclusivity(unchecked) var sessions = SlotTable<UDPSession>()
    @exclusivity(unchecked) var recent = RecentSessions()
    var unresolved: [UDPSession] = []
    @exclusivity(unchecked) private(set) var settings: FlowSettings
    @exclusivity(unchecked) private var readyListeners: [UDPListener] = []
    @exclusivity(unchecked) private var readySessions: [UDPSession] = []
    @exclusivity(unchecked) private var actions: [FlowAction] = []

    private(set) var clientInbox: OpaquePointer?
    private(set) var serverInbox: OpaquePointer?
    /// The number of places in the servers' inbox whose datagrams wait in the outbox.
    @exclusivity(unchecked) private var serverInboxUsed: UInt32 = 0
    private(set) var upstreamOutbox: OpaquePointer?
    private(set) var downstreamOutbox: OpaquePointer?
    private(set) var singleOutbox: OpaquePointer?
    /// The sessions with datagrams in the batch for their servers.
    @exclusivity(unchecked) var pendingUpstream: [UDPSession] = []
    /// The sessions of the answers in the batch for the clients, in the order of the batch.
    @exclusivity(unchecked) var pendingDownstream: [(session: UDPSession, bytes: UnsafeRawBufferPointer)] = []
    /// While the relay drains, the sessions with actions since their queues were last checked.
    @exclusivity(unchecked) var touched: [UDPSession] = []
    /// Whether all sessions were checked once since the relay began to drain.
    var hasBegunToEnd = false
    /// The place in the clients' inbox of the datagram that is being handled.
    @exclusivity(unchecked) private var place = 0
    @exclusivity(unchecked) private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The datagram whose session is being found, until a flow has it.
    @exclusivity(unchecked) var arriving: UnsafeRawBufferPointer?

    init(loop: EventLoop) {
        self.loop = loop
        let hub = loop.shared.hub
        settings = loop.shared.configuration.settings(
            for: .udp,
            recordsChunks: hub.interest >= .chunks,
            showsEchoes: hub.showsEchoes
        )
    }

    /// Allocates the batches' memory, once there is a listener.
    func makeBatches() {
        guard clientInbox == nil else { return }
        clientInbox = weir_inbox_create()
        serverInbox = weir_inbox_create()
        upstreamOutbox = weir_outbox_create()
        downstreamOutbox = weir_outbox_create()
        singleOutbox = weir_outbox_create()
    }

    deinit {
        weir_inbox_destroy(clientInbox)
        weir_inbox_destroy(serverInbox)
        weir_outbox_destroy(upstreamOutbox)
        weir_outbox_destroy(downstreamOutbox)
        weir_outbox_destroy(singleOutbox)
    }

    var isEmpty: Bool { sessions.count == 0 }
    var hasReady: Bool { !readyListeners.isEmpty || !readySessions.isEmpty }

    // MARK: - Events in

    func handleListener(_ events: UInt32, _ token: Token) {
        let listener = listeners[token.place]
        guard !listener.isClosed else { return }
        if events & UInt32(WEIR_OUT) != 0 { unblock(listener) }
        if events & ~UInt32(WEIR_OUT) != 0 {
            listener.isReadable = true
            markReady(listener)
        }
    }

    func handleSession(_ events: UInt32, _ token: Token) {
        guard let session = sessions[token] else { return }
        if events & UInt32(WEIR_OUT) != 0, session.isBlocked {
            session.isBlocked = false
            dispatch(session, .writable(.upstream))
        }
        if events & ~UInt32(WEIR_OUT) != 0 {
            session.isReadable = true
            markReady(session)
        }
    }

    private func markReady(_ listener: UDPListener) {
        guard listener.isReadable, !listener.isReady, !listener.isClosed else { return }
        listener.isReady = true
        readyListeners.append(listener)
    }

    private func markReady(_ session: UDPSession) {
        guard session.isReadable, session.isReading, !session.isReady, !session.isClosed else { return }
        session.isReady = true
        readySessions.append(session)
    }

    func markAllReady() {
        for listener in listeners { markReady(listener) }
        for session in sessions.all { markReady(session) }
    }

    /// Reads from the sockets that have datagrams to read, each as much as a turn allows.
    func serviceReady() {
        guard hasReady else { return }
        let turnListeners = readyListeners
        let turnSessions = readySessions
        readyListeners.removeAll(keepingCapacity: true)
        readySessions.removeAll(keepingCapacity: true)
        for listener in turnListeners {
            listener.isReady = false
            if listener.isClosed { continue }
            for _ in 0..<Self.batchesPerTurn where listener.isReadable && !loop.isHeld { receive(from: listener) }
            markReady(listener)
        }
        for session in turnSessions {
            session.isReady = false
            for _ in 0..<Self.batchesPerTurn where session.isReadable && !session.isClosed && !loop.isHeld {
                receive(from: session)
            }
            markReady(session)
        }
        flushDownstream()
        serverInboxUsed = 0
    }

    private func receive(from listener: UDPListener) {
        let batch = UInt32(WEIR_BATCH)
        let count = Int(weir_inbox_receive(clientInbox, listener.raw, 0, batch, true))
        // An error of a receive belongs to an earlier datagram; EAGAIN means that nothing is left. If there are as many in a
        // row as datagrams may be under way, the call itself is refused, until the kernel has news.
        if count < Int(batch), count >= 0 || count == -Int(EAGAIN) { listener.isReadable = false }
        listener.failures = count >= 0 || count == -Int(EAGAIN) ? 0 : listener.failures + 1
        if listener.failures > Self.mostFailures {
            listener.isReadable = false
            let (endpoint, error) = (listener.listening.endpoint, ErrorNumber(Int32(-count)))
            loop.shared.refusals.tell("udp \(endpoint): the kernel refuses to receive datagrams: \(error)")
        }
        guard count > 0 else { return }
        var length = 0
        for index in 0..<count {
            guard let datagram = weir_inbox_datagram(clientInbox, UInt32(index)) else { continue }
            place = index
            length += Int(datagram.pointee.length)
            let bytes = UnsafeRawBufferPointer(
                start: weir_inbox_bytes(clientInbox, UInt32(index)),
                count: Int(datagram.pointee.length)
            )
            arriving = bytes
            guard let session = session(of: datagram, at: listener), arriving != nil else { continue }
            deliver(bytes, isTruncated: datagram.pointee.truncated, to: session, .upstream)
        }
        arriving = nil
        flushUpstream()
        // A session that is its own server answers from the clients' inbox, so send before it is filled again.
        flushDownstream()
        // The kernel drops datagrams when much is queued: many datagrams, or big ones.
        if count == Int(batch) || length >= listener.receiveBuffer / 4 { reportDrops(of: listener) }
    }

    private func receive(from session: UDPSession) {
        if serverInboxUsed == UInt32(WEIR_BATCH) {
            flushDownstream()
            serverInboxUsed = 0
        }
        let first = serverInboxUsed
        let batch = min(Self.serverBatch, UInt32(WEIR_BATCH) - first)
        let count = Int(weir_inbox_receive(serverInbox, session.raw, first, batch, true))
        guard count >= 0 else {
            if count == -Int(EAGAIN) {
                session.isReadable = false
            } else if count != -Int(EINTR) {
                for error in refusals(session.raw, ErrorNumber(Int32(-count))) { dispatch(session, .refused(error)) }
            }
            return
        }
        if count < Int(batch) { session.isReadable = false }
        serverInboxUsed = first + UInt32(count)
        for index in first..<(first + UInt32(count)) {
            guard let datagram = weir_inbox_datagram(serverInbox, index), !session.isClosed else { return }
            let bytes = UnsafeRawBufferPointer(
                start: weir_inbox_bytes(serverInbox, index),
                count: Int(datagram.pointee.length)
            )
            guard isTaken(from: datagram, session) else { continue }
            recent.touch(session)
            deliver(bytes, isTruncated: datagram.pointee.truncated, to: session, .downstream)
        }
    }

    /// Returns whether a datagram from the server's side is relayed, according to its source.
    private func isTaken(from datagram: UnsafePointer<weir_datagram>, _ session: UDPSession) -> Bool {
        let source = withUnsafePointer(to: datagram.pointee.peer) { SocketAddress.endpoint($0) }
        guard let source, let server = session.server else { return false }
        let isServer = source.port == server.port && source.address.isSame(as: server.address)
        guard loop.shared.configuration.takesAnySource else {
            if !isServer { dispatch(session, .foreign(from: source, bytes: Int(datagram.pointee.length))) }
            return isServer
        }
        // Whoever forges such a source would make the session send to itself, or to the relay.
        if !isServer,
            loop.shared.own.contains(.udp, source) || source == session.flow.path.egress
                || source == session.flow.path.client
        {
            dispatch(session, .foreign(from: source, bytes: Int(datagram.pointee.length)))
            return false
        }
        let peer = session.flow.answers(from: isServer ? nil : source) ?? server
        if peer != session.peer {
            // Datagrams that wait to be sent go to the peer that was current when they arrived.
            flush(session)
            session.peer = peer
        }
        return true
    }

    private func deliver(
        _ bytes: UnsafeRawBufferPointer,
        isTruncated: Bool,
        to session: UDPSession,
        _ direction: Direction
    ) {
        // One datagram causes one answer at most, so make room for it before asking the flow.
        if pendingDownstream.count == Int(WEIR_BATCH) { flushDownstream() }
        if let first = pendingDownstream.first, first.session.listener !== session.listener { flushDownstream() }
        if isTruncated { return dispatch(session, .truncated(direction, read: bytes.count)) }
        chunk = bytes
        if session.flow.passes(bytes.bytes, direction, at: loop.turnBegan) { return put(session, direction) }
        dispatch(session, .received(direction), bytes: bytes.bytes)
    }

    func recordChunks(_ isWanted: Bool) {
        settings.recordsChunks = isWanted
        settings.echoWindow = loop.echoWindow
        for session in sessions.all { session.flow.recordChunks(isWanted) }
    }

    /// Adds the datagram that is being handled to the batch of its direction.
    private func put(_ session: UDPSession, _ direction: Direction) {
        guard direction == .upstream else { return putDownstream(session, chunk) }
        if session.pending.isEmpty { pendingUpstream.append(session) }
        session.pending.append(place)
    }

    func wake(_ entry: TimerHeap.Entry, excusedUntil: Instant) {
        guard let session = sessions[entry.token], session.wakeAt == entry.due else { return }
        session.wakeAt = nil
        session.flow.touch(at: excusedUntil)
        reportDrops(of: session)
        dispatch(session, .wake)
    }

    /// Applies a new set of toxics to a route's open sessions.
    func setToxics(_ set: ToxicSet, route: Int) {
        for session in sessions.all where session.listener.listening.route == route {
            actions.removeAll(keepingCapacity: true)
            session.flow.setToxics(set, at: loop.now(), into: &actions)
            performAll(session, RawSpan())
        }
    }

    /// Changes a session's flow between two datagrams, and performs the resulting actions.
    func change<Result>(_ session: UDPSession, _ body: (inout Flow, Moment, inout [FlowAction]) -> Result) -> Result {
        actions.removeAll(keepingCapacity: true)
        let result = body(&session.flow, loop.now(), &actions)
        performAll(session, RawSpan())
        return result
    }

    /// Returns whether a timer still has a purpose.
    func isNeeded(_ entry: TimerHeap.Entry) -> Bool { sessions[entry.token]?.wakeAt == entry.due }

    // MARK: - Actions out

    /// Passes an event to the flow, and performs the resulting actions.
    func dispatch(_ session: UDPSession, _ event: FlowEvent, bytes: RawSpan = RawSpan()) {
        actions.removeAll(keepingCapacity: true)
        feed(session, event, bytes: bytes)
        performAll(session, bytes)
    }

    /// Starts a session, now that its server's addresses are known.
    func start(_ session: UDPSession) {
        actions.removeAll(keepingCapacity: true)
        session.flow.start(attempts: session.targets.count, at: loop.now(), into: &actions)
        performAll(session, RawSpan())
    }

    /// Passes the outcome of an action to the flow; the resulting actions come after those that are waiting.
    func feed(_ session: UDPSession, _ event: FlowEvent, bytes: RawSpan = RawSpan()) {
        session.flow.handle(event, bytes: bytes, at: loop.now(), into: &actions)
    }

    private func performAll(_ session: UDPSession, _ bytes: RawSpan) {
        if loop.isDraining { touched.append(session) }
        var index = 0
        while index < actions.count {
            perform(actions[index], session, bytes)
            index += 1
        }
    }

    private func perform(_ action: FlowAction, _ session: UDPSession, _ bytes: RawSpan) {
        switch action {
        case .send(let direction): put(session, direction)
        case .sendQueued(let direction): sendQueued(session, direction)
        case .record(let record): loop.record(record, bytes: bytes, route: session.listener.listening.route)
        case .recordCopy(let record, let copy):
            loop.record(record, bytes: copy.span.bytes, route: session.listener.listening.route)
        case .connect(let attempt): dial(session, attempt)
        case .wake(let instant):
            session.wakeAt = instant
            loop.timers.insert(session.token(.udpTimer), due: instant)
        case .pauseReading(.downstream): session.isReading = false
        case .resumeReading(.downstream):
            session.isReading = true
            markReady(session)
        case .close: close(session)
        // A UDP flow has no halves to close or reset, and its listener is shared, so clients' datagrams are always
        // read.
        case .finish, .reset, .pauseReading(.upstream), .resumeReading(.upstream): break
        }
    }
}

extension IPAddress {
    /// Returns whether two addresses are the same; an unknown interface matches any.
    fileprivate func isSame(as other: IPAddress) -> Bool {
        high == other.high && low == other.low && isV4 == other.isV4
            && (scope == other.scope || scope == 0 || other.scope == 0)
    }
}
