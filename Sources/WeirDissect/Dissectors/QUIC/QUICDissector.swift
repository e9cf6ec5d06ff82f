import WeirWire

/// A dissector of QUIC's long headers, and of the handshake in Initial packets.
///
/// Source: RFC 9000 sections 17.2 and 19, RFC 9001, RFC 9369.
struct QUICDissector: Dissector {
    static let description = DissectorDescription(
        name: "quic",
        summary: "QUIC's long headers; hellos (SNI, ALPN, JA4) within Initial packets",
        transports: [.udp],
        ports: [443, 8443],
        fields: [
            Fields.type, Fields.version, Fields.destination, Fields.source, Fields.token, Fields.length,
            Fields.cryptoOffset, Fields.closeCode,
        ] + TLSFields.all
    )

    enum Fields {
        static let type = FieldName("quic.long.packet_type", "The packet's kind")
        static let version = FieldName("quic.version", "The version")
        static let destination = FieldName("quic.dcid", "The receiver's connection ID, in hex")
        static let source = FieldName("quic.scid", "The sender's connection ID, in hex")
        static let token = FieldName("quic.token_length", "The length of the token in bytes")
        static let length = FieldName("quic.length", "The length of the packet's rest in bytes")
        static let cryptoOffset = FieldName("quic.crypto.offset", "Where in the handshake a frame's bytes belong")
        static let closeCode = FieldName("quic.cc.error_code", "Why the connection is closed")
    }

    static let version2: UInt32 = 0x6b33_43cf
    /// The maximum number of packets of a flow that are tried with keys that may be wrong.
    private static let failureLimit = 32

    private struct Side {
        var crypto = CryptoStream()
        var handshake = HandshakeBuffer()
    }

    private var id: [UInt8]?
    private var keys: [QUICKeys?] = [nil, nil]
    private var sides = [Side(), Side()]
    private var failures = 0

    init() {}

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let header = QUICHeader(bytes), header.isKnown else { return .no }
        guard header.kind != .initial else { return bytes.byteCount >= 64 ? .yes : .no }
        return start.hasPort ? .yes : .maybe
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        // Packets with short headers reveal nothing, and padding may follow the last packet.
        guard bytes.byte(at: 0).map({ $0 & 0x80 != 0 }) ?? false else { return .lost }
        guard let header = QUICHeader(bytes) else { return .giveUp }
        header.describe(bytes, into: &message)
        let end = header.end ?? bytes.byteCount
        guard header.kind == .initial, end <= bytes.byteCount else { return .message(end) }
        open(bytes, header, place, into: &message)
        return .message(end)
    }

    private mutating func open(
        _ bytes: RawSpan,
        _ header: QUICHeader,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) {
        let side = Int(place.direction.rawValue)
        let packet = bytes.bytes(0..<(header.end ?? bytes.byteCount))
        guard let opened = decrypt(packet, bytes.bytes(header.destination), header, isClient: side == 0) else {
            return message.summary.append(", not opened")
        }
        readFrames(opened.payload.span.bytes, opened.start, place, side, into: &message)
    }

    /// Opens a packet with the known keys, or with those of its own connection ID.
    private mutating func decrypt(
        _ packet: [UInt8],
        _ destination: [UInt8],
        _ header: QUICHeader,
        isClient: Bool
    ) -> (payload: [UInt8], start: Int)? {
        guard failures < Self.failureLimit else { return nil }
        if let known = keys[isClient ? 0 : 1], let opened = known.open(packet, numberAt: header.numberOffset) {
            return opened
        }
        // After a Retry the client uses another ID; in a capture, client and server may be swapped.
        if destination != id, let client = QUICKeys(destination, isClient: true, version: header.version),
            let opened = client.open(packet, numberAt: header.numberOffset)
        {
            id = destination
            keys[isClient ? 0 : 1] = client
            keys[isClient ? 1 : 0] = QUICKeys(destination, isClient: false, version: header.version)
            sides = [Side(), Side()]
            return opened
        }
        failures += 1
        return nil
    }

    /// Source: RFC 9000 section 12.4.
    private mutating func readFrames(
        _ bytes: RawSpan,
        _ start: Int,
        _ place: MessagePlace,
        _ side: Int,
        into message: inout DissectedMessage
    ) {
        var index = 0
        while let type = bytes.byte(at: index) {
            index += 1
            switch type {
            case 0, 1: continue
            case 2, 3: guard skipAcknowledgment(bytes, &index, hasCounts: type == 3) else { return }
            case 6:
                guard let offset = bytes.variable(&index), let length = bytes.variable(&index),
                    length <= bytes.byteCount - index
                else { return }
                let data = index..<(index + length)
                message.add(
                    Fields.cryptoOffset,
                    (data.lowerBound + start)..<(data.upperBound + start),
                    .number(UInt64(offset))
                )
                sides[side].crypto.add(bytes.extracting(data), at: offset)
                readHandshake(from: data.lowerBound + start + place.offset, side, into: &message)
                index = data.upperBound
            case 0x1c:
                guard let code = bytes.variable(&index) else { return }
                message.add(Fields.closeCode, start..<(start + index), .number(UInt64(code)))
                message.summary.append(", close ")
                return message.summary.append(hex: UInt64(code))
            default: return
            }
        }
    }

    /// Reads the handshake bytes that are newly in order.
    private mutating func readHandshake(from place: Int, _ side: Int, into message: inout DissectedMessage) {
        guard let next = sides[side].crypto.next() else { return }
        sides[side].handshake.append(next.bytes.span.bytes, at: place)
        while let handshake = sides[side].handshake.next() {
            HandshakeReader.read(handshake, "q", into: &message)
        }
    }

    /// Source: RFC 9000 section 19.3.
    private func skipAcknowledgment(_ bytes: RawSpan, _ index: inout Int, hasCounts: Bool) -> Bool {
        guard bytes.variable(&index) != nil, bytes.variable(&index) != nil, let ranges = bytes.variable(&index),
            bytes.variable(&index) != nil
        else { return false }
        let more = min(ranges, bytes.byteCount) * 2 + (hasCounts ? 3 : 0)
        for _ in 0..<more {
            guard bytes.variable(&index) != nil else { return false }
        }
        return true
    }
}

/// The CRYPTO frames of one side, in order.
///
/// Source: RFC 9000 section 19.6.
struct CryptoStream: Sendable {
    private var bytes: [UInt8] = []
    /// The parts that have arrived, in order, none touching the next.
    private var parts: [Range<Int>] = []
    /// The number of bytes returned so far.
    private var given = 0
    private static let limit = 64 << 10
    private static let partLimit = 256

    /// Adds the bytes of a frame.
    mutating func add(_ data: RawSpan, at offset: Int) {
        let end = offset &+ data.byteCount
        guard data.byteCount > 0, offset >= 0, end <= Self.limit, parts.count < Self.partLimit else { return }
        if bytes.count < end { bytes += Array(repeating: 0, count: end - bytes.count) }
        for index in 0..<data.byteCount {
            bytes[offset + index] = data.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        }
        var part = offset..<end
        let touching = parts.filter { $0.lowerBound <= part.upperBound && part.lowerBound <= $0.upperBound }
        for other in touching {
            part = min(part.lowerBound, other.lowerBound)..<max(part.upperBound, other.upperBound)
        }
        parts.removeAll { touching.contains($0) }
        parts.insert(part, at: parts.firstIndex { $0.lowerBound > part.lowerBound } ?? parts.count)
    }

    /// Returns the bytes that are newly in order, with their offset.
    mutating func next() -> (offset: Int, bytes: [UInt8])? {
        guard let first = parts.first, first.lowerBound <= given, first.upperBound > given else { return nil }
        defer { given = first.upperBound }
        return (given, Array(bytes[given..<first.upperBound]))
    }
}
