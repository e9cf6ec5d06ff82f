import CWeir
import Glibc
import WeirEngine
import WeirWire

/// One side of a TCP flow: its descriptor, and what is known of it.
///
/// It alone makes the side's system calls, from the dial to the close. Epoll is edge-triggered: its report stays true until a
/// system call shows otherwise.
struct Leg: ~Copyable {
    /// The outcome of a read.
    enum Read {
        /// Bytes were read; `isLast` if an end, and nothing else, follows them.
        case bytes(Int, isLast: Bool)
        case wouldBlock
        case end
        case failed(ErrorNumber)
    }

    /// How far the making of a connection has got.
    enum Step {
        /// The connection is not made yet: more events will come.
        case waits
        /// The flow's first byte can go; the side has reset already if there is an error.
        case established(reset: ErrorNumber?)
        case failed(ErrorNumber)
    }

    /// Epoll's events for a leg: all, and edge-triggered.
    private static let events =
        UInt32(WEIR_IN) | UInt32(WEIR_OUT) | UInt32(WEIR_RDHUP) | UInt32(WEIR_PRI) | (UInt32(1) << 31)
    /// How long a reset waits, after its deadline, for the acknowledgment of bytes that were sent before.
    private static let settleTime = Duration.milliseconds(200)

    private var descriptor: Descriptor?
    /// The descriptor's number; only the leg itself makes system calls with it, and tests, which ask the kernel.
    private(set) var raw: Int32 = -1
    /// Whether epoll reports the descriptor's events.
    private var isWatched = false
    /// Whether the connection is being made: the leg carries no byte yet.
    private(set) var isEstablishing = false
    /// Whether there may be bytes to read.
    var isReadable = false
    /// Whether there may be room to write.
    private(set) var isWritable = true
    /// Whether an end, an error or urgent data may follow the bytes read: then a short read does not mean that all was
    /// read.
    private var hasMoreBehind = false
    /// Whether an end, and nothing else, follows the bytes read.
    private var endsBehind = false
    /// Whether the flow wants to read.
    var isReading = false
    /// Whether the end was read, after the last byte.
    var hasEnded = false
    /// Whether the flow was informed that this side has reset.
    private(set) var hasAborted = false
    /// Whether a FIN was sent to this side; the kernel counts it as one more byte to deliver.
    private(set) var hasFinished = false
    /// Whether the side's FIN has arrived; bytes may precede it.
    private(set) var hasSeenFIN = false
    #if TLS
    /// The side's TLS, once its handshake is complete.
    var secured: SecuredLeg?
    /// Records what is on the wire, if an output wants it.
    var wire: WireTap?
    /// Bytes that were read to look at them, and that are read once more before all others.
    var held: [UInt8] = []
    #endif

    /// Makes a closed leg.
    init() {
        descriptor = nil
    }

    /// Makes the leg of a connection that exists already.
    init(_ descriptor: consuming Descriptor) {
        raw = descriptor.raw
        self.descriptor = consume descriptor
    }

    /// Gives the whole leg away, and leaves a closed one.
    mutating func take() -> Leg {
        let taken = self
        self = Leg()
        return taken
    }

    /// Closes the descriptor, which also removes it from epoll.
    mutating func close() {
        #if TLS
        if wire != nil { recordClose() }
        #endif
        self = Leg()
    }

    var isOpen: Bool { raw >= 0 }
    var canRead: Bool { isReading && isReadable && !hasEnded }

    // MARK: - The connection

    /// The leg's own endpoint.
    var local: Endpoint? { Socket.localEndpoint(raw) }
    /// The endpoint to which the leg is connected.
    var peer: Endpoint? { Socket.peerEndpoint(raw) }
    /// The kernel's number for the connection, which no other one has had.
    var cookie: UInt64 { weir_cookie(raw) }

    /// Starts to connect, and never blocks.
    ///
    /// - Parameters:
    ///   - socket: a new socket, which the leg owns from now on.
    ///   - target: the endpoint.
    ///   - keepalive: the time after which the kernel probes a silent peer.
    ///   - hasBytes: whether there are bytes to send already, so that they can go with the handshake's last packet.
    ///   - bind: binds the socket to the egress port; returns whether it has one now. If another connection to the target has
    ///     that port, the kernel chooses one for a new socket.
    /// - Returns: the error of a dial that has failed already.
    mutating func dial(
        _ socket: consuming Descriptor,
        to target: Endpoint,
        keepalive: Duration?,
        hasBytes: Bool,
        bind: (_ raw: Int32) -> Bool
    ) -> ErrorNumber? {
        self = Leg(socket)
        isEstablishing = true
        let isBound = bind(raw)
        let error = connect(to: target, keepalive, hasBytes)
        guard isBound, let error, error.isTakenPort else { return error }
        guard let fresh = try? Socket.make(.tcp, for: target.address) else { return error }
        self = Leg(fresh)
        isEstablishing = true
        return connect(to: target, keepalive, hasBytes)
    }

    private func connect(to target: Endpoint, _ keepalive: Duration?, _ hasBytes: Bool) -> ErrorNumber? {
        Socket.setStreamOptions(raw)
        Socket.setKeepalive(keepalive, on: raw)
        if hasBytes { Socket.joinHandshake(raw) }
        return Socket.connect(raw, to: target)
    }

    /// Goes on making the connection, after events of epoll.
    ///
    /// A leg with a handshake of its own goes on to wait here until that is complete.
    ///
    /// - Parameters:
    ///   - events: the events.
    ///   - isOwnEnd: whether the leg dials its own endpoint: an ephemeral port without a listener can connect to itself.
    /// - Returns: how far the connection is.
    mutating func advance(_ events: UInt32, isOwnEnd: Bool) -> Step {
        var reset: ErrorNumber?
        if events & (UInt32(WEIR_ERR) | UInt32(WEIR_HUP)) != 0 {
            let error = pendingError ?? .connectionRefused
            guard error == .connectionReset else { return .failed(error) }
            // Only an established connection can be reset, so the server had accepted it.
            reset = error
        }
        guard events & UInt32(WEIR_OUT) != 0 else { return .waits }
        guard !isOwnEnd else {
            self.reset()
            return .failed(.connectionRefused)
        }
        isEstablishing = false
        return .established(reset: reset)
    }

    /// Lets a loop's epoll report the leg's events under a token, which replaces the one before.
    mutating func watch(in loop: LoopContext, _ token: Token) throws(SystemError) {
        if isWatched { return try loop.watchAgain(raw, Self.events, token) }
        try loop.watch(raw, Self.events, token)
        isWatched = true
    }

    // MARK: - Events

    /// Notes epoll's events; returns whether there is room to write again.
    mutating func note(_ events: UInt32) -> Bool {
        let behind = UInt32(WEIR_RDHUP) | UInt32(WEIR_HUP) | UInt32(WEIR_ERR) | UInt32(WEIR_PRI)
        if events & behind != 0 {
            hasMoreBehind = true
            endsBehind = events & behind == UInt32(WEIR_RDHUP)
            if events & UInt32(WEIR_RDHUP) != 0 { hasSeenFIN = true }
            #if TLS
            // Behind close_notify nothing is read.
            if hasEnded, hasSeenFIN, events & UInt32(WEIR_ERR) == 0 { wire?.peerEnded(isReset: false) }
            #endif
        }
        if events & (behind | UInt32(WEIR_IN)) != 0 { isReadable = true }
        guard events & UInt32(WEIR_OUT) != 0, !isWritable else { return false }
        isWritable = true
        #if TLS
        // What is encrypted already goes first.
        if let secured, !secured.continueSending(&self) { return false }
        #endif
        return true
    }

    /// Notes that the side has reset; what it sent before may still be read.
    ///
    /// - Returns: false if that was known.
    mutating func noteAbort() -> Bool {
        guard !hasAborted else { return false }
        hasAborted = true
        isReadable = true
        hasMoreBehind = true
        return true
    }

    /// The socket's pending error, which is cleared; nil if there is none.
    var pendingError: ErrorNumber? { Socket.pendingError(raw) }

    // MARK: - Bytes

    /// Reads what has arrived, at most what there is room for; of a side with TLS, what it says.
    mutating func read(into room: UnsafeMutableRawBufferPointer) -> Read {
        #if TLS
        if let secured { return secured.read(into: room, &self) }
        #endif
        return readBytes(into: room)
    }

    /// Reads the bytes that are on the wire, and records them.
    mutating func readBytes(into room: UnsafeMutableRawBufferPointer) -> Read {
        #if TLS
        let isHeld = hasHeld
        #endif
        let outcome = receive(into: room)
        #if TLS
        if let wire, !isHeld, case .bytes(let count, _) = outcome {
            wire.receive(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
        #endif
        return outcome
    }

    /// Reads the bytes that are on the wire; of what is recorded, only an end is.
    mutating func receive(into room: UnsafeMutableRawBufferPointer) -> Read {
        #if TLS
        if !held.isEmpty { return .bytes(takeHeld(into: room), isLast: false) }
        #endif
        var count: Int
        repeat {
            count = Int(weir_receive(raw, room.baseAddress, room.count))
        } while count == -Int(EINTR)
        if count > 0 {
            let isAll = count < room.count
            if isAll, !hasMoreBehind { isReadable = false }
            return .bytes(count, isLast: isAll && endsBehind)
        }
        if count == 0 || count != -Int(EAGAIN) {
            #if TLS
            wire?.peerEnded(isReset: count != 0 || hasAborted)
            #endif
            return count == 0 ? .end : .failed(ErrorNumber(Int32(-count)))
        }
        isReadable = false
        return .wouldBlock
    }

    /// Offers bytes to the kernel; those for a side with TLS are encrypted.
    ///
    /// - Parameters:
    ///   - bytes: the bytes.
    ///   - finishesNext: whether a half-close follows at once: the last bytes and the end then leave in one packet.
    /// - Returns: how many bytes it took, and the error if the receiver turns out to have reset.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer,
        finishesNext: Bool = false
    ) -> (count: Int, error: ErrorNumber?) {
        guard isWritable else { return (0, nil) }
        #if TLS
        if let secured { return secured.write(bytes, &self) }
        #endif
        return writeBytes(bytes, finishesNext: finishesNext)
    }

    /// Offers bytes to the kernel as they are.
    mutating func writeBytes(
        _ bytes: UnsafeRawBufferPointer,
        finishesNext: Bool = false
    ) -> (count: Int, error: ErrorNumber?) {
        var count: Int
        repeat {
            count = Int(weir_send(raw, bytes.baseAddress, bytes.count, finishesNext))
        } while count == -Int(EINTR)
        #if TLS
        if let wire, count > 0 { wire.send(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
        #endif
        if count == bytes.count { return (count, nil) }
        isWritable = false
        if count >= 0 { return (count, nil) }
        return (0, count == -Int(EAGAIN) ? nil : ErrorNumber(Int32(-count)))
    }

    /// Sends what the kernel holds back until more arrives.
    func push() { Socket.push(raw) }

    // MARK: - Ends

    /// Half-closes: no byte follows.
    mutating func finish() {
        #if TLS
        if let secured { return secured.finish(&self, says: true, closes: true) }
        #endif
        finishBytes()
    }

    /// Sends a FIN.
    mutating func finishBytes() {
        Glibc.shutdown(raw, Int32(SHUT_WR))
        hasFinished = true
        #if TLS
        wire?.ended(isReset: false)
        #endif
    }

    /// Resets the connection, and closes the descriptor.
    mutating func reset() {
        Socket.resetOnClose(raw)
        #if TLS
        // It may have been reset already.
        if hasAborted { wire?.peerEnded(isReset: true) } else { wire?.ended(isReset: true) }
        wire = nil
        #endif
        close()
    }

    /// The number of bytes that the side lacks, of those that were written.
    var unsent: Int { lost(holding: unsentBytes) }

    /// The number of bytes that the kernel holds for the side, without the FIN, which it counts as a byte.
    var unsentBytes: Int { withoutEnd(weir_unsent(raw)) }

    /// Returns how many of the written bytes are lost with those that the kernel holds.
    private func lost(holding held: Int) -> Int {
        #if TLS
        if let secured { return secured.lost(holding: held) }
        #endif
        return held
    }

    /// The number of those bytes that are certainly lost if the side has reset: it may have read those that were sent,
    /// unless they were retransmitted.
    var unsentAtReset: Int {
        let inFlight = weir_is_resending(raw) ? 0 : max(0, weir_in_flight(raw))
        return lost(holding: withoutEnd(max(0, weir_unsent(raw)) - inFlight))
    }

    /// Returns a number of bytes that the kernel holds without the FIN; 0 for one below 0.
    private func withoutEnd(_ held: Int32) -> Int { max(0, Int(held) - (hasFinished ? 1 : 0)) }

    /// The number of bytes that the side has sent and that are not read; of a side with TLS, as far as they can be decrypted.
    var unread: Int {
        mutating get {
            guard isOpen else { return 0 }
            #if TLS
            if let secured { return secured.countUnread(&self) }
            return held.count + max(0, Int(weir_unread(raw)))
            #else
            return max(0, Int(weir_unread(raw)))
            #endif
        }
    }

    /// Returns whether the side can be reset now with certainty about which bytes it got.
    ///
    /// That is so once it has acknowledged everything. After the deadline it is so once it has acknowledged everything
    /// that was sent: the rest is never sent. An acknowledgment may be late (the peer's kernel delays it for up to 40
    /// ms); after `settleTime` it counts as lost, and so do the bytes.
    func isSettled(by deadline: Instant, now: Instant) -> Bool {
        let unsent = weir_unsent(raw)
        if unsent == 0 { return true }
        guard now >= deadline else { return false }
        // If the kernel refuses to say it, what it has may be delivered until the deadline.
        if unsent < 0 { return true }
        return weir_in_flight(raw) <= 0 || now >= deadline.advanced(by: Self.settleTime)
    }
}
