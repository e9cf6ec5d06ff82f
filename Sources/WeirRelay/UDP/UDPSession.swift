import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The key of a UDP session: the client's endpoint, and the address to which it sends.
struct SessionKey: Hashable {
    private let high: UInt64
    private let low: UInt64
    private let localHigh: UInt64
    private let localLow: UInt64
    private let rest: UInt64

    init(client: Endpoint, local: IPAddress) {
        high = client.address.high
        low = client.address.low
        localHigh = local.high
        localLow = local.low
        rest = UInt64(client.port) << 32 | UInt64(client.address.scope)
    }
}

/// One UDP session, on the loop where it lives.
final class UDPSession: RelayedFlow {
    /// The socket to the server, and what is known of it.
    struct Egress {
        /// The descriptor; -1 for a session that sends bytes back, and before the dial.
        var raw: Int32 = -1
        /// The server that was dialed.
        var server: Endpoint?
        /// The destination of the client's datagrams: the server, or the port of it that answered last.
        var peer: Endpoint?
        var isReadable = false
        var isReading = false
        /// Whether the socket has no room now.
        var isBlocked = false
        /// The places in the clients' inbox of the datagrams for the server in the next batch.
        var pending: [Int] = []
    }

    #if WEIR_CHECKS
    var socket = Egress()
    /// The neighbours in the list of sessions by their last activity.
    var newer: UDPSession?
    unowned(unsafe) var older: UDPSession?
    #else
    @exclusivity(unchecked) var socket = Egress()
    /// The neighbours in the list of sessions by their last activity.
    @exclusivity(unchecked) var newer: UDPSession?
    @exclusivity(unchecked) unowned(unsafe) var older: UDPSession?
    #endif
    /// The owner of the socket to the server.
    var egress: Descriptor?
    /// A socket for the first dial, made before the flow starts: only then can another session be ended to free a
    /// descriptor.
    var spare: Descriptor?
    /// The datagram that began the session, until the flow has it.
    var first: Arrival?
    unowned(unsafe) let carrier: UDPCarrier
    let listener: UDPListener
    let key: SessionKey
    let client: Endpoint
    /// The source address of answers; nil if the listener has only one address.
    let local: IPAddress?
    /// The number of datagrams that the kernel has dropped here, as last reported.
    var drops = 0

    init(
        _ flow: Flow,
        target: Target?,
        at slot: Slot,
        of carrier: UDPCarrier,
        _ listener: UDPListener,
        _ key: SessionKey,
        client: Endpoint,
        local: IPAddress?
    ) {
        self.carrier = carrier
        self.listener = listener
        self.key = key
        self.local = local
        self.client = client
        super.init(flow, target: target, route: listener.listening.route, at: slot, of: carrier.host)
    }

    // MARK: - What the flow asks

    override func dial(_ attempt: Int) { carrier.dial(self, attempt) }

    override func send(_ arrival: Arrival, _ direction: Direction) { carrier.put(self, arrival, direction) }

    override func sendQueued(_ direction: Direction) { carrier.sendQueued(self, direction) }

    // A UDP flow has no halves to close or reset, and its listener is shared, so clients' datagrams are always read.
    override func setReading(_ direction: Direction, _ isReading: Bool) {
        guard direction == .downstream else { return }
        socket.isReading = isReading
        if isReading { carrier.markReady(self) }
    }

    override func close(_ reason: CloseReason) { carrier.close(self) }

    // MARK: - What the host tells

    override func begin() { carrier.begin(self) }

    override func continueAfterActions() {
        if host.loop.isDraining, host.hasActed { carrier.state.touched.append(self) }
    }

    override func markReady() { carrier.markReady(self) }

    override func timerFired() { carrier.reportDrops(of: self) }

    override func end(with event: FlowEvent) {
        carrier.flush(self)
        carrier.reportDrops(of: self)
        host.dispatch(self, event)
    }
}

/// A UDP socket to which clients send, with its sessions.
final class UDPListener {
    private var descriptor: Descriptor?
    let raw: Int32
    let listening: Listening
    let place: Int
    #if WEIR_CHECKS
    var sessions: [SessionKey: UDPSession] = [:]
    #else
    @exclusivity(unchecked) var sessions: [SessionKey: UDPSession] = [:]
    #endif
    var isReadable = false
    var isReady = false
    /// The number of receives in a row that have failed.
    var failures = 0
    /// The sessions whose answers wait for room in the kernel.
    var blocked: [UDPSession] = []
    /// The number of datagrams that the kernel has dropped here, as last reported.
    var drops = 0
    /// The size of the socket's receive buffer in the kernel, in bytes, including the kernel's own bookkeeping.
    let receiveBuffer: Int

    init(_ listening: Listening, place: Int) {
        descriptor = Descriptor(owning: listening.descriptor)
        raw = listening.descriptor
        receiveBuffer = Socket.get(SO_RCVBUF, of: SOL_SOCKET, on: listening.descriptor)
        self.listening = listening
        self.place = place
    }

    var isClosed: Bool { descriptor == nil }

    /// Stops receiving datagrams; all its sessions must have ended.
    func close() { descriptor = nil }
}

/// A list of sessions in order of their last activity.
struct RecentSessions {
    private(set) var oldest: UDPSession?
    private unowned(unsafe) var newest: UDPSession?

    /// Makes a session the newest one; it may already be in the list.
    mutating func touch(_ session: UDPSession) {
        guard newest !== session else { return }
        remove(session)
        session.older = newest
        newest?.newer = session
        newest = session
        if oldest == nil { oldest = session }
    }

    mutating func remove(_ session: UDPSession) {
        let newer = session.newer
        let older = session.older
        guard newer != nil || older != nil || oldest === session else { return }
        if let older { older.newer = newer } else { oldest = newer }
        if let newer { newer.older = older } else { newest = older }
        session.newer = nil
        session.older = nil
    }
}
