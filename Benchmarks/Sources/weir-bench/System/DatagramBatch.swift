import CWeirBench

/// Datagram buffers with their headers, allocated once, for recvmmsg and sendmmsg.
final class DatagramBatch {
    private let batch: OpaquePointer

    /// Allocates so many datagrams of so many bytes each.
    init(count: Int, size: Int) throws(BenchError) {
        guard let batch = weir_bench_batch_create(UInt32(count), size) else {
            throw .system(call: "calloc", errno: 12, on: nil)
        }
        self.batch = batch
    }

    deinit {
        weir_bench_batch_destroy(batch)
    }

    /// Returns the bytes of one datagram.
    @inline(__always)
    func bytes(_ index: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(weir_bench_batch_bytes(batch, UInt32(truncatingIfNeeded: index)))
    }

    /// Returns how long a received datagram was.
    @inline(__always)
    func length(_ index: Int) -> Int {
        weir_bench_batch_length(batch, UInt32(truncatingIfNeeded: index))
    }

    /// Receives what is there; the number of datagrams, or the negative errno.
    @inline(__always)
    func receive(_ socket: Int32) -> Int {
        Int(weir_bench_batch_receive(batch, socket))
    }

    /// Sends received datagrams back to their senders; the number sent, or the negative errno.
    @discardableResult
    func echo(_ socket: Int32, count: Int) -> Int {
        Int(weir_bench_batch_echo(batch, socket, UInt32(truncatingIfNeeded: count)))
    }

    /// Sends datagrams at full size on a connected socket; the number sent, or the negative errno.
    func send(_ socket: Int32, count: Int) -> Int {
        Int(weir_bench_batch_send(batch, socket, UInt32(truncatingIfNeeded: count)))
    }
}
