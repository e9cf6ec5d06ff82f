import Glibc
package import WeirEngine
package import WeirRelay
package import WeirWire

/// A pipe that an output writes to, and that a test reads or leaves full.
package final class OutputPipe: Sendable {
    private let readEnd: Lock<Descriptor?>
    private let writeEnd: Lock<Descriptor?>
    private let name: String
    private let reading: Int32
    private let writing: Int32

    package init(name: String = "pipe") throws {
        self.name = name
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LoopbackSocket.error("make a pipe") }
        (reading, writing) = (ends[0], ends[1])
        readEnd = Lock(Descriptor(owning: ends[0]))
        writeEnd = Lock(Descriptor(owning: ends[1]))
    }

    /// Returns the pipe as an output that writes the bytes of every chunk, and nothing else.
    package func output(_ overflow: SinkOutput.Overflow, sink: any Sink = ChunkBytes()) -> SinkOutput {
        SinkOutput(name: name, sink: sink, descriptor: writing, overflow: overflow)
    }

    /// Reads on a thread up to the end: everything written before `finish`.
    package func readToEnd() -> Task<[UInt8], any Error> {
        Task {
            try await runThread { [reading] in
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while true {
                    let count = read(reading, &buffer, buffer.count)
                    guard count > 0 else { return bytes }
                    bytes += buffer[..<count]
                }
            }
        }
    }

    /// Whether the pipe is full, except for less than a page.
    package var isFull: Bool {
        var descriptor = pollfd(fd: writing, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, 0) == 0
    }

    /// The number of bytes that were written and not yet read.
    package var unread: Int {
        var count: Int32 = 0
        return ioctl(writing, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// Closes the writing end: no more bytes follow.
    package func finish() { writeEnd.withLock { $0 = nil } }

    /// Closes the reading end, so that writing fails with EPIPE.
    package func closeReader() { readEnd.withLock { $0 = nil } }
}

/// A sink that writes the bytes of the chunks.
package struct ChunkBytes: Sink {
    package let interest = Interest.bytes

    package init() {}

    package mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        output.append(bytes)
    }
}
