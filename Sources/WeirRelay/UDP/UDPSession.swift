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
final class UDPSession {
    @exclusivity(unchecked) var flow: Flow
    /// The socket to the server; nil for a session that sends bytes back.
    var egress: Descriptor?
    var raw: Int32 = -1
    /// The server that was dialed.
    var server: Endpoint?
    /// The destination of the client's datagrams: the server, or the port of it that answered last.
    @exclusivity(unchecked) var peer: Endpoint?
    /// A socket for the first dial, made before the flow starts: only then can another session be ended to free a
    /// descriptor.
    var spare: Descriptor?
    let listener: UDPListener
    let key: SessionKey
    let client: Endpoint
    /// The source address of answers; nil if the listener has only one address.
    let local: IPAddress?
    let place: Int
    let generation: UInt32
    var targets: [Endpoint] = []
    @exclusivity(unchecked) var isReadable = false
    var isReady = false
    @exclusivity(unchecked) var isReading = false
    @exclusivity(unchecked) var isClosed = false
    /// Whether the socket to the server has no room now.
    var isBlocked = false
    var wakeAt: Instant?
    /// The number of datagrams that the kernel has dropped here, as last reported.
    var drops = 0
    /// The neighbours in the list of sessions by their last activity.
    @exclusivity(unchecked) var newer: UDPSession?
    @exclusivity(unchecked) unowned(unsafe) var older: UDPSession?
    /// The places in the clients' inbox of the datagrams for the server in the next batch.
    @exclusivity(unchecked) var pending: [Int] = []

    init(
        flow: Flow,
        listener: UDPListener,
        key: SessionKey,
        local: IPAddress?,
        place: Int,
        generation: UInt32
    ) {
        self.flow = flow
        self.listener = listener
        self.key = key
        self.local = local
        self.place = place
        self.generation = generation
        client = flow.path.client
    }

    func token(_ kind: Token.Kind) -> Token { Token(kind, place: place, generation: generation) }
}

/// A UDP socket to which clients send, with its sessions.
final class UDPListener {
    private var descriptor: Descriptor?
    let raw: Int32
    let listening: Listening
    let place: Int
    @exclusivity(unchecked) var sessions: [SessionKey: UDPSession] = [:]
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
