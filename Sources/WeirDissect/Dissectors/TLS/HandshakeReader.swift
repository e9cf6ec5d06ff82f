import WeirWire

/// The meaning of handshake messages, for TLS and for QUIC.
enum HandshakeReader {
    /// Adds a whole handshake message to a dissected message.
    ///
    /// - Parameters:
    ///   - handshake: The message.
    ///   - transport: `t` for TLS over TCP, `q` for QUIC.
    ///   - message: The dissected message so far.
    static func read(_ handshake: HandshakeMessage, _ transport: Character, into message: inout DissectedMessage) {
        message.add(TLSFields.type, 0..<1, handshake, .number(UInt64(handshake.type)))
        if !message.summary.isEmpty { message.summary.append(", ") }
        message.summary.append(TLSFields.handshakes[handshake.type] ?? "handshake")
        switch handshake.type {
        case 1: readClientHello(handshake, transport, into: &message)
        case 2: readServerHello(handshake, into: &message)
        case 11: readCertificates(handshake, into: &message)
        default: break
        }
    }

    private static func readClientHello(
        _ handshake: HandshakeMessage,
        _ transport: Character,
        into message: inout DissectedMessage
    ) {
        let hello = HelloReader(handshake, into: &message)
        message.summary.append(" ")
        TLSFields.append(version: hello.version, to: &message.summary)
        if let name = hello.serverName {
            message.summary.append(" SNI ")
            message.summary.append(escaped: name, upTo: 260)
        }
        appendProtocols(hello, into: &message)
        let ja4 = hello.fingerprint.text(transport)
        message.add(TLSFields.ja4, 0..<handshake.bytes.count, handshake, .text(ja4))
        message.summary.append(" JA4 ")
        message.summary.append(escaped: ja4)
    }

    private static func readServerHello(_ handshake: HandshakeMessage, into message: inout DissectedMessage) {
        let hello = HelloReader(handshake, into: &message)
        message.summary.append(" ")
        TLSFields.append(version: hello.version, to: &message.summary)
        if let cipher = hello.cipher {
            message.summary.append(" ")
            TLSFields.append(cipher: cipher, to: &message.summary)
        }
        appendProtocols(hello, into: &message)
    }

    private static func appendProtocols(_ hello: HelloReader, into message: inout DissectedMessage) {
        guard !hello.protocols.isEmpty else { return }
        message.summary.append(" ALPN ")
        message.summary.append(escaped: hello.protocols.joined(separator: ","), upTo: 100)
    }

    /// Reads certificates; those of TLS 1.3 have a context before them, and extensions behind each.
    ///
    /// Source: RFC 5246 section 7.4.2, RFC 8446 section 4.4.2.
    private static func readCertificates(_ handshake: HandshakeMessage, into message: inout DissectedMessage) {
        let bytes = handshake.bytes.span.bytes
        let isOld = bytes.number24(at: 4).map { $0 + 7 == bytes.byteCount } ?? true
        var (index, isFirst) = (isOld ? 7 : 8 + Int(bytes.byte(at: 4) ?? 0), true)
        while let length = bytes.number24(at: index), length > 0 {
            let range = (index + 3)..<min(index + 3 + length, bytes.byteCount)
            index += 3 + length
            if !isOld { index += 2 + Int(bytes.number(at: index, UInt16.self) ?? 0) }
            guard isFirst || message.wantsFields, let certificate = Certificate(bytes, in: range) else { return }
            if isFirst, let subject = certificate.subject {
                message.summary.append(" ")
                message.summary.append(escaped: subject.text, upTo: 120)
                for name in certificate.alternativeNames.prefix(3) where !subject.text.contains(name.text) {
                    message.summary.append(" ")
                    message.summary.append(escaped: name.text, upTo: 80)
                }
            }
            isFirst = false
            if let name = certificate.subject {
                message.add(TLSFields.subject, name.range, handshake, .text(name.text))
            }
            if let name = certificate.issuer { message.add(TLSFields.issuer, name.range, handshake, .text(name.text)) }
            for name in certificate.alternativeNames {
                message.add(TLSFields.alternativeName, name.range, handshake, .text(name.text))
            }
        }
    }
}
