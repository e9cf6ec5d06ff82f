/// A hello of a client or a server, as far as it says how a connection is encrypted.
///
/// Source: RFC 8446 sections 4.1.2 and 4.1.3, RFC 5246 section 7.4.1.
struct Hello: Hashable, Sendable {
    /// The version: of a server the one that is spoken.
    var version: UInt16
    /// The 32 random bytes.
    var random: [UInt8]
    /// The server's cipher suite; nil in a client's hello.
    var suite: UInt16?
    /// Whether the server asks for another hello (HelloRetryRequest).
    var isRetry: Bool { random == Self.retry }
    /// Whether the client sends data before the server's answer.
    var hasEarlyData = false
    /// Whether the server chose encrypt-then-MAC.
    var macsLast = false

    /// The random bytes of a HelloRetryRequest: the SHA-256 of that word (RFC 8446 section 4.1.3).
    private static let retry: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2,
        0x11,
        0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ]

    /// Reads the body of a hello; nil unless it is one.
    init?(_ body: [UInt8], isClient: Bool) {
        var rest = body[...]
        guard let version = rest.takeNumber(2), rest.count >= 32 else { return nil }
        self.version = UInt16(version)
        random = Array(rest.prefix(32))
        rest = rest.dropFirst(32)
        guard let session = rest.takeNumber(1), rest.take(session) != nil else { return nil }
        if isClient {
            guard let suites = rest.takeNumber(2), rest.take(suites) != nil, let methods = rest.takeNumber(1),
                rest.take(methods) != nil
            else { return nil }
        } else {
            guard let suite = rest.takeNumber(2), rest.take(1) != nil else { return nil }
            self.suite = UInt16(suite)
        }
        guard rest.takeNumber(2) != nil else { return }
        while let type = rest.takeNumber(2), let length = rest.takeNumber(2), var value = rest.take(length) {
            switch type {
            case 22: macsLast = !isClient
            case 42: hasEarlyData = isClient
            case 43 where !isClient: if let chosen = value.takeNumber(2) { self.version = UInt16(chosen) }
            default: break
            }
        }
    }
}

extension ArraySlice<UInt8> {
    /// Removes and returns a number of 1 or 2 bytes in network order; nil if they are not there.
    fileprivate mutating func takeNumber(_ count: Int) -> Int? {
        take(count).map { $0.reduce(0) { $0 << 8 | Int($1) } }
    }

    /// Removes and returns bytes; nil if they are not there.
    fileprivate mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard self.count >= count else { return nil }
        defer { self = dropFirst(count) }
        return prefix(count)
    }
}

/// The handshake messages of one direction, which records may split and join.
struct HandshakeMessages: Sendable {
    /// A message; only hellos have their body.
    struct Message: Hashable, Sendable {
        var type: UInt8
        var body: [UInt8]
    }

    private var header: [UInt8] = []
    private var body: [UInt8] = []
    private var missing = 0
    /// The most bytes of a hello.
    private static let mostBytes = 128 << 10

    /// Adds the next bytes; returns the messages that end in them.
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> [Message] {
        var messages: [Message] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if header.count < 4 {
                let part = rest.prefix(4 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 4 else { break }
                missing = Int(header[1]) << 16 | Int(header[2]) << 8 | Int(header[3])
            }
            let part = rest.prefix(missing)
            rest = rest.dropFirst(part.count)
            missing -= part.count
            if header[0] == 1 || header[0] == 2, body.count + part.count <= Self.mostBytes { body += part }
            guard missing == 0 else { break }
            messages.append(Message(type: header[0], body: body))
            (header, body) = ([], [])
        }
        return messages
    }
}
