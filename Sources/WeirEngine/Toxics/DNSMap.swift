import WeirWire

/// A map of the addresses of a host: the DNS answers that have them in place of the true ones.
///
/// Source: RFC 1035 section 4.1; RFC 3596 section 2 (AAAA); RFC 6891 section 6.1 (OPT).
struct DNSMap: Hashable, Sendable {
    /// The maximum number of addresses, with which an answer still fits the 512 bytes that every program takes.
    static let mostAddresses = 8
    private static let headerSize = 12
    /// The flags that stay: that it is an answer, the operation, recursion desired and available, checking disabled.
    private static let keptFlags = 0xF990

    private enum RecordType {
        static let a = 1
        static let aaaa = 28
        static let opt = 41
        static let any = 255
    }

    private let host: NamePattern
    private let addresses: [IPAddress]
    private let timeToLive: UInt32

    /// Creates a map; nil if the host is neither a name as `example.com` nor an end of names as `*.example.com`.
    init?(host: String, addresses: [IPAddress], timeToLive: UInt32) {
        guard let host = NamePattern(host[...]) else { return nil }
        (self.host, self.addresses, self.timeToLive) = (host, addresses, timeToLive)
    }

    /// Returns the answer in place of a message; nil if that is no answer about a host of the map, or damaged.
    ///
    /// The question stays as it is, to the case of its letters, by which some programs know their answers. An answer to
    /// a question for anything but a known address is empty, so that no program gets the true ones.
    func answer(replacing message: [UInt8]) -> [UInt8]? {
        guard let flags = message.number(at: 2), flags & 0xF800 == 0x8000, message.number(at: 4) == 1,
            let end = questionEnd(in: message), let type = message.number(at: end), message.number(at: end + 2) == 1,
            let option = Self.option(in: message, from: end + 4)
        else { return nil }
        var answer = Array(message[..<2])
        let records = addresses.filter { type == RecordType.any || type == ($0.isV4 ? RecordType.a : RecordType.aaaa) }
        for number in [flags & Self.keptFlags, 1, records.count, 0, option.isEmpty ? 0 : 1] {
            answer.append(number: number)
        }
        answer += message[Self.headerSize..<(end + 4)]
        for address in records { append(address, to: &answer) }
        return answer + option
    }

    /// Appends a record of the name in the question, which begins after the header.
    private func append(_ address: IPAddress, to answer: inout [UInt8]) {
        answer.append(number: 0xC000 | Self.headerSize)
        answer.append(number: address.isV4 ? RecordType.a : RecordType.aaaa)
        answer.append(number: 1)
        answer.append(number: Int(timeToLive >> 16))
        answer.append(number: Int(timeToLive & 0xFFFF))
        answer.append(number: address.isV4 ? 4 : 16)
        if address.isV4 {
            withUnsafeBytes(of: address.v4.bigEndian) { answer += $0 }
        } else {
            withUnsafeBytes(of: address.high.bigEndian) { answer += $0 }
            withUnsafeBytes(of: address.low.bigEndian) { answer += $0 }
        }
    }

    /// Returns where the name of the question ends; nil if it is not of the map, damaged or, against all custom,
    /// compressed.
    private func questionEnd(in message: [UInt8]) -> Int? {
        var name: [UInt8] = []
        var at = Self.headerSize
        while at < message.count, message[at] != 0 {
            let label = (at + 1)..<(at + 1 + Int(message[at]))
            // A dot within a label is none between two.
            guard message[at] < 64, label.upperBound < message.count, !message[label].contains(UInt8(ascii: ".")) else {
                return nil
            }
            if !name.isEmpty { name.append(UInt8(ascii: ".")) }
            name += message[label]
            at = label.upperBound
        }
        guard at < message.count, host.matches(name) else { return nil }
        return at + 1
    }

    /// Returns the record with which both sides say what they can (EDNS), without a response code; empty if there is
    /// none, nil if the records are damaged.
    private static func option(in message: [UInt8], from start: Int) -> [UInt8]? {
        var option: [UInt8] = []
        var at = start
        for section in [6, 8, 10] {
            for _ in 0..<(message.number(at: section) ?? 0) {
                guard let name = nameEnd(in: message, at: at), let type = message.number(at: name),
                    let length = message.number(at: name + 8), name + 10 + length <= message.count
                else { return nil }
                if section == 10, type == RecordType.opt, name == at + 1, option.isEmpty {
                    option = Array(message[at..<(name + 10 + length)])
                    // The upper bits of the response code.
                    option[5] = 0
                }
                at = name + 10 + length
            }
        }
        return option
    }

    /// Returns where a name ends: after its last label, or after a pointer to the rest.
    private static func nameEnd(in message: [UInt8], at start: Int) -> Int? {
        var at = start
        while at < message.count {
            switch message[at] {
            case 0: return at + 1
            case 1..<64: at += 1 + Int(message[at])
            case 0xC0...: return at + 2
            default: return nil
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// Returns the 16 bits at an offset, in network order; nil if they are not there.
    fileprivate func number(at offset: Int) -> Int? {
        offset + 1 < count ? Int(self[offset]) << 8 | Int(self[offset + 1]) : nil
    }

    /// Appends 16 bits in network order.
    fileprivate mutating func append(number: Int) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }
}
