import WeirWire

/// A dissector of DNS questions and answers over UDP and TCP, including mDNS and LLMNR.
///
/// Source: RFC 1035 section 4; RFC 6891 for EDNS; RFC 6762 for mDNS.
struct DNSDissector: Dissector {
    static let description = DissectorDescription(
        name: "dns",
        summary: "DNS questions and answers over UDP and TCP, EDNS, mDNS",
        transports: [.udp, .tcp],
        ports: [53, 5353, 5355],
        fields: DNSFields.all
    )

    init() {}

    /// The size of a message's header, in bytes.
    static let headerSize = 12

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        if start.transport == .udp {
            guard looksLikeMessage(bytes) else {
                return bytes.byteCount >= headerSize && start.hasPort ? .maybe : .no
            }
            return start.hasPort ? .yes : isWhole(bytes) ? .yes : .no
        }
        guard let length = bytes.number(at: 0, UInt16.self) else { return start.hasPort ? .more(2) : .no }
        guard length >= headerSize else { return .no }
        guard bytes.byteCount >= 2 + headerSize else { return start.hasPort ? .more(2 + headerSize) : .no }
        let message = bytes.extracting(2..<min(bytes.byteCount, 2 + Int(length)))
        guard looksLikeMessage(message) else { return .no }
        if start.hasPort { return .yes }
        return message.byteCount == Int(length) && isWhole(message) ? .yes : .no
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        if place.transport == .udp {
            guard bytes.byteCount >= Self.headerSize else { return .giveUp }
            return read(bytes, 0, into: &message) ? .message(bytes.byteCount) : .message(bytes.byteCount + 1)
        }
        guard let length = bytes.number(at: 0, UInt16.self) else { return .more(2) }
        guard length >= Self.headerSize else { return .lost }
        let end = 2 + Int(length)
        guard bytes.byteCount >= end else { return .more(end) }
        _ = read(bytes.extracting(2..<end), 2, into: &message)
        return .message(end)
    }

    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage) {
        guard place.transport == .tcp, bytes.byteCount >= 2 + Self.headerSize else { return }
        _ = read(bytes.extracting(droppingFirst: 2), 2, into: &message)
    }

    /// Reads a message at an offset from the base of the fields; returns whether all of it was understood.
    private func read(_ bytes: RawSpan, _ base: Int, into message: inout DissectedMessage) -> Bool {
        message.base &+= base
        defer { message.base &-= base }
        var reader = DNSReader(bytes, into: &message)
        return reader.read(bytes, into: &message)
    }

    /// Returns whether a header is plausible: a known operation, and counts for which there is room.
    private static func looksLikeMessage(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= headerSize, let flags = bytes.number(at: 2, UInt16.self) else { return false }
        let counts = DNSReader.counts(bytes)
        let records = counts[1] + counts[2] + counts[3]
        let isKnown = flags >> 11 & 15 <= 6 && flags >> 11 & 15 != 3
        return isKnown && headerSize + counts[0] * 5 + records * 11 <= max(bytes.byteCount, 512)
            && counts[0] + records > 0
    }

    /// Returns whether the records of a message are whole, and nothing follows them.
    private static func isWhole(_ bytes: RawSpan) -> Bool {
        guard bytes.number(at: 4, UInt16.self) == 1, !isNetBIOS(bytes) else { return false }
        var message = DissectedMessage(wantsFields: false)
        var reader = DNSReader(bytes, into: &message)
        return reader.read(bytes, into: &message) && reader.at == bytes.byteCount && reader.isPlain
    }

    /// Returns whether the name is one of NetBIOS, whose messages resemble those of DNS: 32 letters from A to P.
    ///
    /// Source: RFC 1001 section 14.1.
    private static func isNetBIOS(_ bytes: RawSpan) -> Bool {
        bytes.byte(at: headerSize) == 32
            && (headerSize + 1..<headerSize + 33).allSatisfy { index in
                bytes.byte(at: index).map { $0 >= 0x41 && $0 <= 0x50 } ?? false
            }
    }
}
