#if TLS
import Glibc
public import WeirEngine
import WeirTLS
import WeirWire

/// The TLS of a connection: what is received is decrypted, and what is sent is encrypted.
final class ConnectionTLS {
    /// The outcome of a call that sends.
    enum Sent {
        /// All bytes are in the kernel.
        case all
        /// The kernel has no room: the same bytes must be offered again; it may have taken some.
        case waits(hasMoved: Bool)
        case failed(TLSFailure)
        case broken(ErrorNumber)
    }

    /// The outcome of a call that receives.
    enum Received {
        case bytes(Int)
        /// More must arrive.
        case waits
        /// The server said that it sends no more (close_notify).
        case ended
        /// The connection ended without that.
        case truncated
        case failed(TLSFailure)
        case broken(ErrorNumber)
    }

    private static let arrivedSize = 64 << 10
    /// Room for what is encrypted of one read of the input; more is possible.
    private static let leavingSize = 160 << 10

    private let raw: Int32
    private let end: TLSEnd
    private let client: TLSClient
    private let arrived = UnsafeMutableRawBufferPointer.allocate(byteCount: arrivedSize, alignment: 64)
    private let leaving = UnsafeMutableRawBufferPointer.allocate(byteCount: leavingSize, alignment: 64)
    /// Whether bytes were encrypted that are not all in the kernel yet.
    private var isAhead = false
    private var isBroken = false
    private var hasFinished = false

    /// Makes the TLS of a connected socket, whose owner outlives it.
    init(_ raw: Int32, _ client: TLSClient) throws(TLSFailure) {
        (self.raw, self.client) = (raw, client)
        end = try client.makeEnd()
    }

    deinit {
        arrived.deallocate()
        leaving.deallocate()
    }

    // MARK: - The handshake

    /// Makes the handshake; blocks meanwhile.
    ///
    /// - Parameters:
    ///   - peer: the server, for errors.
    ///   - timeout: the time limit; nil for none.
    /// - Returns: what was agreed.
    /// - Throws: `TLSClientError`; the server has got an alert then, if it can be sent.
    func shakeHands(with peer: Endpoint, timeout: Duration?) throws(TLSClientError) -> SecuredRecord {
        let began = SystemClock.instant()
        let deadline = timeout.map { began.advanced(by: $0) }
        var piece = UnsafeRawBufferPointer.none
        while true {
            switch work(piece, { end.handshake() }) {
            case .done: return client.record(of: end, since: began)
            case .failed(let failure): throw TLSClientError(peer, failure)
            case .wantsCertificate:
                guard end.answer(with: client.certificate) else { throw TLSClientError(peer, TLSFailure.noMemory) }
                piece = UnsafeRawBufferPointer.none
                continue
            case .waits: break
            }
            try wait(until: deadline, peer)
            let count = recv(raw, arrived.baseAddress, arrived.count, 0)
            if count < 0, !Self.isTransient(errno) {
                throw TLSClientError(peer, "\(ErrorNumber.current) in the handshake")
            }
            if count == 0 { end.inputEnded() }
            piece = UnsafeRawBufferPointer(rebasing: arrived[..<max(count, 0)])
        }
    }

    /// Waits until bytes arrive, or there is room for those that must leave.
    private func wait(until deadline: Instant?, _ peer: Endpoint) throws(TLSClientError) {
        do throws(SystemError) {
            while true {
                var entries = [Poll.entry(raw, end.outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT)]
                let left = deadline.map { SystemClock.instant().duration(to: $0) }
                let ready = try Poll.wait(&entries, timeout: left)
                if let left, left <= .zero { throw SystemError("make the handshake", .timedOut) }
                guard ready > 0 else { continue }
                flush()
                if entries[0].isReady(for: POLLIN) { return }
            }
        } catch {
            guard error.error == .timedOut else { throw TLSClientError(peer, "\(error)") }
            throw TLSClientError(peer, "the handshake was not complete in time (-w)")
        }
    }

    // MARK: - Bytes

    /// Whether the engine holds bytes, or an end, of which no event of the socket tells.
    var hasMore: Bool { end.hasMore }

    /// Whether something waits for room in the kernel.
    var hasOutgoing: Bool { !isBroken && !end.outgoing.isEmpty }

    /// Encrypts bytes and offers them to the kernel.
    ///
    /// - Parameter bytes: the bytes; those that were offered before and not taken whole are not encrypted again.
    /// - Returns: whether the kernel has all of them.
    func send(_ bytes: UnsafeRawBufferPointer) -> Sent {
        var failure: TLSFailure?
        var error: ErrorNumber?
        let before = end.outgoing.count
        let isNew = !isAhead && !bytes.isEmpty
        if isNew {
            isAhead = true
            end.receive(UnsafeRawBufferPointer.none, room: leaving)
            failure = end.write(bytes)
            error = flush()
            if !end.settle() { failure = .noMemory }
        } else {
            error = flush()
        }
        if let failure { return .failed(failure) }
        if let error { return .broken(error) }
        guard end.outgoing.isEmpty else { return .waits(hasMoved: isNew || end.outgoing.count < before) }
        isAhead = false
        return .all
    }

    /// Receives decrypted bytes.
    func receive(into room: UnsafeMutableRawBufferPointer) -> Received {
        var piece = UnsafeRawBufferPointer.none
        while true {
            switch work(piece, { end.read(into: room) }) {
            case .bytes(let count): return .bytes(count)
            case .ended: return .ended
            case .truncated: return .truncated
            case .failed(let failure): return .failed(failure)
            case .waits: break
            }
            let count = recv(raw, arrived.baseAddress, arrived.count, 0)
            if count < 0 { return Self.isTransient(errno) ? .waits : .broken(.current) }
            if count == 0 { end.inputEnded() }
            piece = UnsafeRawBufferPointer(rebasing: arrived[..<count])
        }
    }

    /// Says that no byte follows (close_notify); a FIN does not follow: some servers take it for the end of all interest.
    func finish() {
        guard !hasFinished, !isBroken else { return }
        hasFinished = true
        work(UnsafeRawBufferPointer.none) { end.finish() }
    }

    /// Lends bytes to the engine while it works, and sends what it has to send.
    @discardableResult
    private func work<Result>(_ bytes: UnsafeRawBufferPointer, _ body: () -> Result) -> Result {
        end.receive(bytes, room: leaving)
        let result = body()
        client.note(keys: end.takeKeys())
        flush()
        // Without memory for what is left, the next call finds a fault in the stream.
        _ = end.settle()
        return result
    }

    /// Sends what is encrypted, as much as the kernel takes; returns the error if it takes nothing any more.
    @discardableResult
    private func flush() -> ErrorNumber? {
        while hasOutgoing {
            let outgoing = end.outgoing
            let count = Glibc.send(raw, outgoing.baseAddress, outgoing.count, Int32(MSG_NOSIGNAL))
            if count < 0 {
                if Self.isTransient(errno) { return nil }
                isBroken = true
                return .current
            }
            end.sent(count)
        }
        return nil
    }

    private static func isTransient(_ error: Int32) -> Bool { error == EAGAIN || error == EINTR }
}

extension Connection {
    /// Makes the handshake of TLS, whose bytes the connection carries from then on; blocks meanwhile.
    ///
    /// - Parameters:
    ///   - client: the settings.
    ///   - timeout: the time limit; nil for none.
    /// - Returns: what was agreed.
    /// - Throws: `TLSClientError`.
    /// - Precondition: the connection is one of TCP, and has none yet.
    public mutating func secure(by client: TLSClient, timeout: Duration?) throws(TLSClientError) -> SecuredRecord {
        precondition(transport == .tcp && tls == nil, "only a stream can have TLS, and only once")
        let made: ConnectionTLS
        do throws(TLSFailure) {
            made = try ConnectionTLS(descriptor.raw, client)
        } catch {
            throw TLSClientError(peer, error)
        }
        let record = try made.shakeHands(with: peer, timeout: timeout)
        (tls, secured) = (made, record)
        return record
    }
}

extension Conversation {
    /// Sends what was read, encrypted: it counts as sent once all of it is in the kernel.
    mutating func send(by tls: ConnectionTLS) {
        switch up.withUnsafeBytes({ tls.send($0) }) {
        case .waits(let hasMoved): if hasMoved { lastActivity = SystemClock.instant() }
        case .failed(let failure): fail(failure)
        case .broken(let error): failSending(error)
        case .all:
            guard !up.isEmpty else { break }
            up.withUnsafeBytes { recorder.chunk(.upstream, $0.bytes) }
            up.removeAll()
            lastActivity = SystemClock.instant()
            if inputEnded { finishSending() }
        }
    }

    /// Receives what the server says.
    mutating func receive(by tls: ConnectionTLS) {
        var outcome = ConnectionTLS.Received.waits
        let before = down.count
        down.append(upTo: 1 << 16) { room in
            outcome = tls.receive(into: room)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        switch outcome {
        case .waits: break
        case .bytes:
            lastActivity = SystemClock.instant()
            down.withUnsafeBytes { bytes in
                recorder.chunk(.downstream, UnsafeRawBufferPointer(rebasing: bytes[before...]).bytes)
            }
        case .ended: endPeer()
        case .truncated:
            recorder.record(.tls(.truncated(.downstream)))
            let reason = "it ended without close_notify: what came may have been cut"
            if !peerEnded { truncation = .tls(TLSClientError(connection.peer, reason)) }
            endPeer()
        case .failed(let failure): fail(failure)
        case .broken(let error): end(.serverReset, SystemError("receive from \(connection.peer)", error))
        }
    }

    private mutating func fail(_ failure: TLSFailure) {
        let error = TLSClientError(connection.peer, failure)
        recorder.record(.tls(.failed(TLSFailureRecord(leg: .server, reason: error.reason, advice: error.advice))))
        end(.tls, failure: .tls(error))
    }
}
#endif
