import WeirWire

/// The long header of a QUIC packet.
///
/// Source: RFC 9000 section 17.2, RFC 9369 section 3.2.
struct QUICHeader {
    enum Kind {
        case initial
        case zeroRTT
        case handshake
        case retry
        case versionNegotiation
    }

    var kind: Kind
    var version: UInt32
    var destination: Range<Int>
    var source: Range<Int>
    var tokenLength = 0
    /// The offset of the packet number.
    var numberOffset = 0
    /// The offset of the packet's end; nil if it ends with the datagram.
    var end: Int?

    /// Whether the version is known.
    var isKnown: Bool {
        version <= 1 || version == QUICDissector.version2 || (0xff00_0017...0xff00_0020).contains(version)
    }

    /// Reads a header; nil unless it is a long one.
    init?(_ bytes: RawSpan) {
        guard let first = bytes.byte(at: 0), first & 0x80 != 0, let version = bytes.number(at: 1, UInt32.self),
            let length = bytes.byte(at: 5), length <= 20, let other = bytes.byte(at: 6 + Int(length)), other <= 20
        else { return nil }
        self.version = version
        destination = 6..<(6 + Int(length))
        source = (7 + Int(length))..<(7 + Int(length) + Int(other))
        guard source.upperBound <= bytes.byteCount else { return nil }
        let type = Int(first >> 4 & 3)
        kind = Self.kinds[version == QUICDissector.version2 ? (type + 3) % 4 : type]
        if version == 0 { kind = .versionNegotiation } else if first & 0x40 == 0 { return nil }
        var index = source.upperBound
        if kind == .initial {
            guard let token = bytes.variable(&index), token <= bytes.byteCount - index else { return nil }
            tokenLength = token
            index += token
        }
        guard kind != .retry, kind != .versionNegotiation else { return }
        guard let rest = bytes.variable(&index), rest > 0, rest <= 65_535 else { return nil }
        numberOffset = index
        end = index + rest
    }

    private static let kinds: [Kind] = [.initial, .zeroRTT, .handshake, .retry]

    /// Adds the header to the message.
    func describe(_ bytes: RawSpan, into message: inout DissectedMessage) {
        let number: UInt64
        let name: StaticString
        switch kind {
        case .initial: (number, name) = (0, "Initial")
        case .zeroRTT: (number, name) = (1, "0-RTT")
        case .handshake: (number, name) = (2, "Handshake")
        case .retry: (number, name) = (3, "Retry")
        case .versionNegotiation: (number, name) = (4, "Version Negotiation")
        }
        message.add(QUICDissector.Fields.type, 0..<1, .number(number))
        message.add(QUICDissector.Fields.version, 1..<5, .number(UInt64(version)))
        message.add(QUICDissector.Fields.destination, destination, .text(Self.hex(bytes, destination)))
        message.add(QUICDissector.Fields.source, source, .text(Self.hex(bytes, source)))
        if kind == .initial {
            message.add(QUICDissector.Fields.token, source.upperBound..<numberOffset, .number(UInt64(tokenLength)))
        }
        if let end {
            message.add(QUICDissector.Fields.length, numberOffset..<numberOffset, .number(UInt64(end - numberOffset)))
        }
        message.summary.append(name)
    }

    private static func hex(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        bytes.bytes(range).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension RawSpan {
    /// Reads a number of 1, 2, 4 or 8 bytes and moves past it; nil if it is incomplete, or longer than 62 bits.
    ///
    /// Source: RFC 9000 section 16.
    func variable(_ index: inout Int) -> Int? {
        guard let first = byte(at: index) else { return nil }
        let count = 1 << Int(first >> 6)
        guard index <= byteCount - count else { return nil }
        var value = Int(first & 0x3f)
        for place in 1..<max(count, 1) { value = value << 8 | Int(byte(at: index + place) ?? 0) }
        index += count
        return value
    }
}
