import CWeirBench
import Glibc

/// Takes datagrams in batches on one socket and one thread, and sends them back, if it echoes.
final class DatagramServer: @unchecked Sendable {  // Used by one thread: the one that calls `run`.
    private static let batchSize = 64
    private let socket: Int32
    private let echoes: Bool
    private let poller: Poller
    private let batch: DatagramBatch

    /// Prepares to serve a bound socket, which stays the caller's.
    init(socket: Int32, echoes: Bool = true) throws(BenchError) {
        (self.socket, self.echoes) = (socket, echoes)
        poller = try Poller()
        batch = try DatagramBatch(count: Self.batchSize, size: 2048)
        try poller.add(socket, events: Poller.readable, tag: 0)
    }

    /// Serves until the process ends.
    func run() throws(BenchError) {
        while true {
            guard try poller.wait(milliseconds: -1) > 0 else { continue }
            var received = batch.receive(socket)
            while received > 0 {
                // A datagram that the kernel does not take is lost, as on any network; the client counts it.
                if echoes { batch.echo(socket, count: received) }
                received = received == Self.batchSize ? batch.receive(socket) : 0
            }
        }
    }
}
