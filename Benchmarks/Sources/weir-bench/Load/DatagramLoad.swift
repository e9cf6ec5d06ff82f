import Glibc
import Histogram

/// Has 64-byte datagrams echoed, with a fixed number in flight for each client.
///
/// A datagram that has not come back after 50 ms counts as lost and is sent again under a new number; an echo that
/// comes later still, or that belongs to another client, counts as late.
final class DatagramLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Slot {
        var sequence: UInt64 = 0
        var sentAt: UInt64 = 0
    }

    private static let patience: UInt64 = 50_000_000
    private let sockets = DescriptorTable()
    private let poller: Poller
    private let duration: UInt64
    private let inFlight: Int
    private let incoming: DatagramBatch
    private let outgoing: DatagramBatch
    private var slots: ContiguousArray<Slot>
    private var sequence: UInt64 = 0
    private var outcome = LoadOutcome()
    private var latencies = LoadOutcome.emptyHistogram()

    /// Opens one socket for each client; it keeps its port for its whole life.
    init(_ settings: LoadSettings, clients: Int) throws(BenchError) {
        poller = try Poller()
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        inFlight = max(1, settings.inFlight)
        incoming = try DatagramBatch(count: inFlight, size: Agreed.message)
        outgoing = try DatagramBatch(count: inFlight, size: Agreed.message)
        slots = ContiguousArray(repeating: Slot(), count: clients * inFlight)
        for client in 0..<clients {
            sockets.append(try Socket.connectUDP(port: settings.port))
            try poller.add(sockets.numbers[client], events: Poller.readable, tag: client)
        }
    }

    func run() throws(BenchError) -> LoadOutcome {
        var now = Clock.nanoseconds()
        let deadline = now + duration
        var nextCheck = now + Self.patience
        for client in sockets.numbers.indices {
            for slot in 0..<inFlight { write(client, slot, to: slot, at: now) }
            transmit(client, count: inFlight)
        }
        while now < deadline {
            let count = try poller.wait(milliseconds: 10)
            now = Clock.nanoseconds()
            for event in 0..<count { exchange(poller.tag(event), at: now) }
            if now >= nextCheck {
                resendLost(at: now)
                nextCheck = now + Self.patience / 5
            }
        }
        guard outcome.operations > 0 else { throw .load("no datagram came back") }
        outcome.end = now
        outcome.bytes = outcome.operations * UInt64(Agreed.message)
        outcome.latencies = latencies
        return outcome
    }

    /// Takes the echoes of one client and sends as many new datagrams.
    @inline(__always)
    private func exchange(_ client: Int, at now: UInt64) {
        let received = incoming.receive(sockets.numbers[client])
        guard received > 0 else { return }
        var fresh = 0
        for index in 0..<received {
            let bytes = incoming.bytes(index)
            let slot = Int(bytes.load(fromByteOffset: 12, as: UInt32.self))
            let place = client &* inFlight &+ slot
            guard incoming.length(index) == Agreed.message, slot < inFlight,
                Int(bytes.load(fromByteOffset: 8, as: UInt32.self)) == client,
                bytes.load(as: UInt64.self) == slots[place].sequence
            else {
                outcome.late &+= 1
                continue
            }
            latencies.record(now &- slots[place].sentAt)
            outcome.operations &+= 1
            write(client, slot, to: fresh, at: now)
            fresh &+= 1
        }
        transmit(client, count: fresh)
    }

    private func resendLost(at now: UInt64) {
        for client in sockets.numbers.indices {
            var fresh = 0
            for slot in 0..<inFlight where now &- slots[client * inFlight + slot].sentAt > Self.patience {
                outcome.lost += 1
                write(client, slot, to: fresh, at: now)
                fresh += 1
            }
            transmit(client, count: fresh)
        }
    }

    /// Gives a slot a new number and writes its datagram into place `index` of the next batch.
    @inline(__always)
    private func write(_ client: Int, _ slot: Int, to index: Int, at now: UInt64) {
        sequence &+= 1
        slots[client &* inFlight &+ slot] = Slot(sequence: sequence, sentAt: now)
        let bytes = outgoing.bytes(index)
        bytes.storeBytes(of: sequence, as: UInt64.self)
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: client), toByteOffset: 8, as: UInt32.self)
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: slot), toByteOffset: 12, as: UInt32.self)
    }

    /// Sends the batch; what the kernel does not take is found missing after 50 ms, as any other loss.
    @inline(__always)
    private func transmit(_ client: Int, count: Int) {
        guard count > 0 else { return }
        _ = outgoing.send(sockets.numbers[client], count: count)
    }
}
