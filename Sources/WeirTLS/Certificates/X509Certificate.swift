import COpenSSL
import CTLS

/// A certificate, as OpenSSL has it.
///
/// Source: RFC 5280.
package final class X509Certificate: @unchecked Sendable {
    let raw: OpaquePointer

    /// Makes a certificate of OpenSSL's, whose reference it takes over.
    init(owning raw: OpaquePointer) { self.raw = raw }

    deinit { X509_free(raw) }

    /// Reads the first certificate of a text in PEM; nil if there is none.
    package convenience init?(pem: [UInt8]) {
        guard let bio = MemoryText(pem), let raw = PEM_read_bio_X509(bio.raw, nil, nil, nil) else {
            OpenSSLErrors.clear()
            return nil
        }
        self.init(owning: raw)
    }

    /// Reads all certificates of a text in PEM, in their order.
    package static func all(pem: [UInt8]) -> [X509Certificate] {
        guard let bio = MemoryText(pem) else { return [] }
        var found: [X509Certificate] = []
        while let raw = PEM_read_bio_X509(bio.raw, nil, nil, nil) { found.append(X509Certificate(owning: raw)) }
        OpenSSLErrors.clear()
        return found
    }

    /// The certificate in PEM.
    package var pem: [UInt8] { MemoryText.written { PEM_write_bio_X509($0, raw) } }

    /// The certificate in DER.
    package var der: [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(raw, &bytes)
        guard count > 0, let bytes else { return [] }
        defer { CRYPTO_free(bytes, #file, #line) }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// The subject, as in `CN=example.com,O=Example`.
    ///
    /// Source: RFC 2253.
    package var subject: String { Self.text(X509_get_subject_name(raw)) }
    /// The issuer, in the same form.
    package var issuer: String { Self.text(X509_get_issuer_name(raw)) }

    private static func text(_ name: OpaquePointer?) -> String {
        String(decoding: MemoryText.written { X509_NAME_print_ex($0, name, 0, weir_tls_name_format()) }, as: UTF8.self)
    }

    /// The SHA-256 of the certificate in DER.
    package var fingerprint: [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(raw, EVP_sha256(), &digest, &count) == 1 else { return [] }
        return Array(digest.prefix(Int(count)))
    }

    /// The first and the last second in which it is valid, in seconds since 1970 UTC.
    package var validity: ClosedRange<Int> {
        let (first, last) = (Self.seconds(X509_get0_notBefore(raw)), Self.seconds(X509_get0_notAfter(raw)))
        return first...max(first, last)
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int {
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard let start = ASN1_TIME_set(nil, 0) else { return 0 }
        defer { ASN1_STRING_free(start) }
        guard ASN1_TIME_diff(&days, &seconds, start, time) == 1 else { return 0 }
        return Int(days) * 86_400 + Int(seconds)
    }

    /// The alternative names that are host names, and those that are addresses, as text.
    package var alternativeNames: [AlternativeName] {
        guard let found = X509_get_ext_d2i(raw, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(found)
        defer { GENERAL_NAMES_free(list) }
        return (0..<OPENSSL_sk_num(list)).compactMap { index in
            guard let value = OPENSSL_sk_value(list, index) else { return nil }
            return AlternativeName(value.assumingMemoryBound(to: GENERAL_NAME.self).pointee)
        }
    }

    /// The names and addresses to which an authority is constrained, as in `example.com`; empty for all.
    package var constraints: [String] {
        let place = X509_get_ext_by_NID(raw, NID_name_constraints, -1)
        guard place >= 0, let found = X509_get_ext(raw, place) else { return [] }
        // As in "Permitted:\n  DNS:test\n  IP:10.0.0.0/255.0.0.0\n".
        let text = String(decoding: MemoryText.written { X509V3_EXT_print($0, found, 0, 0) }, as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let name = line.drop { $0 == " " }
            guard name.hasPrefix("DNS:") || name.hasPrefix("IP:") else { return nil }
            return String(name.drop { $0 != ":" }.dropFirst())
        }
    }

    /// Whether it may sign other certificates.
    package var isAuthority: Bool { X509_check_ca(raw) == 1 }
}

/// A name of a certificate (subject alternative name).
package enum AlternativeName: Hashable, Sendable {
    /// A host name, in lower case.
    case host(String)
    /// An address: 4 or 16 bytes.
    case address([UInt8])

    init?(_ name: GENERAL_NAME) {
        switch name.type {
        case GEN_DNS:
            guard let text = name.d.dNSName else { return nil }
            self = .host(String(decoding: Self.bytes(text), as: UTF8.self).lowercased())
        case GEN_IPADD:
            guard let address = name.d.iPAddress else { return nil }
            self = .address(Self.bytes(address))
        default: return nil
        }
    }

    private static func bytes(_ text: UnsafePointer<ASN1_STRING>) -> [UInt8] {
        Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text))))
    }

    /// Whether it is an address, or a host name of letters, digits, `-` and `_`, with `*` as its first label at most.
    ///
    /// Others are not put into a certificate: a name with a comma would be two. What ends in a number is an address, not a name.
    package var isPlain: Bool {
        switch self {
        case .address(let bytes): return bytes.count == 4 || bytes.count == 16
        case .host(let name):
            let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let isFirstAny = labels.count > 1 && labels[0].elementsEqual("*".utf8)
            let endsInNumber = labels.last?.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true
            return name.utf8.count <= 253 && !endsInNumber
                && labels.dropFirst(isFirstAny ? 1 : 0).allSatisfy { label in
                    (1...63).contains(label.count)
                        && label.allSatisfy { byte in
                            switch byte {
                            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                                UInt8(ascii: "-"), UInt8(ascii: "_"):
                                true
                            default: false
                            }
                        }
                }
        }
    }

    /// The name as OpenSSL's configuration has it: `DNS:example.com`, `IP:192.0.2.1`.
    package var text: String {
        switch self {
        case .host(let name): "DNS:\(name)"
        case .address(let bytes) where bytes.count == 4: "IP:\(bytes.map(String.init).joined(separator: "."))"
        case .address(let bytes):
            "IP:"
                + stride(from: 0, to: bytes.count - 1, by: 2)
                .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
        }
    }
}

/// A private key.
package final class PrivateKey: @unchecked Sendable {
    /// The kinds of keys.
    package enum Kind: Hashable, Sendable {
        /// ECDSA on P-256.
        case p256
        /// RSA; making one takes a few tenths of a second.
        case rsa(bits: Int32)
    }

    let raw: OpaquePointer

    init(owning raw: OpaquePointer) { self.raw = raw }

    deinit { EVP_PKEY_free(raw) }

    /// Makes a key.
    ///
    /// - Throws: `TLSSetupError` if OpenSSL cannot.
    package convenience init(_ kind: Kind) throws(TLSSetupError) {
        OpenSSL.prepare()
        let made =
            switch kind {
            case .p256: weir_tls_make_p256()
            case .rsa(let bits): weir_tls_make_rsa(bits)
            }
        guard let made else { throw TLSSetupError("no key can be made: \(OpenSSLErrors.take() ?? "an error")") }
        self.init(owning: made)
    }

    /// Reads a key of a text in PEM, without a passphrase; nil if there is none.
    package convenience init?(pem: [UInt8]) {
        guard let bio = MemoryText(pem) else { return nil }
        // Without this function OpenSSL asks the terminal for a passphrase.
        let raw = PEM_read_bio_PrivateKey(bio.raw, nil, { _, _, _, _ in -1 }, nil)
        OpenSSLErrors.clear()
        guard let raw else { return nil }
        self.init(owning: raw)
    }

    /// The key in PEM (PKCS #8), without a passphrase.
    package var pem: [UInt8] { MemoryText.written { PEM_write_bio_PrivateKey($0, raw, nil, nil, 0, nil, nil) } }

    /// Returns whether a certificate is this key's.
    package func matches(_ certificate: X509Certificate) -> Bool {
        X509_check_private_key(certificate.raw, raw) == 1
    }
}

/// A certificate with its key, and the certificates between it and an authority that its readers know.
package struct TLSCertificate: Sendable {
    package var certificate: X509Certificate
    package var key: PrivateKey
    package var chain: [X509Certificate]

    package init(_ certificate: X509Certificate, _ key: PrivateKey, chain: [X509Certificate] = []) {
        (self.certificate, self.key, self.chain) = (certificate, key, chain)
    }

    /// Reads a certificate, its chain and its key of one text in PEM.
    ///
    /// - Parameters:
    ///   - pem: the text.
    ///   - name: the text's name, for errors.
    /// - Throws: `TLSSetupError` if one of them is missing, or the key is another one's.
    package init(pem: [UInt8], of name: String) throws(TLSSetupError) {
        let all = X509Certificate.all(pem: pem)
        guard let first = all.first else { throw TLSSetupError("'\(name)' has no certificate in PEM") }
        guard let key = PrivateKey(pem: pem) else {
            throw TLSSetupError("'\(name)' has no private key in PEM, or one with a passphrase")
        }
        guard key.matches(first) else {
            throw TLSSetupError("the key in '\(name)' is not that of its first certificate")
        }
        self.init(first, key, chain: Array(all.dropFirst()))
    }
}
