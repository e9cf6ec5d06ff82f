import Glibc

/// Reads the lines that a user types at a prompt, or that a script has written down for it.
struct PromptInput {
    private let descriptor: Int32
    private let isTerminal: Bool
    private var bytes: [UInt8] = []
    private var hasEnded = false

    /// Reads from a descriptor, which stays the caller's.
    init(_ descriptor: Int32 = STDIN_FILENO) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
    }

    /// Returns the next line without its end; nil behind the last one.
    mutating func line() -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                defer { bytes.removeFirst(end + 1) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            guard !hasEnded else {
                defer { bytes.removeAll() }
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
            read()
        }
    }

    /// Tells, without waiting, whether nothing more is to come.
    ///
    /// What is typed on a terminal while nothing is asked answers no question, and is thrown away.
    mutating func isOver() -> Bool {
        while !hasEnded, isReadable { read() }
        if isTerminal { bytes.removeAll() }
        return hasEnded && bytes.isEmpty
    }

    private var isReadable: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    private mutating func read() {
        var part = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &part, part.count)
        if count > 0 { bytes += part.prefix(count) } else if count == 0 || errno != EINTR { hasEnded = true }
    }
}
