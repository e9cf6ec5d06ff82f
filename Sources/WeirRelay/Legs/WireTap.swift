#if TLS
import WeirEngine
import WeirWire

/// The place where what one socket of a flow sends and receives becomes records, as it is on the wire.
///
/// Only flows with TLS have it, and only if an output wants such records.
final class WireTap {
    private unowned(unsafe) let loop: LoopContext
    /// The flow as it was at its beginning: these records are for those who know its later path already.
    private let subject: FlowSubject
    private let leg: FlowLeg
    private var received: UInt64 = 0
    private var sent: UInt64 = 0

    /// Makes the tap of a flow's client leg, and records that the flow has it.
    init(client flow: borrowing Flow, on loop: LoopContext) {
        (self.loop, subject, leg) = (loop, flow.subject, .client)
        record(.opened)
    }

    private init(server client: WireTap) {
        (loop, subject, leg) = (client.loop, client.subject, .server)
    }

    /// Makes the tap of the other leg.
    func server() -> WireTap { WireTap(server: self) }

    /// The direction of what the leg's peer sends.
    private var inbound: Direction { leg == .client ? .upstream : .downstream }

    private func record(_ wire: WireRecord, _ bytes: UnsafeRawBufferPointer = .none) {
        loop.record(wire, of: subject, bytes: bytes.bytes)
    }

    /// Records bytes that the peer has sent.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        record(.bytes(WireBytes(leg: leg, direction: inbound, offset: received, length: bytes.count)), bytes)
        received += UInt64(bytes.count)
    }

    /// Records bytes that the kernel has taken for the peer.
    func send(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        let description = WireBytes(leg: leg, direction: inbound.opposite, offset: sent, length: bytes.count)
        record(.bytes(description), bytes)
        sent += UInt64(bytes.count)
    }

    /// Records secrets, before the bytes that they decrypt.
    func note(keys lines: [String]) {
        record(.secrets(leg, lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }))
    }

    /// Records the peer's FIN, or its reset.
    func peerEnded(isReset: Bool) { record(isReset ? .reset(leg, inbound) : .finished(leg, inbound)) }

    /// Records the relay's FIN, or its reset.
    func ended(isReset: Bool) { record(isReset ? .reset(leg, inbound.opposite) : .finished(leg, inbound.opposite)) }

    /// Records that the flow's sockets are closed.
    func close() { record(.closed) }
}
#endif
