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
        // The handshake's type: only the first record has one.
        return next > 0 || record.count < 6 || record[5] == 1
    }
}

/// What a ClientHello says.
package struct ClientHello: Hashable, Sendable {
    /// The name of the server (SNI), as the client sent it; nil for none.
    package var serverName: String?
    /// The application protocols that are offered (ALPN), in their order.
    package var protocols: [[UInt8]]
    /// The highest version that is offered: 0x0304 is TLS 1.3.
    package var version: UInt16
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
        groups = reader.groups
        signatures = reader.fingerprint.signatures
        fingerprint = reader.fingerprint.text("t")
        hasEncryptedHello = reader.fingerprint.extensions.contains(0xfe0d)
        hasEarlyData = reader.fingerprint.extensions.contains(42)
    }

    /// Whether the client verifies signatures of ECDSA on P-256; one that lists no algorithms is older than TLS 1.2, and may not.
    package var takesECDSA: Bool { signatures.contains(0x0403) }
}
