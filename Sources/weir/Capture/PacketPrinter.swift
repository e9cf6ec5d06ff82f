import Glibc
import WeirCapture
import WeirEngine
import WeirRelay
import WeirWire

/// A printer of a live capture's packets on standard output.
struct PacketPrinter: ~Copyable, Sendable {
    /// The form in which packets are shown.
    enum Show: String, Sendable, CaseIterable {
        /// A line each.
        case summary
        /// A line each, and a dump of its bytes.
        case hex
        /// Not at all.
        case none
    }

    /// The number of bytes, while more packets wait, from which a write(2) is worth it.
    private static let writeSize = 64 << 10

    private var lines: PacketLines
    private var output = ByteBuffer(capacity: 2 * writeSize)

    init(_ lines: PacketLines) {
        self.lines = lines
    }

    mutating func append(_ packet: LivePacket, _ bytes: RawSpan) { lines.append(packet, bytes, to: &output) }

    /// Writes the collected text, if no other packet is waiting or there are enough bytes.
    mutating func flush(isIdle: Bool) throws(SystemError) {
        guard isIdle || output.count >= Self.writeSize else { return }
        while !output.isEmpty {
            let count = output.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                output.removeFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                throw SystemError("write to standard output", ErrorNumber(errno))
            }
        }
    }
}
