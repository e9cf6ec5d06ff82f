import Glibc
import WeirCapture
import WeirFlow
import WeirRelay
import WeirWire

/// Shows the packets of a live capture on standard output.
struct PacketPrinter: ~Copyable, Sendable {
    /// Says how packets are shown.
    enum Show: String, Sendable, CaseIterable {
        /// A line each.
        case summary
        /// A line each, and the dump of its bytes.
        case hex
        /// Not at all.
        case none
    }

    /// Is what is worth a write(2) while more packets wait, in bytes.
    private static let writeSize = 64 << 10

    private var lines: PacketLines
    private var output = ByteBuffer(capacity: 2 * writeSize)

    init(_ lines: PacketLines) {
        self.lines = lines
    }

    mutating func append(_ packet: LivePacket, _ bytes: RawSpan) { lines.append(packet, bytes, to: &output) }

    /// Writes what is gathered, if no other packet is waiting or it is worth it.
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
