import WeirWire

/// A dissector of TLS records, and of the handshake as far as it is not encrypted.
///
/// Source: RFC 8446 section 5, RFC 5246 section 6.
struct TLSDissector: Dissector {
    static let description = DissectorDescription(
        name: "tls",
        summary: "TLS records, hellos (SNI, ALPN, JA4), certificates up to TLS 1.2, alerts",
        transports: [.tcp],
        ports: [443, 8443, 853, 993, 995, 465, 636, 5061],
        fields: TLSFields.all
    )

    private struct Side {
        var handshake = HandshakeBuffer()
        var isEncrypted = false
    }

    private var sides = [Side(), Side()]

    init() {}

    static let headerSize = 5
    /// The maximum length of a record in bytes: 2 to the 14 bytes once encrypted.
    private static let longestRecord = 16_384 + 2048

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let type = bytes.byte(at: 0), type >= 20, type <= 24 else { return .no }
        guard let major = bytes.byte(at: 1) else { return .more(2) }
        guard major == 3 else { return .no }
        guard bytes.byteCount >= headerSize + 1 else { return .more(headerSize + 1) }
        guard let record = Record(bytes), record.version <= 0x0304, record.length > 0 else { return .no }
        if type == 22, bytes.byteCount >= 6, let kind = bytes.byte(at: 5), kind == 1 || kind == 2 {
            guard let length = bytes.number24(at: 6) else { return .more(9) }
            return length < HandshakeBuffer.limit ? .yes : .no
        }
        // An unencrypted alert has a level and a description. Source: RFC 8446 section 6.
        if type == 21, record.length == 2 {
            guard let alert = bytes.byte(at: headerSize + 1) else { return .more(headerSize + 2) }
            if let level = bytes.byte(at: headerSize), level == 1 || level == 2, TLSFields.alerts[alert] != nil {
                return .yes
            }
        }
        return .maybe
    }

    mutating func lose(_ direction: Direction) { sides[Int(direction.rawValue)].handshake.removeAll() }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard bytes.byteCount >= Self.headerSize else { return .more(Self.headerSize) }
        guard let record = Record(bytes), record.version <= 0x0304 else { return .giveUp }
        let side = Int(place.direction.rawValue)
        if record.type == 23 { return readData(bytes, record, into: &message) }
        guard bytes.byteCount >= record.end else { return .more(record.end) }
        addHeader(record, into: &message)
        switch record.type {
        case 20:
            sides[side].isEncrypted = true
            message.summary.append("ChangeCipherSpec")
            return .message(record.end)
        case 21: return readAlert(bytes, record, side, into: &message)
        case 22: return readHandshake(bytes, record, place, side, into: &message)
        default:
            message.summary.append("heartbeat, ")
            message.summary.append(bytes: record.length)
            return .message(record.end)
        }
    }

    /// Reads one record of application data, or all that have arrived whole: they are encrypted, and there are many.
    private func readData(_ bytes: RawSpan, _ first: Record, into message: inout DissectedMessage) -> DissectionStep {
        var (end, count, length) = (first.end, 1, first.length)
        addHeader(first, into: &message)
        while count < 1000, end + Self.headerSize <= bytes.byteCount,
            let next = Record(bytes.extracting(droppingFirst: end)), next.type == 23, next.version == first.version,
            end + next.end <= bytes.byteCount
        {
            end += next.end
            length += next.length
            count += 1
        }
        message.summary.append("application data, ")
        message.summary.append(bytes: length)
        if count > 1 {
            message.summary.append(" in ")
            message.summary.append(count)
            message.summary.append(" records")
        }
        return .message(end)
    }

    private func readAlert(
        _ bytes: RawSpan,
        _ record: Record,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard !sides[side].isEncrypted || record.length == 2, record.length == 2,
            let level = bytes.byte(at: 5), let alert = bytes.byte(at: 6)
        else {
            message.summary.append("encrypted alert")
            return .message(record.end)
        }
        message.add(TLSFields.alertLevel, 5..<6, .number(UInt64(level)))
        message.add(TLSFields.alert, 6..<7, .number(UInt64(alert)))
        message.summary.append(level == 2 ? "fatal alert: " : "alert: ")
        if let name = TLSFields.alerts[alert] { message.summary.append(name) } else { message.summary.append(alert) }
        return .message(record.end)
    }

    /// Reads the handshake messages of a record; a handshake message in several records is one message here.
    private mutating func readHandshake(
        _ bytes: RawSpan,
        _ record: Record,
        _ place: MessagePlace,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        let payload = bytes.extracting(Self.headerSize..<record.end)
        let isBegun = !sides[side].handshake.isEmpty
        if !isBegun, isSecret(payload, side) { return finishSecret(record, into: &message) }
        sides[side].handshake.append(payload, at: place.offset + Self.headerSize)
        while let handshake = sides[side].handshake.next() {
            HandshakeReader.read(handshake, "t", into: &message)
        }
        guard sides[side].handshake.isPlausible else {
            sides[side].handshake.removeAll()
            return message.summary.isEmpty ? finishSecret(record, into: &message) : .message(record.end)
        }
        return sides[side].handshake.isEmpty ? .message(record.end) : .skip(record.end)
    }

    private func finishSecret(_ record: Record, into message: inout DissectedMessage) -> DissectionStep {
        message.summary.append("encrypted handshake, ")
        message.summary.append(bytes: record.length)
        return .message(record.end)
    }

    /// Returns whether a handshake record is encrypted.
    ///
    /// It is after a change of ciphers, unless it is a hello in the clear, as after a HelloRetryRequest of TLS 1.3.
    private func isSecret(_ payload: RawSpan, _ side: Int) -> Bool {
        guard let type = payload.byte(at: 0), TLSFields.handshakes[type] != nil else { return true }
        guard sides[side].isEncrypted else { return false }
        guard type == 1 || type == 2, let length = payload.number24(at: 1) else { return true }
        return length + 4 != payload.byteCount
    }

    private func addHeader(_ record: Record, into message: inout DissectedMessage) {
        message.add(TLSFields.contentType, 0..<1, .number(UInt64(record.type)))
        message.add(TLSFields.recordVersion, 1..<3, .number(UInt64(record.version)))
        message.add(TLSFields.recordLength, 3..<5, .number(UInt64(record.length)))
    }

    /// The header of a record.
    private struct Record {
        var type: UInt8
        var version: UInt16
        var length: Int

        /// The offset of the record's end.
        var end: Int { TLSDissector.headerSize + length }

        /// Reads a header; nil unless it is one.
        init?(_ bytes: RawSpan) {
            guard let type = bytes.byte(at: 0), type >= 20, type <= 24, let version = bytes.number(at: 1, UInt16.self),
                version >> 8 == 3, let length = bytes.number(at: 3, UInt16.self),
                length <= TLSDissector.longestRecord
            else { return nil }
            self.type = type
            self.version = version
            self.length = Int(length)
        }
    }
}
