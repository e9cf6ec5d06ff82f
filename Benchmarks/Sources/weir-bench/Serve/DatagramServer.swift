import CWeirBench
import Glibc

/// Sends datagrams back in batches on one socket and one thread.
final class DatagramServer: @unchecked Sendable {  // Used by one thread: the one that calls `run`.
    private static let batchSize = 64
    private let socket: Int32
    private let poller: Poller
    private let batch: DatagramBatch

    /// Prepares to echo on a bound socket, which stays the caller's.
    init(socket: Int32) throws(BenchError) {
        self.socket = socket
        poller = try Poller()
        batch = try DatagramBatch(count: Self.batchSize, size: 2048)
        try poller.add(socket, events: Poller.readable, tag: 0)
    }

    /// Echoes until the process ends.
    func run() throws(BenchError) {
        while true {
            guard try poller.wait(milliseconds: -1) > 0 else { continue }
            var received = batch.receive(socket)
            while received > 0 {
                // A datagram that the kernel does not take is lost, as on any network; the client counts it.
                batch.echo(socket, count: received)
                received = received == Self.batchSize ? batch.receive(socket) : 0
            }
        }
    }
}
