import Glibc
import WeirEngine
import WeirWire

/// Standard output, written in large pieces.
///
/// If the reader is gone (`| head`), the program ends with 0; any other failure ends it with 74.
final class ShowOutput {
    private var buffer = ByteBuffer(capacity: pieceSize + 4096)
    private static let pieceSize = 64 << 10

    /// Whether it is a terminal.
    let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Lets a closure append text, and writes if there is enough.
    func write(_ body: (inout ByteBuffer) -> Void) {
        body(&buffer)
        if buffer.count >= Self.pieceSize { flush() }
    }

    /// Writes the collected text.
    func flush() {
        while !buffer.isEmpty {
            let count = buffer.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                buffer.removeFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            case EPIPE: Glibc.exit(ExitStatus.done.rawValue)
            default:
                Diagnostics.print("cannot write to standard output: \(ErrorNumber(errno))")
                Glibc.exit(ExitStatus.inputOutput.rawValue)
            }
        }
    }
}
