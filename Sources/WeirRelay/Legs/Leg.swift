import CWeir
import Glibc
import WeirEngine
import WeirWire

/// One side of a TCP flow: its descriptor, and what is known of it.
///
/// It alone makes the side's system calls. Epoll is edge-triggered: its report stays true until a system call shows otherwise.
struct Leg: ~Copyable {
    /// The outcome of a read.
    enum Read {
        /// Bytes were read; `isLast` if an end, and nothing else, follows them.
        case bytes(Int, isLast: Bool)
        case wouldBlock
        case end
        case failed(ErrorNumber)
    }

    /// How long a reset waits, after its deadline, for the acknowledgment of bytes that were sent before.
    private static let settleTime = Duration.milliseconds(200)

    private(set) var descriptor: Descriptor?
    private(set) var raw: Int32 = -1
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
    private var hasFinished = false

    init() {
        descriptor = nil
    }

    private init(owning descriptor: consuming Descriptor, raw: Int32) {
        self.descriptor = consume descriptor
        self.raw = raw
    }

    /// Takes a descriptor, and closes the one before.
    mutating func open(_ descriptor: consuming Descriptor) {
        let raw = descriptor.raw
        self = Leg(owning: descriptor, raw: raw)
    }

    /// Gives the descriptor away without closing it.
    mutating func release() -> Int32 {
        let raw = raw
        if let descriptor = descriptor.take() { _ = descriptor.release() }
        self = Leg()
        return raw
    }

    /// Closes the descriptor, which also removes it from epoll.
    mutating func close() {
        self = Leg()
    }

    var isOpen: Bool { raw >= 0 }
    var canRead: Bool { isReading && isReadable && !hasEnded }

    // MARK: - Events

    /// Notes epoll's events; returns whether there is room to write again.
    mutating func note(_ events: UInt32) -> Bool {
        let behind = UInt32(WEIR_RDHUP) | UInt32(WEIR_HUP) | UInt32(WEIR_ERR) | UInt32(WEIR_PRI)
        if events & behind != 0 {
            hasMoreBehind = true
            endsBehind = events & behind == UInt32(WEIR_RDHUP)
        }
        if events & (behind | UInt32(WEIR_IN)) != 0 { isReadable = true }
        guard events & UInt32(WEIR_OUT) != 0, !isWritable else { return false }
        isWritable = true
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

    /// Reads what has arrived, at most what there is room for.
    mutating func read(into room: UnsafeMutableRawBufferPointer) -> Read {
        var count: Int
        repeat {
            count = Int(weir_receive(raw, room.baseAddress, room.count))
        } while count == -Int(EINTR)
        if count > 0 {
            let isAll = count < room.count
            if isAll, !hasMoreBehind { isReadable = false }
            return .bytes(count, isLast: isAll && endsBehind)
        }
        if count == 0 { return .end }
        guard count == -Int(EAGAIN) else { return .failed(ErrorNumber(Int32(-count))) }
        isReadable = false
        return .wouldBlock
    }

    /// Offers bytes to the kernel.
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
        var count: Int
        repeat {
            count = Int(weir_send(raw, bytes.baseAddress, bytes.count, finishesNext))
        } while count == -Int(EINTR)
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
        Glibc.shutdown(raw, Int32(SHUT_WR))
        hasFinished = true
    }

    /// Resets the connection, and closes the descriptor.
    mutating func reset() {
        Socket.resetOnClose(raw)
        close()
    }

    /// The number of bytes that the kernel holds for the side, without the FIN, which it counts as a byte.
    var unsent: Int { withoutEnd(weir_unsent(raw)) }

    /// The number of those bytes that are certainly lost if the side has reset: it may have read those that were sent,
    /// unless they were retransmitted.
    var unsentAtReset: Int {
        let inFlight = weir_is_resending(raw) ? 0 : max(0, weir_in_flight(raw))
        return withoutEnd(max(0, weir_unsent(raw)) - inFlight)
    }

    /// Returns a number of bytes that the kernel holds without the FIN; 0 for one below 0.
    private func withoutEnd(_ held: Int32) -> Int { max(0, Int(held) - (hasFinished ? 1 : 0)) }

    /// The number of bytes that the side has sent and that are not read.
    var unread: Int { isOpen ? max(0, Int(weir_unread(raw))) : 0 }

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
