import WeirWire

/// The fields of TLS records and handshakes.
enum TLSFields {
    static let contentType = FieldName("tls.record.content_type", "The record's kind")
    static let recordVersion = FieldName("tls.record.version", "The version in the record")
    static let recordLength = FieldName("tls.record.length", "The record's length in bytes")
    static let type = FieldName("tls.handshake.type", "The handshake message's kind")
    static let version = FieldName("tls.handshake.version", "The version in the hello")
    static let random = FieldName("tls.handshake.random", "The random bytes of the hello")
    static let sessionID = FieldName("tls.handshake.session_id", "The session's number")
    static let cipher = FieldName("tls.handshake.ciphersuite", "A cipher suite that is offered, or the one chosen")
    static let extensionType = FieldName("tls.handshake.extension.type", "An extension's number")
    static let serverName = FieldName(
        "tls.handshake.extensions_server_name",
        "The server that the client names (SNI)",
        finding: .serverName
    )
    static let protocolName = FieldName(
        "tls.handshake.extensions_alpn_str",
        "A protocol that is offered, or the one chosen (ALPN)"
    )
    static let supportedVersion = FieldName(
        "tls.handshake.extensions.supported_version",
        "A version that is offered, or the one chosen"
    )
    static let group = FieldName("tls.handshake.extensions_supported_group", "A group that is offered")
    static let signature = FieldName("tls.handshake.sig_hash_alg", "A signature algorithm that is offered")
    static let ja4 = FieldName("tls.handshake.ja4", "The client's fingerprint (JA4)")
    static let subject = FieldName("x509.subject", "Whom a certificate is for")
    static let issuer = FieldName("x509.issuer", "Who has signed a certificate")
    static let alternativeName = FieldName("x509ce.dNSName", "A host that a certificate is for")
    static let alertLevel = FieldName("tls.alert_message.level", "Whether an alert is fatal (2)")
    static let alert = FieldName("tls.alert_message.desc", "What an alert says", role: .code(errorFrom: 1))

    static let all = [
        contentType, recordVersion, recordLength, type, version, random, sessionID, cipher, extensionType, serverName,
        protocolName, supportedVersion, group, signature, ja4, subject, issuer, alternativeName, alertLevel, alert,
    ]

    /// Appends the name of a version of TLS.
    static func append(version: UInt16, to text: inout MessageText) {
        switch version {
        case 0x0300: text.append("SSL 3.0")
        case 0x0301: text.append("TLS 1.0")
        case 0x0302: text.append("TLS 1.1")
        case 0x0303: text.append("TLS 1.2")
        case 0x0304: text.append("TLS 1.3")
        default:
            text.append("version ")
            text.append(hex: version)
        }
    }

    /// Appends the name of a common cipher suite, or the suite's number.
    ///
    /// Source: the IANA's registry of TLS cipher suites.
    static func append(cipher: UInt16, to text: inout MessageText) {
        guard let name = ciphers[cipher] else { return text.append(hex: cipher) }
        text.append(name)
    }

    private static let ciphers: [UInt16: StaticString] = [
        0x0005: "TLS_RSA_WITH_RC4_128_SHA", 0x000a: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0x002f: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        0x003c: "TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256",
        0x009c: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009d: "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
        0x1304: "TLS_AES_128_CCM_SHA256", 0xc009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xc00a: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        0xc013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xc023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xc02b: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02c: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02f: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xc030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xcca8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcca9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ]

    /// The names of the handshake message types.
    ///
    /// Source: RFC 8446 section 4, RFC 5246 section 7.4.
    static let handshakes: [UInt8: StaticString] = [
        0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 3: "HelloVerifyRequest", 4: "NewSessionTicket",
        5: "EndOfEarlyData", 8: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange",
        13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange",
        20: "Finished", 21: "CertificateURL", 22: "CertificateStatus", 24: "KeyUpdate", 67: "NextProtocol",
    ]

    /// The names of the alerts.
    ///
    /// Source: RFC 8446 section 6.
    static let alerts: [UInt8: StaticString] = [
        0: "close notify", 10: "unexpected message", 20: "bad record MAC", 21: "decryption failed",
        22: "record overflow", 30: "decompression failure", 40: "handshake failure", 41: "no certificate",
        42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
        46: "certificate unknown", 47: "illegal parameter", 48: "unknown CA", 49: "access denied", 50: "decode error",
        51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error",
        86: "inappropriate fallback", 90: "user canceled", 100: "no renegotiation", 109: "missing extension",
        110: "unsupported extension", 112: "unrecognized name", 113: "bad certificate status response",
        115: "unknown PSK identity", 116: "certificate required", 120: "no application protocol",
    ]
}
