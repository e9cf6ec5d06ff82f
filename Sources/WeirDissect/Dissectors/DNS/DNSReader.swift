import WeirWire

/// A reader of one DNS message, from its first byte to its last.
struct DNSReader {
    /// The offset up to which the message was read.
    private(set) var at = DNSDissector.headerSize
    private let flags: UInt16
    private let counts: SIMD4<Int>
    private let isQuery: Bool
    /// Whether all classes and types are those of the Internet.
    private(set) var isPlain = true
    private var answersShown = 0
    private static let shown = 4

    init(_ bytes: RawSpan, into message: inout DissectedMessage) {
        flags = bytes.number(at: 2) ?? 0
        counts = Self.counts(bytes)
        isQuery = flags & 0x8000 == 0
    }

    /// Reads the number of records in each section.
    static func counts(_ bytes: RawSpan) -> SIMD4<Int> {
        var counts = SIMD4<Int>(repeating: 0)
        for index in 0..<4 { counts[index] = Int(bytes.number(at: 4 + 2 * index, UInt16.self) ?? 0) }
        return counts
    }

    /// Reads all sections; returns whether everything was there and valid.
    ///
    /// Complexity: O(n) in the message's bytes, times the length of a name at most.
    mutating func read(_ bytes: RawSpan, into message: inout DissectedMessage) -> Bool {
        readHeader(bytes, into: &message)
        for index in 0..<counts[0] {
            guard readQuestion(bytes, isFirst: index == 0, into: &message) else { return close(&message) }
        }
        if counts[0] == 0 { describeCode(&message) }
        for section in 1...3 {
            for _ in 0..<counts[section] {
                guard readRecord(bytes, section, into: &message) else { return close(&message) }
            }
        }
        if counts[1] > Self.shown, !isQuery {
            message.summary.append(" +")
            message.summary.append(counts[1] - Self.shown)
        }
        return true
    }

    private func close(_ message: inout DissectedMessage) -> Bool {
        message.summary.append(" (malformed)")
        return false
    }

    private func readHeader(_ bytes: RawSpan, into message: inout DissectedMessage) {
        let id: UInt16 = bytes.number(at: 0) ?? 0
        message.add(DNSFields.id, 0..<2, .number(UInt64(id)))
        message.add(DNSFields.response, 2..<4, .number(isQuery ? 0 : 1))
        message.add(DNSFields.opcode, 2..<4, .number(UInt64(flags >> 11 & 15)))
        message.add(DNSFields.truncated, 2..<4, .number(UInt64(flags >> 9 & 1)))
        if !isQuery {
            message.add(DNSFields.authoritative, 2..<4, .number(UInt64(flags >> 10 & 1)))
            message.add(DNSFields.responseCode, 2..<4, .number(UInt64(flags & 15)))
        }
        message.role = isQuery ? .request(UInt64(id)) : .answer(UInt64(id))
    }

    private mutating func readQuestion(
        _ bytes: RawSpan,
        isFirst: Bool,
        into message: inout DissectedMessage
    ) -> Bool {
        let name = DNSName(bytes, at: at)
        guard !name.isBroken, let type = bytes.number(at: name.end, UInt16.self),
            let kind = bytes.number(at: name.end + 2, UInt16.self)
        else {
            if !name.text.isEmpty { message.add(DNSFields.queryName, at..<name.end, .text(name.string)) }
            if isFirst { describeQuestion(name, nil, &message) }
            return false
        }
        message.add(DNSFields.queryName, at..<name.end, .text(name.string))
        message.add(DNSFields.queryType, name.end..<(name.end + 2), .number(UInt64(type)))
        message.add(DNSFields.queryClass, (name.end + 2)..<(name.end + 4), .number(UInt64(kind)))
        isPlain = isPlain && (kind == 1 || kind == 255) && DNSFields.types[type] != nil
        at = name.end + 4
        if isFirst { describeQuestion(name, type, &message) }
        return true
    }

    private func describeQuestion(_ name: DNSName, _ type: UInt16?, _ message: inout DissectedMessage) {
        if flags >> 11 & 15 == 0 {
            if isQuery { message.summary.append("query ") } else { describeCode(&message) }
        } else {
            let operation = Self.operations[Int(flags >> 11 & 15)] ?? "operation"
            message.summary.append(operation)
            message.summary.append(isQuery ? " " : " answer ")
        }
        if let type {
            DNSFields.append(type: type, to: &message.summary)
            message.summary.append(" ")
        }
        message.summary.append(escaped: name.text.span.bytes, upTo: 260)
    }

    private func describeCode(_ message: inout DissectedMessage) {
        if !isQuery, flags & 15 != 0 {
            DNSFields.append(responseCode: flags & 15, to: &message.summary)
            message.summary.append(" ")
        } else {
            message.summary.append(isQuery ? "query " : "answer ")
        }
    }

    private static let operations: [Int: StaticString] = [
        1: "inverse query", 2: "status", 4: "notify", 5: "update", 6: "stateful operation",
    ]
}

// MARK: - Records

extension DNSReader {
    private mutating func readRecord(
        _ bytes: RawSpan,
        _ section: Int,
        into message: inout DissectedMessage
    ) -> Bool {
        let name = DNSName(bytes, at: at, wantsText: message.wantsFields)
        guard !name.isBroken, let type = bytes.number(at: name.end, UInt16.self),
            let kind = bytes.number(at: name.end + 2, UInt16.self),
            let time = bytes.number(at: name.end + 4, UInt32.self),
            let length = bytes.number(at: name.end + 8, UInt16.self)
        else { return false }
        let data = (name.end + 10)..<(name.end + 10 + Int(length))
        message.add(DNSFields.name, at..<name.end, .text(name.string))
        message.add(DNSFields.type, name.end..<(name.end + 2), .number(UInt64(type)))
        at = data.upperBound
        if type == 41 {
            message.add(DNSFields.payloadSize, (name.end + 2)..<(name.end + 4), .number(UInt64(kind)))
            message.add(DNSFields.dataLength, (name.end + 8)..<data.lowerBound, .number(UInt64(length)))
            readOptions(bytes, data, into: &message)
        } else {
            message.add(DNSFields.recordClass, (name.end + 2)..<(name.end + 4), .number(UInt64(kind)))
            message.add(DNSFields.timeToLive, (name.end + 4)..<(name.end + 8), .number(UInt64(time)))
            message.add(DNSFields.dataLength, (name.end + 8)..<data.lowerBound, .number(UInt64(length)))
            if length > 0 { readData(bytes, data, type, section, into: &message) }
        }
        return data.upperBound <= bytes.byteCount
    }

    private func readOptions(_ bytes: RawSpan, _ data: Range<Int>, into message: inout DissectedMessage) {
        var index = data.lowerBound
        while index + 4 <= data.upperBound, let code = bytes.number(at: index, UInt16.self),
            let length = bytes.number(at: index + 2, UInt16.self)
        {
            message.add(DNSFields.option, index..<(index + 4 + Int(length)), .number(UInt64(code)))
            index += 4 + Int(length)
        }
    }

    private mutating func readData(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ type: UInt16,
        _ section: Int,
        into message: inout DissectedMessage
    ) {
        let isShown = section == 1 && !isQuery && answersShown < Self.shown
        if isShown {
            answersShown += 1
            message.summary.append(answersShown == 1 ? ": " : ", ")
        }
        guard isShown || message.wantsFields else { return }
        switch type {
        case 1: readAddress4(bytes, data, isShown, into: &message)
        case 28: readAddress6(bytes, data, isShown, into: &message)
        case 2: readName(bytes, data, DNSFields.nameServer, isShown ? "NS " : nil, into: &message)
        case 5: readName(bytes, data, DNSFields.canonicalName, isShown ? "CNAME " : nil, into: &message)
        case 12: readName(bytes, data, DNSFields.pointer, isShown ? "PTR " : nil, into: &message)
        case 15:
            readNumber(bytes, data.lowerBound, DNSFields.preference, into: &message)
            readName(bytes, data.dropFirst(2), DNSFields.exchange, isShown ? "MX " : nil, into: &message)
        case 16: readTexts(bytes, data, isShown, into: &message)
        case 6: readAuthority(bytes, data, isShown, into: &message)
        case 33:
            readNumber(bytes, data.lowerBound, DNSFields.priority, into: &message)
            readNumber(bytes, data.lowerBound + 2, DNSFields.weight, into: &message)
            readNumber(bytes, data.lowerBound + 4, DNSFields.port, into: &message)
            readName(bytes, data.dropFirst(6), DNSFields.target, isShown ? "SRV " : nil, into: &message)
        default:
            message.add(DNSFields.data, bytes.there(data), .number(UInt64(data.count)))
            if isShown { DNSFields.append(type: type, to: &message.summary) }
        }
    }

    private func readAddress4(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ isShown: Bool,
        into message: inout DissectedMessage
    ) {
        guard data.count == 4, let value = bytes.number(at: data.lowerBound, UInt32.self) else { return }
        show(IPAddress(v4: value), data, DNSFields.address4, isShown, into: &message)
    }

    private func readAddress6(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ isShown: Bool,
        into message: inout DissectedMessage
    ) {
        guard data.count == 16, let high = bytes.number(at: data.lowerBound, UInt64.self),
            let low = bytes.number(at: data.lowerBound + 8, UInt64.self)
        else { return }
        show(IPAddress(v6: high, low: low), data, DNSFields.address6, isShown, into: &message)
    }

    private func show(
        _ address: IPAddress,
        _ data: Range<Int>,
        _ field: FieldName,
        _ isShown: Bool,
        into message: inout DissectedMessage
    ) {
        message.add(field, data, .address(address))
        if isShown { message.summary.append(address) }
    }

    private func readNumber(
        _ bytes: RawSpan,
        _ offset: Int,
        _ field: FieldName,
        into message: inout DissectedMessage
    ) {
        guard let value = bytes.number(at: offset, UInt16.self) else { return }
        message.add(field, offset..<(offset + 2), .number(UInt64(value)))
    }

    private func readName(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ field: FieldName,
        _ title: StaticString?,
        into message: inout DissectedMessage
    ) {
        let name = DNSName(bytes, at: data.lowerBound)
        guard !name.isBroken else { return }
        message.add(field, data, .text(name.string))
        guard let title else { return }
        message.summary.append(title)
        message.summary.append(escaped: name.text.span.bytes, upTo: 100)
    }

    private func readTexts(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ isShown: Bool,
        into message: inout DissectedMessage
    ) {
        var index = data.lowerBound
        if isShown { message.summary.append("TXT") }
        while index < data.upperBound, let length = bytes.byte(at: index) {
            let text = bytes.there((index + 1)..<min(index + 1 + Int(length), data.upperBound))
            message.add(DNSFields.text, text, textOf: bytes)
            if isShown {
                message.summary.append(" ")
                message.summary.append(escaped: bytes.extracting(text), upTo: 64)
            }
            index += 1 + Int(length)
        }
    }

    private func readAuthority(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ isShown: Bool,
        into message: inout DissectedMessage
    ) {
        let primary = DNSName(bytes, at: data.lowerBound)
        let mailbox = DNSName(bytes, at: primary.end)
        guard !primary.isBroken, !mailbox.isBroken, let serial = bytes.number(at: mailbox.end, UInt32.self) else {
            return
        }
        message.add(DNSFields.primary, data.lowerBound..<primary.end, .text(primary.string))
        message.add(DNSFields.mailbox, primary.end..<mailbox.end, .text(mailbox.string))
        message.add(DNSFields.serial, mailbox.end..<(mailbox.end + 4), .number(UInt64(serial)))
        guard isShown else { return }
        message.summary.append("SOA ")
        message.summary.append(escaped: primary.text.span.bytes, upTo: 100)
    }
}
