import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The carrier of one event loop's UDP sessions: it reads and sends datagrams in batches, and each one passes its flow.
///
/// Reading order: `serviceReady` receives datagrams and brings them to the host; `UDPCarrier+Send` sends the batches;
/// `UDPCarrier+Sessions` begins and ends sessions. What a flow asks is done by its `UDPSession`.
final class UDPCarrier: Carrier {
    /// The maximum number of batches from one socket in one turn.
    private static let batchesPerTurn = 4
    /// The maximum number of failed receives in a row on a listener, each of which may be about an earlier datagram.
    private static let mostFailures = 1000
    /// The maximum number of datagrams in one read from one server.
    private static let serverBatch: UInt32 = 32

    /// What changes with each batch.
    struct State {
        var recent = RecentSessions()
        var readyListeners: [UDPListener] = []
        var readySessions: [UDPSession] = []
        /// The number of places in the servers' inbox whose datagrams wait in the outbox.
        var serverInboxUsed: UInt32 = 0
        /// The sessions with datagrams in the batch for their servers.
        var pendingUpstream: [UDPSession] = []
        /// The sessions of the answers in the batch for the clients, in the order of the batch.
        var pendingDownstream: [(session: UDPSession, bytes: UnsafeRawBufferPointer)] = []
        /// While the relay drains, the sessions with actions since their queues were last checked.
        var touched: [UDPSession] = []
    }

    unowned(unsafe) let loop: LoopContext
    unowned(unsafe) let host: FlowHost
    var listeners: [UDPListener] = []
    #if WEIR_CHECKS
    var state = State()
    #else
    @exclusivity(unchecked) var state = State()
    #endif
    private(set) var clientInbox: OpaquePointer?
    private(set) var serverInbox: OpaquePointer?
    private(set) var upstreamOutbox: OpaquePointer?
    private(set) var downstreamOutbox: OpaquePointer?
    private(set) var singleOutbox: OpaquePointer?
    /// Whether all sessions were checked once since the relay began to drain.
    var hasBegunToEnd = false

    init(loop: LoopContext, host: FlowHost) {
        self.loop = loop
        self.host = host
    }

    /// The sessions of all listeners.
    var sessions: [UDPSession] { host.flows.compactMap { $0 as? UDPSession } }

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

    var hasReady: Bool { !state.readyListeners.isEmpty || !state.readySessions.isEmpty }

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
        // Only UDP's flows have tokens of this kind.
        guard let session = host[token].map({ unsafeDowncast($0, to: UDPSession.self) }) else { return }
        if events & UInt32(WEIR_OUT) != 0, session.socket.isBlocked {
            session.socket.isBlocked = false
            host.dispatch(session, .writable(.upstream))
        }
        if events & ~UInt32(WEIR_OUT) != 0 {
            session.socket.isReadable = true
            markReady(session)
        }
    }

    private func markReady(_ listener: UDPListener) {
        guard listener.isReadable, !listener.isReady, !listener.isClosed else { return }
        listener.isReady = true
        state.readyListeners.append(listener)
    }

    func markReady(_ session: UDPSession) {
        guard session.socket.isReadable, session.socket.isReading, !session.state.isReady, !session.isClosed else {
            return
        }
        session.state.isReady = true
        state.readySessions.append(session)
    }

    /// Reads again from the listeners that were not read while a sink was full.
    func markListenersReady() {
        for listener in listeners { markReady(listener) }
    }

    /// Reads from the sockets that have datagrams to read, each as much as a turn allows.
    func serviceReady() {
        guard hasReady else { return }
        let turnListeners = state.readyListeners
        let turnSessions = state.readySessions
        state.readyListeners.removeAll(keepingCapacity: true)
        state.readySessions.removeAll(keepingCapacity: true)
        for listener in turnListeners {
            listener.isReady = false
            if listener.isClosed { continue }
            for _ in 0..<Self.batchesPerTurn where listener.isReadable && !loop.isHeld { receive(from: listener) }
            markReady(listener)
        }
        for session in turnSessions {
            session.state.isReady = false
            for _ in 0..<Self.batchesPerTurn where session.socket.isReadable && !session.isClosed && !loop.isHeld {
                receive(from: session)
            }
            markReady(session)
        }
        flushDownstream()
        state.serverInboxUsed = 0
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
            length += Int(datagram.pointee.length)
            let arrival = Arrival(bytes: received(index), place: index)
            guard let session = session(of: datagram, arrival, at: listener) else { continue }
            deliver(arrival, isTruncated: datagram.pointee.truncated, to: session, .upstream)
        }
        flushUpstream()
        // A session that is its own server answers from the clients' inbox, so send before it is filled again.
        flushDownstream()
        // The kernel drops datagrams when much is queued: many datagrams, or big ones.
        if count == Int(batch) || length >= listener.receiveBuffer / 4 { reportDrops(of: listener) }
    }

    private func receive(from session: UDPSession) {
        if state.serverInboxUsed == UInt32(WEIR_BATCH) {
            flushDownstream()
            state.serverInboxUsed = 0
        }
        let first = state.serverInboxUsed
        let batch = min(Self.serverBatch, UInt32(WEIR_BATCH) - first)
        let count = Int(weir_inbox_receive(serverInbox, session.socket.raw, first, batch, true))
        guard count >= 0 else {
            if count == -Int(EAGAIN) {
                session.socket.isReadable = false
            } else if count != -Int(EINTR) {
                for error in refusals(session.socket.raw, ErrorNumber(Int32(-count))) {
                    host.dispatch(session, .refused(error))
                }
            }
            return
        }
        if count < Int(batch) { session.socket.isReadable = false }
        state.serverInboxUsed = first + UInt32(count)
        for index in first..<(first + UInt32(count)) {
            guard let datagram = weir_inbox_datagram(serverInbox, index), !session.isClosed else { return }
            let bytes = UnsafeRawBufferPointer(
                start: weir_inbox_bytes(serverInbox, index),
                count: Int(datagram.pointee.length)
            )
            guard isTaken(from: datagram, session) else { continue }
            state.recent.touch(session)
            deliver(Arrival(bytes: bytes), isTruncated: datagram.pointee.truncated, to: session, .downstream)
        }
    }

    /// Returns whether a datagram from the server's side is relayed, according to its source.
    private func isTaken(from datagram: UnsafePointer<weir_datagram>, _ session: UDPSession) -> Bool {
        let source = withUnsafePointer(to: datagram.pointee.peer) { SocketAddress.endpoint($0) }
        guard let source, let server = session.socket.server else { return false }
        let isServer = source.port == server.port && source.address.isSame(as: server.address)
        let takesAny = loop.shared.configuration.takesAnySource
        guard isServer || takesAny && !isForged(source, session) else {
            host.dispatch(session, .foreign(from: source, bytes: Int(datagram.pointee.length)))
            return false
        }
        guard takesAny else { return true }
        host.dispatch(session, .answered(from: isServer ? nil : source))
        let peer = session.flow.destination ?? server
        if peer != session.socket.peer {
            // Datagrams that wait to be sent go to the peer that was current when they arrived.
            flush(session)
            session.socket.peer = peer
        }
        return !session.isClosed
    }

    /// Returns whether a source would make the session send to itself, or to the relay: somebody has forged it.
    private func isForged(_ source: Endpoint, _ session: UDPSession) -> Bool {
        loop.shared.own.contains(.udp, source) || source == session.flow.path.egress
            || source == session.flow.path.client
    }

    /// Passes a datagram to its flow; the flow sends it now, or later, or not at all.
    private func deliver(_ arrival: Arrival, isTruncated: Bool, to session: UDPSession, _ direction: Direction) {
        // One datagram causes one answer at most, so make room for it before asking the flow.
        if state.pendingDownstream.count == Int(WEIR_BATCH) { flushDownstream() }
        if let first = state.pendingDownstream.first, first.session.listener !== session.listener { flushDownstream() }
        if isTruncated { return host.dispatch(session, .truncated(direction, read: arrival.bytes.count)) }
        if host.passes(session, arrival.bytes, direction) { return put(session, arrival, direction) }
        host.dispatch(session, .received(direction), arrival)
    }

    /// Adds the datagram that has just arrived to the batch of its direction.
    func put(_ session: UDPSession, _ arrival: Arrival, _ direction: Direction) {
        guard direction == .upstream else { return putDownstream(session, arrival.bytes) }
        if session.socket.pending.isEmpty { state.pendingUpstream.append(session) }
        session.socket.pending.append(arrival.place)
    }
}

extension IPAddress {
    /// Returns whether two addresses are the same; an unknown interface matches any.
    fileprivate func isSame(as other: IPAddress) -> Bool {
        high == other.high && low == other.low && isV4 == other.isV4
            && (scope == other.scope || scope == 0 || other.scope == 0)
    }
}
