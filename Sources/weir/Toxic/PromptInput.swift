import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// The lines that a user types at a prompt, or that a script provides.
struct PromptInput {
    private let descriptor: Int32
    private let isTerminal: Bool
    private var bytes: [UInt8] = []
    private var hasEnded = false

    /// Makes an input from a descriptor, which still belongs to the caller.
    init(_ descriptor: Int32 = STDIN_FILENO) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
    }

    /// The input within some time.
    enum Typed: Equatable {
        case line(String)
        /// The input has ended.
        case end
        case nothing
    }

    /// Reads the next line without its end.
    ///
    /// - Parameter milliseconds: how long to wait for it.
    /// - Returns: the line, if there is one.
    mutating func line(within milliseconds: Int) -> Typed {
        let deadline = SystemClock.instant().advanced(by: .milliseconds(milliseconds))
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                defer { bytes.removeFirst(end + 1) }
                return .line(String(decoding: bytes[..<end], as: UTF8.self))
            }
            guard !hasEnded else {
                defer { bytes.removeAll() }
                return bytes.isEmpty ? .end : .line(String(decoding: bytes, as: UTF8.self))
            }
            let left = SystemClock.instant().duration(to: deadline).inNanoseconds / 1_000_000
            guard isReadable(within: Int32(clamping: max(left, 0))) else {
                guard left > 0 else { return .nothing }
                continue
            }
            read()
        }
    }

    /// Discards what a user has typed in answer to an obsolete question; the input of a script is kept.
    mutating func forget() {
        guard isTerminal else { return }
        tcflush(descriptor, TCIFLUSH)
        bytes.removeAll()
    }

    /// Returns, without waiting, whether the input has ended.
    ///
    /// Text that is typed on a terminal before a question is discarded.
    mutating func isOver() -> Bool {
        while !hasEnded, isReadable(within: 0) { read() }
        if isTerminal { bytes.removeAll() }
        return hasEnded && bytes.isEmpty
    }

    private func isReadable(within milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, milliseconds) > 0
    }

    private mutating func read() {
        var part = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &part, part.count)
        if count > 0 { bytes += part.prefix(count) } else if count == 0 || errno != EINTR { hasEnded = true }
    }
}
