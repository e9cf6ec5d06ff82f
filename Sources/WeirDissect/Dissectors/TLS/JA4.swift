/// The data of a client's JA4 fingerprint.
///
/// Source: FoxIO, JA4 technical details, https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md.
struct JA4: Sendable {
    var version: UInt16 = 0
    /// The versions of the extension, without those of GREASE.
    var versions: [UInt16] = []
    var hasServerName = false
    var ciphers: [UInt16] = []
    var extensions: [UInt16] = []
    var signatures: [UInt16] = []
    var firstProtocol: [UInt8] = []

    /// Returns the fingerprint; its first character is `t` for TLS over TCP, `q` for QUIC.
    func text(_ transport: Character) -> String {
        let ciphers = ciphers.filter { !Self.isGrease($0) }
        let extensions = extensions.filter { !Self.isGrease($0) }
        let first =
            "\(transport)\(versionText)\(hasServerName ? "d" : "i")\(Self.count(ciphers.count))"
            + "\(Self.count(extensions.count))\(protocolText)"
        // The server name and the ALPN protocols do not depend on the client program.
        let sorted = Self.list(extensions.filter { $0 != 0 && $0 != 0x0010 }.sorted())
        let signatures = Self.list(signatures.filter { !Self.isGrease($0) })
        let third = signatures.isEmpty ? sorted : sorted + [UInt8(ascii: "_")] + signatures
        return "\(first)_\(Self.hash(Self.list(ciphers.sorted())))_\(Self.hash(extensions.isEmpty ? [] : third))"
    }

    /// Returns whether a number is a GREASE value, offered in order to be ignored.
    ///
    /// Source: RFC 8701 section 2.
    static func isGrease(_ number: UInt16) -> Bool { number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff }

    private var versionText: String {
        switch versions.max() ?? version {
        case 0x0304: "13"
        case 0x0303: "12"
        case 0x0302: "11"
        case 0x0301: "10"
        case 0x0300: "s3"
        case 0x0002: "s2"
        case 0xfeff: "d1"
        case 0xfefd: "d2"
        case 0xfefc: "d3"
        default: "00"
        }
    }

    /// The first and the last character of the first protocol; hex digits if they are not alphanumeric.
    private var protocolText: String {
        guard let first = firstProtocol.first, let last = firstProtocol.last else { return "00" }
        if Self.isAlphanumeric(first), Self.isAlphanumeric(last) {
            return String(decoding: [first, last], as: UTF8.self)
        }
        return String(first >> 4, radix: 16) + String(last & 15, radix: 16)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
    }

    private static func count(_ count: Int) -> String {
        let count = min(count, 99)
        return count < 10 ? "0\(count)" : "\(count)"
    }

    /// Returns numbers as four hex digits each, with commas between them.
    private static func list(_ numbers: [UInt16]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(5 * numbers.count)
        for number in numbers {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            for shift in [12, 8, 4, 0] as [UInt16] {
                text.append(digit(UInt8(truncatingIfNeeded: number >> shift) & 15))
            }
        }
        return text
    }

    /// Returns 12 hex digits of the hash, or zeros for an empty text.
    private static func hash(_ text: [UInt8]) -> String {
        guard !text.isEmpty else { return "000000000000" }
        let digits = SHA256.hash(text).prefix(6).flatMap { [digit($0 >> 4), digit($0 & 15)] }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }
}
