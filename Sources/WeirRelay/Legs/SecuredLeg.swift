#if TLS
import Glibc
import WeirDissect
import WeirEngine
import WeirTLS

/// The TLS of one leg: what it reads is decrypted, and what it writes is encrypted.
///
/// The flow carries plaintext, and counts a byte as sent once the record that carries it is in the kernel.
final class SecuredLeg {
    /// How the leg's source ended.
    enum Ending {
        /// It said so (close_notify); its FIN may still come.
        case closeNotify
        /// Its bytes ended without saying so: a FIN alone.
        case truncated
    }

    /// The memory that all legs of a loop use in turn, each for the time of one call.
    final class Scratch {
        /// What has arrived, still encrypted.
        let arrived = UnsafeMutableRawBufferPointer.allocate(byteCount: LoopContext.readSize, alignment: 4096)
        /// What is to be sent, encrypted: one read's plaintext, and what its records add.
        let leaving = UnsafeMutableRawBufferPointer.allocate(
            byteCount: LoopContext.readSize + (64 << 10),
            alignment: 4096
        )

        deinit {
            arrived.deallocate()
            leaving.deallocate()
        }
    }

    /// A record that was written: its place among the ciphertext of the connection, and how much plaintext it completes.
    private struct Written {
        var cipherEnd: UInt64
        var plainEnd: UInt64
    }

    /// The longest record's plaintext.
    private static let recordSize = 16_384
    /// The room that a read needs beyond its ciphertext: what was kept of one record.
    private static let slack = 32 << 10

    let end: TLSEnd
    private let scratch: Scratch
    private let services: TLSServices
    private(set) var ending: Ending?
    private(set) var failure: TLSFailure?
    private(set) var hasFinished = false
    /// Whether a FIN follows once everything is in the kernel.
    private var wantsFIN = false
    /// The bytes of ciphertext that the kernel took, and of plaintext that was encrypted, and reported as sent.
    private var cipherTaken: UInt64 = 0
    private var encrypted: UInt64 = 0
    private var reported: UInt64 = 0
    /// Whether a byte of plaintext went either way.
    private(set) var hasCarried = false
    /// Whether the leg is not read until what waits is sent.
    private var isStalled = false
    /// How many encrypted bytes may wait while more is read: two reads' plaintext, and what their records add.
    private static let mostWaiting = 2 * LoopContext.readSize + (128 << 10)
    /// The records whose plaintext may not be acknowledged yet.
    private var written: [Written] = []

    /// The client and the name for which its certificate was made; nil if it was not made for a server's.
    var pin: PinMemory.Pair?
    /// The fingerprint (JA4) of the ClientHello that this leg sends.
    private(set) var ownFingerprint: String?
    private var wantsHello: Bool

    /// - Parameters:
    ///   - end: the engine.
    ///   - scratch: the loop's memory.
    ///   - services: what gets the secrets.
    ///   - wantsHello: whether the fingerprint of the ClientHello that it sends is wanted.
    init(_ end: TLSEnd, _ scratch: Scratch, _ services: TLSServices, wantsHello: Bool = false) {
        (self.end, self.scratch) = (end, scratch)
        (self.services, self.wantsHello) = (services, wantsHello)
    }

    // MARK: - The handshake

    /// Goes on with the handshake, with bytes that are read now.
    ///
    /// - Parameter leg: the leg.
    /// - Returns: how far it is; a failed one has sent its alert.
    func handshake(_ leg: inout Leg) -> TLSEnd.Handshake {
        var progress = work(.none, &leg) { end.handshake() }
        while case .waits = progress, leg.isReadable {
            let isRecorded = leg.hasHeld
            switch leg.receive(into: scratch.arrived) {
            case .bytes(let count, _):
                let bytes = UnsafeRawBufferPointer(rebasing: scratch.arrived[..<count])
                progress = work(bytes, isRecorded: isRecorded, &leg) { end.handshake() }
            case .wouldBlock: return .waits
            case .end:
                end.inputEnded()
                progress = work(.none, &leg) { end.handshake() }
            case .failed: return .failed(.ended)
            }
        }
        return progress
    }

    /// Lends bytes to the engine while it works, and sends what it has to send.
    ///
    /// - Parameters:
    ///   - bytes: the bytes.
    ///   - isRecorded: whether they were recorded when they were read.
    ///   - leg: the leg.
    ///   - body: the engine's work.
    /// - Returns: what the work returns.
    private func work<Result>(
        _ bytes: UnsafeRawBufferPointer,
        isRecorded: Bool = false,
        _ leg: inout Leg,
        _ body: () -> Result
    ) -> Result {
        end.receive(bytes, room: scratch.leaving)
        let result = body()
        // A capture needs the secrets before the bytes that they decrypt.
        let keys = end.takeKeys()
        if !keys.isEmpty {
            services.note(keys: keys)
            leg.wire?.note(keys: keys)
        }
        if !isRecorded { leg.wire?.receive(bytes) }
        if wantsHello { noteHello() }
        _ = flush(&leg)
        if !end.settle() { failure = .noMemory }
        return result
    }

    private func noteHello() {
        var gate = HelloGate()
        guard case .hello(let hello) = gate.feed(end.outgoing.bytes) else { return }
        (ownFingerprint, wantsHello) = (hello.fingerprint, false)
    }

    // MARK: - Bytes

    /// Reads plaintext.
    func read(into room: UnsafeMutableRawBufferPointer, _ leg: inout Leg) -> Leg.Read {
        var piece = UnsafeRawBufferPointer.none
        var isRecorded = false
        // A peer that asks and does not read the answers (KeyUpdate) is not read, either.
        guard end.outgoing.count <= Self.mostWaiting else {
            (isStalled, leg.isReadable) = (true, false)
            return .wouldBlock
        }
        while true {
            let outcome = work(piece, isRecorded: isRecorded, &leg) { end.read(into: room) }
            if failure != nil { return .failed(ErrorNumber(ENOMEM)) }
            switch outcome {
            case .bytes(let count):
                hasCarried = true
                // No event of the socket tells of what the engine holds.
                if end.hasMore { leg.isReadable = true }
                return .bytes(count, isLast: false)
            case .ended:
                ending = .closeNotify
                if leg.hasSeenFIN, !leg.hasAborted { leg.wire?.peerEnded(isReset: false) }
                return .end
            case .truncated:
                ending = .truncated
                return .end
            case .failed(let failure):
                self.failure = failure
                return .failed(ErrorNumber(EPROTO))
            case .waits: break
            }
            guard leg.isReadable else { return .wouldBlock }
            isRecorded = leg.hasHeld
            let limit = max(min(scratch.arrived.count, room.count - Self.slack), 4096)
            switch leg.receive(into: UnsafeMutableRawBufferPointer(rebasing: scratch.arrived[..<limit])) {
            case .bytes(let count, _): piece = UnsafeRawBufferPointer(rebasing: scratch.arrived[..<count])
            case .end:
                end.inputEnded()
                piece = .none
            case let other: return other
            }
        }
    }

    /// Returns how many bytes the side has sent that are not read; they are lost with this.
    func countUnread(_ leg: inout Leg) -> Int {
        guard ending == nil, failure == nil else { return 0 }
        return withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            var total = 0
            while case .bytes(let count, _) = read(into: room, &leg) { total += count }
            return total
        }
    }

    /// Encrypts plaintext and offers it to the kernel.
    ///
    /// - Returns: how many bytes of plaintext are in the kernel for certain; those that were encrypted and are not in the kernel yet are
    ///   offered again, and not encrypted again.
    func write(_ bytes: UnsafeRawBufferPointer, _ leg: inout Leg) -> (count: Int, error: ErrorNumber?) {
        if let error = flush(&leg) { return (0, error) }
        let ahead = Int(encrypted - reported)
        if ahead == 0 || leg.isWritable {
            // Everything that was encrypted before is in the kernel now.
            let rest = bytes.dropFirst(min(ahead, bytes.count))
            if !rest.isEmpty, leg.isWritable, let failure = encrypt(UnsafeRawBufferPointer(rebasing: rest), &leg) {
                self.failure = failure
                return (0, ErrorNumber(EPROTO))
            }
        }
        let count = min(bytes.count, Int(taken - reported))
        reported += UInt64(count)
        return (count, nil)
    }

    private func encrypt(_ bytes: UnsafeRawBufferPointer, _ leg: inout Leg) -> TLSFailure? {
        work(.none, &leg) {
            var at = 0
            while at < bytes.count {
                let next = min(bytes.count, at + Self.recordSize)
                if let failure = end.write(UnsafeRawBufferPointer(rebasing: bytes[at..<next])) { return failure }
                encrypted += UInt64(next - at)
                hasCarried = true
                at = next
                written.append(Written(cipherEnd: cipherTaken + UInt64(end.outgoing.count), plainEnd: encrypted))
            }
            return nil
        }
    }

    /// The plaintext whose records are whole in the kernel.
    private var taken: UInt64 {
        if end.outgoing.isEmpty { return encrypted }
        return written.last { $0.cipherEnd <= cipherTaken }?.plainEnd ?? acknowledgedBefore
    }

    /// The plaintext of records that are no longer in the list.
    private var acknowledgedBefore: UInt64 = 0

    /// Sends what is encrypted, as much as the kernel takes.
    private func flush(_ leg: inout Leg) -> ErrorNumber? {
        while !end.outgoing.isEmpty {
            let outgoing = end.outgoing
            let (count, error) = leg.writeBytes(outgoing)
            cipherTaken += UInt64(count)
            end.sent(count)
            if let error { return error }
            if count < outgoing.count { return nil }
        }
        if wantsFIN {
            wantsFIN = false
            leg.finishBytes()
        }
        if written.count > 256 { forget(leg) }
        return nil
    }

    /// Forgets the records that the peer has acknowledged.
    private func forget(_ leg: borrowing Leg) {
        let acknowledged = cipherTaken - min(cipherTaken, UInt64(leg.unsentBytes))
        guard let last = written.lastIndex(where: { $0.cipherEnd <= acknowledged }) else { return }
        acknowledgedBefore = written[last].plainEnd
        written.removeFirst(last + 1)
    }

    /// Sends what waits, now that the kernel has room again; returns whether all of it is in the kernel.
    func continueSending(_ leg: inout Leg) -> Bool {
        _ = flush(&leg)
        guard end.outgoing.isEmpty else { return false }
        if isStalled { (isStalled, leg.isReadable) = (false, true) }
        return true
    }

    /// Returns how much plaintext the peer certainly lacks, if the kernel still holds this much ciphertext for it: of a record that is not
    /// whole, it can read nothing.
    func lost(holding held: Int) -> Int {
        let acknowledged = cipherTaken - min(cipherTaken, UInt64(held))
        let got = held == 0 ? encrypted : written.last { $0.cipherEnd <= acknowledged }?.plainEnd ?? acknowledgedBefore
        return Int(reported - min(reported, got))
    }

    // MARK: - Ends

    /// Says that no byte follows.
    ///
    /// - Parameters:
    ///   - leg: the leg.
    ///   - says: whether to say so (close_notify).
    ///   - closes: whether a FIN follows.
    func finish(_ leg: inout Leg, says: Bool, closes: Bool) {
        if says, !hasFinished {
            hasFinished = true
            work(.none, &leg) { end.finish() }
        }
        guard closes else { return }
        wantsFIN = true
        _ = flush(&leg)
    }
}

extension UnsafeRawBufferPointer {
    /// No bytes.
    static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
#endif
