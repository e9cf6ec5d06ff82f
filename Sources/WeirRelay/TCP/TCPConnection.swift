import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A connection that was accepted, on its way to the loop where it will live.
struct AcceptedConnection: Sendable {
    var descriptor: Int32
    var client: Endpoint
    var listener: Endpoint
    var route: Int
}

/// One side of a TCP flow: its descriptor, and its state according to epoll.
///
/// Epoll is edge-triggered: its report stays true until a system call shows otherwise.
struct Leg: ~Copyable {
    private(set) var descriptor: Descriptor?
    private(set) var raw: Int32 = -1
    /// Whether there may be bytes to read.
    var isReadable = false
    /// Whether there may be room to write.
    var isWritable = true
    /// Whether an end, an error or urgent data may follow the bytes read: then a short read does not mean that all was
    /// read.
    var hasMoreBehind = false
    /// Whether an end, and nothing else, follows the bytes read.
    var endsBehind = false
    /// Whether the flow wants to read.
    var isReading = false
    /// Whether the end was read, after the last byte.
    var hasEnded = false
    /// Whether the flow was informed that this side has reset.
    var hasAborted = false
    /// Whether a FIN was sent to this side; the kernel counts it as one more byte to deliver.
    var hasFinished = false

    mutating func open(_ descriptor: consuming Descriptor) {
        let raw = descriptor.raw
        self = Leg(owning: descriptor, raw: raw)
    }

    init() {
        descriptor = nil
    }

    private init(owning descriptor: consuming Descriptor, raw: Int32) {
        self.descriptor = consume descriptor
        self.raw = raw
    }

    /// Closes the descriptor, which also removes it from epoll.
    mutating func close() {
        self = Leg()
    }

    var isOpen: Bool { raw >= 0 }
    var canRead: Bool { isReading && isReadable && !hasEnded }
}

/// One TCP flow and its two sides, on the loop where it lives.
final class TCPConnection {
    @exclusivity(unchecked) var flow: Flow
    @exclusivity(unchecked) var client = Leg()
    @exclusivity(unchecked) var server = Leg()
    let route: Int
    let place: Int
    let generation: UInt32
    /// The server's addresses, in the order in which they are dialed.
    @exclusivity(unchecked) var targets: [Endpoint] = []
    /// A socket for the first dial, made before the flow starts: a client can wait for a descriptor, a dial cannot.
    @exclusivity(unchecked) var spare: Descriptor?
    /// The dial that waits for a descriptor, if the flow has started.
    var starvedAttempt: Int?
    @exclusivity(unchecked) var isDialing = false
    /// Whether the server was reached, or the flow is its own server, so that the client's bytes are read.
    @exclusivity(unchecked) var isConnected = false
    @exclusivity(unchecked) var isReady = false
    @exclusivity(unchecked) var isClosed = false
    @exclusivity(unchecked) var wakeAt: Instant?
    /// The number of bytes that the flow keeps for echoes, as last counted by the loop.
    @exclusivity(unchecked) var bytesKeptForEcho = 0
    /// The directions whose receivers must be reset, once everything is delivered or at the given time.
    @exclusivity(unchecked) var resets: [(direction: Direction, by: Instant)] = []
    var resetPause = Duration.microseconds(500)

    init(flow: Flow, route: Int, place: Int, generation: UInt32) {
        self.flow = flow
        self.route = route
        self.place = place
        self.generation = generation
    }

    func token(_ kind: Token.Kind) -> Token { Token(kind, place: place, generation: generation) }

    /// Accesses the side from which a direction's bytes come.
    subscript(source direction: Direction) -> Leg {
        @inline(__always) _read {
            if direction == .upstream { yield client } else { yield server }
        }
        @inline(__always) _modify {
            if direction == .upstream { yield &client } else { yield &server }
        }
    }
}
