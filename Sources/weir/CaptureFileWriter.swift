import Glibc
import WeirCapture
import WeirFlow
import WeirRelay
import WeirWire

/// Writes the packets of a live capture to a file.
struct CaptureFileWriter: ~Copyable, Sendable {
    /// Is what is worth a write(2) while more packets wait, in bytes.
    private static let writeSize = 256 << 10

    private var blocks: PacketBlocks
    private let descriptor: Int32
    var lastSign: Int64 { blocks.lastSign }

    init(_ blocks: consuming PacketBlocks, to path: String) throws(SystemError) {
        self.blocks = blocks
        descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("make '\(path)'", ErrorNumber(errno)) }
        var head = ByteBuffer()
        self.blocks.begin(to: &head)
        try Self.write(&head, descriptor)
    }

    mutating func append(_ packet: LivePacket, _ bytes: RawSpan) { blocks.append(packet, bytes) }

    mutating func watch(at time: Int64) { blocks.watch(at: time) }

    /// Writes what is ready, if no other packet is waiting or it is worth it.
    mutating func flush(isIdle: Bool, isLast: Bool = false) throws(SystemError) {
        guard isIdle || blocks.count >= Self.writeSize, blocks.count > 0 else { return }
        let descriptor = descriptor
        try blocks.release(at: SystemClock.now().wallNanoseconds, isLast: isLast) { buffer throws(SystemError) in
            try Self.write(&buffer, descriptor)
        }
    }

    mutating func finish(_ progress: CaptureProgress) throws(SystemError) {
        try flush(isIdle: true, isLast: true)
        var end = ByteBuffer()
        blocks.finish(progress, to: &end)
        try Self.write(&end, descriptor)
        close(descriptor)
    }

    private static func write(_ buffer: inout ByteBuffer, _ descriptor: Int32) throws(SystemError) {
        while !buffer.isEmpty {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                buffer.removeFirst(count)
            } else if errno != EINTR {
                throw SystemError("write", ErrorNumber(errno))
            }
        }
    }
}
