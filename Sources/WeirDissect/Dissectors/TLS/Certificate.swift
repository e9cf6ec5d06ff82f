import WeirWire

/// The names in an X.509 certificate: issuer, subject and alternative names.
///
/// Source: RFC 5280 sections 4.1 and 4.2.1.6.
struct Certificate {
    /// A text and its range.
    struct Name {
        var text: String
        var range: Range<Int>
    }

    private(set) var subject: Name?
    private(set) var issuer: Name?
    private(set) var alternativeNames: [Name] = []

    /// Reads the certificate in a range; nil unless it is one.
    init?(_ bytes: RawSpan, in range: Range<Int>) {
        guard let whole = DERElement(bytes, at: range.lowerBound, in: range), whole.tag == 0x30,
            let signed = DERElement(bytes, at: whole.contents.lowerBound, in: whole.contents), signed.tag == 0x30
        else { return nil }
        var parts = DERElement.list(bytes, in: signed.contents)
        // The version, which is absent for version 1.
        if parts.first?.tag == 0xa0 { parts.removeFirst() }
        // Serial number, signature, issuer, validity, subject, key.
        guard parts.count >= 6 else { return nil }
        issuer = Self.name(bytes, parts[2])
        subject = Self.name(bytes, parts[4])
        for part in parts.dropFirst(6) where part.tag == 0xa3 { readExtensions(bytes, part.contents) }
    }

    private mutating func readExtensions(_ bytes: RawSpan, _ range: Range<Int>) {
        guard let list = DERElement(bytes, at: range.lowerBound, in: range) else { return }
        for item in DERElement.list(bytes, in: list.contents) {
            let parts = DERElement.list(bytes, in: item.contents)
            // id-ce-subjectAltName: 2.5.29.17.
            guard let id = parts.first, id.tag == 6, bytes.bytes(id.contents) == [0x55, 0x1d, 0x11],
                let value = parts.last, value.tag == 4,
                let names = DERElement(bytes, at: value.contents.lowerBound, in: value.contents)
            else { continue }
            for name in DERElement.list(bytes, in: names.contents) where name.tag == 0x82 {
                alternativeNames.append(Name(text: bytes.repairedText(name.contents), range: name.contents))
            }
        }
    }

    /// Returns a name as `CN=example.com,O=Example`, its last part first.
    ///
    /// Source: RFC 4514 section 2.1.
    private static func name(_ bytes: RawSpan, _ element: DERElement) -> Name {
        var texts: [String] = []
        for set in DERElement.list(bytes, in: element.contents, upTo: 32) {
            for pair in DERElement.list(bytes, in: set.contents, upTo: 8) {
                let parts = DERElement.list(bytes, in: pair.contents, upTo: 2)
                guard parts.count == 2, parts[0].tag == 6 else { continue }
                texts.append("\(title(bytes.bytes(parts[0].contents)))=\(text(bytes, parts[1]))")
            }
        }
        return Name(text: texts.reversed().joined(separator: ","), range: element.contents)
    }

    private static func text(_ bytes: RawSpan, _ element: DERElement) -> String {
        let content = element.contents.prefix(256)
        guard element.tag == 0x1e else { return bytes.repairedText(content) }
        let units = stride(from: content.lowerBound, to: content.upperBound - 1, by: 2).map { index in
            bytes.number(at: index, UInt16.self) ?? 0
        }
        return String(decoding: units, as: UTF16.self)
    }

    private static func title(_ id: [UInt8]) -> String {
        switch id {
        case [0x55, 4, 3]: "CN"
        case [0x55, 4, 6]: "C"
        case [0x55, 4, 7]: "L"
        case [0x55, 4, 8]: "ST"
        case [0x55, 4, 10]: "O"
        case [0x55, 4, 11]: "OU"
        case [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]: "emailAddress"
        default: objectIdentifier(id)
        }
    }

    private static func objectIdentifier(_ id: [UInt8]) -> String {
        var (numbers, value): ([UInt], UInt) = ([], 0)
        for byte in id.prefix(32) {
            value = value << 7 | UInt(byte & 0x7f)
            guard byte & 0x80 == 0 else { continue }
            if numbers.isEmpty {
                numbers = [min(value / 40, 2), value - 40 * min(value / 40, 2)]
            } else {
                numbers.append(value)
            }
            value = 0
        }
        return numbers.map(String.init).joined(separator: ".")
    }
}
