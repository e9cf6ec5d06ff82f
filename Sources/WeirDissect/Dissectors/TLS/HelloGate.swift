import WeirWire

/// The reading of a client's first bytes, until it is known whether they are a TLS ClientHello, and what it says.
///
/// It needs no TLS library: whether a flow is intercepted is decided before there is any TLS state, so that the very bytes can still
/// go on untouched. The bytes may come in pieces of any size, and the hello in several records.
/// Source: RFC 8446 sections 4.1.2 and 5.1.
package struct HelloGate: Sendable {
    /// What is known so far.
    package enum Verdict: Sendable {
        /// All that came is the beginning of a ClientHello.
        case more
        /// No ClientHello: another protocol, or nonsense.
        case plain
        case hello(ClientHello)
    }

    /// The maximum number of bytes of a hello with its records: post-quantum keys take about 2 KiB.
    package static let limit = 64 << 10

    /// All bytes so far, for the TLS engine or for the other side.
    package private(set) var bytes: [UInt8] = []
    /// The offset of the next record in `bytes`.
    private var next = 0
    private var handshake = HandshakeBuffer()

    package init() {}

    /// Takes the next bytes.
    package mutating func feed(_ piece: RawSpan) -> Verdict {
        piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
        while true {
            guard isPossible else { return .plain }
            guard next + 5 <= bytes.count else { return bytes.count > Self.limit ? .plain : .more }
            let length = Int(bytes[next + 3]) << 8 | Int(bytes[next + 4])
            let end = next + 5 + length
            guard end <= bytes.count else { return bytes.count > Self.limit ? .plain : .more }
            let held = bytes
            handshake.append(held.span.bytes.extracting((next + 5)..<end), at: next + 5)
            next = end
            guard handshake.isPlausible else { return .plain }
            guard let message = handshake.next() else { continue }
            return message.type == 1 ? .hello(ClientHello(message)) : .plain
        }
    }

    /// Whether the record at `next` may be one of a ClientHello, as far as it has arrived.
    private var isPossible: Bool {
        let record = bytes[next...]
        if let type = record.first, type != 22 { return false }
        if record.count >= 2, record[next + 1] != 3 { return false }
        if record.count >= 3, record[next + 2] > 4 { return false }
        if record.count >= 5 {
            let length = Int(record[next + 3]) << 8 | Int(record[next + 4])
            guard (1...16_384).contains(length) else { return false }
        }
        // The handshake's type, the shortest length of a hello, and its version: only the first record has them.
        guard next == 0 else { return true }
        if record.count >= 6, record[5] != 1 { return false }
        if record.count >= 9, record[6] == 0, record[7] == 0, record[8] < Self.shortest { return false }
        let isVersionHere = record.count >= 10 && (record[3] > 0 || record[4] > 4)
        return !isVersionHere || record[9] == 3
    }

    /// The length of a hello's version, random bytes, and fields that are as short as they can be.
    private static let shortest: UInt8 = 38
}

/// What a ClientHello says.
package struct ClientHello: Hashable, Sendable {
    /// The name of the server (SNI), as the client sent it; nil for none.
    package var serverName: String?
    /// The application protocols that are offered (ALPN), in their order.
    package var protocols: [[UInt8]]
    /// The highest version that is offered: 0x0304 is TLS 1.3.
    package var version: UInt16
    /// The cipher suites, in the client's order.
    package var ciphers: [UInt16]
    /// The groups for the key exchange, in the client's order.
    package var groups: [UInt16]
    /// The signature algorithms, in the client's order.
    package var signatures: [UInt16]
    /// The client's JA4 fingerprint.
    package var fingerprint: String
    /// Whether there is an encrypted ClientHello (ECH) in it, or something that looks like one.
    package var hasEncryptedHello: Bool
    /// Whether the client sends early data.
    package var hasEarlyData: Bool

    init(_ message: HandshakeMessage) {
        var unused = DissectedMessage(wantsFields: false)
        let reader = HelloReader(message, into: &unused)
        serverName = reader.serverName
        protocols = reader.protocolNames
        version = reader.version
        ciphers = reader.fingerprint.ciphers
        groups = reader.groups
        signatures = reader.fingerprint.signatures
        fingerprint = reader.fingerprint.text("t")
        hasEncryptedHello = reader.fingerprint.extensions.contains(0xfe0d)
        hasEarlyData = reader.fingerprint.extensions.contains(42)
    }

    /// Whether a certificate with an ECDSA key on P-256 suits the client, whichever of its versions is chosen.
    ///
    /// Up to TLS 1.2 the cipher suite depends on the certificate's key as well, and its curve must be one of the groups. A client that
    /// lists no signature algorithms is older than TLS 1.2. Source: RFC 8422 sections 2 and 5.1; RFC 8446 section 4.2.3.
    package var takesECDSA: Bool {
        let old = ciphers.filter { $0 >> 8 != 0x13 && !Self.signals.contains($0) && !JA4.isGrease($0) }
        let takesCurve = groups.isEmpty || groups.contains(23)
        let hasSuite = takesCurve && old.contains { Self.suitesOfECDSA.contains($0) }
        if signatures.isEmpty { return hasSuite && old.allSatisfy { Self.suitesOfECDSA.contains($0) } }
        guard signatures.contains(0x0403) else { return false }
        return old.isEmpty || hasSuite || !signatures.contains { Self.signaturesOfRSA.contains($0) }
    }

    /// The numbers among the cipher suites that are none: RFC 5746 section 3.3, RFC 7507 section 2.
    private static let signals: Set<UInt16> = [0x00ff, 0x5600]

    /// ECDHE_ECDSA of RFC 8422, RFC 5289, RFC 7251 and RFC 7905, ARIA (RFC 6209) and Camellia (RFC 6367).
    private static let suitesOfECDSA: Set<UInt16> = [
        0xc006, 0xc007, 0xc008, 0xc009, 0xc00a, 0xc023, 0xc024, 0xc02b, 0xc02c, 0xc048, 0xc049, 0xc05c, 0xc05d, 0xc072,
        0xc073, 0xc086, 0xc087, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9,
    ]

    /// PKCS #1 and PSS with SHA-256 and larger.
    private static let signaturesOfRSA: Set<UInt16> = [0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806]
}
