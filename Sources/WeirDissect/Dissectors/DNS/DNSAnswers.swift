public import WeirWire

/// The addresses that a DNS answer gives for the name that was asked for.
///
/// Source: RFC 1035 section 4.1; RFC 3596 section 2.2 (AAAA).
public struct DNSAnswers: Hashable, Sendable {
    /// The name of the question, without a dot at its end.
    public var name: String
    /// The addresses of all records of the answer, those behind aliases (CNAME) as well.
    public var addresses: [IPAddress]

    /// Reads a datagram; nil if it is no answer to one question, or damaged.
    public init?(_ bytes: RawSpan) {
        guard let flags = bytes.number(at: 2, UInt16.self), flags & 0x8000 != 0,
            bytes.number(at: 4, UInt16.self) == 1, let count = bytes.number(at: 6, UInt16.self)
        else { return nil }
        let question = DNSName(bytes, at: 12)
        guard !question.isBroken, question.text != [UInt8(ascii: ".")] else { return nil }
        name = String(decoding: question.text, as: UTF8.self)
        addresses = []
        var at = question.end + 4
        for _ in 0..<count {
            let owner = DNSName(bytes, at: at, wantsText: false)
            guard !owner.isBroken, let type = bytes.number(at: owner.end, UInt16.self),
                let length = bytes.number(at: owner.end + 8, UInt16.self)
            else { return nil }
            let data = owner.end + 10
            at = data + Int(length)
            guard at <= bytes.byteCount else { return nil }
            switch (type, length) {
            case (1, 4):
                if let value = bytes.number(at: data, UInt32.self) { addresses.append(IPAddress(v4: value)) }
            case (28, 16):
                if let high = bytes.number(at: data, UInt64.self), let low = bytes.number(at: data + 8, UInt64.self) {
                    addresses.append(IPAddress(v6: high, low: low))
                }
            default: break
            }
        }
    }
}
