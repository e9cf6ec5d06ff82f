import WeirWire

/// A dissector of SSH banners, the lines in which both sides announce their versions.
///
/// The packets after them remain bytes.
///
/// Source: RFC 4253 section 4.2.
struct SSHDissector: Dissector {
    static let description = DissectorDescription(
        name: "ssh",
        summary: "SSH banners",
        transports: [.tcp],
        ports: [22],
        fields: [Fields.banner, Fields.line]
    )

    enum Fields {
        static let banner = FieldName("ssh.protocol", "The versions of the protocol and of the software, and a comment")
        static let line = FieldName("ssh.line", "A line that the server sends before its banner")
    }

    /// The number of bytes of a line, for each direction, already searched for its end.
    private var scanned = [0, 0]
    private var hasBanner = [false, false]

    init() {}

    /// The maximum length of a line in bytes; a banner has at most 255.
    private static let longestLine = 8 << 10

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard bytes.agrees(with: "SSH-") else {
            // A server may send other lines before its banner, but no HTTP answer.
            if bytes.agrees(with: "HTTP/1.") { return bytes.byteCount < 7 ? .more(7) : .no }
            guard let first = bytes.byte(at: 0), first >= 0x20, start.direction == .downstream else { return .no }
            return .maybe
        }
        return bytes.byteCount < 4 ? .more(4) : .yes
    }

    mutating func lose(_ direction: Direction) { scanned[Int(direction.rawValue)] = 0 }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        let side = Int(place.direction.rawValue)
        // Packets follow, and most of them are encrypted: none of it is read.
        if hasBanner[side] { return .skip(Int.max >> 1) }
        guard let end = bytes.find(UInt8(ascii: "\n"), in: scanned[side]..<bytes.byteCount) else {
            scanned[side] = bytes.byteCount
            return scanned[side] < Self.longestLine ? .more(bytes.byteCount + 1) : .giveUp
        }
        scanned[side] = 0
        let line = 0..<(end > 0 && bytes.byte(at: end - 1) == UInt8(ascii: "\r") ? end - 1 : end)
        if bytes.has("SSH-") {
            hasBanner[side] = true
            message.add(Fields.banner, line, textOf: bytes)
        } else {
            guard place.direction == .downstream else { return .giveUp }
            message.add(Fields.line, line, textOf: bytes)
            message.summary.append("line before the banner: ")
        }
        message.summary.append(escaped: bytes.extracting(line))
        return .message(end + 1)
    }
}
